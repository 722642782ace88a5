#define VK_USE_PLATFORM_XCB_KHR
#define VK_USE_PLATFORM_WAYLAND_KHR
#include "tests/integration/vulkan/kill_vk.h"

#include "push_frag.h"
#include "push_vert.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vulkan/vulkan_wayland.h>
#include <vulkan/vulkan_xcb.h>

enum { LOOK_S = 20 };

struct push {
    float place[4], tint[4];
    uint32_t mode;
    int32_t shift;
};

/* --- the picture --- */

void kv_open_picture(struct kv *kv)
{
    struct vx *vx = &kv->vx;
    kv->target = vx_target(vx, VK_FORMAT_B8G8R8A8_UNORM);
    kv->pixels = vx_buffer(vx, VX_SIDE * VX_SIDE * 4, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    kv->layout = vx_pipeline_layout(vx, VK_NULL_HANDLE,
                                    VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT,
                                    sizeof(struct push));
    const struct vx_pipeline p = {.vertex = VX_CODE(push_vert),
                                  .fragment = VX_CODE(push_frag),
                                  .layout = kv->layout,
                                  .pass = kv->target.pass,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP};
    kv->pipeline = vx_graphics_pipeline(vx, &p);
}

static void close_picture(struct kv *kv)
{
    vkDestroyPipeline(kv->vx.device, kv->pipeline, NULL);
    vkDestroyPipelineLayout(kv->vx.device, kv->layout, NULL);
    vx_buffer_free(&kv->vx, &kv->pixels);
    vx_target_free(&kv->vx, &kv->target);
    kv->pipeline = VK_NULL_HANDLE;
    kv->layout = VK_NULL_HANDLE;
    kv->target.pass = VK_NULL_HANDLE;
}

static void colour_of(uint32_t number, uint8_t bgra[4])
{
    bgra[0] = (uint8_t)number;
    bgra[1] = (uint8_t)(number * 3);
    bgra[2] = (uint8_t)(number * 5);
    bgra[3] = 255;
}

/* The fragment shader adds the corner's colour divided by 2^30: nothing. */
static struct push push_of(const uint8_t bgra[4])
{
    return (struct push){
        .place = {-1, -1, 1, 1},
        .tint = {(float)bgra[2] / 255, (float)bgra[1] / 255, (float)bgra[0] / 255, 1},
        .mode = 1,
        .shift = 30};
}

void kv_draw(struct kv *kv, uint32_t number)
{
    uint8_t want[4];
    colour_of(number, want);
    const struct push push = push_of(want);
    const VkBufferImageCopy all = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                   .imageExtent = {VX_SIDE, VX_SIDE, 1}};
    memset(kv->pixels.map, 0, kv->pixels.size);
    VkCommandBuffer commands = vx_begin(&kv->vx);
    vx_begin_target(commands, &kv->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, kv->pipeline);
    vkCmdPushConstants(commands, kv->layout,
                       VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof push,
                       &push);
    vkCmdDraw(commands, 4, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_memory_barrier(commands);
    vkCmdCopyImageToBuffer(commands, kv->target.image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                           kv->pixels.buffer, 1, &all);
    vx_memory_barrier(commands);
    vx_submit(&kv->vx, commands);
    const uint8_t *got = kv->pixels.map;
    for (size_t i = 0; i < VX_SIDE * VX_SIDE; i++) {
        vx_need(memcmp(got + 4 * i, want, 4) == 0, "the right picture");
    }
}

/* --- windows --- */

static void open_x11(struct kv *kv)
{
    kv->xcb = xcb_connect(NULL, NULL);
    vx_need(xcb_connection_has_error(kv->xcb) == 0, "an X server");
    const xcb_screen_t *screen = xcb_setup_roots_iterator(xcb_get_setup(kv->xcb)).data;
    kv->window = xcb_generate_id(kv->xcb);
    xcb_create_window(kv->xcb, XCB_COPY_FROM_PARENT, kv->window, screen->root, kv->x, 0, VX_SIDE,
                      VX_SIDE, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT, screen->root_visual,
                      XCB_CW_OVERRIDE_REDIRECT, (const uint32_t[]){1});
    xcb_map_window(kv->xcb, kv->window);
    xcb_flush(kv->xcb);
}

static void open_surface(struct kv *kv)
{
    if (kv->windows == KV_X11) {
        const VkXcbSurfaceCreateInfoKHR info = {.sType =
                                                    VK_STRUCTURE_TYPE_XCB_SURFACE_CREATE_INFO_KHR,
                                                .connection = kv->xcb,
                                                .window = kv->window};
        VX(&kv->vx, vkCreateXcbSurfaceKHR(kv->vx.instance, &info, NULL, &kv->surface));
    } else {
        const VkWaylandSurfaceCreateInfoKHR info = {
            .sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR,
            .display = kv->wayland,
            .surface = kv->wl_surface};
        VX(&kv->vx, vkCreateWaylandSurfaceKHR(kv->vx.instance, &info, NULL, &kv->surface));
    }
}

void kv_open_swapchain(struct kv *kv)
{
    struct vx *vx = &kv->vx;
    if (kv->surface == VK_NULL_HANDLE) {
        open_surface(kv);
    }
    const VkSwapchainCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                           .surface = kv->surface,
                                           .minImageCount = 4,
                                           .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
                                           .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
                                           .imageExtent = {VX_SIDE, VX_SIDE},
                                           .imageArrayLayers = 1,
                                           .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
                                           .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
                                           .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
                                           .presentMode = kv->mode,
                                           .clipped = VK_TRUE};
    VX(vx, vkCreateSwapchainKHR(vx->device, &info, NULL, &kv->swapchain));
    uint32_t count = KV_IMAGES_MAX;
    VX(vx, vkGetSwapchainImagesKHR(vx->device, kv->swapchain, &count, kv->images));
}

void kv_close_swapchain(struct kv *kv)
{
    if (kv->swapchain != VK_NULL_HANDLE) { /* the functions are there only with the extensions */
        vkDestroySwapchainKHR(kv->vx.device, kv->swapchain, NULL);
    }
    if (kv->surface != VK_NULL_HANDLE) {
        vkDestroySurfaceKHR(kv->vx.instance, kv->surface, NULL);
    }
    kv->swapchain = VK_NULL_HANDLE;
    kv->surface = VK_NULL_HANDLE;
}

VkResult kv_acquire(struct kv *kv, uint32_t *index)
{
    VkResult result = vkAcquireNextImageKHR(kv->vx.device, kv->swapchain, UINT64_MAX,
                                            VK_NULL_HANDLE, kv->fence, index);
    if (result != VK_SUCCESS && result != VK_SUBOPTIMAL_KHR) {
        return result;
    }
    result = vkWaitForFences(kv->vx.device, 1, &kv->fence, VK_TRUE, UINT64_MAX);
    return result == VK_SUCCESS ? vkResetFences(kv->vx.device, 1, &kv->fence) : result;
}

VkResult kv_present(struct kv *kv, uint32_t index)
{
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .signalSemaphoreCount = 1,
                                 .pSignalSemaphores = &kv->drawn[index]};
    VkResult result = vkQueueSubmit(kv->vx.queue, 1, &submit, VK_NULL_HANDLE);
    const VkPresentInfoKHR present = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                      .waitSemaphoreCount = 1,
                                      .pWaitSemaphores = &kv->drawn[index],
                                      .swapchainCount = 1,
                                      .pSwapchains = &kv->swapchain,
                                      .pImageIndices = &index};
    return result == VK_SUCCESS ? vkQueuePresentKHR(kv->vx.queue, &present) : result;
}

void kv_show(struct kv *kv)
{
    uint32_t index = 0;
    VX(&kv->vx, kv_acquire(kv, &index));
    const struct vx_image image = {.image = kv->images[index], .aspect = VK_IMAGE_ASPECT_COLOR_BIT};
    const VkImageCopy all = {.srcSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                             .dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                             .extent = {VX_SIDE, VX_SIDE, 1}};
    VkCommandBuffer commands = vx_begin(&kv->vx);
    vx_barrier(commands, &image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdCopyImage(commands, kv->target.image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                   image.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &all);
    vx_barrier(commands, &image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
               VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    vx_submit(&kv->vx, commands);
    VkResult result = kv_present(kv, index);
    vx_must(&kv->vx, result < 0 ? result : VK_SUCCESS, "vkQueuePresentKHR");
}

void kv_look(struct kv *kv, uint32_t number)
{
    uint8_t want[4];
    bool there = false;
    colour_of(number, want);
    for (time_t end = time(NULL) + LOOK_S; !there && time(NULL) < end;) {
        xcb_get_image_reply_t *image =
            xcb_get_image_reply(kv->xcb,
                                xcb_get_image(kv->xcb, XCB_IMAGE_FORMAT_Z_PIXMAP, kv->window,
                                              VX_SIDE / 2, VX_SIDE / 2, 1, 1, ~0u),
                                NULL);
        if (image == NULL) { /* the server's end is Vulkan's to tell */
            return;
        }
        there = memcmp(xcb_get_image_data(image), want, 3) == 0;
        free(image);
        if (!there) { /* two programs that wake each other may leave no other one its processor */
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    }
    vx_need(there, "the picture in the window");
}

/* --- all of it --- */

void kv_open(struct kv *kv)
{
    static const char *const x11[] = {VK_KHR_SURFACE_EXTENSION_NAME,
                                      VK_KHR_XCB_SURFACE_EXTENSION_NAME};
    static const char *const wayland[] = {VK_KHR_SURFACE_EXTENSION_NAME,
                                          VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME};
    const struct vx_wants swapchain = {.extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME}};
    const bool has_window = kv->windows != KV_OFFSCREEN;
    if (kv->windows == KV_X11 && kv->xcb == NULL) {
        open_x11(kv);
    } else if (kv->windows == KV_WAYLAND && kv->wayland == NULL) {
        kv_open_wayland(kv);
    }
    vx_open_instance_with(&kv->vx, kv->windows == KV_X11 ? x11 : wayland, has_window ? 2 : 0);
    vx_open_device(&kv->vx, has_window ? &swapchain : NULL);
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VX(&kv->vx, vkCreateFence(kv->vx.device, &fence, NULL, &kv->fence));
    for (uint32_t i = 0; i < KV_IMAGES_MAX; i++) {
        VX(&kv->vx, vkCreateSemaphore(kv->vx.device, &semaphore, NULL, &kv->drawn[i]));
    }
}

void kv_close(struct kv *kv)
{
    VkDevice device = kv->vx.device;
    if (device != VK_NULL_HANDLE) {
        (void)vkDeviceWaitIdle(device);
        if (kv->target.pass != VK_NULL_HANDLE) {
            close_picture(kv);
        }
        kv_close_swapchain(kv);
        for (uint32_t i = 0; i < KV_IMAGES_MAX; i++) {
            vkDestroySemaphore(device, kv->drawn[i], NULL);
            kv->drawn[i] = VK_NULL_HANDLE;
        }
        vkDestroyFence(device, kv->fence, NULL);
        kv->fence = VK_NULL_HANDLE;
        vkDestroyCommandPool(device, kv->vx.pool, NULL);
        kv->vx.pool = VK_NULL_HANDLE;
        vkDestroyDevice(device, NULL);
        kv->vx.device = VK_NULL_HANDLE;
    }
    vkDestroyInstance(kv->vx.instance, NULL);
    kv->vx.instance = VK_NULL_HANDLE;
}

bool kv_is_lost(const struct kv *kv)
{
    if (kv->vx.device != VK_NULL_HANDLE) {
        return vkDeviceWaitIdle(kv->vx.device) == VK_ERROR_DEVICE_LOST;
    }
    if (kv->vx.instance != VK_NULL_HANDLE) { /* there is no device yet, and nobody to make it */
        uint32_t count = 0;
        if (kv->vx.physical != VK_NULL_HANDLE) {
            vkGetPhysicalDeviceQueueFamilyProperties(kv->vx.physical, &count, NULL);
        }
        return count == 0;
    }
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    VkInstance instance;
    if (vkCreateInstance(&info, NULL, &instance) != VK_SUCCESS) {
        return true; /* nobody is there to connect to */
    }
    vkDestroyInstance(instance, NULL);
    return false;
}
