/* The two counters of a ring and the words beside them: the only file (with ring.c) that knows
 * memory orders.
 *
 * Used by the writer and the reader, each on the thread that owns that end. Positions run
 * freely and wrap at 2^32. Own positions live in private memory and are only published here; a
 * peer's word is read once per look, into a local. Facts: asg, section 2. */
#ifndef ASG_RING_H
#define ASG_RING_H

#include "transport/base/atomic.h"

#include <stddef.h>

/* The peer's position. ACQUIRE: pairs with the peer's asg_ring_publish; the bytes before it are
 * there. */
static inline uint32_t asg_ring_see(const uint32_t *pos)
{
    return sl_atomic_load_acquire(pos);
}

/* Our position. RELEASE: pairs with the peer's asg_ring_see; our bytes (or our being done with its
 * bytes) come before it. */
static inline void asg_ring_publish(uint32_t *pos, uint32_t value)
{
    sl_atomic_store_release(pos, value);
}

/* A hint of the peer (state, error, sleep flag): orders nothing by itself. */
static inline uint32_t asg_ring_hint(const uint32_t *word)
{
    return sl_atomic_load_relaxed(word);
}

/* Our hint for the peer. */
static inline void asg_ring_tell(uint32_t *word, uint32_t value)
{
    sl_atomic_store_relaxed(word, value);
}

/* The store-buffer pattern: "I publish, then look whether you sleep" against "I announce sleep,
 * then look whether you published". All four are SEQ_CST, so at least one side sees the other's
 * store and no wake-up is lost. Producer: asg_ring_publish_loud, asg_ring_hint_loud. Sleeper:
 * asg_ring_announce, asg_ring_see_again. */
static inline void asg_ring_publish_loud(uint32_t *pos, uint32_t value)
{
    sl_atomic_store_seq(pos, value);
}
static inline uint32_t asg_ring_hint_loud(const uint32_t *word)
{
    return sl_atomic_load_seq(word);
}
static inline void asg_ring_announce(uint32_t *word, uint32_t value)
{
    sl_atomic_store_seq(word, value);
}
static inline uint32_t asg_ring_see_again(const uint32_t *pos)
{
    return sl_atomic_load_seq(pos);
}

/* Before a kick of who announced sleep: says in its place that it is awake, so that what is
 * published until it runs kicks no more. In that order: one that announces its next sleep meanwhile
 * took its ticket before the kick, and does not sleep. false: it is awake. */
static inline bool asg_ring_rouse(uint32_t *word, uint32_t asleep, uint32_t awake)
{
    uint32_t seen = asleep;
    return sl_atomic_cas(word, &seen, awake) || seen != awake;
}

/* A futex word of the shared page: the value to sleep on, taken BEFORE the sleep is announced. */
static inline uint32_t asg_ring_ticket(const uint32_t *word)
{
    return sl_atomic_load_acquire(word);
}

/* Wake who sleeps on the word, now or in a moment: it counts up, so a ticket taken before is stale.
 */
void asg_ring_kick(uint32_t *word);
/* The same for a word whose value has been changed already, or whose sleepers shall only look. */
void asg_ring_wake(uint32_t *word);

/* Sleep until the word is no longer `ticket`, someone kicks, or the time is over; may return early.
 */
void asg_ring_sleep(const uint32_t *word, uint32_t ticket, int64_t timeout_ns);

/* The processor that runs the calling thread, counted from 1; 0: not known. */
uint32_t asg_cpu(void);
/* Says in `word` where the calling thread runs; `said` is what it said last. */
static inline void asg_ring_tell_cpu(uint32_t *word, uint32_t *said)
{
    uint32_t cpu = asg_cpu();
    if (cpu != *said) {
        *said = cpu;
        asg_ring_tell(word, cpu);
    }
}

/* Copy between a power-of-two sized view and flat memory, wrapping at the view's end. pos:
 * free-running. */
void asg_view_copy_out(const uint8_t *view, uint32_t view_size, uint32_t pos, void *data,
                       size_t size);
void asg_view_copy_in(uint8_t *view, uint32_t view_size, uint32_t pos, const void *data,
                      size_t size);
/* Greatest power of two <= size; 0 for 0. */
uint32_t asg_view_size(uint32_t size);

/* How one end waits: pause, then yield, then it is told to sleep. How long before the sleep follows
 * from how long the waits of late took: short gaps are worth spinning through, long ones are not.
 * A peer on the same processor gets nothing done meanwhile: then there are two yields where waits
 * are long, and else the short spin at most.
 *
 * Where somebody waits for an answer there are no yields: beside a busy thread one costs a whole
 * slice of the scheduler, which is milliseconds, and to a peer of another scheduling group, as
 * sessions and containers are, it hands over nothing. A peer on the same processor is slept for at
 * once: a futex hands over in 5 us. */
struct asg_spin {
    uint64_t expect_ns; /* recent waiting time, a moving average */
    uint64_t begin_ns;  /* 0 while the first turns still only pause */
    uint64_t end_ns;
    uint32_t turns;
    uint32_t yields; /* so many while the peer was on this processor */
    uint32_t misses; /* waits in a row that pauses could not have bridged */
    bool none;       /* set by the owner: not one turn, sleep at once */
    bool keen;       /* set by the owner before a wait: it is for an answer, or of who answers */
    /* Set by the owner: the word in which the peer says where it runs; NULL: nobody says. */
    const uint32_t *peer_cpu;
};

/* A wait begins. */
static inline void asg_spin_begin(struct asg_spin *spin)
{
    spin->turns = 0;
    spin->yields = 0;
    spin->begin_ns = 0;
}

/* Does the peer say that it runs on the calling thread's processor? */
bool asg_spin_is_near(const struct asg_spin *spin);

/* One turn of it. false: spinning is over, sleep. */
bool asg_spin_turn(struct asg_spin *spin);
/* The wait is over: what was waited for came. */
void asg_spin_end(struct asg_spin *spin);
/* The same where short waits lie between long ones: those that pauses bridged are not averaged. */
void asg_spin_end_long(struct asg_spin *spin);

#endif
