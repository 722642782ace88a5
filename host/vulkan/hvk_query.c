/* Query results, written where there is room for what a driver may write. */
#include "host/vulkan/hvk_core.h"

#include "host/vk_hand.h"

/* More than one query's results have, where the driver and the guest count them differently. */
#define SPARE 4096u

VkResult hvk_vkGetQueryPoolResults(struct hvk_call *call, struct vk_args_vkGetQueryPoolResults *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t span = 0;
    if (a->queryCount == 0 ||
        __builtin_mul_overflow((uint64_t)a->queryCount - 1, a->stride, &span) ||
        span > a->dataSize) {
        hr_call_refuse(call->hr, "%u queries, %llu bytes apart, do not fit into %zu", a->queryCount,
                       (unsigned long long)a->stride, a->dataSize);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    uint8_t *room = vk_unpack_alloc(&call->in, (uint64_t)a->dataSize + SPARE, 1);
    if (room == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    /* What is not available keeps what was there. */
    memcpy(room, a->pData, a->dataSize);
    a->pData = room;
    return hvk_device_result(device, device->driver.GetQueryPoolResults(
                                         a->device, a->queryPool, a->firstQuery, a->queryCount,
                                         a->dataSize, room, a->stride, a->flags));
}
