/* Recorded verbs, asked again. Ids are the recording's; fences get numbers of our own, since we
 * insert some. */
#include "host/replay/rep_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <stdio.h>
#include <string.h>

#define SLICE_NS   (2 * SL_NS_PER_MS)
#define FENCE_NS   (10 * SL_NS_PER_S)
#define LINGER_NS  SL_NS_PER_S
#define NAME_BYTES 64u

/* --- fences --- */

/* Any thread. */
void rep_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id)
{
    (void)ctx_id, (void)ring;
    struct rep *rep = user;
    pthread_mutex_lock(&rep->lock);
    rep->fences_done[fence_id % REP_FENCES] = fence_id;
    pthread_mutex_unlock(&rep->lock);
    (void)sl_atomic_add(&rep->fence_word, 1);
    sl_futex_wake(&rep->fence_word, 1, false);
}

static bool fence_is_done(struct rep *rep, uint64_t id)
{
    pthread_mutex_lock(&rep->lock);
    bool done = rep->fences_done[id % REP_FENCES] >= id;
    pthread_mutex_unlock(&rep->lock);
    return done;
}

static uint64_t fences_patience_ns(const struct rep *rep)
{
    uint64_t patience = rep_patience_ns(rep);
    return patience < FENCE_NS ? patience : FENCE_NS;
}

static bool wait_for_fence(struct rep *rep, uint64_t id, uint64_t most_ns)
{
    uint64_t begin = sl_clock_ns();
    bool done = fence_is_done(rep, id);
    while (!done && sl_clock_ns() - begin < most_ns) {
        uint32_t word = sl_atomic_load_acquire(&rep->fence_word);
        rep->device->ops->poll(rep->device);
        if (!fence_is_done(rep, id)) {
            (void)sl_futex_wait(&rep->fence_word, word, false, (int64_t)SLICE_NS);
        }
        done = fence_is_done(rep, id);
    }
    return done;
}

/* Bounded, for all of them: what the recording waited for need not come here in the same time, or
 * at all. */
static void wait_for_known(struct rep *rep, uint64_t id)
{
    uint64_t begin = sl_clock_ns(), all = fences_patience_ns(rep);
    uint64_t most = rep->fences_ns < all ? all - rep->fences_ns : 0;
    if (!wait_for_fence(rep, id, most)) {
        rep->fences_ns += sl_clock_ns() - begin;
    }
}

void rep_fence_wait(struct rep *rep, uint32_t ctx_id, uint32_t ring)
{
    uint64_t id = ++rep->last_fence;
    if (rep->device->ops->fence(rep->device, ctx_id, ring, id) == SL_OK) {
        wait_for_known(rep, id);
    }
}

bool rep_fence_linger(struct rep *rep, uint32_t ctx_id, uint32_t ring)
{
    uint64_t id = ++rep->last_fence;
    return rep->device->ops->fence(rep->device, ctx_id, ring, id) == SL_OK &&
           wait_for_fence(rep, id, LINGER_NS);
}

static enum sl_result fence(struct rep *rep, const struct cap_verb_fence *f)
{
    uint64_t id = ++rep->last_fence;
    rep->recorded[f->id % REP_FENCES] = (struct rep_fence){.recorded = f->id, .ours = id};
    return rep->device->ops->fence(rep->device, f->ctx_id, f->ring, id);
}

/* While recording it was done by now, and the guest may have acted on it. */
static void fence_was_done(struct rep *rep, const struct cap_verb_fence *f)
{
    const struct rep_fence *known = &rep->recorded[f->id % REP_FENCES];
    if (known->recorded == f->id && known->ours != 0) {
        wait_for_known(rep, known->ours);
    }
}

/* --- contexts and resources --- */

static enum sl_result submit(struct rep *rep, const struct cap_verb_ctx *c, const uint8_t *commands,
                             size_t size)
{
    const struct vgd_ops *ops = rep->device->ops;
    enum sl_result result = ops->submit(rep->device, c->ctx_id, commands, size);
    if (result == SL_OK && size >= 8 && sl_load_u32(commands) == GFXSTREAM_CONTEXT_CREATE) {
        struct rep_resource *resource = rep_resource_find(rep, sl_load_u32(commands + 4));
        result = resource != NULL ? rep_ring_open(rep, c->ctx_id, resource) : SL_ERR_NOTFOUND;
    }
    return result;
}

static enum sl_result tex_create(struct rep *rep, const struct cap_verb_tex *t)
{
    const struct vg_tex_args args = {.target = t->target,
                                     .format = t->format,
                                     .bind = t->bind,
                                     .width_px = t->width_px,
                                     .height_px = t->height_px,
                                     .depth = t->depth,
                                     .array_size = t->array_size,
                                     .last_level = t->last_level,
                                     .nr_samples = t->nr_samples,
                                     .flags = t->flags};
    enum sl_result result = rep->device->ops->res_create_tex(rep->device, t->resource_id, &args);
    return result == SL_OK && rep_resource_add(rep, t->resource_id) == NULL ? SL_ERR_NOMEM : result;
}

static enum sl_result blob_create(struct rep *rep, const struct cap_verb_blob *b)
{
    bool was_known = rep_resource_find(rep, b->resource_id) != NULL;
    struct rep_resource *resource = rep_resource_add(rep, b->resource_id);
    struct iovec backing = {0};
    if (resource == NULL) {
        return SL_ERR_NOMEM;
    }
    resource->ctx_id = b->ctx_id;
    resource->blob_id = b->blob_id;
    if (b->backing_size != 0) {
        backing.iov_base = rep_resource_pages(resource, b->backing_size);
        backing.iov_len = b->backing_size;
        if (backing.iov_base == NULL) {
            return SL_ERR_NOMEM;
        }
    }
    const struct vgd_blob_args args = {.mem = b->mem,
                                       .flags = b->flags,
                                       .size = b->size,
                                       .blob_id = b->blob_id,
                                       .backing = &backing,
                                       .backing_count = b->backing_size != 0};
    enum sl_result result =
        rep->device->ops->res_create_blob(rep->device, b->ctx_id, b->resource_id, &args);
    if (result != SL_OK && !was_known) {
        rep_resource_free(rep, resource);
    }
    return result;
}

static enum sl_result import(struct rep *rep, const struct cap_verb_res *r)
{
    int fd = -1;
    enum sl_result result = sl_shm_create("sluice-replay", r->value, &fd);
    if (result == SL_OK) {
        result = rep->device->ops->res_import(rep->device, r->resource_id, fd, r->value);
    }
    return result == SL_OK && rep_resource_add(rep, r->resource_id) == NULL ? SL_ERR_NOMEM : result;
}

static enum sl_result attach_backing(struct rep *rep, const struct cap_verb_res *r)
{
    struct rep_resource *resource = rep_resource_find(rep, r->resource_id);
    struct iovec iov = {.iov_len = r->value};
    if (resource == NULL) {
        return SL_ERR_NOTFOUND;
    }
    iov.iov_base = rep_resource_pages(resource, r->value);
    return iov.iov_base == NULL
               ? SL_ERR_NOMEM
               : rep->device->ops->backing_attach(rep->device, r->resource_id, &iov, 1);
}

enum sl_result rep_resource_destroy(struct rep *rep, uint32_t id)
{
    struct rep_resource *resource = rep_resource_find(rep, id);
    if (resource != NULL) {
        rep_resource_unmap(rep, resource);
    }
    enum sl_result result = rep->device->ops->res_destroy(rep->device, id);
    if (resource != NULL) {
        rep_resource_free(rep, resource);
    }
    return result;
}

static enum sl_result transfer(struct rep *rep, const struct cap_verb_transfer *t)
{
    const struct vg_box box = {.x = t->box.x,
                               .y = t->box.y,
                               .z = t->box.z,
                               .width = t->box.width,
                               .height = t->box.height,
                               .depth = t->box.depth};
    return rep->device->ops->transfer(rep->device, t->ctx_id, t->resource_id, &box, t->level,
                                      t->offset, t->stride, t->layer_stride,
                                      t->direction != 0 ? VG_FROM_HOST : VG_TO_HOST);
}

static enum sl_result scanout_set(struct rep *rep, const struct cap_verb_scanout *s)
{
    const struct vgd_scanout scanout = {.resource_id = s->resource_id,
                                        .x_px = s->x_px,
                                        .y_px = s->y_px,
                                        .width_px = s->width_px,
                                        .height_px = s->height_px,
                                        .format = s->format,
                                        .image_width_px = s->image_width_px,
                                        .image_height_px = s->image_height_px,
                                        .stride = s->stride,
                                        .offset = s->offset};
    return rep->device->ops->scanout_set(rep->device, s->scanout_id, &scanout);
}

static enum sl_result flush(struct rep *rep, const struct cap_verb_flush *f)
{
    const struct vg_box box = {.x = f->box.x,
                               .y = f->box.y,
                               .z = f->box.z,
                               .width = f->box.width,
                               .height = f->box.height,
                               .depth = f->box.depth};
    return rep->device->ops->flush(rep->device, f->resource_id, &box);
}

static enum sl_result cursor_set(struct rep *rep, const struct cap_verb_cursor *c)
{
    const struct vgd_cursor cursor = {.resource_id = c->resource_id,
                                      .x_px = c->x_px,
                                      .y_px = c->y_px,
                                      .hot_x_px = c->hot_x_px,
                                      .hot_y_px = c->hot_y_px};
    return rep->device->ops->cursor_set(rep->device, c->scanout_id, &cursor, c->is_move != 0);
}

static enum sl_result map(struct rep *rep, uint32_t id)
{
    struct rep_resource *resource = rep_resource_find(rep, id);
    return resource != NULL ? rep_resource_map(rep, resource) : SL_ERR_NOTFOUND;
}

static enum sl_result reset(struct rep *rep)
{
    uint32_t cursor = 0;
    uint64_t id;
    struct rep_resource *resource;
    while ((resource = sl_map_next(&rep->resources, &cursor, &id)) != NULL) {
        rep_resource_unmap(rep, resource);
        rep_resource_free(rep, resource);
    }
    cursor = 0;
    while (sl_map_next(&rep->fence_sets, &cursor, &id) != NULL) {
        rep_gpu_forget(rep, (uint32_t)id);
    }
    rep->device->ops->reset(rep->device);
    return SL_OK;
}

/* Its rings end with it; what their threads still ran while recording is not played. */
static void end_rings(struct rep *rep, uint32_t ctx_id, uint32_t resource_id)
{
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        struct rep_ring *ring = rep->rings[i];
        if (ring != NULL && ring->ctx_id == ctx_id &&
            (resource_id == 0 || ring->ring_id == resource_id)) {
            sl_atomic_store_relaxed(&ring->is_gone, 1);
        }
    }
}

/* --- what is remembered, to come back to it --- */

static void remember_origin(struct rep *rep, uint32_t id, const struct cap_event_verb *v)
{
    struct rep_resource *resource = rep_resource_find(rep, id);
    if (resource != NULL && resource->origin.verb == 0 && v->size <= sizeof resource->origin.body) {
        resource->origin.verb = v->verb;
        resource->origin.body_size = v->size;
        memcpy(resource->origin.body, v->body, v->size);
    }
}

static void remember_attached(struct rep *rep, uint32_t ctx_id, uint32_t id, bool attached)
{
    struct rep_resource *resource = rep_resource_find(rep, id);
    struct rep_origin *o = resource != NULL ? &resource->origin : NULL;
    if (o != NULL && attached) {
        if (o->attached_count < REP_ATTACHED) {
            o->attached[o->attached_count] = ctx_id;
        }
        o->attached_count += o->attached_count <= REP_ATTACHED;
    }
    for (uint32_t i = 0; o != NULL && !attached && i < o->attached_count && i < REP_ATTACHED; i++) {
        if (o->attached[i] == ctx_id) {
            o->attached[i] = o->attached[--o->attached_count];
        }
    }
}

static void remember_context(struct rep *rep, uint32_t ctx_id, bool is_there)
{
    rep->changes++;
    if (is_there) {
        if (rep->context_count < REP_CONTEXTS) {
            rep->contexts[rep->context_count++] = ctx_id;
        }
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rep->context_count; i++) {
        if (rep->contexts[i] != ctx_id) {
            rep->contexts[kept++] = rep->contexts[i];
        }
    }
    rep->context_count = kept;
}

static void remember_ring(struct rep *rep, const struct cap_event_verb *v)
{
    bool is_ring = v->size >= 16 && sl_load_u32(v->body + 8) == GFXSTREAM_CONTEXT_CREATE;
    struct rep_resource *resource =
        is_ring ? rep_resource_find(rep, sl_load_u32(v->body + 12)) : NULL;
    if (resource != NULL) {
        resource->origin.ring_ctx = sl_load_u32(v->body);
    }
}

/* The verb was carried out. */
static void remember(struct rep *rep, const struct cap_event_verb *v)
{
    const uint32_t first = v->size >= 8 ? sl_load_u32(v->body) : 0,
                   second = v->size >= 8 ? sl_load_u32(v->body + 4) : 0;
    switch (v->verb) {
    case CAP_VERB_CTX_CREATE:
        remember_context(rep, first, true);
        break;
    case CAP_VERB_CTX_DESTROY:
        remember_context(rep, first, false);
        break;
    case CAP_VERB_RESET:
        rep->context_count = 0;
        rep->changes++;
        break;
    case CAP_VERB_SUBMIT:
        remember_ring(rep, v);
        break;
    case CAP_VERB_CTX_ATTACH:
        remember_attached(rep, first, second, true);
        break;
    case CAP_VERB_CTX_DETACH:
        remember_attached(rep, first, second, false);
        break;
    case CAP_VERB_TEX_CREATE:
    case CAP_VERB_RES_IMPORT:
        remember_origin(rep, first, v);
        break;
    case CAP_VERB_BLOB_CREATE:
        remember_origin(rep, second, v);
        break;
    case CAP_VERB_BACKING_ATTACH:
    case CAP_VERB_BACKING_DETACH: {
        struct rep_resource *resource = rep_resource_find(rep, first);
        if (resource != NULL && v->size >= 16) {
            resource->origin.backing = sl_load_u64(v->body + 8);
        }
        break;
    }
    default:
        break;
    }
}

/* --- all of them --- */

/* A verb's struct, as much of it as its body has; then zeros. */
#define BODY(type, name)                                                                           \
    struct type name = {0};                                                                        \
    memcpy(&name, v->body, v->size < sizeof name ? v->size : sizeof name)

static enum sl_result carry_out(struct rep *rep, const struct cap_event_verb *v)
{
    const struct vgd_ops *ops = rep->device->ops;
    BODY(cap_verb_ctx, c);
    BODY(cap_verb_res, r);
    const uint8_t *rest = v->size > sizeof c ? v->body + sizeof c : NULL;
    size_t rest_size = v->size > sizeof c ? v->size - sizeof c : 0;
    char name[NAME_BYTES];
    switch (v->verb) {
    case CAP_VERB_CTX_CREATE:
        snprintf(name, sizeof name, "%.*s", (int)(rest_size < NAME_BYTES ? rest_size : NAME_BYTES),
                 rest != NULL ? (const char *)rest : "");
        return ops->ctx_create(rep->device, c.ctx_id, c.value, name);
    case CAP_VERB_CTX_DESTROY:
        rep_gpu_forget(rep, c.ctx_id);
        end_rings(rep, c.ctx_id, 0);
        return ops->ctx_destroy(rep->device, c.ctx_id);
    case CAP_VERB_CTX_ATTACH:
        return ops->ctx_attach(rep->device, c.ctx_id, c.value);
    case CAP_VERB_CTX_DETACH:
        end_rings(rep, c.ctx_id, c.value);
        return ops->ctx_detach(rep->device, c.ctx_id, c.value);
    case CAP_VERB_SUBMIT:
        return submit(rep, &c, rest, rest_size);
    case CAP_VERB_TEX_CREATE: {
        BODY(cap_verb_tex, t);
        return tex_create(rep, &t);
    }
    case CAP_VERB_BLOB_CREATE: {
        BODY(cap_verb_blob, b);
        return blob_create(rep, &b);
    }
    case CAP_VERB_RES_IMPORT:
        return import(rep, &r);
    case CAP_VERB_RES_DESTROY:
        return rep_resource_destroy(rep, r.resource_id);
    case CAP_VERB_BACKING_ATTACH:
        return attach_backing(rep, &r);
    case CAP_VERB_BACKING_DETACH:
        return ops->backing_detach(rep->device, r.resource_id);
    case CAP_VERB_TRANSFER: {
        BODY(cap_verb_transfer, t);
        return transfer(rep, &t);
    }
    case CAP_VERB_RES_MAP:
        return map(rep, r.resource_id);
    case CAP_VERB_FENCE: {
        BODY(cap_verb_fence, f);
        return fence(rep, &f);
    }
    case CAP_VERB_SCANOUT_SET: {
        BODY(cap_verb_scanout, s);
        return scanout_set(rep, &s);
    }
    case CAP_VERB_FLUSH: {
        BODY(cap_verb_flush, f);
        return flush(rep, &f);
    }
    case CAP_VERB_CURSOR_SET: {
        BODY(cap_verb_cursor, u);
        return cursor_set(rep, &u);
    }
    case CAP_VERB_RESET:
        return reset(rep);
    case CAP_VERB_FENCE_DONE: {
        BODY(cap_verb_fence, f);
        fence_was_done(rep, &f);
        return SL_OK;
    }
    case CAP_VERB_STREAM_BEGIN: {
        BODY(cap_verb_stream, s);
        rep_memory_stream(rep, s.stream, s.ctx_id);
        return SL_OK;
    }
    default:
        /* Unmapping and exporting change nothing that the trace can see; what was told is told
         * again. */
        return SL_OK;
    }
}

void rep_verb(struct rep *rep, const struct cap_event *event)
{
    const struct cap_event_verb *v = &event->verb;
    rep_catch_up_all(rep, event->stamp);
    if (rep->stop) {
        return;
    }
    enum sl_result was = v->has_result && v->verb < 128 ? (enum sl_result)v->result : SL_OK;
    enum sl_result result = carry_out(rep, v);
    if (result == SL_OK) {
        remember(rep, v);
    }
    if (!rep->options.no_compare) {
        rep->report->compared++;
        if ((was == SL_OK) != (result == SL_OK)) {
            const struct rep_answer answer = {
                .event = event, .frame = rep->frame, .result = result};
            rep_diverged(rep, &answer);
        }
    }
}

enum sl_result rep_resource_make(struct rep *rep, uint32_t id, const struct rep_origin *origin)
{
    const struct cap_event_verb first = {
        .verb = origin->verb, .body = origin->body, .size = origin->body_size};
    enum sl_result result = origin->verb != 0 && origin->attached_count <= REP_ATTACHED
                                ? carry_out(rep, &first)
                                : SL_ERR_UNSUPPORTED;
    if (result == SL_OK && origin->backing != 0) {
        const struct cap_verb_res r = {.resource_id = id, .value = origin->backing};
        result = attach_backing(rep, &r);
    }
    for (uint32_t i = 0; result == SL_OK && i < origin->attached_count; i++) {
        result = rep->device->ops->ctx_attach(rep->device, origin->attached[i], id);
    }
    if (result == SL_OK && origin->ring_ctx != 0) {
        uint8_t command[8];
        sl_store_u32(command, GFXSTREAM_CONTEXT_CREATE);
        sl_store_u32(command + 4, id);
        const struct cap_verb_ctx c = {.ctx_id = origin->ring_ctx, .value = sizeof command};
        result = submit(rep, &c, command, sizeof command);
    }
    struct rep_resource *resource = result == SL_OK ? rep_resource_find(rep, id) : NULL;
    if (resource != NULL) {
        resource->origin = *origin;
        if (resource->ring != NULL) {
            resource->ring->capset = origin->ring_capset;
            resource->ring->preamble = origin->ring_preamble;
        }
    }
    return result;
}
