/* Results of queries that were over before a snapshot.
 *
 * No driver takes results. In a replay that begins with a snapshot they are kept beside the pool
 * until the query is reset: who asks for them on the host is answered from there, and commands that
 * copy them write them instead. Which those are is known when commands are submitted: what was
 * recorded while it was others is recorded again then. */
#include "host/vulkan/hvk_birth.h"
#include "host/vulkan/hvk_query.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

#define COMMANDS (VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT)

static uint64_t *place_of(const struct hvk_query_pool *pool, uint32_t query)
{
    return pool->kept + query * (size_t)hvk_query_words(pool);
}

/* Recorded commands are read past their turn, beside a submit that resets. */
static bool is_kept(const struct hvk_query_pool *pool, uint32_t query)
{
    return pool->kept != NULL && sl_atomic_load_relaxed_u64(place_of(pool, query)) != 0;
}

bool hvk_queries_kept(const struct hvk_query_pool *pool, uint32_t first, uint32_t count)
{
    bool kept = false;
    for (uint32_t i = 0; pool->kept != NULL && !kept && i < count; i++) {
        kept = is_kept(pool, first + i);
    }
    return kept;
}

void hvk_queries_forget(struct hvk_query_pool *pool, uint32_t first, uint32_t count)
{
    bool any = false;
    for (uint32_t i = 0; pool->kept != NULL && i < count; i++) {
        any = any || is_kept(pool, first + i);
        sl_atomic_store_relaxed_u64(place_of(pool, first + i), 0);
    }
    if (any) {
        (void)sl_atomic_count_u64(&pool->object.device->context->kept_changes, 1);
    }
}

static uint64_t bytes_of(const struct hvk_query_pool *pool)
{
    return (uint64_t)pool->count * hvk_query_words(pool) * 8;
}

void hvk_queries_free(struct hvk_query_pool *pool)
{
    if (pool->kept != NULL) {
        (void)hvk_keep(pool->object.device->context, -(int64_t)bytes_of(pool));
        sl_free(pool->kept);
        pool->kept = NULL;
    }
}

/* --- saved --- */

VkResult hvk_queries_read(const struct hvk_query_pool *pool, uint32_t first, uint32_t count,
                          uint64_t *out)
{
    const struct hvk_device *device = pool->object.device;
    const size_t words = hvk_query_words(pool), size = words * 8;
    VkResult result = device->driver.GetQueryPoolResults(
        hvk_native(device), HVK_HANDLE(VkQueryPool, pool->object.native), first, count,
        count * size, out, size, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *one = out + i * words, available = one[pool->value_count];
        memmove(one + 1, one, pool->value_count * 8);
        one[0] = available;
        if (is_kept(pool, first + i)) {
            memcpy(one, place_of(pool, first + i), size);
        } else if (available == 0) { /* what stands there then is anything */
            memset(one, 0, size);
        }
    }
    return result == VK_NOT_READY ? VK_SUCCESS : result;
}

/* --- brought back --- */

static VkResult reset(const struct hvk_query_pool *pool, uint32_t first, uint32_t count)
{
    struct hvk_once once;
    VkResult result = hvk_once_begin(&once, pool->object.device, COMMANDS);
    if (result == VK_ERROR_FEATURE_NOT_PRESENT) {
        return VK_SUCCESS; /* no queue of the device's knows queries */
    }
    if (result == VK_SUCCESS) {
        pool->object.device->driver.CmdResetQueryPool(
            once.commands, HVK_HANDLE(VkQueryPool, pool->object.native), first, count);
        result = hvk_once_run(&once);
    }
    if (result != VK_TIMEOUT) {
        hvk_once_end(&once);
    }
    return result;
}

static bool make_room(struct hvk_query_pool *pool)
{
    if (pool->kept == NULL && hvk_keep(pool->object.device->context, (int64_t)bytes_of(pool))) {
        pool->kept = sl_alloc_array(pool->count, hvk_query_words(pool) * sizeof(uint64_t));
        if (pool->kept == NULL) {
            (void)hvk_keep(pool->object.device->context, -(int64_t)bytes_of(pool));
        }
    }
    return pool->kept != NULL;
}

enum sl_result hvk_queries_restore(struct hvk_query_pool *pool, uint32_t first, uint32_t count,
                                   const uint64_t *results, uint32_t words)
{
    const size_t one = hvk_query_words(pool);
    VkResult result = VK_SUCCESS;
    if (!pool->tells || (words != 0 && words != count * one)) {
        return SL_ERR_INVALID;
    }
    if (words != 0 && !make_room(pool)) {
        return SL_ERR_NOMEM;
    }
    pool->is_used = true;
    hvk_queries_forget(pool, first, count);
    (void)sl_atomic_count_u64(&pool->object.device->context->kept_changes, 1);
    for (uint32_t i = 0; result == VK_SUCCESS && i < count;) {
        uint32_t run = words == 0 ? count : 0;
        while (i + run < count && results[(i + run) * one] == 0) {
            run++;
        }
        if (run != 0) {
            result = reset(pool, first + i, run);
        } else {
            memcpy(place_of(pool, first + i) + 1, results + i * one + 1, (one - 1) * 8);
            sl_atomic_store_relaxed_u64(place_of(pool, first + i), 1);
        }
        i += run != 0 ? run : 1;
    }
    return result == VK_SUCCESS ? SL_OK : SL_ERR_DEVICE_LOST;
}

/* --- asked for --- */

/* As drivers lay one out; returns its size. */
static uint32_t lay_out(const struct hvk_query_pool *pool, uint32_t query, VkQueryResultFlags flags,
                        uint8_t *out)
{
    const uint64_t *values = place_of(pool, query) + 1;
    uint32_t width = (flags & VK_QUERY_RESULT_64_BIT) != 0 ? 8 : 4, count = pool->value_count;
    bool tells =
        (flags & (VK_QUERY_RESULT_WITH_AVAILABILITY_BIT | VK_QUERY_RESULT_WITH_STATUS_BIT_KHR)) !=
        0;
    for (uint32_t i = 0; i < count + tells; i++) {
        uint64_t value = i < count ? values[i] : 1;
        uint32_t half = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
        memcpy(out + i * width, width == 8 ? (const void *)&value : &half, width);
    }
    return (count + tells) * width;
}

VkResult hvk_queries_get(const struct hvk_query_pool *pool,
                         const struct vk_args_vkGetQueryPoolResults *a, VkQueryResultFlags flags)
{
    const struct hvk_device *device = pool->object.device;
    VkResult all = VK_SUCCESS;
    for (uint32_t i = 0; i < a->queryCount && all >= VK_SUCCESS; i++) {
        uint8_t *out = (uint8_t *)a->pData + i * a->stride;
        if (is_kept(pool, a->firstQuery + i)) {
            (void)lay_out(pool, a->firstQuery + i, flags, out);
            continue;
        }
        VkResult one = device->driver.GetQueryPoolResults(
            hvk_native(device), a->queryPool, a->firstQuery + i, 1, a->dataSize - i * a->stride,
            out, a->stride, flags);
        all = one != VK_SUCCESS ? one : all;
    }
    return all;
}

/* --- copied by commands --- */

/* What the copy takes from here: nothing that the commands before it reset. */
static bool is_copied(const struct hvk_recording *r, const struct hvk_query_pool *pool,
                      const struct vk_args_vkCmdCopyQueryPoolResults *a, uint32_t i)
{
    return is_kept(pool, a->firstQuery + i) && (a->dstOffset | a->stride) % 4 == 0 &&
           !hvk_uses_is_reset(&r->buffer->uses, a->queryPool_id, a->firstQuery + i);
}

static void write_one(struct hvk_recording *r, const struct hvk_query_pool *pool,
                      const struct vk_args_vkCmdCopyQueryPoolResults *a, uint32_t i)
{
    uint64_t values[HVK_QUERY_VALUES_MAX + 1];
    uint32_t size = lay_out(pool, a->firstQuery + i, a->flags, (uint8_t *)values);
    r->driver->CmdUpdateBuffer(r->native, a->dstBuffer, a->dstOffset + i * a->stride, size, values);
}

static void copies(struct hvk_command_buffer *b, uint64_t changes)
{
    b->copied_at = b->copies_queries && b->copied_at < changes ? b->copied_at : changes;
    b->copies_queries = true;
}

void hvk_queries_execute(struct hvk_command_buffer *b, const struct hvk_command_buffer *second)
{
    if (second->copies_queries) {
        copies(b, second->copied_at);
    }
}

void hvk_queries_copy(struct hvk_recording *r, const struct hvk_query_pool *pool,
                      const struct vk_args_vkCmdCopyQueryPoolResults *a)
{
    /* Who waits for copies waits for these writes. */
    const VkMemoryBarrier order = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                   .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                   .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT};
    bool any = false;
    copies(r->buffer, sl_atomic_load_relaxed_u64(&r->device->context->kept_changes));
    for (uint32_t i = 0, run; i < a->queryCount; i += run) {
        run = is_copied(r, pool, a, i) ? 1 : 0;
        if (run != 0) {
            write_one(r, pool, a, i);
            any = true;
            continue;
        }
        while (i + run < a->queryCount && !is_copied(r, pool, a, i + run)) {
            run++;
        }
        r->driver->CmdCopyQueryPoolResults(r->native, a->queryPool, a->firstQuery + i, run,
                                           a->dstBuffer, a->dstOffset + i * a->stride, a->stride,
                                           a->flags);
    }
    if (any) {
        r->driver->CmdPipelineBarrier(r->native, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                      VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &order, 0, NULL, 0,
                                      NULL);
    }
}

void hvk_queries_settle(struct hvk_command_buffer *b)
{
    struct hvk_device *device = b->object.device;
    if (b->copied_at == sl_atomic_load_relaxed_u64(&device->context->kept_changes)) {
        return;
    }
    if (!hvk_work_is_done(device, &b->work) && !hvk_graves_wait(device)) {
        return; /* the device is lost */
    }
    for (uint32_t i = 0; i < b->uses.count; i++) { /* they execute no others */
        struct hvk_command_buffer *second =
            (struct hvk_command_buffer *)(void *)hvk_uses_executed(&b->uses, i, device->context);
        if (second != NULL && second->copies_queries) {
            hvk_queries_settle(second);
        }
    }
    hvk_command_again(b);
}
