#include "host/vulkan/hvk_provider.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/module.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define LIBRARY "libvulkan.so.1"
/* How long the provider's end waits for contexts that are being taken apart. */
#define REAP_NS (4 * SL_NS_PER_S)
/* What our tables describe. */
#define NEWEST       VK_API_VERSION_1_4
#define NEWEST_STOCK VK_API_VERSION_1_3 /* stock guests break on 1.4 */

static struct hvk_provider *provider_of(struct hct_provider *base)
{
    return (struct hvk_provider *)(void *)base; /* first member */
}

struct hvk_provider *hvk_provider_ref(struct hvk_provider *provider)
{
    sl_atomic_add(&provider->refs, 1); /* the caller has one already; orders nothing */
    return provider;
}

void hvk_provider_unref(struct hvk_provider *provider)
{
    /* The last one frees: the full barrier puts all others' uses before it. */
    if (sl_atomic_add(&provider->refs, UINT32_MAX) == 1) {
        dlclose(provider->library);
        sl_free(provider);
    }
}

uint32_t hvk_version(const struct hvk_call *call, uint32_t native)
{
    uint32_t newest = hvk_is_own(call) ? NEWEST : NEWEST_STOCK;
    bool newer = VK_API_VERSION_MAJOR(native) > VK_API_VERSION_MAJOR(newest) ||
                 (VK_API_VERSION_MAJOR(native) == VK_API_VERSION_MAJOR(newest) &&
                  VK_API_VERSION_MINOR(native) > VK_API_VERSION_MINOR(newest));
    return newer ? newest : native;
}

VkResult hvk_native_instance(struct hvk_provider *provider, const VkInstanceCreateInfo *info,
                             struct vk_driver_instance *driver, VkInstance *out)
{
    VkResult result = provider->driver.CreateInstance(info, NULL, out);
    if (result == VK_SUCCESS) {
        vk_driver_instance_load(driver, *out, provider->get);
        /* The loader would load them anew for every guest process. Orders nothing. */
        if (sl_atomic_exchange(&provider->pinned, 1) == 0) {
            sl_modules_pin();
        }
    }
    return result;
}

/* --- which GPU --- */

/* "6c6c766d-7069-7065-5555-494400000000", dashes as one likes. */
static bool is_uuid(const char *text, const uint8_t uuid[VK_UUID_SIZE])
{
    uint32_t digits = 0;
    for (; *text != '\0'; text++) {
        if (*text == '-') {
            continue;
        }
        int c = tolower((unsigned char)*text);
        const char *place = strchr("0123456789abcdef", c);
        if (place == NULL || digits >= 2 * VK_UUID_SIZE) {
            return false;
        }
        uint32_t nibble = (uint32_t)(place - "0123456789abcdef");
        if ((digits % 2 == 0 ? uuid[digits / 2] >> 4 : uuid[digits / 2] & 15) != (int)nibble) {
            return false;
        }
        digits++;
    }
    return digits == 2 * VK_UUID_SIZE;
}

static bool is_within(const char *text, const char *name)
{
    size_t length = strlen(text);
    for (; *name != '\0'; name++) {
        if (strncasecmp(name, text, length) == 0) {
            return true;
        }
    }
    return false;
}

/* A number is an index, else a UUID, else part of the device's name. */
static bool is_selected(const struct hvk_provider *provider,
                        const struct vk_driver_instance *driver, VkPhysicalDevice physical,
                        uint32_t index)
{
    const char *gpu = provider->gpu;
    if (provider->software) {
        VkPhysicalDeviceProperties properties;
        driver->GetPhysicalDeviceProperties(physical, &properties);
        if (properties.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU) {
            return false;
        }
    }
    if (gpu == NULL || *gpu == '\0') {
        return true;
    }
    char *end;
    unsigned long number = strtoul(gpu, &end, 10);
    if (*end == '\0' && isdigit((unsigned char)*gpu)) {
        return number == index;
    }
    VkPhysicalDeviceIDProperties ids = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &ids};
    if (driver->GetPhysicalDeviceProperties2 != NULL) {
        driver->GetPhysicalDeviceProperties2(physical, &properties);
    } else {
        driver->GetPhysicalDeviceProperties(physical, &properties.properties);
    }
    return is_uuid(gpu, ids.deviceUUID) || is_within(gpu, properties.properties.deviceName);
}

VkResult hvk_native_physicals(const struct hvk_provider *provider,
                              const struct vk_driver_instance *driver, VkInstance instance,
                              VkPhysicalDevice *out, uint32_t capacity, uint32_t *count)
{
    VkPhysicalDevice all[HVK_GPUS_MAX];
    uint32_t there = HVK_GPUS_MAX;
    VkResult result = driver->EnumeratePhysicalDevices(instance, &there, all);
    *count = 0;
    if (result < 0) {
        return result;
    }
    for (uint32_t i = 0; i < there && *count < capacity; i++) {
        if (is_selected(provider, driver, all[i], i)) {
            out[(*count)++] = all[i];
        }
    }
    return VK_SUCCESS;
}

/* --- hct --- */

void hvk_provider_end(struct hvk_provider *provider)
{
    uint64_t end = sl_clock_ns() + REAP_NS;
    /* Pairs with the reapers' last act: they do not look at the provider any more. */
    while (sl_atomic_load_acquire(&provider->reapers) != 0) {
        if (sl_clock_ns() > end) {
            return; /* left to them */
        }
        sl_clock_sleep_ns(SL_NS_PER_MS / 10);
    }
    hvk_provider_unref(provider);
}

static void provider_destroy(struct hct_provider *base)
{
    hvk_provider_end(provider_of(base));
}

/* A native instance to ask a question of, of the loader's version; the caller destroys it. */
static bool ask_natively(struct hvk_provider *p, struct vk_driver_instance *driver,
                         VkInstance *instance)
{
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .apiVersion = p->api_version};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application};
    return hvk_native_instance(p, &info, driver, instance) == VK_SUCCESS;
}

static const char *provider_describe(struct hct_provider *base)
{
    struct hvk_provider *p = provider_of(base);
    if (p->description[0] != '\0') {
        return p->description;
    }
    struct vk_driver_instance driver;
    VkInstance instance;
    VkPhysicalDevice physical;
    uint32_t count = 0;
    VkPhysicalDeviceProperties properties;
    snprintf(p->description, sizeof p->description, "no Vulkan device");
    if (!ask_natively(p, &driver, &instance)) {
        return p->description;
    }
    if (hvk_native_physicals(p, &driver, instance, &physical, 1, &count) == VK_SUCCESS &&
        count != 0) {
        driver.GetPhysicalDeviceProperties(physical, &properties);
        uint32_t version = properties.apiVersion;
        snprintf(p->description, sizeof p->description, "%.160s, Vulkan %u.%u.%u",
                 properties.deviceName, VK_API_VERSION_MAJOR(version),
                 VK_API_VERSION_MINOR(version), VK_API_VERSION_PATCH(version));
    }
    driver.DestroyInstance(instance, NULL);
    return p->description;
}

static const struct hct_provider_ops provider_ops = {.destroy = provider_destroy,
                                                     .describe = provider_describe};

static enum sl_result library_open(struct hvk_provider *p, const char *path)
{
    p->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (p->library == NULL) {
        sl_info("vulkan", "not offered: %s", dlerror());
        return SL_ERR_NOTFOUND;
    }
    void *symbol = dlsym(p->library, "vkGetInstanceProcAddr");
    memcpy(&p->get, &symbol, sizeof p->get);
    if (p->get != NULL) {
        vk_driver_global_load(&p->driver, p->get);
    }
    if (p->get == NULL || p->driver.CreateInstance == NULL ||
        p->driver.EnumerateInstanceExtensionProperties == NULL) {
        sl_warn("vulkan", "not offered: %s is no Vulkan loader", path);
        dlclose(p->library);
        return SL_ERR_NOTFOUND;
    }
    p->api_version = VK_API_VERSION_1_0;
    if (p->driver.EnumerateInstanceVersion != NULL) {
        (void)p->driver.EnumerateInstanceVersion(&p->api_version);
    }
    return SL_OK;
}

/* The devices there are, for who asked for another: "0: NAME; 1: NAME". */
static void list_gpus(struct hvk_provider *p, char *text, size_t size)
{
    struct vk_driver_instance driver;
    VkInstance instance;
    VkPhysicalDevice all[HVK_GPUS_MAX];
    uint32_t count = HVK_GPUS_MAX;
    snprintf(text, size, "none");
    if (!ask_natively(p, &driver, &instance)) {
        return;
    }
    if (driver.EnumeratePhysicalDevices(instance, &count, all) < 0) {
        count = 0;
    }
    size_t used = 0;
    for (uint32_t i = 0; i < count && used < size; i++) {
        VkPhysicalDeviceProperties properties;
        driver.GetPhysicalDeviceProperties(all[i], &properties);
        int n = snprintf(text + used, size - used, "%s%u: %.160s", i == 0 ? "" : "; ", i,
                         properties.deviceName);
        used += n > 0 ? (size_t)n : 0;
    }
    driver.DestroyInstance(instance, NULL);
}

static bool has_gpu(struct hvk_provider *p)
{
    struct vk_driver_instance driver;
    VkInstance instance;
    VkPhysicalDevice physical;
    uint32_t count = 0;
    if (ask_natively(p, &driver, &instance)) {
        (void)hvk_native_physicals(p, &driver, instance, &physical, 1, &count);
        driver.DestroyInstance(instance, NULL);
    }
    return count != 0;
}

static enum sl_result provider_create(const struct hct_env *env, const struct hct_options *options,
                                      struct hct_provider **out)
{
    struct hvk_provider *p = sl_alloc(sizeof *p);
    if (p == NULL) {
        return SL_ERR_NOMEM;
    }
    *p = (struct hvk_provider){.base.ops = &provider_ops, .env = env, .refs = 1};
    const char *path = LIBRARY;
    if (options != NULL) {
        p->stock = options->stock;
        p->hang_ns = options->hang_ns;
        p->hides_addresses = options->hides_addresses;
        p->is_valid_spirv = options->is_valid_spirv;
        p->shader_bytes = options->shader_bytes;
        p->clamps_indices = options->clamps_indices;
        p->restores = options->restores;
        p->is_recorded = options->is_recorded;
        p->is_watched = options->is_watched;
        p->watched_bytes = options->watched_bytes;
        p->times = options->times;
        p->gpu = options->gpu;
        p->software = options->software;
        p->null = options->null;
        path = options->vulkan_library != NULL ? options->vulkan_library : LIBRARY;
    }
    enum sl_result result = library_open(p, path);
    if (result != SL_OK) {
        sl_free(p);
        return result;
    }
    if ((p->gpu != NULL || p->software) && !has_gpu(p)) {
        char there[512];
        list_gpus(p, there, sizeof there);
        sl_warn("vulkan", "not offered: no Vulkan device is '%s'; choose from %s",
                p->gpu != NULL ? p->gpu : "a CPU", there);
        hvk_provider_unref(p);
        return SL_ERR_NOTFOUND;
    }
    *out = &p->base;
    return SL_OK;
}

static size_t fill_capset(struct hct_provider *base, void *data, size_t size)
{
    const struct hvk_provider *p = provider_of(base);
    struct virtgpu_vulkan_capset caps = {.protocol_version = 1,
                                         .ring_size = 12288,
                                         .buffer_size = 1048576,
                                         .color_buffer_memory_index = UINT32_MAX,
                                         .deferred_mapping = 1,
                                         .blob_alignment = 4096,
                                         .no_render_control = 1,
                                         .set_metadata = 1};
    size_t all = offsetof(struct virtgpu_vulkan_capset, upstream);
    if (!p->stock) {
        caps.sluice = (struct virtgpu_sluice_capset){
            .magic = VIRTGPU_SLUICE_MAGIC,
            .version = 1,
            .features = SLUICE_FEATURE_REPLY_FUTEX | SLUICE_FEATURE_VK_IDS |
                        SLUICE_FEATURE_VK_STATUS | SLUICE_FEATURE_VK_QUIET |
                        SLUICE_FEATURE_VK_FRAME | SLUICE_FEATURE_VK_TELL};
        all = sizeof caps;
    }
    if (size != 0) { /* only asked how many there are */
        memcpy(data, &caps, size < all ? size : all);
    }
    return all;
}

const struct hct_type hvk_vulkan_type = {
    .name = "vulkan",
    .capset = VIRTGPU_CAPSET_GFXSTREAM_VULKAN,
    .provider = "vulkan",
    .provider_create = provider_create,
    .fill_capset = fill_capset,
    .create = hvk_context_create,
};
