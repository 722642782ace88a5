/* Surfaces and what shows pictures on them: the window system is the guest's own affair, nothing of
 * it travels.
 *
 * A surface names a window of one kind (gvk_surface_x11.c, _wayland.c, _headless.c); a swapchain
 * (gvk_swapchain.c) has a presenter of that kind and gives it pictures. Surfaces: any thread, under
 * Vulkan's rules. */
#ifndef GUEST_GVK_SURFACE_H
#define GUEST_GVK_SURFACE_H

#include "guest/vulkan/gvk.h"

struct gvk_surface;
struct gvk_presenter;

#define GVK_SURFACE_FORMATS_MAX 8u
#define GVK_SURFACE_MODES_MAX   4u

struct gvk_surface_ops {
    /* Everything but what all kinds have in common, which is filled in already. SURFACE_LOST. */
    VkResult (*capabilities)(struct gvk_surface *, VkSurfaceCapabilitiesKHR *);
    /* At most GVK_SURFACE_FORMATS_MAX; none: the window cannot show what we can draw. SURFACE_LOST.
     */
    VkResult (*formats)(struct gvk_surface *, VkFormat *formats, uint32_t *count);
    VkPresentModeKHR modes[GVK_SURFACE_MODES_MAX];
    uint32_t mode_count;
    /* The window's size now, for present rectangles. SURFACE_LOST. */
    VkResult (*size)(struct gvk_surface *, VkExtent2D *);
    /* For `count` pictures. Gives *out. SURFACE_LOST, OUT_OF_HOST_MEMORY. */
    VkResult (*presenter_create)(struct gvk_surface *, const VkSwapchainCreateInfoKHR *,
                                 uint32_t count, struct gvk_presenter **out);
};

struct gvk_surface {
    struct gvk_object object;
    const struct gvk_surface_ops *ops;
    struct gvk_instance *instance;
    struct gvk_swapchain *swapchain; /* the one that is not retired; nullable */
    void *display;                   /* xcb_connection_t, Display or wl_display; borrowed */
    bool xlib;                       /* display is a Display */
    uint32_t xid;
    void *wl_surface;
};

/* Makes a surface of the kind and gives *out; the caller fills in its window. OUT_OF_HOST_MEMORY.
 */
VkResult gvk_surface_create(VkInstance instance, const VkAllocationCallbacks *callbacks,
                            const struct gvk_surface_ops *ops, struct gvk_surface **out);

/* A picture of a swapchain, in memory that may be shared. */
struct gvk_picture {
    const uint8_t *pixels; /* top row first */
    uint32_t stride;       /* bytes */
    uint32_t width_px, height_px;
    VkFormat format;
    uint64_t offset; /* of pixels in the descriptor's memory */
    uint64_t size;   /* of that memory */
};

/* Shows a swapchain's pictures on its window. show: the swapchain's presenting thread; look, wait,
 * busy: the application's; the others: while there is no presenting thread. */
struct gvk_presenter_ops {
    /* The picture stays until destroy. fd: its memory; taken; -1 none. OUT_OF_HOST_MEMORY,
     * SURFACE_LOST. */
    VkResult (*attach)(struct gvk_presenter *, uint32_t index, const struct gvk_picture *, int fd);
    /* Shows what was attached as `index`, whole; it is busy until the window system has done with
     * it. May wait for the window system's pace until *stop. SURFACE_LOST. */
    VkResult (*show)(struct gvk_presenter *, uint32_t index, const uint32_t *stop);
    /* Takes in what the window system said. SUBOPTIMAL, SURFACE_LOST. */
    VkResult (*look)(struct gvk_presenter *);
    bool (*busy)(struct gvk_presenter *, uint32_t index);
    /* Until the window system says something or wake_fd is readable, at most timeout_ns (>= 0); may
     * return early. */
    void (*wait)(struct gvk_presenter *, int wake_fd, int64_t timeout_ns);
    void (*destroy)(struct gvk_presenter *); /* with everything attached */
};
struct gvk_presenter {
    const struct gvk_presenter_ops *ops;
};

VkResult gvk_present_x11_create(struct gvk_surface *surface, const VkSwapchainCreateInfoKHR *info,
                                uint32_t count, struct gvk_presenter **out);
VkResult gvk_present_wayland_create(struct gvk_surface *surface,
                                    const VkSwapchainCreateInfoKHR *info, uint32_t count,
                                    struct gvk_presenter **out);
/* wl_shm's number for a format that surfaces of Wayland list, with blended or ignored alpha. */
uint32_t gvk_wayland_format(VkFormat format, bool blended);

/* gvk_list of an array. */
#define GVK_SURFACE_LIST(room, count, all, there)                                                  \
    gvk_list((count), (room), (all), (there), sizeof *(room))

#endif
