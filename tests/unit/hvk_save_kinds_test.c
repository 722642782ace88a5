/* One object of every kind that hosts keep, in a snapshot: it lives there under its id. What such
 * objects hold and signal is hvk_save_test.c's and hvk_carry_test.c's. */
#include "host/vulkan/hvk_family.h"
#include "tests/support/vk_parts.h"
#include "tests/support/vk_saved.h"

#include <string.h>

SLT_FIXTURE(hvk_save_kinds, struct vk_pair, vk_pair_init, vk_pair_finish);

/* Makes one on the main ring: its creation has these arguments between device and object. */
#define MAKE(w, Name, type, info)                                                                  \
    ({                                                                                             \
        type made_ = VK_NULL_HANDLE;                                                               \
        VkResult result_;                                                                          \
        VK_SEND(&(w)->main, Create##Name, (w)->device, info, NULL, &made_);                        \
        VK_READ(&(w)->main, Create##Name, (w)->device, info, NULL, &made_, &result_);              \
        SLT_ASSERT_EQ(VK_SUCCESS, result_);                                                        \
        made_;                                                                                     \
    })

#define SIDE 16u

struct image {
    VkImage image;
    VkImageView view;
};

static struct image make_image(struct vk_world *w)
{
    const VkImageCreateInfo info = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                    .imageType = VK_IMAGE_TYPE_2D,
                                    .format = VK_FORMAT_R8G8B8A8_UNORM,
                                    .extent = {SIDE, SIDE, 1},
                                    .mipLevels = 1,
                                    .arrayLayers = 1,
                                    .samples = VK_SAMPLE_COUNT_1_BIT,
                                    .tiling = VK_IMAGE_TILING_OPTIMAL,
                                    .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT};
    VkDeviceMemory memory;
    VkResult r;
    struct image made = {.image = MAKE(w, Image, VkImage, &info)};
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 65536, 0, 0, &memory));
    VK_SEND(&w->main, BindImageMemory, w->device, made.image, memory, 0);
    VK_READ(&w->main, BindImageMemory, w->device, made.image, memory, 0, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkImageViewCreateInfo view = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = made.image,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = info.format,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    made.view = MAKE(w, ImageView, VkImageView, &view);
    return made;
}

static void make_framebuffer(struct vk_world *w)
{
    const VkAttachmentDescription attachment = {.format = VK_FORMAT_R8G8B8A8_UNORM,
                                                .samples = VK_SAMPLE_COUNT_1_BIT,
                                                .finalLayout =
                                                    VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkAttachmentReference color = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkSubpassDescription subpass = {.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                          .colorAttachmentCount = 1,
                                          .pColorAttachments = &color};
    const VkRenderPassCreateInfo pass = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                         .attachmentCount = 1,
                                         .pAttachments = &attachment,
                                         .subpassCount = 1,
                                         .pSubpasses = &subpass};
    struct image image = make_image(w);
    const VkFramebufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                          .renderPass = MAKE(w, RenderPass, VkRenderPass, &pass),
                                          .attachmentCount = 1,
                                          .pAttachments = &image.view,
                                          .width = SIDE,
                                          .height = SIDE,
                                          .layers = 1};
    (void)MAKE(w, Framebuffer, VkFramebuffer, &info);
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
    const VkDescriptorUpdateTemplateEntry entry = {
        .descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER};
    const VkDescriptorUpdateTemplateCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
        .descriptorUpdateEntryCount = 1,
        .pDescriptorUpdateEntries = &entry,
        .templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET,
        .descriptorSetLayout = c.set_layout};
    (void)MAKE(w, DescriptorUpdateTemplate, VkDescriptorUpdateTemplate, &info);
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
    (void)MAKE(w, BufferView, VkBufferView, &info);
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
    (void)MAKE(w, Event, VkEvent, &event);
    (void)MAKE(w, Fence, VkFence, &fence);
    (void)MAKE(w, Semaphore, VkSemaphore, &semaphore);
    (void)MAKE(w, Sampler, VkSampler, &sampler);
    (void)MAKE(w, PipelineCache, VkPipelineCache, &cache);
    (void)MAKE(w, PrivateDataSlot, VkPrivateDataSlot, &slot);
    (void)MAKE(w, QueryPool, VkQueryPool, &queries);
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
    SLT_EXPECT_LOG("vulkan", "has queries");
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
