#include "host/ring/hr_await.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <sched.h>
#include <string.h>

/* As long as a look at the clock: a look at the work may take a lock. */
#define PAUSES 16
/* A driver's thread leaves the processor sooner. */
#define YIELD_NS 200000u
/* Waits without yields after one that took longer. */
#define CROWDED 256u
/* Of so many rounds one tries the other way. */
#define TURNS 16u
/* Sooner by less than this part is not worth a processor. */
#define MARGIN 16u
/* In longer rounds the end of a wait is lost. */
#define ROUND_MAX_NS (10 * SL_NS_PER_MS)

/* Never 0. */
static uint32_t kind_of(struct hr_await *await, uint64_t bytes)
{
    uint32_t kind = (uint32_t)(bytes - await->bytes) << 1 | 1;
    await->bytes = bytes;
    return kind;
}

/* Between two looks. A thread of the driver's that has work left may stand behind us on our
 * processor, and gets it; where others do, it may be milliseconds until it comes back. */
static void turn(struct hr_await *await, uint64_t now)
{
    if (await->pauses != 0) {
        for (int i = 0; i < PAUSES; i++) {
            sl_cpu_relax();
        }
        return;
    }
    sched_yield();
    if (sl_clock_ns() - now > YIELD_NS) {
        await->pauses = CROWDED;
    }
}

/* False: it is not over at that time. */
static bool spin(struct hr_await *await, const struct hr_work *work, uint64_t end_ns)
{
    await->pauses -= await->pauses != 0;
    while (!work->is_over(work->user)) {
        uint64_t now = sl_clock_ns();
        if (now >= end_ns) {
            return false;
        }
        turn(await, now);
    }
    return true;
}

/* The end that is foreseen lies in the middle of the time that may be spun: half of what is behind
 * it is enough, as who comes later may be late for another reason. */
static bool await_end(struct hr_await *await, const struct hr_work *work,
                      const struct asg_foreseen *seen, uint64_t begin)
{
    uint64_t spent = sl_clock_ns() - begin;
    if (spent < seen->sleep_ns) {
        sl_clock_sleep_ns(seen->sleep_ns - spent);
    }
    return spin(await, work, begin + seen->spin_ns - (seen->spin_ns - seen->sleep_ns) / 4);
}

/* How long it took from the last wait to this one: what is sooner for us alone may not be so for
 * the program and for the driver's threads, which a spinning thread takes a processor from. */
static void note_round(struct hr_await *await, uint32_t kind, uint64_t begin)
{
    uint64_t took = begin - await->begin_ns;
    uint32_t *mean = &await->round_ns[await->spun];
    if (await->kind != kind) {
        memset(await->round_ns, 0, sizeof await->round_ns);
    } else if (took < ROUND_MAX_NS) {
        uint32_t now = *mean != 0 && took > 2 * (uint64_t)*mean ? 2 * *mean : (uint32_t)took;
        *mean = *mean != 0 ? *mean - *mean / 4 + now / 4 : now;
    }
    await->kind = kind;
    await->begin_ns = begin;
    await->spun = false;
}

/* The way that was clearly sooner, or now and then the other. */
static bool spins_now(struct hr_await *await)
{
    const uint32_t *round = await->round_ns;
    bool sooner = round[true] != 0 && round[true] < round[false] - round[false] / MARGIN;
    await->turn = (await->turn + 1) % TURNS;
    return sooner != (await->turn == 0);
}

void hr_await(struct hr_await *await, uint64_t bytes, const struct hr_work *work)
{
    uint32_t kind = kind_of(await, bytes);
    uint64_t begin = sl_clock_ns();
    struct asg_foreseen seen;
    note_round(await, kind, begin);
    if (work->is_over(work->user)) {
        return;
    }
    await->spun = asg_habit_foresee(&await->habits, kind, &seen) && seen.sleep_ns != 0 &&
                  seen.spin_ns != 0 && spins_now(await) && sl_thread_may_move();
    if (!await->spun || !await_end(await, work, &seen, begin)) {
        work->wait(work->user);
    }
    asg_habit_learn(&await->habits, kind, sl_clock_ns() - begin);
}
