/* Plays a trace: what the replay tells, one run, and all rounds. */
#include "tools/sluice/replay_play.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/host.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/replay_diverged.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/trace_types.h"
#include "host/replay/rep.h"
#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <inttypes.h>
#include <string.h>

/* --- what the replay tells --- */

static bool wants_frame(void *user, uint64_t number)
{
    const struct replay *r = user;
    return range_has(&r->frames, number);
}

/* Vulkan's packets count each other: without one, the next waits for ever. */
static bool skips_call(void *user, const struct cap_event *event)
{
    struct replay *r = user;
    char number[TRACE_NUMBER];
    if (!range_has(&r->skipped, event->stamp)) {
        return false;
    }
    if (event->call.capset != VIRTGPU_CAPSET_GFXSTREAM_VULKAN) {
        return true;
    }
    if (!r->has_kept) {
        say_error("call %s is Vulkan's, whose packets wait for each other; it cannot be left out",
                  trace_number(event->stamp, number));
        r->has_kept = true;
    }
    return false;
}

static void pace_wait(struct pace *pace, const struct rep_frame *frame)
{
    uint64_t now = sl_clock_ns();
    if (pace->begin_ns == 0) {
        pace->begin_ns = now;
        pace->first = frame->number;
        pace->first_time = frame->mark->time;
    }
    double due = pace->is_original ? (double)(frame->mark->time - pace->first_time)
                 : pace->fps > 0   ? (double)(frame->number - pace->first) * 1e9 / pace->fps
                                   : 0;
    double passed = (double)(now - pace->begin_ns);
    if (due > passed && due < 1e15) {
        sl_clock_sleep_ns((uint64_t)(due - passed));
    }
}

static bool on_frame(void *user, const struct rep_frame *frame)
{
    struct replay *r = user;
    sl_atomic_store_relaxed_u64(&r->place->frame, frame->number);
    if (!range_has(&r->frames, frame->number)) {
        return true;
    }
    pace_wait(&r->pace, frame);
    r->code = shown_frame(r->shown, frame);
    if (r->code == SLUICE_EXIT_OK && r->window != NULL &&
        !replay_window_show(r->window, frame->pixels, frame->width_px, frame->height_px)) {
        r->is_closed = true;
    }
    return r->code == SLUICE_EXIT_OK && !r->is_closed;
}

static bool wants_drawn(void *user, const struct cap_event *event, uint64_t frame)
{
    const struct replay *r = user;
    return range_has(&r->frames, frame) && drawn_wants(r->drawn, event, frame);
}

static bool take_drawn(void *user, const struct rep_drawn *taken, enum sl_result result)
{
    struct replay *r = user;
    if (!drawn_take(r->drawn, taken, result)) {
        r->code = drawn_end(r->drawn);
    }
    return r->code == SLUICE_EXIT_OK;
}

bool replay_is_backend(const struct opt_set *set, const char *name)
{
    return strcmp(opt_text(set, REPLAY_BACKEND), name) == 0;
}

/* Asked for; else on a driver that is known to be another one, unless that was refused. */
static bool wants_portable(const struct replay *r)
{
    bool is_asked = r->set->values[REPLAY_PORTABLE].source != OPT_FROM_DEFAULT;
    return opt_on(r->set, REPLAY_PLAN) ||
           (is_asked ? opt_on(r->set, REPLAY_PORTABLE) : replay_plan_differs(&r->plan, r->driver));
}

/* What another driver says of itself when it is asked is no divergence. */
static bool is_of_driver(const struct replay *r, const struct rep_answer *answer)
{
    const struct cap_event *event = answer->event;
    const char *name =
        event->kind == CAP_EVENT_CALL ? call_name(sl_load_u32(event->call.packet)) : NULL;
    return name != NULL && !answer->is_lost && replay_plan_differs(&r->plan, r->driver) &&
           (strncmp(name, "vkGetPhysicalDevice", 19) == 0 || strncmp(name, "vkEnumerate", 11) == 0);
}

static bool on_diverged(void *user, const struct rep_answer *answer)
{
    struct replay *r = user;
    bool goes_on = opt_on(r->set, REPLAY_IGNORE_RESULTS);
    if (is_of_driver(r, answer)) {
        return true;
    }
    if (!goes_on && uses_are_missing(remap_uses(r->remap), wants_portable(r))) {
        uses_say_missing(remap_uses(r->remap), wants_portable(r));
        r->code = SLUICE_EXIT_MISSING;
        return false;
    }
    r->has_diverged = true;
    replay_say_diverged(r->path, answer, goes_on);
    return goes_on;
}

static void on_grown(void *user, uint32_t image, uint64_t here, uint64_t recorded, bool rebound)
{
    char a[TRACE_NUMBER], b[TRACE_NUMBER];
    (void)user;
    say_note("image#%" PRIu32 ": needs %s B here, %s B when recorded; %s", image,
             trace_number(here, a), trace_number(recorded, b), rebound ? "rebound" : "enlarged");
}

/* --- one run --- */

static int end_of(struct replay *r, const struct rep_report *report)
{
    char number[TRACE_NUMBER];
    if (report->unplayed.calls != 0) {
        trace_say_unplayed(report->unplayed.first_call, report->unplayed.calls,
                           report->unplayed.frames);
    }
    switch (report->end) {
    case REP_END_COMPLETE:
        return SLUICE_EXIT_OK;
    case REP_END_CUT:
        if (!r->reader->is_complete) {
            trace_say_cut(report->frames, report->calls_behind);
        }
        return opt_on(r->set, REPLAY_STRICT) ? SLUICE_EXIT_INCOMPLETE : SLUICE_EXIT_OK;
    case REP_END_DAMAGED:
        trace_say_damage(&report->damage, report->frames);
        return SLUICE_EXIT_DAMAGED;
    case REP_END_ASKED:
        return r->is_closed                ? SLUICE_EXIT_OK
               : r->code != SLUICE_EXIT_OK ? r->code
                                           : SLUICE_EXIT_DIVERGED;
    case REP_END_STUCK:
        say_error("call %s (frame %" PRIu64 ") did not end within %" PRIu64
                  " s; raise --timeout, or the driver hangs",
                  trace_number(report->stuck_call, number), report->frames,
                  opt_number(r->set, REPLAY_TIMEOUT));
        return SLUICE_EXIT_LOST;
    case REP_END_FAILED:
        break;
    }
    return trace_failed(r->path, r->reader, report->result);
}

/* On a driver that may be another one. */
static int play_here(struct replay *r, struct rep *rep, struct vgd *device,
                     struct rep_report *report)
{
    const struct remap_options remap = {
        .portable = wants_portable(r), .user = r, .grown = on_grown};
    bool plans = opt_on(r->set, REPLAY_PLAN);
    r->remap = remap_create(&remap);
    if (r->remap == NULL) {
        return trace_failed(r->path, r->reader, SL_ERR_NOMEM);
    }
    if (remap.portable) {
        rep_set_portable(rep);
    }
    rep_set_port(rep, remap_port(r->remap));
    rep_run(rep, device, report);
    int code = end_of(r, report);
    if (code == SLUICE_EXIT_OK && plans) {
        enum sl_result result = replay_plan_look(r->reader, r->remap);
        code = result == SL_OK ? replay_plan_print(&r->plan, r->driver, rep, r->remap,
                                                   opt_common_on(r->set, COMMON_JSON))
                               : trace_failed(r->path, r->reader, result);
    } else if (remap.portable) {
        replay_plan_say(&r->plan, r->driver, rep, r->remap);
    }
    remap_destroy(r->remap);
    r->remap = NULL;
    return code;
}

/* What the last run left. */
static void put_away(struct replay *r)
{
    if (r->device != NULL) {
        r->device->ops->destroy(r->device);
    }
    rep_destroy(r->rep);
    r->device = NULL;
    r->rep = NULL;
}

/* Whether it is to be played once more. */
static bool goes_on(const struct replay *r)
{
    if (r->is_closed) {
        return false;
    }
    if (opt_text(r->set, REPLAY_LOOP_TIME) != NULL) {
        double passed = (double)(sl_clock_ns() - r->begin_ns) / 1e9;
        return r->played == 0 || passed < opt_real(r->set, REPLAY_LOOP_TIME);
    }
    return r->played < opt_number(r->set, REPLAY_LOOP);
}

static bool loops(const struct replay *r)
{
    return opt_text(r->set, REPLAY_LOOP_TIME) != NULL || opt_number(r->set, REPLAY_LOOP) > 1;
}

static void begin_round(struct replay *r)
{
    sl_atomic_store_relaxed_u64(&r->place->call, 0);
    sl_atomic_store_relaxed_u64(&r->place->run, r->played);
}

/* A round is over. */
static bool on_round(void *user)
{
    struct replay *r = user;
    r->played++;
    if (!goes_on(r)) {
        return false;
    }
    begin_round(r);
    r->pace.begin_ns = 0;
    return true;
}

static int play_once(struct replay *r, const struct host_options *host, uint64_t first_frame,
                     struct rep_report *report)
{
    const struct opt_set *set = r->set;
    bool wants = opt_on(set, REPLAY_HASH) || opt_text(set, REPLAY_EXPECT) != NULL;
    bool draws = r->drawn != NULL;
    const struct rep_options play = {
        .one_thread = draws || strcmp(opt_text(set, REPLAY_THREADS), "one") == 0,
        .wants_hashes = wants,
        .wants_pixels = r->window != NULL || (opt_text(set, REPLAY_SHOTS) != NULL && !draws) ||
                        opt_text(set, REPLAY_EXPECT) != NULL,
        .last_call = &r->place->call,
        .no_compare = replay_is_backend(set, "null"),
        .first_frame = first_frame,
        .stop_frame = range_end(&r->frames),
        .stop_call = opt_on(set, REPLAY_PLAN) ? r->plan.stop_call
                     : opt_text(set, REPLAY_STOP_AFTER) != NULL
                         ? opt_number(set, REPLAY_STOP_AFTER) + 1
                         : UINT64_MAX,
        .patience_ns = opt_number(set, REPLAY_TIMEOUT) * SL_NS_PER_S,
        .user = r,
        .frame = on_frame,
        .wants_frame = wants_frame,
        .skips_call = opt_text(set, REPLAY_SKIP) != NULL ? skips_call : NULL,
        .diverged = on_diverged,
        .wants_drawn = draws ? wants_drawn : NULL,
        .drawn = draws ? take_drawn : NULL,
        .again = loops(r) ? on_round : NULL,
    };
    put_away(r);
    uint64_t begin = sl_clock_ns();
    enum sl_result result = rep_create(r->reader, &play, &r->rep);
    if (result != SL_OK) {
        return trace_failed(r->path, r->reader, result);
    }
    struct vgd_sink sink = rep_sink(r->rep);
    const struct dev_limits limits = {.resource_bytes = host->resource_bytes};
    struct hct_options driver = host->device;
    driver.restores = true;
    driver.is_watched = draws;
    driver.watched_bytes = host->resource_bytes;
    const struct hct_type *types[TRACE_TYPES];
    trace_types(r->reader, &driver, types);
    int code = host_make_device(types, &driver, &limits, &sink, &r->device);
    if (code == SLUICE_EXIT_OK) {
        r->device->ops->describe(r->device, r->driver, sizeof r->driver);
        r->load_ns = sl_clock_ns() - begin;
        r->pace.begin_ns = 0;
        if (draws) {
            drawn_restart(r->drawn);
        }
        code = play_here(r, r->rep, r->device, report);
    }
    return code;
}

/* The frame of the next snapshot behind damage that was met in `frame`. */
static bool find_snapshot(struct replay *r, uint64_t frame, uint64_t *found)
{
    struct cap_merge_snapshot *all = NULL;
    uint32_t count = 0;
    bool is_there = false;
    if (cap_merge_snapshots(r->reader, &all, &count) == SL_OK) {
        for (uint32_t i = count; i-- != 0 && all[i].mark.frame > frame;) {
            *found = all[i].mark.frame;
            is_there = true;
        }
    }
    sl_free(all);
    return is_there && *found < range_end(&r->frames);
}

/* How rounds came to their begin again. */
static void say_loop(struct replay *r, const struct rep_report *report)
{
    uint64_t backs = report->loop.rounds > 0 ? report->loop.rounds - 1 : 0;
    if (report->loop.reason[0] != '\0' && !r->has_told_loop) {
        (report->loop.is_from_nothing ? say_detail : say_note)(
            "each round is played from the start: %s", report->loop.reason);
        r->has_told_loop = true;
    } else if (backs != 0) {
        char bytes[TRACE_NUMBER];
        say_detail(
            "%" PRIu64 " rounds of %.2f ms, and back in %.2f ms: %" PRIu32 " things ended, %" PRIu32
            " made, %" PRIu32 " filled, %" PRIu32 " runs of memory, %s B; found in %.1f ms",
            report->loop.rounds, (double)report->loop.time_ns / 1e6 / (double)report->loop.rounds,
            (double)report->loop.back_ns / 1e6 / (double)backs, report->loop.ended,
            report->loop.made, report->loop.filled, report->loop.pieces,
            trace_number(report->loop.bytes, bytes), (double)report->loop.find_ns / 1e6);
    }
}

/* All of it; behind damage from the next snapshot on, where that is asked for. */
static int play_through(struct replay *r, const struct host_options *host, struct rep_report *all)
{
    struct rep_report report;
    uint64_t first = range_begin(&r->frames);
    int code, worst = SLUICE_EXIT_OK;
    bool goes_on;
    do { /* it may end before it says where: the next one begins behind this one all the same */
        report = (struct rep_report){.first_frame = first, .frames = first};
        code = play_once(r, host, first, &report);
        all->frames += report.frames - report.first_frame + report.loop.frames;
        all->calls += report.calls;
        all->time_ns += report.time_ns - report.loop.back_ns - report.loop.find_ns;
        goes_on = code == SLUICE_EXIT_DAMAGED && opt_on(r->set, REPLAY_KEEP_GOING) &&
                  find_snapshot(r, report.frames, &first);
        worst = code == SLUICE_EXIT_DAMAGED ? code : worst;
        all->end = all->end == REP_END_DAMAGED ? all->end : report.end;
    } while (goes_on);
    say_loop(r, &report);
    r->played += report.loop.rounds == 0;
    return code == SLUICE_EXIT_OK ? worst : code;
}

int replay_play(void *user, struct replay_place *place)
{
    struct replay *r = user;
    struct host_options host = {0};
    struct rep_report all = {0};
    host_options_read(r->set, REPLAY_HOST, &host);
    host.device.restores = true;
    host.device.software = replay_is_backend(r->set, "cpu");
    host.device.null = replay_is_backend(r->set, "null");
    host_prepare();
    if (trace_has_one_ring(r->reader)) {
        host_share_memory();
    }
    r->place = place;
    int code =
        opt_on(r->set, REPLAY_WINDOW) ? replay_window_open(r->path, &r->window) : SLUICE_EXIT_OK;
    r->begin_ns = sl_clock_ns();
    while (code == SLUICE_EXIT_OK && goes_on(r)) {
        begin_round(r);
        code = play_through(r, &host, &all);
    }
    replay_window_close(r->window);
    if (opt_on(r->set, REPLAY_VALIDATE)) { /* the layer looks at what is destroyed, too */
        put_away(r);
    } /* else it goes with the worker's process, which is faster */
    trace_say_skipped(r->reader);
    if (r->driver[0] != '\0' && !opt_on(r->set, REPLAY_PLAN)) {
        bool complete =
            r->reader->is_complete && all.end != REP_END_CUT && all.end != REP_END_DAMAGED;
        shown_last_line(r->shown, &all, complete, r->load_ns, r->driver);
    }
    if (code == SLUICE_EXIT_OK && r->drawn != NULL) {
        code = drawn_end(r->drawn);
    }
    if (code == SLUICE_EXIT_OK && r->has_kept) {
        code = SLUICE_EXIT_USAGE;
    }
    if (code == SLUICE_EXIT_OK && !opt_on(r->set, REPLAY_PLAN)) {
        code = shown_end(r->shown);
    }
    return code == SLUICE_EXIT_OK && r->has_diverged ? SLUICE_EXIT_DIVERGED : code;
}
