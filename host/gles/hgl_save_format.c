/* Internal formats, and the pixels that travel for each without loss. */
#include "host/gles/hgl_save.h"

#include <GLES2/gl2ext.h>

enum { R = 1, A = 8 };

/* Sized formats of GLES 3.2 and of the extensions that have pixels. */
static const struct hgl_format formats[] = {
    {GL_R8, GL_RED, GL_UNSIGNED_BYTE, 1, 0},
    {GL_R8_SNORM, GL_RED, GL_BYTE, 1, 0},
    {GL_R16F, GL_RED, GL_HALF_FLOAT, 2, 0},
    {GL_R32F, GL_RED, GL_FLOAT, 4, 0},
    {GL_R8UI, GL_RED_INTEGER, GL_UNSIGNED_BYTE, 1, 0},
    {GL_R8I, GL_RED_INTEGER, GL_BYTE, 1, 0},
    {GL_R16UI, GL_RED_INTEGER, GL_UNSIGNED_SHORT, 2, 0},
    {GL_R16I, GL_RED_INTEGER, GL_SHORT, 2, 0},
    {GL_R32UI, GL_RED_INTEGER, GL_UNSIGNED_INT, 4, 0},
    {GL_R32I, GL_RED_INTEGER, GL_INT, 4, 0},
    {GL_RG8, GL_RG, GL_UNSIGNED_BYTE, 2, 0},
    {GL_RG8_SNORM, GL_RG, GL_BYTE, 2, 0},
    {GL_RG16F, GL_RG, GL_HALF_FLOAT, 4, 0},
    {GL_RG32F, GL_RG, GL_FLOAT, 8, 0},
    {GL_RG8UI, GL_RG_INTEGER, GL_UNSIGNED_BYTE, 2, 0},
    {GL_RG8I, GL_RG_INTEGER, GL_BYTE, 2, 0},
    {GL_RG16UI, GL_RG_INTEGER, GL_UNSIGNED_SHORT, 4, 0},
    {GL_RG16I, GL_RG_INTEGER, GL_SHORT, 4, 0},
    {GL_RG32UI, GL_RG_INTEGER, GL_UNSIGNED_INT, 8, 0},
    {GL_RG32I, GL_RG_INTEGER, GL_INT, 8, 0},
    {GL_RGB8, GL_RGB, GL_UNSIGNED_BYTE, 3, 0},
    {GL_SRGB8, GL_RGB, GL_UNSIGNED_BYTE, 3, 0},
    {GL_RGB565, GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2, 0},
    {GL_RGB8_SNORM, GL_RGB, GL_BYTE, 3, 0},
    {GL_R11F_G11F_B10F, GL_RGB, GL_UNSIGNED_INT_10F_11F_11F_REV, 4, 0},
    {GL_RGB9_E5, GL_RGB, GL_UNSIGNED_INT_5_9_9_9_REV, 4, 0},
    {GL_RGB16F, GL_RGB, GL_HALF_FLOAT, 6, 0},
    {GL_RGB32F, GL_RGB, GL_FLOAT, 12, 0},
    {GL_RGB8UI, GL_RGB_INTEGER, GL_UNSIGNED_BYTE, 3, 0},
    {GL_RGB8I, GL_RGB_INTEGER, GL_BYTE, 3, 0},
    {GL_RGB16UI, GL_RGB_INTEGER, GL_UNSIGNED_SHORT, 6, 0},
    {GL_RGB16I, GL_RGB_INTEGER, GL_SHORT, 6, 0},
    {GL_RGB32UI, GL_RGB_INTEGER, GL_UNSIGNED_INT, 12, 0},
    {GL_RGB32I, GL_RGB_INTEGER, GL_INT, 12, 0},
    {GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, 4, 0},
    {GL_SRGB8_ALPHA8, GL_RGBA, GL_UNSIGNED_BYTE, 4, 0},
    {GL_RGBA8_SNORM, GL_RGBA, GL_BYTE, 4, 0},
    {GL_RGB5_A1, GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1, 2, 0},
    {GL_RGBA4, GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4, 2, 0},
    {GL_RGB10_A2, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV, 4, 0},
    {GL_RGBA16F, GL_RGBA, GL_HALF_FLOAT, 8, 0},
    {GL_RGBA32F, GL_RGBA, GL_FLOAT, 16, 0},
    {GL_RGBA8UI, GL_RGBA_INTEGER, GL_UNSIGNED_BYTE, 4, 0},
    {GL_RGBA8I, GL_RGBA_INTEGER, GL_BYTE, 4, 0},
    {GL_RGB10_A2UI, GL_RGBA_INTEGER, GL_UNSIGNED_INT_2_10_10_10_REV, 4, 0},
    {GL_RGBA16UI, GL_RGBA_INTEGER, GL_UNSIGNED_SHORT, 8, 0},
    {GL_RGBA16I, GL_RGBA_INTEGER, GL_SHORT, 8, 0},
    {GL_RGBA32UI, GL_RGBA_INTEGER, GL_UNSIGNED_INT, 16, 0},
    {GL_RGBA32I, GL_RGBA_INTEGER, GL_INT, 16, 0},
    {GL_DEPTH_COMPONENT16, GL_DEPTH_COMPONENT, GL_UNSIGNED_SHORT, 2, 0},
    {GL_DEPTH_COMPONENT24, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT, 4, 0},
    {GL_DEPTH_COMPONENT32_OES, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT, 4, 0},
    {GL_DEPTH_COMPONENT32F, GL_DEPTH_COMPONENT, GL_FLOAT, 4, 0},
    {GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL, GL_UNSIGNED_INT_24_8, 4, 0},
    {GL_DEPTH32F_STENCIL8, GL_DEPTH_STENCIL, GL_FLOAT_32_UNSIGNED_INT_24_8_REV, 8, 0},
    {GL_STENCIL_INDEX8, GL_STENCIL_INDEX, GL_UNSIGNED_BYTE, 1, 0},
    {GL_R16_EXT, GL_RED, GL_UNSIGNED_SHORT, 2, 0},
    {GL_RG16_EXT, GL_RG, GL_UNSIGNED_SHORT, 4, 0},
    {GL_RGB16_EXT, GL_RGB, GL_UNSIGNED_SHORT, 6, 0},
    {GL_RGBA16_EXT, GL_RGBA, GL_UNSIGNED_SHORT, 8, 0},
    {GL_R16_SNORM_EXT, GL_RED, GL_SHORT, 2, 0},
    {GL_RG16_SNORM_EXT, GL_RG, GL_SHORT, 4, 0},
    {GL_RGB16_SNORM_EXT, GL_RGB, GL_SHORT, 6, 0},
    {GL_RGBA16_SNORM_EXT, GL_RGBA, GL_SHORT, 8, 0},
    {GL_SR8_EXT, GL_RED, GL_UNSIGNED_BYTE, 1, 0},
    {GL_SRG8_EXT, GL_RG, GL_UNSIGNED_BYTE, 2, 0},
    {GL_BGRA8_EXT, GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, 0},
    {GL_ALPHA8_EXT, GL_ALPHA, GL_UNSIGNED_BYTE, 1, A},
    {GL_LUMINANCE8_EXT, GL_LUMINANCE, GL_UNSIGNED_BYTE, 1, R},
    {GL_LUMINANCE8_ALPHA8_EXT, GL_LUMINANCE_ALPHA, GL_UNSIGNED_BYTE, 2, R | A},
    {GL_ALPHA16F_EXT, GL_ALPHA, GL_HALF_FLOAT_OES, 2, A},
    {GL_LUMINANCE16F_EXT, GL_LUMINANCE, GL_HALF_FLOAT_OES, 2, R},
    {GL_LUMINANCE_ALPHA16F_EXT, GL_LUMINANCE_ALPHA, GL_HALF_FLOAT_OES, 4, R | A},
    {GL_ALPHA32F_EXT, GL_ALPHA, GL_FLOAT, 4, A},
    {GL_LUMINANCE32F_EXT, GL_LUMINANCE, GL_FLOAT, 4, R},
    {GL_LUMINANCE_ALPHA32F_EXT, GL_LUMINANCE_ALPHA, GL_FLOAT, 8, R | A},
};

/* Formats without a size: what the driver chose tells which type was sent. */
struct unsized {
    struct hgl_format format;
    uint8_t bits[6]; /* red, green, blue, alpha, depth, stencil; 0: whatever */
};
static const struct unsized unsized[] = {
    {{GL_RGB, GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2, 0}, {5, 6, 5}},
    {{GL_RGB, GL_RGB, GL_HALF_FLOAT_OES, 6, 0}, {16, 16, 16}},
    {{GL_RGB, GL_RGB, GL_FLOAT, 12, 0}, {32, 32, 32}},
    {{GL_RGB, GL_RGB, GL_UNSIGNED_INT_2_10_10_10_REV_EXT, 4, 0}, {10, 10, 10}},
    {{GL_RGB, GL_RGB, GL_UNSIGNED_BYTE, 3, 0}, {0}},
    {{GL_RGBA, GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4, 2, 0}, {4, 4, 4, 4}},
    {{GL_RGBA, GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1, 2, 0}, {5, 5, 5, 1}},
    {{GL_RGBA, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV_EXT, 4, 0}, {10, 10, 10, 2}},
    {{GL_RGBA, GL_RGBA, GL_HALF_FLOAT_OES, 8, 0}, {16, 16, 16, 16}},
    {{GL_RGBA, GL_RGBA, GL_FLOAT, 16, 0}, {32, 32, 32, 32}},
    {{GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, 4, 0}, {0}},
    {{GL_BGRA_EXT, GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, 0}, {0}},
    {{GL_RED, GL_RED, GL_HALF_FLOAT_OES, 2, 0}, {16}},
    {{GL_RED, GL_RED, GL_FLOAT, 4, 0}, {32}},
    {{GL_RED, GL_RED, GL_UNSIGNED_BYTE, 1, 0}, {0}},
    {{GL_RG, GL_RG, GL_HALF_FLOAT_OES, 4, 0}, {16, 16}},
    {{GL_RG, GL_RG, GL_FLOAT, 8, 0}, {32, 32}},
    {{GL_RG, GL_RG, GL_UNSIGNED_BYTE, 2, 0}, {0}},
    {{GL_ALPHA, GL_ALPHA, GL_HALF_FLOAT_OES, 2, A}, {0, 0, 0, 16}},
    {{GL_ALPHA, GL_ALPHA, GL_FLOAT, 4, A}, {0, 0, 0, 32}},
    {{GL_ALPHA, GL_ALPHA, GL_UNSIGNED_BYTE, 1, A}, {0}},
    /* The driver tells the bits of luminance neither as red nor at all; floats are asked for by
     * their type (hgl_format_of gets it as red's). */
    {{GL_LUMINANCE, GL_LUMINANCE, GL_HALF_FLOAT_OES, 2, R}, {16}},
    {{GL_LUMINANCE, GL_LUMINANCE, GL_FLOAT, 4, R}, {32}},
    {{GL_LUMINANCE, GL_LUMINANCE, GL_UNSIGNED_BYTE, 1, R}, {0}},
    {{GL_LUMINANCE_ALPHA, GL_LUMINANCE_ALPHA, GL_HALF_FLOAT_OES, 4, R | A}, {0, 0, 0, 16}},
    {{GL_LUMINANCE_ALPHA, GL_LUMINANCE_ALPHA, GL_FLOAT, 8, R | A}, {0, 0, 0, 32}},
    {{GL_LUMINANCE_ALPHA, GL_LUMINANCE_ALPHA, GL_UNSIGNED_BYTE, 2, R | A}, {0}},
    {{GL_DEPTH_COMPONENT, GL_DEPTH_COMPONENT, GL_UNSIGNED_SHORT, 2, 0}, {0, 0, 0, 0, 16}},
    {{GL_DEPTH_COMPONENT, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT, 4, 0}, {0}},
    {{GL_DEPTH_STENCIL, GL_DEPTH_STENCIL, GL_UNSIGNED_INT_24_8, 4, 0}, {0}},
    {{GL_STENCIL_INDEX, GL_STENCIL_INDEX, GL_UNSIGNED_BYTE, 1, 0}, {0}},
    {{GL_SRGB_EXT, GL_SRGB_EXT, GL_UNSIGNED_BYTE, 3, 0}, {0}},
    {{GL_SRGB_ALPHA_EXT, GL_SRGB_ALPHA_EXT, GL_UNSIGNED_BYTE, 4, 0}, {0}},
};

const struct hgl_format *hgl_format_of(GLenum internal, const GLint sizes[6])
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i].internal == internal) {
            return &formats[i];
        }
    }
    for (size_t i = 0; i < sizeof unsized / sizeof unsized[0]; i++) {
        bool fits = unsized[i].format.internal == internal;
        for (uint32_t k = 0; k < 6; k++) {
            fits = fits && (unsized[i].bits[k] == 0 || unsized[i].bits[k] == sizes[k]);
        }
        if (fits) {
            return &unsized[i].format;
        }
    }
    return NULL;
}

/* Of desktop GL (ARB_internalformat_query2). */
enum {
    INTERNALFORMAT_SUPPORTED = 0x826F,
    INTERNALFORMAT_RED_SIZE = 0x8271, /* and five more */
    INTERNALFORMAT_RED_TYPE = 0x8278,
    INTERNALFORMAT_DEPTH_TYPE = 0x827C,
    COLOR_ENCODING = 0x8296
};

static GLint told(const struct hgl_save *s, GLenum target, GLenum internal, GLenum what)
{
    GLint value = 0;
    s->gl->GetInternalformativ(target, internal, what, 1, &value);
    return value;
}

const struct hgl_format *hgl_format_like(const struct hgl_save *s, GLenum target,
                                         const struct hgl_likeness *like)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const struct hgl_format *f = &formats[i];
        bool fits = told(s, target, f->internal, INTERNALFORMAT_SUPPORTED) != 0;
        for (uint32_t k = 0; fits && k < 6; k++) {
            fits = told(s, target, f->internal, INTERNALFORMAT_RED_SIZE + k) == like->sizes[k];
        }
        GLenum type = like->sizes[4] != 0 ? INTERNALFORMAT_DEPTH_TYPE : INTERNALFORMAT_RED_TYPE;
        if (fits && like->type != 0) {
            fits = told(s, target, f->internal, type) == (GLint)like->type;
        }
        if (fits && like->sizes[0] != 0) {
            fits = (told(s, target, f->internal, COLOR_ENCODING) == GL_SRGB) == like->is_srgb;
        }
        if (fits) {
            return f;
        }
    }
    return NULL;
}

/* Drivers take a depth of 32 bits for one of 24 by way of fractions, and cut off what is left: a
 * value that was read is less than a step above the one that is kept, or below it by what reading
 * cut off. One more is enough, and too little for the next step. */
void hgl_format_round(const struct hgl_format *f, void *pixels, size_t count)
{
    uint8_t *p = pixels;
    bool rounds = f->format == GL_DEPTH_COMPONENT && f->type == GL_UNSIGNED_INT &&
                  f->internal != GL_DEPTH_COMPONENT32_OES;
    for (size_t i = 0; rounds && i < count; i++, p += 4) {
        uint32_t depth = sl_load_u32(p);
        sl_store_u32(p, depth != UINT32_MAX ? depth + 1 : depth);
    }
}
