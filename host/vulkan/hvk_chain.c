/* Chains of a packet, and the packet once more. */
#include "host/vulkan/hvk_family.h"

/* Chains that readers made lie in the packet's arena, which is the handler's to change. */
static const void **next_of(const void *chained)
{
    return (const void **)(uintptr_t) & ((const VkBaseInStructure *)chained)->pNext;
}

const void *hvk_chain_find(const void *chain, VkStructureType type)
{
    for (const VkBaseInStructure *s = chain; s != NULL; s = s->pNext) {
        if (s->sType == type) {
            return s;
        }
    }
    return NULL;
}

const void *hvk_chain_take(const void **chain, VkStructureType type)
{
    const void *first = NULL;
    while (*chain != NULL) {
        const VkBaseInStructure *s = *chain;
        if (s->sType == type) {
            first = first != NULL ? first : s;
            *chain = s->pNext;
        } else {
            chain = next_of(s);
        }
    }
    return first;
}

void hvk_chain_drop(const void **chain, const VkStructureType *drops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)hvk_chain_take(chain, drops[i]);
    }
}

struct vk_unpack hvk_again(const struct hvk_call *call)
{
    /* Behind the turn's number, which hvk_begin has read. */
    const uint8_t *body = call->hr->in.cur + 4;
    return vk_unpack_over(body, (size_t)(call->hr->in.end - body), call->hr->in.arena, NULL);
}

struct vk_unpack hvk_body_again(const struct hvk_recording *r)
{
    return vk_unpack_over(r->body, (size_t)(r->in.end - r->body), r->in.arena, NULL);
}
