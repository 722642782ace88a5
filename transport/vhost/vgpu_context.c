/* Capsets, contexts and their commands. */
#include "transport/vhost/vhost_priv.h"

#include <string.h>

#define CAPSET_MASK 0xffu /* of context_init; the rest is reserved */

void vgpu_capset_info_get(struct vgpu_call *call)
{
    struct vgpu_id request;
    struct vgd_capset_info info;
    memcpy(&request, call->request, sizeof request);
    call->result = call->device->ops->capset_info(call->device, request.id, &info);
    if (call->result == SL_OK) {
        struct vgpu_capset_info reply = {
            .id = info.id, .max_version = info.max_version, .max_size = info.max_size};
        memcpy(call->reply, &reply, sizeof reply);
    }
}

void vgpu_capset_get(struct vgpu_call *call)
{
    struct vgpu_get_capset request;
    size_t used = 0;
    memcpy(&request, call->request, sizeof request);
    call->result = call->device->ops->capset_get(call->device, request.capset_id, request.version,
                                                 call->reply, VGPU_REPLY_MAX, &used);
    if (call->result != SL_OK) {
        return;
    }
    used = used < VGPU_REPLY_MAX ? used : VGPU_REPLY_MAX;
    if (call->chain->out_size < sizeof call->head + used) {
        call->result = SL_ERR_INVALID;
    }
    call->reply_size = (uint32_t)used;
}

/* A guest's text for our logs: terminated, and nothing in it that a terminal would act on. */
static void copy_name(char out[65], const char in[64], uint32_t size)
{
    uint32_t i = 0;
    for (; i < size && i < 64 && in[i] != '\0'; i++) {
        out[i] = in[i] >= ' ' && in[i] <= '~' ? in[i] : '?';
    }
    out[i] = '\0';
}

/* The capset of a context that names none: the first on offer, as upstream's default. */
static uint32_t default_capset(struct vgd *device)
{
    struct vgd_capset_info info = {0};
    (void)device->ops->capset_info(device, 0, &info);
    return info.id;
}

void vgpu_ctx_create(struct vgpu_call *call)
{
    struct vgpu_ctx_create request;
    char name[65];
    memcpy(&request, call->request, sizeof request);
    if (request.name_size > sizeof request.name || (request.context_init & ~CAPSET_MASK) != 0) {
        call->result = SL_ERR_INVALID;
        return;
    }
    copy_name(name, request.name, request.name_size);
    uint32_t capset =
        request.context_init != 0 ? request.context_init : default_capset(call->device);
    call->result = call->device->ops->ctx_create(call->device, call->head.ctx_id, capset, name);
    if (call->result == SL_ERR_INVALID) {
        call->error = VGPU_ERR_INVALID_CONTEXT_ID; /* 0, or in use */
    }
}

void vgpu_ctx_destroy(struct vgpu_call *call)
{
    call->result = call->device->ops->ctx_destroy(call->device, call->head.ctx_id);
}

void vgpu_ctx_attach(struct vgpu_call *call)
{
    struct vgpu_id request;
    memcpy(&request, call->request, sizeof request);
    if (vgpu_resource_find(call, request.id) != NULL) {
        call->result = call->device->ops->ctx_attach(call->device, call->head.ctx_id, request.id);
    }
}

void vgpu_ctx_detach(struct vgpu_call *call)
{
    struct vgpu_id request;
    memcpy(&request, call->request, sizeof request);
    if (vgpu_resource_find(call, request.id) != NULL) {
        call->result = call->device->ops->ctx_detach(call->device, call->head.ctx_id, request.id);
    }
}

void vgpu_submit(struct vgpu_call *call)
{
    struct vgpu_submit request;
    memcpy(&request, call->request, sizeof request);
    call->gpu->counts.submits++;
    if (request.size > call->size - sizeof request || request.padding != 0) {
        call->result = SL_ERR_INVALID; /* longer than what was sent; in-fences are not offered */
        return;
    }
    call->result = call->device->ops->submit(call->device, call->head.ctx_id,
                                             call->request + sizeof request, request.size);
}
