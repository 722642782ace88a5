/* Dynamic rendering: no pass objects; suspended and resumed, resolves, depth,
 * synchronization2 barriers. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"
#include "depth_vert.h"

enum { TRIANGLES = 20 };

struct scene {
    struct vx_image colour, many, depth;
    struct vx_buffer vertices;
    VkPipelineLayout layout;
};

static VkPipeline make(struct vx *vx, const struct scene *s, VkSampleCountFlagBits samples,
                       bool depth)
{
    const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
    const VkPipelineRenderingCreateInfo formats = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
        .colorAttachmentCount = 1,
        .pColorAttachmentFormats = &format,
        .depthAttachmentFormat = depth ? VK_FORMAT_D32_SFLOAT : VK_FORMAT_UNDEFINED,
    };
    const VkPipelineDepthStencilStateCreateInfo state = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO,
        .depthTestEnable = VK_TRUE,
        .depthWriteEnable = VK_TRUE,
        .depthCompareOp = VK_COMPARE_OP_LESS,
    };
    const struct vx_pipeline p = {.vertex = depth ? VX_CODE(depth_vert) : VX_CODE(colour_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = s->layout,
                                  .next = &formats,
                                  .samples = samples,
                                  .depth_stencil = depth ? &state : NULL,
                                  .has_vertices = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    return vx_graphics_pipeline(vx, &p);
}

static VkRenderingAttachmentInfo attachment(const struct vx_image *image, VkImageLayout layout,
                                            VkClearValue clear)
{
    return (VkRenderingAttachmentInfo){.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                       .imageView = image->view,
                                       .imageLayout = layout,
                                       .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                       .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                                       .clearValue = clear};
}

/* A barrier of synchronization2. */
static void barrier2(VkCommandBuffer commands, const struct vx_image *image, VkImageLayout from,
                     VkImageLayout to)
{
    const VkImageMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image->image,
        .subresourceRange = {image->aspect, 0, 1, 0, 1},
    };
    const VkDependencyInfo dependency = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                         .imageMemoryBarrierCount = 1,
                                         .pImageMemoryBarriers = &barrier};
    vkCmdPipelineBarrier2(commands, &dependency);
}

static void draw(struct vx *vx, const struct scene *s, const char *name, bool multi, bool depth)
{
    VkPipeline pipeline = make(vx, s, multi ? VK_SAMPLE_COUNT_4_BIT : VK_SAMPLE_COUNT_1_BIT, depth);
    const VkImageLayout drawn = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL;
    const VkImageLayout tested = VK_IMAGE_LAYOUT_DEPTH_ATTACHMENT_OPTIMAL;
    const VkClearValue clear = {.color = {.float32 = {0, 0.25f, 0.5f, 1}}};
    const VkClearValue far_away = {.depthStencil = {1, 0}};
    VkRenderingAttachmentInfo colour = attachment(multi ? &s->many : &s->colour, drawn, clear);
    const VkRenderingAttachmentInfo z = attachment(&s->depth, tested, far_away);
    if (multi) {
        colour.resolveMode = VK_RESOLVE_MODE_AVERAGE_BIT;
        colour.resolveImageView = s->colour.view;
        colour.resolveImageLayout = drawn;
    }
    VkRenderingInfo info = {.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                            .flags = VK_RENDERING_SUSPENDING_BIT,
                            .renderArea = {{0, 0}, {VX_SIDE, VX_SIDE}},
                            .layerCount = 1,
                            .colorAttachmentCount = 1,
                            .pColorAttachments = &colour,
                            .pDepthAttachment = depth ? &z : NULL};
    const VkDeviceSize zero = 0;
    VkCommandBuffer commands = vx_begin(vx);
    barrier2(commands, &s->colour, VK_IMAGE_LAYOUT_UNDEFINED, drawn);
    barrier2(commands, &s->many, VK_IMAGE_LAYOUT_UNDEFINED, drawn);
    barrier2(commands, &s->depth, VK_IMAGE_LAYOUT_UNDEFINED, tested);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &s->vertices.buffer, &zero);
    vkCmdBeginRendering(commands, &info);
    vkCmdDraw(commands, 30, 1, 0, 0);
    vkCmdEndRendering(commands);
    info.flags = VK_RENDERING_RESUMING_BIT;
    vkCmdBeginRendering(commands, &info);
    vkCmdDraw(commands, 30, 1, 30, 0);
    vkCmdEndRendering(commands);
    barrier2(commands, &s->colour, drawn, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    vx_submit(vx, commands);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vx_show_image(vx, name, &s->colour, VK_IMAGE_ASPECT_COLOR_BIT,
                  VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 4);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan13Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
    vx_query(&vx, &features);
    if (!features.dynamicRendering || !features.synchronization2) {
        vx_unsupported(&vx, "all", "no dynamic rendering");
        vx_close(&vx);
        return 0;
    }
    const struct vx_wants wants = {.features = &features};
    vx_open_device(&vx, &wants);
    struct scene s = {.layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0)};
    VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_R8G8B8A8_UNORM,
                      VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    s.colour = vx_image(&vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    info.samples = VK_SAMPLE_COUNT_4_BIT;
    s.many = vx_image(&vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    info = vx_image_info(VK_FORMAT_D32_SFLOAT, VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT);
    s.depth = vx_image(&vx, &info, VK_IMAGE_ASPECT_DEPTH_BIT);
    s.vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    vx_triangles(s.vertices.map, TRIANGLES, 17);
    draw(&vx, &s, "plain", false, false);
    draw(&vx, &s, "depth", false, true);
    draw(&vx, &s, "resolve", true, false);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vx_image_free(&vx, &s.colour);
    vx_image_free(&vx, &s.many);
    vx_image_free(&vx, &s.depth);
    vx_buffer_free(&vx, &s.vertices);
    vx_close(&vx);
    return 0;
}
