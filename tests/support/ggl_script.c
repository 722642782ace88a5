#include "tests/support/ggl_script.h"

#include "guest/stream/gs_stage.h"
#include "tests/support/slt.h"

#include <string.h>

static struct ggl_script *script_of(struct asg_writer *writer)
{
    return (struct ggl_script *)(void *)writer;
}

static void use_memory(struct ggl_script *s)
{
    s->stream.ring.pack = s->mem.pack;
}

/* The memory target grows by its own rules; the stream's copy of the cursor goes there and back. */
static uint8_t *room(struct sl_pack *pack, size_t size)
{
    struct ggl_script *s = script_of((struct asg_writer *)(void *)pack);
    s->mem.pack.cur = pack->cur;
    uint8_t *p = s->mem.pack.ops->room(&s->mem.pack, size);
    pack->cur = s->mem.pack.cur;
    pack->limit = s->mem.pack.limit;
    return p;
}

static uint8_t *bulk(struct sl_pack *pack, uint8_t *p, const void *data, size_t size)
{
    struct ggl_script *s = script_of((struct asg_writer *)(void *)pack);
    s->mem.pack.cur = pack->cur;
    p = s->mem.pack.ops->bulk(&s->mem.pack, p, data, size);
    pack->cur = s->mem.pack.cur;
    pack->limit = s->mem.pack.limit;
    return p;
}

static const struct sl_pack_ops script_ops = {.room = room, .bulk = bulk};

void gs_reply_check(struct gs_stream *stream)
{
    script_of(&stream->ring)->checks++; /* the script answers without checksums all the same */
}

void gs_expect(struct gs_stream *stream, size_t size)
{
    (void)stream, (void)size; /* answers are there */
}

void gs_read(struct gs_stream *stream, void *data, size_t size)
{
    struct ggl_script *s = script_of(&stream->ring);
    size_t there = s->reply_size - s->reply_used;
    size_t part = size < there ? size : there;
    if (part != 0) { /* a script without answers has no memory for them */
        memcpy(data, s->reply + s->reply_used, part);
    }
    memset((uint8_t *)data + part, 0, size - part);
    s->reply_used += part;
    s->read += size;
}

bool gs_piece_pays(struct gs_stream *stream)
{
    (void)stream;
    return true;
}

bool gs_piece_take(struct gs_stream *stream, size_t size, struct gs_piece *piece)
{
    (void)stream, (void)size;
    *piece = (struct gs_piece){0};
    return false; /* the script's host shares no memory */
}

void gs_piece_give(struct gs_piece *piece)
{
    SLT_EXPECT_NULL(piece->stage);
}

void gs_piece_send(struct gs_stream *stream, const struct gs_piece *piece, const uint8_t *data)
{
    (void)stream, (void)piece;
    SLT_EXPECT_NULL(data);
}

void gs_piece_reply(struct gs_stream *stream, const struct gs_piece *piece, uint32_t bytes)
{
    (void)stream, (void)bytes;
    SLT_EXPECT_NULL(piece->stage);
}

void asg_writer_flush(struct asg_writer *writer)
{
    script_of(writer)->flushes++;
}

enum sl_result asg_signal_wait(const struct asg_signal *signal, uint32_t value, int64_t timeout_ns)
{
    SLT_EXPECT_LT(0, timeout_ns);
    signal->page->host_signal = value; /* as if the host had done it by now */
    return SL_OK;
}

uint32_t asg_writer_error_take(struct asg_writer *writer)
{
    uint32_t error = script_of(writer)->error;
    script_of(writer)->error = 0;
    return error;
}

void ggl_script_init(struct ggl_script *s, uint32_t version, uint32_t features)
{
    *s = (struct ggl_script){.reply = (const uint8_t *)""};
    sl_pack_mem_init(&s->mem);
    use_memory(s);
    s->stream.ring.pack.ops = &script_ops;
    const struct ggl_context_args args = {.version = version, .features = features};
    if (ggl_context_create(&args, &s->context) == SL_OK) {
        ggl_make_current(s->context, &s->stream);
    }
}

void ggl_script_finish(struct ggl_script *s)
{
    ggl_context_destroy(s->context);
    sl_pack_mem_finish(&s->mem);
}

void ggl_script_reply(struct ggl_script *s, const void *data, size_t size)
{
    s->reply = data;
    s->reply_size = size;
    s->reply_used = 0;
}

const uint8_t *ggl_script_take(struct ggl_script *s, size_t *size)
{
    *size = (size_t)(s->stream.ring.pack.cur - s->mem.data);
    s->stream.ring.pack.cur = s->mem.data;
    s->stream.ring.published += *size;
    s->read = 0;
    return s->mem.data;
}

size_t ggl_script_opcodes(struct ggl_script *s, uint32_t *opcodes, size_t max)
{
    size_t size, count = 0;
    const uint8_t *p = ggl_script_take(s, &size);
    for (size_t at = 0; at + 8 <= size;) {
        uint32_t header[2];
        memcpy(header, p + at, sizeof header);
        if (count < max) {
            opcodes[count] = header[0];
        }
        count++;
        at += header[1] >= 8 ? header[1] : size;
    }
    return count;
}
