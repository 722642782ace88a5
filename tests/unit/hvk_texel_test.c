/* Texels of Vulkan's formats as colours of 8 bits and as depths. */
#include "host/vulkan/hvk_drawn.h"
#include "tests/support/slt.h"

struct row {
    VkFormat format;
    uint8_t texel[16];
    uint8_t rgba[4];
};

SLT_TEST(hvk_texel, shows_each_kind_of_colour)
{
    static const struct row rows[] = {
        {VK_FORMAT_R4G4_UNORM_PACK8, {0xf1}, {255, 17, 0, 255}},
        {VK_FORMAT_R4G4B4A4_UNORM_PACK16, {0x2f, 0x01}, {0, 17, 34, 255}},
        {VK_FORMAT_R5G6B5_UNORM_PACK16, {0x1f, 0xf8}, {255, 0, 255, 255}},
        {VK_FORMAT_B5G6R5_UNORM_PACK16, {0x1f, 0x00}, {255, 0, 0, 255}},
        {VK_FORMAT_R5G5B5A1_UNORM_PACK16, {0x3e, 0x00}, {0, 0, 255, 0}},
        {VK_FORMAT_A1R5G5B5_UNORM_PACK16, {0x00, 0xfc}, {255, 0, 0, 255}},
        {VK_FORMAT_R8_UNORM, {7}, {7, 0, 0, 255}},
        {VK_FORMAT_R8_SNORM, {0x7f}, {255, 0, 0, 255}},
        {VK_FORMAT_R8_SNORM, {0x80}, {0, 0, 0, 255}},
        {VK_FORMAT_R8_SINT, {0xff}, {0, 0, 0, 255}},
        {VK_FORMAT_R8G8_UINT, {1, 2}, {1, 2, 0, 255}},
        {VK_FORMAT_B8G8R8_SRGB, {1, 2, 3}, {3, 2, 1, 255}},
        {VK_FORMAT_R8G8B8A8_SRGB, {1, 2, 3, 4}, {1, 2, 3, 4}},
        {VK_FORMAT_B8G8R8A8_UNORM, {1, 2, 3, 4}, {3, 2, 1, 4}},
        {VK_FORMAT_A8B8G8R8_UNORM_PACK32, {1, 2, 3, 4}, {1, 2, 3, 4}},
        {VK_FORMAT_A2R10G10B10_UNORM_PACK32, {0xff, 0x03, 0x00, 0xc0}, {0, 0, 255, 255}},
        {VK_FORMAT_A2B10G10R10_UINT_PACK32, {0x05, 0x00, 0x00, 0x40}, {5, 0, 0, 1}},
        {VK_FORMAT_R16_UNORM, {0xff, 0xff}, {255, 0, 0, 255}},
        {VK_FORMAT_R16G16_SFLOAT, {0x00, 0x3c, 0x00, 0x38}, {255, 128, 0, 255}},
        {VK_FORMAT_R16G16_SFLOAT, {0x00, 0xbc, 0x00, 0x7c}, {0, 255, 0, 255}},
        {VK_FORMAT_R32_UINT, {0x00, 0x01, 0x00, 0x00}, {255, 0, 0, 255}},
        {VK_FORMAT_R32_SINT, {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 255}},
        {VK_FORMAT_R32_SFLOAT, {0x00, 0x00, 0x00, 0x3f}, {128, 0, 0, 255}},
        {VK_FORMAT_B10G11R11_UFLOAT_PACK32, {0xc0, 0x03, 0x00, 0x70}, {255, 0, 128, 255}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t rgba[4] = {9, 9, 9, 9};
        SLT_SCOPE("row %zu", i);
        SLT_EXPECT_TRUE(hvk_texel_is_known(rows[i].format));
        hvk_texels_color(rows[i].format, rows[i].texel, 1, rgba);
        for (uint32_t c = 0; c < 4; c++) {
            SLT_EXPECT_EQ(rows[i].rgba[c], rgba[c]);
        }
    }
}

/* Texels lie without gaps, as wide as a copy makes them. */
SLT_TEST(hvk_texel, goes_on_by_what_a_copy_takes)
{
    for (uint32_t format = VK_FORMAT_R4G4_UNORM_PACK8; format <= VK_FORMAT_E5B9G9R9_UFLOAT_PACK32;
         format++) {
        uint8_t texels[64] = {0}, rgba[8], size;
        if (!hvk_texel_is_known((VkFormat)format)) {
            continue;
        }
        SLT_SCOPE("format %u", format);
        size = hvk_block_of((VkFormat)format, VK_IMAGE_ASPECT_COLOR_BIT).size;
        SLT_ASSERT_TRUE(size != 0 && size <= 32);
        bool is_short = format >= VK_FORMAT_A2R10G10B10_UNORM_PACK32 &&
                        format <= VK_FORMAT_A2B10G10R10_SINT_PACK32;
        memset(texels + size, is_short ? 0x11 : 0x3f, size); /* above 0 in every kind */
        hvk_texels_color((VkFormat)format, texels, 2, rgba);
        SLT_EXPECT_EQ(0, rgba[0]);
        SLT_EXPECT_TRUE(rgba[4] != 0);
    }
    SLT_EXPECT_TRUE(!hvk_texel_is_known(VK_FORMAT_E5B9G9R9_UFLOAT_PACK32));
    SLT_EXPECT_TRUE(!hvk_texel_is_known(VK_FORMAT_R64_SFLOAT));
    SLT_EXPECT_TRUE(!hvk_texel_is_known(VK_FORMAT_BC1_RGB_UNORM_BLOCK));
}

SLT_TEST(hvk_texel, tells_depths_as_fractions)
{
    static const uint8_t d16[4] = {0, 0, 0xff, 0xff}, d24[8] = {0, 0, 0x80, 0x55, 0xff, 0xff, 0xff};
    static const float d32[2] = {0.25f, 1};
    float depth[2];
    hvk_texels_depth(VK_FORMAT_D16_UNORM, d16, 2, depth);
    SLT_EXPECT_TRUE(depth[0] == 0.0f && depth[1] == 1.0f);
    hvk_texels_depth(VK_FORMAT_D24_UNORM_S8_UINT, d24, 2, depth);
    SLT_EXPECT_TRUE(depth[0] > 0.4999f && depth[0] < 0.5001f && depth[1] == 1.0f);
    hvk_texels_depth(VK_FORMAT_D32_SFLOAT_S8_UINT, (const uint8_t *)d32, 2, depth);
    SLT_EXPECT_TRUE(depth[0] == d32[0] && depth[1] == d32[1]);
}
