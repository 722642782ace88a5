/* A ring's thread: bytes from the asg reader, cut into packets, handed to generated dispatch
 * tables, replies sent back.
 *
 * Who uses it: the context types. One thread per ring; a violation ends the ring and reports the
 * context lost, with a reason. Packets: {u32 opcode, u32 length, body}, behind one u32 preamble;
 * checksum v1 where a handler switched it on. */
#ifndef HOST_RING_H
#define HOST_RING_H

#include "transport/base/pack.h"
#include "transport/base/result.h"
#include "transport/virtgpu/recorder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes of one packet, and of one reply. */
#define HR_PACKET_MAX (256u << 20)
#define HR_REPLY_MAX  (256u << 20)

struct hr_ring;

/* One packet being executed. */
struct hr_call {
    struct sl_unpack in; /* the body; `arena` is reset after the packet */
    struct sl_reply *
        reply; /* what is in it when the handler returns is sent, with a checksum when that is on */
    void *user; /* the binding's */
    struct hr_ring *ring;
    uint32_t opcode;
    /* A handler refuses the arguments but the context lives (attack cases "E"): the reply keeps its
     * size, all zeros. */
    bool refused;
    /* For hr_call_peek and hr_call_join: behind the last packet that ran, and behind what came. */
    const uint8_t *next, *more;
    uint32_t joined; /* packets run besides the first */
};

/* For handlers that can run several packets at once. peek: the body of the packet behind, when it
 * is of the same opcode, has come whole and may be run along; join: it is; joined: those that were,
 * before the driver is called. Not where each packet goes with a checksum or to a tap. */
bool hr_call_peek(const struct hr_call *call, struct sl_unpack *body);
static inline void hr_call_join(struct hr_call *call, const struct sl_unpack *body)
{
    call->next = body->end;
    call->joined++;
}
void hr_call_joined(const struct hr_call *call);

/* An entry of the table is NULL for an opcode that is refused by policy and has no reply. */
typedef void (*hr_handler)(struct hr_call *call);

/* Generated: one API's dispatch. */
struct hr_family {
    const char *name; /* "gles2" */
    uint32_t first_opcode;
    uint32_t count;
    const hr_handler *handlers; /* [count]; NULL: refused */
    const char *(*opcode_name)(
        uint32_t opcode); /* "glDrawArrays"; never NULL for opcodes of the range */
    /* What it does, or answers, depends on the same commands of other rings. Nullable: none. */
    bool (*shares)(uint32_t opcode);
    /* [count]; 1: the command has a reply, even where all its outputs are NULL (then a checksum
     * alone travels). Nullable: a reply is what has bytes. */
    const uint8_t *has_reply;
    /* [count]; 1: some of the command's bytes may lie in memory that the guest shares while it
     * runs. Nullable: none. */
    const uint8_t *may_stage;
    /* Opcodes that do not follow one another: the place of one in the tables, >= count: none.
     * Nullable: opcode - first_opcode. */
    uint32_t (*find)(uint32_t opcode);
};

struct hr_binding {
    const struct hr_family *family;
    void *user;
};

struct hr_config {
    const char *name; /* thread name and log prefix, copied */
    void *memory;     /* ring blob, mapped; must stay so until gone() */
    uint64_t memory_size;
    const struct hr_binding *bindings; /* copied, at most HR_BINDINGS; the busiest first */
    uint32_t binding_count;
    size_t stack_size;         /* 0: 8 MiB, as drivers compile shaders on it */
    uint64_t large_timeout_ns; /* how long an announced large transfer may stand still; 0: 60 s */
    uint64_t job_timeout_ns;   /* how long a job may take, see hr_ring_run; 0: 5 s */
    void *user;
    void (*thread_begin)(void *user,
                         struct hr_ring *ring);           /* on the ring thread, first; nullable */
    void (*thread_end)(void *user, struct hr_ring *ring); /* on the ring thread, last; nullable */
    /* On the ring thread: all that came has run, and the thread is about to wait. Nullable. */
    void (*dry)(void *user);
    /* On the ring thread: the guest broke the protocol; the ring is over. */
    void (*lost)(void *user, struct hr_ring *ring, const char *reason);
    /* The last call of all: thread and ring are gone, the memory is not touched any more. On the
     * destroying thread, or later on the ring thread when that was left behind. Nullable. */
    void (*gone)(void *user);
    /* Live tap, both nullable. While *tap_on is non-zero (atomic, looked at once a batch) tap sees
     * every packet with its reply after it ran. */
    const uint32_t *tap_on;
    void (*tap)(void *user, struct hr_ring *ring, uint32_t opcode, const void *packet, size_t size,
                const void *reply, size_t reply_size);
    /* Gets every packet before and after it runs, while its epoch is not 0. Nullable. */
    const struct vgd_recorder *recorder;
    uint32_t ctx_id, ring_id; /* what it is told of the ring */
    /* Of a ring without a guest only: where replies go. Nullable. */
    void (*reply)(void *user, const void *reply, size_t size);
    uint32_t preamble; /* of a ring without a guest: its stream's first word */
    /* The opcode of packets whose handler is hr_call_staged's caller: what they hold is recorded,
     * not they. 0: none. */
    uint32_t staged_opcode;
};

#define HR_BINDINGS 8

enum sl_result hr_ring_create(const struct hr_config *config, struct hr_ring **out) SL_MUST_USE;
/* A ring without a guest and without a thread: bytes come from hr_ring_feed's caller, who is the
 * ring thread; memory, stack_size, thread_begin and thread_end are not used. For replay, tests and
 * fuzzers: the same packet loop. */
enum sl_result hr_ring_create_fed(const struct hr_config *config, struct hr_ring **out) SL_MUST_USE;
/* Run what is complete of the bytes given so far; no preamble. False: the ring is over (lost was
 * called), or there is no memory. */
bool hr_ring_feed(struct hr_ring *ring, const void *bytes, size_t size) SL_MUST_USE;

/* The guest shares this memory for slStaged. Once for a ring, any thread; the memory stays until
 * gone(). */
void hr_ring_stage(struct hr_ring *ring, void *memory, uint64_t size);
/* A ping came. Any thread, O(1). */
void hr_ring_wake(struct hr_ring *ring);
/* Stops the thread and waits for it, until two seconds after it was first asked to end. A thread
 * stuck in a driver is left behind with what it holds, and false is returned: gone() then follows
 * when it comes back. */
bool hr_ring_destroy(struct hr_ring *ring); /* a fed one: never left behind */
/* Ask the thread to end, without waiting: where all of many rings are asked first, their ends take
 * two seconds together. The thread that destroys. */
void hr_ring_stop(struct hr_ring *ring);

/* Something for a ring's thread to do while it rests. */
struct hr_job {
    void (*run)(void *user);
    void (*undo)(void *user); /* behind run, where nobody waited for its end any more; nullable */
    void *user;               /* lives until both are over */
};

/* Rest, for a snapshot: while the recorder's epoch has VGD_EPOCH_REST. Device thread. */
/* The bit was set, or cleared: a ring that sleeps looks at it. */
void hr_ring_rest(struct hr_ring *ring);
/* It stands between two packets, or waits for its turn inside one that the recorder was shown. */
bool hr_ring_is_at_rest(const struct hr_ring *ring);
/* Runs a job on the thread of a ring that stands between two packets, and waits for its end: what
 * is bound to that thread (a GL context) is reached so. AGAIN: it does not stand there; CLOSED: it
 * ended; TIMEOUT: it took longer than the config says. It was taken back then, or a driver holds
 * it: the ring is not at rest until it is over and undone, and goes on then. */
enum sl_result hr_ring_run(struct hr_ring *ring, const struct hr_job *job) SL_MUST_USE;

/* For handlers, on the ring thread. */
void hr_call_refuse(struct hr_call *call, const char *format, ...)
    SL_PRINTF(2, 3); /* logs (limited), sets refused */
void hr_call_violate(struct hr_call *call, const char *format, ...)
    SL_PRINTF(2, 3); /* the context is lost */
/* An input of `wanted` bytes of which nothing came, since the application has NULL there: zeros, so
 * that the driver tells what it finds wrong before it would read. They stay, and are the process's.
 * False: something came, or more is wanted than HR_ZEROS_MAX. */
#define HR_ZEROS_MAX (128u << 20)
bool hr_call_zeros(const void **data, uint32_t *size, uint64_t wanted);
/* slStaged: another packet, `packet`, of which `size` bytes lie at `offset` of the memory that the
 * guest shares. at != 0: they stand at `at` of it, and its length counts them. at = 0: they are of
 * its reply, in whose place a word travels, not 0 if they are there. */
struct hr_staged {
    uint32_t offset, size, at;
    const uint8_t *packet;
    uint32_t bytes;
};
void hr_call_staged(struct hr_call *call, const struct hr_staged *staged);
/* The guest, where it sleeps for replies, is to be awake when the last of them comes. */
void hr_ring_reply_near(struct hr_ring *ring);
/* Waits for a driver's work (hr_await.h). */
struct hr_work;
void hr_ring_await(struct hr_ring *ring, const struct hr_work *work);
/* Does somebody wait for the next slSignal who is to be told when it is near? */
bool hr_ring_signal_awaited(const struct hr_ring *ring);
void hr_ring_signal_near(const struct hr_ring *ring);
void hr_ring_signal(struct hr_ring *ring, uint32_t value); /* slSignal */
/* glReportErrorSLUICE: whether the guest has taken the last error, and the next one for it. */
bool hr_ring_error_taken(const struct hr_ring *ring);
void hr_ring_error(struct hr_ring *ring, uint32_t error);
void hr_ring_set_checksum(struct hr_ring *ring, uint32_t version); /* rcSelectChecksumHelper */
/* For a recorder, where one listens; see struct vgd_recorder. */
void hr_ring_memory(struct hr_ring *ring);
bool hr_ring_wants_frame(const struct hr_ring *ring, bool *pixels);
void hr_ring_frame(struct hr_ring *ring, const struct vgd_frame *frame);
/* The first word of the stream. */
uint32_t hr_ring_preamble(const struct hr_ring *ring);
/* Around a wait for other rings' packets, before anything of the packet was done: counts as rest.
 * end returns when no rest is wanted. */
void hr_ring_wait_begin(struct hr_ring *ring);
/* Around a wait of a packet that can be begun anew, and that hct_ops.save tells of
 * (vgd_saver.waiting): counts as rest, too. hr_ring_wait_end ends it. */
void hr_ring_linger_begin(struct hr_ring *ring);
void hr_ring_wait_end(struct hr_ring *ring);
/* Does the guest share the ring thread's processor? On that thread; a hint. */
bool hr_ring_is_near(const struct hr_ring *ring);
/* The guest was told what it waits for, not by a reply. On that thread. */
void hr_ring_answered(struct hr_ring *ring);
/* Waiting handlers look at this in each slice and give up. */
bool hr_ring_stopping(const struct hr_ring *ring);

struct hr_stats {
    uint32_t preamble; /* the stream's first word; 0 before it came */
    uint64_t packets, bytes, replies, wakeups, sleeps;
    uint64_t pings;       /* hr_ring_wake */
    uint64_t pings_awake; /* of them those that came when the host had looked by itself for 10 ms or
                             more: a correct guest sends none */
};
/* Any thread; counters are brought up to date once a batch. */
void hr_ring_stats(const struct hr_ring *ring, struct hr_stats *out);

#endif
