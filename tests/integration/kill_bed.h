/* What tests of dying processes stand on: a real `sluice serve` on the native driver, a program
 * (kill_client, kill_vk_client) that must not be disturbed, and others that are. All on the test's
 * own thread; asserts leave the case. */
#ifndef KILL_BED_H
#define KILL_BED_H

#include "tests/integration/kill_codes.h"
#include "transport/base/clock.h"
#include "transport/local/local_control.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define KILL_PATIENCE_NS (20 * SL_NS_PER_S)

struct kill_bed {
    char path[108];
    bool isolates; /* the host has workers; before it is started */
    int said;      /* what such a host says, non-blocking; + 1, 0: none */
    pid_t host;
    pid_t x;       /* the case's own X server; 0: none */
    int x_number;  /* its display */
    pid_t wayland; /* the case's own compositor, in the case's own folder; 0: none */
    pid_t steady;  /* the undisturbed program */
    pid_t victim;
    int frames; /* the last program that was asked for them: its bytes, non-blocking; + 1, 0: none
                 */
    struct local_control *control;
    uint64_t random;
    uint64_t last_ns, gap_ns; /* kill_bed_watch: when the last frame came, the longest silence */
};

void kill_bed_init(struct kill_bed *t);
void kill_bed_finish(struct kill_bed *t);

void kill_bed_host_start(struct kill_bed *t);
/* Whether it lives or not; another can be started. */
void kill_bed_host_end(struct kill_bed *t);

/* A private Xvfb; skips the case where there is none to start. */
void kill_bed_x_start(struct kill_bed *t);
void kill_bed_x_kill(struct kill_bed *t);

/* A private headless weston, which kill_bed_client's programs find; skips without. */
void kill_bed_wayland_start(struct kill_bed *t);
void kill_bed_wayland_kill(struct kill_bed *t);

/* On the case's own window systems, if it has them. frames: its bytes go to t->frames. */
pid_t kill_bed_client(struct kill_bed *t, const char *mode, bool frames);
void kill_bed_end(pid_t *pid);
/* Puts what the case's programs have said into the log: one of them ended as it should not. */
void kill_bed_tell(void);
/* Until it has ended: its wait status. -1: it did not within KILL_PATIENCE_NS. */
int kill_bed_ending(pid_t *pid, uint64_t *taken_ns);

void kill_bed_wait_frames(struct kill_bed *t, uint32_t count);
/* Until the host has exactly so much: nothing left of the killed. */
void kill_bed_wait_host(struct kill_bed *t, uint32_t contexts, uint32_t clients);
/* Follows t->frames for so long. */
void kill_bed_watch(struct kill_bed *t, uint64_t ns);
/* What the host has once it serves the undisturbed program alone. */
struct kill_host_size {
    uint32_t fds, threads, resources;
};
struct kill_host_size kill_bed_host_size(struct kill_bed *t);
uint64_t kill_bed_random(struct kill_bed *t, uint64_t below);

/* --- kill_deaths.c: who dies how --- */

/* Programs that die while `steady` is not disturbed: `count` of them, in their modes in turn (until
 * NULL), each within `within_ns` of its start. At the end the host must be as large as after
 * `warm_up` of them, and `steady` have been silent for less than `gap_max_ns`. */
#define KILL_MODES 8
struct kill_plan {
    const char *steady;
    uint32_t count, warm_up;
    uint64_t within_ns, gap_max_ns;
    const char *modes[KILL_MODES + 1];
};
void kill_bed_programs_die(struct kill_bed *t, const struct kill_plan *plan);

/* Of parameterised cases. */
struct kill_mode_case {
    const char *label;
    const char *mode;
};
struct kill_host_case {
    const char *label;
    const char *mode;
    int signal;
};

struct kill_window_system {
    void (*start)(struct kill_bed *t);
    void (*kill)(struct kill_bed *t);
};
extern const struct kill_window_system kill_bed_x, kill_bed_wayland;
/* Its programs say so and end, `count` times; the host and `steady`, which has no window, go on. */
void kill_bed_window_system_dies(struct kill_bed *t, const struct kill_window_system *system,
                                 const char *mode, const char *steady, uint32_t count);
/* A host with workers is started, and that of a program, which is not `steady`, dies by `signal`:
 * the program says so and ends within `most_ns` of the end of the worker's process, `steady` is
 * silent for less than `gap_max_ns`, and the host says who died of what. */
struct kill_worker_plan {
    const char *mode, *steady;
    bool lives; /* it begins anew all the time: it may meet its next worker and hear of no loss, so
                   that one dies, too */
    int signal;
    uint64_t most_ns, gap_max_ns;
};
void kill_bed_worker_dies(struct kill_bed *t, const struct kill_worker_plan *plan);
/* A host is started and dies by `signal` under a program, which says so and ends within `most_ns`
 * of the end of the host's process. */
void kill_bed_host_dies(struct kill_bed *t, const char *mode, int signal, uint64_t most_ns);

#endif
