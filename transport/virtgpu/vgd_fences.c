#include "transport/virtgpu/vgd_fences.h"

#include "transport/base/fd.h"
#include "transport/base/mem.h"

struct fence {
    struct sl_list link; /* vgd_fences.buckets[] */
    uint64_t id;
    uint32_t *count;
    int fd;
};

void vgd_fences_init(struct vgd_fences *fences)
{
    pthread_mutex_init(&fences->lock, NULL);
    for (uint32_t i = 0; i < VGD_FENCE_BUCKETS; i++) {
        sl_list_init(&fences->buckets[i]);
    }
}

void vgd_fences_finish(struct vgd_fences *fences)
{
    pthread_mutex_destroy(&fences->lock);
}

static void fence_free(struct fence *fence)
{
    sl_fd_close(&fence->fd);
    sl_free(fence);
}

enum sl_result vgd_fences_add(struct vgd_fences *fences, uint64_t id, uint32_t *count, uint32_t max,
                              int *fd)
{
    struct fence *fence = sl_alloc(sizeof *fence);
    if (fence == NULL) {
        return SL_ERR_NOMEM;
    }
    *fence = (struct fence){.id = id, .count = count, .fd = -1};
    int theirs = -1;
    enum sl_result r = sl_fd_event(&fence->fd);
    if (r == SL_OK) {
        r = sl_fd_dup(fence->fd, &theirs);
    }
    if (r == SL_OK) {
        pthread_mutex_lock(&fences->lock);
        if (*count < max) {
            ++*count;
            sl_list_add(&fences->buckets[id % VGD_FENCE_BUCKETS], &fence->link);
        } else {
            r = SL_ERR_NOMEM;
        }
        pthread_mutex_unlock(&fences->lock);
    }
    if (r != SL_OK) {
        sl_fd_close(&theirs);
        fence_free(fence);
        return r;
    }
    *fd = theirs;
    return SL_OK;
}

void vgd_fences_leave(struct vgd_fences *fences, uint64_t id, bool signal)
{
    pthread_mutex_lock(&fences->lock);
    SL_LIST_FOR_SAFE(link, &fences->buckets[id % VGD_FENCE_BUCKETS])
    {
        struct fence *fence = SL_CONTAINER(link, struct fence, link);
        if (fence->id == id) {
            if (signal) {
                sl_fd_signal(fence->fd);
            }
            sl_list_remove(&fence->link);
            --*fence->count;
            fence_free(fence);
            break;
        }
    }
    pthread_mutex_unlock(&fences->lock);
}
