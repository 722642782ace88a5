/* Shared memory of workgroups: a driver of the CPU gives each what another left there, of whatever
 * process. Where that has a form for it, shaders say that theirs is zeros at first (hvk_clamp.h).
 */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#define FEATURES_ONE  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ZERO_INITIALIZE_WORKGROUP_MEMORY_FEATURES
#define FEATURES_CORE VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES

static bool can_clear(const struct hvk_physical *p)
{
    const struct vk_driver_instance *driver = &p->object.instance->driver;
    VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures has = {.sType = FEATURES_ONE};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = &has};
    if (driver->GetPhysicalDeviceFeatures2 == NULL ||
        !hvk_extension_is_in(p->extensions, p->extension_count,
                             "VK_KHR_zero_initialize_workgroup_memory")) {
        return false;
    }
    driver->GetPhysicalDeviceFeatures2(HVK_HANDLE(VkPhysicalDevice, p->object.native), &features);
    return has.shaderZeroInitializeWorkgroupMemory != VK_FALSE;
}

const void *hvk_shared_enable(struct hvk_device *device, const void *chain,
                              VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures *own)
{
    VkPhysicalDeviceVulkan13Features *core =
        (VkPhysicalDeviceVulkan13Features *)(uintptr_t)hvk_chain_find(chain, FEATURES_CORE);
    VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures *one =
        (VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures *)(uintptr_t)hvk_chain_find(
            chain, FEATURES_ONE);
    device->clears_shared = device->context->provider->clamps_indices &&
                            hvk_is_cpu(device->physical) && can_clear(device->physical);
    if (!device->clears_shared) {
        return chain;
    }
    if (core != NULL) {
        core->shaderZeroInitializeWorkgroupMemory = VK_TRUE;
    }
    if (one != NULL) {
        one->shaderZeroInitializeWorkgroupMemory = VK_TRUE;
    }
    if (core != NULL || one != NULL) {
        return chain;
    }
    *own = (VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures){
        .sType = FEATURES_ONE,
        .pNext = (void *)(uintptr_t)chain,
        .shaderZeroInitializeWorkgroupMemory = VK_TRUE};
    return own;
}
