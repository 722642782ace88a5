#include "host/surface/native.h"

#include "transport/base/clock.h"
#include "transport/base/log.h"

#include <stddef.h>

const int32_t hs_config_attributes[HS_CONFIG_ATTRIBUTES] = {
    EGL_DEPTH_SIZE,
    EGL_STENCIL_SIZE,
    EGL_RENDERABLE_TYPE,
    EGL_SURFACE_TYPE,
    EGL_CONFIG_ID,
    EGL_BUFFER_SIZE,
    EGL_ALPHA_SIZE,
    EGL_BLUE_SIZE,
    EGL_GREEN_SIZE,
    EGL_RED_SIZE,
    EGL_CONFIG_CAVEAT,
    EGL_LEVEL,
    EGL_MAX_PBUFFER_HEIGHT,
    EGL_MAX_PBUFFER_PIXELS,
    EGL_MAX_PBUFFER_WIDTH,
    EGL_NATIVE_RENDERABLE,
    EGL_NATIVE_VISUAL_ID,
    EGL_NATIVE_VISUAL_TYPE,
    0x3030 /* PRESERVED_RESOURCES */,
    EGL_SAMPLES,
    EGL_SAMPLE_BUFFERS,
    EGL_TRANSPARENT_TYPE,
    EGL_TRANSPARENT_BLUE_VALUE,
    EGL_TRANSPARENT_GREEN_VALUE,
    EGL_TRANSPARENT_RED_VALUE,
    EGL_BIND_TO_TEXTURE_RGB,
    EGL_BIND_TO_TEXTURE_RGBA,
    EGL_MIN_SWAP_INTERVAL,
    EGL_MAX_SWAP_INTERVAL,
    EGL_LUMINANCE_SIZE,
    EGL_ALPHA_MASK_SIZE,
    EGL_COLOR_BUFFER_TYPE,
    0x3142 /* RECORDABLE_ANDROID */,
    EGL_CONFORMANT,
};

void hs_thread_init(struct hs_thread *thread, const struct hs_native *native)
{
    *thread = (struct hs_thread){.native = native,
                                 .context = EGL_NO_CONTEXT,
                                 .draw = EGL_NO_SURFACE,
                                 .read = EGL_NO_SURFACE,
                                 .helper = EGL_NO_CONTEXT,
                                 .helper_surface = EGL_NO_SURFACE};
}

void hs_thread_finish(struct hs_thread *thread)
{
    const struct hs_native *n = thread->native;
    if (n == NULL) {
        return;
    }
    (void)hs_thread_bind(thread, EGL_NO_CONTEXT, EGL_NO_SURFACE, EGL_NO_SURFACE);
    if (thread->helper_surface != EGL_NO_SURFACE) {
        n->egl.DestroySurface(n->display, thread->helper_surface);
    }
    if (thread->helper != EGL_NO_CONTEXT) {
        hs_context_destroy(n, thread->helper);
    }
    n->egl.ReleaseThread();
    thread->native = NULL;
}

void hs_context_destroy(const struct hs_native *n, EGLContext context)
{
    if (n->ending != NULL) {
        pthread_mutex_lock(n->ending);
    }
    n->egl.DestroyContext(n->display, context);
    if (n->ending != NULL) {
        pthread_mutex_unlock(n->ending);
    }
}

/* What is current is done within that time. */
static bool is_done(const struct hs_native *n, uint64_t timeout_ns)
{
    EGLSyncKHR sync = n->fence_sync && timeout_ns != UINT64_MAX
                          ? n->egl.CreateSyncKHR(n->display, EGL_SYNC_FENCE_KHR, NULL)
                          : EGL_NO_SYNC_KHR;
    if (sync == EGL_NO_SYNC_KHR) {
        n->gl->Finish();
        return true;
    }
    EGLint result =
        n->egl.ClientWaitSyncKHR(n->display, sync, EGL_SYNC_FLUSH_COMMANDS_BIT_KHR, timeout_ns);
    n->egl.DestroySyncKHR(n->display, sync);
    return result == EGL_CONDITION_SATISFIED_KHR;
}

bool hs_context_settle(const struct hs_native *n, EGLContext context, uint64_t timeout_ns)
{
    EGLContext was = n->egl.GetCurrentContext();
    EGLSurface draw = n->egl.GetCurrentSurface(EGL_DRAW), read = n->egl.GetCurrentSurface(EGL_READ);
    if (!n->software) {
        return true;
    }
    if (!n->egl.MakeCurrent(n->display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) {
        sl_warn_limited("surface", "a context with queries can not be waited for: EGL error 0x%x",
                        (unsigned)n->egl.GetError());
        return false;
    }
    bool done = is_done(n, timeout_ns);
    if (!done) {
        sl_warn_limited("surface", "a context with queries still draws after %llu ms",
                        (unsigned long long)(timeout_ns / SL_NS_PER_MS));
    }
    if (!n->egl.MakeCurrent(n->display, draw, read, was)) {
        sl_warn_limited("surface", "a context is no longer current: EGL error 0x%x",
                        (unsigned)n->egl.GetError());
        (void)n->egl.MakeCurrent(n->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    }
    return done;
}

void hs_draw_tex_begin(const struct hs_native *n)
{
    if (n->ending != NULL) {
        pthread_mutex_lock(n->ending);
    }
}

void hs_draw_tex_end(const struct hs_native *n)
{
    static const EGLint es1[] = {EGL_CONTEXT_CLIENT_VERSION, 1, EGL_NONE};
    EGLContext idle = n->egl.CreateContext(n->display, n->helper_config, EGL_NO_CONTEXT, es1);
    if (idle != EGL_NO_CONTEXT) {
        n->egl.DestroyContext(n->display, idle);
    }
    if (n->ending != NULL) {
        pthread_mutex_unlock(n->ending);
    }
}

bool hs_thread_bind(struct hs_thread *thread, EGLContext context, EGLSurface draw, EGLSurface read)
{
    const struct hs_native *n = thread->native;
    if (thread->context == context && thread->draw == draw && thread->read == read) {
        return true;
    }
    if (n == NULL || !n->egl.MakeCurrent(n->display, draw, read, context)) {
        return false;
    }
    thread->context = context;
    thread->draw = draw;
    thread->read = read;
    return true;
}

static bool make_helper(struct hs_thread *thread)
{
    static const EGLint es3[] = {EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE};
    static const EGLint es2[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    static const EGLint tiny[] = {EGL_WIDTH, 1, EGL_HEIGHT, 1, EGL_NONE};
    const struct hs_native *n = thread->native;
    if (thread->helper != EGL_NO_CONTEXT || thread->helper_failed) {
        return thread->helper != EGL_NO_CONTEXT;
    }
    const EGLint *attribs = n->gles_version >= 30 ? es3 : es2;
    EGLConfig config = n->no_config_context ? EGL_NO_CONFIG_KHR : n->helper_config;
    thread->helper = n->egl.CreateContext(n->display, config, EGL_NO_CONTEXT, attribs);
    if (thread->helper != EGL_NO_CONTEXT && !n->surfaceless_context) {
        thread->helper_surface = n->egl.CreatePbufferSurface(n->display, n->helper_config, tiny);
        if (thread->helper_surface == EGL_NO_SURFACE) {
            hs_context_destroy(n, thread->helper);
            thread->helper = EGL_NO_CONTEXT;
        }
    }
    thread->helper_failed = thread->helper == EGL_NO_CONTEXT;
    if (thread->helper_failed) {
        sl_warn_limited("surface", "no helper context: EGL error 0x%x",
                        (unsigned)n->egl.GetError());
    }
    return !thread->helper_failed;
}

bool hs_helper_begin(struct hs_thread *thread)
{
    const struct hs_native *n = thread->native;
    /* What was current stays remembered in `thread`: end() brings it back. */
    return n != NULL && make_helper(thread) &&
           n->egl.MakeCurrent(n->display, thread->helper_surface, thread->helper_surface,
                              thread->helper);
}

bool hs_helper_borrow(struct hs_thread *thread)
{
    const struct hs_native *n = thread->native;
    return n != NULL && make_helper(thread) &&
           n->egl.MakeCurrent(n->display, thread->draw, thread->read, thread->helper);
}

bool hs_visit_begin(struct hs_thread *thread, EGLContext context)
{
    const struct hs_native *n = thread->native;
    return n->egl.MakeCurrent(n->display, EGL_NO_SURFACE, EGL_NO_SURFACE, context);
}

void hs_visit_end(struct hs_thread *thread)
{
    hs_helper_end(thread);
}

void hs_helper_end(struct hs_thread *thread)
{
    const struct hs_native *n = thread->native;
    if (!n->egl.MakeCurrent(n->display, thread->draw, thread->read, thread->context)) {
        thread->context = EGL_NO_CONTEXT;
        thread->draw = thread->read = EGL_NO_SURFACE;
        (void)n->egl.MakeCurrent(n->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    }
}
