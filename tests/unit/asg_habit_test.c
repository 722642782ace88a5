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
    learn(&h, ASKED, 3, 600 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_TRUE(f.sleep_ns > 450 * US && f.sleep_ns < 600 * US);
    learn(&h, ASKED, 2, 9000 * US); /* no more say nothing */
    learn(&h, ASKED, 20, 600 * US);
    SLT_ASSERT_TRUE(asg_habit_foresee(&h, ASKED, &f));
    SLT_EXPECT_LT(f.sleep_ns, 600u * US);
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
