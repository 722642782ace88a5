/* Fences and semaphores.
 *
 * Waits are early commands: they hold references past their turn and look in slices whether their
 * ring shall stop. Exporting happens in the guest (hvk_waiter.c is its other half), so the native
 * driver is never asked to. */
#include "host/vulkan/hvk_family.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <sched.h>

/* How long fences are polled before the thread sleeps: about what it takes to wake two threads one
 * after the other, the driver's and ours, where each has a processor that idles: a wait that was
 * slept through takes that long by itself, and shall not be a reason to sleep through the next.
 * After the first part of it whoever else wants the processor gets it at each poll. */
#define SPIN_NS  (60ull * 1000)
#define YIELD_NS (8ull * 1000)
/* Waits that take up to so long are polled for as well: to sleep and be woken, by a driver's thread
 * on another processor, would make them a fifth longer. */
#define SPIN_MOST_NS (300ull * 1000)
#define REST_PAUSES  16
#define REST_YIELDS  4u
/* Before the thread waits for packets; to sleep for the fence costs two timers, 9 us each. */
#define SOON_YIELDS 2
/* How long the end of a fence waits for the queue that has it; longer ones are left behind. */
#define PENDING_NS SL_NS_PER_S

/* --- payloads --- */

/* A native fence of the device's, unsignalled, that nothing of the guest's names. */
static VkResult payload_new(struct hvk_device *device, VkFenceCreateFlags flags,
                            struct hvk_payload **out)
{
    struct hvk_payload *payload = sl_alloc(sizeof *payload);
    if (payload == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .flags = flags};
    *payload = (struct hvk_payload){
        .refs = 1, .device = device, .is_submitted = (flags & VK_FENCE_CREATE_SIGNALED_BIT) != 0};
    VkResult result = device->driver.CreateFence(hvk_native(device), &info, NULL, &payload->native);
    if (result != VK_SUCCESS) {
        sl_free(payload);
        return result;
    }
    (void)hvk_ref(&device->object);
    *out = payload;
    return VK_SUCCESS;
}

struct hvk_payload *hvk_payload_ref(struct hvk_payload *payload)
{
    (void)sl_atomic_add(&payload->refs, 1);
    return payload;
}

void hvk_payload_unref(struct hvk_payload *payload)
{
    /* Sequentially consistent: every use before another's unref happens before the end here. */
    if (payload == NULL || sl_atomic_add(&payload->refs, UINT32_MAX) != 1) {
        return;
    }
    struct hvk_device *device = payload->device;
    /* Drivers die of a fence that goes while a queue still has it. No correct guest waits here. */
    bool pending = sl_atomic_load_relaxed(&payload->is_submitted) != 0 && !device->abandoned &&
                   device->driver.WaitForFences(hvk_native(device), 1, &payload->native, VK_TRUE,
                                                PENDING_NS) == VK_TIMEOUT;
    if (!device->abandoned && !pending) {
        device->driver.DestroyFence(hvk_native(device), payload->native, NULL);
    }
    sl_free(payload);
    hvk_unref(&device->object);
}

/* --- fences --- */

static struct hvk_fence *fence_of(struct hvk_object *object)
{
    return (struct hvk_fence *)(void *)object;
}

static void fence_release(struct hvk_object *object)
{
    struct hvk_fence *fence = fence_of(object);
    hvk_payload_unref(fence->payload);
    sl_free(fence);
}

VkResult hvk_vkCreateFence(struct hvk_call *call, struct vk_args_vkCreateFence *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t id = HVK_U64(*a->pFence);
    *a->pFence = VK_NULL_HANDLE;
    struct hvk_fence *fence = sl_alloc(sizeof *fence);
    if (fence == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    /* The chain says what the guest may export: that is between it and its kernel. */
    VkResult result =
        payload_new(device, a->pCreateInfo->flags & VK_FENCE_CREATE_SIGNALED_BIT, &fence->payload);
    if (result != VK_SUCCESS) {
        sl_free(fence);
        return hvk_device_result(device, result);
    }
    fence->begins_signalled = (a->pCreateInfo->flags & VK_FENCE_CREATE_SIGNALED_BIT) != 0;
    hvk_object_init(&fence->object, VK_KIND_VkFence, HVK_U64(fence->payload->native),
                    device->object.instance, device, fence_release);
    enum sl_result added = hvk_add_object(call, &fence->object, &id);
    hvk_unref(&fence->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *a->pFence = HVK_HANDLE(VkFence, id);
    return hvk_device_result(device, VK_SUCCESS);
}

/* It has a new payload. The old one is someone else's then and stays as it is, unless the fence is
 * to have been `alone` with it: NOT_READY where somebody else looks at it. */
static VkResult replace(struct hvk_context *context, struct hvk_fence *fence,
                        VkFenceCreateFlags flags, bool alone)
{
    struct hvk_payload *fresh = NULL;
    VkResult result = payload_new(fence->object.device, flags, &fresh);
    if (result != VK_SUCCESS) {
        return result;
    }
    pthread_mutex_lock(&context->lock);
    struct hvk_payload *old = fence->payload;
    bool ok = !alone || sl_atomic_load_acquire(&old->refs) == 1; /* see reset */
    result = ok ? VK_SUCCESS : VK_NOT_READY;
    if (ok) {
        fence->payload = fresh;
        fence->object.native = HVK_U64(fresh->native);
        ok = sl_ids_set_native(&context->ids, VK_KIND_VkFence, fence->object.id,
                               fence->object.native);
        result = ok ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    pthread_mutex_unlock(&context->lock);
    hvk_payload_unref(result == VK_NOT_READY ? fresh : old);
    return result;
}

/* What it tells is noted: afterwards it does not. False: a queue has it. */
static bool is_back(const struct hvk_device *device, const struct hvk_payload *payload)
{
    if (payload->is_submitted == 0) {
        return true;
    }
    VkResult status = device->driver.GetFenceStatus(hvk_native(device), payload->native);
    if (status == VK_SUCCESS && payload->queue != NULL) {
        hvk_queue_done(payload->queue, payload->serial);
    }
    return status != VK_NOT_READY;
}

static VkResult reset(struct hvk_call *call, struct hvk_device *device, uint64_t id)
{
    struct hvk_fence *fence = fence_of(hvk_find(call->context, VK_KIND_VkFence, id, NULL));
    if (fence == NULL) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    /* Exports take their reference with the lock held, waits under the turn: one more means that
     * somebody looks. */
    pthread_mutex_lock(&call->context->lock);
    bool is_shared = sl_atomic_load_acquire(&fence->payload->refs) != 1;
    pthread_mutex_unlock(&call->context->lock);
    struct hvk_payload *payload = fence->payload;
    bool back = is_back(device, payload);
    if (is_shared) {
        return replace(call->context, fence, 0, false);
    }
    if (!back) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    VkResult result = device->driver.ResetFences(hvk_native(device), 1, &payload->native);
    if (result == VK_SUCCESS) {
        sl_atomic_store_relaxed(&payload->is_submitted, 0); /* nobody else looks */
    }
    return result;
}

bool hvk_fence_submitted(struct hvk_queue *queue, uint64_t id)
{
    struct hvk_context *context = queue->object.device->context;
    struct hvk_fence *fence =
        id != 0 ? fence_of(hvk_find(context, VK_KIND_VkFence, id, NULL)) : NULL;
    if (fence == NULL || fence->payload->is_submitted != 0) {
        return false;
    }
    fence->payload->queue = queue;
    fence->payload->serial = queue->last;
    /* Pairs with the waiter's load: the submit is done with the native fence. */
    sl_atomic_store_release(&fence->payload->is_submitted, 1);
    if (sl_atomic_load_relaxed(&fence->payload->refs) != 1) {
        hvk_waiter_wake(context);
    }
    return true;
}

bool hvk_fence_signal(struct hvk_context *context, uint64_t id)
{
    struct hvk_object *object = hvk_find(context, VK_KIND_VkFence, id, NULL);
    return object != NULL && fence_of(object)->payload->is_submitted == 0 &&
           replace(context, fence_of(object), VK_FENCE_CREATE_SIGNALED_BIT, true) == VK_SUCCESS;
}

bool hvk_fence_is_done(const struct hvk_queue *queue, uint64_t id, uint64_t serial)
{
    const struct hvk_device *device = queue->object.device;
    const struct hvk_fence *fence = fence_of(hvk_find(device->context, VK_KIND_VkFence, id, NULL));
    const struct hvk_payload *payload = fence != NULL ? fence->payload : NULL;
    if (payload == NULL || payload->queue != queue || payload->serial < serial ||
        payload->is_submitted == 0) {
        return false;
    }
    return device->driver.GetFenceStatus(hvk_native(device), payload->native) == VK_SUCCESS;
}

VkResult hvk_vkResetFences(struct hvk_call *call, struct vk_args_vkResetFences *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkResetFences ids;
    hvk_note_drop(call->ring); /* nobody else looks at the fence */
    VkResult result =
        vk_unpack_vkResetFences(&again, &ids) ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
    for (uint32_t i = 0; result == VK_SUCCESS && i < a->fenceCount; i++) {
        result = reset(call, device, HVK_U64(ids.pFences[i]));
    }
    return hvk_device_result(device, result);
}

/* A wait that is longer than a slice may be for what other rings do: it counts as rest, and who
 * saves the context begins it anew. */
static void linger_begin(const struct hvk_call *call)
{
    if (call != NULL && call->ring->waiting == NULL) {
        call->ring->waiting = call->packet;
        call->ring->waiting_size = (size_t)(call->hr->in.end - call->packet);
        hr_ring_linger_begin(call->hr->ring);
    }
}

static void linger_end(const struct hvk_call *call)
{
    if (call != NULL && call->ring->waiting != NULL) {
        hr_ring_wait_end(call->hr->ring);
        call->ring->waiting = NULL;
    }
}

static bool must_stop(const struct hvk_device *device, const struct hvk_call *call)
{
    return call != NULL ? hvk_stopping(call) : sl_atomic_load_relaxed(&device->context->stop) != 0;
}

/* The guest has waited longer for its work than it may: it gets no answer but that. */
static bool hangs(struct hvk_device *device, uint64_t spent_ns)
{
    uint64_t most = device->context->provider->hang_ns;
    if (most == 0 || spent_ns < most) {
        return false;
    }
    hvk_device_fail(device, VK_ERROR_DEVICE_LOST, "the wait for work that does not end");
    return true;
}

/* How long a wait is polled for. */
static uint64_t spin_of(const struct hvk_device *device, bool near)
{
    uint64_t last = sl_atomic_load_relaxed_u64(&device->last_wait_ns);
    if (last < SPIN_NS) {
        return SPIN_NS;
    }
    return !near && last < SPIN_MOST_NS ? last + last / 2 : 0;
}

/* Between two looks at work that takes longer: who shares our core, which may be the driver's
 * thread at it, shall notice little, and who waits for our processor gets it. */
static void rest(uint32_t looks)
{
    for (int i = 0; i < REST_PAUSES; i++) {
        sl_cpu_relax();
    }
    if (looks % REST_YIELDS == 0) {
        sched_yield();
    }
}

/* Work that took less than it takes to wake threads is polled for: for a moment, or as long as the
 * last took and a part more. On what takes longer no processor is spent. Where the guest, which
 * waits as well, has our processor, the driver's thread seldom has another: it gets ours at once.
 */
static VkResult fences_spin(const struct hvk_call *call, struct hvk_device *device, uint32_t count,
                            const VkFence *natives, VkBool32 all, uint64_t timeout_ns,
                            uint64_t start)
{
    bool near = call != NULL && hr_ring_is_near(call->hr->ring);
    uint64_t most = spin_of(device, near), spin = timeout_ns < most ? timeout_ns : most;
    uint64_t alone = near ? 0 : YIELD_NS;
    VkResult result = VK_TIMEOUT;
    uint32_t looks = 0;
    for (uint64_t spent = 0; result == VK_TIMEOUT && spent < spin; spent = sl_clock_ns() - start) {
        result = device->driver.WaitForFences(hvk_native(device), count, natives, all, 0);
        if (result == VK_TIMEOUT && spent < alone) {
            sl_cpu_relax();
        } else if (result == VK_TIMEOUT && most <= SPIN_NS) {
            sched_yield();
        } else if (result == VK_TIMEOUT) {
            rest(++looks);
        }
    }
    return result;
}

static VkResult fences_sleep(const struct hvk_call *call, struct hvk_device *device, uint32_t count,
                             const VkFence *natives, VkBool32 all, uint64_t timeout_ns,
                             uint64_t start)
{
    for (uint64_t spent = 0;; spent = sl_clock_ns() - start) {
        uint64_t left = timeout_ns > spent ? timeout_ns - spent : 0;
        VkResult result = device->driver.WaitForFences(hvk_native(device), count, natives, all,
                                                       left < HVK_SLICE_NS ? left : HVK_SLICE_NS);
        if (result != VK_TIMEOUT || left == 0 || must_stop(device, call)) {
            return result;
        }
        if (sl_atomic_load_relaxed(&device->error) != 0 || hangs(device, spent)) {
            return VK_ERROR_DEVICE_LOST;
        }
        linger_begin(call);
    }
}

/* Wait natively, in slices, until all or any have signalled; TIMEOUT also when the ring stops.
 * natives: alive by references of the caller's. call: nullable. */
static VkResult fences_wait(const struct hvk_call *call, struct hvk_device *device, uint32_t count,
                            const VkFence *natives, VkBool32 all, uint64_t timeout_ns)
{
    uint64_t start = sl_clock_ns();
    VkResult result = fences_spin(call, device, count, natives, all, timeout_ns, start);
    if (result == VK_TIMEOUT) {
        result = fences_sleep(call, device, count, natives, all, timeout_ns, start);
        linger_end(call);
    }
    sl_atomic_store_relaxed_u64(&device->last_wait_ns, sl_clock_ns() - start);
    return result;
}

bool hvk_fence_soon(struct hvk_device *device, VkFence native)
{
    VkResult result = VK_NOT_READY;
    bool is_short = sl_atomic_load_relaxed_u64(&device->last_wait_ns) < SPIN_NS;
    for (int i = 0; is_short && i < SOON_YIELDS && result == VK_NOT_READY; i++) {
        sched_yield();
        result = device->driver.GetFenceStatus(hvk_native(device), native);
    }
    return result == VK_SUCCESS;
}

VkResult hvk_vkWaitForFences(struct hvk_call *call, struct vk_args_vkWaitForFences *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkWaitForFences ids;
    uint32_t count = a->fenceCount, held = 0;
    struct hvk_payload **payloads = vk_unpack_alloc(&call->in, count, sizeof(void *));
    if (payloads == NULL || !vk_unpack_vkWaitForFences(&again, &ids)) {
        return hvk_device_result(device, VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    VkFence *natives = (VkFence *)(uintptr_t)a->pFences; /* the packet's own memory */
    for (; held < count; held++) {
        struct hvk_fence *fence =
            fence_of(hvk_find(call->context, VK_KIND_VkFence, HVK_U64(ids.pFences[held]), NULL));
        if (fence == NULL) {
            break;
        }
        payloads[held] = hvk_payload_ref(fence->payload);
        natives[held] = fence->payload->native;
    }
    VkResult result = hvk_device_result(device, VK_SUCCESS);
    if (held < count || count == 0) {
        result = VK_ERROR_VALIDATION_FAILED;
    } else if (result == VK_SUCCESS) {
        (void)hvk_ref(&device->object);
        hvk_pass(call);
        result = hvk_device_result(
            device, fences_wait(call, device, count, natives, a->waitAll, a->timeout));
        hvk_unref(&device->object);
    }
    while (held != 0) {
        hvk_payload_unref(payloads[--held]);
    }
    return result;
}

/* --- semaphores --- */

static void semaphore_release(struct hvk_object *object)
{
    struct hvk_device *device = object->device;
    device->driver.DestroySemaphore(hvk_native(device), HVK_HANDLE(VkSemaphore, object->native),
                                    NULL);
    sl_free(object);
    hvk_unref(&device->object);
}

VkResult hvk_vkCreateSemaphore(struct hvk_call *call, struct vk_args_vkCreateSemaphore *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    VkSemaphoreCreateInfo info = *a->pCreateInfo;
    uint64_t id = HVK_U64(*a->pSemaphore);
    VkSemaphore native = VK_NULL_HANDLE;
    *a->pSemaphore = VK_NULL_HANDLE;
    struct hvk_semaphore *semaphore = sl_alloc(sizeof *semaphore);
    if (semaphore == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    (void)hvk_chain_take(&info.pNext, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO);
    const VkSemaphoreTypeCreateInfo *type =
        hvk_chain_find(info.pNext, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    semaphore->is_timeline = type != NULL && type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE;
    semaphore->initial = semaphore->is_timeline ? type->initialValue : 0;
    VkResult result = device->driver.CreateSemaphore(hvk_native(device), &info, NULL, &native);
    if (result != VK_SUCCESS) {
        sl_free(semaphore);
        return hvk_device_result(device, result);
    }
    hvk_object_init(&semaphore->object, VK_KIND_VkSemaphore, HVK_U64(native),
                    device->object.instance, device, semaphore_release);
    (void)hvk_ref(&device->object);
    enum sl_result added = hvk_add_object(call, &semaphore->object, &id);
    hvk_unref(&semaphore->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *a->pSemaphore = HVK_HANDLE(VkSemaphore, id);
    return hvk_device_result(device, VK_SUCCESS);
}

static VkResult semaphores_wait(const struct hvk_call *call, struct hvk_device *device,
                                const VkSemaphoreWaitInfo *info, uint64_t timeout_ns)
{
    uint64_t start = sl_clock_ns();
    for (uint64_t spent = 0;; spent = sl_clock_ns() - start) {
        uint64_t left = timeout_ns > spent ? timeout_ns - spent : 0;
        VkResult result = device->driver.WaitSemaphores(hvk_native(device), info,
                                                        left < HVK_SLICE_NS ? left : HVK_SLICE_NS);
        if (result != VK_TIMEOUT || left == 0 || must_stop(device, call)) {
            return result;
        }
        if (sl_atomic_load_relaxed(&device->error) != 0) {
            return VK_ERROR_DEVICE_LOST;
        }
        linger_begin(call);
    }
}

static bool is_timeline(const struct hvk_object *object)
{
    return object != NULL && SL_CONTAINER(object, struct hvk_semaphore, object)->is_timeline;
}

VkResult hvk_vkGetSemaphoreCounterValue(struct hvk_call *call,
                                        struct vk_args_vkGetSemaphoreCounterValue *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    if (device->driver.GetSemaphoreCounterValue != NULL &&
        is_timeline(hvk_find(call->context, VK_KIND_VkSemaphore, a->semaphore_id, NULL))) {
        result =
            device->driver.GetSemaphoreCounterValue(hvk_native(device), a->semaphore, a->pValue);
    }
    return hvk_device_result(device, result);
}

VkResult hvk_vkSignalSemaphore(struct hvk_call *call, struct vk_args_vkSignalSemaphore *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkSignalSemaphore ids;
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    if (device->driver.SignalSemaphore != NULL && vk_unpack_vkSignalSemaphore(&again, &ids) &&
        is_timeline(hvk_find(call->context, VK_KIND_VkSemaphore,
                             HVK_U64(ids.pSignalInfo->semaphore), NULL))) {
        result = device->driver.SignalSemaphore(hvk_native(device), a->pSignalInfo);
    }
    return hvk_device_result(device, result);
}

VkResult hvk_vkWaitSemaphores(struct hvk_call *call, struct vk_args_vkWaitSemaphores *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkWaitSemaphores ids;
    uint32_t count = a->pWaitInfo->semaphoreCount, held = 0;
    struct hvk_object **objects = vk_unpack_alloc(&call->in, count, sizeof(void *));
    if (objects == NULL || !vk_unpack_vkWaitSemaphores(&again, &ids)) {
        return hvk_device_result(device, VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    for (; held < count; held++) {
        objects[held] = hvk_find(call->context, VK_KIND_VkSemaphore,
                                 HVK_U64(ids.pWaitInfo->pSemaphores[held]), NULL);
        if (!is_timeline(objects[held])) {
            break;
        }
        (void)hvk_ref(objects[held]);
    }
    VkResult result = hvk_device_result(device, VK_SUCCESS);
    if (held < count || device->driver.WaitSemaphores == NULL) {
        result = VK_ERROR_VALIDATION_FAILED;
    } else if (result == VK_SUCCESS && count != 0) {
        (void)hvk_ref(&device->object);
        hvk_pass(call);
        result = hvk_device_result(device, semaphores_wait(call, device, a->pWaitInfo, a->timeout));
        linger_end(call);
        hvk_unref(&device->object);
    }
    while (held != 0) {
        hvk_unref(objects[--held]);
    }
    return result;
}

/* A descriptor of the host's process is none of the guest's. */
VkResult hvk_vkGetSemaphoreFdKHR(struct hvk_call *call, struct vk_args_vkGetSemaphoreFdKHR *a)
{
    (void)call;
    *a->pFd = -1;
    return VK_ERROR_FEATURE_NOT_PRESENT;
}

VkResult hvk_vkImportSemaphoreFdKHR(struct hvk_call *call, struct vk_args_vkImportSemaphoreFdKHR *a)
{
    (void)call, (void)a;
    return VK_ERROR_INVALID_EXTERNAL_HANDLE;
}
