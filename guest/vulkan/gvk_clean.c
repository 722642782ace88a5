#include "guest/vulkan/gvk_clean.h"

#include "wire/vk_extensions.h"

#include <string.h>

const void *gvk_chain_find(const void *chain, VkStructureType type)
{
    const VkBaseInStructure *link = chain;
    while (link != NULL && link->sType != type) {
        link = link->pNext;
    }
    return link;
}

void *gvk_chain_copy(struct sl_arena *arena, const void *chain, VkStructureType drop, bool *ok)
{
    VkBaseOutStructure *first = NULL;
    VkBaseOutStructure *last = NULL;
    *ok = true;
    for (const VkBaseInStructure *link = chain; link != NULL; link = link->pNext) {
        const struct vk_chain_struct *known = vk_chain_struct_find(link->sType);
        if (link->sType == drop || known == NULL) {
            continue;
        }
        VkBaseOutStructure *copy = sl_arena_get(arena, known->size);
        if (copy == NULL) {
            *ok = false;
            return NULL;
        }
        memcpy(copy, link, known->size);
        copy->pNext = NULL;
        if (last != NULL) {
            last->pNext = copy;
        } else {
            first = copy;
        }
        last = copy;
    }
    return first;
}

const VkCommandBufferBeginInfo *gvk_clean_begin(struct sl_arena *arena, bool primary,
                                                const VkCommandBufferBeginInfo *info)
{
    bool inside = (info->flags & VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT) != 0;
    if (info->pInheritanceInfo == NULL || (!primary && inside)) {
        return info;
    }
    VkCommandBufferBeginInfo *begin = sl_arena_get(arena, sizeof *begin);
    VkCommandBufferInheritanceInfo *inherited = sl_arena_get(arena, sizeof *inherited);
    if (begin == NULL || inherited == NULL) {
        return NULL;
    }
    *begin = *info;
    begin->pInheritanceInfo = NULL;
    if (!primary) {
        *inherited = *info->pInheritanceInfo;
        inherited->renderPass = VK_NULL_HANDLE;
        inherited->subpass = 0;
        inherited->framebuffer = VK_NULL_HANDLE;
        bool ok;
        inherited->pNext =
            gvk_chain_copy(arena, info->pInheritanceInfo->pNext,
                           VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_RENDERING_INFO, &ok);
        begin->pInheritanceInfo = inherited;
        return ok ? begin : NULL;
    }
    return begin;
}

static void attachment_clean(VkRenderingAttachmentInfo *attachment)
{
    if (attachment->imageView == VK_NULL_HANDLE ||
        attachment->resolveMode == VK_RESOLVE_MODE_NONE) {
        attachment->resolveImageView = VK_NULL_HANDLE;
    }
}

static bool stale(const VkRenderingAttachmentInfo *attachment)
{
    return attachment != NULL && attachment->resolveImageView != VK_NULL_HANDLE &&
           (attachment->imageView == VK_NULL_HANDLE ||
            attachment->resolveMode == VK_RESOLVE_MODE_NONE);
}

static const VkRenderingAttachmentInfo *
attachments_clean(struct sl_arena *arena, const VkRenderingAttachmentInfo *from, uint32_t count)
{
    VkRenderingAttachmentInfo *clean = sl_arena_get(arena, count * sizeof *clean);
    for (uint32_t i = 0; clean != NULL && i < count; i++) {
        clean[i] = from[i];
        attachment_clean(&clean[i]);
    }
    return clean;
}

const VkRenderingInfo *gvk_clean_rendering(struct sl_arena *arena, const VkRenderingInfo *info)
{
    bool dirty = stale(info->pDepthAttachment) || stale(info->pStencilAttachment);
    for (uint32_t i = 0; !dirty && i < info->colorAttachmentCount; i++) {
        dirty = stale(&info->pColorAttachments[i]);
    }
    if (!dirty) {
        return info;
    }
    VkRenderingInfo *clean = sl_arena_get(arena, sizeof *clean);
    if (clean == NULL) {
        return NULL;
    }
    *clean = *info;
    bool ok = true;
    if (info->colorAttachmentCount != 0) {
        clean->pColorAttachments =
            attachments_clean(arena, info->pColorAttachments, info->colorAttachmentCount);
        ok = clean->pColorAttachments != NULL;
    }
    if (info->pDepthAttachment != NULL) {
        clean->pDepthAttachment = attachments_clean(arena, info->pDepthAttachment, 1);
        ok = ok && clean->pDepthAttachment != NULL;
    }
    if (info->pStencilAttachment != NULL) {
        clean->pStencilAttachment = attachments_clean(arena, info->pStencilAttachment, 1);
        ok = ok && clean->pStencilAttachment != NULL;
    }
    return ok ? clean : NULL;
}
