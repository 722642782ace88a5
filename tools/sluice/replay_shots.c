#include "tools/sluice/replay_shots.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/replay_worker.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/trace_types.h"
#include "host/replay/rep.h"

#include <inttypes.h>
#include <stdio.h>

struct shots {
    const char *path;
    struct cap_reader *reader;
    const struct shots_options *options;
    struct replay_place *place;
    struct drawn *drawn; /* NULL: frames' ends are wanted */
    int code;
};

static bool wants_frame(void *user, uint64_t number)
{
    const struct drawn_set *set = &((const struct shots *)user)->options->set;
    return set->is_of_calls || range_has(&set->range, number);
}

static bool on_frame(void *user, const struct rep_frame *frame)
{
    struct shots *s = user;
    char name[64], path[PATH_MAX];
    sl_atomic_store_relaxed_u64(&s->place->frame, frame->number); /* its starter looks on */
    if (!drawn_wants_frame(&s->options->set, frame->number, frame->mark)) {
        return true;
    }
    if (frame->pixels == NULL) {
        say_error("frame %" PRIu64 " has no picture that can be had", frame->number);
        s->code = SLUICE_EXIT_MISSING;
        return false;
    }
    snprintf(name, sizeof name, "frame-%06" PRIu64 ".png", frame->number);
    s->code = folder_path(path, s->options->out, name, true);
    if (s->code == SLUICE_EXIT_OK) {
        s->code = picture_write(path, &(struct picture_rules){.force = false}, frame->pixels,
                                frame->width_px, frame->height_px);
    }
    return s->code == SLUICE_EXIT_OK;
}

static bool wants_drawn(void *user, const struct cap_event *event, uint64_t frame)
{
    return drawn_wants(((struct shots *)user)->drawn, event, frame);
}

static bool take_drawn(void *user, const struct rep_drawn *taken, enum sl_result result)
{
    return drawn_take(((struct shots *)user)->drawn, taken, result);
}

static int end_of(const struct shots *s, const char *path, const struct cap_reader *reader,
                  const struct rep_report *report)
{
    switch (report->end) {
    case REP_END_CUT:
        if (report->unplayed.frames != 0) {
            trace_say_unplayed(report->unplayed.first_call, report->unplayed.calls,
                               report->unplayed.frames);
        } else {
            trace_say_cut(report->frames, report->calls_behind);
        }
        if (s->options->strict) {
            return SLUICE_EXIT_INCOMPLETE;
        }
        break;
    case REP_END_COMPLETE:
        break;
    case REP_END_DAMAGED:
        trace_say_damage(&report->damage, report->frames);
        return SLUICE_EXIT_DAMAGED;
    case REP_END_ASKED:
        return s->drawn != NULL ? drawn_end(s->drawn) : s->code;
    case REP_END_STUCK:
        say_error("%s: a call of frame %" PRIu64 " does not end", path, report->frames);
        return SLUICE_EXIT_LOST;
    case REP_END_FAILED:
        return trace_failed(path, reader, report->result);
    }
    return s->drawn != NULL ? drawn_end(s->drawn) : SLUICE_EXIT_OK;
}

static int play(void *user, struct replay_place *place)
{
    struct shots *s = user;
    const char *path = s->path;
    struct cap_reader *reader = s->reader;
    const struct host_options *host = &s->options->host;
    const struct drawn_set *set = &s->options->set;
    bool is_of_calls = set->is_of_calls, draws = s->drawn != NULL;
    const struct rep_options play = {
        .one_thread = draws,
        .wants_pixels = !draws,
        .no_compare = true,
        .first_frame = is_of_calls ? 0 : range_begin(&set->range),
        .stop_frame = is_of_calls ? UINT64_MAX : range_end(&set->range),
        .stop_call = is_of_calls && draws ? range_end(&set->range) : UINT64_MAX,
        .user = s,
        .frame = on_frame,
        .last_call = &place->call,
        .wants_drawn = draws ? wants_drawn : NULL,
        .drawn = draws ? take_drawn : NULL,
        .wants_frame = wants_frame};
    const struct dev_limits limits = {.resource_bytes = host->resource_bytes};
    struct rep *rep = NULL;
    struct vgd *device = NULL;
    struct rep_report report;
    s->place = place;
    sl_atomic_store_relaxed_u64(&place->run, s->options->run);
    host_prepare();
    enum sl_result result = rep_create(reader, &play, &rep);
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    struct vgd_sink sink = rep_sink(rep);
    struct hct_options driver = host->device;
    driver.restores = true;
    driver.is_watched = draws;
    driver.watched_bytes = host->resource_bytes;
    const struct hct_type *types[TRACE_TYPES];
    trace_types(reader, &driver, types);
    int code = host_make_device(types, &driver, &limits, &sink, &device);
    if (code == SLUICE_EXIT_OK) {
        rep_run(rep, device, &report);
        code = end_of(s, path, reader, &report);
        device->ops->destroy(device);
    }
    rep_destroy(rep);
    return code;
}

int replay_shots(const char *path, const struct shots_options *options, struct progress *progress)
{
    struct shots s = {.path = path, .options = options};
    int code = trace_open(path, &s.reader);
    if (code == SLUICE_EXIT_OK && options->set.kind != NULL) {
        const struct drawn_options drawn = {
            .set = &options->set, .out = options->out, .is_quiet = true};
        code = drawn_create(&drawn, &s.drawn);
    }
    if (code == SLUICE_EXIT_OK) {
        progress_through(progress, s.reader, options->runs);
        code = replay_in_worker(path, play, &s, progress);
    }
    drawn_destroy(s.drawn);
    cap_reader_close(s.reader);
    return code;
}
