/* Resources: made, shown to the embedder, destroyed. Guest pages and transfers: abi_transfer.c. */
#include "host/abi/abi.h"

#include "transport/base/arith.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES  4096u
#define BIND_CUSTOM (1u << 17)

/* ---- the table ---- */

/* An entry of our own before the device is asked. */
static enum sl_result reserve(struct abi *abi, uint32_t id, struct abi_resource **out)
{
    struct abi_resource *res = sl_alloc(sizeof *res);
    if (res == NULL) {
        return SL_ERR_NOMEM;
    }
    *res = (struct abi_resource){.id = id};
    enum sl_result r = id != 0 ? sl_map_add(&abi->resources, id, res) : SL_ERR_INVALID;
    if (r != SL_OK) {
        sl_free(res);
        return r;
    }
    *out = res;
    return SL_OK;
}

static void forget(struct abi *abi, struct abi_resource *res)
{
    (void)sl_map_remove(&abi->resources, res->id);
    sl_free(res->pages);
    sl_free(res);
}

/* What of it can be mapped, and how: the device tells it with a mapping. */
static void measure(struct abi *abi, struct abi_resource *res)
{
    struct vgd_map map;
    if (abi->device->ops->res_map(abi->device, res->id, &map) == SL_OK) {
        sl_fd_close(&map.fd);
        (void)abi->device->ops->res_unmap(abi->device, res->id);
        res->is_mappable = true;
        res->map_info = map.map_info & STREAM_RENDERER_MAP_CACHE_MASK;
        res->stride = map.stride;
    }
}

/* The device made it, or did not. */
static enum sl_result settle(struct abi *abi, struct abi_resource *res, enum sl_result r)
{
    if (r == SL_OK) {
        measure(abi, res);
    } else {
        sl_warn_limited("abi", "resource %u is not made: %s", res->id, sl_result_name(r));
        forget(abi, res);
    }
    return r;
}

static void unref(struct abi *abi, struct abi_resource *res)
{
    if (res->mapping != NULL) {
        (void)abi->device->ops->res_unmap(abi->device, res->id);
        if (res->mapping_is_ours) {
            munmap(res->mapping, (size_t)res->mapping_size);
        }
    }
    (void)abi->device->ops->res_destroy(abi->device, res->id);
    forget(abi, res);
}

void abi_resources_clear(struct abi *abi)
{
    uint32_t cursor = 0;
    for (struct abi_resource *res; (res = sl_map_next(&abi->resources, &cursor, NULL)) != NULL;) {
        unref(abi, res);
    }
}

VG_EXPORT void stream_renderer_resource_unref(uint32_t res_handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    struct abi_resource *res = abi_resource_find(abi, res_handle);
    if (res != NULL) {
        unref(abi, res);
    }
    abi_leave();
}

/* ---- classic resources ---- */

static enum sl_result create_tex(struct abi *abi,
                                 const struct stream_renderer_resource_create_args *args,
                                 const struct iovec *iov, uint32_t iov_count)
{
    const struct vg_tex_args tex = {.target = args->target,
                                    .format = args->format,
                                    .bind = args->bind,
                                    .width_px = args->width,
                                    .height_px = args->height,
                                    .depth = args->depth,
                                    .array_size = args->array_size,
                                    .last_level = args->last_level,
                                    .nr_samples = args->nr_samples,
                                    .flags = args->flags};
    if (tex.target == VIRTGPU_TARGET_BUFFER && tex.bind == BIND_CUSTOM) {
        sl_warn_limited("abi", "resource %u: goldfish pipes are not served", args->handle);
        return SL_ERR_UNSUPPORTED;
    }
    struct abi_resource *res;
    enum sl_result r = reserve(abi, args->handle, &res);
    if (r != SL_OK) {
        return r;
    }
    res->is_tex = true;
    res->tex = tex;
    r = settle(abi, res, abi->device->ops->res_create_tex(abi->device, res->id, &tex));
    if (r == SL_OK && iov != NULL && iov_count != 0) {
        r = abi_pages_attach(abi, res, iov, iov_count);
        if (r != SL_OK) {
            unref(abi, res);
        }
    }
    return r;
}

VG_EXPORT int stream_renderer_resource_create(struct stream_renderer_resource_create_args *args,
                                              struct iovec *iov, uint32_t num_iovs)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = args != NULL ? create_tex(abi, args, iov, num_iovs) : SL_ERR_INVALID;
    abi_leave();
    return abi_status(r);
}

/* ---- blobs ---- */

/* The descriptor that a handle of memory is; -1: it is none. */
static int handle_fd(const struct stream_renderer_handle *handle)
{
    bool is_fd = handle->handle_type == STREAM_HANDLE_TYPE_MEM_OPAQUE_FD ||
                 handle->handle_type == STREAM_HANDLE_TYPE_MEM_DMABUF ||
                 handle->handle_type == STREAM_HANDLE_TYPE_MEM_SHM;
    return is_fd && handle->os_handle >= 0 && handle->os_handle <= INT32_MAX
               ? (int)handle->os_handle
               : -1;
}

/* Shared memory of somebody else as a resource's bytes. Takes fd. */
static enum sl_result import_memory(struct abi *abi, uint32_t id, int fd, uint64_t size)
{
    struct abi_resource *res;
    enum sl_result r = fd >= 0 ? reserve(abi, id, &res) : SL_ERR_INVALID;
    if (r != SL_OK) {
        sl_fd_close(&fd);
        return r;
    }
    return settle(abi, res, abi->device->ops->res_import(abi->device, id, fd, size));
}

static enum sl_result create_blob(struct abi *abi, uint32_t ctx_id, uint32_t id,
                                  const struct stream_renderer_create_blob *blob,
                                  const struct iovec *iov, uint32_t iov_count,
                                  const struct stream_renderer_handle *handle)
{
    if (handle != NULL && (blob->blob_flags & STREAM_BLOB_FLAG_CREATE_GUEST_HANDLE) != 0) {
        return import_memory(abi, id, handle_fd(handle), blob->size);
    }
    struct abi_resource *res;
    enum sl_result r = reserve(abi, id, &res);
    if (r != SL_OK) {
        return r;
    }
    const struct vgd_blob_args args = {.mem = blob->blob_mem,
                                       .flags = blob->blob_flags,
                                       .size = blob->size,
                                       .blob_id = blob->blob_id,
                                       .backing = iov,
                                       .backing_count = iov != NULL ? iov_count : 0};
    return settle(abi, res, abi->device->ops->res_create_blob(abi->device, ctx_id, id, &args));
}

VG_EXPORT int stream_renderer_create_blob(uint32_t ctx_id, uint32_t res_handle,
                                          const struct stream_renderer_create_blob *blob,
                                          const struct iovec *iovecs, uint32_t num_iovs,
                                          const struct stream_renderer_handle *handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = blob != NULL
                           ? create_blob(abi, ctx_id, res_handle, blob, iovecs, num_iovs, handle)
                           : SL_ERR_INVALID;
    abi_leave();
    return abi_status(r);
}

VG_EXPORT int stream_renderer_import_resource(uint32_t res_handle,
                                              const struct stream_renderer_handle *import_handle,
                                              const struct stream_renderer_import_data *import_data)
{
    int fd = import_handle != NULL ? handle_fd(import_handle) : -1;
    off_t size = lseek(fd, 0, SEEK_END);
    struct abi *abi = abi_enter();
    if (abi == NULL || import_data == NULL || import_data->flags != 0 || size <= 0) {
        sl_fd_close(&fd);
    }
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = import_memory(abi, res_handle, fd, (uint64_t)size);
    abi_leave();
    return abi_status(r);
}

/* ---- seen from the embedder ---- */

static enum sl_result export_memory(struct abi *abi, uint32_t id,
                                    struct stream_renderer_handle *handle)
{
    struct abi_resource *res = abi_resource_find(abi, id);
    int fd;
    if (res == NULL || res->is_exported) {
        return SL_ERR_INVALID;
    }
    enum sl_result r = abi->device->ops->res_export(abi->device, id, &fd);
    if (r == SL_OK) {
        res->is_exported = true;
        /* What is no sealed memfd came from a driver: a dma-buf (host/context.h). */
        *handle = (struct stream_renderer_handle){
            .os_handle = fd,
            .handle_type =
                sl_shm_is_safe(fd, 0) ? STREAM_HANDLE_TYPE_MEM_SHM : STREAM_HANDLE_TYPE_MEM_DMABUF};
    }
    return r;
}

VG_EXPORT int stream_renderer_export_blob(uint32_t res_handle,
                                          struct stream_renderer_handle *handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = handle != NULL ? export_memory(abi, res_handle, handle) : SL_ERR_INVALID;
    abi_leave();
    return abi_status(r);
}

/* The device's mapping, or one of the descriptor it gave. */
static enum sl_result map(struct abi *abi, struct abi_resource *res)
{
    struct vgd_map map;
    enum sl_result r = abi->device->ops->res_map(abi->device, res->id, &map);
    if (r != SL_OK) {
        return r;
    }
    res->mapping = map.pointer;
    res->mapping_size = sl_round_up(map.size, PAGE_BYTES);
    res->mapping_is_ours = map.pointer == NULL;
    if (map.pointer == NULL) {
        void *mapping = mmap(NULL, (size_t)res->mapping_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                             map.fd, (off_t)map.offset);
        res->mapping = mapping != MAP_FAILED ? mapping : NULL;
    }
    sl_fd_close(&map.fd);
    if (res->mapping == NULL) {
        (void)abi->device->ops->res_unmap(abi->device, res->id);
        return SL_ERR_UNSUPPORTED;
    }
    return SL_OK;
}

VG_EXPORT int stream_renderer_resource_map(uint32_t res_handle, void **hva, uint64_t *size)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = SL_ERR_INVALID;
    struct abi_resource *res = abi_resource_find(abi, res_handle);
    if (res != NULL && hva != NULL && size != NULL && !abi->features.external_blob) {
        r = res->mapping != NULL ? SL_OK : map(abi, res);
    }
    if (r == SL_OK) {
        *hva = res->mapping;
        *size = res->mapping_size;
    }
    abi_leave();
    return abi_status(r);
}

VG_EXPORT int stream_renderer_resource_unmap(uint32_t res_handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    bool there = abi_resource_find(abi, res_handle) != NULL;
    abi_leave();
    return there ? 0 : -EINVAL;
}

VG_EXPORT int stream_renderer_resource_map_info(uint32_t res_handle, uint32_t *map_info)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    const struct abi_resource *res = abi_resource_find(abi, res_handle);
    bool known = res != NULL && res->is_mappable && map_info != NULL;
    if (known) {
        *map_info = res->map_info;
    }
    abi_leave();
    return known ? 0 : -EINVAL;
}

VG_EXPORT int stream_renderer_vulkan_info(uint32_t res_handle,
                                          struct stream_renderer_vulkan_info *vulkan_info)
{
    (void)res_handle;
    (void)vulkan_info;
    return -EINVAL; /* what crosses a process is descriptors, which say themselves what they are */
}
