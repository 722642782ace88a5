/* The trace file (.slc): every byte of it. Public format, container version 1.0.
 *
 * Who writes: host/capture's writer, `sluice trim`. Who reads: host/capture's reader, host/replay,
 * the tools. Everything is little-endian. A file is a header and then chunks:
 *
 *     file   = cap_file_header chunk*
 *     chunk  = cap_chunk_header payload padding        (each chunk starts on a multiple of 64)
 *
 * It is only ever appended to: nothing is patched, and whatever refers to something refers
 * backward, so a file that still grows, comes through a pipe or was cut by a kill is read with the
 * same code. A complete file ends with a CAP_KIND_END chunk.
 *
 * Readers trust nothing: sizes are at most CAP_PAYLOAD_MAX, every byte of a file is covered (file
 * header and chunk headers by CRC-32C, payloads by XXH3-64, padding is zero, chunks are numbered),
 * and counts are bounded by the bytes that are there.
 *
 * Versions: a reader refuses another major, and a newer minor's additions are optional chunk kinds
 * or bytes at the end of records that say their size. A kind whose first letter is lower case is
 * optional: skip what is not known. */
#ifndef HOST_CAPTURE_FORMAT_H
#define HOST_CAPTURE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define CAP_MAJOR 1u
#define CAP_MINOR 0u

/* ---- basic encodings ----
 *
 * varint:  unsigned LEB128, at most 10 bytes; 64 bits in all, no longer than needed.
 * svarint: a signed number as varint of (n << 1) ^ (n >> 63).
 * stamp:   a number of the recording's one 64-bit counter, from 1. Every packet and every verb
 *          takes the next one when it begins (that of a packet is also its number for people, "call
 *          51377"). So stamps say in which order things really began, over all streams. An *end*
 *          stamp is the counter's value when something was over: everything with a stamp above it
 *          began afterwards.
 * time:    nanoseconds of the monotonic clock since the recording began. */
#define CAP_VARINT_MAX 10u

/* ---- the file header ---- */

#define CAP_MAGIC      "\x89SLC\r\n\x1a\n" /* 8 bytes: text-mode damage shows at once */
#define CAP_MAGIC_SIZE 8u

struct cap_file_header {
    uint8_t magic[CAP_MAGIC_SIZE];
    uint16_t major, minor;
    uint32_t header_size; /* 64: where the first chunk is; a multiple of 64, <= 4096 */
    uint32_t flags;       /* CAP_FILE_* */
    uint32_t reserved;    /* 0 */
    uint8_t session[16];  /* UUID: files of one recording have the same */
    uint64_t created_ns;  /* Unix time when the recording began: time 0 */
    uint64_t seed;        /* of blob keys: random, secret from guests while recording */
    uint32_t reserved2;   /* 0 */
    uint32_t crc;         /* CRC-32C of the 60 bytes before */
};
_Static_assert(sizeof(struct cap_file_header) == 64, "file header");
_Static_assert(offsetof(struct cap_file_header, session) == 24, "file header");
_Static_assert(offsetof(struct cap_file_header, crc) == 60, "file header");

enum {
    CAP_FILE_TRIMMED = 1 << 0,        /* made by trim, not by a recorder */
    CAP_FILE_NOT_REPLAYABLE = 1 << 1, /* contents were left out (--no-resources) */
    /* What a flight recorder keeps: chunks between the head and the first snapshot that is there
     * were given back to the disk and read as zeros. No BLOB before a snapshot is referred to
     * behind it. */
    CAP_FILE_RING = 1 << 2,
};

/* ---- chunks ---- */

#define CAP_ALIGN       64u
#define CAP_SYNC        0xc55bu       /* bytes 5b c5 */
#define CAP_PAYLOAD_MAX (16u << 20)   /* of raw and of stored size */
#define CAP_CHUNK_BYTES (256u * 1024) /* a writer closes a chunk that has this much */

struct cap_chunk_header {
    uint16_t sync;
    uint16_t flags;        /* CAP_CHUNK_* */
    uint32_t kind;         /* CAP_KIND_* */
    uint32_t number;       /* of the chunk in its file: 0, 1, 2 ... */
    uint32_t stream;       /* whose; 0: the device's own */
    uint32_t records;      /* that begin in this chunk; CALL: packets only */
    uint32_t raw_size;     /* of the payload, unpacked */
    uint64_t first_stamp;  /* of its first record; the base of the deltas in it */
    uint64_t first_record; /* records of this stream and kind in the chunks before it */
    uint64_t time;         /* of its first record; the base of the times in it */
    uint64_t hash;         /* XXH3-64, seed 0, of the stored payload (without padding) */
    uint32_t stored_size;  /* of the payload in the file: raw_size unless CAP_CHUNK_ZSTD */
    uint32_t crc;          /* CRC-32C of the 60 bytes before */
};
_Static_assert(sizeof(struct cap_chunk_header) == 64, "chunk header");
_Static_assert(offsetof(struct cap_chunk_header, first_stamp) == 24, "chunk header");
_Static_assert(offsetof(struct cap_chunk_header, stored_size) == 56, "chunk header");

enum {
    CAP_CHUNK_ZSTD = 1 << 0,     /* one zstd frame that says its content's size, raw_size */
    CAP_CHUNK_SNAPSHOT = 1 << 1, /* belongs to the snapshot between two SNAP chunks */
    /* A record may be larger than a chunk: SPILLS: its last record goes on in the next chunk of
     * this stream and kind, which is CONTINUED: its payload (behind the head, where the kind has
     * one) starts with the rest. */
    CAP_CHUNK_CONTINUED = 1 << 2,
    CAP_CHUNK_SPILLS = 1 << 3,
};

#define CAP_KIND(a, b, c, d)                                                                       \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define CAP_KIND_META CAP_KIND('M', 'E', 'T', 'A')
#define CAP_KIND_PROT CAP_KIND('P', 'R', 'O', 'T')
#define CAP_KIND_CAPS CAP_KIND('C', 'A', 'P', 'S')
#define CAP_KIND_CALL CAP_KIND('C', 'A', 'L', 'L')
#define CAP_KIND_VERB CAP_KIND('V', 'E', 'R', 'B')
#define CAP_KIND_MEMW CAP_KIND('M', 'E', 'M', 'W')
#define CAP_KIND_BLOB CAP_KIND('B', 'L', 'O', 'B')
#define CAP_KIND_FRAM CAP_KIND('F', 'R', 'A', 'M')
#define CAP_KIND_SNAP CAP_KIND('S', 'N', 'A', 'P')
#define CAP_KIND_INDX CAP_KIND('I', 'N', 'D', 'X')
#define CAP_KIND_END  CAP_KIND('E', 'N', 'D', '!')
#define CAP_KIND_TEXT CAP_KIND('t', 'e', 'x', 't')
#define CAP_KIND_GPUT CAP_KIND('g', 'p', 'u', 't')
#define CAP_KIND_THUM CAP_KIND('t', 'h', 'u', 'm')

/* META, PROT, CAPS come first, in this order, once, with stream 0; a file without them is
 * incomplete (the recorder was killed at its start) and still readable.
 *
 * ---- META: one JSON object, UTF-8 ----
 *
 *   schema 1, made_by "sluice 0.5.0", program, arguments [..], directory, pid,
 *   machine {os, cpu, cores, memory_bytes, host}, drivers (vgd's describe, one line),
 *   environment {NAME: value} (an allow-list), options {NAME: value} of the recorder,
 *   memory_method "write protection where programs allow it, else comparison" | "comparison" |
 *   "none",
 *   protocol (PROT's hash in hex), range "0-299" (frames asked for; absent: all). Others are added.
 *
 * ---- PROT: what the packets' bytes mean, so that a file is dumped by any build ----
 *
 *   cap_prot_head, then JSON, positional since it is in every file:
 *
 *   {"schema": 1, "gl": [[opcode, name, value, prim, kind, trailing, [[name, c_type, step, kind,
 *    prim, nullable], ..]], ..], "vulkan": [[opcode, name, layout], ..]}
 *
 *   gl: the commands of OpenGL ES, renderControl and our own. value: whether one is returned, then
 *   prim and kind of it; step, kind, prim: numbers of tools/plan/plan.h's enumerations, which are
 *   not changed any more. Texts have no escapes. vulkan: layout, 16 hexadecimal digits, is XXH3-64
 *   of all that decides what packets look like: who has a layout with that hash knows them. */
struct cap_prot_head {
    uint8_t hash[16]; /* XXH3-128 (low word first, seed 0) of the JSON behind this head */
    uint32_t json_size;
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct cap_prot_head) == 24, "protocol head");

/* ---- CAPS: what the host said it can ----
 *
 *   records of cap_caps_head and `size` bytes, each padded to 8. */
struct cap_caps_head {
    uint32_t capset;  /* VIRTGPU_CAPSET_* */
    uint32_t version; /* max_version */
    uint32_t size;
    uint32_t reserved; /* 0 */
};

/* ---- CALL: packets of one stream, with what came of them ----
 *
 * A stream is one guest ring, that is one thread of one context. Its number is given by the
 * recorder, from 1, never twice in a file. The payload starts with a cap_call_head (so that any
 * chunk can be read alone), then records:
 *
 *   tag u8: CAP_CALL_PACKET | flags
 *     varint  start stamp, minus the one before it in this chunk (the first: minus first_stamp)
 *     bytes   the packet as it was in the ring: u32 opcode, u32 length (>= 8, of all of it), body,
 *             the checksum's 8 bytes where CAP_CALL_SUM is set
 *   tag u8: CAP_CALL_RESULT | flags     what became of the packet before it in this *stream*
 *     varint  end stamp minus the packet's start stamp
 *     varint  with CAP_CALL_REPLY: size of the reply, then its bytes (as sent, without checksum)
 *   tag u8: CAP_CALL_TIME
 *     varint  time, minus that of the TIME record before it in this chunk (the first: minus the
 *             header's). Packets behind it began at this time or later.
 *
 * Vulkan's packets carry a number of their own, and wait for their turn while they are executed:
 * where two of them disagree with their stamps, the numbers win.
 *
 * A packet is written before it is decoded; its RESULT comes when it is over, possibly in the next
 * chunk. Packets without one: nothing is known but that it was over when the stream's next packet
 * began. A reader that does not know a tag's low four bits stops: the format's major changes.
 *
 * In a chunk's header: stream as said; records: packets; first_record: packets before. */
struct cap_call_head {
    uint32_t head_size; /* 24 */
    uint32_t ctx_id;
    uint32_t ring_id;  /* the ring's resource */
    uint32_t capset;   /* of the context: which API the opcodes are of */
    uint32_t preamble; /* the stream's first word */
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct cap_call_head) == 24, "call head");

enum {
    CAP_CALL_PACKET = 0x01,
    CAP_CALL_RESULT = 0x02,
    CAP_CALL_TIME = 0x03,
    CAP_CALL_TYPE = 0x0f,    /* mask of the above */
    CAP_CALL_SUM = 0x10,     /* PACKET: checksum v1 was on */
    CAP_CALL_REPLY = 0x10,   /* RESULT: there was a reply */
    CAP_CALL_REFUSED = 0x20, /* RESULT: the handler refused the arguments; the stream goes on */
    CAP_CALL_LOST = 0x40,    /* RESULT: the packet broke the protocol; the stream is over */
};

/* ---- VERB: what the front asked of the device (waist B), stream 0, in order ----
 *
 * Records:
 *   u8      enum cap_verb
 *   varint  stamp, minus the one before it in this chunk (the first: minus first_stamp)
 *   varint  size of the body
 *   bytes   the body: the verb's struct below, then what is said behind it. A body may be longer
 *           than its struct in newer minors: the tail of a struct is looked at only by who knows
 * it. A verb is written before it is carried out; CTX_DESTROY, CTX_DETACH and RES_DESTROY behind
 * that, since their rings run dry first. CAP_VERB_RESULT follows, for the verb before it, when the
 * answer was not SL_OK or when there is something to tell; its stamp is an end stamp. A verb
 * without one succeeded (or killed the host). Verbs that change nothing and tell nothing (capset
 * queries, describe, scanout_read) are not recorded. Unknown verbs >= 128 may be skipped; unknown
 * ones below may not. */
enum cap_verb {
    CAP_VERB_RESULT = 0,          /* cap_verb_result */
    CAP_VERB_CTX_CREATE = 1,      /* cap_verb_ctx, value = capset; then the name, no zero */
    CAP_VERB_CTX_DESTROY = 2,     /* cap_verb_ctx, value 0 */
    CAP_VERB_CTX_ATTACH = 3,      /* cap_verb_ctx, value = resource */
    CAP_VERB_CTX_DETACH = 4,      /* cap_verb_ctx, value = resource */
    CAP_VERB_SUBMIT = 5,          /* cap_verb_ctx, value = size; then the commands */
    CAP_VERB_TEX_CREATE = 6,      /* cap_verb_tex */
    CAP_VERB_BLOB_CREATE = 7,     /* cap_verb_blob */
    CAP_VERB_RES_IMPORT = 8,      /* cap_verb_res, value = size. The bytes follow as MEMW */
    CAP_VERB_RES_DESTROY = 9,     /* cap_verb_res, value 0 */
    CAP_VERB_BACKING_ATTACH = 10, /* cap_verb_res, value = bytes of guest pages in all */
    CAP_VERB_BACKING_DETACH = 11, /* cap_verb_res, value 0 */
    CAP_VERB_TRANSFER = 12,    /* cap_verb_transfer. To the host: the bytes came as MEMW before */
    CAP_VERB_RES_MAP = 13,     /* cap_verb_res, value 0. Its RESULT: value = size of the mapping */
    CAP_VERB_RES_UNMAP = 14,   /* cap_verb_res, value 0 */
    CAP_VERB_RES_EXPORT = 15,  /* cap_verb_res, value 0 */
    CAP_VERB_FENCE = 16,       /* cap_verb_fence */
    CAP_VERB_SCANOUT_SET = 17, /* cap_verb_scanout */
    CAP_VERB_FLUSH = 18,       /* cap_verb_flush */
    CAP_VERB_CURSOR_SET = 19,  /* cap_verb_cursor */
    CAP_VERB_RESET = 20,       /* no body */
    /* What the device told; nothing to carry out. Stamped like the verbs. */
    CAP_VERB_FENCE_DONE = 128,   /* cap_verb_fence: all of (ctx, ring) up to it */
    CAP_VERB_CTX_LOST = 129,     /* cap_verb_ctx, value 0; then the reason, no zero */
    CAP_VERB_STREAM_BEGIN = 130, /* cap_verb_stream: before the stream's first packet */
    CAP_VERB_STREAM_END = 131,   /* cap_verb_stream: after its last */
};

struct cap_verb_result {
    int32_t result;    /* enum sl_result */
    uint32_t reserved; /* 0 */
    uint64_t value;    /* as the verb says; else 0 */
};
struct cap_verb_ctx {
    uint32_t ctx_id;
    uint32_t value;
};
struct cap_verb_res {
    uint32_t resource_id;
    uint32_t reserved; /* 0 */
    uint64_t value;
};
struct cap_verb_tex { /* struct vg_tex_args */
    uint32_t resource_id, target, format, bind;
    uint32_t width_px, height_px, depth, array_size;
    uint32_t last_level, nr_samples, flags, reserved;
};
struct cap_verb_blob { /* struct vgd_blob_args */
    uint32_t ctx_id, resource_id, mem, flags;
    uint64_t size, blob_id;
    uint64_t backing_size; /* bytes of guest pages; 0: none */
};
struct cap_verb_box { /* struct vg_box */
    uint32_t x, y, z, width, height, depth;
};
struct cap_verb_transfer {
    uint32_t ctx_id, resource_id;
    struct cap_verb_box box;
    uint64_t offset;
    uint32_t level, stride, layer_stride;
    uint32_t direction; /* enum vg_direction: 0 to the host, 1 from it */
};
struct cap_verb_fence {
    uint32_t ctx_id, ring;
    uint64_t id;
};
struct cap_verb_scanout { /* struct vgd_scanout */
    uint32_t scanout_id, resource_id;
    uint32_t x_px, y_px, width_px, height_px;
    uint32_t format, image_width_px, image_height_px, stride;
    uint64_t offset;
};
struct cap_verb_flush {
    uint32_t resource_id;
    struct cap_verb_box box;
    uint32_t reserved; /* 0 */
};
struct cap_verb_cursor { /* struct vgd_cursor */
    uint32_t scanout_id, resource_id;
    int32_t x_px, y_px;
    uint32_t hot_x_px, hot_y_px;
    uint32_t is_move;
    uint32_t reserved; /* 0 */
};
struct cap_verb_stream {
    uint32_t stream; /* the number in chunk headers */
    uint32_t ctx_id, ring_id, capset, preamble;
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct cap_verb_result) == 16, "verb");
_Static_assert(sizeof(struct cap_verb_tex) == 48, "verb");
_Static_assert(sizeof(struct cap_verb_blob) == 40, "verb");
_Static_assert(sizeof(struct cap_verb_transfer) == 56, "verb");
_Static_assert(sizeof(struct cap_verb_scanout) == 48, "verb");
_Static_assert(sizeof(struct cap_verb_flush) == 32, "verb");

/* ---- MEMW: what guests wrote to memory that they share with the host ----
 *
 * Chunks of the stream at whose packet the writes were found (0: at a verb). Records:
 *   varint  stamp, minus the one before it in this chunk (the first: minus first_stamp): of the
 *           packet or verb *before* which the bytes must be there. Nothing with a smaller stamp
 *           needs them.
 *   u8      enum cap_memw_source
 *   varint  resource id: bytes of its shared memory, or of its guest pages
 *   varint  count of pieces
 *   pieces: varint offset in the resource, minus the end of the piece before it (the first: as is)
 *           varint size << 1 | by reference
 *           by reference: varint number of the blob (see BLOB), whose size is the piece's
 *           else: the bytes
 * Pieces ascend and do not overlap; one is at most CAP_PIECE_BYTES and lies between two multiples
 * of it. */
#define CAP_PIECE_BYTES  65536u
#define CAP_PIECE_INLINE 256u /* a writer stores what is smaller in place */

enum cap_memw_source {
    CAP_MEMW_RANGE = 1,   /* the guest named the range */
    CAP_MEMW_PROTECT = 2, /* write-protect and a scan of the page tables */
    CAP_MEMW_COMPARE = 3, /* compared with a copy */
    CAP_MEMW_WHOLE = 4,   /* all of it: first sight, a snapshot */
};

/* ---- BLOB: contents that MEMW refers to, stream 0 ----
 *
 * Records of cap_blob_head and `size` bytes, padded with zeros to a multiple of 8 from the
 * payload's start. A blob's number is its chunk's first_record plus its place in the chunk, from 0
 * over the whole file. Equal contents are stored once as long as the writer remembers them. */
struct cap_blob_head {
    uint64_t key[2];   /* XXH3-128 of the bytes with the file's seed: low, high */
    uint32_t size;     /* 1 .. CAP_PIECE_BYTES */
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct cap_blob_head) == 24, "blob head");

/* ---- FRAM: frame marks, stream 0, an array of these, stamps ascending ----
 *
 * Frame n (from 0) is everything with a stamp above mark n-1's and up to mark n's, included. */
struct cap_frame {
    /* Of the packet (or verb) that ends the frame: its stream's last one up to here. Where the mark
     * before has a later one, that one's. */
    uint64_t stamp;
    uint64_t time;    /* absolute, not a delta */
    uint32_t stream;  /* that packet's */
    uint32_t flags;   /* CAP_FRAME_* */
    uint32_t surface; /* the colour buffer (GLES), or the blob (Vulkan), that holds the picture */
    uint32_t width_px, height_px;
    uint32_t kind; /* enum cap_frame_kind */
    /* CAP_FRAME_HASH: XXH3-128, seed 0, low word first, of the picture: rows of R, G, B, A bytes
     * without gaps, top row first. */
    uint64_t hash[2];
    uint64_t reserved; /* 0 */
};
_Static_assert(sizeof(struct cap_frame) == 64, "frame mark");

enum { CAP_FRAME_HASH = 1 << 0 };
enum cap_frame_kind {
    CAP_FRAME_FLUSH = 1,   /* rcFlushWindowColorBuffer and its kind */
    CAP_FRAME_PRESENT = 2, /* a Vulkan presentation */
    CAP_FRAME_SCANOUT = 3, /* vgd's flush of what a scanout shows */
};

/* ---- SNAP: begin and end of a snapshot, stream 0, not compressed ----
 *
 * Between the two lie ordinary chunks with CAP_CHUNK_SNAPSHOT, whose records lead from nothing to
 * the state at `stamp`. A reader that plays from the file's start skips them, unless nothing but
 * them lies before: then they are its start; or unless they are CAP_SNAPSHOT_JOINED. Their stamps
 * are above `stamp_before` and not above `stamp`, where nothing else has stamps but what the device
 * told meanwhile. Chunks without the flag that come behind the begin mark belong behind the
 * snapshot. BLOB chunks are never flagged: they are everybody's.
 *
 * A packet that had begun and waited for others is the last of its stream's: it is in the snapshot
 * again, and its RESULT in the stream's first chunk behind. */
struct cap_snapshot {
    uint32_t mark;         /* enum cap_snapshot_mark */
    uint32_t reason;       /* enum cap_snapshot_reason */
    uint64_t stamp;        /* the state is that before the next stamp; of a begin mark: 0 */
    uint64_t frame;        /* the next frame's number in this file */
    uint64_t begin;        /* but of the begin mark: file offset of that one's chunk */
    uint64_t time;         /* absolute */
    uint64_t stamp_before; /* the last one before */
};
enum cap_snapshot_mark {
    CAP_SNAPSHOT_BEGIN = 0,
    CAP_SNAPSHOT_END = 1,
    CAP_SNAPSHOT_FAILED = 2, /* an end, too: what lies before it is to be passed by */
};
_Static_assert(sizeof(struct cap_snapshot) == 48, "snapshot mark");
enum cap_snapshot_reason {
    CAP_SNAPSHOT_START = 1,
    CAP_SNAPSHOT_PERIOD = 2,
    CAP_SNAPSHOT_TRIM = 3,
    /* What another file of the session began with, behind a CAP_VERB_RESET: who plays from the
     * file's start plays these records, too. */
    CAP_SNAPSHOT_JOINED = 4,
};

/* ---- text, gput: optional ----
 *
 * text records: varint stamp delta (as in VERB), u8 level (enum sl_log_level), varint size, UTF-8.
 * gput: reserved for GPU times. */

/* ---- thum: optional: what a frame shows, small, stream 0 ----
 *
 * cap_thumb, then rows of R, G, B without gaps, top row first. The last one in the file counts. */
struct cap_thumb {
    uint32_t width_px, height_px; /* 1 to CAP_THUMB_SIDE */
    uint64_t frame;               /* whose picture; counted from the recording's begin */
};
_Static_assert(sizeof(struct cap_thumb) == 16, "thumb");
#define CAP_THUMB_SIDE 128u

/* ---- INDX: an index segment, stream 0 ----
 *
 * Written every 64 MiB or 5 s, and before END. Payload: cap_index_head, then sections of
 * cap_index_section and `size` bytes. TOTALS, CALLS, STREAMS, SNAPSHOTS count from the file's
 * begin, so the last segment alone answers `info`; CHUNKS and FRAMES are of what came since the
 * segment before, but for frames with a stamp above last_stamp, which come in a later one. `skip`
 * makes finding an old segment logarithmic: segment i links to segment i & (i - 1), both numbered
 * from 0. */
struct cap_index_head {
    uint32_t head_size;          /* 72 */
    uint32_t segment;            /* its number, from 0 */
    uint64_t previous;           /* file offset of the segment before; 0: none */
    uint64_t skip;               /* file offset of segment (i & (i - 1)); 0: none */
    uint64_t first_chunk_offset; /* of the first chunk in CHUNKS */
    uint32_t first_chunk;        /* its number */
    uint32_t chunks;             /* in CHUNKS; not this one */
    uint64_t first_frame;        /* of FRAMES */
    uint64_t last_stamp;         /* the highest in the chunks so far */
    uint32_t frames;             /* in FRAMES */
    uint32_t sections;
    uint32_t late; /* how many segments whose last_stamp was not below it any chunk or frame so far
                      came after, at most */
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct cap_index_head) == 72, "index head");

struct cap_index_section {
    uint32_t section; /* enum cap_section; unknown ones are skipped */
    uint32_t size;    /* bytes that follow, without padding: sections follow each other directly */
};

enum cap_section {
    /* struct cap_totals */
    CAP_SECTION_TOTALS = 1,
    /* For each chunk, in file order: varint stored_size (with raw_size and the alignment rule it
     * gives the next one's offset), varint raw_size, u32 kind, varint flags, varint stream, varint
     * records, svarint first_stamp minus the one's before (the first: minus 0), varint span: last
     * stamp in it minus first_stamp, svarint first_record minus what the one before it of this
     * stream and kind in this section led to (first in the section: minus 0), svarint time minus
     * the one's before. */
    CAP_SECTION_CHUNKS = 2,
    /* For each frame: struct cap_frame as in FRAM, then u64 calls and u64 bytes of packets in it.
     */
    CAP_SECTION_FRAMES = 3,
    /* For each command that occurred: varint capset, varint opcode, varint count, varint bytes. */
    CAP_SECTION_CALLS = 4,
    /* For each stream: struct cap_index_stream. */
    CAP_SECTION_STREAMS = 5,
    /* For each complete snapshot: u64 offset of its begin mark's chunk, u64 offset of its end
     * mark's, u64 stamp, u64 frame. */
    CAP_SECTION_SNAPSHOTS = 6,
};

struct cap_index_frame {
    struct cap_frame mark;
    uint64_t calls, bytes;
};
_Static_assert(sizeof(struct cap_index_frame) == 80, "frame entry");

struct cap_index_stream {
    struct cap_verb_stream stream;
    uint32_t flags;        /* CAP_STREAM_* */
    uint32_t reserved;     /* 0 */
    uint64_t calls, bytes; /* packets */
    uint64_t first_stamp, last_stamp;
};
_Static_assert(sizeof(struct cap_index_stream) == 64, "stream entry");
enum { CAP_STREAM_ENDED = 1 << 0 };

/* All about the file up to here. Sizes in bytes. */
struct cap_totals {
    uint64_t chunks;
    uint64_t calls, call_bytes; /* packets, as they were in the rings */
    uint64_t replies, reply_bytes;
    uint64_t verbs;
    uint64_t frames;
    uint64_t streams;
    uint64_t writes, write_bytes;     /* MEMW records, and bytes of their pieces */
    uint64_t blobs, blob_bytes;       /* stored */
    uint64_t shared_bytes;            /* of pieces that needed no new blob */
    uint64_t raw_bytes, stored_bytes; /* payloads */
    uint64_t time;                    /* now */
    uint64_t tap_ns;                  /* that the taps took of their threads; 0: not measured */
    uint64_t decode_ns;               /* that those threads were busy, taps included */
    uint64_t stalls, stall_ns;        /* waits for the writer */
    uint64_t scanned;                 /* of `writes`: CAP_MEMW_PROTECT */
    uint64_t snapshots, snapshot_ns;  /* taken while recording, and how long rings stood for them */
    uint64_t reserved;                /* 0 */
};
_Static_assert(sizeof(struct cap_totals) == 192, "totals");

/* ---- END!: the last chunk, stream 0, never compressed ----
 *
 * The payload is this struct: a complete file's last 320 bytes are the header and it, whatever its
 * size. */
struct cap_end {
    struct cap_totals totals;
    uint64_t index; /* file offset of the last INDX chunk */
    uint64_t
        chunks_hash; /* XXH3-64, seed 0, over the `hash` fields of all chunks before, in order */
    uint32_t reason; /* enum cap_end_reason */
    uint32_t exit_status;  /* of the program, as wait(2) tells it; CAP_END_PROGRAM only */
    uint32_t error;        /* errno, of CAP_END_DISK */
    uint32_t reserved;     /* 0 */
    uint8_t magic[8];      /* CAP_MAGIC again */
    uint64_t reserved2[3]; /* 0 */
};
_Static_assert(sizeof(struct cap_end) == 256, "end");

enum cap_end_reason {
    CAP_END_PROGRAM = 1, /* the program ended */
    CAP_END_ASKED = 2,   /* --stop, --count, a frame range's end, a signal to the recorder */
    CAP_END_SIZE = 3,    /* --max-size */
    CAP_END_DISK = 4,    /* writing failed; what is in the file is complete up to here */
    CAP_END_TRIMMED = 5,
};

#endif
