/* Specialization constants: of every kind, some left out, in fragment and compute shaders, also as
 * the size of a work group. */
#include "tests/integration/vulkan/vx.h"

#include "constants_comp.h"
#include "constants_frag.h"
#include "quad_vert.h"

#include <stdio.h>

struct constants {
    VkBool32 swapped;
    int32_t steps;
    float gain;
    uint32_t mask;
};

static const VkSpecializationMapEntry entries[] = {
    {0, offsetof(struct constants, swapped), 4},
    {1, offsetof(struct constants, steps), 4},
    {2, offsetof(struct constants, gain), 4},
    {7, offsetof(struct constants, mask), 4},
    {99, 0, 4}, /* no such constant: ignored */
};

static void draw(struct vx *vx, const struct vx_target *target, VkPipelineLayout layout,
                 uint32_t count)
{
    static const struct constants values = {VK_TRUE, 5, 1.75f, 0xf8};
    const VkSpecializationInfo constants = {count, entries, sizeof values, &values};
    const struct vx_pipeline p = {.vertex = VX_CODE(quad_vert),
                                  .fragment = VX_CODE(constants_frag),
                                  .layout = layout,
                                  .pass = target->pass,
                                  .constants = count > 0 ? &constants : NULL,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdDraw(commands, 3, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    char name[32];
    snprintf(name, sizeof name, "constants.%u", count);
    vx_show_target(vx, name, target);
}

static void compute(struct vx *vx, uint32_t width, uint32_t height)
{
    const uint32_t values[3] = {width, height, 2654435761u};
    static const VkSpecializationMapEntry three[] = {{0, 0, 4}, {1, 4, 4}, {2, 8, 4}};
    const VkSpecializationInfo constants = {3, three, sizeof values, values};
    struct vx_buffer result =
        vx_buffer(vx, VX_SIDE * VX_SIDE * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    VkDescriptorSetLayout set_layout = vx_set_layout(vx, "s");
    VkDescriptorPool pool = vx_descriptor_pool(vx, 1);
    VkDescriptorSet set = vx_set(vx, pool, set_layout);
    vx_write_buffer(vx, set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &result);
    VkPipelineLayout layout = vx_pipeline_layout(vx, set_layout, 0, 0);
    VkPipeline pipeline = vx_compute_pipeline(vx, VX_CODE(constants_comp), layout, &constants);
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    vkCmdDispatch(commands, VX_SIDE / width, VX_SIDE / height, 1);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    char name[32];
    snprintf(name, sizeof name, "group.%ux%u", width, height);
    vx_show(vx, name, result.map, result.size);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vkDestroyPipelineLayout(vx->device, layout, NULL);
    vkDestroyDescriptorPool(vx->device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx->device, set_layout, NULL);
    vx_buffer_free(vx, &result);
}

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct vx_target target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM);
    VkPipelineLayout layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0);
    for (uint32_t count = 0; count <= 5; count++) {
        draw(&vx, &target, layout, count);
    }
    compute(&vx, 8, 8);
    compute(&vx, 64, 2);
    compute(&vx, 1, 32);
    vkDestroyPipelineLayout(vx.device, layout, NULL);
    vx_target_free(&vx, &target);
    vx_close(&vx);
    return 0;
}
