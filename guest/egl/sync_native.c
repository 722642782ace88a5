/* Native fences (EGL_ANDROID_native_fence_sync): syncs as descriptors of the guest's kernel, which
 * tells when they signal. One of the program's own commands is a fence of the host's besides; one
 * that came as a descriptor is nothing to the host, and waited for here. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/host.h"
#include "guest/egl/sync.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

bool gegl_native_export(struct gegl_sync *sync, struct gs_stream *stream)
{
    const uint32_t words[] = {GFXSTREAM_CREATE_EXPORT_SYNC, (uint32_t)sync->host_id,
                              (uint32_t)(sync->host_id >> 32)};
    struct vg *vg = stream->device->vg;
    const struct vg_submit_args args = {
        .commands = words, .size = sizeof words, .in_fence = -1, .out_fence = &sync->fd};
    return vg_submit(vg, &args) == SL_OK;
}

/* Milliseconds for poll until `end`, rounded up. */
static int poll_ms(uint64_t end_ns)
{
    uint64_t now = sl_clock_ns();
    uint64_t ms = end_ns > now ? (end_ns - now - 1) / SL_NS_PER_MS + 1 : 0;
    return end_ns == UINT64_MAX ? -1 : ms < INT_MAX ? (int)ms : INT_MAX;
}

bool gegl_native_wait(const struct gegl_sync *sync, EGLTime timeout_ns)
{
    uint64_t end = sl_clock_ahead_ns(timeout_ns);
    struct pollfd waited = {.fd = sync->fd, .events = POLLIN};
    for (;;) {
        int n = poll(&waited, 1, poll_ms(end));
        if (n > 0 || (n < 0 && errno != EINTR)) {
            return true; /* a descriptor that cannot be waited for will never say more */
        }
        if (sl_clock_ns() >= end) {
            return false;
        }
    }
}

EGLint gegl_DupNativeFenceFDANDROID(EGLDisplay handle, EGLSyncKHR sync_handle)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_NO_NATIVE_FENCE_FD_ANDROID;
    }
    struct gegl_sync *sync = gegl_object_find(display, GEGL_SYNC, sync_handle);
    if (sync == NULL) {
        gegl_fail(EGL_BAD_PARAMETER);
        return EGL_NO_NATIVE_FENCE_FD_ANDROID;
    }
    int fd = EGL_NO_NATIVE_FENCE_FD_ANDROID;
    EGLint error = EGL_BAD_PARAMETER;
    if (sync->type == EGL_SYNC_NATIVE_FENCE_ANDROID) {
        error = sl_fd_dup(sync->fd, &fd) == SL_OK ? EGL_SUCCESS : EGL_BAD_ALLOC;
    }
    gegl_object_unref(&sync->base);
    gegl_fail(error);
    return fd;
}

void gegl_native_end(struct gegl_sync *sync)
{
    if (sync->type == EGL_SYNC_NATIVE_FENCE_ANDROID) {
        sl_fd_close(&sync->fd);
    }
}
