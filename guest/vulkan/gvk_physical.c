/* Physical devices: found once an instance, with what cannot change. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_call.h"
#include "guest/vk_hand.h"
#include "transport/base/mem.h"

static VkResult load_extensions(struct gvk_physical *physical)
{
    struct gvk_host *host = physical->dispatch.host;
    VkPhysicalDevice handle = GVK_TO(VkPhysicalDevice, physical);
    VkExtensionProperties *items = NULL;
    uint32_t count = 0;
    VkResult result;
    do {
        sl_free(items);
        items = NULL;
        result = gvk_call_vkEnumerateDeviceExtensionProperties(host, handle, NULL, &count, NULL);
        if (result == VK_SUCCESS && count != 0) {
            items = sl_alloc_array(count, sizeof *items);
            result = items == NULL ? VK_ERROR_OUT_OF_HOST_MEMORY
                                   : gvk_call_vkEnumerateDeviceExtensionProperties(
                                         host, handle, NULL, &count, items);
        }
    } while (result == VK_INCOMPLETE);
    if (result == VK_SUCCESS && !gvk_extensions_fill(&physical->extensions, false, items, count)) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    sl_free(items);
    return result;
}

static VkResult physical_init(struct gvk_physical *physical, struct gvk_instance *instance,
                              uint64_t id)
{
    struct gvk_host *host = instance->dispatch.host;
    *physical = (struct gvk_physical){
        .dispatch = {.object.vk = {.loader = GVK_LOADER_MAGIC, .id = id}, .host = host},
        .instance = instance,
    };
    VkPhysicalDevice handle = GVK_TO(VkPhysicalDevice, physical);
    gvk_call_vkGetPhysicalDeviceProperties(host, handle, &physical->properties);
    gvk_call_vkGetPhysicalDeviceMemoryProperties(host, handle, &physical->memory);
    return gvk_host_lost(host) ? VK_ERROR_DEVICE_LOST : load_extensions(physical);
}

/* The host's ids; free them. */
static VkResult find_ids(struct gvk_instance *instance, uint64_t **ids, uint32_t *count)
{
    struct gvk_host *host = instance->dispatch.host;
    VkInstance handle = GVK_TO(VkInstance, instance);
    VkResult result;
    *ids = NULL;
    do {
        sl_free(*ids);
        *ids = NULL;
        result = gvk_call_vkEnumeratePhysicalDevices(host, handle, count, NULL);
        if (result == VK_SUCCESS && *count != 0) {
            *ids = sl_alloc_array(*count, sizeof **ids);
            result = *ids == NULL ? VK_ERROR_OUT_OF_HOST_MEMORY
                                  : gvk_call_vkEnumeratePhysicalDevices(
                                        host, handle, count, (VkPhysicalDevice *)(void *)*ids);
        }
    } while (result == VK_INCOMPLETE);
    return result;
}

static VkResult load_locked(struct gvk_instance *instance)
{
    uint64_t *ids;
    uint32_t count = 0;
    VkResult result = find_ids(instance, &ids, &count);
    if (result != VK_SUCCESS) {
        return result;
    }
    instance->devices = sl_alloc_array(count, sizeof *instance->devices);
    if (instance->devices == NULL) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < count && result == VK_SUCCESS; i++) {
        result = physical_init(&instance->devices[i], instance, ids[i]);
        instance->device_count++;
    }
    if (result != VK_SUCCESS) {
        gvk_physicals_finish(instance);
    }
    sl_free(ids);
    return result;
}

/* With the instance's lock: its devices are there. */
static VkResult ensure_locked(struct gvk_instance *instance)
{
    return instance->devices != NULL ? VK_SUCCESS : load_locked(instance);
}

void gvk_physicals_finish(struct gvk_instance *instance)
{
    for (uint32_t i = 0; i < instance->device_count; i++) {
        gvk_extensions_finish(&instance->devices[i].extensions);
    }
    sl_free(instance->devices);
    instance->devices = NULL;
    instance->device_count = 0;
}

VkResult gvk_vkEnumeratePhysicalDevices(VkInstance handle, uint32_t *count, VkPhysicalDevice *out)
{
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    pthread_mutex_lock(&instance->lock);
    VkResult result = ensure_locked(instance);
    pthread_mutex_unlock(&instance->lock); /* the list never changes once it is there */
    if (result != VK_SUCCESS) {
        return result;
    }
    uint32_t room = out != NULL ? *count : instance->device_count;
    *count = room < instance->device_count ? room : instance->device_count;
    for (uint32_t i = 0; i < *count && out != NULL; i++) {
        out[i] = GVK_TO(VkPhysicalDevice, &instance->devices[i]);
    }
    return room < instance->device_count ? VK_INCOMPLETE : VK_SUCCESS;
}

/* Each device is a group of its own: no device of ours spans several. */
VkResult gvk_vkEnumeratePhysicalDeviceGroups(VkInstance handle, uint32_t *count,
                                             VkPhysicalDeviceGroupProperties *out)
{
    uint32_t there = 0;
    VkResult result = gvk_vkEnumeratePhysicalDevices(handle, &there, NULL);
    if (result != VK_SUCCESS) {
        return result;
    }
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    uint32_t room = out != NULL ? *count : there;
    *count = room < there ? room : there;
    for (uint32_t i = 0; i < *count && out != NULL; i++) {
        out[i].physicalDeviceCount = 1;
        memset(out[i].physicalDevices, 0, sizeof out[i].physicalDevices);
        out[i].physicalDevices[0] = GVK_TO(VkPhysicalDevice, &instance->devices[i]);
        out[i].subsetAllocation = VK_FALSE;
    }
    return room < there ? VK_INCOMPLETE : VK_SUCCESS;
}

VkResult gvk_vkEnumerateDeviceExtensionProperties(VkPhysicalDevice handle, const char *layer,
                                                  uint32_t *count, VkExtensionProperties *out)
{
    const struct gvk_physical *physical = GVK_FROM(gvk_physical, handle);
    if (layer != NULL) {
        return VK_ERROR_LAYER_NOT_PRESENT;
    }
    return gvk_list(count, out, physical->extensions.items, physical->extensions.count,
                    sizeof *out);
}

VkResult gvk_vkEnumerateDeviceLayerProperties(VkPhysicalDevice handle, uint32_t *count,
                                              VkLayerProperties *out)
{
    (void)handle;
    (void)out;
    *count = 0;
    return VK_SUCCESS;
}

void gvk_vkGetPhysicalDeviceProperties(VkPhysicalDevice handle, VkPhysicalDeviceProperties *out)
{
    *out = GVK_FROM(gvk_physical, handle)->properties;
}

void gvk_vkGetPhysicalDeviceMemoryProperties(VkPhysicalDevice handle,
                                             VkPhysicalDeviceMemoryProperties *out)
{
    *out = GVK_FROM(gvk_physical, handle)->memory;
}
