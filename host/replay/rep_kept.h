/* Inside host/replay: what lives at one moment, kept in memory, and the way back to it.
 *
 * The same that a snapshot writes into a trace, cut into the things that its packets are about
 * (vgd_saver.about), so that two moments can be compared. The replay's thread, while nothing is on
 * its way. */
#ifndef HOST_REP_KEPT_H
#define HOST_REP_KEPT_H

#include "host/replay/rep_priv.h"

/* Room for one more in an array. False: no memory. */
bool rep_grow(void **array, uint32_t *room, uint32_t count, size_t item);
#define REP_GROW(array, room, count) rep_grow((void **)&(array), &(room), count, sizeof *(array))

#define REP_TURN       8u /* where a Vulkan packet has its turn */
#define REP_TURN_BYTES 4u
/* The ring's packets have turns. */
bool rep_has_turns(struct rep *rep, uint32_t ring_id);

/* Bytes of packets and memory of one moment; more is not kept. */
#define REP_KEPT_MAX (4ull << 30)

/* A packet, or (ring_id 0) a resource whose turn it is to come into being. */
struct rep_kept_packet {
    uint32_t ring_id, resource_id;
    size_t at; /* in the bytes; its reply is behind it */
    uint32_t size, reply_size;
};

/* A thing, with its packets. */
struct rep_kept_part {
    struct vgd_about about; /* needs and end: not its own, see below */
    uint32_t ctx_id;
    size_t needs, end;     /* places in the serials, and in the bytes */
    uint32_t first, count; /* packets */
};

/* Bytes that guests have mapped or given, whole. */
struct rep_kept_resource {
    uint32_t id;
    uint64_t serial;
    struct rep_origin origin;
    bool is_mapped, is_pages, is_host; /* host: it alone writes there */
    bool has_ring;
    size_t at;
    uint64_t size; /* 0: nothing to keep */
};

struct rep_kept {
    uint8_t *bytes;
    size_t size, room;
    struct rep_kept_packet *packets;
    uint32_t packet_count, packet_room;
    struct rep_kept_part *parts;
    uint32_t part_count, part_room;
    uint64_t *serials;
    uint32_t serial_count, serial_room;
    bool has_staying; /* things that stay where a loop would end them */
    struct rep_kept_resource *resources;
    uint32_t resource_count, resource_room;
    /* While it is made: */
    struct rep *rep;
    uint32_t ctx_id;
};

/* Everything is at rest in between. Finish what is there in any case. NOMEM; AGAIN: rings do not
 * come to rest; UNSUPPORTED and others: a context cannot be saved. */
enum sl_result rep_kept_take(struct rep_kept *kept, struct rep *rep) SL_MUST_USE;
/* Keeps bytes; where they lie then. SIZE_MAX: no memory, or there are too many. */
size_t rep_kept_bytes(struct rep_kept *kept, const void *bytes, size_t size);
void rep_kept_finish(struct rep_kept *kept);
const struct rep_kept_resource *rep_kept_resource(const struct rep_kept *kept, uint32_t id);

/* A piece of memory that is written back. */
struct rep_back_piece {
    uint32_t resource_id;
    uint64_t offset, size;
    size_t at; /* in the kept bytes */
};

/* What leads from one moment back to an earlier one: places in what was kept of the earlier (of
 * packets of the later one: copies). */
struct rep_back {
    struct rep_kept *to; /* borrowed; turns are written into its packets */
    struct rep_kept own; /* packets of the later moment */
    struct {
        bool is_own;
        uint32_t packet;
    } * steps;
    uint32_t step_count, step_room;
    struct rep_back_piece *pieces;
    uint32_t piece_count, piece_room;
    uint32_t *gone; /* resources that the loop made */
    uint32_t gone_count, gone_room;
    uint64_t bytes;               /* of packets and memory */
    uint32_t ended, made, filled; /* things */
};

/* to: borrowed while `back` is used. UNSUPPORTED: nothing leads back; reason
 * (REP_REASON bytes) says why. NOMEM. */
enum sl_result rep_back_find(struct rep_back *back, struct rep_kept *to,
                             const struct rep_kept *from, struct rep *rep,
                             char *reason) SL_MUST_USE;
/* Goes back. False: the replay ends (said in the report). */
bool rep_back_play(struct rep_back *back, struct rep *rep);
/* Whether the two moments are the same, as far as things go that can be led back. */
bool rep_kept_same(const struct rep_kept *a, const struct rep_kept *b, char *reason);
void rep_back_finish(struct rep_back *back);

#endif
