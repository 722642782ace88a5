/* The index of a trace while it is written: what every chunk was, and sums over all of them. The
 * writer's thread alone. */
#ifndef HOST_CAP_INDEX_WRITER_H
#define HOST_CAP_INDEX_WRITER_H

#include "host/capture/format.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes that grow. */
struct cap_bytes {
    uint8_t *data;
    size_t size, capacity;
};
void cap_bytes_finish(struct cap_bytes *bytes);
/* `size` more bytes at the end; NULL: no memory. */
uint8_t *cap_bytes_more(struct cap_bytes *bytes, size_t size);

struct cap_command_count; /* of the histogram */

struct cap_index_writer {
    struct cap_totals totals; /* of which chunks, calls, replies, streams and sizes are kept here */
    bool failed;              /* no memory: the index is not complete */
    /* Since the last segment. */
    struct cap_bytes chunks, frames;
    uint32_t chunk_count, frame_count;
    uint64_t first_chunk_offset;
    uint32_t first_chunk;
    uint64_t first_frame;
    uint64_t last_stamp, chunk_stamp, chunk_time;
    struct cap_lane_count {
        uint32_t stream, kind;
        uint64_t next; /* record */
    } * lanes;
    size_t lane_count, lane_capacity;
    /* Since the beginning. */
    struct cap_index_stream *streams;
    size_t stream_count, stream_capacity;
    struct cap_command_count *commands; /* open addressing */
    size_t command_count, command_capacity;
    struct cap_bytes snapshots; /* as in CAP_SECTION_SNAPSHOTS */
    struct cap_segment {
        uint64_t offset, last_stamp;
    } * segments;
    size_t segment_count, segment_capacity;
    uint32_t late; /* as in cap_index_head */
};

void cap_index_writer_finish(struct cap_index_writer *index);
/* A chunk was written. last_stamp: of its last record. */
void cap_index_writer_chunk(struct cap_index_writer *index, const struct cap_chunk_header *chunk,
                            uint64_t offset, uint64_t last_stamp);
/* The raw payload of a CALL chunk: counts packets and replies. lead: bytes that are no records. */
void cap_index_writer_calls(struct cap_index_writer *index, const struct cap_chunk_header *chunk,
                            const uint8_t *payload, size_t lead, uint64_t last_stamp,
                            bool ends_stream);
/* One whose stamp is not above last_stamp, but at the end. */
void cap_index_writer_frame(struct cap_index_writer *index, const struct cap_index_frame *frame);
/* A snapshot is complete; offset: of its end mark's chunk. */
void cap_index_writer_snapshot(struct cap_index_writer *index, const struct cap_snapshot *end,
                               uint64_t offset);
/* Is anything in it that the last segment does not have? */
bool cap_index_writer_is_due(const struct cap_index_writer *index);
/* The payload of a segment that will be written at `offset`, and a new start. NOMEM. */
enum sl_result cap_index_writer_segment(struct cap_index_writer *index, uint64_t offset,
                                        struct cap_bytes *payload) SL_MUST_USE;

#endif
