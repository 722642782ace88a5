#include "tools/sluice/program.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What somebody may send to us and mean the program. The terminal's stop signal is left to stop
 * both. */
static const int passed_on[] = {SIGHUP,  SIGINT,   SIGQUIT, SIGTERM, SIGUSR1,
                                SIGUSR2, SIGWINCH, SIGCONT, SIGALRM};

static void fill_set(sigset_t *set, int kept)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++) {
        if (passed_on[i] != kept) {
            sigaddset(set, passed_on[i]);
        }
    }
}

enum sl_result program_prepare(struct program *program, int kept)
{
    sigset_t set;
    fill_set(&set, kept);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    *program = (struct program){.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    return program->signal_fd >= 0 ? SL_OK : sl_result_from_errno(errno);
}

/* In a child: the program's environment, and its signals as they are by default. */
static void become(const struct program_setting *settings)
{
    for (; settings->name != NULL; settings++) {
        if (settings->value != NULL) {
            setenv(settings->name, settings->value, 1);
        } else {
            unsetenv(settings->name);
        }
    }
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

bool program_ask(const struct program_setting *settings, bool (*question)(void), unsigned seconds)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        become(settings);
        alarm(seconds);
        _exit(question() ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static _Noreturn void be_program(char *const *argv, const struct program_setting *settings,
                                 int failure_fd)
{
    become(settings);
    execvp(argv[0], argv);
    int error = errno;
    ssize_t done = write(failure_fd, &error, sizeof error);
    (void)done;
    _exit(127);
}

bool program_is_missing(const char *name)
{
    const char *folders = getenv("PATH"), *end;
    char path[PATH_MAX];
    if (strchr(name, '/') != NULL) {
        return access(name, F_OK) != 0;
    }
    folders = folders != NULL ? folders : "/bin:/usr/bin";
    for (;; folders = end + 1) { /* an empty one is the current folder */
        end = strchrnul(folders, ':');
        int size = snprintf(path, sizeof path, "%.*s%s%s", (int)(end - folders), folders,
                            end != folders ? "/" : "", name);
        if (*name != '\0' && size < (int)sizeof path && access(path, F_OK) == 0) {
            return false;
        }
        if (*end == '\0') {
            return true;
        }
    }
}

enum sl_result program_start(struct program *program, char *const *argv,
                             const struct program_setting *settings)
{
    int failure[2];
    if (pipe2(failure, O_CLOEXEC) != 0) {
        return SL_ERR_NOMEM;
    }
    pid_t pid = fork();
    if (pid == 0) {
        be_program(argv, settings, failure[1]);
    }
    close(failure[1]);
    if (pid < 0) {
        close(failure[0]);
        return SL_ERR_NOMEM;
    }
    int error = 0;
    ssize_t got;
    do { /* the pipe closes when the program runs, and brings the reason when it does not */
        got = read(failure[0], &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    close(failure[0]);
    if (got == (ssize_t)sizeof error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        errno = error;
        return error == ENOENT || error == ENOTDIR ? SL_ERR_NOTFOUND : SL_ERR_IO;
    }
    program->pid = pid;
    return SL_OK;
}

/* Job control has stopped the program: so are we, that the shell sees it, and when we go on, it
 * does. Who sends SIGSTOP to the program alone (a debugger, a batch system) will let it go on by
 * itself, of which we would hear nothing while we are stopped. */
static void stop_with(const struct program *program, int number)
{
    const struct timespec at_once = {0};
    sigset_t pending, go_on;
    if (number == SIGSTOP) {
        return;
    }
    /* A SIGCONT that waits here has let us go on already, and is for the program, too. */
    if (sigpending(&pending) != 0 || sigismember(&pending, SIGCONT) != 1) {
        raise(number);
    }
    /* It is done with: the next stop shall not take it for one that came afterwards. */
    sigemptyset(&go_on);
    sigaddset(&go_on, SIGCONT);
    (void)sigtimedwait(&go_on, NULL, &at_once);
    kill(program->pid, SIGCONT);
}

static void look_after(struct program *program)
{
    int status;
    pid_t pid = waitpid(program->pid, &status, WNOHANG | WUNTRACED);
    if (pid != program->pid) {
        return;
    }
    if (WIFSTOPPED(status)) {
        stop_with(program, WSTOPSIG(status));
        return;
    }
    program->ended = true;
    program->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void program_serve_signals(struct program *program)
{
    struct signalfd_siginfo info;
    while (!program->ended &&
           read(program->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            look_after(program);
        } else if (info.ssi_code != SI_KERNEL && program->pid > 0) {
            /* The terminal's own signals (from the kernel) reached the program already: it is in
             * our process group. */
            kill(program->pid, (int)info.ssi_signo);
        }
    }
}
