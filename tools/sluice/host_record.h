/* A recording in a host: begun, ended, and what the starter is told of it. Device thread. */
#ifndef SLUICE_HOST_RECORD_H
#define SLUICE_HOST_RECORD_H

#include "host/capture/cap_device.h"

#include <stdbool.h>
#include <stdint.h>

struct host_record {
    const char *path;  /* NULL: nothing is recorded */
    char *const *argv; /* the program, for META; nullable */
    int level;
    bool force, durable, hashes;
    uint64_t max_size;       /* 0: none */
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

/* Returns an exit code; the reason was said. status_fd: as host_tell's. */
int host_record_begin(struct cap_device *recorder, struct vgd *device,
                      const struct host_record *record, int status_fd);
/* Ends it, where there is one, and tells. */
void host_record_end(struct cap_device *recorder, enum cap_end_reason reason, int status_fd);
/* A line of host_record's, "recorded ..." or "over". False: it is another. */
bool host_record_take_line(struct host_recorded *recorded, const char *line);

#endif
