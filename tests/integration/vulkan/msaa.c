/* Multisampling: every sample count the target can, resolved in the pass, with and without shading
 * per sample, and resolved by a command. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"
#include "samples_frag.h"

#include <stdio.h>

enum { TRIANGLES = 24 };

struct scene {
    struct vx_image many, one;
    VkRenderPass pass;
    VkFramebuffer framebuffer;
    VkSampleCountFlagBits samples;
};

static void make_pass(struct vx *vx, struct scene *s)
{
    const VkAttachmentDescription attachments[] = {
        {.format = VK_FORMAT_R8G8B8A8_UNORM,
         .samples = s->samples,
         .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
         .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
         .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL},
        {.format = VK_FORMAT_R8G8B8A8_UNORM,
         .samples = VK_SAMPLE_COUNT_1_BIT,
         .loadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
         .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
         .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL},
    };
    const VkImageView views[] = {s->many.view, s->one.view};
    vx_pass_of_two(vx, attachments, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, views, &s->pass,
                   &s->framebuffer);
}

static void draw(struct vx *vx, struct scene *s, struct vx_code fragment, VkPipelineLayout layout,
                 const struct vx_buffer *vertices, bool per_sample)
{
    struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                            .fragment = fragment,
                            .layout = layout,
                            .pass = s->pass,
                            .samples = s->samples,
                            .sample_shading = per_sample,
                            .has_vertices = true,
                            .blends = true,
                            .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    const VkClearValue clears[2] = {{.color = {.float32 = {0.2f, 0.1f, 0, 1}}}};
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
    vkCmdBindVertexBuffers(commands, 0, 1, &vertices->buffer, &zero);
    vkCmdDraw(commands, 3 * TRIANGLES, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    char name[64];
    snprintf(name, sizeof name, "%dx.%s", (int)s->samples, per_sample ? "samples" : "pixels");
    vx_show_image(vx, name, &s->one, VK_IMAGE_ASPECT_COLOR_BIT,
                  VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 4);
}

static void resolve_by_command(struct vx *vx, struct scene *s)
{
    const VkImageResolve area = {.srcSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                 .srcOffset = {8, 0, 0},
                                 .dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                 .dstOffset = {0, 16, 0},
                                 .extent = {40, 32, 1}};
    VkCommandBuffer commands = vx_begin(vx);
    vx_barrier(commands, &s->one, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL);
    vkCmdResolveImage(commands, s->many.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, s->one.image,
                      VK_IMAGE_LAYOUT_GENERAL, 1, &area);
    vx_submit(vx, commands);
    vx_show_image(vx, "resolve", &s->one, VK_IMAGE_ASPECT_COLOR_BIT, VK_IMAGE_LAYOUT_GENERAL, 4);
}

static void show(struct vx *vx, VkSampleCountFlagBits samples, const struct vx_buffer *vertices,
                 VkPipelineLayout layout)
{
    struct scene s = {.samples = samples};
    VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                                    VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                                    VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    s.one = vx_image(vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    info.samples = samples;
    s.many = vx_image(vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    make_pass(vx, &s);
    draw(vx, &s, VX_CODE(colour_frag), layout, vertices, false);
    if (vx->features.sampleRateShading) {
        draw(vx, &s, VX_CODE(samples_frag), layout, vertices, true);
    }
    resolve_by_command(vx, &s);
    vkDestroyFramebuffer(vx->device, s.framebuffer, NULL);
    vkDestroyRenderPass(vx->device, s.pass, NULL);
    vx_image_free(vx, &s.one);
    vx_image_free(vx, &s.many);
}

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct vx_buffer vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    vx_triangles(vertices.map, TRIANGLES, 3);
    VkPipelineLayout layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0);
    VkSampleCountFlags counts = vx.properties.limits.framebufferColorSampleCounts;
    for (uint32_t samples = 2; samples <= 16; samples *= 2) {
        if ((counts & samples) != 0) {
            show(&vx, (VkSampleCountFlagBits)samples, &vertices, layout);
        }
    }
    vx_show(&vx, "counts", &counts, sizeof counts);
    vkDestroyPipelineLayout(vx.device, layout, NULL);
    vx_buffer_free(&vx, &vertices);
    vx_close(&vx);
    return 0;
}
