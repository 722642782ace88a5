#include "tests/integration/vulkan/vx.h"

#include <string.h>

VkShaderModule vx_shader(struct vx *vx, struct vx_code code)
{
    VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                     .codeSize = code.size,
                                     .pCode = code.words};
    VkShaderModule module;
    VX(vx, vkCreateShaderModule(vx->device, &info, NULL, &module));
    return module;
}

/* ---- descriptors ---- */

static VkDescriptorType type_of(char letter)
{
    switch (letter) {
    case 'u':
        return VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
    case 's':
        return VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    case 't':
        return VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
    case 'i':
        return VK_DESCRIPTOR_TYPE_STORAGE_IMAGE;
    default:
        vx_need(letter == 'a', "a letter of a set layout");
        return VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT;
    }
}

VkDescriptorSetLayout vx_set_layout(struct vx *vx, const char *letters)
{
    VkDescriptorSetLayoutBinding bindings[8];
    uint32_t count = (uint32_t)strlen(letters);
    vx_need(count <= 8, "at most 8 bindings");
    for (uint32_t i = 0; i < count; i++) {
        bool is_attachment = letters[i] == 'a';
        bindings[i] = (VkDescriptorSetLayoutBinding){
            .binding = i,
            .descriptorType = type_of(letters[i]),
            .descriptorCount = 1,
            .stageFlags = is_attachment ? VK_SHADER_STAGE_FRAGMENT_BIT : VK_SHADER_STAGE_ALL,
        };
    }
    VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = count,
        .pBindings = bindings,
    };
    VkDescriptorSetLayout layout;
    VX(vx, vkCreateDescriptorSetLayout(vx->device, &info, NULL, &layout));
    return layout;
}

VkDescriptorPool vx_descriptor_pool(struct vx *vx, uint32_t sets)
{
    const VkDescriptorPoolSize sizes[] = {
        {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 8 * sets},
        {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 8 * sets},
        {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 8 * sets},
        {VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, 8 * sets},
        {VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT, 8 * sets},
    };
    VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
        .maxSets = sets,
        .poolSizeCount = sizeof sizes / sizeof sizes[0],
        .pPoolSizes = sizes,
    };
    VkDescriptorPool pool;
    VX(vx, vkCreateDescriptorPool(vx->device, &info, NULL, &pool));
    return pool;
}

VkDescriptorSet vx_set(struct vx *vx, VkDescriptorPool pool, VkDescriptorSetLayout layout)
{
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = pool,
                                        .descriptorSetCount = 1,
                                        .pSetLayouts = &layout};
    VkDescriptorSet set;
    VX(vx, vkAllocateDescriptorSets(vx->device, &info, &set));
    return set;
}

void vx_write_buffer(struct vx *vx, VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                     const struct vx_buffer *buffer)
{
    VkDescriptorBufferInfo info = {buffer->buffer, 0, VK_WHOLE_SIZE};
    VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .dstSet = set,
                                  .dstBinding = binding,
                                  .descriptorCount = 1,
                                  .descriptorType = type,
                                  .pBufferInfo = &info};
    vkUpdateDescriptorSets(vx->device, 1, &write, 0, NULL);
}

void vx_write_image(struct vx *vx, VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                    const struct vx_image *image, VkSampler sampler, VkImageLayout layout)
{
    VkDescriptorImageInfo info = {sampler, image->view, layout};
    VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .dstSet = set,
                                  .dstBinding = binding,
                                  .descriptorCount = 1,
                                  .descriptorType = type,
                                  .pImageInfo = &info};
    vkUpdateDescriptorSets(vx->device, 1, &write, 0, NULL);
}

VkPipelineLayout vx_pipeline_layout(struct vx *vx, VkDescriptorSetLayout set,
                                    VkShaderStageFlags push_stages, uint32_t push_size)
{
    VkPushConstantRange range = {push_stages, 0, push_size};
    VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                       .setLayoutCount = set != VK_NULL_HANDLE,
                                       .pSetLayouts = &set,
                                       .pushConstantRangeCount = push_size > 0,
                                       .pPushConstantRanges = &range};
    VkPipelineLayout layout;
    VX(vx, vkCreatePipelineLayout(vx->device, &info, NULL, &layout));
    return layout;
}

VkQueryPool vx_query_pool(struct vx *vx, VkQueryType type, uint32_t count,
                          VkQueryPipelineStatisticFlags what)
{
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = type,
                                        .queryCount = count,
                                        .pipelineStatistics = what};
    VkQueryPool pool;
    VX(vx, vkCreateQueryPool(vx->device, &info, NULL, &pool));
    return pool;
}

VkSampler vx_sampler(struct vx *vx, VkFilter filter)
{
    VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                .magFilter = filter,
                                .minFilter = filter,
                                .mipmapMode = filter == VK_FILTER_LINEAR
                                                  ? VK_SAMPLER_MIPMAP_MODE_LINEAR
                                                  : VK_SAMPLER_MIPMAP_MODE_NEAREST,
                                .addressModeU = VK_SAMPLER_ADDRESS_MODE_REPEAT,
                                .addressModeV = VK_SAMPLER_ADDRESS_MODE_MIRRORED_REPEAT,
                                .addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                .maxLod = VK_LOD_CLAMP_NONE};
    VkSampler sampler;
    VX(vx, vkCreateSampler(vx->device, &info, NULL, &sampler));
    return sampler;
}

/* ---- pipelines ---- */

VkPipeline vx_compute_pipeline(struct vx *vx, struct vx_code code, VkPipelineLayout layout,
                               const VkSpecializationInfo *constants)
{
    VkShaderModule module = vx_shader(vx, code);
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = constants},
        .layout = layout,
    };
    VkPipeline pipeline;
    VX(vx, vkCreateComputePipelines(vx->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline));
    vkDestroyShaderModule(vx->device, module, NULL);
    return pipeline;
}

static const VkVertexInputBindingDescription vertex_bindings[] = {
    {0, sizeof(struct vx_vertex), VK_VERTEX_INPUT_RATE_VERTEX},
    {1, 2 * sizeof(float), VK_VERTEX_INPUT_RATE_INSTANCE},
};
static const VkVertexInputAttributeDescription vertex_attributes[] = {
    {0, 0, VK_FORMAT_R32G32_SFLOAT, offsetof(struct vx_vertex, position)},
    {1, 0, VK_FORMAT_R32G32B32A32_SFLOAT, offsetof(struct vx_vertex, colour)},
    {2, 1, VK_FORMAT_R32G32_SFLOAT, 0},
};

static VkPipelineColorBlendAttachmentState blend_of(const struct vx_pipeline *p)
{
    return (VkPipelineColorBlendAttachmentState){
        .blendEnable = p->blends,
        .srcColorBlendFactor = VK_BLEND_FACTOR_SRC_ALPHA,
        .dstColorBlendFactor = VK_BLEND_FACTOR_ONE_MINUS_SRC_ALPHA,
        .srcAlphaBlendFactor = VK_BLEND_FACTOR_ONE,
        .dstAlphaBlendFactor = VK_BLEND_FACTOR_ZERO,
        .colorWriteMask = p->writes_nothing ? 0 : 15,
    };
}

VkPipeline vx_graphics_pipeline(struct vx *vx, const struct vx_pipeline *p)
{
    VkShaderModule modules[] = {
        vx_shader(vx, p->vertex),
        p->fragment.words != NULL ? vx_shader(vx, p->fragment) : VK_NULL_HANDLE,
    };
    const VkPipelineShaderStageCreateInfo stages[] = {
        {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
         .stage = VK_SHADER_STAGE_VERTEX_BIT,
         .module = modules[0],
         .pName = "main"},
        {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
         .stage = VK_SHADER_STAGE_FRAGMENT_BIT,
         .module = modules[1],
         .pName = "main",
         .pSpecializationInfo = p->constants},
    };
    VkPipelineVertexInputStateCreateInfo input = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
        .vertexBindingDescriptionCount = p->has_instances ? 2 : p->has_vertices,
        .pVertexBindingDescriptions = vertex_bindings,
        .vertexAttributeDescriptionCount = p->has_instances  ? 3
                                           : p->has_vertices ? 2
                                                             : 0,
        .pVertexAttributeDescriptions = vertex_attributes,
    };
    VkPipelineInputAssemblyStateCreateInfo assembly = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
        .topology = p->topology,
        .primitiveRestartEnable = p->restarts,
    };
    const VkExtent2D size = {p->width != 0 ? p->width : VX_SIDE,
                             p->height != 0 ? p->height : VX_SIDE};
    const VkViewport whole = {0, 0, (float)size.width, (float)size.height, 0, 1};
    const VkRect2D all = {{0, 0}, size};
    VkPipelineViewportStateCreateInfo viewport = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
        .viewportCount = 1,
        .pViewports = &whole,
        .scissorCount = 1,
        .pScissors = &all,
    };
    VkPipelineRasterizationStateCreateInfo raster = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
        .lineWidth = 1,
    };
    VkPipelineMultisampleStateCreateInfo samples = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
        .rasterizationSamples = p->samples != 0 ? p->samples : VK_SAMPLE_COUNT_1_BIT,
        .sampleShadingEnable = p->sample_shading,
        .minSampleShading = 1,
    };
    VkPipelineColorBlendAttachmentState blends[4];
    for (int i = 0; i < 4; i++) {
        blends[i] = blend_of(p);
    }
    VkPipelineColorBlendStateCreateInfo blend = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
        .attachmentCount = p->colours != 0 ? p->colours : 1,
        .pAttachments = blends,
    };
    VkGraphicsPipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
        .pNext = p->next,
        .stageCount = modules[1] != VK_NULL_HANDLE ? 2 : 1,
        .pStages = stages,
        .pVertexInputState = &input,
        .pInputAssemblyState = &assembly,
        .pViewportState = &viewport,
        .pRasterizationState = &raster,
        .pMultisampleState = &samples,
        .pDepthStencilState = p->depth_stencil,
        .pColorBlendState = &blend,
        .layout = p->layout,
        .renderPass = p->pass,
        .subpass = p->subpass,
    };
    VkPipeline pipeline;
    VX(vx, vkCreateGraphicsPipelines(vx->device, p->cache, 1, &info, NULL, &pipeline));
    vkDestroyShaderModule(vx->device, modules[0], NULL);
    vkDestroyShaderModule(vx->device, modules[1], NULL);
    return pipeline;
}

/* ---- a picture ---- */

struct vx_target vx_target(struct vx *vx, VkFormat format)
{
    return vx_target_sized(vx, format, VX_SIDE, VX_SIDE);
}

struct vx_target vx_target_sized(struct vx *vx, VkFormat format, uint32_t width, uint32_t height)
{
    struct vx_target t;
    VkImageCreateInfo image = vx_image_info(format, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                                        VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    image.extent = (VkExtent3D){width, height, 1};
    t.image = vx_image(vx, &image, VK_IMAGE_ASPECT_COLOR_BIT);
    VkAttachmentDescription attachment = {.format = format,
                                          .samples = VK_SAMPLE_COUNT_1_BIT,
                                          .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                          .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                                          .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
                                          .stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
                                          .finalLayout = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL};
    VkAttachmentReference colour = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    VkSubpassDescription subpass = {.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                    .colorAttachmentCount = 1,
                                    .pColorAttachments = &colour};
    VkRenderPassCreateInfo pass = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                   .attachmentCount = 1,
                                   .pAttachments = &attachment,
                                   .subpassCount = 1,
                                   .pSubpasses = &subpass};
    VX(vx, vkCreateRenderPass(vx->device, &pass, NULL, &t.pass));
    VkFramebufferCreateInfo framebuffer = {.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                           .renderPass = t.pass,
                                           .attachmentCount = 1,
                                           .pAttachments = &t.image.view,
                                           .width = width,
                                           .height = height,
                                           .layers = 1};
    VX(vx, vkCreateFramebuffer(vx->device, &framebuffer, NULL, &t.framebuffer));
    return t;
}

void vx_pass_of_two(struct vx *vx, const VkAttachmentDescription attachments[2],
                    VkImageLayout second, const VkImageView views[2], VkRenderPass *pass,
                    VkFramebuffer *framebuffer)
{
    const VkAttachmentReference colour = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkAttachmentReference other = {1, second};
    bool resolves = second == VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL;
    const VkSubpassDescription subpass = {.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                          .colorAttachmentCount = 1,
                                          .pColorAttachments = &colour,
                                          .pResolveAttachments = resolves ? &other : NULL,
                                          .pDepthStencilAttachment = resolves ? NULL : &other};
    const VkRenderPassCreateInfo info = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                         .attachmentCount = 2,
                                         .pAttachments = attachments,
                                         .subpassCount = 1,
                                         .pSubpasses = &subpass};
    VX(vx, vkCreateRenderPass(vx->device, &info, NULL, pass));
    const VkFramebufferCreateInfo sides = {.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                           .renderPass = *pass,
                                           .attachmentCount = 2,
                                           .pAttachments = views,
                                           .width = VX_SIDE,
                                           .height = VX_SIDE,
                                           .layers = 1};
    VX(vx, vkCreateFramebuffer(vx->device, &sides, NULL, framebuffer));
}

void vx_target_free(struct vx *vx, struct vx_target *target)
{
    vkDestroyFramebuffer(vx->device, target->framebuffer, NULL);
    vkDestroyRenderPass(vx->device, target->pass, NULL);
    vx_image_free(vx, &target->image);
}

void vx_begin_target(VkCommandBuffer commands, const struct vx_target *target,
                     VkSubpassContents contents)
{
    static const VkClearValue clear = {.color = {.float32 = {0.1f, 0.2f, 0.3f, 1}}};
    VkRenderPassBeginInfo begin = {
        .sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
        .renderPass = target->pass,
        .framebuffer = target->framebuffer,
        .renderArea = {{0, 0}, {target->image.width, target->image.height}},
        .clearValueCount = 1,
        .pClearValues = &clear};
    vkCmdBeginRenderPass(commands, &begin, contents);
}

void vx_show_target(struct vx *vx, const char *name, const struct vx_target *target)
{
    vx_show_image(vx, name, &target->image, VK_IMAGE_ASPECT_COLOR_BIT,
                  VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, 4);
}

void vx_triangles(struct vx_vertex *vertices, uint32_t triangles, uint32_t seed)
{
    for (uint32_t i = 0; i < 3 * triangles; i++) {
        uint8_t random[6];
        vx_bytes(random, sizeof random, seed + i);
        for (int k = 0; k < 2; k++) {
            vertices[i].position[k] = (float)random[k] / 127.5f - 1;
        }
        for (int k = 0; k < 4; k++) {
            vertices[i].colour[k] = (float)random[2 + k] / 255;
        }
    }
}
