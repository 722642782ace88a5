/* A server's workers: a process for each program that connects, and one in reserve, so that a
 * driver that crashes or hangs takes one program along. This is the side that starts them; worker.h
 * is theirs. One thread: the server's.
 *
 * Nothing that a worker says is trusted: it may write numbers to a page that shows them, and one
 * word that it is ready. Connections are counted by what the kernel says of them. */
#ifndef SLUICE_WORKERS_H
#define SLUICE_WORKERS_H

#include "transport/base/result.h"
#include "transport/local/local_server.h"

#include <stdint.h>
#include <sys/types.h>

struct workers;

struct workers_options {
    /* Starts a process that takes `feed` (borrowed) as worker_begin expects it. Gives its number.
     */
    enum sl_result (*start)(void *user, int feed, pid_t *pid);
    void *user;
    /* Of one user that is neither the server's nor root; 0: as many as there are. Who has so many
     * programs, or so much memory with all of them, gets no further program. Whether a worker tells
     * the truth of its memory is left to what it may have at all. */
    uint32_t programs_per_user;
    uint64_t user_bytes;
};

enum sl_result workers_create(const struct workers_options *options,
                              struct workers **out) SL_MUST_USE;
/* Borrowed; for the server's options. */
const struct local_router *workers_router(const struct workers *workers);
/* Before local_server_run; borrows the server. */
void workers_set_server(struct workers *workers, struct local_server *server);
/* Starts the first worker and waits until it can draw: *driver (borrowed) is what draws. CLOSED:
 * stop_fd was readable before; UNSUPPORTED: it ended, *code is its exit code. */
enum sl_result workers_begin(struct workers *workers, int stop_fd, const char **driver,
                             int *code) SL_MUST_USE;
/* Contexts made by all so far. */
uint64_t workers_contexts_created(const struct workers *workers);
/* Ends all of them: they are asked to, and killed after two seconds. */
void workers_end(struct workers *workers);
void workers_destroy(struct workers *workers); /* takes NULL; after workers_end */

#endif
