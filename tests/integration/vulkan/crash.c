/* Ends the process that the native driver is in, as ../crash_program.c does by GLES.
 *
 *   vulkan_crash shared | compiler
 *
 * shared: what a shader shares is indexed far outside of it; natively it dies of SIGSEGV, and so
 * does a host that does not check shaders. compiler: a small shader that becomes gigabytes when it
 * is compiled; natively it dies where memory is limited. Prints "crashing" before. Exit 2: usage;
 * 3: nothing happened; 42: the device was lost; anything else: a call failed. */
#include "tests/integration/vulkan/vx.h"

#include "doubled_comp.h"
#include "far_comp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void failed(VkResult result, const char *what)
{
    if (result == VK_ERROR_DEVICE_LOST) {
        fprintf(stderr, "vulkan_crash: %s: lost\n", what);
        _Exit(42);
    }
}

static VkCommandBuffer record(struct vx *vx, struct vx_code code)
{
    const uint32_t far = 0x10000000;
    struct vx_buffer result = vx_buffer(vx, 16, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    VkDescriptorSetLayout set_layout = vx_set_layout(vx, "s");
    VkDescriptorSet set = vx_set(vx, vx_descriptor_pool(vx, 1), set_layout);
    VkPipelineLayout layout =
        vx_pipeline_layout(vx, set_layout, VK_SHADER_STAGE_COMPUTE_BIT, sizeof far);
    vx_write_buffer(vx, set, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, &result);
    puts("crashing");
    fflush(stdout);
    VkPipeline pipeline = vx_compute_pipeline(vx, code, layout, NULL);
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, NULL);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof far, &far);
    vkCmdDispatch(commands, 4, 1, 1);
    return commands;
}

int main(int argc, char **argv)
{
    struct vx vx;
    const char *way = argc == 2 ? argv[1] : "";
    bool is_shared = strcmp(way, "shared") == 0;
    if (!is_shared && strcmp(way, "compiler") != 0) {
        fprintf(stderr, "usage: vulkan_crash shared | compiler\n");
        return 2;
    }
    vx_on_failure(failed);
    vx_open(&vx, NULL);
    vx_submit(&vx, record(&vx, is_shared ? VX_CODE(far_comp) : VX_CODE(doubled_comp)));
    return 3;
}
