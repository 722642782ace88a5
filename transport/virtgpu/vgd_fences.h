/* Fence ids of a front's device -> eventfds of its clients: what a front's sink signals. Any
 * thread.
 *
 * The lock is taken by the sink under the device's own: nothing of waist B may be called while a
 * function here runs. */
#ifndef VIRTGPU_VGD_FENCES_H
#define VIRTGPU_VGD_FENCES_H

#include "transport/base/list.h"
#include "transport/base/result.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define VGD_FENCE_BUCKETS 256u

struct vgd_fences {
    pthread_mutex_t lock;                      /* guards all below, and the counts of the owners */
    struct sl_list buckets[VGD_FENCE_BUCKETS]; /* struct fence.link */
};

void vgd_fences_init(struct vgd_fences *fences);
/* No fence waits any more. */
void vgd_fences_finish(struct vgd_fences *fences);
/* A fence that waits. Gives *fd, readable once it is done. count: how many of its owner wait; lives
 * until they are done. NOMEM at max, or without descriptors. */
enum sl_result vgd_fences_add(struct vgd_fences *fences, uint64_t id, uint32_t *count, uint32_t max,
                              int *fd) SL_MUST_USE;
/* It is done (signal), or was never enqueued. Unknown ids are ignored. */
void vgd_fences_leave(struct vgd_fences *fences, uint64_t id, bool signal);

#endif
