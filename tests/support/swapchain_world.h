/* A device and a presenter for tests of swapchains: the device draws when it is told to, the
 * presenter keeps pictures as long as it is told to. Takes the place of the commands that
 * guest/vulkan's swapchain calls. */
#ifndef TESTS_SWAPCHAIN_WORLD_H
#define TESTS_SWAPCHAIN_WORLD_H

#include "guest/vulkan/gvk_swapchain.h"

/* Rows of 80 bytes, which are no multiple of what copies are aligned to. */
#define SWAPCHAIN_WIDTH  20u
#define SWAPCHAIN_HEIGHT 10u
#define SWAPCHAIN_COUNT  3u

struct swapchain_world {
    struct gvk_host host;
    struct gvk_physical physical;
    struct gvk_device device;
    struct gvk_queue queues[2]; /* of families 0 and 1 */
    struct gvk_surface surface;
    /* the device */
    bool no_linear; /* it cannot draw into linear images */
    uint32_t live;  /* atomic: objects made and not destroyed */
    uint32_t drawn; /* atomic: fences signal when they are submitted */
    uint32_t lost;  /* atomic */
    uint32_t waits, submits, commands, copies, barriers, imports;
    uint32_t frames; /* told to the host, the last one as follows */
    VkDeviceMemory frame_memory;
    uint64_t frame_offset;
    uint32_t frame_stride;
    VkImageTiling tiling;
    VkImageUsageFlags usage;
    /* the presenter */
    struct gvk_presenter presenter;
    bool presenter_made;
    uint32_t busy[SWAPCHAIN_COUNT]; /* atomic: kept even when it was read */
    uint32_t showing;               /* atomic: how often show was called */
    uint32_t last;                  /* atomic: index of the last one */
    VkResult show_result, look_result;
    struct gvk_picture pictures[SWAPCHAIN_COUNT];
};
extern struct swapchain_world *world; /* of the case that runs */

struct swapchain_thing { /* whatever a handle points to */
    struct gvk_object object;
    uint32_t submitted; /* fences; atomic */
    uint8_t bytes[SWAPCHAIN_WIDTH * SWAPCHAIN_HEIGHT * 8];
};

struct swapchain_thing *swapchain_thing_of(const void *handle);
void swapchain_thing_free(const void *thing);

/* All zeros but what is set here; becomes `world`. */
void swapchain_world_init(struct swapchain_world *w);
VkDevice swapchain_world_device(void);

#endif
