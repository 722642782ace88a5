/* How objects came into being: what a snapshot of the context begins with (hvk_save.c).
 *
 * No native driver tells of an object how it was made, so the packet that made it is kept beside
 * its id, once for all that the packet made, and as long as one of them lives or something that
 * lives was made of them: a pipeline keeps the packets of its shader modules. All under the turn,
 * or when no ring runs; references are given back by any thread. */
#ifndef HOST_HVK_BIRTH_H
#define HOST_HVK_BIRTH_H

#include "host/vulkan/hvk.h"

/* Bytes of packets, commands and descriptors that are kept for one context. A guest that needs more
 * is served all the same; only it cannot be saved. */
#define HVK_KEPT_MAX (1ull << 30)

struct hvk_birth {
    uint32_t refs; /* atomic */
    uint32_t kind; /* of what it made */
    struct hvk_context *context;
    uint64_t serial; /* in the order of what happened; see hvk_serial */
    size_t size;     /* of the packet */
    uint64_t *made;  /* ids, in their order: `one`, or memory of its own */
    uint64_t one;
    uint32_t made_count;
    uint32_t need_count;
    struct hvk_birth *
        *needs;             /* what the packet names, a reference each; the array lies behind it */
    struct hvk_birth *next; /* while it ends */
    bool is_listed;         /* while the context is saved */
    _Alignas(8) uint8_t packet[]; /* with its header and turn */
};

/* Whether that many bytes more, or (negative) fewer, are kept; when not, nothing is counted and the
 * context cannot be saved any more. Any thread. */
bool hvk_keep(struct hvk_context *context, int64_t bytes);
/* The next number in the order of what happened. */
static inline uint64_t hvk_serial(struct hvk_context *context)
{
    return ++context->last_serial;
}

/* vk_unpack.named of packets that make objects; user: the ring. */
void hvk_birth_named(struct vk_unpack *u, uint32_t kind, uint64_t id, uint64_t native);
/* The packet that is being run has made this object. */
void hvk_birth_note(struct hvk_call *call, uint32_t kind, uint64_t id);
/* The packet's turn is about to pass; it has made something. */
void hvk_birth_end(struct hvk_call *call);
struct hvk_birth *hvk_birth_ref(struct hvk_birth *birth);
void hvk_birth_unref(struct hvk_birth *birth); /* NULL allowed */
/* Of a living object; borrowed. NULL: it was not kept. */
struct hvk_birth *hvk_birth_of(const struct hvk_context *context, uint32_t kind, uint64_t id);
/* The object leaves the table. */
void hvk_birth_drop(struct hvk_context *context, uint32_t kind, uint64_t id);

/* What an object was given after it was made: a buffer its memory, a set its layout. */
struct hvk_bond {
    struct hvk_birth *to; /* a reference; NULL: none */
    uint64_t serial;
    uint64_t offset;
};
/* kind, id: of what it is given. */
void hvk_bond_make(struct hvk_context *context, struct hvk_bond *bond, uint32_t kind, uint64_t id,
                   uint64_t offset);
static inline void hvk_bond_end(struct hvk_bond *bond)
{
    hvk_birth_unref(bond->to);
    bond->to = NULL;
}

#endif
