/* A replay in a process of its own: what a driver's crash takes with it is not the verb. */
#ifndef SLUICE_REPLAY_WORKER_H
#define SLUICE_REPLAY_WORKER_H

#include "tools/sluice/progress.h"

/* In memory that both processes share; atomic. */
struct replay_place {
    uint64_t call; /* stamp of the one that was given last */
    uint64_t frame, run;
};

/* Forks, calls play(user, place) there and returns its exit code. What the worker puts into *place
 * is told by `progress` here. A worker that a signal ends is said with its last call and those
 * before it in the trace at `path`: INTERNAL. The process has one thread. */
int replay_in_worker(const char *path, int (*play)(void *user, struct replay_place *place),
                     void *user, struct progress *progress);

#endif
