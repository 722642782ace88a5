/* Device memory.
 *
 * What the guest may map lies in shared pages (hvk_blob.c) that the native driver imports as host
 * memory: it works with every driver that has VK_EXT_external_memory_host, the pages are sealed and
 * page-aligned, and nothing of the driver's own lies beside them. (lavapipe's own descriptors carry
 * a header of the driver's in their first page.) Only coherent types are shared, so flushes and
 * invalidations have nothing to do. */
#include "host/vulkan/hvk_family.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define SHARED_FLAGS (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

/* --- which types are shared --- */

/* The types into which the driver takes pages like ours; a device is made to ask. */
static uint32_t probe(const struct hvk_physical *physical)
{
    const struct vk_driver_instance *driver = &physical->object.instance->driver;
    const char *const names[] = {"VK_EXT_external_memory_host", "VK_KHR_external_memory"};
    const float priority = 1.0f;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue,
                                     .enabledExtensionCount =
                                         hvk_physical_has(physical, UINT32_MAX, names[1]) ? 2 : 1,
                                     .ppEnabledExtensionNames = names};
    VkMemoryHostPointerPropertiesEXT can = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    struct hvk_pages *pages;
    VkDevice device;
    if (hvk_pages_create(NULL, 1, 0, &pages) != SL_OK) {
        return 0;
    }
    if (driver->CreateDevice(HVK_HANDLE(VkPhysicalDevice, physical->object.native), &info, NULL,
                             &device) == VK_SUCCESS) {
        struct vk_driver_device native = {0};
        vk_driver_device_load(&native, device, driver->GetDeviceProcAddr);
        if (native.GetMemoryHostPointerPropertiesEXT != NULL) {
            (void)native.GetMemoryHostPointerPropertiesEXT(
                device, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, pages->pointer,
                &can);
        }
        native.DestroyDevice(device, NULL);
    }
    hvk_pages_unref(pages);
    return can.memoryTypeBits;
}

uint32_t hvk_memory_shared_types(struct hvk_physical *physical)
{
    if (physical->knows_shared_types) {
        return physical->shared_types;
    }
    uint32_t bits = 0;
    if (hvk_physical_has(physical, UINT32_MAX, "VK_EXT_external_memory_host")) {
        for (uint32_t i = 0; i < physical->memory.memoryTypeCount; i++) {
            VkMemoryPropertyFlags flags = physical->memory.memoryTypes[i].propertyFlags;
            bits |= (flags & SHARED_FLAGS) == SHARED_FLAGS ? 1u << i : 0;
        }
        /* All memory is the same to drivers that run on the CPU. */
        if (!hvk_is_cpu(physical)) {
            bits &= probe(physical);
        }
    }
    physical->shared_types = bits;
    physical->knows_shared_types = true;
    return bits;
}

void hvk_memory_filter(struct hvk_physical *physical, VkPhysicalDeviceMemoryProperties *properties)
{
    uint32_t shared = hvk_memory_shared_types(physical);
    for (uint32_t i = 0; i < properties->memoryTypeCount; i++) {
        VkMemoryPropertyFlags *flags = &properties->memoryTypes[i].propertyFlags;
        *flags &= ~(VkMemoryPropertyFlags)VK_MEMORY_PROPERTY_PROTECTED_BIT;
        if ((shared >> i & 1) == 0) {
            *flags &= ~(VkMemoryPropertyFlags)(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                               VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |
                                               VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
        }
    }
}

/* --- allocation --- */

static struct hvk_memory *memory_of(struct hvk_object *object)
{
    return (struct hvk_memory *)(void *)object;
}

static void memory_release(struct hvk_object *object)
{
    struct hvk_memory *m = memory_of(object);
    struct hvk_device *device = object->device;
    if (object->native != 0) {
        device->driver.FreeMemory(hvk_native(device), HVK_HANDLE(VkDeviceMemory, object->native),
                                  NULL);
    }
    if (m->pages != NULL) {
        hvk_blob_withdraw(device->context, m->blob_id, m->pages);
    }
    hvk_pages_unref(m->pages);
    sl_free(m);
}

/* What the guest chained, taken out of what the driver is given. */
struct wanted {
    const void *chain; /* what is left */
    const VkCreateBlobGOOGLE *blob;
    const VkImportColorBufferGOOGLE *color_buffer;
    const VkImportBufferGOOGLE *buffer;
    bool is_shared;
};

static struct wanted look(const VkMemoryAllocateInfo *info, uint32_t shared)
{
    static const VkStructureType drops[] = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                            VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                            VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
                                            VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO_NV};
    struct wanted w = {.chain = info->pNext};
    w.blob = hvk_chain_take(&w.chain, VK_STRUCTURE_TYPE_CREATE_BLOB_GOOGLE);
    w.color_buffer = hvk_chain_take(&w.chain, VK_STRUCTURE_TYPE_IMPORT_COLOR_BUFFER_GOOGLE);
    w.buffer = hvk_chain_take(&w.chain, VK_STRUCTURE_TYPE_IMPORT_BUFFER_GOOGLE);
    hvk_chain_drop(&w.chain, drops, sizeof drops / sizeof drops[0]);
    w.is_shared = w.color_buffer != NULL || w.buffer != NULL || w.blob != NULL ||
                  (shared >> info->memoryTypeIndex & 1) != 0;
    if (w.is_shared) {
        /* Imported host memory is dedicated to nothing. */
        (void)hvk_chain_take(&w.chain, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
    }
    return w;
}

static bool is_dedicated(const void *chain)
{
    const VkMemoryDedicatedAllocateInfo *info =
        hvk_chain_find(chain, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
    return info != NULL && (info->image != VK_NULL_HANDLE || info->buffer != VK_NULL_HANDLE);
}

/* Whether the driver demands it; where it cannot be asked, it is as the guest says. */
static bool demands_own(const struct hvk_device *device, const VkMemoryDedicatedAllocateInfo *of)
{
    const struct vk_driver_device *d = &device->driver;
    VkMemoryDedicatedRequirements own = {.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS,
                                         .requiresDedicatedAllocation = VK_TRUE};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2, .pNext = &own};
    const VkImageMemoryRequirementsInfo2 image = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, .image = of->image};
    const VkBufferMemoryRequirementsInfo2 buffer = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, .buffer = of->buffer};
    if (of->image != VK_NULL_HANDLE && d->GetImageMemoryRequirements2 != NULL) {
        d->GetImageMemoryRequirements2(hvk_native(device), &image, &needs);
    } else if (of->buffer != VK_NULL_HANDLE && d->GetBufferMemoryRequirements2 != NULL) {
        d->GetBufferMemoryRequirements2(hvk_native(device), &buffer, &needs);
    }
    return own.requiresDedicatedAllocation != VK_FALSE;
}

/* What a snapshot reads (hvk_carry.c) is no one object's, where that may be. */
static void share_among_objects(const struct hvk_device *device, struct wanted *w)
{
    const struct hvk_provider *provider = device->context->provider;
    const VkMemoryDedicatedAllocateInfo *own =
        hvk_chain_find(w->chain, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
    if ((provider->is_recorded || provider->restores) && is_dedicated(w->chain) &&
        !demands_own(device, own)) {
        (void)hvk_chain_take(&w->chain, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO);
    }
}

/* limit: the heap's size, which all that is shared of it may have together. */
static enum sl_result pages_for(struct hvk_context *context, const struct wanted *w, uint64_t size,
                                uint64_t limit, struct hvk_pages **out)
{
    if (w->color_buffer != NULL) {
        return hvk_resource_pages(context, w->color_buffer->colorBuffer, size, out);
    }
    if (w->buffer != NULL) {
        return hvk_resource_pages(context, w->buffer->buffer, size, out);
    }
    return hvk_pages_create(context, size, limit, out);
}

static VkResult allocate_native(struct hvk_device *device, const VkMemoryAllocateInfo *asked,
                                const struct wanted *w, struct hvk_memory *m)
{
    VkImportMemoryHostPointerInfoEXT import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
        .pNext = w->chain,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
        .pHostPointer = m->pages != NULL ? m->pages->pointer : NULL};
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .pNext = m->pages != NULL ? &import : w->chain,
                                 .allocationSize =
                                     m->pages != NULL ? m->pages->size : asked->allocationSize,
                                 .memoryTypeIndex = asked->memoryTypeIndex};
    VkDeviceMemory native = VK_NULL_HANDLE;
    VkResult result = device->driver.AllocateMemory(hvk_native(device), &info, NULL, &native);
    if (result == VK_SUCCESS) {
        m->object.native = HVK_U64(native);
    }
    return result;
}

static VkResult allocate(struct hvk_call *call, struct hvk_device *device,
                         const VkMemoryAllocateInfo *info, struct hvk_memory **out)
{
    const VkPhysicalDeviceMemoryProperties *memory = &device->physical->memory;
    if (info->memoryTypeIndex >= memory->memoryTypeCount || info->allocationSize == 0) {
        sl_warn_limited("vulkan", "context %u: no memory of type %u and size %llu",
                        call->context->ctx_id, info->memoryTypeIndex,
                        (unsigned long long)info->allocationSize);
        return VK_ERROR_VALIDATION_FAILED;
    }
    uint32_t heap = memory->memoryTypes[info->memoryTypeIndex].heapIndex;
    uint64_t limit = memory->memoryHeaps[heap].size;
    if (info->allocationSize > limit) {
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    uint32_t shared = hvk_memory_shared_types(device->physical);
    struct wanted w = look(info, shared);
    if (w.is_shared && (shared >> info->memoryTypeIndex & 1) == 0) {
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    share_among_objects(device, &w);
    struct hvk_memory *m = sl_alloc(sizeof *m);
    if (m == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    hvk_object_init(&m->object, VK_KIND_VkDeviceMemory, 0, device->object.instance, device,
                    memory_release);
    m->size = info->allocationSize;
    m->type = info->memoryTypeIndex;
    m->is_dedicated = !w.is_shared && is_dedicated(w.chain);
    enum sl_result r =
        w.is_shared ? pages_for(call->context, &w, info->allocationSize, limit, &m->pages) : SL_OK;
    VkResult result = r == SL_OK ? allocate_native(device, info, &w, m)
                      : w.color_buffer != NULL || w.buffer != NULL
                          ? VK_ERROR_INVALID_EXTERNAL_HANDLE
                          : VK_ERROR_OUT_OF_DEVICE_MEMORY;
    if (result != VK_SUCCESS) {
        hvk_unref(&m->object);
        return result;
    }
    m->blob_id = w.blob != NULL ? w.blob->blobId : 0;
    *out = m;
    return VK_SUCCESS;
}

VkResult hvk_vkAllocateMemory(struct hvk_call *call, struct vk_args_vkAllocateMemory *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_memory *m = NULL;
    uint64_t id = HVK_U64(*a->pMemory);
    *a->pMemory = VK_NULL_HANDLE;
    VkResult result = allocate(call, device, a->pAllocateInfo, &m);
    if (result != VK_SUCCESS) {
        return hvk_device_result(device, result);
    }
    enum sl_result added = hvk_add_object(call, &m->object, &id);
    hvk_unref(&m->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    if (m->pages != NULL && m->pages->context != NULL && call->birth != NULL) {
        m->pages->birth = hvk_birth_ref(call->birth);
    }
    *a->pMemory = HVK_HANDLE(VkDeviceMemory, id);
    return VK_SUCCESS;
}

VkResult hvk_vkFreeMemorySyncGOOGLE(struct hvk_call *call, struct vk_args_vkFreeMemorySyncGOOGLE *a)
{
    hvk_destroy(call->context, VK_KIND_VkDeviceMemory, a->memory_id);
    return hvk_device_result(hvk_device_of(a->record), VK_SUCCESS);
}

/* --- mapping --- */

static struct hvk_memory *memory_find(const struct hvk_context *context, uint64_t id)
{
    return memory_of(hvk_find(context, VK_KIND_VkDeviceMemory, id, NULL));
}

bool hvk_memory_holds(const struct hvk_device *device, uint64_t id, uint64_t offset, uint64_t size,
                      struct hvk_pages **pages)
{
    const struct hvk_memory *m = memory_find(device->context, id);
    if (m == NULL || !sl_region_fits(offset, size, m->size)) {
        return false;
    }
    if (pages != NULL) {
        *pages = m->pages;
    }
    return true;
}

bool hvk_memory_takes(const struct hvk_device *device, uint64_t id, uint64_t offset,
                      const VkMemoryRequirements *needs, struct hvk_pages **pages)
{
    const struct hvk_memory *m = memory_find(device->context, id);
    return m != NULL && (needs->memoryTypeBits >> m->type & 1) != 0 && needs->size != 0 &&
           offset % needs->alignment == 0 &&
           hvk_memory_holds(device, id, offset, needs->size, pages);
}

uint64_t hvk_memory_show(const struct hvk_device *device, uint64_t id)
{
    struct hvk_memory *m = memory_find(device->context, id);
    if (m == NULL) {
        return 0;
    }
    m->is_shown = true;
    return m->blob_id;
}

static VkResult publish(struct hvk_call *call, struct hvk_memory *m)
{
    if (m == NULL || m->pages == NULL) {
        return VK_ERROR_MEMORY_MAP_FAILED;
    }
    enum sl_result result = hvk_blob_publish(call->context, m->blob_id, m->pages);
    return result == SL_OK          ? VK_SUCCESS
           : result == SL_ERR_NOMEM ? VK_ERROR_OUT_OF_HOST_MEMORY
                                    : VK_ERROR_MEMORY_MAP_FAILED;
}

VkResult hvk_vkGetBlobGOOGLE(struct hvk_call *call, struct vk_args_vkGetBlobGOOGLE *a)
{
    return hvk_device_result(hvk_device_of(a->record),
                             publish(call, memory_find(call->context, a->memory_id)));
}

VkResult hvk_vkGetMemoryHostAddressInfoGOOGLE(struct hvk_call *call,
                                              struct vk_args_vkGetMemoryHostAddressInfoGOOGLE *a)
{
    struct hvk_memory *m = memory_find(call->context, a->memory_id);
    if (m != NULL && m->blob_id == 0) {
        m->blob_id = hvk_blob_id_new(call->context);
    }
    VkResult result = publish(call, m);
    /* pAddress stays 0: the host's addresses are its own. */
    if (a->pSize != NULL) {
        *a->pSize = result == VK_SUCCESS ? m->pages->size : 0;
    }
    if (a->pHostmemId != NULL) {
        *a->pHostmemId = result == VK_SUCCESS ? m->blob_id : 0;
    }
    return hvk_device_result(hvk_device_of(a->record), result);
}

/* Shared types are coherent: nothing to flush, but the ranges must be some of the memory's. */
static VkResult check_ranges(const struct hvk_device *device, uint32_t count,
                             const VkMappedMemoryRange *ranges)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t size = ranges[i].size == VK_WHOLE_SIZE ? 0 : ranges[i].size;
        if (!hvk_memory_holds(device, HVK_U64(ranges[i].memory), ranges[i].offset, size, NULL)) {
            return VK_ERROR_VALIDATION_FAILED;
        }
    }
    return VK_SUCCESS;
}

VkResult hvk_vkFlushMappedMemoryRanges(struct hvk_call *call,
                                       struct vk_args_vkFlushMappedMemoryRanges *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkFlushMappedMemoryRanges ids;
    VkResult result =
        vk_unpack_vkFlushMappedMemoryRanges(&again, &ids)
            ? check_ranges(hvk_device_of(a->record), ids.memoryRangeCount, ids.pMemoryRanges)
            : VK_ERROR_OUT_OF_HOST_MEMORY;
    return hvk_device_result(hvk_device_of(a->record), result);
}

VkResult hvk_vkInvalidateMappedMemoryRanges(struct hvk_call *call,
                                            struct vk_args_vkInvalidateMappedMemoryRanges *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkInvalidateMappedMemoryRanges ids;
    VkResult result =
        vk_unpack_vkInvalidateMappedMemoryRanges(&again, &ids)
            ? check_ranges(hvk_device_of(a->record), ids.memoryRangeCount, ids.pMemoryRanges)
            : VK_ERROR_OUT_OF_HOST_MEMORY;
    return hvk_device_result(hvk_device_of(a->record), result);
}
