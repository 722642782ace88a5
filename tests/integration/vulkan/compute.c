/* Compute: storage buffers, push constants, shared memory, atomics, dispatch of several sizes, one
 * whose size lies in a buffer, copies and fills. */
#include "tests/integration/vulkan/vx.h"

#include "compute_comp.h"

#include <stdio.h>

enum { COUNT = 10000 };

struct push {
    uint32_t count, rounds;
};

static void dispatch(struct vx *vx, VkPipeline pipeline, VkPipelineLayout layout,
                     VkDescriptorSet set, struct vx_buffer *result, struct push push)
{
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdFillBuffer(commands, result->buffer, 0, VK_WHOLE_SIZE, 0);
    vx_memory_barrier(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, &push);
    vkCmdDispatch(commands, (push.count + 63) / 64, 1, 1);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    char name[64];
    snprintf(name, sizeof name, "dispatch.%u.%u", push.count, push.rounds);
    vx_show(vx, name, result->map, result->size);
}

static void dispatch_indirect(struct vx *vx, VkPipeline pipeline, VkPipelineLayout layout,
                              VkDescriptorSet set, struct vx_buffer *result)
{
    const struct push push = {640, 3};
    struct vx_buffer size =
        vx_buffer(vx, sizeof(VkDispatchIndirectCommand),
                  VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    const VkDispatchIndirectCommand groups = {10, 1, 1};
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdFillBuffer(commands, result->buffer, 0, VK_WHOLE_SIZE, 0);
    vkCmdUpdateBuffer(commands, size.buffer, 0, sizeof groups, &groups);
    vx_memory_barrier(commands);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, &push);
    vkCmdDispatchIndirect(commands, size.buffer, 0);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    vx_show(vx, "dispatch.indirect", result->map, result->size);
    vx_buffer_free(vx, &size);
}

static void copies(struct vx *vx, struct vx_buffer *source)
{
    struct vx_buffer to = vx_buffer(vx, source->size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    const VkBufferCopy parts[] = {{0, 1024, 4096}, {8192, 0, 1024}, {100, 10000, 300}};
    uint32_t words[64];
    vx_bytes(words, sizeof words, 7);
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdFillBuffer(commands, to.buffer, 16, 512, 0xa5c3f00du);
    vx_memory_barrier(commands);
    vkCmdCopyBuffer(commands, source->buffer, to.buffer, 3, parts);
    vx_memory_barrier(commands);
    vkCmdUpdateBuffer(commands, to.buffer, 2048, sizeof words, words);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    vx_show(vx, "copies", to.map, to.size);
    vx_buffer_free(vx, &to);
}

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct vx_buffer source = vx_buffer(
        &vx, COUNT * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    struct vx_buffer result = vx_buffer(
        &vx, COUNT * 4 + 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    vx_bytes(source.map, source.size, 1);
    VkDescriptorSetLayout set_layout = vx_set_layout(&vx, "ss");
    VkDescriptorPool pool = vx_descriptor_pool(&vx, 1);
    VkDescriptorSet set = vx_set(&vx, pool, set_layout);
    vx_write_buffer(&vx, set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &source);
    vx_write_buffer(&vx, set, 1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &result);
    VkPipelineLayout layout =
        vx_pipeline_layout(&vx, set_layout, VK_SHADER_STAGE_COMPUTE_BIT, sizeof(struct push));
    VkPipeline pipeline = vx_compute_pipeline(&vx, VX_CODE(compute_comp), layout, NULL);

    static const struct push pushes[] = {{1, 0}, {64, 1}, {1000, 5}, {COUNT, 16}};
    for (size_t i = 0; i < sizeof pushes / sizeof pushes[0]; i++) {
        dispatch(&vx, pipeline, layout, set, &result, pushes[i]);
    }
    dispatch_indirect(&vx, pipeline, layout, set, &result);
    copies(&vx, &source);

    vkDestroyPipeline(vx.device, pipeline, NULL);
    vkDestroyPipelineLayout(vx.device, layout, NULL);
    vkDestroyDescriptorPool(vx.device, pool, NULL);
    vkDestroyDescriptorSetLayout(vx.device, set_layout, NULL);
    vx_buffer_free(&vx, &source);
    vx_buffer_free(&vx, &result);
    vx_close(&vx);
    return 0;
}
