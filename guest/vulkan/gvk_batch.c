#include "guest/vulkan/gvk_batch.h"

#include "guest/vk_call.h"
#include "guest/vk_hand.h"
#include "transport/base/atomic.h"
#include "wire/vk_opcodes.h"

#include <string.h>

bool gvk_batch_pool(struct gvk_device *device, struct gvk_descriptor_pool *pool)
{
    uint32_t count = pool->max_sets;
    pool->names = sl_alloc_array(count, sizeof *pool->names);
    if (pool->names == NULL) {
        return false;
    }
    gvk_call_vkCollectDescriptorPoolIdsGOOGLE(device->dispatch.host, GVK_TO(VkDevice, device),
                                              GVK_TO(VkDescriptorPool, pool), &count, pool->names);
    pool->name_count = count;
    return count == pool->max_sets;
}

bool gvk_batch_note_locked(struct gvk_descriptors *d, struct gvk_descriptor_set *set, bool allocate)
{
    if (!allocate && d->set_count != 0 && d->sets[d->set_count - 1].set == set) {
        return true;
    }
    if (d->set_count == d->set_capacity) {
        uint32_t capacity = d->set_capacity != 0 ? d->set_capacity * 2 : 64;
        struct gvk_pending *grown =
            capacity > d->set_capacity ? sl_realloc(d->sets, capacity * sizeof *grown) : NULL;
        if (grown == NULL) {
            return false;
        }
        d->sets = grown;
        d->set_capacity = capacity;
    }
    d->sets[d->set_count++] =
        (struct gvk_pending){.set = set, .first_write = d->count, .allocate = allocate};
    sl_atomic_store_relaxed(&d->waiting, 1); /* see gvk_settle */
    return true;
}

static bool allocate_one(struct gvk_device *device, struct gvk_descriptor_pool *pool,
                         struct gvk_set_layout *layout, VkDescriptorSet *out)
{
    struct gvk_descriptor_set *set = gvk_object_new(device, NULL, sizeof *set);
    if (set == NULL) {
        return false;
    }
    set->object.vk.id = pool->names[--pool->name_count];
    set->pool = pool;
    set->layout = layout;
    set->bindings = gvk_bindings_ref(layout->bindings);
    sl_list_add(&pool->sets, &set->link);
    *out = GVK_TO(VkDescriptorSet, set);
    pthread_mutex_lock(&device->descriptors.lock);
    bool noted = gvk_batch_note_locked(&device->descriptors, set, true);
    pthread_mutex_unlock(&device->descriptors.lock);
    return noted;
}

VkResult gvk_batch_allocate(struct gvk_device *device, struct gvk_descriptor_pool *pool,
                            const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets)
{
    uint32_t count = info->descriptorSetCount;
    if (count > pool->name_count) {
        return VK_ERROR_OUT_OF_POOL_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct gvk_set_layout *layout = GVK_FROM(gvk_set_layout, info->pSetLayouts[i]);
        if (!allocate_one(device, pool, layout, &sets[i])) {
            (void)gvk_vkFreeDescriptorSets(GVK_TO(VkDevice, device), info->descriptorPool, count,
                                           sets);
            memset(sets, 0, count * sizeof *sets);
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        }
    }
    return VK_SUCCESS;
}

void gvk_batch_release(struct gvk_descriptor_set *set)
{
    if (set->pool != NULL) {
        set->pool->names[set->pool->name_count++] = set->object.vk.id;
    }
}

/* The pool's place among those of the commit, which it joins. */
static uint32_t pool_index(struct gvk_descriptor_pool **pools, uint32_t *count,
                           struct gvk_descriptor_pool *pool)
{
    uint32_t i = *count;
    while (i != 0 && pools[i - 1] != pool) { /* the latest are the likeliest */
        i--;
    }
    if (i != 0) {
        return i - 1;
    }
    pools[*count] = pool;
    return (*count)++;
}

void gvk_batch_pack_locked(struct gvk_device *device, struct vk_pack *pack)
{
    struct gvk_descriptors *d = &device->descriptors;
    uint32_t count = d->set_count, pool_count = 0;
    struct gvk_descriptor_pool **pools = sl_arena_get(&d->arena, count * sizeof *pools);
    uint32_t *which = sl_arena_get(&d->arena, count * sizeof *which);
    if (pools == NULL || which == NULL) {
        pack->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        which[i] = pool_index(pools, &pool_count, d->sets[i].set->pool);
    }
    size_t start = vk_pack_begin(pack, VK_OP_vkQueueCommitDescriptorSetUpdatesGOOGLE);
    vk_pack_u32(pack, 0); /* turn */
    vk_pack_u64(pack, device->queues->dispatch.object.vk.id);
    vk_pack_u32(pack, pool_count);
    for (uint32_t i = 0; i < pool_count; i++) {
        vk_pack_u64(pack, pools[i]->object.vk.id);
    }
    vk_pack_u32(pack, count);
    for (uint32_t i = 0; i < count; i++) {
        vk_pack_u64(pack, d->sets[i].set->layout->object.vk.id);
    }
    for (uint32_t i = 0; i < count; i++) {
        vk_pack_u64(pack, d->sets[i].set->object.vk.id);
    }
    vk_pack_bytes(pack, which, count * sizeof *which);
    for (uint32_t i = 0; i < count; i++) {
        vk_pack_u32(pack, d->sets[i].allocate);
    }
    for (uint32_t i = 0; i < count; i++) {
        vk_pack_u32(pack, d->sets[i].first_write);
    }
    vk_pack_u32(pack, d->count);
    vk_pack_bytes(pack, d->pack.data, vk_pack_size(&d->pack));
    vk_pack_end(pack, start);
}
