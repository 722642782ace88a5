/* Long rows of draws with nothing between them: plain and indexed, with empty ones and ones of
 * several instances among them, counted by queries; then with shaders that know which draw and
 * which primitive they are in. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "drawn_vert.h"
#include "instance_vert.h"
#include "primitive_frag.h"

#include <stdio.h>

enum { TRIANGLES = 16, INDICES = 96, DRAWS = 700 };

struct scene {
    struct vx_target target;
    struct vx_buffer vertices, instances;
    struct vx_buffer indices; /* INDICES, then as many with restarts among them */
    VkPipelineLayout layout;
    VkQueryPool queries; /* VK_NULL_HANDLE: none */
};

/* What differs from one draw to the next. */
enum {
    PLACES = 1,    /* where they begin */
    EMPTY = 2,     /* some have no vertices, among them the first */
    INSTANCES = 4, /* some have several */
    BASES = 8      /* instances begin elsewhere now and then */
};

static void draws(VkCommandBuffer commands, bool indexed, unsigned what)
{
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint32_t count = (what & EMPTY) != 0 && i % 5 == 0 ? 0 : 3 + i % 4;
        uint32_t instances = (what & INSTANCES) != 0 && i % 7 < 2 ? 2 + i % 2 : 1;
        uint32_t base = (what & BASES) != 0 ? i / 9 : 3;
        uint32_t first = (what & PLACES) != 0 ? i * 5 % 40 : 0;
        if (indexed) {
            vkCmdDrawIndexed(commands, count, instances, first, (int32_t)(first % 3) - 1, base);
        } else {
            vkCmdDraw(commands, count, instances, first, base);
        }
    }
}

static void show(struct vx *vx, struct scene *s, const char *name, VkPipeline pipeline,
                 bool restarts, bool indexed, unsigned what)
{
    const VkBuffer buffers[] = {s->vertices.buffer, s->instances.buffer};
    const VkDeviceSize offsets[] = {0, 0};
    VkCommandBuffer commands = vx_begin(vx);
    if (s->queries != VK_NULL_HANDLE) {
        vkCmdResetQueryPool(commands, s->queries, 0, 1);
    }
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindVertexBuffers(commands, 0, 2, buffers, offsets);
    vkCmdBindIndexBuffer(commands, s->indices.buffer, restarts ? INDICES * sizeof(uint16_t) : 0,
                         VK_INDEX_TYPE_UINT16);
    if (s->queries != VK_NULL_HANDLE) {
        vkCmdBeginQuery(commands, s->queries, 0, 0);
    }
    draws(commands, indexed, what);
    if (s->queries != VK_NULL_HANDLE) {
        vkCmdEndQuery(commands, s->queries, 0);
    }
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vx_show_target(vx, name, &s->target);
    if (s->queries != VK_NULL_HANDLE) {
        uint64_t counts[5] = {0};
        VX(vx,
           vkGetQueryPoolResults(vx->device, s->queries, 0, 1, sizeof counts, counts, sizeof counts,
                                 VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
        vx_show(vx, name, counts, sizeof counts);
    }
}

/* Every row with one pair of shaders. */
static void rows(struct vx *vx, struct scene *s, const char *name, struct vx_code vertex,
                 struct vx_code fragment)
{
    static const struct {
        const char *name;
        VkPrimitiveTopology topology;
        bool restarts;
    } shapes[] = {{"list", VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST, false},
                  {"strip", VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP, true},
                  {"lines", VK_PRIMITIVE_TOPOLOGY_LINE_STRIP, false}};
    static const unsigned whats[] = {0, PLACES, PLACES | EMPTY, PLACES | INSTANCES,
                                     PLACES | EMPTY | INSTANCES | BASES};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const struct vx_pipeline p = {.vertex = vertex,
                                      .fragment = fragment,
                                      .layout = s->layout,
                                      .pass = s->target.pass,
                                      .has_vertices = true,
                                      .has_instances = true,
                                      .blends = true,
                                      .topology = shapes[i].topology,
                                      .restarts = shapes[i].restarts};
        VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
        for (size_t j = 0; j < 2 * sizeof whats / sizeof whats[0]; j++) {
            char text[64];
            snprintf(text, sizeof text, "%s.%s.%s.%u", name, shapes[i].name,
                     j % 2 != 0 ? "indexed" : "plain", whats[j / 2]);
            show(vx, s, text, pipeline, shapes[i].restarts, j % 2 != 0, whats[j / 2]);
        }
        vkDestroyPipeline(vx->device, pipeline, NULL);
    }
}

static VkQueryPool make_queries(struct vx *vx)
{
    const VkQueryPipelineStatisticFlags what =
        VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_VERTICES_BIT |
        VK_QUERY_PIPELINE_STATISTIC_INPUT_ASSEMBLY_PRIMITIVES_BIT |
        VK_QUERY_PIPELINE_STATISTIC_VERTEX_SHADER_INVOCATIONS_BIT |
        VK_QUERY_PIPELINE_STATISTIC_CLIPPING_INVOCATIONS_BIT |
        VK_QUERY_PIPELINE_STATISTIC_FRAGMENT_SHADER_INVOCATIONS_BIT;
    return vx->features.pipelineStatisticsQuery
               ? vx_query_pool(vx, VK_QUERY_TYPE_PIPELINE_STATISTICS, 1, what)
               : VK_NULL_HANDLE;
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan11Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
    vx_query(&vx, &features);
    const struct vx_wants wants = {.features = &features};
    vx_open_device(&vx, &wants);
    struct scene s = {.target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM),
                      .layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0),
                      .queries = make_queries(&vx)};
    s.vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    s.instances = vx_buffer(&vx, 128 * 2 * sizeof(float), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    s.indices = vx_buffer(&vx, 2 * INDICES * sizeof(uint16_t), VK_BUFFER_USAGE_INDEX_BUFFER_BIT);
    vx_triangles(s.vertices.map, TRIANGLES, 29);
    for (uint32_t i = 0; i < 128; i++) {
        ((float *)s.instances.map)[2 * i] = (float)(i % 8) / 4 - 0.9f;
        ((float *)s.instances.map)[2 * i + 1] = (float)(i / 8 % 8) * 0.25f - 0.9f;
    }
    for (uint32_t i = 0; i < INDICES; i++) {
        uint16_t *indices = s.indices.map;
        indices[i] = (uint16_t)(1 + i * 7 % 40);
        indices[INDICES + i] = i % 17 == 4 ? UINT16_MAX : indices[i];
    }
    rows(&vx, &s, "plain", VX_CODE(instance_vert), VX_CODE(colour_frag));
    if (vx.features.geometryShader) {
        rows(&vx, &s, "primitive", VX_CODE(instance_vert), VX_CODE(primitive_frag));
    } else {
        vx_unsupported(&vx, "primitive", "no geometryShader");
    }
    if (features.shaderDrawParameters) {
        rows(&vx, &s, "drawn", VX_CODE(drawn_vert), VX_CODE(colour_frag));
    } else {
        vx_unsupported(&vx, "drawn", "no shaderDrawParameters");
    }
    vkDestroyQueryPool(vx.device, s.queries, NULL);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vx_buffer_free(&vx, &s.vertices);
    vx_buffer_free(&vx, &s.instances);
    vx_buffer_free(&vx, &s.indices);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
