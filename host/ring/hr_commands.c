#include "host/ring/hr_commands.h"

#include "transport/base/bytes.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>

/* Most resources attached to one context. */
#define ATTACHED_MAX 65536u

/* What outlives a ring that is left behind: freed by `gone`. */
struct hr_ring_slot {
    const struct hr_rings_ops *ops;
    const struct hct_env *env;
    void *user;
    void *state;
    struct hct_hold *hold, *stage_hold; /* of the ring's memory and of what is staged; nullable */
    uint32_t ctx_id, resource_id;
    void *type_user; /* the type's callbacks and their user */
    void (*type_begin)(void *user, struct hr_ring *ring);
    void (*type_end)(void *user, struct hr_ring *ring);
    void (*type_dry)(void *user);
};

struct hr_attached {
    uint32_t resource_id;
    void *memory;
    uint64_t size;
    struct hr_ring *ring;      /* NULL: not a ring */
    uint64_t serial;           /* of the ring: a later one's is higher */
    void *state;               /* the type's, of the ring */
    struct hr_ring_slot *slot; /* while there is a ring */
};

void hr_rings_init(struct hr_rings *rings, const struct hr_rings_ops *ops, void *user,
                   const struct hct_env *env, uint32_t ctx_id, const char *name)
{
    *rings = (struct hr_rings){.ops = ops, .user = user, .env = env, .ctx_id = ctx_id};
    snprintf(rings->name, sizeof rings->name, "%s", name != NULL ? name : "gfx");
    sl_map_init(&rings->attached, ATTACHED_MAX);
}

static void read_stats(const struct hr_attached *a, struct vgd_ring_stats *out)
{
    struct hr_stats s;
    hr_ring_stats(a->ring, &s);
    *out = (struct vgd_ring_stats){.resource_id = a->resource_id,
                                   .preamble = s.preamble,
                                   .packets = s.packets,
                                   .bytes = s.bytes,
                                   .replies = s.replies,
                                   .wakeups = s.wakeups,
                                   .sleeps = s.sleeps,
                                   .pings = s.pings,
                                   .pings_awake = s.pings_awake};
}

static void close_ring(struct hr_rings *rings, struct hr_attached *a)
{
    if (a->ring != NULL) {
        struct vgd_ring_stats stats;
        read_stats(a, &stats); /* while it is surely there: what it still does is nobody's */
        if (rings->env->ring_ended != NULL) {
            rings->env->ring_ended(rings->env->user, &stats);
        }
        (void)hr_ring_destroy(
            a->ring); /* a thread left behind keeps its hold on the memory and cleans up itself */
        a->ring = NULL;
        rings->ring_count--;
    }
}

void hr_rings_stop(struct hr_rings *rings)
{
    uint32_t cursor = 0;
    const struct hr_attached *a;
    while ((a = sl_map_next(&rings->attached, &cursor, NULL)) != NULL) {
        if (a->ring != NULL) {
            hr_ring_stop(a->ring);
        }
    }
}

bool hr_rings_rest(struct hr_rings *rings, bool on)
{
    uint32_t cursor = 0;
    const struct hr_attached *a;
    bool all = true;
    while ((a = sl_map_next(&rings->attached, &cursor, NULL)) != NULL) {
        if (a->ring != NULL && (!on || !hr_ring_is_at_rest(a->ring))) {
            hr_ring_rest(a->ring);
            all = false;
        }
    }
    return all;
}

struct hr_ring *hr_rings_next(const struct hr_rings *rings, uint64_t *after, uint32_t *resource_id,
                              void **state)
{
    uint32_t cursor = 0;
    const struct hr_attached *a, *found = NULL;
    while ((a = sl_map_next(&rings->attached, &cursor, NULL)) != NULL) {
        if (a->ring != NULL && a->serial > *after && (found == NULL || a->serial < found->serial)) {
            found = a;
        }
    }
    if (found == NULL) {
        return NULL;
    }
    *after = found->serial;
    *resource_id = found->resource_id;
    *state = found->state;
    return found->ring;
}

void hr_rings_finish(struct hr_rings *rings)
{
    uint32_t cursor = 0;
    struct hr_attached *a;
    hr_rings_stop(rings);
    while ((a = sl_map_next(&rings->attached, &cursor, NULL)) != NULL) {
        close_ring(rings, a);
        sl_free(a);
    }
    sl_map_finish(&rings->attached);
}

enum sl_result hr_rings_attach(struct hr_rings *rings, uint32_t resource_id,
                               const struct hct_memory *memory)
{
    if (sl_map_find(&rings->attached, resource_id) != NULL) {
        return SL_OK; /* attaching twice is what some kernels do */
    }
    struct hr_attached *a = sl_alloc(sizeof *a);
    if (a == NULL) {
        return SL_ERR_NOMEM;
    }
    *a = (struct hr_attached){.resource_id = resource_id};
    if (memory != NULL) {
        a->memory = memory->pointer;
        a->size = memory->size;
    }
    enum sl_result result = sl_map_add(&rings->attached, resource_id, a);
    if (result != SL_OK) {
        sl_free(a);
    }
    return result;
}

void hr_rings_detach(struct hr_rings *rings, uint32_t resource_id)
{
    struct hr_attached *a = sl_map_remove(&rings->attached, resource_id);
    if (a != NULL) {
        close_ring(rings, a);
        sl_free(a);
    }
}

static void on_begin(void *user, struct hr_ring *ring)
{
    struct hr_ring_slot *slot = user;
    if (slot->type_begin != NULL) {
        slot->type_begin(slot->type_user, ring);
    }
}

static void on_end(void *user, struct hr_ring *ring)
{
    struct hr_ring_slot *slot = user;
    if (slot->type_end != NULL) {
        slot->type_end(slot->type_user, ring);
    }
}

static void on_dry(void *user)
{
    const struct hr_ring_slot *slot = user;
    slot->type_dry(slot->type_user);
}

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    (void)ring;
    const struct hr_ring_slot *slot = user;
    slot->env->ctx_lost(slot->env->user, slot->ctx_id, reason);
}

static void on_tap(void *user, struct hr_ring *ring, uint32_t opcode, const void *packet,
                   size_t size, const void *reply, size_t reply_size)
{
    (void)ring;
    const struct hr_ring_slot *slot = user;
    slot->env->tap(slot->env->user, slot->ctx_id, slot->resource_id, opcode, packet, size, reply,
                   reply_size);
}

static void on_gone(void *user)
{
    struct hr_ring_slot *slot = user;
    slot->ops->ring_free(slot->user, slot->state);
    if (slot->hold != NULL) {
        slot->env->memory_release(slot->hold);
    }
    if (slot->stage_hold != NULL) {
        slot->env->memory_release(slot->stage_hold);
    }
    sl_free(slot);
}

static enum sl_result ring_create(struct hr_rings *rings, uint32_t resource_id)
{
    struct hr_attached *a = sl_map_find(&rings->attached, resource_id);
    if (a == NULL || a->memory == NULL || a->ring != NULL) {
        sl_warn_limited("ring", "context %u: ring on resource %u refused: %s", rings->ctx_id,
                        resource_id,
                        a == NULL           ? "not attached"
                        : a->memory == NULL ? "it has no memory"
                                            : "there is one already");
        return SL_ERR_INVALID;
    }
    if (rings->ring_count >= HR_RINGS_MAX) {
        sl_warn_limited("ring", "context %u: more than %u rings", rings->ctx_id, HR_RINGS_MAX);
        return SL_ERR_NOMEM;
    }
    struct hr_ring_slot *slot = sl_alloc(sizeof *slot);
    if (slot == NULL) {
        return SL_ERR_NOMEM;
    }
    *slot = (struct hr_ring_slot){.ops = rings->ops,
                                  .env = rings->env,
                                  .user = rings->user,
                                  .ctx_id = rings->ctx_id,
                                  .resource_id = resource_id};
    struct hr_config config = {0};
    enum sl_result result = rings->ops->ring_new(rings->user, &config, &slot->state);
    if (result != SL_OK) {
        sl_free(slot);
        return result;
    }
    slot->hold = rings->env->memory_hold != NULL
                     ? rings->env->memory_hold(rings->env->user, resource_id)
                     : NULL;
    slot->type_user = config.user;
    slot->type_begin = config.thread_begin;
    slot->type_end = config.thread_end;
    slot->type_dry = config.dry;
    char name[48];
    snprintf(name, sizeof name, "%.24s-%u", rings->name, resource_id);
    config.name = name;
    config.memory = a->memory;
    config.memory_size = a->size;
    config.user = slot;
    config.thread_begin = on_begin;
    config.thread_end = on_end;
    config.dry = config.dry != NULL ? on_dry : NULL;
    config.lost = on_lost;
    config.gone = on_gone;
    config.tap_on = rings->env->tap != NULL ? rings->env->tap_on : NULL;
    config.tap = config.tap_on != NULL ? on_tap : NULL;
    config.recorder = rings->env->recorder;
    config.ctx_id = rings->ctx_id;
    config.ring_id = resource_id;
    result = hr_ring_create(&config, &a->ring);
    if (result != SL_OK) {
        on_gone(slot);
        return result;
    }
    a->slot = slot;
    rings->ring_count++;
    a->serial = ++rings->serial;
    a->state = slot->state;
    return SL_OK;
}

static enum sl_result stage(struct hr_rings *rings, uint32_t ring_id, uint32_t blob_id)
{
    const struct hr_attached *ring = sl_map_find(&rings->attached, ring_id),
                             *blob = sl_map_find(&rings->attached, blob_id);
    if (!rings->ops->stages || ring == NULL || ring->ring == NULL || blob == NULL ||
        blob->memory == NULL || ring->slot->stage_hold != NULL || rings->env->memory_hold == NULL) {
        return SL_ERR_INVALID;
    }
    /* The blob may be detached and destroyed while the ring's thread works on it. */
    ring->slot->stage_hold = rings->env->memory_hold(rings->env->user, blob_id);
    if (ring->slot->stage_hold == NULL) {
        return SL_ERR_INVALID;
    }
    hr_ring_stage(ring->ring, blob->memory, blob->size);
    return SL_OK;
}

static enum sl_result ping(struct hr_rings *rings, uint32_t resource_id)
{
    const struct hr_attached *a = sl_map_find(&rings->attached, resource_id);
    if (a == NULL || a->ring == NULL) {
        return SL_ERR_NOTFOUND;
    }
    hr_ring_wake(a->ring);
    return SL_OK;
}

static enum sl_result export_sync(struct hr_rings *rings, const uint8_t *command)
{
    const struct hr_rings_ops *ops = rings->ops;
    bool vulkan = sl_load_u32(command) == GFXSTREAM_CREATE_EXPORT_SYNC_VK;
    uint64_t task;
    if (vulkan ? ops->export_sync_vk == NULL : ops->export_sync == NULL) {
        return SL_ERR_UNSUPPORTED;
    }
    enum sl_result result = rings->env->task_begin(rings->env->user, rings->ctx_id, 0, &task);
    if (result != SL_OK) {
        return result;
    }
    result = vulkan ? ops->export_sync_vk(rings->user, sl_load_u64(command + 4),
                                          sl_load_u64(command + 12), task)
                    : ops->export_sync(rings->user, sl_load_u64(command + 4), task);
    if (result != SL_OK) {
        rings->env->task_done(rings->env->user, task);
    }
    return result;
}

enum sl_result hr_rings_submit(struct hr_rings *rings, const void *commands, size_t size)
{
    static const struct {
        uint32_t opcode, size;
    } sizes[] = {
        {GFXSTREAM_CONTEXT_CREATE, 8},
        {GFXSTREAM_CONTEXT_PING, 8},
        {GFXSTREAM_CONTEXT_PING_WITH_RESPONSE, 4},
        {GFXSTREAM_CREATE_EXPORT_SYNC, 12},
        {GFXSTREAM_CREATE_EXPORT_SYNC_VK, 20},
        {GFXSTREAM_PLACEHOLDER, 4},
        {SLUICE_CONTEXT_STAGE, 12},
    };
    const uint8_t *p = commands;
    if (size < 4) {
        return SL_ERR_INVALID;
    }
    uint32_t opcode = sl_load_u32(p);
    uint32_t need = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        need = sizes[i].opcode == opcode ? sizes[i].size : need;
    }
    if (need == 0) {
        sl_warn_limited("ring", "context %u: unknown context command 0x%x", rings->ctx_id, opcode);
        return SL_ERR_UNSUPPORTED;
    }
    if (size < need) {
        sl_warn_limited("ring", "context %u: context command 0x%x has %zu bytes, needs %u",
                        rings->ctx_id, opcode, size, need);
        return SL_ERR_INVALID;
    }
    switch (opcode) {
    case GFXSTREAM_CONTEXT_CREATE:
        return ring_create(rings, sl_load_u32(p + 4));
    case GFXSTREAM_CONTEXT_PING:
        return ping(rings, sl_load_u32(p + 4));
    case GFXSTREAM_CREATE_EXPORT_SYNC:
    case GFXSTREAM_CREATE_EXPORT_SYNC_VK:
        return export_sync(rings, p);
    case SLUICE_CONTEXT_STAGE:
        return stage(rings, sl_load_u32(p + 4), sl_load_u32(p + 8));
    default:
        return SL_OK; /* PING_WITH_RESPONSE: accepted without effect, as upstream; PLACEHOLDER: only
                         its fence matters */
    }
}

uint32_t hr_rings_first(const struct hr_rings *rings)
{
    uint32_t cursor = 0, first = 0;
    uint64_t id;
    const struct hr_attached *a;
    while ((a = sl_map_next(&rings->attached, &cursor, &id)) != NULL) {
        first = a->ring != NULL && (first == 0 || id < first) ? (uint32_t)id : first;
    }
    return first;
}

enum sl_result hr_rings_stats(struct hr_rings *rings, uint32_t index, struct vgd_ring_stats *out)
{
    uint32_t cursor = 0;
    struct hr_attached *a;
    while ((a = sl_map_next(&rings->attached, &cursor, NULL)) != NULL) {
        if (a->ring != NULL && index-- == 0) {
            read_stats(a, out);
            return SL_OK;
        }
    }
    return SL_ERR_NOTFOUND;
}

static struct hr_rings *rings_of(struct hct_context *base)
{
    return &((struct hr_context *)(void *)base)->rings;
}

enum sl_result hr_context_submit(struct hct_context *base, const void *commands, size_t size)
{
    return hr_rings_submit(rings_of(base), commands, size);
}

enum sl_result hr_context_ring_stats(struct hct_context *base, uint32_t index,
                                     struct vgd_ring_stats *out)
{
    return hr_rings_stats(rings_of(base), index, out);
}

bool hr_context_rest(struct hct_context *base, bool on)
{
    return hr_rings_rest(rings_of(base), on);
}
