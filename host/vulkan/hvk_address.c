/* Device addresses: numbers that a guest computes with and shaders follow. A driver of the CPU has
 * none but its process's, the host's: who reads and writes by them reads and writes the host. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

void hvk_addresses_hide(struct hvk_physical *physical, const struct hvk_provider *provider)
{
    static const char *const names[] = {"VK_EXT_buffer_device_address",
                                        "VK_KHR_buffer_device_address"};
    physical->hides_addresses = provider->hides_addresses && hvk_is_cpu(physical);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < physical->extension_count; i++) {
        const char *name = physical->extensions[i].extensionName;
        if (!physical->hides_addresses ||
            (strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0)) {
            physical->extensions[kept++] = physical->extensions[i];
        }
    }
    physical->extension_count = kept;
}

/* The feature in a struct of features that has it; NULL. Two more follow it. */
static VkBool32 *feature_in(VkBaseOutStructure *s)
{
    switch (s->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES:
        return &((VkPhysicalDeviceVulkan12Features *)(void *)s)->bufferDeviceAddress;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES:
        return &((VkPhysicalDeviceBufferDeviceAddressFeatures *)(void *)s)->bufferDeviceAddress;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES_EXT:
        return &((VkPhysicalDeviceBufferDeviceAddressFeaturesEXT *)(void *)s)->bufferDeviceAddress;
    default:
        return NULL;
    }
}

void hvk_addresses_filter(const struct hvk_physical *physical, VkBaseOutStructure *s)
{
    VkBool32 *feature = physical->hides_addresses ? feature_in(s) : NULL;
    if (feature != NULL) { /* and its capture, replay and devices */
        feature[0] = feature[1] = feature[2] = VK_FALSE;
    }
}

bool hvk_addresses_asked(struct hvk_device *device, const void *chain)
{
    for (const VkBaseInStructure *s = chain; s != NULL; s = s->pNext) {
        VkBool32 *feature = feature_in((VkBaseOutStructure *)(uintptr_t)s); /* to be read alone */
        if (feature != NULL) {
            device->has_addresses = device->has_addresses || feature[0];
        }
    }
    return device->has_addresses;
}

void hvk_addresses_load(struct hvk_device *device)
{
    if (!device->has_addresses) { /* drivers tell them all the same */
        device->driver.GetBufferDeviceAddress = NULL;
        device->driver.GetBufferOpaqueCaptureAddress = NULL;
        device->driver.GetDeviceMemoryOpaqueCaptureAddress = NULL;
    }
}

bool hvk_addresses_in(uint32_t op, const uint32_t *words, size_t count)
{
    enum { CAPABILITY = 17, MEMORY_MODEL = 14, TYPE_POINTER = 32, FORWARD_POINTER = 39 };
    enum { ADDRESSES = 4, PHYSICAL_ADDRESSES = 5347, LOGICAL = 0, PHYSICAL_STORAGE = 5349 };
    switch (op) {
    case CAPABILITY:
        return count > 1 && (words[1] == ADDRESSES || words[1] == PHYSICAL_ADDRESSES);
    case MEMORY_MODEL:
        return count > 1 && words[1] != LOGICAL;
    case TYPE_POINTER:
    case FORWARD_POINTER:
        return count > 2 && words[2] == PHYSICAL_STORAGE;
    default:
        return false;
    }
}
