/* Descriptor updates by templates, by copies and pushed into commands: each must do what plain
 * writes do. And writes whose ignored members dangle, with immutable samplers and inline blocks. */
#include "tests/integration/vulkan/vx.h"

#include "templates_comp.h"

#include <stdio.h>

struct scene {
    struct vx_buffer uniforms, result;
    struct vx_image image, target;
    VkSampler sampler;
    VkDescriptorSetLayout set_layout, push_layout;
    VkPipelineLayout layout, pushed;
    VkPipeline pipeline;
};

/* What a template reads: in another order than the bindings, with gaps. */
struct data {
    VkDescriptorImageInfo image;
    uint64_t gap;
    VkDescriptorBufferInfo uniforms;
    VkDescriptorImageInfo target;
    VkDescriptorBufferInfo result;
};

static const VkDescriptorUpdateTemplateEntry entries[] = {
    {0, 0, 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, offsetof(struct data, uniforms), 0},
    {1, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, offsetof(struct data, result), 0},
    {2, 0, 1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, offsetof(struct data, image), 0},
    {3, 0, 1, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, offsetof(struct data, target), 0},
};

static struct data data_of(const struct scene *s)
{
    return (struct data){
        .image = {s->sampler, s->image.view, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL},
        .uniforms = {s->uniforms.buffer, 0, 16},
        .target = {VK_NULL_HANDLE, s->target.view, VK_IMAGE_LAYOUT_GENERAL},
        .result = {s->result.buffer, 0, VK_WHOLE_SIZE},
    };
}

static VkDescriptorUpdateTemplate make_template(struct vx *vx, const struct scene *s, bool pushes)
{
    const VkDescriptorUpdateTemplateCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
        .descriptorUpdateEntryCount = 4,
        .pDescriptorUpdateEntries = entries,
        .templateType = pushes ? VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS_KHR
                               : VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET,
        .descriptorSetLayout = s->set_layout,
        .pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE,
        .pipelineLayout = s->pushed,
        .set = 0};
    VkDescriptorUpdateTemplate template;
    VX(vx, vkCreateDescriptorUpdateTemplate(vx->device, &info, NULL, &template));
    return template;
}

static void write_plainly(struct vx *vx, const struct scene *s, VkDescriptorSet set)
{
    vx_write_buffer(vx, set, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, &s->uniforms);
    vx_write_buffer(vx, set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &s->result);
    vx_write_image(vx, set, 2, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, &s->image, s->sampler,
                   VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    vx_write_image(vx, set, 3, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, &s->target, VK_NULL_HANDLE,
                   VK_IMAGE_LAYOUT_GENERAL);
}

/* The bound descriptors are in `commands` already. */
static void run(struct vx *vx, struct scene *s, const char *name, VkCommandBuffer commands)
{
    char text[64];
    vkCmdDispatch(commands, VX_SIDE / 8, VX_SIDE / 8, 1);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    snprintf(text, sizeof text, "%s.buffer", name);
    vx_show(vx, text, s->result.map, s->result.size);
    snprintf(text, sizeof text, "%s.image", name);
    vx_show_image(vx, text, &s->target, VK_IMAGE_ASPECT_COLOR_BIT, VK_IMAGE_LAYOUT_GENERAL, 4);
    for (int i = 0; i < 4; i++) { /* the next must differ */
        ((float *)s->uniforms.map)[i] *= 0.875f;
    }
}

static void run_set(struct vx *vx, struct scene *s, const char *name, VkDescriptorSet set)
{
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, s->pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, s->layout, 0, 1, &set, 0,
                            NULL);
    run(vx, s, name, commands);
}

static void sets(struct vx *vx, struct scene *s)
{
    VkDescriptorPool pool = vx_descriptor_pool(vx, 3);
    VkDescriptorSet all[3];
    for (int i = 0; i < 3; i++) {
        all[i] = vx_set(vx, pool, s->set_layout);
    }
    write_plainly(vx, s, all[0]);
    run_set(vx, s, "plain", all[0]);
    VkDescriptorUpdateTemplate template = make_template(vx, s, false);
    const struct data data = data_of(s);
    vkUpdateDescriptorSetWithTemplate(vx->device, all[1], template, &data);
    run_set(vx, s, "template", all[1]);
    vkDestroyDescriptorUpdateTemplate(vx->device, template, NULL);
    VkCopyDescriptorSet copies[4];
    for (uint32_t i = 0; i < 4; i++) {
        copies[i] = (VkCopyDescriptorSet){.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
                                          .srcSet = all[1],
                                          .srcBinding = i,
                                          .dstSet = all[2],
                                          .dstBinding = i,
                                          .descriptorCount = 1};
    }
    vkUpdateDescriptorSets(vx->device, 0, NULL, 4, copies);
    run_set(vx, s, "copy", all[2]);
    VX(vx, vkFreeDescriptorSets(vx->device, pool, 2, all));
    VX(vx, vkResetDescriptorPool(vx->device, pool, 0));
    VkDescriptorSet again = vx_set(vx, pool, s->set_layout);
    write_plainly(vx, s, again);
    run_set(vx, s, "after-reset", again);
    vkDestroyDescriptorPool(vx->device, pool, NULL);
}

static void pushes(struct vx *vx, struct scene *s, bool by_template)
{
    PFN_vkCmdPushDescriptorSetKHR push =
        (PFN_vkCmdPushDescriptorSetKHR)vkGetDeviceProcAddr(vx->device, "vkCmdPushDescriptorSetKHR");
    PFN_vkCmdPushDescriptorSetWithTemplateKHR push_template =
        (PFN_vkCmdPushDescriptorSetWithTemplateKHR)vkGetDeviceProcAddr(
            vx->device, "vkCmdPushDescriptorSetWithTemplateKHR");
    vx_need(push != NULL && push_template != NULL, "the commands of VK_KHR_push_descriptor");
    const struct data data = data_of(s);
    VkWriteDescriptorSet writes[4];
    for (uint32_t i = 0; i < 4; i++) {
        const uint8_t *at = (const uint8_t *)&data + entries[i].offset;
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType = entries[i].descriptorType,
                                           .pImageInfo = (const void *)at,
                                           .pBufferInfo = (const void *)at};
    }
    VkDescriptorUpdateTemplate template = make_template(vx, s, true);
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, s->pipeline);
    if (by_template) {
        push_template(commands, template, s->pushed, 0, &data);
    } else {
        push(commands, VK_PIPELINE_BIND_POINT_COMPUTE, s->pushed, 0, 4, writes);
    }
    run(vx, s, by_template ? "push-template" : "push", commands);
    vkDestroyDescriptorUpdateTemplate(vx->device, template, NULL);
}

#define GARBAGE ((void *)0x10)

/* Samplers of the layout, and nothing else that counts, where handles and pointers dangle. */
static VkDescriptorSetLayout dangling_layout(struct vx *vx, const struct scene *s, bool block)
{
    VkDescriptorSetLayoutBinding bindings[4];
    for (uint32_t i = 0; i < 4; i++) {
        bindings[i] =
            (VkDescriptorSetLayoutBinding){.binding = i,
                                           .descriptorType = entries[i].descriptorType,
                                           .descriptorCount = 1,
                                           .stageFlags = VK_SHADER_STAGE_ALL,
                                           .pImmutableSamplers = i == 2 ? &s->sampler : GARBAGE};
    }
    if (block) {
        bindings[0].descriptorType = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
        bindings[0].descriptorCount = 16;
    }
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 4,
        .pBindings = bindings};
    VkDescriptorSetLayout layout;
    VX(vx, vkCreateDescriptorSetLayout(vx->device, &info, NULL, &layout));
    return layout;
}

static VkDescriptorPool dangling_pool(struct vx *vx, bool block)
{
    VkDescriptorPoolSize sizes[5];
    for (uint32_t i = 0; i < 4; i++) {
        sizes[i] = (VkDescriptorPoolSize){entries[i].descriptorType, 1};
    }
    sizes[4] = (VkDescriptorPoolSize){VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 16};
    const VkDescriptorPoolInlineUniformBlockCreateInfo blocks = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO,
        .maxInlineUniformBlockBindings = 1};
    const VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .pNext = block ? &blocks : NULL,
                                             .maxSets = 1,
                                             .poolSizeCount = block ? 5 : 4,
                                             .pPoolSizes = sizes};
    VkDescriptorPool pool;
    VX(vx, vkCreateDescriptorPool(vx->device, &info, NULL, &pool));
    return pool;
}

static void dangling(struct vx *vx, struct scene *s, bool block)
{
    VkDescriptorSetLayout set_layout = dangling_layout(vx, s, block);
    VkDescriptorPool pool = dangling_pool(vx, block);
    VkDescriptorSet set = vx_set(vx, pool, set_layout);
    struct data data = data_of(s);
    data.image.sampler = GARBAGE;
    data.target.sampler = GARBAGE;
    const VkWriteDescriptorSetInlineUniformBlock bytes = {
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
        .dataSize = 16,
        .pData = s->uniforms.map};
    VkWriteDescriptorSet writes[4];
    for (uint32_t i = 0; i < 4; i++) {
        const uint8_t *at = (const uint8_t *)&data + entries[i].offset;
        bool is_image = i >= 2;
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = set,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType = entries[i].descriptorType,
                                           .pImageInfo = is_image ? (const void *)at : GARBAGE,
                                           .pBufferInfo = is_image ? GARBAGE : (const void *)at,
                                           .pTexelBufferView = GARBAGE};
    }
    if (block) {
        writes[0].pNext = &bytes;
        writes[0].descriptorType = VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
        writes[0].descriptorCount = 16;
        writes[0].pBufferInfo = GARBAGE;
    }
    vkUpdateDescriptorSets(vx->device, 4, writes, 0, NULL);
    VkPipelineLayout before = s->layout;
    s->layout = vx_pipeline_layout(vx, set_layout, 0, 0);
    s->pipeline = vx_compute_pipeline(vx, VX_CODE(templates_comp), s->layout, NULL);
    run_set(vx, s, block ? "dangling-block" : "dangling", set);
    vkDestroyPipeline(vx->device, s->pipeline, NULL);
    vkDestroyPipelineLayout(vx->device, s->layout, NULL);
    s->layout = before;
    vkDestroyDescriptorPool(vx->device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx->device, set_layout, NULL);
}

/* Pipelines are compatible with both layouts' sets only when made for them. */
static void make_push_layout(struct vx *vx, struct scene *s)
{
    VkDescriptorSetLayoutBinding bindings[4];
    for (uint32_t i = 0; i < 4; i++) {
        bindings[i] = (VkDescriptorSetLayoutBinding){.binding = i,
                                                     .descriptorType = entries[i].descriptorType,
                                                     .descriptorCount = 1,
                                                     .stageFlags = VK_SHADER_STAGE_ALL};
    }
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
        .bindingCount = 4,
        .pBindings = bindings};
    VX(vx, vkCreateDescriptorSetLayout(vx->device, &info, NULL, &s->push_layout));
    s->pushed = vx_pipeline_layout(vx, s->push_layout, 0, 0);
}

static void make_images(struct vx *vx, struct scene *s)
{
    static uint8_t texels[VX_SIDE * VX_SIDE * 4];
    VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_R8G8B8A8_UNORM,
                      VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_STORAGE_BIT |
                          VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    s->image = vx_image(vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    s->target = vx_image(vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
    vx_bytes(texels, sizeof texels, 71);
    vx_fill_image(vx, &s->image, texels, sizeof texels, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    vx_fill_image(vx, &s->target, texels, sizeof texels, VK_IMAGE_LAYOUT_GENERAL);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan13Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
    vx_query(&vx, &features);
    const struct vx_wants wants = {.features = &features,
                                   .extensions = {VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME}};
    vx_open_device(&vx, &wants);
    struct scene s = {
        .uniforms = vx_buffer(&vx, 16, VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT),
        .result = vx_buffer(&vx, VX_SIDE * VX_SIDE * 16, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT),
        .sampler = vx_sampler(&vx, VK_FILTER_NEAREST),
        .set_layout = vx_set_layout(&vx, "usti")};
    for (int i = 0; i < 4; i++) {
        ((float *)s.uniforms.map)[i] = 1.5f - (float)i / 4;
    }
    make_images(&vx, &s);
    s.layout = vx_pipeline_layout(&vx, s.set_layout, 0, 0);
    s.pipeline = vx_compute_pipeline(&vx, VX_CODE(templates_comp), s.layout, NULL);
    sets(&vx, &s);
    vkDestroyPipeline(vx.device, s.pipeline, NULL);
    if (vx_has_extension(&vx, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME)) {
        make_push_layout(&vx, &s);
        s.pipeline = vx_compute_pipeline(&vx, VX_CODE(templates_comp), s.pushed, NULL);
        pushes(&vx, &s, false);
        pushes(&vx, &s, true);
        vkDestroyPipeline(vx.device, s.pipeline, NULL);
        vkDestroyPipelineLayout(vx.device, s.pushed, NULL);
        vkDestroyDescriptorSetLayout(vx.device, s.push_layout, NULL);
    } else {
        vx_unsupported(&vx, "push", "no VK_KHR_push_descriptor");
    }
    dangling(&vx, &s, false);
    if (features.inlineUniformBlock) {
        dangling(&vx, &s, true);
    } else {
        vx_unsupported(&vx, "dangling-block", "no inlineUniformBlock");
    }
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vkDestroyDescriptorSetLayout(vx.device, s.set_layout, NULL);
    vkDestroySampler(vx.device, s.sampler, NULL);
    vx_image_free(&vx, &s.image);
    vx_image_free(&vx, &s.target);
    vx_buffer_free(&vx, &s.uniforms);
    vx_buffer_free(&vx, &s.result);
    vx_close(&vx);
    return 0;
}
