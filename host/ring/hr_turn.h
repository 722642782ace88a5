/* Turns: the packets of one context run in the order of their sequence numbers, whatever ring they
 * come by.
 *
 * Who uses it: context types whose packets carry such numbers (Vulkan), one struct per context, on
 * the context's ring threads. A ring takes a packet's turn before it looks at the packet's handles,
 * and passes it on after the command ran, or before it when the command waits for other rings.
 * Protocol: the guest counts from 1 across all its threads; 32 bits, wrapping. */
#ifndef HOST_HR_TURN_H
#define HOST_HR_TURN_H

#include "host/ring/ring.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

struct hr_turns {
    uint32_t passed;      /* atomic, futex: the number whose turn was over last */
    uint32_t running;     /* atomic: 1 from take to pass */
    uint32_t sleepers;    /* atomic */
    uint64_t patience_ns; /* how long a turn may be owed by nobody at work */
};

void hr_turns_init(struct hr_turns *turns);

/* Wait until every number below `number` has had its turn. Spins, then sleeps; watches *stop
 * (atomic). ring: whose packet it is; nullable. PROTOCOL: the number has had its turn
 * already; TIMEOUT: a number before it did not come for patience_ns while no ring was at work in a
 * turn; CLOSED: the ring is stopping.
 */
enum sl_result hr_turn_take(struct hr_turns *turns, struct hr_ring *ring, uint32_t number,
                            const uint32_t *stop) SL_MUST_USE;
/* Once for every turn taken, on the same thread. */
void hr_turn_pass(struct hr_turns *turns);
/* Instead of it: as if the turn had been number `number`. Of a context that is being restored: no
 * other ring waits. */
void hr_turn_jump(struct hr_turns *turns, uint32_t number);

#endif
