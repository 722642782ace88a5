/* Recording: each command buffer collects packets of its own, without handle and number, which
 * travel at the next submit (facts, section 7). */
#include "guest/vulkan/gvk_command.h"

#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_clean.h"
#include "transport/base/atomic.h"
#include "wire/vk_opcodes.h"
#include "wire/vk_pack.h"

/* ---- Pools ---- */

VkResult gvk_vkCreateCommandPool(VkDevice device, const VkCommandPoolCreateInfo *pCreateInfo,
                                 const VkAllocationCallbacks *pAllocator,
                                 VkCommandPool *pCommandPool)
{
    VkResult result = gvk_entry_vkCreateCommandPool(device, pCreateInfo, pAllocator, pCommandPool);
    if (result == VK_SUCCESS) {
        struct gvk_command_pool *pool = GVK_FROM(gvk_command_pool, *pCommandPool);
        sl_list_init(&pool->buffers);
        pthread_mutex_init(&pool->flush_lock, NULL);
    }
    return result;
}

static void buffer_init(struct gvk_device *device, struct gvk_command_pool *pool,
                        struct gvk_command_buffer *buffer, bool primary)
{
    struct gvk_dispatch *dispatch = &buffer->recorder.dispatch;
    dispatch->object.vk.loader = GVK_LOADER_MAGIC;
    dispatch->host = device->dispatch.host;
    dispatch->device = device;
    buffer->pool = pool;
    buffer->primary = primary;
    vk_pack_init(&buffer->recorder.pack, GVK_RECORDING_MAX, true);
    buffer->recorder.pack.peers = device->dispatch.host->peers;
    sl_arena_init(&buffer->arena, GVK_CLEAN_MAX);
    sl_list_add(&pool->buffers, &buffer->link);
}

/* All but the object itself. */
static void buffer_finish(struct gvk_command_buffer *buffer)
{
    sl_list_remove(&buffer->link);
    vk_pack_finish(&buffer->recorder.pack);
    sl_arena_finish(&buffer->arena);
    sl_free(buffer->secondaries);
}

/* What was recorded is void. */
static void buffer_forget(struct gvk_command_buffer *buffer, bool memory_too)
{
    if (memory_too) {
        vk_pack_finish(&buffer->recorder.pack);
        sl_arena_finish(&buffer->arena);
        sl_arena_init(&buffer->arena, GVK_CLEAN_MAX);
    }
    vk_pack_reset(&buffer->recorder.pack);
    sl_atomic_store_relaxed(&buffer->unsent, 0); /* nobody submits it meanwhile */
    buffer->secondary_count = 0;
}

void gvk_vkDestroyCommandPool(VkDevice device, VkCommandPool commandPool,
                              const VkAllocationCallbacks *pAllocator)
{
    struct gvk_command_pool *pool = GVK_FROM(gvk_command_pool, commandPool);
    if (pool == NULL) {
        return;
    }
    struct sl_list buffers;
    sl_list_init(&buffers);
    sl_list_move(&buffers, &pool->buffers);
    pthread_mutex_destroy(&pool->flush_lock);
    gvk_entry_vkDestroyCommandPool(device, commandPool, pAllocator);
    /* Now that the host has been told their ids may be chosen again. */
    SL_LIST_FOR_SAFE(item, &buffers)
    {
        struct gvk_command_buffer *buffer = SL_CONTAINER(item, struct gvk_command_buffer, link);
        buffer_finish(buffer);
        gvk_object_free(gvk_device_of(device), NULL, buffer);
    }
}

VkResult gvk_vkResetCommandPool(VkDevice device, VkCommandPool commandPool,
                                VkCommandPoolResetFlags flags)
{
    struct gvk_command_pool *pool = GVK_FROM(gvk_command_pool, commandPool);
    bool release = (flags & VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT) != 0;
    SL_LIST_FOR(item, &pool->buffers)
    {
        buffer_forget(SL_CONTAINER(item, struct gvk_command_buffer, link), release);
    }
    return gvk_entry_vkResetCommandPool(device, commandPool, flags);
}

VkResult gvk_vkAllocateCommandBuffers(VkDevice device,
                                      const VkCommandBufferAllocateInfo *pAllocateInfo,
                                      VkCommandBuffer *pCommandBuffers)
{
    struct gvk_device *dev = gvk_device_of(device);
    uint32_t count = pAllocateInfo->commandBufferCount;
    struct gvk_made made;
    if (!gvk_made_begin(&made, count, sizeof(struct gvk_command_buffer), dev, NULL,
                        pCommandBuffers)) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    struct gvk_host *host = gvk_host_of(device);
    VkResult result;
    if (gvk_made_choose(&made, host)) {
        result = gvk_tell_vkAllocateCommandBuffers(host, device, pAllocateInfo, pCommandBuffers);
        gvk_made_told(&made, result, dev, NULL, pCommandBuffers);
    } else {
        result = gvk_call_vkAllocateCommandBuffers(host, device, pAllocateInfo, pCommandBuffers);
        gvk_made_end(&made, dev, NULL, pCommandBuffers);
    }
    struct gvk_command_pool *pool = GVK_FROM(gvk_command_pool, pAllocateInfo->commandPool);
    bool primary = pAllocateInfo->level == VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    for (uint32_t i = 0; i < count; i++) {
        if (pCommandBuffers[i] != NULL) {
            buffer_init(dev, pool, GVK_FROM(gvk_command_buffer, pCommandBuffers[i]), primary);
        }
    }
    return result;
}

void gvk_vkFreeCommandBuffers(VkDevice device, VkCommandPool commandPool,
                              uint32_t commandBufferCount, const VkCommandBuffer *pCommandBuffers)
{
    gvk_call_vkFreeCommandBuffers(gvk_host_of(device), device, commandPool, commandBufferCount,
                                  pCommandBuffers);
    for (uint32_t i = 0; i < commandBufferCount; i++) {
        if (pCommandBuffers[i] != NULL) {
            buffer_finish(GVK_FROM(gvk_command_buffer, pCommandBuffers[i]));
            gvk_object_free(gvk_device_of(device), NULL, pCommandBuffers[i]);
        }
    }
}

/* ---- Recording ---- */

VkResult gvk_vkBeginCommandBuffer(VkCommandBuffer commandBuffer,
                                  const VkCommandBufferBeginInfo *pBeginInfo)
{
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    buffer_forget(buffer, false);
    const VkCommandBufferBeginInfo *info =
        gvk_clean_begin(&buffer->arena, buffer->primary, pBeginInfo);
    if (info == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    vk_pack_vkBeginCommandBufferAsyncGOOGLE(&buffer->recorder.pack, info);
    return buffer->recorder.pack.failed ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
}

VkResult gvk_vkEndCommandBuffer(VkCommandBuffer commandBuffer)
{
    struct gvk_command_buffer *buffer = GVK_FROM(gvk_command_buffer, commandBuffer);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&buffer->recorder.pack);
    sl_atomic_store_relaxed(&buffer->unsent, 1); /* submits come behind it by Vulkan's rules */
    return buffer->recorder.pack.failed ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
}

VkResult gvk_vkResetCommandBuffer(VkCommandBuffer commandBuffer, VkCommandBufferResetFlags flags)
{
    struct gvk_command_buffer *buffer = GVK_FROM(gvk_command_buffer, commandBuffer);
    buffer_forget(buffer, (flags & VK_COMMAND_BUFFER_RESET_RELEASE_RESOURCES_BIT) != 0);
    vk_pack_vkResetCommandBufferAsyncGOOGLE(&buffer->recorder.pack, flags);
    return VK_SUCCESS;
}

static bool secondaries_add(struct gvk_command_buffer *buffer, uint32_t count,
                            const VkCommandBuffer *handles)
{
    if (count > buffer->secondary_capacity - buffer->secondary_count) {
        uint64_t want = (uint64_t)buffer->secondary_count + count;
        want = want < 16 ? 16 : want * 2;
        if (want > UINT32_MAX) {
            return false;
        }
        struct gvk_command_buffer **grown =
            sl_realloc(buffer->secondaries, want * sizeof *buffer->secondaries);
        if (grown == NULL) {
            return false;
        }
        buffer->secondaries = grown;
        buffer->secondary_capacity = (uint32_t)want;
    }
    for (uint32_t i = 0; i < count; i++) {
        buffer->secondaries[buffer->secondary_count++] = GVK_FROM(gvk_command_buffer, handles[i]);
    }
    return true;
}

void gvk_vkCmdExecuteCommands(VkCommandBuffer commandBuffer, uint32_t commandBufferCount,
                              const VkCommandBuffer *pCommandBuffers)
{
    struct gvk_command_buffer *buffer = GVK_FROM(gvk_command_buffer, commandBuffer);
    if (!secondaries_add(buffer, commandBufferCount, pCommandBuffers)) {
        buffer->recorder.pack.failed = true;
        return;
    }
    vk_pack_vkCmdExecuteCommands(&buffer->recorder.pack, commandBufferCount, pCommandBuffers);
}

void gvk_vkCmdBeginRendering(VkCommandBuffer commandBuffer, const VkRenderingInfo *pRenderingInfo)
{
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    const VkRenderingInfo *info = gvk_clean_rendering(&buffer->arena, pRenderingInfo);
    if (info == NULL) {
        buffer->recorder.pack.failed = true;
        return;
    }
    vk_pack_vkCmdBeginRendering(&buffer->recorder.pack, info);
}

/* ---- Flushing ---- */

/* The pool's flush lock. */
static bool send_locked(struct gvk_queue *queue, struct gvk_command_buffer *buffer)
{
    struct vk_pack *recorded = &buffer->recorder.pack;
    size_t size = vk_pack_size(recorded);
    struct gvk_stream *s = !recorded->failed ? gvk_begin_of(queue) : NULL;
    if (s == NULL) {
        return false;
    }
    size_t start = vk_pack_begin(&s->pack, VK_OP_vkQueueFlushCommandsGOOGLE);
    vk_pack_u32(&s->pack, 0); /* turn */
    vk_pack_u64(&s->pack, queue->dispatch.object.vk.id);
    vk_pack_u64(&s->pack, buffer->recorder.dispatch.object.vk.id);
    vk_pack_u64(&s->pack, size);
    vk_pack_end(&s->pack, start);
    if (!gvk_send_with(s, recorded->data, size)) {
        return false;
    }
    vk_pack_reset(recorded);
    /* Pairs with the acquire below: who sees it sends his submit behind the recording. */
    sl_atomic_store_release(&buffer->unsent, 0);
    return true;
}

static bool flush_one(struct gvk_queue *queue, struct gvk_command_buffer *buffer)
{
    if (sl_atomic_load_acquire(&buffer->unsent) == 0) {
        return true;
    }
    pthread_mutex_lock(&buffer->pool->flush_lock);
    bool ok = sl_atomic_load_relaxed(&buffer->unsent) == 0 || send_locked(queue, buffer);
    pthread_mutex_unlock(&buffer->pool->flush_lock);
    return ok;
}

bool gvk_command_flush(struct gvk_queue *queue, struct gvk_command_buffer *buffer)
{
    for (uint32_t i = 0; i < buffer->secondary_count; i++) {
        if (!gvk_command_flush(queue, buffer->secondaries[i])) {
            return false;
        }
    }
    return flush_one(queue, buffer);
}
