/* Inside host/replay: the records of a trace in an order in which they can be played one by one.
 *
 * Records come by when they began. Vulkan's packets wait for their turns, and some began before
 * others that have the turns before: those are held back until these came. So whatever is fed will
 * not wait for what is still to be fed, and what a recording that was switched off ends with, and
 * waits for turns that were not recorded any more, is never fed. The replay's thread. */
#ifndef HOST_REP_ORDER_H
#define HOST_REP_ORDER_H

#include "host/replay/rep_tape.h"

#define REP_CONTEXTS 1024u
#define REP_CUT      64u /* streams that are known to have been cut */

struct rep;

/* Of a context's turns. */
struct rep_turns {
    uint32_t ctx_id;
    uint32_t next; /* the turn that comes next */
    bool is_cut;   /* it never comes: nothing behind it is played */
};

struct rep_order {
    struct rep_tape held;  /* calls, and marks behind them */
    struct cap_event verb; /* is played before anything else is read */
    bool has_verb, holds;
    bool ends_here; /* nothing more is read: what is held is played, and waits in its ring */
    struct rep_turns contexts[REP_CONTEXTS];
    uint32_t context_count;
    uint32_t last;         /* the place that was asked for last */
    uint32_t cut[REP_CUT]; /* streams of packets that are not played */
    uint32_t cut_count;
};

/* As cap_merge_next, with that order; NOMEM also: what is held is too much. */
enum sl_result rep_order_next(struct rep *rep, struct cap_event *event) SL_MUST_USE;
/* A record that began before this call, or the mark of a frame before this one, is held back. */
bool rep_order_holds_call(const struct rep_order *order, uint64_t stamp);
bool rep_order_holds_frame(const struct rep_order *order, uint64_t number);
void rep_order_finish(struct rep_order *order);

#endif
