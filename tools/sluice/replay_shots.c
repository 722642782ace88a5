#include "tools/sluice/replay_shots.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/trace_types.h"
#include "host/replay/rep.h"

#include <inttypes.h>
#include <stdio.h>

struct shots {
    const struct shots_options *options;
    int code;
};

static bool wants_frame(void *user, uint64_t number)
{
    const struct shots *s = user;
    return range_has(&s->options->frames, number);
}

static bool on_frame(void *user, const struct rep_frame *frame)
{
    struct shots *s = user;
    char name[64], path[PATH_MAX];
    if (!range_has(&s->options->frames, frame->number)) {
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
        s->code = picture_write(path, false, frame->pixels, frame->width_px, frame->height_px);
    }
    return s->code == SLUICE_EXIT_OK;
}

static int end_of(const struct shots *s, const char *path, const struct cap_reader *reader,
                  const struct rep_report *report)
{
    switch (report->end) {
    case REP_END_COMPLETE:
        return SLUICE_EXIT_OK;
    case REP_END_CUT:
        trace_say_cut(report->frames, report->calls_behind);
        return SLUICE_EXIT_OK;
    case REP_END_DAMAGED:
        trace_say_damage(&report->damage, report->frames);
        return SLUICE_EXIT_DAMAGED;
    case REP_END_ASKED:
        return s->code;
    case REP_END_STUCK:
        say_error("%s: a call of frame %" PRIu64 " does not end", path, report->frames);
        return SLUICE_EXIT_LOST;
    case REP_END_FAILED:
        break;
    }
    return trace_failed(path, reader, report->result);
}

static int play(const char *path, struct cap_reader *reader, struct shots *s)
{
    const struct host_options *host = &s->options->host;
    const struct rep_options play = {.wants_pixels = true,
                                     .no_compare = true,
                                     .first_frame = range_begin(&s->options->frames),
                                     .stop_frame = range_end(&s->options->frames),
                                     .stop_call = UINT64_MAX,
                                     .user = s,
                                     .frame = on_frame,
                                     .wants_frame = wants_frame};
    const struct dev_limits limits = {.resource_bytes = host->resource_bytes};
    struct rep *rep = NULL;
    struct vgd *device = NULL;
    struct rep_report report;
    enum sl_result result = rep_create(reader, &play, &rep);
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    struct vgd_sink sink = rep_sink(rep);
    struct hct_options driver = host->device;
    driver.restores = true;
    const struct hct_type *types[TRACE_TYPES];
    trace_types(reader, &driver, types);
    int code = host_make_device(types, &driver, &limits, &sink, -1, &device);
    if (code == SLUICE_EXIT_OK) {
        rep_run(rep, device, &report);
        code = end_of(s, path, reader, &report);
        device->ops->destroy(device);
    }
    rep_destroy(rep);
    return code;
}

int replay_shots(const char *path, const struct shots_options *options)
{
    struct shots s = {.options = options};
    struct cap_reader *reader;
    int code = trace_open(path, &reader);
    if (code == SLUICE_EXIT_OK) {
        code = play(path, reader, &s);
    }
    cap_reader_close(reader);
    return code;
}
