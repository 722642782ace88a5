/* Inside host/replay: events that are kept to be played later, and which packets may be played now.
 * The replay's thread. */
#ifndef HOST_REP_TAPE_H
#define HOST_REP_TAPE_H

#include "host/replay/rep_priv.h"

struct rep_block;

/* Events with all that they point to. */
struct rep_tape {
    struct cap_event *events;
    uint32_t count, room;
    struct rep_block *blocks;
    uint64_t bytes;
};

/* False: no memory, or it is too long. */
bool rep_tape_add(struct rep_tape *tape, const struct cap_event *event);
void rep_tape_finish(struct rep_tape *tape);

/* Vulkan's packets come by when they began; some wait for the turns of others that came later. */
struct rep_order {
    struct rep_tape tape;
    struct {
        uint32_t ctx_id, next;
    } contexts[REP_CONTEXTS];
    uint32_t context_count;
};

/* The next record that waits for none behind it: where a frame ends, nothing is under way. As
 * cap_merge_next; NOMEM. */
enum sl_result rep_order_next(struct rep_order *order, struct rep *rep,
                              struct cap_event *event) SL_MUST_USE;

#endif
