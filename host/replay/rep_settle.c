/* A replay that stands still, for a snapshot of what it came to. */
#include "host/replay/rep_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#define REST_S 5u

static bool has_begun(const struct rep_ring *ring)
{
    return rep_ring_is_done(ring, ring->fed) ||
           (rep_ring_is_done(ring, ring->fed - 1) &&
            __atomic_load_n(&ring->packet, __ATOMIC_ACQUIRE) != NULL);
}

void rep_settle(struct rep *rep)
{
    uint64_t begin = sl_clock_ns();
    rep_flush_all(rep);
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        struct rep_ring *ring = rep->rings[i];
        while (ring != NULL && sl_atomic_load_relaxed(&ring->is_gone) == 0 &&
               sl_atomic_load_acquire(&ring->is_lost) == 0 && !has_begun(ring) &&
               sl_clock_ns() - begin < rep_patience_ns(rep)) {
            rep_ring_drain(ring);
            sl_clock_sleep_ns(SL_NS_PER_MS);
        }
    }
}

bool rep_is_still(struct rep *rep, uint64_t stamp)
{
    rep_catch_up_all(rep, stamp);
    rep_settle(rep);
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        struct rep_ring *ring = rep->rings[i];
        if (ring == NULL || sl_atomic_load_relaxed(&ring->is_gone) != 0) {
            continue;
        }
        bool was_over = ring->last_end != 0 && ring->last_end < stamp;
        uint32_t most = was_over ? REST_S : 1;
        for (uint32_t tries = 0; tries < most && !rep_ring_is_done(ring, ring->fed); tries++) {
            rep_ring_linger(ring, ring->fed, sl_clock_ns());
        }
        if (!rep_ring_is_done(ring, ring->fed) || sl_atomic_load_acquire(&ring->is_lost) != 0) {
            return false;
        }
        rep_ring_settle(ring);
        rep_ring_drain(ring);
    }
    rep_gpu_idle(rep);
    return !rep->stop;
}

bool rep_waiting_next(struct rep *rep, uint32_t *cursor, struct rep_waiting *out)
{
    while (*cursor < REP_RINGS) {
        const struct rep_ring *ring = rep->rings[(*cursor)++];
        if (ring != NULL && sl_atomic_load_relaxed(&ring->is_gone) == 0 && ring->packet != NULL) {
            *out = (struct rep_waiting){.ring_id = ring->ring_id,
                                        .packet = ring->packet,
                                        .size = ring->packet_size,
                                        .has_sum = ring->packet_sum};
            return true;
        }
    }
    return false;
}
