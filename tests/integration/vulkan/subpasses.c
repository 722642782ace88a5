/* Several subpasses: two attachments drawn, read as input attachments by the second subpass, drawn
 * over by the third; by vkCmdBeginRenderPass and by vkCmdBeginRenderPass2. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"
#include "input_frag.h"
#include "quad_vert.h"
#include "targets_frag.h"

enum { TRIANGLES = 20 };

struct scene {
    struct vx_image images[3]; /* albedo, normal, result */
    VkRenderPass pass;
    VkFramebuffer framebuffer;
    VkPipelineLayout plain, reading;
    VkPipeline pipelines[3];
    VkDescriptorSetLayout set_layout;
    VkDescriptorPool pool;
    VkDescriptorSet set;
    struct vx_buffer vertices;
};

static void make_pass(struct vx *vx, struct scene *s)
{
    VkAttachmentDescription2 attachments[3];
    for (int i = 0; i < 3; i++) {
        attachments[i] = (VkAttachmentDescription2){
            .sType = VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_2,
            .format = s->images[i].format,
            .samples = VK_SAMPLE_COUNT_1_BIT,
            .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
            .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
            .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
        };
    }
#define REFERENCE(index, where)                                                                    \
    {                                                                                              \
        .sType = VK_STRUCTURE_TYPE_ATTACHMENT_REFERENCE_2, .attachment = (index),                  \
        .layout = (where), .aspectMask = VK_IMAGE_ASPECT_COLOR_BIT                                 \
    }
    const VkAttachmentReference2 targets[] = {
        REFERENCE(0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL),
        REFERENCE(1, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL)};
    const VkAttachmentReference2 inputs[] = {
        REFERENCE(0, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL),
        REFERENCE(1, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL)};
    const VkAttachmentReference2 result[] = {
        REFERENCE(2, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL)};
    const uint32_t kept[] = {0, 1};
    const VkSubpassDescription2 subpasses[] = {
        {.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
         .colorAttachmentCount = 2,
         .pColorAttachments = targets},
        {.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
         .inputAttachmentCount = 2,
         .pInputAttachments = inputs,
         .colorAttachmentCount = 1,
         .pColorAttachments = result},
        {.sType = VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_2,
         .colorAttachmentCount = 1,
         .pColorAttachments = result,
         .preserveAttachmentCount = 2,
         .pPreserveAttachments = kept},
    };
    VkSubpassDependency2 dependencies[2];
    for (uint32_t i = 0; i < 2; i++) {
        dependencies[i] = (VkSubpassDependency2){
            .sType = VK_STRUCTURE_TYPE_SUBPASS_DEPENDENCY_2,
            .srcSubpass = i,
            .dstSubpass = i + 1,
            .srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
            .dstStageMask = VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT |
                            VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
            .srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
            .dstAccessMask =
                VK_ACCESS_INPUT_ATTACHMENT_READ_BIT | VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
            .dependencyFlags = VK_DEPENDENCY_BY_REGION_BIT,
        };
    }
    const VkRenderPassCreateInfo2 info = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO_2,
                                          .attachmentCount = 3,
                                          .pAttachments = attachments,
                                          .subpassCount = 3,
                                          .pSubpasses = subpasses,
                                          .dependencyCount = 2,
                                          .pDependencies = dependencies};
    VX(vx, vkCreateRenderPass2(vx->device, &info, NULL, &s->pass));
    const VkImageView views[] = {s->images[0].view, s->images[1].view, s->images[2].view};
    const VkFramebufferCreateInfo framebuffer = {.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                                 .renderPass = s->pass,
                                                 .attachmentCount = 3,
                                                 .pAttachments = views,
                                                 .width = VX_SIDE,
                                                 .height = VX_SIDE,
                                                 .layers = 1};
    VX(vx, vkCreateFramebuffer(vx->device, &framebuffer, NULL, &s->framebuffer));
}

static void make_pipelines(struct vx *vx, struct scene *s)
{
    s->set_layout = vx_set_layout(vx, "aa");
    s->pool = vx_descriptor_pool(vx, 1);
    s->set = vx_set(vx, s->pool, s->set_layout);
    for (uint32_t i = 0; i < 2; i++) {
        vx_write_image(vx, s->set, i, VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT, &s->images[i],
                       VK_NULL_HANDLE, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    }
    s->plain = vx_pipeline_layout(vx, VK_NULL_HANDLE, 0, 0);
    s->reading = vx_pipeline_layout(vx, s->set_layout, 0, 0);
    struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                            .fragment = VX_CODE(targets_frag),
                            .layout = s->plain,
                            .pass = s->pass,
                            .has_vertices = true,
                            .colours = 2,
                            .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    s->pipelines[0] = vx_graphics_pipeline(vx, &p);
    p.vertex = VX_CODE(quad_vert);
    p.fragment = VX_CODE(input_frag);
    p.layout = s->reading;
    p.has_vertices = false;
    p.colours = 1;
    p.subpass = 1;
    s->pipelines[1] = vx_graphics_pipeline(vx, &p);
    p.vertex = VX_CODE(colour_vert);
    p.fragment = VX_CODE(colour_frag);
    p.layout = s->plain;
    p.has_vertices = true;
    p.blends = true;
    p.subpass = 2;
    s->pipelines[2] = vx_graphics_pipeline(vx, &p);
}

static void begin_or_next(VkCommandBuffer commands, const struct scene *s, int subpass, bool second)
{
    static const VkClearValue clears[3] = {{.color = {.float32 = {0, 0, 0.25f, 1}}},
                                           {.color = {.float32 = {0.5f, 0.5f, 1, 1}}},
                                           {.color = {.float32 = {1, 0, 0, 1}}}};
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = s->pass,
                                         .framebuffer = s->framebuffer,
                                         .renderArea = {{0, 0}, {VX_SIDE, VX_SIDE}},
                                         .clearValueCount = 3,
                                         .pClearValues = clears};
    const VkSubpassBeginInfo inside = {.sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO};
    const VkSubpassEndInfo end = {.sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO};
    if (subpass == 0 && second) {
        vkCmdBeginRenderPass2(commands, &begin, &inside);
    } else if (subpass == 0) {
        vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
    } else if (second) {
        vkCmdNextSubpass2(commands, &inside, &end);
    } else {
        vkCmdNextSubpass(commands, VK_SUBPASS_CONTENTS_INLINE);
    }
}

static void draw(struct vx *vx, const struct scene *s, bool second)
{
    const VkDeviceSize zero = 0;
    const VkSubpassEndInfo end = {.sType = VK_STRUCTURE_TYPE_SUBPASS_END_INFO};
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdBindVertexBuffers(commands, 0, 1, &s->vertices.buffer, &zero);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->reading, 0, 1, &s->set, 0,
                            NULL);
    for (int subpass = 0; subpass < 3; subpass++) {
        begin_or_next(commands, s, subpass, second);
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipelines[subpass]);
        vkCmdDraw(commands, subpass == 0 ? 3 * TRIANGLES : subpass == 1 ? 3 : 9, 1, 0, 0);
    }
    if (second) {
        vkCmdEndRenderPass2(commands, &end);
    } else {
        vkCmdEndRenderPass(commands);
    }
    vx_submit(vx, commands);
    static const char *const names[2][3] = {{"albedo", "normal", "result"},
                                            {"albedo.2", "normal.2", "result.2"}};
    for (int i = 0; i < 3; i++) {
        vx_show_image(vx, names[second][i], &s->images[i], VK_IMAGE_ASPECT_COLOR_BIT,
                      VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, i == 1 ? 8 : 4);
    }
}

int main(void)
{
    struct vx vx;
    struct scene s;
    vx_open(&vx, NULL);
    for (int i = 0; i < 3; i++) {
        VkImageCreateInfo info = vx_image_info(
            i == 1 ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_R8G8B8A8_UNORM,
            VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT |
                VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
        s.images[i] = vx_image(&vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    }
    s.vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    vx_triangles(s.vertices.map, TRIANGLES, 5);
    make_pass(&vx, &s);
    make_pipelines(&vx, &s);
    draw(&vx, &s, false);
    draw(&vx, &s, true);
    for (int i = 0; i < 3; i++) {
        vkDestroyPipeline(vx.device, s.pipelines[i], NULL);
    }
    vkDestroyPipelineLayout(vx.device, s.plain, NULL);
    vkDestroyPipelineLayout(vx.device, s.reading, NULL);
    vkDestroyDescriptorPool(vx.device, s.pool, NULL);
    vkDestroyDescriptorSetLayout(vx.device, s.set_layout, NULL);
    vkDestroyFramebuffer(vx.device, s.framebuffer, NULL);
    vkDestroyRenderPass(vx.device, s.pass, NULL);
    for (int i = 0; i < 3; i++) {
        vx_image_free(&vx, &s.images[i]);
    }
    vx_buffer_free(&vx, &s.vertices);
    vx_close(&vx);
    return 0;
}
