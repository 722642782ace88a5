/* The trace from its start to its end, one record after the other. */
#include "host/replay/rep_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

/* From the last snapshot before the first frame that is wanted, or from the file's start. */
static enum sl_result make_merge(struct rep *rep)
{
    struct cap_merge_snapshot *snapshots = NULL;
    const struct cap_merge_snapshot *start = NULL;
    uint32_t count = 0;
    enum sl_result result = SL_OK;
    if (rep->options.first_frame != 0) {
        result = cap_merge_snapshots(rep->reader, &snapshots, &count);
    }
    for (uint32_t i = 0; i < count; i++) {
        start = snapshots[i].mark.frame <= rep->options.first_frame ? &snapshots[i] : start;
    }
    if (result == SL_OK && start != NULL && start->mark.frame != 0) {
        rep->frame = start->mark.frame;
        result = cap_merge_create_at(rep->reader, start->begin, &rep->merge);
    } else if (result == SL_OK) {
        result = cap_merge_create(rep->reader, &rep->merge);
    }
    sl_free(snapshots);
    return result;
}

enum sl_result rep_create(struct cap_reader *reader, const struct rep_options *options,
                          struct rep **out)
{
    struct rep *rep = sl_alloc(sizeof *rep);
    if (rep == NULL) {
        return SL_ERR_NOMEM;
    }
    *rep = (struct rep){.options = *options, .reader = reader, .epoch = 1};
    rep->recorder = rep_ring_recorder(rep);
    sl_map_init(&rep->resources, REP_RESOURCES);
    sl_map_init(&rep->fence_sets, REP_CONTEXTS);
    pthread_mutex_init(&rep->lock, NULL);
    rep->recorded = sl_alloc_array(REP_FENCES, sizeof *rep->recorded);
    enum sl_result result = rep->recorded != NULL ? make_merge(rep) : SL_ERR_NOMEM;
    if (result == SL_OK) {
        result = rep_memory_look(rep);
    }
    if (result != SL_OK) {
        rep_destroy(rep);
        return result;
    }
    *out = rep;
    return SL_OK;
}

static void on_wake(void *user)
{
    (void)user; /* waits poll the device all the time */
}

static void on_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    (void)user, (void)ctx_id, (void)reason; /* its rings tell */
}

struct vgd_sink rep_sink(struct rep *rep)
{
    return (struct vgd_sink){.user = rep,
                             .fence_done = rep_fence_done,
                             .wake = on_wake,
                             .ctx_lost = on_ctx_lost,
                             .recorder = &rep->recorder};
}

void rep_destroy(struct rep *rep)
{
    if (rep == NULL) {
        return;
    }
    uint32_t cursor = 0;
    uint64_t key;
    struct rep_resource *resource;
    while ((resource = sl_map_next(&rep->resources, &cursor, &key)) != NULL) {
        rep_resource_free(rep, resource);
    }
    cursor = 0;
    while (sl_map_next(&rep->fence_sets, &cursor, &key) != NULL) {
        rep_gpu_forget(rep, (uint32_t)key);
    }
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        if (rep->rings[i] != NULL && rep->rings[i] != &rep->no_ring) {
            rep_ring_free(rep->rings[i]);
        }
    }
    sl_map_finish(&rep->resources);
    sl_map_finish(&rep->fence_sets);
    cap_merge_destroy(rep->merge);
    rep_order_finish(&rep->order);
    pthread_mutex_destroy(&rep->lock);
    sl_free(rep->recorded);
    sl_free(rep->configs);
    sl_free(rep->patched);
    sl_free(rep);
}

void rep_diverged(struct rep *rep, const struct rep_answer *answer)
{
    if (rep->options.diverged != NULL && !rep->options.diverged(rep->options.user, answer)) {
        rep->report->end = REP_END_ASKED;
        rep->stop = true;
    }
}

void rep_stuck(struct rep *rep, uint64_t stamp)
{
    rep->report->end = REP_END_STUCK;
    rep->report->stuck_call = stamp;
    rep->stop = true;
}

/* --- records --- */

/* A command whose effects other rings may see, or that depends on theirs: it told something, or
 * names what is shared. */
static bool is_edge(const struct cap_event_call *call)
{
    uint32_t opcode = sl_load_u32(call->packet);
    bool is_render_control = opcode >= 10000 && opcode < 11000;
    return call->capset != VIRTGPU_CAPSET_GFXSTREAM_VULKAN &&
           (call->has_result || is_render_control || rep_names_shared(opcode));
}

/* A loop's: it would name anew what is there, or end what the next round needs. */
static bool is_of_names(const struct rep *rep, uint32_t opcode)
{
    return (rep->is_again && (rep_only_names(opcode) || rep_makes_staying(opcode))) ||
           (rep->keeps_staying && rep_ends_staying(opcode));
}

static void play_call(struct rep *rep, const struct cap_event *event)
{
    struct rep_ring *ring = rep_ring_find(rep, event->call.ring_id);
    if (ring == NULL || is_of_names(rep, sl_load_u32(event->call.packet)) ||
        (rep->options.skips_call != NULL && rep->options.skips_call(rep->options.user, event))) {
        return; /* its context was lost, which was told; or it is left out */
    }
    if (rep->options.one_thread) {
        if (rep->current != NULL && rep->current != ring) {
            rep_ring_catch_up(rep->current, event->stamp);
        }
    } else if (rep->ring_count > 1 && is_edge(&event->call)) {
        rep_catch_up_all(rep, event->stamp);
    }
    rep->current = ring;
    rep_gpu_before(rep, &event->call);
    if (!rep->stop) {
        if (rep->options.last_call != NULL) {
            sl_atomic_store_relaxed_u64(rep->options.last_call, event->stamp);
        }
        rep_ring_feed(ring, event, cap_merge_is_of_snapshot(rep->merge, event->stamp));
        rep->report->calls++;
        rep->calls_behind++;
        if (rep->options.wants_drawn != NULL &&
            rep->options.wants_drawn(rep->options.user, event, rep->frame)) {
            rep_look(rep, ring, event);
        }
    }
}

/* What it was fed last is that stream's. NULL: there is none any more. */
static struct rep_ring *ring_of_stream(struct rep *rep, uint32_t stream)
{
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        if (rep->rings[i] != NULL && rep->rings[i]->fed != 0 &&
            rep->rings[i]->last_stream == stream) {
            return rep->rings[i];
        }
    }
    return NULL;
}

/* What the ring gave for its packet `number`; zeros: nothing. */
static struct rep_picture take_picture(struct rep_ring *ring, uint32_t number)
{
    struct rep_picture picture = {.end_ns = 0};
    pthread_mutex_lock(&ring->lock);
    for (uint32_t i = 0; i < REP_PICTURES; i++) {
        if (ring->pictures[i].end_ns != 0 && ring->pictures[i].number == number) {
            picture = ring->pictures[i];
            ring->pictures[i] = (struct rep_picture){0};
        }
    }
    pthread_mutex_unlock(&ring->lock);
    return picture;
}

/* The frame whose mark was passed is over, or is waited for. */
static void close_frame(struct rep *rep)
{
    const struct cap_frame *mark = &rep->open_frame.mark;
    struct rep_ring *ring = rep->open_frame.ring;
    struct rep_picture picture = {.end_ns = 0};
    rep->open_frame.is_there = false;
    if (ring != NULL && rep->options.ends_at_mark) {
        rep_ring_linger(ring, rep->open_frame.number, sl_clock_ns());
    } else if (ring != NULL && rep_ring_wait(ring, rep->open_frame.number)) {
        picture = take_picture(ring, rep->open_frame.number);
    }
    const struct rep_frame frame = {
        .number = rep->open_frame.frame,
        .begin_ns = rep->frame_begin_ns,
        .end_ns = picture.end_ns != 0 ? picture.end_ns : sl_clock_ns(),
        .surface = mark->surface,
        .width_px = picture.end_ns != 0 ? picture.frame.width_px : mark->width_px,
        .height_px = picture.end_ns != 0 ? picture.frame.height_px : mark->height_px,
        .has_hash = picture.has_hash,
        .hash = {picture.hash[0], picture.hash[1]},
        .pixels = picture.pixels,
        .mark = mark};
    rep->frame_begin_ns = frame.end_ns;
    if (!rep->stop && rep->options.frame != NULL &&
        !rep->options.frame(rep->options.user, &frame)) {
        rep->report->end = REP_END_ASKED;
        rep->stop = true;
    }
    sl_free(picture.pixels);
    if (frame.number >= rep->report->frames && (!rep->stop || rep->report->end == REP_END_ASKED)) {
        rep->report->frames = frame.number + 1;
    }
}

void rep_close_frame(struct rep *rep, bool wait)
{
    struct rep_ring *at = rep->open_frame.ring;
    bool is_over = at != NULL && rep_ring_is_done(at, rep->open_frame.number);
    if (rep->open_frame.is_there && !rep->stop && (wait || is_over)) {
        close_frame(rep);
    }
}

/* Its ring may still be at it: it is waited for when the next one is complete. */
static void play_frame(struct rep *rep, const struct cap_frame *mark, uint64_t number)
{
    if (number >= rep->options.stop_frame) {
        return; /* one before it is still to come */
    }
    if (rep->open_frame.is_there) {
        close_frame(rep);
    }
    struct rep_ring *ring = ring_of_stream(rep, mark->stream);
    rep->open_frame.is_there = true;
    rep->open_frame.ring = ring;
    rep->open_frame.number = ring != NULL ? ring->fed : 0;
    rep->open_frame.frame = number;
    rep->open_frame.mark = *mark;
    if (ring != NULL) {
        asg_writer_flush(&ring->writer);
    }
    rep->frame = number >= rep->frame ? number + 1 : rep->frame;
    rep->calls_behind = 0;
}

static void play_memory(struct rep *rep, struct cap_event *event)
{
    rep_catch_up_all(rep, event->stamp);
    rep_gpu_idle(rep);
    enum sl_result result = rep->stop ? SL_OK : rep_memory_write(rep, &event->memory);
    if (result == SL_ERR_PROTOCOL) {
        rep->report->end = REP_END_DAMAGED;
        rep->report->damage = (struct cap_damage){.kind = CAP_DAMAGE_RECORD};
        const struct cap_reader *reader = rep->reader;
        if (reader->damage_count != 0) {
            rep->report->damage = reader->damages[reader->damage_count - 1];
        }
        rep->stop = true;
    } else if (result != SL_OK) {
        rep->report->end = REP_END_FAILED;
        rep->report->result = result;
        rep->stop = true;
    }
}

/* Does somebody want a picture that the next calls may complete? One ring's may be complete before
 * others' whose marks come first. */
static bool is_wanted(const struct rep *rep)
{
    const struct rep_options *o = &rep->options;
    bool is = o->wants_frame == NULL ||
              (rep->open_frame.is_there && o->wants_frame(o->user, rep->frame - 1));
    for (uint64_t i = 0; !is && i < REP_MARKS_LATE; i++) {
        is = o->wants_frame(o->user, rep->frame + i);
    }
    return is;
}

/* Whether the next frame's picture is needed is decided before its calls run. */
void rep_choose_pixels(struct rep *rep)
{
    const struct rep_options *o = &rep->options;
    bool wants = (o->wants_hashes || o->wants_pixels) && is_wanted(rep);
    /* A switch; the ring's threads look at it when a picture is complete. */
    sl_atomic_store_relaxed(&rep->wants_pixel, wants);
}

void rep_play(struct rep *rep, struct cap_event *event)
{
    switch (event->kind) {
    case CAP_EVENT_CALL:
        play_call(rep, event);
        break;
    case CAP_EVENT_VERB:
        if (event->verb.verb == CAP_VERB_RESET && rep->open_frame.is_there) {
            close_frame(rep); /* its ring goes */
        }
        rep_verb(rep, event);
        break;
    case CAP_EVENT_MEMORY:
        play_memory(rep, event);
        break;
    case CAP_EVENT_FRAME:
        play_frame(rep, &event->frame, event->number);
        rep_choose_pixels(rep);
        break;
    case CAP_EVENT_TEXT:
        break;
    }
}

static void finish(struct rep *rep, enum sl_result result)
{
    struct rep_report *report = rep->report;
    if (result == SL_ERR_PROTOCOL) {
        report->end = REP_END_DAMAGED;
    } else if (result != SL_ERR_NOTFOUND && result != SL_OK) {
        report->end = REP_END_FAILED;
        report->result = result;
    } else {
        bool is_whole =
            (rep->reader->is_complete && report->unplayed.frames == 0) || result == SL_OK;
        report->end = is_whole ? REP_END_COMPLETE : REP_END_CUT;
    }
}

/* What is still on its way is over before the device goes. A replay that ends before the trace does
 * waits for what was over by then, and for the call that it was to end with: others may wait for
 * packets that are not played any more, as those of a recording do that was switched off. */
static void settle_all(struct rep *rep, enum sl_result result, uint64_t stamp)
{
    bool is_early = result == SL_OK;
    rep_catch_up_all(rep, is_early ? stamp : UINT64_MAX);
    uint64_t begin = sl_clock_ns(); /* several may wait for what does not come any more */
    for (uint32_t i = 0; i < REP_RINGS && !rep->stop; i++) {
        struct rep_ring *ring = rep->rings[i];
        bool is_last = ring == rep->current && rep->frame < rep->options.stop_frame;
        if (ring == NULL || sl_atomic_load_relaxed(&ring->is_gone) != 0 || !ring->has_writer) {
            continue;
        }
        if (is_last && is_early) {
            (void)rep_ring_wait(ring, ring->fed);
        } else if (!is_early) {
            rep_ring_linger(ring, ring->fed, begin);
        }
        if (rep_ring_is_done(ring, ring->fed)) {
            rep_ring_settle(ring);
        }
    }
}

bool rep_is_behind(const struct rep *rep, uint64_t frame)
{
    return rep->frame >= frame && !rep_order_holds_frame(&rep->order, frame);
}

bool rep_is_stop(const struct rep *rep, const struct cap_event *event)
{
    return event->stamp >= rep->options.stop_call &&
           !rep_order_holds_call(&rep->order, rep->options.stop_call);
}

/* The record is the first one of what is wanted. */
static void begin(struct rep *rep, uint64_t stamp)
{
    rep->has_begun = true;
    if (rep->options.begins != NULL) {
        rep_close_frame(rep, true);
        (void)rep_is_still(rep, stamp); /* what still waits is no work */
        rep->frame_begin_ns = sl_clock_ns();
        rep->options.begins(rep->options.user);
    }
}

static enum sl_result play_all(struct rep *rep, struct cap_event *event)
{
    enum sl_result result = SL_OK;
    while (!rep->stop && !rep_is_behind(rep, rep->options.stop_frame)) {
        bool is_led = cap_merge_is_in_snapshot(rep->merge);
        result = rep_order_next(rep, event);
        if (result != SL_OK || rep_is_stop(rep, event)) {
            break;
        }
        if (!rep->has_begun && !is_led && rep_is_behind(rep, rep->options.first_frame)) {
            begin(rep, event->stamp);
        }
        rep_play(rep, event);
        rep_close_frame(rep, false);
    }
    return result;
}

void rep_run(struct rep *rep, struct vgd *device, struct rep_report *report)
{
    struct cap_event event = {.kind = CAP_EVENT_TEXT};
    enum sl_result result = SL_OK;
    *report = (struct rep_report){.end = REP_END_COMPLETE};
    rep->device = device;
    rep->report = report;
    report->first_frame = report->frames = rep->frame;
    uint64_t begin = rep->frame_begin_ns = sl_clock_ns();
    rep_choose_pixels(rep);
    if (rep->options.again != NULL) {
        result = rep_loop(rep, &event);
    } else {
        result = play_all(rep, &event);
    }
    rep_close_frame(rep, true);
    settle_all(rep, result, event.stamp);
    if (!rep->stop) {
        finish(rep, result);
    }
    report->calls_behind = rep->calls_behind;
    report->time_ns = sl_clock_ns() - begin;
}
