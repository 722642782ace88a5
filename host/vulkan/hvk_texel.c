/* Texels of the core formats as what people look at: colours of 8 bits, depth as fractions.
 *
 * A format's texel is a number of little end, whose fields are listed from its lowest bits on. */
#include "host/vulkan/hvk_drawn.h"

#include "transport/base/bytes.h"

#include <math.h>

enum numeric { UNORM, SNORM, USCALED, SSCALED, UINT, SINT, SRGB, SFLOAT };

/* Formats in a row with the same fields. */
struct layout {
    uint32_t first, last;
    enum numeric numeric; /* of the first; the others go on in the order above */
    char fields[5];       /* R, G, B, A */
    uint8_t bits[4];
};

static const struct layout layouts[] = {
    {VK_FORMAT_R4G4_UNORM_PACK8, VK_FORMAT_R4G4_UNORM_PACK8, UNORM, "GR", {4, 4}},
    {VK_FORMAT_R4G4B4A4_UNORM_PACK16, VK_FORMAT_R4G4B4A4_UNORM_PACK16, UNORM, "ABGR", {4, 4, 4, 4}},
    {VK_FORMAT_B4G4R4A4_UNORM_PACK16, VK_FORMAT_B4G4R4A4_UNORM_PACK16, UNORM, "ARGB", {4, 4, 4, 4}},
    {VK_FORMAT_R5G6B5_UNORM_PACK16, VK_FORMAT_R5G6B5_UNORM_PACK16, UNORM, "BGR", {5, 6, 5}},
    {VK_FORMAT_B5G6R5_UNORM_PACK16, VK_FORMAT_B5G6R5_UNORM_PACK16, UNORM, "RGB", {5, 6, 5}},
    {VK_FORMAT_R5G5B5A1_UNORM_PACK16, VK_FORMAT_R5G5B5A1_UNORM_PACK16, UNORM, "ABGR", {1, 5, 5, 5}},
    {VK_FORMAT_B5G5R5A1_UNORM_PACK16, VK_FORMAT_B5G5R5A1_UNORM_PACK16, UNORM, "ARGB", {1, 5, 5, 5}},
    {VK_FORMAT_A1R5G5B5_UNORM_PACK16, VK_FORMAT_A1R5G5B5_UNORM_PACK16, UNORM, "BGRA", {5, 5, 5, 1}},
    {VK_FORMAT_R8_UNORM, VK_FORMAT_R8_SRGB, UNORM, "R", {8}},
    {VK_FORMAT_R8G8_UNORM, VK_FORMAT_R8G8_SRGB, UNORM, "RG", {8, 8}},
    {VK_FORMAT_R8G8B8_UNORM, VK_FORMAT_R8G8B8_SRGB, UNORM, "RGB", {8, 8, 8}},
    {VK_FORMAT_B8G8R8_UNORM, VK_FORMAT_B8G8R8_SRGB, UNORM, "BGR", {8, 8, 8}},
    {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB, UNORM, "RGBA", {8, 8, 8, 8}},
    {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB, UNORM, "BGRA", {8, 8, 8, 8}},
    {VK_FORMAT_A8B8G8R8_UNORM_PACK32, VK_FORMAT_A8B8G8R8_SRGB_PACK32, UNORM, "RGBA", {8, 8, 8, 8}},
    {VK_FORMAT_A2R10G10B10_UNORM_PACK32,
     VK_FORMAT_A2R10G10B10_SINT_PACK32,
     UNORM,
     "BGRA",
     {10, 10, 10, 2}},
    {VK_FORMAT_A2B10G10R10_UNORM_PACK32,
     VK_FORMAT_A2B10G10R10_SINT_PACK32,
     UNORM,
     "RGBA",
     {10, 10, 10, 2}},
    {VK_FORMAT_R16_UNORM, VK_FORMAT_R16_SFLOAT, UNORM, "R", {16}},
    {VK_FORMAT_R16G16_UNORM, VK_FORMAT_R16G16_SFLOAT, UNORM, "RG", {16, 16}},
    {VK_FORMAT_R16G16B16_UNORM, VK_FORMAT_R16G16B16_SFLOAT, UNORM, "RGB", {16, 16, 16}},
    {VK_FORMAT_R16G16B16A16_UNORM, VK_FORMAT_R16G16B16A16_SFLOAT, UNORM, "RGBA", {16, 16, 16, 16}},
    {VK_FORMAT_R32_UINT, VK_FORMAT_R32_SFLOAT, UINT, "R", {32}},
    {VK_FORMAT_R32G32_UINT, VK_FORMAT_R32G32_SFLOAT, UINT, "RG", {32, 32}},
    {VK_FORMAT_R32G32B32_UINT, VK_FORMAT_R32G32B32_SFLOAT, UINT, "RGB", {32, 32, 32}},
    {VK_FORMAT_R32G32B32A32_UINT, VK_FORMAT_R32G32B32A32_SFLOAT, UINT, "RGBA", {32, 32, 32, 32}},
    {VK_FORMAT_B10G11R11_UFLOAT_PACK32,
     VK_FORMAT_B10G11R11_UFLOAT_PACK32,
     SFLOAT,
     "RGB",
     {11, 11, 10}},
};

static const struct layout *layout_of(VkFormat format)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if ((uint32_t)format >= layouts[i].first && (uint32_t)format <= layouts[i].last) {
            return &layouts[i];
        }
    }
    return NULL;
}

/* A row of 16 bits ends with floats where one of 8 ends with sRGB; one of 32 has three kinds. */
static enum numeric numeric_of(const struct layout *l, VkFormat format)
{
    uint32_t step = (uint32_t)format - l->first;
    enum numeric kind = (enum numeric)((uint32_t)l->numeric + step);
    bool is_float = (l->bits[0] == 16 && kind == SRGB) || (l->bits[0] == 32 && step == 2);
    return is_float ? SFLOAT : kind;
}

bool hvk_texel_is_known(VkFormat format)
{
    return layout_of(format) != NULL;
}

/* At most 32 bits from a bit on. */
static uint32_t field(const uint8_t *bytes, uint32_t at, uint32_t bits)
{
    uint64_t value = 0;
    for (uint32_t i = 0, first = at / 8; i < (at % 8 + bits + 7) / 8; i++) {
        value |= (uint64_t)bytes[first + i] << (8 * i);
    }
    return (uint32_t)(value >> (at % 8) & ((1ull << bits) - 1));
}

/* Floats of 32 bits, of 16, and of 11 and 10, which have no sign. */
static double float_of(uint32_t v, uint32_t bits)
{
    if (bits == 32) {
        float f;
        memcpy(&f, &v, sizeof f);
        return (double)f;
    }
    uint32_t fraction_bits = bits == 16 ? 10 : bits - 5;
    uint32_t exponent = v >> fraction_bits & 31, fraction = v & ((1u << fraction_bits) - 1);
    double sign = bits == 16 && v >> 15 != 0 ? -1 : 1;
    double part = (double)fraction / (double)(1u << fraction_bits);
    if (exponent == 31) {
        return fraction != 0 ? 0 : sign * INFINITY;
    }
    return exponent == 0 ? sign * ldexp(part, -14) : sign * ldexp(1 + part, (int)exponent - 15);
}

static uint8_t byte_of(double fraction)
{
    return fraction >= 1 ? 255 : fraction > 0 ? (uint8_t)lround(fraction * 255) : 0;
}

static uint8_t shown(uint32_t v, uint32_t bits, enum numeric kind)
{
    uint64_t half = 1ull << (bits - 1);
    switch (kind) {
    case UNORM:
    case SRGB:
        return byte_of((double)v / (double)(2 * half - 1));
    case SNORM:
        return v >= half ? 0 : byte_of((double)v / (double)(half - 1));
    case USCALED:
    case UINT:
        break;
    case SSCALED:
    case SINT:
        v = v >= half ? 0 : v;
        break;
    case SFLOAT:
        return byte_of(float_of(v, bits));
    }
    return (uint8_t)(v < 255 ? v : 255);
}

void hvk_texels_color(VkFormat format, const uint8_t *texels, size_t count, uint8_t *rgba)
{
    const struct layout *l = layout_of(format);
    if (l == NULL) {
        return;
    }
    enum numeric kind = numeric_of(l, format);
    uint32_t size = 0;
    for (uint32_t f = 0; l->fields[f] != '\0'; f++) {
        size += l->bits[f];
    }
    for (size_t i = 0; i < count; i++, texels += size / 8, rgba += 4) {
        memcpy(rgba, (const uint8_t[]){0, 0, 0, 255}, 4);
        for (uint32_t f = 0, at = 0; l->fields[f] != '\0'; at += l->bits[f++]) {
            uint32_t place = (uint32_t)(strchr("RGBA", l->fields[f]) - "RGBA");
            rgba[place] = shown(field(texels, at, l->bits[f]), l->bits[f], kind);
        }
    }
}

void hvk_texels_depth(VkFormat format, const uint8_t *texels, size_t count, float *depth)
{
    for (size_t i = 0; i < count; i++) {
        switch (format) {
        case VK_FORMAT_D16_UNORM:
        case VK_FORMAT_D16_UNORM_S8_UINT:
            depth[i] = (float)sl_load_u16(texels + 2 * i) / 65535.0f;
            break;
        case VK_FORMAT_X8_D24_UNORM_PACK32:
        case VK_FORMAT_D24_UNORM_S8_UINT:
            depth[i] = (float)((double)(sl_load_u32(texels + 4 * i) & 0xffffff) / 0xffffff);
            break;
        default:
            memcpy(&depth[i], texels + 4 * i, 4);
        }
    }
}
