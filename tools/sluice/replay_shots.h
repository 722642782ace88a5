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
    bool strict;        /* INCOMPLETE where the recording was cut short */
    uint32_t run, runs; /* this trace of how many, for the progress */
};

/* Plays the trace as far as they go, in a process of its own. Answers are not compared. Returns an
 * exit code; the reason was said. */
int replay_shots(const char *path, const struct shots_options *options, struct progress *progress);

#endif
