#include "tools/sluice/dump_trace.h"
#include "tools/sluice/blobs.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace_stats.h"
#include "tools/sluice/trace.h"
#include "host/capture/cap_seek.h"
#include "transport/base/clock.h"

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define FOLLOW_NS (20 * SL_NS_PER_MS)
#define HOLD_NS   SL_NS_PER_S /* a call whose result does not come is shown without it */
#define SEEK_MAX  65536u      /* most calls that are looked for in the index */

struct dump {
    const char *path;
    struct cap_reader *reader;
    struct cap_merge *merge;
    struct filter filter;
    struct progress progress;
    bool all, follows, keep_going, strict;
    enum stats_format stats_format;
    uint64_t limit; /* calls to print */
    struct calls *calls;
    struct schema *schema;     /* nullable */
    struct trace_stats *stats; /* nullable */
    struct blobs_out *blobs;   /* nullable */
    struct filter_place place;
    uint64_t calls_in_frame; /* since the last mark */
    uint64_t printed;
    bool is_damaged, is_cut;
    bool had_recorder, is_told; /* while it is followed; that there is none */
    uint64_t held_ns;           /* since when a call waits for its result; 0: none does */
};

/* --json is one document; --format jsonl a line a row. */
static enum stats_format stats_format_of(const struct opt_set *set)
{
    const char *format = opt_text(set, DUMP_FORMAT);
    return opt_common_on(set, COMMON_JSON) ? STATS_JSON
           : strcmp(format, "csv") == 0    ? STATS_CSV
           : strcmp(format, "jsonl") == 0  ? STATS_JSONL
                                           : STATS_TEXT;
}

/* Returns an exit code. */
static int read_options(struct dump *d, const struct opt_set *set)
{
    d->all = opt_on(set, DUMP_ALL);
    d->follows = opt_on(set, DUMP_FOLLOW);
    d->keep_going = opt_on(set, DUMP_KEEP_GOING);
    d->strict = opt_on(set, DUMP_STRICT);
    d->stats_format = stats_format_of(set);
    d->limit = opt_text(set, DUMP_COUNT) != NULL ? opt_number(set, DUMP_COUNT) : UINT64_MAX;
    if (opt_common_on(set, COMMON_JSON) &&
        set->values[DUMP_FORMAT].source == OPT_FROM_COMMAND_LINE &&
        strcmp(opt_text(set, DUMP_FORMAT), "jsonl") != 0) {
        say_error("--json prints JSON lines, and --format says %s; give one of them",
                  opt_text(set, DUMP_FORMAT));
        return SLUICE_EXIT_USAGE;
    }
    return filter_read(&d->filter, set, DUMP_FILTER, true);
}

static enum calls_format format_of(const struct opt_set *set)
{
    const char *format = opt_text(set, DUMP_FORMAT);
    return strcmp(format, "csv") == 0                                        ? CALLS_CSV
           : strcmp(format, "jsonl") == 0 || opt_common_on(set, COMMON_JSON) ? CALLS_JSONL
                                                                             : CALLS_TEXT;
}

static enum stats_by by_of(const char *text)
{
    return strcmp(text, "name") == 0    ? STATS_NAME
           : strcmp(text, "frame") == 0 ? STATS_FRAME
                                        : STATS_STREAM;
}

static bool is_wanted(struct dump *d, const struct cap_event *event)
{
    return (event->kind == CAP_EVENT_CALL || d->all) &&
           filter_has(&d->filter, &d->place, d->calls, event);
}

/* False: no memory, or a file that cannot be written (said). */
static bool take(struct dump *d, struct cap_event *event)
{
    bool wanted = is_wanted(d, event);
    bool ok = true;
    if (d->stats != NULL) {
        ok = !wanted || event->kind != CAP_EVENT_CALL ||
             trace_stats_add(d->stats, &event->call, event->stream, d->place.frame);
    } else if (d->blobs != NULL) {
        ok = !wanted || blobs_out_take(d->blobs, d->merge, event);
    } else {
        calls_give(d->calls, event, d->place.frame, wanted);
        d->printed += wanted;
    }
    d->calls_in_frame += event->kind == CAP_EVENT_CALL;
    filter_pass(&d->filter, &d->place, d->schema, event);
    if (event->kind == CAP_EVENT_FRAME) {
        d->calls_in_frame = 0;
    }
    return ok;
}

static bool is_over(const struct dump *d, const struct cap_event *event)
{
    return d->printed >= d->limit || ferror(stdout) != 0 ||
           filter_is_over(&d->filter, &d->place, event);
}

/* A recorder that lives has its file locked. */
static bool has_recorder(const struct cap_reader *reader)
{
    if (flock(reader->fd, LOCK_SH | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK;
    }
    (void)flock(reader->fd, LOCK_UN);
    return false;
}

/* It may be on its way from elsewhere: who waits for that can tell. */
static void say_unwritten(struct dump *d)
{
    if (!d->is_told) {
        say_note("note: %s has no end, and no recorder here writes it; waiting for more", d->path);
    }
    d->is_told = true;
}

/* Whether a call has waited for its result for long enough. */
static bool is_held_too_long(struct dump *d)
{
    uint64_t now = sl_clock_ns();
    if (!cap_merge_is_holding(d->merge)) {
        d->held_ns = 0;
        return false;
    }
    d->held_ns = d->held_ns != 0 ? d->held_ns : now;
    return now - d->held_ns >= HOLD_NS;
}

/* A file that grows has no more for now. NOTFOUND: it has ended, or its recorder is no more. */
static enum sl_result wait_for_more(struct dump *d)
{
    if (!d->follows || d->reader->is_complete) {
        return SL_ERR_NOTFOUND;
    }
    fflush(stdout);
    uint32_t before = d->reader->chunk_count;
    enum sl_result result = SL_OK;
    while (result == SL_OK && d->reader->chunk_count == before) {
        if (is_held_too_long(d)) {
            cap_merge_hold(d->merge, false);
            return SL_OK;
        }
        bool is_recorded = has_recorder(d->reader); /* first: what it wrote last is seen below */
        sl_clock_sleep_ns(FOLLOW_NS);
        result = cap_reader_scan(d->reader);
        if (result == SL_OK && d->reader->chunk_count == before && !is_recorded) {
            if (d->had_recorder) {
                return SL_ERR_NOTFOUND;
            }
            say_unwritten(d);
        }
        d->had_recorder |= is_recorded;
    }
    if (result == SL_OK) {
        cap_merge_hold(d->merge, !is_held_too_long(d));
        result = cap_merge_grow(d->merge);
    }
    return result;
}

/* What is left when nothing more comes: calls without results. */
static bool give_up_results(struct dump *d)
{
    bool is_holding = cap_merge_is_holding(d->merge);
    cap_merge_hold(d->merge, false);
    return is_holding;
}

/* Returns an exit code; what it is called after it was said. */
static int walk(struct dump *d)
{
    struct cap_event event = {0};
    struct cap_damage damage;
    for (;;) {
        enum sl_result result = cap_merge_next(d->merge, &event, &damage);
        if (result == SL_ERR_NOTFOUND) {
            result = wait_for_more(d);
            if (result == SL_ERR_NOTFOUND && !give_up_results(d)) {
                return SLUICE_EXIT_OK;
            }
            if (result == SL_OK || result == SL_ERR_NOTFOUND) {
                continue;
            }
        }
        if (result == SL_ERR_PROTOCOL) {
            d->is_damaged = true;
            trace_say_damage(&damage, d->place.frame);
            if (!d->keep_going) {
                return SLUICE_EXIT_DAMAGED;
            }
            continue;
        }
        if (result != SL_OK) {
            return trace_failed(d->path, d->reader, result);
        }
        if (!take(d, &event)) {
            return SLUICE_EXIT_FILE;
        }
        d->held_ns = 0;
        progress_step(&d->progress, d->place.frame, event.stamp);
        if (is_over(d, &event)) {
            return SLUICE_EXIT_OK;
        }
    }
}

/* No line is not the same as no trace. */
static const char *why_nothing(const struct dump *d)
{
    return filter_is_all(&d->filter) ? "there are no calls"
                                     : "no call is meant by all that was asked for";
}

static int finish(struct dump *d, int code)
{
    if (d->stats != NULL) {
        trace_stats_print(d->stats, d->stats_format, stdout);
    }
    trace_say_skipped(d->reader);
    bool prints = d->stats == NULL && d->blobs == NULL;
    if (prints && d->printed == 0 && code == SLUICE_EXIT_OK && !d->is_damaged) {
        say_note("note: %s: %s", d->path, why_nothing(d));
    }
    bool all_read = d->printed < d->limit;
    if (!d->reader->is_complete && all_read && (code == SLUICE_EXIT_OK || d->is_damaged)) {
        trace_say_cut(d->place.frame, d->calls_in_frame);
        d->is_cut = true;
    }
    return code != SLUICE_EXIT_OK   ? code
           : d->is_damaged          ? SLUICE_EXIT_DAMAGED
           : d->is_cut && d->strict ? SLUICE_EXIT_INCOMPLETE
                                    : SLUICE_EXIT_OK;
}

/* --- a few calls, by the index --- */

/* The calls that are wanted lie between two that the index can tell. */
static bool find_span(struct dump *d, uint64_t *first, uint64_t *last)
{
    const struct range *range = d->filter.calls.count != 0 ? &d->filter.calls : &d->filter.frames;
    if (d->stats != NULL || d->blobs != NULL || d->follows || d->keep_going ||
        d->filter.submits.count != 0 || range->count != 1 ||
        (d->filter.calls.count != 0 && d->filter.frames.count != 0)) {
        return false;
    }
    *first = range->parts[0].first;
    *last = range->parts[0].last;
    if (range == &d->filter.frames) {
        uint64_t unused;
        if (cap_seek_frame(d->reader, *last, &unused, last) != SL_OK ||
            cap_seek_frame(d->reader, *first, first, &unused) != SL_OK) {
            return false;
        }
    }
    return *first != 0 && *last >= *first && *last - *first < SEEK_MAX;
}

/* Every number from the first to the last is a call's or a verb's, or was not met. */
static bool walk_span(struct dump *d, uint64_t first, uint64_t last)
{
    struct cap_event event = {0};
    uint64_t met = 0;
    enum sl_result result;
    while ((result = cap_merge_next(d->merge, &event, NULL)) == SL_OK && event.stamp <= last) {
        if (event.stamp < first) {
            continue;
        }
        met += event.kind == CAP_EVENT_CALL || event.kind == CAP_EVENT_VERB;
        if (!take(d, &event)) {
            return false;
        }
        if (d->printed >= d->limit) {
            return true;
        }
    }
    return (result == SL_OK || result == SL_ERR_NOTFOUND) && met == last - first + 1;
}

/* Prints the calls that are wanted, when the index tells where they lie and nothing before them
 * decides how they are shown. False: nothing was printed. */
static bool print_span(struct dump *d, const struct opt_set *set)
{
    uint64_t first = 0, last = 0;
    char *text = NULL;
    size_t size = 0;
    FILE *out = find_span(d, &first, &last) ? open_memstream(&text, &size) : NULL;
    bool done = out != NULL && cap_seek_stamps(d->reader, first, last, &d->place.frame) == SL_OK &&
                cap_merge_create(d->reader, &d->merge) == SL_OK &&
                schema_read(d->reader, &d->schema) == SL_OK;
    d->calls = done ? calls_create(format_of(set), !opt_on(set, DUMP_NAMES), out) : NULL;
    if (d->calls != NULL) {
        calls_set_schema(d->calls, d->schema);
        calls_set_seeking(d->calls);
        calls_begin(d->calls);
    }
    done = d->calls != NULL && walk_span(d, first, last) && !calls_is_unsure(d->calls);
    if (out != NULL) {
        fclose(out);
    }
    if (done && d->schema != NULL) {
        trace_say_schema(d->path, d->schema);
    }
    if (done) {
        fwrite(text, 1, size, stdout);
    }
    free(text);
    return done;
}

/* --- the verb --- */

static void close_trace(struct dump *d)
{
    calls_destroy(d->calls);
    cap_merge_destroy(d->merge);
    schema_destroy(d->schema);
    cap_reader_close(d->reader);
    d->calls = NULL;
    d->merge = NULL;
    d->schema = NULL;
    d->reader = NULL;
    d->place = (struct filter_place){0};
    d->calls_in_frame = d->printed = 0;
}

static int print_all(struct dump *d, const struct opt_set *set)
{
    int code = trace_open(d->path, &d->reader);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    d->calls = calls_create(format_of(set), !opt_on(set, DUMP_NAMES), stdout);
    enum sl_result result =
        d->calls != NULL ? cap_merge_create(d->reader, &d->merge) : SL_ERR_NOMEM;
    code = result == SL_OK ? trace_schema(d->path, d->reader, &d->schema)
                           : trace_failed(d->path, d->reader, result);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    calls_set_schema(d->calls, d->schema);
    if (d->stats == NULL && d->blobs == NULL) {
        calls_begin(d->calls);
    }
    progress_begin(&d->progress, set, DUMP_PROGRESS, d->stats == NULL);
    progress_through(&d->progress, d->reader, 1);
    cap_merge_hold(d->merge, d->follows);
    code = walk(d);
    progress_end(&d->progress);
    return finish(d, code);
}

/* A recorder that has just made its file writes the header next. */
static void wait_for_header(const char *path)
{
    struct stat file;
    for (uint64_t begin = sl_clock_ns(); stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
                                         file.st_size == 0 &&
                                         sl_clock_ns() - begin < SL_NS_PER_S;) {
        sl_clock_sleep_ns(FOLLOW_NS);
    }
}

/* By the index where that is enough. */
static int print_trace(struct dump *d, const struct opt_set *set)
{
    bool done = false;
    if (d->follows) {
        wait_for_header(d->path);
    }
    if (strcmp(d->path, "-") != 0) {
        int code = trace_begin(d->path, &d->reader);
        if (code != SLUICE_EXIT_OK) {
            return code;
        }
        code = trace_has_frames(d->path, d->reader, "frames", &d->filter.frames, true);
        if (code != SLUICE_EXIT_OK) {
            return code;
        }
        done = print_span(d, set);
        if (!done) {
            close_trace(d);
        }
    }
    return done ? SLUICE_EXIT_OK : print_all(d, set);
}

int dump_trace(const struct opt_set *set)
{
    struct dump d = {.path = set->args[0]};
    int code = read_options(&d, set);
    const char *stats = opt_text(set, DUMP_STATS), *blobs = opt_text(set, DUMP_BLOBS);
    /* One thread prints: no locks. */
    __fsetlocking(stdout, FSETLOCKING_BYCALLER);
    if (code == SLUICE_EXIT_OK) {
        d.stats = stats != NULL ? trace_stats_create(by_of(stats), &d.schema) : NULL;
        d.blobs = blobs != NULL ? blobs_out_create(blobs, format_of(set) == CALLS_JSONL) : NULL;
        bool all = (stats == NULL || d.stats != NULL) && (blobs == NULL || d.blobs != NULL);
        code = all ? print_trace(&d, set) : trace_failed(d.path, NULL, SL_ERR_NOMEM);
    }
    filter_finish(&d.filter);
    blobs_out_destroy(d.blobs);
    trace_stats_destroy(d.stats);
    close_trace(&d);
    return code;
}
