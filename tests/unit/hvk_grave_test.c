/* The end of what a driver's threads may still touch when the fence of its last submit is seen
 * (hvk_grave.c): between the host and the native driver stands one that knows which submits the
 * driver's thread is known to be past, as Mesa's queues are with emulated timelines: those before
 * the one whose fence was seen. */
#include "tests/support/vk_parts.h"

#include "host/vulkan/hvk_core.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define SEMAPHORES 4096u
#define FENCES     16u
#define GATHER     64u /* so many wait at most, but for work that has not come to its end */

/* In turns; only the waits are not. */
static struct {
    pthread_mutex_t lock;
    struct vk_driver_device below;
    struct {
        VkSemaphore semaphore;
        uint64_t submit; /* that named it last */
    } named[SEMAPHORES];
    uint32_t named_count;
    struct {
        VkFence fence;
        uint64_t submit;
    } fences[FENCES];              /* given last, modulo */
    uint64_t submits, empty, past; /* past: what came before a fence that was seen */
    uint32_t ended, early;
} driver = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void name(uint32_t count, const VkSemaphore *semaphores)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = driver.named_count++ % SEMAPHORES;
        driver.named[at].semaphore = semaphores[i];
        driver.named[at].submit = driver.submits;
    }
}

static VKAPI_ATTR VkResult VKAPI_CALL submit(VkQueue queue, uint32_t count,
                                             const VkSubmitInfo *infos, VkFence fence)
{
    pthread_mutex_lock(&driver.lock);
    driver.submits++;
    driver.empty += count == 0;
    for (uint32_t i = 0; i < count; i++) {
        name(infos[i].waitSemaphoreCount, infos[i].pWaitSemaphores);
        name(infos[i].signalSemaphoreCount, infos[i].pSignalSemaphores);
    }
    driver.fences[driver.submits % FENCES].fence = fence;
    driver.fences[driver.submits % FENCES].submit = driver.submits;
    VkResult result = driver.below.QueueSubmit(queue, count, infos, fence);
    pthread_mutex_unlock(&driver.lock);
    return result;
}

static void seen(VkFence fence)
{
    pthread_mutex_lock(&driver.lock);
    for (uint32_t i = 0; i < FENCES; i++) {
        uint64_t before = driver.fences[i].submit - 1;
        if (driver.fences[i].fence == fence && fence != VK_NULL_HANDLE && before > driver.past) {
            driver.past = before;
        }
    }
    pthread_mutex_unlock(&driver.lock);
}

static VKAPI_ATTR VkResult VKAPI_CALL status(VkDevice device, VkFence fence)
{
    VkResult result = driver.below.GetFenceStatus(device, fence);
    if (result == VK_SUCCESS) {
        seen(fence);
    }
    return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL wait_for(VkDevice device, uint32_t count,
                                               const VkFence *fences, VkBool32 all, uint64_t most)
{
    VkResult result = driver.below.WaitForFences(device, count, fences, all, most);
    if (result == VK_SUCCESS && count == 1) {
        seen(fences[0]);
    }
    return result;
}

static VKAPI_ATTR void VKAPI_CALL fence_end(VkDevice device, VkFence fence,
                                            const VkAllocationCallbacks *allocator)
{
    pthread_mutex_lock(&driver.lock);
    for (uint32_t i = 0; i < FENCES; i++) {
        if (driver.fences[i].fence == fence) {
            driver.fences[i].fence = VK_NULL_HANDLE;
        }
    }
    pthread_mutex_unlock(&driver.lock);
    driver.below.DestroyFence(device, fence, allocator);
}

static VKAPI_ATTR void VKAPI_CALL semaphore_end(VkDevice device, VkSemaphore semaphore,
                                                const VkAllocationCallbacks *allocator)
{
    pthread_mutex_lock(&driver.lock);
    driver.ended++;
    for (uint32_t i = 0; i < SEMAPHORES; i++) {
        if (driver.named[i].semaphore == semaphore) {
            driver.early += driver.named[i].submit > driver.past;
            driver.named[i].semaphore = VK_NULL_HANDLE; /* another may have its handle */
        }
    }
    pthread_mutex_unlock(&driver.lock);
    driver.below.DestroySemaphore(device, semaphore, allocator);
}

static struct hvk_device *device_of(struct vk_world *w)
{
    struct hvk_object *object =
        hvk_find(vk_world_context(w), VK_KIND_VkDevice, HVK_U64(w->device), NULL);
    SLT_ASSERT_TRUE(object != NULL);
    return object->device;
}

static struct hvk_device *stand_between(struct vk_world *w)
{
    vk_world_device(w);
    struct hvk_device *device = device_of(w);
    memset(driver.named, 0, sizeof driver.named);
    memset(driver.fences, 0, sizeof driver.fences);
    driver.submits = driver.empty = driver.past = 0;
    driver.named_count = driver.ended = driver.early = 0;
    driver.below = device->driver;
    device->driver.QueueSubmit = submit;
    device->driver.GetFenceStatus = status;
    device->driver.WaitForFences = wait_for;
    device->driver.DestroyFence = fence_end;
    device->driver.DestroySemaphore = semaphore_end;
    return device;
}

SLT_FIXTURE(hvk_grave, struct vk_world, vk_world_init, vk_world_finish);

/* It brings the timeline to 1. */
static void submit_signal(struct vk_world *w, VkSemaphore timeline, VkFence fence)
{
    const uint64_t one = 1;
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = &one};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .pNext = &values,
                               .signalSemaphoreCount = 1,
                               .pSignalSemaphores = &timeline};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, fence);
}

static void semaphore_drop(struct vk_world *w, VkSemaphore semaphore)
{
    VK_SEND(&w->main, DestroySemaphore, w->device, semaphore, NULL);
}

/* A timeline that a submit signals, which ends as soon as the submit's fence is seen. */
static void round_of(struct vk_world *w, VkFence fence)
{
    VkSemaphore timeline = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    submit_signal(w, timeline, fence);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    semaphore_drop(w, timeline);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_reset(w, fence));
}

/* The fence tells that the work is done, not that the driver's thread is past the submit. */
SLT_TEST_F(hvk_grave, a_semaphore_outlives_the_fence_of_its_submit, w)
{
    struct hvk_device *device = stand_between(w);
    VkFence fence = vp_fence_make(w);
    round_of(w, fence);
    SLT_EXPECT_EQ(0u, driver.ended);
    SLT_EXPECT_EQ(1u, device->late_count);
    SLT_EXPECT_EQ(0u, device->grave_count);
    SLT_EXPECT_TRUE(!w->main.lost);
    VK_SEND(&w->main, DestroyFence, w->device, fence, NULL);
    VK_SEND(&w->main, DestroyDevice, w->device, NULL);
    SLT_EXPECT_EQ(1u, driver.ended);
    SLT_EXPECT_EQ(0u, driver.early);
}

/* Few of them wait at a time, and a marker is placed for many. */
SLT_TEST_F(hvk_grave, semaphores_end_together, w)
{
    struct hvk_device *device = stand_between(w);
    VkFence fence = vp_fence_make(w);
    for (uint32_t i = 0; i < 16 * GATHER; i++) {
        round_of(w, fence);
        SLT_ASSERT_LE(device->late_count, 2 * GATHER);
    }
    SLT_EXPECT_LE(14 * GATHER, driver.ended);
    SLT_EXPECT_EQ(0u, driver.early);
    SLT_EXPECT_LE(driver.empty, 16u);
    SLT_EXPECT_LE(1u, driver.empty);
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* Without a submit after the first: the marker is one itself. */
SLT_TEST_F(hvk_grave, semaphores_that_no_submit_names_end_as_well, w)
{
    struct hvk_device *device = stand_between(w);
    VkFence fence = vp_fence_make(w);
    round_of(w, fence);
    for (uint32_t i = 0; i < 1000; i++) {
        semaphore_drop(w, vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0));
    }
    /* Once a marker has come, with nothing submitted since, they end at once. */
    for (int i = 0; i < 1000 && device->late_count != 0; i++) {
        sched_yield();
        semaphore_drop(w, vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0));
    }
    SLT_EXPECT_EQ(0u, device->late_count);
    SLT_EXPECT_EQ(0u, driver.early);
    SLT_EXPECT_EQ(1u, driver.empty);
}

/* Nothing ends while the queue waits, and all of it afterwards. */
SLT_TEST_F(hvk_grave, semaphores_wait_for_a_queue_that_waits, w)
{
    struct hvk_device *device = stand_between(w);
    VkSemaphore gate = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    VkFence fence = vp_fence_make(w);
    VkResult result = VK_ERROR_UNKNOWN;
    vp_submit_blocked(w, gate, VK_NULL_HANDLE, fence);
    for (uint32_t i = 0; i < 10 * GATHER; i++) {
        semaphore_drop(w, vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0));
    }
    SLT_EXPECT_EQ(10 * GATHER, device->late_count);
    SLT_EXPECT_EQ(0u, driver.ended);
    const VkSemaphoreSignalInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = gate, .value = 1};
    VK_SEND(&w->main, SignalSemaphore, w->device, &signal);
    VK_READ(&w->main, SignalSemaphore, w->device, &signal, &result);
    SLT_EXPECT_EQ(VK_SUCCESS, result);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    semaphore_drop(w, gate);
    for (int i = 0; i < 1000 && device->late_count != 0; i++) {
        sched_yield();
        semaphore_drop(w, vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0));
    }
    SLT_EXPECT_EQ(0u, device->late_count);
    SLT_EXPECT_EQ(0u, driver.early);
    SLT_EXPECT_TRUE(!w->main.lost);
}
