/* What descriptor sets hold: writes and copies, batched commits, and sets as they are bound. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/atomic.h"
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

/* Does the buffer have memory, and what the descriptor says of it? */
static bool reaches(const struct hvk_buffer *b, const VkDescriptorBufferInfo *info)
{
    return b != NULL && b->is_bound && info->offset < b->size &&
           (info->range == VK_WHOLE_SIZE || info->range <= b->size - info->offset);
}

/* All that the write says of buffers. */
static bool all_reach(const struct hvk_device *device, const VkWriteDescriptorSet *write)
{
    bool ok = true;
    for (uint32_t i = 0; is_buffer(write->descriptorType) && ok && i < write->descriptorCount;
         i++) {
        const VkDescriptorBufferInfo *info = &write->pBufferInfo[i];
        ok = info->buffer == VK_NULL_HANDLE || reaches(hvk_buffer_at(device, info->buffer), info);
    }
    return ok;
}

/* What may be added to the offset. */
static uint64_t room_of(const struct hvk_device *device, const VkDescriptorBufferInfo *info)
{
    if (info->buffer == VK_NULL_HANDLE) {
        return UINT64_MAX;
    }
    uint64_t left = hvk_buffer_at(device, info->buffer)->size - info->offset;
    return info->range == VK_WHOLE_SIZE ? 0 : left - info->range;
}

/* One of a set's dynamic descriptors changes. False: the device may use it, with an offset that the
 * new one has no room for. */
static bool room_set(struct hvk_set *set, uint64_t place, uint64_t room)
{
    struct hvk_device *device = set->object.device;
    if (place >= set->bindings->dynamic_count) {
        return false; /* over the end of a binding: cannot be */
    }
    if (room < sl_atomic_load_relaxed_u64(&set->rooms[place])) {
        if (!hvk_work_is_done(device, &set->work) && !hvk_graves_wait(device)) {
            return false;
        }
        pthread_rwlock_wrlock(&device->context->natives);
        set->generation++;
        device->context->ended++;
        sl_atomic_store_relaxed_u64(&set->rooms[place], room);
        pthread_rwlock_unlock(&device->context->natives);
    } else {
        sl_atomic_store_relaxed_u64(&set->rooms[place], room);
    }
    return true;
}

static bool rooms_write(struct hvk_set *set, const VkWriteDescriptorSet *write)
{
    if (!hvk_is_dynamic(write->descriptorType)) {
        return true;
    }
    uint64_t first = hvk_binding_find(set->bindings, write->dstBinding)->first_dynamic;
    bool ok = true;
    for (uint32_t i = 0; ok && i < write->descriptorCount; i++) {
        ok = room_set(set, first + write->dstArrayElement + i,
                      room_of(set->object.device, &write->pBufferInfo[i]));
    }
    return ok;
}

static bool rooms_copy(struct hvk_set *to, const struct hvk_set *from,
                       const VkCopyDescriptorSet *copy)
{
    const struct hvk_binding *source = hvk_binding_find(from->bindings, copy->srcBinding);
    const struct hvk_binding *target = hvk_binding_find(to->bindings, copy->dstBinding);
    bool ok = true;
    for (uint32_t i = 0; hvk_is_dynamic(source->type) && ok && i < copy->descriptorCount; i++) {
        uint64_t place = (uint64_t)source->first_dynamic + copy->srcArrayElement + i;
        ok = place < from->bindings->dynamic_count &&
             room_set(to, (uint64_t)target->first_dynamic + copy->dstArrayElement + i,
                      sl_atomic_load_relaxed_u64(&from->rooms[place]));
    }
    return ok;
}

bool hvk_write_resolve(VkWriteDescriptorSet *write)
{
    struct hvk_set *set = set_at(write->dstSet);
    if (set == NULL || set->native == 0 || !is_whole(write) ||
        !agrees(write, set->bindings, set->variable) || !all_reach(set->object.device, write) ||
        (write->descriptorCount != 0 && !rooms_write(set, write)) || !hvk_held_write(set, write)) {
        return false;
    }
    write->dstSet = HVK_HANDLE(VkDescriptorSet, set->native);
    hvk_samplers_mend(set->object.device, write);
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
        (copy->descriptorCount != 0 && !rooms_copy(to, from, copy)) ||
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
    bool ok = true;
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
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE ids;
    VkResult result = vk_unpack_vkQueueCommitDescriptorSetUpdatesGOOGLE(&again, &ids)
                          ? VK_SUCCESS
                          : VK_ERROR_OUT_OF_HOST_MEMORY;
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

/* Of the offsets that are left as many are its own as it has dynamic descriptors. */
static bool has_room(const struct hvk_set *set, uint32_t count, const uint32_t *offsets)
{
    uint32_t own = set->bindings->dynamic_count;
    bool ok = own <= count;
    for (uint32_t i = 0; ok && i < own; i++) {
        ok = offsets[i] <= sl_atomic_load_relaxed_u64(&set->rooms[i]);
    }
    return ok;
}

/* Sets become native ones. No driver survives a set that is not there, be it null or a name without
 * one; nor one of another layout, whose offsets it would count. */
static bool resolve_sets(struct hvk_recording *r, const struct hvk_pipeline_layout *layout,
                         uint32_t first, uint32_t count, const VkDescriptorSet *handles,
                         uint32_t offset_count, const uint32_t *offsets)
{
    VkDescriptorSet *sets = (VkDescriptorSet *)(uintptr_t)handles; /* the packet's memory is ours */
    uint32_t dynamic = 0;
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
        if (!has_room(set, offset_count - dynamic, offsets + dynamic)) {
            vk_unpack_fail(&r->in, "it gives too few offsets, or one past the end of a buffer");
            return false;
        }
        dynamic += set->bindings->dynamic_count;
        sets[i] = HVK_HANDLE(VkDescriptorSet, set->native);
    }
    if (dynamic != offset_count) {
        vk_unpack_fail(&r->in, "it gives more offsets than its descriptor sets take");
        return false;
    }
    return true;
}

void hvk_vkCmdBindDescriptorSets(struct hvk_recording *r, struct vk_args_vkCmdBindDescriptorSets *a)
{
    if (resolve_sets(r, a->record, a->firstSet, a->descriptorSetCount, a->pDescriptorSets,
                     a->dynamicOffsetCount, a->pDynamicOffsets)) {
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
                            info->pDescriptorSets, info->dynamicOffsetCount,
                            info->pDynamicOffsets)) {
        r->driver->CmdBindDescriptorSets2(r->native, info);
    }
}

/* The same of a write with ids, past its turn. */
static bool all_reach_by_id(const struct hvk_recording *r, const VkWriteDescriptorSet *ids)
{
    bool ok = true;
    for (uint32_t i = 0; is_buffer(ids->descriptorType) && ok && i < ids->descriptorCount; i++) {
        const VkDescriptorBufferInfo *info = &ids->pBufferInfo[i];
        const struct hvk_object *object =
            hvk_find(r->device->context, VK_KIND_VkBuffer, HVK_U64(info->buffer), NULL);
        ok = info->buffer == VK_NULL_HANDLE ||
             (object != NULL && reaches(SL_CONTAINER(object, struct hvk_buffer, object), info));
    }
    return ok;
}

/* Writes to a set that only the command buffer has; ids: the same with ids. */
static bool resolve_pushed(struct hvk_recording *r, const struct hvk_pipeline_layout *layout,
                           uint32_t set, const VkWriteDescriptorSet *pushed,
                           const VkWriteDescriptorSet *ids, uint32_t count)
{
    VkWriteDescriptorSet *writes = (VkWriteDescriptorSet *)(uintptr_t)pushed;
    bool ok = layout != NULL && set < layout->set_count && layout->sets[set] != NULL;
    for (uint32_t i = 0; ok && i < count; i++) {
        writes[i].dstSet = VK_NULL_HANDLE; /* ignored */
        ok = is_whole(&writes[i]) && agrees(&writes[i], layout->sets[set], 0) &&
             all_reach_by_id(r, &ids[i]);
        if (ok) {
            hvk_samplers_mend(r->device, &writes[i]);
        }
    }
    if (!ok) {
        vk_unpack_fail(&r->in, "it writes descriptors that its layout has not");
    }
    return ok;
}

void hvk_vkCmdPushDescriptorSet(struct hvk_recording *r, struct vk_args_vkCmdPushDescriptorSet *a)
{
    struct vk_unpack again = hvk_body_again(r);
    struct vk_args_vkCmdPushDescriptorSet ids;
    if (hvk_recorder_there(r, r->driver->CmdPushDescriptorSet != NULL) &&
        vk_unpack_vkCmdPushDescriptorSet(&again, &ids) &&
        resolve_pushed(r, a->record, a->set, a->pDescriptorWrites, ids.pDescriptorWrites,
                       a->descriptorWriteCount)) {
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
                       info->pDescriptorWrites, ids.pPushDescriptorSetInfo->pDescriptorWrites,
                       info->descriptorWriteCount)) {
        r->driver->CmdPushDescriptorSet2(r->native, info);
    }
}
