/* Says of each GPU that is a CPU whether it offers device addresses: "addresses" or "none". */
#include <stdio.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define GPUS       8
#define EXTENSIONS 512

static int offers(VkPhysicalDevice gpu)
{
    static VkExtensionProperties all[EXTENSIONS];
    uint32_t count = EXTENSIONS;
    VkPhysicalDeviceBufferDeviceAddressFeatures feature = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = &feature};
    int is_listed = 0;
    vkEnumerateDeviceExtensionProperties(gpu, NULL, &count, all);
    for (uint32_t i = 0; i < count; i++) {
        is_listed |= strcmp(all[i].extensionName, "VK_KHR_buffer_device_address") == 0;
    }
    vkGetPhysicalDeviceFeatures2(gpu, &features);
    return is_listed || feature.bufferDeviceAddress;
}

int main(void)
{
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .apiVersion = VK_API_VERSION_1_2};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &app};
    VkInstance instance;
    VkPhysicalDevice gpus[GPUS];
    uint32_t count = GPUS;
    if (vkCreateInstance(&info, NULL, &instance) != VK_SUCCESS ||
        vkEnumeratePhysicalDevices(instance, &count, gpus) < 0) {
        return 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        VkPhysicalDeviceProperties about;
        vkGetPhysicalDeviceProperties(gpus[i], &about);
        if (about.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU) {
            printf("%s\n", offers(gpus[i]) ? "addresses" : "none");
        }
    }
    vkDestroyInstance(instance, NULL);
    return 0;
}
