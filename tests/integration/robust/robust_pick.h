/* Choosing arguments: the same ones in each run, and what was chosen as text. */
#ifndef ROBUST_PICK_H
#define ROBUST_PICK_H

#include <stdint.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

struct robust {
    uint64_t seed;
    char arguments[256]; /* as they were chosen */
    uint64_t returned;
};

/* A number below `most`. */
uint32_t robust_pick(struct robust *r, uint32_t most);
/* Adds to what was chosen. */
void robust_note(struct robust *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
