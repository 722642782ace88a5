/* Graphics pipelines: which parts of a description count, by the state that it makes, by what is
 * dynamic and by what the subpass draws to. */
#include "guest/vulkan/gvk_clean.h"
#include "guest/vulkan/gvk_pipeline.h"

#include <string.h>

#define VERTEX_INPUT    VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT
#define PRE_RASTER      VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT
#define FRAGMENT_SHADER VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_SHADER_BIT_EXT
#define FRAGMENT_OUTPUT VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_OUTPUT_INTERFACE_BIT_EXT
#define ALL_PARTS       (VERTEX_INPUT | PRE_RASTER | FRAGMENT_SHADER | FRAGMENT_OUTPUT)

/* What decides about one pipeline's members. */
struct facts {
    VkFlags parts; /* that are made here, not linked in */
    VkFlags64 flags;
    bool linked; /* other libraries take part */
    bool tessellation;
    bool mesh;
    bool discard;              /* nothing is rasterised, and that is not dynamic */
    bool color, depth_stencil; /* what is drawn to */
    bool dynamic_vertex_input, dynamic_viewports, dynamic_scissors, dynamic_discard;
    bool dynamic_sample_mask;
    VkFlags dynamic_blend; /* bit 0 enable, 1 equation, 2 write mask */
};

static void dynamic_read(struct facts *f, const VkPipelineDynamicStateCreateInfo *dynamic)
{
    for (uint32_t i = 0; dynamic != NULL && i < dynamic->dynamicStateCount; i++) {
        switch ((uint32_t)dynamic->pDynamicStates[i]) {
        case VK_DYNAMIC_STATE_VERTEX_INPUT_EXT:
            f->dynamic_vertex_input = true;
            break;
        case VK_DYNAMIC_STATE_VIEWPORT:
        case VK_DYNAMIC_STATE_VIEWPORT_WITH_COUNT:
            f->dynamic_viewports = true;
            break;
        case VK_DYNAMIC_STATE_SCISSOR:
        case VK_DYNAMIC_STATE_SCISSOR_WITH_COUNT:
            f->dynamic_scissors = true;
            break;
        case VK_DYNAMIC_STATE_RASTERIZER_DISCARD_ENABLE:
            f->dynamic_discard = true;
            break;
        case VK_DYNAMIC_STATE_SAMPLE_MASK_EXT:
            f->dynamic_sample_mask = true;
            break;
        case VK_DYNAMIC_STATE_COLOR_BLEND_ENABLE_EXT:
            f->dynamic_blend |= 1;
            break;
        case VK_DYNAMIC_STATE_COLOR_BLEND_EQUATION_EXT:
        case VK_DYNAMIC_STATE_COLOR_BLEND_ADVANCED_EXT:
            f->dynamic_blend |= 2;
            break;
        case VK_DYNAMIC_STATE_COLOR_WRITE_MASK_EXT:
            f->dynamic_blend |= 4;
            break;
        default:
            break;
        }
    }
}

static VkFlags parts_of(const VkGraphicsPipelineCreateInfo *info, bool *linked)
{
    const VkGraphicsPipelineLibraryCreateInfoEXT *library =
        gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT);
    const VkPipelineLibraryCreateInfoKHR *libraries =
        gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR);
    *linked = libraries != NULL && libraries->libraryCount != 0;
    if (library != NULL) {
        return library->flags;
    }
    return *linked ? 0 : ALL_PARTS;
}

static void stages_read(struct facts *f, const VkGraphicsPipelineCreateInfo *info)
{
    if ((f->parts & (PRE_RASTER | FRAGMENT_SHADER)) == 0) {
        return;
    }
    for (uint32_t i = 0; i < info->stageCount; i++) {
        VkFlags stage = (VkFlags)info->pStages[i].stage;
        f->tessellation |= (stage & (VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT |
                                     VK_SHADER_STAGE_TESSELLATION_EVALUATION_BIT)) != 0;
        f->mesh |= (stage & VK_SHADER_STAGE_MESH_BIT_EXT) != 0;
    }
}

/* What is drawn to. Where nobody says it here, all there may be. */
static void targets_read(struct facts *f, const VkGraphicsPipelineCreateInfo *info)
{
    f->color = true;
    f->depth_stencil = true;
    if ((f->parts & (PRE_RASTER | FRAGMENT_SHADER | FRAGMENT_OUTPUT)) == 0) {
        return;
    }
    if (info->renderPass != VK_NULL_HANDLE) {
        const struct gvk_render_pass *pass = GVK_FROM(gvk_render_pass, info->renderPass);
        if (info->subpass < pass->subpass_count) {
            f->color = (pass->subpasses[info->subpass] & GVK_SUBPASS_COLOR) != 0;
            f->depth_stencil = (pass->subpasses[info->subpass] & GVK_SUBPASS_DEPTH_STENCIL) != 0;
        }
    } else if ((f->parts & FRAGMENT_OUTPUT) != 0) {
        const VkPipelineRenderingCreateInfo *rendering =
            gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO);
        f->color = rendering != NULL && rendering->colorAttachmentCount != 0;
        f->depth_stencil =
            rendering != NULL && (rendering->depthAttachmentFormat != VK_FORMAT_UNDEFINED ||
                                  rendering->stencilAttachmentFormat != VK_FORMAT_UNDEFINED);
    }
}

static struct facts facts_of(const VkGraphicsPipelineCreateInfo *info)
{
    struct facts f = {0};
    f.parts = parts_of(info, &f.linked);
    const VkPipelineCreateFlags2CreateInfo *flags2 =
        gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_PIPELINE_CREATE_FLAGS_2_CREATE_INFO);
    f.flags = flags2 != NULL ? flags2->flags : info->flags;
    dynamic_read(&f, info->pDynamicState);
    stages_read(&f, info);
    targets_read(&f, info);
    f.discard = (f.parts & PRE_RASTER) != 0 && !f.dynamic_discard &&
                info->pRasterizationState != NULL &&
                info->pRasterizationState->rasterizerDiscardEnable;
    return f;
}

static bool viewports_clean(struct sl_arena *arena, const struct facts *f,
                            VkGraphicsPipelineCreateInfo *info)
{
    if (info->pViewportState == NULL || (!f->dynamic_viewports && !f->dynamic_scissors)) {
        return true;
    }
    VkPipelineViewportStateCreateInfo *state = sl_arena_get(arena, sizeof *state);
    if (state == NULL) {
        return false;
    }
    *state = *info->pViewportState;
    if (f->dynamic_viewports) {
        state->pViewports = NULL;
    }
    if (f->dynamic_scissors) {
        state->pScissors = NULL;
    }
    info->pViewportState = state;
    return true;
}

static bool samples_clean(struct sl_arena *arena, const struct facts *f,
                          VkGraphicsPipelineCreateInfo *info)
{
    if (info->pMultisampleState == NULL || !f->dynamic_sample_mask) {
        return true;
    }
    VkPipelineMultisampleStateCreateInfo *state = sl_arena_get(arena, sizeof *state);
    if (state == NULL) {
        return false;
    }
    *state = *info->pMultisampleState;
    state->pSampleMask = NULL;
    info->pMultisampleState = state;
    return true;
}

/* Attachments that are all dynamic are not read, but the wire has no way to leave them out. */
static bool blend_clean(struct sl_arena *arena, const struct facts *f,
                        VkGraphicsPipelineCreateInfo *info)
{
    if (info->pColorBlendState == NULL || f->dynamic_blend != 7) {
        return true;
    }
    VkPipelineColorBlendStateCreateInfo *state = sl_arena_get(arena, sizeof *state);
    if (state == NULL) {
        return false;
    }
    *state = *info->pColorBlendState;
    size_t size = (size_t)state->attachmentCount * sizeof *state->pAttachments;
    VkPipelineColorBlendAttachmentState *attachments = sl_arena_get(arena, size);
    if (attachments == NULL) {
        return false;
    }
    memset(attachments, 0, size);
    state->pAttachments = attachments;
    info->pColorBlendState = state;
    return true;
}

/* Formats of attachments count where the output is made and no render pass gives them. */
static bool rendering_clean(struct sl_arena *arena, const struct facts *f,
                            VkGraphicsPipelineCreateInfo *info)
{
    bool counts = (f->parts & FRAGMENT_OUTPUT) != 0 && info->renderPass == VK_NULL_HANDLE;
    bool feedback =
        gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO) !=
        NULL;
    if (!feedback &&
        (counts ||
         gvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO) == NULL)) {
        return true;
    }
    bool ok;
    info->pNext = gvk_chain_copy(arena, info->pNext,
                                 VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO, &ok);
    VkPipelineRenderingCreateInfo *rendering =
        (VkPipelineRenderingCreateInfo *)(uintptr_t)gvk_chain_find(
            info->pNext, VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO);
    if (rendering != NULL && !counts) {
        rendering->colorAttachmentCount = 0;
        rendering->pColorAttachmentFormats = NULL;
    }
    return ok;
}

/* Fixed pieces of a part that is not made here are not read; nor are those that its other state
 * rules out. */
static bool parts_clean(struct sl_arena *arena, const struct facts *f,
                        VkGraphicsPipelineCreateInfo *info)
{
    static const VkPipelineRasterizationStateCreateInfo rasterizes = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1.0f};
    bool raster = (f->parts & PRE_RASTER) != 0;
    bool shades = (f->parts & FRAGMENT_SHADER) != 0;
    bool draws = (f->parts & FRAGMENT_OUTPUT) != 0;
    if (!raster && !shades) {
        info->stageCount = 0;
        info->pStages = NULL;
    }
    if ((f->parts & VERTEX_INPUT) == 0 || f->mesh) {
        info->pVertexInputState = NULL;
        info->pInputAssemblyState = NULL;
    }
    if (f->dynamic_vertex_input) {
        info->pVertexInputState = NULL;
    }
    if (!raster || !f->tessellation) {
        info->pTessellationState = NULL;
    }
    if (!raster || f->discard) {
        info->pViewportState = NULL;
    }
    if ((!shades && !draws) || f->discard) {
        info->pMultisampleState = NULL;
    }
    if (!shades || f->discard || !f->depth_stencil) {
        info->pDepthStencilState = NULL;
    }
    if (!draws || f->discard || !f->color) {
        info->pColorBlendState = NULL;
    }
    if (!raster) {
        /* The wire lets the fragment's state through only where something is rasterised. */
        info->pRasterizationState = shades || draws ? &rasterizes : NULL;
    }
    if (!raster && !shades && !draws) {
        info->renderPass = VK_NULL_HANDLE;
    }
    if (!raster && !shades && (f->flags & VK_PIPELINE_CREATE_LIBRARY_BIT_KHR) != 0 && !f->linked) {
        info->layout = VK_NULL_HANDLE;
    }
    return viewports_clean(arena, f, info) && samples_clean(arena, f, info) &&
           blend_clean(arena, f, info) && rendering_clean(arena, f, info);
}

/* Nothing of how the host made a pipeline comes back. */
static void feedback_none(const void *chain)
{
    const VkPipelineCreationFeedbackCreateInfo *feedback =
        gvk_chain_find(chain, VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO);
    if (feedback == NULL) {
        return;
    }
    *feedback->pPipelineCreationFeedback = (VkPipelineCreationFeedback){0};
    for (uint32_t i = 0; i < feedback->pipelineStageCreationFeedbackCount; i++) {
        feedback->pPipelineStageCreationFeedbacks[i] = (VkPipelineCreationFeedback){0};
    }
}

static bool derives(VkFlags64 flags, int32_t base_index)
{
    return (flags & VK_PIPELINE_CREATE_DERIVATIVE_BIT) != 0 && base_index == -1;
}

const VkGraphicsPipelineCreateInfo *gvk_clean_graphics(struct sl_arena *arena, uint32_t count,
                                                       const VkGraphicsPipelineCreateInfo *infos)
{
    VkGraphicsPipelineCreateInfo *clean = sl_arena_get(arena, count * sizeof *clean);
    if (clean == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        clean[i] = infos[i];
        struct facts f = facts_of(&infos[i]);
        feedback_none(infos[i].pNext);
        if (!parts_clean(arena, &f, &clean[i])) {
            return NULL;
        }
        if (!derives(f.flags, infos[i].basePipelineIndex)) {
            clean[i].basePipelineHandle = VK_NULL_HANDLE;
        }
    }
    return clean;
}

const VkComputePipelineCreateInfo *gvk_clean_compute(struct sl_arena *arena, uint32_t count,
                                                     const VkComputePipelineCreateInfo *infos)
{
    VkComputePipelineCreateInfo *clean = sl_arena_get(arena, count * sizeof *clean);
    if (clean == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        clean[i] = infos[i];
        feedback_none(infos[i].pNext);
        const VkPipelineCreateFlags2CreateInfo *flags2 =
            gvk_chain_find(infos[i].pNext, VK_STRUCTURE_TYPE_PIPELINE_CREATE_FLAGS_2_CREATE_INFO);
        if (!derives(flags2 != NULL ? flags2->flags : infos[i].flags, infos[i].basePipelineIndex)) {
            clean[i].basePipelineHandle = VK_NULL_HANDLE;
        }
        bool ok = true;
        if (gvk_chain_find(infos[i].pNext,
                           VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO) != NULL) {
            clean[i].pNext =
                gvk_chain_copy(arena, infos[i].pNext,
                               VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO, &ok);
        }
        if (!ok) {
            return NULL;
        }
    }
    return clean;
}
