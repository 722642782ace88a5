/* Arrays of descriptors: another element for each draw; and, where the driver has them, by the
 * pixel, of variable size, partly bound, updated after they are bound. */
#include "tests/integration/vulkan/vx.h"

#include "indexing_frag.h"
#include "nonuniform_frag.h"
#include "push_vert.h"
#include "quad_vert.h"

enum { IMAGES = 16 };

struct scene {
    struct vx_target target;
    struct vx_image images[IMAGES];
    VkSampler sampler;
};

static VkDescriptorSetLayout make_layout(struct vx *vx, bool indexing)
{
    const VkDescriptorSetLayoutBinding binding = {.descriptorType =
                                                      VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                                                  .descriptorCount = IMAGES,
                                                  .stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT};
    const VkDescriptorBindingFlags flags = VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT |
                                           VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT |
                                           VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT;
    const VkDescriptorSetLayoutBindingFlagsCreateInfo more = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
        .bindingCount = 1,
        .pBindingFlags = &flags};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .pNext = indexing ? &more : NULL,
        .flags = indexing ? VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT : 0,
        .bindingCount = 1,
        .pBindings = &binding};
    VkDescriptorSetLayoutSupport support = {.sType =
                                                VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_SUPPORT};
    vkGetDescriptorSetLayoutSupport(vx->device, &info, &support);
    vx_show_text(vx, "layout", "%d", support.supported);
    VkDescriptorSetLayout layout;
    VX(vx, vkCreateDescriptorSetLayout(vx->device, &info, NULL, &layout));
    return layout;
}

static VkDescriptorSet make_set(struct vx *vx, VkDescriptorPool *pool, VkDescriptorSetLayout layout,
                                uint32_t variable)
{
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, IMAGES};
    const VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
        .flags = variable > 0 ? VK_DESCRIPTOR_POOL_CREATE_UPDATE_AFTER_BIND_BIT : 0,
        .maxSets = 1,
        .poolSizeCount = 1,
        .pPoolSizes = &size};
    VX(vx, vkCreateDescriptorPool(vx->device, &info, NULL, pool));
    const VkDescriptorSetVariableDescriptorCountAllocateInfo counts = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO,
        .descriptorSetCount = 1,
        .pDescriptorCounts = &variable};
    const VkDescriptorSetAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .pNext = variable > 0 ? &counts : NULL,
        .descriptorPool = *pool,
        .descriptorSetCount = 1,
        .pSetLayouts = &layout};
    VkDescriptorSet set;
    VX(vx, vkAllocateDescriptorSets(vx->device, &allocate, &set));
    return set;
}

static void write_images(struct vx *vx, const struct scene *s, VkDescriptorSet set, uint32_t first,
                         uint32_t count, uint32_t step)
{
    VkDescriptorImageInfo infos[IMAGES];
    for (uint32_t i = 0; i < count; i++) {
        infos[i] = (VkDescriptorImageInfo){s->sampler, s->images[(first + i) * step % IMAGES].view,
                                           VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
    }
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = set,
                                        .dstArrayElement = first,
                                        .descriptorCount = count,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                                        .pImageInfo = infos};
    vkUpdateDescriptorSets(vx->device, 1, &write, 0, NULL);
}

static void by_draw(struct vx *vx, const struct scene *s)
{
    const VkShaderStageFlags both = VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT;
    struct {
        float place[4], tint[4];
        uint32_t index, shift;
    } push = {.tint = {1, 0.75f, 0.5f, 1}};
    VkDescriptorPool pool;
    VkDescriptorSetLayout set_layout = make_layout(vx, false);
    VkDescriptorSet set = make_set(vx, &pool, set_layout, 0);
    write_images(vx, s, set, 0, IMAGES, 1);
    write_images(vx, s, set, 5, 6, 3); /* a part, once more */
    VkPipelineLayout layout = vx_pipeline_layout(vx, set_layout, both, sizeof push);
    const struct vx_pipeline p = {.vertex = VX_CODE(push_vert),
                                  .fragment = VX_CODE(indexing_frag),
                                  .layout = layout,
                                  .pass = s->target.pass,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, layout, 0, 1, &set, 0, NULL);
    for (uint32_t i = 0; i < IMAGES; i++) {
        const uint32_t row = i / 4;
        push.index = i;
        push.place[0] = (float)(i % 4) / 2 - 1;
        push.place[1] = (float)row / 2 - 1;
        push.place[2] = push.place[0] + 0.5f;
        push.place[3] = push.place[1] + 0.5f;
        vkCmdPushConstants(commands, layout, both, 0, sizeof push, &push);
        vkCmdDraw(commands, 4, 1, 0, 0);
    }
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vx_show_target(vx, "draw", &s->target);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vkDestroyPipelineLayout(vx->device, layout, NULL);
    vkDestroyDescriptorPool(vx->device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx->device, set_layout, NULL);
}

static void by_pixel(struct vx *vx, const struct scene *s)
{
    VkDescriptorPool pool;
    VkDescriptorSetLayout set_layout = make_layout(vx, true);
    VkDescriptorSet set = make_set(vx, &pool, set_layout, 12);
    write_images(vx, s, set, 0, 4, 1); /* the rest is written after the set is bound */
    VkPipelineLayout layout = vx_pipeline_layout(vx, set_layout, 0, 0);
    const struct vx_pipeline p = {.vertex = VX_CODE(quad_vert),
                                  .fragment = VX_CODE(nonuniform_frag),
                                  .layout = layout,
                                  .pass = s->target.pass,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, layout, 0, 1, &set, 0, NULL);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    write_images(vx, s, set, 4, 4, 3);
    vx_submit(vx, commands);
    vx_show_target(vx, "pixel", &s->target);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vkDestroyPipelineLayout(vx->device, layout, NULL);
    vkDestroyDescriptorPool(vx->device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx->device, set_layout, NULL);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    vx_query(&vx, &features);
    const struct vx_wants wants = {.features = &features};
    vx_open_device(&vx, &wants);
    struct scene s = {.target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM),
                      .sampler = vx_sampler(&vx, VK_FILTER_NEAREST)};
    for (uint32_t i = 0; i < IMAGES; i++) {
        static uint8_t texels[VX_SIDE * VX_SIDE * 4];
        VkImageCreateInfo info = vx_image_info(
            VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
        s.images[i] = vx_image(&vx, &info, VK_IMAGE_ASPECT_COLOR_BIT);
        vx_bytes(texels, sizeof texels, 60 + i);
        vx_fill_image(&vx, &s.images[i], texels, sizeof texels,
                      VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    }
    by_draw(&vx, &s);
    if (features.shaderSampledImageArrayNonUniformIndexing && features.runtimeDescriptorArray &&
        features.descriptorBindingPartiallyBound &&
        features.descriptorBindingVariableDescriptorCount &&
        features.descriptorBindingSampledImageUpdateAfterBind) {
        by_pixel(&vx, &s);
    } else {
        vx_unsupported(&vx, "pixel", "no descriptor indexing");
    }
    for (int i = 0; i < IMAGES; i++) {
        vx_image_free(&vx, &s.images[i]);
    }
    vkDestroySampler(vx.device, s.sampler, NULL);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
