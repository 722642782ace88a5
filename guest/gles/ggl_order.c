/* What one thread of a share group wrote, and another one uses.
 *
 * Each thread has a ring of its own, and the host runs rings side by side: what was sent first is
 * not done first. Drivers in a program's own process do what is called first, so programs tell
 * another thread of a texture after no more than a flush, and of an upload at once. So whoever
 * flushes, or writes to textures and buffers, has the host say how far it is (slSignal) and notes
 * that in the group; who uses anything afterwards waits for that, mostly for nothing. Nobody waits
 * who is alone in its group, or whose group's others have told nothing new. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/clock.h"
#include "wire/sl_pack.h"

/* A host that is stuck in the other ring, as by a wait for what this one has yet to send. */
#define PATIENCE_NS ((int64_t)SL_NS_PER_S)

/* The place of the stream's page, or of none yet; GGL_TOLD: there is no room. */
static uint32_t place_locked(const struct ggl_share *share, const struct asg_page *page)
{
    uint32_t i = 0;
    while (i < GGL_TOLD && share->told[i].page != page) {
        i++;
    }
    for (uint32_t k = 0; i == GGL_TOLD && k < GGL_TOLD; k++) {
        if (share->told[k].page == NULL) {
            return k;
        }
    }
    return i;
}

void ggl_order_note(struct ggl_context *c)
{
    struct ggl_share *share = c->share;
    struct gs_stream *stream = c->stream;
    if (!ggl_has(c, GGL_FEATURE_SIGNAL)) {
        ggl_settle(c);
        return;
    }
    uint32_t value = ++stream->signal;
    sl_pack_slSignal(ggl_pack(c), value);
    gs_flush(stream);
    pthread_mutex_lock(&share->lock);
    uint32_t at = place_locked(share, stream->ring.page), turn = share->order + 1;
    if (at < GGL_TOLD) {
        share->told[at] = (struct ggl_told){stream->ring.page, value, turn};
        c->order_seen += c->order_seen == share->order;
        sl_atomic_store_relaxed(&share->order, turn); /* the program orders it for others */
    }
    pthread_mutex_unlock(&share->lock);
    if (at == GGL_TOLD) {
        ggl_settle(c);
    }
}

void ggl_order_await(struct ggl_context *c)
{
    struct ggl_share *share = c->share;
    struct gs_stream *stream = c->stream;
    /* Under the lock: a page stays while it is told of. What is waited for was sent before. */
    pthread_mutex_lock(&share->lock);
    for (uint32_t i = 0; i < GGL_TOLD; i++) {
        const struct ggl_told *t = &share->told[i];
        if (t->page != NULL && t->page != stream->ring.page &&
            (int32_t)(t->turn - c->order_seen) > 0) {
            const struct asg_signal signal = {.page = t->page,
                                              .shared_futex = stream->device->shared_futex};
            (void)!asg_signal_wait(&signal, t->value, PATIENCE_NS);
        }
    }
    c->order_seen = share->order;
    pthread_mutex_unlock(&share->lock);
}

void ggl_order_leave(struct ggl_context *c)
{
    struct ggl_share *share = c->share;
    if (c->stream == NULL) {
        return;
    }
    pthread_mutex_lock(&share->lock);
    uint32_t at = place_locked(share, c->stream->ring.page);
    if (at < GGL_TOLD) {
        share->told[at] = (struct ggl_told){0};
    }
    pthread_mutex_unlock(&share->lock);
}

void ggl_order_enter(struct ggl_context *c)
{
    struct ggl_share *share = c->share;
    pthread_mutex_lock(&share->lock);
    if (share->stream == NULL) {
        share->stream = c->stream;
    } else if (share->stream != c->stream) {
        sl_atomic_store_relaxed(&share->is_threaded, 1);
    }
    pthread_mutex_unlock(&share->lock);
}
