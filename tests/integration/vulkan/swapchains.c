/* What swapchains can beyond pictures in a window: views of another format, images of the
 * program's own on a swapchain's memory, regions that changed, two windows in one presentation,
 * many swapchains one after another. Needs DISPLAY. */
#include "tests/integration/vulkan/wx.h"

#include <stdio.h>

enum { SWAPCHAINS = 20 };

/* The picture is drawn through a view of the other encoding: cleared to a colour of its number. */
static void clear_view(struct wx *s, VkImage image, const float *colour)
{
    const VkImageSubresourceRange all = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    const VkImageViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
                                        .image = image,
                                        .viewType = VK_IMAGE_VIEW_TYPE_2D,
                                        .format = VK_FORMAT_B8G8R8A8_SRGB,
                                        .subresourceRange = all};
    VkImageView view;
    VX(&s->vx, vkCreateImageView(s->vx.device, &info, NULL, &view));
    const VkRenderingAttachmentInfo attachment = {
        .sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
        .imageView = view,
        .imageLayout = VK_IMAGE_LAYOUT_GENERAL,
        .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
        .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
        .clearValue.color.float32 = {colour[0], colour[1], colour[2], 1}};
    const VkRenderingInfo rendering = {.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                                       .renderArea = {{0, 0}, {s->extent.width, 20}},
                                       .layerCount = 1,
                                       .colorAttachmentCount = 1,
                                       .pColorAttachments = &attachment};
    VkImageMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                    .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                    .dstAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                    .oldLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
                                    .newLayout = VK_IMAGE_LAYOUT_GENERAL,
                                    .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                    .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                    .image = image,
                                    .subresourceRange = all};
    VkCommandBuffer commands = vx_begin(&s->vx);
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
    vkCmdBeginRendering(commands, &rendering);
    vkCmdEndRendering(commands);
    barrier.oldLayout = VK_IMAGE_LAYOUT_GENERAL;
    barrier.newLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
    vx_submit(&s->vx, commands);
    vkDestroyImageView(s->vx.device, view, NULL);
}

/* The first rows are cleared through the view; the last row is still the pattern. */
static void views(struct wx *s)
{
    static const VkFormat formats[] = {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB};
    const VkImageFormatListCreateInfo list = {.sType =
                                                  VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
                                              .viewFormatCount = 2,
                                              .pViewFormats = formats};
    const VkRectLayerKHR rectangle = {.extent = s->extent};
    const VkPresentRegionKHR region = {1, &rectangle};
    const VkPresentRegionsKHR regions = {
        .sType = VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, .swapchainCount = 1, .pRegions = &region};
    vx_show_text(&s->vx, "views", "%d",
                 wx_open_swapchain(s, VK_PRESENT_MODE_FIFO_KHR, 3,
                                   VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR, &list));
    for (uint32_t number = 1; number < 8; number++) {
        uint32_t index;
        VX(&s->vx, vkAcquireNextImageKHR(s->vx.device, s->swapchain, UINT64_MAX, s->acquired,
                                         VK_NULL_HANDLE, &index));
        wx_draw(s, s->images[index], number);
        /* Encoded, the first pixel is that of the pattern again, by which the picture is known. */
        const float red = (float)(number + 1) / 255;
        const float colour[] = {red / 12.92f, 0, 0};
        clear_view(s, s->images[index], colour);
        vx_show_text(&s->vx, "views", "%d", wx_present(s, index, &regions));
        wx_show_window(s, "views", number);
    }
    wx_close_swapchain(s);
}

/* Images that the program makes like the swapchain's, on the memory of each. */
static void own_images(struct wx *s)
{
    vx_show_text(&s->vx, "own images", "%d",
                 wx_open_swapchain(s, VK_PRESENT_MODE_IMMEDIATE_KHR, 3, 0, NULL));
    const VkImageSwapchainCreateInfoKHR like = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR, .swapchain = s->swapchain};
    VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_B8G8R8A8_UNORM,
                      VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
    info.pNext = &like;
    info.extent = (VkExtent3D){s->extent.width, s->extent.height, 1};
    VkImage images[WX_IMAGES_MAX];
    for (uint32_t i = 0; i < s->count; i++) {
        VX(&s->vx, vkCreateImage(s->vx.device, &info, NULL, &images[i]));
        const VkBindImageMemorySwapchainInfoKHR on = {
            .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR,
            .swapchain = s->swapchain,
            .imageIndex = i};
        const VkBindImageMemoryInfo bind = {
            .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, .pNext = &on, .image = images[i]};
        VX(&s->vx, vkBindImageMemory2(s->vx.device, 1, &bind));
    }
    for (uint32_t number = 11; number < 18; number++) {
        uint32_t index;
        VX(&s->vx, vkAcquireNextImageKHR(s->vx.device, s->swapchain, UINT64_MAX, s->acquired,
                                         VK_NULL_HANDLE, &index));
        wx_draw(s, images[index], number);
        vx_show_text(&s->vx, "own images", "%d", wx_present(s, index, NULL));
        wx_show_window(s, "own images", number);
    }
    VX(&s->vx, vkDeviceWaitIdle(s->vx.device));
    for (uint32_t i = 0; i < s->count; i++) {
        vkDestroyImage(s->vx.device, images[i], NULL);
    }
    wx_close_swapchain(s);
}

/* Two windows, each with a picture of its own, in one call. */
static void two_windows(struct wx *s)
{
    struct wx other = *s;
    wx_open_window(&other);
    wx_open_surface(&other);
    /* Beside the first one, so that neither covers the other. */
    xcb_configure_window(s->xcb, other.window, XCB_CONFIG_WINDOW_X, (const uint32_t[]){300});
    wx_sync(s);
    other.swapchain = VK_NULL_HANDLE;
    vx_show_text(&s->vx, "two", "%d %d", wx_open_swapchain(s, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL),
                 wx_open_swapchain(&other, VK_PRESENT_MODE_MAILBOX_KHR, 4, 0, NULL));
    for (uint32_t number = 21; number < 28; number++) {
        uint32_t indices[2];
        struct wx *both[] = {s, &other};
        for (uint32_t i = 0; i < 2; i++) {
            VX(&s->vx, vkAcquireNextImageKHR(s->vx.device, both[i]->swapchain, UINT64_MAX,
                                             s->acquired, VK_NULL_HANDLE, &indices[i]));
            wx_draw(both[i], both[i]->images[indices[i]], number + 10 * i);
            if (i == 0) { /* drawn is signalled once more: wait for the first here */
                const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
                const VkSubmitInfo wait = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                           .waitSemaphoreCount = 1,
                                           .pWaitSemaphores = &s->drawn,
                                           .pWaitDstStageMask = &stage};
                VX(&s->vx, vkQueueSubmit(s->vx.queue, 1, &wait, VK_NULL_HANDLE));
            }
        }
        const VkSwapchainKHR swapchains[] = {s->swapchain, other.swapchain};
        VkResult results[2] = {VK_ERROR_UNKNOWN, VK_ERROR_UNKNOWN};
        const VkPresentInfoKHR present = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                          .waitSemaphoreCount = 1,
                                          .pWaitSemaphores = &s->drawn,
                                          .swapchainCount = 2,
                                          .pSwapchains = swapchains,
                                          .pImageIndices = indices,
                                          .pResults = results};
        VkResult result = vkQueuePresentKHR(s->vx.queue, &present);
        vx_show_text(&s->vx, "two", "%d %d %d", result, results[0], results[1]);
        wx_show_window(s, "two left", number);
        wx_show_window(&other, "two right", number + 10);
    }
    wx_close_swapchain(s);
    wx_close_swapchain(&other);
    vkDestroySurfaceKHR(s->vx.instance, other.surface, NULL);
    xcb_destroy_window(s->xcb, other.window);
}

/* Each takes the surface over from the one before. */
static void many(struct wx *s)
{
    for (uint32_t i = 0; i < SWAPCHAINS; i++) {
        VkResult acquired, created = wx_open_swapchain(s, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL);
        VkResult result = wx_frame(s, 40 + i, &acquired);
        vx_show_text(&s->vx, "many", "%d %d %d", created, acquired, result);
        wx_show_window(s, "many", 40 + i);
    }
    wx_close_swapchain(s);
}

int main(void)
{
    struct wx s;
    VkPhysicalDeviceVulkan13Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
        .dynamicRendering = VK_TRUE};
    wx_open(&s, &features);
    views(&s);
    own_images(&s);
    two_windows(&s);
    many(&s);
    wx_close(&s);
    return 0;
}
