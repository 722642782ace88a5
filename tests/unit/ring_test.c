/* A ring's thread with a scripted guest on the other end of a real ring, and the context commands.
 */
#include "asg/writer.h"
#include "host/ring/hr_commands.h"
#include "host/ring/ring.h"
#include "tests/support/slt.h"
#include "tests/support/task_count.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

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
    OP_END
};

struct guest {
    void *memory;
    struct asg_writer writer;
    struct hr_ring *ring;
    uint32_t sum;  /* of OP_ADD */
    uint64_t bulk; /* of OP_BULK */
    uint32_t lost, gone, taps, tap_on, block, blocked;
    uint64_t tap_bytes, tap_replies;
    char reason[192];
    bool writer_made;
    struct vgd_recorder recorder;
    uint32_t epoch;   /* atomic */
    char record[256]; /* what the recorder was told, a letter each; written by the ring thread */
};

static void on_add(struct hr_call *call)
{
    struct guest *g = call->user;
    g->sum += sl_unpack_u32(&call->in);
}

static void on_echo(struct hr_call *call)
{
    uint32_t v = sl_unpack_u32(&call->in);
    sl_store_u32(sl_reply_room(call->reply, 4), v);
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

static void on_block(struct hr_call *call)
{
    struct guest *g = call->user;
    sl_atomic_store_release(&g->blocked, 1);
    while (sl_atomic_load_acquire(&g->block) == 0) { /* a driver that hangs watches nothing */
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
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

static const hr_handler handlers[] = {on_add,   on_echo,     on_refuse,  on_violate,
                                      on_block, on_checksum, on_nothing, on_bulk,
                                      NULL,     on_huge,     on_signal};
static const uint8_t has_reply[] = {0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0};
static const uint8_t may_stage[] = {0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0};
static const char *name_of(uint32_t opcode)
{
    return opcode == OP_ADD ? "add" : "other";
}
static const struct hr_family family = {"test",  OP_ADD,    OP_END - OP_ADD, handlers,
                                        name_of, has_reply, may_stage,       NULL};

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    struct guest *g = user;
    (void)ring;
    strncpy(g->reason, reason, sizeof g->reason - 1);
    sl_atomic_store_release(&g->lost, 1);
}

static void on_gone(void *user)
{
    sl_atomic_store_release(&((struct guest *)user)->gone, 1);
}

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

static void wake(void *user)
{
    hr_ring_wake(((struct guest *)user)->ring);
}
static bool alive(void *user)
{
    return sl_atomic_load_acquire(&((struct guest *)user)->lost) == 0;
}

static void guest_init(struct guest *g)
{
    g->memory = aligned_alloc(4096, ASG_BLOB_BYTES);
    memset(g->memory, 0, ASG_BLOB_BYTES);
    const struct hr_binding binding = {&family, g};
    const struct hr_config config = {.name = "test",
                                     .memory = g->memory,
                                     .memory_size = ASG_BLOB_BYTES,
                                     .bindings = &binding,
                                     .binding_count = 1,
                                     .large_timeout_ns = 10 * SL_NS_PER_MS,
                                     .user = g,
                                     .lost = on_lost,
                                     .gone = on_gone,
                                     .tap_on = &g->tap_on,
                                     .tap = on_tap,
                                     .recorder = &g->recorder,
                                     .ctx_id = 7,
                                     .ring_id = 9};
    g->recorder = (struct vgd_recorder){.user = g,
                                        .epoch = &g->epoch,
                                        .begin = rec_begin,
                                        .packet = rec_packet,
                                        .outcome = rec_outcome,
                                        .end = rec_end};
    SLT_ASSERT_OK(hr_ring_create(&config, &g->ring));
    const struct asg_writer_config writer = {.memory = g->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .user = g,
                                             .ping = wake,
                                             .alive = alive};
    SLT_ASSERT_OK(asg_writer_init(&g->writer, &writer));
    g->writer_made = true;
    uint32_t preamble = 0;
    asg_writer_raw(&g->writer, &preamble, 4);
}

static void guest_finish(struct guest *g)
{
    SLT_EXPECT_TRUE(hr_ring_destroy(g->ring));
    SLT_EXPECT_EQ(1u, g->gone);
    if (g->writer_made) {
        asg_writer_finish(&g->writer);
    }
    free(g->memory);
}

SLT_FIXTURE(ring, struct guest, guest_init, guest_finish);

static void put(struct guest *g, uint32_t opcode, uint32_t length, uint32_t value)
{
    uint8_t *p = sl_pack_begin(&g->writer.pack, 32);
    sl_store_u32(p, opcode);
    sl_store_u32(p + 4, length);
    sl_store_u32(p + 8, value);
    sl_pack_end(&g->writer.pack, p + 12, 12);
}

static bool comes_soon(const uint32_t *flag)
{
    for (int i = 0; i < 10000 && sl_atomic_load_acquire(flag) == 0; i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return sl_atomic_load_acquire(flag) != 0;
}

static uint32_t echo(struct guest *g, uint32_t value)
{
    uint32_t got = 0;
    put(g, OP_ECHO, 12, value);
    SLT_EXPECT_OK(asg_writer_read(&g->writer, &got, 4));
    return got;
}

static void expect_lost(struct guest *g, const char *why)
{
    asg_writer_flush(&g->writer);
    SLT_ASSERT_TRUE(comes_soon(&g->lost));
    SLT_EXPECT_TRUE(strstr(g->reason, why) != NULL);
}

SLT_TEST_F(ring, runs_packets_in_order_and_answers, t)
{
    for (uint32_t i = 1; i <= 100000; i++) {
        put(t, OP_ADD, 12, i);
    }
    SLT_EXPECT_EQ(77u, echo(t, 77));
    SLT_EXPECT_EQ((uint32_t)(100000ull * 100001 / 2), t->sum);
    struct hr_stats stats;
    hr_ring_stats(t->ring, &stats);
    SLT_EXPECT_EQ(1u, stats.replies);
    SLT_EXPECT_EQ(4u + 12 * 100001, stats.bytes);
}

SLT_TEST_F(ring, joins_a_packet_that_came_in_pieces, t)
{
    uint8_t packet[12] = {OP_ADD, 0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0};
    for (uint32_t i = 0; i < sizeof packet; i++) {
        asg_writer_raw(&t->writer, packet + i, 1);
        asg_writer_flush(&t->writer);
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
        asg_writer_raw(&t->writer, head, 8);
        asg_writer_raw(&t->writer, data, SIZE);
    }
    SLT_EXPECT_EQ(9u, echo(t, 9));
    SLT_EXPECT_EQ(2 * 3ull * SIZE, t->bulk);
    free(data);
}

SLT_TEST_F(ring, answers_a_refused_command_with_zeros, t)
{
    uint64_t got = 1;
    put(t, OP_REFUSE, 12, 0);
    SLT_EXPECT_OK(asg_writer_read(&t->writer, &got, 8));
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
    asg_writer_flush(&t->writer);
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
    struct asg_page *page = t->memory;
    SLT_EXPECT_EQ(1u, echo(t, 1));
    sl_atomic_store_release(&page->transfer_mode, c->mode);
    hr_ring_wake(t->ring);
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
    t->writer.pack.tail = 8;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t got[3];
        put(t, OP_ECHO, 20, i + 40);
        SLT_ASSERT_OK(asg_writer_read(&t->writer, got, sizeof got));
        SLT_EXPECT_EQ(i + 40, got[0]);
        SLT_EXPECT_EQ(reversed(4), got[1]);
        SLT_EXPECT_EQ(i, got[2]);
    }
    uint32_t only[2] = {1, 1}; /* no outputs: the checksum alone */
    put(t, OP_NOTHING, 20, 0);
    SLT_EXPECT_OK(asg_writer_read(&t->writer, only, sizeof only));
    SLT_EXPECT_EQ(0u, only[0]);
    SLT_EXPECT_EQ(3u, only[1]);
    put(t, OP_ADD, 20, 2);
    put(t, OP_CHECKSUM, 20, 0);
    t->writer.pack.tail = 0;
    SLT_EXPECT_EQ(8u, echo(t, 8));
    SLT_EXPECT_EQ(2u, t->sum);
}

/* D12: a wrong checksum loses the context, and nothing else. */
SLT_TEST_F(ring, a_wrong_checksum_ends_it, t)
{
    put(t, OP_CHECKSUM, 12, 1);
    t->writer.pack.tail = 8;
    t->writer.pack.sum_count = 5;
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
    asg_writer_flush(&t->writer);
    put(t, OP_ADD, 12, 6);
    SLT_EXPECT_EQ(2u, echo(t, 2));
    put(t, OP_REFUSE, 12, 0);
    SLT_ASSERT_OK(asg_writer_read(&t->writer, (uint8_t[8]){0}, 8));
    sl_atomic_store_release(&t->epoch, 0);
    SLT_EXPECT_EQ(3u, echo(t, 3));
    SLT_EXPECT_STREQ("begin 0 packet 0 done packet 5 done packet 11 reply 2 packet 11 refused end",
                     t->record);
}

SLT_TEST_F(ring, what_a_dead_guest_left_is_recorded, t)
{
    sl_atomic_store_release(&t->epoch, 1);
    put(t, OP_BLOCK, 12, 0);
    asg_writer_flush(&t->writer);
    while (sl_atomic_load_acquire(&t->blocked) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    put(t, OP_ADD, 12, 5);
    asg_writer_flush(&t->writer);
    put(t, OP_ADD, 12, 6);
    asg_writer_flush(&t->writer);
    hr_ring_stop(t->ring);
    sl_atomic_store_release(&t->block, 1);
    SLT_EXPECT_TRUE(hr_ring_destroy(t->ring));
    t->ring = NULL;
    SLT_EXPECT_STREQ("begin 0 packet 0 done packet 0 done packet 5 done end", t->record);
}

SLT_TEST_F(ring, a_recorder_sees_what_loses_the_ring, t)
{
    sl_atomic_store_release(&t->epoch, 4);
    put(t, OP_VIOLATE, 12, 3);
    expect_lost(t, "value 3");
    SLT_EXPECT_TRUE(hr_ring_destroy(t->ring));
    t->ring = NULL;
    SLT_EXPECT_STREQ("begin 0 packet 0 lost end", t->record);
}

SLT_TEST_F(ring, signals_the_guest, t)
{
    put(t, OP_SIGNAL, 12, 4711);
    asg_writer_flush(&t->writer);
    SLT_EXPECT_OK(asg_signal_wait(t->memory, 4711, (int64_t)SL_NS_PER_S, true, alive, t));
}

SLT_TEST_F(ring, tells_pings_that_nobody_needs_from_others, g)
{
    struct hr_stats before = {0}, after = {0};
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
    put(g, OP_BLOCK, 12, 0);
    asg_writer_flush(&g->writer);
    while (after.pings_awake == 0 && sl_clock_ns() < end) { /* it is busy, and says so */
        sl_clock_sleep_ns(SL_NS_PER_MS);
        hr_ring_wake(g->ring);
        hr_ring_stats(g->ring, &after);
    }
    before = after;
    for (int i = 0; i < 5; i++) {
        hr_ring_wake(g->ring);
    }
    hr_ring_stats(g->ring, &after);
    SLT_EXPECT_EQ(5u, after.pings_awake - before.pings_awake);
    sl_atomic_store_release(&g->block, 1);
    SLT_EXPECT_EQ(8u, echo(g, 8));
    const struct asg_page *page = g->memory;
    while (sl_atomic_load_seq(&page->host_state) != ASG_STATE_NEED_NOTIFY && sl_clock_ns() < end) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    hr_ring_stats(g->ring, &before);
    hr_ring_wake(g->ring); /* asleep: whatever comes is needed */
    hr_ring_stats(g->ring, &after);
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
    asg_writer_flush(&g.writer);
    sl_clock_sleep_ns(20 * SL_NS_PER_MS);
    SLT_EXPECT_LOG("ring", "stuck in the driver");
    uint64_t start = sl_clock_ns();
    SLT_EXPECT_TRUE(!hr_ring_destroy(g.ring));
    SLT_EXPECT_LT(sl_clock_ns() - start, 4 * SL_NS_PER_S);
    SLT_EXPECT_EQ(0u, g.gone);
    sl_atomic_store_release(&g.block, 1);
    SLT_EXPECT_TRUE(comes_soon(&g.gone));
    sl_clock_sleep_ns(20 * SL_NS_PER_MS); /* the thread ends behind gone */
    asg_writer_finish(&g.writer);
    free(g.memory);
}

/* --- context commands --- */

struct commands {
    struct task_count tasks; /* first: hct_env's user */
    struct hr_rings rings;
    struct hct_env env;
    struct guest guest;
    uint64_t exported;
    uint32_t freed;
    uint32_t holds;
};

static enum sl_result ring_new(void *user, struct hr_config *config, void **state)
{
    struct commands *t = user;
    static struct hr_binding binding;
    binding = (struct hr_binding){&family, &t->guest};
    config->bindings = &binding;
    config->binding_count = 1;
    *state = t;
    return SL_OK;
}

static void ring_free(void *user, void *state)
{
    (void)state;
    ((struct commands *)user)->freed++;
}

static enum sl_result export_sync(void *user, uint64_t handle, uint64_t task)
{
    struct commands *t = user;
    t->exported = handle;
    t->env.task_done(t->env.user, task);
    return SL_OK;
}

static enum sl_result export_sync_vk(void *user, uint64_t device, uint64_t fence, uint64_t task)
{
    return device == 3 ? export_sync(user, fence, task) : SL_ERR_NOTFOUND;
}

static const struct hr_rings_ops rings_ops = {ring_new, ring_free, export_sync, export_sync_vk,
                                              true};

static void env_lost(void *user, uint32_t ctx, const char *reason)
{
    (void)user, (void)ctx, (void)reason;
}

static void commands_init(struct commands *t)
{
    t->guest.memory = aligned_alloc(4096, ASG_BLOB_BYTES);
    memset(t->guest.memory, 0, ASG_BLOB_BYTES);
    t->env = (struct hct_env){.user = t,
                              .task_begin = task_count_begin,
                              .task_done = task_count_done,
                              .ctx_lost = env_lost};
    hr_rings_init(&t->rings, &rings_ops, t, &t->env, 1, "test");
}

static void commands_finish(struct commands *t)
{
    hr_rings_finish(&t->rings);
    free(t->guest.memory);
}

SLT_FIXTURE(commands, struct commands, commands_init, commands_finish);

static enum sl_result submit(struct commands *t, uint32_t opcode, uint32_t a, uint32_t b,
                             size_t size)
{
    uint8_t bytes[12];
    sl_store_u32(bytes, opcode);
    sl_store_u32(bytes + 4, a);
    sl_store_u32(bytes + 8, b);
    return hr_rings_submit(&t->rings, bytes, size);
}

static void attach(struct commands *t, uint32_t id, uint64_t size)
{
    const struct hct_memory memory = {.fd = -1, .size = size, .pointer = t->guest.memory};
    SLT_ASSERT_OK(hr_rings_attach(&t->rings, id, &memory));
}

/* B08: unknown, second and early commands are errors; the context lives. */
SLT_TEST_F(commands, refuses_what_has_no_sense, t)
{
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8)); /* not attached */
    attach(t, 5, ASG_BLOB_BYTES);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND,
                      submit(t, GFXSTREAM_CONTEXT_PING, 5, 0, 8)); /* before create */
    SLT_EXPECT_OK(submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8)); /* a second */
    SLT_EXPECT_OK(submit(t, GFXSTREAM_CONTEXT_PING, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, submit(t, GFXSTREAM_CONTEXT_PING, 6, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, submit(t, 0x1001 | 10, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, submit(t, 0, 5, 0, 8));
    hr_rings_detach(&t->rings, 5);
    SLT_EXPECT_EQ(1u, t->freed);
}

/* B09: a ring blob that is too small, or has no memory. */
SLT_TEST_F(commands, refuses_memory_that_cannot_be_a_ring, t)
{
    attach(t, 5, 4096);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    SLT_ASSERT_OK(hr_rings_attach(&t->rings, 6, NULL));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, GFXSTREAM_CONTEXT_CREATE, 6, 0, 8));
}

/* B11: commands shorter than their opcode needs. */
SLT_TEST_F(commands, refuses_short_commands, t)
{
    static const uint32_t opcodes[] = {GFXSTREAM_CONTEXT_CREATE, GFXSTREAM_CONTEXT_PING,
                                       GFXSTREAM_CREATE_EXPORT_SYNC};
    attach(t, 5, ASG_BLOB_BYTES);
    for (size_t i = 0; i < 3; i++) {
        for (size_t size = 0; size < (i == 2 ? 12u : 8u); size++) {
            SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, opcodes[i], 5, 0, size));
        }
    }
}

static struct hct_hold *memory_hold(void *user, uint32_t resource_id)
{
    struct commands *t = user;
    t->holds++;
    return resource_id == 7 ? NULL : (struct hct_hold *)(void *)&t->holds; /* 7: not the device's */
}

static void memory_release(struct hct_hold *hold)
{
    (*(uint32_t *)(void *)hold)--;
}

/* Memory for slStaged: of a ring, from a blob that the device holds, once, and let go with it. */
SLT_TEST_F(commands, shares_memory_for_bulky_data, t)
{
    t->env.memory_hold = memory_hold;
    t->env.memory_release = memory_release;
    attach(t, 5, ASG_BLOB_BYTES);
    attach(t, 6, 4096);
    attach(t, 7, 4096);
    SLT_ASSERT_OK(hr_rings_attach(&t->rings, 8, NULL));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 12)); /* no ring yet */
    SLT_ASSERT_OK(submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 11));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 9, 12));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 6, 5, 12));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 8, 12)); /* no memory */
    SLT_EXPECT_EQ(1u, t->holds);                                                  /* the ring's */
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 7, 12));
    t->holds--; /* nobody got that one */
    SLT_EXPECT_OK(submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 12));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 12)); /* a second */
    SLT_EXPECT_EQ(2u, t->holds);
    hr_rings_detach(&t->rings, 6); /* the ring goes on with it */
    SLT_EXPECT_EQ(2u, t->holds);
    hr_rings_detach(&t->rings, 5);
    SLT_EXPECT_EQ(0u, t->holds);
}

SLT_TEST_F(commands, exports_a_fence_as_a_task, t)
{
    SLT_EXPECT_OK(submit(t, GFXSTREAM_CREATE_EXPORT_SYNC, 7, 1, 12));
    SLT_EXPECT_EQ((1ull << 32) + 7, t->exported);
    SLT_EXPECT_EQ(1u, t->tasks.done);
}

SLT_TEST_F(commands, exports_a_vulkan_fence_as_a_task, t)
{
    const uint32_t command[] = {GFXSTREAM_CREATE_EXPORT_SYNC_VK, 3, 0, 9, 1};
    SLT_EXPECT_OK(hr_rings_submit(&t->rings, command, sizeof command));
    SLT_EXPECT_EQ((1ull << 32) + 9, t->exported);
    SLT_EXPECT_EQ(1u, t->tasks.done);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, hr_rings_submit(&t->rings, command, sizeof command - 4));
}

/* B13: a million pings without data cost the device thread little, and the ring sleeps again. */
SLT_TEST_F(commands, bears_a_ping_storm, t)
{
    attach(t, 5, ASG_BLOB_BYTES);
    SLT_ASSERT_OK(submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    uint64_t start = sl_clock_ns();
    for (int i = 0; i < 1000000; i++) {
        (void)!submit(t, GFXSTREAM_CONTEXT_PING, 5, 0, 8);
    }
    SLT_EXPECT_LT(sl_clock_ns() - start, 5 * SL_NS_PER_S);
    struct vgd_ring_stats stats;
    SLT_EXPECT_OK(hr_rings_stats(&t->rings, 0, &stats));
    SLT_EXPECT_EQ(5u, stats.resource_id);
    SLT_EXPECT_EQ(0u, stats.bytes);
    SLT_EXPECT_EQ(1000000u, stats.pings);
    SLT_EXPECT_LE(stats.pings_awake, stats.pings);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, hr_rings_stats(&t->rings, 1, &stats));
}

/* --- opcodes that do not follow one another --- */

static uint32_t find_scattered(uint32_t opcode)
{
    return opcode == 500 ? 0 : opcode == 200000000 ? 1 : UINT32_MAX;
}

static const hr_handler scattered_handlers[] = {on_add, on_echo};
static const struct hr_family scattered = {"scattered", 0,    2,    scattered_handlers,
                                           name_of,     NULL, NULL, find_scattered};

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
                                     .lost = on_lost,
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
