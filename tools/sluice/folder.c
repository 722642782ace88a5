#include "tools/sluice/folder.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* errno stays. */
static bool is_folder(const char *path)
{
    struct stat there;
    int error = errno;
    bool is_one = stat(path, &there) == 0 && S_ISDIR(there.st_mode);
    errno = error;
    return is_one;
}

int folder_path(char *path, const char *folder, const char *name, bool make)
{
    if (make && mkdir(folder, 0777) != 0 && !(errno == EEXIST && is_folder(folder))) {
        say_error("%s: this folder cannot be made: %s", folder, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) {
        say_error("%s/%s: this name is too long", folder, name);
        return SLUICE_EXIT_USAGE;
    }
    return SLUICE_EXIT_OK;
}

int folder_temporary(char *path)
{
    const char *base = getenv("TMPDIR"); /* XDG_RUNTIME_DIR has memory's size */
    base = base != NULL && base[0] != '\0' ? base : "/tmp";
    if (snprintf(path, PATH_MAX, "%s/sluice-XXXXXX", base) >= PATH_MAX || mkdtemp(path) == NULL) {
        say_error("%s: no folder can be made there: %s; set TMPDIR to a place that can be written",
                  base, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    return SLUICE_EXIT_OK;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

void folder_remove(const char *path)
{
    if (nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        say_note("%s: cannot be removed: %s", path, strerror(errno));
    }
}

/* --- work in one --- */

/* What we are told of: what ends us, unless it is ignored, and that the work ended. */
static void fill_signals(sigset_t *set)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    struct sigaction now;
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
            sigaddset(set, numbers[i]);
        }
    }
}

static _Noreturn void do_work(int (*work)(void *user, const char *folder), void *user,
                              const char *folder, pid_t starter, const sigset_t *before)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, before, NULL);
    int code = getppid() == starter ? work(user, folder) : SLUICE_EXIT_INTERNAL;
    bool is_done = code == SLUICE_EXIT_OK || code == SLUICE_EXIT_DIFFERENT;
    code = is_done && !say_output_is_written() ? SLUICE_EXIT_FILE : code;
    fflush(NULL);
    _exit(code);
}

/* Until the work, or a signal that is not ignored, is there. Returns the signal; 0: *status is the
 * work's. */
static int wait_for(pid_t pid, const sigset_t *signals, int *status)
{
    for (;;) {
        int number;
        if (waitpid(pid, status, WNOHANG) == pid) {
            return 0;
        }
        if (sigwait(signals, &number) == 0 && number != SIGCHLD) {
            return number;
        }
    }
}

/* The work, and what it has started and left to us, is no more. */
static void end_all(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
}

int folder_with(int (*work)(void *user, const char *folder), void *user)
{
    char folder[PATH_MAX];
    sigset_t signals, before;
    int status = 0, number = 0, code = folder_temporary(folder);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    fill_signals(&signals);
    sigprocmask(SIG_BLOCK, &signals, &before);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* its workers are waited for, too */
    pid_t starter = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        do_work(work, user, folder, starter, &before);
    }
    if (pid < 0) {
        say_error("no process for the work: %s; raise the limit of processes", strerror(errno));
        code = SLUICE_EXIT_INTERNAL;
    } else {
        number = wait_for(pid, &signals, &status);
        end_all(pid);
        code = WIFEXITED(status) ? WEXITSTATUS(status) : SLUICE_EXIT_INTERNAL;
    }
    folder_remove(folder);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    int death = pid > 0 && number == 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (death != 0 && sigismember(&signals, death) != 1) {
        say_error("the work was ended by signal %d (%s)", death, strsignal(death));
    } else if (death != 0) { /* a terminal's, which met both */
        number = death;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (number != 0) { /* as if it had met us alone */
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    }
    return code;
}
