/* Which way to a device: the first backend of transport/backends.def whose variable is set, else
 * the GPU of the virtual machine. */
#include "guest/stream/gs_internal.h"

#include "transport/base/log.h"

#include <stdlib.h>

/* What the environment says of one backend; NULL: nothing. */
static const char *named(const char *variable)
{
    const char *where = getenv(variable);
    return where != NULL && where[0] != 0 ? where : NULL;
}

bool gs_host_meant(void)
{
#define VG_BACKEND(name, variable)                                                                 \
    if (named(variable) != NULL) {                                                                 \
        return true;                                                                               \
    }
#include "transport/backends.def"
#undef VG_BACKEND
    return vg_drm_there();
}

enum sl_result gs_open_backend(struct vg **out)
{
#define VG_BACKEND(name, variable)                                                                 \
    if (named(variable) != NULL) {                                                                 \
        return vg_##name##_open(named(variable), out);                                             \
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
