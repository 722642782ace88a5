/* The packets of a snapshot on their way out. */
#include "host/gles/hgl_save.h"

#include "transport/base/log.h"

#include <stdarg.h>
#include <stdio.h>

/* Packed before it is handed over. */
#define ENOUGH (256u << 10)

void hgl_save_refuse(struct hgl_save *s, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (s->result == SL_OK) {
        sl_warn_limited("gles", "no %s of context %u: %s", s->to != NULL ? "snapshot" : "picture",
                        s->client->ctx_id, text);
        s->result = SL_ERR_UNSUPPORTED;
    }
}

bool hgl_save_failed(const struct hgl_save *s)
{
    return s->result != SL_OK;
}

void *hgl_save_alloc(struct hgl_save *s, size_t count, size_t size)
{
    void *p = sl_alloc_array(count != 0 ? count : 1, size);
    if (p == NULL && s->result == SL_OK) {
        s->result = SL_ERR_NOMEM;
    }
    return p;
}

/* reply: of the last packet. */
static void hand_over(struct hgl_save *s, const void *reply, size_t reply_size)
{
    const uint8_t *p = s->out.data;
    if (s->out.failed && s->result == SL_OK) {
        s->result = SL_ERR_NOMEM;
    }
    while (s->result == SL_OK && p != s->out.pack.cur) {
        uint32_t size = sl_load_u32(p + 4);
        bool last = p + size == s->out.pack.cur;
        s->result = s->to->packet(s->to->user, s->ring, p, size, last ? reply : NULL,
                                  last ? reply_size : 0);
        p += size;
    }
    if (!s->out.failed) {
        s->out.pack.cur = s->out.data;
    }
}

void hgl_save_flush(struct hgl_save *s)
{
    hand_over(s, NULL, 0);
}

void hgl_save_reply(struct hgl_save *s, const void *reply, size_t size)
{
    hand_over(s, reply, size);
}

void hgl_save_raw(struct hgl_save *s, uint32_t opcode, const void *body, size_t size)
{
    if (s->out.data != NULL && (size_t)(s->out.pack.cur - s->out.data) > ENOUGH) {
        hgl_save_flush(s);
    }
    uint8_t *p = sl_pack_begin(&s->out.pack, 8 + size); /* small: state, never contents */
    sl_store_u32(p, opcode);
    sl_store_u32(p + 4, (uint32_t)(8 + size));
    memcpy(p + 8, body, size);
    sl_pack_end(&s->out.pack, p + 8 + size, (uint32_t)(8 + size));
}
