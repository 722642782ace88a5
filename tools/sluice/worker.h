/* A worker: a host for one program, which `sluice serve --isolate` starts and feeds with the
 * program's connections. The other side is workers.h. */
#ifndef SLUICE_WORKER_H
#define SLUICE_WORKER_H

#include "tools/sluice/opt.h"
#include "transport/base/result.h"
#include "transport/local/local_server.h"
#include "transport/virtgpu/vgd.h"

#include <sys/types.h>

/* --- where workers are started --- */

#define WORKER_FD 3 /* the feed, in a worker; it has no other descriptor but 0, 1 and 2 */

/* The command line of all workers: serve's own, less what is the server's alone. */
struct worker_command {
    char *argv[2 * OPT_MAX + 8];
    size_t count;
    char *names[OPT_MAX]; /* "--name", owned */
    size_t name_count;
};
/* skipped: indices of options that workers do not get, ended by -1. NOMEM. */
enum sl_result worker_command_make(struct worker_command *command, const struct opt_set *set,
                                   const int *skipped) SL_MUST_USE;
void worker_command_free(struct worker_command *command);
/* workers_options.start; user: struct worker_command. */
enum sl_result worker_start_process(void *user, int feed, pid_t *pid);

/* --- in a worker --- */

struct worker_host {
    int feed;
    struct local_counts *counts;
};
/* memory: most bytes that the process may take for itself from now on; 0: as many as there are.
 * is_jailed: it gives up what a driver does not need. Returns an exit code; the reason was said. */
int worker_begin(struct worker_host *worker, int feed, uint64_t memory, bool is_jailed);
/* The device is there. */
enum sl_result worker_ready(struct worker_host *worker, struct vgd *device) SL_MUST_USE;

#endif
