/* Textures of a group: storage, contents and parameters, read by the desktop context. */
#include "host/gles/hgl_save_texture.h"

#include "host/gles/hgl_save_image.h"

#include "transport/base/mem.h"
#include "wire/rc_pack.h"

#include <GLES2/gl2ext.h>
#include <string.h>

#define LEVELS_MAX 16u
/* Of desktop GL. */
#define GL_TEXTURE_TARGET_DESKTOP         0x1006
#define GL_TEXTURE_LUMINANCE_SIZE_DESKTOP 0x8060

/* --- parameters, of textures and samplers --- */

enum { OF_TEXTURE = 1, OF_SAMPLER = 2, OF_BOTH = 3 };
struct parameter {
    GLenum name;
    uint8_t of;
    bool is_float;
    const char *extension; /* nullable */
    uint8_t gles;
};
static const struct parameter parameters[] = {
    {GL_TEXTURE_MIN_FILTER, OF_BOTH, false, NULL, 20},
    {GL_TEXTURE_MAG_FILTER, OF_BOTH, false, NULL, 20},
    {GL_TEXTURE_WRAP_S, OF_BOTH, false, NULL, 20},
    {GL_TEXTURE_WRAP_T, OF_BOTH, false, NULL, 20},
    {GL_TEXTURE_WRAP_R, OF_BOTH, false, NULL, 30},
    {GL_TEXTURE_COMPARE_MODE, OF_BOTH, false, NULL, 30},
    {GL_TEXTURE_COMPARE_FUNC, OF_BOTH, false, NULL, 30},
    {GL_TEXTURE_MIN_LOD, OF_BOTH, true, NULL, 30},
    {GL_TEXTURE_MAX_LOD, OF_BOTH, true, NULL, 30},
    {GL_TEXTURE_BASE_LEVEL, OF_TEXTURE, false, NULL, 30},
    {GL_TEXTURE_MAX_LEVEL, OF_TEXTURE, false, NULL, 30},
    {GL_TEXTURE_SWIZZLE_R, OF_TEXTURE, false, NULL, 30},
    {GL_TEXTURE_SWIZZLE_G, OF_TEXTURE, false, NULL, 30},
    {GL_TEXTURE_SWIZZLE_B, OF_TEXTURE, false, NULL, 30},
    {GL_TEXTURE_SWIZZLE_A, OF_TEXTURE, false, NULL, 30},
    {GL_DEPTH_STENCIL_TEXTURE_MODE, OF_TEXTURE, false, NULL, 31},
    {GL_TEXTURE_MAX_ANISOTROPY_EXT, OF_BOTH, true, "GL_EXT_texture_filter_anisotropic", 20},
    {GL_TEXTURE_SRGB_DECODE_EXT, OF_BOTH, false, "GL_EXT_texture_sRGB_decode", 20},
};

static bool offered(const struct hgl_save *s, const struct parameter *p)
{
    return s->gles >= p->gles && (p->extension == NULL || hgl_has(s, p->extension));
}

/* Border colours as the bits that they are kept as. */
static void save_border(struct hgl_save *s, GLenum target, uint32_t sampler)
{
    GLuint bits[4] = {0};
    if (s->gles < 32) {
        return;
    }
    if (sampler != 0) {
        s->gl->GetSamplerParameterIuiv(sampler, GL_TEXTURE_BORDER_COLOR, bits);
        glesx_pack_glSamplerParameterIuiv(hgl_out(s), sampler, GL_TEXTURE_BORDER_COLOR, bits,
                                          sizeof bits);
    } else {
        s->gl->GetTexParameterIuiv(target, GL_TEXTURE_BORDER_COLOR, bits);
        glesx_pack_glTexParameterIuiv(hgl_out(s), target, GL_TEXTURE_BORDER_COLOR, bits,
                                      sizeof bits);
    }
}

void hgl_save_parameters(struct hgl_save *s, GLenum target, uint32_t sampler)
{
    const struct gl_driver *gl = s->gl;
    bool samples = target == GL_TEXTURE_2D_MULTISAMPLE || target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY;
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        const struct parameter *p = &parameters[i];
        GLfloat value[4] = {0};
        if ((p->of & (sampler != 0 ? OF_SAMPLER : OF_TEXTURE)) == 0 || !offered(s, p) ||
            (samples && (p->of == OF_BOTH || p->name == GL_TEXTURE_BASE_LEVEL))) {
            continue;
        }
        if (p->is_float && sampler != 0) {
            gl->GetSamplerParameterfv(sampler, p->name, value);
            gles2_pack_glSamplerParameterf(hgl_out(s), sampler, p->name, value[0]);
        } else if (p->is_float) {
            gl->GetTexParameterfv(target, p->name, value);
            gles2_pack_glTexParameterf(hgl_out(s), target, p->name, value[0]);
        } else {
            GLint number[4] = {0};
            if (sampler != 0) {
                gl->GetSamplerParameteriv(sampler, p->name, number);
                gles2_pack_glSamplerParameteri(hgl_out(s), sampler, p->name, number[0]);
            } else {
                gl->GetTexParameteriv(target, p->name, number);
                gles2_pack_glTexParameteri(hgl_out(s), target, p->name, number[0]);
            }
        }
    }
    if (!samples) {
        save_border(s, target, sampler);
    }
}

/* --- images --- */

static GLint level_get(const struct hgl_save *s, GLenum face, GLint level, GLenum name)
{
    GLint value = 0;
    s->gl->GetTexLevelParameteriv(face, level, name, &value);
    return value;
}

struct hgl_level hgl_save_level(struct hgl_save *s, GLenum face, GLint number)
{
    static const GLenum bits[6] = {GL_TEXTURE_RED_SIZE,   GL_TEXTURE_GREEN_SIZE,
                                   GL_TEXTURE_BLUE_SIZE,  GL_TEXTURE_ALPHA_SIZE,
                                   GL_TEXTURE_DEPTH_SIZE, GL_TEXTURE_STENCIL_SIZE};
    struct hgl_level l = {.width = level_get(s, face, number, GL_TEXTURE_WIDTH)};
    if (l.width <= 0) {
        return (struct hgl_level){0};
    }
    GLint sizes[6];
    for (uint32_t i = 0; i < 6; i++) {
        sizes[i] = level_get(s, face, number, bits[i]);
    }
    l.height = level_get(s, face, number, GL_TEXTURE_HEIGHT);
    l.depth = level_get(s, face, number, GL_TEXTURE_DEPTH);
    l.internal = level_get(s, face, number, GL_TEXTURE_INTERNAL_FORMAT);
    l.compressed = level_get(s, face, number, GL_TEXTURE_COMPRESSED);
    l.samples = level_get(s, face, number, GL_TEXTURE_SAMPLES);
    l.fixed = level_get(s, face, number, GL_TEXTURE_FIXED_SAMPLE_LOCATIONS);
    if (l.compressed) {
        l.compressed_size = level_get(s, face, number, 0x86A0 /* ..._COMPRESSED_IMAGE_SIZE */);
    } else {
        if (l.internal == GL_LUMINANCE || l.internal == GL_LUMINANCE_ALPHA) {
            sizes[0] = level_get(s, face, number, GL_TEXTURE_LUMINANCE_SIZE_DESKTOP);
        }
        l.format = hgl_format_of((GLenum)l.internal, sizes);
    }
    return l;
}

static uint32_t lowest_bits(uint32_t v)
{
    uint32_t n = 0;
    for (; v != 0; v &= v - 1) {
        n++;
    }
    return n;
}

/* Luminance and alpha were read as RGBA: what is kept moves together. */
static void keep_components(uint8_t *pixels, size_t count, const struct hgl_format *f)
{
    size_t size = f->bytes / lowest_bits(f->legacy);
    uint8_t *to = pixels;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < 4; k++) {
            if ((f->legacy >> k & 1) != 0) {
                memmove(to, pixels + (i * 4 + k) * size, size);
                to += size;
            }
        }
    }
}

/* The pixels of a level, rows without gaps; NULL: failed. */
static uint8_t *read_level(struct hgl_save *s, GLenum face, GLint number, const struct hgl_level *l,
                           size_t *size)
{
    const struct hgl_format *f = l->format;
    size_t count = (size_t)l->width * (size_t)l->height * (size_t)l->depth;
    if (l->compressed) {
        *size = (size_t)l->compressed_size;
        uint8_t *data = hgl_save_alloc(s, *size, 1);
        if (data != NULL) {
            s->reader.GetCompressedTexImage(face, number, data);
        }
        return data;
    }
    *size = count * f->bytes;
    size_t pixel = f->legacy != 0 ? 4u * f->bytes / lowest_bits(f->legacy) : f->bytes;
    uint8_t *data = hgl_save_alloc(s, count, pixel);
    if (data == NULL) {
        return NULL;
    }
    memset(data, 0, count * pixel);
    GLenum type = f->type == GL_HALF_FLOAT_OES ? GL_HALF_FLOAT : f->type;
    GLenum format = f->format == GL_SRGB_EXT         ? GL_RGB
                    : f->format == GL_SRGB_ALPHA_EXT ? GL_RGBA
                                                     : f->format;
    s->reader.GetTexImage(face, number, f->legacy != 0 ? GL_RGBA : format, type, data);
    if (f->legacy != 0) {
        keep_components(data, count, f);
    }
    hgl_format_round(f, data, count);
    return data;
}

/* The level's storage with its contents, or the contents alone where the storage is there. */
static void save_level(struct hgl_save *s, const struct hgl_texture *t, GLenum face, GLint number,
                       const struct hgl_level *l)
{
    size_t size;
    if (!l->compressed && l->format == NULL) {
        hgl_save_refuse(s, "texture %u has the format 0x%x", t->name, (unsigned)l->internal);
        return;
    }
    uint8_t *data = read_level(s, face, number, l, &size);
    if (data == NULL) {
        return;
    }
    struct sl_pack *out = hgl_out(s);
    const struct sl_gather pixels = sl_gather_flat(data, size);
    uint32_t bytes = (uint32_t)size;
    GLenum internal = (GLenum)l->internal;
    /* A driver tells of what it chose, which images of that kind do not take. */
    GLint asked = !l->compressed && l->format->legacy != 0 ? (GLint)l->format->format : l->internal;
    if (size > HR_PACKET_MAX / 2) {
        hgl_save_refuse(s, "texture %u has %zu bytes", t->name, size);
    } else if (l->compressed && t->layered && t->immutable) {
        gles2_pack_glCompressedTexSubImage3D(out, face, number, 0, 0, 0, l->width, l->height,
                                             l->depth, internal, (GLsizei)bytes, data, bytes);
    } else if (l->compressed && t->layered) {
        gles2_pack_glCompressedTexImage3D(out, face, number, internal, l->width, l->height,
                                          l->depth, 0, (GLsizei)bytes, data, bytes);
    } else if (l->compressed && t->immutable) {
        gles2_pack_glCompressedTexSubImage2D(out, face, number, 0, 0, l->width, l->height, internal,
                                             (GLsizei)bytes, data, bytes);
    } else if (l->compressed) {
        gles2_pack_glCompressedTexImage2D(out, face, number, internal, l->width, l->height, 0,
                                          (GLsizei)bytes, data, bytes);
    } else if (t->layered && t->immutable) {
        gles2_pack_glTexSubImage3D(out, face, number, 0, 0, 0, l->width, l->height, l->depth,
                                   l->format->format, l->format->type, &pixels);
    } else if (t->layered) {
        gles2_pack_glTexImage3D(out, face, number, asked, l->width, l->height, l->depth, 0,
                                l->format->format, l->format->type, &pixels);
    } else if (t->immutable) {
        gles2_pack_glTexSubImage2D(out, face, number, 0, 0, l->width, l->height, l->format->format,
                                   l->format->type, &pixels);
    } else {
        gles2_pack_glTexImage2D(out, face, number, asked, l->width, l->height, 0, l->format->format,
                                l->format->type, &pixels);
    }
    hgl_save_flush(s);
    sl_free(data);
}

void hgl_save_storage(struct hgl_save *s, const struct hgl_texture *t, const struct hgl_level *l)
{
    struct sl_pack *out = hgl_out(s);
    GLenum internal = (GLenum)l->internal;
    if (t->target == GL_TEXTURE_2D_MULTISAMPLE) {
        gles2_pack_glTexStorage2DMultisample(out, t->target, l->samples, internal, l->width,
                                             l->height, (GLboolean)l->fixed);
    } else if (t->target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY) {
        glesx_pack_glTexStorage3DMultisample(out, t->target, l->samples, internal, l->width,
                                             l->height, l->depth, (GLboolean)l->fixed);
    } else if (t->layered) {
        gles2_pack_glTexStorage3D(out, t->target, t->immutable, internal, l->width, l->height,
                                  l->depth);
    } else {
        gles2_pack_glTexStorage2D(out, t->target, t->immutable, internal, l->width, l->height);
    }
}

/* A number that is another one for another storage that cannot become this one. */
static uint64_t shape_of(struct hgl_save *s, const struct hgl_texture *t)
{
    bool cube = t->target == GL_TEXTURE_CUBE_MAP;
    bool samples =
        t->target == GL_TEXTURE_2D_MULTISAMPLE || t->target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY;
    uint64_t sum = t->target;
    if (t->target != GL_TEXTURE_BUFFER && (t->immutable != 0 || samples)) {
        struct hgl_level l =
            hgl_save_level(s, cube ? GL_TEXTURE_CUBE_MAP_POSITIVE_X : t->target, 0);
        const GLint parts[] = {l.width, l.height, l.depth, l.internal, l.samples, t->immutable};
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            sum = (sum ^ (uint32_t)parts[i]) * 0x100000001b3ull;
        }
    }
    return sum;
}

/* Storage and contents apart, for who compares. */
static void about_storage(struct hgl_save *s, const struct hgl_texture *t)
{
    if (t->name != 0) {
        hgl_save_makes(s, HGL_TEXTURES, t->name, shape_of(s, t));
    } else {
        hgl_save_about(s, VGD_FILLS, HGL_ABOUT_HELD + HGL_TEXTURES, t->target << 8);
    }
}

static void about_contents(struct hgl_save *s, const struct hgl_texture *t)
{
    if (hgl_save_is_whole(s) && t->name != 0) {
        hgl_save_about(s, VGD_FILLS, HGL_ABOUT_HELD + HGL_TEXTURES, t->name);
        gles2_pack_glBindTexture(hgl_out(s), t->target, t->name);
    }
}

void hgl_save_texture_images(struct hgl_save *s, const struct hgl_texture *t)
{
    bool cube = t->target == GL_TEXTURE_CUBE_MAP;
    GLenum first = cube ? GL_TEXTURE_CUBE_MAP_POSITIVE_X : t->target;
    bool samples =
        t->target == GL_TEXTURE_2D_MULTISAMPLE || t->target == GL_TEXTURE_2D_MULTISAMPLE_ARRAY;
    if (t->immutable == 0 && !samples) {
        about_contents(s, t);
    }
    for (GLint number = 0; number < (GLint)LEVELS_MAX && !hgl_save_failed(s); number++) {
        for (GLenum face = first; face < first + (cube ? 6u : 1u); face++) {
            if (t->immutable != 0 && number >= t->immutable) {
                return;
            }
            struct hgl_level l = hgl_save_level(s, face, number);
            if (l.width == 0) {
                continue;
            }
            if ((t->immutable != 0 || samples) && number == 0 && face == first && !t->is_view) {
                hgl_save_storage(s, t, &l);
                about_contents(s, t);
            }
            if (samples) {
                hgl_save_has_samples(s, t->name, t->target);
                return;
            }
            save_level(s, t, face, number, &l);
        }
    }
}

static void save_texture_buffer(struct hgl_save *s, GLenum target)
{
    GLint buffer = level_get(s, target, 0, GL_TEXTURE_BUFFER_DATA_STORE_BINDING);
    GLint internal = level_get(s, target, 0, GL_TEXTURE_INTERNAL_FORMAT);
    GLint offset = level_get(s, target, 0, GL_TEXTURE_BUFFER_OFFSET);
    GLint size = level_get(s, target, 0, GL_TEXTURE_BUFFER_SIZE);
    if (buffer == 0) {
        return;
    }
    s->gl->BindBuffer(GL_COPY_READ_BUFFER, (GLuint)buffer);
    GLint whole = 0;
    s->gl->GetBufferParameteriv(GL_COPY_READ_BUFFER, GL_BUFFER_SIZE, &whole);
    if (offset == 0 && size == whole) {
        gles2_pack_glTexBufferEXT(hgl_out(s), target, (GLenum)internal, (GLuint)buffer);
    } else {
        gles2_pack_glTexBufferRangeEXT(hgl_out(s), target, (GLenum)internal, (GLuint)buffer, offset,
                                       size);
    }
}

/* Storage of others: the buffers are there already, images of textures follow these. */
static bool save_storage_of(struct hgl_save *s, const struct hgl_texture *t)
{
    const uint32_t name = t->name;
    uint32_t handle = 0;
    enum hgl_storage storage =
        name != 0 ? hgl_storage_of(s->root->state->group, false, name, &handle) : HGL_STORAGE_OWN;
    if (storage == (t->immutable != 0 ? HGL_STORAGE_IMAGE : HGL_STORAGE_FIXED)) {
        return false; /* it got storage of its own since */
    }
    if (storage == HGL_STORAGE_BUFFER && !hgl_save_has_buffer(s, false, name, handle)) {
        hgl_save_refuse(s, "texture %u is of a colour buffer that is closed", name);
    } else if (storage == HGL_STORAGE_BUFFER) {
        rc_pack_rcBindTexture(hgl_out(s), handle);
    } else if (storage != HGL_STORAGE_OWN) {
        hgl_save_image_storage(s, t->target, name, storage);
    }
    return storage != HGL_STORAGE_OWN;
}

static void save_texture(struct hgl_save *s, uint32_t name, GLenum target)
{
    struct hgl_texture t = {.name = name, .target = target, .layered = hgl_is_layered(target)};
    GLint levels = 0;
    s->gl->BindTexture(target, name);
    if (target != GL_TEXTURE_BUFFER) {
        s->gl->GetTexParameteriv(target, GL_TEXTURE_IMMUTABLE_FORMAT, &t.immutable);
        if (t.immutable != 0) {
            s->gl->GetTexParameteriv(target, GL_TEXTURE_IMMUTABLE_LEVELS, &levels);
            t.immutable = levels > 0 ? levels : 1;
        }
    }
    about_storage(s, &t);
    gles2_pack_glBindTexture(hgl_out(s), target, name);
    if (target == GL_TEXTURE_BUFFER) {
        about_contents(s, &t);
        save_texture_buffer(s, target);
        hgl_save_flush(s);
        return;
    }
    if (!save_storage_of(s, &t)) {
        hgl_save_texture_images(s, &t);
    } else {
        about_contents(s, &t);
    }
    hgl_save_parameters(s, target, 0);
    hgl_save_flush(s);
}

/* The textures that are bound where none is have no name, and may have contents. */
void hgl_save_unnamed(struct hgl_save *s)
{
    static const struct {
        GLenum target;
        uint8_t gles;
    } targets[] = {{GL_TEXTURE_2D, 20},
                   {GL_TEXTURE_CUBE_MAP, 20},
                   {GL_TEXTURE_3D, 30},
                   {GL_TEXTURE_2D_ARRAY, 30}};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        if (s->gles >= targets[i].gles) {
            save_texture(s, 0, targets[i].target);
        }
    }
}

GLenum hgl_save_target(struct hgl_save *s, uint32_t texture)
{
    GLint target = 0;
    s->reader.GetTextureParameteriv(texture, GL_TEXTURE_TARGET_DESKTOP, &target);
    if (target == 0) { /* one over a buffer has no parameters */
        (void)s->gl->GetError();
        s->gl->BindTexture(GL_TEXTURE_BUFFER, texture);
        if (s->gl->GetError() != GL_NO_ERROR) {
            hgl_save_refuse(s, "texture %u is of no target that can be read", texture);
        }
        target = GL_TEXTURE_BUFFER;
    }
    return (GLenum)target;
}

void hgl_save_unpack_plain(struct hgl_save *s)
{
    static const GLenum rows[] = {GL_UNPACK_ROW_LENGTH, GL_UNPACK_SKIP_ROWS, GL_UNPACK_SKIP_PIXELS,
                                  GL_UNPACK_IMAGE_HEIGHT, GL_UNPACK_SKIP_IMAGES};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gles2_pack_glPixelStorei(hgl_out(s), rows[i], 0);
    }
    gles2_pack_glBindBuffer(hgl_out(s), GL_PIXEL_UNPACK_BUFFER, 0);
}

void hgl_save_textures(struct hgl_save *s)
{
    uint8_t *alive;
    uint32_t top = hgl_save_names(s, s->root->state, HGL_TEXTURES, &alive);
    s->gl->PixelStorei(GL_PACK_ALIGNMENT, 1); /* the reader's own */
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_STATE, 7);
    gles2_pack_glPixelStorei(hgl_out(s), GL_UNPACK_ALIGNMENT, 1);
    if (hgl_save_is_whole(s)) { /* who is led back has what guests have set */
        if (s->gles >= 30) {
            hgl_save_unpack_plain(s);
        }
        gles2_pack_glActiveTexture(hgl_out(s), GL_TEXTURE0);
    }
    for (uint32_t i = 0; i < s->orphan_count; i++) {
        if (s->orphans[i].type == GL_TEXTURE) {
            hgl_save_orphan_texture(s, &s->orphans[i]);
        }
    }
    for (uint32_t turn = 0; turn <= HGL_IMAGE_DEPTHS; turn++) { /* images between what has them */
        for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
            if (alive[name] != 0 && hgl_save_image_depth(s, false, name) == turn &&
                !hgl_save_is_view(s, name)) {
                save_texture(s, name, hgl_save_target(s, name));
            }
        }
        if (turn == 0) {
            hgl_save_views(s, top, alive, false);
            hgl_save_exports(s, false, top, alive);
        }
        hgl_save_images(s, turn);
    }
    hgl_save_views(s, top, alive, true);
    hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + HGL_TEXTURES, 1);
    hgl_save_delete_holes(s, HGL_TEXTURES, top, alive);
    sl_free(alive);
}
