/* A ring's thread: bytes from the asg reader, cut into packets, handed to generated dispatch tables, replies sent back.
 *
 * Who uses it: the context types. One thread per ring; a violation ends the ring and reports the context lost, with a reason. */
#ifndef HOST_RING_H
#define HOST_RING_H

#include "transport/base/pack.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hr_ring;

/* One packet being executed. */
struct hr_call {
    struct sl_unpack in;     /* the body; `arena` is reset after the packet */
    struct sl_reply *reply;  /* what is in it when the handler returns is sent, with a checksum when that is on */
    void *user;              /* the binding's */
    struct hr_ring *ring;
    uint32_t opcode;
    /* A handler refuses the arguments but the context lives (attack cases "E"): the reply keeps its size, all zeros. */
    bool refused;
};

/* NULL-terminated chain of handlers: an entry of the table is NULL for an opcode that is refused by policy. */
typedef void (*hr_handler)(struct hr_call *call);

/* Generated: one API's dispatch. */
struct hr_family {
    const char *name;       /* "gles2" */
    uint32_t first_opcode;
    uint32_t count;
    const hr_handler *handlers;                    /* [count]; NULL: refused */
    const char *(*opcode_name)(uint32_t opcode);   /* "glDrawArrays"; never NULL for opcodes of the range */
};

struct hr_binding {
    const struct hr_family *family;
    void *user;
};

struct hr_config {
    const char *name;        /* thread name and log prefix, copied */
    void *memory;            /* ring blob, mapped; kept alive by the owner until hr_ring_destroy returns */
    uint64_t memory_size;
    const struct hr_binding *bindings; /* copied */
    uint32_t binding_count;
    size_t stack_size;       /* 0: 8 MiB, as drivers compile shaders on it */
    void *user;
    void (*thread_begin)(void *user, struct hr_ring *ring); /* on the ring thread, first */
    void (*thread_end)(void *user, struct hr_ring *ring);   /* on the ring thread, last */
    /* On the ring thread: the guest broke the protocol; the ring is over. */
    void (*lost)(void *user, struct hr_ring *ring, const char *reason);
    /* Nullable: sees every packet before it runs and its reply after (live dump, capture). */
    void (*tap)(void *user, struct hr_ring *ring, uint32_t opcode, const void *packet, size_t size, const void *reply,
                size_t reply_size);
};

enum sl_result hr_ring_create(const struct hr_config *config, struct hr_ring **out) SL_MUST_USE;
/* A ping came. Any thread, O(1). */
void hr_ring_wake(struct hr_ring *ring);
/* Stops the thread and waits for it at most a bounded time; a thread stuck in a driver is left behind with what it holds, and false is
 * returned: the memory must then stay mapped. */
bool hr_ring_destroy(struct hr_ring *ring);

/* For handlers, on the ring thread. */
void hr_call_refuse(struct hr_call *call, const char *format, ...) SL_PRINTF(2, 3); /* logs (limited), sets refused */
void hr_call_violate(struct hr_call *call, const char *format, ...) SL_PRINTF(2, 3); /* the context is lost */
void hr_ring_signal(struct hr_ring *ring, uint32_t value);                          /* slSignal */
void hr_ring_set_checksum(struct hr_ring *ring, uint32_t version);                  /* rcSelectChecksumHelper */

struct hr_stats {
    uint64_t packets, bytes, replies, wakeups, sleeps;
};
void hr_ring_stats(const struct hr_ring *ring, struct hr_stats *out);

#endif
