#include "tests/support/swapchain_world.h"

#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <string.h>

struct swapchain_world *world;

static void *thing_new(size_t size)
{
    void *thing = sl_alloc(size);
    if (thing != NULL) {
        sl_atomic_add(&world->live, 1);
    }
    return thing;
}

void swapchain_thing_free(const void *thing)
{
    if (thing != NULL) {
        sl_atomic_add(&world->live, UINT32_MAX);
        sl_free((void *)(uintptr_t)thing);
    }
}

static VkResult thing_make(void *handle)
{
    struct swapchain_thing *thing = thing_new(sizeof *thing);
    memcpy(handle, &thing, sizeof thing);
    return thing != NULL ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
}

struct swapchain_thing *swapchain_thing_of(const void *handle)
{
    return (struct swapchain_thing *)(uintptr_t)handle;
}

void *gvk_object_new(struct gvk_device *device, const VkAllocationCallbacks *callbacks, size_t size)
{
    (void)device;
    (void)callbacks;
    return thing_new(size);
}

void gvk_object_free(struct gvk_device *device, const VkAllocationCallbacks *callbacks,
                     void *object)
{
    (void)device;
    (void)callbacks;
    swapchain_thing_free(object);
}

uint64_t gvk_local_id(void)
{
    return GVK_LOCAL_ID;
}

bool gvk_host_lost(const struct gvk_host *host)
{
    (void)host;
    return sl_atomic_load_relaxed(&world->lost) != 0;
}

bool gvk_host_look(struct gvk_host *host)
{
    return !gvk_host_lost(host);
}

VkResult gvk_entry_vkGetPhysicalDeviceImageFormatProperties(
    VkPhysicalDevice physicalDevice, VkFormat format, VkImageType type, VkImageTiling tiling,
    VkImageUsageFlags usage, VkImageCreateFlags flags, VkImageFormatProperties *out)
{
    (void)physicalDevice;
    (void)format;
    (void)type;
    (void)usage;
    (void)flags;
    SLT_EXPECT_EQ(VK_IMAGE_TILING_LINEAR, tiling);
    *out = (VkImageFormatProperties){.maxExtent = {64, 64, 1}};
    return world->no_linear ? VK_ERROR_FORMAT_NOT_SUPPORTED : VK_SUCCESS;
}

VkResult gvk_vkCreateImage(VkDevice device, const VkImageCreateInfo *info,
                           const VkAllocationCallbacks *callbacks, VkImage *out)
{
    (void)device;
    (void)callbacks;
    world->tiling = info->tiling;
    world->usage = info->usage;
    return thing_make(out);
}

VkResult gvk_vkCreateBuffer(VkDevice device, const VkBufferCreateInfo *info,
                            const VkAllocationCallbacks *callbacks, VkBuffer *out)
{
    (void)device;
    (void)callbacks;
    SLT_EXPECT_EQ(128u * SWAPCHAIN_HEIGHT, info->size); /* rows begin on multiples of 64 bytes */
    return thing_make(out);
}

VkResult gvk_vkCreateFence(VkDevice device, const VkFenceCreateInfo *info,
                           const VkAllocationCallbacks *callbacks, VkFence *out)
{
    (void)device;
    (void)info;
    (void)callbacks;
    return thing_make(out);
}

VkResult gvk_vkCreateCommandPool(VkDevice device, const VkCommandPoolCreateInfo *info,
                                 const VkAllocationCallbacks *callbacks, VkCommandPool *out)
{
    (void)device;
    (void)info;
    (void)callbacks;
    return thing_make(out);
}

VkResult gvk_vkAllocateMemory(VkDevice device, const VkMemoryAllocateInfo *info,
                              const VkAllocationCallbacks *callbacks, VkDeviceMemory *out)
{
    (void)device;
    (void)info;
    (void)callbacks;
    return thing_make(out);
}

VkResult gvk_vkAllocateCommandBuffers(VkDevice device, const VkCommandBufferAllocateInfo *info,
                                      VkCommandBuffer *out)
{
    (void)device;
    (void)info;
    return thing_make(out);
}

void gvk_vkFreeCommandBuffers(VkDevice device, VkCommandPool pool, uint32_t count,
                              const VkCommandBuffer *buffers)
{
    (void)device;
    (void)pool;
    for (uint32_t i = 0; i < count; i++) {
        swapchain_thing_free(buffers[i]);
    }
}

void gvk_vkDestroyFence(VkDevice device, VkFence fence, const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    swapchain_thing_free(fence);
}

/* Its command buffers are the test's to count: there are at most as many as pictures. */
void gvk_vkDestroyCommandPool(VkDevice device, VkCommandPool pool,
                              const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    swapchain_thing_free(pool);
}

void gvk_vkFreeMemory(VkDevice device, VkDeviceMemory memory,
                      const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    swapchain_thing_free(memory);
}

void gvk_vkDestroyBuffer(VkDevice device, VkBuffer buffer, const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    swapchain_thing_free(buffer);
}

void gvk_entry_vkDestroyImage(VkDevice device, VkImage image,
                              const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    swapchain_thing_free(image);
}

static void requirements(VkMemoryRequirements *out)
{
    *out = (VkMemoryRequirements){.size = 4096, .alignment = 64, .memoryTypeBits = 1};
}

void gvk_vkGetImageMemoryRequirements(VkDevice device, VkImage image, VkMemoryRequirements *out)
{
    (void)device;
    (void)image;
    requirements(out);
}

void gvk_vkGetBufferMemoryRequirements(VkDevice device, VkBuffer buffer, VkMemoryRequirements *out)
{
    (void)device;
    (void)buffer;
    requirements(out);
}

VkResult gvk_vkBindImageMemory(VkDevice device, VkImage image, VkDeviceMemory memory,
                               VkDeviceSize offset)
{
    (void)device;
    (void)image;
    (void)memory;
    SLT_EXPECT_EQ(0u, offset);
    return VK_SUCCESS;
}

VkResult gvk_vkBindBufferMemory(VkDevice device, VkBuffer buffer, VkDeviceMemory memory,
                                VkDeviceSize offset)
{
    (void)device;
    (void)buffer;
    (void)memory;
    SLT_EXPECT_EQ(0u, offset);
    return VK_SUCCESS;
}

void gvk_entry_vkGetImageSubresourceLayout(VkDevice device, VkImage image,
                                           const VkImageSubresource *which,
                                           VkSubresourceLayout *out)
{
    (void)device;
    (void)image;
    (void)which;
    *out = (VkSubresourceLayout){.offset = 16, .rowPitch = 96, .size = 96 * SWAPCHAIN_HEIGHT};
}

VkResult gvk_memory_map(struct gvk_device *device, struct gvk_memory *memory, void **bytes)
{
    (void)device;
    *bytes = swapchain_thing_of(memory)->bytes;
    return VK_SUCCESS;
}

struct vg_res *gvk_memory_blob(struct gvk_memory *memory, uint64_t *offset)
{
    (void)memory;
    *offset = 0;
    return NULL;
}

VkResult gvk_vkBeginCommandBuffer(VkCommandBuffer buffer, const VkCommandBufferBeginInfo *info)
{
    (void)buffer;
    SLT_EXPECT_EQ(0u, info->flags); /* it is submitted again and again */
    return VK_SUCCESS;
}

VkResult gvk_vkEndCommandBuffer(VkCommandBuffer buffer)
{
    (void)buffer;
    return VK_SUCCESS;
}

void gvk_entry_vkCmdPipelineBarrier(VkCommandBuffer buffer, VkPipelineStageFlags from,
                                    VkPipelineStageFlags to, VkDependencyFlags flags,
                                    uint32_t memory_count, const VkMemoryBarrier *memories,
                                    uint32_t buffer_count, const VkBufferMemoryBarrier *buffers,
                                    uint32_t image_count, const VkImageMemoryBarrier *images)
{
    (void)buffer;
    (void)from;
    (void)to;
    (void)flags;
    (void)memories;
    (void)buffer_count;
    (void)buffers;
    SLT_EXPECT_EQ(1u, image_count);
    bool back = memory_count != 0;
    SLT_EXPECT_EQ(VK_IMAGE_LAYOUT_PRESENT_SRC_KHR, back ? images->newLayout : images->oldLayout);
    world->barriers++;
}

void gvk_entry_vkCmdCopyImageToBuffer(VkCommandBuffer buffer, VkImage image, VkImageLayout layout,
                                      VkBuffer to, uint32_t count, const VkBufferImageCopy *regions)
{
    (void)buffer;
    (void)image;
    (void)layout;
    (void)to;
    SLT_EXPECT_EQ(1u, count);
    SLT_EXPECT_EQ(32u, regions->bufferRowLength);
    SLT_EXPECT_EQ(SWAPCHAIN_WIDTH, regions->imageExtent.width);
    world->copies++;
}

void gvk_call_vkQueueFrameSLUICE(struct gvk_host *host, VkQueue queue, VkDeviceMemory memory,
                                 VkDeviceSize offset, uint32_t width, uint32_t height,
                                 uint32_t stride, VkFormat format)
{
    (void)host, (void)queue, (void)format;
    SLT_EXPECT_EQ(SWAPCHAIN_WIDTH, width);
    SLT_EXPECT_EQ(SWAPCHAIN_HEIGHT, height);
    SLT_EXPECT_EQ(world->frames + 1, world->submits); /* behind its submit */
    world->frames++;
    world->frame_memory = memory;
    world->frame_offset = offset;
    world->frame_stride = stride;
}

VkResult gvk_vkQueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo *submits,
                           VkFence fence)
{
    (void)queue;
    SLT_EXPECT_EQ(1u, count);
    for (uint32_t i = 0; i < submits->waitSemaphoreCount; i++) {
        SLT_EXPECT_EQ(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, submits->pWaitDstStageMask[i]);
    }
    world->submits++;
    world->waits += submits->waitSemaphoreCount;
    world->commands += submits->commandBufferCount;
    if (fence != VK_NULL_HANDLE) {
        sl_atomic_store_seq(&swapchain_thing_of(fence)->submitted, 1);
    }
    return VK_SUCCESS;
}

VkResult gvk_vkWaitForFences(VkDevice device, uint32_t count, const VkFence *fences, VkBool32 all,
                             uint64_t timeout)
{
    (void)device;
    (void)all;
    SLT_EXPECT_EQ(1u, count);
    SLT_EXPECT_TRUE(sl_atomic_load_seq(&swapchain_thing_of(fences[0])->submitted) != 0);
    uint64_t end = sl_clock_ns() + timeout;
    while (sl_atomic_load_seq(&world->drawn) == 0 && sl_clock_ns() < end) {
        if (sl_atomic_load_seq(&world->lost) != 0) {
            return VK_ERROR_DEVICE_LOST;
        }
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return sl_atomic_load_seq(&world->drawn) != 0 ? VK_SUCCESS : VK_TIMEOUT;
}

VkResult gvk_vkResetFences(VkDevice device, uint32_t count, const VkFence *fences)
{
    (void)device;
    SLT_EXPECT_EQ(1u, count);
    sl_atomic_store_seq(&swapchain_thing_of(fences[0])->submitted, 0);
    return VK_SUCCESS;
}

VkResult gvk_vkImportSemaphoreFdKHR(VkDevice device, const VkImportSemaphoreFdInfoKHR *info)
{
    (void)device;
    SLT_EXPECT_EQ(-1, info->fd);
    world->imports++;
    return VK_SUCCESS;
}

VkResult gvk_vkImportFenceFdKHR(VkDevice device, const VkImportFenceFdInfoKHR *info)
{
    (void)device;
    SLT_EXPECT_EQ(-1, info->fd);
    world->imports++;
    return VK_SUCCESS;
}

/* ---- The presenter ---- */

static VkResult attach(struct gvk_presenter *presenter, uint32_t index,
                       const struct gvk_picture *picture, int fd)
{
    (void)presenter;
    SLT_EXPECT_EQ(-1, fd);
    world->pictures[index] = *picture;
    return VK_SUCCESS;
}

static VkResult show(struct gvk_presenter *presenter, uint32_t index, const uint32_t *stop)
{
    (void)presenter;
    (void)stop;
    sl_atomic_store_seq(&world->last, index);
    sl_atomic_add(&world->showing, 1);
    return world->show_result;
}

static VkResult look(struct gvk_presenter *presenter)
{
    (void)presenter;
    return world->look_result;
}

static bool busy(struct gvk_presenter *presenter, uint32_t index)
{
    (void)presenter;
    return sl_atomic_load_seq(&world->busy[index]) != 0;
}

/* The window system gives the first picture back that it has. */
static void wait_some(struct gvk_presenter *presenter, int wake_fd, int64_t timeout_ns)
{
    (void)presenter;
    SLT_EXPECT_LE((int64_t)0, timeout_ns);
    if (sl_fd_wait(wake_fd, timeout_ns / 10) == SL_OK) {
        return; /* the presenting thread has done with one */
    }
    for (uint32_t i = 0; i < SWAPCHAIN_COUNT; i++) {
        if (sl_atomic_exchange(&world->busy[i], 0) == 1) {
            return;
        }
    }
}

static void destroy(struct gvk_presenter *presenter)
{
    (void)presenter;
    world->presenter_made = false;
}

static const struct gvk_presenter_ops presenter_ops = {.attach = attach,
                                                       .show = show,
                                                       .look = look,
                                                       .busy = busy,
                                                       .wait = wait_some,
                                                       .destroy = destroy};

static VkResult presenter_create(struct gvk_surface *surface, const VkSwapchainCreateInfoKHR *info,
                                 uint32_t count, struct gvk_presenter **out)
{
    SLT_EXPECT_EQ(&world->surface, surface);
    SLT_EXPECT_EQ(SWAPCHAIN_COUNT, count);
    SLT_EXPECT_EQ(SWAPCHAIN_WIDTH, info->imageExtent.width);
    world->presenter.ops = &presenter_ops;
    world->presenter_made = true;
    *out = &world->presenter;
    return VK_SUCCESS;
}

static const struct gvk_surface_ops surface_ops = {.presenter_create = presenter_create};

void swapchain_world_init(struct swapchain_world *w)
{
    world = w;
    world->drawn = 1;
    world->device.dispatch.device = &world->device;
    world->device.dispatch.host = &world->host;
    world->device.physical = &world->physical;
    world->physical.memory.memoryTypeCount = 1;
    world->physical.memory.memoryTypes[0].propertyFlags =
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
        VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    world->queues[1].family = 1;
    world->surface.ops = &surface_ops;
}

VkDevice swapchain_world_device(void)
{
    return GVK_TO(VkDevice, &world->device);
}
