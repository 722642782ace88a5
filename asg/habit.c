#include "asg/habit.h"

#include <string.h>

/* A sleep's end comes so much too late, timers being what they are: 55 us, and 70 to 80 on a
 * virtual machine, rarely more. */
#define LEAD_NS 120000u
/* Who sleeps when the end comes is woken so much later. */
#define WOKEN_NS 60000u
/* And so much may the next one take longer than all. */
#define BEHIND_NS 80000u
/* Shorter ones are not worth two changes of threads. */
#define SLEEP_MIN_NS 40000u
/* More than that spun for is more than a late wake-up costs. */
#define SPAN_MAX_NS 120000u
/* Fewer waits say nothing of the next. */
#define LEAST 3u
/* The end of a sleep is lost in longer waits. */
#define LONG_NS 10000000u
/* Of shorter ones too large a part is the wake-up. */
#define ASLEEP_NS 200000u
/* Of so many waits one tries whether the other way is better by now. */
#define TURNS 16u
/* Sooner by less than this part is chance. */
#define MARGIN 16u

/* From the shortest of some waits to the longest. */
struct span {
    uint32_t least_ns, most_ns;
};

static uint32_t place(uint32_t kind)
{
    return kind * 0x9e3779b1u >> 27;
}
_Static_assert(ASG_HABITS == 1u << (32 - 27), "place gives any of them");

static void sort(uint32_t *ns, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = i; k > 0 && ns[k - 1] > ns[k]; k--) {
            uint32_t more = ns[k - 1];
            ns[k - 1] = ns[k];
            ns[k] = more;
        }
    }
}

/* Most of the last waits, those that are next to each other: some are far from all others where a
 * driver does something once or a processor is taken away. False: too few waits, or they differ. */
static bool usual(const struct asg_took *took, struct span *out)
{
    uint32_t ns[ASG_TAKEN], count = took->count, most = count > LEAST ? count / 2 + 1 : LEAST;
    if (count < LEAST) {
        return false;
    }
    memcpy(ns, took->ns, sizeof ns);
    sort(ns, count);
    *out = (struct span){0, UINT32_MAX};
    for (uint32_t i = 0; i + most <= count; i++) {
        if (ns[i + most - 1] - ns[i] < out->most_ns - out->least_ns) {
            *out = (struct span){ns[i], ns[i + most - 1]};
        }
    }
    uint32_t width = out->most_ns - out->least_ns;
    return width <= out->least_ns / 4 && width <= SPAN_MAX_NS && out->most_ns < LONG_NS;
}

/* Of the last waits; 0: there are none. */
static uint32_t shortest(const struct asg_took *took)
{
    uint32_t least = took->count != 0 ? took->ns[0] : 0;
    for (uint32_t i = 1; i < took->count; i++) {
        least = took->ns[i] < least ? took->ns[i] : least;
    }
    return least;
}

/* The way that took less of late, or now and then the other. The shortest are held against each
 * other: what else there was in a wait has nothing to do with the way. */
static enum asg_way choose(struct asg_habit *h)
{
    uint32_t spun = shortest(&h->took[ASG_SPIN_AT_END]), slept = shortest(&h->took[ASG_ASLEEP]);
    if (spun < ASLEEP_NS) {
        return ASG_SPIN_AT_END;
    }
    bool sleeps = slept != 0 && slept < spun - spun / MARGIN;
    h->turn = (h->turn + 1) % TURNS;
    return sleeps != (h->turn == TURNS / 2) ? ASG_ASLEEP : ASG_SPIN_AT_END;
}

bool asg_habit_foresee(struct asg_habits *habits, uint32_t kind, struct asg_foreseen *out)
{
    struct asg_habit *h = &habits->of[place(kind)];
    struct span span;
    if (h->kind != kind) {
        return false;
    }
    if (h->told) {
        *out = (struct asg_foreseen){.sleep_ns = LONG_NS};
        return true;
    }
    if (!usual(&h->took[ASG_SPIN_AT_END], &span)) {
        return false;
    }
    h->way = choose(h);
    if (h->way == ASG_ASLEEP) {
        *out = (struct asg_foreseen){.sleep_ns = 2 * (uint64_t)span.most_ns};
        return true;
    }
    *out = (struct asg_foreseen){.spin_ns = span.most_ns + BEHIND_NS};
    if (span.least_ns >= LEAD_NS + SLEEP_MIN_NS) {
        out->sleep_ns = span.least_ns - LEAD_NS;
    }
    return true;
}

void asg_habit_told(struct asg_habits *habits, uint32_t kind)
{
    struct asg_habit *h = &habits->of[place(kind)];
    if (h->kind == kind) {
        h->told = true;
    }
}

void asg_habit_slept(struct asg_habits *habits, uint32_t kind)
{
    struct asg_habit *h = &habits->of[place(kind)];
    h->slept = h->kind == kind && h->way == ASG_SPIN_AT_END;
}

void asg_habit_learn(struct asg_habits *habits, uint32_t kind, uint64_t took_ns)
{
    struct asg_habit *h = &habits->of[place(kind)];
    if (h->kind != kind) {
        *h = (struct asg_habit){.kind = kind};
    }
    struct asg_took *took = &h->took[h->way];
    uint32_t ns = took_ns < LONG_NS ? (uint32_t)took_ns : LONG_NS;
    took->ns[took->next] = h->slept && ns > WOKEN_NS ? ns - WOKEN_NS : ns;
    h->way = ASG_SPIN_AT_END;
    h->slept = false;
    took->next = (took->next + 1) % ASG_TAKEN;
    took->count += took->count < ASG_TAKEN;
}
