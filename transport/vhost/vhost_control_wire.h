/* The tools' socket of a virtual machine's device: whole messages (transport/base/sock.h), each
 * request answered. Any user who may open the socket's file may ask. */
#ifndef VHOST_CONTROL_WIRE_H
#define VHOST_CONTROL_WIRE_H

#include <stdint.h>

#define VHOST_CONTROL_MAGIC   0x54435653u /* "SVCT" */
#define VHOST_CONTROL_VERSION 1u
/* The tools' socket lies beside the virtual machine's, its name with this behind it. */
#define VHOST_CONTROL_SUFFIX ".control"

enum vhost_control_verb {
    VHOST_CONTROL_SHOT = 1,  /* what the scanout shows: gives a memfd of R, G, B, A rows */
    VHOST_CONTROL_PLUG = 2,  /* plug in with a size, or unplug */
    VHOST_CONTROL_LIST = 3,  /* how the scanout stands */
    VHOST_CONTROL_STATS = 4, /* counters: the answer is a struct vhost_control_stats */
    /* A wish in words, at most VHOST_CONTROL_TEXT bytes behind the request; the answer's are behind
     * the reply. Only of the device's own user, and root. */
    VHOST_CONTROL_TOOL = 5
};
#define VHOST_CONTROL_TEXT 4096u

struct vhost_control_request {
    uint32_t magic, version;
    uint32_t verb;
    uint32_t scanout_id;
    uint32_t width_px, height_px; /* PLUG */
    uint32_t on;                  /* PLUG: plugged in; SHOT: with the cursor */
    uint32_t padding;
};

struct vhost_control_reply {
    uint32_t magic, version;
    int32_t result; /* enum sl_result */
    uint32_t on;    /* LIST: plugged in */
    /* SHOT: of the picture; LIST: as plugged in */
    uint32_t width_px, height_px;
    uint32_t scanouts;  /* how many there are */
    uint32_t connected; /* a virtual machine is */
};

struct vhost_control_queue {
    uint64_t kicks;      /* times the guest called */
    uint64_t chains;     /* taken */
    uint64_t interrupts; /* times the guest was called */
};

/* Since the device began, over all machines it had; what says "now" is no sum. */
struct vhost_control_stats {
    struct vhost_control_reply reply;
    uint64_t time_ns; /* of this machine's monotonic clock */
    struct vhost_control_queue control, cursor;
    uint64_t submits, fences, maps, flushes;      /* commands */
    uint64_t transfers, transfer_bytes;           /* between guest pages and the host's memory */
    uint64_t contexts, resources, rings;          /* now */
    uint64_t resource_bytes;                      /* now */
    uint64_t packets, bytes, replies;             /* of all rings; bytes: copied out of them */
    uint64_t sleeps, wakeups, pings, pings_awake; /* pings_awake: nobody needed them */
};

_Static_assert(sizeof(struct vhost_control_request) == 32, "control request");
_Static_assert(sizeof(struct vhost_control_reply) == 32, "control reply");
_Static_assert(sizeof(struct vhost_control_stats) == 32 + 24 * 8, "control stats");

#endif
