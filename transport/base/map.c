#include "transport/base/map.h"

#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <stddef.h>
#include <sys/random.h>

struct sl_map_entry {
    void *value; /* NULL: free; `removed`: a hole that a search must step over */
    uint64_t key, space;
};

static const char removed;

/* Pairs of words with a summand each, multiplied, modulo 2^64, of which the high half counts: for a
 * seed that the peer does not know, two keys meet only by chance (pair-multiply-shift, strongly
 * universal). */
static uint32_t start_of(const struct sl_map *map, uint64_t space, uint64_t key)
{
    uint64_t a = (map->seed[0] + (uint32_t)key) * (map->seed[1] + (key >> 32));
    uint64_t b = (map->seed[2] + (uint32_t)space) * (map->seed[3] + (space >> 32));
    return (uint32_t)((a + b + map->seed[4]) >> 32) & (map->capacity - 1);
}

/* Without the kernel's random numbers (a sandbox, a kernel before 3.17): what a peer cannot see of
 * this process. */
static void draw_seed(struct sl_map *map)
{
    if (getrandom(map->seed, sizeof map->seed, GRND_NONBLOCK) == (ssize_t)sizeof map->seed) {
        return;
    }
    uint64_t here = (uintptr_t)map, heap = (uintptr_t)map->entries;
    uint64_t state = sl_clock_ns() ^ here << 20 ^ heap << 40;
    for (size_t i = 0; i < sizeof map->seed / sizeof map->seed[0]; i++) {
        state = (state ^ state >> 31 ^ heap) * 0xbf58476d1ce4e5b9u;
        map->seed[i] = state;
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

static struct sl_map_entry *entry_of(const struct sl_map *map, uint64_t space, uint64_t key)
{
    if (map->capacity == 0) {
        return NULL;
    }
    for (uint32_t i = start_of(map, space, key);; i = (i + 1) & (map->capacity - 1)) {
        struct sl_map_entry *e = &map->entries[i];
        if (e->value == NULL) {
            return NULL;
        }
        if (e->key == key && e->space == space && e->value != &removed) {
            return e;
        }
    }
}

static void place(struct sl_map *map, uint64_t space, uint64_t key, void *value)
{
    uint32_t i = start_of(map, space, key);
    while (map->entries[i].value != NULL && map->entries[i].value != &removed) {
        i = (i + 1) & (map->capacity - 1);
    }
    map->used += map->entries[i].value == NULL;
    map->entries[i] = (struct sl_map_entry){.value = value, .key = key, .space = space};
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
    struct sl_map bigger = *map;
    bigger.capacity = capacity;
    bigger.live = bigger.used = 0;
    bigger.entries = sl_alloc_array(capacity, sizeof *bigger.entries);
    if (bigger.entries == NULL) {
        return SL_ERR_NOMEM;
    }
    if (map->capacity == 0) {
        draw_seed(&bigger);
    }
    for (uint32_t i = 0; i < map->capacity; i++) {
        const struct sl_map_entry *e = &map->entries[i];
        if (e->value != NULL && e->value != &removed) {
            place(&bigger, e->space, e->key, e->value);
        }
    }
    sl_free(map->entries);
    *map = bigger;
    return SL_OK;
}

static enum sl_result add_new(struct sl_map *map, uint64_t space, uint64_t key, void *value)
{
    enum sl_result result = map->live < map->max ? make_space(map) : SL_ERR_NOMEM;
    if (result == SL_OK) {
        place(map, space, key, value);
    }
    return result;
}

enum sl_result sl_map_add_in(struct sl_map *map, uint64_t space, uint64_t key, void *value)
{
    return entry_of(map, space, key) == NULL ? add_new(map, space, key, value) : SL_ERR_INVALID;
}

enum sl_result sl_map_set_in(struct sl_map *map, uint64_t space, uint64_t key, void *value)
{
    struct sl_map_entry *e = entry_of(map, space, key);
    if (e == NULL) {
        return add_new(map, space, key, value);
    }
    e->value = value;
    return SL_OK;
}

void *sl_map_find_in(const struct sl_map *map, uint64_t space, uint64_t key)
{
    const struct sl_map_entry *e = entry_of(map, space, key);
    return e != NULL ? e->value : NULL;
}

void *sl_map_remove_in(struct sl_map *map, uint64_t space, uint64_t key)
{
    struct sl_map_entry *e = entry_of(map, space, key);
    if (e == NULL) {
        return NULL;
    }
    void *value = e->value;
    *e = (struct sl_map_entry){.value = (void *)(uintptr_t)&removed};
    map->live--;
    return value;
}

void *sl_map_next(const struct sl_map *map, uint32_t *cursor, uint64_t *key)
{
    while (*cursor < map->capacity) {
        const struct sl_map_entry *e = &map->entries[(*cursor)++];
        if (e->value == NULL || e->value == &removed) {
            continue;
        }
        if (key != NULL) {
            *key = e->key;
        }
        return e->value;
    }
    return NULL;
}
