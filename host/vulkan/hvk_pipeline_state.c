/* What a graphics pipeline is made of. Drivers follow what is not there, count in arrays of their
 * own, and know no number but their own: states that lack get one that says nothing, and the rest
 * is refused. The packet's memory is ours. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "wire/vk_names.h"

static const VkPipelineVertexInputStateCreateInfo no_input = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
static const VkPipelineInputAssemblyStateCreateInfo no_assembly = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO};
static const VkViewport no_viewport = {.width = 1, .height = 1, .maxDepth = 1};
static const VkRect2D no_scissor = {{0, 0}, {0, 0}};
static const VkPipelineViewportStateCreateInfo no_viewports = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
    .viewportCount = 1,
    .pViewports = &no_viewport,
    .scissorCount = 1,
    .pScissors = &no_scissor};
static const VkPipelineRasterizationStateCreateInfo no_raster = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
static const VkPipelineMultisampleStateCreateInfo no_samples = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
    .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
static const VkPipelineDepthStencilStateCreateInfo no_depth = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO};
static const VkPipelineColorBlendStateCreateInfo no_blend = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO};

/* As many zeros where there is no array. False: there is no memory. */
static bool fill(struct vk_unpack *in, const void *array, uint32_t count, size_t size,
                 const void **out)
{
    *out = array != NULL || count == 0 ? array : vk_unpack_alloc(in, count, size);
    return *out != NULL || count == 0;
}

static bool viewports_mend(struct vk_unpack *in, const VkPhysicalDeviceLimits *limits,
                           VkPipelineViewportStateCreateInfo *state)
{
    return state->viewportCount <= limits->maxViewports &&
           state->scissorCount <= limits->maxViewports &&
           fill(in, state->pViewports, state->viewportCount, sizeof *state->pViewports,
                (const void **)&state->pViewports) &&
           fill(in, state->pScissors, state->scissorCount, sizeof *state->pScissors,
                (const void **)&state->pScissors);
}

static bool blends_mend(struct vk_unpack *in, const VkPhysicalDeviceLimits *limits,
                        VkPipelineColorBlendStateCreateInfo *state)
{
    return state->attachmentCount <= limits->maxColorAttachments &&
           fill(in, state->pAttachments, state->attachmentCount, sizeof *state->pAttachments,
                (const void **)&state->pAttachments);
}

static bool rendering_mends(struct vk_unpack *in, const VkPhysicalDeviceLimits *limits,
                            VkPipelineRenderingCreateInfo *info)
{
    return info == NULL || (info->colorAttachmentCount <= limits->maxColorAttachments &&
                            fill(in, info->pColorAttachmentFormats, info->colorAttachmentCount,
                                 sizeof *info->pColorAttachmentFormats,
                                 (const void **)&info->pColorAttachmentFormats));
}

/* Drivers count samples by it, be it dynamic or not. */
static void samples_mend(VkPipelineMultisampleStateCreateInfo *state)
{
    uint32_t samples = (uint32_t)state->rasterizationSamples;
    bool ok = samples != 0 && samples <= VK_SAMPLE_COUNT_64_BIT && (samples & (samples - 1)) == 0;
    state->rasterizationSamples = ok ? state->rasterizationSamples : VK_SAMPLE_COUNT_1_BIT;
}

/* Drivers index their tables by it. */
static bool has_places(const VkPhysicalDeviceLimits *limits,
                       const VkPipelineVertexInputStateCreateInfo *input)
{
    bool ok = input->vertexBindingDescriptionCount <= limits->maxVertexInputBindings &&
              input->vertexAttributeDescriptionCount <= limits->maxVertexInputAttributes;
    for (uint32_t i = 0; ok && i < input->vertexBindingDescriptionCount; i++) {
        ok = input->pVertexBindingDescriptions[i].binding < limits->maxVertexInputBindings;
    }
    for (uint32_t i = 0; ok && i < input->vertexAttributeDescriptionCount; i++) {
        const VkVertexInputAttributeDescription *d = &input->pVertexAttributeDescriptions[i];
        ok = d->binding < limits->maxVertexInputBindings &&
             d->location < limits->maxVertexInputAttributes;
    }
    return ok;
}

/* Drivers know the states of their own extensions, and no others. */
static bool knows_states(const struct hvk_physical *physical,
                         const VkPipelineDynamicStateCreateInfo *dynamic)
{
    bool ok = true;
    for (uint32_t i = 0; dynamic != NULL && ok && i < dynamic->dynamicStateCount; i++) {
        ok = vk_dynamic_state_name(dynamic->pDynamicStates[i]) != NULL &&
             hvk_extension_knows(physical, dynamic->pDynamicStates[i]);
    }
    return ok;
}

/* --- stages --- */

#define GRAPHICS_STAGES                                                                            \
    ((uint32_t)VK_SHADER_STAGE_ALL_GRAPHICS | VK_SHADER_STAGE_TASK_BIT_EXT |                       \
     VK_SHADER_STAGE_MESH_BIT_EXT)
#define FIRST_STAGES (VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_MESH_BIT_EXT)
#define TESSELLATION_STAGES                                                                        \
    (VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT | VK_SHADER_STAGE_TESSELLATION_EVALUATION_BIT)

/* Those that a pipeline has, each once; 0: something else. */
static uint32_t stages_of(const VkGraphicsPipelineCreateInfo *info)
{
    uint32_t stages = 0;
    for (uint32_t i = 0; i < info->stageCount; i++) {
        uint32_t stage = (uint32_t)info->pStages[i].stage;
        if (stage == 0 || (stage & (stage - 1)) != 0 || (stage & ~GRAPHICS_STAGES) != 0 ||
            (stages & stage) != 0) {
            return 0;
        }
        stages |= stage;
    }
    return stages;
}

/* Has the pipeline that part of its own? Not all have that are made of others. */
static bool has_part(const VkGraphicsPipelineCreateInfo *info,
                     VkGraphicsPipelineLibraryFlagBitsEXT part)
{
    const VkGraphicsPipelineLibraryCreateInfoEXT *parts =
        hvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT);
    const VkPipelineLibraryCreateInfoKHR *others =
        hvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR);
    if (parts != NULL) {
        return (parts->flags & part) != 0;
    }
    return others == NULL || others->libraryCount == 0;
}

static bool has_dynamic(const VkGraphicsPipelineCreateInfo *info, VkDynamicState state)
{
    const VkPipelineDynamicStateCreateInfo *dynamic = info->pDynamicState;
    bool has = false;
    for (uint32_t i = 0; dynamic != NULL && i < dynamic->dynamicStateCount; i++) {
        has = has || dynamic->pDynamicStates[i] == state;
    }
    return has;
}

/* What it has of the pipelines that it is made of. */
static void inherit(const struct hvk_context *context, const VkGraphicsPipelineCreateInfo *ids,
                    struct hvk_pipeline_facts *facts)
{
    const VkPipelineLibraryCreateInfoKHR *others =
        hvk_chain_find(ids->pNext, VK_STRUCTURE_TYPE_PIPELINE_LIBRARY_CREATE_INFO_KHR);
    for (uint32_t i = 0; others != NULL && i < others->libraryCount; i++) {
        const struct hvk_object *object =
            hvk_find(context, VK_KIND_VkPipeline, HVK_U64(others->pLibraries[i]), NULL);
        if (object != NULL && object->kind == VK_KIND_VkPipeline) {
            const struct hvk_pipeline_facts *of =
                &((const struct hvk_pipeline *)(const void *)object)->facts;
            facts->tessellates = facts->tessellates || of->tessellates;
            facts->is_patches = facts->is_patches || of->is_patches;
            facts->has_any_topology = facts->has_any_topology || of->has_any_topology;
        }
    }
}

static bool has_stages(const struct hvk_device *device, const VkGraphicsPipelineCreateInfo *info,
                       const VkGraphicsPipelineCreateInfo *ids, struct hvk_pipeline_facts *facts)
{
    uint32_t most = device->physical->properties.limits.maxTessellationPatchSize;
    uint32_t stages = stages_of(info);
    bool first = has_part(info, VK_GRAPHICS_PIPELINE_LIBRARY_PRE_RASTERIZATION_SHADERS_BIT_EXT);
    bool tessellates = (stages & TESSELLATION_STAGES) == TESSELLATION_STAGES;
    const VkPipelineTessellationStateCreateInfo *patches = info->pTessellationState;
    if ((info->stageCount != 0 && stages == 0) || (first && (stages & FIRST_STAGES) == 0) ||
        ((stages & TESSELLATION_STAGES) != 0 && !tessellates) ||
        (tessellates && (patches == NULL || patches->patchControlPoints == 0 ||
                         patches->patchControlPoints > most))) {
        return false;
    }
    facts->tessellates = tessellates;
    facts->has_any_topology = has_dynamic(info, VK_DYNAMIC_STATE_PRIMITIVE_TOPOLOGY);
    facts->is_patches =
        has_part(info, VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT) &&
        info->pInputAssemblyState->topology == VK_PRIMITIVE_TOPOLOGY_PATCH_LIST;
    inherit(device->context, ids, facts);
    return facts->points == 0 || facts->tessellates || !facts->is_patches;
}

bool hvk_graphics_mend(struct hvk_call *call, const struct hvk_device *device,
                       VkGraphicsPipelineCreateInfo *info, const VkGraphicsPipelineCreateInfo *ids,
                       struct hvk_pipeline_facts *facts)
{
    const VkPhysicalDeviceLimits *limits = &device->physical->properties.limits;
    struct vk_unpack *in = &call->in;
#define LACKING(member, none) info->member = info->member != NULL ? info->member : &(none)
    LACKING(pVertexInputState, no_input);
    LACKING(pInputAssemblyState, no_assembly);
    LACKING(pRasterizationState, no_raster);
    LACKING(pDepthStencilState, no_depth);
    if (info->pMultisampleState != NULL) {
        samples_mend((VkPipelineMultisampleStateCreateInfo *)(uintptr_t)info->pMultisampleState);
    }
    LACKING(pMultisampleState, no_samples);
    bool ok = info->pViewportState == NULL ||
              viewports_mend(in, limits,
                             (VkPipelineViewportStateCreateInfo *)(uintptr_t)info->pViewportState);
    LACKING(pViewportState, no_viewports);
    ok = ok &&
         (info->pColorBlendState == NULL ||
          blends_mend(in, limits,
                      (VkPipelineColorBlendStateCreateInfo *)(uintptr_t)info->pColorBlendState));
    LACKING(pColorBlendState, no_blend);
#undef LACKING
    VkPipelineRenderingCreateInfo *rendering =
        (VkPipelineRenderingCreateInfo *)(uintptr_t)hvk_chain_find(
            info->pNext, VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO);
    return ok && rendering_mends(in, limits, rendering) &&
           has_places(limits, info->pVertexInputState) &&
           knows_states(device->physical, info->pDynamicState) &&
           (ids->renderPass == VK_NULL_HANDLE ||
            info->subpass < hvk_pass_subpasses(device->context, ids->renderPass)) &&
           has_stages(device, info, ids, facts);
}
