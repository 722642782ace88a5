/* Contexts: the table, what is attached to each, and what is passed on to them. */
#include "host/device/dev.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

enum sl_result dev_ctx_create(struct vgd *vgd, uint32_t ctx_id, uint32_t capset, const char *name)
{
    struct dev_device *d = dev_from(vgd);
    const struct dev_type *type = dev_type_find(d, capset);
    if (ctx_id == 0 || sl_map_find(&d->contexts, ctx_id) != NULL) {
        return SL_ERR_INVALID;
    }
    if (type == NULL) {
        return SL_ERR_UNSUPPORTED;
    }
    if (d->contexts.live >= d->limits.contexts) {
        sl_warn_limited("device", "context %u: limit of %u contexts reached", ctx_id,
                        d->limits.contexts);
        return SL_ERR_NOMEM;
    }
    struct dev_context *ctx = sl_alloc(sizeof *ctx);
    if (ctx == NULL) {
        return SL_ERR_NOMEM;
    }
    *ctx = (struct dev_context){.id = ctx_id, .type = type};
    sl_list_init(&ctx->attachments);
    enum sl_result r = sl_map_add(&d->contexts, ctx_id, ctx);
    if (r != SL_OK) {
        goto fail_alloc;
    }
    r = dev_timelines_ctx_add(&d->timelines, ctx_id);
    if (r != SL_OK) {
        goto fail_map;
    }
    r = type->type->create(
        &(struct hct_create_info){
            .ctx_id = ctx_id,
            .capset = capset,
            .name = name != NULL ? name : "",
            .env = &d->env,
            .provider = type->provider,
        },
        &ctx->context);
    if (r != SL_OK) {
        goto fail_timelines;
    }
    return SL_OK;

fail_timelines:
    dev_timelines_ctx_remove(&d->timelines, ctx_id);
fail_map:
    (void)sl_map_remove(&d->contexts, ctx_id);
fail_alloc:
    sl_free(ctx);
    return r;
}

void dev_detach(struct dev_attachment *attachment)
{
    struct hct_context *context = attachment->context->context;
    context->ops->detach(context, attachment->resource->id);
    sl_list_remove(&attachment->ctx_link);
    sl_list_remove(&attachment->res_link);
    sl_free(attachment);
}

static void stop_context(const struct dev_context *ctx)
{
    if (ctx->context->ops->stop != NULL) {
        ctx->context->ops->stop(ctx->context);
    }
}

static void destroy_context(struct dev_device *d, struct dev_context *ctx)
{
    (void)sl_map_remove(&d->contexts, ctx->id);
    stop_context(ctx);
    while (!sl_list_empty(&ctx->attachments)) {
        dev_detach(SL_CONTAINER(ctx->attachments.next, struct dev_attachment, ctx_link));
    }
    ctx->context->ops->destroy(ctx->context);
    /* Last: a task that the context finishes while it dies must find its lane. */
    dev_timelines_ctx_remove(&d->timelines, ctx->id);
    sl_free(ctx);
}

enum sl_result dev_ctx_destroy(struct vgd *vgd, uint32_t ctx_id)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_context *ctx = sl_map_find(&d->contexts, ctx_id);
    if (ctx == NULL) {
        return SL_ERR_NOTFOUND;
    }
    destroy_context(d, ctx);
    return SL_OK;
}

void dev_contexts_clear(struct dev_device *d)
{
    uint32_t cursor = 0;
    struct dev_context *ctx;
    while ((ctx = sl_map_next(&d->contexts, &cursor, NULL)) != NULL) {
        stop_context(ctx); /* all at once: what is stuck is waited for together */
    }
    cursor = 0;
    while ((ctx = sl_map_next(&d->contexts, &cursor, NULL)) != NULL) {
        destroy_context(d, ctx);
    }
}

static struct dev_attachment *find_attachment(const struct dev_context *ctx,
                                              const struct dev_resource *res)
{
    /* A resource is attached to few contexts, a context may hold thousands of resources: walk the
     * resource's list. */
    SL_LIST_FOR(link, &res->attachments)
    {
        struct dev_attachment *a = SL_CONTAINER(link, struct dev_attachment, res_link);
        if (a->context == ctx) {
            return a;
        }
    }
    return NULL;
}

enum sl_result dev_ctx_attach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_context *ctx = sl_map_find(&d->contexts, ctx_id);
    struct dev_resource *res = sl_map_find(&d->resources, resource_id);
    if (ctx == NULL || res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (find_attachment(ctx, res) != NULL) {
        return SL_OK; /* Linux attaches again when a second handle to the same object is opened */
    }
    struct dev_attachment *a = sl_alloc(sizeof *a);
    if (a == NULL) {
        return SL_ERR_NOMEM;
    }
    struct hct_memory view = dev_resource_view(res);
    enum sl_result r = ctx->context->ops->attach(ctx->context, resource_id, &view);
    if (r != SL_OK) {
        sl_free(a);
        return r;
    }
    a->context = ctx;
    a->resource = res;
    sl_list_add(&ctx->attachments, &a->ctx_link);
    sl_list_add(&res->attachments, &a->res_link);
    return SL_OK;
}

enum sl_result dev_ctx_detach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_context *ctx = sl_map_find(&d->contexts, ctx_id);
    struct dev_resource *res = sl_map_find(&d->resources, resource_id);
    struct dev_attachment *a = ctx != NULL && res != NULL ? find_attachment(ctx, res) : NULL;
    if (a == NULL) {
        return SL_ERR_NOTFOUND;
    }
    dev_detach(a);
    return SL_OK;
}

enum sl_result dev_submit(struct vgd *vgd, uint32_t ctx_id, const void *commands, size_t size)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_context *ctx = sl_map_find(&d->contexts, ctx_id);
    if (ctx == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (size == 0) {
        return SL_OK; /* a submit that only carries a fence */
    }
    if (size < sizeof(uint32_t) || size > d->limits.submit_bytes) {
        return SL_ERR_INVALID;
    }
    if (dev_timelines_ctx_is_lost(&d->timelines, ctx_id)) {
        return SL_ERR_DEVICE_LOST;
    }
    return ctx->context->ops->submit(ctx->context, commands, size);
}

enum sl_result dev_fence(struct vgd *vgd, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    return dev_timelines_fence(&dev_from(vgd)->timelines, ctx_id, ring, id);
}

enum sl_result dev_ring_stats(struct vgd *vgd, uint32_t ctx_id, uint32_t index,
                              struct vgd_ring_stats *out)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_context *ctx = sl_map_find(&d->contexts, ctx_id);
    if (ctx == NULL || ctx->context->ops->ring_stats == NULL) {
        return SL_ERR_NOTFOUND;
    }
    return ctx->context->ops->ring_stats(ctx->context, index, out);
}

bool dev_rest(struct vgd *vgd, bool on)
{
    struct dev_device *d = dev_from(vgd);
    uint32_t cursor = 0;
    bool all = true;
    for (struct dev_context *ctx; (ctx = sl_map_next(&d->contexts, &cursor, NULL)) != NULL;) {
        const struct hct_ops *ops = ctx->context->ops;
        all = (ops->rest == NULL || ops->rest(ctx->context, on)) && all;
    }
    return on && all;
}

/* NOTFOUND; DEVICE_LOST. */
static enum sl_result find_live(struct dev_device *d, uint32_t ctx_id, struct hct_context **out)
{
    struct dev_context *ctx = sl_map_find(&d->contexts, ctx_id);
    if (ctx == NULL) {
        return SL_ERR_NOTFOUND;
    }
    *out = ctx->context;
    return dev_timelines_ctx_is_lost(&d->timelines, ctx_id) ? SL_ERR_DEVICE_LOST : SL_OK;
}

enum sl_result dev_ctx_save(struct vgd *vgd, uint32_t ctx_id, const struct vgd_saver *saver)
{
    struct hct_context *context = NULL;
    enum sl_result result = find_live(dev_from(vgd), ctx_id, &context);
    if (result != SL_OK) {
        return result;
    }
    const struct hct_ops *ops = context->ops;
    return ops->save != NULL ? ops->save(context, saver) : SL_ERR_UNSUPPORTED;
}

enum sl_result dev_ctx_drawn(struct vgd *vgd, uint32_t ctx_id, uint32_t ring_id,
                             const struct vgd_viewer *viewer)
{
    struct hct_context *context = NULL;
    enum sl_result result = find_live(dev_from(vgd), ctx_id, &context);
    if (result != SL_OK) {
        return result;
    }
    const struct hct_ops *ops = context->ops;
    return ops->drawn != NULL ? ops->drawn(context, ring_id, viewer) : SL_ERR_UNSUPPORTED;
}

void dev_stats_add(struct vgd_ring_stats *sum, const struct vgd_ring_stats *ring)
{
    sum->packets += ring->packets;
    sum->bytes += ring->bytes;
    sum->replies += ring->replies;
    sum->wakeups += ring->wakeups;
    sum->sleeps += ring->sleeps;
    sum->pings += ring->pings;
    sum->pings_awake += ring->pings_awake;
}

void dev_stats(struct vgd *vgd, struct vgd_stats *out)
{
    struct dev_device *d = dev_from(vgd);
    uint32_t cursor = 0;
    uint64_t id;
    *out = d->stats;
    out->contexts = d->contexts.live;
    out->resources = d->resources.live;
    out->resource_bytes = d->resource_bytes;
    while (sl_map_next(&d->contexts, &cursor, &id) != NULL) {
        struct vgd_ring_stats ring;
        for (uint32_t i = 0; dev_ring_stats(vgd, (uint32_t)id, i, &ring) == SL_OK; i++) {
            dev_stats_add(&out->all, &ring);
            out->rings++;
        }
    }
}
