/* Entry points by name, and what an application may find. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_entry.h"
#include "guest/vk_hand.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *name, const void *entry)
{
    return strcmp(name, ((const struct gvk_entry *)entry)->name);
}

static const struct gvk_entry *find(const char *name)
{
    return bsearch(name, gvk_entries, GVK_ENTRY_COUNT, sizeof gvk_entries[0], by_name);
}

/* Is it there by the application's version of the API, or by an extension? device: NULL when it is
 * not known yet, then every device extension may be enabled. */
static bool available(const struct gvk_entry *entry, const struct gvk_instance *instance,
                      const struct gvk_device *device)
{
    if (entry->version != 0 && entry->version <= instance->api_version) {
        return true;
    }
    for (uint32_t i = 0; i < entry->extension_count; i++) {
        uint16_t index = entry->extensions[i];
        bool of_device = !vk_extensions[index].instance;
        if (of_device ? device == NULL || gvk_set_has(&device->enabled, index)
                      : gvk_set_has(&instance->enabled, index)) {
            return true;
        }
    }
    return false;
}

PFN_vkVoidFunction gvk_vkGetInstanceProcAddr(VkInstance handle, const char *name)
{
    const struct gvk_entry *entry = name != NULL ? find(name) : NULL;
    if (entry == NULL) {
        return NULL;
    }
    if (entry->level == GVK_LEVEL_GLOBAL || strcmp(name, "vkGetInstanceProcAddr") == 0) {
        return entry->function;
    }
    const struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    return instance != NULL && available(entry, instance, NULL) ? entry->function : NULL;
}

PFN_vkVoidFunction gvk_physical_proc(VkInstance handle, const char *name)
{
    const struct gvk_entry *entry = name != NULL ? find(name) : NULL;
    const struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    return entry != NULL && entry->level == GVK_LEVEL_PHYSICAL && instance != NULL &&
                   available(entry, instance, NULL)
               ? entry->function
               : NULL;
}

PFN_vkVoidFunction gvk_vkGetDeviceProcAddr(VkDevice handle, const char *name)
{
    const struct gvk_entry *entry = name != NULL ? find(name) : NULL;
    const struct gvk_device *device = GVK_FROM(gvk_device, handle);
    return entry != NULL && entry->level == GVK_LEVEL_DEVICE &&
                   available(entry, device->physical->instance, device)
               ? entry->function
               : NULL;
}
