/* A device's tasks, of which only the numbers count: what hct_env asks of whoever plays the device.
 */
#ifndef TESTS_TASK_COUNT_H
#define TESTS_TASK_COUNT_H

#include "host/context.h"

/* The first member of what hct_env.user points to. */
struct task_count {
    uint64_t begun;
    uint64_t done; /* the last one; other threads tell */
};

static inline enum sl_result task_count_begin(void *user, uint32_t ctx_id, uint32_t ring,
                                              uint64_t *task)
{
    (void)ctx_id, (void)ring;
    *task = ++((struct task_count *)user)->begun;
    return SL_OK;
}

static inline void task_count_done(void *user, uint64_t task)
{
    /* Pairs with task_count_last: the waiter's thread tells, the test's looks. */
    __atomic_store_n(&((struct task_count *)user)->done, task, __ATOMIC_RELEASE);
}

static inline uint64_t task_count_last(const struct task_count *count)
{
    return __atomic_load_n(&count->done, __ATOMIC_ACQUIRE);
}

#endif
