/* Descriptors and threads of this process, counted before and after a case. */
#ifndef SLT_LEAK_H
#define SLT_LEAK_H

#include <stdbool.h>
#include <stddef.h>

#define SLT_CENSUS_FDS 1024

struct slt_census {
    bool open[SLT_CENSUS_FDS];
    unsigned fd_count;
    unsigned thread_count;
};

void slt_census_take(struct slt_census *census);
/* Writes what is left over into text. Gives threads that were joined a second to vanish. */
bool slt_census_differs(const struct slt_census *before, char *text, size_t size);

#endif
