/* What descriptor sets hold: writes and copies, batched commits, and sets as they are bound. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/log.h"

/* --- updates --- */

static bool is_image(VkDescriptorType type)
{
    return type == VK_DESCRIPTOR_TYPE_SAMPLER ||
           type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER ||
           type == VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE || type == VK_DESCRIPTOR_TYPE_STORAGE_IMAGE ||
           type == VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT;
}

static bool is_buffer(VkDescriptorType type)
{
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER || type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER ||
           type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC ||
           type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

static bool is_texel(VkDescriptorType type)
{
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER ||
           type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
}

/* Does it carry what a driver reads of it? */
static bool is_whole(const VkWriteDescriptorSet *write)
{
    if (is_buffer(write->descriptorType)) {
        return write->pBufferInfo != NULL || write->descriptorCount == 0;
    }
    if (is_image(write->descriptorType)) {
        return write->pImageInfo != NULL || write->descriptorCount == 0;
    }
    if (is_texel(write->descriptorType)) {
        return write->pTexelBufferView != NULL || write->descriptorCount == 0;
    }
    if (write->descriptorType != VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
        return true;
    }
    const VkWriteDescriptorSetInlineUniformBlock *block =
        hvk_chain_find(write->pNext, VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK);
    return write->descriptorCount == 0 ||
           (block != NULL && block->pData != NULL && write->descriptorCount <= block->dataSize);
}

/* A handle of a set, as readers find it. */
static struct hvk_set *set_at(VkDescriptorSet handle)
{
    return HVK_HANDLE(struct hvk_set *, HVK_U64(handle));
}

static bool agrees(const VkWriteDescriptorSet *w, const struct hvk_bindings *bindings,
                   uint32_t variable)
{
    VkDescriptorType type = w->descriptorType;
    return bindings != NULL &&
           hvk_bindings_hold(bindings, variable, w->dstBinding, w->dstArrayElement,
                             w->descriptorCount, &type, true);
}

bool hvk_write_resolve(VkWriteDescriptorSet *write)
{
    struct hvk_set *set = set_at(write->dstSet);
    if (set == NULL || set->native == 0 || !is_whole(write) ||
        !agrees(write, set->bindings, set->variable) || !hvk_held_write(set, write)) {
        return false;
    }
    write->dstSet = HVK_HANDLE(VkDescriptorSet, set->native);
    return true;
}

static bool copy_resolve(VkCopyDescriptorSet *copy)
{
    const struct hvk_set *from = set_at(copy->srcSet);
    struct hvk_set *to = set_at(copy->dstSet);
    VkDescriptorType type;
    if (from == NULL || to == NULL || from->native == 0 || to->native == 0 ||
        from->bindings == NULL || to->bindings == NULL ||
        !hvk_bindings_hold(from->bindings, from->variable, copy->srcBinding, copy->srcArrayElement,
                           copy->descriptorCount, &type, false) ||
        !hvk_bindings_hold(to->bindings, to->variable, copy->dstBinding, copy->dstArrayElement,
                           copy->descriptorCount, &type, true) ||
        !hvk_held_copy(to, from, copy)) {
        return false;
    }
    copy->srcSet = HVK_HANDLE(VkDescriptorSet, from->native);
    copy->dstSet = HVK_HANDLE(VkDescriptorSet, to->native);
    return true;
}

void hvk_vkUpdateDescriptorSets(struct hvk_call *call, struct vk_args_vkUpdateDescriptorSets *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    /* The packet's memory is ours. */
    VkWriteDescriptorSet *writes = (VkWriteDescriptorSet *)(uintptr_t)a->pDescriptorWrites;
    VkCopyDescriptorSet *copies = (VkCopyDescriptorSet *)(uintptr_t)a->pDescriptorCopies;
    struct vk_unpack again = hvk_again_bound(call);
    struct vk_args_vkUpdateDescriptorSets ids;
    bool ok = device->unbound == 0 || vk_unpack_vkUpdateDescriptorSets(&again, &ids);
    for (uint32_t i = 0; ok && i < a->descriptorWriteCount; i++) {
        ok = hvk_write_resolve(&writes[i]);
    }
    for (uint32_t i = 0; ok && i < a->descriptorCopyCount; i++) {
        ok = copy_resolve(&copies[i]);
    }
    if (!ok) {
        sl_warn_limited("vulkan",
                        "context %u: a descriptor write lacks its set, its contents or their "
                        "memory, or is none of the set's layout",
                        call->context->ctx_id);
        return;
    }
    device->driver.UpdateDescriptorSets(hvk_native(device), a->descriptorWriteCount, writes,
                                        a->descriptorCopyCount, copies);
}

/* --- batched --- */

/* One set of a commit: there it is, and whose writes are the next ones. */
static VkResult commit_one(struct hvk_call *call,
                           const struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE *a,
                           const struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE *ids,
                           uint32_t index)
{
    struct hvk_set *set = (struct hvk_set *)(void *)hvk_find(call->context, VK_KIND_VkDescriptorSet,
                                                             a->pDescriptorSetPoolIds[index], NULL);
    uint32_t count = a->pendingDescriptorWriteCount;
    uint32_t first = a->pDescriptorWriteStartingIndices[index];
    uint32_t end =
        index + 1 < a->descriptorSetCount ? a->pDescriptorWriteStartingIndices[index + 1] : count;
    if (set == NULL || !set->is_named || first > end || end > count ||
        a->pDescriptorSetWhichPool[index] >= a->descriptorPoolCount ||
        HVK_U64(a->pDescriptorPools[a->pDescriptorSetWhichPool[index]]) !=
            set->pool->object.native) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    VkResult result = VK_SUCCESS;
    if (a->pDescriptorSetPendingAllocation[index] != 0 && set->native == 0) {
        result = hvk_name_allocate(set, a->pSetLayouts[index], HVK_U64(ids->pSetLayouts[index]));
    }
    if (result == VK_SUCCESS && set->native == 0) {
        result = VK_ERROR_VALIDATION_FAILED;
    }
    VkWriteDescriptorSet *writes = (VkWriteDescriptorSet *)(uintptr_t)a->pPendingDescriptorWrites;
    for (uint32_t i = first; result == VK_SUCCESS && i < end; i++) {
        writes[i].dstSet = HVK_HANDLE(VkDescriptorSet, HVK_U64(set));
        result = hvk_write_resolve(&writes[i]) ? VK_SUCCESS : VK_ERROR_VALIDATION_FAILED;
    }
    return result;
}

void hvk_vkQueueCommitDescriptorSetUpdatesGOOGLE(
    struct hvk_call *call, struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again_bound(call);
    struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE ids;
    VkResult result = vk_unpack_vkQueueCommitDescriptorSetUpdatesGOOGLE(&again, &ids)
                          ? VK_SUCCESS
                          : VK_ERROR_VALIDATION_FAILED;
    uint32_t first = a->descriptorSetCount != 0 ? a->pDescriptorWriteStartingIndices[0] : 0;
    for (uint32_t i = 0; result == VK_SUCCESS && i < a->descriptorSetCount; i++) {
        result = commit_one(call, a, &ids, i);
    }
    if (result != VK_SUCCESS) {
        hvk_device_fail(device, result, "vkQueueCommitDescriptorSetUpdates");
        return;
    }
    if (a->descriptorSetCount != 0 && first < a->pendingDescriptorWriteCount) {
        device->driver.UpdateDescriptorSets(hvk_native(device),
                                            a->pendingDescriptorWriteCount - first,
                                            a->pPendingDescriptorWrites + first, 0, NULL);
    }
}

/* --- recorded --- */

/* Sets become native ones. No driver survives a set that is not there, be it null or a name without
 * one; nor one of another layout, whose offsets it would count. */
static bool resolve_sets(struct hvk_recording *r, const struct hvk_pipeline_layout *layout,
                         uint32_t first, uint32_t count, const VkDescriptorSet *handles,
                         uint32_t offset_count)
{
    VkDescriptorSet *sets = (VkDescriptorSet *)(uintptr_t)handles; /* the packet's memory is ours */
    uint64_t dynamic = 0;
    if (!sl_region_fits(first, count, layout->set_count)) {
        vk_unpack_fail(&r->in, "it binds descriptor sets that its layout has not");
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct hvk_set *set = set_at(sets[i]);
        const struct hvk_bindings *wanted = layout->sets[first + i];
        if (set == NULL || set->native == 0 || set->bindings == NULL) {
            vk_unpack_fail(&r->in, "it binds a descriptor set that is not there");
            return false;
        }
        if (wanted != NULL && !hvk_bindings_agree(wanted, set->bindings)) {
            vk_unpack_fail(&r->in, "it binds a descriptor set of another layout");
            return false;
        }
        dynamic += set->bindings->dynamic_count;
        sets[i] = HVK_HANDLE(VkDescriptorSet, set->native);
    }
    if (dynamic != offset_count) {
        vk_unpack_fail(&r->in, "it gives more or fewer offsets than its descriptor sets take");
        return false;
    }
    return true;
}

void hvk_vkCmdBindDescriptorSets(struct hvk_recording *r, struct vk_args_vkCmdBindDescriptorSets *a)
{
    if (resolve_sets(r, a->record, a->firstSet, a->descriptorSetCount, a->pDescriptorSets,
                     a->dynamicOffsetCount)) {
        r->driver->CmdBindDescriptorSets(r->native, a->pipelineBindPoint, a->layout, a->firstSet,
                                         a->descriptorSetCount, a->pDescriptorSets,
                                         a->dynamicOffsetCount, a->pDynamicOffsets);
    }
}

static const struct hvk_pipeline_layout *layout_find(const struct hvk_recording *r,
                                                     VkPipelineLayout id)
{
    return (const struct hvk_pipeline_layout *)(const void *)hvk_find(
        r->device->context, VK_KIND_VkPipelineLayout, HVK_U64(id), NULL);
}

void hvk_vkCmdBindDescriptorSets2(struct hvk_recording *r,
                                  struct vk_args_vkCmdBindDescriptorSets2 *a)
{
    struct vk_unpack again = hvk_body_again(r);
    struct vk_args_vkCmdBindDescriptorSets2 ids;
    const VkBindDescriptorSetsInfo *info = a->pBindDescriptorSetsInfo;
    if (!hvk_recorder_there(r, r->driver->CmdBindDescriptorSets2 != NULL) ||
        !vk_unpack_vkCmdBindDescriptorSets2(&again, &ids)) {
        return;
    }
    const struct hvk_pipeline_layout *layout = layout_find(r, ids.pBindDescriptorSetsInfo->layout);
    if (layout == NULL) {
        vk_unpack_fail(&r->in, "it names no layout");
    } else if (resolve_sets(r, layout, info->firstSet, info->descriptorSetCount,
                            info->pDescriptorSets, info->dynamicOffsetCount)) {
        r->driver->CmdBindDescriptorSets2(r->native, info);
    }
}

/* Writes to a set that only the command buffer has. */
static bool resolve_pushed(struct hvk_recording *r, const struct hvk_pipeline_layout *layout,
                           uint32_t set, const VkWriteDescriptorSet *pushed, uint32_t count)
{
    VkWriteDescriptorSet *writes = (VkWriteDescriptorSet *)(uintptr_t)pushed;
    bool ok = layout != NULL && set < layout->set_count && layout->sets[set] != NULL;
    for (uint32_t i = 0; ok && i < count; i++) {
        writes[i].dstSet = VK_NULL_HANDLE; /* ignored */
        ok = is_whole(&writes[i]) && agrees(&writes[i], layout->sets[set], 0);
    }
    if (!ok) {
        vk_unpack_fail(&r->in, "it writes descriptors that its layout has not");
    }
    return ok;
}

void hvk_vkCmdPushDescriptorSet(struct hvk_recording *r, struct vk_args_vkCmdPushDescriptorSet *a)
{
    if (hvk_recorder_there(r, r->driver->CmdPushDescriptorSet != NULL) &&
        resolve_pushed(r, a->record, a->set, a->pDescriptorWrites, a->descriptorWriteCount)) {
        r->driver->CmdPushDescriptorSet(r->native, a->pipelineBindPoint, a->layout, a->set,
                                        a->descriptorWriteCount, a->pDescriptorWrites);
    }
}

void hvk_vkCmdPushDescriptorSet2(struct hvk_recording *r, struct vk_args_vkCmdPushDescriptorSet2 *a)
{
    struct vk_unpack again = hvk_body_again(r);
    struct vk_args_vkCmdPushDescriptorSet2 ids;
    const VkPushDescriptorSetInfo *info = a->pPushDescriptorSetInfo;
    if (hvk_recorder_there(r, r->driver->CmdPushDescriptorSet2 != NULL) &&
        vk_unpack_vkCmdPushDescriptorSet2(&again, &ids) &&
        resolve_pushed(r, layout_find(r, ids.pPushDescriptorSetInfo->layout), info->set,
                       info->pDescriptorWrites, info->descriptorWriteCount)) {
        r->driver->CmdPushDescriptorSet2(r->native, info);
    }
}
