/* What the tests of hostile draws use: a triangle of one colour attachment, by a vertex buffer, a
 * uniform buffer and a sampled image. */
#ifndef HVK_SCENE_H
#define HVK_SCENE_H

#include "tests/unit/hvk_hostile.h"

struct scene {
    struct hostile h; /* its buffer has the vertices, the indices and the uniforms */
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkDescriptorPool pool;
    VkDescriptorSet set;
    VkSampler sampler;
    VkImage target, depth; /* SIDE x SIDE */
    VkImageView view, depth_view;
    VkRenderPass pass, depth_pass; /* of the target; of both */
    VkFramebuffer framebuffer, depth_framebuffer;
    VkShaderModule vertex, fragment;
    VkPipeline pipeline;
    VkCommandBuffer commands, secondary;
};

/* All that a pipeline of the scene's is made of; a test changes it. */
struct scene_pipeline {
    VkPipelineShaderStageCreateInfo stages[2];
    VkVertexInputBindingDescription binding;
    VkVertexInputAttributeDescription attribute;
    VkPipelineVertexInputStateCreateInfo input;
    VkPipelineInputAssemblyStateCreateInfo assembly;
    VkPipelineViewportStateCreateInfo viewport;
    VkPipelineRasterizationStateCreateInfo raster;
    VkPipelineMultisampleStateCreateInfo samples;
    VkPipelineDepthStencilStateCreateInfo depth;
    VkPipelineColorBlendAttachmentState blends[8];
    VkPipelineColorBlendStateCreateInfo blend;
    VkDynamicState states[2];
    VkPipelineDynamicStateCreateInfo dynamic;
    VkPipelineRenderingCreateInfo rendering;
    VkGraphicsPipelineCreateInfo info;
};

/* Fixture: what a device has for drawing is on. */
void scene_init(struct vk_world *w);
void scene_make(struct vk_world *w, struct scene *s);
/* What a stage of the scene is made of: 0 vertices, 1 fragments. size: in bytes. */
const uint32_t *scene_code(uint32_t stage, size_t *size);
void scene_pipeline_fill(const struct scene *s, struct scene_pipeline *p);
VkResult scene_pipeline_make(struct vk_world *w, const struct scene_pipeline *p, VkPipeline *out);
/* Commands that draw: into a command buffer that is being recorded. */
void scene_pass_begin(struct vk_pack *p, const struct scene *s);
void scene_bind(struct vk_pack *p, const struct scene *s, VkPipeline pipeline);
/* Everything but the pipeline. */
void scene_state(struct vk_pack *p, const struct scene *s);
/* The commands end, and are submitted where the ring still is: the work ends, one way or the other.
 * Takes the pack. */
void scene_survives(struct vk_world *w, const struct scene *s, struct vk_pack *recorded);
/* A pass that draws by that pipeline. depth: the one of both attachments. */
void scene_draw(struct vk_world *w, const struct scene *s, VkPipeline pipeline, bool depth);

/* --- one recording a case --- */

struct draw_case {
    const char *label;
    void (*record)(struct vk_pack *p, const struct scene *s);
};
#define DRAW(name) static void name(struct vk_pack *p, const struct scene *s)

/* The scene's pass with its pipeline bound; a triangle; the pass's end. */
void scene_ready(struct vk_pack *p, const struct scene *s);
void scene_triangle(struct vk_pack *p);
void scene_done(struct vk_pack *p);
/* The case's commands are survived, and so is what is drawn afterwards. */
void scene_case(struct vk_world *w, const struct draw_case *c);

#endif
