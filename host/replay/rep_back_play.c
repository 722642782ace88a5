/* Going back to an earlier moment, by the way that rep_back.c found. */
#include "host/replay/rep_kept.h"

#include "transport/base/bytes.h"

#include <string.h>

bool rep_has_turns(struct rep *rep, uint32_t ring_id)
{
    const struct rep_ring *ring = rep_ring_find(rep, ring_id);
    return ring != NULL && ring->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN;
}

static bool write_piece(const struct rep_back *back, const struct rep_back_piece *piece,
                        struct rep *rep)
{
    struct rep_resource *r = rep_resource_find(rep, piece->resource_id);
    uint8_t *bytes = r == NULL ? NULL : r->pages != NULL ? r->pages : r->map;
    uint64_t size = r == NULL ? 0 : r->pages != NULL ? r->pages_size : r->size;
    if (bytes == NULL || piece->offset > size || piece->size > size - piece->offset) {
        return false;
    }
    memcpy(bytes + piece->offset, back->to->bytes + piece->at, piece->size);
    return true;
}

static bool make_resource(const struct rep_kept_resource *was, struct rep *rep)
{
    if (rep_resource_find(rep, was->id) != NULL) {
        return true;
    }
    enum sl_result result = rep_resource_make(rep, was->id, &was->origin);
    struct rep_resource *r = result == SL_OK ? rep_resource_find(rep, was->id) : NULL;
    return r != NULL && (!was->is_mapped || rep_resource_map(rep, r) == SL_OK);
}

/* Its memory is what its context's packets make. */
static bool is_of_packets(const struct rep_kept_resource *was)
{
    struct cap_verb_blob blob;
    if (was->origin.verb != CAP_VERB_BLOB_CREATE || was->origin.body_size < sizeof blob) {
        return false;
    }
    memcpy(&blob, was->origin.body, sizeof blob);
    return blob.blob_id != 0 && blob.mem != VIRTGPU_BLOB_GUEST;
}

static bool make_resources(struct rep_back *back, struct rep *rep, bool of_packets)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < back->to->resource_count; i++) {
        const struct rep_kept_resource *was = &back->to->resources[i];
        ok = is_of_packets(was) != of_packets || make_resource(was, rep);
    }
    return ok;
}

/* The next packet of a context has this turn; by its place in rep.contexts. */
struct turns {
    bool is_known[REP_CONTEXTS];
    uint32_t next[REP_CONTEXTS];
};

static uint32_t place_of(const struct rep *rep, uint32_t ctx_id)
{
    uint32_t i = 0;
    while (i + 1 < rep->context_count && rep->contexts[i] != ctx_id) {
        i++;
    }
    return i;
}

/* The first one's is right: it is the later moment's. */
static void put_turn(const struct rep *rep, uint32_t ctx_id, struct turns *turns, uint8_t *turn)
{
    uint32_t place = place_of(rep, ctx_id);
    if (!turns->is_known[place]) {
        turns->is_known[place] = true;
        turns->next[place] = sl_load_u32(turn);
    }
    sl_store_u32(turn, turns->next[place]++);
}

static bool play_packet(struct rep *rep, const struct rep_kept *kept,
                        const struct rep_kept_packet *packet, struct turns *turns)
{
    struct rep_ring *ring = rep_ring_find(rep, packet->ring_id);
    uint8_t *bytes = kept->bytes + packet->at;
    if (ring == NULL) {
        return false;
    }
    if (packet->size >= REP_TURN + REP_TURN_BYTES && rep_has_turns(rep, packet->ring_id)) {
        put_turn(rep, ring->ctx_id, turns, bytes + REP_TURN);
    }
    const struct cap_event event = {.kind = CAP_EVENT_CALL,
                                    .stamp = ring->last_stamp,
                                    .stream = ring->last_stream,
                                    .call = {.ctx_id = ring->ctx_id,
                                             .ring_id = ring->ring_id,
                                             .capset = ring->capset,
                                             .preamble = ring->preamble,
                                             .packet = bytes,
                                             .size = packet->size,
                                             .has_reply = packet->reply_size != 0,
                                             .reply = bytes + packet->size,
                                             .reply_size = packet->reply_size}};
    if (rep->current != ring && rep->current != NULL) {
        (void)rep_ring_wait(rep->current, rep->current->fed);
    }
    rep->current = ring;
    rep_ring_feed(ring, &event, true);
    rep_ring_settle(ring);
    return !rep->stop;
}

bool rep_back_play(struct rep_back *back, struct rep *rep)
{
    struct turns turns = {0};
    bool ok = true;
    for (uint32_t i = 0; ok && i < back->gone_count; i++) {
        ok = rep_resource_find(rep, back->gone[i]) == NULL ||
             rep_resource_destroy(rep, back->gone[i]) == SL_OK;
    }
    ok = ok && make_resources(back, rep, false);
    for (uint32_t i = 0; ok && i < back->step_count; i++) {
        struct rep_kept *kept = back->steps[i].is_own ? &back->own : back->to;
        const struct rep_kept_packet *packet = &kept->packets[back->steps[i].packet];
        if (packet->ring_id != 0) {
            ok = play_packet(rep, kept, packet, &turns);
            continue;
        }
        const struct rep_kept_resource *was = rep_kept_resource(kept, packet->resource_id);
        if (rep->current != NULL) { /* it comes from what the packets made */
            ok = rep_ring_wait(rep->current, rep->current->fed);
        }
        ok = ok && was != NULL && make_resource(was, rep);
    }
    if (ok && rep->current != NULL) {
        ok = rep_ring_wait(rep->current, rep->current->fed);
    }
    ok = ok && make_resources(back, rep, true);
    for (uint32_t i = 0; ok && i < back->piece_count; i++) {
        ok = write_piece(back, &back->pieces[i], rep);
    }
    return ok;
}
