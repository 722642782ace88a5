/* Drawing on colour buffers, which are images of dma-bufs. The host draws into a texture of its
 * own; the buffer's memory, which a display or another process looks at, gets that by
 * glStoreDrawnSLUICE. It goes out before the program draws elsewhere and before whatever lets
 * others look (a flush, a fence, a swap), and these wait for it: to the guest's kernel the buffer
 * is never busy. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"
#include "transport/virtgpu/vg.h"

/* As many as the host notes of a ring. */
enum { STORED = 16 };

static void mark(struct ggl_context *c)
{
    c->stored_cur = gs_pack(c->stream)->cur;
    c->stored_published = c->stream->ring.published;
}

/* What was written by name, not by drawing. */
static void send_written(struct ggl_context *c)
{
    for (uint32_t i = 0; i < c->written_count && !gs_dead(c->stream); i++) {
        glesx_pack_glStoreTargetSLUICE(ggl_pack(c), c->written[i].target, c->written[i].name,
                                       GL_FALSE);
        c->store_is_awaited = true;
    }
    c->written_count = 0;
}

void ggl_store_send(struct ggl_context *c)
{
    send_written(c);
    bool is_stored = c->stored_cur == gs_pack(c->stream)->cur &&
                     c->stored_published == c->stream->ring.published;
    if (c->draw_framebuffer != 0 && !is_stored && !gs_dead(c->stream)) {
        glesx_pack_glStoreDrawnSLUICE(ggl_pack(c));
        c->store_is_awaited = true;
        mark(c);
    }
}

/* --- which textures and renderbuffers are of colour buffers --- */

struct ggl_export *ggl_export_new(struct vg_res *res, uint32_t width_px, uint32_t height_px)
{
    struct ggl_export *e = sl_alloc(sizeof *e);
    if (e == NULL) {
        vg_res_destroy(res);
        return NULL;
    }
    *e = (struct ggl_export){.refs = 1, .res = res, .width_px = width_px, .height_px = height_px};
    return e;
}

void ggl_export_show(const struct ggl_export *e)
{
    const struct vg_ops *ops = e->res->vg->ops;
    const struct vg_box all = {.width = e->width_px, .height = e->height_px, .depth = 1};
    (void)!ops->res_transfer(e->res, &all, VG_FROM_HOST); /* fails where the device is gone */
}

void ggl_export_put(struct ggl_export *e)
{
    /* Whoever is last comes behind all others' uses: the subtraction is a full barrier. */
    if (e != NULL && sl_atomic_add(&e->refs, UINT32_MAX) == 1) {
        vg_res_destroy(e->res);
        sl_free(e);
    }
}

/* In share.targets: of a colour buffer that is not ours to keep. */
static struct ggl_export imported;

struct ggl_export *ggl_export_find(struct ggl_context *c, uint32_t target, uint32_t name)
{
    pthread_mutex_lock(&c->share->lock);
    struct ggl_export *e = sl_map_find_in(&c->share->targets, target, name);
    e = e != &imported ? e : NULL;
    if (e != NULL) {
        sl_atomic_add(&e->refs, 1); /* the map's is there under the lock; orders nothing */
    }
    pthread_mutex_unlock(&c->share->lock);
    return e;
}

bool ggl_export_begins(struct ggl_context *c, uint32_t target, uint32_t name, struct ggl_export *e)
{
    sl_atomic_store_relaxed(&c->share->has_targets, 1); /* ggl_stores */
    sl_atomic_store_relaxed(&c->share->has_exports, 1); /* the same */
    pthread_mutex_lock(&c->share->lock);
    bool ok = sl_map_set_in(&c->share->targets, target, name, e) == SL_OK;
    if (ok) {
        sl_atomic_add(&e->refs, 1); /* as above */
    }
    pthread_mutex_unlock(&c->share->lock);
    return ok;
}

void ggl_targets_finish(struct ggl_share *share)
{
    uint32_t cursor = 0;
    for (struct ggl_export *e; (e = sl_map_next(&share->targets, &cursor, NULL)) != NULL;) {
        ggl_export_put(e != &imported ? e : NULL);
    }
    sl_map_finish(&share->targets);
}

void ggl_store_begins(struct ggl_context *c, GLenum target, uint32_t name)
{
    sl_atomic_store_relaxed(&c->share->has_targets, 1); /* ggl_stores */
    pthread_mutex_lock(&c->share->lock);
    /* Without memory what is written otherwise stays in the texture. */
    (void)!sl_map_set_in(&c->share->targets, target, name, &imported);
    pthread_mutex_unlock(&c->share->lock);
}

void ggl_store_writes(struct ggl_context *c, GLenum target, uint32_t name)
{
    pthread_mutex_lock(&c->share->lock);
    bool known = sl_map_find_in(&c->share->targets, target, name) != NULL;
    pthread_mutex_unlock(&c->share->lock);
    for (uint32_t i = 0; known && i < c->written_count; i++) {
        known = c->written[i].target != target || c->written[i].name != name;
    }
    if (!known || !ggl_has(c, GGL_FEATURE_TARGETS)) {
        return;
    }
    if (c->written_count == GGL_WRITTEN) {
        send_written(c);
    }
    c->written[c->written_count++] = (struct ggl_written){target, name};
}

void ggl_store_ends(struct ggl_context *c, GLenum target, uint32_t name)
{
    pthread_mutex_lock(&c->share->lock);
    struct ggl_export *e = sl_map_remove_in(&c->share->targets, target, name);
    pthread_mutex_unlock(&c->share->lock);
    if (e != NULL) {
        ggl_store_send(c);
    }
    if (e != NULL && ggl_has(c, GGL_FEATURE_TARGETS)) {
        glesx_pack_glStoreTargetSLUICE(ggl_pack(c), target, name, GL_TRUE);
    }
    if (e != NULL && e != &imported) {
        ggl_finish(c); /* the host writes to that memory no more */
        ggl_export_put(e);
    }
}

/* Waits for what was stored, and shows of the group's exports those that got something. */
static void exports_show(struct ggl_context *c)
{
    uint32_t list[STORED] = {0}, cursor = 0;
    uint32_t count = glesx_call_glStoredSLUICE(c->stream, (GLsizei)sizeof list, list, sizeof list);
    pthread_mutex_lock(&c->share->lock);
    for (struct ggl_export *e;
         count != 0 && (e = sl_map_next(&c->share->targets, &cursor, NULL)) != NULL;) {
        bool is_stored = e != &imported && count > STORED;
        for (uint32_t i = 0; e != &imported && i < count && i < STORED; i++) {
            is_stored = is_stored || list[i] == e->res->id;
        }
        if (is_stored) {
            ggl_export_show(e);
        }
    }
    pthread_mutex_unlock(&c->share->lock);
}

void ggl_store_drawn(struct ggl_context *c)
{
    ggl_store_leave(c);
    if (c->store_is_awaited) {
        c->store_is_awaited = false;
        if (sl_atomic_load_relaxed(&c->share->has_exports)) { /* as has_targets */
            exports_show(c);
        } else {
            (void)gles2_call_glFinishRoundTrip(c->stream);
        }
        mark(c);
    }
}

void ggl_store_kept(struct ggl_context *c)
{
    if (ggl_stores(c)) {
        mark(c);
    }
}
