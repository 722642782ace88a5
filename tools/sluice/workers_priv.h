/* Workers inside: workers.c has the programs (guests) and their connections, workers_pool.c the
 * processes. */
#ifndef SLUICE_WORKERS_PRIV_H
#define SLUICE_WORKERS_PRIV_H

#include "tools/sluice/backoff.h"
#include "tools/sluice/workers.h"
#include "transport/base/atomic.h"
#include "transport/base/list.h"

#include <stdbool.h>

/* What a descriptor in the set is for: the tag of its events, within what it belongs to. */
enum watch { WATCH_CHILDREN, WATCH_TIMER, WATCH_FEED, WATCH_GUEST };

/* A program: what the kernel calls one process, with all its connections. */
struct guest {
    enum watch watch;
    struct sl_list link; /* workers.guests */
    pid_t pid;
    uid_t uid;
    int pidfd;    /* -1: not to be had, or it has ended */
    bool is_gone; /* it has ended: whoever has its number now is another */
    char name[LOCAL_NAME + 1];
    struct worker *worker; /* nullable: it waits for one */
    uint64_t start_ns;     /* no worker before */
    uint64_t idle_ns;      /* since when it has no connection */
    uint32_t connections;  /* with tools at its worker */
    struct sl_list waiting;
};

struct worker {
    enum watch watch;
    struct sl_list link; /* workers.all */
    pid_t pid;
    int feed;                    /* -1: it was asked to end */
    struct local_counts *counts; /* shared with it: numbers, of which nothing is believed */
    struct guest *guest;         /* nullable */
    bool is_ready;
    bool is_dead;     /* it hung up: its process's end is near */
    uint64_t kill_ns; /* when it is killed; 0: it need not be */
};

struct workers {
    struct workers_options options;
    struct local_router router;
    struct local_server *server;
    struct sl_list guests, all;
    struct backoff backoff;
    enum watch children_watch, timer_watch;
    int epoll, children, timer; /* the last two in the first */
    uint64_t wake_ns;           /* what the timer is to be set to */
    uint64_t spare_ns;          /* no spare worker is started before */
    bool is_tending, is_ending;
    bool was_ready;         /* one was: drivers are there */
    int failed;             /* the exit code of one that ended before any was ready, or 0 */
    uint64_t created, lost; /* contexts, of workers that have ended */
    char driver[LOCAL_TEXT];
};

/* --- workers.c --- */

void workers_set_router(struct workers *w);
void workers_poll(struct workers *w);
/* Does what is due, and sets the timer to what will be. */
void workers_tend(struct workers *w);
/* No program is left. */
void workers_retire_all(struct workers *w);
/* Its worker is gone: so are its connections, and it. */
void workers_drop_guest(struct workers *w, struct guest *guest);

/* --- workers_pool.c --- */

/* The one in reserve, or a new one. */
enum sl_result workers_take(struct workers *w, struct worker **out) SL_MUST_USE;
/* Asks it to end; it has no guest any more. */
void workers_retire(struct worker *worker);
void workers_hear(struct workers *w, struct worker *worker, uint32_t events);
void workers_watch_feed(struct workers *w, struct worker *worker, uint32_t events);
/* Takes in the ends of processes. */
void workers_reap(struct workers *w);
void workers_tend_pool(struct workers *w, uint64_t now);
void workers_wake_at(struct workers *w, uint64_t ns);
void workers_arm(struct workers *w);

struct workers_sum {
    uint64_t contexts_created, contexts_lost, resource_bytes;
    uint32_t contexts, resources;
};
void workers_add_up(const struct workers *w, struct workers_sum *sum);

#endif
