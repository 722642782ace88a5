/* A server's workers from inside: processes that lie, flood, hang up or die do the server no harm,
 * and who makes them crash waits; what a worker gives up. */
#include "tests/support/slt.h"
#include "tools/sluice/backoff.h"
#include "tools/sluice/jail.h"
#include "tools/sluice/workers.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"
#include "transport/base/thread.h"
#include "transport/local/local_control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRIVER      "a driver"
#define FEED        3
#define NOBODY      65534
#define CHILDREN    8
#define PATIENCE_NS ((int64_t)(30 * SL_NS_PER_S))

/* ---- processes that behave in one way ---- */

enum script {
    SERVES,   /* answers each hello */
    DIES,     /* at the first connection */
    HANGS_UP, /* there, and lives on */
    FLOODS,   /* says more and more from its first word on, with descriptors, and serves */
    LEAVES,   /* descriptors with the server, at the first connection, and serves */
    LIES,     /* writes all over the page, and serves */
    TALKS,    /* its first word is a speech */
    ENDS,     /* before any word */
};

static void answer_hello(int fd)
{
    const struct local_hello_reply reply = {
        .head = {LOCAL_HELLO, 1, SL_OK, 0}, .magic = LOCAL_MAGIC, .version = LOCAL_VERSION};
    (void)!sl_sock_send(fd, &reply, sizeof reply, NULL, 0);
}

/* Until the pipe's full. How much went in. */
static uint32_t flood(int feed)
{
    int fds[SL_SOCK_MAX_FDS];
    uint32_t sent = 0;
    for (uint32_t i = 0; i < SL_SOCK_MAX_FDS; i++) {
        fds[i] = feed;
    }
    while (sl_sock_send(feed, "flood", 5, fds, SL_SOCK_MAX_FDS) == SL_OK) {
        sent++;
    }
    return sent;
}

static void say_ready(enum script script, int feed, struct local_counts *counts)
{
    static const uint8_t speech[4096] = {1};
    snprintf(counts->driver, sizeof counts->driver, DRIVER);
    if (script == ENDS) {
        _exit(7);
    }
    (void)!sl_sock_send(feed, speech, script == TALKS ? sizeof speech : 1, NULL, 0);
    if (script == FLOODS) {
        (void)flood(feed);
    }
}

static void take(enum script script, struct local_counts *counts, int *feed, int fd)
{
    if (script == DIES) {
        kill(getpid(), SIGKILL);
    } else if (script == HANGS_UP) {
        sl_fd_close(feed);
        pause();
    } else if (script == FLOODS) {
        (void)flood(*feed);
    } else if (script == LEAVES) {
        counts->resources = 1 + flood(*feed);
    } else if (script == LIES) {
        memset(counts, 0xff, sizeof *counts);
    }
    answer_hello(fd);
}

static _Noreturn void be(enum script script, int feed)
{
    struct local_counts *counts = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* As a new program would have it: nothing but its feed. */
    feed = feed == FEED ? feed : dup2(feed, FEED);
    (void)syscall(SYS_close_range, FEED + 1, ~0u, 0);
    for (;;) {
        int fds[SL_SOCK_MAX_FDS];
        uint32_t fd_count = 0;
        uint8_t byte;
        size_t size;
        (void)!sl_fd_wait(feed, -1);
        enum sl_result r = sl_sock_recv(feed, &byte, sizeof byte, &size, fds, &fd_count);
        if (r == SL_OK && byte == 'p' &&
            sl_shm_map(fds[0], sizeof *counts, (void **)&counts) == 0) {
            say_ready(script, feed, counts);
        } else if (r == SL_OK && byte == 'c') {
            take(script, counts, &feed, fds[0]); /* and keeps it */
        } else if (r != SL_ERR_AGAIN) {
            _exit(0);
        }
    }
}

/* ---- the bed ---- */

struct bed {
    enum script script;
    char path[108];
    struct workers *workers;
    struct local_server *server;
    int stop;
    pthread_t thread;
    bool runs;
    int raw[2]; /* + 1 */
    struct local_control *control;
    struct workers_options limits; /* those alone */
    pid_t children[CHILDREN];
    uint32_t child_count;
    sigset_t before;
};

static enum sl_result start(void *user, int feed, pid_t *pid)
{
    const struct bed *t = user;
    *pid = fork();
    if (*pid == 0) {
        be(t->script, feed);
    }
    return *pid > 0 ? SL_OK : SL_ERR_NOMEM;
}

static void bed_init(struct bed *t)
{
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD); /* as `sluice serve` has it on its one thread */
    sigprocmask(SIG_BLOCK, &children, &t->before);
    t->stop = -1;
}

static void *run(void *user)
{
    struct bed *t = user;
    (void)!local_server_run(t->server, t->stop);
    return NULL;
}

static enum sl_result bed_begin(struct bed *t, enum script script, int *code)
{
    const char *driver = NULL;
    t->script = script;
    t->limits.start = start;
    t->limits.user = t;
    snprintf(t->path, sizeof t->path, "%s/socket", SLT_TMPDIR());
    SLT_ASSERT_OK(sl_fd_event(&t->stop));
    SLT_ASSERT_OK(workers_create(&t->limits, &t->workers));
    const struct local_server_options options = {
        .path = t->path, .any_user = true, .router = workers_router(t->workers)};
    SLT_ASSERT_OK(local_server_create(&options, &t->server));
    SLT_ASSERT_EQ(0, chmod(SLT_TMPDIR(), 0755));
    workers_set_server(t->workers, t->server);
    enum sl_result r = workers_begin(t->workers, t->stop, &driver, code);
    if (r == SL_OK) {
        SLT_EXPECT_STREQ(DRIVER, driver);
        SLT_ASSERT_OK(sl_thread_start(&t->thread, "server", 0, run, t));
        t->runs = true;
    }
    return r;
}

static void bed_end(struct bed *t)
{
    for (size_t i = 0; i < 2; i++) {
        int fd = t->raw[i] - 1;
        sl_fd_close(&fd);
        t->raw[i] = 0;
    }
    local_control_close(t->control);
    t->control = NULL;
    for (uint32_t i = 0; i < t->child_count; i++) {
        kill(t->children[i], SIGKILL);
        waitpid(t->children[i], NULL, 0);
    }
    if (t->runs) {
        sl_fd_signal(t->stop);
        pthread_join(t->thread, NULL);
    }
    if (t->workers != NULL) {
        workers_end(t->workers);
    }
    local_server_destroy(t->server);
    workers_destroy(t->workers);
    sl_fd_close(&t->stop);
    sigprocmask(SIG_SETMASK, &t->before, NULL);
    SLT_EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG)); /* none is left */
}

/* A program's hello, not yet answered. */
static int bed_hello(struct bed *t, size_t index)
{
    const struct local_hello hello = {.head = {LOCAL_HELLO, 1},
                                      .magic = LOCAL_MAGIC,
                                      .version = LOCAL_VERSION,
                                      .kind = LOCAL_KIND_CLIENT,
                                      .name = "tests"};
    int fd;
    SLT_ASSERT_OK(sl_sock_connect(t->path, &fd));
    t->raw[index] = fd + 1;
    SLT_ASSERT_OK(sl_sock_send(fd, &hello, sizeof hello, NULL, 0));
    return fd;
}

/* Its answer, or CLOSED. */
static enum sl_result bed_answer(int fd)
{
    struct local_hello_reply reply = {.head.result = SL_ERR_IO};
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    size_t size;
    enum sl_result r = sl_fd_wait(fd, PATIENCE_NS);
    if (r == SL_OK) {
        r = sl_sock_recv(fd, &reply, sizeof reply, &size, fds, &fd_count);
    }
    return r == SL_OK ? (enum sl_result)reply.head.result : r;
}

/* The same from a process of its own, of another user, which stays until the end of the case. */
static enum sl_result child_hello(struct bed *t, uid_t uid)
{
    int said[2];
    enum sl_result result = SL_ERR_IO;
    SLT_ASSERT_EQ(0, pipe2(said, O_CLOEXEC));
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setresuid(uid, uid, uid) == 0) {
            result = bed_answer(bed_hello(t, 0));
        }
        (void)!write(said[1], &result, sizeof result);
        pause();
        _exit(0);
    }
    t->children[t->child_count++] = pid;
    close(said[1]);
    SLT_EXPECT_EQ((ssize_t)sizeof result, read(said[0], &result, sizeof result));
    close(said[0]);
    return result;
}

static void bed_expect_status(struct bed *t, uint32_t clients)
{
    struct local_status_reply status;
    if (t->control == NULL) {
        SLT_ASSERT_OK(local_control_open(t->path, &t->control));
    }
    uint64_t end = sl_clock_ns() + (uint64_t)PATIENCE_NS;
    do {
        SLT_ASSERT_OK(local_control_status(t->control, &status));
    } while (status.clients != clients && sl_clock_ns() < end);
    SLT_EXPECT_EQ(clients, status.clients);
    SLT_EXPECT_EQ(1u, status.isolates);
    SLT_EXPECT_STREQ(DRIVER, status.driver);
}

SLT_FIXTURE(workers, struct bed, bed_init, bed_end);

/* ---- workers ---- */

SLT_TEST_F(workers, serve_a_process_by_one_worker, t)
{
    int code = 0;
    struct local_program_reply program;
    SLT_ASSERT_OK(bed_begin(t, SERVES, &code));
    SLT_EXPECT_OK(bed_answer(bed_hello(t, 0)));
    SLT_EXPECT_OK(bed_answer(bed_hello(t, 1)));
    bed_expect_status(t, 2);
    SLT_ASSERT_OK(local_control_program(t->control, 0, &program));
    SLT_EXPECT_STREQ("tests", program.name);
    SLT_EXPECT_EQ((uint32_t)getpid(), program.pid);
    SLT_EXPECT_EQ(2u, program.connections);
    SLT_EXPECT_NE(0u, program.worker);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, local_control_program(t->control, 1, &program));
}

/* One process is one program; processes of other users are counted by user. */
SLT_TEST_F(workers, of_another_user_are_so_many, t)
{
    int code = 0;
    if (geteuid() != 0) {
        SLT_SKIP("needs root to become another user");
    }
    t->limits = (struct workers_options){.programs_per_user = 1};
    SLT_ASSERT_OK(bed_begin(t, SERVES, &code));
    SLT_EXPECT_OK(child_hello(t, NOBODY));
    SLT_EXPECT_LOG("workers", "user 65534 has 1 programs of 1");
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, child_hello(t, NOBODY));
    SLT_EXPECT_OK(child_hello(t, NOBODY + 1));
    SLT_EXPECT_OK(child_hello(t, 0)); /* root, and whose the server is */
    SLT_EXPECT_OK(child_hello(t, 0));
}

/* A worker tells of more than may be: no further program, for that user alone. */
SLT_TEST_F(workers, of_a_user_with_much_memory_get_no_company, t)
{
    int code = 0;
    if (geteuid() != 0) {
        SLT_SKIP("needs root to become another user");
    }
    t->limits = (struct workers_options){.user_bytes = 1u << 20};
    SLT_ASSERT_OK(bed_begin(t, LIES, &code));
    SLT_EXPECT_OK(child_hello(t, NOBODY));
    SLT_EXPECT_LOG("workers", "user 65534 has 1 programs");
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, child_hello(t, NOBODY));
    SLT_EXPECT_OK(child_hello(t, NOBODY + 1));
}

struct end_case {
    const char *label;
    enum script script;
    const char *said;
};
static const struct end_case end_cases[] = {
    {"by_a_signal", DIES, "died of signal 9 (Killed): it was that of tests"},
    {"hanging_up", HANGS_UP, "died of signal 9 (Killed): it was that of tests"},
};
SLT_TEST_FP(workers, that_end_take_their_program_along, t, struct end_case, end_cases, c)
{
    int code = 0;
    SLT_ASSERT_OK(bed_begin(t, c->script, &code));
    SLT_EXPECT_LOG("workers", c->said);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, bed_answer(bed_hello(t, 0)));
    bed_expect_status(t, 0);
}

struct harm_case {
    const char *label;
    enum script script;
};
static const struct harm_case harm_cases[] = {{"flooding", FLOODS}, {"lying", LIES}};
SLT_TEST_FP(workers, that_mean_harm_do_none, t, struct harm_case, harm_cases, c)
{
    int code = 0;
    SLT_ASSERT_OK(bed_begin(t, c->script, &code));
    SLT_EXPECT_OK(bed_answer(bed_hello(t, 0)));
    SLT_EXPECT_OK(bed_answer(bed_hello(t, 1)));
    bed_expect_status(t, 2);
}

/* Nor can one leave descriptors with the server, which nobody would read: it hears one word. */
SLT_TEST_F(workers, are_not_heard_after_their_word, t)
{
    int code = 0;
    struct local_program_reply program;
    SLT_ASSERT_OK(bed_begin(t, LEAVES, &code));
    SLT_EXPECT_OK(bed_answer(bed_hello(t, 0)));
    bed_expect_status(t, 1);
    SLT_ASSERT_OK(local_control_program(t->control, 0, &program));
    SLT_EXPECT_EQ(1u, program.resources); /* it tried, and nothing went in */
}

static const struct harm_case start_cases[] = {{"ending", ENDS}, {"talking", TALKS}};
SLT_TEST_FP(workers, that_cannot_start_are_told_of, t, struct harm_case, start_cases, c)
{
    int code = 0;
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, bed_begin(t, c->script, &code));
    SLT_EXPECT_EQ(c->script == ENDS ? 7 : -1, code);
}

SLT_TEST_F(workers, have_no_tools_that_name_another, t)
{
    int code = 0;
    struct local_control *control = NULL;
    SLT_ASSERT_OK(bed_begin(t, SERVES, &code));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND,
                      local_control_open_worker(t->path, (uint32_t)getpid(), &control));
    SLT_EXPECT_OK(bed_answer(bed_hello(t, 0)));
    SLT_ASSERT_OK(local_control_open_worker(t->path, (uint32_t)getpid(), &control));
    local_control_close(control);
}

SLT_TEST_F(workers, hear_of_a_stop_before_they_are_ready, t)
{
    const struct workers_options options = {.start = start, .user = t};
    const char *driver = NULL;
    int code = 0;
    t->script = SERVES;
    SLT_ASSERT_OK(sl_fd_event(&t->stop));
    sl_fd_signal(t->stop);
    SLT_ASSERT_OK(workers_create(&options, &t->workers));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, workers_begin(t->workers, t->stop, &driver, &code));
}

/* ---- who waits ---- */

#define NOW (1000 * SL_NS_PER_S)

static uint64_t wait_ms(const struct backoff *b, uid_t uid, pid_t pid, uint64_t now)
{
    return (backoff_start_ns(b, uid, pid, now) - now) / SL_NS_PER_MS;
}

SLT_TEST(backoff, doubles_for_one_process)
{
    static const uint64_t want_ms[] = {0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 16000, 16000};
    static struct backoff b;
    for (size_t i = 0; i < sizeof want_ms / sizeof want_ms[0]; i++) {
        backoff_add(&b, 5, 70, NOW);
        SLT_EXPECT_EQ(want_ms[i], wait_ms(&b, 5, 70, NOW));
    }
    SLT_EXPECT_EQ(0u, wait_ms(&b, 5, 71, NOW)); /* another process of the user */
    SLT_EXPECT_EQ(15000u, wait_ms(&b, 5, 70, NOW + SL_NS_PER_S));
    SLT_EXPECT_EQ(0u, wait_ms(&b, 5, 70, NOW + 61 * SL_NS_PER_S));
}

/* A hostile program makes new processes instead. */
SLT_TEST(backoff, counts_all_processes_of_a_user)
{
    static struct backoff b;
    for (pid_t pid = 1; pid <= 30; pid++) {
        backoff_add(&b, 5, pid, NOW);
    }
    SLT_EXPECT_EQ(0u, wait_ms(&b, 5, 1000, NOW));
    for (pid_t pid = 31; pid <= 2 * BACKOFF_ROOM; pid++) {
        backoff_add(&b, 5, pid, NOW + (uint64_t)pid);
    }
    SLT_EXPECT_EQ(1000u, wait_ms(&b, 5, 1000, NOW + 2 * BACKOFF_ROOM));
    SLT_EXPECT_EQ(0u, wait_ms(&b, 6, 1000, NOW + 2 * BACKOFF_ROOM)); /* another user */
}

/* ---- what a worker gives up ---- */

static void *count_up(void *user)
{
    ++*(int *)user;
    return NULL;
}

/* 0, or the number of what went wrong. */
static int in_jail(void)
{
    int count = 0;
    pthread_t thread;
    pid_t starter = getppid();
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (jail_enter() != SL_OK) {
        return 1;
    }
    /* What drivers do goes on. */
    if (pthread_create(&thread, NULL, count_up, &count) != 0 || pthread_join(thread, NULL) != 0 ||
        count != 1) {
        return 2;
    }
    sigaction(SIGUSR1, &ignore, NULL);
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (raise(SIGUSR1) != 0 || kill(getpid(), SIGUSR1) != 0 || file < 0) {
        return 3;
    }
    sl_fd_close(&file);
    if (socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0 || errno != EPERM) {
        return 4;
    }
    if (kill(starter, 0) == 0 || errno != EPERM) {
        return 5;
    }
    if (syscall(SYS_tgkill, starter, starter, 0) == 0 || errno != EPERM) {
        return 6;
    }
    if (fork() >= 0 || errno != EPERM) {
        return 7;
    }
    char *const argv[] = {"true", NULL};
    if (execv("/bin/true", argv) == 0 || errno != EPERM) {
        return 8;
    }
    char memory[64];
    snprintf(memory, sizeof memory, "/proc/%d/mem", (int)starter);
    if (open(memory, O_RDWR | O_CLOEXEC) >= 0) {
        return 9;
    }
    if (syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, starter, 0, 0) == 0 || errno != EPERM) {
        return 10;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 11;
    }
    if (prlimit(starter, RLIMIT_NOFILE, NULL, &limit) == 0 || errno != EPERM) {
        return 12;
    }
    return 0;
}

SLT_TEST(jail, keeps_a_process_from_others)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(in_jail());
    }
    int status = -1;
    waitpid(pid, &status, 0);
    SLT_EXPECT_EQ(0, status);
}
