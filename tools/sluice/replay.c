/* sluice replay: plays a trace against this machine's drivers. */
#include "tools/sluice/replay_shown.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/host.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/json.h"
#include "tools/sluice/range.h"
#include "tools/sluice/replay_decode.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/verbs.h"
#include "host/replay/rep.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPLAY_BACKEND,
    REPLAY_THREADS,
    REPLAY_FRAMES,
    REPLAY_STOP_AFTER,
    REPLAY_LOOP,
    REPLAY_HASH,
    REPLAY_EXPECT,
    REPLAY_SHOTS,
    REPLAY_OUT,
    REPLAY_FORCE,
    REPLAY_IGNORE_RESULTS,
    REPLAY_TIMEOUT,
    REPLAY_STRICT,
    REPLAY_HOST
};

static const struct opt options[] = {
    [REPLAY_BACKEND] = {.name = "backend",
                        .kind = OPT_CHOICE,
                        .value = "gpu|cpu|null|decode",
                        .fallback = "gpu",
                        .help = "gpu: this machine's drivers; cpu: those that need no GPU; null: "
                                "all but what they draw; decode: parse and check only"},
    [REPLAY_THREADS] = {.name = "threads",
                        .kind = OPT_CHOICE,
                        .value = "recorded|one",
                        .fallback = "recorded",
                        .help = "a thread for each of the recording's, or one after the other"},
    [REPLAY_FRAMES] = {.name = "frames",
                       .kind = OPT_TEXT,
                       .value = "RANGE",
                       .help = "report these frames, and end after the last of them"},
    [REPLAY_STOP_AFTER] = {.name = "stop-after",
                           .kind = OPT_NUMBER,
                           .value = "CALL",
                           .min = 0,
                           .max = UINT64_MAX - 1,
                           .help = "end after the call with this number"},
    [REPLAY_LOOP] = {.name = "loop",
                     .kind = OPT_NUMBER,
                     .value = "N",
                     .min = 1,
                     .max = 1000000,
                     .fallback = "1",
                     .help = "play it so often, from its start"},
    [REPLAY_HASH] = {.name = "hash", .help = "a line for each frame: number, size, picture's hash"},
    [REPLAY_EXPECT] = {.name = "expect",
                       .kind = OPT_TEXT,
                       .value = "FILE|live",
                       .help = "compare with lines as --hash prints, or with what was recorded"},
    [REPLAY_SHOTS] = {.name = "shots",
                      .kind = OPT_TEXT,
                      .value = "RANGE",
                      .help = "write these frames' pictures as PNG files"},
    [REPLAY_OUT] = {.name = "out",
                    .kind = OPT_TEXT,
                    .value = "DIR",
                    .fallback = ".",
                    .help = "where pictures go"},
    [REPLAY_FORCE] = {.name = "force", .help = "overwrite pictures"},
    [REPLAY_IGNORE_RESULTS] = {.name = "ignore-results",
                               .help = "go on when a call answers otherwise than recorded"},
    [REPLAY_TIMEOUT] = {.name = "timeout",
                        .kind = OPT_NUMBER,
                        .value = "S",
                        .min = 1,
                        .max = 1000000,
                        .fallback = "60",
                        .help = "give up when a call takes so many seconds"},
    [REPLAY_STRICT] = {.name = "strict", .help = "exit 6 when the recording was cut short"},
    HOST_OPTION_LIST(REPLAY_HOST),
};

/* Calls before a divergence that are shown. */
#define LAST_CALLS 16u

struct replay {
    const char *path;
    const struct opt_set *set;
    struct cap_reader *reader;
    struct range frames, shots;
    struct shown *shown;
    struct calls *calls;
    char driver[LOCAL_TEXT];
    uint64_t load_ns;
    int code; /* of a callback that ended it */
    bool has_diverged;
};

/* --- what the replay tells --- */

static bool wants_frame(void *user, uint64_t number)
{
    const struct replay *r = user;
    return range_has(&r->frames, number);
}

static bool on_frame(void *user, const struct rep_frame *frame)
{
    struct replay *r = user;
    if (!range_has(&r->frames, frame->number)) {
        return true;
    }
    r->code = shown_frame(r->shown, frame);
    return r->code == SLUICE_EXIT_OK;
}

static const char *vk_result(uint32_t word, char *text, size_t size)
{
    static const struct {
        int32_t value;
        const char *name;
    } names[] = {{0, "VK_SUCCESS"},
                 {1, "VK_NOT_READY"},
                 {2, "VK_TIMEOUT"},
                 {5, "VK_INCOMPLETE"},
                 {-1, "VK_ERROR_OUT_OF_HOST_MEMORY"},
                 {-2, "VK_ERROR_OUT_OF_DEVICE_MEMORY"},
                 {-3, "VK_ERROR_INITIALIZATION_FAILED"},
                 {-4, "VK_ERROR_DEVICE_LOST"},
                 {-6, "VK_ERROR_LAYER_NOT_PRESENT"},
                 {-7, "VK_ERROR_EXTENSION_NOT_PRESENT"},
                 {-8, "VK_ERROR_FEATURE_NOT_PRESENT"},
                 {-9, "VK_ERROR_INCOMPATIBLE_DRIVER"},
                 {-10, "VK_ERROR_TOO_MANY_OBJECTS"},
                 {-11, "VK_ERROR_FORMAT_NOT_SUPPORTED"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].value == (int32_t)word) {
            return names[i].name;
        }
    }
    snprintf(text, size, "%d", (int32_t)word);
    return text;
}

/* What an answer comes to in a few words: a Vulkan result, or its size and first words. */
static void summarize(const struct cap_event_call *call, const uint8_t *reply, size_t size,
                      bool refused, bool lost, char *text, size_t room)
{
    char number[32];
    if (lost) {
        snprintf(text, room, "the end of its stream");
    } else if (refused) {
        snprintf(text, room, "a refusal");
    } else if (call->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN && size >= 4) {
        snprintf(text, room, "%s", vk_result(sl_load_u32(reply + size - 4), number, sizeof number));
    } else {
        int at = snprintf(text, room, "%zu bytes", size);
        for (size_t i = 0; i < size && i < 16; i++) {
            at += snprintf(text + at, room - (size_t)at, i == 0 ? " %02x" : "%02x", reply[i]);
        }
    }
}

/* The calls before it, from the trace. */
static void say_last_calls(struct replay *r, uint64_t stamp)
{
    struct cap_reader *reader = NULL;
    struct cap_merge *merge = NULL;
    struct cap_event event;
    if (r->calls == NULL || trace_open(r->path, &reader) != SLUICE_EXIT_OK ||
        cap_merge_create(reader, &merge) != SL_OK) {
        cap_reader_close(reader);
        return;
    }
    char *lines[LAST_CALLS] = {0};
    uint64_t count = 0;
    while (cap_merge_next(merge, &event, NULL) == SL_OK && event.stamp <= stamp) {
        if (event.kind == CAP_EVENT_CALL) {
            const char *text = calls_text(r->calls, &event);
            char line[256];
            snprintf(line, sizeof line, "%" PRIu64 " %s", event.stamp, text);
            free(lines[count % LAST_CALLS]);
            lines[count++ % LAST_CALLS] = strdup(line);
        }
    }
    for (uint64_t i = count < LAST_CALLS ? 0 : count - LAST_CALLS; i < count; i++) {
        say_note("  %s", lines[i % LAST_CALLS]);
    }
    for (uint32_t i = 0; i < LAST_CALLS; i++) {
        free(lines[i]);
    }
    cap_merge_destroy(merge);
    cap_reader_close(reader);
}

static bool on_diverged(void *user, const struct rep_answer *answer)
{
    struct replay *r = user;
    const struct cap_event *event = answer->event;
    char number[TRACE_NUMBER], was[160], is[160];
    const char *name = "a verb";
    if (event->kind == CAP_EVENT_CALL) {
        const struct cap_event_call *call = &event->call;
        name = call_name(sl_load_u32(call->packet));
        summarize(call, call->reply, call->reply_size, call->is_refused, call->is_lost, was,
                  sizeof was);
        summarize(call, answer->reply, answer->reply_size, answer->is_refused, answer->is_lost, is,
                  sizeof is);
    } else {
        enum sl_result result = event->verb.has_result ? (enum sl_result)event->verb.result : SL_OK;
        snprintf(was, sizeof was, "%s", sl_result_name(result));
        snprintf(is, sizeof is, "%s", sl_result_name(answer->result));
    }
    bool goes_on = opt_on(r->set, REPLAY_IGNORE_RESULTS);
    (goes_on ? say_note : say_error)("diverged at call %s (frame %" PRIu64
                                     ") %s: recorded %s, got %s",
                                     trace_number(event->stamp, number), answer->frame,
                                     name != NULL ? name : "unknown", was, is);
    r->has_diverged = true;
    if (!goes_on) {
        say_last_calls(r, event->stamp);
    }
    return goes_on;
}

/* --- one run --- */

static int end_of(struct replay *r, const struct rep_report *report)
{
    char number[TRACE_NUMBER];
    switch (report->end) {
    case REP_END_COMPLETE:
        return SLUICE_EXIT_OK;
    case REP_END_CUT:
        trace_say_cut(report->frames, report->calls_behind);
        return opt_on(r->set, REPLAY_STRICT) ? SLUICE_EXIT_INCOMPLETE : SLUICE_EXIT_OK;
    case REP_END_DAMAGED:
        trace_say_damage(&report->damage, report->frames);
        return SLUICE_EXIT_DAMAGED;
    case REP_END_ASKED:
        return r->code != SLUICE_EXIT_OK ? r->code : SLUICE_EXIT_DIVERGED;
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

static bool is_backend(const struct opt_set *set, const char *name)
{
    return strcmp(opt_text(set, REPLAY_BACKEND), name) == 0;
}

static int play_once(struct replay *r, const struct host_options *host, struct rep_report *report)
{
    const struct opt_set *set = r->set;
    bool wants = opt_on(set, REPLAY_HASH) || opt_text(set, REPLAY_EXPECT) != NULL;
    const struct rep_options play = {
        .one_thread = strcmp(opt_text(set, REPLAY_THREADS), "one") == 0,
        .wants_hashes = wants,
        .wants_pixels = opt_text(set, REPLAY_SHOTS) != NULL || opt_text(set, REPLAY_EXPECT) != NULL,
        .no_compare = is_backend(set, "null"),
        .stop_frame = range_end(&r->frames),
        .stop_call = opt_text(set, REPLAY_STOP_AFTER) != NULL
                         ? opt_number(set, REPLAY_STOP_AFTER) + 1
                         : UINT64_MAX,
        .patience_ns = opt_number(set, REPLAY_TIMEOUT) * SL_NS_PER_S,
        .user = r,
        .frame = on_frame,
        .wants_frame = wants_frame,
        .diverged = on_diverged,
    };
    struct rep *rep = NULL;
    struct vgd *device = NULL;
    uint64_t begin = sl_clock_ns();
    enum sl_result result = rep_create(r->reader, &play, &rep);
    if (result != SL_OK) {
        return trace_failed(r->path, r->reader, result);
    }
    struct vgd_sink sink = rep_sink(rep);
    const struct dev_limits limits = {.resource_bytes = host->resource_bytes};
    struct hct_options driver = host->device;
    driver.restores = true;
    int code = host_make_device(dev_all_types, &driver, &limits, &sink, -1, &device);
    if (code == SLUICE_EXIT_OK) {
        device->ops->describe(device, r->driver, sizeof r->driver);
        r->load_ns = sl_clock_ns() - begin;
        shown_begin(r->shown);
        rep_run(rep, device, report);
        code = end_of(r, report);
        device->ops->destroy(device);
    }
    rep_destroy(rep);
    return code;
}

static int play(struct replay *r)
{
    struct host_options host = {0};
    struct rep_report report = {0}, all = {0};
    host_options_read(r->set, REPLAY_HOST, &host);
    host.device.software = is_backend(r->set, "cpu");
    host.device.null = is_backend(r->set, "null");
    host_prepare();
    int code = SLUICE_EXIT_OK;
    for (uint64_t i = 0; code == SLUICE_EXIT_OK && i < opt_number(r->set, REPLAY_LOOP); i++) {
        code = play_once(r, &host, &report);
        all.frames += report.frames;
        all.calls += report.calls;
        all.time_ns += report.time_ns;
    }
    trace_say_skipped(r->reader);
    if (r->driver[0] != '\0') {
        shown_last_line(r->shown, &all, r->load_ns, r->driver);
    }
    return code != SLUICE_EXIT_OK    ? code
           : shown_differs(r->shown) ? SLUICE_EXIT_DIFFERENT
           : r->has_diverged         ? SLUICE_EXIT_DIVERGED
                                     : SLUICE_EXIT_OK;
}

static int run(const struct opt_set *set)
{
    struct replay r = {.path = set->args[0], .set = set};
    if (!range_option(set, REPLAY_FRAMES, &r.frames) ||
        !range_option(set, REPLAY_SHOTS, &r.shots)) {
        return SLUICE_EXIT_USAGE;
    }
    const struct shown_options shown = {
        .hash = opt_on(set, REPLAY_HASH),
        .expect = opt_text(set, REPLAY_EXPECT),
        .shots = opt_text(set, REPLAY_SHOTS) != NULL ? &r.shots : NULL,
        .out = opt_text(set, REPLAY_OUT),
        .force = opt_on(set, REPLAY_FORCE),
        .json = opt_common_on(set, COMMON_JSON),
    };
    bool wants_pictures = shown.hash || shown.expect != NULL || shown.shots != NULL;
    if (wants_pictures && (is_backend(set, "null") || is_backend(set, "decode"))) {
        say_error("--hash, --expect and --shots need pictures, which --backend %s does not draw",
                  opt_text(set, REPLAY_BACKEND));
        return SLUICE_EXIT_USAGE;
    }
    int code = trace_open(r.path, &r.reader);
    if (code == SLUICE_EXIT_OK && (r.reader->header.flags & CAP_FILE_NOT_REPLAYABLE) != 0) {
        say_error("%s: was recorded without contents (--no-resources) and cannot be replayed",
                  r.path);
        code = SLUICE_EXIT_MISSING;
    }
    if (code == SLUICE_EXIT_OK && is_backend(set, "decode")) {
        code = replay_decode(r.path, r.reader, opt_on(set, REPLAY_STRICT), shown.json);
    } else if (code == SLUICE_EXIT_OK) {
        code = shown_create(&shown, &r.shown);
        if (code == SLUICE_EXIT_OK) {
            r.calls = calls_create(CALLS_TEXT, false, stderr);
            code = play(&r);
        }
    }
    calls_destroy(r.calls);
    shown_destroy(r.shown);
    cap_reader_close(r.reader);
    return code;
}

const struct verb verb_replay = {
    .name = "replay",
    .summary = "play a trace on this machine's drivers",
    .usage = "TRACE",
    .about = "Asks of this machine's drivers what the recorded program asked, offscreen, and "
             "compares every answer.\n"
             "The program itself is not needed. The last line says how long frames took.",
    .example = "sluice replay --hash --shots 0,100 --out pictures app.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = 1,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_DIFFERENT | 1u << SLUICE_EXIT_USAGE |
             1u << SLUICE_EXIT_FILE | 1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED |
             1u << SLUICE_EXIT_INCOMPLETE | 1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_DIVERGED |
             1u << SLUICE_EXIT_LOST | 1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
