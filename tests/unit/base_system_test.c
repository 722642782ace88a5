/* transport/base: descriptors, shared memory, sockets, futexes, threads, clock. */
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"
#include "transport/base/thread.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct fds {
    int a;
    int b;
    int c;
    int pair[2];
};
static void fds_init(struct fds *t)
{
    *t = (struct fds){-1, -1, -1, {-1, -1}};
}
static void fds_finish(struct fds *t)
{
    sl_fd_close(&t->a);
    sl_fd_close(&t->b);
    sl_fd_close(&t->c);
    sl_fd_close(&t->pair[0]);
    sl_fd_close(&t->pair[1]);
}

SLT_FIXTURE(fd, struct fds, fds_init, fds_finish);

SLT_TEST_F(fd, event_is_set_and_drained, t)
{
    SLT_ASSERT_OK(sl_fd_event(&t->a));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, sl_fd_wait(t->a, 0));
    sl_fd_signal(t->a);
    sl_fd_signal(t->a);
    SLT_EXPECT_OK(sl_fd_wait(t->a, -1));
    sl_fd_drain(t->a);
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, sl_fd_wait(t->a, 1000000));
}

SLT_TEST_F(fd, copies_close_on_exec, t)
{
    SLT_ASSERT_OK(sl_fd_event(&t->a));
    SLT_ASSERT_OK(sl_fd_dup(t->a, &t->b));
    SLT_EXPECT_EQ(FD_CLOEXEC, fcntl(t->b, F_GETFD));
    SLT_EXPECT_RESULT(SL_ERR_IO, sl_fd_dup(-1, &t->c));
    SLT_EXPECT_EQ(-1, t->c);
}

SLT_TEST_F(fd, hang_up_is_closed, t)
{
    SLT_ASSERT_EQ(0, pipe2(t->pair, O_CLOEXEC));
    sl_fd_close(&t->pair[1]);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, sl_fd_wait(t->pair[0], -1));
}

SLT_FIXTURE(shm, struct fds, fds_init, fds_finish);

SLT_TEST_F(shm, two_mappings_share, t)
{
    uint32_t *one = NULL, *two = NULL;
    SLT_ASSERT_OK(sl_shm_create("test", 5000, &t->a));
    SLT_ASSERT_OK(sl_shm_map(t->a, 5000, (void **)&one));
    SLT_ASSERT_OK(sl_shm_map(t->a, 5000, (void **)&two));
    SLT_EXPECT_EQ(0u, two[10]);
    one[10] = 77;
    SLT_EXPECT_EQ(77u, two[10]);
    sl_shm_unmap(one, 5000);
    sl_shm_unmap(two, 5000);
}

SLT_TEST_F(shm, cannot_shrink_or_grow, t)
{
    SLT_ASSERT_OK(sl_shm_create("test", 8192, &t->a));
    SLT_EXPECT_NE(0, ftruncate(t->a, 4096));
    SLT_EXPECT_NE(0, ftruncate(t->a, 1 << 20));
    SLT_EXPECT_TRUE(sl_shm_is_safe(t->a, 8192));
    SLT_EXPECT_TRUE(!sl_shm_is_safe(t->a, 8193));
}

SLT_TEST_F(shm, refuses_what_can_be_cut, t)
{
    void *mapping = NULL;
    t->a = memfd_create("unsealed", MFD_CLOEXEC);
    SLT_ASSERT_EQ(0, ftruncate(t->a, 8192));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, sl_shm_map(t->a, 4096, &mapping));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, sl_shm_map(-1, 4096, &mapping));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_shm_create("none", 0, &t->b));
    SLT_EXPECT_NULL(mapping);
}

SLT_FIXTURE(sock, struct fds, fds_init, fds_finish);

static const char *sock_path(void)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/s", SLT_TMPDIR());
    return path;
}

SLT_TEST_F(sock, carries_messages_and_descriptors, t)
{
    char got[16];
    size_t size = 0;
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    SLT_ASSERT_OK(sl_sock_pair(t->pair));
    SLT_ASSERT_OK(sl_fd_event(&t->a));
    SLT_ASSERT_OK(sl_sock_send(t->pair[0], "hello", 5, &t->a, 1));
    SLT_ASSERT_OK(sl_sock_send(t->pair[0], "you", 3, NULL, 0));
    SLT_ASSERT_OK(sl_sock_recv(t->pair[1], got, sizeof got, &size, fds, &count));
    SLT_ASSERT_EQ(1u, count);
    t->b = fds[0];
    SLT_ASSERT_EQ(5u, size);
    SLT_EXPECT_MEMEQ("hello", got, 5);
    SLT_EXPECT_EQ(FD_CLOEXEC, fcntl(t->b, F_GETFD));
    sl_fd_signal(t->a);
    SLT_EXPECT_OK(sl_fd_wait(t->b, 0));
    SLT_ASSERT_OK(sl_sock_recv(t->pair[1], got, sizeof got, &size, fds, &count));
    SLT_EXPECT_EQ(3u, size);
    SLT_EXPECT_EQ(0u, count);
    sl_fd_close(&t->pair[0]);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, sl_sock_recv(t->pair[1], got, sizeof got, &size, fds, &count));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, sl_sock_send(t->pair[1], "x", 1, NULL, 0));
}

SLT_TEST_F(sock, shows_the_next_message_and_leaves_it, t)
{
    char got[8] = {0};
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    size_t size = 0;
    SLT_ASSERT_OK(sl_sock_pair(t->pair));
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, sl_sock_peek(t->pair[1], got, sizeof got, &size));
    SLT_ASSERT_OK(sl_fd_event(&t->a));
    SLT_ASSERT_OK(sl_sock_send(t->pair[0], "hello", 5, &t->a, 1));
    SLT_ASSERT_OK(sl_sock_peek(t->pair[1], got, 2, &size));
    SLT_EXPECT_STREQ("he", got);
    SLT_EXPECT_EQ(5u, size);
    SLT_ASSERT_OK(sl_sock_recv(t->pair[1], got, sizeof got, &size, fds, &count));
    SLT_EXPECT_STREQ("hello", got);
    SLT_ASSERT_EQ(1u, count);
    close(fds[0]);
    sl_fd_close(&t->pair[0]);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, sl_sock_peek(t->pair[1], got, sizeof got, &size));
}

/* The process that connected, not who has its number: readable once it has ended. */
SLT_TEST_F(sock, names_the_process_that_connected, t)
{
    pid_t pid;
    uid_t uid;
    SLT_ASSERT_OK(sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->a));
    pid_t child = fork();
    if (child == 0) {
        int fd;
        _exit(sl_sock_connect(sock_path(), &fd) != SL_OK || sl_fd_wait(fd, -1) != SL_ERR_CLOSED);
    }
    SLT_ASSERT_OK(sl_sock_accept(t->a, &t->pair[0]));
    SLT_ASSERT_OK(sl_sock_peer(t->pair[0], &pid, &uid));
    SLT_EXPECT_EQ(child, pid);
    enum sl_result r = sl_sock_peer_process(t->pair[0], pid, &t->b);
    if (r == SL_ERR_UNSUPPORTED) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        SLT_SKIP("a kernel without pidfds");
    }
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, sl_fd_wait(t->b, 0));
    (void)shutdown(t->pair[0], SHUT_RDWR);
    SLT_EXPECT_OK(sl_fd_wait(t->b, (int64_t)(10 * SL_NS_PER_S)));
    waitpid(child, NULL, 0);
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, sl_sock_peer_process(t->pair[0], 0, &t->pair[1]));
}

SLT_TEST_F(sock, long_messages_are_refused_with_their_descriptors, t)
{
    char got[4];
    size_t size = 99;
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 99;
    SLT_ASSERT_OK(sl_sock_pair(t->pair));
    SLT_ASSERT_OK(sl_fd_event(&t->a));
    SLT_ASSERT_OK(sl_sock_send(t->pair[0], "hello", 5, &t->a, 1));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL,
                      sl_sock_recv(t->pair[1], got, sizeof got, &size, fds, &count));
    SLT_EXPECT_EQ(99u, size);
}

static void send_fds(int sock, int fd, int count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(32 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = "x", .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN((size_t)count * sizeof(int))};
    for (int i = 0; i < count; i++) {
        memcpy(CMSG_DATA(&control.header) + (size_t)i * sizeof fd, &fd, sizeof fd);
    }
    SLT_ASSERT_EQ(1, sendmsg(sock, &message, 0));
}

SLT_TEST_F(sock, too_many_descriptors_are_refused_and_closed, t)
{
    char got[4];
    size_t size = 0;
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    SLT_ASSERT_OK(sl_sock_pair(t->pair));
    SLT_ASSERT_OK(sl_fd_event(&t->a));
    send_fds(t->pair[0], t->a, SL_SOCK_MAX_FDS + 5); /* the leak check sees any that stays open */
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL,
                      sl_sock_recv(t->pair[1], got, sizeof got, &size, fds, &count));
}

SLT_TEST_F(sock, listens_privately_and_knows_its_peer, t)
{
    struct stat info;
    pid_t pid = 0;
    uid_t uid = 0;
    SLT_ASSERT_OK(sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->a));
    SLT_ASSERT_EQ(0, stat(sock_path(), &info));
    SLT_EXPECT_EQ(0600u, info.st_mode & 0777u);
    SLT_ASSERT_OK(sl_sock_connect(sock_path(), &t->b));
    SLT_ASSERT_OK(sl_sock_accept(t->a, &t->c));
    SLT_ASSERT_OK(sl_sock_peer(t->c, &pid, &uid));
    SLT_EXPECT_EQ(getpid(), pid);
    SLT_EXPECT_EQ(getuid(), uid);
}

SLT_TEST_F(sock, replaces_only_an_abandoned_file, t)
{
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, sl_sock_connect(sock_path(), &t->b));
    SLT_ASSERT_OK(sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->a));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->b));
    sl_fd_close(&t->a);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, sl_sock_connect(sock_path(), &t->b));
    SLT_EXPECT_OK(sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->a));
}

SLT_TEST_F(sock, replaces_a_file_of_another_type, t)
{
    SLT_ASSERT_OK(sl_sock_listen(sock_path(), SOCK_STREAM, &t->a));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->b));
    sl_fd_close(&t->a);
    SLT_EXPECT_OK(sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->b));
}

enum { RIVALS = 4, RACES = 300 };

struct rival {
    pthread_barrier_t *start;
    const char *path;
    pthread_t thread;
    enum sl_result result;
    int fd;
};

static void *listen_with_others(void *user)
{
    struct rival *rival = user;
    pthread_barrier_wait(rival->start);
    rival->result = sl_sock_listen(rival->path, SOCK_SEQPACKET, &rival->fd);
    return NULL;
}

SLT_TEST_F(sock, one_of_many_takes_an_abandoned_file, t)
{
    pthread_barrier_t start;
    SLT_ASSERT_EQ(0, pthread_barrier_init(&start, NULL, RIVALS));
    for (uint32_t race = 0; race < RACES; race++) {
        struct rival rivals[RIVALS];
        SLT_ASSERT_OK(sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->a));
        sl_fd_close(&t->a);
        for (uint32_t i = 0; i < RIVALS; i++) {
            rivals[i] = (struct rival){.start = &start, .path = sock_path(), .fd = -1};
            SLT_ASSERT_EQ(0,
                          pthread_create(&rivals[i].thread, NULL, listen_with_others, &rivals[i]));
        }
        uint32_t winners = 0;
        for (uint32_t i = 0; i < RIVALS; i++) {
            pthread_join(rivals[i].thread, NULL);
            winners += rivals[i].result == SL_OK;
        }
        for (uint32_t i = 0; i < RIVALS; i++) {
            sl_fd_close(&rivals[i].fd);
        }
        SLT_ASSERT_EQ(1u, winners);
    }
    pthread_barrier_destroy(&start);
}

SLT_TEST_F(sock, leaves_ordinary_files_alone, t)
{
    FILE *file = fopen(sock_path(), "w");
    SLT_ASSERT_TRUE(file != NULL);
    fclose(file);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_sock_listen(sock_path(), SOCK_SEQPACKET, &t->a));
    SLT_EXPECT_EQ(0, access(sock_path(), F_OK));
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    SLT_EXPECT_RESULT(SL_ERR_INVALID, sl_sock_listen(longest, SOCK_SEQPACKET, &t->a));
}

SLT_TEST_F(sock, a_full_non_blocking_socket_says_again, t)
{
    static char block[4096];
    SLT_ASSERT_OK(sl_sock_pair(t->pair));
    SLT_ASSERT_EQ(0, fcntl(t->pair[0], F_SETFL, O_NONBLOCK));
    enum sl_result result = SL_OK;
    for (int i = 0; i < 100000 && result == SL_OK; i++) {
        result = sl_sock_send(t->pair[0], block, sizeof block, NULL, 0);
    }
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, result);
}

struct waker {
    uint32_t word;
    uint32_t woken;
};

static void *wait_for_word(void *user)
{
    struct waker *w = user;
    while (sl_atomic_load_acquire(&w->word) == 0) {
        enum sl_result result = sl_futex_wait(&w->word, 0, false, -1);
        if (result != SL_OK) {
            SLT_EXPECT_OK(result);
            break;
        }
    }
    sl_atomic_store_release(&w->woken, 1);
    return NULL;
}

SLT_TEST(futex, wakes_a_sleeper)
{
    struct waker w = {0};
    pthread_t thread;
    SLT_ASSERT_OK(sl_thread_start(&thread, "sleeper", 0, wait_for_word, &w));
    sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    sl_atomic_store_release(&w.word, 1);
    sl_futex_wake(&w.word, 1, false);
    pthread_join(thread, NULL);
    SLT_EXPECT_EQ(1u, w.woken);
}

SLT_TEST(futex, times_out_and_sees_a_changed_word)
{
    uint32_t word = 3;
    uint64_t before = sl_clock_ns();
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, sl_futex_wait(&word, 3, true, 2000000));
    SLT_EXPECT_GE(sl_clock_ns() - before, 2000000u);
    SLT_EXPECT_OK(sl_futex_wait(&word, 4, true, -1));
}

struct seen {
    char name[16];
    sigset_t blocked;
};

static void *look(void *user)
{
    struct seen *seen = user;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_sigmask(SIG_BLOCK, NULL, &seen->blocked);
    return user;
}

SLT_TEST(thread, has_a_name_and_blocks_signals)
{
    struct seen seen = {{0}, {{0}}};
    pthread_t thread;
    void *result = NULL;
    SLT_ASSERT_OK(sl_thread_start(&thread, "a name that is too long", 1 << 20, look, &seen));
    pthread_join(thread, &result);
    SLT_EXPECT_EQ(&seen, result);
    SLT_EXPECT_STREQ("a name that is ", seen.name);
    SLT_EXPECT_TRUE(sigismember(&seen.blocked, SIGINT) == 1);
    SLT_FAIL_ALLOC(0);
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, sl_thread_start(&thread, "none", 0, look, &seen));
}

#define GUARD (64u << 20)

static void *guard_of(void *user)
{
    size_t *guard = user;
    pthread_attr_t attr;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        (void)pthread_attr_getguardsize(&attr, guard);
        pthread_attr_destroy(&attr);
    }
    return NULL;
}

SLT_TEST(thread, has_room_below_its_stack)
{
    size_t ours = 0, of_others = 0;
    pthread_t thread;
    SLT_ASSERT_OK(sl_thread_guard(GUARD));
    SLT_ASSERT_OK(sl_thread_start(&thread, "ours", 0, guard_of, &ours));
    pthread_join(thread, NULL);
    SLT_ASSERT_EQ(0, pthread_create(&thread, NULL, guard_of, &of_others)); /* as a driver does */
    pthread_join(thread, NULL);
    SLT_EXPECT_OK(sl_thread_guard((size_t)sysconf(_SC_PAGESIZE)));
    SLT_EXPECT_EQ(GUARD, ours);
#ifndef __SANITIZE_THREAD__ /* which gives threads of others what it wants itself */
    SLT_EXPECT_EQ(GUARD, of_others);
#endif
}

/* Of `allowed` processors; whether the thread was seen on another one. Ends with them as they were.
 */
static bool leaves_within(const cpu_set_t *allowed)
{
    cpu_set_t after;
    bool left = false;
    for (int i = 0; i < 100 && !left; i++) {
        unsigned here = (unsigned)sched_getcpu();
        sl_thread_leave_cpu(here);
        left = (unsigned)sched_getcpu() != here; /* unless it was moved back at once */
        SLT_EXPECT_EQ(0, sched_getaffinity(0, sizeof after, &after));
        SLT_EXPECT_TRUE(CPU_EQUAL(allowed, &after));
        SLT_EXPECT_TRUE(CPU_ISSET((size_t)sched_getcpu(), allowed));
    }
    return left;
}

SLT_TEST(thread, leaves_its_processor_for_one_that_it_may_use)
{
    cpu_set_t all, few;
    SLT_ASSERT_EQ(0, sched_getaffinity(0, sizeof all, &all));
    CPU_ZERO(&few);
    for (size_t cpu = 0, want = 1; cpu < CPU_SETSIZE && want <= 2; cpu++) {
        if (CPU_ISSET(cpu, &all)) { /* only the first, then the first two */
            CPU_SET(cpu, &few);
            SLT_ASSERT_EQ(0, sched_setaffinity(0, sizeof few, &few));
            SLT_EXPECT_EQ(want == 2, leaves_within(&few));
            want++;
        }
    }
    SLT_EXPECT_EQ(0, sched_setaffinity(0, sizeof all, &all));
}

static void *slack_of_thread(void *user)
{
    sl_thread_keep_time();
    *(int *)user = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    return NULL;
}

SLT_TEST(thread, keeps_time_without_a_slack_and_alone)
{
    pthread_t thread;
    int before = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), slack = -1;
    SLT_ASSERT_OK(sl_thread_start(&thread, "on time", 0, slack_of_thread, &slack));
    pthread_join(thread, NULL);
    SLT_EXPECT_TRUE(slack > 0 && slack <= 1000);
    SLT_EXPECT_EQ(before, prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
}

SLT_TEST(thread, cond_waits_until_the_deadline)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    sl_cond_init(&cond);
    pthread_mutex_lock(&mutex);
    uint64_t deadline = sl_clock_ns() + 2 * SL_NS_PER_MS;
    enum sl_result result = SL_OK;
    while (result == SL_OK) {
        result = sl_cond_wait_until(&cond, &mutex, deadline);
    }
    pthread_mutex_unlock(&mutex);
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, result);
    SLT_EXPECT_GE(sl_clock_ns(), deadline);
    pthread_cond_destroy(&cond);
}

SLT_TEST(clock, what_lies_too_far_ahead_is_never)
{
    uint64_t before = sl_clock_ns(), ahead = sl_clock_ahead_ns(SL_NS_PER_S);
    SLT_EXPECT_GE(ahead, before + SL_NS_PER_S);
    SLT_EXPECT_LE(ahead, sl_clock_ns() + SL_NS_PER_S);
    SLT_EXPECT_EQ(UINT64_MAX, sl_clock_ahead_ns(UINT64_MAX));
    SLT_EXPECT_EQ(UINT64_MAX, sl_clock_ahead_ns(UINT64_MAX - 1));
}

SLT_TEST(clock, cpu_time_grows_with_work)
{
    uint64_t process = sl_clock_process_cpu_ns(), thread = sl_clock_thread_cpu_ns();
    volatile uint64_t sum = 0;
    for (int i = 0; i < 2000000; i++) {
        sum += (uint64_t)i;
    }
    SLT_EXPECT_GT(sl_clock_thread_cpu_ns(), thread);
    SLT_EXPECT_GT(sl_clock_process_cpu_ns(), process);
}
