/* What generated pack and unpack code stands on: where packets are written, how they are read,
 * where replies go.
 *
 * Pack: guest side, the thread that owns the stream. struct sl_pack is embedded as first member by
 * whoever owns the bytes (the ring writer, a test's memory buffer); generated code only bumps
 * `cur`. Unpack: host side, the ring's thread, over a private copy of the packet. Wire: packets
 * {u32 opcode, u32 length, body}, checksum v1 (protocol facts: packet framing, checksum). */
#ifndef SL_PACK_H
#define SL_PACK_H

#include "transport/base/bytes.h"
#include "transport/base/mem.h"
#include "transport/base/result.h"

/* A packet of at most this many bytes is written in one piece; of a larger one, input data goes
 * through ops->bulk. */
#define SL_PACK_INLINE 65536u
/* The same of one with staged data: a copy less is worth a look for shared memory from here on. */
#define SL_PACK_STAGED 8192u
/* After ops->bulk at least this many bytes are free: more than the scalars of any command. */
#define SL_PACK_ROOM 1024u

struct sl_pack;

struct sl_pack_ops {
    /* Make at least `size` (<= SL_PACK_INLINE) contiguous bytes free at the returned place, which
     * is also the new `cur`; may publish what lies before. Never NULL: a dead stream answers with a
     * scratch area. */
    uint8_t *(*room)(struct sl_pack *pack, size_t size);
    /* Bytes up to p are written and may go out; then `size` bytes of data follow on the wire at
     * once. Returns the place to go on with SL_PACK_ROOM bytes free. data may be NULL: zeros. The
     * packet ends later, with sl_pack_end. */
    uint8_t *(*bulk)(struct sl_pack *pack, uint8_t *p, const void *data, size_t size);
    /* The packet whose bytes so far reach up to p goes on with `size` bytes that may travel in
     * memory that the peer shares instead. *to: that memory, to be filled by the caller (or `data`
     * itself, which lies there already); NULL: they travel as bulk does. Returns the place to go on
     * with SL_PACK_ROOM bytes free, in either case. Nullable. */
    uint8_t *(*stage)(struct sl_pack *pack, uint8_t *p, const void *data, size_t size,
                      uint8_t **to);
    /* Copies `size` bytes to a part of the memory that `stage` gave last. Not NULL where stage is
     * not. */
    void (*fill)(struct sl_pack *pack, uint8_t *to, const void *data, size_t size);
};

struct sl_pack {
    uint8_t *cur;   /* next free byte */
    uint8_t *limit; /* up to here begin() does not ask; the owner may set it low to be asked more
                       often */
    uint32_t tail;  /* 0, or 8 while checksum v1 is on */
    uint32_t sum_count; /* checksums written so far */
    const struct sl_pack_ops *ops;
};

/* Start a packet: `size` bytes free at the result. size <= SL_PACK_INLINE, the tail included. */
static inline uint8_t *sl_pack_begin(struct sl_pack *pack, size_t size)
{
    if (SL_LIKELY(size <= (size_t)(pack->limit - pack->cur))) {
        return pack->cur;
    }
    return pack->ops->room(pack, size);
}

/* Checksum v1's first word: the number of covered bytes with its bits reversed. */
static inline uint32_t sl_sum_word(uint32_t covered)
{
    uint32_t v = covered;
    v = (v >> 1 & 0x55555555u) | (v & 0x55555555u) << 1;
    v = (v >> 2 & 0x33333333u) | (v & 0x33333333u) << 2;
    v = (v >> 4 & 0x0f0f0f0fu) | (v & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(v);
}

/* Checksum v1: that word, then the running counter. Returns the byte after it. */
uint8_t *sl_pack_sum(struct sl_pack *pack, uint8_t *p, uint32_t covered);

/* End a packet whose bytes reach up to p; covered: header and body. */
static inline void sl_pack_end(struct sl_pack *pack, uint8_t *p, uint32_t covered)
{
    if (SL_UNLIKELY(pack->tail != 0)) {
        p = sl_pack_sum(pack, p, covered);
    }
    pack->cur = p;
}

/* The lines that the bytes after the next few packets go to, `size` of them, are fetched for
 * writing: the peer's cache has them from the last time, and a copy waits for each. */
#define SL_PACK_AHEAD_MIN 512u
static inline void sl_pack_ahead(const uint8_t *p, size_t size)
{
    for (size_t at = 4096; at < 4096 + size; at += 64) {
        const uint8_t *line = (const uint8_t *)((uintptr_t)p + at);
#if defined(__x86_64__) /* compilers prefetch for reading there: the write waits again */
        __asm__ volatile("prefetchw %0" : : "m"(*line));
#else
        __builtin_prefetch(line, 1, 3);
#endif
    }
}

/* Input data of a packet that may be bulky: in place when the packet is small (`small`), else
 * through ops->bulk. */
static inline uint8_t *sl_pack_data(struct sl_pack *pack, uint8_t *p, const void *data, size_t size,
                                    bool small)
{
    if (SL_LIKELY(small)) {
        if (size >= SL_PACK_AHEAD_MIN) {
            sl_pack_ahead(p, size);
        }
        if (size != 0) {
            memcpy(p, data, size);
        }
        return p + size;
    }
    return pack->ops->bulk(pack, p, data, size);
}

/* The same for data that the host may find in shared memory. */
uint8_t *sl_pack_staged(struct sl_pack *pack, uint8_t *p, const void *data, size_t size,
                        bool small);

/* Data that does not lie in one piece: `images` x `rows` rows of `row` bytes. On the wire: `prefix`
 * zero bytes, then each row padded with zeros to wire_pitch, each image padded with zeros to
 * wire_image. size: bytes on the wire in all, = prefix + images * wire_image. One piece of memory
 * is rows = images = 1, row = wire_pitch = wire_image = size. */
struct sl_gather {
    const uint8_t *src;
    size_t size;
    size_t prefix;
    size_t row;
    size_t src_pitch;
    size_t wire_pitch;
    size_t src_image;
    size_t wire_image;
    uint32_t rows;
    uint32_t images;
};

static inline struct sl_gather sl_gather_flat(const void *data, size_t size)
{
    return (struct sl_gather){.src = data,
                              .size = size,
                              .row = size,
                              .src_pitch = size,
                              .wire_pitch = size,
                              .src_image = size,
                              .wire_image = size,
                              .rows = 1,
                              .images = 1};
}

uint8_t *sl_pack_gather(struct sl_pack *pack, uint8_t *p, const struct sl_gather *gather,
                        bool small);
uint8_t *sl_pack_gather_staged(struct sl_pack *pack, uint8_t *p, const struct sl_gather *gather,
                               bool small);

/* A growing memory buffer as pack target: tests, golden bytes, the fuzz seeds. */
struct sl_pack_mem {
    struct sl_pack pack;
    uint8_t *data; /* data[0 .. pack.cur - data) is what was written, unless failed */
    size_t size;
    bool failed; /* memory ran out: what was written since is lost */
};
void sl_pack_mem_init(struct sl_pack_mem *mem);
void sl_pack_mem_finish(struct sl_pack_mem *mem);

/* Data of a packet that lies in shared memory: `size` bytes at `data` stand at `at` of the body.
 * The peer may change them at any time: they are for who takes them as they are. */
struct sl_staged {
    const uint8_t *at;
    uint8_t *data;
    size_t size;
};

/* One packet's body, being read. Short reads give zeros and mark it; look at `failed` once, at the
 * end. */
struct sl_unpack {
    const uint8_t *cur;
    const uint8_t *end;
    struct sl_arena *arena;         /* for arrays that lie misaligned in the packet */
    const struct sl_staged *staged; /* nullable */
    bool failed;
};

#define SL_UNPACK_SCALAR(name, type)                                                               \
    static inline type sl_unpack_##name(struct sl_unpack *u)                                       \
    {                                                                                              \
        if (SL_UNLIKELY((size_t)(u->end - u->cur) < sizeof(type))) {                               \
            u->failed = true;                                                                      \
            u->cur = u->end;                                                                       \
            return 0;                                                                              \
        }                                                                                          \
        type value = sl_load_##name(u->cur);                                                       \
        u->cur += sizeof(type);                                                                    \
        return value;                                                                              \
    }
SL_UNPACK_SCALAR(u8, uint8_t)
SL_UNPACK_SCALAR(u16, uint16_t)
SL_UNPACK_SCALAR(u32, uint32_t)
SL_UNPACK_SCALAR(u64, uint64_t)
SL_UNPACK_SCALAR(f32, float)
#undef SL_UNPACK_SCALAR

/* `size` bytes of array data, aligned to `align` (1, 2, 4 or 8): in place, or copied to the arena.
 * NULL and failed when they are not there. A size of 0 gives a valid pointer. */
const void *sl_unpack_array(struct sl_unpack *u, size_t size, size_t align);

/* The reply of one packet: bytes collected in private memory, sent as one. Ring thread. */
struct sl_reply {
    uint8_t *data;
    size_t size; /* bytes in it */
    size_t capacity;
    size_t max; /* what size may reach */
    /* Shared memory that the next room of just so many bytes is made in, once; such a room is not
     * in `data`, nor zeroed: what was there is the peer's own. NULL: none. */
    uint8_t *stage;
    size_t stage_size;
    bool failed; /* it outgrew max or memory */
};
void sl_reply_init(struct sl_reply *reply, size_t max);
void sl_reply_finish(struct sl_reply *reply);
/* `size` zeroed bytes at the end of the reply, valid until the next call; NULL and failed past max.
 */
void *sl_reply_room(struct sl_reply *reply, size_t size);

#endif
