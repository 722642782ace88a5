/* Draws: those in a row become one native call, which costs drivers far less than as many calls.
 *
 * What a shader may know of a draw is its number, and, of drivers that count on, its primitives'
 * numbers: both take a capability (hvk_shader.c), and a device that was ever given such a shader
 * gets its draws one by one. Draws of several instances, too: the order of one call's instances is
 * drivers' own; and empty ones, by which drivers judge the whole call. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"

/* Draws that become one call. */
#define RUN_MAX 256u
/* Packets of the two kinds. */
#define DRAW_SIZE    24u
#define INDEXED_SIZE 28u

/* Draws that one native call may make; 0: there is no such call. */
static uint32_t draws_at_once(const struct hvk_physical *p)
{
    const struct vk_driver_instance *driver = &p->object.instance->driver;
    VkPhysicalDeviceMultiDrawFeaturesEXT multi = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTI_DRAW_FEATURES_EXT};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = &multi};
    VkPhysicalDeviceMultiDrawPropertiesEXT limit = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTI_DRAW_PROPERTIES_EXT};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &limit};
    if (!hvk_extension_is_in(p->extensions, p->extension_count, "VK_EXT_multi_draw") ||
        driver->GetPhysicalDeviceFeatures2 == NULL ||
        driver->GetPhysicalDeviceProperties2 == NULL) {
        return 0;
    }
    VkPhysicalDevice native = HVK_HANDLE(VkPhysicalDevice, p->object.native);
    driver->GetPhysicalDeviceFeatures2(native, &features);
    driver->GetPhysicalDeviceProperties2(native, &properties);
    return !multi.multiDraw                    ? 0
           : limit.maxMultiDrawCount < RUN_MAX ? limit.maxMultiDrawCount
                                               : RUN_MAX;
}

const void *hvk_draws_enable(struct hvk_device *device, const void *chain,
                             VkPhysicalDeviceMultiDrawFeaturesEXT *own)
{
    device->draws_at_once = draws_at_once(device->physical);
    VkPhysicalDeviceMultiDrawFeaturesEXT *there =
        (VkPhysicalDeviceMultiDrawFeaturesEXT *)(uintptr_t)hvk_chain_find(
            chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTI_DRAW_FEATURES_EXT);
    if (device->draws_at_once == 0) {
        return chain;
    }
    if (there != NULL) {
        there->multiDraw = VK_TRUE;
        return chain;
    }
    *own = (VkPhysicalDeviceMultiDrawFeaturesEXT){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTI_DRAW_FEATURES_EXT,
        .pNext = (void *)(uintptr_t)chain,
        .multiDraw = VK_TRUE};
    return own;
}

/* How many draws a call may make that begins with this one. */
static uint32_t run_max(const struct hvk_recording *r, uint32_t elements, uint32_t instances)
{
    /* Whoever draws with a shader has created it in an earlier turn: orders nothing more. */
    bool may =
        elements != 0 && instances == 1 && sl_atomic_load_relaxed(&r->device->tells_draws) == 0;
    return may ? r->device->draws_at_once : 1;
}

/* The body of the packet at p, if it is one more draw of the run's kind: of so many bytes, not
 * empty, of one instance. NULL. */
static const uint8_t *next_draw(const struct hvk_recording *r, const uint8_t *p, uint32_t size)
{
    bool is = (size_t)(r->end - p) >= size && sl_load_u32(p) == r->opcode &&
              sl_load_u32(p + 4) == size && sl_load_u32(p + 8) != 0 && sl_load_u32(p + 12) == 1;
    return is ? p + 8 : NULL;
}

void hvk_vkCmdDraw(struct hvk_recording *r, struct vk_args_vkCmdDraw *a)
{
    VkMultiDrawInfoEXT run[RUN_MAX];
    uint32_t most = run_max(r, a->vertexCount, a->instanceCount), count = 1;
    if (!hvk_can_draw(r)) {
        return;
    }
    run[0] = (VkMultiDrawInfoEXT){a->firstVertex, a->vertexCount};
    while (count < most) {
        const uint8_t *p = next_draw(r, r->in.end, DRAW_SIZE);
        if (p == NULL || sl_load_u32(p + 12) != a->firstInstance) {
            break;
        }
        run[count++] = (VkMultiDrawInfoEXT){sl_load_u32(p + 8), sl_load_u32(p)};
        r->in.end += DRAW_SIZE;
    }
    if (count == 1) {
        r->driver->CmdDraw(r->native, a->vertexCount, a->instanceCount, a->firstVertex,
                           a->firstInstance);
    } else {
        r->driver->CmdDrawMultiEXT(r->native, count, run, 1, a->firstInstance, sizeof run[0]);
    }
}

void hvk_vkCmdDrawIndexed(struct hvk_recording *r, struct vk_args_vkCmdDrawIndexed *a)
{
    VkMultiDrawIndexedInfoEXT run[RUN_MAX];
    uint32_t most = run_max(r, a->indexCount, a->instanceCount), count = 1;
    if (!hvk_can_draw_indexed(r)) {
        return;
    }
    run[0] = (VkMultiDrawIndexedInfoEXT){a->firstIndex, a->indexCount, a->vertexOffset};
    while (count < most) {
        const uint8_t *p = next_draw(r, r->in.end, INDEXED_SIZE);
        if (p == NULL || sl_load_u32(p + 16) != a->firstInstance) {
            break;
        }
        run[count++] = (VkMultiDrawIndexedInfoEXT){sl_load_u32(p + 8), sl_load_u32(p),
                                                   (int32_t)sl_load_u32(p + 12)};
        r->in.end += INDEXED_SIZE;
    }
    if (count == 1) {
        r->driver->CmdDrawIndexed(r->native, a->indexCount, a->instanceCount, a->firstIndex,
                                  a->vertexOffset, a->firstInstance);
    } else {
        r->driver->CmdDrawMultiIndexedEXT(r->native, count, run, 1, a->firstInstance, sizeof run[0],
                                          NULL);
    }
}

/* ---- What applications make one call of ----
 *
 * The parameters stand side by side in the packet, whatever step a guest gives: a driver walks by
 * the step and has no end. */

/* Are there the function, and as many elements of `size` bytes as it reads? */
static bool check(struct hvk_recording *r, bool has_function, uint32_t stride, size_t size,
                  uint32_t count, const void *elements)
{
    if (!hvk_recorder_there(r, has_function) || !hvk_can_draw(r)) {
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
              a->drawCount, a->pIndexInfo) &&
        hvk_can_draw_indexed(r)) {
        r->driver->CmdDrawMultiIndexedEXT(r->native, a->drawCount, a->pIndexInfo, a->instanceCount,
                                          a->firstInstance, a->stride, a->pVertexOffset);
    }
}
