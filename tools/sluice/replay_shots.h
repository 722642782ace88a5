/* Pictures of a trace's frames as PNG files, for verbs that compare them. */
#ifndef SLUICE_REPLAY_SHOTS_H
#define SLUICE_REPLAY_SHOTS_H

#include "tools/sluice/host.h"
#include "tools/sluice/range.h"

struct shots_options {
    struct range frames;
    const char *out; /* a folder: frame-000007.png, as replay --shots writes them */
    struct host_options host;
};

/* Plays the trace as far as they go. Answers are not compared. Returns an exit code; the reason was
 * said. */
int replay_shots(const char *path, const struct shots_options *options);

#endif
