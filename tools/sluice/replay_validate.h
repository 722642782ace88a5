/* `sluice replay --validate`: Khronos' validation layer below the replay. Main thread. */
#ifndef SLUICE_REPLAY_VALIDATE_H
#define SLUICE_REPLAY_VALIDATE_H

#include "host/capture/cap_merge.h"

#include <stdint.h>

/* MISSING: there is no such layer, or the trace holds no Vulkan, which is all that it validates; it
 * was said. */
int validate_find(struct cap_reader *reader);
/* It is played from a snapshot on, which brings images along in layouts that no call says. */
bool validate_is_late(struct cap_reader *reader, uint64_t first_frame);
/* Before the device is made: the layer comes with every Vulkan instance of this process and its
 * children from now on. folder: for its settings, and what it says. Returns an exit code; the
 * reason was said. */
int validate_begin(const char *folder, bool is_late);
/* Says what the layer said, as errors, but for what is the replay's own doing. Gives how much. */
uint64_t validate_end(const char *folder, bool is_late);

#endif
