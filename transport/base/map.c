#include "transport/base/map.h"

#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <stddef.h>
#include <sys/random.h>

struct sl_map_entry {
    void *value; /* NULL: free when !removed */
    uint32_t key;
    uint32_t removed; /* a hole that a search must step over */
};

/* Multiply and add modulo 2^64, of which the high half counts: for a seed that the peer does not
 * know, two keys meet only by chance (multiply-shift, strongly universal). */
static uint32_t start_of(const struct sl_map *map, uint32_t key)
{
    return (uint32_t)((map->seed[0] * key + map->seed[1]) >> 32) & (map->capacity - 1);
}

/* Without the kernel's random numbers (a sandbox, a kernel before 3.17): what a peer cannot see of
 * this process. */
static void draw_seed(struct sl_map *map)
{
    if (getrandom(map->seed, sizeof map->seed, GRND_NONBLOCK) != (ssize_t)sizeof map->seed) {
        uint64_t here = (uintptr_t)map, heap = (uintptr_t)map->entries;
        map->seed[0] = (sl_clock_ns() ^ here << 20) * 0x9e3779b97f4a7c15u;
        map->seed[1] = (map->seed[0] ^ heap) * 0xbf58476d1ce4e5b9u;
    }
}

void sl_map_init(struct sl_map *map, uint32_t max)
{
    *map = (struct sl_map){.max = max};
}

void sl_map_finish(struct sl_map *map)
{
    sl_free(map->entries);
    *map = (struct sl_map){0};
}

static struct sl_map_entry *entry_of(const struct sl_map *map, uint32_t key)
{
    if (map->capacity == 0) {
        return NULL;
    }
    for (uint32_t i = start_of(map, key);; i = (i + 1) & (map->capacity - 1)) {
        struct sl_map_entry *e = &map->entries[i];
        if (e->value == NULL && !e->removed) {
            return NULL;
        }
        if (e->value != NULL && e->key == key) {
            return e;
        }
    }
}

static void place(struct sl_map *map, uint32_t key, void *value)
{
    uint32_t i = start_of(map, key);
    while (map->entries[i].value != NULL) {
        i = (i + 1) & (map->capacity - 1);
    }
    if (!map->entries[i].removed) {
        map->used++;
    }
    map->entries[i] = (struct sl_map_entry){.value = value, .key = key};
    map->live++;
}

/* At least a quarter of the places stays free of entries and holes, so that every search ends. */
static enum sl_result make_space(struct sl_map *map)
{
    if (map->used + 1 <= map->capacity / 4 * 3) {
        return SL_OK;
    }
    uint32_t capacity = 16;
    while (capacity / 4 * 3 < (map->live + 1) * 2) {
        capacity *= 2;
    }
    struct sl_map bigger = {
        .capacity = capacity, .max = map->max, .seed = {map->seed[0], map->seed[1]}};
    bigger.entries = sl_alloc_array(capacity, sizeof *bigger.entries);
    if (bigger.entries == NULL) {
        return SL_ERR_NOMEM;
    }
    if (map->capacity == 0) {
        draw_seed(&bigger);
    }
    for (uint32_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].value != NULL) {
            place(&bigger, map->entries[i].key, map->entries[i].value);
        }
    }
    sl_free(map->entries);
    *map = bigger;
    return SL_OK;
}

enum sl_result sl_map_add(struct sl_map *map, uint32_t key, void *value)
{
    if (entry_of(map, key) != NULL) {
        return SL_ERR_INVALID;
    }
    if (map->live >= map->max) {
        return SL_ERR_NOMEM;
    }
    enum sl_result result = make_space(map);
    if (result == SL_OK) {
        place(map, key, value);
    }
    return result;
}

void *sl_map_find(const struct sl_map *map, uint32_t key)
{
    const struct sl_map_entry *e = entry_of(map, key);
    return e != NULL ? e->value : NULL;
}

void *sl_map_remove(struct sl_map *map, uint32_t key)
{
    struct sl_map_entry *e = entry_of(map, key);
    if (e == NULL) {
        return NULL;
    }
    void *value = e->value;
    *e = (struct sl_map_entry){.removed = 1};
    map->live--;
    return value;
}

void *sl_map_next(const struct sl_map *map, uint32_t *cursor, uint32_t *key)
{
    while (*cursor < map->capacity) {
        const struct sl_map_entry *e = &map->entries[(*cursor)++];
        if (e->value != NULL) {
            *key = e->key;
            return e->value;
        }
    }
    return NULL;
}
