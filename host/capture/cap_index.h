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

/* PROTOCOL: what is there is damaged, *why says where (damage at a chunk); what could be read is in
 * *out. NOMEM, IO. A file without an end is scanned for its last segment. */
enum sl_result cap_summary_read(struct cap_reader *reader, struct cap_summary *out,
                                struct cap_damage *why) SL_MUST_USE;
void cap_summary_finish(struct cap_summary *summary);

#endif
