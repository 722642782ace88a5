/* When a guest that is silent comes back (asg/gap.c), and the reader that is awake by then. */
#include "asg/gap.h"
#include "asg/reader.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"

#include <sched.h>
#include <stdlib.h>

enum { US = 1000 };

static void learn(struct asg_gap *gap, uint32_t count, uint64_t took_ns)
{
    for (uint32_t i = 0; i < count; i++) {
        asg_gap_learn(gap, took_ns);
    }
}

SLT_TEST(asg_gap, a_steady_gap_is_known_after_a_few)
{
    struct asg_gap gap = {0};
    struct asg_foreseen f;
    SLT_EXPECT_TRUE(!asg_gap_foresee(&gap, &f));
    learn(&gap, 2, 1000 * US);
    SLT_EXPECT_TRUE(!asg_gap_foresee(&gap, &f));
    learn(&gap, 2, 1000 * US);
    SLT_ASSERT_TRUE(asg_gap_foresee(&gap, &f));
    SLT_EXPECT_TRUE(f.sleep_ns > 800 * US && f.sleep_ns < 1000 * US);
    SLT_EXPECT_TRUE(f.spin_ns > 1000 * US && f.spin_ns < 1200 * US);
}

SLT_TEST(asg_gap, at_most_a_quarter_of_it_is_spun)
{
    for (uint64_t took = 10 * US; took < 30000 * US; took += took / 8) {
        for (uint64_t off = 0; off <= took / 2; off += 2 * US) {
            struct asg_gap gap = {0};
            struct asg_foreseen f;
            for (int i = 0; i < 40; i++) {
                learn(&gap, 1, i % 2 == 0 ? took : took + off);
            }
            if (asg_gap_foresee(&gap, &f)) {
                SLT_EXPECT_TRUE(f.spin_ns - f.sleep_ns <= (f.spin_ns + f.sleep_ns) / 8);
                SLT_EXPECT_TRUE(f.spin_ns - f.sleep_ns <= 300 * US);
            }
        }
    }
}

SLT_TEST(asg_gap, short_long_and_unsteady_gaps_are_left_alone)
{
    struct asg_foreseen f;
    struct asg_gap brief = {0}, endless = {0}, unsteady = {0}, drifting = {0};
    learn(&brief, 40, 300 * US);
    SLT_EXPECT_TRUE(!asg_gap_foresee(&brief, &f));
    learn(&endless, 40, UINT64_MAX);
    SLT_EXPECT_TRUE(!asg_gap_foresee(&endless, &f));
    for (int i = 0; i < 40; i++) {
        learn(&unsteady, 1, i % 2 == 0 ? 1000 * US : 4000 * US);
        learn(&drifting, 1, (uint64_t)(5000 + i % 2 * 300) * US);
    }
    SLT_EXPECT_TRUE(!asg_gap_foresee(&unsteady, &f));
    SLT_EXPECT_TRUE(!asg_gap_foresee(&drifting, &f));
}

SLT_TEST(asg_gap, strange_ones_are_passed_over_until_they_are_the_rule)
{
    struct asg_gap gap = {0};
    struct asg_foreseen f;
    learn(&gap, 10, 1000 * US);
    for (int i = 0; i < 10; i++) {
        learn(&gap, 1, i % 2 == 0 ? 30 * US : UINT64_MAX);
        SLT_ASSERT_TRUE(asg_gap_foresee(&gap, &f));
        SLT_EXPECT_TRUE(f.sleep_ns > 800 * US && f.spin_ns < 1200 * US);
        learn(&gap, 2, 1000 * US);
    }
    learn(&gap, 8, 3000 * US);
    SLT_ASSERT_TRUE(asg_gap_foresee(&gap, &f));
    SLT_EXPECT_TRUE(f.sleep_ns > 2500 * US && f.spin_ns < 3500 * US);
    learn(&gap, 3, UINT64_MAX);
    SLT_EXPECT_TRUE(!asg_gap_foresee(&gap, &f));
}

/* ---- The reader ---- */

#define SLEEP_NS (300 * SL_NS_PER_MS)

struct waiter {
    void *memory;
    struct asg_reader reader;
    uint32_t stop, sleeps;
    uint64_t first_ns, second_ns;
};

/* Ends the wait before its second sleep. */
static void before_sleep(void *user)
{
    struct waiter *w = user;
    *(w->sleeps == 0 ? &w->first_ns : &w->second_ns) = sl_clock_ns();
    w->stop = w->sleeps++ != 0;
}

static void waiter_init(struct waiter *w)
{
    w->memory = aligned_alloc(ASG_PAGE, (ASG_BLOB_BYTES + ASG_PAGE - 1) / ASG_PAGE * ASG_PAGE);
    const struct asg_reader_config config = {.memory = w->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &w->stop,
                                             .before_sleep = before_sleep,
                                             .user = w,
                                             .sleep_ns = SLEEP_NS};
    SLT_ASSERT_OK(asg_reader_init(&w->reader, &config));
    learn(&w->reader.gap, 10, 2000 * US);
}

static void waiter_finish(struct waiter *w)
{
    free(w->memory);
}

SLT_FIXTURE(asg_gap_reader, struct waiter, waiter_init, waiter_finish);

/* How long the first sleep and what was spun behind it took: no guest comes. */
static uint64_t first_sleep_ns(struct waiter *w)
{
    SLT_EXPECT_EQ(SL_ERR_CLOSED, asg_reader_wait(&w->reader));
    SLT_EXPECT_EQ(2u, w->sleeps);
    return w->second_ns - w->first_ns;
}

SLT_TEST_F(asg_gap_reader, it_is_awake_when_a_guest_that_asks_will_come, w)
{
    asg_reader_answered(&w->reader);
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 50 && least >= SLEEP_NS; i++) { /* a busy machine may stop us */
        w->stop = w->sleeps = 0;
        uint64_t took = first_sleep_ns(w);
        least = took < least ? took : least;
    }
    SLT_EXPECT_TRUE(least > 1000 * US && least < SLEEP_NS);
}

SLT_TEST_F(asg_gap_reader, one_that_only_sends_wakes_it, w)
{
    SLT_EXPECT_TRUE(first_sleep_ns(w) >= SLEEP_NS);
}

SLT_TEST_F(asg_gap_reader, it_does_not_spin_on_the_guests_processor, w)
{
    cpu_set_t before, one;
    SLT_ASSERT_EQ(0, sched_getaffinity(0, sizeof before, &before));
    CPU_ZERO(&one);
    CPU_SET(asg_cpu() - 1, &one);
    SLT_ASSERT_EQ(0, sched_setaffinity(0, sizeof one, &one));
    asg_reader_answered(&w->reader);
    w->reader.page->guest_cpu = asg_cpu();
    SLT_EXPECT_TRUE(first_sleep_ns(w) >= SLEEP_NS);
    SLT_ASSERT_EQ(0, sched_setaffinity(0, sizeof before, &before));
}
