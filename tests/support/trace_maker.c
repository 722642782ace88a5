#include "tests/support/trace_maker.h"

#include "host/capture/cap_bytes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

static void append(uint8_t **data, size_t *size, size_t *capacity, const void *bytes, size_t more)
{
    if (*size + more > *capacity) {
        *capacity = (*size + more) * 2;
        *data = realloc(*data, *capacity);
        if (*data == NULL) {
            abort();
        }
    }
    if (more != 0) {
        memcpy(*data + *size, bytes, more);
    }
    *size += more;
}

static void file_put(struct trace_maker *m, const void *bytes, size_t size)
{
    append(&m->data, &m->size, &m->capacity, bytes, size);
}

void trace_put(struct trace_maker *maker, const void *bytes, size_t size)
{
    append(&maker->payload, &maker->payload_size, &maker->payload_capacity, bytes, size);
}

void trace_put_u8(struct trace_maker *maker, uint8_t value)
{
    trace_put(maker, &value, sizeof value);
}

void trace_put_u32(struct trace_maker *maker, uint32_t value)
{
    trace_put(maker, &value, sizeof value);
}

void trace_put_varint(struct trace_maker *maker, uint64_t value)
{
    uint8_t bytes[CAP_VARINT_MAX];
    trace_put(maker, bytes, (size_t)(cap_varint_put(bytes, value) - bytes));
}

void trace_maker_init(struct trace_maker *maker)
{
    struct cap_file_header header = {.major = CAP_MAJOR,
                                     .minor = CAP_MINOR,
                                     .header_size = sizeof header,
                                     .created_ns = 1,
                                     .seed = 7};
    *maker = (struct trace_maker){0};
    memcpy(header.magic, CAP_MAGIC, CAP_MAGIC_SIZE);
    header.crc = cap_crc32c(&header, offsetof(struct cap_file_header, crc));
    file_put(maker, &header, sizeof header);
}

void trace_maker_finish(struct trace_maker *maker)
{
    free(maker->data);
    free(maker->payload);
    *maker = (struct trace_maker){0};
}

void trace_chunk(struct trace_maker *maker, const struct trace_chunk *chunk)
{
    static const uint8_t zeros[CAP_ALIGN];
    const uint8_t *stored = maker->payload;
    size_t size = maker->payload_size;
    uint8_t *packed = NULL;
    if ((chunk->flags & CAP_CHUNK_ZSTD) != 0) {
        packed = malloc(ZSTD_compressBound(size));
        if (packed == NULL) {
            abort();
        }
        size = ZSTD_compress(packed, ZSTD_compressBound(size), maker->payload, size, 1);
        stored = packed;
    }
    struct cap_chunk_header header = {.sync = CAP_SYNC,
                                      .flags = chunk->flags,
                                      .kind = chunk->kind,
                                      .number = maker->number++,
                                      .stream = chunk->stream,
                                      .records = chunk->records,
                                      .raw_size = (uint32_t)maker->payload_size,
                                      .first_stamp = chunk->first_stamp,
                                      .first_record = chunk->first_record,
                                      .time = chunk->time,
                                      .hash = XXH3_64bits(stored, size),
                                      .stored_size = (uint32_t)size};
    header.crc = cap_crc32c(&header, offsetof(struct cap_chunk_header, crc));
    maker->last = maker->size;
    file_put(maker, &header, sizeof header);
    file_put(maker, stored, size);
    file_put(maker, zeros, (CAP_ALIGN - size % CAP_ALIGN) % CAP_ALIGN);
    free(packed);
    maker->payload_size = 0;
}

void trace_calls_begin(struct trace_maker *maker, uint64_t first_stamp, uint32_t ctx_id,
                       uint32_t ring_id, uint32_t capset)
{
    const struct cap_call_head head = {
        .head_size = sizeof head, .ctx_id = ctx_id, .ring_id = ring_id, .capset = capset};
    maker->payload_size = 0;
    maker->stamp = first_stamp;
    trace_put(maker, &head, sizeof head);
}

void trace_call(struct trace_maker *maker, uint64_t stamp, uint32_t opcode, const void *body,
                size_t size)
{
    trace_put_u8(maker, CAP_CALL_PACKET);
    trace_put_varint(maker, stamp - maker->stamp);
    trace_put_u32(maker, opcode);
    trace_put_u32(maker, (uint32_t)size + 8);
    trace_put(maker, body, size);
    maker->stamp = stamp;
}

void trace_result(struct trace_maker *maker, uint8_t flags, uint64_t ended, const void *reply,
                  size_t size)
{
    trace_put_u8(maker, CAP_CALL_RESULT | flags | (reply != NULL ? CAP_CALL_REPLY : 0));
    trace_put_varint(maker, ended - maker->stamp);
    if (reply != NULL) {
        trace_put_varint(maker, size);
        trace_put(maker, reply, size);
    }
}

void trace_verbs_begin(struct trace_maker *maker, uint64_t first_stamp)
{
    maker->payload_size = 0;
    maker->stamp = first_stamp;
}

void trace_verb(struct trace_maker *maker, uint64_t stamp, enum cap_verb verb, const void *body,
                size_t size)
{
    trace_put_u8(maker, (uint8_t)verb);
    trace_put_varint(maker, stamp - maker->stamp);
    trace_put_varint(maker, size);
    trace_put(maker, body, size);
    maker->stamp = stamp;
}

void trace_frame(struct trace_maker *maker, uint64_t stamp, uint32_t stream, uint64_t index)
{
    const struct cap_frame mark = {
        .stamp = stamp, .stream = stream, .width_px = 2, .height_px = 1, .kind = CAP_FRAME_FLUSH};
    maker->payload_size = 0;
    trace_put(maker, &mark, sizeof mark);
    trace_chunk(maker, &(struct trace_chunk){.kind = CAP_KIND_FRAM,
                                             .records = 1,
                                             .first_stamp = stamp,
                                             .first_record = index});
}

/* The hash over all chunks' hashes, by following their headers. */
static uint64_t chunks_hash(const struct trace_maker *m)
{
    uint64_t *hashes = calloc(m->number, sizeof *hashes);
    struct cap_chunk_header header;
    size_t at = sizeof(struct cap_file_header);
    if (hashes == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < m->number; i++) {
        memcpy(&header, m->data + at, sizeof header);
        hashes[i] = header.hash;
        at += sizeof header + (header.stored_size + CAP_ALIGN - 1) / CAP_ALIGN * CAP_ALIGN;
    }
    uint64_t hash = XXH3_64bits(hashes, m->number * sizeof *hashes);
    free(hashes);
    return hash;
}

void trace_end(struct trace_maker *maker)
{
    const struct cap_index_head head = {.head_size = sizeof head};
    maker->payload_size = 0;
    trace_put(maker, &head, sizeof head);
    trace_chunk(maker, &(struct trace_chunk){.kind = CAP_KIND_INDX, .records = 1});
    struct cap_end end = {.totals.chunks = maker->number,
                          .index = maker->last,
                          .chunks_hash = chunks_hash(maker),
                          .reason = CAP_END_PROGRAM};
    memcpy(end.magic, CAP_MAGIC, CAP_MAGIC_SIZE);
    trace_put(maker, &end, sizeof end);
    trace_chunk(maker, &(struct trace_chunk){.kind = CAP_KIND_END, .records = 1});
}

int trace_maker_fd(const struct trace_maker *maker)
{
    int fd = memfd_create("trace", MFD_CLOEXEC);
    if (fd < 0 || write(fd, maker->data, maker->size) != (ssize_t)maker->size) {
        abort();
    }
    return fd;
}
