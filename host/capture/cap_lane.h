/* The open chunk of one stream and kind. Records are appended by the stream's thread; the writer's
 * sweep closes what was open for long.
 *
 * The two meet at `busy`, a spin lock that is held for the copy of one record: no two streams share
 * one. Only a chunk's change makes a producer meet others, in cap_writer_get and cap_writer_put. */
#ifndef HOST_CAP_LANE_H
#define HOST_CAP_LANE_H

#include "host/capture/cap_bytes.h"
#include "host/capture/cap_writer.h"
#include "transport/base/atomic.h"

#include <string.h>

/* Room for what stands before a record's bytes: a tag and two varints. */
#define CAP_LANE_PREFIX 32u
/* A record with more bytes than this goes on in a second chunk. */
#define CAP_LANE_RECORD_MAX ((size_t)CAP_PAYLOAD_MAX - 4096)

struct cap_lane {
    struct cap_writer *writer;
    uint32_t busy;                /* atomic */
    uint32_t kind, stream, flags; /* flags: CAP_CHUNK_SNAPSHOT or 0 */
    struct cap_buffer *open;      /* nullable */
    uint64_t records;             /* so far */
    uint64_t stamp, time;         /* the bases of the next deltas */
    const void *head;             /* at every chunk's start; nullable */
    size_t head_size;
    struct cap_lane *refers; /* closed first: what this one refers to lies before it. Nullable */
};

static inline bool cap_lane_try(struct cap_lane *lane)
{
    return sl_atomic_exchange(&lane->busy, 1) == 0; /* the holder's writes lie before */
}
void cap_lane_wait(struct cap_lane *lane);
static inline void cap_lane_lock(struct cap_lane *lane)
{
    if (SL_UNLIKELY(!cap_lane_try(lane))) {
        cap_lane_wait(lane);
    }
}
static inline void cap_lane_unlock(struct cap_lane *lane)
{
    sl_atomic_store_release(&lane->busy, 0); /* pairs with cap_lane_try */
}

/* All that follow: the lane is locked by the caller. */

/* A chunk with room for `size` bytes and a prefix is open. False: no memory; the record is lost. */
bool cap_lane_open(struct cap_lane *lane, size_t size, uint64_t stamp);
/* Where a record of `size` bytes (<= CAP_LANE_RECORD_MAX) and its prefix go; lane->stamp is the
 * base of its delta. NULL as above. */
static inline uint8_t *cap_lane_begin(struct cap_lane *lane, size_t size, uint64_t stamp)
{
    const struct cap_buffer *b = lane->open;
    if (SL_UNLIKELY(b == NULL || b->used >= CAP_CHUNK_BYTES ||
                    b->capacity - b->used < size + CAP_LANE_PREFIX) &&
        !cap_lane_open(lane, size, stamp)) {
        return NULL;
    }
    return lane->open->data + lane->open->used;
}
/* The record reaches up to p. count: of header.records, 0 or 1. */
static inline void cap_lane_end(struct cap_lane *lane, const uint8_t *p, uint64_t stamp,
                                uint32_t count)
{
    struct cap_buffer *b = lane->open;
    b->used = (size_t)(p - b->data);
    b->records += count;
    b->last_stamp = stamp;
    lane->records += count;
    lane->stamp = stamp;
}
/* The record's prefix reaches up to p; these bytes follow, over as many chunks as they need. False:
 * no memory; the rest is lost. */
bool cap_lane_spill(struct cap_lane *lane, const uint8_t *p, const void *bytes, size_t size,
                    uint64_t stamp, uint32_t count);
/* Puts the open chunk, if there is one. */
void cap_lane_close(struct cap_lane *lane);

/* Not locked by the caller: closes a chunk that was opened before `opened_before` (sl_clock_ns()),
 * unless its thread is at it. */
void cap_lane_sweep(struct cap_lane *lane, uint64_t opened_before);

#endif
