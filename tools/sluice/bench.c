/* sluice bench: how fast a trace is played, in turns; what recording costs. */
#include "tools/sluice/bench_figures.h"
#include "tools/sluice/bench_play.h"
#include "tools/sluice/bench_record.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/filter.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/json.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/verbs.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BENCH_BACKEND,
    BENCH_RUNS,
    BENCH_FILTER,
    BENCH_LOOP_TIME = BENCH_FILTER + FILTER_SPANS,
    BENCH_THREADS,
    BENCH_ENV_A,
    BENCH_ENV_B,
    BENCH_VS,
    BENCH_FAIL_ABOVE,
    BENCH_BY_NAME,
    BENCH_GPU_TIME,
    BENCH_STRICT,
    BENCH_RECORD_COST,
    BENCH_PROGRESS,
    BENCH_HOST
};

static const struct opt options[] = {
    [BENCH_BACKEND] = {.name = "backend",
                       .kind = OPT_CHOICE,
                       .value = "gpu|cpu|null",
                       .fallback = "gpu",
                       .help = "as replay's: null leaves out what a driver draws"},
    [BENCH_RUNS] = {.name = "runs",
                    .kind = OPT_NUMBER,
                    .value = "N",
                    .min = 1,
                    .max = 1000,
                    .fallback = "10",
                    .help = "measured runs of each kind, after one that is not counted"},
    FILTER_SPAN_LIST(BENCH_FILTER),
    [BENCH_LOOP_TIME] = {.name = "loop-time",
                         .kind = OPT_REAL,
                         .value = "S",
                         .fallback = "0",
                         .help = "play so many seconds in a run, again and again"},
    [BENCH_THREADS] = {.name = "threads",
                       .kind = OPT_CHOICE,
                       .value = "recorded|one",
                       .fallback = "recorded",
                       .help = "as replay's"},
    [BENCH_ENV_A] = {.name = "env-a",
                     .kind = OPT_TEXT,
                     .value = "NAME=VALUE,...",
                     .help = "the environment of the runs, on top of this one"},
    [BENCH_ENV_B] = {.name = "env-b",
                     .kind = OPT_TEXT,
                     .value = "NAME=VALUE,...",
                     .help = "that of other runs, which take turns with them"},
    [BENCH_VS] = {.name = "vs",
                  .kind = OPT_TEXT,
                  .value = "OLD.json",
                  .help = "compare with what an earlier bench --json printed"},
    [BENCH_FAIL_ABOVE] = {.name = "fail-above",
                          .kind = OPT_REAL,
                          .value = "PERCENT",
                          .help = "exit 1 when B is so much slower than A, or this than --vs"},
    [BENCH_BY_NAME] = {.name = "by-name", .help = "what each command takes, from a run of its own"},
    [BENCH_GPU_TIME] = {.name = "gpu-time",
                        .help = "GPU time of submits, or frames of GLES, in a run of its own"},
    [BENCH_STRICT] = {.name = "strict", .help = "exit 6 when the recording was cut short"},
    [BENCH_RECORD_COST] = {.name = "record-cost",
                           .help = "what recording costs; takes no trace, writes below TMPDIR"},
    [BENCH_PROGRESS] = PROGRESS_OPTION,
    HOST_OPTION_LIST(BENCH_HOST),
};

#define RUNS_MAX 1000u

/* Runs with one environment. */
struct kind {
    const char *name, *environment;
    struct bench_run last;
    double seconds[RUNS_MAX], cpu[RUNS_MAX], frame_ms[RUNS_MAX];
    uint32_t count;
    uint64_t peak_kib;
    struct bench_figure time, cpu_time, frame;
    struct rep_cost *costs;
    uint32_t cost_count;
    struct hct_tally gpu;
    double gpu_ms; /* of all submits */
};

struct bench {
    const struct opt_set *set;
    struct bench_play play;
    struct filter filter;
    struct progress progress;
    struct kind *kinds; /* two of them */
    uint32_t kind_count;
    bool is_cut;
    double ratio; /* B to A, or this to the old one; 0: nothing to compare with */
};

/* --- runs --- */

static int run_kind(struct bench *b, struct kind *kind, bool counts)
{
    struct bench_run *run = &kind->last;
    b->play.environment = kind->environment;
    bench_play(&b->play, run, NULL);
    if (run->code != SLUICE_EXIT_OK || !counts) {
        return run->code;
    }
    kind->seconds[kind->count] = run->seconds;
    kind->cpu[kind->count] = run->cpu_seconds;
    kind->frame_ms[kind->count++] = run->frame_ms[0];
    kind->peak_kib = run->peak_kib > kind->peak_kib ? run->peak_kib : kind->peak_kib;
    return SLUICE_EXIT_OK;
}

static int by_time(const void *left, const void *right)
{
    const struct rep_cost *a = left, *b = right;
    return a->ns != b->ns ? (a->ns < b->ns ? 1 : -1) : a->opcode < b->opcode ? -1 : 1;
}

static int run_named(struct bench *b, struct kind *kind)
{
    struct bench_run run;
    kind->costs = sl_alloc_array(REP_COSTS, sizeof *kind->costs);
    if (kind->costs == NULL) {
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    b->play.environment = kind->environment;
    bench_play(&b->play, &run, kind->costs);
    for (uint32_t i = 0; i < run.cost_count; i++) {
        if (filter_has_name(&b->filter, call_name(kind->costs[i].opcode))) {
            kind->costs[kind->cost_count++] = kind->costs[i];
        }
    }
    qsort(kind->costs, kind->cost_count, sizeof *kind->costs, by_time);
    return run.code;
}

static int gpu_missing(const struct hct_tally *gpu)
{
    say_error("--gpu-time: nothing could be measured: %s",
              gpu->untold != 0 ? gpu->why
                               : "what was played has no submits of Vulkan and no frames of OpenGL "
                                 "ES");
    return SLUICE_EXIT_MISSING;
}

/* A run of its own, whose submits lie between others. */
static int run_timed(struct bench *b, struct kind *kind)
{
    struct bench_run run;
    b->play.environment = kind->environment;
    b->play.wants_gpu = true;
    bench_play(&b->play, &run, NULL);
    b->play.wants_gpu = false;
    kind->gpu = run.gpu;
    for (uint32_t i = 0; i < run.gpu.count; i++) {
        kind->gpu_ms += (double)run.gpu.list[i].ns / 1e6;
    }
    return run.code == SLUICE_EXIT_OK && run.gpu.count == 0 ? gpu_missing(&run.gpu) : run.code;
}

/* Warm-up, then A B A B. Returns an exit code. */
static int run_all(struct bench *b)
{
    uint64_t runs = opt_number(b->set, BENCH_RUNS);
    int code = SLUICE_EXIT_OK;
    for (uint64_t i = 0; i < runs + 1; i++) {
        for (uint32_t k = 0; k < b->kind_count && code == SLUICE_EXIT_OK; k++) {
            code = run_kind(b, &b->kinds[k], i != 0);
            b->progress.run++;
            progress_look(&b->progress, 0, 0);
        }
    }
    for (uint32_t k = 0; k < b->kind_count && code == SLUICE_EXIT_OK; k++) {
        struct kind *kind = &b->kinds[k];
        kind->time = bench_figure_of(kind->seconds, kind->count);
        kind->cpu_time = bench_figure_of(kind->cpu, kind->count);
        kind->frame = bench_figure_of(kind->frame_ms, kind->count);
        code = opt_on(b->set, BENCH_BY_NAME) ? run_named(b, kind) : code;
        code = code == SLUICE_EXIT_OK && opt_on(b->set, BENCH_GPU_TIME) ? run_timed(b, kind) : code;
    }
    return code;
}

/* --- comparison --- */

/* The median of A in an earlier result. */
static int read_old(const char *path, double *seconds)
{
    char text[65536], *end;
    const char *value;
    size_t size;
    FILE *file = fopen(path, "re");
    size_t got = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    text[got] = '\0';
    *seconds = json_member(text, "seconds", &value, &size) ? strtod(value, &end) : 0;
    if (*seconds <= 0) {
        say_error("--vs is '%s', which is nothing that bench --json printed%s%s", path,
                  file == NULL ? ": " : "", file == NULL ? strerror(errno) : "");
        return SLUICE_EXIT_FILE;
    }
    return SLUICE_EXIT_OK;
}

static bool is_slower(const struct bench *b)
{
    return opt_text(b->set, BENCH_FAIL_ABOVE) != NULL &&
           b->ratio > 1 + opt_real(b->set, BENCH_FAIL_ABOVE) / 100;
}

/* --- what is printed --- */

static double rate(const struct kind *kind)
{
    return kind->time.median > 0 ? (double)kind->last.calls / kind->time.median : 0;
}

static double ns_per_call(const struct kind *kind)
{
    return kind->last.calls != 0 ? kind->time.median * 1e9 / (double)kind->last.calls : 0;
}

static void print_kind(const struct kind *k)
{
    printf("%s  time %.4f s [%.4f, %.4f]  cpu %.4f s  %.0f calls/s  %.1f ns/call", k->name,
           k->time.median, k->time.low, k->time.high, k->cpu_time.median, rate(k), ns_per_call(k));
    if (k->last.frame_times != 0) {
        printf("  frame ms p50 %.3f [%.3f, %.3f] p95 %.3f max %.3f", k->frame.median, k->frame.low,
               k->frame.high, k->last.frame_ms[1], k->last.frame_ms[2]);
    }
    if (k->last.frames != 0) {
        printf("  cpu ms %.3f", k->cpu_time.median * 1e3 / (double)k->last.frames);
    }
    if (k->last.frames != 0 && k->gpu.count != 0) {
        printf("  gpu ms %.3f", k->gpu_ms / (double)(k->last.frames + k->last.lead));
    }
    printf("  peak %.1f MB  runs %u%s%s\n", (double)k->peak_kib / 1024, k->count,
           k->environment != NULL ? "  " : "", k->environment != NULL ? k->environment : "");
}

static void print_row(uint64_t count, uint64_t ns, uint32_t opcode)
{
    const char *name = call_name(opcode);
    printf("%13" PRIu64 " %12" PRIu64 " %10.1f  %s\n", count, ns, (double)ns / (double)count,
           name != NULL ? name : "unknown");
}

static void print_costs(const struct kind *kind)
{
    printf("%s %11s %12s %10s  name\n", kind->name, "calls", "ns", "ns/call");
    for (uint32_t i = 0; i < kind->cost_count; i++) {
        const struct rep_cost *c = &kind->costs[i];
        print_row(c->count, c->ns, c->opcode);
    }
}

/* As print_costs, of a GPU. */
static void print_gpu(const struct kind *kind)
{
    const struct hct_tally *gpu = &kind->gpu;
    printf("%s GPU %7s %12s %10s  name\n", kind->name, "submits", "ns", "ns/submit");
    for (uint32_t i = 0; i < gpu->count; i++) {
        const struct hct_time *t = &gpu->list[i];
        print_row(t->count, t->ns, t->opcode);
    }
    if (gpu->untold != 0) {
        printf("%13" PRIu64 " not measured: %s\n", gpu->untold, gpu->why);
    }
}

static void print_text(const struct bench *b)
{
    const struct kind *first = &b->kinds[0];
    printf("frames %" PRIu64 "  calls %" PRIu64 "  device \"%s\"\n", first->last.frames,
           first->last.calls, first->last.device);
    for (uint32_t i = 0; i < b->kind_count; i++) {
        print_kind(&b->kinds[i]);
    }
    if (b->ratio > 0) {
        printf("%s %.4f\n", b->kind_count == 2 ? "B/A" : "new/old", b->ratio);
    }
    for (uint32_t i = 0; i < b->kind_count; i++) {
        if (b->kinds[i].cost_count != 0) {
            print_costs(&b->kinds[i]);
        }
        if (b->kinds[i].gpu.count != 0) {
            print_gpu(&b->kinds[i]);
        }
    }
}

static void json_figure(const char *name, const struct bench_figure *f)
{
    printf("\"%s\": {\"median\": %.9f, \"low\": %.9f, \"high\": %.9f}", name, f->median, f->low,
           f->high);
}

/* null: it was not asked for. */
static void json_gpu(const struct hct_tally *gpu)
{
    if (gpu->count == 0) {
        fputs("null", stdout);
        return;
    }
    printf("{\"not_measured\": %" PRIu64 ", \"by_name\": [", gpu->untold);
    for (uint32_t i = 0; i < gpu->count; i++) {
        printf("%s\n  {\"name\": ", i != 0 ? "," : "");
        json_text(stdout, call_name(gpu->list[i].opcode));
        printf(", \"count\": %" PRIu64 ", \"ns\": %" PRIu64 "}", gpu->list[i].count,
               gpu->list[i].ns);
    }
    fputs("]}", stdout);
}

static void json_kind(const struct kind *k)
{
    printf("{\"name\": \"%s\", \"environment\": ", k->name);
    json_text(stdout, k->environment);
    printf(
        ", \"runs\": %u, \"calls_per_second\": %.0f, \"ns_per_call\": %.3f, \"peak_kib\": %" PRIu64
        ", ",
        k->count, rate(k), ns_per_call(k), k->peak_kib);
    json_figure("seconds", &k->time);
    fputs(", ", stdout);
    json_figure("cpu_seconds", &k->cpu_time);
    fputs(", ", stdout);
    if (k->last.frame_times != 0) {
        json_figure("frame_ms", &k->frame);
    } else {
        fputs("\"frame_ms\": null", stdout);
    }
    fputs(", \"by_name\": [", stdout);
    for (uint32_t i = 0; i < k->cost_count; i++) {
        printf("%s\n  {\"name\": ", i != 0 ? "," : "");
        json_text(stdout, call_name(k->costs[i].opcode));
        printf(", \"count\": %" PRIu64 ", \"ns\": %" PRIu64 "}", k->costs[i].count, k->costs[i].ns);
    }
    fputs("], \"gpu\": ", stdout);
    json_gpu(&k->gpu);
    fputs("}", stdout);
}

static void print_json(const struct bench *b)
{
    const struct kind *first = &b->kinds[0];
    fputs("{\"schema\": 1, \"trace\": ", stdout);
    json_text(stdout, b->play.path);
    printf(", \"complete\": %s, \"backend\": \"%s\", \"device\": ", b->is_cut ? "false" : "true",
           opt_text(b->set, BENCH_BACKEND));
    json_text(stdout, first->last.device);
    printf(", \"frames\": %" PRIu64 ", \"calls\": %" PRIu64 ", \"seconds\": %.9f, \"ratio\": ",
           first->last.frames, first->last.calls, first->time.median);
    printf(b->ratio > 0 ? "%.6f" : "null", b->ratio);
    fputs(", \"kinds\": [", stdout);
    for (uint32_t i = 0; i < b->kind_count; i++) {
        fputs(i != 0 ? ",\n " : "", stdout);
        json_kind(&b->kinds[i]);
    }
    fputs("]}\n", stdout);
}

/* --- the verb --- */

/* What of the trace is played. Returns an exit code. */
static int find_span(struct bench *b)
{
    struct filter_span span;
    int code = filter_span(&b->filter, b->play.path, b->play.reader, &span);
    b->play.first_frame = span.first_frame;
    b->play.stop_frame = span.stop_frame;
    b->play.stop_call = span.stop_call;
    return code;
}

/* What is played beside what was asked for. */
static void say_lead(const struct bench *b)
{
    const struct bench_run *run = &b->kinds[0].last;
    if (run->lead != 0) {
        say_note("note: %" PRIu64 " frames that lead to frame %" PRIu64
                 " are played too, and count in %speak memory alone; trim leaves them out",
                 run->lead, b->play.first_frame,
                 opt_on(b->set, BENCH_GPU_TIME) ? "GPU time and " : "");
    }
}

static int measure(struct bench *b)
{
    double old = 0;
    const char *vs = opt_text(b->set, BENCH_VS);
    int code = vs != NULL ? read_old(vs, &old) : SLUICE_EXIT_OK;
    code = code == SLUICE_EXIT_OK ? trace_open(b->play.path, &b->play.reader) : code;
    if (code == SLUICE_EXIT_OK) {
        b->is_cut = trace_warn_cut(b->play.path, b->play.reader);
        code = trace_has_frames(b->play.path, b->play.reader, "frames", &b->filter.frames, false);
    }
    code = code == SLUICE_EXIT_OK ? find_span(b) : code;
    if (code == SLUICE_EXIT_OK) {
        uint32_t runs = (uint32_t)opt_number(b->set, BENCH_RUNS) + 1;
        progress_begin(&b->progress, b->set, BENCH_PROGRESS, false);
        progress_through(&b->progress, b->play.reader, runs * b->kind_count);
        code = run_all(b);
        progress_end(&b->progress);
    }
    if (code == SLUICE_EXIT_OK) {
        b->ratio = old > 0              ? b->kinds[0].time.median / old
                   : b->kind_count == 2 ? b->kinds[1].time.median / b->kinds[0].time.median
                                        : 0;
        say_lead(b);
        (opt_common_on(b->set, COMMON_JSON) ? print_json : print_text)(b);
        code = b->is_cut && opt_on(b->set, BENCH_STRICT) ? SLUICE_EXIT_INCOMPLETE
               : is_slower(b)                            ? SLUICE_EXIT_DIFFERENT
                                                         : SLUICE_EXIT_OK;
    }
    cap_reader_close(b->play.reader);
    return code;
}

/* NAME=VALUE, and more behind commas. False: it was said. */
static bool is_environment(const struct opt_set *set, size_t index)
{
    const char *text = opt_text(set, index);
    for (const char *at = text; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, ","), name = strcspn(at, "=,");
        if (name == 0 || name == size || size >= BENCH_ENVIRONMENT) {
            say_error("--%s is '%s'; it should be NAME=VALUE, several with commas between, of at "
                      "most %u bytes each",
                      options[index].name, text, BENCH_ENVIRONMENT - 1);
            return false;
        }
        at += size + (at[size] == ',');
    }
    return true;
}

static int bench_trace(const struct opt_set *set)
{
    const char *backend = opt_text(set, BENCH_BACKEND), *b_env = opt_text(set, BENCH_ENV_B);
    struct bench b = {.set = set, .kind_count = b_env != NULL ? 2 : 1};
    if (opt_text(set, BENCH_FAIL_ABOVE) != NULL && b_env == NULL &&
        opt_text(set, BENCH_VS) == NULL) {
        say_error("--fail-above needs something to compare with: --env-b or --vs");
        return SLUICE_EXIT_USAGE;
    }
    if (opt_on(set, BENCH_GPU_TIME) && strcmp(backend, "null") == 0) {
        say_error("--gpu-time measures what is drawn, and --backend null draws nothing");
        return SLUICE_EXIT_USAGE;
    }
    b.play = (struct bench_play){.path = set->args[0],
                                 .seconds = opt_real(set, BENCH_LOOP_TIME),
                                 .one_thread = strcmp(opt_text(set, BENCH_THREADS), "one") == 0};
    host_options_read(set, BENCH_HOST, &b.play.host);
    b.play.host.device.null = strcmp(backend, "null") == 0;
    b.play.host.device.software = strcmp(backend, "cpu") == 0;
    if (!is_environment(set, BENCH_ENV_A) || !is_environment(set, BENCH_ENV_B)) {
        return SLUICE_EXIT_USAGE;
    }
    b.kinds = sl_alloc_array(2, sizeof *b.kinds);
    if (b.kinds == NULL) {
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    b.kinds[0].name = "A";
    b.kinds[0].environment = opt_text(set, BENCH_ENV_A);
    b.kinds[1].name = "B";
    b.kinds[1].environment = b_env;
    int code = filter_read(&b.filter, set, BENCH_FILTER, false);
    code = code == SLUICE_EXIT_OK ? measure(&b) : code;
    filter_finish(&b.filter);
    sl_free(b.kinds[0].costs);
    sl_free(b.kinds[1].costs);
    sl_free(b.kinds);
    return code;
}

static void print_record(const char *name, const struct bench_figure *f, bool json)
{
    if (json) {
        json_figure(name, f);
        fputs(", ", stdout);
    } else {
        printf("%-12s %8.2f ns/packet [%.2f, %.2f]\n", name, f->median, f->low, f->high);
    }
}

static int bench_recording(const struct opt_set *set)
{
    bool json = opt_common_on(set, COMMON_JSON);
    const char *folder = getenv("TMPDIR");
    struct bench_record r;
    bench_record(folder != NULL ? folder : "/tmp", &r);
    fputs(json ? "{\"schema\": 1, " : "", stdout);
    print_record("plain", &r.plain, json);
    print_record("armed", &r.armed, json);
    print_record("recorded", &r.recorded, json);
    print_record("recorded_4", &r.recorded_4, json);
    printf(json ? "\"bytes_per_packet\": %.3f, \"packets_per_second\": %.0f, "
                  "\"packets_per_second_4\": %.0f, \"stalls\": %llu}\n"
                : "%.2f bytes of file a packet  %.0f packets/s at most, of four rings %.0f  "
                  "%llu stalls\n",
           r.file_bytes, r.full, r.full_4, r.stalls);
    return SLUICE_EXIT_OK;
}

static int run(const struct opt_set *set)
{
    bool records = opt_on(set, BENCH_RECORD_COST);
    if (records != (set->arg_count == 0)) {
        say_error(records ? "--record-cost takes no trace" : "something is missing: a trace");
        return SLUICE_EXIT_USAGE;
    }
    return records ? bench_recording(set) : bench_trace(set);
}

const struct verb verb_bench = {
    .name = "bench",
    .summary = "how fast a trace is played",
    .usage = "[TRACE]",
    .about =
        "Plays a trace again and again, each run in a process of its own, and prints medians "
        "and between\n"
        "what they lie with 95 % confidence. With --env-b two environments take turns: A B A B.",
    .example = "sluice bench --backend null --by-name app.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 0,
    .args_max = 1,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_DIFFERENT | 1u << SLUICE_EXIT_USAGE |
             1u << SLUICE_EXIT_FILE | 1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED |
             1u << SLUICE_EXIT_INCOMPLETE | 1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_LOST |
             1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
