/* One guest process's Vulkan context of the device: its rings, turns and objects. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_drawn.h"
#include "host/vulkan/hvk_save.h"

#include "host/vk_dispatch.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

/* What one ring's recorded commands may hold at once, and what a reply may grow to. */
#define ARENA_MAX (256ull << 20)
/* Contexts that are taken apart at once beside the device thread, and on what stack: drivers want
 * some. */
#define REAPERS_MAX  16u
#define REAPER_STACK (8u << 20)

static struct hvk_context *context_of(struct hct_context *base)
{
    return (struct hvk_context *)(void *)base; /* first member */
}

static void context_free(struct hvk_context *c)
{
    hvk_devices_drain(c, NULL);
    hvk_waiter_finish(c);
    hvk_destroy_children(c, NULL);
    hvk_blobs_finish(c);
    sl_ids_finish(&c->ids);
    pthread_rwlock_destroy(&c->natives);
    pthread_mutex_destroy(&c->lock);
    hvk_provider_unref(c->provider);
    sl_free(c);
}

static void *reap(void *user)
{
    struct hvk_context *c = user;
    struct hvk_provider *provider = c->provider; /* stays while reapers are counted */
    context_free(c);
    (void)sl_atomic_add(&provider->reapers, UINT32_MAX); /* the last: hvk_provider_end goes on */
    return NULL;
}

/* A dead process may have left work behind: other guests do not wait until it is done. */
static bool context_reap(struct hvk_context *c)
{
    pthread_t thread;
    uint32_t *reapers = &c->provider->reapers;
    if (!hvk_devices_busy(c)) {
        return false;
    }
    if (sl_atomic_add(reapers, 1) >= REAPERS_MAX ||
        sl_thread_start(&thread, "vk-reaper", REAPER_STACK, reap, c) != SL_OK) {
        (void)sl_atomic_add(reapers, UINT32_MAX);
        return false;
    }
    (void)pthread_detach(thread);
    return true;
}

static void context_unref(struct hvk_context *c)
{
    /* The full barrier puts this one's uses before the last one's freeing. */
    if (sl_atomic_add(&c->refs, UINT32_MAX) == 1 && !context_reap(c)) {
        context_free(c);
    }
}

/* --- rings --- */

static void ring_dry(void *user)
{
    hvk_note_tell(user);
}

enum sl_result hvk_ring_new(void *user, struct hr_config *config, void **state)
{
    struct hvk_context *c = user;
    struct {
        struct hvk_ring ring;
        struct hr_binding bindings[1];
    } *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        return SL_ERR_NOMEM;
    }
    r->ring.context = c;
    vk_pack_init(&r->ring.reply, HR_REPLY_MAX, false);
    sl_arena_init(&r->ring.arena, ARENA_MAX);
    r->bindings[0] = (struct hr_binding){&vk_family, &r->ring};
    config->bindings = r->bindings;
    config->binding_count = 1;
    config->user = &r->ring;
    config->dry = ring_dry;
    sl_atomic_add(&c->refs, 1); /* the caller has one; orders nothing */
    *state = r;
    return SL_OK;
}

void hvk_ring_free(void *user, void *state)
{
    struct hvk_ring *ring = state; /* first member */
    hvk_note_drop(ring);
    vk_pack_finish(&ring->reply);
    sl_arena_finish(&ring->arena);
    sl_free(ring->needs);
    sl_free(ring);
    context_unref(user);
}

static enum sl_result export_sync_vk(void *user, uint64_t device, uint64_t fence, uint64_t task)
{
    return hvk_waiter_export(user, device, fence, task);
}

static const struct hr_rings_ops rings_ops = {
    .ring_new = hvk_ring_new, .ring_free = hvk_ring_free, .export_sync_vk = export_sync_vk};

/* --- hct --- */

static void context_stop(struct hct_context *base)
{
    struct hvk_context *c = context_of(base);
    sl_atomic_store_seq(&c->stop, 1); /* pairs with the loads of whoever waits in slices */
    hr_rings_stop(&c->hr.rings);
}

static void context_destroy(struct hct_context *base)
{
    struct hvk_context *c = context_of(base);
    context_stop(base);
    hr_rings_finish(&c->hr.rings);
    hvk_waiter_stop(c);
    context_unref(c);
}

static enum sl_result context_attach(struct hct_context *base, uint32_t resource_id,
                                     const struct hct_memory *memory)
{
    struct hvk_context *c = context_of(base);
    enum sl_result result = hvk_resource_attach(c, resource_id, memory);
    return result == SL_OK ? hr_rings_attach(&c->hr.rings, resource_id, memory) : result;
}

static void context_detach(struct hct_context *base, uint32_t resource_id)
{
    struct hvk_context *c = context_of(base);
    hr_rings_detach(&c->hr.rings, resource_id);
    hvk_resource_detach(c, resource_id);
}

static enum sl_result context_blob(struct hct_context *base, uint64_t blob_id,
                                   const struct vgd_blob_args *args, struct hct_memory *out)
{
    return hvk_blob_take(context_of(base), blob_id, args, out);
}

static enum sl_result context_save(struct hct_context *base, const struct vgd_saver *saver)
{
    struct hvk_context *c = context_of(base);
    return hvk_save(c, saver, hr_rings_first(&c->hr.rings));
}

static enum sl_result context_drawn(struct hct_context *base, uint32_t ring_id,
                                    const struct vgd_viewer *viewer)
{
    (void)ring_id; /* what was submitted last was so by the ring that is asked about */
    return hvk_drawn(context_of(base), viewer);
}

static const struct hct_ops context_ops = {.stop = context_stop,
                                           .destroy = context_destroy,
                                           .attach = context_attach,
                                           .detach = context_detach,
                                           .blob = context_blob,
                                           .submit = hr_context_submit,
                                           .ring_stats = hr_context_ring_stats,
                                           .rest = hr_context_rest,
                                           .save = context_save,
                                           .drawn = context_drawn};

enum sl_result hvk_context_create(const struct hct_create_info *info, struct hct_context **out)
{
    struct hvk_provider *provider =
        (struct hvk_provider *)(void *)info->provider; /* of this type, by hvk_vulkan_type */
    struct hvk_context *c = sl_alloc(sizeof *c);
    if (c == NULL) {
        return SL_ERR_NOMEM;
    }
    *c = (struct hvk_context){.hr.base.ops = &context_ops,
                              .provider = hvk_provider_ref(provider),
                              .env = info->env,
                              .ctx_id = info->ctx_id,
                              .refs = 1};
    hr_turns_init(&c->turns);
    sl_ids_init(&c->ids, HVK_OBJECTS_MAX);
    pthread_rwlock_init(&c->natives, NULL);
    pthread_mutex_init(&c->lock, NULL);
    hr_rings_init(&c->hr.rings, &rings_ops, c, info->env, info->ctx_id, info->name);
    if (hvk_blobs_init(c) != SL_OK) {
        context_unref(c);
        return SL_ERR_NOMEM;
    }
    *out = &c->hr.base;
    return SL_OK;
}
