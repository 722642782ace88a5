/* What a device has yet to do: what was submitted and may not be touched until it has run.
 *
 * Submits of a device have numbers. Of each queue is known up to which all that it was given is
 * done: a fence of the guest's told it, or a marker (hvk_grave.c), or a wait for idleness. What
 * uses something in a submit leaves its number there. All of it in turns, but for the telling. */
#include "host/vulkan/hvk_family.h"

#include "transport/base/atomic.h"

void hvk_queue_done(struct hvk_queue *queue, uint64_t serial)
{
    /* Pairs with the load in is_known: what the work did happened before. */
    sl_atomic_raise_u64(&queue->done, serial);
}

static bool is_known(const struct hvk_device *device, const struct hvk_work *work)
{
    return work->serial <= device->retired ||
           (work->queue != NULL && work->serial <= sl_atomic_load_acquire_u64(&work->queue->done));
}

/* A fence of that submit or a later one tells. */
static bool is_told(const struct hvk_work *work)
{
    for (uint32_t i = 0; work->queue != NULL && i < HVK_TELLS; i++) {
        const struct hvk_tell *tell = &work->queue->tells[i];
        if (tell->serial >= work->serial &&
            hvk_fence_is_done(work->queue, tell->fence, tell->serial)) {
            hvk_queue_done(work->queue, tell->serial);
            return true;
        }
    }
    return false;
}

bool hvk_work_is_done(struct hvk_device *device, const struct hvk_work *work)
{
    if (is_known(device, work) || is_told(work)) {
        return true;
    }
    hvk_graves_look(device);
    return is_known(device, work);
}

bool hvk_queue_is_done(struct hvk_queue *queue)
{
    const struct hvk_work work = {.queue = queue, .serial = queue->last};
    return is_known(queue->object.device, &work) || is_told(&work);
}

bool hvk_device_is_idle(struct hvk_device *device)
{
    bool idle = true;
    for (uint32_t i = 0; idle && i < device->queue_count; i++) {
        struct hvk_queue *queue = &device->queues[i];
        const struct hvk_work work = {.queue = queue, .serial = queue->last};
        idle = hvk_work_is_done(device, &work);
    }
    return idle;
}

void hvk_work_give(struct hvk_work *work, struct hvk_queue *queue)
{
    struct hvk_device *device = queue->object.device;
    bool elsewhere = work->queue != queue && work->serial != 0 && !is_known(device, work);
    *work = (struct hvk_work){.queue = elsewhere ? NULL : queue, .serial = device->submits + 1};
}

void hvk_work_join(const struct hvk_device *device, struct hvk_work *work,
                   const struct hvk_work *other)
{
    if (is_known(device, other)) {
        return;
    }
    if (is_known(device, work)) {
        *work = *other;
        return;
    }
    work->queue = work->queue == other->queue ? work->queue : NULL;
    work->serial = work->serial > other->serial ? work->serial : other->serial;
}
