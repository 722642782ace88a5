/* A guest without a machine: the front end of vhost-user and the driver of virtio-gpu in one, for
 * tests of transport/vhost. It behaves like QEMU where that matters: a map request is answered
 * first, and then a new memory region is announced on the main socket and waited for.
 *
 * One thread. Functions that answer a bool or a number never fail a test; those that return void
 * and are named expect_ or do a step that must work use fatal checks. */
#ifndef TESTS_VGUEST_H
#define TESTS_VGUEST_H

#include "transport/vhost/vgpu_wire.h"
#include "transport/vhost/vhost_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VGUEST_RAM         ((uint64_t)16 << 20)
#define VGUEST_GPA         0x40000000ull
#define VGUEST_USER        0x7f0000000000ull
#define VGUEST_WINDOW_GPA  0xc000000000ull /* where the window lies in guest-physical addresses */
#define VGUEST_QUEUE_SIZE  256u
#define VGUEST_MAPS        64u
#define VGUEST_PATIENCE_MS 30000u /* for what must come */
/* Offsets in RAM. */
#define VGUEST_SLOTS 0x20000u  /* of requests and responses: one a head */
#define VGUEST_SLOT  0x4000u   /* bytes; the second half is the response */
#define VGUEST_FREE  0x500000u /* for the tests: indirect tables, backing */

struct vguest_queue {
    uint32_t offset; /* of the rings in RAM */
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    uint16_t next_avail, last_used;
    uint32_t next_head;
    int kick, call, err;
    uint32_t used_len[VGUEST_QUEUE_SIZE]; /* by head, of the last time */
    bool done[VGUEST_QUEUE_SIZE];
    uint32_t returned; /* chains given back in all */
};

struct vguest_map {
    uint64_t offset, size;
    void *at; /* NULL: free */
};

struct vguest {
    int front, back;
    uint64_t features, protocol;
    int ram_fd;
    uint8_t *ram;
    struct vguest_queue queues[VGPU_QUEUES];
    struct vguest_map maps[VGUEST_MAPS];
    bool refuse_maps; /* say no to map requests */
    bool silent_maps; /* do not answer map requests at all */
    /* Between connect and negotiate: features to leave out, and no kick descriptors. */
    uint64_t features_without;
    bool polled;
    uint32_t config_changes;
    uint32_t asked; /* map and unmap requests in all */
    uint64_t next_fence;
};

/* Connects and negotiates everything, shares RAM, starts both queues. protocol: features to leave
 * out. False: refused. */
bool vguest_start(struct vguest *g, const char *path, uint64_t without);
/* The same, again and again while the guest before is on its way out. Takes what vguest_stop does.
 * False: refused for as long as is patient. */
bool vguest_start_soon(struct vguest *g, const char *path, uint64_t without);
/* Connects and makes RAM, says nothing yet. */
bool vguest_connect(struct vguest *g, const char *path);
bool vguest_negotiate(struct vguest *g, uint64_t without);
bool vguest_share_ram(struct vguest *g);
bool vguest_start_queue(struct vguest *g, uint32_t queue, uint16_t base);
/* Hangs up and lets go of everything. Takes a zeroed or stopped guest. */
void vguest_stop(struct vguest *g);

/* One message; fds borrowed. False: the connection is gone. */
bool vguest_send(struct vguest *g, uint32_t request, uint32_t flags, const void *payload,
                 uint32_t size, const int *fds, uint32_t fd_count);
/* Waits for a reply: its bytes, at most `capacity`. *fd: nullable. SIZE_MAX: the connection is gone
 * or nothing came. */
size_t vguest_recv(struct vguest *g, void *payload, size_t capacity, int *fd);
/* Sends with need_reply where that was negotiated: the u64 answered (0 where it was not),
 * UINT64_MAX when the connection is gone. */
uint64_t vguest_ask(struct vguest *g, uint32_t request, const void *payload, uint32_t size,
                    const int *fds, uint32_t fd_count);
uint64_t vguest_ask_u64(struct vguest *g, uint32_t request);
/* Raw bytes to the device on the socket of its own requests. */
bool vguest_answer_back(struct vguest *g, const void *bytes, size_t size);
/* Did the device hang up? Waits a while. */
bool vguest_is_cut_off(struct vguest *g);

/* ---- the driver ---- */

static inline uint64_t vguest_gpa(const struct vguest *g, const void *at)
{
    return VGUEST_GPA + (uint64_t)((const uint8_t *)at - g->ram);
}
uint8_t *vguest_response_at(struct vguest *g, uint32_t queue, uint32_t head);
/* Puts a head into the available ring and kicks. */
void vguest_offer(struct vguest *g, uint32_t queue, uint16_t head);
/* A request in one piece and room for a response in another; offered. The head. */
uint16_t vguest_post(struct vguest *g, uint32_t queue, const void *request, size_t size,
                     size_t room);
/* Waits until the head came back: bytes written, UINT32_MAX when it did not within `ms`. */
uint32_t vguest_wait(struct vguest *g, uint32_t queue, uint16_t head, uint32_t ms);
/* Looks at what came back and at what the device asks, waiting at most `ms` for something. */
void vguest_pump(struct vguest *g, uint32_t ms);
/* Post and wait: the response's type, 0 when there was none. response: nullable. */
uint32_t vguest_command(struct vguest *g, const void *request, size_t size, void *response,
                        size_t room);
/* Did the queue's error descriptor fire? Waits a while, and resets it. */
bool vguest_broke(struct vguest *g, uint32_t queue);
/* RESET_DEVICE, and both queues anew. */
bool vguest_restart(struct vguest *g);

/* ---- commands: each answers the response's type ---- */

static inline bool vguest_is_error(uint32_t type)
{
    return type >= VGPU_ERR_UNSPEC && type <= VGPU_ERR_INVALID_PARAMETER;
}

uint32_t vguest_ctx(struct vguest *g, uint32_t ctx_id, uint32_t capset);
uint32_t vguest_id(struct vguest *g, uint32_t type, uint32_t ctx_id, uint32_t id);
uint32_t vguest_blob(struct vguest *g, uint32_t ctx_id, uint32_t id, uint64_t blob_id,
                     uint64_t size);
uint32_t vguest_map(struct vguest *g, uint32_t id, uint64_t offset);
void *vguest_mapped(struct vguest *g, uint64_t offset); /* NULL: nothing is there */
uint32_t vguest_create_2d(struct vguest *g, uint32_t id, uint32_t format, uint32_t width,
                          uint32_t height);
/* A 2D resource of 16 x 16 pixels of 4 bytes, backed at VGUEST_FREE by exactly as many. */
bool vguest_make_backed(struct vguest *g, uint32_t id);
/* Backing of `count` entries of {gpa, length}. */
uint32_t vguest_attach(struct vguest *g, uint32_t id, const struct vgpu_entry *entries,
                       uint32_t count);
uint32_t vguest_transfer(struct vguest *g, uint32_t id, struct vgpu_rect rect, uint64_t offset);
uint32_t vguest_set_scanout(struct vguest *g, uint32_t scanout, uint32_t id, struct vgpu_rect rect);
uint32_t vguest_flush(struct vguest *g, uint32_t id, struct vgpu_rect rect);
uint32_t vguest_submit(struct vguest *g, uint32_t ctx_id, const void *commands, uint32_t size);
/* The same with a fence, not waited for: its head. ring UINT32_MAX: global. */
uint16_t vguest_submit_fenced(struct vguest *g, uint32_t ctx_id, uint32_t ring, uint64_t fence,
                              const void *commands, uint32_t size);

#endif
