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
};

struct playing {
    const struct bench_play *play;
    struct shared *shared;
    double *frames; /* ms; NULL: no memory, no times */
    uint32_t frame_count;
    uint64_t last_ns;
    struct hct_times times;
};

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

static int play_once(struct playing *p, bool wants_costs, struct rep_report *report)
{
    const struct bench_play *play = p->play;
    const struct rep_options options = {.one_thread = play->one_thread,
                                        .no_compare = true,
                                        .wants_costs = wants_costs,
                                        .first_frame = play->first_frame,
                                        .stop_frame = play->stop_frame,
                                        .stop_call = play->stop_call,
                                        .user = p,
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
        p->last_ns = 0;
        uint64_t cpu = sl_clock_process_cpu_ns();
        rep_run(rep, device, report);
        run->cpu_seconds += (double)(sl_clock_process_cpu_ns() - cpu) / 1e9;
        code = end_of(play, report);
        device->ops->destroy(device);
        run->gpu = p->times.tally; /* nothing is at work any more */
        run->cost_count = wants_costs ? rep_costs(rep, p->shared->costs) : 0;
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
    pthread_mutex_init(&p.times.lock, NULL);
    uint32_t times = 0;
    set_environment(play->environment);
    host_prepare();
    if (trace_has_one_ring(play->reader)) {
        host_share_memory();
    }
    do {
        run->code = play_once(&p, wants_costs, &report);
        run->seconds += (double)report.time_ns / 1e9;
        run->frames = report.frames - report.first_frame;
        run->calls = report.calls;
        run->lead =
            play->first_frame > report.first_frame ? play->first_frame - report.first_frame : 0;
        times++;
    } while (run->code == SLUICE_EXIT_OK && run->seconds < play->seconds);
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
