/* Queues: submits, sparse binds, waits for idleness.
 *
 * Natively a queue is used with its lock held. Submits of the usual guests have no reply: what goes
 * wrong in one is the device's error, told with the next answer. */
#include "host/vulkan/hvk_drawn.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"

static struct hvk_queue *queue_of(void *record)
{
    return record;
}

/* --- what a submit names --- */

static bool has_null(const void *handles, uint32_t count)
{
    const uint64_t *h = handles; /* handles are pointers on LP64 */
    for (uint32_t i = 0; i < count; i++) {
        if (h[i] == 0) {
            return true;
        }
    }
    return false;
}

/* Drivers read as many values as there are semaphores. */
static const uint64_t *enough(struct vk_unpack *u, const uint64_t *values, uint32_t *count,
                              uint32_t needed)
{
    if (values != NULL && *count >= needed) {
        return values;
    }
    uint64_t *more = vk_unpack_alloc(u, needed, sizeof *more);
    if (more != NULL && values != NULL) {
        memcpy(more, values, *count * sizeof *more);
    }
    *count = more != NULL ? needed : 0;
    return more;
}

/* Make one submit fit for a driver, in the packet's memory. */
static bool prepare(struct hvk_call *call, VkSubmitInfo *info)
{
    if (has_null(info->pWaitSemaphores, info->waitSemaphoreCount) ||
        has_null(info->pSignalSemaphores, info->signalSemaphoreCount) ||
        has_null(info->pCommandBuffers, info->commandBufferCount)) {
        return false;
    }
    (void)hvk_chain_take(&info->pNext, VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO);
    VkTimelineSemaphoreSubmitInfo *values =
        (VkTimelineSemaphoreSubmitInfo *)(uintptr_t)hvk_chain_find(
            info->pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
    if (values != NULL) {
        values->pWaitSemaphoreValues =
            enough(&call->in, values->pWaitSemaphoreValues, &values->waitSemaphoreValueCount,
                   info->waitSemaphoreCount);
        values->pSignalSemaphoreValues =
            enough(&call->in, values->pSignalSemaphoreValues, &values->signalSemaphoreValueCount,
                   info->signalSemaphoreCount);
    }
    if (call->context->provider->null) {
        info->commandBufferCount = 0;
    }
    return !call->in.failed;
}

static bool prepare2(const struct hvk_call *call, VkSubmitInfo2 *info)
{
    bool ok = true;
    for (uint32_t i = 0; i < info->waitSemaphoreInfoCount; i++) {
        ok = ok && info->pWaitSemaphoreInfos[i].semaphore != VK_NULL_HANDLE;
    }
    for (uint32_t i = 0; i < info->signalSemaphoreInfoCount; i++) {
        ok = ok && info->pSignalSemaphoreInfos[i].semaphore != VK_NULL_HANDLE;
    }
    for (uint32_t i = 0; i < info->commandBufferInfoCount; i++) {
        ok = ok && info->pCommandBufferInfos[i].commandBuffer != VK_NULL_HANDLE;
    }
    if (call->context->provider->null) {
        info->commandBufferInfoCount = 0;
    }
    return ok;
}

/* --- submits --- */

/* Command buffers that another ring still records into are waited for, and all of them fit to be
 * submitted; `ids`: the submits as the guest sent them. */
static bool settle(const struct hvk_call *call, struct hvk_queue *queue, uint32_t count,
                   const VkSubmitInfo *ids)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = hvk_command_buffers_ready(call, queue,
                                       (const uint64_t *)(const void *)ids[i].pCommandBuffers,
                                       ids[i].commandBufferCount);
    }
    return ok;
}

static bool settle2(const struct hvk_call *call, struct hvk_queue *queue, uint32_t count,
                    const VkSubmitInfo2 *ids)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++) {
        for (uint32_t j = 0; ok && j < ids[i].commandBufferInfoCount; j++) {
            uint64_t id = HVK_U64(ids[i].pCommandBufferInfos[j].commandBuffer);
            ok = hvk_command_buffers_ready(call, queue, &id, 1);
        }
    }
    return ok;
}

/* Which binary semaphores are signalled once all that was submitted is done: a snapshot asks, and
 * no driver tells. */
static void mark(struct hvk_context *context, uint64_t id, bool is_signalled)
{
    struct hvk_object *object = hvk_find(context, VK_KIND_VkSemaphore, id, NULL);
    if (object != NULL) {
        SL_CONTAINER(object, struct hvk_semaphore, object)->is_signalled = is_signalled;
    }
}

static void mark_all(struct hvk_context *context, const VkSemaphore *ids, uint32_t count,
                     bool is_signalled)
{
    for (uint32_t i = 0; i < count; i++) {
        mark(context, HVK_U64(ids[i]), is_signalled);
    }
}

static void marks(struct hvk_context *context, uint32_t count, const VkSubmitInfo *ids)
{
    for (uint32_t i = 0; i < count; i++) {
        mark_all(context, ids[i].pWaitSemaphores, ids[i].waitSemaphoreCount, false);
        mark_all(context, ids[i].pSignalSemaphores, ids[i].signalSemaphoreCount, true);
    }
}

static void marks2(struct hvk_context *context, uint32_t count, const VkSubmitInfo2 *ids)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < ids[i].waitSemaphoreInfoCount; j++) {
            mark(context, HVK_U64(ids[i].pWaitSemaphoreInfos[j].semaphore), false);
        }
        for (uint32_t j = 0; j < ids[i].signalSemaphoreInfoCount; j++) {
            mark(context, HVK_U64(ids[i].pSignalSemaphoreInfos[j].semaphore), true);
        }
    }
}

/* False: the device is lost. */
static bool submit_begin(struct hvk_call *call, struct hvk_queue *queue)
{
    struct hvk_device *device = queue->object.device;
    if (sl_atomic_load_relaxed(&device->error) != 0) {
        return false;
    }
    hvk_layouts_trim(call->context, device);
    hr_ring_memory(call->hr->ring);
    pthread_mutex_lock(queue->lock);
    queue->entered++;
    return true;
}

static void submit_end(struct hvk_queue *queue, uint64_t fence_id)
{
    pthread_mutex_unlock(queue->lock);
    hvk_submitted(queue, fence_id);
}

static VkResult submit(struct hvk_call *call, struct hvk_queue *queue, uint32_t count,
                       const VkSubmitInfo *submits, VkFence fence, uint64_t fence_id)
{
    struct hvk_device *device = queue->object.device;
    for (uint32_t i = 0; i < count; i++) {
        if (!prepare(call, (VkSubmitInfo *)(uintptr_t)&submits[i])) {
            return VK_ERROR_VALIDATION_FAILED;
        }
    }
    if (!submit_begin(call, queue)) {
        return VK_ERROR_DEVICE_LOST;
    }
    if (count != 0) {
        hvk_time_begin(queue, call->hr->opcode);
    }
    VkResult result = device->driver.QueueSubmit(HVK_HANDLE(VkQueue, queue->object.native), count,
                                                 submits, fence);
    hvk_time_end(queue);
    submit_end(queue, fence_id);
    return result;
}

/* The submits of a packet; ids: the same with the guest's ids, where they could be read again. */
static VkResult submit_all(struct hvk_call *call, void *queue, uint32_t count,
                           const VkSubmitInfo *submits, const VkSubmitInfo *ids, VkFence fence,
                           uint64_t fence_id)
{
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    hvk_drawn_submit(call->context, queue_of(queue));
    if (count == 0 || (ids != NULL && settle(call, queue, count, ids))) {
        result = submit(call, queue_of(queue), count, submits, fence, fence_id);
    }
    if (result == VK_SUCCESS) {
        marks(call->context, count, ids);
    }
    return result;
}

static VkResult submit2(struct hvk_call *call, struct hvk_queue *queue, uint32_t count,
                        const VkSubmitInfo2 *submits, VkFence fence, uint64_t fence_id)
{
    struct hvk_device *device = queue->object.device;
    for (uint32_t i = 0; i < count; i++) {
        if (!prepare2(call, (VkSubmitInfo2 *)(uintptr_t)&submits[i])) {
            return VK_ERROR_VALIDATION_FAILED;
        }
    }
    if (device->driver.QueueSubmit2 == NULL) {
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    if (!submit_begin(call, queue)) {
        return VK_ERROR_DEVICE_LOST;
    }
    if (count != 0) {
        hvk_time_begin(queue, call->hr->opcode);
    }
    VkResult result = device->driver.QueueSubmit2(HVK_HANDLE(VkQueue, queue->object.native), count,
                                                  submits, fence);
    hvk_time_end(queue);
    submit_end(queue, fence_id);
    return result;
}

/* The submits of a packet; ids: the same with the guest's ids, where they could be read again. */
static VkResult submit_all2(struct hvk_call *call, void *queue, uint32_t count,
                            const VkSubmitInfo2 *submits, const VkSubmitInfo2 *ids, VkFence fence,
                            uint64_t fence_id)
{
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    hvk_drawn_submit(call->context, queue_of(queue));
    if (count == 0 || (ids != NULL && settle2(call, queue, count, ids))) {
        result = submit2(call, queue_of(queue), count, submits, fence, fence_id);
    }
    if (result == VK_SUCCESS) {
        marks2(call->context, count, ids);
    }
    return result;
}

VkResult hvk_vkQueueSubmit(struct hvk_call *call, struct vk_args_vkQueueSubmit *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmit ids = {0};
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmit(&again, &ids);
    VkResult result = submit_all(call, a->record, a->submitCount, a->pSubmits,
                                 known ? ids.pSubmits : NULL, a->fence, a->fence_id);
    return hvk_device_result(hvk_device_of(a->record), result);
}

void hvk_vkQueueSubmitAsyncGOOGLE(struct hvk_call *call, struct vk_args_vkQueueSubmitAsyncGOOGLE *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmitAsyncGOOGLE ids = {0};
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmitAsyncGOOGLE(&again, &ids);
    VkResult result = submit_all(call, a->record, a->submitCount, a->pSubmits,
                                 known ? ids.pSubmits : NULL, a->fence, a->fence_id);
    if (result != VK_SUCCESS) {
        hvk_device_fail(hvk_device_of(a->record), result, "vkQueueSubmit");
    }
}

VkResult hvk_vkQueueSubmit2(struct hvk_call *call, struct vk_args_vkQueueSubmit2 *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmit2 ids = {0};
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmit2(&again, &ids);
    VkResult result = submit_all2(call, a->record, a->submitCount, a->pSubmits,
                                  known ? ids.pSubmits : NULL, a->fence, a->fence_id);
    return hvk_device_result(hvk_device_of(a->record), result);
}

void hvk_vkQueueSubmitAsync2GOOGLE(struct hvk_call *call,
                                   struct vk_args_vkQueueSubmitAsync2GOOGLE *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmitAsync2GOOGLE ids = {0};
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmitAsync2GOOGLE(&again, &ids);
    VkResult result = submit_all2(call, a->record, a->submitCount, a->pSubmits,
                                  known ? ids.pSubmits : NULL, a->fence, a->fence_id);
    if (result != VK_SUCCESS) {
        hvk_device_fail(hvk_device_of(a->record), result, "vkQueueSubmit2");
    }
}

/* --- sparse memory --- */

static bool binds_fit(const struct hvk_device *device, uint32_t count,
                      const VkSparseMemoryBind *ids)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = ids[i].memory == VK_NULL_HANDLE ||
             hvk_memory_holds(device, HVK_U64(ids[i].memory), ids[i].memoryOffset, ids[i].size,
                              NULL);
    }
    return ok;
}

static bool image_binds_fit(const struct hvk_device *device, uint32_t count,
                            const VkSparseImageMemoryBind *ids)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++) {
        /* How much a block needs, the driver knows; it must begin inside. */
        ok = ids[i].memory == VK_NULL_HANDLE ||
             hvk_memory_holds(device, HVK_U64(ids[i].memory), ids[i].memoryOffset, 1, NULL);
    }
    return ok;
}

static bool sparse_fits(const struct hvk_device *device, uint32_t count,
                        const VkBindSparseInfo *ids)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++) {
        for (uint32_t j = 0; ok && j < ids[i].bufferBindCount; j++) {
            ok = ids[i].pBufferBinds[j].buffer != VK_NULL_HANDLE &&
                 binds_fit(device, ids[i].pBufferBinds[j].bindCount, ids[i].pBufferBinds[j].pBinds);
        }
        for (uint32_t j = 0; ok && j < ids[i].imageOpaqueBindCount; j++) {
            ok = ids[i].pImageOpaqueBinds[j].image != VK_NULL_HANDLE &&
                 binds_fit(device, ids[i].pImageOpaqueBinds[j].bindCount,
                           ids[i].pImageOpaqueBinds[j].pBinds);
        }
        for (uint32_t j = 0; ok && j < ids[i].imageBindCount; j++) {
            ok = ids[i].pImageBinds[j].image != VK_NULL_HANDLE &&
                 image_binds_fit(device, ids[i].pImageBinds[j].bindCount,
                                 ids[i].pImageBinds[j].pBinds);
        }
        ok = ok && !has_null(ids[i].pWaitSemaphores, ids[i].waitSemaphoreCount) &&
             !has_null(ids[i].pSignalSemaphores, ids[i].signalSemaphoreCount);
    }
    return ok;
}

static VkResult bind_sparse(struct hvk_call *call, struct hvk_queue *queue, uint32_t count,
                            const VkBindSparseInfo *binds, const VkBindSparseInfo *ids,
                            VkFence fence, uint64_t fence_id)
{
    struct hvk_device *device = queue->object.device;
    if ((queue->flags & VK_QUEUE_SPARSE_BINDING_BIT) == 0 ||
        device->driver.QueueBindSparse == NULL) {
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    if (!sparse_fits(device, count, ids)) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    for (uint32_t i = 0; i < count; i++) {
        VkBindSparseInfo *info = (VkBindSparseInfo *)(uintptr_t)&binds[i];
        (void)hvk_chain_take(&info->pNext, VK_STRUCTURE_TYPE_DEVICE_GROUP_BIND_SPARSE_INFO);
        VkTimelineSemaphoreSubmitInfo *values =
            (VkTimelineSemaphoreSubmitInfo *)(uintptr_t)hvk_chain_find(
                info->pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
        if (values != NULL) {
            values->pWaitSemaphoreValues =
                enough(&call->in, values->pWaitSemaphoreValues, &values->waitSemaphoreValueCount,
                       info->waitSemaphoreCount);
            values->pSignalSemaphoreValues =
                enough(&call->in, values->pSignalSemaphoreValues,
                       &values->signalSemaphoreValueCount, info->signalSemaphoreCount);
        }
    }
    if (call->in.failed) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    call->context->is_sparse = call->context->is_sparse || count != 0;
    pthread_mutex_lock(queue->lock);
    queue->entered++;
    VkResult result = device->driver.QueueBindSparse(HVK_HANDLE(VkQueue, queue->object.native),
                                                     count, binds, fence);
    pthread_mutex_unlock(queue->lock);
    hvk_submitted(queue, fence_id);
    for (uint32_t i = 0; result == VK_SUCCESS && i < count; i++) {
        mark_all(call->context, ids[i].pWaitSemaphores, ids[i].waitSemaphoreCount, false);
        mark_all(call->context, ids[i].pSignalSemaphores, ids[i].signalSemaphoreCount, true);
    }
    return result;
}

VkResult hvk_vkQueueBindSparse(struct hvk_call *call, struct vk_args_vkQueueBindSparse *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueBindSparse ids;
    VkResult result = vk_unpack_vkQueueBindSparse(&again, &ids)
                          ? bind_sparse(call, queue_of(a->record), a->bindInfoCount, a->pBindInfo,
                                        ids.pBindInfo, a->fence, a->fence_id)
                          : VK_ERROR_OUT_OF_HOST_MEMORY;
    return hvk_device_result(hvk_device_of(a->record), result);
}

void hvk_vkQueueBindSparseAsyncGOOGLE(struct hvk_call *call,
                                      struct vk_args_vkQueueBindSparseAsyncGOOGLE *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueBindSparseAsyncGOOGLE ids;
    VkResult result = vk_unpack_vkQueueBindSparseAsyncGOOGLE(&again, &ids)
                          ? bind_sparse(call, queue_of(a->record), a->bindInfoCount, a->pBindInfo,
                                        ids.pBindInfo, a->fence, a->fence_id)
                          : VK_ERROR_OUT_OF_HOST_MEMORY;
    if (result != VK_SUCCESS) {
        hvk_device_fail(hvk_device_of(a->record), result, "vkQueueBindSparse");
    }
}

/* --- idleness --- */

static VkResult idle(struct hvk_call *call, struct hvk_device *device, struct hvk_queue *queues,
                     uint32_t count)
{
    VkResult result = hvk_device_result(device, VK_SUCCESS);
    uint64_t given = device->submits;
    (void)hvk_ref(&device->object);
    hvk_pass(call);
    for (uint32_t i = 0; result == VK_SUCCESS && i < count; i++) {
        result = hvk_queue_idle(&queues[i], call, UINT64_MAX);
        if (result == VK_SUCCESS) {
            hvk_queue_done(&queues[i], given);
        }
    }
    result = hvk_device_result(device, result);
    hvk_unref(&device->object);
    return result;
}

VkResult hvk_vkQueueWaitIdle(struct hvk_call *call, struct vk_args_vkQueueWaitIdle *a)
{
    return idle(call, hvk_device_of(a->record), queue_of(a->record), 1);
}

VkResult hvk_vkDeviceWaitIdle(struct hvk_call *call, struct vk_args_vkDeviceWaitIdle *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    return idle(call, device, device->queues, device->queue_count);
}

/* Nobody could tell whether it waited. */
void hvk_vkQueueWaitIdleAsyncGOOGLE(struct hvk_call *call,
                                    struct vk_args_vkQueueWaitIdleAsyncGOOGLE *a)
{
    (void)call, (void)a;
}

void hvk_vkQueueHostSyncGOOGLE(struct hvk_call *call, struct vk_args_vkQueueHostSyncGOOGLE *a)
{
    (void)call, (void)a; /* streams without turns order themselves by it: ours have turns */
}
