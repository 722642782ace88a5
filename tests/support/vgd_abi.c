#include "tests/support/vgd_abi.h"

#include "host/abi/gfxstream/virtio-gpu-gfxstream-renderer-unstable.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <string.h>

struct monitor {
    struct vgd vgd; /* first */
    struct vgd_sink sink;
    struct vgd_capset_info capsets[3];
    uint32_t capset_count;
    struct sl_map resources; /* id -> struct resource */
};

struct resource {
    uint32_t id;
    uint64_t size;
    uint32_t stride, map_info;
    int fd; /* as it was exported; -1: not */
    bool is_mapped;
};

static struct monitor *monitor_of(struct vgd *vgd)
{
    return (struct monitor *)(void *)vgd; /* first member */
}

static enum sl_result result_of(int status)
{
    return status == 0 ? SL_OK : SL_ERR_INVALID;
}

/* ---- capsets and contexts ---- */

static uint32_t monitor_capset_count(struct vgd *vgd)
{
    return monitor_of(vgd)->capset_count;
}

static enum sl_result monitor_capset_info(struct vgd *vgd, uint32_t index,
                                          struct vgd_capset_info *info)
{
    const struct monitor *m = monitor_of(vgd);
    if (index >= m->capset_count) {
        return SL_ERR_NOTFOUND;
    }
    *info = m->capsets[index];
    return SL_OK;
}

static enum sl_result monitor_capset_get(struct vgd *vgd, uint32_t id, uint32_t version, void *data,
                                         size_t size, size_t *used)
{
    (void)vgd;
    uint8_t bytes[4096] = {0};
    uint32_t max_version = 0, max_size = 0;
    stream_renderer_get_cap_set(id, &max_version, &max_size);
    if (max_size == 0 || max_size > sizeof bytes) {
        return SL_ERR_NOTFOUND;
    }
    stream_renderer_fill_caps(id, version, bytes);
    memcpy(data, bytes, size < max_size ? size : max_size);
    *used = max_size;
    return SL_OK;
}

static enum sl_result monitor_ctx_create(struct vgd *vgd, uint32_t ctx_id, uint32_t capset,
                                         const char *name)
{
    (void)vgd;
    return result_of(stream_renderer_context_create(ctx_id, (uint32_t)strlen(name), name, capset));
}

static enum sl_result monitor_ctx_destroy(struct vgd *vgd, uint32_t ctx_id)
{
    (void)vgd;
    stream_renderer_context_destroy(ctx_id);
    return SL_OK;
}

static enum sl_result monitor_ctx_attach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id)
{
    (void)vgd;
    stream_renderer_ctx_attach_resource((int)ctx_id, (int)resource_id);
    return SL_OK;
}

static enum sl_result monitor_ctx_detach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id)
{
    (void)vgd;
    stream_renderer_ctx_detach_resource((int)ctx_id, (int)resource_id);
    return SL_OK;
}

static enum sl_result monitor_submit(struct vgd *vgd, uint32_t ctx_id, const void *commands,
                                     size_t size)
{
    (void)vgd;
    if (size == 0) {
        return SL_OK; /* only its fence matters: the monitor's own business */
    }
    struct stream_renderer_command command = {
        .ctx_id = ctx_id, .cmd_size = (uint32_t)size, .cmd = (uint8_t *)(uintptr_t)commands};
    return result_of(stream_renderer_submit_cmd(&command));
}

static enum sl_result monitor_fence(struct vgd *vgd, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    (void)vgd;
    struct stream_renderer_fence fence = {.flags = STREAM_RENDERER_FENCE_FLAG_FENCE,
                                          .fence_id = id};
    if (ring != VIRTGPU_RING_GLOBAL) {
        fence.flags |= STREAM_RENDERER_FENCE_FLAG_RING_IDX;
        fence.ctx_id = ctx_id;
        fence.ring_idx = (uint8_t)ring;
    }
    return result_of(stream_renderer_create_fence(&fence));
}

/* ---- resources ---- */

static enum sl_result enter(struct monitor *m, uint32_t id, struct resource **out)
{
    struct resource *res = sl_alloc(sizeof *res);
    if (res == NULL) {
        return SL_ERR_NOMEM;
    }
    *res = (struct resource){.id = id, .fd = -1};
    enum sl_result r = sl_map_add(&m->resources, id, res);
    if (r != SL_OK) {
        sl_free(res);
        return r;
    }
    *out = res;
    return SL_OK;
}

static void leave(struct monitor *m, struct resource *res)
{
    (void)sl_map_remove(&m->resources, res->id);
    sl_fd_close(&res->fd);
    sl_free(res);
}

/* Behind every creation rutabaga tries to export. */
static enum sl_result settle(struct monitor *m, struct resource *res, int status)
{
    if (status != 0) {
        leave(m, res);
        return SL_ERR_INVALID;
    }
    struct stream_renderer_handle handle = {.os_handle = -1};
    struct stream_renderer_vulkan_info vulkan;
    if (stream_renderer_export_blob(res->id, &handle) == 0) {
        res->fd = (int)handle.os_handle;
    }
    (void)stream_renderer_resource_map_info(res->id, &res->map_info);
    (void)stream_renderer_vulkan_info(res->id, &vulkan);
    return SL_OK;
}

static enum sl_result monitor_res_create_tex(struct vgd *vgd, uint32_t resource_id,
                                             const struct vg_tex_args *tex)
{
    struct monitor *m = monitor_of(vgd);
    struct resource *res;
    enum sl_result r = enter(m, resource_id, &res);
    if (r != SL_OK) {
        return r;
    }
    struct stream_renderer_resource_create_args args = {.handle = resource_id,
                                                        .target = tex->target,
                                                        .format = tex->format,
                                                        .bind = tex->bind,
                                                        .width = tex->width_px,
                                                        .height = tex->height_px,
                                                        .depth = tex->depth,
                                                        .array_size = tex->array_size,
                                                        .last_level = tex->last_level,
                                                        .nr_samples = tex->nr_samples,
                                                        .flags = tex->flags};
    r = settle(m, res, stream_renderer_resource_create(&args, NULL, 0));
    struct stream_renderer_resource_info info;
    if (r == SL_OK && stream_renderer_resource_get_info((int)resource_id, &info) == 0) {
        res->stride = info.stride;
        res->size = (uint64_t)info.stride * info.height;
    }
    return r;
}

static enum sl_result monitor_res_create_blob(struct vgd *vgd, uint32_t ctx_id,
                                              uint32_t resource_id,
                                              const struct vgd_blob_args *blob)
{
    struct monitor *m = monitor_of(vgd);
    struct resource *res;
    enum sl_result r = enter(m, resource_id, &res);
    if (r != SL_OK) {
        return r;
    }
    const struct stream_renderer_create_blob args = {.blob_mem = blob->mem,
                                                     .blob_flags = blob->flags,
                                                     .blob_id = blob->blob_id,
                                                     .size = blob->size};
    res->size = blob->size;
    return settle(m, res,
                  stream_renderer_create_blob(ctx_id, resource_id, &args, blob->backing,
                                              blob->backing_count, NULL));
}

static enum sl_result monitor_res_import(struct vgd *vgd, uint32_t resource_id, int fd,
                                         uint64_t size)
{
    struct monitor *m = monitor_of(vgd);
    struct resource *res;
    enum sl_result r = enter(m, resource_id, &res);
    if (r != SL_OK) {
        sl_fd_close(&fd);
        return r;
    }
    const struct stream_renderer_handle handle = {.os_handle = fd,
                                                  .handle_type = STREAM_HANDLE_TYPE_MEM_SHM};
    const struct stream_renderer_import_data data = {0};
    res->size = size;
    return settle(m, res, stream_renderer_import_resource(resource_id, &handle, &data));
}

static enum sl_result monitor_res_destroy(struct vgd *vgd, uint32_t resource_id)
{
    struct monitor *m = monitor_of(vgd);
    struct resource *res = sl_map_find(&m->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    stream_renderer_resource_unref(resource_id);
    leave(m, res);
    return SL_OK;
}

static enum sl_result monitor_backing_attach(struct vgd *vgd, uint32_t resource_id,
                                             const struct iovec *iov, uint32_t count)
{
    (void)vgd;
    return result_of(stream_renderer_resource_attach_iov(
        (int)resource_id, (struct iovec *)(uintptr_t)iov, (int)count));
}

static enum sl_result monitor_backing_detach(struct vgd *vgd, uint32_t resource_id)
{
    (void)vgd;
    stream_renderer_resource_detach_iov((int)resource_id, NULL, NULL);
    return SL_OK;
}

static enum sl_result monitor_transfer(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id,
                                       const struct vg_box *at, uint32_t level, uint64_t offset,
                                       uint32_t stride, uint32_t layer_stride,
                                       enum vg_direction direction)
{
    (void)vgd;
    struct stream_renderer_box box = {at->x, at->y, at->z, at->width, at->height, at->depth};
    return result_of(direction == VG_TO_HOST
                         ? stream_renderer_transfer_write_iov(resource_id, ctx_id, (int)level,
                                                              stride, layer_stride, &box, offset,
                                                              NULL, 0)
                         : stream_renderer_transfer_read_iov(resource_id, ctx_id, level, stride,
                                                             layer_stride, &box, offset, NULL, 0));
}

static enum sl_result monitor_res_map(struct vgd *vgd, uint32_t resource_id, struct vgd_map *out)
{
    struct resource *res = sl_map_find(&monitor_of(vgd)->resources, resource_id);
    if (res == NULL || res->is_mapped || res->fd < 0) {
        return res == NULL ? SL_ERR_NOTFOUND : SL_ERR_INVALID;
    }
    struct vgd_map map = {.size = res->size, .stride = res->stride, .map_info = res->map_info};
    uint64_t mapped = 0;
    (void)stream_renderer_resource_map(resource_id, &map.pointer, &mapped); /* not where external */
    enum sl_result r = sl_fd_dup(res->fd, &map.fd);
    if (r == SL_OK) {
        res->is_mapped = true;
        *out = map;
    }
    return r;
}

static enum sl_result monitor_res_unmap(struct vgd *vgd, uint32_t resource_id)
{
    struct resource *res = sl_map_find(&monitor_of(vgd)->resources, resource_id);
    if (res == NULL || !res->is_mapped) {
        return res == NULL ? SL_ERR_NOTFOUND : SL_ERR_INVALID;
    }
    res->is_mapped = false;
    return result_of(stream_renderer_resource_unmap(resource_id));
}

static enum sl_result monitor_res_export(struct vgd *vgd, uint32_t resource_id, int *fd)
{
    const struct resource *res = sl_map_find(&monitor_of(vgd)->resources, resource_id);
    if (res == NULL || res->fd < 0) {
        return res == NULL ? SL_ERR_NOTFOUND : SL_ERR_UNSUPPORTED;
    }
    return sl_fd_dup(res->fd, fd);
}

/* ---- the rest ---- */

static enum sl_result monitor_flush(struct vgd *vgd, uint32_t resource_id, const struct vg_box *box)
{
    (void)vgd;
    (void)box;
    stream_renderer_flush(resource_id);
    return SL_OK;
}

static void monitor_describe(struct vgd *vgd, char *text, size_t size)
{
    (void)vgd;
    snprintf(text, size, "libgfxstream_backend");
}

static enum sl_result monitor_ring_stats(struct vgd *vgd, uint32_t ctx_id, uint32_t index,
                                         struct vgd_ring_stats *out)
{
    (void)vgd;
    (void)ctx_id;
    (void)index;
    (void)out;
    return SL_ERR_NOTFOUND;
}

static void monitor_tap(struct vgd *vgd, bool on)
{
    (void)vgd;
    (void)on;
}

static int monitor_poll_fd(struct vgd *vgd)
{
    (void)vgd;
    return -1;
}

static void monitor_poll(struct vgd *vgd)
{
    (void)vgd;
}

static void monitor_destroy(struct vgd *vgd)
{
    struct monitor *m = monitor_of(vgd);
    uint32_t cursor = 0;
    uint64_t id;
    for (struct resource *res; (res = sl_map_next(&m->resources, &cursor, &id)) != NULL;) {
        stream_renderer_resource_unref((uint32_t)id);
        leave(m, res);
    }
    stream_renderer_teardown();
    sl_map_finish(&m->resources);
    sl_free(m);
}

static const struct vgd_ops monitor_ops = {
    .capset_count = monitor_capset_count,
    .capset_info = monitor_capset_info,
    .capset_get = monitor_capset_get,
    .ctx_create = monitor_ctx_create,
    .ctx_destroy = monitor_ctx_destroy,
    .ctx_attach = monitor_ctx_attach,
    .ctx_detach = monitor_ctx_detach,
    .submit = monitor_submit,
    .res_create_tex = monitor_res_create_tex,
    .res_create_blob = monitor_res_create_blob,
    .res_import = monitor_res_import,
    .res_destroy = monitor_res_destroy,
    .backing_attach = monitor_backing_attach,
    .backing_detach = monitor_backing_detach,
    .transfer = monitor_transfer,
    .res_map = monitor_res_map,
    .res_unmap = monitor_res_unmap,
    .res_export = monitor_res_export,
    .fence = monitor_fence,
    .flush = monitor_flush,
    .describe = monitor_describe,
    .ring_stats = monitor_ring_stats,
    .tap = monitor_tap,
    .poll_fd = monitor_poll_fd,
    .poll = monitor_poll,
    .destroy = monitor_destroy,
};

static void on_fence(void *user, struct stream_renderer_fence *fence)
{
    const struct vgd_sink *sink = &((struct monitor *)user)->sink;
    bool on_ring = (fence->flags & STREAM_RENDERER_FENCE_FLAG_RING_IDX) != 0;
    sink->fence_done(sink->user, on_ring ? fence->ctx_id : 0,
                     on_ring ? fence->ring_idx : VIRTGPU_RING_GLOBAL, fence->fence_id);
}

static void on_debug(void *user, struct stream_renderer_debug *debug)
{
    (void)user;
    sl_log((enum sl_log_level)(debug->debug_type - STREAM_RENDERER_DEBUG_ERROR), "monitor", "%s",
           debug->message);
}

enum sl_result vgd_abi_create(const struct vgd_abi_options *options, const struct vgd_sink *sink,
                              struct vgd **out)
{
    struct monitor *m = sl_alloc(sizeof *m);
    if (m == NULL) {
        return SL_ERR_NOMEM;
    }
    m->vgd.ops = &monitor_ops;
    m->sink = *sink;
    sl_map_init(&m->resources, 1u << 20);
    struct stream_renderer_param params[] = {
        {STREAM_RENDERER_PARAM_USER_DATA, (uintptr_t)m},
        {STREAM_RENDERER_PARAM_RENDERER_FLAGS, options->flags},
        {STREAM_RENDERER_PARAM_FENCE_CALLBACK, (uintptr_t)on_fence},
        {STREAM_RENDERER_PARAM_WIN0_WIDTH, 1280},
        {STREAM_RENDERER_PARAM_WIN0_HEIGHT, 800},
        {STREAM_RENDERER_PARAM_DEBUG_CALLBACK, (uintptr_t)on_debug},
        {STREAM_RENDERER_PARAM_RENDERER_FEATURES, (uintptr_t)options->features},
    };
    if (stream_renderer_init(params, sizeof params / sizeof params[0]) != 0) {
        sl_map_finish(&m->resources);
        sl_free(m);
        return SL_ERR_INVALID;
    }
    static const uint32_t ids[] = {VIRTGPU_CAPSET_GFXSTREAM_VULKAN, VIRTGPU_CAPSET_GFXSTREAM_GLES,
                                   VIRTGPU_CAPSET_GFXSTREAM_COMPOSER};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct vgd_capset_info info = {.id = ids[i]};
        stream_renderer_get_cap_set(ids[i], &info.max_version, &info.max_size);
        if (info.max_size != 0) {
            m->capsets[m->capset_count++] = info;
        }
    }
    *out = &m->vgd;
    return SL_OK;
}
