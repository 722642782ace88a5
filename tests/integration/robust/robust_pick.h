/* Choosing arguments: the same ones in each run, and what was chosen as text. */
#ifndef ROBUST_PICK_H
#define ROBUST_PICK_H

#include <stdbool.h>
#include <stdint.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { ROBUST_ALL = -1 };

struct robust {
    uint64_t seed;
    char arguments[256]; /* as they were chosen */
    uint64_t returned;
    /* Of GL's calls. */
    int enum_count; /* that were chosen */
    int swept_at;   /* which of them is `swept`, from 1; 0: none */
    unsigned swept;
    bool is_wide;      /* whether numbers may be far from all objects */
    int pointer_count; /* that were chosen */
    int null_at;       /* which of them is NULL, from 1; 0: none; ROBUST_ALL: all of them */
    bool is_not_made;  /* the call is chosen, and not made */
    bool is_harmless;  /* it is made, whatever is left out elsewhere */
};

/* A number below `most`. */
uint32_t robust_pick(struct robust *r, uint32_t most);
/* Adds to what was chosen. */
void robust_note(struct robust *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
