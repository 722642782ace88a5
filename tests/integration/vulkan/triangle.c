/* Triangles: vertex and index buffers, blending, topologies, clears
 * inside a pass, blits. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"

#include <stdio.h>

enum { TRIANGLES = 40 };

struct scene {
    struct vx_target target;
    struct vx_buffer vertices, indices;
    VkPipelineLayout layout;
};

static VkPipeline make(struct vx *vx, const struct scene *s, VkPrimitiveTopology topology,
                       bool blends)
{
    struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                            .fragment = VX_CODE(colour_frag),
                            .layout = s->layout,
                            .pass = s->target.pass,
                            .has_vertices = true,
                            .blends = blends,
                            .topology = topology};
    return vx_graphics_pipeline(vx, &p);
}

static void bind(VkCommandBuffer commands, const struct scene *s, VkPipeline pipeline)
{
    const VkDeviceSize zero = 0;
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &s->vertices.buffer, &zero);
    vkCmdBindIndexBuffer(commands, s->indices.buffer, 0, VK_INDEX_TYPE_UINT16);
}

static void topologies(struct vx *vx, const struct scene *s)
{
    static const struct {
        const char *name;
        VkPrimitiveTopology topology;
    } all[] = {{"list", VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST},
               {"strip", VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP},
               {"fan", VK_PRIMITIVE_TOPOLOGY_TRIANGLE_FAN},
               {"line-list", VK_PRIMITIVE_TOPOLOGY_LINE_LIST},
               {"line-strip", VK_PRIMITIVE_TOPOLOGY_LINE_STRIP}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (int indexed = 0; indexed < 2; indexed++) {
            VkPipeline pipeline = make(vx, s, all[i].topology, indexed != 0);
            VkCommandBuffer commands = vx_begin(vx);
            vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
            bind(commands, s, pipeline);
            if (indexed) {
                vkCmdDrawIndexed(commands, 3 * TRIANGLES, 1, 0, 0, 0);
            } else {
                vkCmdDraw(commands, 3 * TRIANGLES, 1, 0, 0);
            }
            vkCmdEndRenderPass(commands);
            vx_submit(vx, commands);
            vkDestroyPipeline(vx->device, pipeline, NULL);
            char name[64];
            snprintf(name, sizeof name, "%s.%s", all[i].name, indexed ? "indexed" : "plain");
            vx_show_target(vx, name, &s->target);
        }
    }
}

static void many_draws(struct vx *vx, const struct scene *s)
{
    VkPipeline pipelines[2] = {make(vx, s, VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST, false),
                               make(vx, s, VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST, true)};
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    for (uint32_t i = 0; i < 2000; i++) {
        if (i % 10 == 0) {
            bind(commands, s, pipelines[i / 10 % 2]);
        }
        vkCmdDrawIndexed(commands, 3, 1, i % TRIANGLES * 3, 0, 0);
        if (i % 500 == 250) {
            VkClearAttachment clear = {VK_IMAGE_ASPECT_COLOR_BIT, 0, {{{0, 1, 0, 0.5f}}}};
            VkClearRect area = {{{(int32_t)i % 40, 8}, {16, 12}}, 0, 1};
            vkCmdClearAttachments(commands, 1, &clear, 1, &area);
        }
    }
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vx_show_target(vx, "draws.2000", &s->target);
    vkDestroyPipeline(vx->device, pipelines[0], NULL);
    vkDestroyPipeline(vx->device, pipelines[1], NULL);
}

static void blits(struct vx *vx, const struct scene *s)
{
    VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_B8G8R8A8_UNORM,
                      VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    struct vx_image to = vx_image(vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    static const VkClearColorValue grey = {.float32 = {0.5f, 0.5f, 0.5f, 1}};
    static const VkImageSubresourceRange all = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    const VkImageBlit blit = {.srcSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                              .srcOffsets = {{0, 0, 0}, {VX_SIDE, VX_SIDE, 1}},
                              .dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                              .dstOffsets = {{50, 60, 0}, {10, 5, 1}}};
    VkCommandBuffer commands = vx_begin(vx);
    vx_barrier(commands, &to, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdClearColorImage(commands, to.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &grey, 1, &all);
    vx_memory_barrier(commands);
    vkCmdBlitImage(commands, s->target.image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, to.image,
                   VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &blit, VK_FILTER_LINEAR);
    vx_submit(vx, commands);
    vx_show_image(vx, "blit", &to, VK_IMAGE_ASPECT_COLOR_BIT, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                  4);
    vx_image_free(vx, &to);
}

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct scene s = {.target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM),
                      .layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0)};
    s.vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    s.indices = vx_buffer(&vx, 3 * TRIANGLES * sizeof(uint16_t), VK_BUFFER_USAGE_INDEX_BUFFER_BIT);
    vx_triangles(s.vertices.map, TRIANGLES, 1);
    for (uint32_t i = 0; i < 3 * TRIANGLES; i++) {
        ((uint16_t *)s.indices.map)[i] = (uint16_t)(i * 7 % (3 * TRIANGLES));
    }
    topologies(&vx, &s);
    many_draws(&vx, &s);
    blits(&vx, &s);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vx_buffer_free(&vx, &s.vertices);
    vx_buffer_free(&vx, &s.indices);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
