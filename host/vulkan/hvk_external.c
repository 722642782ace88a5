/* What a guest may export and import, and in which layouts.
 *
 * Memory leaves as the shared pages that it lies in (hvk_blob.c), whatever the native driver could
 * export itself; so descriptors of every buffer and image can, of the two kinds that are memory to
 * anybody. DRM modifiers: the driver's, or LINEAR alone where it has none. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"

#define MODIFIER_LINEAR 0u
#define OURS                                                                                       \
    (VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT | VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT)

static struct hvk_physical *physical_of(void *record)
{
    return record; /* its first member */
}

static VkPhysicalDevice native_of(const struct hvk_physical *physical)
{
    return HVK_HANDLE(VkPhysicalDevice, physical->object.native);
}

static bool has_modifiers(const struct hvk_physical *physical)
{
    return hvk_physical_has(physical, UINT32_MAX, "VK_EXT_image_drm_format_modifier");
}

static VkExternalMemoryProperties external_of(struct hvk_physical *physical,
                                              VkExternalMemoryHandleTypeFlagBits type)
{
    VkExternalMemoryProperties p = {0};
    if (((uint32_t)type & OURS) != 0 && hvk_memory_shared_types(physical) != 0) {
        p.externalMemoryFeatures =
            VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
        p.exportFromImportedHandleTypes = type;
        p.compatibleHandleTypes = type;
    }
    return p;
}

void hvk_vkGetPhysicalDeviceExternalBufferProperties(
    struct hvk_call *call, struct vk_args_vkGetPhysicalDeviceExternalBufferProperties *a)
{
    (void)call;
    a->pExternalBufferProperties->externalMemoryProperties =
        external_of(physical_of(a->record), a->pExternalBufferInfo->handleType);
}

/* --- images --- */

/* The question as the native driver understands it; false: the answer is no. */
static bool translate(const struct hvk_physical *physical, VkPhysicalDeviceImageFormatInfo2 *info,
                      const VkPhysicalDeviceExternalImageFormatInfo **external)
{
    *external =
        hvk_chain_take(&info->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
    if (info->tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT || has_modifiers(physical)) {
        return true;
    }
    const VkPhysicalDeviceImageDrmFormatModifierInfoEXT *modifier = hvk_chain_take(
        &info->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT);
    info->tiling = VK_IMAGE_TILING_LINEAR;
    return modifier != NULL && modifier->drmFormatModifier == MODIFIER_LINEAR;
}

VkResult hvk_vkGetPhysicalDeviceImageFormatProperties2(
    struct hvk_call *call, struct vk_args_vkGetPhysicalDeviceImageFormatProperties2 *a)
{
    (void)call;
    struct hvk_physical *physical = physical_of(a->record);
    const struct vk_driver_instance *driver = &physical->object.instance->driver;
    VkPhysicalDeviceImageFormatInfo2 info = *a->pImageFormatInfo;
    const VkPhysicalDeviceExternalImageFormatInfo *external = NULL;
    if (driver->GetPhysicalDeviceImageFormatProperties2 == NULL ||
        !translate(physical, &info, &external)) {
        return VK_ERROR_FORMAT_NOT_SUPPORTED;
    }
    VkExternalImageFormatProperties *out =
        (VkExternalImageFormatProperties *)(uintptr_t)hvk_chain_find(
            a->pImageFormatProperties, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
    VkResult result = driver->GetPhysicalDeviceImageFormatProperties2(native_of(physical), &info,
                                                                      a->pImageFormatProperties);
    VkExternalMemoryProperties can = {0};
    if (external != NULL && external->handleType != 0) {
        can = external_of(physical, external->handleType);
        if (can.externalMemoryFeatures == 0 && result == VK_SUCCESS) {
            result = VK_ERROR_FORMAT_NOT_SUPPORTED;
        }
    }
    if (out != NULL) {
        out->externalMemoryProperties = can;
    }
    return result;
}

/* --- formats --- */

/* Count, or one element where there is room. */
static void answer_list(VkDrmFormatModifierPropertiesListEXT *list, VkFormatFeatureFlags linear)
{
    uint32_t there = linear != 0;
    if (list->pDrmFormatModifierProperties != NULL && list->drmFormatModifierCount >= there &&
        there != 0) {
        list->pDrmFormatModifierProperties[0] =
            (VkDrmFormatModifierPropertiesEXT){.drmFormatModifier = MODIFIER_LINEAR,
                                               .drmFormatModifierPlaneCount = 1,
                                               .drmFormatModifierTilingFeatures = linear};
    }
    if (list->pDrmFormatModifierProperties == NULL || list->drmFormatModifierCount > there) {
        list->drmFormatModifierCount = there;
    }
}

static void answer_list2(VkDrmFormatModifierPropertiesList2EXT *list, VkFormatFeatureFlags linear)
{
    uint32_t there = linear != 0;
    if (list->pDrmFormatModifierProperties != NULL && list->drmFormatModifierCount >= there &&
        there != 0) {
        list->pDrmFormatModifierProperties[0] =
            (VkDrmFormatModifierProperties2EXT){.drmFormatModifier = MODIFIER_LINEAR,
                                                .drmFormatModifierPlaneCount = 1,
                                                .drmFormatModifierTilingFeatures = linear};
    }
    if (list->pDrmFormatModifierProperties == NULL || list->drmFormatModifierCount > there) {
        list->drmFormatModifierCount = there;
    }
}

void hvk_vkGetPhysicalDeviceFormatProperties2(
    struct hvk_call *call, struct vk_args_vkGetPhysicalDeviceFormatProperties2 *a)
{
    (void)call;
    const struct hvk_physical *physical = physical_of(a->record);
    const struct vk_driver_instance *driver = &physical->object.instance->driver;
    VkFormatProperties2 *out = a->pFormatProperties;
    if (driver->GetPhysicalDeviceFormatProperties2 == NULL) {
        driver->GetPhysicalDeviceFormatProperties(native_of(physical), a->format,
                                                  &out->formatProperties);
    } else {
        driver->GetPhysicalDeviceFormatProperties2(native_of(physical), a->format, out);
    }
    if (has_modifiers(physical)) {
        return;
    }
    VkDrmFormatModifierPropertiesListEXT *list =
        (VkDrmFormatModifierPropertiesListEXT *)(uintptr_t)hvk_chain_find(
            out->pNext, VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT);
    VkDrmFormatModifierPropertiesList2EXT *list2 =
        (VkDrmFormatModifierPropertiesList2EXT *)(uintptr_t)hvk_chain_find(
            out->pNext, VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT);
    if (list != NULL) {
        answer_list(list, out->formatProperties.linearTilingFeatures);
    }
    if (list2 != NULL) {
        answer_list2(list2, out->formatProperties.linearTilingFeatures);
    }
}
