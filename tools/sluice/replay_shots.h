/* Pictures of a trace's frames as PNG files, for verbs that compare them. */
#ifndef SLUICE_REPLAY_SHOTS_H
#define SLUICE_REPLAY_SHOTS_H

#include "tools/sluice/drawn.h"
#include "tools/sluice/host.h"
#include "tools/sluice/progress.h"

struct shots_options {
    struct drawn_set set;
    const char *out; /* a folder: named as replay --shots names them */
    struct host_options host;
    struct progress *progress; /* two traces are played, its run says which */
};

/* Plays the trace as far as they go. Answers are not compared. Returns an exit code; the reason was
 * said. */
int replay_shots(const char *path, const struct shots_options *options);

#endif
