/* A resource's fences, as a guest backend without a kernel keeps them: the last submit of each ring
 * that named it. Any thread. */
#ifndef VIRTGPU_VG_FENCES_H
#define VIRTGPU_VG_FENCES_H

#include "transport/base/result.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct vg_fence;

struct vg_fences {
    pthread_mutex_t lock; /* guards all below */
    struct vg_fence *fences;
    uint32_t count;
    uint64_t next;
};

void vg_fences_init(struct vg_fences *fences);
void vg_fences_finish(struct vg_fences *fences);
/* fd, borrowed and duplicated, is readable when all of `ring` up to now is done: it replaces the
 * ring's earlier one. */
enum sl_result vg_fences_add(struct vg_fences *fences, uint32_t ring, int fd) SL_MUST_USE;
/* Until none is left. alive: asked every 100 ms. timeout_ns < 0: for ever. OK, TIMEOUT, CLOSED,
 * NOMEM without descriptors. */
enum sl_result vg_fences_wait(struct vg_fences *fences, int64_t timeout_ns,
                              bool (*alive)(void *user), void *user) SL_MUST_USE;
/* The same for one descriptor. */
enum sl_result vg_fence_fd_wait(int fd, int64_t timeout_ns, bool (*alive)(void *user),
                                void *user) SL_MUST_USE;

#endif
