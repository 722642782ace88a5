/* Presenting: the application's submit, and the thread that waits for it and shows the picture. */
#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_swapchain.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/thread.h"

/* How often the wait for a picture looks whether it still makes sense, and how long a destroyed
 * swapchain waits for its last pictures. */
#define SLICE_NS (100 * SL_NS_PER_MS)
#define DRAIN_NS (2 * SL_NS_PER_S)
/* Semaphores that one submit of ours waits for. */
#define WAITS_MAX 16u

/* --- the presenting thread --- */

/* Until the queue has drawn the picture, however long that takes. */
static VkResult drawn(struct gvk_swapchain *swapchain, const struct gvk_frame *frame)
{
    VkResult result;
    do {
        result = gvk_vkWaitForFences(gvk_swapchain_device(swapchain), 1, &frame->fence, VK_TRUE,
                                     SLICE_NS);
    } while (result == VK_TIMEOUT && sl_atomic_load_relaxed(&swapchain->stop) == 0);
    return result == VK_TIMEOUT ? VK_ERROR_DEVICE_LOST : result;
}

/* Waits for a picture and shows it, unless something `failed` before. Its fence can be used again.
 */
static VkResult present_one(struct gvk_swapchain *swapchain, uint32_t index, VkResult failed)
{
    struct gvk_frame *frame = &swapchain->frames[index];
    VkResult result = drawn(swapchain, frame);
    if (result != VK_SUCCESS) {
        return result;
    }
    if (failed >= 0) {
        result = swapchain->presenter->ops->show(swapchain->presenter, index, &swapchain->stop);
    }
    /* The window system reads meanwhile. */
    VkResult reset = gvk_vkResetFences(gvk_swapchain_device(swapchain), 1, &frame->fence);
    return failed < 0 ? failed : result < 0 ? result : reset;
}

static void *present(void *user)
{
    struct gvk_swapchain *swapchain = user;
    pthread_mutex_lock(&swapchain->lock);
    for (;;) {
        while (swapchain->pending == 0 && sl_atomic_load_relaxed(&swapchain->stop) == 0) {
            pthread_cond_wait(&swapchain->changed, &swapchain->lock);
        }
        if (swapchain->pending == 0) {
            break;
        }
        uint32_t index = swapchain->queue[swapchain->first];
        VkResult result = swapchain->result;
        pthread_mutex_unlock(&swapchain->lock);
        result = present_one(swapchain, index, result);
        pthread_mutex_lock(&swapchain->lock);
        swapchain->result = result;
        swapchain->frames[index].state = GVK_FRAME_SHOWN;
        swapchain->first = (swapchain->first + 1) % swapchain->count;
        swapchain->pending--;
        if (swapchain->waiting) {
            sl_fd_signal(swapchain->wake);
        }
        pthread_cond_broadcast(&swapchain->changed);
    }
    pthread_mutex_unlock(&swapchain->lock);
    return NULL;
}

/* Starts the presenting thread, if there is none. OUT_OF_HOST_MEMORY. */
static VkResult begin(struct gvk_swapchain *swapchain)
{
    if (!swapchain->begun) {
        if (sl_thread_start(&swapchain->thread, "sluice-present", 0, present, swapchain) != SL_OK) {
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        }
        swapchain->begun = true;
    }
    return VK_SUCCESS;
}

void gvk_present_stop(struct gvk_swapchain *swapchain)
{
    if (!swapchain->begun) {
        return;
    }
    bool lost = gvk_host_lost(gvk_host_of(swapchain->device));
    uint64_t end = sl_clock_ns() + (lost ? 0 : DRAIN_NS);
    pthread_mutex_lock(&swapchain->lock);
    while (swapchain->pending != 0 &&
           sl_cond_wait_until(&swapchain->changed, &swapchain->lock, end) == SL_OK) {
    }
    /* Looked at under the lock and, as a hint to be quick, without; nothing is published with it.
     */
    sl_atomic_store_relaxed(&swapchain->stop, 1);
    pthread_cond_broadcast(&swapchain->changed);
    pthread_mutex_unlock(&swapchain->lock);
    pthread_join(swapchain->thread, NULL);
    swapchain->begun = false;
}

/* --- the application's thread --- */

/* Submits `commands` (nullable) behind all semaphores, many as they may be. */
static VkResult submit_waiting(VkQueue queue, uint32_t count, const VkSemaphore *semaphores,
                               VkCommandBuffer commands, VkFence fence)
{
    VkPipelineStageFlags stages[WAITS_MAX];
    for (uint32_t i = 0; i < WAITS_MAX; i++) {
        stages[i] = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    }
    for (;;) {
        bool last = count <= WAITS_MAX;
        const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                     .waitSemaphoreCount = last ? count : WAITS_MAX,
                                     .pWaitSemaphores = semaphores,
                                     .pWaitDstStageMask = stages,
                                     .commandBufferCount = last && commands != NULL,
                                     .pCommandBuffers = &commands};
        VkResult result = gvk_vkQueueSubmit(queue, 1, &submit, last ? fence : VK_NULL_HANDLE);
        if (result != VK_SUCCESS || last) {
            return result;
        }
        semaphores += WAITS_MAX;
        count -= WAITS_MAX;
    }
}

/* Queues a picture whose fence a submit will signal. What became of the ones before it. */
static VkResult enqueue(struct gvk_swapchain *swapchain, uint32_t index)
{
    pthread_mutex_lock(&swapchain->lock);
    swapchain->queue[(swapchain->first + swapchain->pending++) % swapchain->count] = index;
    swapchain->frames[index].state = GVK_FRAME_QUEUED;
    VkResult result = swapchain->result;
    pthread_cond_broadcast(&swapchain->changed);
    pthread_mutex_unlock(&swapchain->lock);
    return result;
}

/* For a recorder in the host: what was submitted is a frame. */
static void tell_frame(const struct gvk_swapchain *swapchain, const struct gvk_frame *frame,
                       VkQueue queue)
{
    struct gvk_host *host = gvk_host_of(swapchain->device);
    const VkImageCreateInfo *info = &swapchain->image_info;
    if (host->wants_frames) {
        gvk_call_vkQueueFrameSLUICE(
            host, queue, frame->copy != VK_NULL_HANDLE ? frame->copy_memory : frame->memory,
            frame->shown_offset, info->extent.width, info->extent.height, frame->shown_stride,
            info->format);
    }
}

/* One swapchain's picture. *submitted: the semaphores are waited for. */
static VkResult submit_one(VkQueue queue, const VkPresentInfoKHR *info, uint32_t i, bool *submitted)
{
    struct gvk_swapchain *swapchain = GVK_FROM(gvk_swapchain, info->pSwapchains[i]);
    uint32_t index = info->pImageIndices[i];
    struct gvk_frame *frame = &swapchain->frames[index];
    VkCommandBuffer commands;
    VkResult result = begin(swapchain);
    if (result == VK_SUCCESS) {
        result = gvk_swapchain_copy(swapchain, frame, GVK_FROM(gvk_queue, queue), &commands);
    }
    if (result == VK_SUCCESS) {
        result = submit_waiting(queue, *submitted ? 0 : info->waitSemaphoreCount,
                                info->pWaitSemaphores, commands, frame->fence);
    }
    if (result != VK_SUCCESS) {
        return result;
    }
    *submitted = true;
    tell_frame(swapchain, frame, queue);
    return enqueue(swapchain, index);
}

VkResult gvk_vkQueuePresentKHR(VkQueue queue, const VkPresentInfoKHR *pPresentInfo)
{
    VkResult all = VK_SUCCESS;
    bool submitted = false;
    for (uint32_t i = 0; i < pPresentInfo->swapchainCount; i++) {
        VkResult result = submit_one(queue, pPresentInfo, i, &submitted);
        if (pPresentInfo->pResults != NULL) {
            pPresentInfo->pResults[i] = result;
        }
        if (result == VK_ERROR_DEVICE_LOST || (all >= 0 && result != VK_SUCCESS)) {
            all = result; /* the worst */
        }
    }
    return all;
}
