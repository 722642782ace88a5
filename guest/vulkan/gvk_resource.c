/* Buffers and images: made with their requirements in one round trip, bound to memory that may be
 * a part of a block. */
#include "guest/vulkan/gvk_swapchain.h"

#include "guest/vk_call.h"
#include "guest/vk_hand.h"
#include "transport/base/mem.h"

VkResult gvk_vkCreateBuffer(VkDevice handle, const VkBufferCreateInfo *info,
                            const VkAllocationCallbacks *callbacks, VkBuffer *out)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    struct gvk_buffer *buffer = gvk_object_new(device, callbacks, sizeof *buffer);
    if (buffer == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkBufferCreateInfo sent = *info;
    if (info->sharingMode != VK_SHARING_MODE_CONCURRENT) { /* the list may be anything then */
        sent.queueFamilyIndexCount = 0;
        sent.pQueueFamilyIndices = NULL;
    }
    *out = GVK_TO(VkBuffer, buffer);
    VkResult result = gvk_call_vkCreateBufferWithRequirementsGOOGLE(
        device->dispatch.host, handle, &sent, NULL, out, &buffer->requirements);
    buffer->object.vk.id = (uint64_t)(uintptr_t)*out;
    if (result != VK_SUCCESS) {
        gvk_object_free(device, callbacks, buffer);
        *out = VK_NULL_HANDLE;
        return result;
    }
    *out = GVK_TO(VkBuffer, buffer);
    return VK_SUCCESS;
}

VkResult gvk_vkCreateImage(VkDevice handle, const VkImageCreateInfo *info,
                           const VkAllocationCallbacks *callbacks, VkImage *out)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    struct gvk_image *image = gvk_object_new(device, callbacks, sizeof *image);
    if (image == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const VkImageCreateInfo *of_swapchain = gvk_swapchain_image_info(info);
    info = of_swapchain != NULL ? of_swapchain : info;
    VkImageCreateInfo sent = *info;
    if (info->sharingMode != VK_SHARING_MODE_CONCURRENT) {
        sent.queueFamilyIndexCount = 0;
        sent.pQueueFamilyIndices = NULL;
    }
    *out = GVK_TO(VkImage, image);
    VkResult result = gvk_call_vkCreateImageWithRequirementsGOOGLE(
        device->dispatch.host, handle, &sent, NULL, out, &image->requirements);
    image->object.vk.id = (uint64_t)(uintptr_t)*out;
    if (result != VK_SUCCESS) {
        gvk_object_free(device, callbacks, image);
        *out = VK_NULL_HANDLE;
        return result;
    }
    *out = GVK_TO(VkImage, image);
    return VK_SUCCESS;
}

void gvk_vkGetBufferMemoryRequirements(VkDevice device, VkBuffer buffer, VkMemoryRequirements *out)
{
    (void)device;
    *out = GVK_FROM(gvk_buffer, buffer)->requirements;
}

void gvk_vkGetImageMemoryRequirements(VkDevice device, VkImage image, VkMemoryRequirements *out)
{
    (void)device;
    *out = GVK_FROM(gvk_image, image)->requirements;
}

/* ---- Binding: the host knows blocks, not their parts ---- */

static VkDeviceSize offset_of(VkDeviceMemory memory)
{
    return memory != VK_NULL_HANDLE ? GVK_FROM(gvk_memory, memory)->offset : 0;
}

VkResult gvk_vkBindBufferMemory(VkDevice device, VkBuffer buffer, VkDeviceMemory memory,
                                VkDeviceSize offset)
{
    return gvk_call_vkBindBufferMemory(gvk_host_of(device), device, buffer, memory,
                                       offset + offset_of(memory));
}

VkResult gvk_vkBindImageMemory(VkDevice device, VkImage image, VkDeviceMemory memory,
                               VkDeviceSize offset)
{
    return gvk_call_vkBindImageMemory(gvk_host_of(device), device, image, memory,
                                      offset + offset_of(memory));
}

VkResult gvk_vkBindBufferMemory2(VkDevice device, uint32_t count,
                                 const VkBindBufferMemoryInfo *infos)
{
    VkBindBufferMemoryInfo *sent = sl_alloc_array(count, sizeof *sent);
    if (sent == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        sent[i] = infos[i];
        sent[i].memoryOffset += offset_of(infos[i].memory);
    }
    VkResult result = gvk_call_vkBindBufferMemory2(gvk_host_of(device), device, count, sent);
    sl_free(sent);
    return result;
}

VkResult gvk_vkBindImageMemory2(VkDevice device, uint32_t count, const VkBindImageMemoryInfo *infos)
{
    VkBindImageMemoryInfo *sent = sl_alloc_array(count, sizeof *sent);
    if (sent == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        sent[i] = infos[i];
        if (gvk_swapchain_bind_memory(&infos[i], &sent[i].memory)) {
            sent[i].pNext = NULL; /* it names the swapchain, of which the host knows nothing */
            sent[i].memoryOffset = 0;
        }
        sent[i].memoryOffset += offset_of(sent[i].memory);
    }
    VkResult result = gvk_call_vkBindImageMemory2(gvk_host_of(device), device, count, sent);
    sl_free(sent);
    return result;
}
