/* Waits of handlers for a driver's work, such as a picture that is read. Whoever sleeps in the
 * driver is woken 20 to 60 us after the end, and so is the program natively; here the guest is
 * woken behind that as well. So of work that takes as long each time (asg/habit.h) most is slept
 * through, and the end is spun for where the program's rounds are clearly shorter so: it takes a
 * processor from the driver's threads, and on a busy machine gains nothing. A ring's thread. */
#ifndef HR_AWAIT_H
#define HR_AWAIT_H

#include "asg/habit.h"

#include <stdbool.h>
#include <stdint.h>

struct hr_work {
    bool (*is_over)(void *user); /* does not wait; the first call may hand the work over */
    void (*wait)(void *user);    /* asleep, until it is over */
    void *user;
};

/* All zero at first. */
struct hr_await {
    struct asg_habits habits;
    uint64_t bytes;    /* that the guest had sent at the last wait */
    uint64_t begin_ns; /* of the last wait */
    uint32_t kind;
    bool spun; /* its end was spun for */
    uint32_t turn;
    /* From one wait to the next, the moving averages by `spun`; 0: not known. */
    uint32_t round_ns[2];
    uint32_t pauses; /* waits in which it only pauses between two looks */
};

/* Returns when the work is over. bytes: that the guest has sent so far: a program that does the
 * same again sends as many between two waits. */
void hr_await(struct hr_await *await, uint64_t bytes, const struct hr_work *work);

#endif
