#include "tools/sluice/replay_worker.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/replay_diverged.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_NS (10 * SL_NS_PER_MS)

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

static void tell(struct progress *progress, const struct replay_place *place)
{
    progress->run = (uint32_t)sl_atomic_load_relaxed_u64(&place->run);
    progress_look(progress, sl_atomic_load_relaxed_u64(&place->frame),
                  sl_atomic_load_relaxed_u64(&place->call));
}

static int wait_for(const char *path, pid_t pid, const struct replay_place *place,
                    struct progress *progress)
{
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(pid, &status, progress->mode != PROGRESS_OFF ? WNOHANG : 0)) <= 0) {
        if (ended < 0 && errno != EINTR) {
            say_error("the replay's process is gone: %s", strerror(errno));
            return SLUICE_EXIT_INTERNAL;
        }
        if (ended == 0) {
            tell(progress, place);
            sl_clock_sleep_ns(LOOK_NS);
        }
    }
    return WIFSIGNALED(status)
               ? say_died(path, WTERMSIG(status), sl_atomic_load_relaxed_u64(&place->call))
               : WEXITSTATUS(status);
}

int replay_in_worker(const char *path, int (*play)(void *user, struct replay_place *place),
                     void *user, struct progress *progress)
{
    struct replay_place *place =
        mmap(NULL, sizeof *place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) {
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    pid_t starter = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "sluice-replay");
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int code = getppid() == starter ? play(user, place) : SLUICE_EXIT_INTERNAL;
        bool is_done = code == SLUICE_EXIT_OK || code == SLUICE_EXIT_DIFFERENT;
        code = is_done && !say_output_is_written() ? SLUICE_EXIT_FILE : code;
        fflush(NULL);
        _exit(code); /* a driver's exit handlers are not worth waiting for */
    }
    int code = SLUICE_EXIT_INTERNAL;
    if (pid < 0) {
        say_error("no process for the replay: %s; raise the limit of processes", strerror(errno));
    } else {
        code = wait_for(path, pid, place, progress);
    }
    (void)munmap(place, sizeof *place);
    return code;
}
