/* The ring's two ends: transfers, wraps, replies, sleep, stock peers, and what a hostile guest does
 * to the shared page (facts: asg, section 9; the numbers are its rows). */
#include "asg/reader.h"
#include "asg/writer.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <stdlib.h>
#include <string.h>

enum { VIEW = ASG_BUFFER_BYTES };
#define NEVER_NS (86400 * SL_NS_PER_S)

struct pair {
    uint8_t *memory;
    struct asg_page *to_host, *large, *from_host;
    uint8_t *buffer;
    struct asg_reader reader;
    struct asg_writer writer;
    bool writer_made;
    uint32_t stop, pings;
    uint8_t *data, *got;
};

static void on_ping(void *user)
{
    struct pair *p = user;
    sl_atomic_add(&p->pings, 1);
    asg_reader_wake(&p->reader);
}

static void reader_open(struct pair *p, uint64_t sleep_ns)
{
    const struct asg_reader_config config = {.memory = p->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &p->stop,
                                             .reply_timeout_ns = 30 * SL_NS_PER_MS,
                                             .sleep_ns = sleep_ns};
    SLT_ASSERT_OK(asg_reader_init(&p->reader, &config));
}

static void pair_init(struct pair *p)
{
    p->memory = aligned_alloc(4096, (ASG_BLOB_BYTES + 4095) & ~4095u);
    memset(p->memory, 0xa5, ASG_BLOB_BYTES); /* nothing relies on zeroed memory */
    p->to_host = (struct asg_page *)(void *)p->memory;
    p->large = (struct asg_page *)(void *)(p->memory + ASG_PAGE);
    p->from_host = (struct asg_page *)(void *)(p->memory + 2 * ASG_PAGE);
    p->buffer = p->memory + ASG_RING_BYTES;
    p->data = malloc(3 * VIEW);
    p->got = malloc(3 * VIEW);
    for (uint32_t i = 0; i < 3 * VIEW; i++) {
        p->data[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    reader_open(p, NEVER_NS);
}

static void writer_open(struct pair *p, bool shared_futex)
{
    const struct asg_writer_config config = {.memory = p->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .shared_futex = shared_futex,
                                             .reply_futex = shared_futex,
                                             .user = p,
                                             .ping = on_ping,
                                             .sleep_ns = SL_NS_PER_MS};
    SLT_ASSERT_OK(asg_writer_init(&p->writer, &config));
    p->writer_made = true;
}

static void pair_finish(struct pair *p)
{
    if (p->writer_made) {
        asg_writer_finish(&p->writer);
    }
    free(p->memory);
    free(p->data);
    free(p->got);
}

SLT_FIXTURE(asg, struct pair, pair_init, pair_finish);

/* Everything that is there, at most `size` bytes. */
static size_t take_all(struct pair *p, size_t size)
{
    size_t total = 0, n = 0;
    while (total < size) {
        enum sl_result result = asg_reader_take(&p->reader, p->got + total, size - total, &n);
        if (result == SL_ERR_AGAIN) {
            break;
        }
        SLT_ASSERT_OK(result);
        total += n;
    }
    return total;
}

/* A stock guest's type-1 write: descriptor, position, and whether it would ping. */
static bool stock_write(struct pair *p, uint32_t offset, uint32_t size)
{
    uint32_t pos = p->to_host->write_pos;
    const struct asg_descriptor desc = {offset, size};
    memcpy(p->to_host->descriptors + (pos & (ASG_DESC_RING - 1)), &desc, sizeof desc);
    sl_atomic_store_release(&p->to_host->write_pos, pos + 8);
    return sl_atomic_load_acquire(&p->to_host->host_state) != ASG_STATE_RENDERING;
}

SLT_TEST_F(asg, announces_its_settings, p)
{
    SLT_EXPECT_EQ(ASG_BUFFER_BYTES, p->to_host->buffer_size);
    SLT_EXPECT_EQ(ASG_STEP_BYTES, p->to_host->flush_interval);
    SLT_EXPECT_EQ(1u, p->to_host->transfer_mode);
    SLT_EXPECT_EQ(0u, p->to_host->in_error);
    SLT_EXPECT_EQ(1u, p->large->host_version);
    SLT_EXPECT_EQ(2180u, offsetof(struct asg_page, buffer_size));
}

SLT_TEST_F(asg, carries_bytes_in_order_through_every_step, p)
{
    writer_open(p, false);
    size_t sent = 0, taken = 0;
    for (uint32_t i = 0; i < 40; i++) {          /* ten times round the buffer */
        size_t size = 1 + (i * 7919u) % 150000u; /* three spans: no wait */
        memcpy(p->data, &i, sizeof i);
        asg_writer_raw(&p->writer, p->data, size);
        asg_writer_flush(&p->writer);
        size_t got = take_all(p, VIEW);
        SLT_ASSERT_EQ(size, got);
        SLT_ASSERT_MEMEQ(p->data, p->got, size);
        sent += size;
        taken += got;
    }
    SLT_EXPECT_EQ(sent, taken);
    SLT_EXPECT_OK(asg_writer_drain(&p->writer, 0));
}

SLT_TEST_F(asg, takes_piecemeal_and_keeps_the_step_until_it_is_done, p)
{
    writer_open(p, false);
    asg_writer_raw(&p->writer, p->data, 1000);
    asg_writer_flush(&p->writer);
    size_t n;
    SLT_ASSERT_OK(asg_reader_take(&p->reader, p->got, 400, &n));
    SLT_EXPECT_EQ(400u, n);
    SLT_EXPECT_EQ(0u, p->to_host->read_pos); /* asg 4.1: not before its data is no longer needed */
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, asg_writer_drain(&p->writer, 0));
    SLT_ASSERT_OK(asg_reader_take(&p->reader, p->got + 400, 1000, &n));
    SLT_EXPECT_EQ(600u, n);
    SLT_EXPECT_MEMEQ(p->data, p->got, 1000);
    SLT_EXPECT_EQ(8u, p->to_host->read_pos);
}

SLT_TEST_F(asg, a_stock_guests_steps_are_read_wherever_they_lie, p)
{
    static const uint32_t steps[][2] = {{0, 20}, {262144, 262144}, {524288, 1}, {786432, 100000}};
    memcpy(p->buffer, p->data, VIEW);
    for (uint32_t round = 0; round < 300; round++) { /* the descriptor ring wraps, too */
        for (uint32_t i = 0; i < 3; i++) {
            const uint32_t *s = steps[(round + i) % 4];
            stock_write(p, s[0], s[1]);
        }
        for (uint32_t i = 0; i < 3; i++) {
            const uint32_t *s = steps[(round + i) % 4];
            SLT_ASSERT_EQ(s[1], take_all(p, s[1]));
            SLT_ASSERT_MEMEQ(p->data + s[0], p->got, s[1]);
        }
    }
}

SLT_TEST_F(asg, a_polling_host_silences_a_stock_guest, p)
{
    size_t n;
    p->to_host->host_state = ASG_STATE_NEED_NOTIFY; /* the guest's late initialisation, asg 1.5 */
    SLT_EXPECT_TRUE(stock_write(p, 0, 16));
    SLT_ASSERT_OK(asg_reader_take(&p->reader, p->got, 16, &n));
    SLT_EXPECT_TRUE(!stock_write(p, 0, 16));
    SLT_ASSERT_OK(asg_reader_take(&p->reader, p->got, 16, &n));
}

/* Type 3, as stock guests write it: pieces into the large view, modes around them. */
SLT_TEST_F(asg, large_transfers_come_in_order_with_small_ones, p)
{
    memcpy(p->buffer + 262144, p->data, 100);
    uint32_t pos = 0;
    for (uint32_t round = 0; round < 5; round++) {
        uint32_t left = 1500000, from = 0;
        p->to_host->transfer_size = left;
        p->to_host->transfer_mode = 3;
        while (left != 0) {
            uint32_t piece = left < 262144 ? left : 262144;
            for (uint32_t i = 0; i < piece; i++) {
                p->buffer[(pos + i) % VIEW] = p->data[from + i];
            }
            pos += piece;
            sl_atomic_store_release(&p->large->write_pos, pos);
            SLT_ASSERT_EQ(piece, take_all(p, 3 * VIEW));
            SLT_ASSERT_MEMEQ(p->data + from, p->got, piece);
            SLT_ASSERT_EQ(pos, p->large->read_pos);
            from += piece;
            left -= piece;
        }
        p->to_host->transfer_mode = 1;
        stock_write(p, 262144, 100);
        SLT_ASSERT_EQ(100u, take_all(p, VIEW));
    }
}

SLT_TEST_F(asg, replies_wrap_and_wait_for_room, p)
{
    writer_open(p, false);
    for (uint32_t i = 0; i < 9; i++) { /* several times round the view */
        SLT_ASSERT_OK(asg_reader_reply(&p->reader, p->data + i, 700001));
        SLT_ASSERT_OK(asg_writer_read(&p->writer, p->got, 700001));
        SLT_ASSERT_MEMEQ(p->data + i, p->got, 700001);
    }
    /* Row 16: a guest that does not read. */
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, asg_reader_reply(&p->reader, p->data, VIEW + 1));
}

/* --- hazards --- */

struct bad_descriptor {
    const char *label;
    uint32_t offset, size;
    enum sl_result want;
};
static const struct bad_descriptor bad_descriptors[] = {
    {"offset_past_the_buffer", VIEW + 1, 0, SL_ERR_PROTOCOL},
    {"size_past_the_buffer", 0, VIEW + 1, SL_ERR_PROTOCOL},
    {"sum_past_the_buffer", VIEW - 7, 8, SL_ERR_PROTOCOL},
    {"sum_that_wraps", 0xfffffff8, 16, SL_ERR_PROTOCOL},
    {"all_ones", UINT32_MAX, UINT32_MAX, SL_ERR_PROTOCOL},
    {"whole_buffer", 0, VIEW, SL_OK},
    {"last_byte", VIEW - 1, 1, SL_OK},
    {"nothing", 0, 0, SL_ERR_AGAIN},
    {"nothing_at_the_end", VIEW, 0, SL_ERR_AGAIN},
};

SLT_TEST_FP(asg, checks_descriptors, p, struct bad_descriptor, bad_descriptors, c) /* row 5 */
{
    size_t n = 0;
    stock_write(p, c->offset, c->size);
    SLT_EXPECT_RESULT(c->want, asg_reader_take(&p->reader, p->got, 3 * VIEW, &n));
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
    {"descriptors_backwards", 0xfffffff8, 0},   {"large_ahead_by_the_view", 0, VIEW},
    {"large_far_ahead", 0, 0x80000000},         {"large_backwards", 0, UINT32_MAX},
};

SLT_TEST_FP(asg, an_impossible_position_ends_it, p, struct bad_position, bad_positions,
            c) /* 3, 4 */
{
    size_t n;
    p->to_host->write_pos = c->small;
    p->large->write_pos = c->large;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_take(&p->reader, p->got, 3 * VIEW, &n));
}

SLT_TEST_F(asg, its_own_positions_are_private, p) /* rows 1, 2, 11 */
{
    writer_open(p, false);
    for (uint32_t i = 0; i < 50; i++) {
        asg_writer_raw(&p->writer, p->data + i, 500);
        asg_writer_flush(&p->writer);
        p->to_host->host_state = i; /* hostile: over the words that the host writes */
        SLT_ASSERT_EQ(500u, take_all(p, VIEW));
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

SLT_TEST_F(asg, size_and_settings_are_ignored, p) /* rows 9, 10; B07 */
{
    static const uint32_t junk[] = {0, 2, 3, 4, UINT32_MAX};
    memcpy(p->buffer, p->data, VIEW);
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
        p->to_host->transfer_size = junk[i];
        p->to_host->buffer_size = junk[i];
        p->to_host->flush_interval = junk[i];
        stock_write(p, 0, 64);
        SLT_ASSERT_EQ(64u, take_all(p, VIEW));
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
SLT_TEST_FP(asg, a_mode_that_stock_guests_do_not_say_ends_it, p, struct mode_case, modes, c)
{
    size_t n;
    if (c->descriptor) {
        stock_write(p, 0, 64);
    }
    if (c->large) {
        sl_atomic_store_release(&p->large->write_pos, 64);
    }
    p->to_host->transfer_mode = c->mode;
    SLT_EXPECT_RESULT(c->take, asg_reader_take(&p->reader, p->got, VIEW, &n));
}

SLT_TEST_F(asg, half_a_descriptor_ends_it, p)
{
    size_t n;
    p->to_host->write_pos = 4;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_take(&p->reader, p->got, VIEW, &n));
}

SLT_TEST_F(asg, a_large_transfer_that_does_not_come_ends_it, p) /* B05 */
{
    p->reader.config.large_timeout_ns = 20 * SL_NS_PER_MS;
    p->to_host->transfer_size = 4096;
    p->to_host->transfer_mode = ASG_MODE_LARGE;
    uint64_t begin = sl_clock_ns();
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, asg_reader_wait(&p->reader));
    SLT_EXPECT_GE(sl_clock_ns() - begin, 20 * SL_NS_PER_MS);
}

/* Each piece begins the time anew, and so does the end of a transfer. */
SLT_TEST_F(asg, a_slow_large_transfer_is_waited_for, p)
{
    size_t n;
    p->to_host->transfer_mode = ASG_MODE_LARGE;
    p->reader.config.large_timeout_ns = 1;
    sl_atomic_store_release(&p->large->write_pos, 10);
    SLT_EXPECT_OK(asg_reader_wait(&p->reader));
    SLT_EXPECT_OK(asg_reader_take(&p->reader, p->got, VIEW, &n));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, asg_reader_wait(&p->reader));
    sl_atomic_store_release(&p->large->write_pos, 20);
    SLT_EXPECT_OK(asg_reader_wait(&p->reader));
    SLT_EXPECT_OK(asg_reader_take(&p->reader, p->got, VIEW, &n));
    SLT_EXPECT_EQ(0u, p->reader.large_since_ns);
}

SLT_TEST_F(asg, a_mode_alone_ends_the_wait, p) /* B04, and nothing written */
{
    p->to_host->transfer_mode = 2;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_wait(&p->reader));
}

SLT_TEST_F(asg, a_reply_position_that_lies_ends_it, p)
{
    p->from_host->read_pos = 1; /* ahead of what was ever written */
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_reader_reply(&p->reader, p->data, 8));
}

SLT_TEST_F(asg, descriptors_for_ever_do_not_hold_it, p)
{
    size_t n;
    for (uint32_t i = 0; i < 255; i++) {
        stock_write(p, 0, 0);
    }
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, asg_reader_take(&p->reader, p->got, VIEW, &n));
}

SLT_TEST(asg_sizes, memory_that_is_too_small_is_refused) /* B09 */
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

/* --- sleep --- */

static void *wait_main(void *user)
{
    struct pair *p = user;
    size_t n = 0;
    enum sl_result result;
    while ((result = asg_reader_take(&p->reader, p->got, VIEW, &n)) == SL_ERR_AGAIN) {
        result = asg_reader_wait(&p->reader);
        if (result != SL_OK) {
            break;
        }
    }
    return (void *)(intptr_t)result;
}

static enum sl_result joined(pthread_t thread)
{
    void *result;
    pthread_join(thread, &result);
    return (enum sl_result)(intptr_t)result;
}

static void until_asleep(struct pair *p)
{
    while (sl_atomic_load_acquire(&p->to_host->host_state) != ASG_STATE_NEED_NOTIFY) {
        sl_clock_sleep_ns(100 * SL_NS_PER_US);
    }
}

/* The reader's thread, and it sleeps. */
static pthread_t sleeper(struct pair *p)
{
    pthread_t thread;
    /* asleep is what the thread says from here on */
    sl_atomic_store_seq(&p->to_host->host_state, ASG_STATE_RENDERING);
    SLT_ASSERT_OK(sl_thread_start(&thread, "reader", 0, wait_main, p));
    until_asleep(p);
    return thread;
}

struct waker {
    const char *label;
    bool futex;
};
static const struct waker wakers[] = {{"by_futex", true}, {"by_ping", false}};

SLT_TEST_FP(asg, a_sleeping_host_is_woken, p, struct waker, wakers, c)
{
    writer_open(p, c->futex);
    pthread_t thread = sleeper(p);
    asg_writer_raw(&p->writer, p->data, 9);
    asg_writer_flush(&p->writer);
    SLT_EXPECT_RESULT(SL_OK, joined(thread));
    SLT_EXPECT_EQ(c->futex, p->pings == 0);
    SLT_EXPECT_EQ(1u, p->writer.wakeups);
}

/* It takes a while to run; what comes meanwhile costs no wake-up. */
SLT_TEST_F(asg, a_host_that_was_woken_is_not_woken_again, p)
{
    writer_open(p, true);
    uint32_t kicks = p->to_host->guest_kick;
    for (uint32_t sleeps = 1; sleeps <= 2; sleeps++) {
        sl_atomic_store_seq(&p->to_host->host_state, ASG_STATE_NEED_NOTIFY);
        for (int i = 0; i < 3; i++) {
            asg_writer_raw(&p->writer, p->data, 9);
            asg_writer_flush(&p->writer);
        }
        SLT_EXPECT_EQ(kicks + sleeps, p->to_host->guest_kick);
        SLT_EXPECT_EQ(sleeps, p->writer.wakeups);
    }
}

/* Nobody wakes it: what a lost wake-up leaves behind. */
SLT_TEST_F(asg, a_sleeping_host_looks_again_by_itself, p)
{
    reader_open(p, SL_NS_PER_MS);
    pthread_t thread = sleeper(p);
    stock_write(p, 0, 16);
    SLT_EXPECT_RESULT(SL_OK, joined(thread));
}

SLT_TEST_F(asg, a_waiting_guest_wakes_the_host_again, p)
{
    writer_open(p, true);
    pthread_t thread = sleeper(p);
    stock_write(p, 0, 16);
    p->writer.desc_write += 8; /* as if the wake-up of its own span had got lost */
    SLT_EXPECT_OK(asg_writer_drain(&p->writer, 8 * (int64_t)SL_NS_PER_S));
    SLT_EXPECT_RESULT(SL_OK, joined(thread));
    SLT_EXPECT_GE(p->writer.wakeups, 1u);
}

/* A stock guest pings after the first piece and after the last. Between them a host that sleeps
 * would leave it waiting for room. */
SLT_TEST_F(asg, a_sleeping_host_looks_for_pieces_of_a_large_transfer, p)
{
    p->to_host->transfer_mode = ASG_MODE_LARGE;
    pthread_t thread = sleeper(p);
    sl_atomic_store_seq(&p->large->write_pos, 4096);
    SLT_EXPECT_RESULT(SL_OK, joined(thread));
    SLT_EXPECT_EQ(4096u, p->large->read_pos);
}

SLT_TEST_F(asg, a_stopped_host_wakes_up_and_leaves, p)
{
    pthread_t thread = sleeper(p);
    sl_atomic_store_seq(&p->stop, 1);
    asg_reader_wake(&p->reader);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, joined(thread));
}

/* --- the guest's end and a host that goes or lies --- */

SLT_TEST_F(asg, a_host_that_gave_up_ends_the_wait, p)
{
    writer_open(p, true);
    asg_reader_fail(&p->reader);
    memset(p->got, 1, 64);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, asg_writer_read(&p->writer, p->got, 64));
    static const uint8_t zeros[64];
    SLT_EXPECT_MEMEQ(zeros, p->got, sizeof zeros);
    SLT_EXPECT_TRUE(asg_writer_dead(&p->writer));
    asg_writer_raw(&p->writer, p->data, 2 * VIEW); /* to nowhere, without waiting */
    asg_writer_flush(&p->writer);
}

SLT_TEST_F(asg, a_host_whose_positions_lie_ends_the_stream, p)
{
    writer_open(p, true);
    p->from_host->write_pos = VIEW;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_writer_read(&p->writer, p->got, 8));
    SLT_EXPECT_TRUE(asg_writer_dead(&p->writer));
}

SLT_TEST_F(asg, a_full_ring_waits_for_a_dead_host_only_as_long_as_it_lives, p)
{
    writer_open(p, true);
    for (uint32_t i = 0; i < ASG_DESC_RING / 8 - 1; i++) {
        asg_writer_raw(&p->writer, p->data, 100);
        asg_writer_flush(&p->writer);
    }
    SLT_EXPECT_TRUE(!asg_writer_dead(&p->writer));
    p->to_host->in_error = 1;
    asg_writer_raw(&p->writer, p->data, 100);
    asg_writer_flush(&p->writer);
    SLT_EXPECT_TRUE(asg_writer_dead(&p->writer));
}

SLT_TEST_F(asg, a_full_buffer_waits_for_a_dead_host_only_as_long_as_it_lives, p)
{
    writer_open(p, true);
    asg_writer_raw(&p->writer, p->data, VIEW - 4096);
    SLT_EXPECT_TRUE(!asg_writer_dead(&p->writer));
    p->to_host->in_error = 1;
    asg_writer_raw(&p->writer, p->data, 8192);
    SLT_EXPECT_TRUE(asg_writer_dead(&p->writer));
}

/* What was published is not written again before it was taken. */
SLT_TEST_F(asg, short_spans_share_a_slot, p)
{
    writer_open(p, true);
    for (uint32_t round = 0; round < 100; round++) { /* several times round the buffer */
        for (uint32_t i = 0; i < 200; i++) {
            size_t n = 1 + (round * 200 + i) * 31u % 3000u;
            asg_writer_raw(&p->writer, p->data + i, n);
            asg_writer_flush(&p->writer);
        }
        for (uint32_t i = 0; i < 200; i++) {
            size_t n = 1 + (round * 200 + i) * 31u % 3000u;
            SLT_ASSERT_EQ(n, take_all(p, n));
            SLT_ASSERT_MEMEQ(p->data + i, p->got, n);
        }
    }
}

/* A host that keeps up sees the same few slots: what is written anew is in both sides' caches. */
SLT_TEST_F(asg, taken_slots_are_used_again_before_others, p)
{
    writer_open(p, true);
    uint32_t slot = p->writer.slot_size, few = 2 * slot;
    memset(p->buffer + few, 0xa5, VIEW - few);
    for (uint32_t i = 0; i < 4 * VIEW / slot; i++) {
        asg_writer_raw(&p->writer, p->data, slot);
        asg_writer_flush(&p->writer);
        SLT_ASSERT_EQ(slot, take_all(p, slot));
    }
    for (uint32_t i = few; i < VIEW; i++) {
        SLT_ASSERT_EQ(0xa5, p->buffer[i]);
    }
    uint32_t ahead = VIEW / slot - 1; /* one that does not keep up sees them all */
    for (uint32_t i = 0; i < ahead; i++) {
        asg_writer_raw(&p->writer, p->data + i, slot);
        asg_writer_flush(&p->writer);
    }
    for (uint32_t i = 0; i < ahead; i++) {
        SLT_ASSERT_EQ(slot, take_all(p, slot));
        SLT_ASSERT_MEMEQ(p->data + i, p->got, slot);
    }
}

SLT_TEST_F(asg, settings_that_make_no_sense_are_refused, p)
{
    static const uint32_t steps[] = {0, 3, ASG_BUFFER_BYTES, UINT32_MAX};
    struct asg_writer writer;
    const struct asg_writer_config config = {
        .memory = p->memory, .memory_size = ASG_BLOB_BYTES, .buffer_size = ASG_BUFFER_BYTES};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        p->to_host->flush_interval = steps[i];
        SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_writer_init(&writer, &config));
    }
}
