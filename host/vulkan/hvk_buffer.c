/* Buffers: creation with requirements, and binding within the memory's bounds. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

static struct hvk_buffer *buffer_of(struct hvk_object *object)
{
    return (struct hvk_buffer *)(void *)object;
}

/* By native handle: descriptors carry nothing else. */
struct hvk_buffer *hvk_buffer_at(const struct hvk_device *device, VkBuffer native)
{
    return sl_map_find(&device->buffers, HVK_U64(native));
}

static void buffer_release(struct hvk_object *object)
{
    struct hvk_buffer *b = buffer_of(object);
    (void)sl_map_remove(&object->device->buffers, object->native);
    object->device->driver.DestroyBuffer(hvk_native(object->device),
                                         HVK_HANDLE(VkBuffer, object->native), NULL);
    hvk_pages_unref(b->pages);
    hvk_bond_end(&b->memory);
    sl_free(b);
}

/* Handle types are the guest's; natively a buffer may lie in imported host memory, or, sparse ones,
 * in nothing that is external. */
static VkBufferCreateInfo native_info(const struct hvk_device *device,
                                      const VkBufferCreateInfo *asked,
                                      VkExternalMemoryBufferCreateInfo *external)
{
    static const VkStructureType drops[] = {
        VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        VK_STRUCTURE_TYPE_DEDICATED_ALLOCATION_BUFFER_CREATE_INFO_NV};
    VkBufferCreateInfo info = *asked;
    hvk_chain_drop(&info.pNext, drops, sizeof drops / sizeof drops[0]);
    if (device->has_external_memory_host &&
        (info.flags & VK_BUFFER_CREATE_SPARSE_BINDING_BIT) == 0) {
        *external = (VkExternalMemoryBufferCreateInfo){
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
            .pNext = info.pNext,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
        info.pNext = external;
    }
    return info;
}

static VkResult create(struct hvk_call *call, struct hvk_device *device,
                       const VkBufferCreateInfo *asked, VkBuffer *slot,
                       VkMemoryRequirements *requirements)
{
    uint64_t id = HVK_U64(*slot);
    *slot = VK_NULL_HANDLE;
    bool sparse = (asked->flags & VK_BUFFER_CREATE_SPARSE_BINDING_BIT) != 0;
    if (asked->size == 0 || (sparse && !hvk_has_sparse(device->physical))) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    struct hvk_buffer *b = sl_alloc(sizeof *b);
    if (b == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkExternalMemoryBufferCreateInfo external;
    VkBufferCreateInfo info = native_info(device, asked, &external);
    VkBuffer native = VK_NULL_HANDLE;
    VkResult result = device->driver.CreateBuffer(hvk_native(device), &info, NULL, &native);
    if (result != VK_SUCCESS) {
        sl_free(b);
        return result;
    }
    device->driver.GetBufferMemoryRequirements(hvk_native(device), native, &b->requirements);
    b->size = asked->size;
    b->is_bound = sparse;
    hvk_object_init(&b->object, VK_KIND_VkBuffer, HVK_U64(native), device->object.instance, device,
                    buffer_release);
    if (sl_map_add(&device->buffers, b->object.native, b) != SL_OK) {
        device->driver.DestroyBuffer(hvk_native(device), native, NULL);
        sl_free(b);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    if (requirements != NULL) {
        *requirements = b->requirements;
    }
    enum sl_result added = hvk_add_object(call, &b->object, &id);
    hvk_unref(&b->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *slot = HVK_HANDLE(VkBuffer, id);
    return VK_SUCCESS;
}

VkResult hvk_vkCreateBuffer(struct hvk_call *call, struct vk_args_vkCreateBuffer *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    return hvk_device_result(device, create(call, device, a->pCreateInfo, a->pBuffer, NULL));
}

VkResult
hvk_vkCreateBufferWithRequirementsGOOGLE(struct hvk_call *call,
                                         struct vk_args_vkCreateBufferWithRequirementsGOOGLE *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    return hvk_device_result(
        device, create(call, device, a->pCreateInfo, a->pBuffer, a->pMemoryRequirements));
}

/* --- binding --- */

/* The memory is the guest's to name: what the driver would write past its end is refused. */
static VkResult bind(struct hvk_call *call, struct hvk_device *device,
                     const VkBindBufferMemoryInfo *ids, const VkBindBufferMemoryInfo *natives)
{
    struct hvk_buffer *b =
        buffer_of(hvk_find(call->context, VK_KIND_VkBuffer, HVK_U64(ids->buffer), NULL));
    struct hvk_pages *pages = NULL;
    if (b == NULL || b->is_bound ||
        !hvk_memory_takes(device, HVK_U64(ids->memory), ids->memoryOffset, &b->requirements,
                          &pages)) {
        sl_warn_limited("vulkan",
                        "context %u: a buffer does not fit its memory at %llu, or has some",
                        call->context->ctx_id, (unsigned long long)ids->memoryOffset);
        return VK_ERROR_VALIDATION_FAILED;
    }
    VkResult result = device->driver.BindBufferMemory(hvk_native(device), natives->buffer,
                                                      natives->memory, natives->memoryOffset);
    if (result == VK_SUCCESS) {
        struct hvk_pages *old = b->pages;
        b->is_bound = true;
        b->pages = pages != NULL ? hvk_pages_ref(pages) : NULL;
        hvk_pages_unref(old);
        hvk_bond_make(call->context, &b->memory, VK_KIND_VkDeviceMemory, HVK_U64(ids->memory),
                      ids->memoryOffset);
    }
    return result;
}

VkResult hvk_vkBindBufferMemory(struct hvk_call *call, struct vk_args_vkBindBufferMemory *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    VkBindBufferMemoryInfo ids = {.buffer = HVK_HANDLE(VkBuffer, a->buffer_id),
                                  .memory = HVK_HANDLE(VkDeviceMemory, a->memory_id),
                                  .memoryOffset = a->memoryOffset};
    VkBindBufferMemoryInfo natives = {
        .buffer = a->buffer, .memory = a->memory, .memoryOffset = a->memoryOffset};
    return hvk_device_result(device, bind(call, device, &ids, &natives));
}

VkResult hvk_vkBindBufferMemory2(struct hvk_call *call, struct vk_args_vkBindBufferMemory2 *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkBindBufferMemory2 ids;
    VkResult result =
        vk_unpack_vkBindBufferMemory2(&again, &ids) ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
    for (uint32_t i = 0; result == VK_SUCCESS && i < a->bindInfoCount; i++) {
        result = bind(call, device, &ids.pBindInfos[i], &a->pBindInfos[i]);
    }
    return hvk_device_result(device, result);
}

void hvk_vkGetBufferMemoryRequirements2(struct hvk_call *call,
                                        struct vk_args_vkGetBufferMemoryRequirements2 *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    if (device->driver.GetBufferMemoryRequirements2 == NULL || a->pInfo->buffer == VK_NULL_HANDLE) {
        hr_call_refuse(call->hr, "it names no buffer, or the native driver cannot tell");
        return;
    }
    device->driver.GetBufferMemoryRequirements2(hvk_native(device), a->pInfo,
                                                a->pMemoryRequirements);
}
