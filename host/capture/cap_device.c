#include "host/capture/cap_device_priv.h"

#include "transport/base/bytes.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* --- what the rings call --- */

/* The recording, counted, or NULL. */
static struct cap_recording *get_recording(struct cap_device *d)
{
    pthread_mutex_lock(&d->lock);
    struct cap_recording *r = d->recording;
    if (r != NULL) {
        sl_atomic_add(&r->refs, 1); /* orders nothing */
    }
    pthread_mutex_unlock(&d->lock);
    return r;
}

static void *on_begin(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t preamble)
{
    struct cap_device *d = user;
    struct cap_call_head head = {.ctx_id = ctx_id, .ring_id = ring_id, .preamble = preamble};
    struct cap_recording *r = get_recording(d);
    struct cap_stream *stream = NULL;
    pthread_mutex_lock(&d->lock);
    const struct cap_seen *context = sl_map_find(&d->contexts, ctx_id);
    bool is_known = context != NULL && context->recording == d->recordings;
    head.capset = is_known ? context->context.capset : 0;
    pthread_mutex_unlock(&d->lock);
    if (r != NULL && is_known) {
        stream = cap_stream_begin(r, &head);
        if (stream == NULL) {
            sl_error("capture", "context %u, ring %u: no memory: it is not recorded", ctx_id,
                     ring_id);
        }
    }
    if (r != NULL) {
        cap_recording_unref(r);
    }
    return stream;
}

/* --- the sink between the device and its front --- */

static void on_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    struct cap_device *d = user;
    if (sl_atomic_load_relaxed(&d->epoch) != 0) { /* a look; get_recording knows */
        struct cap_recording *r = get_recording(d);
        if (r != NULL) {
            const struct cap_verb_fence body = {.ctx_id = ctx_id, .ring = ring, .id = id};
            (void)cap_recording_verb(r, CAP_VERB_FENCE_DONE, &body, sizeof body, NULL, 0);
            cap_recording_unref(r);
        }
    }
    d->front.fence_done(d->front.user, ctx_id, ring, id);
}

static void on_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    struct cap_device *d = user;
    struct cap_recording *r = get_recording(d);
    if (r != NULL) {
        const struct cap_verb_ctx body = {.ctx_id = ctx_id};
        (void)cap_recording_verb(r, CAP_VERB_CTX_LOST, &body, sizeof body, reason, strlen(reason));
        cap_recording_unref(r);
        pthread_mutex_lock(&d->lock);
        void (*lost)(void *, uint32_t) = d->recording != NULL ? d->lost : NULL;
        void *lost_user = d->over_user;
        pthread_mutex_unlock(&d->lock);
        if (lost != NULL) {
            lost(lost_user, ctx_id);
        }
    }
    d->front.ctx_lost(d->front.user, ctx_id, reason);
}

static void on_wake(void *user)
{
    struct cap_device *d = user;
    d->front.wake(d->front.user);
}

static void on_packet(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode,
                      const void *packet, size_t size, const void *reply, size_t reply_size)
{
    struct cap_device *d = user;
    d->front.packet(d->front.user, ctx_id, ring_id, opcode, packet, size, reply, reply_size);
}

static void on_scanout(void *user, uint32_t scanout_id, uint32_t width_px, uint32_t height_px)
{
    struct cap_device *d = user;
    d->front.scanout(d->front.user, scanout_id, width_px, height_px);
}

static void on_damage(void *user, uint32_t scanout_id, const struct vg_box *box)
{
    struct cap_device *d = user;
    d->front.damage(d->front.user, scanout_id, box);
}

static void on_cursor(void *user, uint32_t scanout_id, const struct vgd_cursor *cursor)
{
    struct cap_device *d = user;
    d->front.cursor(d->front.user, scanout_id, cursor);
}

struct vgd_sink cap_device_sink(struct cap_device *d)
{
    return (struct vgd_sink){
        .user = d,
        .fence_done = on_fence_done,
        .wake = on_wake,
        .ctx_lost = on_ctx_lost,
        .packet = d->front.packet != NULL ? on_packet : NULL,
        .recorder = d->front.recorder != NULL ? d->front.recorder : &d->recorder,
        .scanout = d->front.scanout != NULL ? on_scanout : NULL,
        .damage = d->front.damage != NULL ? on_damage : NULL,
        .cursor = d->front.cursor != NULL ? on_cursor : NULL,
    };
}

/* --- recordings --- */

/* The replies to capability queries. */
static bool put_caps(struct cap_device *d, struct cap_recording *r)
{
    struct cap_bytes bytes = {0};
    const struct vgd_ops *ops = d->inner->ops;
    bool ok = true;
    for (uint32_t i = 0; ok && i < ops->capset_count(d->inner); i++) {
        struct vgd_capset_info info;
        size_t used = 0;
        if (ops->capset_info(d->inner, i, &info) != SL_OK || info.max_size > CAP_PIECE_BYTES) {
            continue;
        }
        size_t padded = (info.max_size + 7u) & ~(size_t)7;
        uint8_t *p = cap_bytes_more(&bytes, sizeof(struct cap_caps_head) + padded);
        ok = p != NULL;
        if (ok) {
            struct cap_caps_head head = {.capset = info.id, .version = info.max_version};
            memset(p + sizeof head, 0, padded);
            if (ops->capset_get(d->inner, info.id, info.max_version, p + sizeof head, info.max_size,
                                &used) == SL_OK) {
                head.size = (uint32_t)(used < info.max_size ? used : info.max_size);
            }
            memcpy(p, &head, sizeof head);
            bytes.size -= padded - ((head.size + 7u) & ~(size_t)7);
        }
    }
    ok = ok && cap_recording_chunk(r, CAP_KIND_CAPS, bytes.data, bytes.size);
    cap_bytes_finish(&bytes);
    return ok;
}

static bool put_protocol(struct cap_recording *r, const struct cap_start *start)
{
    struct cap_bytes bytes = {0};
    XXH128_hash_t hash = XXH3_128bits(start->protocol, start->protocol_size);
    struct cap_prot_head head = {.json_size = (uint32_t)start->protocol_size};
    sl_store_u64(head.hash, hash.low64);
    sl_store_u64(head.hash + 8, hash.high64);
    uint8_t *p = cap_bytes_more(&bytes, sizeof head + start->protocol_size);
    bool ok = p != NULL;
    if (ok) {
        memcpy(p, &head, sizeof head);
        memcpy(p + sizeof head, start->protocol, start->protocol_size);
        ok = cap_recording_chunk(r, CAP_KIND_PROT, bytes.data, bytes.size);
    }
    cap_bytes_finish(&bytes);
    return ok;
}

/* A snapshot is due: the rings come to rest, and the device thread makes it. Any thread. */
static void on_due(void *user)
{
    struct cap_device *d = user;
    uint32_t epoch = sl_atomic_load_seq(&d->epoch);
    while (epoch != 0 && (epoch & VGD_EPOCH_REST) == 0) {
        if (sl_atomic_cas(&d->epoch, &epoch, epoch | VGD_EPOCH_REST)) {
            sl_fd_signal(d->due_fd);
            return;
        }
    }
}

/* This recording knows all that lives. */
static void take_in(struct cap_device *d, const struct sl_map *map)
{
    uint32_t cursor = 0;
    for (struct cap_seen *what; (what = sl_map_next(map, &cursor, NULL)) != NULL;) {
        what->recording = d->recordings;
    }
}

/* Any thread. */
static void on_over(void *user)
{
    struct cap_device *d = user;
    sl_atomic_store_seq(&d->is_over, 1);
    if (d->more) {
        on_due(d);
    }
    sl_fd_signal(d->due_fd);
}

enum sl_result cap_device_start(struct cap_device *d, const struct cap_start *start)
{
    struct cap_recording *r;
    if (d->recording != NULL) {
        return SL_ERR_INVALID;
    }
    enum sl_result result = cap_recording_start(start, &d->memory, &r);
    if (result != SL_OK) {
        return result;
    }
    if (start->meta != NULL &&
        (!cap_recording_chunk(r, CAP_KIND_META, start->meta, strlen(start->meta)) ||
         (start->protocol_size != 0 && !put_protocol(r, start)) || !put_caps(d, r))) {
        sl_warn("capture", "no memory for the head of the recording: it says less of itself");
    }
    bool waits = d->contexts.live + d->resources.live + start->first != 0;
    if (start->counts_anew || d->recordings == 0) {
        cap_counts_begin(&d->counts);
    }
    r->counts = &d->counts;
    r->wants_pixel = d->front.recorder == NULL ? &d->wants_pixel : NULL;
    r->on_due = on_due;
    r->on_over = on_over;
    r->due_user = d;
    d->over = start->over;
    d->more = start->more;
    d->tries = 0;
    sl_atomic_store_seq(&r->over, waits ? CAP_WAITS : CAP_TAKES);
    sl_atomic_store_release(&r->is_ready, 1); /* pairs with the sweep's load */
    pthread_mutex_lock(&d->lock);
    d->lost = start->lost;
    d->over_user = start->over_user;
    d->recording = r;
    d->recordings = d->recordings % VGD_EPOCH_MAX + 1;
    take_in(d, &d->contexts);
    take_in(d, &d->resources);
    pthread_mutex_unlock(&d->lock);
    sl_atomic_store_relaxed(&d->wants_pixel, start->hashes); /* looked at where a stream is */
    if (!waits) {
        cap_recording_want_thumb(r);
    }
    /* What was counted before may have been all that lies before it. */
    bool is_due = waits && start->first != 0 && !cap_recording_is_early(r);
    /* Pairs with the rings' loads: the recording lies before it. */
    sl_atomic_store_release(&d->epoch, d->recordings | (is_due ? VGD_EPOCH_REST : 0));
    if (is_due) {
        sl_fd_signal(d->due_fd);
    }
    return SL_OK;
}

bool cap_device_is_waiting(const struct cap_device *d, uint64_t *tries)
{
    *tries = d->tries;
    return d->recording != NULL && sl_atomic_load_relaxed(&d->recording->over) == CAP_WAITS;
}

void cap_device_flush(struct cap_device *d)
{
    if (d->recording != NULL) {
        cap_recording_close_all(d->recording);
        cap_writer_flush(d->recording->writer);
    }
}

struct cap_recording *cap_device_recording(struct cap_device *d)
{
    return d->recording;
}

bool cap_device_is_recording(const struct cap_device *d)
{
    return d->recording != NULL;
}

uint64_t cap_device_frames(struct cap_device *d, bool *over)
{
    struct cap_recording *r = d->recording;
    *over = r != NULL &&
            (sl_atomic_load_relaxed(&r->over) == CAP_OVER || cap_writer_stopped(r->writer) != 0);
    return r != NULL ? sl_atomic_load_relaxed_u64(&r->frame_count) : 0;
}

struct cap_recording *cap_device_release(struct cap_device *d)
{
    pthread_mutex_lock(&d->lock);
    struct cap_recording *r = d->recording;
    d->recording = NULL;
    pthread_mutex_unlock(&d->lock);
    if (r != NULL) {
        cap_recording_end(r);
        cap_memory_restart(&d->memory);
        sl_atomic_store_seq(&d->is_over, 0); /* that it was over is not said of the next one */
    }
    return r;
}

void cap_device_complete(struct cap_recording *r, enum cap_end_reason reason, uint32_t exit_status,
                         struct cap_writer_report *report)
{
    cap_writer_finish(r->writer, reason, exit_status, report);
    cap_recording_unref(r);
}

/* NULL: there is none. */
static struct cap_recording *stop(struct cap_device *d)
{
    if (d->recording != NULL) {
        /* At one moment for all rings, before any of them is let go: what one takes that is still
         * recorded may wait for a turn of one that is not any more. */
        cap_recording_freeze(d->recording);
    }
    sl_atomic_store_release(&d->epoch, 0); /* the rings end their streams when they look again */
    sl_atomic_store_relaxed(&d->wants_pixel, 0);
    return cap_device_release(d);
}

void cap_device_abandon(struct cap_device *d)
{
    struct cap_recording *r = stop(d);
    if (r != NULL) {
        cap_writer_abandon(r->writer);
        cap_recording_unref(r);
    }
}

enum sl_result cap_device_stop(struct cap_device *d, enum cap_end_reason reason,
                               uint32_t exit_status, struct cap_writer_report *report)
{
    struct cap_recording *r = stop(d);
    if (r == NULL) {
        return SL_ERR_NOTFOUND;
    }
    cap_device_complete(r, reason, exit_status, report);
    return SL_OK;
}

/* --- its life --- */

enum sl_result cap_device_create(const struct vgd_sink *front, struct cap_device **out)
{
    struct cap_device *d = sl_alloc(sizeof *d);
    if (d == NULL) {
        return SL_ERR_NOMEM;
    }
    d->due_fd = -1;
    enum sl_result result = sl_fd_event(&d->due_fd);
    if (result != SL_OK) {
        sl_free(d);
        return result;
    }
    d->vgd.ops = &cap_device_ops;
    d->front = *front;
    d->recorder = (struct vgd_recorder){.user = d,
                                        .epoch = &d->epoch,
                                        .wants_pixel = &d->wants_pixel,
                                        .order = &d->named,
                                        .begin = on_begin,
                                        .packet = cap_stream_packet,
                                        .packets = cap_stream_packets,
                                        .outcome = cap_stream_outcome,
                                        .memory = cap_stream_memory,
                                        .frame = cap_stream_frame,
                                        .end = cap_stream_end};
    /* A recorder's epoch is const for rings; its owner is this very front. */
    d->rest = front->recorder != NULL ? (uint32_t *)(uintptr_t)front->recorder->epoch : &d->epoch;
    d->memory.saves_all = front->recorder != NULL;
    pthread_mutex_init(&d->named, NULL);
    pthread_mutex_init(&d->lock, NULL);
    cap_memory_init(&d->memory);
    sl_map_init(&d->contexts, CAP_WATCHED_MAX);
    sl_map_init(&d->resources, CAP_WATCHED_MAX);
    *out = d;
    return SL_OK;
}

void cap_device_destroy(struct cap_device *d)
{
    struct cap_writer_report report;
    if (d == NULL) {
        return;
    }
    cap_device_stop(d, CAP_END_ASKED, 0, &report); /* NOTFOUND: somebody did */
    cap_device_forget(d);
    cap_memory_finish(&d->memory);
    sl_map_finish(&d->contexts);
    sl_map_finish(&d->resources);
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->named);
    sl_fd_close(&d->due_fd);
    sl_free(d);
}

struct vgd *cap_device_wrap(struct cap_device *d, struct vgd *inner)
{
    d->inner = inner;
    return &d->vgd;
}
