/* Objects that a guest ends while its device may still work with them.
 *
 * Drivers die of that, so natively they end later: behind a marker, a fence of ours that each queue
 * signals when it has done what it was given before. One marker a device at a time; it is looked at
 * when something else ends or is submitted. A device that has nothing to do ends objects at once.
 * All of it runs in turns, or when no ring runs any more. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_destroy.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

/* Most objects of a device that wait; its guest is made to wait then. */
#define WAITING_MAX 65536u
#define WAIT_NS     (2ull * 1000 * 1000 * 1000)

struct grave {
    struct sl_list link;
    uint64_t serial; /* of the device's submits: what was given before may use it */
    uint64_t native;
    struct hvk_object *record; /* its own, with the table's reference; or the device's */
    uint32_t kind;
};

static void object_end(uint32_t kind, uint64_t native, struct hvk_object *record)
{
    struct hvk_device *device = record->device;
    if (record->kind == kind) {
        if (!hvk_stale_add(record)) {
            hvk_unref(record);
        }
    } else {
        vk_destroy_native(kind, &device->driver, hvk_native(device), native);
    }
}

/* Kinds that no queue works with. */
static bool is_passive(uint32_t kind)
{
    switch (kind) {
    case VK_KIND_VkFence: /* waited for by itself */
    case VK_KIND_VkShaderModule:
    case VK_KIND_VkPipelineCache:
    case VK_KIND_VkPipelineLayout: /* kept for long anyway */
    case VK_KIND_VkDescriptorUpdateTemplate:
    case VK_KIND_VkPrivateDataSlot:
    case VK_KIND_VkValidationCacheEXT:
    case VK_KIND_VkDeferredOperationKHR:
    case VK_KIND_VkQueue:
    case VK_KIND_VkDevice:
        return true;
    default:
        return false;
    }
}

static void bury_end(struct hvk_device *device, uint64_t serial)
{
    while (!sl_list_empty(&device->graves)) {
        struct grave *g = SL_CONTAINER(device->graves.next, struct grave, link);
        if (g->serial > serial) {
            return; /* in the order in which they came */
        }
        sl_list_remove(&g->link);
        device->grave_count--;
        object_end(g->kind, g->native, g->record);
        sl_free(g);
    }
}

/* Has every queue signalled its marker? */
static bool marker_done(struct hvk_device *device)
{
    bool done = true;
    for (uint32_t i = 0; i < device->queue_count; i++) {
        struct hvk_queue *queue = &device->queues[i];
        if (queue->marker == VK_NULL_HANDLE) {
            continue;
        }
        if (device->driver.GetFenceStatus(hvk_native(device), queue->marker) == VK_NOT_READY) {
            done = false;
        } else {
            device->driver.DestroyFence(hvk_native(device), queue->marker, NULL);
            queue->marker = VK_NULL_HANDLE;
            hvk_queue_done(queue, device->marked);
        }
    }
    return done;
}

/* Markers behind all that was submitted so far. */
static void marker_place(struct hvk_device *device)
{
    for (uint32_t i = 0; i < device->queue_count; i++) {
        struct hvk_queue *queue = &device->queues[i];
        if (queue->is_busy && queue->marker == VK_NULL_HANDLE) {
            if (hvk_queue_mark(queue, &queue->marker) != VK_SUCCESS) {
                queue->marker = VK_NULL_HANDLE;
                return; /* it is tried again, or the device is lost and drained in the end */
            }
            queue->is_busy = false;
        }
    }
    device->marked = device->submits;
}

/* The guest's own fence tells that the queue has done all. */
static bool fence_tells(const struct hvk_queue *queue)
{
    const struct hvk_tell *tell = &queue->tells[(queue->tell_count - 1) % HVK_TELLS];
    return tell->serial == queue->last && hvk_fence_is_done(queue, tell->fence, tell->serial);
}

void hvk_graves_look(struct hvk_device *device)
{
    bool busy = false, marked = device->marked != device->retired;
    for (uint32_t i = 0; i < device->queue_count; i++) {
        struct hvk_queue *queue = &device->queues[i];
        queue->is_busy = queue->is_busy && !fence_tells(queue);
        busy = busy || queue->is_busy;
    }
    if (!marked && !busy) {
        device->marked = device->retired = device->submits;
    } else {
        if (!marked) {
            marker_place(device);
        }
        if (device->marked != device->retired && marker_done(device)) {
            device->retired = device->marked;
        }
    }
    bury_end(device, device->retired);
}

void hvk_graves_idle(struct hvk_device *device)
{
    for (uint32_t i = 0; i < device->queue_count; i++) {
        device->queues[i].is_busy = false;
        hvk_queue_done(&device->queues[i], device->submits);
    }
    (void)marker_done(device);
    device->marked = device->retired = device->submits;
    bury_end(device, device->retired);
}

/* More than a guest may leave waiting: the device's work is waited for. */
static bool make_way(struct hvk_device *device)
{
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < device->queue_count && result != VK_TIMEOUT; i++) {
        result = hvk_queue_idle(&device->queues[i], NULL, WAIT_NS);
    }
    if (result == VK_TIMEOUT) {
        sl_warn_limited("vulkan", "context %u: %u ended objects wait for work that does not end",
                        device->context->ctx_id, device->grave_count);
        return false;
    }
    hvk_graves_idle(device);
    return true;
}

bool hvk_graves_wait(struct hvk_device *device)
{
    return device->retired == device->submits || make_way(device);
}

void hvk_bury(uint32_t kind, uint64_t native, struct hvk_object *record)
{
    struct hvk_device *device = record->device;
    if (device == NULL || is_passive(kind)) {
        object_end(kind, native, record);
        return;
    }
    if (device->retired != device->submits) {
        hvk_graves_look(device);
    }
    struct grave *g = NULL;
    if (device->retired != device->submits && device->grave_count < WAITING_MAX) {
        g = sl_alloc(sizeof *g);
    }
    if (g != NULL) {
        *g = (struct grave){
            .serial = device->submits, .native = native, .record = record, .kind = kind};
        sl_list_add(&device->graves, &g->link);
        device->grave_count++;
    } else if (device->retired == device->submits || make_way(device)) {
        object_end(kind, native, record);
    } else {
        device->abandoned = true;
        hvk_device_fail(device, VK_ERROR_DEVICE_LOST, "the end of an object in use");
        return;
    }
    hvk_stale_settle(device);
}

void hvk_submitted(struct hvk_queue *queue, uint64_t fence)
{
    struct hvk_device *device = queue->object.device;
    device->submits++;
    queue->is_busy = true;
    queue->last = device->submits;
    if (hvk_fence_submitted(queue, fence)) {
        queue->tells[queue->tell_count++ % HVK_TELLS] =
            (struct hvk_tell){.serial = device->submits, .fence = fence};
    }
    if (device->grave_count != 0) {
        hvk_graves_look(device);
    }
}
