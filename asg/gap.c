#include "asg/gap.h"

/* From the sleep's timer to the thread that runs. */
#define LEAD_NS 60000u
/* More than that spun for is more than a late wake-up costs. */
#define OFF_MAX_NS 40000u
/* To be woken is lost in longer gaps. */
#define LONG_NS 20000000u
/* So many alike are believed; and no longer once there are as many strange ones in a row, or more
 * than every third is one. */
#define ALIKE       3u
#define STRANGE     2u /* for one, */
#define STRANGE_MAX 6u

static uint32_t apart(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

bool asg_gap_foresee(const struct asg_gap *gap, struct asg_foreseen *out)
{
    uint32_t early = 2 * gap->off_ns + LEAD_NS;
    if (gap->alike < ALIKE || gap->off_ns > OFF_MAX_NS || gap->mean_ns / 8 < early) {
        return false;
    }
    *out = (struct asg_foreseen){.sleep_ns = gap->mean_ns - early, .spin_ns = gap->mean_ns + early};
    return true;
}

void asg_gap_learn(struct asg_gap *gap, uint64_t took_ns)
{
    uint32_t took = took_ns < LONG_NS ? (uint32_t)took_ns : LONG_NS;
    uint32_t off = apart(took, gap->mean_ns);
    if (took == LONG_NS || off > gap->mean_ns / 4) {
        gap->strange += STRANGE;
        if (gap->alike < ALIKE || gap->strange >= STRANGE_MAX) {
            *gap = (struct asg_gap){.mean_ns = took, .alike = took < LONG_NS};
        }
        return;
    }
    gap->strange -= gap->strange != 0;
    gap->off_ns = gap->alike == 1 ? off : gap->off_ns - gap->off_ns / 4 + off / 4;
    gap->mean_ns = gap->mean_ns - gap->mean_ns / 4 + took / 4;
    gap->alike += gap->alike < ALIKE;
}
