/* slStaged at the host's end: bytes of packets and replies in memory that the guest shares, and
 * what a recorder sees of them. On a fed ring: no guest, no thread. */
#include "host/ring/ring.h"
#include "tests/support/slt.h"

#include <stdlib.h>
#include <string.h>

enum { OP_SUM = 1, OP_FILL, OP_PLAIN, OP_STAGED, OP_END };
enum { STAGE = 65536, AT = 12, SIZE = 4096 };

struct world {
    struct hr_ring *ring;
    struct vgd_recorder recorder;
    uint32_t epoch;
    uint8_t *stage;
    const void *seen;  /* what the handler got */
    uint64_t sum;      /* of its bytes */
    uint8_t reply[64]; /* the last */
    size_t reply_size;
    uint32_t packets; /* recorded: their number, the last one's length, and the sum of its data */
    uint32_t length;
    uint64_t recorded;
    size_t outcome; /* bytes of the recorded reply */
    bool lost;
};

static uint64_t sum_of(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += data[i];
    }
    return sum;
}

/* {u32 size, data, u32 behind} */
static void on_sum(struct hr_call *call)
{
    struct world *w = call->user;
    uint32_t size = sl_unpack_u32(&call->in);
    w->seen = sl_unpack_array(&call->in, size, 4);
    uint32_t behind = sl_unpack_u32(&call->in);
    if (call->in.failed) {
        hr_call_violate(call, "too short");
        return;
    }
    w->sum = sum_of(w->seen, size) + behind;
}

/* {u32 size}: as many bytes of 9; more than a page is refused. */
static void on_fill(struct hr_call *call)
{
    struct world *w = call->user;
    uint32_t size = sl_unpack_u32(&call->in);
    uint8_t *room = sl_reply_room(call->reply, size);
    w->seen = room;
    if (size > SIZE) {
        hr_call_refuse(call, "too many");
    } else if (room != NULL) {
        memset(room, 9, size);
    }
}

static void on_staged(struct hr_call *call)
{
    struct hr_staged s = {.offset = sl_unpack_u32(&call->in),
                          .size = sl_unpack_u32(&call->in),
                          .at = sl_unpack_u32(&call->in)};
    s.packet = call->in.cur;
    s.bytes = (uint32_t)(call->in.end - call->in.cur);
    hr_call_staged(call, &s);
}

static const hr_handler handlers[] = {on_sum, on_fill, on_fill, on_staged};
static const uint8_t may_stage[] = {1, 1, 0, 0};
static const char *name_of(uint32_t opcode)
{
    return opcode == OP_SUM ? "sum" : "other";
}
static const struct hr_family family = {.name = "test",
                                        .first_opcode = OP_SUM,
                                        .count = OP_END - OP_SUM,
                                        .handlers = handlers,
                                        .opcode_name = name_of,
                                        .may_stage = may_stage};

static void on_reply(void *user, const void *reply, size_t size)
{
    struct world *w = user;
    w->reply_size = size;
    memcpy(w->reply, reply, size < sizeof w->reply ? size : sizeof w->reply);
}

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    (void)ring, (void)reason;
    ((struct world *)user)->lost = true;
}

static void *rec_begin(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t preamble)
{
    (void)ctx_id, (void)ring_id, (void)preamble;
    return user;
}
static void rec_packet(void *stream, const void *packet, size_t size, bool sum)
{
    struct world *w = stream;
    SLT_EXPECT_TRUE(!sum);
    SLT_EXPECT_EQ(size, sl_load_u32((const uint8_t *)packet + 4));
    w->packets++;
    w->length = (uint32_t)size;
    w->recorded = size > AT ? sum_of((const uint8_t *)packet + AT, size - AT) : 0;
}
static void rec_outcome(void *stream, const struct vgd_outcome *outcome)
{
    ((struct world *)stream)->outcome = outcome->reply_size;
}
static void rec_end(void *stream)
{
    (void)stream;
}

static void world_init(struct world *w)
{
    const struct hr_binding binding = {&family, w};
    const struct hr_config config = {.name = "staged",
                                     .bindings = &binding,
                                     .binding_count = 1,
                                     .user = w,
                                     .lost = on_lost,
                                     .reply = on_reply,
                                     .recorder = &w->recorder,
                                     .staged_opcode = OP_STAGED};
    w->recorder = (struct vgd_recorder){.user = w,
                                        .epoch = &w->epoch,
                                        .begin = rec_begin,
                                        .packet = rec_packet,
                                        .outcome = rec_outcome,
                                        .end = rec_end};
    w->stage = malloc(STAGE);
    memset(w->stage, 3, STAGE);
    SLT_ASSERT_OK(hr_ring_create_fed(&config, &w->ring));
}

static void world_finish(struct world *w)
{
    SLT_EXPECT_TRUE(hr_ring_destroy(w->ring));
    free(w->stage);
}

SLT_FIXTURE(staged, struct world, world_init, world_finish);

/* The words of an OP_STAGED and of the packet in it. */
struct form {
    const char *label;
    uint32_t offset, size, at;
    uint32_t opcode, length, words; /* `words`: of the packet's body that follow; 0, 0, 0... */
    uint32_t first;                 /* the body's first word */
};

static bool send(struct world *w, const struct form *f)
{
    uint8_t bytes[256] = {0};
    const uint32_t head[] = {OP_STAGED, 28 + 4 * f->words, f->offset, f->size,
                             f->at,     f->opcode,         f->length, f->first};
    memcpy(bytes, head, sizeof head);
    if (f->words == 2) {
        sl_store_u32(bytes + sizeof head, 100); /* behind the data */
    }
    return hr_ring_feed(w->ring, bytes, head[1]);
}

static const struct form sum_form = {"", 4096, SIZE, AT, OP_SUM, 16 + SIZE, 2, SIZE};
static const struct form fill_form = {"", 8192, SIZE, 0, OP_FILL, 12, 1, SIZE};

SLT_TEST_F(staged, bytes_are_taken_where_they_lie, w)
{
    hr_ring_stage(w->ring, w->stage, STAGE);
    SLT_ASSERT_TRUE(send(w, &sum_form));
    SLT_EXPECT_TRUE(w->seen == w->stage + 4096);
    SLT_EXPECT_EQ(3u * SIZE + 100, w->sum);
    SLT_EXPECT_EQ(0u, w->reply_size);
}

/* Of each size, and in each place. */
SLT_TEST_F(staged, bytes_are_those_of_the_moment, w)
{
    hr_ring_stage(w->ring, w->stage, STAGE);
    for (uint32_t i = 1; i <= 200; i++) {
        uint32_t size = i % 100 == 0 ? STAGE : i % 7 == 0 ? SIZE - 4 : SIZE;
        struct form f = {"",  (i * SIZE) % (STAGE - size + 1) & ~3u, size, AT, OP_SUM, 16 + size, 2,
                         size};
        w->stage[f.offset + size - 1] = (uint8_t)i;
        SLT_ASSERT_TRUE(send(w, &f));
        SLT_ASSERT_EQ(sum_of(w->stage + f.offset, size) + 100, w->sum);
    }
}

SLT_TEST_F(staged, a_reply_lands_there_and_a_word_says_so, w)
{
    hr_ring_stage(w->ring, w->stage, STAGE);
    SLT_ASSERT_TRUE(send(w, &fill_form));
    SLT_EXPECT_TRUE(w->seen == w->stage + 8192);
    SLT_EXPECT_EQ(9u * SIZE, sum_of(w->stage + 8192, SIZE));
    SLT_EXPECT_EQ(3u, w->stage[8191]);
    SLT_EXPECT_EQ(3u, w->stage[8192 + SIZE]);
    SLT_EXPECT_EQ(4u, w->reply_size);
    SLT_EXPECT_EQ(1u, sl_load_u32(w->reply));
}

SLT_TEST_F(staged, a_refused_reply_or_one_of_another_size_is_not_there, w)
{
    struct form refused = fill_form, shorter = fill_form;
    hr_ring_stage(w->ring, w->stage, STAGE);
    refused.size = refused.first = SIZE + 4;
    SLT_ASSERT_TRUE(send(w, &refused));
    SLT_EXPECT_EQ(4u, w->reply_size);
    SLT_EXPECT_EQ(0u, sl_load_u32(w->reply));
    shorter.first = SIZE - 4;
    SLT_ASSERT_TRUE(send(w, &shorter));
    SLT_EXPECT_EQ(4u, w->reply_size);
    SLT_EXPECT_EQ(0u, sl_load_u32(w->reply));
    SLT_EXPECT_EQ(3u * STAGE, sum_of(w->stage, STAGE));
}

SLT_TEST_F(staged, a_recorder_sees_them_as_if_they_had_travelled, w)
{
    hr_ring_stage(w->ring, w->stage, STAGE);
    w->epoch = 1;
    SLT_ASSERT_TRUE(send(w, &sum_form));
    SLT_EXPECT_EQ(1u, w->packets);
    SLT_EXPECT_EQ(16u + SIZE, w->length);
    SLT_EXPECT_EQ(3u * SIZE + 100, w->recorded);
    SLT_EXPECT_EQ(3u * SIZE + 100, w->sum);
    SLT_EXPECT_TRUE(w->seen != w->stage + 4096); /* what was recorded is what was executed */
    SLT_ASSERT_TRUE(send(w, &fill_form));
    SLT_EXPECT_EQ(2u, w->packets);
    SLT_EXPECT_EQ(12u, w->length);
    SLT_EXPECT_EQ((size_t)SIZE, w->outcome);
    SLT_EXPECT_EQ(9u * SIZE, sum_of(w->stage + 8192, SIZE));
    SLT_EXPECT_EQ(1u, sl_load_u32(w->reply));
    SLT_EXPECT_EQ(4u, w->reply_size);
}

static const struct form hostile[] = {
    {"past_the_end", STAGE - SIZE + 1, SIZE, AT, OP_SUM, 16 + SIZE, 2, SIZE},
    {"offset_2_32", UINT32_MAX, SIZE, AT, OP_SUM, 16 + SIZE, 2, SIZE},
    {"size_2_32", 0, UINT32_MAX, AT, OP_SUM, 15, 2, UINT32_MAX},
    {"nothing", 0, 0, AT, OP_SUM, 16, 2, 0},
    {"behind_the_packet", 0, SIZE, 17, OP_SUM, 16 + SIZE, 2, SIZE},
    {"at_2_32", 0, SIZE, UINT32_MAX, OP_SUM, 16 + SIZE, 2, SIZE},
    {"in_the_header", 0, SIZE, 4, OP_SUM, 16 + SIZE, 2, SIZE},
    {"elsewhere_in_it", 0, SIZE, 16, OP_SUM, 16 + SIZE, 2, SIZE},
    {"length_without_them", 0, SIZE, AT, OP_SUM, 16, 2, SIZE},
    {"length_0", 0, SIZE, AT, OP_SUM, 0, 2, SIZE},
    {"reply_with_them", 0, SIZE, 0, OP_FILL, 12 + SIZE, 1, SIZE},
    {"command_that_may_not", 0, SIZE, 0, OP_PLAIN, 12, 1, SIZE},
    {"unknown_command", 0, SIZE, 0, OP_END, 12, 1, SIZE},
    {"one_in_another", 0, SIZE, AT, OP_STAGED, 16 + SIZE, 2, SIZE},
};

SLT_TEST_FP(staged, a_hostile_form_ends_the_ring, w, struct form, hostile, f)
{
    hr_ring_stage(w->ring, w->stage, STAGE);
    SLT_EXPECT_TRUE(!send(w, f));
    SLT_EXPECT_TRUE(w->lost);
    SLT_EXPECT_EQ(3u * STAGE, sum_of(w->stage, STAGE));
}

SLT_TEST_F(staged, without_shared_memory_the_ring_ends, w)
{
    SLT_EXPECT_TRUE(!send(w, &sum_form));
    SLT_EXPECT_TRUE(w->lost);
}
