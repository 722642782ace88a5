/* A trace played up to a frame, and a snapshot of what lives then; in a process of its own. */
#include "tools/sluice/trim.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/replay_worker.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace_types.h"
#include "host/capture/cap_device.h"
#include "host/replay/rep.h"
#include "transport/base/atomic.h"
#include "transport/base/bytes.h"

#include <inttypes.h>
#include <string.h>

/* Each waits half a second for a frame's work: nobody is kept waiting, as with a host that runs. */
#define TRIES 40u

struct played {
    struct trim *trim;
    struct replay_place *place;
};

static bool on_diverged(void *user, const struct rep_answer *answer)
{
    const struct trim *t = ((const struct played *)user)->trim;
    char number[TRACE_NUMBER];
    bool goes_on = t->ignores_results;
    const char *name = answer->event->kind == CAP_EVENT_CALL
                           ? call_name(sl_load_u32(answer->event->call.packet))
                           : "a verb";
    (goes_on ? say_note : say_error)("call %s (frame %" PRIu64 ") %s answers otherwise here than "
                                     "recorded, so the state at frame %" PRIu64 " may differ",
                                     trace_number(answer->event->stamp, number), answer->frame,
                                     name != NULL ? name : "unknown", t->first);
    return goes_on;
}

static bool on_frame(void *user, const struct rep_frame *frame)
{
    sl_atomic_store_relaxed_u64(&((struct played *)user)->place->frame, frame->number);
    return true;
}

static int replay_ended(struct trim *t, const struct rep_report *report)
{
    switch (report->end) {
    case REP_END_COMPLETE:
    case REP_END_CUT:
        return report->frames < t->first ? trim_no_such_frame(t, report->frames) : SLUICE_EXIT_OK;
    case REP_END_DAMAGED:
        trace_say_damage(&report->damage, report->frames);
        return SLUICE_EXIT_DAMAGED;
    case REP_END_ASKED:
        return SLUICE_EXIT_DIVERGED;
    case REP_END_STUCK:
        say_error("%s: a call of frame %" PRIu64 " does not end", t->path, report->frames);
        return SLUICE_EXIT_LOST;
    case REP_END_FAILED:
        break;
    }
    return trace_failed(t->path, t->reader, report->result);
}

static bool next_waiting(void *user, uint32_t *cursor, struct cap_waiting *out)
{
    struct rep_waiting one;
    if (!rep_waiting_next(user, cursor, &one)) {
        return false;
    }
    *out = (struct cap_waiting){
        .ring_id = one.ring_id, .packet = one.packet, .size = one.size, .has_sum = one.has_sum};
    return true;
}

/* What lives now, into the file. */
static int take_snapshot(struct trim *t, struct cap_device *recorder, struct rep *rep)
{
    struct cap_start start = trim_start(t);
    start.waiting = next_waiting;
    start.user = rep;
    enum sl_result result = cap_device_start(recorder, &start);
    if (result != SL_OK) {
        return trim_refused(t);
    }
    result = cap_copy_head(cap_device_recording(recorder), t->reader);
    if (result == SL_OK) {
        result = cap_device_snapshot(recorder, CAP_SNAPSHOT_TRIM);
        for (uint32_t i = 0; i < TRIES && result == SL_ERR_AGAIN; i++) {
            result = cap_device_snapshot(recorder, CAP_SNAPSHOT_TRIM);
        }
    }
    if (result != SL_OK) {
        say_error("the state before frame %" PRIu64
                  " cannot be stored: %s; keep what leads to it with --offline",
                  t->first, sl_result_name(result));
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

static int copy_behind(struct trim *t, struct cap_recording *r)
{
    struct cap_merge *merge = NULL;
    struct cap_copy copy;
    const struct cap_merge_snapshot *start = trim_snapshot_before(t, t->first);
    enum sl_result result = start != NULL ? cap_merge_create_at(t->reader, start->begin, &merge)
                                          : cap_merge_create(t->reader, &merge);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    cap_recording_freeze(r);
    cap_copy_init(&copy, r, merge);
    int code = trim_copy_frames(t, &copy, start != NULL ? start->mark.frame : 0);
    cap_copy_finish(&copy);
    cap_merge_destroy(merge);
    return code;
}

static int play_and_copy(struct trim *t, struct rep *rep)
{
    struct vgd_sink front = rep_sink(rep);
    const struct dev_limits limits = {.resource_bytes = t->host.resource_bytes};
    struct cap_device *recorder = NULL;
    struct vgd *device = NULL;
    struct rep_report report;
    struct cap_writer_report written = {.has_name = true};
    const struct hct_type *types[TRACE_TYPES];
    trace_types(t->reader, &t->host.device, types);
    int code = host_make_recorded(types, &t->host.device, &limits, &front, &recorder, &device);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    rep_run(rep, device, &report);
    code = replay_ended(t, &report);
    if (code == SLUICE_EXIT_OK) {
        rep_settle(rep);
        code = take_snapshot(t, recorder, rep);
    }
    if (code == SLUICE_EXIT_OK) {
        code = copy_behind(t, cap_device_recording(recorder));
    }
    if (cap_device_is_recording(recorder)) {
        (void)cap_device_stop(recorder, CAP_END_TRIMMED, 0, &written);
    }
    device->ops->destroy(device);
    if (code == SLUICE_EXIT_OK && !written.has_name) {
        say_error("%s: cannot be written: %s", t->name, strerror(written.error));
        return SLUICE_EXIT_FILE;
    }
    return code;
}

static int play(void *user, struct replay_place *place)
{
    struct trim *t = user;
    struct played played = {.trim = t, .place = place};
    const struct rep_options play = {.first_frame = t->first,
                                     .stop_frame = t->first,
                                     .stop_call = UINT64_MAX,
                                     .ends_at_mark = true,
                                     .last_call = &place->call,
                                     .user = &played,
                                     .frame = on_frame,
                                     .diverged = on_diverged};
    struct rep *rep = NULL;
    t->host.device.restores = true;
    t->host.device.is_saved = true;
    host_prepare();
    enum sl_result result = rep_create(t->reader, &play, &rep);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    int code = play_and_copy(t, rep);
    rep_destroy(rep);
    return code;
}

int trim_play(struct trim *t)
{
    int code = replay_in_worker(t->path, play, t, &t->progress);
    if (code == SLUICE_EXIT_INTERNAL) {
        say_note("note: --offline keeps the calls that lead to frame %" PRIu64
                 ", and asks no driver",
                 t->first);
    }
    t->has_told_end = t->last != UINT64_MAX && t->cut == UINT64_MAX; /* in its process */
    return code;
}
