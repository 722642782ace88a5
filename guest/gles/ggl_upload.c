/* Texture data on its way to the host: from client memory, or from the bound PIXEL_UNPACK_BUFFER.
 */
#include "guest/gles/ggl_objects.h"

/* The smallest limits a driver of any version here has: below them none needs to be asked. */
#define SAFE_SIZE  2048
#define SAFE_DEPTH 256

/* Whether a driver would look at client memory at all: it refuses sizes beyond its limits first. */
static bool plausible(struct ggl_context *c, GLsizei width, GLsizei height, GLsizei depth)
{
    if (width <= SAFE_SIZE && height <= SAFE_SIZE && depth <= SAFE_DEPTH) {
        return true;
    }
    const struct ggl_limits *limits = ggl_limits_get(c);
    int32_t layers = limits->array_layers > limits->texture_size_3d ? limits->array_layers
                                                                    : limits->texture_size_3d;
    return width <= limits->texture_size && height <= limits->texture_size &&
           depth <= (layers > SAFE_DEPTH ? layers : SAFE_DEPTH);
}

static bool from_buffer(struct ggl_context *c)
{
    if (c->buffers[GGL_BUFFER_PIXEL_UNPACK] == 0) {
        return false;
    }
    ggl_lasting_use(c);
    return true;
}

/* The pixels to send, NULL for none. False: the call cannot be sent. */
static bool gather(struct ggl_context *c, uint32_t dims, GLsizei width, GLsizei height,
                   GLsizei depth, GLenum format, GLenum type, const void *data,
                   struct sl_gather *storage, const struct sl_gather **out)
{
    struct ggl_pixels pixels;
    *out = NULL;
    if (!data || !plausible(c, width, height, depth)) {
        return true;
    }
    if (!ggl_pixels_measure(&c->unpack, dims, width, height, depth, format, type, &pixels)) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return false;
    }
    if (pixels.size != 0) {
        *storage = ggl_pixels_gather(&pixels, data);
        *out = storage;
    }
    return true;
}

void ggl_glTexImage2D(GLenum target, GLint level, GLint internalformat, GLsizei width,
                      GLsizei height, GLint border, GLenum format, GLenum type, const void *pixels)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    ggl_stock_limit(c, GL_MAX_TEXTURE_SIZE);
    ggl_stock_limit(c, GL_MAX_CUBE_MAP_TEXTURE_SIZE);
    ggl_store_respecify(c, target, level);
    if (from_buffer(c)) {
        gles2_pack_glTexImage2DOffsetAEMU(ggl_pack(c), target, level, internalformat, width, height,
                                          border, format, type, (GLuint)(uintptr_t)pixels);
        ggl_settle(c);
        return;
    }
    struct sl_gather storage;
    const struct sl_gather *g;
    if (gather(c, 2, width, height, 1, format, type, pixels, &storage, &g)) {
        struct ggl_target_scope scope = ggl_target_begin(c, target);
        gles2_pack_glTexImage2D(ggl_pack(c), scope.target, level, internalformat, width, height,
                                border, format, type, g);
        ggl_target_end(c, &scope);
        ggl_settle(c);
    }
}

/* Does an upload go in bands, of which the host takes one while the next is copied? Where rows or
 * images are skipped, all goes in one packet. */
static bool is_for_bands(const struct ggl_context *c, GLenum target, GLint level,
                         const struct ggl_pixels *p)
{
    return target == GL_TEXTURE_2D && level >= 0 && level < 15 && p->start == 0 &&
           p->size > 4 * GS_STAGE_BAND && p->pitch < 2 * GS_STAGE_BAND && c->version >= 31 &&
           ggl_has(c, GGL_FEATURE_GLESX) && ggl_stages(c);
}

/* Rows of the next band. */
static uint32_t band_rows(const struct ggl_pixels *p, uint32_t row)
{
    uint32_t left = p->rows - row;
    size_t rows = gs_stage_band(row * p->pitch, left * p->pitch) / p->pitch;
    return rows != 0 ? (uint32_t)rows : 1;
}

/* False: it is no upload for bands, nothing was sent. */
static bool upload_bands(struct ggl_context *c, GLenum target, GLint level, GLint xoffset,
                         GLint yoffset, GLsizei width, GLsizei height, GLenum format, GLenum type,
                         const void *pixels)
{
    struct ggl_pixels p;
    if (!ggl_pixels_measure(&c->unpack, 2, width, height, 1, format, type, &p) || p.size == 0 ||
        !is_for_bands(c, target, level, &p)) {
        return false;
    }
    struct ggl_pixels band = p;
    for (uint32_t row = 0; row < p.rows; row += band.rows) {
        band.rows = band_rows(&p, row);
        band.image = band.size = band.rows * p.pitch;
        const struct sl_gather g =
            ggl_pixels_gather(&band, (const uint8_t *)pixels + row * p.pitch);
        glesx_pack_glTexSubImage2DBandSLUICE(ggl_pack(c), target, level, xoffset, yoffset, width,
                                             height, format, type, (GLint)row, (GLsizei)band.rows,
                                             (GLsizei)g.size, &g);
    }
    return true;
}

void ggl_glTexSubImage2D(GLenum target, GLint level, GLint xoffset, GLint yoffset, GLsizei width,
                         GLsizei height, GLenum format, GLenum type, const void *pixels)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    ggl_order_use(c);
    ggl_store_upload(c, target);
    if (from_buffer(c)) {
        gles2_pack_glTexSubImage2DOffsetAEMU(ggl_pack(c), target, level, xoffset, yoffset, width,
                                             height, format, type, (GLuint)(uintptr_t)pixels);
        ggl_order_written(c);
        return;
    }
    struct sl_gather storage;
    const struct sl_gather *g;
    if (gather(c, 2, width, height, 1, format, type, pixels, &storage, &g)) {
        struct ggl_target_scope scope = ggl_target_begin(c, target);
        if (!g || !upload_bands(c, scope.target, level, xoffset, yoffset, width, height, format,
                                type, pixels)) {
            gles2_pack_glTexSubImage2D(ggl_pack(c), scope.target, level, xoffset, yoffset, width,
                                       height, format, type, g);
        }
        ggl_target_end(c, &scope);
        ggl_order_written(c);
    }
}

void ggl_glTexImage3D(GLenum target, GLint level, GLint internalformat, GLsizei width,
                      GLsizei height, GLsizei depth, GLint border, GLenum format, GLenum type,
                      const void *pixels)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    ggl_stock_limit(c, GL_MAX_3D_TEXTURE_SIZE);
    if (from_buffer(c)) {
        gles2_pack_glTexImage3DOffsetAEMU(ggl_pack(c), target, level, internalformat, width, height,
                                          depth, border, format, type, (GLuint)(uintptr_t)pixels);
        ggl_settle(c);
        return;
    }
    struct sl_gather storage;
    const struct sl_gather *g;
    if (gather(c, 3, width, height, depth, format, type, pixels, &storage, &g)) {
        gles2_pack_glTexImage3D(ggl_pack(c), target, level, internalformat, width, height, depth,
                                border, format, type, g);
        ggl_settle(c);
    }
}

void ggl_glTexSubImage3D(GLenum target, GLint level, GLint xoffset, GLint yoffset, GLint zoffset,
                         GLsizei width, GLsizei height, GLsizei depth, GLenum format, GLenum type,
                         const void *pixels)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    ggl_order_use(c);
    if (from_buffer(c)) {
        gles2_pack_glTexSubImage3DOffsetAEMU(ggl_pack(c), target, level, xoffset, yoffset, zoffset,
                                             width, height, depth, format, type,
                                             (GLuint)(uintptr_t)pixels);
        ggl_order_written(c);
        return;
    }
    struct sl_gather storage;
    const struct sl_gather *g;
    if (gather(c, 3, width, height, depth, format, type, pixels, &storage, &g)) {
        gles2_pack_glTexSubImage3D(ggl_pack(c), target, level, xoffset, yoffset, zoffset, width,
                                   height, depth, format, type, g);
        ggl_order_written(c);
    }
}

/* OES_texture_3D: the core calls, whose packets carry the same. */
void ggl_glTexImage3DOES(GLenum target, GLint level, GLenum internalformat, GLsizei width,
                         GLsizei height, GLsizei depth, GLint border, GLenum format, GLenum type,
                         const void *pixels)
{
    ggl_glTexImage3D(target, level, (GLint)internalformat, width, height, depth, border, format,
                     type, pixels);
}

void ggl_glTexSubImage3DOES(GLenum target, GLint level, GLint xoffset, GLint yoffset, GLint zoffset,
                            GLsizei width, GLsizei height, GLsizei depth, GLenum format,
                            GLenum type, const void *pixels)
{
    ggl_glTexSubImage3D(target, level, xoffset, yoffset, zoffset, width, height, depth, format,
                        type, pixels);
}

/* Compressed data is imageSize bytes as they are. */
static bool compressed(struct ggl_context *c, GLsizei size, const void *data, uint32_t *data_size)
{
    *data_size = data && size > 0 ? (uint32_t)size : 0;
    return ggl_size_travels(c, size);
}

void ggl_glCompressedTexImage2D(GLenum target, GLint level, GLenum internalformat, GLsizei width,
                                GLsizei height, GLint border, GLsizei size, const void *data)
{
    struct ggl_context *c = ggl_current();
    uint32_t data_size;
    if (!c || !compressed(c, size, data, &data_size)) {
        return;
    }
    ggl_store_respecify(c, target, level);
    if (from_buffer(c)) {
        gles2_pack_glCompressedTexImage2DOffsetAEMU(ggl_pack(c), target, level, internalformat,
                                                    width, height, border, size,
                                                    (GLuint)(uintptr_t)data);
        ggl_settle(c);
        return;
    }
    struct ggl_target_scope scope = ggl_target_begin(c, target);
    gles2_pack_glCompressedTexImage2D(ggl_pack(c), scope.target, level, internalformat, width,
                                      height, border, size, data, data_size);
    ggl_target_end(c, &scope);
    ggl_settle(c);
}

void ggl_glCompressedTexSubImage2D(GLenum target, GLint level, GLint xoffset, GLint yoffset,
                                   GLsizei width, GLsizei height, GLenum format, GLsizei size,
                                   const void *data)
{
    struct ggl_context *c = ggl_current();
    uint32_t data_size;
    if (c && target == GL_TEXTURE_EXTERNAL_OES) {
        ggl_error(c, GL_INVALID_ENUM);
        return;
    }
    if (!c || !compressed(c, size, data, &data_size)) {
        return;
    }
    ggl_order_use(c);
    if (from_buffer(c)) {
        gles2_pack_glCompressedTexSubImage2DOffsetAEMU(ggl_pack(c), target, level, xoffset, yoffset,
                                                       width, height, format, size,
                                                       (GLuint)(uintptr_t)data);
        ggl_order_written(c);
        return;
    }
    struct ggl_target_scope scope = ggl_target_begin(c, target);
    gles2_pack_glCompressedTexSubImage2D(ggl_pack(c), scope.target, level, xoffset, yoffset, width,
                                         height, format, size, data, data_size);
    ggl_target_end(c, &scope);
    ggl_order_written(c);
}

void ggl_glCompressedTexImage3D(GLenum target, GLint level, GLenum internalformat, GLsizei width,
                                GLsizei height, GLsizei depth, GLint border, GLsizei size,
                                const void *data)
{
    struct ggl_context *c = ggl_current();
    uint32_t data_size;
    if (!c || !compressed(c, size, data, &data_size)) {
        return;
    }
    if (from_buffer(c)) {
        gles2_pack_glCompressedTexImage3DOffsetAEMU(ggl_pack(c), target, level, internalformat,
                                                    width, height, depth, border, size,
                                                    (GLuint)(uintptr_t)data);
        ggl_settle(c);
        return;
    }
    gles2_pack_glCompressedTexImage3D(ggl_pack(c), target, level, internalformat, width, height,
                                      depth, border, size, data, data_size);
    ggl_settle(c);
}

void ggl_glCompressedTexSubImage3D(GLenum target, GLint level, GLint xoffset, GLint yoffset,
                                   GLint zoffset, GLsizei width, GLsizei height, GLsizei depth,
                                   GLenum format, GLsizei size, const void *data)
{
    struct ggl_context *c = ggl_current();
    uint32_t data_size;
    if (!c || !compressed(c, size, data, &data_size)) {
        return;
    }
    ggl_order_use(c);
    if (from_buffer(c)) {
        gles2_pack_glCompressedTexSubImage3DOffsetAEMU(ggl_pack(c), target, level, xoffset, yoffset,
                                                       zoffset, width, height, depth, format, size,
                                                       (GLuint)(uintptr_t)data);
        ggl_order_written(c);
        return;
    }
    gles2_pack_glCompressedTexSubImage3D(ggl_pack(c), target, level, xoffset, yoffset, zoffset,
                                         width, height, depth, format, size, data, data_size);
    ggl_order_written(c);
}

void ggl_glCompressedTexImage3DOES(GLenum target, GLint level, GLenum internalformat, GLsizei width,
                                   GLsizei height, GLsizei depth, GLint border, GLsizei size,
                                   const void *data)
{
    ggl_glCompressedTexImage3D(target, level, internalformat, width, height, depth, border, size,
                               data);
}

void ggl_glCompressedTexSubImage3DOES(GLenum target, GLint level, GLint xoffset, GLint yoffset,
                                      GLint zoffset, GLsizei width, GLsizei height, GLsizei depth,
                                      GLenum format, GLsizei size, const void *data)
{
    ggl_glCompressedTexSubImage3D(target, level, xoffset, yoffset, zoffset, width, height, depth,
                                  format, size, data);
}

/* The one pixel that a texture is cleared to; nothing means zeros. */
static uint32_t clear_size(const void *data, GLenum format, GLenum type)
{
    return data ? ggl_pixel_size(format, type) : 0;
}

static void store_clear(struct ggl_context *c, GLuint texture)
{
    if (ggl_stores(c)) {
        ggl_store_writes(c, GL_TEXTURE_2D, texture);
    }
}

void ggl_glCopyImageSubData(GLuint src, GLenum src_target, GLint src_level, GLint src_x,
                            GLint src_y, GLint src_z, GLuint dst, GLenum dst_target,
                            GLint dst_level, GLint dst_x, GLint dst_y, GLint dst_z, GLsizei width,
                            GLsizei height, GLsizei depth)
{
    struct ggl_context *c = ggl_current();
    if (c && ggl_own(c)) {
        if (ggl_stores(c)) {
            ggl_store_writes(c, dst_target, dst);
        }
        glesx_pack_glCopyImageSubData(ggl_pack(c), src, src_target, src_level, src_x, src_y, src_z,
                                      dst, dst_target, dst_level, dst_x, dst_y, dst_z, width,
                                      height, depth);
    }
}

void ggl_glClearTexImageEXT(GLuint texture, GLint level, GLenum format, GLenum type,
                            const void *data)
{
    struct ggl_context *c = ggl_current();
    if (c && ggl_own(c)) {
        store_clear(c, texture);
        glesx_pack_glClearTexImageEXT(ggl_pack(c), texture, level, format, type, data,
                                      clear_size(data, format, type));
    }
}

void ggl_glClearTexSubImageEXT(GLuint texture, GLint level, GLint x, GLint y, GLint z,
                               GLsizei width, GLsizei height, GLsizei depth, GLenum format,
                               GLenum type, const void *data)
{
    struct ggl_context *c = ggl_current();
    if (c && ggl_own(c)) {
        store_clear(c, texture);
        glesx_pack_glClearTexSubImageEXT(ggl_pack(c), texture, level, x, y, z, width, height, depth,
                                         format, type, data, clear_size(data, format, type));
    }
}
