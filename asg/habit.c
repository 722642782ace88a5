#include "asg/habit.h"

/* A sleep's end comes so much too late, timers being what they are. */
#define LEAD_NS 80000u
/* Shorter ones are not worth two changes of threads. */
#define SLEEP_MIN_NS 40000u
/* More than that spun for is more than a late wake-up costs. */
#define OFF_MAX_NS 40000u
/* The end of a sleep is lost in longer waits. */
#define LONG_NS 10000000u

static uint32_t place(uint32_t kind)
{
    return kind * 0x9e3779b1u >> 27;
}
_Static_assert(ASG_HABITS == 1u << (32 - 27), "place gives any of them");

bool asg_habit_foresee(const struct asg_habits *habits, uint32_t kind, struct asg_foreseen *out)
{
    const struct asg_habit *h = &habits->of[place(kind)];
    if (h->kind != kind || h->off_ns > h->mean_ns / 4 || h->off_ns > OFF_MAX_NS ||
        h->mean_ns >= LONG_NS) {
        return false;
    }
    uint32_t early = 2 * h->off_ns + LEAD_NS;
    *out = (struct asg_foreseen){.spin_ns = h->mean_ns + early};
    if (h->mean_ns >= early + SLEEP_MIN_NS) {
        out->sleep_ns = h->mean_ns - early;
    }
    return true;
}

void asg_habit_learn(struct asg_habits *habits, uint32_t kind, uint64_t took_ns)
{
    struct asg_habit *h = &habits->of[place(kind)];
    uint32_t took = took_ns < LONG_NS ? (uint32_t)took_ns : LONG_NS;
    if (h->kind != kind) { /* the first is not believed alone */
        *h = (struct asg_habit){.kind = kind, .mean_ns = took, .off_ns = took};
        return;
    }
    uint32_t off = took > h->mean_ns ? took - h->mean_ns : h->mean_ns - took;
    h->off_ns = h->off_ns - h->off_ns / 4 + off / 4;
    h->mean_ns = h->mean_ns - h->mean_ns / 4 + took / 4;
}
