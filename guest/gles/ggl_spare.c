/* Names in reserve: glGen* asks our own host for more of them each time, up to GGL_SPARES, and most
 * calls take theirs from what is left of an earlier answer.
 *
 * Of those kinds alone whose name is nothing before it is bound or used. Samplers, queries,
 * transform feedbacks and pipelines are something as soon as they have a name (glIsSampler, errors
 * of names that nobody was given), and shaders and programs are made at once, with types, in one
 * row of names: drivers would show what is in reserve. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

/* Which names ggl_spare_use looks for. The share group's lock is held. */
static void note_range_locked(struct ggl_spare *s)
{
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t i = s->begin; i < s->end; i++) {
        least = s->names[i] < least ? s->names[i] : least;
        most = s->names[i] > most ? s->names[i] : most;
    }
    /* Hints for the calling thread; others' calls on the same names are the program's to order. */
    sl_atomic_store_relaxed(&s->least, least);
    sl_atomic_store_relaxed(&s->span, s->begin < s->end ? most - least + 1 : 0);
}

void ggl_spare_drop(struct ggl_context *c, struct ggl_spare *s, uint32_t name)
{
    pthread_mutex_lock(&c->share->lock);
    for (uint32_t i = s->begin; i < s->end; i++) {
        if (s->names[i] == name) { /* drivers count on from it, too */
            s->begin = i + 1;
        }
    }
    note_range_locked(s);
    pthread_mutex_unlock(&c->share->lock);
}

static uint32_t take_locked(struct ggl_spare *s, uint32_t count, GLuint *names)
{
    uint32_t there = s->end - s->begin;
    uint32_t taken = there < count ? there : count;
    memcpy(names, s->names + s->begin, taken * sizeof *names);
    s->begin += taken;
    return taken;
}

typedef void (*ask)(struct gs_stream *stream, GLsizei n, void *names, uint32_t size);

static void gen(struct ggl_context *c, enum ggl_spare_kind kind, GLsizei n, GLuint *names, ask host)
{
    struct ggl_spare *s = ggl_spare_of(c, kind);
    if (ggl_stock(c) || !names || n <= 0 || n > GGL_SPARES) {
        uint64_t size = n > 0 ? (uint64_t)n * 4 : 0;
        host(c->stream, n, names, size <= UINT32_MAX / 2 ? (uint32_t)size : 0);
        return;
    }
    uint32_t count = (uint32_t)n;
    pthread_mutex_lock(&c->share->lock);
    uint32_t taken = take_locked(s, count, names);
    if (taken < count) {
        s->batch = s->batch * 2 < GGL_SPARES ? s->batch * 2 : GGL_SPARES;
        s->batch = s->batch > count - taken ? s->batch : count - taken;
        host(c->stream, (GLsizei)s->batch, s->names, s->batch * 4);
        s->begin = 0;
        s->end = s->batch;
        (void)take_locked(s, count - taken, names + taken);
        s->end = s->names[0] != 0 ? s->end : s->begin; /* there was no host */
    }
    note_range_locked(s);
    pthread_mutex_unlock(&c->share->lock);
}

#define GEN(function, kind)                                                                        \
    void ggl_gl##function(GLsizei n, GLuint *names)                                                \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        if (c) {                                                                                   \
            gen(c, kind, n, names, gles2_call_gl##function);                                       \
        }                                                                                          \
    }
GEN(GenTextures, GGL_SPARE_TEXTURE)
GEN(GenRenderbuffers, GGL_SPARE_RENDERBUFFER)
GEN(GenFramebuffers, GGL_SPARE_FRAMEBUFFER)
#undef GEN

void ggl_glGenBuffers(GLsizei n, GLuint *names)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        gen(c, GGL_SPARE_BUFFER, n, names, gles2_call_glGenBuffers);
        ggl_buffers_born(c, n, names);
    }
}

void ggl_spare_gen_vertex_arrays(struct ggl_context *c, GLsizei n, GLuint *arrays)
{
    gen(c, GGL_SPARE_VERTEX_ARRAY, n, arrays, gles2_call_glGenVertexArrays);
}
