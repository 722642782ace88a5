/* Descriptors, pipeline layouts and shaders of the host's Vulkan on a native driver. */
#include "tests/support/vk_parts.h"

#include <string.h>

SLT_FIXTURE(hvk_descriptor, struct vk_world, vk_world_init, vk_world_finish);

SLT_TEST_F(hvk_descriptor, a_dispatch_computes_in_mapped_memory, w)
{
    vk_world_device(w);
    struct vp_mapped m;
    struct vp_compute c;
    VkDescriptorSet set;
    vp_mapped_make(w, 1, &m);
    vp_compute_make(w, 4, &c);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, m.buffer);
    vp_set_words(&m, 21);
    vp_dispatch(w, &c, set, 3);
    vp_expect_words(&m, 45);
    vp_mapped_free(w, &m);
}

SLT_TEST_F(hvk_descriptor, templates_become_writes, w)
{
    vk_world_device(w);
    struct vp_mapped m;
    struct vp_compute c;
    VkDescriptorSet set;
    vp_mapped_make(w, 1, &m);
    vp_compute_make(w, 4, &c);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    VkDescriptorUpdateTemplate template = vp_template_make(w, c.set_layout, 0);
    const VkDescriptorBufferInfo infos[2] = {{.buffer = m.buffer, .range = VK_WHOLE_SIZE},
                                             {.buffer = m.buffer, .range = VK_WHOLE_SIZE}};
    uint32_t entries[2] = {0, 0};
    /* More elements than the entry has, and an entry that is not there: refused, and survived. */
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, set, template, 0, 2,
            0, 0, NULL, entries, NULL, NULL, infos, NULL, NULL);
    entries[0] = 5;
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, set, template, 0, 1,
            0, 0, NULL, entries, NULL, NULL, infos, NULL, NULL);
    entries[0] = 0;
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, set, template, 0, 1,
            0, 0, NULL, entries, NULL, NULL, infos, NULL, NULL);
    vp_set_words(&m, 1);
    vp_dispatch(w, &c, set, 0);
    vp_expect_words(&m, 2);
    VK_SEND(&w->main, DestroyDescriptorUpdateTemplate, w->device, template, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
    vp_mapped_free(w, &m);
}

/* One set by its name, with one write. */
static void commit(struct vk_world *w, const struct vp_compute *c, uint64_t name, uint32_t pending,
                   VkBuffer buffer)
{
    const VkDescriptorBufferInfo info = {.buffer = buffer, .range = VK_WHOLE_SIZE};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = HVK_HANDLE(VkDescriptorSet, name),
                                        .descriptorCount = 1,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = &info};
    const uint32_t zero = 0;
    VK_SEND(&w->main, QueueCommitDescriptorSetUpdatesGOOGLE, w->queue, 1, &c->pool, 1,
            &c->set_layout, &name, &zero, &pending, &zero, 1, &write);
    SLT_EXPECT_EQ(0u, w->main.reply_size);
}

SLT_TEST_F(hvk_descriptor, batched_sets_live_under_their_pools_names, w)
{
    vk_world_device(w);
    struct vp_mapped m;
    struct vp_compute c;
    VkResult r;
    uint32_t count = 4;
    uint64_t names[4];
    vp_mapped_make(w, 1, &m);
    vp_compute_make(w, 2, &c);
    VK_SEND(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, names);
    VK_READ(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, names);
    SLT_ASSERT_EQ(2u, count); /* no more than the pool has sets */
    SLT_EXPECT_TRUE(names[0] != 0 && names[0] != names[1]);
    commit(w, &c, names[1], 1, m.buffer);
    vp_set_words(&m, 4);
    vp_dispatch(w, &c, HVK_HANDLE(VkDescriptorSet, names[1]), 1);
    vp_expect_words(&m, 9);
    /* The same name after the pool was reset, and after the set was freed. */
    VK_SEND(&w->main, ResetDescriptorPool, w->device, c.pool, 0);
    VK_READ(&w->main, ResetDescriptorPool, w->device, c.pool, 0, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    commit(w, &c, names[1], 1, m.buffer);
    const VkDescriptorSet set = HVK_HANDLE(VkDescriptorSet, names[1]);
    VK_SEND(&w->main, FreeDescriptorSets, w->device, c.pool, 1, &set);
    VK_READ(&w->main, FreeDescriptorSets, w->device, c.pool, 1, &set, &r);
    commit(w, &c, names[1], 1, m.buffer);
    vp_dispatch(w, &c, set, 1);
    vp_expect_words(&m, 19);
    SLT_EXPECT_TRUE(!w->main.lost);
    vp_mapped_free(w, &m);
}

SLT_TEST_F(hvk_descriptor, a_commit_writes_no_buffer_without_memory, w)
{
    vk_world_device(w);
    struct vp_compute c;
    VkMemoryRequirements needs;
    uint32_t count = 1;
    uint64_t name;
    vp_compute_make(w, 1, &c);
    VkFence fence = vp_fence_make(w);
    VK_SEND(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    VK_READ(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    commit(w, &c, name, 1, vp_buffer_make(w, 256, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &needs));
    SLT_EXPECT_TRUE(!w->main.lost);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, vp_wait(w, fence, 0));
}

SLT_TEST_F(hvk_descriptor, a_name_without_a_set_is_not_bound, w)
{
    vk_world_device(w);
    struct vp_compute c;
    uint32_t count = 1;
    uint64_t name;
    vp_compute_make(w, 1, &c);
    VK_SEND(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    VK_READ(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    SLT_ASSERT_EQ(1u, count);
    vp_dispatch(w, &c, HVK_HANDLE(VkDescriptorSet, name), 1);
    SLT_EXPECT_TRUE(w->main.lost);
}

SLT_TEST_F(hvk_descriptor, a_pool_takes_its_sets_with_it, w)
{
    vk_world_device(w);
    struct vp_compute c;
    VkDescriptorSet sets[2];
    VkResult r;
    vp_compute_make(w, 2, &c);
    uint32_t before = vk_world_context(w)->ids.live;
    for (int round = 0; round < 50; round++) {
        SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &sets[0]));
        SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &sets[1]));
        VK_SEND(&w->main, ResetDescriptorPool, w->device, c.pool, 0);
        VK_READ(&w->main, ResetDescriptorPool, w->device, c.pool, 0, &r);
        SLT_ASSERT_EQ(VK_SUCCESS, r);
    }
    SLT_EXPECT_EQ(before, vk_world_context(w)->ids.live);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &sets[0]));
    VK_SEND(&w->main, DestroyDescriptorPool, w->device, c.pool, NULL);
    SLT_EXPECT_EQ(before - 1, vk_world_context(w)->ids.live);
    VK_SEND(&w->main, FreeDescriptorSets, w->device, c.pool, 1, sets);
    SLT_EXPECT_TRUE(w->main.lost); /* neither is there any more */
}

SLT_TEST_F(hvk_descriptor, layouts_outlive_their_destruction, w)
{
    vk_world_device(w);
    struct vp_mapped m;
    struct vp_compute c;
    uint32_t count = 1;
    uint64_t name;
    vp_mapped_make(w, 1, &m);
    vp_compute_make(w, 1, &c);
    VK_SEND(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    VK_READ(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    commit(w, &c, name, 1, m.buffer);
    VK_SEND(&w->main, DestroyPipelineLayout, w->device, c.layout, NULL);
    VK_SEND(&w->main, DestroyPipelineLayout, w->device, c.layout, NULL); /* twice does not count */
    vp_set_words(&m, 5);
    vp_dispatch(w, &c, HVK_HANDLE(VkDescriptorSet, name), 1);
    SLT_ASSERT_TRUE(!w->main.lost);
    vp_expect_words(&m, 11);
    vp_mapped_free(w, &m);
}

SLT_TEST_F(hvk_descriptor, not_all_destroyed_layouts_are_kept, w)
{
    vk_world_device(w);
    const VkPipelineLayoutCreateInfo info = {.sType =
                                                 VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    VkPipelineLayout layout;
    VkResult r;
    uint32_t before = vk_world_context(w)->ids.live;
    for (int i = 0; i < 2000; i++) {
        layout = VK_NULL_HANDLE;
        VK_SEND(&w->main, CreatePipelineLayout, w->device, &info, NULL, &layout);
        VK_READ(&w->main, CreatePipelineLayout, w->device, &info, NULL, &layout, &r);
        SLT_ASSERT_EQ(VK_SUCCESS, r);
        VK_SEND(&w->main, DestroyPipelineLayout, w->device, layout, NULL);
    }
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 0, NULL, VK_NULL_HANDLE);
    SLT_EXPECT_LE(vk_world_context(w)->ids.live, before + 1000);
}

SLT_TEST_F(hvk_descriptor, broken_shaders_are_refused, w)
{
    vk_world_device(w);
    uint32_t code[sizeof vp_double_spv / 4];
    VkShaderModule module = VK_NULL_HANDLE;
    VkResult r;
    VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                     .codeSize = sizeof code - 4,
                                     .pCode = code};
    memcpy(code, vp_double_spv, sizeof code);
    code[0] = 0x03022307;
    for (int i = 0; i < 3; i++) {
        VK_SEND(&w->main, CreateShaderModule, w->device, &info, NULL, &module);
        VK_READ(&w->main, CreateShaderModule, w->device, &info, NULL, &module, &r);
        SLT_EXPECT_LT(r, 0);
        SLT_EXPECT_TRUE(module == VK_NULL_HANDLE);
        memcpy(code, vp_double_spv, sizeof code);
        code[5] = i == 0 ? 0x00000011 : 0xffff0011; /* of no length, and longer than all */
    }
}
