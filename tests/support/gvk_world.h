/* The guest driver's core against a host that is played here: its device is a table of functions,
 * its ring a thread that gives the answers that a test has prepared. Each test's calls run on a
 * thread of their own, whose stream ends with it. One world at a time. */
#ifndef GVK_WORLD_H
#define GVK_WORLD_H

#include "asg/reader.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_block.h"
#include "tests/support/slt.h"
#include "wire/vk_opcodes.h"

enum { GW_PACKETS_MAX = 64, GW_BLOBS_MAX = 8, GW_ANSWERS_MAX = 16, GW_BYTES_MAX = 1 << 16 };

struct gw_packet {
    uint32_t opcode;
    uint32_t turn;
    uint8_t bytes[512];
    size_t size;
};

/* To the next packet with this opcode. */
struct gw_answer {
    uint32_t opcode;
    uint8_t bytes[64];
    const uint8_t *long_bytes; /* nullable: instead, sent in two pieces */
    size_t size;
};

struct gw_blob {
    struct vg_res res; /* first */
    void *memory;
    uint64_t blob_id;
    uint32_t flags;
    bool destroyed;
};

struct gvk_world {
    struct vg vg;
    struct gs_device gs;
    struct gvk_host host;
    struct gvk_instance instance;
    struct gvk_physical physical;
    struct gvk_device device;
    struct gw_blob blobs[GW_BLOBS_MAX];
    uint32_t blob_count;
    bool gone; /* the host died */
    uint32_t stop;
    struct asg_reader reader;
    pthread_t host_thread;
    pthread_mutex_t lock; /* guards what follows */
    uint8_t bytes[GW_BYTES_MAX];
    size_t got, at; /* of bytes: taken, and made packets of */
    struct gw_packet packets[GW_PACKETS_MAX];
    uint32_t packet_count;
    struct gw_answer answers[GW_ANSWERS_MAX];
    uint32_t answer_count, answered;
    void (*run)(struct gvk_world *);
};

extern struct gvk_world *gvk_world; /* the case's */

void gw_init(void *user);
void gw_finish(void *user);

/* All that was sent is in packets[0 .. packet_count). */
void gw_look(void);
void gw_forget(void);
/* How many packets of that kind there are. */
uint32_t gw_sent(uint32_t opcode);
/* What the host will say to the next packet of that kind. */
void gw_answer(uint32_t opcode, const void *data, size_t size);
/* A new handle's id, and success. */
void gw_answer_id(uint32_t opcode, uint64_t id);
void gw_answer_success(uint32_t opcode);
/* Runs on a thread of its own, whose ring is there already. */
void gw_on_thread(struct gvk_world *w, void (*run)(struct gvk_world *));
VkDevice gw_device(void);

#endif
