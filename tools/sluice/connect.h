/* Connecting to a running host as a tool, with the reason said when it does not work; and its live
 * tap, printed. Main thread. */
#ifndef SLUICE_CONNECT_H
#define SLUICE_CONNECT_H

#include "transport/local/local_control.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Both: 0, or the exit code; the reason was said. */

/* The server itself. */
int connect_server(const char *path, struct local_control **out);
/* The server, or by SOCKET@PROCESS the worker of a process. */
int connect_host(const char *path, struct local_control **out);
/* Is it a socket, or SOCKET@PROCESS? */
bool connect_is_socket(const char *path);

struct tap {
    struct local_control *control; /* borrowed; brings packets from now on, and nothing else */
    FILE *out;
    uint64_t printed;
    uint64_t dropped; /* calls that the server could not send because we were too slow */
};

/* From now on the host's calls arrive. */
enum sl_result tap_begin(struct tap *tap, struct local_control *control, FILE *out) SL_MUST_USE;
/* Prints the calls that wait, at most `limit`, a line each; the first is waited for timeout_ns (<
 * 0: for ever). OK, also with nothing; CLOSED the host went; PROTOCOL. */
enum sl_result tap_print(struct tap *tap, uint64_t limit, int64_t timeout_ns) SL_MUST_USE;

#endif
