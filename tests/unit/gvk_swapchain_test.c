/* Swapchains without a host and without a window system: a device of this file's own, which draws
 * when it is told to, and a presenter that keeps pictures as long as it is told to. */
#include "guest/vulkan/gvk_swapchain.h"

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

#define WIDTH  20u /* rows of 80 bytes, which are no multiple of what copies are aligned to */
#define HEIGHT 10u
#define COUNT  3u

static struct world {
    struct gvk_host host;
    struct gvk_physical physical;
    struct gvk_device device;
    struct gvk_queue queues[2]; /* of families 0 and 1 */
    struct gvk_surface surface;
    /* the device */
    bool no_linear; /* it cannot draw into linear images */
    uint32_t live;  /* atomic: objects made and not destroyed */
    uint32_t drawn; /* atomic: fences signal when they are submitted */
    uint32_t lost;  /* atomic */
    uint32_t waits, submits, commands, copies, barriers, imports;
    uint32_t frames; /* told to the host, the last one as follows */
    VkDeviceMemory frame_memory;
    uint64_t frame_offset;
    uint32_t frame_stride;
    VkImageTiling tiling;
    VkImageUsageFlags usage;
    /* the presenter */
    struct gvk_presenter presenter;
    bool presenter_made;
    uint32_t busy[COUNT]; /* atomic: kept even when it was read */
    uint32_t showing;     /* atomic: how often show was called */
    uint32_t last;        /* atomic: index of the last one */
    VkResult show_result, look_result;
    struct gvk_picture pictures[COUNT];
} * world;

/* ---- The device ---- */

struct thing { /* whatever a handle points to */
    struct gvk_object object;
    uint32_t submitted; /* fences; atomic */
    uint8_t bytes[WIDTH * HEIGHT * 8];
};

static void *thing_new(size_t size)
{
    void *thing = sl_alloc(size);
    if (thing != NULL) {
        sl_atomic_add(&world->live, 1);
    }
    return thing;
}

static void thing_free(const void *thing)
{
    if (thing != NULL) {
        sl_atomic_add(&world->live, UINT32_MAX);
        sl_free((void *)(uintptr_t)thing);
    }
}

static VkResult thing_make(void *handle)
{
    struct thing *thing = thing_new(sizeof *thing);
    memcpy(handle, &thing, sizeof thing);
    return thing != NULL ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
}

static struct thing *thing_of(const void *handle)
{
    return (struct thing *)(uintptr_t)handle;
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
    thing_free(object);
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
    SLT_EXPECT_EQ(128u * HEIGHT, info->size); /* rows begin on multiples of 64 bytes */
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
        thing_free(buffers[i]);
    }
}

void gvk_vkDestroyFence(VkDevice device, VkFence fence, const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    thing_free(fence);
}

/* Its command buffers are the test's to count: there are at most as many as pictures. */
void gvk_vkDestroyCommandPool(VkDevice device, VkCommandPool pool,
                              const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    thing_free(pool);
}

void gvk_vkFreeMemory(VkDevice device, VkDeviceMemory memory,
                      const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    thing_free(memory);
}

void gvk_vkDestroyBuffer(VkDevice device, VkBuffer buffer, const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    thing_free(buffer);
}

void gvk_entry_vkDestroyImage(VkDevice device, VkImage image,
                              const VkAllocationCallbacks *callbacks)
{
    (void)device;
    (void)callbacks;
    thing_free(image);
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
    *out = (VkSubresourceLayout){.offset = 16, .rowPitch = 96, .size = 96 * HEIGHT};
}

VkResult gvk_memory_map(struct gvk_device *device, struct gvk_memory *memory, void **bytes)
{
    (void)device;
    *bytes = thing_of(memory)->bytes;
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
    SLT_EXPECT_EQ(WIDTH, regions->imageExtent.width);
    world->copies++;
}

void gvk_call_vkQueueFrameSLUICE(struct gvk_host *host, VkQueue queue, VkDeviceMemory memory,
                                 VkDeviceSize offset, uint32_t width, uint32_t height,
                                 uint32_t stride, VkFormat format)
{
    (void)host, (void)queue, (void)format;
    SLT_EXPECT_EQ(WIDTH, width);
    SLT_EXPECT_EQ(HEIGHT, height);
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
        sl_atomic_store_seq(&thing_of(fence)->submitted, 1);
    }
    return VK_SUCCESS;
}

VkResult gvk_vkWaitForFences(VkDevice device, uint32_t count, const VkFence *fences, VkBool32 all,
                             uint64_t timeout)
{
    (void)device;
    (void)all;
    SLT_EXPECT_EQ(1u, count);
    SLT_EXPECT_TRUE(sl_atomic_load_seq(&thing_of(fences[0])->submitted) != 0);
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
    sl_atomic_store_seq(&thing_of(fences[0])->submitted, 0);
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
    for (uint32_t i = 0; i < COUNT; i++) {
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
    SLT_EXPECT_EQ(COUNT, count);
    SLT_EXPECT_EQ(WIDTH, info->imageExtent.width);
    world->presenter.ops = &presenter_ops;
    world->presenter_made = true;
    *out = &world->presenter;
    return VK_SUCCESS;
}

static const struct gvk_surface_ops surface_ops = {.presenter_create = presenter_create};

/* ---- The world around a test ---- */

struct bed {
    struct world world;
    VkSwapchainKHR swapchain;
};

static void bed_init(struct bed *t)
{
    world = &t->world;
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

static VkDevice device(void)
{
    return GVK_TO(VkDevice, &world->device);
}

static void bed_finish(struct bed *t)
{
    gvk_vkDestroySwapchainKHR(device(), t->swapchain, NULL);
    SLT_EXPECT_TRUE(!world->presenter_made);
    SLT_EXPECT_EQ(0u, world->live);
}

SLT_FIXTURE(gvk_swapchain, struct bed, bed_init, bed_finish);

static VkResult create(VkSwapchainKHR old, VkSwapchainKHR *out)
{
    const VkSwapchainCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                           .surface = GVK_TO(VkSurfaceKHR, &world->surface),
                                           .minImageCount = COUNT,
                                           .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
                                           .imageExtent = {WIDTH, HEIGHT},
                                           .imageArrayLayers = 1,
                                           .imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
                                           .presentMode = VK_PRESENT_MODE_FIFO_KHR,
                                           .oldSwapchain = old};
    return gvk_vkCreateSwapchainKHR(device(), &info, NULL, out);
}

static VkResult acquire(struct bed *t, uint64_t timeout_ns, uint32_t *index)
{
    return gvk_vkAcquireNextImageKHR(device(), t->swapchain, timeout_ns, VK_NULL_HANDLE,
                                     VK_NULL_HANDLE, index);
}

static VkResult present(struct bed *t, uint32_t family, uint32_t index, uint32_t waits)
{
    static struct thing semaphore;
    VkSemaphore semaphores[40];
    VkResult each = VK_ERROR_UNKNOWN;
    for (uint32_t i = 0; i < 40; i++) {
        semaphores[i] = GVK_TO(VkSemaphore, &semaphore);
    }
    const VkPresentInfoKHR info = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                   .waitSemaphoreCount = waits,
                                   .pWaitSemaphores = semaphores,
                                   .swapchainCount = 1,
                                   .pSwapchains = &t->swapchain,
                                   .pImageIndices = &index,
                                   .pResults = &each};
    VkResult result = gvk_vkQueuePresentKHR(GVK_TO(VkQueue, &world->queues[family]), &info);
    SLT_EXPECT_EQ(result, each);
    return result;
}

/* The presenting thread has shown so many and has nothing left to do. */
static void wait_shown(const struct bed *t, uint32_t count)
{
    struct gvk_swapchain *swapchain = GVK_FROM(gvk_swapchain, t->swapchain);
    uint64_t end = sl_clock_ns() + 5 * SL_NS_PER_S;
    pthread_mutex_lock(&swapchain->lock);
    while (swapchain->pending != 0 && sl_clock_ns() < end) {
        sl_cond_wait_until(&swapchain->changed, &swapchain->lock, end);
    }
    pthread_mutex_unlock(&swapchain->lock);
    SLT_EXPECT_EQ(count, sl_atomic_load_seq(&world->showing));
}

/* ---- Pictures ---- */

SLT_TEST_F(gvk_swapchain, shows_linear_images_where_they_lie, t)
{
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    SLT_EXPECT_EQ(VK_IMAGE_TILING_LINEAR, world->tiling);
    SLT_EXPECT_EQ(VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, world->usage);
    const struct gvk_swapchain *s = GVK_FROM(gvk_swapchain, t->swapchain);
    SLT_EXPECT_EQ(thing_of(s->frames[1].memory)->bytes + 16, world->pictures[1].pixels);
    SLT_EXPECT_EQ(96u, world->pictures[1].stride);
    uint32_t index;
    for (uint32_t i = 0; i < 10; i++) {
        SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
        SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 1));
        wait_shown(t, i + 1);
        SLT_EXPECT_EQ(index, sl_atomic_load_seq(&world->last));
    }
    SLT_EXPECT_EQ(10u, world->submits);
    SLT_EXPECT_EQ(10u, world->waits);
    SLT_EXPECT_EQ(0u, world->commands);
    SLT_EXPECT_EQ(0u, world->frames); /* its host asks for none */
}

SLT_TEST_F(gvk_swapchain, tells_the_host_of_its_frames, t)
{
    world->host.wants_frames = true;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    const struct gvk_swapchain *s = GVK_FROM(gvk_swapchain, t->swapchain);
    uint32_t index;
    for (uint32_t i = 0; i < 4; i++) {
        SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
        SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 1));
        wait_shown(t, i + 1);
        SLT_EXPECT_EQ(i + 1, world->frames);
        SLT_EXPECT_TRUE(s->frames[index].memory == world->frame_memory);
        SLT_EXPECT_EQ(16u, world->frame_offset);
        SLT_EXPECT_EQ(96u, world->frame_stride);
    }
}

SLT_TEST_F(gvk_swapchain, copies_what_lies_elsewhere, t)
{
    world->no_linear = true;
    world->host.wants_frames = true;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    SLT_EXPECT_EQ(VK_IMAGE_TILING_OPTIMAL, world->tiling);
    SLT_EXPECT_TRUE((world->usage & VK_IMAGE_USAGE_TRANSFER_SRC_BIT) != 0);
    struct gvk_swapchain *s = GVK_FROM(gvk_swapchain, t->swapchain);
    SLT_EXPECT_EQ(thing_of(s->frames[2].copy_memory)->bytes, world->pictures[2].pixels);
    SLT_EXPECT_EQ(128u, world->pictures[2].stride);
    /* Recorded once for each picture, and again when another family's queue presents it. */
    uint32_t index, recorded[] = {0, 0, 1, 0};
    for (uint32_t i = 0; i < 4; i++) {
        SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
        SLT_EXPECT_EQ(0u, index);
        SLT_ASSERT_EQ(VK_SUCCESS, present(t, recorded[i], index, 0));
        wait_shown(t, i + 1);
    }
    SLT_EXPECT_EQ(4u, world->frames);
    SLT_EXPECT_TRUE(s->frames[0].copy_memory == world->frame_memory);
    SLT_EXPECT_EQ(128u, world->frame_stride);
    SLT_EXPECT_EQ(4u, world->commands);
    SLT_EXPECT_EQ(3u, world->copies);
    SLT_EXPECT_EQ(6u, world->barriers);
    gvk_present_stop(s);
    for (uint32_t i = 0; i < COUNT; i++) {
        thing_free(s->frames[i].commands);
    }
}

SLT_TEST_F(gvk_swapchain, lets_other_images_lie_on_its_memory, t)
{
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    const VkImageSwapchainCreateInfoKHR of = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR, .swapchain = t->swapchain};
    const VkImageCreateInfo plain = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
    const VkImageCreateInfo like = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO, .pNext = &of};
    SLT_EXPECT_TRUE(gvk_swapchain_image_info(&plain) == NULL);
    SLT_ASSERT_TRUE(gvk_swapchain_image_info(&like) != NULL);
    SLT_EXPECT_EQ(WIDTH, gvk_swapchain_image_info(&like)->extent.width);
    const VkBindImageMemorySwapchainInfoKHR on = {
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR,
        .swapchain = t->swapchain,
        .imageIndex = 2};
    const VkBindImageMemoryInfo bind = {.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
                                        .pNext = &on};
    VkDeviceMemory memory;
    SLT_ASSERT_TRUE(gvk_swapchain_bind_memory(&bind, &memory));
    SLT_EXPECT_EQ(GVK_FROM(gvk_swapchain, t->swapchain)->frames[2].memory, memory);
}

/* ---- Taking turns ---- */

SLT_TEST_F(gvk_swapchain, says_when_it_has_no_picture, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    for (uint32_t i = 0; i < COUNT; i++) {
        SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
        SLT_EXPECT_EQ(i, index);
    }
    SLT_EXPECT_EQ(VK_NOT_READY, acquire(t, 0, &index));
    SLT_EXPECT_EQ(VK_TIMEOUT, acquire(t, SL_NS_PER_MS, &index));
    SLT_EXPECT_EQ(VK_TIMEOUT, acquire(t, UINT64_MAX, &index)); /* the application has them all */
    sl_atomic_store_seq(&world->drawn, 0);
    SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, 1, 0));
    SLT_EXPECT_EQ(VK_TIMEOUT, acquire(t, 20 * SL_NS_PER_MS, &index)); /* it is being drawn */
    sl_atomic_store_seq(&world->drawn, 1);
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
    SLT_EXPECT_EQ(1u, index);
}

SLT_TEST_F(gvk_swapchain, waits_for_the_window_system, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    for (uint32_t i = 0; i < COUNT; i++) {
        sl_atomic_store_seq(&world->busy[i], 1);
        SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
        SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 0));
    }
    wait_shown(t, COUNT);
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
    SLT_EXPECT_EQ(0u, index);
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
    SLT_EXPECT_EQ(1u, index);
}

SLT_TEST_F(gvk_swapchain, signals_what_an_acquisition_is_given, t)
{
    uint32_t index;
    struct thing semaphore, fence;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkAcquireNextImageKHR(device(), t->swapchain, 0,
                                                        GVK_TO(VkSemaphore, &semaphore),
                                                        GVK_TO(VkFence, &fence), &index));
    SLT_EXPECT_EQ(2u, world->imports);
    const VkAcquireNextImageInfoKHR info = {.sType = VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR,
                                            .swapchain = t->swapchain,
                                            .semaphore = GVK_TO(VkSemaphore, &semaphore),
                                            .deviceMask = 1};
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkAcquireNextImage2KHR(device(), &info, &index));
    SLT_EXPECT_EQ(3u, world->imports);
    SLT_EXPECT_EQ(0u, world->submits);
}

SLT_TEST_F(gvk_swapchain, waits_for_many_semaphores, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
    SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 40));
    wait_shown(t, 1);
    SLT_EXPECT_EQ(40u, world->waits);
    SLT_EXPECT_EQ(3u, world->submits);
}

SLT_TEST_F(gvk_swapchain, hands_its_surface_over, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
    VkSwapchainKHR old = t->swapchain;
    SLT_ASSERT_EQ(VK_SUCCESS, create(old, &t->swapchain));
    const VkSwapchainKHR both = t->swapchain;
    t->swapchain = old;
    uint32_t unused;
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_DATE_KHR, acquire(t, 0, &unused));
    SLT_EXPECT_EQ(VK_SUCCESS, present(t, 0, index, 0)); /* what was acquired before */
    wait_shown(t, 1);
    gvk_vkDestroySwapchainKHR(device(), old, NULL);
    world->presenter_made = true; /* the new one's */
    t->swapchain = both;
    SLT_EXPECT_EQ(VK_SUCCESS, acquire(t, 0, &index));
}

/* ---- What goes wrong ---- */

SLT_TEST_F(gvk_swapchain, passes_on_what_the_window_system_says, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    world->look_result = VK_SUBOPTIMAL_KHR;
    SLT_EXPECT_EQ(VK_SUBOPTIMAL_KHR, acquire(t, 0, &index));
    SLT_EXPECT_EQ(VK_SUCCESS, present(t, 0, index, 0));
    wait_shown(t, 1);
    world->look_result = VK_ERROR_SURFACE_LOST_KHR;
    SLT_EXPECT_EQ(VK_ERROR_SURFACE_LOST_KHR, acquire(t, UINT64_MAX, &index));
}

SLT_TEST_F(gvk_swapchain, keeps_the_loss_of_its_surface, t)
{
    uint32_t index, other, unused;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &other));
    world->show_result = VK_ERROR_SURFACE_LOST_KHR;
    SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 0));
    uint64_t end = sl_clock_ns() + 5 * SL_NS_PER_S;
    while (acquire(t, 0, &unused) != VK_ERROR_SURFACE_LOST_KHR && sl_clock_ns() < end) {
    }
    SLT_EXPECT_EQ(VK_ERROR_SURFACE_LOST_KHR, present(t, 0, other, 1));
    SLT_EXPECT_EQ(1u, world->waits); /* semaphores are waited for all the same */
    SLT_EXPECT_EQ(VK_ERROR_SURFACE_LOST_KHR, acquire(t, UINT64_MAX, &unused));
    wait_shown(t, 1);
}

SLT_TEST_F(gvk_swapchain, ends_with_its_host, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    sl_atomic_store_seq(&world->drawn, 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
        SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 0));
    }
    sl_atomic_store_seq(&world->lost, 1);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, acquire(t, UINT64_MAX, &index));
}

SLT_TEST_F(gvk_swapchain, is_not_held_up_by_a_picture_that_is_never_drawn, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    sl_atomic_store_seq(&world->drawn, 0);
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
    SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 0));
    uint64_t begin = sl_clock_ns();
    gvk_vkDestroySwapchainKHR(device(), t->swapchain, NULL);
    t->swapchain = VK_NULL_HANDLE;
    SLT_EXPECT_LT(sl_clock_ns() - begin, 8 * SL_NS_PER_S);
    SLT_EXPECT_EQ(0u, sl_atomic_load_seq(&world->showing));
}

SLT_TEST_F(gvk_swapchain, leaves_nothing_when_memory_ends, t)
{
    VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;
    for (uint32_t i = 0; result == VK_ERROR_OUT_OF_HOST_MEMORY && i < 100; i++) {
        world->no_linear = true;
        SLT_FAIL_ALLOC(i);
        result = create(VK_NULL_HANDLE, &t->swapchain);
        SLT_FAIL_ALLOC(UINT64_MAX);
        if (result != VK_SUCCESS) {
            SLT_EXPECT_EQ(VK_ERROR_OUT_OF_HOST_MEMORY, result);
            SLT_EXPECT_EQ(0u, world->live);
            t->swapchain = VK_NULL_HANDLE;
        }
    }
    SLT_EXPECT_EQ(VK_SUCCESS, result);
}
