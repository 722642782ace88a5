#include "tools/sluice/probe.h"

#include "wire/vk_types.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES_MAX 16
#define FILL_SIZE   4096u
#define FILL_WORD   0x5115ce0fu

struct probe {
    int fd;
    void *loader;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkCommandPool pool;
};

static bool say(struct probe *p, const char *state, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool say(struct probe *p, const char *state, const char *name, const char *format, ...)
{
    char line[512];
    int size = snprintf(line, sizeof line, "%s %s ", state, name);
    va_list args;
    va_start(args, format);
    size += vsnprintf(line + size, sizeof line - (size_t)size - 1, format, args);
    va_end(args);
    size = size < (int)sizeof line - 2 ? size : (int)sizeof line - 2;
    line[size++] = '\n';
    ssize_t done = write(p->fd, line, (size_t)size);
    (void)done;
    return strcmp(state, "ok") == 0;
}

/* A function of the loader through its right type. */
#define VK_FN(p, name) ((PFN_##name)(void (*)(void))dlsym((p)->loader, #name))

static bool open_instance(struct probe *p, const char *step, const char *without)
{
    p->loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (p->loader == NULL) {
        return say(p, without, step, "%s", dlerror());
    }
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .pApplicationName = "sluice doctor",
                                           .apiVersion = VK_API_VERSION_1_1};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application};
    VkResult result = VK_FN(p, vkCreateInstance)(&info, NULL, &p->instance);
    if (result != VK_SUCCESS) {
        return say(p, without, step, "vkCreateInstance gave %d: the loader found no driver",
                   (int)result);
    }
    return true;
}

/* "NAME, Vulkan 1.3.230, UUID 6c6c..." */
static void describe(struct probe *p, VkPhysicalDevice physical, char *text, size_t size)
{
    VkPhysicalDeviceIDProperties ids = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &ids};
    VK_FN(p, vkGetPhysicalDeviceProperties2)(physical, &properties);
    char uuid[2 * VK_UUID_SIZE + 1];
    for (int i = 0; i < VK_UUID_SIZE; i++) {
        snprintf(uuid + (size_t)2 * (size_t)i, 3, "%02x", ids.deviceUUID[i]);
    }
    uint32_t version = properties.properties.apiVersion;
    snprintf(text, size, "%s, Vulkan %u.%u.%u, UUID %s", properties.properties.deviceName,
             VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
             VK_API_VERSION_PATCH(version), uuid);
}

/* How many there are; the first ones in `devices`. */
static uint32_t list_devices(struct probe *p, VkPhysicalDevice devices[DEVICES_MAX])
{
    uint32_t count = DEVICES_MAX;
    VkResult result = VK_FN(p, vkEnumeratePhysicalDevices)(p->instance, &count, devices);
    return result == VK_SUCCESS || result == VK_INCOMPLETE ? count : 0;
}

void probe_vulkan_devices(int fd)
{
    struct probe p = {.fd = fd};
    if (!open_instance(&p, "vk-native", "skipped")) {
        return;
    }
    VkPhysicalDevice devices[DEVICES_MAX];
    uint32_t count = list_devices(&p, devices);
    char all[400] = "";
    for (uint32_t i = 0; i < count; i++) {
        char text[360];
        describe(&p, devices[i], text, sizeof text);
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%u: %s", i == 0 ? "" : "; ", i, text);
    }
    say(&p, count > 0 ? "ok" : "skipped", "vk-native", "%s",
        count > 0 ? all : "the native loader finds no device");
}

bool probe_vulkan_is_cpu(void)
{
    struct probe p = {.fd = -1};
    if (!open_instance(&p, "vk-loader", "failed")) {
        return false;
    }
    VkPhysicalDevice devices[DEVICES_MAX];
    uint32_t count = list_devices(&p, devices), cpus = 0;
    for (uint32_t i = 0; i < count; i++) {
        VkPhysicalDeviceProperties properties;
        VK_FN(&p, vkGetPhysicalDeviceProperties)(devices[i], &properties);
        cpus += properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    }
    return count > 0 && cpus == count;
}

static bool open_device(struct probe *p)
{
    VkPhysicalDevice devices[DEVICES_MAX];
    if (list_devices(p, devices) == 0) {
        return say(p, "failed", "vk-device", "our driver offers no device");
    }
    p->physical = devices[0];
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue};
    VkResult result = VK_FN(p, vkCreateDevice)(p->physical, &info, NULL, &p->device);
    if (result != VK_SUCCESS) {
        return say(p, "failed", "vk-device", "vkCreateDevice gave %d", (int)result);
    }
    VK_FN(p, vkGetDeviceQueue)(p->device, 0, 0, &p->queue);
    char text[360];
    describe(p, p->physical, text, sizeof text);
    return say(p, "ok", "vk-device", "%s", text);
}

/* A buffer in coherent memory, mapped. */
static const uint32_t *make_buffer(struct probe *p)
{
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = FILL_SIZE,
                                     .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkMemoryRequirements needs;
    VkPhysicalDeviceMemoryProperties types;
    void *map = NULL;
    if (VK_FN(p, vkCreateBuffer)(p->device, &info, NULL, &p->buffer) != VK_SUCCESS) {
        return NULL;
    }
    VK_FN(p, vkGetBufferMemoryRequirements)(p->device, p->buffer, &needs);
    VK_FN(p, vkGetPhysicalDeviceMemoryProperties)(p->physical, &types);
    const VkMemoryPropertyFlags wanted =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    for (uint32_t i = 0; i < types.memoryTypeCount && i < VK_MAX_MEMORY_TYPES; i++) {
        const VkMemoryAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                               .allocationSize = needs.size,
                                               .memoryTypeIndex = i};
        if ((needs.memoryTypeBits >> i & 1) != 0 &&
            (types.memoryTypes[i].propertyFlags & wanted) == wanted) {
            bool ok =
                VK_FN(p, vkAllocateMemory)(p->device, &allocate, NULL, &p->memory) == VK_SUCCESS &&
                VK_FN(p, vkBindBufferMemory)(p->device, p->buffer, p->memory, 0) == VK_SUCCESS &&
                VK_FN(p, vkMapMemory)(p->device, p->memory, 0, VK_WHOLE_SIZE, 0, &map) ==
                    VK_SUCCESS;
            return ok ? map : NULL;
        }
    }
    return NULL;
}

static VkResult fill_buffer(struct probe *p)
{
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    VkResult result = VK_FN(p, vkCreateCommandPool)(p->device, &pool, NULL, &p->pool);
    if (result != VK_SUCCESS) {
        return result;
    }
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = p->pool,
        .commandBufferCount = 1};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkCommandBuffer commands;
    result = VK_FN(p, vkAllocateCommandBuffers)(p->device, &allocate, &commands);
    if (result == VK_SUCCESS) {
        result = VK_FN(p, vkBeginCommandBuffer)(commands, &begin);
    }
    if (result != VK_SUCCESS) {
        return result;
    }
    VK_FN(p, vkCmdFillBuffer)(commands, p->buffer, 0, VK_WHOLE_SIZE, FILL_WORD);
    const VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                     .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                     .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    VK_FN(p, vkCmdPipelineBarrier)
    (commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL,
     0, NULL);
    result = VK_FN(p, vkEndCommandBuffer)(commands);
    if (result != VK_SUCCESS) {
        return result;
    }
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .commandBufferCount = 1,
                                 .pCommandBuffers = &commands};
    result = VK_FN(p, vkQueueSubmit)(p->queue, 1, &submit, VK_NULL_HANDLE);
    return result == VK_SUCCESS ? VK_FN(p, vkQueueWaitIdle)(p->queue) : result;
}

static bool round_trip(struct probe *p)
{
    const uint32_t *words = make_buffer(p);
    if (words == NULL) {
        return say(p, "failed", "vk-memory", "no buffer in coherent memory can be had");
    }
    VkResult result = fill_buffer(p);
    if (result != VK_SUCCESS) {
        return say(p, "failed", "vk-memory", "filling the buffer gave %d", (int)result);
    }
    for (uint32_t i = 0; i < FILL_SIZE / 4; i++) {
        if (words[i] != FILL_WORD) {
            return say(p, "failed", "vk-memory", "word %u: want 0x%08x, got 0x%08x", i, FILL_WORD,
                       words[i]);
        }
    }
    return say(p, "ok", "vk-memory", "%u bytes filled by the device, read here through the map",
               FILL_SIZE);
}

void probe_vulkan(int fd)
{
    struct probe p = {.fd = fd};
    if (!open_instance(&p, "vk-loader", "failed")) {
        return;
    }
    say(&p, "ok", "vk-loader", "libvulkan.so.1 takes our driver");
    if (open_device(&p)) {
        round_trip(&p);
    }
    if (p.device != NULL) {
        VK_FN(&p, vkDestroyCommandPool)(p.device, p.pool, NULL);
        VK_FN(&p, vkDestroyBuffer)(p.device, p.buffer, NULL);
        VK_FN(&p, vkFreeMemory)(p.device, p.memory, NULL);
        VK_FN(&p, vkDestroyDevice)(p.device, NULL);
    }
    VK_FN(&p, vkDestroyInstance)(p.instance, NULL);
}
