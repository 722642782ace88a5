/* One split virtqueue, device side. Session thread.
 *
 * The rings are shared with a hostile guest: every word is loaded once, every index checked, and a
 * descriptor table is copied before it is walked. A queue that breaks the rules stops for good
 * (`broken`) until the front end sets it up anew.
 * Spec: virtio 1.3, 2.7. */
#ifndef VHOST_QUEUE_H
#define VHOST_QUEUE_H

#include "transport/base/result.h"
#include "transport/vhost/vhost_memory.h"
#include "transport/vhost/vhost_wire.h"

#include <stdbool.h>
#include <stdint.h>

#define VHOST_CHAIN_MAX 4096u /* descriptors of one chain */

/* A piece of guest memory of a chain. */
struct vhost_piece {
    uint8_t *at; /* valid until the memory table changes */
    uint64_t gpa;
    uint32_t size;
};

/* What the guest made available: first what is read, then what is written. */
struct vhost_chain {
    uint16_t head;
    bool in_window; /* a piece lies in the window: neither read nor written */
    uint32_t in_count, out_count;
    uint64_t in_size, out_size;
    struct vhost_piece in[VHOST_CHAIN_MAX];
    struct vhost_piece out[VHOST_CHAIN_MAX];
    struct virtq_desc table[VHOST_CHAIN_MAX]; /* copy of an indirect table */
};

struct vhost_queue_counts {
    uint64_t kicks;      /* times the driver signalled its descriptor */
    uint64_t chains;     /* taken */
    uint64_t interrupts; /* times we signalled ours */
};

struct vhost_queue {
    uint32_t index;
    uint32_t size;                /* descriptors; 0: not said yet */
    struct vhost_vring_addr addr; /* front-end addresses */
    bool has_addr;
    bool enabled;
    bool started; /* a kick descriptor, or none, was handed over */
    bool broken;
    bool polled;              /* no kick descriptor: looked at by the clock */
    bool event_idx, indirect; /* as negotiated */
    struct virtq_desc *desc;  /* NULL: the rings are not in memory now */
    struct virtq_avail *avail;
    struct virtq_used *used;
    uint16_t last_avail; /* next to take */
    uint16_t used_idx;   /* next to give back */
    uint16_t signalled;  /* used_idx at the last look whether to interrupt */
    uint32_t in_flight;
    uint32_t *busy;                        /* bits: heads taken and not given back */
    struct vhost_inflight_queue *inflight; /* nullable; in memory shared with the front end */
    uint64_t inflight_counter;
    int kick, call, err; /* -1: none; ours */
    struct vhost_queue_counts counts;
};

static inline void vhost_queue_counts_add(struct vhost_queue_counts *sum,
                                          const struct vhost_queue_counts *counts)
{
    sum->kicks += counts->kicks;
    sum->chains += counts->chains;
    sum->interrupts += counts->interrupts;
}

enum sl_result vhost_queue_init(struct vhost_queue *queue, uint32_t index) SL_MUST_USE;
void vhost_queue_finish(struct vhost_queue *queue);
/* Nothing is in flight any more, and the queue is whole again. */
void vhost_queue_forget(struct vhost_queue *queue);

/* Finds the rings in memory (after a change of the table too). False: they are not there, or
 * crooked. */
bool vhost_queue_resolve(struct vhost_queue *queue, const struct vhost_memory *memory);
/* May it be served now? */
bool vhost_queue_runs(const struct vhost_queue *queue);
/* Begins where the used ring says. After resolve. */
void vhost_queue_begin(struct vhost_queue *queue);

/* The next chain. AGAIN: none; PROTOCOL: the guest broke the rules, logged, the queue is broken. */
enum sl_result vhost_queue_pop(struct vhost_queue *queue, const struct vhost_memory *memory,
                               struct vhost_chain *chain) SL_MUST_USE;
/* Takes the chain of a head without the available ring: what a crashed back end had in flight. */
enum sl_result vhost_queue_take(struct vhost_queue *queue, const struct vhost_memory *memory,
                                uint16_t head, struct vhost_chain *chain) SL_MUST_USE;
/* Gives a chain back. */
void vhost_queue_push(struct vhost_queue *queue, uint16_t head, uint32_t written);
/* Interrupts the guest when it wants to know about what was given back. */
void vhost_queue_notify(struct vhost_queue *queue);
/* Announces that the next available chain wants a kick. True: one is there already. */
bool vhost_queue_rest(struct vhost_queue *queue);
void vhost_queue_break(struct vhost_queue *queue, const char *why);

/* Copies [0, size) of what is read; size <= in_size. */
void vhost_chain_read(const struct vhost_chain *chain, void *to, size_t size);
/* Writes what fits; returns how much that is. */
uint32_t vhost_chain_write(const struct vhost_chain *chain, const void *from, size_t size);

#endif
