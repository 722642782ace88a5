/* What a stock guest tells of itself for people: names and numbers of its process and thread. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/log.h"

#define NAME_MAX_BYTES 32u

/* The guest's text, as far as it can be shown. */
static void show(char out[NAME_MAX_BYTES], const char *text)
{
    size_t n = 0;
    for (; text != NULL && text[n] != '\0' && n + 1 < NAME_MAX_BYTES; n++) {
        out[n] = text[n];
        if (text[n] < ' ' || text[n] > '~') {
            out[n] = '?';
        }
    }
    out[n] = '\0';
}

void hvk_vkSetDebugMetadataAsyncGOOGLE(struct hvk_call *call,
                                       struct vk_args_vkSetDebugMetadataAsyncGOOGLE *a)
{
    const void *chain = a->pDebugMetadata->pNext;
    const VkDebugMetadataGuestProcessNameGOOGLE *process =
        hvk_chain_find(chain, VK_STRUCTURE_TYPE_DEBUG_METADATA_GUEST_PROCESS_NAME_GOOGLE);
    const VkDebugMetadataGuestProcessIdGOOGLE *process_id =
        hvk_chain_find(chain, VK_STRUCTURE_TYPE_DEBUG_METADATA_GUEST_PROCESS_ID_GOOGLE);
    const VkDebugMetadataGuestThreadNameGOOGLE *thread =
        hvk_chain_find(chain, VK_STRUCTURE_TYPE_DEBUG_METADATA_GUEST_THREAD_NAME_GOOGLE);
    const VkDebugMetadataGuestThreadIdGOOGLE *thread_id =
        hvk_chain_find(chain, VK_STRUCTURE_TYPE_DEBUG_METADATA_GUEST_THREAD_ID_GOOGLE);
    char names[2][NAME_MAX_BYTES];
    show(names[0], process != NULL ? process->pName : NULL);
    show(names[1], thread != NULL ? thread->pName : NULL);
    sl_debug("vulkan", "context %u: a ring of %s (%llu), thread %s (%llu)", call->context->ctx_id,
             names[0], (unsigned long long)(process_id != NULL ? process_id->id : 0), names[1],
             (unsigned long long)(thread_id != NULL ? thread_id->id : 0));
}
