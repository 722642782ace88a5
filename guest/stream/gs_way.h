/* How a copy that another processor reads next is written: through the caches, or around them.
 *
 * Where both processors share a cache, through it is best: the reader finds there what was written.
 * Where they do not, each line that the other one has read must be asked for before it is written:
 * a tenth of the rate, where a write around the caches asks for nothing, but the reader fetches it
 * from memory. Which it is nobody says (least of all a virtual machine's processors), and it
 * changes when a thread or a virtual processor moves. So some copies are timed, and now and then
 * some are made the other way.
 *
 * One thread. */
#ifndef GUEST_GS_WAY_H
#define GUEST_GS_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies timed before their median is believed. */
#define GS_WAY_TURN 8u

/* Zeros: through the caches, nothing known. */
struct gs_way {
    bool best;                   /* around them is */
    bool around;                 /* at present; not `best`: it is tried */
    uint32_t cost[2];            /* ps a byte, by `around`; 0: unknown */
    uint32_t timed[GS_WAY_TURN]; /* the same of this turn's copies */
    uint32_t count;              /* of them */
    size_t untimed;              /* bytes since the last one */
    uint64_t learned_ns;         /* when the last turn ended */
    uint64_t tried_ns;           /* when the other way was tried last */
    uint64_t wait_ns;            /* it is tried again so long behind that */
};

/* `size` bytes, visible to others behind the next release. The ranges do not overlap. */
void gs_way_copy(struct gs_way *way, void *to, const void *from, size_t size);
/* Did copies say of late that through the caches is best? Always where there is no other way. */
bool gs_way_is_near(const struct gs_way *way, uint64_t now_ns);
/* A copy took so long, and ended now. For gs_way_copy and its test. */
void gs_way_learn(struct gs_way *way, size_t size, uint64_t ns, uint64_t now_ns);

#endif
