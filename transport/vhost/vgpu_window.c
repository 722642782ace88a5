/* Blobs in the guest's host-visible window. The guest chooses the places; the front end puts them
 * there (vhost_shmem.c). */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/arith.h"
#include "transport/base/fd.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t page_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What a later answer needs: the request, and where the response goes. */
static struct vgpu_later put_off(struct vgpu_call *call)
{
    struct vgpu_later later = {
        .queue = call->queue, .head = call->chain->head, .request = call->head};
    size_t need = VGPU_LATER_BYTES;
    for (uint32_t i = 0; i < call->chain->out_count && need != 0; i++) {
        const struct vhost_piece *piece = &call->chain->out[i];
        later.pieces[later.piece_count].gpa = piece->gpa;
        later.pieces[later.piece_count++].size = piece->size;
        need -= piece->size < need ? piece->size : need;
    }
    return later;
}

static bool place_is_free(const struct vgpu *gpu, uint64_t offset, uint64_t size)
{
    SL_LIST_FOR(link, &gpu->window)
    {
        const struct vgpu_resource *res = SL_CONTAINER(link, struct vgpu_resource, window_link);
        if (offset < res->window_offset + res->window_size && res->window_offset < offset + size) {
            return false;
        }
    }
    return true;
}

/* Enters the resource into the window and asks the front end to show it. map: its fd is the
 * caller's. */
static enum sl_result show(struct vgpu_call *call, struct vgpu_resource *res,
                           const struct vgd_map *map, uint64_t offset)
{
    struct vgpu *gpu = call->gpu;
    const struct vhost_server *server = gpu->server;
    uint64_t size = sl_round_up(map->size, page_size());
    struct stat info;
    if (map->fd < 0 || fstat(map->fd, &info) != 0) {
        return SL_ERR_UNSUPPORTED;
    }
    if (offset % page_size() != 0 || map->offset % page_size() != 0 ||
        !sl_region_fits(offset, size, server->options.window_size) ||
        !place_is_free(gpu, offset, size)) {
        return SL_ERR_INVALID;
    }
    res->window_offset = offset;
    res->window_size = size;
    res->device = info.st_dev;
    res->inode = info.st_ino;
    res->is_mapped = true;
    sl_list_add(&gpu->window, &res->window_link);
    gpu->window_count++;
    call->later = true;
    enum sl_result r = vhost_shmem_map(gpu->server,
                                       &(struct vhost_asked){.request = VHOST_BACKEND_SHMEM_MAP,
                                                             .later = put_off(call),
                                                             .resource_id = res->id,
                                                             .map_info = map->map_info,
                                                             .device = res->device,
                                                             .inode = res->inode},
                                       map->fd, map->offset, offset, size);
    if (r != SL_OK) {
        call->later = false;
        res->is_mapped = false;
        sl_list_remove(&res->window_link);
        gpu->window_count--;
    }
    return r;
}

void vgpu_map_blob(struct vgpu_call *call)
{
    struct vgpu_map_blob q;
    struct vgd_map map;
    memcpy(&q, call->request, sizeof q);
    call->gpu->counts.maps++;
    struct vgpu_resource *res = vgpu_resource_find(call, q.resource_id);
    if (res == NULL) {
        return;
    }
    if (!vhost_shmem_is_there(call->gpu->server)) {
        call->result = SL_ERR_UNSUPPORTED;
        return;
    }
    if (res->is_tex || res->is_mapped || call->gpu->window_count >= VGPU_WINDOW_MAX) {
        call->result = res->is_tex || res->is_mapped ? SL_ERR_INVALID : SL_ERR_NOMEM;
        return;
    }
    call->result = call->device->ops->res_map(call->device, res->id, &map);
    if (call->result != SL_OK) {
        return;
    }
    call->result = show(call, res, &map, q.offset);
    sl_fd_close(&map.fd);
    if (call->result != SL_OK) {
        (void)call->device->ops->res_unmap(call->device, res->id);
    }
}

void vgpu_unmap_blob(struct vgpu_call *call)
{
    struct vgpu_id q;
    memcpy(&q, call->request, sizeof q);
    struct vgpu_resource *res = vgpu_resource_find(call, q.id);
    if (res == NULL) {
        return;
    }
    if (!res->is_mapped) {
        call->result = SL_ERR_INVALID;
        return;
    }
    /* It is out of the window from here on: requests are executed in their order, so a map of the
     * same place may follow at once, and so may the end of the resource. */
    (void)call->device->ops->res_unmap(call->device, res->id);
    res->is_mapped = false;
    sl_list_remove(&res->window_link);
    call->gpu->window_count--;
    call->later = true;
    call->result = vhost_shmem_unmap(call->gpu->server,
                                     &(struct vhost_asked){.request = VHOST_BACKEND_SHMEM_UNMAP,
                                                           .later = put_off(call),
                                                           .resource_id = res->id,
                                                           .device = res->device,
                                                           .inode = res->inode},
                                     res->window_offset, res->window_size);
    call->later = call->result == SL_OK;
}

bool vgpu_is_window(void *user, const struct stat *info)
{
    const struct vgpu *gpu = user;
    SL_LIST_FOR(link, &gpu->window)
    {
        const struct vgpu_resource *res = SL_CONTAINER(link, struct vgpu_resource, window_link);
        if (res->device == info->st_dev && res->inode == info->st_ino) {
            return true;
        }
    }
    /* On its way out, and the front end may not have said yet that it was in. */
    SL_LIST_FOR(link, &gpu->server->session.asked)
    {
        const struct vhost_asked *asked = SL_CONTAINER(link, struct vhost_asked, link);
        if (asked->device == info->st_dev && asked->inode == info->st_ino) {
            return true;
        }
    }
    return false;
}
