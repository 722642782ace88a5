/* libgbm's interface to its backends, version 0, and the types of gbm.h that it needs: layouts and
 * numbers of a stable binary interface, so that a build needs no header of theirs. */
#ifndef GUEST_GBM_ABI_H
#define GUEST_GBM_ABI_H

#include <stddef.h>
#include <stdint.h>

struct gbm_backend_desc;
struct gbm_bo;
struct gbm_device;
struct gbm_surface;

union gbm_bo_handle {
    void *ptr;
    int32_t s32;
    uint32_t u32;
    int64_t s64;
    uint64_t u64;
};

enum {
    GBM_BO_USE_SCANOUT = 1,
    GBM_BO_USE_CURSOR = 2,
    GBM_BO_USE_RENDERING = 4,
    GBM_BO_USE_WRITE = 8,
    GBM_BO_USE_LINEAR = 16,
};
enum { GBM_BO_TRANSFER_READ = 1, GBM_BO_TRANSFER_WRITE = 2 };
enum { GBM_BO_IMPORT_FD = 0x5503, GBM_BO_IMPORT_FD_MODIFIER = 0x5504 };
enum {
    GBM_FORMAT_ARGB8888 = 0x34325241,
    GBM_FORMAT_XRGB8888 = 0x34325258,
    GBM_FORMAT_ABGR8888 = 0x34324241,
    GBM_FORMAT_XBGR8888 = 0x34324258,
    GBM_FORMAT_R8 = 0x20203852,
    GBM_FORMAT_GR88 = 0x38385247,
};

struct gbm_import_fd_data {
    int fd;
    uint32_t width, height, stride, format;
};
struct gbm_import_fd_modifier_data {
    uint32_t width, height, format, num_fds;
    int fds[4], strides[4], offsets[4];
    uint64_t modifier;
};

struct gbm_device_v0 {
    const struct gbm_backend_desc *backend_desc;
    uint32_t backend_version;
    int fd;
    const char *name;
    void (*destroy)(struct gbm_device *);
    int (*is_format_supported)(struct gbm_device *, uint32_t format, uint32_t usage);
    int (*get_format_modifier_plane_count)(struct gbm_device *, uint32_t format, uint64_t modifier);
    struct gbm_bo *(*bo_create)(struct gbm_device *, uint32_t width, uint32_t height,
                                uint32_t format, uint32_t usage, const uint64_t *modifiers,
                                unsigned count);
    struct gbm_bo *(*bo_import)(struct gbm_device *, uint32_t type, void *buffer, uint32_t usage);
    void *(*bo_map)(struct gbm_bo *, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                    uint32_t flags, uint32_t *stride, void **map_data);
    void (*bo_unmap)(struct gbm_bo *, void *map_data);
    int (*bo_write)(struct gbm_bo *, const void *data, size_t size);
    int (*bo_get_fd)(struct gbm_bo *);
    int (*bo_get_planes)(struct gbm_bo *);
    union gbm_bo_handle (*bo_get_handle)(struct gbm_bo *, int plane);
    int (*bo_get_plane_fd)(struct gbm_bo *, int plane);
    uint32_t (*bo_get_stride)(struct gbm_bo *, int plane);
    uint32_t (*bo_get_offset)(struct gbm_bo *, int plane);
    uint64_t (*bo_get_modifier)(struct gbm_bo *);
    void (*bo_destroy)(struct gbm_bo *);
    struct gbm_surface *(*surface_create)(struct gbm_device *, uint32_t width, uint32_t height,
                                          uint32_t format, uint32_t flags,
                                          const uint64_t *modifiers, unsigned count);
    struct gbm_bo *(*surface_lock_front_buffer)(struct gbm_surface *);
    void (*surface_release_buffer)(struct gbm_surface *, struct gbm_bo *);
    int (*surface_has_free_buffers)(struct gbm_surface *);
    void (*surface_destroy)(struct gbm_surface *);
};

struct gbm_device {
    struct gbm_device *(*dummy)(int); /* libgbm's: how it knows a gbm_device by its first word */
    struct gbm_device_v0 v0;
};

struct gbm_bo_v0 {
    uint32_t width, height, stride, format;
    union gbm_bo_handle handle;
    void *user_data;
    void (*destroy_user_data)(struct gbm_bo *, void *);
};

struct gbm_bo {
    struct gbm_device *gbm;
    struct gbm_bo_v0 v0;
};

struct gbm_surface_v0 {
    uint32_t width, height, format, flags;
    uint64_t *modifiers;
    unsigned count;
};

struct gbm_surface {
    struct gbm_device *gbm;
    struct gbm_surface_v0 v0;
};

struct gbm_backend_v0 {
    uint32_t backend_version;
    const char *backend_name;
    struct gbm_device *(*create_device)(int fd, uint32_t gbm_backend_version);
};

struct gbm_backend {
    struct gbm_backend_v0 v0;
};

struct gbm_core_v0 {
    uint32_t core_version;
    uint32_t (*format_canonicalize)(uint32_t gbm_format);
};

struct gbm_core {
    struct gbm_core_v0 v0;
};

#endif
