/* A hostile guest makes pipelines that fit nothing, and draws with them (attack cases C07, C08).
 * The host goes on: they are not made, or drawn with somehow. */
#include "tests/unit/hvk_scene.h"

#include <math.h>
#include <string.h>

SLT_FIXTURE(hvk_draws, struct vk_world, scene_init, vk_world_finish);

/* --- pipelines --- */

struct pipeline_case {
    const char *label;
    void (*change)(struct vk_world *w, const struct scene *s, struct scene_pipeline *p);
};
#define CHANGE(name)                                                                               \
    static void name(struct vk_world *w, const struct scene *s, struct scene_pipeline *p)
#define UNUSED (void)w, (void)s, (void)p

static VkRenderPass pass_of(struct vk_world *w, uint32_t count, VkFormat format,
                            VkSampleCountFlagBits samples)
{
    const VkFormat formats[8] = {format, format, format, format, format, format, format, format};
    return vp_pass_make(w, count, formats, samples);
}

CHANGE(that_fits)
{
    UNUSED;
}
CHANGE(of_a_pass_of_four)
{
    p->info.renderPass = pass_of(w, 4, VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_1_BIT);
    p->blend.attachmentCount = 4;
    (void)s;
}
CHANGE(of_a_pass_of_none)
{
    p->info.renderPass = pass_of(w, 0, VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_1_BIT);
    p->blend.attachmentCount = 0;
    (void)s;
}
CHANGE(of_a_pass_of_floats)
{
    p->info.renderPass = pass_of(w, 1, VK_FORMAT_R32G32B32A32_SFLOAT, VK_SAMPLE_COUNT_1_BIT);
    (void)s;
}
CHANGE(of_a_pass_of_integers)
{
    p->info.renderPass = pass_of(w, 1, VK_FORMAT_R32G32B32A32_UINT, VK_SAMPLE_COUNT_1_BIT);
    (void)s;
}
CHANGE(of_a_pass_of_samples)
{
    p->info.renderPass = pass_of(w, 1, VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_4_BIT);
    p->samples.rasterizationSamples = VK_SAMPLE_COUNT_4_BIT;
    (void)s;
}
CHANGE(of_samples_in_a_pass_of_one)
{
    p->samples.rasterizationSamples = VK_SAMPLE_COUNT_4_BIT;
    p->samples.sampleShadingEnable = VK_TRUE;
    p->samples.minSampleShading = 1;
    UNUSED;
}
CHANGE(of_a_pass_of_depth)
{
    p->info.renderPass = s->depth_pass;
    UNUSED;
}
CHANGE(of_a_subpass_that_is_not_there)
{
    p->info.subpass = 7;
    UNUSED;
}
CHANGE(of_a_subpass_far_away)
{
    p->info.subpass = UINT32_MAX;
    UNUSED;
}
CHANGE(of_no_pass)
{
    p->info.renderPass = VK_NULL_HANDLE;
    UNUSED;
}
CHANGE(of_dynamic_rendering)
{
    static const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
    p->info.renderPass = VK_NULL_HANDLE;
    p->rendering.colorAttachmentCount = 1;
    p->rendering.pColorAttachmentFormats = &format;
    p->info.pNext = &p->rendering;
    UNUSED;
}
CHANGE(of_dynamic_rendering_without_formats)
{
    p->info.renderPass = VK_NULL_HANDLE;
    p->rendering.colorAttachmentCount = 8;
    p->info.pNext = &p->rendering;
    UNUSED;
}
CHANGE(of_dynamic_rendering_of_a_thousand)
{
    static VkFormat formats[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        formats[i] = VK_FORMAT_R8G8B8A8_UNORM;
    }
    p->info.renderPass = VK_NULL_HANDLE;
    p->rendering.colorAttachmentCount = 1000;
    p->rendering.pColorAttachmentFormats = formats;
    p->info.pNext = &p->rendering;
    UNUSED;
}
CHANGE(of_eight_blends)
{
    p->blend.attachmentCount = 8;
    UNUSED;
}
CHANGE(of_a_thousand_blends)
{
    static VkPipelineColorBlendAttachmentState blends[1000];
    p->blend.attachmentCount = 1000;
    p->blend.pAttachments = blends;
    UNUSED;
}
CHANGE(of_no_blends)
{
    p->blend.attachmentCount = 0;
    UNUSED;
}
CHANGE(without_stages)
{
    p->info.stageCount = 0;
    UNUSED;
}
CHANGE(without_a_vertex_stage)
{
    p->info.stageCount = 1;
    p->info.pStages = &p->stages[1];
    UNUSED;
}
CHANGE(without_a_fragment_stage)
{
    p->info.stageCount = 1;
    UNUSED;
}
CHANGE(with_a_vertex_stage_twice)
{
    p->stages[1] = p->stages[0];
    UNUSED;
}
CHANGE(with_stages_changed)
{
    VkShaderModule module = p->stages[0].module;
    p->stages[0].module = p->stages[1].module;
    p->stages[1].module = module;
    UNUSED;
}
CHANGE(with_a_compute_stage)
{
    p->stages[1].stage = VK_SHADER_STAGE_COMPUTE_BIT;
    UNUSED;
}
CHANGE(with_no_stage)
{
    p->stages[1].stage = 0;
    UNUSED;
}
CHANGE(with_all_stages)
{
    p->stages[1].stage = VK_SHADER_STAGE_ALL;
    UNUSED;
}
CHANGE(with_a_stage_of_bit_31)
{
    p->stages[1].stage = (VkShaderStageFlagBits)(1u << 31);
    UNUSED;
}
CHANGE(with_a_tessellation_stage)
{
    p->stages[1].stage = VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT;
    UNUSED;
}
CHANGE(of_patches_without_tessellation)
{
    p->assembly.topology = VK_PRIMITIVE_TOPOLOGY_PATCH_LIST;
    UNUSED;
}
CHANGE(of_no_topology)
{
    p->assembly.topology = (VkPrimitiveTopology)77;
    UNUSED;
}
CHANGE(without_input)
{
    p->info.pVertexInputState = NULL;
    UNUSED;
}
CHANGE(without_assembly)
{
    p->info.pInputAssemblyState = NULL;
    UNUSED;
}
CHANGE(without_a_viewport)
{
    p->info.pViewportState = NULL;
    UNUSED;
}
CHANGE(without_raster)
{
    p->info.pRasterizationState = NULL;
    UNUSED;
}
CHANGE(without_samples)
{
    p->info.pMultisampleState = NULL;
    UNUSED;
}
CHANGE(without_depth_state)
{
    p->info.renderPass = s->depth_pass;
    p->info.pDepthStencilState = NULL;
    UNUSED;
}
CHANGE(without_blend_state)
{
    p->info.pColorBlendState = NULL;
    UNUSED;
}
CHANGE(without_a_layout)
{
    p->info.layout = VK_NULL_HANDLE;
    UNUSED;
}
CHANGE(of_static_viewports_that_are_not_there)
{
    p->info.pDynamicState = NULL;
    UNUSED;
}
CHANGE(of_a_thousand_viewports)
{
    p->viewport.viewportCount = 1000;
    p->viewport.scissorCount = 1000;
    UNUSED;
}
CHANGE(of_no_viewports)
{
    p->viewport.viewportCount = 0;
    p->viewport.scissorCount = 0;
    UNUSED;
}
CHANGE(of_static_nan_viewports)
{
    static const VkViewport viewport = {NAN, INFINITY, -INFINITY, NAN, NAN, 5};
    static const VkRect2D scissor = {{INT32_MIN, INT32_MAX}, {UINT32_MAX, UINT32_MAX}};
    p->viewport.pViewports = &viewport;
    p->viewport.pScissors = &scissor;
    p->info.pDynamicState = NULL;
    UNUSED;
}
CHANGE(of_dynamic_states_that_are_none)
{
    p->states[0] = (VkDynamicState)77;
    p->states[1] = (VkDynamicState)0x7ffffff0;
    UNUSED;
}
CHANGE(of_no_polygon_mode)
{
    p->raster.polygonMode = (VkPolygonMode)77;
    UNUSED;
}
CHANGE(of_no_cull_mode)
{
    p->raster.cullMode = 77;
    p->raster.frontFace = (VkFrontFace)77;
    UNUSED;
}
CHANGE(of_lines_of_no_width)
{
    p->assembly.topology = VK_PRIMITIVE_TOPOLOGY_LINE_LIST;
    p->raster.lineWidth = NAN;
    UNUSED;
}
CHANGE(of_lines_of_great_width)
{
    p->assembly.topology = VK_PRIMITIVE_TOPOLOGY_LINE_LIST;
    p->raster.lineWidth = 1e30f;
    UNUSED;
}
CHANGE(of_no_depth_compare)
{
    p->info.renderPass = s->depth_pass;
    p->depth.depthCompareOp = (VkCompareOp)77;
    UNUSED;
}
CHANGE(of_no_stencil_ops)
{
    const VkStencilOpState ops = {
        (VkStencilOp)77, (VkStencilOp)78, (VkStencilOp)79, (VkCompareOp)80, 255, 255, 0};
    p->info.renderPass = s->depth_pass;
    p->depth.stencilTestEnable = VK_TRUE;
    p->depth.front = p->depth.back = ops;
    UNUSED;
}
CHANGE(of_no_blend_factors)
{
    p->blends[0].blendEnable = VK_TRUE;
    p->blends[0].srcColorBlendFactor = p->blends[0].dstColorBlendFactor = (VkBlendFactor)77;
    p->blends[0].srcAlphaBlendFactor = p->blends[0].dstAlphaBlendFactor = (VkBlendFactor)78;
    UNUSED;
}
CHANGE(of_no_blend_ops)
{
    p->blends[0].blendEnable = VK_TRUE;
    p->blends[0].colorBlendOp = p->blends[0].alphaBlendOp = (VkBlendOp)77;
    UNUSED;
}
CHANGE(of_no_logic_op)
{
    p->blend.logicOpEnable = VK_TRUE;
    p->blend.logicOp = (VkLogicOp)77;
    UNUSED;
}
CHANGE(of_second_sources_that_are_not_there)
{
    p->blends[0].blendEnable = VK_TRUE;
    p->blends[0].srcColorBlendFactor = VK_BLEND_FACTOR_SRC1_COLOR;
    p->blends[0].dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC1_ALPHA;
    UNUSED;
}
CHANGE(of_vertices_of_no_format)
{
    p->attribute.format = (VkFormat)987654;
    UNUSED;
}
CHANGE(of_vertices_of_blocks)
{
    p->attribute.format = VK_FORMAT_BC1_RGB_UNORM_BLOCK;
    UNUSED;
}
CHANGE(of_vertices_of_depth)
{
    p->attribute.format = VK_FORMAT_D24_UNORM_S8_UINT;
    UNUSED;
}
CHANGE(of_vertices_of_undefined)
{
    p->attribute.format = VK_FORMAT_UNDEFINED;
    UNUSED;
}
CHANGE(of_vertices_at_four_billion)
{
    p->attribute.offset = UINT32_MAX;
    UNUSED;
}
CHANGE(of_vertices_at_a_million)
{
    p->attribute.offset = 1u << 20;
    UNUSED;
}
CHANGE(of_vertices_four_billion_apart)
{
    p->binding.stride = UINT32_MAX;
    UNUSED;
}
CHANGE(of_vertices_a_million_apart)
{
    p->binding.stride = 1u << 20;
    UNUSED;
}
CHANGE(of_vertices_of_no_rate)
{
    p->binding.inputRate = (VkVertexInputRate)77;
    UNUSED;
}
CHANGE(of_vertices_for_another_place)
{
    p->attribute.location = 5;
    UNUSED;
}
CHANGE(of_vertices_of_no_binding)
{
    p->input.vertexBindingDescriptionCount = 0;
    UNUSED;
}
CHANGE(derived_of_itself)
{
    p->info.flags = VK_PIPELINE_CREATE_DERIVATIVE_BIT;
    p->info.basePipelineIndex = 0;
    UNUSED;
}
CHANGE(derived_of_what_is_not_there)
{
    p->info.flags = VK_PIPELINE_CREATE_DERIVATIVE_BIT;
    p->info.basePipelineIndex = 12345;
    UNUSED;
}

static const struct pipeline_case pipeline_cases[] = {
    ROW(that_fits),
    ROW(of_a_pass_of_four),
    ROW(of_a_pass_of_none),
    ROW(of_a_pass_of_floats),
    ROW(of_a_pass_of_integers),
    ROW(of_a_pass_of_samples),
    ROW(of_samples_in_a_pass_of_one),
    ROW(of_a_pass_of_depth),
    ROW(of_a_subpass_that_is_not_there),
    ROW(of_a_subpass_far_away),
    ROW(of_no_pass),
    ROW(of_dynamic_rendering),
    ROW(of_dynamic_rendering_without_formats),
    ROW(of_dynamic_rendering_of_a_thousand),
    ROW(of_eight_blends),
    ROW(of_a_thousand_blends),
    ROW(of_no_blends),
    ROW(without_stages),
    ROW(without_a_vertex_stage),
    ROW(without_a_fragment_stage),
    ROW(with_a_vertex_stage_twice),
    ROW(with_stages_changed),
    ROW(with_a_compute_stage),
    ROW(with_no_stage),
    ROW(with_all_stages),
    ROW(with_a_stage_of_bit_31),
    ROW(with_a_tessellation_stage),
    ROW(of_patches_without_tessellation),
    ROW(of_no_topology),
    ROW(without_input),
    ROW(without_assembly),
    ROW(without_a_viewport),
    ROW(without_raster),
    ROW(without_samples),
    ROW(without_depth_state),
    ROW(without_blend_state),
    ROW(without_a_layout),
    ROW(of_static_viewports_that_are_not_there),
    ROW(of_a_thousand_viewports),
    ROW(of_no_viewports),
    ROW(of_static_nan_viewports),
    ROW(of_dynamic_states_that_are_none),
    ROW(of_no_polygon_mode),
    ROW(of_no_cull_mode),
    ROW(of_lines_of_no_width),
    ROW(of_lines_of_great_width),
    ROW(of_no_depth_compare),
    ROW(of_no_stencil_ops),
    ROW(of_no_blend_factors),
    ROW(of_no_blend_ops),
    ROW(of_no_logic_op),
    ROW(of_second_sources_that_are_not_there),
    ROW(of_vertices_of_no_format),
    ROW(of_vertices_of_blocks),
    ROW(of_vertices_of_depth),
    ROW(of_vertices_of_undefined),
    ROW(of_vertices_at_four_billion),
    ROW(of_vertices_at_a_million),
    ROW(of_vertices_four_billion_apart),
    ROW(of_vertices_a_million_apart),
    ROW(of_vertices_of_no_rate),
    ROW(of_vertices_for_another_place),
    ROW(of_vertices_of_no_binding),
    ROW(derived_of_itself),
    ROW(derived_of_what_is_not_there),
};

SLT_TEST_FP(hvk_draws, a_pipeline, w, struct pipeline_case, pipeline_cases, c)
{
    struct scene s;
    struct scene_pipeline p;
    VkPipeline pipeline;
    scene_make(w, &s);
    scene_pipeline_fill(&s, &p);
    c->change(w, &s, &p);
    SLT_ASSERT_TRUE(!w->main.lost);
    if (scene_pipeline_make(w, &p, &pipeline) == VK_SUCCESS) {
        scene_draw(w, &s, pipeline, false);
        if (!w->main.lost) {
            scene_draw(w, &s, pipeline, true);
        }
    }
}
