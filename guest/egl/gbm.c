#include "guest/egl/gbm.h"

#include "transport/base/fd.h"
#include "transport/base/log.h"

#include <dlfcn.h>
#include <fcntl.h>

const struct gegl_window_format gegl_gbm_formats[GEGL_GBM_FORMATS] = {
    {8, 8, 8, 8, GBM_FORMAT_ARGB8888},
    {8, 8, 8, 0, GBM_FORMAT_XRGB8888},
};

/* On the first display device, for ever: libgbm and the descriptor stay as long as the process. */
static struct gbm_device *first_device(void)
{
    int fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
    void *library = fd >= 0 ? dlopen("libgbm.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;
    struct gbm_device *(*create)(int) = NULL;
    if (library != NULL) {
        *(void **)&create = dlsym(library, "gbm_create_device");
    }
    struct gbm_device *device = create != NULL ? create(fd) : NULL;
    if (device == NULL) {
        sl_fd_close(&fd);
    }
    return device;
}

enum sl_result gegl_gbm_find(void *native, struct gbm_device **out)
{
    struct gbm_device *device = native != NULL ? native : first_device();
    if (device == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (!sluice_gbm_is_ours(device)) {
        sl_error("egl",
                 "the gbm_device is of backend '%s', whose buffers the host cannot draw into: set "
                 "GBM_BACKEND=sluice and GBM_BACKENDS_PATH to the folder of sluice_gbm.so",
                 device->v0.name != NULL ? device->v0.name : "");
        return SL_ERR_NOTFOUND;
    }
    *out = device;
    return SL_OK;
}
