/* A replay in a process of its own: what a driver's crash takes with it is not the verb. */
#ifndef SLUICE_REPLAY_WORKER_H
#define SLUICE_REPLAY_WORKER_H

#include <stdint.h>

/* Forks, calls play(user, last) there and returns its exit code. *last: in memory that both share;
 * the worker puts the stamp of the call there that it gave last. A worker that a signal ends is
 * said with that call and those before it in the trace at `path`: INTERNAL. The process has one
 * thread. */
int replay_in_worker(const char *path, int (*play)(void *user, uint64_t *last), void *user);

#endif
