/* Extensions: which native ones a guest is told of. */
#include "host/vulkan/hvk_core.h"

#include "transport/base/mem.h"
#include "wire/vk_extensions.h"

#include <stdlib.h>

/* Matters of the guest's own process: its window system, its callbacks, its descriptors. */
static const char *const own_matters[] = {
    "_surface",          "swapchain",
    "_present",          "_display",
    "VK_EXT_debug_",     "device_memory_report",
    "external_fence_fd", "external_semaphore_fd",
    "hdr_metadata",      "hdr_vivid",
};

bool hvk_extension_offered(const VkExtensionProperties *extension, bool instance)
{
    const char *name = extension->extensionName;
    const struct vk_extension *known = vk_extension_find(name, strlen(name));
    if (known == NULL || known->refused != NULL || known->instance != instance) {
        return false;
    }
    for (size_t i = 0; i < sizeof own_matters / sizeof own_matters[0]; i++) {
        if (strstr(name, own_matters[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const VkExtensionProperties *)a)->extensionName,
                  ((const VkExtensionProperties *)b)->extensionName);
}

static int of_name(const void *name, const void *extension)
{
    return strcmp(name, ((const VkExtensionProperties *)extension)->extensionName);
}

/* Sorts by name. */
static void sort(VkExtensionProperties *extensions, uint32_t count)
{
    if (count != 0) {
        qsort(extensions, count, sizeof *extensions, by_name);
    }
}

bool hvk_extension_is_in(const VkExtensionProperties *extensions, uint32_t count, const char *name)
{
    return count != 0 && bsearch(name, extensions, count, sizeof *extensions, of_name) != NULL;
}

static void number(struct hvk_physical *physical, const struct vk_extension *extension)
{
    if (extension != NULL && extension->number < HVK_EXTENSIONS_MAX) {
        physical->extension_bits[extension->number / 64] |= 1ull << extension->number % 64;
    }
}

void hvk_extensions_number(struct hvk_physical *physical)
{
    for (uint32_t i = 0; i < physical->extension_count; i++) {
        const char *name = physical->extensions[i].extensionName;
        number(physical, vk_extension_find(name, strlen(name)));
    }
    for (uint32_t i = 0; i < VK_EXTENSION_COUNT; i++) {
        uint32_t promoted = vk_extensions[i].promoted;
        if (promoted != 0 && promoted <= physical->properties.apiVersion) {
            number(physical, &vk_extensions[i]);
        }
    }
}

/* Enumerators of extensions are 1000000000 + 1000 * (number - 1) and up. */
bool hvk_extension_knows(const struct hvk_physical *physical, int32_t value)
{
    uint32_t at = value < 1000000000 ? 0 : ((uint32_t)value - 1000000000u) / 1000u + 1;
    return at == 0 ||
           (at < HVK_EXTENSIONS_MAX && (physical->extension_bits[at / 64] >> at % 64 & 1) != 0);
}

static VkResult enumerate(const struct hvk_provider *provider,
                          const struct vk_driver_instance *driver, VkPhysicalDevice physical,
                          uint32_t *count, VkExtensionProperties *out)
{
    if (physical == VK_NULL_HANDLE) {
        return provider->driver.EnumerateInstanceExtensionProperties(NULL, count, out);
    }
    return driver->EnumerateDeviceExtensionProperties(physical, NULL, count, out);
}

VkResult hvk_extension_list(const struct hvk_provider *provider,
                            const struct vk_driver_instance *driver, VkPhysicalDevice physical,
                            VkExtensionProperties **out, uint32_t *count)
{
    uint32_t there = 0;
    VkResult result = enumerate(provider, driver, physical, &there, NULL);
    if (result < 0) {
        return result;
    }
    VkExtensionProperties *list = sl_alloc_array(there, sizeof *list);
    if (list == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    result = enumerate(provider, driver, physical, &there, list);
    if (result < 0) {
        sl_free(list);
        return result;
    }
    sort(list, there);
    *out = list;
    *count = there;
    return VK_SUCCESS;
}

VkResult hvk_extension_answer(const VkExtensionProperties *extensions, uint32_t count,
                              bool instance, const VkExtensionProperties *more, uint32_t more_count,
                              uint32_t *out_count, VkExtensionProperties *out)
{
    uint32_t room = out != NULL ? *out_count : 0, there = 0;
    for (uint32_t i = 0; i < count + more_count; i++) {
        const VkExtensionProperties *e = i < count ? &extensions[i] : &more[i - count];
        bool offered = i < count ? hvk_extension_offered(e, instance)
                                 : !hvk_extension_is_in(extensions, count, e->extensionName);
        if (!offered) {
            continue;
        }
        if (there < room) {
            const struct vk_extension *known =
                vk_extension_find(e->extensionName, strlen(e->extensionName));
            out[there] = *e;
            if (known != NULL && known->spec_version < e->specVersion) {
                out[there].specVersion = known->spec_version;
            }
        }
        there++;
    }
    return hvk_fit(out_count, out != NULL, there);
}
