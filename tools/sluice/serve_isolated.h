/* `sluice serve --isolate`: a server of workers. */
#ifndef SLUICE_SERVE_ISOLATED_H
#define SLUICE_SERVE_ISOLATED_H

#include "tools/sluice/host.h"
#include "tools/sluice/worker.h"

/* As host_serve, with a process for each program: options->device and what is recorded are theirs.
 */
int serve_isolated(const struct host_options *options, struct worker_command *command, int stop_fd,
                   int status_fd);

#endif
