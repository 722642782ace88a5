/* Textures of many formats: bytes uploaded, read back, sampled nearest and linear; cleared and
 * blitted where the format can. */
#include "tests/integration/vulkan/vx.h"

#include "quad_vert.h"
#include "texture_frag.h"
#include "texture_sint_frag.h"
#include "texture_uint_frag.h"

#include <stdio.h>
#include <stdlib.h>

enum kind { REAL, UNSIGNED, SIGNED };

static const struct format {
    const char *name;
    VkFormat format;
    uint32_t block_bytes;
    uint32_t block_side; /* texels; 1: not compressed */
    enum kind kind;
} formats[] = {
#define F(name, bytes, kind)                                                                       \
    {                                                                                              \
#name, VK_FORMAT_##name, bytes, 1, kind                                                    \
    }
#define BLOCK(name, bytes)                                                                         \
    {                                                                                              \
#name, VK_FORMAT_##name, bytes, 4, REAL                                                    \
    }
    F(R8_UNORM, 1, REAL),
    F(R8_SNORM, 1, REAL),
    F(R8_UINT, 1, UNSIGNED),
    F(R8_SINT, 1, SIGNED),
    F(R8G8_UNORM, 2, REAL),
    F(R8G8_SNORM, 2, REAL),
    F(R8G8_UINT, 2, UNSIGNED),
    F(R8G8B8A8_UNORM, 4, REAL),
    F(R8G8B8A8_SNORM, 4, REAL),
    F(R8G8B8A8_UINT, 4, UNSIGNED),
    F(R8G8B8A8_SINT, 4, SIGNED),
    F(R8G8B8A8_SRGB, 4, REAL),
    F(B8G8R8A8_UNORM, 4, REAL),
    F(B8G8R8A8_SRGB, 4, REAL),
    F(A8B8G8R8_UNORM_PACK32, 4, REAL),
    F(A8B8G8R8_UINT_PACK32, 4, UNSIGNED),
    F(A2B10G10R10_UNORM_PACK32, 4, REAL),
    F(A2B10G10R10_UINT_PACK32, 4, UNSIGNED),
    F(A2R10G10B10_UNORM_PACK32, 4, REAL),
    F(R5G6B5_UNORM_PACK16, 2, REAL),
    F(B5G6R5_UNORM_PACK16, 2, REAL),
    F(R4G4B4A4_UNORM_PACK16, 2, REAL),
    F(A1R5G5B5_UNORM_PACK16, 2, REAL),
    F(R16_UNORM, 2, REAL),
    F(R16_UINT, 2, UNSIGNED),
    F(R16_SINT, 2, SIGNED),
    F(R16G16_SNORM, 4, REAL),
    F(R16G16B16A16_UNORM, 8, REAL),
    F(R16G16B16A16_UINT, 8, UNSIGNED),
    F(R32_UINT, 4, UNSIGNED),
    F(R32_SINT, 4, SIGNED),
    F(R32G32_UINT, 8, UNSIGNED),
    F(R32G32B32A32_UINT, 16, UNSIGNED),
    F(R32G32B32A32_SINT, 16, SIGNED),
    F(B10G11R11_UFLOAT_PACK32, 4, REAL),
    F(E5B9G9R9_UFLOAT_PACK32, 4, REAL),
    F(R16_SFLOAT, 2, REAL),
    F(R16G16B16A16_SFLOAT, 8, REAL),
    F(R32_SFLOAT, 4, REAL),
    F(R32G32B32A32_SFLOAT, 16, REAL),
    F(D16_UNORM, 2, REAL),
    BLOCK(BC1_RGBA_UNORM_BLOCK, 8),
    BLOCK(BC3_SRGB_BLOCK, 16),
    BLOCK(BC5_UNORM_BLOCK, 16),
    BLOCK(BC7_UNORM_BLOCK, 16),
    BLOCK(ETC2_R8G8B8_UNORM_BLOCK, 8),
    BLOCK(ASTC_4x4_UNORM_BLOCK, 16),
};

struct scene {
    struct vx_target target;
    VkDescriptorSetLayout set_layout;
    VkDescriptorPool pool;
    VkDescriptorSet set;
    VkPipelineLayout layout;
    VkPipeline pipelines[3]; /* by kind */
    VkSampler samplers[2];   /* nearest, linear */
};

static void sample(struct vx *vx, struct scene *s, const struct format *f,
                   const struct vx_image *image, int linear)
{
    vx_write_image(vx, s->set, 0, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, image,
                   s->samplers[linear], VK_IMAGE_LAYOUT_GENERAL);
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipelines[f->kind]);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->layout, 0, 1, &s->set, 0,
                            NULL);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    char name[80];
    snprintf(name, sizeof name, "%s.%s", f->name, linear ? "linear" : "nearest");
    vx_show_target(vx, name, &s->target);
}

/* Texels that are numbers: no infinities and the like, whose arithmetic is nobody's promise. */
static void fill(const struct format *f, void *bytes, size_t size)
{
    vx_bytes(bytes, size, (uint32_t)f->format);
    if (f->format == VK_FORMAT_R32_SFLOAT || f->format == VK_FORMAT_R32G32B32A32_SFLOAT) {
        for (size_t i = 0; i < size / 4; i++) {
            ((float *)bytes)[i] = (float)((const uint8_t *)bytes)[i] / 100 - 1;
        }
    } else if (f->kind == REAL && f->block_side == 1) {
        for (size_t i = 1; i < size; i += 2) { /* exponents stay small */
            ((uint8_t *)bytes)[i] &= 0xbb;
        }
    }
}

static void show(struct vx *vx, struct scene *s, const struct format *f)
{
    const VkImageUsageFlags usage = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                                    VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    VkFormatProperties can;
    vkGetPhysicalDeviceFormatProperties(vx->physical, f->format, &can);
    vx_show(vx, f->name, &can, sizeof can);
    VkImageFormatProperties limits = {0};
    if ((can.optimalTilingFeatures & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT) == 0 ||
        VX_MAY(vx, vkGetPhysicalDeviceImageFormatProperties(
                       vx->physical, f->format, VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL, usage, 0,
                       &limits)) != VK_SUCCESS) {
        vx_unsupported(vx, f->name, "not sampled here");
        return;
    }
    bool is_depth = f->format == VK_FORMAT_D16_UNORM;
    VkImageCreateInfo info = vx_image_info(f->format, usage);
    struct vx_image image =
        vx_image(vx, &info, is_depth ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT);
    uint32_t blocks = VX_SIDE / f->block_side;
    size_t size = (size_t)blocks * blocks * f->block_bytes;
    void *bytes = malloc(size);
    vx_need(bytes != NULL, "memory");
    fill(f, bytes, size);
    vx_fill_image(vx, &image, bytes, size, VK_IMAGE_LAYOUT_GENERAL);
    free(bytes);
    if (f->block_side == 1) {
        vx_show_image(vx, f->name, &image, image.aspect, VK_IMAGE_LAYOUT_GENERAL, f->block_bytes);
    }
    sample(vx, s, f, &image, 0);
    if ((can.optimalTilingFeatures & VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT) != 0) {
        sample(vx, s, f, &image, 1);
    }
    vx_image_free(vx, &image);
}

int main(void)
{
    struct vx vx;
    struct scene s;
    vx_open(&vx, NULL);
    s.target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM);
    s.set_layout = vx_set_layout(&vx, "t");
    s.pool = vx_descriptor_pool(&vx, 1);
    s.set = vx_set(&vx, s.pool, s.set_layout);
    s.layout = vx_pipeline_layout(&vx, s.set_layout, 0, 0);
    s.samplers[0] = vx_sampler(&vx, VK_FILTER_NEAREST);
    s.samplers[1] = vx_sampler(&vx, VK_FILTER_LINEAR);
    const struct vx_code codes[] = {VX_CODE(texture_frag), VX_CODE(texture_uint_frag),
                                    VX_CODE(texture_sint_frag)};
    for (int kind = 0; kind < 3; kind++) {
        struct vx_pipeline p = {.vertex = VX_CODE(quad_vert),
                                .fragment = codes[kind],
                                .layout = s.layout,
                                .pass = s.target.pass,
                                .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
        s.pipelines[kind] = vx_graphics_pipeline(&vx, &p);
    }
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        show(&vx, &s, &formats[i]);
    }
    for (int kind = 0; kind < 3; kind++) {
        vkDestroyPipeline(vx.device, s.pipelines[kind], NULL);
    }
    vkDestroySampler(vx.device, s.samplers[0], NULL);
    vkDestroySampler(vx.device, s.samplers[1], NULL);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vkDestroyDescriptorPool(vx.device, s.pool, NULL);
    vkDestroyDescriptorSetLayout(vx.device, s.set_layout, NULL);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
