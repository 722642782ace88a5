/* The recorder: a device (waist B) that forwards to another and writes down what is asked of it,
 * and a vgd_recorder for the rings behind it.
 *
 * Stack it or not: while nothing is recorded a verb costs a look at a pointer. Device thread unless
 * said. Order: cap_device_create with the front's sink; the real device with cap_device_sink;
 * cap_device_wrap, whose result the front gets; its destroy ends the real device and this one. */
#ifndef HOST_CAP_DEVICE_H
#define HOST_CAP_DEVICE_H

#include "host/capture/cap_writer.h"
#include "transport/virtgpu/vgd.h"

struct cap_device;
struct cap_recording;

/* A front that has a recorder of its own (a replay) keeps it: then nothing but snapshots can be
 * recorded, by cap_device_snapshot. */
enum sl_result cap_device_create(const struct vgd_sink *front, struct cap_device **out) SL_MUST_USE;
/* Only where cap_device_wrap never came to be. Takes NULL. */
void cap_device_destroy(struct cap_device *device);
/* For the real device's constructor. */
struct vgd_sink cap_device_sink(struct cap_device *device);
/* Takes inner. */
struct vgd *cap_device_wrap(struct cap_device *device, struct vgd *inner);

/* A packet of a ring that the front's own recorder watches: it has begun and waits for others. */
struct cap_waiting {
    uint32_t ring_id;
    const void *packet; /* borrowed while all rings are at rest */
    size_t size;
    bool has_sum;
};

enum cap_unit { CAP_UNIT_FRAMES, CAP_UNIT_SUBMITS, CAP_UNIT_NS };

struct cap_start {
    const char *path;
    int level; /* zstd's; 0: none */
    bool force, durable;
    bool needs_calls;  /* as in struct cap_writer_options */
    bool hashes;       /* of every frame's picture */
    bool no_contents;  /* of memory: structure only, which cannot be replayed */
    bool compares;     /* finds writes to memory by comparison even where guests can tell */
    uint64_t max_size; /* 0: none */
    /* A flight recorder: path.part is its store, of which the last ring_bytes, or the last ring_ns
     * if that is less, are kept, and which never gets its name. */
    uint64_t ring_bytes, ring_ns;
    /* What is recorded: from the first of these on (a snapshot is its beginning, behind the one
     * before), and nothing from `end` on. They are counted from the device's first recording, or
     * from this one where `counts_anew` says so. */
    enum cap_unit unit;
    uint64_t first, end; /* end 0: there is none */
    bool counts_anew;
    bool more;                  /* another follows at once: rings stand still until it began */
    uint64_t frames;            /* stop after so many; 0: go on */
    uint64_t snapshot_every;    /* frames; 0: no snapshots but the one it may begin with */
    uint64_t snapshot_every_ns; /* likewise by time, at the first frame's end behind it */
    /* With a front that has a recorder of its own: the next packet that waits, from *cursor (0 at
     * first) on; false: no more. Called while all rings are at rest. Else NULL. */
    bool (*waiting)(void *user, uint32_t *cursor, struct cap_waiting *out);
    void *user;
    /* What is asked for is complete: it may be stopped, and another one be started. Nullable. */
    void (*over)(void *user);
    /* A context was lost. Any thread; nullable. */
    void (*lost)(void *user, uint32_t ctx_id);
    void *over_user;                      /* of these two */
    const char *meta;                     /* META's JSON; NULL: the caller writes the head */
    const struct cap_file_header *origin; /* what it is a trimmed copy of; nullable */
    const void *protocol;                 /* PROT's JSON; nullable */
    size_t protocol_size;
};

/* From now on everything is recorded. Where something lives already, from the end of a frame on
 * (without frames, from some second on): the recording begins with a snapshot of it, which is made
 * by poll. As cap_writer_create; INVALID also: a recording runs. */
enum sl_result cap_device_start(struct cap_device *device,
                                const struct cap_start *start) SL_MUST_USE;
/* The recording that runs; NULL: none. For who copies into it. */
struct cap_recording *cap_device_recording(struct cap_device *device);
/* A snapshot now: waits, bounded, until all rings are at rest, and lets them go on. AGAIN: they do
 * not come to rest; NOTFOUND: there is no recording; UNSUPPORTED: a context cannot be saved. */
enum sl_result cap_device_snapshot(struct cap_device *device,
                                   enum cap_snapshot_reason reason) SL_MUST_USE;
/* The recording waits for its first snapshot; tries: those that came to nothing. */
bool cap_device_is_waiting(const struct cap_device *device, uint64_t *tries);
bool cap_device_is_recording(const struct cap_device *device);
/* Frames so far; *over: the range is complete, or the file cannot grow: nothing is recorded any
 * more, and stop is due. */
uint64_t cap_device_frames(struct cap_device *device, bool *over);
/* All that was taken so far is in the file. */
void cap_device_flush(struct cap_device *device);
/* Lets go of the recording that runs, which is over, so that another one can be started at once:
 * the rings miss nothing between the two. NULL: there is none. It is written until
 * cap_device_complete. */
struct cap_recording *cap_device_release(struct cap_device *device);
void cap_device_complete(struct cap_recording *recording, enum cap_end_reason reason,
                         uint32_t exit_status, struct cap_writer_report *report);
/* The recording, if there is one, was none: cap_writer_abandon. */
void cap_device_abandon(struct cap_device *device);
/* NOTFOUND: there is no recording. */
enum sl_result cap_device_stop(struct cap_device *device, enum cap_end_reason reason,
                               uint32_t exit_status, struct cap_writer_report *report);

#endif
