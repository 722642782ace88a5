/* What somebody may have meant who mistyped a word. Main thread. */
#ifndef SLUICE_NEAR_H
#define SLUICE_NEAR_H

#include <stddef.h>

/* The best of the words that were offered so far; begin with {.word = what was typed}. */
struct near {
    const char *word; /* borrowed */
    size_t size;      /* of it, without a value behind = */
    const char *best; /* nullable; borrowed */
    size_t changes;   /* letters that make one of the other */
};

void near_offer(struct near *near, const char *candidate);
/* "; did you mean --frames?", or nothing. text: NEAR_TEXT bytes; returns it. */
#define NEAR_TEXT 96u
const char *near_text(const struct near *near, const char *before, char *text);

#endif
