/* One front end: what it may ask over its socket, and what it is answered. A request that is not as
 * it must be ends the session. Spec: vhost-user protocol. */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/arith.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"

#include <string.h>
#include <sys/epoll.h>

#define REQUESTS_IN_TURN 16

#define PROTOCOL_FEATURES                                                                          \
    (VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_BACKEND_REQ |                   \
     VHOST_PROTOCOL_CONFIG | VHOST_PROTOCOL_BACKEND_FD | VHOST_PROTOCOL_INFLIGHT_SHMFD |           \
     VHOST_PROTOCOL_RESET_DEVICE | VHOST_PROTOCOL_MEM_SLOTS | VHOST_PROTOCOL_STATUS |              \
     VHOST_PROTOCOL_SHMEM)

uint64_t vhost_features(const struct vhost_server *server)
{
    uint64_t features = VIRTIO_F_VERSION_1 | VIRTIO_RING_F_INDIRECT | VIRTIO_RING_F_EVENT_IDX |
                        VHOST_F_PROTOCOL_FEATURES | VGPU_F_EDID | VGPU_F_RESOURCE_UUID |
                        VGPU_F_RESOURCE_BLOB;
    if (server->device->ops->capset_count(server->device) != 0) {
        features |= VGPU_F_VIRGL | VGPU_F_CONTEXT_INIT;
    }
    return features;
}

static enum sl_result answer(struct vhost_server *server, const struct vhost_message *m,
                             const void *payload, uint32_t size, int fd)
{
    return vhost_channel_send(&server->session.front, m->head.request, VHOST_FLAG_REPLY, payload,
                              size, fd);
}

static enum sl_result answer_u64(struct vhost_server *server, const struct vhost_message *m,
                                 uint64_t value)
{
    return answer(server, m, &value, sizeof value, -1);
}

/* ---- features, status, life ---- */

static enum sl_result get_features(struct vhost_server *server, const struct vhost_message *m)
{
    return answer_u64(server, m, vhost_features(server));
}

static enum sl_result set_features(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_session *session = &server->session;
    uint64_t features = m->payload.u64;
    /* QEMU's vhost-user-gpu passes RING_RESET on unasked, and resets a queue as it stops it. */
    if ((features & ~(vhost_features(server) | VIRTIO_F_RING_RESET)) != 0) {
        return SL_ERR_PROTOCOL;
    }
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        struct vhost_queue *queue = &session->queues[i];
        if (queue->started && features != session->features) {
            return SL_ERR_PROTOCOL; /* under a running driver */
        }
        queue->event_idx = (features & VIRTIO_RING_F_EVENT_IDX) != 0;
        queue->indirect = (features & VIRTIO_RING_F_INDIRECT) != 0;
        /* Without the vhost-user bit a queue is enabled as soon as it is set up. */
        queue->enabled |= (features & VHOST_F_PROTOCOL_FEATURES) == 0;
    }
    session->features = features;
    return SL_OK;
}

static enum sl_result get_protocol_features(struct vhost_server *server,
                                            const struct vhost_message *m)
{
    return answer_u64(server, m, PROTOCOL_FEATURES);
}

static enum sl_result set_protocol_features(struct vhost_server *server,
                                            const struct vhost_message *m)
{
    if ((m->payload.u64 & ~PROTOCOL_FEATURES) != 0) {
        return SL_ERR_PROTOCOL;
    }
    server->session.protocol_features = m->payload.u64;
    return SL_OK;
}

static enum sl_result set_owner(struct vhost_server *server, const struct vhost_message *m)
{
    (void)server;
    (void)m;
    return SL_OK;
}

static enum sl_result get_queue_num(struct vhost_server *server, const struct vhost_message *m)
{
    return answer_u64(server, m, VGPU_QUEUES);
}

static enum sl_result set_status(struct vhost_server *server, const struct vhost_message *m)
{
    /* 0 comes at a pause as well as at a reset: what tells them apart is where the rings go on. */
    server->session.status = (uint32_t)(m->payload.u64 & 0xff);
    return SL_OK;
}

static enum sl_result get_status(struct vhost_server *server, const struct vhost_message *m)
{
    uint64_t status = server->session.status;
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        status |= server->session.queues[i].broken ? VIRTIO_STATUS_NEEDS_RESET : 0;
    }
    return answer_u64(server, m, status);
}

void vhost_session_reset_device(struct vhost_server *server)
{
    struct vhost_session *session = &server->session;
    vhost_shmem_drop(server);
    vgpu_reset(&server->gpu);
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        vhost_queue_forget(&session->queues[i]);
        session->stopped_at[i] = 0;
    }
}

static enum sl_result reset_device(struct vhost_server *server, const struct vhost_message *m)
{
    (void)m;
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        vhost_rings_stop(server, i);
        server->session.queues[i].has_addr = false;
        server->session.queues[i].last_avail = 0;
        server->session.queues[i].enabled =
            (server->session.features & VHOST_F_PROTOCOL_FEATURES) == 0;
    }
    vhost_session_reset_device(server);
    server->session.status = 0;
    return SL_OK;
}

/* ---- memory ---- */

static enum sl_result set_mem_table(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_session *session = &server->session;
    const struct vhost_mem_table *table = &m->payload.table;
    if (table->count > VHOST_TABLE_REGIONS || session->front.fd_count != table->count ||
        m->head.size <
            offsetof(struct vhost_mem_table, regions) + table->count * sizeof table->regions[0]) {
        return SL_ERR_PROTOCOL;
    }
    enum sl_result r =
        vhost_memory_set(&session->memory, table->regions, session->front.fds, table->count);
    if (!vhost_rings_resolve(server) && r == SL_OK) {
        r = SL_ERR_PROTOCOL; /* a running queue's rings are not in it */
    }
    return r;
}

static enum sl_result add_mem_reg(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_session *session = &server->session;
    if (session->front.fd_count != 1) {
        return SL_ERR_PROTOCOL;
    }
    enum sl_result r =
        vhost_memory_add(&session->memory, &m->payload.region.region, session->front.fds[0]);
    (void)vhost_rings_resolve(server);
    return r;
}

static enum sl_result rem_mem_reg(struct vhost_server *server, const struct vhost_message *m)
{
    enum sl_result r = vhost_memory_remove(&server->session.memory, &m->payload.region.region);
    (void)vhost_rings_resolve(server); /* queues whose rings went rest until they are back */
    return r;
}

static enum sl_result get_max_mem_slots(struct vhost_server *server, const struct vhost_message *m)
{
    return answer_u64(server, m, VHOST_MEMORY_SLOTS);
}

/* ---- config space, shared memory ---- */

static struct vgpu_config config_now(const struct vhost_server *server)
{
    return (struct vgpu_config){
        .events_read = server->gpu.events,
        .num_scanouts = server->gpu.scanout_count,
        .num_capsets = server->device->ops->capset_count(server->device),
    };
}

static enum sl_result get_config(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_config reply = {0};
    uint32_t head = offsetof(struct vhost_config, bytes);
    if (m->head.size < head) {
        return SL_ERR_PROTOCOL;
    }
    memcpy(&reply, &m->payload.config, head);
    if (!sl_region_fits(reply.offset, reply.size, VHOST_CONFIG_MAX)) {
        return answer(server, m, NULL, 0, -1); /* the protocol's way to refuse */
    }
    uint8_t space[VHOST_CONFIG_MAX] = {0}; /* what is behind our fields reads as zero */
    struct vgpu_config config = config_now(server);
    memcpy(space, &config, sizeof config);
    memcpy(reply.bytes, space + reply.offset, reply.size);
    return answer(server, m, &reply, head + reply.size, -1);
}

static enum sl_result set_config(struct vhost_server *server, const struct vhost_message *m)
{
    const struct vhost_config *config = &m->payload.config;
    uint32_t head = offsetof(struct vhost_config, bytes);
    if (m->head.size < head || !sl_region_fits(config->offset, config->size, VHOST_CONFIG_MAX) ||
        m->head.size - head < config->size) {
        return SL_ERR_PROTOCOL;
    }
    uint8_t space[VHOST_CONFIG_MAX] = {0};
    memcpy(space + config->offset, config->bytes, config->size);
    struct vgpu_config written;
    memcpy(&written, space, sizeof written);
    server->gpu.events &= ~written.events_clear; /* the only word that a driver may write */
    return SL_OK;
}

static enum sl_result get_shmem_config(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_shmem_config config = {.count = 1};
    config.sizes[VGPU_SHM_HOST_VISIBLE] = server->options.window_size;
    return answer(server, m, &config, sizeof config, -1);
}

static enum sl_result set_backend_req_fd(struct vhost_server *server, const struct vhost_message *m)
{
    (void)m;
    struct vhost_session *session = &server->session;
    if (session->front.fd_count != 1) {
        return SL_ERR_PROTOCOL;
    }
    if (session->back.fd >= 0) {
        vhost_unwatch(server, session->back.fd);
        vhost_channel_close(&session->back);
    }
    vhost_shmem_clear(session);
    session->back_events = 0;
    int fd = session->front.fds[0];
    session->front.fds[0] = -1;
    return vhost_channel_open(&session->back, fd);
}

/* QEMU's vhost-user-gpu hands over a socket on which the back end would show its pictures in QEMU's
 * own window. They go to our displays instead: nothing is ever said there, but it stays open. */
static enum sl_result gpu_set_socket(struct vhost_server *server, const struct vhost_message *m)
{
    (void)m;
    struct vhost_session *session = &server->session;
    if (session->front.fd_count != 1) {
        return SL_ERR_PROTOCOL;
    }
    sl_fd_close(&session->window);
    session->window = session->front.fds[0];
    session->front.fds[0] = -1;
    return SL_OK;
}

/* ---- the table ---- */

struct request {
    uint32_t number;
    uint32_t size; /* least bytes of payload */
    bool replies;  /* it has an answer of its own */
    enum sl_result (*handle)(struct vhost_server *server, const struct vhost_message *m);
};

static const struct request requests[] = {
    {VHOST_GET_FEATURES, 0, true, get_features},
    {VHOST_SET_FEATURES, 8, false, set_features},
    {VHOST_SET_OWNER, 0, false, set_owner},
    {VHOST_RESET_OWNER, 0, false, reset_device},
    {VHOST_SET_MEM_TABLE, 8, false, set_mem_table},
    {VHOST_SET_VRING_NUM, sizeof(struct vhost_vring_state), false, vhost_ring_num},
    {VHOST_SET_VRING_ADDR, sizeof(struct vhost_vring_addr), false, vhost_ring_addr},
    {VHOST_SET_VRING_BASE, sizeof(struct vhost_vring_state), false, vhost_ring_base_set},
    {VHOST_GET_VRING_BASE, sizeof(struct vhost_vring_state), true, vhost_ring_base_get},
    {VHOST_SET_VRING_KICK, 8, false, vhost_ring_kick},
    {VHOST_SET_VRING_CALL, 8, false, vhost_ring_call},
    {VHOST_SET_VRING_ERR, 8, false, vhost_ring_err},
    {VHOST_GET_PROTOCOL_FEATURES, 0, true, get_protocol_features},
    {VHOST_SET_PROTOCOL_FEATURES, 8, false, set_protocol_features},
    {VHOST_GET_QUEUE_NUM, 0, true, get_queue_num},
    {VHOST_SET_VRING_ENABLE, sizeof(struct vhost_vring_state), false, vhost_ring_enable},
    {VHOST_SET_BACKEND_REQ_FD, 0, false, set_backend_req_fd},
    {VHOST_GET_CONFIG, 12, true, get_config},
    {VHOST_SET_CONFIG, 12, false, set_config},
    {VHOST_GET_INFLIGHT_FD, 20, true, vhost_inflight_get},
    {VHOST_SET_INFLIGHT_FD, 20, false, vhost_inflight_set},
    {VHOST_GPU_SET_SOCKET, 0, false, gpu_set_socket},
    {VHOST_RESET_DEVICE, 0, false, reset_device},
    {VHOST_GET_MAX_MEM_SLOTS, 0, true, get_max_mem_slots},
    {VHOST_ADD_MEM_REG, sizeof(struct vhost_mem_region), false, add_mem_reg},
    {VHOST_REM_MEM_REG, sizeof(struct vhost_mem_region), false, rem_mem_reg},
    {VHOST_SET_STATUS, 8, false, set_status},
    {VHOST_GET_STATUS, 0, true, get_status},
    {VHOST_GET_SHMEM_CONFIG, 0, true, get_shmem_config},
};

static const struct request *find_request(uint32_t number)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (requests[i].number == number) {
            return &requests[i];
        }
    }
    return NULL;
}

static enum sl_result serve_one(struct vhost_server *server)
{
    const struct vhost_message *m = &server->session.front.in;
    const struct request *request = find_request(m->head.request);
    if (request == NULL || m->head.size < request->size) {
        sl_warn_limited("vhost", "the front end sent request %u with %u bytes: not understood",
                        m->head.request, m->head.size);
        return SL_ERR_PROTOCOL;
    }
    enum sl_result r = request->handle(server, m);
    bool acked = (server->session.protocol_features & VHOST_PROTOCOL_REPLY_ACK) != 0 &&
                 (m->head.flags & VHOST_FLAG_NEED_REPLY) != 0;
    if (r != SL_OK) {
        sl_warn_limited("vhost", "request %u of the front end: %s", m->head.request,
                        sl_result_name(r));
    }
    if (r == SL_ERR_PROTOCOL || r == SL_ERR_CLOSED || request->replies) {
        return r;
    }
    if (acked) {
        return answer_u64(server, m, r == SL_OK ? 0 : 1);
    }
    return r;
}

enum sl_result vhost_session_serve(struct vhost_server *server)
{
    struct vhost_channel *front = &server->session.front;
    for (uint32_t i = 0; i < REQUESTS_IN_TURN && !vhost_channel_is_full(front); i++) {
        enum sl_result r = vhost_channel_recv(front);
        if (r == SL_ERR_AGAIN) {
            return SL_OK;
        }
        if (r == SL_OK) {
            r = serve_one(server);
        }
        if (r != SL_OK) {
            return r;
        }
        vhost_channel_next(front);
    }
    return SL_OK;
}

/* ---- life ---- */

enum sl_result vhost_session_begin(struct vhost_server *server, int fd)
{
    struct vhost_session *session = &server->session;
    memset(session, 0, sizeof *session);
    vhost_channel_init(&session->front);
    vhost_channel_init(&session->back);
    session->window = -1;
    sl_list_init(&session->asked);
    vhost_memory_init(&session->memory, vgpu_is_window, &server->gpu);
    enum sl_result r = vhost_channel_open(&session->front, fd);
    for (uint32_t i = 0; i < VGPU_QUEUES && r == SL_OK; i++) {
        r = vhost_queue_init(&session->queues[i], i);
    }
    server->has_session = true;
    if (r == SL_OK) {
        session->front_events = EPOLLIN;
        r = vhost_watch(server, session->front.fd, EPOLLIN, VHOST_TAG_FRONT);
    }
    if (r != SL_OK) {
        vhost_session_end(server);
        return r;
    }
    sl_info("vhost", "a virtual machine connected");
    return SL_OK;
}

void vhost_session_end(struct vhost_server *server)
{
    struct vhost_session *session = &server->session;
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        vhost_rings_stop(server, i);
    }
    vhost_shmem_clear(session);
    vgpu_reset(&server->gpu);
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        vhost_queue_counts_add(&server->counts[i], &session->queues[i].counts);
        vhost_queue_finish(&session->queues[i]);
    }
    vhost_inflight_clear(session);
    vhost_memory_finish(&session->memory);
    if (session->front.fd >= 0) {
        vhost_unwatch(server, session->front.fd);
    }
    if (session->back.fd >= 0) {
        vhost_unwatch(server, session->back.fd);
    }
    vhost_channel_close(&session->front);
    vhost_channel_close(&session->back);
    sl_fd_close(&session->window);
    server->has_session = false;
}
