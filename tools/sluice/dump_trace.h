/* sluice dump of a trace. */
#ifndef SLUICE_DUMP_TRACE_H
#define SLUICE_DUMP_TRACE_H

#include "tools/sluice/opt.h"

#define DUMP_KINDS "draw|compute|clear|upload|memory|sync|submit|create"

/* dump's options. */
enum {
    DUMP_PRINT,
    DUMP_COUNT,
    DUMP_CALLS,
    DUMP_FRAMES,
    DUMP_SUBMITS,
    DUMP_TIME,
    DUMP_STREAM,
    DUMP_KIND,
    DUMP_GREP,
    DUMP_FORMAT,
    DUMP_NAMES,
    DUMP_ALL,
    DUMP_STATS,
    DUMP_BLOBS,
    DUMP_FOLLOW,
    DUMP_KEEP_GOING,
    DUMP_STRICT
};

int dump_trace(const struct opt_set *set);

#endif
