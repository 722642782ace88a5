/* A hostile guest's descriptors, command buffers and shaders on a native driver: what its layouts
 * do not have, what is gone, what no application would do (attack cases C05, C07, C08, C14, C17).
 */
#include "tests/unit/hvk_hostile.h"

#include "transport/base/mem.h"

#include <string.h>

SLT_FIXTURE(hvk_hostile_state, struct vk_world, vk_world_init, vk_world_finish);

/* --- descriptors: what a set's layout does not have is not written, and nobody is the worse --- */

static const VkDescriptorBufferInfo *whole(const struct hostile *h, VkDescriptorBufferInfo *info)
{
    *info = (VkDescriptorBufferInfo){.buffer = h->m.buffer, .range = VK_WHOLE_SIZE};
    return info;
}

static VkWriteDescriptorSet good_write(const struct hostile *h, const VkDescriptorBufferInfo *info)
{
    return (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .dstSet = h->set,
                                  .descriptorCount = 1,
                                  .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                  .pBufferInfo = info};
}

/* What the set has still works. */
static void expect_alive(struct vk_world *w, struct hostile *h)
{
    SLT_ASSERT_TRUE(!w->main.lost);
    vp_set_words(&h->m, 21);
    vp_dispatch(w, &h->c, h->set, 3);
    vp_expect_words(&h->m, 45);
    vp_mapped_free(w, &h->m);
}

struct write_case {
    const char *label;
    uint32_t binding, element, count;
    VkDescriptorType type;
    bool bare; /* without what is written (attack case C05) */
};
static const struct write_case write_cases[] = {
    {"of_another_type", 0, 0, 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, false},
    {"of_no_type", 0, 0, 1, (VkDescriptorType)77, false},
    {"to_no_binding", 1, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, false},
    {"to_a_binding_far_away", 1u << 30, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, false},
    {"behind_the_array", 0, 1, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, false},
    {"far_behind_the_array", 0, UINT32_MAX, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, false},
    {"over_the_arrays_end", 0, 0, 2, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, false},
    {"without_contents", 0, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, true},
};

SLT_TEST_FP(hvk_hostile_state, writes_against_the_layout_do_nothing, w, struct write_case,
            write_cases, c)
{
    struct hostile h;
    VkDescriptorBufferInfo info, two[2];
    hostile_make(w, &h);
    VkWriteDescriptorSet write = good_write(&h, whole(&h, &info));
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
    write.dstBinding = c->binding;
    write.dstArrayElement = c->element;
    write.descriptorCount = c->count;
    write.descriptorType = c->type;
    two[0] = two[1] = info;
    write.pBufferInfo = c->bare ? NULL : two;
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
    expect_alive(w, &h);
}

SLT_TEST_F(hvk_hostile_state, copies_against_the_layout_do_nothing, w)
{
    struct hostile h;
    VkDescriptorBufferInfo info;
    hostile_make(w, &h);
    const VkWriteDescriptorSet write = good_write(&h, whole(&h, &info));
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
    VkCopyDescriptorSet copy = {.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
                                .srcSet = h.set,
                                .dstSet = h.set,
                                .descriptorCount = 100};
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 0, NULL, 1, &copy);
    copy.descriptorCount = 1;
    copy.srcBinding = 1u << 30;
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 0, NULL, 1, &copy);
    copy.srcBinding = 0;
    copy.dstArrayElement = 9;
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 0, NULL, 1, &copy);
    expect_alive(w, &h);
}

SLT_TEST_F(hvk_hostile_state, templates_against_the_layout_do_nothing, w)
{
    struct hostile h;
    VkDescriptorBufferInfo info;
    hostile_make(w, &h);
    const VkWriteDescriptorSet write = good_write(&h, whole(&h, &info));
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
    VkDescriptorUpdateTemplate template = vp_template_make(w, h.c.set_layout, 1u << 20);
    const uint32_t entries[1] = {0};
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSizedGOOGLE, w->device, h.set, template, 0, 1,
            0, NULL, entries, NULL, NULL, &info, NULL);
    expect_alive(w, &h);
}

struct layout_case {
    const char *label;
    uint32_t number, count, twice;
};
static const struct layout_case layout_cases[] = {
    {"of_four_billion_bindings", UINT32_MAX, 1, 1},
    {"of_four_billion_descriptors", 0, UINT32_MAX, 1},
    {"with_a_binding_twice", 3, 1, 2},
};

SLT_TEST_FP(hvk_hostile_state, layouts_are_refused, w, struct layout_case, layout_cases, c)
{
    vk_world_device(w);
    const VkDescriptorSetLayoutBinding one = {.binding = c->number,
                                              .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                              .descriptorCount = c->count};
    const VkDescriptorSetLayoutBinding bindings[2] = {one, one};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = c->twice,
        .pBindings = bindings};
    VkDescriptorSetLayout layout = VK_NULL_HANDLE;
    VkResult r = VK_SUCCESS;
    VK_SEND(&w->main, CreateDescriptorSetLayout, w->device, &info, NULL, &layout);
    VK_READ(&w->main, CreateDescriptorSetLayout, w->device, &info, NULL, &layout, &r);
    SLT_EXPECT_LT(r, 0);
    SLT_EXPECT_TRUE(layout == VK_NULL_HANDLE);
}

/* --- lives of command buffers --- */

static void flush_one(struct vk_world *w, const struct hostile *h,
                      void (*record)(struct vk_pack *p, const struct hostile *h), bool ended)
{
    struct vk_pack recorded;
    VkCommandBuffer commands;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_begin(&recorded);
    record(&recorded, h);
    if (ended) {
        vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    }
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    if (!w->main.lost) {
        VkFence fence = vp_fence_make(w);
        vp_submit(w, commands, fence);
        SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    }
}

RECORD(dispatch_without_sets)
{
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.pipeline);
    vk_pack_vkCmdDispatch(p, 64, 1, 1);
}
RECORD(bind_what_is_gone)
{
    const VkDeviceSize offset = 0;
    vk_pack_vkCmdBindVertexBuffers(p, 0, 1, &h->m.buffer, &offset);
}
RECORD(index_with_what_is_gone)
{
    vk_pack_vkCmdBindIndexBuffer(p, h->m.buffer, 0, VK_INDEX_TYPE_UINT32);
}
RECORD(fill_often)
{
    for (uint32_t i = 0; i < 8000; i++) {
        vk_pack_vkCmdFillBuffer(p, h->m.buffer, 0, 256, i);
    }
}

/* A shader may leave its sets alone, so this is no error; it reads zeros. */
SLT_TEST_F(hvk_hostile_state, a_dispatch_without_its_sets_is_survived, w)
{
    struct hostile h;
    hostile_make(w, &h);
    flush_one(w, &h, dispatch_without_sets, true);
    SLT_EXPECT_TRUE(!w->main.lost);
    vp_mapped_free(w, &h.m);
}

static const struct recorded_case gone_cases[] = {ROW(bind_what_is_gone),
                                                  ROW(index_with_what_is_gone)};
SLT_TEST_FP(hvk_hostile_state, buffers_that_are_gone_are_not_bound, w, struct recorded_case,
            gone_cases, c)
{
    struct hostile h;
    hostile_make(w, &h);
    VK_SEND(&w->main, DestroyBuffer, w->device, h.m.buffer, NULL);
    flush_one(w, &h, c->record, true);
    SLT_EXPECT_TRUE(w->main.lost);
}

SLT_TEST_F(hvk_hostile_state, a_command_buffer_that_has_not_ended_is_survived, w)
{
    struct hostile h;
    hostile_make(w, &h);
    flush_one(w, &h, fill_often, false);
    SLT_EXPECT_TRUE(!w->main.lost);
    vp_mapped_free(w, &h.m);
}

/* A million commands: in pieces, as no guest sends so much at once. */
SLT_TEST_F(hvk_hostile_state, a_million_commands_are_recorded, w)
{
    struct hostile h;
    struct vk_pack recorded;
    VkCommandBuffer commands;
    hostile_make(w, &h);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_begin(&recorded);
    for (uint32_t i = 0; i < 125 && !w->main.lost; i++) {
        fill_often(&recorded, &h);
        vp_flush(w, commands, &recorded);
        vk_pack_reset(&recorded);
    }
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    SLT_ASSERT_TRUE(!w->main.lost);
    VkFence fence = vp_fence_make(w);
    vp_submit(w, commands, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    vp_expect_words(&h.m, 7999);
    vp_mapped_free(w, &h.m);
}

/* Attack case C05: a secondary command buffer needs what is optional for others. */
SLT_TEST_F(hvk_hostile_state, a_secondary_that_inherits_nothing_ends_the_ring, w)
{
    struct vk_pack recorded;
    VkCommandBuffer commands;
    vk_world_device(w);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1, &commands);
    vp_begin(&recorded);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    SLT_EXPECT_TRUE(w->main.lost);
}

/* --- shaders and names (attack cases C14, C17) --- */

/* What a pipeline of this code and entry point came to. */
static VkResult make_pipeline(struct vk_world *w, const struct hostile *h, const uint32_t *code,
                              size_t size, const char *entry)
{
    const VkShaderModuleCreateInfo shader = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = code};
    VkShaderModule module = VK_NULL_HANDLE;
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkResult r = VK_SUCCESS;
    VK_SEND(&w->main, CreateShaderModule, w->device, &shader, NULL, &module);
    struct vk_unpack answer = vk_ring_answer(&w->main);
    SLT_EXPECT_TRUE(
        vk_read_reply_vkCreateShaderModule(&answer, w->device, &shader, NULL, &module, &r));
    if (r != VK_SUCCESS) {
        return r;
    }
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = entry},
        .layout = h->c.layout};
    VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
    answer = vk_ring_answer(&w->main);
    SLT_EXPECT_TRUE(vk_read_reply_vkCreateComputePipelines(&answer, w->device, VK_NULL_HANDLE, 1,
                                                           &info, NULL, &pipeline, &r));
    return r;
}

SLT_TEST_F(hvk_hostile_state, entry_points_of_any_bytes_are_not_found, w)
{
    static const char *const names[] = {"", "\xff\xfe\x80", "\xc3(", "main\x7f"};
    struct hostile h;
    hostile_make(w, &h);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        SLT_SCOPE("name %zu", i);
        SLT_EXPECT_LT(make_pipeline(w, &h, vp_double_spv, sizeof vp_double_spv, names[i]), 0);
    }
    SLT_EXPECT_EQ(VK_SUCCESS, make_pipeline(w, &h, vp_double_spv, sizeof vp_double_spv, "main"));
    vp_mapped_free(w, &h.m);
}

/* The good shader with some words of it changed. */
struct code_case {
    const char *label;
    uint32_t size; /* words of it that are sent */
    struct {
        uint32_t at, word;
    } changes[3];
    bool is_tolerated; /* drivers may make a pipeline of it */
};
static const struct code_case code_cases[] = {
    {"cut_before_its_end", 196, {{0}}, false},
    {"of_an_unknown_language", 198, {{7, 0x60003}, {8, 0xffff}}, true},
    {"of_types_that_are_not_there", 198, {{82, 0x24}}, false},
    {"with_ids_past_their_bound", 198, {{3, 2}}, false},
    {"with_a_struct_of_itself", 198, {{78, 8}}, false},
    {"with_an_array_of_itself", 198, {{75, 7}}, false},
    {"with_a_block_without_an_end", 198, {{196, 0x10000}}, false},
    {"that_jumps_to_no_block", 198, {{193, 0x200f9}, {194, 0x23}, {195, 0x100fd}}, false},
};

/* 64 MiB of nothing behind the header: looked through in no time. */
SLT_TEST_F(hvk_hostile_state, a_shader_of_64_mib_is_survived, w)
{
    enum { WORDS = 16 << 20 };
    struct hostile h;
    hostile_make(w, &h);
    uint32_t *code = sl_alloc((size_t)WORDS * 4);
    SLT_ASSERT_TRUE(code != NULL);
    memcpy(code, vp_double_spv, 28 * 4);
    for (uint32_t i = 28; i < WORDS - (VP_DOUBLE_WORDS - 28); i++) {
        code[i] = 0x10000; /* OpNop */
    }
    memcpy(code + WORDS - (VP_DOUBLE_WORDS - 28), vp_double_spv + 28, (VP_DOUBLE_WORDS - 28) * 4);
    (void)make_pipeline(w, &h, code, (size_t)WORDS * 4, "main");
    sl_free(code);
    SLT_ASSERT_TRUE(!w->main.lost);
    SLT_EXPECT_EQ(VK_SUCCESS, make_pipeline(w, &h, vp_double_spv, sizeof vp_double_spv, "main"));
    vp_mapped_free(w, &h.m);
}

SLT_TEST_FP(hvk_hostile_state, shaders_are_refused, w, struct code_case, code_cases, c)
{
    struct hostile h;
    uint32_t code[VP_DOUBLE_WORDS];
    hostile_make(w, &h);
    memcpy(code, vp_double_spv, sizeof code);
    for (uint32_t i = 0; i < 3; i++) {
        if (c->changes[i].at != 0) {
            code[c->changes[i].at] = c->changes[i].word;
        }
    }
    VkResult r = make_pipeline(w, &h, code, (size_t)c->size * 4, "main");
    SLT_EXPECT_TRUE(c->is_tolerated || r < 0);
    SLT_EXPECT_EQ(VK_SUCCESS, make_pipeline(w, &h, vp_double_spv, sizeof vp_double_spv, "main"));
    vp_mapped_free(w, &h.m);
}
