#include "guest/vulkan/gvk_swapchain.h"

#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <string.h>

/* How often a wait for a free picture looks whether it still makes sense. */
#define SLICE_NS (100 * SL_NS_PER_MS)

/* --- creation --- */

/* Copies of what the application's arrays say, for images of its own that want to be like ours. */
static bool info_keep(struct gvk_swapchain *swapchain, const VkSwapchainCreateInfoKHR *info)
{
    const VkImageFormatListCreateInfo *list = NULL;
    for (const VkBaseInStructure *in = info->pNext; in != NULL; in = in->pNext) {
        if (in->sType == VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO) {
            list = (const void *)in;
        }
    }
    VkImageCreateInfo *image = &swapchain->image_info;
    *image = (VkImageCreateInfo){.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                 .imageType = VK_IMAGE_TYPE_2D,
                                 .format = info->imageFormat,
                                 .extent = {info->imageExtent.width, info->imageExtent.height, 1},
                                 .mipLevels = 1,
                                 .arrayLayers = info->imageArrayLayers,
                                 .samples = VK_SAMPLE_COUNT_1_BIT,
                                 .usage = info->imageUsage,
                                 .sharingMode = info->imageSharingMode,
                                 .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED};
    if ((info->flags & VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR) != 0) {
        image->flags = VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT;
        if (list != NULL && list->viewFormatCount != 0) {
            size_t size = list->viewFormatCount * sizeof *list->pViewFormats;
            swapchain->view_formats = sl_alloc(size);
            if (swapchain->view_formats == NULL) {
                return false;
            }
            memcpy(swapchain->view_formats, list->pViewFormats, size);
            swapchain->formats = (VkImageFormatListCreateInfo){
                .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
                .viewFormatCount = list->viewFormatCount,
                .pViewFormats = swapchain->view_formats};
            image->pNext = &swapchain->formats;
        }
    }
    if (info->imageSharingMode == VK_SHARING_MODE_CONCURRENT) {
        size_t size = info->queueFamilyIndexCount * sizeof *swapchain->families;
        swapchain->families = sl_alloc(size);
        if (swapchain->families == NULL) {
            return false;
        }
        memcpy(swapchain->families, info->pQueueFamilyIndices, size);
        image->queueFamilyIndexCount = info->queueFamilyIndexCount;
        image->pQueueFamilyIndices = swapchain->families;
    }
    return true;
}

static void finish(struct gvk_swapchain *swapchain)
{
    gvk_present_stop(swapchain);
    if (swapchain->presenter != NULL) {
        swapchain->presenter->ops->destroy(swapchain->presenter);
    }
    gvk_swapchain_images_destroy(swapchain);
    pthread_cond_destroy(&swapchain->changed);
    pthread_mutex_destroy(&swapchain->lock);
    sl_fd_close(&swapchain->wake);
    sl_free(swapchain->queue);
    sl_free(swapchain->frames);
    sl_free(swapchain->families);
    sl_free(swapchain->view_formats);
}

static VkResult begin(struct gvk_swapchain *swapchain, const VkSwapchainCreateInfoKHR *info)
{
    struct gvk_surface *surface = GVK_FROM(gvk_surface, info->surface);
    uint32_t count = info->minImageCount;
    swapchain->queue = sl_alloc_array(count, sizeof *swapchain->queue);
    swapchain->frames = sl_alloc_array(count, sizeof *swapchain->frames);
    if (!info_keep(swapchain, info) || swapchain->queue == NULL || swapchain->frames == NULL ||
        sl_fd_event(&swapchain->wake) != SL_OK) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    swapchain->count = count;
    VkResult result = surface->ops->presenter_create(surface, info, count, &swapchain->presenter);
    return result == VK_SUCCESS ? gvk_swapchain_images_create(swapchain) : result;
}

VkResult gvk_vkCreateSwapchainKHR(VkDevice device, const VkSwapchainCreateInfoKHR *pCreateInfo,
                                  const VkAllocationCallbacks *pAllocator,
                                  VkSwapchainKHR *pSwapchain)
{
    struct gvk_device *owner = gvk_device_of(device);
    if (pCreateInfo->oldSwapchain != VK_NULL_HANDLE) { /* also when the new one fails */
        GVK_FROM(gvk_swapchain, pCreateInfo->oldSwapchain)->retired = true;
    }
    struct gvk_swapchain *swapchain = gvk_object_new(owner, pAllocator, sizeof *swapchain);
    if (swapchain == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    swapchain->object.vk.id = gvk_local_id();
    swapchain->wake = -1;
    swapchain->device = owner;
    pthread_mutex_init(&swapchain->lock, NULL);
    sl_cond_init(&swapchain->changed);
    VkResult result = begin(swapchain, pCreateInfo);
    if (result != VK_SUCCESS) {
        finish(swapchain);
        gvk_object_free(owner, pAllocator, swapchain);
        return result;
    }
    *pSwapchain = GVK_TO(VkSwapchainKHR, swapchain);
    return VK_SUCCESS;
}

void gvk_vkDestroySwapchainKHR(VkDevice device, VkSwapchainKHR swapchain,
                               const VkAllocationCallbacks *pAllocator)
{
    if (swapchain != VK_NULL_HANDLE) {
        finish(GVK_FROM(gvk_swapchain, swapchain));
        gvk_object_free(gvk_device_of(device), pAllocator, GVK_FROM(gvk_swapchain, swapchain));
    }
}

VkResult gvk_vkGetSwapchainImagesKHR(VkDevice device, VkSwapchainKHR swapchain,
                                     uint32_t *pSwapchainImageCount, VkImage *pSwapchainImages)
{
    const struct gvk_swapchain *s = GVK_FROM(gvk_swapchain, swapchain);
    (void)device;
    if (pSwapchainImages == NULL) {
        *pSwapchainImageCount = s->count;
        return VK_SUCCESS;
    }
    uint32_t room = *pSwapchainImageCount;
    *pSwapchainImageCount = room < s->count ? room : s->count;
    for (uint32_t i = 0; i < *pSwapchainImageCount; i++) {
        pSwapchainImages[i] = s->frames[i].image;
    }
    return room < s->count ? VK_INCOMPLETE : VK_SUCCESS;
}

/* --- images of others on a swapchain's memory --- */

const VkImageCreateInfo *gvk_swapchain_image_info(const VkImageCreateInfo *info)
{
    for (const VkBaseInStructure *in = info->pNext; in != NULL; in = in->pNext) {
        const VkImageSwapchainCreateInfoKHR *wanted = (const void *)in;
        if (in->sType == VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR &&
            wanted->swapchain != VK_NULL_HANDLE) {
            return &GVK_FROM(gvk_swapchain, wanted->swapchain)->image_info;
        }
    }
    return NULL;
}

bool gvk_swapchain_bind_memory(const VkBindImageMemoryInfo *info, VkDeviceMemory *memory)
{
    for (const VkBaseInStructure *in = info->pNext; in != NULL; in = in->pNext) {
        const VkBindImageMemorySwapchainInfoKHR *bind = (const void *)in;
        if (in->sType == VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR &&
            bind->swapchain != VK_NULL_HANDLE) {
            const struct gvk_swapchain *s = GVK_FROM(gvk_swapchain, bind->swapchain);
            *memory = s->frames[bind->imageIndex].memory;
            return true;
        }
    }
    return false;
}

/* --- acquiring --- */

struct search {
    bool found;
    uint32_t index;
    bool queued;      /* a picture is on its way to the window system */
    bool shown;       /* the window system has one */
    uint32_t pending; /* pictures queued when this was seen */
    VkResult result;
};

/* Takes a free picture, if there is one. */
static struct search search(struct gvk_swapchain *swapchain)
{
    struct gvk_presenter *presenter = swapchain->presenter;
    struct search s = {.result = presenter->ops->look(presenter)};
    pthread_mutex_lock(&swapchain->lock);
    s.result = swapchain->result < 0 ? swapchain->result : s.result;
    for (uint32_t i = 0; i < swapchain->count && !s.found && s.result >= 0; i++) {
        struct gvk_frame *frame = &swapchain->frames[i];
        if (frame->state == GVK_FRAME_SHOWN && !presenter->ops->busy(presenter, i)) {
            frame->state = GVK_FRAME_FREE;
        }
        if (frame->state == GVK_FRAME_FREE) {
            frame->state = GVK_FRAME_ACQUIRED;
            s.found = true;
            s.index = i;
        }
        s.shown = s.shown || frame->state == GVK_FRAME_SHOWN;
        s.queued = s.queued || frame->state == GVK_FRAME_QUEUED;
    }
    s.pending = swapchain->pending;
    pthread_mutex_unlock(&swapchain->lock);
    return s;
}

/* Until one of what is on its way may have become free: until the window system speaks, or the
 * presenting thread has done with a picture; until `end` at most. */
static void wait_some(struct gvk_swapchain *swapchain, const struct search *s, uint64_t end)
{
    uint64_t now = sl_clock_ns();
    uint64_t left = now < end ? end - now : 0;
    pthread_mutex_lock(&swapchain->lock);
    swapchain->waiting = swapchain->pending == s->pending;
    bool waits = swapchain->waiting;
    pthread_mutex_unlock(&swapchain->lock);
    if (!waits) {
        return;
    }
    swapchain->presenter->ops->wait(swapchain->presenter, swapchain->wake,
                                    (int64_t)(left < SLICE_NS ? left : SLICE_NS));
    pthread_mutex_lock(&swapchain->lock);
    swapchain->waiting = false;
    pthread_mutex_unlock(&swapchain->lock);
    sl_fd_drain(swapchain->wake);
}

static VkResult acquire(struct gvk_swapchain *swapchain, uint64_t timeout_ns, uint32_t *index)
{
    uint64_t end = sl_clock_ahead_ns(timeout_ns);
    for (;;) {
        struct search s = search(swapchain);
        if (s.found || s.result < 0) {
            *index = s.index;
            return s.result;
        }
        /* Nothing is sent here that would notice. */
        if (!gvk_host_look(gvk_host_of(swapchain->device))) {
            return VK_ERROR_DEVICE_LOST;
        }
        if (timeout_ns == 0) {
            return VK_NOT_READY;
        }
        /* With all pictures in the application's hands none can become free meanwhile. */
        if ((!s.queued && !s.shown) || sl_clock_ns() >= end) {
            return VK_TIMEOUT;
        }
        wait_some(swapchain, &s, end);
    }
}

/* What was given to an acquisition is signalled when that returns, as the picture is free already:
 * by payloads that are imported for once, so the host learns of them when something waits. */
static VkResult acquire_signal(VkDevice device, VkSemaphore semaphore, VkFence fence)
{
    VkResult result = VK_SUCCESS;
    if (semaphore != VK_NULL_HANDLE) {
        const VkImportSemaphoreFdInfoKHR info = {
            .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
            .semaphore = semaphore,
            .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
            .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
            .fd = -1};
        result = gvk_vkImportSemaphoreFdKHR(device, &info);
    }
    if (fence != VK_NULL_HANDLE && result == VK_SUCCESS) {
        const VkImportFenceFdInfoKHR info = {.sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
                                             .fence = fence,
                                             .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
                                             .handleType =
                                                 VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
                                             .fd = -1};
        result = gvk_vkImportFenceFdKHR(device, &info);
    }
    return result;
}

VkResult gvk_vkAcquireNextImageKHR(VkDevice device, VkSwapchainKHR swapchain, uint64_t timeout,
                                   VkSemaphore semaphore, VkFence fence, uint32_t *pImageIndex)
{
    struct gvk_swapchain *s = GVK_FROM(gvk_swapchain, swapchain);
    if (s->retired) {
        return VK_ERROR_OUT_OF_DATE_KHR;
    }
    uint32_t index = 0;
    VkResult result = acquire(s, timeout, &index);
    if (result != VK_SUCCESS && result != VK_SUBOPTIMAL_KHR) {
        return result;
    }
    VkResult signalled = acquire_signal(device, semaphore, fence);
    if (signalled != VK_SUCCESS) {
        pthread_mutex_lock(&s->lock);
        s->frames[index].state = GVK_FRAME_FREE;
        pthread_mutex_unlock(&s->lock);
        return signalled;
    }
    *pImageIndex = index;
    return result;
}

VkResult gvk_vkAcquireNextImage2KHR(VkDevice device, const VkAcquireNextImageInfoKHR *pAcquireInfo,
                                    uint32_t *pImageIndex)
{
    return gvk_vkAcquireNextImageKHR(device, pAcquireInfo->swapchain, pAcquireInfo->timeout,
                                     pAcquireInfo->semaphore, pAcquireInfo->fence, pImageIndex);
}
