/* Numbers for tests that try many things: the same for the same start. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

/* 64 good bits, from any start. */
static inline uint64_t sl_test_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t r = *state;
    r = (r ^ r >> 30) * 0xbf58476d1ce4e5b9u;
    r = (r ^ r >> 27) * 0x94d049bb133111ebu;
    return r ^ r >> 31;
}

#endif
