/* What the Vulkan programs with windows share: a window of X, a surface, a swapchain, and pictures
 * that no other frame has. One thread; what goes wrong ends the program (vx.h). */
#ifndef WX_H
#define WX_H

#include "tests/integration/vulkan/vx.h"

#include <xcb/xcb.h>

enum { WX_WIDTH = 96, WX_HEIGHT = 64, WX_IMAGES_MAX = 16 };

struct wx {
    struct vx vx;
    xcb_connection_t *xcb;
    xcb_screen_t *screen;
    xcb_window_t window;
    VkSurfaceKHR surface;
    VkSwapchainKHR swapchain;
    uint32_t width, height; /* of the window */
    VkExtent2D extent;      /* of the swapchain */
    uint32_t count;
    VkImage images[WX_IMAGES_MAX];
    VkSemaphore acquired, drawn;
    VkFence fence;
    struct vx_buffer pattern; /* what wx_draw copies */
};

/* Device, connection, window and surface; the features of wants (nullable) are enabled. */
void wx_open(struct wx *s, void *features);
void wx_close(struct wx *s);

/* A window that no manager touches; it is mapped. */
void wx_open_window(struct wx *s);
/* The server has done all that was sent. */
void wx_sync(struct wx *s);
void wx_open_surface(struct wx *s);

/* Instead of the one that there is. flags and next: of the creation. */
VkResult wx_open_swapchain(struct wx *s, VkPresentModeKHR mode, uint32_t images,
                           VkSwapchainCreateFlagsKHR flags, const void *next);
void wx_close_swapchain(struct wx *s);

/* Draws picture `number` (below 200) into an acquired image; it is done when this returns, and
 * s->drawn signalled. */
void wx_draw(struct wx *s, VkImage image, uint32_t number);
/* The same with what the buffer's first bytes are, as many as the picture has. */
void wx_draw_from(struct wx *s, VkImage image, VkBuffer buffer);
/* Records that: an acquired image, whatever it holds, becomes those bytes and ready to present. */
void wx_copy(const struct wx *s, VkCommandBuffer commands, VkImage image, VkBuffer buffer);
/* Presents when s->drawn is signalled. */
VkResult wx_present(struct wx *s, uint32_t index, const void *next);
/* Both, and the acquisition before. The presentation's result. */
VkResult wx_frame(struct wx *s, uint32_t number, VkResult *acquired);
/* The window shows picture `number` within a while; a line of all of it. */
void wx_show_window(struct wx *s, const char *name, uint32_t number);

#endif
