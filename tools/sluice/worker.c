#include "tools/sluice/worker.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/jail.h"
#include "tools/sluice/say.h"
#include "tools/sluice/tuned.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FEED_PATIENCE_NS ((int64_t)(5 * SL_NS_PER_S))

/* ---- where workers are started ---- */

static char *add_name(struct worker_command *command, const char *no, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "--%s%s", no, name);
    char *made = sl_strdup(text);
    if (made != NULL) {
        command->names[command->name_count++] = made;
        command->argv[command->count++] = made;
    }
    return made;
}

static bool is_skipped(const int *skipped, size_t index)
{
    while (*skipped >= 0 && (size_t)*skipped != index) {
        skipped++;
    }
    return *skipped >= 0;
}

enum sl_result worker_command_make(struct worker_command *command, const struct opt_set *set,
                                   const int *skipped)
{
    *command = (struct worker_command){.argv = {"sluice", "serve"}, .count = 2};
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(set->verb, i)) != NULL; i++) {
        /* Those of the environment it finds there, too. What it says goes to the log that we have
         * open. */
        bool is_log = i == set->verb->option_count + COMMON_LOG_FILE;
        if (is_log || set->values[i].source != OPT_FROM_COMMAND_LINE || is_skipped(skipped, i)) {
            continue;
        }
        bool is_off = option->kind == OPT_FLAG && strcmp(set->values[i].text, "0") == 0;
        if (add_name(command, is_off ? "no-" : "", option->name) == NULL) {
            worker_command_free(command);
            return SL_ERR_NOMEM;
        }
        if (option->kind != OPT_FLAG) {
            command->argv[command->count++] = (char *)set->values[i].text;
        }
    }
    command->argv[command->count++] = "--worker-fd=3";
    command->argv[command->count] = NULL;
    return SL_OK;
}

void worker_command_free(struct worker_command *command)
{
    for (size_t i = 0; i < command->name_count; i++) {
        sl_free(command->names[i]);
    }
    *command = (struct worker_command){.count = 0};
}

/* In the child. A new program, so that each worker has its own layout of memory: one that crashes
 * tells nothing of the others'. */
static _Noreturn void be_worker(const struct worker_command *command, int feed, pid_t starter)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid(); /* the terminal's signals are the server's */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 ||
        dup2(fileno(say_stream()), STDERR_FILENO) < 0 ||
        fcntl(STDERR_FILENO, F_SETFD, 0) != 0) { /* --status-fd 2 had it closed */
        _exit(SLUICE_EXIT_MISSING);
    }
    if (feed == WORKER_FD ? fcntl(feed, F_SETFD, 0) != 0 : dup2(feed, WORKER_FD) < 0) {
        _exit(SLUICE_EXIT_MISSING);
    }
    /* Ours are close-on-exec; what we were started with need not be. */
    (void)syscall(SYS_close_range, WORKER_FD + 1, ~0u, 0);
    unsetenv("NOTIFY_SOCKET"); /* the server speaks for all */
    tuned_pass_on();
    if (getppid() == starter) {
        execv("/proc/self/exe", command->argv);
    }
    _exit(SLUICE_EXIT_INTERNAL);
}

enum sl_result worker_start_process(void *user, int feed, pid_t *pid)
{
    pid_t self = getpid();
    fflush(NULL);
    pid_t made = fork();
    if (made == 0) {
        be_worker(user, feed, self);
    }
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    *pid = made;
    return SL_OK;
}

/* ---- in a worker ---- */

/* What the process has of its own already. */
static uint64_t own_memory(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "VmData: %llu", &kib);
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)kib << 10;
}

/* Private memory that can be written: heaps, stacks, compilers' and drivers' own. What is shared
 * with the program counts to --memory. */
static bool limit_memory(uint64_t memory)
{
    struct rlimit limit;
    if (memory == 0 || getrlimit(RLIMIT_DATA, &limit) != 0) {
        return memory == 0;
    }
    rlim_t most = own_memory() + memory;
    limit.rlim_cur = limit.rlim_max = most < limit.rlim_max ? most : limit.rlim_max;
    return setrlimit(RLIMIT_DATA, &limit) == 0;
}

static enum sl_result take_page(struct worker_host *worker)
{
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    uint8_t byte;
    size_t size = 0;
    void *counts = NULL;
    enum sl_result r = sl_fd_wait(worker->feed, FEED_PATIENCE_NS);
    if (r == SL_OK) {
        r = sl_sock_recv(worker->feed, &byte, sizeof byte, &size, fds, &fd_count);
    }
    if (r == SL_OK) {
        r = fd_count == 1 ? sl_shm_map(fds[0], sizeof *worker->counts, &counts) : SL_ERR_PROTOCOL;
    }
    for (uint32_t i = 0; i < fd_count; i++) {
        sl_fd_close(&fds[i]);
    }
    worker->counts = counts;
    return r;
}

int worker_begin(struct worker_host *worker, int feed, uint64_t memory, bool is_jailed)
{
    *worker = (struct worker_host){.feed = feed};
    if (fcntl(feed, F_SETFD, FD_CLOEXEC) != 0 || take_page(worker) != SL_OK) {
        say_error("--worker-fd is %d, which is no server's; sluice serve --isolate starts workers",
                  feed);
        return SLUICE_EXIT_USAGE;
    }
    prctl(PR_SET_NAME, "sluice-worker");
    if (!limit_memory(memory)) {
        say_error("--worker-memory cannot be set: %s; give 0 for no limit", strerror(errno));
        return SLUICE_EXIT_MISSING;
    }
    if (is_jailed && jail_enter() != SL_OK) {
        say_error("a worker cannot be kept from other processes: %s; --trust leaves that out",
                  strerror(errno));
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

enum sl_result worker_ready(struct worker_host *worker, struct vgd *device)
{
    if (worker->counts->driver[0] == '\0') { /* the first one tells; the others need not ask */
        device->ops->describe(device, worker->counts->driver, sizeof worker->counts->driver);
    }
    return sl_sock_send(worker->feed, "r", 1, NULL, 0);
}
