/* Who may die, as kill_test has it for GLES: a Vulkan program at any point, without the host or
 * another program noticing; the host, with VK_ERROR_DEVICE_LOST within a second at any call; the
 * window system, with the host none the worse for it. And programs that fork.
 *
 * Real processes: `sluice serve` on the native driver, kill_vk_client through the loader and our
 * driver. SLUICE_KILLS=200 kills as many programs as are acceptable; a few are killed without. */
#include "tests/integration/kill_bed.h"
#include "tests/support/slt.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define KILLS             96u
#define WARM_UP           24u
#define GAP_MAX_NS        (2 * SL_NS_PER_S) /* the device draws for all of them */
#define WINDOW_KILLS      24u
#define WINDOW_WARM_UP    12u
#define WINDOW_GAP_MAX_NS (5 * SL_NS_PER_S) /* its X server has all the others to do, too */
#define SYSTEM_KILLS      2u                /* of each case */

SLT_FIXTURE(kill_vk, struct kill_bed, kill_bed_init, kill_bed_finish);

static uint32_t kills(uint32_t few)
{
    const char *wanted = getenv("SLUICE_KILLS");
    unsigned long count = wanted != NULL ? strtoul(wanted, NULL, 10) : 0;
    return count >= few ? (uint32_t)count : few;
}

SLT_TEST_F(kill_vk, a_program_dies_at_many_points_and_nobody_notices, t)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(300);
    const struct kill_plan plan = {.steady = "steady",
                                   .count = kills(KILLS),
                                   .warm_up = WARM_UP,
                                   .within_ns = 250 * SL_NS_PER_MS,
                                   .gap_max_ns = GAP_MAX_NS,
                                   .modes = {"steady", "busy", "threads", "busy", "map_memory",
                                             "record", "wait_event", "create_pipeline"}};
    kill_bed_programs_die(t, &plan);
}

SLT_TEST_F(kill_vk, a_window_program_dies_at_many_points_and_nobody_notices, t)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(300);
    kill_bed_x_start(t); /* nobody else's windows are in front */
    const struct kill_plan plan = {.steady = "steady_window",
                                   .count = kills(WINDOW_KILLS),
                                   .warm_up = WINDOW_WARM_UP,
                                   .within_ns = 400 * SL_NS_PER_MS,
                                   .gap_max_ns = WINDOW_GAP_MAX_NS,
                                   .modes = {"window", "windows", "swapchains", "mailbox"}};
    kill_bed_programs_die(t, &plan);
}

static const struct kill_mode_case x_cases[] = {
    {"drawing", "window"},
    {"drawing_as_fast_as_it_can", "mailbox"},
    {"making_swapchains", "swapchains"},
    {"presenting", "x11:acquire_and_present"},
    {"waiting_for_a_picture", "x11:acquire_all"},
};
SLT_TEST_FP(kill_vk, the_x_server_dies_and_the_host_serves_on, t, struct kill_mode_case, x_cases, c)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
    kill_bed_window_system_dies(t, &kill_bed_x, c->mode, "steady", SYSTEM_KILLS);
}

static const struct kill_mode_case wayland_cases[] = {
    {"drawing_as_fast_as_it_can", "wayland"},
    {"making_swapchains", "wayland_swapchains"},
    {"waiting_for_its_turn", "wayland:acquire_and_present"},
};
SLT_TEST_FP(kill_vk, the_compositor_dies_and_the_host_serves_on, t, struct kill_mode_case,
            wayland_cases, c)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
    kill_bed_window_system_dies(t, &kill_bed_wayland, c->mode, "steady", SYSTEM_KILLS);
}

#define CALL(name)                                                                                 \
    {                                                                                              \
#name, #name, SIGKILL                                                                      \
    }
static const struct kill_host_case host_cases[] = {
    {"drawing_killed", "steady", SIGKILL},
    {"drawing_ended", "steady", SIGTERM},
    {"making_devices_killed", "busy", SIGKILL},
    {"sleeping_killed", "slow", SIGKILL},
    {"many_threads_killed", "threads", SIGKILL},
    CALL(queue_submit),
    CALL(queue_submit2),
    CALL(queue_wait_idle),
    CALL(device_wait_idle),
    CALL(device_wait_busy),
    CALL(wait_fence),
    CALL(wait_fence_shortly),
    CALL(poll_fence),
    CALL(poll_submitted),
    CALL(reset_fence),
    CALL(wait_event),
    CALL(wait_timeline),
    CALL(poll_timeline),
    CALL(signal_timeline),
    CALL(map_memory),
    CALL(flush_memory),
    CALL(create_objects),
    CALL(create_image),
    CALL(create_pipeline),
    CALL(create_device),
    CALL(create_pool),
    CALL(write_descriptors),
    CALL(record),
    CALL(query_results),
    CALL(set_event),
    CALL(ask_physical),
};
SLT_TEST_FP(kill_vk, the_host_dies_and_any_call_says_so_within_a_second, t, struct kill_host_case,
            host_cases, c)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
    kill_bed_host_dies(t, c->mode, c->signal, SL_NS_PER_S);
}

static const struct kill_host_case window_host_cases[] = {
    {"drawing", "window", SIGKILL},
    {"making_windows", "windows", SIGKILL},
    {"making_swapchains", "swapchains", SIGKILL},
    {"drawing_as_fast_as_it_can", "mailbox", SIGKILL},
    {"presenting", "x11:acquire_and_present", SIGKILL},
    {"presenting_ended", "x11:acquire_and_present", SIGTERM},
    {"waiting_for_a_picture", "x11:acquire_all", SIGKILL},
};
SLT_TEST_FP(kill_vk, the_host_dies_and_window_programs_are_told_within_a_second, t,
            struct kill_host_case, window_host_cases, c)
{
    SLT_NEED(SLT_VULKAN | SLT_X11);
    SLT_TIMEOUT(60);
    kill_bed_host_dies(t, c->mode, c->signal, SL_NS_PER_S);
}

/* Its compositor never asks for another picture: it waits in vkAcquireNextImageKHR. */
SLT_TEST_F(kill_vk, the_host_dies_and_a_program_that_waits_for_its_turn_is_told, t)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
    kill_bed_wayland_start(t);
    kill_bed_host_dies(t, "wayland:acquire_and_present", SIGKILL, SL_NS_PER_S);
}

static const struct kill_mode_case recover_cases[] = {
    {"offscreen", "recovers"},
    {"in_a_window_of_x11", "window_recovers"},
    {"on_a_surface_of_wayland", "wayland_recovers"},
};
/* With an instance of its own and the window that it has. */
SLT_TEST_FP(kill_vk, the_host_dies_and_a_program_goes_on_with_the_next, t, struct kill_mode_case,
            recover_cases, c)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
    if (strcmp(c->mode, "window_recovers") == 0) {
        kill_bed_x_start(t);
    } else if (strcmp(c->mode, "wayland_recovers") == 0) {
        kill_bed_wayland_start(t);
    }
    kill_bed_host_start(t);
    t->steady = kill_bed_client(t, c->mode, true);
    for (int i = 0; i < 2; i++) {
        kill_bed_wait_frames(t, 10);
        kill_bed_host_end(t);
        kill_bed_host_start(t);
        kill_bed_wait_host(t, 1, 1);
        kill_bed_watch(t, SL_NS_PER_MS); /* takes the frames of before */
    }
    kill_bed_wait_frames(t, 20);
    SLT_EXPECT_EQ(0, waitpid(t->steady, NULL, WNOHANG));
}

/* The same calls below `serve --isolate`, where a worker dies instead. */
static void worker_dies(struct kill_bed *t, const struct kill_host_case *c)
{
    const struct kill_worker_plan plan = {.mode = c->mode,
                                          .steady = "steady",
                                          .lives = strcmp(c->mode, "busy") == 0 ||
                                                   strcmp(c->mode, "windows") == 0,
                                          .signal = c->signal,
                                          .most_ns = SL_NS_PER_S,
                                          .gap_max_ns = GAP_MAX_NS};
    kill_bed_worker_dies(t, &plan);
}

SLT_TEST_FP(kill_vk, a_worker_dies_and_any_call_of_its_program_says_so_within_a_second, t,
            struct kill_host_case, host_cases, c)
{
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
    worker_dies(t, c);
}

SLT_TEST_FP(kill_vk, a_worker_dies_and_its_windows_are_told_within_a_second, t,
            struct kill_host_case, window_host_cases, c)
{
    SLT_NEED(SLT_VULKAN | SLT_X11);
    SLT_TIMEOUT(60);
    worker_dies(t, c);
}

SLT_TEST_F(kill_vk, forks_draw_for_themselves, t)
{
    uint64_t taken;
    SLT_NEED(SLT_VULKAN);
    SLT_TIMEOUT(60);
#ifdef __SANITIZE_THREAD__
    SLT_SKIP("ThreadSanitizer ends a child that starts threads");
#endif
    kill_bed_host_start(t);
    t->victim = kill_bed_client(t, "forks", true);
    int status = kill_bed_ending(&t->victim, &taken);
    SLT_EXPECT_TRUE(WIFEXITED(status));
    SLT_EXPECT_EQ(0, WEXITSTATUS(status));
    kill_bed_wait_host(t, 0, 0);
}
