/* sluice diff: two traces, call by call. */
#include "tools/sluice/calls.h"
#include "tools/sluice/diff_lines.h"
#include "tools/sluice/range.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/verbs.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIFF_FRAMES, DIFF_STRUCTURE, DIFF_RESULTS, DIFF_LIMIT, DIFF_KEEP_GOING };

static const struct opt options[] = {
    [DIFF_FRAMES] = {.name = "frames",
                     .kind = OPT_TEXT,
                     .value = "RANGE",
                     .help = "compare these frames, counted from 0"},
    [DIFF_STRUCTURE] = {.name = "structure",
                        .help = "compare how often each command is called, not its arguments"},
    [DIFF_RESULTS] = {.name = "results", .fallback = "1", .help = "what came back counts, too"},
    [DIFF_LIMIT] = {.name = "limit",
                    .kind = OPT_NUMBER,
                    .value = "N",
                    .min = 1,
                    .max = UINT64_MAX,
                    .fallback = "1000",
                    .help = "print at most so many differing lines"},
    [DIFF_KEEP_GOING] = {.name = "keep-going", .help = "pass by what is damaged"},
};

/* One of the two traces, at a frame's begin. */
struct side {
    const char *path;
    struct cap_reader *reader;
    struct cap_merge *merge;
    struct calls *calls;
    uint64_t frame;
    struct lines lines; /* of the frame that was read last */
    bool is_over, is_damaged;
};

struct diff {
    struct side sides[2];
    struct range frames;
    bool structure, results, keep_going, json;
    uint64_t limit, printed;
    uint64_t differing; /* lines */
    uint64_t differing_frames;
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
    const char *name = call_name(sl_load_u32(event->call.packet));
    return lines_add(&side->lines, event->stream,
                     d->structure ? (name != NULL ? name : "unknown") : text);
}

/* The next frame's calls; the last one has no mark. Returns an exit code. */
static int read_frame(struct diff *d, struct side *side)
{
    struct cap_event event;
    struct cap_damage damage;
    lines_clear(&side->lines);
    bool wanted = range_has(&d->frames, side->frame);
    while (!side->is_over) {
        enum sl_result result = cap_merge_next(side->merge, &event, &damage);
        if (result == SL_ERR_NOTFOUND) {
            side->is_over = true;
        } else if (result == SL_ERR_PROTOCOL) {
            trace_say_damage(&damage, side->frame);
            side->is_damaged = true;
            if (!d->keep_going) {
                return SLUICE_EXIT_DAMAGED;
            }
        } else if (result != SL_OK) {
            return trace_failed(side->path, side->reader, result);
        } else if (event.kind == CAP_EVENT_FRAME) {
            break;
        } else if (event.kind == CAP_EVENT_CALL && wanted) {
            if (!add_call(d, side, &event)) {
                return trace_failed(side->path, side->reader, SL_ERR_NOMEM);
            }
        } else if (event.kind == CAP_EVENT_CALL) {
            calls_give(side->calls, &event, side->frame, false); /* objects keep their numbers */
        }
    }
    side->frame++;
    return SLUICE_EXIT_OK;
}

struct output {
    struct diff *diff;
    uint64_t frame;
    bool has_head;
};

static void on_line(void *user, char sign, uint32_t stream, const char *text)
{
    struct output *o = user;
    struct diff *d = o->diff;
    d->differing++;
    if (d->printed++ >= d->limit || d->json) {
        return;
    }
    if (!o->has_head) {
        printf("@@ frame %" PRIu64 "\n", o->frame);
        o->has_head = true;
    }
    printf("%c %" PRIu32 " %s\n", sign, stream, text);
}

/* Returns an exit code. */
static int compare_all(struct diff *d)
{
    struct side *a = &d->sides[0], *b = &d->sides[1];
    while (!a->is_over || !b->is_over) {
        struct output output = {.diff = d, .frame = a->frame};
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
        if (!lines_compare(&a->lines, &b->lines, on_line, &output)) {
            return trace_failed(a->path, a->reader, SL_ERR_NOMEM);
        }
        d->differing_frames += d->differing != before;
        if (range_is_over(&d->frames, a->frame)) {
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
    return result == SL_OK ? SLUICE_EXIT_OK : trace_failed(path, side->reader, result);
}

static void close_side(struct side *side)
{
    lines_finish(&side->lines);
    cap_merge_destroy(side->merge);
    calls_destroy(side->calls);
    cap_reader_close(side->reader);
}

static void print_end(const struct diff *d)
{
    uint64_t frames = d->sides[0].frame > d->sides[1].frame ? d->sides[0].frame : d->sides[1].frame;
    if (d->json) {
        printf("{\"schema\": 1, \"differ\": %s, \"differing_calls\": %" PRIu64
               ", \"differing_frames\": %" PRIu64 ", \"frames\": %" PRIu64 "}\n",
               d->differing != 0 ? "true" : "false", d->differing, d->differing_frames, frames);
        return;
    }
    if (d->printed > d->limit) {
        say_note("%" PRIu64 " more lines differ; raise --limit to see them", d->printed - d->limit);
    }
    if (d->differing != 0) {
        printf("%" PRIu64 " calls differ in %" PRIu64 " of %" PRIu64 " frames\n", d->differing,
               d->differing_frames, frames);
    }
}

static int run(const struct opt_set *set)
{
    struct diff d = {.structure = opt_on(set, DIFF_STRUCTURE),
                     .results = opt_on(set, DIFF_RESULTS),
                     .keep_going = opt_on(set, DIFF_KEEP_GOING),
                     .json = opt_common_on(set, COMMON_JSON),
                     .limit = opt_number(set, DIFF_LIMIT)};
    if (!range_parse(opt_text(set, DIFF_FRAMES), &d.frames)) {
        say_error("--frames is '%s'; it should be numbers like 7,10-20,10-,30+3,0-100/10",
                  opt_text(set, DIFF_FRAMES));
        return SLUICE_EXIT_USAGE;
    }
    int code = open_side(&d.sides[0], set->args[0]);
    if (code == SLUICE_EXIT_OK) {
        code = open_side(&d.sides[1], set->args[1]);
    }
    if (code == SLUICE_EXIT_OK) {
        code = compare_all(&d);
        print_end(&d);
    }
    bool is_damaged = d.sides[0].is_damaged || d.sides[1].is_damaged;
    close_side(&d.sides[0]);
    close_side(&d.sides[1]);
    return code != SLUICE_EXIT_OK ? code
           : is_damaged           ? SLUICE_EXIT_DAMAGED
           : d.differing != 0     ? SLUICE_EXIT_DIFFERENT
                                  : SLUICE_EXIT_OK;
}

const struct verb verb_diff = {
    .name = "diff",
    .summary = "compare two traces, call by call",
    .usage = "TRACE TRACE",
    .about = "Prints the calls that only one of two traces has, frame by frame: - first, + second, "
             "then stream and call.\n"
             "Handles are numbered as they are made, so two recordings of one program are the "
             "same.",
    .example = "sluice diff --frames 10-20 before.slc after.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 2,
    .args_max = 2,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_DIFFERENT | 1u << SLUICE_EXIT_USAGE |
             1u << SLUICE_EXIT_FILE | 1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED |
             1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
