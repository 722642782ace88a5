/* Queries that are made in one frame and looked at in the three behind it, by the host and by
 * commands, with every flag: each frame's picture is what was told. Some are reset by either
 * meanwhile, and one is never made. A snapshot that forgets results shows other pictures
 * (snapshot_test.py). Prints nothing that a driver decides. */
#include "tests/integration/vulkan/wx.h"

#include "colour_frag.h"
#include "colour_vert.h"

#include <string.h>

#define FRAMES    16u
#define TRIANGLES 12u
#define QUERIES   6u
#define PLACE     2048u /* bytes of what one way of looking tells */
#define COMMANDS  8u    /* places that commands write; the host's follow */

struct counts {
    struct wx wx;
    struct vx_target target;
    struct vx_buffer vertices, seen;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    VkQueryPool pools[2];
    uint32_t words[2]; /* of a query's values */
    VkCommandPool pool;
    VkCommandBuffer looks; /* recorded once */
};

static void copy(struct counts *c, VkCommandBuffer commands, uint32_t place, uint32_t first,
                 uint32_t count, VkQueryResultFlags flags)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t width = (flags & VK_QUERY_RESULT_64_BIT) != 0 ? 8 : 4;
        vkCmdCopyQueryPoolResults(commands, c->pools[i], first, count, c->seen.buffer,
                                  place * PLACE + i * PLACE / 2, (c->words[i] + 2) * width, flags);
    }
}

static void open_all(struct counts *c)
{
    struct vx *vx = &c->wx.vx;
    c->target = vx_target(vx, VK_FORMAT_R8G8B8A8_UNORM);
    c->layout = vx_pipeline_layout(vx, VK_NULL_HANDLE, 0, 0);
    c->vertices =
        vx_buffer(vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    c->seen = vx_buffer(vx, WX_WIDTH * WX_HEIGHT * 4,
                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    const struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = c->layout,
                                  .pass = c->target.pass,
                                  .has_vertices = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    c->pipeline = vx_graphics_pipeline(vx, &p);
    c->pools[0] = vx_query_pool(vx, VK_QUERY_TYPE_OCCLUSION, QUERIES, 0);
    c->pools[1] = vx_query_pool(vx, VK_QUERY_TYPE_PIPELINE_STATISTICS, QUERIES,
                                VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_VERTICES_BIT |
                                    VK_QUERY_PIPELINE_STATISTIC_VERTEX_SHADER_INVOCATIONS_BIT);
    c->words[0] = 1;
    c->words[1] = 2;
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = vx->family};
    VX(vx, vkCreateCommandPool(vx->device, &pool, NULL, &c->pool));
    const VkCommandBufferAllocateInfo one = {.sType =
                                                 VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                             .commandPool = c->pool,
                                             .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                             .commandBufferCount = 1};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VX(vx, vkAllocateCommandBuffers(vx->device, &one, &c->looks));
    VX(vx, vkBeginCommandBuffer(c->looks, &begin));
    copy(c, c->looks, 0, 0, QUERIES, 0);
    copy(c, c->looks, 1, 0, QUERIES, VK_QUERY_RESULT_64_BIT);
    copy(c, c->looks, 2, 1, 3, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
    vx_memory_barrier(c->looks);
    VX(vx, vkEndCommandBuffer(c->looks));
}

/* All but the last count some triangles, more in each round. */
static void count_all(struct counts *c, VkCommandBuffer commands, uint32_t number)
{
    const VkDeviceSize zero = 0;
    for (uint32_t i = 0; i < 2; i++) {
        vkCmdResetQueryPool(commands, c->pools[i], 0, QUERIES);
    }
    vx_begin_target(commands, &c->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, c->pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &c->vertices.buffer, &zero);
    for (uint32_t i = 0; i + 1 < QUERIES; i++) {
        vkCmdBeginQuery(commands, c->pools[0], i, VK_QUERY_CONTROL_PRECISE_BIT);
        vkCmdBeginQuery(commands, c->pools[1], i, 0);
        vkCmdDraw(commands, 3 * (i + number / 4), 1, 0, 0);
        vkCmdEndQuery(commands, c->pools[1], i);
        vkCmdEndQuery(commands, c->pools[0], i);
    }
    vkCmdEndRenderPass(commands);
}

static void look(struct counts *c, uint32_t number)
{
    const VkQueryResultFlags there = VK_QUERY_RESULT_WITH_AVAILABILITY_BIT,
                             part = VK_QUERY_RESULT_PARTIAL_BIT, wide = VK_QUERY_RESULT_64_BIT,
                             wait = VK_QUERY_RESULT_WAIT_BIT;
    struct vx *vx = &c->wx.vx;
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdFillBuffer(commands, c->seen.buffer, 0, VK_WHOLE_SIZE, 0x00112233);
    vx_memory_barrier(commands);
    if (number % 4 == 0) {
        count_all(c, commands, number);
    } else if (number % 4 == 3) { /* behind one that the host has reset */
        vkCmdResetQueryPool(commands, c->pools[0], 4, 1);
        vkCmdResetQueryPool(commands, c->pools[1], 4, 1);
    }
    copy(c, commands, 3, 0, QUERIES, there);
    copy(c, commands, 4, 0, QUERIES, there | wide);
    copy(c, commands, 5, 1, 3, there | wait);
    copy(c, commands, 6, 1, 3, wide | part | there);
    copy(c, commands, 7, 2, 2, wide | wait);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    const VkSubmitInfo again = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                .commandBufferCount = 1,
                                .pCommandBuffers = &c->looks};
    VX(vx, vkQueueSubmit(vx->queue, 1, &again, VK_NULL_HANDLE));
    VX(vx, vkQueueWaitIdle(vx->queue));
}

static void ask(struct counts *c)
{
    static const VkQueryResultFlags flags[] = {
        0, VK_QUERY_RESULT_64_BIT, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT,
        VK_QUERY_RESULT_WITH_AVAILABILITY_BIT};
    struct vx *vx = &c->wx.vx;
    for (uint32_t k = 0; k < 4; k++) {
        uint8_t told[PLACE / 2];
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t width = (flags[k] & VK_QUERY_RESULT_64_BIT) != 0 ? 8 : 4;
            memset(told, 0x11, sizeof told);
            VX_MAY(vx, vkGetQueryPoolResults(vx->device, c->pools[i], 0, QUERIES, sizeof told, told,
                                             (c->words[i] + 1) * width, flags[k]));
            VX(vx, vkGetQueryPoolResults(vx->device, c->pools[i], 1, 3, PLACE / 4, told + PLACE / 4,
                                         (c->words[i] + 1) * width,
                                         flags[k] | VK_QUERY_RESULT_WAIT_BIT));
            memcpy((uint8_t *)c->seen.map + (COMMANDS + k) * PLACE + i * PLACE / 2, told,
                   sizeof told);
        }
    }
}

static void frame(struct counts *c, uint32_t number)
{
    struct vx *vx = &c->wx.vx;
    uint32_t index;
    VX(vx, vkAcquireNextImageKHR(vx->device, c->wx.swapchain, UINT64_MAX, c->wx.acquired,
                                 VK_NULL_HANDLE, &index));
    if (number % 4 == 2) {
        vkResetQueryPool(vx->device, c->pools[0], 0, 1);
        vkResetQueryPool(vx->device, c->pools[1], 0, 1);
    }
    look(c, number);
    ask(c);
    wx_draw_from(&c->wx, c->wx.images[index], c->seen.buffer);
    vx_need(wx_present(&c->wx, index, NULL) == VK_SUCCESS, "a frame");
}

int main(void)
{
    struct counts c = {.words = {0}};
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .hostQueryReset = VK_TRUE};
    wx_open(&c.wx, &features);
    struct vx *vx = &c.wx.vx;
    vx_need(vx->features.occlusionQueryPrecise && vx->features.pipelineStatisticsQuery,
            "precise occlusion queries, and those of statistics");
    wx_open_surface(&c.wx);
    vx_need(wx_open_swapchain(&c.wx, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL) == VK_SUCCESS,
            "a swapchain");
    open_all(&c);
    vx_triangles(c.vertices.map, TRIANGLES, 29);
    for (uint32_t i = 0; i < FRAMES; i++) {
        frame(&c, i);
    }
    wx_sync(&c.wx);
    VX(vx, vkDeviceWaitIdle(vx->device));
    vkDestroyCommandPool(vx->device, c.pool, NULL);
    vkDestroyQueryPool(vx->device, c.pools[0], NULL);
    vkDestroyQueryPool(vx->device, c.pools[1], NULL);
    vkDestroyPipeline(vx->device, c.pipeline, NULL);
    vkDestroyPipelineLayout(vx->device, c.layout, NULL);
    vx_buffer_free(vx, &c.vertices);
    vx_buffer_free(vx, &c.seen);
    vx_target_free(vx, &c.target);
    wx_close_swapchain(&c.wx);
    wx_close(&c.wx);
    return 0;
}
