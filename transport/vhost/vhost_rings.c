/* The front end's requests about queues, and the queues' turn. */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/fd.h"
#include "transport/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#define CHAINS_IN_TURN 64 /* of one queue, before the sockets have their turn */

static struct vhost_queue *queue_of(struct vhost_server *server, uint64_t index)
{
    return index < VGPU_QUEUES ? &server->session.queues[index] : NULL;
}

/* ---- where a queue lies ---- */

enum sl_result vhost_ring_num(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_queue *queue = queue_of(server, m->payload.state.index);
    uint32_t size = m->payload.state.value;
    if (queue == NULL || queue->started || size == 0 || size > VIRTQ_SIZE_MAX ||
        (size & (size - 1)) != 0) {
        return SL_ERR_PROTOCOL;
    }
    if (size != queue->size && queue->in_flight != 0) {
        vhost_session_reset_device(server); /* another driver: nothing of the old one's matters */
    }
    queue->size = size;
    return SL_OK;
}

enum sl_result vhost_ring_addr(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_queue *queue = queue_of(server, m->payload.addr.index);
    if (queue == NULL || queue->started) {
        return SL_ERR_PROTOCOL;
    }
    queue->addr = m->payload.addr;
    queue->has_addr = true;
    return SL_OK;
}

enum sl_result vhost_ring_base_set(struct vhost_server *server, const struct vhost_message *m)
{
    uint32_t index = m->payload.state.index;
    struct vhost_queue *queue = queue_of(server, index);
    if (queue == NULL || queue->started || m->payload.state.value > UINT16_MAX) {
        return SL_ERR_PROTOCOL;
    }
    /* A paused guest goes on where it was stopped. Anything else is a driver that starts anew, with
     * a front end that has no other way to say so. */
    if (m->payload.state.value != server->session.stopped_at[index]) {
        vhost_session_reset_device(server);
    }
    queue->last_avail = (uint16_t)m->payload.state.value;
    return SL_OK;
}

/* ---- running ---- */

static void begin(struct vhost_server *server, struct vhost_queue *queue)
{
    if (vhost_queue_resolve(queue, &server->session.memory)) {
        vhost_queue_begin(queue);
        vhost_inflight_begin(server, queue->index);
    } else if (queue->has_addr) {
        sl_warn_limited("vhost", "queue %u: its rings are not in the guest's memory", queue->index);
    }
    server->session.ready[queue->index] = true;
}

void vhost_rings_stop(struct vhost_server *server, uint32_t index)
{
    struct vhost_queue *queue = &server->session.queues[index];
    if (queue->kick >= 0) {
        vhost_unwatch(server, queue->kick);
        sl_fd_close(&queue->kick);
    }
    queue->started = false;
    queue->polled = false;
    queue->desc = NULL;
}

enum sl_result vhost_ring_base_get(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_queue *queue = queue_of(server, m->payload.state.index);
    if (queue == NULL) {
        return SL_ERR_PROTOCOL;
    }
    vhost_rings_stop(server, queue->index);
    queue->broken = false;
    server->session.stopped_at[queue->index] = queue->last_avail;
    struct vhost_vring_state state = {.index = queue->index, .value = queue->last_avail};
    return vhost_channel_send(&server->session.front, m->head.request, VHOST_FLAG_REPLY, &state,
                              sizeof state, -1);
}

enum sl_result vhost_ring_enable(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_queue *queue = queue_of(server, m->payload.state.index);
    if (queue == NULL || m->payload.state.value > 1) {
        return SL_ERR_PROTOCOL;
    }
    queue->enabled = m->payload.state.value == 1;
    server->session.ready[queue->index] = true; /* it may have been kicked before */
    return SL_OK;
}

/* The descriptor that came along, -1 for none: the front end's, made non-blocking since it stays
 * the peer's too, who could fill or empty it under us. False: not as it must be. */
static bool take_event(struct vhost_server *server, const struct vhost_message *m,
                       struct vhost_queue **queue, int *out)
{
    struct vhost_channel *front = &server->session.front;
    bool has_fd = (m->payload.u64 & VHOST_VRING_NO_FD) == 0;
    *queue = queue_of(server, m->payload.u64 & VHOST_VRING_INDEX);
    if (*queue == NULL || front->fd_count != (has_fd ? 1u : 0u)) {
        return false;
    }
    *out = -1;
    if (has_fd) {
        int flags = fcntl(front->fds[0], F_GETFL);
        if (flags < 0 || fcntl(front->fds[0], F_SETFL, flags | O_NONBLOCK) != 0) {
            return false;
        }
        *out = front->fds[0];
        front->fds[0] = -1;
    }
    return true;
}

enum sl_result vhost_ring_kick(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_queue *queue;
    int fd;
    if (!take_event(server, m, &queue, &fd)) {
        return SL_ERR_PROTOCOL;
    }
    bool was_started = queue->started;
    if (queue->kick >= 0) {
        vhost_unwatch(server, queue->kick);
        sl_fd_close(&queue->kick);
    }
    queue->kick = fd;
    queue->polled = fd < 0;
    queue->started = true;
    if (!was_started) {
        begin(server, queue);
    }
    return fd >= 0 ? vhost_watch(server, fd, EPOLLIN, VHOST_TAG_KICK + queue->index) : SL_OK;
}

static enum sl_result replace_event(struct vhost_server *server, const struct vhost_message *m,
                                    bool is_call)
{
    struct vhost_queue *queue;
    int fd;
    if (!take_event(server, m, &queue, &fd)) {
        return SL_ERR_PROTOCOL;
    }
    int *place = is_call ? &queue->call : &queue->err;
    sl_fd_close(place);
    *place = fd;
    return SL_OK;
}

enum sl_result vhost_ring_call(struct vhost_server *server, const struct vhost_message *m)
{
    return replace_event(server, m, true);
}

enum sl_result vhost_ring_err(struct vhost_server *server, const struct vhost_message *m)
{
    return replace_event(server, m, false);
}

bool vhost_rings_resolve(struct vhost_server *server)
{
    bool all = true;
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        struct vhost_queue *queue = &server->session.queues[i];
        if (!queue->started) {
            continue;
        }
        bool had = queue->desc != NULL;
        bool has = vhost_queue_resolve(queue, &server->session.memory);
        if (has && !had) {
            vhost_queue_begin(queue);
        }
        server->session.ready[i] |= has;
        all &= has || !had;
    }
    return all;
}

/* ---- the turn ---- */

/* True: there is more. */
static bool serve_queue(struct vhost_server *server, struct vhost_queue *queue)
{
    struct vhost_session *session = &server->session;
    for (uint32_t i = 0; i < CHAINS_IN_TURN; i++) {
        enum sl_result r = vhost_queue_pop(queue, &session->memory, &server->chain);
        if (r == SL_ERR_AGAIN) {
            if (!vhost_queue_rest(queue)) {
                return false;
            }
            continue;
        }
        if (r != SL_OK) {
            return false;
        }
        uint32_t written;
        if (!vgpu_execute(&server->gpu, queue->index, &server->chain, &written)) {
            vhost_queue_push(queue, server->chain.head, written);
        }
    }
    return true;
}

bool vhost_rings_serve(struct vhost_server *server)
{
    struct vhost_session *session = &server->session;
    bool more = false;
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        struct vhost_queue *queue = &session->queues[i];
        if (session->ready[i] && vhost_queue_runs(queue)) {
            session->ready[i] = serve_queue(server, queue);
            more |= session->ready[i];
        }
    }
    vgpu_fences_collect(&server->gpu);
    bool cut = vhost_memory_was_cut(&session->memory);
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        struct vhost_queue *queue = &session->queues[i];
        if (cut && queue->started) {
            vhost_queue_break(queue, "the guest's memory was cut");
        }
        if (queue->started) {
            vhost_queue_notify(queue);
        }
    }
    return more;
}
