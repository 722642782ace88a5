/* Counts and bytes of a trace's calls, by name, frame or stream. One thread. */
#ifndef SLUICE_TRACE_STATS_H
#define SLUICE_TRACE_STATS_H

#include "host/capture/cap_merge.h"
#include "tools/sluice/schema.h"

#include <stdio.h>

enum stats_by { STATS_NAME, STATS_FRAME, STATS_STREAM };

struct trace_stats;

/* schema: what names commands when they are printed; borrowed. NULL: no memory. */
struct trace_stats *trace_stats_create(enum stats_by by, struct schema *const *schema);
void trace_stats_destroy(struct trace_stats *stats);
/* False: no memory. */
bool trace_stats_add(struct trace_stats *stats, const struct cap_event_call *call, uint32_t stream,
                     uint64_t frame);
enum stats_format { STATS_TEXT, STATS_JSON, STATS_JSONL, STATS_CSV };

/* A table, the largest count first; frames and streams in their order. Text and JSON, one document,
 * say the sum too; JSONL is an object a row; CSV begins with its columns' names. */
void trace_stats_print(struct trace_stats *stats, enum stats_format format, FILE *out);

#endif
