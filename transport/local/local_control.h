/* A tool's view of a running server: status, ring counters and the live tap. One thread for each
 * connection. */
#ifndef LOCAL_CONTROL_H
#define LOCAL_CONTROL_H

#include "transport/local/local_wire.h"

struct local_control;

/* Results as local_link_open. */
enum sl_result local_control_open(const char *path, struct local_control **out) SL_MUST_USE;
/* The worker of a process, of a server that has workers (status.isolates). NOTFOUND: none is that
 * process's; INVALID: it is another user's. */
enum sl_result local_control_open_worker(const char *path, uint32_t process,
                                         struct local_control **out) SL_MUST_USE;
void local_control_close(struct local_control *control); /* takes NULL */
enum sl_result local_control_status(struct local_control *control,
                                    struct local_status_reply *out) SL_MUST_USE;
/* Ring `index` of all the server's rings; NOTFOUND past the last. */
enum sl_result local_control_ring(struct local_control *control, uint32_t index,
                                  struct local_ring_reply *out) SL_MUST_USE;

/* Program `index` of a server with workers; NOTFOUND past the last. */
enum sl_result local_control_program(struct local_control *control, uint32_t index,
                                     struct local_program_reply *out) SL_MUST_USE;

/* A wish in words, as the host knows them; reply: terminated, cut at size. INVALID: we are not the
 * host's user. */
enum sl_result local_control_tool(struct local_control *control, const char *text, char *reply,
                                  size_t size) SL_MUST_USE;

/* From now on the connection brings packets and nothing else may be asked on it. */
enum sl_result local_control_tap(struct local_control *control) SL_MUST_USE;
/* The next packet: *head, and the bytes of packet and reply that were sent along, borrowed until
 * the next call. timeout_ns < 0: for ever. TIMEOUT; CLOSED the server went; PROTOCOL. */
enum sl_result local_control_packet(struct local_control *control, int64_t timeout_ns,
                                    struct local_packet *head, const void **packet,
                                    const void **reply) SL_MUST_USE;
/* Readable when a packet waits; borrowed. */
int local_control_fd(const struct local_control *control);

#endif
