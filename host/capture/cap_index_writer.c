#include "host/capture/cap_index_writer.h"

#include "host/capture/cap_bytes.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <string.h>

struct cap_command_count {
    uint32_t capset, opcode;
    uint64_t count, bytes; /* count 0: a free place */
};

void cap_bytes_finish(struct cap_bytes *bytes)
{
    sl_free(bytes->data);
    *bytes = (struct cap_bytes){0};
}

uint8_t *cap_bytes_more(struct cap_bytes *bytes, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        size_t capacity = bytes->capacity * 2 + size + 256;
        uint8_t *data = sl_realloc(bytes->data, capacity);
        if (data == NULL) {
            return NULL;
        }
        bytes->data = data;
        bytes->capacity = capacity;
    }
    bytes->size += size;
    return bytes->data + bytes->size - size;
}

/* One more item of `size` bytes in an array that grows. */
static void *array_more(void **items, size_t *count, size_t *capacity, size_t size)
{
    if (*count == *capacity) {
        size_t more = *capacity * 2 + 16;
        void *grown = sl_realloc(*items, more * size);
        if (grown == NULL) {
            return NULL;
        }
        *items = grown;
        *capacity = more;
    }
    return (uint8_t *)*items + (*count)++ * size;
}

void cap_index_writer_finish(struct cap_index_writer *index)
{
    cap_bytes_finish(&index->chunks);
    cap_bytes_finish(&index->frames);
    cap_bytes_finish(&index->snapshots);
    sl_free(index->lanes);
    sl_free(index->streams);
    sl_free(index->commands);
    sl_free(index->segments);
    *index = (struct cap_index_writer){0};
}

/* --- chunks --- */

static uint8_t *put_signed(uint8_t *p, uint64_t value, uint64_t before)
{
    int64_t n = (int64_t)(value - before);
    return cap_varint_put(p, (uint64_t)n << 1 ^ (uint64_t)(n >> 63));
}

/* Which record the next chunk of this stream and kind starts with, were none left out. */
static uint64_t *next_record(struct cap_index_writer *index, uint32_t stream, uint32_t kind)
{
    for (size_t i = 0; i < index->lane_count; i++) {
        if (index->lanes[i].stream == stream && index->lanes[i].kind == kind) {
            return &index->lanes[i].next;
        }
    }
    struct cap_lane_count *lane = array_more((void **)&index->lanes, &index->lane_count,
                                             &index->lane_capacity, sizeof *index->lanes);
    if (lane == NULL) {
        return NULL;
    }
    *lane = (struct cap_lane_count){.stream = stream, .kind = kind};
    return &lane->next;
}

/* What is found by its stamps. */
static bool has_events(const struct cap_chunk_header *c)
{
    return (c->flags & CAP_CHUNK_SNAPSHOT) == 0 &&
           (c->kind == CAP_KIND_CALL || c->kind == CAP_KIND_VERB || c->kind == CAP_KIND_MEMW ||
            c->kind == CAP_KIND_TEXT || c->kind == CAP_KIND_FRAM);
}

/* A stamp that came now. */
static void note_late(struct cap_index_writer *index, uint64_t stamp)
{
    uint32_t late = 0;
    while (late < index->segment_count &&
           index->segments[index->segment_count - 1 - late].last_stamp >= stamp) {
        late++;
    }
    index->late = late > index->late ? late : index->late;
}

void cap_index_writer_chunk(struct cap_index_writer *index, const struct cap_chunk_header *c,
                            uint64_t offset, uint64_t last_stamp)
{
    uint64_t *next = next_record(index, c->stream, c->kind);
    uint8_t *start = cap_bytes_more(&index->chunks, 4 + 9 * CAP_VARINT_MAX);
    if (next == NULL || start == NULL) {
        index->failed = true;
        return;
    }
    if (index->chunk_count++ == 0) {
        index->first_chunk_offset = offset;
        index->first_chunk = c->number;
    }
    uint8_t *p = cap_varint_put(start, c->stored_size);
    p = cap_varint_put(p, c->raw_size);
    sl_store_u32(p, c->kind);
    p = cap_varint_put(p + 4, c->flags);
    p = cap_varint_put(p, c->stream);
    p = cap_varint_put(p, c->records);
    p = put_signed(p, c->first_stamp, index->chunk_stamp);
    p = cap_varint_put(p, last_stamp > c->first_stamp ? last_stamp - c->first_stamp : 0);
    p = put_signed(p, c->first_record, *next);
    p = put_signed(p, c->time, index->chunk_time);
    index->chunks.size = (size_t)(p - index->chunks.data);
    if (has_events(c)) {
        note_late(index, c->first_stamp);
    }
    index->chunk_stamp = c->first_stamp;
    index->chunk_time = c->time;
    *next = c->first_record + c->records;
    index->last_stamp = last_stamp > index->last_stamp ? last_stamp : index->last_stamp;
    index->totals.chunks++;
    index->totals.raw_bytes += c->raw_size;
    index->totals.stored_bytes += c->stored_size;
}

void cap_index_writer_snapshot(struct cap_index_writer *index, const struct cap_snapshot *end,
                               uint64_t offset)
{
    const uint64_t entry[] = {end->begin, offset, end->stamp, end->frame};
    uint8_t *p = cap_bytes_more(&index->snapshots, sizeof entry);
    if (p == NULL) {
        index->failed = true;
        return;
    }
    memcpy(p, entry, sizeof entry);
}

/* --- calls --- */

static size_t command_place(const struct cap_index_writer *index, uint32_t capset, uint32_t opcode)
{
    size_t mask = index->command_capacity - 1;
    size_t place = (opcode * 2654435761u + capset) & mask;
    while (index->commands[place].count != 0 &&
           (index->commands[place].opcode != opcode || index->commands[place].capset != capset)) {
        place = (place + 1) & mask;
    }
    return place;
}

static bool commands_grow(struct cap_index_writer *index)
{
    struct cap_command_count *old = index->commands;
    size_t count = index->command_capacity;
    size_t capacity = count != 0 ? count * 2 : 256;
    struct cap_command_count *fresh = sl_alloc_array(capacity, sizeof *fresh);
    if (fresh == NULL) {
        return false;
    }
    index->commands = fresh;
    index->command_capacity = capacity;
    for (size_t i = 0; i < count; i++) {
        if (old[i].count != 0) {
            fresh[command_place(index, old[i].capset, old[i].opcode)] = old[i];
        }
    }
    sl_free(old);
    return true;
}

static void count_command(struct cap_index_writer *index, uint32_t capset, uint32_t opcode,
                          uint64_t bytes)
{
    if (index->command_count * 2 >= index->command_capacity && !commands_grow(index)) {
        index->failed = true;
        return;
    }
    struct cap_command_count *at = &index->commands[command_place(index, capset, opcode)];
    index->command_count += at->count == 0;
    at->capset = capset;
    at->opcode = opcode;
    at->count++;
    at->bytes += bytes;
}

static struct cap_index_stream *stream_of(struct cap_index_writer *index,
                                          const struct cap_chunk_header *chunk,
                                          const struct cap_call_head *head)
{
    for (size_t i = index->stream_count; i-- > 0;) {
        if (index->streams[i].stream.stream == chunk->stream) {
            return &index->streams[i];
        }
    }
    struct cap_index_stream *s = array_more((void **)&index->streams, &index->stream_count,
                                            &index->stream_capacity, sizeof *index->streams);
    if (s != NULL) {
        *s = (struct cap_index_stream){.stream = {.stream = chunk->stream,
                                                  .ctx_id = head->ctx_id,
                                                  .ring_id = head->ring_id,
                                                  .capset = head->capset,
                                                  .preamble = head->preamble},
                                       .first_stamp = chunk->first_stamp};
        index->totals.streams++;
    }
    return s;
}

/* Our own bytes: what they say is so. A record may go on behind `end`, in the next chunk. */
static void walk_calls(struct cap_index_writer *index, struct cap_index_stream *s, const uint8_t *p,
                       const uint8_t *end)
{
    while (p < end) {
        uint8_t tag = *p++;
        uint64_t number;
        if (!cap_varint_get(&p, end, &number)) {
            return;
        }
        uint64_t size = 0;
        switch (tag & CAP_CALL_TYPE) {
        case CAP_CALL_PACKET:
            size = sl_load_u32(p + 4);
            count_command(index, s->stream.capset, sl_load_u32(p), size);
            s->calls++;
            s->bytes += size;
            break;
        case CAP_CALL_RESULT:
            if ((tag & CAP_CALL_REPLY) == 0 || !cap_varint_get(&p, end, &size)) {
                break;
            }
            index->totals.replies++;
            index->totals.reply_bytes += size;
            break;
        default:
            break;
        }
        if (size > (uint64_t)(end - p)) {
            return;
        }
        p += size;
    }
}

void cap_index_writer_calls(struct cap_index_writer *index, const struct cap_chunk_header *chunk,
                            const uint8_t *payload, size_t lead, uint64_t last_stamp,
                            bool ends_stream)
{
    struct cap_call_head head;
    memcpy(&head, payload, sizeof head);
    struct cap_index_stream *s = stream_of(index, chunk, &head);
    if (s == NULL) {
        index->failed = true;
        return;
    }
    uint64_t calls = s->calls, bytes = s->bytes;
    walk_calls(index, s, payload + lead, payload + chunk->raw_size);
    s->last_stamp = last_stamp;
    s->flags |= ends_stream ? CAP_STREAM_ENDED : 0;
    index->totals.calls += s->calls - calls;
    index->totals.call_bytes += s->bytes - bytes;
}

void cap_index_writer_frame(struct cap_index_writer *index, const struct cap_index_frame *frame)
{
    uint8_t *p = cap_bytes_more(&index->frames, sizeof *frame);
    if (p == NULL) {
        index->failed = true;
        return;
    }
    memcpy(p, frame, sizeof *frame);
    note_late(index, frame->mark.stamp);
    index->frame_count++;
    index->totals.frames++;
}

/* --- segments --- */

bool cap_index_writer_is_due(const struct cap_index_writer *index)
{
    return index->chunk_count != 0 || index->frame_count != 0;
}

static bool put_section(struct cap_bytes *payload, uint32_t section, const void *data, size_t size)
{
    uint8_t *p = cap_bytes_more(payload, sizeof(struct cap_index_section) + size);
    if (p == NULL) {
        return false;
    }
    const struct cap_index_section head = {.section = section, .size = (uint32_t)size};
    memcpy(p, &head, sizeof head);
    if (size != 0) {
        memcpy(p + sizeof head, data, size);
    }
    return true;
}

static bool put_commands(const struct cap_index_writer *index, struct cap_bytes *payload)
{
    struct cap_bytes bytes = {0};
    uint8_t *p = cap_bytes_more(&bytes, index->command_count * 4 * CAP_VARINT_MAX + 1);
    if (p == NULL) {
        return false;
    }
    for (size_t i = 0; i < index->command_capacity; i++) {
        const struct cap_command_count *c = &index->commands[i];
        if (c->count != 0) {
            p = cap_varint_put(p, c->capset);
            p = cap_varint_put(p, c->opcode);
            p = cap_varint_put(p, c->count);
            p = cap_varint_put(p, c->bytes);
        }
    }
    bool ok = put_section(payload, CAP_SECTION_CALLS, bytes.data, (size_t)(p - bytes.data));
    cap_bytes_finish(&bytes);
    return ok;
}

static bool put_head(struct cap_index_writer *index, struct cap_bytes *payload)
{
    size_t i = index->segment_count;
    uint8_t *p = cap_bytes_more(payload, sizeof(struct cap_index_head));
    if (p == NULL) {
        return false;
    }
    const struct cap_index_head head = {
        .head_size = sizeof head,
        .segment = (uint32_t)i,
        .previous = i != 0 ? index->segments[i - 1].offset : 0,
        .skip = i != 0 ? index->segments[i & (i - 1)].offset : 0,
        .first_chunk_offset = index->first_chunk_offset,
        .first_chunk = index->first_chunk,
        .chunks = index->chunk_count,
        .first_frame = index->first_frame,
        .last_stamp = index->last_stamp,
        .frames = index->frame_count,
        .sections = 6,
        .late = index->late,
    };
    memcpy(p, &head, sizeof head);
    return true;
}

enum sl_result cap_index_writer_segment(struct cap_index_writer *index, uint64_t offset,
                                        struct cap_bytes *payload)
{
    payload->size = 0;
    if (index->failed || !put_head(index, payload) ||
        !put_section(payload, CAP_SECTION_TOTALS, &index->totals, sizeof index->totals) ||
        !put_section(payload, CAP_SECTION_CHUNKS, index->chunks.data, index->chunks.size) ||
        !put_section(payload, CAP_SECTION_FRAMES, index->frames.data, index->frames.size) ||
        !put_commands(index, payload) ||
        !put_section(payload, CAP_SECTION_STREAMS, index->streams,
                     index->stream_count * sizeof *index->streams) ||
        !put_section(payload, CAP_SECTION_SNAPSHOTS, index->snapshots.data,
                     index->snapshots.size)) {
        return SL_ERR_NOMEM;
    }
    struct cap_segment *segment = array_more((void **)&index->segments, &index->segment_count,
                                             &index->segment_capacity, sizeof *index->segments);
    if (segment == NULL) {
        return SL_ERR_NOMEM;
    }
    *segment = (struct cap_segment){offset, index->last_stamp};
    index->first_frame += index->frame_count;
    index->chunks.size = index->frames.size = 0;
    index->chunk_count = index->frame_count = 0;
    index->chunk_stamp = index->chunk_time = 0;
    index->lane_count = 0;
    return SL_OK;
}
