/* transport/base: what generated pack and unpack code stands on. */
#include "tests/support/slt.h"
#include "transport/base/pack.h"

#include <stdlib.h>
#include <string.h>

SLT_FIXTURE(pack, struct sl_pack_mem, sl_pack_mem_init, sl_pack_mem_finish);

static size_t written(const struct sl_pack_mem *mem)
{
    return (size_t)(mem->pack.cur - mem->data);
}

SLT_TEST_F(pack, keeps_bytes_while_it_grows, mem)
{
    for (uint32_t i = 0; i < 100000; i++) {
        uint8_t *p = sl_pack_begin(&mem->pack, 4);
        sl_store_u32(p, i);
        sl_pack_end(&mem->pack, p + 4, 4);
    }
    SLT_ASSERT_EQ(400000u, written(mem));
    for (uint32_t i = 0; i < 100000; i++) {
        SLT_ASSERT_EQ(i, sl_load_u32(mem->data + 4 * i));
    }
    SLT_EXPECT_TRUE(!mem->failed);
}

SLT_TEST_F(pack, checksum_is_the_reversed_count_and_a_counter, mem)
{
    static const uint8_t want[] = {9, 9, 9, 9, 0, 0,    0, 0x20, 0, 0,
                                   0, 0, 8, 0, 0, 0x30, 1, 0,    0, 0};
    mem->pack.tail = 8;
    uint8_t *p = sl_pack_begin(&mem->pack, 12);
    memset(p, 9, 4);
    sl_pack_end(&mem->pack, p + 4, 4);
    p = sl_pack_begin(&mem->pack, 8);
    sl_pack_end(&mem->pack, p, 0x1000000c);
    SLT_ASSERT_EQ(sizeof want, written(mem));
    SLT_EXPECT_MEMEQ(want, mem->data, sizeof want);
}

SLT_TEST_F(pack, bulk_leaves_room_behind, mem)
{
    size_t size = 300000;
    uint8_t *data = malloc(size);
    memset(data, 0x5a, size);
    uint8_t *p = sl_pack_begin(&mem->pack, 8);
    p = sl_pack_data(&mem->pack, p + 8, data, size, false);
    memset(p, 1, SL_PACK_ROOM);
    sl_pack_end(&mem->pack, p + SL_PACK_ROOM, 0);
    SLT_ASSERT_EQ(8 + size + SL_PACK_ROOM, written(mem));
    SLT_EXPECT_MEMEQ(data, mem->data + 8, size);
    free(data);
}

SLT_TEST_F(pack, without_memory_it_writes_to_nowhere, mem)
{
    SLT_FAIL_ALLOC(0);
    for (int i = 0; i < 50; i++) {
        uint8_t *p = sl_pack_begin(&mem->pack, SL_PACK_INLINE);
        memset(p, i, SL_PACK_INLINE);
        p = mem->pack.ops->bulk(&mem->pack, p, NULL, 1u << 20);
        memset(p, i, SL_PACK_ROOM);
        sl_pack_end(&mem->pack, p + SL_PACK_ROOM, 0);
    }
    SLT_EXPECT_TRUE(mem->failed);
}

/* The obvious reference of sl_pack_gather. */
static void gather_slowly(const struct sl_gather *g, uint8_t *out)
{
    memset(out, 0, g->size);
    for (uint32_t image = 0; image < g->images; image++) {
        for (uint32_t row = 0; row < g->rows; row++) {
            for (size_t i = 0; i < g->row; i++) {
                out[g->prefix + image * g->wire_image + row * g->wire_pitch + i] =
                    g->src[image * g->src_image + row * g->src_pitch + i];
            }
        }
    }
}

struct gather_case {
    const char *label;
    struct sl_gather g;
};
#define GATHER(prefix_, images_, rows_, row_, src_pitch_, wire_pitch_, src_image_, wire_image_)    \
    {                                                                                              \
        .prefix = prefix_, .images = images_, .rows = rows_, .row = row_, .src_pitch = src_pitch_, \
        .wire_pitch = wire_pitch_, .src_image = src_image_, .wire_image = wire_image_,             \
        .size = (prefix_) + (size_t)(images_) * (wire_image_)                                      \
    }
static const struct gather_case gathers[] = {
    {"flat", GATHER(0, 1, 1, 100, 100, 100, 100, 100)},
    {"rows", GATHER(0, 1, 7, 30, 40, 32, 280, 224)},
    {"unpadded_last_row", GATHER(0, 1, 7, 30, 40, 32, 280, 222)},
    {"images", GATHER(0, 3, 5, 30, 64, 32, 400, 170)},
    {"prefix", GATHER(17, 2, 5, 12, 12, 12, 60, 60)},
    {"dense", GATHER(0, 3, 5, 12, 12, 12, 60, 60)},
    {"long_rows", GATHER(3, 2, 3, 70000, 70004, 70000, 210012, 210000)},
    {"many_rows", GATHER(0, 1, 900, 1000, 1024, 1000, 921600, 900000)},
};

SLT_TEST_FP(pack, gather_equals_the_reference, mem, struct gather_case, gathers, c)
{
    struct sl_gather g = c->g;
    uint8_t *src = malloc(g.images * g.src_image + 70004 * 3);
    uint8_t *want = malloc(g.size);
    for (size_t i = 0; i < g.images * g.src_image + 70004 * 3; i++) {
        src[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    g.src = src;
    gather_slowly(&g, want);
    bool small = g.size <= SL_PACK_INLINE;
    uint8_t *p = sl_pack_begin(&mem->pack, small ? g.size : 8);
    p = sl_pack_gather(&mem->pack, p, &g, small);
    sl_pack_end(&mem->pack, p, 0);
    SLT_EXPECT_EQ(g.size, written(mem));
    SLT_EXPECT_MEMEQ(want, mem->data, g.size);
    free(src);
    free(want);
}

SLT_TEST(unpack, short_reads_give_zeros)
{
    const uint8_t data[5] = {1, 2, 3, 4, 5};
    struct sl_unpack u = {.cur = data, .end = data + sizeof data};
    SLT_EXPECT_EQ(0x04030201u, sl_unpack_u32(&u));
    SLT_EXPECT_TRUE(!u.failed);
    SLT_EXPECT_EQ(0u, sl_unpack_u64(&u));
    SLT_EXPECT_TRUE(u.failed);
    SLT_EXPECT_EQ(0u, sl_unpack_u8(&u));
}

SLT_TEST(unpack, arrays_are_aligned)
{
    struct sl_arena arena;
    sl_arena_init(&arena, 1024);
    uint64_t storage[8] = {0};
    uint8_t *data = (uint8_t *)storage;
    for (int i = 0; i < 64; i++) {
        data[i] = (uint8_t)i;
    }
    struct sl_unpack u = {.cur = data, .end = data + 64, .arena = &arena};
    SLT_EXPECT_EQ((const void *)data, sl_unpack_array(&u, 8, 8));
    sl_unpack_u8(&u);
    const uint8_t *moved = sl_unpack_array(&u, 16, 8);
    SLT_EXPECT_EQ(0u, (uintptr_t)moved % 8);
    SLT_EXPECT_MEMEQ(data + 9, moved, 16);
    SLT_EXPECT_TRUE(sl_unpack_array(&u, 0, 8) != NULL);
    SLT_EXPECT_TRUE(!u.failed);
    SLT_EXPECT_NULL(sl_unpack_array(&u, SIZE_MAX, 1));
    SLT_EXPECT_TRUE(u.failed);
    sl_arena_finish(&arena);
}

SLT_TEST(reply, grows_to_its_maximum)
{
    struct sl_reply reply;
    sl_reply_init(&reply, 1000);
    uint8_t *p = sl_reply_room(&reply, 10);
    SLT_ASSERT_TRUE(p != NULL);
    memset(p, 1, 10);
    p = sl_reply_room(&reply, 990);
    SLT_ASSERT_TRUE(p != NULL);
    SLT_EXPECT_EQ(0, p[0] | p[989]);
    SLT_EXPECT_EQ(1, reply.data[9]);
    SLT_EXPECT_TRUE(sl_reply_room(&reply, 0) != NULL);
    SLT_EXPECT_TRUE(!reply.failed);
    SLT_EXPECT_NULL(sl_reply_room(&reply, 1));
    SLT_EXPECT_TRUE(reply.failed);
    sl_reply_finish(&reply);
}
