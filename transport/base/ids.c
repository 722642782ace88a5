#include "transport/base/ids.h"

#include "transport/base/mem.h"

#define KIND_MASK       ((1u << SL_IDS_KIND_BITS) - 1)
#define GENERATION_MASK 0xffffffu
#define UNLISTED        UINT32_MAX /* next_free of a slot that sl_ids_add does not give */

void sl_ids_init(struct sl_ids *ids, uint32_t max)
{
    *ids = (struct sl_ids){.max = max < SL_IDS_MAX ? max : SL_IDS_MAX};
}

void sl_ids_finish(struct sl_ids *ids)
{
    for (uint32_t i = 0; i < SL_IDS_CHUNKS; i++) {
        sl_free(ids->chunks[i]);
    }
    *ids = (struct sl_ids){0};
}

static struct sl_ids_slot *slot_at(const struct sl_ids *ids, uint32_t index)
{
    return &ids->chunks[index / SL_IDS_CHUNK][index % SL_IDS_CHUNK];
}

/* The chunk of an index is there afterwards. */
static enum sl_result chunk_need(struct sl_ids *ids, uint32_t index)
{
    uint32_t chunk = index / SL_IDS_CHUNK;
    if (ids->chunks[chunk] != NULL) {
        return SL_OK;
    }
    struct sl_ids_slot *slots = sl_alloc_array(SL_IDS_CHUNK, sizeof *slots);
    if (slots == NULL) {
        return SL_ERR_NOMEM;
    }
    /* Pairs with the acquire in sl_ids_find: its zeros are seen with it. */
    __atomic_store_n(&ids->chunks[chunk], slots, __ATOMIC_RELEASE);
    return SL_OK;
}

static enum sl_result slot_take(struct sl_ids *ids, uint32_t *index)
{
    if (ids->first_free != 0) {
        *index = ids->first_free - 1;
        ids->first_free = slot_at(ids, *index)->next_free;
        return SL_OK;
    }
    enum sl_result result =
        ids->count < SL_IDS_PEER_FIRST ? chunk_need(ids, ids->count) : SL_ERR_NOMEM;
    if (result == SL_OK) {
        *index = ids->count++;
    }
    return result;
}

static void slot_fill(struct sl_ids *ids, struct sl_ids_slot *slot, uint32_t tag, uint64_t native,
                      void *record)
{
    /* Each release keeps the free tag before it: a finder that sees a new value sees that the tag
     * has changed. */
    __atomic_store_n(&slot->native, native, __ATOMIC_RELEASE);
    __atomic_store_n(&slot->record, record, __ATOMIC_RELEASE);
    /* Pairs with the acquire in sl_ids_find: the values are seen with the tag. */
    __atomic_store_n(&slot->tag, tag, __ATOMIC_RELEASE);
    slot->note = NULL;
    ids->live++;
}

enum sl_result sl_ids_add(struct sl_ids *ids, uint32_t kind, uint64_t native, void *record,
                          uint64_t *id)
{
    uint32_t index;
    enum sl_result result = ids->live < ids->max ? slot_take(ids, &index) : SL_ERR_NOMEM;
    if (result != SL_OK) {
        return result;
    }
    struct sl_ids_slot *slot = slot_at(ids, index);
    uint32_t generation = slot->tag >> SL_IDS_KIND_BITS;
    slot_fill(ids, slot, generation << SL_IDS_KIND_BITS | kind, native, record);
    *id = (uint64_t)generation << 32 | (index + 1);
    return SL_OK;
}

enum sl_result sl_ids_add_at(struct sl_ids *ids, uint32_t kind, uint64_t native, void *record,
                             uint64_t id)
{
    uint32_t index = (uint32_t)id - 1;
    if (index < SL_IDS_PEER_FIRST || index >= SL_IDS_MAX || id >> 56 != 0) {
        return SL_ERR_PROTOCOL;
    }
    enum sl_result result = ids->live < ids->max ? chunk_need(ids, index) : SL_ERR_NOMEM;
    if (result != SL_OK) {
        return result;
    }
    struct sl_ids_slot *slot = slot_at(ids, index);
    if ((slot->tag & KIND_MASK) != 0) {
        return SL_ERR_PROTOCOL;
    }
    slot_fill(ids, slot, (uint32_t)(id >> 32) << SL_IDS_KIND_BITS | kind, native, record);
    return SL_OK;
}

/* The live slot of an id, or NULL. */
static struct sl_ids_slot *slot_of(const struct sl_ids *ids, uint32_t kind, uint64_t id)
{
    uint64_t native;
    void *record;
    return sl_ids_find(ids, kind, id, &native, &record) ? slot_at(ids, (uint32_t)id - 1) : NULL;
}

bool sl_ids_remove(struct sl_ids *ids, uint32_t kind, uint64_t id)
{
    struct sl_ids_slot *slot = slot_of(ids, kind, id);
    if (slot == NULL) {
        return false;
    }
    uint32_t generation = ((uint32_t)(id >> 32) + 1) & GENERATION_MASK;
    /* Pairs with sl_ids_find's second look: it no longer matches before the values change. */
    __atomic_store_n(&slot->tag, generation << SL_IDS_KIND_BITS, __ATOMIC_RELEASE);
    if ((uint32_t)id <= SL_IDS_PEER_FIRST) {
        slot->next_free = ids->first_free;
        ids->first_free = (uint32_t)id;
    }
    ids->live--;
    return true;
}

bool sl_ids_set_native(struct sl_ids *ids, uint32_t kind, uint64_t id, uint64_t native)
{
    struct sl_ids_slot *slot = slot_of(ids, kind, id);
    if (slot == NULL) {
        return false;
    }
    /* A finder gets the old or the new one, each whole. */
    __atomic_store_n(&slot->native, native, __ATOMIC_RELEASE);
    return true;
}

void **sl_ids_note(const struct sl_ids *ids, uint32_t kind, uint64_t id)
{
    struct sl_ids_slot *slot = slot_of(ids, kind, id);
    return slot != NULL ? &slot->note : NULL;
}

uint32_t sl_ids_free(const struct sl_ids *ids, uint32_t *slots, uint64_t *next, uint32_t room)
{
    uint32_t count = 0;
    for (uint32_t at = ids->first_free; at != 0; count++) {
        const struct sl_ids_slot *slot = slot_at(ids, at - 1);
        if (count < room) {
            next[count] = (uint64_t)(slot->tag >> SL_IDS_KIND_BITS) << 32 | at;
        }
        at = slot->next_free;
    }
    *slots = ids->count;
    return count;
}

/* The slots below `slots` are there and in no list, and those from it on do not live. */
static enum sl_result restore_room(struct sl_ids *ids, uint32_t slots)
{
    for (uint32_t i = slots; i < ids->count; i++) {
        if ((slot_at(ids, i)->tag & KIND_MASK) != 0) {
            return SL_ERR_INVALID;
        }
    }
    for (uint32_t i = 0; i < slots; i++) {
        enum sl_result result = chunk_need(ids, i);
        if (result != SL_OK) {
            return result;
        }
        slot_at(ids, i)->next_free = UNLISTED;
    }
    ids->first_free = 0;
    ids->count = slots;
    return SL_OK;
}

enum sl_result sl_ids_restore(struct sl_ids *ids, uint32_t slots, const uint64_t *next,
                              uint32_t count)
{
    enum sl_result result = slots <= SL_IDS_PEER_FIRST ? restore_room(ids, slots) : SL_ERR_INVALID;
    for (uint32_t i = count; result == SL_OK && i-- != 0;) {
        uint32_t index = (uint32_t)next[i] - 1;
        struct sl_ids_slot *slot = index < slots ? slot_at(ids, index) : NULL;
        if (slot == NULL || next[i] >> 56 != 0 || (slot->tag & KIND_MASK) != 0 ||
            slot->next_free != UNLISTED) {
            ids->first_free = 0;
            return SL_ERR_INVALID;
        }
        __atomic_store_n(&slot->tag, (uint32_t)(next[i] >> 32) << SL_IDS_KIND_BITS,
                         __ATOMIC_RELEASE);
        slot->next_free = ids->first_free;
        ids->first_free = index + 1;
    }
    return result;
}

bool sl_ids_next(const struct sl_ids *ids, uint32_t *cursor, uint32_t *kind, uint64_t *id,
                 uint64_t *native, void **record)
{
    while (*cursor < SL_IDS_MAX) {
        uint32_t index = *cursor;
        if (ids->chunks[index / SL_IDS_CHUNK] == NULL) {
            *cursor = (index / SL_IDS_CHUNK + 1) * SL_IDS_CHUNK;
            continue;
        }
        *cursor = index + 1;
        const struct sl_ids_slot *slot = slot_at(ids, index);
        if ((slot->tag & KIND_MASK) != 0) {
            *kind = slot->tag & KIND_MASK;
            *id = (uint64_t)(slot->tag >> SL_IDS_KIND_BITS) << 32 | (index + 1);
            *native = slot->native;
            *record = slot->record;
            return true;
        }
    }
    return false;
}
