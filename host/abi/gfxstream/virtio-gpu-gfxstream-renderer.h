/* The C interface by which a virtual machine monitor links a gfxstream renderer, version 0.1.2, as
 * libgfxstream_backend.so of Sluice offers it.
 *
 * Names, values and layouts are those of the interface; functions that others mark as unstable are
 * in the header beside this one.
 *
 * Threads: any, one after another or at once; calls are taken one at a time. The fence callback
 * runs on the caller's thread inside stream_renderer_create_fence, _context_destroy and _teardown,
 * else on a thread of the renderer; the debug callback on any thread, inside any call. Neither may
 * call the renderer: from the thread that is inside a call that is refused, from another it may
 * wait for ever.
 *
 * Results: 0, or a negative errno, unless a function says otherwise. Before a successful init and
 * after teardown every function fails, or does nothing. Nothing here ends or aborts the process. */
#ifndef GFXSTREAM_RENDERER_H
#define GFXSTREAM_RENDERER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VG_EXPORT __attribute__((visibility("default")))

#define STREAM_RENDERER_VERSION_MAJOR 0
#define STREAM_RENDERER_VERSION_MINOR 1
#define STREAM_RENDERER_VERSION_PATCH 2

/* ---- init ---- */

struct stream_renderer_param {
    uint64_t key;
    uint64_t value; /* a number, or a pointer */
};

#define STREAM_RENDERER_PARAM_NULL                     0
#define STREAM_RENDERER_PARAM_USER_DATA                1 /* required: for the callbacks */
#define STREAM_RENDERER_PARAM_RENDERER_FLAGS           2 /* required: STREAM_RENDERER_FLAGS_* */
#define STREAM_RENDERER_PARAM_FENCE_CALLBACK           3 /* required */
#define STREAM_RENDERER_PARAM_WIN0_WIDTH               4 /* taken, without effect */
#define STREAM_RENDERER_PARAM_WIN0_HEIGHT              5 /* taken, without effect */
#define STREAM_RENDERER_PARAM_DEBUG_CALLBACK           6 /* without it the log goes to stderr */
#define STREAM_RENDERER_PARAM_HOST_VISIBLE_MEMORY_MASK 8 /* not known */
#define STREAM_RENDERER_PARAM_RENDERING_GPU            9 /* not known */
/* Not 0: the embedder has its own GLES, so that none is offered here. */
#define STREAM_RENDERER_PARAM_SKIP_OPENGLES_INIT 10
/* "Name:enabled,Name:disabled": an unknown name or word fails init. SluiceTrust:enabled: the guest
 * may do with drivers of the CPU what reaches its process's memory (device addresses, and indices
 * of shaders past their arrays) and have shaders of any length; without it such drivers offer it
 * no device addresses, and a shader's SPIR-V is of 4 MiB at most. SPIR-V is never validated here:
 * init warns of it, as a damaged module may end a process whose driver is one of the CPU. */
#define STREAM_RENDERER_PARAM_RENDERER_FEATURES 11
/* Taken, never called: nothing is measured for them. */
#define STREAM_RENDERER_PARAM_METRICS_CALLBACK_ADD_INSTANT_EVENT                 1024
#define STREAM_RENDERER_PARAM_METRICS_CALLBACK_ADD_INSTANT_EVENT_WITH_DESCRIPTOR 1025
#define STREAM_RENDERER_PARAM_METRICS_CALLBACK_ADD_INSTANT_EVENT_WITH_METRIC     1026
#define STREAM_RENDERER_PARAM_METRICS_CALLBACK_ADD_VULKAN_OUT_OF_MEMORY_EVENT    1027
#define STREAM_RENDERER_PARAM_METRICS_CALLBACK_SET_ANNOTATION                    1028

#define STREAM_RENDERER_FLAGS_USE_EGL         (1 << 0) /* taken, as are the next three */
#define STREAM_RENDERER_FLAGS_THREAD_SYNC     (1 << 1)
#define STREAM_RENDERER_FLAGS_USE_GLX         (1 << 2)
#define STREAM_RENDERER_FLAGS_USE_SURFACELESS (1 << 3)
#define STREAM_RENDERER_FLAGS_USE_GLES        (1 << 4) /* capsets 8 and 9 */
#define STREAM_RENDERER_FLAGS_USE_VK          (1 << 5) /* capset 3 */
/* Blobs are for stream_renderer_export_blob, and stream_renderer_resource_map refuses them. */
#define STREAM_RENDERER_FLAGS_USE_EXTERNAL_BLOB       (1 << 6)
#define STREAM_RENDERER_FLAGS_USE_SYSTEM_BLOB         (1 << 7) /* wants USE_EXTERNAL_BLOB */
#define STREAM_RENDERER_FLAGS_VULKAN_NATIVE_SWAPCHAIN (1 << 8) /* wants USE_VK */

#define STREAM_RENDERER_FENCE_FLAG_FENCE    (1 << 0)
#define STREAM_RENDERER_FENCE_FLAG_RING_IDX (1 << 1) /* of (ctx_id, ring_idx); else global */
/* stream_renderer_export_fence will be asked for it. */
#define STREAM_RENDERER_FENCE_FLAG_SHAREABLE (1 << 2)

struct stream_renderer_fence {
    uint32_t flags;
    uint64_t fence_id;
    uint32_t ctx_id;
    uint8_t ring_idx;
};

/* Once for each fence, as it was created but for SHAREABLE; borrowed. */
typedef void (*stream_renderer_fence_callback)(void *user_data,
                                               struct stream_renderer_fence *fence);

#define STREAM_RENDERER_DEBUG_ERROR 0x1
#define STREAM_RENDERER_DEBUG_WARN  0x2
#define STREAM_RENDERER_DEBUG_INFO  0x3
#define STREAM_RENDERER_DEBUG_DEBUG 0x4

struct stream_renderer_debug {
    uint32_t debug_type;
    const char *message; /* one line */
};

typedef void (*stream_renderer_debug_callback)(void *user_data,
                                               struct stream_renderer_debug *debug);

/* -EINVAL: a required parameter is missing, a feature string that is not understood, features that
 * exclude each other, a second init without teardown, or no native driver for what was asked. */
VG_EXPORT int stream_renderer_init(struct stream_renderer_param *params, uint64_t num_params);
/* Ends all contexts, destroys all resources, calls back for all fences. Harmless without init. */
VG_EXPORT void stream_renderer_teardown(void);

/* ---- capsets ---- */

/* Writes *max_size of capset `set`; of one that is not offered, nothing. *max_ver stays. */
VG_EXPORT void stream_renderer_get_cap_set(uint32_t set, uint32_t *max_ver, uint32_t *max_size);
/* Writes as many bytes as stream_renderer_get_cap_set said. */
VG_EXPORT void stream_renderer_fill_caps(uint32_t set, uint32_t version, void *caps);

/* ---- contexts ---- */

/* name: nlen bytes, for logs. context_init: the capset's id in its low 8 bits, 0: the first on
 * offer. -EINVAL: an id that is 0 or in use, other bits, or no such capset. */
VG_EXPORT int stream_renderer_context_create(uint32_t ctx_id, uint32_t nlen, const char *name,
                                             uint32_t context_init);
VG_EXPORT void stream_renderer_context_destroy(uint32_t ctx_id);
VG_EXPORT void stream_renderer_ctx_attach_resource(int ctx_id, int res_handle);
VG_EXPORT void stream_renderer_ctx_detach_resource(int ctx_id, int res_handle);

struct stream_renderer_handle {
    int64_t os_handle;
    uint32_t handle_type; /* STREAM_HANDLE_TYPE_* */
};

#define STREAM_HANDLE_TYPE_MEM_OPAQUE_FD    0x1
#define STREAM_HANDLE_TYPE_MEM_DMABUF       0x2
#define STREAM_HANDLE_TYPE_MEM_OPAQUE_WIN32 0x3
#define STREAM_HANDLE_TYPE_MEM_SHM          0x4
#define STREAM_HANDLE_TYPE_MEM_ZIRCON       0x5

#define STREAM_HANDLE_TYPE_SIGNAL_OPAQUE_FD    0x10
#define STREAM_HANDLE_TYPE_SIGNAL_SYNC_FD      0x20
#define STREAM_HANDLE_TYPE_SIGNAL_OPAQUE_WIN32 0x30
#define STREAM_HANDLE_TYPE_SIGNAL_ZIRCON       0x40
#define STREAM_HANDLE_TYPE_SIGNAL_EVENT_FD     0x50

struct stream_renderer_command {
    uint32_t ctx_id;
    uint32_t cmd_size;
    uint8_t *cmd;
    uint32_t num_in_fences; /* not looked at, like the next */
    struct stream_renderer_handle *fences;
};

/* A SUBMIT_3D's bytes. -EINVAL: none, fewer than 4, a command that is unknown or too short, an
 * unknown context or resource, or a context that is lost. */
VG_EXPORT int stream_renderer_submit_cmd(struct stream_renderer_command *cmd);

/* A fence behind what its timeline has been given so far. -EINVAL: an unknown context or ring, or
 * too many that wait. */
VG_EXPORT int stream_renderer_create_fence(const struct stream_renderer_fence *fence);

/* ---- resources ---- */

struct stream_renderer_resource_create_args {
    uint32_t handle;
    uint32_t target;
    uint32_t format;
    uint32_t bind;
    uint32_t width;
    uint32_t height;
    uint32_t depth;
    uint32_t array_size;
    uint32_t last_level;
    uint32_t nr_samples;
    uint32_t flags;
};

struct stream_renderer_box {
    uint32_t x, y, z;
    uint32_t w, h, d;
};

/* iov: the guest's pages, nullable; see stream_renderer_resource_attach_iov. -EINVAL: an id that is
 * 0 or in use, or what the device does not make (goldfish pipes: a buffer bound for CUSTOM alone).
 */
VG_EXPORT int stream_renderer_resource_create(struct stream_renderer_resource_create_args *args,
                                              struct iovec *iov, uint32_t num_iovs);
/* Unmaps, detaches and destroys it. Unknown ids are ignored. */
VG_EXPORT void stream_renderer_resource_unref(uint32_t res_handle);

/* The guest's pages of a classic resource: the list is copied, the memory used until detach. 0;
 * ENOENT (positive): no such resource; -EINVAL: a blob, pages already, or no list. */
VG_EXPORT int stream_renderer_resource_attach_iov(int res_handle, struct iovec *iov, int num_iovs);
/* Gives back the list as it was attached; both nullable. */
VG_EXPORT void stream_renderer_resource_detach_iov(int res_handle, struct iovec **iov,
                                                   int *num_iovs);

/* Between the resource and iov, or without one (NULL) its attached pages, where the box begins at
 * offset with the strides given; 0: rows as far apart as in the resource. 0; EINVAL (positive): no
 * such resource; -EINVAL: a blob, a box or offset out of bounds, or no pages. */
VG_EXPORT int stream_renderer_transfer_read_iov(uint32_t handle, uint32_t ctx_id, uint32_t level,
                                                uint32_t stride, uint32_t layer_stride,
                                                struct stream_renderer_box *box, uint64_t offset,
                                                struct iovec *iov, int iovec_cnt);
VG_EXPORT int stream_renderer_transfer_write_iov(uint32_t handle, uint32_t ctx_id, int level,
                                                 uint32_t stride, uint32_t layer_stride,
                                                 struct stream_renderer_box *box, uint64_t offset,
                                                 struct iovec *iovec, unsigned int iovec_cnt);

#define STREAM_BLOB_MEM_GUEST        1
#define STREAM_BLOB_MEM_HOST3D       2
#define STREAM_BLOB_MEM_HOST3D_GUEST 3

#define STREAM_BLOB_FLAG_USE_MAPPABLE        1
#define STREAM_BLOB_FLAG_USE_SHAREABLE       2
#define STREAM_BLOB_FLAG_USE_CROSS_DEVICE    4
#define STREAM_BLOB_FLAG_CREATE_GUEST_HANDLE 8

struct stream_renderer_create_blob {
    uint32_t blob_mem;
    uint32_t blob_flags;
    uint64_t blob_id;
    uint64_t size;
};

/* iovecs: the guest's pages, for GUEST and HOST3D_GUEST. handle: with CREATE_GUEST_HANDLE alone,
 * and taken then: a memfd sealed against shrinking. -EINVAL: an id that is 0 or in use, a size that
 * is no multiple of 4096, or a blob id for which the context holds no memory. */
VG_EXPORT int stream_renderer_create_blob(uint32_t ctx_id, uint32_t res_handle,
                                          const struct stream_renderer_create_blob *create_blob,
                                          const struct iovec *iovecs, uint32_t num_iovs,
                                          const struct stream_renderer_handle *handle);
/* Gives a descriptor of the memory, which begins at its offset 0: SHM or DMABUF. -EINVAL: guest
 * pages only, or exported before. */
VG_EXPORT int stream_renderer_export_blob(uint32_t res_handle,
                                          struct stream_renderer_handle *handle);

#define STREAM_RENDERER_MAP_CACHE_MASK     0x0f
#define STREAM_RENDERER_MAP_CACHE_NONE     0x00
#define STREAM_RENDERER_MAP_CACHE_CACHED   0x01
#define STREAM_RENDERER_MAP_CACHE_UNCACHED 0x02
#define STREAM_RENDERER_MAP_CACHE_WC       0x03

/* Its memory here: whole pages, the same address each time until unref. -EINVAL: not mappable, or
 * blobs are external. */
VG_EXPORT int stream_renderer_resource_map(uint32_t res_handle, void **hva, uint64_t *size);
/* The mapping stays until unref. */
VG_EXPORT int stream_renderer_resource_unmap(uint32_t res_handle);
/* STREAM_RENDERER_MAP_CACHE_*. -EINVAL: not mappable. */
VG_EXPORT int stream_renderer_resource_map_info(uint32_t res_handle, uint32_t *map_info);

struct stream_renderer_device_id {
    uint8_t device_uuid[16];
    uint8_t driver_uuid[16];
};

struct stream_renderer_vulkan_info {
    uint32_t memory_index;
    struct stream_renderer_device_id device_id;
};

/* -EINVAL: no resource here is bound to a memory type that the embedder would have to know. */
VG_EXPORT int stream_renderer_vulkan_info(uint32_t res_handle,
                                          struct stream_renderer_vulkan_info *vulkan_info);

/* ---- layouts of a 64-bit machine ---- */

static_assert(sizeof(struct stream_renderer_param) == 16, "param");
static_assert(offsetof(struct stream_renderer_param, value) == 8, "param.value");
static_assert(sizeof(struct stream_renderer_box) == 24, "box");
static_assert(offsetof(struct stream_renderer_box, w) == 12, "box.w");
static_assert(sizeof(struct stream_renderer_resource_create_args) == 44, "create_args");
static_assert(offsetof(struct stream_renderer_resource_create_args, flags) == 40, "args.flags");
static_assert(sizeof(struct stream_renderer_fence) == 24, "fence");
static_assert(offsetof(struct stream_renderer_fence, fence_id) == 8, "fence.fence_id");
static_assert(offsetof(struct stream_renderer_fence, ctx_id) == 16, "fence.ctx_id");
static_assert(offsetof(struct stream_renderer_fence, ring_idx) == 20, "fence.ring_idx");
static_assert(sizeof(struct stream_renderer_handle) == 16, "handle");
static_assert(offsetof(struct stream_renderer_handle, handle_type) == 8, "handle.handle_type");
static_assert(sizeof(struct stream_renderer_debug) == 16, "debug");
static_assert(offsetof(struct stream_renderer_debug, message) == 8, "debug.message");
static_assert(sizeof(struct stream_renderer_command) == 32, "command");
static_assert(offsetof(struct stream_renderer_command, cmd_size) == 4, "command.cmd_size");
static_assert(offsetof(struct stream_renderer_command, cmd) == 8, "command.cmd");
static_assert(offsetof(struct stream_renderer_command, num_in_fences) == 16, "command.in_fences");
static_assert(offsetof(struct stream_renderer_command, fences) == 24, "command.fences");
static_assert(sizeof(struct stream_renderer_create_blob) == 24, "create_blob");
static_assert(offsetof(struct stream_renderer_create_blob, blob_id) == 8, "create_blob.blob_id");
static_assert(offsetof(struct stream_renderer_create_blob, size) == 16, "create_blob.size");
static_assert(sizeof(struct stream_renderer_device_id) == 32, "device_id");
static_assert(offsetof(struct stream_renderer_device_id, driver_uuid) == 16, "driver_uuid");
static_assert(sizeof(struct stream_renderer_vulkan_info) == 36, "vulkan_info");
static_assert(offsetof(struct stream_renderer_vulkan_info, device_id) == 4, "device_id");

#ifdef __cplusplus
}
#endif

#endif
