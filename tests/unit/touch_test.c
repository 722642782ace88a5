/* Whether staged bytes are touched before a driver copies them (host/ring/hr_touch.c): what copies
 * cost with it and without decides. */
#include "host/ring/hr_touch.h"
#include "tests/support/slt.h"

enum { SIZE = 65536 };

/* So many turns, whose copies take so long with a touch and without; how many were without. */
static uint32_t turns(struct hr_touch *t, uint32_t count, uint64_t with_ns, uint64_t without_ns)
{
    uint32_t off = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is = t->off;
        off += is;
        for (uint32_t k = 0; k < HR_TOUCH_TURN; k++) {
            SLT_EXPECT_EQ(is, t->off); /* a turn goes one way */
            hr_touch_learn(t, SIZE, (is ? without_ns : with_ns) + 1000 * (k != 3));
        }
    }
    return off;
}

SLT_TEST(touch, begins_with_it_and_tries_without)
{
    struct hr_touch t = {0};
    SLT_EXPECT_EQ(0u, turns(&t, 1, 2000, 3000));
    SLT_EXPECT_EQ(1u, turns(&t, 1, 2000, 3000));
    SLT_EXPECT_EQ(0u, turns(&t, 1, 2000, 3000));
}

SLT_TEST(touch, leaves_off_where_that_is_quicker)
{
    struct hr_touch t = {0};
    (void)turns(&t, 200, 3000, 2000);
    SLT_EXPECT_TRUE(turns(&t, 128, 3000, 2000) >= 126);
}

SLT_TEST(touch, goes_on_where_that_is_quicker)
{
    struct hr_touch t = {0};
    (void)turns(&t, 200, 2000, 3000);
    SLT_EXPECT_TRUE(turns(&t, 128, 2000, 3000) <= 2);
}

SLT_TEST(touch, what_gets_slow_changes_over_at_once)
{
    struct hr_touch t = {0};
    (void)turns(&t, 200, 3000, 2000);
    (void)turns(&t, 2, 3000, 9000);
    SLT_EXPECT_TRUE(!t.off);
}

SLT_TEST(touch, what_got_quicker_is_found)
{
    struct hr_touch t = {0};
    (void)turns(&t, 200, 2000, 3000);
    (void)turns(&t, 66, 2000, 1500);
    SLT_EXPECT_TRUE(t.best);
}

SLT_TEST(touch, little_is_timed_now_and_then)
{
    struct hr_touch t = {0};
    uint32_t timed = 0;
    for (uint32_t i = 0; i < 64; i++) {
        timed += hr_touch_timed(&t, SIZE / 16);
    }
    SLT_EXPECT_EQ(4u, timed);
    SLT_EXPECT_TRUE(hr_touch_timed(&t, SIZE));
}

SLT_TEST(touch, any_time_is_taken)
{
    struct hr_touch t = {0};
    for (uint32_t i = 0; i < 100; i++) {
        hr_touch_learn(&t, i % 2 != 0 ? 1 : SIZE_MAX, i % 3 != 0 ? UINT64_MAX : 0);
    }
    SLT_EXPECT_TRUE(t.wait <= 64);
}
