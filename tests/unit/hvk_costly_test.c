/* Valid shaders that take whoever looks at them long, or much memory (attack case C14): the host
 * that looks at strangers' refuses them first, and takes what programs have. */
#include "host/vulkan/spirv.h"
#include "tests/unit/hvk_scene.h"
#include "transport/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX (1u << 18)

/* A module of one entry point, written from its head on. */
struct module {
    uint32_t *words;
    size_t count;
    uint32_t next; /* id */
};

enum { VOID_TYPE = 1, FUNCTION_TYPE, BOOL_TYPE, TRUE_VALUE, MAIN, FIRST_FREE };

static void put(struct module *m, uint32_t op, uint32_t count, const uint32_t *operands)
{
    if (m->count + count + 1 > WORDS_MAX) {
        return; /* the module is none, which fails the test */
    }
    m->words[m->count++] = (count + 1) << 16 | op;
    for (uint32_t i = 0; i < count; i++) {
        m->words[m->count++] = operands[i];
    }
}

#define PUT(m_, op_, ...)                                                                          \
    put(m_, op_, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),                       \
        (const uint32_t[]){__VA_ARGS__})
#define PUT_NONE(m_, op_) put(m_, op_, 0, NULL)

static void entry(struct module *m, uint32_t number)
{
    char name[12] = "main\0\0\0";
    uint32_t as_words[2];
    if (number != 0) {
        snprintf(name, sizeof name, "e%06u", number);
    }
    memcpy(as_words, name, sizeof as_words);
    PUT(m, 15, 5, MAIN, as_words[0], as_words[1]);
}

static void begin_module(struct module *m, uint32_t entries)
{
    m->words = calloc(WORDS_MAX, sizeof *m->words);
    SLT_ASSERT_TRUE(m->words != NULL);
    memcpy(m->words, (const uint32_t[]){0x07230203, 0x10300, 0, 0, 0}, 20);
    m->count = 5;
    m->next = FIRST_FREE;
    PUT(m, 17, 1);    /* Shader */
    PUT(m, 14, 0, 1); /* Logical, GLSL450 */
    for (uint32_t i = 0; i < entries; i++) {
        entry(m, i);
    }
    PUT(m, 16, MAIN, 17, 1, 1, 1); /* LocalSize */
    PUT(m, 19, VOID_TYPE);
    PUT(m, 33, FUNCTION_TYPE, VOID_TYPE);
    PUT(m, 20, BOOL_TYPE);
    PUT(m, 41, BOOL_TYPE, TRUE_VALUE);
}

static void label(struct module *m, uint32_t id)
{
    PUT(m, 248, id);
}

static void branch(struct module *m, uint32_t to)
{
    PUT(m, 249, to);
}

static void begin_function(struct module *m, uint32_t id)
{
    PUT(m, 54, VOID_TYPE, id, 0, FUNCTION_TYPE);
    label(m, m->next++);
}

static void end_function(struct module *m)
{
    PUT_NONE(m, 253);
    PUT_NONE(m, 56);
}

/* --- what there is much of --- */

static void blocks(struct module *m, uint32_t much)
{
    begin_module(m, 1);
    begin_function(m, MAIN);
    for (uint32_t i = 0; i < much; i++) {
        branch(m, m->next);
        label(m, m->next++);
    }
    end_function(m);
}

static void conditions_in_each_other(struct module *m, uint32_t much)
{
    begin_module(m, 1);
    begin_function(m, MAIN);
    uint32_t behind = m->next;
    m->next += much;
    for (uint32_t i = 0; i < much; i++) {
        uint32_t inside = m->next++;
        PUT(m, 247, behind + i, 0);
        PUT(m, 250, TRUE_VALUE, inside, behind + i);
        label(m, inside);
    }
    for (uint32_t i = much; i-- != 0;) {
        branch(m, behind + i);
        label(m, behind + i);
    }
    end_function(m);
}

/* Each calls the one before twice. */
static void calls(struct module *m, uint32_t much)
{
    begin_module(m, 1);
    begin_function(m, MAIN);
    end_function(m);
    for (uint32_t i = 0, before = 0; i < much; i++) {
        uint32_t id = m->next++;
        begin_function(m, id);
        for (uint32_t n = 0; before != 0 && n < 2; n++) {
            PUT(m, 57, VOID_TYPE, m->next++, before);
        }
        end_function(m);
        before = id;
    }
}

static void entry_points(struct module *m, uint32_t much)
{
    begin_module(m, much);
    begin_function(m, MAIN);
    end_function(m);
    for (uint32_t i = 0; i < much; i++) {
        begin_function(m, m->next++);
        end_function(m);
    }
}

struct much_case {
    const char *label;
    void (*make)(struct module *m, uint32_t much);
    uint32_t much;
    bool is_valid;
};
/* Unlimited, those that are refused took 12 s (conditions) to 38 s (calls). */
static const struct much_case much_cases[] = {
    {"many_blocks", blocks, 12000, true},
    {"too_many_blocks", blocks, 60000, false},
    {"conditions", conditions_in_each_other, 200, true},
    {"too_many_conditions", conditions_in_each_other, 900, false},
    {"many_calls", calls, 1500, true},
    {"too_many_calls", calls, 15000, false},
    {"entry_points", entry_points, 1000, true},
    {"too_many_entry_points", entry_points, 14000, false}};

SLT_TEST_P(hvk_costly, shaders_are_looked_at_in_seconds, struct much_case, much_cases, c)
{
    struct module m;
    char why[300] = "";
    spirv_check is_valid = spirv_checker();
    SLT_TIMEOUT(60);
    if (is_valid == NULL) {
        SLT_SKIP("built without SPIRV-Tools");
    }
    c->make(&m, c->much);
    m.words[3] = m.next;
    uint64_t begin_ns = sl_clock_ns();
    SLT_EXPECT_EQ(c->is_valid, is_valid(m.words, m.count, why, sizeof why));
    SLT_EXPECT_EQ(c->is_valid, why[0] == '\0');
    SLT_EXPECT_LT(sl_clock_ns() - begin_ns, 10 * SL_NS_PER_S); /* below instruments, too */
    free(m.words);
}

/* --- sizes --- */

static void begin(struct vk_world *w)
{
    w->options.shader_bytes = VP_DOUBLE_WORDS * 4;
    scene_init(w);
}

SLT_FIXTURE(hvk_costly_size, struct vk_world, begin, vk_world_finish);

static VkResult module_of_words(struct vk_world *w, const uint32_t *words, size_t count)
{
    const VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = count * 4,
                                           .pCode = words};
    VkShaderModule module;
    VkResult r;
    VK_SEND(&w->main, CreateShaderModule, w->device, &info, NULL, &module);
    VK_READ(&w->main, CreateShaderModule, w->device, &info, NULL, &module, &r);
    return r;
}

SLT_TEST_F(hvk_costly_size, shaders_are_no_longer_than_the_host_says, w)
{
    uint32_t longer[VP_DOUBLE_WORDS + 1];
    memcpy(longer, vp_double_spv, sizeof vp_double_spv);
    longer[VP_DOUBLE_WORDS] = 1u << 16; /* no operation */
    vk_world_device(w);
    SLT_EXPECT_EQ(VK_SUCCESS, module_of_words(w, vp_double_spv, VP_DOUBLE_WORDS));
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_HOST_MEMORY, module_of_words(w, longer, VP_DOUBLE_WORDS + 1));
    SLT_EXPECT_EQ(VK_SUCCESS, module_of_words(w, vp_double_spv, VP_DOUBLE_WORDS)); /* lives */
}
