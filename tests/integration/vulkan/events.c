/* Events that the host sets for the device to wait for, and takes back when it has seen the fence
 * of the work that waited: by asking for its state alone, as engines do that never wait. */
#include "tests/integration/vulkan/vx.h"

#include <sched.h>
#include <stdio.h>

enum { ROUNDS = 4, FILLS = 20, BYTES = 16 << 20 };

/* Work for a while, then the event, then a word. */
static void record(struct vx *vx, VkCommandBuffer commands, VkEvent event,
                   const struct vx_buffer *buffer, uint32_t round)
{
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VX(vx, vkBeginCommandBuffer(commands, &info));
    for (uint32_t i = 0; i < FILLS; i++) {
        vkCmdFillBuffer(commands, buffer->buffer, 0, VK_WHOLE_SIZE, i);
        vx_memory_barrier(commands);
    }
    vkCmdWaitEvents(commands, 1, &event, VK_PIPELINE_STAGE_HOST_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                    0, NULL, 0, NULL, 0, NULL);
    vkCmdFillBuffer(commands, buffer->buffer, 64, 64, 100 + round);
    vx_memory_barrier(commands);
    VX(vx, vkEndCommandBuffer(commands));
}

/* Without a call that waits. */
static void watch(struct vx *vx, VkFence fence)
{
    while (vkGetFenceStatus(vx->device, fence) == VK_NOT_READY) {
        sched_yield();
    }
    VX(vx, vkGetFenceStatus(vx->device, fence));
}

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct vx_buffer buffer = vx_buffer(&vx, BYTES, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    const VkEventCreateInfo event_info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkEvent event;
    VkFence fences[ROUNDS];
    VX(&vx, vkCreateEvent(vx.device, &event_info, NULL, &event));
    for (uint32_t i = 0; i < ROUNDS; i++) {
        VX(&vx, vkCreateFence(vx.device, &fence_info, NULL, &fences[i]));
        const VkCommandBufferAllocateInfo info = {
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
            .commandPool = vx.pool,
            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
            .commandBufferCount = 1};
        VkCommandBuffer commands;
        VX(&vx, vkAllocateCommandBuffers(vx.device, &info, &commands));
        record(&vx, commands, event, &buffer, i);
        VX(&vx, vkSetEvent(vx.device, event));
        const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                     .commandBufferCount = 1,
                                     .pCommandBuffers = &commands};
        VX(&vx, vkQueueSubmit(vx.queue, 1, &submit, fences[i]));
        watch(&vx, fences[i]);
        VX(&vx, vkResetEvent(vx.device, event));
        char name[32];
        snprintf(name, sizeof name, "reset.%u", i);
        vx_show(&vx, name, buffer.map, 256);
    }
    VX(&vx, vkDeviceWaitIdle(vx.device));
    for (uint32_t i = 0; i < ROUNDS; i++) {
        vkDestroyFence(vx.device, fences[i], NULL);
    }
    vkDestroyEvent(vx.device, event, NULL);
    vx_buffer_free(&vx, &buffer);
    vx_close(&vx);
    return 0;
}
