/* Handles given to a peer: 32-bit ids into a table with generations, never pointers. One owner
 * locks it.
 *
 * An id is (generation << 20 | index + 1) with the owner's `base` bits on top; a freed id is not
 * found again until its generation wraps. At most 2^20 - 1 live entries, and never more than `max`.
 */
#ifndef SL_TABLE_H
#define SL_TABLE_H

#include "transport/base/result.h"

#include <stddef.h>
#include <stdint.h>

struct sl_table_slot;

struct sl_table {
    struct sl_table_slot *slots;
    uint32_t count; /* slots in use or free, allocated so far */
    uint32_t capacity;
    uint32_t live;
    uint32_t first_free; /* index + 1, 0 none */
    uint32_t max;
    uint32_t base; /* or'ed into every id */
};

/* max: most live entries. base: bits set in every id, above bit 30 or zero. */
void sl_table_init(struct sl_table *table, uint32_t max, uint32_t base);
void sl_table_finish(struct sl_table *table);
/* kind: a small number that find() must match. value: not NULL. NOMEM at max or without memory. */
enum sl_result sl_table_add(struct sl_table *table, uint32_t kind, void *value,
                            uint32_t *id) SL_MUST_USE;
/* The value, or NULL when the id is unknown, stale or of another kind. */
void *sl_table_find(const struct sl_table *table, uint32_t kind, uint32_t id);
/* Takes the entry out and returns its value, or NULL. */
void *sl_table_remove(struct sl_table *table, uint32_t kind, uint32_t id);
/* A table is brought back: the same entries under the same ids, and the same ids for what is added
 * next. add_at: INVALID when the id is not of this table or its place is taken; places below it
 * that hold nothing wait for set_shape. */
enum sl_result sl_table_add_at(struct sl_table *table, uint32_t kind, void *value,
                               uint32_t id) SL_MUST_USE;
/* What the table knows besides its entries, for set_shape: {number of places, generation of each
 * that is free or 0, places that are free in the order in which they will be taken}. Returns how
 * many words there are in all, and writes them when they are at most `max`. */
size_t sl_table_shape(const struct sl_table *table, uint32_t *words, size_t max);
/* INVALID: not of the entries that are there, or not whole; nothing changed. NOMEM. */
enum sl_result sl_table_set_shape(struct sl_table *table, const uint32_t *words,
                                  size_t count) SL_MUST_USE;
/* Walk: start with *cursor = 0; NULL at the end. Removing the entry just returned is allowed. */
void *sl_table_next(const struct sl_table *table, uint32_t *cursor, uint32_t *kind, uint32_t *id);

#endif
