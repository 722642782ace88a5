#include "transport/virtgpu/vg_fences.h"

#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

#define SLICE_NS (100 * SL_NS_PER_MS)

struct vg_fence {
    uint32_t ring;
    uint64_t number;
    int fd;
};

void vg_fences_init(struct vg_fences *fences)
{
    *fences = (struct vg_fences){0};
    pthread_mutex_init(&fences->lock, NULL);
}

void vg_fences_finish(struct vg_fences *fences)
{
    for (uint32_t i = 0; i < fences->count; i++) {
        sl_fd_close(&fences->fences[i].fd);
    }
    sl_free(fences->fences);
    pthread_mutex_destroy(&fences->lock);
}

/* The ring's place, a new one at the end when it has none; NULL without memory. */
static struct vg_fence *place_locked(struct vg_fences *fences, uint32_t ring)
{
    for (uint32_t i = 0; i < fences->count; i++) {
        if (fences->fences[i].ring == ring) {
            return &fences->fences[i];
        }
    }
    struct vg_fence *more = sl_realloc(fences->fences, (fences->count + 1) * sizeof *more);
    if (more == NULL) {
        return NULL;
    }
    fences->fences = more;
    more[fences->count] = (struct vg_fence){.ring = ring, .fd = -1};
    return &more[fences->count++];
}

enum sl_result vg_fences_add(struct vg_fences *fences, uint32_t ring, int fd)
{
    int copy;
    enum sl_result r = sl_fd_dup(fd, &copy);
    if (r != SL_OK) {
        return r;
    }
    pthread_mutex_lock(&fences->lock);
    struct vg_fence *fence = place_locked(fences, ring);
    if (fence != NULL) {
        sl_fd_close(&fence->fd); /* a ring's fences are done in order: the newer one covers it */
        fence->fd = copy;
        fence->number = fences->next++;
    } else {
        sl_fd_close(&copy);
        r = SL_ERR_NOMEM;
    }
    pthread_mutex_unlock(&fences->lock);
    return r;
}

/* *fd: a copy of some fence, -1 when there is none. */
static enum sl_result copy_first(struct vg_fences *fences, uint64_t *number, int *fd)
{
    enum sl_result r = SL_OK;
    *fd = -1;
    pthread_mutex_lock(&fences->lock);
    if (fences->count != 0) {
        *number = fences->fences[0].number;
        r = sl_fd_dup(fences->fences[0].fd, fd);
    }
    pthread_mutex_unlock(&fences->lock);
    return r;
}

/* It may have been replaced by a newer one of its ring meanwhile: then that one stays. */
static void forget(struct vg_fences *fences, uint64_t number)
{
    pthread_mutex_lock(&fences->lock);
    for (uint32_t i = 0; i < fences->count; i++) {
        if (fences->fences[i].number == number) {
            sl_fd_close(&fences->fences[i].fd);
            fences->fences[i] = fences->fences[--fences->count];
            break;
        }
    }
    pthread_mutex_unlock(&fences->lock);
}

enum sl_result vg_fence_fd_wait(int fd, int64_t timeout_ns, bool (*alive)(void *user), void *user)
{
    uint64_t end = timeout_ns < 0 ? UINT64_MAX : sl_clock_ns() + (uint64_t)timeout_ns;
    for (;;) {
        uint64_t now = sl_clock_ns();
        uint64_t left = now < end ? end - now : 0;
        enum sl_result r = sl_fd_wait(fd, (int64_t)(left < SLICE_NS ? left : SLICE_NS));
        if (r != SL_ERR_TIMEOUT) {
            return r;
        }
        if (sl_clock_ns() >= end) {
            return SL_ERR_TIMEOUT;
        }
        if (!alive(user)) {
            return SL_ERR_CLOSED;
        }
    }
}

enum sl_result vg_fences_wait(struct vg_fences *fences, int64_t timeout_ns,
                              bool (*alive)(void *user), void *user)
{
    uint64_t end = timeout_ns < 0 ? 0 : sl_clock_ns() + (uint64_t)timeout_ns;
    for (;;) {
        uint64_t number = 0;
        int fd;
        enum sl_result r = copy_first(fences, &number, &fd);
        if (r != SL_OK || fd < 0) {
            return r;
        }
        uint64_t now = sl_clock_ns();
        r = vg_fence_fd_wait(fd,
                             timeout_ns < 0 ? -1
                             : now < end    ? (int64_t)(end - now)
                                            : 0,
                             alive, user);
        sl_fd_close(&fd);
        if (r != SL_OK) {
            return r;
        }
        forget(fences, number);
    }
}
