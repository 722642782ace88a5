/* The end of a device's work, before its objects are taken away: waited for, then brought about. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "transport/base/log.h"

/* How long the work may take that only computes, and then once nothing holds it up any more. */
#define PATIENCE_NS (1000ull * 1000 * 1000)
/* How far a timeline may be moved at once on any driver. */
#define TIMELINE_STEP 0x7fffffffull

static VkResult all_idle(struct hvk_device *device)
{
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < device->queue_count && result != VK_TIMEOUT; i++) {
        result = hvk_queue_idle(&device->queues[i], NULL, PATIENCE_NS);
    }
    return result;
}

static void timeline_release(const struct hvk_device *device, VkSemaphore semaphore)
{
    VkSemaphoreSignalInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
                                  .semaphore = semaphore};
    if (device->driver.SignalSemaphore != NULL &&
        device->driver.GetSemaphoreCounterValue(hvk_native(device), semaphore, &info.value) ==
            VK_SUCCESS) {
        info.value += TIMELINE_STEP;
        (void)device->driver.SignalSemaphore(hvk_native(device), &info);
    }
}

/* Timelines and events that nobody of a dead process signals. */
static void release_waits(struct hvk_device *device)
{
    const struct hvk_context *context = device->context;
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *found;
    while (sl_ids_next(&context->ids, &cursor, &kind, &id, &native, &found)) {
        const struct hvk_object *object = found;
        if (object->device != device) {
            continue;
        }
        if (kind == VK_KIND_VkEvent) {
            (void)device->driver.SetEvent(hvk_native(device), HVK_HANDLE(VkEvent, native));
        } else if (kind == VK_KIND_VkSemaphore && ((struct hvk_semaphore *)found)->is_timeline) {
            timeline_release(device, HVK_HANDLE(VkSemaphore, native));
        }
    }
}

void hvk_device_drain(struct hvk_device *device)
{
    if (device->abandoned) {
        return;
    }
    VkResult result = all_idle(device);
    if (result == VK_TIMEOUT) {
        release_waits(device);
        result = all_idle(device);
    }
    if (result != VK_TIMEOUT) {
        hvk_graves_idle(device);
    } else {
        device->abandoned = true;
        sl_error("vulkan", "context %u: a device's work does not end: it is left behind",
                 device->context->ctx_id);
    }
}

bool hvk_devices_busy(struct hvk_context *context)
{
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *found;
    bool busy = false;
    while (!busy && sl_ids_next(&context->ids, &cursor, &kind, &id, &native, &found)) {
        struct hvk_device *device = ((struct hvk_object *)found)->device;
        for (uint32_t i = 0;
             kind == VK_KIND_VkDevice && !device->abandoned && !busy && i < device->queue_count;
             i++) {
            busy = hvk_queue_idle(&device->queues[i], NULL, 0) == VK_TIMEOUT;
        }
    }
    return busy;
}

void hvk_devices_drain(struct hvk_context *context, const struct hvk_instance *instance)
{
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *found;
    /* Under the turn, or when no ring runs any more: nobody adds or removes meanwhile. */
    while (sl_ids_next(&context->ids, &cursor, &kind, &id, &native, &found)) {
        struct hvk_object *object = found;
        if (kind == VK_KIND_VkDevice && (instance == NULL || object->instance == instance)) {
            hvk_device_drain(object->device);
        }
    }
}
