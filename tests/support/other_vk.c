/* A layer that makes another driver of llvmpipe: three memory types instead of one, a family of
 * queues that only copies before the one that draws, images that need more, no D24S8, no geometry
 * shaders, no timestamps, and a name of its own. Above a driver that has that name already it does
 * nothing: that is our guest's, which passes on what the host has. One instance and one device at a
 * time. */
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TYPES  3u
#define PLACES 64u
#define MORE   65536u /* bytes that an image needs more */

/* What is called below. */
#define INSTANCE_CALLS(X)                                                                          \
    X(vkGetPhysicalDeviceProperties)                                                               \
    X(vkGetPhysicalDeviceProperties2)                                                              \
    X(vkGetPhysicalDeviceMemoryProperties)                                                         \
    X(vkGetPhysicalDeviceMemoryProperties2)                                                        \
    X(vkGetPhysicalDeviceQueueFamilyProperties)                                                    \
    X(vkGetPhysicalDeviceQueueFamilyProperties2)                                                   \
    X(vkGetPhysicalDeviceFeatures)                                                                 \
    X(vkGetPhysicalDeviceFeatures2)                                                                \
    X(vkGetPhysicalDeviceFormatProperties)
#define DEVICE_CALLS(X)                                                                            \
    X(vkGetDeviceQueue)                                                                            \
    X(vkCreateCommandPool)                                                                         \
    X(vkAllocateMemory)                                                                            \
    X(vkGetBufferMemoryRequirements)                                                               \
    X(vkGetBufferMemoryRequirements2)                                                              \
    X(vkGetImageMemoryRequirements)                                                                \
    X(vkGetImageMemoryRequirements2)
#define NUMBER(name) CALL_##name,
#define STRING(name) #name,
enum {
    INSTANCE_CALLS(NUMBER) INSTANCE_END,
    CALL_DEVICE = INSTANCE_END - 1,
    DEVICE_CALLS(NUMBER) CALLS
};
static const char *const names[CALLS] = {INSTANCE_CALLS(STRING) DEVICE_CALLS(STRING)};

/* What lies below an instance or a device, by the loader's table, which all that is made of it
 * begins with, too. */
struct below {
    const void *key;
    PFN_vkGetInstanceProcAddr instance_proc;
    PFN_vkGetDeviceProcAddr device_proc;
    VkInstance instance;
    VkDevice device;
    bool is_on; /* of a device: it is made another one */
    /* Asked for when it was made: later the loader would answer with ours. */
    PFN_vkVoidFunction calls[CALLS];
};
static struct below known[PLACES]; /* the newest */
static uint32_t known_count;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

static void add(const void *handle, struct below below)
{
    memcpy(&below.key, handle, sizeof below.key);
    for (int i = 0; i < CALLS; i++) {
        bool is_device = i >= INSTANCE_END;
        below.calls[i] = !is_device && below.instance_proc != NULL
                             ? below.instance_proc(below.instance, names[i])
                         : is_device && below.device_proc != NULL
                             ? below.device_proc(below.device, names[i])
                             : NULL;
    }
    pthread_mutex_lock(&known_lock);
    known[known_count++ % PLACES] = below;
    pthread_mutex_unlock(&known_lock);
}

/* The newest, since the loader uses its tables again. */
static struct below of(const void *handle)
{
    struct below found = {0};
    const void *key;
    memcpy(&key, handle, sizeof key);
    pthread_mutex_lock(&known_lock);
    uint32_t first = known_count > PLACES ? known_count - PLACES : 0;
    for (uint32_t i = first; i < known_count; i++) {
        found = known[i % PLACES].key == key ? known[i % PLACES] : found;
    }
    pthread_mutex_unlock(&known_lock);
    return found;
}

#define INSTANCE_CALL(physical, name) ((PFN_##name)of(physical).calls[CALL_##name])
#define DEVICE_CALL(name)             ((PFN_##name)of(device).calls[CALL_##name])

static bool is_other(VkPhysicalDevice physical)
{
    VkPhysicalDeviceProperties properties;
    INSTANCE_CALL(physical, vkGetPhysicalDeviceProperties)(physical, &properties);
    return strncmp(properties.deviceName, "other", 5) != 0;
}

/* --- what it says of itself --- */

static void rename_it(char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE])
{
    if (strncmp(name, "other", 5) != 0) {
        memmove(name + 6, name, VK_MAX_PHYSICAL_DEVICE_NAME_SIZE - 7);
        memcpy(name, "other ", 6);
    }
}

static VKAPI_ATTR void VKAPI_CALL properties(VkPhysicalDevice physical,
                                             VkPhysicalDeviceProperties *out)
{
    INSTANCE_CALL(physical, vkGetPhysicalDeviceProperties)(physical, out);
    rename_it(out->deviceName);
}

static VKAPI_ATTR void VKAPI_CALL properties2(VkPhysicalDevice physical,
                                              VkPhysicalDeviceProperties2 *out)
{
    INSTANCE_CALL(physical, vkGetPhysicalDeviceProperties2)(physical, out);
    rename_it(out->properties.deviceName);
}

static void change_memory(VkPhysicalDevice physical, VkPhysicalDeviceMemoryProperties *out)
{
    static const VkMemoryPropertyFlags flags[TYPES] = {
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
            VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT};
    for (uint32_t i = 0; i < TYPES && is_other(physical); i++) {
        out->memoryTypeCount = TYPES;
        out->memoryTypes[i] = (VkMemoryType){.propertyFlags = flags[i]};
    }
}

static VKAPI_ATTR void VKAPI_CALL memory(VkPhysicalDevice physical,
                                         VkPhysicalDeviceMemoryProperties *out)
{
    INSTANCE_CALL(physical, vkGetPhysicalDeviceMemoryProperties)(physical, out);
    change_memory(physical, out);
}

static VKAPI_ATTR void VKAPI_CALL memory2(VkPhysicalDevice physical,
                                          VkPhysicalDeviceMemoryProperties2 *out)
{
    INSTANCE_CALL(physical, vkGetPhysicalDeviceMemoryProperties2)(physical, out);
    change_memory(physical, &out->memoryProperties);
}

static VKAPI_ATTR void VKAPI_CALL families(VkPhysicalDevice physical, uint32_t *count,
                                           VkQueueFamilyProperties *out)
{
    uint32_t one = 1;
    if (!is_other(physical)) {
        INSTANCE_CALL(physical, vkGetPhysicalDeviceQueueFamilyProperties)(physical, count, out);
        return;
    }
    *count = out == NULL || *count > 2 ? 2 : *count;
    for (uint32_t i = 0; out != NULL && i < *count; i++) {
        INSTANCE_CALL(physical, vkGetPhysicalDeviceQueueFamilyProperties)(physical, &one, &out[i]);
        out[i].timestampValidBits = 0;
        out[i].queueFlags = i == 0 ? VK_QUEUE_TRANSFER_BIT : out[i].queueFlags;
    }
}

static VKAPI_ATTR void VKAPI_CALL families2(VkPhysicalDevice physical, uint32_t *count,
                                            VkQueueFamilyProperties2 *out)
{
    VkQueueFamilyProperties plain[2];
    if (!is_other(physical)) {
        INSTANCE_CALL(physical, vkGetPhysicalDeviceQueueFamilyProperties2)(physical, count, out);
        return;
    }
    families(physical, count, out != NULL ? plain : NULL);
    for (uint32_t i = 0; out != NULL && i < *count; i++) {
        out[i].queueFamilyProperties = plain[i];
    }
}

static VKAPI_ATTR void VKAPI_CALL features(VkPhysicalDevice physical, VkPhysicalDeviceFeatures *out)
{
    INSTANCE_CALL(physical, vkGetPhysicalDeviceFeatures)(physical, out);
    out->geometryShader = VK_FALSE;
}

static VKAPI_ATTR void VKAPI_CALL features2(VkPhysicalDevice physical,
                                            VkPhysicalDeviceFeatures2 *out)
{
    INSTANCE_CALL(physical, vkGetPhysicalDeviceFeatures2)(physical, out);
    out->features.geometryShader = VK_FALSE;
}

static VKAPI_ATTR void VKAPI_CALL format(VkPhysicalDevice physical, VkFormat which,
                                         VkFormatProperties *out)
{
    INSTANCE_CALL(physical, vkGetPhysicalDeviceFormatProperties)(physical, which, out);
    if (which == VK_FORMAT_D24_UNORM_S8_UINT) {
        *out = (VkFormatProperties){0};
    }
}

/* --- what its devices do --- */

static VkLayerDeviceCreateInfo *link_of(const void *chain)
{
    for (const VkLayerDeviceCreateInfo *c = chain; c != NULL; c = c->pNext) {
        if (c->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO &&
            c->function == VK_LAYER_LINK_INFO) {
            return (VkLayerDeviceCreateInfo *)(uintptr_t)c;
        }
    }
    return NULL;
}

static bool wants_geometry(const VkDeviceCreateInfo *info)
{
    bool wants = info->pEnabledFeatures != NULL && info->pEnabledFeatures->geometryShader;
    for (const VkBaseInStructure *s = info->pNext; s != NULL; s = s->pNext) {
        const void *p = s;
        wants = wants || (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2 &&
                          ((const VkPhysicalDeviceFeatures2 *)p)->features.geometryShader);
    }
    return wants;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical,
                                                    const VkDeviceCreateInfo *info,
                                                    const VkAllocationCallbacks *allocator,
                                                    VkDevice *out)
{
    VkLayerDeviceCreateInfo *link = link_of(info->pNext);
    VkDeviceQueueCreateInfo queue = info->pQueueCreateInfos[0];
    VkDeviceCreateInfo one = *info;
    bool is_on = is_other(physical);
    if (is_on && wants_geometry(info)) {
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    if (is_on) { /* its two families are one below */
        queue.queueFamilyIndex = 0;
        queue.queueCount = 1;
        one.queueCreateInfoCount = 1;
        one.pQueueCreateInfos = &queue;
    }
    PFN_vkGetInstanceProcAddr instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    PFN_vkGetDeviceProcAddr below = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    VkResult result = ((PFN_vkCreateDevice)instance_proc(of(physical).instance, "vkCreateDevice"))(
        physical, &one, allocator, out);
    if (result == VK_SUCCESS) {
        add(*out, (struct below){.device_proc = below, .device = *out, .is_on = is_on});
    }
    return result;
}

static VKAPI_ATTR void VKAPI_CALL get_queue(VkDevice device, uint32_t family, uint32_t index,
                                            VkQueue *out)
{
    bool is_on = of(device).is_on;
    DEVICE_CALL(vkGetDeviceQueue)(device, is_on ? 0 : family, is_on ? 0 : index, out);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_pool(VkDevice device,
                                                  const VkCommandPoolCreateInfo *info,
                                                  const VkAllocationCallbacks *allocator,
                                                  VkCommandPool *out)
{
    VkCommandPoolCreateInfo here = *info;
    here.queueFamilyIndex = of(device).is_on ? 0 : here.queueFamilyIndex;
    return DEVICE_CALL(vkCreateCommandPool)(device, &here, allocator, out);
}

static VKAPI_ATTR VkResult VKAPI_CALL allocate(VkDevice device, const VkMemoryAllocateInfo *info,
                                               const VkAllocationCallbacks *allocator,
                                               VkDeviceMemory *out)
{
    VkMemoryAllocateInfo here = *info;
    bool is_on = of(device).is_on;
    if (is_on && here.memoryTypeIndex >= TYPES) {
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    here.memoryTypeIndex = is_on ? 0 : here.memoryTypeIndex;
    return DEVICE_CALL(vkAllocateMemory)(device, &here, allocator, out);
}

static void change_needs(VkDevice device, VkMemoryRequirements *needs, bool is_image)
{
    if (of(device).is_on) {
        needs->memoryTypeBits = (1u << TYPES) - 1;
        needs->size += is_image ? MORE : 0;
    }
}

static VKAPI_ATTR void VKAPI_CALL buffer_needs(VkDevice device, VkBuffer buffer,
                                               VkMemoryRequirements *out)
{
    DEVICE_CALL(vkGetBufferMemoryRequirements)(device, buffer, out);
    change_needs(device, out, false);
}

static VKAPI_ATTR void VKAPI_CALL buffer_needs2(VkDevice device,
                                                const VkBufferMemoryRequirementsInfo2 *info,
                                                VkMemoryRequirements2 *out)
{
    DEVICE_CALL(vkGetBufferMemoryRequirements2)(device, info, out);
    change_needs(device, &out->memoryRequirements, false);
}

static VKAPI_ATTR void VKAPI_CALL image_needs(VkDevice device, VkImage image,
                                              VkMemoryRequirements *out)
{
    DEVICE_CALL(vkGetImageMemoryRequirements)(device, image, out);
    change_needs(device, out, true);
}

static VKAPI_ATTR void VKAPI_CALL image_needs2(VkDevice device,
                                               const VkImageMemoryRequirementsInfo2 *info,
                                               VkMemoryRequirements2 *out)
{
    DEVICE_CALL(vkGetImageMemoryRequirements2)(device, info, out);
    change_needs(device, &out->memoryRequirements, true);
}

/* --- the loader's side --- */

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info,
                                                      const VkAllocationCallbacks *allocator,
                                                      VkInstance *out)
{
    const VkLayerInstanceCreateInfo *link = info->pNext;
    while (link != NULL && (link->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO ||
                            link->function != VK_LAYER_LINK_INFO)) {
        link = link->pNext;
    }
    if (link == NULL) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    VkLayerInstanceCreateInfo *ours = (VkLayerInstanceCreateInfo *)(uintptr_t)link;
    PFN_vkGetInstanceProcAddr below = ours->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    ours->u.pLayerInfo = ours->u.pLayerInfo->pNext;
    VkResult result = ((PFN_vkCreateInstance)below(NULL, "vkCreateInstance"))(info, allocator, out);
    if (result == VK_SUCCESS) {
        add(*out, (struct below){.instance_proc = below, .instance = *out});
    }
    return result;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL instance_proc(VkInstance instance,
                                                              const char *name);
static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_proc(VkDevice device, const char *name);

#define HOOK(name, function)                                                                       \
    {                                                                                              \
        name, (PFN_vkVoidFunction)(function)                                                       \
    }
static const struct hook {
    const char *name;
    PFN_vkVoidFunction function;
} instance_hooks[] =
    {
        HOOK("vkGetInstanceProcAddr", instance_proc),
        HOOK("vkCreateInstance", create_instance),
        HOOK("vkCreateDevice", create_device),
        HOOK("vkGetPhysicalDeviceProperties", properties),
        HOOK("vkGetPhysicalDeviceProperties2", properties2),
        HOOK("vkGetPhysicalDeviceMemoryProperties", memory),
        HOOK("vkGetPhysicalDeviceMemoryProperties2", memory2),
        HOOK("vkGetPhysicalDeviceQueueFamilyProperties", families),
        HOOK("vkGetPhysicalDeviceQueueFamilyProperties2", families2),
        HOOK("vkGetPhysicalDeviceFeatures", features),
        HOOK("vkGetPhysicalDeviceFeatures2", features2),
        HOOK("vkGetPhysicalDeviceFormatProperties", format),
},
  device_hooks[] = {
      HOOK("vkGetDeviceProcAddr", device_proc),
      HOOK("vkGetDeviceQueue", get_queue),
      HOOK("vkCreateCommandPool", create_pool),
      HOOK("vkAllocateMemory", allocate),
      HOOK("vkGetBufferMemoryRequirements", buffer_needs),
      HOOK("vkGetBufferMemoryRequirements2", buffer_needs2),
      HOOK("vkGetImageMemoryRequirements", image_needs),
      HOOK("vkGetImageMemoryRequirements2", image_needs2),
};

static PFN_vkVoidFunction hooked(const struct hook *hooks, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(hooks[i].name, name) == 0) {
            return hooks[i].function;
        }
    }
    return NULL;
}

static PFN_vkVoidFunction device_hook(const char *name)
{
    return hooked(device_hooks, sizeof device_hooks / sizeof device_hooks[0], name);
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_proc(VkDevice device, const char *name)
{
    PFN_vkVoidFunction found = device_hook(name);
    return found != NULL ? found : of(device).device_proc(device, name);
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL instance_proc(VkInstance instance, const char *name)
{
    PFN_vkVoidFunction found =
        hooked(instance_hooks, sizeof instance_hooks / sizeof instance_hooks[0], name);
    found = found != NULL ? found : device_hook(name);
    if (found == NULL && instance == NULL) {
        return NULL;
    }
    return found != NULL ? found : of(instance).instance_proc(instance, name);
}

__attribute__((visibility("default"))) VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *versions)
{
    versions->loaderLayerInterfaceVersion = 2;
    versions->pfnGetInstanceProcAddr = instance_proc;
    versions->pfnGetDeviceProcAddr = device_proc;
    versions->pfnGetPhysicalDeviceProcAddr = NULL;
    return VK_SUCCESS;
}
