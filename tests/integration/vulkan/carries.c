/* Frames that carry everything over to the next one: sums in memory that only the device writes, a
 * fence that stays signalled, an event that is set, semaphores, sets of a pool that frees none,
 * commands of a pool that resets none alone, objects that live from one frame into the next, a
 * swapchain for four frames. A loop over some of them that forgets to lead one of these back shows
 * other pictures, or does not end (loop_test.py). Prints nothing that a driver decides. */
#include "tests/integration/vulkan/wx.h"

#include "compute_comp.h"

#define FRAMES 24u
#define VALUES (WX_WIDTH * WX_HEIGHT - 1u)
#define SETS   4u

struct carries {
    struct wx wx;
    struct vx_buffer source, sums;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    VkDescriptorPool sets;
    VkDescriptorSet set;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkFence fences[2];
    VkEvent event;
    VkSemaphore link, timeline;
    struct vx_buffer guest; /* of the frame before */
    VkBufferView view;
};

static void open_all(struct carries *c)
{
    struct vx *vx = &c->wx.vx;
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo binary = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    const VkSemaphoreCreateInfo counts = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                          .pNext = &type};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    const VkEventCreateInfo event = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = vx->family};
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2 * SETS};
    const VkDescriptorPoolCreateInfo sets = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = SETS,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    c->source = vx_buffer(vx, VALUES * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    c->sums = vx_buffer(vx, (VALUES + 1) * 4,
                        VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    c->set_layout = vx_set_layout(vx, "ss");
    c->layout = vx_pipeline_layout(vx, c->set_layout, VK_SHADER_STAGE_COMPUTE_BIT, 8);
    c->pipeline = vx_compute_pipeline(vx, VX_CODE(compute_comp), c->layout, NULL);
    VX(vx, vkCreateDescriptorPool(vx->device, &sets, NULL, &c->sets));
    VX(vx, vkCreateCommandPool(vx->device, &pool, NULL, &c->pool));
    VX(vx, vkCreateFence(vx->device, &fence, NULL, &c->fences[0]));
    VX(vx, vkCreateFence(vx->device, &fence, NULL, &c->fences[1]));
    VX(vx, vkCreateEvent(vx->device, &event, NULL, &c->event));
    VX(vx, vkCreateSemaphore(vx->device, &binary, NULL, &c->link));
    VX(vx, vkCreateSemaphore(vx->device, &counts, NULL, &c->timeline));
    const VkCommandBufferAllocateInfo one = {.sType =
                                                 VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                             .commandPool = c->pool,
                                             .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                             .commandBufferCount = 1};
    VX(vx, vkAllocateCommandBuffers(vx->device, &one, &c->commands));
}

/* Recorded in even frames, and submitted in the next one too. */
static void record_sums(struct carries *c, uint32_t number)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    const uint32_t push[2] = {VALUES, number % 3 + 1};
    VX(&c->wx.vx, vkResetCommandPool(c->wx.vx.device, c->pool, 0));
    VX(&c->wx.vx, vkBeginCommandBuffer(c->commands, &begin));
    vkCmdBindPipeline(c->commands, VK_PIPELINE_BIND_POINT_COMPUTE, c->pipeline);
    vkCmdBindDescriptorSets(c->commands, VK_PIPELINE_BIND_POINT_COMPUTE, c->layout, 0, 1, &c->set,
                            0, NULL);
    vkCmdPushConstants(c->commands, c->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
    vkCmdDispatch(c->commands, (VALUES + 63) / 64, 1, 1);
    vx_memory_barrier(c->commands);
    VX(&c->wx.vx, vkEndCommandBuffer(c->commands));
}

static void make_set(struct carries *c, uint32_t number)
{
    struct vx *vx = &c->wx.vx;
    if (number % SETS == 0) {
        VX(vx, vkResetDescriptorPool(vx->device, c->sets, 0));
    }
    VkDescriptorSet set = vx_set(vx, c->sets, c->set_layout);
    vx_write_buffer(vx, set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &c->source);
    vx_write_buffer(vx, set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &c->sums);
    c->set = set;
}

/* One lives until the next frame. */
static void change_guest(struct carries *c)
{
    struct vx *vx = &c->wx.vx;
    if (c->view != VK_NULL_HANDLE) {
        vkDestroyBufferView(vx->device, c->view, NULL);
        vx_buffer_free(vx, &c->guest);
    }
    c->guest = vx_buffer(vx, 4096, VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT);
    const VkBufferViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                         .buffer = c->guest.buffer,
                                         .format = VK_FORMAT_R8G8B8A8_UNORM,
                                         .range = VK_WHOLE_SIZE};
    VX(vx, vkCreateBufferView(vx->device, &info, NULL, &c->view));
}

static VkCommandBuffer record_picture(struct carries *c, VkImage image, uint32_t number)
{
    VkCommandBuffer commands = vx_begin(&c->wx.vx);
    if (number % 2 == 1) { /* the frame before has set it */
        vkCmdWaitEvents(commands, 1, &c->event, VK_PIPELINE_STAGE_HOST_BIT,
                        VK_PIPELINE_STAGE_TRANSFER_BIT, 0, NULL, 0, NULL, 0, NULL);
    }
    wx_copy(&c->wx, commands, image, c->sums.buffer);
    VX(&c->wx.vx, vkEndCommandBuffer(commands));
    return commands;
}

static void submit(struct carries *c, VkCommandBuffer picture, uint32_t number)
{
    struct vx *vx = &c->wx.vx;
    const uint64_t before[3] = {0, 0, number}, after[3] = {0, 0, number + 1};
    const VkSemaphore waits[3] = {c->wx.acquired, c->link, c->timeline};
    const VkSemaphore signals[3] = {c->wx.drawn, c->link, c->timeline};
    const VkPipelineStageFlags stages[3] = {VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT};
    const VkCommandBuffer both[2] = {c->commands, picture};
    /* The first frame has no link to wait for: then the timeline comes in its place. */
    uint32_t wait_count = number == 0 ? 1 : 3;
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = wait_count,
        .pWaitSemaphoreValues = before,
        .signalSemaphoreValueCount = 3,
        .pSignalSemaphoreValues = after};
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .pNext = &values,
                               .waitSemaphoreCount = wait_count,
                               .pWaitSemaphores = waits,
                               .pWaitDstStageMask = stages,
                               .commandBufferCount = 2,
                               .pCommandBuffers = both,
                               .signalSemaphoreCount = 3,
                               .pSignalSemaphores = signals};
    VX(vx, vkQueueSubmit(vx->queue, 1, &info, c->fences[number % 2]));
    VX(vx, vkWaitForFences(vx->device, 1, &c->fences[number % 2], VK_TRUE, UINT64_MAX));
    if (number != 0) { /* it was signalled over the frame's end */
        VX(vx, vkResetFences(vx->device, 1, &c->fences[(number + 1) % 2]));
    }
}

static void frame(struct carries *c, uint32_t number)
{
    struct vx *vx = &c->wx.vx;
    uint32_t index;
    VX(vx, vkAcquireNextImageKHR(vx->device, c->wx.swapchain, UINT64_MAX, c->wx.acquired,
                                 VK_NULL_HANDLE, &index));
    vx_bytes(c->source.map, VALUES * 4, number);
    make_set(c, number);
    change_guest(c);
    if (number % 2 == 0) {
        record_sums(c, number);
    }
    VkCommandBuffer picture = record_picture(c, c->wx.images[index], number);
    submit(c, picture, number);
    vkFreeCommandBuffers(vx->device, vx->pool, 1, &picture);
    if (number % 2 == 0) {
        VX(vx, vkSetEvent(vx->device, c->event));
    } else {
        VX(vx, vkQueueWaitIdle(vx->queue)); /* said, and not only seen in a fence's memory */
        VX(vx, vkResetEvent(vx->device, c->event));
    }
    vx_need(wx_present(&c->wx, index, NULL) == VK_SUCCESS, "a frame");
    if (number % 4 == 3) {
        VX(vx, vkDeviceWaitIdle(vx->device));
        vx_need(wx_open_swapchain(&c->wx, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL) == VK_SUCCESS,
                "a swapchain");
    }
}

static void close_all(struct carries *c)
{
    struct vx *vx = &c->wx.vx;
    VX(vx, vkDeviceWaitIdle(vx->device));
    vkDestroyBufferView(vx->device, c->view, NULL);
    vx_buffer_free(vx, &c->guest);
    vkDestroyCommandPool(vx->device, c->pool, NULL);
    vkDestroyDescriptorPool(vx->device, c->sets, NULL);
    vkDestroyPipeline(vx->device, c->pipeline, NULL);
    vkDestroyPipelineLayout(vx->device, c->layout, NULL);
    vkDestroyDescriptorSetLayout(vx->device, c->set_layout, NULL);
    vkDestroyFence(vx->device, c->fences[0], NULL);
    vkDestroyFence(vx->device, c->fences[1], NULL);
    vkDestroyEvent(vx->device, c->event, NULL);
    vkDestroySemaphore(vx->device, c->link, NULL);
    vkDestroySemaphore(vx->device, c->timeline, NULL);
    vx_buffer_free(vx, &c->source);
    vx_buffer_free(vx, &c->sums);
}

int main(void)
{
    struct carries c = {.view = VK_NULL_HANDLE};
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .timelineSemaphore = VK_TRUE};
    wx_open(&c.wx, &features);
    wx_open_surface(&c.wx);
    vx_need(wx_open_swapchain(&c.wx, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL) == VK_SUCCESS,
            "a swapchain");
    open_all(&c);
    for (uint32_t i = 0; i < FRAMES; i++) {
        frame(&c, i);
    }
    wx_sync(&c.wx);
    close_all(&c);
    wx_close_swapchain(&c.wx);
    wx_close(&c.wx);
    return 0;
}
