/* What a flight recorder keeps of its store: parts that begin with a snapshot each, so that every
 * one of them is a place where a trace can begin. The first one begins with nothing. The writer's
 * thread alone. */
#ifndef HOST_CAP_RING_H
#define HOST_CAP_RING_H

#include <stdbool.h>
#include <stdint.h>

/* A new part comes four times in what is asked for; small ones of a busy program make more. */
#define CAP_RING_PARTS 32u

struct cap_ring_part {
    uint64_t offset; /* in the file */
    uint64_t data;   /* where its snapshot ends */
    uint64_t time;   /* since the recording began */
};

struct cap_ring {
    uint64_t bytes, ns; /* asked for; ns 0: bytes alone; bytes 0: it is no ring */
    struct cap_ring_part parts[CAP_RING_PARTS];
    uint32_t count;
    uint64_t snapshots; /* that came */
};

/* The head of the trace ends here. */
void cap_ring_begin(struct cap_ring *ring, uint64_t offset);
/* A complete snapshot, whose records lie between `offset` and `data`. */
void cap_ring_add(struct cap_ring *ring, const struct cap_ring_part *part);
/* Another snapshot is due when the file ends at `size`. */
bool cap_ring_is_due(const struct cap_ring *ring, uint64_t size, uint64_t time);
/* The first part is not needed any more, which ends at *to: it was at *from. */
bool cap_ring_next_free(const struct cap_ring *ring, uint64_t size, uint64_t time, uint64_t *from,
                        uint64_t *to);
/* It went. */
void cap_ring_drop(struct cap_ring *ring);

#endif
