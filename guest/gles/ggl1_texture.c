/* Textures of GLES 1: bindings, pixels on their way in and out, generated coordinates. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

/* The smallest limit of a driver: below it none needs to be asked. */
#define SAFE_SIZE 64

void ggl1_glActiveTexture(GLenum texture)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return;
    }
    uint32_t unit = ggl1_unit(c, texture);
    if (unit != GGL1_UNITS) {
        c->active_unit = unit;
    }
    gles1_pack_glActiveTexture(ggl_pack(c), texture);
}

void ggl1_glBindTexture(GLenum target, GLuint texture)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return;
    }
    ggl_spare_use(c, GGL_SPARE_TEXTURE, texture);
    if (target == GL_TEXTURE_2D) {
        c->units[c->active_unit].texture_2d = texture;
    }
    gles1_pack_glBindTexture(ggl_pack(c), target, texture);
}

void ggl1_glDeleteTextures(GLsizei n, const GLuint *textures)
{
    struct ggl_context *c = ggl1_current();
    if (!c || !ggl_names_given(c, n, textures)) {
        return;
    }
    for (GLsizei i = 0; i < n; i++) {
        ggl_spare_use(c, GGL_SPARE_TEXTURE, textures[i]);
        for (uint32_t unit = 0; unit < GGL1_UNITS; unit++) {
            uint32_t *bound = &c->units[unit].texture_2d;
            *bound = *bound == textures[i] ? 0 : *bound;
        }
    }
    gles1_pack_glDeleteTextures(ggl_pack(c), n, textures, (uint32_t)n * 4);
}

void ggl1_image_target(struct ggl_context *c, GLenum target, const struct ggl_image *image)
{
    if (image->kind == GGL_IMAGE_TEXTURE) {
        gles1_pack_glEGLImageTargetTexture2DOES(ggl_pack(c), target, image->id);
    } else {
        ggl_error(c, GL_INVALID_OPERATION); /* a colour buffer is a 2D texture on the wire */
    }
}

/* --- pixels --- */

void ggl1_glPixelStorei(GLenum pname, GLint param)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return;
    }
    struct ggl_pixel_store *store = pname == GL_PACK_ALIGNMENT     ? &c->pack
                                    : pname == GL_UNPACK_ALIGNMENT ? &c->unpack
                                                                   : NULL;
    bool allowed = param == 1 || param == 2 || param == 4 || param == 8;
    if (!store || !allowed) {
        ggl_error(c, store ? GL_INVALID_VALUE : GL_INVALID_ENUM);
        return;
    }
    store->alignment = (uint32_t)param;
    gles1_pack_glPixelStorei(ggl_pack(c), pname, param);
}

/* Whether a driver would look at client memory at all: it refuses sizes beyond its limits first. */
static bool plausible(struct ggl_context *c, GLsizei width, GLsizei height)
{
    if (width <= SAFE_SIZE && height <= SAFE_SIZE) {
        return true;
    }
    if (c->fixed.texture_size == 0) {
        gles1_call_glGetIntegerv(c->stream, GL_MAX_TEXTURE_SIZE, &c->fixed.texture_size, 4);
    }
    return width <= c->fixed.texture_size && height <= c->fixed.texture_size;
}

/* Bytes of client memory that a transfer touches: its last row has no padding. False: too many. */
static bool span(struct ggl_context *c, const struct ggl_pixel_store *store, GLsizei width,
                 GLsizei height, GLenum format, GLenum type, struct ggl_pixels *p, uint32_t *size)
{
    if (!ggl_pixels_measure(store, 2, width, height, 1, format, type, p)) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return false;
    }
    *size = p->size != 0 ? (uint32_t)(p->size - (p->pitch - p->row)) : 0;
    return true;
}

void ggl1_glTexImage2D(GLenum target, GLint level, GLint internalformat, GLsizei width,
                       GLsizei height, GLint border, GLenum format, GLenum type, const void *pixels)
{
    struct ggl_context *c = ggl1_current();
    struct ggl_pixels p;
    uint32_t size = 0;
    if (!c) {
        return;
    }
    bool sent = pixels && plausible(c, width, height);
    if (!sent || span(c, &c->unpack, width, height, format, type, &p, &size)) {
        gles1_pack_glTexImage2D(ggl_pack(c), target, level, internalformat, width, height, border,
                                format, type, pixels, size);
    }
}

void ggl1_glTexSubImage2D(GLenum target, GLint level, GLint xoffset, GLint yoffset, GLsizei width,
                          GLsizei height, GLenum format, GLenum type, const void *pixels)
{
    struct ggl_context *c = ggl1_current();
    struct ggl_pixels p;
    uint32_t size = 0;
    if (!c) {
        return;
    }
    bool sent = pixels && plausible(c, width, height);
    if (!sent || span(c, &c->unpack, width, height, format, type, &p, &size)) {
        gles1_pack_glTexSubImage2D(ggl_pack(c), target, level, xoffset, yoffset, width, height,
                                   format, type, pixels, size);
    }
}

/* The reply goes to memory of the context first: the application's must not change when the read is
 * refused. */
void ggl1_glReadPixels(GLint x, GLint y, GLsizei width, GLsizei height, GLenum format, GLenum type,
                       void *pixels)
{
    struct ggl_context *c = ggl1_current();
    struct ggl_pixels p;
    uint32_t size;
    if (!c || !span(c, &c->pack, width, height, format, type, &p, &size)) {
        return;
    }
    uint8_t *reply = ggl_scratch(c, (size_t)size + 1);
    if (!reply) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return;
    }
    struct ggl_question q = ggl_question_begin(c);
    gles1_pack_glReadPixels(ggl_pack(c), x, y, width, height, format, type, size);
    ggl_question_end(c, &q);
    ggl_question_earlier(c, &q);
    gs_read(c->stream, reply, size);
    gs_reply_end(c->stream);
    if (ggl_question_answered(c, &q) && pixels && size != 0) {
        for (uint32_t row = 0; row < p.rows; row++) {
            memcpy((uint8_t *)pixels + row * p.pitch, reply + row * p.pitch, p.row);
        }
    }
}

/* --- parameters --- */

/* Values of a parameter that is given by its address. */
static uint32_t parameter_values(GLenum pname)
{
    return pname == GL_TEXTURE_CROP_RECT_OES ? 4 : 1;
}

#define GET_PARAMETER(suffix, type)                                                                \
    void ggl1_glGetTexParameter##suffix(GLenum target, GLenum pname, type *params)                 \
    {                                                                                              \
        struct ggl_context *c = ggl1_current();                                                    \
        type values[4];                                                                            \
        uint32_t size = parameter_values(pname) * 4;                                               \
        if (c && params && gles1_ask_glGetTexParameter##suffix(c, target, pname, values, size)) {  \
            memcpy(params, values, size);                                                          \
        }                                                                                          \
    }
GET_PARAMETER(fv, GLfloat)
GET_PARAMETER(iv, GLint)
GET_PARAMETER(xv, GLfixed)
GET_PARAMETER(xvOES, GLfixed)

/* --- generated coordinates: what is set is kept, the wire has no reply to a query --- */

static void texgen_set(struct ggl_context *c, GLenum coord, GLenum pname, GLenum mode)
{
    if (coord == GL_TEXTURE_GEN_STR_OES && pname == GL_TEXTURE_GEN_MODE_OES &&
        (mode == GL_NORMAL_MAP_OES || mode == GL_REFLECTION_MAP_OES)) {
        c->fixed.texgen[c->active_unit] = mode;
    }
}

static bool texgen_get(GLenum coord, GLenum pname, GLint *mode)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return false;
    }
    if (coord != GL_TEXTURE_GEN_STR_OES || pname != GL_TEXTURE_GEN_MODE_OES) {
        ggl_error(c, GL_INVALID_ENUM);
        return false;
    }
    *mode = (GLint)c->fixed.texgen[c->active_unit];
    return true;
}

#define TEXGEN(suffix, type, FROM_INTEGER)                                                         \
    void ggl1_glTexGen##suffix##OES(GLenum coord, GLenum pname, type param)                        \
    {                                                                                              \
        struct ggl_context *c = ggl1_current();                                                    \
        if (c) {                                                                                   \
            texgen_set(c, coord, pname, (GLenum)param);                                            \
            gles1_pack_glTexGen##suffix##OES(ggl_pack(c), coord, pname, param);                    \
        }                                                                                          \
    }                                                                                              \
    void ggl1_glTexGen##suffix##vOES(GLenum coord, GLenum pname, const type *params)               \
    {                                                                                              \
        struct ggl_context *c = ggl1_current();                                                    \
        if (c && params) {                                                                         \
            texgen_set(c, coord, pname, (GLenum)*params);                                          \
            if (pname == GL_TEXTURE_GEN_MODE_OES) {                                                \
                gles1_pack_glTexGen##suffix##vOES(ggl_pack(c), coord, pname, params,               \
                                                  sizeof *params);                                 \
            } else { /* of what it does not know the host asks for more values */                  \
                gles1_pack_glTexGen##suffix##OES(ggl_pack(c), coord, pname, *params);              \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    void ggl1_glGetTexGen##suffix##vOES(GLenum coord, GLenum pname, type *params)                  \
    {                                                                                              \
        GLint mode;                                                                                \
        if (params && texgen_get(coord, pname, &mode)) {                                           \
            *params = FROM_INTEGER(mode);                                                          \
        }                                                                                          \
    }
#define TO_FLOAT(v) ((GLfloat)(v))
#define TO_SAME(v)  (v)
TEXGEN(f, GLfloat, TO_FLOAT)
TEXGEN(i, GLint, TO_SAME)
TEXGEN(x, GLfixed, TO_SAME)
