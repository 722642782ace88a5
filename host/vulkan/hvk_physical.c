/* Physical devices: what a guest is told of them. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/mem.h"
#include "wire/vk_extensions.h"

/* What our queues may be; the rest needs commands that do not travel. */
#define QUEUE_FLAGS                                                                                \
    (VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT |                        \
     VK_QUEUE_SPARSE_BINDING_BIT)

static struct hvk_physical *physical_of(void *record)
{
    return record; /* its first member */
}

static void physical_release(struct hvk_object *object)
{
    (void)object; /* goes with its instance */
}

VkResult hvk_physical_init(struct hvk_physical *out, struct hvk_instance *instance,
                           VkPhysicalDevice native, const struct hvk_provider *provider)
{
    const struct vk_driver_instance *driver = &instance->driver;
    hvk_object_init(&out->object, VK_KIND_VkPhysicalDevice, HVK_U64(native), instance, NULL,
                    physical_release);
    driver->GetPhysicalDeviceProperties(native, &out->properties);
    driver->GetPhysicalDeviceMemoryProperties(native, &out->memory);
    uint32_t count = 0;
    driver->GetPhysicalDeviceQueueFamilyProperties(native, &count, NULL);
    out->families = sl_alloc_array(count, sizeof *out->families);
    if (out->families == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    driver->GetPhysicalDeviceQueueFamilyProperties(native, &count, out->families);
    out->family_count = count;
    VkResult result =
        hvk_extension_list(provider, driver, native, &out->extensions, &out->extension_count);
    if (result == VK_SUCCESS) {
        hvk_addresses_hide(out, provider);
        hvk_extensions_number(out);
    }
    return result;
}

void hvk_physical_finish(struct hvk_physical *physical)
{
    sl_free(physical->extensions);
    sl_free(physical->families);
}

bool hvk_physical_has(const void *record, uint32_t version, const char *extensions)
{
    const struct hvk_physical *p = record; /* its first member */
    char name[VK_MAX_EXTENSION_NAME_SIZE];
    if (p->properties.apiVersion >= version) {
        return true;
    }
    while (*extensions != '\0') {
        size_t length = strcspn(extensions, " ");
        if (length < sizeof name) {
            memcpy(name, extensions, length);
            name[length] = '\0';
            if (hvk_extension_is_in(p->extensions, p->extension_count, name)) {
                return true;
            }
        }
        extensions += length + (extensions[length] == ' ');
    }
    return false;
}

/* --- extensions and layers --- */

VkResult
hvk_vkEnumerateDeviceExtensionProperties(struct hvk_call *call,
                                         struct vk_args_vkEnumerateDeviceExtensionProperties *a)
{
    /* Images that cross processes are laid out by us where the driver cannot say how; stock guests
     * present by them, ours do not. */
    static const VkExtensionProperties for_stock[] = {
        {"VK_KHR_external_memory_fd", 1},
        {"VK_EXT_external_memory_dma_buf", 1},
        {"VK_EXT_image_drm_format_modifier", 2},
    };
    const struct hvk_physical *p = physical_of(a->record);
    if (a->pLayerName != NULL) {
        *a->pPropertyCount = 0;
        return VK_ERROR_LAYER_NOT_PRESENT;
    }
    uint32_t more = hvk_is_own(call) ? 0 : sizeof for_stock / sizeof for_stock[0];
    return hvk_extension_answer(p->extensions, p->extension_count, false, for_stock, more,
                                a->pPropertyCount, a->pProperties);
}

VkResult hvk_vkEnumerateDeviceLayerProperties(struct hvk_call *call,
                                              struct vk_args_vkEnumerateDeviceLayerProperties *a)
{
    (void)call;
    *a->pPropertyCount = 0;
    return VK_SUCCESS;
}

/* --- properties --- */

void hvk_vkGetPhysicalDeviceProperties(struct hvk_call *call,
                                       struct vk_args_vkGetPhysicalDeviceProperties *a)
{
    *a->pProperties = physical_of(a->record)->properties;
    a->pProperties->apiVersion = hvk_version(call, a->pProperties->apiVersion);
}

void hvk_vkGetPhysicalDeviceProperties2(struct hvk_call *call,
                                        struct vk_args_vkGetPhysicalDeviceProperties2 *a)
{
    const struct vk_driver_instance *driver = &hvk_instance_of(a->record)->driver;
    VkPhysicalDeviceProperties *properties = &a->pProperties->properties;
    if (driver->GetPhysicalDeviceProperties2 != NULL) {
        driver->GetPhysicalDeviceProperties2(a->physicalDevice, a->pProperties);
    } else {
        driver->GetPhysicalDeviceProperties(a->physicalDevice, properties);
    }
    properties->apiVersion = hvk_version(call, properties->apiVersion);
}

/* --- features --- */

/* Every extension that brings the struct is kept from the guest. */
static bool is_hidden(const struct vk_chain_struct *known)
{
    if (known == NULL || known->version != 0 || known->extension_count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < known->extension_count; i++) {
        if (vk_extensions[known->extensions[i]].refused == NULL) {
            return false;
        }
    }
    return true;
}

static void feature_filter(VkBaseOutStructure *s)
{
    const struct vk_chain_struct *known = vk_chain_struct_find(s->sType);
    switch (s->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES:
        ((VkPhysicalDeviceProtectedMemoryFeatures *)(void *)s)->protectedMemory = VK_FALSE;
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES:
        ((VkPhysicalDeviceVulkan11Features *)(void *)s)->protectedMemory = VK_FALSE;
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_HOST_IMAGE_COPY_FEATURES:
        ((VkPhysicalDeviceHostImageCopyFeatures *)(void *)s)->hostImageCopy = VK_FALSE;
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES:
        ((VkPhysicalDeviceVulkan14Features *)(void *)s)->hostImageCopy = VK_FALSE;
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DEVICE_MEMORY_REPORT_FEATURES_EXT:
        ((VkPhysicalDeviceDeviceMemoryReportFeaturesEXT *)(void *)s)->deviceMemoryReport = VK_FALSE;
        break;
    default:
        if (is_hidden(known)) {
            memset((uint8_t *)s + known->bools, 0, known->bool_count * sizeof(VkBool32));
        }
        break;
    }
}

/* Of a chain of feature structs: those that cannot travel are not there. */
static void features_filter(const struct hvk_physical *physical,
                            VkPhysicalDeviceFeatures2 *features)
{
    for (VkBaseOutStructure *s = features->pNext; s != NULL; s = s->pNext) {
        feature_filter(s);
        hvk_addresses_filter(physical, s);
    }
}

void hvk_vkGetPhysicalDeviceFeatures2(struct hvk_call *call,
                                      struct vk_args_vkGetPhysicalDeviceFeatures2 *a)
{
    const struct vk_driver_instance *driver = &hvk_instance_of(a->record)->driver;
    (void)call;
    if (driver->GetPhysicalDeviceFeatures2 != NULL) {
        driver->GetPhysicalDeviceFeatures2(a->physicalDevice, a->pFeatures);
    } else {
        driver->GetPhysicalDeviceFeatures(a->physicalDevice, &a->pFeatures->features);
    }
    features_filter(physical_of(a->record), a->pFeatures);
}

/* --- memory --- */

void hvk_vkGetPhysicalDeviceMemoryProperties(struct hvk_call *call,
                                             struct vk_args_vkGetPhysicalDeviceMemoryProperties *a)
{
    (void)call;
    *a->pMemoryProperties = physical_of(a->record)->memory;
    hvk_memory_filter(physical_of(a->record), a->pMemoryProperties);
}

void hvk_vkGetPhysicalDeviceMemoryProperties2(
    struct hvk_call *call, struct vk_args_vkGetPhysicalDeviceMemoryProperties2 *a)
{
    const struct vk_driver_instance *driver = &hvk_instance_of(a->record)->driver;
    (void)call;
    if (driver->GetPhysicalDeviceMemoryProperties2 != NULL) {
        driver->GetPhysicalDeviceMemoryProperties2(a->physicalDevice, a->pMemoryProperties);
    } else {
        a->pMemoryProperties->memoryProperties = physical_of(a->record)->memory;
    }
    hvk_memory_filter(physical_of(a->record), &a->pMemoryProperties->memoryProperties);
}

/* --- queue families --- */

void hvk_vkGetPhysicalDeviceQueueFamilyProperties(
    struct hvk_call *call, struct vk_args_vkGetPhysicalDeviceQueueFamilyProperties *a)
{
    const struct hvk_physical *p = physical_of(a->record);
    VkQueueFamilyProperties *out = a->pQueueFamilyProperties;
    (void)call;
    (void)hvk_fit(a->pQueueFamilyPropertyCount, out != NULL, p->family_count);
    for (uint32_t i = 0; out != NULL && i < *a->pQueueFamilyPropertyCount; i++) {
        out[i] = p->families[i];
        out[i].queueFlags &= QUEUE_FLAGS;
    }
}

void hvk_vkGetPhysicalDeviceQueueFamilyProperties2(
    struct hvk_call *call, struct vk_args_vkGetPhysicalDeviceQueueFamilyProperties2 *a)
{
    const struct vk_driver_instance *driver = &hvk_instance_of(a->record)->driver;
    const struct hvk_physical *p = physical_of(a->record);
    VkQueueFamilyProperties2 *out = a->pQueueFamilyProperties;
    (void)call;
    (void)hvk_fit(a->pQueueFamilyPropertyCount, out != NULL, p->family_count);
    if (out == NULL) {
        return;
    }
    if (driver->GetPhysicalDeviceQueueFamilyProperties2 != NULL) {
        driver->GetPhysicalDeviceQueueFamilyProperties2(a->physicalDevice,
                                                        a->pQueueFamilyPropertyCount, out);
    }
    for (uint32_t i = 0; i < *a->pQueueFamilyPropertyCount; i++) {
        out[i].queueFamilyProperties = p->families[i];
        out[i].queueFamilyProperties.queueFlags &= QUEUE_FLAGS;
    }
}
