/* What a replay is asked for, and how it is played. Main thread; replay_play in the worker. */
#ifndef SLUICE_REPLAY_PLAY_H
#define SLUICE_REPLAY_PLAY_H

#include "tools/sluice/drawn.h"
#include "tools/sluice/opt.h"
#include "tools/sluice/range.h"
#include "tools/sluice/replay_plan.h"
#include "tools/sluice/replay_shown.h"
#include "tools/sluice/replay_window.h"
#include "tools/sluice/replay_worker.h"
#include "transport/local/local_wire.h"

/* Places in the verb's options. */
enum {
    REPLAY_BACKEND,
    REPLAY_THREADS,
    REPLAY_FRAMES,
    REPLAY_STOP_AFTER,
    REPLAY_SKIP,
    REPLAY_PRELOAD,
    REPLAY_LOOP,
    REPLAY_LOOP_TIME,
    REPLAY_PACE,
    REPLAY_WINDOW,
    REPLAY_VALIDATE,
    REPLAY_HASH,
    REPLAY_EXPECT,
    REPLAY_SHOTS,
    REPLAY_KIND,
    REPLAY_ATTACHMENTS,
    REPLAY_OUT,
    REPLAY_FORCE,
    REPLAY_IGNORE_RESULTS,
    REPLAY_KEEP_GOING,
    REPLAY_PORTABLE,
    REPLAY_PLAN,
    REPLAY_TIMEOUT,
    REPLAY_STRICT,
    REPLAY_PROGRESS,
    REPLAY_HOST
};

/* When a frame may be over. */
struct pace {
    bool is_original;
    double fps;        /* 0: at once */
    uint64_t begin_ns; /* sl_clock_ns() of the run's first frame; 0: not yet */
    uint64_t first;    /* that frame's number */
    uint64_t first_time;
};

struct replay {
    const char *path;
    const struct opt_set *set;
    struct cap_reader *reader;
    struct range frames, skipped;
    struct drawn_set shots;
    struct drawn *drawn; /* nullable */
    struct shown *shown;
    struct replay_window *window; /* nullable */
    struct pace pace;
    struct replay_plan plan;
    struct remap *remap; /* of the run that goes on */
    struct rep *rep;     /* of the run that was last; nullable, as its device */
    struct vgd *device;
    struct replay_place *place; /* in the worker */
    char driver[LOCAL_TEXT];
    uint64_t load_ns;
    uint64_t begin_ns, played; /* rounds of --loop */
    int code;                  /* of a callback that ended it */
    bool has_diverged;
    bool has_kept;  /* a call that was to be skipped */
    bool is_closed; /* the window */
    bool has_told_loop;
};

/* --backend is this. */
bool replay_is_backend(const struct opt_set *set, const char *name);
/* All of it, as often as it is to be played. user: a struct replay. Returns an exit code. */
int replay_play(void *user, struct replay_place *place);

#endif
