#include "tools/sluice/replay_worker.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/replay_diverged.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/atomic.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int say_died(const char *path, int signal_number, uint64_t last)
{
    char number[TRACE_NUMBER];
    say_error("the replay died of signal %d (%s); the last call that it was given is %s",
              signal_number, strsignal(signal_number), trace_number(last, number));
    if (last != 0 && strcmp(path, "-") != 0) {
        replay_say_last_calls(path, last);
    }
    return SLUICE_EXIT_INTERNAL;
}

static int wait_for(const char *path, pid_t pid, const uint64_t *last)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            say_error("the replay's process is gone: %s", strerror(errno));
            return SLUICE_EXIT_INTERNAL;
        }
    }
    return WIFSIGNALED(status) ? say_died(path, WTERMSIG(status), sl_atomic_load_relaxed_u64(last))
                               : WEXITSTATUS(status);
}

int replay_in_worker(const char *path, int (*play)(void *user, uint64_t *last), void *user)
{
    uint64_t *last =
        mmap(NULL, sizeof *last, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (last == MAP_FAILED) {
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    pid_t starter = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "sluice-replay");
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int code = getppid() == starter ? play(user, last) : SLUICE_EXIT_INTERNAL;
        bool is_written = fflush(stdout) == 0 && ferror(stdout) == 0;
        fflush(NULL);
        _exit(code == SLUICE_EXIT_OK && !is_written
                  ? SLUICE_EXIT_FILE
                  : code); /* a driver's exit handlers are not worth waiting for */
    }
    int code = SLUICE_EXIT_INTERNAL;
    if (pid < 0) {
        say_error("no process for the replay: %s; raise the limit of processes", strerror(errno));
    } else {
        code = wait_for(path, pid, last);
    }
    (void)munmap(last, sizeof *last);
    return code;
}
