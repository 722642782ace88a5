/* Traces byte by byte, for tests of whoever reads them: right ones, and ones that no recorder would
 * write but whose checksums hold. */
#ifndef TESTS_TRACE_MAKER_H
#define TESTS_TRACE_MAKER_H

#include "host/capture/format.h"

#include <stdbool.h>

struct trace_maker {
    uint8_t *data; /* the file */
    size_t size, capacity;
    uint32_t number; /* of the next chunk */
    uint64_t last;   /* bytes of the last chunk begin here */
    /* The payload being made. */
    uint8_t *payload;
    size_t payload_size, payload_capacity;
    uint64_t stamp; /* of its last record */
};

/* With the file's header. */
void trace_maker_init(struct trace_maker *maker);
void trace_maker_finish(struct trace_maker *maker);

/* The payload's next bytes. */
void trace_put(struct trace_maker *maker, const void *bytes, size_t size);
void trace_put_u8(struct trace_maker *maker, uint8_t value);
void trace_put_u32(struct trace_maker *maker, uint32_t value);
void trace_put_varint(struct trace_maker *maker, uint64_t value);

struct trace_chunk {
    uint32_t kind, stream, records;
    uint16_t flags;
    uint64_t first_stamp, first_record, time;
};
/* The payload becomes a chunk and is empty then. CAP_CHUNK_ZSTD: it is packed. */
void trace_chunk(struct trace_maker *maker, const struct trace_chunk *chunk);

/* Payload of CALL: begin with the head, then packets, each with what became of it. */
void trace_calls_begin(struct trace_maker *maker, uint64_t first_stamp, uint32_t ctx_id,
                       uint32_t ring_id, uint32_t capset);
/* A packet {opcode, length, body}. */
void trace_call(struct trace_maker *maker, uint64_t stamp, uint32_t opcode, const void *body,
                size_t size);
/* What became of the packet before. reply NULL: there was none. */
void trace_result(struct trace_maker *maker, uint8_t flags, uint64_t ended, const void *reply,
                  size_t size);
/* Payload of VERB: begin, then verbs. */
void trace_verbs_begin(struct trace_maker *maker, uint64_t first_stamp);
void trace_verb(struct trace_maker *maker, uint64_t stamp, enum cap_verb verb, const void *body,
                size_t size);
/* A whole chunk with one mark. index: how many came before. */
void trace_frame(struct trace_maker *maker, uint64_t stamp, uint32_t stream, uint64_t index);
/* A whole index segment and the end: the file is complete. */
void trace_end(struct trace_maker *maker);
/* The file as it is so far: a descriptor, the caller's. */
int trace_maker_fd(const struct trace_maker *maker);

#endif
