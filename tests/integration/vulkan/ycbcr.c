/* Images of several planes: filled plane by plane, sampled through a conversion. */
#include "tests/integration/vulkan/vx.h"

#include "quad_vert.h"
#include "texture_frag.h"

#include <string.h>

static const struct {
    const char *name;
    VkFormat format;
    uint32_t planes;
} formats[] = {
    {"G8_B8R8_2PLANE_420", VK_FORMAT_G8_B8R8_2PLANE_420_UNORM, 2},
    {"G8_B8_R8_3PLANE_420", VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM, 3},
};

static void fill_planes(struct vx *vx, const struct vx_image *image, int which)
{
    static const VkImageAspectFlagBits planes[] = {
        VK_IMAGE_ASPECT_PLANE_0_BIT, VK_IMAGE_ASPECT_PLANE_1_BIT, VK_IMAGE_ASPECT_PLANE_2_BIT};
    struct vx_buffer bytes = vx_buffer(vx, VX_SIDE * VX_SIDE * 3, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    vx_bytes(bytes.map, bytes.size, 80);
    VkCommandBuffer commands = vx_begin(vx);
    vx_barrier(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    for (uint32_t i = 0; i < formats[which].planes; i++) {
        const uint32_t side = i == 0 ? VX_SIDE : VX_SIDE / 2;
        const VkBufferImageCopy copy = {.bufferOffset = (VkDeviceSize)i * VX_SIDE * VX_SIDE,
                                        .imageSubresource = {planes[i], 0, 0, 1},
                                        .imageExtent = {side, side, 1}};
        vkCmdCopyBufferToImage(commands, bytes.buffer, image->image,
                               VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &copy);
    }
    vx_barrier(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
               VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    vx_submit(vx, commands);
    vx_buffer_free(vx, &bytes);
}

static VkDescriptorSetLayout make_layout(struct vx *vx, const VkSampler *sampler)
{
    const VkDescriptorSetLayoutBinding binding = {.descriptorType =
                                                      VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                                                  .descriptorCount = 1,
                                                  .stageFlags = VK_SHADER_STAGE_FRAGMENT_BIT,
                                                  .pImmutableSamplers = sampler};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    VkDescriptorSetLayout layout;
    VX(vx, vkCreateDescriptorSetLayout(vx->device, &info, NULL, &layout));
    return layout;
}

static void draw(struct vx *vx, const struct vx_target *target, struct vx_image *image,
                 VkSampler sampler, const char *name)
{
    VkDescriptorSetLayout set_layout = make_layout(vx, &sampler);
    VkDescriptorPool pool = vx_descriptor_pool(vx, 1);
    VkDescriptorSet set = vx_set(vx, pool, set_layout);
    vx_write_image(vx, set, 0, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, image, sampler,
                   VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
    VkPipelineLayout layout = vx_pipeline_layout(vx, set_layout, 0, 0);
    const struct vx_pipeline p = {.vertex = VX_CODE(quad_vert),
                                  .fragment = VX_CODE(texture_frag),
                                  .layout = layout,
                                  .pass = target->pass,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, layout, 0, 1, &set, 0, NULL);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vx_show_target(vx, name, target);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vkDestroyPipelineLayout(vx->device, layout, NULL);
    vkDestroyDescriptorPool(vx->device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx->device, set_layout, NULL);
}

static void show(struct vx *vx, const struct vx_target *target, int which)
{
    VkSamplerYcbcrConversionCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_CREATE_INFO,
        .format = formats[which].format,
        .ycbcrModel = VK_SAMPLER_YCBCR_MODEL_CONVERSION_YCBCR_601,
        .ycbcrRange = VK_SAMPLER_YCBCR_RANGE_ITU_NARROW,
        .xChromaOffset = VK_CHROMA_LOCATION_MIDPOINT,
        .yChromaOffset = VK_CHROMA_LOCATION_MIDPOINT,
        .chromaFilter = VK_FILTER_NEAREST};
    VkSamplerYcbcrConversion conversion;
    VX(vx, vkCreateSamplerYcbcrConversion(vx->device, &info, NULL, &conversion));
    const VkSamplerYcbcrConversionInfo use = {
        .sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO, .conversion = conversion};
    const VkSamplerCreateInfo sampler_info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                              .pNext = &use,
                                              .addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                              .addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                              .addressModeW =
                                                  VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE};
    VkSampler sampler;
    VX(vx, vkCreateSampler(vx->device, &sampler_info, NULL, &sampler));
    VkImageCreateInfo image_info = vx_image_info(
        formats[which].format, VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    struct vx_image image = vx_image(vx, &image_info, VK_IMAGE_ASPECT_COLOR_BIT);
    vkDestroyImageView(vx->device, image.view, NULL); /* it needs the conversion */
    const VkImageViewCreateInfo view = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .pNext = &use,
        .image = image.image,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = image.format,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    VX(vx, vkCreateImageView(vx->device, &view, NULL, &image.view));
    fill_planes(vx, &image, which);
    draw(vx, target, &image, sampler, formats[which].name);
    vx_image_free(vx, &image);
    vkDestroySampler(vx->device, sampler, NULL);
    vkDestroySamplerYcbcrConversion(vx->device, conversion, NULL);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan11Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
    vx_query(&vx, &features);
    const struct vx_wants wants = {.features = &features};
    vx_open_device(&vx, &wants);
    struct vx_target target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM);
    for (int i = 0; i < 2; i++) {
        VkFormatProperties can;
        vkGetPhysicalDeviceFormatProperties(vx.physical, formats[i].format, &can);
        vx_show(&vx, formats[i].name, &can, sizeof can);
        if (!features.samplerYcbcrConversion) {
            vx_unsupported(&vx, formats[i].name, "no samplerYcbcrConversion");
        } else if ((can.optimalTilingFeatures & VK_FORMAT_FEATURE_MIDPOINT_CHROMA_SAMPLES_BIT) ==
                   0) {
            vx_unsupported(&vx, formats[i].name, "no midpoint samples");
        } else {
            show(&vx, &target, i);
        }
    }
    vx_target_free(&vx, &target);
    vx_close(&vx);
    return 0;
}
