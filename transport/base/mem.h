/* Memory: checked allocation, the failing allocator of the tests, and the decode arena. */
#ifndef SL_MEM_H
#define SL_MEM_H

#include "transport/base/result.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, or NULL. size 0 gives a valid pointer. Free with sl_free. Any thread. */
void *sl_alloc(size_t size);
/* count * size with overflow check; zeroed, or NULL. */
void *sl_alloc_array(size_t count, size_t size);
/* Grows or shrinks; new bytes are undefined; NULL leaves the old block. */
void *sl_realloc(void *p, size_t size);
char *sl_strdup(const char *text);
void sl_free(void *p);

/* Tests: the n-th allocation from now on (0 = the next) and all after it fail; UINT64_MAX = never.
 */
void sl_alloc_fail_after(uint64_t n);
/* Tests: blocks given out and not freed. */
uint64_t sl_alloc_live(void);

/* An arena: bump allocation, reset as a whole, with a named maximum. One thread. Blocks are 8-byte
 * aligned. */
struct sl_arena {
    uint8_t *block;           /* current block */
    size_t used;              /* bytes of it given out */
    size_t size;              /* its size */
    size_t total;             /* bytes given out since the last reset, in all blocks */
    size_t max;               /* what total may reach */
    struct sl_arena_old *old; /* full blocks, freed at reset; nullable */
};

void sl_arena_init(struct sl_arena *arena, size_t max);
void sl_arena_finish(struct sl_arena *arena);
/* Everything given out becomes invalid; the largest block is kept. */
void sl_arena_reset(struct sl_arena *arena);
/* Uninitialised bytes, valid until reset; NULL past max or without memory. size 0 gives a valid
 * pointer. */
void *sl_arena_more(struct sl_arena *arena, size_t size);
static inline void *sl_arena_get(struct sl_arena *arena, size_t size)
{
    if (SL_LIKELY(size - 1 < arena->size - arena->used && size <= arena->max - arena->total)) {
        size_t padded = (size + 7) & ~(size_t)7;
        if (padded <= arena->size - arena->used) {
            void *p = arena->block + arena->used;
            arena->used += padded;
            arena->total += padded < arena->max - arena->total ? padded : arena->max - arena->total;
            return p;
        }
    }
    return sl_arena_more(arena, size);
}

#endif
