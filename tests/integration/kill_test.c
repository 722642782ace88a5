/* Who may die: a program at any point, without the host or another program noticing; the host, with
 * every program told within a second; the X server, with the host none the worse for it.
 *
 * Real processes: `sluice serve` on the native driver, GLES programs (kill_client) through glvnd
 * and the vendor library. */
#include "tests/integration/kill_bed.h"
#include "tests/support/slt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS             200u
#define WARM_UP           40u               /* kills before the host's size is taken as its own */
#define GAP_MAX_NS        (2 * SL_NS_PER_S) /* between two frames of the undisturbed program */
#define WINDOW_KILLS      40u
#define WINDOW_WARM_UP    20u
#define WINDOW_GAP_MAX_NS (5 * SL_NS_PER_S) /* its X server has all the others to do, too */
#define X_KILLS           3u                /* of each case */
#define HOST_KILLS        3u                /* of each case */

SLT_FIXTURE(kill, struct kill_bed, kill_bed_init, kill_bed_finish);

SLT_TEST_F(kill, a_program_dies_at_200_points_and_nobody_notices, t)
{
    SLT_NEED(SLT_EGL);
    SLT_TIMEOUT(240);
    const struct kill_plan plan = {.steady = "steady",
                                   .count = KILLS,
                                   .warm_up = WARM_UP,
                                   .within_ns = 200 * SL_NS_PER_MS,
                                   .gap_max_ns = GAP_MAX_NS,
                                   .modes = {"steady", "busy", "busy", "busy"}};
    kill_bed_programs_die(t, &plan);
}

SLT_TEST_F(kill, a_window_program_dies_at_40_points_and_nobody_notices, t)
{
    SLT_NEED(SLT_EGL | SLT_X11);
    SLT_TIMEOUT(120);
    const struct kill_plan plan = {.steady = "window",
                                   .count = WINDOW_KILLS,
                                   .warm_up = WINDOW_WARM_UP,
                                   .within_ns = 130 * SL_NS_PER_MS,
                                   .gap_max_ns = WINDOW_GAP_MAX_NS,
                                   .modes = {"window", "windows", "swaps", "events"}};
    kill_bed_programs_die(t, &plan);
}

static const struct kill_mode_case x_cases[] = {
    {"drawing", "window"},
    {"making_windows", "windows"},
    {"only_swapping", "swaps"},
    {"reading_events", "events"},
};
SLT_TEST_FP(kill, the_x_server_dies_and_the_host_serves_on, t, struct kill_mode_case, x_cases, c)
{
    SLT_NEED(SLT_EGL);
    SLT_TIMEOUT(60);
    kill_bed_window_system_dies(t, &kill_bed_x, c->mode, "steady", X_KILLS);
}

static const struct kill_host_case host_cases[] = {
    {"drawing_killed", "steady", SIGKILL},       {"asking_for_resets_killed", "robust", SIGKILL},
    {"making_contexts_killed", "busy", SIGKILL}, {"waiting_killed", "slow", SIGKILL},
    {"drawing_ended", "steady", SIGTERM},
};
SLT_TEST_FP(kill, the_host_dies_and_programs_are_told_within_a_second, t, struct kill_host_case,
            host_cases, c)
{
    SLT_NEED(SLT_EGL);
    SLT_TIMEOUT(60);
    kill_bed_host_dies(t, c->mode, c->signal, SL_NS_PER_S);
}

static const struct kill_host_case window_host_cases[] = {
    {"drawing_killed", "window", SIGKILL},
    {"making_windows_killed", "windows", SIGKILL},
    {"only_swapping_killed", "swaps", SIGKILL},
    {"only_swapping_ended", "swaps", SIGTERM},
};
SLT_TEST_FP(kill, the_host_dies_and_window_programs_are_told_within_a_second, t,
            struct kill_host_case, window_host_cases, c)
{
    SLT_NEED(SLT_EGL | SLT_X11);
    SLT_TIMEOUT(60);
    for (uint32_t i = 0; i < HOST_KILLS; i++) {
        SLT_SCOPE("kill %u", i);
        kill_bed_host_dies(t, c->mode, c->signal, SL_NS_PER_S);
        kill_bed_host_end(t);
    }
}

/* Of workers. What is drawing, and a window, beside a program whose worker lives. */
static const struct kill_host_case worker_cases[] = {
    {"drawing_crashes", "steady", SIGSEGV},
    {"drawing_killed", "steady", SIGKILL},
    {"asking_for_resets_killed", "robust", SIGKILL},
    {"making_contexts_killed", "busy", SIGKILL},
    {"waiting_killed", "slow", SIGKILL},
    {"in_a_window_killed", "window", SIGKILL},
    {"only_swapping_killed", "swaps", SIGKILL},
};
SLT_TEST_FP(kill, a_worker_dies_and_its_program_alone_is_told_within_a_second, t,
            struct kill_host_case, worker_cases, c)
{
    SLT_NEED(SLT_EGL | SLT_X11);
    SLT_TIMEOUT(60);
    const struct kill_worker_plan plan = {.mode = c->mode,
                                          .steady = "steady",
                                          .lives = strcmp(c->mode, "busy") == 0,
                                          .signal = c->signal,
                                          .most_ns = SL_NS_PER_S,
                                          .gap_max_ns = GAP_MAX_NS};
    kill_bed_worker_dies(t, &plan);
}

/* ---- five programs on one host ---- */

#define PROGRAMS  5u
#define FIVE_LOOK (300 * SL_NS_PER_MS)

struct five {
    struct kill_bed bed;
    pid_t pids[PROGRAMS];
    int pipes[PROGRAMS]; /* a byte a frame; + 1, 0: none */
    uint32_t frames[PROGRAMS];
    uint64_t last_ns[PROGRAMS], gap_ns[PROGRAMS];
};

static void five_init(struct five *t)
{
    kill_bed_init(&t->bed);
}

static void five_end(struct five *t, uint32_t i)
{
    kill_bed_end(&t->pids[i]);
    if (t->pipes[i] != 0) {
        close(t->pipes[i] - 1);
        t->pipes[i] = 0;
    }
}

static void five_finish(struct five *t)
{
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        five_end(t, i);
    }
    kill_bed_finish(&t->bed);
}

SLT_FIXTURE(kill_five, struct five, five_init, five_finish);

/* count: programs that run then. */
static void five_start(struct five *t, uint32_t i, uint32_t count)
{
    t->pids[i] = kill_bed_client(&t->bed, "steady", true);
    t->pipes[i] = t->bed.frames; /* ours from here on */
    t->bed.frames = 0;
    kill_bed_wait_host(&t->bed, count, count);
}

/* Counts the frames of all for so long; true: every one that runs has `count` of them at least. */
static bool five_follow(struct five *t, uint64_t ns, uint32_t count)
{
    uint64_t end = sl_clock_ns() + ns;
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        t->frames[i] = 0;
        t->last_ns[i] = sl_clock_ns();
    }
    while (sl_clock_ns() < end) {
        for (uint32_t i = 0; i < PROGRAMS; i++) {
            char bytes[64];
            ssize_t got = t->pipes[i] != 0 ? read(t->pipes[i] - 1, bytes, sizeof bytes) : 0;
            uint64_t now = sl_clock_ns();
            if (got > 0) {
                t->frames[i] += (uint32_t)got;
                t->last_ns[i] = now;
            } else if (now - t->last_ns[i] > t->gap_ns[i]) {
                t->gap_ns[i] = now - t->last_ns[i];
            }
        }
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    bool all = true;
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        all &= t->pipes[i] == 0 || t->frames[i] >= count;
    }
    return all;
}

/* Frames of all that run but `but`, in the last look. */
static uint32_t five_sum(const struct five *t, uint32_t but)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        sum += i != but ? t->frames[i] : 0;
    }
    return sum;
}

/* Each sees its own pictures alone (they compare every one), and none notices that one dies. */
SLT_TEST_F(kill_five, one_dies_amid_a_frame_and_four_draw_on, t)
{
    SLT_NEED(SLT_EGL);
    SLT_TIMEOUT(120);
    kill_bed_host_start(&t->bed);
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        five_start(t, i, i + 1);
    }
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    while (!five_follow(t, FIVE_LOOK, 3)) {
        SLT_ASSERT_LT(sl_clock_ns(), end);
    }
    uint32_t before = 0, after = 0;
    for (uint32_t victim = PROGRAMS; victim-- > 0;) {
        SLT_SCOPE("program %u dies", victim);
        memset(t->gap_ns, 0, sizeof t->gap_ns);
        (void)five_follow(t, FIVE_LOOK + kill_bed_random(&t->bed, 20 * SL_NS_PER_MS), 1);
        before += five_sum(t, victim);
        five_end(t, victim);
        (void)five_follow(t, FIVE_LOOK, 1);
        after += five_sum(t, victim);
        for (uint32_t i = 0; i < PROGRAMS; i++) {
            if (i != victim) {
                SLT_EXPECT_EQ(0, waitpid(t->pids[i], NULL, WNOHANG)); /* no wrong picture */
                SLT_EXPECT_LT(t->gap_ns[i], WINDOW_GAP_MAX_NS);
            }
        }
        SLT_ASSERT_EQ(0, waitpid(t->bed.host, NULL, WNOHANG));
        kill_bed_wait_host(&t->bed, PROGRAMS - 1, PROGRAMS - 1);
        five_start(t, victim, PROGRAMS);
    }
    SLT_EXPECT_LT(0u, after);
    printf("frames of the four others: %u in the time before, %u after: %.2f\n", before, after,
           (double)after / before);
}
