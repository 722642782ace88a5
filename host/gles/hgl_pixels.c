/* Uploads and reads: the bytes that came, or that are asked for, cover what the pixel store makes
 * GL touch. */
#include "host/gles/hgl_group.h"

#include "host/gles2_hand.h"
#include "host/glesx_hand.h"
#include "transport/base/arith.h"

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
    if (s == NULL || hgl_pixel_bytes(format, type) != 0) {
