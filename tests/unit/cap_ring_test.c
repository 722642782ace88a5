/* What a flight recorder keeps. */
#include "host/capture/cap_ring.h"
#include "tests/support/slt.h"

enum { HEAD = 640, MOST = 4000 };

/* A snapshot of 100 bytes at `offset`. */
static void snapshot(struct cap_ring *ring, uint64_t offset, uint64_t time)
{
    cap_ring_add(ring, &(struct cap_ring_part){offset, offset + 100, time});
}

SLT_TEST(cap_ring, a_fourth_makes_a_part)
{
    struct cap_ring ring = {.bytes = MOST};
    uint64_t from, to;
    SLT_EXPECT_TRUE(!cap_ring_is_due(&ring, 1 << 20, 0)); /* the head is not there yet */
    cap_ring_begin(&ring, HEAD);
    SLT_EXPECT_TRUE(!cap_ring_is_due(&ring, HEAD + MOST / 4 - 1, 1 << 30));
    SLT_EXPECT_TRUE(cap_ring_is_due(&ring, HEAD + MOST / 4, 0));
    SLT_EXPECT_TRUE(!cap_ring_next_free(&ring, HEAD + 2 * MOST, 0, &from, &to)); /* all there is */
    snapshot(&ring, 2000, 5);
    SLT_EXPECT_EQ(1u, ring.snapshots);
    SLT_EXPECT_TRUE(!cap_ring_is_due(&ring, 2100 + MOST / 4 - 1, 9)); /* the snapshot is no part */
    SLT_EXPECT_TRUE(!cap_ring_next_free(&ring, HEAD + MOST, 9, &from, &to));
    SLT_ASSERT_TRUE(cap_ring_next_free(&ring, HEAD + MOST + 1, 9, &from, &to));
    SLT_EXPECT_EQ((uint64_t)HEAD, from);
    SLT_EXPECT_EQ(2000u, to);
    cap_ring_drop(&ring);
    SLT_EXPECT_TRUE(!cap_ring_next_free(&ring, 1 << 20, 9, &from, &to));
}

SLT_TEST(cap_ring, seconds_are_kept_whole)
{
    struct cap_ring ring = {.bytes = 1 << 20, .ns = 100};
    uint64_t from, to;
    cap_ring_begin(&ring, HEAD);
    for (uint64_t time = 25; time <= 125; time += 25) {
        SLT_EXPECT_TRUE(cap_ring_is_due(&ring, HEAD + 200 * time, time));
        snapshot(&ring, HEAD + 200 * time, time);
        SLT_EXPECT_TRUE(!cap_ring_is_due(&ring, HEAD + 200 * time + 100, time + 24));
    }
    SLT_ASSERT_TRUE(cap_ring_next_free(&ring, 40000, 125, &from, &to)); /* before 25 */
    cap_ring_drop(&ring);
    SLT_EXPECT_TRUE(!cap_ring_next_free(&ring, 40000, 149, &from, &to));
    SLT_ASSERT_TRUE(cap_ring_next_free(&ring, 40000, 150, &from, &to)); /* 25 to 50 */
    SLT_EXPECT_EQ(HEAD + 200u * 25, from);
    SLT_EXPECT_EQ(HEAD + 200u * 50, to);
}

SLT_TEST(cap_ring, a_recording_that_begins_with_a_snapshot)
{
    struct cap_ring ring = {.bytes = MOST};
    uint64_t from, to;
    cap_ring_begin(&ring, HEAD);
    snapshot(&ring, HEAD, 7);
    SLT_EXPECT_EQ(1u, ring.count);
    SLT_EXPECT_EQ(HEAD + 100u, ring.parts[0].data);
    SLT_EXPECT_TRUE(!cap_ring_next_free(&ring, HEAD + 2 * MOST, 9, &from, &to));
}

/* More parts than there is room for are longer ones. */
SLT_TEST(cap_ring, parts_are_bounded)
{
    struct cap_ring ring = {.bytes = 1 << 30};
    uint64_t from, to, end = HEAD + 1000 * 2 * CAP_RING_PARTS;
    cap_ring_begin(&ring, HEAD);
    for (uint64_t offset = HEAD + 1000; offset < end; offset += 1000) {
        snapshot(&ring, offset, offset);
    }
    SLT_EXPECT_EQ(CAP_RING_PARTS, ring.count);
    SLT_EXPECT_EQ(2 * CAP_RING_PARTS - 1, ring.snapshots);
    for (uint32_t i = 0; i < CAP_RING_PARTS - 1; i++) {
        SLT_ASSERT_TRUE(cap_ring_next_free(&ring, 2ull << 30, 0, &from, &to));
        SLT_EXPECT_LT(from, to);
        cap_ring_drop(&ring);
    }
    SLT_EXPECT_TRUE(!cap_ring_next_free(&ring, 2ull << 30, 0, &from, &to));
}
