/* Threads that use one device beside each other, end and are replaced. */
#include "tests/integration/vulkan/kill_vk.h"

#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 12, WORDS = 1024 };

struct worker {
    struct kv_threads *all;
    pthread_t thread;
    bool runs;
    uint32_t done; /* atomic */
    uint32_t seed;
    VkResult result; /* once it is done */
};

struct kv_threads {
    struct kv *kv;
    pthread_mutex_t queue_lock;
    uint32_t stop; /* atomic */
    struct worker workers[THREADS];
};

/* What a thread has of its own. */
struct tools {
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkFence fence;
    VkBuffer buffer;
    VkDeviceMemory memory;
    uint32_t *words;
};

static VkResult memory_make(struct kv *kv, struct tools *t)
{
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = WORDS * 4,
                                     .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkResult result = vkCreateBuffer(kv->vx.device, &info, NULL, &t->buffer);
    if (result != VK_SUCCESS) {
        return result;
    }
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(kv->vx.device, t->buffer, &needs);
    if (needs.memoryTypeBits == 0) { /* it has no result to say so with */
        return VK_ERROR_DEVICE_LOST;
    }
    const VkMemoryAllocateInfo memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = needs.size,
        .memoryTypeIndex = vx_memory_type(&kv->vx, needs.memoryTypeBits,
                                          VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                              VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)};
    result = vkAllocateMemory(kv->vx.device, &memory, NULL, &t->memory);
    if (result == VK_SUCCESS) {
        result = vkBindBufferMemory(kv->vx.device, t->buffer, t->memory, 0);
    }
    void *map = NULL;
    if (result == VK_SUCCESS) {
        result = vkMapMemory(kv->vx.device, t->memory, 0, VK_WHOLE_SIZE, 0, &map);
    }
    t->words = map;
    return result;
}

static VkResult tools_make(struct kv *kv, struct tools *t)
{
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = kv->vx.family};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = vkCreateCommandPool(kv->vx.device, &pool, NULL, &t->pool);
    if (result == VK_SUCCESS) {
        result = vkCreateFence(kv->vx.device, &fence, NULL, &t->fence);
    }
    const VkCommandBufferAllocateInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = t->pool,
        .commandBufferCount = 1};
    if (result == VK_SUCCESS) {
        result = vkAllocateCommandBuffers(kv->vx.device, &commands, &t->commands);
    }
    return result == VK_SUCCESS ? memory_make(kv, t) : result;
}

static void tools_end(struct kv *kv, const struct tools *t)
{
    vkDestroyBuffer(kv->vx.device, t->buffer, NULL);
    vkFreeMemory(kv->vx.device, t->memory, NULL);
    vkDestroyFence(kv->vx.device, t->fence, NULL);
    vkDestroyCommandPool(kv->vx.device, t->pool, NULL);
}

static VkResult record(const struct tools *t, uint32_t word)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VkResult result = vkBeginCommandBuffer(t->commands, &begin);
    if (result == VK_SUCCESS) {
        vkCmdFillBuffer(t->commands, t->buffer, 0, VK_WHOLE_SIZE, word);
        vx_memory_barrier(t->commands);
        result = vkEndCommandBuffer(t->commands);
    }
    return result;
}

static VkResult round_of(struct worker *w, const struct tools *t, uint32_t word)
{
    struct kv *kv = w->all->kv;
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &t->commands};
    VkResult result = vkResetCommandPool(kv->vx.device, t->pool, 0);
    if (result == VK_SUCCESS) {
        result = record(t, word);
    }
    if (result == VK_SUCCESS) {
        pthread_mutex_lock(&w->all->queue_lock);
        result = vkQueueSubmit(kv->vx.queue, 1, &info, t->fence);
        pthread_mutex_unlock(&w->all->queue_lock);
    }
    if (result == VK_SUCCESS) {
        result = vkWaitForFences(kv->vx.device, 1, &t->fence, VK_TRUE, UINT64_MAX);
    }
    if (result == VK_SUCCESS) {
        result = vkResetFences(kv->vx.device, 1, &t->fence);
    }
    for (uint32_t i = 0; result == VK_SUCCESS && i < WORDS; i++) {
        result = t->words[i] == word ? VK_SUCCESS : VK_ERROR_UNKNOWN;
    }
    return result;
}

static void *work(void *user)
{
    struct worker *w = user;
    struct tools t = {0};
    VkResult result = tools_make(w->all->kv, &t);
    for (uint32_t i = 0; result == VK_SUCCESS && i < ROUNDS; i++) {
        if (__atomic_load_n(&w->all->stop, __ATOMIC_RELAXED) != 0) {
            break;
        }
        result = round_of(w, &t, w->seed + i);
    }
    tools_end(w->all->kv, &t);
    w->result = result;
    __atomic_store_n(&w->done, 1, __ATOMIC_RELEASE); /* publishes the result */
    return NULL;
}

static void begin(struct worker *w)
{
    w->done = 0;
    w->seed += 1000;
    w->runs = pthread_create(&w->thread, NULL, work, w) == 0;
    vx_need(w->runs, "a thread");
}

struct kv_threads *kv_threads_start(struct kv *kv)
{
    struct kv_threads *threads = calloc(1, sizeof *threads);
    vx_need(threads != NULL, "memory");
    threads->kv = kv;
    pthread_mutex_init(&threads->queue_lock, NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        threads->workers[i] = (struct worker){.all = threads, .seed = i * 1000000};
        begin(&threads->workers[i]);
    }
    return threads;
}

VkResult kv_threads_renew(struct kv_threads *threads)
{
    VkResult all = VK_SUCCESS;
    for (uint32_t i = 0; i < THREADS && all == VK_SUCCESS; i++) {
        struct worker *w = &threads->workers[i];
        if (__atomic_load_n(&w->done, __ATOMIC_ACQUIRE) != 0) {
            pthread_join(w->thread, NULL);
            w->runs = false;
            all = w->result;
            if (all == VK_SUCCESS) {
                begin(w);
            }
        }
    }
    return all;
}

void kv_threads_stop(struct kv_threads *threads)
{
    __atomic_store_n(&threads->stop, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < THREADS; i++) {
        if (threads->workers[i].runs) {
            pthread_join(threads->workers[i].thread, NULL);
        }
    }
    pthread_mutex_destroy(&threads->queue_lock);
    free(threads);
}
