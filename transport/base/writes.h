/* Which of its pages a process writes to, told by the kernel: asynchronous write protection
 * (userfaultfd) and a look at the page tables (PAGEMAP_SCAN), Linux 6.7 and later.
 *
 * The process opens two descriptors and gives them to somebody whom it lets see and protect its
 * pages: its own user's host. Nothing is sent, and no signal ever comes: the first write to a page
 * after a look costs a fault, which the kernel settles by itself (1 us). Not seen: writes of other
 * processes that map the same memory, children of fork among them. Any thread. */
#ifndef SL_WRITES_H
#define SL_WRITES_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

/* Of this process: gives a userfaultfd and its page map. UNSUPPORTED: not on this kernel, or not
 * for this process; one whose system calls are filtered is not tried. */
enum sl_result sl_writes_open(int fds[2]) SL_MUST_USE;
/* Whether this kernel has it. */
bool sl_writes_exist(void);

struct sl_writes;

/* What sl_writes_open gave. Takes both. INVALID: they are something else; NOMEM. */
enum sl_result sl_writes_create(int fds[2], struct sl_writes **out) SL_MUST_USE;
struct sl_writes *sl_writes_ref(struct sl_writes *writes);
/* Takes NULL. */
void sl_writes_unref(struct sl_writes *writes);

/* Addresses are the process's, sizes whole pages. What is written from now on will be told. IO: it
 * has no such mapping, or is gone. */
enum sl_result sl_writes_begin(struct sl_writes *writes, uint64_t address,
                               uint64_t size) SL_MUST_USE;
void sl_writes_end(struct sl_writes *writes, uint64_t address, uint64_t size);

struct sl_written {
    uint64_t begin, end;
    uint64_t categories; /* the kernel's */
};
/* What was written in [*at, end) since it was told last, at most `max` ranges, in order; *at
 * becomes where to go on, `end` after the last. IO: not all of it has begun, the mapping is gone or
 * another one by now, or the process is gone. */
enum sl_result sl_writes_next(struct sl_writes *writes, uint64_t *at, uint64_t end,
                              struct sl_written *ranges, uint32_t max, uint32_t *count) SL_MUST_USE;

#endif
