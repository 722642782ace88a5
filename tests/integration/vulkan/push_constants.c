/* Push constants: in both stages, in parts, kept across draws and pipelines, up to the limit. */
#include "tests/integration/vulkan/vx.h"

#include "push_frag.h"
#include "push_vert.h"

#include <stdio.h>

struct push {
    float place[4], tint[4];
    uint32_t mode;
    int32_t shift;
};

static const VkShaderStageFlags both = VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT;

static void draw(struct vx *vx, const struct vx_target *target, VkPipeline pipeline,
                 VkPipelineLayout layout, int step)
{
    VkCommandBuffer commands = vx_begin(vx);
    vx_begin_target(commands, target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
    struct push push = {.tint = {1, 0.5f, 0.25f, 1}, .shift = 2};
    vkCmdPushConstants(commands, layout, both, 0, sizeof push, &push);
    for (int i = 0; i < 64; i++) {
        const int row = i / 8;
        float x = (float)(i % 8) / 4 - 1, y = (float)row / 4 - 1;
        const float place[4] = {x, y, x + 0.22f, y + 0.22f};
        vkCmdPushConstants(commands, layout, both, 0, sizeof place, place);
        if (i % step == 0) {
            const uint32_t mode = (uint32_t)(i / step) % 2;
            const float tint[2] = {(float)i / 64, 1 - (float)i / 64};
            vkCmdPushConstants(commands, layout, both, offsetof(struct push, mode), 4, &mode);
            vkCmdPushConstants(commands, layout, both, offsetof(struct push, tint) + 4, 8, tint);
        }
        vkCmdDraw(commands, 4, 1, 0, 0);
    }
    vkCmdEndRenderPass(commands);
    vx_submit(vx, commands);
    char name[32];
    snprintf(name, sizeof name, "every.%d", step);
    vx_show_target(vx, name, target);
}

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct vx_target target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM);
    const uint32_t sizes[] = {sizeof(struct push), vx.properties.limits.maxPushConstantsSize};
    for (int i = 0; i < 2; i++) {
        VkPipelineLayout layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, both, sizes[i]);
        struct vx_pipeline p = {.vertex = VX_CODE(push_vert),
                                .fragment = VX_CODE(push_frag),
                                .layout = layout,
                                .pass = target.pass,
                                .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_STRIP};
        VkPipeline pipeline = vx_graphics_pipeline(&vx, &p);
        draw(&vx, &target, pipeline, layout, 3 + i);
        vkDestroyPipeline(vx.device, pipeline, NULL);
        vkDestroyPipelineLayout(vx.device, layout, NULL);
    }
    vx_target_free(&vx, &target);
    vx_close(&vx);
    return 0;
}
