#include "guest/vulkan/gvk_block.h"

#include "guest/vk_call.h"
#include "transport/base/arith.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

static bool host_visible(const struct gvk_device *device, uint32_t type)
{
    const VkPhysicalDeviceMemoryProperties *memory = &device->physical->memory;
    return type < memory->memoryTypeCount &&
           (memory->memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0;
}

VkResult gvk_block_new(struct gvk_device *device, const VkMemoryAllocateInfo *info,
                       struct vg_res *imported, struct gvk_block **out)
{
    struct gvk_host *host = device->dispatch.host;
    struct gvk_block *block = sl_alloc(sizeof *block);
    if (block == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkMemoryAllocateInfo sent = *info;
    VkCreateBlobGOOGLE blob = {
        .sType = VK_STRUCTURE_TYPE_CREATE_BLOB_GOOGLE,
        .pNext = info->pNext,
        .blobMem = VIRTGPU_BLOB_HOST3D,
    };
    VkImportBufferGOOGLE import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_BUFFER_GOOGLE,
        .pNext = info->pNext,
    };
    if (imported != NULL) {
        import.buffer = imported->id;
        sent.pNext = &import;
    } else if (host_visible(device, info->memoryTypeIndex)) {
        sent.allocationSize = sl_round_up(info->allocationSize, host->gs->blob_alignment);
        if (host->deferred_mapping) {
            blob.blobId = sl_atomic_count_u64(&host->last_blob, 1) + 1;
            sent.pNext = &blob;
        }
    }
    block->size = sent.allocationSize;
    block->type = info->memoryTypeIndex;
    block->blob_id = blob.blobId;
    VkDeviceMemory handle = GVK_TO(VkDeviceMemory, block);
    VkResult result =
        gvk_call_vkAllocateMemory(host, GVK_TO(VkDevice, device), &sent, NULL, &handle);
    block->object.vk.id = (uint64_t)(uintptr_t)handle;
    if (result != VK_SUCCESS) {
        sl_free(block);
        return result;
    }
    block->blob = imported;
    sl_list_add(&device->blocks, &block->link);
    *out = block;
    return VK_SUCCESS;
}

void gvk_block_free(struct gvk_device *device, struct gvk_block *block)
{
    struct gvk_host *host = device->dispatch.host;
    VkDevice of = GVK_TO(VkDevice, device);
    VkDeviceMemory handle = GVK_TO(VkDeviceMemory, block);
    if (block->blob != NULL) { /* the host lets go of the memory before its blob goes */
        (void)gvk_call_vkFreeMemorySyncGOOGLE(host, of, handle, NULL);
        vg_res_destroy(block->blob);
    } else {
        gvk_call_vkFreeMemory(host, of, handle, NULL);
    }
    sl_list_remove(&block->link);
    sl_free(block);
}

/* The host makes the memory ready to be a blob; afterwards block->blob_id names it. */
static VkResult announce(struct gvk_device *device, struct gvk_block *block)
{
    struct gvk_host *host = device->dispatch.host;
    VkDevice of = GVK_TO(VkDevice, device);
    VkDeviceMemory handle = GVK_TO(VkDeviceMemory, block);
    if (block->blob_id != 0) {
        return gvk_call_vkGetBlobGOOGLE(host, of, handle);
    }
    uint64_t address = 0, size = 0;
    return gvk_call_vkGetMemoryHostAddressInfoGOOGLE(host, of, handle, &address, &size,
                                                     &block->blob_id);
}

VkResult gvk_block_share(struct gvk_device *device, struct gvk_block *block)
{
    if (block->blob != NULL) {
        return VK_SUCCESS;
    }
    if (!host_visible(device, block->type)) {
        return VK_ERROR_MEMORY_MAP_FAILED;
    }
    VkResult result = announce(device, block);
    if (result != VK_SUCCESS) {
        return result == VK_ERROR_DEVICE_LOST ? result : VK_ERROR_MEMORY_MAP_FAILED;
    }
    const struct vg_blob_args args = {
        .mem = VIRTGPU_BLOB_HOST3D,
        .flags = VIRTGPU_BLOB_MAPPABLE | (block->exported ? VIRTGPU_BLOB_SHAREABLE : 0u),
        .size = block->size,
        .blob_id = block->blob_id,
    };
    enum sl_result r = vg_blob_create(device->dispatch.host->gs->vg, &args, &block->blob);
    if (r != SL_OK) {
        sl_error("vulkan", "memory of %llu bytes cannot be shared: %s",
                 (unsigned long long)block->size, sl_result_name(r));
        return r == SL_ERR_CLOSED ? VK_ERROR_DEVICE_LOST : VK_ERROR_MEMORY_MAP_FAILED;
    }
    return VK_SUCCESS;
}

VkResult gvk_block_map(struct gvk_device *device, struct gvk_block *block)
{
    if (block->bytes != NULL) {
        return VK_SUCCESS;
    }
    VkResult result = gvk_block_share(device, block);
    if (result != VK_SUCCESS) {
        return result;
    }
    void *bytes;
    enum sl_result r = vg_res_map(block->blob, &bytes);
    if (r != SL_OK) {
        sl_error("vulkan", "memory of %llu bytes cannot be mapped: %s",
                 (unsigned long long)block->size, sl_result_name(r));
        return r == SL_ERR_CLOSED ? VK_ERROR_DEVICE_LOST : VK_ERROR_MEMORY_MAP_FAILED;
    }
    block->bytes = bytes;
    return VK_SUCCESS;
}

/* ---- Parts ---- */

static bool unit_used(const struct gvk_block *block, uint32_t unit)
{
    return (block->used[unit / 64] >> (unit % 64) & 1) != 0;
}

static void mark(struct gvk_block *block, uint32_t first, uint32_t count)
{
    for (uint32_t unit = first; unit < first + count; unit++) {
        block->used[unit / 64] ^= 1ull << (unit % 64);
    }
}

/* First of `count` free units in a row, or GVK_UNITS. */
static uint32_t find_units(const struct gvk_block *block, uint32_t count)
{
    uint32_t run = 0;
    for (uint32_t unit = 0; unit < GVK_UNITS; unit++) {
        if (unit % 64 == 0 && block->used[unit / 64] == UINT64_MAX) {
            run = 0;
            unit += 63;
            continue;
        }
        run = unit_used(block, unit) ? 0 : run + 1;
        if (run == count) {
            return unit + 1 - count;
        }
    }
    return GVK_UNITS;
}

static uint32_t units_of(uint64_t size)
{
    return size == 0 ? 1 : (uint32_t)((size + GVK_UNIT - 1) / GVK_UNIT);
}

static VkResult new_shared(struct gvk_device *device, uint32_t type, VkMemoryAllocateFlags flags,
                           struct gvk_block **out)
{
    const VkMemoryAllocateFlagsInfo with = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .flags = flags,
    };
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = flags != 0 ? &with : NULL,
        .allocationSize = GVK_BLOCK_SIZE,
        .memoryTypeIndex = type,
    };
    VkResult result = gvk_block_new(device, &info, NULL, out);
    if (result == VK_SUCCESS) {
        (*out)->shared = true;
        (*out)->flags = flags;
    }
    return result;
}

VkResult gvk_part_new(struct gvk_device *device, uint64_t size, uint32_t type,
                      VkMemoryAllocateFlags flags, struct gvk_block **out, uint64_t *offset)
{
    uint32_t count = units_of(size);
    struct gvk_block *block = NULL;
    uint32_t unit = GVK_UNITS;
    SL_LIST_FOR(item, &device->blocks)
    {
        struct gvk_block *one = SL_CONTAINER(item, struct gvk_block, link);
        if (one->shared && one->type == type && one->flags == flags &&
            one->used_count + count <= GVK_UNITS && (unit = find_units(one, count)) != GVK_UNITS) {
            block = one;
            break;
        }
    }
    if (block == NULL) {
        VkResult result = new_shared(device, type, flags, &block);
        if (result != VK_SUCCESS) {
            return result;
        }
        unit = 0;
    }
    mark(block, unit, count);
    block->used_count += count;
    *out = block;
    *offset = (uint64_t)unit * GVK_UNIT;
    return VK_SUCCESS;
}

/* Is there another empty block of its kind? One is kept for the next allocation. */
static bool spare_exists(struct gvk_device *device, const struct gvk_block *block)
{
    SL_LIST_FOR(item, &device->blocks)
    {
        const struct gvk_block *one = SL_CONTAINER(item, struct gvk_block, link);
        if (one != block && one->shared && one->type == block->type && one->flags == block->flags &&
            one->used_count == 0) {
            return true;
        }
    }
    return false;
}

void gvk_part_free(struct gvk_device *device, struct gvk_block *block, uint64_t offset,
                   uint64_t size)
{
    uint32_t count = units_of(size);
    mark(block, (uint32_t)(offset / GVK_UNIT), count);
    block->used_count -= count;
    if (block->used_count == 0 && spare_exists(device, block)) {
        gvk_block_free(device, block);
    }
}

void gvk_blocks_init(struct gvk_device *device)
{
    sl_list_init(&device->blocks);
}

void gvk_blocks_finish(struct gvk_device *device)
{
    SL_LIST_FOR_SAFE(item, &device->blocks)
    {
        gvk_block_free(device, SL_CONTAINER(item, struct gvk_block, link));
    }
}
