/* A map from 64-bit numbers that a peer chose (any value) to pointers. A key lies in a space, so
 * that numbers of several kinds share a map: the functions without `_in` use space 0. Open
 * addressing, grows by doubling; one owner locks it. Where a key lies depends on a seed of the
 * map's own, so that no peer can choose keys that collide. Ids that we choose ourselves belong into
 * a struct sl_table. */
#ifndef SL_MAP_H
#define SL_MAP_H

#include "transport/base/result.h"

#include <stdint.h>

/* Most entries that a map can have. */
#define SL_MAP_MOST (1u << 28)

struct sl_map_entry;

struct sl_map {
    struct sl_map_entry *entries;
    uint32_t capacity; /* power of two, or 0 */
    uint32_t live;
    uint32_t used; /* live and removed ones */
    uint32_t max;
    uint64_t seed[5]; /* drawn with the first entry */
};

/* max: most live entries, at most SL_MAP_MOST. */
void sl_map_init(struct sl_map *map, uint32_t max);
/* The values stay their owner's. */
void sl_map_finish(struct sl_map *map);

/* value: not NULL. INVALID when the key is there; NOMEM at max or without memory. */
enum sl_result sl_map_add_in(struct sl_map *map, uint64_t space, uint64_t key,
                             void *value) SL_MUST_USE;
/* Adds, or puts the value in the place of what is there. value: not NULL. NOMEM as for adding. */
enum sl_result sl_map_set_in(struct sl_map *map, uint64_t space, uint64_t key,
                             void *value) SL_MUST_USE;
/* NULL when the key is not there. */
void *sl_map_find_in(const struct sl_map *map, uint64_t space, uint64_t key);
/* Takes the entry out and returns its value, or NULL. */
void *sl_map_remove_in(struct sl_map *map, uint64_t space, uint64_t key);
/* Walk over all spaces: start with *cursor = 0; NULL at the end. key: nullable. Removing the entry
 * just returned is allowed, adding is not. */
void *sl_map_next(const struct sl_map *map, uint32_t *cursor, uint64_t *key);

SL_MUST_USE static inline enum sl_result sl_map_add(struct sl_map *map, uint64_t key, void *value)
{
    return sl_map_add_in(map, 0, key, value);
}

SL_MUST_USE static inline enum sl_result sl_map_set(struct sl_map *map, uint64_t key, void *value)
{
    return sl_map_set_in(map, 0, key, value);
}

static inline void *sl_map_find(const struct sl_map *map, uint64_t key)
{
    return sl_map_find_in(map, 0, key);
}

static inline void *sl_map_remove(struct sl_map *map, uint64_t key)
{
    return sl_map_remove_in(map, 0, key);
}

#endif
