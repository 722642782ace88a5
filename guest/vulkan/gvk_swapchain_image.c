/* A swapchain's pictures: linear images in mapped memory where the device can draw into them, else
 * images as the device likes them and a buffer each for what the window system reads. */
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_swapchain.h"
#include "transport/base/mem.h"

/* Memory that a picture is read from by the window system. */
#define READABLE                                                                                   \
    (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT |                  \
     VK_MEMORY_PROPERTY_HOST_CACHED_BIT)
/* Bytes that rows of copies begin on. */
#define ROW_ALIGN 64u
/* All formats that surfaces have. */
#define PIXEL_SIZE 4u

/* The first type of these that has all of `want`; UINT32_MAX: none. */
static uint32_t memory_type(const struct gvk_swapchain *swapchain, uint32_t bits, uint32_t want)
{
    const VkPhysicalDeviceMemoryProperties *memory = &swapchain->device->physical->memory;
    for (uint32_t i = 0; i < memory->memoryTypeCount; i++) {
        if ((bits >> i & 1) != 0 && (memory->memoryTypes[i].propertyFlags & want) == want) {
            return i;
        }
    }
    return UINT32_MAX;
}

static VkResult memory_make(struct gvk_swapchain *swapchain, const VkMemoryRequirements *needs,
                            uint32_t type, VkImage image, VkBuffer buffer, VkDeviceMemory *out)
{
    const VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .image = image,
        .buffer = buffer};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = &dedicated,
                                       .allocationSize = needs->size,
                                       .memoryTypeIndex = type};
    return gvk_vkAllocateMemory(gvk_swapchain_device(swapchain), &info, NULL, out);
}

/* --- linear or not --- */

/* Can the device draw into linear images in memory that the processor reads well and that is the
 * device's own? Memory that is far away from the device would make drawing slow, not only the
 * copy. */
static bool linear_wanted(struct gvk_swapchain *swapchain)
{
    const VkImageCreateInfo *info = &swapchain->image_info;
    VkImageFormatProperties most;
    VkResult result = gvk_entry_vkGetPhysicalDeviceImageFormatProperties(
        GVK_TO(VkPhysicalDevice, swapchain->device->physical), info->format, info->imageType,
        VK_IMAGE_TILING_LINEAR, info->usage, info->flags, &most);
    return result == VK_SUCCESS && info->extent.width <= most.maxExtent.width &&
           info->extent.height <= most.maxExtent.height && info->arrayLayers == 1 &&
           memory_type(swapchain, UINT32_MAX, READABLE | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) !=
               UINT32_MAX;
}

/* --- images --- */

static VkResult image_make(struct gvk_swapchain *swapchain, struct gvk_frame *frame)
{
    VkDevice device = gvk_swapchain_device(swapchain);
    VkResult result = gvk_vkCreateImage(device, &swapchain->image_info, NULL, &frame->image);
    if (result != VK_SUCCESS) {
        return result;
    }
    VkMemoryRequirements needs;
    gvk_vkGetImageMemoryRequirements(device, frame->image, &needs);
    uint32_t want = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    uint32_t type =
        memory_type(swapchain, needs.memoryTypeBits, swapchain->linear ? want | READABLE : want);
    if (type == UINT32_MAX) {
        type = memory_type(swapchain, needs.memoryTypeBits, swapchain->linear ? READABLE : 0);
    }
    if (type == UINT32_MAX) {
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    result = memory_make(swapchain, &needs, type, frame->image, VK_NULL_HANDLE, &frame->memory);
    return result == VK_SUCCESS ? gvk_vkBindImageMemory(device, frame->image, frame->memory, 0)
                                : result;
}

/* The buffer that the window system reads instead. */
static VkResult copy_make(struct gvk_swapchain *swapchain, struct gvk_frame *frame, uint32_t stride)
{
    VkDevice device = gvk_swapchain_device(swapchain);
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size =
                                         (VkDeviceSize)stride * swapchain->image_info.extent.height,
                                     .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkResult result = gvk_vkCreateBuffer(device, &info, NULL, &frame->copy);
    if (result != VK_SUCCESS) {
        return result;
    }
    VkMemoryRequirements needs;
    gvk_vkGetBufferMemoryRequirements(device, frame->copy, &needs);
    uint32_t type = memory_type(swapchain, needs.memoryTypeBits, READABLE);
    if (type == UINT32_MAX) {
        type = memory_type(swapchain, needs.memoryTypeBits,
                           READABLE & ~VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    }
    if (type == UINT32_MAX) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    result = memory_make(swapchain, &needs, type, VK_NULL_HANDLE, frame->copy, &frame->copy_memory);
    return result == VK_SUCCESS ? gvk_vkBindBufferMemory(device, frame->copy, frame->copy_memory, 0)
                                : result;
}

/* Gives the presenter the memory that holds the picture, `layout` of it. */
static VkResult attach(struct gvk_swapchain *swapchain, uint32_t index, VkDeviceMemory handle,
                       const VkSubresourceLayout *layout)
{
    struct gvk_memory *memory = GVK_FROM(gvk_memory, handle);
    void *bytes;
    swapchain->frames[index].shown_offset = layout->offset;
    swapchain->frames[index].shown_stride = (uint32_t)layout->rowPitch;
    VkResult result = gvk_memory_map(swapchain->device, memory, &bytes);
    if (result != VK_SUCCESS) {
        return result;
    }
    const VkImageCreateInfo *info = &swapchain->image_info;
    uint64_t offset = 0;
    struct vg_res *blob = gvk_memory_blob(memory, &offset);
    int fd = -1;
    if (blob != NULL && blob->vg->ops->res_export(blob, &fd) != SL_OK) {
        fd = -1; /* the presenter copies */
    }
    const struct gvk_picture picture = {.pixels = (const uint8_t *)bytes + layout->offset,
                                        .stride = (uint32_t)layout->rowPitch,
                                        .width_px = info->extent.width,
                                        .height_px = info->extent.height,
                                        .format = info->format,
                                        .offset = offset + layout->offset,
                                        .size = blob != NULL ? blob->size : 0};
    struct gvk_presenter *presenter = swapchain->presenter;
    return presenter->ops->attach(presenter, index, &picture, fd);
}

static VkResult frame_make(struct gvk_swapchain *swapchain, uint32_t index)
{
    struct gvk_frame *frame = &swapchain->frames[index];
    VkDevice device = gvk_swapchain_device(swapchain);
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = image_make(swapchain, frame);
    if (result == VK_SUCCESS) {
        result = gvk_vkCreateFence(device, &fence, NULL, &frame->fence);
    }
    if (result != VK_SUCCESS) {
        return result;
    }
    if (swapchain->linear) {
        const VkImageSubresource whole = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT};
        VkSubresourceLayout layout;
        gvk_entry_vkGetImageSubresourceLayout(device, frame->image, &whole, &layout);
        return attach(swapchain, index, frame->memory, &layout);
    }
    uint32_t row = swapchain->image_info.extent.width * PIXEL_SIZE;
    const VkSubresourceLayout layout = {.rowPitch = (row + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN};
    result = copy_make(swapchain, frame, (uint32_t)layout.rowPitch);
    return result == VK_SUCCESS ? attach(swapchain, index, frame->copy_memory, &layout) : result;
}

VkResult gvk_swapchain_images_create(struct gvk_swapchain *swapchain)
{
    swapchain->linear = linear_wanted(swapchain);
    if (swapchain->linear) {
        swapchain->image_info.tiling = VK_IMAGE_TILING_LINEAR;
    } else {
        swapchain->image_info.tiling = VK_IMAGE_TILING_OPTIMAL;
        swapchain->image_info.usage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    }
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < swapchain->count && result == VK_SUCCESS; i++) {
        result = frame_make(swapchain, i);
    }
    return result;
}

void gvk_swapchain_images_destroy(struct gvk_swapchain *swapchain)
{
    VkDevice device = gvk_swapchain_device(swapchain);
    for (uint32_t i = 0; i < GVK_SWAPCHAIN_FAMILIES_MAX; i++) {
        gvk_vkDestroyCommandPool(device, swapchain->pools[i], NULL); /* its buffers too */
    }
    for (uint32_t i = 0; i < swapchain->count; i++) {
        struct gvk_frame *frame = &swapchain->frames[i];
        gvk_vkDestroyFence(device, frame->fence, NULL);
        gvk_vkDestroyBuffer(device, frame->copy, NULL);
        gvk_vkFreeMemory(device, frame->copy_memory, NULL);
        gvk_entry_vkDestroyImage(device, frame->image, NULL);
        gvk_vkFreeMemory(device, frame->memory, NULL);
    }
}

/* --- copies --- */

static void record(const struct gvk_swapchain *swapchain, const struct gvk_frame *frame,
                   VkCommandBuffer commands)
{
    const VkExtent3D extent = swapchain->image_info.extent;
    uint32_t row = extent.width * PIXEL_SIZE;
    const VkImageMemoryBarrier before = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
        .oldLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
        .newLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = frame->image,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    VkImageMemoryBarrier after = before;
    after.srcAccessMask = VK_ACCESS_TRANSFER_READ_BIT;
    after.dstAccessMask = 0;
    after.oldLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
    after.newLayout = VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
    const VkMemoryBarrier readable = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                      .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                      .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    const VkBufferImageCopy region = {.bufferRowLength = (row + ROW_ALIGN - 1) / ROW_ALIGN *
                                                         ROW_ALIGN / PIXEL_SIZE,
                                      .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                      .imageExtent = extent};
    gvk_entry_vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                   VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, NULL, 0, NULL, 1, &before);
    gvk_entry_vkCmdCopyImageToBuffer(commands, frame->image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                                     frame->copy, 1, &region);
    gvk_entry_vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                   VK_PIPELINE_STAGE_HOST_BIT |
                                       VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                   0, 1, &readable, 0, NULL, 1, &after);
}

static VkResult pool_get(struct gvk_swapchain *swapchain, uint32_t family, VkCommandPool *pool)
{
    if (family >= GVK_SWAPCHAIN_FAMILIES_MAX) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result = VK_SUCCESS;
    if (swapchain->pools[family] == VK_NULL_HANDLE) {
        const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                              .queueFamilyIndex = family};
        result = gvk_vkCreateCommandPool(gvk_swapchain_device(swapchain), &info, NULL,
                                         &swapchain->pools[family]);
    }
    *pool = swapchain->pools[family];
    return result;
}

VkResult gvk_swapchain_copy(struct gvk_swapchain *swapchain, struct gvk_frame *frame,
                            const struct gvk_queue *queue, VkCommandBuffer *commands)
{
    *commands = frame->commands;
    if (swapchain->linear || (frame->commands != NULL && frame->family == queue->family)) {
        return VK_SUCCESS;
    }
    VkDevice device = gvk_swapchain_device(swapchain);
    if (frame->commands != NULL) { /* another family's; the picture is not on its way */
        gvk_vkFreeCommandBuffers(device, swapchain->pools[frame->family], 1, &frame->commands);
        frame->commands = NULL;
    }
    VkCommandPool pool;
    VkResult result = pool_get(swapchain, queue->family, &pool);
    if (result != VK_SUCCESS) {
        return result;
    }
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = 1};
    const VkCommandBufferBeginInfo again = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkCommandBuffer made;
    result = gvk_vkAllocateCommandBuffers(device, &info, &made);
    if (result != VK_SUCCESS) {
        return result;
    }
    result = gvk_vkBeginCommandBuffer(made, &again);
    if (result == VK_SUCCESS) {
        record(swapchain, frame, made);
        result = gvk_vkEndCommandBuffer(made);
    }
    if (result != VK_SUCCESS) {
        gvk_vkFreeCommandBuffers(device, pool, 1, &made);
        return result;
    }
    frame->commands = made;
    frame->family = queue->family;
    *commands = made;
    return VK_SUCCESS;
}
