#include "tools/sluice/host_record.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/host.h"
#include "tools/sluice/host_record_meta.h"
#include "tools/sluice/record_name.h"
#include "tools/sluice/say.h"
#include "tools/sluice/schema.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the line of a file, where others have 0 or 1: whether it has its name. */
#define NAME_DROPPED 2

/* ---- telling ---- */

static void tell(struct host_recorder *h, const char *format, ...) SL_PRINTF(2, 3);
static void tell(struct host_recorder *h, const char *format, ...)
{
    char line[HOST_RECORD_LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    char **place = &h->lines[h->line_count++ % HOST_RECORD_LINES];
    free(*place);
    *place = strdup(line);
    host_tell(h->status_fd, "%s", line);
}

void host_record_line(const struct cap_writer_report *report, const char *path, char *line,
                      size_t size)
{
    const struct cap_totals *t = &report->totals;
    snprintf(line, size,
             "recorded %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
             " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d %d %s",
             t->frames, t->calls, t->streams, t->write_bytes, t->shared_bytes, report->file_size,
             t->tap_ns, t->decode_ns, t->stall_ns, t->verbs, t->snapshots, t->snapshot_ns,
             (int)report->reason, report->error,
             report->is_dropped ? NAME_DROPPED : report->has_name, path);
}

bool host_record_take_line(struct host_recorded *r, const char *line)
{
    int has_name = 0, at = 0;
    *r = (struct host_recorded){0};
    if (sscanf(line,
               "recorded %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %d %d %d %n",
               &r->frames, &r->calls, &r->streams, &r->memory_bytes, &r->shared_bytes,
               &r->file_size, &r->tap_ns, &r->decode_ns, &r->stall_ns, &r->verbs, &r->snapshots,
               &r->snapshot_ns, &r->reason, &r->error, &has_name, &at) != 15 ||
        at == 0) {
        return false;
    }
    r->has_name = has_name == 1;
    r->is_dropped = has_name == NAME_DROPPED;
    snprintf(r->path, sizeof r->path, "%s", line + at);
    return true;
}

/* ---- begin and end ---- */

/* The exit code, and why. */
static int refused(const char *path, enum sl_result result, char *text, size_t size)
{
    switch (result) {
    case SL_ERR_INVALID:
        snprintf(text, size,
                 "%s or %s.part is there already; choose another name, or replace it with --force",
                 path, path);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_AGAIN:
        snprintf(text, size, "%s.part is being written by another recorder; choose another name",
                 path);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_NOMEM:
        snprintf(text, size, "no memory for the recording");
        return SLUICE_EXIT_INTERNAL;
    default:
        snprintf(text, size, "%s: cannot be written: %s", path, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
}

static void on_over(void *user);
static void on_lost(void *user, uint32_t ctx_id);

/* The present part of the plan. */
static void choose_span(const struct host_recorder *h, struct cap_start *start)
{
    const struct host_record *plan = &h->plan;
    if (h->part >= plan->ranges.count) {
        return;
    }
    uint64_t first = plan->ranges.parts[h->part].first, last = plan->ranges.parts[h->part].last;
    start->first = first;
    start->end = last != UINT64_MAX ? last + 1 : 0;
}

static enum sl_result start(struct host_recorder *h)
{
    const struct host_record *plan = &h->plan;
    char *meta = host_record_meta(h->device, plan, h->part);
    size_t protocol_size = 0;
    char *protocol = schema_text(&protocol_size);
    struct cap_start options = {.path = h->path,
                                .level = plan->level,
                                .force = plan->force,
                                .needs_calls = plan->needs_calls,
                                .durable = plan->durable,
                                .hashes = plan->hashes,
                                .no_contents = plan->no_contents,
                                .compares = plan->compares,
                                .max_size = plan->max_size,
                                .ring_bytes = plan->ring_bytes,
                                .ring_ns = plan->ring_ns,
                                .unit = plan->unit,
                                .counts_anew = h->file == 0,
                                .more = h->part + 1 < plan->ranges.count,
                                .frames = plan->frames,
                                .snapshot_every = plan->snapshot_every,
                                .snapshot_every_ns = plan->snapshot_every_ns,
                                .meta = meta,
                                .protocol = protocol,
                                .protocol_size = protocol_size,
                                .over = on_over,
                                .lost = on_lost,
                                .over_user = h};
    choose_span(h, &options);
    enum sl_result result =
        meta != NULL && protocol != NULL ? cap_device_start(h->recorder, &options) : SL_ERR_NOMEM;
    free(meta);
    sl_free(protocol);
    return result;
}

/* The plan's next file. Returns an exit code, and why. */
static int start_next(struct host_recorder *h, char *why, size_t size)
{
    if (!record_name_of_file(h->pattern, h->file, h->path)) {
        snprintf(why, size, "%s is too long for a file's name", h->pattern);
        return SLUICE_EXIT_USAGE;
    }
    enum sl_result result = start(h);
    if (result != SL_OK) {
        return refused(h->path, result, why, size);
    }
    h->file++;
    tell(h, "recording %s", h->path);
    return SLUICE_EXIT_OK;
}

/* The same while nobody waits for its answer. */
static void go_on(struct host_recorder *h)
{
    char why[2 * PATH_MAX + 128];
    int code = start_next(h, why, sizeof why);
    if (code != SLUICE_EXIT_OK) {
        h->is_on = false;
        tell(h, "unrecorded %d %s", code, why);
    }
}

static void tell_file(struct host_recorder *h, const char *path,
                      const struct cap_writer_report *report)
{
    char line[HOST_RECORD_LINE];
    host_record_line(report, path, line, sizeof line);
    tell(h, "%s", line);
}

/* Ends what is recorded; false: nothing is. */
static bool end(struct host_recorder *h, enum cap_end_reason reason)
{
    struct cap_writer_report report;
    if (cap_device_stop(h->recorder, reason, 0, &report) != SL_OK) {
        return false;
    }
    tell_file(h, h->path, &report);
    return true;
}

/* Ends a range and begins with the next, between which nothing goes by uncounted. */
static void change(struct host_recorder *h)
{
    struct cap_writer_report report;
    struct cap_recording *old = cap_device_release(h->recorder);
    char path[PATH_MAX];
    memcpy(path, h->path, sizeof path);
    go_on(h);
    if (!h->is_on) {
        (void)end(h, CAP_END_ASKED); /* there is none, and there will be none */
    }
    cap_device_complete(old, CAP_END_ASKED, 0, &report);
    tell_file(h, path, &report);
}

/* A range or a count is complete. */
static void on_over(void *user)
{
    struct host_recorder *h = user;
    h->part++;
    if (h->part < h->plan.ranges.count) {
        change(h);
        return;
    }
    end(h, CAP_END_ASKED);
    if (!h->plan.at_trigger) {
        h->is_on = false;
        tell(h, "over");
    }
}

/* Any thread. */
static void on_lost(void *user, uint32_t ctx_id)
{
    struct host_recorder *h = user;
    (void)ctx_id;
    if (h->plan.ring_bytes != 0) {
        sl_atomic_add(&h->losses, 1); /* a count; orders nothing */
        host_tell(h->status_fd, "trigger a context was lost");
    }
}

/* Takes the plan. Returns an exit code, and why. */
static int take_plan(struct host_recorder *h, const struct host_record *plan, char *why,
                     size_t size)
{
    if (strlen(plan->pattern) >= sizeof h->pattern) {
        snprintf(why, size, "the file's name is too long");
        return SLUICE_EXIT_USAGE;
    }
    h->plan = *plan;
    h->plan.pattern = strcpy(h->pattern, plan->pattern);
    h->part = 0;
    h->file = h->triggers = h->dumps = 0;
    sl_atomic_store_relaxed(&h->losses, 0);
    h->is_on = true;
    int code = plan->at_trigger ? SLUICE_EXIT_OK : start_next(h, why, size);
    h->is_on = code == SLUICE_EXIT_OK;
    return code;
}

int host_record_begin(struct host_recorder *h, const struct host_record *plan)
{
    char why[2 * PATH_MAX + 128];
    if (plan->pattern == NULL) {
        return SLUICE_EXIT_OK;
    }
    int code = take_plan(h, plan, why, sizeof why);
    if (code != SLUICE_EXIT_OK) {
        say_error("%s", why);
    }
    return code;
}

void host_record_end(struct host_recorder *h, enum cap_end_reason reason)
{
    end(h, reason);
    h->is_on = false;
}

void host_record_abandon(struct host_recorder *h)
{
    cap_device_abandon(h->recorder);
    h->is_on = false;
}

void host_record_finish(struct host_recorder *h)
{
    for (size_t i = 0; i < HOST_RECORD_LINES; i++) {
        free(h->lines[i]);
        h->lines[i] = NULL;
    }
}

/* ---- tools' wishes ---- */

static void write_ranges(const struct range *ranges, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%u", ranges->count);
    for (uint32_t i = 0; i < ranges->count && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, " %" PRIu64 "-%" PRIu64,
                                 ranges->parts[i].first, ranges->parts[i].last);
    }
}

/* *text moves behind them. */
static bool read_ranges(const char **text, struct range *ranges)
{
    int used = 0;
    *ranges = (struct range){0};
    if (sscanf(*text, "ranges=%u%n", &ranges->count, &used) != 1 || ranges->count > RANGE_PARTS) {
        return false;
    }
    *text += used;
    for (uint32_t i = 0; i < ranges->count; i++) {
        if (sscanf(*text, " %" SCNu64 "-%" SCNu64 "%n", &ranges->parts[i].first,
                   &ranges->parts[i].last, &used) != 2) {
            return false;
        }
        ranges->parts[i].step = ranges->parts[i].width = 1;
        *text += used;
    }
    return true;
}

bool host_record_wish(const struct host_record *r, char *text, size_t size)
{
    char ranges[RANGE_PARTS * 44 + 16];
    write_ranges(&r->ranges, ranges, sizeof ranges);
    int n = snprintf(
        text, size,
        "record start\nlevel=%d\nforce=%d\nneeds-calls=%d\ndurable=%d\nhash=%d\nbare=%d\n"
        "compare=%d\nmax-size=%" PRIu64 "\nunit=%d\nframes=%" PRIu64 "\nsnapshot-every=%" PRIu64
        " %" PRIu64 "\nring=%" PRIu64 " %" PRIu64 "\ntrigger=%d\nranges=%s\npath=%s",
        r->level, r->force, r->needs_calls, r->durable, r->hashes, r->no_contents, r->compares,
        r->max_size, (int)r->unit, r->frames, r->snapshot_every, r->snapshot_every_ns,
        r->ring_bytes, r->ring_ns, r->at_trigger, ranges, r->pattern);
    return n > 0 && (size_t)n < size;
}

static bool read_wish(const char *text, struct host_record *r)
{
    int force = 0, needs = 0, durable = 0, hashes = 0, bare = 0, compares = 0, unit = 0,
        trigger = 0, at = 0;
    bool ok =
        sscanf(text,
               "record start\nlevel=%d\nforce=%d\nneeds-calls=%d\ndurable=%d\nhash=%d\nbare=%d\n"
               "compare=%d\nmax-size=%" SCNu64 "\nunit=%d\nframes=%" SCNu64
               "\nsnapshot-every=%" SCNu64 " %" SCNu64 "\nring=%" SCNu64 " %" SCNu64
               "\ntrigger=%d\n%n",
               &r->level, &force, &needs, &durable, &hashes, &bare, &compares, &r->max_size, &unit,
               &r->frames, &r->snapshot_every, &r->snapshot_every_ns, &r->ring_bytes, &r->ring_ns,
               &trigger, &at) == 15 &&
        at != 0;
    const char *rest = text + at;
    ok = ok && read_ranges(&rest, &r->ranges) && strncmp(rest, "\npath=/", 7) == 0 &&
         strchr(rest + 7, '\n') == NULL; /* what is told of it is a line */
    r->pattern = rest + 6;
    r->force = force != 0;
    r->needs_calls = needs != 0;
    r->durable = durable != 0;
    r->hashes = hashes != 0;
    r->no_contents = bare != 0;
    r->compares = compares != 0;
    r->unit = (enum cap_unit)unit;
    r->at_trigger = trigger != 0;
    return ok && unit >= CAP_UNIT_FRAMES && unit <= CAP_UNIT_NS && r->level >= -7 &&
           r->level <= 19 && r->ring_bytes < UINT64_MAX / 4;
}

static void start_for_tool(struct host_recorder *h, const char *text, char *reply, size_t size)
{
    struct host_record record = {0};
    char why[2 * PATH_MAX + 128] = "the wish makes no sense; use host and tools of one build";
    int code = SLUICE_EXIT_VERSION;
    if (h->is_on || cap_device_is_recording(h->recorder)) {
        snprintf(reply, size, "error %d it records already; end that with --stop",
                 SLUICE_EXIT_USAGE);
        return;
    }
    uint64_t lines = h->line_count;
    if (read_wish(text, &record)) {
        code = take_plan(h, &record, why, sizeof why);
    }
    if (code == SLUICE_EXIT_OK) {
        snprintf(reply, size, "ok %" PRIu64, lines);
    } else {
        snprintf(reply, size, "error %d %s", code, why);
    }
}

static void tell_status(struct host_recorder *h, uint64_t line, char *reply, size_t size)
{
    bool is_over;
    uint64_t tries, frames = cap_device_frames(h->recorder, &is_over);
    char state[64];
    if (line < h->line_count && line + HOST_RECORD_LINES >= h->line_count) {
        const char *text = h->lines[line % HOST_RECORD_LINES];
        snprintf(reply, size, "line %s", text != NULL ? text : "");
        return;
    }
    if (!h->is_on) {
        snprintf(state, sizeof state, "none");
    } else if (!cap_device_is_recording(h->recorder)) {
        snprintf(state, sizeof state, "armed");
    } else if (cap_device_is_waiting(h->recorder, &tries)) {
        snprintf(state, sizeof state, "waiting %" PRIu64, tries);
    } else {
        snprintf(state, sizeof state, "recording %" PRIu64, frames);
    }
    uint32_t losses = sl_atomic_load_relaxed(&h->losses);
    snprintf(reply, size, "%s triggers %" PRIu64 " %s", state, h->triggers + losses,
             losses != 0 && h->triggers == 0 ? "a context was lost" : h->why);
}

static void stop_for_tool(struct host_recorder *h, char *reply, size_t size)
{
    snprintf(reply, size, "%s", h->is_on ? "ok" : "none");
    if (end(h, CAP_END_ASKED)) {
        const char *text = h->lines[(h->line_count - 1) % HOST_RECORD_LINES];
        snprintf(reply, size, "%s", text != NULL ? text : "ok");
    }
    if (h->is_on) {
        h->is_on = false;
        tell(h, "over");
    }
}

static void pull(struct host_recorder *h, const char *why, char *reply, size_t size)
{
    snprintf(reply, size, "ok %" PRIu64, h->dumps);
    if (!h->is_on || (h->plan.ring_bytes == 0 && !h->plan.at_trigger)) {
        snprintf(reply, size, "error %d nothing waits for a trigger there", SLUICE_EXIT_USAGE);
    } else if (h->plan.ring_bytes != 0) {
        h->triggers++;
        snprintf(h->why, sizeof h->why, "%s", why);
        host_tell(h->status_fd, "trigger %s", h->why);
    } else if (!end(h, CAP_END_ASKED)) {
        go_on(h);
    }
}

static void tell_dumps(const struct host_recorder *h, uint64_t before, char *reply, size_t size)
{
    if (h->dumps > before) {
        snprintf(reply, size, "dumped %s", h->dumped);
    } else {
        snprintf(reply, size, "%s", h->is_on && h->plan.ring_bytes != 0 ? "waiting" : "none");
    }
}

void host_record_tool(void *user, const char *text, char *reply, size_t size)
{
    struct host_recorder *h = user;
    uint64_t number;
    if (strncmp(text, "record start\n", 13) == 0) {
        start_for_tool(h, text, reply, size);
    } else if (strcmp(text, "record stop") == 0) {
        stop_for_tool(h, reply, size);
    } else if (sscanf(text, "record status %" SCNu64, &number) == 1) {
        tell_status(h, number, reply, size);
    } else if (strncmp(text, "record trigger ", 15) == 0) {
        pull(h, text + 15, reply, size);
    } else if (strcmp(text, "record flush") == 0) {
        cap_device_flush(h->recorder);
        snprintf(reply, size, "ok");
    } else if (strncmp(text, "record dumped ", 14) == 0) {
        h->dumps++;
        snprintf(h->dumped, sizeof h->dumped, "%s", text + 14);
        snprintf(reply, size, "ok");
    } else if (sscanf(text, "record dumps %" SCNu64, &number) == 1) {
        tell_dumps(h, number, reply, size);
    } else {
        snprintf(reply, size, "error %d this host does not know that wish", SLUICE_EXIT_VERSION);
    }
}
