/* What is foreseen of waits (asg/habit.c). */
#include "asg/habit.h"
#include "tests/support/slt.h"

enum { ASKED = 77, US = 1000 };

static void learn(struct asg_habits *h, uint32_t kind, uint32_t count, uint64_t took_ns)
{
    for (uint32_t i = 0; i < count; i++) {
        asg_habit_learn(h, kind, took_ns);
    }
}

SLT_TEST(asg_habit, nothing_is_foreseen_of_what_was_seen_once)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    SLT_EXPECT_TRUE(!asg_habit_foresee(&h, ASKED, &f));
    learn(&h, ASKED, 1, 300 * US);
    SLT_EXPECT_TRUE(!asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_TRUE(!asg_habit_foresee(&h, ASKED + 1, &f));
}

SLT_TEST(asg_habit, the_end_of_a_steady_wait_is_not_slept_through)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    learn(&h, ASKED, 30, 300 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_TRUE(f.sleep_ns > 150 * US && f.sleep_ns < 250 * US);
    SLT_EXPECT_TRUE(f.spin_ns > 300 * US && f.spin_ns < 450 * US);
}

/* The first of a kind comes with all that a driver does once; and ways of programs change. */
SLT_TEST(asg_habit, what_is_so_several_times_in_a_row_is_believed)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    learn(&h, ASKED, 1, 9000 * US);
    learn(&h, ASKED, 3, 160 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_TRUE(f.spin_ns > 160 * US && f.spin_ns < 300 * US);
    learn(&h, ASKED, 4, 600 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_TRUE(f.sleep_ns > 450 * US && f.sleep_ns < 600 * US);
    learn(&h, ASKED, 2, 9000 * US); /* no more say nothing */
    learn(&h, ASKED, 20, 600 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_LT(f.sleep_ns, 600u * US);
}

/* A sleep's end comes late. Who is woken there instead is late as well, each time were it believed:
 * the next is slept as long. */
SLT_TEST(asg_habit, an_end_that_was_slept_through_comes_in_time_soon)
{
    enum { TOOK = 600 * US, LATE = 80 * US, WOKEN = 55 * US };
    struct asg_habits h = {0};
    struct asg_foreseen f;
    int late = 0;
    learn(&h, ASKED, 6, TOOK + WOKEN);
    for (int i = 0; i < 60; i++) {
        SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
        bool sleeps = f.spin_ns == 0, slept = !sleeps && f.sleep_ns + LATE > TOOK;
        if (slept) {
            asg_habit_slept(&h, ASKED);
        }
        asg_habit_learn(&h, ASKED, sleeps || slept ? TOOK + WOKEN : TOOK);
        late += i >= 10 && slept;
    }
    SLT_EXPECT_EQ(0, late);
}

/* What takes a processor away, or a driver's time once, says nothing of the next: no wait behind it
 * is slept through to its end. */
SLT_TEST(asg_habit, a_strange_wait_changes_nothing)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    learn(&h, ASKED, 3, 600 * US);
    for (int i = 0; i < 40; i++) {
        SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
        SLT_EXPECT_TRUE(f.spin_ns == 0 || (f.sleep_ns < 600 * US && f.spin_ns > 600 * US));
        learn(&h, ASKED, 1, i % 5 == 4 ? 5000 * US : i % 5 == 2 ? 680 * US : 600 * US);
    }
}

/* While a program warms up each wait is shorter than the one before. */
SLT_TEST(asg_habit, waits_that_grow_shorter_are_foreseen)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    learn(&h, ASKED, 1, 1400 * US);
    for (uint32_t i = 0; i < 12; i++) {
        uint64_t took = (760 - 15 * i) * (uint64_t)US;
        bool is_foreseen = asg_habit_foresee(&h, ASKED, &f);
        SLT_EXPECT_EQ(i >= 3, is_foreseen);
        SLT_EXPECT_TRUE(i < 3 || f.spin_ns == 0 || (f.sleep_ns < took && f.spin_ns > took));
        learn(&h, ASKED, 1, took);
    }
}

/* A wait of the worse way that was slept through while the driver was slow says little of it. */
SLT_TEST(asg_habit, the_other_way_is_left_as_soon_as_it_is_not_better)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    uint32_t asleep = 0;
    learn(&h, ASKED, 6, 700 * US);
    for (int i = 0; i < 64; i++) { /* both take less by now */
        bool sleeps = asg_habit_foresee(&h, ASKED, &f) && f.spin_ns == 0;
        asg_habit_learn(&h, ASKED, sleeps ? 640 * US : 610 * US);
        asleep += sleeps;
    }
    SLT_EXPECT_LT(asleep, 8u);
}

/* Of the last 64 of many waits, those that were slept through to the end. */
static int asleep(struct asg_habits *h, uint64_t spun_ns, uint64_t slept_ns)
{
    struct asg_foreseen f;
    int count = 0;
    for (int i = 0; i < 400; i++) {
        bool sleeps = asg_habit_foresee(h, ASKED, &f) && f.spin_ns == 0;
        SLT_EXPECT_TRUE(!sleeps || f.sleep_ns > slept_ns);
        asg_habit_learn(h, ASKED, sleeps ? slept_ns : spun_ns);
        count += sleeps && i >= 400 - 64;
    }
    return count;
}

SLT_TEST(asg_habit, what_is_sooner_there_is_found_out)
{
    struct asg_habits h = {0};
    SLT_EXPECT_EQ(60, asleep(&h, 300 * US, 240 * US)); /* one of 16 tries the other way */
    SLT_EXPECT_EQ(4, asleep(&h, 300 * US, 330 * US));
    SLT_EXPECT_EQ(60, asleep(&h, 400 * US, 330 * US));
    SLT_EXPECT_EQ(0, asleep(&h, 60 * US, 40 * US));
}

SLT_TEST(asg_habit, short_waits_are_only_spun_through)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    learn(&h, ASKED, 30, 60 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_EQ(0u, f.sleep_ns);
    SLT_EXPECT_TRUE(f.spin_ns > 60 * US);
}

SLT_TEST(asg_habit, who_is_told_of_the_end_sleeps_up_to_that)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    asg_habit_told(&h, ASKED); /* nothing is known of it yet */
    learn(&h, ASKED, 30, 300 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_LT(f.sleep_ns, 300u * US);
    asg_habit_told(&h, ASKED);
    for (int i = 0; i < 30; i++) { /* however much they differ */
        learn(&h, ASKED, 1, i % 2 == 0 ? 100 * US : 900 * US);
        SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
        SLT_EXPECT_GT(f.sleep_ns, 1000u * US);
        SLT_EXPECT_EQ(0u, f.spin_ns);
    }
}

SLT_TEST(asg_habit, waits_that_differ_and_very_long_ones_are_left_alone)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    for (int i = 0; i < 30; i++) {
        learn(&h, ASKED, 1, i % 2 == 0 ? 100 * US : 900 * US);
    }
    SLT_EXPECT_TRUE(!asg_habit_foresee(&h, ASKED, &f));
    for (int i = 0; i < 30; i++) { /* too much to spin for, though little of so long a wait */
        learn(&h, ASKED, 1, i % 2 == 0 ? 5000 * US : 5300 * US);
    }
    SLT_EXPECT_TRUE(!asg_habit_foresee(&h, ASKED, &f));
    learn(&h, ASKED, 90, 300 * US); /* they become alike */
    SLT_EXPECT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    learn(&h, ASKED, 90, UINT64_MAX);
    SLT_EXPECT_TRUE(!asg_habit_foresee(&h, ASKED, &f));
}

SLT_TEST(asg_habit, a_kind_that_takes_anothers_place_begins_anew)
{
    struct asg_habits h = {0};
    struct asg_foreseen f;
    learn(&h, ASKED, 30, 300 * US);
    for (uint32_t kind = 1; kind < 1000; kind++) { /* every place is taken */
        learn(&h, kind != ASKED ? kind : 1000, 1, 300 * US);
    }
    SLT_EXPECT_TRUE(!asg_habit_foresee(&h, ASKED, &f));
    for (uint32_t kind = 1; kind < 1000; kind++) {
        SLT_EXPECT_TRUE(!asg_habit_foresee(&h, kind, &f));
    }
}
