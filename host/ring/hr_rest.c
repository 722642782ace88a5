#include "host/ring/hr_rest.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"

/* The low bits of `state`; above them the epoch, where it says something. */
enum { RUNS, RESTS, WAITS, LINGERS, ENDED, KINDS };
/* `job_state`. The device thread asks, and withdraws or leaves what takes too long; the ring's
 * thread does it and says NONE. */
enum { JOB_NONE, JOB_ASKED, JOB_RUNS, JOB_LEFT };
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

/* Pairs with the other thread's loads and changes: what was done before lies before it. */
static bool job_moves(struct hr_rest *rest, uint32_t from, uint32_t to)
{
    return sl_atomic_cas(&rest->job_state, &from, to);
}

static void do_job(struct hr_rest *rest)
{
    if (!job_moves(rest, JOB_ASKED, JOB_RUNS)) {
        return;
    }
    rest->job.run(rest->job.user);
    if (!job_moves(rest, JOB_RUNS, JOB_NONE)) { /* left */
        if (rest->job.undo != NULL) {
            rest->job.undo(rest->job.user);
        }
        sl_atomic_store_seq(&rest->job_state, JOB_NONE);
    }
    sl_futex_wake(&rest->job_state, 1, false);
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

void hr_rest_linger_begin(struct hr_rest *rest)
{
    if (rest->epoch != NULL) {
        set_state(rest, LINGERS);
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
    bool is_left = sl_atomic_load_seq(&rest->job_state) == JOB_LEFT;
    return (state == RESTS && !is_left) || state == ENDED || state == LINGERS ||
           (rest->epoch != NULL && state == epoch_now(rest) * KINDS + WAITS);
}

enum sl_result hr_rest_run(struct hr_rest *rest, const struct hr_job *job, uint64_t limit_ns)
{
    uint32_t job_state = sl_atomic_load_acquire(&rest->job_state);
    if (sl_atomic_load_seq(&rest->state) != RESTS || job_state != JOB_NONE) {
        return SL_ERR_AGAIN;
    }
    uint64_t deadline = sl_clock_ns() + limit_ns;
    rest->job = *job;
    sl_atomic_store_seq(&rest->job_state, JOB_ASKED);
    hr_rest_ring(rest);
    while ((job_state = sl_atomic_load_acquire(&rest->job_state)) != JOB_NONE) {
        bool is_over = sl_atomic_load_seq(&rest->state) == ENDED;
        uint64_t now = sl_clock_ns();
        if (is_over && job_moves(rest, JOB_ASKED, JOB_NONE)) {
            return SL_ERR_CLOSED;
        }
        if (now >= deadline &&
            (job_moves(rest, JOB_ASKED, JOB_NONE) || job_moves(rest, JOB_RUNS, JOB_LEFT))) {
            return SL_ERR_TIMEOUT;
        }
        uint64_t left = now < deadline ? deadline - now : 0;
        (void)sl_futex_wait(&rest->job_state, job_state, false,
                            (int64_t)(left < SLICE_NS ? left : SLICE_NS));
    }
    return SL_OK;
}
