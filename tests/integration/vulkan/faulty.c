/* A program with one fault that no driver minds, for who validates what became of it: it copies out
 * of a buffer that was not made for that. Its images keep what they lie in, of which a host that
 * imports memory cannot tell the layer (programs_test.py), and are bound in both ways that there
 * are. */
#include "tests/integration/vulkan/vx.h"

static VkImage preinitialized(struct vx *vx, VkDeviceMemory *memory)
{
    VkImageCreateInfo info =
        vx_image_info(VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_USAGE_TRANSFER_SRC_BIT);
    info.tiling = VK_IMAGE_TILING_LINEAR;
    info.initialLayout = VK_IMAGE_LAYOUT_PREINITIALIZED;
    VkImage image;
    VkMemoryRequirements needs;
    VX(vx, vkCreateImage(vx->device, &info, NULL, &image));
    vkGetImageMemoryRequirements(vx->device, image, &needs);
    const VkMemoryAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = needs.size,
        .memoryTypeIndex =
            vx_memory_type(vx, needs.memoryTypeBits, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)};
    VX(vx, vkAllocateMemory(vx->device, &allocate, NULL, memory));
    return image;
}

int main(void)
{
    struct vx vx;
    VkDeviceMemory memories[2];
    VkImage images[2];
    vx_open(&vx, NULL);
    for (int i = 0; i < 2; i++) {
        images[i] = preinitialized(&vx, &memories[i]);
    }
    VX(&vx, vkBindImageMemory(vx.device, images[0], memories[0], 0));
    const VkBindImageMemoryInfo bind = {.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
                                        .image = images[1],
                                        .memory = memories[1]};
    VX(&vx, vkBindImageMemory2(vx.device, 1, &bind));

    struct vx_buffer from = vx_buffer(&vx, 64, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    struct vx_buffer to = vx_buffer(&vx, 64, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    vx_bytes(from.map, 64, 1);
    VkCommandBuffer commands = vx_begin(&vx);
    vkCmdCopyBuffer(commands, from.buffer, to.buffer, 1, &(VkBufferCopy){.size = 64});
    vx_memory_barrier(commands);
    vx_submit(&vx, commands);
    vx_show(&vx, "copied", to.map, 64);

    vx_buffer_free(&vx, &from);
    vx_buffer_free(&vx, &to);
    for (int i = 0; i < 2; i++) {
        vkDestroyImage(vx.device, images[i], NULL);
        vkFreeMemory(vx.device, memories[i], NULL);
    }
    vx_close(&vx);
    return 0;
}
