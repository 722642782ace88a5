/* All records of a trace in the order in which they began, over all streams.
 *
 * Who uses it: dump, diff, trim, replay. One thread. Each stream's chunks are walked one at a time,
 * a packet joined with its result and with what spilled into later chunks, and the streams are
 * merged by stamp. At one payload a stream, only streams that have something now are in memory. */
#ifndef HOST_CAP_MERGE_H
#define HOST_CAP_MERGE_H

#include "host/capture/cap_reader.h"

enum cap_event_kind {
    CAP_EVENT_MEMORY,
    CAP_EVENT_TEXT,
    CAP_EVENT_VERB,
    CAP_EVENT_CALL,
    CAP_EVENT_FRAME
};
#define CAP_EVENT_KINDS 5u

struct cap_event_call {
    uint32_t ctx_id, ring_id, capset, preamble;
    const uint8_t *packet; /* with its checksum where `has_sum` */
    uint32_t size;
    bool has_sum, has_result, has_reply, is_refused, is_lost;
    const uint8_t *reply; /* NULL: none */
    uint32_t reply_size;
    uint64_t end_stamp; /* 0: not known */
    uint64_t index;     /* of the packet in its stream, from 0 */
};

struct cap_event_verb {
    uint32_t verb; /* enum cap_verb */
    const uint8_t *body;
    uint32_t size;
    bool has_result;
    int32_t result; /* SL_OK without one */
    uint64_t value;
};

struct cap_event_memory {
    uint32_t resource_id, source;
    uint64_t pieces;
    const uint8_t *at, *end; /* of the pieces' bytes: cap_merge_piece moves on */
    uint64_t offset;         /* behind the piece before */
};

struct cap_event_text {
    uint32_t level;
    uint32_t size;
    const uint8_t *text; /* no zero at its end */
};

struct cap_event {
    enum cap_event_kind kind;
    uint32_t stream;
    uint64_t stamp;
    uint64_t time;   /* no later than when it began */
    uint64_t number; /* of a frame: how many marks there are before it */
    union {
        struct cap_event_call call;
        struct cap_event_verb verb;
        struct cap_event_memory memory;
        struct cap_event_text text;
        struct cap_frame frame;
    };
};

struct cap_merge;

/* reader: borrowed, scanned at least once. NOMEM. */
enum sl_result cap_merge_create(struct cap_reader *reader, struct cap_merge **out) SL_MUST_USE;
/* The same from the snapshot whose begin mark's chunk has this number in reader->chunks: its
 * records, then all behind it. */
enum sl_result cap_merge_create_at(struct cap_reader *reader, uint32_t begin,
                                   struct cap_merge **out) SL_MUST_USE;

/* A complete snapshot. */
struct cap_merge_snapshot {
    uint32_t begin, end;      /* places of the marks in reader->chunks */
    struct cap_snapshot mark; /* the end's */
};
/* All of them, in file order; *out: free with sl_free. NOMEM, IO. */
enum sl_result cap_merge_snapshots(struct cap_reader *reader, struct cap_merge_snapshot **out,
                                   uint32_t *count) SL_MUST_USE;
void cap_merge_destroy(struct cap_merge *merge);

/* The next record; what it points to stays until the next call.
 * NOTFOUND: there is no more, or what follows cannot be placed since something before it is missing
 * at the end of a recording that was cut short.
 * PROTOCOL: damage lies here, said in *damage (nullable); the call after it goes on behind it.
 * NOMEM, IO. */
enum sl_result cap_merge_next(struct cap_merge *merge, struct cap_event *event,
                              struct cap_damage *damage) SL_MUST_USE;
/* Whether the records so far belong to the snapshot that the trace (or what is read of it) begins
 * with. */
bool cap_merge_is_in_snapshot(const struct cap_merge *merge);
/* Whether a record of this stamp does. */
bool cap_merge_is_of_snapshot(const struct cap_merge *merge, uint64_t stamp);
/* For who follows a file that grows. holds: a call that may still get a result is not given without
 * it, nor what comes behind it: NOTFOUND. At first it is. */
void cap_merge_hold(struct cap_merge *merge, bool holds);
/* Whether a call is held back, as cap_merge_next found last. */
bool cap_merge_is_holding(const struct cap_merge *merge);
/* After cap_reader_scan found more of a file that grows: NOTFOUND may be over. */
enum sl_result cap_merge_grow(struct cap_merge *merge) SL_MUST_USE;

#define CAP_NO_BLOB UINT64_MAX
struct cap_piece {
    uint64_t offset; /* in the resource */
    uint64_t blob;   /* its number; CAP_NO_BLOB: it is nowhere else */
    uint32_t size;
    const uint8_t *bytes;
};
/* The pieces of a memory record in turn, each until the next call. NOTFOUND: there are no more;
 * PROTOCOL: a reference leads nowhere. */
enum sl_result cap_merge_piece(struct cap_merge *merge, struct cap_event_memory *memory,
                               struct cap_piece *piece) SL_MUST_USE;

#endif
