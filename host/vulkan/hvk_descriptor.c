/* Descriptor pools and sets: one by one, or batched.
 *
 * A pool owns its sets: the guest frees them by resetting or destroying it, without naming them. In
 * batched mode the guest first asks for a pool's names (vkCollectDescriptorPoolIdsGOOGLE); a name's
 * native is 0 until a commit allocates a set under it, and again once the set is freed: the name
 * lives as long as the pool. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

static struct hvk_pool *pool_of(struct hvk_object *object)
{
    return (struct hvk_pool *)(void *)object;
}

static struct hvk_set *set_of(struct hvk_object *object)
{
    return (struct hvk_set *)(void *)object;
}

static struct hvk_pool *pool_find(const struct hvk_context *context, uint64_t id)
{
    return pool_of(hvk_find(context, VK_KIND_VkDescriptorPool, id, NULL));
}

static struct hvk_set *set_find(const struct hvk_context *context, uint64_t id)
{
    return set_of(hvk_find(context, VK_KIND_VkDescriptorSet, id, NULL));
}

static VkDescriptorPool native_of(const struct hvk_pool *pool)
{
    return HVK_HANDLE(VkDescriptorPool, pool->object.native);
}

/* --- pools --- */

static void pool_release(struct hvk_object *object)
{
    object->device->driver.DestroyDescriptorPool(hvk_native(object->device),
                                                 native_of(pool_of(object)), NULL);
    sl_free(object);
}

VkResult hvk_vkCreateDescriptorPool(struct hvk_call *call, struct vk_args_vkCreateDescriptorPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t id = HVK_U64(*a->pDescriptorPool);
    VkDescriptorPool native = VK_NULL_HANDLE;
    *a->pDescriptorPool = VK_NULL_HANDLE;
    struct hvk_pool *pool = sl_alloc(sizeof *pool);
    if (pool == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const VkDescriptorPoolCreateInfo *info = a->pCreateInfo;
    VkResult result = device->driver.CreateDescriptorPool(hvk_native(device), info, NULL, &native);
    if (result != VK_SUCCESS) {
        sl_free(pool);
        return hvk_device_result(device, result);
    }
    hvk_object_init(&pool->object, VK_KIND_VkDescriptorPool, HVK_U64(native),
                    device->object.instance, device, pool_release);
    pool->max_sets = info->maxSets;
    pool->can_free = (info->flags & VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT) != 0;
    sl_list_init(&pool->sets);
    enum sl_result added = hvk_add_object(call, &pool->object, &id);
    hvk_unref(&pool->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *a->pDescriptorPool = HVK_HANDLE(VkDescriptorPool, id);
    return hvk_device_result(device, VK_SUCCESS);
}

/* A name's set comes (bindings: taken) or goes (0). Recorded commands that run now may name it. */
static void rename_set(struct hvk_context *context, struct hvk_set *set, uint64_t native,
                       struct hvk_bindings *bindings)
{
    bool recording = sl_atomic_load_acquire(&context->flushes) != 0; /* none begins in our turn */
    if (recording) {
        pthread_rwlock_wrlock(&context->natives);
    }
    hvk_bindings_unref(set->bindings);
    hvk_held_drop(set);
    hvk_bond_end(&set->layout);
    set->native = native;
    set->bindings = bindings;
    set->variable = 0;
    context->ended++;
    if (recording) {
        pthread_rwlock_unlock(&context->natives);
    }
}

/* What the pool owns is gone natively, or will be with it. all: names too. */
static void forget_sets(struct hvk_context *context, struct hvk_pool *pool, bool all)
{
    SL_LIST_FOR_SAFE(item, &pool->sets)
    {
        struct hvk_set *set = SL_CONTAINER(item, struct hvk_set, link);
        set->is_owned = false;
        if (set->is_named && !all) {
            rename_set(context, set, 0, NULL);
        } else {
            hvk_destroy(context, VK_KIND_VkDescriptorSet, set->object.id);
        }
    }
}

void hvk_vkDestroyDescriptorPool(struct hvk_call *call, struct vk_args_vkDestroyDescriptorPool *a)
{
    struct hvk_pool *pool = pool_find(call->context, a->descriptorPool_id);
    if (pool != NULL) {
        forget_sets(call->context, pool, true);
        hvk_destroy(call->context, VK_KIND_VkDescriptorPool, a->descriptorPool_id);
    }
}

VkResult hvk_vkResetDescriptorPool(struct hvk_call *call, struct vk_args_vkResetDescriptorPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_pool *pool = pool_find(call->context, a->descriptorPool_id);
    if (pool == NULL) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    /* Recorded commands that run now may name its sets. */
    forget_sets(call->context, pool, false);
    pthread_rwlock_wrlock(&call->context->natives);
    VkResult result =
        device->driver.ResetDescriptorPool(hvk_native(device), a->descriptorPool, a->flags);
    pthread_rwlock_unlock(&call->context->natives);
    return hvk_device_result(device, result);
}

/* --- sets --- */

/* Sets of a pool that cannot free them stay its own until it is reset. */
static void free_native(const struct hvk_pool *pool, uint64_t native)
{
    VkDescriptorSet set = HVK_HANDLE(VkDescriptorSet, native);
    const struct hvk_device *device = pool->object.device;
    if (native != 0 && pool->can_free) {
        (void)device->driver.FreeDescriptorSets(hvk_native(device), native_of(pool), 1, &set);
    }
}

static void set_release(struct hvk_object *object)
{
    struct hvk_set *set = set_of(object);
    if (set->is_owned) {
        free_native(set->pool, set->native);
    }
    hvk_bindings_unref(set->bindings);
    hvk_held_end(set);
    hvk_bond_end(&set->layout);
    sl_list_remove(&set->link);
    hvk_unref(&set->pool->object);
    sl_free(set);
}

/* A set of the pool's in the table, or the name of one that is not there (native and bindings 0).
 * When that fails the native one is gone. */
static enum sl_result enter(struct hvk_call *call, struct hvk_pool *pool, uint64_t native,
                            struct hvk_bindings *bindings, uint32_t variable, uint64_t *id)
{
    struct hvk_set *set = sl_alloc(sizeof *set);
    if (set == NULL) {
        free_native(pool, native);
        return SL_ERR_NOMEM;
    }
    hvk_object_init(&set->object, VK_KIND_VkDescriptorSet, HVK_U64(set), pool->object.instance,
                    pool->object.device, set_release);
    set->pool = pool;
    (void)hvk_ref(&pool->object);
    set->native = native;
    set->bindings = bindings != NULL ? hvk_bindings_ref(bindings) : NULL;
    set->variable = variable;
    set->is_named = native == 0;
    set->is_owned = native != 0;
    sl_list_add(&pool->sets, &set->link);
    sl_list_init(&set->holding);
    enum sl_result result = hvk_add_object(call, &set->object, id);
    hvk_unref(&set->object);
    return result;
}

VkResult hvk_vkAllocateDescriptorSets(struct hvk_call *call,
                                      struct vk_args_vkAllocateDescriptorSets *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkAllocateDescriptorSets ids;
    uint32_t count = a->pAllocateInfo->descriptorSetCount;
    uint64_t *slots = (uint64_t *)(void *)a->pDescriptorSets;
    VkDescriptorSet *natives = vk_unpack_alloc(&call->in, count, sizeof *natives);
    struct hvk_pool *pool =
        natives != NULL && vk_unpack_vkAllocateDescriptorSets(&again, &ids)
            ? pool_find(call->context, HVK_U64(ids.pAllocateInfo->descriptorPool))
            : NULL;
    const VkDescriptorSetVariableDescriptorCountAllocateInfo *variable =
        hvk_chain_find(a->pAllocateInfo->pNext,
                       VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO);
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    bool layouts = true;
    for (uint32_t i = 0; i < count; i++) {
        layouts = layouts && a->pAllocateInfo->pSetLayouts[i] != VK_NULL_HANDLE;
    }
    if (pool != NULL && count != 0 && layouts) {
        result =
            device->driver.AllocateDescriptorSets(hvk_native(device), a->pAllocateInfo, natives);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id = slots[i];
        slots[i] = 0;
        if (result == VK_SUCCESS) {
            struct hvk_bindings *bindings =
                hvk_bindings_of(call->context, HVK_U64(ids.pAllocateInfo->pSetLayouts[i]));
            uint32_t last = variable != NULL && i < variable->descriptorSetCount
                                ? variable->pDescriptorCounts[i]
                                : 0;
            if (enter(call, pool, HVK_U64(natives[i]), bindings, last, &id) == SL_OK) {
                slots[i] = id;
            } else {
                for (uint32_t j = i + 1; j < count; j++) {
                    free_native(pool, HVK_U64(natives[j]));
                }
                result = VK_ERROR_TOO_MANY_OBJECTS;
            }
        }
    }
    for (uint32_t i = 0; result != VK_SUCCESS && i < count; i++) {
        hvk_destroy(call->context, VK_KIND_VkDescriptorSet, slots[i]);
        slots[i] = 0;
    }
    return hvk_device_result(device, result);
}

static void free_set(struct hvk_context *context, uint64_t id)
{
    struct hvk_set *set = set_find(context, id);
    if (set == NULL) {
        return;
    }
    if (!set->is_named) {
        hvk_destroy(context, VK_KIND_VkDescriptorSet, id);
        return;
    }
    uint64_t native = set->native;
    rename_set(context, set, 0, NULL);
    set->is_owned = false;
    pthread_rwlock_wrlock(&context->natives);
    free_native(set->pool, native);
    pthread_rwlock_unlock(&context->natives);
}

VkResult hvk_vkFreeDescriptorSets(struct hvk_call *call, struct vk_args_vkFreeDescriptorSets *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkFreeDescriptorSets ids;
    if (vk_unpack_vkFreeDescriptorSets(&again, &ids) && ids.pDescriptorSets != NULL) {
        for (uint32_t i = 0; i < ids.descriptorSetCount; i++) {
            free_set(call->context, HVK_U64(ids.pDescriptorSets[i]));
        }
    }
    return hvk_device_result(hvk_device_of(a->record), VK_SUCCESS);
}

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

void hvk_vkCollectDescriptorPoolIdsGOOGLE(struct hvk_call *call,
                                          struct vk_args_vkCollectDescriptorPoolIdsGOOGLE *a)
{
    struct hvk_pool *pool = pool_find(call->context, a->descriptorPool_id);
    uint32_t asked = *a->pPoolIdCount, made = 0;
    uint32_t most = pool == NULL ? 0 : pool->max_sets - pool->name_count;
    if (a->pPoolIds == NULL) {
        *a->pPoolIdCount = most;
        return;
    }
    while (made < asked && made < most) {
        uint64_t id = 0;
        if (enter(call, pool, 0, NULL, 0, &id) != SL_OK) {
            break;
        }
        a->pPoolIds[made++] = id;
    }
    if (pool != NULL) {
        pool->name_count += made;
    }
    *a->pPoolIdCount = made;
}

/* Allocate the set that a name stands for. */
static VkResult allocate_named(struct hvk_context *context, struct hvk_set *set,
                               VkDescriptorSetLayout layout, uint64_t layout_id)
{
    struct hvk_device *device = set->object.device;
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = native_of(set->pool),
                                        .descriptorSetCount = 1,
                                        .pSetLayouts = &layout};
    VkDescriptorSet native = VK_NULL_HANDLE;
    struct hvk_bindings *bindings = hvk_bindings_of(context, layout_id);
    if (bindings == NULL) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    VkResult result = device->driver.AllocateDescriptorSets(hvk_native(device), &info, &native);
    if (result == VK_SUCCESS) {
        set->is_owned = true;
        rename_set(context, set, HVK_U64(native), hvk_bindings_ref(bindings));
        hvk_bond_make(context, &set->layout, VK_KIND_VkDescriptorSetLayout, layout_id, 0);
    }
    return result;
}

/* One set of a commit: there it is, and whose writes are the next ones. */
static VkResult commit_one(struct hvk_call *call,
                           const struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE *a,
                           const struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE *ids,
                           uint32_t index)
{
    struct hvk_set *set = set_find(call->context, a->pDescriptorSetPoolIds[index]);
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
        result = allocate_named(call->context, set, a->pSetLayouts[index],
                                HVK_U64(ids->pSetLayouts[index]));
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
