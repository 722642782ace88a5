/* Draws whose parameters stand side by side in the packet, whatever step a guest gives: a driver
 * walks by the step and has no end. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"

/* Are there the function, and as many elements of `size` bytes as it reads? */
static bool check(struct hvk_recording *r, bool has_function, uint32_t stride, size_t size,
                  uint32_t count, const void *elements)
{
    if (!has_function) {
        vk_unpack_fail(&r->in, "the native driver has no such function");
        return false;
    }
    if (stride != size || (count != 0 && elements == NULL)) {
        vk_unpack_fail(&r->in, "its draws do not stand side by side");
        return false;
    }
    return count != 0;
}

void hvk_vkCmdDrawMultiEXT(struct hvk_recording *r, struct vk_args_vkCmdDrawMultiEXT *a)
{
    if (check(r, r->driver->CmdDrawMultiEXT != NULL, a->stride, sizeof *a->pVertexInfo,
              a->drawCount, a->pVertexInfo)) {
        r->driver->CmdDrawMultiEXT(r->native, a->drawCount, a->pVertexInfo, a->instanceCount,
                                   a->firstInstance, a->stride);
    }
}

void hvk_vkCmdDrawMultiIndexedEXT(struct hvk_recording *r,
                                  struct vk_args_vkCmdDrawMultiIndexedEXT *a)
{
    if (check(r, r->driver->CmdDrawMultiIndexedEXT != NULL, a->stride, sizeof *a->pIndexInfo,
              a->drawCount, a->pIndexInfo)) {
        r->driver->CmdDrawMultiIndexedEXT(r->native, a->drawCount, a->pIndexInfo, a->instanceCount,
                                          a->firstInstance, a->stride, a->pVertexOffset);
    }
}
