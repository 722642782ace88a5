/* The guest's end of the ring: packets out, replies in. One thread: the one that owns the stream.
 *
 * struct sl_pack is its first member: generated pack code writes straight into the current slot of
 * the auxiliary buffer. Stock hosts and ours are served alike; what only ours understands is
 * switched on by asg_writer_config. Facts: asg, sections 3, 4 and 6. */
#ifndef ASG_WRITER_H
#define ASG_WRITER_H

#include "asg/habit.h"
#include "asg/layout.h"
#include "asg/ring.h"
#include "transport/base/pack.h"
#include "transport/base/result.h"

#include <stdbool.h>

struct asg_writer_config {
    void *memory;         /* ring pages and buffer, mapped; borrowed for the writer's life */
    uint64_t memory_size; /* at least ASG_RING_BYTES + buffer size */
    uint32_t buffer_size; /* from the capset */
    bool shared_futex;    /* one kernel: wake by futex in the page, no ping */
    bool reply_futex;     /* the host wakes our sleep (SLUICE_FEATURE_REPLY_FUTEX) */
    void *user;
    void (*ping)(void *user); /* wake the host through the device; used when !shared_futex; nullable
                                 then not */
    /* Is the host there? Asked in slow turns of waits, each 10 ms at most; nullable: always. */
    bool (*alive)(void *user);
    /* The longest sleep, and how long a wait goes on before a host that says it sleeps is woken
     * once more; 0: 100 ms. It cures a lost wake-up, of which correct hosts have none, so a test
     * makes it longer than itself; alive is asked as rarely. */
    uint64_t sleep_ns;
    bool no_spin; /* sleep as soon as there is nothing: less CPU time, later answers */
};

#define ASG_WRITER_SLOTS 8u

struct asg_writer {
    struct sl_pack pack;
    struct asg_writer_config config;
    /* private to the writer from here */
    struct asg_page *page; /* page 0 of three */
    uint8_t *buffer;
    uint8_t *scratch; /* where a dead stream writes */
    uint8_t *start;   /* what lies from here to pack.cur is unpublished */
    uint8_t *slot_end;
    uint32_t slot_size;
    uint32_t slot_count;
    uint32_t slot;                        /* the one being filled: an index */
    uint32_t slot_last[ASG_WRITER_SLOTS]; /* desc_write behind the slot's last span: taken, and the
                                             slot is free */
    uint32_t look_size;  /* look whether the host idles each time so many bytes are written */
    uint32_t desc_write; /* private copy of to_host.write_pos */
    uint32_t desc_taken; /* to_host.read_pos as it was seen last */
    uint32_t reply_read; /* private copy of from_host_large.read_pos */
    uint32_t view_size;
    uint32_t cpu; /* what page->guest_cpu says */
    struct asg_spin reply_spin;
    struct asg_habits habits; /* of waits for replies */
    uint32_t question;        /* the kind of the one that is asked */
    uint32_t reply_due;       /* as reply_read; what is waited for at once where it lies ahead */
    struct asg_spin space_spin;
    struct asg_spin staged_spin;
    uint64_t asked_ns; /* when `alive` was */
    bool dead;
    uint64_t published; /* bytes handed over */
    uint64_t spans;     /* in so many pieces */
    uint64_t wakeups;   /* of which so many found the host asleep */
    uint64_t waits;     /* reads = round trips */
};

/* Initialises the ring as the guest does (facts: asg 1.5). The host's config words are in place by
 * then. PROTOCOL when they make no sense or differ from the capset, INVALID when memory is too
 * small, NOMEM. */
enum sl_result asg_writer_init(struct asg_writer *w,
                               const struct asg_writer_config *config) SL_MUST_USE;
/* Publishes nothing; the memory may go afterwards. */
void asg_writer_finish(struct asg_writer *w);
/* Publish what is written so far and see that the host runs. Nothing written: nothing done. */
void asg_writer_flush(struct asg_writer *w);
/* Flush, then read exactly `size` reply bytes. A dead stream gives zeros and CLOSED; PROTOCOL, with
 * zeros and the stream dead, when the host broke the ring. */
enum sl_result asg_writer_read(struct asg_writer *w, void *data, size_t size);
/* The same for replies of unknown length: at least `least` bytes (not 0), then what else is there,
 * up to `most`. *got: how many; on failure nothing of it counts. */
enum sl_result asg_writer_read_some(struct asg_writer *w, void *data, size_t least, size_t most,
                                    size_t *got);
/* The next `size` bytes of replies, for packets that are not flushed yet, come one soon after the
 * other: who waits for the first waits for all of them, and sleeps through what comes before the
 * last. Every reply before them has been read. */
void asg_writer_expect(struct asg_writer *w, size_t size);
/* Raw bytes, past the packet layer: the preamble. */
void asg_writer_raw(struct asg_writer *w, const void *data, size_t size);
/* Flush, then wait until the host has taken everything. TIMEOUT, CLOSED when the stream is or
 * becomes dead. */
enum sl_result asg_writer_drain(struct asg_writer *w, int64_t timeout_ns);
/* How many commands that name staged memory the host has done with. */
uint32_t asg_writer_staged(const struct asg_writer *w);
/* Flush, then wait until that is `count` (modulo 2^32). CLOSED when the stream is or becomes dead.
 */
enum sl_result asg_writer_wait_staged(struct asg_writer *w, uint32_t count);
/* The GL error that the host left in the ring page, once; 0: none. Waits for nothing. */
uint32_t asg_writer_error_take(struct asg_writer *w);
/* The stream is over, for a reason the owner knows (fork, lost device). Later packets go nowhere.
 */
void asg_writer_kill(struct asg_writer *w);
static inline bool asg_writer_dead(const struct asg_writer *w)
{
    return w->dead;
}

/* Who waits for the ring page's host_signal. */
struct asg_signal {
    struct asg_page *page;
    bool shared_futex;
    /* Nothing else goes on meanwhile, so it wakes up and spins when the host says that the value
     * is near. One thread of a ring's at a time. */
    bool eager;
    bool (*alive)(void *user); /* nullable */
    void *user;
};

/* Wait until host_signal reaches `value` (modulo 2^32). Any thread. timeout_ns < 0: as long as the
 * host lives. OK, TIMEOUT, CLOSED. */
enum sl_result asg_signal_wait(const struct asg_signal *signal, uint32_t value, int64_t timeout_ns);

#endif
