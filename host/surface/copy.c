/* Copies between a context's default framebuffer, a colour buffer's shared memory and its image. */
#include "host/surface/view.h"

#include "transport/base/arith.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <string.h>

#ifndef GL_PACK_REVERSE_ROW_ORDER_ANGLE
#define GL_PACK_REVERSE_ROW_ORDER_ANGLE 0x93A4
#endif

/* So much of a picture is copied in about the time that it takes to wake who waits for it. */
#define LAST_BYTES 0x100000u
/* What fits into a core's own cache beside what it is made of. */
#define SWAPPED_BYTES 0x40000u

static const struct hs_layout rgba8 = {GL_RGBA, GL_UNSIGNED_BYTE, 4, false};

/* How an internal format is filled from memory; format 0 for none. */
static struct hs_layout upload_layout(uint32_t internal_format)
{
    switch (internal_format) {
    case GL_RGB565:
        return (struct hs_layout){GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2, true};
    case GL_RGBA4:
        return (struct hs_layout){GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4, 2, false};
    case GL_RGB5_A1:
        return (struct hs_layout){GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1, 2, false};
    case GL_R8:
    case GL_RED:
    case GL_LUMINANCE:
        return (struct hs_layout){GL_RED, GL_UNSIGNED_BYTE, 1, true};
    case GL_RG8:
        return (struct hs_layout){GL_RG, GL_UNSIGNED_BYTE, 2, true};
    case GL_RGB:
    case GL_RGB8:
        return (struct hs_layout){GL_RGB, GL_UNSIGNED_BYTE, 3, true};
    case GL_RGB10_A2:
        return (struct hs_layout){GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV, 4, false};
    case GL_RGBA16F:
        return (struct hs_layout){GL_RGBA, GL_HALF_FLOAT, 8, false};
    default:
        return rgba8;
    }
}

/* GLES 3 wants sized formats where 2 knows only the others. */
static GLint storage_format(const struct hs_native *n, uint32_t internal_format,
                            const struct hs_layout *l)
{
    if (n->gles_version < 30) {
        return (GLint)(l->format == GL_RED ? GL_LUMINANCE : l->format);
    }
    switch (internal_format) {
    case GL_RGB:
        return GL_RGB8;
    case GL_RED:
    case GL_LUMINANCE:
        return GL_R8;
    case GL_RGBA:
    case GL_BGRA_EXT:
    case GL_BGRA8_EXT:
        return GL_RGBA8;
    default:
        return (GLint)internal_format;
    }
}

/* Helper context current: a texture over the image, bound to TEXTURE_2D; its name. */
static GLuint borrow_texture(const struct hs_native *n, EGLImageKHR image)
{
    GLuint name = 0;
    n->gl->GenTextures(1, &name);
    n->gl->BindTexture(GL_TEXTURE_2D, name);
    n->gl->EGLImageTargetTexture2DOES(GL_TEXTURE_2D, image);
    return name;
}

static bool ensure_image(struct hs_buffer *b, struct hs_thread *t)
{
    static const EGLint attribs[] = {EGL_GL_TEXTURE_LEVEL_KHR, 0, EGL_NONE};
    const struct hs_native *n = b->table->native;
    if (b->image != EGL_NO_IMAGE_KHR) {
        return true;
    }
    if (n == NULL || !n->image || !hs_helper_begin(t)) {
        return false;
    }
    struct hs_layout l = upload_layout(b->internal_format);
    void *zeros = sl_alloc_array((size_t)b->width * b->height, l.bytes);
    if (zeros != NULL) {
        GLuint name = 0;
        n->gl->GenTextures(1, &name);
        n->gl->BindTexture(GL_TEXTURE_2D, name);
        n->gl->PixelStorei(GL_UNPACK_ALIGNMENT, 1);
        n->gl->TexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
        n->gl->TexImage2D(GL_TEXTURE_2D, 0, storage_format(n, b->internal_format, &l),
                          (GLsizei)b->width, (GLsizei)b->height, 0, l.format, l.type, zeros);
        b->image = n->egl.CreateImageKHR(n->display, t->helper, EGL_GL_TEXTURE_2D_KHR,
                                         (EGLClientBuffer)(uintptr_t)name, attribs);
        n->gl->BindTexture(GL_TEXTURE_2D, 0);
        n->gl->DeleteTextures(1, &name);
        n->gl->Flush();
    }
    hs_helper_end(t);
    sl_free(zeros);
    if (b->image == EGL_NO_IMAGE_KHR) {
        sl_warn_limited("surface", "buffer %u: no image of %ux%u, format 0x%x", b->handle, b->width,
                        b->height, b->internal_format);
    }
    return b->image != EGL_NO_IMAGE_KHR;
}

/* Rows without gaps, in the image's own upload layout or one that converts to it. */
static bool upload(struct hs_buffer *b, struct hs_thread *t, int32_t x, int32_t y, uint32_t width,
                   uint32_t height, const struct hs_layout *layout, const uint8_t *data,
                   size_t pitch)
{
    const struct hs_native *n = b->table->native;
    struct hs_layout want = upload_layout(b->internal_format);
    bool same = want.format == layout->format && want.type == layout->type &&
                pitch == (size_t)width * want.bytes && !layout->opaque;
    uint8_t *scratch = same ? NULL : sl_alloc_array((size_t)width * height, want.bytes);
    bool ok = same || scratch != NULL;
    for (uint32_t row = 0; ok && !same && row < height; row++) {
        ok = hs_convert_row(scratch + (size_t)row * width * want.bytes, &want, data + row * pitch,
                            layout, width);
    }
    ok = ok && hs_helper_begin(t);
    if (ok) {
        GLuint name = borrow_texture(n, b->image);
        n->gl->PixelStorei(GL_UNPACK_ALIGNMENT, 1);
        n->gl->TexSubImage2D(GL_TEXTURE_2D, 0, x, y, (GLsizei)width, (GLsizei)height, want.format,
                             want.type, same ? data : scratch);
        n->gl->DeleteTextures(1, &name);
        n->gl->Flush();
        hs_helper_end(t);
    }
    sl_free(scratch);
    return ok;
}

static bool download(struct hs_buffer *b, struct hs_thread *t, int32_t x, int32_t y, uint32_t width,
                     uint32_t height, const struct hs_layout *layout, uint8_t *out, size_t pitch)
{
    const struct hs_native *n = b->table->native;
    bool floats = hs_holds_floats(b), bgra = n->read_bgra && !floats;
    bool format = layout->type == (floats ? GL_HALF_FLOAT : GL_UNSIGNED_BYTE) &&
                  (layout->format == GL_RGBA || (layout->format == GL_BGRA_EXT && bgra));
    bool packed = pitch == (size_t)width * layout->bytes;
    bool same = format && (packed || n->gles_version >= 30);
    uint8_t *scratch = same ? out : sl_alloc_array((size_t)width * height, 4);
    if ((floats && !format) || scratch == NULL || !hs_helper_begin(t)) {
        sl_free(same ? NULL : scratch);
        return false;
    }
    GLuint name = borrow_texture(n, b->image), fb = 0;
    n->gl->GenFramebuffers(1, &fb);
    n->gl->BindFramebuffer(GL_FRAMEBUFFER, fb);
    n->gl->FramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, name, 0);
    n->gl->PixelStorei(GL_PACK_ALIGNMENT, 1);
    if (n->gles_version >= 30) {
        n->gl->PixelStorei(GL_PACK_ROW_LENGTH,
                           same && !packed ? (GLint)(pitch / layout->bytes) : 0);
    }
    bool ok = n->gl->CheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
    if (ok) {
        n->gl->ReadPixels(x, y, (GLsizei)width, (GLsizei)height,
                          same ? layout->format : (GLenum)GL_RGBA,
                          same ? layout->type : (GLenum)GL_UNSIGNED_BYTE, scratch);
    }
    n->gl->BindFramebuffer(GL_FRAMEBUFFER, 0);
    n->gl->DeleteFramebuffers(1, &fb);
    n->gl->DeleteTextures(1, &name);
    hs_helper_end(t);
    for (uint32_t row = 0; ok && !same && row < height; row++) {
        ok = hs_convert_row(out + row * pitch, layout, scratch + (size_t)row * width * 4, &rgba8,
                            width);
    }
    sl_free(same ? NULL : scratch);
    return ok;
}

/* --- the current context's read surface --- */

/* State of the application that a read of the default framebuffer needs otherwise; -1: not touched.
 */
struct saved_read {
    GLint framebuffer, read_buffer, pack_buffer, alignment, row_length, skip_rows, skip_pixels;
};

static void set_pack(const struct gl_driver *gl, GLenum name, GLint value, GLint *saved)
{
    gl->GetIntegerv(name, saved);
    if (*saved != value) {
        gl->PixelStorei(name, value);
    } else {
        *saved = -1;
    }
}

static void bind_read_framebuffer(const struct hs_reader *r, GLuint name)
{
    if (r->gles_version >= 20) {
        r->gl->BindFramebuffer(r->gles_version >= 30 ? GL_READ_FRAMEBUFFER : GL_FRAMEBUFFER, name);
    } else if (r->gl->BindFramebufferOES != NULL) {
        r->gl->BindFramebufferOES(GL_FRAMEBUFFER, name);
    }
}

static void begin_read(const struct hs_reader *r, struct saved_read *s)
{
    const struct gl_driver *gl = r->gl;
    *s = (struct saved_read){0, -1, 0, -1, -1, -1, -1};
    gl->GetIntegerv(r->gles_version >= 30 ? GL_READ_FRAMEBUFFER_BINDING : GL_FRAMEBUFFER_BINDING,
                    &s->framebuffer);
    if (s->framebuffer != 0) {
        bind_read_framebuffer(r, 0);
    }
    set_pack(gl, GL_PACK_ALIGNMENT, 1, &s->alignment);
    if (r->gles_version < 30) {
        return;
    }
    gl->GetIntegerv(GL_READ_BUFFER, &s->read_buffer);
    if (s->read_buffer != GL_BACK) {
        gl->ReadBuffer(GL_BACK);
    }
    gl->GetIntegerv(GL_PIXEL_PACK_BUFFER_BINDING, &s->pack_buffer);
    if (s->pack_buffer != 0) {
        gl->BindBuffer(GL_PIXEL_PACK_BUFFER, 0);
    }
    set_pack(gl, GL_PACK_SKIP_ROWS, 0, &s->skip_rows);
    set_pack(gl, GL_PACK_SKIP_PIXELS, 0, &s->skip_pixels);
}

/* Pixels from row to row; 0: as many as are read. After begin_read. */
static void set_row_length(const struct hs_reader *r, GLint row_length, struct saved_read *s)
{
    if (r->gles_version >= 30) {
        set_pack(r->gl, GL_PACK_ROW_LENGTH, row_length, &s->row_length);
    }
}

static void end_read(const struct hs_reader *r, const struct saved_read *s)
{
    const struct gl_driver *gl = r->gl;
    const struct {
        GLenum name;
        GLint value;
    } pack[] = {{GL_PACK_ALIGNMENT, s->alignment},
                {GL_PACK_ROW_LENGTH, s->row_length},
                {GL_PACK_SKIP_ROWS, s->skip_rows},
                {GL_PACK_SKIP_PIXELS, s->skip_pixels}};
    for (size_t i = 0; i < sizeof pack / sizeof pack[0]; i++) {
        if (pack[i].value != -1) {
            gl->PixelStorei(pack[i].name, pack[i].value);
        }
    }
    if (s->pack_buffer != 0) {
        gl->BindBuffer(GL_PIXEL_PACK_BUFFER, (GLuint)s->pack_buffer);
    }
    if (s->read_buffer != -1 && s->read_buffer != GL_BACK) {
        gl->ReadBuffer((GLenum)s->read_buffer);
    }
    if (s->framebuffer != 0) {
        bind_read_framebuffer(r, (GLuint)s->framebuffer);
    }
}

/* Are these what the driver itself calls the pixels of the surface? After begin_read. */
static bool is_own_format(const struct hs_reader *r, GLenum format, GLenum type)
{
    GLint own_format = 0, own_type = 0;
    r->gl->GetIntegerv(GL_IMPLEMENTATION_COLOR_READ_FORMAT, &own_format);
    r->gl->GetIntegerv(GL_IMPLEMENTATION_COLOR_READ_TYPE, &own_type);
    return own_format == (GLint)format && own_type == (GLint)type;
}

/* Can the driver write this buffer's memory as it lies, but for red and blue swapped? */
static bool direct(const struct hs_buffer *b, const struct hs_native *n, const struct hs_reader *r,
                   uint32_t width)
{
    bool format =
        b->layout.type == GL_UNSIGNED_BYTE
            ? b->layout.format == GL_RGBA || (b->layout.format == GL_BGRA_EXT && n->read_bgra)
            : hs_is_ten(&b->layout) && is_own_format(r, GL_RGBA, b->layout.type);
    bool rows = !b->y0_top || n->reverse_rows;
    bool pitch = b->stride == width * b->layout.bytes || r->gles_version >= 30;
    return r->gles_version >= 20 && format && rows && pitch;
}

/* Of a surface without alpha, or of 10 bits, drivers have no bytes B, G, R, A: Mesa makes them of
 * each pixel alone, slower than R, G, B, A, or not at all, and names those when it is asked. */
static bool reads_rgba(const struct hs_buffer *b, const struct hs_reader *r)
{
    return b->layout.format == GL_BGRA_EXT && is_own_format(r, GL_RGBA, b->layout.type);
}

/* Rows of the surface, counted from its bottom, to where they belong: a surface lower than its
 * buffer ends up at the top, as a window's content does. swap: as R, G, B, A, which become the
 * buffer's bytes there. */
static void read_rows(struct hs_buffer *b, const struct hs_reader *r, uint32_t width,
                      uint32_t height, uint32_t from, uint32_t count, bool swap)
{
    uint32_t at = b->y0_top ? height - from - count : from;
    uint8_t *to = b->mem + (size_t)at * b->stride;
    r->gl->ReadPixels(0, (GLint)from, (GLsizei)width, (GLsizei)count,
                      swap ? (GLenum)GL_RGBA : b->layout.format, b->layout.type, to);
    const struct hs_layout rgba = {GL_RGBA, b->layout.type, b->layout.bytes, false};
    for (uint32_t row = 0; swap && row < count; row++, to += b->stride) {
        (void)hs_convert_row(to, &b->layout, to, &rgba, width);
    }
}

/* The same, so few rows at once that what was read is in the caches when it is swapped. */
static void read_some(struct hs_buffer *b, const struct hs_reader *r, uint32_t width,
                      uint32_t height, uint32_t from, uint32_t count, bool swap)
{
    uint32_t most = swap && b->stride < SWAPPED_BYTES ? SWAPPED_BYTES / b->stride : count;
    while (count != 0) {
        uint32_t now = count < most ? count : most;
        read_rows(b, r, width, height, from, now, swap);
        from += now;
        count -= now;
    }
}

static void tell_nearly(const struct hs_reader *r)
{
    if (r->on_nearly != NULL) {
        r->on_nearly(r->user);
    }
}

static void read_straight(struct hs_buffer *b, const struct hs_reader *r, uint32_t width,
                          uint32_t height)
{
    uint32_t last = r->on_nearly != NULL ? LAST_BYTES / b->stride : height;
    uint32_t first = height > last ? height - last : 0;
    bool swap = reads_rgba(b, r);
    if (b->y0_top) {
        r->gl->PixelStorei(GL_PACK_REVERSE_ROW_ORDER_ANGLE, GL_TRUE);
    }
    if (first != 0) {
        read_some(b, r, width, height, 0, first, swap);
    } else if (r->on_nearly != NULL) {
        r->gl->Finish(); /* the read would wait for the picture all the same */
    }
    tell_nearly(r);
    read_some(b, r, width, height, first, height - first, swap);
    if (b->y0_top) {
        r->gl->PixelStorei(GL_PACK_REVERSE_ROW_ORDER_ANGLE, GL_FALSE);
    }
}

/* As R, G, B, A, which become the buffer's pixels. False: no memory. */
static bool read_converted(struct hs_buffer *b, const struct hs_reader *r, uint32_t width,
                           uint32_t height)
{
    bool ten = hs_is_ten(&b->layout) && r->gles_version >= 20 &&
               is_own_format(r, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV);
    const struct hs_layout from = {GL_RGBA, ten ? GL_UNSIGNED_INT_2_10_10_10_REV : GL_UNSIGNED_BYTE,
                                   4, false};
    uint8_t *scratch = sl_alloc_array((size_t)width * height, 4);
    if (scratch == NULL) {
        return false;
    }
    r->gl->ReadPixels(0, 0, (GLsizei)width, (GLsizei)height, from.format, from.type, scratch);
    tell_nearly(r);
    for (uint32_t row = 0; row < height; row++) {
        uint32_t source = b->y0_top ? height - 1 - row : row;
        (void)hs_convert_row(b->mem + (size_t)row * b->stride, &b->layout,
                             scratch + (size_t)source * width * 4, &from, width);
    }
    sl_free(scratch);
    return true;
}

static bool flush_mem(struct hs_buffer *b, const struct hs_native *n, const struct hs_reader *r,
                      uint32_t width, uint32_t height)
{
    struct saved_read saved;
    begin_read(r, &saved);
    bool straight = direct(b, n, r, width);
    bool packed = !straight || b->stride == width * b->layout.bytes;
    set_row_length(r, packed ? 0 : (GLint)(b->stride / b->layout.bytes), &saved);
    bool ok = true;
    if (straight) {
        read_straight(b, r, width, height);
    } else {
        ok = read_converted(b, r, width, height);
    }
    end_read(r, &saved);
    b->image_newer &= !ok;
    return ok;
}

/* GLES 1 reads 8 bits a channel alone: the helper context reads its surface where that has more. */
static bool flush_mem_later(struct hs_buffer *b, struct hs_thread *t, const struct hs_reader *r,
                            uint32_t width, uint32_t height)
{
    const struct hs_native *n = b->table->native;
    const struct hs_reader later = {
        .gl = n->gl, .gles_version = n->gles_version, .on_nearly = r->on_nearly, .user = r->user};
    bool ok = hs_helper_borrow(t) && flush_mem(b, n, &later, width, height);
    hs_helper_end(t);
    return ok;
}

static bool flush_image(struct hs_buffer *b, struct hs_thread *t, const struct hs_reader *r,
                        uint32_t width, uint32_t height)
{
    struct saved_read saved;
    uint8_t *scratch = sl_alloc_array((size_t)width * height, 4);
    if (scratch == NULL || !ensure_image(b, t)) {
        sl_free(scratch);
        return false;
    }
    begin_read(r, &saved);
    set_row_length(r, 0, &saved);
    r->gl->ReadPixels(0, 0, (GLsizei)width, (GLsizei)height, GL_RGBA, GL_UNSIGNED_BYTE, scratch);
    end_read(r, &saved);
    bool ok = upload(b, t, 0, 0, width, height, &rgba8, scratch, (size_t)width * 4);
    sl_free(scratch);
    return ok;
}

bool hs_flush(struct hs_buffer *buffer, struct hs_thread *thread, const struct hs_reader *reader,
              uint32_t width, uint32_t height)
{
    const struct hs_native *n = buffer->table->native;
    if (buffer->kind != HS_COLOR || n == NULL || reader->is_float != hs_holds_floats(buffer)) {
        return false;
    }
    width = width < buffer->width ? width : buffer->width;
    height = height < buffer->height ? height : buffer->height;
    if (width == 0 || height == 0) {
        return false;
    }
    if (reader->is_float) {
        return hs_floats_flush(buffer, thread, width, height);
    }
    pthread_mutex_lock(&buffer->lock);
    bool later = reader->gles_version < 20 && hs_is_ten(&buffer->layout);
    bool ok = buffer->mem == NULL ? flush_image(buffer, thread, reader, width, height)
              : later             ? flush_mem_later(buffer, thread, reader, width, height)
                                  : flush_mem(buffer, n, reader, width, height);
    pthread_mutex_unlock(&buffer->lock);
    return ok;
}

bool hs_fetch_locked(struct hs_buffer *b, struct hs_thread *thread)
{
    bool both = b->mem != NULL && b->image != EGL_NO_IMAGE_KHR;
    bool ok =
        !both || download(b, thread, 0, 0, b->width, b->height, &b->layout, b->mem, b->stride);
    b->image_newer &= !(both && ok);
    if (both && ok) {
        hs_export_equal_locked(b);
    }
    return ok;
}

bool hs_store(struct hs_buffer *buffer, struct hs_thread *thread)
{
    struct hs_buffer *b = hs_view_origin(buffer);
    if (b->kind != HS_COLOR) {
        return false;
    }
    pthread_mutex_lock(&b->lock);
    bool ok = hs_fetch_locked(b, thread);
    pthread_mutex_unlock(&b->lock);
    return ok;
}

/* A view's picture of brightness and colours comes to its image. */
static bool upload_yuv(struct hs_buffer *b, struct hs_thread *t)
{
    uint8_t *scratch = sl_alloc_array((size_t)b->width * b->height, 4);
    bool ok = scratch != NULL && hs_view_picture(b, scratch) &&
              upload(b, t, 0, 0, b->width, b->height, &rgba8, scratch, (size_t)b->width * 4);
    sl_free(scratch);
    return ok;
}

/* Is there something in its memory that its image has not? */
static bool is_stale(const struct hs_buffer *b)
{
    return b->mem != NULL && !b->image_newer &&
           (b->exported == NULL || hs_export_changed_locked(b));
}

EGLImageKHR hs_image(struct hs_buffer *of, struct hs_thread *thread, bool written)
{
    struct hs_buffer *buffer = hs_view_origin(of);
    if (buffer->kind != HS_COLOR) {
        return EGL_NO_IMAGE_KHR;
    }
    pthread_mutex_lock(&buffer->lock);
    bool is_yuv = hs_view_is_yuv(buffer->view);
    bool ok = !(is_yuv && written) && ensure_image(buffer, thread);
    if (ok && is_yuv) {
        ok = upload_yuv(buffer, thread);
    } else if (ok && is_stale(buffer)) {
        ok = upload(buffer, thread, 0, 0, buffer->width, buffer->height, &buffer->layout,
                    buffer->mem, buffer->stride);
        hs_export_equal_locked(buffer);
    }
    buffer->image_newer |= ok && written && buffer->exported == NULL;
    EGLImageKHR image = ok ? buffer->image : EGL_NO_IMAGE_KHR;
    pthread_mutex_unlock(&buffer->lock);
    return image;
}

static bool inside(const struct hs_buffer *b, int32_t x, int32_t y, int32_t width, int32_t height,
                   uint32_t bytes, size_t size)
{
    return b->kind == HS_COLOR && x >= 0 && y >= 0 && width > 0 && height > 0 && bytes != 0 &&
           sl_region_fits((uint32_t)x, (uint32_t)width, b->width) &&
           sl_region_fits((uint32_t)y, (uint32_t)height, b->height) &&
           (uint64_t)(uint32_t)width * (uint32_t)height * bytes <= size;
}

bool hs_read(struct hs_buffer *b, struct hs_thread *thread, int32_t x, int32_t y, int32_t width,
             int32_t height, uint32_t format, uint32_t type, void *out, size_t out_size)
{
    struct hs_layout l = {format, type, hs_pixel_bytes(format, type), false};
    if (!inside(b, x, y, width, height, l.bytes, out_size)) {
        return false;
    }
    size_t pitch = (size_t)width * l.bytes;
    pthread_mutex_lock(&b->lock);
    bool ok = true;
    if (b->mem != NULL && !b->image_newer) {
        const uint8_t *from = b->mem + (size_t)y * b->stride + (size_t)x * b->layout.bytes;
        for (int32_t row = 0; ok && row < height; row++) {
            ok = hs_convert_row((uint8_t *)out + row * pitch, &l, from + (size_t)row * b->stride,
                                &b->layout, (uint32_t)width);
        }
    } else if (b->image != EGL_NO_IMAGE_KHR) {
        ok = download(b, thread, x, y, (uint32_t)width, (uint32_t)height, &l, out, pitch);
    } else {
        memset(out, 0, pitch * (size_t)height); /* never written */
    }
    pthread_mutex_unlock(&b->lock);
    return ok;
}

void hs_turn_over(uint8_t *rows, size_t pitch, uint32_t count)
{
    for (uint32_t top = 0; top < count / 2; top++) {
        uint8_t *a = rows + top * pitch, *b = rows + (count - 1 - top) * pitch;
        for (size_t i = 0; i < pitch; i++) {
            uint8_t byte = a[i];
            a[i] = b[i];
            b[i] = byte;
        }
    }
}

bool hs_picture(struct hs_buffer *b, struct hs_thread *thread, uint8_t *out)
{
    size_t pitch = (size_t)b->width * 4;
    if (!hs_read(b, thread, 0, 0, (int32_t)b->width, (int32_t)b->height, GL_RGBA, GL_UNSIGNED_BYTE,
                 out, pitch * b->height)) {
        return false;
    }
    if (!b->y0_top) { /* its first row in memory is GL's, at the bottom */
        hs_turn_over(out, pitch, b->height);
    }
    return true;
}

bool hs_write(struct hs_buffer *b, struct hs_thread *thread, int32_t x, int32_t y, int32_t width,
              int32_t height, uint32_t format, uint32_t type, const void *data, size_t size)
{
    struct hs_layout l = {format, type, hs_pixel_bytes(format, type), false};
    if (!inside(b, x, y, width, height, l.bytes, size)) {
        return false;
    }
    size_t pitch = (size_t)width * l.bytes;
    pthread_mutex_lock(&b->lock);
    bool ok = true;
    if (b->mem != NULL) {
        uint8_t *to = b->mem + (size_t)y * b->stride + (size_t)x * b->layout.bytes;
        for (int32_t row = 0; ok && row < height; row++) {
            ok = hs_convert_row(to + (size_t)row * b->stride, &b->layout,
                                (const uint8_t *)data + row * pitch, &l, (uint32_t)width);
        }
        b->image_newer = false;
    } else {
        ok = ensure_image(b, thread) &&
             upload(b, thread, x, y, (uint32_t)width, (uint32_t)height, &l, data, pitch);
    }
    pthread_mutex_unlock(&b->lock);
    return ok;
}
