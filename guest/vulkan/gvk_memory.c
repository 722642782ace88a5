/* Device memory as applications see it: a host allocation, or a part of one. */
#include "guest/vulkan/gvk_block.h"
#include "guest/vulkan/gvk_clean.h"

#include "guest/vk_call.h"
#include "guest/vk_hand.h"
#include "transport/base/mem.h"

static VkMemoryPropertyFlags properties_of(const struct gvk_device *device, uint32_t type)
{
    const VkPhysicalDeviceMemoryProperties *memory = &device->physical->memory;
    return type < memory->memoryTypeCount ? memory->memoryTypes[type].propertyFlags : 0;
}

/* May it be a part of a shared block? Only if its chain says nothing that makes it special. */
static bool may_share(const struct gvk_device *device, const VkMemoryAllocateInfo *info,
                      VkMemoryAllocateFlags *flags)
{
    *flags = 0;
    if (info->allocationSize > GVK_PART_MAX ||
        (properties_of(device, info->memoryTypeIndex) & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) == 0) {
        return false;
    }
    for (const VkBaseInStructure *link = info->pNext; link != NULL; link = link->pNext) {
        if (link->sType == VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO) {
            const VkMemoryAllocateFlagsInfo *with = (const VkMemoryAllocateFlagsInfo *)link;
            if ((with->flags & ~(VkMemoryAllocateFlags)VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT) !=
                0) {
                return false;
            }
            *flags = with->flags;
        } else if (link->sType == VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO) {
            const VkMemoryDedicatedAllocateInfo *of = (const VkMemoryDedicatedAllocateInfo *)link;
            if (of->buffer != VK_NULL_HANDLE || of->image != VK_NULL_HANDLE) {
                return false;
            }
        } else if (link->sType != VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT) {
            return false;
        }
    }
    return true;
}

VkResult gvk_vkAllocateMemory(VkDevice handle, const VkMemoryAllocateInfo *info,
                              const VkAllocationCallbacks *callbacks, VkDeviceMemory *out)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    const VkMemoryDedicatedAllocateInfo *dedicated =
        gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
    if (dedicated != NULL && gvk_buffer_tell(device, dedicated->buffer) != VK_SUCCESS) {
        return gvk_failure(device->dispatch.host);
    }
    struct gvk_memory *memory = gvk_object_new(device, callbacks, sizeof *memory);
    if (memory == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    memory->size = info->allocationSize;
    memory->type = info->memoryTypeIndex;
    VkMemoryAllocateFlags flags;
    pthread_mutex_lock(&device->lock);
    VkResult result;
    if (may_share(device, info, &flags)) {
        result = gvk_part_new(device, memory->size, memory->type, flags, &memory->block,
                              &memory->offset);
    } else if (gvk_external_asked(info)) {
        result = gvk_external_new(device, info, &memory->block);
    } else {
        result = gvk_block_new(device, info, NULL, &memory->block);
    }
    pthread_mutex_unlock(&device->lock);
    if (result != VK_SUCCESS) {
        gvk_object_free(device, callbacks, memory);
        return result;
    }
    memory->object.vk.id = memory->block->object.vk.id;
    *out = GVK_TO(VkDeviceMemory, memory);
    return VK_SUCCESS;
}

void gvk_vkFreeMemory(VkDevice handle, VkDeviceMemory memory_handle,
                      const VkAllocationCallbacks *callbacks)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    struct gvk_memory *memory = GVK_FROM(gvk_memory, memory_handle);
    if (memory == NULL) {
        return;
    }
    gvk_settle(device);
    pthread_mutex_lock(&device->lock);
    if (memory->block->shared) {
        gvk_part_free(device, memory->block, memory->offset, memory->size);
    } else {
        gvk_block_free(device, memory->block);
    }
    pthread_mutex_unlock(&device->lock);
    gvk_object_free(device, callbacks, memory);
}

VkResult gvk_memory_map(struct gvk_device *device, struct gvk_memory *memory, void **bytes)
{
    pthread_mutex_lock(&device->lock);
    VkResult result = gvk_block_map(device, memory->block);
    pthread_mutex_unlock(&device->lock);
    if (result == VK_SUCCESS) {
        *bytes = memory->block->bytes + memory->offset;
    }
    return result;
}

struct vg_res *gvk_memory_blob(struct gvk_memory *memory, uint64_t *offset)
{
    *offset = memory->offset;
    return memory->block->blob;
}

VkResult gvk_vkMapMemory2(VkDevice handle, const VkMemoryMapInfo *info, void **data)
{
    void *bytes;
    VkResult result =
        gvk_memory_map(GVK_FROM(gvk_device, handle), GVK_FROM(gvk_memory, info->memory), &bytes);
    *data = result == VK_SUCCESS ? (uint8_t *)bytes + info->offset : NULL;
    return result;
}

VkResult gvk_vkMapMemory(VkDevice handle, VkDeviceMemory memory, VkDeviceSize offset,
                         VkDeviceSize size, VkMemoryMapFlags flags, void **data)
{
    const VkMemoryMapInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_MAP_INFO,
        .flags = flags,
        .memory = memory,
        .offset = offset,
        .size = size,
    };
    return gvk_vkMapMemory2(handle, &info, data);
}

/* The mapping stays for the next time, until the memory is freed. */
void gvk_vkUnmapMemory(VkDevice device, VkDeviceMemory memory)
{
    (void)device;
    (void)memory;
}
VkResult gvk_vkUnmapMemory2(VkDevice device, const VkMemoryUnmapInfo *info)
{
    (void)device;
    (void)info;
    return VK_SUCCESS;
}

/* The ranges that the host must hear of, in its own terms: coherent memory needs nothing. Free
 * them. */
static VkMappedMemoryRange *host_ranges(struct gvk_device *device, uint32_t *count,
                                        const VkMappedMemoryRange *ranges)
{
    VkMappedMemoryRange *sent = sl_alloc_array(*count, sizeof *sent);
    VkDeviceSize atom = device->physical->properties.limits.nonCoherentAtomSize;
    uint32_t used = 0;
    for (uint32_t i = 0; i < *count && sent != NULL; i++) {
        const struct gvk_memory *memory = GVK_FROM(gvk_memory, ranges[i].memory);
        if ((properties_of(device, memory->type) & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) != 0) {
            continue;
        }
        sent[used] = ranges[i];
        sent[used].offset += memory->offset;
        if (ranges[i].size == VK_WHOLE_SIZE && memory->block->shared) {
            VkDeviceSize left = memory->size - ranges[i].offset;
            sent[used].size = atom > 1 ? (left + atom - 1) / atom * atom : left;
        }
        used++;
    }
    *count = used;
    return sent;
}

VkResult gvk_vkFlushMappedMemoryRanges(VkDevice handle, uint32_t count,
                                       const VkMappedMemoryRange *ranges)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    VkMappedMemoryRange *sent = host_ranges(device, &count, ranges);
    VkResult result = sent == NULL ? VK_ERROR_OUT_OF_HOST_MEMORY
                      : count == 0 ? VK_SUCCESS
                                   : gvk_call_vkFlushMappedMemoryRanges(device->dispatch.host,
                                                                        handle, count, sent);
    sl_free(sent);
    return result;
}

VkResult gvk_vkInvalidateMappedMemoryRanges(VkDevice handle, uint32_t count,
                                            const VkMappedMemoryRange *ranges)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    VkMappedMemoryRange *sent = host_ranges(device, &count, ranges);
    VkResult result = sent == NULL ? VK_ERROR_OUT_OF_HOST_MEMORY
                      : count == 0 ? VK_SUCCESS
                                   : gvk_call_vkInvalidateMappedMemoryRanges(device->dispatch.host,
                                                                             handle, count, sent);
    sl_free(sent);
    return result;
}

void gvk_vkGetDeviceMemoryCommitment(VkDevice handle, VkDeviceMemory memory_handle,
                                     VkDeviceSize *out)
{
    const struct gvk_memory *memory = GVK_FROM(gvk_memory, memory_handle);
    gvk_call_vkGetDeviceMemoryCommitment(gvk_host_of(handle), handle, memory_handle, out);
    *out = *out < memory->size ? *out : memory->size;
}
