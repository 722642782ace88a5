/* The border to the Vulkan loader: the three functions that it looks for in a driver.
 * Spec: Vulkan-Loader, LoaderDriverInterface, versions 2 to 5. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_hand.h"

#define EXPORT         __attribute__((visibility("default")))
#define LOADER_VERSION 5u

EXPORT VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version);
EXPORT PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char *name);
EXPORT PFN_vkVoidFunction vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name);

VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version)
{
    if (*version < 2) {
        return VK_ERROR_INCOMPATIBLE_DRIVER;
    }
    *version = *version < LOADER_VERSION ? *version : LOADER_VERSION;
    return VK_SUCCESS;
}

PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char *name)
{
    return gvk_vkGetInstanceProcAddr(instance, name);
}

PFN_vkVoidFunction vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name)
{
    return gvk_physical_proc(instance, name);
}
