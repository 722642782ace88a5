#include "tests/integration/kill_bed.h"
#include "tests/support/slt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVES 6u /* of a program that begins anew, until it is told of a loss */

/* On a busy machine a program's last threads may outlive the look at the beginning. */
static void expect_no_growth(struct kill_host_size before, struct kill_host_size after)
{
    SLT_EXPECT_LE(after.fds, before.fds);
    SLT_EXPECT_LE(after.threads, before.threads);
    SLT_EXPECT_EQ(before.resources, after.resources);
}

/* No loss, no wrong picture: it would have ended and its code would say so. */
static void need_undisturbed(struct kill_bed *t)
{
    int status = 0;
    if (waitpid(t->steady, &status, WNOHANG) != 0) {
        t->steady = 0;
        kill_bed_tell();
        SLT_FAIL("the undisturbed program ended: wait status 0x%x", (unsigned)status);
    }
    if (waitpid(t->host, &status, WNOHANG) != 0) {
        t->host = 0;
        SLT_FAIL("the host ended: wait status 0x%x", (unsigned)status);
    }
}

/* A program that was started dies now, and nobody notices. */
static void kill_victim(struct kill_bed *t, uint64_t within_ns)
{
    kill_bed_watch(t, kill_bed_random(t, within_ns));
    SLT_EXPECT_EQ(0, waitpid(t->victim, NULL, WNOHANG)); /* it would have gone on */
    kill_bed_end(&t->victim);
    need_undisturbed(t);
}

void kill_bed_programs_die(struct kill_bed *t, const struct kill_plan *plan)
{
    struct kill_host_size size = {0};
    uint32_t modes = 0;
    while (plan->modes[modes] != NULL) {
        modes++;
    }
    kill_bed_host_start(t);
    t->steady = kill_bed_client(t, plan->steady, true);
    kill_bed_wait_frames(t, 10);
    for (uint32_t i = 0; i < plan->count; i++) {
        SLT_SCOPE("kill %u", i);
        t->victim = kill_bed_client(t, plan->modes[i % modes], false);
        kill_victim(t, plan->within_ns);
        if (i + 1 == plan->warm_up) {
            size = kill_bed_host_size(t);
        }
    }
    expect_no_growth(size, kill_bed_host_size(t));
    SLT_EXPECT_LT(t->gap_ns, plan->gap_max_ns);
    printf("longest silence of the undisturbed program: %.1f ms; host: %u descriptors, %u threads, "
           "%u resources\n",
           (double)t->gap_ns / 1e6, size.fds, size.threads, size.resources);
}

const struct kill_window_system kill_bed_x = {kill_bed_x_start, kill_bed_x_kill};
const struct kill_window_system kill_bed_wayland = {kill_bed_wayland_start, kill_bed_wayland_kill};

void kill_bed_window_system_dies(struct kill_bed *t, const struct kill_window_system *system,
                                 const char *mode, const char *steady, uint32_t count)
{
    struct kill_host_size size = {0};
    kill_bed_host_start(t);
    t->steady = kill_bed_client(t, steady, false);
    kill_bed_wait_host(t, 1, 1);
    for (uint32_t i = 0; i < count; i++) {
        SLT_SCOPE("kill %u", i);
        uint64_t taken;
        system->start(t);
        t->victim = kill_bed_client(t, mode, true);
        kill_bed_wait_frames(t, 3); /* the host serves the next program */
        sl_clock_sleep_ns(kill_bed_random(t, 40 * SL_NS_PER_MS));
        system->kill(t);
        int status = kill_bed_ending(&t->victim, &taken);
        SLT_EXPECT_EQ(0, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        SLT_ASSERT_TRUE(WIFEXITED(status)); /* neither hung nor killed by a signal */
        SLT_EXPECT_TRUE(WEXITSTATUS(status) == KILL_EXIT_WINDOW ||
                        WEXITSTATUS(status) == KILL_EXIT_XLIB);
        need_undisturbed(t);
        kill_bed_wait_host(t, 1, 1);
        if (i == 0) {
            size = kill_bed_host_size(t);
        }
        printf("exit code %d after %.1f ms\n", WEXITSTATUS(status), (double)taken / 1e6);
    }
    expect_no_growth(size, kill_bed_host_size(t));
    t->victim = kill_bed_client(t, steady, true);
    kill_bed_wait_frames(t, 3);
}

void kill_bed_host_dies(struct kill_bed *t, const char *mode, int signal, uint64_t most_ns)
{
    uint64_t dying, taken;
    kill_bed_host_start(t);
    t->steady = kill_bed_client(t, mode, true);
    kill_bed_wait_frames(t, 3);
    sl_clock_sleep_ns(kill_bed_random(t, 20 * SL_NS_PER_MS));
    kill(t->host, signal);
    /* On a machine with more to do the kernel takes its time to end each of the host's threads, and
     * until the last one has, the host's end of the socket is open. */
    SLT_EXPECT_TRUE(kill_bed_ending(&t->host, &dying) != -1);
    int status = kill_bed_ending(&t->steady, &taken);
    SLT_EXPECT_LT(taken, most_ns);
    SLT_EXPECT_TRUE(WIFEXITED(status)); /* no abort */
    SLT_EXPECT_EQ(KILL_EXIT_LOST, WEXITSTATUS(status));
    printf("the host died in %.1f ms, told %.1f ms after\n", (double)dying / 1e6,
           (double)taken / 1e6);
}

/* --- workers --- */

static pid_t worker_of(struct kill_bed *t, pid_t pid)
{
    struct local_program_reply program = {.pid = 0};
    for (uint32_t i = 0; program.pid != (uint32_t)pid; i++) {
        SLT_ASSERT_OK(local_control_program(t->control, i, &program));
    }
    SLT_ASSERT_NE(0u, program.worker);
    return (pid_t)program.worker;
}

/* Until the host has taken in its end: when that was. */
static uint64_t wait_worker_gone(pid_t worker)
{
    uint64_t begin = sl_clock_ns();
    while (kill(worker, 0) == 0) {
        SLT_ASSERT_LT(sl_clock_ns(), begin + KILL_PATIENCE_NS);
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    printf("the worker died in %.1f ms\n", (double)(sl_clock_ns() - begin) / 1e6);
    return sl_clock_ns();
}

/* The host says so once it has taken in the end. */
static void expect_said(struct kill_bed *t, pid_t worker, pid_t program, int signal)
{
    char said[4096] = "", what[64], whose[64];
    size_t have = 0;
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    snprintf(what, sizeof what, "worker %d died of signal %d (", (int)worker, signal);
    snprintf(whose, sizeof whose, "(process %d, ", (int)program);
    while ((strstr(said, what) == NULL || strstr(said, whose) == NULL) && sl_clock_ns() < end) {
        ssize_t got = read(t->said - 1, said + have, sizeof said - 1 - have);
        have += got > 0 ? (size_t)got : 0;
        said[have] = '\0';
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_TRUE(strstr(said, what) != NULL);
    SLT_EXPECT_TRUE(strstr(said, whose) != NULL);
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Its frames of before are read, and then it draws on. False: it ends instead. */
static bool draws_on(struct kill_bed *t)
{
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    kill_bed_watch(t, SL_NS_PER_MS);
    t->last_ns = 0;
    while (t->last_ns == 0 && sl_clock_ns() < end && !has_ended(t->victim)) {
        kill_bed_watch(t, SL_NS_PER_MS);
    }
    return t->last_ns != 0;
}

/* Anywhere in a life of a program that begins anew, however slow the machine makes it. */
static uint64_t kill_within(struct kill_bed *t, const struct kill_worker_plan *plan)
{
    uint64_t begin = sl_clock_ns();
    if (plan->lives) {
        kill_bed_wait_frames(t, 2);
    }
    return 20 * SL_NS_PER_MS + sl_clock_ns() - begin;
}

/* The program's worker dies. True: the program will be told. */
static bool kill_worker(struct kill_bed *t, const struct kill_worker_plan *plan, uint64_t *gone_ns)
{
    uint64_t within = kill_within(t, plan);
    pid_t worker = worker_of(t, t->victim);
    sl_clock_sleep_ns(kill_bed_random(t, within));
    kill(worker, plan->signal);
    *gone_ns = wait_worker_gone(worker);
    if (plan->signal != SIGTERM) { /* which lets it hang up first: then its program may go first */
        expect_said(t, worker, t->victim, plan->signal);
    }
    return !plan->lives || !draws_on(t);
}

void kill_bed_worker_dies(struct kill_bed *t, const struct kill_worker_plan *plan)
{
    uint64_t gone_ns, rest;
    t->isolates = true;
    kill_bed_host_start(t);
    t->steady = kill_bed_client(t, plan->steady, true);
    kill_bed_wait_frames(t, 3);
    int steady_frames = t->frames;
    t->frames = 0;
    t->victim = kill_bed_client(t, plan->mode, true);
    kill_bed_wait_frames(t, 3);
    uint32_t tries = LIVES;
    while (!kill_worker(t, plan, &gone_ns)) {
        SLT_ASSERT_NE(0u, --tries);
    }
    int status = kill_bed_ending(&t->victim, &rest);
    uint64_t taken = sl_clock_ns() - gone_ns;
    SLT_EXPECT_LT(taken, plan->most_ns);
    SLT_EXPECT_TRUE(WIFEXITED(status)); /* no abort */
    SLT_EXPECT_EQ(KILL_EXIT_LOST, WEXITSTATUS(status));
    close(t->frames - 1);
    t->frames = steady_frames;
    kill_bed_wait_frames(t, 1); /* those of before */
    t->gap_ns = 0;
    kill_bed_watch(t, 200 * SL_NS_PER_MS);
    SLT_EXPECT_LT(t->gap_ns, plan->gap_max_ns);
    printf("told %.1f ms after\n", (double)taken / 1e6);
    need_undisturbed(t);
}
