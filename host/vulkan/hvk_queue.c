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

#include <stddef.h>

static struct hvk_queue *queue_of(void *record)
{
    return record;
}

/* --- what a submit names --- */

/* Handles, or the guest's ids, at one place of each struct of an array. */
struct handles {
    const void *structs;
    uint32_t count;
    size_t size, place; /* of a struct, in it */
};

struct named {
    struct handles waits, signals, buffers;
};

/* An array of nothing but them. */
#define HANDLES(array, count) ((struct handles){array, count, sizeof *(array), 0})
#define MEMBERS(array, count, type, member)                                                        \
    ((struct handles){array, count, sizeof(type), offsetof(type, member)})

static uint64_t handle_at(const struct handles *handles, uint32_t i)
{
    uint64_t handle; /* a pointer on LP64 */
    memcpy(&handle, (const uint8_t *)handles->structs + i * handles->size + handles->place,
           sizeof handle);
    return handle;
}

static bool has_null(const struct handles *handles)
{
    for (uint32_t i = 0; i < handles->count; i++) {
        if (handle_at(handles, i) == 0) {
            return true;
        }
    }
    return false;
}

/* Which binary semaphores are signalled once all that was submitted is done: a snapshot asks, and
 * no driver tells. */
static void mark(struct hvk_context *context, const struct handles *ids, bool is_signalled)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        struct hvk_object *object = hvk_find(context, VK_KIND_VkSemaphore, handle_at(ids, i), NULL);
        if (object != NULL) {
            SL_CONTAINER(object, struct hvk_semaphore, object)->is_signalled = is_signalled;
        }
    }
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

/* next: the chain of a struct in the packet's memory. */
static void values_fit(struct hvk_call *call, const void *next, uint32_t waits, uint32_t signals)
{
    VkTimelineSemaphoreSubmitInfo *values =
        (VkTimelineSemaphoreSubmitInfo *)(uintptr_t)hvk_chain_find(
            next, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
    if (values != NULL) {
        values->pWaitSemaphoreValues = enough(&call->in, values->pWaitSemaphoreValues,
                                              &values->waitSemaphoreValueCount, waits);
        values->pSignalSemaphoreValues = enough(&call->in, values->pSignalSemaphoreValues,
                                                &values->signalSemaphoreValueCount, signals);
    }
}

/* --- submits, of one form or the other --- */

struct form {
    size_t size; /* of one submit */
    struct named (*named)(const void *info);
    /* Makes one fit for a driver, in the packet's memory. */
    void (*fit)(struct hvk_call *call, void *info);
    bool (*is_there)(const struct hvk_device *device);
    VkResult (*give)(const struct hvk_queue *queue, uint32_t count, const void *infos,
                     VkFence fence);
};

static struct named named_1(const void *submit)
{
    const VkSubmitInfo *info = submit;
    return (struct named){.waits = HANDLES(info->pWaitSemaphores, info->waitSemaphoreCount),
                          .signals = HANDLES(info->pSignalSemaphores, info->signalSemaphoreCount),
                          .buffers = HANDLES(info->pCommandBuffers, info->commandBufferCount)};
}

static void fit_1(struct hvk_call *call, void *submit)
{
    VkSubmitInfo *info = submit;
    (void)hvk_chain_take(&info->pNext, VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO);
    values_fit(call, info->pNext, info->waitSemaphoreCount, info->signalSemaphoreCount);
    if (call->context->provider->null) {
        info->commandBufferCount = 0;
    }
}

static bool is_there_1(const struct hvk_device *device)
{
    (void)device;
    return true;
}

static VkResult give_1(const struct hvk_queue *queue, uint32_t count, const void *infos,
                       VkFence fence)
{
    return queue->object.device->driver.QueueSubmit(HVK_HANDLE(VkQueue, queue->object.native),
                                                    count, infos, fence);
}

static const struct form form_1 = {sizeof(VkSubmitInfo), named_1, fit_1, is_there_1, give_1};

static struct named named_2(const void *submit)
{
    const VkSubmitInfo2 *info = submit;
    return (struct named){
        .waits = MEMBERS(info->pWaitSemaphoreInfos, info->waitSemaphoreInfoCount,
                         VkSemaphoreSubmitInfo, semaphore),
        .signals = MEMBERS(info->pSignalSemaphoreInfos, info->signalSemaphoreInfoCount,
                           VkSemaphoreSubmitInfo, semaphore),
        .buffers = MEMBERS(info->pCommandBufferInfos, info->commandBufferInfoCount,
                           VkCommandBufferSubmitInfo, commandBuffer)};
}

static void fit_2(struct hvk_call *call, void *submit)
{
    VkSubmitInfo2 *info = submit;
    if (call->context->provider->null) {
        info->commandBufferInfoCount = 0;
    }
}

static bool is_there_2(const struct hvk_device *device)
{
    return device->driver.QueueSubmit2 != NULL;
}

static VkResult give_2(const struct hvk_queue *queue, uint32_t count, const void *infos,
                       VkFence fence)
{
    return queue->object.device->driver.QueueSubmit2(HVK_HANDLE(VkQueue, queue->object.native),
                                                     count, infos, fence);
}

static const struct form form_2 = {sizeof(VkSubmitInfo2), named_2, fit_2, is_there_2, give_2};

/* The submits of a packet. */
struct submits {
    const struct form *form;
    uint32_t count;
    const void *infos; /* in the packet's memory */
    const void *ids;   /* the same with the guest's ids; NULL: they could not be read again */
    VkFence fence;
    uint64_t fence_id;
};

static struct named named_at(const struct submits *s, const void *infos, uint32_t i)
{
    return s->form->named((const uint8_t *)infos + i * s->form->size);
}

/* Command buffers that another ring still records into are waited for, and all of them fit to be
 * submitted. */
static bool settle(const struct hvk_call *call, struct hvk_queue *queue, const struct submits *s)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < s->count; i++) {
        struct named ids = named_at(s, s->ids, i);
        for (uint32_t j = 0; ok && j < ids.buffers.count; j++) {
            ok = hvk_command_buffer_ready(call, queue, handle_at(&ids.buffers, j));
        }
    }
    return ok;
}

/* Nothing but a fence that signals when all before it is done. */
static bool is_empty(const struct submits *s)
{
    bool empty = s->fence_id != 0;
    for (uint32_t i = 0; empty && i < s->count; i++) {
        const void *info = (const uint8_t *)s->infos + i * s->form->size;
        struct named natives = s->form->named(info);
        empty = ((const VkBaseInStructure *)info)->pNext == NULL && natives.waits.count == 0 &&
                natives.signals.count == 0 && natives.buffers.count == 0;
    }
    return empty;
}

static bool prepare(struct hvk_call *call, const struct submits *s)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < s->count; i++) {
        struct named natives = named_at(s, s->infos, i);
        ok =
            !has_null(&natives.waits) && !has_null(&natives.signals) && !has_null(&natives.buffers);
        if (ok) {
            s->form->fit(call, (uint8_t *)(uintptr_t)s->infos + i * s->form->size);
        }
    }
    return ok && !call->in.failed;
}

/* An empty one on a queue that is known to have nothing left to do is done before it begins: its
 * fence signals, and no driver's thread is woken to say so. */
static bool is_over(struct hvk_context *context, struct hvk_queue *queue, const struct submits *s)
{
    if (context->provider->times != NULL || !hvk_queue_is_done(queue) ||
        !hvk_fence_signal(context, s->fence_id)) {
        return false;
    }
    if (queue->object.device->grave_count != 0) {
        hvk_graves_look(queue->object.device);
    }
    return true;
}

static VkResult submit(struct hvk_call *call, struct hvk_queue *queue, const struct submits *s)
{
    struct hvk_device *device = queue->object.device;
    bool empty = is_empty(s);
    if (!prepare(call, s)) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    if (!s->form->is_there(device)) {
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    if (sl_atomic_load_relaxed(&device->error) != 0) {
        return VK_ERROR_DEVICE_LOST;
    }
    hvk_layouts_trim(call->context, device);
    hr_ring_memory(call->hr->ring);
    if (empty && is_over(call->context, queue, s)) {
        return VK_SUCCESS;
    }
    pthread_mutex_lock(queue->lock);
    queue->entered++;
    if (s->count != 0) {
        hvk_time_begin(queue, call->hr->opcode);
    }
    VkResult result = s->form->give(queue, s->count, s->infos, s->fence);
    hvk_time_end(queue);
    pthread_mutex_unlock(queue->lock);
    hvk_submitted(queue, s->fence_id);
    return result;
}

static VkResult submit_all(struct hvk_call *call, void *record, const struct submits *s)
{
    struct hvk_queue *queue = queue_of(record);
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    hvk_drawn_submit(call->context, queue);
    if (s->count == 0 || (s->ids != NULL && settle(call, queue, s))) {
        result = submit(call, queue, s);
    }
    for (uint32_t i = 0; result == VK_SUCCESS && i < s->count; i++) {
        struct named ids = named_at(s, s->ids, i);
        mark(call->context, &ids.waits, false);
        mark(call->context, &ids.signals, true);
    }
    return result;
}

/* a, again: a packet's arguments, and the same with ids. */
#define SUBMITS(which, a, again, known)                                                            \
    {                                                                                              \
        .form = (which), .count = (a)->submitCount, .infos = (a)->pSubmits,                        \
        .ids = (known) ? (again).pSubmits : NULL, .fence = (a)->fence, .fence_id = (a)->fence_id   \
    }

VkResult hvk_vkQueueSubmit(struct hvk_call *call, struct vk_args_vkQueueSubmit *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmit ids;
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmit(&again, &ids);
    const struct submits submits = SUBMITS(&form_1, a, ids, known);
    return hvk_device_result(hvk_device_of(a->record), submit_all(call, a->record, &submits));
}

void hvk_vkQueueSubmitAsyncGOOGLE(struct hvk_call *call, struct vk_args_vkQueueSubmitAsyncGOOGLE *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmitAsyncGOOGLE ids;
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmitAsyncGOOGLE(&again, &ids);
    const struct submits submits = SUBMITS(&form_1, a, ids, known);
    VkResult result = submit_all(call, a->record, &submits);
    if (result != VK_SUCCESS) {
        hvk_device_fail(hvk_device_of(a->record), result, "vkQueueSubmit");
    }
}

VkResult hvk_vkQueueSubmit2(struct hvk_call *call, struct vk_args_vkQueueSubmit2 *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmit2 ids;
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmit2(&again, &ids);
    const struct submits submits = SUBMITS(&form_2, a, ids, known);
    return hvk_device_result(hvk_device_of(a->record), submit_all(call, a->record, &submits));
}

void hvk_vkQueueSubmitAsync2GOOGLE(struct hvk_call *call,
                                   struct vk_args_vkQueueSubmitAsync2GOOGLE *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueSubmitAsync2GOOGLE ids;
    bool known = a->submitCount != 0 && vk_unpack_vkQueueSubmitAsync2GOOGLE(&again, &ids);
    const struct submits submits = SUBMITS(&form_2, a, ids, known);
    VkResult result = submit_all(call, a->record, &submits);
    if (result != VK_SUCCESS) {
        hvk_device_fail(hvk_device_of(a->record), result, "vkQueueSubmit2");
    }
}

/* --- sparse memory --- */

static struct named named_by_bind(const VkBindSparseInfo *info)
{
    return (struct named){.waits = HANDLES(info->pWaitSemaphores, info->waitSemaphoreCount),
                          .signals = HANDLES(info->pSignalSemaphores, info->signalSemaphoreCount)};
}

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
        struct named named = named_by_bind(&ids[i]);
        ok = ok && !has_null(&named.waits) && !has_null(&named.signals);
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
        values_fit(call, info->pNext, info->waitSemaphoreCount, info->signalSemaphoreCount);
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
        struct named named = named_by_bind(&ids[i]);
        mark(call->context, &named.waits, false);
        mark(call->context, &named.signals, true);
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
