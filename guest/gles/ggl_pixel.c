/* How many bytes pixels take, and where they lie in client memory (protocol: section 10). */
#include "guest/gles/ggl_objects.h"

/* Components of a client format; 0: unknown. */
static const struct {
    GLenum format;
    uint8_t components;
    bool integer;
} formats[] = {
    {GL_RED, 1, false},
    {GL_RG, 2, false},
    {GL_RGB, 3, false},
    {GL_RGBA, 4, false},
    {GL_RED_INTEGER, 1, true},
    {GL_RG_INTEGER, 2, true},
    {GL_RGB_INTEGER, 3, true},
    {GL_RGBA_INTEGER, 4, true},
    {GL_ALPHA, 1, false},
    {GL_LUMINANCE, 1, false},
    {GL_LUMINANCE_ALPHA, 2, false},
    {GL_BGRA_EXT, 4, false},
    {GL_BGR_EXT, 3, false}, /* MESA_bgra */
    {GL_DEPTH_COMPONENT, 1, false},
    {GL_DEPTH_STENCIL, 2, false},
    {GL_STENCIL_INDEX, 1, false},
    /* sized formats that upstream guests accept here */
    {GL_R8, 1, false},
    {GL_RG8, 2, false},
    {GL_RGB8, 3, false},
    {GL_RGBA8, 4, false},
    {GL_ALPHA8_EXT, 1, false},
    {GL_LUMINANCE8_EXT, 1, false},
    {GL_LUMINANCE8_ALPHA8_EXT, 2, false},
    {GL_BGRA8_EXT, 4, false},
    {GL_SRGB_EXT, 3, false},
    {GL_SRGB_ALPHA_EXT, 4, false},
};

/* Bytes of one component, or of a whole pixel when `packed`. */
static const struct {
    GLenum type;
    uint8_t size;
    bool packed;
} types[] = {
    {GL_UNSIGNED_BYTE, 1, false},
    {GL_BYTE, 1, false},
    {GL_UNSIGNED_SHORT, 2, false},
    {GL_SHORT, 2, false},
    {GL_UNSIGNED_INT, 4, false},
    {GL_INT, 4, false},
    {GL_HALF_FLOAT, 2, false},
    {GL_HALF_FLOAT_OES, 2, false},
    {GL_FLOAT, 4, false},
    {GL_UNSIGNED_SHORT_4_4_4_4, 2, true},
    {GL_UNSIGNED_SHORT_5_5_5_1, 2, true},
    {GL_UNSIGNED_SHORT_5_6_5, 2, true},
    {GL_UNSIGNED_SHORT_4_4_4_4_REV_EXT, 2, true},
    {GL_UNSIGNED_SHORT_1_5_5_5_REV_EXT, 2, true},
    {GL_UNSIGNED_INT_10F_11F_11F_REV, 4, true},
    {GL_UNSIGNED_INT_5_9_9_9_REV, 4, true},
    {GL_UNSIGNED_INT_2_10_10_10_REV, 4, true},
    {GL_UNSIGNED_INT_24_8, 4, true},
    {GL_FLOAT_32_UNSIGNED_INT_24_8_REV, 8, true},
};

uint32_t ggl_pixel_size(GLenum format, GLenum type)
{
    uint32_t components = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats && !components; i++) {
        components = formats[i].format == format ? formats[i].components : 0;
    }
    for (size_t i = 0; components && i < sizeof types / sizeof *types; i++) {
        if (types[i].type == type) {
            return types[i].packed ? types[i].size : types[i].size * components;
        }
    }
    return 0;
}

bool ggl_pixels_measure(const struct ggl_pixel_store *store, uint32_t dims, GLsizei width,
                        GLsizei height, GLsizei depth, GLenum format, GLenum type,
                        struct ggl_pixels *out)
{
    uint64_t pixel = ggl_pixel_size(format, type);
    *out = (struct ggl_pixels){0};
    if (width <= 0 || height <= 0 || depth <= 0 || pixel == 0) {
        return true;
    }
    /* Each factor is below 2^31, pixel at most 16. */
    uint64_t mask = store->alignment - 1;
    uint64_t pitch =
        (pixel * (store->row_length ? store->row_length : (uint32_t)width) + mask) & ~mask;
    uint64_t rows = dims == 3 && store->image_height ? store->image_height : (uint32_t)height;
    uint64_t skip_images = dims == 3 ? store->skip_images : 0;
    uint64_t image, skipped_images, skipped_rows, skip, payload, all;
    if (__builtin_mul_overflow(pitch, rows, &image) ||
        __builtin_mul_overflow(image, skip_images, &skipped_images) ||
        __builtin_mul_overflow(pitch, (uint64_t)store->skip_rows, &skipped_rows) ||
        __builtin_add_overflow(skipped_images, skipped_rows, &skip) ||
        __builtin_add_overflow(skip, store->skip_pixels * pixel, &skip) ||
        __builtin_mul_overflow(image, (uint64_t)depth, &payload) ||
        __builtin_add_overflow(skip, payload, &all) || all > INT32_MAX) {
        return false;
    }
    uint64_t row = pixel * (uint32_t)width;
    *out = (struct ggl_pixels){.start = skip,
                               .row = row,
                               .pitch = pitch,
                               .image = image,
                               .rows = (uint32_t)height,
                               .images = (uint32_t)depth,
                               .size = all};
    if (rows < (uint32_t)height || pitch < row) { /* images or rows overlap: all in one piece */
        uint64_t span = image * ((uint64_t)depth - 1) + pitch * ((uint32_t)height - 1u) +
                        (pitch > row ? pitch : row);
        if (skip + span > INT32_MAX) {
            return false;
        }
        *out = (struct ggl_pixels){.start = skip,
                                   .row = span - (pitch > row ? pitch - row : 0),
                                   .pitch = span,
                                   .image = span,
                                   .rows = 1,
                                   .images = 1,
                                   .size = skip + span};
    }
    return true;
}

struct sl_gather ggl_pixels_gather(const struct ggl_pixels *p, const void *data)
{
    struct sl_gather g = {.src = (const uint8_t *)data + p->start,
                          .size = p->size,
                          .prefix = p->start,
                          .row = p->row,
                          .src_pitch = p->pitch,
                          .wire_pitch = p->pitch,
                          .src_image = p->image,
                          .wire_image = p->image,
                          .rows = p->rows,
                          .images = p->images};
    if (p->row ==
        p->pitch) { /* no padding between rows: an image in one piece, perhaps all of them */
        g.row = g.wire_pitch = g.src_pitch = p->pitch * p->rows;
        g.rows = 1;
        if (g.row == p->image) {
            g.row = g.wire_pitch = g.src_pitch = g.src_image = g.wire_image = p->image * p->images;
            g.images = 1;
        }
    }
    return g;
}

static bool store_value(struct ggl_context *c, GLenum pname, GLint value)
{
    uint32_t v = (uint32_t)value;
    switch (pname) {
    case GL_UNPACK_ALIGNMENT:
    case GL_PACK_ALIGNMENT:
        if (value != 1 && value != 2 && value != 4 && value != 8) {
            return false;
        }
        *(pname == GL_PACK_ALIGNMENT ? &c->pack.alignment : &c->unpack.alignment) = v;
        return true;
    case GL_UNPACK_ROW_LENGTH:
        c->unpack.row_length = v;
        return true;
    case GL_UNPACK_IMAGE_HEIGHT:
        c->unpack.image_height = v;
        return true;
    case GL_UNPACK_SKIP_PIXELS:
        c->unpack.skip_pixels = v;
        return true;
    case GL_UNPACK_SKIP_ROWS:
        c->unpack.skip_rows = v;
        return true;
    case GL_UNPACK_SKIP_IMAGES:
        c->unpack.skip_images = v;
        return true;
    case GL_PACK_ROW_LENGTH:
        c->pack.row_length = v;
        return true;
    case GL_PACK_SKIP_PIXELS:
        c->pack.skip_pixels = v;
        return true;
    case GL_PACK_SKIP_ROWS:
        c->pack.skip_rows = v;
        return true;
    default:
        return true; /* the host says that it is none */
    }
}

/* The host gets it too: it skips and pads by the same numbers. */
void ggl_glPixelStorei(GLenum pname, GLint param)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (!ggl_size_travels(c, param)) {
        return;
    }
    if (param >= 0 && !store_value(c, pname, param)) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    gles2_pack_glPixelStorei(ggl_pack(c), pname, param);
}
