/* What is current where: eglMakeCurrent and its kin. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/host.h"
#include "guest/egl/window.h"
#include "guest/gles_entry.h"
#include "guest/rc_call.h"
#include "transport/base/log.h"
#include "wire/rc_pack.h"

/* Side of the host surface that a context without surface is bound to, where the host cannot do
 * without: stock ones, and ours on a driver that cannot. */
#define PLACEHOLDER_PX 16u

void gegl_surface_resized(struct gegl_surface *surface, uint32_t width_px, uint32_t height_px)
{
    surface->buffer_age = 0;
    surface->width_px = width_px;
    surface->height_px = height_px;
    struct gegl_thread *thread = gegl_thread_peek();
    if (thread != NULL && thread->context != NULL && thread->draw == surface) {
        ggl_surface_size(thread->context->ggl, width_px, height_px);
    }
}

void gegl_viewport(GLint x, GLint y, GLsizei width, GLsizei height)
{
    struct gegl_thread *thread = gegl_thread_peek();
    struct gegl_surface *surface = thread != NULL ? thread->draw : NULL;
    if (surface != NULL && surface->window != NULL && !surface->size_checked) {
        surface->size_checked = true;
        (void)gegl_window_frame_begin(surface, thread); /* the swap reports what is wrong */
    }
    if (thread != NULL && thread->viewport != NULL) {
        thread->viewport(x, y, width, height);
    }
}

static void pixmap_update(struct gegl_thread *thread)
{
    if (thread != NULL && thread->draw != NULL) {
        (void)gegl_pixmap_update(thread->draw, thread); /* GL has no error for it */
    }
}

void gegl_finish(void)
{
    struct gegl_thread *thread = gegl_thread_peek();
    if (thread != NULL && thread->finish != NULL) {
        thread->finish();
        pixmap_update(thread);
    }
}

void gegl_flush(void)
{
    struct gegl_thread *thread = gegl_thread_peek();
    if (thread != NULL && thread->flush != NULL) {
        thread->flush();
        pixmap_update(thread);
    }
}

/* What would become current. */
struct binding {
    struct gegl_context *context;
    struct gegl_surface *draw;
    struct gegl_surface *read;
};

static void unref(struct gegl_object *object)
{
    if (object != NULL) {
        gegl_object_unref(object);
    }
}

static void binding_unref(struct binding *b)
{
    unref(b->context != NULL ? &b->context->base : NULL);
    unref(b->draw != NULL ? &b->draw->base : NULL);
    unref(b->read != NULL ? &b->read->base : NULL);
}

static bool holds(const struct binding *b, const void *object)
{
    return object == NULL || b->context == object || b->draw == object || b->read == object;
}

/* Forget what is current, for `next`; the host knows already. */
static void release(struct gegl_thread *thread, const struct binding *next)
{
    struct binding old = {thread->context, thread->draw, thread->read};
    if (old.context == NULL) {
        return;
    }
    if (old.draw != NULL && old.draw->window != NULL) {
        gegl_window_settle(old.draw->window);
    }
    if (old.read != NULL && old.read->window != NULL) {
        gegl_window_settle(old.read->window);
    }
    ggl_order_leave(old.context->ggl);
    ggl_make_current(NULL, NULL);
    struct gegl_display *display = old.context->base.display;
    pthread_mutex_lock(&display->lock);
    if (!holds(next, old.context)) {
        old.context->thread = NULL;
    }
    if (!holds(next, old.draw)) {
        old.draw->thread = NULL;
    }
    if (!holds(next, old.read)) {
        old.read->thread = NULL;
    }
    pthread_mutex_unlock(&display->lock);
    thread->context = NULL;
    thread->draw = NULL;
    thread->read = NULL;
    binding_unref(&old);
}

/* What was drawn shows elsewhere: in the memory of dma-bufs; of a pbuffer that stops being drawn
 * to, in the texture that it is bound to. */
static void drawn_show(struct gegl_thread *thread)
{
    if (thread->context != NULL) {
        ggl_store_drawn(thread->context->ggl);
    }
    if (thread->draw != NULL && thread->draw->texture_bound && !gs_dead(thread->stream)) {
        rc_pack_rcFlushWindowColorBufferAsync(gs_pack(thread->stream), thread->draw->host_id);
    }
}

void gegl_unbind(struct gegl_thread *thread)
{
    if (thread->context == NULL) {
        return;
    }
    drawn_show(thread);
    /* The answer also says that the host has done everything on this stream: another thread may
     * take the context. */
    if (!gs_dead(thread->stream)) {
        (void)rc_call_rcMakeCurrent(thread->stream, 0, 0, 0);
    }
    release(thread, &(struct binding){0});
}

/* Finds what the handles mean. EGL error; what was found is counted either way. */
static EGLint binding_find(struct gegl_display *display, EGLSurface draw, EGLSurface read,
                           EGLContext context, struct binding *b)
{
    *b = (struct binding){0};
    b->context = gegl_object_find(display, GEGL_CONTEXT, context);
    b->draw = gegl_object_find(display, GEGL_SURFACE, draw);
    b->read = gegl_object_find(display, GEGL_SURFACE, read);
    if (b->context == NULL && context != EGL_NO_CONTEXT) {
        return EGL_BAD_CONTEXT;
    }
    if ((b->draw == NULL && draw != EGL_NO_SURFACE) ||
        (b->read == NULL && read != EGL_NO_SURFACE)) {
        return EGL_BAD_SURFACE;
    }
    bool fits = (draw == EGL_NO_SURFACE) == (read == EGL_NO_SURFACE) &&
                (context != EGL_NO_CONTEXT || draw == EGL_NO_SURFACE);
    return fits ? EGL_SUCCESS : EGL_BAD_MATCH;
}

static bool compatible(const struct gegl_context *context, const struct gegl_surface *surface)
{
    return gegl_config_get(&context->config, EGL_CONFIG_ID) == 0 ||
           context->config.host_index == surface->config.host_index;
}

/* Whether it may become current here; if so, it is this thread's from now on. EGL error. */
static EGLint binding_claim(struct gegl_display *display, struct gegl_thread *thread,
                            const struct binding *b)
{
    if (b->draw != NULL && (!compatible(b->context, b->draw) || !compatible(b->context, b->read))) {
        return EGL_BAD_MATCH;
    }
    EGLint error = EGL_SUCCESS;
    pthread_mutex_lock(&display->lock);
    if ((b->context->thread != NULL && b->context->thread != thread) ||
        (b->draw != NULL && b->draw->thread != NULL && b->draw->thread != thread) ||
        (b->read != NULL && b->read->thread != NULL && b->read->thread != thread)) {
        error = EGL_BAD_ACCESS;
    } else {
        b->context->thread = thread;
        if (b->draw != NULL) {
            b->draw->thread = thread;
            b->read->thread = thread;
        }
    }
    pthread_mutex_unlock(&display->lock);
    return error;
}

/* Undo a claim, except for what is current on the thread. */
static void binding_unclaim(struct gegl_display *display, struct gegl_thread *thread,
                            const struct binding *b)
{
    pthread_mutex_lock(&display->lock);
    if (b->context != thread->context) {
        b->context->thread = NULL;
    }
    if (b->draw != NULL && b->draw != thread->draw && b->draw != thread->read) {
        b->draw->thread = NULL;
    }
    if (b->read != NULL && b->read != thread->draw && b->read != thread->read) {
        b->read->thread = NULL;
    }
    pthread_mutex_unlock(&display->lock);
}

static EGLint placeholder_make(struct gegl_context *context, struct gs_stream *stream)
{
    if (context->placeholder == 0) {
        context->placeholder = rc_call_rcCreateWindowSurface(stream, context->surface_config,
                                                             PLACEHOLDER_PX, PLACEHOLDER_PX);
    }
    return context->placeholder != 0 ? EGL_SUCCESS
           : gs_dead(stream)         ? EGL_CONTEXT_LOST
                                     : EGL_BAD_ALLOC;
}

/* Tells the host. EGL error. */
static EGLint binding_send(struct gegl_display *display, struct gegl_thread *thread,
                           const struct binding *b)
{
    struct gs_stream *stream;
    EGLint error = gegl_stream_get(display, &stream);
    if (error != EGL_SUCCESS) {
        return error;
    }
    if (!gegl_object_here(&b->context->base, thread)) {
        return EGL_CONTEXT_LOST; /* with the host that had it */
    }
    uint32_t draw, read;
    if (b->draw == NULL) {
        if (stream->device->own && b->context->placeholder == 0 &&
            rc_call_rcMakeCurrent(stream, b->context->host_id, 0, 0)) {
            return gegl_stream_lost(thread, display) ? EGL_CONTEXT_LOST : EGL_SUCCESS;
        }
        error = placeholder_make(b->context, stream);
        draw = read = b->context->placeholder;
    } else {
        error = gegl_surface_renew(b->draw, thread);
        error = error == EGL_SUCCESS ? gegl_surface_renew(b->read, thread) : error;
        draw = b->draw->host_id;
        read = b->read->host_id;
        if (error == EGL_SUCCESS && b->draw->window != NULL) {
            error = gegl_window_frame_begin(b->draw, thread);
        }
        if (error == EGL_SUCCESS && b->read->window != NULL) {
            error = gegl_window_frame_begin(b->read, thread);
        }
    }
    if (error != EGL_SUCCESS) {
        gegl_host_catch_up(stream); /* a surface may have got a buffer, and both may go now */
        return error;
    }
    EGLint ok = rc_call_rcMakeCurrent(stream, b->context->host_id, draw, read);
    if (gegl_stream_lost(thread, display)) {
        return EGL_CONTEXT_LOST;
    }
    if (!ok) {
        sl_warn("egl", "the host refuses to make context %u current with surfaces %u and %u",
                b->context->host_id, draw, read);
        return EGL_BAD_MATCH;
    }
    return EGL_SUCCESS;
}

static EGLBoolean bind(struct gegl_display *display, struct gegl_thread *thread, struct binding *b)
{
    EGLint error = binding_claim(display, thread, b);
    if (error != EGL_SUCCESS) {
        return gegl_fail(error);
    }
    drawn_show(thread);
    error = binding_send(display, thread, b);
    if (error != EGL_SUCCESS) {
        binding_unclaim(display, thread, b);
        return gegl_fail(error);
    }
    release(thread, b);
    pthread_mutex_lock(&display->lock);
    b->context->render_buffer = b->draw == NULL                   ? EGL_NONE
                                : b->draw->type == EGL_PIXMAP_BIT ? EGL_SINGLE_BUFFER
                                                                  : EGL_BACK_BUFFER;
    pthread_mutex_unlock(&display->lock);
    thread->context = b->context;
    thread->draw = b->draw;
    thread->read = b->read;
    thread->finish = (void (*)(void))ggl_proc_find("glFinish")->fn;
    thread->flush = (void (*)(void))ggl_proc_find("glFlush")->fn;
    thread->viewport = (void (*)(GLint, GLint, GLsizei, GLsizei))ggl_proc_find("glViewport")->fn;
    ggl_make_current(b->context->ggl, thread->stream);
    ggl_surface_size(b->context->ggl, b->draw != NULL ? b->draw->width_px : 0,
                     b->draw != NULL ? b->draw->height_px : 0);
    *b = (struct binding){0}; /* the counts are the thread's now */
    return gegl_done();
}

static EGLBoolean make_current(struct gegl_display *display, struct gegl_thread *thread,
                               struct binding *b)
{
    if (b->context == NULL) { /* also of what is lost: glvnd would have it current for ever */
        gegl_unbind(thread);
        return gegl_done();
    }
    if (thread->context == b->context && thread->draw == b->draw && thread->read == b->read) {
        gs_flush(thread->stream);
        return gegl_stream_lost(thread, display) ? gegl_fail(EGL_CONTEXT_LOST) : gegl_done();
    }
    return bind(display, thread, b);
}

EGLBoolean gegl_MakeCurrent(EGLDisplay handle, EGLSurface draw, EGLSurface read, EGLContext context)
{
    struct gegl_thread *thread = gegl_thread();
    if (thread == NULL) {
        return EGL_FALSE;
    }
    struct gegl_display *display = gegl_display_find(handle);
    if (display == NULL || !gegl_display_ready(display)) {
        /* Letting go is allowed on a display that was terminated. */
        if (display != NULL && context == EGL_NO_CONTEXT && draw == EGL_NO_SURFACE &&
            read == EGL_NO_SURFACE) {
            gegl_unbind(thread);
            return gegl_done();
        }
        return gegl_fail(EGL_BAD_DISPLAY);
    }
    struct binding b;
    EGLint error = binding_find(display, draw, read, context, &b);
    EGLBoolean ok = error == EGL_SUCCESS ? make_current(display, thread, &b) : gegl_fail(error);
    binding_unref(&b);
    return ok;
}

EGLContext gegl_GetCurrentContext(void)
{
    struct gegl_thread *thread = gegl_thread_peek();
    return thread != NULL && thread->context != NULL ? gegl_object_handle(&thread->context->base)
                                                     : EGL_NO_CONTEXT;
}

EGLDisplay gegl_GetCurrentDisplay(void)
{
    struct gegl_thread *thread = gegl_thread_peek();
    return thread != NULL && thread->context != NULL ? (EGLDisplay)thread->context->base.display
                                                     : EGL_NO_DISPLAY;
}

EGLSurface gegl_GetCurrentSurface(EGLint which)
{
    struct gegl_thread *thread = gegl_thread_peek();
    if (which != EGL_DRAW && which != EGL_READ) {
        gegl_fail(EGL_BAD_PARAMETER);
        return EGL_NO_SURFACE;
    }
    const struct gegl_surface *surface = thread == NULL      ? NULL
                                         : which == EGL_DRAW ? thread->draw
                                                             : thread->read;
    return surface != NULL ? gegl_object_handle(&surface->base) : EGL_NO_SURFACE;
}

EGLBoolean gegl_ReleaseThread(void)
{
    struct gegl_thread *thread = gegl_thread_peek();
    if (thread != NULL) {
        gegl_unbind(thread);
        gegl_stream_drop(thread);
        thread->api = EGL_OPENGL_ES_API;
        thread->error = EGL_SUCCESS;
        thread->label = NULL;
    }
    return EGL_TRUE;
}

EGLBoolean gegl_BindAPI(EGLenum api)
{
    struct gegl_thread *thread = gegl_thread();
    if (api != EGL_OPENGL_ES_API) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    if (thread != NULL) {
        thread->api = api;
    }
    return gegl_done();
}

EGLenum gegl_QueryAPI(void)
{
    const struct gegl_thread *thread = gegl_thread_peek();
    return thread != NULL ? thread->api : EGL_OPENGL_ES_API;
}

EGLint gegl_GetError(void)
{
    struct gegl_thread *thread = gegl_thread_peek();
    if (thread == NULL) {
        return EGL_SUCCESS;
    }
    EGLint error = thread->error;
    thread->error = EGL_SUCCESS;
    return error;
}

/* Something is current, but the program can no longer name it, or it draws nowhere: Mesa fails to
 * wait for that. */
static bool current_is_bad(const struct gegl_thread *thread)
{
    return !gegl_object_alive(&thread->context->base) || thread->draw == NULL ||
           !gegl_object_alive(&thread->draw->base);
}

EGLBoolean gegl_WaitClient(void)
{
    struct gegl_thread *thread = gegl_thread_peek();
    if (thread == NULL || thread->context == NULL) {
        return gegl_done();
    }
    if (current_is_bad(thread)) {
        return gegl_fail(EGL_BAD_CURRENT_SURFACE);
    }
    if (gegl_stream_lost(thread, thread->context->base.display)) {
        return gegl_fail(EGL_CONTEXT_LOST);
    }
    ggl_store_drawn(thread->context->ggl);
    ggl_finish(thread->context->ggl);
    if (thread->draw != NULL && thread->draw->window != NULL) {
        EGLint error = gegl_pixmap_update(thread->draw, thread);
        if (error != EGL_SUCCESS) {
            return gegl_fail(error);
        }
        gegl_window_drain(thread->draw->window);
        if (gegl_stream_lost(thread, thread->context->base.display)) { /* before it was shown */
            return gegl_fail(EGL_CONTEXT_LOST);
        }
    }
    return gegl_done();
}

EGLBoolean gegl_WaitGL(void)
{
    return gegl_WaitClient();
}

EGLBoolean gegl_WaitNative(EGLint engine)
{
    struct gegl_thread *thread = gegl_thread_peek();
    if (thread == NULL || thread->context == NULL) {
        return gegl_done();
    }
    if (current_is_bad(thread)) {
        return gegl_fail(EGL_BAD_CURRENT_SURFACE);
    }
    return engine == EGL_CORE_NATIVE_ENGINE ? gegl_done() : gegl_fail(EGL_BAD_PARAMETER);
}
