/* Rest: a ring's thread stands between two packets, or waits for its turn, until it is let go on.
 *
 * Who uses it: the ring (its own thread), and through it the device thread. Nothing of it is looked
 * at while nobody asks for rest: that is a bit of the recorder's epoch, which a ring loads once a
 * batch anyway. */
#ifndef HOST_HR_REST_H
#define HOST_HR_REST_H

#include "host/ring/ring.h"
#include "transport/base/result.h"
#include "transport/virtgpu/recorder.h"

#include <stdbool.h>
#include <stdint.h>

struct hr_rest {
    const uint32_t *epoch; /* vgd_recorder.epoch; NULL: nobody ever asks */
    const uint32_t *stop;  /* atomic; not 0: no rest any more */
    uint32_t state;        /* atomic, futex: how it stands, and in which epoch */
    uint32_t bell;         /* atomic, futex: changes when there is something to look at */
    /* A job for the resting thread, set before job_state says so. */
    struct hr_job job;
    uint32_t job_state; /* atomic, futex: whether there is one, and who still wants it */
};

/* --- the ring's thread --- */

static inline bool hr_rest_is_wanted(const struct hr_rest *rest)
{
    /* Pairs with the store of whoever asks. */
    return rest->epoch != NULL &&
           (__atomic_load_n(rest->epoch, __ATOMIC_ACQUIRE) & VGD_EPOCH_REST) != 0;
}
/* Until nobody asks any more. */
void hr_rest_here(struct hr_rest *rest);
/* Inside a packet, around a wait for other rings' packets: counts as rest where `epoch`, the one
 * that the packet was shown to the recorder in, is the present one. end returns when no rest is
 * asked for. */
void hr_rest_wait_begin(struct hr_rest *rest, uint32_t epoch);
void hr_rest_wait_end(struct hr_rest *rest);
/* Inside a packet, around a wait for what others do that whoever saves the context knows of and can
 * begin anew: counts as rest in any epoch. hr_rest_wait_end ends it. */
void hr_rest_linger_begin(struct hr_rest *rest);
/* It is at rest for good. */
void hr_rest_end(struct hr_rest *rest);

/* --- the device thread --- */

/* Something to look at: rest was asked for or is over, or the ring stops. Any thread. */
void hr_rest_ring(struct hr_rest *rest);
bool hr_rest_is(const struct hr_rest *rest);
/* hr_ring_run, of at most limit_ns. */
enum sl_result hr_rest_run(struct hr_rest *rest, const struct hr_job *job,
                           uint64_t limit_ns) SL_MUST_USE;

#endif
