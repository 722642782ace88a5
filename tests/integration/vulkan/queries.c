/* Queries: occlusion, statistics, timestamps (their order only); read by the host, copied by a
 * command, reset by both. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"

#include <string.h>

enum { TRIANGLES = 12, QUERIES = 4 };

struct scene {
    struct vx_target target;
    struct vx_buffer vertices, copied;
    VkPipelineLayout layout;
    VkPipeline pipeline;
};

/* Draws with each query but the last around some triangles. words: 64-bit ones of a query. */
static void counted(struct vx *vx, struct scene *s, const char *name, VkQueryPool pool,
                    uint32_t words, VkQueryControlFlags control)
{
    const VkDeviceSize zero = 0, stride = (words + 1) * 8;
    uint64_t results[QUERIES * 16];
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdResetQueryPool(commands, pool, 0, QUERIES);
    vkCmdFillBuffer(commands, s->copied.buffer, 0, VK_WHOLE_SIZE, 0);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &s->vertices.buffer, &zero);
    for (uint32_t i = 0; i + 1 < QUERIES; i++) {
        vkCmdBeginQuery(commands, pool, i, control);
        vkCmdDraw(commands, 9 * i, 1, 3 * i, 0);
        vkCmdEndQuery(commands, pool, i);
    }
    vkCmdEndRenderPass(commands);
    vkCmdCopyQueryPoolResults(commands, pool, 0, QUERIES - 1, s->copied.buffer, 0, stride,
                              VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT |
                                  VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    vx_show(vx, name, s->copied.map, s->copied.size);
    memset(results, 0, sizeof results);
    VX(vx, vkGetQueryPoolResults(vx->device, pool, 0, QUERIES - 1, sizeof results, results, stride,
                                 VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT |
                                     VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
    vx_show(vx, name, results, sizeof results);
    memset(results, 0, sizeof results); /* the last was never begun: NOT_READY, with availability */
    VX_MAY(vx,
           vkGetQueryPoolResults(vx->device, pool, 0, QUERIES, sizeof results, results, stride,
                                 VK_QUERY_RESULT_WITH_AVAILABILITY_BIT | VK_QUERY_RESULT_64_BIT));
    vx_show_text(vx, name, "last available %llu",
                 (unsigned long long)results[(QUERIES - 1) * (words + 1) + words]);
    vkResetQueryPool(vx->device, pool, 0, QUERIES);
    VX_MAY(vx, vkGetQueryPoolResults(vx->device, pool, 0, 1, sizeof results, results, stride,
                                     VK_QUERY_RESULT_64_BIT));
    vx_show_text(vx, name, "reset");
    vkDestroyQueryPool(vx->device, pool, NULL);
}

static void timestamps(struct vx *vx, struct scene *s)
{
    VkQueryPool pool = vx_query_pool(vx, VK_QUERY_TYPE_TIMESTAMP, QUERIES, 0);
    uint64_t times[QUERIES] = {0};
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdResetQueryPool(commands, pool, 0, QUERIES);
    vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, pool, 0);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdEndRenderPass(commands);
    for (uint32_t i = 1; i < QUERIES; i++) {
        vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, i);
    }
    vx_submit(vx, commands);
    VX(vx, vkGetQueryPoolResults(vx->device, pool, 0, QUERIES, sizeof times, times, 8,
                                 VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
    bool rising = times[0] > 0;
    for (int i = 1; i < QUERIES; i++) {
        rising = rising && times[i] >= times[i - 1];
    }
    vx_show_text(vx, "timestamps", "%s", rising ? "rising" : "not rising");
    vkDestroyQueryPool(vx->device, pool, NULL);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    vx_query(&vx, &features);
    vx_need(features.hostQueryReset, "the feature hostQueryReset");
    const struct vx_wants wants = {.features = &features};
    vx_open_device(&vx, &wants);
    struct scene s = {.target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM),
                      .layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0)};
    s.vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    s.copied = vx_buffer(&vx, QUERIES * 16 * 8, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    vx_triangles(s.vertices.map, TRIANGLES, 29);
    const struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = s.layout,
                                  .pass = s.target.pass,
                                  .has_vertices = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    s.pipeline = vx_graphics_pipeline(&vx, &p);
    if (vx.features.occlusionQueryPrecise) {
        counted(&vx, &s, "occlusion", vx_query_pool(&vx, VK_QUERY_TYPE_OCCLUSION, QUERIES, 0), 1,
                VK_QUERY_CONTROL_PRECISE_BIT);
    }
    if (vx.features.pipelineStatisticsQuery) {
        const VkQueryPipelineStatisticFlags some =
            VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_VERTICES_BIT |
            VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_PRIMITIVES_BIT |
            VK_QUERY_PIPELINE_STATISTIC_VERTEX_SHADER_INVOCATIONS_BIT |
            VK_QUERY_PIPELINE_STATISTIC_CLIPPING_INVOCATIONS_BIT;
        counted(&vx, &s, "statistics",
                vx_query_pool(&vx, VK_QUERY_TYPE_PIPELINE_STATISTICS, QUERIES, some), 4, 0);
    }
    timestamps(&vx, &s);
    vkDestroyPipeline(vx.device, s.pipeline, NULL);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vx_buffer_free(&vx, &s.vertices);
    vx_buffer_free(&vx, &s.copied);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
