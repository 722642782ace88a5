/* The context commands that all gfxstream types share, and the rings of one context: one per ring
 * blob, by resource id.
 *
 * Who uses it: the context types, on the device thread. What belongs to the type (which families,
 * per-ring state) comes through hr_rings_ops. */
#ifndef HOST_HR_COMMANDS_H
#define HOST_HR_COMMANDS_H

#include "host/context.h"
#include "host/ring/ring.h"
#include "transport/base/map.h"

struct hr_rings_ops {
    /* Fill config's bindings, user, thread callbacks for a new ring; memory, name, lost and gone
     * are set behind it. *state: the type's own part, given back to ring_free; NOMEM. */
    enum sl_result (*ring_new)(void *user, struct hr_config *config, void **state);
    /* The ring is over for good: its thread is gone. Device thread, or the left-behind thread. */
    void (*ring_free)(void *user, void *state);
    /* 0x9000: call env->task_done(task) once the sync object with this handle has signalled.
     * Nullable: refused. */
    enum sl_result (*export_sync)(void *user, uint64_t handle, uint64_t task);
    /* 0xa000: the same of a Vulkan device's fence, which may be no fence: then at once. Nullable:
     * refused. */
    enum sl_result (*export_sync_vk)(void *user, uint64_t device, uint64_t fence, uint64_t task);
    bool stages; /* SLUICE_CONTEXT_STAGE: its rings know slStaged */
};

/* Most rings (= threads) of one context. */
#define HR_RINGS_MAX 256u

struct hr_rings {
    const struct hr_rings_ops *ops;
    void *user;
    const struct hct_env *env; /* borrowed */
    uint32_t ctx_id;
    char name[32];
    struct sl_map attached; /* resource id -> struct hr_attached */
    uint32_t ring_count;
    uint64_t serial; /* of the last ring */
};

/* env: as long as the device. */
void hr_rings_init(struct hr_rings *rings, const struct hr_rings_ops *ops, void *user,
                   const struct hct_env *env, uint32_t ctx_id, const char *name);
/* hct_ops.rest. */
bool hr_rings_rest(struct hr_rings *rings, bool on);
/* The rings one by one, in the order in which they were made: start with *after = 0; NULL at the
 * end. *state: what ring_new gave. */
struct hr_ring *hr_rings_next(const struct hr_rings *rings, uint64_t *after, uint32_t *resource_id,
                              void **state);
/* Asks all rings to stop and waits for none. */
void hr_rings_stop(struct hr_rings *rings);
/* Stops all rings, bounded: all are asked first, then waited for. */
void hr_rings_finish(struct hr_rings *rings);

/* The hct_ops of the same names. */
enum sl_result hr_rings_attach(struct hr_rings *rings, uint32_t resource_id,
                               const struct hct_memory *memory);
void hr_rings_detach(struct hr_rings *rings, uint32_t resource_id);
/* INVALID: shorter than its opcode's struct, no such resource, second create; UNSUPPORTED: unknown
 * opcode; NOMEM: limit. */
enum sl_result hr_rings_submit(struct hr_rings *rings, const void *commands, size_t size);
/* The living ring of the lowest resource; 0: there is none. */
uint32_t hr_rings_first(const struct hr_rings *rings);
enum sl_result hr_rings_stats(struct hr_rings *rings, uint32_t index, struct vgd_ring_stats *out);

/* A context whose work comes through rings: first in a type's own. */
struct hr_context {
    struct hct_context base; /* first */
    struct hr_rings rings;   /* device thread */
};
/* The hct_ops of the same names, all of whose work the rings do. */
enum sl_result hr_context_submit(struct hct_context *base, const void *commands, size_t size);
enum sl_result hr_context_ring_stats(struct hct_context *base, uint32_t index,
                                     struct vgd_ring_stats *out);
bool hr_context_rest(struct hct_context *base, bool on);

#endif
