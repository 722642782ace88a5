/* Window surfaces: host pbuffers that follow the size of the colour buffer they are flushed into.
 */
#include "host/rc/hrc_internal.h"

#include "transport/base/mem.h"

#define SIDE_MAX 16384u

static EGLSurface pbuffer(const struct hs_native *n, uint32_t config, uint32_t colorspace,
                          uint32_t width, uint32_t height)
{
    const EGLint attribs[] = {EGL_WIDTH,
                              (EGLint)width,
                              EGL_HEIGHT,
                              (EGLint)height,
                              colorspace != 0 ? EGL_GL_COLORSPACE_KHR : EGL_NONE,
                              (EGLint)colorspace,
                              EGL_NONE};
    return n->egl.CreatePbufferSurface(n->display, n->configs[config].config, attribs);
}

static uint64_t surface_bytes(const struct hs_native *n, uint32_t config, uint32_t width,
                              uint32_t height)
{
    return (uint64_t)width * height * (n->configs[config].is_float ? 8 : 4);
}

/* Accounts for `now` bytes instead of `before`. */
static bool charge(struct hrc_client *c, uint64_t before, uint64_t now)
{
    pthread_mutex_lock(&c->lock);
    bool ok = now <= before || now - before <= HRC_SURFACE_BYTES_MAX - c->surface_bytes;
    if (ok) {
        c->surface_bytes += now - before;
    }
    pthread_mutex_unlock(&c->lock);
    return ok;
}

void hrc_surface_destroy(struct hrc_client *client, struct hrc_surface *surface)
{
    const struct hs_native *n = client->native;
    n->egl.DestroySurface(n->display, surface->egl);
    (void)charge(client, surface_bytes(n, surface->config, surface->width, surface->height), 0);
    hs_put(surface->target);
    ho_put(surface->last);
    sl_free(surface);
}

/* 0: refused; *error: EGL's. */
static uint32_t surface_create(struct hr_call *call, uint32_t config, uint32_t colorspace,
                               uint32_t width, uint32_t height, EGLint *error)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    const struct hs_native *n = c->native;
    *error = EGL_BAD_ALLOC;
    width = width != 0 ? width : 1;
    height = height != 0 ? height : 1;
    if (n == NULL || config >= n->config_count || width > SIDE_MAX || height > SIDE_MAX) {
        hr_call_refuse(call, "config %u, %ux%u", config, width, height);
        return 0;
    }
    uint64_t bytes = surface_bytes(n, config, width, height);
    if (!charge(c, 0, bytes)) {
        hr_call_refuse(call, "surfaces of more than %llu bytes",
                       (unsigned long long)HRC_SURFACE_BYTES_MAX);
        return 0;
    }
    struct hrc_surface *s = sl_alloc(sizeof *s);
    EGLSurface egl = s != NULL ? pbuffer(n, config, colorspace, width, height) : EGL_NO_SURFACE;
    if (egl == EGL_NO_SURFACE) {
        (void)charge(c, bytes, 0);
        *error = s != NULL ? n->egl.GetError() : EGL_BAD_ALLOC;
        sl_free(s);
        hr_call_refuse(call, "no pbuffer of %ux%u: EGL error 0x%x", width, height,
                       (unsigned)*error);
        return 0;
    }
    *s = (struct hrc_surface){
        .egl = egl, .config = config, .colorspace = colorspace, .width = width, .height = height};
    uint32_t id;
    if (ho_add(&c->objects, HRC_SURFACE, s, NULL, &id) != SL_OK) {
        hrc_surface_destroy(c, s);
        hr_call_refuse(call, "too many objects");
        return 0;
    }
    return id;
}

uint32_t hrc_rcCreateWindowSurface(struct hr_call *call,
                                   const struct rc_args_rcCreateWindowSurface *args)
{
    EGLint error;
    return surface_create(call, args->config, 0, args->width, args->height, &error);
}

uint32_t hrc_slCreateSurface(struct hr_call *call, const struct sl_args_slCreateSurface *args)
{
    EGLint error;
    uint32_t id =
        surface_create(call, args->config, args->colorspace, args->width, args->height, &error);
    return id != 0 ? id : (uint32_t)error;
}

void hrc_rcDestroyWindowSurface(struct hr_call *call,
                                const struct rc_args_rcDestroyWindowSurface *args)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    if (!ho_remove(&c->objects, HRC_SURFACE, args->windowSurface)) {
        hr_call_refuse(call, "unknown surface 0x%x", args->windowSurface);
    }
}

bool hrc_surface_fit(struct hrc_thread *thread, struct hrc_surface *surface)
{
    struct hrc_client *c = thread->client;
    const struct hs_native *n = c->native;
    pthread_mutex_lock(&c->lock);
    uint32_t width = surface->target != NULL ? surface->target->width : surface->width;
    uint32_t height = surface->target != NULL ? surface->target->height : surface->height;
    uint32_t old_width = surface->width, old_height = surface->height;
    bool elsewhere = surface->bound != NULL && surface->bound != thread;
    pthread_mutex_unlock(&c->lock);
    if (width == old_width && height == old_height) {
        return true;
    }
    uint64_t before = surface_bytes(n, surface->config, old_width, old_height),
             now = surface_bytes(n, surface->config, width, height);
    if (elsewhere || !charge(c, before, now)) {
        return false;
    }
    EGLSurface egl = pbuffer(n, surface->config, surface->colorspace, width, height),
               old = surface->egl;
    bool ok = egl != EGL_NO_SURFACE;
    if (ok && (thread->gl.draw == old || thread->gl.read == old)) {
        ok = hs_thread_bind(&thread->gl, thread->gl.context,
                            thread->gl.draw == old ? egl : thread->gl.draw,
                            thread->gl.read == old ? egl : thread->gl.read);
    }
    if (!ok) {
        if (egl != EGL_NO_SURFACE) {
            n->egl.DestroySurface(n->display, egl);
        }
        (void)charge(c, now, before);
        return false;
    }
    pthread_mutex_lock(&c->lock);
    surface->egl = egl;
    surface->width = width;
    surface->height = height;
    pthread_mutex_unlock(&c->lock);
    n->egl.DestroySurface(n->display, old);
    return true;
}

void hrc_rcSetWindowColorBuffer(struct hr_call *call,
                                const struct rc_args_rcSetWindowColorBuffer *args)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    struct hrc_client *c = thread->client;
    struct ho_object *object = ho_get(&c->objects, HRC_SURFACE, args->windowSurface);
    struct hs_buffer *target = args->colorBuffer != 0 ? hrc_buffer(c, args->colorBuffer) : NULL;
    if (object == NULL ||
        (args->colorBuffer != 0 && (target == NULL || target->kind != HS_COLOR))) {
        hr_call_refuse(call, "surface 0x%x, colour buffer %u: unknown", args->windowSurface,
                       args->colorBuffer);
        hs_put(target);
        ho_put(object);
        return;
    }
    struct hrc_surface *s = object->value;
    pthread_mutex_lock(&c->lock);
    struct hs_buffer *old = s->target;
    s->target = target;
    bool here = s->bound == thread;
    pthread_mutex_unlock(&c->lock);
    hs_put(old);
    if (here && !hrc_surface_fit(thread, s)) {
        hr_call_refuse(call, "no pbuffer of %ux%u", target->width, target->height);
    }
    ho_put(object);
}

/* A frame is complete: whoever records is told, with the picture when that is asked for. */
static void tell_frame(struct hr_call *call, struct hrc_thread *thread, struct hs_buffer *target)
{
    bool wants_pixels;
    if (!hr_ring_wants_frame(call->ring, &wants_pixels)) {
        return;
    }
    size_t size = (size_t)target->width * target->height * 4;
    uint8_t *pixels = wants_pixels ? sl_alloc(size) : NULL;
    bool has_pixels = pixels != NULL && hs_picture(target, &thread->gl, pixels);
    hr_ring_frame(call->ring, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH,
                                                  .surface = target->handle,
                                                  .width_px = target->width,
                                                  .height_px = target->height,
                                                  .pixels = has_pixels ? pixels : NULL});
    sl_free(pixels);
}

/* Who waits for the picture wakes up while the rest of it is copied. */
static void wake_guest(void *user)
{
    hr_ring_signal_near(user);
}

/* The surface is current here. */
static bool flush_here(struct hr_call *call, struct hrc_thread *thread, struct hrc_surface *s)
{
    const struct hrc_context *context = hrc_current(thread);
    const struct hs_native *n = thread->client->native;
    pthread_mutex_lock(&thread->client->lock);
    struct hs_buffer *target = s->target != NULL ? hs_ref(s->target) : NULL;
    uint32_t width = s->width, height = s->height;
    pthread_mutex_unlock(&thread->client->lock);
    if (target == NULL) {
        return true; /* nothing attached: nothing to do, as the wire says */
    }
    const struct hs_reader reader = {.gl = context->is_gles1 ? n->gl1 : n->gl,
                                     .gles_version = context->gles_version,
                                     .is_float = n->configs[s->config].is_float,
                                     .on_nearly =
                                         hr_ring_signal_awaited(call->ring) ? wake_guest : NULL,
                                     .user = call->ring};
    const struct hrc_hooks *hooks = thread->client->hooks;
    if (hooks->hands_over != NULL) {
        hooks->hands_over(thread, call->opcode, false);
    }
    bool ok = hs_flush(target, &thread->gl, &reader, width, height);
    if (ok) {
        tell_frame(call, thread, target);
    }
    if (hooks->goes_on != NULL) {
        hooks->goes_on(thread);
    }
    hs_put(target);
    return ok;
}

static bool flush_surface(struct hr_call *call, uint32_t id)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    struct hrc_client *c = thread->client;
    struct ho_object *object = ho_get(&c->objects, HRC_SURFACE, id);
    bool ok = false;
    if (object != NULL && object == thread->draw && object == thread->read) {
        ok = flush_here(call, thread, object->value);
    } else if (object != NULL) {
        /* Current elsewhere, or only drawn into here: with the context that it was last current
         * with, if that is free. */
        struct hrc_surface *s = object->value;
        pthread_mutex_lock(&c->lock);
        struct ho_object *last = s->last != NULL ? ho_ref(s->last) : NULL;
        pthread_mutex_unlock(&c->lock);
        struct ho_object *was[] = {thread->context, thread->draw, thread->read};
        for (uint32_t i = 0; i < 3 && was[i] != NULL; i++) {
            ho_ref(was[i]);
        }
        if (last == NULL) {
            ok = true; /* nobody ever drew into it */
        } else if (hrc_make_current(thread, last, object, object)) {
            ok = flush_here(call, thread, s);
            (void)hrc_make_current(thread, was[0], was[1], was[2]);
        }
        for (uint32_t i = 0; i < 3; i++) {
            ho_put(was[i]);
        }
        ho_put(last);
    }
    if (!ok) {
        hr_call_refuse(call, "surface 0x%x: unknown, or its context is current elsewhere", id);
    }
    ho_put(object);
    return ok;
}

int32_t hrc_rcFlushWindowColorBuffer(struct hr_call *call,
                                     const struct rc_args_rcFlushWindowColorBuffer *args)
{
    return flush_surface(call, args->windowSurface) ? 0 : -1;
}

void hrc_rcFlushWindowColorBufferAsync(struct hr_call *call,
                                       const struct rc_args_rcFlushWindowColorBufferAsync *args)
{
    (void)flush_surface(call, args->windowSurface);
}

void hrc_rcFlushWindowColorBufferAsyncWithFrameNumber(
    struct hr_call *call, const struct rc_args_rcFlushWindowColorBufferAsyncWithFrameNumber *args)
{
    (void)flush_surface(call, args->windowSurface); /* the number is for tracing only */
}

void hrc_rcFBSetSwapInterval(struct hr_call *call, const struct rc_args_rcFBSetSwapInterval *args)
{
    /* The guest paces its own presentation. */
    (void)call;
    (void)args;
}

void hrc_slSignal(struct hr_call *call, const struct sl_args_slSignal *args)
{
    hr_ring_signal(call->ring, args->value);
}

void hrc_slStaged(struct hr_call *call, const struct sl_args_slStaged *args)
{
    const struct hr_staged staged = {.offset = args->offset,
                                     .size = args->size,
                                     .at = args->at,
                                     .packet = args->packet,
                                     .bytes = args->packet_size};
    hr_call_staged(call, &staged);
}
