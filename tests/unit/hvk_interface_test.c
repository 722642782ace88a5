/* Arrays of descriptors: a pipeline layout has as many as a shader's, or there is no pipeline, as
 * indices are held against the shader's array alone. */
#include "host/vulkan/hvk_clamp.h"
#include "tests/unit/hvk_scene.h"
#include "transport/base/mem.h"

#include <string.h>

/* layout(constant_id = 0) const int chosen = 1;
 * layout(set = 0, binding = 0) buffer B { uint words[]; } b[chosen];
 * layout(push_constant) uniform P { uint at; } p;
 * void main() { b[p.at].words[1] = 7; } */
static const uint32_t chosen_spv[] = {
    0x7230203,  0x10000,    0x8000b,    0x1c,    0x0,     0x20011, 0x1,     0x6000b, 0x1,
    0x4c534c47, 0x6474732e, 0x3035342e, 0x0,     0x3000e, 0x0,     0x1,     0x5000f, 0x5,
    0x4,        0x6e69616d, 0x0,        0x60010, 0x4,     0x11,    0x1,     0x1,     0x1,
    0x40047,    0x7,        0x6,        0x4,     0x50048, 0x8,     0x0,     0x23,    0x0,
    0x30047,    0x8,        0x3,        0x40047, 0xa,     0x1,     0x0,     0x40047, 0xd,
    0x22,       0x0,        0x40047,    0xd,     0x21,    0x0,     0x50048, 0xe,     0x0,
    0x23,       0x0,        0x30047,    0xe,     0x2,     0x40047, 0x1b,    0xb,     0x19,
    0x20013,    0x2,        0x30021,    0x3,     0x2,     0x40015, 0x6,     0x20,    0x0,
    0x3001d,    0x7,        0x6,        0x3001e, 0x8,     0x7,     0x40015, 0x9,     0x20,
    0x1,        0x40032,    0x9,        0xa,     0x1,     0x4001c, 0xb,     0x8,     0xa,
    0x40020,    0xc,        0x2,        0xb,     0x4003b, 0xc,     0xd,     0x2,     0x3001e,
    0xe,        0x6,        0x40020,    0xf,     0x9,     0xe,     0x4003b, 0xf,     0x10,
    0x9,        0x4002b,    0x9,        0x11,    0x0,     0x40020, 0x12,    0x9,     0x6,
    0x4002b,    0x9,        0x15,       0x1,     0x4002b, 0x6,     0x16,    0x7,     0x40020,
    0x17,       0x2,        0x6,        0x40017, 0x19,    0x6,     0x3,     0x4002b, 0x6,
    0x1a,       0x1,        0x6002c,    0x19,    0x1b,    0x1a,    0x1a,    0x1a,    0x50036,
    0x2,        0x4,        0x0,        0x3,     0x200f8, 0x5,     0x50041, 0x12,    0x13,
    0x10,       0x11,       0x4003d,    0x6,     0x14,    0x13,    0x70041, 0x17,    0x18,
    0xd,        0x14,       0x11,       0x15,    0x3003e, 0x18,    0x16,    0x100fd, 0x10038};

/* The same with b[]. */
static const uint32_t endless_spv[] = {
    0x7230203, 0x10000, 0x8000b,    0x1b,       0x0,        0x20011,    0x1,        0x20011,
    0x14b6,    0x8000a, 0x5f565053, 0x5f545845, 0x63736564, 0x74706972, 0x695f726f, 0x7865646e,
    0x676e69,  0x6000b, 0x1,        0x4c534c47, 0x6474732e, 0x3035342e, 0x0,        0x3000e,
    0x0,       0x1,     0x5000f,    0x5,        0x4,        0x6e69616d, 0x0,        0x60010,
    0x4,       0x11,    0x1,        0x1,        0x1,        0x40047,    0x7,        0x6,
    0x4,       0x50048, 0x8,        0x0,        0x23,       0x0,        0x30047,    0x8,
    0x3,       0x40047, 0xb,        0x22,       0x0,        0x40047,    0xb,        0x21,
    0x0,       0x50048, 0xc,        0x0,        0x23,       0x0,        0x30047,    0xc,
    0x2,       0x40047, 0x1a,       0xb,        0x19,       0x20013,    0x2,        0x30021,
    0x3,       0x2,     0x40015,    0x6,        0x20,       0x0,        0x3001d,    0x7,
    0x6,       0x3001e, 0x8,        0x7,        0x3001d,    0x9,        0x8,        0x40020,
    0xa,       0x2,     0x9,        0x4003b,    0xa,        0xb,        0x2,        0x3001e,
    0xc,       0x6,     0x40020,    0xd,        0x9,        0xc,        0x4003b,    0xd,
    0xe,       0x9,     0x40015,    0xf,        0x20,       0x1,        0x4002b,    0xf,
    0x10,      0x0,     0x40020,    0x11,       0x9,        0x6,        0x4002b,    0xf,
    0x14,      0x1,     0x4002b,    0x6,        0x15,       0x7,        0x40020,    0x16,
    0x2,       0x6,     0x40017,    0x18,       0x6,        0x3,        0x4002b,    0x6,
    0x19,      0x1,     0x6002c,    0x18,       0x1a,       0x19,       0x19,       0x19,
    0x50036,   0x2,     0x4,        0x0,        0x3,        0x200f8,    0x5,        0x50041,
    0x11,      0x12,    0xe,        0x10,       0x4003d,    0x6,        0x13,       0x12,
    0x70041,   0x16,    0x17,       0xb,        0x13,       0x10,       0x14,       0x3003e,
    0x17,      0x15,    0x100fd,    0x10038};

#define WORDS (sizeof chosen_spv / sizeof chosen_spv[0])

SLT_FIXTURE(hvk_interface, struct vk_world, scene_init, vk_world_finish);

/* The layout has one. chosen: what the pipeline says, 0: nothing. */
static VkResult pipeline_make(struct vk_world *w, const uint32_t *code, uint32_t chosen,
                              struct vp_compute *c)
{
    const VkSpecializationMapEntry entry = {.size = 4};
    const VkSpecializationInfo info = {
        .mapEntryCount = 1, .pMapEntries = &entry, .dataSize = 4, .pData = &chosen};
    const VkComputePipelineCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = vp_shader(w, code, WORDS * 4),
                  .pName = "main",
                  .pSpecializationInfo = chosen != 0 ? &info : NULL},
        .layout = c->layout};
    VkResult r;
    c->pipeline = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &create, NULL,
            &c->pipeline);
    VK_READ(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &create, NULL,
            &c->pipeline, &r);
    return r;
}

#define OP_SPEC_CONSTANT 50u

/* The code with that length where pipelines choose none, or in place of what they choose. */
static void length_set(uint32_t words[WORDS], uint32_t length, bool is_chosen)
{
    memcpy(words, chosen_spv, sizeof chosen_spv);
    for (size_t at = 5; at < WORDS; at += words[at] >> 16) {
        if ((words[at] & 0xffff) == OP_SPEC_CONSTANT) {
            words[at] = is_chosen ? words[at] : 4u << 16 | 43u;
            words[at + 3] = length;
        }
    }
}

struct count_case {
    const char *label;
    uint32_t length, chosen;
    bool is_known, fits;
};
static const struct count_case count_cases[] = {{"one", 1, 0, true, true},
                                                {"two", 2, 0, true, false},
                                                {"sixty_thousand", 60000, 0, true, false},
                                                {"unless_chosen", 1, 0, false, true},
                                                {"too_many_unless_chosen", 60000, 0, false, false},
                                                {"chosen", 60000, 1, false, true},
                                                {"too_many_chosen", 1, 60000, false, false}};

/* Natively lavapipe (22) makes them all, and takes the first descriptor for those that there are
 * not; others take what lies behind the last. */
SLT_TEST_FP(hvk_interface, layouts_have_as_many_as_shaders, w, struct count_case, count_cases, k)
{
    uint32_t words[WORDS];
    struct vp_compute c;
    VkDescriptorSet set;
    struct vp_mapped m;
    vk_world_device(w);
    vp_compute_make(w, 1, &c);
    vp_mapped_make(w, 7, &m);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, m.buffer);
    m.words[1] = 0;
    length_set(words, k->length, !k->is_known);
    SLT_EXPECT_EQ(k->fits, pipeline_make(w, words, k->chosen, &c) == VK_SUCCESS);
    if (c.pipeline != VK_NULL_HANDLE) {
        vp_dispatch(w, &c, set, k->fits ? 0 : 59999);
        SLT_EXPECT_EQ(k->fits ? 7u : 0u, m.words[1]);
    }
    vp_mapped_free(w, &m);
}

/* --- where indices are cut --- */

SLT_TEST(hvk_clamp, arrays_of_descriptors_have_a_length)
{
    struct hvk_clamped out;
    const char *why = NULL;
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED,
                      hvk_clamp(endless_spv, sizeof endless_spv / 4, false, &out, &why));
    SLT_EXPECT_STREQ("an array of descriptors has no length", why);
    SLT_EXPECT_OK(hvk_clamp(chosen_spv, WORDS, false, &out, &why));
    sl_free(out.words);
}
