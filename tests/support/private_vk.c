/* The native Vulkan loader without VK_EXT_external_memory_host: no memory can be shared with
 * guests, as on a GPU whose memory the host does not reach. A module, loaded in the loader's place.
 */
#include <vulkan/vulkan.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static PFN_vkEnumerateDeviceExtensionProperties enumerate;
static PFN_vkGetInstanceProcAddr next;

static VKAPI_ATTR VkResult VKAPI_CALL enumerate_others(VkPhysicalDevice physical, const char *layer,
                                                       uint32_t *count,
                                                       VkExtensionProperties *properties)
{
    uint32_t all = 0, kept = 0, room = *count;
    VkResult result = enumerate(physical, layer, &all, NULL);
    VkExtensionProperties *list = calloc(all + 1u, sizeof *list);
    if (result == VK_SUCCESS && list != NULL) {
        result = enumerate(physical, layer, &all, list);
    }
    for (uint32_t i = 0; list != NULL && i < all; i++) {
        if (strcmp(list[i].extensionName, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) != 0) {
            if (properties != NULL && kept < room) {
                properties[kept] = list[i];
            }
            kept++;
        }
    }
    free(list);
    *count = properties != NULL && room < kept ? room : kept;
    return result == VK_SUCCESS && properties != NULL && room < kept ? VK_INCOMPLETE : result;
}

__attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vkGetInstanceProcAddr(VkInstance instance, const char *name)
{
    if (next == NULL) {
        void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
        void *symbol = library != NULL ? dlsym(library, "vkGetInstanceProcAddr") : NULL;
        memcpy(&next, &symbol, sizeof next);
    }
    PFN_vkVoidFunction found = next != NULL ? next(instance, name) : NULL;
    if (found != NULL && strcmp(name, "vkEnumerateDeviceExtensionProperties") == 0) {
        memcpy(&enumerate, &found, sizeof enumerate);
        return (PFN_vkVoidFunction)enumerate_others;
    }
    return found;
}
