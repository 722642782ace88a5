/* sluice trim: some frames of a trace, behind a snapshot, as a trace of their own. */
#include "tools/sluice/calls.h"
#include "tools/sluice/host.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/range.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/verbs.h"
#include "host/capture/cap_copy.h"
#include "host/capture/cap_device.h"
#include "host/replay/rep.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TRIM_OUTPUT,
    TRIM_FRAMES,
    TRIM_DROP,
    TRIM_LEVEL,
    TRIM_FORCE,
    TRIM_IGNORE_RESULTS,
    TRIM_HOST
};

static const struct opt options[] = {
    [TRIM_OUTPUT] = {.name = "output",
                     .letter = 'o',
                     .kind = OPT_TEXT,
                     .value = "OUT",
                     .help = "write there; never onto TRACE"},
    [TRIM_FRAMES] = {.name = "frames",
                     .kind = OPT_TEXT,
                     .value = "A-B",
                     .help = "keep these; without it all of them"},
    [TRIM_DROP] = {.name = "drop-streams",
                   .kind = OPT_TEXT,
                   .value = "RANGE",
                   .help = "leave these streams' calls out, as dump --stats stream numbers them"},
    [TRIM_LEVEL] = {.name = "level",
                    .letter = 'l',
                    .kind = OPT_NUMBER,
                    .value = "N",
                    .min = 0,
                    .max = 19,
                    .fallback = "9",
                    .help = "zstd level; 0 packs nothing"},
    [TRIM_FORCE] = {.name = "force", .letter = 'f', .help = "replace OUT"},
    [TRIM_IGNORE_RESULTS] = {.name = "ignore-results",
                             .help = "go on when a call before A answers otherwise than recorded"},
    HOST_OPTION_LIST(TRIM_HOST),
};

struct trim {
    const struct opt_set *set;
    const char *path, *out;
    struct cap_reader *reader;
    uint64_t first, last; /* frames; last UINT64_MAX: to the end */
    struct range dropped;
    bool drops;
    struct cap_merge_snapshot *snapshots;
    uint32_t snapshot_count;
};

/* --- what is asked for --- */

static bool read_options(struct trim *t)
{
    struct range range;
    if (t->out == NULL) {
        say_error("--output is missing; name the file to write");
        return false;
    }
    if (trace_is_same(t->path, t->out)) {
        say_error("refusing to write onto an input file");
        return false;
    }
    if (!range_option(t->set, TRIM_FRAMES, &range) ||
        !range_option(t->set, TRIM_DROP, &t->dropped)) {
        return false;
    }
    t->drops = t->dropped.count != 0;
    t->last = UINT64_MAX;
    if (range.count > 1 || (range.count == 1 && range.parts[0].step != 1)) {
        say_error("--frames is '%s'; it must be one range like 100-109",
                  opt_text(t->set, TRIM_FRAMES));
        return false;
    }
    if (range.count == 1) {
        t->first = range.parts[0].first;
        t->last = range.parts[0].last;
    }
    return true;
}

static struct cap_start start_of(const struct trim *t)
{
    return (struct cap_start){.path = t->out,
                              .level = (int)opt_number(t->set, TRIM_LEVEL),
                              .force = opt_on(t->set, TRIM_FORCE),
                              .origin = &t->reader->header};
}

static int refused(const struct trim *t, enum sl_result result)
{
    if (result == SL_ERR_INVALID) {
        say_error("%s or %s.part is there already; choose another name, or replace it with --force",
                  t->out, t->out);
        return SLUICE_EXIT_USAGE;
    }
    if (result == SL_ERR_AGAIN) {
        say_error("%s.part is being written by somebody else; choose another name", t->out);
        return SLUICE_EXIT_USAGE;
    }
    say_error("%s: cannot be written: %s", t->out, strerror(errno));
    return SLUICE_EXIT_FILE;
}

/* --- copying --- */

static bool is_dropped(const struct trim *t, const struct cap_event *event)
{
    return t->drops && (event->kind == CAP_EVENT_CALL || event->kind == CAP_EVENT_MEMORY) &&
           event->stream != 0 && range_has(&t->dropped, event->stream);
}

static int copy_failed(const struct trim *t, enum sl_result result, const struct cap_damage *damage,
                       uint64_t frame)
{
    if (result == SL_ERR_PROTOCOL) {
        trace_say_damage(damage, frame);
        return SLUICE_EXIT_DAMAGED;
    }
    return trace_failed(t->path, t->reader, result);
}

/* The frames, from the merge's place on; `frame` is the next one's number. */
static int copy_frames(struct trim *t, struct cap_copy *copy, uint64_t frame)
{
    struct cap_event event;
    struct cap_damage damage = {0};
    uint64_t last_stamp = 0;
    bool copies = frame == t->first && !cap_merge_is_in_snapshot(copy->from);
    enum sl_result result = SL_OK;
    while (frame <= t->last && (result = cap_merge_next(copy->from, &event, &damage)) == SL_OK) {
        if (copies) {
            if (!is_dropped(t, &event)) {
                result = cap_copy_event(copy, &event);
            }
        } else {
            cap_copy_pass(copy, &event);
            last_stamp = event.stamp > last_stamp ? event.stamp : last_stamp;
        }
        frame += event.kind == CAP_EVENT_FRAME;
        if (result != SL_OK) {
            break;
        }
        if (!copies && frame == t->first) {
            copies = true;
            cap_copy_begin(copy, last_stamp);
        }
    }
    if (result != SL_OK && result != SL_ERR_NOTFOUND) {
        return copy_failed(t, result, &damage, frame);
    }
    if (frame <= t->first) {
        say_error("--frames begins with %" PRIu64 ", but %s has %" PRIu64 " frames", t->first,
                  t->path, frame);
        return SLUICE_EXIT_USAGE;
    }
    if (t->last != UINT64_MAX && frame <= t->last) {
        say_note("warning: %s ends with frame %" PRIu64, t->path, frame - 1);
    }
    return SLUICE_EXIT_OK;
}

/* The records of a snapshot that lies where it is needed, or at the trace's head. */
static int copy_snapshot(struct trim *t, struct cap_copy *copy)
{
    struct cap_event event;
    struct cap_damage damage = {0};
    enum sl_result result = SL_OK;
    cap_copy_snapshot_begin(copy, CAP_SNAPSHOT_TRIM);
    while (result == SL_OK && cap_merge_is_in_snapshot(copy->from)) {
        result = cap_merge_next(copy->from, &event, &damage);
        if (result == SL_OK) {
            if (copy->shift == 0) {
                cap_copy_begin(copy, event.stamp - 1);
            }
            result = cap_copy_event(copy, &event);
        }
    }
    cap_copy_snapshot_end(copy);
    return result == SL_OK ? SLUICE_EXIT_OK : copy_failed(t, result, &damage, t->first);
}

/* --- without a replay --- */

static int finish(struct trim *t, struct cap_recording *r, int code)
{
    struct cap_writer_report report;
    cap_recording_end(r);
    cap_writer_finish(r->writer, CAP_END_TRIMMED, 0, &report);
    cap_recording_unref(r);
    if (code == SLUICE_EXIT_OK && !report.has_name) {
        say_error("%s: cannot be written: %s", t->out, strerror(report.error));
        return SLUICE_EXIT_FILE;
    }
    return code;
}

/* From the file's start, or from a snapshot that lies at the first frame. */
static int copy_only(struct trim *t, const struct cap_merge_snapshot *at)
{
    struct cap_memory memory = {.saves_all = false};
    struct cap_recording *r = NULL;
    struct cap_merge *merge = NULL;
    const struct cap_start start = start_of(t);
    enum sl_result result = at != NULL ? cap_merge_create_at(t->reader, at->begin, &merge)
                                       : cap_merge_create(t->reader, &merge);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    cap_memory_init(&memory);
    result = cap_recording_start(&start, &memory, &r);
    int code = result == SL_OK ? SLUICE_EXIT_OK : refused(t, result);
    if (code == SLUICE_EXIT_OK) {
        struct cap_copy copy;
        result = cap_copy_head(r, t->reader);
        cap_copy_init(&copy, r, merge);
        code = result == SL_OK ? SLUICE_EXIT_OK : trace_failed(t->path, t->reader, result);
        if (code == SLUICE_EXIT_OK && cap_merge_is_in_snapshot(merge)) {
            code = copy_snapshot(t, &copy);
        }
        if (code == SLUICE_EXIT_OK) {
            code = copy_frames(t, &copy, t->first);
        }
        cap_copy_finish(&copy);
        code = finish(t, r, code);
    }
    cap_merge_destroy(merge);
    cap_memory_finish(&memory);
    return code;
}

/* --- with one --- */

static bool on_diverged(void *user, const struct rep_answer *answer)
{
    struct trim *t = user;
    char number[TRACE_NUMBER];
    bool goes_on = opt_on(t->set, TRIM_IGNORE_RESULTS);
    const char *name = answer->event->kind == CAP_EVENT_CALL
                           ? call_name(sl_load_u32(answer->event->call.packet))
                           : "a verb";
    (goes_on ? say_note : say_error)("call %s (frame %" PRIu64 ") %s answers otherwise here than "
                                     "recorded, so the state at frame %" PRIu64 " may differ",
                                     trace_number(answer->event->stamp, number), answer->frame,
                                     name != NULL ? name : "unknown", t->first);
    return goes_on;
}

static int replay_ended(struct trim *t, const struct rep_report *report)
{
    switch (report->end) {
    case REP_END_COMPLETE:
    case REP_END_CUT:
        if (report->frames < t->first) {
            say_error("--frames begins with %" PRIu64 ", but %s has %" PRIu64 " frames", t->first,
                      t->path, report->frames);
            return SLUICE_EXIT_USAGE;
        }
        return SLUICE_EXIT_OK;
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
    struct cap_start start = start_of(t);
    start.waiting = next_waiting;
    start.user = rep;
    enum sl_result result = cap_device_start(recorder, &start);
    if (result != SL_OK) {
        return refused(t, result);
    }
    result = cap_copy_head(cap_device_recording(recorder), t->reader);
    if (result == SL_OK) {
        result = cap_device_snapshot(recorder, CAP_SNAPSHOT_TRIM);
    }
    if (result != SL_OK) {
        say_error("the state before frame %" PRIu64
                  " cannot be stored: %s; begin at another frame, "
                  "or record with --snapshot-every",
                  t->first, sl_result_name(result));
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

static int copy_behind(struct trim *t, struct cap_recording *r)
{
    struct cap_merge *merge = NULL;
    const struct cap_merge_snapshot *start = NULL;
    struct cap_copy copy;
    for (uint32_t i = 0; i < t->snapshot_count; i++) {
        start = t->snapshots[i].mark.frame <= t->first ? &t->snapshots[i] : start;
    }
    enum sl_result result = start != NULL ? cap_merge_create_at(t->reader, start->begin, &merge)
                                          : cap_merge_create(t->reader, &merge);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    cap_recording_freeze(r);
    cap_copy_init(&copy, r, merge);
    int code = copy_frames(t, &copy, start != NULL ? start->mark.frame : 0);
    cap_copy_finish(&copy);
    cap_merge_destroy(merge);
    return code;
}

static int play_and_copy(struct trim *t, struct rep *rep, const struct host_options *host)
{
    struct vgd_sink front = rep_sink(rep);
    const struct dev_limits limits = {.resource_bytes = host->resource_bytes};
    struct cap_device *recorder = NULL;
    struct vgd *device = NULL;
    struct rep_report report;
    struct cap_writer_report written = {.has_name = true};
    int code =
        host_make_recorded(dev_all_types, &host->device, &limits, &front, -1, &recorder, &device);
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
        say_error("%s: cannot be written: %s", t->out, strerror(written.error));
        return SLUICE_EXIT_FILE;
    }
    return code;
}

/* Plays it up to the first frame, and takes the snapshot there. */
static int replay_and_copy(struct trim *t)
{
    struct host_options host = {0};
    const struct rep_options play = {.first_frame = t->first,
                                     .stop_frame = t->first,
                                     .stop_call = UINT64_MAX,
                                     .user = t,
                                     .diverged = on_diverged};
    struct rep *rep = NULL;
    host_options_read(t->set, TRIM_HOST, &host);
    host.device.restores = true;
    host_prepare();
    enum sl_result result = rep_create(t->reader, &play, &rep);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    int code = play_and_copy(t, rep, &host);
    rep_destroy(rep);
    return code;
}

/* --- the verb --- */

static uint64_t size_of(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;
}

static int trim(struct trim *t)
{
    const struct cap_merge_snapshot *at = NULL;
    enum sl_result result = cap_merge_snapshots(t->reader, &t->snapshots, &t->snapshot_count);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    for (uint32_t i = 0; i < t->snapshot_count; i++) {
        at = t->snapshots[i].mark.frame == t->first ? &t->snapshots[i] : at;
    }
    return t->first == 0 || at != NULL ? copy_only(t, t->first == 0 ? NULL : at)
                                       : replay_and_copy(t);
}

static int run(const struct opt_set *set)
{
    struct trim t = {.set = set, .path = set->args[0], .out = opt_text(set, TRIM_OUTPUT)};
    char before[TRACE_NUMBER], after[TRACE_NUMBER];
    if (!read_options(&t)) {
        return SLUICE_EXIT_USAGE;
    }
    int code = trace_open(t.path, &t.reader);
    if (code == SLUICE_EXIT_OK) {
        uint64_t size = t.reader->size;
        code = trim(&t);
        trace_say_skipped(t.reader);
        if (code == SLUICE_EXIT_OK) {
            say_note("trimmed %s  %s bytes -> %s  %s bytes", t.path, trace_number(size, before),
                     t.out, trace_number(size_of(t.out), after));
        }
    }
    sl_free(t.snapshots);
    cap_reader_close(t.reader);
    return code;
}

const struct verb verb_trim = {
    .name = "trim",
    .summary = "cut frames out of a trace",
    .usage = "-o OUT TRACE",
    .about = "Writes frames of a trace as a trace of its own: a snapshot of the state before the "
             "first of them, and their calls.\n"
             "The snapshot is the trace's own where one lies there; else the trace is played up "
             "to it on this machine's drivers.",
    .example = "sluice trim --frames 100-109 -o ten.slc app.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = 1,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED | 1u << SLUICE_EXIT_MISSING |
             1u << SLUICE_EXIT_DIVERGED | 1u << SLUICE_EXIT_LOST | 1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
