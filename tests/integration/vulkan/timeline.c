/* Timeline semaphores, fences, events: host and device in turn, waits that run out, waits for any,
 * a chain over many submissions, signals in front of waits. */
#include "tests/integration/vulkan/vx.h"

#include "compute_comp.h"

#include <unistd.h>

enum { COUNT = 256, CHAIN = 50 };

static VkSemaphore make(struct vx *vx, uint64_t value)
{
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
                                            .initialValue = value};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    VkSemaphore semaphore;
    VX(vx, vkCreateSemaphore(vx->device, &info, NULL, &semaphore));
    return semaphore;
}

static uint64_t value_of(struct vx *vx, VkSemaphore semaphore)
{
    uint64_t value = 0;
    VX(vx, vkGetSemaphoreCounterValue(vx->device, semaphore, &value));
    return value;
}

static VkResult wait_for(struct vx *vx, uint32_t count, const VkSemaphore *semaphores,
                         const uint64_t *values, bool any, uint64_t timeout_ns)
{
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .flags = any ? VK_SEMAPHORE_WAIT_ANY_BIT : 0,
                                      .semaphoreCount = count,
                                      .pSemaphores = semaphores,
                                      .pValues = values};
    return VX_MAY(vx, vkWaitSemaphores(vx->device, &info, timeout_ns));
}

static void signal_value(struct vx *vx, VkSemaphore semaphore, uint64_t value)
{
    const VkSemaphoreSignalInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = semaphore, .value = value};
    VX(vx, vkSignalSemaphore(vx->device, &info));
}

/* commands nullable. Waits for `from`, signals `to`. */
static void submit(struct vx *vx, VkCommandBuffer commands, VkSemaphore wait, uint64_t from,
                   VkSemaphore signal, uint64_t to)
{
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = 1,
        .pWaitSemaphoreValues = &from,
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = &to};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .pNext = &values,
                               .waitSemaphoreCount = 1,
                               .pWaitSemaphores = &wait,
                               .pWaitDstStageMask = &stage,
                               .commandBufferCount = commands != VK_NULL_HANDLE,
                               .pCommandBuffers = &commands,
                               .signalSemaphoreCount = 1,
                               .pSignalSemaphores = &signal};
    VX(vx, vkQueueSubmit(vx->queue, 1, &info, VK_NULL_HANDLE));
}

static void host_only(struct vx *vx)
{
    VkSemaphore two[2] = {make(vx, 7), make(vx, 0)};
    const uint64_t values[2] = {9, 1};
    vx_show_text(vx, "initial", "%llu", (unsigned long long)value_of(vx, two[0]));
    vx_show_text(vx, "timeout", "%d", wait_for(vx, 2, two, values, false, 1000000));
    vx_show_text(vx, "poll", "%d", wait_for(vx, 1, two, values, false, 0));
    signal_value(vx, two[0], 9);
    vx_show_text(vx, "any", "%d", wait_for(vx, 2, two, values, true, UINT64_MAX));
    vx_show_text(vx, "all", "%d", wait_for(vx, 2, two, values, false, 1000000));
    signal_value(vx, two[1], 100);
    vx_show_text(vx, "both", "%d", wait_for(vx, 2, two, values, false, UINT64_MAX));
    vkDestroySemaphore(vx->device, two[0], NULL);
    vkDestroySemaphore(vx->device, two[1], NULL);
}

/* The device waits for the host before each step, the host for the device. */
static void in_turn(struct vx *vx, VkCommandBuffer commands, const struct vx_buffer *result)
{
    VkSemaphore host = make(vx, 0), device = make(vx, 0);
    uint64_t hash = 0;
    for (uint64_t i = 1; i <= CHAIN; i++) {
        signal_value(vx, host, i);
        submit(vx, commands, host, i, device, i);
        vx_need(wait_for(vx, 1, &device, &i, false, UINT64_MAX) == VK_SUCCESS, "a step");
        hash = vx_hash(hash, result->map, result->size);
    }
    vx_show(vx, "in-turn", &hash, sizeof hash);
    vx_show_text(vx, "value", "%llu", (unsigned long long)value_of(vx, device));
    vkDestroySemaphore(vx->device, host, NULL);
    vkDestroySemaphore(vx->device, device, NULL);
}

/* All is submitted, then the host lets it run. */
static void chain(struct vx *vx)
{
    VkSemaphore semaphore = make(vx, 0);
    const uint64_t last = CHAIN + 1;
    for (uint64_t i = 1; i <= CHAIN; i++) {
        submit(vx, VK_NULL_HANDLE, semaphore, i, semaphore, i + 1);
    }
    vx_show_text(vx, "held", "%llu", (unsigned long long)value_of(vx, semaphore));
    signal_value(vx, semaphore, 1);
    vx_need(wait_for(vx, 1, &semaphore, &last, false, UINT64_MAX) == VK_SUCCESS, "the chain");
    vx_show_text(vx, "chain", "%llu", (unsigned long long)value_of(vx, semaphore));
    VX(vx, vkQueueWaitIdle(vx->queue));
    vkDestroySemaphore(vx->device, semaphore, NULL);
}

static void fences(struct vx *vx, VkCommandBuffer commands)
{
    VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
                              .flags = VK_FENCE_CREATE_SIGNALED_BIT};
    VkFence two[2];
    VX(vx, vkCreateFence(vx->device, &info, NULL, &two[0]));
    info.flags = 0;
    VX(vx, vkCreateFence(vx->device, &info, NULL, &two[1]));
    VkResult status[2]; /* in this order everywhere: each goes into the hash */
    for (int i = 0; i < 2; i++) {
        status[i] = VX_MAY(vx, vkGetFenceStatus(vx->device, two[i]));
    }
    vx_show_text(vx, "fences", "%d %d", status[0], status[1]);
    vx_show_text(vx, "fence-timeout", "%d",
                 VX_MAY(vx, vkWaitForFences(vx->device, 2, two, VK_TRUE, 1000000)));
    vx_show_text(vx, "fence-any", "%d",
                 VX_MAY(vx, vkWaitForFences(vx->device, 2, two, VK_FALSE, UINT64_MAX)));
    VX(vx, vkResetFences(vx->device, 2, two));
    for (int i = 0; i < 20; i++) {
        const VkSubmitInfo submit_info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                          .commandBufferCount = 1,
                                          .pCommandBuffers = &commands};
        VX(vx, vkQueueSubmit(vx->queue, 1, &submit_info, two[i % 2]));
        if (i % 2 == 1) {
            VX(vx, vkWaitForFences(vx->device, 2, two, VK_TRUE, UINT64_MAX));
            VX(vx, vkResetFences(vx->device, 2, two));
        }
    }
    VX(vx, vkQueueSubmit(vx->queue, 0, NULL, two[0])); /* nothing but a fence */
    while (vkGetFenceStatus(vx->device, two[0]) == VK_NOT_READY) {
        usleep(100);
    }
    vx_show_text(vx, "fence-empty", "%d", VX_MAY(vx, vkGetFenceStatus(vx->device, two[0])));
    vkDestroyFence(vx->device, two[0], NULL);
    vkDestroyFence(vx->device, two[1], NULL);
}

static void events(struct vx *vx)
{
    const VkEventCreateInfo info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    VkEvent event;
    VX(vx, vkCreateEvent(vx->device, &info, NULL, &event));
    vx_show_text(vx, "event", "%d", VX_MAY(vx, vkGetEventStatus(vx->device, event)));
    VX(vx, vkSetEvent(vx->device, event));
    vx_show_text(vx, "event.set", "%d", VX_MAY(vx, vkGetEventStatus(vx->device, event)));
    VX(vx, vkResetEvent(vx->device, event));
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdSetEvent(commands, event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    vkCmdWaitEvents(commands, 1, &event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                    VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, NULL, 0, NULL, 0, NULL);
    vx_submit(vx, commands);
    vx_show_text(vx, "event.device", "%d", VX_MAY(vx, vkGetEventStatus(vx->device, event)));
    commands = vx_begin(vx);
    vkCmdResetEvent(commands, event, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    vx_submit(vx, commands);
    vx_show_text(vx, "event.reset", "%d", VX_MAY(vx, vkGetEventStatus(vx->device, event)));
    vkDestroyEvent(vx->device, event, NULL);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    vx_query(&vx, &features);
    const struct vx_wants wants = {.features = &features};
    vx_open_device(&vx, &wants);
    struct vx_buffer result = vx_buffer(&vx, COUNT * 4 + 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    VkDescriptorSetLayout set_layout = vx_set_layout(&vx, "ss");
    VkDescriptorPool pool = vx_descriptor_pool(&vx, 1);
    VkDescriptorSet set = vx_set(&vx, pool, set_layout);
    struct vx_buffer source = vx_buffer(&vx, COUNT * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    vx_bytes(source.map, source.size, 31);
    vx_write_buffer(&vx, set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &source);
    vx_write_buffer(&vx, set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &result);
    const uint32_t push[2] = {COUNT, 2};
    VkPipelineLayout layout =
        vx_pipeline_layout(&vx, set_layout, VK_SHADER_STAGE_COMPUTE_BIT, sizeof push);
    VkPipeline pipeline = vx_compute_pipeline(&vx, VX_CODE(compute_comp), layout, NULL);
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = vx.pool,
        .commandBufferCount = 1};
    VkCommandBuffer
        commands; /* adds to the sum: each submission shows; submitted again and again */
    VX(&vx, vkAllocateCommandBuffers(vx.device, &allocate, &commands));
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    VX(&vx, vkBeginCommandBuffer(commands, &begin));
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
    vkCmdDispatch(commands, COUNT / 64, 1, 1);
    vx_memory_barrier(commands);
    VX(&vx, vkEndCommandBuffer(commands));

    host_only(&vx);
    in_turn(&vx, commands, &result);
    chain(&vx);
    fences(&vx, commands);
    vx_show(&vx, "sum", result.map, result.size);
    events(&vx);

    VX(&vx, vkDeviceWaitIdle(vx.device));
    vkDestroyPipeline(vx.device, pipeline, NULL);
    vkDestroyPipelineLayout(vx.device, layout, NULL);
    vkDestroyDescriptorPool(vx.device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx.device, set_layout, NULL);
    vx_buffer_free(&vx, &source);
    vx_buffer_free(&vx, &result);
    vx_close(&vx);
    return 0;
}
