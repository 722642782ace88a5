/* Waist C: what a context type supplies to the device, and what it may ask of it.
 *
 * Called on the device thread unless said. Types are listed in host/types.def; nobody else knows
 * their names. Rule of the coming worker processes: no pointer crosses this waist except inside one
 * call; what stays is an id, a size, a descriptor or bytes. A context's ring threads may call
 * env->... functions marked "any thread". */
#ifndef HOST_CONTEXT_H
#define HOST_CONTEXT_H

#include "transport/base/result.h"
#include "transport/virtgpu/vgd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hct_context;
struct hct_provider;
struct hct_hold;

/* Memory that a context hands out for a blob (hct_ops.blob: gives fd), or a resource that it is
 * given (attach, tex_create: borrows fd for the call, duplicate it to keep it). `pointer` is the
 * giver's mapping: valid while the resource lives, when the device is the giver until detach or
 * tex_destroy, or as long as a hold on it (hct_env.memory_hold). Peers may write the bytes at any
 * time. */
struct hct_memory {
    int fd;          /* sealed memfd or dma-buf; -1 none */
    uint64_t offset; /* inside fd */
    uint64_t size;
    void *pointer; /* nullable */
    uint32_t map_info;
};

/* What a context or a provider may ask of the device. Lives as long as the device. */
struct hct_env {
    void *user;
    /* Work on (ctx, ring) begins: fences enqueued from now on wait for it. Device thread. */
    enum sl_result (*task_begin)(void *user, uint32_t ctx_id, uint32_t ring, uint64_t *task);
    /* It is done. Any thread; unknown tasks are ignored (the context may be gone). */
    void (*task_done)(void *user, uint64_t task);
    /* The context broke the protocol: it is lost, with this reason. Any thread. */
    void (*ctx_lost)(void *user, uint32_t ctx_id, const char *reason);
    /* Keep a resource's memory mapped past its detach, for a thread that may still run on it.
     * Device thread. NULL: no such resource, or it has no memory of the device's own making. */
    struct hct_hold *(*memory_hold)(void *user, uint32_t resource_id);
    /* Any thread, even after the device was destroyed. */
    void (*memory_release)(struct hct_hold *hold);
    /* A ring ends: its counters. Device thread. Nullable. */
    void (*ring_ended)(void *user, const struct vgd_ring_stats *stats);
    /* Live tap. *tap_on is non-zero while someone listens (atomic; look once a batch). tap: any
     * thread; ring_id is the ring's resource. */
    const uint32_t *tap_on;
    void (*tap)(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode, const void *packet,
                size_t size, const void *reply, size_t reply_size);
    const struct vgd_recorder *recorder; /* nullable */
};

struct hct_create_info {
    uint32_t ctx_id;
    uint32_t capset;
    const char *name; /* borrowed */
    const struct hct_env *env;
    struct hct_provider *provider; /* the type's provider, initialised */
};

struct hct_ops {
    /* The context is about to lose its resources one by one and to be destroyed: none of its
     * threads waits for another any more. Does not wait. Nullable. */
    void (*stop)(struct hct_context *);
    /* Stops the context's threads (they watch a stop flag; bounded) and frees it. */
    void (*destroy)(struct hct_context *);
    /* A resource may be used by this context from now on; memory: borrowed view, valid until
     * detach. */
    enum sl_result (*attach)(struct hct_context *, uint32_t resource_id,
                             const struct hct_memory *memory);
    void (*detach)(struct hct_context *, uint32_t resource_id);
    /* Memory for a HOST3D blob. blob_id 0 is a ring blob: the device itself makes the sealed shared
     * memory and does not ask. */
    enum sl_result (*blob)(struct hct_context *, uint64_t blob_id, const struct vgd_blob_args *args,
                           struct hct_memory *out);
    /* Context commands; bytes are private to the call. */
    enum sl_result (*submit)(struct hct_context *, const void *commands, size_t size);
    /* Counters of the context's ring number `index` (from 0, no gaps). NOTFOUND past the last.
     * Nullable: a type without rings. */
    enum sl_result (*ring_stats)(struct hct_context *, uint32_t index, struct vgd_ring_stats *out);
    /* Rest for a snapshot: vgd_ops.rest, of this context's rings. Nullable: a type without. */
    bool (*rest)(struct hct_context *, bool on);
    /* A snapshot: every packet that leads a new context of this type, with the same rings open and
     * the same resources attached, to this one's state. All rings of the device stand between two
     * packets (rest), so nothing changes meanwhile but memory that guests have mapped,
     * which the device writes down, as it does verbs. Contexts are saved in the order in which
     * they were created; what several share, the first of them that can saves. UNSUPPORTED: a
     * state that no packets lead to, with a line in the log that says what. Nullable:
     * UNSUPPORTED. */
    enum sl_result (*save)(struct hct_context *, const struct vgd_saver *);
    /* The attachments that the last packet of the ring (its resource id) has drawn on, read for a
     * replay that shows them; all rings of the device stand between two packets. Without any:
     * SL_OK, and none is told. NOTFOUND: no such ring; AGAIN: the work is not done in time.
     * Nullable: UNSUPPORTED. */
    enum sl_result (*drawn)(struct hct_context *, uint32_t ring_id, const struct vgd_viewer *);
};

struct hct_context {
    const struct hct_ops *ops;
};

/* Shared by all contexts of the types that name it: native driver, tables that cross contexts. */
struct hct_provider_ops {
    void (*destroy)(struct hct_provider *);
    /* One line for people: what draws, "llvmpipe (LLVM 15.0.6), OpenGL ES 3.1 Mesa 22.3.6".
     * Nullable. */
    const char *(*describe)(struct hct_provider *);
    /* Classic 3D resource. memory: the resource's shared backing, made by the device (top row first
     * when Y_0_TOP), valid until tex_destroy. */
    enum sl_result (*tex_create)(struct hct_provider *, uint32_t resource_id,
                                 const struct vg_tex_args *, const struct hct_memory *memory,
                                 uint32_t stride);
    void (*tex_destroy)(struct hct_provider *, uint32_t resource_id);
    /* Move a box between the native object and iov: the guest's pages, or the shared backing where
     * no guest pages are attached. The device has checked box and layout. Nullable, like tex_create
     * and tex_destroy: the device then copies between shared backing and guest pages itself. */
    enum sl_result (*tex_transfer)(struct hct_provider *, uint32_t resource_id,
                                   const struct vg_box *, uint32_t level, const struct iovec *iov,
                                   uint32_t iov_count, uint64_t offset, uint32_t stride,
                                   uint32_t layer_stride, enum vg_direction);
};

struct hct_provider {
    const struct hct_provider_ops *ops;
};

struct hct_options {
    const char *egl_library;    /* NULL: libEGL.so.1 */
    const char *egl_vendor;     /* NULL: whatever glvnd picks; else path of a vendor JSON */
    const char *vulkan_library; /* NULL: libvulkan.so.1 */
    /* Vulkan: a device's index, its UUID, or part of its name; NULL: all of them. */
    const char *gpu;
    /* Vulkan: a guest that has waited so long for its work has lost its device: a shader without
     * end keeps a driver's threads. 0: it waits as natively. */
    uint64_t hang_ns;
    /* Vulkan: on a driver of the CPU nobody has device addresses, which are the process's. */
    bool hides_addresses;
    /* Vulkan: asked before a driver sees a shader, as drivers do not survive all that is not valid:
     * false, and the text says why. count: of words. Any thread. NULL: all goes to the driver. */
    bool (*is_valid_spirv)(const uint32_t *words, size_t count, char *why, size_t size);
    /* Vulkan: most bytes of a shader's code, as who looks at it and compiles it takes time and
     * memory by them. 0: any. */
    uint64_t shader_bytes;
    /* On a driver of the CPU shaders are written anew so that indices stay in their arrays, or
     * refused. Of what is no valid SPIR-V nothing is promised. */
    bool clamps_indices;
    bool stock;    /* offer nothing that upstream does not */
    bool software; /* only devices that are CPUs */
    /* Guests' draws, uploads, state and recorded commands end before the driver: what it costs to
     * get there. Objects are made, and what answers does. Pictures hold nothing. */
    bool null;
    /* The guest is a replay: it may send the packets that only a snapshot has. */
    bool restores;
    /* hct_ops.save will be asked: what it needs, and drivers do not tell any more, is kept. */
    bool is_saved;
    /* hct_ops.save may be asked while guests are served: memory that only a GPU reaches belongs to
     * no one object, whatever they ask for, unless the driver demands it, as nothing else could
     * read it then. */
    bool is_recorded;
    /* hct_ops.drawn will be asked: what it needs is kept while commands are recorded. */
    bool is_watched;
    uint64_t watched_bytes; /* of a context at most, all in all */
    /* How long submits (Vulkan), and what contexts hand over (OpenGL ES), take the GPU is told here
     * (host/times.h). Borrowed for the device's life; NULL: it is not measured. */
    struct hct_times *times;
};

struct hct_type {
    const char *name;
    uint32_t capset;
    const char *provider; /* types that name the same provider share it */
    /* NOTFOUND: this machine has no driver for the type, which is then not offered. */
    enum sl_result (*provider_create)(const struct hct_env *, const struct hct_options *,
                                      struct hct_provider **);
    /* Writes at most size bytes; returns how many there are in all. */
    size_t (*fill_capset)(struct hct_provider *, void *data, size_t size);
    enum sl_result (*create)(const struct hct_create_info *, struct hct_context **);
};

#endif
