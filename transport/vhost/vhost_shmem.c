/* Requests to the front end: show a blob in the guest's host-visible window, and the config space
 * has changed.
 *
 * Nothing here waits: the front end answers a request and then blocks until its own next request,
 * which the map caused (the new memory region), is answered. So a request is noted, and the guest's
 * command is answered when the front end's answer comes. Answers come in the order of the requests.
 */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <string.h>

static bool has(const struct vhost_server *server, uint64_t feature)
{
    return server->has_session && (server->session.protocol_features & feature) != 0;
}

bool vhost_shmem_is_there(const struct vhost_server *server)
{
    return has(server, VHOST_PROTOCOL_SHMEM) && server->session.back.fd >= 0;
}

static void asked_free(struct vhost_asked *asked)
{
    sl_list_remove(&asked->link);
    sl_free(asked);
}

/* The front end said yes or no: the guest hears of it. */
static void settle(struct vhost_server *server, struct vhost_asked *asked, bool yes)
{
    struct vgpu *gpu = &server->gpu;
    bool is_map = asked->request == VHOST_BACKEND_SHMEM_MAP;
    if (!yes) {
        sl_warn_limited("vhost", "resource %u: the front end refused to %s its window",
                        asked->resource_id, is_map ? "map it into" : "unmap it from");
    }
    if (!asked->dropped) {
        struct vgpu_resource *res = sl_map_find(&gpu->resources, asked->resource_id);
        if (is_map && !yes && res != NULL && res->is_mapped) {
            (void)server->device->ops->res_unmap(server->device, res->id);
            res->is_mapped = false;
            sl_list_remove(&res->window_link);
            gpu->window_count--;
        }
        uint32_t type = !yes ? VGPU_ERR_UNSPEC : is_map ? VGPU_OK_MAP_INFO : VGPU_OK_NODATA;
        vgpu_finish_later(gpu, &asked->later, type, asked->map_info);
    }
    asked_free(asked);
}

static enum sl_result ask(struct vhost_server *server, const struct vhost_asked *values,
                          const struct vhost_shmem_map *map, int fd)
{
    struct vhost_asked *asked = sl_alloc(sizeof *asked);
    if (asked == NULL) {
        return SL_ERR_NOMEM;
    }
    bool acked = has(server, VHOST_PROTOCOL_REPLY_ACK);
    *asked = *values;
    enum sl_result r = vhost_channel_send(&server->session.back, asked->request,
                                          acked ? VHOST_FLAG_NEED_REPLY : 0, map, sizeof *map, fd);
    if (r != SL_OK) {
        sl_free(asked);
        return r;
    }
    sl_list_add(&server->session.asked, &asked->link);
    if (!acked) {
        settle(server, asked, true); /* nobody will say anything */
    }
    return SL_OK;
}

enum sl_result vhost_shmem_map(struct vhost_server *server, const struct vhost_asked *values,
                               int fd, uint64_t fd_offset, uint64_t offset, uint64_t size)
{
    return ask(server, values,
               &(struct vhost_shmem_map){.shmid = VGPU_SHM_HOST_VISIBLE,
                                         .fd_offset = fd_offset,
                                         .shm_offset = offset,
                                         .size = size,
                                         .flags = VHOST_SHMEM_WRITABLE},
               fd);
}

enum sl_result vhost_shmem_unmap(struct vhost_server *server, const struct vhost_asked *values,
                                 uint64_t offset, uint64_t size)
{
    return ask(server, values,
               &(struct vhost_shmem_map){
                   .shmid = VGPU_SHM_HOST_VISIBLE, .shm_offset = offset, .size = size},
               -1);
}

enum sl_result vhost_shmem_serve(struct vhost_server *server)
{
    struct vhost_session *session = &server->session;
    for (;;) {
        enum sl_result r = vhost_channel_recv(&session->back);
        if (r == SL_ERR_AGAIN) {
            return SL_OK;
        }
        if (r != SL_OK) {
            return r;
        }
        const struct vhost_message *m = &session->back.in;
        bool is_answer = (m->head.flags & VHOST_FLAG_REPLY) != 0 && m->head.size >= 8;
        if (!is_answer) {
            return SL_ERR_PROTOCOL;
        }
        /* Some front ends answer what wants no answer: config changes. */
        if (m->head.request != VHOST_BACKEND_CONFIG_CHANGE) {
            struct vhost_asked *asked = SL_CONTAINER(session->asked.next, struct vhost_asked, link);
            if (sl_list_empty(&session->asked) || asked->request != m->head.request) {
                return SL_ERR_PROTOCOL;
            }
            settle(server, asked, m->payload.u64 == 0);
        }
        vhost_channel_next(&session->back);
    }
}

void vhost_shmem_drop(struct vhost_server *server)
{
    SL_LIST_FOR(link, &server->session.asked)
    {
        SL_CONTAINER(link, struct vhost_asked, link)->dropped = true;
    }
}

void vhost_shmem_clear(struct vhost_session *session)
{
    SL_LIST_FOR_SAFE(link, &session->asked)
    {
        asked_free(SL_CONTAINER(link, struct vhost_asked, link));
    }
}

void vhost_config_changed(struct vhost_server *server)
{
    struct vhost_channel *back = &server->session.back;
    if (!has(server, VHOST_PROTOCOL_CONFIG) || back->fd < 0) {
        return; /* a front end that cannot be told: the guest sees it at its next look */
    }
    enum sl_result r = vhost_channel_send(back, VHOST_BACKEND_CONFIG_CHANGE, 0, NULL, 0, -1);
    if (r != SL_OK) {
        sl_warn_limited("vhost", "the front end could not be told of a display change: %s",
                        sl_result_name(r));
    }
}
