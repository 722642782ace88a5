/* The host's memory allocations: whole ones, and blocks that small host-visible allocations are cut
 * out of. A host-visible one is a blob, shared with the host and mapped at first use. */
#ifndef GUEST_GVK_BLOCK_H
#define GUEST_GVK_BLOCK_H

#include "guest/vulkan/gvk.h"

/* A part's size and alignment: at least what any resource asks of an allocation's start. */
#define GVK_UNIT       65536u
#define GVK_UNITS      256u
#define GVK_BLOCK_SIZE ((uint64_t)GVK_UNIT * GVK_UNITS)
/* Larger allocations are the host's own. */
#define GVK_PART_MAX ((uint64_t)4 << 20)

struct gvk_block {
    struct gvk_object object; /* its handle is a VkDeviceMemory to packers */
    struct sl_list link;      /* gvk_device.blocks */
    uint64_t size;
    uint32_t type;
    VkMemoryAllocateFlags flags;
    bool shared; /* cut up: `used` says which units */
    uint64_t used[GVK_UNITS / 64];
    uint32_t used_count;
    bool exported;    /* descriptors of it may be given out */
    uint64_t blob_id; /* 0: none was announced */
    struct vg_res *blob;
    uint8_t *bytes; /* NULL until mapped */
};

/* All under the device's lock. */

/* A host allocation of its own. The info's chain is what travels; nothing of it is kept. imported:
 * the memory that it shall be, nullable; taken on success. */
VkResult gvk_block_new(struct gvk_device *device, const VkMemoryAllocateInfo *info,
                       struct vg_res *imported, struct gvk_block **out);
void gvk_block_free(struct gvk_device *device, struct gvk_block *block);
/* It has a blob; host-visible types only. */
VkResult gvk_block_share(struct gvk_device *device, struct gvk_block *block);
VkResult gvk_block_map(struct gvk_device *device, struct gvk_block *block);
/* `size` bytes of a shared block, a new one if need be. */
VkResult gvk_part_new(struct gvk_device *device, uint64_t size, uint32_t type,
                      VkMemoryAllocateFlags flags, struct gvk_block **block, uint64_t *offset);
void gvk_part_free(struct gvk_device *device, struct gvk_block *block, uint64_t offset,
                   uint64_t size);

/* ---- gvk_external.c: memory as descriptors ---- */

/* An allocation that is exported or imported: never a part of a block. *info gets the chain that
 * travels, on the arena. OUT_OF_HOST_MEMORY, INVALID_EXTERNAL_HANDLE. */
VkResult gvk_external_new(struct gvk_device *device, const VkMemoryAllocateInfo *info,
                          struct gvk_block **out);
bool gvk_external_asked(const VkMemoryAllocateInfo *info);

#endif
