#include "tests/unit/hvk_target.h"

#include <malloc.h>

void target_init(struct vk_world *w)
{
#ifdef M_PERTURB
    (void)mallopt(M_PERTURB, 0x55);
#endif
    vk_world_init(w);
}

const VkImageCreateInfo plain_image = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                       .imageType = VK_IMAGE_TYPE_2D,
                                       .format = VK_FORMAT_R8G8B8A8_UNORM,
                                       .extent = {SIDE, SIDE, 1},
                                       .mipLevels = 2,
                                       .arrayLayers = 3,
                                       .samples = VK_SAMPLE_COUNT_1_BIT,
                                       .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                                VK_IMAGE_USAGE_SAMPLED_BIT};
const VkImageViewCreateInfo plain_view = {
    .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
    .viewType = VK_IMAGE_VIEW_TYPE_2D,
    .format = VK_FORMAT_R8G8B8A8_UNORM,
    .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};

VkResult view_of(struct vk_world *w, const VkImageViewCreateInfo *like, VkImage image,
                 VkImageView *view)
{
    VkImageViewCreateInfo info = *like;
    info.image = image;
    return VP_TRY(w, ImageView, &info, view);
}

VkResult target_framebuffer(struct vk_world *w, struct target *t, uint32_t side, uint32_t layers)
{
    VkFramebufferCreateInfo info = vp_framebuffer_info(t->pass, 1, &t->view, side);
    info.layers = layers;
    return VP_TRY(w, Framebuffer, &info, &t->framebuffer);
}

void target_make(struct vk_world *w, struct target *t)
{
    vk_world_device(w);
    t->image = vp_image_make(w, &plain_image);
    SLT_ASSERT_EQ(VK_SUCCESS, view_of(w, &plain_view, t->image, &t->view));
    t->pass = vp_pass_make(w, 1, &plain_image.format, VK_SAMPLE_COUNT_1_BIT);
    SLT_ASSERT_EQ(VK_SUCCESS, target_framebuffer(w, t, SIDE, 1));
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &t->commands);
}

void target_clear(struct vk_world *w, const struct target *t, VkRenderPass pass)
{
    const VkClearValue value = {.color = {.float32 = {1, 0, 1, 0}}};
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = pass,
                                         .framebuffer = t->framebuffer,
                                         .renderArea = {{0, 0}, {SIDE, SIDE}},
                                         .clearValueCount = 1,
                                         .pClearValues = &value};
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdBeginRenderPass(&recorded, &begin, VK_SUBPASS_CONTENTS_INLINE);
    vk_pack_vkCmdEndRenderPass(&recorded);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, t->commands, &recorded);
    vk_pack_finish(&recorded);
}

struct hvk_device *target_device(struct vk_world *w)
{
    return (struct hvk_device *)(void *)hvk_find(vk_world_context(w), VK_KIND_VkDevice,
                                                 HVK_U64(w->device), NULL);
}
