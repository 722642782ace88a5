#include "tools/sluice/bench_play.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/trace_types.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES_MAX 1000000u

/* What the child fills; the parent reads it when that has ended. */
struct shared {
    struct bench_run run;
    struct rep_cost costs[REP_COSTS];
    struct rep_cost lead[REP_COSTS]; /* the child's own */
};

struct playing {
    const struct bench_play *play;
    struct shared *shared;
    double *frames; /* ms; NULL: no memory, no times */
    uint32_t frame_count;
    uint64_t last_ns;
    struct hct_times times;
    struct rep *rep;
    const struct rep_report *report;
    /* When what was asked for began: what had come before it. */
    uint64_t begin_ns, begin_cpu_ns, calls;
    struct rep_cost *costs; /* REP_COSTS of them; NULL: none are wanted */
    uint32_t cost_count;
};

static void on_begin(void *user)
{
    struct playing *p = user;
    p->calls = p->report->calls;
    p->cost_count = p->costs != NULL ? rep_costs(p->rep, p->costs) : 0;
    p->begin_cpu_ns = sl_clock_process_cpu_ns();
    p->begin_ns = sl_clock_ns();
    p->last_ns = p->last_ns != 0 ? p->begin_ns : 0;
}

static bool on_frame(void *user, const struct rep_frame *frame)
{
    struct playing *p = user;
    bool is_asked = frame->number >= p->play->first_frame;
    if (p->frames != NULL && p->frame_count < FRAMES_MAX && p->last_ns != 0 && is_asked) {
        double ns = frame->end_ns > p->last_ns ? (double)(frame->end_ns - p->last_ns) : 0;
        p->frames[p->frame_count++] = ns / 1e6;
    }
    p->last_ns = frame->end_ns;
    return true;
}

static int end_of(const struct bench_play *play, const struct rep_report *report)
{
    switch (report->end) {
    case REP_END_COMPLETE:
    case REP_END_CUT:
        return SLUICE_EXIT_OK;
    case REP_END_DAMAGED:
        trace_say_damage(&report->damage, report->frames);
        return SLUICE_EXIT_DAMAGED;
    case REP_END_STUCK:
        say_error("%s: a call of frame %" PRIu64 " does not end", play->path, report->frames);
        return SLUICE_EXIT_LOST;
    case REP_END_ASKED:
    case REP_END_FAILED:
        break;
    }
    return trace_failed(play->path, play->reader, report->result);
}

/* What packets took since on_begin. */
static uint32_t costs_since(const struct playing *p, struct rep_cost *costs)
{
    uint32_t count = rep_costs(p->rep, costs), kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct rep_cost cost = costs[i];
        for (uint32_t k = 0; k < p->cost_count; k++) {
            bool is_same = p->costs[k].opcode == cost.opcode;
            cost.count -= is_same ? p->costs[k].count : 0;
            cost.ns -= is_same ? p->costs[k].ns : 0;
        }
        if (cost.count != 0) {
            costs[kept++] = cost;
        }
    }
    return kept;
}

/* Adds what was asked for to the run. Returns an exit code. */
static int add_run(struct playing *p, struct bench_run *run)
{
    const struct bench_play *play = p->play;
    const struct rep_report *report = p->report;
    uint64_t now = sl_clock_ns(), cpu = sl_clock_process_cpu_ns();
    uint64_t first =
        play->first_frame > report->first_frame ? play->first_frame : report->first_frame;
    if (p->begin_ns == 0 && play->first_frame != 0) {
        say_error("%s ends before frame %" PRIu64, play->path, play->first_frame);
        return SLUICE_EXIT_USAGE;
    }
    if (p->begin_ns != 0) { /* else there is nothing */
        run->seconds += (double)(now - p->begin_ns) / 1e9;
        run->cpu_seconds += (double)(cpu - p->begin_cpu_ns) / 1e9;
    }
    run->calls = report->calls - p->calls;
    run->frames = report->frames > first ? report->frames - first : 0;
    run->lead = first - report->first_frame;
    return SLUICE_EXIT_OK;
}

static int play_once(struct playing *p, struct rep_report *report)
{
    const struct bench_play *play = p->play;
    const struct rep_options options = {.one_thread = play->one_thread,
                                        .no_compare = true,
                                        .wants_costs = p->costs != NULL,
                                        .first_frame = play->first_frame,
                                        .stop_frame = play->stop_frame,
                                        .stop_call = play->stop_call,
                                        .user = p,
                                        .begins = on_begin,
                                        .frame = on_frame};
    const struct dev_limits limits = {.resource_bytes = play->host.resource_bytes};
    struct bench_run *run = &p->shared->run;
    struct rep *rep = NULL;
    struct vgd *device = NULL;
    enum sl_result result = rep_create(play->reader, &options, &rep);
    if (result != SL_OK) {
        return trace_failed(play->path, play->reader, result);
    }
    struct vgd_sink sink = rep_sink(rep);
    struct hct_options driver = play->host.device;
    driver.restores = true;
    driver.times = play->wants_gpu ? &p->times : NULL;
    const struct hct_type *types[TRACE_TYPES];
    trace_types(play->reader, &driver, types);
    int code = host_make_device(types, &driver, &limits, &sink, &device);
    if (code == SLUICE_EXIT_OK) {
        device->ops->describe(device, run->device, sizeof run->device);
        p->rep = rep;
        p->report = report;
        p->last_ns = p->begin_ns = p->calls = 0;
        rep_run(rep, device, report);
        code = end_of(play, report);
        code = code == SLUICE_EXIT_OK ? add_run(p, run) : code;
        device->ops->destroy(device);
        run->gpu = p->times.tally; /* nothing is at work any more */
        run->cost_count = p->costs != NULL ? costs_since(p, p->shared->costs) : 0;
    }
    rep_destroy(rep);
    return code;
}

static int by_value(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static void sum_frames(struct playing *p)
{
    static const double parts[] = {0.5, 0.95, 1};
    uint32_t count = p->shared->run.frame_times = p->frame_count;
    if (count != 0) {
        qsort(p->frames, count, sizeof *p->frames, by_value);
    }
    for (uint32_t i = 0; i < 3 && count != 0; i++) {
        uint32_t at = (uint32_t)(parts[i] * count);
        p->shared->run.frame_ms[i] = p->frames[at < count ? at : count - 1];
    }
}

/* In the child: changes the environment for good. */
static void set_environment(const char *text)
{
    while (text != NULL && *text != '\0') {
        char one[BENCH_ENVIRONMENT];
        size_t size = strcspn(text, ",");
        snprintf(one, sizeof one, "%.*s", (int)size, text);
        char *value = strchr(one, '=');
        if (value != NULL) {
            *value = '\0';
            setenv(one, value + 1, 1);
        }
        text += size + (text[size] == ',');
    }
}

static void child(const struct bench_play *play, struct shared *shared, bool wants_costs)
{
    struct playing p = {
        .play = play, .shared = shared, .frames = sl_alloc_array(FRAMES_MAX, sizeof(double))};
    struct bench_run *run = &shared->run;
    struct rep_report report;
    p.costs = wants_costs ? shared->lead : NULL;
    pthread_mutex_init(&p.times.lock, NULL);
    double played = 0; /* with what leads there */
    uint32_t times = 0;
    set_environment(play->environment);
    host_prepare();
    if (trace_has_one_ring(play->reader)) {
        host_share_memory();
    }
    do {
        run->code = play_once(&p, &report);
        played += run->code == SLUICE_EXIT_OK ? (double)report.time_ns / 1e9 : 0;
        times++;
    } while (run->code == SLUICE_EXIT_OK && played < play->seconds);
    run->seconds /= times;
    run->cpu_seconds /= times;
    sum_frames(&p);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        run->peak_kib = (uint64_t)usage.ru_maxrss;
    }
    pthread_mutex_destroy(&p.times.lock);
    sl_free(p.frames);
}

void bench_play(const struct bench_play *play, struct bench_run *run, struct rep_cost *costs)
{
    *run = (struct bench_run){.code = SLUICE_EXIT_INTERNAL};
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        say_error("no memory");
        return;
    }
    pid_t starter = getpid();
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == starter) {
            child(play, shared, costs != NULL);
        }
        fflush(NULL);
        _exit(0); /* a driver's exit handlers are not worth waiting for */
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid < 0 || !WIFEXITED(status)) {
        say_error("a run died%s%s", pid > 0 ? " of " : "",
                  pid > 0 ? strsignal(WTERMSIG(status)) : "");
    } else {
        *run = shared->run;
        if (costs != NULL) {
            memcpy(costs, shared->costs, sizeof shared->costs);
        }
    }
    (void)munmap(shared, sizeof *shared);
}
