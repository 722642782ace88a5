/* Surfaces: making and destroying them, and what an application asks about them. */
#include "guest/vulkan/gvk_surface.h"

#include "guest/vk_hand.h"

#include <string.h>

VkResult gvk_surface_create(VkInstance instance, const VkAllocationCallbacks *callbacks,
                            const struct gvk_surface_ops *ops, struct gvk_surface **out)
{
    struct gvk_instance *owner = GVK_FROM(gvk_instance, instance);
    struct gvk_surface *surface =
        gvk_alloc(&owner->allocator, callbacks, sizeof *surface, VK_SYSTEM_ALLOCATION_SCOPE_OBJECT);
    if (surface == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    surface->object.vk.id = gvk_local_id();
    surface->ops = ops;
    surface->instance = owner;
    *out = surface;
    return VK_SUCCESS;
}

void gvk_vkDestroySurfaceKHR(VkInstance instance, VkSurfaceKHR handle,
                             const VkAllocationCallbacks *pAllocator)
{
    struct gvk_surface *surface = GVK_FROM(gvk_surface, handle);
    if (surface != NULL) {
        gvk_private_clear(&surface->object);
        gvk_free(&GVK_FROM(gvk_instance, instance)->allocator, pAllocator, surface);
    }
}

/* --- what a surface can --- */

VkResult gvk_vkGetPhysicalDeviceSurfaceSupportKHR(VkPhysicalDevice physicalDevice,
                                                  uint32_t queueFamilyIndex, VkSurfaceKHR surface,
                                                  VkBool32 *pSupported)
{
    (void)physicalDevice;
    (void)queueFamilyIndex; /* presenting needs a queue that can wait, which all can */
    struct gvk_surface *s = GVK_FROM(gvk_surface, surface);
    VkFormat formats[GVK_SURFACE_FORMATS_MAX];
    uint32_t count = 0;
    VkResult result = s->ops->formats(s, formats, &count);
    *pSupported = result == VK_SUCCESS && count != 0;
    return result;
}

static VkResult capabilities(VkPhysicalDevice physical, struct gvk_surface *surface,
                             VkSurfaceCapabilitiesKHR *caps)
{
    uint32_t most = GVK_FROM(gvk_physical, physical)->properties.limits.maxImageDimension2D;
    *caps = (VkSurfaceCapabilitiesKHR){
        .minImageExtent = {1, 1},
        .maxImageExtent = {most, most},
        .maxImageArrayLayers = 1,
        .supportedTransforms = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .currentTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .supportedUsageFlags = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                               VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_STORAGE_BIT |
                               VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                               VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT};
    return surface->ops->capabilities(surface, caps);
}

VkResult
gvk_vkGetPhysicalDeviceSurfaceCapabilitiesKHR(VkPhysicalDevice physicalDevice, VkSurfaceKHR surface,
                                              VkSurfaceCapabilitiesKHR *pSurfaceCapabilities)
{
    return capabilities(physicalDevice, GVK_FROM(gvk_surface, surface), pSurfaceCapabilities);
}

VkResult
gvk_vkGetPhysicalDeviceSurfaceCapabilities2KHR(VkPhysicalDevice physicalDevice,
                                               const VkPhysicalDeviceSurfaceInfo2KHR *pSurfaceInfo,
                                               VkSurfaceCapabilities2KHR *pSurfaceCapabilities)
{
    for (VkBaseOutStructure *out = pSurfaceCapabilities->pNext; out != NULL; out = out->pNext) {
        if (out->sType == VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR) {
            ((VkSurfaceProtectedCapabilitiesKHR *)(void *)out)->supportsProtected = VK_FALSE;
        }
    }
    return capabilities(physicalDevice, GVK_FROM(gvk_surface, pSurfaceInfo->surface),
                        &pSurfaceCapabilities->surfaceCapabilities);
}

VkResult
gvk_vkGetPhysicalDeviceSurfaceCapabilities2EXT(VkPhysicalDevice physicalDevice,
                                               VkSurfaceKHR surface,
                                               VkSurfaceCapabilities2EXT *pSurfaceCapabilities)
{
    VkSurfaceCapabilitiesKHR caps;
    VkResult result = capabilities(physicalDevice, GVK_FROM(gvk_surface, surface), &caps);
    if (result != VK_SUCCESS) {
        return result;
    }
    pSurfaceCapabilities->minImageCount = caps.minImageCount;
    pSurfaceCapabilities->maxImageCount = caps.maxImageCount;
    pSurfaceCapabilities->currentExtent = caps.currentExtent;
    pSurfaceCapabilities->minImageExtent = caps.minImageExtent;
    pSurfaceCapabilities->maxImageExtent = caps.maxImageExtent;
    pSurfaceCapabilities->maxImageArrayLayers = caps.maxImageArrayLayers;
    pSurfaceCapabilities->supportedTransforms = caps.supportedTransforms;
    pSurfaceCapabilities->currentTransform = caps.currentTransform;
    pSurfaceCapabilities->supportedCompositeAlpha = caps.supportedCompositeAlpha;
    pSurfaceCapabilities->supportedUsageFlags = caps.supportedUsageFlags;
    pSurfaceCapabilities->supportedSurfaceCounters = 0;
    return VK_SUCCESS;
}

VkResult gvk_vkGetPhysicalDeviceSurfaceFormatsKHR(VkPhysicalDevice physicalDevice,
                                                  VkSurfaceKHR surface,
                                                  uint32_t *pSurfaceFormatCount,
                                                  VkSurfaceFormatKHR *pSurfaceFormats)
{
    (void)physicalDevice;
    struct gvk_surface *s = GVK_FROM(gvk_surface, surface);
    VkFormat formats[GVK_SURFACE_FORMATS_MAX];
    VkSurfaceFormatKHR all[GVK_SURFACE_FORMATS_MAX];
    uint32_t count = 0;
    VkResult result = s->ops->formats(s, formats, &count);
    for (uint32_t i = 0; i < count; i++) {
        all[i] = (VkSurfaceFormatKHR){formats[i], VK_COLOR_SPACE_SRGB_NONLINEAR_KHR};
    }
    return result != VK_SUCCESS
               ? result
               : GVK_SURFACE_LIST(pSurfaceFormats, pSurfaceFormatCount, all, count);
}

VkResult gvk_vkGetPhysicalDeviceSurfaceFormats2KHR(
    VkPhysicalDevice physicalDevice, const VkPhysicalDeviceSurfaceInfo2KHR *pSurfaceInfo,
    uint32_t *pSurfaceFormatCount, VkSurfaceFormat2KHR *pSurfaceFormats)
{
    if (pSurfaceFormats == NULL) {
        return gvk_vkGetPhysicalDeviceSurfaceFormatsKHR(physicalDevice, pSurfaceInfo->surface,
                                                        pSurfaceFormatCount, NULL);
    }
    VkSurfaceFormatKHR all[GVK_SURFACE_FORMATS_MAX];
    uint32_t count = GVK_SURFACE_FORMATS_MAX;
    VkResult result = gvk_vkGetPhysicalDeviceSurfaceFormatsKHR(physicalDevice,
                                                               pSurfaceInfo->surface, &count, all);
    if (result != VK_SUCCESS) {
        return result;
    }
    uint32_t room = *pSurfaceFormatCount;
    *pSurfaceFormatCount = room < count ? room : count;
    for (uint32_t i = 0; i < *pSurfaceFormatCount; i++) {
        pSurfaceFormats[i].surfaceFormat = all[i];
    }
    return room < count ? VK_INCOMPLETE : VK_SUCCESS;
}

VkResult gvk_vkGetPhysicalDeviceSurfacePresentModesKHR(VkPhysicalDevice physicalDevice,
                                                       VkSurfaceKHR surface,
                                                       uint32_t *pPresentModeCount,
                                                       VkPresentModeKHR *pPresentModes)
{
    (void)physicalDevice;
    const struct gvk_surface_ops *ops = GVK_FROM(gvk_surface, surface)->ops;
    return GVK_SURFACE_LIST(pPresentModes, pPresentModeCount, ops->modes, ops->mode_count);
}

VkResult gvk_vkGetPhysicalDevicePresentRectanglesKHR(VkPhysicalDevice physicalDevice,
                                                     VkSurfaceKHR surface, uint32_t *pRectCount,
                                                     VkRect2D *pRects)
{
    (void)physicalDevice;
    struct gvk_surface *s = GVK_FROM(gvk_surface, surface);
    VkRect2D all = {.offset = {0, 0}};
    VkResult result = s->ops->size(s, &all.extent);
    return result != VK_SUCCESS ? result : GVK_SURFACE_LIST(pRects, pRectCount, &all, 1);
}

/* --- device groups: always of one device, which shows its own pictures --- */

VkResult gvk_vkGetDeviceGroupPresentCapabilitiesKHR(
    VkDevice device, VkDeviceGroupPresentCapabilitiesKHR *pDeviceGroupPresentCapabilities)
{
    (void)device;
    memset(pDeviceGroupPresentCapabilities->presentMask, 0,
           sizeof pDeviceGroupPresentCapabilities->presentMask);
    pDeviceGroupPresentCapabilities->presentMask[0] = 1;
    pDeviceGroupPresentCapabilities->modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
    return VK_SUCCESS;
}

VkResult gvk_vkGetDeviceGroupSurfacePresentModesKHR(VkDevice device, VkSurfaceKHR surface,
                                                    VkDeviceGroupPresentModeFlagsKHR *pModes)
{
    (void)device;
    (void)surface;
    *pModes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
    return VK_SUCCESS;
}
