/* What a trace says of itself: its head, its last index segment and its end, without its content.
 *
 * Who uses it: info, and whoever wants a frame table. One thread; a few reads whatever the size. */
#ifndef HOST_CAP_INDEX_H
#define HOST_CAP_INDEX_H

#include "host/capture/cap_reader.h"

struct cap_index_call {
    uint32_t capset, opcode;
    uint64_t count, bytes;
};

struct cap_index_snapshot {
    uint64_t begin, end, stamp, frame; /* offsets of the marks' chunks */
};

struct cap_summary {
    bool has_end;   /* the recording was ended properly */
    bool has_index; /* totals and what follows are there; without has_end: as of that segment */
    struct cap_end end;
    struct cap_totals totals;
    uint64_t index_offset; /* of the last segment */
    uint64_t first_chunk_offset;
    uint32_t first_chunk, chunks; /* in that segment */
    struct cap_index_call *calls;
    uint32_t call_count;
    struct cap_index_stream *streams;
    uint32_t stream_count;
    struct cap_index_snapshot *snapshots;
    uint32_t snapshot_count;
    char *meta; /* JSON, terminated; NULL: none */
    uint8_t protocol[16];
    bool has_protocol;
    char *schema; /* PROT's JSON; NULL: none */
    size_t schema_size;
};

/* The chunk at `offset`, which must be of that kind, with its payload. NOTFOUND: there is none;
 * PROTOCOL: it is damaged, *why says how. */
enum sl_result cap_index_load(struct cap_reader *reader, uint64_t offset, uint32_t kind,
                              struct cap_chunk *chunk, struct cap_payload *payload,
                              struct cap_damage *why) SL_MUST_USE;
/* A complete file's last bytes. NOTFOUND: it has no end. */
enum sl_result cap_index_end(struct cap_reader *reader, struct cap_payload *payload,
                             struct cap_end *end) SL_MUST_USE;

/* The sections of a segment. */
struct cap_index_walk {
    struct cap_index_head head;
    const uint8_t *at, *end;
    uint32_t left;
    bool failed; /* they make no sense */
};
/* payload: an INDX chunk's, until the walk's end. False: its head makes no sense. */
bool cap_index_walk_begin(struct cap_index_walk *walk, const struct cap_payload *payload);
/* The next one and its bytes; false: there is none, or `failed`. */
bool cap_index_walk_next(struct cap_index_walk *walk, struct cap_index_section *section,
                         const uint8_t **bytes);

/* PROTOCOL: what is there is damaged, *why says where (damage at a chunk); what could be read is in
 * *out. NOMEM, IO. A file without an end is scanned for its last segment. */
enum sl_result cap_summary_read(struct cap_reader *reader, struct cap_summary *out,
                                struct cap_damage *why) SL_MUST_USE;
void cap_summary_finish(struct cap_summary *summary);

#endif
