#include "tests/unit/hvk_scene.h"

#include <string.h>

/* layout(location = 0) in vec4 place; layout(set = 0, binding = 0) uniform Block { vec4 add; };
 * void main() { gl_Position = place + add; } */
static const uint32_t vertex_spv[] = {
    0x7230203,  0x10000,    0x8000b,    0x1c,    0x0,     0x20011, 0x1,     0x6000b, 0x1,
    0x4c534c47, 0x6474732e, 0x3035342e, 0x0,     0x3000e, 0x0,     0x1,     0x7000f, 0x0,
    0x4,        0x6e69616d, 0x0,        0xd,     0x11,    0x50048, 0xb,     0x0,     0xb,
    0x0,        0x50048,    0xb,        0x1,     0xb,     0x1,     0x50048, 0xb,     0x2,
    0xb,        0x3,        0x50048,    0xb,     0x3,     0xb,     0x4,     0x30047, 0xb,
    0x2,        0x40047,    0x11,       0x1e,    0x0,     0x50048, 0x13,    0x0,     0x23,
    0x0,        0x30047,    0x13,       0x2,     0x40047, 0x15,    0x22,    0x0,     0x40047,
    0x15,       0x21,       0x0,        0x20013, 0x2,     0x30021, 0x3,     0x2,     0x30016,
    0x6,        0x20,       0x40017,    0x7,     0x6,     0x4,     0x40015, 0x8,     0x20,
    0x0,        0x4002b,    0x8,        0x9,     0x1,     0x4001c, 0xa,     0x6,     0x9,
    0x6001e,    0xb,        0x7,        0x6,     0xa,     0xa,     0x40020, 0xc,     0x3,
    0xb,        0x4003b,    0xc,        0xd,     0x3,     0x40015, 0xe,     0x20,    0x1,
    0x4002b,    0xe,        0xf,        0x0,     0x40020, 0x10,    0x1,     0x7,     0x4003b,
    0x10,       0x11,       0x1,        0x3001e, 0x13,    0x7,     0x40020, 0x14,    0x2,
    0x13,       0x4003b,    0x14,       0x15,    0x2,     0x40020, 0x16,    0x2,     0x7,
    0x40020,    0x1a,       0x3,        0x7,     0x50036, 0x2,     0x4,     0x0,     0x3,
    0x200f8,    0x5,        0x4003d,    0x7,     0x12,    0x11,    0x50041, 0x16,    0x17,
    0x15,       0xf,        0x4003d,    0x7,     0x18,    0x17,    0x50081, 0x7,     0x19,
    0x12,       0x18,       0x50041,    0x1a,    0x1b,    0xd,     0xf,     0x3003e, 0x1b,
    0x19,       0x100fd,    0x10038,
};

/* layout(set = 0, binding = 1) uniform sampler2D image; layout(location = 0) out vec4 color;
 * void main() { color = texture(image, gl_FragCoord.xy / 16.0); } */
static const uint32_t fragment_spv[] = {
    0x7230203,  0x10000,    0x8000b,    0x18,    0x0,     0x20011, 0x1,     0x6000b,    0x1,
    0x4c534c47, 0x6474732e, 0x3035342e, 0x0,     0x3000e, 0x0,     0x1,     0x7000f,    0x4,
    0x4,        0x6e69616d, 0x0,        0x9,     0x10,    0x30010, 0x4,     0x7,        0x40047,
    0x9,        0x1e,       0x0,        0x40047, 0xd,     0x22,    0x0,     0x40047,    0xd,
    0x21,       0x1,        0x40047,    0x10,    0xb,     0xf,     0x20013, 0x2,        0x30021,
    0x3,        0x2,        0x30016,    0x6,     0x20,    0x40017, 0x7,     0x6,        0x4,
    0x40020,    0x8,        0x3,        0x7,     0x4003b, 0x8,     0x9,     0x3,        0x90019,
    0xa,        0x6,        0x1,        0x0,     0x0,     0x0,     0x1,     0x0,        0x3001b,
    0xb,        0xa,        0x40020,    0xc,     0x0,     0xb,     0x4003b, 0xc,        0xd,
    0x0,        0x40020,    0xf,        0x1,     0x7,     0x4003b, 0xf,     0x10,       0x1,
    0x40017,    0x11,       0x6,        0x2,     0x4002b, 0x6,     0x14,    0x41800000, 0x50036,
    0x2,        0x4,        0x0,        0x3,     0x200f8, 0x5,     0x4003d, 0xb,        0xe,
    0xd,        0x4003d,    0x7,        0x12,    0x10,    0x7004f, 0x11,    0x13,       0x12,
    0x12,       0x0,        0x1,        0x50050, 0x11,    0x15,    0x14,    0x14,       0x50088,
    0x11,       0x16,       0x13,       0x15,    0x50057, 0x7,     0x17,    0xe,        0x16,
    0x3003e,    0x9,        0x17,       0x100fd, 0x10038,
};

const uint32_t *scene_code(uint32_t stage, size_t *size)
{
    *size = stage == 0 ? sizeof vertex_spv : sizeof fragment_spv;
    return stage == 0 ? vertex_spv : fragment_spv;
}

void scene_pipeline_fill(const struct scene *s, struct scene_pipeline *p)
{
    *p = (struct scene_pipeline){0};
    const VkShaderModule modules[2] = {s->vertex, s->fragment};
    for (uint32_t i = 0; i < 2; i++) {
        p->stages[i] = (VkPipelineShaderStageCreateInfo){
            .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
            .stage = i == 0 ? VK_SHADER_STAGE_VERTEX_BIT : VK_SHADER_STAGE_FRAGMENT_BIT,
            .module = modules[i],
            .pName = "main"};
    }
    p->binding.stride = 16;
    p->attribute.format = VK_FORMAT_R32G32B32A32_SFLOAT;
    p->input = (VkPipelineVertexInputStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
        .vertexBindingDescriptionCount = 1,
        .pVertexBindingDescriptions = &p->binding,
        .vertexAttributeDescriptionCount = 1,
        .pVertexAttributeDescriptions = &p->attribute};
    p->assembly = (VkPipelineInputAssemblyStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
        .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    p->viewport = (VkPipelineViewportStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
        .viewportCount = 1,
        .scissorCount = 1};
    p->raster = (VkPipelineRasterizationStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
    p->samples = (VkPipelineMultisampleStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO,
        .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
    p->depth = (VkPipelineDepthStencilStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO,
        .depthTestEnable = VK_TRUE,
        .depthWriteEnable = VK_TRUE,
        .depthCompareOp = VK_COMPARE_OP_LESS};
    for (uint32_t i = 0; i < 8; i++) {
        p->blends[i].colorWriteMask = 0xf;
    }
    p->blend = (VkPipelineColorBlendStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
        .attachmentCount = 1,
        .pAttachments = p->blends};
    p->states[0] = VK_DYNAMIC_STATE_VIEWPORT;
    p->states[1] = VK_DYNAMIC_STATE_SCISSOR;
    p->dynamic = (VkPipelineDynamicStateCreateInfo){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
        .dynamicStateCount = 2,
        .pDynamicStates = p->states};
    p->rendering.sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO;
    p->info =
        (VkGraphicsPipelineCreateInfo){.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
                                       .stageCount = 2,
                                       .pStages = p->stages,
                                       .pVertexInputState = &p->input,
                                       .pInputAssemblyState = &p->assembly,
                                       .pViewportState = &p->viewport,
                                       .pRasterizationState = &p->raster,
                                       .pMultisampleState = &p->samples,
                                       .pDepthStencilState = &p->depth,
                                       .pColorBlendState = &p->blend,
                                       .pDynamicState = &p->dynamic,
                                       .layout = s->layout,
                                       .renderPass = s->pass};
}

VkResult scene_pipeline_make(struct vk_world *w, const struct scene_pipeline *p, VkPipeline *out)
{
    VkResult r = VK_ERROR_UNKNOWN;
    *out = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateGraphicsPipelines, w->device, VK_NULL_HANDLE, 1, &p->info, NULL, out);
    if (!w->main.lost) {
        VK_READ(&w->main, CreateGraphicsPipelines, w->device, VK_NULL_HANDLE, 1, &p->info, NULL,
                out, &r);
    }
    return r;
}

static void set_make(struct vk_world *w, struct scene *s)
{
    const VkDescriptorSetLayoutBinding bindings[] = {
        {0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1, VK_SHADER_STAGE_VERTEX_BIT, NULL},
        {1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_FRAGMENT_BIT, NULL}};
    const VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 2,
        .pBindings = bindings};
    s->set_layout = VP_CREATE(w, DescriptorSetLayout, &set);
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &s->set_layout};
    s->layout = VP_CREATE(w, PipelineLayout, &layout);
    const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 4},
                                          {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 4}};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = 4,
                                             .poolSizeCount = 2,
                                             .pPoolSizes = sizes};
    s->pool = VP_CREATE(w, DescriptorPool, &pool);
    const struct vp_compute c = {.pool = s->pool, .set_layout = s->set_layout};
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &s->set));
}

static void set_write(struct vk_world *w, const struct scene *s)
{
    const VkDescriptorBufferInfo buffer = {.buffer = s->h.m.buffer, .range = 16};
    const VkDescriptorImageInfo image = {
        .sampler = s->sampler,
        .imageView =
            vp_view_make(w, s->h.image, VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_ASPECT_COLOR_BIT),
        .imageLayout = VK_IMAGE_LAYOUT_GENERAL};
    const VkWriteDescriptorSet writes[] = {
        {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
         .dstSet = s->set,
         .descriptorCount = 1,
         .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC,
         .pBufferInfo = &buffer},
        {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
         .dstSet = s->set,
         .dstBinding = 1,
         .descriptorCount = 1,
         .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
         .pImageInfo = &image}};
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 2, writes, 0, NULL);
}

void scene_init(struct vk_world *w)
{
    vk_world_init(w);
    w->wants_more = true;
}

void scene_make(struct vk_world *w, struct scene *s)
{
    VkImageCreateInfo image =
        vp_image_info(SIDE, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    const VkSamplerCreateInfo sampler = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    const VkFormat formats[2] = {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_D32_SFLOAT};
    *s = (struct scene){0};
    hostile_make(w, &s->h);
    s->target = vp_image_make(w, &image);
    s->view = vp_view_make(w, s->target, formats[0], VK_IMAGE_ASPECT_COLOR_BIT);
    image.format = formats[1];
    image.usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                  VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    s->depth = vp_image_make(w, &image);
    s->depth_view = vp_view_make(w, s->depth, formats[1], VK_IMAGE_ASPECT_DEPTH_BIT);
    s->sampler = VP_CREATE(w, Sampler, &sampler);
    s->pass = vp_pass_make(w, 1, formats, VK_SAMPLE_COUNT_1_BIT);
    s->depth_pass = vp_pass_make(w, 2, formats, VK_SAMPLE_COUNT_1_BIT);
    const VkImageView views[2] = {s->view, s->depth_view};
    const VkFramebufferCreateInfo framebuffer = vp_framebuffer_info(s->pass, 1, views, SIDE);
    const VkFramebufferCreateInfo deep = vp_framebuffer_info(s->depth_pass, 2, views, SIDE);
    s->framebuffer = VP_CREATE(w, Framebuffer, &framebuffer);
    s->depth_framebuffer = VP_CREATE(w, Framebuffer, &deep);
    set_make(w, s);
    set_write(w, s);
    s->vertex = vp_shader(w, vertex_spv, sizeof vertex_spv);
    s->fragment = vp_shader(w, fragment_spv, sizeof fragment_spv);
    struct scene_pipeline p;
    scene_pipeline_fill(s, &p);
    SLT_ASSERT_EQ(VK_SUCCESS, scene_pipeline_make(w, &p, &s->pipeline));
    VkCommandPool pool = vp_pool_make(w);
    vp_buffers_make(w, pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &s->commands);
    vp_buffers_make(w, pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1, &s->secondary);
    const float corners[12] = {-1, -1, 0, 1, 3, -1, 0, 1, -1, 3, 0, 1};
    const uint32_t indirect[5] = {3, 1, 1u << 20, 1u << 30, 7};
    memcpy(s->h.m.words + 16, corners, sizeof corners);
    memcpy(s->h.m.words + 48, indirect, sizeof indirect); /* far past all there is */
}

void scene_pass_begin(struct vk_pack *p, const struct scene *s)
{
    const VkClearValue value = {.color = {.float32 = {1, 0, 1, 0}}};
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = s->pass,
                                         .framebuffer = s->framebuffer,
                                         .renderArea = {{0, 0}, {SIDE, SIDE}},
                                         .clearValueCount = 1,
                                         .pClearValues = &value};
    vk_pack_vkCmdBeginRenderPass(p, &begin, VK_SUBPASS_CONTENTS_INLINE);
}

void scene_state(struct vk_pack *p, const struct scene *s)
{
    const VkViewport viewport = {.width = SIDE, .height = SIDE, .maxDepth = 1};
    const VkRect2D scissor = {.extent = {SIDE, SIDE}};
    const VkDeviceSize offset = 64;
    const uint32_t zero = 0;
    vk_pack_vkCmdSetViewport(p, 0, 1, &viewport);
    vk_pack_vkCmdSetScissor(p, 0, 1, &scissor);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->layout, 0, 1, &s->set, 1,
                                    &zero);
    vk_pack_vkCmdBindVertexBuffers(p, 0, 1, &s->h.m.buffer, &offset);
    vk_pack_vkCmdBindIndexBuffer(p, s->h.m.buffer, 128, VK_INDEX_TYPE_UINT16);
}

void scene_bind(struct vk_pack *p, const struct scene *s, VkPipeline pipeline)
{
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    scene_state(p, s);
}

#define LONG_NS (60ull * 1000 * 1000 * 1000)

/* The commands end, and are submitted where the ring still is: the work ends, one way or the other,
 * and another device of the host's still works. */
void scene_survives(struct vk_world *w, const struct scene *s, struct vk_pack *recorded)
{
    vk_pack_vkEndCommandBufferAsyncGOOGLE(recorded);
    vp_flush(w, s->commands, recorded);
    vk_pack_finish(recorded);
    if (w->main.lost) {
        return;
    }
    VkFence fence = vp_fence_make(w);
    vp_submit(w, s->commands, fence);
    VkResult r = vp_wait(w, fence, LONG_NS);
    SLT_EXPECT_TRUE(r == VK_SUCCESS || r == VK_ERROR_DEVICE_LOST);
}

/* Drawn with in a pass of depth, too: each of the pipelines' passes is another one's wrong one. */
static void depth_pass_begin(struct vk_pack *p, const struct scene *s)
{
    const VkClearValue values[2] = {{.depthStencil = {.depth = 1}}, {.depthStencil = {.depth = 1}}};
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = s->depth_pass,
                                         .framebuffer = s->depth_framebuffer,
                                         .renderArea = {{0, 0}, {SIDE, SIDE}},
                                         .clearValueCount = 2,
                                         .pClearValues = values};
    vk_pack_vkCmdBeginRenderPass(p, &begin, VK_SUBPASS_CONTENTS_INLINE);
}

void scene_draw(struct vk_world *w, const struct scene *s, VkPipeline pipeline, bool depth)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    if (depth) {
        depth_pass_begin(&recorded, s);
    } else {
        scene_pass_begin(&recorded, s);
    }
    scene_bind(&recorded, s, pipeline);
    vk_pack_vkCmdDraw(&recorded, 3, 2, 0, 0);
    vk_pack_vkCmdDrawIndexed(&recorded, 3, 1, 0, 0, 0);
    vk_pack_vkCmdEndRenderPass(&recorded);
    scene_survives(w, s, &recorded);
}

void scene_ready(struct vk_pack *p, const struct scene *s)
{
    scene_pass_begin(p, s);
    scene_bind(p, s, s->pipeline);
}

void scene_triangle(struct vk_pack *p)
{
    vk_pack_vkCmdDraw(p, 3, 1, 0, 0);
}

void scene_done(struct vk_pack *p)
{
    vk_pack_vkCmdEndRenderPass(p);
}

void scene_case(struct vk_world *w, const struct draw_case *c)
{
    struct scene s;
    struct vk_pack recorded;
    scene_make(w, &s);
    vp_begin(&recorded);
    c->record(&recorded, &s);
    scene_survives(w, &s, &recorded);
    VK_SEND(&w->main, DestroyQueryPool, w->device, s.h.queries, NULL);
    if (!w->main.lost) { /* whatever it left behind is drawn past */
        scene_draw(w, &s, s.pipeline, false);
    }
}
