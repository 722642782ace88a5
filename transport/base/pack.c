#include "transport/base/pack.h"

#include <stdint.h>

/* Rows are copied through the stream's buffer in pieces; longer ones go through ops->bulk by
 * themselves. */
#define GATHER_PIECE 16384u
/* Shorter rows are not worth ops->fill. */
#define FILL_LEAST 4096u

uint8_t *sl_pack_sum(struct sl_pack *pack, uint8_t *p, uint32_t covered)
{
    sl_store_u32(p, sl_sum_word(covered));
    sl_store_u32(p + 4, pack->sum_count++);
    return p + 8;
}

static void copy_or_zero(uint8_t *p, const uint8_t *data, size_t size)
{
    if (data != NULL) {
        memcpy(p, data, size);
    } else {
        memset(p, 0, size);
    }
}

/* Where the bytes of one gather go: in place while the packet is small, else piece by piece. */
struct sink {
    struct sl_pack *pack;
    uint8_t *p;
    bool small;
    bool staged;
};

/* data NULL: zeros. */
static void put(struct sink *sink, const uint8_t *data, size_t size)
{
    if (!sink->small && size > GATHER_PIECE) {
        sink->p = sink->pack->ops->bulk(sink->pack, sink->p, data, size);
        return;
    }
    if (size == 0) {
        return;
    }
    if (!sink->small) {
        sink->pack->cur = sink->p;
        sink->p = sl_pack_begin(sink->pack, size);
    }
    if (sink->staged && data != NULL && size >= FILL_LEAST) {
        sink->pack->ops->fill(sink->pack, sink->p, data, size);
    } else {
        copy_or_zero(sink->p, data, size);
    }
    sink->p += size;
}

static bool in_one_piece(const struct sl_gather *g)
{
    bool rows_touch = g->rows == 1 || (g->src_pitch == g->row && g->wire_pitch == g->row);
    size_t image = g->row * g->rows;
    bool images_touch = g->images == 1 || g->src_image == image;
    return g->prefix == 0 && g->src != NULL && rows_touch && images_touch && g->wire_image == image;
}

static void put_gather(struct sink *sink, const struct sl_gather *g)
{
    put(sink, NULL, g->prefix);
    for (uint32_t image = 0; image < g->images; image++) {
        const uint8_t *src = g->src != NULL ? g->src + image * g->src_image : NULL;
        size_t at = 0; /* bytes of this image written */
        for (uint32_t row = 0; row < g->rows; row++) {
            put(sink, NULL, row * g->wire_pitch - at);
            put(sink, src, g->row);
            at = row * g->wire_pitch + g->row;
            src = src != NULL ? src + g->src_pitch : NULL;
        }
        put(sink, NULL, g->wire_image - at);
    }
}

uint8_t *sl_pack_gather(struct sl_pack *pack, uint8_t *p, const struct sl_gather *g, bool small)
{
    if (in_one_piece(g)) {
        return sl_pack_data(pack, p, g->src, g->size, small);
    }
    struct sink sink = {.pack = pack, .p = p, .small = small};
    put_gather(&sink, g);
    if (!small) { /* as after a bulk: room for the scalars behind the data */
        pack->cur = sink.p;
        sink.p = sl_pack_begin(pack, SL_PACK_ROOM);
    }
    return sink.p;
}

/* Where `size` bytes may be staged; NULL: nowhere. *p: where the packet goes on. */
static uint8_t *stage(struct sl_pack *pack, uint8_t **p, const void *data, size_t size, bool small)
{
    uint8_t *to = NULL;
    if (!small && pack->ops->stage != NULL) {
        *p = pack->ops->stage(pack, *p, data, size, &to);
    }
    return to;
}

uint8_t *sl_pack_staged(struct sl_pack *pack, uint8_t *p, const void *data, size_t size, bool small)
{
    uint8_t *to = data != NULL ? stage(pack, &p, data, size, small) : NULL;
    if (to == NULL) {
        return sl_pack_data(pack, p, data, size, small);
    }
    if (to != data) {
        pack->ops->fill(pack, to, data, size);
    }
    return p;
}

uint8_t *sl_pack_gather_staged(struct sl_pack *pack, uint8_t *p, const struct sl_gather *g,
                               bool small)
{
    if (in_one_piece(g)) {
        return sl_pack_staged(pack, p, g->src, g->size, small);
    }
    struct sink sink = {
        .pack = pack, .p = stage(pack, &p, NULL, g->size, small), .small = true, .staged = true};
    if (sink.p == NULL) {
        return sl_pack_gather(pack, p, g, small);
    }
    put_gather(&sink, g);
    return p;
}

const void *sl_unpack_array(struct sl_unpack *u, size_t size, size_t align)
{
    static const uint64_t nothing[1];
    if (size == 0) {
        return nothing;
    }
    if (u->staged != NULL && u->cur == u->staged->at && size == u->staged->size) {
        return u->staged->data;
    }
    if (SL_UNLIKELY(size > (size_t)(u->end - u->cur))) {
        u->failed = true;
        u->cur = u->end;
        return NULL;
    }
    const uint8_t *p = u->cur;
    u->cur += size;
    if (((uintptr_t)p & (align - 1)) == 0) {
        return p;
    }
    void *copy = sl_arena_get(u->arena, size);
    if (copy == NULL) {
        u->failed = true;
        return NULL;
    }
    return memcpy(copy, p, size);
}

void sl_reply_init(struct sl_reply *reply, size_t max)
{
    *reply = (struct sl_reply){.max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2};
}

void sl_reply_finish(struct sl_reply *reply)
{
    sl_free(reply->data);
    *reply = (struct sl_reply){0};
}

void *sl_reply_room(struct sl_reply *reply, size_t size)
{
    if (reply->stage != NULL && size == reply->stage_size) {
        uint8_t *staged = reply->stage;
        reply->stage = NULL;
        return staged;
    }
    if (size > reply->max - reply->size) {
        reply->failed = true;
        return NULL;
    }
    size_t need = reply->size + size;
    if (need > reply->capacity || reply->data == NULL) {
        size_t capacity = reply->capacity != 0 ? reply->capacity * 2 : 256;
        capacity = capacity < reply->max ? capacity : reply->max;
        capacity = capacity > need ? capacity : need;
        uint8_t *grown = sl_realloc(reply->data, capacity);
        if (grown == NULL) {
            reply->failed = true;
            return NULL;
        }
        reply->data = grown;
        reply->capacity = capacity;
    }
    void *room = memset(reply->data + reply->size, 0, size);
    reply->size = need;
    return room;
}
