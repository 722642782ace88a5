/* Vulkan's straight-line code and its table form agree: on a million random packets over every
 * command, on replies, and on what they refuse of damaged packets. */
#include "check/vk_adapters.h"
#include "tables/vk_plan.h"
#include "tests/support/slt.h"
#include "tools/plan/plan.h"

#include <stdlib.h>
#include <string.h>

enum { VECTORS = 1000000, MUTATIONS = 400000, ROOM = 1 << 20 };

struct world {
    struct vk_pack pack;
    struct sl_arena arena;
    struct vk_plan_bytes made, answer;
    uint64_t state;
    uint32_t other_leading; /* packets whose leading words no packer would write */
};

static void world_init(struct world *w)
{
    vk_pack_init(&w->pack, 64u << 20, false);
    sl_arena_init(&w->arena, 64u << 20);
    w->made = (struct vk_plan_bytes){.data = malloc(ROOM), .room = ROOM};
    w->answer = (struct vk_plan_bytes){.data = malloc(ROOM), .room = ROOM};
    w->state = 20261121;
}

static void world_finish(struct world *w)
{
    free(w->made.data);
    free(w->answer.data);
    sl_arena_finish(&w->arena);
    vk_pack_finish(&w->pack);
}

SLT_FIXTURE(vk_agree, struct world, world_init, world_finish);

static void *read_packet(struct world *w, const struct vk_adapter *one, const uint8_t *packet,
                         size_t size)
{
    size_t head = one->staged ? 8 : 12;
    struct vk_unpack u = vk_unpack_over(packet + head, size - head, &w->arena, NULL);
    void *args = sl_arena_get(&w->arena, one->args_size);
    return one->unpack(&u, args) ? args : NULL;
}

/* The two leading words of a pipeline follow from its content; made ones seldom do. */
static bool leads_elsewhere(const struct vk_adapter *one)
{
    return strcmp(one->name, "vkCreateGraphicsPipelines") == 0;
}

static void one_reply(struct world *w, const struct vk_adapter *one, const void *args)
{
    w->answer.size = 0;
    vk_plan_make_reply(&vk_plan, w->made.data, w->made.size, &w->state, &w->answer);
    SLT_ASSERT_TRUE(w->answer.size <= w->answer.room);
    struct vk_unpack u = vk_unpack_over(w->answer.data, w->answer.size, &w->arena, NULL);
    uint64_t result = 0;
    SLT_EXPECT_TRUE(one->read(&u, args, &result));
    SLT_EXPECT_STREQ("", u.failed ? u.reason : "");
    vk_pack_reset(&w->pack);
    one->reply(&w->pack, args, result);
    SLT_ASSERT_EQ(w->answer.size, vk_pack_size(&w->pack));
    SLT_ASSERT_MEMEQ(w->answer.data, w->pack.data, w->answer.size);
}

static void one_packet(struct world *w, const struct vk_adapter *one)
{
    SLT_SCOPE("%s", one->name);
    w->made.size = 0;
    vk_plan_make(&vk_plan, vk_plan_find(&vk_plan, one->opcode), &w->state, NULL, &w->made);
    SLT_ASSERT_TRUE(w->made.size <= w->made.room);
    void *args = read_packet(w, one, w->made.data, w->made.size);
    SLT_ASSERT_TRUE(args != NULL);
    vk_pack_reset(&w->pack);
    one->pack(&w->pack, one->staged ? 0 : sl_load_u32(w->made.data + 8), args);
    SLT_ASSERT_TRUE(!w->pack.failed);
    size_t size = vk_pack_size(&w->pack);
    bool same = size == w->made.size && memcmp(w->made.data, w->pack.data, size) == 0;
    if (!same && leads_elsewhere(one)) {
        w->other_leading++;
    } else {
        SLT_ASSERT_EQ(w->made.size, size);
        SLT_ASSERT_MEMEQ(w->made.data, w->pack.data, size);
    }
    if (one->reply != NULL) {
        one_reply(w, one, args);
    }
    sl_arena_reset(&w->arena);
}

SLT_TEST_F(vk_agree, on_a_million_packets_and_replies_of_every_command, w)
{
    SLT_TIMEOUT(240);
    SLT_EXPECT_EQ(493u, VK_ADAPTERS); /* 589 names on the wire, aliases share a layout */
    for (uint32_t n = 0; n < VECTORS; n++) {
        one_packet(w, &vk_adapters[n % VK_ADAPTERS]);
    }
    uint32_t pipelines = VECTORS / VK_ADAPTERS;
    SLT_EXPECT_TRUE(w->other_leading < pipelines);
}

SLT_TEST_F(vk_agree, on_what_they_refuse, w)
{
    SLT_TIMEOUT(240);
    uint32_t refused = 0;
    for (uint32_t n = 0; n < MUTATIONS; n++) {
        const struct vk_adapter *one = &vk_adapters[n % VK_ADAPTERS];
        SLT_SCOPE("%s", one->name);
        w->made.size = 0;
        vk_plan_make(&vk_plan, vk_plan_find(&vk_plan, one->opcode), &w->state, NULL, &w->made);
        size_t head = one->staged ? 8 : 12;
        size_t size = plan_mutate(w->made.data, w->made.size, &w->state);
        size = size < head ? head : size;
        sl_store_u32(w->made.data, one->opcode);
        sl_store_u32(w->made.data + 4, (uint32_t)size);
        /* Of its own allocation: a sanitizer sees the first byte read past it. */
        uint8_t *exact = memcpy(malloc(size), w->made.data, size);
        const char *reason = NULL;
        bool by_table = vk_plan_normal(&vk_plan, exact, size, NULL, &reason) == SL_OK;
        bool by_line = read_packet(w, one, exact, size) != NULL;
        SLT_EXPECT_EQ(by_table, by_line);
        refused += !by_line;
        sl_arena_reset(&w->arena);
        free(exact);
    }
    SLT_EXPECT_TRUE(refused > MUTATIONS / 20 && refused < MUTATIONS);
}
