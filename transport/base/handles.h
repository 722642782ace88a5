/* The handles of one namespace that several threads add to: a table, its lock, and the handle that
 * comes next while the namespace is brought back from a snapshot.
 *
 * Who uses it: host/object and host/surface, who also keep under the lock what belongs to their
 * entries. Any thread. */
#ifndef SL_HANDLES_H
#define SL_HANDLES_H

#include "transport/base/table.h"

#include <pthread.h>

struct sl_handles {
    pthread_mutex_t lock; /* guards what follows, and what the owner says */
    struct sl_table ids;
    uint32_t next; /* the handle of the next entry that is added; 0: any */
};

/* max, base: see sl_table_init. */
void sl_handles_init(struct sl_handles *handles, uint32_t max, uint32_t base);
void sl_handles_finish(struct sl_handles *handles);
/* sl_table_add, or sl_table_add_at where set_next said a handle. */
enum sl_result sl_handles_add_locked(struct sl_handles *handles, uint32_t kind, void *value,
                                     uint32_t *id) SL_MUST_USE;
/* A namespace is brought back, see sl_table_add_at: the next entry, and no other, gets this handle;
 * set_shape then has the free places come as they would have. */
void sl_handles_set_next(struct sl_handles *handles, uint32_t id);
size_t sl_handles_shape(struct sl_handles *handles, uint32_t *words, size_t max);
enum sl_result sl_handles_set_shape(struct sl_handles *handles, const uint32_t *words,
                                    size_t count) SL_MUST_USE;

#endif
