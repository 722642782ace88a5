/* Pixels in memory: sizes, layouts, and the conversions between the few layouts that CPU copies
 * meet. */
#include "host/surface/surface.h"

#include "transport/base/bytes.h"
#include "transport/virtgpu/proto.h"

#include <string.h>

uint32_t hs_pixel_bytes(uint32_t format, uint32_t type)
{
    switch (type) {
    case GL_UNSIGNED_SHORT_5_6_5:
    case GL_UNSIGNED_SHORT_4_4_4_4:
    case GL_UNSIGNED_SHORT_5_5_5_1:
        return 2;
    case GL_UNSIGNED_INT_2_10_10_10_REV:
        return 4;
    default:
        break;
    }
    uint32_t components = 0;
    switch (format) {
    case GL_RED:
    case GL_ALPHA:
    case GL_LUMINANCE:
        components = 1;
        break;
    case GL_RG:
    case GL_LUMINANCE_ALPHA:
        components = 2;
        break;
    case GL_RGB:
        components = 3;
        break;
    case GL_RGBA:
    case GL_BGRA_EXT:
        components = 4;
        break;
    default:
        break;
    }
    switch (type) {
    case GL_UNSIGNED_BYTE:
        return components;
    case GL_HALF_FLOAT:
    case GL_HALF_FLOAT_OES:
        return components * 2;
    case GL_FLOAT:
        return components * 4;
    default:
        return 0;
    }
}

struct hs_layout hs_layout_of(uint32_t virtgpu_format)
{
    switch (virtgpu_format) {
    case VIRTGPU_FORMAT_B8G8R8A8:
        return (struct hs_layout){GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, false};
    case VIRTGPU_FORMAT_B8G8R8X8:
        return (struct hs_layout){GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, true};
    case VIRTGPU_FORMAT_R8G8B8A8:
        return (struct hs_layout){GL_RGBA, GL_UNSIGNED_BYTE, 4, false};
    case VIRTGPU_FORMAT_R8G8B8X8:
        return (struct hs_layout){GL_RGBA, GL_UNSIGNED_BYTE, 4, true};
    case VIRTGPU_FORMAT_B5G6R5:
        return (struct hs_layout){GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2, true};
    case VIRTGPU_FORMAT_B10G10R10A2:
        return (struct hs_layout){GL_BGRA_EXT, GL_UNSIGNED_INT_2_10_10_10_REV, 4, false};
    case VIRTGPU_FORMAT_R8:
        return (struct hs_layout){GL_RED, GL_UNSIGNED_BYTE, 1, false};
    case VIRTGPU_FORMAT_R8G8:
        return (struct hs_layout){GL_RG, GL_UNSIGNED_BYTE, 2, false};
    default:
        return (struct hs_layout){0};
    }
}

uint32_t hs_internal_format(const struct hs_layout *layout)
{
    if (hs_is_ten(layout)) {
        return GL_RGB10_A2;
    }
    switch (layout->format) {
    case GL_RGB:
        return GL_RGB565;
    case GL_RED:
        return GL_R8;
    case GL_RG:
        return GL_RG8;
    default:
        return GL_RGBA8;
    }
}

static bool known(const struct hs_layout *l)
{
    return (l->type == GL_UNSIGNED_BYTE &&
            (l->format == GL_RGBA || l->format == GL_BGRA_EXT || l->format == GL_RGB ||
             l->format == GL_RED || l->format == GL_RG)) ||
           (l->type == GL_UNSIGNED_SHORT_5_6_5 && l->format == GL_RGB) ||
           (hs_is_ten(l) && (l->format == GL_RGBA || l->format == GL_BGRA_EXT));
}

/* A channel of 10 bits, in the lowest ones, as one of 8, and back. */
static uint8_t of_ten(uint32_t v)
{
    return (uint8_t)(((v & 0x3ff) * 255 + 511) / 1023);
}

static uint32_t to_ten(uint32_t v)
{
    return (v * 1023 + 127) / 255;
}

static void load_pixel(uint8_t rgba[4], const uint8_t *p, const struct hs_layout *l)
{
    if (l->type == GL_UNSIGNED_SHORT_5_6_5) {
        uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8;
        rgba[0] = (uint8_t)((v >> 11) * 255 / 31);
        rgba[1] = (uint8_t)((v >> 5 & 63) * 255 / 63);
        rgba[2] = (uint8_t)((v & 31) * 255 / 31);
        rgba[3] = 255;
        return;
    }
    bool swap = l->format == GL_BGRA_EXT;
    if (hs_is_ten(l)) {
        uint32_t v = sl_load_u32(p);
        rgba[0] = of_ten(v >> (swap ? 20 : 0));
        rgba[1] = of_ten(v >> 10);
        rgba[2] = of_ten(v >> (swap ? 0 : 20));
        rgba[3] = (uint8_t)((v >> 30) * 85);
        return;
    }
    rgba[0] = p[swap ? 2 : 0];
    rgba[1] = l->bytes > 1 ? p[1] : 0;
    rgba[2] = l->bytes > 2 ? p[swap ? 0 : 2] : 0;
    rgba[3] = l->opaque || l->bytes < 4 ? 255 : p[3];
}

static void store_pixel(uint8_t *p, const struct hs_layout *l, const uint8_t rgba[4])
{
    if (l->type == GL_UNSIGNED_SHORT_5_6_5) {
        uint32_t v = (uint32_t)(rgba[0] * 31 + 127) / 255 << 11 |
                     (uint32_t)(rgba[1] * 63 + 127) / 255 << 5 |
                     (uint32_t)(rgba[2] * 31 + 127) / 255;
        p[0] = (uint8_t)v;
        p[1] = (uint8_t)(v >> 8);
        return;
    }
    const bool swap = l->format == GL_BGRA_EXT;
    if (hs_is_ten(l)) {
        sl_store_u32(p, to_ten(rgba[0]) << (swap ? 20 : 0) | to_ten(rgba[1]) << 10 |
                            to_ten(rgba[2]) << (swap ? 0 : 20) | (rgba[3] * 3u + 127) / 255 << 30);
        return;
    }
    const uint8_t bytes[4] = {rgba[swap ? 2 : 0], rgba[1], rgba[swap ? 0 : 2], rgba[3]};
    memcpy(p, bytes, l->bytes <= 4 ? l->bytes : 4);
}

static void swap_red_blue(uint8_t *row, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, row += 4) {
        uint32_t v = sl_load_u32(row);
        sl_store_u32(row, (v & 0xff00ff00u) | (v >> 16 & 0xffu) | (v & 0xffu) << 16);
    }
}

static void swap_ten(uint8_t *row, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, row += 4) {
        uint32_t v = sl_load_u32(row);
        sl_store_u32(row, (v & 0xc00ffc00u) | (v >> 20 & 0x3ffu) | (v & 0x3ffu) << 20);
    }
}

/* Four channels of the same bits, so that one may be the other with red and blue swapped. */
static bool are_alike(const struct hs_layout *a, const struct hs_layout *b)
{
    return a->type == b->type && a->bytes == 4 && b->bytes == 4;
}

bool hs_convert_row(void *to, const struct hs_layout *to_layout, const void *from,
                    const struct hs_layout *from_layout, uint32_t count)
{
    if (!known(to_layout) || !known(from_layout)) {
        return false;
    }
    if (to_layout->format == from_layout->format && to_layout->type == from_layout->type &&
        (to_layout->opaque || !from_layout->opaque)) {
        memmove(to, from, (size_t)count * to_layout->bytes);
        return true;
    }
    if (are_alike(to_layout, from_layout) && (to_layout->opaque || !from_layout->opaque)) {
        memmove(to, from, (size_t)count * 4);
        (hs_is_ten(to_layout) ? swap_ten : swap_red_blue)(to, count);
        return true;
    }
    const uint8_t *s = from;
    uint8_t *d = to;
    for (uint32_t i = 0; i < count; i++, s += from_layout->bytes, d += to_layout->bytes) {
        uint8_t rgba[4];
        load_pixel(rgba, s, from_layout);
        store_pixel(d, to_layout, rgba);
    }
    return true;
}
