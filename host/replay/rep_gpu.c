/* What Vulkan guests know of fences without a packet.
 *
 * A guest may see a fence signalled in memory that it shares with the host; what it does then
 * (reset it, write into what the fence guarded, take back an event that the work waited for) is in
 * the trace, the look is not. So whatever shows that a fence was signalled waits for it here, by
 * the verbs that a guest's kernel has for it: no packet is added, and no turn is taken. */
#include "host/replay/rep_priv.h"

#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "wire/vk_opcodes.h"

#include <string.h>

#define HEADER      12u /* opcode, length, turn */
#define FENCES_MAX  4096u
#define VK_NO_ERROR 0u

struct fence {
    uint64_t id, device;
    bool is_sent; /* a submit will signal it, or has, and nobody has waited for it */
    struct rep_ring *ring;
    uint32_t number; /* that submit, on its ring */
};

/* Of one context. */
struct fence_set {
    uint32_t count;
    struct fence fences[FENCES_MAX];
};

static struct fence_set *set_of(struct rep *rep, uint32_t ctx_id)
{
    struct fence_set *set = sl_map_find(&rep->fence_sets, ctx_id);
    if (set == NULL) {
        set = sl_alloc(sizeof *set);
        if (set != NULL && sl_map_add(&rep->fence_sets, ctx_id, set) != SL_OK) {
            sl_free(set);
            set = NULL;
        }
    }
    return set;
}

void rep_gpu_forget(struct rep *rep, uint32_t ctx_id)
{
    sl_free(sl_map_remove(&rep->fence_sets, ctx_id));
}

static struct fence *find(struct fence_set *set, uint64_t id)
{
    for (uint32_t i = set->count; i-- != 0;) {
        if (set->fences[i].id == id) {
            return &set->fences[i];
        }
    }
    return NULL;
}

static void add(struct fence_set *set, uint64_t id, uint64_t device)
{
    struct fence *known = find(set, id);
    if (known == NULL && set->count == FENCES_MAX) {
        memmove(set->fences, set->fences + 1, sizeof set->fences - sizeof set->fences[0]);
        set->count--;
    }
    known = known != NULL ? known : &set->fences[set->count++];
    *known = (struct fence){.id = id, .device = device};
}

static void take_out(struct fence_set *set, uint64_t id)
{
    struct fence *fence = find(set, id);
    if (fence != NULL) {
        *fence = set->fences[--set->count];
    }
}

/* A task for it; what waits for all of them is one fence behind. The submit is decoded first:
 * before it the fence may stand for what an earlier reset gives up. */
static void ask_for(struct rep *rep, uint32_t ctx_id, struct fence *fence)
{
    uint8_t command[20];
    if (fence->ring != NULL) {
        rep_ring_linger(fence->ring, fence->number, sl_clock_ns());
    }
    sl_store_u32(command, GFXSTREAM_CREATE_EXPORT_SYNC_VK);
    sl_store_u64(command + 4, fence->device);
    sl_store_u64(command + 12, fence->id);
    (void)rep->device->ops->submit(rep->device, ctx_id, command, sizeof command);
    fence->is_sent = false;
}

static bool is_submit(uint32_t opcode)
{
    return opcode == VK_OP_vkQueueSubmit || opcode == VK_OP_vkQueueSubmitAsyncGOOGLE ||
           opcode == VK_OP_vkQueueSubmit2 || opcode == VK_OP_vkQueueSubmit2KHR ||
           opcode == VK_OP_vkQueueSubmitAsync2GOOGLE || opcode == VK_OP_vkQueueBindSparse ||
           opcode == VK_OP_vkQueueBindSparseAsyncGOOGLE;
}

/* The fences that a packet shows to be signalled when it comes. */
static uint32_t shown(const struct cap_event_call *call, const uint8_t **fences)
{
    uint32_t opcode = sl_load_u32(call->packet);
    bool is_good = call->has_reply && call->reply_size >= 4 &&
                   sl_load_u32(call->reply + call->reply_size - 4) == VK_NO_ERROR;
    const uint8_t *body = call->packet + HEADER;
    size_t size = call->size - HEADER;
    if (opcode == VK_OP_vkGetFenceStatus && is_good) {
        *fences = body + 8;
        return 1;
    }
    if (opcode != VK_OP_vkResetFences && !(opcode == VK_OP_vkWaitForFences && is_good)) {
        return 0;
    }
    uint32_t count = sl_load_u32(body + 8);
    *fences = body + 12;
    return count <= (size - 12) / 8 ? count : 0;
}

/* What becomes of fences; a submit's is its last argument, as is a new one's id where the guest
 * chooses it. */
static void follow(struct rep *rep, const struct cap_event_call *call, uint32_t opcode)
{
    const uint8_t *body = call->packet + HEADER, *last = call->packet + call->size - 8;
    struct fence_set *set = set_of(rep, call->ctx_id);
    if (set == NULL) {
        return;
    }
    if (opcode == VK_OP_vkCreateFence) {
        uint64_t id = sl_load_u64(last);
        id = call->has_reply && call->reply_size >= 8 ? sl_load_u64(call->reply) : id;
        add(set, id, sl_load_u64(body));
    } else if (opcode == VK_OP_vkDestroyFence) {
        take_out(set, sl_load_u64(body + 8));
    } else {
        struct fence *fence = find(set, sl_load_u64(last));
        if (fence != NULL) {
            fence->is_sent = true;
            fence->ring = rep_ring_find(rep, call->ring_id);
            fence->number = fence->ring != NULL ? fence->ring->fed + 1 : 0;
        }
    }
}

/* All that submits of the context signal. */
static uint32_t ask_for_all(struct rep *rep, uint32_t ctx_id, struct fence_set *set)
{
    uint32_t waits = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->fences[i].is_sent) {
            ask_for(rep, ctx_id, &set->fences[i]);
            waits++;
        }
    }
    if (waits != 0) {
        rep_flush_all(rep);
    }
    return waits;
}

/* An event is taken back when all that waits for it is done, as the guest may have seen by a fence.
 * Which submits those are is not known here, and others may wait for what comes later. */
static void before_reset(struct rep *rep, uint32_t ctx_id)
{
    struct fence_set *set = set_of(rep, ctx_id);
    bool was_sent[FENCES_MAX];
    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        was_sent[i] = set->fences[i].is_sent;
    }
    if (set == NULL || ask_for_all(rep, ctx_id, set) == 0 || rep_fence_linger(rep, ctx_id, 0)) {
        return;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        set->fences[i].is_sent = was_sent[i];
    }
}

void rep_gpu_before(struct rep *rep, const struct cap_event_call *call)
{
    uint32_t opcode = sl_load_u32(call->packet);
    const uint8_t *fences = NULL;
    if (call->capset != VIRTGPU_CAPSET_GFXSTREAM_VULKAN || call->size < HEADER + 16) {
        return;
    }
    if (is_submit(opcode) || opcode == VK_OP_vkCreateFence || opcode == VK_OP_vkDestroyFence) {
        follow(rep, call, opcode);
        return;
    }
    if (opcode == VK_OP_vkResetEvent) {
        before_reset(rep, call->ctx_id);
        return;
    }
    uint32_t count = shown(call, &fences), waits = 0;
    struct fence_set *set = count != 0 ? set_of(rep, call->ctx_id) : NULL;
    for (uint32_t i = 0; set != NULL && i < count; i++) {
        struct fence *fence = find(set, sl_load_u64(fences + (size_t)i * 8));
        if (fence != NULL && fence->is_sent) {
            ask_for(rep, call->ctx_id, fence);
            waits++;
        }
    }
    if (waits != 0) {
        rep_flush_all(rep);
        rep_fence_wait(rep, call->ctx_id, 0);
    }
}

void rep_gpu_idle(struct rep *rep)
{
    uint32_t cursor = 0;
    uint64_t ctx_id;
    struct fence_set *set;
    while ((set = sl_map_next(&rep->fence_sets, &cursor, &ctx_id)) != NULL) {
        if (ask_for_all(rep, (uint32_t)ctx_id, set) != 0) {
            rep_fence_wait(rep, (uint32_t)ctx_id, 0);
        }
    }
}

/* --- a moment to come back to --- */

struct rep_gpu_known {
    uint32_t count;
    struct {
        uint32_t ctx_id;
        struct fence_set set;
    } of[];
};

struct rep_gpu_known *rep_gpu_keep(struct rep *rep)
{
    struct rep_gpu_known *known =
        sl_alloc(sizeof *known + rep->fence_sets.live * sizeof known->of[0]);
    uint32_t cursor = 0;
    uint64_t ctx_id;
    if (known == NULL) {
        return NULL;
    }
    known->count = 0;
    for (const struct fence_set *set;
         (set = sl_map_next(&rep->fence_sets, &cursor, &ctx_id)) != NULL;) {
        known->of[known->count].ctx_id = (uint32_t)ctx_id;
        known->of[known->count++].set = *set;
    }
    return known;
}

/* Contexts are the same ones. A set that came since then knew nothing. */
void rep_gpu_recall(struct rep *rep, const struct rep_gpu_known *known)
{
    uint32_t cursor = 0;
    uint64_t ctx_id;
    for (struct fence_set *set; (set = sl_map_next(&rep->fence_sets, &cursor, &ctx_id)) != NULL;) {
        set->count = 0;
        for (uint32_t i = 0; i < known->count; i++) {
            if (known->of[i].ctx_id == ctx_id) {
                *set = known->of[i].set;
            }
        }
    }
}

void rep_gpu_known_free(struct rep_gpu_known *known)
{
    sl_free(known);
}
