/* Threads and locks: pthreads with our results, small stacks and names. */
#ifndef SL_THREAD_H
#define SL_THREAD_H

#include "transport/base/result.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name: at most 15 bytes are kept. stack_size 0: 256 KiB more than the system's minimum; drivers
 * that compile want 8 MiB. Signals are blocked in the new thread. */
enum sl_result sl_thread_start(pthread_t *thread, const char *name, size_t stack_size,
                               void *(*fn)(void *), void *user) SL_MUST_USE;

/* Threads that this process starts from now on, by sl_thread_start or in libraries without a wish
 * of their own, have so many bytes below their stack that nothing can be read from or written to
 * (the system gives a page): a function whose variables are larger than its stack faults there,
 * where it would reach another thread's memory otherwise. It costs address space alone; where that
 * is limited (RLIMIT_AS), nothing changes. bytes: a multiple of the page size, at most 1 GiB.
 * Before the libraries start threads. SL_ERR_NOMEM. */
enum sl_result sl_thread_guard(size_t bytes) SL_MUST_USE;

/* The calling thread goes on on another of the processors that it may use (of itself, and so of
 * whoever started the process); those stay the same, or a warning is logged. cpu: from 0. Nothing
 * happens where there is no other. */
void sl_thread_leave_cpu(unsigned cpu);

/* Is there another one that the calling thread may use? */
bool sl_thread_may_move(void);

/* The calling thread's timed sleeps, and those of threads that it starts, end on time: the system
 * would let them last 50 us more, to end several at once. */
void sl_thread_keep_time(void);

/* A condition variable on the monotonic clock. deadline_ns: sl_clock_ns() time. */
void sl_cond_init(pthread_cond_t *cond);
enum sl_result sl_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  uint64_t deadline_ns);

#endif
