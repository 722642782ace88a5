/* A trace file, read: its header, the chunks that are there, and their payloads.
 *
 * Who uses it: dump, info, diff, trim, replay. One thread. Nothing in a file is trusted: sizes are
 * checked before anything is read or allocated, checksums before anything is looked at, and at most
 * one stored payload of CAP_PAYLOAD_MAX is held besides what the caller keeps. What is damaged is
 * listed and passed by; the next chunk header is looked for on multiples of CAP_ALIGN. */
#ifndef HOST_CAP_READER_H
#define HOST_CAP_READER_H

#include "host/capture/format.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a file is no trace that can be read. */
enum cap_refusal {
    CAP_REFUSED_NOT,
    CAP_REFUSED_FILE,     /* cannot be opened or read; errno says why */
    CAP_REFUSED_FOREIGN,  /* not a trace */
    CAP_REFUSED_VERSION,  /* a container that this build does not read */
    CAP_REFUSED_DAMAGED,  /* its header is damaged */
    CAP_REFUSED_CRITICAL, /* a chunk of a kind that must be understood */
};

#define CAP_REASON 256u

enum cap_damage_kind {
    CAP_DAMAGE_HEADER,   /* no chunk header where one should be */
    CAP_DAMAGE_CHECKSUM, /* of a payload */
    CAP_DAMAGE_LENGTH,   /* a payload that does not unpack to what its header says */
    CAP_DAMAGE_PADDING,
    CAP_DAMAGE_MISSING, /* the numbers of chunks jump */
    CAP_DAMAGE_RECORD,  /* a record makes no sense */
};
const char *cap_damage_name(enum cap_damage_kind kind); /* "checksum" */

struct cap_damage {
    enum cap_damage_kind kind;
    uint32_t chunk;  /* its number */
    uint64_t offset; /* in the file */
    bool is_known;   /* its header holds: what was lost is below */
    uint32_t chunk_kind, stream, records;
    uint64_t first_record, first_stamp;
};
#define CAP_DAMAGES_MAX 4096u

#define CAP_NO_CHUNK UINT32_MAX

/* A chunk whose header holds. Its payload may not. */
struct cap_chunk {
    uint64_t offset; /* of the header in the file */
    uint64_t first_stamp, first_record, time, hash;
    uint32_t kind, number, stream, records, raw_size, stored_size;
    uint16_t flags;
    bool is_damaged;
    bool is_indexed; /* as the index says: its header, and with it `hash`, is read by a load */
    uint32_t next;   /* of the same stream and kind; CAP_NO_CHUNK: the last so far */
};

struct cap_reader {
    int fd;
    struct cap_file_header header;
    uint64_t size; /* of the file when it was looked at last */
    struct cap_chunk *chunks;
    uint32_t chunk_count, chunk_capacity;
    uint64_t offset;     /* where the next chunk header should be */
    uint32_t number;     /* and its number */
    bool is_complete;    /* CAP_KIND_END was seen: is_torn and growth are over */
    bool is_torn;        /* the file ends inside a chunk */
    uint64_t bad_offset; /* where the last search for a header began; 0: none is going on */
    uint32_t skipped;    /* chunks of optional kinds that are not known */
    uint32_t skipped_kind;
    struct cap_damage *damages;
    uint32_t damage_count; /* in `damages` */
    uint64_t damages_more; /* not kept */
    uint8_t *stored;       /* the payload as it is in the file */
    size_t stored_capacity;
    void *unpack; /* zstd's */
    enum cap_refusal refusal;
    char reason[CAP_REASON]; /* of a refusal: one line without the file's name */
};

/* fd: takes; a file that can be sought in. *out is there in any case but NOMEM, for its reason. */
enum sl_result cap_reader_open(int fd, struct cap_reader **out) SL_MUST_USE;
void cap_reader_close(struct cap_reader *reader);

/* Takes in the chunk headers that are there and were not; again, when the file grew. UNSUPPORTED: a
 * critical kind that is not known (reason); IO; NOMEM. */
enum sl_result cap_reader_scan(struct cap_reader *reader) SL_MUST_USE;
/* Another element of the list, from elsewhere than a scan. UNSUPPORTED, NOMEM as above. */
enum sl_result cap_reader_add(struct cap_reader *reader, const struct cap_chunk *chunk) SL_MUST_USE;
/* A scan of one chunk header at an offset, without the list: for who has an index. PROTOCOL: it
 * is damaged; NOTFOUND: the file ends before it. */
enum sl_result cap_reader_chunk_at(struct cap_reader *reader, uint64_t offset,
                                   struct cap_chunk *out) SL_MUST_USE;

/* Memory for one payload; zeroed at first. */
struct cap_payload {
    uint8_t *data;
    size_t size, capacity;
};
void cap_payload_finish(struct cap_payload *payload);
/* Reads, verifies and unpacks. PROTOCOL: it is damaged, said in *why; NOTFOUND: the file ends
 * inside it; NOMEM, IO. */
enum sl_result cap_reader_load(struct cap_reader *reader, const struct cap_chunk *chunk,
                               struct cap_payload *payload, enum cap_damage_kind *why) SL_MUST_USE;
/* What is known of a chunk that is damaged. */
struct cap_damage cap_damage_of(const struct cap_chunk *chunk, enum cap_damage_kind kind);
/* Adds to the list; the chunk is marked. chunk: an element of reader->chunks. */
void cap_reader_damaged(struct cap_reader *reader, struct cap_chunk *chunk,
                        enum cap_damage_kind why);

#endif
