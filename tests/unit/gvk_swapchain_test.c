/* Swapchains without a host and without a window system: tests/support/swapchain_world.h is both.
 */
#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "tests/support/slt.h"
#include "tests/support/swapchain_world.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <string.h>

struct bed {
    struct swapchain_world world;
    VkSwapchainKHR swapchain;
};

static void bed_init(struct bed *t)
{
    swapchain_world_init(&t->world);
}

static void bed_finish(struct bed *t)
{
    gvk_vkDestroySwapchainKHR(swapchain_world_device(), t->swapchain, NULL);
    SLT_EXPECT_TRUE(!world->presenter_made);
    SLT_EXPECT_EQ(0u, world->live);
}

SLT_FIXTURE(gvk_swapchain, struct bed, bed_init, bed_finish);

static VkResult create_with(VkSwapchainKHR old, const void *next, VkSwapchainCreateFlagsKHR flags,
                            VkSwapchainKHR *out)
{
    const VkSwapchainCreateInfoKHR info = {.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                           .pNext = next,
                                           .flags = flags,
                                           .surface = GVK_TO(VkSurfaceKHR, &world->surface),
                                           .minImageCount = SWAPCHAIN_COUNT,
                                           .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
                                           .imageExtent = {SWAPCHAIN_WIDTH, SWAPCHAIN_HEIGHT},
                                           .imageArrayLayers = 1,
                                           .imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
                                           .presentMode = VK_PRESENT_MODE_FIFO_KHR,
                                           .oldSwapchain = old};
    return gvk_vkCreateSwapchainKHR(swapchain_world_device(), &info, NULL, out);
}

static VkResult create(VkSwapchainKHR old, VkSwapchainKHR *out)
{
    return create_with(old, NULL, 0, out);
}

static VkResult acquire(struct bed *t, uint64_t timeout_ns, uint32_t *index)
{
    return gvk_vkAcquireNextImageKHR(swapchain_world_device(), t->swapchain, timeout_ns,
                                     VK_NULL_HANDLE, VK_NULL_HANDLE, index);
}

static VkResult present(struct bed *t, uint32_t family, uint32_t index, uint32_t waits)
{
    static struct swapchain_thing semaphore;
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
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
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
    SLT_EXPECT_EQ(swapchain_thing_of(s->frames[1].memory)->bytes + 16, world->pictures[1].pixels);
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
    SLT_EXPECT_EQ(swapchain_thing_of(s->frames[2].copy_memory)->bytes, world->pictures[2].pixels);
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
    for (uint32_t i = 0; i < SWAPCHAIN_COUNT; i++) {
        swapchain_thing_free(s->frames[i].commands);
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
    SLT_EXPECT_EQ(SWAPCHAIN_WIDTH, gvk_swapchain_image_info(&like)->extent.width);
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

/* What images of the program's own that lie on its memory are made of, when its arrays are gone. */
SLT_TEST_F(gvk_swapchain, keeps_the_formats_that_views_may_have, t)
{
    VkFormat formats[] = {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB};
    VkImageFormatListCreateInfo list = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
                                        .viewFormatCount = 2,
                                        .pViewFormats = formats};
    SLT_ASSERT_EQ(VK_SUCCESS,
                  create_with(VK_NULL_HANDLE, &list, VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR,
                              &t->swapchain));
    formats[1] = VK_FORMAT_UNDEFINED;
    list.viewFormatCount = 0;
    const VkImageCreateInfo *image = &GVK_FROM(gvk_swapchain, t->swapchain)->image_info;
    const VkImageFormatListCreateInfo *kept = image->pNext;
    SLT_EXPECT_EQ((uint32_t)VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT,
                  image->flags);
    SLT_ASSERT_TRUE(kept != NULL);
    SLT_EXPECT_EQ(VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO, kept->sType);
    SLT_ASSERT_EQ(2u, kept->viewFormatCount);
    SLT_EXPECT_EQ(VK_FORMAT_B8G8R8A8_UNORM, kept->pViewFormats[0]);
    SLT_EXPECT_EQ(VK_FORMAT_B8G8R8A8_SRGB, kept->pViewFormats[1]);
}

/* The list means nothing where views have the image's format. */
SLT_TEST_F(gvk_swapchain, keeps_no_formats_for_images_that_have_one, t)
{
    const VkFormat formats[] = {VK_FORMAT_B8G8R8A8_UNORM};
    const VkImageFormatListCreateInfo list = {.sType =
                                                  VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
                                              .viewFormatCount = 1,
                                              .pViewFormats = formats};
    SLT_ASSERT_EQ(VK_SUCCESS, create_with(VK_NULL_HANDLE, &list, 0, &t->swapchain));
    const VkImageCreateInfo *image = &GVK_FROM(gvk_swapchain, t->swapchain)->image_info;
    SLT_EXPECT_EQ(0u, image->flags);
    SLT_EXPECT_NULL(image->pNext);
}

SLT_TEST_F(gvk_swapchain, says_when_it_has_no_picture, t)
{
    uint32_t index;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    for (uint32_t i = 0; i < SWAPCHAIN_COUNT; i++) {
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
    for (uint32_t i = 0; i < SWAPCHAIN_COUNT; i++) {
        sl_atomic_store_seq(&world->busy[i], 1);
        SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, 0, &index));
        SLT_ASSERT_EQ(VK_SUCCESS, present(t, 0, index, 0));
    }
    wait_shown(t, SWAPCHAIN_COUNT);
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
    SLT_EXPECT_EQ(0u, index);
    SLT_ASSERT_EQ(VK_SUCCESS, acquire(t, UINT64_MAX, &index));
    SLT_EXPECT_EQ(1u, index);
}

SLT_TEST_F(gvk_swapchain, signals_what_an_acquisition_is_given, t)
{
    uint32_t index;
    struct swapchain_thing semaphore, fence;
    SLT_ASSERT_EQ(VK_SUCCESS, create(VK_NULL_HANDLE, &t->swapchain));
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkAcquireNextImageKHR(swapchain_world_device(), t->swapchain, 0,
                                                        GVK_TO(VkSemaphore, &semaphore),
                                                        GVK_TO(VkFence, &fence), &index));
    SLT_EXPECT_EQ(2u, world->imports);
    const VkAcquireNextImageInfoKHR info = {.sType = VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR,
                                            .swapchain = t->swapchain,
                                            .semaphore = GVK_TO(VkSemaphore, &semaphore),
                                            .deviceMask = 1};
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkAcquireNextImage2KHR(swapchain_world_device(), &info, &index));
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
    gvk_vkDestroySwapchainKHR(swapchain_world_device(), old, NULL);
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
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
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
    for (uint32_t i = 0; i < SWAPCHAIN_COUNT; i++) {
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
    gvk_vkDestroySwapchainKHR(swapchain_world_device(), t->swapchain, NULL);
    t->swapchain = VK_NULL_HANDLE;
    SLT_EXPECT_LT(sl_clock_ns() - begin, 20 * SL_NS_PER_S);
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
