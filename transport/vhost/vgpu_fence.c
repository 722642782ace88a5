/* Fences: a chain whose command carries one is given back when the fence is done. The chains in
 * flight are bounded by the queue, and so are the fences that wait. */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/fd.h"
#include "transport/base/mem.h"

enum sl_result vgpu_fences_init(struct vgpu_fences *fences)
{
    pthread_mutex_init(&fences->lock, NULL);
    for (uint32_t i = 0; i < VGPU_FENCE_BUCKETS; i++) {
        sl_list_init(&fences->buckets[i]);
    }
    sl_list_init(&fences->done);
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        fences->pending[i] = sl_alloc_array(VIRTQ_SIZE_MAX, sizeof *fences->pending[i]);
        if (fences->pending[i] == NULL) {
            return SL_ERR_NOMEM;
        }
    }
    return SL_OK;
}

void vgpu_fences_finish(struct vgpu_fences *fences)
{
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        sl_free(fences->pending[i]);
    }
    pthread_mutex_destroy(&fences->lock);
}

enum sl_result vgpu_fence(struct vgpu *gpu, const struct vgpu_head *request, uint32_t queue,
                          uint16_t head, uint32_t written)
{
    struct vgpu_fences *fences = &gpu->fences;
    struct vgpu_pending *pending = &fences->pending[queue][head];
    gpu->counts.fences++;
    bool on_ring = (request->flags & VGPU_FLAG_INFO_RING_IDX) != 0;
    pthread_mutex_lock(&fences->lock);
    *pending = (struct vgpu_pending){
        .fence_id = request->fence_id, .queue = queue, .written = written, .head = head};
    sl_list_add(&fences->buckets[request->fence_id % VGPU_FENCE_BUCKETS], &pending->link);
    fences->on_device_thread = true;
    pthread_mutex_unlock(&fences->lock);

    struct vgd *device = gpu->server->device;
    enum sl_result r =
        device->ops->fence(device, on_ring ? request->ctx_id : 0,
                           on_ring ? request->ring_idx : VIRTGPU_RING_GLOBAL, request->fence_id);

    pthread_mutex_lock(&fences->lock);
    fences->on_device_thread = false;
    if (r != SL_OK) {
        sl_list_remove(&pending->link);
    }
    pthread_mutex_unlock(&fences->lock);
    return r;
}

void vgpu_fence_done(struct vgpu *gpu, uint64_t fence_id)
{
    struct vgpu_fences *fences = &gpu->fences;
    bool wake = false;
    pthread_mutex_lock(&fences->lock);
    SL_LIST_FOR_SAFE(link, &fences->buckets[fence_id % VGPU_FENCE_BUCKETS])
    {
        struct vgpu_pending *pending = SL_CONTAINER(link, struct vgpu_pending, link);
        if (pending->fence_id == fence_id) {
            wake = !fences->on_device_thread && sl_list_empty(&fences->done);
            sl_list_remove(&pending->link);
            sl_list_add(&fences->done, &pending->link);
            break;
        }
    }
    pthread_mutex_unlock(&fences->lock);
    if (wake) {
        sl_fd_signal(gpu->server->wake);
    }
}

void vgpu_fences_collect(struct vgpu *gpu)
{
    struct vgpu_fences *fences = &gpu->fences;
    pthread_mutex_lock(&fences->lock);
    SL_LIST_FOR_SAFE(link, &fences->done)
    {
        struct vgpu_pending *pending = SL_CONTAINER(link, struct vgpu_pending, link);
        struct vhost_queue *queue = &gpu->server->session.queues[pending->queue];
        /* A queue that is paused gets its chains when it goes on. */
        if (queue->started && queue->desc != NULL && !queue->broken) {
            sl_list_remove(&pending->link);
            vhost_queue_push(queue, pending->head, pending->written);
        }
    }
    pthread_mutex_unlock(&fences->lock);
}

void vgpu_fences_drop(struct vgpu_fences *fences)
{
    pthread_mutex_lock(&fences->lock);
    for (uint32_t i = 0; i <= VGPU_FENCE_BUCKETS; i++) {
        struct sl_list *list = i < VGPU_FENCE_BUCKETS ? &fences->buckets[i] : &fences->done;
        while (!sl_list_empty(list)) {
            sl_list_remove(list->next);
        }
    }
    pthread_mutex_unlock(&fences->lock);
}
