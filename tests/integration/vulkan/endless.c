/* Work that takes a driver hours, and a submit that waits for it by a semaphore: some drivers keep
 * whoever gives it to them. Says `at work` and then waits for the end, until it is killed.
 *
 * Lavapipe ends a shader's loops after 65,535 turns, so there are many groups. */
#include "tests/integration/vulkan/vx.h"

#include "compute_comp.h"

#include <stdio.h>

enum { COUNT = 64, GROUPS_X = 65535, GROUPS_Y = 4096 };

struct push {
    uint32_t count, rounds;
};

static VkCommandBuffer record(struct vx *vx, struct vx_buffer *source, struct vx_buffer *result)
{
    const struct push push = {COUNT, UINT32_MAX};
    VkDescriptorSetLayout set_layout = vx_set_layout(vx, "ss");
    VkDescriptorSet set = vx_set(vx, vx_descriptor_pool(vx, 1), set_layout);
    VkPipelineLayout layout =
        vx_pipeline_layout(vx, set_layout, VK_SHADER_STAGE_COMPUTE_BIT, sizeof push);
    VkPipeline pipeline = vx_compute_pipeline(vx, VX_CODE(compute_comp), layout, NULL);
    vx_write_buffer(vx, set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, source);
    vx_write_buffer(vx, set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, result);
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, &push);
    vkCmdDispatch(commands, GROUPS_X, GROUPS_Y, 1);
    VX(vx, vkEndCommandBuffer(commands));
    return commands;
}

int main(void)
{
    struct vx vx;
    VkSemaphore done;
    VkFence end;
    vx_open(&vx, NULL);
    struct vx_buffer source = vx_buffer(&vx, COUNT * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    struct vx_buffer result = vx_buffer(&vx, COUNT * 4 + 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    VkCommandBuffer commands = record(&vx, &source, &result);
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VX(&vx, vkCreateSemaphore(vx.device, &semaphore, NULL, &done));
    VX(&vx, vkCreateFence(vx.device, &fence, NULL, &end));
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo work = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &commands,
                               .signalSemaphoreCount = 1,
                               .pSignalSemaphores = &done};
    const VkSubmitInfo behind = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .waitSemaphoreCount = 1,
                                 .pWaitSemaphores = &done,
                                 .pWaitDstStageMask = &stage};
    VX(&vx, vkQueueSubmit(vx.queue, 1, &work, VK_NULL_HANDLE));
    while (*(const volatile uint32_t *)result.map == 0) { /* the sum that each group adds to */
    }
    puts("at work");
    fflush(stdout);
    VX(&vx, vkQueueSubmit(vx.queue, 1, &behind, end));
    VX(&vx, vkWaitForFences(vx.device, 1, &end, VK_TRUE, UINT64_MAX));
    return 0;
}
