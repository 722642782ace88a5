/* Devices and their queues. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_call.h"
#include "guest/vulkan/gvk_status.h"
#include "guest/vk_hand.h"
#include "transport/base/mem.h"

/* The host's device, without the extensions that are the guest's own. */
static VkResult create_on_host(struct gvk_device *device, const VkDeviceCreateInfo *info)
{
    const char **names = sl_alloc_array(info->enabledExtensionCount, sizeof *names);
    if (names == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkDeviceCreateInfo forwarded = *info;
    forwarded.ppEnabledExtensionNames = names;
    forwarded.enabledLayerCount = 0; /* devices have no layers of their own any more */
    VkResult result = gvk_extensions_take(
        &device->physical->extensions, info->enabledExtensionCount, info->ppEnabledExtensionNames,
        &device->enabled, names, &forwarded.enabledExtensionCount);
    if (result == VK_SUCCESS) {
        VkDevice handle = GVK_TO(VkDevice, device);
        result = gvk_call_vkCreateDevice(device->dispatch.host,
                                         GVK_TO(VkPhysicalDevice, device->physical), &forwarded,
                                         NULL, &handle);
        device->dispatch.object.vk.id = (uint64_t)(uintptr_t)handle;
    }
    sl_free(names);
    return result;
}

static void device_free(struct gvk_device *device, const VkAllocationCallbacks *callbacks)
{
    const struct gvk_allocator allocator = device->allocator;
    while (device->queues != NULL) {
        struct gvk_queue *queue = device->queues;
        device->queues = queue->next;
        gvk_object_free(device, NULL, queue);
    }
    gvk_descriptors_finish(&device->descriptors);
    gvk_private_clear(&device->dispatch.object);
    pthread_mutex_destroy(&device->lock);
    gvk_free(&allocator, callbacks, device);
}

VkResult gvk_vkCreateDevice(VkPhysicalDevice handle, const VkDeviceCreateInfo *info,
                            const VkAllocationCallbacks *callbacks, VkDevice *out)
{
    struct gvk_physical *physical = GVK_FROM(gvk_physical, handle);
    struct gvk_device *device = gvk_alloc(&physical->instance->allocator, callbacks, sizeof *device,
                                          VK_SYSTEM_ALLOCATION_SCOPE_DEVICE);
    if (device == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *device = (struct gvk_device){
        .dispatch = {.object.vk.loader = GVK_LOADER_MAGIC,
                     .host = physical->dispatch.host,
                     .device = device},
        .physical = physical,
        .allocator =
            callbacks != NULL ? gvk_allocator_of(callbacks) : physical->instance->allocator,
    };
    pthread_mutex_init(&device->lock, NULL);
    gvk_blocks_init(device);
    gvk_descriptors_init(&device->descriptors, device->dispatch.host->peers);
    VkResult result = create_on_host(device, info);
    if (result != VK_SUCCESS) {
        device_free(device, callbacks);
        return result;
    }
    *out = GVK_TO(VkDevice, device);
    if (device->dispatch.host->batched_descriptors && info->queueCreateInfoCount != 0) {
        /* Commits go through a queue, whether the application has asked for one yet or not. */
        const VkDeviceQueueInfo2 first = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
            .flags = info->pQueueCreateInfos[0].flags,
            .queueFamilyIndex = info->pQueueCreateInfos[0].queueFamilyIndex,
        };
        VkQueue queue;
        gvk_vkGetDeviceQueue2(*out, &first, &queue);
    }
    return VK_SUCCESS;
}

void gvk_vkDestroyDevice(VkDevice handle, const VkAllocationCallbacks *callbacks)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    if (device != NULL) {
        gvk_blocks_finish(device);
        gvk_status_finish(device);
        gvk_call_vkDestroyDevice(device->dispatch.host, handle, NULL);
        device_free(device, callbacks);
    }
}

static struct gvk_queue *find_locked(struct gvk_device *device, const VkDeviceQueueInfo2 *info)
{
    struct gvk_queue *queue = device->queues;
    while (queue != NULL && (queue->family != info->queueFamilyIndex ||
                             queue->index != info->queueIndex || queue->flags != info->flags)) {
        queue = queue->next;
    }
    return queue;
}

/* The host is asked once for each queue. NULL: it has none such. */
static struct gvk_queue *make_locked(struct gvk_device *device, const VkDeviceQueueInfo2 *info)
{
    struct gvk_queue *queue = gvk_object_new(device, NULL, sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    *queue = (struct gvk_queue){
        .dispatch = {.object.vk.loader = GVK_LOADER_MAGIC,
                     .host = device->dispatch.host,
                     .device = device},
        .family = info->queueFamilyIndex,
        .index = info->queueIndex,
        .flags = info->flags,
        .next = device->queues,
    };
    VkQueue handle = GVK_TO(VkQueue, queue);
    VkDevice of = GVK_TO(VkDevice, device);
    if (info->flags == 0) {
        gvk_call_vkGetDeviceQueue(device->dispatch.host, of, queue->family, queue->index, &handle);
    } else {
        gvk_call_vkGetDeviceQueue2(device->dispatch.host, of, info, &handle);
    }
    queue->dispatch.object.vk.id = (uint64_t)(uintptr_t)handle;
    if (handle == VK_NULL_HANDLE) {
        gvk_object_free(device, NULL, queue);
        return NULL;
    }
    device->queues = queue;
    return queue;
}

void gvk_vkGetDeviceQueue2(VkDevice handle, const VkDeviceQueueInfo2 *info, VkQueue *out)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    pthread_mutex_lock(&device->lock);
    struct gvk_queue *queue = find_locked(device, info);
    if (queue == NULL) {
        queue = make_locked(device, info);
    }
    pthread_mutex_unlock(&device->lock);
    *out = GVK_TO(VkQueue, queue);
}

void gvk_vkGetDeviceQueue(VkDevice handle, uint32_t family, uint32_t index, VkQueue *out)
{
    const VkDeviceQueueInfo2 info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
        .queueFamilyIndex = family,
        .queueIndex = index,
    };
    gvk_vkGetDeviceQueue2(handle, &info, out);
}
