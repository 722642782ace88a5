/* Fences and semaphores whose payload may be a descriptor of this machine's kernel: a sync file or
 * an eventfd that polls readable when it is signalled. */
#ifndef GUEST_GVK_SYNC_H
#define GUEST_GVK_SYNC_H

#include "guest/vulkan/gvk.h"
#include "transport/base/mem.h"

/* A payload imported for once, in the place of the object's own. */
struct gvk_imported {
    bool set;
    int fd; /* owned; -1: signalled already */
};

struct gvk_fence {
    struct gvk_object object;
    uint32_t signalled; /* atomic: known to be, until it is reset: the host need not be asked */
    struct gvk_imported imported;
};

struct gvk_semaphore {
    struct gvk_object object;
    uint64_t reached; /* atomic: a timeline is known to be there or past it */
    struct gvk_imported imported;
    VkFence fence; /* that exports of the semaphore go through; made by the first */
};

/* Before a submit that waits for a semaphore with an imported payload: waits for that here, as long
 * as the host lives, and lets the host's own semaphore be signalled on the queue. */
VkResult gvk_import_signal(VkQueue queue, VkSemaphore semaphore);
static inline VkResult gvk_wait_ready(VkQueue queue, VkSemaphore semaphore)
{
    return SL_LIKELY(!GVK_FROM(gvk_semaphore, semaphore)->imported.set)
               ? VK_SUCCESS
               : gvk_import_signal(queue, semaphore);
}

#endif
