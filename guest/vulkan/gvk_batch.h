/* Descriptor sets of a host that wants them in batches (facts, section 8.2): a pool's sets have
 * names from its beginning, and are allocated and written by the commit that comes before the next
 * submit. The descriptor lock of the device guards what waits; a pool's names are guarded by
 * Vulkan's rules. */
#ifndef GUEST_GVK_BATCH_H
#define GUEST_GVK_BATCH_H

#include "guest/vulkan/gvk_descriptor.h"

/* Asks for a new pool's names. False: no memory, or the host gave others than it was asked for. */
bool gvk_batch_pool(struct gvk_device *device, struct gvk_descriptor_pool *pool);
/* All or none; they wait for the commit. The pool has room for them; `sets` holds zeros. */
VkResult gvk_batch_allocate(struct gvk_device *device, struct gvk_descriptor_pool *pool,
                            const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets);
/* A set's name may be given again: the host was told. */
void gvk_batch_release(struct gvk_descriptor_set *set);
/* The next write is this set's. False: no memory. The descriptor lock. */
bool gvk_batch_note_locked(struct gvk_descriptors *descriptors, struct gvk_descriptor_set *set,
                           bool allocate);
/* Packs the commit of all that waits. The descriptor lock. */
void gvk_batch_pack_locked(struct gvk_device *device, struct vk_pack *pack);

#endif
