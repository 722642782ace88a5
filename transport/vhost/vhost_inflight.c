/* The area that a front end keeps across a crash of the back end: which chains were taken and not
 * given back. Its bytes are the front end's to write: only marks and counters are read, and heads
 * are checked like any other. Spec: vhost-user, "Inflight I/O tracking", split virtqueues. */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/arith.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <stdlib.h>

#define REGION_ALIGNMENT 64u

static uint64_t region_size(uint32_t queue_size)
{
    return sl_round_up(sizeof(struct vhost_inflight_queue) +
                           (uint64_t)queue_size * sizeof(struct vhost_inflight_desc),
                       REGION_ALIGNMENT);
}

static bool layout_is_sound(const struct vhost_inflight *layout)
{
    return layout->queue_count >= 1 && layout->queue_count <= VGPU_QUEUES &&
           layout->queue_size >= 1 && layout->queue_size <= VIRTQ_SIZE_MAX;
}

void vhost_inflight_clear(struct vhost_session *session)
{
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        session->queues[i].inflight = NULL;
    }
    sl_shm_unmap(session->inflight, session->inflight_size);
    session->inflight = NULL;
    session->inflight_size = 0;
}

enum sl_result vhost_inflight_get(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_inflight layout = m->payload.inflight;
    if (!layout_is_sound(&layout)) {
        return SL_ERR_PROTOCOL;
    }
    layout.mmap_offset = 0;
    layout.mmap_size = region_size(layout.queue_size) * layout.queue_count;
    int fd;
    enum sl_result r = sl_shm_create("sluice-inflight", layout.mmap_size, &fd);
    if (r != SL_OK) {
        return r;
    }
    r = vhost_channel_send(&server->session.front, m->head.request, VHOST_FLAG_REPLY, &layout,
                           m->head.size, fd);
    sl_fd_close(&fd);
    return r;
}

enum sl_result vhost_inflight_set(struct vhost_server *server, const struct vhost_message *m)
{
    struct vhost_session *session = &server->session;
    const struct vhost_inflight *layout = &m->payload.inflight;
    if (session->front.fd_count != 1 || !layout_is_sound(layout) || layout->mmap_offset != 0 ||
        layout->mmap_size < region_size(layout->queue_size) * layout->queue_count) {
        return SL_ERR_PROTOCOL;
    }
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        if (session->queues[i].started) {
            return SL_ERR_PROTOCOL;
        }
    }
    vhost_inflight_clear(session);
    session->inflight_layout = *layout;
    session->inflight_size = layout->mmap_size;
    return sl_shm_map(session->front.fds[0], layout->mmap_size, &session->inflight);
}

struct mark {
    uint64_t counter;
    uint16_t head;
};

static int older_first(const void *a, const void *b)
{
    uint64_t x = ((const struct mark *)a)->counter;
    uint64_t y = ((const struct mark *)b)->counter;
    return x < y ? -1 : x > y;
}

/* The area as this queue finds it; a new one is made ready. */
static void area_open(struct vhost_inflight_queue *area, const struct vhost_queue *queue)
{
    if (__atomic_load_n(&area->version, __ATOMIC_RELAXED) != 1) {
        __atomic_store_n(&area->desc_num, (uint16_t)queue->size, __ATOMIC_RELAXED);
        __atomic_store_n(&area->version, 1, __ATOMIC_RELAXED);
    } else if (__atomic_load_n(&area->used_idx, __ATOMIC_RELAXED) != queue->used_idx) {
        /* It died between giving the last one back and taking its mark away. */
        uint16_t last = __atomic_load_n(&area->last_batch_head, __ATOMIC_RELAXED);
        if (last < queue->size) {
            __atomic_store_n(&area->desc[last].inflight, 0, __ATOMIC_RELAXED);
        }
    }
    __atomic_store_n(&area->used_idx, queue->used_idx, __ATOMIC_RELAXED);
}

/* Executes again what is marked, in the order of old. False: the queue is broken by it. */
static bool take_again(struct vhost_server *server, struct vhost_queue *queue,
                       struct vhost_inflight_queue *area, const struct mark *marks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint16_t head = marks[i].head;
        uint32_t written;
        if (vhost_queue_take(queue, &server->session.memory, head, &server->chain) != SL_OK) {
            return false;
        }
        if (!vgpu_execute(&server->gpu, queue->index, &server->chain, &written)) {
            vhost_queue_push(queue, head, written);
            __atomic_store_n(&area->desc[head].inflight, 0, __ATOMIC_RELEASE);
        }
    }
    return true;
}

void vhost_inflight_begin(struct vhost_server *server, uint32_t index)
{
    struct vhost_session *session = &server->session;
    struct vhost_queue *queue = &session->queues[index];
    const struct vhost_inflight *layout = &session->inflight_layout;
    if (session->inflight == NULL || index >= layout->queue_count ||
        queue->size > layout->queue_size) {
        return;
    }
    struct vhost_inflight_queue *area =
        (void *)((uint8_t *)session->inflight + index * region_size(layout->queue_size));
    struct mark *marks = sl_alloc_array(queue->size, sizeof *marks);
    if (marks == NULL) {
        return; /* the guest waits for those that are lost, and a reset ends that */
    }
    area_open(area, queue);
    uint32_t count = 0;
    for (uint32_t i = 0; i < queue->size; i++) {
        if (__atomic_load_n(&area->desc[i].inflight, __ATOMIC_ACQUIRE) == 1) {
            marks[count++] =
                (struct mark){.counter = __atomic_load_n(&area->desc[i].counter, __ATOMIC_RELAXED),
                              .head = (uint16_t)i};
        }
    }
    qsort(marks, count, sizeof *marks, older_first);
    if (count != 0) {
        sl_info("vhost", "queue %u: %u chains of an earlier process are taken up", index, count);
        queue->inflight_counter = marks[count - 1].counter;
        /* What was taken then is not taken from the ring again. */
        queue->last_avail = (uint16_t)(queue->used_idx + count);
    }
    if (take_again(server, queue, area, marks, count)) {
        queue->inflight = area;
    }
    sl_free(marks);
}
