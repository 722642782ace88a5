#include "transport/base/table.h"
#include "transport/base/mem.h"

#include <stdbool.h>
#include <stddef.h>

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
