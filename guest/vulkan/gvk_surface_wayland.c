/* Surfaces of Wayland. What its compositor can show is asked of its wl_shm, on a queue of ours. */
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_surface.h"
#include "guest/wayland/gw.h"

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

/* Formats of wl_shm that show one of ours, with blended and with ignored alpha. */
static const struct format {
    VkFormat format;
    uint32_t alpha, opaque;
} shown[] = {
    {VK_FORMAT_B8G8R8A8_SRGB, GW_ARGB8888, GW_XRGB8888},
    {VK_FORMAT_B8G8R8A8_UNORM, GW_ARGB8888, GW_XRGB8888},
    {VK_FORMAT_R5G6B5_UNORM_PACK16, GW_RGB565, GW_RGB565},
    {VK_FORMAT_R8G8B8A8_SRGB, GW_ABGR8888, GW_XBGR8888},
    {VK_FORMAT_R8G8B8A8_UNORM, GW_ABGR8888, GW_XBGR8888},
    {VK_FORMAT_A2R10G10B10_UNORM_PACK32, GW_ARGB2101010, GW_XRGB2101010},
    {VK_FORMAT_A2B10G10R10_UNORM_PACK32, GW_ABGR2101010, GW_XBGR2101010},
};
#define SHOWN_COUNT (uint32_t)(sizeof shown / sizeof shown[0])

uint32_t gvk_wayland_format(VkFormat format, bool blended)
{
    uint32_t i = 0;
    while (i + 1 < SHOWN_COUNT && shown[i].format != format) {
        i++;
    }
    return blended ? shown[i].alpha : shown[i].opaque;
}

/* Which of them the compositor shows: bits by place. False: nobody there. */
static bool formats_ask(struct wl_display *display, uint32_t *known)
{
    struct gw wl;
    struct gw_shm shm;
    if (!gw_load(&wl)) {
        return false;
    }
    bool ok = gw_shm_open(&wl, display, &shm);
    if (ok) {
        *known = 0;
        for (uint32_t i = 0; i < SHOWN_COUNT; i++) {
            bool both = gw_shm_has(&shm, shown[i].alpha) && gw_shm_has(&shm, shown[i].opaque);
            *known |= both ? 1u << i : 0;
        }
        gw_shm_close(&shm);
    }
    gw_unload(&wl);
    return ok;
}

static VkResult formats(struct gvk_surface *surface, VkFormat *formats, uint32_t *count)
{
    uint32_t known;
    if (!formats_ask(surface->display, &known)) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    *count = 0;
    for (uint32_t i = 0; i < SHOWN_COUNT; i++) {
        if ((known >> i & 1) != 0) {
            formats[(*count)++] = shown[i].format;
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
    uint32_t known;
    (void)physicalDevice;
    (void)queueFamilyIndex;
    return formats_ask(display, &known);
}
