/* Descriptor pools and sets, and the writes that wait. */
#include "guest/vulkan/gvk_batch.h"

#include "guest/vk_call.h"
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "wire/vk_opcodes.h"
#include "wire/vk_pack.h"

#include <string.h>

#define PENDING_MANY ((size_t)64 << 10) /* bytes that are sent without a reason */
#define PENDING_MAX  ((size_t)64 << 20)
#define ARENA_MAX    ((size_t)64 << 20)

void gvk_descriptors_init(struct gvk_descriptors *d, uint32_t peers)
{
    pthread_mutex_init(&d->lock, NULL);
    vk_pack_init(&d->pack, PENDING_MAX, true);
    d->pack.peers = peers;
    d->batch = 1;
    sl_arena_init(&d->arena, ARENA_MAX);
}

void gvk_descriptors_finish(struct gvk_descriptors *d)
{
    vk_pack_finish(&d->pack);
    sl_arena_finish(&d->arena);
    sl_free(d->sets);
    pthread_mutex_destroy(&d->lock);
}

/* ---- Pools ---- */

static void pool_refill(struct gvk_descriptor_pool *pool)
{
    pool->sets_left = pool->max_sets;
    memcpy(pool->left, pool->has, sizeof pool->left);
    pool->fragmented = false;
}

VkResult gvk_vkCreateDescriptorPool(VkDevice device, const VkDescriptorPoolCreateInfo *pCreateInfo,
                                    const VkAllocationCallbacks *pAllocator,
                                    VkDescriptorPool *pDescriptorPool)
{
    VkResult result =
        gvk_entry_vkCreateDescriptorPool(device, pCreateInfo, pAllocator, pDescriptorPool);
    if (result != VK_SUCCESS) {
        return result;
    }
    struct gvk_descriptor_pool *pool = GVK_FROM(gvk_descriptor_pool, *pDescriptorPool);
    sl_list_init(&pool->sets);
    pool->max_sets = pCreateInfo->maxSets;
    for (uint32_t i = 0; i < pCreateInfo->poolSizeCount; i++) {
        const VkDescriptorPoolSize *size = &pCreateInfo->pPoolSizes[i];
        if ((uint32_t)size->type < GVK_TYPES) {
            pool->has[size->type] += size->descriptorCount;
        }
    }
    pool_refill(pool);
    if (gvk_host_of(device)->batched_descriptors && !gvk_batch_pool(gvk_device_of(device), pool)) {
        gvk_vkDestroyDescriptorPool(device, *pDescriptorPool, pAllocator);
        *pDescriptorPool = VK_NULL_HANDLE;
        return gvk_failure(gvk_host_of(device));
    }
    return VK_SUCCESS;
}

/* The host has been told: their ids may be chosen again. */
static void sets_free(struct gvk_device *device, struct sl_list *sets)
{
    SL_LIST_FOR_SAFE(item, sets)
    {
        struct gvk_descriptor_set *set = SL_CONTAINER(item, struct gvk_descriptor_set, link);
        sl_list_remove(&set->link);
        gvk_bindings_unref(set->bindings);
        gvk_batch_release(set);
        gvk_object_free(device, NULL, set);
    }
}

void gvk_vkDestroyDescriptorPool(VkDevice device, VkDescriptorPool descriptorPool,
                                 const VkAllocationCallbacks *pAllocator)
{
    struct gvk_descriptor_pool *pool = GVK_FROM(gvk_descriptor_pool, descriptorPool);
    if (pool == NULL) {
        return;
    }
    struct sl_list sets;
    sl_list_init(&sets);
    sl_list_move(&sets, &pool->sets);
    gvk_settle(gvk_device_of(device)); /* writes to them */
    uint64_t *names = pool->names;
    gvk_entry_vkDestroyDescriptorPool(device, descriptorPool, pAllocator);
    SL_LIST_FOR(item, &sets)
    {
        SL_CONTAINER(item, struct gvk_descriptor_set, link)->pool = NULL;
    }
    sets_free(gvk_device_of(device), &sets);
    sl_free(names);
}

VkResult gvk_vkResetDescriptorPool(VkDevice device, VkDescriptorPool descriptorPool,
                                   VkDescriptorPoolResetFlags flags)
{
    struct gvk_descriptor_pool *pool = GVK_FROM(gvk_descriptor_pool, descriptorPool);
    gvk_settle(gvk_device_of(device)); /* writes to its sets */
    VkResult result = gvk_entry_vkResetDescriptorPool(device, descriptorPool, flags);
    sets_free(gvk_device_of(device), &pool->sets);
    pool_refill(pool);
    return result;
}

/* ---- Sets ---- */

/* Takes what a set of the layout needs; all or nothing. */
static bool pool_take(struct gvk_descriptor_pool *pool, const struct gvk_bindings *bindings)
{
    bool fits = pool->sets_left != 0;
    for (uint32_t i = 0; i < GVK_TYPES; i++) {
        fits = fits && bindings->needs[i] <= pool->left[i];
    }
    for (uint32_t i = 0; i < GVK_TYPES && fits; i++) {
        pool->left[i] -= bindings->needs[i];
    }
    pool->sets_left -= fits;
    return fits;
}

static void pool_give(struct gvk_descriptor_pool *pool, const struct gvk_bindings *bindings)
{
    for (uint32_t i = 0; i < GVK_TYPES; i++) {
        pool->left[i] += bindings->needs[i];
    }
    pool->sets_left++;
}

static const struct gvk_bindings *bindings_at(const VkDescriptorSetAllocateInfo *info, uint32_t i)
{
    return GVK_FROM(gvk_set_layout, info->pSetLayouts[i])->bindings;
}

/* Whether all sets are promised to fit, so that the host need not be asked. */
static bool pool_promises(struct gvk_descriptor_pool *pool, const VkDescriptorSetAllocateInfo *info)
{
    /* A chain has counts that vary, which the layouts do not tell. */
    bool fits = info->pNext == NULL && !pool->fragmented;
    for (uint32_t i = 0; i < info->descriptorSetCount && fits; i++) {
        fits = !bindings_at(info, i)->unusual && pool_take(pool, bindings_at(info, i));
    }
    pool->fragmented = !fits; /* what is left is known to the host alone */
    return fits;
}

/* The same where the host is not there to be asked; nothing is taken on failure. */
static bool pool_has_room(struct gvk_descriptor_pool *pool, const VkDescriptorSetAllocateInfo *info)
{
    uint32_t taken = 0;
    while (taken < info->descriptorSetCount && pool_take(pool, bindings_at(info, taken))) {
        taken++;
    }
    bool all = taken == info->descriptorSetCount;
    while (!all && taken != 0) {
        pool_give(pool, bindings_at(info, --taken));
    }
    return all;
}

VkResult gvk_vkAllocateDescriptorSets(VkDevice device,
                                      const VkDescriptorSetAllocateInfo *pAllocateInfo,
                                      VkDescriptorSet *pDescriptorSets)
{
    const VkDescriptorSetAllocateInfo *info = pAllocateInfo;
    struct gvk_device *dev = gvk_device_of(device);
    struct gvk_descriptor_pool *pool = GVK_FROM(gvk_descriptor_pool, info->descriptorPool);
    struct gvk_host *host = gvk_host_of(device);
    uint32_t count = info->descriptorSetCount;
    if (host->batched_descriptors) {
        memset(pDescriptorSets, 0, count * sizeof *pDescriptorSets);
        return pool_has_room(pool, info) ? gvk_batch_allocate(dev, pool, info, pDescriptorSets)
                                         : VK_ERROR_OUT_OF_POOL_MEMORY;
    }
    struct gvk_made made;
    if (!gvk_made_begin(&made, count, sizeof(struct gvk_descriptor_set), dev, NULL,
                        pDescriptorSets)) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result;
    if (pool_promises(pool, info) && gvk_made_choose(&made, host)) {
        result = gvk_tell_vkAllocateDescriptorSets(host, device, info, pDescriptorSets);
        gvk_made_told(&made, result, dev, NULL, pDescriptorSets);
    } else {
        result = gvk_call_vkAllocateDescriptorSets(host, device, info, pDescriptorSets);
        gvk_made_end(&made, dev, NULL, pDescriptorSets);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct gvk_descriptor_set *set = GVK_FROM(gvk_descriptor_set, pDescriptorSets[i]);
        if (set != NULL) {
            set->bindings =
                gvk_bindings_ref(GVK_FROM(gvk_set_layout, info->pSetLayouts[i])->bindings);
            sl_list_add(&pool->sets, &set->link);
        }
    }
    return result;
}

VkResult gvk_vkFreeDescriptorSets(VkDevice device, VkDescriptorPool descriptorPool,
                                  uint32_t descriptorSetCount,
                                  const VkDescriptorSet *pDescriptorSets)
{
    struct gvk_device *dev = gvk_device_of(device);
    struct gvk_descriptor_pool *pool = GVK_FROM(gvk_descriptor_pool, descriptorPool);
    struct sl_list sets;
    sl_list_init(&sets);
    gvk_settle(dev); /* writes to them */
    VkResult result = gvk_call_vkFreeDescriptorSets(gvk_host_of(device), device, descriptorPool,
                                                    descriptorSetCount, pDescriptorSets);
    for (uint32_t i = 0; i < descriptorSetCount; i++) {
        struct gvk_descriptor_set *set = GVK_FROM(gvk_descriptor_set, pDescriptorSets[i]);
        if (set != NULL) {
            sl_list_remove(&set->link);
            sl_list_add(&sets, &set->link);
            pool_give(pool, set->bindings);
        }
    }
    sets_free(dev, &sets);
    pool->fragmented = true;
    return result;
}

/* ---- Writes ---- */

static bool is_immutable(const struct gvk_bindings *bindings, uint32_t number)
{
    uint32_t low = 0;
    uint32_t high = bindings != NULL ? bindings->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (bindings->list[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return bindings != NULL && low < bindings->count && bindings->list[low].number == number &&
           bindings->list[low].immutable;
}

/* Which halves of its image infos a write's type reads. */
static void image_parts(const struct gvk_bindings *bindings, const VkWriteDescriptorSet *write,
                        bool *sampler, bool *view)
{
    switch ((uint32_t)write->descriptorType) {
    case VK_DESCRIPTOR_TYPE_SAMPLER:
        *sampler = !is_immutable(bindings, write->dstBinding);
        *view = false;
        break;
    case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        *sampler = !is_immutable(bindings, write->dstBinding);
        *view = true;
        break;
    case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
    case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
    case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
        *sampler = false;
        *view = true;
        break;
    default: /* other types have no image infos that travel */
        *sampler = true;
        *view = true;
        break;
    }
}

const VkWriteDescriptorSet *gvk_write_clean(struct sl_arena *arena,
                                            const struct gvk_bindings *bindings,
                                            const VkWriteDescriptorSet *write,
                                            VkWriteDescriptorSet *room)
{
    bool sampler, view;
    image_parts(bindings, write, &sampler, &view);
    if (sampler && view) {
        return write;
    }
    VkDescriptorImageInfo *infos =
        sl_arena_get(arena, (size_t)write->descriptorCount * sizeof *infos);
    if (infos == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < write->descriptorCount; i++) {
        infos[i] = write->pImageInfo[i];
        if (!sampler) {
            infos[i].sampler = VK_NULL_HANDLE;
        }
        if (!view) {
            infos[i].imageView = VK_NULL_HANDLE;
            infos[i].imageLayout = VK_IMAGE_LAYOUT_UNDEFINED;
        }
    }
    *room = *write;
    room->pImageInfo = infos;
    return room;
}

/* Size of a write of one buffer: type, chain's end, five words of the write, three presence words,
 * the buffer's info. */
#define ONE_BUFFER_SIZE 80u

static bool is_one_buffer(const VkWriteDescriptorSet *write)
{
    uint32_t type = (uint32_t)write->descriptorType;
    return write->descriptorCount == 1 && write->pNext == NULL && write->pBufferInfo != NULL &&
           type >= VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER &&
           type <= VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

static void store_present(uint8_t *p, const void *pointer)
{
    sl_store_u64(p, __builtin_bswap64(pointer != NULL));
}

/* What most writes are, in one piece. One that goes where the set's last waiting one does takes its
 * place, which nobody can have seen. False: no memory. */
static bool add_one_buffer(struct gvk_descriptors *d, struct gvk_descriptor_set *set,
                           const VkWriteDescriptorSet *write)
{
    const VkDescriptorBufferInfo *info = write->pBufferInfo;
    uint64_t buffer = vk_pack_id(&d->pack, (uint64_t)(uintptr_t)info->buffer);
    uint8_t *p = set->write_batch == d->batch ? d->pack.data + set->write_at : NULL;
    if (p != NULL && sl_load_u32(p + 16) == write->dstBinding &&
        sl_load_u32(p + 20) == write->dstArrayElement &&
        sl_load_u32(p + 28) == (uint32_t)write->descriptorType) {
        sl_store_u64(p + 48, buffer);
        sl_store_u64(p + 56, info->offset);
        sl_store_u64(p + 64, info->range);
        return true;
    }
    p = vk_pack_room(&d->pack, ONE_BUFFER_SIZE);
    if (p == NULL) {
        return false;
    }
    sl_store_u32(p, VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    sl_store_u32(p + 4, 0); /* no chain */
    sl_store_u64(p + 8, set->object.vk.id);
    sl_store_u32(p + 16, write->dstBinding);
    sl_store_u32(p + 20, write->dstArrayElement);
    sl_store_u32(p + 24, 1);
    sl_store_u32(p + 28, (uint32_t)write->descriptorType);
    store_present(p + 32, write->pImageInfo);
    store_present(p + 40, info);
    sl_store_u64(p + 48, buffer);
    sl_store_u64(p + 56, info->offset);
    sl_store_u64(p + 64, info->range);
    store_present(p + 72, write->pTexelBufferView);
    set->write_at = (size_t)(p - d->pack.data);
    set->write_batch = d->batch;
    d->pack.cur = p + ONE_BUFFER_SIZE;
    d->count++;
    return true;
}

/* Any write, and those of hosts that want batches. False: no memory. */
static bool add_any(struct gvk_descriptors *d, struct gvk_descriptor_set *set,
                    const VkWriteDescriptorSet *write)
{
    VkWriteDescriptorSet room;
    const VkWriteDescriptorSet *clean = gvk_write_clean(&d->arena, set->bindings, write, &room);
    if (clean == NULL || (set->pool != NULL && !gvk_batch_note_locked(d, set, false))) {
        return false;
    }
    vk_pack_VkWriteDescriptorSet(&d->pack, clean);
    set->write_batch = 0;
    d->count += !d->pack.failed;
    return !d->pack.failed;
}

void gvk_writes_begin(struct gvk_device *device)
{
    pthread_mutex_lock(&device->descriptors.lock);
}

static void add(struct gvk_descriptors *d, const VkWriteDescriptorSet *write)
{
    struct gvk_descriptor_set *set = GVK_FROM(gvk_descriptor_set, write->dstSet);
    size_t before = vk_pack_size(&d->pack);
    bool added = SL_LIKELY(is_one_buffer(write) && set->pool == NULL)
                     ? add_one_buffer(d, set, write)
                     : add_any(d, set, write);
    if (SL_UNLIKELY(!added)) {
        vk_pack_reset(&d->pack);
        d->pack.cur += before;
        sl_warn_limited("vulkan", "no memory for a write to a descriptor set: it is lost");
    }
}

void gvk_writes_add(struct gvk_device *device, const VkWriteDescriptorSet *write)
{
    add(&device->descriptors, write);
}

/* The writes go out from where they wait. A host that is gone shows at the next call with a result.
 */
static void update_send_locked(struct gvk_device *device, struct gvk_stream *stream)
{
    struct gvk_descriptors *d = &device->descriptors;
    (void)vk_pack_begin(&stream->pack, VK_OP_vkUpdateDescriptorSets);
    vk_pack_u32(&stream->pack, 0); /* turn */
    vk_pack_u64(&stream->pack, device->dispatch.object.vk.id);
    vk_pack_u32(&stream->pack, d->count);
    vk_pack_u32(&d->pack, 0); /* copies */
    if (!d->pack.failed) {
        (void)gvk_send_with(stream, d->pack.data, vk_pack_size(&d->pack));
    } else {
        sl_warn_limited("vulkan", "no memory for writes to descriptor sets: they are lost");
    }
}

/* The lock is held over the sending: who finds nothing pending may send at once, and must come
 * behind it. */
static void send_locked(struct gvk_device *device)
{
    struct gvk_descriptors *d = &device->descriptors;
    bool any = d->set_count != 0 ? device->queues != NULL : d->count != 0;
    struct gvk_stream *s = any ? gvk_begin_of(device) : NULL;
    if (s != NULL) {
        if (d->set_count != 0) {
            gvk_batch_pack_locked(device, &s->pack);
            sl_arena_reset(&d->arena);
            (void)gvk_send(s); /* a host that is gone shows at the next call with a result */
        } else {
            update_send_locked(device, s);
        }
    }
    vk_pack_reset(&d->pack);
    d->batch++;
    d->count = 0;
    d->set_count = 0;
    /* Pairs with nothing: whoever has to see these writes is ordered behind them by Vulkan's
     * rules, through the lock or through the application. */
    sl_atomic_store_relaxed(&d->waiting, 0);
}

void gvk_writes_end(struct gvk_device *device)
{
    struct gvk_descriptors *d = &device->descriptors;
    if (d->arena.total != 0) {
        sl_arena_reset(&d->arena);
    }
    if (vk_pack_size(&d->pack) > PENDING_MANY) {
        send_locked(device);
    } else if (d->count != 0 && sl_atomic_load_relaxed(&d->waiting) == 0) {
        sl_atomic_store_relaxed(&d->waiting, 1); /* as above */
    }
    pthread_mutex_unlock(&d->lock);
}

void gvk_descriptors_send(struct gvk_device *device)
{
    pthread_mutex_lock(&device->descriptors.lock);
    send_locked(device);
    pthread_mutex_unlock(&device->descriptors.lock);
}

void gvk_vkUpdateDescriptorSets(VkDevice device, uint32_t descriptorWriteCount,
                                const VkWriteDescriptorSet *pDescriptorWrites,
                                uint32_t descriptorCopyCount,
                                const VkCopyDescriptorSet *pDescriptorCopies)
{
    struct gvk_device *dev = gvk_device_of(device);
    if (descriptorWriteCount != 0) {
        gvk_writes_begin(dev);
        for (uint32_t i = 0; i < descriptorWriteCount; i++) {
            add(&dev->descriptors, &pDescriptorWrites[i]);
        }
        gvk_writes_end(dev);
    }
    if (descriptorCopyCount != 0) {
        gvk_settle(dev);
        gvk_call_vkUpdateDescriptorSets(gvk_host_of(device), device, 0, NULL, descriptorCopyCount,
                                        pDescriptorCopies);
    }
}
