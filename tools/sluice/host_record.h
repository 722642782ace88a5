/* A recording in a host: begun, ended, and what the starter is told of it. Device thread. */
#ifndef SLUICE_HOST_RECORD_H
#define SLUICE_HOST_RECORD_H

#include "host/capture/cap_device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_RECORD_LINE 512u

struct host_record {
    const char *path;  /* NULL: nothing is recorded */
    char *const *argv; /* the program, for META; nullable */
    int level;
    bool force, durable, hashes;
    uint64_t max_size;       /* 0: none */
    uint64_t skip;           /* frames before the first */
    uint64_t frames;         /* 0: all */
    uint64_t snapshot_every; /* frames; 0: none */
};

/* What the starter of a private host learns. */
struct host_recorded {
    bool was_begun; /* the file is there */
    bool is_told;   /* it is complete, and what follows is known */
    bool is_over;   /* its frames are complete; the program may run on */
    uint64_t frames, calls, streams, memory_bytes, shared_bytes, file_size, tap_ns, decode_ns;
    uint64_t stall_ns;
    int reason; /* enum cap_end_reason */
    int error;  /* errno; 0: none */
    bool has_name;
};

/* What tools may start and stop in a host. */
struct host_recorder {
    struct cap_device *recorder;
    struct vgd *device;
    char last[HOST_RECORD_LINE]; /* of the recording that ended last; empty: none did */
};

/* The wishes of tools, each one line: "record start\nNAME=VALUE\n.." with the fields of struct
 * host_record, path last; "record stop"; "record status". Answers "ok", "none", "waiting TRIES",
 * "recording FRAMES", "over FRAMES", "recorded .." as host_record_take_line takes it, or "error
 * CODE TEXT". user: struct host_recorder. */
void host_record_tool(void *user, const char *text, char *reply, size_t size);
/* The other end: the wish that starts it. False: it is too long. */
bool host_record_wish(const struct host_record *record, char *text, size_t size);

/* Returns an exit code; the reason was said. status_fd: as host_tell's. */
int host_record_begin(struct cap_device *recorder, struct vgd *device,
                      const struct host_record *record, int status_fd);
/* Ends it, where there is one, and tells. */
void host_record_end(struct cap_device *recorder, enum cap_end_reason reason, int status_fd);
/* A line of host_record's, "recorded ..." or "over". False: it is another. */
bool host_record_take_line(struct host_recorded *recorded, const char *line);

#endif
