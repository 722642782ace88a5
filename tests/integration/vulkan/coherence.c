/* Mapped memory: 64 allocations written and read by 4 threads while the device copies between them;
 * what either side wrote is what the other sees, without a flush. --rounds N; default 40. */
#include "tests/integration/vulkan/vx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, EACH = 16, SIZE = 96 * 1024 };

struct worker {
    struct vx *vx;
    pthread_t thread;
    pthread_mutex_t *lock; /* of the queue */
    uint32_t index, rounds;
    struct vx_buffer buffers[EACH];
    uint64_t hash;
};

/* Every second buffer is written by the host, copied by the device into the next, and that is read
 * by the host while the first is written anew. */
static void record(struct worker *w, VkCommandBuffer commands, uint32_t word)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    vx_need(vkBeginCommandBuffer(commands, &begin) == VK_SUCCESS, "vkBeginCommandBuffer");
    for (int i = 0; i < EACH; i += 2) {
        const VkBufferCopy all = {0, 0, SIZE};
        vkCmdCopyBuffer(commands, w->buffers[i].buffer, w->buffers[i + 1].buffer, 1, &all);
    }
    vx_memory_barrier(commands);
    for (int i = 1; i < EACH; i += 2) {
        vkCmdFillBuffer(commands, w->buffers[i].buffer, 4096 * (word % 16), 256, word);
    }
    vx_memory_barrier(commands);
    vx_need(vkEndCommandBuffer(commands) == VK_SUCCESS, "vkEndCommandBuffer");
}

static void submit(struct worker *w, VkCommandBuffer commands, VkFence fence)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &commands};
    pthread_mutex_lock(w->lock);
    VkResult result = vkQueueSubmit(w->vx->queue, 1, &info, fence);
    pthread_mutex_unlock(w->lock);
    vx_need(result == VK_SUCCESS, "vkQueueSubmit");
    vx_need(vkWaitForFences(w->vx->device, 1, &fence, VK_TRUE, UINT64_MAX) == VK_SUCCESS,
            "vkWaitForFences");
    vx_need(vkResetFences(w->vx->device, 1, &fence) == VK_SUCCESS, "vkResetFences");
}

/* What came back is what was written but for the words the device filled. */
static void check(struct worker *w, uint8_t *want, uint32_t seed, uint32_t word)
{
    for (int i = 1; i < EACH; i += 2) {
        const size_t at = 4096 * (size_t)(word % 16);
        vx_bytes(want, SIZE, seed + (uint32_t)i - 1);
        for (size_t k = 0; k < 256; k += 4) {
            memcpy(want + at + k, &word, 4);
        }
        vx_need(memcmp(want, w->buffers[i].map, SIZE) == 0, "the copy is what was written");
        w->hash = vx_hash(w->hash, w->buffers[i].map, 4096);
    }
}

static void *work(void *user)
{
    struct worker *w = user;
    VkDevice device = w->vx->device;
    const VkCommandPoolCreateInfo pool_info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                               .queueFamilyIndex = w->vx->family};
    const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkCommandPool pool;
    VkFence fence;
    VkCommandBuffer commands;
    uint8_t *want = malloc(SIZE);
    vx_need(want != NULL, "memory");
    vx_need(vkCreateCommandPool(device, &pool_info, NULL, &pool) == VK_SUCCESS, "a pool");
    vx_need(vkCreateFence(device, &fence_info, NULL, &fence) == VK_SUCCESS, "a fence");
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .commandBufferCount = 1};
    vx_need(vkAllocateCommandBuffers(device, &allocate, &commands) == VK_SUCCESS, "commands");
    for (uint32_t round = 0; round < w->rounds; round++) {
        const uint32_t seed = w->index * 1000 + round, word = 0x01010101u * (seed & 0xff);
        for (int i = 0; i < EACH; i += 2) {
            vx_bytes(w->buffers[i].map, SIZE, seed + (uint32_t)i);
        }
        record(w, commands, word);
        submit(w, commands, fence);
        check(w, want, seed, word);
        vx_need(vkResetCommandPool(device, pool, 0) == VK_SUCCESS, "vkResetCommandPool");
    }
    free(want);
    vkDestroyFence(device, fence, NULL);
    vkDestroyCommandPool(device, pool, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    struct vx vx;
    struct worker workers[THREADS];
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint32_t rounds = 40;
    if (argc == 3 && strcmp(argv[1], "--rounds") == 0) {
        rounds = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    vx_open(&vx, NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.vx = &vx, .lock = &lock, .index = i, .rounds = rounds};
        for (int k = 0; k < EACH; k++) {
            workers[i].buffers[k] = vx_buffer(
                &vx, SIZE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
        }
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        vx_need(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread");
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        char name[32];
        snprintf(name, sizeof name, "thread.%u", i);
        pthread_join(workers[i].thread, NULL);
        vx_show(&vx, name, &workers[i].hash, sizeof workers[i].hash);
        for (int k = 0; k < EACH; k++) {
            vx_buffer_free(&vx, &workers[i].buffers[k]);
        }
    }
    vx_close(&vx);
    return 0;
}
