/* What a replay says when a call was answered otherwise than while recording, or was its last. */
#ifndef SLUICE_REPLAY_DIVERGED_H
#define SLUICE_REPLAY_DIVERGED_H

#include "host/replay/rep.h"

/* One line; where the replay does not go on, as an error, with the calls before it. */
void replay_say_diverged(const char *path, const struct rep_answer *answer, bool goes_on);
/* The last calls up to the one with this stamp, from the trace, as notes. */
void replay_say_last_calls(const char *path, uint64_t stamp);

#endif
