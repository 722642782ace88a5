/* Surfaces of Wayland. What its compositor can show is asked of its wl_shm, on a queue of ours. */
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_surface.h"
#include "guest/vulkan/gvk_wayland.h"

/* Pictures ahead: one shown, one waiting, one held by the compositor, one being drawn. */
#define IMAGES_MIN 4u

static VkResult capabilities(struct gvk_surface *surface, VkSurfaceCapabilitiesKHR *caps)
{
    (void)surface; /* the size is the application's to choose */
    caps->minImageCount = IMAGES_MIN;
    caps->currentExtent = (VkExtent2D){UINT32_MAX, UINT32_MAX};
    caps->supportedCompositeAlpha =
        VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR | VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
    return VK_SUCCESS;
}

/* Bits of struct gvk_wl_shm.formats; false: nobody there. */
static bool formats_ask(struct wl_display *display, uint64_t *formats)
{
    struct gvk_wl wl;
    struct gvk_wl_shm shm;
    if (!gvk_wl_load(&wl)) {
        return false;
    }
    bool ok = gvk_wl_shm_open(&wl, display, &shm);
    if (ok) {
        *formats = shm.formats;
        gvk_wl_shm_close(&wl, &shm);
    }
    gvk_wl_unload(&wl);
    return ok;
}

static VkResult formats(struct gvk_surface *surface, VkFormat *formats, uint32_t *count)
{
    uint64_t known = 0;
    if (!formats_ask(surface->display, &known)) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    *count = 0;
    for (uint32_t i = 0; i < GVK_WL_FORMAT_COUNT; i++) {
        if ((known >> i & 1) != 0 && (known >> (32 + i) & 1) != 0) {
            formats[(*count)++] = gvk_wl_formats[i].format;
        }
    }
    return VK_SUCCESS;
}

static VkResult size(struct gvk_surface *surface, VkExtent2D *extent)
{
    (void)surface;
    *extent = (VkExtent2D){UINT32_MAX, UINT32_MAX};
    return VK_SUCCESS;
}

static const struct gvk_surface_ops ops = {
    .capabilities = capabilities,
    .formats = formats,
    .modes = {VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_FIFO_KHR},
    .mode_count = 2,
    .size = size,
    .presenter_create = gvk_present_wayland_create};

VkResult gvk_vkCreateWaylandSurfaceKHR(VkInstance instance,
                                       const VkWaylandSurfaceCreateInfoKHR *pCreateInfo,
                                       const VkAllocationCallbacks *pAllocator,
                                       VkSurfaceKHR *pSurface)
{
    struct gvk_surface *surface;
    VkResult result = gvk_surface_create(instance, pAllocator, &ops, &surface);
    if (result == VK_SUCCESS) {
        surface->display = pCreateInfo->display;
        surface->wl_surface = pCreateInfo->surface;
        *pSurface = GVK_TO(VkSurfaceKHR, surface);
    }
    return result;
}

VkBool32 gvk_vkGetPhysicalDeviceWaylandPresentationSupportKHR(VkPhysicalDevice physicalDevice,
                                                              uint32_t queueFamilyIndex,
                                                              struct wl_display *display)
{
    uint64_t known;
    (void)physicalDevice;
    (void)queueFamilyIndex;
    return formats_ask(display, &known);
}
