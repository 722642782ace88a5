/* Fence syncs, on renderControl's, and reusable ones, which are the guest's. A host without fences:
 * the sync is made by waiting for the host, and born signalled. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
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

static EGLint sync_make(struct gegl_display *display, struct gegl_thread *thread,
                        struct gegl_sync **out)
{
    struct gegl_sync *sync = sl_alloc(sizeof *sync);
    if (sync == NULL) {
        return EGL_BAD_ALLOC;
    }
    struct gs_stream *stream = thread->stream;
    sync->type = EGL_SYNC_FENCE_KHR;
    if (display->host.sync) {
        uint64_t host_thread = 0; /* the host's affair */
        rc_call_rcCreateSyncKHR(stream, EGL_SYNC_FENCE_KHR, NULL, 0, 0, 0, &sync->host_id,
                                sizeof sync->host_id, &host_thread, sizeof host_thread);
    } else {
        ggl_finish(thread->context->ggl);
        sync->signaled = 1;
    }
    EGLint error = gs_dead(stream)                                             ? EGL_CONTEXT_LOST
                   : display->host.sync && sync->host_id == 0                  ? EGL_BAD_ALLOC
                   : gegl_object_add(display, &sync->base, GEGL_SYNC) != SL_OK ? EGL_BAD_ALLOC
                                                                               : EGL_SUCCESS;
    if (error != EGL_SUCCESS) {
        sl_free(sync);
        return error;
    }
    *out = sync;
    return EGL_SUCCESS;
}

/* no_type: the error for a type that is none. */
static EGLSync sync_create(EGLDisplay handle, EGLenum type, bool has_attribs, EGLint no_type)
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
    } else if (type != EGL_SYNC_FENCE && type != EGL_SYNC_REUSABLE_KHR) {
        error = no_type;
    } else if (has_attribs) {
        error = EGL_BAD_ATTRIBUTE;
    } else if (type == EGL_SYNC_REUSABLE_KHR) {
        error = reusable_make(display, &sync);
    } else {
        error = sync_make(display, thread, &sync);
    }
    gegl_fail(error);
    return sync != NULL ? gegl_object_handle(&sync->base) : EGL_NO_SYNC;
}

/* Without OpenCL no event is one. */
EGLSync gegl_CreateSync(EGLDisplay handle, EGLenum type, const EGLAttrib *attribs)
{
    return sync_create(handle, type, attribs != NULL && attribs[0] != EGL_NONE,
                       type == EGL_SYNC_CL_EVENT ? EGL_BAD_ATTRIBUTE : EGL_BAD_PARAMETER);
}

EGLSyncKHR gegl_CreateSyncKHR(EGLDisplay handle, EGLenum type, const EGLint *attribs)
{
    return sync_create(handle, type, attribs != NULL && attribs[0] != EGL_NONE, EGL_BAD_ATTRIBUTE);
}

void gegl_sync_end(struct gegl_sync *sync)
{
    struct gs_stream *stream;
    if (sync->host_id != 0 && gegl_stream_get(sync->base.display, &stream) == EGL_SUCCESS) {
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
    uint64_t now = sl_clock_ns(),
             end = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
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

/* Asks the host; EGL_CONDITION_SATISFIED, EGL_TIMEOUT_EXPIRED, or EGL_FALSE with the error set. */
static EGLint sync_wait(struct gegl_display *display, struct gegl_sync *sync, EGLTime timeout_ns)
{
    /* A flag alone, nothing is published with it. */
    if (sl_atomic_load_relaxed(&sync->signaled) != 0) {
        return EGL_CONDITION_SATISFIED;
    }
    if (sync->type == EGL_SYNC_REUSABLE_KHR) {
        return reusable_wait(display, sync, timeout_ns);
    }
    struct gs_stream *stream;
    EGLint error = gegl_stream_get(display, &stream);
    if (error != EGL_SUCCESS) {
        return (EGLint)gegl_fail(error);
    }
    EGLint answer = rc_call_rcClientWaitSyncKHR(stream, sync->host_id, 0, timeout_ns);
    if (gs_dead(stream)) {
        return (EGLint)gegl_fail(EGL_CONTEXT_LOST);
    }
    if (answer == EGL_CONDITION_SATISFIED) {
        sl_atomic_store_relaxed(&sync->signaled, 1);
        struct gegl_thread *thread = gegl_thread_peek();
        if (thread != NULL && thread->context != NULL) {
            ggl_waited(thread->context->ggl);
        }
    } else if (answer != EGL_TIMEOUT_EXPIRED) {
        return (EGLint)gegl_fail(EGL_BAD_ACCESS);
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
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    struct gegl_sync *sync = gegl_object_find(display, GEGL_SYNC, sync_handle);
    if (sync == NULL || value == NULL) {
        if (sync != NULL) {
            gegl_object_unref(&sync->base);
        }
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    gegl_done();
    EGLint answer = EGL_TRUE;
    switch (attrib) {
    case EGL_SYNC_TYPE:
        *value = (EGLAttrib)sync->type;
        break;
    case EGL_SYNC_CONDITION:
        if (sync->type == EGL_SYNC_FENCE) {
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
    } else if (thread == NULL || thread->context == NULL ||
               thread->context->base.display != display) {
        error = EGL_BAD_MATCH;
    } else if (flags != 0) {
        error = EGL_BAD_PARAMETER;
    } else if (sync->type != EGL_SYNC_FENCE) {
        /* The host cannot be kept waiting for the guest; drivers do not wait for it either. */
    } else if (sl_atomic_load_relaxed(&sync->signaled) == 0) {
        if (display->host.sync_status) {
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
