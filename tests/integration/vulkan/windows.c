/* Windows of X: what surfaces say of themselves, swapchains in every mode, what windows show of
 * them, sizes that change, windows that go. Needs DISPLAY. */
#define VK_USE_PLATFORM_XCB_KHR
#define VK_USE_PLATFORM_XLIB_KHR
#include "tests/integration/vulkan/vx.h"

#include <X11/Xlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vulkan/vulkan_xcb.h>
#include <vulkan/vulkan_xlib.h>
#include <xcb/xcb.h>

enum { WIDTH = 96, HEIGHT = 64, IMAGES_MAX = 16, FRAMES = 12, WAIT_S = 20, PATTERN_SIZE = 1 << 18 };

struct scene {
    struct vx vx;
    xcb_connection_t *xcb;
    xcb_screen_t *screen;
    xcb_window_t window;
    VkSurfaceKHR surface;
    VkSwapchainKHR swapchain;
    uint32_t width, height; /* of the window */
    VkExtent2D extent;      /* of the swapchain */
    uint32_t count;
    VkImage images[IMAGES_MAX];
    VkSemaphore acquired, drawn;
    VkFence fence;
    struct vx_buffer pattern;
};

/* ---- instance and windows ---- */

static void open_instance(struct vx *vx)
{
    static const char *const names[] = {
        VK_KHR_SURFACE_EXTENSION_NAME, VK_KHR_XCB_SURFACE_EXTENSION_NAME,
        VK_KHR_XLIB_SURFACE_EXTENSION_NAME, VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME};
    *vx = (struct vx){0};
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application,
                                       .enabledExtensionCount = sizeof names / sizeof names[0],
                                       .ppEnabledExtensionNames = names};
    VX(vx, vkCreateInstance(&info, NULL, &vx->instance));
    uint32_t count = 1;
    VkResult result = vkEnumeratePhysicalDevices(vx->instance, &count, &vx->physical);
    vx_need(count == 1 && (result == VK_SUCCESS || result == VK_INCOMPLETE), "a physical device");
    vkGetPhysicalDeviceProperties(vx->physical, &vx->properties);
    vkGetPhysicalDeviceFeatures(vx->physical, &vx->features);
    vkGetPhysicalDeviceMemoryProperties(vx->physical, &vx->memory);
}

/* The window is there, unmanaged, and the server has said so. */
static void open_window(struct scene *s)
{
    s->width = WIDTH;
    s->height = HEIGHT;
    s->window = xcb_generate_id(s->xcb);
    xcb_create_window(s->xcb, XCB_COPY_FROM_PARENT, s->window, s->screen->root, 0, 0, WIDTH, HEIGHT,
                      0, XCB_WINDOW_CLASS_INPUT_OUTPUT, s->screen->root_visual,
                      XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT, (const uint32_t[]){0, 1});
    xcb_map_window(s->xcb, s->window);
}

static void sync_server(struct scene *s)
{
    free(xcb_get_input_focus_reply(s->xcb, xcb_get_input_focus(s->xcb), NULL));
}

static void open_surface(struct scene *s)
{
    const VkXcbSurfaceCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_XCB_SURFACE_CREATE_INFO_KHR,
                                            .connection = s->xcb,
                                            .window = s->window};
    VX(&s->vx, vkCreateXcbSurfaceKHR(s->vx.instance, &info, NULL, &s->surface));
}

/* ---- what a surface says ---- */

static void show_capabilities(struct scene *s, const char *name)
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

static void show_lists(struct scene *s)
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

static void show_group(struct scene *s)
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

/* ---- swapchains ---- */

static VkResult open_swapchain(struct scene *s, VkPresentModeKHR mode, uint32_t images)
{
    const VkSwapchainKHR old = s->swapchain;
    s->extent = (VkExtent2D){s->width, s->height};
    const VkSwapchainCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                           .surface = s->surface,
                                           .minImageCount = images,
                                           .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
                                           .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
                                           .imageExtent = {s->width, s->height},
                                           .imageArrayLayers = 1,
                                           .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                                                         VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
                                           .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
                                           .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
                                           .presentMode = mode,
                                           .clipped = VK_TRUE,
                                           .oldSwapchain = old};
    VkResult result =
        VX_MAY(&s->vx, vkCreateSwapchainKHR(s->vx.device, &info, NULL, &s->swapchain));
    if (old != VK_NULL_HANDLE) {
        vkDestroySwapchainKHR(s->vx.device, old, NULL);
    }
    if (result != VK_SUCCESS) {
        s->swapchain = VK_NULL_HANDLE;
        return result;
    }
    VX(&s->vx, vkGetSwapchainImagesKHR(s->vx.device, s->swapchain, &s->count, NULL));
    vx_need(s->count <= IMAGES_MAX, "few images");
    VX(&s->vx, vkGetSwapchainImagesKHR(s->vx.device, s->swapchain, &s->count, s->images));
    return result;
}

static void close_swapchain(struct scene *s)
{
    VX(&s->vx, vkDeviceWaitIdle(s->vx.device));
    vkDestroySwapchainKHR(s->vx.device, s->swapchain, NULL);
    s->swapchain = VK_NULL_HANDLE;
}

/* Never the background, and another one for each number below 200. */
static uint32_t pixel_of(uint32_t number, uint32_t x, uint32_t y)
{
    return 0xff000000 | (number + 1) << 16 | (y & 0xff) << 8 | (x & 0xff);
}

static void fill(struct scene *s, uint32_t number)
{
    uint32_t *pixels = s->pattern.map;
    for (uint32_t y = 0; y < s->extent.height; y++) {
        for (uint32_t x = 0; x < s->extent.width; x++) {
            pixels[y * s->extent.width + x] = pixel_of(number, x, y);
        }
    }
}

/* Draws picture `number` when it was acquired; it is done when this returns. */
static void draw(struct scene *s, uint32_t index, uint32_t number)
{
    VkImageMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                    .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                    .newLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                                    .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                    .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                    .image = s->images[index],
                                    .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    const VkBufferImageCopy all = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                   .imageExtent = {s->extent.width, s->extent.height, 1}};
    fill(s, number);
    VkCommandBuffer commands = vx_begin(&s->vx);
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         0, 0, NULL, 0, NULL, 1, &barrier);
    vkCmdCopyBufferToImage(commands, s->pattern.buffer, s->images[index],
                           VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &all);
    barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = 0;
    barrier.oldLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;
    barrier.newLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
    VX(&s->vx, vkEndCommandBuffer(commands));
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .waitSemaphoreCount = 1,
                                 .pWaitSemaphores = &s->acquired,
                                 .pWaitDstStageMask = &stage,
                                 .commandBufferCount = 1,
                                 .pCommandBuffers = &commands,
                                 .signalSemaphoreCount = 1,
                                 .pSignalSemaphores = &s->drawn};
    VX(&s->vx, vkQueueSubmit(s->vx.queue, 1, &submit, s->fence));
    VX(&s->vx, vkWaitForFences(s->vx.device, 1, &s->fence, VK_TRUE, UINT64_MAX));
    VX(&s->vx, vkResetFences(s->vx.device, 1, &s->fence));
    vkFreeCommandBuffers(s->vx.device, s->vx.pool, 1, &commands);
}

static VkResult frame(struct scene *s, uint32_t number, VkResult *acquired)
{
    uint32_t index = 0;
    *acquired = vkAcquireNextImageKHR(s->vx.device, s->swapchain, UINT64_MAX, s->acquired,
                                      VK_NULL_HANDLE, &index);
    if (*acquired < 0) {
        return *acquired;
    }
    draw(s, index, number);
    const VkPresentInfoKHR present = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                      .waitSemaphoreCount = 1,
                                      .pWaitSemaphores = &s->drawn,
                                      .swapchainCount = 1,
                                      .pSwapchains = &s->swapchain,
                                      .pImageIndices = &index};
    return vkQueuePresentKHR(s->vx.queue, &present);
}

/* The window shows picture `number` within a while, and is shown as a line. */
static void show_window(struct scene *s, const char *name, uint32_t number)
{
    time_t end = time(NULL) + WAIT_S;
    bool there = false;
    xcb_get_image_reply_t *image = NULL;
    while (!there && time(NULL) < end) {
        free(image);
        image = xcb_get_image_reply(s->xcb,
                                    xcb_get_image(s->xcb, XCB_IMAGE_FORMAT_Z_PIXMAP, s->window, 0,
                                                  0, (uint16_t)s->width, (uint16_t)s->height, ~0u),
                                    NULL);
        vx_need(image != NULL, "the window's picture");
        const uint32_t *pixels = (const void *)xcb_get_image_data(image);
        uint32_t last = pixel_of(number, s->width - 1, s->height - 1);
        there = ((pixels[0] ^ pixel_of(number, 0, 0)) & 0xffffff) == 0 &&
                ((pixels[s->width * s->height - 1] ^ last) & 0xffffff) == 0;
    }
    vx_need(there, "the picture in the window");
    vx_show(&s->vx, name, xcb_get_image_data(image), (size_t)s->width * s->height * 4);
    free(image);
}

/* ---- areas ---- */

static void modes(struct scene *s)
{
    static const VkPresentModeKHR all[] = {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR,
                                           VK_PRESENT_MODE_IMMEDIATE_KHR,
                                           VK_PRESENT_MODE_FIFO_RELAXED_KHR};
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t images = 3; images < 6; images += 2) {
            char name[48];
            snprintf(name, sizeof name, "mode %d of %u", (int)all[i], images);
            vx_show_text(&s->vx, name, "%d", open_swapchain(s, all[i], images));
            for (uint32_t number = 1; number <= FRAMES; number++) {
                VkResult acquired;
                VkResult result = frame(s, number + 16 * i, &acquired);
                vx_show_text(&s->vx, name, "%d %d", acquired, result);
                show_window(s, name, number + 16 * i);
            }
            close_swapchain(s);
        }
    }
}

static void exhaust(struct scene *s)
{
    uint32_t index = 0, taken = 0;
    vx_show_text(&s->vx, "all taken", "%d", open_swapchain(s, VK_PRESENT_MODE_IMMEDIATE_KHR, 3));
    for (; taken < s->count; taken++) {
        VX(&s->vx,
           vkAcquireNextImageKHR(s->vx.device, s->swapchain, 0, VK_NULL_HANDLE, s->fence, &index));
        VX(&s->vx, vkWaitForFences(s->vx.device, 1, &s->fence, VK_TRUE, UINT64_MAX));
        VX(&s->vx, vkResetFences(s->vx.device, 1, &s->fence));
    }
    VkResult result =
        vkAcquireNextImageKHR(s->vx.device, s->swapchain, 0, VK_NULL_HANDLE, s->fence, &index);
    vx_show_text(&s->vx, "all taken", "%u %d", taken, result);
    close_swapchain(s);
}

static void resize(struct scene *s)
{
    VkResult acquired, result;
    vx_show_text(&s->vx, "resize", "%d", open_swapchain(s, VK_PRESENT_MODE_FIFO_KHR, 3));
    result = frame(s, 1, &acquired);
    vx_show_text(&s->vx, "resize", "%d %d", acquired, result);
    show_window(s, "resize before", 1);
    s->width = WIDTH + 33;
    s->height = HEIGHT + 11;
    xcb_configure_window(s->xcb, s->window, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT,
                         (const uint32_t[]){s->width, s->height});
    sync_server(s);
    show_capabilities(s, "resize capabilities");
    for (uint32_t i = 0; i < 3; i++) {
        result = frame(s, 2 + i, &acquired);
        vx_show_text(&s->vx, "resize after", "%d %d", acquired, result);
    }
    vx_show_text(&s->vx, "resize again", "%d", open_swapchain(s, VK_PRESENT_MODE_FIFO_KHR, 3));
    result = frame(s, 7, &acquired);
    vx_show_text(&s->vx, "resize again", "%d %d", acquired, result);
    show_window(s, "resize again", 7);
    close_swapchain(s);
}

static void xlib(struct scene *s)
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
    vx_show_text(&s->vx, "xlib", "%d", open_swapchain(s, VK_PRESENT_MODE_MAILBOX_KHR, 4));
    VkResult acquired, result = frame(s, 9, &acquired);
    vx_show_text(&s->vx, "xlib", "%d %d", acquired, result);
    show_window(s, "xlib", 9);
    close_swapchain(s);
    vkDestroySurfaceKHR(s->vx.instance, s->surface, NULL);
    s->surface = xcb_surface;
    XCloseDisplay(display);
}

/* A window that is destroyed under a swapchain: errors, and everything can still be freed. */
static void gone(struct scene *s)
{
    VkResult acquired, result;
    vx_show_text(&s->vx, "gone", "%d", open_swapchain(s, VK_PRESENT_MODE_IMMEDIATE_KHR, 3));
    result = frame(s, 3, &acquired);
    vx_show_text(&s->vx, "gone", "%d %d", acquired, result);
    xcb_destroy_window(s->xcb, s->window);
    sync_server(s);
    show_capabilities(s, "gone");
    for (uint32_t i = 0; i < 8 && acquired >= 0; i++) { /* it may take a frame or two */
        (void)frame(s, 4, &acquired);
    }
    vx_show_text(&s->vx, "gone", "%d", acquired);
    close_swapchain(s);
}

int main(void)
{
    struct scene s = {0};
    open_instance(&s.vx);
    const struct vx_wants wants = {.extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME}};
    vx_open_device(&s.vx, &wants);
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VX(&s.vx, vkCreateSemaphore(s.vx.device, &semaphore, NULL, &s.acquired));
    VX(&s.vx, vkCreateSemaphore(s.vx.device, &semaphore, NULL, &s.drawn));
    VX(&s.vx, vkCreateFence(s.vx.device, &fence, NULL, &s.fence));
    s.pattern = vx_buffer(&s.vx, PATTERN_SIZE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    s.xcb = xcb_connect(NULL, NULL);
    vx_need(xcb_connection_has_error(s.xcb) == 0, "an X server");
    s.screen = xcb_setup_roots_iterator(xcb_get_setup(s.xcb)).data;
    open_window(&s);
    open_surface(&s);
    show_capabilities(&s, "capabilities");
    show_lists(&s);
    show_group(&s);
    modes(&s);
    exhaust(&s);
    xlib(&s);
    resize(&s);
    gone(&s);
    vkDestroySurfaceKHR(s.vx.instance, s.surface, NULL);
    vx_buffer_free(&s.vx, &s.pattern);
    vkDestroyFence(s.vx.device, s.fence, NULL);
    vkDestroySemaphore(s.vx.device, s.drawn, NULL);
    vkDestroySemaphore(s.vx.device, s.acquired, NULL);
    xcb_disconnect(s.xcb);
    vx_close(&s.vx);
    return 0;
}
