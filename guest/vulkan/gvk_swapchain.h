/* Swapchains: pictures that take turns between the application, the queue that draws them and the
 * window system.
 *
 * A picture is an ordinary image of the device. Where the device can draw into linear images in
 * memory that this process has mapped, the window system reads that very memory; else presenting
 * records a copy into such memory. A presented picture is waited for by the swapchain's presenting
 * thread, never by the application's. */
#ifndef GUEST_GVK_SWAPCHAIN_H
#define GUEST_GVK_SWAPCHAIN_H

#include "guest/vulkan/gvk_surface.h"

#define GVK_SWAPCHAIN_FAMILIES_MAX 16u

enum gvk_frame_state {
    GVK_FRAME_FREE,
    GVK_FRAME_ACQUIRED, /* the application has it */
    GVK_FRAME_QUEUED,   /* the presenting thread has it */
    GVK_FRAME_SHOWN,    /* the window system has it until its presenter says that it is not busy */
};

/* One picture: gvk_swapchain_image.c. */
struct gvk_frame {
    VkImage image;
    VkDeviceMemory memory;
    VkFence fence; /* of the submit that presents it */
    /* Where the window system cannot read the image's memory: */
    VkBuffer copy;
    VkDeviceMemory copy_memory;
    uint64_t shown_offset; /* of the picture in the memory that the window system reads */
    uint32_t shown_stride;
    VkCommandBuffer commands;   /* that copy; NULL until a queue presents it */
    uint32_t family;            /* whose pool `commands` is from */
    enum gvk_frame_state state; /* under the swapchain's lock */
};

struct gvk_swapchain {
    struct gvk_object object;
    struct gvk_device *device;
    struct gvk_presenter *presenter;
    VkImageCreateInfo image_info; /* of every picture; its chain and families are kept below */
    VkImageFormatListCreateInfo formats;
    uint32_t *families;
    VkFormat *view_formats;
    bool linear;  /* the window system reads the images' own memory */
    bool retired; /* another swapchain has the surface */
    bool begun;   /* the presenting thread runs */
    pthread_t thread;
    VkCommandPool pools[GVK_SWAPCHAIN_FAMILIES_MAX]; /* by queue family; with copies only */
    uint32_t count;
    struct gvk_frame *frames; /* [count] */

    uint32_t stop;        /* atomic: presenting waits for nothing any more */
    pthread_mutex_t lock; /* guards what follows and frames[].state; held for a few loads only */
    pthread_cond_t changed;
    bool waiting;    /* an acquisition waits for `wake` too */
    int wake;        /* an eventfd */
    uint32_t *queue; /* [count]: frames to be shown, in order; queue[first] is being shown */
    uint32_t first, pending;
    VkResult result; /* what became of presenting; sticky when it failed */
};

static inline VkDevice gvk_swapchain_device(const struct gvk_swapchain *swapchain)
{
    return GVK_TO(VkDevice, swapchain->device);
}

/* ---- gvk_swapchain_image.c ---- */

/* Chooses how pictures are made and makes all of them, with the presenter's attachments. */
VkResult gvk_swapchain_images_create(struct gvk_swapchain *swapchain);
void gvk_swapchain_images_destroy(struct gvk_swapchain *swapchain);
/* The commands that a submit on this queue must bring along so that the window system sees the
 * picture; none: *commands is NULL. */
VkResult gvk_swapchain_copy(struct gvk_swapchain *swapchain, struct gvk_frame *frame,
                            const struct gvk_queue *queue, VkCommandBuffer *commands);

/* ---- gvk_present.c ---- */

/* Ends the presenting thread, if there is one: what was presented is shown first, unless that takes
 * more than two seconds. */
void gvk_present_stop(struct gvk_swapchain *swapchain);

/* ---- for images and memory of other makers: gvk_swapchain.c ---- */

/* The creation of an image that a VkImageSwapchainCreateInfoKHR asks for: as the swapchain's own
 * are, without that struct. NULL: the chain has none, or it names no swapchain. */
const VkImageCreateInfo *gvk_swapchain_image_info(const VkImageCreateInfo *info);
/* The memory that a VkBindImageMemorySwapchainInfoKHR means; false: the chain has none. */
bool gvk_swapchain_bind_memory(const VkBindImageMemoryInfo *info, VkDeviceMemory *memory);

#endif
