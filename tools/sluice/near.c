#include "tools/sluice/near.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 31u /* letters; longer words are nobody's slip */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, add, drop or swap with their neighbours. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][LONGEST + 1]; /* of the last three letters of a */
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *over = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], over[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

void near_offer(struct near *near, const char *candidate)
{
    size_t size = strlen(candidate);
    if (near->size < 2 || near->size > LONGEST || size > LONGEST) {
        return;
    }
    size_t changes = distance(near->word, near->size, candidate, size);
    if (size > near->size && memcmp(near->word, candidate, near->size) == 0) {
        changes = 1; /* its beginning */
    }
    size_t most = near->best != NULL ? near->changes - 1 : (near->size + 2) / 3;
    if (changes <= most) {
        near->best = candidate;
        near->changes = changes;
    }
}

const char *near_text(const struct near *near, const char *before, char *text)
{
    text[0] = '\0';
    if (near->best != NULL) {
        snprintf(text, NEAR_TEXT, "; did you mean %s%s?", before, near->best);
    }
    return text;
}
