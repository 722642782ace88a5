/* A ring's thread with a scripted guest on the other end of a real ring. */
#include "tests/support/ring_guest.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

enum {
    OP_ADD = 100,
    OP_ECHO,
    OP_REFUSE,
    OP_VIOLATE,
    OP_BLOCK,
    OP_CHECKSUM,
    OP_NOTHING,
    OP_BULK,
    OP_NULL,
    OP_HUGE,
    OP_SIGNAL,
    OP_ADD_ALL,
    OP_END
};

struct guest {
    struct ring_guest base; /* first */
    uint32_t sum;           /* of OP_ADD */
    uint64_t bulk;          /* of OP_BULK */
    uint32_t taps, tap_on;
    uint64_t tap_bytes, tap_replies;
    struct vgd_recorder recorder;
    uint32_t epoch;   /* atomic */
    char record[256]; /* what the recorder was told, a letter each; written by the ring thread */
};

static void on_add(struct hr_call *call)
{
    struct guest *g = call->user;
    g->sum += sl_unpack_u32(&call->in);
}

/* With all like it that are behind it. */
static void on_add_all(struct hr_call *call)
{
    struct guest *g = call->user;
    struct sl_unpack body;
    g->sum += sl_unpack_u32(&call->in);
    if (hr_call_peek(call, &body)) {
        uint32_t joined = 0;
        do {
            hr_call_join(call, &body);
            joined += sl_unpack_u32(&body);
        } while (hr_call_peek(call, &body));
        hr_call_joined(call);
        g->sum += joined;
    }
}

static void on_refuse(struct hr_call *call)
{
    (void)sl_reply_room(call->reply, 8);
    hr_call_refuse(call, "always");
}

static void on_violate(struct hr_call *call)
{
    hr_call_violate(call, "value %u", sl_unpack_u32(&call->in));
}

static void on_checksum(struct hr_call *call)
{
    hr_ring_set_checksum(call->ring, sl_unpack_u32(&call->in));
}

static void on_nothing(struct hr_call *call)
{
    (void)call; /* its one output was NULL */
}

static void on_bulk(struct hr_call *call)
{
    struct guest *g = call->user;
    for (const uint8_t *p = call->in.cur; p < call->in.end; p++) {
        g->bulk += *p;
    }
}

static void on_huge(struct hr_call *call)
{
    (void)sl_reply_room(call->reply, (size_t)HR_REPLY_MAX + 1);
}

static void on_signal(struct hr_call *call)
{
    hr_ring_signal(call->ring, sl_unpack_u32(&call->in));
}

static const hr_handler handlers[] = {
    on_add,     ring_guest_echo, on_refuse, on_violate, ring_guest_block, on_checksum,
    on_nothing, on_bulk,         NULL,      on_huge,    on_signal,        on_add_all};
static const uint8_t has_reply[] = {0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0};
static const uint8_t may_stage[] = {0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
static const char *name_of(uint32_t opcode)
{
    return opcode == OP_ADD ? "add" : "other";
}
static const struct hr_family family = {.name = "test",
                                        .first_opcode = OP_ADD,
                                        .count = OP_END - OP_ADD,
                                        .handlers = handlers,
                                        .opcode_name = name_of,
                                        .has_reply = has_reply,
                                        .may_stage = may_stage};

static void on_tap(void *user, struct hr_ring *ring, uint32_t opcode, const void *packet,
                   size_t size, const void *reply, size_t reply_size)
{
    struct guest *g = user;
    (void)ring, (void)reply;
    SLT_EXPECT_EQ(opcode, sl_load_u32(packet));
    g->taps++;
    g->tap_bytes += size;
    g->tap_replies += reply_size;
}

/* --- a recorder that takes notes --- */

static void note(struct guest *g, const char *format, uint32_t value)
{
    size_t used = strlen(g->record);
    snprintf(g->record + used, sizeof g->record - used, format, value);
}
static void *rec_begin(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t preamble)
{
    struct guest *g = user;
    SLT_EXPECT_EQ(7u, ctx_id);
    SLT_EXPECT_EQ(9u, ring_id);
    note(g, "begin %u ", preamble);
    return g;
}
static void rec_packet(void *stream, const void *packet, size_t size, bool sum)
{
    struct guest *g = stream;
    SLT_EXPECT_EQ(size, sl_load_u32((const uint8_t *)packet + 4));
    note(g, sum ? "summed %u " : "packet %u ", g->sum); /* not yet added */
}
static void rec_packets(void *stream, const void *first, size_t size)
{
    const uint8_t *p = first, *end = p + size;
    for (; p < end; p += sl_load_u32(p + 4)) {
        note(stream, "along %u ", sl_load_u32(p + 8));
    }
    SLT_EXPECT_TRUE(p == end);
}
static void rec_outcome(void *stream, const struct vgd_outcome *outcome)
{
    note(stream,
         outcome->lost              ? "lost "
         : outcome->refused         ? "refused "
         : outcome->reply_size != 0 ? "reply %u "
                                    : "done ",
         outcome->reply_size != 0 ? sl_load_u32(outcome->reply) : 0);
}
static void rec_end(void *stream)
{
    note(stream, "end", 0);
}

static void guest_init(struct guest *g)
{
    const struct hr_binding binding = {&family, g};
    g->recorder = (struct vgd_recorder){.user = g,
                                        .epoch = &g->epoch,
                                        .begin = rec_begin,
                                        .packet = rec_packet,
                                        .outcome = rec_outcome,
                                        .end = rec_end};
    const struct hr_config config = {.name = "test",
                                     .bindings = &binding,
                                     .binding_count = 1,
                                     .large_timeout_ns = 10 * SL_NS_PER_MS,
                                     .tap_on = &g->tap_on,
                                     .tap = on_tap,
                                     .recorder = &g->recorder,
                                     .ctx_id = 7,
                                     .ring_id = 9};
    ring_guest_init(&g->base, config, 0);
}

static void guest_finish(struct guest *g)
{
    ring_guest_finish(&g->base);
}

SLT_FIXTURE(ring, struct guest, guest_init, guest_finish);

static void put(struct guest *g, uint32_t opcode, uint32_t length, uint32_t value)
{
    ring_guest_put(&g->base, opcode, length, value);
}

static uint32_t echo(struct guest *g, uint32_t value)
{
    return ring_guest_ask(&g->base, OP_ECHO, value);
}

static void expect_lost(struct guest *g, const char *why)
{
    asg_writer_flush(&g->base.writer);
    SLT_ASSERT_TRUE(ring_guest_soon(&g->base.lost));
    SLT_EXPECT_TRUE(strstr(g->base.reason, why) != NULL);
}

SLT_TEST_F(ring, runs_packets_in_order_and_answers, t)
{
    for (uint32_t i = 1; i <= 100000; i++) {
        put(t, OP_ADD, 12, i);
    }
    SLT_EXPECT_EQ(77u, echo(t, 77));
    SLT_EXPECT_EQ((uint32_t)(100000ull * 100001 / 2), t->sum);
    struct hr_stats stats;
    hr_ring_stats(t->base.ring, &stats);
    SLT_EXPECT_EQ(1u, stats.replies);
    SLT_EXPECT_EQ(4u + 12 * 100001, stats.bytes);
}

SLT_TEST_F(ring, joins_a_packet_that_came_in_pieces, t)
{
    uint8_t packet[12] = {OP_ADD, 0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0};
    for (uint32_t i = 0; i < sizeof packet; i++) {
        asg_writer_raw(&t->base.writer, packet + i, 1);
        asg_writer_flush(&t->base.writer);
    }
    SLT_EXPECT_EQ(1u, echo(t, 1));
    SLT_EXPECT_EQ(5u, t->sum);
}

SLT_TEST_F(ring, takes_a_packet_larger_than_its_buffers, t)
{
    enum { SIZE = 5 << 20 };
    uint8_t head[8];
    uint8_t *data = malloc(SIZE);
    memset(data, 3, SIZE);
    sl_store_u32(head, OP_BULK);
    sl_store_u32(head + 4, SIZE + 8);
    for (int i = 0; i < 2; i++) {
        asg_writer_raw(&t->base.writer, head, 8);
        asg_writer_raw(&t->base.writer, data, SIZE);
    }
    SLT_EXPECT_EQ(9u, echo(t, 9));
    SLT_EXPECT_EQ(2 * 3ull * SIZE, t->bulk);
    free(data);
}

SLT_TEST_F(ring, answers_a_refused_command_with_zeros, t)
{
    uint64_t got = 1;
    put(t, OP_REFUSE, 12, 0);
    SLT_EXPECT_OK(asg_writer_read(&t->base.writer, &got, 8));
    SLT_EXPECT_EQ(0u, got);
    put(t, OP_NULL, 12, 0); /* refused by policy */
    SLT_EXPECT_EQ(3u, echo(t, 3));
}

struct bad_packet {
    const char *label;
    uint32_t opcode, length;
    const char *reason;
};
static const struct bad_packet bad_packets[] = {
    {"length_0", OP_ADD, 0, "out of range"},
    {"length_7", OP_ADD, 7, "out of range"},
    {"length_2_32", OP_ADD, UINT32_MAX, "out of range"},
    {"length_over_cap", OP_ADD, HR_PACKET_MAX + 1, "out of range"},
    {"opcode_below", OP_ADD - 1, 12, "unknown opcode"},
    {"opcode_above", OP_END, 12, "unknown opcode"},
    {"violation", OP_VIOLATE, 12, "value 6"},
    {"reply_too_large", OP_HUGE, 12, "reply"},
};
SLT_TEST_FP(ring, a_violation_ends_it_with_a_reason, t, struct bad_packet, bad_packets, c)
{
    put(t, c->opcode, c->length, 6);
    put(t, OP_ADD, 12, 1);
    expect_lost(t, c->reason);
    SLT_EXPECT_EQ(0u, t->sum);
}

SLT_TEST_F(ring, waits_for_the_rest_of_a_packet_and_still_ends, t)
{
    put(t, OP_ADD, 4096, 1); /* 12 of 4096 bytes: destroy must not wait for the others */
    asg_writer_flush(&t->base.writer);
}

struct bad_mode {
    const char *label;
    uint32_t mode;
    const char *reason;
};
static const struct bad_mode bad_modes[] = {
    {"physical_addresses", 2, "broke the ring"},
    {"none", 0, "broke the ring"},
    {"large_that_does_not_come", ASG_MODE_LARGE, "does not come"},
};

/* B04, B05: whether the ring's thread sleeps or looks, another packet comes or not. */
SLT_TEST_FP(ring, a_bad_mode_ends_it_with_a_reason, t, struct bad_mode, bad_modes, c)
{
    struct asg_page *page = t->base.memory;
    SLT_EXPECT_EQ(1u, echo(t, 1));
    sl_atomic_store_release(&page->transfer_mode, c->mode);
    hr_ring_wake(t->base.ring);
    expect_lost(t, c->reason);
}

/* Checksum v1: the covered size with its bits reversed, and a counter for each direction. */
static uint32_t reversed(uint32_t v)
{
    uint32_t r = 0;
    for (int i = 0; i < 32; i++) {
        r |= (v >> i & 1) << (31 - i);
    }
    return r;
}

SLT_TEST_F(ring, checks_and_sends_checksums, t)
{
    put(t, OP_CHECKSUM, 12, 1);
    t->base.writer.pack.tail = 8;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t got[3];
        put(t, OP_ECHO, 20, i + 40);
        SLT_ASSERT_OK(asg_writer_read(&t->base.writer, got, sizeof got));
        SLT_EXPECT_EQ(i + 40, got[0]);
        SLT_EXPECT_EQ(reversed(4), got[1]);
        SLT_EXPECT_EQ(i, got[2]);
    }
    uint32_t only[2] = {1, 1}; /* no outputs: the checksum alone */
    put(t, OP_NOTHING, 20, 0);
    SLT_EXPECT_OK(asg_writer_read(&t->base.writer, only, sizeof only));
    SLT_EXPECT_EQ(0u, only[0]);
    SLT_EXPECT_EQ(3u, only[1]);
    put(t, OP_ADD, 20, 2);
    put(t, OP_CHECKSUM, 20, 0);
    t->base.writer.pack.tail = 0;
    SLT_EXPECT_EQ(8u, echo(t, 8));
    SLT_EXPECT_EQ(2u, t->sum);
}

/* D12: a wrong checksum loses the context, and nothing else. */
SLT_TEST_F(ring, a_wrong_checksum_ends_it, t)
{
    put(t, OP_CHECKSUM, 12, 1);
    t->base.writer.pack.tail = 8;
    t->base.writer.pack.sum_count = 5;
    put(t, OP_ADD, 20, 1);
    expect_lost(t, "checksum");
    SLT_EXPECT_EQ(0u, t->sum);
}

SLT_TEST_F(ring, the_tap_sees_packets_and_replies, t)
{
    SLT_EXPECT_EQ(1u, echo(t, 1));
    sl_atomic_store_release(&t->tap_on, 1);
    SLT_EXPECT_EQ(2u, echo(t, 2)); /* the batch in which it is switched on may be missed */
    put(t, OP_ADD, 12, 1);
    SLT_EXPECT_EQ(3u, echo(t, 3));
    sl_atomic_store_release(&t->tap_on, 0);
    SLT_EXPECT_EQ(4u, echo(t, 4));
    SLT_EXPECT_GE(t->taps, 2u);
    SLT_EXPECT_LE(t->taps, 4u);
    SLT_EXPECT_EQ(t->taps * 12ull, t->tap_bytes);
}

SLT_TEST_F(ring, a_recorder_gets_packets_before_they_run, t)
{
    SLT_EXPECT_EQ(1u, echo(t, 1));
    sl_atomic_store_release(&t->epoch, 1);
    put(t, OP_ADD, 12, 5);
    asg_writer_flush(&t->base.writer);
    put(t, OP_ADD, 12, 6);
    SLT_EXPECT_EQ(2u, echo(t, 2));
    put(t, OP_REFUSE, 12, 0);
    SLT_ASSERT_OK(asg_writer_read(&t->base.writer, (uint8_t[8]){0}, 8));
    sl_atomic_store_release(&t->epoch, 0);
    SLT_EXPECT_EQ(3u, echo(t, 3));
    SLT_EXPECT_STREQ("begin 0 packet 0 done packet 5 done packet 11 reply 2 packet 11 refused end",
                     t->record);
}

SLT_TEST_F(ring, packets_that_run_along_are_recorded_before_they_run, t)
{
    t->recorder.packets = rec_packets;
    sl_atomic_store_seq(&t->epoch, 1);
    SLT_EXPECT_EQ(1u, echo(t, 1));
    t->record[0] = '\0';
    for (uint32_t i = 1; i <= 4; i++) {
        put(t, OP_ADD_ALL, 12, i); /* one batch: flushed together with what asks */
    }
    SLT_EXPECT_EQ(2u, echo(t, 2));
    SLT_EXPECT_STREQ("packet 0 along 2 along 3 along 4 done packet 10 reply 2 ", t->record);
    t->recorder.packets = NULL;
    t->record[0] = '\0';
    put(t, OP_ADD_ALL, 12, 5);
    put(t, OP_ADD_ALL, 12, 6);
    SLT_EXPECT_EQ(3u, echo(t, 3));
    SLT_EXPECT_STREQ("packet 10 done packet 15 done packet 21 reply 3 ", t->record);
}

SLT_TEST_F(ring, what_a_dead_guest_left_is_recorded, t)
{
    sl_atomic_store_release(&t->epoch, 1);
    put(t, OP_BLOCK, 12, 0);
    asg_writer_flush(&t->base.writer);
    while (sl_atomic_load_acquire(&t->base.blocked) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    put(t, OP_ADD, 12, 5);
    asg_writer_flush(&t->base.writer);
    put(t, OP_ADD, 12, 6);
    asg_writer_flush(&t->base.writer);
    hr_ring_stop(t->base.ring);
    sl_atomic_store_release(&t->base.release, 1);
    SLT_EXPECT_TRUE(hr_ring_destroy(t->base.ring));
    t->base.ring = NULL;
    SLT_EXPECT_STREQ("begin 0 packet 0 done packet 0 done packet 5 done end", t->record);
}

SLT_TEST_F(ring, a_recorder_sees_what_loses_the_ring, t)
{
    sl_atomic_store_release(&t->epoch, 4);
    put(t, OP_VIOLATE, 12, 3);
    expect_lost(t, "value 3");
    SLT_EXPECT_TRUE(hr_ring_destroy(t->base.ring));
    t->base.ring = NULL;
    SLT_EXPECT_STREQ("begin 0 packet 0 lost end", t->record);
}

SLT_TEST_F(ring, signals_the_guest, t)
{
    put(t, OP_SIGNAL, 12, 4711);
    asg_writer_flush(&t->base.writer);
    const struct asg_signal signal = {
        .page = t->base.memory, .shared_futex = true, .alive = ring_guest_alive, .user = t};
    SLT_EXPECT_OK(asg_signal_wait(&signal, 4711, 20 * (int64_t)SL_NS_PER_S));
}

SLT_TEST_F(ring, tells_pings_that_nobody_needs_from_others, g)
{
    struct hr_stats before = {0}, after = {0};
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
    put(g, OP_BLOCK, 12, 0);
    asg_writer_flush(&g->base.writer);
    SLT_ASSERT_TRUE(ring_guest_soon(&g->base.blocked));
    while (after.pings_awake == 0 && sl_clock_ns() < end) { /* it is busy, and says so */
        sl_clock_sleep_ns(SL_NS_PER_MS);
        hr_ring_wake(g->base.ring);
        hr_ring_stats(g->base.ring, &after);
    }
    before = after;
    for (int i = 0; i < 5; i++) {
        hr_ring_wake(g->base.ring);
    }
    hr_ring_stats(g->base.ring, &after);
    SLT_EXPECT_EQ(5u, after.pings_awake - before.pings_awake);
    sl_atomic_store_release(&g->base.release, 1);
    SLT_EXPECT_EQ(8u, echo(g, 8));
    const struct asg_page *page = g->base.memory;
    while (sl_atomic_load_seq(&page->host_state) != ASG_STATE_NEED_NOTIFY && sl_clock_ns() < end) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    hr_ring_stats(g->base.ring, &before);
    hr_ring_wake(g->base.ring); /* asleep: whatever comes is needed */
    hr_ring_stats(g->base.ring, &after);
    SLT_EXPECT_EQ(1u, after.pings - before.pings);
    SLT_EXPECT_EQ(before.pings_awake, after.pings_awake);
}

/* A thread that is stuck in a driver: destroy comes back, and the ring cleans up when the thread
 * does. */
SLT_TEST(ring_stuck, is_left_behind_and_cleans_up_later)
{
    static struct guest g;
    memset(&g, 0, sizeof g);
    guest_init(&g);
    put(&g, OP_BLOCK, 12, 0);
    asg_writer_flush(&g.base.writer);
    SLT_ASSERT_TRUE(ring_guest_soon(&g.base.blocked));
    SLT_EXPECT_LOG("ring", "stuck in the driver");
    uint64_t start = sl_clock_ns();
    SLT_EXPECT_TRUE(!hr_ring_destroy(g.base.ring));
    SLT_EXPECT_LT(sl_clock_ns() - start, 20 * SL_NS_PER_S);
    SLT_EXPECT_EQ(0u, g.base.gone);
    sl_atomic_store_release(&g.base.release, 1);
    SLT_EXPECT_TRUE(ring_guest_soon(&g.base.gone));
    sl_clock_sleep_ns(20 * SL_NS_PER_MS); /* the thread ends behind gone */
    asg_writer_finish(&g.base.writer);
    free(g.base.memory);
}

/* As many as a guest likes, whose ends would hold up the thread that serves others. */
SLT_TEST(ring_stuck, many_are_waited_for_together)
{
    enum { COUNT = 12 };
    static struct guest g[COUNT];
    memset(g, 0, sizeof g);
    for (uint32_t i = 0; i < COUNT; i++) {
        guest_init(&g[i]);
        put(&g[i], OP_BLOCK, 12, 0);
        asg_writer_flush(&g[i].base.writer);
        SLT_ASSERT_TRUE(ring_guest_soon(&g[i].base.blocked));
    }
    SLT_EXPECT_LOG("ring", "stuck in the driver");
    uint64_t start = sl_clock_ns();
    for (uint32_t i = 0; i < COUNT; i++) {
        hr_ring_stop(g[i].base.ring);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        SLT_EXPECT_TRUE(!hr_ring_destroy(g[i].base.ring));
    }
    SLT_EXPECT_LT(sl_clock_ns() - start, 15 * SL_NS_PER_S); /* one by one: 24 */
    for (uint32_t i = 0; i < COUNT; i++) {
        sl_atomic_store_release(&g[i].base.release, 1);
        SLT_EXPECT_TRUE(ring_guest_soon(&g[i].base.gone));
    }
    sl_clock_sleep_ns(20 * SL_NS_PER_MS); /* the threads end behind gone */
    for (uint32_t i = 0; i < COUNT; i++) {
        asg_writer_finish(&g[i].base.writer);
        free(g[i].base.memory);
    }
}

/* --- opcodes that do not follow one another --- */

static uint32_t find_scattered(uint32_t opcode)
{
    return opcode == 500 ? 0 : opcode == 200000000 ? 1 : UINT32_MAX;
}

static const hr_handler scattered_handlers[] = {on_add, ring_guest_echo};
static const struct hr_family scattered = {.name = "scattered",
                                           .count = 2,
                                           .handlers = scattered_handlers,
                                           .opcode_name = name_of,
                                           .find = find_scattered};

static void on_fed_reply(void *user, const void *reply, size_t size)
{
    struct guest *g = user;
    SLT_EXPECT_EQ(4u, size);
    g->sum += sl_load_u32(reply);
}

SLT_TEST(ring_fed, opcodes_may_lie_apart)
{
    struct guest g = {0};
    const struct hr_binding bindings[] = {{&family, &g}, {&scattered, &g}};
    const struct hr_config config = {.name = "fed",
                                     .bindings = bindings,
                                     .binding_count = 2,
                                     .user = &g,
                                     .reply = on_fed_reply,
                                     .preamble = 77};
    struct hr_ring *ring;
    SLT_ASSERT_OK(hr_ring_create_fed(&config, &ring));
    SLT_EXPECT_EQ(77u, hr_ring_preamble(ring));
    const uint32_t packets[] = {500, 12, 3, 200000000, 12, 4, OP_ADD, 12, 5};
    SLT_EXPECT_TRUE(hr_ring_feed(ring, packets, sizeof packets));
    SLT_EXPECT_EQ(12u, g.sum);
    const uint32_t between[] = {501, 8};
    SLT_EXPECT_LOG("ring", "unknown opcode 501");
    SLT_EXPECT_TRUE(!hr_ring_feed(ring, between, sizeof between));
    SLT_EXPECT_TRUE(hr_ring_destroy(ring));
}
