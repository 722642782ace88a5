#include "tools/sluice/names.h"
#include "transport/base/mem.h"

struct entry {
    uint64_t id;
    uint32_t ctx, kind; /* kind + 1; 0: free */
    uint32_t number;
};

struct names {
    struct entry *entries;
    uint32_t capacity, used; /* capacity: a power of two */
    uint32_t last[NAMES_KINDS];
};

struct names *names_create(void)
{
    return sl_alloc(sizeof(struct names));
}

void names_destroy(struct names *names)
{
    if (names != NULL) {
        sl_free(names->entries);
        sl_free(names);
    }
}

static struct entry *place_of(struct names *names, uint32_t ctx, uint32_t kind, uint64_t id)
{
    uint64_t hash = (id ^ (uint64_t)ctx << 40 ^ (uint64_t)kind << 56) * 0x9e3779b97f4a7c15ull;
    for (uint32_t i = (uint32_t)(hash >> 32);; i++) {
        struct entry *e = &names->entries[i & (names->capacity - 1)];
        if (e->kind == 0 || (e->id == id && e->ctx == ctx && e->kind == kind + 1)) {
            return e;
        }
    }
}

static bool make_room(struct names *names)
{
    if (names->used * 2 < names->capacity) {
        return true;
    }
    struct names larger = *names;
    larger.capacity = names->capacity != 0 ? names->capacity * 2 : 1024;
    larger.entries = sl_alloc_array(larger.capacity, sizeof *larger.entries);
    if (larger.entries == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < names->capacity; i++) {
        const struct entry *e = &names->entries[i];
        if (e->kind != 0) {
            *place_of(&larger, e->ctx, e->kind - 1, e->id) = *e;
        }
    }
    sl_free(names->entries);
    *names = larger;
    return true;
}

uint32_t names_number(struct names *names, uint32_t ctx, uint32_t kind, uint64_t id, bool is_new)
{
    if (!make_room(names)) {
        return 0;
    }
    struct entry *e = place_of(names, ctx, kind, id);
    names->used += e->kind == 0;
    if (e->kind == 0 || is_new) {
        *e = (struct entry){.id = id, .ctx = ctx, .kind = kind + 1, .number = names->last[kind]++};
    }
    return e->number;
}
