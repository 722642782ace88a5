#include "host/ring/hr_turn.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <sched.h>

enum { SPINS = 200, YIELDS = 50 };
#define SLICE_NS    (10 * SL_NS_PER_MS)
#define PATIENCE_NS (30 * SL_NS_PER_S)

void hr_turns_init(struct hr_turns *turns)
{
    *turns = (struct hr_turns){.patience_ns = PATIENCE_NS};
}

/* Sleep until `passed` differs from `seen`, at most a slice. */
static void doze(struct hr_turns *t, uint32_t seen)
{
    /* Pairs with hr_turn_pass: either it sees the sleeper and wakes it, or the futex sees that
     * `passed` has moved. */
    sl_atomic_add(&t->sleepers, 1);
    (void)sl_futex_wait(&t->passed, seen, false, (int64_t)SLICE_NS);
    sl_atomic_add(&t->sleepers, UINT32_MAX);
}

/* The long way, for a turn that did not come while spinning. */
static enum sl_result sleep_for(struct hr_turns *t, uint32_t number, const uint32_t *stop)
{
    uint32_t last = number - 1;
    uint32_t before = sl_atomic_load_acquire(&t->passed);
    uint64_t deadline = sl_clock_ns() + t->patience_ns;
    for (;;) {
        /* Pairs with the store in hr_turn_pass: what the turns before did is seen. */
        uint32_t passed = sl_atomic_load_acquire(&t->passed);
        if (passed == last) {
            return SL_OK;
        }
        if ((int32_t)(number - passed) <= 0) {
            return SL_ERR_PROTOCOL;
        }
        if (sl_atomic_load_relaxed(stop) != 0) {
            return SL_ERR_CLOSED;
        }
        /* Only a hint whether somebody is at work: orders nothing. */
        bool progress = passed != before || sl_atomic_load_relaxed(&t->running) != 0;
        uint64_t now = sl_clock_ns();
        if (progress) {
            before = passed;
            deadline = now + t->patience_ns;
        } else if (now >= deadline) {
            return SL_ERR_TIMEOUT;
        }
        doze(t, passed);
    }
}

/* The same, as rest of the ring. */
static enum sl_result rest_for(struct hr_turns *t, struct hr_ring *ring, uint32_t number,
                               const uint32_t *stop)
{
    if (ring == NULL) {
        return sleep_for(t, number, stop);
    }
    hr_ring_wait_begin(ring);
    enum sl_result result = sleep_for(t, number, stop);
    hr_ring_wait_end(ring);
    return result;
}

enum sl_result hr_turn_take(struct hr_turns *t, struct hr_ring *ring, uint32_t number,
                            const uint32_t *stop)
{
    enum sl_result result = SL_OK;
    uint32_t tries = 0;
    /* Pairs with the store in hr_turn_pass: what the turns before did is seen. */
    while (sl_atomic_load_acquire(&t->passed) != number - 1) {
        if (++tries > SPINS + YIELDS) {
            result = rest_for(t, ring, number, stop);
            break;
        }
        if (tries <= SPINS) {
            sl_cpu_relax();
        } else {
            sched_yield();
        }
    }
    if (result == SL_OK) {
        /* Read by waiters as a hint only. */
        sl_atomic_store_relaxed(&t->running, 1);
    }
    return result;
}

static void pass_to(struct hr_turns *t, uint32_t number)
{
    sl_atomic_store_relaxed(&t->running, 0);
    /* Only the holder of the turn writes it. Sequentially consistent: ordered before the look at
     * sleepers, as doze() orders its own two. Releases what this turn did. */
    sl_atomic_store_seq(&t->passed, number);
    if (sl_atomic_load_seq(&t->sleepers) != 0) {
        sl_futex_wake(&t->passed, INT32_MAX, false);
    }
}

void hr_turn_pass(struct hr_turns *t)
{
    pass_to(t, sl_atomic_load_relaxed(&t->passed) + 1);
}

void hr_turn_jump(struct hr_turns *t, uint32_t number)
{
    pass_to(t, number);
}
