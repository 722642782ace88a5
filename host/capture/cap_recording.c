#include "host/capture/cap_recording.h"

#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <sys/random.h>

#define OPEN_NS                                                                                    \
    (30 * SL_NS_PER_MS) /* how long a chunk stays open: with the sweep's period, 50 ms */
#define ASK_NS SL_NS_PER_S

static struct cap_lane lane_of(uint32_t kind)
{
    return (struct cap_lane){.kind = kind};
}

/* --- lanes of all streams --- */

void cap_counts_begin(struct cap_counts *counts)
{
    sl_atomic_store_relaxed_u64(&counts->frames, 0);
    sl_atomic_store_relaxed_u64(&counts->submits, 0);
    sl_atomic_store_relaxed_u64(&counts->begin_ns, sl_clock_ns());
}

static uint64_t began_ns(const struct cap_recording *r)
{
    return sl_atomic_load_relaxed_u64(&r->counts->begin_ns);
}

void cap_recording_over(struct cap_recording *r)
{
    /* As cap_recording_end, which is still to come. */
    if (sl_atomic_exchange(&r->over, CAP_OVER) != CAP_OVER && r->on_over != NULL) {
        r->on_over(r->due_user);
    }
}

bool cap_recording_is_early(const struct cap_recording *r)
{
    const struct cap_counts *c = r->counts;
    if (c == NULL || r->first == 0) {
        return false;
    }
    return (r->unit == CAP_UNIT_NS        ? sl_clock_ns() - began_ns(r)
            : r->unit == CAP_UNIT_SUBMITS ? sl_atomic_load_relaxed_u64(&c->submits)
                                          : sl_atomic_load_relaxed_u64(&c->frames)) < r->first;
}

static void ask(struct cap_recording *r, uint64_t now)
{
    r->asked_ns = now;
    r->on_due(r->due_user);
}

/* A program that completes no frames: its first snapshot is asked for now and then. */
static void ask_without_frame(struct cap_recording *r, uint64_t now)
{
    bool at_frames = r->first != 0 && r->unit != CAP_UNIT_NS;
    bool is_time = now - r->asked_ns >= ASK_NS ||
                   (r->unit == CAP_UNIT_NS && r->asked_ns < began_ns(r) + r->first);
    if (!at_frames && is_time && !cap_recording_is_early(r)) {
        ask(r, now);
    }
}

/* A ring's next part begins at a frame's end, or without one where none comes. */
static void renew(struct cap_recording *r, uint64_t now)
{
    if (!cap_writer_wants_snapshot(r->writer, sl_atomic_load_relaxed_u64(&r->made))) {
        r->wanted_ns = 0;
        return;
    }
    sl_atomic_store_relaxed(&r->is_due, 1);
    r->wanted_ns = r->wanted_ns != 0 ? r->wanted_ns : now;
    if (now - r->wanted_ns >= ASK_NS && now - r->asked_ns >= ASK_NS) {
        ask(r, now);
    }
}

static void look_at_clock(struct cap_recording *r, uint64_t now)
{
    uint32_t over = sl_atomic_load_relaxed(&r->over);
    if (sl_atomic_load_acquire(&r->is_ready) == 0 || over == CAP_OVER) {
        return;
    }
    if (r->unit == CAP_UNIT_NS && cap_recording_is_end(r, now - began_ns(r))) {
        cap_recording_over(r);
    } else if (over == CAP_WAITS) {
        ask_without_frame(r, now);
    } else if (r->is_ring) {
        renew(r, now);
    }
}

static void sweep(void *user)
{
    struct cap_recording *r = user;
    uint64_t now = sl_clock_ns(), before = now - OPEN_NS;
    look_at_clock(r, now);
    if (pthread_mutex_trylock(&r->lock) == 0) { /* its holder may wait for this thread */
        SL_LIST_FOR(link, &r->streams)
        {
            struct cap_stream *s = SL_CONTAINER(link, struct cap_stream, link);
            cap_lane_sweep(&s->calls, before);
            cap_lane_sweep(&s->memory, before);
        }
        pthread_mutex_unlock(&r->lock);
    }
    cap_lane_sweep(&r->verbs, before);
    cap_lane_sweep(&r->verb_memory, before);
    cap_lane_sweep(&r->blobs.lane, before);
    cap_lane_sweep(&r->frames, before);
}

void cap_recording_close(struct cap_lane *lane)
{
    cap_lane_lock(lane);
    cap_lane_close(lane);
    cap_lane_unlock(lane);
}

void cap_recording_close_all(struct cap_recording *r)
{
    pthread_mutex_lock(&r->lock);
    SL_LIST_FOR(link, &r->streams)
    {
        struct cap_stream *stream = SL_CONTAINER(link, struct cap_stream, link);
        cap_recording_close(&stream->memory);
        cap_recording_close(&stream->calls);
    }
    pthread_mutex_unlock(&r->lock);
    cap_recording_close(&r->verb_memory);
    cap_recording_close(&r->blobs.lane);
    cap_recording_close(&r->verbs);
    cap_recording_close(&r->frames);
}

/* --- start and end --- */

bool cap_recording_chunk(struct cap_recording *r, uint32_t kind, const void *bytes, size_t size)
{
    struct cap_buffer *b = size <= CAP_PAYLOAD_MAX ? cap_writer_get(r->writer, size) : NULL;
    if (b == NULL) {
        return false;
    }
    b->kind = kind;
    b->records = 1;
    if (size != 0) {
        memcpy(b->data, bytes, size);
    }
    b->used = size;
    cap_writer_put(r->writer, b);
    return true;
}

static uint32_t file_flags(const struct cap_start *start)
{
    const struct cap_file_header *origin = start->origin;
    uint32_t flags =
        origin != NULL ? CAP_FILE_TRIMMED | (origin->flags & CAP_FILE_NOT_REPLAYABLE) : 0;
    return flags | (start->no_contents ? CAP_FILE_NOT_REPLAYABLE : 0);
}

enum sl_result cap_recording_start(const struct cap_start *start, struct cap_memory *memory,
                                   struct cap_recording **out)
{
    struct cap_recording *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        return SL_ERR_NOMEM;
    }
    r->refs = 1;
    r->memory = memory;
    r->frames_wanted = start->frames;
    r->unit = start->unit;
    r->first = start->first;
    r->end = start->end;
    r->is_ring = start->ring_bytes != 0;
    r->no_contents = start->no_contents;
    cap_memory_begin(memory, start->compares);
    r->snapshot_every = start->snapshot_every;
    r->snapshot_every_ns = start->snapshot_every_ns;
    r->asked_ns = sl_clock_ns();
    r->wants_hashes = start->hashes;
    r->waiting = start->waiting;
    r->user = start->user;
    pthread_mutex_init(&r->lock, NULL);
    sl_list_init(&r->streams);
    if (getrandom(&r->seed, sizeof r->seed, 0) != sizeof r->seed) {
        r->seed = sl_clock_ns();
    }
    r->seed = start->origin != NULL ? start->origin->seed : r->seed;
    /* Before the writer's thread sweeps them. */
    r->verbs = lane_of(CAP_KIND_VERB);
    r->verb_memory = lane_of(CAP_KIND_MEMW);
    r->frames = lane_of(CAP_KIND_FRAM);
    r->blobs = (struct cap_blobs){.lane = lane_of(CAP_KIND_BLOB), .seed = r->seed};
    r->verb_memory.refers = &r->blobs.lane;
    r->verbs.refers = &r->frames;
    const struct cap_writer_options options = {.path = start->path,
                                               .level = start->level,
                                               .durable = start->durable,
                                               .force = start->force,
                                               .needs_calls = start->needs_calls,
                                               .max_size = start->max_size,
                                               .seed = r->seed,
                                               .ring_bytes = start->ring_bytes,
                                               .ring_ns = start->ring_ns,
                                               .file_flags = file_flags(start),
                                               .origin = start->origin,
                                               .extra = &r->extra,
                                               .sweep = sweep,
                                               .user = r};
    enum sl_result result = cap_writer_create(&options, &r->writer);
    if (result != SL_OK) {
        pthread_mutex_destroy(&r->lock);
        sl_free(r);
        return result;
    }
    r->verbs.writer = r->verb_memory.writer = r->frames.writer = r->blobs.lane.writer = r->writer;
    *out = r;
    return SL_OK;
}

struct cap_stream *cap_recording_stream(struct cap_recording *r, uint32_t ring_id)
{
    SL_LIST_FOR(link, &r->streams)
    {
        struct cap_stream *s = SL_CONTAINER(link, struct cap_stream, link);
        if (s->head.ring_id == ring_id) {
            return s;
        }
    }
    return NULL;
}

void cap_recording_freeze(struct cap_recording *r)
{
    sl_atomic_store_seq(&r->over, CAP_OVER);
    cap_memory_settle(r->memory);
}

void cap_recording_end_streams(struct cap_recording *r)
{
    struct sl_list unowned;
    sl_list_init(&unowned);
    pthread_mutex_lock(&r->lock);
    SL_LIST_FOR_SAFE(link, &r->streams)
    {
        struct cap_stream *s = SL_CONTAINER(link, struct cap_stream, link);
        cap_recording_close(&s->memory);
        cap_recording_close(&s->calls);
        if (!s->is_owned) {
            sl_list_remove(&s->link);
            sl_list_add(&unowned, &s->link);
        }
    }
    pthread_mutex_unlock(&r->lock);
    SL_LIST_FOR_SAFE(link, &unowned)
    {
        cap_stream_end(SL_CONTAINER(link, struct cap_stream, link));
    }
}

void cap_recording_end(struct cap_recording *r)
{
    /* Pairs with the loads under lanes' and the memory's lock: whoever takes one of them from now
     * on sees it, and who had one before has put its chunk when it is closed below. */
    sl_atomic_store_seq(&r->over, CAP_OVER);
    cap_memory_settle(r->memory);
    cap_recording_end_streams(r);
    cap_recording_close(&r->verb_memory);
    cap_recording_close(&r->blobs.lane);
    cap_recording_close(&r->verbs);
    cap_recording_close(&r->frames);
}

void cap_recording_unref(struct cap_recording *r)
{
    if (sl_atomic_add(&r->refs, UINT32_MAX) == 1) {
        cap_blobs_finish(&r->blobs);
        pthread_mutex_destroy(&r->lock);
        sl_free(r);
    }
}

/* --- verbs --- */

uint64_t cap_recording_verb(struct cap_recording *r, enum cap_verb verb, const void *body,
                            size_t size, const void *rest, size_t rest_size)
{
    uint64_t stamp = 0;
    cap_lane_lock(&r->verbs);
    if (!cap_recording_is_over(r)) {
        if (verb == CAP_VERB_RESULT) {
            stamp = sl_atomic_load_relaxed_u64(&r->stamp);
        } else {
            stamp = cap_recording_stamp(r);
            (void)sl_atomic_count_u64(&r->others, 1);
            (void)sl_atomic_count_u64(&r->extra.verbs, 1);
        }
        uint8_t *p = cap_lane_begin(&r->verbs, size + rest_size, stamp);
        if (p != NULL) {
            *p++ = (uint8_t)verb;
            p = cap_varint_put(p, stamp - r->verbs.stamp);
            p = cap_varint_put(p, size + rest_size);
            memcpy(p, body, size);
            if (rest_size != 0) {
                memcpy(p + size, rest, rest_size);
            }
            cap_lane_end(&r->verbs, p + size + rest_size, stamp, 1);
        }
    }
    cap_lane_unlock(&r->verbs);
    return stamp;
}

struct cap_memory_sink cap_recording_sink(struct cap_recording *r, struct cap_lane *lane,
                                          uint64_t stamp)
{
    return (struct cap_memory_sink){
        .lane = lane, .blobs = &r->blobs, .extra = &r->extra, .over = &r->over, .stamp = stamp};
}

void cap_recording_search(struct cap_recording *r, uint32_t resource_id, uint64_t stamp)
{
    const struct cap_memory_sink sink = cap_recording_sink(r, &r->verb_memory, stamp);
    if (!r->no_contents) {
        cap_memory_search_one(r->memory, resource_id, &sink);
    }
}

void cap_recording_search_stream(struct cap_stream *s)
{
    const struct cap_memory_sink sink = cap_recording_sink(s->recording, &s->memory, s->stamp);
    if (!s->recording->no_contents) {
        cap_memory_search(s->recording->memory, s->head.ctx_id, &sink);
    }
}
