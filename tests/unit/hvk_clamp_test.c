/* Indices that shaders compute: on a host that serves strangers by a driver of the CPU they stay in
 * their arrays (attack case C14). */
#include "host/vulkan/hvk_clamp.h"
#include "host/vulkan/spirv.h"
#include "tests/unit/hvk_scene.h"
#include "tests/unit/hvk_used.h"
#include "transport/base/mem.h"

#include <string.h>

/* --- drawn by the native driver --- */

static void begin(struct vk_world *w)
{
    w->options.is_valid_spirv = spirv_checker();
    w->options.clamps_indices = true;
    scene_init(w);
}

SLT_FIXTURE(hvk_clamp, struct vk_world, begin, vk_world_finish);

struct stage {
    struct vp_compute c;
    VkDescriptorSet set;
    struct vp_mapped m;
};

static void stage_make(struct vk_world *w, struct stage *s)
{
    vk_world_device(w);
    vp_compute_make(w, 1, &s->c);
    vp_mapped_make(w, 7, &s->m);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &s->c, &s->set));
    vp_set_write(w, s->set, s->m.buffer);
}

/* What the shader finds in an array of that kind. */
static uint32_t found_at(struct vk_world *w, struct stage *s, uint32_t kind, uint32_t index)
{
    s->m.words[0] = index;
    s->m.words[1] = 0;
    vp_dispatch(w, &s->c, s->set, kind);
    return s->m.words[1];
}

struct kind_case {
    const char *label;
    uint32_t kind;
};
static const struct kind_case kind_cases[] = {
    {"shared", 0},         {"shared_of_a_power", 1},  {"shared_in_each_other", 2},
    {"shared_vectors", 3}, {"shared_of_a_chosen", 4}, {"private", 5},
    {"local", 6}};

/* Natively lavapipe answers with what lies there, or ends. */
SLT_TEST_FP(hvk_clamp, indices_stay_in_their_arrays, w, struct kind_case, kind_cases, k)
{
    static const uint32_t indices[] = {0,        1,          4,          5,          10,
                                       16,       33,         40,         41,         4096,
                                       1u << 20, 1u << 26,   1u << 30,   0x3fffffff, INT32_MAX,
                                       1u << 31, UINT32_MAX, 0xfffffff6, 0xfffff000, 0xc0000000};
    struct stage s;
    stage_make(w, &s);
    s.c.pipeline = vp_compute_pipeline(w, s.c.layout, hvk_index_spv, sizeof hvk_index_spv);
    for (size_t i = 0; i < sizeof indices / sizeof indices[0] && !w->main.lost; i++) {
        SLT_SCOPE("index 0x%x", indices[i]);
        SLT_EXPECT_EQ(7u, found_at(w, &s, k->kind, indices[i]));
    }
    vp_mapped_free(w, &s.m);
}

/* The chosen length is no longer than there is room for, and never none. */
SLT_TEST_F(hvk_clamp, pipelines_choose_no_length_that_drivers_miscount, w)
{
    static const uint32_t lengths[] = {1, 10, 40, 0, 0x40000001, 0x7fffffff, UINT32_MAX};
    const VkSpecializationMapEntry entry = {.size = 4};
    struct stage s;
    stage_make(w, &s);
    VkShaderModule module = vp_shader(w, hvk_index_spv, sizeof hvk_index_spv);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        SLT_SCOPE("length 0x%x", lengths[i]);
        const VkSpecializationInfo chosen = {
            .mapEntryCount = 1, .pMapEntries = &entry, .dataSize = 4, .pData = &lengths[i]};
        const VkComputePipelineCreateInfo info = {
            .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
            .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                      .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                      .module = module,
                      .pName = "main",
                      .pSpecializationInfo = &chosen},
            .layout = s.c.layout};
        VkResult r;
        VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL,
                &s.c.pipeline);
        VK_READ(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL,
                &s.c.pipeline, &r);
        SLT_ASSERT_EQ(VK_SUCCESS, r);
        if (lengths[i] != 0 && lengths[i] <= INT32_MAX) { /* as the shader's loop counts */
            SLT_EXPECT_EQ(7u, found_at(w, &s, 4, 0));
        }
        (void)found_at(w, &s, 4, 1u << 28); /* lives */
    }
    vp_mapped_free(w, &s.m);
}

/* Natively lavapipe tells what the dispatch before left, of whatever process (attack case I04). */
SLT_TEST_F(hvk_clamp, shared_memory_is_zeros_at_first, w)
{
    struct stage s;
    stage_make(w, &s);
    s.c.pipeline = vp_compute_pipeline(w, s.c.layout, hvk_left_spv, sizeof hvk_left_spv);
    s.m.words[0] = 1;
    s.m.words[1] = 0;
    vp_dispatch(w, &s.c, s.set, 0x5ec2e7);
    SLT_EXPECT_EQ(0x5ec2e7u, s.m.words[1]);
    s.m.words[1] = 0;
    vp_dispatch(w, &s.c, s.set, 0);
    SLT_EXPECT_EQ(0u, s.m.words[1]);
    vp_mapped_free(w, &s.m);
}

/* --- the module alone --- */

#define OP_CONSTANT 43u

/* The code with another value for each constant of that one. */
static void constant_set(uint32_t *words, uint32_t from, uint32_t to)
{
    for (size_t at = 5; at < HVK_INDEX_WORDS; at += words[at] >> 16) {
        if ((words[at] & 0xffff) == OP_CONSTANT && words[at + 3] == from) {
            words[at + 3] = to;
        }
    }
}

static enum sl_result clamp(const uint32_t *words, size_t size, struct hvk_clamped *out)
{
    const char *why = NULL;
    *out = (struct hvk_clamped){NULL, 0};
    enum sl_result result = hvk_clamp(words, size / 4, true, out, &why);
    SLT_EXPECT_EQ(result == SL_ERR_UNSUPPORTED, why != NULL);
    return result;
}

SLT_TEST(hvk_clamp, code_without_such_arrays_stays_as_it_is)
{
    struct hvk_clamped out;
    SLT_EXPECT_OK(clamp(vp_double_spv, sizeof vp_double_spv, &out));
    SLT_EXPECT_NULL(out.words);
}

struct length_case {
    const char *label;
    uint32_t length;
    enum sl_result want;
};
static const struct length_case length_cases[] = {
    {"as_long_as_it_may", 60000, SL_OK},
    {"too_long", 70000, SL_ERR_UNSUPPORTED},
    {"none", 0, SL_ERR_UNSUPPORTED},
    {"of_four_gigabytes", 0x40000001, SL_ERR_UNSUPPORTED},
    {"below_none", UINT32_MAX, SL_ERR_UNSUPPORTED}};

SLT_TEST_P(hvk_clamp, arrays_are_no_longer_than_drivers_count, struct length_case, length_cases, c)
{
    uint32_t words[HVK_INDEX_WORDS];
    struct hvk_clamped out;
    memcpy(words, hvk_index_spv, sizeof words);
    constant_set(words, 33, c->length);
    SLT_EXPECT_RESULT(c->want, clamp(words, sizeof words, &out));
    sl_free(out.words);
}

SLT_TEST(hvk_clamp, pointers_are_computed_in_buffers_alone)
{
    enum { CHAIN = 65, POINTER_CHAIN = 67 };
    uint32_t words[HVK_INDEX_WORDS];
    struct hvk_clamped out;
    memcpy(words, hvk_index_spv, sizeof words);
    size_t last = 0;
    for (size_t at = 5; at < HVK_INDEX_WORDS; at += words[at] >> 16) {
        last = (words[at] & 0xffff) == CHAIN && words[at] >> 16 == 5 ? at : last;
    }
    SLT_ASSERT_LT(0u, last);
    words[last] = 5u << 16 | POINTER_CHAIN;
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, clamp(words, sizeof words, &out));
}

SLT_TEST(hvk_clamp, survives_to_be_without_memory)
{
    struct hvk_clamped out;
    for (uint64_t n = 0; n < 32; n++) {
        sl_alloc_fail_after(n);
        enum sl_result result = clamp(hvk_index_spv, sizeof hvk_index_spv, &out);
        sl_alloc_fail_after(UINT64_MAX);
        if (result == SL_OK) {
            SLT_EXPECT_LT(3u, n);
            sl_free(out.words);
            return;
        }
        SLT_EXPECT_RESULT(SL_ERR_NOMEM, result);
    }
    SLT_EXPECT_TRUE(false); /* no end to it */
}
