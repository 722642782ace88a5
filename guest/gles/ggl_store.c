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

void ggl_store_send(struct ggl_context *c)
{
    bool is_stored = c->stored_cur == gs_pack(c->stream)->cur &&
                     c->stored_published == c->stream->ring.published;
    if (c->draw_framebuffer != 0 && !is_stored && !gs_dead(c->stream)) {
        glesx_pack_glStoreDrawnSLUICE(ggl_pack(c));
        c->store_is_awaited = true;
        mark(c);
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
