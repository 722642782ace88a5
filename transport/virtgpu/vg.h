/* Waist A: virtio-gpu as a guest asks it. One open device and one context.
 *
 * Who calls: guest/stream, guest/egl. Who implements: transport/local, transport/loop,
 * transport/drm. Thread-safe unless said. All descriptors are close-on-exec. Waist B (vgd.h) is the
 * same verbs from the other side: change both together. Post-conditions are asserted by the inline
 * wrappers, so that every backend keeps the same contract. */
#ifndef VIRTGPU_VG_H
#define VIRTGPU_VG_H

#include "transport/base/result.h"
#include "transport/virtgpu/proto.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vg;

enum vg_param {
    VG_PARAM_SHARED_FUTEX, /* 1: guest and host run on one kernel, futexes in shared pages work
                              across */
    VG_PARAM_COHERENT_TEX, /* 1: 3D resources' mappings are written by the host itself, no transfer
                              needed */
    VG_PARAM_CAPSET_MASK,  /* bit n: capset id n is offered */
};

/* A resource. Fields are read-only for the caller. */
struct vg_res {
    struct vg *vg;
    uint32_t id;     /* not 0 */
    uint64_t size;   /* bytes that res_map maps */
    uint32_t stride; /* 3D resources: bytes from row to row; 0 for blobs */
};

struct vg_blob_args {
    uint32_t mem;   /* VIRTGPU_BLOB_* */
    uint32_t flags; /* VIRTGPU_BLOB_MAPPABLE ... */
    uint64_t size;  /* bytes, > 0 */
    uint64_t blob_id;
};

struct vg_tex_args {
    uint32_t target; /* VIRTGPU_TARGET_* */
    uint32_t format; /* VIRTGPU_FORMAT_* */
    uint32_t bind;
    uint32_t width_px, height_px, depth;
    uint32_t array_size, last_level, nr_samples;
    uint32_t flags; /* VIRTGPU_RESOURCE_Y_0_TOP */
};

struct vg_box {
    uint32_t x, y, z, width, height, depth;
};

enum vg_direction { VG_TO_HOST, VG_FROM_HOST };

struct vg_submit_args {
    const void *commands;
    size_t size;
    uint32_t ring;                   /* timeline of the fence; VIRTGPU_RING_GLOBAL for none */
    struct vg_res *const *resources; /* attached and kept alive until done; nullable */
    uint32_t resource_count;
    int in_fence;   /* -1 none; borrows */
    int *out_fence; /* NULL none; gives a descriptor that polls readable when done */
};

struct vg_ops {
    /* Capset bytes; at most `size` are written, *used says how many there are. NOTFOUND: not
     * offered. */
    enum sl_result (*caps)(struct vg *, uint32_t capset, void *data, size_t size, size_t *used);
    enum sl_result (*param)(struct vg *, enum vg_param which, uint64_t *value);
    /* Bind the device's one context to a capset. Once, before blob_create and submit. */
    enum sl_result (*context_init)(struct vg *, uint32_t capset, uint32_t ring_count,
                                   const char *name);
    enum sl_result (*blob_create)(struct vg *, const struct vg_blob_args *, struct vg_res **out);
    enum sl_result (*tex_create)(struct vg *, const struct vg_tex_args *, struct vg_res **out);
    /* Takes fd. */
    enum sl_result (*res_import)(struct vg *, int fd, uint64_t size, struct vg_res **out);
    /* Gives *fd: a memfd or dma-buf of the resource's memory. */
    enum sl_result (*res_export)(struct vg_res *, int *fd);
    /* Borrowed by the caller until res_destroy; the same address each time. */
    enum sl_result (*res_map)(struct vg_res *, void **mapping);
    /* Until the host is done with the resource. timeout_ns < 0: for ever. */
    enum sl_result (*res_wait)(struct vg_res *, int64_t timeout_ns);
    enum sl_result (*res_transfer)(struct vg_res *, const struct vg_box *, enum vg_direction);
    void (*res_destroy)(struct vg_res *);
    enum sl_result (*submit)(struct vg *, const struct vg_submit_args *);
    /* Is the device still there? Cheap enough for a wait loop's slow turns (1 syscall at most). */
    bool (*alive)(struct vg *);
    void (*destroy)(struct vg *);
};

struct vg {
    const struct vg_ops *ops;
};

static inline enum sl_result vg_blob_create(struct vg *vg, const struct vg_blob_args *args,
                                            struct vg_res **out)
{
    enum sl_result r = vg->ops->blob_create(vg, args, out);
    assert(r != SL_OK || ((*out)->id != 0 && (*out)->size >= args->size));
    return r;
}

static inline enum sl_result vg_tex_create(struct vg *vg, const struct vg_tex_args *args,
                                           struct vg_res **out)
{
    enum sl_result r = vg->ops->tex_create(vg, args, out);
    assert(r != SL_OK || (*out)->id != 0);
    return r;
}

static inline enum sl_result vg_res_map(struct vg_res *res, void **mapping)
{
    enum sl_result r = res->vg->ops->res_map(res, mapping);
    assert(r != SL_OK || *mapping != NULL);
    return r;
}

static inline void vg_res_destroy(struct vg_res *res)
{
    if (res != NULL) {
        res->vg->ops->res_destroy(res);
    }
}

static inline enum sl_result vg_submit(struct vg *vg, const struct vg_submit_args *args)
{
    return vg->ops->submit(vg, args);
}

/* Backends. spec: transport/backends.def names them; guest/stream/gs_open.c is the one place that
 * chooses. */
enum sl_result vg_local_open(const char *socket_path, struct vg **out) SL_MUST_USE;
/* path: a render node of virtio-gpu; NULL or "": the first that offers a context type of gfxstream.
 * NOTFOUND: none, said only of a named one. */
enum sl_result vg_drm_open(const char *path, struct vg **out) SL_MUST_USE;
/* Would vg_drm_open(NULL) find one? */
bool vg_drm_there(void);

#endif
