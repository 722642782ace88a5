/* A hostile guest ends what something else is made of, and uses that (attack case C07); or makes
 * what does not fit what it is made of. The driver's freed memory is filled, so that whoever still
 * looks into it shows. */
#include "tests/unit/hvk_hostile.h"

#include "host/vulkan/hvk_family.h"

#include <malloc.h>
#include <string.h>

static void init(struct vk_world *w)
{
#ifdef M_PERTURB
    (void)mallopt(M_PERTURB, 0x55);
#endif
    vk_world_init(w);
}
SLT_FIXTURE(hvk_orphan, struct vk_world, init, vk_world_finish);

struct target {
    VkImage image;
    VkImageView view;
    VkRenderPass pass;
    VkFramebuffer framebuffer;
    VkCommandPool pool;
    VkCommandBuffer commands;
};

static const VkImageCreateInfo plain_image = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                              .imageType = VK_IMAGE_TYPE_2D,
                                              .format = VK_FORMAT_R8G8B8A8_UNORM,
                                              .extent = {SIDE, SIDE, 1},
                                              .mipLevels = 2,
                                              .arrayLayers = 3,
                                              .samples = VK_SAMPLE_COUNT_1_BIT,
                                              .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                                       VK_IMAGE_USAGE_SAMPLED_BIT};
static const VkImageViewCreateInfo plain_view = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
    .viewType = VK_IMAGE_VIEW_TYPE_2D,
    .format = VK_FORMAT_R8G8B8A8_UNORM,
    .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};

static VkImage image_make(struct vk_world *w, const VkImageCreateInfo *info, bool binds)
{
    VkImage image = VK_NULL_HANDLE;
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    VkResult r;
    VK_SEND(&w->main, CreateImageWithRequirementsGOOGLE, w->device, info, NULL, &image, &needs);
    VK_READ(&w->main, CreateImageWithRequirementsGOOGLE, w->device, info, NULL, &image, &needs, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    if (binds) {
        SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
        VK_SEND(&w->main, BindImageMemory, w->device, image, memory, 0);
        VK_READ(&w->main, BindImageMemory, w->device, image, memory, 0, &r);
        SLT_ASSERT_EQ(VK_SUCCESS, r);
    }
    return image;
}

static VkResult view_make(struct vk_world *w, const VkImageViewCreateInfo *like, VkImage image,
                          VkImageView *view)
{
    VkImageViewCreateInfo info = *like;
    VkResult r = VK_ERROR_UNKNOWN;
    info.image = image;
    *view = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateImageView, w->device, &info, NULL, view);
    VK_READ(&w->main, CreateImageView, w->device, &info, NULL, view, &r);
    return r;
}

static VkRenderPass pass_make(struct vk_world *w, VkFormat format, VkSampleCountFlagBits samples)
{
    const VkAttachmentDescription attachment = {.format = format,
                                                .samples = samples,
                                                .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                                .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                                                .finalLayout =
                                                    VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkAttachmentReference color = {0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkSubpassDescription subpass = {.colorAttachmentCount = 1, .pColorAttachments = &color};
    const VkRenderPassCreateInfo info = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                         .attachmentCount = 1,
                                         .pAttachments = &attachment,
                                         .subpassCount = 1,
                                         .pSubpasses = &subpass};
    VkRenderPass pass = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateRenderPass, w->device, &info, NULL, &pass);
    VK_READ(&w->main, CreateRenderPass, w->device, &info, NULL, &pass, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return pass;
}

static VkResult framebuffer_make(struct vk_world *w, struct target *t, uint32_t side,
                                 uint32_t layers)
{
    const VkFramebufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                          .renderPass = t->pass,
                                          .attachmentCount = 1,
                                          .pAttachments = &t->view,
                                          .width = side,
                                          .height = side,
                                          .layers = layers};
    VkResult r = VK_ERROR_UNKNOWN;
    t->framebuffer = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateFramebuffer, w->device, &info, NULL, &t->framebuffer);
    VK_READ(&w->main, CreateFramebuffer, w->device, &info, NULL, &t->framebuffer, &r);
    return r;
}

static void target_make(struct vk_world *w, struct target *t)
{
    vk_world_device(w);
    t->image = image_make(w, &plain_image, true);
    SLT_ASSERT_EQ(VK_SUCCESS, view_make(w, &plain_view, t->image, &t->view));
    t->pass = pass_make(w, VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_1_BIT);
    SLT_ASSERT_EQ(VK_SUCCESS, framebuffer_make(w, t, SIDE, 1));
    t->pool = vp_pool_make(w);
    vp_buffers_make(w, t->pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &t->commands);
}

/* A pass that clears; ended and flushed. */
static void clear_record(struct vk_world *w, const struct target *t, VkRenderPass pass)
{
    const VkClearValue value = {.color = {.float32 = {1, 0, 1, 0}}};
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = pass,
                                         .framebuffer = t->framebuffer,
                                         .renderArea = {{0, 0}, {SIDE, SIDE}},
                                         .clearValueCount = 1,
                                         .pClearValues = &value};
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdBeginRenderPass(&recorded, &begin, VK_SUBPASS_CONTENTS_INLINE);
    vk_pack_vkCmdEndRenderPass(&recorded);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, t->commands, &recorded);
    vk_pack_finish(&recorded);
}

static VkResult run(struct vk_world *w, VkCommandBuffer commands)
{
    VkFence fence = vp_fence_make(w);
    vp_submit(w, commands, fence);
    SLT_EXPECT_TRUE(!w->main.lost);
    return vp_wait(w, fence, UINT64_MAX);
}

/* Others of the kind, so that the driver gives freed memory to somebody. */
static void fill_up(struct vk_world *w)
{
    for (int i = 0; i < 4; i++) {
        VkImageView view;
        VkImage image = image_make(w, &plain_image, true);
        SLT_ASSERT_EQ(VK_SUCCESS, view_make(w, &plain_view, image, &view));
        VK_SEND(&w->main, DestroyImageView, w->device, view, NULL);
        VK_SEND(&w->main, DestroyImage, w->device, image, NULL);
    }
}

/* --- a framebuffer whose views, or their images, have ended --- */

struct orphan_case {
    const char *label;
    bool image, view, before; /* what ends, and when: before it is recorded */
};
static const struct orphan_case orphan_cases[] = {
    {"of_the_image_recorded_before", true, false, false}, {"of_the_image", true, false, true},
    {"of_the_view_recorded_before", false, true, false},  {"of_the_view", false, true, true},
    {"of_both_recorded_before", true, true, false},       {"of_both", true, true, true}};

SLT_TEST_FP(hvk_orphan, a_framebuffer_outlives_the_end, w, struct orphan_case, orphan_cases, c)
{
    struct target t;
    target_make(w, &t);
    uint64_t live = vk_world_context(w)->ids.live;
    if (!c->before) {
        clear_record(w, &t, t.pass);
    }
    if (c->image) {
        VK_SEND(&w->main, DestroyImage, w->device, t.image, NULL);
    }
    if (c->view) {
        VK_SEND(&w->main, DestroyImageView, w->device, t.view, NULL);
    }
    SLT_EXPECT_EQ(live - c->image - c->view, vk_world_context(w)->ids.live);
    fill_up(w);
    if (c->before) {
        clear_record(w, &t, t.pass);
    }
    SLT_EXPECT_EQ(VK_SUCCESS, run(w, t.commands));
    VK_SEND(&w->main, DestroyFramebuffer, w->device, t.framebuffer, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* --- immutable samplers --- */

SLT_TEST_F(hvk_orphan, a_set_outlives_its_layouts_samplers, w)
{
    const VkSamplerCreateInfo sampler_info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler = VK_NULL_HANDLE;
    VkResult r;
    struct hostile h;
    hostile_make(w, &h);
    VK_SEND(&w->main, CreateSampler, w->device, &sampler_info, NULL, &sampler);
    VK_READ(&w->main, CreateSampler, w->device, &sampler_info, NULL, &sampler, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkDescriptorSetLayoutBinding bindings[] = {
        {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
        {1, VK_DESCRIPTOR_TYPE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT, &sampler}};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 2,
        .pBindings = bindings};
    struct vp_compute c = h.c;
    VK_SEND(&w->main, CreateDescriptorSetLayout, w->device, &info, NULL, &c.set_layout);
    VK_READ(&w->main, CreateDescriptorSetLayout, w->device, &info, NULL, &c.set_layout, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    VK_SEND(&w->main, DestroySampler, w->device, sampler, NULL);
    fill_up(w);
    const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1},
                                          {VK_DESCRIPTOR_TYPE_SAMPLER, 1}};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = 1,
                                             .poolSizeCount = 2,
                                             .pPoolSizes = sizes};
    VK_SEND(&w->main, CreateDescriptorPool, w->device, &pool, NULL, &c.pool);
    VK_READ(&w->main, CreateDescriptorPool, w->device, &pool, NULL, &c.pool, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkPipelineLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = 1,
        .pSetLayouts = &c.set_layout,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &(VkPushConstantRange){VK_SHADER_STAGE_COMPUTE_BIT, 0, 4}};
    VK_SEND(&w->main, CreatePipelineLayout, w->device, &layout, NULL, &c.layout);
    VK_READ(&w->main, CreatePipelineLayout, w->device, &layout, NULL, &c.layout, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    c.pipeline = vp_compute_pipeline(w, c.layout, vp_double_spv, sizeof vp_double_spv);
    VkDescriptorSet set;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, h.m.buffer);
    vp_set_words(&h.m, 3);
    vp_dispatch(w, &c, set, 1);
    vp_expect_words(&h.m, 7);
}

/* --- what does not fit --- */

struct view_case {
    const char *label;
    VkImageViewType type;
    VkFormat format;
    VkImageSubresourceRange range;
};
#define COLOR VK_IMAGE_ASPECT_COLOR_BIT
#define RGBA8 VK_FORMAT_R8G8B8A8_UNORM
static const struct view_case view_cases[] = {
    {"level_behind_the_last", VK_IMAGE_VIEW_TYPE_2D, RGBA8, {COLOR, 2, 1, 0, 1}},
    {"levels_past_the_last", VK_IMAGE_VIEW_TYPE_2D, RGBA8, {COLOR, 1, 2, 0, 1}},
    {"no_levels", VK_IMAGE_VIEW_TYPE_2D, RGBA8, {COLOR, 0, 0, 0, 1}},
    {"layer_behind_the_last", VK_IMAGE_VIEW_TYPE_2D, RGBA8, {COLOR, 0, 1, 3, 1}},
    {"layers_that_wrap", VK_IMAGE_VIEW_TYPE_2D_ARRAY, RGBA8, {COLOR, 0, 1, 2, UINT32_MAX - 1}},
    {"layers_of_no_array", VK_IMAGE_VIEW_TYPE_2D, RGBA8, {COLOR, 0, 1, 0, 2}},
    {"three_sides_of_a_cube", VK_IMAGE_VIEW_TYPE_CUBE, RGBA8, {COLOR, 0, 1, 0, 3}},
    {"a_volume", VK_IMAGE_VIEW_TYPE_3D, RGBA8, {COLOR, 0, 1, 0, 1}},
    {"a_line", VK_IMAGE_VIEW_TYPE_1D, RGBA8, {COLOR, 0, 1, 0, 1}},
    {"no_such_type", (VkImageViewType)77, RGBA8, {COLOR, 0, 1, 0, 1}},
    {"larger_texels", VK_IMAGE_VIEW_TYPE_2D, VK_FORMAT_R32G32B32A32_SFLOAT, {COLOR, 0, 1, 0, 1}},
    {"another_format", VK_IMAGE_VIEW_TYPE_2D, VK_FORMAT_R8G8B8A8_UINT, {COLOR, 0, 1, 0, 1}},
    {"no_such_format", VK_IMAGE_VIEW_TYPE_2D, (VkFormat)987654, {COLOR, 0, 1, 0, 1}},
    {"depth", VK_IMAGE_VIEW_TYPE_2D, RGBA8, {VK_IMAGE_ASPECT_DEPTH_BIT, 0, 1, 0, 1}},
    {"no_aspect", VK_IMAGE_VIEW_TYPE_2D, RGBA8, {0, 0, 1, 0, 1}}};

SLT_TEST_FP(hvk_orphan, views_fit_their_image, w, struct view_case, view_cases, c)
{
    VkImageViewCreateInfo info = plain_view;
    VkImageView view;
    vk_world_device(w);
    VkImage image = image_make(w, &plain_image, true);
    info.viewType = c->type;
    info.format = c->format;
    info.subresourceRange = c->range;
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, view_make(w, &info, image, &view));
    SLT_EXPECT_TRUE(view == VK_NULL_HANDLE);
    SLT_EXPECT_EQ(VK_SUCCESS, view_make(w, &plain_view, image, &view));
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk_orphan, what_has_no_memory_has_no_views, w)
{
    VkImageView view;
    VkBufferView buffer_view = VK_NULL_HANDLE;
    VkMemoryRequirements needs;
    VkResult r;
    vk_world_device(w);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED,
                  view_make(w, &plain_view, image_make(w, &plain_image, false), &view));
    const VkBufferViewCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
        .buffer = vp_buffer_make(w, 256, VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT, &needs),
        .format = VK_FORMAT_R8_UNORM,
        .range = VK_WHOLE_SIZE};
    VK_SEND(&w->main, CreateBufferView, w->device, &info, NULL, &buffer_view);
    VK_READ(&w->main, CreateBufferView, w->device, &info, NULL, &buffer_view, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
}

/* A buffer that a command names has memory, and gets it once. */
SLT_TEST_F(hvk_orphan, what_has_no_memory_is_not_used, w)
{
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    VkCommandBuffer commands;
    vk_world_device(w);
    VkBuffer buffer = vp_buffer_make(w, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
    VkBuffer bound = vp_buffer_make(w, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_bind(w, bound, memory, 0));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, vp_bind(w, bound, memory, 0));
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, buffer, 0, 256, 1);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, run(w, commands));
}

SLT_TEST_F(hvk_orphan, framebuffers_are_no_larger_than_their_views, w)
{
    struct target t;
    target_make(w, &t);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, framebuffer_make(w, &t, SIDE + 1, 1));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, framebuffer_make(w, &t, SIDE, 2));
    SLT_EXPECT_EQ(VK_SUCCESS, framebuffer_make(w, &t, SIDE / 2, 1));
}

struct pass_case {
    const char *label;
    VkFormat format;
    VkSampleCountFlagBits samples;
};
static const struct pass_case pass_cases[] = {
    {"of_another_format", VK_FORMAT_R32G32B32A32_SFLOAT, VK_SAMPLE_COUNT_1_BIT},
    {"of_more_samples", VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_4_BIT}};

SLT_TEST_FP(hvk_orphan, a_pass_draws_on_no_other, w, struct pass_case, pass_cases, c)
{
    struct target t;
    target_make(w, &t);
    clear_record(w, &t, pass_make(w, c->format, c->samples));
    SLT_EXPECT_TRUE(w->main.lost);
    SLT_EXPECT_TRUE(strstr(w->main.reason, "does not fit its render pass") != NULL);
}

struct rendering_case {
    const char *label;
    uint32_t side, layers;
    bool is_fine;
};
static const struct rendering_case rendering_cases[] = {
    {"that_fits", SIDE, 1, true}, {"too_wide", SIDE + 1, 1, false}, {"too_deep", SIDE, 2, false}};

SLT_TEST_FP(hvk_orphan, rendering_is_inside_its_views, w, struct rendering_case, rendering_cases, c)
{
    struct target t;
    target_make(w, &t);
    const VkRenderingAttachmentInfo color = {.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                             .imageView = t.view,
                                             .imageLayout =
                                                 VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                                             .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                             .storeOp = VK_ATTACHMENT_STORE_OP_STORE};
    const VkRenderingInfo info = {.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                                  .renderArea = {{0, 0}, {c->side, c->side}},
                                  .layerCount = c->layers,
                                  .colorAttachmentCount = 1,
                                  .pColorAttachments = &color};
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdBeginRendering(&recorded, &info);
    vk_pack_vkCmdEndRendering(&recorded);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, t.commands, &recorded);
    vk_pack_finish(&recorded);
    SLT_EXPECT_EQ(!c->is_fine, w->main.lost);
}

/* --- what descriptor sets say --- */

static struct hvk_device *device_record(struct vk_world *w)
{
    return (struct hvk_device *)(void *)hvk_find(vk_world_context(w), VK_KIND_VkDevice,
                                                 HVK_U64(w->device), NULL);
}

/* A dispatch with a set that says a buffer, recorded; the buffer is of so many bytes. */
struct said {
    struct hostile h;
    VkBuffer buffer;
    VkCommandBuffer commands;
};

static void said_make(struct vk_world *w, struct said *s, uint64_t size)
{
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    hostile_make(w, &s->h);
    s->buffer = vp_buffer_make(w, size, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, s->buffer, memory, 0));
    vp_set_write(w, s->h.set, s->buffer);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &s->commands);
    vp_dispatch_record(w, &s->h.c, s->h.set, 1, s->commands);
}

static void said_end(struct vk_world *w, const struct said *s)
{
    VK_SEND(&w->main, DestroyBuffer, w->device, s->buffer, NULL);
    fill_up(w);
}

SLT_TEST_F(hvk_orphan, a_set_may_say_what_has_ended, w)
{
    struct said s;
    said_make(w, &s, 256);
    said_end(w, &s);
    SLT_EXPECT_LE(1u, device_record(w)->stale_count);
    SLT_EXPECT_EQ(VK_SUCCESS, run(w, s.commands));
    SLT_EXPECT_EQ(VK_SUCCESS, run(w, s.commands));
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* Nothing says it any more. */
SLT_TEST_F(hvk_orphan, and_it_ends_with_the_set, w)
{
    struct said s;
    said_make(w, &s, 256);
    said_end(w, &s);
    SLT_EXPECT_LE(1u, device_record(w)->stale_count);
    VK_SEND(&w->main, DestroyDescriptorPool, w->device, s.h.c.pool, NULL);
    fill_up(w);
    SLT_EXPECT_EQ(0u, device_record(w)->stale_count);
}

/* Or when there is more of it: the buffer alone is said, the views of fill_up are not. */
SLT_TEST_F(hvk_orphan, and_only_what_is_said_stays, w)
{
    struct said s;
    said_make(w, &s, 256);
    said_end(w, &s);
    for (int i = 0; i < 100; i++) {
        fill_up(w);
        SLT_ASSERT_LE(device_record(w)->stale_count, 300u);
    }
    vp_set_write(w, s.h.set, s.h.m.buffer);
    for (int i = 0; i < 100; i++) {
        fill_up(w);
    }
    SLT_EXPECT_LE(device_record(w)->stale_count, 256u);
    SLT_EXPECT_EQ(VK_SUCCESS, run(w, s.commands));
}

/* More than is kept for sets: they say nothing in its place. */
SLT_TEST_F(hvk_orphan, a_set_keeps_no_more_than_there_is_room_for, w)
{
    struct said s;
    said_make(w, &s, 300ull << 20);
    SLT_ASSERT_TRUE(device_record(w)->has_null_descriptors);
    VK_SEND(&w->main, DestroyBuffer, w->device, s.buffer, NULL);
    SLT_EXPECT_EQ(0u, device_record(w)->stale_count);
    fill_up(w);
    SLT_EXPECT_EQ(VK_SUCCESS, run(w, s.commands));
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* A buffer without memory is not written into a set, in whatever way. */
typedef void set_writer(struct vk_world *w, const struct said *s, VkBuffer buffer);

static void plainly(struct vk_world *w, const struct said *s, VkBuffer buffer)
{
    vp_set_write(w, s->h.set, buffer);
}

static VkDescriptorUpdateTemplate template_make(struct vk_world *w, const struct said *s)
{
    const VkDescriptorUpdateTemplateEntry entry = {
        .descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER};
    const VkDescriptorUpdateTemplateCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
        .descriptorUpdateEntryCount = 1,
        .pDescriptorUpdateEntries = &entry,
        .descriptorSetLayout = s->h.c.set_layout};
    VkDescriptorUpdateTemplate template = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateDescriptorUpdateTemplate, w->device, &info, NULL, &template);
    VK_READ(&w->main, CreateDescriptorUpdateTemplate, w->device, &info, NULL, &template, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return template;
}

static void by_template(struct vk_world *w, const struct said *s, VkBuffer buffer)
{
    const VkDescriptorBufferInfo info = {.buffer = buffer, .range = VK_WHOLE_SIZE};
    const uint32_t entry = 0;
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSizedGOOGLE, w->device, s->h.set,
            template_make(w, s), 0, 1, 0, NULL, &entry, NULL, NULL, &info, NULL);
}

static void by_template_2(struct vk_world *w, const struct said *s, VkBuffer buffer)
{
    const VkDescriptorBufferInfo info = {.buffer = buffer, .range = VK_WHOLE_SIZE};
    const uint32_t entry = 0;
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, s->h.set,
            template_make(w, s), 0, 1, 0, 0, NULL, &entry, NULL, NULL, &info, NULL, NULL);
}

struct bare_case {
    const char *label;
    set_writer *write;
};
static const struct bare_case bare_cases[] = {
    {"plainly", plainly}, {"by_template", by_template}, {"by_template_2", by_template_2}};

SLT_TEST_FP(hvk_orphan, a_set_says_nothing_without_memory, w, struct bare_case, bare_cases, c)
{
    struct said s;
    VkMemoryRequirements needs;
    said_make(w, &s, 256);
    VkBuffer bare = vp_buffer_make(w, 256, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &needs);
    c->write(w, &s, s.h.m.buffer); /* others are, meanwhile */
    c->write(w, &s, bare);
    vp_set_words(&s.h.m, 5);
    SLT_EXPECT_EQ(VK_SUCCESS, run(w, s.commands));
    vp_expect_words(&s.h.m, 11);
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* --- what shaders use --- */

struct interface_case {
    const char *label;
    uint32_t set_count, binding;
    VkDescriptorType type;
    VkShaderStageFlags stages;
    const char *name;
    VkResult result;
};
#define STORAGE VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
#define COMPUTE VK_SHADER_STAGE_COMPUTE_BIT
static const struct interface_case interface_cases[] = {
    {"has_it", 1, 0, STORAGE, COMPUTE, "main", VK_SUCCESS},
    {"has_it_dynamic", 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, COMPUTE, "main",
     VK_SUCCESS},
    {"has_it_in_all_stages", 1, 0, STORAGE, VK_SHADER_STAGE_ALL, "main", VK_SUCCESS},
    {"has_no_sets", 0, 0, STORAGE, COMPUTE, "main", VK_ERROR_INVALID_SHADER_NV},
    {"has_another_binding", 1, 3, STORAGE, COMPUTE, "main", VK_ERROR_INVALID_SHADER_NV},
    {"has_another_type", 1, 0, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE, COMPUTE, "main",
     VK_ERROR_INVALID_SHADER_NV},
    {"has_another_stage", 1, 0, STORAGE, VK_SHADER_STAGE_FRAGMENT_BIT, "main",
     VK_ERROR_INVALID_SHADER_NV},
    {"has_no_such_entry", 1, 0, STORAGE, COMPUTE, "mein", VK_ERROR_INVALID_SHADER_NV}};

SLT_TEST_FP(hvk_orphan, a_pipeline_needs_a_layout_that, w, struct interface_case, interface_cases,
            c)
{
    vk_world_device(w);
    VkResult r;
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkPipeline pipeline = VK_NULL_HANDLE;
    const VkDescriptorSetLayoutBinding binding = {c->binding, c->type, 1, c->stages, NULL};
    const VkDescriptorSetLayoutCreateInfo set_info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    VK_SEND(&w->main, CreateDescriptorSetLayout, w->device, &set_info, NULL, &set);
    VK_READ(&w->main, CreateDescriptorSetLayout, w->device, &set_info, NULL, &set, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkPushConstantRange range = {COMPUTE, 0, 4};
    const VkPipelineLayoutCreateInfo layout_info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = c->set_count,
        .pSetLayouts = &set,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &range};
    VK_SEND(&w->main, CreatePipelineLayout, w->device, &layout_info, NULL, &layout);
    VK_READ(&w->main, CreatePipelineLayout, w->device, &layout_info, NULL, &layout, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkShaderModule module = vp_shader(w, vp_double_spv, sizeof vp_double_spv);
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = c->name},
        .layout = layout};
    VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
    VK_READ(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline,
            &r);
    SLT_EXPECT_EQ(c->result, r);
    SLT_EXPECT_EQ(c->result == VK_SUCCESS, pipeline != VK_NULL_HANDLE);
}

SLT_TEST_F(hvk_orphan, descriptors_are_of_types_that_there_are, w)
{
    vk_world_device(w);
    VkResult r;
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    const VkDescriptorSetLayoutBinding binding = {0, (VkDescriptorType)262147, 1, COMPUTE, NULL};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    VK_SEND(&w->main, CreateDescriptorSetLayout, w->device, &info, NULL, &set);
    VK_READ(&w->main, CreateDescriptorSetLayout, w->device, &info, NULL, &set, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
}

/* What a struct names may be nothing. */
SLT_TEST_F(hvk_orphan, nothing_has_no_requirements, w)
{
    vk_world_device(w);
    const VkImageMemoryRequirementsInfo2 image = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2};
    const VkBufferMemoryRequirementsInfo2 buffer = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2};
    const VkImageSparseMemoryRequirementsInfo2 sparse = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_SPARSE_MEMORY_REQUIREMENTS_INFO_2};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    uint32_t count = 1;
    VK_SEND(&w->main, GetImageMemoryRequirements2, w->device, &image, &needs);
    VK_SEND(&w->main, GetBufferMemoryRequirements2, w->device, &buffer, &needs);
    VK_SEND(&w->main, GetImageSparseMemoryRequirements2, w->device, &sparse, &count, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* What says that it is bound piece by piece has no memory where no driver can do that. */
SLT_TEST_F(hvk_orphan, nothing_is_sparse_without_queues_for_it, w)
{
    vk_world_device(w);
    if (hvk_has_sparse(device_record(w)->physical)) {
        SLT_SKIP("the device has sparse memory");
    }
    VkImageCreateInfo image_info = plain_image;
    const VkBufferCreateInfo buffer_info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                            .flags = VK_BUFFER_CREATE_SPARSE_BINDING_BIT,
                                            .size = 256,
                                            .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkImage image = VK_NULL_HANDLE;
    VkBuffer buffer = VK_NULL_HANDLE;
    VkResult r;
    image_info.flags = VK_IMAGE_CREATE_SPARSE_BINDING_BIT;
    VK_SEND(&w->main, CreateImage, w->device, &image_info, NULL, &image);
    VK_READ(&w->main, CreateImage, w->device, &image_info, NULL, &image, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
    VK_SEND(&w->main, CreateBuffer, w->device, &buffer_info, NULL, &buffer);
    VK_READ(&w->main, CreateBuffer, w->device, &buffer_info, NULL, &buffer, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
}
