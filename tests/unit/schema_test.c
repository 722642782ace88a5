/* The protocol's description in traces: written and read, and what an enemy writes. */
#include "tables/plans.h"
#include "tests/support/slt.h"
#include "tools/sluice/schema.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct schema *parsed(const char *text, size_t size)
{
    struct schema *schema = NULL;
    SLT_EXPECT_EQ(SL_OK, schema_parse(text, size, &schema));
    return schema;
}

SLT_TEST(schema, what_is_written_is_read)
{
    size_t size;
    char *text = schema_text(&size);
    SLT_ASSERT_TRUE(text != NULL);
    struct schema *schema = parsed(text, size);
    SLT_ASSERT_TRUE(schema != NULL);
    uint32_t commands = 0;
    for (uint32_t i = 0; i < PLAN_APIS; i++) {
        for (uint32_t k = 0; k < plan_apis[i]->count; k++) {
            const struct plan_command *own = &plan_apis[i]->commands[k];
            uint32_t opcode = plan_apis[i]->first_opcode + k;
            if (own->name == NULL) {
                continue;
            }
            struct schema_command read = schema_find(schema, opcode);
            SLT_ASSERT_TRUE(read.plan != NULL);
            SLT_EXPECT_STREQ(own->name, read.name);
            SLT_EXPECT_EQ(own->field_count, read.plan->field_count);
            for (uint32_t f = 0; f < own->field_count; f++) {
                SLT_EXPECT_STREQ(own->fields[f].name, read.plan->fields[f].name);
                SLT_EXPECT_TRUE(own->fields[f].names == read.plan->fields[f].names);
            }
            SLT_EXPECT_TRUE(schema_is_same(schema, opcode));
            commands++;
        }
    }
    SLT_EXPECT_TRUE(commands > 500);
    for (uint32_t i = 0; i < vk_plan.command_count; i++) {
        uint32_t opcode = vk_plan.commands[i].opcode;
        SLT_EXPECT_STREQ(vk_plan.commands[i].name, schema_find(schema, opcode).name);
        SLT_EXPECT_TRUE(schema_is_same(schema, opcode));
    }
    SLT_EXPECT_TRUE(schema_find(schema, 4000000000u).name == NULL);
    schema_destroy(schema);
    sl_free(text);
}

SLT_TEST(schema, other_layouts_are_told_apart)
{
    static const char text[] = "{\"schema\":1, \"gl\": [[2060,\"glA\",0,0,0,0,[]]] ,\"vulkan\":"
                               "[[20000,\"vkCreateInstance\",\"0000000000000000\"]]}";
    struct schema *schema = parsed(text, sizeof text - 1);
    SLT_ASSERT_TRUE(schema != NULL);
    SLT_EXPECT_TRUE(!schema_is_same(schema, 2060));
    SLT_EXPECT_TRUE(!schema_is_same(schema, 20000));
    SLT_EXPECT_STREQ("glA", schema_find(schema, 2060).name);
    SLT_EXPECT_STREQ("vkCreateInstance", schema_find(schema, 20000).name);
    SLT_EXPECT_TRUE(schema_find(schema, 20000).vk == NULL);
    schema_destroy(schema);
}

SLT_TEST(schema, what_makes_no_sense_is_refused)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "{\"schema\":2,\"gl\":[],\"vulkan\":[]}",
        "{\"schema\":1,\"gl\":[[1,\"a\",2,0,0,0,[]]],\"vulkan\":[]}",
        "{\"schema\":1,\"gl\":[[1,\"a\",0,99,0,0,[]]],\"vulkan\":[]}",
        "{\"schema\":1,\"gl\":[[1,\"a\",0,0,0,0,[[\"f\",\"t\",9,0,0,0]]]],\"vulkan\":[]}",
        "{\"schema\":1,\"gl\":[[1,\"a\\n\",0,0,0,0,[]]],\"vulkan\":[]}",
        "{\"schema\":1,\"gl\":[[99999999999,\"a\",0,0,0,0,[]]],\"vulkan\":[]}",
        "{\"schema\":1,\"gl\":[[1,\"a\",0,0,0,0,[]],],\"vulkan\":[]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct schema *schema = NULL;
        SLT_EXPECT_EQ(SL_ERR_PROTOCOL, schema_parse(wrong[i], strlen(wrong[i]), &schema));
        SLT_EXPECT_TRUE(schema == NULL);
    }
}

/* Of its own allocation, so that a sanitizer sees the first byte read past it. */
static enum sl_result parse_exact(const char *text, size_t size)
{
    struct schema *schema = NULL;
    char *exact = malloc(size != 0 ? size : 1);
    if (exact == NULL) {
        return SL_ERR_NOMEM;
    }
    memcpy(exact, text, size);
    enum sl_result result = schema_parse(exact, size, &schema);
    if (result == SL_OK) { /* what it says may be nonsense, but can be asked for */
        for (uint32_t opcode = 1000; opcode < 3000; opcode += 7) {
            (void)schema_is_same(schema, opcode);
        }
    }
    schema_destroy(schema);
    free(exact);
    return result;
}

SLT_TEST(schema, no_damage_kills)
{
    size_t size;
    char *text = schema_text(&size);
    uint64_t state = 88172645463325252ull;
    SLT_ASSERT_TRUE(text != NULL);
    for (size_t i = 0; i < 100; i++) {
        SLT_EXPECT_EQ(SL_ERR_PROTOCOL, parse_exact(text, i * size / 100));
    }
    for (uint32_t i = 0; i < 300; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char kept = text[state % size];
        text[state % size] = "[]{},:\"0"[state >> 32 & 7];
        (void)parse_exact(text, size);
        text[state % size] = kept;
    }
    SLT_EXPECT_EQ(SL_OK, parse_exact(text, size));
    sl_free(text);
}
