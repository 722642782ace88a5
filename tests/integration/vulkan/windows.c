/* Windows of X: what surfaces say of themselves, swapchains in every mode, what windows show of
 * them, sizes that change, windows that go. Needs DISPLAY. */
#define VK_USE_PLATFORM_XCB_KHR
#define VK_USE_PLATFORM_XLIB_KHR
#include "tests/integration/vulkan/wx.h"

#include <X11/Xlib.h>
#include <stdio.h>
#include <string.h>
#include <vulkan/vulkan_xcb.h>
#include <vulkan/vulkan_xlib.h>

enum { FRAMES = 12 };

/* ---- what a surface says ---- */

static void show_capabilities(struct wx *s, const char *name)
{
    const VkPhysicalDeviceSurfaceInfo2KHR info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR, .surface = s->surface};
    VkSurfaceCapabilities2KHR caps2 = {.sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR};
    VkSurfaceCapabilitiesKHR caps;
    VkResult result = VX_MAY(
        &s->vx, vkGetPhysicalDeviceSurfaceCapabilitiesKHR(s->vx.physical, s->surface, &caps));
    if (result == VK_SUCCESS) {
        vx_show(&s->vx, name, &caps, sizeof caps);
    } else {
        vx_show_text(&s->vx, name, "%d", result);
    }
    result =
        VX_MAY(&s->vx, vkGetPhysicalDeviceSurfaceCapabilities2KHR(s->vx.physical, &info, &caps2));
    vx_show_text(&s->vx, name, "the same again: %d",
                 result == VK_SUCCESS &&
                     memcmp(&caps, &caps2.surfaceCapabilities, sizeof caps) == 0);
}

static void show_lists(struct wx *s)
{
    struct vx *vx = &s->vx;
    VkBool32 supported = VK_FALSE;
    VX(vx, vkGetPhysicalDeviceSurfaceSupportKHR(vx->physical, 0, s->surface, &supported));
    vx_show_text(vx, "support", "%u %u", supported,
                 vkGetPhysicalDeviceXcbPresentationSupportKHR(vx->physical, 0, s->xcb,
                                                              s->screen->root_visual));
    VkSurfaceFormatKHR formats[32];
    uint32_t count = 0;
    VX(vx, vkGetPhysicalDeviceSurfaceFormatsKHR(vx->physical, s->surface, &count, NULL));
    vx_show_text(vx, "formats", "%u", count);
    count = 1;
    VX_MAY(vx, vkGetPhysicalDeviceSurfaceFormatsKHR(vx->physical, s->surface, &count, formats));
    count = 32;
    VX(vx, vkGetPhysicalDeviceSurfaceFormatsKHR(vx->physical, s->surface, &count, formats));
    vx_show(vx, "formats", formats, count * sizeof formats[0]);
    VkPresentModeKHR modes[8];
    count = 1;
    VX_MAY(vx, vkGetPhysicalDeviceSurfacePresentModesKHR(vx->physical, s->surface, &count, modes));
    count = 8;
    VX(vx, vkGetPhysicalDeviceSurfacePresentModesKHR(vx->physical, s->surface, &count, modes));
    vx_show(vx, "modes", modes, count * sizeof modes[0]);
    VkRect2D rectangle;
    count = 1;
    VX(vx, vkGetPhysicalDevicePresentRectanglesKHR(vx->physical, s->surface, &count, &rectangle));
    vx_show(vx, "rectangle", &rectangle, sizeof rectangle);
}

static void show_group(struct wx *s)
{
    struct vx *vx = &s->vx;
    VkDeviceGroupPresentCapabilitiesKHR group = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_CAPABILITIES_KHR};
    VkDeviceGroupPresentModeFlagsKHR modes = 0;
    VX(vx, vkGetDeviceGroupPresentCapabilitiesKHR(vx->device, &group));
    VX(vx, vkGetDeviceGroupSurfacePresentModesKHR(vx->device, s->surface, &modes));
    vx_show(vx, "group", group.presentMask, sizeof group.presentMask);
    vx_show_text(vx, "group", "%x %x", group.modes, modes);
}

/* ---- areas ---- */

static void modes(struct wx *s)
{
    static const VkPresentModeKHR all[] = {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR,
                                           VK_PRESENT_MODE_IMMEDIATE_KHR,
                                           VK_PRESENT_MODE_FIFO_RELAXED_KHR};
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t images = 3; images < 6; images += 2) {
            char name[48];
            snprintf(name, sizeof name, "mode %d of %u", (int)all[i], images);
            vx_show_text(&s->vx, name, "%d", wx_open_swapchain(s, all[i], images, 0, NULL));
            for (uint32_t number = 1; number <= FRAMES; number++) {
                VkResult acquired;
                VkResult result = wx_frame(s, number + 16 * i, &acquired);
                vx_show_text(&s->vx, name, "%d %d", acquired, result);
                wx_show_window(s, name, number + 16 * i);
            }
            wx_close_swapchain(s);
        }
    }
}

static void exhaust(struct wx *s)
{
    uint32_t index = 0, taken = 0;
    vx_show_text(&s->vx, "all taken", "%d",
                 wx_open_swapchain(s, VK_PRESENT_MODE_IMMEDIATE_KHR, 3, 0, NULL));
    for (; taken < s->count; taken++) {
        VX(&s->vx,
           vkAcquireNextImageKHR(s->vx.device, s->swapchain, 0, VK_NULL_HANDLE, s->fence, &index));
        VX(&s->vx, vkWaitForFences(s->vx.device, 1, &s->fence, VK_TRUE, UINT64_MAX));
        VX(&s->vx, vkResetFences(s->vx.device, 1, &s->fence));
    }
    VkResult result =
        vkAcquireNextImageKHR(s->vx.device, s->swapchain, 0, VK_NULL_HANDLE, s->fence, &index);
    vx_show_text(&s->vx, "all taken", "%u %d", taken, result);
    wx_close_swapchain(s);
}

static void resize(struct wx *s)
{
    VkResult acquired, result;
    vx_show_text(&s->vx, "resize", "%d",
                 wx_open_swapchain(s, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL));
    result = wx_frame(s, 1, &acquired);
    vx_show_text(&s->vx, "resize", "%d %d", acquired, result);
    wx_show_window(s, "resize before", 1);
    s->width = WX_WIDTH + 33;
    s->height = WX_HEIGHT + 11;
    xcb_configure_window(s->xcb, s->window, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT,
                         (const uint32_t[]){s->width, s->height});
    wx_sync(s);
    show_capabilities(s, "resize capabilities");
    for (uint32_t i = 0; i < 3; i++) {
        result = wx_frame(s, 2 + i, &acquired);
        vx_show_text(&s->vx, "resize after", "%d %d", acquired, result);
    }
    vx_show_text(&s->vx, "resize again", "%d",
                 wx_open_swapchain(s, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL));
    result = wx_frame(s, 7, &acquired);
    vx_show_text(&s->vx, "resize again", "%d %d", acquired, result);
    wx_show_window(s, "resize again", 7);
    wx_close_swapchain(s);
}

static void xlib(struct wx *s)
{
    Display *display = XOpenDisplay(NULL);
    vx_need(display != NULL, "a display");
    VkSurfaceKHR xcb_surface = s->surface;
    const VkXlibSurfaceCreateInfoKHR info = {.sType =
                                                 VK_STRUCTURE_TYPE_XLIB_SURFACE_CREATE_INFO_KHR,
                                             .dpy = display,
                                             .window = s->window};
    VX(&s->vx, vkCreateXlibSurfaceKHR(s->vx.instance, &info, NULL, &s->surface));
    show_capabilities(s, "xlib");
    vx_show_text(&s->vx, "xlib", "%u",
                 vkGetPhysicalDeviceXlibPresentationSupportKHR(
                     s->vx.physical, 0, display,
                     XVisualIDFromVisual(DefaultVisual(display, DefaultScreen(display)))));
    vx_show_text(&s->vx, "xlib", "%d",
                 wx_open_swapchain(s, VK_PRESENT_MODE_MAILBOX_KHR, 4, 0, NULL));
    VkResult acquired, result = wx_frame(s, 9, &acquired);
    vx_show_text(&s->vx, "xlib", "%d %d", acquired, result);
    wx_show_window(s, "xlib", 9);
    wx_close_swapchain(s);
    vkDestroySurfaceKHR(s->vx.instance, s->surface, NULL);
    s->surface = xcb_surface;
    XCloseDisplay(display);
}

/* A window that is destroyed under a swapchain: errors, and everything can still be freed. */
static void gone(struct wx *s)
{
    VkResult acquired, result;
    vx_show_text(&s->vx, "gone", "%d",
                 wx_open_swapchain(s, VK_PRESENT_MODE_IMMEDIATE_KHR, 3, 0, NULL));
    result = wx_frame(s, 3, &acquired);
    vx_show_text(&s->vx, "gone", "%d %d", acquired, result);
    xcb_destroy_window(s->xcb, s->window);
    wx_sync(s);
    show_capabilities(s, "gone");
    for (uint32_t i = 0; i < 8 && acquired >= 0; i++) { /* it may take a frame or two */
        (void)wx_frame(s, 4, &acquired);
    }
    vx_show_text(&s->vx, "gone", "%d", acquired);
    wx_close_swapchain(s);
}

int main(void)
{
    struct wx s;
    wx_open(&s, NULL);
    show_capabilities(&s, "capabilities");
    show_lists(&s);
    show_group(&s);
    modes(&s);
    exhaust(&s);
    xlib(&s);
    resize(&s);
    gone(&s);
    wx_close(&s);
    return 0;
}
