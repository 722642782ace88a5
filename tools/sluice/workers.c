#include "tools/sluice/workers_priv.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define LINGER_NS (5 * SL_NS_PER_S) /* a program that hung up may come again: its worker stays */

/* A connection that its worker does not have yet. */
struct waiting {
    struct sl_list link; /* guest.waiting */
    int fd;              /* the server's */
};

/* ---- guests ---- */

static void guest_free(struct guest *guest)
{
    sl_list_remove(&guest->link);
    sl_fd_close(&guest->pidfd);
    sl_free(guest);
}

/* Its process number may be another's from now on. */
static void guest_gone(struct workers *w, struct guest *guest)
{
    guest->is_gone = true;
    if (guest->pidfd >= 0) {
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, guest->pidfd, NULL);
        sl_fd_close(&guest->pidfd);
    }
}

static bool is_running(struct workers *w, struct guest *guest)
{
    struct pollfd process = {.fd = guest->pidfd, .events = POLLIN};
    if (guest->pidfd >= 0 && poll(&process, 1, 0) == 1) {
        guest_gone(w, guest);
    }
    return !guest->is_gone;
}

static struct guest *find_guest(struct workers *w, pid_t pid, uid_t uid)
{
    SL_LIST_FOR(link, &w->guests)
    {
        struct guest *guest = SL_CONTAINER(link, struct guest, link);
        /* Processes that we cannot see are all number 0. */
        if (pid != 0 && guest->pid == pid && guest->uid == uid && is_running(w, guest)) {
            return guest;
        }
    }
    return NULL;
}

/* Whether a user may have one program more. */
static bool has_room(const struct workers *w, const struct local_arrival *arrival)
{
    uint32_t programs = 0;
    uint64_t bytes = 0;
    SL_LIST_FOR(link, &w->guests)
    {
        const struct guest *guest = SL_CONTAINER(link, struct guest, link);
        if (guest->uid == arrival->uid) {
            programs++;
            bytes += guest->worker != NULL
                         ? sl_atomic_load_relaxed_u64(&guest->worker->counts->resource_bytes)
                         : 0;
        }
    }
    const struct workers_options *o = &w->options;
    bool has = (o->programs_per_user == 0 || programs < o->programs_per_user) &&
               (o->user_bytes == 0 || bytes < o->user_bytes);
    if (!has) {
        sl_warn_limited("workers",
                        "%s (process %d) is refused: user %u has %u programs of %u, and %llu bytes "
                        "of %llu",
                        arrival->name, (int)arrival->pid, (unsigned)arrival->uid, programs,
                        o->programs_per_user, (unsigned long long)bytes,
                        (unsigned long long)o->user_bytes);
    }
    return has;
}

static struct guest *guest_new(struct workers *w, const struct local_arrival *arrival)
{
    bool is_limited = arrival->uid != 0 && arrival->uid != geteuid();
    struct guest *guest = !is_limited || has_room(w, arrival) ? sl_alloc(sizeof *guest) : NULL;
    if (guest == NULL) {
        return NULL;
    }
    uint64_t now = sl_clock_ns();
    *guest =
        (struct guest){.watch = WATCH_GUEST,
                       .pid = arrival->pid,
                       .uid = arrival->uid,
                       .pidfd = -1,
                       .start_ns = backoff_start_ns(&w->backoff, arrival->uid, arrival->pid, now)};
    snprintf(guest->name, sizeof guest->name, "%s", arrival->name);
    sl_list_init(&guest->waiting);
    guest->is_gone =
        sl_sock_peer_process(arrival->fd, arrival->pid, &guest->pidfd) == SL_ERR_NOTFOUND;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &guest->watch};
    if (guest->pidfd >= 0) {
        (void)epoll_ctl(w->epoll, EPOLL_CTL_ADD, guest->pidfd, &event);
    }
    if (guest->start_ns > now) {
        sl_warn_limited("workers",
                        "%s (process %d, user %u) waits %u ms for a worker: too many "
                        "of its own have crashed",
                        guest->name, (int)guest->pid, (unsigned)guest->uid,
                        (unsigned)((guest->start_ns - now) / SL_NS_PER_MS));
    }
    sl_list_add(&w->guests, &guest->link);
    return guest;
}

/* Its worker ends, if it has one. */
static void guest_retire(struct guest *guest)
{
    if (guest->worker != NULL) {
        workers_retire(guest->worker);
    }
    guest_free(guest);
}

void workers_drop_guest(struct workers *w, struct guest *guest)
{
    guest->worker = NULL;
    if (guest->connections == 0) {
        guest_free(guest);
    } else {
        local_server_drop(w->server, guest); /* the last one frees it */
    }
}

/* ---- connections ---- */

static void waiting_free(struct waiting *waiting)
{
    sl_list_remove(&waiting->link);
    sl_free(waiting);
}

/* What waits goes to the worker, until it takes no more just now. */
static enum sl_result hand_over(struct workers *w, struct guest *guest)
{
    if (guest->worker == NULL) {
        return SL_OK;
    }
    SL_LIST_FOR_SAFE(link, &guest->waiting)
    {
        struct waiting *waiting = SL_CONTAINER(link, struct waiting, link);
        enum sl_result r = sl_sock_send(guest->worker->feed, "c", 1, &waiting->fd, 1);
        if (r == SL_ERR_AGAIN) {
            workers_watch_feed(w, guest->worker, EPOLLOUT);
            return SL_OK;
        }
        if (r == SL_ERR_CLOSED) { /* its end is on its way to us */
            return SL_OK;
        }
        if (r != SL_OK) {
            return r;
        }
        waiting_free(waiting);
    }
    return SL_OK;
}

static enum sl_result give_worker(struct workers *w, struct guest *guest)
{
    if (guest->worker != NULL || guest->start_ns > sl_clock_ns()) {
        return SL_OK;
    }
    struct worker *worker = NULL;
    enum sl_result r = workers_take(w, &worker);
    if (r == SL_OK) {
        guest->worker = worker;
        worker->guest = guest;
    }
    return r;
}

static enum sl_result add_connection(struct workers *w, struct guest *guest, int fd)
{
    struct waiting *waiting = sl_alloc(sizeof *waiting);
    if (waiting == NULL) {
        return SL_ERR_NOMEM;
    }
    waiting->fd = fd;
    sl_list_add(&guest->waiting, &waiting->link);
    enum sl_result r = give_worker(w, guest);
    if (r == SL_OK) {
        r = hand_over(w, guest);
    }
    if (r != SL_OK) {
        waiting_free(waiting);
        return SL_ERR_NOMEM;
    }
    guest->connections++;
    return SL_OK;
}

/* A tool may look at programs of its own user; the server's and root's at all. */
static enum sl_result find_for_tool(struct workers *w, const struct local_arrival *arrival,
                                    struct guest **out)
{
    enum sl_result r = SL_ERR_NOTFOUND;
    SL_LIST_FOR(link, &w->guests)
    {
        struct guest *guest = SL_CONTAINER(link, struct guest, link);
        if ((uint32_t)guest->pid != arrival->process || guest->worker == NULL) {
            continue;
        }
        if (arrival->uid == guest->uid || arrival->uid == 0 || arrival->uid == geteuid()) {
            *out = guest;
            return SL_OK;
        }
        r = SL_ERR_INVALID;
    }
    return r;
}

static enum sl_result route(void *user, const struct local_arrival *arrival, void **tag)
{
    struct workers *w = user;
    struct guest *guest = NULL;
    if (arrival->is_tool) {
        enum sl_result r = find_for_tool(w, arrival, &guest);
        if (r != SL_OK) {
            return r;
        }
    } else {
        guest = find_guest(w, arrival->pid, arrival->uid);
        guest = guest != NULL ? guest : guest_new(w, arrival);
    }
    enum sl_result r = guest != NULL ? add_connection(w, guest, arrival->fd) : SL_ERR_NOMEM;
    if (r == SL_OK) {
        *tag = guest;
    } else if (guest != NULL && guest->connections == 0) {
        guest_retire(guest);
    }
    workers_tend(w);
    return r;
}

static void left(void *user, void *tag, int fd)
{
    struct workers *w = user;
    struct guest *guest = tag;
    SL_LIST_FOR_SAFE(link, &guest->waiting)
    {
        struct waiting *waiting = SL_CONTAINER(link, struct waiting, link);
        if (waiting->fd == fd) {
            waiting_free(waiting);
        }
    }
    if (--guest->connections != 0) {
        return;
    }
    guest->idle_ns = sl_clock_ns();
    if (guest->worker == NULL || !is_running(w, guest)) {
        guest_retire(guest);
    }
    workers_tend(w);
}

/* ---- what tools ask ---- */

static void status(void *user, struct local_status_reply *reply)
{
    struct workers *w = user;
    struct workers_sum sum;
    workers_add_up(w, &sum);
    memcpy(reply->driver, w->driver, sizeof reply->driver);
    reply->contexts_created = sum.contexts_created;
    reply->contexts_lost = sum.contexts_lost;
    reply->contexts = sum.contexts;
    reply->clients = local_server_clients(w->server);
    reply->resources = sum.resources;
    reply->resource_bytes = sum.resource_bytes;
    reply->isolates = 1;
}

static enum sl_result program(void *user, uint32_t index, struct local_program_reply *reply)
{
    struct workers *w = user;
    SL_LIST_FOR(link, &w->guests)
    {
        const struct guest *guest = SL_CONTAINER(link, struct guest, link);
        if (index-- != 0) {
            continue;
        }
        memcpy(reply->name, guest->name, LOCAL_NAME - 1);
        reply->pid = (uint32_t)guest->pid;
        reply->uid = (uint32_t)guest->uid;
        reply->connections = guest->connections;
        if (guest->worker != NULL) {
            const struct local_counts *c = guest->worker->counts;
            reply->worker = (uint32_t)guest->worker->pid;
            reply->contexts = sl_atomic_load_relaxed(&c->contexts);
            reply->resources = sl_atomic_load_relaxed(&c->resources);
            reply->resource_bytes = sl_atomic_load_relaxed_u64(&c->resource_bytes);
        }
        return SL_OK;
    }
    return SL_ERR_NOTFOUND;
}

/* ---- time ---- */

static void guest_tend(struct workers *w, struct guest *guest, uint64_t now)
{
    if (guest->worker == NULL && guest->start_ns <= now) {
        if (give_worker(w, guest) != SL_OK || hand_over(w, guest) != SL_OK) {
            workers_drop_guest(w, guest);
        }
    } else if (guest->worker == NULL) {
        workers_wake_at(w, guest->start_ns);
    } else if (guest->connections == 0 && guest->idle_ns + LINGER_NS <= now) {
        guest_retire(guest);
    } else if (guest->connections == 0) {
        workers_wake_at(w, guest->idle_ns + LINGER_NS);
    }
}

void workers_tend(struct workers *w)
{
    if (w->is_tending || w->is_ending) { /* what is done below ends here again */
        return;
    }
    w->is_tending = true;
    uint64_t now = sl_clock_ns();
    w->wake_ns = UINT64_MAX;
    SL_LIST_FOR_SAFE(link, &w->guests)
    {
        guest_tend(w, SL_CONTAINER(link, struct guest, link), now);
    }
    workers_tend_pool(w, now);
    workers_arm(w);
    w->is_tending = false;
}

static void poll_one(struct workers *w, const struct epoll_event *event)
{
    enum watch *watch = event->data.ptr;
    if (*watch == WATCH_GUEST) {
        struct guest *guest = SL_CONTAINER(watch, struct guest, watch);
        guest_gone(w, guest);
        if (guest->connections == 0) {
            guest_retire(guest);
        }
    } else if (*watch == WATCH_FEED) {
        struct worker *worker = SL_CONTAINER(watch, struct worker, watch);
        workers_hear(w, worker, event->events);
        struct guest *guest = worker->guest;
        if (guest != NULL && (event->events & EPOLLOUT) != 0 && hand_over(w, guest) != SL_OK) {
            workers_retire(worker);
            workers_drop_guest(w, guest);
        }
    } else if (*watch == WATCH_CHILDREN) {
        workers_reap(w);
    } else {
        (void)sl_fd_drain(w->timer); /* what is due is done below */
    }
}

void workers_poll(struct workers *w)
{
    /* One at a time: what the first does may free what the second is about. */
    for (uint32_t i = 0; i < 64; i++) {
        struct epoll_event event;
        if (epoll_wait(w->epoll, &event, 1, 0) != 1) {
            break;
        }
        poll_one(w, &event);
    }
    workers_tend(w);
}

void workers_retire_all(struct workers *w)
{
    w->is_ending = true;
    SL_LIST_FOR_SAFE(link, &w->guests)
    {
        guest_retire(SL_CONTAINER(link, struct guest, link));
    }
}

static void on_poll(void *user)
{
    workers_poll(user);
}

void workers_set_router(struct workers *w)
{
    w->router = (struct local_router){
        .user = w,
        .poll_fd = w->epoll,
        .poll = on_poll,
        .route = route,
        .left = left,
        .status = status,
        .program = program,
    };
}
