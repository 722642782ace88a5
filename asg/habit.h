/* How long answers to a kind of question take, so that a wait which takes about as long each time
 * is slept through: to be woken costs 20 to 60 us, to spin all the while a processor.
 *
 * For the end of it there are two ways. Who spins through that is not late; who sleeps leaves the
 * processor to the driver's threads, which may work for the very answer. Which one is sooner there
 * is found out by trying. A kind is any number that is the same when the program asks the same
 * again. Used by asg/writer_wait.c and host/ring/hr_await.c; one thread. */
#ifndef ASG_HABIT_H
#define ASG_HABIT_H

#include <stdbool.h>
#include <stdint.h>

#define ASG_HABITS 32u
#define ASG_TAKEN  6u /* waits that are remembered of each way */

enum asg_way { ASG_SPIN_AT_END, ASG_ASLEEP };

struct asg_took {
    uint32_t ns[ASG_TAKEN]; /* the last waits, in a circle */
    uint32_t count, next;
};

struct asg_habit {
    uint32_t kind;           /* 0: none */
    struct asg_took took[2]; /* by asg_way */
    enum asg_way way;        /* of the wait that has begun */
    uint32_t turn;
    bool slept; /* through the end of the wait that has begun */
    bool told;  /* the host says when the end is near */
};

struct asg_habits {
    struct asg_habit of[ASG_HABITS]; /* who comes later takes the place of another kind */
};

/* What is foreseen of a wait that has begun. */
struct asg_foreseen {
    uint64_t sleep_ns; /* so long it may be slept; 0: not at all */
    uint64_t spin_ns;  /* and spun until that much after its beginning */
};

/* False: nothing is, or waits of the kind are too short or too different. kind: not 0. What took so
 * long is to be told before the next is asked for. */
bool asg_habit_foresee(struct asg_habits *habits, uint32_t kind, struct asg_foreseen *out);
/* In a wait of that kind the host said that the end is near: the next are slept through up to that.
 */
void asg_habit_told(struct asg_habits *habits, uint32_t kind);
/* In a wait of that kind the end came while it was slept though it should be spun for: sooner than
 * the wait will have taken, or the next would be slept longer. */
void asg_habit_slept(struct asg_habits *habits, uint32_t kind);
/* A wait took so long. kind: not 0. */
void asg_habit_learn(struct asg_habits *habits, uint32_t kind, uint64_t took_ns);

#endif
