/* Chunks to the disk: one thread that compresses, writes and keeps the index, and one that helps it
 * (cap_helper.h).
 *
 * Who uses it: the recorder (cap_recording.c), trim. Producers fill buffers and put them; a buffer
 * is a whole chunk. Buffers of one stream and kind must be put in order. Memory is bounded: past a
 * fourth of CAP_WRITER_BYTES on the way two threads compress where there are processors, past half
 * on the way the level falls to fast, past three fourths to what is faster still and packs half as
 * well, past all of it cap_writer_get waits. Nothing is dropped, until the file cannot grow any
 * more: then the recording is over (see cap_writer_stopped) and what is put is thrown away. */
#ifndef HOST_CAP_WRITER_H
#define HOST_CAP_WRITER_H

#include "host/capture/format.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAP_WRITER_BYTES ((size_t)64 << 20)

struct cap_writer;

/* A chunk being filled, by one thread at a time. */
struct cap_buffer {
    uint8_t *data;
    size_t used, capacity;
    uint32_t kind, stream, flags, records;
    uint64_t first_stamp, last_stamp, first_record, time;
    uint64_t opened_ns; /* sl_clock_ns() when it was taken */
    size_t head;        /* bytes at its start that are no records: a CALL's head, a record's rest */
    bool ends_stream;   /* CALL: the last of its stream */
    bool is_warm;       /* of the queue's own memory: see cap_queue_warm */
    /* Once it was put, under the queue's lock: */
    enum cap_buffer_state { CAP_BUFFER_RAW, CAP_BUFFER_CLAIMED, CAP_BUFFER_PACKED } state;
    uint8_t *packed; /* once PACKED: what is stored; NULL: `data` is */
    size_t packed_size;
    struct cap_buffer *next;
};

/* What only the recorder knows of the totals: written with relaxed atomics by its threads, read
 * whenever an index is written. */
struct cap_writer_extra {
    uint64_t verbs, shared_bytes, writes, scanned, write_bytes;
    uint64_t blobs, blob_bytes, tap_ns, decode_ns;
    uint64_t snapshots, snapshot_ns;
};

struct cap_writer_options {
    const char *path;
    int level;        /* zstd's; 0: as it is */
    bool durable;     /* to the disk once a second */
    bool force;       /* replaces what has the name */
    bool needs_calls; /* nothing of a recording without frames, calls and snapshots gets the name */
    uint64_t max_size; /* of the file; 0: none */
    /* A flight recorder's store: the last ring_bytes, or the last ring_ns if that is less, are
     * kept, from a snapshot on. 0, 0: all is kept. */
    uint64_t ring_bytes, ring_ns;
    uint64_t reader_ns; /* how long a reader of the store may hold the writer up, in all; 0: 30 s */
    uint64_t seed;      /* of blob keys */
    uint32_t file_flags;
    /* The trace that this one is made of: session and time are its. Nullable. */
    const struct cap_file_header *origin;
    const struct cap_writer_extra *extra; /* nullable */
    /* Called on the writer's thread some 60 times a second: close what was open for long. Nullable.
     */
    void (*sweep)(void *user);
    void *user;
};

/* As cap_file_open; NOMEM. The file has its header. */
enum sl_result cap_writer_create(const struct cap_writer_options *options,
                                 struct cap_writer **out) SL_MUST_USE;
/* An empty buffer with room for `size` bytes (<= CAP_PAYLOAD_MAX), of its usual size or more. Any
 * thread; waits while too much is on the way, except on the writer's own. NULL: no memory. */
struct cap_buffer *cap_writer_get(struct cap_writer *writer, size_t size);
/* Takes the buffer. Any thread. */
void cap_writer_put(struct cap_writer *writer, struct cap_buffer *buffer);
/* Frame marks for the index: together with the FRAM chunk. Any thread. */
void cap_writer_frame(struct cap_writer *writer, const struct cap_index_frame *frame);
/* A ring needs a new snapshot, and has written the `made` that were asked for before. In sweep. */
bool cap_writer_wants_snapshot(const struct cap_writer *writer, uint64_t made);
/* Waits until all that was put is in the file, or cannot be. Any thread but the writer's. */
void cap_writer_flush(struct cap_writer *writer);
/* Not 0 once the file cannot grow: its errno. Any thread. */
int cap_writer_stopped(const struct cap_writer *writer);
/* Nanoseconds since the recording began. Any thread. */
uint64_t cap_writer_time(const struct cap_writer *writer);

/* What became of it all. */
struct cap_writer_report {
    struct cap_totals totals;
    uint64_t file_size;
    enum cap_end_reason reason;
    int error;       /* errno of what ended the file early; 0: nothing did */
    bool has_end;    /* the index and the end could be written */
    bool has_name;   /* else it still is NAME.part, or: */
    bool is_dropped; /* needs_calls: there is no file of it, and an older one stays */
};
/* Leaves no file, and an older one of this name as it is; frees the writer, as below. */
void cap_writer_abandon(struct cap_writer *writer);
/* Writes what was put, the index and the end, and gives the file its name; frees the writer. No
 * other thread uses it any more. */
void cap_writer_finish(struct cap_writer *writer, enum cap_end_reason reason, uint32_t exit_status,
                       struct cap_writer_report *report);

#endif
