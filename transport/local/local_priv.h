/* The local server inside: what its files share.
 *
 * Server thread: everything, except what struct local_shared guards. */
#ifndef LOCAL_PRIV_H
#define LOCAL_PRIV_H

#include "transport/base/list.h"
#include "transport/base/sock.h"
#include "transport/base/table.h"
#include "transport/base/writes.h"
#include "transport/local/local_server.h"
#include "transport/local/local_wire.h"
#include "transport/virtgpu/vgd_fences.h"

#include <pthread.h>
#include <sys/types.h>

#define LOCAL_KIND_RESOURCE 1u /* kind in the table of resources */

/* Any request. */
union local_message {
    struct local_request head;
    struct local_hello hello;
    struct local_caps caps;
    struct local_ctx_init ctx_init;
    struct local_blob_create blob_create;
    struct local_tex_create tex_create;
    struct local_res_import res_import;
    struct local_res res;
    struct local_res_map res_map;
    struct local_res_transfer res_transfer;
    struct local_submit submit;
    struct local_ring ring;
    struct local_program program;
    uint8_t bytes[LOCAL_MAX_MESSAGE];
};

/* A reply on its way: the body, and at most one descriptor. */
struct local_answer {
    union {
        struct local_reply head;
        struct local_hello_reply hello;
        struct local_caps_reply caps;
        struct local_res_reply res;
        struct local_map_reply map;
        struct local_status_reply status;
        struct local_ring_reply ring;
        struct local_tool_reply tool;
        struct local_program_reply program;
    } body;
    size_t size;
    int fd; /* -1 none; owned */
};

#define LOCAL_WHOLE_USER (-1)

/* What a process, or a user, has here. */
struct local_account {
    struct sl_list link; /* local_server.accounts */
    uid_t uid;
    pid_t pid; /* LOCAL_WHOLE_USER: all of its processes together */
    uint32_t connections;
    uint64_t resource_bytes;
};

struct local_client {
    struct local_server *server;
    struct sl_list link; /* local_shared.clients, or local_server.graves */
    int fd;
    pid_t pid;
    uid_t uid;
    char name[LOCAL_NAME + 1];
    enum local_kind kind;   /* 0 before hello */
    enum sl_result refusal; /* what its hello is answered; SL_OK: it is welcome */
    bool is_dead;           /* waits in graves for the end of the event batch */
    uint32_t ctx_id;        /* 0: no context; changed under shared.lock */
    uint32_t ring_count;
    void *tag;               /* the router's, who has it served elsewhere; nullable */
    struct local_page *page; /* NULL for tools */
    int page_fd;
    struct sl_writes *writes; /* what shows its process's; nullable */
    struct local_account *process, *owner;
    struct sl_list resources; /* struct local_resource.link */
    uint32_t resource_count;
    struct local_answer
        *unsent;     /* the socket was full: nothing is read until this went out; nullable */
    uint32_t fences; /* that wait; under server.fences' lock */
    /* under shared.lock */
    bool is_tapping;
    uint32_t tap_serial;
    uint64_t tap_dropped;
    bool tap_behind; /* the last send found the socket full: no more waiting for this tool until one
                        succeeds */
};

struct local_resource {
    struct local_client *client;
    struct sl_list link; /* local_client.resources */
    uint32_t id;
    uint64_t size;
    uint32_t stride;
    bool is_tex;
    bool is_mapped;
};

/* What the sink touches, on any thread. The device may hold its timelines' lock while it takes this
 * one; never the other way round. */
struct local_shared {
    pthread_mutex_t lock;
    struct sl_list clients; /* struct local_client.link, the living ones */
    uint64_t contexts_lost;
    uint32_t tappers;
};

struct local_server {
    struct local_server_options options; /* no zeros; path is our copy */
    struct vgd *device;                  /* NULL with a router */
    local_tool tool;                     /* nullable */
    void *tool_user;
    int listener;
    int epoll;
    int spare; /* a descriptor given up to turn a connection away when none are left */
    uint32_t connections;
    uint32_t clients;          /* of kind client */
    struct sl_list graves;     /* struct local_client.link */
    struct sl_list accounts;   /* struct local_account.link */
    struct sl_table resources; /* id (the device's too) -> struct local_resource */
    uint64_t resource_bytes;
    uint32_t contexts;
    uint32_t next_ctx;
    uint64_t next_fence;
    uint64_t contexts_created; /* atomic: written by the server's thread */
    struct local_shared shared;
    struct vgd_fences fences;
    union local_message message; /* the request in hand */
};

/* ---- local_verbs.c ---- */

/* Executes one request and answers into *answer (always; its fd is the caller's). fds: what came
 * along; those taken become -1. Returns false when the client must go once the answer is out. */
bool local_execute(struct local_client *client, size_t size, int *fds, uint32_t fd_count,
                   struct local_answer *answer);
/* Everything the client has in the device goes. */
void local_client_clear(struct local_client *client);

/* A peer's text for our logs: terminated, and nothing in it that a terminal would act on. */
void local_copy_name(char out[LOCAL_NAME + 1], const char in[LOCAL_NAME]);

/* ---- local_server.c ---- */

/* A connection, which it takes on success. */
enum sl_result local_client_create(struct local_server *server, int fd);
void local_client_leave(struct local_client *client);
/* What the client's descriptor is watched for. */
enum sl_result local_client_watch(struct local_client *client, uint32_t events);

/* ---- local_account.c: what processes and users have ---- */

/* Before anything else of a client whose pid and uid are known. INVALID: it has an account, but
 * there is no room for one more connection, which is logged; NOMEM: it has none. */
enum sl_result local_account_join(struct local_client *client) SL_MUST_USE;
void local_account_leave(struct local_client *client);
/* Whether a resource of so many bytes more is within the limits; logged where it is not. */
bool local_account_fits(const struct local_client *client, uint64_t size);
void local_account_add(struct local_client *client, uint64_t size);
void local_account_take(struct local_client *client, uint64_t size);

/* ---- local_route.c: connections to and from other processes ---- */

/* All that wait at the feed. False: it ended. */
bool local_take_fed(struct local_server *server);
/* True: the client's hello was given to the router. Otherwise it is to be read, and *may be
 * answered by client->refusal. */
bool local_route(struct local_client *client);
void local_publish_counts(struct local_server *server);

/* ---- local_sink.c: loss, taps ---- */

void local_shared_init(struct local_shared *shared);
void local_shared_finish(struct local_shared *shared);
void local_tap_begin(struct local_client *client);
void local_tap_end(struct local_client *client);

/* --- requests --- */

/* What a handler gets: size checked, kind checked, device there. */
struct local_task {
    struct local_client *client;
    struct local_server *server;
    struct vgd *device;
    const union local_message *message;
    size_t size;
    int *fds; /* fd_count of them; a handler that takes one leaves -1 */
    uint32_t fd_count;
    struct local_answer
        *answer; /* size: of an OK answer, set by the handler when it is more than the head */
};

/* Is it the user that serves? */
bool local_is_own_user(uid_t uid);
bool local_serves_user(const struct local_server *server, uid_t uid);
/* local_tools.c: handlers of LOCAL_STATUS, LOCAL_RING, LOCAL_TAP, LOCAL_TOOL and LOCAL_PROGRAM. */
enum sl_result local_handle_status(struct local_task *q);
enum sl_result local_handle_ring(struct local_task *q);
enum sl_result local_handle_tap(struct local_task *q);
enum sl_result local_handle_tool(struct local_task *q);
enum sl_result local_handle_program(struct local_task *q);

#endif
