#include "tools/sluice/host.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/host_stats.h"
#include "tools/sluice/notify.h"
#include "tools/sluice/place.h"
#include "tools/sluice/say.h"
#include "tools/sluice/worker.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/local/local_server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define ABANDON      SIGUSR2           /* to a private host: end, and leave no recording */
#define END_PATIENCE (5 * SL_NS_PER_S) /* how long a host may take to end before it is killed */
#define HEAP_KEPT    (16 << 20)
#define HEAP_LARGE   (1 << 20)

/* ---- the host itself ---- */

void host_tell(int status_fd, const char *format, ...)
{
    if (status_fd < 0) {
        return;
    }
    char line[HOST_RECORD_LINE];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    size_t length = size < 0 ? 0 : (size_t)size < sizeof line - 1 ? (size_t)size : sizeof line - 2;
    line[length] = '\n';
    ssize_t done =
        write(status_fd, line, length + 1); /* the reader may be gone: then nobody wants to know */
    (void)done;
}

/* Every client costs descriptors: take all that the machine grants. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            say_detail("the limit of open files stays: %s", strerror(errno));
        }
    }
}

/* A host that is started below another's program must not take our own guest driver for a native
 * one: Vulkan's loader looks at these whenever an instance is made. */
static void forget_guest_driver(void)
{
    static const char *const files[] = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *value = getenv(files[i]);
        if (value != NULL && strstr(value, "sluice_icd.json") != NULL) {
            unsetenv(files[i]);
        }
    }
    unsetenv("SLUICE_SOCKET"); /* without it our driver, found in the system's folder, is silent */
}

/* Drivers take and free megabytes of memory a frame. A thread's heap that goes back to the kernel
 * each time comes again page by page: a fault per 4 KiB, and hundreds of them a frame are a quarter
 * of what the frame costs. So each keeps so much, and what is larger is given back at once. */
static void keep_memory(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    (void)mallopt(M_MMAP_THRESHOLD, HEAP_LARGE); /* no longer a moving one, as the other is set */
#endif
}

/* The heap of a thread that is not the process's first one grows by a system call for each 4 KiB:
 * thousands of them until a driver has compiled its first shaders. */
void host_share_memory(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_ARENA_MAX, 1);
#endif
}

void host_prepare(void)
{
    raise_descriptor_limit();
    forget_guest_driver();
    keep_memory();
}

/* The signals that end a host, as a descriptor, or -1 (errno says why). */
static int open_stop(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGHUP);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a recording that grows too large ends by itself */
    return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

int host_open_ends(int status_fd, int *stop_fd)
{
    if (status_fd >= 0 && fcntl(status_fd, F_SETFD, FD_CLOEXEC) != 0) {
        say_error("--status-fd is %d, which is not open; open it before, as in 3>&1", status_fd);
        return SLUICE_EXIT_USAGE;
    }
    *stop_fd = open_stop();
    if (*stop_fd < 0) {
        say_error("no descriptor for signals: %s; raise the limit of open files", strerror(errno));
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

/* No room for another file beside this path. */
static bool disk_full(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[1] = '\0';
    }
    struct statvfs disk;
    return statvfs(slash != NULL ? folder : ".", &disk) == 0 &&
           (disk.f_bavail == 0 || (disk.f_files != 0 && disk.f_favail == 0));
}

void host_listening(const struct host_options *options, int status_fd)
{
    host_tell(status_fd, "listening");
    if (options->is_found) {
        notify_send("READY=1");
        say_note("serving at %s; programs find it by SLUICE_SOCKET, or start them with sluice run "
                 "--socket",
                 options->path);
    } else {
        say_detail("listening at %s", options->path);
    }
}

int host_cannot_listen(const char *path, enum sl_result result)
{
    if (result == SL_ERR_NOMEM && disk_full(path)) {
        say_error("cannot listen at %s: the disk is full; make room there, or choose another place "
                  "with --socket",
                  path);
        return SLUICE_EXIT_FILE;
    }
    if (result == SL_ERR_NOMEM) {
        say_error("cannot listen at %s: %s; raise the limit of open files", path,
                  sl_result_name(result));
        return SLUICE_EXIT_MISSING;
    }
    say_error("cannot listen at %s: %s; choose another place with --socket", path,
              result == SL_ERR_INVALID ? "it is taken, or no name for a socket (107 bytes at most)"
                                       : sl_result_name(result));
    return SLUICE_EXIT_FILE;
}

int host_make_device(const struct hct_type *const *types, const struct hct_options *options,
                     const struct dev_limits *limits, const struct vgd_sink *sink,
                     struct vgd **device)
{
    enum sl_result result = dev_create(types, options, limits, sink, device);
    if (result == SL_ERR_NOTFOUND && options->gpu != NULL) {
        say_error("--gpu is '%s', and no device is that: what there is stands above", options->gpu);
        return SLUICE_EXIT_MISSING;
    }
    if (result != SL_OK) {
        say_error("the native driver could not be loaded: %s, for the reason above; where there is "
                  "none, install one (Debian: libegl1 and libegl-mesa0)",
                  sl_result_name(result));
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

void host_ready(struct vgd *device, int status_fd, bool is_service)
{
    char driver[LOCAL_TEXT];
    device->ops->describe(device, driver, sizeof driver);
    host_tell(status_fd, "ready %s", driver);
    say_detail("ready: %s", driver);
    if (is_service) {
        notify_send("STATUS=draws on %s", driver);
    }
}

int host_make_recorded(const struct hct_type *const *types, const struct hct_options *options,
                       const struct dev_limits *limits, const struct vgd_sink *front,
                       struct cap_device **recorder, struct vgd **device)
{
    if (cap_device_create(front, recorder) != SL_OK) {
        say_error("no memory for the host");
        return SLUICE_EXIT_INTERNAL;
    }
    struct vgd_sink sink = cap_device_sink(*recorder);
    struct vgd *inner;
    int code = host_make_device(types, options, limits, &sink, &inner);
    if (code != SLUICE_EXIT_OK) {
        cap_device_destroy(*recorder);
        return code;
    }
    *device = cap_device_wrap(*recorder, inner);
    return SLUICE_EXIT_OK;
}

/* What all programs together may have: half of the machine's, where that is more than a device's
 * own limit, which two programs could fill. */
static uint64_t all_memory(void)
{
    const uint64_t least = (uint64_t)4 << 30;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t half = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : 0;
    return half > least ? half : least;
}

/* The device behind a recorder, which is on from the start where the options say so. */
static int make_serving_device(const struct vgd_sink *front, const struct host_options *options,
                               struct host_recorder *recorder)
{
    const struct dev_limits limits = {.contexts = options->clients, .resource_bytes = all_memory()};
    struct hct_options driver = options->device;
    driver.is_recorded = options->record.pattern != NULL;
    int code = host_make_recorded(dev_all_types, &driver, &limits, front, &recorder->recorder,
                                  &recorder->device);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    if (options->worker == NULL) { /* a worker's server knows: the others said so */
        host_ready(recorder->device, recorder->status_fd, options->is_found);
    }
    code = host_record_begin(recorder, &options->record);
    if (code != SLUICE_EXIT_OK) {
        recorder->device->ops->destroy(recorder->device);
        host_record_finish(recorder);
    }
    return code;
}

/* Nothing was worth recording: the starter says so with its signal. */
static bool is_abandoned(int stop_fd)
{
    struct signalfd_siginfo info;
    return read(stop_fd, &info, sizeof info) == (ssize_t)sizeof info &&
           info.ssi_signo == (uint32_t)ABANDON;
}

/* Serves with the device made; the server outlives it. stats: nullable. */
static int serve_device(struct local_server *server, const struct host_options *options,
                        struct host_stats *stats, int stop_fd, int status_fd)
{
    struct vgd_sink front = stats != NULL ? host_stats_sink(stats) : local_server_sink(server);
    struct host_recorder recorder = {.status_fd = status_fd};
    int code = make_serving_device(&front, options, &recorder);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    struct vgd *device = recorder.device;
    if (stats != NULL) {
        device->ops->tap(device, true);
    }
    local_server_set_device(server, device);
    local_server_set_tool(server, host_record_tool, &recorder);
    enum sl_result result = SL_OK;
    if (options->worker != NULL) {
        result = worker_ready(options->worker, device);
    }
    if (result == SL_OK) {
        result = local_server_run(server, stop_fd);
    }
    if (options->is_found) {
        notify_send("STOPPING=1");
    }
    if (is_abandoned(stop_fd)) {
        host_record_abandon(&recorder);
    }
    host_record_end(&recorder, CAP_END_PROGRAM);
    device->ops->destroy(device);
    host_record_finish(&recorder);
    host_tell(status_fd, "ended %llu", (unsigned long long)local_server_contexts_created(server));
    return result == SL_OK ? SLUICE_EXIT_OK : SLUICE_EXIT_INTERNAL;
}

/* The same, and counts what is waited for where the options say so. */
static int serve_counted(struct local_server *server, const struct host_options *options,
                         int stop_fd, int status_fd)
{
    struct host_stats *stats = NULL;
    if (options->stats) {
        struct vgd_sink front = local_server_sink(server);
        stats = host_stats_create(&front);
        if (stats == NULL) {
            say_error("no memory for the host");
            return SLUICE_EXIT_INTERNAL;
        }
    }
    int code = serve_device(server, options, stats, stop_fd, status_fd);
    if (stats != NULL && code == SLUICE_EXIT_OK) {
        host_stats_report(stats, say_stream());
    }
    host_stats_destroy(stats);
    return code;
}

int host_serve(const struct host_options *options, int stop_fd, int status_fd)
{
    host_prepare();
    struct local_server_options server_options = {
        .path = options->path,
        .any_user = options->any_user,
        .clients = options->clients,
        .clients_per_user = options->user_clients,
        .resource_bytes = options->resource_bytes,
        .user_bytes = options->user_bytes,
    };
    if (options->worker != NULL) {
        server_options.is_fed = true;
        server_options.feed = options->worker->feed;
        server_options.counts = options->worker->counts;
    }
    struct local_server *server = NULL;
    enum sl_result result = local_server_create(&server_options, &server);
    if (result != SL_OK) {
        int code = host_cannot_listen(options->path, result);
        host_tell(status_fd, "failed %d", code);
        return code;
    }
    if (options->worker == NULL) {
        host_listening(options, status_fd);
    }
    int code = serve_counted(server, options, stop_fd, status_fd);
    if (code != SLUICE_EXIT_OK) {
        host_tell(status_fd, "failed %d", code);
    }
    local_server_destroy(server);
    return code;
}

/* ---- a private one, from outside ---- */

/* In the child: its own session, so that the terminal's signals stop the program only; it dies with
 * its starter. */
static _Noreturn void be_host(const struct host_options *options, const char *dir, pid_t starter,
                              int status_fd)
{
    prctl(PR_SET_NAME, "sluice-host");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setsid();
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, ABANDON);
    sigprocmask(SIG_SETMASK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a recording that grows too large ends by itself */
    int stop_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing >= 0) { /* input and output are the program's; only talk is shared */
        dup2(nothing, STDIN_FILENO);
        dup2(nothing, STDOUT_FILENO);
    }
    int code = SLUICE_EXIT_INTERNAL;
    if (stop_fd >= 0 && getppid() == starter) {
        code = host_serve(options, stop_fd, status_fd);
    }
    rmdir(dir); /* the starter may have been killed */
    fflush(NULL);
    _exit(code); /* a driver's exit handlers are not worth waiting for */
}

enum sl_result host_start(struct host_process *host, const struct host_options *options)
{
    *host = (struct host_process){
        .status_fd = -1, .told = options->told, .told_user = options->told_user};
    enum sl_result result = place_private_dir(host->dir);
    if (result != SL_OK) {
        say_error("no private directory at %s: %s; set TMPDIR to a place that can be written",
                  host->dir, sl_result_name(result));
        host->dir[0] = '\0';
        return result;
    }
    snprintf(host->path, sizeof host->path, "%.200s/socket", host->dir);
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        say_error("no pipe for the host: %s; raise the limit of open files", strerror(errno));
        host_finish(host);
        return SL_ERR_NOMEM;
    }
    pid_t self = getpid();
    fflush(NULL);
    host->pid = fork();
    if (host->pid == 0) {
        struct host_options own = *options;
        own.path = host->path;
        close(pipe_fds[0]);
        be_host(&own, host->dir, self, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    host->status_fd = pipe_fds[0];
    if (host->pid < 0) {
        say_error("no process for the host: %s; raise the limit of processes", strerror(errno));
        host->pid = 0;
        host_finish(host);
        return SL_ERR_NOMEM;
    }
    fcntl(host->status_fd, F_SETFL, O_NONBLOCK);
    return SL_OK;
}

static void take_line(struct host_process *host, const char *line)
{
    if (strcmp(line, "listening") == 0) {
        host->state = HOST_LISTENING;
        host->listened = true;
    } else if (strncmp(line, "ready ", 6) == 0) {
        host->state = HOST_READY;
        snprintf(host->driver, sizeof host->driver, "%s", line + 6);
    } else if (strncmp(line, "failed ", 7) == 0) {
        host->state = HOST_FAILED;
        host->exit_code = atoi(line + 7);
    } else if (strncmp(line, "ended ", 6) == 0) {
        host->state = HOST_ENDED;
        host->contexts = strtoull(line + 6, NULL, 10);
    } else if (host->told != NULL) {
        host->told(host->told_user, line);
    }
}

void host_read_status(struct host_process *host)
{
    for (;;) {
        char byte;
        ssize_t got = host->status_fd >= 0 ? read(host->status_fd, &byte, 1) : -1;
        if (got == 1) {
            if (byte == '\n') {
                host->line[host->line_size] = '\0';
                take_line(host, host->line);
                host->line_size = 0;
            } else if (host->line_size < sizeof host->line - 1) {
                host->line[host->line_size++] = byte;
            }
            continue;
        }
        if (got == 0) { /* it is gone; without a word of its own that is a failure */
            sl_fd_close(&host->status_fd);
            if (host->state != HOST_ENDED && host->state != HOST_FAILED) {
                host->state = HOST_FAILED;
                host->exit_code = SLUICE_EXIT_INTERNAL;
            }
        }
        return;
    }
}

enum sl_result host_wait(struct host_process *host, enum host_state state, int64_t timeout_ns)
{
    uint64_t deadline = timeout_ns < 0 ? UINT64_MAX : sl_clock_ns() + (uint64_t)timeout_ns;
    for (;;) {
        host_read_status(host);
        /* It may have listened and failed before we looked: that it got so far counts. */
        if (host->state == state || (state == HOST_LISTENING && host->listened)) {
            return SL_OK;
        }
        if (host->state == HOST_FAILED || host->state == HOST_ENDED) {
            return SL_ERR_CLOSED;
        }
        uint64_t now = sl_clock_ns();
        if (now >= deadline) {
            return SL_ERR_TIMEOUT;
        }
        enum sl_result result =
            sl_fd_wait(host->status_fd, timeout_ns < 0 ? -1 : (int64_t)(deadline - now));
        if (result == SL_ERR_IO || result == SL_ERR_TIMEOUT) {
            return result;
        }
    }
}

void host_finish(struct host_process *host)
{
    if (host->pid > 0) {
        kill(host->pid, host->is_abandoned ? ABANDON : SIGTERM);
        enum sl_result result = host_wait(host, HOST_ENDED, (int64_t)END_PATIENCE);
        if (result == SL_ERR_TIMEOUT) {
            say_note("the host did not end by itself; it is killed");
            kill(host->pid, SIGKILL);
        }
        while (waitpid(host->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        host->pid = 0;
    }
    sl_fd_close(&host->status_fd);
    if (host->dir[0] != '\0') {
        unlink(host->path);
        rmdir(host->dir);
        host->dir[0] = '\0';
    }
}
