/* Pixels read back: into client memory, or into the bound PIXEL_PACK_BUFFER. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/copy.h"

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

/* --- reads by shared memory, in bands: the host reads one while another is copied from here --- */

#define READ_PACKET  36 /* bytes of glReadPixels */
#define ERROR_PACKET 8  /* of glGetError */
#define READ_BAND    524288u
#define READ_EDGE    65536u /* the first and the last band: nobody works beside their copies */
#define AHEAD        12u    /* bands on their way at once */
#define READ_SMALL   4096u  /* is waited for as a whole */

struct bands {
    GLint x, y;
    GLsizei width, height;
    GLenum format, type;
    uint32_t rows; /* of a band, the greatest number */
    uint32_t edge; /* of the first and the last one */
    uint32_t got;  /* rows */
    struct gs_piece ahead[AHEAD];
    uint32_t count; /* of what is on its way */
};

/* Rows of a band; 0: the read goes as a whole. */
static uint32_t rows_at_once(const struct ggl_context *c, const struct ggl_pixels *p, GLint y)
{
    bool bands = p->size > SL_PACK_STAGED && p->start == 0 && p->pitch <= READ_BAND &&
                 y < INT32_MAX - (GLint)p->rows && ggl_stages(c);
    return bands ? (uint32_t)(READ_BAND / p->pitch) : 0;
}

static uint32_t band_rows(const struct bands *b, uint32_t from)
{
    uint32_t left = (uint32_t)b->height - from, most = from == 0 ? b->edge : b->rows;
    left = left > b->edge ? left - b->edge : left;
    return left < most ? left : most;
}

/* The next bands are asked for, as many as may be on their way at once. Nothing is when this
 * begins: replies come into the memory that packets are written to, so that all of them are packed
 * before the host sees the first; behind the last one what `read` asks. */
static void bands_send(struct ggl_context *c, struct bands *b, const struct ggl_pixels *p,
                       const struct ggl_question *read)
{
    uint32_t from = b->got;
    do {
        uint32_t rows = band_rows(b, from);
        if (!gs_piece_take(c->stream, rows * p->pitch, &b->ahead[b->count]) && b->count != 0) {
            break;
        }
        b->count++;
        from += rows;
    } while (from < (uint32_t)b->height && b->count < AHEAD &&
             b->ahead[b->count - 1].stage != NULL);
    gs_pack_together(c->stream, AHEAD * (GS_STAGED_HEADER + READ_PACKET) + ERROR_PACKET);
    from = b->got;
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t rows = band_rows(b, from);
        if (b->ahead[i].stage != NULL) {
            gs_piece_reply(c->stream, &b->ahead[i], READ_PACKET);
        }
        gles2_pack_glReadPixels(ggl_pack(c), b->x, b->y + (GLint)from, b->width, (GLsizei)rows,
                                b->format, b->type, (uint32_t)(rows * p->pitch));
        from += rows;
    }
    if (from == (uint32_t)b->height) {
        ggl_question_end(c, read);
    }
}

static void rows_copy(uint8_t *data, const uint8_t *from, const struct ggl_pixels *p, uint32_t rows)
{
    if (p->row == p->pitch) {
        sl_copy_shared(data, from, p->pitch * rows);
        return;
    }
    for (uint32_t row = 0; row < rows; row++) {
        sl_copy_shared(data + row * p->pitch, from + row * p->pitch, p->row);
    }
}

/* The next band arrives. */
static void band_receive(struct ggl_context *c, struct bands *b, const struct ggl_pixels *p,
                         struct gs_piece *piece, uint8_t *data)
{
    struct ggl_pixels band = *p;
    band.rows = band_rows(b, b->got);
    uint8_t *to = data + b->got * p->pitch;
    if (piece->stage != NULL) {
        uint32_t there = 0;
        gs_read(c->stream, &there, sizeof there);
        if (there != 0) {
            rows_copy(to, piece->data, p, band.rows);
        }
    } else {
        scatter(c->stream, &band, to);
    }
    gs_piece_give(piece);
    b->got += band.rows;
}

static void read_bands(struct ggl_context *c, struct bands *b, const struct ggl_pixels *p,
                       uint8_t *data, const struct ggl_question *read)
{
    while (b->got < (uint32_t)b->height) {
        b->count = 0;
        bands_send(c, b, p, read);
        for (uint32_t i = 0; i < b->count; i++) {
            band_receive(c, b, p, &b->ahead[i], data);
        }
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
    struct bands bands = {.x = x,
                          .y = y,
                          .width = width,
                          .height = height,
                          .format = format,
                          .type = type,
                          .rows = trial.watched ? rows_at_once(c, p, y) : 0};
    if (bands.rows != 0) {
        bands.edge = (uint32_t)(p->pitch <= READ_EDGE ? READ_EDGE / p->pitch : 1);
        ggl_question_earlier(c, &trial);
        if (ggl_question_answered(c, &trial)) {
            read_bands(c, &bands, p, data, &read);
            (void)ggl_question_answered(c, &read);
        }
        return;
    }
    gles2_pack_glReadPixels(ggl_pack(c), x, y, width, height, format, type, (uint32_t)p->size);
    ggl_question_end(c, &read);
    if (trial.watched && p->size <= READ_SMALL) {
        gs_expect(c->stream, (trial.earlier + 2) * sizeof(GLenum) + p->size);
    }
    ggl_question_earlier(c, &trial);
    if (ggl_question_answered(c, &trial)) {
        scatter(c->stream, p, data);
    } else {
        discard(c->stream, p->size);
    }
    gs_reply_end(c->stream);
    (void)ggl_question_answered(c, &read);
}

/* Less room than the pixels take: that is the error where the host finds none in reading them. */
static void refuse_room(struct ggl_context *c, GLint x, GLint y, GLsizei width, GLsizei height,
                        GLenum format, GLenum type, const struct ggl_pixels *p)
{
    struct ggl_question q = ggl_question_begin(c);
    if (q.watched) {
        gles2_pack_glReadPixels(ggl_pack(c), x, y, width, height, format, type, (uint32_t)p->size);
        ggl_question_end(c, &q);
        ggl_question_earlier(c, &q);
        discard(c->stream, p->size);
        gs_reply_end(c->stream);
    }
    if (ggl_question_answered(c, &q)) {
        ggl_error(c, GL_INVALID_OPERATION);
    }
}

static void read_pixels(struct ggl_context *c, GLint x, GLint y, GLsizei width, GLsizei height,
                        GLenum format, GLenum type, int64_t room, void *data)
{
    if (c->buffers[GGL_BUFFER_PIXEL_PACK]) {
        ggl_lasting_use(c);
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
        refuse_room(c, x, y, width, height, format, type, &p);
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
        ggl_order_use(c);
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
    ggl_order_use(c);
    if (ggl_size_travels(c, room)) {
        read_pixels(c, x, y, width, height, format, type, room, pixels);
    }
}
