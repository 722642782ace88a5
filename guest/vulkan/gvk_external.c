/* Memory as file descriptors (VK_KHR_external_memory_fd, opaque ones): what travels between
 * processes is the blob's memory, which the host imports as it would a resource. */
#include "guest/vulkan/gvk_block.h"
#include "guest/vulkan/gvk_clean.h"

#include "guest/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

#include <fcntl.h>
#include <sys/stat.h>

#define CHAIN_MAX 65536u
#define OPAQUE    VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT

/* An import without a type is none (Vulkan's rule). */
static const VkImportMemoryFdInfoKHR *import_of(const VkMemoryAllocateInfo *info)
{
    const VkImportMemoryFdInfoKHR *import =
        gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
    return import != NULL && import->handleType != 0 ? import : NULL;
}

static const VkExportMemoryAllocateInfo *export_of(const VkMemoryAllocateInfo *info)
{
    const VkExportMemoryAllocateInfo *export =
        gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
    return export != NULL && export->handleTypes != 0 ? export : NULL;
}

bool gvk_external_asked(const VkMemoryAllocateInfo *info)
{
    return import_of(info) != NULL || export_of(info) != NULL;
}

/* A resource of what the descriptor names, which stays the caller's. */
static VkResult import_resource(struct gvk_device *device, const VkImportMemoryFdInfoKHR *import,
                                uint64_t size, struct vg_res **out)
{
    struct vg *vg = device->dispatch.host->gs->vg;
    uint64_t rounded = sl_round_up(size, device->dispatch.host->gs->blob_alignment);
    struct stat file;
    if (import->handleType != OPAQUE || fstat(import->fd, &file) != 0 || file.st_size < 0 ||
        (uint64_t)file.st_size < size) {
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    int fd = fcntl(import->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    enum sl_result r =
        vg->ops->res_import(vg, fd, rounded <= (uint64_t)file.st_size ? rounded : size, out);
    return r == SL_OK           ? VK_SUCCESS
           : r == SL_ERR_CLOSED ? VK_ERROR_DEVICE_LOST
                                : VK_ERROR_INVALID_EXTERNAL_HANDLE;
}

VkResult gvk_external_new(struct gvk_device *device, const VkMemoryAllocateInfo *info,
                          struct gvk_block **out)
{
    const VkImportMemoryFdInfoKHR *import = import_of(info);
    const VkExportMemoryAllocateInfo *export = export_of(info);
    if (export != NULL && (export->handleTypes & ~(unsigned)OPAQUE) != 0) {
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    struct sl_arena arena;
    sl_arena_init(&arena, CHAIN_MAX);
    VkMemoryAllocateInfo sent = *info;
    bool copied[2];
    sent.pNext = gvk_chain_copy(&arena, info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                &copied[0]);
    sent.pNext =
        gvk_chain_copy(&arena, sent.pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR, &copied[1]);
    struct vg_res *resource = NULL;
    VkResult result = copied[0] && copied[1] ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
    if (result == VK_SUCCESS && import != NULL) {
        result = import_resource(device, import, info->allocationSize, &resource);
    }
    if (result == VK_SUCCESS) {
        result = gvk_block_new(device, &sent, resource, out);
        if (result != VK_SUCCESS) {
            vg_res_destroy(resource);
        }
    }
    if (result == VK_SUCCESS) {
        (*out)->exported = export != NULL;
        if (import != NULL) {
            int fd = import->fd; /* ours from now on (Vulkan's rule) */
            sl_fd_close(&fd);
        }
    }
    sl_arena_finish(&arena);
    return result;
}

VkResult gvk_vkGetMemoryFdKHR(VkDevice handle, const VkMemoryGetFdInfoKHR *info, int *fd)
{
    struct gvk_device *device = GVK_FROM(gvk_device, handle);
    struct gvk_block *block = GVK_FROM(gvk_memory, info->memory)->block;
    if (info->handleType != OPAQUE) {
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    pthread_mutex_lock(&device->lock);
    VkResult result = gvk_block_share(device, block);
    pthread_mutex_unlock(&device->lock);
    if (result == VK_SUCCESS) {
        enum sl_result r = block->blob->vg->ops->res_export(block->blob, fd);
        result = r == SL_OK           ? VK_SUCCESS
                 : r == SL_ERR_CLOSED ? VK_ERROR_DEVICE_LOST
                                      : VK_ERROR_TOO_MANY_OBJECTS;
    }
    return result;
}

/* Only of descriptors that tell something by themselves; opaque ones do not (Vulkan's rule). */
VkResult gvk_vkGetMemoryFdPropertiesKHR(VkDevice device, VkExternalMemoryHandleTypeFlagBits type,
                                        int fd, VkMemoryFdPropertiesKHR *out)
{
    (void)device;
    (void)type;
    (void)fd;
    (void)out;
    return VK_ERROR_INVALID_EXTERNAL_HANDLE;
}
