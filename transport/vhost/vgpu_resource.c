/* Resources: made, backed with guest pages, filled and read. */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/mem.h"

#include <string.h>

#define ENTRIES_MAX 16384u /* of one list of guest pages */

struct vgpu_resource *vgpu_resource_find(struct vgpu_call *call, uint32_t id)
{
    struct vgpu_resource *res = sl_map_find(&call->gpu->resources, id);
    if (res == NULL) {
        call->error = VGPU_ERR_INVALID_RESOURCE_ID;
    }
    return res;
}

/* An entry of our own before the device is asked. NULL: the error is set. */
static struct vgpu_resource *reserve(struct vgpu_call *call, uint32_t id)
{
    if (id == 0 || sl_map_find(&call->gpu->resources, id) != NULL) {
        call->error = VGPU_ERR_INVALID_RESOURCE_ID;
        return NULL;
    }
    struct vgpu_resource *res = sl_alloc(sizeof *res);
    if (res != NULL) {
        res->id = id;
        sl_list_init(&res->window_link);
    }
    if (res == NULL || sl_map_add(&call->gpu->resources, id, res) != SL_OK) {
        sl_free(res);
        call->result = SL_ERR_NOMEM;
        return NULL;
    }
    return res;
}

static void forget(struct vgpu *gpu, struct vgpu_resource *res)
{
    (void)sl_map_remove(&gpu->resources, res->id);
    if (res->is_mapped) {
        sl_list_remove(&res->window_link);
        gpu->window_count--;
    }
    vhost_memory_release(&gpu->server->session.memory, &res->hold);
    sl_free(res);
}

static void settle(struct vgpu_call *call, struct vgpu_resource *res, enum sl_result result)
{
    call->result = result;
    if (result != SL_OK) {
        forget(call->gpu, res);
    }
}

void vgpu_resources_clear(struct vgpu *gpu)
{
    uint32_t cursor = 0;
    for (struct vgpu_resource *res; (res = sl_map_next(&gpu->resources, &cursor, NULL)) != NULL;) {
        forget(gpu, res);
    }
}

/* ---- made ---- */

static void create_tex(struct vgpu_call *call, uint32_t id, const struct vg_tex_args *args)
{
    struct vgpu_resource *res = reserve(call, id);
    if (res == NULL) {
        return;
    }
    res->is_tex = true;
    enum sl_result r = call->device->ops->res_create_tex(call->device, id, args);
    if (r == SL_OK) {
        res->row = args->width_px * virtgpu_format_bytes(args->format); /* the device limits both */
    }
    settle(call, res, r);
}

void vgpu_create_2d(struct vgpu_call *call)
{
    struct vgpu_create_2d q;
    memcpy(&q, call->request, sizeof q);
    create_tex(call, q.resource_id,
               &(struct vg_tex_args){.target = VIRTGPU_TARGET_2D,
                                     .format = q.format,
                                     .bind = VIRTGPU_BIND_RENDER_TARGET |
                                             VIRTGPU_BIND_SAMPLER_VIEW | VIRTGPU_BIND_SCANOUT,
                                     .width_px = q.width,
                                     .height_px = q.height,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = VIRTGPU_RESOURCE_Y_0_TOP});
}

void vgpu_create_3d(struct vgpu_call *call)
{
    struct vgpu_create_3d q;
    memcpy(&q, call->request, sizeof q);
    create_tex(call, q.resource_id,
               &(struct vg_tex_args){.target = q.target,
                                     .format = q.format,
                                     .bind = q.bind,
                                     .width_px = q.width,
                                     .height_px = q.height,
                                     .depth = q.depth,
                                     .array_size = q.array_size,
                                     .last_level = q.last_level,
                                     .nr_samples = q.nr_samples,
                                     .flags = q.flags});
}

/* The list of guest pages behind a command's fixed part. */
static enum sl_result read_pages(struct vgpu_call *call, size_t fixed, uint32_t count,
                                 struct iovec **iov, uint32_t *iov_count, struct vhost_hold *hold)
{
    if (count == 0 || count > ENTRIES_MAX ||
        count > (call->size - fixed) / sizeof(struct vgpu_entry)) {
        return SL_ERR_INVALID;
    }
    const struct vgpu_entry *entries = (const void *)(call->request + fixed);
    return vhost_memory_pages(&call->gpu->server->session.memory, entries, count, iov, iov_count,
                              hold);
}

void vgpu_create_blob(struct vgpu_call *call)
{
    struct vgpu_create_blob q;
    memcpy(&q, call->request, sizeof q);
    struct vgpu_resource *res = reserve(call, q.resource_id);
    if (res == NULL) {
        return;
    }
    struct iovec *iov = NULL;
    struct vgd_blob_args args = {
        .mem = q.blob_mem, .flags = q.blob_flags, .size = q.size, .blob_id = q.blob_id};
    enum sl_result r = SL_OK;
    if (q.blob_mem != VIRTGPU_BLOB_HOST3D) {
        r = read_pages(call, sizeof q, q.entry_count, &iov, &args.backing_count, &res->hold);
        args.backing = iov;
    } else if (q.entry_count != 0) {
        r = SL_ERR_INVALID;
    }
    if (r == SL_OK) {
        r = call->device->ops->res_create_blob(call->device, call->head.ctx_id, q.resource_id,
                                               &args);
    }
    sl_free(iov);
    settle(call, res, r);
}

void vgpu_unref(struct vgpu_call *call)
{
    struct vgpu_id q;
    memcpy(&q, call->request, sizeof q);
    struct vgpu_resource *res = vgpu_resource_find(call, q.id);
    if (res == NULL) {
        return;
    }
    call->result = call->device->ops->res_destroy(call->device, q.id);
    if (call->result == SL_OK) {
        forget(call->gpu, res);
    }
}

/* ---- backed ---- */

void vgpu_attach_backing(struct vgpu_call *call)
{
    struct vgpu_attach_backing q;
    memcpy(&q, call->request, sizeof q);
    struct vgpu_resource *res = vgpu_resource_find(call, q.resource_id);
    if (res == NULL) {
        return;
    }
    struct vhost_hold hold = {0};
    struct iovec *iov = NULL;
    uint32_t count = 0;
    call->result = res->hold.count == 0
                       ? read_pages(call, sizeof q, q.entry_count, &iov, &count, &hold)
                       : SL_ERR_INVALID;
    if (call->result == SL_OK) {
        call->result = call->device->ops->backing_attach(call->device, res->id, iov, count);
    }
    sl_free(iov);
    if (call->result == SL_OK) {
        res->hold = hold;
    } else {
        vhost_memory_release(&call->gpu->server->session.memory, &hold);
    }
}

void vgpu_detach_backing(struct vgpu_call *call)
{
    struct vgpu_id q;
    memcpy(&q, call->request, sizeof q);
    struct vgpu_resource *res = vgpu_resource_find(call, q.id);
    if (res == NULL) {
        return;
    }
    call->result = call->device->ops->backing_detach(call->device, res->id);
    if (call->result == SL_OK) {
        vhost_memory_release(&call->gpu->server->session.memory, &res->hold);
    }
}

/* ---- filled and read ---- */

static void transfer(struct vgpu_call *call, uint32_t ctx_id, const struct vgpu_transfer_3d *t,
                     enum vg_direction direction)
{
    const struct vgpu_resource *res = vgpu_resource_find(call, t->resource_id);
    if (res == NULL) {
        return;
    }
    if (res->is_tex && res->hold.count == 0) {
        call->result = SL_ERR_INVALID; /* no guest pages */
        return;
    }
    /* A guest's rows lie without gaps unless it says otherwise. */
    uint32_t stride = t->stride != 0 ? t->stride : res->row;
    const struct vg_box box = {
        .x = t->x, .y = t->y, .z = t->z, .width = t->width, .height = t->height, .depth = t->depth};
    call->result = call->device->ops->transfer(call->device, ctx_id, t->resource_id, &box, t->level,
                                               t->offset, stride, t->layer_stride, direction);
}

void vgpu_transfer_2d(struct vgpu_call *call)
{
    struct vgpu_transfer_2d q;
    memcpy(&q, call->request, sizeof q);
    transfer(call, 0,
             &(struct vgpu_transfer_3d){.x = q.rect.x,
                                        .y = q.rect.y,
                                        .width = q.rect.width,
                                        .height = q.rect.height,
                                        .depth = 1,
                                        .offset = q.offset,
                                        .resource_id = q.resource_id},
             VG_TO_HOST);
}

void vgpu_transfer_to_3d(struct vgpu_call *call)
{
    struct vgpu_transfer_3d q;
    memcpy(&q, call->request, sizeof q);
    transfer(call, call->head.ctx_id, &q, VG_TO_HOST);
}

void vgpu_transfer_from_3d(struct vgpu_call *call)
{
    struct vgpu_transfer_3d q;
    memcpy(&q, call->request, sizeof q);
    transfer(call, call->head.ctx_id, &q, VG_FROM_HOST);
}

/* ---- known elsewhere ---- */

void vgpu_assign_uuid(struct vgpu_call *call)
{
    struct vgpu_id q;
    memcpy(&q, call->request, sizeof q);
    if (vgpu_resource_find(call, q.id) == NULL) {
        return;
    }
    memcpy(call->reply, call->gpu->uuid, sizeof call->gpu->uuid);
    memcpy(call->reply + sizeof call->gpu->uuid, &q.id, sizeof q.id);
}
