/* Pipelines and render passes: what is ignored is taken out, the rest goes the generated way. */
#include "guest/vulkan/gvk_pipeline.h"

#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_clean.h"

#include <string.h>

#define CLEAN_MAX ((size_t)256 << 20)

/* Programs that ask whether a pipeline must be compiled want to hear the answer. */
#define ASKS                                                                                       \
    (VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT |                                    \
     VK_PIPELINE_CREATE_EARLY_RETURN_ON_FAILURE_BIT)

/* vkCreateGraphicsPipelines and vkCreateComputePipelines: sent without what applications may leave
 * dangling, under ids of the guest's choice unless somebody asks. */
#define CREATE(Kind, kind)                                                                         \
    VkResult gvk_vkCreate##Kind##Pipelines(                                                        \
        VkDevice device, VkPipelineCache pipelineCache, uint32_t createInfoCount,                  \
        const Vk##Kind##PipelineCreateInfo *pCreateInfos, const VkAllocationCallbacks *pAllocator, \
        VkPipeline *pPipelines)                                                                    \
    {                                                                                              \
        struct sl_arena arena;                                                                     \
        sl_arena_init(&arena, CLEAN_MAX);                                                          \
        const Vk##Kind##PipelineCreateInfo *clean =                                                \
            gvk_clean_##kind(&arena, createInfoCount, pCreateInfos);                               \
        VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;                                             \
        if (clean != NULL) {                                                                       \
            result = gvk_entry_vkCreate##Kind##Pipelines(device, pipelineCache, createInfoCount,   \
                                                         clean, pAllocator, pPipelines);           \
        } else {                                                                                   \
            memset(pPipelines, 0, createInfoCount * sizeof *pPipelines);                           \
        }                                                                                          \
        sl_arena_finish(&arena);                                                                   \
        return result;                                                                             \
    }                                                                                              \
    bool gvk_chooses_vkCreate##Kind##Pipelines(                                                    \
        VkDevice device, VkPipelineCache pipelineCache, uint32_t createInfoCount,                  \
        const Vk##Kind##PipelineCreateInfo *pCreateInfos, const VkAllocationCallbacks *pAllocator, \
        VkPipeline *pPipelines)                                                                    \
    {                                                                                              \
        (void)device, (void)pipelineCache, (void)pAllocator, (void)pPipelines;                     \
        bool asks = false;                                                                         \
        for (uint32_t i = 0; i < createInfoCount; i++) {                                           \
            asks = asks || ((unsigned)pCreateInfos[i].flags & ASKS) != 0;                          \
        }                                                                                          \
        return !asks;                                                                              \
    }
CREATE(Graphics, graphics)
CREATE(Compute, compute)

/* ---- Render passes ---- */

/* Is one of `count` references (of either version: `size` bytes each, the attachment at `at`) to an
 * attachment? */
static bool refers(const void *references, uint32_t count, size_t size, size_t at)
{
    const uint8_t *p = references;
    for (uint32_t i = 0; p != NULL && i < count; i++, p += size) {
        uint32_t attachment;
        memcpy(&attachment, p + at, sizeof attachment);
        if (attachment != VK_ATTACHMENT_UNUSED) {
            return true;
        }
    }
    return false;
}

/* What a VkSubpassDescription, or one of version 2, draws into. */
#define SUBPASS_FLAGS(subpass, reference)                                                          \
    (uint8_t)((refers((subpass)->pColorAttachments, (subpass)->colorAttachmentCount,               \
                      sizeof(reference), offsetof(reference, attachment))                          \
                   ? GVK_SUBPASS_COLOR                                                             \
                   : 0) |                                                                          \
              (refers((subpass)->pDepthStencilAttachment, 1, sizeof(reference),                    \
                      offsetof(reference, attachment))                                             \
                   ? GVK_SUBPASS_DEPTH_STENCIL                                                     \
                   : 0))

/* Takes `subpasses`. */
static VkResult pass_made(VkResult result, VkRenderPass handle, uint8_t *subpasses, uint32_t count)
{
    if (result != VK_SUCCESS) {
        sl_free(subpasses);
        return result;
    }
    struct gvk_render_pass *pass = GVK_FROM(gvk_render_pass, handle);
    pass->subpasses = subpasses;
    pass->subpass_count = count;
    return VK_SUCCESS;
}

VkResult gvk_vkCreateRenderPass(VkDevice device, const VkRenderPassCreateInfo *pCreateInfo,
                                const VkAllocationCallbacks *pAllocator, VkRenderPass *pRenderPass)
{
    uint32_t count = pCreateInfo->subpassCount;
    uint8_t *subpasses = sl_alloc(count);
    if (subpasses == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        subpasses[i] = SUBPASS_FLAGS(&pCreateInfo->pSubpasses[i], VkAttachmentReference);
    }
    VkResult result = gvk_entry_vkCreateRenderPass(device, pCreateInfo, pAllocator, pRenderPass);
    return pass_made(result, *pRenderPass, subpasses, count);
}

VkResult gvk_vkCreateRenderPass2(VkDevice device, const VkRenderPassCreateInfo2 *pCreateInfo,
                                 const VkAllocationCallbacks *pAllocator, VkRenderPass *pRenderPass)
{
    uint32_t count = pCreateInfo->subpassCount;
    uint8_t *subpasses = sl_alloc(count);
    if (subpasses == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        subpasses[i] = SUBPASS_FLAGS(&pCreateInfo->pSubpasses[i], VkAttachmentReference2);
    }
    VkResult result = gvk_entry_vkCreateRenderPass2(device, pCreateInfo, pAllocator, pRenderPass);
    return pass_made(result, *pRenderPass, subpasses, count);
}

void gvk_vkDestroyRenderPass(VkDevice device, VkRenderPass renderPass,
                             const VkAllocationCallbacks *pAllocator)
{
    if (renderPass != VK_NULL_HANDLE) {
        sl_free(GVK_FROM(gvk_render_pass, renderPass)->subpasses);
        gvk_entry_vkDestroyRenderPass(device, renderPass, pAllocator);
    }
}
