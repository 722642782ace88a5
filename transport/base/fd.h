/* Descriptors: close-on-exec from birth. A taken descriptor is never used again by the giver. Any
 * thread. */
#ifndef SL_FD_H
#define SL_FD_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

/* Closes *fd when it is >= 0 and sets it to -1. Keeps errno. */
void sl_fd_close(int *fd);
enum sl_result sl_fd_dup(int fd, int *copy) SL_MUST_USE;
/* A non-blocking eventfd with value 0. */
enum sl_result sl_fd_event(int *fd) SL_MUST_USE;
/* Adds 1; drains to 0 and says what was there. Neither blocks. */
void sl_fd_signal(int fd);
uint64_t sl_fd_drain(int fd);
/* Waits until fd is readable. timeout_ns < 0: for ever. OK, TIMEOUT, CLOSED on hang-up without
 * data, IO. */
enum sl_result sl_fd_wait(int fd, int64_t timeout_ns) SL_MUST_USE;
/* The same, but OK as well when `other` has something to say (-1: never). */
enum sl_result sl_fd_wait_two(int fd, int other, int64_t timeout_ns) SL_MUST_USE;

#endif
