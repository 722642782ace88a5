/* Screens without a window system: a guest has none that are its driver's, so every list is empty,
 * as a native driver's is that finds no screen. Handles of screens and modes therefore never exist,
 * and what would need one fails. */
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_surface.h"

static VkResult none(uint32_t *count)
{
    *count = 0;
    return VK_SUCCESS;
}

VkResult gvk_vkGetPhysicalDeviceDisplayPropertiesKHR(VkPhysicalDevice physicalDevice,
                                                     uint32_t *pPropertyCount,
                                                     VkDisplayPropertiesKHR *pProperties)
{
    (void)physicalDevice;
    (void)pProperties;
    return none(pPropertyCount);
}

VkResult gvk_vkGetPhysicalDeviceDisplayProperties2KHR(VkPhysicalDevice physicalDevice,
                                                      uint32_t *pPropertyCount,
                                                      VkDisplayProperties2KHR *pProperties)
{
    (void)physicalDevice;
    (void)pProperties;
    return none(pPropertyCount);
}

VkResult gvk_vkGetPhysicalDeviceDisplayPlanePropertiesKHR(VkPhysicalDevice physicalDevice,
                                                          uint32_t *pPropertyCount,
                                                          VkDisplayPlanePropertiesKHR *pProperties)
{
    (void)physicalDevice;
    (void)pProperties;
    return none(pPropertyCount);
}

VkResult
gvk_vkGetPhysicalDeviceDisplayPlaneProperties2KHR(VkPhysicalDevice physicalDevice,
                                                  uint32_t *pPropertyCount,
                                                  VkDisplayPlaneProperties2KHR *pProperties)
{
    (void)physicalDevice;
    (void)pProperties;
    return none(pPropertyCount);
}

VkResult gvk_vkGetDisplayPlaneSupportedDisplaysKHR(VkPhysicalDevice physicalDevice,
                                                   uint32_t planeIndex, uint32_t *pDisplayCount,
                                                   VkDisplayKHR *pDisplays)
{
    (void)physicalDevice;
    (void)planeIndex;
    (void)pDisplays;
    return none(pDisplayCount);
}

VkResult gvk_vkGetDisplayModePropertiesKHR(VkPhysicalDevice physicalDevice, VkDisplayKHR display,
                                           uint32_t *pPropertyCount,
                                           VkDisplayModePropertiesKHR *pProperties)
{
    (void)physicalDevice;
    (void)display;
    (void)pProperties;
    return none(pPropertyCount);
}

VkResult gvk_vkGetDisplayModeProperties2KHR(VkPhysicalDevice physicalDevice, VkDisplayKHR display,
                                            uint32_t *pPropertyCount,
                                            VkDisplayModeProperties2KHR *pProperties)
{
    (void)physicalDevice;
    (void)display;
    (void)pProperties;
    return none(pPropertyCount);
}

VkResult gvk_vkCreateDisplayModeKHR(VkPhysicalDevice physicalDevice, VkDisplayKHR display,
                                    const VkDisplayModeCreateInfoKHR *pCreateInfo,
                                    const VkAllocationCallbacks *pAllocator,
                                    VkDisplayModeKHR *pMode)
{
    (void)physicalDevice;
    (void)display;
    (void)pCreateInfo;
    (void)pAllocator;
    (void)pMode;
    return VK_ERROR_INITIALIZATION_FAILED;
}

VkResult gvk_vkGetDisplayPlaneCapabilitiesKHR(VkPhysicalDevice physicalDevice,
                                              VkDisplayModeKHR mode, uint32_t planeIndex,
                                              VkDisplayPlaneCapabilitiesKHR *pCapabilities)
{
    (void)physicalDevice;
    (void)mode;
    (void)planeIndex;
    *pCapabilities = (VkDisplayPlaneCapabilitiesKHR){.supportedAlpha = 0};
    return VK_ERROR_OUT_OF_HOST_MEMORY; /* of the two errors that it may give */
}

VkResult gvk_vkGetDisplayPlaneCapabilities2KHR(VkPhysicalDevice physicalDevice,
                                               const VkDisplayPlaneInfo2KHR *pDisplayPlaneInfo,
                                               VkDisplayPlaneCapabilities2KHR *pCapabilities)
{
    return gvk_vkGetDisplayPlaneCapabilitiesKHR(physicalDevice, pDisplayPlaneInfo->mode,
                                                pDisplayPlaneInfo->planeIndex,
                                                &pCapabilities->capabilities);
}

VkResult gvk_vkCreateDisplayPlaneSurfaceKHR(VkInstance instance,
                                            const VkDisplaySurfaceCreateInfoKHR *pCreateInfo,
                                            const VkAllocationCallbacks *pAllocator,
                                            VkSurfaceKHR *pSurface)
{
    (void)instance;
    (void)pCreateInfo;
    (void)pAllocator;
    (void)pSurface;
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

VkResult gvk_vkReleaseDisplayEXT(VkPhysicalDevice physicalDevice, VkDisplayKHR display)
{
    (void)physicalDevice;
    (void)display; /* there is none to be released */
    return VK_SUCCESS;
}

VkResult gvk_vkAcquireDrmDisplayEXT(VkPhysicalDevice physicalDevice, int32_t drmFd,
                                    VkDisplayKHR display)
{
    (void)physicalDevice;
    (void)drmFd;
    (void)display;
    return VK_ERROR_INITIALIZATION_FAILED;
}

VkResult gvk_vkGetDrmDisplayEXT(VkPhysicalDevice physicalDevice, int32_t drmFd,
                                uint32_t connectorId, VkDisplayKHR *display)
{
    (void)physicalDevice;
    (void)drmFd;
    (void)connectorId;
    *display = VK_NULL_HANDLE;
    return VK_ERROR_INITIALIZATION_FAILED;
}
