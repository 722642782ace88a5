/* The packets that made what lives; see hvk_birth.h. */
#include "host/vulkan/hvk_birth.h"

#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define NEEDS_START 64u

bool hvk_keep(struct hvk_context *context, int64_t bytes)
{
    uint64_t now = sl_atomic_count_u64(&context->kept, (uint64_t)bytes) + (uint64_t)bytes;
    if (bytes <= 0 || now <= HVK_KEPT_MAX) {
        return true;
    }
    (void)sl_atomic_count_u64(&context->kept, -(uint64_t)bytes);
    sl_atomic_store_relaxed(&context->is_kept_short, 1);
    sl_warn_limited("vulkan", "context %u: it has more than a snapshot keeps, and has none",
                    context->ctx_id);
    return false;
}

/* --- what a packet names --- */

/* Objects that others are made of and that may go before them. Pools and devices do not. */
static bool is_part(uint32_t kind)
{
    switch (kind) {
    case VK_KIND_VkInstance:
    case VK_KIND_VkPhysicalDevice:
    case VK_KIND_VkDevice:
    case VK_KIND_VkQueue:
    case VK_KIND_VkCommandPool:
    case VK_KIND_VkCommandBuffer:
    case VK_KIND_VkDescriptorPool:
        return false;
    default:
        return true;
    }
}

void hvk_birth_named(struct vk_unpack *u, uint32_t kind, uint64_t id, uint64_t native)
{
    (void)native;
    struct hvk_ring *ring = u->user;
    struct hvk_birth *birth = is_part(kind) ? hvk_birth_of(ring->context, kind, id) : NULL;
    if (birth == NULL || (ring->need_count != 0 && ring->needs[ring->need_count - 1] == birth)) {
        return;
    }
    if (ring->need_count == ring->need_room) {
        uint32_t room = ring->need_room != 0 ? ring->need_room * 2 : NEEDS_START;
        struct hvk_birth **more = sl_realloc(ring->needs, room * sizeof *more);
        if (more == NULL) {
            vk_unpack_fail(u, "no memory for what it names");
            return;
        }
        ring->needs = more;
        ring->need_room = room;
    }
    ring->needs[ring->need_count++] = birth;
}

/* --- births --- */

struct hvk_birth *hvk_birth_ref(struct hvk_birth *birth)
{
    (void)sl_atomic_add(&birth->refs, 1); /* the caller has one already; orders nothing */
    return birth;
}

static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static size_t bytes_of(const struct hvk_birth *birth)
{
    return sizeof *birth + aligned(birth->size) + birth->need_count * sizeof birth->needs[0];
}

/* Whose last reference this was goes to *over. */
static void give_back(struct hvk_birth *birth, struct hvk_birth **over)
{
    /* The full barrier puts all others' uses before the end. */
    /* Nobody else has one when there is one left: it needs no locked operation. */
    if (birth != NULL && (sl_atomic_load_acquire(&birth->refs) == 1 ||
                          sl_atomic_add(&birth->refs, UINT32_MAX) == 1)) {
        birth->next = *over;
        *over = birth;
    }
}

void hvk_birth_unref(struct hvk_birth *birth)
{
    struct hvk_birth *over = NULL;
    give_back(birth, &over);
    while (over != NULL) { /* no recursion: a guest may make chains of any length */
        struct hvk_birth *gone = over;
        over = gone->next;
        for (uint32_t i = 0; i < gone->need_count; i++) {
            give_back(gone->needs[i], &over);
        }
        if (gone->made != &gone->one) {
            sl_free(gone->made);
        }
        (void)hvk_keep(gone->context, -(int64_t)bytes_of(gone));
        sl_free(gone);
    }
}

void hvk_birth_end(struct hvk_call *call)
{
    if (call->birth->refs != 1) {
        sl_atomic_store_relaxed(&call->birth->refs, call->birth->refs - 1);
    } else {
        hvk_birth_unref(call->birth);
    }
}

struct hvk_birth *hvk_birth_of(const struct hvk_context *context, uint32_t kind, uint64_t id)
{
    void **note = sl_ids_note(&context->ids, kind, id);
    return note != NULL ? *note : NULL;
}

static struct hvk_birth *birth_new(struct hvk_call *call, uint32_t kind)
{
    struct hvk_context *context = call->context;
    const struct hvk_ring *ring = call->ring;
    uint32_t count = call->in.named != NULL ? ring->need_count : 0;
    size_t size = (size_t)(call->hr->in.end - call->packet);
    size_t bytes = sizeof(struct hvk_birth) + aligned(size) + count * sizeof(void *);
    struct hvk_birth *birth = hvk_keep(context, (int64_t)bytes) ? sl_alloc(bytes) : NULL;
    if (birth == NULL) {
        return NULL;
    }
    *birth =
        (struct hvk_birth){.refs = 1, /* the call's */
                           .kind = kind,
                           .context = context,
                           .serial = hvk_serial(context),
                           .size = size,
                           .made = &birth->one,
                           .need_count = count,
                           .needs = (struct hvk_birth **)(void *)(birth->packet + aligned(size))};
    memcpy(birth->packet, call->packet, size);
    for (uint32_t i = 0; i < count; i++) {
        birth->needs[i] = hvk_birth_ref(ring->needs[i]);
    }
    return birth;
}

static bool made_more(struct hvk_birth *birth, uint64_t id)
{
    uint32_t count = birth->made_count;
    if (count != 0 && (count & (count - 1)) == 0) { /* full: a power of two */
        uint64_t *more = sl_alloc_array((size_t)count * 2, sizeof *more);
        if (more == NULL) {
            return false;
        }
        memcpy(more, birth->made, count * sizeof *more);
        if (birth->made != &birth->one) {
            sl_free(birth->made);
        }
        birth->made = more;
    }
    birth->made[birth->made_count++] = id;
    return true;
}

void hvk_birth_note(struct hvk_call *call, uint32_t kind, uint64_t id)
{
    if (call->birth == NULL && !call->is_unborn) {
        call->birth = birth_new(call, kind);
        call->is_unborn = call->birth == NULL;
    }
    void **note = sl_ids_note(&call->context->ids, kind, id);
    if (call->birth != NULL && note != NULL && made_more(call->birth, id)) {
        /* Until the turn is over nobody else has it. */
        sl_atomic_store_relaxed(&call->birth->refs, call->birth->refs + 1);
        *note = call->birth;
    }
}

void hvk_birth_drop(struct hvk_context *context, uint32_t kind, uint64_t id)
{
    hvk_birth_unref(hvk_birth_of(context, kind, id));
}

void hvk_bond_make(struct hvk_context *context, struct hvk_bond *bond, uint32_t kind, uint64_t id,
                   uint64_t offset)
{
    struct hvk_birth *to = hvk_birth_of(context, kind, id);
    hvk_birth_unref(bond->to);
    *bond = (struct hvk_bond){.to = to != NULL ? hvk_birth_ref(to) : NULL,
                              .serial = hvk_serial(context),
                              .offset = offset};
}
