/* Draws whose parameters lie scattered in the application's memory: they travel side by side. */
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_command.h"
#include "wire/vk_pack.h"

#include <string.h>

/* `count` elements of `size` bytes, each `stride` behind the one before; NULL: no memory. */
static const void *gather(struct gvk_command_buffer *buffer, const void *from, uint32_t count,
                          uint32_t stride, size_t size)
{
    if (stride == size || count < 2) {
        return from;
    }
    uint8_t *to = sl_arena_get(&buffer->arena, count * size);
    for (uint32_t i = 0; to != NULL && i < count; i++) {
        memcpy(to + i * size, (const uint8_t *)from + (size_t)i * stride, size);
    }
    buffer->recorder.pack.failed |= to == NULL;
    return to;
}

void gvk_vkCmdDrawMultiEXT(VkCommandBuffer commandBuffer, uint32_t drawCount,
                           const VkMultiDrawInfoEXT *pVertexInfo, uint32_t instanceCount,
                           uint32_t firstInstance, uint32_t stride)
{
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    const VkMultiDrawInfoEXT *infos =
        gather(buffer, pVertexInfo, drawCount, stride, sizeof *pVertexInfo);
    if (infos != NULL && drawCount != 0) {
        vk_pack_vkCmdDrawMultiEXT(&buffer->recorder.pack, drawCount, infos, instanceCount,
                                  firstInstance, sizeof *infos);
    }
}

void gvk_vkCmdDrawMultiIndexedEXT(VkCommandBuffer commandBuffer, uint32_t drawCount,
                                  const VkMultiDrawIndexedInfoEXT *pIndexInfo,
                                  uint32_t instanceCount, uint32_t firstInstance, uint32_t stride,
                                  const int32_t *pVertexOffset)
{
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    const VkMultiDrawIndexedInfoEXT *infos =
        gather(buffer, pIndexInfo, drawCount, stride, sizeof *pIndexInfo);
    if (infos != NULL && drawCount != 0) {
        vk_pack_vkCmdDrawMultiIndexedEXT(&buffer->recorder.pack, drawCount, infos, instanceCount,
                                         firstInstance, sizeof *infos, pVertexOffset);
    }
}
