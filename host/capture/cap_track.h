/* Inside host/capture's reading half: the records of one kind of one stream, in order. */
#ifndef HOST_CAP_TRACK_H
#define HOST_CAP_TRACK_H

#include "host/capture/cap_merge.h"

/* Most bytes of one record: a packet or a reply as large as rings take them. */
#define CAP_RECORD_MAX (257u << 20)

struct cap_track {
    enum cap_event_kind kind;
    uint32_t stream;
    uint32_t first, last; /* chunks of it, CAP_NO_CHUNK: none; linked by cap_chunk.next */
    uint32_t chunk;       /* the one that is loaded; CAP_NO_CHUNK: none yet */
    struct cap_payload payload;
    const uint8_t *at, *end; /* what is not read of it, or of `carry` */
    uint8_t *carry;          /* a record that began in an earlier chunk, and the chunk it ends in */
    size_t carry_capacity;
    bool rebase;              /* behind the next record, numbers count from the loaded chunk's */
    uint64_t stamp, time;     /* of the record before */
    uint64_t expected_record; /* of the next chunk; UINT64_MAX: not known */
    uint64_t index;           /* of the next record that begins */
    struct cap_call_head head;
    /* events[now]: the next one, when is_ready; partly there when has_start. The other: what was
     * read while looking for its result, a start when has_peeked. */
    struct cap_event events[2];
    uint32_t now;                         /* 0 or 1 */
    bool is_ready, has_peeked, has_start; /* two that are asked for at once are not neighbours */
    uint8_t *held;                        /* the packet of events[now], moved out of the way */
    size_t held_capacity;
};

/* One piece of a memory record; piece->bytes NULL: it is *blob. *offset: behind the piece before.
 * False: it is not whole, or makes no sense. */
bool cap_piece_get(const uint8_t **p, const uint8_t *end, uint64_t *offset, struct cap_piece *piece,
                   uint64_t *blob);

/* Makes track->events[track->now] ready. NOTFOUND: the chunks so far have no more (a packet that
 * may still get a result is given all the same when `is_last`); PROTOCOL: chunk *bad is damaged. */
enum sl_result cap_track_fill(struct cap_track *track, struct cap_reader *reader, bool is_last,
                              uint32_t *bad) SL_MUST_USE;
/* No event is before this one. UINT64_MAX: there are no more so far. */
uint64_t cap_track_bound(const struct cap_track *track, const struct cap_reader *reader);
void cap_track_finish(struct cap_track *track);

#endif
