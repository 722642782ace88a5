#include "tests/integration/vulkan/vx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EMPTY_HASH 0xcbf29ce484222325ull

/* ---- results ---- */

uint64_t vx_hash(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *p = data;
    hash = hash != 0 ? hash : EMPTY_HASH;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * 0x100000001b3ull;
    }
    return hash;
}

static void (*on_failure)(VkResult result, const char *what);

void vx_on_failure(void (*failed)(VkResult result, const char *what))
{
    on_failure = failed;
}

static _Noreturn void fail(VkResult result, const char *what)
{
    if (on_failure != NULL) {
        on_failure(result, what);
    }
    fflush(stdout);
    fprintf(stderr, "failed with %d: %s\n", (int)result, what);
    exit(1);
}

void vx_need(bool ok, const char *what)
{
    if (!ok) {
        fail(VK_ERROR_UNKNOWN, what);
    }
}

VkResult vx_note(struct vx *vx, VkResult result)
{
    int32_t word = result;
    vx->results = vx_hash(vx->results, &word, sizeof word);
    return result;
}

void vx_must(struct vx *vx, VkResult result, const char *call)
{
    if (vx_note(vx, result) != VK_SUCCESS) {
        fail(result, call);
    }
}

/* VX_KEEP: a folder for the bytes of all that is shown, 0003-NAME.raw the fourth of them. */
static void keep(struct vx *vx, const char *name, const void *data, size_t size)
{
    char path[4096];
    const char *folder = getenv("VX_KEEP");
    if (folder != NULL) {
        snprintf(path, sizeof path, "%s/%04u-%s.raw", folder, vx->shown++, name);
        FILE *file = fopen(path, "wb");
        vx_need(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0, path);
    }
}

void vx_show(struct vx *vx, const char *name, const void *data, size_t size)
{
    keep(vx, name, data, size);
    printf("%s %016llx %016llx\n", name, (unsigned long long)vx_hash(0, data, size),
           (unsigned long long)vx->results);
    fflush(stdout);
}

void vx_show_text(struct vx *vx, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%s ", name);
    vprintf(format, args);
    va_end(args);
    printf(" %016llx\n", (unsigned long long)vx->results);
    fflush(stdout);
}

void vx_unsupported(struct vx *vx, const char *name, const char *why)
{
    (void)vx;
    printf("%s unsupported: %s\n", name, why);
    fflush(stdout);
}

void vx_bytes(void *data, size_t size, uint32_t seed)
{
    uint8_t *p = data;
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        p[i] = (uint8_t)(state >> 24);
    }
}

/* ---- instance and device ---- */

void vx_open_instance(struct vx *vx)
{
    vx_open_instance_with(vx, NULL, 0);
}

void vx_open_instance_with(struct vx *vx, const char *const *extensions, uint32_t count)
{
    *vx = (struct vx){0};
    VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                     .pApplicationName = "vulkan test",
                                     .apiVersion = VK_API_VERSION_1_3};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &application,
                                 .enabledExtensionCount = count,
                                 .ppEnabledExtensionNames = extensions};
    VX(vx, vkCreateInstance(&info, NULL, &vx->instance));
    count = 1;
    VkResult result = vkEnumeratePhysicalDevices(vx->instance, &count, &vx->physical);
    vx_need(count == 1 && (result == VK_SUCCESS || result == VK_INCOMPLETE), "a physical device");
    vkGetPhysicalDeviceProperties(vx->physical, &vx->properties);
    vkGetPhysicalDeviceFeatures(vx->physical, &vx->features);
    vkGetPhysicalDeviceMemoryProperties(vx->physical, &vx->memory);
}

bool vx_has_extension(struct vx *vx, const char *name)
{
    uint32_t count = 0;
    VX(vx, vkEnumerateDeviceExtensionProperties(vx->physical, NULL, &count, NULL));
    VkExtensionProperties *all = calloc(count + 1, sizeof *all);
    vx_need(all != NULL, "memory");
    VX(vx, vkEnumerateDeviceExtensionProperties(vx->physical, NULL, &count, all));
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found = found || strcmp(all[i].extensionName, name) == 0;
    }
    free(all);
    return found;
}

void vx_query(struct vx *vx, void *chain)
{
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = chain};
    vkGetPhysicalDeviceFeatures2(vx->physical, &features);
}

/* The first family that does everything; how many queues it has. */
static void find_family(struct vx *vx)
{
    VkQueueFamilyProperties families[16];
    uint32_t count = 16;
    vkGetPhysicalDeviceQueueFamilyProperties(vx->physical, &count, families);
    for (uint32_t i = 0; i < count; i++) {
        const VkQueueFlags all = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
        if ((families[i].queueFlags & all) == all) {
            vx->family = i;
            vx->family_queues = families[i].queueCount;
            return;
        }
    }
    vx_need(false, "a queue family for graphics and compute");
}

void vx_open_device(struct vx *vx, const struct vx_wants *wants)
{
    static const struct vx_wants nothing = {0};
    static const float priorities[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    wants = wants != NULL ? wants : &nothing;
    if (vx->family_queues == 0) {
        find_family(vx);
    }
    uint32_t most = wants->queues == 0 ? 1 : wants->queues;
    vx->queue_count = vx->family_queues < most ? vx->family_queues : most;
    const char *names[VX_EXTENSIONS];
    uint32_t name_count = 0;
    for (uint32_t i = 0; i < VX_EXTENSIONS && wants->extensions[i] != NULL; i++) {
        if (vx_has_extension(vx, wants->extensions[i])) {
            names[name_count++] = wants->extensions[i];
        }
    }
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = vx->family,
                                     .queueCount = vx->queue_count,
                                     .pQueuePriorities = priorities};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = wants->features,
                                          .features = vx->features};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &features,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = name_count,
                               .ppEnabledExtensionNames = names};
    VX(vx, vkCreateDevice(vx->physical, &info, NULL, &vx->device));
    vkGetDeviceQueue(vx->device, vx->family, 0, &vx->queue);
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                    .queueFamilyIndex = vx->family};
    VX(vx, vkCreateCommandPool(vx->device, &pool, NULL, &vx->pool));
}

void vx_close_device(struct vx *vx)
{
    VX(vx, vkDeviceWaitIdle(vx->device));
    vkDestroyCommandPool(vx->device, vx->pool, NULL);
    vkDestroyDevice(vx->device, NULL);
    vx->device = VK_NULL_HANDLE;
}

void vx_open(struct vx *vx, const struct vx_wants *wants)
{
    vx_open_instance(vx);
    vx_open_device(vx, wants);
}

void vx_close(struct vx *vx)
{
    if (vx->device != VK_NULL_HANDLE) {
        vx_close_device(vx);
    }
    vkDestroyInstance(vx->instance, NULL);
    printf("end %016llx\n", (unsigned long long)vx->results);
    vx_need(fflush(stdout) == 0, "writing the lines");
}

/* ---- memory, buffers, images ---- */

uint32_t vx_memory_type(struct vx *vx, uint32_t bits, VkMemoryPropertyFlags flags)
{
    for (uint32_t i = 0; i < vx->memory.memoryTypeCount; i++) {
        if ((bits >> i & 1) != 0 && (vx->memory.memoryTypes[i].propertyFlags & flags) == flags) {
            return i;
        }
    }
    vx_need(false, "a memory type");
    return 0;
}

struct vx_buffer vx_buffer(struct vx *vx, VkDeviceSize size, VkBufferUsageFlags usage)
{
    struct vx_buffer b = {.size = size};
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = size,
                               .usage = usage,
                               .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    VX(vx, vkCreateBuffer(vx->device, &info, NULL, &b.buffer));
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(vx->device, b.buffer, &needs);
    VkMemoryAllocateFlagsInfo flags = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
    };
    bool has_address = (usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) != 0;
    VkMemoryAllocateInfo memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = has_address ? &flags : NULL,
        .allocationSize = needs.size,
        .memoryTypeIndex = vx_memory_type(vx, needs.memoryTypeBits,
                                          VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                              VK_MEMORY_PROPERTY_HOST_COHERENT_BIT),
    };
    VX(vx, vkAllocateMemory(vx->device, &memory, NULL, &b.memory));
    VX(vx, vkBindBufferMemory(vx->device, b.buffer, b.memory, 0));
    VX(vx, vkMapMemory(vx->device, b.memory, 0, VK_WHOLE_SIZE, 0, &b.map));
    memset(b.map, 0, size);
    return b;
}

void vx_buffer_free(struct vx *vx, struct vx_buffer *buffer)
{
    vkDestroyBuffer(vx->device, buffer->buffer, NULL);
    vkFreeMemory(vx->device, buffer->memory, NULL);
    *buffer = (struct vx_buffer){0};
}

VkImageCreateInfo vx_image_info(VkFormat format, VkImageUsageFlags usage)
{
    return (VkImageCreateInfo){.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                               .imageType = VK_IMAGE_TYPE_2D,
                               .format = format,
                               .extent = {VX_SIDE, VX_SIDE, 1},
                               .mipLevels = 1,
                               .arrayLayers = 1,
                               .samples = VK_SAMPLE_COUNT_1_BIT,
                               .tiling = VK_IMAGE_TILING_OPTIMAL,
                               .usage = usage,
                               .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
                               .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED};
}

struct vx_image vx_image(struct vx *vx, const VkImageCreateInfo *info, VkImageAspectFlags aspect)
{
    struct vx_image i = {.format = info->format,
                         .aspect = aspect,
                         .width = info->extent.width,
                         .height = info->extent.height,
                         .layers = info->arrayLayers};
    VX(vx, vkCreateImage(vx->device, info, NULL, &i.image));
    VkMemoryRequirements needs;
    vkGetImageMemoryRequirements(vx->device, i.image, &needs);
    VkMemoryAllocateInfo memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                   .allocationSize = needs.size,
                                   .memoryTypeIndex = vx_memory_type(vx, needs.memoryTypeBits, 0)};
    VX(vx, vkAllocateMemory(vx->device, &memory, NULL, &i.memory));
    VX(vx, vkBindImageMemory(vx->device, i.image, i.memory, 0));
    const VkImageUsageFlags viewed = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_STORAGE_BIT |
                                     VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                     VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT |
                                     VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT;
    if ((info->usage & viewed) != 0) {
        VkImageViewCreateInfo view = {
            .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
            .image = i.image,
            .viewType = info->imageType == VK_IMAGE_TYPE_3D ? VK_IMAGE_VIEW_TYPE_3D
                        : info->arrayLayers > 1             ? VK_IMAGE_VIEW_TYPE_2D_ARRAY
                                                            : VK_IMAGE_VIEW_TYPE_2D,
            .format = info->format,
            .subresourceRange = {aspect, 0, info->mipLevels, 0, info->arrayLayers},
        };
        VX(vx, vkCreateImageView(vx->device, &view, NULL, &i.view));
    }
    return i;
}

void vx_image_free(struct vx *vx, struct vx_image *image)
{
    vkDestroyImageView(vx->device, image->view, NULL);
    vkDestroyImage(vx->device, image->image, NULL);
    vkFreeMemory(vx->device, image->memory, NULL);
    *image = (struct vx_image){0};
}

/* ---- commands ---- */

VkCommandBuffer vx_begin(struct vx *vx)
{
    VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                        .commandPool = vx->pool,
                                        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                        .commandBufferCount = 1};
    VkCommandBuffer commands;
    VX(vx, vkAllocateCommandBuffers(vx->device, &info, &commands));
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VX(vx, vkBeginCommandBuffer(commands, &begin));
    return commands;
}

void vx_submit(struct vx *vx, VkCommandBuffer commands)
{
    VX(vx, vkEndCommandBuffer(commands));
    VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence;
    VX(vx, vkCreateFence(vx->device, &info, NULL, &fence));
    VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                           .commandBufferCount = 1,
                           .pCommandBuffers = &commands};
    VX(vx, vkQueueSubmit(vx->queue, 1, &submit, fence));
    VX(vx, vkWaitForFences(vx->device, 1, &fence, VK_TRUE, UINT64_MAX));
    vkDestroyFence(vx->device, fence, NULL);
    vkFreeCommandBuffers(vx->device, vx->pool, 1, &commands);
}

void vx_barrier(VkCommandBuffer commands, const struct vx_image *image, VkImageLayout from,
                VkImageLayout to)
{
    VkImageMemoryBarrier barrier = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image->image,
        .subresourceRange = {image->aspect, 0, VK_REMAINING_MIP_LEVELS, 0,
                             VK_REMAINING_ARRAY_LAYERS},
    };
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1, &barrier);
}

void vx_memory_barrier(VkCommandBuffer commands)
{
    VkMemoryBarrier barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask =
            VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_HOST_READ_BIT,
    };
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
                         &barrier, 0, NULL, 0, NULL);
}

void vx_show_image(struct vx *vx, const char *name, const struct vx_image *image,
                   VkImageAspectFlags aspect, VkImageLayout from, uint32_t texel)
{
    VkDeviceSize size = (VkDeviceSize)image->width * image->height * image->layers * texel;
    struct vx_buffer bytes = vx_buffer(vx, size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    VkCommandBuffer commands = vx_begin(vx);
    vx_barrier(commands, image, from, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    VkBufferImageCopy copy = {.imageSubresource = {aspect, 0, 0, image->layers},
                              .imageExtent = {image->width, image->height, 1}};
    vkCmdCopyImageToBuffer(commands, image->image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                           bytes.buffer, 1, &copy);
    if (from != VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL) {
        vx_barrier(commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, from);
    }
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    vx_show(vx, name, bytes.map, size);
    vx_buffer_free(vx, &bytes);
}

void vx_fill_image(struct vx *vx, const struct vx_image *image, const void *data, size_t size,
                   VkImageLayout to)
{
    struct vx_buffer bytes = vx_buffer(vx, size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    memcpy(bytes.map, data, size);
    VkCommandBuffer commands = vx_begin(vx);
    vx_barrier(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    VkBufferImageCopy copy = {.imageSubresource = {image->aspect, 0, 0, image->layers},
                              .imageExtent = {image->width, image->height, 1}};
    vkCmdCopyBufferToImage(commands, bytes.buffer, image->image,
                           VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copy);
    vx_barrier(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, to);
    vx_submit(vx, commands);
    vx_buffer_free(vx, &bytes);
}
