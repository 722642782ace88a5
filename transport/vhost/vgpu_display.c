/* Scanouts: what the guest is told of them, and what it shows there. */
#include "transport/vhost/vhost_priv.h"

#include <string.h>

void vgpu_display_info_get(struct vgpu_call *call)
{
    struct vgpu_display_info info = {0};
    uint32_t x = 0;
    for (uint32_t i = 0; i < call->gpu->scanout_count; i++) {
        const struct vgpu_scanout *scanout = &call->gpu->scanouts[i];
        if (scanout->enabled) { /* side by side */
            info.scanouts[i].rect = (struct vgpu_rect){
                .x = x, .width = scanout->width_px, .height = scanout->height_px};
            info.scanouts[i].enabled = 1;
            x += scanout->width_px;
        }
    }
    memcpy(call->reply, &info, sizeof info);
}

/* False: the error is set. */
static bool scanout_is_ours(struct vgpu_call *call, uint32_t scanout_id)
{
    if (scanout_id >= call->gpu->scanout_count) {
        call->error = VGPU_ERR_INVALID_SCANOUT_ID;
        return false;
    }
    return true;
}

void vgpu_edid_get(struct vgpu_call *call)
{
    struct vgpu_id q;
    memcpy(&q, call->request, sizeof q);
    if (!scanout_is_ours(call, q.id)) {
        return;
    }
    const struct vgpu_scanout *scanout = &call->gpu->scanouts[q.id];
    struct vgpu_edid edid = {.size = 128};
    vgpu_edid_make(edid.bytes, q.id, scanout->width_px, scanout->height_px);
    memcpy(call->reply, &edid, sizeof edid);
}

static void set(struct vgpu_call *call, uint32_t scanout_id, const struct vgd_scanout *scanout)
{
    if (scanout_is_ours(call, scanout_id)) {
        call->result = call->device->ops->scanout_set(call->device, scanout_id, scanout);
    }
}

void vgpu_scanout_set(struct vgpu_call *call)
{
    struct vgpu_set_scanout q;
    memcpy(&q, call->request, sizeof q);
    const struct vgpu_resource *res = sl_map_find(&call->gpu->resources, q.resource_id);
    if (res != NULL && !res->is_tex) {
        call->result = SL_ERR_INVALID; /* a blob: only SET_SCANOUT_BLOB says how it is a picture */
        return;
    }
    set(call, q.scanout_id,
        &(struct vgd_scanout){.resource_id = q.resource_id,
                              .x_px = q.rect.x,
                              .y_px = q.rect.y,
                              .width_px = q.rect.width,
                              .height_px = q.rect.height});
}

void vgpu_scanout_set_blob(struct vgpu_call *call)
{
    struct vgpu_set_scanout_blob q;
    memcpy(&q, call->request, sizeof q);
    set(call, q.scanout_id,
        &(struct vgd_scanout){.resource_id = q.resource_id,
                              .x_px = q.rect.x,
                              .y_px = q.rect.y,
                              .width_px = q.rect.width,
                              .height_px = q.rect.height,
                              .format = q.format,
                              .image_width_px = q.width,
                              .image_height_px = q.height,
                              .stride = q.strides[0],
                              .offset = q.offsets[0]});
}

void vgpu_flush(struct vgpu_call *call)
{
    struct vgpu_flush q;
    memcpy(&q, call->request, sizeof q);
    call->gpu->counts.flushes++;
    call->result = call->device->ops->flush(call->device, q.resource_id,
                                            &(struct vg_box){.x = q.rect.x,
                                                             .y = q.rect.y,
                                                             .width = q.rect.width,
                                                             .height = q.rect.height,
                                                             .depth = 1});
}

static void cursor(struct vgpu_call *call, bool move)
{
    struct vgpu_cursor q;
    memcpy(&q, call->request, sizeof q);
    if (scanout_is_ours(call, q.scanout_id)) {
        /* Signed: it may begin left of, or above, the scanout. */
        call->result =
            call->device->ops->cursor_set(call->device, q.scanout_id,
                                          &(struct vgd_cursor){.resource_id = q.resource_id,
                                                               .x_px = (int32_t)q.x,
                                                               .y_px = (int32_t)q.y,
                                                               .hot_x_px = q.hot_x,
                                                               .hot_y_px = q.hot_y},
                                          move);
    }
}

void vgpu_cursor_update(struct vgpu_call *call)
{
    cursor(call, false);
}

void vgpu_cursor_move(struct vgpu_call *call)
{
    cursor(call, true);
}
