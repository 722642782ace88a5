/* The device: its constructor, what contexts may ask of it, reset and end. */
#include "host/device/dev.h"

#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

/* ---- hct_env: what contexts ask; user is the device ---- */

static enum sl_result env_task_begin(void *user, uint32_t ctx_id, uint32_t ring, uint64_t *task)
{
    struct dev_device *d = user;
    return dev_timelines_task_begin(&d->timelines, ctx_id, ring, task);
}

static void env_task_done(void *user, uint64_t task)
{
    struct dev_device *d = user;
    dev_timelines_task_done(&d->timelines, task);
}

static void env_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    struct dev_device *d = user;
    sl_warn_limited("device", "context %u is lost: %s", ctx_id, reason);
    dev_timelines_ctx_lose(&d->timelines, ctx_id, reason);
}

static struct hct_hold *env_memory_hold(void *user, uint32_t resource_id)
{
    struct dev_device *d = user;
    const struct dev_resource *res = sl_map_find(&d->resources, resource_id);
    if (res == NULL || res->memory == NULL || !res->memory->mapped) {
        return NULL;
    }
    return (struct hct_hold *)(void *)dev_memory_ref(res->memory);
}

static void env_memory_release(struct hct_hold *hold)
{
    dev_memory_unref((struct dev_memory *)(void *)hold);
}

static void env_ring_ended(void *user, const struct vgd_ring_stats *stats)
{
    struct dev_device *d = user;
    dev_stats_add(&d->stats.all, stats);
}

static void env_tap(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode,
                    const void *packet, size_t size, const void *reply, size_t reply_size)
{
    struct dev_device *d = user;
    if (d->sink.packet != NULL) {
        d->sink.packet(d->sink.user, ctx_id, ring_id, opcode, packet, size, reply, reply_size);
    }
}

/* ---- vgd_ops that belong to no table ---- */

static void dev_tap(struct vgd *vgd, bool on)
{
    struct dev_device *d = dev_from(vgd);
    /* Orders nothing: a ring that sees it late taps a batch more or less. */
    sl_atomic_store_relaxed(&d->tap_on, on && d->sink.packet != NULL);
}

static int dev_poll_fd(struct vgd *vgd)
{
    (void)
        vgd; /* fences are told through the sink at once: the device has nothing to do by itself */
    return -1;
}

static void dev_poll(struct vgd *vgd)
{
    (void)vgd;
}

static void dev_reset(struct vgd *vgd)
{
    struct dev_device *d = dev_from(vgd);
    dev_scanouts_clear(d);
    dev_contexts_clear(d);
    dev_resources_clear(d);
    dev_timelines_reset(&d->timelines);
}

static void dev_destroy(struct vgd *vgd)
{
    if (vgd == NULL) {
        return;
    }
    struct dev_device *d = dev_from(vgd);
    dev_reset(vgd);
    dev_types_finish(d);
    dev_timelines_finish(&d->timelines);
    sl_map_finish(&d->contexts);
    sl_map_finish(&d->resources);
    sl_free(d);
}

static const struct vgd_ops dev_ops = {
    .capset_count = dev_capset_count,
    .capset_info = dev_capset_info,
    .capset_get = dev_capset_get,
    .ctx_create = dev_ctx_create,
    .ctx_destroy = dev_ctx_destroy,
    .ctx_attach = dev_ctx_attach,
    .ctx_detach = dev_ctx_detach,
    .submit = dev_submit,
    .res_create_tex = dev_res_create_tex,
    .res_create_blob = dev_res_create_blob,
    .res_import = dev_res_import,
    .res_destroy = dev_res_destroy,
    .backing_attach = dev_backing_attach,
    .backing_detach = dev_backing_detach,
    .transfer = dev_transfer,
    .res_map = dev_res_map,
    .res_unmap = dev_res_unmap,
    .res_export = dev_res_export,
    .fence = dev_fence,
    .scanout_set = dev_scanout_set,
    .flush = dev_flush,
    .cursor_set = dev_cursor_set,
    .scanout_read = dev_scanout_read,
    .describe = dev_describe,
    .ring_stats = dev_ring_stats,
    .stats = dev_stats,
    .rest = dev_rest,
    .ctx_save = dev_ctx_save,
    .ctx_drawn = dev_ctx_drawn,
    .tap = dev_tap,
    .poll_fd = dev_poll_fd,
    .poll = dev_poll,
    .reset = dev_reset,
    .destroy = dev_destroy,
};

static struct dev_limits with_defaults(const struct dev_limits *limits)
{
    struct dev_limits l = limits != NULL ? *limits : (struct dev_limits){0};
    l.contexts = l.contexts != 0 ? l.contexts : 1024;
    l.resources = l.resources != 0 ? l.resources : 65536;
    l.resource_bytes = l.resource_bytes != 0 ? l.resource_bytes : (uint64_t)4 << 30;
    l.pending = l.pending != 0 ? l.pending : 65536;
    l.submit_bytes = l.submit_bytes != 0 ? l.submit_bytes : 1u << 20;
    return l;
}

enum sl_result dev_create(const struct hct_type *const *types, const struct hct_options *options,
                          const struct dev_limits *limits, const struct vgd_sink *sink,
                          struct vgd **out)
{
    if (types == NULL) {
        return SL_ERR_INVALID;
    }
    struct dev_device *d = sl_alloc(sizeof *d);
    if (d == NULL) {
        return SL_ERR_NOMEM;
    }
    d->vgd.ops = &dev_ops;
    d->sink = *sink;
    d->limits = with_defaults(limits);
    if (options != NULL) {
        d->options = *options;
    }
    d->env = (struct hct_env){
        .user = d,
        .task_begin = env_task_begin,
        .task_done = env_task_done,
        .ctx_lost = env_ctx_lost,
        .memory_hold = env_memory_hold,
        .memory_release = env_memory_release,
        .ring_ended = env_ring_ended,
        .tap_on = &d->tap_on,
        .tap = env_tap,
        .recorder = sink->recorder,
    };
    sl_map_init(&d->contexts, d->limits.contexts);
    sl_map_init(&d->resources, d->limits.resources);
    dev_timelines_init(&d->timelines, sink, d->limits.pending);
    enum sl_result r = dev_types_init(d, types);
    if (r != SL_OK) {
        dev_destroy(&d->vgd);
        return r;
    }
    *out = &d->vgd;
    return SL_OK;
}
