/* Headless surfaces, which the native driver of Debian 12 does not have: nothing shows what was
 * presented, so this program looks itself whether all goes as it should, and ends with 1 if not. */
#include "tests/integration/vulkan/vx.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 70, HEIGHT = 50, IMAGES = 4, FRAMES = 30 };

struct scene {
    struct vx vx;
    VkSurfaceKHR surface;
    VkSwapchainKHR swapchain;
    VkImage images[IMAGES];
    VkSemaphore acquired, drawn;
    struct vx_buffer pattern, back;
};

static bool open_instance(struct vx *vx)
{
    static const char *const names[] = {VK_KHR_SURFACE_EXTENSION_NAME,
                                        VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME};
    *vx = (struct vx){0};
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application,
                                       .enabledExtensionCount = 2,
                                       .ppEnabledExtensionNames = names};
    if (vkCreateInstance(&info, NULL, &vx->instance) != VK_SUCCESS) {
        return false;
    }
    uint32_t count = 1;
    VkResult result = vkEnumeratePhysicalDevices(vx->instance, &count, &vx->physical);
    vx_need(count == 1 && (result == VK_SUCCESS || result == VK_INCOMPLETE), "a physical device");
    vkGetPhysicalDeviceFeatures(vx->physical, &vx->features);
    vkGetPhysicalDeviceMemoryProperties(vx->physical, &vx->memory);
    return true;
}

static void open_surface(struct scene *s)
{
    /* The loader exports no function of this extension. */
    PFN_vkCreateHeadlessSurfaceEXT create = (PFN_vkCreateHeadlessSurfaceEXT)vkGetInstanceProcAddr(
        s->vx.instance, "vkCreateHeadlessSurfaceEXT");
    vx_need(create != NULL, "vkCreateHeadlessSurfaceEXT");
    const VkHeadlessSurfaceCreateInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    VX(&s->vx, create(s->vx.instance, &info, NULL, &s->surface));
    VkBool32 supported = VK_FALSE;
    VX(&s->vx, vkGetPhysicalDeviceSurfaceSupportKHR(s->vx.physical, 0, s->surface, &supported));
    vx_need(supported, "support");
    VkSurfaceCapabilitiesKHR caps;
    VX(&s->vx, vkGetPhysicalDeviceSurfaceCapabilitiesKHR(s->vx.physical, s->surface, &caps));
    vx_need(caps.currentExtent.width == UINT32_MAX && caps.minImageCount <= IMAGES, "any size");
    VkPresentModeKHR modes[8];
    uint32_t count = 8;
    VX(&s->vx,
       vkGetPhysicalDeviceSurfacePresentModesKHR(s->vx.physical, s->surface, &count, modes));
    bool has_fifo = false;
    for (uint32_t i = 0; i < count; i++) {
        has_fifo = has_fifo || modes[i] == VK_PRESENT_MODE_FIFO_KHR;
    }
    vx_need(has_fifo, "FIFO, which every surface has");
}

static void open_swapchain(struct scene *s)
{
    const VkSwapchainCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                           .surface = s->surface,
                                           .minImageCount = IMAGES,
                                           .imageFormat = VK_FORMAT_R8G8B8A8_UNORM,
                                           .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
                                           .imageExtent = {WIDTH, HEIGHT},
                                           .imageArrayLayers = 1,
                                           .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                                                         VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
                                           .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
                                           .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
                                           .presentMode = VK_PRESENT_MODE_FIFO_KHR};
    VX(&s->vx, vkCreateSwapchainKHR(s->vx.device, &info, NULL, &s->swapchain));
    uint32_t count = IMAGES;
    VX(&s->vx, vkGetSwapchainImagesKHR(s->vx.device, s->swapchain, &count, s->images));
    vx_need(count == IMAGES, "as many images as asked for");
}

static void barrier(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to)
{
    const VkImageMemoryBarrier one = {.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                      .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                      .dstAccessMask =
                                          VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
                                      .oldLayout = from,
                                      .newLayout = to,
                                      .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                      .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                      .image = image,
                                      .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &one);
}

/* A picture goes into the image and, as a check of what the image holds, back out. */
static VkCommandBuffer record(struct scene *s, VkImage image)
{
    const VkBufferImageCopy all = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                   .imageExtent = {WIDTH, HEIGHT, 1}};
    VkCommandBuffer commands = vx_begin(&s->vx);
    barrier(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdCopyBufferToImage(commands, s->pattern.buffer, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                           1, &all);
    barrier(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
            VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    vkCmdCopyImageToBuffer(commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, s->back.buffer, 1,
                           &all);
    barrier(commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    vx_memory_barrier(commands);
    VX(&s->vx, vkEndCommandBuffer(commands));
    return commands;
}

static void frame(struct scene *s, uint32_t number)
{
    uint32_t index;
    VX(&s->vx, vkAcquireNextImageKHR(s->vx.device, s->swapchain, UINT64_MAX, s->acquired,
                                     VK_NULL_HANDLE, &index));
    vx_bytes(s->pattern.map, WIDTH * HEIGHT * 4, number);
    VkCommandBuffer commands = record(s, s->images[index]);
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .waitSemaphoreCount = 1,
                                 .pWaitSemaphores = &s->acquired,
                                 .pWaitDstStageMask = &stage,
                                 .commandBufferCount = 1,
                                 .pCommandBuffers = &commands,
                                 .signalSemaphoreCount = 1,
                                 .pSignalSemaphores = &s->drawn};
    VX(&s->vx, vkQueueSubmit(s->vx.queue, 1, &submit, VK_NULL_HANDLE));
    const VkPresentInfoKHR present = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                      .waitSemaphoreCount = 1,
                                      .pWaitSemaphores = &s->drawn,
                                      .swapchainCount = 1,
                                      .pSwapchains = &s->swapchain,
                                      .pImageIndices = &index};
    VX(&s->vx, vkQueuePresentKHR(s->vx.queue, &present));
    VX(&s->vx, vkQueueWaitIdle(s->vx.queue));
    vx_need(memcmp(s->pattern.map, s->back.map, WIDTH * HEIGHT * 4) == 0, "the same picture back");
    vkFreeCommandBuffers(s->vx.device, s->vx.pool, 1, &commands);
}

int main(void)
{
    struct scene s = {0};
    if (!open_instance(&s.vx)) {
        vx_unsupported(&s.vx, "headless", "the driver has no VK_EXT_headless_surface");
        return 77;
    }
    const struct vx_wants wants = {.extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME}};
    vx_open_device(&s.vx, &wants);
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VX(&s.vx, vkCreateSemaphore(s.vx.device, &semaphore, NULL, &s.acquired));
    VX(&s.vx, vkCreateSemaphore(s.vx.device, &semaphore, NULL, &s.drawn));
    s.pattern = vx_buffer(&s.vx, WIDTH * HEIGHT * 4, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    s.back = vx_buffer(&s.vx, WIDTH * HEIGHT * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    open_surface(&s);
    open_swapchain(&s);
    for (uint32_t i = 0; i < FRAMES; i++) {
        frame(&s, i);
    }
    vkDestroySwapchainKHR(s.vx.device, s.swapchain, NULL);
    vkDestroySurfaceKHR(s.vx.instance, s.surface, NULL);
    vx_buffer_free(&s.vx, &s.back);
    vx_buffer_free(&s.vx, &s.pattern);
    vkDestroySemaphore(s.vx.device, s.drawn, NULL);
    vkDestroySemaphore(s.vx.device, s.acquired, NULL);
    vx_close(&s.vx);
    return 0;
}
