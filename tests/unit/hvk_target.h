/* What tests of orphans and of misfits draw on: an image of some levels and layers, which a pass
 * clears. */
#ifndef HVK_TARGET_H
#define HVK_TARGET_H

#include "tests/unit/hvk_hostile.h"

#include "host/vulkan/hvk_family.h"

extern const VkImageCreateInfo plain_image;
extern const VkImageViewCreateInfo plain_view; /* of no image yet */

struct target {
    VkImage image;
    VkImageView view;
    VkRenderPass pass;
    VkFramebuffer framebuffer;
    VkCommandBuffer commands;
};

/* Fixture: the driver's freed memory is filled, so that whoever still looks into it shows. */
void target_init(struct vk_world *w);
void target_make(struct vk_world *w, struct target *t);
VkResult target_framebuffer(struct vk_world *w, struct target *t, uint32_t side, uint32_t layers);
/* A pass that clears; ended and flushed. */
void target_clear(struct vk_world *w, const struct target *t, VkRenderPass pass);
/* A view like that one. */
VkResult view_of(struct vk_world *w, const VkImageViewCreateInfo *like, VkImage image,
                 VkImageView *view);
struct hvk_device *target_device(struct vk_world *w);

#endif
