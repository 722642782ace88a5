/* Handles given to a peer: 32-bit ids into a table with generations, never pointers. One owner
 * locks it.
 *
 * An id is (generation << 20 | index + 1) with the owner's `base` bits on top; a freed id is not
 * found again until its generation wraps. At most 2^20 - 1 live entries, and never more than `max`.
 */
#ifndef SL_TABLE_H
#define SL_TABLE_H

#include "transport/base/result.h"

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
/* Walk: start with *cursor = 0; NULL at the end. Removing the entry just returned is allowed. */
void *sl_table_next(const struct sl_table *table, uint32_t *cursor, uint32_t *kind, uint32_t *id);

#endif
