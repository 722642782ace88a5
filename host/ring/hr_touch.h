/* Whether what a driver is to copy out of staged memory is touched first.
 *
 * Where guest and host share a cache a copy by vectors is quickest alone, and a touch is a way
 * more. Where they do not, or the copy is the string instruction's, few lines are asked for at a
 * time, and loads alone get more on their way (transport/base/copy.h). Nobody says which it is, and
 * it changes when a thread or a virtual processor moves. So some copies are timed, and now and then
 * some are made the other way. One thread. */
#ifndef HOST_HR_TOUCH_H
#define HOST_HR_TOUCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies timed before the quickest of them is believed: others had to wait for something. */
#define HR_TOUCH_TURN 8u

/* Zeros: touched, nothing known. */
struct hr_touch {
    bool best;        /* without is */
    bool off;         /* at present; not `best`: it is tried */
    uint32_t cost[2]; /* ps a byte, by `off`; 0: unknown */
    uint32_t least;   /* of this turn's; 0: none */
    uint32_t count;   /* of them */
    uint32_t waited;  /* turns since the other was tried */
    uint32_t wait;    /* it is tried after so many */
    size_t untimed;   /* bytes since the last one */
};

/* Is a copy of `size` bytes worth a look at the clock? */
bool hr_touch_timed(struct hr_touch *touch, size_t size);
/* A copy took so long, with its touch if there was one. size > 0. */
void hr_touch_learn(struct hr_touch *touch, size_t size, uint64_t ns);

#endif
