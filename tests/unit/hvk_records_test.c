/* A hostile guest records what does not fit: draws without state or past an end, commands where
 * none belong, queries out of order (attack cases C07, C08, C12). The host goes on: the ring ends,
 * or they run somehow. */
#include "tests/unit/hvk_scene.h"

#include <math.h>

SLT_FIXTURE(hvk_records, struct vk_world, scene_init, vk_world_finish);

DRAW(without_vertices)
{
    const VkViewport viewport = {.width = SIDE, .height = SIDE, .maxDepth = 1};
    const VkRect2D scissor = {.extent = {SIDE, SIDE}};
    const uint32_t zero = 0;
    scene_pass_begin(p, s);
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vk_pack_vkCmdSetViewport(p, 0, 1, &viewport);
    vk_pack_vkCmdSetScissor(p, 0, 1, &scissor);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->layout, 0, 1, &s->set, 1,
                                    &zero);
    scene_triangle(p);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, 0, 0);
    scene_done(p);
}
DRAW(without_sets)
{
    const VkViewport viewport = {.width = SIDE, .height = SIDE, .maxDepth = 1};
    const VkRect2D scissor = {.extent = {SIDE, SIDE}};
    const VkDeviceSize offset = 64;
    scene_pass_begin(p, s);
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vk_pack_vkCmdSetViewport(p, 0, 1, &viewport);
    vk_pack_vkCmdSetScissor(p, 0, 1, &scissor);
    vk_pack_vkCmdBindVertexBuffers(p, 0, 1, &s->h.m.buffer, &offset);
    scene_triangle(p);
    scene_done(p);
}
DRAW(without_dynamic_state)
{
    const VkDeviceSize offset = 64;
    const uint32_t zero = 0;
    scene_pass_begin(p, s);
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vk_pack_vkCmdBindVertexBuffers(p, 0, 1, &s->h.m.buffer, &offset);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->layout, 0, 1, &s->set, 1,
                                    &zero);
    scene_triangle(p);
    scene_done(p);
}
DRAW(outside_a_pass)
{
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
}
DRAW(after_a_pass)
{
    scene_ready(p, s);
    scene_done(p);
    scene_triangle(p);
}
DRAW(a_dispatch_in_a_pass)
{
    scene_ready(p, s);
    vk_pack_vkCmdBindPipeline(p, VK_PIPELINE_BIND_POINT_COMPUTE, s->h.c.pipeline);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_COMPUTE, s->h.c.layout, 0, 1,
                                    &s->h.set, 0, NULL);
    vk_pack_vkCmdDispatch(p, 1, 1, 1);
    scene_triangle(p);
    scene_done(p);
}
DRAW(a_pass_that_does_not_end)
{
    scene_ready(p, s);
    scene_triangle(p);
}
DRAW(copies_in_a_pass)
{
    const VkBufferCopy copy = {0, 16, 16};
    const VkImageCopy region = {.srcSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                .dstSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                .extent = {4, 4, 1}};
    scene_ready(p, s);
    scene_triangle(p);
    vk_pack_vkCmdCopyBuffer(p, s->h.m.buffer, s->h.m.buffer, 1, &copy);
    vk_pack_vkCmdCopyImage(p, s->target, VK_IMAGE_LAYOUT_GENERAL, s->h.image,
                           VK_IMAGE_LAYOUT_GENERAL, 1, &region);
    vk_pack_vkCmdFillBuffer(p, s->h.m.buffer, 0, 16, 0);
    scene_triangle(p);
    scene_done(p);
}
DRAW(vertices_from_past_the_end)
{
    const VkDeviceSize offset = 1u << 30;
    scene_ready(p, s);
    vk_pack_vkCmdBindVertexBuffers(p, 0, 1, &s->h.m.buffer, &offset);
    scene_triangle(p);
    scene_done(p);
}
DRAW(vertices_from_far_past_the_end)
{
    const VkDeviceSize offset = UINT64_MAX - 64;
    scene_ready(p, s);
    vk_pack_vkCmdBindVertexBuffers(p, 0, 1, &s->h.m.buffer, &offset);
    scene_triangle(p);
    scene_done(p);
}
DRAW(vertices_past_the_end)
{
    scene_ready(p, s);
    vk_pack_vkCmdDraw(p, 3000, 1, 0, 0);
    vk_pack_vkCmdDraw(p, 3, 1, 1u << 20, 0);
    vk_pack_vkCmdDraw(p, 3, 1, UINT32_MAX - 3, 0);
    vk_pack_vkCmdDraw(p, 3, 1, 0, UINT32_MAX);
    scene_done(p);
}
DRAW(vertices_of_no_buffer)
{
    const VkBuffer none = VK_NULL_HANDLE;
    const VkDeviceSize offset = 0;
    scene_ready(p, s);
    vk_pack_vkCmdBindVertexBuffers(p, 0, 1, &none, &offset);
    scene_triangle(p);
    scene_done(p);
}
DRAW(vertices_of_odd_sizes)
{
    const VkDeviceSize offset = 64, sizes[] = {UINT64_MAX - 1}, strides[] = {UINT64_MAX};
    scene_ready(p, s);
    vk_pack_vkCmdBindVertexBuffers2(p, 0, 1, &s->h.m.buffer, &offset, sizes, NULL);
    scene_triangle(p);
    vk_pack_vkCmdBindVertexBuffers2(p, 0, 1, &s->h.m.buffer, &offset, NULL, strides);
    scene_triangle(p);
    vk_pack_vkCmdBindVertexBuffers2(p, 0, 1, &s->h.m.buffer, &offset, sizes, strides);
    scene_triangle(p);
    scene_done(p);
}
DRAW(indices_past_the_end)
{
    scene_ready(p, s);
    vk_pack_vkCmdDrawIndexed(p, 3000, 1, 0, 0, 0);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 1u << 30, 0, 0);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, UINT32_MAX, 0, 0);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, INT32_MIN, 0);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, INT32_MAX, UINT32_MAX);
    scene_done(p);
}
DRAW(indices_at_the_end)
{
    scene_ready(p, s);
    vk_pack_vkCmdBindIndexBuffer(p, s->h.m.buffer, 256, VK_INDEX_TYPE_UINT32);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, 0, 0);
    vk_pack_vkCmdBindIndexBuffer(p, s->h.m.buffer, 255, VK_INDEX_TYPE_UINT32);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, 0, 0);
    scene_done(p);
}
DRAW(indices_of_no_type)
{
    scene_ready(p, s);
    vk_pack_vkCmdBindIndexBuffer(p, s->h.m.buffer, 0, (VkIndexType)77);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, 0, 0);
    scene_done(p);
}
DRAW(indices_of_none)
{
    scene_ready(p, s);
    vk_pack_vkCmdBindIndexBuffer(p, s->h.m.buffer, 0, VK_INDEX_TYPE_NONE_KHR);
    vk_pack_vkCmdDrawIndexed(p, 3, 1, 0, 0, 0);
    scene_done(p);
}
DRAW(indices_of_a_byte)
{
    scene_ready(p, s);
    vk_pack_vkCmdBindIndexBuffer(p, s->h.m.buffer, 0, VK_INDEX_TYPE_UINT8_EXT);
    vk_pack_vkCmdDrawIndexed(p, 300, 1, 0, 0, 0);
    scene_done(p);
}
DRAW(dynamic_offsets_past_the_end)
{
    const uint32_t offset = 1u << 30;
    scene_ready(p, s);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->layout, 0, 1, &s->set, 1,
                                    &offset);
    scene_triangle(p);
    scene_done(p);
}
DRAW(dynamic_offsets_far_past_the_end)
{
    const uint32_t offset = UINT32_MAX - 15;
    scene_ready(p, s);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_GRAPHICS, s->layout, 0, 1, &s->set, 1,
                                    &offset);
    scene_triangle(p);
    scene_done(p);
}
DRAW(sets_at_no_point)
{
    const uint32_t zero = 0;
    scene_ready(p, s);
    vk_pack_vkCmdBindDescriptorSets(p, (VkPipelineBindPoint)77, s->layout, 0, 1, &s->set, 1, &zero);
    scene_triangle(p);
    scene_done(p);
}
DRAW(sets_at_the_point_of_rays)
{
    const uint32_t zero = 0;
    scene_ready(p, s);
    vk_pack_vkCmdBindDescriptorSets(p, VK_PIPELINE_BIND_POINT_RAY_TRACING_KHR, s->layout, 0, 1,
                                    &s->set, 1, &zero);
    scene_triangle(p);
    scene_done(p);
}
DRAW(a_pipeline_at_no_point)
{
    scene_ready(p, s);
    vk_pack_vkCmdBindPipeline(p, (VkPipelineBindPoint)1000165000, s->pipeline);
    scene_triangle(p);
    scene_done(p);
}
DRAW(odd_viewports)
{
    const VkViewport odd[] = {{NAN, NAN, NAN, NAN, NAN, NAN},
                              {0, 0, INFINITY, -INFINITY, -5, 5},
                              {1e30f, -1e30f, 1e30f, -1e30f, 0, 1},
                              {0, 0, -16, -16, 1, 0}};
    scene_ready(p, s);
    for (uint32_t i = 0; i < 4; i++) {
        vk_pack_vkCmdSetViewport(p, 0, 1, &odd[i]);
        scene_triangle(p);
    }
    scene_done(p);
}
DRAW(odd_scissors)
{
    const VkRect2D odd[] = {{{-5, -5}, {100, 100}},
                            {{INT32_MAX, INT32_MAX}, {UINT32_MAX, UINT32_MAX}},
                            {{INT32_MIN, INT32_MIN}, {UINT32_MAX, UINT32_MAX}},
                            {{8, 8}, {1000000, 1000000}}};
    scene_ready(p, s);
    for (uint32_t i = 0; i < 4; i++) {
        vk_pack_vkCmdSetScissor(p, 0, 1, &odd[i]);
        scene_triangle(p);
    }
    scene_done(p);
}
DRAW(dynamic_patches)
{
    scene_ready(p, s);
    vk_pack_vkCmdSetPrimitiveTopology(p, VK_PRIMITIVE_TOPOLOGY_PATCH_LIST);
    scene_triangle(p);
    scene_done(p);
}
DRAW(odd_dynamic_state)
{
    scene_ready(p, s);
    vk_pack_vkCmdSetPrimitiveTopology(p, (VkPrimitiveTopology)77);
    vk_pack_vkCmdSetCullMode(p, 77);
    vk_pack_vkCmdSetFrontFace(p, (VkFrontFace)77);
    vk_pack_vkCmdSetDepthCompareOp(p, (VkCompareOp)77);
    vk_pack_vkCmdSetStencilOp(p, 77, (VkStencilOp)77, (VkStencilOp)77, (VkStencilOp)77,
                              (VkCompareOp)77);
    vk_pack_vkCmdSetStencilTestEnable(p, 77);
    vk_pack_vkCmdSetLineWidth(p, NAN);
    vk_pack_vkCmdSetDepthBias(p, NAN, INFINITY, NAN);
    vk_pack_vkCmdSetDepthBounds(p, NAN, NAN);
    vk_pack_vkCmdSetStencilReference(p, 77, 777);
    scene_triangle(p);
    scene_done(p);
}
DRAW(odd_logic_ops)
{
    scene_ready(p, s);
    vk_pack_vkCmdSetLogicOpEXT(p, (VkLogicOp)77);
    scene_triangle(p);
    scene_done(p);
}
DRAW(no_patch_points)
{
    scene_ready(p, s);
    vk_pack_vkCmdSetPatchControlPointsEXT(p, 0);
    scene_triangle(p);
    vk_pack_vkCmdSetPatchControlPointsEXT(p, UINT32_MAX);
    scene_triangle(p);
    scene_done(p);
}
DRAW(odd_vertex_input)
{
    const VkVertexInputBindingDescription2EXT binding = {
        .sType = VK_STRUCTURE_TYPE_VERTEX_INPUT_BINDING_DESCRIPTION_2_EXT,
        .stride = UINT32_MAX,
        .inputRate = (VkVertexInputRate)77,
        .divisor = UINT32_MAX};
    const VkVertexInputAttributeDescription2EXT attribute = {
        .sType = VK_STRUCTURE_TYPE_VERTEX_INPUT_ATTRIBUTE_DESCRIPTION_2_EXT,
        .format = (VkFormat)987654,
        .offset = UINT32_MAX};
    scene_ready(p, s);
    vk_pack_vkCmdSetVertexInputEXT(p, 1, &binding, 1, &attribute);
    scene_triangle(p);
    scene_done(p);
}
DRAW(a_vertex_input_without_bindings)
{
    const VkVertexInputAttributeDescription2EXT attribute = {
        .sType = VK_STRUCTURE_TYPE_VERTEX_INPUT_ATTRIBUTE_DESCRIPTION_2_EXT,
        .binding = 3,
        .format = VK_FORMAT_R32G32B32A32_SFLOAT};
    scene_ready(p, s);
    vk_pack_vkCmdSetVertexInputEXT(p, 0, NULL, 1, &attribute);
    scene_triangle(p);
    scene_done(p);
}
DRAW(indirect_parameters_past_the_end)
{
    scene_ready(p, s);
    vk_pack_vkCmdDrawIndirect(p, s->h.m.buffer, 192, 1, 16);
    vk_pack_vkCmdDrawIndexedIndirect(p, s->h.m.buffer, 192, 1, 20);
    vk_pack_vkCmdDrawIndirect(p, s->h.m.buffer, 192, 3, 0);
    scene_done(p);
}
DRAW(indirect_parameters_at_odd_places)
{
    scene_ready(p, s);
    vk_pack_vkCmdDrawIndirect(p, s->h.m.buffer, 221, 2, 1);
    scene_done(p);
}
DRAW(four_billion_indirect_draws)
{
    scene_ready(p, s);
    vk_pack_vkCmdDrawIndirect(p, s->h.m.buffer, 192, UINT32_MAX, 0);
    scene_done(p);
}
DRAW(indirect_counts_past_the_end)
{
    scene_ready(p, s);
    vk_pack_vkCmdDrawIndirectCount(p, s->h.m.buffer, 192, s->h.m.buffer, 192, 4, 16);
    vk_pack_vkCmdDrawIndexedIndirectCount(p, s->h.m.buffer, 192, s->h.m.buffer, 192, 3, 20);
    scene_done(p);
}
DRAW(feedback_counts_without_a_stride)
{
    scene_ready(p, s);
    vk_pack_vkCmdDrawIndirectByteCountEXT(p, 1, 0, s->h.m.buffer, 0, 0, 0);
    scene_done(p);
}
DRAW(feedback_past_the_end)
{
    const VkDeviceSize offset = 1u << 20, size = 1u << 20;
    vk_pack_vkCmdBindTransformFeedbackBuffersEXT(p, 0, 1, &s->h.m.buffer, &offset, &size);
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    scene_triangle(p);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    scene_done(p);
}
DRAW(feedback_counters_past_the_end)
{
    const VkDeviceSize offset = 0, size = 64, far = 1u << 30;
    vk_pack_vkCmdBindTransformFeedbackBuffersEXT(p, 0, 1, &s->h.m.buffer, &offset, &size);
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 1, &s->h.m.buffer, &far);
    scene_triangle(p);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 1, &s->h.m.buffer, &far);
    scene_done(p);
}
DRAW(feedback_without_buffers)
{
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    scene_triangle(p);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 1, &s->h.m.buffer, NULL);
    scene_done(p);
}
/* A buffer at that place of it. */
static void feedback_at(struct vk_pack *p, const struct scene *s, uint32_t place)
{
    const VkDeviceSize offset = 0, size = 64;
    vk_pack_vkCmdBindTransformFeedbackBuffersEXT(p, place, 1, &s->h.m.buffer, &offset, &size);
}
DRAW(feedback_counted_at_another_place)
{
    const VkDeviceSize offset = 128;
    feedback_at(p, s, 2);
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    scene_triangle(p);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 1, 1, &s->h.m.buffer, &offset);
    scene_done(p);
}
DRAW(feedback_counted_at_a_later_place)
{
    const VkDeviceSize offset = 128;
    feedback_at(p, s, 2);
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 2, 1, &s->h.m.buffer, &offset);
    scene_triangle(p);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 2, 1, &s->h.m.buffer, &offset);
    scene_done(p);
}
DRAW(feedback_that_does_not_end)
{
    feedback_at(p, s, 0);
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    scene_triangle(p);
    scene_done(p);
}
DRAW(feedback_that_ends_twice)
{
    feedback_at(p, s, 0);
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    scene_done(p);
}
DRAW(feedback_bound_while_it_goes_on)
{
    feedback_at(p, s, 0);
    scene_ready(p, s);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    feedback_at(p, s, 0);
    scene_triangle(p);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    scene_done(p);
}
DRAW(feedback_outside_a_pass)
{
    feedback_at(p, s, 0);
    vk_pack_vkCmdBeginTransformFeedbackEXT(p, 0, 0, NULL, NULL);
    vk_pack_vkCmdEndTransformFeedbackEXT(p, 0, 0, NULL, NULL);
}
DRAW(conditions_past_the_end)
{
    const VkConditionalRenderingBeginInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_CONDITIONAL_RENDERING_BEGIN_INFO_EXT,
        .buffer = s->h.m.buffer,
        .offset = 1u << 30};
    vk_pack_vkCmdBeginConditionalRenderingEXT(p, &info);
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
    vk_pack_vkCmdEndConditionalRenderingEXT(p);
}
DRAW(conditions_that_do_not_end)
{
    const VkConditionalRenderingBeginInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_CONDITIONAL_RENDERING_BEGIN_INFO_EXT, .buffer = s->h.m.buffer};
    vk_pack_vkCmdEndConditionalRenderingEXT(p);
    vk_pack_vkCmdBeginConditionalRenderingEXT(p, &info);
    vk_pack_vkCmdBeginConditionalRenderingEXT(p, &info);
}
DRAW(attachments_cleared_far_away)
{
    const VkClearAttachment at[] = {
        {VK_IMAGE_ASPECT_COLOR_BIT, 3, {{{0}}}},
        {VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT, 0, {{{0}}}}};
    const VkClearRect rect = {{{0, 0}, {SIDE, SIDE}}, 0, 1000}, high = {{{0, 0}, {1, 1}}, 77, 1};
    scene_ready(p, s);
    vk_pack_vkCmdClearAttachments(p, 2, at, 1, &rect);
    vk_pack_vkCmdClearAttachments(p, 2, at, 1, &high);
    scene_done(p);
}
DRAW(a_pass_without_clear_values)
{
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = s->depth_pass,
                                         .framebuffer = s->depth_framebuffer,
                                         .renderArea = {{0, 0}, {SIDE, SIDE}}};
    vk_pack_vkCmdBeginRenderPass(p, &begin, VK_SUBPASS_CONTENTS_INLINE);
    vk_pack_vkCmdEndRenderPass(p);
}
DRAW(a_pass_of_no_contents)
{
    const VkRenderPassBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                         .renderPass = s->pass,
                                         .framebuffer = s->framebuffer};
    vk_pack_vkCmdBeginRenderPass(p, &begin, (VkSubpassContents)77);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    scene_done(p);
}

static const struct draw_case draw_cases[] = {
    ROW(without_vertices),
    ROW(without_sets),
    ROW(without_dynamic_state),
    ROW(outside_a_pass),
    ROW(after_a_pass),
    ROW(a_dispatch_in_a_pass),
    ROW(a_pass_that_does_not_end),
    ROW(copies_in_a_pass),
    ROW(vertices_from_past_the_end),
    ROW(vertices_from_far_past_the_end),
    ROW(vertices_past_the_end),
    ROW(vertices_of_no_buffer),
    ROW(vertices_of_odd_sizes),
    ROW(indices_past_the_end),
    ROW(indices_at_the_end),
    ROW(indices_of_no_type),
    ROW(indices_of_none),
    ROW(indices_of_a_byte),
    ROW(dynamic_offsets_past_the_end),
    ROW(dynamic_offsets_far_past_the_end),
    ROW(sets_at_no_point),
    ROW(sets_at_the_point_of_rays),
    ROW(a_pipeline_at_no_point),
    ROW(odd_viewports),
    ROW(odd_scissors),
    ROW(dynamic_patches),
    ROW(odd_dynamic_state),
    ROW(odd_logic_ops),
    ROW(no_patch_points),
    ROW(odd_vertex_input),
    ROW(a_vertex_input_without_bindings),
    ROW(indirect_parameters_past_the_end),
    ROW(indirect_parameters_at_odd_places),
    ROW(four_billion_indirect_draws),
    ROW(indirect_counts_past_the_end),
    ROW(feedback_counts_without_a_stride),
    ROW(feedback_past_the_end),
    ROW(feedback_counters_past_the_end),
    ROW(feedback_without_buffers),
    ROW(feedback_counted_at_another_place),
    ROW(feedback_counted_at_a_later_place),
    ROW(feedback_that_does_not_end),
    ROW(feedback_that_ends_twice),
    ROW(feedback_bound_while_it_goes_on),
    ROW(feedback_outside_a_pass),
    ROW(conditions_past_the_end),
    ROW(conditions_that_do_not_end),
    ROW(attachments_cleared_far_away),
    ROW(a_pass_without_clear_values),
    ROW(a_pass_of_no_contents),
};

SLT_TEST_FP(hvk_records, draws, w, struct draw_case, draw_cases, c)
{
    scene_case(w, c);
}
