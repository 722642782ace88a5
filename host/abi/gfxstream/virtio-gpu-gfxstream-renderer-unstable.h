/* What others mark as unstable of the interface beside this header, as far as virtual machine
 * monitors link it. Threads, results and times of calling: as there. */
#ifndef GFXSTREAM_RENDERER_UNSTABLE_H
#define GFXSTREAM_RENDERER_UNSTABLE_H

#include "virtio-gpu-gfxstream-renderer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define STREAM_RENDERER_FLAGS_VULKAN_EXTERNAL_SYNC   (1u << 31) /* taken, without effect */
#define STREAM_RENDERER_PARAM_METRICS_CALLBACK_ABORT 1029       /* taken, never called */

/* The resource is complete for who shows it: its pixels are read by transfers. */
VG_EXPORT void stream_renderer_flush(uint32_t res_handle);

/* Gives an eventfd, readable once the fence is done: for one made with SHAREABLE, once. -EINVAL: no
 * such fence, or given before. */
VG_EXPORT int stream_renderer_export_fence(uint64_t fence_id,
                                           struct stream_renderer_handle *handle);

struct stream_renderer_3d_info {
    uint32_t width;
    uint32_t height;
    uint32_t drm_fourcc;
    uint32_t strides[4];
    uint32_t offsets[4];
    uint64_t modifier;
};

struct stream_renderer_import_data {
    uint32_t flags; /* STREAM_RENDERER_IMPORT_FLAG_* */
    struct stream_renderer_3d_info info_3d;
    struct stream_renderer_vulkan_info info_vulkan;
};

#define STREAM_RENDERER_IMPORT_FLAG_3D_INFO          (1u << 0)
#define STREAM_RENDERER_IMPORT_FLAG_VULKAN_INFO      (1u << 1)
#define STREAM_RENDERER_IMPORT_FLAG_RESOURCE_EXISTS  (1u << 30)
#define STREAM_RENDERER_IMPORT_FLAG_PRESERVE_CONTENT (1u << 31)

/* Takes the handle: a memfd sealed against shrinking (SHM), all of which becomes a resource's
 * bytes. -EINVAL: another kind of handle, an id that is 0 or in use, or flags: no foreign memory
 * becomes an image here. */
VG_EXPORT int
stream_renderer_import_resource(uint32_t res_handle,
                                const struct stream_renderer_handle *import_handle,
                                const struct stream_renderer_import_data *import_data);

struct stream_renderer_resource_info {
    uint32_t handle;
    uint32_t virgl_format;
    uint32_t width;
    uint32_t height;
    uint32_t depth;
    uint32_t flags;
    uint32_t tex_id; /* 0: native textures belong to the renderer */
    uint32_t stride;
    int drm_fourcc;
};

/* Of a classic resource. 0; ENOENT (positive): no such resource; EINVAL (positive): a blob, or a
 * format without a DRM name. */
VG_EXPORT int stream_renderer_resource_get_info(int res_handle,
                                                struct stream_renderer_resource_info *info);

/* A machine stands still, and goes on: 0, nothing to do. */
VG_EXPORT int stream_renderer_suspend(void);
VG_EXPORT int stream_renderer_resume(void);
/* -EINVAL: not built in. */
VG_EXPORT int stream_renderer_snapshot(const char *dir);
VG_EXPORT int stream_renderer_restore(const char *dir);

struct stream_renderer_param_host_visible_memory_mask_entry {
    struct stream_renderer_device_id device_id;
    uint32_t memory_type_mask;
};

struct stream_renderer_param_host_visible_memory_mask {
    uint64_t entries; /* pointer */
    uint64_t num_entries;
};

static_assert(sizeof(struct stream_renderer_resource_info) == 36, "resource_info");
static_assert(offsetof(struct stream_renderer_resource_info, stride) == 28, "info.stride");
static_assert(offsetof(struct stream_renderer_resource_info, drm_fourcc) == 32, "info.drm_fourcc");
static_assert(sizeof(struct stream_renderer_3d_info) == 56, "3d_info");
static_assert(offsetof(struct stream_renderer_3d_info, strides) == 12, "3d_info.strides");
static_assert(offsetof(struct stream_renderer_3d_info, offsets) == 28, "3d_info.offsets");
static_assert(offsetof(struct stream_renderer_3d_info, modifier) == 48, "3d_info.modifier");
static_assert(sizeof(struct stream_renderer_import_data) == 104, "import_data");
static_assert(offsetof(struct stream_renderer_import_data, info_3d) == 8, "import_data.info_3d");
static_assert(offsetof(struct stream_renderer_import_data, info_vulkan) == 64, "info_vulkan");
static_assert(sizeof(struct stream_renderer_param_host_visible_memory_mask_entry) == 36, "entry");
static_assert(sizeof(struct stream_renderer_param_host_visible_memory_mask) == 16, "mask");

#ifdef __cplusplus
}
#endif

#endif
