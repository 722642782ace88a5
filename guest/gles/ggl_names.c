#include "guest/gles/ggl_names.h"

#include "transport/base/mem.h"

/* Open addressing with linear probing. A removed name leaves a mark, so that probes go on behind
 * it. */
struct ggl_name_slot {
    uint64_t name; /* 0: never used */
    void *value;   /* NULL with a name: removed */
};

static size_t slot_of(const struct ggl_names *names, uint64_t name)
{
    return (size_t)((name * 0x9e3779b97f4a7c15u) >> 32) & (names->capacity - 1);
}

static struct ggl_name_slot *find_slot(const struct ggl_names *names, uint64_t name)
{
    if (names->capacity == 0 || name == 0) {
        return NULL;
    }
    for (size_t i = slot_of(names, name);; i = (i + 1) & (names->capacity - 1)) {
        struct ggl_name_slot *slot = &names->slots[i];
        if (slot->name == name) {
            return slot;
        }
        if (slot->name == 0) {
            return NULL;
        }
    }
}

static void place(struct ggl_names *names, uint64_t name, void *value)
{
    size_t i = slot_of(names, name);
    while (names->slots[i].name != 0) {
        i = (i + 1) & (names->capacity - 1);
    }
    names->slots[i] = (struct ggl_name_slot){.name = name, .value = value};
    names->used++;
    names->count++;
}

/* At most three quarters of the slots are ever used, so that every probe ends. */
static bool make_room(struct ggl_names *names)
{
    if (names->capacity != 0 && (names->used + 1) * 4 <= names->capacity * 3) {
        return true;
    }
    struct ggl_names grown = {.capacity = 16};
    while ((names->count + 1) * 2 > grown.capacity) {
        grown.capacity *= 2;
    }
    grown.slots = sl_alloc_array(grown.capacity, sizeof *grown.slots);
    if (!grown.slots) {
        return false;
    }
    for (size_t i = 0; i < names->capacity; i++) {
        if (names->slots[i].value) {
            place(&grown, names->slots[i].name, names->slots[i].value);
        }
    }
    sl_free(names->slots);
    *names = grown;
    return true;
}

void ggl_names_finish(struct ggl_names *names)
{
    sl_free(names->slots);
    *names = (struct ggl_names){0};
}

void *ggl_names_find(const struct ggl_names *names, uint64_t name)
{
    const struct ggl_name_slot *slot = find_slot(names, name);
    return slot ? slot->value : NULL;
}

bool ggl_names_set(struct ggl_names *names, uint64_t name, void *value)
{
    struct ggl_name_slot *slot = find_slot(names, name);
    if (slot) {
        names->count += slot->value ? 0 : 1;
        slot->value = value;
        return true;
    }
    if (name == 0 || !make_room(names)) {
        return false;
    }
    place(names, name, value);
    return true;
}

void *ggl_names_remove(struct ggl_names *names, uint64_t name)
{
    struct ggl_name_slot *slot = find_slot(names, name);
    if (!slot || !slot->value) {
        return NULL;
    }
    void *value = slot->value;
    slot->value = NULL;
    names->count--;
    return value;
}

void *ggl_names_next(const struct ggl_names *names, size_t *cursor, uint64_t *name)
{
    while (*cursor < names->capacity) {
        const struct ggl_name_slot *slot = &names->slots[(*cursor)++];
        if (slot->value) {
            *name = slot->name;
            return slot->value;
        }
    }
    return NULL;
}
