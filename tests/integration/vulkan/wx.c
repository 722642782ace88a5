#define VK_USE_PLATFORM_XCB_KHR
#include "tests/integration/vulkan/wx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vulkan/vulkan_xcb.h>

enum { WAIT_S = 20, PATTERN_SIZE = 1 << 18 };
static const struct timespec LOOK_AGAIN = {.tv_nsec = 1000000};

/* ---- instance and windows ---- */

static void open_instance(struct vx *vx)
{
    static const char *const names[] = {VK_KHR_SURFACE_EXTENSION_NAME,
                                        VK_KHR_XCB_SURFACE_EXTENSION_NAME, "VK_KHR_xlib_surface",
                                        VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME};
    vx_open_instance_with(vx, names, sizeof names / sizeof names[0]);
}

void wx_open_window(struct wx *s)
{
    s->width = WX_WIDTH;
    s->height = WX_HEIGHT;
    s->window = xcb_generate_id(s->xcb);
    xcb_create_window(s->xcb, XCB_COPY_FROM_PARENT, s->window, s->screen->root, 0, 0, WX_WIDTH,
                      WX_HEIGHT, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT, s->screen->root_visual,
                      XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT, (const uint32_t[]){0, 1});
    xcb_map_window(s->xcb, s->window);
}

void wx_sync(struct wx *s)
{
    free(xcb_get_input_focus_reply(s->xcb, xcb_get_input_focus(s->xcb), NULL));
}

void wx_open_surface(struct wx *s)
{
    const VkXcbSurfaceCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_XCB_SURFACE_CREATE_INFO_KHR,
                                            .connection = s->xcb,
                                            .window = s->window};
    VX(&s->vx, vkCreateXcbSurfaceKHR(s->vx.instance, &info, NULL, &s->surface));
}

/* ---- swapchains ---- */

VkResult wx_open_swapchain(struct wx *s, VkPresentModeKHR mode, uint32_t images,
                           VkSwapchainCreateFlagsKHR flags, const void *next)
{
    const VkSwapchainKHR old = s->swapchain;
    s->extent = (VkExtent2D){s->width, s->height};
    const VkSwapchainCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                           .pNext = next,
                                           .flags = flags,
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
    vx_need(s->count <= WX_IMAGES_MAX, "few images");
    VX(&s->vx, vkGetSwapchainImagesKHR(s->vx.device, s->swapchain, &s->count, s->images));
    return result;
}

void wx_close_swapchain(struct wx *s)
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

static void fill(struct wx *s, uint32_t number)
{
    uint32_t *pixels = s->pattern.map;
    for (uint32_t y = 0; y < s->extent.height; y++) {
        for (uint32_t x = 0; x < s->extent.width; x++) {
            pixels[y * s->extent.width + x] = pixel_of(number, x, y);
        }
    }
}

void wx_copy(const struct wx *s, VkCommandBuffer commands, VkImage image, VkBuffer buffer)
{
    VkImageMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                    .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                    .newLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                                    .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                    .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                    .image = image,
                                    .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    const VkBufferImageCopy all = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                   .imageExtent = {s->extent.width, s->extent.height, 1}};
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         0, 0, NULL, 0, NULL, 1, &barrier);
    vkCmdCopyBufferToImage(commands, buffer, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &all);
    barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = 0;
    barrier.oldLayout = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;
    barrier.newLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
}

void wx_draw_from(struct wx *s, VkImage image, VkBuffer buffer)
{
    VkCommandBuffer commands = vx_begin(&s->vx);
    wx_copy(s, commands, image, buffer);
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

void wx_draw(struct wx *s, VkImage image, uint32_t number)
{
    fill(s, number);
    wx_draw_from(s, image, s->pattern.buffer);
}

VkResult wx_present(struct wx *s, uint32_t index, const void *next)
{
    const VkPresentInfoKHR present = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                      .pNext = next,
                                      .waitSemaphoreCount = 1,
                                      .pWaitSemaphores = &s->drawn,
                                      .swapchainCount = 1,
                                      .pSwapchains = &s->swapchain,
                                      .pImageIndices = &index};
    return vkQueuePresentKHR(s->vx.queue, &present);
}

VkResult wx_frame(struct wx *s, uint32_t number, VkResult *acquired)
{
    uint32_t index = 0;
    *acquired = vkAcquireNextImageKHR(s->vx.device, s->swapchain, UINT64_MAX, s->acquired,
                                      VK_NULL_HANDLE, &index);
    if (*acquired < 0) {
        return *acquired;
    }
    wx_draw(s, s->images[index], number);
    return wx_present(s, index, NULL);
}

void wx_show_window(struct wx *s, const char *name, uint32_t number)
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
        if (!there) { /* two programs that wake each other may leave no other one its processor */
            nanosleep(&LOOK_AGAIN, NULL);
        }
    }
    if (!there) {
        const uint32_t *pixels = (const void *)xcb_get_image_data(image);
        fprintf(stderr, "the window shows %08x to %08x, not %08x to %08x\n", pixels[0],
                pixels[s->width * s->height - 1], pixel_of(number, 0, 0),
                pixel_of(number, s->width - 1, s->height - 1));
    }
    vx_need(there, "the picture in the window");
    vx_show(&s->vx, name, xcb_get_image_data(image), (size_t)s->width * s->height * 4);
    free(image);
}

/* ---- all of it ---- */

void wx_open(struct wx *s, void *features)
{
    static const struct vx_wants names = {
        .extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                       VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_EXTENSION_NAME,
                       VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME}};
    *s = (struct wx){0};
    open_instance(&s->vx);
    struct vx_wants wants = names;
    wants.features = features;
    vx_open_device(&s->vx, &wants);
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VX(&s->vx, vkCreateSemaphore(s->vx.device, &semaphore, NULL, &s->acquired));
    VX(&s->vx, vkCreateSemaphore(s->vx.device, &semaphore, NULL, &s->drawn));
    VX(&s->vx, vkCreateFence(s->vx.device, &fence, NULL, &s->fence));
    s->pattern = vx_buffer(&s->vx, PATTERN_SIZE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    s->xcb = xcb_connect(NULL, NULL);
    vx_need(xcb_connection_has_error(s->xcb) == 0, "an X server");
    s->screen = xcb_setup_roots_iterator(xcb_get_setup(s->xcb)).data;
    wx_open_window(s);
    wx_open_surface(s);
}

void wx_close(struct wx *s)
{
    vkDestroySurfaceKHR(s->vx.instance, s->surface, NULL);
    vx_buffer_free(&s->vx, &s->pattern);
    vkDestroyFence(s->vx.device, s->fence, NULL);
    vkDestroySemaphore(s->vx.device, s->drawn, NULL);
    vkDestroySemaphore(s->vx.device, s->acquired, NULL);
    xcb_disconnect(s->xcb);
    vx_close(&s->vx);
}
