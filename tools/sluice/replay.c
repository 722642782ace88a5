/* sluice replay: plays a trace against this machine's drivers. */
#include "tools/sluice/replay_play.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/replay_decode.h"
#include "tools/sluice/replay_validate.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/verbs.h"

#include <stdlib.h>
#include <string.h>

static const struct opt options[] = {
    [REPLAY_BACKEND] = {.name = "backend",
                        .kind = OPT_CHOICE,
                        .value = "gpu|cpu|null|decode",
                        .fallback = "gpu",
                        .help = "all drivers; those on the CPU; none, but all else; parse "
                                "and check only"},
    [REPLAY_THREADS] = {.name = "threads",
                        .kind = OPT_CHOICE,
                        .value = "recorded|one",
                        .fallback = "recorded",
                        .help = "a thread for each of the recording's, or one after the other"},
    [REPLAY_FRAMES] = {.name = "frames",
                       .kind = OPT_TEXT,
                       .value = "RANGE",
                       .help =
                           "report these frames: from the snapshot before the first to the last"},
    [REPLAY_STOP_AFTER] = {.name = "stop-after",
                           .kind = OPT_NUMBER,
                           .value = "CALL",
                           .min = 0,
                           .max = UINT64_MAX - 1,
                           .help = "end after the call with this number"},
    [REPLAY_SKIP] = {.name = "skip",
                     .kind = OPT_TEXT,
                     .value = "RANGE",
                     .help = "leave these calls out, by number; not Vulkan's, which wait for each "
                             "other"},
    [REPLAY_PRELOAD] = {.name = "preload", .help = "read the trace into memory before the start"},
    [REPLAY_LOOP] = {.name = "loop",
                     .kind = OPT_NUMBER,
                     .value = "N",
                     .min = 1,
                     .max = 1000000,
                     .fallback = "1",
                     .help = "play its frames so often, going back from the last to the first"},
    [REPLAY_LOOP_TIME] = {.name = "loop-time",
                          .kind = OPT_REAL,
                          .value = "S",
                          .help = "play it again until so many seconds have passed"},
    [REPLAY_PACE] = {.name = "pace",
                     .kind = OPT_TEXT,
                     .value = "max|original|FPS",
                     .fallback = "max",
                     .help = "frames as fast as they can, as they came, or so many a second"},
    [REPLAY_WINDOW] = {.name = "window", .help = "show the frames"},
    [REPLAY_VALIDATE] = {.name = "validate",
                         .help = "with Khronos' validation layer; exit 1 when it finds something"},
    [REPLAY_HASH] = {.name = "hash", .help = "a line for each frame: number, size, picture's hash"},
    [REPLAY_EXPECT] = {.name = "expect",
                       .kind = OPT_TEXT,
                       .value = "FILE|live",
                       .help = "compare with lines as --hash prints, or with what was recorded"},
    [REPLAY_SHOTS] = {.name = "shots",
                      .kind = OPT_TEXT,
                      .value = "RANGE[/KIND]",
                      .help = "write these frames' pictures as PNG; 10-20/draw: after calls 10 "
                              "to 20 that are draws"},
    [REPLAY_KIND] = {.name = "kind",
                     .kind = OPT_CHOICE,
                     .value = DRAWN_KINDS,
                     .help = "with --shots: pictures after these calls of the frames, of Vulkan "
                             "after its submits"},
    [REPLAY_ATTACHMENTS] = {.name = "attachments",
                            .kind = OPT_CHOICE,
                            .value = DRAWN_ATTACHMENTS,
                            .fallback = "all",
                            .help = "pictures after calls: of these attachments"},
    [REPLAY_OUT] = {.name = "out",
                    .kind = OPT_TEXT,
                    .value = "DIR",
                    .fallback = ".",
                    .help = "where pictures go"},
    [REPLAY_FORCE] = {.name = "force", .help = "overwrite pictures"},
    [REPLAY_IGNORE_RESULTS] = {.name = "ignore-results",
                               .help = "go on when a call answers otherwise than recorded"},
    [REPLAY_KEEP_GOING] = {.name = "keep-going",
                           .help = "go on behind damage at the next snapshot; exit 5 all the same"},
    [REPLAY_PORTABLE] = {.name = "portable",
                         .help = "re-choose what another driver numbers otherwise"},
    [REPLAY_PLAN] = {.name = "plan", .help = "print what --portable changes, and play nothing"},
    [REPLAY_TIMEOUT] = {.name = "timeout",
                        .kind = OPT_NUMBER,
                        .value = "S",
                        .min = 1,
                        .max = 1000000,
                        .fallback = "60",
                        .help = "give up when a call takes so many seconds"},
    [REPLAY_STRICT] = {.name = "strict", .help = "exit 6 when the recording was cut short"},
    [REPLAY_PROGRESS] = PROGRESS_OPTION,
    HOST_OPTION_LIST(REPLAY_HOST),
};

static bool pace_read(const struct opt_set *set, struct pace *pace)
{
    const char *text = opt_text(set, REPLAY_PACE);
    char *end;
    double fps = strtod(text, &end);
    pace->is_original = strcmp(text, "original") == 0;
    bool is_fps = *text >= '0' && *text <= '9' && *end == '\0' && fps > 0 && fps <= 1e6;
    pace->fps = is_fps ? fps : 0;
    if (!is_fps && !pace->is_original && strcmp(text, "max") != 0) {
        say_error("--pace is '%s'; it should be max, original, or frames a second", text);
        return false;
    }
    return true;
}

/* In a process of its own. */
static int play_apart(struct replay *r)
{
    struct progress progress;
    progress_begin(&progress, r->set, REPLAY_PROGRESS, opt_on(r->set, REPLAY_HASH));
    progress_through(&progress, r->reader, (uint32_t)opt_number(r->set, REPLAY_LOOP));
    int code = replay_in_worker(r->path, replay_play, r, &progress);
    progress_end(&progress);
    return code;
}

static int play_validated(void *user, const char *folder)
{
    struct replay *r = user;
    bool is_late = validate_is_late(r->reader, range_begin(&r->frames));
    int code = validate_begin(folder, is_late);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    code = play_apart(r);
    uint64_t found = validate_end(folder, is_late);
    return code == SLUICE_EXIT_OK && found != 0 ? SLUICE_EXIT_DIFFERENT : code;
}

static int play(struct replay *r)
{
    if (!opt_on(r->set, REPLAY_VALIDATE)) {
        return play_apart(r);
    }
    int code = validate_find(r->reader);
    return code == SLUICE_EXIT_OK ? folder_with(play_validated, r) : code;
}

static int run(const struct opt_set *set)
{
    struct replay r = {.path = set->args[0], .set = set};
    if (!pace_read(set, &r.pace) || !range_option(set, REPLAY_FRAMES, &r.frames) ||
        !drawn_set_read(opt_text(set, REPLAY_SHOTS), opt_text(set, REPLAY_KIND),
                        opt_text(set, REPLAY_ATTACHMENTS), &r.shots) ||
        !range_option(set, REPLAY_SKIP, &r.skipped)) {
        return SLUICE_EXIT_USAGE;
    }
    if (opt_text(set, REPLAY_KIND) != NULL && opt_text(set, REPLAY_SHOTS) == NULL) {
        say_error("--kind says after which calls --shots takes pictures; give both, or neither");
        return SLUICE_EXIT_USAGE;
    }
    const struct shown_options shown = {
        .hash = opt_on(set, REPLAY_HASH),
        .expect = opt_text(set, REPLAY_EXPECT),
        .shots = opt_text(set, REPLAY_SHOTS) != NULL && r.shots.kind == NULL ? &r.shots : NULL,
        .out = opt_text(set, REPLAY_OUT),
        .pictures = {.force = opt_on(set, REPLAY_FORCE),
                     .inputs = set->args,
                     .input_count = set->arg_count},
        .json = opt_common_on(set, COMMON_JSON),
    };
    bool is_undrawn = replay_is_backend(set, "null") || replay_is_backend(set, "decode");
    bool wants_pictures = opt_on(set, REPLAY_WINDOW) || shown.hash || shown.expect != NULL ||
                          opt_text(set, REPLAY_SHOTS) != NULL;
    if (is_undrawn && opt_on(set, REPLAY_VALIDATE)) {
        say_error("--validate looks at the calls of drivers, and --backend %s makes none",
                  opt_text(set, REPLAY_BACKEND));
        return SLUICE_EXIT_USAGE;
    }
    if (is_undrawn && wants_pictures) {
        say_error("--hash, --expect, --shots and --window need pictures, which --backend %s does "
                  "not draw",
                  opt_text(set, REPLAY_BACKEND));
        return SLUICE_EXIT_USAGE;
    }
    bool seeks = range_begin(&r.frames) != 0 && !replay_is_backend(set, "decode");
    int code = (seeks ? trace_open_to_seek : trace_open)(r.path, &r.reader);
    if (code == SLUICE_EXIT_OK) {
        code = trace_has_frames(r.path, r.reader, "frames", &r.frames, false);
    }
    if (code == SLUICE_EXIT_OK && r.shots.kind == NULL) {
        code = trace_has_frames(r.path, r.reader, "shots", &r.shots.range, false);
    }
    if (code == SLUICE_EXIT_OK && (r.reader->header.flags & CAP_FILE_NOT_REPLAYABLE) != 0) {
        say_error("%s: was recorded without contents (--no-resources) and cannot be replayed",
                  r.path);
        code = SLUICE_EXIT_MISSING;
    }
    if (code == SLUICE_EXIT_OK && opt_on(set, REPLAY_PRELOAD)) {
        code = trace_preload(r.path, r.reader);
    }
    if (code == SLUICE_EXIT_OK && replay_is_backend(set, "decode")) {
        code = replay_decode(r.path, r.reader, &r.frames, opt_on(set, REPLAY_STRICT), shown.json);
        trace_say_skipped(r.reader);
    } else if (code == SLUICE_EXIT_OK) {
        code = replay_plan_read(r.path, r.reader, opt_on(set, REPLAY_PLAN), &r.plan);
        code = code == SLUICE_EXIT_OK ? shown_create(&shown, &r.shown) : code;
        if (code == SLUICE_EXIT_OK && r.shots.kind != NULL) {
            const struct drawn_options drawn = {
                .set = &r.shots, .out = shown.out, .pictures = shown.pictures, .json = shown.json};
            code = drawn_create(&drawn, &r.drawn);
        }
        if (code == SLUICE_EXIT_OK) {
            code = play(&r);
        }
    }
    shown_destroy(r.shown);
    drawn_destroy(r.drawn);
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
