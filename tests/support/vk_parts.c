#include "tests/support/vk_parts.h"

#include "transport/base/shm.h"

#include <string.h>
#include <unistd.h>

/* data[i] = data[i] * 2 + push; set 0, binding 0: storage buffer. */
const uint32_t vp_double_spv[VP_DOUBLE_WORDS] = {
    0x7230203,  0x10000,    0x8000b,    0x25,    0x0,     0x20011, 0x1,     0x6000b, 0x1,
    0x4c534c47, 0x6474732e, 0x3035342e, 0x0,     0x3000e, 0x0,     0x1,     0x6000f, 0x5,
    0x4,        0x6e69616d, 0x0,        0xf,     0x60010, 0x4,     0x11,    0x1,     0x1,
    0x1,        0x40047,    0x7,        0x6,     0x4,     0x50048, 0x8,     0x0,     0x23,
    0x0,        0x30047,    0x8,        0x3,     0x40047, 0xa,     0x22,    0x0,     0x40047,
    0xa,        0x21,       0x0,        0x40047, 0xf,     0xb,     0x1c,    0x50048, 0x1b,
    0x0,        0x23,       0x0,        0x30047, 0x1b,    0x2,     0x40047, 0x24,    0xb,
    0x19,       0x20013,    0x2,        0x30021, 0x3,     0x2,     0x40015, 0x6,     0x20,
    0x0,        0x3001d,    0x7,        0x6,     0x3001e, 0x8,     0x7,     0x40020, 0x9,
    0x2,        0x8,        0x4003b,    0x9,     0xa,     0x2,     0x40015, 0xb,     0x20,
    0x1,        0x4002b,    0xb,        0xc,     0x0,     0x40017, 0xd,     0x6,     0x3,
    0x40020,    0xe,        0x1,        0xd,     0x4003b, 0xe,     0xf,     0x1,     0x4002b,
    0x6,        0x10,       0x0,        0x40020, 0x11,    0x1,     0x6,     0x40020, 0x16,
    0x2,        0x6,        0x4002b,    0x6,     0x19,    0x2,     0x3001e, 0x1b,    0x6,
    0x40020,    0x1c,       0x9,        0x1b,    0x4003b, 0x1c,    0x1d,    0x9,     0x40020,
    0x1e,       0x9,        0x6,        0x4002b, 0x6,     0x23,    0x1,     0x6002c, 0xd,
    0x24,       0x23,       0x23,       0x23,    0x50036, 0x2,     0x4,     0x0,     0x3,
    0x200f8,    0x5,        0x50041,    0x11,    0x12,    0xf,     0x10,    0x4003d, 0x6,
    0x13,       0x12,       0x60041,    0x16,    0x17,    0xa,     0xc,     0x13,    0x4003d,
    0x6,        0x18,       0x17,       0x50084, 0x6,     0x1a,    0x18,    0x19,    0x50041,
    0x1e,       0x1f,       0x1d,       0xc,     0x4003d, 0x6,     0x20,    0x1f,    0x50080,
    0x6,        0x21,       0x1a,       0x20,    0x3003e, 0x17,    0x21,    0x100fd, 0x10038,
};

/* --- memory and buffers --- */

VkResult vp_allocate(struct vk_world *w, uint64_t size, uint32_t type, uint64_t blob_id,
                     VkDeviceMemory *memory)
{
    const VkCreateBlobGOOGLE blob = {
        .sType = VK_STRUCTURE_TYPE_CREATE_BLOB_GOOGLE, .blobMem = 2, .blobId = blob_id};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = blob_id != 0 ? &blob : NULL,
                                       .allocationSize = size,
                                       .memoryTypeIndex = type};
    VkResult r = VK_SUCCESS;
    *memory = VK_NULL_HANDLE;
    VK_SEND(&w->main, AllocateMemory, w->device, &info, NULL, memory);
    VK_READ(&w->main, AllocateMemory, w->device, &info, NULL, memory, &r);
    return r;
}

/* The guest's side of a blob: its pages. */
void *vp_map_blob(struct vk_world *w, uint64_t blob_id, uint64_t size)
{
    const struct vgd_blob_args args = {.mem = VIRTGPU_BLOB_HOST3D,
                                       .flags = VIRTGPU_BLOB_MAPPABLE,
                                       .size = size,
                                       .blob_id = blob_id};
    struct hct_memory memory = {.fd = -1};
    void *pages = NULL;
    SLT_ASSERT_OK(w->context->ops->blob(w->context, blob_id, &args, &memory));
    SLT_EXPECT_EQ(0u, memory.offset);
    SLT_EXPECT_OK(sl_shm_map(memory.fd, size, &pages));
    close(memory.fd);
    return pages;
}

VkBuffer vp_buffer_make(struct vk_world *w, uint64_t size, VkBufferUsageFlags usage,
                        VkMemoryRequirements *needs)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = size, .usage = usage};
    VkBuffer buffer = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateBufferWithRequirementsGOOGLE, w->device, &info, NULL, &buffer, needs);
    VK_READ(&w->main, CreateBufferWithRequirementsGOOGLE, w->device, &info, NULL, &buffer, needs,
            &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    SLT_ASSERT_LE(size, needs->size);
    return buffer;
}

VkResult vp_bind(struct vk_world *w, VkBuffer buffer, VkDeviceMemory memory, uint64_t offset)
{
    VkResult r;
    VK_SEND(&w->main, BindBufferMemory, w->device, buffer, memory, offset);
    VK_READ(&w->main, BindBufferMemory, w->device, buffer, memory, offset, &r);
    return r;
}

void vp_mapped_make(struct vk_world *w, uint64_t blob_id, struct vp_mapped *m)
{
    VkMemoryRequirements needs;
    VkResult r;
    m->buffer =
        vp_buffer_make(w, 256,
                       VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                           VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
                       &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, blob_id, &m->memory));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, m->buffer, m->memory, 0));
    VK_SEND(&w->main, GetBlobGOOGLE, w->device, m->memory);
    VK_READ(&w->main, GetBlobGOOGLE, w->device, m->memory, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    m->words = vp_map_blob(w, blob_id, 4096);
}

void vp_mapped_free(struct vk_world *w, struct vp_mapped *m)
{
    VkResult r;
    VK_SEND(&w->main, FreeMemorySyncGOOGLE, w->device, m->memory, NULL);
    VK_READ(&w->main, FreeMemorySyncGOOGLE, w->device, m->memory, NULL, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    sl_shm_unmap(m->words, 4096);
}

/* --- images and passes --- */

VkImageCreateInfo vp_image_info(uint32_t side, VkImageUsageFlags usage)
{
    return (VkImageCreateInfo){.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                               .imageType = VK_IMAGE_TYPE_2D,
                               .format = VK_FORMAT_R8G8B8A8_UNORM,
                               .extent = {side, side, 1},
                               .mipLevels = 1,
                               .arrayLayers = 1,
                               .samples = VK_SAMPLE_COUNT_1_BIT,
                               .usage = usage};
}

VkResult vp_image_try(struct vk_world *w, const VkImageCreateInfo *info, VkImage *image,
                      VkMemoryRequirements *needs)
{
    VkResult r = VK_ERROR_UNKNOWN;
    *image = VK_NULL_HANDLE;
    VK_SEND(&w->main, CreateImageWithRequirementsGOOGLE, w->device, info, NULL, image, needs);
    VK_READ(&w->main, CreateImageWithRequirementsGOOGLE, w->device, info, NULL, image, needs, &r);
    return r;
}

VkImage vp_image_make(struct vk_world *w, const VkImageCreateInfo *info)
{
    VkImage image;
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    VkResult r;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_image_try(w, info, &image, &needs));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
    VK_SEND(&w->main, BindImageMemory, w->device, image, memory, 0);
    VK_READ(&w->main, BindImageMemory, w->device, image, memory, 0, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return image;
}

VkImageView vp_view_make(struct vk_world *w, VkImage image, VkFormat format,
                         VkImageAspectFlags aspects)
{
    const VkImageViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
                                        .image = image,
                                        .viewType = VK_IMAGE_VIEW_TYPE_2D,
                                        .format = format,
                                        .subresourceRange = {aspects, 0, 1, 0, 1}};
    return VP_CREATE(w, ImageView, &info);
}

static bool is_depth(VkFormat format)
{
    return format >= VK_FORMAT_D16_UNORM && format <= VK_FORMAT_D32_SFLOAT_S8_UINT;
}

VkRenderPass vp_pass_make(struct vk_world *w, uint32_t count, const VkFormat *formats,
                          VkSampleCountFlagBits samples)
{
    VkAttachmentDescription attachments[8] = {{0}};
    VkAttachmentReference colors[8], depth = {VK_ATTACHMENT_UNUSED, VK_IMAGE_LAYOUT_GENERAL};
    uint32_t color_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        attachments[i] = (VkAttachmentDescription){.format = formats[i],
                                                   .samples = samples,
                                                   .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                                   .finalLayout = VK_IMAGE_LAYOUT_GENERAL};
        if (is_depth(formats[i])) {
            depth.attachment = i;
        } else {
            colors[color_count++] = (VkAttachmentReference){i, VK_IMAGE_LAYOUT_GENERAL};
        }
    }
    const VkSubpassDescription subpass = {.colorAttachmentCount = color_count,
                                          .pColorAttachments = colors,
                                          .pDepthStencilAttachment = &depth};
    const VkRenderPassCreateInfo info = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                         .attachmentCount = count,
                                         .pAttachments = attachments,
                                         .subpassCount = 1,
                                         .pSubpasses = &subpass};
    return VP_CREATE(w, RenderPass, &info);
}

VkFramebufferCreateInfo vp_framebuffer_info(VkRenderPass pass, uint32_t count,
                                            const VkImageView *views, uint32_t side)
{
    return (VkFramebufferCreateInfo){.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                     .renderPass = pass,
                                     .attachmentCount = count,
                                     .pAttachments = views,
                                     .width = side,
                                     .height = side,
                                     .layers = 1};
}

/* --- commands and what waits for them --- */

VkSemaphore vp_semaphore_make(struct vk_world *w, VkSemaphoreType type, uint64_t initial)
{
    const VkSemaphoreTypeCreateInfo of = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                          .semaphoreType = type,
                                          .initialValue = initial};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &of};
    return VP_CREATE(w, Semaphore, &info);
}

VkCommandPool vp_pool_make(struct vk_world *w)
{
    const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    return VP_CREATE(w, CommandPool, &info);
}

void vp_buffers_make(struct vk_world *w, VkCommandPool pool, VkCommandBufferLevel level,
                     uint32_t count, VkCommandBuffer *out)
{
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = pool,
                                              .level = level,
                                              .commandBufferCount = count};
    VkResult r;
    memset(out, 0, count * sizeof *out);
    VK_SEND(&w->main, AllocateCommandBuffers, w->device, &info, out);
    VK_READ(&w->main, AllocateCommandBuffers, w->device, &info, out, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
}

VkFence vp_fence_make(struct vk_world *w)
{
    /* Stock guests chain what they mean to export. */
    const VkExportFenceCreateInfo export = {.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                            .handleTypes =
                                                VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = &export};
    return VP_CREATE(w, Fence, &info);
}

VkResult vp_wait(struct vk_world *w, VkFence fence, uint64_t timeout)
{
    VkResult r;
    VK_SEND(&w->main, WaitForFences, w->device, 1, &fence, VK_TRUE, timeout);
    VK_READ(&w->main, WaitForFences, w->device, 1, &fence, VK_TRUE, timeout, &r);
    return r;
}

VkResult vp_reset(struct vk_world *w, VkFence fence)
{
    VkResult r = VK_ERROR_UNKNOWN;
    VK_SEND(&w->main, ResetFences, w->device, 1, &fence);
    VK_READ(&w->main, ResetFences, w->device, 1, &fence, &r);
    return r;
}

void vp_flush(struct vk_world *w, VkCommandBuffer buffer, const struct vk_pack *recorded)
{
    VK_SEND(&w->main, QueueFlushCommandsGOOGLE, w->queue, buffer, vk_pack_size(recorded),
            recorded->data);
}

void vp_submit(struct vk_world *w, VkCommandBuffer buffer, VkFence fence)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &buffer};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, fence);
    SLT_ASSERT_TRUE(!w->main.lost);
    SLT_EXPECT_EQ(0u, w->main.reply_size);
}

void vp_submit_blocked(struct vk_world *w, VkSemaphore timeline, VkCommandBuffer buffer,
                       VkFence fence)
{
    const uint64_t one = 1;
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = 1,
        .pWaitSemaphoreValues = &one};
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .pNext = &values,
                               .waitSemaphoreCount = 1,
                               .pWaitSemaphores = &timeline,
                               .pWaitDstStageMask = &stage,
                               .commandBufferCount = buffer != VK_NULL_HANDLE,
                               .pCommandBuffers = &buffer};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, fence);
    SLT_ASSERT_TRUE(!w->main.lost);
}

VkResult vp_run(struct vk_world *w, VkCommandBuffer buffer)
{
    VkFence fence = vp_fence_make(w);
    vp_submit(w, buffer, fence);
    return vp_wait(w, fence, UINT64_MAX);
}

void vp_begin(struct vk_pack *pack)
{
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    vk_pack_init(pack, 1u << 20, false);
    vk_pack_vkBeginCommandBufferAsyncGOOGLE(pack, &info);
}

/* Fill a buffer's first 256 bytes; the fence signals. */
void vp_fill(struct vk_world *w, VkCommandBuffer command_buffer, VkBuffer buffer, uint32_t value,
             VkFence fence)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, buffer, 0, 256, value);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, command_buffer, &recorded);
    vk_pack_finish(&recorded);
    vp_submit(w, command_buffer, fence);
}

/* --- descriptors and pipelines --- */

VkShaderModule vp_shader(struct vk_world *w, const uint32_t *code, size_t size)
{
    const VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = code};
    return VP_CREATE(w, ShaderModule, &info);
}

VkPipeline vp_compute_pipeline(struct vk_world *w, VkPipelineLayout layout, const uint32_t *code,
                               size_t size)
{
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkResult r;
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = vp_shader(w, code, size),
                  .pName = "main"},
        .layout = layout};
    VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
    VK_READ(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline,
            &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    return pipeline;
}

void vp_compute_make(struct vk_world *w, uint32_t max_sets, struct vp_compute *c)
{
    const VkDescriptorSetLayoutBinding binding = {.descriptorType =
                                                      VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                                  .descriptorCount = 1,
                                                  .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    const VkDescriptorSetLayoutCreateInfo set_layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    VkResult r;
    *c = (struct vp_compute){0};
    VK_SEND(&w->main, CreateDescriptorSetLayout, w->device, &set_layout, NULL, &c->set_layout);
    VK_READ(&w->main, CreateDescriptorSetLayout, w->device, &set_layout, NULL, &c->set_layout, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = 4};
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &c->set_layout,
                                               .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &push};
    VK_SEND(&w->main, CreatePipelineLayout, w->device, &layout, NULL, &c->layout);
    VK_READ(&w->main, CreatePipelineLayout, w->device, &layout, NULL, &c->layout, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    c->pipeline = vp_compute_pipeline(w, c->layout, vp_double_spv, sizeof vp_double_spv);
    const VkDescriptorPoolSize size = {.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                       .descriptorCount = max_sets};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .flags =
                                                 VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
                                             .maxSets = max_sets,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    VK_SEND(&w->main, CreateDescriptorPool, w->device, &pool, NULL, &c->pool);
    VK_READ(&w->main, CreateDescriptorPool, w->device, &pool, NULL, &c->pool, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
}

VkResult vp_set_make(struct vk_world *w, const struct vp_compute *c, VkDescriptorSet *set)
{
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = c->pool,
                                              .descriptorSetCount = 1,
                                              .pSetLayouts = &c->set_layout};
    VkResult r;
    *set = VK_NULL_HANDLE;
    VK_SEND(&w->main, AllocateDescriptorSets, w->device, &info, set);
    VK_READ(&w->main, AllocateDescriptorSets, w->device, &info, set, &r);
    return r;
}

void vp_set_write(struct vk_world *w, VkDescriptorSet set, VkBuffer buffer)
{
    const VkDescriptorBufferInfo info = {.buffer = buffer, .range = VK_WHOLE_SIZE};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = set,
                                        .descriptorCount = 1,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = &info};
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
}

VkDescriptorUpdateTemplate vp_template_make(struct vk_world *w, VkDescriptorSetLayout layout,
                                            uint32_t binding)
{
    const VkDescriptorUpdateTemplateEntry entry = {
        .dstBinding = binding,
        .descriptorCount = 1,
        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .offset = 12345, /* of the application's data: nothing to the host */
        .stride = 24};
    const VkDescriptorUpdateTemplateCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
        .descriptorUpdateEntryCount = 1,
        .pDescriptorUpdateEntries = &entry,
        .descriptorSetLayout = layout};
    return VP_CREATE(w, DescriptorUpdateTemplate, &info);
}

void vp_dispatch_record(struct vk_world *w, const struct vp_compute *c, VkDescriptorSet set,
                        uint32_t add, VkCommandBuffer buffer)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdBindPipeline(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, c->pipeline);
    vk_pack_vkCmdBindDescriptorSets(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, c->layout, 0, 1,
                                    &set, 0, NULL);
    vk_pack_vkCmdPushConstants(&recorded, c->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &add);
    vk_pack_vkCmdDispatch(&recorded, 64, 1, 1);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, buffer, &recorded);
    vk_pack_finish(&recorded);
}

void vp_dispatch(struct vk_world *w, const struct vp_compute *c, VkDescriptorSet set, uint32_t add)
{
    VkCommandBuffer cb;
    VkFence fence = vp_fence_make(w);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &cb);
    vp_dispatch_record(w, c, set, add, cb);
    if (!w->main.lost) {
        vp_submit(w, cb, fence);
        SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    }
}

void vp_expect_words(const struct vp_mapped *m, uint32_t want)
{
    for (uint32_t i = 0; i < 64; i++) {
        SLT_ASSERT_EQ(want, m->words[i]);
    }
}

void vp_set_words(struct vp_mapped *m, uint32_t value)
{
    for (uint32_t i = 0; i < 64; i++) {
        m->words[i] = value;
    }
}
