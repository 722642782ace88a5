/* Instances, and what can be asked without one. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_call.h"
#include "guest/vk_hand.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

/* The newest version whose commands and structures we know. */
#define VERSION_MAX VK_API_VERSION_1_4

static uint32_t known_version(uint32_t version)
{
    bool newer = VK_API_VERSION_MAJOR(version) > 1 ||
                 VK_API_VERSION_MINOR(version) > VK_API_VERSION_MINOR(VERSION_MAX);
    return newer ? VERSION_MAX : version;
}

VkResult gvk_vkEnumerateInstanceVersion(uint32_t *version)
{
    *version = VK_API_VERSION_1_0;
    struct gvk_host *host = gvk_host_get();
    if (host == NULL) {
        return VK_SUCCESS; /* the loader asks every driver; there is nothing to offer */
    }
    VkResult result = gvk_call_vkEnumerateInstanceVersion(host, version);
    *version = known_version(*version);
    gvk_host_put(host);
    return result;
}

/* The host's list of instance extensions; free *items. */
static VkResult host_extensions(struct gvk_host *host, VkExtensionProperties **items,
                                uint32_t *count)
{
    VkResult result;
    *items = NULL;
    do {
        sl_free(*items);
        *items = NULL;
        result = gvk_call_vkEnumerateInstanceExtensionProperties(host, NULL, count, NULL);
        if (result != VK_SUCCESS || *count == 0) {
            return result;
        }
        *items = sl_alloc_array(*count, sizeof **items);
        if (*items == NULL) {
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        }
        result = gvk_call_vkEnumerateInstanceExtensionProperties(host, NULL, count, *items);
    } while (result == VK_INCOMPLETE);
    return result;
}

/* What an instance on this host may enable; asked once, for it costs the host's loader
 * milliseconds. */
static VkResult offered_by(struct gvk_host *host, const struct gvk_extensions **offered)
{
    VkResult result = VK_SUCCESS;
    pthread_mutex_lock(&host->lock);
    if (host->instance_extensions.items == NULL) {
        VkExtensionProperties *items;
        uint32_t count = 0;
        result = host_extensions(host, &items, &count);
        if (result == VK_SUCCESS &&
            !gvk_extensions_fill(&host->instance_extensions, true, items, count)) {
            gvk_extensions_finish(&host->instance_extensions);
            result = VK_ERROR_OUT_OF_HOST_MEMORY;
        }
        sl_free(items);
    }
    pthread_mutex_unlock(&host->lock);
    *offered = &host->instance_extensions; /* never changes once it is there */
    return result;
}

VkResult gvk_vkEnumerateInstanceExtensionProperties(const char *layer, uint32_t *count,
                                                    VkExtensionProperties *out)
{
    if (layer != NULL) {
        return VK_ERROR_LAYER_NOT_PRESENT;
    }
    struct gvk_host *host = gvk_host_get();
    if (host == NULL) {
        *count = 0;
        return VK_SUCCESS;
    }
    const struct gvk_extensions *offered;
    VkResult result = offered_by(host, &offered);
    if (result == VK_SUCCESS) {
        result = gvk_list(count, out, offered->items, offered->count, sizeof *out);
    }
    gvk_host_put(host);
    return result;
}

VkResult gvk_vkEnumerateInstanceLayerProperties(uint32_t *count, VkLayerProperties *out)
{
    (void)out;
    *count = 0;
    return VK_SUCCESS;
}

/* The host's instance, without the extensions that are the guest's own. */
static VkResult create_on_host(struct gvk_instance *instance, const VkInstanceCreateInfo *info)
{
    struct gvk_host *host = instance->dispatch.host;
    const struct gvk_extensions *offered;
    VkResult result = offered_by(host, &offered);
    if (result != VK_SUCCESS) {
        return result;
    }
    const char **names = sl_alloc_array(info->enabledExtensionCount, sizeof *names);
    VkInstanceCreateInfo forwarded = *info;
    forwarded.ppEnabledExtensionNames = names;
    forwarded.enabledLayerCount = 0;
    result = names == NULL ? VK_ERROR_OUT_OF_HOST_MEMORY
                           : gvk_extensions_take(offered, info->enabledExtensionCount,
                                                 info->ppEnabledExtensionNames, &instance->enabled,
                                                 names, &forwarded.enabledExtensionCount);
    if (result == VK_SUCCESS) {
        VkInstance handle = GVK_TO(VkInstance, instance);
        result = gvk_call_vkCreateInstance(host, &forwarded, NULL, &handle);
        instance->dispatch.object.vk.id = (uint64_t)(uintptr_t)handle;
    }
    sl_free(names);
    return result;
}

static void instance_free(struct gvk_instance *instance, const VkAllocationCallbacks *callbacks)
{
    const struct gvk_allocator allocator = instance->allocator;
    gvk_physicals_finish(instance);
    gvk_host_put(instance->dispatch.host);
    pthread_mutex_destroy(&instance->lock);
    gvk_free(&allocator, callbacks, instance);
}

VkResult gvk_vkCreateInstance(const VkInstanceCreateInfo *info,
                              const VkAllocationCallbacks *callbacks, VkInstance *out)
{
    if (info->enabledLayerCount != 0) {
        return VK_ERROR_LAYER_NOT_PRESENT;
    }
    struct gvk_host *host = gvk_host_get();
    if (host == NULL) {
        return VK_ERROR_INCOMPATIBLE_DRIVER; /* the loader goes on to other drivers */
    }
    struct gvk_instance *instance =
        gvk_alloc(NULL, callbacks, sizeof *instance, VK_SYSTEM_ALLOCATION_SCOPE_INSTANCE);
    if (instance == NULL) {
        gvk_host_put(host);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *instance = (struct gvk_instance){
        .dispatch = {.object.vk.loader = GVK_LOADER_MAGIC, .host = host},
        .allocator = gvk_allocator_of(callbacks),
        .api_version = VK_API_VERSION_1_0,
    };
    if (info->pApplicationInfo != NULL && info->pApplicationInfo->apiVersion != 0) {
        instance->api_version = info->pApplicationInfo->apiVersion;
    }
    pthread_mutex_init(&instance->lock, NULL);
    sl_list_init(&instance->messengers);
    VkResult result = create_on_host(instance, info);
    if (result != VK_SUCCESS) {
        instance_free(instance, callbacks);
        return result;
    }
    *out = GVK_TO(VkInstance, instance);
    return VK_SUCCESS;
}

void gvk_vkDestroyInstance(VkInstance handle, const VkAllocationCallbacks *callbacks)
{
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    if (instance != NULL) {
        gvk_call_vkDestroyInstance(instance->dispatch.host, handle, NULL);
        instance_free(instance, callbacks);
    }
}
