/* One recording, from start to stop: its streams, its stamps, its lanes. Inside the recorder; users
 * include cap_device.h.
 *
 * Ring threads hold it through their streams, which may outlive the stop: a stream that is dead
 * takes nothing more, and the last one frees it. */
#ifndef HOST_CAP_RECORDING_H
#define HOST_CAP_RECORDING_H

#include "host/capture/cap_device.h"
#include "host/capture/cap_memory.h"
#include "transport/base/list.h"
#include "transport/virtgpu/vgd.h"

#include <pthread.h>

enum cap_over {
    CAP_TAKES = 0,
    CAP_OVER = 1,
    CAP_WAITS = 2, /* for the snapshot that it begins with */
};

/* What was seen since counting began, whether it was recorded or not, as long as something is to be
 * recorded. */
struct cap_counts {
    uint64_t frames, submits; /* atomic */
    uint64_t begin_ns;        /* atomic: sl_clock_ns() */
};
/* Counting begins now. Any thread, while no ring counts. */
void cap_counts_begin(struct cap_counts *counts);

struct cap_recording {
    uint32_t refs; /* atomic: the device and every stream */
    uint32_t over; /* atomic, enum cap_over: nothing is taken; looked at under a lane's lock */
    /* Every stream adds to it at every packet: nothing that is written shares its line. */
    uint8_t pad_before[64];
    uint64_t stamp; /* atomic: the last one given */
    uint8_t pad_behind[64];
    struct cap_writer *writer;
    struct cap_writer_extra extra;
    uint64_t others; /* atomic: stamps that are no packets' */
    uint64_t seed;
    struct cap_memory *memory;   /* the device's */
    void (*on_over)(void *user); /* any thread, once; with due_user; nullable */
    bool (*waiting)(void *user, uint32_t *cursor, struct cap_waiting *out); /* nullable */
    void *user;
    /* A snapshot is wanted now: brings the rings to rest. Any thread. Nullable. */
    void (*on_due)(void *user);
    void *due_user;
    uint32_t is_ready; /* atomic: what is above is said; before that the sweep asks for nothing */
    struct cap_counts *counts; /* the device's; NULL: nothing is counted */
    enum cap_unit unit;        /* of these two, as in struct cap_start */
    uint64_t first, end;
    uint64_t frames_wanted;                     /* 0: go on */
    uint64_t snapshot_every, snapshot_every_ns; /* frames, time; 0: none */
    uint64_t due_time;      /* of the frame at which one was due last; under frames' lock */
    uint64_t not_before_ns; /* no try for a snapshot until then; under frames' lock */
    uint32_t is_due;        /* atomic: one is wanted at the next frame's end */
    uint64_t asked_ns;      /* when one was asked for last without a frame; the writer's thread's */
    uint64_t wanted_ns;     /* since when the ring wants one; 0: it does not; likewise */
    uint64_t made;          /* atomic: snapshots of a ring */
    bool is_ring, no_contents;
    bool wants_hashes;
    uint32_t *wants_pixel; /* atomic; the device's: frames come with their pixels. Nullable */
    uint32_t wants_thumb;  /* atomic: one is to be made of the next frame that comes with them */

    struct cap_lane verbs, verb_memory;
    struct cap_blobs blobs;
    /* Under frames' lock: */
    struct cap_lane frames;
    struct cap_frame last_mark;
    uint64_t frame_count, frame_others, frame_bytes;

    pthread_mutex_t lock; /* guards the list */
    struct sl_list streams;
    uint32_t stream_count; /* ever */
};

struct cap_stream {
    bool is_owned; /* by a ring; else the snapshot made it, and the ring has it when it comes */
    /* The packet that runs, until it is over: for a ring at rest one that waits. Nullable. */
    const void *packet;
    size_t packet_size;
    bool packet_sum;
    struct cap_lane saved; /* CALL, of a snapshot that is being written */
    bool has_waiting;      /* the context told of its packet (vgd_saver.waiting) */
    struct cap_recording *recording;
    struct sl_list link; /* struct cap_recording.streams */
    struct cap_call_head head;
    struct cap_lane calls, memory;
    uint64_t stamp; /* of the packet that runs */
    uint64_t bytes; /* atomic: of packets so far */
    uint32_t turns; /* packets, to measure one of CAP_SAMPLE */
    uint64_t sampled_ns;
};

/* One packet of so many is timed; both numbers are told as if all were. */
#define CAP_SAMPLE 64u

enum sl_result cap_recording_start(const struct cap_start *start, struct cap_memory *memory,
                                   struct cap_recording **out) SL_MUST_USE;
/* Takes nothing more from anybody; who has it writes into its lanes. */
void cap_recording_freeze(struct cap_recording *recording);
/* Takes nothing more; writes what is open. */
void cap_recording_end(struct cap_recording *recording);
/* Ends the streams that nobody owns; goes on taking others. */
void cap_recording_end_streams(struct cap_recording *recording);
void cap_recording_unref(struct cap_recording *recording);

/* A small picture of the next frame. Any thread. */
void cap_recording_want_thumb(struct cap_recording *recording);
/* Nothing more is recorded: what was asked for is complete. Any thread; says so once. */
void cap_recording_over(struct cap_recording *recording);
/* After so many of its units it is over. What begins at once is counted from its first snapshot. */
static inline bool cap_recording_is_end(const struct cap_recording *recording, uint64_t count)
{
    return recording->end != 0 && count >= recording->end &&
           (recording->first != 0 || sl_atomic_load_relaxed(&recording->over) != CAP_WAITS);
}
/* Its first frame, submit or moment is still to come. */
bool cap_recording_is_early(const struct cap_recording *recording);

static inline uint64_t cap_recording_stamp(struct cap_recording *recording)
{
    return sl_atomic_count_u64(&recording->stamp, 1) + 1;
}
/* Nothing is taken: no more, or not yet. */
static inline bool cap_recording_is_over(const struct cap_recording *recording)
{
    return sl_atomic_load_relaxed(&recording->over) != CAP_TAKES; /* a flag; orders nothing */
}

/* A record of VERB: body, then `rest`. Returns its stamp. Any thread. */
uint64_t cap_recording_verb(struct cap_recording *recording, enum cap_verb verb, const void *body,
                            size_t size, const void *rest, size_t rest_size);
/* Before the verb with this stamp is carried out: what the guest wrote to a resource. */
void cap_recording_search(struct cap_recording *recording, uint32_t resource_id, uint64_t stamp);
/* A chunk of its own, before all streams: META, PROT, CAPS. False: no memory. */
bool cap_recording_chunk(struct cap_recording *recording, uint32_t kind, const void *bytes,
                         size_t size);

void cap_recording_close(struct cap_lane *lane);
/* What is open in any lane goes to the writer. */
void cap_recording_close_all(struct cap_recording *recording);
struct cap_memory_sink cap_recording_sink(struct cap_recording *recording, struct cap_lane *lane,
                                          uint64_t stamp);
/* A ring's stream, with the list's lock held. NULL: it has none. */
struct cap_stream *cap_recording_stream(struct cap_recording *recording, uint32_t ring_id);
/* A stream that no ring has yet. NULL: no memory. */
struct cap_stream *cap_stream_new(struct cap_recording *recording,
                                  const struct cap_call_head *head);
struct cap_verb_stream cap_stream_body(const struct cap_stream *stream);

/* Of all streams' packets so far. No lane is locked: who closes all locks lanes below the list. */
uint64_t cap_recording_bytes(struct cap_recording *recording);
/* A frame's mark, with the frames' lane locked. bytes: cap_recording_bytes before that. */
void cap_recording_mark(struct cap_recording *recording, const struct cap_frame *mark,
                        uint64_t bytes);

/* vgd_recorder's, with a stream. */
struct cap_stream *cap_stream_begin(struct cap_recording *recording,
                                    const struct cap_call_head *head);
void cap_stream_packet(void *stream, const void *packet, size_t size, bool sum);
void cap_stream_packets(void *stream, const void *first, size_t size);
void cap_stream_outcome(void *stream, const struct vgd_outcome *outcome);
void cap_recording_search_stream(struct cap_stream *stream);
void cap_stream_memory(void *stream);
void cap_stream_frame(void *stream, const struct vgd_frame *frame);
void cap_stream_end(void *stream);

#endif
