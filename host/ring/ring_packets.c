#include "host/ring/ring_priv.h"

#include "transport/base/atomic.h"

void hr_look_at_recorder(struct hr_ring *r, bool over)
{
    const struct vgd_recorder *recorder = r->config.recorder;
    if (SL_LIKELY(recorder == NULL)) {
        return;
    }
    /* Pairs with the recorder's switch: what begin needs lies before it. */
    uint32_t epoch = over ? 0 : sl_atomic_load_acquire(recorder->epoch);
    if (SL_LIKELY(epoch == r->epoch)) {
        return;
    }
    if ((epoch & VGD_EPOCH_REST) != 0) {
        hr_rest_here(&r->rest);
        epoch = sl_atomic_load_acquire(recorder->epoch) & ~VGD_EPOCH_REST;
        if (epoch == r->epoch) {
            return;
        }
    }
    if (r->stream != NULL) {
        recorder->end(r->stream);
        r->stream = NULL;
    }
    r->epoch = epoch;
    if (epoch != 0) {
        r->stream =
            recorder->begin(recorder->user, r->config.ctx_id, r->config.ring_id, r->preamble);
    }
}

/* Checksum v1 of a packet: the last 8 of its bytes. */
static bool sum_matches(struct hr_ring *r, const uint8_t *packet, uint32_t length)
{
    if (length < HR_HEADER + HR_SUM) {
        hr_violation(r, "packet of %u bytes has no room for its checksum", length);
        return false;
    }
    const uint8_t *sum = packet + length - HR_SUM;
    uint32_t count = r->sums_in++;
    if (sl_load_u32(sum) != sl_sum_word(length - HR_SUM) || sl_load_u32(sum + 4) != count) {
        hr_violation(r, "checksum of packet %u does not match", count);
        return false;
    }
    return true;
}

void hr_send_reply(struct hr_ring *r, bool sum)
{
    struct sl_reply *reply = &r->reply;
    if (sum && !reply->failed) {
        uint32_t covered = (uint32_t)reply->size;
        uint8_t *p = sl_reply_room(reply, HR_SUM);
        if (p != NULL) {
            sl_store_u32(p, sl_sum_word(covered));
            sl_store_u32(p + 4, r->sums_out++);
        }
    }
    if (reply->failed) {
        hr_violation(r, "a reply needs more than %u bytes", HR_REPLY_MAX);
        return;
    }
    enum sl_result result = SL_OK;
    if (!r->fed) {
        result = asg_reader_reply(&r->reader, reply->data, reply->size);
    } else if (r->config.reply != NULL) {
        r->config.reply(r->config.user, reply->data, reply->size);
    }
    hr_set_u64(&r->stats.replies, r->stats.replies + 1);
    if (result != SL_OK && result != SL_ERR_CLOSED) {
        hr_violation(r, "sending a reply of %zu bytes: %s", reply->size, sl_result_name(result));
    }
}

/* Has the command a reply where all its outputs are NULL? */
static bool always_replies(const struct hr_route *route, uint32_t index)
{
    const uint8_t *has_reply = route->family->has_reply;
    return has_reply != NULL && has_reply[index] != 0;
}

void hr_tell_packet(struct hr_ring *r, const struct hr_call *call, const uint8_t *packet,
                    uint32_t length)
{
    const struct sl_reply *reply = &r->reply;
    if (r->stream != NULL) {
        r->config.recorder->outcome(r->stream, &(struct vgd_outcome){.reply = reply->data,
                                                                     .reply_size = reply->size,
                                                                     .refused = call->refused,
                                                                     .lost = r->over});
    }
    if (r->is_tapped) {
        r->config.tap(r->config.user, r, call->opcode, packet, length, reply->data, reply->size);
    }
}

void hr_after_packet(struct hr_ring *r, struct hr_call *call, bool sum_alone, const uint8_t *packet,
                     uint32_t length, bool sum, bool tapped)
{
    struct sl_reply *reply = &r->reply;
    bool replies = reply->size != 0 || reply->failed || sum_alone;
    if (tapped) {
        hr_tell_packet(r, call, packet, length);
    }
    if (replies && !r->over) {
        hr_send_reply(r, sum);
    }
    reply->size = 0;
    reply->failed = false;
    call->refused = false;
}

/* Whoever is told of packets takes those that run along. */
static bool may_join(const struct hr_ring *r)
{
    return !r->is_tapped && r->stream != NULL && r->config.recorder->packets != NULL;
}

/* What a command that is recorded must hold while it runs. NULL: nothing. */
static pthread_mutex_t *order_of(const struct hr_ring *r, const struct hr_route *route,
                                 uint32_t opcode)
{
    bool shares =
        r->stream != NULL && route->family->shares != NULL && route->family->shares(opcode);
    return shares ? r->config.recorder->order : NULL;
}

/* Runs the packets that are complete in [begin, end). One body, two instances: plain and tapped,
 * which is for the live tap and the recorder. */
static inline __attribute__((always_inline)) void run_packets(struct hr_ring *r, bool tapped)
{
    struct hr_call call = {.reply = &r->reply, .ring = r};
    const uint8_t *packet = r->data + r->begin, *end = r->data + r->end;
    uint64_t packets = 0;
    call.in.arena = &r->arena;
    while (end - packet >= HR_HEADER) {
        uint32_t opcode = sl_load_u32(packet);
        uint32_t length = sl_load_u32(packet + 4);
        if (SL_UNLIKELY(length < HR_HEADER || length > HR_PACKET_MAX)) {
            hr_violation(r, "packet length %u of opcode %u is out of range", length, opcode);
            break;
        }
        if (length > (size_t)(end - packet)) {
            break;
        }
        uint32_t index;
        const struct hr_route *route = hr_route_of(r, opcode, &index);
        if (SL_UNLIKELY(route == NULL)) {
            hr_violation(r, "unknown opcode %u", opcode);
            break;
        }
        bool sum = r->checksum;
        if (SL_UNLIKELY(sum) && !sum_matches(r, packet, length)) {
            break;
        }
        call.opcode = opcode;
        call.user = route->user;
        call.in.cur = packet + HR_HEADER;
        call.in.end = packet + length - (sum ? HR_SUM : 0);
        call.in.failed = false;
        call.next = packet + length;
        call.more = sum || (tapped && !may_join(r)) ? call.next : end; /* each by itself */
        hr_handler handler = route->handlers[index];
        bool whole = !tapped || opcode != r->config.staged_opcode;
        pthread_mutex_t *order = tapped ? order_of(r, route, opcode) : NULL;
        if (tapped && order != NULL) {
            pthread_mutex_lock(order);
        }
        if (tapped && whole) {
            hr_before_packet(r, packet, length, sum);
        }
        if (SL_LIKELY(handler != NULL)) {
            handler(&call);
        } else {
            hr_call_refuse(&call, "not offered");
        }
        if (tapped && order != NULL) {
            pthread_mutex_unlock(order);
        }
        packets++;
        if (SL_UNLIKELY((tapped && whole) || sum || call.refused || r->reply.size != 0 ||
                        r->reply.failed)) {
            hr_after_packet(r, &call, sum && always_replies(route, index), packet, length, sum,
                            tapped);
        }
        packet = call.next;
        if (r->arena.total != 0) {
            sl_arena_reset(&r->arena);
        }
        if (SL_UNLIKELY(r->over)) {
            break;
        }
        if (tapped && hr_rest_is_wanted(&r->rest)) {
            r->is_cut = true;
            break;
        }
    }
    r->begin = (size_t)(packet - r->data);
    hr_set_u64(&r->stats.packets, r->stats.packets + packets + call.joined);
}

static void run_plain(struct hr_ring *r)
{
    run_packets(r, false);
}

static void run_tapped(struct hr_ring *r)
{
    run_packets(r, true);
}

void hr_run_batch(struct hr_ring *r)
{
    do {
        r->is_cut = false;
        /* Pairs with the switch of the tap in the device; a batch late is fine. */
        r->is_tapped = r->config.tap_on != NULL && sl_atomic_load_relaxed(r->config.tap_on) != 0;
        hr_look_at_recorder(r, false);
        (r->is_tapped || r->stream != NULL ? run_tapped : run_plain)(r);
    } while (SL_UNLIKELY(r->is_cut));
}
