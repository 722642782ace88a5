/* A snapshot of the live device: the records that lead from nothing to what lives now. */
#include "host/capture/cap_snapshot_priv.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define REST_NS  (500 * SL_NS_PER_MS) /* how long rings may take to come to rest */
#define SLICE_NS (100 * SL_NS_PER_US)
#define AGAIN_NS (200 * SL_NS_PER_MS) /* how long a program is left alone after one that failed */

/* --- records --- */

static uint64_t next_stamp(struct cap_saving *s)
{
    s->records++;
    return cap_recording_stamp(s->recording);
}

void cap_saving_verb(struct cap_saving *s, enum cap_verb verb, const void *body, size_t size,
                     const void *rest, size_t rest_size)
{
    uint64_t stamp = next_stamp(s);
    uint8_t *p = cap_lane_begin(&s->verbs, size + rest_size, stamp);
    if (p == NULL) {
        s->failed = true;
        return;
    }
    *p++ = (uint8_t)verb;
    p = cap_varint_put(p, stamp - s->verbs.stamp);
    p = cap_varint_put(p, size + rest_size);
    memcpy(p, body, size);
    if (rest_size != 0) {
        memcpy(p + size, rest, rest_size);
    }
    cap_lane_end(&s->verbs, p + size + rest_size, stamp, 1);
}

void cap_saving_memory(struct cap_saving *s, uint32_t resource_id)
{
    if (!s->recording->no_contents) {
        const struct cap_memory_sink sink =
            cap_recording_sink(s->recording, &s->memory, next_stamp(s));
        cap_memory_whole(&s->device->memory, resource_id, &sink);
    }
}

static void put_call(struct cap_saving *s, struct cap_stream *stream, const void *packet,
                     size_t size, bool sum)
{
    struct cap_lane *lane = &stream->saved;
    uint64_t stamp = next_stamp(s);
    bool is_whole = size <= CAP_LANE_RECORD_MAX;
    uint8_t *p = cap_lane_begin(lane, is_whole ? size : CAP_LANE_RECORD_MAX, stamp);
    if (p == NULL) {
        s->failed = true;
        return;
    }
    *p++ = (uint8_t)(CAP_CALL_PACKET | (sum ? CAP_CALL_SUM : 0));
    p = cap_varint_put(p, stamp - lane->stamp);
    if (is_whole) {
        memcpy(p, packet, size);
        cap_lane_end(lane, p + size, stamp, 1);
    } else if (!cap_lane_spill(lane, p, packet, size, stamp, 1)) {
        s->failed = true;
    }
}

/* It was over when the next record came, with this reply or without one. */
static void put_outcome(struct cap_saving *s, struct cap_stream *stream, const void *reply,
                        size_t size)
{
    struct cap_lane *lane = &stream->saved;
    bool is_whole = size <= CAP_LANE_RECORD_MAX;
    uint8_t *p = cap_lane_begin(lane, is_whole ? size : CAP_LANE_RECORD_MAX, lane->stamp);
    if (p == NULL) {
        s->failed = true;
        return;
    }
    *p++ = (uint8_t)(CAP_CALL_RESULT | (size != 0 ? CAP_CALL_REPLY : 0));
    p = cap_varint_put(p, 0);
    if (size == 0) {
        cap_lane_end(lane, p, lane->stamp, 0);
        return;
    }
    p = cap_varint_put(p, size);
    if (is_whole) {
        memcpy(p, reply, size);
        cap_lane_end(lane, p + size, lane->stamp, 0);
    } else if (!cap_lane_spill(lane, p, reply, size, lane->stamp, 0)) {
        s->failed = true;
    }
}

/* --- streams --- */

static void open_lane(struct cap_saving *s, struct cap_lane *lane, uint32_t kind)
{
    *lane = (struct cap_lane){
        .writer = s->recording->writer, .kind = kind, .flags = CAP_CHUNK_SNAPSHOT};
}

static void begin_stream(struct cap_saving *s, struct cap_stream *stream)
{
    const struct cap_verb_stream body = cap_stream_body(stream);
    open_lane(s, &stream->saved, CAP_KIND_CALL);
    stream->has_waiting = false;
    stream->saved.stream = body.stream;
    stream->saved.head = &stream->head;
    stream->saved.head_size = sizeof stream->head;
    cap_saving_verb(s, CAP_VERB_STREAM_BEGIN, &body, sizeof body, NULL, 0);
}

/* The first word of a ring's stream. False: it has no such ring, or it did not come yet. */
static bool find_preamble(struct cap_saving *s, uint32_t ring_id, uint32_t *preamble)
{
    struct vgd *inner = s->device->inner;
    struct vgd_ring_stats stats;
    for (uint32_t i = 0; inner->ops->ring_stats(inner, s->ctx_id, i, &stats) == SL_OK; i++) {
        if (stats.resource_id == ring_id) {
            *preamble = stats.preamble;
            return true;
        }
    }
    return false;
}

/* The ring's stream; one that was not recorded so far has one from now on. */
static enum sl_result get_stream(struct cap_saving *s, uint32_t ring_id, struct cap_stream **out)
{
    struct cap_recording *r = s->recording;
    pthread_mutex_lock(&r->lock);
    *out = cap_recording_stream(r, ring_id);
    pthread_mutex_unlock(&r->lock);
    if (*out != NULL) {
        return (*out)->head.ctx_id == s->ctx_id ? SL_OK : SL_ERR_INVALID;
    }
    struct cap_call_head head = {.ctx_id = s->ctx_id, .ring_id = ring_id, .capset = s->capset};
    if (!find_preamble(s, ring_id, &head.preamble)) {
        return SL_ERR_INVALID;
    }
    *out = cap_stream_new(r, &head);
    if (*out == NULL) {
        return SL_ERR_NOMEM;
    }
    begin_stream(s, *out);
    return SL_OK;
}

/* --- contexts --- */

static enum sl_result on_packet(void *user, uint32_t ring_id, const void *packet, size_t size,
                                const void *reply, size_t reply_size)
{
    struct cap_saving *s = user;
    struct cap_stream *stream;
    enum sl_result result = get_stream(s, ring_id, &stream);
    if (result != SL_OK) {
        return result;
    }
    if (size < 8 || sl_load_u32((const uint8_t *)packet + 4) != size) {
        return SL_ERR_INVALID;
    }
    put_call(s, stream, packet, size, false);
    /* Vulkan's packets are over late: what comes behind may need what they made. */
    if (reply != NULL || s->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN) {
        put_outcome(s, stream, reply, reply != NULL ? reply_size : 0);
    }
    return s->failed ? SL_ERR_NOMEM : SL_OK;
}

static enum sl_result on_waiting(void *user, uint32_t ring_id, const void *packet, size_t size)
{
    struct cap_saving *s = user;
    struct cap_stream *stream;
    enum sl_result result = get_stream(s, ring_id, &stream);
    if (result == SL_OK) {
        put_call(s, stream, packet, size, false);
        stream->has_waiting = true;
        result = s->failed ? SL_ERR_NOMEM : SL_OK;
    }
    return result;
}

static void on_did(void *user, uint32_t ring_id, const void *packet, size_t size, const void *reply,
                   size_t reply_size)
{
    struct cap_saving *s = user;
    const struct cap_done done = {ring_id, size, reply_size};
    uint8_t *p = cap_bytes_more(&s->did, sizeof done + size + reply_size);
    if (p == NULL) {
        s->failed = true;
        return;
    }
    memcpy(p, &done, sizeof done);
    memcpy(p + sizeof done, packet, size);
    if (reply_size != 0) {
        memcpy(p + sizeof done + size, reply, reply_size);
    }
}

/* Calls of the recording itself, if it takes any: as if the rings' guests had sent them now. The
 * rings stand, and none that was told of inside a packet. */
static void put_done(struct cap_saving *s)
{
    struct cap_recording *r = s->recording;
    struct cap_done done;
    for (size_t at = 0; at < s->did.size; at += sizeof done + done.size + done.reply_size) {
        const uint8_t *p = s->did.data + at;
        memcpy(&done, p, sizeof done);
        pthread_mutex_lock(&r->lock);
        struct cap_stream *stream = cap_recording_stream(r, done.ring_id);
        pthread_mutex_unlock(&r->lock);
        if (stream != NULL) {
            const struct vgd_outcome outcome = {.reply = p + sizeof done + done.size,
                                                .reply_size = done.reply_size};
            cap_stream_packet(stream, p + sizeof done, done.size, false);
            cap_stream_outcome(stream, &outcome);
        }
    }
    cap_bytes_finish(&s->did);
}

static enum sl_result on_resource(void *user, uint32_t resource_id)
{
    struct cap_saving *s = user;
    struct cap_seen *what = sl_map_find(&s->device->resources, resource_id);
    if (what == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (!what->is_saved) {
        cap_saving_whole(s, resource_id, what);
    }
    return s->failed ? SL_ERR_NOMEM : SL_OK;
}

/* What its packets have made and nobody has named. */
static void make_rest_of(struct cap_saving *s)
{
    uint32_t cursor = 0;
    uint64_t id;
    for (struct cap_seen *what;
         (what = sl_map_next(&s->device->resources, &cursor, &id)) != NULL;) {
        if (!what->is_saved && what->blob.ctx_id == s->ctx_id) {
            cap_saving_whole(s, (uint32_t)id, what);
        }
    }
}

static enum sl_result save_context(struct cap_saving *s, const struct cap_step *step)
{
    const struct vgd_saver saver = {.user = s,
                                    .packet = on_packet,
                                    .resource = on_resource,
                                    .waiting = on_waiting,
                                    .did = on_did,
                                    .is_last = s->is_last};
    struct vgd *inner = s->device->inner;
    s->ctx_id = step->ctx_id;
    s->capset = step->what->context.capset;
    enum sl_result result = inner->ops->ctx_save(inner, step->ctx_id, &saver);
    if (result == SL_ERR_DEVICE_LOST) {
        return SL_OK; /* nothing that it had is used any more */
    }
    if (result != SL_OK) {
        sl_warn_limited("capture", "context %u (%s) cannot be saved: %s", step->ctx_id,
                        step->what->context.name, sl_result_name(result));
        return result;
    }
    make_rest_of(s);
    return SL_OK;
}

static void put_shown(struct cap_saving *s)
{
    const struct cap_device *d = s->device;
    for (uint32_t i = 0; i < VGD_SCANOUTS; i++) {
        if (d->scanouts[i].resource_id != 0 &&
            sl_map_find(&d->resources, d->scanouts[i].resource_id) != NULL) {
            cap_saving_verb(s, CAP_VERB_SCANOUT_SET, &d->scanouts[i], sizeof d->scanouts[i], NULL,
                            0);
        }
        if (d->cursors[i].resource_id != 0 &&
            sl_map_find(&d->resources, d->cursors[i].resource_id) != NULL) {
            cap_saving_verb(s, CAP_VERB_CURSOR_SET, &d->cursors[i], sizeof d->cursors[i], NULL, 0);
        }
    }
}

/* --- one snapshot --- */

static void put_mark(struct cap_saving *s, const struct cap_snapshot *mark)
{
    s->failed = !cap_recording_chunk(s->recording, CAP_KIND_SNAP, mark, sizeof *mark) || s->failed;
}

/* The rings stand: their streams are ours. */
static void begin_streams(struct cap_saving *s)
{
    struct cap_recording *r = s->recording;
    SL_LIST_FOR(link, &r->streams)
    {
        begin_stream(s, SL_CONTAINER(link, struct cap_stream, link));
    }
}

/* What rings wait in that another recorder watches. False: no memory. */
static bool put_waiting(struct cap_saving *s)
{
    struct cap_recording *r = s->recording;
    struct cap_waiting waiting;
    uint32_t cursor = 0;
    while (r->waiting != NULL && r->waiting(r->user, &cursor, &waiting)) {
        const struct cap_seen *ring = sl_map_find(&s->device->resources, waiting.ring_id);
        const struct cap_seen *context =
            ring != NULL ? sl_map_find(&s->device->contexts, ring->ring_ctx) : NULL;
        struct cap_stream *stream;
        if (context == NULL) {
            continue; /* it went with its ring */
        }
        s->ctx_id = ring->ring_ctx;
        s->capset = context->context.capset;
        if (get_stream(s, waiting.ring_id, &stream) != SL_OK) {
            return false;
        }
        if (!stream->has_waiting) {
            put_call(s, stream, waiting.packet, waiting.size, waiting.has_sum);
        }
    }
    return !s->failed;
}

static void end_streams(struct cap_saving *s)
{
    struct cap_recording *r = s->recording;
    SL_LIST_FOR(link, &r->streams)
    {
        struct cap_stream *stream = SL_CONTAINER(link, struct cap_stream, link);
        if (stream->packet != NULL && !s->failed) {
            if (!stream->has_waiting) {
                put_call(s, stream, stream->packet, stream->packet_size, stream->packet_sum);
            }
            if (sl_atomic_load_relaxed(&r->over) == CAP_WAITS) {
                stream->stamp = stream->saved.stamp; /* its result will be told */
            }
        }
        cap_lane_close(&stream->saved);
    }
}

static enum sl_result write_all(struct cap_saving *s)
{
    struct cap_steps steps = {0};
    enum sl_result result = cap_steps_gather(s->device, &steps) ? SL_OK : SL_ERR_NOMEM;
    for (size_t i = 0; result == SL_OK && i < steps.count; i++) {
        cap_step_do(s, &steps.items[i]);
    }
    if (result == SL_OK) {
        begin_streams(s);
    }
    for (size_t i = 0; result == SL_OK && i < steps.count; i++) {
        if (steps.items[i].kind == CAP_STEP_CONTEXT) {
            result = save_context(s, &steps.items[i]);
        }
    }
    if (result == SL_OK) {
        put_shown(s);
        result = put_waiting(s) ? SL_OK : SL_ERR_NOMEM;
    }
    sl_free(steps.items);
    return result == SL_OK && s->failed ? SL_ERR_NOMEM : result;
}

static enum sl_result save(struct cap_saving *s, enum cap_snapshot_reason reason)
{
    struct cap_device *d = s->device;
    struct cap_recording *r = s->recording;
    uint64_t begin = sl_clock_ns();
    bool waits = sl_atomic_load_relaxed(&r->over) == CAP_WAITS;
    struct cap_snapshot mark = {.mark = CAP_SNAPSHOT_BEGIN,
                                .reason = waits ? CAP_SNAPSHOT_START : reason,
                                .frame = r->frame_count,
                                .stamp_before = sl_atomic_load_relaxed_u64(&r->stamp)};
    if (!waits && !r->no_contents) {
        const struct cap_memory_sink sink =
            cap_recording_sink(r, &r->verb_memory, mark.stamp_before + 1);
        cap_memory_search_all(&d->memory, &sink);
    }
    cap_recording_close_all(r); /* what is on its way lies before the snapshot */
    if (r->is_ring) {
        cap_blobs_restart(&r->blobs); /* and may go before what comes */
    }
    mark.time = cap_writer_time(r->writer);
    put_mark(s, &mark);
    open_lane(s, &s->verbs, CAP_KIND_VERB);
    open_lane(s, &s->memory, CAP_KIND_MEMW);
    s->memory.refers = &r->blobs.lane;
    enum sl_result result = write_all(s);
    end_streams(s);
    cap_lane_close(&s->memory);
    cap_lane_close(&s->verbs);
    (void)sl_atomic_count_u64(&r->others, s->records);
    mark.mark = result == SL_OK ? CAP_SNAPSHOT_END : CAP_SNAPSHOT_FAILED;
    mark.stamp = sl_atomic_load_relaxed_u64(&r->stamp);
    put_mark(s, &mark);
    if (result == SL_OK) {
        (void)sl_atomic_count_u64(&r->made, 1);
        if (waits || r->is_ring) {
            cap_recording_want_thumb(r);
        }
    }
    sl_info("capture", "snapshot before frame %llu: %llu records, %.1f ms: %s",
            (unsigned long long)mark.frame, (unsigned long long)s->records,
            (double)(sl_clock_ns() - begin) / 1e6, sl_result_name(result));
    return result;
}

static bool come_to_rest(struct cap_device *d)
{
    uint64_t begin = sl_clock_ns();
    while (!d->inner->ops->rest(d->inner, true)) {
        if (sl_clock_ns() - begin > REST_NS) {
            return false;
        }
        sl_clock_sleep_ns(SLICE_NS);
    }
    return true;
}

/* The bit is set. */
static enum sl_result try_snapshot(struct cap_device *d, enum cap_snapshot_reason reason)
{
    struct cap_recording *r = d->recording;
    bool is_over = r == NULL || sl_atomic_load_relaxed(&r->over) == CAP_OVER;
    bool waits = r != NULL && sl_atomic_load_relaxed(&r->over) == CAP_WAITS;
    enum sl_result result = is_over ? SL_ERR_NOTFOUND : SL_ERR_AGAIN;
    struct cap_saving s = {.device = d, .recording = r, .is_last = reason == CAP_SNAPSHOT_TRIM};
    uint64_t begin = sl_clock_ns();
    if (!is_over && come_to_rest(d)) {
        result = save(&s, reason);
    }
    if (!is_over) { /* rings stood still for those that failed, too */
        (void)sl_atomic_count_u64(&r->extra.snapshots, result == SL_OK);
        (void)sl_atomic_count_u64(&r->extra.snapshot_ns, sl_clock_ns() - begin);
    }
    if (result == SL_OK) {
        sl_atomic_store_relaxed(&r->is_due, 0);
        uint32_t was = CAP_WAITS;
        if (waits && sl_atomic_cas(&r->over, &was, CAP_TAKES)) {
            cap_lane_lock(&r->frames);
            if (r->first == 0) { /* what was waited for is not part of it */
                cap_counts_begin(&d->counts);
            }
            r->last_mark.stamp = sl_atomic_load_relaxed_u64(&r->stamp);
            r->frame_others = sl_atomic_load_relaxed_u64(&r->others);
            cap_lane_unlock(&r->frames);
        }
    } else if (!is_over) {
        d->tries++;
        cap_lane_lock(&r->frames);
        r->not_before_ns = sl_clock_ns() + AGAIN_NS;
        cap_lane_unlock(&r->frames);
        sl_warn_limited("capture", "no snapshot yet: %s",
                        result == SL_ERR_AGAIN ? "a ring does not come to rest"
                                               : sl_result_name(result));
    }
    put_done(&s);
    (void)__atomic_fetch_and(d->rest, ~VGD_EPOCH_REST, __ATOMIC_SEQ_CST);
    (void)d->inner->ops->rest(d->inner, false);
    return result;
}

void cap_device_poll(struct cap_device *d)
{
    (void)sl_fd_drain(d->due_fd);
    if (sl_atomic_exchange(&d->is_over, 0) != 0 && d->recording != NULL && d->over != NULL) {
        d->over(d->over_user);
        if ((sl_atomic_load_seq(&d->epoch) & VGD_EPOCH_REST) == 0) { /* they stood for it */
            (void)d->inner->ops->rest(d->inner, false);
        }
    }
    if ((sl_atomic_load_seq(&d->epoch) & VGD_EPOCH_REST) != 0) {
        (void)try_snapshot(d, CAP_SNAPSHOT_PERIOD);
    }
}

enum sl_result cap_device_snapshot(struct cap_device *d, enum cap_snapshot_reason reason)
{
    (void)__atomic_fetch_or(d->rest, VGD_EPOCH_REST, __ATOMIC_SEQ_CST);
    return try_snapshot(d, reason);
}
