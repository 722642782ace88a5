/* Stock drivers' Vulkan packets through the generated code: every one of
 * tests/data/golden/vulkan.txt is read with nothing left over and packed again to its normal form
 * (presence words and outputs, which differ from run to run, apart: exactly its bytes); replies
 * likewise, into the memory that the request asked for. The table form says what the normal form
 * is. */
#include "check/vk_adapters.h"
#include "tables/vk_plan.h"
#include "tests/support/slt.h"
#include "wire/vk_pack.h"
#include "wire/vk_unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many as the recordings hold, so that none is passed over. */
enum {
    PACKETS = 2180,
    STAGED = 215,
    STRUCTS = 371,
    REPLIES = 1602,
    ANDROID = 2,
    REFUSED = 3,
    ROOM = 8 << 20
};

struct world {
    struct vk_pack pack;
    struct sl_arena arena;
    struct vk_plan_bytes normal;
    char *line;
    uint8_t *bytes, *reply;
    uint32_t packets, staged, structs, replies, unknown, refused;
};

static void world_init(struct world *w)
{
    vk_pack_init(&w->pack, 64u << 20, false);
    sl_arena_init(&w->arena, 64u << 20);
    w->normal = (struct vk_plan_bytes){.data = malloc(ROOM), .room = ROOM};
    w->line = malloc(ROOM);
    w->bytes = malloc(ROOM);
    w->reply = malloc(ROOM);
}

static void world_finish(struct world *w)
{
    free(w->normal.data);
    free(w->line);
    free(w->bytes);
    free(w->reply);
    sl_arena_finish(&w->arena);
    vk_pack_finish(&w->pack);
}

SLT_FIXTURE(vk_golden, struct world, world_init, world_finish);

/* "0100*3." is 01 00 00 00. */
static size_t bytes_of(const char *text, uint8_t *out)
{
    size_t size = 0;
    while (*text != '\0' && *text != '\n') {
        const char pair[3] = {text[0], text[1], '\0'};
        uint8_t byte = (uint8_t)strtoul(pair, NULL, 16);
        unsigned long times = 1;
        text += 2;
        if (*text == '*') {
            char *end;
            times = strtoul(text + 1, &end, 10);
            text = end + 1; /* behind the dot */
        }
        SLT_ASSERT_TRUE(size + times <= ROOM);
        memset(out + size, byte, times);
        size += times;
    }
    return size;
}

static const struct vk_adapter *adapter_of(uint32_t opcode)
{
    for (uint32_t i = 0; i < VK_ADAPTERS; i++) {
        if (vk_adapters[i].opcode == opcode) {
            return &vk_adapters[i];
        }
    }
    return NULL;
}

/* The recordings' host answered every presence word with this one. */
static size_t plain_presence(uint8_t *reply, size_t size)
{
    static const uint8_t theirs[8] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    static const uint8_t ours[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    for (size_t at = 0; at + 8 <= size; at++) {
        if (memcmp(reply + at, theirs, 8) == 0) {
            memcpy(reply + at, ours, 8);
        }
    }
    return size;
}

static void one_reply(struct world *w, const struct vk_adapter *one, void *args, const char *text)
{
    size_t size = plain_presence(w->reply, bytes_of(text, w->reply));
    struct vk_unpack u = vk_unpack_over(w->reply, size, &w->arena, NULL);
    uint64_t result;
    SLT_ASSERT_TRUE(one->reply != NULL);
    SLT_EXPECT_TRUE(one->read(&u, args, &result));
    SLT_EXPECT_STREQ("", u.failed ? u.reason : "");
    vk_pack_reset(&w->pack);
    one->reply(&w->pack, args, result);
    SLT_ASSERT_EQ(size, vk_pack_size(&w->pack));
    SLT_EXPECT_MEMEQ(w->reply, w->pack.data, size);
    w->replies++;
}

static void one_packet(struct world *w, const char *name, size_t size, const char *reply)
{
    const char *reason = NULL;
    if (vk_plan_find(&vk_plan, sl_load_u32(w->bytes)) == NULL) {
        /* Its data has no length on the wire: refused by name. */
        SLT_EXPECT_STREQ("vkCmdPushDescriptorSetWithTemplate2", name);
        w->refused++;
        return;
    }
    w->normal.size = 0;
    SLT_ASSERT_OK(vk_plan_normal(&vk_plan, w->bytes, size, &w->normal, &reason));
    SLT_ASSERT_EQ(size, w->normal.size);
    const struct vk_plan_command *by_table = vk_plan_find(&vk_plan, sl_load_u32(w->bytes));
    SLT_EXPECT_STREQ(name, by_table->name);
    const struct vk_adapter *one = adapter_of(sl_load_u32(w->bytes));
    if (one == NULL && by_table->refused) {
        w->refused++; /* one that is refused by name can be read nevertheless */
        return;
    }
    SLT_ASSERT_TRUE(one != NULL);
    size_t head = one->staged ? 8 : 12;
    struct vk_unpack u = vk_unpack_over(w->bytes + head, size - head, &w->arena, NULL);
    void *args = sl_arena_get(&w->arena, one->args_size);
    SLT_EXPECT_TRUE(one->unpack(&u, args));
    SLT_ASSERT_STREQ("", u.failed ? u.reason : "");
    vk_pack_reset(&w->pack);
    one->pack(&w->pack, one->staged ? 0 : sl_load_u32(w->bytes + 8), args);
    SLT_ASSERT_EQ(size, vk_pack_size(&w->pack));
    SLT_EXPECT_MEMEQ(w->normal.data, w->pack.data, size);
    if (*reply != '-') {
        one_reply(w, one, args, reply);
    }
}

static void one_struct(struct world *w, const char *name, size_t size)
{
    struct vk_unpack u = vk_unpack_over(w->bytes, size, &w->arena, NULL);
    const void *link = vk_unpack_chain(&u);
    if (strstr(name, "ANDROID") != NULL && u.failed) {
        /* Android's builds alone send them, and the registry disables their extension. */
        SLT_EXPECT_STREQ("a chained struct is of a type that is not known", u.reason);
        w->unknown++;
        return;
    }
    SLT_EXPECT_STREQ("", u.failed ? u.reason : "");
    SLT_EXPECT_EQ(u.end, u.cur);
    vk_pack_reset(&w->pack);
    vk_pack_chain(&w->pack, link);
    SLT_ASSERT_EQ(size, vk_pack_size(&w->pack));
    w->structs++;
}

static void one_line(struct world *w)
{
    char *save = NULL;
    char *call = strtok_r(w->line, " ", &save);
    strtok_r(NULL, " ", &save); /* who sent it */
    char *data = strtok_r(NULL, " ", &save);
    char *reply = strtok_r(NULL, " \n", &save);
    SLT_ASSERT_TRUE(reply != NULL);
    SLT_SCOPE("%s", call);
    size_t size = bytes_of(data, w->bytes);
    char *colon = strchr(call, ':');
    const char *name = colon != NULL ? colon + 1 : call;
    if (colon != NULL && strncmp(call, "struct", 6) == 0) {
        one_struct(w, name, size);
    } else {
        *(colon != NULL ? &w->staged : &w->packets) += 1;
        one_packet(w, name, size, reply);
    }
    sl_arena_reset(&w->arena);
}

SLT_TEST_F(vk_golden, every_packet_and_reply_of_stock_drivers, w)
{
    FILE *in = fopen(SLT_DATA("golden/vulkan.txt"), "r");
    SLT_ASSERT_TRUE(in != NULL);
    while (fgets(w->line, ROOM, in) != NULL) {
        one_line(w);
    }
    fclose(in);
    SLT_EXPECT_EQ(PACKETS, w->packets);
    SLT_EXPECT_EQ(STAGED, w->staged);
    SLT_EXPECT_EQ(STRUCTS, w->structs);
    SLT_EXPECT_EQ(REPLIES, w->replies);
    SLT_EXPECT_EQ(ANDROID, w->unknown);
    SLT_EXPECT_EQ(REFUSED, w->refused);
}

SLT_TEST_F(vk_golden, packets_are_printed_with_names, w)
{
    static const char *const wanted[] = {
        "vkEnumerateInstanceVersion() -> pApiVersion = 4206592 VK_SUCCESS",
        "sType = VK_STRUCTURE_TYPE_APPLICATION_INFO",
        "vkCmdBindPipeline(pipelineBindPoint = VK_PIPELINE_BIND_POINT_",
    };
    bool found[sizeof wanted / sizeof wanted[0]] = {false};
    FILE *in = fopen(SLT_DATA("golden/vulkan.txt"), "r");
    while (in != NULL && fgets(w->line, ROOM, in) != NULL) {
        char *save = NULL, *text = NULL;
        size_t text_size = 0;
        char *call = strtok_r(w->line, " ", &save);
        strtok_r(NULL, " ", &save);
        char *data = strtok_r(NULL, " ", &save), *answer = strtok_r(NULL, " \n", &save);
        if (strncmp(call, "struct:", 7) == 0) {
            continue;
        }
        size_t size = bytes_of(data, w->bytes);
        size_t reply = *answer != '-' ? bytes_of(answer, w->reply) : 0;
        FILE *out = open_memstream(&text, &text_size);
        vk_plan_print(&vk_plan, NULL, w->bytes, size, w->reply, reply, out);
        fclose(out);
        bool known = vk_plan_find(&vk_plan, sl_load_u32(w->bytes)) != NULL;
        SLT_EXPECT_EQ(known, strstr(text, "broken") == NULL);
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
            found[i] |= strstr(text, wanted[i]) != NULL;
        }
        free(text);
    }
    fclose(in);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        SLT_SCOPE("%s", wanted[i]);
        SLT_EXPECT_TRUE(found[i]);
    }
}
