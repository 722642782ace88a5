#include "transport/drm/drm_uapi.h"

#include <errno.h>
#include <string.h>

int drm_call(int fd, unsigned long request, void *argument)
{
    int r;
    do {
        r = ioctl(fd, request, argument);
    } while (r != 0 && (errno == EINTR || errno == EAGAIN));
    return r;
}

void drm_handle_close(int fd, uint32_t handle)
{
    struct drm_gem_close_request request = {.handle = handle};
    (void)drm_call(fd, DRM_GEM_CLOSE, &request);
}

bool drm_is_virtio_gpu(int fd)
{
    char name[16] = {0};
    struct drm_version_request request = {.name_size = sizeof name - 1, .name = name};
    return drm_call(fd, DRM_VERSION, &request) == 0 && strcmp(name, "virtio_gpu") == 0;
}
