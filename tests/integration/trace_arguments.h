/* Damage to the arguments of recorded Vulkan packets: they still decode, mostly, and say what no
 * driver of a guest would say. */
#ifndef TRACE_ARGUMENTS_H
#define TRACE_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

/* xorshift; the state is not 0. */
static inline uint64_t trace_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Changes one argument of one packet in a CALL chunk's payload, if that is Vulkan's. Code of
 * shaders stays as it is. */
void trace_arguments_change(uint8_t *payload, size_t size, uint64_t *state);

#endif
