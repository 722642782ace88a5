/* Query pools. Results travel packed, each with its availability, and are laid out here as the
 * application asked: what the API leaves alone stays as it was. */
#include "guest/vulkan/gvk_query.h"

#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "transport/base/mem.h"

#include <string.h>

static uint32_t values_of(const VkQueryPoolCreateInfo *info)
{
    switch ((uint32_t)info->queryType) {
    case VK_QUERY_TYPE_OCCLUSION:
    case VK_QUERY_TYPE_TIMESTAMP:
    case VK_QUERY_TYPE_PRIMITIVES_GENERATED_EXT:
    case VK_QUERY_TYPE_MESH_PRIMITIVES_GENERATED_EXT:
        return 1;
    case VK_QUERY_TYPE_PIPELINE_STATISTICS:
        return (uint32_t)__builtin_popcount(info->pipelineStatistics);
    case VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT:
        return 2;
    default:
        return 0;
    }
}

VkResult gvk_vkCreateQueryPool(VkDevice device, const VkQueryPoolCreateInfo *pCreateInfo,
                               const VkAllocationCallbacks *pAllocator, VkQueryPool *pQueryPool)
{
    VkResult result = gvk_entry_vkCreateQueryPool(device, pCreateInfo, pAllocator, pQueryPool);
    if (result == VK_SUCCESS) {
        GVK_FROM(gvk_query_pool, *pQueryPool)->values = values_of(pCreateInfo);
    }
    return result;
}

/* One query of `values` numbers, with availability behind them, to where the application wants
 * it. */
static void result_place(uint8_t *to, const uint8_t *from, uint32_t values, size_t size,
                         VkQueryResultFlags flags)
{
    uint64_t available = 0;
    memcpy(&available, from + values * size, size);
    if (available != 0 || (flags & VK_QUERY_RESULT_PARTIAL_BIT) != 0) {
        memcpy(to, from, values * size);
    }
    if ((flags & VK_QUERY_RESULT_WITH_AVAILABILITY_BIT) != 0) {
        memcpy(to + values * size, &available, size);
    }
}

VkResult gvk_vkGetQueryPoolResults(VkDevice device, VkQueryPool queryPool, uint32_t firstQuery,
                                   uint32_t queryCount, size_t dataSize, void *pData,
                                   VkDeviceSize stride, VkQueryResultFlags flags)
{
    const struct gvk_query_pool *pool = GVK_FROM(gvk_query_pool, queryPool);
    struct gvk_host *host = gvk_host_of(device);
    if (pool->values == 0 || (flags & VK_QUERY_RESULT_WITH_STATUS_BIT_KHR) != 0) {
        return gvk_call_vkGetQueryPoolResults(host, device, queryPool, firstQuery, queryCount,
                                              dataSize, pData, stride, flags);
    }
    size_t size = (flags & VK_QUERY_RESULT_64_BIT) != 0 ? 8 : 4;
    size_t packed = (pool->values + 1) * size;
    uint8_t *data = sl_alloc_array(queryCount, packed);
    if (data == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result = gvk_call_vkGetQueryPoolResults(host, device, queryPool, firstQuery,
                                                     queryCount, queryCount * packed, data, packed,
                                                     flags | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
    for (uint32_t i = 0; result >= 0 && i < queryCount; i++) {
        result_place((uint8_t *)pData + i * stride, data + i * packed, pool->values, size, flags);
    }
    sl_free(data);
    return result;
}
