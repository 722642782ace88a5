/* Indirect draws: plain and indexed, many at once, with a count in a buffer, with arguments that a
 * command wrote just before; and many draws of one call, scattered in the program's memory. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "instance_vert.h"

#include <string.h>

enum { TRIANGLES = 16, DRAWS = 12, STRIDE = 32 };

struct scene {
    struct vx_target target;
    struct vx_buffer vertices, instances, indices, arguments, count;
    VkPipelineLayout layout;
    VkPipeline pipeline;
};

static void fill(struct scene *s, bool indexed)
{
    memset(s->arguments.map, 0, s->arguments.size);
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint8_t *at = (uint8_t *)s->arguments.map + (size_t)i * STRIDE;
        if (indexed) {
            *(VkDrawIndexedIndirectCommand *)(void *)at =
                (VkDrawIndexedIndirectCommand){.indexCount = 9,
                                               .instanceCount = 1 + i % 4,
                                               .firstIndex = i,
                                               .vertexOffset = 3,
                                               .firstInstance = i * 5};
        } else {
            *(VkDrawIndirectCommand *)(void *)at =
                (VkDrawIndirectCommand){.vertexCount = 3 + 3 * (i % 5),
                                        .instanceCount = 1 + i % 3,
                                        .firstVertex = 3 * i,
                                        .firstInstance = i * 5};
        }
    }
}

/* how: 0 one by one, 1 all at once, 2 with a count, 3 at once with rewritten arguments. */
static void draw(struct vx *vx, struct scene *s, const char *name, bool indexed, int how)
{
    static const uint32_t rewritten[2] = {6, 4}; /* the first draw's count and instances */
    const VkBuffer buffers[] = {s->vertices.buffer, s->instances.buffer};
    const VkDeviceSize offsets[] = {0, 0};
    const VkBuffer arguments = s->arguments.buffer;
    fill(s, indexed);
    VkCommandBuffer commands = vx_begin(vx);
    if (how == 3) {
        vkCmdUpdateBuffer(commands, arguments, 0, sizeof rewritten, rewritten);
        vx_memory_barrier(commands);
    }
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vkCmdBindVertexBuffers(commands, 0, 2, buffers, offsets);
    vkCmdBindIndexBuffer(commands, s->indices.buffer, 0, VK_INDEX_TYPE_UINT32);
    if (how == 2 && indexed) {
        vkCmdDrawIndexedIndirectCount(commands, arguments, 0, s->count.buffer, 4, DRAWS, STRIDE);
    } else if (how == 2) {
        vkCmdDrawIndirectCount(commands, arguments, 0, s->count.buffer, 4, DRAWS, STRIDE);
    } else {
        uint32_t at_once = how == 0 ? 1 : DRAWS;
        for (uint32_t i = 0; i < DRAWS; i += at_once) {
            if (indexed) {
                vkCmdDrawIndexedIndirect(commands, arguments, i * STRIDE, at_once, STRIDE);
            } else {
                vkCmdDrawIndirect(commands, arguments, i * STRIDE, at_once, STRIDE);
            }
        }
    }
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vx_show_target(vx, name, &s->target);
}

/* Draws that lie between other things of the program's. */
static void multi(struct vx *vx, struct scene *s, const char *name, bool indexed)
{
    PFN_vkCmdDrawMultiEXT draw_multi =
        (PFN_vkCmdDrawMultiEXT)vkGetDeviceProcAddr(vx->device, "vkCmdDrawMultiEXT");
    PFN_vkCmdDrawMultiIndexedEXT draw_multi_indexed =
        (PFN_vkCmdDrawMultiIndexedEXT)vkGetDeviceProcAddr(vx->device, "vkCmdDrawMultiIndexedEXT");
    const VkBuffer buffers[] = {s->vertices.buffer, s->instances.buffer};
    const VkDeviceSize offsets[] = {0, 0};
    struct {
        VkMultiDrawInfoEXT draw;
        uint32_t own[3];
    } draws[DRAWS];
    struct {
        VkMultiDrawIndexedInfoEXT draw;
        uint32_t own[2];
    } indexed_draws[DRAWS];
    memset(draws, 0xff, sizeof draws);
    memset(indexed_draws, 0xff, sizeof indexed_draws);
    for (uint32_t i = 0; i < DRAWS; i++) {
        draws[i].draw = (VkMultiDrawInfoEXT){.firstVertex = 3 * i, .vertexCount = 3};
        indexed_draws[i].draw =
            (VkMultiDrawIndexedInfoEXT){.firstIndex = i, .indexCount = 6, .vertexOffset = 3};
    }
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vkCmdBindVertexBuffers(commands, 0, 2, buffers, offsets);
    vkCmdBindIndexBuffer(commands, s->indices.buffer, 0, VK_INDEX_TYPE_UINT32);
    if (indexed) {
        draw_multi_indexed(commands, DRAWS, &indexed_draws[0].draw, 2, 7, sizeof indexed_draws[0],
                           NULL);
    } else {
        draw_multi(commands, DRAWS, &draws[0].draw, 3, 5, sizeof draws[0]);
    }
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vx_show_target(vx, name, &s->target);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    vx_query(&vx, &features);
    VkPhysicalDeviceMultiDrawFeaturesEXT multi_draw = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTI_DRAW_FEATURES_EXT,
        .multiDraw = vx_has_extension(&vx, VK_EXT_MULTI_DRAW_EXTENSION_NAME)};
    if (multi_draw.multiDraw) {
        features.pNext = &multi_draw;
    }
    const struct vx_wants wants = {.features = &features,
                                   .extensions = {VK_EXT_MULTI_DRAW_EXTENSION_NAME}};
    vx_open_device(&vx, &wants);
    struct scene s = {.target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM),
                      .layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0)};
    const VkBufferUsageFlags written =
        VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    s.vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    s.instances = vx_buffer(&vx, 64 * 2 * sizeof(float), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    s.indices = vx_buffer(&vx, 64 * sizeof(uint32_t), VK_BUFFER_USAGE_INDEX_BUFFER_BIT);
    s.arguments = vx_buffer(&vx, DRAWS * STRIDE, written);
    s.count = vx_buffer(&vx, 16, written);
    vx_triangles(s.vertices.map, TRIANGLES, 23);
    for (uint32_t i = 0; i < 64; i++) {
        ((float *)s.instances.map)[2 * i] = (float)(i % 8) / 4 - 0.9f;
        ((float *)s.instances.map)[2 * i + 1] = (float)(i / 8 % 8) * 0.25f - 0.9f;
        ((uint32_t *)s.indices.map)[i] = i * 5 % 40;
    }
    ((uint32_t *)s.count.map)[1] = 7;
    const struct vx_pipeline p = {.vertex = VX_CODE(instance_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = s.layout,
                                  .pass = s.target.pass,
                                  .has_vertices = true,
                                  .has_instances = true,
                                  .blends = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    s.pipeline = vx_graphics_pipeline(&vx, &p);
    static const char *const names[2][4] = {
        {"plain.single", "plain.many", "plain.count", "plain.rewritten"},
        {"indexed.single", "indexed.many", "indexed.count", "indexed.rewritten"}};
    for (int indexed = 0; indexed < 2; indexed++) {
        for (int how = 0; how < 4; how++) {
            if (how == 2 && !features.drawIndirectCount) {
                vx_unsupported(&vx, names[indexed][how], "no drawIndirectCount");
            } else if (how > 0 && !vx.features.multiDrawIndirect) {
                vx_unsupported(&vx, names[indexed][how], "no multiDrawIndirect");
            } else {
                draw(&vx, &s, names[indexed][how], indexed != 0, how);
            }
        }
    }
    for (int indexed = 0; indexed < 2; indexed++) {
        const char *name = indexed ? "indexed.multi" : "plain.multi";
        if (multi_draw.multiDraw) {
            multi(&vx, &s, name, indexed != 0);
        } else {
            vx_unsupported(&vx, name, "no VK_EXT_multi_draw");
        }
    }
    vkDestroyPipeline(vx.device, s.pipeline, NULL);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vx_buffer_free(&vx, &s.vertices);
    vx_buffer_free(&vx, &s.instances);
    vx_buffer_free(&vx, &s.indices);
    vx_buffer_free(&vx, &s.arguments);
    vx_buffer_free(&vx, &s.count);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
