#include "asg/ring.h"

#include <limits.h>
#include <sched.h>
#include <string.h>

#include "transport/base/clock.h"

/* A look at shared memory costs next to nothing, a pause 20 to 140 cycles, a yield 0.3 us, a
 * sleep's end 5 to 60 us. So: about as many pauses as a quick peer needs for an answer; then
 * yields, since with more threads than cores the peer needs ours; then sleep. */
enum {
    SPIN_PAUSES = 200,
    SPIN_PAUSES_FEW = 8, /* after them, or at first where SPIN_MISSES waits in a row were longer
                            than that: the peer wants our core */
    SPIN_MISSES = 4,
    SPIN_BRIDGED_NS = 1000,      /* yields that ended so soon could have been pauses */
    SPIN_SHORT_NS = 20 * 1000,   /* before a sleep when waits are long */
    SPIN_LONG_NS = 200 * 1000,   /* the most that is spun through */
    SPIN_YIELDS_HERE = 2,        /* where the peer has the same processor */
    EXPECT_CAP_NS = 1000 * 1000, /* one long pause is not remembered for long */
};

void asg_ring_kick(uint32_t *word)
{
    /* SEQ_CST read-modify-write: whatever the sleeper should see (position, stop flag) comes before
     * it. */
    sl_atomic_add(word, 1);
    asg_ring_wake(word);
}

void asg_ring_wake(uint32_t *word)
{
    sl_futex_wake(word, INT_MAX, true);
}

void asg_ring_sleep(const uint32_t *word, uint32_t ticket, int64_t timeout_ns)
{
    enum sl_result ignored = sl_futex_wait(word, ticket, true, timeout_ns);
    (void)ignored; /* woken, timed out or nothing at all: the caller looks again */
}

void asg_view_copy_out(const uint8_t *view, uint32_t view_size, uint32_t pos, void *data,
                       size_t size)
{
    uint32_t start = pos & (view_size - 1);
    size_t first = view_size - start;
    if (first > size) {
        first = size;
    }
    memcpy(data, view + start, first);
    memcpy((uint8_t *)data + first, view, size - first);
}

void asg_view_copy_in(uint8_t *view, uint32_t view_size, uint32_t pos, const void *data,
                      size_t size)
{
    uint32_t start = pos & (view_size - 1);
    size_t first = view_size - start;
    if (first > size) {
        first = size;
    }
    memcpy(view + start, data, first);
    memcpy(view, (const uint8_t *)data + first, size - first);
}

uint32_t asg_view_size(uint32_t size)
{
    return size == 0 ? 0 : 1u << (31 - __builtin_clz(size));
}

/* Gaps that a spin can bridge are spun through with some reserve; of long ones only the first part
 * is, in case that this one is short. */
static uint64_t spin_budget(uint64_t expect_ns)
{
    if (expect_ns >= SPIN_LONG_NS) {
        return SPIN_SHORT_NS;
    }
    uint64_t budget = SPIN_SHORT_NS + 2 * expect_ns;
    return budget < SPIN_LONG_NS ? budget : SPIN_LONG_NS;
}

uint32_t asg_cpu(void)
{
    int cpu = sched_getcpu();
    return cpu < 0 ? 0 : (uint32_t)cpu + 1;
}

bool asg_spin_is_near(const struct asg_spin *spin)
{
    uint32_t cpu = spin->peer_cpu != NULL ? asg_ring_hint(spin->peer_cpu) : 0;
    return cpu != 0 && cpu == asg_cpu();
}

/* In place of all else while the peer has our processor. */
static bool near_turn(struct asg_spin *spin)
{
    spin->begin_ns = spin->begin_ns != 0 ? spin->begin_ns : sl_clock_ns();
    if (spin->keen) {
        return false;
    }
    sched_yield();
    return ++spin->yields <= SPIN_YIELDS_HERE;
}

/* After the first pauses. */
static void idle_turn(const struct asg_spin *spin)
{
    if (!spin->keen) {
        sched_yield();
        return;
    }
    for (int i = 0; i < SPIN_PAUSES_FEW; i++) { /* as long as a look at the clock */
        sl_cpu_relax();
    }
}

bool asg_spin_turn(struct asg_spin *spin)
{
    if (spin->none) {
        return false;
    }
    if (spin->turns == 0 && (spin->keen || spin->expect_ns >= SPIN_LONG_NS) &&
        asg_spin_is_near(spin)) {
        return near_turn(spin);
    }
    if (spin->turns < (spin->keen || spin->misses < SPIN_MISSES ? SPIN_PAUSES : SPIN_PAUSES_FEW)) {
        spin->turns++;
        sl_cpu_relax();
        return true;
    }
    uint64_t now = sl_clock_ns();
    if (spin->begin_ns == 0) {
        spin->begin_ns = now;
        spin->end_ns = now + spin_budget(spin->expect_ns);
    } else if (now >= spin->end_ns ||
               (now - spin->begin_ns >= SPIN_SHORT_NS && asg_spin_is_near(spin))) {
        return false;
    }
    idle_turn(spin);
    return true;
}

void asg_spin_end(struct asg_spin *spin)
{
    uint64_t took = 0;
    if (spin->begin_ns != 0) {
        took = sl_clock_ns() - spin->begin_ns;
        if (took > EXPECT_CAP_NS) {
            took = EXPECT_CAP_NS;
        }
    }
    spin->misses = took < SPIN_BRIDGED_NS       ? 0
                   : spin->misses < SPIN_MISSES ? spin->misses + 1
                                                : SPIN_MISSES;
    spin->expect_ns = spin->expect_ns - spin->expect_ns / 4 + took / 4;
}

void asg_spin_end_long(struct asg_spin *spin)
{
    if (spin->begin_ns == 0) {
        spin->misses = 0;
    } else {
        asg_spin_end(spin);
    }
}
