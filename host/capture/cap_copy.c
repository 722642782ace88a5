#include "host/capture/cap_copy.h"

#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#define TIME_EVERY CAP_SAMPLE

/* A stream of the source. */
struct known {
    struct cap_verb_stream body;
    struct cap_stream *here; /* nullable */
    uint32_t turns;          /* packets since its time was told */
};

void cap_copy_init(struct cap_copy *c, struct cap_recording *to, struct cap_merge *from)
{
    *c = (struct cap_copy){.to = to, .from = from, .cut = UINT64_MAX};
    sl_map_init(&c->streams, SL_MAP_MOST); /* as many as the source has */
    c->texts = (struct cap_lane){.writer = to->writer, .kind = CAP_KIND_TEXT};
}

void cap_copy_finish(struct cap_copy *c)
{
    uint32_t cursor = 0;
    for (struct known *k; (k = sl_map_next(&c->streams, &cursor, NULL)) != NULL;) {
        if (k->here != NULL) {
            k->here->is_owned = false; /* the recording ends it */
        }
        sl_free(k);
    }
    sl_map_finish(&c->streams);
    cap_lane_close(&c->texts);
}

enum sl_result cap_copy_head(struct cap_recording *to, struct cap_reader *reader)
{
    static const uint32_t kinds[] = {CAP_KIND_META, CAP_KIND_PROT, CAP_KIND_CAPS};
    struct cap_payload payload = {0};
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; result == SL_OK && i < reader->chunk_count && i < 3; i++) {
        enum cap_damage_kind why;
        const struct cap_chunk *chunk = &reader->chunks[i];
        bool is_head = false;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            is_head = is_head || chunk->kind == kinds[k];
        }
        if (is_head) {
            result = cap_reader_load(reader, chunk, &payload, &why);
        }
        if (is_head && result == SL_OK &&
            !cap_recording_chunk(to, chunk->kind, payload.data, payload.size)) {
            result = SL_ERR_NOMEM;
        }
    }
    cap_payload_finish(&payload);
    return result;
}

enum sl_result cap_copy_thumb(struct cap_recording *to, struct cap_reader *reader)
{
    struct cap_payload payload = {0};
    enum sl_result result = SL_ERR_NOTFOUND;
    for (uint32_t i = reader->chunk_count; result == SL_ERR_NOTFOUND && i-- != 0;) {
        enum cap_damage_kind why;
        const struct cap_chunk *chunk = &reader->chunks[i];
        if (chunk->kind == CAP_KIND_THUM) {
            result = cap_reader_load(reader, chunk, &payload, &why);
            if (result == SL_OK &&
                !cap_recording_chunk(to, chunk->kind, payload.data, payload.size)) {
                result = SL_ERR_NOMEM;
            }
        }
    }
    cap_payload_finish(&payload);
    return result;
}

/* --- streams --- */

/* A stream of the source, known from its begin or from a packet. NULL: no memory. */
static struct known *know(struct cap_copy *c, const struct cap_verb_stream *body)
{
    uint32_t key = body->stream + 1 != 0 ? body->stream + 1 : 1;
    struct known *k = sl_map_find(&c->streams, key);
    if (k == NULL) {
        k = sl_alloc(sizeof *k);
        if (k == NULL || sl_map_add(&c->streams, key, k) != SL_OK) {
            sl_free(k);
            c->failed = true;
            return NULL;
        }
        k->body = *body;
    }
    return k;
}

static bool read_stream(const struct cap_event *event, struct cap_verb_stream *body)
{
    *body = (struct cap_verb_stream){0};
    if (event->kind == CAP_EVENT_CALL) {
        *body = (struct cap_verb_stream){.stream = event->stream,
                                         .ctx_id = event->call.ctx_id,
                                         .ring_id = event->call.ring_id,
                                         .capset = event->call.capset,
                                         .preamble = event->call.preamble};
        return true;
    }
    bool is_begin = event->kind == CAP_EVENT_VERB && event->verb.verb == CAP_VERB_STREAM_BEGIN;
    if (is_begin) {
        memcpy(body, event->verb.body,
               event->verb.size < sizeof *body ? event->verb.size : sizeof *body);
    }
    return is_begin;
}

void cap_copy_pass(struct cap_copy *c, const struct cap_event *event)
{
    struct cap_verb_stream body;
    if (event->kind == CAP_EVENT_VERB && read_stream(event, &body)) {
        (void)know(c, &body);
    }
}

/* The target's stream, made where there is none. NULL: no memory, or nobody said whose it is. */
static struct cap_stream *stream_here(struct cap_copy *c, struct known *k)
{
    if (k->here != NULL) {
        return k->here;
    }
    const struct cap_call_head head = {.ctx_id = k->body.ctx_id,
                                       .ring_id = k->body.ring_id,
                                       .capset = k->body.capset,
                                       .preamble = k->body.preamble};
    k->here = c->joins ? NULL : cap_recording_stream(c->to, head.ring_id);
    if (k->here == NULL || k->here->is_owned || k->here->head.ctx_id != head.ctx_id) {
        k->here = cap_stream_new(c->to, &head);
    }
    if (k->here == NULL) {
        c->failed = true;
        return NULL;
    }
    k->here->is_owned = true; /* by the source's stream; given back at the end */
    k->here->saved = (struct cap_lane){.writer = c->to->writer,
                                       .kind = CAP_KIND_CALL,
                                       .stream = k->here->calls.stream,
                                       .flags = CAP_CHUNK_SNAPSHOT,
                                       .head = &k->here->head,
                                       .head_size = sizeof k->here->head};
    return k->here;
}

static struct known *stream_of(struct cap_copy *c, const struct cap_event *event)
{
    struct cap_verb_stream body;
    if (!read_stream(event, &body)) {
        body.stream = event->stream;
        return sl_map_find(&c->streams, body.stream + 1 != 0 ? body.stream + 1 : 1);
    }
    return know(c, &body);
}

/* --- records --- */

static uint64_t stamp_of(struct cap_copy *c, const struct cap_event *event)
{
    uint64_t stamp = event->stamp + c->shift;
    if (stamp > c->to->stamp) {
        c->to->stamp = stamp;
    }
    return stamp;
}

/* A chunk that was opened for this record has its time. */
static void set_time(struct cap_lane *lane, uint64_t time)
{
    if (lane->open->used == lane->head_size && lane->open->records == 0) {
        lane->open->time = lane->time = time;
    }
}

/* Room for a record of so many bytes, and the lane's lock until it is put: the target's writer
 * sweeps its lanes. NULL: neither. */
static uint8_t *begin(struct cap_copy *c, struct cap_lane *lane, size_t size, uint64_t stamp,
                      uint64_t time)
{
    cap_lane_lock(lane);
    uint8_t *p =
        cap_lane_begin(lane, size < CAP_LANE_RECORD_MAX ? size : CAP_LANE_RECORD_MAX, stamp);
    if (p == NULL) {
        cap_lane_unlock(lane);
        c->failed = true;
        return NULL;
    }
    set_time(lane, time);
    return p;
}

static void put(struct cap_copy *c, struct cap_lane *lane, uint8_t *p, const void *bytes,
                size_t size, uint64_t stamp, uint32_t count)
{
    if (size <= CAP_LANE_RECORD_MAX) {
        memcpy(p, bytes, size);
        cap_lane_end(lane, p + size, stamp, count);
    } else if (!cap_lane_spill(lane, p, bytes, size, stamp, count)) {
        c->failed = true;
    }
    cap_lane_unlock(lane);
}

static void copy_result(struct cap_copy *c, struct cap_lane *lane,
                        const struct cap_event_call *call, uint64_t start, uint64_t time)
{
    uint64_t stamp = lane->stamp;
    uint8_t *p = begin(c, lane, call->reply_size, stamp, time);
    if (p == NULL) {
        return;
    }
    *p++ =
        (uint8_t)(CAP_CALL_RESULT | (call->has_reply ? CAP_CALL_REPLY : 0) |
                  (call->is_refused ? CAP_CALL_REFUSED : 0) | (call->is_lost ? CAP_CALL_LOST : 0));
    p = cap_varint_put(p, call->end_stamp > start ? call->end_stamp - start : 0);
    if (call->has_reply) {
        p = cap_varint_put(p, call->reply_size);
    }
    put(c, lane, p, call->reply, call->reply_size, stamp, 0);
}

static void copy_call(struct cap_copy *c, const struct cap_event *event)
{
    const struct cap_event_call *call = &event->call;
    struct known *k = stream_of(c, event);
    struct cap_stream *s = k != NULL ? stream_here(c, k) : NULL;
    if (s == NULL) {
        return;
    }
    struct cap_lane *lane = c->in_snapshot ? &s->saved : &s->calls;
    uint64_t stamp = stamp_of(c, event);
    uint8_t *p = begin(c, lane, call->size, stamp, event->time);
    if (p == NULL) {
        return;
    }
    if (!c->in_snapshot && k->turns++ % TIME_EVERY == 0 && event->time >= lane->time) {
        *p++ = CAP_CALL_TIME;
        p = cap_varint_put(p, event->time - lane->time);
        lane->time = event->time;
    }
    *p++ = (uint8_t)(CAP_CALL_PACKET | (call->has_sum ? CAP_CALL_SUM : 0));
    p = cap_varint_put(p, stamp - lane->stamp);
    put(c, lane, p, call->packet, call->size, stamp, 1);
    s->bytes += call->size;
    bool is_over = call->end_stamp <= c->cut || event->stamp == c->cut;
    if (call->has_result && is_over) {
        copy_result(c, lane, call, event->stamp, event->time);
    }
}

static void put_verb(struct cap_copy *c, uint8_t verb, const void *body, size_t size,
                     uint64_t stamp, uint64_t time)
{
    struct cap_lane *lane = c->in_snapshot ? &c->verbs : &c->to->verbs;
    uint8_t *p = begin(c, lane, size, stamp, time);
    if (p == NULL) {
        return;
    }
    *p++ = verb;
    p = cap_varint_put(p, stamp - lane->stamp);
    p = cap_varint_put(p, size);
    put(c, lane, p, body, size, stamp, 1);
}

static void copy_verb(struct cap_copy *c, const struct cap_event *event)
{
    const struct cap_event_verb *v = &event->verb;
    uint64_t stamp = stamp_of(c, event);
    bool is_begin = v->verb == CAP_VERB_STREAM_BEGIN;
    if (is_begin || v->verb == CAP_VERB_STREAM_END) {
        struct known *k;
        struct cap_verb_stream body = {0};
        memcpy(&body, v->body, v->size < sizeof body ? v->size : sizeof body);
        k = know(c, &body);
        struct cap_stream *s = k != NULL ? stream_here(c, k) : NULL;
        if (s != NULL) {
            body = cap_stream_body(s);
            put_verb(c, (uint8_t)v->verb, &body, sizeof body, stamp, event->time);
        }
    } else {
        put_verb(c, (uint8_t)v->verb, v->body, v->size, stamp, event->time);
    }
    if (v->has_result) {
        const struct cap_verb_result body = {.result = v->result, .value = v->value};
        put_verb(c, CAP_VERB_RESULT, &body, sizeof body, stamp, event->time);
    }
    if (!c->in_snapshot) {
        c->to->others++;
        c->to->extra.verbs++;
    }
}

/* The pieces, with contents of our own. */
static enum sl_result put_pieces(struct cap_copy *c, struct cap_event_memory *memory,
                                 uint64_t stamp, struct cap_bytes *bytes, uint64_t *count)
{
    struct cap_piece piece;
    uint64_t end = 0;
    enum sl_result result;
    while ((result = cap_merge_piece(c->from, memory, &piece)) == SL_OK) {
        if (c->skips != NULL && c->skips(c->user, memory->resource_id, &piece)) {
            continue;
        }
        bool by_reference = piece.size >= CAP_PIECE_INLINE, is_new = false;
        uint64_t number = 0;
        if (by_reference &&
            !cap_blobs_put(&c->to->blobs, piece.bytes, piece.size, stamp, &number, &is_new)) {
            return SL_ERR_NOMEM;
        }
        uint8_t *start = cap_bytes_more(bytes, 3 * CAP_VARINT_MAX + CAP_PIECE_INLINE);
        if (start == NULL) {
            return SL_ERR_NOMEM;
        }
        uint8_t *p = cap_varint_put(start, piece.offset - end);
        p = cap_varint_put(p, (uint64_t)piece.size << 1 | by_reference);
        if (by_reference) {
            p = cap_varint_put(p, number);
        } else {
            memcpy(p, piece.bytes, piece.size);
            p += piece.size;
        }
        bytes->size = (size_t)(p - bytes->data);
        end = piece.offset + piece.size;
        struct cap_writer_extra *extra = &c->to->extra;
        extra->write_bytes += piece.size;
        extra->blobs += is_new;
        extra->blob_bytes += is_new ? piece.size : 0;
        extra->shared_bytes += by_reference && !is_new ? piece.size : 0;
        (*count)++;
    }
    return result == SL_ERR_NOTFOUND ? SL_OK : result;
}

static enum sl_result copy_memory(struct cap_copy *c, const struct cap_event *event)
{
    struct cap_event_memory memory = event->memory;
    struct known *k = event->stream != 0 ? stream_of(c, event) : NULL;
    struct cap_stream *s = k != NULL ? stream_here(c, k) : NULL;
    struct cap_lane *lane = c->in_snapshot ? &c->memory
                            : s != NULL    ? &s->memory
                                           : &c->to->verb_memory;
    struct cap_bytes bytes = {0};
    uint64_t stamp = stamp_of(c, event), count = 0;
    enum sl_result result = put_pieces(c, &memory, stamp, &bytes, &count);
    uint8_t *p =
        result == SL_OK && count != 0 ? begin(c, lane, bytes.size, stamp, event->time) : NULL;
    if (p != NULL) {
        p = cap_varint_put(p, stamp - lane->stamp);
        *p++ = (uint8_t)memory.source;
        p = cap_varint_put(p, memory.resource_id);
        p = cap_varint_put(p, count);
        put(c, lane, p, bytes.data, bytes.size, stamp, 1);
        c->to->extra.writes++;
    }
    cap_bytes_finish(&bytes);
    return result;
}

static void copy_frame(struct cap_copy *c, const struct cap_event *event)
{
    struct cap_recording *r = c->to;
    struct cap_frame mark = event->frame;
    struct known *k =
        stream_of(c, &(struct cap_event){.kind = CAP_EVENT_FRAME, .stream = mark.stream});
    struct cap_stream *s = k != NULL ? stream_here(c, k) : NULL;
    mark.stamp = stamp_of(c, event);
    mark.stream = s != NULL ? s->calls.stream : 0;
    uint64_t bytes = cap_recording_bytes(r);
    cap_lane_lock(&r->frames);
    cap_recording_mark(r, &mark, bytes);
    cap_lane_unlock(&r->frames);
}

static void copy_text(struct cap_copy *c, const struct cap_event *event)
{
    const struct cap_event_text *t = &event->text;
    uint64_t stamp = stamp_of(c, event);
    uint8_t *p = begin(c, &c->texts, t->size, stamp, event->time);
    if (p != NULL) {
        p = cap_varint_put(p, stamp - c->texts.stamp);
        *p++ = (uint8_t)t->level;
        p = cap_varint_put(p, t->size);
        put(c, &c->texts, p, t->text, t->size, stamp, 1);
    }
}

void cap_copy_begin(struct cap_copy *c, uint64_t before)
{
    c->shift = c->to->stamp - before;
}

void cap_copy_reset(struct cap_recording *to)
{
    cap_recording_end_streams(to);
    (void)cap_recording_verb(to, CAP_VERB_RESET, "", 0, NULL, 0);
    /* What comes behind is in other lanes of the same streams: in the file, too. */
    cap_recording_close(&to->verb_memory);
    cap_recording_close(&to->verbs);
    cap_recording_close(&to->frames);
}

enum sl_result cap_copy_event(struct cap_copy *c, const struct cap_event *event)
{
    enum sl_result result = SL_OK;
    switch (event->kind) {
    case CAP_EVENT_CALL:
        copy_call(c, event);
        break;
    case CAP_EVENT_VERB:
        copy_verb(c, event);
        break;
    case CAP_EVENT_MEMORY:
        result = copy_memory(c, event);
        break;
    case CAP_EVENT_FRAME:
        copy_frame(c, event);
        break;
    case CAP_EVENT_TEXT:
        copy_text(c, event);
        break;
    }
    return result == SL_OK && c->failed ? SL_ERR_NOMEM : result;
}

/* --- snapshots --- */

static void put_mark(struct cap_copy *c)
{
    c->snapshot.time = cap_writer_time(c->to->writer);
    c->failed =
        !cap_recording_chunk(c->to, CAP_KIND_SNAP, &c->snapshot, sizeof c->snapshot) || c->failed;
}

void cap_copy_snapshot_begin(struct cap_copy *c, enum cap_snapshot_reason reason)
{
    c->in_snapshot = true;
    c->snapshot = (struct cap_snapshot){.mark = CAP_SNAPSHOT_BEGIN,
                                        .reason = reason,
                                        .frame = c->to->frame_count,
                                        .stamp_before = c->to->stamp};
    c->verbs = (struct cap_lane){
        .writer = c->to->writer, .kind = CAP_KIND_VERB, .flags = CAP_CHUNK_SNAPSHOT};
    c->memory = (struct cap_lane){.writer = c->to->writer,
                                  .kind = CAP_KIND_MEMW,
                                  .flags = CAP_CHUNK_SNAPSHOT,
                                  .refers = &c->to->blobs.lane};
    put_mark(c);
}

void cap_copy_snapshot_end(struct cap_copy *c)
{
    uint32_t cursor = 0;
    for (struct known *k; (k = sl_map_next(&c->streams, &cursor, NULL)) != NULL;) {
        if (k->here != NULL) {
            cap_lane_close(&k->here->saved);
        }
    }
    cap_lane_close(&c->memory);
    cap_lane_close(&c->verbs);
    c->in_snapshot = false;
    c->snapshot.mark = CAP_SNAPSHOT_END;
    c->snapshot.stamp = c->to->stamp;
    c->to->others += c->snapshot.stamp - c->snapshot.stamp_before;
    c->to->frame_others = c->to->others;
    c->to->last_mark.stamp = c->to->stamp;
    put_mark(c);
}
