/* How long a guest that waits for answers is silent between its bursts: where that is about as long
 * each time, as in a loop that draws and sleeps, the ring's thread is awake again when the guest
 * comes. To be woken costs the guest 10 to 60 us; to be awake in time costs the host the part of
 * the gap for which its end is uncertain.
 *
 * Used by asg/reader.c; one thread. */
#ifndef ASG_GAP_H
#define ASG_GAP_H

#include "asg/habit.h"

struct asg_gap {
    uint32_t mean_ns;
    uint32_t off_ns;  /* how far from it, the two moving averages */
    uint32_t alike;   /* so many gaps were, counted up to as many as are believed */
    uint32_t strange; /* counts up with each that is far off, down with others */
};

/* False: nothing is foreseen of the gap that has begun: gaps are too short, too long or too
 * different, or what is uncertain is more than a quarter of them. */
bool asg_gap_foresee(const struct asg_gap *gap, struct asg_foreseen *out);
/* A gap, one that could not be spun through, took so long. A single one that is far off, as where
 * somebody else had the guest's processor, changes nothing. */
void asg_gap_learn(struct asg_gap *gap, uint64_t took_ns);

#endif
