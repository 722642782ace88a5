/* Two lists of lines and what differs between them: the longest common run stays, found by the
 * greedy algorithm of Myers within a bound. One thread. */
#ifndef SLUICE_DIFF_LINES_H
#define SLUICE_DIFF_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_of {
    uint64_t hash; /* of stream and text */
    size_t text;   /* offset */
    uint64_t call; /* its number, which counts for nothing */
    uint32_t stream;
};

struct lines {
    struct line_of *list;
    size_t count, capacity;
    char *text;
    size_t text_size, text_capacity;
};

/* False: no memory. */
bool lines_add(struct lines *lines, uint32_t stream, uint64_t call, const char *text);
void lines_clear(struct lines *lines);
void lines_finish(struct lines *lines);
/* By stream and text. */
void lines_sort(struct lines *lines);

/* Calls `line` for each line that only a ('-') or only b ('+') has, in order. Lists that differ in
 * more than LINES_EDITS lines are told as if nothing of their middles were common. Numbers with a
 * fraction or an exponent, in either line, may be `eps` apart. False: no memory. */
#define LINES_EDITS 2048u
bool lines_compare(const struct lines *a, const struct lines *b, double eps,
                   void (*line)(void *user, char sign, const struct line_of *line,
                                const char *text),
                   void *user);

#endif
