/* What calls have drawn on: the ring stands behind the call, all others between two packets, and
 * the device reads. */
#include "host/replay/rep_priv.h"

#include "transport/base/clock.h"

#define REST_NS  (5 * SL_NS_PER_S)
#define SLICE_NS (50 * SL_NS_PER_US)

struct looking {
    struct rep *rep;
    struct rep_drawn drawn;
    bool is_told;
};

static void tell(struct looking *l, const struct vgd_attachment *attachment, enum sl_result result)
{
    struct rep *rep = l->rep;
    l->is_told = true;
    l->drawn.drawn_on = attachment;
    if (!rep->options.drawn(rep->options.user, &l->drawn, result)) {
        rep->report->end = REP_END_ASKED;
        rep->stop = true;
    }
}

static bool on_attachment(void *user, const struct vgd_attachment *attachment)
{
    struct looking *l = user;
    tell(l, attachment, SL_OK);
    return !l->rep->stop;
}

/* False: some ring does not come to rest. */
static bool come_to_rest(struct rep *rep)
{
    uint64_t begin = sl_clock_ns();
    while (!rep->device->ops->rest(rep->device, true)) {
        if (sl_clock_ns() - begin > REST_NS) {
            return false;
        }
        sl_clock_sleep_ns(SLICE_NS);
    }
    return true;
}

void rep_look(struct rep *rep, struct rep_ring *ring, const struct cap_event *event)
{
    struct looking l = {.rep = rep, .drawn = {.call = event, .frame = rep->frame}};
    const struct vgd_viewer viewer = {.user = &l, .attachment = on_attachment};
    const struct vgd_ops *ops = rep->device->ops;
    enum sl_result result = SL_ERR_UNSUPPORTED;
    rep_flush_all(rep);
    if (!rep_ring_wait(ring, ring->fed)) {
        return; /* it is lost, which is told with the next call; or it does not end */
    }
    /* Pairs with the rings' loads: they look before each batch. */
    (void)__atomic_fetch_or(&rep->epoch, VGD_EPOCH_REST, __ATOMIC_SEQ_CST);
    if (ops->ctx_drawn != NULL) {
        result = come_to_rest(rep)
                     ? ops->ctx_drawn(rep->device, ring->ctx_id, ring->ring_id, &viewer)
                     : SL_ERR_AGAIN;
    }
    (void)__atomic_fetch_and(&rep->epoch, ~VGD_EPOCH_REST, __ATOMIC_SEQ_CST);
    (void)ops->rest(rep->device, false);
    if (!l.is_told) {
        tell(&l, NULL, result);
    }
}
