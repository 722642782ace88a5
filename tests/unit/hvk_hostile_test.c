/* Recorded commands that drivers believe: each names more than there is, or needs what is not
 * bound. A native driver would read or write past the end, or follow a null pointer; the host ends
 * the ring with a reason instead (attack cases C07, C08, C12). */
#include "tests/unit/hvk_hostile.h"

#include <string.h>

void hostile_make(struct vk_world *w, struct hostile *h)
{
    const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_OCCLUSION,
                                           .queryCount = 4};
    VkImageCreateInfo image =
        vp_image_info(SIDE, VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    image.mipLevels = 2;
    vk_world_device(w);
    *h = (struct hostile){0};
    vp_mapped_make(w, 1, &h->m);
    vp_compute_make(w, 1, &h->c);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &h->c, &h->set));
    h->image = vp_image_make(w, &image);
    h->queries = VP_CREATE(w, QueryPool, &queries);
}

/* --- the commands --- */

static void copy_buffer(struct vk_pack *p, const struct hostile *h, uint64_t from, uint64_t to,
                        uint64_t size)
{
    const VkBufferCopy region = {.srcOffset = from, .dstOffset = to, .size = size};
    vk_pack_vkCmdCopyBuffer(p, h->m.buffer, h->m.buffer, 1, &region);
}

RECORD(copy_from_past_the_end)
{
    copy_buffer(p, h, 200, 0, 100);
}
RECORD(copy_to_past_the_end)
{
    copy_buffer(p, h, 0, 200, 100);
}
RECORD(copy_that_wraps)
{
    copy_buffer(p, h, 0, UINT64_MAX - 3, 8);
}
RECORD(copy_2_past_the_end)
{
    const VkBufferCopy2 region = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_COPY_2, .dstOffset = 200, .size = 100};
    const VkCopyBufferInfo2 info = {.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,
                                    .srcBuffer = h->m.buffer,
                                    .dstBuffer = h->m.buffer,
                                    .regionCount = 1,
                                    .pRegions = &region};
    vk_pack_vkCmdCopyBuffer2(p, &info);
}
RECORD(fill_past_the_end)
{
    vk_pack_vkCmdFillBuffer(p, h->m.buffer, 128, 256, 7);
}
RECORD(fill_from_past_the_end)
{
    vk_pack_vkCmdFillBuffer(p, h->m.buffer, 1 << 20, VK_WHOLE_SIZE, 7);
}
RECORD(update_past_the_end)
{
    const uint32_t words[4] = {1, 2, 3, 4};
    vk_pack_vkCmdUpdateBuffer(p, h->m.buffer, 252, sizeof words, words);
}
RECORD(query_results_past_the_end)
{
    vk_pack_vkCmdResetQueryPool(p, h->queries, 0, 4);
    vk_pack_vkCmdCopyQueryPoolResults(p, h->queries, 0, 4, h->m.buffer, 200, 64,
                                      VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
}
RECORD(query_out_of_its_pool)
{
    vk_pack_vkCmdBeginQuery(p, h->queries, 4, 0);
}

static VkBufferImageCopy region_of(uint32_t level, int32_t x, uint32_t width, uint32_t height)
{
    return (VkBufferImageCopy){.imageSubresource = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                                                    .mipLevel = level,
                                                    .layerCount = 1},
                               .imageOffset = {x, 0, 0},
                               .imageExtent = {width, height, 1}};
}

static void to_image(struct vk_pack *p, const struct hostile *h, VkBufferImageCopy region)
{
    vk_pack_vkCmdCopyBufferToImage(p, h->m.buffer, h->image, VK_IMAGE_LAYOUT_GENERAL, 1, &region);
}

RECORD(image_written_right_of_it)
{
    to_image(p, h, region_of(0, 14, 4, 1));
}
RECORD(image_written_left_of_it)
{
    to_image(p, h, region_of(0, -4, 4, 1));
}
RECORD(image_written_below_it)
{
    to_image(p, h, region_of(0, 0, 1, 64));
}
RECORD(image_level_that_is_not_there)
{
    to_image(p, h, region_of(9, 0, 1, 1));
}
RECORD(image_layer_that_is_not_there)
{
    VkBufferImageCopy region = region_of(0, 0, 1, 1);
    region.imageSubresource.baseArrayLayer = 1000;
    to_image(p, h, region);
}
RECORD(image_from_too_small_a_buffer)
{
    to_image(p, h, region_of(0, 0, SIDE, SIDE));
}
RECORD(image_into_too_small_a_buffer)
{
    const VkBufferImageCopy region = region_of(0, 0, SIDE, SIDE);
    vk_pack_vkCmdCopyImageToBuffer(p, h->image, VK_IMAGE_LAYOUT_GENERAL, h->m.buffer, 1, &region);
}
RECORD(image_rows_of_four_billion)
{
    VkBufferImageCopy region = region_of(0, 0, 1, 2);
    region.bufferRowLength = UINT32_MAX;
    to_image(p, h, region);
}

static const VkImageSubresourceLayers first = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                                               .layerCount = 1};

RECORD(image_copied_past_its_end)
{
    const VkImageCopy region = {.srcSubresource = first,
                                .dstSubresource = first,
                                .dstOffset = {12, 12, 0},
                                .extent = {8, 8, 1}};
    vk_pack_vkCmdCopyImage(p, h->image, VK_IMAGE_LAYOUT_GENERAL, h->image, VK_IMAGE_LAYOUT_GENERAL,
                           1, &region);
}
RECORD(image_blitted_past_its_end)
{
    const VkImageBlit region = {.srcSubresource = first,
                                .srcOffsets = {{0, 0, 0}, {SIDE, SIDE, 1}},
                                .dstSubresource = first,
                                .dstOffsets = {{0, 0, 0}, {1 << 20, 1 << 20, 1}}};
    vk_pack_vkCmdBlitImage(p, h->image, VK_IMAGE_LAYOUT_GENERAL, h->image, VK_IMAGE_LAYOUT_GENERAL,
                           1, &region, VK_FILTER_NEAREST);
}
RECORD(image_resolved_past_its_end)
{
    const VkImageResolve region = {.srcSubresource = first,
                                   .dstSubresource = first,
                                   .dstOffset = {1 << 20, 0, 0},
                                   .extent = {8, 8, 1}};
    vk_pack_vkCmdResolveImage(p, h->image, VK_IMAGE_LAYOUT_GENERAL, h->image,
                              VK_IMAGE_LAYOUT_GENERAL, 1, &region);
}
RECORD(image_cleared_past_its_levels)
{
    const VkClearColorValue black = {.float32 = {0}};
    const VkImageSubresourceRange range = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                                           .baseMipLevel = 1,
                                           .levelCount = 20,
                                           .baseArrayLayer = 0,
                                           .layerCount = 50};
    vk_pack_vkCmdClearColorImage(p, h->image, VK_IMAGE_LAYOUT_GENERAL, &black, 1, &range);
}

RECORD(dispatch_without_a_pipeline)
{
    (void)h;
    vk_pack_vkCmdDispatch(p, 1, 1, 1);
}
RECORD(draw_without_a_pipeline)
{
    (void)h;
    vk_pack_vkCmdDraw(p, 3, 1, 0, 0);
}
RECORD(draws_in_a_row_without_a_pipeline)
{
    draw_without_a_pipeline(p, h);
    draw_without_a_pipeline(p, h);
}
RECORD(indexed_draw_without_a_pipeline)
{
    (void)h;
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, 0, 0);
}
RECORD(indirect_draw_without_a_pipeline)
{
    vk_pack_vkCmdDrawIndirect(p, h->m.buffer, 0, 1, 16);
}
RECORD(pipeline_bound_where_it_does_not_belong)
{
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_GRAPHICS, h->c.pipeline);
}
RECORD(dispatch_parameters_past_the_end)
{
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.pipeline);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.layout, 0, 1, &h->set,
                                    0, NULL);
    vk_pack_vkCmdDispatchIndirect(p, h->m.buffer, 252);
}
RECORD(dispatch_of_two_billion_groups)
{
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.pipeline);
    vk_pack_vkCmdDispatch(p, 1u << 31, 1, 1);
}
RECORD(set_past_its_layout)
{
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.layout, 30, 1, &h->set,
                                    0, NULL);
}
RECORD(dynamic_offsets_that_no_set_takes)
{
    const uint32_t offsets[2] = {0, 0};
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_COMPUTE, h->c.layout, 0, 1, &h->set,
                                    2, offsets);
}
RECORD(constants_past_their_end)
{
    const uint32_t words[64] = {0};
    vk_pack_vkCmdPushConstants(p, h->c.layout, VK_SHADER_STAGE_COMPUTE_BIT, 1u << 20, sizeof words,
                               words);
}
RECORD(viewports_past_the_last)
{
    (void)h;
    const VkViewport viewport = {.width = 1, .height = 1, .maxDepth = 1};
    vk_pack_vkCmdSetViewport(p, 1000000, 1, &viewport);
}
RECORD(scissors_past_the_last)
{
    (void)h;
    const VkRect2D scissor = {.extent = {1, 1}};
    vk_pack_vkCmdSetScissor(p, 1000000, 1, &scissor);
}
RECORD(vertex_buffers_past_the_last)
{
    const VkDeviceSize offset = 0;
    vk_pack_vkCmdBindVertexBuffers(p, 1000000, 1, &h->m.buffer, &offset);
}
RECORD(vertex_buffers_2_past_the_last)
{
    const VkDeviceSize offset = 0;
    vk_pack_vkCmdBindVertexBuffers2(p, 1000000, 1, &h->m.buffer, &offset, NULL, NULL);
}
RECORD(indices_from_past_the_end)
{
    vk_pack_vkCmdBindIndexBuffer(p, h->m.buffer, 1ull << 40, VK_INDEX_TYPE_UINT16);
}
RECORD(rendering_that_never_began)
{
    (void)h;
    vk_pack_vkCmdEndRendering(p);
}
RECORD(render_pass_that_never_began)
{
    (void)h;
    vk_pack_vkCmdEndRenderPass(p);
}
RECORD(subpass_of_no_pass)
{
    (void)h;
    vk_pack_vkCmdNextSubpass(p, VK_SUBPASS_CONTENTS_INLINE);
}
RECORD(attachments_cleared_of_no_pass)
{
    (void)h;
    const VkClearAttachment attachment = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                                          .colorAttachment = 7};
    const VkClearRect rect = {.rect = {.extent = {8, 8}}, .layerCount = 1};
    vk_pack_vkCmdClearAttachments(p, 1, &attachment, 1, &rect);
}

/* --- the tests --- */

SLT_FIXTURE(hvk_hostile, struct vk_world, vk_world_init, vk_world_finish);

static const struct recorded_case recorded_cases[] = {
    ROW(copy_from_past_the_end),
    ROW(copy_to_past_the_end),
    ROW(copy_that_wraps),
    ROW(copy_2_past_the_end),
    ROW(fill_past_the_end),
    ROW(fill_from_past_the_end),
    ROW(update_past_the_end),
    ROW(query_results_past_the_end),
    ROW(query_out_of_its_pool),
    ROW(image_written_right_of_it),
    ROW(image_written_left_of_it),
    ROW(image_written_below_it),
    ROW(image_level_that_is_not_there),
    ROW(image_layer_that_is_not_there),
    ROW(image_from_too_small_a_buffer),
    ROW(image_into_too_small_a_buffer),
    ROW(image_rows_of_four_billion),
    ROW(image_copied_past_its_end),
    ROW(image_blitted_past_its_end),
    ROW(image_resolved_past_its_end),
    ROW(image_cleared_past_its_levels),
    ROW(dispatch_without_a_pipeline),
    ROW(draw_without_a_pipeline),
    ROW(draws_in_a_row_without_a_pipeline),
    ROW(indexed_draw_without_a_pipeline),
    ROW(indirect_draw_without_a_pipeline),
    ROW(pipeline_bound_where_it_does_not_belong),
    ROW(dispatch_parameters_past_the_end),
    ROW(dispatch_of_two_billion_groups),
    ROW(set_past_its_layout),
    ROW(dynamic_offsets_that_no_set_takes),
    ROW(constants_past_their_end),
    ROW(viewports_past_the_last),
    ROW(scissors_past_the_last),
    ROW(vertex_buffers_past_the_last),
    ROW(vertex_buffers_2_past_the_last),
    ROW(indices_from_past_the_end),
    ROW(rendering_that_never_began),
    ROW(render_pass_that_never_began),
    ROW(subpass_of_no_pass),
    ROW(attachments_cleared_of_no_pass),
};

SLT_TEST_FP(hvk_hostile, what_drivers_believe_ends_the_ring, w, struct recorded_case,
            recorded_cases, c)
{
    struct hostile h;
    struct vk_pack recorded;
    VkCommandBuffer commands;
    hostile_make(w, &h);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_begin(&recorded);
    c->record(&recorded, &h);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    SLT_EXPECT_TRUE(w->main.lost);
}
