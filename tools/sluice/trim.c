/* sluice trim: some frames of a trace as a trace of their own, or several traces as one. */
#include "tools/sluice/trim.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trim_output.h"
#include "tools/sluice/verbs.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TRIM_OUTPUT,
    TRIM_FRAMES,
    TRIM_STREAM,
    TRIM_LEVEL,
    TRIM_FORCE,
    TRIM_OFFLINE,
    TRIM_IGNORE_RESULTS,
    TRIM_STRICT,
    TRIM_PROGRESS,
    TRIM_HOST
};

#define TRACES_MAX 256u
/* Streams and marks that are looked at for calls that were under way at a cut. */
#define LATE_MAX 64u

static const struct opt options[] = {
    [TRIM_OUTPUT] = {.name = "output",
                     .letter = 'o',
                     .kind = OPT_TEXT,
                     .value = "OUT",
                     .help = "write there, - for stdout; never onto TRACE"},
    [TRIM_FRAMES] = {.name = "frames",
                     .kind = OPT_TEXT,
                     .value = "A-B",
                     .help = "keep these; without it all of them"},
    [TRIM_STREAM] = {.name = "stream",
                     .kind = OPT_TEXT,
                     .value = "RANGE",
                     .help =
                         "keep these streams' calls alone, as dump --stats stream numbers them"},
    [TRIM_LEVEL] = {.name = "level",
                    .letter = 'l',
                    .kind = OPT_NUMBER,
                    .value = "N",
                    .min = 0,
                    .max = 19,
                    .fallback = "9",
                    .help = "zstd level; 0 packs nothing"},
    [TRIM_FORCE] = {.name = "force", .letter = 'f', .help = "replace OUT"},
    [TRIM_OFFLINE] = {.name = "offline",
                      .help = "ask no driver: keep the calls that lead to A, however many"},
    [TRIM_IGNORE_RESULTS] = {.name = "ignore-results",
                             .help = "go on when a call before A answers otherwise than recorded"},
    [TRIM_STRICT] = {.name = "strict",
                     .help = "write nothing, and exit 6, when a recording was cut short"},
    [TRIM_PROGRESS] = PROGRESS_OPTION,
    HOST_OPTION_LIST(TRIM_HOST),
};

/* --- what is asked for --- */

static bool read_options(struct trim *t, const struct opt_set *set)
{
    struct range range;
    t->name = opt_text(set, TRIM_OUTPUT);
    t->level = (int)opt_number(set, TRIM_LEVEL);
    t->ignores_results = opt_on(set, TRIM_IGNORE_RESULTS);
    host_options_read(set, TRIM_HOST, &t->host);
    if (t->name == NULL) {
        say_error("--output is missing; name the file to write");
        return false;
    }
    if (strcmp(t->name, "-") == 0 && opt_common_on(set, COMMON_JSON)) {
        say_error("--output - and --json both write to standard output; give one of them");
        return false;
    }
    if (trace_is_input(t->name, set->args, set->arg_count)) {
        return false;
    }
    if (!range_option(set, TRIM_FRAMES, &range) || !range_option(set, TRIM_STREAM, &t->streams)) {
        return false;
    }
    t->last = UINT64_MAX;
    if (range.count > 1 || (range.count == 1 && range.parts[0].step != 1)) {
        say_error("--frames is '%s'; it must be one range like 100-109",
                  opt_text(set, TRIM_FRAMES));
        return false;
    }
    if (range.count == 1) {
        t->first = range.parts[0].first;
        t->last = range.parts[0].last;
    }
    if (set->arg_count > 1 && (range.count != 0 || t->streams.count != 0)) {
        say_error("--frames and --stream go with one trace; several are put together whole");
        return false;
    }
    if (opt_on(set, TRIM_OFFLINE) && t->host.device.gpu != NULL) {
        say_error("--offline asks no driver, and --gpu names one; give one of them");
        return false;
    }
    return true;
}

/* --- where the frames lie --- */

typedef void mark_fn(void *user, uint64_t frame, const struct cap_frame *mark);

/* Those of first to last; *count: how many there are. PROTOCOL, IO, NOMEM. */
static enum sl_result each_mark(struct cap_reader *reader, uint64_t first, uint64_t last,
                                mark_fn *visit, void *user, uint64_t *count)
{
    struct cap_payload payload = {0};
    enum sl_result result = SL_OK;
    *count = 0;
    for (uint32_t i = 0; i < reader->chunk_count && result == SL_OK; i++) {
        const struct cap_chunk *c = &reader->chunks[i];
        enum cap_damage_kind why;
        if (c->kind != CAP_KIND_FRAM || (c->flags & CAP_CHUNK_SNAPSHOT) != 0) {
            continue;
        }
        *count = c->first_record + c->records;
        uint64_t frame = first > c->first_record ? first : c->first_record;
        if (frame > last || frame >= *count) {
            continue;
        }
        result = cap_reader_load(reader, c, &payload, &why);
        for (; result == SL_OK && frame <= last && frame < *count; frame++) {
            size_t at = (size_t)(frame - c->first_record) * sizeof(struct cap_frame);
            if (payload.size < at + sizeof(struct cap_frame)) {
                result = SL_ERR_PROTOCOL;
                break;
            }
            struct cap_frame mark;
            memcpy(&mark, payload.data + at, sizeof mark);
            visit(user, frame, &mark);
        }
    }
    cap_payload_finish(&payload);
    return result;
}

struct found_mark {
    bool is_there;
    struct cap_frame mark;
};

static void on_mark(void *user, uint64_t frame, const struct cap_frame *mark)
{
    (void)frame;
    *(struct found_mark *)user = (struct found_mark){true, *mark};
}

/* The stamp that ends a frame. NOTFOUND: there is no such one, *count of them. */
static enum sl_result mark_of(struct cap_reader *reader, uint64_t frame, uint64_t *stamp,
                              uint64_t *count)
{
    struct found_mark found = {.is_there = false};
    enum sl_result result = each_mark(reader, frame, frame, on_mark, &found, count);
    *stamp = found.mark.stamp;
    return result == SL_OK && !found.is_there ? SL_ERR_NOTFOUND : result;
}

/* A mark stands where its frame was complete. The call that shows it may have begun before marks of
 * other streams that stand in front of it: such a mark's stamp is the one's before. */
struct late {
    uint64_t stamp; /* of the mark before */
    uint64_t least; /* nothing is looked for before this frame */
    uint32_t count, streams[LATE_MAX];
    bool is_late[LATE_MAX];
    uint64_t begin[LATE_MAX]; /* behind the stream's frame before */
};

static void look_behind(void *user, uint64_t frame, const struct cap_frame *mark)
{
    struct late *l = user;
    (void)frame;
    bool is_first = l->count < LATE_MAX;
    for (uint32_t i = 0; is_first && i < l->count; i++) {
        is_first = l->streams[i] != mark->stream;
    }
    if (is_first) {
        l->streams[l->count] = mark->stream;
        l->is_late[l->count] = mark->stamp == l->stamp;
        l->begin[l->count++] = l->least;
    }
    l->stamp = mark->stamp;
}

static void look_before(void *user, uint64_t frame, const struct cap_frame *mark)
{
    struct late *l = user;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->streams[i] == mark->stream) {
            l->begin[i] = frame + 1;
        }
    }
}

/* Calls that show the first frames may lie before the mark that ends the one before them: then the
 * cut is where none of them has begun, and what is shown from there to the first has no mark. */
static void find_begin(struct trim *t)
{
    struct late l = {.least = t->first > LATE_MAX ? t->first - LATE_MAX : 0};
    uint64_t count;
    t->shown = t->first;
    if (t->first == 0 || mark_of(t->reader, t->first - 1, &l.stamp, &count) != SL_OK ||
        each_mark(t->reader, t->first, t->first + LATE_MAX, look_behind, &l, &count) != SL_OK ||
        each_mark(t->reader, l.least, t->first - 1, look_before, &l, &count) != SL_OK) {
        return; /* said where it is copied */
    }
    for (uint32_t i = 0; i < l.count; i++) {
        t->first = l.is_late[i] && l.begin[i] < t->first ? l.begin[i] : t->first;
    }
}

/* Returns an exit code. What is damaged is met again when it is copied. */
static int find_frames(struct trim *t)
{
    uint64_t stamp = 0, count = 0;
    find_begin(t);
    t->begin = 1;
    t->cut = UINT64_MAX;
    if (t->first != 0) {
        enum sl_result result = mark_of(t->reader, t->first - 1, &stamp, &count);
        t->begin = result == SL_OK ? stamp + 1 : t->begin;
        if (result == SL_ERR_NOTFOUND && t->reader->is_complete && t->reader->damage_count == 0) {
            return trim_no_such_frame(t, count);
        }
    }
    if (t->last != UINT64_MAX && mark_of(t->reader, t->last, &stamp, &count) == SL_OK) {
        t->cut = stamp;
    }
    return SLUICE_EXIT_OK;
}

/* --- the way --- */

/* Stored bytes. */
struct sizes {
    uint64_t live;   /* of the snapshot */
    uint64_t before; /* between that, or the file's start, and the frames */
    uint64_t frames;
};

static struct sizes sizes_of(const struct trim *t, const struct cap_merge_snapshot *from)
{
    struct sizes sizes = {0};
    for (uint32_t i = from != NULL ? from->begin : 0; i < t->reader->chunk_count; i++) {
        const struct cap_chunk *c = &t->reader->chunks[i];
        uint64_t size = sizeof(struct cap_chunk_header) + c->stored_size;
        bool is_flagged = (c->flags & CAP_CHUNK_SNAPSHOT) != 0;
        bool is_record = c->kind == CAP_KIND_CALL || c->kind == CAP_KIND_VERB ||
                         c->kind == CAP_KIND_MEMW || c->kind == CAP_KIND_BLOB;
        if (from != NULL && i < from->end && (is_flagged || c->kind == CAP_KIND_BLOB)) {
            sizes.live += size;
        } else if (is_record && !is_flagged && c->first_stamp < t->begin) {
            sizes.before += size;
        } else if (is_record && !is_flagged && c->first_stamp <= t->cut) {
            sizes.frames += size;
        }
    }
    return sizes;
}

static uint64_t size_of(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;
}

/* Without what no frame uses of the snapshot that was just written. */
static int leave_out(struct trim *t)
{
    char path[PATH_MAX], number[TRACE_NUMBER];
    struct trim whole = {.path = t->out, .name = t->name, .out = path, .last = UINT64_MAX};
    whole.cut = UINT64_MAX;
    whole.level = t->level;
    if (snprintf(path, sizeof path, "%s" TRIM_OUTPUT_REACHED, t->out) >= (int)sizeof path) {
        return SLUICE_EXIT_OK;
    }
    int code = trace_open(t->out, &whole.reader);
    uint64_t unused = code == SLUICE_EXIT_OK ? trim_unused(&whole) : 0;
    if (unused != 0) {
        code = trim_copy(&whole, NULL);
    }
    cap_reader_close(whole.reader);
    if (unused != 0 && code == SLUICE_EXIT_OK) {
        if (rename(path, t->out) != 0) {
            return trim_refused(t);
        }
        t->unused = unused;
        say_note("left out %s bytes that these frames do not use", trace_number(unused, number));
    }
    return code;
}

/* Plays it, and keeps the calls before the frames where that cannot be, or is shorter. */
static int play_or_keep(struct trim *t, const struct cap_merge_snapshot *from,
                        const struct sizes *sizes)
{
    int code = trim_play(t);
    code = code == SLUICE_EXIT_OK ? leave_out(t) : code;
    bool is_longer =
        code == SLUICE_EXIT_OK && size_of(t->out) > sizes->live + sizes->before + sizes->frames;
    if (!is_longer && code != SLUICE_EXIT_MISSING) {
        return code;
    }
    say_note(is_longer ? "note: what lives at frame %" PRIu64
                         " is larger than the calls that lead to it: these are kept"
                       : "note: the calls that lead to frame %" PRIu64 " are kept",
             t->first);
    t->unused = 0;
    return trim_keep(t, from);
}

static int choose(struct trim *t, bool offline)
{
    enum sl_result result = cap_merge_snapshots(t->reader, &t->snapshots, &t->snapshot_count);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    int code = find_frames(t);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    const struct cap_merge_snapshot *from = trim_snapshot_before(t, t->first);
    if (t->first == 0 || (from != NULL && from->mark.frame == t->first)) {
        return trim_copy(t, t->first == 0 ? NULL : from);
    }
    const struct sizes sizes = sizes_of(t, from);
    /* What is kept may be a third of what must be there. */
    bool is_short = sizes.before / 3 <= (sizes.frames + sizes.live) / 10;
    if (t->host.device.gpu != NULL) {
        code = trim_play(t);
        return code == SLUICE_EXIT_OK ? leave_out(t) : code;
    }
    return offline || is_short ? trim_keep(t, from) : play_or_keep(t, from, &sizes);
}

/* --- what is said --- */

static void say_done(const struct trim *t, const struct opt_set *set, uint64_t size,
                     uint64_t written)
{
    char before[TRACE_NUMBER], after[TRACE_NUMBER];
    if (set->arg_count > 1) {
        say_note("joined %zu traces  %s bytes -> %s  %s bytes", set->arg_count,
                 trace_number(size, before), t->name, trace_number(written, after));
    } else {
        say_note("trimmed %s  %s bytes -> %s  %s bytes", t->path, trace_number(size, before),
                 t->name, trace_number(written, after));
    }
    if (!opt_common_on(set, COMMON_JSON)) {
        return;
    }
    fputs("{\"schema\": 1, \"traces\": [", stdout);
    for (size_t i = 0; i < set->arg_count; i++) {
        fputs(i != 0 ? ", " : "", stdout);
        json_text(stdout, set->args[i]);
    }
    printf("], \"complete\": %s, \"traces_bytes\": %" PRIu64 ", \"output\": ",
           t->is_cut ? "false" : "true", size);
    json_text(stdout, t->name);
    printf(", \"bytes\": %" PRIu64 ", \"unused_bytes\": %" PRIu64 "}\n", written, t->unused);
}

/* --- the verb --- */

/* Of an input. Returns an exit code. */
static int look_at_end(struct trim *t, const struct opt_set *set, const char *path,
                       const struct cap_reader *reader)
{
    bool is_cut = trace_warn_cut(path, reader);
    t->is_cut = t->is_cut || is_cut;
    return is_cut && opt_on(set, TRIM_STRICT) ? SLUICE_EXIT_INCOMPLETE : SLUICE_EXIT_OK;
}

/* *size: of the trace. */
static int trim_one(struct trim *t, const struct opt_set *set, uint64_t *size)
{
    t->path = set->args[0];
    int code = (t->first != 0 ? trace_open_to_seek : trace_open)(t->path, &t->reader);
    if (code == SLUICE_EXIT_OK) {
        *size = t->reader->size;
        code = look_at_end(t, set, t->path, t->reader);
    }
    if (code == SLUICE_EXIT_OK) {
        progress_begin(&t->progress, set, TRIM_PROGRESS, false);
        progress_through(&t->progress, t->reader, 1);
        code = choose(t, opt_on(set, TRIM_OFFLINE));
        progress_end(&t->progress);
        trace_say_skipped(t->reader);
    }
    sl_free(t->snapshots);
    cap_reader_close(t->reader);
    return code;
}

static bool is_of_session(const struct cap_reader *a, const struct cap_reader *b)
{
    return memcmp(a->header.session, b->header.session, sizeof a->header.session) == 0;
}

static int join_all(struct trim *t, const struct opt_set *set, uint64_t *size)
{
    struct cap_reader *readers[TRACES_MAX] = {NULL};
    uint32_t count = (uint32_t)set->arg_count;
    int code = SLUICE_EXIT_OK;
    for (uint32_t i = 0; i < count && code == SLUICE_EXIT_OK; i++) {
        code = trace_open(set->args[i], &readers[i]);
        *size += code == SLUICE_EXIT_OK ? readers[i]->size : 0;
        code = code == SLUICE_EXIT_OK ? look_at_end(t, set, set->args[i], readers[i]) : code;
        if (code == SLUICE_EXIT_OK && !is_of_session(readers[0], readers[i])) {
            say_error(
                "%s and %s are of different recordings; only files of one can be put together",
                set->args[0], set->args[i]);
            code = SLUICE_EXIT_USAGE;
        }
    }
    if (code == SLUICE_EXIT_OK) {
        t->path = set->args[0];
        t->reader = readers[0];
        t->cut = UINT64_MAX;
        code = trim_join(t, readers + 1, set->args + 1, count - 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        cap_reader_close(readers[i]);
    }
    return code;
}

static int run(const struct opt_set *set)
{
    struct trim t = {.path = set->args[0]};
    if (!read_options(&t, set)) {
        return SLUICE_EXIT_USAGE;
    }
    struct trim_output output;
    uint64_t size = 0, written = 0;
    int code = trim_output_begin(&output, t.name, opt_on(set, TRIM_FORCE));
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    t.out = output.work;
    code = (set->arg_count > 1 ? join_all : trim_one)(&t, set, &size);
    code = trim_output_end(&output, code, &written);
    if (code == SLUICE_EXIT_OK) {
        say_done(&t, set, size, written);
    }
    return code;
}

const struct verb verb_trim = {
    .name = "trim",
    .summary = "cut frames out of a trace, or put traces together",
    .usage = "-o OUT TRACE...",
    .about = "Writes frames of a trace as a trace of its own: a snapshot of the state before the "
             "first of them, and their calls.\n"
             "The snapshot is the trace's own where one lies there, with the calls behind it where "
             "they are few; else the\n"
             "trace is played up to it on this machine's drivers, and where that cannot be, or "
             "gives more, the calls before\n"
             "it are kept. Several traces of one recording become one, each from the state that it "
             "begins with.",
    .example = "sluice trim --frames 100-109 -o ten.slc app.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = TRACES_MAX,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED | 1u << SLUICE_EXIT_INCOMPLETE |
             1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_DIVERGED | 1u << SLUICE_EXIT_LOST |
             1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
