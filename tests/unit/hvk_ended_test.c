/* A hostile guest ends what its command buffers name, and submits them all the same (attack case
 * C07): the submit is refused, the device is lost, the native driver never sees it. */
#include "tests/unit/hvk_hostile.h"

#include <string.h>

SLT_FIXTURE(hvk_ended, struct vk_world, vk_world_init, vk_world_finish);

struct ended {
    struct hostile h;
    VkCommandPool pool;
    VkCommandBuffer primary, secondary;
};

static void make(struct vk_world *w, struct ended *e)
{
    hostile_make(w, &e->h);
    const VkDescriptorBufferInfo info = {.buffer = e->h.m.buffer, .range = VK_WHOLE_SIZE};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = e->h.set,
                                        .descriptorCount = 1,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = &info};
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
    e->pool = vp_pool_make(w);
    vp_buffers_make(w, e->pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &e->primary);
    vp_buffers_make(w, e->pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1, &e->secondary);
}

static void flush(struct vk_world *w, VkCommandBuffer buffer, struct vk_pack *recorded)
{
    vk_pack_vkEndCommandBufferAsyncGOOGLE(recorded);
    vp_flush(w, buffer, recorded);
    vk_pack_finish(recorded);
    SLT_ASSERT_TRUE(!w->main.lost);
}

static void record_secondary(struct vk_world *w, const struct ended *e, uint32_t value)
{
    const VkCommandBufferInheritanceInfo inherited = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .pInheritanceInfo = &inherited};
    struct vk_pack recorded;
    vk_pack_init(&recorded, 1 << 16, false);
    vk_pack_vkBeginCommandBufferAsyncGOOGLE(&recorded, &begin);
    vk_pack_vkCmdFillBuffer(&recorded, e->h.m.buffer, 0, 256, value);
    flush(w, e->secondary, &recorded);
}

/* All that the primary names: a buffer, a pipeline, its layout, a set, a query pool, an image, and
 * a secondary with the buffer. */
static void record(struct vk_world *w, const struct ended *e)
{
    const struct hostile *h = &e->h;
    const uint32_t add = 1;
    struct vk_pack recorded;
    record_secondary(w, e, 7);
    vp_begin(&recorded);
    vk_pack_vkCmdResetQueryPool(&recorded, h->queries, 0, 4);
    vk_pack_vkCmdExecuteCommands(&recorded, 1, &e->secondary);
    vk_pack_vkCmdBindPipeline(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.pipeline);
    vk_pack_vkCmdBindDescriptorSets(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.layout, 0, 1,
                                    &h->set, 0, NULL);
    vk_pack_vkCmdPushConstants(&recorded, h->c.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &add);
    vk_pack_vkCmdDispatch(&recorded, 64, 1, 1);
    flush(w, e->primary, &recorded);
}

/* Submits the primary: whether it ran. */
static bool submit_runs(struct vk_world *w, const struct ended *e)
{
    VkFence fence = vp_fence_make(w);
    vp_submit(w, e->primary, fence);
    SLT_EXPECT_TRUE(!w->main.lost);
    VkResult result = vp_wait(w, fence, UINT64_MAX);
    SLT_EXPECT_TRUE(result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST);
    return result == VK_SUCCESS;
}

struct ended_case {
    const char *label;
    void (*end)(struct vk_world *w, const struct ended *e);
    bool is_fine;
};
#define END(name) static void name(struct vk_world *w, const struct ended *e)

END(the_buffer_of_the_secondary)
{
    VK_SEND(&w->main, DestroyBuffer, w->device, e->h.m.buffer, NULL);
}
END(the_memory_of_the_buffer)
{
    VK_SEND(&w->main, FreeMemory, w->device, e->h.m.memory, NULL);
}
END(the_pipeline)
{
    VK_SEND(&w->main, DestroyPipeline, w->device, e->h.c.pipeline, NULL);
}
END(the_query_pool)
{
    VK_SEND(&w->main, DestroyQueryPool, w->device, e->h.queries, NULL);
}
END(the_pool_of_the_set)
{
    VK_SEND(&w->main, DestroyDescriptorPool, w->device, e->h.c.pool, NULL);
}
END(the_set_by_a_reset)
{
    VK_SEND(&w->main, ResetDescriptorPool, w->device, e->h.c.pool, 0);
}
END(the_secondary)
{
    VK_SEND(&w->main, FreeCommandBuffers, w->device, e->pool, 1, &e->secondary);
}
END(nothing)
{
    (void)w, (void)e;
}
END(the_pipeline_layout)
{
    VK_SEND(&w->main, DestroyPipelineLayout, w->device, e->h.c.layout, NULL);
}
END(the_set_layout)
{
    VK_SEND(&w->main, DestroyDescriptorSetLayout, w->device, e->h.c.set_layout, NULL);
}
END(what_it_does_not_name)
{
    VK_SEND(&w->main, DestroyImage, w->device, e->h.image, NULL);
}

#define BAD(name)                                                                                  \
    {                                                                                              \
#name, name, false                                                                         \
    }
#define FINE(name)                                                                                 \
    {                                                                                              \
#name, name, true                                                                          \
    }
static const struct ended_case ended_cases[] = {BAD(the_buffer_of_the_secondary),
                                                BAD(the_memory_of_the_buffer),
                                                BAD(the_pipeline),
                                                BAD(the_query_pool),
                                                BAD(the_pool_of_the_set),
                                                BAD(the_set_by_a_reset),
                                                BAD(the_secondary),
                                                FINE(nothing),
                                                FINE(the_pipeline_layout),
                                                FINE(the_set_layout),
                                                FINE(what_it_does_not_name)};

SLT_TEST_FP(hvk_ended, before_the_submit, w, struct ended_case, ended_cases, c)
{
    struct ended e;
    make(w, &e);
    record(w, &e);
    c->end(w, &e);
    SLT_EXPECT_EQ(c->is_fine, submit_runs(w, &e));
    if (c->is_fine) {
        vp_expect_words(&e.h.m, 15);
    }
}

/* The second submit of a buffer that was fine at the first. */
SLT_TEST_F(hvk_ended, between_two_submits, w)
{
    struct ended e;
    make(w, &e);
    record(w, &e);
    SLT_EXPECT_TRUE(submit_runs(w, &e));
    SLT_EXPECT_TRUE(submit_runs(w, &e));
    the_pipeline(w, &e);
    SLT_EXPECT_TRUE(!submit_runs(w, &e));
}

/* A buffer recorded anew names what it names now. */
SLT_TEST_F(hvk_ended, before_it_is_recorded_anew, w)
{
    struct ended e;
    struct vk_pack recorded;
    make(w, &e);
    record(w, &e);
    the_pipeline(w, &e);
    vp_begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, e.h.m.buffer, 0, 256, 9);
    flush(w, e.primary, &recorded);
    SLT_EXPECT_TRUE(submit_runs(w, &e));
    vp_expect_words(&e.h.m, 9);
}

/* A guest that chooses its ids gives one that has ended to something else. */
SLT_TEST_F(hvk_ended, and_its_id_was_chosen_again, w)
{
    struct vk_guest_ring own;
    struct hostile h;
    struct vk_pack recorded;
    VkCommandBuffer commands;
    hostile_make(w, &h);
    vk_ring_open(w, &own, SLUICE_FEATURE_VK_IDS);
    own.pack.objects = true;
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_OCCLUSION,
                                        .queryCount = 64};
    struct vk_object device_object = {.id = HVK_U64(w->device)};
    struct vk_object object = {.id = (1ull << 32) | (SL_IDS_PEER_FIRST + 1)};
    VkDevice device = (VkDevice)&device_object;
    VkQueryPool chosen = (VkQueryPool)&object, bare = HVK_HANDLE(VkQueryPool, object.id);
    VK_SEND(&own, CreateQueryPool, device, &info, NULL, &chosen);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_begin(&recorded);
    vk_pack_vkCmdResetQueryPool(&recorded, bare, 0, 64);
    flush(w, commands, &recorded);
    /* Something with the old one's memory stands between, so that the new one lies elsewhere. */
    VkQueryPool between = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, DestroyQueryPool, w->device, bare, NULL);
    VK_SEND(&w->main, CreateQueryPool, w->device, &info, NULL, &between);
    VK_READ(&w->main, CreateQueryPool, w->device, &info, NULL, &between, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    VK_SEND(&own, CreateQueryPool, device, &info, NULL, &chosen);
    SLT_ASSERT_TRUE(!own.lost);
    VkFence fence = vp_fence_make(w);
    vp_submit(w, commands, fence);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, vp_wait(w, fence, UINT64_MAX));
    vk_ring_close(&own);
}
