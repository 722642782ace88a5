/* Query pools: indices and result buffers within their bounds. */
#include "host/vulkan/hvk_query.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

/* Of larger pools it is not known what each query is used for. */
#define EACH_MAX 65536u
/* Of all pools of a process: drivers have memory for each, and count its bytes as they like. */
#define QUERIES_MAX (1u << 22)

static struct hvk_query_pool *pool_of(struct hvk_object *object)
{
    return (struct hvk_query_pool *)(void *)object;
}

static void pool_release(struct hvk_object *object)
{
    hvk_give_back(&object->device->context->queries, pool_of(object)->count);
    object->device->driver.DestroyQueryPool(hvk_native(object->device),
                                            HVK_HANDLE(VkQueryPool, object->native), NULL);
    hvk_queries_free(pool_of(object));
    sl_free(object);
}

/* Values of one query of that sort, at most. */
static uint32_t values_of(const VkQueryPoolCreateInfo *info)
{
    const VkQueryPoolPerformanceCreateInfoKHR *counters =
        hvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_QUERY_POOL_PERFORMANCE_CREATE_INFO_KHR);
    if (counters != NULL) {
        return counters->counterIndexCount * 2; /* 64 bits each */
    }
    if (info->queryType == VK_QUERY_TYPE_PIPELINE_STATISTICS) {
        return (uint32_t)__builtin_popcount(info->pipelineStatistics);
    }
    return info->queryType == VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT ? 2 : 1;
}

/* Those that can be asked whether they are available, and are the device's own. */
static bool tells(VkQueryType type)
{
    switch (type) {
    case VK_QUERY_TYPE_OCCLUSION:
    case VK_QUERY_TYPE_PIPELINE_STATISTICS:
    case VK_QUERY_TYPE_TIMESTAMP:
    case VK_QUERY_TYPE_TRANSFORM_FEEDBACK_STREAM_EXT:
    case VK_QUERY_TYPE_PRIMITIVES_GENERATED_EXT:
    case VK_QUERY_TYPE_MESH_PRIMITIVES_GENERATED_EXT:
        return true;
    default:
        return false;
    }
}

VkResult hvk_vkCreateQueryPool(struct hvk_call *call, struct vk_args_vkCreateQueryPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t id = HVK_U64(*a->pQueryPool);
    VkQueryPool native = VK_NULL_HANDLE;
    *a->pQueryPool = VK_NULL_HANDLE;
    uint32_t count = a->pCreateInfo->queryCount;
    if (!hvk_take(&call->context->queries, count, QUERIES_MAX)) {
        return hvk_device_result(device, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    }
    struct hvk_query_pool *pool =
        sl_alloc(sizeof *pool + (count <= EACH_MAX ? count * sizeof(struct hvk_work) : 0));
    VkResult result = pool == NULL ? VK_ERROR_OUT_OF_HOST_MEMORY
                                   : device->driver.CreateQueryPool(hvk_native(device),
                                                                    a->pCreateInfo, NULL, &native);
    if (result != VK_SUCCESS) {
        hvk_give_back(&call->context->queries, count);
        sl_free(pool);
        return hvk_device_result(device, result);
    }
    hvk_object_init(&pool->object, VK_KIND_VkQueryPool, HVK_U64(native), device->object.instance,
                    device, pool_release);
    pool->count = count;
    pool->value_count = values_of(a->pCreateInfo);
    pool->tells = tells(a->pCreateInfo->queryType);
    enum sl_result added = hvk_add_object(call, &pool->object, &id);
    hvk_unref(&pool->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *a->pQueryPool = HVK_HANDLE(VkQueryPool, id);
    return hvk_device_result(device, VK_SUCCESS);
}

struct hvk_query_pool *hvk_queries_find(const struct hvk_context *context, uint64_t id,
                                        uint32_t first, uint32_t count)
{
    struct hvk_query_pool *pool = pool_of(hvk_find(context, VK_KIND_VkQueryPool, id, NULL));
    return pool != NULL && sl_region_fits(first, count, pool->count) ? pool : NULL;
}

/* --- what the device has yet to do with queries --- */

void hvk_queries_give(struct hvk_query_pool *pool, uint32_t first, uint32_t count,
                      struct hvk_queue *queue)
{
    if (pool == NULL || !sl_region_fits(first, count, pool->count)) {
        return;
    }
    pool->is_used = true;
    hvk_work_give(count == 1 && pool->count <= EACH_MAX ? &pool->one[first] : &pool->work, queue);
}

static bool are_done(const struct hvk_query_pool *pool, uint32_t first, uint32_t count)
{
    struct hvk_device *device = pool->object.device;
    bool done = hvk_work_is_done(device, &pool->work);
    for (uint32_t i = 0; done && pool->count <= EACH_MAX && i < count; i++) {
        done = hvk_work_is_done(device, &pool->one[first + i]);
    }
    return done;
}

/* Drivers die of queries that are reset while they count. No correct guest waits here, but where
 * nothing has told yet that they are done. */
void hvk_vkResetQueryPool(struct hvk_call *call, struct vk_args_vkResetQueryPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_query_pool *pool =
        hvk_queries_find(call->context, a->queryPool_id, a->firstQuery, a->queryCount);
    if (device->driver.ResetQueryPool != NULL && pool != NULL &&
        (are_done(pool, a->firstQuery, a->queryCount) || hvk_graves_wait(device))) {
        pthread_rwlock_wrlock(&call->context->natives); /* somebody may read them past its turn */
        device->driver.ResetQueryPool(hvk_native(device), a->queryPool, a->firstQuery,
                                      a->queryCount);
        pthread_rwlock_unlock(&call->context->natives);
        pool->is_used = true;
        hvk_queries_forget(pool, a->firstQuery, a->queryCount);
    } else {
        sl_warn_limited("vulkan", "context %u: no queries %u to %u, or they are in use",
                        call->context->ctx_id, a->firstQuery, a->queryCount);
    }
}

/* The bytes of `count` queries' results, as the driver lays them out. False: too many. */
static bool results_size(const struct hvk_query_pool *pool, uint32_t count, uint64_t stride,
                         VkQueryResultFlags flags, uint64_t *out)
{
    uint64_t width = (flags & VK_QUERY_RESULT_64_BIT) != 0 ? 8 : 4;
    uint64_t extra =
        (flags & (VK_QUERY_RESULT_WITH_AVAILABILITY_BIT | VK_QUERY_RESULT_WITH_STATUS_BIT_KHR)) !=
        0;
    uint64_t one = (pool->value_count + extra) * width, before;
    *out = 0;
    return count == 0 || (sl_mul_u64(count - 1, stride, &before) && sl_add_u64(before, one, out));
}

/* In a replay that began with a snapshot nobody runs queries that were going on then: what is there
 * once the device is idle is all. */
static VkQueryResultFlags flags_of(const struct hvk_device *device, VkQueryResultFlags flags)
{
    return device->context->provider->restores
               ? flags & ~(VkQueryResultFlags)VK_QUERY_RESULT_WAIT_BIT
               : flags;
}

static VkResult results_get(const struct hvk_query_pool *pool,
                            const struct vk_args_vkGetQueryPoolResults *a)
{
    const struct hvk_device *device = pool->object.device;
    VkQueryResultFlags flags = flags_of(device, a->flags);
    return hvk_queries_kept(pool, a->firstQuery, a->queryCount)
               ? hvk_queries_get(pool, a, flags)
               : device->driver.GetQueryPoolResults(hvk_native(device), a->queryPool, a->firstQuery,
                                                    a->queryCount, a->dataSize, a->pData, a->stride,
                                                    flags);
}

/* Past its turn: who is waited for may need one. */
static VkResult results_wait(struct hvk_call *call, struct hvk_query_pool *pool,
                             const struct vk_args_vkGetQueryPoolResults *a)
{
    struct hvk_device *device = pool->object.device;
    VkResult result = VK_NOT_READY;
    (void)hvk_ref(&device->object);
    (void)hvk_ref(&pool->object);
    hvk_pass(call);
    if (hvk_queues_hold(device, call)) {
        result = results_get(pool, a);
        hvk_queues_leave(device);
    }
    result = hvk_device_result(device, result);
    hvk_unref(&pool->object);
    hvk_unref(&device->object);
    return result;
}

/* Drivers of the CPU wait for all of a device's work, whether they are asked to or not. */
static bool waits(const struct hvk_device *device, VkQueryResultFlags flags)
{
    return (flags & VK_QUERY_RESULT_WAIT_BIT) != 0 || hvk_is_cpu(device->physical);
}

VkResult hvk_vkGetQueryPoolResults(struct hvk_call *call, struct vk_args_vkGetQueryPoolResults *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_query_pool *pool =
        hvk_queries_find(call->context, a->queryPool_id, a->firstQuery, a->queryCount);
    uint64_t size;
    if (pool == NULL || a->pData == NULL ||
        !results_size(pool, a->queryCount, a->stride, a->flags, &size) || size > a->dataSize) {
        return hvk_device_result(device, VK_ERROR_VALIDATION_FAILED);
    }
    if (waits(device, a->flags) && !hvk_device_is_idle(device)) {
        return results_wait(call, pool, a);
    }
    return hvk_device_result(device, results_get(pool, a));
}

/* --- recorded --- */

static bool check(struct hvk_recording *r, uint64_t id, uint32_t first, uint32_t count)
{
    if (hvk_queries_find(r->device->context, id, first, count) != NULL) {
        hvk_uses_queries(&r->in, id, first, count);
        return true;
    }
    vk_unpack_fail(&r->in, "it names queries that its pool has not");
    return false;
}

/* Drivers count into what begins until it ends, and end what has never begun. Where it stands among
 * those that count; counting_count: it does not. */
static uint32_t counting_find(const struct hvk_command_buffer *b, uint64_t pool, uint32_t first,
                              uint32_t count)
{
    uint32_t i = 0;
    while (i < b->counting_count &&
           (b->counting[i].pool != pool || b->counting[i].query - first >= count)) {
        i++;
    }
    return i;
}

static bool may_begin(struct hvk_recording *r, uint64_t pool, uint32_t query)
{
    struct hvk_command_buffer *b = r->buffer;
    if (!check(r, pool, query, 1)) {
        return false;
    }
    if (b->counting_count == HVK_COUNTING_MAX ||
        counting_find(b, pool, query, 1) != b->counting_count) {
        vk_unpack_fail(&r->in, "it begins a query twice, or too many");
        return false;
    }
    b->counting[b->counting_count++] = (struct hvk_counting){pool, query};
    return true;
}

static bool may_end(struct hvk_recording *r, uint64_t pool, uint32_t query)
{
    struct hvk_command_buffer *b = r->buffer;
    uint32_t at = counting_find(b, pool, query, 1);
    if (!check(r, pool, query, 1)) {
        return false;
    }
    if (at == b->counting_count) {
        vk_unpack_fail(&r->in, "it ends a query that it has not begun");
        return false;
    }
    b->counting[at] = b->counting[--b->counting_count];
    return true;
}

/* Nobody counts into what a reset takes away. */
static bool may_reset(struct hvk_recording *r, uint64_t pool, uint32_t first, uint32_t count)
{
    struct hvk_command_buffer *b = r->buffer;
    if (!check(r, pool, first, count)) {
        return false;
    }
    if (counting_find(b, pool, first, count) != b->counting_count) {
        vk_unpack_fail(&r->in, "it resets a query that it has begun");
        return false;
    }
    b->resets_queries = true;
    if (r->device->context->provider->restores) { /* elsewhere nothing is kept of them */
        hvk_uses_resets(&r->in, pool, first, count);
    }
    return true;
}

void hvk_vkCmdBeginQuery(struct hvk_recording *r, struct vk_args_vkCmdBeginQuery *a)
{
    if (may_begin(r, a->queryPool_id, a->query)) {
        r->driver->CmdBeginQuery(r->native, a->queryPool, a->query, a->flags);
    }
}

void hvk_vkCmdEndQuery(struct hvk_recording *r, struct vk_args_vkCmdEndQuery *a)
{
    if (may_end(r, a->queryPool_id, a->query)) {
        r->driver->CmdEndQuery(r->native, a->queryPool, a->query);
    }
}

void hvk_vkCmdResetQueryPool(struct hvk_recording *r, struct vk_args_vkCmdResetQueryPool *a)
{
    if (may_reset(r, a->queryPool_id, a->firstQuery, a->queryCount)) {
        r->driver->CmdResetQueryPool(r->native, a->queryPool, a->firstQuery, a->queryCount);
    }
}

void hvk_vkCmdWriteTimestamp(struct hvk_recording *r, struct vk_args_vkCmdWriteTimestamp *a)
{
    if (check(r, a->queryPool_id, a->query, 1)) {
        r->driver->CmdWriteTimestamp(r->native, a->pipelineStage, a->queryPool, a->query);
    }
}

void hvk_vkCmdWriteTimestamp2(struct hvk_recording *r, struct vk_args_vkCmdWriteTimestamp2 *a)
{
    if (r->driver->CmdWriteTimestamp2 == NULL) {
        vk_unpack_fail(&r->in, "the native driver has no such function");
    } else if (check(r, a->queryPool_id, a->query, 1)) {
        r->driver->CmdWriteTimestamp2(r->native, a->stage, a->queryPool, a->query);
    }
}

void hvk_vkCmdBeginQueryIndexedEXT(struct hvk_recording *r,
                                   struct vk_args_vkCmdBeginQueryIndexedEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdBeginQueryIndexedEXT != NULL) &&
        may_begin(r, a->queryPool_id, a->query)) {
        r->driver->CmdBeginQueryIndexedEXT(r->native, a->queryPool, a->query, a->flags, a->index);
    }
}

void hvk_vkCmdEndQueryIndexedEXT(struct hvk_recording *r, struct vk_args_vkCmdEndQueryIndexedEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdEndQueryIndexedEXT != NULL) &&
        may_end(r, a->queryPool_id, a->query)) {
        r->driver->CmdEndQueryIndexedEXT(r->native, a->queryPool, a->query, a->index);
    }
}

void hvk_vkCmdCopyQueryPoolResults(struct hvk_recording *r,
                                   struct vk_args_vkCmdCopyQueryPoolResults *a)
{
    const struct hvk_query_pool *pool =
        hvk_queries_find(r->device->context, a->queryPool_id, a->firstQuery, a->queryCount);
    uint64_t size = UINT64_MAX;
    if (check(r, a->queryPool_id, a->firstQuery, a->queryCount) &&
        hvk_reaches(r, a->dstBuffer_id, a->dstOffset,
                    results_size(pool, a->queryCount, a->stride, a->flags, &size) ? size
                                                                                  : UINT64_MAX)) {
        if (r->device->context->provider->restores) {
            hvk_queries_copy(r, pool, a);
            return;
        }
        r->driver->CmdCopyQueryPoolResults(r->native, a->queryPool, a->firstQuery, a->queryCount,
                                           a->dstBuffer, a->dstOffset, a->stride, a->flags);
    }
}
