/* Commands of the host's own, which run once while the device is idle, or replays what nobody else
 * submits to. */
#include "host/vulkan/hvk_family.h"

#define WAIT_NS (10ull * 1000 * 1000 * 1000)

static struct hvk_queue *queue_of(const struct hvk_device *device, VkQueueFlags any)
{
    for (uint32_t i = 0; i < device->queue_count; i++) {
        const struct hvk_queue *q = &device->queues[i];
        if ((device->physical->families[q->family].queueFlags & any) != 0) {
            return &device->queues[i];
        }
    }
    return NULL;
}

VkResult hvk_once_begin(struct hvk_once *once, const struct hvk_device *device, VkQueueFlags any)
{
    const struct vk_driver_device *d = &device->driver;
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    *once = (struct hvk_once){.device = device, .queue = queue_of(device, any)};
    if (once->queue == NULL) {
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = once->queue->family};
    VkResult result = d->CreateCommandPool(hvk_native(device), &pool, NULL, &once->pool);
    const VkCommandBufferAllocateInfo one = {.sType =
                                                 VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                             .commandPool = once->pool,
                                             .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                             .commandBufferCount = 1};
    if (result == VK_SUCCESS) {
        result = d->AllocateCommandBuffers(hvk_native(device), &one, &once->commands);
    }
    return result == VK_SUCCESS ? d->BeginCommandBuffer(once->commands, &begin) : result;
}

VkResult hvk_once_run(struct hvk_once *once)
{
    const struct vk_driver_device *d = &once->device->driver;
    VkDevice native = hvk_native(once->device);
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .commandBufferCount = 1,
                                 .pCommandBuffers = &once->commands};
    VkResult result = d->EndCommandBuffer(once->commands);
    if (result == VK_SUCCESS) {
        result = d->CreateFence(native, &info, NULL, &once->fence);
    }
    if (result == VK_SUCCESS) {
        pthread_mutex_lock(once->queue->lock);
        result = d->QueueSubmit(HVK_HANDLE(VkQueue, once->queue->object.native), 1, &submit,
                                once->fence);
        pthread_mutex_unlock(once->queue->lock);
    }
    return result == VK_SUCCESS ? d->WaitForFences(native, 1, &once->fence, VK_TRUE, WAIT_NS)
                                : result;
}

void hvk_once_end(struct hvk_once *once)
{
    const struct vk_driver_device *d = &once->device->driver;
    d->DestroyFence(hvk_native(once->device), once->fence, NULL);
    d->DestroyCommandPool(hvk_native(once->device), once->pool, NULL);
}
