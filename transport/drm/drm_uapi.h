/* The kernel's virtio-gpu ioctls as this backend and guest/gbm use them: numbers and layouts of the
 * kernel's interface (drm.h, virtgpu_drm.h), so that a build needs no header of theirs. */
#ifndef TRANSPORT_DRM_UAPI_H
#define TRANSPORT_DRM_UAPI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

struct drm_version_request {
    int32_t major, minor, patch;
    uint32_t pad;
    uint64_t name_size; /* in: room, out: length */
    char *name;
    uint64_t date_size;
    char *date;
    uint64_t description_size;
    char *description;
};
struct drm_gem_close_request {
    uint32_t handle, pad;
};
struct drm_prime_request {
    uint32_t handle;
    uint32_t flags; /* O_CLOEXEC, O_RDWR */
    int32_t fd;
};

struct virtgpu_map_request {
    uint64_t offset; /* out: for mmap */
    uint32_t handle;
    uint32_t pad;
};
enum { VIRTGPU_EXEC_FENCE_IN = 1, VIRTGPU_EXEC_FENCE_OUT = 2, VIRTGPU_EXEC_RING = 4 };
struct virtgpu_exec_request {
    uint32_t flags; /* VIRTGPU_EXEC_ */
    uint32_t size;  /* bytes of command */
    uint64_t command;
    uint64_t handles;
    uint32_t handle_count;
    int32_t fence_fd;
    uint32_t ring;
    uint32_t syncobj_stride;
    uint32_t in_syncobj_count, out_syncobj_count;
    uint64_t in_syncobjs, out_syncobjs;
};
_Static_assert(sizeof(struct virtgpu_exec_request) == 64, "execbuffer's layout");
enum { VIRTGPU_PARAM_3D = 1, VIRTGPU_PARAM_CONTEXT_INIT = 6, VIRTGPU_PARAM_CAPSETS = 7 };
struct virtgpu_param_request {
    uint64_t param; /* VIRTGPU_PARAM_ */
    uint64_t value; /* address of an int that is written */
};
struct virtgpu_tex_request {
    uint32_t target, format, bind;
    uint32_t width, height, depth, array_size, last_level, nr_samples, flags;
    uint32_t handle, resource; /* out */
    uint32_t size, stride;     /* of the backing */
};
struct virtgpu_info_request {
    uint32_t handle;
    uint32_t resource, size, blob_mem; /* out */
};
struct virtgpu_transfer_request {
    uint32_t handle;
    uint32_t x, y, z, width, height, depth;
    uint32_t level, offset, stride, layer_stride;
};
enum { VIRTGPU_WAIT_NOT = 1 };
struct virtgpu_wait_request {
    uint32_t handle;
    uint32_t flags; /* VIRTGPU_WAIT_NOT: only ask */
};
struct virtgpu_caps_request {
    uint32_t capset, version;
    uint64_t address;
    uint32_t size, pad;
};
struct virtgpu_blob_request {
    uint32_t mem, flags;
    uint32_t handle, resource; /* out */
    uint64_t size;
    uint32_t pad;
    uint32_t command_size;
    uint64_t command;
    uint64_t blob_id;
};
_Static_assert(sizeof(struct virtgpu_blob_request) == 48, "blob's layout");
enum { VIRTGPU_CONTEXT_CAPSET = 1, VIRTGPU_CONTEXT_RINGS = 2 };
struct virtgpu_context_param {
    uint64_t param; /* VIRTGPU_CONTEXT_ */
    uint64_t value;
};
struct virtgpu_context_request {
    uint32_t count, pad;
    uint64_t params;
};

#define DRM_VERSION       _IOWR('d', 0x00, struct drm_version_request)
#define DRM_GEM_CLOSE     _IOW('d', 0x09, struct drm_gem_close_request)
#define DRM_PRIME_EXPORT  _IOWR('d', 0x2d, struct drm_prime_request)
#define DRM_PRIME_IMPORT  _IOWR('d', 0x2e, struct drm_prime_request)
#define VIRTGPU_MAP       _IOWR('d', 0x41, struct virtgpu_map_request)
#define VIRTGPU_EXEC      _IOWR('d', 0x42, struct virtgpu_exec_request)
#define VIRTGPU_PARAM     _IOWR('d', 0x43, struct virtgpu_param_request)
#define VIRTGPU_TEX       _IOWR('d', 0x44, struct virtgpu_tex_request)
#define VIRTGPU_INFO      _IOWR('d', 0x45, struct virtgpu_info_request)
#define VIRTGPU_FROM_HOST _IOWR('d', 0x46, struct virtgpu_transfer_request)
#define VIRTGPU_TO_HOST   _IOWR('d', 0x47, struct virtgpu_transfer_request)
#define VIRTGPU_WAIT      _IOWR('d', 0x48, struct virtgpu_wait_request)
#define VIRTGPU_CAPS      _IOWR('d', 0x49, struct virtgpu_caps_request)
#define VIRTGPU_BLOB      _IOWR('d', 0x4a, struct virtgpu_blob_request)
#define VIRTGPU_CONTEXT   _IOWR('d', 0x4b, struct virtgpu_context_request)

/* An ioctl, asked again where it was interrupted: 0, or -1 with errno. Any thread. */
int drm_call(int fd, unsigned long request, void *argument);
/* A GEM handle is let go. */
void drm_handle_close(int fd, uint32_t handle);
bool drm_is_virtio_gpu(int fd);

#endif
