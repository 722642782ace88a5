/* host/abi inside: the one renderer of the process, and what its files share.
 *
 * The interface names no object, so there is one renderer at most, behind abi_lock. Exported
 * functions take the lock, check, translate to waist B and return; only the device's sink runs
 * without it. */
#ifndef HOST_ABI_ABI_H
#define HOST_ABI_ABI_H

#include "host/abi/gfxstream/virtio-gpu-gfxstream-renderer-unstable.h"
#include "host/device/device.h"
#include "transport/base/list.h"
#include "transport/base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What init was asked for. */
struct abi_options {
    void *user;
    uint64_t flags; /* STREAM_RENDERER_FLAGS_* */
    stream_renderer_fence_callback fence_callback;
    stream_renderer_debug_callback debug_callback; /* nullable */
    const char *features;                          /* nullable */
    bool skip_gles;
};

/* What the options come to. */
struct abi_features {
    bool gles;
    bool vulkan;
    bool external_blob;
    bool trust; /* the guest may reach this process by a driver of the CPU */
};

/* abi_features.c: flags first, then the feature string. INVALID, logged with the reason. */
enum sl_result abi_features_choose(const struct abi_options *options,
                                   struct abi_features *features) SL_MUST_USE;

/* abi_fence.c: fences that wait, and descriptors of those that will be exported. */
struct abi_fences {
    pthread_mutex_t lock;  /* guards `waiting`; taken under the device's own */
    struct sl_map waiting; /* low word of the device's id -> struct abi_fence */
    /* Below: abi_lock's. */
    uint64_t last_id;       /* of the device's fences, which must grow; the embedder's need not */
    struct sl_list exports; /* struct abi_export.link */
    uint32_t export_count;
};

struct abi_resource {
    uint32_t id;
    bool is_tex;
    bool is_exported;
    bool is_mappable;
    uint32_t map_info;      /* STREAM_RENDERER_MAP_CACHE_* */
    uint32_t stride;        /* classic resources: bytes a row */
    struct vg_tex_args tex; /* classic resources */
    struct iovec *pages;    /* our copy of what was attached; nullable */
    uint32_t page_count;
    struct iovec *given; /* the embedder's list, as detach gives it back */
    void *mapping;       /* nullable; valid until unref */
    uint64_t mapping_size;
    bool mapping_is_ours; /* else the device's */
};

struct abi {
    struct abi_options options;
    struct abi_features features;
    struct vgd *device;
    struct sl_map resources; /* id -> struct abi_resource */
    struct abi_fences fences;
};

/* abi_init.c. The renderer with abi_lock held, or NULL without it: before init, or called from a
 * callback. abi_leave gives the lock back. */
struct abi *abi_enter(void);
void abi_leave(void);
/* What most functions return. */
static inline int abi_status(enum sl_result result)
{
    return result == SL_OK ? 0 : -EINVAL;
}

void abi_fences_init(struct abi_fences *fences);
/* The device is gone, and with it every fence that waits. */
void abi_fences_finish(struct abi_fences *fences);
/* The device's sink, under its lock, on any thread. */
void abi_fence_done(struct abi *abi, uint64_t device_id);

/* abi_resource.c. NULL: no such resource. */
static inline struct abi_resource *abi_resource_find(const struct abi *abi, uint32_t id)
{
    return sl_map_find(&abi->resources, id);
}
void abi_resources_clear(struct abi *abi);

/* abi_transfer.c. INVALID: a blob, pages already, or no list. */
enum sl_result abi_pages_attach(struct abi *abi, struct abi_resource *res, const struct iovec *iov,
                                uint32_t count) SL_MUST_USE;

#endif
