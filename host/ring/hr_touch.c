#include "host/ring/hr_touch.h"

/* Two looks at the clock are 60 ns, these 2 us and more. */
#define TIMED_EACH 65536u
/* Twice as many turns each time that the other way is no better. */
#define WAIT_MOST 64u

bool hr_touch_timed(struct hr_touch *touch, size_t size)
{
    touch->untimed += size;
    bool timed = touch->untimed >= TIMED_EACH;
    touch->untimed = timed ? 0 : touch->untimed;
    return timed;
}

void hr_touch_learn(struct hr_touch *touch, size_t size, uint64_t ns)
{
    uint64_t cost = ns < UINT32_MAX ? ns * 1000 / size + 1 : UINT32_MAX;
    uint32_t ps = cost < UINT32_MAX ? (uint32_t)cost : UINT32_MAX;
    touch->least = touch->count == 0 || ps < touch->least ? ps : touch->least;
    if (++touch->count < HR_TOUCH_TURN) {
        return;
    }
    touch->count = 0;
    touch->cost[touch->off] = touch->least;
    bool tried = touch->off != touch->best;
    bool best = touch->cost[true] < touch->cost[false]; /* the unknown one is tried */
    touch->waited++;
    if (best != touch->best) {
        touch->best = best;
        touch->wait = 1;
        touch->waited = 0;
    } else if (tried) {
        touch->wait = touch->wait < WAIT_MOST ? 2 * touch->wait : WAIT_MOST;
        touch->waited = 0;
    }
    touch->off = touch->best != (touch->waited > touch->wait);
}
