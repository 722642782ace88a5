/* The local front: the socket's requests become verbs of waist B. `sluice serve` and `sluice run`
 * own one.
 *
 * Listening begins at create, before the device (and its slow native driver) exists: programs that
 * connect early wait for their hello's answer until run. The thread that calls run is the device
 * thread; it makes the device as well. */
#ifndef LOCAL_SERVER_H
#define LOCAL_SERVER_H

#include "transport/base/result.h"
#include "transport/local/local_wire.h"
#include "transport/virtgpu/vgd.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct local_server;

/* Shared with whoever wants a server's numbers without asking. Written by its thread; atomic. */
struct local_counts {
    uint64_t contexts_created, contexts_lost, resource_bytes;
    uint32_t contexts, resources;
    char driver[LOCAL_TEXT]; /* its owner's affair */
};

/* A connection that said hello, which nobody has read yet. */
struct local_arrival {
    int fd; /* borrowed; its reader gets a copy */
    pid_t pid;
    uid_t uid;
    bool is_tool;
    uint32_t process; /* a tool: whose worker it wants */
    const char *name; /* printable */
};

/* For a server without a device: it says who may come and answers tools, and others serve programs.
 * It keeps its descriptor of each connection that it gave away, to see its end. All on the server's
 * thread. */
struct local_router {
    void *user;
    int poll_fd; /* readable: poll has something to do */
    void (*poll)(void *user);
    /* Takes the arrival: *tag says whose it is from now on. A failure is the hello's answer:
     * NOTFOUND: no such process; INVALID: not for this user; NOMEM. */
    enum sl_result (*route)(void *user, const struct local_arrival *arrival, void **tag);
    /* Its end, once, also of those that local_server_drop ends. */
    void (*left)(void *user, void *tag, int fd);
    void (*status)(void *user, struct local_status_reply *reply);
    enum sl_result (*program)(void *user, uint32_t index, struct local_program_reply *reply);
};

/* 0 takes the value in brackets. */
struct local_server_options {
    const char *path;            /* of the socket; a pathname below 108 bytes; copied */
    bool is_fed;                 /* no path: connections come by messages of `feed`, one each */
    int feed;                    /* borrowed; its end ends local_server_run */
    struct local_counts *counts; /* borrowed; nullable */
    const struct local_router *router; /* instead of a device; borrowed; nullable */
    bool any_user;                     /* serve other users too; else only this one and root */
    uint32_t clients;                  /* [4096] connections, tools included */
    uint32_t clients_per_process;      /* [256] */
    uint32_t clients_per_user;         /* [1024] of a user that is neither the server's nor root */
    uint32_t resources;                /* [8192] of one client */
    uint64_t resource_bytes;           /* [2 GiB] of one process, over all its connections */
    uint64_t user_bytes;               /* [2 GiB] of such a user, over all its processes */
    uint32_t fences;                   /* [256] of one client that wait */
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
/* Borrows the device until local_server_destroy; before run. A server with a router has none. */
void local_server_set_device(struct local_server *server, struct vgd *device);
/* Answers what a tool wants in words, on the server's thread: text and reply are terminated; the
 * reply is cut at size. */
typedef void (*local_tool)(void *user, const char *text, char *reply, size_t size);
/* Before run. */
void local_server_set_tool(struct local_server *server, local_tool tool, void *user);
/* Hangs up on every connection of a router's tag. Server thread. */
void local_server_drop(struct local_server *server, const void *tag);
/* Connections of programs, tools not counted. Server thread. */
uint32_t local_server_clients(const struct local_server *server);
/* Serves until stop_fd is readable (borrowed), or the feed ended. OK; IO when the event loop itself
 * fails. On return every client is gone, and what was its own with it. */
enum sl_result local_server_run(struct local_server *server, int stop_fd) SL_MUST_USE;
/* Contexts made for clients since create. Any thread. */
uint64_t local_server_contexts_created(const struct local_server *server);
/* Takes NULL. Removes the socket's file. */
void local_server_destroy(struct local_server *server);

#endif
