/* What a replay shows of its frames: hash lines, pictures, comparisons, times. Main thread. */
#ifndef SLUICE_REPLAY_SHOWN_H
#define SLUICE_REPLAY_SHOWN_H

#include "tools/sluice/drawn.h"

struct shown_options {
    bool hash;
    const char *expect;            /* a file, or "live"; nullable */
    const struct drawn_set *shots; /* frames' ends; nullable */
    const char *out;               /* a folder */
    struct picture_rules pictures;
    bool json;
};

struct shown;

/* options: what it points to is borrowed. Returns an exit code; the reason was said. */
int shown_create(const struct shown_options *options, struct shown **out);
void shown_destroy(struct shown *shown);
/* Returns an exit code; not OK ends the replay. */
int shown_frame(struct shown *shown, const struct rep_frame *frame);
/* Behind the last frame: OK; DIFFERENT: a picture was not the expected one, or nothing says which
 * one is; USAGE: there was nothing to compare any frame with, or none of the pictures that were
 * asked for was met. What was not said yet is said. */
int shown_end(const struct shown *shown);
/* Of the frames that were shown: how many, and what they took. report: of all that were played,
 * those that led to them too. complete: nothing of what was recorded is missing or damaged. */
void shown_last_line(struct shown *shown, const struct rep_report *report, bool complete,
                     uint64_t load_ns, const char *device);

#endif
