#include "host/device/dev.h"

#include "transport/base/mem.h"

/* Fibonacci hashing: ids are small and dense, a mask alone would cluster. */
static uint32_t slot_of(uint32_t id, uint32_t capacity)
{
    return (uint32_t)(id * 2654435769u) & (capacity - 1);
}

void dev_map_finish(struct dev_map *map)
{
    sl_free(map->slots);
    *map = (struct dev_map){0};
}

static struct dev_map_slot *find_slot(const struct dev_map *map, uint32_t id)
{
    if (map->capacity == 0 || id == 0) {
        return NULL;
    }
    for (uint32_t i = slot_of(id, map->capacity);; i = (i + 1) & (map->capacity - 1)) {
        if (map->slots[i].id == id) {
            return &map->slots[i];
        }
        if (map->slots[i].id == 0) {
            return NULL; /* reached: at most half of the slots are used */
        }
    }
}

void *dev_map_find(const struct dev_map *map, uint32_t id)
{
    const struct dev_map_slot *slot = find_slot(map, id);
    return slot != NULL ? slot->value : NULL;
}

static void put(struct dev_map_slot *slots, uint32_t capacity, uint32_t id, void *value)
{
    uint32_t i = slot_of(id, capacity);
    while (slots[i].id != 0) {
        i = (i + 1) & (capacity - 1);
    }
    slots[i] = (struct dev_map_slot){.id = id, .value = value};
}

enum sl_result dev_map_add(struct dev_map *map, uint32_t id, void *value)
{
    if (map->count >= map->capacity / 2) {
        uint32_t capacity = map->capacity != 0 ? map->capacity * 2 : 16;
        struct dev_map_slot *slots = sl_alloc_array(capacity, sizeof *slots);
        if (slots == NULL) {
            return SL_ERR_NOMEM;
        }
        for (uint32_t i = 0; i < map->capacity; i++) {
            if (map->slots[i].id != 0) {
                put(slots, capacity, map->slots[i].id, map->slots[i].value);
            }
        }
        sl_free(map->slots);
        map->slots = slots;
        map->capacity = capacity;
    }
    put(map->slots, map->capacity, id, value);
    map->count++;
    return SL_OK;
}

void *dev_map_remove(struct dev_map *map, uint32_t id)
{
    struct dev_map_slot *slot = find_slot(map, id);
    if (slot == NULL) {
        return NULL;
    }
    void *value = slot->value;
    slot->id = 0;
    map->count--;
    /* What follows in the run may have been pushed past its place: move it into the gap where that brings it nearer to its place. */
    uint32_t gap = (uint32_t)(slot - map->slots);
    uint32_t mask = map->capacity - 1;
    for (uint32_t i = (gap + 1) & mask; map->slots[i].id != 0; i = (i + 1) & mask) {
        uint32_t home = slot_of(map->slots[i].id, map->capacity);
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            map->slots[gap] = map->slots[i];
            map->slots[i].id = 0;
            gap = i;
        }
    }
    return value;
}

void *dev_map_any(const struct dev_map *map, uint32_t *cursor)
{
    /* Removal moves entries only backwards in a run, or round the end: start again from 0 once, when nothing is left ahead. */
    for (uint32_t round = 0; round < 2 && map->count != 0; round++) {
        for (; *cursor < map->capacity; ++*cursor) {
            if (map->slots[*cursor].id != 0) {
                return map->slots[*cursor].value;
            }
        }
        *cursor = 0;
    }
    return NULL;
}
