#include "transport/base/vk_codec.h"

#include <stdlib.h>

#define PACK_FIRST 4096u

void vk_pack_init(struct vk_pack *pack, size_t max, bool objects)
{
    *pack = (struct vk_pack){.max = max, .objects = objects};
}

void vk_pack_finish(struct vk_pack *pack)
{
    sl_free(pack->data);
    pack->data = pack->cur = pack->limit = NULL;
}

uint8_t *vk_pack_more(struct vk_pack *pack, size_t size)
{
    size_t used = vk_pack_size(pack);
    if (pack->failed || size > pack->max || used > pack->max - size) {
        pack->failed = true;
        return NULL;
    }
    size_t want = (size_t)(pack->limit - pack->data);
    want = want < PACK_FIRST ? PACK_FIRST : want;
    while (want < used + size) {
        want *= 2;
    }
    want = want < pack->max ? want : pack->max;
    uint8_t *data = sl_realloc(pack->data, want);
    if (data == NULL) {
        pack->failed = true;
        return NULL;
    }
    pack->data = data;
    pack->cur = data + used;
    pack->limit = data + want;
    return pack->cur;
}

void vk_pack_string(struct vk_pack *pack, const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    if (length > UINT32_MAX) {
        pack->failed = true;
        return;
    }
    vk_pack_big32(pack, (uint32_t)length);
    vk_pack_bytes(pack, text, length);
}

void vk_pack_strings(struct vk_pack *pack, const char *const *texts, uint32_t count)
{
    vk_pack_big32(pack, count);
    for (uint32_t i = 0; i < count; i++) {
        vk_pack_string(pack, texts[i]);
    }
}

void vk_pack_handles(struct vk_pack *pack, const void *handles, uint64_t count)
{
    if (count > pack->max / 8) {
        pack->failed = true;
        return;
    }
    uint8_t *p = vk_pack_room(pack, count * 8);
    if (p == NULL) {
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t handle = sl_load_u64((const uint8_t *)handles + i * 8);
        sl_store_u64(p + i * 8, vk_pack_id(pack, handle));
    }
    pack->cur = p + count * 8;
}

void vk_pack_created(struct vk_pack *pack, const void *handles, uint64_t count)
{
    if (pack->objects) {
        vk_pack_handles(pack, handles, count);
    } else {
        vk_pack_blank(pack, count, 8);
    }
}

void vk_pack_array(struct vk_pack *pack, const void *data, uint64_t count, size_t size)
{
    if (count > pack->max / size) {
        pack->failed = true;
        return;
    }
    vk_pack_bytes(pack, data, count * size);
}

void vk_pack_blank(struct vk_pack *pack, uint64_t count, size_t size)
{
    if (count > pack->max / size) {
        pack->failed = true;
        return;
    }
    vk_pack_zeros(pack, count * size);
}

void vk_unpack_fail(struct vk_unpack *u, const char *reason)
{
    if (!u->failed) {
        u->failed = true;
        u->reason = reason;
    }
    u->cur = u->end;
}

bool vk_unpack_more(struct vk_unpack *u, uint64_t size)
{
    if (!u->failed && u->more != NULL && size <= SIZE_MAX && u->more(u, size)) {
        return true;
    }
    vk_unpack_fail(u, "it is shorter than its fields");
    return false;
}

void *vk_unpack_alloc(struct vk_unpack *u, uint64_t count, size_t size)
{
    if (u->failed) {
        return NULL;
    }
    if (count > SIZE_MAX / size) {
        vk_unpack_fail(u, "it asks for too much memory");
        return NULL;
    }
    void *p = sl_arena_get(u->arena, count * size);
    if (p == NULL) {
        vk_unpack_fail(u, "it asks for too much memory");
        return NULL;
    }
    memset(p, 0, count * size);
    return p;
}

/* `size` bytes of the packet copied to the arena; NULL and failed. */
static void *copy(struct vk_unpack *u, uint64_t size)
{
    const uint8_t *from = vk_unpack_take(u, size);
    if (from == NULL) {
        return NULL;
    }
    void *p = sl_arena_get(u->arena, size);
    if (p == NULL) {
        vk_unpack_fail(u, "it asks for too much memory");
        return NULL;
    }
    if (size != 0) {
        memcpy(p, from, size);
    }
    return p;
}

void *vk_unpack_array(struct vk_unpack *u, uint64_t count, size_t size)
{
    return copy(u, vk_unpack_count(u, count, size) * size);
}

void *vk_unpack_blank(struct vk_unpack *u, uint64_t count, size_t size)
{
    count = vk_unpack_count(u, count, size);
    return vk_unpack_take(u, count * size) != NULL ? vk_unpack_alloc(u, count, size) : NULL;
}

void *vk_unpack_bigs(struct vk_unpack *u, uint64_t count)
{
    count = vk_unpack_count(u, count, 8);
    void *place = vk_unpack_alloc(u, count, 8);
    if (place != NULL) {
        vk_unpack_bigs_into(u, place, count);
    }
    return place;
}

void vk_unpack_into(struct vk_unpack *u, void *place, uint64_t count, size_t size)
{
    size_t bytes = vk_unpack_count(u, count, size) * size;
    const uint8_t *from = vk_unpack_take(u, bytes);
    if (from != NULL && bytes != 0 && !u->failed) {
        memcpy(place, from, bytes);
    }
}

void vk_unpack_bigs_into(struct vk_unpack *u, void *place, uint64_t count)
{
    count = vk_unpack_count(u, count, 8);
    for (uint64_t i = 0; i < count; i++) {
        sl_store_u64((uint8_t *)place + i * 8, vk_unpack_big64(u));
    }
}

void vk_unpack_required(struct vk_unpack *u)
{
    if (vk_unpack_big64(u) == 0) {
        vk_unpack_fail(u, "it lacks what must be there");
    }
}

void vk_unpack_absent(struct vk_unpack *u)
{
    if (vk_unpack_big64(u) != 0) {
        vk_unpack_fail(u, "it gives something that never travels");
    }
}

bool vk_unpack_matches(struct vk_unpack *u, const void *pointer)
{
    bool there = vk_unpack_big64(u) != 0;
    if (!u->failed && there != (pointer != NULL)) {
        vk_unpack_fail(u, "a reply does not answer its request");
    }
    return there && !u->failed;
}

uint64_t vk_unpack_within(struct vk_unpack *u, uint64_t count, uint64_t room)
{
    if (count > room) {
        vk_unpack_fail(u, "a reply has more than was asked for");
        return 0;
    }
    return count;
}

bool vk_unpack_link(struct vk_unpack *u, bool there, uint32_t stype)
{
    bool has = vk_unpack_big32(u) != 0;
    if (!u->failed && (has != there || (has && vk_unpack_u32(u) != stype))) {
        vk_unpack_fail(u, "a reply's chain is not its request's");
    }
    return !u->failed;
}

bool vk_unpack_done(struct vk_unpack *u)
{
    if (!u->failed && u->cur != u->end) {
        vk_unpack_fail(u, "bytes are left over in it");
    }
    return !u->failed;
}

const char *vk_unpack_string(struct vk_unpack *u)
{
    uint32_t length = vk_unpack_big32(u);
    const uint8_t *from = vk_unpack_take(u, length);
    char *text = from != NULL ? vk_unpack_alloc(u, (uint64_t)length + 1, 1) : NULL;
    if (text != NULL && length != 0) {
        memcpy(text, from, length);
    }
    return text;
}

const char *const *vk_unpack_strings(struct vk_unpack *u, uint64_t count)
{
    uint64_t there = vk_unpack_big32(u);
    if (!u->failed && there != count) {
        vk_unpack_fail(u, "it gives two different counts of its strings");
    }
    count = vk_unpack_count(u, count, 4);
    const char **texts = vk_unpack_alloc(u, count, sizeof *texts);
    if (texts == NULL) {
        return NULL;
    }
    for (uint64_t i = 0; i < count; i++) {
        texts[i] = vk_unpack_string(u);
    }
    return texts;
}

static const void *owner_of(const struct vk_unpack *u, const void *record)
{
    const void *owner = NULL;
    if (u->owner_at != 0 && record != NULL) {
        memcpy(&owner, (const uint8_t *)record + u->owner_at, sizeof owner);
    }
    return owner;
}

static uint64_t look_up(struct vk_unpack *u, uint32_t kind, uint64_t id, bool optional,
                        void **record)
{
    *record = NULL;
    if (u->ids == NULL || u->failed) {
        if (u->named != NULL && !u->outputs && !u->failed && id != 0) {
            u->named(u, kind, id, 0);
        }
        return id;
    }
    if (u->outputs || (id == 0 && optional)) {
        return 0;
    }
    uint64_t native = 0;
    if (!sl_ids_find(u->ids, kind, id, &native, record)) {
        vk_unpack_fail(u, id == 0 ? "it lacks a handle" : "it names no living object of that kind");
        return 0;
    }
    if (SL_UNLIKELY(u->owner != NULL && owner_of(u, *record) != u->owner)) {
        vk_unpack_fail(u, "it names objects of different owners");
        return 0;
    }
    if (u->named != NULL) {
        u->named(u, kind, id, native);
    }
    return native;
}

uint64_t vk_unpack_handle(struct vk_unpack *u, uint32_t kind, uint64_t id, bool optional)
{
    void *record;
    return look_up(u, kind, id, optional, &record);
}

uint64_t vk_unpack_first(struct vk_unpack *u, uint32_t kind, uint64_t *id)
{
    *id = vk_unpack_u64(u);
    uint64_t native = look_up(u, kind, *id, false, &u->record);
    u->owner = owner_of(u, u->record);
    return native;
}

void *vk_unpack_handles(struct vk_unpack *u, uint32_t kind, uint64_t count, bool optional)
{
    count = vk_unpack_count(u, count, 8);
    uint8_t *handles = vk_unpack_alloc(u, count, 8);
    if (handles == NULL) {
        return NULL;
    }
    for (uint64_t i = 0; i < count; i++) {
        sl_store_u64(handles + i * 8, vk_unpack_handle(u, kind, vk_unpack_u64(u), optional));
    }
    return handles;
}
