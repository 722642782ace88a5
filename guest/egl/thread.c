/* Per-thread state: error, stream, what is current; and what happens to it at thread exit and fork.
 */
#include "guest/egl/gegl.h"

#include "guest/egl/debug.h"
#include "guest/egl/host.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

static _Thread_local struct gegl_thread *this_thread;

/* Process-wide: ends a thread's state at its exit. */
static pthread_key_t exit_key;

static void thread_end(void *user)
{
    struct gegl_thread *thread = user;
    this_thread = thread; /* what runs below asks for the calling thread's state */
    gegl_unbind(thread);
    gegl_stream_drop(thread);
    this_thread = NULL;
    sl_free(thread);
}

/* Runs in the child's only thread: ring, host objects and presenting threads stayed with the
 * parent. */
static void forked(void)
{
    ggl_make_current(NULL, NULL);
    if (this_thread != NULL) {
        *this_thread = (struct gegl_thread){.error = EGL_SUCCESS, .api = this_thread->api};
    }
    gegl_displays_forked();
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum sl_result begun;

static void begin(void)
{
    begun =
        pthread_key_create(&exit_key, thread_end) == 0 && pthread_atfork(NULL, NULL, forked) == 0
            ? SL_OK
            : SL_ERR_NOMEM;
}

enum sl_result gegl_threads_init(void)
{
    pthread_once(&once, begin);
    return begun;
}

struct gegl_thread *gegl_thread_peek(void)
{
    return this_thread;
}

struct gegl_thread *gegl_thread(void)
{
    if (SL_LIKELY(this_thread != NULL)) {
        return this_thread;
    }
    struct gegl_thread *thread = sl_alloc(sizeof *thread);
    if (thread == NULL) {
        return NULL;
    }
    *thread = (struct gegl_thread){.error = EGL_SUCCESS, .api = EGL_OPENGL_ES_API};
    if (pthread_setspecific(exit_key, thread) != 0) {
        sl_free(thread);
        return NULL;
    }
    this_thread = thread;
    return thread;
}

EGLBoolean gegl_fail(EGLint error)
{
    struct gegl_thread *thread = gegl_thread();
    if (thread != NULL) {
        thread->error = error;
    }
    if (error != EGL_SUCCESS && gegl_debug_on()) {
        gegl_debug_report(error);
    }
    return EGL_FALSE;
}

EGLBoolean gegl_done(void)
{
    gegl_fail(EGL_SUCCESS);
    return EGL_TRUE;
}

EGLint gegl_error_of(enum sl_result result)
{
    switch (result) {
    case SL_OK:
        return EGL_SUCCESS;
    case SL_ERR_INVALID:
        return EGL_BAD_PARAMETER;
    case SL_ERR_NOMEM:
    case SL_ERR_AGAIN:
        return EGL_BAD_ALLOC;
    case SL_ERR_NOTFOUND:
    case SL_ERR_UNSUPPORTED:
        return EGL_NOT_INITIALIZED;
    default:
        return EGL_CONTEXT_LOST;
    }
}

void gegl_stream_drop(struct gegl_thread *thread)
{
    if (thread->stream == NULL || thread->context != NULL) {
        return;
    }
    if (!gs_dead(thread->stream)) {
        gegl_host_catch_up(thread->stream);
    }
    gs_stream_destroy(thread->stream);
    gs_device_put(thread->device);
    thread->stream = NULL;
    thread->device = NULL;
}

bool gegl_device_gone(struct gs_device *device)
{
    return sl_atomic_load_relaxed(&device->lost) != 0 || !device->vg->ops->alive(device->vg);
}

EGLint gegl_stream_open(struct gegl_thread *thread, struct gs_device *device)
{
    enum sl_result r = gs_stream_create(device, 0, &thread->stream);
    if (r != SL_OK) {
        thread->stream = NULL;
        return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_CONTEXT_LOST;
    }
    thread->device = gs_device_ref(device);
    return EGL_SUCCESS;
}

EGLint gegl_stream_get(struct gegl_display *display, struct gs_stream **out)
{
    struct gegl_thread *thread = gegl_thread();
    if (thread == NULL) {
        return EGL_BAD_ALLOC;
    }
    struct gs_device *device = gegl_display_device(display);
    if (thread->stream != NULL && (thread->device != device || gs_dead(thread->stream))) {
        if (thread->context != NULL) { /* of a host that is gone: nothing can be made beside it */
            gs_device_put(device);
            return EGL_CONTEXT_LOST;
        }
        gegl_stream_drop(thread);
    }
    EGLint error = EGL_SUCCESS;
    if (thread->stream == NULL) {
        error = device == NULL || gegl_device_gone(device) ? EGL_CONTEXT_LOST
                                                           : gegl_stream_open(thread, device);
        if (error == EGL_SUCCESS) {
            gegl_host_greet(thread->stream, &display->host);
        }
    }
    gs_device_put(device);
    *out = thread->stream;
    return error;
}

EGLint gegl_stream_of(const struct gegl_object *object, struct gs_stream **out)
{
    EGLint error = gegl_stream_get(object->display, out);
    return error == EGL_SUCCESS && !gegl_object_here(object, gegl_thread_peek()) ? EGL_CONTEXT_LOST
                                                                                 : error;
}

void gegl_stream_lose(struct gegl_thread *thread, struct gegl_display *display)
{
    if (thread->device != NULL) {
        sl_atomic_store_relaxed(&thread->device->lost, 1);
    }
    if (thread->context != NULL && thread->context->base.display == display) {
        asg_writer_kill(&thread->stream->ring);
        ggl_lose(thread->context->ggl); /* GLES says the same from here */
    }
}

bool gegl_stream_lost(struct gegl_thread *thread, struct gegl_display *display)
{
    bool lost = thread->stream == NULL || gs_dead(thread->stream) ||
                sl_atomic_load_relaxed(&thread->device->lost) != 0;
    uint64_t now = sl_clock_ns();
    if (!lost && now - thread->alive_checked_ns > 100 * SL_NS_PER_MS) {
        thread->alive_checked_ns = now;
        struct vg *vg = thread->device->vg;
        lost = !vg->ops->alive(vg);
    }
    if (lost) {
        gegl_stream_lose(thread, display);
    }
    return lost;
}
