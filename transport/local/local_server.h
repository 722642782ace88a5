/* The local front: the socket's requests become verbs of waist B. `sluice serve` and `sluice run`
 * own one.
 *
 * Listening begins at create, before the device (and its slow native driver) exists: programs that
 * connect early wait for their hello's answer until run. The thread that calls run is the device
 * thread; it makes the device as well. */
#ifndef LOCAL_SERVER_H
#define LOCAL_SERVER_H

#include "transport/base/result.h"
#include "transport/virtgpu/vgd.h"

#include <stdbool.h>
#include <stdint.h>

struct local_server;

/* 0 takes the value in brackets. */
struct local_server_options {
    const char *path;             /* of the socket; a pathname below 108 bytes; copied */
    bool any_user;                /* serve other users too; else only this one and root */
    uint32_t clients;             /* [4096] connections, tools included */
    uint32_t clients_per_process; /* [256] */
    uint32_t resources;           /* [8192] of one client */
    uint64_t resource_bytes;      /* [2 GiB] of one client */
    uint32_t fences;              /* [256] of one client that wait */
    void *user;
    void (*clients_changed)(
        void *user, uint32_t clients); /* on the server's thread; tools are not counted; nullable */
};

/* Listens. INVALID: the path cannot be one, or somebody serves it; IO; NOMEM. Logged with the
 * reason. */
enum sl_result local_server_create(const struct local_server_options *options,
                                   struct local_server **out) SL_MUST_USE;
/* What to hand to the device's constructor. The server outlives the device. */
struct vgd_sink local_server_sink(struct local_server *server);
/* Borrows the device until local_server_destroy; before run. */
void local_server_set_device(struct local_server *server, struct vgd *device);
/* Answers what a tool wants in words, on the server's thread: text and reply are terminated; the
 * reply is cut at size. */
typedef void (*local_tool)(void *user, const char *text, char *reply, size_t size);
/* Before run. */
void local_server_set_tool(struct local_server *server, local_tool tool, void *user);
/* Serves until stop_fd is readable (borrowed). OK; IO when the event loop itself fails. On return
 * every client is gone, and what was its own with it. */
enum sl_result local_server_run(struct local_server *server, int stop_fd) SL_MUST_USE;
/* Contexts made for clients since create. Any thread. */
uint64_t local_server_contexts_created(const struct local_server *server);
/* Takes NULL. Removes the socket's file. */
void local_server_destroy(struct local_server *server);

#endif
