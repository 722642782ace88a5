/* What tests of the host's Vulkan are built of: memory, images, passes, command buffers, fences,
 * a compute pipeline; made with the packets of a stock guest on a world's main ring. Everything
 * asserts. */
#ifndef VK_PARTS_H
#define VK_PARTS_H

#include "tests/support/vk_world.h"

/* data[i] = data[i] * 2 + push; set 0, binding 0: storage buffer. */
#define VP_DOUBLE_WORDS 198u
extern const uint32_t vp_double_spv[VP_DOUBLE_WORDS];

/* VkCreate##Name of the world's device; vp_create: the object, which there is. */
#define VP_TRY(w_, Name, info_, out_)                                                              \
    ({                                                                                             \
        VkResult result_ = VK_ERROR_UNKNOWN;                                                       \
        *(out_) = VK_NULL_HANDLE;                                                                  \
        VK_SEND(&(w_)->main, Create##Name, (w_)->device, info_, NULL, out_);                       \
        VK_READ(&(w_)->main, Create##Name, (w_)->device, info_, NULL, out_, &result_);             \
        result_;                                                                                   \
    })
#define VP_CREATE(w_, Name, info_)                                                                 \
    ({                                                                                             \
        Vk##Name made_;                                                                            \
        SLT_ASSERT_EQ(VK_SUCCESS, VP_TRY(w_, Name, info_, &made_));                                \
        made_;                                                                                     \
    })

/* A storage buffer of 64 words in memory that is mapped here. */
struct vp_mapped {
    VkBuffer buffer;
    VkDeviceMemory memory;
    uint32_t *words;
};

struct vp_compute {
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    VkDescriptorPool pool;
};

VkResult vp_allocate(struct vk_world *w, uint64_t size, uint32_t type, uint64_t blob_id,
                     VkDeviceMemory *memory);
void *vp_map_blob(struct vk_world *w, uint64_t blob_id, uint64_t size);
VkBuffer vp_buffer_make(struct vk_world *w, uint64_t size, VkBufferUsageFlags usage,
                        VkMemoryRequirements *needs);
VkResult vp_bind(struct vk_world *w, VkBuffer buffer, VkDeviceMemory memory, uint64_t offset);
void vp_mapped_make(struct vk_world *w, uint64_t blob_id, struct vp_mapped *m);
void vp_mapped_free(struct vk_world *w, struct vp_mapped *m);
/* Of one level and layer, in RGBA8: 2D. */
VkImageCreateInfo vp_image_info(uint32_t side, VkImageUsageFlags usage);
VkResult vp_image_try(struct vk_world *w, const VkImageCreateInfo *info, VkImage *image,
                      VkMemoryRequirements *needs);
/* In memory of its own. */
VkImage vp_image_make(struct vk_world *w, const VkImageCreateInfo *info);
/* Of its first level and layer. */
VkImageView vp_view_make(struct vk_world *w, VkImage image, VkFormat format,
                         VkImageAspectFlags aspects);
/* One subpass, which has them all; they are cleared. */
VkRenderPass vp_pass_make(struct vk_world *w, uint32_t count, const VkFormat *formats,
                          VkSampleCountFlagBits samples);
VkFramebufferCreateInfo vp_framebuffer_info(VkRenderPass pass, uint32_t count,
                                            const VkImageView *views, uint32_t side);
VkSemaphore vp_semaphore_make(struct vk_world *w, VkSemaphoreType type, uint64_t initial);
VkCommandPool vp_pool_make(struct vk_world *w);
void vp_buffers_make(struct vk_world *w, VkCommandPool pool, VkCommandBufferLevel level,
                     uint32_t count, VkCommandBuffer *out);
VkFence vp_fence_make(struct vk_world *w);
VkResult vp_wait(struct vk_world *w, VkFence fence, uint64_t timeout);
VkResult vp_reset(struct vk_world *w, VkFence fence);
void vp_flush(struct vk_world *w, VkCommandBuffer buffer, const struct vk_pack *recorded);
void vp_submit(struct vk_world *w, VkCommandBuffer buffer, VkFence fence);
/* One that waits for the timeline's 1; buffer: may be none. */
void vp_submit_blocked(struct vk_world *w, VkSemaphore timeline, VkCommandBuffer buffer,
                       VkFence fence);
/* Submitted and waited for. */
VkResult vp_run(struct vk_world *w, VkCommandBuffer buffer);
void vp_begin(struct vk_pack *pack);
void vp_fill(struct vk_world *w, VkCommandBuffer command_buffer, VkBuffer buffer, uint32_t value,
             VkFence fence);
void vp_compute_make(struct vk_world *w, uint32_t max_sets, struct vp_compute *c);
VkResult vp_set_make(struct vk_world *w, const struct vp_compute *c, VkDescriptorSet *set);
void vp_set_write(struct vk_world *w, VkDescriptorSet set, VkBuffer buffer); /* all of it */
/* One entry: the first descriptor of a binding of storage buffers. */
VkDescriptorUpdateTemplate vp_template_make(struct vk_world *w, VkDescriptorSetLayout layout,
                                            uint32_t binding);
VkShaderModule vp_shader(struct vk_world *w, const uint32_t *code, size_t size); /* in bytes */
/* A pipeline like vp_compute's, of other code. size: in bytes. */
VkPipeline vp_compute_pipeline(struct vk_world *w, VkPipelineLayout layout, const uint32_t *code,
                               size_t size);
/* data[i] = data[i] * 2 + add, of 64 words. Recorded, to be submitted any number of times; or
 * recorded, submitted and waited for. */
void vp_dispatch_record(struct vk_world *w, const struct vp_compute *c, VkDescriptorSet set,
                        uint32_t add, VkCommandBuffer buffer);
void vp_dispatch(struct vk_world *w, const struct vp_compute *c, VkDescriptorSet set, uint32_t add);
void vp_expect_words(const struct vp_mapped *m, uint32_t want);
void vp_set_words(struct vp_mapped *m, uint32_t value);

#endif
