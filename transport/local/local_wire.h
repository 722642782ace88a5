/* The local socket's bytes: the verbs of waist A between processes of one machine, and a control
 * kind for tools.
 *
 * SOCK_SEQPACKET, one struct a message, descriptors beside it. The client speaks first (hello);
 * every request is answered once, in order, with a result code; a reply whose result is not SL_OK
 * ends after struct local_reply (hello's excepted, which names the version). Integers are the
 * machine's own: both ends run on one kernel. The first 16 bytes of hello and the first 24 of its
 * reply never change, in any version, so that either side can name the other's. Resource ids are
 * the device's, chosen by the server: context commands carry them too. A client reaches only its
 * own. */
#ifndef LOCAL_WIRE_H
#define LOCAL_WIRE_H

#include "transport/base/result.h"
#include "transport/virtgpu/vg.h"

#include <stddef.h>
#include <stdint.h>

#define LOCAL_MAGIC       0x63696c73u /* "slic" */
#define LOCAL_VERSION     2u
#define LOCAL_MAX_MESSAGE 65536u
#define LOCAL_MAX_CAPSET  4096u
#define LOCAL_NAME        64u
#define LOCAL_TEXT        256u
#define LOCAL_TOOL_TEXT   4096u

enum local_verb {
    LOCAL_HELLO = 1,
    /* clients */
    LOCAL_CAPS = 2,
    LOCAL_CTX_INIT = 3,
    LOCAL_BLOB_CREATE = 4,
    LOCAL_TEX_CREATE = 5,
    LOCAL_RES_IMPORT = 6, /* + fd */
    LOCAL_RES_EXPORT = 7, /* reply + fd */
    LOCAL_RES_MAP = 8,    /* at most 2 fds; reply + fd */
    LOCAL_RES_DESTROY = 9,
    LOCAL_RES_TRANSFER = 10,
    LOCAL_SUBMIT = 11, /* commands behind the struct; reply + fd when a fence was wanted */
    /* control */
    LOCAL_STATUS = 256,
    LOCAL_RING = 257,
    LOCAL_TAP = 258,
    LOCAL_PACKET = 259, /* server to tool after LOCAL_TAP, unasked: bytes of packet, then of reply,
                           behind the struct */
    /* A tool's wish in words, behind the struct; only of the server's own user, and root. */
    LOCAL_TOOL = 260,
    LOCAL_PROGRAM = 261, /* of a server with workers; others: UNSUPPORTED */
};

enum local_kind { LOCAL_KIND_CLIENT = 1, LOCAL_KIND_CONTROL = 2 };

/* Result codes on this wire. */
_Static_assert(SL_OK == 0 && SL_ERR_INVALID == -1 && SL_ERR_PROTOCOL == -2 && SL_ERR_NOMEM == -3 &&
                   SL_ERR_NOTFOUND == -4 && SL_ERR_UNSUPPORTED == -5 && SL_ERR_AGAIN == -6 &&
                   SL_ERR_TIMEOUT == -7 && SL_ERR_CLOSED == -8 && SL_ERR_DEVICE_LOST == -9 &&
                   SL_ERR_IO == -10,
               "result codes are wire values: a new LOCAL_VERSION");

#define LOCAL_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), "layout of " #type)

struct local_request {
    uint32_t verb;
    uint32_t serial; /* the client's; comes back in the reply */
};
LOCAL_SIZE(local_request, 8);

struct local_reply {
    uint32_t verb;
    uint32_t serial;
    int32_t result; /* enum sl_result */
    uint32_t pad;
};
LOCAL_SIZE(local_reply, 16);

struct local_hello {
    struct local_request head;
    uint32_t magic;
    uint32_t version;
    uint32_t kind; /* enum local_kind */
    /* Of a tool: it wants the worker of this process, of a server that has workers; 0: the server
     * itself. */
    uint32_t process;
    char name[LOCAL_NAME]; /* program; need not be terminated */
};
LOCAL_SIZE(local_hello, 88);
_Static_assert(offsetof(struct local_hello, version) == 12, "frozen");

struct local_hello_reply { /* + fd of struct local_page when OK and a client */
    struct local_reply head;
    uint32_t magic;
    uint32_t version;
    uint64_t capset_mask;
    uint32_t shared_futex; /* VG_PARAM_SHARED_FUTEX */
    uint32_t coherent_tex; /* VG_PARAM_COHERENT_TEX */
};
LOCAL_SIZE(local_hello_reply, 40);
_Static_assert(offsetof(struct local_hello_reply, version) == 20, "frozen");

/* Shared page of one client, written by the server alone: whether its context is lost can be seen
 * without a system call. */
struct local_page {
    uint32_t lost; /* atomic: 0, then 1 once `reason` is there */
    uint32_t pad;
    char reason[LOCAL_TEXT];
};
LOCAL_SIZE(local_page, 264);

struct local_caps {
    struct local_request head;
    uint32_t capset;
    uint32_t pad;
};
LOCAL_SIZE(local_caps, 16);

struct local_caps_reply { /* only `size` bytes of data are sent */
    struct local_reply head;
    uint32_t size;
    uint32_t pad;
    uint8_t data[LOCAL_MAX_CAPSET];
};
LOCAL_SIZE(local_caps_reply, 24 + LOCAL_MAX_CAPSET);

struct local_ctx_init {
    struct local_request head;
    uint32_t capset;
    uint32_t ring_count; /* 1 to VIRTGPU_MAX_RINGS */
    char name[LOCAL_NAME];
};
LOCAL_SIZE(local_ctx_init, 80);

struct local_blob_create {
    struct local_request head;
    uint32_t mem;
    uint32_t flags;
    uint64_t size;
    uint64_t blob_id;
};
LOCAL_SIZE(local_blob_create, 32);

struct local_tex_create {
    struct local_request head;
    struct vg_tex_args args;
};
LOCAL_SIZE(local_tex_create, 48);

struct local_res_import { /* + fd */
    struct local_request head;
    uint64_t size;
};
LOCAL_SIZE(local_res_import, 16);

/* Answers the three above. */
struct local_res_reply {
    struct local_reply head;
    uint32_t resource_id;
    uint32_t stride;
    uint64_t size;
};
LOCAL_SIZE(local_res_reply, 32);

/* Export (reply: struct local_reply + fd), destroy (reply: struct local_reply). */
struct local_res {
    struct local_request head;
    uint32_t resource_id;
    uint32_t pad;
};
LOCAL_SIZE(local_res, 16);

/* Beside it, once and to a server that the client trusts: what sl_writes_open gave. */
struct local_res_map {
    struct local_request head;
    uint32_t resource_id;
    uint32_t pad;
    uint64_t address; /* where the client is about to map it; 0: it does not say */
};
LOCAL_SIZE(local_res_map, 24);

struct local_map_reply { /* + fd */
    struct local_reply head;
    uint64_t offset;
    uint64_t size;
};
LOCAL_SIZE(local_map_reply, 32);

struct local_res_transfer {
    struct local_request head;
    uint32_t resource_id;
    uint32_t direction; /* enum vg_direction */
    struct vg_box box;
};
LOCAL_SIZE(local_res_transfer, 40);

struct local_submit { /* commands follow */
    struct local_request head;
    uint32_t ring; /* below the context's ring count, or VIRTGPU_RING_GLOBAL */
    uint32_t want_fence;
};
LOCAL_SIZE(local_submit, 16);
#define LOCAL_MAX_COMMANDS (LOCAL_MAX_MESSAGE - sizeof(struct local_submit))

struct local_status_reply {
    struct local_reply head;
    char driver[LOCAL_TEXT];   /* what draws, terminated; empty while it is being loaded */
    uint64_t contexts_created; /* since the server began */
    uint64_t contexts_lost;
    uint32_t contexts;
    uint32_t clients; /* connections, tools not counted */
    uint32_t resources;
    uint32_t isolates; /* 1: each program has a worker of its own (LOCAL_PROGRAM lists them), and
                          the numbers are all of them together */
    uint64_t resource_bytes;
};
LOCAL_SIZE(local_status_reply, 16 + LOCAL_TEXT + 40);

struct local_tool_reply { /* only `size` bytes of text are sent */
    struct local_reply head;
    uint32_t size;
    uint32_t pad;
    char text[LOCAL_TOOL_TEXT];
};
LOCAL_SIZE(local_tool_reply, 24 + LOCAL_TOOL_TEXT);

struct local_ring {
    struct local_request head;
    uint32_t
        index; /* of all rings of all clients, in no particular order; NOTFOUND past the last */
    uint32_t pad;
};
LOCAL_SIZE(local_ring, 16);

struct local_ring_reply {
    struct local_reply head;
    char client[LOCAL_NAME]; /* terminated */
    uint32_t pid;
    uint32_t ctx_id;
    uint32_t ring_id; /* resource of the ring */
    uint32_t pad;
    uint64_t packets, bytes, replies, wakeups, sleeps;
};
LOCAL_SIZE(local_ring_reply, 16 + LOCAL_NAME + 16 + 40);

struct local_program {
    struct local_request head;
    uint32_t index; /* of all programs, in no particular order; NOTFOUND past the last */
    uint32_t pad;
};
LOCAL_SIZE(local_program, 16);

struct local_program_reply {
    struct local_reply head;
    char name[LOCAL_NAME]; /* terminated */
    uint32_t pid;          /* what a tool's hello names it by */
    uint32_t uid;
    uint32_t worker; /* its process; 0: it waits for one */
    uint32_t connections;
    uint32_t contexts;
    uint32_t resources;
    uint64_t resource_bytes;
};
LOCAL_SIZE(local_program_reply, 16 + LOCAL_NAME + 32);

struct local_packet {
    struct local_reply head; /* verb LOCAL_PACKET, serial counts packets sent to this tool */
    uint64_t time_ns;        /* sl_clock_ns() of the server */
    uint64_t dropped;        /* packets that this tool was too slow for, so far */
    uint32_t ctx_id;
    uint32_t ring_id;
    uint32_t opcode;
    uint32_t packet_size; /* of the whole packet, header included */
    uint32_t reply_size;  /* of the whole reply */
    uint32_t packet_sent; /* bytes of each that follow: long ones are cut */
    uint32_t reply_sent;
    uint32_t pad;
};
LOCAL_SIZE(local_packet, 64);

#endif
