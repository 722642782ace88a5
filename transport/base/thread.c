#include "transport/base/thread.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SMALL_STACK    (256u * 1024u)
#define RESTORES       3 /* attempts to get a processor back */
#define TIMER_SLACK_NS 1000ul

static _Atomic size_t guard_bytes; /* 0: what the system gives */

/* Lives from sl_thread_start to the new thread's first line, which frees it. */
struct start {
    void *(*fn)(void *);
    void *user;
    char name[16];
};

static void *run(void *arg)
{
    struct start start = *(struct start *)arg;
    sl_free(arg);
    pthread_setname_np(pthread_self(), start.name);
    return start.fn(start.user);
}

static size_t default_stack(void)
{
    long least = sysconf(_SC_THREAD_STACK_MIN);
    return (least > 0 ? (size_t)least : (size_t)PTHREAD_STACK_MIN) + SMALL_STACK;
}

enum sl_result sl_thread_guard(size_t bytes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY) {
        return SL_OK;
    }
    pthread_attr_t attr;
    int error = pthread_getattr_default_np(&attr);
    if (error != 0) {
        return sl_result_from_errno(error);
    }
    error = pthread_attr_setguardsize(&attr, bytes);
    if (error == 0) {
        error = pthread_setattr_default_np(&attr);
    }
    pthread_attr_destroy(&attr);
    if (error != 0) {
        return sl_result_from_errno(error);
    }
    atomic_store(&guard_bytes, bytes);
    return SL_OK;
}

enum sl_result sl_thread_start(pthread_t *thread, const char *name, size_t stack_size,
                               void *(*fn)(void *), void *user)
{
    struct start *start = sl_alloc(sizeof *start);
    if (start == NULL) {
        return SL_ERR_NOMEM;
    }
    start->fn = fn;
    start->user = user;
    snprintf(start->name, sizeof start->name, "%s", name);

    pthread_attr_t attr;
    int error = pthread_attr_init(&attr);
    if (error != 0) {
        sl_free(start);
        return sl_result_from_errno(error);
    }
    size_t guard = atomic_load(&guard_bytes);
    error = pthread_attr_setstacksize(&attr, stack_size != 0 ? stack_size : default_stack());
    if (error == 0 && guard != 0) {
        error = pthread_attr_setguardsize(&attr, guard);
    }
    if (error == 0) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        error = pthread_create(thread, &attr, run, start);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attr);
    if (error != 0) {
        sl_free(start);
        return error == EAGAIN ? SL_ERR_NOMEM : sl_result_from_errno(error);
    }
    return SL_OK;
}

void sl_thread_leave_cpu(unsigned cpu)
{
    cpu_set_t allowed, others;
    if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    others = allowed;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) {
        return;
    }
    /* For want of memory it may fail, and a thread that keeps fewer processors is one that nobody
     * knows why it is slow. */
    for (int i = 0; sched_setaffinity(0, sizeof allowed, &allowed) != 0; i++) {
        if (i == RESTORES) {
            sl_warn_limited("thread", "may not run on processor %u any more: %s", cpu,
                            sl_result_name(sl_result_from_errno(errno)));
            return;
        }
    }
}

bool sl_thread_may_move(void)
{
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1;
}

void sl_thread_keep_time(void)
{
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
}

void sl_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

enum sl_result sl_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  uint64_t deadline_ns)
{
    struct timespec at = {.tv_sec = (time_t)(deadline_ns / SL_NS_PER_S),
                          .tv_nsec = (long)(deadline_ns % SL_NS_PER_S)};
    int error = pthread_cond_timedwait(cond, mutex, &at);
    return error == 0 ? SL_OK : error == ETIMEDOUT ? SL_ERR_TIMEOUT : sl_result_from_errno(error);
}
