/* slStaged: a packet that lacks a run of its bytes, or whose reply's bytes go elsewhere: they lie
 * in memory that the guest shares. While nobody listens the handler works on that memory itself; a
 * tap and a recorder get packet and reply as they are without it, and the handler gets the same. */
#include "host/ring/ring_priv.h"

#include "transport/base/arith.h"
#include "transport/base/clock.h"
#include "transport/base/copy.h"

#include <string.h>

/* So much stays in a core's own cache until the driver has copied it. */
#define TOUCHED_MAX 524288u

void hr_ring_stage(struct hr_ring *ring, void *memory, uint64_t size)
{
    ring->stage_size = size;
    __atomic_store_n(&ring->stage, memory, __ATOMIC_RELEASE); /* pairs with stage_of */
}

/* The memory that the command names; NULL: the guest has not shared so much. */
static uint8_t *stage_of(const struct hr_ring *r, const struct hr_staged *s)
{
    uint8_t *stage = __atomic_load_n(&r->stage, __ATOMIC_ACQUIRE); /* pairs with hr_ring_stage */
    return stage != NULL && sl_region_fits(s->offset, s->size, r->stage_size) ? stage + s->offset
                                                                              : NULL;
}

/* Where the packet goes; NULL: it is none that can be staged so. */
static const struct hr_route *route_of_staged(const struct hr_ring *r, const struct hr_staged *s,
                                              uint32_t *index)
{
    if (s->bytes < HR_HEADER || s->at > s->bytes || (s->at != 0 && s->at < HR_HEADER) ||
        s->size == 0 || s->size > HR_PACKET_MAX - s->bytes) {
        return NULL;
    }
    if (sl_load_u32(s->packet + 4) != s->bytes + (s->at != 0 ? s->size : 0)) {
        return NULL;
    }
    const struct hr_route *route = hr_route_of(r, sl_load_u32(s->packet), index);
    bool may = route != NULL && route->family->may_stage != NULL &&
               route->family->may_stage[*index] != 0 && route->handlers[*index] != NULL;
    return may ? route : NULL;
}

/* The packet with all of its bytes, in memory of our own; NULL: there is none. */
static const uint8_t *make_whole(struct hr_ring *r, const struct hr_staged *s, const uint8_t *stage)
{
    size_t length = (size_t)s->bytes + s->size;
    if (length > r->whole_capacity) {
        uint8_t *more = sl_realloc(r->whole, length);
        if (more == NULL) {
            return NULL;
        }
        r->whole = more;
        r->whole_capacity = length;
    }
    memcpy(r->whole, s->packet, s->at);
    sl_copy_shared(r->whole + s->at, stage, s->size);
    memcpy(r->whole + s->at + s->size, s->packet + s->at, s->bytes - s->at);
    return r->whole;
}

static void run(struct hr_call *call, hr_handler handler, const uint8_t *packet, size_t length)
{
    call->in.cur = packet + HR_HEADER;
    call->in.end = packet + length;
    handler(call);
}

/* The handler has a driver copy the bytes. */
static void run_copy(struct hr_call *call, hr_handler handler, const struct hr_staged *s,
                     uint8_t *stage)
{
    struct hr_ring *r = call->ring;
    const struct sl_staged staged = {.at = s->packet + s->at, .data = stage, .size = s->size};
    bool may = s->size <= TOUCHED_MAX && !asg_reader_is_near(&r->reader);
    bool timed = may && hr_touch_timed(&r->touch, s->size);
    uint64_t begin = timed ? sl_clock_ns() : 0;
    call->in.staged = &staged;
    if (may && !r->touch.off) {
        sl_touch_shared(stage, s->size);
    }
    run(call, handler, s->packet, s->bytes);
    if (timed) {
        hr_touch_learn(&r->touch, s->size, sl_clock_ns() - begin);
    }
}

/* Bytes that the packet lacks. */
static void run_in(struct hr_ring *r, struct hr_call *call, hr_handler handler,
                   const struct hr_staged *s, uint8_t *stage, bool tapped)
{
    const uint8_t *packet = s->packet;
    uint32_t length = s->bytes;
    if (tapped) {
        packet = make_whole(r, s, stage);
        length += s->size;
        if (packet == NULL) {
            hr_call_violate(call, "no memory to record %u bytes", length);
            return;
        }
        hr_before_packet(r, packet, length, false);
        run(call, handler, packet, length);
    } else {
        run_copy(call, handler, s, stage);
    }
    if (tapped || call->refused || r->reply.size != 0 || r->reply.failed) {
        hr_after_packet(r, call, false, packet, length, false, tapped);
    }
}

/* Bytes of the reply: in their place a word is sent, whether they are there. */
static void run_out(struct hr_ring *r, struct hr_call *call, hr_handler handler,
                    const struct hr_staged *s, uint8_t *stage, bool tapped)
{
    struct sl_reply *reply = &r->reply;
    bool there;
    if (tapped) {
        hr_before_packet(r, s->packet, s->bytes, false);
        run(call, handler, s->packet, s->bytes);
        hr_tell_packet(r, call, s->packet, s->bytes);
        there = reply->size == s->size && !reply->failed;
        if (there) {
            memcpy(stage, reply->data, s->size);
        }
    } else {
        reply->stage = stage;
        reply->stage_size = s->size;
        run(call, handler, s->packet, s->bytes);
        there = reply->stage == NULL;
        reply->stage = NULL;
    }
    reply->size = 0;
    reply->failed = false;
    uint8_t *word = sl_reply_room(reply, sizeof(uint32_t));
    if (word != NULL) {
        sl_store_u32(word, there && !call->refused);
    }
    hr_send_reply(r, false);
    reply->size = 0;
    reply->failed = false;
}

void hr_call_staged(struct hr_call *call, const struct hr_staged *s)
{
    struct hr_ring *r = call->ring;
    uint8_t *stage = stage_of(r, s);
    uint32_t index = 0;
    const struct hr_route *route = route_of_staged(r, s, &index);
    if (stage == NULL || route == NULL || r->checksum) {
        hr_call_violate(call, "%u bytes at %u of %u: %s", s->size, s->offset, s->bytes,
                        stage == NULL ? "no such memory is shared" : "no packet for it");
        return;
    }
    struct hr_call inner = {.reply = call->reply,
                            .user = route->user,
                            .ring = r,
                            .opcode = sl_load_u32(s->packet),
                            .in.arena = call->in.arena,
                            .next = call->next,
                            .more = call->next};
    bool tapped = r->is_tapped || r->stream != NULL;
    (s->at != 0 ? run_in : run_out)(r, &inner, route->handlers[index], s, stage, tapped);
    if (!r->fed) {
        asg_reader_staged(&r->reader);
    }
}
