/* Buffers and images: made with their requirements in one round trip or, like buffers that were
 * made before, when memory is bound to them; bound to memory that may be a part of a block. */
#include "guest/vulkan/gvk_clean.h"
#include "guest/vulkan/gvk_swapchain.h"

#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

/* ---- Buffers: the requirements of one tell those of all like it ----
 *
 * Vulkan 1.3 (maintenance4): alignment and types depend on everything but the size, and the size
 * is at most the buffer's, rounded up to the alignment. */

static bool plain(const struct gvk_device *device, const VkBufferCreateInfo *info)
{
    return info->pNext == NULL && info->flags == 0 && info->size != 0 && info->size <= UINT32_MAX &&
           device->dispatch.host->guest_ids &&
           device->physical->properties.apiVersion >= VK_API_VERSION_1_3;
}

/* Any thread, no lock. */
static struct gvk_like *find_like(struct gvk_device *device, const VkBufferCreateInfo *info)
{
    /* Pairs with the release in learn: what is counted is filled in. */
    uint32_t count = sl_atomic_load_acquire(&device->like_count);
    for (uint32_t i = 0; i < count; i++) {
        struct gvk_like *like = &device->likes[i];
        if (like->usage == info->usage && like->sharing == info->sharingMode) {
            return like;
        }
    }
    return NULL;
}

/* False: the host has to be asked. */
static bool foresee(struct gvk_device *device, const VkBufferCreateInfo *info,
                    VkMemoryRequirements *out)
{
    const struct gvk_like *like = plain(device, info) ? find_like(device, info) : NULL;
    if (like == NULL) {
        return false;
    }
    uint64_t rounded = sl_round_up(info->size, like->alignment);
    uint32_t rounding = sl_atomic_load_relaxed(&like->rounding); /* says all there is to say */
    *out = (VkMemoryRequirements){
        .size = rounding == GVK_ROUNDING_NOT ? info->size : rounded,
        .alignment = like->alignment,
        .memoryTypeBits = like->type_bits,
    };
    return rounding != GVK_ROUNDING_UNKNOWN || rounded == info->size;
}

static void learn(struct gvk_device *device, const VkBufferCreateInfo *info,
                  const VkMemoryRequirements *got)
{
    if (!plain(device, info) || got->alignment == 0 ||
        (got->alignment & (got->alignment - 1)) != 0) {
        return;
    }
    uint64_t rounded = sl_round_up(info->size, got->alignment);
    if (got->size != info->size && got->size != rounded) {
        return; /* a rule of its own */
    }
    pthread_mutex_lock(&device->lock);
    struct gvk_like *like = find_like(device, info);
    if (like == NULL && device->like_count < GVK_LIKES) {
        like = &device->likes[device->like_count];
        *like = (struct gvk_like){
            .usage = info->usage,
            .sharing = info->sharingMode,
            .alignment = got->alignment,
            .type_bits = got->memoryTypeBits,
        };
        sl_atomic_store_release(&device->like_count, device->like_count + 1);
    }
    if (like != NULL && rounded != info->size) {
        sl_atomic_store_relaxed(&like->rounding,
                                got->size == rounded ? GVK_ROUNDING_UP : GVK_ROUNDING_NOT);
    }
    pthread_mutex_unlock(&device->lock);
}

static VkResult make_buffer(struct gvk_device *device, const VkBufferCreateInfo *info,
                            struct gvk_buffer *buffer)
{
    struct gvk_host *host = device->dispatch.host;
    VkMemoryRequirements *requirements = &buffer->requirements;
    if (foresee(device, info, requirements) && info->sharingMode == VK_SHARING_MODE_EXCLUSIVE &&
        !gvk_host_lost(host) && gvk_id_choose(host, &buffer->object)) {
        buffer->size = info->size;
        buffer->usage = info->usage;
        sl_atomic_store_relaxed(&buffer->waits, 1); /* nobody has it yet */
        return VK_SUCCESS;
    }
    VkBuffer handle = GVK_TO(VkBuffer, buffer);
    VkResult result = gvk_call_vkCreateBufferWithRequirementsGOOGLE(
        host, GVK_TO(VkDevice, device), info, NULL, &handle, requirements);
    buffer->object.vk.id = (uint64_t)(uintptr_t)handle;
    if (result == VK_SUCCESS) {
        learn(device, info, requirements);
    }
    return result;
}

VkResult gvk_vkCreateBuffer(VkDevice handle, const VkBufferCreateInfo *info,
                            const VkAllocationCallbacks *callbacks, VkBuffer *out)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    struct gvk_buffer *buffer = gvk_object_new(device, callbacks, sizeof *buffer);
    *out = VK_NULL_HANDLE;
    if (buffer == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkBufferCreateInfo sent = *info;
    if (info->sharingMode != VK_SHARING_MODE_CONCURRENT) { /* the list may be anything then */
        sent.queueFamilyIndexCount = 0;
        sent.pQueueFamilyIndices = NULL;
    }
    VkResult result = make_buffer(device, &sent, buffer);
    if (result != VK_SUCCESS) {
        gvk_object_free(device, callbacks, buffer);
        return result;
    }
    *out = GVK_TO(VkBuffer, buffer);
    return VK_SUCCESS;
}

static VkResult tell_locked(struct gvk_device *device, struct gvk_buffer *buffer)
{
    if (sl_atomic_load_relaxed(&buffer->waits) == 0) {
        return VK_SUCCESS;
    }
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = buffer->size,
                                     .usage = buffer->usage};
    VkMemoryRequirements unused = {.size = 0};
    VkBuffer handle = GVK_TO(VkBuffer, buffer);
    VkResult result = gvk_tell_vkCreateBufferWithRequirementsGOOGLE(
        device->dispatch.host, GVK_TO(VkDevice, device), &info, NULL, &handle, &unused);
    if (result == VK_SUCCESS) {
        /* Pairs with the load below: who sees it sends later. */
        sl_atomic_store_release(&buffer->waits, 0);
    }
    return result;
}

VkResult gvk_buffer_tell(struct gvk_device *device, VkBuffer handle)
{
    struct gvk_buffer *buffer = GVK_FROM(gvk_buffer, handle);
    if (buffer == NULL || sl_atomic_load_acquire(&buffer->waits) == 0) {
        return VK_SUCCESS;
    }
    pthread_mutex_lock(&device->lock);
    VkResult result = tell_locked(device, buffer);
    pthread_mutex_unlock(&device->lock);
    return result;
}

void gvk_vkDestroyBuffer(VkDevice device, VkBuffer handle, const VkAllocationCallbacks *callbacks)
{
    struct gvk_buffer *buffer = GVK_FROM(gvk_buffer, handle);
    /* Its end is externally synchronised: orders nothing. */
    if (buffer != NULL && sl_atomic_load_relaxed(&buffer->waits) != 0) {
        gvk_object_free(gvk_device_of(device), callbacks, buffer);
    } else {
        gvk_entry_vkDestroyBuffer(device, handle, callbacks);
    }
}

/* ---- Images ---- */

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

void gvk_vkGetBufferMemoryRequirements2(VkDevice device,
                                        const VkBufferMemoryRequirementsInfo2 *info,
                                        VkMemoryRequirements2 *out)
{
    if (info->pNext == NULL && out->pNext == NULL) {
        out->memoryRequirements = GVK_FROM(gvk_buffer, info->buffer)->requirements;
    } else if (gvk_buffer_tell(gvk_device_of(device), info->buffer) == VK_SUCCESS) {
        gvk_entry_vkGetBufferMemoryRequirements2(device, info, out);
    }
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
    VkResult result = gvk_buffer_tell(gvk_device_of(device), buffer);
    return result == VK_SUCCESS ? gvk_call_vkBindBufferMemory(gvk_host_of(device), device, buffer,
                                                              memory, offset + offset_of(memory))
                                : result;
}

VkResult gvk_vkBindImageMemory(VkDevice device, VkImage image, VkDeviceMemory memory,
                               VkDeviceSize offset)
{
    return gvk_call_vkBindImageMemory(gvk_host_of(device), device, image, memory,
                                      offset + offset_of(memory));
}

/* Each bind's own result, where it is asked for (maintenance6). */
static void tell_status(const void *chain, VkResult result)
{
    const VkBindMemoryStatus *status = gvk_chain_find(chain, VK_STRUCTURE_TYPE_BIND_MEMORY_STATUS);
    if (status != NULL) {
        *status->pResult = result;
    }
}

VkResult gvk_vkBindBufferMemory2(VkDevice device, uint32_t count,
                                 const VkBindBufferMemoryInfo *infos)
{
    VkBindBufferMemoryInfo *sent = sl_alloc_array(count, sizeof *sent);
    if (sent == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < count; i++) {
        VkResult told = gvk_buffer_tell(gvk_device_of(device), infos[i].buffer);
        result = result == VK_SUCCESS ? told : result;
        sent[i] = infos[i];
        sent[i].memoryOffset += offset_of(infos[i].memory);
    }
    if (result == VK_SUCCESS) {
        result = gvk_call_vkBindBufferMemory2(gvk_host_of(device), device, count, sent);
    }
    for (uint32_t i = 0; i < count; i++) {
        tell_status(infos[i].pNext, result);
    }
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
    for (uint32_t i = 0; i < count; i++) {
        tell_status(infos[i].pNext, result);
    }
    sl_free(sent);
    return result;
}
