/* A hostile guest copies between what does not fit: aspects, texels, samples, dimensions, and
 * descriptors past their buffers' ends (attack cases C07, C12). The host goes on. */
#include "tests/unit/hvk_scene.h"

SLT_FIXTURE(hvk_transfers, struct vk_world, vk_world_init, vk_world_finish);

#define GENERAL VK_IMAGE_LAYOUT_GENERAL
#define COLOR   VK_IMAGE_ASPECT_COLOR_BIT
#define DEPTH   VK_IMAGE_ASPECT_DEPTH_BIT
#define STENCIL VK_IMAGE_ASPECT_STENCIL_BIT

struct images {
    struct scene s;
    VkImage wide;    /* SIDE x SIDE, 16 bytes each */
    VkImage narrow;  /* one byte each */
    VkImage blocks;  /* BC1 */
    VkImage samples; /* 4, of 4 bytes */
    VkImage volume;  /* SIDE x SIDE x 4 */
    VkImage line;
    VkImage layered; /* 3 layers */
    VkImage both;    /* depth and stencil */
};

static VkImage image_of(struct vk_world *w, VkImageType type, VkFormat format, VkExtent3D extent,
                        uint32_t layers, VkSampleCountFlagBits samples)
{
    const bool depth = format >= VK_FORMAT_D16_UNORM && format <= VK_FORMAT_D32_SFLOAT_S8_UINT;
    const VkImageCreateInfo info = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                    .imageType = type,
                                    .format = format,
                                    .extent = extent,
                                    .mipLevels = 1,
                                    .arrayLayers = layers,
                                    .samples = samples,
                                    .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                             VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                                             (depth ? VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT
                                                    : VK_IMAGE_USAGE_SAMPLED_BIT)};
    return vp_image_make(w, &info);
}

static void images_make(struct vk_world *w, struct images *i)
{
    const VkExtent3D flat = {SIDE, SIDE, 1}, deep = {SIDE, SIDE, 4}, thin = {SIDE, 1, 1};
    const VkSampleCountFlagBits one = VK_SAMPLE_COUNT_1_BIT;
    scene_make(w, &i->s);
    i->wide = image_of(w, VK_IMAGE_TYPE_2D, VK_FORMAT_R32G32B32A32_SFLOAT, flat, 1, one);
    i->narrow = image_of(w, VK_IMAGE_TYPE_2D, VK_FORMAT_R8_UNORM, flat, 1, one);
    i->blocks = image_of(w, VK_IMAGE_TYPE_2D, VK_FORMAT_BC1_RGB_UNORM_BLOCK, flat, 1, one);
    i->samples =
        image_of(w, VK_IMAGE_TYPE_2D, VK_FORMAT_R8G8B8A8_UNORM, flat, 1, VK_SAMPLE_COUNT_4_BIT);
    i->volume = image_of(w, VK_IMAGE_TYPE_3D, VK_FORMAT_R8G8B8A8_UNORM, deep, 1, one);
    i->line = image_of(w, VK_IMAGE_TYPE_1D, VK_FORMAT_R8G8B8A8_UNORM, thin, 1, one);
    i->layered = image_of(w, VK_IMAGE_TYPE_2D, VK_FORMAT_R8G8B8A8_UNORM, flat, 3, one);
    i->both = image_of(w, VK_IMAGE_TYPE_2D, VK_FORMAT_D32_SFLOAT_S8_UINT, flat, 1, one);
}

struct transfer_case {
    const char *label;
    void (*record)(struct vk_pack *p, const struct images *i);
    bool ends; /* what drivers may survive, by chance */
};
#define MOVE(name) static void name(struct vk_pack *p, const struct images *i)

static VkImageSubresourceLayers layers(VkImageAspectFlags aspects, uint32_t first, uint32_t count)
{
    return (VkImageSubresourceLayers){aspects, 0, first, count};
}
static void copy(struct vk_pack *p, VkImage from, VkImageAspectFlags from_aspects, VkImage to,
                 VkImageAspectFlags to_aspects)
{
    const VkImageCopy c = {.srcSubresource = layers(from_aspects, 0, 1),
                           .dstSubresource = layers(to_aspects, 0, 1),
                           .extent = {SIDE, SIDE, 1}};
    vk_pack_vkCmdCopyImage(p, from, GENERAL, to, GENERAL, 1, &c);
}

MOVE(narrow_texels_from_wide_ones)
{
    copy(p, i->narrow, COLOR, i->wide, COLOR);
}
MOVE(wide_texels_from_narrow_ones)
{
    copy(p, i->wide, COLOR, i->narrow, COLOR);
}
MOVE(blocks_from_texels)
{
    copy(p, i->s.target, COLOR, i->blocks, COLOR);
    copy(p, i->blocks, COLOR, i->s.target, COLOR);
    copy(p, i->blocks, COLOR, i->wide, COLOR);
    copy(p, i->wide, COLOR, i->blocks, COLOR);
}
MOVE(blocks_by_parts)
{
    const VkImageCopy c = {.srcSubresource = layers(COLOR, 0, 1),
                           .srcOffset = {1, 1, 0},
                           .dstSubresource = layers(COLOR, 0, 1),
                           .dstOffset = {3, 2, 0},
                           .extent = {5, 5, 1}};
    vk_pack_vkCmdCopyImage(p, i->blocks, GENERAL, i->blocks, GENERAL, 1, &c);
}
MOVE(samples_into_one)
{
    copy(p, i->samples, COLOR, i->s.target, COLOR);
    copy(p, i->s.target, COLOR, i->samples, COLOR);
}
MOVE(colour_of_depth)
{
    copy(p, i->s.depth, COLOR, i->s.target, COLOR);
    copy(p, i->s.target, COLOR, i->s.depth, COLOR);
    copy(p, i->s.target, DEPTH, i->s.depth, DEPTH);
    copy(p, i->s.depth, DEPTH, i->s.target, COLOR);
}
MOVE(stencil_of_depth)
{
    copy(p, i->s.depth, STENCIL, i->both, STENCIL);
    copy(p, i->both, STENCIL, i->s.depth, DEPTH);
    copy(p, i->both, DEPTH | STENCIL, i->both, DEPTH | STENCIL);
}
MOVE(no_aspects)
{
    copy(p, i->s.target, 0, i->s.target, 0);
    copy(p, i->s.target, 0xffffffff, i->s.target, 0xffffffff);
    copy(p, i->s.target, VK_IMAGE_ASPECT_PLANE_2_BIT, i->s.target, VK_IMAGE_ASPECT_PLANE_2_BIT);
}
MOVE(a_volume_from_layers)
{
    const VkImageCopy c = {.srcSubresource = layers(COLOR, 0, 3),
                           .dstSubresource = layers(COLOR, 0, 1),
                           .extent = {SIDE, SIDE, 3}};
    const VkImageCopy back = {.srcSubresource = layers(COLOR, 0, 1),
                              .dstSubresource = layers(COLOR, 0, 3),
                              .extent = {SIDE, SIDE, 3}};
    vk_pack_vkCmdCopyImage(p, i->layered, GENERAL, i->volume, GENERAL, 1, &c);
    vk_pack_vkCmdCopyImage(p, i->volume, GENERAL, i->layered, GENERAL, 1, &back);
}
MOVE(more_layers_than_slices)
{
    const VkImageCopy c = {.srcSubresource = layers(COLOR, 0, 3),
                           .dstSubresource = layers(COLOR, 0, 1),
                           .dstOffset = {0, 0, 3},
                           .extent = {SIDE, SIDE, 1}};
    vk_pack_vkCmdCopyImage(p, i->layered, GENERAL, i->volume, GENERAL, 1, &c);
}
MOVE(layers_of_different_counts)
{
    const VkImageCopy c = {.srcSubresource = layers(COLOR, 0, 3),
                           .dstSubresource = layers(COLOR, 0, 1),
                           .extent = {SIDE, SIDE, 1}};
    const VkImageCopy other = {.srcSubresource = layers(COLOR, 0, 1),
                               .dstSubresource = layers(COLOR, 2, 1),
                               .extent = {SIDE, SIDE, 3}};
    vk_pack_vkCmdCopyImage(p, i->layered, GENERAL, i->s.target, GENERAL, 1, &c);
    vk_pack_vkCmdCopyImage(p, i->volume, GENERAL, i->layered, GENERAL, 1, &other);
}
MOVE(remaining_layers)
{
    const VkImageCopy c = {.srcSubresource = layers(COLOR, 1, VK_REMAINING_ARRAY_LAYERS),
                           .dstSubresource = layers(COLOR, 0, VK_REMAINING_ARRAY_LAYERS),
                           .extent = {SIDE, SIDE, 1}};
    vk_pack_vkCmdCopyImage(p, i->layered, GENERAL, i->layered, GENERAL, 1, &c);
}
MOVE(a_line_as_a_plane)
{
    copy(p, i->line, COLOR, i->s.target, COLOR);
    copy(p, i->s.target, COLOR, i->line, COLOR);
}
MOVE(nothing_at_all)
{
    const VkImageCopy c = {.srcSubresource = layers(COLOR, 0, 0),
                           .dstSubresource = layers(COLOR, 0, 0)};
    vk_pack_vkCmdCopyImage(p, i->s.target, GENERAL, i->s.target, GENERAL, 1, &c);
}

static void to_buffer(struct vk_pack *p, const struct images *i, VkImage image,
                      VkImageAspectFlags aspects, uint32_t width, uint32_t height, uint32_t row)
{
    const VkBufferImageCopy c = {.bufferRowLength = row,
                                 .imageSubresource = layers(aspects, 0, 1),
                                 .imageExtent = {width, height, 1}};
    vk_pack_vkCmdCopyImageToBuffer(p, image, GENERAL, i->s.h.m.buffer, 1, &c);
    vk_pack_vkCmdCopyBufferToImage(p, i->s.h.m.buffer, image, GENERAL, 1, &c);
}
MOVE(samples_of_a_buffer)
{
    to_buffer(p, i, i->samples, COLOR, 4, 4, 0);
}
MOVE(both_aspects_of_a_buffer)
{
    to_buffer(p, i, i->both, DEPTH | STENCIL, 4, 4, 0);
}
MOVE(stencil_of_a_buffer)
{
    to_buffer(p, i, i->both, STENCIL, 4, 4, 0);
    to_buffer(p, i, i->s.depth, STENCIL, SIDE, SIDE, 0);
}
MOVE(stencil_of_a_colour)
{
    to_buffer(p, i, i->wide, STENCIL, SIDE, SIDE, 0);
}
MOVE(stencil_of_blocks)
{
    to_buffer(p, i, i->blocks, STENCIL, SIDE, SIDE, 0);
}
MOVE(depth_of_a_colour)
{
    to_buffer(p, i, i->s.target, DEPTH, 4, 4, 0);
}
MOVE(colour_of_a_depth)
{
    to_buffer(p, i, i->both, COLOR, 8, 8, 0);
    to_buffer(p, i, i->s.depth, COLOR, 8, 8, 0);
}
MOVE(rows_shorter_than_the_image)
{
    to_buffer(p, i, i->s.target, COLOR, SIDE, 4, 1);
}
MOVE(parts_of_blocks)
{
    to_buffer(p, i, i->blocks, COLOR, 5, 5, 3);
}

static void blit(struct vk_pack *p, VkImage from, VkImageAspectFlags from_aspects, VkImage to,
                 VkImageAspectFlags to_aspects, VkFilter filter)
{
    const VkImageBlit c = {layers(from_aspects, 0, 1),
                           {{SIDE, 0, 0}, {0, SIDE, 1}},
                           layers(to_aspects, 0, 1),
                           {{0, 0, 0}, {5, 3, 1}}};
    vk_pack_vkCmdBlitImage(p, from, GENERAL, to, GENERAL, 1, &c, filter);
}
MOVE(a_blit_of_depth_to_colour)
{
    blit(p, i->s.depth, DEPTH, i->s.target, COLOR, VK_FILTER_LINEAR);
    blit(p, i->s.target, COLOR, i->s.depth, DEPTH, VK_FILTER_NEAREST);
    blit(p, i->s.target, COLOR, i->s.depth, COLOR, VK_FILTER_NEAREST);
}
MOVE(a_blit_of_no_filter)
{
    blit(p, i->s.target, COLOR, i->s.h.image, COLOR, (VkFilter)77);
    blit(p, i->s.target, COLOR, i->s.h.image, COLOR, VK_FILTER_CUBIC_EXT);
}
MOVE(a_blit_of_samples)
{
    blit(p, i->samples, COLOR, i->s.target, COLOR, VK_FILTER_LINEAR);
    blit(p, i->s.target, COLOR, i->samples, COLOR, VK_FILTER_LINEAR);
}
MOVE(a_blit_into_blocks)
{
    blit(p, i->s.target, COLOR, i->blocks, COLOR, VK_FILTER_LINEAR);
    blit(p, i->blocks, COLOR, i->s.target, COLOR, VK_FILTER_LINEAR);
}
MOVE(a_blit_of_a_volume)
{
    const VkImageBlit c = {layers(COLOR, 0, 1),
                           {{0, 0, 4}, {SIDE, SIDE, 0}},
                           layers(COLOR, 0, 3),
                           {{0, 0, 0}, {SIDE, SIDE, 1}}};
    vk_pack_vkCmdBlitImage(p, i->volume, GENERAL, i->layered, GENERAL, 1, &c, VK_FILTER_LINEAR);
}
MOVE(a_blit_of_nothing)
{
    const VkImageBlit c = {layers(COLOR, 0, 1),
                           {{0, 0, 0}, {SIDE, SIDE, 1}},
                           layers(COLOR, 0, 1),
                           {{3, 3, 0}, {3, 3, 0}}};
    vk_pack_vkCmdBlitImage(p, i->s.target, GENERAL, i->s.h.image, GENERAL, 1, &c, VK_FILTER_LINEAR);
}

static void resolve(struct vk_pack *p, VkImage from, VkImageAspectFlags from_aspects, VkImage to,
                    VkImageAspectFlags to_aspects)
{
    const VkImageResolve c = {.srcSubresource = layers(from_aspects, 0, 1),
                              .dstSubresource = layers(to_aspects, 0, 1),
                              .extent = {SIDE, SIDE, 1}};
    vk_pack_vkCmdResolveImage(p, from, GENERAL, to, GENERAL, 1, &c);
}
MOVE(a_resolve_of_one_sample)
{
    resolve(p, i->s.target, COLOR, i->s.h.image, COLOR);
}
MOVE(a_resolve_into_samples)
{
    resolve(p, i->s.target, COLOR, i->samples, COLOR);
    resolve(p, i->samples, COLOR, i->samples, COLOR);
}
MOVE(a_resolve_into_another_format)
{
    resolve(p, i->samples, COLOR, i->wide, COLOR);
    resolve(p, i->samples, COLOR, i->narrow, COLOR);
    resolve(p, i->samples, COLOR, i->blocks, COLOR);
    resolve(p, i->samples, COLOR, i->s.depth, DEPTH);
}

static void clears(struct vk_pack *p, VkImage image, VkImageAspectFlags aspects)
{
    const VkClearColorValue color = {.uint32 = {1, 2, 3, 4}};
    const VkClearDepthStencilValue depth = {.depth = 7, .stencil = 777};
    const VkImageSubresourceRange range = {aspects, 0, VK_REMAINING_MIP_LEVELS, 0,
                                           VK_REMAINING_ARRAY_LAYERS};
    vk_pack_vkCmdClearColorImage(p, image, GENERAL, &color, 1, &range);
    vk_pack_vkCmdClearDepthStencilImage(p, image, GENERAL, &depth, 1, &range);
}
MOVE(a_colour_cleared_as_depth)
{
    clears(p, i->s.target, DEPTH);
    clears(p, i->s.target, COLOR);
    clears(p, i->s.target, 0);
}
MOVE(a_depth_cleared_as_colour)
{
    clears(p, i->s.depth, COLOR);
    clears(p, i->both, COLOR);
    clears(p, i->both, DEPTH | STENCIL | COLOR);
}
MOVE(blocks_cleared)
{
    clears(p, i->blocks, COLOR);
}
MOVE(samples_cleared)
{
    clears(p, i->samples, COLOR);
    clears(p, i->volume, COLOR);
    clears(p, i->line, COLOR);
}

#define MOVED(name, ends)                                                                          \
    {                                                                                              \
#name, name, ends                                                                          \
    }
static const struct transfer_case transfer_cases[] = {
    MOVED(narrow_texels_from_wide_ones, false),
    MOVED(wide_texels_from_narrow_ones, false),
    MOVED(blocks_from_texels, false),
    MOVED(blocks_by_parts, false),
    MOVED(samples_into_one, false),
    MOVED(colour_of_depth, false),
    MOVED(stencil_of_depth, false),
    MOVED(no_aspects, false),
    MOVED(a_volume_from_layers, false),
    MOVED(more_layers_than_slices, true),
    MOVED(layers_of_different_counts, false),
    MOVED(remaining_layers, false),
    MOVED(a_line_as_a_plane, false),
    MOVED(nothing_at_all, false),
    MOVED(samples_of_a_buffer, false),
    MOVED(both_aspects_of_a_buffer, false),
    MOVED(stencil_of_a_buffer, false),
    MOVED(stencil_of_a_colour, false),
    MOVED(stencil_of_blocks, false),
    MOVED(depth_of_a_colour, false),
    MOVED(colour_of_a_depth, false),
    MOVED(rows_shorter_than_the_image, false),
    MOVED(parts_of_blocks, false),
    MOVED(a_blit_of_depth_to_colour, false),
    MOVED(a_blit_of_no_filter, false),
    MOVED(a_blit_of_samples, false),
    MOVED(a_blit_into_blocks, false),
    MOVED(a_blit_of_a_volume, false),
    MOVED(a_blit_of_nothing, false),
    MOVED(a_resolve_of_one_sample, false),
    MOVED(a_resolve_into_samples, false),
    MOVED(a_resolve_into_another_format, false),
    MOVED(a_colour_cleared_as_depth, false),
    MOVED(a_depth_cleared_as_colour, false),
    MOVED(blocks_cleared, false),
    MOVED(samples_cleared, false),
};

SLT_TEST_FP(hvk_transfers, recorded, w, struct transfer_case, transfer_cases, c)
{
    struct images i;
    struct vk_pack recorded;
    images_make(w, &i);
    vp_begin(&recorded);
    c->record(&recorded, &i);
    scene_survives(w, &i.s, &recorded);
    SLT_EXPECT_TRUE(w->main.lost || !c->ends);
}

/* --- descriptors --- */

struct range_case {
    const char *label;
    VkDeviceSize offset, range;
    bool is_fine;
};
static const struct range_case range_cases[] = {
    {"all", 0, VK_WHOLE_SIZE, true},
    {"a_part", 128, 128, true},
    {"the_rest", 64, VK_WHOLE_SIZE, true},
    {"from_the_end", 256, VK_WHOLE_SIZE, false},
    {"past_the_end", 1u << 30, 16, false},
    {"past_the_end_whole", 1u << 30, VK_WHOLE_SIZE, false},
    {"over_the_end", 128, 256, false},
    {"far_over_the_end", 0, 1ull << 40, false},
    {"that_wraps", UINT64_MAX - 15, 32, false},
};

SLT_TEST_FP(hvk_transfers, a_descriptor, w, struct range_case, range_cases, c)
{
    struct hostile h;
    hostile_make(w, &h);
    vp_set_write(w, h.set, h.m.buffer);
    const VkDescriptorBufferInfo info = {
        .buffer = h.m.buffer, .offset = c->offset, .range = c->range};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = h.set,
                                        .descriptorCount = 1,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = &info};
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
    SLT_ASSERT_TRUE(!w->main.lost);
    vp_set_words(&h.m, 3);
    vp_dispatch(w, &h.c, h.set, 1);
    uint32_t first = c->is_fine ? (uint32_t)c->offset / 4 : 0;
    SLT_EXPECT_EQ(7u, h.m.words[first]);
    SLT_EXPECT_EQ(7u, h.m.words[63]);
    SLT_EXPECT_EQ(first == 0 ? 7u : 3u, h.m.words[0]);
}
