/* How a ring's thread waits for a driver's work (host/ring/hr_await.c): by a driver that counts
 * what it is asked. Nothing here is about how long anything takes. */
#include "host/ring/hr_await.h"
#include "tests/support/slt.h"
#include "transport/base/thread.h"

#include <sched.h>

enum { SENT = 100, US = 1000 };

struct driver {
    struct hr_await await;
    uint64_t sent;
    int over_at; /* the look that finds the work over; 0: none does */
    int looks, waits;
};

static bool is_over(void *user)
{
    struct driver *d = user;
    return ++d->looks == d->over_at;
}

static void wait_asleep(void *user)
{
    ((struct driver *)user)->waits++;
}

/* Work of a program that has sent so many bytes since the last one. */
static void work(struct driver *d, uint64_t bytes, int over_at)
{
    d->looks = d->waits = 0;
    d->over_at = over_at;
    d->sent += bytes;
    hr_await(&d->await, d->sent, &(struct hr_work){is_over, wait_asleep, d});
}

/* What hr_await learns where each such work takes 2 ms. */
static void learn(struct driver *d, uint64_t bytes)
{
    for (int i = 0; i < 30; i++) {
        asg_habit_learn(&d->await.habits, (uint32_t)bytes << 1 | 1, 2000 * US);
    }
}

SLT_TEST(await, who_finds_it_over_does_not_wait)
{
    struct driver d = {0};
    work(&d, SENT, 1);
    SLT_EXPECT_EQ(0, d.waits);
    SLT_EXPECT_EQ(1, d.looks);
}

SLT_TEST(await, where_nothing_is_foreseen_the_driver_waits)
{
    struct driver d = {0};
    for (int i = 0; i < 20; i++) {
        work(&d, SENT + (uint64_t)i, 2); /* each is another */
        SLT_EXPECT_EQ(1, d.waits);
        SLT_EXPECT_EQ(1, d.looks);
    }
}

/* What it knows of rounds whose end was slept for, and spun for. */
static void rounds(struct driver *d, uint32_t slept_us, uint32_t spun_us)
{
    d->await.kind = SENT << 1 | 1;
    d->await.round_ns[false] = slept_us * US;
    d->await.round_ns[true] = spun_us * US;
    learn(d, SENT);
}

/* The first look after the sleep finds it over. */
SLT_TEST(await, a_foreseen_end_wakes_nobody_where_rounds_are_shorter_so)
{
    struct driver d = {0};
    bool may = sl_thread_may_move();
    rounds(&d, 3000, 2500);
    work(&d, SENT, 2);
    SLT_EXPECT_EQ(may ? 0 : 1, d.waits);
    SLT_EXPECT_EQ(may ? 2 : 1, d.looks);
    work(&d, SENT + 1, 2); /* of other work nothing is known */
    SLT_EXPECT_EQ(1, d.waits);
    SLT_EXPECT_EQ(1, d.looks);
}

SLT_TEST(await, where_rounds_are_hardly_shorter_the_driver_waits)
{
    static const uint32_t spun_us[] = {2990, 3000, 3500};
    for (uint32_t i = 0; i < sizeof spun_us / sizeof *spun_us; i++) {
        struct driver d = {0};
        rounds(&d, 3000, spun_us[i]);
        work(&d, SENT, 2);
        SLT_EXPECT_EQ(1, d.waits);
        SLT_EXPECT_EQ(1, d.looks);
    }
}

SLT_TEST(await, the_other_way_is_tried)
{
    struct driver d = {0};
    int tried = 0;
    for (int i = 0; i < 16; i++) {
        d.await.habits = (struct asg_habits){0}; /* our waits take no time: not to be learnt */
        learn(&d, SENT);
        work(&d, SENT, 2);
        tried += d.looks - 1;
    }
    SLT_EXPECT_EQ(sl_thread_may_move() ? 1 : 0, tried);
}

SLT_TEST(await, an_end_that_does_not_come_is_not_spun_for_long)
{
    struct driver d = {0};
    rounds(&d, 3000, 2500);
    work(&d, SENT, 0);
    SLT_EXPECT_EQ(1, d.waits);
}

/* There every look would take the processor from who works. */
SLT_TEST(await, on_one_processor_nobody_spins)
{
    cpu_set_t allowed, one;
    SLT_ASSERT_EQ(0, sched_getaffinity(0, sizeof allowed, &allowed));
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &allowed)) {
            CPU_SET(cpu, &one);
        }
    }
    SLT_ASSERT_EQ(0, sched_setaffinity(0, sizeof one, &one));
    struct driver d = {0};
    rounds(&d, 3000, 2500);
    work(&d, SENT, 2);
    SLT_EXPECT_EQ(0, sched_setaffinity(0, sizeof allowed, &allowed));
    SLT_EXPECT_EQ(1, d.waits);
    SLT_EXPECT_EQ(1, d.looks);
}
