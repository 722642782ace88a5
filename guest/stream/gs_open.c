/* Which way to a device: the first backend of transport/backends.def whose variable is set. */
#include "guest/stream/gs_internal.h"

#include "transport/base/log.h"

#include <stdlib.h>

bool gs_host_named(void)
{
#define VG_BACKEND(name, variable)                                                                 \
    {                                                                                              \
        const char *where = getenv(variable);                                                      \
        if (where != NULL && where[0] != 0) {                                                      \
            return true;                                                                           \
        }                                                                                          \
    }
#include "transport/backends.def"
#undef VG_BACKEND
    return false;
}

enum sl_result gs_open_backend(struct vg **out)
{
#define VG_BACKEND(name, variable)                                                                 \
    {                                                                                              \
        const char *where = getenv(variable);                                                      \
        if (where != NULL && where[0] != 0) {                                                      \
            return vg_##name##_open(where, out);                                                   \
        }                                                                                          \
    }
#include "transport/backends.def"
#undef VG_BACKEND
    /* In a virtual machine the GPU is there unasked. */
    enum sl_result r = vg_drm_open(NULL, out);
    if (r != SL_ERR_NOTFOUND) {
        return r;
    }
    sl_error("stream", "no host: SLUICE_SOCKET is not set; start the program with 'sluice run --'");
    return SL_ERR_NOTFOUND;
}
