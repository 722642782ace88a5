/* Inside host/replay: events that are kept to be played later. The replay's thread. */
#ifndef HOST_REP_TAPE_H
#define HOST_REP_TAPE_H

#include "host/capture/cap_merge.h"

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
/* Takes one out; what it points to stays until the tape is cleared. */
void rep_tape_take(struct rep_tape *tape, uint32_t index, struct cap_event *event);
void rep_tape_clear(struct rep_tape *tape);
void rep_tape_finish(struct rep_tape *tape);

#endif
