/* The workers' processes: started, heard of, ended. */
#include "tools/sluice/workers_priv.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_PATIENCE_NS (2 * SL_NS_PER_S)
#define SPARE_AFTER_NS  (200 * SL_NS_PER_MS) /* what just started has the processors first */
#define SPARE_AGAIN_NS  (5 * SL_NS_PER_S)    /* after one that could not start */

/* ---- one worker ---- */

static enum sl_result watch(struct workers *w, int operation, int fd, uint32_t events,
                            enum watch *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(w->epoll, operation, fd, &event) == 0 ? SL_OK : sl_result_from_errno(errno);
}

void workers_watch_feed(struct workers *w, struct worker *worker, uint32_t events)
{
    (void)watch(w, EPOLL_CTL_MOD, worker->feed, events, &worker->watch);
}

/* Both ends of a feed, with the page of counts on its way to the other one. */
static enum sl_result open_feed(struct worker *worker, int *other)
{
    int ends[2], page = -1;
    void *counts = NULL;
    enum sl_result r = sl_sock_pair(ends);
    if (r != SL_OK) {
        return r;
    }
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
        r = sl_result_from_errno(errno);
    }
    if (r == SL_OK) {
        r = sl_shm_create("sluice-worker", sizeof *worker->counts, &page);
    }
    if (r == SL_OK) {
        r = sl_shm_map(page, sizeof *worker->counts, &counts);
    }
    if (r == SL_OK) {
        worker->counts = counts;
        r = sl_sock_send(ends[0], "p", 1, &page, 1);
    }
    sl_fd_close(&page);
    worker->feed = ends[0];
    *other = ends[1];
    return r;
}

static void worker_free(struct worker *worker)
{
    sl_list_remove(&worker->link);
    sl_fd_close(&worker->feed);
    if (worker->counts != NULL) {
        sl_shm_unmap(worker->counts, sizeof *worker->counts);
    }
    sl_free(worker);
}

static enum sl_result worker_start(struct workers *w, struct worker **out)
{
    struct worker *worker = sl_alloc(sizeof *worker);
    int other = -1;
    if (worker == NULL) {
        return SL_ERR_NOMEM;
    }
    *worker = (struct worker){.watch = WATCH_FEED, .feed = -1};
    sl_list_init(&worker->link);
    enum sl_result r = open_feed(worker, &other);
    if (r == SL_OK) {
        memcpy(worker->counts->driver, w->driver, sizeof w->driver); /* empty: it is to tell */
        r = watch(w, EPOLL_CTL_ADD, worker->feed, EPOLLIN, &worker->watch);
    }
    if (r == SL_OK) {
        r = w->options.start(w->options.user, other, &worker->pid);
    }
    sl_fd_close(&other);
    if (r != SL_OK) {
        sl_warn_limited("workers",
                        "no worker could be started: %s; raise the limits of processes "
                        "and open files",
                        sl_result_name(r));
        worker_free(worker);
        return r;
    }
    sl_list_add(&w->all, &worker->link);
    *out = worker;
    return SL_OK;
}

void workers_retire(struct worker *worker)
{
    worker->guest = NULL;
    sl_fd_close(&worker->feed);
    worker->kill_ns = sl_clock_ns() + END_PATIENCE_NS;
}

/* Its one word. From then on only its end is looked for, whatever it says. */
static void hear_ready(struct workers *w, struct worker *worker)
{
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    uint8_t byte;
    size_t size;
    if (sl_sock_recv(worker->feed, &byte, sizeof byte, &size, fds, &fd_count) != SL_OK) {
        worker->is_dead = true;
        kill(worker->pid, SIGKILL);
        return;
    }
    for (uint32_t i = 0; i < fd_count; i++) {
        sl_fd_close(&fds[i]);
    }
    worker->is_ready = true;
    (void)shutdown(worker->feed, SHUT_RD); /* it can leave nothing more with us */
    if (!w->was_ready) {
        w->was_ready = true;
        memcpy(w->driver, worker->counts->driver, sizeof w->driver - 1);
    }
}

void workers_hear(struct workers *w, struct worker *worker, uint32_t events)
{
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) { /* its process says why when it has ended */
        (void)watch(w, EPOLL_CTL_DEL, worker->feed, 0, NULL);
        worker->is_dead = true;
        kill(worker->pid, SIGKILL);
        return;
    }
    if ((events & EPOLLIN) != 0 && !worker->is_ready) {
        hear_ready(w, worker);
    }
    workers_watch_feed(w, worker, worker->is_ready ? 0 : EPOLLIN);
}

/* ---- their ends ---- */

static void say_end(const struct worker *worker, int status)
{
    char who[LOCAL_NAME + 64] = "the one in reserve";
    const struct guest *guest = worker->guest;
    if (guest != NULL) {
        snprintf(who, sizeof who, "%s (process %d, user %u)", guest->name, (int)guest->pid,
                 (unsigned)guest->uid);
    }
    if (WIFSIGNALED(status)) {
        sl_warn_limited("workers", "worker %d died of signal %d (%s): it was that of %s",
                        (int)worker->pid, WTERMSIG(status), strsignal(WTERMSIG(status)), who);
    } else {
        sl_warn_limited("workers", "worker %d ended with code %d: it was that of %s",
                        (int)worker->pid, WEXITSTATUS(status), who);
    }
}

/* Nobody had asked it to end. */
static void worker_crashed(struct workers *w, struct worker *worker, int status)
{
    if (!w->was_ready) { /* it has said why */
        w->failed = WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : -1;
        return;
    }
    say_end(worker, status);
    w->lost += sl_atomic_load_relaxed(&worker->counts->contexts);
    if (worker->guest != NULL) {
        backoff_add(&w->backoff, worker->guest->uid, worker->guest->pid, sl_clock_ns());
        workers_drop_guest(w, worker->guest);
    } else {
        w->spare_ns = sl_clock_ns() + SPARE_AGAIN_NS;
    }
}

static void worker_ended(struct workers *w, struct worker *worker, int status)
{
    w->created += sl_atomic_load_relaxed_u64(&worker->counts->contexts_created);
    w->lost += sl_atomic_load_relaxed_u64(&worker->counts->contexts_lost);
    if (worker->feed >= 0) {
        worker_crashed(w, worker, status);
    }
    worker_free(worker);
}

void workers_reap(struct workers *w)
{
    struct signalfd_siginfo signal;
    while (read(w->children, &signal, sizeof signal) == (ssize_t)sizeof signal) {
    }
    SL_LIST_FOR_SAFE(link, &w->all)
    {
        struct worker *worker = SL_CONTAINER(link, struct worker, link);
        int status;
        if (waitpid(worker->pid, &status, WNOHANG) == worker->pid) {
            worker_ended(w, worker, status);
        }
    }
}

/* ---- the reserve ---- */

static struct worker *find_spare(struct workers *w)
{
    SL_LIST_FOR(link, &w->all)
    {
        struct worker *worker = SL_CONTAINER(link, struct worker, link);
        if (worker->guest == NULL && worker->feed >= 0 && !worker->is_dead) {
            return worker;
        }
    }
    return NULL;
}

enum sl_result workers_take(struct workers *w, struct worker **out)
{
    w->spare_ns = sl_clock_ns() + SPARE_AFTER_NS;
    *out = find_spare(w);
    return *out != NULL ? SL_OK : worker_start(w, out);
}

void workers_tend_pool(struct workers *w, uint64_t now)
{
    SL_LIST_FOR(link, &w->all)
    {
        struct worker *worker = SL_CONTAINER(link, struct worker, link);
        if (worker->kill_ns != 0 && worker->kill_ns <= now) {
            kill(worker->pid, SIGKILL);
            worker->kill_ns = 0;
        } else if (worker->kill_ns != 0) {
            workers_wake_at(w, worker->kill_ns);
        }
    }
    if (find_spare(w) != NULL) {
        return;
    }
    struct worker *spare;
    if (w->spare_ns <= now && worker_start(w, &spare) != SL_OK) {
        w->spare_ns = now + SPARE_AGAIN_NS;
    }
    if (w->spare_ns > now) {
        workers_wake_at(w, w->spare_ns);
    }
}

void workers_wake_at(struct workers *w, uint64_t ns)
{
    w->wake_ns = ns < w->wake_ns ? ns : w->wake_ns;
}

void workers_arm(struct workers *w)
{
    struct itimerspec at = {0};
    if (w->wake_ns != UINT64_MAX) {
        at.it_value.tv_sec = (time_t)(w->wake_ns / SL_NS_PER_S);
        at.it_value.tv_nsec = (long)(w->wake_ns % SL_NS_PER_S) + 1;
    }
    (void)timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

void workers_add_up(const struct workers *w, struct workers_sum *sum)
{
    *sum = (struct workers_sum){.contexts_created = w->created, .contexts_lost = w->lost};
    SL_LIST_FOR(link, &w->all)
    {
        const struct local_counts *c = SL_CONTAINER(link, struct worker, link)->counts;
        sum->contexts_created += sl_atomic_load_relaxed_u64(&c->contexts_created);
        sum->contexts_lost += sl_atomic_load_relaxed_u64(&c->contexts_lost);
        sum->resource_bytes += sl_atomic_load_relaxed_u64(&c->resource_bytes);
        sum->contexts += sl_atomic_load_relaxed(&c->contexts);
        sum->resources += sl_atomic_load_relaxed(&c->resources);
    }
}

/* ---- all of them ---- */

static enum sl_result open_set(struct workers *w)
{
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (w->epoll < 0 || w->children < 0 || w->timer < 0) {
        return sl_result_from_errno(errno);
    }
    w->children_watch = WATCH_CHILDREN;
    w->timer_watch = WATCH_TIMER;
    enum sl_result r = watch(w, EPOLL_CTL_ADD, w->children, EPOLLIN, &w->children_watch);
    return r == SL_OK ? watch(w, EPOLL_CTL_ADD, w->timer, EPOLLIN, &w->timer_watch) : r;
}

enum sl_result workers_create(const struct workers_options *options, struct workers **out)
{
    struct workers *w = sl_alloc(sizeof *w);
    if (w == NULL) {
        return SL_ERR_NOMEM;
    }
    w->options = *options;
    w->epoll = w->children = w->timer = -1;
    sl_list_init(&w->guests);
    sl_list_init(&w->all);
    enum sl_result r = open_set(w);
    if (r != SL_OK) {
        workers_destroy(w);
        return r;
    }
    workers_set_router(w);
    *out = w;
    return SL_OK;
}

const struct local_router *workers_router(const struct workers *w)
{
    return &w->router;
}

void workers_set_server(struct workers *w, struct local_server *server)
{
    w->server = server;
}

enum sl_result workers_begin(struct workers *w, int stop_fd, const char **driver, int *code)
{
    struct worker *first;
    enum sl_result r = worker_start(w, &first);
    while (r == SL_OK && !w->was_ready && w->failed == 0) {
        r = sl_fd_wait_two(w->epoll, stop_fd, -1);
        struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
        if (r == SL_OK && poll(&stop, 1, 0) == 1) {
            r = SL_ERR_CLOSED;
        }
        w->spare_ns = UINT64_MAX; /* one at a time */
        workers_poll(w);
    }
    w->spare_ns = 0;
    if (r == SL_OK && !w->was_ready) {
        *code = w->failed;
        return SL_ERR_UNSUPPORTED;
    }
    *driver = w->driver;
    return r;
}

uint64_t workers_contexts_created(const struct workers *w)
{
    struct workers_sum sum;
    workers_add_up(w, &sum);
    return sum.contexts_created;
}

void workers_end(struct workers *w)
{
    workers_retire_all(w);
    SL_LIST_FOR(link, &w->all)
    {
        struct worker *worker = SL_CONTAINER(link, struct worker, link);
        if (worker->feed >= 0) {
            workers_retire(worker);
        }
    }
    uint64_t end = sl_clock_ns() + END_PATIENCE_NS;
    for (uint64_t now; !sl_list_empty(&w->all) && (now = sl_clock_ns()) < end;) {
        (void)!sl_fd_wait(w->children, (int64_t)(end - now));
        workers_reap(w);
    }
    SL_LIST_FOR_SAFE(link, &w->all)
    {
        struct worker *worker = SL_CONTAINER(link, struct worker, link);
        int status = 0;
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
        }
        worker_ended(w, worker, status);
    }
}

void workers_destroy(struct workers *w)
{
    if (w != NULL) {
        sl_fd_close(&w->epoll);
        sl_fd_close(&w->children);
        sl_fd_close(&w->timer);
        sl_free(w);
    }
}
