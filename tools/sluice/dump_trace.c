#include "tools/sluice/dump_trace.h"
#include "tools/sluice/blobs.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/range.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace_stats.h"
#include "tools/sluice/trace.h"
#include "transport/base/clock.h"

#include <regex.h>
#include <stdio_ext.h>
#include <string.h>

#define FOLLOW_NS (20 * SL_NS_PER_MS)

struct dump {
    const char *path;
    struct cap_reader *reader;
    struct cap_merge *merge;
    struct range calls_wanted, frames, streams;
    regex_t grep;
    bool has_grep, all, follows, keep_going, strict, json;
    uint64_t limit; /* calls to print */
    struct calls *calls;
    struct schema *schema;          /* nullable */
    struct trace_stats *stats;      /* nullable */
    struct blobs_out *blobs;        /* nullable */
    uint64_t frame, calls_in_frame; /* where it is; calls since the last mark */
    uint64_t printed;
    bool is_damaged, is_cut;
};

/* Returns an exit code. */
static int read_options(struct dump *d, const struct opt_set *set)
{
    if (!range_option(set, DUMP_CALLS, &d->calls_wanted) ||
        !range_option(set, DUMP_FRAMES, &d->frames) ||
        !range_option(set, DUMP_STREAM, &d->streams)) {
        return SLUICE_EXIT_USAGE;
    }
    const char *grep = opt_text(set, DUMP_GREP);
    int wrong = grep != NULL ? regcomp(&d->grep, grep, REG_EXTENDED | REG_NOSUB) : 0;
    if (wrong != 0) {
        char why[128];
        regerror(wrong, &d->grep, why, sizeof why);
        say_error("--grep is '%s'; it should be an extended regular expression: %s", grep, why);
        return SLUICE_EXIT_USAGE;
    }
    d->has_grep = grep != NULL;
    d->all = opt_on(set, DUMP_ALL);
    d->follows = opt_on(set, DUMP_FOLLOW);
    d->keep_going = opt_on(set, DUMP_KEEP_GOING);
    d->strict = opt_on(set, DUMP_STRICT);
    d->json = opt_common_on(set, COMMON_JSON);
    d->limit = opt_text(set, DUMP_COUNT) != NULL ? opt_number(set, DUMP_COUNT) : UINT64_MAX;
    return SLUICE_EXIT_OK;
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
    if (event->kind != CAP_EVENT_CALL && !d->all) {
        return false;
    }
    if (!range_has(&d->calls_wanted, event->stamp) || !range_has(&d->frames, d->frame) ||
        !range_has(&d->streams, event->stream)) {
        return false;
    }
    return !d->has_grep || regexec(&d->grep, calls_text(d->calls, event), 0, NULL, 0) == 0;
}

/* False: no memory, or a file that cannot be written (said). */
static bool take(struct dump *d, struct cap_event *event)
{
    bool wanted = is_wanted(d, event);
    bool ok = true;
    if (d->stats != NULL) {
        ok = !wanted || event->kind != CAP_EVENT_CALL ||
             trace_stats_add(d->stats, &event->call, event->stream, d->frame);
    } else if (d->blobs != NULL) {
        ok = !wanted || blobs_out_take(d->blobs, d->merge, event);
    } else {
        calls_give(d->calls, event, d->frame, wanted);
        d->printed += wanted;
    }
    d->calls_in_frame += event->kind == CAP_EVENT_CALL;
    if (event->kind == CAP_EVENT_FRAME) {
        d->frame++;
        d->calls_in_frame = 0;
    }
    return ok;
}

static bool is_over(const struct dump *d, const struct cap_event *event)
{
    return d->printed >= d->limit || ferror(stdout) != 0 ||
           range_is_over(&d->calls_wanted, event->stamp) || range_is_over(&d->frames, d->frame);
}

/* A file that grows has no more for now. NOTFOUND: it has ended. */
static enum sl_result wait_for_more(struct dump *d)
{
    if (!d->follows || d->reader->is_complete) {
        return SL_ERR_NOTFOUND;
    }
    fflush(stdout);
    uint32_t before = d->reader->chunk_count;
    enum sl_result result = SL_OK;
    while (result == SL_OK && d->reader->chunk_count == before) {
        sl_clock_sleep_ns(FOLLOW_NS);
        result = cap_reader_scan(d->reader);
    }
    return result == SL_OK ? cap_merge_grow(d->merge) : result;
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
            if (result == SL_ERR_NOTFOUND) {
                return SLUICE_EXIT_OK;
            }
            if (result == SL_OK) {
                continue;
            }
        }
        if (result == SL_ERR_PROTOCOL) {
            d->is_damaged = true;
            trace_say_damage(&damage, d->frame);
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
        if (is_over(d, &event)) {
            return SLUICE_EXIT_OK;
        }
    }
}

static int finish(struct dump *d, int code)
{
    if (d->stats != NULL) {
        trace_stats_print(d->stats, d->json, stdout);
    }
    trace_say_skipped(d->reader);
    bool all_read = d->printed < d->limit;
    if (!d->reader->is_complete && all_read && (code == SLUICE_EXIT_OK || d->is_damaged)) {
        trace_say_cut(d->frame, d->calls_in_frame);
        d->is_cut = true;
    }
    return code != SLUICE_EXIT_OK   ? code
           : d->is_damaged          ? SLUICE_EXIT_DAMAGED
           : d->is_cut && d->strict ? SLUICE_EXIT_INCOMPLETE
                                    : SLUICE_EXIT_OK;
}

int dump_trace(const struct opt_set *set)
{
    struct dump d = {.path = set->args[0]};
    int code = read_options(&d, set);
    if (code == SLUICE_EXIT_OK) {
        code = trace_open(d.path, &d.reader);
    }
    const char *stats = opt_text(set, DUMP_STATS), *blobs = opt_text(set, DUMP_BLOBS);
    /* One thread prints: no locks. */
    __fsetlocking(stdout, FSETLOCKING_BYCALLER);
    if (code == SLUICE_EXIT_OK) {
        d.calls = calls_create(format_of(set), !opt_on(set, DUMP_NAMES), stdout);
        d.stats = stats != NULL ? trace_stats_create(by_of(stats), &d.schema) : NULL;
        d.blobs = blobs != NULL ? blobs_out_create(blobs) : NULL;
        bool all = d.calls != NULL && (stats == NULL || d.stats != NULL) &&
                   (blobs == NULL || d.blobs != NULL);
        enum sl_result result = all ? cap_merge_create(d.reader, &d.merge) : SL_ERR_NOMEM;
        code = result == SL_OK ? trace_schema(d.path, d.reader, &d.schema)
                               : trace_failed(d.path, d.reader, result);
    }
    if (code == SLUICE_EXIT_OK) {
        calls_set_schema(d.calls, d.schema);
        if (d.stats == NULL && d.blobs == NULL) {
            calls_begin(d.calls);
        }
        code = finish(&d, walk(&d));
    }
    if (d.has_grep) {
        regfree(&d.grep);
    }
    blobs_out_destroy(d.blobs);
    trace_stats_destroy(d.stats);
    calls_destroy(d.calls);
    cap_merge_destroy(d.merge);
    schema_destroy(d.schema);
    cap_reader_close(d.reader);
    return code;
}
