/* The plan's interpreter: agrees with the generated packers, survives every cut, prints. */
#include "tables/gles2_plan.h"
#include "tables/plans.h"
#include "tables/rc_plan.h"
#include "tables/sl_plan.h"
#include "tests/support/slt.h"
#include "tools/plan/plan.h"
#include "transport/base/pack.h"
#include "wire/gles2_opcodes.h"
#include "wire/gles2_pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

SLT_FIXTURE(plan, struct sl_pack_mem, sl_pack_mem_init, sl_pack_mem_finish);

static size_t packed(const struct sl_pack_mem *mem)
{
    return (size_t)(mem->pack.cur - mem->data);
}

/* The packet in mem, with this reply, as text; freed by the caller. */
static char *printed(const struct sl_pack_mem *mem, size_t size, const void *reply,
                     size_t reply_size)
{
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    plan_print(plan_find(&gles2_plan, sl_load_u32(mem->data)), NULL, mem->data, size, reply,
               reply_size, out);
    fclose(out);
    return text;
}

static void prints(const struct sl_pack_mem *mem, const void *reply, size_t reply_size,
                   const char *want)
{
    char *text = printed(mem, packed(mem), reply, reply_size);
    SLT_EXPECT_STREQ(want, text);
    free(text);
}

SLT_TEST(plan_tables, name_every_opcode)
{
    uint32_t commands = 0;
    for (size_t i = 0; i < PLAN_APIS; i++) {
        for (uint32_t j = 0; j < plan_apis[i]->count; j++) {
            const struct plan_command *c = plan_find(plan_apis[i], plan_apis[i]->first_opcode + j);
            SLT_ASSERT_EQ(&plan_apis[i]->commands[j], c);
            SLT_ASSERT_TRUE(c->name != NULL && c->field_count <= PLAN_FIELDS_MAX);
            commands++;
        }
        SLT_EXPECT_NULL(plan_find(plan_apis[i], plan_apis[i]->first_opcode - 1));
        SLT_EXPECT_NULL(plan_find(plan_apis[i], plan_apis[i]->first_opcode + plan_apis[i]->count));
    }
    SLT_EXPECT_GE(commands, 802u);
}

SLT_TEST_F(plan, scalars_agree_with_the_packer, mem)
{
    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used = 0;
    gles2_pack_glDrawArrays(&mem->pack, 4, -3, 12);
    const struct plan_command *c = plan_find(&gles2_plan, GLES2_OP_glDrawArrays);
    SLT_ASSERT_OK(plan_decode(c, mem->data + PLAN_HEADER_SIZE, packed(mem) - PLAN_HEADER_SIZE,
                              values, &used));
    SLT_EXPECT_EQ(packed(mem) - PLAN_HEADER_SIZE, used);
    SLT_EXPECT_EQ(4u, values[0].bits);
    SLT_EXPECT_EQ(-3, (int64_t)values[1].bits);
    SLT_EXPECT_EQ(12u, values[2].bits);
    prints(mem, NULL, 0, "glDrawArrays(mode = GL_TRIANGLES, first = -3, count = 12)");
}

SLT_TEST_F(plan, arrays_and_strings_are_shown, mem)
{
    static const float vector[4] = {1.0f, 0.5f, -2.0f, 0.0f};
    gles2_pack_glUniform4fv(&mem->pack, 7, 1, vector, sizeof vector);
    prints(mem, NULL, 0, "glUniform4fv(location = 7, count = 1, v = {1, 0.5, -2, 0})");
    mem->pack.cur = mem->data;
    gles2_pack_glBindAttribLocation(&mem->pack, 1, 2, "a\"b\n", 5);
    prints(mem, NULL, 0, "glBindAttribLocation(program = 1, index = 2, name = \"a\\\"b\\n\")");
}

SLT_TEST_F(plan, replies_are_taken_apart, mem)
{
    static const uint32_t names[2] = {5, 6};
    gles2_pack_glGenTextures(&mem->pack, 2, sizeof names);
    prints(mem, names, sizeof names, "glGenTextures(n = 2, textures = -> {5, 6})");
    prints(mem, names, 4, "glGenTextures(n = 2, textures = -> [8 bytes])");
    mem->pack.cur = mem->data;
    gles2_pack_glGetError(&mem->pack);
    prints(mem, "\x02\x05\0\0", 4, "glGetError() -> GL_INVALID_OPERATION");
    prints(mem, NULL, 0, "glGetError() -> (cut off)");
}

SLT_TEST_F(plan, values_go_by_name_where_it_is_sure, mem)
{
    static const uint32_t buffers[2] = {0, 0x8ce0};
    gles2_pack_glBlendFunc(&mem->pack, 0, 1);
    prints(mem, NULL, 0, "glBlendFunc(sfactor = GL_ZERO, dfactor = GL_ONE)");
    mem->pack.cur = mem->data;
    gles2_pack_glEnable(&mem->pack, 1); /* no group: a small number may be anything */
    prints(mem, NULL, 0, "glEnable(cap = 0x0001)");
    mem->pack.cur = mem->data;
    gles2_pack_glDrawArrays(&mem->pack, 0x4100, 0, 3); /* bits are no names of values */
    prints(mem, NULL, 0, "glDrawArrays(mode = 0x4100, first = 0, count = 3)");
    mem->pack.cur = mem->data;
    gles2_pack_glDrawArrays(&mem->pack, 0x0de1, 0, 3); /* wrong, and still readable */
    prints(mem, NULL, 0, "glDrawArrays(mode = GL_TEXTURE_2D, first = 0, count = 3)");
    mem->pack.cur = mem->data;
    gles2_pack_glDrawBuffers(&mem->pack, 2, buffers, sizeof buffers);
    prints(mem, NULL, 0, "glDrawBuffers(n = 2, bufs = {GL_NONE, GL_COLOR_ATTACHMENT0})");
    mem->pack.cur = mem->data;
    gles2_pack_glGetError(&mem->pack);
    prints(mem, "\0\0\0\0", 4, "glGetError() -> GL_NO_ERROR");
}

SLT_TEST_F(plan, bits_go_by_name, mem)
{
    gles2_pack_glClear(&mem->pack, 0x4100);
    prints(mem, NULL, 0, "glClear(mask = GL_DEPTH_BUFFER_BIT | GL_COLOR_BUFFER_BIT)");
    mem->pack.cur = mem->data;
    gles2_pack_glClear(&mem->pack, 0x4003);
    prints(mem, NULL, 0, "glClear(mask = GL_COLOR_BUFFER_BIT | 0x0003)");
    mem->pack.cur = mem->data;
    gles2_pack_glClear(&mem->pack, 0);
    prints(mem, NULL, 0, "glClear(mask = 0)");
    mem->pack.cur = mem->data;
    gles2_pack_glMemoryBarrier(&mem->pack, UINT32_MAX);
    prints(mem, NULL, 0, "glMemoryBarrier(barriers = GL_ALL_BARRIER_BITS)");
    mem->pack.cur = mem->data;
    gles2_pack_glDepthMask(&mem->pack, 1);
    prints(mem, NULL, 0, "glDepthMask(flag = GL_TRUE)");
}

SLT_TEST_F(plan, every_cut_is_noticed, mem)
{
    static const float vector[4] = {1.0f, 0.5f, -2.0f, 0.0f};
    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used;
    gles2_pack_glUniform4fv(&mem->pack, 7, 1, vector, sizeof vector);
    size_t size = packed(mem) - PLAN_HEADER_SIZE;
    uint8_t *cut =
        malloc(size); /* of its own size each time, so that ASan sees one byte too many */
    for (size_t i = 0; i < size; i++) {
        uint8_t *exact = memcpy(realloc(cut, i + 1), mem->data + PLAN_HEADER_SIZE, i);
        cut = exact;
        SLT_EXPECT_RESULT(
            SL_ERR_PROTOCOL,
            plan_decode(plan_find(&gles2_plan, GLES2_OP_glUniform4fv), cut, i, values, &used));
        free(printed(mem, PLAN_HEADER_SIZE + i, NULL, 0));
    }
    free(cut);
}

SLT_TEST(plan_tables, random_packets_are_harmless)
{
    FILE *out = fopen("/dev/null", "w");
    uint8_t packet[96], reply[16];
    uint32_t seed = 1;
    for (uint32_t i = 0; i < 200000; i++) {
        for (size_t j = 0; j < sizeof packet; j++) {
            seed = seed * 1664525u + 1013904223u;
            packet[j] = seed >> 28 ? (uint8_t)(seed >> 29)
                                   : (uint8_t)(seed >> 16); /* small lengths often */
            reply[j % sizeof reply] = (uint8_t)(seed >> 20);
        }
        const struct plan_command *c = &gles2_plan.commands[seed % gles2_plan.count];
        plan_print(c, NULL, packet, (seed >> 8) % sizeof packet, reply, (seed >> 16) % sizeof reply,
                   out);
    }
    fclose(out);
}
