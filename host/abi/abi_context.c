/* Capsets, contexts and their commands. */
#include "host/abi/abi.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <string.h>

#define CAPSET_MASK   0xffu /* of context_init */
#define NAME_MAX_SIZE 64u

/* ---- capsets ---- */

/* False: not offered. */
static bool capset_find(struct vgd *device, uint32_t id, struct vgd_capset_info *info)
{
    for (uint32_t i = 0; i < device->ops->capset_count(device); i++) {
        if (device->ops->capset_info(device, i, info) == SL_OK && info->id == id) {
            return true;
        }
    }
    return false;
}

VG_EXPORT void stream_renderer_get_cap_set(uint32_t set, uint32_t *max_ver, uint32_t *max_size)
{
    (void)max_ver;
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    struct vgd_capset_info info;
    if (max_size != NULL && capset_find(abi->device, set, &info)) {
        *max_size = info.max_size;
    }
    abi_leave();
}

VG_EXPORT void stream_renderer_fill_caps(uint32_t set, uint32_t version, void *caps)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    struct vgd_capset_info info;
    size_t used;
    if (caps != NULL && capset_find(abi->device, set, &info)) {
        (void)abi->device->ops->capset_get(abi->device, set, version, caps, info.max_size, &used);
    }
    abi_leave();
}

/* ---- contexts ---- */

/* A guest's text for our logs: terminated, and nothing in it that a terminal would act on. */
static void copy_name(char out[NAME_MAX_SIZE + 1], const char *in, uint32_t size)
{
    uint32_t i = 0;
    for (; in != NULL && i < size && i < NAME_MAX_SIZE && in[i] != '\0'; i++) {
        out[i] = in[i] >= ' ' && in[i] <= '~' ? in[i] : '?';
    }
    out[i] = '\0';
}

static enum sl_result context_create(struct abi *abi, uint32_t ctx_id, const char *name,
                                     uint32_t context_init)
{
    struct vgd *device = abi->device;
    struct vgd_capset_info first = {0};
    if ((context_init & ~CAPSET_MASK) != 0) {
        return SL_ERR_INVALID;
    }
    if (context_init == 0) {
        (void)device->ops->capset_info(device, 0, &first);
        context_init = first.id;
    }
    return device->ops->ctx_create(device, ctx_id, context_init, name);
}

VG_EXPORT int stream_renderer_context_create(uint32_t ctx_id, uint32_t nlen, const char *name,
                                             uint32_t context_init)
{
    char text[NAME_MAX_SIZE + 1];
    copy_name(text, name, nlen);
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = context_create(abi, ctx_id, text, context_init);
    if (r != SL_OK) {
        sl_warn_limited("abi", "context %u (%s), context_init 0x%x: %s", ctx_id, text, context_init,
                        sl_result_name(r));
    }
    abi_leave();
    return abi_status(r);
}

VG_EXPORT void stream_renderer_context_destroy(uint32_t ctx_id)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    (void)abi->device->ops->ctx_destroy(abi->device, ctx_id);
    abi_leave();
}

VG_EXPORT void stream_renderer_ctx_attach_resource(int ctx_id, int res_handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    enum sl_result r =
        abi->device->ops->ctx_attach(abi->device, (uint32_t)ctx_id, (uint32_t)res_handle);
    if (r != SL_OK) {
        sl_warn_limited("abi", "resource %u is not attached to context %u: %s",
                        (uint32_t)res_handle, (uint32_t)ctx_id, sl_result_name(r));
    }
    abi_leave();
}

VG_EXPORT void stream_renderer_ctx_detach_resource(int ctx_id, int res_handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return;
    }
    enum sl_result r =
        abi->device->ops->ctx_detach(abi->device, (uint32_t)ctx_id, (uint32_t)res_handle);
    if (r != SL_OK) {
        sl_warn_limited("abi", "resource %u was not attached to context %u", (uint32_t)res_handle,
                        (uint32_t)ctx_id);
    }
    abi_leave();
}

/* The bytes may lie where a guest still writes: the device gets its own. */
static enum sl_result submit(struct abi *abi, const struct stream_renderer_command *cmd)
{
    uint8_t few[64]; /* as gfxstream's commands are */
    uint8_t *bytes = cmd->cmd_size <= sizeof few ? few : sl_alloc(cmd->cmd_size);
    if (bytes == NULL) {
        return SL_ERR_NOMEM;
    }
    memcpy(bytes, cmd->cmd, cmd->cmd_size);
    enum sl_result r = abi->device->ops->submit(abi->device, cmd->ctx_id, bytes, cmd->cmd_size);
    if (bytes != few) {
        sl_free(bytes);
    }
    return r;
}

VG_EXPORT int stream_renderer_submit_cmd(struct stream_renderer_command *cmd)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = SL_ERR_INVALID;
    if (cmd != NULL && cmd->cmd != NULL && cmd->cmd_size >= sizeof(uint32_t)) {
        r = submit(abi, cmd);
    }
    abi_leave();
    return abi_status(r);
}
