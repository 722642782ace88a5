/* Native fences, for sync.c. Any thread. */
#ifndef GUEST_EGL_SYNC_H
#define GUEST_EGL_SYNC_H

#include "guest/egl/gegl.h"

/* A descriptor for the host's fence, which the host knows already. False: none can be had. */
bool gegl_native_export(struct gegl_sync *sync, struct gs_stream *stream);
/* Has the descriptor signalled? Waits for it so long. */
bool gegl_native_wait(const struct gegl_sync *sync, EGLTime timeout_ns);
/* Closes a native fence's descriptor; other syncs are left alone. */
void gegl_native_end(struct gegl_sync *sync);

#endif
