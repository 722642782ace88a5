/* Threads: each records into a pool of its own and submits to a queue of its own where there are
 * several, to the shared one under a lock otherwise; objects are made and destroyed meanwhile. */
#include "tests/integration/vulkan/vx.h"

#include "compute_comp.h"

#include <stdio.h>

enum { THREADS = 4, SUBMITS = 60, COUNT = 4096 };

struct worker {
    struct vx *vx;
    pthread_t thread;
    uint32_t index;
    VkQueue queue;
    pthread_mutex_t *lock; /* of its queue */
    VkPipelineLayout layout;
    VkPipeline pipeline;
    struct vx_buffer source, result;
    VkDescriptorSet set;
    uint64_t hash;
};

static void record(struct worker *w, VkCommandBuffer commands, uint32_t rounds)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    vx_need(vkBeginCommandBuffer(commands, &begin) == VK_SUCCESS, "vkBeginCommandBuffer");
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, w->pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, w->layout, 0, 1, &w->set, 0,
                            NULL);
    for (uint32_t i = 0; i < 8; i++) { /* a few, so that recordings overlap */
        const uint32_t push[2] = {COUNT - i, rounds};
        vkCmdPushConstants(commands, w->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
        vkCmdDispatch(commands, COUNT / 64, 1, 1);
        vx_memory_barrier(commands);
    }
    vx_need(vkEndCommandBuffer(commands) == VK_SUCCESS, "vkEndCommandBuffer");
}

/* Something made and destroyed by every thread at once. */
static void churn(struct worker *w)
{
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = 4096,
                                     .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT};
    VkBuffer buffer;
    VkMemoryRequirements needs;
    vx_need(vkCreateBuffer(w->vx->device, &info, NULL, &buffer) == VK_SUCCESS, "vkCreateBuffer");
    vkGetBufferMemoryRequirements(w->vx->device, buffer, &needs);
    w->hash = vx_hash(w->hash, &needs.size, sizeof needs.size);
    vkDestroyBuffer(w->vx->device, buffer, NULL);
}

static void *work(void *user)
{
    struct worker *w = user;
    VkDevice device = w->vx->device;
    const VkCommandPoolCreateInfo pool_info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = w->index % 2 == 0 ? VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT : 0,
        .queueFamilyIndex = w->vx->family};
    VkCommandPool pool;
    vx_need(vkCreateCommandPool(device, &pool_info, NULL, &pool) == VK_SUCCESS, "a pool");
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .commandBufferCount = 1};
    VkCommandBuffer commands;
    vx_need(vkAllocateCommandBuffers(device, &allocate, &commands) == VK_SUCCESS, "commands");
    const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence;
    vx_need(vkCreateFence(device, &fence_info, NULL, &fence) == VK_SUCCESS, "a fence");
    for (uint32_t i = 0; i < SUBMITS; i++) {
        record(w, commands, i % 5);
        churn(w);
        const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                     .commandBufferCount = 1,
                                     .pCommandBuffers = &commands};
        pthread_mutex_lock(w->lock);
        VkResult result = vkQueueSubmit(w->queue, 1, &submit, fence);
        pthread_mutex_unlock(w->lock);
        vx_need(result == VK_SUCCESS, "vkQueueSubmit");
        vx_need(vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX) == VK_SUCCESS, "a fence");
        w->hash = vx_hash(w->hash, w->result.map, w->result.size);
        vx_need(vkResetFences(device, 1, &fence) == VK_SUCCESS, "vkResetFences");
        if (w->index % 2 == 1) {
            vx_need(vkResetCommandPool(device, pool, 0) == VK_SUCCESS, "vkResetCommandPool");
        }
    }
    vkDestroyFence(device, fence, NULL);
    vkDestroyCommandPool(device, pool, NULL);
    return NULL;
}

int main(void)
{
    static const struct vx_wants wants = {.queues = THREADS};
    struct vx vx;
    struct worker workers[THREADS] = {0};
    pthread_mutex_t locks[THREADS];
    vx_open(&vx, &wants);
    vx_show_text(&vx, "queues", "%u", vx.queue_count);
    VkDescriptorSetLayout set_layout = vx_set_layout(&vx, "ss");
    VkDescriptorPool pool = vx_descriptor_pool(&vx, THREADS);
    VkPipelineLayout layout = vx_pipeline_layout(&vx, set_layout, VK_SHADER_STAGE_COMPUTE_BIT, 8);
    VkPipeline pipeline = vx_compute_pipeline(&vx, VX_CODE(compute_comp), layout, NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        struct worker *w = &workers[i];
        uint32_t queue = i % vx.queue_count;
        pthread_mutex_init(&locks[i], NULL);
        *w = (struct worker){
            .vx = &vx, .index = i, .lock = &locks[queue], .layout = layout, .pipeline = pipeline};
        vkGetDeviceQueue(vx.device, vx.family, queue, &w->queue);
        w->source = vx_buffer(&vx, COUNT * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
        w->result = vx_buffer(&vx, COUNT * 4 + 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
        vx_bytes(w->source.map, w->source.size, 40 + i);
        w->set = vx_set(&vx, pool, set_layout);
        vx_write_buffer(&vx, w->set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &w->source);
        vx_write_buffer(&vx, w->set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &w->result);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        vx_need(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread");
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        char name[32];
        snprintf(name, sizeof name, "thread.%u", i);
        vx_show(&vx, name, &workers[i].hash, sizeof workers[i].hash);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        vx_buffer_free(&vx, &workers[i].source);
        vx_buffer_free(&vx, &workers[i].result);
        pthread_mutex_destroy(&locks[i]);
    }
    vkDestroyPipeline(vx.device, pipeline, NULL);
    vkDestroyPipelineLayout(vx.device, layout, NULL);
    vkDestroyDescriptorPool(vx.device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx.device, set_layout, NULL);
    vx_close(&vx);
    return 0;
}
