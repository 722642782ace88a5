/* The status page: words in memory that the guest maps, each written once when a fence that the
 * guest watches has signalled or a timeline has moved on. So polls need no packets. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"

void hvk_status_drop(struct hvk_device *device)
{
    hvk_pages_unref(device->status);
}

VkResult hvk_vkShareStatusSLUICE(struct hvk_call *call, struct vk_args_vkShareStatusSLUICE *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    enum sl_result result = SL_OK;
    if (device->status == NULL) {
        result = hvk_pages_create(NULL, HVK_STATUS_SLOTS * sizeof(uint32_t), 0, &device->status);
    }
    if (result == SL_OK) {
        result = hvk_blob_publish(call->context, a->blobId, device->status);
        device->status_blob = a->blobId;
    }
    return hvk_device_result(device, result == SL_OK ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY);
}

/* Whether the device's page has that slot; if not the ring is over. */
static bool has_slot(struct hvk_call *call, const struct hvk_device *device, uint32_t slot)
{
    bool has = device->status != NULL && slot < HVK_STATUS_SLOTS;
    if (!has) {
        hr_call_violate(call->hr, "there is no status slot %u", slot);
    }
    return has;
}

void hvk_vkWatchFenceSLUICE(struct hvk_call *call, struct vk_args_vkWatchFenceSLUICE *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_object *object = hvk_find(call->context, VK_KIND_VkFence, a->fence_id, NULL);
    if (object == NULL || !has_slot(call, device, a->slot)) {
        return;
    }
    /* Under the turn nobody replaces the payload. */
    struct hvk_payload *payload = SL_CONTAINER(object, struct hvk_fence, object)->payload;
    hvk_waiter_watch(call->context, payload, NULL, 0, device->status, a->slot, a->value);
}

void hvk_note_drop(struct hvk_ring *ring)
{
    hvk_payload_unref(ring->note.payload);
    hvk_pages_unref(ring->note.status);
    ring->note = (struct hvk_note){0};
}

void hvk_note_tell(struct hvk_ring *ring)
{
    const struct hvk_note *note = &ring->note;
    if (note->payload == NULL) {
        return;
    }
    struct hvk_device *device = note->payload->device;
    VkFence fence = note->payload->native;
    if (device->driver.GetFenceStatus(hvk_native(device), fence) == VK_SUCCESS ||
        (hr_ring_is_near(note->ring) && hvk_fence_soon(device, fence))) {
        uint32_t *slots = note->status->pointer;
        /* The guest's load acquires: what the fence waited for happened before. */
        sl_atomic_store_release(&slots[note->slot], note->value);
        hr_ring_answered(note->ring);
    }
    hvk_note_drop(ring);
}

/* Short work is done when the ring's thread is about to wait for the next packet, or soon after.
 * Then the guest need not ask, and nobody is woken to hear it. A guest that shares our processor is
 * not back before we sleep, and neither may the driver's threads be: they get it first. */
void hvk_vkTellFenceSLUICE(struct hvk_call *call, struct vk_args_vkTellFenceSLUICE *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_object *object = hvk_find(call->context, VK_KIND_VkFence, a->fence_id, NULL);
    hvk_note_drop(call->ring);
    if (object == NULL || !has_slot(call, device, a->slot)) {
        return;
    }
    call->ring->note = (struct hvk_note){
        .payload = hvk_payload_ref(SL_CONTAINER(object, struct hvk_fence, object)->payload),
        .status = hvk_pages_ref(device->status),
        .ring = call->hr->ring,
        .slot = a->slot,
        .value = a->value};
}

void hvk_vkWatchSemaphoreSLUICE(struct hvk_call *call, struct vk_args_vkWatchSemaphoreSLUICE *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_object *object = hvk_find(call->context, VK_KIND_VkSemaphore, a->semaphore_id, NULL);
    if (object == NULL || device->driver.WaitSemaphores == NULL ||
        !has_slot(call, device, a->slot)) {
        return;
    }
    struct hvk_semaphore *semaphore = SL_CONTAINER(object, struct hvk_semaphore, object);
    if (!semaphore->is_timeline) {
        hr_call_refuse(call->hr, "only timelines are watched");
        return;
    }
    hvk_waiter_watch(call->context, NULL, semaphore, a->reached, device->status, a->slot, a->value);
}
