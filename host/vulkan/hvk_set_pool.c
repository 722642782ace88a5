/* Descriptor pools and their sets: one by one, or under names.
 *
 * A pool owns its sets: the guest frees them by resetting or destroying it, without naming them. In
 * batched mode the guest first asks for a pool's names (vkCollectDescriptorPoolIdsGOOGLE); a name's
 * native is 0 until a commit allocates a set under it, and again once the set is freed: the name
 * lives as long as the pool. What the device has yet to use ends later: a pool that is reset before
 * is another one natively from then on. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

/* Descriptors of all sets of a process: some tens of bytes each, in a driver's memory. */
#define PLACES_MAX (1ull << 24)
/* What a set takes beside its descriptors. */
#define PLACES_OF_SET 4u

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

/* All that its native sets took is free. */
static void places_end(struct hvk_pool *pool)
{
    hvk_give_back(&pool->object.device->context->places, pool->places);
    pool->places = 0;
}

static void pool_release(struct hvk_object *object)
{
    object->device->driver.DestroyDescriptorPool(hvk_native(object->device),
                                                 native_of(pool_of(object)), NULL);
    places_end(pool_of(object));
    sl_free(object);
}

/* A record that is nobody's yet, of what the pool is made of. NULL: no memory. */
static struct hvk_pool *pool_new(const VkDescriptorPoolCreateInfo *info)
{
    const VkDescriptorPoolInlineUniformBlockCreateInfo *blocks = NULL;
    struct hvk_pool *pool = sl_alloc(sizeof *pool + info->poolSizeCount * sizeof pool->sizes[0]);
    if (pool == NULL) {
        return NULL;
    }
    for (const VkBaseInStructure *s = info->pNext; s != NULL; s = s->pNext) {
        if (s->sType == VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO) {
            blocks = (const void *)s;
        } else {
            pool->has_more = true;
        }
    }
    pool->max_sets = info->maxSets;
    pool->can_free = (info->flags & VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT) != 0;
    pool->flags = info->flags;
    pool->inline_bindings = blocks != NULL ? blocks->maxInlineUniformBlockBindings : 0;
    pool->size_count = info->poolSizeCount;
    for (uint32_t i = 0; i < info->poolSizeCount; i++) {
        pool->sizes[i] = info->pPoolSizes[i];
    }
    sl_list_init(&pool->sets);
    return pool;
}

VkResult hvk_vkCreateDescriptorPool(struct hvk_call *call, struct vk_args_vkCreateDescriptorPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t id = HVK_U64(*a->pDescriptorPool);
    VkDescriptorPool native = VK_NULL_HANDLE;
    *a->pDescriptorPool = VK_NULL_HANDLE;
    const VkDescriptorPoolCreateInfo *info = a->pCreateInfo;
    struct hvk_pool *pool = pool_new(info);
    if (pool == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result = device->driver.CreateDescriptorPool(hvk_native(device), info, NULL, &native);
    if (result != VK_SUCCESS) {
        sl_free(pool);
        return hvk_device_result(device, result);
    }
    hvk_object_init(&pool->object, VK_KIND_VkDescriptorPool, HVK_U64(native),
                    device->object.instance, device, pool_release);
    enum sl_result added = hvk_add_object(call, &pool->object, &id);
    hvk_unref(&pool->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *a->pDescriptorPool = HVK_HANDLE(VkDescriptorPool, id);
    return hvk_device_result(device, VK_SUCCESS);
}

/* A name's set comes (bindings, rooms: taken) or goes (0). Recorded commands that run now may name
 * it. */
static void rename_set(struct hvk_context *context, struct hvk_set *set, uint64_t native,
                       struct hvk_bindings *bindings, uint64_t *rooms)
{
    bool recording = sl_atomic_load_acquire(&context->flushes) != 0; /* none begins in our turn */
    if (recording) {
        pthread_rwlock_wrlock(&context->natives);
    }
    hvk_bindings_unref(set->bindings);
    hvk_held_drop(set);
    hvk_bond_end(&set->layout);
    sl_free(set->rooms);
    set->rooms = rooms;
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
            rename_set(context, set, 0, NULL, NULL);
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

/* It is another one natively, as it was made; the old one ends when the device is done with it. */
static VkResult renew(struct hvk_pool *pool)
{
    struct hvk_device *device = pool->object.device;
    const VkDescriptorPoolInlineUniformBlockCreateInfo blocks = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO,
        .maxInlineUniformBlockBindings = pool->inline_bindings};
    const VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .pNext = pool->inline_bindings != 0 ? &blocks : NULL,
                                             .flags = pool->flags,
                                             .maxSets = pool->max_sets,
                                             .poolSizeCount = pool->size_count,
                                             .pPoolSizes = pool->sizes};
    VkDescriptorPool native = VK_NULL_HANDLE;
    struct hvk_pool *old = sl_alloc(sizeof *old);
    if (old == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result = device->driver.CreateDescriptorPool(hvk_native(device), &info, NULL, &native);
    if (result != VK_SUCCESS) {
        sl_free(old);
        return result;
    }
    hvk_object_init(&old->object, VK_KIND_VkDescriptorPool, pool->object.native,
                    pool->object.instance, device, pool_release);
    sl_list_init(&old->sets);
    old->places = pool->places;
    pool->places = 0;
    pool->object.native = HVK_U64(native);
    pool->work = (struct hvk_work){0};
    bool set = sl_ids_set_native(&device->context->ids, VK_KIND_VkDescriptorPool, pool->object.id,
                                 pool->object.native);
    hvk_bury(VK_KIND_VkDescriptorPool, old->object.native, &old->object);
    return set ? VK_SUCCESS : VK_ERROR_UNKNOWN;
}

VkResult hvk_vkResetDescriptorPool(struct hvk_call *call, struct vk_args_vkResetDescriptorPool *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_pool *pool = pool_find(call->context, a->descriptorPool_id);
    if (pool == NULL) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    bool idle = hvk_work_is_done(device, &pool->work);
    if (!idle && pool->has_more && !hvk_graves_wait(device)) {
        hvk_device_fail(device, VK_ERROR_DEVICE_LOST, "the reset of a descriptor pool in use");
        return VK_ERROR_DEVICE_LOST;
    }
    /* Recorded commands that run now may name its sets. */
    forget_sets(call->context, pool, false);
    if (!idle && !pool->has_more) {
        return hvk_device_result(device, renew(pool));
    }
    pthread_rwlock_wrlock(&call->context->natives);
    VkResult result =
        device->driver.ResetDescriptorPool(hvk_native(device), a->descriptorPool, a->flags);
    pthread_rwlock_unlock(&call->context->natives);
    places_end(pool);
    return hvk_device_result(device, result);
}

/* --- sets --- */

static uint64_t places_of(const struct hvk_bindings *bindings)
{
    return PLACES_OF_SET + (bindings != NULL ? bindings->places : 0);
}

/* Sets of a pool that cannot free them stay its own until it is reset. */
static void free_native(struct hvk_pool *pool, uint64_t native, uint64_t places)
{
    VkDescriptorSet set = HVK_HANDLE(VkDescriptorSet, native);
    const struct hvk_device *device = pool->object.device;
    if (native != 0 && pool->can_free) {
        (void)device->driver.FreeDescriptorSets(hvk_native(device), native_of(pool), 1, &set);
        hvk_give_back(&pool->places, places);
        hvk_give_back(&device->context->places, places);
    }
}

static void set_release(struct hvk_object *object)
{
    struct hvk_set *set = set_of(object);
    if (set->is_owned) {
        free_native(set->pool, set->native, set->places);
    }
    hvk_bindings_unref(set->bindings);
    hvk_held_end(set);
    hvk_bond_end(&set->layout);
    sl_free(set->rooms);
    sl_list_remove(&set->link);
    hvk_unref(&set->pool->object);
    sl_free(set);
}

/* Of its dynamic descriptors; nullable. False: no memory. */
static bool rooms_make(const struct hvk_bindings *bindings, uint64_t **out)
{
    uint32_t count = bindings != NULL ? bindings->dynamic_count : 0;
    *out = count != 0 ? sl_alloc_array(count, sizeof **out) : NULL;
    return count == 0 || *out != NULL;
}

/* A set of the pool's in the table, or the name of one that is not there (native and bindings 0).
 * When that fails the native one is gone. */
static enum sl_result enter(struct hvk_call *call, struct hvk_pool *pool, uint64_t native,
                            struct hvk_bindings *bindings, uint32_t variable, uint64_t *id)
{
    struct hvk_set *set = sl_alloc(sizeof *set);
    if (set == NULL || !rooms_make(bindings, &set->rooms)) {
        sl_free(set);
        free_native(pool, native, places_of(bindings));
        return SL_ERR_NOMEM;
    }
    hvk_object_init(&set->object, VK_KIND_VkDescriptorSet, HVK_U64(set), pool->object.instance,
                    pool->object.device, set_release);
    set->pool = pool;
    (void)hvk_ref(&pool->object);
    set->native = native;
    set->bindings = bindings != NULL ? hvk_bindings_ref(bindings) : NULL;
    set->variable = variable;
    set->places = native != 0 ? places_of(bindings) : 0;
    set->is_named = native == 0;
    set->is_owned = native != 0;
    sl_list_add(&pool->sets, &set->link);
    sl_list_init(&set->holding);
    enum sl_result result = hvk_add_object(call, &set->object, id);
    hvk_unref(&set->object);
    return result;
}

/* Sets that were freed wait for the device: of what is theirs there may be need before. */
static bool has_waiting(const struct hvk_pool *pool)
{
    bool has = false;
    SL_LIST_FOR(item, &pool->sets)
    {
        has = has || SL_CONTAINER(item, struct hvk_set, link)->object.id == 0;
    }
    return has;
}

/* rooms: of each set's last binding, where that is the set's own. places: of all of them. */
static VkResult allocate(struct hvk_pool *pool, uint64_t places, uint32_t count,
                         const VkDescriptorSetLayout *layouts, const uint32_t *rooms,
                         VkDescriptorSet *natives)
{
    struct hvk_device *device = pool->object.device;
    const VkDescriptorSetVariableDescriptorCountAllocateInfo variable = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO,
        .descriptorSetCount = count,
        .pDescriptorCounts = rooms};
    bool some = false;
    for (uint32_t i = 0; i < count; i++) {
        some = some || rooms[i] != 0;
    }
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .pNext = some ? &variable : NULL,
                                              .descriptorPool = native_of(pool),
                                              .descriptorSetCount = count,
                                              .pSetLayouts = layouts};
    if (!hvk_take(&device->context->places, places, PLACES_MAX)) {
        return VK_ERROR_OUT_OF_POOL_MEMORY;
    }
    VkResult result = device->driver.AllocateDescriptorSets(hvk_native(device), &info, natives);
    bool full = result == VK_ERROR_OUT_OF_POOL_MEMORY || result == VK_ERROR_FRAGMENTED_POOL;
    if (full && has_waiting(pool) && hvk_graves_wait(device)) {
        result = device->driver.AllocateDescriptorSets(hvk_native(device), &info, natives);
    }
    if (result == VK_SUCCESS) {
        (void)sl_atomic_count_u64(&pool->places, places);
    } else {
        hvk_give_back(&device->context->places, places);
    }
    return result;
}

/* One that is to be allocated: its layout's, and how many descriptors the guest wants in the last
 * binding where that is the set's own. */
struct wanted {
    struct hvk_bindings *bindings; /* nullable */
    uint32_t variable;
};

/* The sets of a packet; ids: the same with its handles as ids. rooms: what native ones have of
 * `variable`. False: one has no layout, or there are none. */
static bool wanted_read(const struct hvk_device *device, const VkDescriptorSetAllocateInfo *ids,
                        struct wanted *sets, uint32_t *rooms, uint64_t *places)
{
    const VkDescriptorSetVariableDescriptorCountAllocateInfo *variable = hvk_chain_find(
        ids->pNext, VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO);
    *places = 0;
    for (uint32_t i = 0; i < ids->descriptorSetCount; i++) {
        if (ids->pSetLayouts[i] == VK_NULL_HANDLE) {
            return false;
        }
        sets[i].bindings = hvk_bindings_of(device->context, HVK_U64(ids->pSetLayouts[i]));
        sets[i].variable = variable != NULL && i < variable->descriptorSetCount
                               ? variable->pDescriptorCounts[i]
                               : 0;
        *places += places_of(sets[i].bindings);
        rooms[i] = hvk_samplers_room(device, sets[i].bindings, sets[i].variable);
    }
    return ids->descriptorSetCount != 0;
}

/* Allocated ones come into the table; slots: in, the ids that the guest wishes, out, their ids.
 * When that fails those that are left are freed. */
static VkResult wanted_enter(struct hvk_call *call, struct hvk_pool *pool, uint32_t count,
                             const struct wanted *sets, const VkDescriptorSet *natives,
                             uint64_t *slots)
{
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id = slots[i];
        slots[i] = 0;
        if (result != VK_SUCCESS) {
            free_native(pool, HVK_U64(natives[i]), places_of(sets[i].bindings));
        } else if (enter(call, pool, HVK_U64(natives[i]), sets[i].bindings, sets[i].variable,
                         &id) == SL_OK) {
            slots[i] = id;
            hvk_samplers_begin(pool->object.device, natives[i], sets[i].bindings);
        } else {
            result = VK_ERROR_TOO_MANY_OBJECTS;
        }
    }
    return result;
}

VkResult hvk_vkAllocateDescriptorSets(struct hvk_call *call,
                                      struct vk_args_vkAllocateDescriptorSets *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkAllocateDescriptorSets ids;
    uint32_t count = a->pAllocateInfo->descriptorSetCount;
    uint64_t places;
    uint64_t *slots = (uint64_t *)(void *)a->pDescriptorSets;
    VkDescriptorSet *natives = vk_unpack_alloc(&call->in, count, sizeof *natives);
    struct wanted *sets = vk_unpack_alloc(&call->in, count, sizeof *sets);
    uint32_t *rooms = vk_unpack_alloc(&call->in, count, sizeof *rooms);
    struct hvk_pool *pool =
        natives != NULL && sets != NULL && rooms != NULL &&
                vk_unpack_vkAllocateDescriptorSets(&again, &ids)
            ? pool_find(call->context, HVK_U64(ids.pAllocateInfo->descriptorPool))
            : NULL;
    VkResult result =
        pool != NULL && wanted_read(device, ids.pAllocateInfo, sets, rooms, &places)
            ? allocate(pool, places, count, a->pAllocateInfo->pSetLayouts, rooms, natives)
            : VK_ERROR_VALIDATION_FAILED;
    if (result == VK_SUCCESS) {
        result = wanted_enter(call, pool, count, sets, natives, slots);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            slots[i] = 0;
        }
    }
    for (uint32_t i = 0; result != VK_SUCCESS && i < count; i++) {
        hvk_destroy(call->context, VK_KIND_VkDescriptorSet, slots[i]);
        slots[i] = 0;
    }
    return hvk_device_result(device, result);
}

/* A name's set goes, natively when the device is done with it. */
static void end_named(struct hvk_set *set)
{
    struct hvk_device *device = set->object.device;
    struct hvk_set *old = sl_alloc(sizeof *old);
    if (old == NULL) {
        hvk_device_fail(device, VK_ERROR_OUT_OF_HOST_MEMORY, "the end of a set");
        return; /* it goes with its pool */
    }
    hvk_object_init(&old->object, VK_KIND_VkDescriptorSet, HVK_U64(old), set->object.instance,
                    device, set_release);
    old->pool = set->pool;
    (void)hvk_ref(&set->pool->object);
    old->native = set->native;
    old->places = set->places;
    old->is_owned = set->is_owned;
    sl_list_add(&set->pool->sets, &old->link);
    sl_list_init(&old->holding);
    rename_set(device->context, set, 0, NULL, NULL);
    set->is_owned = false;
    hvk_bury(VK_KIND_VkDescriptorSet, HVK_U64(old), &old->object);
}

static void free_set(struct hvk_context *context, uint64_t id)
{
    struct hvk_set *set = set_find(context, id);
    if (set == NULL) {
        return;
    }
    if (!set->is_named) {
        hvk_destroy(context, VK_KIND_VkDescriptorSet, id);
    } else if (set->native != 0) {
        end_named(set);
    }
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

/* --- names --- */

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

VkResult hvk_name_allocate(struct hvk_set *set, VkDescriptorSetLayout layout, uint64_t layout_id)
{
    struct hvk_context *context = set->object.device->context;
    VkDescriptorSet native = VK_NULL_HANDLE;
    struct hvk_bindings *bindings = hvk_bindings_of(context, layout_id);
    if (bindings == NULL) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    uint64_t *rooms;
    if (!rooms_make(bindings, &rooms)) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const uint32_t room = hvk_samplers_room(set->object.device, bindings, 0);
    VkResult result = allocate(set->pool, places_of(bindings), 1, &layout, &room, &native);
    if (result == VK_SUCCESS) {
        set->places = places_of(bindings);
        set->is_owned = true;
        hvk_samplers_begin(set->object.device, native, bindings);
        rename_set(context, set, HVK_U64(native), hvk_bindings_ref(bindings), rooms);
        hvk_bond_make(context, &set->layout, VK_KIND_VkDescriptorSetLayout, layout_id, 0);
    }
    if (result != VK_SUCCESS) {
        sl_free(rooms);
    }
    return result;
}
