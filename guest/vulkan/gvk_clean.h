/* What an application may leave dangling, taken out before it is packed.
 *
 * The API lets members that do not apply hold anything: stale pointers, destroyed handles. A packer
 * follows every pointer and every handle, so what it gets are shallow copies on an arena in which
 * all that is ignored is NULL. Pure functions of their arguments; any thread. NULL: no memory. */
#ifndef GUEST_GVK_CLEAN_H
#define GUEST_GVK_CLEAN_H

#include "transport/base/mem.h"
#include "wire/vk_types.h"

#include <stdbool.h>

/* The first struct of the type in a chain; NULL when there is none. */
const void *gvk_chain_find(const void *chain, VkStructureType type);
/* A shallow copy of the chain's structs that travel, in their order, but those of type `drop`; an
 * empty chain is NULL too, so *ok tells what NULL means. */
void *gvk_chain_copy(struct sl_arena *arena, const void *chain, VkStructureType drop, bool *ok);

/* Pipeline feedback that an application asked for is written here: nothing is known, the flags are
 * 0. Every renderPass that is not ignored is a struct gvk_render_pass. */
const VkGraphicsPipelineCreateInfo *gvk_clean_graphics(struct sl_arena *arena, uint32_t count,
                                                       const VkGraphicsPipelineCreateInfo *infos);
const VkComputePipelineCreateInfo *gvk_clean_compute(struct sl_arena *arena, uint32_t count,
                                                     const VkComputePipelineCreateInfo *infos);

/* What is ignored without VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT, or in a primary command
 * buffer. */
const VkCommandBufferBeginInfo *gvk_clean_begin(struct sl_arena *arena, bool primary,
                                                const VkCommandBufferBeginInfo *info);
/* Resolve attachments that no mode asks for. */
const VkRenderingInfo *gvk_clean_rendering(struct sl_arena *arena, const VkRenderingInfo *info);

#endif
