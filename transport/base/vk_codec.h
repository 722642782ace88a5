/* What generated Vulkan pack and unpack code stands on: nested packets into private memory, and
 * back into C structs.
 *
 * It knows how things travel (little-endian, words marked big-endian, no padding) and nothing of
 * Vulkan's types; names follow the generated code, hence vk_. A vk_pack belongs to one thread at a
 * time: a stream, a command buffer that is being recorded, a ring that writes replies. A vk_unpack
 * lives for one packet. Protocol facts: Vulkan wire, sections 2 and 3. */
#ifndef SL_VK_CODEC_H
#define SL_VK_CODEC_H

#include "transport/base/bytes.h"
#include "transport/base/ids.h"
#include "transport/base/mem.h"
#include "transport/base/result.h"

/* Structs and chain links inside each other; more breaks the protocol. */
#define VK_DEPTH_MAX 512u

/* What a guest's handle points to, its first two words; the loader owns the first. */
struct vk_object {
    uintptr_t loader;
    uint64_t id; /* the host's */
};

/* Bytes that grow; data[0 .. cur - data) is what was written. */
struct vk_pack {
    uint8_t *cur;
    uint8_t *limit;
    uint8_t *data;
    size_t max;     /* what it may grow to */
    uint32_t peers; /* VK_PEER_* of a stock peer; 0: our own, which knows all that we know */
    uint32_t depth;
    bool objects; /* handles point to struct vk_object; else their 64 bits are the id */
    bool failed;  /* memory, max or depth ran out: what was written since is not to be sent */
};

void vk_pack_init(struct vk_pack *pack, size_t max, bool objects);
void vk_pack_finish(struct vk_pack *pack);
/* Forget what was written, keep the memory. */
static inline void vk_pack_reset(struct vk_pack *pack)
{
    pack->cur = pack->data;
    pack->depth = 0;
    pack->failed = false;
}
static inline size_t vk_pack_size(const struct vk_pack *pack)
{
    return (size_t)(pack->cur - pack->data);
}
/* NULL and failed when there is no more. */
uint8_t *vk_pack_more(struct vk_pack *pack, size_t size);
/* `size` free bytes at pack->cur, which the caller then moves; NULL and failed. */
static inline uint8_t *vk_pack_room(struct vk_pack *pack, size_t size)
{
    if (SL_LIKELY(size <= (size_t)(pack->limit - pack->cur))) {
        return pack->cur;
    }
    return vk_pack_more(pack, size);
}
static inline void vk_pack_bytes(struct vk_pack *pack, const void *data, size_t size)
{
    uint8_t *p = vk_pack_room(pack, size);
    if (p != NULL && size != 0) {
        memcpy(p, data, size);
        pack->cur = p + size;
    }
}
static inline void vk_pack_zeros(struct vk_pack *pack, size_t size)
{
    uint8_t *p = vk_pack_room(pack, size);
    if (p != NULL && size != 0) {
        memset(p, 0, size);
        pack->cur = p + size;
    }
}
static inline void vk_pack_u32(struct vk_pack *pack, uint32_t value)
{
    uint8_t *p = vk_pack_room(pack, sizeof value);
    if (SL_LIKELY(p != NULL)) {
        sl_store_u32(p, value);
        pack->cur = p + sizeof value;
    }
}
static inline void vk_pack_u64(struct vk_pack *pack, uint64_t value)
{
    uint8_t *p = vk_pack_room(pack, sizeof value);
    if (SL_LIKELY(p != NULL)) {
        sl_store_u64(p, value);
        pack->cur = p + sizeof value;
    }
}
static inline void vk_pack_big32(struct vk_pack *pack, uint32_t value)
{
    vk_pack_u32(pack, __builtin_bswap32(value));
}
static inline void vk_pack_big64(struct vk_pack *pack, uint64_t value)
{
    vk_pack_u64(pack, __builtin_bswap64(value));
}
/* A presence word: 0, or one constant for all that is there; addresses stay at home. */
static inline bool vk_pack_present(struct vk_pack *pack, const void *pointer)
{
    vk_pack_big64(pack, pointer != NULL);
    return pointer != NULL;
}
static inline uint64_t vk_pack_id(const struct vk_pack *pack, uint64_t handle)
{
    if (pack->objects && handle != 0) {
        return ((const struct vk_object *)(uintptr_t)handle)->id;
    }
    return handle;
}
/* A string of `length` bytes: its length as a big-endian word, no terminator. NULL: length 0. */
void vk_pack_string(struct vk_pack *pack, const char *text);
void vk_pack_strings(struct vk_pack *pack, const char *const *texts, uint32_t count);
/* count handles, each the id that it stands for. */
void vk_pack_handles(struct vk_pack *pack, const void *handles, uint64_t count);
/* Handles that the host is to make: the ids of the objects they point to already (0: it chooses),
 * zeros where handles are no objects. */
void vk_pack_created(struct vk_pack *pack, const void *handles, uint64_t count);
/* count elements of `size` bytes as they lie, or as many zeros. */
void vk_pack_array(struct vk_pack *pack, const void *data, uint64_t count, size_t size);
void vk_pack_blank(struct vk_pack *pack, uint64_t count, size_t size);
/* What stands before a chained struct: the size that it has in C, and its type. */
static inline void vk_pack_link(struct vk_pack *pack, uint32_t size, uint32_t stype)
{
    vk_pack_big32(pack, size);
    vk_pack_u32(pack, stype);
}

/* A packet: opcode and a length that vk_pack_end fills in. */
static inline size_t vk_pack_begin(struct vk_pack *pack, uint32_t opcode)
{
    size_t start = vk_pack_size(pack);
    vk_pack_u32(pack, opcode);
    vk_pack_u32(pack, 0);
    return start;
}
static inline void vk_pack_end(struct vk_pack *pack, size_t start)
{
    if (!pack->failed) {
        sl_store_u32(pack->data + start + 4, (uint32_t)(vk_pack_size(pack) - start));
    }
}

/* One packet's body, or one reply, being read. The first failure is kept and sticks; look at
 * `failed` at the end. */
struct vk_unpack {
    const uint8_t *cur;
    const uint8_t *end;
    struct sl_arena *arena;   /* where structs and arrays go */
    const struct sl_ids *ids; /* host: what handles are looked up in; NULL: they stay ids */
    void *record;             /* host: what the table knows of the packet's first handle */
    /* host: records have a pointer to their owner there, 0: they have none; all handles of a packet
     * must have the first one's owner, where that has one */
    size_t owner_at;
    const void *owner;
    const char *reason; /* why it failed */
    uint32_t depth;
    uint32_t peers; /* guest: vk_pack's */
    bool outputs;   /* inside an output: handles are not looked up */
    bool failed;
    /* Guest: a reply says nowhere how long it is. Reads on until at least `size` bytes lie at cur,
     * which it and `end` may move; false: there will be no more. NULL: all is there. */
    bool (*more)(struct vk_unpack *u, size_t size);
    /* Hears of each handle of the inputs that is there, with the native one where there are ids.
     * Nullable. */
    void (*named)(struct vk_unpack *u, uint32_t kind, uint64_t id, uint64_t native);
    void *user; /* of these two */
};

static inline struct vk_unpack vk_unpack_over(const void *data, size_t size, struct sl_arena *arena,
                                              const struct sl_ids *ids)
{
    const uint8_t *p = data;
    const uint8_t *end = p != NULL ? p + size : p;
    return (struct vk_unpack){.cur = p, .end = end, .arena = arena, .ids = ids};
}
static inline size_t vk_unpack_left(const struct vk_unpack *u)
{
    return (size_t)(u->end - u->cur);
}
void vk_unpack_fail(struct vk_unpack *u, const char *reason);
/* u->more, or failed. */
bool vk_unpack_more(struct vk_unpack *u, uint64_t size);
/* The next `size` bytes in place, valid until the next take where there is u->more; NULL and
 * failed. */
static inline const uint8_t *vk_unpack_take(struct vk_unpack *u, uint64_t size)
{
    if (SL_UNLIKELY(size > vk_unpack_left(u)) && !vk_unpack_more(u, size)) {
        return NULL;
    }
    const uint8_t *p = u->cur;
    u->cur += size;
    return p;
}
static inline uint32_t vk_unpack_u32(struct vk_unpack *u)
{
    const uint8_t *p = vk_unpack_take(u, 4);
    return p ? sl_load_u32(p) : 0;
}
static inline uint64_t vk_unpack_u64(struct vk_unpack *u)
{
    const uint8_t *p = vk_unpack_take(u, 8);
    return p ? sl_load_u64(p) : 0;
}
static inline uint32_t vk_unpack_big32(struct vk_unpack *u)
{
    return __builtin_bswap32(vk_unpack_u32(u));
}
static inline uint64_t vk_unpack_big64(struct vk_unpack *u)
{
    return __builtin_bswap64(vk_unpack_u64(u));
}
/* `count` elements of at least `wire` bytes each can still be there; else failed, and 0. With
 * u->more they can: the caller knows how many it has room for. */
static inline uint64_t vk_unpack_count(struct vk_unpack *u, uint64_t count, size_t wire)
{
    if (SL_UNLIKELY(count > vk_unpack_left(u) / wire) && u->more == NULL) {
        vk_unpack_fail(u, "a count is larger than what follows");
        return 0;
    }
    return count;
}
/* count * size zeroed bytes of the arena; NULL and failed. Of none: a valid pointer. */
void *vk_unpack_alloc(struct vk_unpack *u, uint64_t count, size_t size);
/* A terminated copy. */
const char *vk_unpack_string(struct vk_unpack *u);
/* The struct's own count and the one on the wire must agree. */
const char *const *vk_unpack_strings(struct vk_unpack *u, uint64_t count);
/* count elements of `size` bytes: copied to the arena; or zeros there, whatever travelled. */
void *vk_unpack_array(struct vk_unpack *u, uint64_t count, size_t size);
void *vk_unpack_blank(struct vk_unpack *u, uint64_t count, size_t size);
void *vk_unpack_bigs(struct vk_unpack *u, uint64_t count);
/* The same into memory that is there. */
void vk_unpack_into(struct vk_unpack *u, void *place, uint64_t count, size_t size);
void vk_unpack_bigs_into(struct vk_unpack *u, void *place, uint64_t count);
/* place: 8 bytes, a size_t or a function pointer. */
static inline void vk_unpack_swap(void *place, const uint8_t *p)
{
    uint64_t value = __builtin_bswap64(sl_load_u64(p));
    memcpy(place, &value, sizeof value);
}
/* The presence word of what must be there: 0 fails. */
void vk_unpack_required(struct vk_unpack *u);
/* The presence word of what never travels: anything but 0 fails. */
void vk_unpack_absent(struct vk_unpack *u);
/* A reply's presence word, which must say what the request's did; whether it is there. */
bool vk_unpack_matches(struct vk_unpack *u, const void *pointer);
/* A reply's count, at most what the request had room for; else failed, and 0. */
uint64_t vk_unpack_within(struct vk_unpack *u, uint64_t count, uint64_t room);
/* What stands before a chained struct of a reply: there as in the request, and of that type. */
bool vk_unpack_link(struct vk_unpack *u, bool there, uint32_t stype);
/* At the end: nothing may be left. */
bool vk_unpack_done(struct vk_unpack *u);
/* id -> native. kind: VK_KIND_*. Zero stays zero where the handle may be absent. */
uint64_t vk_unpack_handle(struct vk_unpack *u, uint32_t kind, uint64_t id, bool optional);
/* The packet's first handle: u->record is what the table has beside it. */
uint64_t vk_unpack_first(struct vk_unpack *u, uint32_t kind, uint64_t *id);
void *vk_unpack_handles(struct vk_unpack *u, uint32_t kind, uint64_t count, bool optional);
/* Into another struct; false and failed when it is too deep. */
static inline bool vk_unpack_enter(struct vk_unpack *u)
{
    if (SL_UNLIKELY(++u->depth > VK_DEPTH_MAX)) {
        vk_unpack_fail(u, "its structs are nested too deep");
        return false;
    }
    return !u->failed;
}

#endif
