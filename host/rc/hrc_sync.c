/* Fences: EGL sync objects behind validated handles. */
#include "host/rc/hrc_internal.h"

#include "transport/base/clock.h"

#define SLICE_NS (5 * SL_NS_PER_MS)

bool hrc_sync_wait(const struct hs_native *native, EGLSyncKHR sync, uint64_t timeout_ns,
                   bool (*stopping)(void *user), void *user)
{
    uint64_t start = sl_clock_ns();
    for (uint64_t spent = 0;; spent = sl_clock_ns() - start) {
        uint64_t left = timeout_ns > spent ? timeout_ns - spent : 0;
        EGLint result = native->egl.ClientWaitSyncKHR(native->display, sync, 0,
                                                      left < SLICE_NS ? left : SLICE_NS);
        if (result != EGL_TIMEOUT_EXPIRED_KHR) {
            return true; /* satisfied; or an error, which no waiting mends */
        }
        if (left == 0 || (stopping != NULL && stopping(user))) {
            return false;
        }
    }
}

static bool ring_stopping(void *user)
{
    return hr_ring_stopping(user);
}

/* Handles are 64 bits wide on the wire, 32 in the table. */
static struct ho_object *sync_get(struct hrc_thread *thread, uint64_t handle)
{
    return handle > UINT32_MAX ? NULL
                               : ho_get(&thread->client->objects, HRC_EGL_SYNC, (uint32_t)handle);
}

static bool sync_remove(struct hrc_thread *thread, uint64_t handle)
{
    return handle <= UINT32_MAX &&
           ho_remove(&thread->client->objects, HRC_EGL_SYNC, (uint32_t)handle);
}

/* Fences that the guest will not destroy: let go when they have signalled, the oldest at the latest
 * when too many are there. */
static void keep_auto(struct hrc_thread *thread, uint64_t handle)
{
    const struct hs_native *n = thread->client->native;
    while (thread->auto_count > 0) {
        uint64_t oldest = thread->auto_syncs[thread->auto_first];
        struct ho_object *object = sync_get(thread, oldest);
        bool done = object == NULL || hrc_sync_wait(n, object->value, 0, NULL, NULL);
        ho_put(object);
        if (!done && thread->auto_count < HRC_AUTO_SYNCS) {
            break;
        }
        (void)sync_remove(thread, oldest);
        thread->auto_first = (thread->auto_first + 1) % HRC_AUTO_SYNCS;
        thread->auto_count--;
    }
    thread->auto_syncs[(thread->auto_first + thread->auto_count++) % HRC_AUTO_SYNCS] = handle;
}

void hrc_rcCreateSyncKHR(struct hr_call *call, const struct rc_args_rcCreateSyncKHR *args)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    struct hrc_client *c = thread->client;
    const struct hs_native *n = c->native;
    bool helper = thread->context == NULL;
    if (n == NULL || !n->fence_sync || (helper && !hs_helper_begin(&thread->gl))) {
        hr_call_refuse(call, "no fences here");
        return;
    }
    /* Both fence types are plain EGL fences on the host: native descriptors are the transport's
     * (context command 0x9000). */
    EGLSyncKHR sync = n->egl.CreateSyncKHR(n->display, EGL_SYNC_FENCE_KHR, NULL);
    if (sync != EGL_NO_SYNC_KHR) {
        /* Waits come from other threads, which cannot flush this context. */
        const struct hrc_context *context = hrc_current(thread);
        const struct gl_driver *gl = context != NULL && context->is_gles1 ? n->gl1 : n->gl;
        gl->Flush();
    }
    if (helper) {
        hs_helper_end(&thread->gl);
    }
    uint32_t id = 0;
    if (sync == EGL_NO_SYNC_KHR || ho_add(&c->objects, HRC_EGL_SYNC, sync, NULL, &id) != SL_OK) {
        if (sync != EGL_NO_SYNC_KHR) {
            n->egl.DestroySyncKHR(n->display, sync);
        }
        hr_call_refuse(call, "no fence: too many objects, or EGL error 0x%x",
                       (unsigned)n->egl.GetError());
        return;
    }
    if (args->destroy_when_signaled != 0) {
        keep_auto(thread, id);
    }
    sl_store_u64(args->glsync_out, id);
    sl_store_u64(args->syncthread_out, id);
}

int32_t hrc_rcClientWaitSyncKHR(struct hr_call *call,
                                const struct rc_args_rcClientWaitSyncKHR *args)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    struct ho_object *object = sync_get(thread, args->sync);
    if (object == NULL) {
        return HRC_CONDITION_SATISFIED; /* gone: it has signalled */
    }
    bool done = hrc_sync_wait(thread->client->native, object->value, args->timeout, ring_stopping,
                              call->ring);
    ho_put(object);
    return done ? HRC_CONDITION_SATISFIED : HRC_TIMEOUT_EXPIRED;
}

void hrc_rcWaitSyncKHR(struct hr_call *call, const struct rc_args_rcWaitSyncKHR *args)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    const struct hs_native *n = thread->client->native;
    struct ho_object *object = sync_get(thread, args->sync);
    if (object != NULL && n->wait_sync && thread->context != NULL) {
        n->egl.WaitSyncKHR(n->display, object->value, 0);
    } else if (object != NULL) {
        (void)hrc_sync_wait(n, object->value, UINT64_MAX, ring_stopping, call->ring);
    }
    ho_put(object);
}

int32_t hrc_rcIsSyncSignaled(struct hr_call *call, const struct rc_args_rcIsSyncSignaled *args)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    struct ho_object *object = sync_get(thread, args->sync);
    bool done =
        object == NULL || hrc_sync_wait(thread->client->native, object->value, 0, NULL, NULL);
    ho_put(object);
    return done ? 1 : 0;
}

int32_t hrc_rcDestroySyncKHR(struct hr_call *call, const struct rc_args_rcDestroySyncKHR *args)
{
    (void)sync_remove(hrc_thread_of(call), args->sync); /* one that went by itself is fine too */
    return 0;
}

void hrc_rcDestroySyncKHRAsync(struct hr_call *call,
                               const struct rc_args_rcDestroySyncKHRAsync *args)
{
    (void)sync_remove(hrc_thread_of(call), args->sync);
}
