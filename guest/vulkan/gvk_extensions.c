/* Which extensions applications see: what the guest does itself, and what the host has, as far as
 * all of it travels and nothing of it belongs to the guest's process. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_entry.h"
#include "guest/vk_call.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <string.h>

/* Done in the guest, whatever the host has; never enabled there. */
static const char *const own[] = {
    "VK_EXT_acquire_drm_display",
    "VK_EXT_debug_report",
    "VK_EXT_debug_utils",
    "VK_EXT_direct_mode_display",
    "VK_EXT_display_surface_counter",
    "VK_EXT_headless_surface",
    "VK_KHR_display",
    "VK_KHR_get_display_properties2",
    "VK_KHR_get_surface_capabilities2",
    "VK_KHR_incremental_present",
    "VK_KHR_surface",
    "VK_KHR_surface_protected_capabilities",
    "VK_KHR_swapchain",
    "VK_KHR_swapchain_mutable_format",
    "VK_KHR_wayland_surface",
    "VK_KHR_xcb_surface",
    "VK_KHR_xlib_surface",
};

/* Done in the guest too, where the host has them. */
static const char *const instead[] = {
    "VK_KHR_external_fence_fd",
    "VK_KHR_external_memory_fd",
    "VK_KHR_external_semaphore_fd",
};

/* Offered by hosts that mean their own process, kernel or screen. */
static const char *const foreign[] = {
    "VK_AMD_anti_lag",
    "VK_AMD_display_native_hdr",
    "VK_EXT_debug_marker",
    "VK_EXT_external_memory_dma_buf",
    "VK_EXT_full_screen_exclusive",
    "VK_EXT_hdr_metadata",
    "VK_EXT_image_drm_format_modifier",
    "VK_EXT_physical_device_drm",
    "VK_EXT_present_timing",
    "VK_EXT_queue_family_foreign",
    "VK_EXT_surface_maintenance1",
    "VK_EXT_swapchain_colorspace",
    "VK_EXT_swapchain_maintenance1",
    "VK_GOOGLE_display_timing",
    "VK_GOOGLE_surfaceless_query",
    "VK_KHR_incremental_present",
    "VK_KHR_present_id",
    "VK_KHR_present_id2",
    "VK_KHR_present_mode_fifo_latest_ready",
    "VK_KHR_present_wait",
    "VK_KHR_present_wait2",
    "VK_KHR_shared_presentable_image",
    "VK_KHR_surface_maintenance1",
    "VK_KHR_surface_protected_capabilities",
    "VK_KHR_swapchain_maintenance1",
    "VK_KHR_swapchain_mutable_format",
    "VK_NV_low_latency2",
    "VK_NV_present_barrier",
    "VK_NV_present_metering",
};

static bool among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Done in the guest; the host never hears of it. */
static bool is_own(const char *name)
{
    return among(own, sizeof own / sizeof own[0], name) ||
           among(instead, sizeof instead / sizeof instead[0], name);
}

/* Its index in vk_extensions, or -1. */
static int index_of(const char *name)
{
    const struct vk_extension *found =
        vk_extension_find(name, strnlen(name, VK_MAX_EXTENSION_NAME_SIZE));
    return found != NULL ? (int)(found - vk_extensions) : -1;
}

bool gvk_set_has_name(const struct gvk_set *set, const char *name)
{
    int index = index_of(name);
    return index >= 0 && gvk_set_has(set, (uint32_t)index);
}

/* version 0: as the registry has it. False: unknown, or no memory. Twice is once. */
static bool add(struct gvk_extensions *list, const char *name, uint32_t version)
{
    int index = index_of(name);
    if (index < 0 || list->count == VK_EXTENSION_COUNT) {
        return false;
    }
    if (list->items == NULL) {
        list->items = sl_alloc_array(VK_EXTENSION_COUNT, sizeof *list->items);
        if (list->items == NULL) {
            return false;
        }
    }
    if (!gvk_set_has(&list->set, (uint32_t)index)) {
        VkExtensionProperties *item = &list->items[list->count++];
        snprintf(item->extensionName, sizeof item->extensionName, "%s", vk_extensions[index].name);
        item->specVersion = version != 0 ? version : vk_extensions[index].spec_version;
        gvk_set_add(&list->set, (uint32_t)index);
    }
    return true;
}

void gvk_extensions_finish(struct gvk_extensions *list)
{
    sl_free(list->items);
    *list = (struct gvk_extensions){.count = 0};
}

bool gvk_extensions_fill(struct gvk_extensions *list, bool instance,
                         const VkExtensionProperties *host, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const VkExtensionProperties *one = &host[i];
        int index = index_of(one->extensionName);
        if (index < 0 || vk_extensions[index].instance != instance ||
            (gvk_whole_extensions[index / 64] >> (index % 64) & 1) == 0) {
            continue;
        }
        const char *name = vk_extensions[index].name;
        if (!among(own, sizeof own / sizeof own[0], name) &&
            !among(foreign, sizeof foreign / sizeof foreign[0], name) &&
            !add(list, name, one->specVersion)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        int index = index_of(own[i]);
        if (index >= 0 && vk_extensions[index].instance == instance && !add(list, own[i], 0)) {
            return false;
        }
    }
    return true;
}

VkResult gvk_extensions_take(const struct gvk_extensions *offered, uint32_t count,
                             const char *const *names, struct gvk_set *enabled,
                             const char **forwarded, uint32_t *forwarded_count)
{
    *forwarded_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        int index = index_of(names[i]);
        if (index < 0 || !gvk_set_has(&offered->set, (uint32_t)index)) {
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }
        gvk_set_add(enabled, (uint32_t)index);
        if (!is_own(names[i])) {
            forwarded[(*forwarded_count)++] = names[i];
        }
    }
    return VK_SUCCESS;
}

VkResult gvk_list(uint32_t *count, void *out, const void *items, uint32_t there, size_t size)
{
    if (out == NULL) {
        *count = there;
        return VK_SUCCESS;
    }
    uint32_t room = *count;
    *count = room < there ? room : there;
    if (*count != 0) {
        memcpy(out, items, *count * size);
    }
    return room < there ? VK_INCOMPLETE : VK_SUCCESS;
}
