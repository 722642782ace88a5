/* Pixels read back: into client memory, or into the bound PIXEL_PACK_BUFFER. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

static void discard(struct gs_stream *stream, size_t size)
{
    uint8_t sink[4096];
    while (size != 0) {
        size_t part = size < sizeof sink ? size : sizeof sink;
        gs_read(stream, sink, part);
        size -= part;
    }
}

/* The reply holds skipped bytes and padding where PACK state puts them; the application gets its
 * pixels and nothing else is touched. */
static void scatter(struct gs_stream *stream, const struct ggl_pixels *p, uint8_t *data)
{
    discard(stream, p->start);
    data += p->start;
    if (p->row == p->pitch) {
        gs_read(stream, data, p->pitch * p->rows);
        return;
    }
    for (uint32_t row = 0; row < p->rows; row++) {
        gs_read(stream, data + row * p->pitch, p->row);
        discard(stream, p->pitch - p->row);
    }
}

/* Into client memory: it must not change when the read is refused, and is too large for the reply
 * to go into our own first. So our own host says what is wrong with reading no pixels before it
 * reads them: all of it in one round trip. */
static void read_to_client(struct ggl_context *c, GLint x, GLint y, GLsizei width, GLsizei height,
                           GLenum format, GLenum type, const struct ggl_pixels *p, void *data)
{
    struct ggl_question trial = ggl_question_begin(c);
    if (trial.watched) {
        gles2_pack_glReadPixels(ggl_pack(c), x, y, 0, 0, format, type, 0);
    }
    ggl_question_end(c, &trial);
    const struct ggl_question read = {.watched = trial.watched};
    gles2_pack_glReadPixels(ggl_pack(c), x, y, width, height, format, type, (uint32_t)p->size);
    ggl_question_end(c, &read);
    ggl_question_earlier(c, &trial);
    if (ggl_question_answered(c, &trial)) {
        scatter(c->stream, p, data);
    } else {
        discard(c->stream, p->size);
    }
    gs_reply_end(c->stream);
    (void)ggl_question_answered(c, &read);
}

static void read_pixels(struct ggl_context *c, GLint x, GLint y, GLsizei width, GLsizei height,
                        GLenum format, GLenum type, int64_t room, void *data)
{
    if (c->buffers[GGL_BUFFER_PIXEL_PACK]) {
        gles2_pack_glReadPixelsOffsetAEMU(ggl_pack(c), x, y, width, height, format, type,
                                          (GLuint)(uintptr_t)data);
        ggl_buffer_written(c, GGL_BUFFER_PIXEL_PACK);
        return;
    }
    struct ggl_pixels p;
    if (!ggl_pixels_measure(&c->pack, 2, width, height, 1, format, type, &p)) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return;
    }
    if (room >= 0 && p.size != 0 && (uint64_t)room < p.size - (p.pitch - p.row)) {
        ggl_error(c, GL_INVALID_OPERATION);
        return;
    }
    if (!data || p.size == 0) { /* the host still finds errors */
        gles2_pack_glReadPixels(ggl_pack(c), x, y, width, height, format, type, 0);
    } else {
        read_to_client(c, x, y, width, height, format, type, &p, data);
    }
}

void ggl_glReadPixels(GLint x, GLint y, GLsizei width, GLsizei height, GLenum format, GLenum type,
                      void *pixels)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        read_pixels(c, x, y, width, height, format, type, -1, pixels);
    }
}

void ggl_glReadnPixelsEXT(GLint x, GLint y, GLsizei width, GLsizei height, GLenum format,
                          GLenum type, GLsizei room, void *pixels)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (ggl_size_travels(c, room)) {
        read_pixels(c, x, y, width, height, format, type, room, pixels);
    }
}
