/* A trace of Vulkan contexts, record by record, and a replay of it. */
#ifndef REP_BED_H
#define REP_BED_H

#include "host/replay/rep_priv.h"
#include "tests/support/slt.h"
#include "tests/support/trace_maker.h"

enum { REP_BED_STREAMS = 8 };

/* Streams from 1 on; ring RING + stream is a stream's, of the context that it was given. */
enum { REP_BED_RING = 100 };

struct rep_bed {
    struct trace_maker maker;
    uint64_t stamp; /* the last record's */
    uint64_t verbs, frames, calls[REP_BED_STREAMS];
    uint32_t contexts[REP_BED_STREAMS];
    struct cap_reader *reader;
    struct rep *rep;
    struct rep_report report;
};

void rep_bed_init(struct rep_bed *bed);
void rep_bed_finish(struct rep_bed *bed);

/* Records, one behind the other. */
void rep_bed_verb(struct rep_bed *bed, enum cap_verb verb, const void *body, size_t size);
void rep_bed_context(struct rep_bed *bed, uint32_t ctx_id);
/* What became of a packet: nothing known, or its end and its reply. */
struct rep_bed_end {
    const void *reply;
    size_t reply_size;
    bool has_sum; /* it says that its last 8 bytes are a checksum: the reply had one, too */
};
/* body: behind the turn. end: nullable. */
void rep_bed_call(struct rep_bed *bed, uint32_t stream, uint32_t opcode, uint32_t turn,
                  const void *body, size_t size, const struct rep_bed_end *end);
/* The mark of a frame that the stream's last packet completed. */
void rep_bed_frame(struct rep_bed *bed, uint32_t stream);
/* The trace is complete, and a replay of it made. */
void rep_bed_open(struct rep_bed *bed, const struct rep_options *options);

#endif
