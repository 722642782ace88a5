/* sluice diff: two traces, call by call or picture by picture; two folders of pictures. */
#include "tools/sluice/calls.h"
#include "tools/sluice/diff_lines.h"
#include "tools/sluice/diff_pictures.h"
#include "tools/sluice/filter.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/json.h"
#include "tools/sluice/replay_shots.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/verbs.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIFF_FILTER,
    DIFF_STRUCTURE = DIFF_FILTER + FILTER_COUNT,
    DIFF_RESULTS,
    DIFF_EPS,
    DIFF_LIMIT,
    DIFF_KEEP_GOING,
    DIFF_STRICT,
    DIFF_IMAGES,
    DIFF_SHOTS,
    DIFF_ATTACHMENTS,
    DIFF_FUZZ,
    DIFF_OUT,
    DIFF_FORCE,
    DIFF_PROGRESS,
    DIFF_HOST
};

static const struct opt options[] = {
    FILTER_LIST(DIFF_FILTER),
    [DIFF_STRUCTURE] = {.name = "structure",
                        .help = "compare how often each command is called, not its arguments"},
    [DIFF_RESULTS] = {.name = "results", .fallback = "1", .help = "what came back counts, too"},
    [DIFF_EPS] = {.name = "eps",
                  .kind = OPT_REAL,
                  .value = "NUMBER",
                  .fallback = "0",
                  .help = "arguments with a fraction may differ by so much"},
    [DIFF_LIMIT] = {.name = "limit",
                    .kind = OPT_NUMBER,
                    .value = "N",
                    .min = 1,
                    .max = UINT64_MAX,
                    .fallback = "1000",
                    .help = "print at most so many differing lines"},
    [DIFF_KEEP_GOING] = {.name = "keep-going", .help = "pass by what is damaged"},
    [DIFF_STRICT] = {.name = "strict", .help = "exit 6 when either recording was cut short"},
    [DIFF_IMAGES] = {.name = "images", .help = "compare two folders of PNG files, name by name"},
    [DIFF_SHOTS] = {.name = "shots",
                    .kind = OPT_TEXT,
                    .value = "RANGE[/KIND]",
                    .help = "replay both traces and compare these frames' pictures; with a kind, "
                            "or --kind, as replay's"},
    [DIFF_ATTACHMENTS] = {.name = "attachments",
                          .kind = OPT_CHOICE,
                          .value = DRAWN_ATTACHMENTS,
                          .fallback = "all",
                          .help = "pictures after calls: of these attachments"},
    [DIFF_FUZZ] = {.name = "fuzz",
                   .kind = OPT_NUMBER,
                   .value = "N",
                   .min = 0,
                   .max = 255,
                   .fallback = "0",
                   .help = "pictures: channels of 0 to 255 may differ by so much"},
    [DIFF_OUT] = {.name = "out",
                  .kind = OPT_TEXT,
                  .value = "DIR",
                  .help = "pictures: write difference pictures there, and index.html that shows "
                          "them side by side"},
    [DIFF_FORCE] = {.name = "force", .help = "overwrite what is in --out"},
    [DIFF_PROGRESS] = PROGRESS_OPTION,
    HOST_OPTION_LIST(DIFF_HOST),
};

/* One of the two traces, at a frame's begin. */
struct side {
    const char *path;
    struct cap_reader *reader;
    struct cap_merge *merge;
    struct calls *calls;
    struct schema *schema; /* nullable */
    struct filter_place place;
    struct lines lines; /* of the frame that was read last */
    bool is_over, is_damaged, is_cut;
};

struct diff {
    struct side sides[2];
    struct filter filter;
    struct progress progress; /* through the first */
    bool structure, results, keep_going, json;
    double eps;
    uint64_t limit, printed;
    uint64_t differing;                /* lines */
    uint64_t frames, differing_frames; /* compared; of them */
};

/* A call as it is compared: stream and text, or its name alone. */
static bool add_call(struct diff *d, struct side *side, const struct cap_event *event)
{
    struct cap_event shown = *event;
    if (!d->results) {
        shown.call.reply = NULL;
        shown.call.reply_size = 0;
        shown.call.has_reply = false;
        shown.call.is_refused = shown.call.is_lost = false;
    }
    const char *text = calls_text(side->calls, &shown);
    const char *name = schema_find(side->schema, sl_load_u32(event->call.packet)).name;
    return lines_add(&side->lines, event->stream, event->stamp,
                     d->structure ? (name != NULL ? name : "unknown") : text);
}

static bool is_wanted(const struct diff *d, const struct side *side, const struct cap_event *event)
{
    return filter_has(&d->filter, &side->place, side->calls, event);
}

/* The next frame's calls; the last one has no mark. Returns an exit code. */
static int read_frame(struct diff *d, struct side *side)
{
    struct cap_event event;
    struct cap_damage damage;
    lines_clear(&side->lines);
    uint64_t frame = side->place.frame;
    while (!side->is_over) {
        enum sl_result result = cap_merge_next(side->merge, &event, &damage);
        if (result == SL_ERR_NOTFOUND) {
            side->is_over = true;
        } else if (result == SL_ERR_PROTOCOL) {
            trace_say_damage(&damage, frame);
            side->is_damaged = true;
            if (!d->keep_going) {
                return SLUICE_EXIT_DAMAGED;
            }
        } else if (result != SL_OK) {
            return trace_failed(side->path, side->reader, result);
        } else if (event.kind == CAP_EVENT_CALL && is_wanted(d, side, &event)) {
            if (!add_call(d, side, &event)) {
                return trace_failed(side->path, side->reader, SL_ERR_NOMEM);
            }
        } else if (event.kind == CAP_EVENT_CALL) {
            calls_give(side->calls, &event, frame, false); /* objects keep their numbers */
        }
        if (result == SL_OK && side == &d->sides[0]) {
            progress_step(&d->progress, frame, event.stamp);
        }
        if (result == SL_OK) {
            filter_pass(&d->filter, &side->place, side->schema, &event);
        }
        if (side->place.frame != frame) {
            return SLUICE_EXIT_OK;
        }
    }
    side->place.frame++; /* what is behind the last mark */
    return SLUICE_EXIT_OK;
}

struct output {
    struct diff *diff;
    uint64_t frame;
    bool has_head;
};

static void print_line(const struct output *o, char sign, const struct line_of *line,
                       const char *text)
{
    printf("{\"schema\": 2, \"side\": \"%s\", \"frame\": %" PRIu64 ", \"stream\": %" PRIu32,
           sign == '-' ? "first" : "second", o->frame, line->stream);
    if (o->diff->structure) { /* one of many that are alike */
        fputs(", \"name\": ", stdout);
    } else {
        printf(", \"call\": %" PRIu64 ", \"name\": \"%.*s\", \"text\": ", line->call,
               (int)strcspn(text, "(: "), text);
    }
    json_text(stdout, text);
    fputs("}\n", stdout);
}

static void on_line(void *user, char sign, const struct line_of *line, const char *text)
{
    struct output *o = user;
    struct diff *d = o->diff;
    d->differing++;
    if (d->printed++ >= d->limit) {
        return;
    }
    if (d->json) {
        print_line(o, sign, line, text);
        return;
    }
    if (!o->has_head) {
        printf("@@ frame %" PRIu64 "\n", o->frame);
        o->has_head = true;
    }
    printf("%c %" PRIu32 " %s\n", sign, line->stream, text);
}

static void end_frame(struct diff *d, uint64_t frame, uint64_t differing)
{
    const struct lines *a = &d->sides[0].lines, *b = &d->sides[1].lines;
    d->differing_frames++;
    if (d->json) {
        printf("{\"schema\": 2, \"frame\": %" PRIu64 ", \"calls\": [%zu, %zu], "
               "\"differing_calls\": %" PRIu64 "}\n",
               frame, a->count, b->count, differing);
    }
}

/* Returns an exit code. */
static int compare_all(struct diff *d)
{
    struct side *a = &d->sides[0], *b = &d->sides[1];
    while (!a->is_over || !b->is_over) {
        struct output output = {.diff = d, .frame = a->place.frame};
        int code = read_frame(d, a);
        if (code == SLUICE_EXIT_OK) {
            code = read_frame(d, b);
        }
        if (code != SLUICE_EXIT_OK) {
            return code;
        }
        uint64_t before = d->differing;
        if (d->structure) {
            lines_sort(&a->lines);
            lines_sort(&b->lines);
        }
        if (!lines_compare(&a->lines, &b->lines, d->eps, on_line, &output)) {
            return trace_failed(a->path, a->reader, SL_ERR_NOMEM);
        }
        if (d->differing != before) {
            end_frame(d, output.frame, d->differing - before);
        }
        /* What is behind both last marks counts where it has calls. */
        bool is_frame = !a->is_over || !b->is_over || a->lines.count + b->lines.count != 0;
        d->frames += is_frame && range_has(&d->filter.frames, output.frame);
        if (range_is_over(&d->filter.frames, a->place.frame)) {
            break;
        }
    }
    return SLUICE_EXIT_OK;
}

static int open_side(struct side *side, const char *path)
{
    side->path = path;
    int code = trace_open(path, &side->reader);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    side->calls = calls_create(CALLS_TEXT, false, stdout);
    enum sl_result result =
        side->calls != NULL ? cap_merge_create(side->reader, &side->merge) : SL_ERR_NOMEM;
    if (result != SL_OK) {
        return trace_failed(path, side->reader, result);
    }
    code = trace_schema(path, side->reader, &side->schema);
    calls_set_schema(side->calls, side->schema);
    return code;
}

static void close_side(struct side *side)
{
    lines_finish(&side->lines);
    cap_merge_destroy(side->merge);
    calls_destroy(side->calls);
    schema_destroy(side->schema);
    cap_reader_close(side->reader);
}

static void print_end(const struct diff *d)
{
    if (d->printed > d->limit) {
        say_note("%" PRIu64 " more lines differ; raise --limit to see them", d->printed - d->limit);
    }
    if (d->json) {
        printf("{\"schema\": 2, \"complete\": %s, \"differ\": %s, \"differing_calls\": %" PRIu64
               ", \"differing_frames\": %" PRIu64 ", \"frames\": %" PRIu64 "}\n",
               d->sides[0].is_cut || d->sides[1].is_cut ? "false" : "true",
               d->differing != 0 ? "true" : "false", d->differing, d->differing_frames, d->frames);
        return;
    }
    if (d->differing != 0) {
        printf("%" PRIu64 " calls differ in %" PRIu64 " of %" PRIu64 " frames\n", d->differing,
               d->differing_frames, d->frames);
    }
}

static int diff_calls(const struct opt_set *set)
{
    struct diff d = {.structure = opt_on(set, DIFF_STRUCTURE),
                     .results = opt_on(set, DIFF_RESULTS),
                     .keep_going = opt_on(set, DIFF_KEEP_GOING),
                     .json = opt_common_on(set, COMMON_JSON),
                     .eps = opt_real(set, DIFF_EPS),
                     .limit = opt_number(set, DIFF_LIMIT)};
    int code = filter_read(&d.filter, set, DIFF_FILTER, true);
    code = code == SLUICE_EXIT_OK ? open_side(&d.sides[0], set->args[0]) : code;
    if (code == SLUICE_EXIT_OK) {
        code = open_side(&d.sides[1], set->args[1]);
    }
    for (uint32_t i = 0; i < 2 && code == SLUICE_EXIT_OK;
         i++) { /* one may have more than the other */
        d.sides[i].is_cut = trace_warn_cut(d.sides[i].path, d.sides[i].reader);
    }
    if (code == SLUICE_EXIT_OK) {
        progress_begin(&d.progress, set, DIFF_PROGRESS, true);
        progress_through(&d.progress, d.sides[0].reader, 1);
        code = compare_all(&d);
        progress_end(&d.progress);
        print_end(&d);
    }
    bool is_damaged = d.sides[0].is_damaged || d.sides[1].is_damaged;
    bool is_short = opt_on(set, DIFF_STRICT) && (d.sides[0].is_cut || d.sides[1].is_cut);
    close_side(&d.sides[0]);
    close_side(&d.sides[1]);
    filter_finish(&d.filter);
    return code != SLUICE_EXIT_OK ? code
           : is_damaged           ? SLUICE_EXIT_DAMAGED
           : is_short             ? SLUICE_EXIT_INCOMPLETE
           : d.differing != 0     ? SLUICE_EXIT_DIFFERENT
                                  : SLUICE_EXIT_OK;
}

/* --- pictures --- */

static int diff_folders(const struct opt_set *set, const char *const folders[2])
{
    const struct pictures_options how = {.fuzz = (uint32_t)opt_number(set, DIFF_FUZZ),
                                         .out = opt_text(set, DIFF_OUT),
                                         .names = {set->args[0], set->args[1]},
                                         .force = opt_on(set, DIFF_FORCE),
                                         .json = opt_common_on(set, COMMON_JSON)};
    struct pictures_result result;
    int code = diff_pictures(folders, &how, &result);
    if (code != SLUICE_EXIT_OK && code != SLUICE_EXIT_DIFFERENT) {
        return code;
    }
    if (how.json) {
        printf("{\"schema\": 2, \"differ\": %s, \"differing_pictures\": %" PRIu64
               ", \"pictures\": %" PRIu64 "}\n",
               result.differing != 0 ? "true" : "false", result.differing, result.pictures);
    } else if (result.differing != 0) {
        printf("%" PRIu64 " of %" PRIu64 " pictures differ\n", result.differing, result.pictures);
    }
    return code;
}

struct shots_work {
    const struct opt_set *set;
    struct shots_options shots;
};

/* Both traces' pictures go into folders in the one that is removed again: what differs is in --out.
 */
static int compare_shots(void *user, const char *base)
{
    struct shots_work *work = user;
    const struct opt_set *set = work->set;
    char folders[2][PATH_MAX];
    struct progress progress;
    int code = SLUICE_EXIT_OK;
    progress_begin(&progress, set, DIFF_PROGRESS, false);
    work->shots.runs = 2;
    for (uint32_t i = 0; i < 2 && code == SLUICE_EXIT_OK; i++) {
        code = folder_path(folders[i], base, i == 0 ? "first" : "second", true);
        work->shots.out = folders[i];
        work->shots.run = i;
        code = code == SLUICE_EXIT_OK ? replay_shots(set->args[i], &work->shots, &progress) : code;
    }
    progress_end(&progress);
    return code == SLUICE_EXIT_OK ? diff_folders(set, (const char *const[]){folders[0], folders[1]})
                                  : code;
}

static int diff_shots(const struct opt_set *set)
{
    struct shots_work work = {.set = set};
    host_options_read(set, DIFF_HOST, &work.shots.host);
    work.shots.host.device.restores = true;
    work.shots.strict = opt_on(set, DIFF_STRICT);
    if (!drawn_set_read(opt_text(set, DIFF_SHOTS), opt_text(set, DIFF_FILTER + FILTER_KIND),
                        opt_text(set, DIFF_ATTACHMENTS), &work.shots.set)) {
        return SLUICE_EXIT_USAGE;
    }
    return folder_with(compare_shots, &work);
}

static int run(const struct opt_set *set)
{
    bool images = opt_on(set, DIFF_IMAGES), shots = opt_text(set, DIFF_SHOTS) != NULL;
    if (images && shots) {
        say_error("--images compares folders and --shots traces; give one of them");
        return SLUICE_EXIT_USAGE;
    }
    return images  ? diff_folders(set, (const char *const[]){set->args[0], set->args[1]})
           : shots ? diff_shots(set)
                   : diff_calls(set);
}

const struct verb verb_diff = {
    .name = "diff",
    .summary = "compare two traces, call by call or picture by picture",
    .usage = "TRACE TRACE | --images DIR DIR",
    .about =
        "Prints the calls that only one of two traces has, frame by frame: - first, + second, "
        "then stream and call.\n"
        "Handles are numbered as they are made, so two recordings of one program are the "
        "same.\n"
        "With --shots both are replayed and their pictures compared, with --images two folders "
        "of pictures.\n"
        "--json prints a line for each call that differs, each frame that has some, each pair of "
        "pictures\n(pixels that differ, most: by up to so much, psnr_db of red, green and blue), "
        "and a last one.",
    .example = "sluice diff --frames 10-20 before.slc after.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 2,
    .args_max = 2,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_DIFFERENT | 1u << SLUICE_EXIT_USAGE |
             1u << SLUICE_EXIT_FILE | 1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED |
             1u << SLUICE_EXIT_INCOMPLETE | 1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_LOST |
             1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
