/* A virtual machine's device, from outside: what `sluice device` answers to the tools. Main thread.
 */
#ifndef SLUICE_MACHINE_H
#define SLUICE_MACHINE_H

#include "tools/sluice/exit.h"
#include "transport/base/result.h"
#include "transport/vhost/vhost_control_wire.h"

#include <stddef.h>

/* The tools' socket of the device that listens at `path` for its machine. Gives *fd. Returns an
 * exit code; the reason was said. */
int machine_connect(const char *path, int *fd);
/* Asks and waits. verb, scanout_id and what belongs to the verb are the caller's. fd: nullable;
 * gives a descriptor, or -1. Returns an exit code, OK also when reply->result is an error that the
 * caller knows better to explain. */
int machine_ask(int socket, const char *path, struct vhost_control_request *request,
                struct vhost_control_reply *reply, int *fd);
/* VHOST_CONTROL_TOOL; reply: terminated, cut at size. INVALID: we are not the device's user. */
enum sl_result machine_ask_tool(int socket, const char *text, char *reply, size_t size);
/* VHOST_CONTROL_STATS. Returns an exit code; the reason was said. */
int machine_ask_stats(int socket, const char *path, struct vhost_control_stats *out);

#endif
