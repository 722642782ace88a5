/* One call over and over, for a host that dies under it. */
#include "tests/integration/vulkan/kill_vk.h"

#include "compute_comp.h"

#include <string.h>

enum { SIZE = 1 << 20 };

/* What calls are made with. */
struct stage {
    struct kv *kv;
    struct vx *vx;
    VkDevice device;
    VkFence fence;        /* never signalled */
    VkSemaphore timeline; /* 0 */
    struct vx_buffer buffer;
    VkDescriptorSetLayout set_layout;
    VkDescriptorPool sets;
    VkDescriptorSet set;
    VkCommandBuffer commands;
    VkQueryPool queries;
    VkEvent event;
    VkPipelineLayout layout;
    uint64_t value;
};

static VkResult queue_submit(struct stage *s)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &s->commands};
    return vkQueueSubmit(s->vx->queue, 1, &info, VK_NULL_HANDLE);
}

static VkResult queue_submit2(struct stage *s)
{
    const VkCommandBufferSubmitInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = s->commands};
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &commands};
    return vkQueueSubmit2(s->vx->queue, 1, &info, VK_NULL_HANDLE);
}

static VkResult queue_wait_idle(struct stage *s)
{
    return vkQueueWaitIdle(s->vx->queue);
}

static VkResult device_wait_idle(struct stage *s)
{
    return vkDeviceWaitIdle(s->device);
}

/* The queue waits for a value that nobody will signal. */
static VkResult submit_stuck(struct stage *s, VkFence fence)
{
    const uint64_t value = 1;
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = 1,
        .pWaitSemaphoreValues = &value};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .pNext = &values,
                               .waitSemaphoreCount = 1,
                               .pWaitSemaphores = &s->timeline,
                               .pWaitDstStageMask = &stage};
    return vkQueueSubmit(s->vx->queue, 1, &info, fence);
}

static VkResult device_wait_busy(struct stage *s)
{
    VkResult result = submit_stuck(s, VK_NULL_HANDLE);
    return result == VK_SUCCESS ? vkDeviceWaitIdle(s->device) : result;
}

static VkResult wait_fence(struct stage *s)
{
    return vkWaitForFences(s->device, 1, &s->fence, VK_TRUE, UINT64_MAX);
}

static VkResult wait_fence_shortly(struct stage *s)
{
    return vkWaitForFences(s->device, 1, &s->fence, VK_TRUE, 1000000);
}

static VkResult poll_fence(struct stage *s)
{
    return vkGetFenceStatus(s->device, s->fence);
}

/* A fence that a submit has: the host's page tells of it. */
static VkResult poll_submitted(struct stage *s)
{
    return s->value++ == 0 ? submit_stuck(s, s->fence) : vkGetFenceStatus(s->device, s->fence);
}

/* The device itself is busy, with an event that nobody will set. */
static VkResult wait_event(struct stage *s)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &s->commands};
    VkResult result = vkBeginCommandBuffer(s->commands, &begin);
    if (result == VK_SUCCESS) {
        vkCmdWaitEvents(s->commands, 1, &s->event, VK_PIPELINE_STAGE_HOST_BIT,
                        VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, NULL, 0, NULL, 0, NULL);
        result = vkEndCommandBuffer(s->commands);
    }
    if (result == VK_SUCCESS) {
        result = vkQueueSubmit(s->vx->queue, 1, &info, s->fence);
    }
    return result == VK_SUCCESS ? wait_fence(s) : result;
}

static VkResult reset_fence(struct stage *s)
{
    return vkResetFences(s->device, 1, &s->fence);
}

static VkResult wait_timeline(struct stage *s)
{
    const uint64_t value = 1;
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &s->timeline,
                                      .pValues = &value};
    return vkWaitSemaphores(s->device, &info, UINT64_MAX);
}

static VkResult poll_timeline(struct stage *s)
{
    uint64_t value;
    return vkGetSemaphoreCounterValue(s->device, s->timeline, &value);
}

static VkResult signal_timeline(struct stage *s)
{
    const VkSemaphoreSignalInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
                                        .semaphore = s->timeline,
                                        .value = ++s->value};
    return vkSignalSemaphore(s->device, &info);
}

/* Large enough for a block of its own, so that mapping is the host's work as well. */
static VkResult map_memory(struct stage *s)
{
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .allocationSize = (VkDeviceSize)8 << 20};
    VkDeviceMemory memory;
    void *map;
    info.memoryTypeIndex = vx_memory_type(s->vx, UINT32_MAX, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
    VkResult result = vkAllocateMemory(s->device, &info, NULL, &memory);
    if (result != VK_SUCCESS) {
        return result;
    }
    result = vkMapMemory(s->device, memory, 0, VK_WHOLE_SIZE, 0, &map);
    if (result == VK_SUCCESS) {
        memset(map, 1, 4096);
        vkUnmapMemory(s->device, memory);
    }
    vkFreeMemory(s->device, memory, NULL);
    return result;
}

static VkResult create_objects(struct stage *s)
{
    const VkSamplerCreateInfo sampler_info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    const VkBufferCreateInfo buffer_info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                            .size = SIZE,
                                            .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkSampler sampler;
    VkBuffer buffer;
    VkMemoryRequirements needs;
    VkResult result = vkCreateSampler(s->device, &sampler_info, NULL, &sampler);
    if (result != VK_SUCCESS) {
        return result;
    }
    result = vkCreateBuffer(s->device, &buffer_info, NULL, &buffer);
    if (result == VK_SUCCESS) {
        vkGetBufferMemoryRequirements(s->device, buffer, &needs);
        vkDestroyBuffer(s->device, buffer, NULL);
    }
    vkDestroySampler(s->device, sampler, NULL);
    return result;
}

static VkResult create_image(struct stage *s)
{
    const VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_USAGE_SAMPLED_BIT);
    VkImage image;
    VkResult result = vkCreateImage(s->device, &info, NULL, &image);
    if (result == VK_SUCCESS) {
        vkDestroyImage(s->device, image, NULL);
    }
    return result;
}

static VkResult create_pipeline(struct stage *s)
{
    const VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = sizeof compute_comp,
                                           .pCode = compute_comp};
    VkShaderModule module;
    VkResult result = vkCreateShaderModule(s->device, &code, NULL, &module);
    if (result != VK_SUCCESS) {
        return result;
    }
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main"},
        .layout = s->layout};
    VkPipeline pipeline = VK_NULL_HANDLE;
    result = vkCreateComputePipelines(s->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
    vkDestroyPipeline(s->device, pipeline, NULL);
    vkDestroyShaderModule(s->device, module, NULL);
    return result;
}

static VkResult create_device(struct stage *s)
{
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = s->vx->family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue};
    VkDevice device;
    VkResult result = vkCreateDevice(s->vx->physical, &info, NULL, &device);
    if (result == VK_SUCCESS) {
        vkDestroyDevice(device, NULL);
    }
    return result;
}

static VkResult create_pool(struct stage *s)
{
    const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = s->vx->family};
    VkCommandPool pool;
    VkResult result = vkCreateCommandPool(s->device, &info, NULL, &pool);
    if (result == VK_SUCCESS) {
        vkDestroyCommandPool(s->device, pool, NULL);
    }
    return result;
}

/* Writes have no result: sets are allocated of a pool that is reset. */
static VkResult write_descriptors(struct stage *s)
{
    for (uint32_t i = 0; i < 100; i++) {
        vx_write_buffer(s->vx, s->set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &s->buffer);
    }
    VkResult result = vkResetDescriptorPool(s->device, s->sets, 0);
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = s->sets,
                                              .descriptorSetCount = 1,
                                              .pSetLayouts = &s->set_layout};
    if (result == VK_SUCCESS) {
        result = vkAllocateDescriptorSets(s->device, &info, &s->set);
    }
    return result == VK_SUCCESS ? queue_submit(s) : result;
}

static VkResult record(struct stage *s)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkResult result = vkResetCommandBuffer(s->commands, 0);
    if (result == VK_SUCCESS) {
        result = vkBeginCommandBuffer(s->commands, &begin);
    }
    if (result == VK_SUCCESS) {
        for (uint32_t i = 0; i < 1000; i++) {
            vkCmdFillBuffer(s->commands, s->buffer.buffer, 0, 256, i);
        }
        result = vkEndCommandBuffer(s->commands);
    }
    if (result == VK_SUCCESS) {
        result = queue_submit(s);
    }
    return result == VK_SUCCESS ? vkQueueWaitIdle(s->vx->queue) : result;
}

static VkResult query_results(struct stage *s)
{
    uint64_t results[4];
    return vkGetQueryPoolResults(s->device, s->queries, 0, 4, sizeof results, results, 8,
                                 VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_PARTIAL_BIT);
}

static VkResult set_event(struct stage *s)
{
    VkResult result = vkSetEvent(s->device, s->event);
    return result == VK_SUCCESS ? vkGetEventStatus(s->device, s->event) : result;
}

/* Has no result of its own. */
static VkResult ask_physical(struct stage *s)
{
    VkPhysicalDeviceProperties properties;
    VkImageFormatProperties image;
    vkGetPhysicalDeviceProperties(s->vx->physical, &properties);
    return vkGetPhysicalDeviceImageFormatProperties(s->vx->physical, VK_FORMAT_R8G8B8A8_UNORM,
                                                    VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
                                                    VK_IMAGE_USAGE_SAMPLED_BIT, 0, &image);
}

static VkResult flush_memory(struct stage *s)
{
    const VkMappedMemoryRange range = {.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                                       .memory = s->buffer.memory,
                                       .size = VK_WHOLE_SIZE};
    VkResult result = vkFlushMappedMemoryRanges(s->device, 1, &range);
    return result == VK_SUCCESS ? vkDeviceWaitIdle(s->device) : result;
}

static VkResult acquire_and_present(struct stage *s)
{
    uint32_t index = 0;
    VkResult result = kv_acquire(s->kv, &index);
    return result == VK_SUCCESS ? kv_present(s->kv, index) : result;
}

/* The application's own images never come back: all are taken, none is presented. */
static VkResult acquire_all(struct stage *s)
{
    uint32_t index;
    return kv_acquire(s->kv, &index);
}

static const struct call {
    const char *name;
    VkResult (*run)(struct stage *s);
} calls[] = {
    {"queue_submit", queue_submit},
    {"queue_submit2", queue_submit2},
    {"queue_wait_idle", queue_wait_idle},
    {"device_wait_idle", device_wait_idle},
    {"device_wait_busy", device_wait_busy},
    {"wait_fence", wait_fence},
    {"wait_fence_shortly", wait_fence_shortly},
    {"poll_fence", poll_fence},
    {"poll_submitted", poll_submitted},
    {"reset_fence", reset_fence},
    {"wait_event", wait_event},
    {"wait_timeline", wait_timeline},
    {"poll_timeline", poll_timeline},
    {"signal_timeline", signal_timeline},
    {"map_memory", map_memory},
    {"flush_memory", flush_memory},
    {"create_objects", create_objects},
    {"create_image", create_image},
    {"create_pipeline", create_pipeline},
    {"create_device", create_device},
    {"create_pool", create_pool},
    {"write_descriptors", write_descriptors},
    {"record", record},
    {"query_results", query_results},
    {"set_event", set_event},
    {"ask_physical", ask_physical},
    {"acquire_and_present", acquire_and_present},
    {"acquire_all", acquire_all},
};

static void open_stage(struct stage *s)
{
    struct vx *vx = s->vx;
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                             .pNext = &type};
    const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_OCCLUSION,
                                           .queryCount = 4};
    const VkEventCreateInfo event = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    VX(vx, vkCreateFence(s->device, &fence, NULL, &s->fence));
    VX(vx, vkCreateSemaphore(s->device, &semaphore, NULL, &s->timeline));
    VX(vx, vkCreateQueryPool(s->device, &queries, NULL, &s->queries));
    VX(vx, vkCreateEvent(s->device, &event, NULL, &s->event));
    s->buffer =
        vx_buffer(vx, SIZE, VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    s->set_layout = vx_set_layout(vx, "ss");
    s->layout = vx_pipeline_layout(vx, s->set_layout, VK_SHADER_STAGE_COMPUTE_BIT, 16);
    s->sets = vx_descriptor_pool(vx, 4);
    s->set = vx_set(vx, s->sets, s->set_layout);
    s->commands = vx_begin(vx); /* for once: begun again, for as often as one likes */
    VX(vx, vkResetCommandBuffer(s->commands, 0));
    VX(vx, vkBeginCommandBuffer(s->commands, &begin));
    vkCmdResetQueryPool(s->commands, s->queries, 0, 4);
    VX(vx, vkEndCommandBuffer(s->commands));
    vx_need(vkQueueWaitIdle(vx->queue) == VK_SUCCESS, "an idle queue");
}

static void close_stage(struct stage *s)
{
    vkDestroyEvent(s->device, s->event, NULL);
    vkDestroyQueryPool(s->device, s->queries, NULL);
    vkDestroyDescriptorPool(s->device, s->sets, NULL);
    vkDestroyPipelineLayout(s->device, s->layout, NULL);
    vkDestroyDescriptorSetLayout(s->device, s->set_layout, NULL);
    vx_buffer_free(s->vx, &s->buffer);
    vkDestroySemaphore(s->device, s->timeline, NULL);
    vkDestroyFence(s->device, s->fence, NULL);
}

VkResult kv_call(struct kv *kv, const char *name, void (*begun)(void))
{
    const struct call *call = NULL;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        call = strcmp(calls[i].name, name) == 0 ? &calls[i] : call;
    }
    if (call == NULL) {
        return VK_INCOMPLETE;
    }
    kv_open(kv);
    if (kv->windows != KV_OFFSCREEN) {
        kv_open_swapchain(kv);
    }
    struct stage s = {.kv = kv, .vx = &kv->vx, .device = kv->vx.device};
    open_stage(&s);
    begun();
    VkResult result;
    do {
        result = call->run(&s);
    } while (result >= 0);
    (void)vkDeviceWaitIdle(s.device);
    close_stage(&s);
    return result;
}
