/* One measured run of a trace, in a process of its own. Main thread. */
#ifndef SLUICE_BENCH_PLAY_H
#define SLUICE_BENCH_PLAY_H

#include "host/replay/rep.h"
#include "host/times.h"
#include "tools/sluice/host.h"
#include "transport/local/local_wire.h"

#define BENCH_ENVIRONMENT 512u /* bytes of NAME=VALUE, and one */

struct bench_play {
    const char *path;
    struct cap_reader *reader; /* borrowed, scanned */
    struct host_options host;
    uint64_t first_frame; /* played from the snapshot before it */
    uint64_t stop_frame;  /* the first that is not played */
    uint64_t stop_call;   /* the same of calls, by stamp */
    double seconds;       /* plays again until so much time has passed; 0: once */
    bool one_thread;
    bool wants_gpu;          /* what submits take the GPU is measured */
    const char *environment; /* "NAME=VALUE,NAME=VALUE" for the run; nullable */
};

struct bench_run {
    int code;                    /* an exit code; not OK: it was said, and the rest is not there */
    double seconds, cpu_seconds; /* for one playing of what is asked for */
    /* From a frame's end to the next one's, of the frames that are asked for: median, 95 of 100,
     * greatest. 0 of them: all are 0. */
    double frame_ms[3];
    uint32_t frame_times;
    uint64_t frames, calls; /* that are asked for */
    uint64_t lead;          /* frames before them, which are played, too */
    uint64_t peak_kib;
    char device[LOCAL_TEXT];
    uint32_t cost_count; /* of `costs` */
    struct hct_tally gpu;
};

/* costs: REP_COSTS of them, and packets are measured each; NULL: they are not. */
void bench_play(const struct bench_play *play, struct bench_run *run, struct rep_cost *costs);

#endif
