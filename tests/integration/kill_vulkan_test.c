/* Vulkan programs that die, and the host that does: kill_test's promises for Vulkan.
 *
 * Real processes: `sluice serve` on the native driver, Vulkan programs (vulkan/kill_client) through
 * the loader and the guest's driver. */
#include "tests/integration/kill_bed.h"
#include "tests/support/slt.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define KILLS      200u
#define WARM_UP    40u         /* kills before the host's size is taken as its own */
#define GAP_MAX_NS SL_NS_PER_S /* between two frames of the undisturbed program */
#define HOST_KILLS 3u          /* of each case */

SLT_FIXTURE(kill_vulkan, struct kill_bed, kill_bed_init, kill_bed_finish);

SLT_TEST_F(kill_vulkan, a_program_dies_at_200_points_and_nobody_notices, t)
{
    static const char *const modes[] = {"vk-steady",    "vk-busy",       "vk-busy",
                                        "vk-recording", "vk-allocating", "vk-waiting"};
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(240);
    kill_bed_host_start(t);
    t->steady = kill_bed_client(t, "vk-steady", NULL, true);
    kill_bed_wait_frames(t, 10);
    kill_bed_many(t, KILLS, WARM_UP, 100 * SL_NS_PER_MS, modes, sizeof modes / sizeof modes[0]);
    SLT_EXPECT_LT(t->gap_ns, GAP_MAX_NS);
}

struct host_case {
    const char *label;
    const char *mode;
    int signal;
};
static const struct host_case host_cases[] = {
    {"drawing_killed", "vk-steady", SIGKILL},        {"making_devices_killed", "vk-busy", SIGKILL},
    {"sleeping_killed", "vk-slow", SIGKILL},         {"waiting_killed", "vk-waiting", SIGKILL},
    {"asking_killed", "vk-asking", SIGKILL},         {"recording_killed", "vk-recording", SIGKILL},
    {"allocating_killed", "vk-allocating", SIGKILL}, {"drawing_ended", "vk-steady", SIGTERM},
};
SLT_TEST_FP(kill_vulkan, the_host_dies_and_programs_are_told_within_a_second, t, struct host_case,
            host_cases, c)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
    for (uint32_t i = 0; i < HOST_KILLS; i++) {
        SLT_SCOPE("kill %u", i);
        uint64_t taken;
        kill_bed_host_start(t);
        t->steady = kill_bed_client(t, c->mode, NULL, true);
        kill_bed_wait_frames(t, 3);
        sl_clock_sleep_ns(kill_bed_random(t, 20 * SL_NS_PER_MS));
        kill(t->host, c->signal);
        int status = kill_bed_ending(&t->steady, &taken);
        SLT_EXPECT_LT(taken, SL_NS_PER_S);
        SLT_EXPECT_TRUE(WIFEXITED(status)); /* no abort */
        SLT_EXPECT_EQ(KILL_EXIT_LOST, WEXITSTATUS(status));
        printf("told after %.1f ms\n", (double)taken / 1e6);
        kill_bed_host_end(t);
    }
}
