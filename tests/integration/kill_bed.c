#include "tests/integration/kill_bed.h"

#include "tests/support/slt.h"
#include "transport/base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NO_PROGRAM 127
#define WAYLAND_NAME    "wayland-test"

void kill_bed_init(struct kill_bed *t)
{
    snprintf(t->path, sizeof t->path, "%s/socket", SLT_TMPDIR());
    t->random = 11;
}

void kill_bed_end(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

/* A pipe's end; + 1, 0: none. */
static void end_close(int *end)
{
    int fd = *end - 1;
    sl_fd_close(&fd);
    *end = 0;
}

void kill_bed_finish(struct kill_bed *t)
{
    local_control_close(t->control);
    kill_bed_end(&t->victim);
    kill_bed_end(&t->steady);
    kill_bed_x_kill(t);
    kill_bed_wayland_kill(t);
    kill_bed_end(&t->host);
    end_close(&t->frames);
    end_close(&t->said);
}

struct setting {
    const char *name;
    const char *value; /* NULL: left as it is */
};

/* The end that is read does not block. */
static void open_pipe(int fds[2])
{
    SLT_ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

/* In the child. */
static void add_options(const char *name, const char *more)
{
    const char *set = getenv(name);
    char text[1024];
    snprintf(text, sizeof text, "%s:%s", set != NULL ? set : "", more);
    setenv(name, text, 1);
}

/* out: becomes its stdout, -1: nowhere. settings end with a NULL name, or are NULL. What it says
 * goes to `said`; where that is -1, it is part of the log without settings, and nowhere with. */
static pid_t start(const char *const *argv, const struct setting *settings, int out, int said)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDWR);
    dup2(out >= 0 ? out : nothing, STDOUT_FILENO);
    for (; settings != NULL && settings->name != NULL; settings++) {
        if (settings->value != NULL) {
            setenv(settings->name, settings->value, 1);
        }
    }
    /* A death by a signal is one below a sanitizer, too. And llvmpipe destroys a fence's mutex that
     * another of its threads is about to let go of: the detector of deadlocks ends the host of it.
     */
    add_options("ASAN_OPTIONS", "handle_segv=0");
    add_options("TSAN_OPTIONS", "handle_segv=0:detect_deadlocks=0");
    if (settings != NULL || said >= 0) { /* what the dying say is no part of the log */
        dup2(said >= 0 ? said : nothing, STDERR_FILENO);
    }
    execvp(argv[0], (char *const *)argv);
    _exit(EXIT_NO_PROGRAM);
}

/* --- the host --- */

void kill_bed_host_start(struct kill_bed *t)
{
    const char *argv[] = {
        SLUICE_PROGRAM, "serve", "-q", "--socket", t->path, t->isolates ? "--isolate" : NULL, NULL};
    struct local_status_reply status;
    int said[2] = {-1, -1};
    if (t->isolates) {
        open_pipe(said);
        t->said = said[0] + 1;
    }
    t->host = start(argv, NULL, -1, said[1]);
    sl_fd_close(&said[1]);
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    while (local_control_open(t->path, &t->control) != SL_OK && sl_clock_ns() < end) {
        SLT_ASSERT_EQ(0, waitpid(t->host, NULL, WNOHANG));
        sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    }
    SLT_ASSERT_TRUE(t->control != NULL);
    SLT_ASSERT_OK(
        local_control_status(t->control, &status)); /* answered once the driver is there */
}

void kill_bed_host_end(struct kill_bed *t)
{
    local_control_close(t->control);
    t->control = NULL;
    kill_bed_end(&t->host);
    end_close(&t->said);
    unlink(t->path);
}

void kill_bed_wait_host(struct kill_bed *t, uint32_t contexts, uint32_t clients)
{
    struct local_status_reply status = {.contexts = UINT32_MAX};
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    while (status.contexts != contexts || status.clients != clients) {
        SLT_ASSERT_LT(sl_clock_ns(), end);
        SLT_ASSERT_OK(local_control_status(t->control, &status));
        sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    }
}

/* Is a dead process still being taken apart, on a thread of its own? */
static bool is_reaping(pid_t host)
{
    char name[64], comm[32];
    bool found = false;
    snprintf(name, sizeof name, "/proc/%d/task", (int)host);
    DIR *dir = opendir(name);
    for (const struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[sizeof name + sizeof entry->d_name + 8];
        snprintf(path, sizeof path, "%s/%s/comm", name, entry->d_name);
        FILE *file = fopen(path, "r");
        if (file != NULL) {
            found = found ||
                    (fgets(comm, sizeof comm, file) != NULL && strncmp(comm, "vk-reaper", 9) == 0);
            fclose(file);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return found;
}

/* Entries of /proc/PID/what: descriptors ("fd"), threads ("task"). */
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

static struct kill_host_size size_now(struct kill_bed *t)
{
    struct local_status_reply status;
    SLT_ASSERT_OK(local_control_status(t->control, &status));
    return (struct kill_host_size){.fds = entries(t->host, "fd"),
                                   .threads = entries(t->host, "task"),
                                   .resources = status.resources};
}

struct kill_host_size kill_bed_host_size(struct kill_bed *t)
{
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    struct kill_host_size last, now;
    kill_bed_wait_host(t, 1, 1);
    while (is_reaping(t->host)) {
        SLT_ASSERT_LT(sl_clock_ns(), end);
        kill_bed_watch(t, 10 * SL_NS_PER_MS);
    }
    now = size_now(t);
    do { /* a driver's threads end when they come to it */
        SLT_ASSERT_LT(sl_clock_ns(), end);
        last = now;
        kill_bed_watch(t, 200 * SL_NS_PER_MS);
        now = size_now(t);
    } while (now.fds != last.fds || now.threads != last.threads);
    return now;
}

/* --- the X server --- */

/* The number that it writes when it is ready; empty when it ended without. */
static void read_number(int fd, char *text, size_t size)
{
    size_t have = 0;
    char byte = '\0';
    while (have < size - 1 && sl_fd_wait(fd, (int64_t)KILL_PATIENCE_NS) == SL_OK &&
           read(fd, &byte, 1) == 1 && byte != '\n') {
        text[have++] = byte;
    }
    text[byte == '\n' ? have : 0] = '\0';
}

void kill_bed_x_start(struct kill_bed *t)
{
    int fds[2], status = 0;
    char writer[16], number[16];
    SLT_ASSERT_EQ(0, pipe(fds));
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    snprintf(writer, sizeof writer, "%d", fds[1]);
    const char *argv[] = {"Xvfb",       "-displayfd", writer, "-screen",  "0",
                          "320x240x24", "-nolisten",  "tcp",  "-noreset", NULL};
    t->x = start(argv, (const struct setting[]){{NULL, NULL}}, -1, -1);
    close(fds[1]);
    read_number(fds[0], number, sizeof number);
    close(fds[0]);
    if (number[0] == '\0' && waitpid(t->x, &status, 0) == t->x) {
        t->x = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM) {
            SLT_SKIP("no Xvfb");
        }
        SLT_FAIL("Xvfb did not start: wait status %d", status);
    }
    t->x_number = atoi(number);
}

void kill_bed_x_kill(struct kill_bed *t)
{
    if (t->x > 0) {
        char name[64];
        /* Before it dies: while it lives the number is nobody else's. */
        snprintf(name, sizeof name, "/tmp/.X11-unix/X%d", t->x_number);
        unlink(name);
        snprintf(name, sizeof name, "/tmp/.X%d-lock", t->x_number);
        unlink(name);
    }
    kill_bed_end(&t->x);
}

/* --- the Wayland compositor --- */

/* A socket's name is there before anybody listens at it. */
static bool listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    sl_fd_close(&fd);
    return done;
}

void kill_bed_wayland_start(struct kill_bed *t)
{
    const char *argv[] = {"weston",
                          "--backend=headless-backend.so",
                          "--use-pixman",
                          "--idle-time=0",
                          "--socket=" WAYLAND_NAME,
                          "--width=320",
                          "--height=240",
                          NULL};
    char path[108];
    int status = 0;
    snprintf(path, sizeof path, "%s/" WAYLAND_NAME, SLT_TMPDIR());
    unlink(path);
    t->wayland =
        start(argv, (const struct setting[]){{"XDG_RUNTIME_DIR", SLT_TMPDIR()}, {0}}, -1, -1);
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    while (!listens(path)) {
        SLT_ASSERT_LT(sl_clock_ns(), end);
        if (waitpid(t->wayland, &status, WNOHANG) == t->wayland) {
            t->wayland = 0;
            if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM) {
                SLT_SKIP("no weston");
            }
            SLT_FAIL("weston did not start: wait status %d", status);
        }
        sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    }
}

void kill_bed_wayland_kill(struct kill_bed *t)
{
    kill_bed_end(&t->wayland);
}

/* --- programs --- */

/* Of the file of what the case's programs say. */
static const char *programs_path(char path[108])
{
    snprintf(path, 108, "%s/programs", SLT_TMPDIR());
    return path;
}

pid_t kill_bed_client(struct kill_bed *t, const char *mode, bool frames)
{
    char display[16];
    snprintf(display, sizeof display, ":%d", t->x_number);
    const char *argv[] = {SLUICE_KILL_CLIENT, mode, NULL};
    const struct setting settings[] = {{"SLUICE_SOCKET", t->path},
                                       {"__EGL_VENDOR_LIBRARY_FILENAMES", SLUICE_VENDOR_FILE},
                                       {"VK_ICD_FILENAMES", SLUICE_ICD_FILE},
                                       {"VK_DRIVER_FILES", SLUICE_ICD_FILE},
                                       {"DISPLAY", t->x > 0 ? display : NULL},
                                       {"XDG_RUNTIME_DIR", t->wayland > 0 ? SLT_TMPDIR() : NULL},
                                       {"WAYLAND_DISPLAY", WAYLAND_NAME},
                                       {NULL, NULL}};
    char path[108];
    int fds[2] = {-1, -1};
    int said =
        open(programs_path(path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (frames) {
        end_close(&t->frames);
        open_pipe(fds);
        t->frames = fds[0] + 1;
    }
    pid_t pid = start(argv, settings, fds[1], said);
    sl_fd_close(&fds[1]);
    sl_fd_close(&said);
    t->last_ns = frames ? sl_clock_ns() : t->last_ns;
    return pid;
}

void kill_bed_tell(void)
{
    char path[108], line[512];
    FILE *file = fopen(programs_path(path), "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        printf("said: %s", line);
    }
    if (file != NULL) {
        fclose(file);
    }
}

int kill_bed_ending(pid_t *pid, uint64_t *taken_ns)
{
    int status = -1;
    uint64_t begin = sl_clock_ns();
    while (waitpid(*pid, &status, WNOHANG) == 0 && sl_clock_ns() - begin < KILL_PATIENCE_NS) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    *taken_ns = sl_clock_ns() - begin;
    if (*taken_ns >= KILL_PATIENCE_NS) {
        return -1; /* the fixture ends it */
    }
    *pid = 0;
    return status;
}

/* 0: none just now; -1: the program has ended. */
static int32_t take_frames(const struct kill_bed *t)
{
    char bytes[4096];
    ssize_t got = read(t->frames - 1, bytes, sizeof bytes);
    return got > 0 ? (int32_t)got : got == 0 ? -1 : 0;
}

void kill_bed_wait_frames(struct kill_bed *t, uint32_t count)
{
    uint64_t end = sl_clock_ns() + KILL_PATIENCE_NS;
    while (count > 0) {
        SLT_ASSERT_LT(sl_clock_ns(), end);
        int32_t got = take_frames(t);
        SLT_ASSERT_GE(got, 0); /* it has not ended */
        count = (uint32_t)got < count ? count - (uint32_t)got : 0;
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    t->last_ns = sl_clock_ns();
}

void kill_bed_watch(struct kill_bed *t, uint64_t ns)
{
    uint64_t end = sl_clock_ns() + ns;
    do {
        sl_clock_sleep_ns(SL_NS_PER_MS);
        uint64_t now = sl_clock_ns();
        if (take_frames(t) > 0) {
            t->last_ns = now;
        }
        t->gap_ns = now - t->last_ns > t->gap_ns ? now - t->last_ns : t->gap_ns;
    } while (sl_clock_ns() < end);
}

uint64_t kill_bed_random(struct kill_bed *t, uint64_t below)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (t->random >> 24) % below;
}
