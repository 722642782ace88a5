/* Queues: the same id for the same one, and waits that can be given up. */
#include "host/vulkan/hvk_core.h"

#include "host/vk_hand.h"
#include "transport/base/clock.h"

static void queue_answer(struct hvk_call *call, struct hvk_device *device, uint32_t flags,
                         uint32_t family, uint32_t index, VkQueue *slot)
{
    struct hvk_queue *queue = NULL;
    for (uint32_t i = 0; i < device->queue_count; i++) {
        struct hvk_queue *q = &device->queues[i];
        if (q->family == family && q->index == index && q->flags == flags) {
            queue = q;
        }
    }
    uint64_t id = HVK_U64(*slot);
    if (queue == NULL || queue->object.native == 0) {
        *slot = VK_NULL_HANDLE;
        return;
    }
    if (queue->object.id != 0) {
        if (call->silent && id != queue->object.id) {
            hr_call_violate(call->hr, "it chooses a second id for a queue");
        }
        id = queue->object.id;
    } else if (hvk_add_object(call, &queue->object, &id) != SL_OK) {
        id = 0;
    }
    *slot = HVK_HANDLE(VkQueue, id);
}

void hvk_vkGetDeviceQueue(struct hvk_call *call, struct vk_args_vkGetDeviceQueue *a)
{
    queue_answer(call, hvk_device_of(a->record), 0, a->queueFamilyIndex, a->queueIndex, a->pQueue);
}

void hvk_vkGetDeviceQueue2(struct hvk_call *call, struct vk_args_vkGetDeviceQueue2 *a)
{
    queue_answer(call, hvk_device_of(a->record), a->pQueueInfo->flags,
                 a->pQueueInfo->queueFamilyIndex, a->pQueueInfo->queueIndex, a->pQueue);
}

VkResult hvk_queue_mark(struct hvk_queue *queue, VkFence *fence)
{
    const struct vk_driver_device *driver = &queue->object.device->driver;
    VkDevice device = HVK_HANDLE(VkDevice, queue->object.device->object.native);
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = driver->CreateFence(device, &info, NULL, fence);
    if (result != VK_SUCCESS) {
        return result;
    }
    pthread_mutex_lock(queue->lock);
    result = driver->QueueSubmit(HVK_HANDLE(VkQueue, queue->object.native), 0, NULL, *fence);
    pthread_mutex_unlock(queue->lock);
    if (result != VK_SUCCESS) {
        driver->DestroyFence(device, *fence, NULL);
    }
    return result;
}

void hvk_queues_leave(struct hvk_device *device)
{
    for (uint32_t i = device->queue_count; i != 0; i--) {
        struct hvk_queue *queue = &device->queues[i - 1];
        if (queue->lock == &queue->own_lock) {
            pthread_mutex_unlock(queue->lock);
        }
    }
    pthread_rwlock_unlock(&device->context->natives);
}

/* So many submits of all queues. The locks are held afterwards. */
static uint64_t enter_all(struct hvk_device *device)
{
    uint64_t entered = 0;
    pthread_rwlock_rdlock(&device->context->natives);
    for (uint32_t i = 0; i < device->queue_count; i++) {
        struct hvk_queue *queue = &device->queues[i];
        if (queue->lock == &queue->own_lock) { /* each once */
            pthread_mutex_lock(queue->lock);
        }
        entered += queue->entered;
    }
    return entered;
}

bool hvk_queues_hold(struct hvk_device *device, const struct hvk_call *call)
{
    for (;;) {
        uint64_t entered = enter_all(device);
        hvk_queues_leave(device);
        VkResult result = VK_SUCCESS;
        for (uint32_t i = 0; result == VK_SUCCESS && i < device->queue_count; i++) {
            result = hvk_queue_idle(&device->queues[i], call, UINT64_MAX);
        }
        if (result != VK_SUCCESS) {
            return false;
        }
        if (enter_all(device) == entered) {
            return true;
        }
        hvk_queues_leave(device); /* another ring has submitted since */
    }
}

VkResult hvk_queue_idle(struct hvk_queue *queue, const struct hvk_call *call, uint64_t timeout_ns)
{
    const struct vk_driver_device *driver = &queue->object.device->driver;
    VkDevice device = HVK_HANDLE(VkDevice, queue->object.device->object.native);
    VkFence fence = VK_NULL_HANDLE;
    uint64_t begin = sl_clock_ns();
    VkResult result = hvk_queue_mark(queue, &fence);
    if (result != VK_SUCCESS) {
        return result;
    }
    do {
        result = driver->WaitForFences(device, 1, &fence, VK_TRUE, HVK_SLICE_NS);
    } while (result == VK_TIMEOUT && sl_clock_ns() - begin < timeout_ns &&
             (call == NULL || !hvk_stopping(call)));
    if (result != VK_TIMEOUT) {
        driver->DestroyFence(device, fence, NULL); /* else it is in use, and left behind */
    }
    return result;
}
