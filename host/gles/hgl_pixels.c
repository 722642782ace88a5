/* Uploads and reads: the bytes that came, or that are asked for, cover what the pixel store makes
 * GL touch. */
#include "host/gles/hgl_group.h"

#include "host/gles2_hand.h"
#include "host/glesx_hand.h"
#include "host/ring/hr_await.h"
#include "transport/base/arith.h"

#include <string.h>

/* Who waits for so few bytes of pixels waits for what is drawn, not for the copy. */
#define FEW_BYTES 4096u

static uint32_t components(uint32_t format)
{
    switch (format) {
    case GL_RED:
    case GL_RED_INTEGER:
    case GL_ALPHA:
    case GL_LUMINANCE:
    case GL_DEPTH_COMPONENT:
    case GL_STENCIL_INDEX:
        return 1;
    case GL_RG:
    case GL_RG_INTEGER:
    case GL_LUMINANCE_ALPHA:
    case GL_DEPTH_STENCIL:
        return 2;
    case GL_RGB:
    case GL_RGB_INTEGER:
    case GL_SRGB_EXT:
    case GL_BGR_EXT:
        return 3;
    case GL_RGBA:
    case GL_RGBA_INTEGER:
    case GL_BGRA_EXT:
    case GL_SRGB_ALPHA_EXT:
        return 4;
    default:
        return 0;
    }
}

/* Bytes of a pixel for GL; never less than GL reads. 0: not known, so nothing is given to GL. */
uint32_t hgl_pixel_bytes(uint32_t format, uint32_t type)
{
    if (components(format) == 0) {
        return 0;
    }
    switch (type) {
    case GL_UNSIGNED_BYTE:
    case GL_BYTE:
        return components(format);
    case GL_UNSIGNED_SHORT:
    case GL_SHORT:
    case GL_HALF_FLOAT:
    case GL_HALF_FLOAT_OES:
        return components(format) * 2;
    case GL_UNSIGNED_INT:
    case GL_INT:
    case GL_FLOAT:
        return components(format) * 4;
    case GL_UNSIGNED_SHORT_5_6_5:
    case GL_UNSIGNED_SHORT_4_4_4_4:
    case GL_UNSIGNED_SHORT_5_5_5_1:
    case GL_UNSIGNED_SHORT_4_4_4_4_REV_EXT:
    case GL_UNSIGNED_SHORT_1_5_5_5_REV_EXT:
        return 2;
    case GL_UNSIGNED_INT_10F_11F_11F_REV:
    case GL_UNSIGNED_INT_5_9_9_9_REV:
    case GL_UNSIGNED_INT_2_10_10_10_REV:
    case GL_UNSIGNED_INT_24_8:
        return 4;
    case GL_FLOAT_32_UNSIGNED_INT_24_8_REV:
        return 8;
    default:
        return 0;
    }
}

uint64_t hgl_pixel_span(const struct hgl_pixels *p, uint32_t format, uint32_t type, int32_t width,
                        int32_t height, int32_t depth, bool has_images)
{
    uint64_t bytes = hgl_pixel_bytes(format, type);
    if (width <= 0 || height <= 0 || depth <= 0) {
        return 0;
    }
    if (bytes == 0) {
        return UINT64_MAX;
    }
    /* All factors are below 2^32, and GL's own limits keep real ones far smaller: cap them so that
     * nothing wraps. */
    uint64_t row_pixels = p->row_length != 0 ? p->row_length : (uint64_t)width;
    uint64_t rows = has_images && p->image_height != 0 ? p->image_height : (uint64_t)height;
    uint64_t images = has_images ? p->skip_images : 0;
    const uint64_t factors[] = {row_pixels,       rows,           images,
                                p->skip_rows,     p->skip_pixels, (uint64_t)width,
                                (uint64_t)height, (uint64_t)depth};
    bool sane = true;
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        sane = sane && factors[i] <= 1 << 24;
    }
    if (!sane) {
        return UINT64_MAX;
    }
    uint64_t pitch = sl_round_up(row_pixels * bytes, p->alignment), image;
    if (!sl_mul_u64(pitch, rows, &image) || image > 1ull << 36) {
        return UINT64_MAX;
    }
    images += (uint64_t)depth - 1;
    return images * image + (p->skip_rows + (uint64_t)height - 1) * pitch +
           (p->skip_pixels + (uint64_t)width) * bytes;
}

static uint32_t get(const struct gl_driver *gl, GLenum name)
{
    GLint value = 0;
    gl->GetIntegerv(name, &value);
    return value > 0 ? (uint32_t)value : 0;
}

const struct hgl_pixels *hgl_pack(const struct gl_driver *gl, struct hgl_state *s)
{
    if (!s->pack.known) {
        s->pack = (struct hgl_pixels){.known = true, .alignment = get(gl, GL_PACK_ALIGNMENT)};
        if (s->gles_version >= 30) {
            s->pack.row_length = get(gl, GL_PACK_ROW_LENGTH);
            s->pack.skip_pixels = get(gl, GL_PACK_SKIP_PIXELS);
            s->pack.skip_rows = get(gl, GL_PACK_SKIP_ROWS);
        }
        s->pack.alignment = s->pack.alignment != 0 ? s->pack.alignment : 8;
    }
    return &s->pack;
}

const struct hgl_pixels *hgl_unpack(const struct gl_driver *gl, struct hgl_state *s)
{
    if (!s->unpack.known) {
        s->unpack = (struct hgl_pixels){.known = true, .alignment = get(gl, GL_UNPACK_ALIGNMENT)};
        if (s->gles_version >= 30) {
            s->unpack.row_length = get(gl, GL_UNPACK_ROW_LENGTH);
            s->unpack.image_height = get(gl, GL_UNPACK_IMAGE_HEIGHT);
            s->unpack.skip_pixels = get(gl, GL_UNPACK_SKIP_PIXELS);
            s->unpack.skip_rows = get(gl, GL_UNPACK_SKIP_ROWS);
            s->unpack.skip_images = get(gl, GL_UNPACK_SKIP_IMAGES);
        }
        s->unpack.alignment = s->unpack.alignment != 0 ? s->unpack.alignment : 8;
    }
    return &s->unpack;
}

bool hgl_bound(const struct gl_driver *gl, uint32_t binding_query)
{
    GLint value = 0;
    gl->GetIntegerv(binding_query, &value);
    return value != 0;
}

void hgl_glPixelStorei(struct hr_call *call, const struct gles2_args_glPixelStorei *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    /* On a GLES 2 context the names of GLES 3 (as EXT_unpack_subimage has them) would move reads
     * without being seen here. */
    if (s == NULL || (s->gles_version < 30 && args->pname != GL_PACK_ALIGNMENT &&
                      args->pname != GL_UNPACK_ALIGNMENT)) {
        hr_call_refuse(call, "pixel store 0x%x", args->pname);
        return;
    }
    if (args->pname == 0x93A4 /* GL_PACK_REVERSE_ROW_ORDER_ANGLE */) {
        hr_call_refuse(call, "pixel store 0x%x", args->pname); /* flushes rely on it */
        return;
    }
    gl->PixelStorei(args->pname, args->param);
    s->pack.known = s->unpack.known = false;
}

/* While a call is made whose format is not known here: an empty buffer, so that the driver finds
 * what is wrong and touches no memory. GLES 2 has no such buffers. */
struct nothing {
    GLenum target;
    GLuint buffer;
};

static bool nothing_begin(const struct gl_driver *gl, struct hgl_state *s, GLenum target,
                          struct nothing *n)
{
    *n = (struct nothing){.target = target};
    if (s->gles_version >= 30) {
        gl->GenBuffers(1, &n->buffer);
        hgl_named(s, HGL_BUFFERS, n->buffer);
        gl->BindBuffer(target, n->buffer);
    }
    return n->buffer != 0;
}

static void nothing_end(const struct gl_driver *gl, const struct nothing *n)
{
    gl->BindBuffer(n->target, 0);
    gl->DeleteBuffers(1, &n->buffer);
}

/* Client memory of an upload. *data NULL: none was sent, GL leaves the texels undefined (or reads
 * its bound buffer from offset 0). */
static bool upload_ok(struct hr_call *call, uint32_t format, uint32_t type, int32_t width,
                      int32_t height, int32_t depth, bool images, const void *data, uint32_t size)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL) {
        return false;
    }
    if (data == NULL || size == 0) {
        return true;
    }
    uint64_t need = hgl_pixel_span(hgl_unpack(hgl_api_of(call)->gl, s), format, type, width, height,
                                   depth, images);
    if (need > size) {
        hr_call_refuse(call, "%dx%dx%d, format 0x%x, type 0x%x: reads %llu of %u bytes", width,
                       height, depth, format, type, (unsigned long long)need, size);
        return false;
    }
    return true;
}

bool hgl_pixel_buffer_needed(struct hr_call *call, uint32_t binding_query)
{
    const struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || s->gles_version < 30 || !hgl_bound(hgl_api_of(call)->gl, binding_query)) {
        hr_call_refuse(call, "no %s buffer is bound",
                       binding_query == GL_PIXEL_PACK_BUFFER_BINDING ? "pack" : "unpack");
        return false;
    }
    return true;
}

/* Before an upload of a format that is not known here; false: it cannot be asked of the driver. */
static bool unknown_begin(struct hr_call *call, uint32_t format, uint32_t type, struct nothing *n)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || hgl_pixel_bytes(format, type) != 0) {
        return false;
    }
    return !(s->gles_version >= 30 && hgl_bound(gl, GL_PIXEL_UNPACK_BUFFER_BINDING)) &&
           nothing_begin(gl, s, GL_PIXEL_UNPACK_BUFFER, n);
}

/* What a size of 0 stands for. */
static const void *pointer(const void *data, uint32_t size)
{
    return size != 0 ? data : NULL;
}

/* What shows an image has its own storage from now on, also of the same kind. */
static void image_end(const struct gl_driver *gl, struct hgl_state *s, GLenum target,
                      const struct hgl_image_look *before)
{
    hgl_image_replaced(gl, s, target, before);
    if (SL_UNLIKELY(s->group->storages.live != 0) && target == GL_TEXTURE_2D) {
        hgl_storage_set_own(gl, s, target);
    }
}

void hgl_glTexImage2D(struct hr_call *call, const struct gles2_args_glTexImage2D *a)
{
    if (upload_ok(call, a->format, a->type, a->width, a->height, 1, false, a->pixels,
                  a->pixels_size)) {
        const struct gl_driver *gl = hgl_api_of(call)->gl;
        struct hgl_state *s = hgl_state_of(call);
        const struct hgl_image_look before = hgl_image_look(gl, s, a->target, a->level);
        gl->TexImage2D(a->target, a->level, a->internalformat, a->width, a->height, a->border,
                       a->format, a->type, pointer(a->pixels, a->pixels_size));
        image_end(gl, s, a->target, &before);
    }
}

/* A part of a level. */
struct part {
    GLint at[3];
    GLsizei size[3];
};

static bool part_fits(const struct gl_driver *gl, GLenum target, GLint level,
                      const struct part *part, int dims)
{
    static const GLenum names[] = {GL_TEXTURE_WIDTH, GL_TEXTURE_HEIGHT, GL_TEXTURE_DEPTH};
    bool fits = true;
    for (int i = 0; i < dims; i++) {
        GLint whole = 0;
        gl->GetTexLevelParameteriv(target, level, names[i], &whole);
        fits = fits && part->at[i] >= 0 && part->size[i] <= whole - part->at[i];
    }
    return fits;
}

/* Asked about another target, the driver might raise another error than the call's. */
static bool has_parts(GLenum target, int dims)
{
    bool is_flat = target == GL_TEXTURE_2D || (target >= GL_TEXTURE_CUBE_MAP_POSITIVE_X &&
                                               target <= GL_TEXTURE_CUBE_MAP_NEGATIVE_Z);
    bool is_deep = target == GL_TEXTURE_3D || target == GL_TEXTURE_2D_ARRAY ||
                   target == GL_TEXTURE_CUBE_MAP_ARRAY;
    return dims == 2 ? is_flat : is_deep;
}

/* Of no pixels the driver reads nothing, and says what is wrong: of a part that fits it is told the
 * place alone. */
static void of_nothing(struct hr_call *call, GLenum target, GLint level, struct part *part,
                       int dims)
{
    const struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || s->gles_version < 31 || !has_parts(target, dims) ||
        part_fits(hgl_api_of(call)->gl, target, level, part, dims)) {
        memset(part->size, 0, sizeof part->size);
    }
}

void hgl_glTexSubImage2D(struct hr_call *call, const struct gles2_args_glTexSubImage2D *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct nothing nothing;
    if (unknown_begin(call, a->format, a->type, &nothing)) {
        gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset, a->width, a->height,
                          a->format, a->type, NULL);
        nothing_end(gl, &nothing);
    } else if (a->pixels_size == 0 && a->width > 0 && a->height > 0) {
        struct part part = {{a->xoffset, a->yoffset, 0}, {a->width, a->height, 1}};
        of_nothing(call, a->target, a->level, &part, 2);
        gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset, part.size[0], part.size[1],
                          a->format, a->type, NULL);
    } else if (upload_ok(call, a->format, a->type, a->width, a->height, 1, false, a->pixels,
                         a->pixels_size)) {
        gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset, a->width, a->height,
                          a->format, a->type, a->pixels);
    }
}

/* One of the bands of rows that an upload travels in. Whether all of it fits is asked for each, so
 * that an upload that does not leaves the texture alone: GL then looks at no pixels. */
void hgl_glTexSubImage2DBandSLUICE(struct hr_call *call,
                                   const struct glesx_args_glTexSubImage2DBandSLUICE *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || s->gles_version < 31 || a->width < 0 || a->height < 0 || a->row < 0 ||
        a->rows <= 0 || a->row > a->height - a->rows || hgl_pixel_bytes(a->format, a->type) == 0 ||
        hgl_bound(gl, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hr_call_refuse(call, "rows %d + %d of %dx%d, format 0x%x, type 0x%x", a->row, a->rows,
                       a->width, a->height, a->format, a->type);
        return;
    }
    const struct part part = {{a->xoffset, a->yoffset, 0}, {a->width, a->height, 1}};
    bool fits = part_fits(gl, a->target, a->level, &part, 2);
    if (!fits && a->row == 0) {
        gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset, a->width, a->height,
                          a->format, a->type, NULL);
    } else if (fits && upload_ok(call, a->format, a->type, a->width, a->rows, 1, false, a->pixels,
                                 a->pixels_size)) {
        gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset + a->row, a->width, a->rows,
                          a->format, a->type, a->pixels);
    }
}

void hgl_glTexImage3D(struct hr_call *call, const struct gles2_args_glTexImage3D *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->TexImage3D != NULL && upload_ok(call, a->format, a->type, a->width, a->height, a->depth,
                                            true, a->data, a->data_size)) {
        gl->TexImage3D(a->target, a->level, a->internalFormat, a->width, a->height, a->depth,
                       a->border, a->format, a->type, pointer(a->data, a->data_size));
    }
}

void hgl_glTexSubImage3D(struct hr_call *call, const struct gles2_args_glTexSubImage3D *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct nothing nothing;
    if (gl->TexSubImage3D != NULL && unknown_begin(call, a->format, a->type, &nothing)) {
        gl->TexSubImage3D(a->target, a->level, a->xoffset, a->yoffset, a->zoffset, a->width,
                          a->height, a->depth, a->format, a->type, NULL);
        nothing_end(gl, &nothing);
    } else if (gl->TexSubImage3D != NULL && a->data_size == 0 && a->width > 0 && a->height > 0 &&
               a->depth > 0) {
        struct part part = {{a->xoffset, a->yoffset, a->zoffset}, {a->width, a->height, a->depth}};
        of_nothing(call, a->target, a->level, &part, 3);
        gl->TexSubImage3D(a->target, a->level, a->xoffset, a->yoffset, a->zoffset, part.size[0],
                          part.size[1], part.size[2], a->format, a->type, NULL);
    } else if (gl->TexSubImage3D != NULL && upload_ok(call, a->format, a->type, a->width, a->height,
                                                      a->depth, true, a->data, a->data_size)) {
        gl->TexSubImage3D(a->target, a->level, a->xoffset, a->yoffset, a->zoffset, a->width,
                          a->height, a->depth, a->format, a->type, a->data);
    }
}

void hgl_glTexImage3DOES(struct hr_call *call, const struct gles2_args_glTexImage3DOES *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->TexImage3DOES != NULL && upload_ok(call, a->format, a->type, a->width, a->height,
                                               a->depth, true, a->pixels, a->pixels_size)) {
        gl->TexImage3DOES(a->target, a->level, a->internalformat, a->width, a->height, a->depth,
                          a->border, a->format, a->type, pointer(a->pixels, a->pixels_size));
    }
}

void hgl_glTexSubImage3DOES(struct hr_call *call, const struct gles2_args_glTexSubImage3DOES *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->TexSubImage3DOES != NULL && a->pixels_size == 0 && a->width > 0 && a->height > 0 &&
        a->depth > 0) {
        gl->TexSubImage3DOES(a->target, a->level, a->xoffset, a->yoffset, a->zoffset, 0, 0, 0,
                             a->format, a->type, NULL); /* as above */
    } else if (gl->TexSubImage3DOES != NULL &&
               upload_ok(call, a->format, a->type, a->width, a->height, a->depth, true, a->pixels,
                         a->pixels_size)) {
        gl->TexSubImage3DOES(a->target, a->level, a->xoffset, a->yoffset, a->zoffset, a->width,
                             a->height, a->depth, a->format, a->type, a->pixels);
    }
}

/* Colours that come from no buffer are an error that drivers have died of instead (Mesa 22). The
 * guest gets it all the same: as GL has no call that sets an error, by a uniform at a location that
 * no program has. What is wrong with the framebuffer comes first, and the driver says that. */
static bool read_buffer_there(const struct gl_driver *gl, const struct hgl_state *s)
{
    GLint buffer = GL_BACK;
    if (s->gles_version >= 30) {
        gl->GetIntegerv(GL_READ_BUFFER, &buffer);
    }
    if (buffer != GL_NONE ||
        gl->CheckFramebufferStatus(GL_READ_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) {
        return true;
    }
    gl->Uniform1i(INT32_MAX, 0);
    return false;
}

void hgl_glCopyTexImage2D(struct hr_call *call, const struct gles2_args_glCopyTexImage2D *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && read_buffer_there(gl, s)) {
        const struct hgl_image_look before = hgl_image_look(gl, s, a->target, a->level);
        gl->CopyTexImage2D(a->target, a->level, a->internalformat, a->x, a->y, a->width, a->height,
                           a->border);
        hgl_image_replaced(gl, s, a->target, &before);
    }
}

struct picture {
    const struct gl_driver *gl;
    GLsync drawn;
    GLbitfield flags; /* of the next look at it */
};

static bool picture_is_drawn(void *user)
{
    struct picture *p = user;
    GLenum result = p->gl->ClientWaitSync(p->drawn, p->flags, 0);
    p->flags = 0;
    return result != GL_TIMEOUT_EXPIRED;
}

static void picture_finish(void *user)
{
    const struct picture *p = user;
    p->gl->Finish();
}

/* Reading waits for what is drawn all the same. Done apart, who waits for the pixels wakes up while
 * they are fetched. */
static void picture_await(struct hr_call *call, const struct gl_driver *gl,
                          const struct hgl_state *s)
{
    bool has_fences = s->gles_version >= 30 && gl->FenceSync != NULL;
    struct picture p = {.gl = gl, .flags = GL_SYNC_FLUSH_COMMANDS_BIT};
    p.drawn = has_fences ? gl->FenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0) : NULL;
    if (p.drawn != NULL) {
        hr_ring_await(call->ring, &(struct hr_work){picture_is_drawn, picture_finish, &p});
        gl->DeleteSync(p.drawn);
    } else {
        gl->Finish();
    }
    hr_ring_reply_near(call->ring);
}

void hgl_glReadPixels(struct hr_call *call, const struct gles2_args_glReadPixels *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || !read_buffer_there(gl, s)) {
        return;
    }
    if (hgl_pixel_bytes(a->format, a->type) == 0) {
        struct nothing nothing;
        if (s->gles_version >= 30 && hgl_bound(gl, GL_PIXEL_PACK_BUFFER_BINDING)) {
            hr_call_refuse(call, "a pack buffer is bound");
        } else if (nothing_begin(gl, s, GL_PIXEL_PACK_BUFFER, &nothing)) {
            gl->ReadPixels(a->x, a->y, a->width, a->height, a->format, a->type, NULL);
            nothing_end(gl, &nothing);
        } else { /* of no pixels the driver writes nothing */
            gl->ReadPixels(a->x, a->y, a->width < 0 ? a->width : 0, a->height < 0 ? a->height : 0,
                           a->format, a->type, NULL);
        }
        return;
    }
    uint64_t need =
        hgl_pixel_span(hgl_pack(gl, s), a->format, a->type, a->width, a->height, 1, false);
    if (need > a->pixels_size) {
        hr_call_refuse(call, "%dx%d, format 0x%x, type 0x%x: writes %llu of %u bytes", a->width,
                       a->height, a->format, a->type, (unsigned long long)need, a->pixels_size);
        return;
    }
    if (s->gles_version >= 30 && hgl_bound(gl, GL_PIXEL_PACK_BUFFER_BINDING)) {
        hr_call_refuse(call, "a pack buffer is bound"); /* the address would be an offset into it */
        return;
    }
    if (a->width > 0 && a->height > 0 && need <= FEW_BYTES) {
        picture_await(call, gl, s);
    }
    gl->ReadPixels(a->x, a->y, a->width, a->height, a->format, a->type, a->pixels);
}

/* --- from and to bound buffers: the driver checks the range --- */

static const void *at(uint32_t offset)
{
    return (const void *)(uintptr_t)offset;
}

void hgl_glReadPixelsOffsetAEMU(struct hr_call *call,
                                const struct gles2_args_glReadPixelsOffsetAEMU *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_PACK_BUFFER_BINDING) &&
        read_buffer_there(gl, hgl_state_of(call))) {
        gl->ReadPixels(a->x, a->y, a->width, a->height, a->format, a->type,
                       (void *)(uintptr_t)a->offset);
    }
}

void hgl_glTexImage2DOffsetAEMU(struct hr_call *call,
                                const struct gles2_args_glTexImage2DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        const struct gl_driver *gl = hgl_api_of(call)->gl;
        struct hgl_state *s = hgl_state_of(call);
        const struct hgl_image_look before = hgl_image_look(gl, s, a->target, a->level);
        gl->TexImage2D(a->target, a->level, a->internalformat, a->width, a->height, a->border,
                       a->format, a->type, at(a->offset));
        image_end(gl, s, a->target, &before);
    }
}

void hgl_glTexSubImage2DOffsetAEMU(struct hr_call *call,
                                   const struct gles2_args_glTexSubImage2DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hgl_api_of(call)->gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset, a->width,
                                            a->height, a->format, a->type, at(a->offset));
    }
}

void hgl_glTexImage3DOffsetAEMU(struct hr_call *call,
                                const struct gles2_args_glTexImage3DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hgl_api_of(call)->gl->TexImage3D(a->target, a->level, a->internalFormat, a->width,
                                         a->height, a->depth, a->border, a->format, a->type,
                                         at(a->offset));
    }
}

void hgl_glTexSubImage3DOffsetAEMU(struct hr_call *call,
                                   const struct gles2_args_glTexSubImage3DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hgl_api_of(call)->gl->TexSubImage3D(a->target, a->level, a->xoffset, a->yoffset, a->zoffset,
                                            a->width, a->height, a->depth, a->format, a->type,
                                            at(a->offset));
    }
}

/* --- clears of textures --- */

/* Does the data hold the one pixel that GL reads? None at all means zeros, and a format that is not
 * known here is the driver's to refuse, without data. */
static bool pixel_covered(struct hr_call *call, uint32_t format, uint32_t type, const void **data,
                          uint32_t size)
{
    static const struct hgl_pixels tight = {.known = true, .alignment = 1};
    *data = hgl_pixel_bytes(format, type) != 0 ? *data : NULL;
    bool covered = *data == NULL || hgl_pixel_span(&tight, format, type, 1, 1, 1, false) <= size;
    if (!covered) {
        hr_call_refuse(call, "%u bytes for a pixel of format 0x%x, type 0x%x", size, format, type);
    }
    return covered;
}

void hgl_glClearTexImageEXT(struct hr_call *call, const struct glesx_args_glClearTexImageEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    const void *data = a->data;
    if (gl->ClearTexImageEXT != NULL &&
        pixel_covered(call, a->format, a->type, &data, a->data_size)) {
        gl->ClearTexImageEXT(a->texture, a->level, a->format, a->type, data);
    }
}

void hgl_glClearTexSubImageEXT(struct hr_call *call,
                               const struct glesx_args_glClearTexSubImageEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    const void *data = a->data;
    if (gl->ClearTexSubImageEXT != NULL &&
        pixel_covered(call, a->format, a->type, &data, a->data_size)) {
        gl->ClearTexSubImageEXT(a->texture, a->level, a->xoffset, a->yoffset, a->zoffset, a->width,
                                a->height, a->depth, a->format, a->type, data);
    }
}
