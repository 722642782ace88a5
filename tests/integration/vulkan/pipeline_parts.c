/* Pipelines that are linked from parts, and descriptions whose ignored members dangle: the API lets
 * what does not count hold anything, and nobody may follow it. (The validation layer 1.3.239 does,
 * natively too, and dies of it.) */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"

#include <string.h>

#define GARBAGE ((void *)0x10)

enum { TRIANGLES = 24 };

struct scene {
    struct vx_target target;
    struct vx_buffer vertices;
    VkPipelineLayout layout;
    VkShaderModule modules[2];
};

static const VkVertexInputBindingDescription bindings[] = {
    {0, sizeof(struct vx_vertex), VK_VERTEX_INPUT_RATE_VERTEX}};
static const VkVertexInputAttributeDescription attributes[] = {
    {0, 0, VK_FORMAT_R32G32_SFLOAT, 0}, {1, 0, VK_FORMAT_R32G32B32A32_SFLOAT, 8}};
static const VkPipelineVertexInputStateCreateInfo input = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
    .vertexBindingDescriptionCount = 1,
    .pVertexBindingDescriptions = bindings,
    .vertexAttributeDescriptionCount = 2,
    .pVertexAttributeDescriptions = attributes,
};
static const VkPipelineInputAssemblyStateCreateInfo assembly = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
    .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
};
static const VkViewport whole = {0, 0, VX_SIDE, VX_SIDE, 0, 1};
static const VkRect2D all = {{0, 0}, {VX_SIDE, VX_SIDE}};
static const VkPipelineViewportStateCreateInfo viewport = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
    .viewportCount = 1,
    .pViewports = &whole,
    .scissorCount = 1,
    .pScissors = &all,
};
static const VkPipelineRasterizationStateCreateInfo raster = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
static const VkPipelineMultisampleStateCreateInfo samples = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
    .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
static const VkPipelineColorBlendAttachmentState blends[] = {{.colorWriteMask = 0xf}};
static const VkPipelineColorBlendStateCreateInfo blend = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
    .attachmentCount = 1,
    .pAttachments = blends};

static VkPipelineShaderStageCreateInfo stage(const struct scene *s, uint32_t which)
{
    return (VkPipelineShaderStageCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = which == 0 ? VK_SHADER_STAGE_VERTEX_BIT : VK_SHADER_STAGE_FRAGMENT_BIT,
        .module = s->modules[which],
        .pName = "main"};
}

/* All that a whole pipeline without depth and tessellation needs; the rest dangles. */
static VkGraphicsPipelineCreateInfo whole_pipeline(const struct scene *s,
                                                   const VkPipelineShaderStageCreateInfo *stages)
{
    return (VkGraphicsPipelineCreateInfo){
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
        .stageCount = 2,
        .pStages = stages,
        .pVertexInputState = &input,
        .pInputAssemblyState = &assembly,
        .pTessellationState = GARBAGE,
        .pViewportState = &viewport,
        .pRasterizationState = &raster,
        .pMultisampleState = &samples,
        .pDepthStencilState = GARBAGE,
        .pColorBlendState = &blend,
        .layout = s->layout,
        .renderPass = s->target.pass,
        .basePipelineHandle = GARBAGE,
    };
}

static void draw(struct vx *vx, const struct scene *s, const char *name, VkPipeline pipeline)
{
    const VkDeviceSize zero = 0;
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdSetViewport(commands, 0, 1, &whole); /* counts where it is dynamic */
    vkCmdSetScissor(commands, 0, 1, &all);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &s->vertices.buffer, &zero);
    vkCmdDraw(commands, 3 * TRIANGLES, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vx_show_target(vx, name, &s->target);
}

/* ---- What is ignored ---- */

static void dangling(struct vx *vx, const struct scene *s)
{
    const VkPipelineShaderStageCreateInfo stages[] = {stage(s, 0), stage(s, 1)};
    VkGraphicsPipelineCreateInfo info = whole_pipeline(s, stages);
    VkPipeline pipeline;
    VX(vx, vkCreateGraphicsPipelines(vx->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    draw(vx, s, "dangling.depth", pipeline);

    const VkDynamicState states[] = {VK_DYNAMIC_STATE_VIEWPORT, VK_DYNAMIC_STATE_SCISSOR};
    const VkPipelineDynamicStateCreateInfo dynamic = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
        .dynamicStateCount = 2,
        .pDynamicStates = states};
    VkPipelineViewportStateCreateInfo somewhere = viewport;
    somewhere.pViewports = GARBAGE;
    somewhere.pScissors = GARBAGE;
    info.pViewportState = &somewhere;
    info.pDynamicState = &dynamic;
    VX(vx, vkCreateGraphicsPipelines(vx->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    draw(vx, s, "dangling.viewports", pipeline);

    VkPipelineRasterizationStateCreateInfo discards = raster;
    discards.rasterizerDiscardEnable = VK_TRUE;
    info.pRasterizationState = &discards;
    info.pViewportState = GARBAGE;
    info.pMultisampleState = GARBAGE;
    info.pColorBlendState = GARBAGE;
    info.pDynamicState = NULL;
    info.stageCount = 1;
    VX(vx, vkCreateGraphicsPipelines(vx->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    draw(vx, s, "dangling.discard", pipeline);
}

/* ---- Parts ---- */

/* One part alone; members of other parts dangle. */
static VkPipeline part(struct vx *vx, const struct scene *s, VkFlags which)
{
    const VkPipelineShaderStageCreateInfo stages[] = {stage(s, 0), stage(s, 1)};
    const VkGraphicsPipelineLibraryCreateInfoEXT library = {
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT, .flags = which};
    VkGraphicsPipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
        .pNext = &library,
        .flags = VK_PIPELINE_CREATE_LIBRARY_BIT_KHR,
        .pVertexInputState = GARBAGE,
        .pInputAssemblyState = GARBAGE,
        .pViewportState = GARBAGE,
        .pRasterizationState = GARBAGE,
        .pMultisampleState = GARBAGE,
        .pDepthStencilState = GARBAGE,
        .pColorBlendState = GARBAGE,
        .renderPass = s->target.pass,
    };
    switch (which) {
    case VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT:
        info.pVertexInputState = &input;
        info.pInputAssemblyState = &assembly;
        break;
    case VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT:
        info.pViewportState = &viewport;
        info.pRasterizationState = &raster;
        info.stageCount = 1;
        info.pStages = &stages[0];
        info.layout = s->layout;
        break;
    case VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_SHADER_BIT_EXT:
        info.pMultisampleState = &samples;
        info.stageCount = 1;
        info.pStages = &stages[1];
        info.layout = s->layout;
        break;
    default:
        info.pMultisampleState = &samples;
        info.pColorBlendState = &blend;
        break;
    }
    VkPipeline pipeline;
    VX(vx, vkCreateGraphicsPipelines(vx->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    return pipeline;
}

static void parts(struct vx *vx, const struct scene *s)
{
    VkPipeline libraries[4], pipeline;
    for (uint32_t i = 0; i < 4; i++) {
        libraries[i] = part(vx, s, 1u << i);
    }
    const VkPipelineLibraryCreateInfoKHR linked = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR,
        .libraryCount = 4,
        .pLibraries = libraries};
    const VkGraphicsPipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
        .pNext = &linked,
        .layout = s->layout,
    };
    VX(vx, vkCreateGraphicsPipelines(vx->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    draw(vx, s, "parts.linked", pipeline);
    for (uint32_t i = 0; i < 4; i++) {
        vkDestroyPipeline(vx->device, libraries[i], NULL);
    }
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    bool has_parts = vx_has_extension(&vx, VK_EXT_GRAPHICS_PIPELINE_LIBRARY_EXTENSION_NAME);
    VkPhysicalDeviceGraphicsPipelineLibraryFeaturesEXT features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GRAPHICS_PIPELINE_LIBRARY_FEATURES_EXT,
        .graphicsPipelineLibrary = VK_TRUE};
    const struct vx_wants wants = {.features = has_parts ? &features : NULL,
                                   .extensions = {VK_KHR_PIPELINE_LIBRARY_EXTENSION_NAME,
                                                  VK_EXT_GRAPHICS_PIPELINE_LIBRARY_EXTENSION_NAME}};
    vx_open_device(&vx, &wants);
    struct scene s = {
        .target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM),
        .vertices = vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex),
                              VK_BUFFER_USAGE_VERTEX_BUFFER_BIT),
        .layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0),
        .modules = {vx_shader(&vx, VX_CODE(colour_vert)), vx_shader(&vx, VX_CODE(colour_frag))}};
    vx_triangles(s.vertices.map, TRIANGLES, 41);
    dangling(&vx, &s);
    if (has_parts) {
        parts(&vx, &s);
    } else {
        vx_unsupported(&vx, "parts.linked", "no VK_EXT_graphics_pipeline_library");
    }
    vkDestroyShaderModule(vx.device, s.modules[0], NULL);
    vkDestroyShaderModule(vx.device, s.modules[1], NULL);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vx_buffer_free(&vx, &s.vertices);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
