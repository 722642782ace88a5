/* What the Vulkan test programs share: a device, memory that is read back, shaders, one picture.
 *
 * Plain Vulkan through the loader; knows nothing of Sluice. A program prints a line per result,
 * `name hash results`: the hash of the bytes read back, and one of every VkResult until then. The
 * same program natively and through Sluice must print the same lines (vulkan_test.py). What the
 * driver cannot do is a line `name unsupported: why`. A call that must succeed and does not ends
 * the program with 1 and its name on stderr. */
#ifndef VX_H
#define VX_H

#include <vulkan/vulkan.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VX_SIDE = 64, VX_EXTENSIONS = 16 };

struct vx {
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue; /* the first of `family`, which does everything */
    uint32_t family;
    uint32_t queue_count; /* of the family, as many as were wanted at most */
    uint32_t family_queues;
    VkCommandPool pool;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceFeatures features; /* what there is; all of it is enabled */
    VkPhysicalDeviceMemoryProperties memory;
    uint64_t results; /* hash of every VkResult; main thread */
    uint32_t shown;   /* by vx_show, where VX_KEEP is set; main thread */
};

/* What a program wants of its device. */
struct vx_wants {
    const char *extensions[VX_EXTENSIONS]; /* NULL: the end; those that are missing are left out */
    void *features;  /* pNext of VkDeviceCreateInfo: filled by vx_query before, nullable */
    uint32_t queues; /* at most; 0: one */
};

/* Every VkResult is noted. VX: must be VK_SUCCESS; VX_MAY: gives it. Main thread; other threads use
 * vx_need. */
#define VX(vx, call)     vx_must((vx), (call), #call)
#define VX_MAY(vx, call) vx_note((vx), (call))
void vx_must(struct vx *vx, VkResult result, const char *call);
VkResult vx_note(struct vx *vx, VkResult result);
/* Ends the program when it is not so. Any thread. */
void vx_need(bool ok, const char *what);

/* What is called before the program ends so; VK_ERROR_UNKNOWN: of vx_need. */
void vx_on_failure(void (*failed)(VkResult result, const char *what));

/* An instance of 1.3 and its first physical device; no device yet. */
void vx_open_instance(struct vx *vx);
void vx_open_instance_with(struct vx *vx, const char *const *extensions, uint32_t count);
bool vx_has_extension(struct vx *vx, const char *name);
/* vkGetPhysicalDeviceFeatures2 into a chain. */
void vx_query(struct vx *vx, void *chain);
/* A device on vx_open_instance's physical device. */
void vx_open_device(struct vx *vx, const struct vx_wants *wants);
void vx_close_device(struct vx *vx);
/* Both; wants nullable. */
void vx_open(struct vx *vx, const struct vx_wants *wants);
void vx_close(struct vx *vx);

/* One line of output. */
void vx_show(struct vx *vx, const char *name, const void *data, size_t size);
void vx_show_text(struct vx *vx, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void vx_unsupported(struct vx *vx, const char *name, const char *why);
uint64_t vx_hash(uint64_t hash, const void *data, size_t size); /* FNV-1a; begin with 0 */
/* Pseudo-random bytes, the same always. */
void vx_bytes(void *data, size_t size, uint32_t seed);

/* The first type allowed by `bits` with all of `flags`; ends the program if there is none. */
uint32_t vx_memory_type(struct vx *vx, uint32_t bits, VkMemoryPropertyFlags flags);

struct vx_buffer {
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkDeviceSize size;
    void *map; /* coherent */
};
/* Zeroed. */
struct vx_buffer vx_buffer(struct vx *vx, VkDeviceSize size, VkBufferUsageFlags usage);
void vx_buffer_free(struct vx *vx, struct vx_buffer *buffer);

struct vx_image {
    VkImage image;
    VkDeviceMemory memory;
    VkImageView view; /* all of it */
    VkFormat format;
    VkImageAspectFlags aspect;
    uint32_t width, height, layers;
};
/* A 2D image of VX_SIDE squared: one level, one layer, one sample. */
VkImageCreateInfo vx_image_info(VkFormat format, VkImageUsageFlags usage);
struct vx_image vx_image(struct vx *vx, const VkImageCreateInfo *info, VkImageAspectFlags aspect);
void vx_image_free(struct vx *vx, struct vx_image *image);

VkCommandBuffer vx_begin(struct vx *vx);
/* Ends it, submits it, waits for it and frees it. */
void vx_submit(struct vx *vx, VkCommandBuffer commands);
/* Everything before, then everything after: the image goes from one layout to another. */
void vx_barrier(VkCommandBuffer commands, const struct vx_image *image, VkImageLayout from,
                VkImageLayout to);
/* Everything before, then everything after, for all memory, the host's reads included. */
void vx_memory_barrier(VkCommandBuffer commands);
/* Level 0 from layout `from` (which it keeps), one line; texel: bytes of one. */
void vx_show_image(struct vx *vx, const char *name, const struct vx_image *image,
                   VkImageAspectFlags aspect, VkImageLayout from, uint32_t texel);
/* Bytes into level 0, from any layout to `to`. */
void vx_fill_image(struct vx *vx, const struct vx_image *image, const void *data, size_t size,
                   VkImageLayout to);

/* ---- vx_draw.c ---- */

struct vx_code {
    const uint32_t *words;
    size_t size; /* bytes */
};
/* An array that glslangValidator made of shaders/NAME. */
#define VX_CODE(array) ((struct vx_code){(array), sizeof(array)})
VkShaderModule vx_shader(struct vx *vx, struct vx_code code);

/* Binding 0.. of one set, a letter for each: u uniform buffer, s storage buffer, t sampled image
 * with sampler, i storage image, a input attachment. All stages. */
VkDescriptorSetLayout vx_set_layout(struct vx *vx, const char *letters);
VkDescriptorPool vx_descriptor_pool(struct vx *vx, uint32_t sets);
VkDescriptorSet vx_set(struct vx *vx, VkDescriptorPool pool, VkDescriptorSetLayout layout);
void vx_write_buffer(struct vx *vx, VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                     const struct vx_buffer *buffer);
void vx_write_image(struct vx *vx, VkDescriptorSet set, uint32_t binding, VkDescriptorType type,
                    const struct vx_image *image, VkSampler sampler, VkImageLayout layout);
VkPipelineLayout vx_pipeline_layout(struct vx *vx, VkDescriptorSetLayout set, /* nullable */
                                    VkShaderStageFlags push_stages, uint32_t push_size);
VkSampler vx_sampler(struct vx *vx, VkFilter filter);
/* what: of statistics, else 0. */
VkQueryPool vx_query_pool(struct vx *vx, VkQueryType type, uint32_t count,
                          VkQueryPipelineStatisticFlags what);

VkPipeline vx_compute_pipeline(struct vx *vx, struct vx_code code, VkPipelineLayout layout,
                               const VkSpecializationInfo *constants);

/* A pipeline that draws triangles over the whole of VX_SIDE squared; zeros are the usual. */
struct vx_pipeline {
    struct vx_code vertex, fragment;
    VkPipelineLayout layout;
    VkRenderPass pass; /* VK_NULL_HANDLE: dynamic rendering, `next` says the formats */
    uint32_t subpass;
    const void *next;
    VkSampleCountFlagBits samples; /* 0: one */
    VkBool32 sample_shading;
    const VkPipelineDepthStencilStateCreateInfo *depth_stencil; /* NULL: none */
    const VkSpecializationInfo *constants;                      /* of the fragment stage */
    bool has_vertices;  /* binding 0: vec2 position, vec4 colour (24 bytes) */
    bool has_instances; /* binding 1, per instance: vec2 offset */
    bool blends;
    bool writes_nothing;          /* of colour */
    VkPrimitiveTopology topology; /* 0 is a list of points: give triangles explicitly */
    bool restarts;                /* strips, at an index of all ones */
    VkPipelineCache cache;
    uint32_t colours;       /* attachments; 0: one */
    uint32_t width, height; /* 0: VX_SIDE */
};
VkPipeline vx_graphics_pipeline(struct vx *vx, const struct vx_pipeline *p);

/* A pass of one subpass and its framebuffer of VX_SIDE: attachment 0 is drawn to; 1 is what it
 * resolves to where `second` is the colour layout, else depth and stencil. */
void vx_pass_of_two(struct vx *vx, const VkAttachmentDescription attachments[2],
                    VkImageLayout second, const VkImageView views[2], VkRenderPass *pass,
                    VkFramebuffer *framebuffer);

/* A picture: one colour attachment that is cleared and ends in TRANSFER_SRC_OPTIMAL. */
struct vx_target {
    struct vx_image image;
    VkRenderPass pass;
    VkFramebuffer framebuffer;
};
struct vx_target vx_target(struct vx *vx, VkFormat format);
struct vx_target vx_target_sized(struct vx *vx, VkFormat format, uint32_t width, uint32_t height);
void vx_target_free(struct vx *vx, struct vx_target *target);
void vx_begin_target(VkCommandBuffer commands, const struct vx_target *target,
                     VkSubpassContents contents);
/* One line: what was drawn. */
void vx_show_target(struct vx *vx, const char *name, const struct vx_target *target);

/* Six vertices a quad of has_vertices, from (x0, y0) to (x1, y1) in clip coordinates. */
struct vx_vertex {
    float position[2];
    float colour[4];
};
/* Pseudo-random triangles. */
void vx_triangles(struct vx_vertex *vertices, uint32_t triangles, uint32_t seed);

#endif
