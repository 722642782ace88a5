#include "host/ring/hr_rest.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"

/* The low bits of `state`; above them the epoch, where it says something. */
enum { RUNS, RESTS, WAITS, ENDED, KINDS };
#define SLICE_NS (100 * SL_NS_PER_MS)

static uint32_t epoch_now(const struct hr_rest *rest)
{
    return sl_atomic_load_seq(rest->epoch) & ~VGD_EPOCH_REST;
}

/* Sequentially consistent, as the look at the epoch behind it and hr_rest_is's two are: either we
 * see that rest is wanted, or whoever wants it sees that we run. */
static void set_state(struct hr_rest *rest, uint32_t state)
{
    sl_atomic_store_seq(&rest->state, state);
    sl_futex_wake(&rest->state, 1, false);
}

static bool is_wanted(const struct hr_rest *rest)
{
    return (sl_atomic_load_seq(rest->epoch) & VGD_EPOCH_REST) != 0 &&
           sl_atomic_load_relaxed(rest->stop) == 0;
}

static void do_job(struct hr_rest *rest)
{
    /* Pairs with the store in hr_rest_run: the job lies before it. */
    uint32_t asked = sl_atomic_load_acquire(&rest->asked);
    if (asked != sl_atomic_load_relaxed(&rest->done)) {
        rest->job(rest->user);
        sl_atomic_store_release(&rest->done, asked);
        sl_futex_wake(&rest->done, 1, false);
    }
}

void hr_rest_here(struct hr_rest *rest)
{
    if (rest->epoch == NULL) {
        return;
    }
    while (is_wanted(rest)) {
        set_state(rest, RESTS);
        while (is_wanted(rest)) {
            uint32_t bell = sl_atomic_load_acquire(&rest->bell);
            do_job(rest);
            if (is_wanted(rest)) {
                (void)sl_futex_wait(&rest->bell, bell, false, (int64_t)SLICE_NS);
            }
        }
        do_job(rest);
        set_state(rest, RUNS);
    }
}

void hr_rest_wait_begin(struct hr_rest *rest, uint32_t epoch)
{
    if (rest->epoch != NULL && epoch != 0 && epoch == epoch_now(rest)) {
        set_state(rest, epoch * KINDS + WAITS);
    }
}

void hr_rest_wait_end(struct hr_rest *rest)
{
    uint32_t state = sl_atomic_load_relaxed(&rest->state); /* only this thread writes it */
    if (state == RUNS) {
        return;
    }
    for (;;) {
        uint32_t bell = sl_atomic_load_acquire(&rest->bell);
        if (is_wanted(rest)) {
            (void)sl_futex_wait(&rest->bell, bell, false, (int64_t)SLICE_NS);
            continue;
        }
        sl_atomic_store_seq(&rest->state, RUNS);
        if (!is_wanted(rest)) {
            return;
        }
        set_state(rest, state);
    }
}

void hr_rest_end(struct hr_rest *rest)
{
    set_state(rest, ENDED);
}

void hr_rest_ring(struct hr_rest *rest)
{
    (void)sl_atomic_add(&rest->bell, 1);
    sl_futex_wake(&rest->bell, 1, false);
}

bool hr_rest_is(const struct hr_rest *rest)
{
    uint32_t state = sl_atomic_load_seq(&rest->state);
    return state == RESTS || state == ENDED ||
           (rest->epoch != NULL && state == epoch_now(rest) * KINDS + WAITS);
}

enum sl_result hr_rest_run(struct hr_rest *rest, void (*job)(void *user), void *user)
{
    if (sl_atomic_load_seq(&rest->state) != RESTS) {
        return SL_ERR_AGAIN;
    }
    rest->job = job;
    rest->user = user;
    uint32_t number = sl_atomic_load_relaxed(&rest->asked) + 1; /* only this thread writes it */
    sl_atomic_store_release(&rest->asked, number);
    hr_rest_ring(rest);
    /* Pairs with the store in do_job: what the job did lies before it. */
    for (uint32_t done; (done = sl_atomic_load_acquire(&rest->done)) != number;) {
        if (sl_atomic_load_seq(&rest->state) == ENDED &&
            sl_atomic_load_acquire(&rest->done) != number) {
            return SL_ERR_CLOSED;
        }
        (void)sl_futex_wait(&rest->done, done, false, (int64_t)SLICE_NS);
    }
    return SL_OK;
}
