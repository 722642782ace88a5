/* Objects that a guest ends while its device may still work with them.
 *
 * Drivers die of that, so natively they end later: behind a marker, a fence of ours that each queue
 * signals when it has done what it was given before. One marker a device at a time; it is looked at
 * when something else ends or is submitted. A device that has nothing to do ends objects at once.
 *
 * But for semaphores: that the fence of a submit is seen says that its work is done, not that the
 * driver's thread is done with the submit. Mesa's, where timelines are emulated (lavapipe), signals
 * the fence and then writes into the semaphores that the submit named. What a later submit of the
 * queue signals says that the thread is past it, and a marker is one, which names no semaphore. So
 * semaphores stay until a marker is signalled; many of them have one placed that costs each little.
 *
 * All of it runs in turns, or when no ring runs any more. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_destroy.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

/* Most objects of a device that wait; its guest is made to wait then. */
#define WAITING_MAX 65536u
/* So many semaphores gather before a marker is placed for nothing else. */
#define GATHER_COUNT 64u
#define WAIT_NS      (2ull * 1000 * 1000 * 1000)

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

/* Drivers may work with it when the fence of its last submit is signalled already. */
static bool is_late(uint32_t kind)
{
    return kind == VK_KIND_VkSemaphore;
}

static void list_end(struct sl_list *graves, uint32_t *count, uint64_t serial)
{
    while (!sl_list_empty(graves)) {
        struct grave *g = SL_CONTAINER(graves->next, struct grave, link);
        if (g->serial > serial) {
            return; /* in the order in which they came */
        }
        sl_list_remove(&g->link);
        (*count)--;
        object_end(g->kind, g->native, g->record);
        sl_free(g);
    }
}

static void bury_end(struct hvk_device *device)
{
    list_end(&device->graves, &device->grave_count, device->retired);
    list_end(&device->late_graves, &device->late_count, device->sealed);
}

/* Are markers on their way? */
static bool is_marked(const struct hvk_device *device)
{
    bool marked = false;
    for (uint32_t i = 0; i < device->queue_count; i++) {
        marked = marked || device->queues[i].marker != VK_NULL_HANDLE;
    }
    return marked;
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
        if (queue->last > device->sealed && hvk_queue_mark(queue, &queue->marker) != VK_SUCCESS) {
            queue->marker = VK_NULL_HANDLE;
            device->marked = device->sealed; /* those that were placed tell nothing */
            return; /* it is tried again, or the device is lost and drained in the end */
        }
    }
    for (uint32_t i = 0; i < device->queue_count; i++) {
        device->queues[i].is_busy = false;
    }
    device->marked = device->submits;
}

/* The guest's own fence tells that the queue has done all. */
static bool fence_tells(const struct hvk_queue *queue)
{
    const struct hvk_tell *tell = &queue->tells[(queue->tell_count - 1) % HVK_TELLS];
    return tell->serial == queue->last && hvk_fence_is_done(queue, tell->fence, tell->serial);
}

/* Semaphores wait for markers that nothing else needs. */
static bool must_seal(const struct hvk_device *device)
{
    return device->late_count >= GATHER_COUNT;
}

void hvk_graves_look(struct hvk_device *device)
{
    bool busy = false, marked = is_marked(device);
    for (uint32_t i = 0; i < device->queue_count; i++) {
        struct hvk_queue *queue = &device->queues[i];
        queue->is_busy = queue->is_busy && !fence_tells(queue);
        busy = busy || queue->is_busy;
    }
    if (!marked && !busy) {
        device->retired = device->submits;
    }
    if (!marked && (busy || must_seal(device))) {
        marker_place(device);
        marked = is_marked(device);
    }
    if (marked && marker_done(device)) {
        device->sealed = device->marked;
        device->retired = device->retired > device->marked ? device->retired : device->marked;
    }
    bury_end(device);
}

void hvk_graves_idle(struct hvk_device *device)
{
    for (uint32_t i = 0; i < device->queue_count; i++) {
        device->queues[i].is_busy = false;
        hvk_queue_done(&device->queues[i], device->submits);
    }
    (void)marker_done(device);
    device->marked = device->retired = device->sealed = device->submits;
    bury_end(device);
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

/* It waits in its place of the device's graves. False: there is no room for it. */
static bool wait_there(struct hvk_device *device, const struct grave *of)
{
    struct grave *g = NULL;
    if (device->grave_count + device->late_count < WAITING_MAX) {
        g = sl_alloc(sizeof *g);
    }
    if (g == NULL) {
        return false;
    }
    *g = *of;
    g->serial = device->submits;
    if (is_late(g->kind)) {
        sl_list_add(&device->late_graves, &g->link);
        device->late_count++;
    } else {
        sl_list_add(&device->graves, &g->link);
        device->grave_count++;
    }
    return true;
}

/* All that was submitted is done with what ends now. */
static bool is_free(const struct hvk_device *device, uint32_t kind)
{
    return (is_late(kind) ? device->sealed : device->retired) == device->submits;
}

void hvk_bury(uint32_t kind, uint64_t native, struct hvk_object *record)
{
    struct hvk_device *device = record->device;
    if (device == NULL || is_passive(kind)) {
        object_end(kind, native, record);
        return;
    }
    if (device->retired != device->submits || must_seal(device)) {
        hvk_graves_look(device);
    }
    const struct grave grave = {.native = native, .record = record, .kind = kind};
    if (!is_free(device, kind) && wait_there(device, &grave)) {
        hvk_stale_settle(device);
    } else if (is_free(device, kind) || make_way(device)) {
        object_end(kind, native, record);
        hvk_stale_settle(device);
    } else {
        device->abandoned = true;
        hvk_device_fail(device, VK_ERROR_DEVICE_LOST, "the end of an object in use");
    }
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
    if (device->grave_count != 0 || must_seal(device)) {
        hvk_graves_look(device);
    }
}
