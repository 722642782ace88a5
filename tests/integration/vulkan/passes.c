/* Passes of 4 MiB each, PASSES of them in a command buffer, which is recorded anew for each of
 * SUBMITS submits: what a replay copies of all that are recorded is bounded (shots_test.py). */
#include "tests/integration/vulkan/vx.h"

enum { SIDE = 1024, PASSES = 8, SUBMITS = 3 };

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct vx_target target = vx_target_sized(&vx, VK_FORMAT_R8G8B8A8_UNORM, SIDE, SIDE);
    for (int i = 0; i < SUBMITS; i++) {
        VkCommandBuffer commands = vx_begin(&vx);
        for (int k = 0; k < PASSES; k++) {
            vx_begin_target(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
            vkCmdEndRenderPass(commands);
        }
        vx_submit(&vx, commands);
    }
    vx_show_target(&vx, "last", &target);
    vx_target_free(&vx, &target);
    vx_close(&vx);
    return 0;
}
