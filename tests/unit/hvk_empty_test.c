/* Submits of nothing but a fence, which the host answers by itself where the queue is known to have
 * nothing left to do, and no sooner. */
#include "tests/support/vk_parts.h"

#include "transport/base/clock.h"
#include "transport/base/shm.h"

SLT_FIXTURE(hvk_empty, struct vk_world, vk_world_init, vk_world_finish);

/* What came to the native queue, by either form. */
static uint32_t native_submits;
static PFN_vkQueueSubmit native_1;
static PFN_vkQueueSubmit2 native_2;

static VkResult VKAPI_CALL count_1(VkQueue queue, uint32_t count, const VkSubmitInfo *infos,
                                   VkFence fence)
{
    native_submits++;
    return native_1(queue, count, infos, fence);
}

static VkResult VKAPI_CALL count_2(VkQueue queue, uint32_t count, const VkSubmitInfo2 *infos,
                                   VkFence fence)
{
    native_submits++;
    return native_2(queue, count, infos, fence);
}

static void device_make(struct vk_world *w)
{
    vk_world_device(w);
    struct hvk_object *object =
        hvk_find(vk_world_context(w), VK_KIND_VkQueue, HVK_U64(w->queue), NULL);
    SLT_ASSERT_TRUE(object != NULL);
    struct vk_driver_device *driver = &object->device->driver;
    native_submits = 0;
    native_1 = driver->QueueSubmit;
    native_2 = driver->QueueSubmit2;
    driver->QueueSubmit = count_1;
    driver->QueueSubmit2 = native_2 != NULL ? count_2 : NULL;
}

static void submit_nothing(struct vk_world *w, VkFence fence)
{
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 0, NULL, fence);
}

static void let_go(struct vk_world *w, VkSemaphore timeline)
{
    const VkSemaphoreSignalInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = timeline, .value = 1};
    VkResult r;
    VK_SEND(&w->main, SignalSemaphore, w->device, &info);
    VK_READ(&w->main, SignalSemaphore, w->device, &info, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
}

SLT_TEST_F(hvk_empty, it_is_over_where_nothing_is_left_to_do, w)
{
    device_make(w);
    VkFence fence = vp_fence_make(w);
    const VkSubmitInfo one = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
    const VkSubmitInfo2 two = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2};
    for (int i = 0; i < 30; i++) {
        if (i % 3 == 0) {
            submit_nothing(w, fence);
        } else if (i % 3 == 1 || native_2 == NULL) {
            VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &one, fence);
        } else {
            VK_SEND(&w->main, QueueSubmitAsync2GOOGLE, w->queue, 1, &two, fence);
        }
        SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, fence, 0));
        SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fence));
        SLT_ASSERT_EQ(VK_TIMEOUT, vp_wait(w, fence, 0));
    }
    SLT_EXPECT_EQ(0u, native_submits);
}

SLT_TEST_F(hvk_empty, it_comes_behind_what_the_queue_has, w)
{
    device_make(w);
    VkSemaphore timeline = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    VkFence first = vp_fence_make(w), fence = vp_fence_make(w);
    vp_submit_blocked(w, timeline, VK_NULL_HANDLE, first);
    submit_nothing(w, fence);
    SLT_EXPECT_EQ(2u, native_submits);
    SLT_EXPECT_EQ(VK_TIMEOUT, vp_wait(w, fence, 20 * SL_NS_PER_MS));
    let_go(w, timeline);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, first, 0));
    /* Now it is known again that nothing is left. */
    SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fence));
    submit_nothing(w, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, 0));
    SLT_EXPECT_EQ(2u, native_submits);
}

/* Without a fence nobody knows when such work is done. */
SLT_TEST_F(hvk_empty, it_comes_behind_what_nobody_tells_of, w)
{
    device_make(w);
    VkSemaphore timeline = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    VkFence fence = vp_fence_make(w);
    vp_submit_blocked(w, timeline, VK_NULL_HANDLE, VK_NULL_HANDLE);
    submit_nothing(w, fence);
    SLT_EXPECT_EQ(VK_TIMEOUT, vp_wait(w, fence, 20 * SL_NS_PER_MS));
    let_go(w, timeline);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    SLT_EXPECT_EQ(2u, native_submits);
}

SLT_TEST_F(hvk_empty, one_with_semaphores_is_the_queues, w)
{
    device_make(w);
    VkSemaphore semaphore = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0);
    VkFence fences[2] = {vp_fence_make(w), vp_fence_make(w)};
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo signals = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                  .signalSemaphoreCount = 1,
                                  .pSignalSemaphores = &semaphore};
    const VkSubmitInfo waits = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                .waitSemaphoreCount = 1,
                                .pWaitSemaphores = &semaphore,
                                .pWaitDstStageMask = &stage};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &signals, fences[0]);
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &waits, fences[1]);
    SLT_EXPECT_EQ(2u, native_submits);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fences[0], UINT64_MAX));
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fences[1], UINT64_MAX));
}

/* Who waits already looks at the native fence, which a queue has to signal then. */
SLT_TEST_F(hvk_empty, one_whose_fence_is_exported_is_the_queues, w)
{
    device_make(w);
    VkFence fence = vp_fence_make(w);
    for (uint64_t task = 1; task <= 20; task++) {
        SLT_ASSERT_OK(
            hvk_waiter_export(vk_world_context(w), HVK_U64(w->device), HVK_U64(fence), task));
        submit_nothing(w, fence);
        SLT_EXPECT_EQ(task, native_submits);
        SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
        /* Pairs with the waiter thread's store. */
        while (__atomic_load_n(&w->tasks.done, __ATOMIC_ACQUIRE) != task) {
            sl_clock_sleep_ns(SL_NS_PER_MS);
        }
        SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fence));
    }
}

SLT_TEST_F(hvk_empty, a_lost_device_signals_nothing_any_more, w)
{
    device_make(w);
    VkFence fence = vp_fence_make(w);
    const VkCommandBuffer none = VK_NULL_HANDLE;
    const VkSubmitInfo bad = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &none};
    VkResult r = VK_SUCCESS;
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &bad, VK_NULL_HANDLE);
    VK_SEND(&w->main, QueueSubmit, w->queue, 0, NULL, fence);
    VK_READ(&w->main, QueueSubmit, w->queue, 0, NULL, fence, &r);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, r);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, vp_wait(w, fence, 0));
}

/* Signalled, told in the status page, reset and given again, by itself and behind work: it is told
 * of no submit but its own, and what it came behind is done. */
SLT_TEST_F(hvk_empty, ten_thousand_of_them_are_told_in_order, w)
{
    enum { ROUNDS = 10000, WORK_EACH = 100, SLOT = 5 };
    device_make(w);
    VkFence fence = vp_fence_make(w);
    VkCommandBuffer buffer;
    struct vp_mapped mapped;
    VkResult r = VK_ERROR_UNKNOWN;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &buffer);
    vp_mapped_make(w, 8, &mapped);
    VK_SEND(&w->main, ShareStatusSLUICE, w->device, 9);
    VK_READ(&w->main, ShareStatusSLUICE, w->device, 9, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    size_t size = HVK_STATUS_SLOTS * sizeof(uint32_t);
    uint32_t *words = vp_map_blob(w, 9, size);
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        bool works = i % WORK_EACH == 0;
        if (works) {
            vp_fill(w, buffer, mapped.buffer, i, VK_NULL_HANDLE);
        }
        submit_nothing(w, fence);
        VK_SEND(&w->main, TellFenceSLUICE, w->device, fence, SLOT, i);
        bool told = words[SLOT] == i;
        SLT_ASSERT_TRUE(told || words[SLOT] < i);
        SLT_ASSERT_TRUE(told || works);
        SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
        if (works) {
            vp_expect_words(&mapped, i);
        }
        SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fence));
    }
    SLT_EXPECT_EQ(2u * (ROUNDS / WORK_EACH), native_submits);
    SLT_EXPECT_TRUE(!w->main.lost);
    sl_shm_unmap(words, size);
}
