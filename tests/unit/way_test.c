/* How copies for another processor are written (guest/stream/gs_way.c): what they cost decides, and
 * either way the bytes are the same. */
#include "guest/stream/gs_way.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"

#include <string.h>

enum { SIZE = 65536, LONG = 1000 };

struct world {
    struct gs_way way;
    uint64_t now_ns;
};

static void world_init(struct world *w)
{
    w->now_ns = 1000 * SL_NS_PER_S;
}

static void world_finish(struct world *w)
{
    (void)w;
}

SLT_FIXTURE(way, struct world, world_init, world_finish);

/* So many turns, whose copies take so long through the caches and around them; how many of them
 * went around. */
static uint32_t turns(struct world *w, uint32_t count, uint64_t through_ns, uint64_t around_ns)
{
    uint32_t around = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is = w->way.around;
        around += is;
        for (uint32_t k = 0; k < GS_WAY_TURN; k++) {
            uint64_t ns = is ? around_ns : through_ns;
            SLT_EXPECT_EQ(is, w->way.around); /* a turn goes one way */
            w->now_ns += ns;
            gs_way_learn(&w->way, SIZE, ns, w->now_ns);
        }
    }
    return around;
}

SLT_TEST_F(way, begins_through_the_caches_and_tries_the_other_once, w)
{
    SLT_EXPECT_TRUE(!w->way.around);
    SLT_EXPECT_EQ(0u, turns(w, 1, 2000, 1500));
    SLT_EXPECT_EQ(1u, turns(w, 1, 2000, 1500));
    SLT_EXPECT_EQ(0u, turns(w, 10, 2000, 1500));
}

SLT_TEST_F(way, goes_around_where_that_is_much_quicker, w)
{
    (void)turns(w, 2, 30000, 1500);
    SLT_EXPECT_EQ(40u, turns(w, 40, 30000, 1500));
}

SLT_TEST_F(way, a_turn_that_gets_slow_changes_over, w)
{
    (void)turns(w, LONG, 2000, 1500);
    (void)turns(w, 1, 2000, 1500);
    SLT_EXPECT_TRUE(turns(w, 20, 30000, 1500) > 15);
}

/* As long as nothing changes the other way is tried less and less often. */
SLT_TEST_F(way, tries_the_other_way_seldom, w)
{
    uint64_t begin = w->now_ns;
    uint32_t tried = turns(w, 100000, 2000, 1500);
    uint64_t ms = (w->now_ns - begin) / SL_NS_PER_MS;
    SLT_EXPECT_TRUE(tried > ms / 128);
    SLT_EXPECT_TRUE(tried < 10 + ms / 64);
}

SLT_TEST_F(way, comes_back_when_the_other_way_has_become_quick, w)
{
    uint32_t turn = 0;
    (void)turns(w, LONG, 30000, 1500);
    for (; turn < 100000 && w->way.best; turn++) {
        (void)turns(w, 1, 2000, 1500);
    }
    SLT_EXPECT_TRUE(turn * GS_WAY_TURN * 1500ull < 130 * SL_NS_PER_MS);
    SLT_EXPECT_TRUE(turns(w, 100, 2000, 1500) < 10);
}

SLT_TEST_F(way, a_copy_that_was_interrupted_decides_nothing, w)
{
    (void)turns(w, 2, 2000, 1500);
    for (int i = 0; i < 20; i++) {
        for (uint32_t k = 0; k < GS_WAY_TURN; k++) {
            bool late = k < GS_WAY_TURN / 2 - 1;
            gs_way_learn(&w->way, SIZE, late ? 4 * SL_NS_PER_MS : 2000, w->now_ns);
        }
        SLT_EXPECT_TRUE(!w->way.best);
    }
}

/* Three times what they cost when all go through, since nothing is in the caches. */
SLT_TEST_F(way, comes_back_though_the_first_copies_find_nothing, w)
{
    (void)turns(w, 2, 30000, 2300);
    SLT_ASSERT_TRUE(w->way.best);
    (void)turns(w, LONG, 7500, 2300);
    SLT_EXPECT_TRUE(!w->way.best);
    (void)turns(w, LONG, 25000, 2300);
    SLT_EXPECT_TRUE(w->way.best);
}

/* What is known counts while it is fresh. */
SLT_TEST_F(way, is_near_where_copies_said_so_of_late, w)
{
#if defined(__SSE2__)
    SLT_EXPECT_TRUE(!gs_way_is_near(&w->way, w->now_ns));
    (void)turns(w, 1, 2000, 1500);
    SLT_EXPECT_TRUE(!gs_way_is_near(&w->way, w->now_ns));
    (void)turns(w, 1, 2000, 1500);
    SLT_EXPECT_TRUE(gs_way_is_near(&w->way, w->now_ns));
    SLT_EXPECT_TRUE(!gs_way_is_near(&w->way, w->now_ns + SL_NS_PER_S));
    (void)turns(w, LONG, 30000, 1500);
    SLT_EXPECT_TRUE(!gs_way_is_near(&w->way, w->now_ns));
#else
    SLT_EXPECT_TRUE(gs_way_is_near(&w->way, w->now_ns));
#endif
}

/* Of all alignments and of lengths around a line and above, with what stands beside left alone. */
SLT_TEST_F(way, copies_the_same_bytes_either_way, w)
{
    static uint8_t from[4096], to[4096], want[4096];
    for (size_t i = 0; i < sizeof from; i++) {
        from[i] = (uint8_t)(i * 31 + i / 256);
    }
    for (size_t at = 0; at < 130; at++) {
        for (size_t size = 1; size < 3000; size += size < 200 ? 1 : 97) {
            size_t off = at * 7 % 70;
            memset(want, 0xee, sizeof want);
            memcpy(want + at, from + off, size);
            for (int around = 0; around < 2; around++) {
                memset(to, 0xee, sizeof to);
                w->way = (struct gs_way){.around = around != 0};
                gs_way_copy(&w->way, to + at, from + off, size);
                SLT_ASSERT_MEMEQ(want, to, sizeof want);
            }
        }
    }
}

SLT_TEST_F(way, real_copies_are_timed, w)
{
    static uint8_t from[3 * SIZE + 5], to[3 * SIZE + 5];
    memset(from, 7, sizeof from);
    for (uint32_t i = 0; i < 2 * GS_WAY_TURN; i++) {
        gs_way_copy(&w->way, to, from, sizeof from);
    }
#if defined(__SSE2__)
    SLT_EXPECT_TRUE(w->way.cost[false] != 0 && w->way.cost[true] != 0);
#else
    SLT_EXPECT_EQ(0u, w->way.cost[false]);
#endif
    SLT_EXPECT_MEMEQ(from, to, sizeof from);
}
