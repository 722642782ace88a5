/* A Vulkan program to be killed, or whose host or window system is: vk_kill_test starts it. One
 * byte on stdout for each frame, once its picture was right. The modes are in the table below; any
 * other word is a call of kill_vk_calls.c, with "x11:" or "wayland:" in front of it with a window.
 * The exit codes are kill_codes.h's. */
#include "tests/integration/kill_codes.h"
#include "tests/integration/vulkan/kill_vk.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_FRAMES = 8, FORKS = 5, FORK_FRAMES = 4, BEGUN = 3, AGAIN_MS = 10 };

static const struct mode {
    const char *name;
    enum kv_windows windows;
    VkPresentModeKHR mode;
    bool lives; /* an instance, a device and all that is its own are made and destroyed for ever */
    bool remakes;  /* surfaces and swapchains are */
    bool looks;    /* what the window shows is right; it is in a corner of its own */
    bool slow;     /* a frame every 50 ms */
    bool recovers; /* what was lost is given back, and begun again in the same window */
    bool threads;  /* that use the device beside each other, end and are replaced */
} modes[] = {
    {.name = "steady"},
    {.name = "recovers", .recovers = true},
    {.name = "busy", .lives = true},
    {.name = "slow", .slow = true},
    {.name = "threads", .threads = true},
    {.name = "steady_window", .windows = KV_X11, .mode = VK_PRESENT_MODE_FIFO_KHR, .looks = true},
    {.name = "window_recovers",
     .windows = KV_X11,
     .mode = VK_PRESENT_MODE_FIFO_KHR,
     .looks = true,
     .recovers = true},
    {.name = "window", .windows = KV_X11, .mode = VK_PRESENT_MODE_FIFO_KHR},
    {.name = "mailbox", .windows = KV_X11, .mode = VK_PRESENT_MODE_MAILBOX_KHR},
    {.name = "swapchains", .windows = KV_X11, .mode = VK_PRESENT_MODE_FIFO_KHR, .remakes = true},
    {.name = "windows", .windows = KV_X11, .mode = VK_PRESENT_MODE_FIFO_KHR, .lives = true},
    {.name = "wayland", .windows = KV_WAYLAND, .mode = VK_PRESENT_MODE_MAILBOX_KHR},
    {.name = "wayland_recovers",
     .windows = KV_WAYLAND,
     .mode = VK_PRESENT_MODE_MAILBOX_KHR,
     .recovers = true},
    {.name = "wayland_swapchains",
     .windows = KV_WAYLAND,
     .mode = VK_PRESENT_MODE_MAILBOX_KHR,
     .remakes = true},
};

static const struct mode *mode;
static struct kv kv;
static struct kv_threads *threads;
static jmp_buf again; /* with recovers: where it begins again */

static _Noreturn void end(int code, const char *why)
{
    fprintf(stderr, "kill_vk_client: %s\n", why);
    _exit(code);
}

/* As a program ends that hears of it: everything given back, exit handlers run. None of it may
 * hang. */
static _Noreturn void leave(int code, const char *why)
{
    fprintf(stderr, "kill_vk_client: %s\n", why);
    if (threads != NULL) {
        kv_threads_stop(threads);
    }
    kv_close(&kv);
    exit(code);
}

static _Noreturn void lost(const char *what)
{
    if (mode != NULL && mode->recovers) {
        longjmp(again, 1);
    }
    leave(KILL_EXIT_LOST, what);
}

static void failed(VkResult result, const char *what)
{
    switch (result) {
    case VK_ERROR_DEVICE_LOST:
        lost(what);
    case VK_ERROR_SURFACE_LOST_KHR:
    case VK_ERROR_OUT_OF_DATE_KHR:
        leave(KILL_EXIT_WINDOW, what);
    case VK_ERROR_INITIALIZATION_FAILED:
    case VK_ERROR_INCOMPATIBLE_DRIVER: /* the loader's word for it */
        if (kv.vx.instance == VK_NULL_HANDLE) {
            lost(what); /* its worker died under the call; the next one is there */
        }
        end(KILL_EXIT_OTHER, what);
    default: /* what has no such result, and what the loader made of it */
        if (kv_is_lost(&kv)) {
            lost(what);
        }
        end(result == VK_ERROR_UNKNOWN ? KILL_EXIT_WRONG : KILL_EXIT_OTHER, what);
    }
}

static void tell(void)
{
    char byte = '.';
    if (write(STDOUT_FILENO, &byte, 1) != 1) {
        end(KILL_EXIT_OTHER, "nobody looks");
    }
}

static void begun(void)
{
    for (int i = 0; i < BEGUN; i++) {
        tell();
    }
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* --- a program that forks --- */

/* What the parent had is lost in its child, which can have its own. */
static _Noreturn void child(uint32_t number)
{
    struct kv own = {0};
    vx_on_failure(NULL); /* ends with 1 */
    vx_need(vkDeviceWaitIdle(kv.vx.device) == VK_ERROR_DEVICE_LOST, "the inherited device is lost");
    kv_open(&own);
    kv_open_picture(&own);
    for (uint32_t i = 0; i < FORK_FRAMES; i++) {
        kv_draw(&own, number + i);
    }
    kv_close(&own);
    if (number % 2 == 0) {
        kv_close(&kv); /* may be given back, by nobody's host */
    }
    exit(0);
}

static _Noreturn void forks(void)
{
    kv_open(&kv);
    kv_open_picture(&kv);
    for (uint32_t i = 0; i < FORKS; i++) {
        int status = -1;
        kv_draw(&kv, i);
        pid_t pid = fork();
        if (pid == 0) {
            child(100 + i);
        }
        for (uint32_t k = 0; k < FORK_FRAMES; k++) {
            kv_draw(&kv, k);
        }
        if (waitpid(pid, &status, 0) != pid || status != 0) {
            end(KILL_EXIT_OTHER, "the child failed");
        }
        kv_draw(&kv, i);
        tell();
    }
    kv_close(&kv);
    exit(0);
}

/* --- lives --- */

static void frame(uint32_t number)
{
    kv_draw(&kv, number);
    if (mode->windows != KV_OFFSCREEN) {
        kv_show(&kv);
    }
    if (mode->looks && number % LOOK_FRAMES == 0) {
        kv_look(&kv, number);
    }
    tell();
    if (mode->slow) {
        sleep_ms(50);
    }
}

static _Noreturn void one_life(void)
{
    if (setjmp(again) != 0) {
        kv_close(&kv);
        sleep_ms(AGAIN_MS);
    }
    kv_open(&kv);
    kv_open_picture(&kv);
    if (mode->windows != KV_OFFSCREEN) {
        kv_open_swapchain(&kv);
    }
    for (uint32_t i = 0;; i++) {
        frame(i);
        if (mode->remakes) {
            kv_close_swapchain(&kv);
            kv_open_swapchain(&kv);
        }
    }
}

static _Noreturn void short_lives(void)
{
    for (uint32_t i = 0;; i++) {
        kv_open(&kv);
        kv_open_picture(&kv);
        if (mode->windows != KV_OFFSCREEN) {
            kv_open_swapchain(&kv);
        }
        frame(i);
        kv_close(&kv);
    }
}

static _Noreturn void many_threads(void)
{
    kv_open(&kv);
    threads = kv_threads_start(&kv);
    for (;;) {
        VkResult result = kv_threads_renew(threads);
        vx_must(&kv.vx, result, "a thread");
        tell();
        sleep_ms(1);
    }
}

static _Noreturn void one_call(const char *name)
{
    static const char x11[] = "x11:", wayland[] = "wayland:";
    kv.mode = VK_PRESENT_MODE_FIFO_KHR;
    if (strncmp(name, x11, sizeof x11 - 1) == 0) {
        kv.windows = KV_X11;
        name += sizeof x11 - 1;
    } else if (strncmp(name, wayland, sizeof wayland - 1) == 0) {
        kv.windows = KV_WAYLAND;
        name += sizeof wayland - 1;
    }
    VkResult result = kv_call(&kv, name, begun);
    if (result == VK_INCOMPLETE) {
        end(KILL_EXIT_OTHER, "usage: kill_vk_client MODE");
    }
    if (result == VK_ERROR_DEVICE_LOST) {
        leave(KILL_EXIT_LOST, name);
    }
    failed(result, name);
    abort(); /* it does not return */
}

int main(int argc, char **argv)
{
    const char *name = argc == 2 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN); /* libxcb's writes to a server that died raise it */
    vx_on_failure(failed);
    if (strcmp(name, "forks") == 0) {
        forks();
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        mode = strcmp(name, modes[i].name) == 0 ? &modes[i] : mode;
    }
    if (mode == NULL) {
        one_call(name);
    }
    kv.windows = mode->windows;
    kv.mode = mode->mode;
    kv.x = mode->looks ? VX_SIDE : 0;
    if (mode->threads) {
        many_threads();
    }
    if (mode->lives) {
        short_lives();
    }
    one_life();
}
