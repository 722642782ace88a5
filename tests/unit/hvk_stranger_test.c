/* A hostile guest gives a device what another one has made: as a parameter, in an array, a struct
 * or a chain, in a recorded command. Drivers believe that it is their own; the host ends the ring,
 * in the one place where handles are read. */
#include "tests/unit/hvk_hostile.h"

#include <string.h>

SLT_FIXTURE(hvk_stranger, struct vk_world, vk_world_init, vk_world_finish);

struct theirs {
    struct hostile h;
    VkSampler sampler;
    VkSemaphore semaphore;
    VkFence fence;
    VkCommandPool pool;
    VkCommandBuffer commands;
};

struct stranger_case {
    const char *label;
    void (*use)(struct vk_world *w, const struct theirs *t);
};
#define USE(name) static void name(struct vk_world *w, const struct theirs *t)

USE(parameter)
{
    VK_SEND(&w->main, DestroySampler, w->device, t->sampler, NULL);
}
USE(chain)
{
    const VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .buffer = t->h.m.buffer};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = &dedicated,
                                       .allocationSize = 256};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    VK_SEND(&w->main, AllocateMemory, w->device, &info, NULL, &memory);
}
USE(immutable_sampler)
{
    const VkDescriptorSetLayoutBinding binding = {0, VK_DESCRIPTOR_TYPE_SAMPLER, 1,
                                                  VK_SHADER_STAGE_COMPUTE_BIT, &t->sampler};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    VkDescriptorSetLayout layout = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateDescriptorSetLayout, w->device, &info, NULL, &layout);
}
USE(image_of_a_view)
{
    const VkImageViewCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = t->h.image,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = VK_FORMAT_R8G8B8A8_UNORM,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    VkImageView view = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateImageView, w->device, &info, NULL, &view);
}
USE(memory_of_a_buffer)
{
    VkMemoryRequirements needs;
    VkBuffer buffer = vp_buffer_make(w, 256, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &needs);
    VK_SEND(&w->main, BindBufferMemory, w->device, buffer, t->h.m.memory, 0);
}
USE(layout_of_a_set)
{
    struct vp_compute c;
    VkDescriptorSet set = VK_NULL_HANDLE;
    vp_compute_make(w, 1, &c);
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = c.pool,
                                              .descriptorSetCount = 1,
                                              .pSetLayouts = &t->h.c.set_layout};
    VK_SEND(&w->main, AllocateDescriptorSets, w->device, &info, &set);
}
USE(buffer_of_a_descriptor)
{
    struct vp_compute c;
    VkDescriptorSet set;
    vp_compute_make(w, 1, &c);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, t->h.m.buffer);
}
USE(command_pool)
{
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = t->pool,
                                              .commandBufferCount = 1};
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VK_SEND(&w->main, AllocateCommandBuffers, w->device, &info, &commands);
}
USE(command_buffer)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &t->commands};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, VK_NULL_HANDLE);
}
USE(semaphore)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .signalSemaphoreCount = 1,
                               .pSignalSemaphores = &t->semaphore};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, VK_NULL_HANDLE);
}
USE(fence)
{
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 0, NULL, t->fence);
}
USE(fence_of_a_wait)
{
    VK_SEND(&w->main, WaitForFences, w->device, 1, &t->fence, VK_TRUE, 0);
}

static void record(struct vk_world *w, struct vk_pack *recorded)
{
    VkCommandBuffer commands;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_flush(w, commands, recorded);
    vk_pack_finish(recorded);
}

USE(recorded_parameter)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, t->h.m.buffer, 0, 256, 1);
    record(w, &recorded);
}
USE(recorded_struct)
{
    const VkBufferMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2, .buffer = t->h.m.buffer, .size = 256};
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .bufferMemoryBarrierCount = 1,
                                   .pBufferMemoryBarriers = &barrier};
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdPipelineBarrier2(&recorded, &info);
    record(w, &recorded);
}
USE(recorded_secondary)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdExecuteCommands(&recorded, 1, &t->commands);
    record(w, &recorded);
}

static const struct stranger_case stranger_cases[] = {ROW(parameter),
                                                      ROW(chain),
                                                      ROW(immutable_sampler),
                                                      ROW(image_of_a_view),
                                                      ROW(memory_of_a_buffer),
                                                      ROW(layout_of_a_set),
                                                      ROW(buffer_of_a_descriptor),
                                                      ROW(command_pool),
                                                      ROW(command_buffer),
                                                      ROW(semaphore),
                                                      ROW(fence),
                                                      ROW(fence_of_a_wait),
                                                      ROW(recorded_parameter),
                                                      ROW(recorded_struct),
                                                      ROW(recorded_secondary)};

static void theirs_make(struct vk_world *w, struct theirs *t)
{
    const VkSamplerCreateInfo sampler = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    *t = (struct theirs){0};
    hostile_make(w, &t->h);
    t->sampler = VP_CREATE(w, Sampler, &sampler);
    t->semaphore = VP_CREATE(w, Semaphore, &semaphore);
    t->fence = vp_fence_make(w);
    t->pool = vp_pool_make(w);
    vp_buffers_make(w, t->pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1, &t->commands);
}

SLT_TEST_FP(hvk_stranger, of_another_device, w, struct stranger_case, stranger_cases, c)
{
    struct theirs t;
    theirs_make(w, &t);
    vk_world_device(w);
    SLT_ASSERT_TRUE(!w->main.lost);
    c->use(w, &t);
    SLT_EXPECT_TRUE(w->main.lost);
    SLT_EXPECT_TRUE(strstr(w->main.reason, "of different owners") != NULL);
}
