/* What fences and semaphores may be imported from and exported to: sync files alone, which are of
 * the guest's kernel, whatever the host's driver has. */
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk.h"
#include "guest/vulkan/gvk_clean.h"

static bool offers(VkPhysicalDevice handle, const char *extension)
{
    const struct gvk_physical *physical = GVK_FROM(gvk_physical, handle);
    return gvk_set_has_name(&physical->extensions.set, extension);
}

void gvk_vkGetPhysicalDeviceExternalFenceProperties(
    VkPhysicalDevice physicalDevice, const VkPhysicalDeviceExternalFenceInfo *pExternalFenceInfo,
    VkExternalFenceProperties *pExternalFenceProperties)
{
    const VkFlags type = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
    VkExternalFenceProperties *p = pExternalFenceProperties;
    if (!offers(physicalDevice, "VK_KHR_external_fence_fd")) {
        gvk_entry_vkGetPhysicalDeviceExternalFenceProperties(physicalDevice, pExternalFenceInfo, p);
        return;
    }
    bool can = pExternalFenceInfo->handleType == type;
    p->exportFromImportedHandleTypes = can ? type : 0;
    p->compatibleHandleTypes = can ? type : 0;
    p->externalFenceFeatures =
        can ? VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT
            : 0;
}

static bool is_timeline(const void *chain)
{
    const VkSemaphoreTypeCreateInfo *info =
        gvk_chain_find(chain, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    return info != NULL && info->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE;
}

void gvk_vkGetPhysicalDeviceExternalSemaphoreProperties(
    VkPhysicalDevice physicalDevice,
    const VkPhysicalDeviceExternalSemaphoreInfo *pExternalSemaphoreInfo,
    VkExternalSemaphoreProperties *pExternalSemaphoreProperties)
{
    const VkFlags type = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    VkExternalSemaphoreProperties *p = pExternalSemaphoreProperties;
    if (!offers(physicalDevice, "VK_KHR_external_semaphore_fd")) {
        gvk_entry_vkGetPhysicalDeviceExternalSemaphoreProperties(physicalDevice,
                                                                 pExternalSemaphoreInfo, p);
        return;
    }
    bool can =
        pExternalSemaphoreInfo->handleType == type && !is_timeline(pExternalSemaphoreInfo->pNext);
    p->exportFromImportedHandleTypes = can ? type : 0;
    p->compatibleHandleTypes = can ? type : 0;
    p->externalSemaphoreFeatures = can ? VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT |
                                             VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT
                                       : 0;
}
