/* What an index would say of a trace that has none, or none that is whole: counted as it is read.
 * Main thread. */
#ifndef SLUICE_INFO_COUNT_H
#define SLUICE_INFO_COUNT_H

#include "host/capture/cap_index.h"
#include "host/capture/cap_merge.h"
#include "transport/base/map.h"

/* Zeros at first, but for the maps: info_count_init. */
struct info_count {
    struct cap_totals totals;
    struct cap_index_call *calls; /* as struct cap_summary has them */
    uint32_t call_count;
    struct sl_map commands; /* capset, opcode -> place in `calls`, + 1 */
    struct sl_map streams;  /* with packets */
    uint8_t *blobs;         /* a bit for each that was referred to */
    size_t blob_bytes;
    bool failed; /* no memory */
};

void info_count_init(struct info_count *count);
void info_count_finish(struct info_count *count);
/* Any record but a snapshot's calls and verbs. */
void info_count_event(struct info_count *count, const struct cap_event *event);
/* Of a memory record. */
void info_count_piece(struct info_count *count, const struct cap_piece *piece);
/* Puts the counts in the place of what the summary has. False: no memory. */
bool info_count_give(struct info_count *count, struct cap_reader *reader,
                     struct cap_summary *summary);

#endif
