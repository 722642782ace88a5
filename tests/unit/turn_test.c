/* Turns across threads: order, early passing, and every way a guest can number its packets wrongly.
 */
#include "host/ring/hr_turn.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

enum { THREADS = 4, NUMBERS = 4000 };

struct world {
    struct hr_turns turns;
    uint32_t stop;
    uint32_t log[NUMBERS]; /* the number that ran at each place; written inside turns only */
    uint32_t ran;
    uint32_t failed;
    pthread_t threads[THREADS];
};

static void world_init(struct world *w)
{
    hr_turns_init(&w->turns);
}

static void world_finish(struct world *w)
{
    (void)w;
}

SLT_FIXTURE(turn, struct world, world_init, world_finish);

struct job {
    struct world *world;
    uint32_t first;
};

/* Numbers first, first + THREADS, ...: each waits for the other threads every time. */
static void *run_numbers(void *user)
{
    struct job *job = user;
    struct world *w = job->world;
    for (uint32_t n = job->first; n <= NUMBERS; n += THREADS) {
        if (hr_turn_take(&w->turns, NULL, n, &w->stop) != SL_OK) {
            sl_atomic_add(&w->failed, 1);
            break;
        }
        w->log[w->ran++] = n;
        if (n % 64 == 0) {
            sl_clock_sleep_ns(200 * SL_NS_PER_US); /* the others fall asleep */
        }
        hr_turn_pass(&w->turns);
    }
    return NULL;
}

SLT_TEST_F(turn, run_in_order_whatever_the_thread, w)
{
    struct job jobs[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){w, i + 1};
        SLT_ASSERT_OK(sl_thread_start(&w->threads[i], "turn", 0, run_numbers, &jobs[i]));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(w->threads[i], NULL);
    }
    SLT_EXPECT_EQ(0u, w->failed);
    SLT_ASSERT_EQ((uint32_t)NUMBERS, w->ran);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        SLT_ASSERT_EQ(i + 1, w->log[i]);
    }
}

SLT_TEST_F(turn, wraps_past_the_last_number, w)
{
    w->turns.passed = UINT32_MAX - 1;
    SLT_ASSERT_OK(hr_turn_take(&w->turns, NULL, UINT32_MAX, &w->stop));
    hr_turn_pass(&w->turns);
    SLT_ASSERT_OK(hr_turn_take(&w->turns, NULL, 0, &w->stop));
    hr_turn_pass(&w->turns);
    SLT_ASSERT_OK(hr_turn_take(&w->turns, NULL, 1, &w->stop));
    hr_turn_pass(&w->turns);
}

SLT_TEST_F(turn, a_repeated_number_breaks_the_protocol, w)
{
    SLT_ASSERT_OK(hr_turn_take(&w->turns, NULL, 1, &w->stop));
    hr_turn_pass(&w->turns);
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, hr_turn_take(&w->turns, NULL, 1, &w->stop));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, hr_turn_take(&w->turns, NULL, 0, &w->stop));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, hr_turn_take(&w->turns, NULL, 0x80000001u, &w->stop));
}

SLT_TEST_F(turn, a_skipped_number_times_out, w)
{
    w->turns.patience_ns = 20 * SL_NS_PER_MS;
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, hr_turn_take(&w->turns, NULL, 2, &w->stop));
}

static void *take_second(void *user)
{
    struct world *w = user;
    if (hr_turn_take(&w->turns, NULL, 2, &w->stop) != SL_OK) {
        sl_atomic_add(&w->failed, 1);
    } else {
        hr_turn_pass(&w->turns);
    }
    return NULL;
}

SLT_TEST_F(turn, a_long_command_is_waited_for, w)
{
    w->turns.patience_ns = 20 * SL_NS_PER_MS;
    SLT_ASSERT_OK(hr_turn_take(&w->turns, NULL, 1, &w->stop));
    SLT_ASSERT_OK(sl_thread_start(&w->threads[0], "turn", 0, take_second, w));
    sl_clock_sleep_ns(100 * SL_NS_PER_MS);
    hr_turn_pass(&w->turns);
    pthread_join(w->threads[0], NULL);
    SLT_EXPECT_EQ(0u, w->failed);
}

SLT_TEST_F(turn, a_stopping_ring_gives_up, w)
{
    w->stop = 1;
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, hr_turn_take(&w->turns, NULL, 2, &w->stop));
}
