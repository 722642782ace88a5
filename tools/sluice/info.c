/* sluice info: what a trace says of itself, from its index alone; with --check, all of it read. */
#include "tools/sluice/info_check.h"
#include "tools/sluice/info_needs.h"
#include "tools/sluice/info_thumb.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/filter.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"
#include "host/capture/cap_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    INFO_CHECK,
    INFO_CALLS,
    INFO_REQUIREMENTS,
    INFO_THUMB,
    INFO_FORCE,
    INFO_STRICT,
    INFO_PROGRESS
};

static const struct opt options[] = {
    [INFO_CHECK] = {.name = "check", .help = "read and verify everything"},
    [INFO_CALLS] = {.name = "calls", .help = "how often each command was called, too"},
    [INFO_REQUIREMENTS] = {.name = "requirements",
                           .help = "what its calls use that a host must have, and where first"},
    [INFO_THUMB] = {.name = "thumb",
                    .kind = OPT_TEXT,
                    .value = "FILE",
                    .help = "write the small picture that it keeps of a frame, as PNG"},
    [INFO_FORCE] = {.name = "force", .letter = 'f', .help = "replace FILE"},
    [INFO_STRICT] = {.name = "strict", .help = "exit 6 when the recording was cut short"},
    [INFO_PROGRESS] = PROGRESS_OPTION,
};

struct info {
    const char *path;
    struct cap_reader *reader;
    struct cap_summary summary;
    struct schema *schema; /* nullable */
    uint64_t file_size;
    struct progress progress;
    bool is_damaged;
};

static int by_count(const void *left, const void *right)
{
    const struct cap_index_call *a = left, *b = right;
    return a->count != b->count ? (a->count < b->count ? 1 : -1) : 0;
}

/* A member of META as text: strings without their quotes, other values as they are. */
static void print_meta(const char *meta, const char *name, const char *shown)
{
    const char *value;
    size_t size;
    if (meta != NULL && json_member(meta, name, &value, &size)) {
        bool is_text = size >= 2 && value[0] == '"';
        if (size == 4 && memcmp(value, "null", 4) == 0) { /* --attach started no program */
            printf("%-11s of a host that ran\n", shown);
            return;
        }
        printf("%-11s %.*s\n", shown, (int)(is_text ? size - 2 : size),
               is_text ? value + 1 : value);
    }
}

/* Of the commands of the index: how many are of filter_kind(kind). What Vulkan's command buffers
 * carry is not in it. */
static uint64_t count_kind(const struct info *info, size_t kind)
{
    const struct cap_summary *s = &info->summary;
    uint64_t count = 0;
    regex_t pattern;
    if (!filter_compile_kind(filter_kind(kind), &pattern)) {
        return 0;
    }
    for (uint32_t i = 0; i < s->call_count; i++) {
        const char *name = schema_find(info->schema, s->calls[i].opcode).name;
        bool is_of_it = name != NULL && regexec(&pattern, name, 0, NULL, 0) == 0;
        count += is_of_it ? s->calls[i].count : 0;
    }
    regfree(&pattern);
    return count;
}

static void print_kinds(const struct info *info, bool json)
{
    const char *gap = "";
    if (!info->summary.has_index) {
        fputs(json ? ", \"kinds\": null" : "", stdout);
        return;
    }
    fputs(json ? ", \"kinds\": {" : "kinds       ", stdout);
    for (size_t i = 0; filter_kind(i) != NULL; i++) {
        char number[TRACE_NUMBER];
        uint64_t count = count_kind(info, i);
        if (json) {
            printf("%s\"%s\": %" PRIu64, gap, filter_kind(i), count);
        } else if (count != 0) {
            printf("%s%s %s", gap, filter_kind(i), trace_number(count, number));
        }
        gap = json || count != 0 ? ", " : gap;
    }
    fputs(json ? "}" : *gap == '\0' ? "none\n" : "\n", stdout);
}

static void print_id(const char *before, const uint8_t id[16], const char *after)
{
    fputs(before, stdout);
    for (int i = 0; i < 16; i++) {
        printf("%02x", id[i]);
    }
    fputs(after, stdout);
}

static void print_text(const struct info *info, bool with_calls)
{
    const struct cap_summary *s = &info->summary;
    const struct cap_totals *t = &s->totals;
    char a[TRACE_NUMBER], b[TRACE_NUMBER], c[TRACE_NUMBER];
    print_meta(s->meta, "program", "program");
    print_meta(s->meta, "arguments", "arguments");
    print_meta(s->meta, "machine", "machine");
    print_meta(s->meta, "drivers", "driver");
    print_meta(s->meta, "made_by", "made by");
    print_meta(s->meta, "memory_method", "memory");
    print_id("session     ", info->reader->header.session, "\n");
    printf("container   %u.%u\n", info->reader->header.major, info->reader->header.minor);
    if (s->has_protocol) {
        print_id("protocol    ", s->protocol, "\n");
    }
    printf("time        %.3f s\n", (double)t->time / 1e9);
    printf("frames      %s\n", trace_number(t->frames, a));
    printf("calls       %s (%s bytes, %s with replies)\n", trace_number(t->calls, a),
           trace_number(t->call_bytes, b), trace_number(t->replies, c));
    print_kinds(info, false);
    printf("streams     %s\n", trace_number(t->streams, a));
    printf("verbs       %s\n", trace_number(t->verbs, a));
    printf("memory      %s writes, %s bytes; %s stored once, %s again\n",
           trace_number(t->writes, a), trace_number(t->write_bytes, b),
           trace_number(t->blob_bytes, c), trace_number(t->shared_bytes, (char[TRACE_NUMBER]){0}));
    printf("found by    write protection %s, comparison and first looks %s\n",
           trace_number(t->scanned, a), trace_number(t->writes - t->scanned, b));
    printf("snapshots   %u", s->snapshot_count);
    if (t->snapshots != 0) {
        printf(", taken in %.1f ms", (double)t->snapshot_ns / 1e6);
    }
    putchar('\n');
    printf("file        %s bytes, %s chunks, %s bytes before compression\n",
           trace_number(info->file_size, a), trace_number(t->chunks, b),
           trace_number(t->raw_bytes, c));
    printf("complete    %s\n", s->has_end ? "yes" : "no");
    for (uint32_t i = 0; with_calls && i < s->call_count; i++) {
        const char *name = schema_find(info->schema, s->calls[i].opcode).name;
        printf("%12" PRIu64 " %14" PRIu64 "  %s\n", s->calls[i].count, s->calls[i].bytes,
               name != NULL ? name : "unknown");
    }
}

static void print_json(const struct info *info)
{
    const struct cap_summary *s = &info->summary;
    const struct cap_totals *t = &s->totals;
    fputs("{\"schema\": 1, \"file\": ", stdout);
    json_text(stdout, info->path);
    printf(", \"bytes\": %" PRIu64 ", \"container\": \"%u.%u\"", info->file_size,
           info->reader->header.major, info->reader->header.minor);
    print_id(", \"session\": \"", info->reader->header.session, "\"");
    if (s->has_protocol) {
        print_id(", \"protocol\": \"", s->protocol, "\"");
    }
    printf(", \"complete\": %s, \"damaged\": %s, \"frames\": %" PRIu64 ", \"calls\": %" PRIu64
           ", \"call_bytes\": %" PRIu64 ", \"replies\": %" PRIu64 ", \"reply_bytes\": %" PRIu64
           ", \"verbs\": %" PRIu64 ", \"streams\": %" PRIu64 ", \"writes\": %" PRIu64
           ", \"write_bytes\": %" PRIu64 ", \"blobs\": %" PRIu64 ", \"blob_bytes\": %" PRIu64
           ", \"shared_bytes\": %" PRIu64 ", \"chunks\": %" PRIu64 ", \"raw_bytes\": %" PRIu64
           ", \"stored_bytes\": %" PRIu64 ", \"time_ns\": %" PRIu64
           ", \"snapshots\": %u, \"snapshot_ns\": %" PRIu64,
           s->has_end ? "true" : "false", info->is_damaged ? "true" : "false", t->frames, t->calls,
           t->call_bytes, t->replies, t->reply_bytes, t->verbs, t->streams, t->writes,
           t->write_bytes, t->blobs, t->blob_bytes, t->shared_bytes, t->chunks, t->raw_bytes,
           t->stored_bytes, t->time, s->snapshot_count, t->snapshot_ns);
    print_kinds(info, true);
    fputs(", \"commands\": [", stdout);
    for (uint32_t i = 0; i < s->call_count; i++) {
        printf("%s\n  {\"name\": ", i != 0 ? "," : "");
        json_text(stdout, schema_find(info->schema, s->calls[i].opcode).name);
        printf(", \"capset\": %u, \"opcode\": %u, \"count\": %" PRIu64 ", \"bytes\": %" PRIu64 "}",
               s->calls[i].capset, s->calls[i].opcode, s->calls[i].count, s->calls[i].bytes);
    }
    printf("], \"meta\": %s}\n", s->meta != NULL ? s->meta : "null");
}

/* Without an end, what is complete is counted. Returns an exit code. */
static int count_cut(struct info *info)
{
    struct info_count count;
    struct trace_walk walk = {.count = &count};
    info_count_init(&count);
    progress_through(&info->progress, info->reader, 1);
    int code = trace_walk_all(info->path, info->reader, &walk, &info->progress);
    progress_end(&info->progress);
    if ((code == SLUICE_EXIT_OK || code == SLUICE_EXIT_DAMAGED) &&
        !info_count_give(&count, info->reader, &info->summary)) {
        code = trace_failed(info->path, info->reader, SL_ERR_NOMEM);
    }
    info_count_finish(&count);
    info->is_damaged = info->is_damaged || walk.damages != 0;
    if (code == SLUICE_EXIT_OK) {
        trace_say_cut(walk.frames, walk.calls_behind);
    }
    return code;
}

/* The index answers: nothing is scanned. */
static int open_it(struct info *info)
{
    struct stat file;
    int code = trace_begin(info->path, &info->reader);
    if (code == SLUICE_EXIT_OK && fstat(info->reader->fd, &file) == 0) {
        info->file_size = (uint64_t)file.st_size;
    }
    return code;
}

/* Names of commands that this build does not know; what makes no sense gives none. */
static void read_schema(struct info *info)
{
    const struct cap_summary *s = &info->summary;
    bool all = true;
    for (uint32_t i = 0; i < s->call_count; i++) {
        all = all && call_name(s->calls[i].opcode) != NULL;
    }
    if (!all && s->schema != NULL &&
        schema_parse(s->schema, s->schema_size, &info->schema) != SL_OK) {
        info->schema = NULL;
    }
}

static int show(struct info *info, const struct opt_set *set)
{
    struct cap_damage damage = {0};
    enum sl_result result = cap_summary_read(info->reader, &info->summary, &damage);
    if (result != SL_OK && result != SL_ERR_PROTOCOL) {
        return trace_failed(info->path, info->reader, result);
    }
    info->is_damaged = result == SL_ERR_PROTOCOL || info->reader->damage_count != 0;
    if (result == SL_ERR_PROTOCOL) {
        trace_say_damage(&damage, UINT64_MAX);
    }
    struct cap_summary *s = &info->summary;
    int code = s->has_end ? SLUICE_EXIT_OK : count_cut(info);
    if (code != SLUICE_EXIT_OK && code != SLUICE_EXIT_DAMAGED) {
        return code;
    }
    if (s->call_count != 0) {
        qsort(s->calls, s->call_count, sizeof *s->calls, by_count);
    }
    read_schema(info);
    if (opt_common_on(set, COMMON_JSON)) {
        print_json(info);
    } else {
        print_text(info, opt_on(set, INFO_CALLS));
    }
    return info->is_damaged                          ? SLUICE_EXIT_DAMAGED
           : !s->has_end && opt_on(set, INFO_STRICT) ? SLUICE_EXIT_INCOMPLETE
                                                     : SLUICE_EXIT_OK;
}

static int run(const struct opt_set *set)
{
    struct info info = {.path = set->args[0]};
    const char *thumb = opt_text(set, INFO_THUMB);
    const struct picture_rules rules = {
        .force = opt_on(set, INFO_FORCE), .inputs = set->args, .input_count = set->arg_count};
    if (opt_on(set, INFO_CHECK) + opt_on(set, INFO_REQUIREMENTS) + (thumb != NULL) > 1) {
        say_error("--check, --requirements and --thumb are questions of their own; ask one");
        return SLUICE_EXIT_USAGE;
    }
    if (thumb != NULL && trace_is_input(thumb, set->args, set->arg_count)) {
        return SLUICE_EXIT_USAGE;
    }
    progress_begin(&info.progress, set, INFO_PROGRESS, false);
    int code = open_it(&info);
    if (code == SLUICE_EXIT_OK) {
        bool json = opt_common_on(set, COMMON_JSON);
        code =
            thumb != NULL ? info_thumb(info.path, info.reader, thumb, &rules)
            : opt_on(set, INFO_CHECK)
                ? info_check(info.path, info.reader, opt_on(set, INFO_STRICT), json, &info.progress)
            : opt_on(set, INFO_REQUIREMENTS)
                ? info_needs(info.path, info.reader, opt_on(set, INFO_STRICT), json)
                : show(&info, set);
    }
    progress_end(&info.progress);
    cap_summary_finish(&info.summary);
    schema_destroy(info.schema);
    cap_reader_close(info.reader);
    return code;
}

const struct verb verb_info = {
    .name = "info",
    .summary = "what a trace is and holds",
    .usage = "TRACE",
    .about = "Prints what made a trace and what is in it, from its index alone, which a recording\n"
             "that was cut short lacks: what is complete in it is counted. --check reads all of it "
             "and\nverifies every byte.",
    .example = "sluice info --check app.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = 1,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED | 1u << SLUICE_EXIT_INCOMPLETE |
             1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
