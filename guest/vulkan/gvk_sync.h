/* Fences and semaphores whose payload may be a descriptor of this machine's kernel: a sync file or
 * an eventfd that polls readable when it is signalled. */
#ifndef GUEST_GVK_SYNC_H
#define GUEST_GVK_SYNC_H

#include "guest/vulkan/gvk.h"
#include "guest/vulkan/gvk_status.h"
#include "transport/base/mem.h"

/* A payload imported for once, in the place of the object's own. */
struct gvk_imported {
    bool set;
    int fd; /* owned; -1: signalled already */
};

/* What is known of a fence, so that the host need not be asked. */
enum gvk_fence_state {
    GVK_FENCE_RESET,     /* not signalled, and nothing will: no submit has it */
    GVK_FENCE_SUBMITTED, /* who knows */
    GVK_FENCE_SIGNALLED,
};

struct gvk_fence {
    struct gvk_object object;
    uint32_t state; /* atomic: enum gvk_fence_state */
    struct gvk_watch watch;
    struct gvk_imported imported;
};

struct gvk_semaphore {
    struct gvk_object object;
    uint64_t reached;       /* atomic: a timeline is known to be there or past it */
    struct gvk_watch watch; /* of the timeline: it has passed `reached` */
    struct gvk_imported imported;
    VkFence fence; /* that exports of the semaphore go through; made by the first */
};

/* A submit is going to signal it. NULL allowed. */
static inline void gvk_fence_submitted(VkFence fence)
{
    if (fence != VK_NULL_HANDLE) {
        sl_atomic_store_relaxed(&GVK_FROM(gvk_fence, fence)->watch.told, 0);
        sl_atomic_store_release(&GVK_FROM(gvk_fence, fence)->state, GVK_FENCE_SUBMITTED);
    }
}

/* Before a submit that waits for a semaphore with an imported payload: waits for that here, as long
 * as the host lives, and lets the host's own semaphore be signalled on the queue. */
VkResult gvk_import_signal(VkQueue queue, VkSemaphore semaphore);
static inline VkResult gvk_wait_ready(VkQueue queue, VkSemaphore semaphore)
{
    return SL_LIKELY(!GVK_FROM(gvk_semaphore, semaphore)->imported.set)
               ? VK_SUCCESS
               : gvk_import_signal(queue, semaphore);
}

/* A submit that need not wait for what an imported payload says is signalled already, as most
 * submits that wait for a swapchain's acquisition: those waits are left out of a copy, which is
 * cheaper than the host's semaphores being signalled for them. */
#define GVK_WAITS_MAX 8u
struct gvk_waits {
    VkSubmitInfo info;
    VkSemaphore semaphores[GVK_WAITS_MAX];
    VkPipelineStageFlags stages[GVK_WAITS_MAX];
};
/* The submit to send: `info`, or waits->info, which lives as long as it. With a chain, whose arrays
 * run beside the waits, or more than GVK_WAITS_MAX: `info`. */
const VkSubmitInfo *gvk_waits_drop(struct gvk_waits *waits, const VkSubmitInfo *info);
struct gvk_waits2 {
    VkSubmitInfo2 info;
    VkSemaphoreSubmitInfo semaphores[GVK_WAITS_MAX];
};
const VkSubmitInfo2 *gvk_waits_drop2(struct gvk_waits2 *waits, const VkSubmitInfo2 *info);

#endif
