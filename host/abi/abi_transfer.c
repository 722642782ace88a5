/* Guest pages of classic resources, boxes moved to and from them, and what a picture is like. */
#include "host/abi/abi.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <string.h>

/* ---- guest pages ---- */

enum sl_result abi_pages_attach(struct abi *abi, struct abi_resource *res, const struct iovec *iov,
                                uint32_t count)
{
    enum sl_result r = abi->device->ops->backing_attach(abi->device, res->id, iov, count);
    if (r != SL_OK) {
        return r;
    }
    res->pages = sl_alloc_array(count, sizeof *iov);
    if (res->pages == NULL) {
        (void)abi->device->ops->backing_detach(abi->device, res->id);
        return SL_ERR_NOMEM;
    }
    memcpy(res->pages, iov, count * sizeof *iov);
    res->page_count = count;
    res->given = (struct iovec *)(uintptr_t)iov; /* only ever handed back */
    return SL_OK;
}

static void pages_forget(struct abi_resource *res)
{
    sl_free(res->pages);
    res->pages = NULL;
    res->given = NULL;
    res->page_count = 0;
}

VG_EXPORT int stream_renderer_resource_attach_iov(int res_handle, struct iovec *iov, int num_iovs)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    int status = ENOENT;
    struct abi_resource *res = abi_resource_find(abi, (uint32_t)res_handle);
    if (res != NULL) {
        status = abi_status(num_iovs > 0 ? abi_pages_attach(abi, res, iov, (uint32_t)num_iovs)
                                         : SL_ERR_INVALID);
    }
    abi_leave();
    return status;
}

VG_EXPORT void stream_renderer_resource_detach_iov(int res_handle, struct iovec **iov,
                                                   int *num_iovs)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    struct abi_resource *res = abi_resource_find(abi, (uint32_t)res_handle);
    if (iov != NULL) {
        *iov = res != NULL ? res->given : NULL;
    }
    if (num_iovs != NULL) {
        *num_iovs = res != NULL ? (int)res->page_count : 0;
    }
    if (res != NULL && res->pages != NULL) {
        (void)abi->device->ops->backing_detach(abi->device, res->id);
        pages_forget(res);
    }
    abi_leave();
}

/* ---- transfers ---- */

struct transfer {
    uint32_t ctx_id, level, stride, layer_stride;
    struct vg_box box;
    uint64_t offset;
    enum vg_direction direction;
};

static enum sl_result transfer_pages(struct abi *abi, uint32_t id, const struct transfer *t)
{
    return abi->device->ops->transfer(abi->device, t->ctx_id, id, &t->box, t->level, t->offset,
                                      t->stride, t->layer_stride, t->direction);
}

/* For this transfer alone, other pages than those attached. */
static enum sl_result transfer_iov(struct abi *abi, struct abi_resource *res,
                                   const struct transfer *t, const struct iovec *iov,
                                   uint32_t count)
{
    const struct vgd_ops *ops = abi->device->ops;
    if (res->pages != NULL) {
        (void)ops->backing_detach(abi->device, res->id);
    }
    enum sl_result r = ops->backing_attach(abi->device, res->id, iov, count);
    if (r == SL_OK) {
        r = transfer_pages(abi, res->id, t);
        (void)ops->backing_detach(abi->device, res->id);
    }
    if (res->pages != NULL &&
        ops->backing_attach(abi->device, res->id, res->pages, res->page_count) != SL_OK) {
        sl_error("abi", "resource %u: no memory to attach its pages again", res->id);
        pages_forget(res);
        return SL_ERR_NOMEM;
    }
    return r;
}

/* 0, EINVAL or -EINVAL. */
static int transfer(uint32_t id, const struct stream_renderer_box *box, struct transfer *t,
                    const struct iovec *iov, uint32_t count)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    struct abi_resource *res = abi_resource_find(abi, id);
    enum sl_result r = SL_ERR_INVALID;
    if (res != NULL && res->is_tex && box != NULL) {
        t->box = (struct vg_box){.x = box->x,
                                 .y = box->y,
                                 .z = box->z,
                                 .width = box->w,
                                 .height = box->h,
                                 .depth = box->d};
        if (iov != NULL) {
            r = transfer_iov(abi, res, t, iov, count);
        } else if (res->pages != NULL) {
            r = transfer_pages(abi, id, t);
        }
    }
    abi_leave();
    return res == NULL ? EINVAL : abi_status(r);
}

VG_EXPORT int stream_renderer_transfer_read_iov(uint32_t handle, uint32_t ctx_id, uint32_t level,
                                                uint32_t stride, uint32_t layer_stride,
                                                struct stream_renderer_box *box, uint64_t offset,
                                                struct iovec *iov, int iovec_cnt)
{
    struct transfer t = {.ctx_id = ctx_id,
                         .level = level,
                         .stride = stride,
                         .layer_stride = layer_stride,
                         .offset = offset,
                         .direction = VG_FROM_HOST};
    return transfer(handle, box, &t, iov, iovec_cnt > 0 ? (uint32_t)iovec_cnt : 0);
}

VG_EXPORT int stream_renderer_transfer_write_iov(uint32_t handle, uint32_t ctx_id, int level,
                                                 uint32_t stride, uint32_t layer_stride,
                                                 struct stream_renderer_box *box, uint64_t offset,
                                                 struct iovec *iovec, unsigned int iovec_cnt)
{
    struct transfer t = {.ctx_id = ctx_id,
                         .level = (uint32_t)level, /* below 0: more than any resource has */
                         .stride = stride,
                         .layer_stride = layer_stride,
                         .offset = offset,
                         .direction = VG_TO_HOST};
    return transfer(handle, box, &t, iovec, iovec_cnt);
}

/* ---- pictures ---- */

VG_EXPORT void stream_renderer_flush(uint32_t res_handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    const struct abi_resource *res = abi_resource_find(abi, res_handle);
    if (res != NULL) {
        const struct vg_box all = {.width = res->is_tex ? res->tex.width_px : UINT32_MAX,
                                   .height = res->is_tex ? res->tex.height_px : UINT32_MAX,
                                   .depth = 1};
        (void)abi->device->ops->flush(abi->device, res_handle, &all);
    }
    abi_leave();
}

/* DRM's name of a format, as four letters; 0: it has none here. */
static uint32_t fourcc(uint32_t format)
{
    static const struct {
        uint32_t format;
        const char name[5];
    } names[] = {
        {VIRTGPU_FORMAT_B8G8R8A8, "AR24"}, {VIRTGPU_FORMAT_B8G8R8X8, "XR24"},
        {VIRTGPU_FORMAT_R8G8B8A8, "AB24"}, {VIRTGPU_FORMAT_R8G8B8X8, "XB24"},
        {VIRTGPU_FORMAT_B5G6R5, "RG16"},   {VIRTGPU_FORMAT_R8, "R8  "},
        {VIRTGPU_FORMAT_R8G8, "GR88"},     {VIRTGPU_FORMAT_B10G10R10A2, "AR30"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].format == format) {
            const char *n = names[i].name;
            return (uint32_t)n[0] | (uint32_t)n[1] << 8 | (uint32_t)n[2] << 16 |
                   (uint32_t)n[3] << 24;
        }
    }
    return 0;
}

/* Rows are as far apart as in the resource's memory. */
static int picture_info(const struct abi_resource *res, struct stream_renderer_resource_info *info)
{
    uint32_t name = res->is_tex ? fourcc(res->tex.format) : 0;
    if (name == 0) {
        return EINVAL;
    }
    *info = (struct stream_renderer_resource_info){.handle = res->id,
                                                   .virgl_format = res->tex.format,
                                                   .width = res->tex.width_px,
                                                   .height = res->tex.height_px,
                                                   .depth = res->tex.depth,
                                                   .flags = res->tex.flags,
                                                   .stride = res->stride,
                                                   .drm_fourcc = (int)name};
    return 0;
}

VG_EXPORT int stream_renderer_resource_get_info(int res_handle,
                                                struct stream_renderer_resource_info *info)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return EINVAL;
    }
    const struct abi_resource *res = abi_resource_find(abi, (uint32_t)res_handle);
    int status = info == NULL ? EINVAL : res == NULL ? ENOENT : picture_info(res, info);
    abi_leave();
    return status;
}
