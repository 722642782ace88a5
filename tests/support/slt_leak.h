/* Descriptors and threads of this process, counted before and after a case; with its memory, over
 * the repeats of one. */
#ifndef SLT_LEAK_H
#define SLT_LEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLT_CENSUS_FDS 1024

struct slt_census {
    bool open[SLT_CENSUS_FDS];
    unsigned fd_count;
    unsigned thread_count;
};

void slt_census_take(struct slt_census *census);
/* Writes what is left over into text. Gives threads that were joined a second to vanish. */
bool slt_census_differs(const struct slt_census *before, char *text, size_t size);

struct slt_growth {
    struct slt_census census;
    uint64_t allocations; /* sl_alloc_live */
    uint64_t heap;        /* bytes that malloc gave out */
    uint64_t private_memory;
};

void slt_growth_begin(struct slt_growth *growth);
/* Writes what `repeats` of something left behind. True: more than there was. */
bool slt_growth_end(const struct slt_growth *before, unsigned long repeats, char *text,
                    size_t size);

#endif
