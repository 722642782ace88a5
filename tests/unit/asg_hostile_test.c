/* What a hostile guest does to the page that both ends share (facts: asg, section 9; the numbers
 * are its rows). */
#include "tests/support/slt.h"
#include "tests/unit/asg_pair.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <string.h>

SLT_FIXTURE(asg_hostile, struct asg_pair, asg_pair_init, asg_pair_finish);

struct bad_descriptor {
    const char *label;
    uint32_t offset, size;
    enum sl_result want;
};
static const struct bad_descriptor bad_descriptors[] = {
    {"offset_past_the_buffer", ASG_PAIR_VIEW + 1, 0, SL_ERR_PROTOCOL},
    {"size_past_the_buffer", 0, ASG_PAIR_VIEW + 1, SL_ERR_PROTOCOL},
    {"sum_past_the_buffer", ASG_PAIR_VIEW - 7, 8, SL_ERR_PROTOCOL},
    {"sum_that_wraps", 0xfffffff8, 16, SL_ERR_PROTOCOL},
    {"all_ones", UINT32_MAX, UINT32_MAX, SL_ERR_PROTOCOL},
    {"whole_buffer", 0, ASG_PAIR_VIEW, SL_OK},
    {"last_byte", ASG_PAIR_VIEW - 1, 1, SL_OK},
    {"nothing", 0, 0, SL_ERR_AGAIN},
    {"nothing_at_the_end", ASG_PAIR_VIEW, 0, SL_ERR_AGAIN},
};

SLT_TEST_FP(asg_hostile, checks_descriptors, p, struct bad_descriptor, bad_descriptors,
            c) /* row 5 */
{
    size_t n = 0;
    asg_pair_stock(p, c->offset, c->size);
    SLT_EXPECT_RESULT(c->want, asg_reader_take(&p->reader, p->got, 3 * ASG_PAIR_VIEW, &n));
    if (c->want == SL_OK) {
        SLT_EXPECT_EQ(c->size, n);
    }
}

struct bad_position {
    const char *label;
    uint32_t small, large; /* write positions */
};
static const struct bad_position bad_positions[] = {
    {"descriptors_ahead_by_the_ring", 2048, 0}, {"descriptors_far_ahead", 0x80000000, 0},
    {"descriptors_backwards", 0xfffffff8, 0},   {"large_ahead_by_the_view", 0, ASG_PAIR_VIEW},
    {"large_far_ahead", 0, 0x80000000},         {"large_backwards", 0, UINT32_MAX},
};

SLT_TEST_FP(asg_hostile, an_impossible_position_ends_it, p, struct bad_position, bad_positions,
            c) /* 3, 4 */
{
    size_t n;
    p->to_host->write_pos = c->small;
    p->large->write_pos = c->large;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_take(&p->reader, p->got, 3 * ASG_PAIR_VIEW, &n));
}

SLT_TEST_F(asg_hostile, its_own_positions_are_private, p) /* rows 1, 2, 11 */
{
    asg_pair_write(p, false);
    for (uint32_t i = 0; i < 50; i++) {
        asg_writer_raw(&p->writer, p->data + i, 500);
        asg_writer_flush(&p->writer);
        p->to_host->host_state = i; /* hostile: over the words that the host writes */
        SLT_ASSERT_EQ(500u, asg_pair_take(p, ASG_PAIR_VIEW));
        SLT_ASSERT_MEMEQ(p->data + i, p->got, 500);
        uint32_t was = p->to_host->read_pos;
        p->to_host->read_pos = 0x12345678;
        p->large->read_pos = 0xdeadbeef;
        p->from_host->write_pos = 77;
        SLT_ASSERT_OK(asg_reader_reply(&p->reader, p->data, 40));
        SLT_ASSERT_EQ((i + 1) * 40, p->from_host->write_pos);
        p->from_host->read_pos = p->from_host->write_pos;
        p->to_host->read_pos = was;
    }
}

SLT_TEST_F(asg_hostile, size_and_settings_are_ignored, p) /* rows 9, 10; B07 */
{
    static const uint32_t junk[] = {0, 2, 3, 4, UINT32_MAX};
    memcpy(p->buffer, p->data, ASG_PAIR_VIEW);
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        p->to_host->transfer_size = junk[i];
        p->to_host->buffer_size = junk[i];
        p->to_host->flush_interval = junk[i];
        asg_pair_stock(p, 0, 64);
        SLT_ASSERT_EQ(64u, asg_pair_take(p, ASG_PAIR_VIEW));
        SLT_ASSERT_MEMEQ(p->data, p->got, 64);
    }
}

struct mode_case {
    const char *label;
    uint32_t mode;
    bool descriptor, large; /* what the guest wrote beside it */
    enum sl_result take;
};
static const struct mode_case modes[] = {
    {"spans_and_a_descriptor", 1, true, false, SL_OK},
    {"spans_and_nothing", 1, false, false, SL_ERR_AGAIN},
    {"spans_and_large_bytes", 1, false, true, SL_OK}, /* the end of a late transfer: asg 4.3 */
    {"large_and_large_bytes", 3, false, true, SL_OK},
    {"large_and_nothing", 3, false, false, SL_ERR_AGAIN},
    {"large_and_a_descriptor", 3, true, false, SL_ERR_PROTOCOL},
    {"large_and_both", 3, true, true, SL_ERR_PROTOCOL},
    {"zero", 0, false, false, SL_ERR_PROTOCOL},
    {"zero_and_a_descriptor", 0, true, false, SL_ERR_PROTOCOL},
    {"physical_addresses", 2, true, false, SL_ERR_PROTOCOL},
    {"physical_addresses_and_large_bytes", 2, false, true, SL_ERR_PROTOCOL},
    {"four", 4, true, false, SL_ERR_PROTOCOL},
    {"all_ones", UINT32_MAX, true, false, SL_ERR_PROTOCOL},
};

/* Row 8, B04. */
SLT_TEST_FP(asg_hostile, a_mode_that_stock_guests_do_not_say_ends_it, p, struct mode_case, modes, c)
{
    size_t n;
    if (c->descriptor) {
        asg_pair_stock(p, 0, 64);
    }
    if (c->large) {
        sl_atomic_store_release(&p->large->write_pos, 64);
    }
    p->to_host->transfer_mode = c->mode;
    SLT_EXPECT_RESULT(c->take, asg_reader_take(&p->reader, p->got, ASG_PAIR_VIEW, &n));
}

SLT_TEST_F(asg_hostile, half_a_descriptor_ends_it, p)
{
    size_t n;
    p->to_host->write_pos = 4;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_take(&p->reader, p->got, ASG_PAIR_VIEW, &n));
}

SLT_TEST_F(asg_hostile, a_large_transfer_that_does_not_come_ends_it, p) /* B05 */
{
    p->reader.config.large_timeout_ns = 20 * SL_NS_PER_MS;
    p->to_host->transfer_size = 4096;
    p->to_host->transfer_mode = ASG_MODE_LARGE;
    uint64_t begin = sl_clock_ns();
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, asg_reader_wait(&p->reader));
    SLT_EXPECT_GE(sl_clock_ns() - begin, 20 * SL_NS_PER_MS);
}

/* Each piece begins the time anew, and so does the end of a transfer. */
SLT_TEST_F(asg_hostile, a_slow_large_transfer_is_waited_for, p)
{
    size_t n;
    p->to_host->transfer_mode = ASG_MODE_LARGE;
    p->reader.config.large_timeout_ns = 1;
    sl_atomic_store_release(&p->large->write_pos, 10);
    SLT_EXPECT_OK(asg_reader_wait(&p->reader));
    SLT_EXPECT_OK(asg_reader_take(&p->reader, p->got, ASG_PAIR_VIEW, &n));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, asg_reader_wait(&p->reader));
    sl_atomic_store_release(&p->large->write_pos, 20);
    SLT_EXPECT_OK(asg_reader_wait(&p->reader));
    SLT_EXPECT_OK(asg_reader_take(&p->reader, p->got, ASG_PAIR_VIEW, &n));
    SLT_EXPECT_EQ(0u, p->reader.large_since_ns);
}

SLT_TEST_F(asg_hostile, a_mode_alone_ends_the_wait, p) /* B04, and nothing written */
{
    p->to_host->transfer_mode = 2;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_wait(&p->reader));
}

SLT_TEST_F(asg_hostile, a_reply_position_that_lies_ends_it, p)
{
    p->from_host->read_pos = 1; /* ahead of what was ever written */
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_reply(&p->reader, p->data, 8));
}

SLT_TEST_F(asg_hostile, descriptors_for_ever_do_not_hold_it, p)
{
    size_t n;
    for (uint32_t i = 0; i < 255; i++) {
        asg_pair_stock(p, 0, 0);
    }
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, asg_reader_take(&p->reader, p->got, ASG_PAIR_VIEW, &n));
}

SLT_TEST(asg_hostile_sizes, memory_that_is_too_small_is_refused) /* B09 */
{
    static uint32_t stop;
    static uint8_t memory[ASG_RING_BYTES];
    struct asg_reader reader;
    struct asg_reader_config config = {.memory = memory,
                                       .memory_size = ASG_RING_BYTES + ASG_BUFFER_BYTES - 1,
                                       .buffer_size = ASG_BUFFER_BYTES,
                                       .flush_interval = ASG_STEP_BYTES,
                                       .stop = &stop};
    SLT_EXPECT_RESULT(SL_ERR_INVALID, asg_reader_init(&reader, &config));
    config.memory_size = 4096;
    SLT_EXPECT_RESULT(SL_ERR_INVALID, asg_reader_init(&reader, &config));
    config.buffer_size = 0;
    SLT_EXPECT_RESULT(SL_ERR_INVALID, asg_reader_init(&reader, &config));
}
