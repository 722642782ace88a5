/* Who may die: a program at any point, without the host or another program noticing; the host, with every program told within a second.
 *
 * Real processes: `sluice serve` on the native driver, GLES programs (kill_client) through glvnd and the vendor library. */
#include "tests/support/slt.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/local/local_control.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS 200u
#define WARM_UP 40u            /* kills before the host's size is taken as its own */
#define PATIENCE_NS (20 * SL_NS_PER_S)
#define GAP_MAX_NS SL_NS_PER_S /* between two frames of the undisturbed program */
#define EXIT_LOST 42

struct bed {
    char path[108];
    pid_t host;
    pid_t steady; /* the undisturbed program */
    int frames;   /* its bytes, non-blocking; + 1, 0: none */
    struct local_control *control;
};

static void end_process(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

static void bed_init(struct bed *t)
{
    snprintf(t->path, sizeof t->path, "%s/socket", SLT_TMPDIR());
}

static void bed_finish(struct bed *t)
{
    local_control_close(t->control);
    end_process(&t->steady);
    end_process(&t->host);
    if (t->frames != 0) {
        close(t->frames - 1);
    }
}

SLT_FIXTURE(kill, struct bed, bed_init, bed_finish);

/* out: becomes its stdout, -1: nowhere. */
static pid_t start(const char *const *argv, const char *socket, int out)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDWR);
    dup2(out >= 0 ? out : nothing, STDOUT_FILENO);
    if (socket != NULL) {
        setenv("SLUICE_SOCKET", socket, 1);
        setenv("__EGL_VENDOR_LIBRARY_FILENAMES", SLUICE_VENDOR_FILE, 1);
        dup2(nothing, STDERR_FILENO); /* what the dying say is no part of the log */
    }
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

static void start_host(struct bed *t)
{
    const char *argv[] = {SLUICE_PROGRAM, "serve", "--socket", t->path, NULL};
    struct local_status_reply status;
    t->host = start(argv, NULL, -1);
    uint64_t end = sl_clock_ns() + PATIENCE_NS;
    while (local_control_open(t->path, &t->control) != SL_OK && sl_clock_ns() < end) {
        SLT_ASSERT_EQ(0, waitpid(t->host, NULL, WNOHANG));
        sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    }
    SLT_ASSERT_TRUE(t->control != NULL);
    SLT_ASSERT_OK(local_control_status(t->control, &status)); /* answered once the driver is there */
}

static pid_t start_client(struct bed *t, const char *mode, int *frames)
{
    const char *argv[] = {SLUICE_KILL_CLIENT, mode, NULL};
    int fds[2];
    if (frames == NULL) {
        return start(argv, t->path, -1);
    }
    SLT_ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    pid_t pid = start(argv, t->path, fds[1]);
    close(fds[1]);
    *frames = fds[0] + 1;
    return pid;
}

static uint32_t take_frames(const struct bed *t)
{
    char bytes[4096];
    ssize_t got = read(t->frames - 1, bytes, sizeof bytes);
    return got > 0 ? (uint32_t)got : 0;
}

static void wait_for_frames(struct bed *t, uint32_t count)
{
    uint64_t end = sl_clock_ns() + PATIENCE_NS;
    while (count > 0) {
        SLT_ASSERT_LT(sl_clock_ns(), end);
        uint32_t got = take_frames(t);
        count = got < count ? count - got : 0;
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
}

static uint32_t entries(pid_t pid, const char *what)
{
    char name[64];
    uint32_t count = 0;
    snprintf(name, sizeof name, "/proc/%d/%s", (int)pid, what);
    DIR *dir = opendir(name);
    while (dir != NULL && readdir(dir) != NULL) {
        count++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

/* The host has nothing left of the killed. */
static void wait_until_alone(struct bed *t)
{
    struct local_status_reply status = {.contexts = 99};
    uint64_t end = sl_clock_ns() + PATIENCE_NS;
    while (status.contexts != 1 || status.clients != 1) {
        SLT_ASSERT_LT(sl_clock_ns(), end);
        SLT_ASSERT_OK(local_control_status(t->control, &status));
        sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 24;
}

/* Watches the undisturbed program for `ns`; its longest silence goes into *gap. */
static void watch(struct bed *t, uint64_t ns, uint64_t *last, uint64_t *gap)
{
    uint64_t end = sl_clock_ns() + ns;
    do {
        sl_clock_sleep_ns(SL_NS_PER_MS);
        uint64_t now = sl_clock_ns();
        if (take_frames(t) != 0) {
            *last = now;
        }
        *gap = now - *last > *gap ? now - *last : *gap;
    } while (sl_clock_ns() < end);
}

SLT_TEST_F(kill, a_program_dies_at_200_points_and_nobody_notices, t)
{
    uint64_t state = 11, gap = 0;
    uint32_t fds = 0, threads = 0;
    SLT_NEED(SLT_EGL);
    SLT_TIMEOUT(240);
    start_host(t);
    t->steady = start_client(t, "steady", &t->frames);
    wait_for_frames(t, 10);
    uint64_t last = sl_clock_ns();
    for (uint32_t i = 0; i < KILLS; i++) {
        SLT_SCOPE("kill %u", i);
        pid_t victim = start_client(t, i % 4 == 0 ? "steady" : "busy", NULL);
        watch(t, next_random(&state) % (200 * SL_NS_PER_MS), &last, &gap);
        SLT_EXPECT_EQ(0, waitpid(victim, NULL, WNOHANG)); /* it would have gone on */
        end_process(&victim);
        SLT_ASSERT_EQ(0, waitpid(t->steady, NULL, WNOHANG)); /* no loss, no wrong picture */
        SLT_ASSERT_EQ(0, waitpid(t->host, NULL, WNOHANG));
        if (i + 1 == WARM_UP || i + 1 == KILLS) {
            wait_until_alone(t);
            watch(t, 200 * SL_NS_PER_MS, &last, &gap);
        }
        if (i + 1 == WARM_UP) {
            fds = entries(t->host, "fd");
            threads = entries(t->host, "task");
        }
    }
    SLT_EXPECT_LT(gap, GAP_MAX_NS);
    SLT_EXPECT_EQ(fds, entries(t->host, "fd"));
    SLT_EXPECT_EQ(threads, entries(t->host, "task"));
    printf("longest silence of the undisturbed program: %.1f ms; host: %u descriptors, %u threads\n", (double)gap / 1e6, fds, threads);
}

struct host_case {
    const char *label;
    const char *mode;
    int signal;
};
static const struct host_case host_cases[] = {
    {"drawing_killed", "steady", SIGKILL},
    {"making_contexts_killed", "busy", SIGKILL},
    {"waiting_killed", "slow", SIGKILL},
    {"drawing_ended", "steady", SIGTERM},
};
SLT_TEST_FP(kill, the_host_dies_and_programs_are_told_within_a_second, t, struct host_case, host_cases, c)
{
    int status = 0;
    SLT_NEED(SLT_EGL);
    SLT_TIMEOUT(60);
    start_host(t);
    t->steady = start_client(t, c->mode, &t->frames);
    wait_for_frames(t, 3);
    kill(t->host, c->signal);
    uint64_t begin = sl_clock_ns();
    while (waitpid(t->steady, &status, WNOHANG) == 0 && sl_clock_ns() - begin < PATIENCE_NS) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    uint64_t taken = sl_clock_ns() - begin;
    SLT_EXPECT_LT(taken, SL_NS_PER_S);
    SLT_EXPECT_TRUE(WIFEXITED(status)); /* no abort */
    SLT_EXPECT_EQ(EXIT_LOST, WEXITSTATUS(status));
    if (taken < PATIENCE_NS) {
        t->steady = 0;
    }
    printf("told after %.1f ms\n", (double)taken / 1e6);
}
