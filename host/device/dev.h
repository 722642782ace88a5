/* host/device inside: what its files share. Nobody else includes this.
 *
 * Everything here belongs to the device thread, except struct dev_timelines (its own lock) and the
 * reference count of struct dev_memory. */
#ifndef HOST_DEVICE_DEV_H
#define HOST_DEVICE_DEV_H

#include "host/device/device.h"
#include "transport/base/list.h"
#include "transport/base/map.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- dev_memory.c: bytes of a resource ---- */

/* Counted: the resource has one reference, every hold of a context another; the last one unmaps, on
 * any thread. */
struct dev_memory {
    uint32_t refs; /* atomic */
    bool mapped;   /* `pointer` is our mapping */
    struct hct_memory view;
};

/* A sealed, zeroed memfd of size bytes, mapped. NOMEM, IO. */
enum sl_result dev_memory_create(const char *name, uint64_t size,
                                 struct dev_memory **out) SL_MUST_USE;
/* Memory somebody else made: takes view->fd. map: map it here as well (PROTOCOL when it is not
 * sealed, or too small). */
enum sl_result dev_memory_wrap(const struct hct_memory *view, bool map,
                               struct dev_memory **out) SL_MUST_USE;
struct dev_memory *dev_memory_ref(struct dev_memory *memory);
void dev_memory_unref(struct dev_memory *memory); /* takes NULL */
/* Its bytes for a while, mapped now when nobody did. UNSUPPORTED: only the GPU reaches them. */
struct dev_reach {
    uint8_t *at;
    void *mapping; /* nullable */
    size_t mapping_size;
};
enum sl_result dev_memory_reach(const struct dev_memory *memory, bool write,
                                struct dev_reach *out) SL_MUST_USE;
void dev_memory_unreach(struct dev_reach *reach);

/* ---- dev_timeline.c: tasks and fences, in order ---- */

struct dev_timelines {
    pthread_mutex_t lock; /* guards all below; the sink's fence_done and ctx_lost are called under
                             it, which keeps their order */
    struct vgd_sink sink;
    struct sl_map contexts; /* ctx_id -> struct dev_lanes */
    struct sl_map tasks;    /* low word of a task's id -> struct dev_item */
    uint32_t next_task;
    uint64_t last_fence;
    uint32_t pending_max;
};

void dev_timelines_init(struct dev_timelines *t, const struct vgd_sink *sink, uint32_t pending_max);
/* All contexts are gone by now. */
void dev_timelines_finish(struct dev_timelines *t);
enum sl_result dev_timelines_ctx_add(struct dev_timelines *t, uint32_t ctx_id) SL_MUST_USE;
/* Drops its tasks and settles its fences. */
void dev_timelines_ctx_remove(struct dev_timelines *t, uint32_t ctx_id);
/* Any thread. Drops its tasks, settles its fences and tells the sink, the first time. */
void dev_timelines_ctx_lose(struct dev_timelines *t, uint32_t ctx_id, const char *reason);
bool dev_timelines_ctx_is_lost(struct dev_timelines *t, uint32_t ctx_id);
/* hct_env.task_begin: OK, NOTFOUND context, INVALID ring, NOMEM, DEVICE_LOST. Any thread. */
enum sl_result dev_timelines_task_begin(struct dev_timelines *t, uint32_t ctx_id, uint32_t ring,
                                        uint64_t *task) SL_MUST_USE;
/* Any thread. */
void dev_timelines_task_done(struct dev_timelines *t, uint64_t task);
/* vgd_ops.fence. */
enum sl_result dev_timelines_fence(struct dev_timelines *t, uint32_t ctx_id, uint32_t ring,
                                   uint64_t id) SL_MUST_USE;
/* The next fences may have any ids again. */
void dev_timelines_reset(struct dev_timelines *t);

/* ---- the device ---- */

struct dev_provider {
    const char *name;              /* hct_type.provider; NULL: of one type alone */
    struct hct_provider *provider; /* NULL: the type wants none */
};

struct dev_type {
    const struct hct_type *type;
    struct hct_provider *provider; /* nullable; dev_device.providers owns it */
};

struct dev_context {
    uint32_t id;
    struct hct_context *context;
    const struct dev_type *type;
    struct sl_list attachments; /* struct dev_attachment.ctx_link */
};

struct dev_resource {
    uint32_t id;
    bool is_tex;
    bool is_mapped; /* between res_map and res_unmap */
    bool is_mappable;
    uint32_t stride; /* 3D: bytes a row */
    uint64_t size;
    uint32_t pixel_size;           /* 3D: bytes of a pixel */
    struct vg_tex_args tex;        /* 3D */
    struct hct_provider *provider; /* 3D: who was told of it, nullable */
    struct dev_memory *memory;     /* NULL: guest pages only */
    struct iovec *iov;             /* guest pages, our copy of the list; nullable */
    uint32_t iov_count;
    uint64_t iov_size;
    struct sl_list attachments; /* struct dev_attachment.res_link */
};

struct dev_attachment {
    struct dev_context *context;
    struct dev_resource *resource;
    struct sl_list ctx_link;
    struct sl_list res_link;
};

struct dev_scanout {
    struct vgd_scanout shown; /* resource_id 0: off */
    struct vgd_cursor cursor; /* resource_id 0: hidden */
    uint32_t cursor_width_px, cursor_height_px;
    uint8_t *cursor_pixels; /* R, G, B, A; nullable */
};

struct dev_device {
    struct vgd vgd; /* first */
    struct vgd_sink sink;
    struct dev_limits limits; /* no zeros */
    struct hct_options options;
    struct hct_env env;
    uint32_t tap_on; /* atomic; contexts read it through env */
    struct dev_type *types;
    uint32_t type_count;
    struct dev_provider *providers;
    uint32_t provider_count;
    struct sl_map contexts;
    struct sl_map resources;
    uint64_t resource_bytes; /* of all live resources */
    struct dev_scanout scanouts[VGD_SCANOUTS];
    struct dev_timelines timelines;
    struct vgd_stats stats; /* since the device began: transfers, and rings that ended */
};

static inline struct dev_device *dev_from(struct vgd *vgd)
{
    return (struct dev_device *)(void *)vgd;
}

/* ---- dev_types.c ---- */

enum sl_result dev_types_init(struct dev_device *d,
                              const struct hct_type *const *types) SL_MUST_USE;
void dev_types_finish(struct dev_device *d);
const struct dev_type *dev_type_find(const struct dev_device *d, uint32_t capset);
uint32_t dev_capset_count(struct vgd *vgd);
enum sl_result dev_capset_info(struct vgd *vgd, uint32_t index, struct vgd_capset_info *info);
enum sl_result dev_capset_get(struct vgd *vgd, uint32_t id, uint32_t version, void *data,
                              size_t size, size_t *used);
void dev_describe(struct vgd *vgd, char *text, size_t size);

/* ---- dev_context.c ---- */

enum sl_result dev_ctx_create(struct vgd *vgd, uint32_t ctx_id, uint32_t capset, const char *name);
enum sl_result dev_ctx_destroy(struct vgd *vgd, uint32_t ctx_id);
enum sl_result dev_ctx_attach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id);
enum sl_result dev_ctx_detach(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id);
enum sl_result dev_submit(struct vgd *vgd, uint32_t ctx_id, const void *commands, size_t size);
enum sl_result dev_fence(struct vgd *vgd, uint32_t ctx_id, uint32_t ring, uint64_t id);
bool dev_rest(struct vgd *vgd, bool on);
enum sl_result dev_ctx_save(struct vgd *vgd, uint32_t ctx_id, const struct vgd_saver *saver);
enum sl_result dev_ctx_drawn(struct vgd *vgd, uint32_t ctx_id, uint32_t ring_id,
                             const struct vgd_viewer *viewer);
enum sl_result dev_ring_stats(struct vgd *vgd, uint32_t ctx_id, uint32_t index,
                              struct vgd_ring_stats *out);
void dev_stats(struct vgd *vgd, struct vgd_stats *out);
void dev_stats_add(struct vgd_ring_stats *sum, const struct vgd_ring_stats *ring);
/* Takes the attachment apart and tells the context. */
void dev_detach(struct dev_attachment *attachment);
void dev_contexts_clear(struct dev_device *d);

/* ---- dev_resource.c: tables and lives; dev_transfer.c: guest pages and boxes ---- */

enum sl_result dev_res_create_tex(struct vgd *vgd, uint32_t resource_id,
                                  const struct vg_tex_args *args);
enum sl_result dev_res_create_blob(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id,
                                   const struct vgd_blob_args *args);
enum sl_result dev_res_import(struct vgd *vgd, uint32_t resource_id, int fd, uint64_t size);
enum sl_result dev_res_destroy(struct vgd *vgd, uint32_t resource_id);
enum sl_result dev_res_map(struct vgd *vgd, uint32_t resource_id, struct vgd_map *out);
enum sl_result dev_res_unmap(struct vgd *vgd, uint32_t resource_id);
enum sl_result dev_res_export(struct vgd *vgd, uint32_t resource_id, int *fd);
void dev_resources_clear(struct dev_device *d);
/* What a context is shown of a resource: borrowed. */
struct hct_memory dev_resource_view(const struct dev_resource *res);

enum sl_result dev_backing_attach(struct vgd *vgd, uint32_t resource_id, const struct iovec *iov,
                                  uint32_t count);
enum sl_result dev_backing_detach(struct vgd *vgd, uint32_t resource_id);
enum sl_result dev_transfer(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id,
                            const struct vg_box *box, uint32_t level, uint64_t offset,
                            uint32_t stride, uint32_t layer_stride, enum vg_direction direction);
/* Copies and checks a list of guest pages: INVALID for none or too many, or when their sizes
 * overflow. */
enum sl_result dev_backing_copy(struct dev_resource *res, const struct iovec *iov,
                                uint32_t count) SL_MUST_USE;
void dev_backing_drop(struct dev_resource *res);
/* Bytes from somewhere in scattered memory. [offset, offset + size) lies inside. */
void dev_iov_read(const struct iovec *iov, uint64_t offset, void *bytes, uint64_t size);

/* ---- dev_scanout.c: what is shown ---- */

enum sl_result dev_scanout_set(struct vgd *vgd, uint32_t scanout_id,
                               const struct vgd_scanout *scanout);
enum sl_result dev_flush(struct vgd *vgd, uint32_t resource_id, const struct vg_box *box);
enum sl_result dev_cursor_set(struct vgd *vgd, uint32_t scanout_id, const struct vgd_cursor *cursor,
                              bool move);
enum sl_result dev_scanout_read(struct vgd *vgd, uint32_t scanout_id, bool with_cursor,
                                const struct vg_box *part, void *pixels, size_t size,
                                uint32_t *width_px, uint32_t *height_px);
/* The resource goes. */
void dev_scanouts_forget(struct dev_device *d, uint32_t resource_id);
/* All dark, no cursors. */
void dev_scanouts_clear(struct dev_device *d);

#endif
