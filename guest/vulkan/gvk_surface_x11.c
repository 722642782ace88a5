/* Surfaces of X windows, given as xcb or Xlib has them. Questions go over the application's own
 * connection, after everything it sent; a connection of ours is made for swapchains only. */
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_surface.h"
#include "guest/x11/gx.h"

#include <stdlib.h>
#include <xcb/xcb.h>

/* Pictures ahead: one shown, one waiting, one being drawn. */
#define IMAGES_MIN 3u

static xcb_connection_t *connection_of(void *display, bool xlib)
{
    const struct gx_native native = {.connection = display, .xlib = xlib, .screen = -1};
    return gx_native_connection(&native);
}

/* --- visuals --- */

struct visual {
    const xcb_visualtype_t *type;
    uint32_t depth;
};

static bool visual_find(xcb_connection_t *connection, xcb_visualid_t id, struct visual *out)
{
    const xcb_setup_t *setup = xcb_get_setup(connection);
    for (xcb_screen_iterator_t s = xcb_setup_roots_iterator(setup); s.rem != 0;
         xcb_screen_next(&s)) {
        for (xcb_depth_iterator_t d = xcb_screen_allowed_depths_iterator(s.data); d.rem != 0;
             xcb_depth_next(&d)) {
            for (xcb_visualtype_iterator_t v = xcb_depth_visuals_iterator(d.data); v.rem != 0;
                 xcb_visualtype_next(&v)) {
                if (v.data->visual_id == id) {
                    *out = (struct visual){.type = v.data, .depth = d.data->depth};
                    return true;
                }
            }
        }
    }
    return false;
}

static bool visual_usable(const struct visual *visual)
{
    return visual->type->_class == XCB_VISUAL_CLASS_TRUE_COLOR ||
           visual->type->_class == XCB_VISUAL_CLASS_DIRECT_COLOR;
}

static bool visual_has_alpha(const struct visual *visual)
{
    uint32_t all = visual->depth >= 32 ? UINT32_MAX : (1u << visual->depth) - 1;
    return (all & ~(visual->type->red_mask | visual->type->green_mask | visual->type->blue_mask)) !=
           0;
}

/* --- windows --- */

struct window {
    VkExtent2D extent;
    struct visual visual;
};

static VkResult window_ask(const struct gvk_surface *surface, struct window *window)
{
    xcb_connection_t *c = connection_of(surface->display, surface->xlib);
    if (c == NULL) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    xcb_get_geometry_cookie_t geometry_at = xcb_get_geometry(c, surface->xid);
    xcb_get_window_attributes_cookie_t attributes_at = xcb_get_window_attributes(c, surface->xid);
    xcb_generic_error_t *errors[2] = {NULL, NULL};
    xcb_get_geometry_reply_t *geometry = xcb_get_geometry_reply(c, geometry_at, &errors[0]);
    xcb_get_window_attributes_reply_t *attributes =
        xcb_get_window_attributes_reply(c, attributes_at, &errors[1]);
    bool found = geometry != NULL && attributes != NULL &&
                 visual_find(c, attributes->visual, &window->visual);
    if (found) {
        window->extent = (VkExtent2D){geometry->width, geometry->height};
    }
    free(geometry);
    free(attributes);
    free(errors[0]);
    free(errors[1]);
    return found ? VK_SUCCESS : VK_ERROR_SURFACE_LOST_KHR;
}

static VkResult capabilities(struct gvk_surface *surface, VkSurfaceCapabilitiesKHR *caps)
{
    struct window window;
    VkResult result = window_ask(surface, &window);
    if (result != VK_SUCCESS) {
        return result;
    }
    caps->minImageCount = IMAGES_MIN;
    caps->currentExtent = window.extent;
    caps->minImageExtent = window.extent;
    caps->maxImageExtent = window.extent;
    caps->supportedCompositeAlpha =
        VK_COMPOSITE_ALPHA_INHERIT_BIT_KHR |
        (visual_has_alpha(&window.visual) ? VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR
                                          : VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR);
    return VK_SUCCESS;
}

static VkResult formats(struct gvk_surface *surface, VkFormat *formats, uint32_t *count)
{
    struct window window;
    VkResult result = window_ask(surface, &window);
    if (result != VK_SUCCESS) {
        return result;
    }
    const xcb_visualtype_t *type = window.visual.type;
    *count = 0;
    if (visual_usable(&window.visual) && type->red_mask == 0xff0000 && type->green_mask == 0xff00 &&
        type->blue_mask == 0xff) {
        formats[(*count)++] = VK_FORMAT_B8G8R8A8_SRGB;
        formats[(*count)++] = VK_FORMAT_B8G8R8A8_UNORM;
    } else if (visual_usable(&window.visual) && type->red_mask == 0x3ff00000 &&
               type->green_mask == 0xffc00 && type->blue_mask == 0x3ff) {
        formats[(*count)++] = VK_FORMAT_A2R10G10B10_UNORM_PACK32;
    }
    return VK_SUCCESS;
}

static VkResult size(struct gvk_surface *surface, VkExtent2D *extent)
{
    struct window window;
    VkResult result = window_ask(surface, &window);
    *extent = result == VK_SUCCESS ? window.extent : (VkExtent2D){0, 0};
    return result;
}

static const struct gvk_surface_ops ops = {
    .capabilities = capabilities,
    .formats = formats,
    .modes = {VK_PRESENT_MODE_IMMEDIATE_KHR, VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_FIFO_KHR,
              VK_PRESENT_MODE_FIFO_RELAXED_KHR},
    .mode_count = 4,
    .size = size,
    .presenter_create = gvk_present_x11_create};

static VkResult create(VkInstance instance, const VkAllocationCallbacks *callbacks, void *display,
                       bool xlib, uint32_t xid, VkSurfaceKHR *out)
{
    struct gvk_surface *surface;
    VkResult result = gvk_surface_create(instance, callbacks, &ops, &surface);
    if (result == VK_SUCCESS) {
        surface->display = display;
        surface->xlib = xlib;
        surface->xid = xid;
        *out = GVK_TO(VkSurfaceKHR, surface);
    }
    return result;
}

VkResult gvk_vkCreateXcbSurfaceKHR(VkInstance instance,
                                   const VkXcbSurfaceCreateInfoKHR *pCreateInfo,
                                   const VkAllocationCallbacks *pAllocator, VkSurfaceKHR *pSurface)
{
    return create(instance, pAllocator, pCreateInfo->connection, false, pCreateInfo->window,
                  pSurface);
}

VkResult gvk_vkCreateXlibSurfaceKHR(VkInstance instance,
                                    const VkXlibSurfaceCreateInfoKHR *pCreateInfo,
                                    const VkAllocationCallbacks *pAllocator, VkSurfaceKHR *pSurface)
{
    return create(instance, pAllocator, pCreateInfo->dpy, true, (uint32_t)pCreateInfo->window,
                  pSurface);
}

static VkBool32 supported(void *display, bool xlib, uint32_t visual_id)
{
    xcb_connection_t *connection = connection_of(display, xlib);
    struct visual visual;
    return connection != NULL && visual_find(connection, visual_id, &visual) &&
           visual_usable(&visual);
}

VkBool32 gvk_vkGetPhysicalDeviceXcbPresentationSupportKHR(VkPhysicalDevice physicalDevice,
                                                          uint32_t queueFamilyIndex,
                                                          xcb_connection_t *connection,
                                                          xcb_visualid_t visual_id)
{
    (void)physicalDevice;
    (void)queueFamilyIndex;
    return supported(connection, false, visual_id);
}

VkBool32 gvk_vkGetPhysicalDeviceXlibPresentationSupportKHR(VkPhysicalDevice physicalDevice,
                                                           uint32_t queueFamilyIndex, Display *dpy,
                                                           VisualID visualID)
{
    (void)physicalDevice;
    (void)queueFamilyIndex;
    return supported(dpy, true, (uint32_t)visualID);
}
