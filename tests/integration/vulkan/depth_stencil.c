/* Depth and stencil: every compare operation, every stencil operation, both
 * aspects read back, clears of the image. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "depth_vert.h"

#include <stdio.h>

enum { TRIANGLES = 30 };

struct scene {
    struct vx_image colour, depth;
    VkRenderPass pass;
    VkFramebuffer framebuffer;
    VkPipelineLayout layout;
    struct vx_buffer vertices;
};

static void make_pass(struct vx *vx, struct scene *s)
{
    const VkAttachmentDescription attachments[] = {
        {.format = s->colour.format,
         .samples = VK_SAMPLE_COUNT_1_BIT,
         .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
         .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
         .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL},
        {.format = s->depth.format,
         .samples = VK_SAMPLE_COUNT_1_BIT,
         .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
         .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
         .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
         .stencilStoreOp = VK_ATTACHMENT_STORE_OP_STORE,
         .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL},
    };
    const VkImageView views[] = {s->colour.view, s->depth.view};
    vx_pass_of_two(vx, attachments, VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL, views,
                   &s->pass, &s->framebuffer);
}

static void show(struct vx *vx, const struct scene *s, const char *name)
{
    char text[80];
    snprintf(text, sizeof text, "%s.colour", name);
    vx_show_image(vx, text, &s->colour, VK_IMAGE_ASPECT_COLOR_BIT,
                  VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 4);
    snprintf(text, sizeof text, "%s.depth", name);
    vx_show_image(vx, text, &s->depth, VK_IMAGE_ASPECT_DEPTH_BIT,
                  VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                  s->depth.format == VK_FORMAT_D16_UNORM ? 2 : 4);
    if ((s->depth.aspect & VK_IMAGE_ASPECT_STENCIL_BIT) != 0) {
        snprintf(text, sizeof text, "%s.stencil", name);
        vx_show_image(vx, text, &s->depth, VK_IMAGE_ASPECT_STENCIL_BIT,
                      VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 1);
    }
}

static void draw(struct vx *vx, const struct scene *s, VkCompareOp compare, VkStencilOp operation,
                 bool bounds)
{
    const VkStencilOpState stencil = {.failOp = operation,
                                      .passOp = VK_STENCIL_OP_INCREMENT_AND_WRAP,
                                      .depthFailOp = VK_STENCIL_OP_REPLACE,
                                      .compareOp = VK_COMPARE_OP_GREATER_OR_EQUAL,
                                      .compareMask = 0x7f,
                                      .writeMask = 0xff,
                                      .reference = 5};
    const VkPipelineDepthStencilStateCreateInfo state = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO,
        .depthTestEnable = VK_TRUE,
        .depthWriteEnable = VK_TRUE,
        .depthCompareOp = compare,
        .depthBoundsTestEnable = bounds,
        .stencilTestEnable = (s->depth.aspect & VK_IMAGE_ASPECT_STENCIL_BIT) != 0,
        .front = stencil,
        .back = stencil,
        .minDepthBounds = 0.1f,
        .maxDepthBounds = 0.9f,
    };
    const struct vx_pipeline p = {.vertex = VX_CODE(depth_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = s->layout,
                                  .pass = s->pass,
                                  .depth_stencil = &state,
                                  .has_vertices = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    const VkClearValue clears[2] = {{.color = {.float32 = {0, 0, 0, 1}}},
                                    {.depthStencil = {0.5f, 4}}};
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = s->pass,
                                         .framebuffer = s->framebuffer,
                                         .renderArea = {{0, 0}, {VX_SIDE, VX_SIDE}},
                                         .clearValueCount = 2,
                                         .pClearValues = clears};
    const VkDeviceSize zero = 0;
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &s->vertices.buffer, &zero);
    vkCmdDraw(commands, 3 * TRIANGLES, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    char name[64];
    snprintf(name, sizeof name, "format%d.compare%d.stencil%d.bounds%d", (int)s->depth.format,
             (int)compare, (int)operation, bounds);
    show(vx, s, name);
}

static void clear_image(struct vx *vx, const struct scene *s)
{
    const VkClearDepthStencilValue value = {0.25f, 77};
    const VkImageSubresourceRange all = {s->depth.aspect, 0, 1, 0, 1};
    VkCommandBuffer commands = vx_begin(vx);
    vx_barrier(commands, &s->depth, VK_IMAGE_LAYOUT_UNDEFINED,
               VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdClearDepthStencilImage(commands, s->depth.image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                                &value, 1, &all);
    vx_barrier(commands, &s->depth, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    vx_submit(vx, commands);
    char name[64];
    snprintf(name, sizeof name, "format%d.clear", (int)s->depth.format);
    show(vx, s, name);
}

static void show_format(struct vx *vx, VkFormat format, VkImageAspectFlags aspect)
{
    const VkImageUsageFlags usage =
        VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    struct scene s = {.layout = vx_pipeline_layout(vx, VK_NULL_HANDLE, 0, 0)};
    VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | usage);
    s.colour = vx_image(vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    info = vx_image_info(format, VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT | usage);
    s.depth = vx_image(vx, &info, aspect);
    s.vertices =
        vx_buffer(vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    vx_triangles(s.vertices.map, TRIANGLES, 11);
    make_pass(vx, &s);
    for (int compare = VK_COMPARE_OP_NEVER; compare <= VK_COMPARE_OP_ALWAYS; compare++) {
        draw(vx, &s, (VkCompareOp)compare, VK_STENCIL_OP_KEEP, false);
    }
    for (int operation = VK_STENCIL_OP_ZERO; operation <= VK_STENCIL_OP_DECREMENT_AND_WRAP;
         operation++) {
        draw(vx, &s, VK_COMPARE_OP_LESS, (VkStencilOp)operation,
             operation % 2 == 0 && vx->features.depthBounds);
    }
    clear_image(vx, &s);
    vkDestroyFramebuffer(vx->device, s.framebuffer, NULL);
    vkDestroyRenderPass(vx->device, s.pass, NULL);
    vkDestroyPipelineLayout(vx->device, s.layout, NULL);
    vx_buffer_free(vx, &s.vertices);
    vx_image_free(vx, &s.colour);
    vx_image_free(vx, &s.depth);
}

int main(void)
{
    static const struct {
        VkFormat format;
        VkImageAspectFlags aspect;
    } formats[] = {
        {VK_FORMAT_D16_UNORM, VK_IMAGE_ASPECT_DEPTH_BIT},
        {VK_FORMAT_D32_SFLOAT, VK_IMAGE_ASPECT_DEPTH_BIT},
        {VK_FORMAT_D24_UNORM_S8_UINT, VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT},
        {VK_FORMAT_D32_SFLOAT_S8_UINT, VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT},
    };
    struct vx vx;
    vx_open(&vx, NULL);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        VkFormatProperties can;
        vkGetPhysicalDeviceFormatProperties(vx.physical, formats[i].format, &can);
        if ((can.optimalTilingFeatures & VK_FORMAT_FEATURE_DEPTH_STENCIL_ATTACHMENT_BIT) != 0) {
            show_format(&vx, formats[i].format, formats[i].aspect);
        } else {
            vx_unsupported(&vx, i == 2 ? "D24S8" : "format", "no attachment here");
        }
    }
    vx_close(&vx);
    return 0;
}
