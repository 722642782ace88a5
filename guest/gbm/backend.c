/* A backend of libgbm: buffers of the virtual machine's GPU that the host draws into and the
 * kernel's display device shows.
 *
 * libgbm loads it as <name>_gbm.so and calls it on the program's threads; a program that shares a
 * gbm_device between threads sees to it that one calls at a time, except for what a device has
 * once. What is drawn into is a 3D resource, made on a render node of our own, since the program's
 * descriptor may be a display's that has no context, and known there by its GEM handle. What a CPU
 * writes (cursors) is a dumb buffer of the program's descriptor. */
#include "guest/gbm/gbm_kms.h"
#include "guest/gbm/sluice_gbm.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/drm/drm_uapi.h"
#include "transport/virtgpu/vg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MODIFIER_LINEAR 0
#define SIDE_MAX        16384u

struct device {
    struct gbm_device base; /* first */
    const struct gbm_core *core;
    struct vg *vg; /* the render node, with a context of our host's */
};

struct bo {
    struct gbm_bo base; /* first */
    struct vg_res *res; /* what is drawn into; NULL: a dumb or an imported buffer */
    bool is_dumb;
    uint64_t size;
    void *mapping; /* of a dumb buffer; NULL: none */
    /* while it is mapped by bo_map */
    struct vg_box box;
    uint32_t map_flags;
};

static struct device *device_of(struct gbm_device *base)
{
    return (struct device *)(void *)base;
}

static struct bo *bo_of(struct gbm_bo *base)
{
    return (struct bo *)(void *)base;
}

/* The program's descriptor's GEM handle of what a dma-buf is; borrows. */
static bool handle_of(int fd, int dma_buf, uint32_t *handle)
{
    struct drm_prime_request request = {.fd = dma_buf};
    if (drm_call(fd, DRM_PRIME_IMPORT, &request) != 0) {
        return false;
    }
    *handle = request.handle;
    return true;
}

/* --- buffers --- */

struct format {
    uint32_t fourcc, virtgpu_format;
    uint32_t pixel;  /* bytes */
    bool is_surface; /* surfaces have it, and displays show it */
};

/* NULL: not offered. */
static const struct format *format_find(const struct device *device, uint32_t wanted)
{
    static const struct format formats[] = {
        {GBM_FORMAT_ARGB8888, VIRTGPU_FORMAT_B8G8R8A8, 4, true},
        {GBM_FORMAT_XRGB8888, VIRTGPU_FORMAT_B8G8R8X8, 4, true},
        {GBM_FORMAT_ABGR8888, VIRTGPU_FORMAT_R8G8B8A8, 4, true},
        {GBM_FORMAT_XBGR8888, VIRTGPU_FORMAT_R8G8B8X8, 4, true},
        {GBM_FORMAT_R8, VIRTGPU_FORMAT_R8, 1, false}, /* of which pictures of YUV are made */
        {GBM_FORMAT_GR88, VIRTGPU_FORMAT_R8G8, 2, false},
    };
    uint32_t fourcc = device->core->v0.format_canonicalize(wanted);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i].fourcc == fourcc) {
            return &formats[i];
        }
    }
    return NULL;
}

static int is_format_supported(struct gbm_device *base, uint32_t format, uint32_t usage)
{
    const struct format *f = format_find(device_of(base), format);
    return f != NULL && (f->is_surface || (usage & GBM_BO_USE_SCANOUT) == 0);
}

static int plane_count(struct gbm_device *base, uint32_t format, uint64_t modifier)
{
    bool known = modifier == MODIFIER_LINEAR && format_find(device_of(base), format) != NULL;
    return known ? 1 : -1;
}

static bool tex_make(struct device *device, struct bo *bo, const struct format *format)
{
    uint32_t bind = VIRTGPU_BIND_RENDER_TARGET | VIRTGPU_BIND_SAMPLER_VIEW;
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = format->virtgpu_format,
                                     .bind = bind | (format->is_surface ? VIRTGPU_BIND_SCANOUT : 0),
                                     .width_px = bo->base.v0.width,
                                     .height_px = bo->base.v0.height,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = VIRTGPU_RESOURCE_Y_0_TOP};
    int fd;
    if (vg_tex_create(device->vg, &args, &bo->res) != SL_OK) {
        return false;
    }
    bool ok = device->vg->ops->res_export(bo->res, &fd) == SL_OK;
    if (ok) {
        ok = handle_of(device->base.v0.fd, fd, &bo->base.v0.handle.u32);
        sl_fd_close(&fd);
    }
    if (!ok) {
        vg_res_destroy(bo->res);
        return false;
    }
    bo->base.v0.stride = bo->res->stride;
    bo->size = bo->res->size;
    return true;
}

static bool dumb_make(struct device *device, struct bo *bo, const struct format *format)
{
    struct kms_dumb_request request = {
        .width = bo->base.v0.width, .height = bo->base.v0.height, .bits = format->pixel * 8};
    if (drm_call(device->base.v0.fd, KMS_DUMB, &request) != 0) {
        return false;
    }
    bo->base.v0.handle.u32 = request.handle;
    bo->base.v0.stride = request.stride;
    bo->size = request.size;
    bo->is_dumb = true;
    return true;
}

static struct gbm_bo *fail(struct bo *bo, int error)
{
    sl_free(bo);
    errno = error;
    return NULL;
}

static struct gbm_bo *bo_create(struct gbm_device *base, uint32_t width, uint32_t height,
                                uint32_t format, uint32_t usage, const uint64_t *modifiers,
                                unsigned count)
{
    struct device *device = device_of(base);
    const struct format *known = format_find(device, format);
    bool linear = count == 0;
    for (unsigned i = 0; i < count; i++) {
        linear = linear || modifiers[i] == MODIFIER_LINEAR;
    }
    if (known == NULL || !linear || width > SIDE_MAX || height > SIDE_MAX) {
        return fail(NULL, EINVAL);
    }
    struct bo *bo = sl_alloc(sizeof *bo);
    if (bo == NULL) {
        return fail(NULL, ENOMEM);
    }
    *bo = (struct bo){.base.gbm = base,
                      .base.v0 = {.width = width,
                                  .height = height,
                                  .format = device->core->v0.format_canonicalize(format)}};
    bool written = (usage & (GBM_BO_USE_WRITE | GBM_BO_USE_CURSOR)) != 0;
    if (!(written ? dumb_make(device, bo, known) : tex_make(device, bo, known))) {
        return fail(bo, ENOMEM);
    }
    return &bo->base;
}

static struct gbm_bo *import_plane(struct gbm_device *base, int fd, uint32_t width, uint32_t height,
                                   uint32_t stride, uint32_t format)
{
    struct device *device = device_of(base);
    if (format_find(device, format) == NULL) {
        return fail(NULL, EINVAL);
    }
    struct bo *bo = sl_alloc(sizeof *bo);
    if (bo == NULL) {
        return fail(NULL, ENOMEM);
    }
    *bo = (struct bo){.base.gbm = base,
                      .base.v0 = {.width = width,
                                  .height = height,
                                  .stride = stride,
                                  .format = device->core->v0.format_canonicalize(format)}};
    return handle_of(base->v0.fd, fd, &bo->base.v0.handle.u32) ? &bo->base : fail(bo, EINVAL);
}

static struct gbm_bo *bo_import(struct gbm_device *base, uint32_t type, void *buffer,
                                uint32_t usage)
{
    (void)usage;
    if (type == GBM_BO_IMPORT_FD) {
        const struct gbm_import_fd_data *data = buffer;
        return import_plane(base, data->fd, data->width, data->height, data->stride, data->format);
    }
    if (type == GBM_BO_IMPORT_FD_MODIFIER) {
        const struct gbm_import_fd_modifier_data *data = buffer;
        if (data->num_fds != 1 || data->offsets[0] != 0 || data->modifier != MODIFIER_LINEAR) {
            return fail(NULL, EINVAL);
        }
        return import_plane(base, data->fds[0], data->width, data->height,
                            (uint32_t)data->strides[0], data->format);
    }
    return fail(NULL, ENOSYS);
}

static void bo_destroy(struct gbm_bo *base)
{
    struct bo *bo = bo_of(base);
    if (bo->mapping != NULL) {
        munmap(bo->mapping, bo->size);
    }
    drm_handle_close(base->gbm->v0.fd, base->v0.handle.u32);
    vg_res_destroy(bo->res);
    sl_free(bo);
}

/* --- a buffer's memory --- */

static uint8_t *dumb_map(struct bo *bo)
{
    int fd = bo->base.gbm->v0.fd;
    struct kms_map_request request = {.handle = bo->base.v0.handle.u32};
    if (bo->mapping == NULL && drm_call(fd, KMS_MAP_DUMB, &request) == 0) {
        void *p =
            mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)request.offset);
        bo->mapping = p != MAP_FAILED ? p : NULL;
    }
    return bo->mapping;
}

static void *bo_map(struct gbm_bo *base, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                    uint32_t flags, uint32_t *stride, void **map_data)
{
    struct bo *bo = bo_of(base);
    void *pixels = NULL;
    if (x > base->v0.width || width > base->v0.width - x || y > base->v0.height ||
        height > base->v0.height - y || *map_data != NULL) {
        errno = EINVAL;
        return NULL;
    }
    bo->box = (struct vg_box){.x = x, .y = y, .width = width, .height = height, .depth = 1};
    bo->map_flags = flags;
    if (bo->is_dumb) {
        pixels = dumb_map(bo);
    } else if (bo->res != NULL && vg_res_map(bo->res, &pixels) == SL_OK &&
               bo->res->vg->ops->res_transfer(bo->res, &bo->box, VG_FROM_HOST) != SL_OK) {
        pixels = NULL;
    }
    if (pixels == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *map_data = bo;
    *stride = base->v0.stride;
    size_t pixel = format_find(device_of(base->gbm), base->v0.format)->pixel;
    return (uint8_t *)pixels + (size_t)y * base->v0.stride + (size_t)x * pixel;
}

static void bo_unmap(struct gbm_bo *base, void *map_data)
{
    struct bo *bo = bo_of(base);
    if (map_data == bo && bo->res != NULL && (bo->map_flags & GBM_BO_TRANSFER_WRITE) != 0) {
        (void)bo->res->vg->ops->res_transfer(bo->res, &bo->box, VG_TO_HOST);
    }
}

static int bo_write(struct gbm_bo *base, const void *data, size_t size)
{
    struct bo *bo = bo_of(base);
    uint8_t *pixels = bo->is_dumb ? dumb_map(bo) : NULL;
    if (pixels == NULL || size > bo->size) {
        errno = EINVAL;
        return -1;
    }
    memcpy(pixels, data, size);
    return 0;
}

static int bo_get_fd(struct gbm_bo *base)
{
    struct drm_prime_request request = {.handle = base->v0.handle.u32, .flags = O_CLOEXEC | O_RDWR};
    return drm_call(base->gbm->v0.fd, DRM_PRIME_EXPORT, &request) == 0 ? request.fd : -1;
}

static int bo_get_planes(struct gbm_bo *base)
{
    (void)base;
    return 1;
}

static union gbm_bo_handle bo_get_handle(struct gbm_bo *base, int plane)
{
    return plane == 0 ? base->v0.handle : (union gbm_bo_handle){.s64 = -1};
}

static int bo_get_plane_fd(struct gbm_bo *base, int plane)
{
    return plane == 0 ? bo_get_fd(base) : -1;
}

static uint32_t bo_get_stride(struct gbm_bo *base, int plane)
{
    return plane == 0 ? base->v0.stride : 0;
}

static uint32_t bo_get_offset(struct gbm_bo *base, int plane)
{
    (void)base;
    (void)plane;
    return 0;
}

static uint64_t bo_get_modifier(struct gbm_bo *base)
{
    (void)base;
    return MODIFIER_LINEAR;
}

/* --- surfaces --- */

static struct gbm_surface *surface_create(struct gbm_device *base, uint32_t width, uint32_t height,
                                          uint32_t format, uint32_t flags,
                                          const uint64_t *modifiers, unsigned count)
{
    struct device *device = device_of(base);
    bool linear = count == 0;
    for (unsigned i = 0; i < count; i++) {
        linear = linear || modifiers[i] == MODIFIER_LINEAR;
    }
    const struct format *known = format_find(device, format);
    if (known == NULL || !known->is_surface || !linear) {
        errno = EINVAL;
        return NULL;
    }
    struct sluice_gbm_surface *surface = sl_alloc(sizeof *surface);
    if (surface == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *surface = (struct sluice_gbm_surface){
        .base = {.gbm = base,
                 .v0 = {.width = width,
                        .height = height,
                        .format = device->core->v0.format_canonicalize(format),
                        .flags = flags}},
        .front = -1};
    return &surface->base;
}

static struct gbm_bo *surface_lock_front_buffer(struct gbm_surface *base)
{
    struct sluice_gbm_surface *surface = sluice_gbm_surface_of(base);
    int front = surface->front;
    if (front < 0) {
        errno = EINVAL; /* nothing was swapped since */
        return NULL;
    }
    surface->locked[front] = true;
    surface->front = -1;
    return surface->buffers[front];
}

static void surface_release_buffer(struct gbm_surface *base, struct gbm_bo *bo)
{
    struct sluice_gbm_surface *surface = sluice_gbm_surface_of(base);
    for (int i = 0; i < SLUICE_GBM_BUFFERS; i++) {
        surface->locked[i] = surface->locked[i] && surface->buffers[i] != bo;
    }
}

static int surface_has_free_buffers(struct gbm_surface *base)
{
    const struct sluice_gbm_surface *surface = sluice_gbm_surface_of(base);
    bool has = false;
    for (int i = 0; i < SLUICE_GBM_BUFFERS; i++) {
        has = has || !surface->locked[i];
    }
    return has;
}

static void surface_destroy(struct gbm_surface *base)
{
    sl_free(sluice_gbm_surface_of(base)); /* its buffers went with the EGL surface */
}

/* --- the device --- */

static const struct gbm_core *core; /* libgbm's own, said once before any device is made */

static void destroy(struct gbm_device *base)
{
    struct device *device = device_of(base);
    device->vg->ops->destroy(device->vg);
    sl_free(device);
}

static const struct gbm_device_v0 functions = {
    .name = SLUICE_GBM_NAME,
    .destroy = destroy,
    .is_format_supported = is_format_supported,
    .get_format_modifier_plane_count = plane_count,
    .bo_create = bo_create,
    .bo_import = bo_import,
    .bo_map = bo_map,
    .bo_unmap = bo_unmap,
    .bo_write = bo_write,
    .bo_get_fd = bo_get_fd,
    .bo_get_planes = bo_get_planes,
    .bo_get_handle = bo_get_handle,
    .bo_get_plane_fd = bo_get_plane_fd,
    .bo_get_stride = bo_get_stride,
    .bo_get_offset = bo_get_offset,
    .bo_get_modifier = bo_get_modifier,
    .bo_destroy = bo_destroy,
    .surface_create = surface_create,
    .surface_lock_front_buffer = surface_lock_front_buffer,
    .surface_release_buffer = surface_release_buffer,
    .surface_has_free_buffers = surface_has_free_buffers,
    .surface_destroy = surface_destroy,
};

/* fd: borrowed. NULL: it is no virtual GPU of our host's, and libgbm tries its next backend. */
static struct gbm_device *create_device(int fd, uint32_t version)
{
    if (!drm_is_virtio_gpu(fd)) {
        errno = ENODEV;
        return NULL;
    }
    struct device *device = sl_alloc(sizeof *device);
    if (device == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *device = (struct device){.base.v0 = functions, .core = core};
    device->base.v0.fd = fd;
    device->base.v0.backend_version = version;
    enum sl_result r = vg_drm_open(NULL, &device->vg);
    if (r == SL_OK) {
        r = device->vg->ops->context_init(device->vg, VIRTGPU_CAPSET_GFXSTREAM_GLES, 1, "gbm");
        if (r != SL_OK) {
            device->vg->ops->destroy(device->vg);
        }
    }
    if (r != SL_OK) {
        sl_warn("gbm", "the host gives no context: %s", sl_result_name(r));
        sl_free(device);
        errno = ENODEV;
        return NULL;
    }
    return &device->base;
}

static const struct gbm_backend backend = {
    .v0 = {.backend_version = 0, .backend_name = SLUICE_GBM_NAME, .create_device = create_device}};

const struct gbm_backend *gbmint_get_backend(const struct gbm_core *loader);

__attribute__((visibility("default"))) const struct gbm_backend *
gbmint_get_backend(const struct gbm_core *loader)
{
    core = loader;
    return &backend;
}
