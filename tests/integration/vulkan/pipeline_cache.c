/* Pipeline caches: data out and in again, merged, damaged; derived and failing creations. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"
#include "compute_comp.h"

#include <stdlib.h>

static VkPipelineCache make(struct vx *vx, const void *data, size_t size)
{
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                            .initialDataSize = size,
                                            .pInitialData = data};
    VkPipelineCache cache;
    VX(vx, vkCreatePipelineCache(vx->device, &info, NULL, &cache));
    return cache;
}

static void *data_of(struct vx *vx, VkPipelineCache cache, size_t *size)
{
    *size = 0;
    VX(vx, vkGetPipelineCacheData(vx->device, cache, size, NULL));
    void *data = calloc(1, *size + 1);
    vx_need(data != NULL, "memory");
    VX(vx, vkGetPipelineCacheData(vx->device, cache, size, data));
    return data;
}

static void show(struct vx *vx, const char *name, VkPipelineCache cache)
{
    size_t size;
    uint8_t *data = data_of(vx, cache, &size);
    vx_show(vx, name, data, size);
    size_t less = size / 2; /* too little room: INCOMPLETE */
    VX_MAY(vx, vkGetPipelineCacheData(vx->device, cache, &less, data));
    vx_show_text(vx, name, "%zu", less);
    free(data);
}

static void draw(struct vx *vx, const char *name, const struct vx_target *target,
                 VkPipelineLayout layout, VkPipelineCache cache)
{
    const struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = layout,
                                  .pass = target->pass,
                                  .has_vertices = true,
                                  .cache = cache,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    struct vx_buffer vertices =
        vx_buffer(vx, 30 * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    vx_triangles(vertices.map, 10, 47);
    const VkDeviceSize zero = 0;
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &vertices.buffer, &zero);
    vkCmdDraw(commands, 30, 1, 0, 0);
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    vx_show_target(vx, name, target);
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vx_buffer_free(vx, &vertices);
}

/* Several at once, one of which must be found in a cache or fail. */
static void many(struct vx *vx, VkPipelineCache cache)
{
    VkDescriptorSetLayout set_layout = vx_set_layout(vx, "ss");
    VkPipelineLayout layout = vx_pipeline_layout(vx, set_layout, VK_SHADER_STAGE_COMPUTE_BIT, 8);
    VkShaderModule module = vx_shader(vx, VX_CODE(compute_comp));
    VkComputePipelineCreateInfo infos[3];
    for (int i = 0; i < 3; i++) {
        infos[i] = (VkComputePipelineCreateInfo){
            .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
            .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                      .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                      .module = module,
                      .pName = "main"},
            .layout = layout,
            .basePipelineIndex = -1,
        };
    }
    infos[1].flags = VK_PIPELINE_CREATE_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT;
    infos[0].flags = VK_PIPELINE_CREATE_ALLOW_DERIVATIVES_BIT;
    infos[2].flags = VK_PIPELINE_CREATE_DERIVATIVE_BIT;
    infos[2].basePipelineIndex = 0;
    VkPipeline pipelines[3] = {VK_NULL_HANDLE, VK_NULL_HANDLE, VK_NULL_HANDLE};
    VX_MAY(vx, vkCreateComputePipelines(vx->device, cache, 3, infos, NULL, pipelines));
    vx_show_text(vx, "many", "%d%d%d", pipelines[0] != VK_NULL_HANDLE,
                 pipelines[1] != VK_NULL_HANDLE, pipelines[2] != VK_NULL_HANDLE);
    for (int i = 0; i < 3; i++) {
        vkDestroyPipeline(vx->device, pipelines[i], NULL);
    }
    vkDestroyShaderModule(vx->device, module, NULL);
    vkDestroyPipelineLayout(vx->device, layout, NULL);
    vkDestroyDescriptorSetLayout(vx->device, set_layout, NULL);
}

int main(void)
{
    struct vx vx;
    vx_open_instance(&vx);
    VkPhysicalDeviceVulkan13Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
    vx_query(&vx, &features);
    const struct vx_wants wants = {.features = &features};
    vx_open_device(&vx, &wants);
    struct vx_target target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM);
    VkPipelineLayout layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0);
    VkPipelineCache first = make(&vx, NULL, 0);
    show(&vx, "empty", first);
    draw(&vx, "first", &target, layout, first);
    show(&vx, "used", first);
    size_t size;
    uint8_t *data = data_of(&vx, first, &size);
    VkPipelineCache second = make(&vx, data, size);
    if (size > 8) {
        data[size / 2] ^= 0xff; /* of another driver: it starts empty */
    }
    VkPipelineCache damaged = make(&vx, data, size);
    free(data);
    draw(&vx, "second", &target, layout, second);
    draw(&vx, "damaged", &target, layout, damaged);
    const VkPipelineCache both[] = {second, damaged};
    VX(&vx, vkMergePipelineCaches(vx.device, first, 2, both));
    draw(&vx, "merged", &target, layout, first);
    if (features.pipelineCreationCacheControl) {
        many(&vx, first);
    }
    vkDestroyPipelineCache(vx.device, first, NULL);
    vkDestroyPipelineCache(vx.device, second, NULL);
    vkDestroyPipelineCache(vx.device, damaged, NULL);
    vkDestroyPipelineLayout(vx.device, layout, NULL);
    vx_target_free(&vx, &target);
    vx_close(&vx);
    return 0;
}
