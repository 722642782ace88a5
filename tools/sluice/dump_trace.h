/* sluice dump of a trace. */
#ifndef SLUICE_DUMP_TRACE_H
#define SLUICE_DUMP_TRACE_H

#include "tools/sluice/filter.h"

/* dump's options. */
enum {
    DUMP_PRINT,
    DUMP_COUNT,
    DUMP_FILTER,
    DUMP_FORMAT = DUMP_FILTER + FILTER_COUNT,
    DUMP_NAMES,
    DUMP_ALL,
    DUMP_STATS,
    DUMP_BLOBS,
    DUMP_FOLLOW,
    DUMP_KEEP_GOING,
    DUMP_STRICT,
    DUMP_PROGRESS
};

int dump_trace(const struct opt_set *set);

#endif
