/* Waist B, forwarded and written down. Device thread. */
#include "host/capture/cap_device_priv.h"

#include "transport/base/bytes.h"
#include "transport/base/log.h"
#include "transport/base/shm.h"

#include <stdio.h>

static struct cap_device *device_of(struct vgd *vgd)
{
    return (struct cap_device *)(void *)vgd;
}

/* --- what lives --- */

/* Written down are verbs about what this recording saw come. Device thread. */
static struct cap_recording *recording_of(struct cap_device *d, const struct cap_seen *what)
{
    struct cap_recording *r = d->recording; /* changes on this thread alone */
    return r != NULL && what != NULL && what->recording == d->recordings ? r : NULL;
}

static struct cap_recording *of_context(struct cap_device *d, uint32_t ctx_id)
{
    return recording_of(d, sl_map_find(&d->contexts, ctx_id));
}

static struct cap_recording *of_resource(struct cap_device *d, uint32_t resource_id)
{
    return recording_of(d, sl_map_find(&d->resources, resource_id));
}

/* --- verbs that are written down --- */

static void tell(struct cap_recording *r, enum sl_result result, uint64_t value)
{
    if (r != NULL && (result != SL_OK || value != 0)) {
        const struct cap_verb_result body = {.result = result, .value = value};
        (void)cap_recording_verb(r, CAP_VERB_RESULT, &body, sizeof body, NULL, 0);
    }
}

static void ask_ctx(struct cap_recording *r, enum cap_verb verb, uint32_t ctx_id, uint32_t value,
                    const void *rest, size_t rest_size)
{
    if (r != NULL) {
        const struct cap_verb_ctx body = {.ctx_id = ctx_id, .value = value};
        (void)cap_recording_verb(r, verb, &body, sizeof body, rest, rest_size);
    }
}

static void ask_res(struct cap_recording *r, enum cap_verb verb, uint32_t resource_id,
                    uint64_t value)
{
    if (r != NULL) {
        const struct cap_verb_res body = {.resource_id = resource_id, .value = value};
        (void)cap_recording_verb(r, verb, &body, sizeof body, NULL, 0);
    }
}

static uint64_t iov_size(const struct iovec *iov, uint32_t count)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += iov[i].iov_len;
    }
    return size;
}

static enum sl_result ctx_create(struct vgd *vgd, uint32_t ctx_id, uint32_t capset,
                                 const char *name)
{
    struct cap_device *d = device_of(vgd);
    const char *text = name != NULL ? name : "";
    struct cap_recording *r = d->recording;
    ask_ctx(r, CAP_VERB_CTX_CREATE, ctx_id, capset, text, strlen(text));
    enum sl_result result = d->inner->ops->ctx_create(d->inner, ctx_id, capset, name);
    tell(r, result, 0);
    if (result == SL_OK) {
        struct cap_seen what = {.kind = CAP_SEEN_CONTEXT, .context.capset = capset};
        snprintf(what.context.name, sizeof what.context.name, "%s", text);
        cap_seen_come(d, &d->contexts, ctx_id, &what);
    }
    return result;
}

/* Verbs that end something are written down when they are over: a ring whose memory goes first runs
 * what lies in it, and those packets belong before. */
static enum sl_result ctx_destroy(struct vgd *vgd, uint32_t ctx_id)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_context(d, ctx_id);
    enum sl_result result = d->inner->ops->ctx_destroy(d->inner, ctx_id);
    ask_ctx(r, CAP_VERB_CTX_DESTROY, ctx_id, 0, NULL, 0);
    tell(r, result, 0);
    if (result == SL_OK) {
        cap_seen_go(d, &d->contexts, ctx_id);
    }
    return result;
}

static enum sl_result ctx_attach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_context(d, ctx_id) != NULL ? of_resource(d, resource_id) : NULL;
    ask_ctx(r, CAP_VERB_CTX_ATTACH, ctx_id, resource_id, NULL, 0);
    enum sl_result result = d->inner->ops->ctx_attach(d->inner, ctx_id, resource_id);
    tell(r, result, 0);
    if (result == SL_OK) {
        cap_seen_attach(d, ctx_id, resource_id);
    }
    return result;
}

static enum sl_result ctx_detach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_context(d, ctx_id) != NULL ? of_resource(d, resource_id) : NULL;
    enum sl_result result = d->inner->ops->ctx_detach(d->inner, ctx_id, resource_id);
    ask_ctx(r, CAP_VERB_CTX_DETACH, ctx_id, resource_id, NULL, 0);
    tell(r, result, 0);
    struct cap_seen *what = sl_map_find(&d->resources, resource_id);
    if (result == SL_OK && what != NULL) {
        cap_seen_detach(d, what, ctx_id);
        what->ring_ctx = what->ring_ctx == ctx_id ? 0 : what->ring_ctx;
    }
    return result;
}

static void look_at_ring(struct cap_device *d, uint32_t ctx_id, const void *commands, size_t size)
{
    const uint8_t *p = commands;
    struct cap_seen *what = size >= 8 && sl_load_u32(p) == GFXSTREAM_CONTEXT_CREATE
                                ? sl_map_find(&d->resources, sl_load_u32(p + 4))
                                : NULL;
    if (what != NULL) {
        what->ring_ctx = ctx_id;
        what->ring_order = ++d->order;
    }
}

static enum sl_result submit(struct vgd *vgd, uint32_t ctx_id, const void *commands, size_t size)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_context(d, ctx_id);
    ask_ctx(r, CAP_VERB_SUBMIT, ctx_id, (uint32_t)size, commands, size);
    enum sl_result result = d->inner->ops->submit(d->inner, ctx_id, commands, size);
    tell(r, result, 0);
    if (result == SL_OK) {
        look_at_ring(d, ctx_id, commands, size);
    }
    return result;
}

static enum sl_result res_create_tex(struct vgd *vgd, uint32_t resource_id,
                                     const struct vg_tex_args *a)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = d->recording;
    const struct cap_seen what = {.kind = CAP_SEEN_TEX,
                                  .tex = {.resource_id = resource_id,
                                          .target = a->target,
                                          .format = a->format,
                                          .bind = a->bind,
                                          .width_px = a->width_px,
                                          .height_px = a->height_px,
                                          .depth = a->depth,
                                          .array_size = a->array_size,
                                          .last_level = a->last_level,
                                          .nr_samples = a->nr_samples,
                                          .flags = a->flags}};
    if (r != NULL) {
        (void)cap_recording_verb(r, CAP_VERB_TEX_CREATE, &what.tex, sizeof what.tex, NULL, 0);
    }
    enum sl_result result = d->inner->ops->res_create_tex(d->inner, resource_id, a);
    tell(r, result, 0);
    if (result == SL_OK) {
        cap_seen_come(d, &d->resources, resource_id, &what);
    }
    return result;
}

static enum sl_result res_create_blob(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id,
                                      const struct vgd_blob_args *a)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_context(d, ctx_id);
    uint64_t pages = iov_size(a->backing, a->backing_count);
    const struct cap_seen what = {.kind = CAP_SEEN_BLOB,
                                  .blob = {.ctx_id = ctx_id,
                                           .resource_id = resource_id,
                                           .mem = a->mem,
                                           .flags = a->flags,
                                           .size = a->size,
                                           .blob_id = a->blob_id,
                                           .backing_size = pages},
                                  .pages = pages};
    if (r != NULL) {
        (void)cap_recording_verb(r, CAP_VERB_BLOB_CREATE, &what.blob, sizeof what.blob, NULL, 0);
    }
    enum sl_result result = d->inner->ops->res_create_blob(d->inner, ctx_id, resource_id, a);
    tell(r, result, 0);
    if (result == SL_OK) {
        cap_seen_come(d, &d->resources, resource_id, &what);
        if (a->backing_count != 0 && a->blob_id != 0) {
            cap_seen_watch(d, resource_id, &what, NULL, pages);
            cap_memory_backing(&d->memory, resource_id, a->backing, a->backing_count);
        }
    }
    return result;
}

static enum sl_result res_import(struct vgd *vgd, uint32_t resource_id, int fd, uint64_t size)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = d->recording;
    struct cap_seen what = {.kind = CAP_SEEN_IMPORT,
                            .import = {.resource_id = resource_id, .value = size}};
    if (sl_shm_is_safe(fd, size) && sl_shm_map(fd, size, &what.mapping) == SL_OK) {
        what.mapping_size = size;
    }
    ask_res(r, CAP_VERB_RES_IMPORT, resource_id, size);
    enum sl_result result = d->inner->ops->res_import(d->inner, resource_id, fd, size);
    tell(r, result, 0);
    if (result == SL_OK && what.mapping != NULL) {
        cap_seen_come(d, &d->resources, resource_id, &what);
        cap_seen_watch(d, resource_id, &what, what.mapping, size);
    } else if (what.mapping != NULL) {
        sl_shm_unmap(what.mapping, what.mapping_size);
    }
    return result;
}

static enum sl_result res_destroy(struct vgd *vgd, uint32_t resource_id)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    cap_memory_forget(&d->memory, resource_id); /* its bytes go with it */
    enum sl_result result = d->inner->ops->res_destroy(d->inner, resource_id);
    ask_res(r, CAP_VERB_RES_DESTROY, resource_id, 0);
    tell(r, result, 0);
    if (result == SL_OK) {
        cap_seen_go(d, &d->resources, resource_id);
    }
    return result;
}

static enum sl_result backing_attach(struct vgd *vgd, uint32_t resource_id, const struct iovec *iov,
                                     uint32_t count)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    uint64_t size = iov_size(iov, count);
    ask_res(r, CAP_VERB_BACKING_ATTACH, resource_id, size);
    enum sl_result result = d->inner->ops->backing_attach(d->inner, resource_id, iov, count);
    tell(r, result, 0);
    struct cap_seen *what = sl_map_find(&d->resources, resource_id);
    if (result == SL_OK && what != NULL) {
        what->pages = size;
        cap_seen_watch(d, resource_id, what, NULL, size);
        cap_memory_backing(&d->memory, resource_id, iov, count);
    }
    return result;
}

static enum sl_result backing_detach(struct vgd *vgd, uint32_t resource_id)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    ask_res(r, CAP_VERB_BACKING_DETACH, resource_id, 0);
    cap_memory_backing(&d->memory, resource_id, NULL, 0);
    enum sl_result result = d->inner->ops->backing_detach(d->inner, resource_id);
    tell(r, result, 0);
    struct cap_seen *what = sl_map_find(&d->resources, resource_id);
    if (result == SL_OK && what != NULL) {
        what->pages = 0;
    }
    return result;
}

static struct cap_verb_box box_of(const struct vg_box *b)
{
    return (struct cap_verb_box){b->x, b->y, b->z, b->width, b->height, b->depth};
}

static enum sl_result transfer(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id,
                               const struct vg_box *box, uint32_t level, uint64_t offset,
                               uint32_t stride, uint32_t layer_stride, enum vg_direction direction)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    if (r != NULL) {
        const struct cap_verb_transfer body = {.ctx_id = ctx_id,
                                               .resource_id = resource_id,
                                               .box = box_of(box),
                                               .offset = offset,
                                               .level = level,
                                               .stride = stride,
                                               .layer_stride = layer_stride,
                                               .direction = direction};
        uint64_t stamp = cap_recording_verb(r, CAP_VERB_TRANSFER, &body, sizeof body, NULL, 0);
        if (direction == VG_TO_HOST) {
            cap_recording_search(r, resource_id, stamp);
        }
    }
    enum sl_result result = d->inner->ops->transfer(d->inner, ctx_id, resource_id, box, level,
                                                    offset, stride, layer_stride, direction);
    tell(r, result, 0);
    return result;
}

static enum sl_result res_map(struct vgd *vgd, uint32_t resource_id, struct vgd_map *out)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    ask_res(r, CAP_VERB_RES_MAP, resource_id, 0);
    enum sl_result result = d->inner->ops->res_map(d->inner, resource_id, out);
    tell(r, result, result == SL_OK ? out->size : 0);
    struct cap_seen *what = sl_map_find(&d->resources, resource_id);
    if (result != SL_OK || what == NULL || what->pages != 0 ||
        (what->kind == CAP_SEEN_BLOB &&
         what->blob.blob_id == 0)) { /* what the guest writes to a ring is packets */
        return result;
    }
    const void *bytes = out->pointer;
    if (bytes == NULL && what->mapping == NULL && out->offset == 0 &&
        sl_shm_map(out->fd, out->size, &what->mapping) == SL_OK) {
        what->mapping_size = out->size;
    }
    bytes = bytes != NULL ? bytes : what->mapping;
    if (bytes != NULL) {
        cap_seen_watch(d, resource_id, what, bytes, out->size);
        if (out->fd >= 0) {
            cap_memory_file(&d->memory, resource_id, out->fd, out->offset);
        }
    } else {
        sl_warn_limited("capture",
                        "resource %u: its memory cannot be read here: recordings lack "
                        "writes to it",
                        resource_id);
    }
    return result;
}

static enum sl_result res_unmap(struct vgd *vgd, uint32_t resource_id)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    ask_res(r, CAP_VERB_RES_UNMAP, resource_id, 0);
    enum sl_result result = d->inner->ops->res_unmap(d->inner, resource_id);
    tell(r, result, 0);
    return result;
}

static void res_place(struct vgd *vgd, uint32_t resource_id, struct sl_writes *writes,
                      uint64_t address)
{
    struct cap_device *d = device_of(vgd);
    const struct cap_seen *what = sl_map_find(&d->resources, resource_id);
    if (what != NULL && what->kind == CAP_SEEN_BLOB) { /* others map what was imported, too */
        cap_memory_place(&d->memory, resource_id, writes, address);
    }
}

static enum sl_result res_export(struct vgd *vgd, uint32_t resource_id, int *fd)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    ask_res(r, CAP_VERB_RES_EXPORT, resource_id, 0);
    cap_memory_share(&d->memory, resource_id);
    enum sl_result result = d->inner->ops->res_export(d->inner, resource_id, fd);
    tell(r, result, 0);
    return result;
}

static enum sl_result fence(struct vgd *vgd, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = ctx_id == 0 ? d->recording : of_context(d, ctx_id);
    if (r != NULL) {
        const struct cap_verb_fence body = {.ctx_id = ctx_id, .ring = ring, .id = id};
        (void)cap_recording_verb(r, CAP_VERB_FENCE, &body, sizeof body, NULL, 0);
    }
    enum sl_result result = d->inner->ops->fence(d->inner, ctx_id, ring, id);
    tell(r, result, 0);
    return result;
}

static enum sl_result scanout_set(struct vgd *vgd, uint32_t scanout_id, const struct vgd_scanout *s)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = s->resource_id == 0 ? d->recording : of_resource(d, s->resource_id);
    const struct cap_verb_scanout body = {.scanout_id = scanout_id,
                                          .resource_id = s->resource_id,
                                          .x_px = s->x_px,
                                          .y_px = s->y_px,
                                          .width_px = s->width_px,
                                          .height_px = s->height_px,
                                          .format = s->format,
                                          .image_width_px = s->image_width_px,
                                          .image_height_px = s->image_height_px,
                                          .stride = s->stride,
                                          .offset = s->offset};
    if (r != NULL) {
        (void)cap_recording_verb(r, CAP_VERB_SCANOUT_SET, &body, sizeof body, NULL, 0);
    }
    enum sl_result result = d->inner->ops->scanout_set(d->inner, scanout_id, s);
    tell(r, result, 0);
    if (result == SL_OK && scanout_id < VGD_SCANOUTS) {
        d->scanouts[scanout_id] = body;
    }
    return result;
}

static enum sl_result flush(struct vgd *vgd, uint32_t resource_id, const struct vg_box *box)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r = of_resource(d, resource_id);
    if (r != NULL) {
        const struct cap_verb_flush body = {.resource_id = resource_id, .box = box_of(box)};
        (void)cap_recording_verb(r, CAP_VERB_FLUSH, &body, sizeof body, NULL, 0);
    }
    enum sl_result result = d->inner->ops->flush(d->inner, resource_id, box);
    tell(r, result, 0);
    return result;
}

static enum sl_result cursor_set(struct vgd *vgd, uint32_t scanout_id, const struct vgd_cursor *c,
                                 bool move)
{
    struct cap_device *d = device_of(vgd);
    struct cap_recording *r =
        c->resource_id == 0 || move ? d->recording : of_resource(d, c->resource_id);
    const struct cap_verb_cursor body = {.scanout_id = scanout_id,
                                         .resource_id = c->resource_id,
                                         .x_px = c->x_px,
                                         .y_px = c->y_px,
                                         .hot_x_px = c->hot_x_px,
                                         .hot_y_px = c->hot_y_px,
                                         .is_move = move};
    if (r != NULL) {
        (void)cap_recording_verb(r, CAP_VERB_CURSOR_SET, &body, sizeof body, NULL, 0);
    }
    enum sl_result result = d->inner->ops->cursor_set(d->inner, scanout_id, c, move);
    tell(r, result, 0);
    if (result == SL_OK && scanout_id < VGD_SCANOUTS) {
        struct cap_verb_cursor *kept = &d->cursors[scanout_id];
        kept->x_px = c->x_px;
        kept->y_px = c->y_px;
        *kept = move ? *kept : body;
    }
    return result;
}

/* --- verbs that are only passed on --- */

static uint32_t capset_count(struct vgd *vgd)
{
    struct vgd *inner = device_of(vgd)->inner;
    return inner->ops->capset_count(inner);
}

static enum sl_result capset_info(struct vgd *vgd, uint32_t index, struct vgd_capset_info *info)
{
    struct vgd *inner = device_of(vgd)->inner;
    return inner->ops->capset_info(inner, index, info);
}

static enum sl_result capset_get(struct vgd *vgd, uint32_t id, uint32_t version, void *data,
                                 size_t size, size_t *used)
{
    struct vgd *inner = device_of(vgd)->inner;
    return inner->ops->capset_get(inner, id, version, data, size, used);
}

static enum sl_result scanout_read(struct vgd *vgd, uint32_t scanout_id, bool with_cursor,
                                   const struct vg_box *part, void *pixels, size_t size,
                                   uint32_t *width_px, uint32_t *height_px)
{
    struct vgd *inner = device_of(vgd)->inner;
    return inner->ops->scanout_read(inner, scanout_id, with_cursor, part, pixels, size, width_px,
                                    height_px);
}

static void describe(struct vgd *vgd, char *text, size_t size)
{
    struct vgd *inner = device_of(vgd)->inner;
    inner->ops->describe(inner, text, size);
}

static enum sl_result ring_stats(struct vgd *vgd, uint32_t ctx_id, uint32_t index,
                                 struct vgd_ring_stats *out)
{
    struct vgd *inner = device_of(vgd)->inner;
    return inner->ops->ring_stats(inner, ctx_id, index, out);
}

static void stats(struct vgd *vgd, struct vgd_stats *out)
{
    struct vgd *inner = device_of(vgd)->inner;
    inner->ops->stats(inner, out);
}

static void tap(struct vgd *vgd, bool on)
{
    struct vgd *inner = device_of(vgd)->inner;
    inner->ops->tap(inner, on);
}

static int poll_fd(struct vgd *vgd)
{
    return device_of(vgd)->due_fd; /* the device behind has nothing to do by itself */
}

static bool rest(struct vgd *vgd, bool on)
{
    struct vgd *inner = device_of(vgd)->inner;
    return inner->ops->rest(inner, on);
}

static enum sl_result ctx_save(struct vgd *vgd, uint32_t ctx_id, const struct vgd_saver *saver)
{
    struct vgd *inner = device_of(vgd)->inner;
    return inner->ops->ctx_save(inner, ctx_id, saver);
}

static void poll_inner(struct vgd *vgd)
{
    struct cap_device *d = device_of(vgd);
    cap_device_poll(d);
    d->inner->ops->poll(d->inner);
}

static void reset(struct vgd *vgd)
{
    struct cap_device *d = device_of(vgd);
    if (d->recording != NULL) {
        (void)cap_recording_verb(d->recording, CAP_VERB_RESET, NULL, 0, NULL, 0);
    }
    cap_device_forget(d); /* before their bytes go */
    d->inner->ops->reset(d->inner);
}

static void destroy(struct vgd *vgd)
{
    if (vgd == NULL) {
        return;
    }
    struct cap_device *d = device_of(vgd);
    reset(vgd);
    d->inner->ops->destroy(d->inner);
    cap_device_destroy(d);
}

const struct vgd_ops cap_device_ops = {
    .capset_count = capset_count,
    .capset_info = capset_info,
    .capset_get = capset_get,
    .ctx_create = ctx_create,
    .ctx_destroy = ctx_destroy,
    .ctx_attach = ctx_attach,
    .ctx_detach = ctx_detach,
    .submit = submit,
    .res_create_tex = res_create_tex,
    .res_create_blob = res_create_blob,
    .res_import = res_import,
    .res_destroy = res_destroy,
    .backing_attach = backing_attach,
    .backing_detach = backing_detach,
    .transfer = transfer,
    .res_map = res_map,
    .res_unmap = res_unmap,
    .res_place = res_place,
    .res_export = res_export,
    .fence = fence,
    .scanout_set = scanout_set,
    .flush = flush,
    .cursor_set = cursor_set,
    .scanout_read = scanout_read,
    .describe = describe,
    .ring_stats = ring_stats,
    .stats = stats,
    .rest = rest,
    .ctx_save = ctx_save,
    .tap = tap,
    .poll_fd = poll_fd,
    .poll = poll_inner,
    .reset = reset,
    .destroy = destroy,
};
