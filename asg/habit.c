#include "asg/habit.h"

/* A sleep's end comes so much too late, timers being what they are. */
#define LEAD_NS 80000u
/* Shorter ones are not worth two changes of threads. */
#define SLEEP_MIN_NS 40000u
/* More than that spun for is more than a late wake-up costs. */
#define OFF_MAX_NS 40000u
/* The end of a sleep is lost in longer waits. */
#define LONG_NS 10000000u
/* Of shorter ones too large a part is the wake-up. */
#define ASLEEP_NS 200000u
/* Of so many waits one tries whether the other way is better by now. */
#define TURNS 16u
/* Sooner by less than this part is chance. */
#define MARGIN 16u
/* So many in a row that are like each other and unlike the others before are how it is by now: the
 * first of a kind may take fifty times as long as all others. */
#define ALIKE 3u

static uint32_t place(uint32_t kind)
{
    return kind * 0x9e3779b1u >> 27;
}
_Static_assert(ASG_HABITS == 1u << (32 - 27), "place gives any of them");

static bool is_steady(const struct asg_took *took)
{
    return took->off_ns <= took->mean_ns / 4 && took->off_ns <= OFF_MAX_NS &&
           took->mean_ns < LONG_NS;
}

/* The way that took less of late, or now and then the other. */
static enum asg_way choose(struct asg_habit *h)
{
    const struct asg_took *spun = &h->took[ASG_SPIN_AT_END], *slept = &h->took[ASG_ASLEEP];
    if (spun->mean_ns < ASLEEP_NS) {
        return ASG_SPIN_AT_END;
    }
    bool sleeps = slept->mean_ns != 0 && slept->mean_ns < spun->mean_ns - spun->mean_ns / MARGIN;
    h->turn = (h->turn + 1) % TURNS;
    return sleeps != (h->turn == TURNS / 2) ? ASG_ASLEEP : ASG_SPIN_AT_END;
}

bool asg_habit_foresee(struct asg_habits *habits, uint32_t kind, struct asg_foreseen *out)
{
    struct asg_habit *h = &habits->of[place(kind)];
    const struct asg_took *spun = &h->took[ASG_SPIN_AT_END];
    if (h->kind != kind) {
        return false;
    }
    if (h->told) {
        *out = (struct asg_foreseen){.sleep_ns = LONG_NS};
        return true;
    }
    if (!is_steady(spun)) {
        return false;
    }
    h->way = choose(h);
    if (h->way == ASG_ASLEEP) {
        *out = (struct asg_foreseen){.sleep_ns = 2 * (uint64_t)spun->mean_ns};
        return true;
    }
    uint32_t early = 2 * spun->off_ns + LEAD_NS;
    *out = (struct asg_foreseen){.spin_ns = spun->mean_ns + early};
    if (spun->mean_ns >= early + SLEEP_MIN_NS) {
        out->sleep_ns = spun->mean_ns - early;
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

static uint32_t apart(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

/* One that is far from those before. True: it and the last ones are what counts now. */
static bool is_new_way(struct asg_took *took, uint32_t now)
{
    uint32_t last = took->strange_ns, off = apart(now, last);
    took->alike = off <= last / 4 ? took->alike + 1 : 1;
    took->strange_ns = now;
    if (took->alike < ALIKE) {
        return false;
    }
    *took = (struct asg_took){.mean_ns = now, .off_ns = off};
    return true;
}

void asg_habit_learn(struct asg_habits *habits, uint32_t kind, uint64_t took_ns)
{
    struct asg_habit *h = &habits->of[place(kind)];
    uint32_t now = took_ns < 2 * LONG_NS ? (uint32_t)took_ns : 2 * LONG_NS; /* on average, long */
    if (h->kind != kind) { /* the first is not believed alone */
        *h = (struct asg_habit){.kind = kind, .took[ASG_SPIN_AT_END] = {now, now}};
        return;
    }
    struct asg_took *took = &h->took[h->way];
    h->way = ASG_SPIN_AT_END;
    if (took->mean_ns == 0) {
        took->mean_ns = now;
        return;
    }
    uint32_t off = apart(now, took->mean_ns);
    if (off <= took->mean_ns / 4) {
        took->alike = took->strange_ns = 0;
    } else if (is_new_way(took, now)) {
        return;
    }
    uint32_t step = (off < took->mean_ns / 4 ? off : took->mean_ns / 4) / 4; /* one says little */
    took->off_ns = took->off_ns - took->off_ns / 4 + off / 4;
    took->mean_ns = now > took->mean_ns ? took->mean_ns + step : took->mean_ns - step;
}
