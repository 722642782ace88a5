/* `sluice replay --validate`: Khronos' validation layer below the replay. Main thread. */
#ifndef SLUICE_REPLAY_VALIDATE_H
#define SLUICE_REPLAY_VALIDATE_H

#include "host/capture/cap_merge.h"

#include <limits.h>
#include <stdint.h>

struct validate {
    char folder[PATH_MAX]; /* temporary: the layer's settings, and what it said */
};

/* Before the device is made: the layer comes with every Vulkan instance of this process and its
 * children from now on. MISSING: there is no such layer, or the trace holds no Vulkan, which is all
 * that it validates; it was said, and nothing is to be ended. */
int validate_begin(struct validate *v, struct cap_reader *reader);
/* Says what the layer said, as errors. Gives how much. */
uint64_t validate_end(struct validate *v);

#endif
