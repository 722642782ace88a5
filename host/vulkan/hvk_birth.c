/* The packets that made what lives; see hvk_birth.h. */
#include "host/vulkan/hvk_birth.h"

#include "host/vk_walk.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define HEADER 12u /* opcode, length, turn */

bool hvk_keep(struct hvk_context *context, int64_t bytes)
{
    uint64_t now = __atomic_add_fetch(&context->kept, (uint64_t)bytes, __ATOMIC_RELAXED);
    if (bytes <= 0 || now <= HVK_KEPT_MAX) {
        return true;
    }
    (void)__atomic_sub_fetch(&context->kept, (uint64_t)bytes, __ATOMIC_RELAXED);
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

/* Kinds whose creation names nothing but their device. */
static bool is_of_itself(uint32_t kind)
{
    switch (kind) {
    case VK_KIND_VkInstance:
    case VK_KIND_VkPhysicalDevice:
    case VK_KIND_VkDevice:
    case VK_KIND_VkQueue:
    case VK_KIND_VkBuffer:
    case VK_KIND_VkCommandBuffer:
    case VK_KIND_VkCommandPool:
    case VK_KIND_VkDescriptorPool:
    case VK_KIND_VkEvent:
    case VK_KIND_VkFence:
    case VK_KIND_VkPipelineCache:
    case VK_KIND_VkPrivateDataSlot:
    case VK_KIND_VkQueryPool:
    case VK_KIND_VkRenderPass:
    case VK_KIND_VkSemaphore:
    case VK_KIND_VkShaderModule:
        return true;
    default:
        return false;
    }
}

/* What a walk finds, in the arena; it grows by doubling. */
struct needs {
    const struct hvk_context *context;
    struct hvk_birth **list;
    uint32_t count, room;
};

static void on_named(struct vk_unpack *u, uint32_t kind, uint64_t id, uint64_t native)
{
    (void)native;
    struct needs *n = u->user;
    struct hvk_birth *birth = is_part(kind) ? hvk_birth_of(n->context, kind, id) : NULL;
    if (birth == NULL || (n->count != 0 && n->list[n->count - 1] == birth)) {
        return;
    }
    if (n->count == n->room) {
        uint32_t room = n->room != 0 ? n->room * 2 : 16;
        struct hvk_birth **more = vk_unpack_alloc(u, room, sizeof(void *));
        if (more == NULL) {
            return; /* the walk has failed */
        }
        if (n->count != 0) {
            memcpy(more, n->list, n->count * sizeof(void *));
        }
        n->list = more;
        n->room = room;
    }
    n->list[n->count++] = birth;
}

static bool find_needs(struct hvk_call *call, size_t size, struct needs *needs)
{
    struct vk_unpack u =
        vk_unpack_over(call->packet + HEADER, size - HEADER, call->hr->in.arena, NULL);
    *needs = (struct needs){.context = call->context};
    u.named = on_named;
    u.user = needs;
    return vk_walk(&u, call->hr->opcode);
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
    if (birth != NULL && sl_atomic_add(&birth->refs, UINT32_MAX) == 1) {
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

struct hvk_birth *hvk_birth_of(const struct hvk_context *context, uint32_t kind, uint64_t id)
{
    void **note = sl_ids_note(&context->ids, kind, id);
    return note != NULL ? *note : NULL;
}

static struct hvk_birth *birth_new(struct hvk_call *call, uint32_t kind)
{
    struct hvk_context *context = call->context;
    size_t size = (size_t)(call->hr->in.end - call->packet);
    struct needs needs = {0};
    if (!is_of_itself(kind) && !find_needs(call, size, &needs)) {
        return NULL;
    }
    size_t bytes = sizeof(struct hvk_birth) + aligned(size) + needs.count * sizeof(void *);
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
                           .need_count = needs.count,
                           .needs = (struct hvk_birth **)(void *)(birth->packet + aligned(size))};
    memcpy(birth->packet, call->packet, size);
    for (uint32_t i = 0; i < needs.count; i++) {
        birth->needs[i] = hvk_birth_ref(needs.list[i]);
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
        *note = hvk_birth_ref(call->birth);
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
