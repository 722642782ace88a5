/* The host's end of the ring: validated bytes in, replies out. One thread: the ring's.
 *
 * The guest may scribble over all of the shared memory at any time; every hazard of the facts (asg,
 * section 9) is met here: positions are private, each shared word is read once a look, lengths are
 * checked after they were copied, size words are ignored, and so is the mode word but for this: a
 * guest that says what no stock guest says is broken. */
#ifndef ASG_READER_H
#define ASG_READER_H

#include "asg/gap.h"
#include "asg/layout.h"
#include "asg/ring.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>

struct asg_reader_config {
    void *memory;         /* mapped, borrowed for the reader's life; page-aligned */
    uint64_t memory_size; /* exactly what the blob has; INVALID when too small */
    uint32_t buffer_size; /* our own setting: a power of two, at least two steps */
    uint32_t flush_interval;
    uint32_t *stop;            /* atomic; non-zero ends every wait; borrowed */
    uint64_t reply_timeout_ns; /* how long a reply waits for a guest that does not read; 0: 10 s */
    /* How long a large transfer that was announced may stand still; 0: 60 s, so that a stopped
     * guest may go on. */
    uint64_t large_timeout_ns;
    /* The longest sleep: after it we look again, although nobody woke us; 0: 500 ms. It cures a
     * lost wake-up, of which correct guests have none, so a test makes it longer than itself. */
    uint64_t sleep_ns;
    bool no_spin; /* sleep as soon as there is nothing: less CPU time, later answers */
    /* The thread is ours to move: where guest and host talk on one processor and may use others, it
     * goes to one of those. */
    bool moves;
    /* Nothing came for a while and we are about to sleep: time for what is not worth a guest's
     * waiting. On the ring's thread; nullable. */
    void (*before_sleep)(void *user);
    void *user;
    /* Atomic; while its highest bit is set there is no sleep: asg_reader_wait returns AGAIN where
     * it would. Whoever sets it calls asg_reader_wake. Nullable. */
    const uint32_t *pause;
};

struct asg_reader {
    struct asg_reader_config config;
    /* private to asg/reader.c from here */
    struct asg_page *page; /* page 0 of three */
    uint8_t *buffer;
    uint32_t desc_read;      /* private copy of to_host.read_pos */
    uint32_t desc_seen;      /* to_host.write_pos as it was seen last */
    uint32_t untold_spans;   /* taken, and read_pos stands before them yet */
    size_t untold_bytes;     /* theirs */
    uint32_t span_offset;    /* the descriptor in progress: */
    uint32_t span_left;      /* bytes of it not taken yet; read_pos advances when it reaches 0 */
    uint32_t large_read;     /* private copy of to_host_large.read_pos */
    uint64_t large_since_ns; /* when a large transfer that was announced was seen to stand still; 0:
                                it does not */
    uint32_t staged;         /* private copy of host_staged */
    uint32_t reply_write;    /* private copy of from_host_large.write_pos */
    uint32_t view_size;
    uint32_t consumed;       /* bytes of type 1, for host_consumed_pos */
    uint64_t awake_since_ns; /* atomic; 0: asleep */
    uint32_t cpu;            /* what page->host_cpu says */
    struct asg_spin spin;
    struct asg_gap gap;  /* of waits that were slept through */
    uint32_t near_waits; /* so many in a row, of short ones, were for a guest on our processor */
    uint64_t moved_ns;   /* when the thread was moved last */
    uint32_t talks; /* more long waits for which the guest counts as one that waits for replies */
    uint64_t bytes, wakeups, sleeps;
};

/* Fills the config words and initialises the three rings; done before the guest is told that the
 * ring is there. */
enum sl_result asg_reader_init(struct asg_reader *r,
                               const struct asg_reader_config *config) SL_MUST_USE;

/* Take up to `capacity` bytes of the stream, as many as are there, copied to private memory. AGAIN:
 * none now. PROTOCOL: the guest broke the ring (bad descriptor, impossible positions, a mode that
 * is none or that forbids descriptors); the ring is over. */
enum sl_result asg_reader_take(struct asg_reader *r, void *data, size_t capacity, size_t *got);
/* Wait until there may be something to take: bounded spin (adaptive), then futex sleep. OK; CLOSED
 * when stop is set; AGAIN as config.pause says; the ring is over: TIMEOUT when a large transfer
 * that was announced stands still for large_timeout_ns, PROTOCOL when the mode is none. */
enum sl_result asg_reader_wait(struct asg_reader *r);
/* From any thread: a ping came, or stop was set. O(1). */
void asg_reader_wake(struct asg_reader *r);
/* Since when the host tells the guest that it looks by itself, so that nobody need wake it; 0: it
 * does not. Any thread; for counters. */
uint64_t asg_reader_awake_since_ns(const struct asg_reader *r);
/* Does the guest say that it runs on the calling thread's processor, the ring's? */
bool asg_reader_is_near(const struct asg_reader *r);
/* The guest was given what it waits for in another way than by a reply: it counts as one that waits
 * for replies. */
void asg_reader_answered(struct asg_reader *r);
/* Send one reply. Waits while the guest does not read; CLOSED when stop is set, TIMEOUT when the
 * guest read nothing for reply_timeout_ns, PROTOCOL. What is not sent by then never is: the ring is
 * over. */
enum sl_result asg_reader_reply(struct asg_reader *r, const void *data, size_t size);
/* Wakes a guest that sleeps for replies: the last of them is near, and it spins for that. */
void asg_reader_reply_near(struct asg_reader *r);
/* One command more is over that named staged memory: that is the guest's again. */
void asg_reader_staged(struct asg_reader *r);
/* Does somebody wait for host_signal who wants to be awake when it comes? */
bool asg_reader_signal_awaited(const struct asg_reader *r);
/* Wake who sleeps on host_signal: it comes in a moment. */
void asg_reader_signal_near(const struct asg_reader *r);
/* Publish `value` in host_signal and wake who sleeps on it. */
void asg_reader_signal(struct asg_reader *r, uint32_t value);
/* Has the guest taken the last error? */
bool asg_reader_error_taken(const struct asg_reader *r);
/* Leaves a GL error in host_error, for when the guest next looks. */
void asg_reader_error(struct asg_reader *r, uint32_t error);
/* Tell the guest that this ring is over: in_error and host state. */
void asg_reader_fail(struct asg_reader *r);

#endif
