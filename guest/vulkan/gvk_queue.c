/* Queues: submits that nobody waits for. What becomes of them is told by later calls. */
#include "guest/vk_call.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_command.h"
#include "guest/vulkan/gvk_sync.h"
#include "wire/vk_pack.h"

#define SPARSE_MAX ((size_t)256 << 20)

static VkResult waits_ready(VkQueue queue, uint32_t count, const VkSemaphore *semaphores)
{
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < count && result == VK_SUCCESS; i++) {
        result = gvk_wait_ready(queue, semaphores[i]);
    }
    return result;
}

/* ---- Submits (facts, section 7.2): writes to descriptors, command buffers, the submit ---- */

static VkResult flush(VkQueue queue, VkCommandBuffer buffer)
{
    return gvk_command_flush(GVK_FROM(gvk_queue, queue), GVK_FROM(gvk_command_buffer, buffer))
               ? VK_SUCCESS
               : gvk_failure(gvk_host_of(queue));
}

/* What is sent behind a submit that signals a fence; value 0: nothing is. */
struct tell {
    uint32_t slot, value;
};

static struct tell fence_begin(VkQueue queue, VkFence fence)
{
    struct tell tell = {0};
    gvk_fence_submitted(fence);
    if (fence != VK_NULL_HANDLE) {
        tell.value =
            gvk_status_tell(gvk_device_of(queue), &GVK_FROM(gvk_fence, fence)->watch, &tell.slot);
    }
    return tell;
}

/* The submit that was packed goes out. Both together: a host that runs the first at once shall have
 * the second. */
static VkResult submit_send(VkQueue queue, struct gvk_stream *s, VkFence fence, struct tell tell)
{
    bool sent = s != NULL;
    if (sent && tell.value != 0) {
        VkDevice device = GVK_TO(VkDevice, gvk_device_of(queue));
        sent = gvk_post(s) && gvk_begin_of(queue) == s;
        if (sent) {
            vk_pack_vkTellFenceSLUICE(&s->pack, 0, device, fence, tell.slot, tell.value);
        }
    }
    return sent && gvk_send(s) ? VK_SUCCESS : gvk_failure(gvk_host_of(queue));
}

VkResult gvk_vkQueueSubmit(VkQueue queue, uint32_t submitCount, const VkSubmitInfo *pSubmits,
                           VkFence fence)
{
    VkResult result = VK_SUCCESS;
    struct gvk_waits waits;
    pSubmits = submitCount == 1 ? gvk_waits_drop(&waits, pSubmits) : pSubmits;
    gvk_settle(gvk_device_of(queue));
    for (uint32_t i = 0; i < submitCount && result == VK_SUCCESS; i++) {
        const VkSubmitInfo *info = &pSubmits[i];
        result = waits_ready(queue, info->waitSemaphoreCount, info->pWaitSemaphores);
        for (uint32_t j = 0; j < info->commandBufferCount && result == VK_SUCCESS; j++) {
            result = flush(queue, info->pCommandBuffers[j]);
        }
    }
    if (result != VK_SUCCESS) {
        return result;
    }
    struct tell tell = fence_begin(queue, fence);
    struct gvk_stream *s = gvk_begin_of(queue);
    if (s != NULL) {
        vk_pack_vkQueueSubmitAsyncGOOGLE(&s->pack, 0, queue, submitCount, pSubmits, fence);
    }
    return submit_send(queue, s, fence, tell);
}

VkResult gvk_vkQueueSubmit2(VkQueue queue, uint32_t submitCount, const VkSubmitInfo2 *pSubmits,
                            VkFence fence)
{
    VkResult result = VK_SUCCESS;
    struct gvk_waits2 waits;
    pSubmits = submitCount == 1 ? gvk_waits_drop2(&waits, pSubmits) : pSubmits;
    gvk_settle(gvk_device_of(queue));
    for (uint32_t i = 0; i < submitCount && result == VK_SUCCESS; i++) {
        const VkSubmitInfo2 *info = &pSubmits[i];
        for (uint32_t j = 0; j < info->waitSemaphoreInfoCount && result == VK_SUCCESS; j++) {
            result = gvk_wait_ready(queue, info->pWaitSemaphoreInfos[j].semaphore);
        }
        for (uint32_t j = 0; j < info->commandBufferInfoCount && result == VK_SUCCESS; j++) {
            result = flush(queue, info->pCommandBufferInfos[j].commandBuffer);
        }
    }
    if (result != VK_SUCCESS) {
        return result;
    }
    struct tell tell = fence_begin(queue, fence);
    struct gvk_stream *s = gvk_begin_of(queue);
    if (s != NULL) {
        vk_pack_vkQueueSubmitAsync2GOOGLE(&s->pack, 0, queue, submitCount, pSubmits, fence);
    }
    return submit_send(queue, s, fence, tell);
}

/* ---- Sparse bindings: memory that is part of a block goes with the place in it ---- */

static void memory_move(VkDeviceMemory memory, VkDeviceSize *offset)
{
    if (memory != VK_NULL_HANDLE) {
        *offset += GVK_FROM(gvk_memory, memory)->offset;
    }
}

/* A copy with moved places; NULL: no memory. */
static const VkSparseMemoryBind *binds_move(struct sl_arena *arena, uint32_t count,
                                            const VkSparseMemoryBind *binds)
{
    VkSparseMemoryBind *moved = sl_arena_get(arena, count * sizeof *moved);
    for (uint32_t i = 0; moved != NULL && i < count; i++) {
        moved[i] = binds[i];
        memory_move(moved[i].memory, &moved[i].memoryOffset);
    }
    return moved;
}

static bool buffers_move(struct sl_arena *arena, VkBindSparseInfo *info)
{
    VkSparseBufferMemoryBindInfo *moved =
        sl_arena_get(arena, info->bufferBindCount * sizeof *moved);
    bool ok = moved != NULL;
    for (uint32_t i = 0; ok && i < info->bufferBindCount; i++) {
        moved[i] = info->pBufferBinds[i];
        moved[i].pBinds = binds_move(arena, moved[i].bindCount, moved[i].pBinds);
        ok = moved[i].pBinds != NULL;
    }
    info->pBufferBinds = moved;
    return ok;
}

static bool opaques_move(struct sl_arena *arena, VkBindSparseInfo *info)
{
    VkSparseImageOpaqueMemoryBindInfo *moved =
        sl_arena_get(arena, info->imageOpaqueBindCount * sizeof *moved);
    bool ok = moved != NULL;
    for (uint32_t i = 0; ok && i < info->imageOpaqueBindCount; i++) {
        moved[i] = info->pImageOpaqueBinds[i];
        moved[i].pBinds = binds_move(arena, moved[i].bindCount, moved[i].pBinds);
        ok = moved[i].pBinds != NULL;
    }
    info->pImageOpaqueBinds = moved;
    return ok;
}

static bool images_move(struct sl_arena *arena, VkBindSparseInfo *info)
{
    VkSparseImageMemoryBindInfo *moved = sl_arena_get(arena, info->imageBindCount * sizeof *moved);
    bool ok = moved != NULL;
    for (uint32_t i = 0; ok && i < info->imageBindCount; i++) {
        moved[i] = info->pImageBinds[i];
        VkSparseImageMemoryBind *binds = sl_arena_get(arena, moved[i].bindCount * sizeof *binds);
        ok = binds != NULL;
        for (uint32_t j = 0; ok && j < moved[i].bindCount; j++) {
            binds[j] = moved[i].pBinds[j];
            memory_move(binds[j].memory, &binds[j].memoryOffset);
        }
        moved[i].pBinds = binds;
    }
    info->pImageBinds = moved;
    return ok;
}

VkResult gvk_vkQueueBindSparse(VkQueue queue, uint32_t bindInfoCount,
                               const VkBindSparseInfo *pBindInfo, VkFence fence)
{
    struct sl_arena arena;
    sl_arena_init(&arena, SPARSE_MAX);
    VkBindSparseInfo *moved = sl_arena_get(&arena, bindInfoCount * sizeof *moved);
    bool ok = moved != NULL;
    for (uint32_t i = 0; ok && i < bindInfoCount; i++) {
        moved[i] = pBindInfo[i];
        ok = buffers_move(&arena, &moved[i]) && opaques_move(&arena, &moved[i]) &&
             images_move(&arena, &moved[i]);
    }
    VkResult result = ok ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
    for (uint32_t i = 0; i < bindInfoCount && result == VK_SUCCESS; i++) {
        result = waits_ready(queue, moved[i].waitSemaphoreCount, moved[i].pWaitSemaphores);
    }
    if (result == VK_SUCCESS) {
        gvk_fence_submitted(fence);
        result = gvk_call_vkQueueBindSparse(gvk_host_of(queue), queue, bindInfoCount, moved, fence);
    }
    sl_arena_finish(&arena);
    return result;
}
