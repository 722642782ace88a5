/* What a ring's thread calls: packets, what became of them, memory, frames. */
#include "host/capture/cap_recording.h"

#include "host/capture/cap_thumb.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* First frames show little: behind so many there is another look. */
enum { THUMB_AGAIN = 30 };

struct cap_verb_stream cap_stream_body(const struct cap_stream *s)
{
    return (struct cap_verb_stream){.stream = s->calls.stream,
                                    .ctx_id = s->head.ctx_id,
                                    .ring_id = s->head.ring_id,
                                    .capset = s->head.capset,
                                    .preamble = s->head.preamble};
}

struct cap_stream *cap_stream_new(struct cap_recording *r, const struct cap_call_head *head)
{
    struct cap_stream *s = sl_alloc(sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->recording = r;
    s->head = *head;
    s->head.head_size = sizeof s->head;
    sl_atomic_add(&r->refs, 1); /* the caller has one; orders nothing */
    s->calls = (struct cap_lane){.writer = r->writer,
                                 .kind = CAP_KIND_CALL,
                                 .head = &s->head,
                                 .head_size = sizeof s->head,
                                 .refers = &r->frames};
    s->memory =
        (struct cap_lane){.writer = r->writer, .kind = CAP_KIND_MEMW, .refers = &r->blobs.lane};
    pthread_mutex_lock(&r->lock);
    s->calls.stream = s->memory.stream = ++r->stream_count;
    sl_list_add(&r->streams, &s->link);
    pthread_mutex_unlock(&r->lock);
    return s;
}

/* What a snapshot made for the ring. */
static struct cap_stream *adopt(struct cap_recording *r, const struct cap_call_head *head)
{
    pthread_mutex_lock(&r->lock);
    struct cap_stream *s = cap_recording_stream(r, head->ring_id);
    s = s != NULL && !s->is_owned && s->head.ctx_id == head->ctx_id ? s : NULL;
    if (s != NULL) {
        s->is_owned = true;
    }
    pthread_mutex_unlock(&r->lock);
    return s;
}

struct cap_stream *cap_stream_begin(struct cap_recording *r, const struct cap_call_head *head)
{
    struct cap_stream *s = adopt(r, head);
    if (s != NULL) {
        return s;
    }
    s = cap_stream_new(r, head);
    if (s != NULL) {
        s->is_owned = true;
        const struct cap_verb_stream body = cap_stream_body(s);
        (void)cap_recording_verb(r, CAP_VERB_STREAM_BEGIN, &body, sizeof body, NULL, 0);
    }
    return s;
}

void cap_stream_end(void *stream)
{
    struct cap_stream *s = stream;
    struct cap_recording *r = s->recording;
    const struct cap_verb_stream body = cap_stream_body(s);
    (void)cap_recording_verb(r, CAP_VERB_STREAM_END, &body, sizeof body, NULL, 0);
    pthread_mutex_lock(&r->lock);
    sl_list_remove(&s->link);
    pthread_mutex_unlock(&r->lock);
    cap_lane_lock(&s->memory);
    cap_lane_close(&s->memory);
    cap_lane_unlock(&s->memory);
    cap_lane_lock(&s->calls);
    if (s->calls.open != NULL) {
        s->calls.open->ends_stream = true;
    }
    cap_lane_close(&s->calls);
    cap_lane_unlock(&s->calls);
    sl_free(s);
    cap_recording_unref(r);
}

/* --- packets --- */

static uint8_t *put_time(struct cap_lane *lane, uint8_t *p, uint64_t now)
{
    *p++ = CAP_CALL_TIME;
    p = cap_varint_put(p, now > lane->time ? now - lane->time : 0);
    lane->time = now > lane->time ? now : lane->time;
    return p;
}

static void put_packet(struct cap_stream *s, const void *packet, size_t size, uint64_t stamp,
                       bool sum, bool timed)
{
    struct cap_lane *lane = &s->calls;
    bool is_whole = size <= CAP_LANE_RECORD_MAX;
    s->stamp = stamp;
    uint8_t *p = cap_lane_begin(lane, is_whole ? size : CAP_LANE_RECORD_MAX, stamp);
    if (p == NULL) {
        return;
    }
    if (SL_UNLIKELY(timed)) {
        p = put_time(lane, p, cap_writer_time(lane->writer));
    }
    *p++ = (uint8_t)(CAP_CALL_PACKET | (sum ? CAP_CALL_SUM : 0));
    p = cap_varint_put(p, stamp - lane->stamp);
    if (SL_LIKELY(is_whole)) {
        memcpy(p, packet, size);
        cap_lane_end(lane, p + size, stamp, 1);
    } else {
        (void)cap_lane_spill(lane, p, packet, size, stamp, 1);
    }
    /* A counter of this thread's; read for the frames' sizes. */
    __atomic_store_n(&s->bytes, s->bytes + size, __ATOMIC_RELAXED);
}

void cap_stream_packet(void *stream, const void *packet, size_t size, bool sum)
{
    struct cap_stream *s = stream;
    bool timed = s->turns++ % CAP_SAMPLE == 0;
    uint64_t begin = timed ? sl_clock_ns() : 0;
    s->packet = packet;
    s->packet_size = size;
    s->packet_sum = sum;
    cap_lane_lock(&s->calls);
    if (!cap_recording_is_over(s->recording)) {
        put_packet(s, packet, size, cap_recording_stamp(s->recording), sum, timed);
    }
    cap_lane_unlock(&s->calls);
    s->sampled_ns = begin;
    if (timed) {
        (void)sl_atomic_count_u64(&s->recording->extra.tap_ns,
                                  (sl_clock_ns() - begin) * CAP_SAMPLE);
    }
}

/* One lock, and their stamps at once. */
void cap_stream_packets(void *stream, const void *first, size_t size)
{
    struct cap_stream *s = stream;
    const uint8_t *end = (const uint8_t *)first + size;
    uint32_t count = 0;
    for (const uint8_t *p = first; p != end; p += sl_load_u32(p + 4)) {
        count++;
    }
    s->turns += count;
    cap_lane_lock(&s->calls);
    if (!cap_recording_is_over(s->recording)) {
        uint64_t stamp = sl_atomic_count_u64(&s->recording->stamp, count);
        for (const uint8_t *p = first; p != end; p += sl_load_u32(p + 4)) {
            put_packet(s, p, sl_load_u32(p + 4), ++stamp, false, false);
        }
    }
    cap_lane_unlock(&s->calls);
}

static void put_outcome(struct cap_stream *s, const struct vgd_outcome *o)
{
    struct cap_lane *lane = &s->calls;
    size_t size = o->reply_size;
    /* A chunk that begins with it says the next stamp that can come. */
    uint8_t *p =
        cap_lane_begin(lane, size < CAP_LANE_RECORD_MAX ? size : CAP_LANE_RECORD_MAX, s->stamp + 1);
    if (p == NULL) {
        return;
    }
    *p++ = (uint8_t)(CAP_CALL_RESULT | (size != 0 ? CAP_CALL_REPLY : 0) |
                     (o->refused ? CAP_CALL_REFUSED : 0) | (o->lost ? CAP_CALL_LOST : 0));
    p = cap_varint_put(p, sl_atomic_load_relaxed_u64(&s->recording->stamp) - s->stamp);
    if (size != 0) {
        p = cap_varint_put(p, size);
    }
    if (size == 0) {
        cap_lane_end(lane, p, lane->stamp, 0);
    } else if (size <= CAP_LANE_RECORD_MAX) {
        memcpy(p, o->reply, size);
        cap_lane_end(lane, p + size, lane->stamp, 0);
    } else {
        (void)cap_lane_spill(lane, p, o->reply, size, lane->stamp, 0);
    }
}

void cap_stream_outcome(void *stream, const struct vgd_outcome *outcome)
{
    struct cap_stream *s = stream;
    uint64_t begin = SL_UNLIKELY(s->sampled_ns != 0) ? sl_clock_ns() : 0;
    s->packet = NULL;
    if (outcome->reply_size != 0 || outcome->refused || outcome->lost) {
        cap_lane_lock(&s->calls);
        if (!cap_recording_is_over(s->recording)) {
            put_outcome(s, outcome);
        }
        cap_lane_unlock(&s->calls);
    }
    if (SL_UNLIKELY(begin != 0)) {
        uint64_t now = sl_clock_ns();
        struct cap_writer_extra *extra = &s->recording->extra;
        (void)sl_atomic_count_u64(&extra->tap_ns, (now - begin) * CAP_SAMPLE);
        (void)sl_atomic_count_u64(&extra->decode_ns, (now - s->sampled_ns) * CAP_SAMPLE);
    }
}

/* Under the frames' lock, or behind a submit: the one with this number (from 0) was seen. */
static void look_at_end(struct cap_recording *r, enum cap_unit unit, uint64_t number)
{
    if (r->unit == unit && cap_recording_is_end(r, number + 1)) {
        cap_recording_over(r);
    }
}

/* A submit begins: its packet was taken. */
void cap_stream_memory(void *stream)
{
    struct cap_stream *s = stream;
    struct cap_recording *r = s->recording;
    cap_recording_search_stream(s);
    if (r->counts == NULL || r->unit != CAP_UNIT_SUBMITS) {
        return;
    }
    uint64_t number = sl_atomic_count_u64(&r->counts->submits, 1);
    look_at_end(r, CAP_UNIT_SUBMITS, number);
    if (sl_atomic_load_relaxed(&r->over) == CAP_WAITS && number + 1 >= r->first &&
        r->on_due != NULL) {
        r->on_due(r->due_user); /* the snapshot stands behind this one */
    }
}

/* --- frames --- */

uint64_t cap_recording_bytes(struct cap_recording *r)
{
    uint64_t bytes = 0;
    pthread_mutex_lock(&r->lock);
    SL_LIST_FOR(link, &r->streams)
    {
        bytes += sl_atomic_load_relaxed_u64(&SL_CONTAINER(link, struct cap_stream, link)->bytes);
    }
    pthread_mutex_unlock(&r->lock);
    return bytes;
}

/* Behind a frame that was recorded; under the frames' lock. */
static bool is_period_over(struct cap_recording *r, uint64_t time)
{
    if (r->snapshot_every_ns != 0) {
        bool is_over = time - r->due_time >= r->snapshot_every_ns;
        r->due_time = is_over ? time : r->due_time;
        return is_over;
    }
    return r->snapshot_every != 0 && r->frame_count % r->snapshot_every == 0;
}

void cap_recording_mark(struct cap_recording *r, const struct cap_frame *mark, uint64_t bytes)
{
    struct cap_lane *lane = &r->frames;
    uint8_t *p = cap_lane_begin(lane, sizeof *mark, mark->stamp);
    if (p == NULL) {
        return;
    }
    memcpy(p, mark, sizeof *mark);
    cap_lane_end(lane, p + sizeof *mark, mark->stamp, 1);
    uint64_t others = sl_atomic_load_relaxed_u64(&r->others);
    uint64_t stamps = mark->stamp - r->last_mark.stamp, verbs = others - r->frame_others;
    const struct cap_index_frame frame = {.mark = *mark,
                                          .calls = stamps > verbs ? stamps - verbs : 0,
                                          .bytes =
                                              bytes > r->frame_bytes ? bytes - r->frame_bytes : 0};
    cap_writer_frame(r->writer, &frame);
    r->last_mark = *mark;
    r->frame_others = others;
    r->frame_bytes = bytes;
    /* Read by the device thread, too, for people. */
    __atomic_store_n(&r->frame_count, r->frame_count + 1, __ATOMIC_RELAXED);
    if (r->frame_count == r->frames_wanted) {
        cap_recording_over(r);
    } else if (is_period_over(r, mark->time)) {
        sl_atomic_store_relaxed(&r->is_due, 1); /* until it was made */
    }
}

void cap_recording_want_thumb(struct cap_recording *r)
{
    if (r->wants_pixel != NULL) { /* orders nothing: a frame late is fine */
        sl_atomic_store_relaxed(&r->wants_thumb, 1);
        sl_atomic_store_relaxed(r->wants_pixel, 1);
    }
}

/* A frame came with pixels, number `frame`. */
static void put_thumb(struct cap_recording *r, const struct vgd_frame *frame, uint64_t number)
{
    struct cap_bytes bytes = {0};
    if (sl_atomic_exchange(&r->wants_thumb, 0) == 0) {
        return;
    }
    if (!r->wants_hashes) {
        sl_atomic_store_relaxed(r->wants_pixel, 0);
    }
    if (cap_thumb_make(frame->pixels, frame->width_px, frame->height_px, number, &bytes)) {
        (void)cap_recording_chunk(r, CAP_KIND_THUM, bytes.data, bytes.size); /* else without */
    }
    cap_bytes_finish(&bytes);
}

/* Behind a frame; under the frames' lock. */
static bool is_snapshot_due(struct cap_recording *r)
{
    bool waits = sl_atomic_load_relaxed(&r->over) == CAP_WAITS;
    if (waits && (cap_recording_is_early(r) || (r->unit == CAP_UNIT_SUBMITS && r->first != 0))) {
        return false;
    }
    return (waits || sl_atomic_load_relaxed(&r->is_due) != 0) && sl_clock_ns() >= r->not_before_ns;
}

void cap_stream_frame(void *stream, const struct vgd_frame *frame)
{
    struct cap_stream *s = stream;
    struct cap_recording *r = s->recording;
    struct cap_frame mark = {
        .stream = s->calls.stream,
        .surface = frame->blob_id != 0 ? (uint32_t)frame->blob_id : frame->surface,
        .width_px = frame->width_px,
        .height_px = frame->height_px,
        .kind = frame->kind == VGD_FRAME_PRESENT ? CAP_FRAME_PRESENT : CAP_FRAME_FLUSH};
    if (r->wants_hashes && frame->pixels != NULL) {
        XXH128_hash_t hash =
            XXH3_128bits(frame->pixels, (size_t)frame->width_px * frame->height_px * 4);
        mark.hash[0] = hash.low64;
        mark.hash[1] = hash.high64;
        mark.flags |= CAP_FRAME_HASH;
    }
    if (frame->blob_id != 0) {
        cap_memory_pass(r->memory, s->head.ctx_id, frame->blob_id);
    }
    uint64_t bytes = cap_recording_bytes(r);
    cap_lane_lock(&r->frames);
    uint64_t number = r->counts != NULL ? sl_atomic_count_u64(&r->counts->frames, 1) : 0;
    if (!cap_recording_is_over(r)) {
        mark.time = cap_writer_time(r->writer);
        /* Two streams may end frames at once, in the other order than they began to. */
        mark.stamp = s->stamp > r->last_mark.stamp ? s->stamp : r->last_mark.stamp;
        cap_recording_mark(r, &mark, bytes);
        if (r->frame_count == THUMB_AGAIN) {
            cap_recording_want_thumb(r);
        }
        if (frame->pixels != NULL) {
            put_thumb(r, frame, r->frame_count - 1);
        }
    }
    look_at_end(r, CAP_UNIT_FRAMES, number);
    bool is_due = is_snapshot_due(r);
    cap_lane_unlock(&r->frames);
    if (is_due && r->on_due != NULL) {
        r->on_due(r->due_user);
    }
}
