/* The ring's two ends: transfers, wraps, replies, sleep, stock peers, and a host that goes or lies.
 */
#include "tests/support/slt.h"
#include "tests/unit/asg_pair.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <string.h>

SLT_FIXTURE(asg, struct asg_pair, asg_pair_init, asg_pair_finish);

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
    asg_pair_write(p, false);
    size_t sent = 0, taken = 0;
    for (uint32_t i = 0; i < 40; i++) {          /* ten times round the buffer */
        size_t size = 1 + (i * 7919u) % 150000u; /* three spans: no wait */
        memcpy(p->data, &i, sizeof i);
        asg_writer_raw(&p->writer, p->data, size);
        asg_writer_flush(&p->writer);
        size_t got = asg_pair_take(p, ASG_PAIR_VIEW);
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
    asg_pair_write(p, false);
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
    memcpy(p->buffer, p->data, ASG_PAIR_VIEW);
    for (uint32_t round = 0; round < 300; round++) { /* the descriptor ring wraps, too */
        for (uint32_t i = 0; i < 3; i++) {
            const uint32_t *s = steps[(round + i) % 4];
            asg_pair_stock(p, s[0], s[1]);
        }
        for (uint32_t i = 0; i < 3; i++) {
            const uint32_t *s = steps[(round + i) % 4];
            SLT_ASSERT_EQ(s[1], asg_pair_take(p, s[1]));
            SLT_ASSERT_MEMEQ(p->data + s[0], p->got, s[1]);
        }
    }
}

SLT_TEST_F(asg, a_polling_host_silences_a_stock_guest, p)
{
    size_t n;
    p->to_host->host_state = ASG_STATE_NEED_NOTIFY; /* the guest's late initialisation, asg 1.5 */
    SLT_EXPECT_TRUE(asg_pair_stock(p, 0, 16));
    SLT_ASSERT_OK(asg_reader_take(&p->reader, p->got, 16, &n));
    SLT_EXPECT_TRUE(!asg_pair_stock(p, 0, 16));
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
                p->buffer[(pos + i) % ASG_PAIR_VIEW] = p->data[from + i];
            }
            pos += piece;
            sl_atomic_store_release(&p->large->write_pos, pos);
            SLT_ASSERT_EQ(piece, asg_pair_take(p, 3 * ASG_PAIR_VIEW));
            SLT_ASSERT_MEMEQ(p->data + from, p->got, piece);
            SLT_ASSERT_EQ(pos, p->large->read_pos);
            from += piece;
            left -= piece;
        }
        p->to_host->transfer_mode = 1;
        asg_pair_stock(p, 262144, 100);
        SLT_ASSERT_EQ(100u, asg_pair_take(p, ASG_PAIR_VIEW));
    }
}

SLT_TEST_F(asg, replies_wrap_and_wait_for_room, p)
{
    asg_pair_write(p, false);
    for (uint32_t i = 0; i < 9; i++) { /* several times round the view */
        SLT_ASSERT_OK(asg_reader_reply(&p->reader, p->data + i, 700001));
        SLT_ASSERT_OK(asg_writer_read(&p->writer, p->got, 700001));
        SLT_ASSERT_MEMEQ(p->data + i, p->got, 700001);
    }
    /* Row 16: a guest that does not read. */
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, asg_reader_reply(&p->reader, p->data, ASG_PAIR_VIEW + 1));
}

/* --- sleep --- */

static void *wait_main(void *user)
{
    struct asg_pair *p = user;
    size_t n = 0;
    enum sl_result result;
    while ((result = asg_reader_take(&p->reader, p->got, ASG_PAIR_VIEW, &n)) == SL_ERR_AGAIN) {
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

static void until_asleep(struct asg_pair *p)
{
    while (sl_atomic_load_acquire(&p->to_host->host_state) != ASG_STATE_NEED_NOTIFY) {
        sl_clock_sleep_ns(100 * SL_NS_PER_US);
    }
}

/* The reader's thread, and it sleeps. */
static pthread_t sleeper(struct asg_pair *p)
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
    asg_pair_write(p, c->futex);
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
    asg_pair_write(p, true);
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
    asg_pair_read(p, SL_NS_PER_MS);
    pthread_t thread = sleeper(p);
    asg_pair_stock(p, 0, 16);
    SLT_EXPECT_RESULT(SL_OK, joined(thread));
}

SLT_TEST_F(asg, a_waiting_guest_wakes_the_host_again, p)
{
    asg_pair_write(p, true);
    pthread_t thread = sleeper(p);
    asg_pair_stock(p, 0, 16);
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
    asg_pair_write(p, true);
    asg_reader_fail(&p->reader);
    memset(p->got, 1, 64);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, asg_writer_read(&p->writer, p->got, 64));
    static const uint8_t zeros[64];
    SLT_EXPECT_MEMEQ(zeros, p->got, sizeof zeros);
    SLT_EXPECT_TRUE(asg_writer_dead(&p->writer));
    asg_writer_raw(&p->writer, p->data, 2 * ASG_PAIR_VIEW); /* to nowhere, without waiting */
    asg_writer_flush(&p->writer);
}

SLT_TEST_F(asg, a_host_whose_positions_lie_ends_the_stream, p)
{
    asg_pair_write(p, true);
    p->from_host->write_pos = ASG_PAIR_VIEW;
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, asg_writer_read(&p->writer, p->got, 8));
    SLT_EXPECT_TRUE(asg_writer_dead(&p->writer));
}

SLT_TEST_F(asg, a_full_ring_waits_for_a_dead_host_only_as_long_as_it_lives, p)
{
    asg_pair_write(p, true);
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
    asg_pair_write(p, true);
    asg_writer_raw(&p->writer, p->data, ASG_PAIR_VIEW - 4096);
    SLT_EXPECT_TRUE(!asg_writer_dead(&p->writer));
    p->to_host->in_error = 1;
    asg_writer_raw(&p->writer, p->data, 8192);
    SLT_EXPECT_TRUE(asg_writer_dead(&p->writer));
}

/* What was published is not written again before it was taken. */
SLT_TEST_F(asg, short_spans_share_a_slot, p)
{
    asg_pair_write(p, true);
    for (uint32_t round = 0; round < 100; round++) { /* several times round the buffer */
        for (uint32_t i = 0; i < 200; i++) {
            size_t n = 1 + (round * 200 + i) * 31u % 3000u;
            asg_writer_raw(&p->writer, p->data + i, n);
            asg_writer_flush(&p->writer);
        }
        for (uint32_t i = 0; i < 200; i++) {
            size_t n = 1 + (round * 200 + i) * 31u % 3000u;
            SLT_ASSERT_EQ(n, asg_pair_take(p, n));
            SLT_ASSERT_MEMEQ(p->data + i, p->got, n);
        }
    }
}

/* A host that keeps up sees the same few slots: what is written anew is in both sides' caches. */
SLT_TEST_F(asg, taken_slots_are_used_again_before_others, p)
{
    asg_pair_write(p, true);
    uint32_t slot = p->writer.slot_size, few = 2 * slot;
    memset(p->buffer + few, 0xa5, ASG_PAIR_VIEW - few);
    for (uint32_t i = 0; i < 4 * ASG_PAIR_VIEW / slot; i++) {
        asg_writer_raw(&p->writer, p->data, slot);
        asg_writer_flush(&p->writer);
        SLT_ASSERT_EQ(slot, asg_pair_take(p, slot));
    }
    for (uint32_t i = few; i < ASG_PAIR_VIEW; i++) {
        SLT_ASSERT_EQ(0xa5, p->buffer[i]);
    }
    uint32_t ahead = ASG_PAIR_VIEW / slot - 1; /* one that does not keep up sees them all */
    for (uint32_t i = 0; i < ahead; i++) {
        asg_writer_raw(&p->writer, p->data + i, slot);
        asg_writer_flush(&p->writer);
    }
    for (uint32_t i = 0; i < ahead; i++) {
        SLT_ASSERT_EQ(slot, asg_pair_take(p, slot));
        SLT_ASSERT_MEMEQ(p->data + i, p->got, slot);
    }
}

/* --- replies that are waited for together --- */

static uint32_t kicks_by_reply(struct asg_pair *p, uint32_t sleep)
{
    uint32_t before = p->to_host->host_reply;
    p->to_host->guest_sleeping = sleep;
    SLT_EXPECT_OK(asg_reader_reply(&p->reader, p->data, 4));
    return p->to_host->host_reply - before;
}

static uint32_t kicks_by_near(struct asg_pair *p, uint32_t sleep)
{
    uint32_t before = p->to_host->host_reply;
    p->to_host->guest_sleeping = sleep;
    asg_reader_reply_near(&p->reader);
    return p->to_host->host_reply - before;
}

SLT_TEST_F(asg, a_guest_that_sleeps_for_replies_is_woken_by_the_last, p)
{
    p->to_host->guest_cpu = 0;
    p->to_host->guest_replies = p->reader.reply_write + 12;
    SLT_EXPECT_EQ(0u, kicks_by_reply(p, ASG_SLEEP_REPLIES));
    SLT_EXPECT_EQ(1u, kicks_by_reply(p, ASG_SLEEP_ANY)); /* guests before this one */
    SLT_EXPECT_EQ(1u, kicks_by_reply(p, ASG_SLEEP_REPLIES));
    SLT_EXPECT_EQ(0u, kicks_by_reply(p, ASG_SLEEP_NONE));
    uint32_t before = p->to_host->host_reply;
    p->to_host->guest_sleeping = ASG_SLEEP_REPLIES;
    asg_reader_staged(&p->reader);
    SLT_EXPECT_EQ(before, p->to_host->host_reply);
}

SLT_TEST_F(asg, a_guest_that_sleeps_for_replies_is_told_that_they_are_near, p)
{
    p->to_host->guest_cpu = 0;
    SLT_EXPECT_EQ(1u, kicks_by_near(p, ASG_SLEEP_REPLIES));
    SLT_EXPECT_EQ(0u, kicks_by_near(p, ASG_SLEEP_ANY)); /* it would sleep again */
    SLT_EXPECT_EQ(0u, kicks_by_near(p, ASG_SLEEP_STAGED));
    SLT_EXPECT_EQ(0u, kicks_by_near(p, ASG_SLEEP_NONE));
}

static void *read_words(void *user)
{
    struct asg_pair *p = user;
    asg_writer_expect(&p->writer, 8);
    for (int i = 0; i < 3; i++) {
        SLT_EXPECT_OK(asg_writer_read(&p->writer, p->got + (ptrdiff_t)i * 4, 4));
    }
    return NULL;
}

/* The guest sleeps for replies up to `pos`, and will by itself not wake up. */
static void until_sleeps_for(struct asg_pair *p, uint32_t pos)
{
    while (sl_atomic_load_seq(&p->to_host->guest_sleeping) != ASG_SLEEP_REPLIES ||
           sl_atomic_load_relaxed(&p->to_host->guest_replies) != pos) {
        sl_clock_sleep_ns(100 * SL_NS_PER_US);
    }
}

SLT_TEST_F(asg, a_guest_waits_at_once_for_all_replies_that_it_expects, p)
{
    pthread_t thread;
    asg_pair_write(p, true);
    p->writer.config.sleep_ns = ASG_PAIR_NEVER_NS;
    uint32_t begin = p->writer.reply_read, kicks = p->to_host->host_reply;
    SLT_ASSERT_OK(sl_thread_start(&thread, "reads", 0, read_words, p));
    until_sleeps_for(p, begin + 8);
    SLT_EXPECT_OK(asg_reader_reply(&p->reader, p->data, 4));
    asg_ring_kick(&p->to_host->host_reply); /* told that more is near it spins, and sleeps again */
    sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    until_sleeps_for(p, begin + 8);
    SLT_EXPECT_EQ(kicks + 1, sl_atomic_load_seq(&p->to_host->host_reply));
    SLT_EXPECT_OK(asg_reader_reply(&p->reader, p->data + 4, 4));
    until_sleeps_for(p, begin + 9); /* what was not expected is waited for by itself */
    SLT_EXPECT_OK(asg_reader_reply(&p->reader, p->data + 8, 4));
    pthread_join(thread, NULL);
    SLT_EXPECT_MEMEQ(p->data, p->got, 12);
}

SLT_TEST_F(asg, what_was_expected_is_behind_when_positions_wrap, p)
{
    asg_pair_write(p, true);
    p->writer.reply_due = p->writer.reply_read - INT32_MAX + 2; /* 2 GiB ago */
    SLT_ASSERT_OK(asg_reader_reply(&p->reader, p->data, 8));
    for (int i = 0; i < 2; i++) {
        SLT_EXPECT_OK(asg_writer_read(&p->writer, p->got + (ptrdiff_t)i * 4, 4));
    }
    SLT_EXPECT_MEMEQ(p->data, p->got, 8);
}

/* --- signals --- */

struct signal_wait {
    struct asg_page *page;
    int64_t timeout_ns;
    enum sl_result result;
};

static void *wait_for_signal(void *user)
{
    struct signal_wait *wait = user;
    const struct asg_signal signal = {.page = wait->page, .shared_futex = true, .eager = true};
    wait->result = asg_signal_wait(&signal, 5, wait->timeout_ns);
    return NULL;
}

/* Who waits is asleep and told that the signal is near, and `value` is there without a wake-up; how
 * long the wait took from there. */
static uint64_t told_near(struct asg_pair *p, struct signal_wait *wait, uint32_t value)
{
    pthread_t thread;
    p->to_host->host_signal = 4;
    SLT_ASSERT_OK(sl_thread_start(&thread, "waits", 0, wait_for_signal, wait));
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
    while (!asg_reader_signal_awaited(&p->reader) && sl_clock_ns() < end) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_TRUE(asg_reader_signal_awaited(&p->reader));
    sl_atomic_store_release(&p->to_host->host_signal, value);
    uint64_t begin = sl_clock_ns();
    asg_reader_signal_near(&p->reader);
    pthread_join(thread, NULL);
    SLT_EXPECT_TRUE(!asg_reader_signal_awaited(&p->reader));
    return sl_clock_ns() - begin;
}

SLT_TEST_F(asg, who_is_told_that_a_signal_is_near_is_awake_for_it, p)
{
    struct signal_wait wait = {p->to_host, -1, SL_ERR_INVALID};
    uint64_t best = UINT64_MAX; /* of some, since others may have the processor */
    for (int i = 0; i < 20 && best > 20 * SL_NS_PER_MS; i++) {
        uint64_t took = told_near(p, &wait, 5);
        SLT_EXPECT_OK(wait.result);
        best = took < best ? took : best;
    }
    SLT_EXPECT_LT(best, 20 * SL_NS_PER_MS); /* by itself it looks after 100 ms */
}

SLT_TEST_F(asg, to_be_told_that_a_signal_is_near_is_not_the_signal, p)
{
    struct signal_wait wait = {p->to_host, (int64_t)(500 * SL_NS_PER_MS), SL_ERR_INVALID};
    (void)told_near(p, &wait, 4);
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, wait.result);
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
