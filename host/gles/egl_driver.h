/* Finds and opens the native EGL and GLES: dlopen, display choice, configs, what the driver can do.
 *
 * Who uses it: the provider, once, on the device thread. The process-wide environment variable that
 * would make glvnd load our own vendor library is cleared first: the host draws natively. */
#ifndef HOST_EGL_DRIVER_H
#define HOST_EGL_DRIVER_H

#include "host/context.h"
#include "host/surface/native.h"
#include "transport/base/result.h"

#include <pthread.h>

struct hgl_driver {
    struct hs_native native;
    struct gl_driver gl, gl1;
    struct gl_driver guest_gl, guest_gl1; /* what guests' calls go to: the same, or less of it */
    struct hs_config *configs;            /* native.configs */
    pthread_mutex_t ending;               /* native.ending, while the driver is open */
    void *egl_library, *gles2_library, *gles1_library;
    char description[192]; /* "llvmpipe (LLVM 15.0.6), OpenGL ES 3.1 Mesa 22.3.6, surfaceless" */
};

/* UNSUPPORTED: no library, no display or no usable config; NOTFOUND: no such GPU. The reason was
 * logged, with what would mend it. */
enum sl_result hgl_driver_open(struct hgl_driver *driver,
                               const struct hct_options *options) SL_MUST_USE;
void hgl_driver_close(struct hgl_driver *driver);

#endif
