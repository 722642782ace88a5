/* Image formats: how many bytes their texels take in a buffer, and their aspects. */
#include "host/vulkan/hvk_family.h"

struct run {
    uint32_t last; /* of the formats in a row that are alike */
    struct hvk_block block;
};

/* The core formats, in the order of their numbers. */
static const struct run runs[] = {
    {VK_FORMAT_UNDEFINED, {0, 1, 1}},
    {VK_FORMAT_R4G4_UNORM_PACK8, {1, 1, 1}},
    {VK_FORMAT_A1R5G5B5_UNORM_PACK16, {2, 1, 1}},
    {VK_FORMAT_R8_SRGB, {1, 1, 1}},
    {VK_FORMAT_R8G8_SRGB, {2, 1, 1}},
    {VK_FORMAT_B8G8R8_SRGB, {3, 1, 1}},
    {VK_FORMAT_A2B10G10R10_SINT_PACK32, {4, 1, 1}},
    {VK_FORMAT_R16_SFLOAT, {2, 1, 1}},
    {VK_FORMAT_R16G16_SFLOAT, {4, 1, 1}},
    {VK_FORMAT_R16G16B16_SFLOAT, {6, 1, 1}},
    {VK_FORMAT_R16G16B16A16_SFLOAT, {8, 1, 1}},
    {VK_FORMAT_R32_SFLOAT, {4, 1, 1}},
    {VK_FORMAT_R32G32_SFLOAT, {8, 1, 1}},
    {VK_FORMAT_R32G32B32_SFLOAT, {12, 1, 1}},
    {VK_FORMAT_R32G32B32A32_SFLOAT, {16, 1, 1}},
    {VK_FORMAT_R64_SFLOAT, {8, 1, 1}},
    {VK_FORMAT_R64G64_SFLOAT, {16, 1, 1}},
    {VK_FORMAT_R64G64B64_SFLOAT, {24, 1, 1}},
    {VK_FORMAT_R64G64B64A64_SFLOAT, {32, 1, 1}},
    {VK_FORMAT_E5B9G9R9_UFLOAT_PACK32, {4, 1, 1}},
    {VK_FORMAT_D16_UNORM, {2, 1, 1}},
    {VK_FORMAT_D32_SFLOAT, {4, 1, 1}},
    {VK_FORMAT_S8_UINT, {1, 1, 1}},
    {VK_FORMAT_D16_UNORM_S8_UINT, {2, 1, 1}}, /* depth's; stencil has a byte */
    {VK_FORMAT_D32_SFLOAT_S8_UINT, {4, 1, 1}},
    {VK_FORMAT_BC1_RGBA_SRGB_BLOCK, {8, 4, 4}},
    {VK_FORMAT_BC3_SRGB_BLOCK, {16, 4, 4}},
    {VK_FORMAT_BC4_SNORM_BLOCK, {8, 4, 4}},
    {VK_FORMAT_BC7_SRGB_BLOCK, {16, 4, 4}},
    {VK_FORMAT_ETC2_R8G8B8A1_SRGB_BLOCK, {8, 4, 4}},
    {VK_FORMAT_ETC2_R8G8B8A8_SRGB_BLOCK, {16, 4, 4}},
    {VK_FORMAT_EAC_R11_SNORM_BLOCK, {8, 4, 4}},
    {VK_FORMAT_EAC_R11G11_SNORM_BLOCK, {16, 4, 4}},
    {VK_FORMAT_ASTC_4x4_SRGB_BLOCK, {16, 4, 4}},
    {VK_FORMAT_ASTC_5x4_SRGB_BLOCK, {16, 5, 4}},
    {VK_FORMAT_ASTC_5x5_SRGB_BLOCK, {16, 5, 5}},
    {VK_FORMAT_ASTC_6x5_SRGB_BLOCK, {16, 6, 5}},
    {VK_FORMAT_ASTC_6x6_SRGB_BLOCK, {16, 6, 6}},
    {VK_FORMAT_ASTC_8x5_SRGB_BLOCK, {16, 8, 5}},
    {VK_FORMAT_ASTC_8x6_SRGB_BLOCK, {16, 8, 6}},
    {VK_FORMAT_ASTC_8x8_SRGB_BLOCK, {16, 8, 8}},
    {VK_FORMAT_ASTC_10x5_SRGB_BLOCK, {16, 10, 5}},
    {VK_FORMAT_ASTC_10x6_SRGB_BLOCK, {16, 10, 6}},
    {VK_FORMAT_ASTC_10x8_SRGB_BLOCK, {16, 10, 8}},
    {VK_FORMAT_ASTC_10x10_SRGB_BLOCK, {16, 10, 10}},
    {VK_FORMAT_ASTC_12x10_SRGB_BLOCK, {16, 12, 10}},
    {VK_FORMAT_ASTC_12x12_SRGB_BLOCK, {16, 12, 12}},
};

struct hvk_block hvk_block_of(VkFormat format, VkImageAspectFlags aspects)
{
    struct hvk_block block = {0, 1, 1};
    switch (format) {
    case VK_FORMAT_A4R4G4B4_UNORM_PACK16:
    case VK_FORMAT_A4B4G4R4_UNORM_PACK16:
        block.size = 2;
        return block;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        if ((uint32_t)format <= runs[i].last) {
            block = runs[i].block;
            break;
        }
    }
    if (aspects == VK_IMAGE_ASPECT_STENCIL_BIT) {
        block.size = 1;
    }
    return block;
}

bool hvk_is_depth_stencil(VkFormat format)
{
    return format >= VK_FORMAT_D16_UNORM && format <= VK_FORMAT_D32_SFLOAT_S8_UINT;
}

VkImageAspectFlags hvk_aspects_of(VkFormat format)
{
    if (!hvk_is_depth_stencil(format)) {
        return VK_IMAGE_ASPECT_COLOR_BIT | VK_IMAGE_ASPECT_PLANE_0_BIT |
               VK_IMAGE_ASPECT_PLANE_1_BIT | VK_IMAGE_ASPECT_PLANE_2_BIT;
    }
    VkImageAspectFlags depth = format != VK_FORMAT_S8_UINT ? VK_IMAGE_ASPECT_DEPTH_BIT : 0;
    return depth | (format >= VK_FORMAT_S8_UINT ? VK_IMAGE_ASPECT_STENCIL_BIT : 0);
}
