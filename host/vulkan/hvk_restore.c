/* Packets that only a snapshot has (hvk_save.c writes them), and only a replay may send. */
#include "host/vulkan/hvk_family.h"
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

/* Ids come from now on as they did there; behind the last packet of a snapshot turns do too. */
void hvk_vkRestoreSLUICE(struct hvk_call *call, struct vk_args_vkRestoreSLUICE *a)
{
    struct hvk_context *context = call->context;
    if (!may_restore(call)) {
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
