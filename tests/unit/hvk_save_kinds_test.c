/* One object of every kind that hosts keep, in a snapshot: it lives there under its id. What such
 * objects hold and signal is hvk_save_test.c's and hvk_carry_test.c's. */
#include "host/vulkan/hvk_family.h"
#include "tests/support/vk_parts.h"
#include "tests/support/vk_saved.h"

#include <string.h>

SLT_FIXTURE(hvk_save_kinds, struct vk_pair, vk_pair_init, vk_pair_finish);

#define SIDE 16u

static void make_framebuffer(struct vk_world *w)
{
    const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
    const VkImageCreateInfo image = vp_image_info(SIDE, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
    const VkImageView view =
        vp_view_make(w, vp_image_make(w, &image), format, VK_IMAGE_ASPECT_COLOR_BIT);
    const VkFramebufferCreateInfo info =
        vp_framebuffer_info(vp_pass_make(w, 1, &format, VK_SAMPLE_COUNT_1_BIT), 1, &view, SIDE);
    (void)VP_CREATE(w, Framebuffer, &info);
}

/* Also what it is made of: layouts, pool, set, module, pipeline. */
static void make_compute(struct vk_world *w, VkBuffer buffer)
{
    struct vp_compute c;
    VkDescriptorSet set;
    VkCommandBuffer commands;
    vp_compute_make(w, 4, &c);
    (void)vp_shader(w, vp_double_spv, sizeof vp_double_spv);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, buffer);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_dispatch_record(w, &c, set, 1, commands);
    (void)vp_template_make(w, c.set_layout, 0);
}

static void make_texel_view(struct vk_world *w)
{
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    VkBuffer buffer = vp_buffer_make(w, 256, VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT, &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, 0, &memory));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, buffer, memory, 0));
    const VkBufferViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                         .buffer = buffer,
                                         .format = VK_FORMAT_R8G8B8A8_UNORM,
                                         .range = VK_WHOLE_SIZE};
    (void)VP_CREATE(w, BufferView, &info);
}

static void make_small(struct vk_world *w)
{
    const VkEventCreateInfo event = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    const VkSamplerCreateInfo sampler = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    const VkPipelineCacheCreateInfo cache = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    const VkPrivateDataSlotCreateInfo slot = {.sType =
                                                  VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_OCCLUSION,
                                           .queryCount = 4};
    (void)VP_CREATE(w, Event, &event);
    (void)VP_CREATE(w, Fence, &fence);
    (void)VP_CREATE(w, Semaphore, &semaphore);
    (void)VP_CREATE(w, Sampler, &sampler);
    (void)VP_CREATE(w, PipelineCache, &cache);
    (void)VP_CREATE(w, PrivateDataSlot, &slot);
    (void)VP_CREATE(w, QueryPool, &queries);
}

/* Kinds whose extensions no guest is offered, or that this driver has none of. */
static bool is_not_made(uint32_t kind)
{
    switch (kind) {
    case VK_KIND_VkAccelerationStructureKHR:
    case VK_KIND_VkAccelerationStructureNV:
    case VK_KIND_VkCuFunctionNVX:
    case VK_KIND_VkCuModuleNVX:
    case VK_KIND_VkDataGraphPipelineSessionARM:
    case VK_KIND_VkDebugReportCallbackEXT:
    case VK_KIND_VkDebugUtilsMessengerEXT:
    case VK_KIND_VkDeferredOperationKHR:
    case VK_KIND_VkDisplayKHR:
    case VK_KIND_VkDisplayModeKHR:
    case VK_KIND_VkExternalComputeQueueNV:
    case VK_KIND_VkGpaSessionAMD:
    case VK_KIND_VkIndirectCommandsLayoutEXT:
    case VK_KIND_VkIndirectCommandsLayoutNV:
    case VK_KIND_VkIndirectExecutionSetEXT:
    case VK_KIND_VkMicromapEXT:
    case VK_KIND_VkOpticalFlowSessionNV:
    case VK_KIND_VkPerformanceConfigurationINTEL:
    case VK_KIND_VkPipelineBinaryKHR:
    case VK_KIND_VkSamplerYcbcrConversion:
    case VK_KIND_VkShaderEXT:
    case VK_KIND_VkShaderInstrumentationARM:
    case VK_KIND_VkSurfaceKHR:
    case VK_KIND_VkSwapchainKHR:
    case VK_KIND_VkTensorARM:
    case VK_KIND_VkTensorViewARM:
    case VK_KIND_VkValidationCacheEXT:
    case VK_KIND_VkVideoSessionKHR:
    case VK_KIND_VkVideoSessionParametersKHR:
        return true;
    default:
        return false;
    }
}

SLT_TEST_F(hvk_save_kinds, every_kind_is_there_under_its_id, p)
{
    struct vk_world *w = &p->here;
    struct vp_mapped m;
    bool made[VK_KIND_END] = {false};
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *record;
    vp_mapped_make(w, 7, &m);
    make_compute(w, m.buffer);
    make_framebuffer(w);
    make_texel_view(w);
    make_small(w);
    SLT_ASSERT_TRUE(!w->main.lost);
    SLT_ASSERT_OK(vk_saved_take(&p->saved, w));
    vk_saved_play(&p->saved, &p->there, w->turn);
    while (sl_ids_next(&vk_world_context(w)->ids, &cursor, &kind, &id, &native, &record)) {
        SLT_EXPECT_TRUE(hvk_find(vk_world_context(&p->there), kind, id, NULL) != NULL);
        made[kind] = true;
    }
    for (kind = 1; kind < VK_KIND_END; kind++) { /* a new one is to be made here, too */
        SLT_SCOPE("kind %u", kind);
        SLT_EXPECT_EQ(!is_not_made(kind), made[kind]);
    }
    SLT_EXPECT_EQ(vk_world_context(w)->ids.live, vk_world_context(&p->there)->ids.live);
    SLT_ASSERT_OK(vk_saved_take(&p->again, &p->there));
    vk_saved_compare(&p->saved, &p->again);
    vp_mapped_free(w, &m);
}
