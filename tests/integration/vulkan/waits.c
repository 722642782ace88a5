/* Frames while two other threads wait for what comes frames later: one for values of a timeline,
 * one for fences that are not submitted yet (snapshot_test.py cuts between). Prints nothing that a
 * driver decides.
 *
 * usage: vulkan_waits [FRAMES [EVERY]], EVERY: frames between two that let both go on. */
#include "tests/integration/vulkan/wx.h"

#include <stdlib.h>

#define FRAMES 24u
#define EVERY  6u
#define TURNS  64u /* most that they go on */

struct waits {
    struct wx wx;
    uint32_t turns;
    VkSemaphore line;
    VkFence fences[TURNS];
};

static void *wait_for_values(void *of)
{
    const struct waits *w = of;
    for (uint64_t value = 1; value <= w->turns; value++) {
        const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                          .semaphoreCount = 1,
                                          .pSemaphores = &w->line,
                                          .pValues = &value};
        vx_need(vkWaitSemaphores(w->wx.vx.device, &wait, UINT64_MAX) == VK_SUCCESS, "a value");
    }
    return NULL;
}

static void *wait_for_fences(void *of)
{
    const struct waits *w = of;
    for (uint32_t i = 0; i < w->turns; i++) {
        vx_need(vkWaitForFences(w->wx.vx.device, 1, &w->fences[i], VK_TRUE, UINT64_MAX) ==
                    VK_SUCCESS,
                "a fence");
    }
    return NULL;
}

static void open_all(struct waits *w)
{
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .timelineSemaphore = VK_TRUE};
    struct vx *vx = &w->wx.vx;
    wx_open(&w->wx, &features);
    wx_open_surface(&w->wx);
    vx_need(wx_open_swapchain(&w->wx, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL) == VK_SUCCESS,
            "a swapchain");
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo line = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    VX(vx, vkCreateSemaphore(vx->device, &line, NULL, &w->line));
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    for (uint32_t i = 0; i < w->turns; i++) {
        VX(vx, vkCreateFence(vx->device, &fence, NULL, &w->fences[i]));
    }
}

static void let_go(struct waits *w, uint32_t turn)
{
    struct vx *vx = &w->wx.vx;
    const VkSemaphoreSignalInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = w->line, .value = turn + 1};
    VX(vx, vkSignalSemaphore(vx->device, &signal));
    VX(vx, vkQueueSubmit(vx->queue, 0, NULL, w->fences[turn]));
}

int main(int argc, char **argv)
{
    static struct waits w;
    pthread_t threads[2];
    uint32_t frames = argc > 1 ? (uint32_t)atoi(argv[1]) : FRAMES;
    uint32_t every = argc > 2 ? (uint32_t)atoi(argv[2]) : EVERY;
    w.turns = frames / every;
    vx_need(w.turns <= TURNS, "few turns");
    open_all(&w);
    vx_need(pthread_create(&threads[0], NULL, wait_for_values, &w) == 0 &&
                pthread_create(&threads[1], NULL, wait_for_fences, &w) == 0,
            "two threads");
    for (uint32_t i = 0; i < frames; i++) {
        VkResult acquired;
        vx_need(wx_frame(&w.wx, i % 200, &acquired) == VK_SUCCESS && acquired == VK_SUCCESS,
                "a frame");
        if (i % every == every - 1) {
            let_go(&w, i / every);
        }
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    wx_sync(&w.wx);
    vkDestroySemaphore(w.wx.vx.device, w.line, NULL);
    for (uint32_t i = 0; i < w.turns; i++) {
        vkDestroyFence(w.wx.vx.device, w.fences[i], NULL);
    }
    wx_close_swapchain(&w.wx);
    wx_close(&w.wx);
    return 0;
}
