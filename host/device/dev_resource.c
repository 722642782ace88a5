/* Resources: the table, the three ways to make one, mapping and export. */
#include "host/device/dev.h"

#include "transport/base/arith.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>

#define BLOB_ALIGNMENT       4096u
#define TEX_MAX_SIDE_PX      16384u
#define TEX_STRIDE_ALIGNMENT 64u

/* ---- the table ---- */

/* Checks the id and the limits and gives a resource that is in no table yet. */
static enum sl_result resource_new(struct dev_device *d, uint32_t resource_id, uint64_t size,
                                   struct dev_resource **out)
{
    if (resource_id == 0 || sl_map_find(&d->resources, resource_id) != NULL) {
        return SL_ERR_INVALID;
    }
    if (d->resources.live >= d->limits.resources ||
        size > d->limits.resource_bytes - d->resource_bytes) {
        sl_warn_limited("device",
                        "resource %u: %llu bytes exceed the limits of %u resources, %llu bytes (%u "
                        "and %llu in use)",
                        resource_id, (unsigned long long)size, d->limits.resources,
                        (unsigned long long)d->limits.resource_bytes, d->resources.live,
                        (unsigned long long)d->resource_bytes);
        return SL_ERR_NOMEM;
    }
    struct dev_resource *res = sl_alloc(sizeof *res);
    if (res == NULL) {
        return SL_ERR_NOMEM;
    }
    *res = (struct dev_resource){.id = resource_id, .size = size};
    sl_list_init(&res->attachments);
    *out = res;
    return SL_OK;
}

static void resource_free(struct dev_resource *res)
{
    dev_memory_unref(res->memory);
    dev_backing_drop(res);
    sl_free(res);
}

/* The last step of every creation: into the table, or gone. */
static enum sl_result resource_enter(struct dev_device *d, struct dev_resource *res)
{
    enum sl_result r = sl_map_add(&d->resources, res->id, res);
    if (r != SL_OK) {
        resource_free(res);
        return r;
    }
    d->resource_bytes += res->size;
    return SL_OK;
}

static void resource_leave(struct dev_device *d, struct dev_resource *res)
{
    dev_scanouts_forget(d, res->id);
    (void)sl_map_remove(&d->resources, res->id);
    d->resource_bytes -= res->size;
    while (!sl_list_empty(&res->attachments)) {
        dev_detach(SL_CONTAINER(res->attachments.next, struct dev_attachment, res_link));
    }
    if (res->provider != NULL) {
        res->provider->ops->tex_destroy(res->provider, res->id);
    }
    resource_free(res);
}

enum sl_result dev_res_destroy(struct vgd *vgd, uint32_t resource_id)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_resource *res = sl_map_find(&d->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (res->is_mapped) {
        return SL_ERR_INVALID;
    }
    resource_leave(d, res);
    return SL_OK;
}

void dev_resources_clear(struct dev_device *d)
{
    uint32_t cursor = 0;
    for (struct dev_resource *res; (res = sl_map_next(&d->resources, &cursor, NULL)) != NULL;) {
        resource_leave(d, res);
    }
}

struct hct_memory dev_resource_view(const struct dev_resource *res)
{
    if (res->memory == NULL) {
        return (struct hct_memory){.fd = -1, .size = res->size, .map_info = VIRTGPU_MAP_CACHED};
    }
    struct hct_memory view = res->memory->view;
    view.size = res->size;
    return view;
}

/* ---- blobs ---- */

static enum sl_result host3d_memory(struct dev_device *d, uint32_t ctx_id, uint32_t resource_id,
                                    const struct vgd_blob_args *args, struct dev_memory **out)
{
    const struct dev_context *ctx = sl_map_find(&d->contexts, ctx_id);
    if (ctx == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (args->blob_id == 0) {
        char name[32];
        snprintf(name, sizeof name, "sluice-ring-%u", resource_id);
        return dev_memory_create(name, args->size, out);
    }
    if (ctx->context->ops->blob == NULL) {
        return SL_ERR_UNSUPPORTED;
    }
    if (dev_timelines_ctx_is_lost(&d->timelines, ctx_id)) {
        return SL_ERR_DEVICE_LOST;
    }
    struct hct_memory view = {.fd = -1};
    enum sl_result r = ctx->context->ops->blob(ctx->context, args->blob_id, args, &view);
    if (r != SL_OK) {
        return r;
    }
    if (view.size < args->size) {
        sl_fd_close(&view.fd);
        return SL_ERR_INVALID;
    }
    return dev_memory_wrap(&view, false, out);
}

enum sl_result dev_res_create_blob(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id,
                                   const struct vgd_blob_args *args)
{
    struct dev_device *d = dev_from(vgd);
    const uint32_t known_flags =
        VIRTGPU_BLOB_MAPPABLE | VIRTGPU_BLOB_SHAREABLE | VIRTGPU_BLOB_CROSS_DEVICE;
    if (args->size == 0 || args->size % BLOB_ALIGNMENT != 0 || (args->flags & ~known_flags) != 0) {
        return SL_ERR_INVALID;
    }
    bool has_pages = args->mem != VIRTGPU_BLOB_HOST3D;
    bool has_memory = args->mem != VIRTGPU_BLOB_GUEST;
    if (args->mem < VIRTGPU_BLOB_GUEST || args->mem > VIRTGPU_BLOB_HOST3D_GUEST ||
        (!has_memory && args->blob_id != 0)) {
        return SL_ERR_INVALID;
    }
    struct dev_resource *res;
    enum sl_result r = resource_new(d, resource_id, args->size, &res);
    if (r != SL_OK) {
        return r;
    }
    if (has_pages) {
        r = dev_backing_copy(res, args->backing, args->backing_count);
        if (r == SL_OK && res->iov_size < args->size) {
            r = SL_ERR_INVALID;
        }
    }
    if (has_memory && r == SL_OK) {
        r = host3d_memory(d, ctx_id, resource_id, args, &res->memory);
        res->is_mappable = (args->flags & VIRTGPU_BLOB_MAPPABLE) != 0;
    }
    if (r != SL_OK) {
        resource_free(res);
        return r;
    }
    return resource_enter(d, res);
}

enum sl_result dev_res_import(struct vgd *vgd, uint32_t resource_id, int fd, uint64_t size)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_resource *res;
    enum sl_result r = size != 0 ? resource_new(d, resource_id, size, &res) : SL_ERR_INVALID;
    if (r != SL_OK) {
        sl_fd_close(&fd);
        return r;
    }
    r = dev_memory_wrap(
        &(struct hct_memory){.fd = fd, .size = size, .map_info = VIRTGPU_MAP_CACHED}, true,
        &res->memory);
    if (r != SL_OK) {
        resource_free(res);
        return r == SL_ERR_PROTOCOL ? SL_ERR_INVALID
                                    : r; /* memory that its owner could cut under us */
    }
    res->is_mappable = true;
    return resource_enter(d, res);
}

/* ---- classic 3D resources ---- */

static enum sl_result tex_layout(const struct vg_tex_args *args, uint32_t *pixel_size,
                                 uint32_t *stride, uint64_t *size)
{
    bool is_buffer = args->target == VIRTGPU_TARGET_BUFFER;
    *pixel_size = virtgpu_format_bytes(args->format); /* 0: no shared backing is made for it */
    if (*pixel_size == 0 || (!is_buffer && args->target != VIRTGPU_TARGET_2D)) {
        return SL_ERR_UNSUPPORTED;
    }
    if (args->width_px == 0 || args->height_px == 0 || args->depth > 1 || args->array_size > 1 ||
        args->last_level != 0 || args->nr_samples > 1 ||
        (args->flags & ~(uint32_t)VIRTGPU_RESOURCE_Y_0_TOP) != 0) {
        return SL_ERR_INVALID;
    }
    if (is_buffer ? args->height_px != 1 || *pixel_size != 1
                  : args->width_px > TEX_MAX_SIDE_PX || args->height_px > TEX_MAX_SIDE_PX) {
        return SL_ERR_INVALID;
    }
    uint64_t row = sl_round_up((uint64_t)args->width_px * *pixel_size, TEX_STRIDE_ALIGNMENT);
    if (row > UINT32_MAX) {
        return SL_ERR_INVALID;
    }
    *stride = (uint32_t)row;
    *size = row * args->height_px;
    return SL_OK;
}

enum sl_result dev_res_create_tex(struct vgd *vgd, uint32_t resource_id,
                                  const struct vg_tex_args *args)
{
    struct dev_device *d = dev_from(vgd);
    uint32_t pixel_size;
    uint32_t stride;
    uint64_t size;
    enum sl_result r = tex_layout(args, &pixel_size, &stride, &size);
    if (r != SL_OK) {
        return r;
    }
    struct dev_resource *res;
    r = resource_new(d, resource_id, size, &res);
    if (r != SL_OK) {
        return r;
    }
    res->is_tex = true;
    res->is_mappable = true;
    res->stride = stride;
    res->pixel_size = pixel_size;
    res->tex = *args;
    char name[32];
    snprintf(name, sizeof name, "sluice-tex-%u", resource_id);
    r = dev_memory_create(name, size, &res->memory);
    if (r != SL_OK) {
        resource_free(res);
        return r;
    }
    /* Entered first: the provider takes a hold on the memory. */
    r = resource_enter(d, res);
    if (r != SL_OK) {
        return r;
    }
    /* The first provider that keeps native textures is told; the others share the backing. */
    for (uint32_t i = 0; i < d->provider_count && res->provider == NULL; i++) {
        struct hct_provider *provider = d->providers[i].provider;
        if (provider->ops->tex_create == NULL) {
            continue;
        }
        struct hct_memory view = dev_resource_view(res);
        r = provider->ops->tex_create(provider, resource_id, args, &view, stride);
        if (r != SL_OK) {
            resource_leave(d, res);
            return r;
        }
        res->provider = provider;
    }
    return SL_OK;
}

/* ---- mapping and export ---- */

enum sl_result dev_res_map(struct vgd *vgd, uint32_t resource_id, struct vgd_map *out)
{
    struct dev_resource *res = sl_map_find(&dev_from(vgd)->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (res->is_mapped || !res->is_mappable) {
        return SL_ERR_INVALID;
    }
    const struct hct_memory *view = &res->memory->view;
    int fd = -1;
    if (view->fd >= 0) {
        enum sl_result r = sl_fd_dup(view->fd, &fd);
        if (r != SL_OK) {
            return r;
        }
    }
    res->is_mapped = true;
    *out = (struct vgd_map){
        .fd = fd,
        .offset = view->offset,
        .size = res->size,
        .pointer = view->pointer,
        .stride = res->stride,
        .map_info = view->map_info,
    };
    return SL_OK;
}

enum sl_result dev_res_unmap(struct vgd *vgd, uint32_t resource_id)
{
    struct dev_resource *res = sl_map_find(&dev_from(vgd)->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (!res->is_mapped) {
        return SL_ERR_INVALID;
    }
    res->is_mapped = false;
    return SL_OK;
}

enum sl_result dev_res_export(struct vgd *vgd, uint32_t resource_id, int *fd)
{
    const struct dev_resource *res = sl_map_find(&dev_from(vgd)->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (res->memory == NULL || res->memory->view.fd < 0 || res->memory->view.offset != 0) {
        return SL_ERR_UNSUPPORTED;
    }
    return sl_fd_dup(res->memory->view.fd, fd);
}
