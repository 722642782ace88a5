/* What tests of the host's Vulkan are built of: memory, command buffers, fences, a compute
 * pipeline; made with the packets of a stock guest on a world's main ring. Everything asserts. */
#ifndef VK_PARTS_H
#define VK_PARTS_H

#include "tests/support/vk_world.h"

/* data[i] = data[i] * 2 + push; set 0, binding 0: storage buffer. */
#define VP_DOUBLE_WORDS 198u
extern const uint32_t vp_double_spv[VP_DOUBLE_WORDS];

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
VkCommandPool vp_pool_make(struct vk_world *w);
void vp_buffers_make(struct vk_world *w, VkCommandPool pool, VkCommandBufferLevel level,
                     uint32_t count, VkCommandBuffer *out);
VkFence vp_fence_make(struct vk_world *w);
VkResult vp_wait(struct vk_world *w, VkFence fence, uint64_t timeout);
void vp_flush(struct vk_world *w, VkCommandBuffer buffer, const struct vk_pack *recorded);
void vp_submit(struct vk_world *w, VkCommandBuffer buffer, VkFence fence);
void vp_begin(struct vk_pack *pack);
void vp_fill(struct vk_world *w, VkCommandBuffer command_buffer, VkBuffer buffer, uint32_t value,
             VkFence fence);
void vp_compute_make(struct vk_world *w, uint32_t max_sets, struct vp_compute *c);
VkResult vp_set_make(struct vk_world *w, const struct vp_compute *c, VkDescriptorSet *set);
void vp_set_write(struct vk_world *w, VkDescriptorSet set, VkBuffer buffer);     /* all of it */
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
