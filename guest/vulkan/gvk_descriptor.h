/* Descriptors: set layouts, pools, sets, and writes that wait for a reason to be sent.
 *
 * vkUpdateDescriptorSets sends nothing. Writes are packed one behind the other and go to the host
 * as one packet when something is about to happen that could see the difference: a submit, a
 * copy, the end of an object that a write may name. gvk_settle is that moment. */
#ifndef GUEST_GVK_DESCRIPTOR_H
#define GUEST_GVK_DESCRIPTOR_H

#include "guest/vulkan/gvk.h"

/* What writes to one binding have to know of it. */
struct gvk_binding {
    uint32_t number;
    bool immutable; /* its samplers are the layout's: those of a write are ignored */
};

/* Descriptor types of the core: 0 to 10. */
#define GVK_TYPES 11u

/* Of a set layout; outlives it where sets, pipeline layouts or templates still use it. */
struct gvk_bindings {
    uint32_t refs;             /* atomic */
    uint32_t needs[GVK_TYPES]; /* descriptors of each type that a set takes from its pool */
    bool unusual;              /* it takes others too */
    uint32_t count;
    struct gvk_binding list[]; /* ascending numbers */
};
/* NULL gives NULL. */
struct gvk_bindings *gvk_bindings_ref(struct gvk_bindings *bindings);
void gvk_bindings_unref(struct gvk_bindings *bindings);

struct gvk_set_layout {
    struct gvk_object object;
    struct gvk_bindings *bindings;
};

struct gvk_pipeline_layout {
    struct gvk_object object;
    struct gvk_bindings **sets; /* set_count; each may be NULL */
    uint32_t set_count;
};
/* NULL: nothing is known of the set. */
const struct gvk_bindings *gvk_pipeline_layout_set(const struct gvk_pipeline_layout *layout,
                                                   uint32_t set);

/* Vulkan's rule of external synchronisation guards all of it. */
struct gvk_descriptor_pool {
    struct gvk_object object;
    struct sl_list sets; /* struct gvk_descriptor_set.link */
    uint32_t max_sets;   /* as it was made */
    uint32_t has[GVK_TYPES];
    uint32_t sets_left; /* what is promised still to fit */
    uint32_t left[GVK_TYPES];
    bool fragmented; /* sets were freed one by one: nothing is promised */
    uint64_t *names; /* batches: ids of sets that are not given; NULL otherwise */
    uint32_t name_count;
};

struct gvk_descriptor_set {
    struct gvk_object object;
    struct gvk_bindings *bindings;
    struct sl_list link;              /* in the pool's sets */
    struct gvk_descriptor_pool *pool; /* batches; NULL otherwise */
    struct gvk_set_layout *layout;    /* batches: alive as long as a write waits */
    /* Its last write, of one buffer, lies there in gvk_descriptors.pack, if it was in the batch of
     * that number; the device's descriptor lock guards both. */
    size_t write_at;
    uint64_t write_batch;
};

/* The write without the handles that its type ignores: itself, or a copy in `room` that lives as
 * long as what the arena gave. bindings NULL: those of a layout that nobody knows. NULL: no memory.
 */
const VkWriteDescriptorSet *gvk_write_clean(struct sl_arena *arena,
                                            const struct gvk_bindings *bindings,
                                            const VkWriteDescriptorSet *write,
                                            VkWriteDescriptorSet *room);

/* Between the two: add. They hold the device's descriptor lock. */
void gvk_writes_begin(struct gvk_device *device);
void gvk_writes_add(struct gvk_device *device, const VkWriteDescriptorSet *write);
void gvk_writes_end(struct gvk_device *device);

#endif
