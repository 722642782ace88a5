/* Drawing on colour buffers, which are images of dma-bufs. The host draws into a texture of its
 * own; the buffer's memory, which a display or another process looks at, gets that by
 * glStoreDrawnSLUICE. It goes out before the program draws elsewhere and before whatever lets
 * others look (a flush, a fence, a swap), and these wait for it: to the guest's kernel the buffer
 * is never busy. */
#include "guest/gles/ggl_objects.h"

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

void ggl_store_begins(struct ggl_context *c, GLenum target, uint32_t name)
{
    static char present;
    sl_atomic_store_relaxed(&c->share->has_targets, 1); /* ggl_stores */
    pthread_mutex_lock(&c->share->lock);
    /* Without memory what is written otherwise stays in the texture. */
    (void)!sl_map_set_in(&c->share->targets, target, name, &present);
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
    bool known = sl_map_remove_in(&c->share->targets, target, name) != NULL;
    pthread_mutex_unlock(&c->share->lock);
    if (known) {
        ggl_store_send(c);
    }
    if (known && ggl_has(c, GGL_FEATURE_TARGETS)) {
        glesx_pack_glStoreTargetSLUICE(ggl_pack(c), target, name, GL_TRUE);
    }
}

void ggl_store_drawn(struct ggl_context *c)
{
    ggl_store_leave(c);
    if (c->store_is_awaited) {
        c->store_is_awaited = false;
        (void)gles2_call_glFinishRoundTrip(c->stream);
        mark(c);
    }
}

void ggl_store_kept(struct ggl_context *c)
{
    if (ggl_stores(c)) {
        mark(c);
    }
}
