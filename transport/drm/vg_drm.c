/* Waist A over the kernel's virtio-gpu driver: one open render node is one device with one context.
 * Any thread: the kernel serialises. */
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"
#include "transport/drm/drm_uapi.h"
#include "transport/virtgpu/vg.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NODE_FIRST      128
#define NODES           64
#define PAGE_SIZE       4096u
#define SUBMIT_MAX      16u /* resources of one submit */
#define WAIT_STEP_NS    (200u * 1000)
#define SETTLE_NS       (2 * SL_NS_PER_S)
#define SETTLE_SLICE_NS (100 * (int64_t)SL_NS_PER_MS)

#define HANDLES_MAX (1u << 20)

struct drm_vg {
    struct vg vg; /* first */
    int fd;
    uint32_t lost;        /* atomic: the kernel said that the device is gone */
    pthread_mutex_t lock; /* guards the mappings of all resources, and what follows */
    /* GEM handle -> how many resources of ours have it: the kernel gives an object one handle,
     * however often it is imported. */
    struct sl_map handles;
};

struct drm_res {
    struct vg_res res; /* first */
    uint32_t handle;   /* GEM */
    uint32_t pixel;    /* bytes of a 3D resource's pixel; 0: of no picture, or imported */
    void *mapping;     /* NULL until res_map */
};

static struct drm_vg *vg_from(struct vg *vg)
{
    return (struct drm_vg *)(void *)vg;
}

static struct drm_res *res_from(struct vg_res *res)
{
    return (struct drm_res *)(void *)res;
}

static enum sl_result ask(struct drm_vg *d, unsigned long request, void *argument)
{
    if (drm_call(d->fd, request, argument) == 0) {
        return SL_OK;
    }
    int error = errno;
    if (error == ENODEV || error == EIO) {
        sl_atomic_store_relaxed(&d->lost, 1); /* a flag alone */
        return SL_ERR_CLOSED;
    }
    return sl_result_from_errno(error);
}

/* ---- the device ---- */

static enum sl_result drm_caps(struct vg *vg, uint32_t capset, void *data, size_t size,
                               size_t *used)
{
    struct virtgpu_caps_request request = {
        .capset = capset, .address = (uint64_t)(uintptr_t)data, .size = (uint32_t)size};
    memset(data, 0, size);
    enum sl_result r = ask(vg_from(vg), VIRTGPU_CAPS, &request);
    *used = r == SL_OK ? size : 0; /* the kernel does not say: what is not there is zeros */
    return r == SL_ERR_INVALID ? SL_ERR_NOTFOUND : r;
}

/* 0: the kernel does not know it, or has none. */
static uint32_t get_param(int fd, uint64_t which)
{
    uint32_t value = 0;
    struct virtgpu_param_request request = {.param = which, .value = (uint64_t)(uintptr_t)&value};
    return drm_call(fd, VIRTGPU_PARAM, &request) == 0 ? value : 0;
}

static enum sl_result drm_param(struct vg *vg, enum vg_param which, uint64_t *value)
{
    switch (which) {
    case VG_PARAM_SHARED_FUTEX: /* another kernel */
    case VG_PARAM_COHERENT_TEX: /* guest pages: by transfers */
        *value = 0;
        return SL_OK;
    case VG_PARAM_CAPSET_MASK:
        *value = get_param(vg_from(vg)->fd, VIRTGPU_PARAM_CAPSETS);
        return SL_OK;
    }
    return SL_ERR_INVALID;
}

static enum sl_result drm_context_init(struct vg *vg, uint32_t capset, uint32_t ring_count,
                                       const char *name)
{
    (void)name; /* the kernel names contexts after their process */
    struct virtgpu_context_param params[] = {{VIRTGPU_CONTEXT_CAPSET, capset},
                                             {VIRTGPU_CONTEXT_RINGS, ring_count}};
    struct virtgpu_context_request request = {.count = 2, .params = (uint64_t)(uintptr_t)params};
    return ask(vg_from(vg), VIRTGPU_CONTEXT, &request);
}

static bool drm_alive(struct vg *vg)
{
    return sl_atomic_load_relaxed(&vg_from(vg)->lost) == 0;
}

static void drm_destroy(struct vg *vg)
{
    if (vg != NULL) {
        struct drm_vg *d = vg_from(vg);
        sl_fd_close(&d->fd);
        sl_map_finish(&d->handles);
        pthread_mutex_destroy(&d->lock);
        sl_free(d);
    }
}

/* ---- resources ---- */

/* Counts the handle. False: no memory, and the handle is as before. */
static bool handle_ref_locked(struct drm_vg *d, uint32_t handle)
{
    uintptr_t count = (uintptr_t)sl_map_remove(&d->handles, handle);
    if (sl_map_add(&d->handles, handle, (void *)(count + 1)) == SL_OK) {
        return true;
    }
    if (count == 0) {
        drm_handle_close(d->fd, handle);
    }
    return false;
}

/* Closes the handle that nothing else has. */
static void handle_unref_locked(struct drm_vg *d, uint32_t handle)
{
    uintptr_t count = (uintptr_t)sl_map_remove(&d->handles, handle);
    if (count <= 1) {
        drm_handle_close(d->fd, handle);
    } else {
        (void)!sl_map_add(&d->handles, handle, (void *)(count - 1)); /* else it stays open */
    }
}

static void handle_unref(struct drm_vg *d, uint32_t handle)
{
    pthread_mutex_lock(&d->lock);
    handle_unref_locked(d, handle);
    pthread_mutex_unlock(&d->lock);
}

/* handle: counted. */
static enum sl_result res_wrap(struct drm_vg *d, uint32_t handle, uint32_t id, uint64_t size,
                               uint32_t stride, struct vg_res **out)
{
    struct drm_res *res = sl_alloc(sizeof *res);
    if (res == NULL || id == 0) {
        sl_free(res);
        handle_unref(d, handle);
        return id == 0 ? SL_ERR_PROTOCOL : SL_ERR_NOMEM;
    }
    res->res = (struct vg_res){.vg = &d->vg, .id = id, .size = size, .stride = stride};
    res->handle = handle;
    *out = &res->res;
    return SL_OK;
}

/* Of a new object. */
static enum sl_result res_new(struct drm_vg *d, uint32_t handle, uint32_t id, uint64_t size,
                              uint32_t stride, struct vg_res **out)
{
    pthread_mutex_lock(&d->lock);
    bool counted = handle_ref_locked(d, handle);
    pthread_mutex_unlock(&d->lock);
    return counted ? res_wrap(d, handle, id, size, stride, out) : SL_ERR_NOMEM;
}

static enum sl_result drm_blob_create(struct vg *vg, const struct vg_blob_args *args,
                                      struct vg_res **out)
{
    if (args->size > UINT64_MAX - PAGE_SIZE) {
        return SL_ERR_INVALID;
    }
    struct virtgpu_blob_request request = {
        .mem = args->mem,
        .flags = args->flags,
        .size = (args->size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE,
        .blob_id = args->blob_id,
    };
    enum sl_result r = ask(vg_from(vg), VIRTGPU_BLOB, &request);
    return r == SL_OK ? res_new(vg_from(vg), request.handle, request.resource, request.size, 0, out)
                      : r;
}

static enum sl_result drm_submit(struct vg *vg, const struct vg_submit_args *args);

/* Waits until the host knows of the resource that the kernel has just told it of, since packets on
 * a ring overtake what goes by the kernel. A host that is stuck is not waited for. */
static void settle(struct drm_vg *d)
{
    static const uint32_t nothing = GFXSTREAM_PLACEHOLDER;
    int fence = -1;
    const struct vg_submit_args args = {.commands = &nothing,
                                        .size = sizeof nothing,
                                        .ring = VIRTGPU_RING_GLOBAL,
                                        .in_fence = -1,
                                        .out_fence = &fence};
    if (drm_submit(&d->vg, &args) != SL_OK) {
        return; /* there is no context, so nothing names the resource */
    }
    uint64_t end = sl_clock_ns() + SETTLE_NS;
    enum sl_result r;
    do {
        r = sl_fd_wait(fence, SETTLE_SLICE_NS);
    } while (r == SL_ERR_TIMEOUT && sl_clock_ns() < end && !sl_atomic_load_relaxed(&d->lost));
    sl_fd_close(&fence);
}

static enum sl_result drm_tex_create(struct vg *vg, const struct vg_tex_args *args,
                                     struct vg_res **out)
{
    uint32_t pixel = virtgpu_format_bytes(args->format);
    uint64_t stride = (uint64_t)args->width_px * pixel;
    uint64_t size = stride * args->height_px;
    if (pixel == 0 || stride > UINT32_MAX || args->height_px > UINT32_MAX / 2 ||
        size > UINT32_MAX - PAGE_SIZE) {
        return SL_ERR_INVALID;
    }
    struct virtgpu_tex_request request = {
        .target = args->target,
        .format = args->format,
        .bind = args->bind,
        .width = args->width_px,
        .height = args->height_px,
        .depth = args->depth,
        .array_size = args->array_size,
        .last_level = args->last_level,
        .nr_samples = args->nr_samples,
        .flags = args->flags,
        .size = (uint32_t)size,
        .stride = (uint32_t)stride,
    };
    enum sl_result r = ask(vg_from(vg), VIRTGPU_TEX, &request);
    if (r == SL_OK) {
        r = res_new(vg_from(vg), request.handle, request.resource, size, (uint32_t)stride, out);
    }
    if (r == SL_OK) {
        res_from(*out)->pixel = pixel;
        settle(vg_from(vg));
    }
    return r;
}

static enum sl_result drm_res_import(struct vg *vg, int fd, uint64_t size, struct vg_res **out)
{
    struct drm_vg *d = vg_from(vg);
    struct drm_prime_request prime = {.fd = fd};
    pthread_mutex_lock(&d->lock); /* nobody closes the handle before it is counted */
    enum sl_result r = ask(d, DRM_PRIME_IMPORT, &prime);
    if (r == SL_OK && !handle_ref_locked(d, prime.handle)) {
        r = SL_ERR_NOMEM;
    }
    pthread_mutex_unlock(&d->lock);
    sl_fd_close(&fd);
    if (r != SL_OK) {
        return r;
    }
    struct virtgpu_info_request info = {.handle = prime.handle};
    r = ask(d, VIRTGPU_INFO, &info);
    if (r == SL_OK && size > info.size) {
        r = SL_ERR_INVALID;
    }
    if (r != SL_OK) {
        handle_unref(d, prime.handle);
        return r;
    }
    r = res_wrap(d, prime.handle, info.resource, info.size, 0, out);
    if (r == SL_OK) {
        settle(d);
    }
    return r;
}

static enum sl_result drm_res_export(struct vg_res *res, int *fd)
{
    struct drm_prime_request prime = {.handle = res_from(res)->handle, .flags = O_CLOEXEC | O_RDWR};
    enum sl_result r = ask(vg_from(res->vg), DRM_PRIME_EXPORT, &prime);
    if (r == SL_OK) {
        *fd = prime.fd;
    }
    return r;
}

static enum sl_result map_locked(struct drm_vg *d, struct drm_res *res)
{
    struct virtgpu_map_request request = {.handle = res->handle};
    enum sl_result r = ask(d, VIRTGPU_MAP, &request);
    if (r != SL_OK) {
        return r;
    }
    void *p =
        mmap(NULL, res->res.size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, (off_t)request.offset);
    if (p == MAP_FAILED) {
        return sl_result_from_errno(errno);
    }
    res->mapping = p;
    return SL_OK;
}

static enum sl_result drm_res_map(struct vg_res *base, void **mapping)
{
    struct drm_vg *d = vg_from(base->vg);
    struct drm_res *res = res_from(base);
    pthread_mutex_lock(&d->lock);
    enum sl_result r = res->mapping != NULL ? SL_OK : map_locked(d, res);
    if (r == SL_OK) {
        *mapping = res->mapping;
    }
    pthread_mutex_unlock(&d->lock);
    return r;
}

static void drm_res_destroy(struct vg_res *base)
{
    struct drm_res *res = res_from(base);
    if (res->mapping != NULL) {
        munmap(res->mapping, base->size);
    }
    handle_unref(vg_from(base->vg), res->handle);
    sl_free(res);
}

/* ---- submits and waits ---- */

/* The kernel's own wait gives up after a while: asked again, for ever when that is wanted. */
static enum sl_result drm_res_wait(struct vg_res *base, int64_t timeout_ns)
{
    struct drm_vg *d = vg_from(base->vg);
    uint64_t start = sl_clock_ns();
    for (;;) {
        struct virtgpu_wait_request request = {.handle = res_from(base)->handle,
                                               .flags = timeout_ns < 0 ? 0 : VIRTGPU_WAIT_NOT};
        if (drm_call(d->fd, VIRTGPU_WAIT, &request) == 0) {
            return SL_OK;
        }
        if (errno != EBUSY) {
            return sl_result_from_errno(errno);
        }
        if (timeout_ns >= 0) {
            if (sl_clock_ns() - start >= (uint64_t)timeout_ns) {
                return SL_ERR_TIMEOUT;
            }
            sl_clock_sleep_ns(WAIT_STEP_NS);
        }
    }
}

static enum sl_result drm_res_transfer(struct vg_res *res, const struct vg_box *box,
                                       enum vg_direction direction)
{
    struct virtgpu_transfer_request request = {
        .handle = res_from(res)->handle,
        .x = box->x,
        .y = box->y,
        .z = box->z,
        .width = box->width,
        .height = box->height,
        .depth = box->depth,
        .offset = box->y * res->stride + box->x * res_from(res)->pixel,
        .stride =
            0, /* rows lie as the resource was made: the kernel takes another one for blobs alone */
    };
    enum sl_result r = ask(vg_from(res->vg),
                           direction == VG_TO_HOST ? VIRTGPU_TO_HOST : VIRTGPU_FROM_HOST, &request);
    return r == SL_OK ? drm_res_wait(res, -1) : r;
}

static enum sl_result drm_submit(struct vg *vg, const struct vg_submit_args *args)
{
    uint32_t handles[SUBMIT_MAX];
    if (args->resource_count > SUBMIT_MAX || args->size > UINT32_MAX) {
        return SL_ERR_INVALID;
    }
    for (uint32_t i = 0; i < args->resource_count; i++) {
        handles[i] = res_from(args->resources[i])->handle;
    }
    struct virtgpu_exec_request request = {
        .size = (uint32_t)args->size,
        .command = (uint64_t)(uintptr_t)args->commands,
        .handles = (uint64_t)(uintptr_t)handles,
        .handle_count = args->resource_count,
        .fence_fd = args->in_fence,
    };
    if (args->in_fence >= 0) {
        request.flags |= VIRTGPU_EXEC_FENCE_IN;
    }
    if (args->out_fence != NULL) {
        request.flags |= VIRTGPU_EXEC_FENCE_OUT;
    }
    if (args->ring != VIRTGPU_RING_GLOBAL) {
        request.flags |= VIRTGPU_EXEC_RING;
        request.ring = args->ring;
    }
    enum sl_result r = ask(vg_from(vg), VIRTGPU_EXEC, &request);
    if (r == SL_OK && args->out_fence != NULL) {
        *args->out_fence = request.fence_fd;
    }
    return r;
}

static const struct vg_ops drm_ops = {
    .caps = drm_caps,
    .param = drm_param,
    .context_init = drm_context_init,
    .blob_create = drm_blob_create,
    .tex_create = drm_tex_create,
    .res_import = drm_res_import,
    .res_export = drm_res_export,
    .res_map = drm_res_map,
    .res_wait = drm_res_wait,
    .res_transfer = drm_res_transfer,
    .res_destroy = drm_res_destroy,
    .submit = drm_submit,
    .alive = drm_alive,
    .destroy = drm_destroy,
};

/* ---- opening ---- */

static int open_node(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && !drm_is_virtio_gpu(fd)) {
        sl_fd_close(&fd);
    }
    return fd;
}

/* The first that gfxstream can be spoken to: a virtual GPU of another kind is not ours to take. */
static int find_node(void)
{
    const uint32_t ours =
        1u << VIRTGPU_CAPSET_GFXSTREAM_VULKAN | 1u << VIRTGPU_CAPSET_GFXSTREAM_GLES;
    int fd = -1;
    for (int i = 0; i < NODES && fd < 0; i++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/dri/renderD%d", NODE_FIRST + i);
        fd = open_node(path);
        if (fd >= 0 && (get_param(fd, VIRTGPU_PARAM_CAPSETS) & ours) == 0) {
            sl_fd_close(&fd);
        }
    }
    return fd;
}

bool vg_drm_there(void)
{
    int fd = find_node();
    bool there = fd >= 0;
    sl_fd_close(&fd);
    return there;
}

enum sl_result vg_drm_open(const char *path, struct vg **out)
{
    bool named = path != NULL && *path != '\0';
    int fd = named ? open_node(path) : find_node();
    if (fd < 0) {
        if (named) {
            sl_error("drm", "%s: no render node of virtio-gpu that this user may open", path);
        }
        return SL_ERR_NOTFOUND;
    }
    struct drm_vg *d = sl_alloc(sizeof *d);
    if (d == NULL) {
        sl_fd_close(&fd);
        return SL_ERR_NOMEM;
    }
    *d = (struct drm_vg){.vg.ops = &drm_ops, .fd = fd};
    pthread_mutex_init(&d->lock, NULL);
    sl_map_init(&d->handles, HANDLES_MAX);
    if (get_param(d->fd, VIRTGPU_PARAM_CONTEXT_INIT) == 0) {
        sl_error("drm", "the virtual GPU has no context types: serve it with sluice device, and "
                        "a kernel from 5.16 on");
        drm_destroy(&d->vg);
        return SL_ERR_UNSUPPORTED;
    }
    *out = &d->vg;
    return SL_OK;
}
