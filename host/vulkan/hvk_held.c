/* What descriptor sets hold, for a snapshot, and for whoever ends what they say (hvk_stale.c): no
 * driver tells of it. One copy of what is written, at its place in the set, from the first write
 * on; a write costs no more than that. */
#include "host/vulkan/hvk_family.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#define PLACE sizeof(union hvk_descriptor)

static uint64_t places(VkDescriptorType type, uint64_t count)
{
    bool is_bytes = type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
    return is_bytes ? (count + PLACE - 1) / PLACE : count;
}

void hvk_held_place(struct hvk_bindings *bindings)
{
    uint32_t at = 0, dynamic = 0;
    for (uint32_t i = 0; i < bindings->count; i++) {
        struct hvk_binding *b = &bindings->list[i];
        b->first = at; /* all of them are fewer than 2^24 */
        b->first_dynamic = dynamic;
        dynamic += hvk_is_dynamic(b->type) ? b->count : 0;
        at += (uint32_t)places(bindings->list[i].type, bindings->list[i].count);
    }
    bindings->places = at;
}

uint64_t hvk_held_size(const struct hvk_set *set, const struct hvk_binding *binding)
{
    const struct hvk_bindings *bindings = set->bindings;
    bool own = bindings->is_variable && binding == &bindings->list[bindings->count - 1];
    return places(binding->type, own ? set->variable : binding->count);
}

uint64_t hvk_held_count(const struct hvk_set *set)
{
    const struct hvk_bindings *bindings = set->bindings;
    if (bindings == NULL || bindings->count == 0) {
        return 0;
    }
    const struct hvk_binding *last = &bindings->list[bindings->count - 1];
    return last->first + hvk_held_size(set, last);
}

void hvk_held_drop(struct hvk_set *set)
{
    set->is_held = false;
    sl_list_remove(&set->holding);
}

void hvk_held_end(struct hvk_set *set)
{
    (void)hvk_keep(set->object.device->context, -(int64_t)(set->held_counted * PLACE));
    sl_list_remove(&set->holding);
    sl_free(set->held);
}

/* Zeroed places for all that the set can hold; a name's next set takes them over. */
static bool held_begin(struct hvk_set *set)
{
    uint64_t count = hvk_held_count(set);
    if (count > set->held_room) {
        struct hvk_context *context = set->object.device->context;
        uint64_t more = count - set->held_room;
        union hvk_descriptor *held = sl_alloc_array(count, PLACE);
        if (held == NULL) {
            return false;
        }
        /* What is not counted cannot be saved; it is kept all the same. */
        set->held_counted += hvk_keep(context, (int64_t)(more * PLACE)) ? more : 0;
        sl_free(set->held);
        set->held = held;
        set->held_room = count;
    } else {
        memset(set->held, 0, count * PLACE);
    }
    set->is_held = true;
    sl_list_add(&set->object.device->sets, &set->holding);
    return true;
}

/* The places from one of a binding's elements on; NULL: there is no memory. */
static union hvk_descriptor *held_at(struct hvk_set *set, uint32_t number, uint32_t element)
{
    const struct hvk_binding *binding = hvk_binding_find(set->bindings, number);
    if (binding == NULL || (!set->is_held && !held_begin(set))) {
        return NULL;
    }
    bool is_bytes = binding->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK;
    return set->held + binding->first + (is_bytes ? 0 : element);
}

static const void *block_of(const VkWriteDescriptorSet *write)
{
    const VkWriteDescriptorSetInlineUniformBlock *block =
        hvk_chain_find(write->pNext, VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK);
    return block->pData;
}

bool hvk_held_write(struct hvk_set *set, const VkWriteDescriptorSet *write)
{
    uint32_t count = write->descriptorCount;
    union hvk_descriptor *to =
        count != 0 ? held_at(set, write->dstBinding, write->dstArrayElement) : NULL;
    if (to == NULL) {
        return count == 0;
    }
    switch (write->descriptorType) {
    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
    case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
    case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
        memcpy(to, write->pBufferInfo, count * PLACE);
        break;
    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
        for (uint32_t i = 0; i < count; i++) {
            to[i].view = write->pTexelBufferView[i];
        }
        break;
    case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
        memcpy(to->bytes + write->dstArrayElement, block_of(write), count);
        break;
    case VK_DESCRIPTOR_TYPE_SAMPLER:
    case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
    case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
    case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
    case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
        memcpy(to, write->pImageInfo, count * PLACE);
        break;
    default:
        return false; /* acceleration structures: none is offered */
    }
    return true;
}

bool hvk_held_copy(struct hvk_set *to, const struct hvk_set *from, const VkCopyDescriptorSet *copy)
{
    const struct hvk_binding *binding = hvk_binding_find(from->bindings, copy->srcBinding);
    union hvk_descriptor *at =
        copy->descriptorCount != 0 ? held_at(to, copy->dstBinding, copy->dstArrayElement) : NULL;
    if (at == NULL || binding == NULL) {
        return copy->descriptorCount == 0;
    }
    if (!from->is_held) {
        return true; /* it says nothing yet */
    }
    const union hvk_descriptor *source = from->held + binding->first;
    if (binding->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
        memmove(at->bytes + copy->dstArrayElement, source->bytes + copy->srcArrayElement,
                copy->descriptorCount);
    } else {
        memmove(at, source + copy->srcArrayElement, copy->descriptorCount * PLACE);
    }
    return true;
}
