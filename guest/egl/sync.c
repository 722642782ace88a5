/* Fence syncs, on renderControl's, and reusable ones, which are the guest's. A host without fences:
 * the sync is made by waiting for the host, and born signalled. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/sync.h"
#include "guest/rc_call.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"
#include "wire/rc_pack.h"

/* One that the program signals: the guest's alone. */
static EGLint reusable_make(struct gegl_display *display, struct gegl_sync **out)
{
    struct gegl_sync *sync = sl_alloc(sizeof *sync);
    if (sync == NULL) {
        return EGL_BAD_ALLOC;
    }
    sync->type = EGL_SYNC_REUSABLE_KHR;
    if (gegl_object_add(display, &sync->base, GEGL_SYNC) != SL_OK) {
        sl_free(sync);
        return EGL_BAD_ALLOC;
    }
    *out = sync;
    return EGL_SUCCESS;
}

/* fd: a native fence's, or -1. It becomes the sync's where that is made. */
static EGLint sync_make(struct gegl_display *display, struct gegl_thread *thread, EGLenum type,
                        int fd, struct gegl_sync **out)
{
    struct gegl_sync *sync = sl_alloc(sizeof *sync);
    if (sync == NULL) {
        return EGL_BAD_ALLOC;
    }
    struct gs_stream *stream = thread->stream;
    sync->type = type;
    sync->fd = fd;
    bool is_host = fd < 0 && display->host.sync;
    ggl_store_drawn(thread->context->ggl);
    if (is_host) {
        uint64_t host_thread = 0; /* the host's affair */
        rc_call_rcCreateSyncKHR(stream, EGL_SYNC_FENCE_KHR, NULL, 0, 0, 0, &sync->host_id,
                                sizeof sync->host_id, &host_thread, sizeof host_thread);
    } else if (fd < 0) {
        ggl_finish(thread->context->ggl);
        sync->signaled = 1;
    }
    bool exports = is_host && type == EGL_SYNC_NATIVE_FENCE_ANDROID && sync->host_id != 0;
    EGLint error = gs_dead(stream)                                             ? EGL_CONTEXT_LOST
                   : is_host && sync->host_id == 0                             ? EGL_BAD_ALLOC
                   : exports && !gegl_native_export(sync, stream)              ? EGL_BAD_ALLOC
                   : gegl_object_add(display, &sync->base, GEGL_SYNC) != SL_OK ? EGL_BAD_ALLOC
                                                                               : EGL_SUCCESS;
    if (error != EGL_SUCCESS) {
        if (fd < 0) { /* else it stays the program's */
            gegl_native_end(sync);
        }
        sl_free(sync);
        return error;
    }
    *out = sync;
    return EGL_SUCCESS;
}

/* What a list of attributes says: a native fence may have its descriptor there. */
struct sync_wish {
    bool is_wrong;
    int fd; /* -1: none */
};

static void wish_read(struct sync_wish *wish, EGLenum type, EGLAttrib attrib, EGLAttrib value)
{
    if (type == EGL_SYNC_NATIVE_FENCE_ANDROID && attrib == EGL_SYNC_NATIVE_FENCE_FD_ANDROID &&
        value == (int)value && value >= EGL_NO_NATIVE_FENCE_FD_ANDROID) {
        wish->fd = (int)value;
    } else {
        wish->is_wrong = true;
    }
}

/* no_type: the error for a type that is none. */
static EGLSync sync_create(EGLDisplay handle, EGLenum type, const struct sync_wish *wish,
                           EGLint no_type)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_NO_SYNC;
    }
    struct gegl_thread *thread = gegl_thread();
    const struct gegl_context *context = thread != NULL ? thread->context : NULL;
    struct gegl_sync *sync = NULL;
    EGLint error;
    if (context == NULL && (type == EGL_SYNC_FENCE || type == EGL_SYNC_NATIVE_FENCE_ANDROID)) {
        error = EGL_BAD_MATCH;
    } else if (context != NULL && context->base.display != display) {
        error = EGL_BAD_MATCH;
    } else if (type != EGL_SYNC_FENCE && type != EGL_SYNC_REUSABLE_KHR &&
               !(type == EGL_SYNC_NATIVE_FENCE_ANDROID && display->host.native_fence)) {
        error = no_type;
    } else if (wish->is_wrong) {
        error = EGL_BAD_ATTRIBUTE;
    } else if (type == EGL_SYNC_REUSABLE_KHR) {
        error = reusable_make(display, &sync);
    } else {
        error = sync_make(display, thread, type, wish->fd, &sync);
    }
    gegl_fail(error);
    return sync != NULL ? gegl_object_handle(&sync->base) : EGL_NO_SYNC;
}

/* Without OpenCL no event is one. */
EGLSync gegl_CreateSync(EGLDisplay handle, EGLenum type, const EGLAttrib *attribs)
{
    struct sync_wish wish = {.fd = -1};
    for (; attribs != NULL && attribs[0] != EGL_NONE && !wish.is_wrong; attribs += 2) {
        wish_read(&wish, type, attribs[0], attribs[1]);
    }
    return sync_create(handle, type, &wish,
                       type == EGL_SYNC_CL_EVENT ? EGL_BAD_ATTRIBUTE : EGL_BAD_PARAMETER);
}

EGLSyncKHR gegl_CreateSyncKHR(EGLDisplay handle, EGLenum type, const EGLint *attribs)
{
    struct sync_wish wish = {.fd = -1};
    for (; attribs != NULL && attribs[0] != EGL_NONE && !wish.is_wrong; attribs += 2) {
        wish_read(&wish, type, attribs[0], attribs[1]);
    }
    return sync_create(handle, type, &wish, EGL_BAD_ATTRIBUTE);
}

void gegl_sync_end(struct gegl_sync *sync)
{
    gegl_native_end(sync);
    struct gs_stream *stream;
    if (sync->host_id != 0 && gegl_stream_of(&sync->base, &stream) == EGL_SUCCESS) {
        (void)rc_call_rcDestroySyncKHR(stream, sync->host_id);
    }
}

/* Changes a reusable sync and wakes who waits for it. */
static void reusable_set(struct gegl_sync *sync, bool signaled, bool destroyed)
{
    struct gegl_display *display = sync->base.display;
    pthread_mutex_lock(&display->lock);
    sl_atomic_store_relaxed(&sync->signaled, signaled);
    sync->destroyed = destroyed;
    pthread_cond_broadcast(&display->signals);
    pthread_mutex_unlock(&display->lock);
}

EGLBoolean gegl_DestroySync(EGLDisplay handle, EGLSync sync_handle)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    struct gegl_sync *sync = gegl_object_find(display, GEGL_SYNC, sync_handle);
    if (sync == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    bool removed = gegl_object_remove(display, GEGL_SYNC, sync_handle);
    if (removed && sync->type == EGL_SYNC_REUSABLE_KHR) {
        reusable_set(sync, true, true);
    }
    gegl_object_unref(&sync->base);
    return removed ? gegl_done() : gegl_fail(EGL_BAD_PARAMETER);
}

EGLBoolean gegl_SignalSyncKHR(EGLDisplay handle, EGLSyncKHR sync_handle, EGLenum mode)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    struct gegl_sync *sync = gegl_object_find(display, GEGL_SYNC, sync_handle);
    if (sync == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    EGLint error = sync->type != EGL_SYNC_REUSABLE_KHR                      ? EGL_BAD_MATCH
                   : mode != EGL_SIGNALED_KHR && mode != EGL_UNSIGNALED_KHR ? EGL_BAD_ATTRIBUTE
                                                                            : EGL_SUCCESS;
    if (error == EGL_SUCCESS) {
        reusable_set(sync, mode == EGL_SIGNALED_KHR, false);
    }
    gegl_object_unref(&sync->base);
    return error == EGL_SUCCESS ? gegl_done() : gegl_fail(error);
}

/* EGL_CONDITION_SATISFIED or EGL_TIMEOUT_EXPIRED. */
static EGLint reusable_wait(struct gegl_display *display, struct gegl_sync *sync,
                            EGLTime timeout_ns)
{
    uint64_t end = sl_clock_ahead_ns(timeout_ns);
    pthread_mutex_lock(&display->lock);
    while (sl_atomic_load_relaxed(&sync->signaled) == 0 && !sync->destroyed &&
           sl_clock_ns() < end) {
        uint64_t slice = sl_clock_ns() + SL_NS_PER_S;
        sl_cond_wait_until(&display->signals, &display->lock, slice < end ? slice : end);
    }
    bool done = sl_atomic_load_relaxed(&sync->signaled) != 0 || sync->destroyed;
    pthread_mutex_unlock(&display->lock);
    return done ? EGL_CONDITION_SATISFIED : EGL_TIMEOUT_EXPIRED;
}

/* A native fence that is not of the host's making. */
static bool is_foreign(const struct gegl_sync *sync)
{
    return sync->type == EGL_SYNC_NATIVE_FENCE_ANDROID && sync->host_id == 0;
}

static EGLint foreign_wait(struct gegl_sync *sync, EGLTime timeout_ns)
{
    if (!gegl_native_wait(sync, timeout_ns)) {
        return EGL_TIMEOUT_EXPIRED;
    }
    sl_atomic_store_relaxed(&sync->signaled, 1);
    return EGL_CONDITION_SATISFIED;
}

/* Asks the host; EGL_CONDITION_SATISFIED, EGL_TIMEOUT_EXPIRED, or EGL_FALSE with the error set. */
static EGLint host_wait(struct gegl_display *display, struct gegl_sync *sync, EGLTime timeout_ns)
{
    /* A flag alone, nothing is published with it. */
    if (sl_atomic_load_relaxed(&sync->signaled) != 0) {
        return EGL_CONDITION_SATISFIED;
    }
    if (sync->type == EGL_SYNC_REUSABLE_KHR) {
        return reusable_wait(display, sync, timeout_ns);
    }
    if (is_foreign(sync)) {
        return foreign_wait(sync, timeout_ns);
    }
    struct gs_stream *stream;
    EGLint error = gegl_stream_of(&sync->base, &stream);
    if (error != EGL_SUCCESS) {
        return (EGLint)gegl_fail(error);
    }
    EGLint answer = rc_call_rcClientWaitSyncKHR(stream, sync->host_id, 0, timeout_ns);
    if (gs_dead(stream)) {
        return (EGLint)gegl_fail(EGL_CONTEXT_LOST);
    }
    if (answer == EGL_CONDITION_SATISFIED) {
        sl_atomic_store_relaxed(&sync->signaled, 1);
    } else if (answer != EGL_TIMEOUT_EXPIRED) {
        return (EGLint)gegl_fail(EGL_BAD_ACCESS);
    }
    return answer;
}

static EGLint sync_wait(struct gegl_display *display, struct gegl_sync *sync, EGLTime timeout_ns)
{
    EGLint answer = host_wait(display, sync, timeout_ns);
    struct gegl_thread *thread = gegl_thread_peek();
    if (answer == EGL_CONDITION_SATISFIED && thread != NULL && thread->context != NULL) {
        ggl_waited(thread->context->ggl);
    }
    return answer;
}

EGLint gegl_ClientWaitSync(EGLDisplay handle, EGLSync sync_handle, EGLint flags, EGLTime timeout_ns)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    (void)flags; /* it is flushed either way; flags that are none are no error */
    struct gegl_sync *sync = gegl_object_find(display, GEGL_SYNC, sync_handle);
    if (sync == NULL) {
        return (EGLint)gegl_fail(EGL_BAD_PARAMETER);
    }
    gegl_done();
    EGLint answer = sync_wait(display, sync, timeout_ns);
    gegl_object_unref(&sync->base);
    return answer;
}

EGLBoolean gegl_GetSyncAttrib(EGLDisplay handle, EGLSync sync_handle, EGLint attrib,
                              EGLAttrib *value)
{
    if (value == NULL) { /* before all else, as drivers do */
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    struct gegl_sync *sync = gegl_object_find(display, GEGL_SYNC, sync_handle);
    if (sync == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    gegl_done();
    EGLint answer = EGL_TRUE;
    switch (attrib) {
    case EGL_SYNC_TYPE:
        *value = (EGLAttrib)sync->type;
        break;
    case EGL_SYNC_CONDITION:
        if (is_foreign(sync)) {
            *value = EGL_SYNC_NATIVE_FENCE_SIGNALED_ANDROID;
        } else if (sync->type != EGL_SYNC_REUSABLE_KHR) {
            *value = EGL_SYNC_PRIOR_COMMANDS_COMPLETE;
        } else {
            answer = (EGLint)gegl_fail(EGL_BAD_ATTRIBUTE);
        }
        break;
    case EGL_SYNC_STATUS:
        answer = sync_wait(display, sync, 0);
        if (answer != EGL_FALSE) {
            *value = answer == EGL_CONDITION_SATISFIED ? EGL_SIGNALED : EGL_UNSIGNALED;
        }
        break;
    default:
        answer = (EGLint)gegl_fail(EGL_BAD_ATTRIBUTE);
        break;
    }
    gegl_object_unref(&sync->base);
    return answer != EGL_FALSE;
}

EGLBoolean gegl_GetSyncAttribKHR(EGLDisplay handle, EGLSyncKHR sync, EGLint attrib, EGLint *value)
{
    EGLAttrib wide = 0;
    if (value == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    if (!gegl_GetSyncAttrib(handle, sync, attrib, &wide)) {
        return EGL_FALSE;
    }
    *value = (EGLint)wide;
    return EGL_TRUE;
}

EGLBoolean gegl_WaitSync(EGLDisplay handle, EGLSync sync_handle, EGLint flags)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    struct gegl_thread *thread = gegl_thread();
    struct gegl_sync *sync = gegl_object_find(display, GEGL_SYNC, sync_handle);
    EGLint error = EGL_SUCCESS;
    if (sync == NULL) {
        error = EGL_BAD_PARAMETER;
    } else if (thread == NULL || thread->context == NULL) {
        error = EGL_BAD_MATCH; /* a context of another display waits as well as any */
    } else if (flags != 0) {
        error = EGL_BAD_PARAMETER;
    } else if (is_foreign(sync)) {
        /* Nothing of this thread's comes to the host before it. */
        gs_flush(thread->stream);
        (void)foreign_wait(sync, EGL_FOREVER);
    } else if (sync->type == EGL_SYNC_REUSABLE_KHR) {
        /* The host cannot be kept waiting for the guest; drivers do not wait for it either. */
    } else if (sl_atomic_load_relaxed(&sync->signaled) == 0) {
        if (!gegl_object_here(&sync->base, thread)) {
            error = EGL_CONTEXT_LOST;
        } else if (display->host.sync_status) {
            rc_pack_rcWaitSyncKHR(gs_pack(thread->stream), sync->host_id, 0);
        } else if (sync_wait(display, sync, EGL_FOREVER) == EGL_FALSE) {
            error = EGL_CONTEXT_LOST;
        }
    }
    if (sync != NULL) {
        gegl_object_unref(&sync->base);
    }
    return error == EGL_SUCCESS ? gegl_done() : gegl_fail(error);
}

EGLint gegl_WaitSyncKHR(EGLDisplay handle, EGLSyncKHR sync, EGLint flags)
{
    return (EGLint)gegl_WaitSync(handle, sync, flags);
}
