/* Shared memory: sealed memfds, so that no peer can shrink a mapping under us. Any thread. */
#ifndef SL_SHM_H
#define SL_SHM_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

/* A zeroed memfd of `size` bytes (rounded up to pages), close-on-exec, sealed against shrinking and
 * growing. Gives *fd. */
enum sl_result sl_shm_create(const char *name, uint64_t size, int *fd) SL_MUST_USE;
/* Maps [0, size) read-write, shared. PROTOCOL when fd is no memfd sealed against shrinking, or
 * smaller than size: a foreign file could be cut under the mapping. Borrows fd. */
enum sl_result sl_shm_map(int fd, uint64_t size, void **mapping) SL_MUST_USE;
/* A place for it: [size) of addresses where nothing is yet. Goes by sl_shm_unmap. */
enum sl_result sl_shm_reserve(uint64_t size, void **place) SL_MUST_USE;
/* As sl_shm_map, there. A failure leaves it reserved. */
enum sl_result sl_shm_map_at(int fd, uint64_t size, void *place) SL_MUST_USE;
void sl_shm_unmap(void *mapping, uint64_t size);
/* Is fd a memfd sealed against shrinking, of at least size bytes? */
bool sl_shm_is_safe(int fd, uint64_t size);

#endif
