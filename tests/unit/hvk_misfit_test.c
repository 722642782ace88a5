/* A hostile guest makes what does not fit what it is made of, or uses what has no memory. */
#include "tests/unit/hvk_target.h"

#include <string.h>

SLT_FIXTURE(hvk_misfit, struct vk_world, target_init, vk_world_finish);

/* --- views, framebuffers and passes --- */

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

SLT_TEST_FP(hvk_misfit, views_fit_their_image, w, struct view_case, view_cases, c)
{
    VkImageViewCreateInfo info = plain_view;
    VkImageView view;
    vk_world_device(w);
    VkImage image = vp_image_make(w, &plain_image);
    info.viewType = c->type;
    info.format = c->format;
    info.subresourceRange = c->range;
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, view_of(w, &info, image, &view));
    SLT_EXPECT_TRUE(view == VK_NULL_HANDLE);
    SLT_EXPECT_EQ(VK_SUCCESS, view_of(w, &plain_view, image, &view));
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk_misfit, what_has_no_memory_has_no_views, w)
{
    VkImage image;
    VkImageView view;
    VkBufferView buffer_view = VK_NULL_HANDLE;
    VkMemoryRequirements needs;
    VkResult r;
    vk_world_device(w);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_image_try(w, &plain_image, &image, &needs));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, view_of(w, &plain_view, image, &view));
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
SLT_TEST_F(hvk_misfit, what_has_no_memory_is_not_used, w)
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
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, vp_run(w, commands));
}

SLT_TEST_F(hvk_misfit, framebuffers_are_no_larger_than_their_views, w)
{
    struct target t;
    target_make(w, &t);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, target_framebuffer(w, &t, SIDE + 1, 1));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, target_framebuffer(w, &t, SIDE, 2));
    SLT_EXPECT_EQ(VK_SUCCESS, target_framebuffer(w, &t, SIDE / 2, 1));
}

struct pass_case {
    const char *label;
    VkFormat format;
    VkSampleCountFlagBits samples;
};
static const struct pass_case pass_cases[] = {
    {"of_another_format", VK_FORMAT_R32G32B32A32_SFLOAT, VK_SAMPLE_COUNT_1_BIT},
    {"of_more_samples", VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_4_BIT}};

SLT_TEST_FP(hvk_misfit, a_pass_draws_on_no_other, w, struct pass_case, pass_cases, c)
{
    struct target t;
    target_make(w, &t);
    target_clear(w, &t, vp_pass_make(w, 1, &c->format, c->samples));
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

SLT_TEST_FP(hvk_misfit, rendering_is_inside_its_views, w, struct rendering_case, rendering_cases, c)
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

SLT_TEST_FP(hvk_misfit, a_pipeline_needs_a_layout_that, w, struct interface_case, interface_cases,
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
    set = VP_CREATE(w, DescriptorSetLayout, &set_info);
    const VkPushConstantRange range = {COMPUTE, 0, 4};
    const VkPipelineLayoutCreateInfo layout_info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = c->set_count,
        .pSetLayouts = &set,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &range};
    layout = VP_CREATE(w, PipelineLayout, &layout_info);
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

SLT_TEST_F(hvk_misfit, descriptors_are_of_types_that_there_are, w)
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

/* --- structs that name nothing where they must name something --- */

typedef void namer(struct vk_world *w);

static void an_image_that_is_none(struct vk_world *w)
{
    const VkImageMemoryRequirementsInfo2 info = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    VK_SEND(&w->main, GetImageMemoryRequirements2, w->device, &info, &needs);
}

static void a_sparse_image_that_is_none(struct vk_world *w)
{
    const VkImageSparseMemoryRequirementsInfo2 info = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_SPARSE_MEMORY_REQUIREMENTS_INFO_2};
    uint32_t count = 1;
    VK_SEND(&w->main, GetImageSparseMemoryRequirements2, w->device, &info, &count, NULL);
}

static void a_buffer_that_is_none(struct vk_world *w)
{
    const VkBufferMemoryRequirementsInfo2 info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    VK_SEND(&w->main, GetBufferMemoryRequirements2, w->device, &info, &needs);
}

static void the_address_of_no_buffer(struct vk_world *w)
{
    const VkBufferDeviceAddressInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO};
    VK_SEND(&w->main, GetBufferDeviceAddress, w->device, &info);
}

static void the_address_of_no_memory(struct vk_world *w)
{
    const VkDeviceMemoryOpaqueCaptureAddressInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_MEMORY_OPAQUE_CAPTURE_ADDRESS_INFO};
    VK_SEND(&w->main, GetDeviceMemoryOpaqueCaptureAddress, w->device, &info);
}

static void a_view_of_no_image(struct vk_world *w)
{
    VkImageView view = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateImageView, w->device, &plain_view, NULL, &view);
}

static void a_barrier_of_no_image(struct vk_world *w)
{
    const VkImageMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                          .subresourceRange = {COLOR, 0, 1, 0, 1}};
    struct vk_pack recorded;
    VkCommandBuffer commands;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_begin(&recorded);
    vk_pack_vkCmdPipelineBarrier(&recorded, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                 VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, NULL, 0, NULL, 1,
                                 &barrier);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
}

static void a_signal_of_no_semaphore(struct vk_world *w)
{
    const VkSemaphoreSignalInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO};
    VK_SEND(&w->main, SignalSemaphore, w->device, &info);
}

struct null_case {
    const char *label;
    namer *name;
};
static const struct null_case null_cases[] = {
    ROW(an_image_that_is_none),    ROW(a_sparse_image_that_is_none), ROW(a_buffer_that_is_none),
    ROW(the_address_of_no_buffer), ROW(the_address_of_no_memory),    ROW(a_view_of_no_image),
    ROW(a_barrier_of_no_image),    ROW(a_signal_of_no_semaphore)};

SLT_TEST_FP(hvk_misfit, structs_name_what_they_must, w, struct null_case, null_cases, c)
{
    vk_world_device(w);
    c->name(w);
    SLT_EXPECT_TRUE(w->main.lost);
}

/* What says that it is bound piece by piece has no memory where no driver can do that. */
SLT_TEST_F(hvk_misfit, nothing_is_sparse_without_queues_for_it, w)
{
    vk_world_device(w);
    if (hvk_has_sparse(target_device(w)->physical)) {
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

/* --- more than a process has --- */

SLT_TEST_F(hvk_misfit, queries_are_no_more_than_a_process_has, w)
{
    VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                  .queryType = VK_QUERY_TYPE_OCCLUSION,
                                  .queryCount = 1u << 22};
    VkQueryPool all, pool;
    vk_world_device(w);
    for (int i = 0; i < 2; i++) { /* what ends makes room */
        SLT_EXPECT_EQ(VK_SUCCESS, VP_TRY(w, QueryPool, &info, &all));
        SLT_EXPECT_EQ(VK_ERROR_OUT_OF_DEVICE_MEMORY, VP_TRY(w, QueryPool, &info, &pool));
        VK_SEND(&w->main, DestroyQueryPool, w->device, all, NULL);
    }
    info.queryCount = UINT32_MAX;
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_DEVICE_MEMORY, VP_TRY(w, QueryPool, &info, &pool));
    SLT_EXPECT_EQ(0u, vk_world_context(w)->queries);
}

/* A pool, with a layout of so many uniform buffers. */
static struct vp_compute room_make(struct vk_world *w, uint32_t count,
                                   VkDescriptorPoolCreateFlags flags)
{
    const VkDescriptorSetLayoutBinding binding = {0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, count,
                                                  COMPUTE, NULL};
    const VkDescriptorSetLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, count};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .flags = flags,
                                             .maxSets = 4,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    return (struct vp_compute){.set_layout = VP_CREATE(w, DescriptorSetLayout, &layout),
                               .pool = VP_CREATE(w, DescriptorPool, &pool)};
}

SLT_TEST_F(hvk_misfit, descriptors_are_no_more_than_a_process_has, w)
{
    VkDescriptorSet set;
    vk_world_device(w);
    const struct vp_compute huge = room_make(w, 1u << 24, 0);
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_POOL_MEMORY, vp_set_make(w, &huge, &set));
    const struct vp_compute small = room_make(w, 8, 0);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_set_make(w, &small, &set));
    SLT_EXPECT_TRUE(!w->main.lost);
}

struct freeing_case {
    const char *label;
    VkDescriptorPoolCreateFlags flags;
    bool frees, resets;
};
static const struct freeing_case freeing_cases[] = {
    {"with_the_set", VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT, true, false},
    {"with_the_reset", VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT, false, true},
    {"with_the_reset_alone", 0, true, true},
    {"with_the_pool", 0, false, false}};

SLT_TEST_FP(hvk_misfit, room_for_descriptors_is_given_back, w, struct freeing_case, freeing_cases,
            c)
{
    VkDescriptorSet sets[2];
    VkResult r;
    vk_world_device(w);
    struct hvk_context *context = vk_world_context(w);
    const struct vp_compute room = room_make(w, 8, c->flags);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &room, &sets[0]));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &room, &sets[1]));
    SLT_EXPECT_LE(16u, context->places);
    if (c->frees) {
        VK_SEND(&w->main, FreeDescriptorSets, w->device, room.pool, 2, sets);
        VK_READ(&w->main, FreeDescriptorSets, w->device, room.pool, 2, sets, &r);
        SLT_EXPECT_EQ(c->resets, context->places != 0);
    }
    if (c->resets) {
        VK_SEND(&w->main, ResetDescriptorPool, w->device, room.pool, 0);
        VK_READ(&w->main, ResetDescriptorPool, w->device, room.pool, 0, &r);
        SLT_EXPECT_EQ(0u, context->places);
    }
    VK_SEND(&w->main, DestroyDescriptorPool, w->device, room.pool, NULL);
    SLT_EXPECT_EQ(0u, context->places);
}

/* --- arrays with nothing in them --- */

static void a_submit_of_no_commands(struct vk_world *w)
{
    vp_submit(w, VK_NULL_HANDLE, VK_NULL_HANDLE);
}

static void a_submit_for_no_semaphore(struct vk_world *w)
{
    const VkSemaphore none[2] = {VK_NULL_HANDLE, VK_NULL_HANDLE};
    const VkPipelineStageFlags stages[2] = {VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT};
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .waitSemaphoreCount = 2,
                         .pWaitSemaphores = none,
                         .pWaitDstStageMask = stages};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, VK_NULL_HANDLE);
    info.waitSemaphoreCount = 0;
    info.signalSemaphoreCount = 2;
    info.pSignalSemaphores = none;
    if (!w->main.lost) {
        VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, VK_NULL_HANDLE);
    }
}

static void a_wait_for_no_fence(struct vk_world *w)
{
    const VkFence none = VK_NULL_HANDLE;
    VK_SEND(&w->main, WaitForFences, w->device, 1, &none, VK_TRUE, 0);
    if (!w->main.lost) {
        VK_SEND(&w->main, ResetFences, w->device, 1, &none);
    }
}

static void a_wait_for_no_timeline(struct vk_world *w)
{
    const VkSemaphore none = VK_NULL_HANDLE;
    const uint64_t value = 1;
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &none,
                                      .pValues = &value};
    VK_SEND(&w->main, WaitSemaphores, w->device, &info, 0);
}

static void a_framebuffer_of_no_view(struct vk_world *w)
{
    const VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
    const VkImageView none = VK_NULL_HANDLE;
    const VkFramebufferCreateInfo info =
        vp_framebuffer_info(vp_pass_make(w, 1, &format, VK_SAMPLE_COUNT_1_BIT), 1, &none, SIDE);
    VkFramebuffer framebuffer;
    (void)VP_TRY(w, Framebuffer, &info, &framebuffer);
}

static void a_layout_of_no_set(struct vk_world *w)
{
    const VkDescriptorSetLayout none = VK_NULL_HANDLE;
    const VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                             .setLayoutCount = 1,
                                             .pSetLayouts = &none};
    VkPipelineLayout layout = VK_NULL_HANDLE;
    (void)VP_TRY(w, PipelineLayout, &info, &layout);
    if (layout != VK_NULL_HANDLE) {
        VkPipeline pipeline = VK_NULL_HANDLE;
        const VkComputePipelineCreateInfo c = {
            .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
            .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                      .stage = COMPUTE,
                      .module = vp_shader(w, vp_double_spv, sizeof vp_double_spv),
                      .pName = "main"},
            .layout = layout};
        VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &c, NULL,
                &pipeline);
    }
}

static void a_merge_of_no_cache(struct vk_world *w)
{
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    const VkPipelineCache none = VK_NULL_HANDLE;
    const VkPipelineCache cache = VP_CREATE(w, PipelineCache, &info);
    VK_SEND(&w->main, MergePipelineCaches, w->device, cache, 1, &none);
}

/* Recorded, and run where the ring still is. */
static void run_of(struct vk_world *w, void (*record)(struct vk_pack *p))
{
    struct vk_pack recorded;
    VkCommandBuffer commands;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_begin(&recorded);
    record(&recorded);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    if (!w->main.lost) {
        (void)vp_run(w, commands);
    }
}

static void execute_none(struct vk_pack *p)
{
    const VkCommandBuffer none = VK_NULL_HANDLE;
    vk_pack_vkCmdExecuteCommands(p, 1, &none);
}

static void no_commands_executed(struct vk_world *w)
{
    run_of(w, execute_none);
}

static void wait_for_none(struct vk_pack *p)
{
    const VkEvent none = VK_NULL_HANDLE;
    vk_pack_vkCmdWaitEvents(p, 1, &none, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, NULL, 0, NULL, 0, NULL);
}

static void no_event_waited_for(struct vk_world *w)
{
    run_of(w, wait_for_none);
}

static void nothing_freed(struct vk_world *w)
{
    const VkCommandBuffer none = VK_NULL_HANDLE;
    const VkCommandPool pool = vp_pool_make(w);
    VK_SEND(&w->main, FreeCommandBuffers, w->device, pool, 1, &none);
    SLT_EXPECT_TRUE(!w->main.lost);
}

static const struct null_case empty_cases[] = {
    ROW(a_submit_of_no_commands),  ROW(a_submit_for_no_semaphore),
    ROW(a_wait_for_no_fence),      ROW(a_wait_for_no_timeline),
    ROW(a_framebuffer_of_no_view), ROW(a_layout_of_no_set),
    ROW(a_merge_of_no_cache),      ROW(no_commands_executed),
    ROW(no_event_waited_for),      ROW(nothing_freed)};

/* Arrays may name nothing here and there: what a driver would follow is not done. */
SLT_TEST_FP(hvk_misfit, arrays_may_name_nothing, w, struct null_case, empty_cases, c)
{
    VkResult r;
    vk_world_device(w);
    c->name(w);
    if (!w->main.lost) {
        VK_SEND(&w->main, DeviceWaitIdle, w->device);
        VK_READ(&w->main, DeviceWaitIdle, w->device, &r);
    }
}
