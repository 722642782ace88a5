/* Who may die: a program at any point, without the host or another program noticing; the host, with
 * every program told within a second; the X server, with the host none the worse for it.
 *
 * Real processes: `sluice serve` on the native driver, GLES programs (kill_client) through glvnd
 * and the vendor library. */
#include "tests/integration/kill_bed.h"
#include "tests/support/slt.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define KILLS             200u
#define WARM_UP           40u         /* kills before the host's size is taken as its own */
#define GAP_MAX_NS        SL_NS_PER_S /* between two frames of the undisturbed program */
#define WINDOW_KILLS      40u
#define WINDOW_WARM_UP    20u
#define WINDOW_GAP_MAX_NS (3 * SL_NS_PER_S) /* its X server has all the others to do, too */
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
    {"drawing_killed", "steady", SIGKILL},
    {"making_contexts_killed", "busy", SIGKILL},
    {"waiting_killed", "slow", SIGKILL},
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
