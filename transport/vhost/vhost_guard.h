/* Memory that its owner can cut under us: guest memory is the front end's file, unsealed.
 *
 * A touch beyond the end of the file raises SIGBUS. The handler puts zeroed private memory in place
 * of the whole mapping and notes it; the owner asks afterwards. The one piece of process-wide state
 * of this room, as a signal handler must be: a fixed table, any thread. */
#ifndef VHOST_GUARD_H
#define VHOST_GUARD_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VHOST_GUARDS 2048u

/* Watches a mapping that the calling thread uses, from now on; the first call installs the handler.
 * Gives *guard. NOMEM: the
 * table is full; IO: no handler can be set. */
enum sl_result vhost_guard_add(void *base, size_t size, uint32_t *guard) SL_MUST_USE;
/* Before the munmap. */
void vhost_guard_remove(uint32_t guard);
/* Was it cut? */
bool vhost_guard_hit(uint32_t guard);

#endif
