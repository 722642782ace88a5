#include "transport/base/mem.h"
#include "transport/base/arith.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 4096u

/* Test hooks: how many allocations may still succeed (UINT64_MAX: all), and blocks not yet freed.
 */
static uint64_t allowed = UINT64_MAX;
static uint64_t live;

/* Counters only: nothing is ordered by them. */
static bool may_allocate(void)
{
    uint64_t left = __atomic_load_n(&allowed, __ATOMIC_RELAXED);
    while (left != UINT64_MAX) {
        if (left == 0) {
            return false;
        }
        if (__atomic_compare_exchange_n(&allowed, &left, left - 1, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return true;
}

static void *count_block(void *p)
{
    if (p != NULL) {
        __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
    }
    return p;
}

/* calloc goes past malloc's cache of small blocks, which is what most of ours are. */
#define SMALL 1024u

static void *zeroed(size_t size)
{
    if (size > SMALL) {
        return calloc(1, size);
    }
    void *p = malloc(size != 0 ? size : 1);
    return p != NULL ? memset(p, 0, size) : NULL;
}

void *sl_alloc(size_t size)
{
    return may_allocate() ? count_block(zeroed(size)) : NULL;
}

void *sl_alloc_array(size_t count, size_t size)
{
    size_t total;
    return sl_mul_size(count, size, &total) ? sl_alloc(total) : NULL;
}

void *sl_realloc(void *p, size_t size)
{
    if (!may_allocate()) {
        return NULL;
    }
    void *grown = realloc(p, size != 0 ? size : 1);
    return p == NULL ? count_block(grown) : grown;
}

char *sl_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = sl_alloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void sl_free(void *p)
{
    if (p != NULL) {
        __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
        free(p);
    }
}

void sl_alloc_fail_after(uint64_t n)
{
    __atomic_store_n(&allowed, n, __ATOMIC_RELAXED);
}

uint64_t sl_alloc_live(void)
{
    return __atomic_load_n(&live, __ATOMIC_RELAXED);
}

/* Stands in front of every arena block; its size keeps the block aligned. */
struct sl_arena_old {
    struct sl_arena_old *next;
    uint64_t unused;
};

static struct sl_arena_old *header_of(uint8_t *block)
{
    return (struct sl_arena_old *)(void *)(block - sizeof(struct sl_arena_old));
}

static void free_old(struct sl_arena *arena)
{
    while (arena->old != NULL) {
        struct sl_arena_old *next = arena->old->next;
        sl_free(arena->old);
        arena->old = next;
    }
}

void sl_arena_init(struct sl_arena *arena, size_t max)
{
    *arena = (struct sl_arena){.max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4};
}

void sl_arena_finish(struct sl_arena *arena)
{
    free_old(arena);
    if (arena->block != NULL) {
        sl_free(header_of(arena->block));
    }
    *arena = (struct sl_arena){0};
}

void sl_arena_reset(struct sl_arena *arena)
{
    free_old(
        arena); /* the current block is the largest: each one made is larger than the one before */
    arena->used = 0;
    arena->total = 0;
}

void *sl_arena_more(struct sl_arena *arena, size_t size)
{
    static uint64_t nothing; /* what no bytes point to */
    if (size == 0) {
        return &nothing;
    }
    if (size > arena->max - arena->total) {
        return NULL;
    }
    size_t padded = sl_round_up(size, 8);
    /* A block of the maximum holds all that may be given out, so the current one is smaller than
     * that. */
    size_t largest = sl_round_up(arena->max, 8);
    size_t want = arena->size != 0 ? arena->size * 2 : FIRST_BLOCK;
    want = want < largest ? want : largest;
    want = want > padded ? want : padded;
    struct sl_arena_old *made = sl_realloc(NULL, sizeof *made + want);
    if (made == NULL) {
        return NULL;
    }
    if (arena->block != NULL) {
        struct sl_arena_old *full = header_of(arena->block);
        full->next = arena->old;
        arena->old = full;
    }
    arena->block = (uint8_t *)made + sizeof *made;
    arena->size = want;
    arena->used = padded;
    arena->total += padded < arena->max - arena->total ? padded : arena->max - arena->total;
    return arena->block;
}
