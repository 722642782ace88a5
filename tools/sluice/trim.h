/* Inside trim: what is cut out of which trace, and the ways to do it. Main thread. */
#ifndef SLUICE_TRIM_H
#define SLUICE_TRIM_H

#include "tools/sluice/host_options.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/range.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/trim_reach.h"
#include "host/capture/cap_copy.h"

struct trim {
    const char *path, *name;   /* name: OUT */
    const char *out;           /* written in its place: trim_output.h */
    struct cap_reader *reader; /* of path */
    uint64_t first, last;      /* frames; last UINT64_MAX: to the end */
    uint64_t shown;            /* the first that gets its mark: `first`, or behind it */
    uint64_t begin, cut;       /* stamps of their records; cut UINT64_MAX: to the end */
    struct range streams;      /* whose calls are kept */
    int level;
    bool ignores_results;
    struct progress progress;
    struct host_options host;
    struct cap_merge_snapshot *snapshots;
    uint32_t snapshot_count;
    struct reach *reach; /* of the snapshot that is copied; NULL: all of it is kept */
    uint64_t unused;     /* bytes of it that were left out */
    bool is_cut;         /* a recording was cut short */
    bool has_told_end;   /* that the trace has fewer frames */
};

/* Ways to have the state before the first frame. All give an exit code; the reason was said. */

/* From the file's start, or from a snapshot that lies at the first frame. */
int trim_copy(struct trim *t, const struct cap_merge_snapshot *at);
/* Without a driver: the snapshot is all that came before, from the file's start or from an earlier
 * snapshot `from` on (nullable), less the frame marks. */
int trim_keep(struct trim *t, const struct cap_merge_snapshot *from);
/* Played on this machine's drivers up to the first frame; the snapshot is what lives then. */
int trim_play(struct trim *t);
/* Bytes of the snapshot that the trace begins with that none of its frames uses. */
uint64_t trim_unused(struct trim *t);
/* Whole traces, one behind the other: t->path, t->reader and what others has. */
int trim_join(struct trim *t, struct cap_reader *const *others, char *const *paths, uint32_t count);

/* --- what the ways share --- */

struct cap_start trim_start(const struct trim *t);
/* It cannot be begun; errno. Returns the exit code. */
int trim_refused(const struct trim *t);
/* The frames, from the merge's place on; `frame` is the next one's number. */
int trim_copy_frames(struct trim *t, struct cap_copy *copy, uint64_t frame);
/* The last snapshot that lies at that frame or before it; NULL: there is none. */
const struct cap_merge_snapshot *trim_snapshot_before(const struct trim *t, uint64_t frame);
int trim_no_such_frame(const struct trim *t, uint64_t frames);

#endif
