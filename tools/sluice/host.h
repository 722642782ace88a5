/* A host: the device and the local socket in front of it. `sluice serve` is one; `sluice run` and
 * `sluice doctor` start a private one. */
#ifndef SLUICE_HOST_H
#define SLUICE_HOST_H

#include "host/device/device.h"
#include "tools/sluice/host_record.h"
#include "transport/base/result.h"
#include "transport/local/local_wire.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct host_options {
    const char *path; /* of the socket */
    bool any_user;
    uint32_t clients;        /* 0: the server's default, like the next ones */
    uint64_t resource_bytes; /* of one process */
    /* Of one user that is neither the server's nor root. */
    uint32_t user_clients, user_programs;
    uint64_t user_bytes;
    struct hct_options device;
    struct host_record record;
    struct worker_host *worker; /* this host is a worker (worker.h): no path; nullable */
    bool stats;                 /* say at the end what was waited for */
    bool is_found;              /* programs find the socket by themselves: say where it is, to the
                                   service manager, too */
    /* Of a private one: gets the lines that are about recordings. Nullable. */
    void (*told)(void *user, const char *line);
    void *told_user;
};

/* Listens at once, then loads the driver, then serves until stop_fd is readable. Progress goes to
 * status_fd (-1: nowhere) as lines: "listening", "ready DRIVER", "failed CODE", "ended CONTEXTS",
 * and those of host_record.h.
 * Returns an exit code; the reason was said. The calling thread is the device thread. */
int host_serve(const struct host_options *options, int stop_fd, int status_fd);

/* What every verb with a host of its own does. */

/* One line to status_fd; -1: nowhere. */
void host_tell(int status_fd, const char *format, ...) SL_PRINTF(2, 3);
/* Before the device is made, and any thread: takes all descriptors that the machine grants, since
 * every client costs some, forgets the environment that would make our guest driver a native one,
 * and lets the heap keep what drivers need again in the next frame. */
void host_prepare(void);
/* Before any thread, where one ring alone is to run: threads take memory from the first one's heap,
 * as a program's own calls would. */
void host_share_memory(void);
/* The device. Returns an exit code; the reason was said. */
int host_make_device(const struct hct_type *const *types, const struct hct_options *options,
                     const struct dev_limits *limits, const struct vgd_sink *sink,
                     struct vgd **device);
/* The same behind a recorder. */
int host_make_recorded(const struct hct_type *const *types, const struct hct_options *options,
                       const struct dev_limits *limits, const struct vgd_sink *front,
                       struct cap_device **recorder, struct vgd **device);
/* Says what draws, which is asked for: every driver of Vulkan there is is loaded for that.
 * is_service: to the service manager as well. */
void host_ready(struct vgd *device, int status_fd, bool is_service);
/* The two descriptors that a host talks and ends by: status_fd as --status-fd gives it, -1 without
 * one, and *stop_fd, readable when a signal ends the host (they are blocked from then on). Returns
 * an exit code; the reason was said. */
int host_open_ends(int status_fd, int *stop_fd);
/* Says that options->path can be connected to. */
void host_listening(const struct host_options *options, int status_fd);
/* Says why there is no listening at path. Returns the exit code. */
int host_cannot_listen(const char *path, enum sl_result result);

enum host_state { HOST_STARTING, HOST_LISTENING, HOST_READY, HOST_FAILED, HOST_ENDED };

/* A private host, seen from the process that started it. */
struct host_process {
    enum host_state state;
    bool listened; /* it was HOST_LISTENING once */
    pid_t pid;
    int status_fd;           /* readable: call host_read_status; -1 once it ended */
    int exit_code;           /* of a host that failed */
    uint64_t contexts;       /* made, once ended */
    char dir[PATH_MAX];      /* private; removed by host_finish */
    char path[LOCAL_TEXT];   /* of the socket */
    char driver[LOCAL_TEXT]; /* what draws, once ready */
    /* What it tells of recordings, a line each, as host_record.h says them. Nullable. */
    void (*told)(void *user, const char *line);
    void *told_user;
    char line[HOST_RECORD_LINE];
    size_t line_size;
    bool is_abandoned; /* host_finish leaves no file of what it records */
};

/* Forks one; options->path is chosen here. The process must have one thread. It ends with its
 * starter. The reason of a failure was said. */
enum sl_result host_start(struct host_process *host,
                          const struct host_options *options) SL_MUST_USE;
/* Takes in what the host wrote so far; never blocks. */
void host_read_status(struct host_process *host);
/* Waits until it reached `state`, failed or ended. TIMEOUT; CLOSED it failed or ended. */
enum sl_result host_wait(struct host_process *host, enum host_state state,
                         int64_t timeout_ns) SL_MUST_USE;
/* Asks it to end, waits, removes its directory. */
void host_finish(struct host_process *host);

#endif
