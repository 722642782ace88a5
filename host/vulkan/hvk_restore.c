/* Packets that only a snapshot has (hvk_save.c writes them), and only a replay may send. */
#include "host/vulkan/hvk_query.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"

static bool may_restore(struct hvk_call *call)
{
    bool may = call->context->provider->restores;
    if (!may) {
        hr_call_violate(call->hr, "it is of a snapshot, and this is no replay");
    }
    return may;
}

/* A pool's id, which of its queries, how many, and what is known of them. */
static void restore_queries(struct hvk_call *call, const uint64_t *words, uint32_t count)
{
    bool has_head = count >= HVK_QUERIES_HEAD && words[1] <= UINT32_MAX && words[2] <= UINT32_MAX;
    struct hvk_query_pool *pool =
        has_head ? hvk_queries_find(call->context, words[0], (uint32_t)words[1], (uint32_t)words[2])
                 : NULL;
    if (pool == NULL ||
        hvk_queries_restore(pool, (uint32_t)words[1], (uint32_t)words[2], words + HVK_QUERIES_HEAD,
                            count - HVK_QUERIES_HEAD) != SL_OK) {
        hr_call_violate(call->hr, "no queries take such results");
    }
}

/* Ids come from now on as they did there; behind the last packet of a snapshot turns do too. */
void hvk_vkRestoreSLUICE(struct hvk_call *call, struct vk_args_vkRestoreSLUICE *a)
{
    struct hvk_context *context = call->context;
    if (!may_restore(call)) {
        return;
    }
    if (a->last == HVK_RESTORE_QUERIES) {
        restore_queries(call, a->pIds, a->idCount);
        return;
    }
    context->is_restoring = a->last == VK_FALSE;
    hvk_blob_go_on(context, a->blob);
    if (sl_ids_restore(&context->ids, a->slotCount, a->pIds, a->idCount) != SL_OK) {
        hr_call_violate(call->hr, "its ids are no free ones");
        return;
    }
    if (a->last != VK_FALSE) {
        call->passed = true;
        hr_turn_jump(&context->turns, a->passed);
    }
}

void hvk_vkWriteMemorySLUICE(struct hvk_call *call, struct vk_args_vkWriteMemorySLUICE *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_pages *pages = NULL;
    if (!may_restore(call)) {
        return;
    }
    if (!hvk_memory_holds(device, a->memory_id, a->offset, a->dataSize, &pages)) {
        hr_call_violate(call->hr, "that memory has no such place");
    } else if (a->dataSize == 0) {
        return; /* what was there is of no use to what follows */
    } else if (pages != NULL) {
        memcpy((uint8_t *)pages->pointer + a->offset, a->pData, a->dataSize);
    } else {
        const struct hvk_memory *memory =
            (const void *)hvk_find(call->context, VK_KIND_VkDeviceMemory, a->memory_id, NULL);
        if (hvk_carry(device, memory, a->offset, (void *)(uintptr_t)a->pData, a->dataSize, false) !=
            SL_OK) {
            hr_call_violate(call->hr, "that memory cannot be written");
        }
    }
}
