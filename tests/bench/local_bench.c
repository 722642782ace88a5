/* What the local socket costs: the way to a first ring, a thousand contexts, silent clients. One
 * JSON object on stdout.
 *
 * The device runs the echo type, so that no native driver is in the figures. The server is a
 * process of its own, as in life. */
#include "tests/bench/bench.h"
#include "tests/support/echo_type.h"
#include "tests/support/vg_world.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTS     301u
#define CONTEXTS   1024u
#define SLICE      64u
#define SILENT     64u
#define IDLE_NS    (3 * SL_NS_PER_S)
#define RING_BYTES 1060864u
#define CALLS      20000u

static const struct hct_type *const types[] = {&echo_type, NULL};

struct guest {
    struct vg *vg;
    struct vg_res *ring;
};

static void check(enum sl_result r, const char *what)
{
    if (r != SL_OK) {
        fprintf(stderr, "local_bench: %s: %s\n", what, sl_result_name(r));
        exit(1);
    }
}

/* In a process of its own, which stop_server ends. */
static pid_t start_server(const char *directory, char path[108])
{
    struct world_config config = {.backend = WORLD_LOCAL,
                                  .types = types,
                                  .directory = directory,
                                  .server.clients_per_process = 4096};
    config.limits.contexts = 2 * CONTEXTS;
    config.limits.resource_bytes = (uint64_t)1 << 40;
    int ready[2];
    snprintf(path, 108, "%s/world", directory);
    check(pipe(ready) == 0 ? SL_OK : SL_ERR_IO, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        struct world world;
        check(world_start(&world, &config), "server");
        close(ready[1]);
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    char byte;
    (void)!read(ready[0], &byte, 1);
    close(ready[0]);
    return pid;
}

static void stop_server(pid_t server, const char *path)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    unlink(path);
}

/* All a guest does before its first packet: connect, context, ring blob, map, a fenced command on
 * it. */
static void guest_open(const char *path, struct guest *g)
{
    void *memory;
    check(vg_local_open(path, &g->vg), "connect");
    check(g->vg->ops->context_init(g->vg, ECHO_CAPSET, 2, "bench"), "context_init");
    check(vg_blob_create(g->vg,
                         &(struct vg_blob_args){.mem = VIRTGPU_BLOB_HOST3D,
                                                .flags = VIRTGPU_BLOB_MAPPABLE,
                                                .size = RING_BYTES},
                         &g->ring),
          "blob_create");
    check(vg_res_map(g->ring, &memory), "res_map");
    check(vg_submit(g->vg,
                    &(struct vg_submit_args){
                        .ring = 0, .resources = &g->ring, .resource_count = 1, .in_fence = -1}),
          "submit");
    check(g->vg->ops->res_wait(g->ring, -1), "res_wait");
}

static void guest_close(struct guest *g)
{
    vg_res_destroy(g->ring);
    g->vg->ops->destroy(g->vg);
}

static double us_since(uint64_t begin_ns)
{
    return (double)(sl_clock_ns() - begin_ns) / 1000.0;
}

/* Median and worst of opening and closing one guest at a time. */
static void bench_start(const char *path)
{
    static double opens[STARTS];
    for (uint32_t i = 0; i < STARTS; i++) {
        struct guest g;
        uint64_t begin = sl_clock_ns();
        guest_open(path, &g);
        opens[i] = us_since(begin);
        guest_close(&g);
    }
    printf("  \"start_us\": {\"median\": %.1f, \"p99\": %.1f},\n", bench_median(opens, STARTS),
           bench_quantile(opens, STARTS, 0.99));
}

static void bench_call(const char *path)
{
    static double calls[CALLS];
    struct guest g;
    guest_open(path, &g);
    for (uint32_t i = 0; i < CALLS; i++) {
        uint64_t begin = sl_clock_ns();
        check(
            vg_submit(g.vg, &(struct vg_submit_args){.ring = VIRTGPU_RING_GLOBAL, .in_fence = -1}),
            "submit");
        calls[i] = us_since(begin);
    }
    guest_close(&g);
    printf("  \"request_us\": {\"median\": %.1f, \"p99\": %.1f},\n", bench_median(calls, CALLS),
           bench_quantile(calls, CALLS, 0.99));
}

static uint64_t memory_kib(pid_t pid)
{
    char name[64];
    unsigned long long total = 0, resident = 0;
    snprintf(name, sizeof name, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(name, "r");
    if (f != NULL) {
        (void)!fscanf(f, "%llu %llu", &total, &resident);
        fclose(f);
    }
    return resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* This process and those that it starts from now on share one core. */
static void tie_to_one_core(void)
{
    cpu_set_t set;
    check(sched_getaffinity(0, sizeof set, &set) == 0 ? SL_OK : SL_ERR_IO, "sched_getaffinity");
    int last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &set)) {
        last--;
    }
    CPU_ZERO(&set);
    CPU_SET(last, &set);
    check(sched_setaffinity(0, sizeof set, &set) == 0 ? SL_OK : SL_ERR_IO, "sched_setaffinity");
}

/* Is the thousandth context as cheap as the first? Both sides on one core: all work of both is in
 * the figures then, and the scheduler's choice is not, which between one core and two makes a
 * factor of 2.4 by itself and may change in the middle. */
static void bench_contexts(const char *path, pid_t server)
{
    static struct guest guests[CONTEXTS];
    static double opens[CONTEXTS];
    uint64_t before = memory_kib(server);
    for (uint32_t i = 0; i < CONTEXTS; i++) {
        uint64_t begin = sl_clock_ns();
        guest_open(path, &guests[i]);
        opens[i] = us_since(begin);
    }
    uint64_t after = memory_kib(server);
    printf("  \"contexts\": {\"count\": %u, \"first_us\": %.1f, \"last_us\": %.1f, "
           "\"server_kib_each\": %.1f}\n",
           CONTEXTS, bench_median(opens, SLICE), bench_median(opens + CONTEXTS - SLICE, SLICE),
           (double)(after - before) / CONTEXTS);
    for (uint32_t i = 0; i < CONTEXTS; i++) {
        guest_close(&guests[i]);
    }
}

static uint64_t cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec t = {0};
    if (clock_getcpuclockid(pid, &clock) == 0) {
        clock_gettime(clock, &t);
    }
    return (uint64_t)t.tv_sec * SL_NS_PER_S + (uint64_t)t.tv_nsec;
}

static void bench_idle(const char *path, pid_t server)
{
    static struct guest guests[SILENT];
    for (uint32_t i = 0; i < SILENT; i++) {
        guest_open(path, &guests[i]);
    }
    uint64_t begin_cpu = cpu_ns(server), begin = sl_clock_ns();
    sl_clock_sleep_ns(IDLE_NS);
    double percent = 100.0 * (double)(cpu_ns(server) - begin_cpu) / (double)(sl_clock_ns() - begin);
    printf("  \"idle\": {\"clients\": %u, \"cpu_percent\": %.3f},\n", SILENT, percent);
    for (uint32_t i = 0; i < SILENT; i++) {
        guest_close(&guests[i]);
    }
}

int main(void)
{
    char directory[] = "/tmp/sluice-bench-XXXXXX";
    char path[108];
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (mkdtemp(directory) == NULL || sl_log_set_levels("error") != SL_OK) {
        return 1;
    }
    pid_t server = start_server(directory, path);
    printf("{\n  \"bench\": \"local\", \"schema\": 1,\n");
    bench_start(path);
    bench_call(path);
    bench_idle(path, server);
    stop_server(server, path);
    tie_to_one_core();
    server = start_server(directory, path);
    bench_contexts(path, server);
    stop_server(server, path);
    printf("}\n");
    rmdir(directory);
    return 0;
}
