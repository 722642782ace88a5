/* The commands' frame: a chain becomes a call, its handler's result a response. Device thread.
 *
 * The request is copied out of the guest's memory once and looked at only there; the response is
 * written once, at the end. */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/mem.h"

#include <string.h>
#include <sys/random.h>

struct command {
    uint32_t size;       /* least bytes of the request */
    uint32_t reply_type; /* when all is well */
    uint32_t reply_size; /* bytes behind the header, which must have room before it is executed */
    uint32_t not_found;  /* what SL_ERR_NOTFOUND means */
    void (*execute)(struct vgpu_call *call);
};

#define ID_SIZE     sizeof(struct vgpu_id)
#define NO_RESOURCE VGPU_ERR_INVALID_RESOURCE_ID
#define NO_CONTEXT  VGPU_ERR_INVALID_CONTEXT_ID

#define ROW(number) [(number)-0x100]
static const struct command commands_2d[] = {
    ROW(VGPU_GET_DISPLAY_INFO) = {sizeof(struct vgpu_head), VGPU_OK_DISPLAY_INFO,
                                  sizeof(struct vgpu_display_info), 0, vgpu_display_info_get},
    ROW(VGPU_RESOURCE_CREATE_2D) = {sizeof(struct vgpu_create_2d), VGPU_OK_NODATA, 0, NO_RESOURCE,
                                    vgpu_create_2d},
    ROW(VGPU_RESOURCE_UNREF) = {ID_SIZE, VGPU_OK_NODATA, 0, NO_RESOURCE, vgpu_unref},
    ROW(VGPU_SET_SCANOUT) = {sizeof(struct vgpu_set_scanout), VGPU_OK_NODATA, 0, NO_RESOURCE,
                             vgpu_scanout_set},
    ROW(VGPU_RESOURCE_FLUSH) = {sizeof(struct vgpu_flush), VGPU_OK_NODATA, 0, NO_RESOURCE,
                                vgpu_flush},
    ROW(VGPU_TRANSFER_TO_HOST_2D) = {sizeof(struct vgpu_transfer_2d), VGPU_OK_NODATA, 0,
                                     NO_RESOURCE, vgpu_transfer_2d},
    ROW(VGPU_RESOURCE_ATTACH_BACKING) = {sizeof(struct vgpu_attach_backing), VGPU_OK_NODATA, 0,
                                         NO_RESOURCE, vgpu_attach_backing},
    ROW(VGPU_RESOURCE_DETACH_BACKING) = {ID_SIZE, VGPU_OK_NODATA, 0, NO_RESOURCE,
                                         vgpu_detach_backing},
    ROW(VGPU_GET_CAPSET_INFO) = {ID_SIZE, VGPU_OK_CAPSET_INFO, sizeof(struct vgpu_capset_info),
                                 VGPU_ERR_INVALID_PARAMETER, vgpu_capset_info_get},
    ROW(VGPU_GET_CAPSET) = {sizeof(struct vgpu_get_capset), VGPU_OK_CAPSET, 0,
                            VGPU_ERR_INVALID_PARAMETER, vgpu_capset_get},
    ROW(VGPU_GET_EDID) = {ID_SIZE, VGPU_OK_EDID, sizeof(struct vgpu_edid), 0, vgpu_edid_get},
    ROW(VGPU_RESOURCE_ASSIGN_UUID) = {ID_SIZE, VGPU_OK_RESOURCE_UUID, sizeof(struct vgpu_uuid),
                                      NO_RESOURCE, vgpu_assign_uuid},
    ROW(VGPU_RESOURCE_CREATE_BLOB) = {sizeof(struct vgpu_create_blob), VGPU_OK_NODATA, 0,
                                      NO_CONTEXT, vgpu_create_blob},
    ROW(VGPU_SET_SCANOUT_BLOB) = {sizeof(struct vgpu_set_scanout_blob), VGPU_OK_NODATA, 0,
                                  NO_RESOURCE, vgpu_scanout_set_blob},
};
#undef ROW

#define ROW(number) [(number)-0x200]
static const struct command commands_3d[] = {
    ROW(VGPU_CTX_CREATE) = {sizeof(struct vgpu_ctx_create), VGPU_OK_NODATA, 0, NO_CONTEXT,
                            vgpu_ctx_create},
    ROW(VGPU_CTX_DESTROY) = {sizeof(struct vgpu_head), VGPU_OK_NODATA, 0, NO_CONTEXT,
                             vgpu_ctx_destroy},
    ROW(VGPU_CTX_ATTACH_RESOURCE) = {ID_SIZE, VGPU_OK_NODATA, 0, NO_CONTEXT, vgpu_ctx_attach},
    ROW(VGPU_CTX_DETACH_RESOURCE) = {ID_SIZE, VGPU_OK_NODATA, 0, NO_CONTEXT, vgpu_ctx_detach},
    ROW(VGPU_RESOURCE_CREATE_3D) = {sizeof(struct vgpu_create_3d), VGPU_OK_NODATA, 0, NO_RESOURCE,
                                    vgpu_create_3d},
    ROW(VGPU_TRANSFER_TO_HOST_3D) = {sizeof(struct vgpu_transfer_3d), VGPU_OK_NODATA, 0, NO_CONTEXT,
                                     vgpu_transfer_to_3d},
    ROW(VGPU_TRANSFER_FROM_HOST_3D) = {sizeof(struct vgpu_transfer_3d), VGPU_OK_NODATA, 0,
                                       NO_CONTEXT, vgpu_transfer_from_3d},
    ROW(VGPU_SUBMIT_3D) = {sizeof(struct vgpu_submit), VGPU_OK_NODATA, 0, NO_CONTEXT, vgpu_submit},
    ROW(VGPU_RESOURCE_MAP_BLOB) = {sizeof(struct vgpu_map_blob), VGPU_OK_MAP_INFO,
                                   sizeof(struct vgpu_map_info), NO_RESOURCE, vgpu_map_blob},
    ROW(VGPU_RESOURCE_UNMAP_BLOB) = {ID_SIZE, VGPU_OK_NODATA, 0, NO_RESOURCE, vgpu_unmap_blob},
};
#undef ROW

#define ROW(number) [(number)-0x300]
static const struct command commands_cursor[] = {
    ROW(VGPU_UPDATE_CURSOR) = {sizeof(struct vgpu_cursor), VGPU_OK_NODATA, 0, NO_RESOURCE,
                               vgpu_cursor_update},
    ROW(VGPU_MOVE_CURSOR) = {sizeof(struct vgpu_cursor), VGPU_OK_NODATA, 0, NO_RESOURCE,
                             vgpu_cursor_move},
};
#undef ROW

static const struct command *find(const struct command *rows, size_t count, uint32_t type,
                                  uint32_t first)
{
    return type >= first && type - first < count ? &rows[type - first] : NULL;
}
#define FIND(rows, type, first) find(rows, sizeof(rows) / sizeof(rows)[0], type, first)

static const struct command *find_command(uint32_t queue, uint32_t type)
{
    if (queue == VGPU_QUEUE_CURSOR) {
        return FIND(commands_cursor, type, 0x300);
    }
    const struct command *command = FIND(commands_2d, type, 0x100);
    return command != NULL ? command : FIND(commands_3d, type, 0x200);
}

/* The one table from our results to the device's codes. */
static uint32_t error_of(enum sl_result result, uint32_t not_found)
{
    switch (result) {
    case SL_ERR_INVALID:
    case SL_ERR_PROTOCOL:
        return VGPU_ERR_INVALID_PARAMETER;
    case SL_ERR_NOMEM:
        return VGPU_ERR_OUT_OF_MEMORY;
    case SL_ERR_NOTFOUND:
        return not_found;
    default:
        return VGPU_ERR_UNSPEC;
    }
}

/* The header of a response: what identifies the request goes back with it. */
static struct vgpu_head head_of(const struct vgpu_head *request, uint32_t type)
{
    struct vgpu_head head = {.type = type};
    if ((request->flags & VGPU_FLAG_FENCE) != 0) {
        head.flags = request->flags & (VGPU_FLAG_FENCE | VGPU_FLAG_INFO_RING_IDX);
        head.fence_id = request->fence_id;
        head.ctx_id = request->ctx_id;
        head.ring_idx = request->ring_idx;
    }
    return head;
}

/* Reads the request and executes it. The type of the response. */
static uint32_t execute(struct vgpu_call *call)
{
    const struct vhost_chain *chain = call->chain;
    uint8_t *request = call->gpu->server->request;
    if (chain->in_window || chain->in_size < sizeof call->head) {
        return VGPU_ERR_INVALID_PARAMETER;
    }
    if (chain->in_size > VGPU_REQUEST_MAX) {
        vhost_chain_read(chain, &call->head, sizeof call->head);
        return VGPU_ERR_OUT_OF_MEMORY;
    }
    call->size = (size_t)chain->in_size;
    vhost_chain_read(chain, request, call->size);
    memcpy(&call->head, request, sizeof call->head);
    call->request = request;
    const struct command *command = find_command(call->queue, call->head.type);
    if (command == NULL || command->execute == NULL) {
        return VGPU_ERR_UNSPEC;
    }
    uint64_t room = sizeof call->head + command->reply_size;
    if (call->size < command->size ||
        (call->queue == VGPU_QUEUE_CONTROL && chain->out_size < room)) {
        return VGPU_ERR_INVALID_PARAMETER;
    }
    memset(call->reply, 0, command->reply_size);
    call->reply_size = command->reply_size;
    command->execute(call);
    if (call->error == 0 && call->result != SL_OK) {
        call->error = error_of(call->result, command->not_found);
    }
    return call->error != 0 ? call->error : command->reply_type;
}

bool vgpu_execute(struct vgpu *gpu, uint32_t queue, const struct vhost_chain *chain,
                  uint32_t *written)
{
    struct vhost_server *server = gpu->server;
    struct vgpu_call call = {.gpu = gpu,
                             .device = server->device,
                             .queue = queue,
                             .chain = chain,
                             .reply = server->reply.bytes};
    uint32_t type = execute(&call);
    if (call.later) {
        return true;
    }
    bool fenced = (call.head.flags & VGPU_FLAG_FENCE) != 0;
    server->reply.head = head_of(&call.head, type);
    size_t size = sizeof server->reply.head +
                  (call.error == 0 && type < VGPU_ERR_UNSPEC ? call.reply_size : 0);
    *written = vhost_chain_write(chain, &server->reply, size);
    if (!fenced || type >= VGPU_ERR_UNSPEC) {
        return false;
    }
    enum sl_result r = vgpu_fence(gpu, &call.head, queue, chain->head, *written);
    if (r != SL_OK) {
        server->reply.head.type = error_of(r, VGPU_ERR_INVALID_CONTEXT_ID);
        *written = vhost_chain_write(chain, &server->reply, sizeof server->reply.head);
    }
    return r == SL_OK;
}

/* Writes to pieces that were noted earlier; the memory may have changed since. */
static uint32_t write_pieces(const struct vhost_memory *memory, const struct vgpu_later *later,
                             const uint8_t *bytes, size_t size)
{
    uint32_t written = 0;
    for (uint32_t i = 0; i < later->piece_count && written < size; i++) {
        uint64_t left = size - written;
        left = later->pieces[i].size < left ? later->pieces[i].size : left;
        for (uint64_t gpa = later->pieces[i].gpa; left != 0;) {
            uint8_t *at;
            uint64_t here;
            if (vhost_memory_at(memory, gpa, left, &at, &here) != SL_OK) {
                return written;
            }
            memcpy(at, bytes + written, (size_t)here);
            written += (uint32_t)here;
            gpa += here;
            left -= here;
        }
    }
    return written;
}

void vgpu_finish_later(struct vgpu *gpu, const struct vgpu_later *later, uint32_t type,
                       uint32_t map_info)
{
    struct vhost_session *session = &gpu->server->session;
    struct {
        struct vgpu_head head;
        struct vgpu_map_info info;
    } reply = {.head = head_of(&later->request, type), .info = {.map_info = map_info}};
    size_t size = type == VGPU_OK_MAP_INFO ? sizeof reply : sizeof reply.head;
    uint32_t written = write_pieces(&session->memory, later, (const uint8_t *)&reply, size);
    if ((later->request.flags & VGPU_FLAG_FENCE) != 0 && type < VGPU_ERR_UNSPEC &&
        vgpu_fence(gpu, &later->request, later->queue, later->head, written) == SL_OK) {
        return;
    }
    /* By the same way as fences, which knows queues that rest. */
    struct vgpu_pending *pending = &gpu->fences.pending[later->queue][later->head];
    pthread_mutex_lock(&gpu->fences.lock);
    *pending =
        (struct vgpu_pending){.queue = later->queue, .written = written, .head = later->head};
    sl_list_add(&gpu->fences.done, &pending->link);
    pthread_mutex_unlock(&gpu->fences.lock);
}

enum sl_result vgpu_init(struct vgpu *gpu, struct vhost_server *server)
{
    const struct vhost_server_options *o = &server->options;
    gpu->server = server;
    gpu->scanout_count = o->scanouts;
    for (uint32_t i = 0; i < gpu->scanout_count; i++) {
        gpu->scanouts[i] = (struct vgpu_scanout){
            .width_px = o->width_px, .height_px = o->height_px, .enabled = true};
    }
    sl_map_init(&gpu->resources, SL_MAP_MOST);
    sl_list_init(&gpu->window);
    if (getrandom(gpu->uuid, sizeof gpu->uuid, 0) != (ssize_t)sizeof gpu->uuid) {
        return SL_ERR_IO;
    }
    return vgpu_fences_init(&gpu->fences);
}

void vgpu_finish(struct vgpu *gpu)
{
    if (gpu->server == NULL) {
        return; /* never set up */
    }
    sl_map_finish(&gpu->resources);
    vgpu_fences_finish(&gpu->fences);
}

void vgpu_reset(struct vgpu *gpu)
{
    struct vgd *device = gpu->server->device;
    vgpu_fences_drop(&gpu->fences);
    if (device != NULL) {
        device->ops->reset(device);
    }
    vgpu_fences_drop(&gpu->fences);
    vgpu_resources_clear(gpu);
    gpu->events = 0;
}
