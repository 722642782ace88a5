/* Fences and semaphores. The host's are generated calls; what is here deals with descriptors. */
#include "guest/vulkan/gvk_sync.h"

#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"

#define SLICE_NS ((uint64_t)SL_NS_PER_MS) /* between looks at what only one side can see */

static struct gvk_fence *fence_of(VkFence handle)
{
    return GVK_FROM(gvk_fence, handle);
}

static void imported_drop(struct gvk_imported *imported)
{
    if (imported->set) {
        sl_fd_close(&imported->fd);
        imported->set = false;
    }
}

/* VK_SUCCESS, VK_NOT_READY after timeout_ns, VK_ERROR_DEVICE_LOST. */
static VkResult imported_wait(const struct gvk_imported *imported, uint64_t timeout_ns)
{
    if (imported->fd < 0) {
        return VK_SUCCESS;
    }
    int64_t timeout = timeout_ns > INT64_MAX ? INT64_MAX : (int64_t)timeout_ns;
    switch (sl_fd_wait(imported->fd, timeout)) {
    case SL_OK:
    case SL_ERR_CLOSED: /* who was to signal it is gone: it never waits again */
        return VK_SUCCESS;
    case SL_ERR_TIMEOUT:
        return VK_NOT_READY;
    default:
        return VK_ERROR_DEVICE_LOST;
    }
}

static void imported_take(struct gvk_imported *imported, int fd)
{
    imported_drop(imported);
    *imported = (struct gvk_imported){.set = true, .fd = fd};
}

/* ---- Fences ----
 *
 * A fence that is signalled stays so until the application resets it, which no other call on it may
 * run beside; and one that is reset stays so until a submit has it. */

static enum gvk_fence_state state_of(VkFence fence)
{
    /* Pairs with the release below: what the signal made visible to the thread that was told is
     * visible here. */
    return (enum gvk_fence_state)sl_atomic_load_acquire(&fence_of(fence)->state);
}

static void state_set(VkFence fence, enum gvk_fence_state state)
{
    gvk_status_forget(&fence_of(fence)->watch);
    sl_atomic_store_release(&fence_of(fence)->state, state);
}

VkResult gvk_vkCreateFence(VkDevice device, const VkFenceCreateInfo *pCreateInfo,
                           const VkAllocationCallbacks *pAllocator, VkFence *pFence)
{
    VkResult result = gvk_entry_vkCreateFence(device, pCreateInfo, pAllocator, pFence);
    if (result == VK_SUCCESS) {
        state_set(*pFence, (pCreateInfo->flags & VK_FENCE_CREATE_SIGNALED_BIT) != 0
                               ? GVK_FENCE_SIGNALLED
                               : GVK_FENCE_RESET);
    }
    return result;
}

void gvk_vkDestroyFence(VkDevice device, VkFence fence, const VkAllocationCallbacks *pAllocator)
{
    if (fence != VK_NULL_HANDLE) {
        imported_drop(&fence_of(fence)->imported);
        gvk_status_drop(gvk_device_of(device), &fence_of(fence)->watch);
        gvk_entry_vkDestroyFence(device, fence, pAllocator);
    }
}

VkResult gvk_vkResetFences(VkDevice device, uint32_t fenceCount, const VkFence *pFences)
{
    for (uint32_t i = 0; i < fenceCount; i++) {
        imported_drop(&fence_of(pFences[i])->imported);
        state_set(pFences[i], GVK_FENCE_RESET);
    }
    return gvk_entry_vkResetFences(device, fenceCount, pFences);
}

/* Known to be signalled, without asking. */
static bool is_known(struct gvk_device *device, VkFence fence)
{
    enum gvk_fence_state state = state_of(fence);
    if (state == GVK_FENCE_SUBMITTED && gvk_status_told(device, &fence_of(fence)->watch)) {
        state_set(fence, GVK_FENCE_SIGNALLED);
        gvk_status_heard(device->dispatch.host);
        return true;
    }
    return state == GVK_FENCE_SIGNALLED;
}

/* The host is asked; from then on it tells. */
static VkResult fence_ask(struct gvk_device *device, VkFence fence)
{
    struct gvk_watch *watch = &fence_of(fence)->watch;
    uint64_t heard = gvk_status_ask(device->dispatch.host);
    VkDevice of = GVK_TO(VkDevice, device);
    VkResult result = gvk_entry_vkGetFenceStatus(of, fence);
    if (result == VK_SUCCESS) {
        state_set(fence, GVK_FENCE_SIGNALLED);
    } else if (result == VK_NOT_READY) {
        uint32_t slot, value = gvk_status_asked(device, watch, heard, &slot);
        if (value != 0) {
            gvk_call_vkWatchFenceSLUICE(device->dispatch.host, of, fence, slot, value);
            gvk_status_sent(watch, value);
        }
    }
    return result;
}

VkResult gvk_vkGetFenceStatus(VkDevice handle, VkFence fence)
{
    struct gvk_device *device = gvk_device_of(handle);
    const struct gvk_imported *imported = &fence_of(fence)->imported;
    if (imported->set) {
        return imported_wait(imported, 0);
    }
    if (is_known(device, fence)) {
        return VK_SUCCESS;
    }
    if (state_of(fence) == GVK_FENCE_RESET) { /* the answer is known, but is the host there? */
        return gvk_status_believe(device->dispatch.host, &fence_of(fence)->watch)
                   ? VK_NOT_READY
                   : fence_ask(device, fence);
    }
    switch (gvk_status_look(device, &fence_of(fence)->watch)) {
    case GVK_STATUS_CAME:
        state_set(fence, GVK_FENCE_SIGNALLED);
        gvk_status_heard(device->dispatch.host);
        return VK_SUCCESS;
    case GVK_STATUS_NOT_YET:
        return VK_NOT_READY;
    case GVK_STATUS_ASK:
        break;
    }
    return fence_ask(device, fence);
}

/* Fences of both sides: the imported ones are polled, the host waits for one of its own in slices.
 */
static VkResult fences_wait_mixed(VkDevice device, uint32_t count, const VkFence *fences, bool all,
                                  uint64_t timeout)
{
    uint64_t start = sl_clock_ns();
    VkResult result = VK_TIMEOUT;
    do {
        uint32_t signalled = 0;
        VkFence waiting = VK_NULL_HANDLE; /* the last of the host's that is not signalled */
        for (uint32_t i = 0; i < count; i++) {
            result = gvk_vkGetFenceStatus(device, fences[i]);
            if (result < 0) {
                return result;
            }
            if (result == VK_SUCCESS) {
                signalled++;
            } else if (!fence_of(fences[i])->imported.set) {
                waiting = fences[i];
            }
        }
        if (signalled == count || (signalled != 0 && !all)) {
            return VK_SUCCESS;
        }
        uint64_t gone = sl_clock_ns() - start;
        if (gone >= timeout) {
            return VK_TIMEOUT;
        }
        uint64_t slice = timeout - gone < SLICE_NS ? timeout - gone : SLICE_NS;
        if (waiting != VK_NULL_HANDLE) {
            result = gvk_entry_vkWaitForFences(device, 1, &waiting, VK_TRUE, slice);
        } else {
            sl_clock_sleep_ns(slice);
            result = gvk_host_look(gvk_host_of(device)) ? VK_SUCCESS : VK_ERROR_DEVICE_LOST;
        }
    } while (result >= 0);
    return result;
}

VkResult gvk_vkWaitForFences(VkDevice device, uint32_t fenceCount, const VkFence *pFences,
                             VkBool32 waitAll, uint64_t timeout)
{
    bool all = waitAll != VK_FALSE || fenceCount == 1;
    uint32_t signalled = 0;
    for (uint32_t i = 0; i < fenceCount; i++) {
        if (fence_of(pFences[i])->imported.set) {
            return fences_wait_mixed(device, fenceCount, pFences, all, timeout);
        }
        signalled += is_known(gvk_device_of(device), pFences[i]);
    }
    if (all ? signalled == fenceCount : signalled != 0) {
        return VK_SUCCESS;
    }
    VkResult result = gvk_entry_vkWaitForFences(device, fenceCount, pFences, waitAll, timeout);
    for (uint32_t i = 0; result == VK_SUCCESS && all && i < fenceCount; i++) {
        state_set(pFences[i], GVK_FENCE_SIGNALLED);
    }
    return result;
}

/* ---- Exports ---- */

/* A descriptor that polls readable when the host's fence signals (facts, section 11.1), -1 when it
 * has; the fence is reset as the API says. */
static VkResult fence_export(VkDevice device, VkFence fence, int *fd)
{
    /* Its answer is behind all that was sent before: the host has the submit. */
    VkResult result = gvk_entry_vkGetFenceStatus(device, fence);
    if (result < 0) {
        return result;
    }
    state_set(fence, GVK_FENCE_RESET);
    *fd = -1;
    if (result == VK_NOT_READY) {
        uint64_t ids[] = {GVK_OBJECT(device)->vk.id, fence_of(fence)->object.vk.id};
        uint32_t words[] = {GFXSTREAM_CREATE_EXPORT_SYNC_VK, (uint32_t)ids[0],
                            (uint32_t)(ids[0] >> 32), (uint32_t)ids[1], (uint32_t)(ids[1] >> 32)};
        struct vg_submit_args args = {
            .commands = words, .size = sizeof words, .ring = 0, .in_fence = -1, .out_fence = fd};
        if (vg_submit(gvk_host_of(device)->gs->vg, &args) != SL_OK) {
            return VK_ERROR_TOO_MANY_OBJECTS;
        }
    }
    return gvk_entry_vkResetFences(device, 1, &fence);
}

VkResult gvk_vkGetFenceFdKHR(VkDevice device, const VkFenceGetFdInfoKHR *pGetFdInfo, int *pFd)
{
    struct gvk_imported *imported = &fence_of(pGetFdInfo->fence)->imported;
    if (imported->set) {
        *pFd = imported->fd;
        imported->set = false;
        return VK_SUCCESS;
    }
    return fence_export(device, pGetFdInfo->fence, pFd);
}

VkResult gvk_vkImportFenceFdKHR(VkDevice device, const VkImportFenceFdInfoKHR *pImportFenceFdInfo)
{
    (void)device;
    if (pImportFenceFdInfo->handleType != VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT) {
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    imported_take(&fence_of(pImportFenceFdInfo->fence)->imported, pImportFenceFdInfo->fd);
    return VK_SUCCESS;
}

/* ---- Semaphores ---- */

void gvk_vkDestroySemaphore(VkDevice device, VkSemaphore semaphore,
                            const VkAllocationCallbacks *pAllocator)
{
    struct gvk_semaphore *s = GVK_FROM(gvk_semaphore, semaphore);
    if (s != NULL) {
        imported_drop(&s->imported);
        gvk_status_drop(gvk_device_of(device), &s->watch);
        gvk_vkDestroyFence(device, s->fence, NULL);
        gvk_entry_vkDestroySemaphore(device, semaphore, pAllocator);
    }
}

VkResult gvk_vkImportSemaphoreFdKHR(VkDevice device,
                                    const VkImportSemaphoreFdInfoKHR *pImportSemaphoreFdInfo)
{
    (void)device;
    if (pImportSemaphoreFdInfo->handleType != VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT) {
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    struct gvk_semaphore *s = GVK_FROM(gvk_semaphore, pImportSemaphoreFdInfo->semaphore);
    imported_take(&s->imported, pImportSemaphoreFdInfo->fd);
    return VK_SUCCESS;
}

/* Timelines only rise, so a value that was seen once is reached for good. Release and acquire carry
 * what its signal made visible from the thread that was told to those that look here. */
static void reached_raise(VkSemaphore handle, uint64_t value)
{
    sl_atomic_raise_u64(&GVK_FROM(gvk_semaphore, handle)->reached, value);
}

/* The page says that the timeline has moved on, not where it is: then the host is asked. */
VkResult gvk_vkGetSemaphoreCounterValue(VkDevice handle, VkSemaphore semaphore, uint64_t *pValue)
{
    struct gvk_device *device = gvk_device_of(handle);
    struct gvk_semaphore *s = GVK_FROM(gvk_semaphore, semaphore);
    uint64_t known = sl_atomic_load_acquire_u64(&s->reached);
    enum gvk_status status = gvk_status_look(device, &s->watch);
    if (status == GVK_STATUS_NOT_YET) {
        *pValue = known;
        return VK_SUCCESS;
    }
    if (status == GVK_STATUS_CAME) {
        gvk_status_forget(&s->watch);
    }
    uint64_t heard = gvk_status_ask(device->dispatch.host);
    VkResult result = gvk_entry_vkGetSemaphoreCounterValue(handle, semaphore, pValue);
    if (result != VK_SUCCESS) {
        return result;
    }
    reached_raise(semaphore, *pValue);
    uint32_t slot, value = gvk_status_asked(device, &s->watch, heard, &slot);
    if (value != 0) {
        gvk_call_vkWatchSemaphoreSLUICE(device->dispatch.host, handle, semaphore, *pValue + 1, slot,
                                        value);
        gvk_status_sent(&s->watch, value);
    }
    return result;
}

VkResult gvk_vkWaitSemaphores(VkDevice device, const VkSemaphoreWaitInfo *pWaitInfo,
                              uint64_t timeout)
{
    const VkSemaphoreWaitInfo *info = pWaitInfo;
    bool any = (info->flags & VK_SEMAPHORE_WAIT_ANY_BIT) != 0 && info->semaphoreCount > 1;
    uint32_t there = 0;
    for (uint32_t i = 0; i < info->semaphoreCount; i++) {
        const struct gvk_semaphore *s = GVK_FROM(gvk_semaphore, info->pSemaphores[i]);
        there += sl_atomic_load_acquire_u64(&s->reached) >= info->pValues[i];
    }
    if (any ? there != 0 : there == info->semaphoreCount) {
        return VK_SUCCESS;
    }
    VkResult result = gvk_entry_vkWaitSemaphores(device, info, timeout);
    for (uint32_t i = 0; result == VK_SUCCESS && !any && i < info->semaphoreCount; i++) {
        reached_raise(info->pSemaphores[i], info->pValues[i]);
    }
    return result;
}

/* A submit that waits for the semaphore signals a fence, and that is exported. */
static VkResult semaphore_export(VkDevice device, VkSemaphore semaphore, int *fd)
{
    struct gvk_semaphore *s = GVK_FROM(gvk_semaphore, semaphore);
    struct gvk_queue *queue = gvk_device_of(device)->queues;
    VkResult result = VK_SUCCESS;
    if (queue == NULL) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    if (s->fence == VK_NULL_HANDLE) {
        VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
        result = gvk_entry_vkCreateFence(device, &info, NULL, &s->fence);
    }
    if (result != VK_SUCCESS) {
        return result;
    }
    VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                           .waitSemaphoreCount = 1,
                           .pWaitSemaphores = &semaphore,
                           .pWaitDstStageMask = &stage};
    result = gvk_vkQueueSubmit(GVK_TO(VkQueue, queue), 1, &submit, s->fence);
    return result == VK_SUCCESS ? fence_export(device, s->fence, fd) : result;
}

VkResult gvk_vkGetSemaphoreFdKHR(VkDevice device, const VkSemaphoreGetFdInfoKHR *pGetFdInfo,
                                 int *pFd)
{
    struct gvk_imported *imported = &GVK_FROM(gvk_semaphore, pGetFdInfo->semaphore)->imported;
    if (pGetFdInfo->handleType != VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    if (imported->set) {
        *pFd = imported->fd;
        imported->set = false;
        return VK_SUCCESS;
    }
    return semaphore_export(device, pGetFdInfo->semaphore, pFd);
}

/* ---- Submits that wait for imported payloads ---- */

VkResult gvk_import_signal(VkQueue queue, VkSemaphore semaphore)
{
    struct gvk_imported *imported = &GVK_FROM(gvk_semaphore, semaphore)->imported;
    VkResult result;
    do {
        result = imported_wait(imported, 100 * SL_NS_PER_MS);
        if (result == VK_NOT_READY && !gvk_host_look(gvk_host_of(queue))) {
            result = VK_ERROR_DEVICE_LOST;
        }
    } while (result == VK_NOT_READY);
    imported_drop(imported);
    if (result != VK_SUCCESS) {
        return result;
    }
    VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                           .signalSemaphoreCount = 1,
                           .pSignalSemaphores = &semaphore};
    return gvk_vkQueueSubmit(queue, 1, &submit, VK_NULL_HANDLE);
}

static bool is_over(VkSemaphore semaphore)
{
    const struct gvk_imported *imported = &GVK_FROM(gvk_semaphore, semaphore)->imported;
    return imported->set && imported->fd < 0;
}

/* Takes the payload if its wait is over. */
static bool over_take(VkSemaphore semaphore)
{
    bool over = is_over(semaphore);
    if (over) {
        GVK_FROM(gvk_semaphore, semaphore)->imported.set = false;
    }
    return over;
}

const VkSubmitInfo *gvk_waits_drop(struct gvk_waits *waits, const VkSubmitInfo *info)
{
    bool any = false;
    for (uint32_t i = 0; i < info->waitSemaphoreCount; i++) {
        any = any || is_over(info->pWaitSemaphores[i]);
    }
    if (!any || info->pNext != NULL || info->waitSemaphoreCount > GVK_WAITS_MAX) {
        return info;
    }
    waits->info = *info;
    waits->info.waitSemaphoreCount = 0;
    waits->info.pWaitSemaphores = waits->semaphores;
    waits->info.pWaitDstStageMask = waits->stages;
    for (uint32_t i = 0; i < info->waitSemaphoreCount; i++) {
        if (!over_take(info->pWaitSemaphores[i])) {
            uint32_t kept = waits->info.waitSemaphoreCount++;
            waits->semaphores[kept] = info->pWaitSemaphores[i];
            waits->stages[kept] = info->pWaitDstStageMask[i];
        }
    }
    return &waits->info;
}

const VkSubmitInfo2 *gvk_waits_drop2(struct gvk_waits2 *waits, const VkSubmitInfo2 *info)
{
    bool any = false;
    for (uint32_t i = 0; i < info->waitSemaphoreInfoCount; i++) {
        any = any || is_over(info->pWaitSemaphoreInfos[i].semaphore);
    }
    if (!any || info->waitSemaphoreInfoCount > GVK_WAITS_MAX) {
        return info;
    }
    waits->info = *info;
    waits->info.waitSemaphoreInfoCount = 0;
    waits->info.pWaitSemaphoreInfos = waits->semaphores;
    for (uint32_t i = 0; i < info->waitSemaphoreInfoCount; i++) {
        if (!over_take(info->pWaitSemaphoreInfos[i].semaphore)) {
            waits->semaphores[waits->info.waitSemaphoreInfoCount++] = info->pWaitSemaphoreInfos[i];
        }
    }
    return &waits->info;
}
