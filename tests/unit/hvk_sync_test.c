/* Fences, semaphores, command buffers and queries of the host's Vulkan on a native driver: waits
 * that block one ring alone, exports, what is recorded past its turn, and what drivers would die
 * of. */
#include "tests/support/vk_parts.h"

#include "transport/base/clock.h"
#include "transport/base/shm.h"
#include "transport/base/thread.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

SLT_FIXTURE(hvk_sync, struct vk_world, vk_world_init, vk_world_finish);

static bool settles(const uint64_t *word, uint64_t want)
{
    for (int i = 0; i < 20000; i++) {
        /* Pairs with the waiter thread's store. */
        if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == want) {
            return true;
        }
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return false;
}

static VkResult status_of(struct vk_world *w, VkFence fence)
{
    VkResult r = VK_ERROR_UNKNOWN;
    VK_SEND(&w->main, GetFenceStatus, w->device, fence);
    VK_READ(&w->main, GetFenceStatus, w->device, fence, &r);
    return r;
}

/* By the native queue: one that had nothing in it at all would be answered without. */
static void signal_by_submit(struct vk_world *w, VkFence fence)
{
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pNext = &values};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, fence);
}

static void export(struct vk_world *w, VkFence fence, uint64_t task)
{
    SLT_ASSERT_OK(hvk_waiter_export(vk_world_context(w), HVK_U64(w->device), HVK_U64(fence), task));
}

/* --- fences --- */

SLT_TEST_F(hvk_sync, an_exported_fence_is_done_when_it_signals, w)
{
    vk_world_device(w);
    VkFence fence = vp_fence_make(w);
    export(w, fence, 5);
    sl_clock_sleep_ns(20 * SL_NS_PER_MS);
    SLT_EXPECT_EQ(0u, task_count_last(&w->tasks));
    signal_by_submit(w, fence);
    SLT_EXPECT_TRUE(settles(&w->tasks.done, 5));
}

SLT_TEST_F(hvk_sync, what_is_no_fence_is_done_at_once, w)
{
    vk_world_device(w);
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateSemaphore, w->device, &info, NULL, &semaphore);
    VK_READ(&w->main, CreateSemaphore, w->device, &info, NULL, &semaphore, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    export(w, HVK_HANDLE(VkFence, HVK_U64(semaphore)), 6);
    SLT_EXPECT_EQ(6u, w->tasks.done);
    export(w, HVK_HANDLE(VkFence, 0x1234567890ull), 7);
    SLT_EXPECT_EQ(7u, w->tasks.done);
}

SLT_TEST_F(hvk_sync, a_reset_does_not_take_an_export_back, w)
{
    vk_world_device(w);
    VkFence fence = vp_fence_make(w);
    for (uint64_t task = 1; task <= 50; task++) {
        signal_by_submit(w, fence);
        export(w, fence, task);
        SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fence));
        SLT_EXPECT_EQ(VK_NOT_READY, status_of(w, fence));
        SLT_ASSERT_TRUE(settles(&w->tasks.done, task));
    }
    signal_by_submit(w, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
}

/* A queue that might still signal a fence is waited for; one that is done with it is not, so that a
 * program with many reset fences ends at once. */
SLT_TEST_F(hvk_sync, a_fence_that_was_reset_goes_at_once, w)
{
    vk_world_device(w);
    VkFence fences[8];
    for (int i = 0; i < 8; i++) {
        fences[i] = vp_fence_make(w);
        signal_by_submit(w, fences[i]);
        SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, fences[i], UINT64_MAX));
        SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fences[i]));
    }
    uint64_t before = sl_clock_ns();
    for (int i = 0; i < 8; i++) {
        VK_SEND(&w->main, DestroyFence, w->device, fences[i], NULL);
    }
    SLT_EXPECT_LT(sl_clock_ns() - before, 4 * SL_NS_PER_S); /* the waits would be 8 seconds */
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* Told in the status page when all that came has run; what is not done by then is not told. */
SLT_TEST_F(hvk_sync, a_fence_that_has_signalled_is_told_when_the_ring_is_dry, w)
{
    vk_world_device(w);
    VkFence fence = vp_fence_make(w);
    VkResult r = VK_ERROR_UNKNOWN;
    VK_SEND(&w->main, ShareStatusSLUICE, w->device, 9);
    VK_READ(&w->main, ShareStatusSLUICE, w->device, 9, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    size_t size = HVK_STATUS_SLOTS * sizeof(uint32_t);
    uint32_t *words = vp_map_blob(w, 9, size);
    VK_SEND(&w->main, TellFenceSLUICE, w->device, fence, 3, 7);
    signal_by_submit(w, fence);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    SLT_EXPECT_EQ(0u, words[3]); /* it came after the ring was dry */
    VK_SEND(&w->main, TellFenceSLUICE, w->device, fence, 3, 8);
    SLT_EXPECT_EQ(8u, words[3]);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fence));
    VK_SEND(&w->main, TellFenceSLUICE, w->device, fence, 4, 9);
    SLT_EXPECT_EQ(0u, words[4]);
    VK_SEND(&w->main, TellFenceSLUICE, w->device, fence, HVK_STATUS_SLOTS, 1);
    SLT_EXPECT_TRUE(w->main.lost);
    sl_shm_unmap(words, size);
}

SLT_TEST_F(hvk_sync, exports_end_with_their_process, w)
{
    vk_world_device(w);
    for (uint64_t task = 1; task <= 100; task++) {
        export(w, vp_fence_make(w), task);
    }
    SLT_EXPECT_EQ(0u, task_count_last(&w->tasks));
}

SLT_TEST_F(hvk_sync, waits_end_by_time, w)
{
    vk_world_device(w);
    VkFence fence = vp_fence_make(w);
    SLT_EXPECT_EQ(VK_TIMEOUT, vp_wait(w, fence, 0));
    SLT_EXPECT_EQ(VK_TIMEOUT, vp_wait(w, fence, 12 * SL_NS_PER_MS));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, vp_wait(w, VK_NULL_HANDLE, 0));
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* A ring of its own on a thread of its own, which waits for a fence for ever. */
struct waiting {
    struct vk_world *w;
    struct vk_guest_ring ring;
    pthread_t thread;
    VkFence fence;
    VkResult result;
};

static void *wait_for_ever(void *user)
{
    struct waiting *waiting = user;
    vk_ring_feed(&waiting->ring);
    return NULL;
}

static void waiting_start(struct vk_world *w, struct waiting *waiting)
{
    waiting->w = w;
    waiting->fence = vp_fence_make(w);
    vk_ring_open(w, &waiting->ring, 0);
    vk_pack_vkWaitForFences(&waiting->ring.pack, ++w->turn, w->device, 1, &waiting->fence, VK_TRUE,
                            UINT64_MAX);
    SLT_ASSERT_OK(sl_thread_start(&waiting->thread, "waits", 0, wait_for_ever, waiting));
}

SLT_TEST_F(hvk_sync, a_wait_blocks_its_own_ring_alone, w)
{
    vk_world_device(w);
    struct waiting waiting;
    waiting_start(w, &waiting);
    signal_by_submit(w, waiting.fence); /* its turn comes, as the wait gave its own away */
    pthread_join(waiting.thread, NULL);
    VkResult r = VK_ERROR_UNKNOWN;
    VK_READ(&waiting.ring, WaitForFences, w->device, 1, &waiting.fence, VK_TRUE, UINT64_MAX, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    vk_ring_close(&waiting.ring);
}

/* How often a thread of this process has gone to sleep. */
static long sleeps(void)
{
    struct rusage usage;
    SLT_ASSERT_EQ(0, getrusage(RUSAGE_SELF, &usage));
    return usage.ru_nvcsw;
}

/* The driver's threads may need the processor that a look takes. */
SLT_TEST_F(hvk_sync, a_long_wait_looks_seldom_whether_it_shall_end, w)
{
    vk_world_device(w);
    struct waiting waiting;
    waiting_start(w, &waiting);
    sl_clock_sleep_ns(20 * SL_NS_PER_MS);
    uint64_t since = sl_clock_ns();
    long before = sleeps();
    sl_clock_sleep_ns(300 * SL_NS_PER_MS);
    SLT_EXPECT_LT((uint64_t)(sleeps() - before), (sl_clock_ns() - since) / (10 * SL_NS_PER_MS));
    signal_by_submit(w, waiting.fence);
    pthread_join(waiting.thread, NULL);
    vk_ring_close(&waiting.ring);
}

SLT_TEST_F(hvk_sync, a_wait_survives_its_fence_and_its_device, w)
{
    vk_world_device(w);
    struct waiting waiting;
    waiting_start(w, &waiting);
    VK_SEND(&w->main, DestroyFence, w->device, waiting.fence, NULL);
    VK_SEND(&w->main, DestroyDevice, w->device, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
    hr_ring_stop(waiting.ring.ring);
    pthread_join(waiting.thread, NULL);
    vk_ring_close(&waiting.ring);
}

SLT_TEST_F(hvk_sync, timelines_cross_rings, w)
{
    vk_world_device(w);
    VkSemaphore semaphore = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 3);
    VkResult r;
    uint64_t value = 0;
    VK_SEND(&w->main, GetSemaphoreCounterValue, w->device, semaphore, &value);
    VK_READ(&w->main, GetSemaphoreCounterValue, w->device, semaphore, &value, &r);
    SLT_EXPECT_EQ(3u, value);
    struct waiting waiting = {.w = w};
    const uint64_t want = 9;
    const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &semaphore,
                                      .pValues = &want};
    vk_ring_open(w, &waiting.ring, 0);
    vk_pack_vkWaitSemaphores(&waiting.ring.pack, ++w->turn, w->device, &wait, UINT64_MAX);
    SLT_ASSERT_OK(sl_thread_start(&waiting.thread, "waits", 0, wait_for_ever, &waiting));
    const VkSemaphoreSignalInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = semaphore, .value = 9};
    VK_SEND(&w->main, SignalSemaphore, w->device, &signal);
    VK_READ(&w->main, SignalSemaphore, w->device, &signal, &r);
    pthread_join(waiting.thread, NULL);
    VK_READ(&waiting.ring, WaitSemaphores, w->device, &wait, UINT64_MAX, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    vk_ring_close(&waiting.ring);
}

/* A submit's values are as many as its semaphores, whatever the guest says. */
SLT_TEST_F(hvk_sync, missing_timeline_values_are_zeros, w)
{
    vk_world_device(w);
    VkSemaphore semaphores[2];
    for (int i = 0; i < 2; i++) {
        semaphores[i] = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0);
    }
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .pNext = &values,
                                 .signalSemaphoreCount = 2,
                                 .pSignalSemaphores = semaphores};
    VkFence fence = vp_fence_make(w);
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &submit, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
}

/* Drivers believe that it is a timeline. */
SLT_TEST_F(hvk_sync, a_binary_semaphore_has_no_values, w)
{
    vk_world_device(w);
    VkSemaphore semaphore = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0);
    VkResult r;
    uint64_t value = 1;
    VK_SEND(&w->main, GetSemaphoreCounterValue, w->device, semaphore, &value);
    VK_READ(&w->main, GetSemaphoreCounterValue, w->device, semaphore, &value, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
    value = 1;
    const VkSemaphoreSignalInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = semaphore, .value = 1};
    VK_SEND(&w->main, SignalSemaphore, w->device, &signal);
    VK_READ(&w->main, SignalSemaphore, w->device, &signal, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
    const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &semaphore,
                                      .pValues = &value};
    VK_SEND(&w->main, WaitSemaphores, w->device, &wait, 0);
    VK_READ(&w->main, WaitSemaphores, w->device, &wait, 0, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* --- errors of submits --- */

SLT_TEST_F(hvk_sync, a_submits_error_is_told_with_the_next_answer, w)
{
    vk_world_device(w);
    VkFence fence = vp_fence_make(w);
    const VkCommandBuffer none = VK_NULL_HANDLE;
    const VkSubmitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &none};
    VkResult r;
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, fence);
    SLT_EXPECT_EQ(0u, w->main.reply_size);
    SLT_EXPECT_TRUE(!w->main.lost);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, vp_wait(w, fence, UINT64_MAX));
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, status_of(w, fence));
    VK_SEND(&w->main, QueueWaitIdle, w->queue);
    VK_READ(&w->main, QueueWaitIdle, w->queue, &r);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, r);
    VK_SEND(&w->main, DestroyDevice, w->device, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk_sync, sparse_memory_is_refused_where_there_is_none, w)
{
    vk_world_device(w);
    const VkBindSparseInfo info = {.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO};
    VkResult r = VK_SUCCESS;
    VK_SEND(&w->main, QueueBindSparse, w->queue, 1, &info, VK_NULL_HANDLE);
    VK_READ(&w->main, QueueBindSparse, w->queue, 1, &info, VK_NULL_HANDLE, &r);
    SLT_EXPECT_EQ(VK_ERROR_FEATURE_NOT_PRESENT, r);
}

/* --- command buffers --- */

SLT_TEST_F(hvk_sync, a_pool_takes_its_command_buffers_with_it, w)
{
    vk_world_device(w);
    struct vk_pack recorded;
    VkCommandBuffer buffers[8];
    VkCommandPool pool = vp_pool_make(w);
    uint32_t before = vk_world_context(w)->ids.live;
    vp_buffers_make(w, pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 8, buffers);
    SLT_EXPECT_EQ(before + 8, vk_world_context(w)->ids.live);
    VK_SEND(&w->main, FreeCommandBuffers, w->device, pool, 3, buffers);
    SLT_EXPECT_EQ(before + 5, vk_world_context(w)->ids.live);
    VK_SEND(&w->main, DestroyCommandPool, w->device, pool, NULL);
    SLT_EXPECT_EQ(before - 1, vk_world_context(w)->ids.live);
    SLT_ASSERT_TRUE(!w->main.lost);
    vp_begin(&recorded);
    vp_flush(w, buffers[7], &recorded);
    vk_pack_finish(&recorded);
    SLT_EXPECT_TRUE(w->main.lost);
}

static void expect_refused(struct vk_world *w, VkCommandBuffer buffer, struct vk_pack *recorded)
{
    vp_flush(w, buffer, recorded);
    vk_pack_finish(recorded);
    SLT_EXPECT_TRUE(w->main.lost);
}

SLT_TEST_F(hvk_sync, a_command_buffer_does_not_execute_itself, w)
{
    vk_world_device(w);
    struct vk_pack recorded;
    VkCommandBuffer buffer;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &buffer);
    vp_begin(&recorded);
    vk_pack_vkCmdExecuteCommands(&recorded, 1, &buffer);
    expect_refused(w, buffer, &recorded);
}

SLT_TEST_F(hvk_sync, a_secondary_says_what_it_inherits, w)
{
    vk_world_device(w);
    struct vk_pack recorded;
    VkCommandBuffer buffer;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1, &buffer);
    vp_begin(&recorded);
    expect_refused(w, buffer, &recorded);
}

SLT_TEST_F(hvk_sync, recorded_bytes_that_are_no_commands_end_the_ring, w)
{
    vk_world_device(w);
    struct vk_pack recorded;
    VkCommandBuffer buffer;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &buffer);
    vp_begin(&recorded);
    vk_pack_u32(&recorded, 20018); /* vkQueueSubmit: is not recorded */
    vk_pack_u32(&recorded, 8);
    expect_refused(w, buffer, &recorded);
}

/* Threads that record and submit, each its own; turns are taken and sent under one lock, as a
 * guest does. */
struct recorder {
    struct vk_world *w;
    struct vk_guest_ring ring;
    pthread_mutex_t *turns;
    pthread_t thread;
    VkCommandBuffer buffer;
    struct vp_mapped mapped;
    VkFence fence;
    bool ok;
};

static uint32_t turn_of(struct recorder *r)
{
    pthread_mutex_lock(r->turns);
    uint32_t turn = ++r->w->turn;
    pthread_mutex_unlock(r->turns);
    return turn;
}

static void *record_and_submit(void *user)
{
    struct recorder *r = user;
    struct vk_pack recorded;
    r->ok = true;
    for (uint32_t i = 1; r->ok && i <= 50; i++) {
        vp_begin(&recorded);
        for (uint32_t k = 0; k < 200; k++) {
            vk_pack_vkCmdFillBuffer(&recorded, r->mapped.buffer, 0, 256, i);
        }
        vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
        vk_pack_vkQueueFlushCommandsGOOGLE(&r->ring.pack, turn_of(r), r->w->queue, r->buffer,
                                           vk_pack_size(&recorded), recorded.data);
        vk_ring_feed(&r->ring);
        vk_pack_finish(&recorded);
        const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                   .commandBufferCount = 1,
                                   .pCommandBuffers = &r->buffer};
        vk_pack_vkQueueSubmitAsyncGOOGLE(&r->ring.pack, turn_of(r), r->w->queue, 1, &info,
                                         r->fence);
        vk_ring_feed(&r->ring);
        vk_pack_vkWaitForFences(&r->ring.pack, turn_of(r), r->w->device, 1, &r->fence, VK_TRUE,
                                UINT64_MAX);
        vk_ring_feed(&r->ring);
        r->ok = r->mapped.words[63] == i && !r->ring.lost;
        vk_pack_vkResetFences(&r->ring.pack, turn_of(r), r->w->device, 1, &r->fence);
        vk_ring_feed(&r->ring);
    }
    return NULL;
}

SLT_TEST_F(hvk_sync, rings_record_and_submit_side_by_side, w)
{
    vk_world_device(w);
    enum { THREADS = 3 };
    struct recorder recorders[THREADS];
    pthread_mutex_t turns = PTHREAD_MUTEX_INITIALIZER;
    for (uint32_t i = 0; i < THREADS; i++) {
        recorders[i] = (struct recorder){.w = w, .turns = &turns, .fence = vp_fence_make(w)};
        vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1,
                        &recorders[i].buffer);
        vp_mapped_make(w, i + 1, &recorders[i].mapped);
        vk_ring_open(w, &recorders[i].ring, 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        SLT_ASSERT_OK(
            sl_thread_start(&recorders[i].thread, "records", 0, record_and_submit, &recorders[i]));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(recorders[i].thread, NULL);
        SLT_EXPECT_TRUE(recorders[i].ok);
        vk_ring_close(&recorders[i].ring);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        vp_mapped_free(w, &recorders[i].mapped);
    }
}

/* --- queries --- */

static VkQueryPool query_pool_make(struct vk_world *w, uint32_t count)
{
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_OCCLUSION,
                                        .queryCount = count};
    VkQueryPool pool = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateQueryPool, w->device, &info, NULL, &pool);
    VK_READ(&w->main, CreateQueryPool, w->device, &info, NULL, &pool, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return pool;
}

SLT_TEST_F(hvk_sync, query_results_stay_inside_pool_and_room, w)
{
    vk_world_device(w);
    VkQueryPool pool = query_pool_make(w, 4);
    uint8_t room[64] = {0};
    const struct {
        uint32_t first, count;
        size_t size;
        uint64_t stride;
        VkQueryResultFlags flags;
    } bad[] = {
        {3, 2, 64, 8, 0},
        {UINT32_MAX, 2, 64, 8, 0},
        {0, 4, 12, 4, 0},
        {0, 4, 64, UINT64_MAX / 2, 0},
        {0, 4, 56, 16, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        VkResult r = VK_SUCCESS;
        VK_SEND(&w->main, GetQueryPoolResults, w->device, pool, bad[i].first, bad[i].count,
                bad[i].size, room, bad[i].stride, bad[i].flags);
        VK_READ(&w->main, GetQueryPoolResults, w->device, pool, bad[i].first, bad[i].count,
                bad[i].size, room, bad[i].stride, bad[i].flags, &r);
        SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
    }
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk_sync, recorded_queries_are_the_pools, w)
{
    vk_world_device(w);
    struct vk_pack recorded;
    VkCommandBuffer buffer;
    VkQueryPool pool = query_pool_make(w, 4);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &buffer);
    vp_begin(&recorded);
    vk_pack_vkCmdResetQueryPool(&recorded, pool, 0, 5);
    expect_refused(w, buffer, &recorded);
}

/* --- private data --- */

SLT_TEST_F(hvk_sync, private_data_is_kept_by_any_number, w)
{
    vk_world_device(w);
    const VkPrivateDataSlotCreateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    VkPrivateDataSlot slot = VK_NULL_HANDLE;
    VkResult r;
    uint64_t data;
    VK_SEND(&w->main, CreatePrivateDataSlot, w->device, &info, NULL, &slot);
    VK_READ(&w->main, CreatePrivateDataSlot, w->device, &info, NULL, &slot, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    for (uint64_t i = 0; i < 1000; i++) {
        VK_SEND(&w->main, SetPrivateData, w->device, VK_OBJECT_TYPE_BUFFER, 0x7f0000000000 + i * 64,
                slot, i + 1);
        VK_READ(&w->main, SetPrivateData, w->device, VK_OBJECT_TYPE_BUFFER, 0x7f0000000000 + i * 64,
                slot, i + 1, &r);
        SLT_ASSERT_EQ(VK_SUCCESS, r);
    }
    for (uint64_t i = 0; i < 1001; i++) {
        VK_SEND(&w->main, GetPrivateData, w->device, VK_OBJECT_TYPE_BUFFER, 0x7f0000000000 + i * 64,
                slot, &data);
        VK_READ(&w->main, GetPrivateData, w->device, VK_OBJECT_TYPE_BUFFER, 0x7f0000000000 + i * 64,
                slot, &data);
        SLT_ASSERT_EQ(i < 1000 ? i + 1 : 0, data);
    }
}

/* --- turns --- */

SLT_TEST_F(hvk_sync, a_ring_that_ends_still_takes_its_turns, w)
{
    vk_world_device(w);
    struct waiting waiting = {.w = w};
    VkResult r = VK_ERROR_UNKNOWN;
    vk_ring_open(w, &waiting.ring, 0);
    /* Its number comes after the next one of the main ring's. */
    vk_pack_vkDeviceWaitIdle(&waiting.ring.pack, w->turn + 2, w->device);
    SLT_ASSERT_OK(sl_thread_start(&waiting.thread, "ends", 0, wait_for_ever, &waiting));
    hr_ring_stop(waiting.ring.ring);
    sl_clock_sleep_ns(30 * SL_NS_PER_MS);
    VK_SEND(&w->main, DeviceWaitIdle, w->device);
    w->turn++; /* the other ring's */
    VK_SEND(&w->main, DeviceWaitIdle, w->device);
    VK_READ(&w->main, DeviceWaitIdle, w->device, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    SLT_EXPECT_TRUE(!w->main.lost);
    pthread_join(waiting.thread, NULL);
    vk_ring_close(&waiting.ring);
}
