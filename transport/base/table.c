#include "transport/base/table.h"
#include "transport/base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define INDEX_BITS      20u
#define INDEX_MASK      ((1u << INDEX_BITS) - 1u)
#define GENERATION_BITS 10u
#define GENERATION_MASK ((1u << GENERATION_BITS) - 1u)
#define ID_MASK         ((1u << (INDEX_BITS + GENERATION_BITS)) - 1u)
#define FIRST_CAPACITY  16u

struct sl_table_slot {
    void *value; /* NULL: free */
    uint32_t kind;
    uint32_t generation;
    uint32_t next_free; /* index + 1, 0 none */
};

void sl_table_init(struct sl_table *table, uint32_t max, uint32_t base)
{
    *table = (struct sl_table){.max = max < INDEX_MASK ? max : INDEX_MASK, .base = base & ~ID_MASK};
}

void sl_table_finish(struct sl_table *table)
{
    sl_free(table->slots);
    *table = (struct sl_table){0};
}

static bool grow(struct sl_table *table)
{
    uint32_t capacity = table->capacity != 0 ? table->capacity * 2 : FIRST_CAPACITY;
    struct sl_table_slot *slots = sl_realloc(table->slots, capacity * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

static uint32_t id_of(const struct sl_table *table, uint32_t index)
{
    return table->base | table->slots[index].generation << INDEX_BITS | (index + 1);
}

enum sl_result sl_table_add(struct sl_table *table, uint32_t kind, void *value, uint32_t *id)
{
    if (value == NULL) {
        return SL_ERR_INVALID;
    }
    if (table->live >= table->max) {
        return SL_ERR_NOMEM;
    }
    uint32_t index;
    if (table->first_free != 0) {
        index = table->first_free - 1;
        table->first_free = table->slots[index].next_free;
    } else {
        if (table->count == table->capacity && !grow(table)) {
            return SL_ERR_NOMEM;
        }
        index = table->count++;
        table->slots[index].generation = 0;
    }
    struct sl_table_slot *slot = &table->slots[index];
    slot->value = value;
    slot->kind = kind;
    slot->next_free = 0;
    table->live++;
    *id = id_of(table, index);
    return SL_OK;
}

static struct sl_table_slot *find_slot(const struct sl_table *table, uint32_t kind, uint32_t id)
{
    uint32_t index = (id & INDEX_MASK) - 1; /* 0 wraps past every count */
    if (index >= table->count || table->slots[index].value == NULL ||
        table->slots[index].kind != kind || id_of(table, index) != id) {
        return NULL;
    }
    return &table->slots[index];
}

void *sl_table_find(const struct sl_table *table, uint32_t kind, uint32_t id)
{
    struct sl_table_slot *slot = find_slot(table, kind, id);
    return slot != NULL ? slot->value : NULL;
}

void *sl_table_remove(struct sl_table *table, uint32_t kind, uint32_t id)
{
    struct sl_table_slot *slot = find_slot(table, kind, id);
    if (slot == NULL) {
        return NULL;
    }
    void *value = slot->value;
    slot->value = NULL;
    slot->generation = (slot->generation + 1) & GENERATION_MASK;
    slot->next_free = table->first_free;
    table->first_free = (uint32_t)(slot - table->slots) + 1;
    table->live--;
    return value;
}

void *sl_table_next(const struct sl_table *table, uint32_t *cursor, uint32_t *kind, uint32_t *id)
{
    while (*cursor < table->count) {
        uint32_t index = (*cursor)++;
        const struct sl_table_slot *slot = &table->slots[index];
        if (slot->value != NULL) {
            *kind = slot->kind;
            *id = id_of(table, index);
            return slot->value;
        }
    }
    return NULL;
}

/* --- brought back --- */

/* Room for `count` places; new ones are empty and in no list. */
static bool grow_to(struct sl_table *table, uint32_t count)
{
    while (table->capacity < count) {
        if (!grow(table)) {
            return false;
        }
    }
    while (table->count < count) {
        table->slots[table->count++] = (struct sl_table_slot){0};
    }
    return true;
}

/* The list of free places is given up where one of it is taken out of its order: set_shape makes
 * the right one. */
static void unlist(struct sl_table *table, uint32_t index)
{
    uint32_t *link = &table->first_free;
    while (*link != 0 && *link - 1 != index) {
        link = &table->slots[*link - 1].next_free;
    }
    if (*link != 0) {
        *link = table->slots[index].next_free;
    }
}

enum sl_result sl_table_add_at(struct sl_table *table, uint32_t kind, void *value, uint32_t id)
{
    uint32_t index = (id & INDEX_MASK) - 1;
    if (value == NULL || index >= table->max || (id & ~ID_MASK) != table->base ||
        (index < table->count && table->slots[index].value != NULL)) {
        return SL_ERR_INVALID;
    }
    if (table->live >= table->max || !grow_to(table, index + 1)) {
        return SL_ERR_NOMEM;
    }
    unlist(table, index);
    table->slots[index] = (struct sl_table_slot){
        .value = value, .kind = kind, .generation = (id & ID_MASK) >> INDEX_BITS};
    table->live++;
    return SL_OK;
}

size_t sl_table_shape(const struct sl_table *table, uint32_t *words, size_t max)
{
    size_t all = 1 + (size_t)table->count;
    for (uint32_t next = table->first_free; next != 0; next = table->slots[next - 1].next_free) {
        all++;
    }
    if (all > max) {
        return all;
    }
    *words++ = table->count;
    for (uint32_t i = 0; i < table->count; i++) {
        *words++ = table->slots[i].value == NULL ? table->slots[i].generation : 0;
    }
    for (uint32_t next = table->first_free; next != 0; next = table->slots[next - 1].next_free) {
        *words++ = next - 1;
    }
    return all;
}

/* Is every place that the words free once in the list, and empty here? */
static bool shape_fits(const struct sl_table *table, const uint32_t *words, size_t count)
{
    if (count < 1 || words[0] > table->max || count - 1 < words[0]) {
        return false;
    }
    size_t listed = count - 1 - words[0];
    const uint32_t *list = words + 1 + words[0];
    uint8_t *seen = sl_alloc((size_t)words[0] + 1);
    bool fits = seen != NULL && listed + table->live == words[0];
    if (seen != NULL) {
        memset(seen, 0, (size_t)words[0] + 1);
    }
    for (size_t i = 0; fits && i < listed; i++) {
        bool here = list[i] < table->count && table->slots[list[i]].value != NULL;
        fits = list[i] < words[0] && !here && seen[list[i]]++ == 0;
    }
    sl_free(seen);
    return fits;
}

enum sl_result sl_table_set_shape(struct sl_table *table, const uint32_t *words, size_t count)
{
    if (!shape_fits(table, words, count)) {
        return SL_ERR_INVALID;
    }
    for (uint32_t i = words[0]; i < table->count; i++) {
        if (table->slots[i].value != NULL) {
            return SL_ERR_INVALID;
        }
    }
    if (!grow_to(table, words[0])) {
        return SL_ERR_NOMEM;
    }
    table->count = words[0];
    table->first_free = 0;
    const uint32_t *list = words + 1 + words[0];
    for (size_t i = count - 1 - words[0]; i > 0; i--) { /* the last first: each is put before it */
        uint32_t index = list[i - 1];
        table->slots[index].generation = words[1 + index] & GENERATION_MASK;
        table->slots[index].next_free = table->first_free;
        table->first_free = index + 1;
    }
    return SL_OK;
}
