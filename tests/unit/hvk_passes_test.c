/* A hostile guest renders without a pass, or not to the end of one, and asks queries out of order
 * (attack cases C07, C08). The host goes on: the ring ends, or the commands run somehow. */
#include "tests/unit/hvk_scene.h"

SLT_FIXTURE(hvk_passes, struct vk_world, scene_init, vk_world_finish);

static VkRenderingInfo rendering(const struct scene *s, VkRenderingAttachmentInfo *at)
{
    *at = (VkRenderingAttachmentInfo){.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                      .imageView = s->view,
                                      .imageLayout = VK_IMAGE_LAYOUT_GENERAL};
    return (VkRenderingInfo){.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                             .renderArea = {{0, 0}, {SIDE, SIDE}},
                             .layerCount = 1,
                             .colorAttachmentCount = 1,
                             .pColorAttachments = at};
}
DRAW(rendering_with_a_pipeline_of_a_pass)
{
    VkRenderingAttachmentInfo at;
    const VkRenderingInfo info = rendering(s, &at);
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_on_nothing)
{
    VkRenderingAttachmentInfo at;
    VkRenderingInfo info = rendering(s, &at);
    at.imageView = VK_NULL_HANDLE;
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_of_depth_on_colour)
{
    VkRenderingAttachmentInfo at;
    VkRenderingInfo info = rendering(s, &at);
    info.pDepthAttachment = &at;
    info.pStencilAttachment = &at;
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_of_colour_on_depth)
{
    VkRenderingAttachmentInfo at;
    VkRenderingInfo info = rendering(s, &at);
    at.imageView = s->depth_view;
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_of_no_layers)
{
    VkRenderingAttachmentInfo at;
    VkRenderingInfo info = rendering(s, &at);
    info.layerCount = 0;
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_of_no_ops)
{
    VkRenderingAttachmentInfo at;
    VkRenderingInfo info = rendering(s, &at);
    at.loadOp = (VkAttachmentLoadOp)77;
    at.storeOp = (VkAttachmentStoreOp)77;
    at.resolveMode = (VkResolveModeFlagBits)77;
    at.resolveImageView = s->view;
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_of_many_views)
{
    VkRenderingAttachmentInfo at;
    VkRenderingInfo info = rendering(s, &at);
    info.viewMask = 0x80000001;
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_ended_as_a_pass)
{
    VkRenderingAttachmentInfo at;
    const VkRenderingInfo info = rendering(s, &at);
    vk_pack_vkCmdBeginRendering(p, &info);
    vk_pack_vkCmdEndRenderPass(p);
}
DRAW(a_pass_ended_as_rendering)
{
    scene_pass_begin(p, s);
    vk_pack_vkCmdEndRendering(p);
}
DRAW(rendering_that_is_suspended)
{
    VkRenderingAttachmentInfo at;
    VkRenderingInfo info = rendering(s, &at);
    info.flags = VK_RENDERING_SUSPENDING_BIT | VK_RENDERING_RESUMING_BIT;
    vk_pack_vkCmdBeginRendering(p, &info);
    scene_bind(p, s, s->pipeline);
    scene_triangle(p);
    vk_pack_vkCmdEndRendering(p);
}

/* --- secondary command buffers --- */

struct secondary_case {
    const char *label;
    bool continues, other_pass, no_pass, clears, inside;
    bool is_fine;
};
static const struct secondary_case secondary_cases[] = {
    {"in_its_pass", true, false, false, false, true, true},
    {"outside_a_pass", true, false, false, false, false, false},
    {"that_continues_nothing_in_a_pass", false, false, false, false, true, false},
    {"of_another_pass", true, true, false, false, true, true},
    {"of_no_pass", true, false, true, false, true, true},
    {"that_clears_past_the_pass", true, false, false, true, true, false},
};

static void secondary_record(struct vk_world *w, const struct scene *s,
                             const struct secondary_case *c)
{
    const VkCommandBufferInheritanceInfo inherited = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
        .renderPass = c->no_pass      ? VK_NULL_HANDLE
                      : c->other_pass ? s->depth_pass
                                      : s->pass,
        .framebuffer = c->other_pass ? s->depth_framebuffer : VK_NULL_HANDLE};
    const VkCommandBufferBeginInfo begin = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = c->continues ? VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT : 0,
        .pInheritanceInfo = &inherited};
    const VkClearAttachment at = {VK_IMAGE_ASPECT_COLOR_BIT, 0, {{{0}}}};
    const VkClearRect rect = {{{0, 0}, {SIDE, 1000 * SIDE}}, 0, 1};
    struct vk_pack recorded;
    vk_pack_init(&recorded, 1 << 16, false);
    vk_pack_vkBeginCommandBufferAsyncGOOGLE(&recorded, &begin);
    if (c->continues) {
        scene_bind(&recorded, s, s->pipeline);
        scene_triangle(&recorded);
    }
    if (c->clears) {
        vk_pack_vkCmdClearAttachments(&recorded, 1, &at, 1, &rect);
    }
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, s->secondary, &recorded);
    vk_pack_finish(&recorded);
    SLT_ASSERT_TRUE(!w->main.lost);
}

static void execute(struct vk_pack *p, const struct scene *s, bool inside)
{
    if (inside) {
        scene_pass_begin(p, s);
    }
    vk_pack_vkCmdExecuteCommands(p, 1, &s->secondary);
    if (inside) {
        scene_done(p);
    }
}

SLT_TEST_FP(hvk_passes, a_secondary_buffer, w, struct secondary_case, secondary_cases, c)
{
    struct scene s;
    struct vk_pack recorded;
    scene_make(w, &s);
    secondary_record(w, &s, c);
    vp_begin(&recorded);
    execute(&recorded, &s, c->inside);
    scene_survives(w, &s, &recorded);
    SLT_EXPECT_EQ(!c->is_fine, w->main.lost);
}

/* What a primary buffer executes has been looked at; another recording has not. */
SLT_TEST_F(hvk_passes, a_secondary_buffer_recorded_anew_is_not_run, w)
{
    struct scene s;
    struct vk_pack recorded;
    scene_make(w, &s);
    secondary_record(w, &s, &secondary_cases[0]);
    vp_begin(&recorded);
    execute(&recorded, &s, true);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, s.commands, &recorded);
    vk_pack_finish(&recorded);
    VkFence fences[2] = {vp_fence_make(w), vp_fence_make(w)};
    vp_submit(w, s.commands, fences[0]);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fences[0], UINT64_MAX));
    secondary_record(w, &s, &secondary_cases[5]);
    vp_submit(w, s.commands, fences[1]);
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, vp_wait(w, fences[1], UINT64_MAX));
}

/* --- queries --- */

DRAW(a_query_that_does_not_end)
{
    vk_pack_vkCmdResetQueryPool(p, s->h.queries, 0, 4);
    vk_pack_vkCmdBeginQuery(p, s->h.queries, 0, 0);
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
}
DRAW(a_query_that_does_not_begin)
{
    vk_pack_vkCmdResetQueryPool(p, s->h.queries, 0, 4);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 0);
}
DRAW(a_query_that_begins_twice)
{
    vk_pack_vkCmdResetQueryPool(p, s->h.queries, 0, 4);
    vk_pack_vkCmdBeginQuery(p, s->h.queries, 0, 0);
    vk_pack_vkCmdBeginQuery(p, s->h.queries, 0, 0);
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 0);
}
DRAW(a_query_that_ends_twice)
{
    vk_pack_vkCmdBeginQuery(p, s->h.queries, 0, 0);
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 0);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 0);
}
DRAW(a_query_that_is_reset_while_it_counts)
{
    vk_pack_vkCmdBeginQuery(p, s->h.queries, 0, 0);
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
    vk_pack_vkCmdResetQueryPool(p, s->h.queries, 0, 4);
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 0);
}
DRAW(a_thousand_queries_at_once)
{
    for (uint32_t i = 0; i < 1000; i++) {
        vk_pack_vkCmdBeginQuery(p, s->h.queries, i % 4, VK_QUERY_CONTROL_PRECISE_BIT);
    }
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
    for (uint32_t i = 0; i < 1000; i++) {
        vk_pack_vkCmdEndQuery(p, s->h.queries, i % 4);
    }
}
DRAW(a_query_begun_in_a_pass)
{
    scene_ready(p, s);
    vk_pack_vkCmdBeginQuery(p, s->h.queries, 0, 0);
    scene_triangle(p);
    scene_done(p);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 0);
}
DRAW(a_time_as_a_count)
{
    vk_pack_vkCmdWriteTimestamp(p, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, s->h.queries, 1);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 1);
    vk_pack_vkCmdBeginQuery(p, s->h.queries, 1, 0);
    vk_pack_vkCmdWriteTimestamp(p, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, s->h.queries, 1);
    vk_pack_vkCmdEndQuery(p, s->h.queries, 1);
}
DRAW(a_query_of_a_stream)
{
    vk_pack_vkCmdBeginQueryIndexedEXT(p, s->h.queries, 1, 0, 77);
    scene_ready(p, s);
    scene_triangle(p);
    scene_done(p);
    vk_pack_vkCmdEndQueryIndexedEXT(p, s->h.queries, 1, 78);
}
DRAW(results_that_are_not_there)
{
    vk_pack_vkCmdCopyQueryPoolResults(p, s->h.queries, 0, 4, s->h.m.buffer, 0, 0,
                                      VK_QUERY_RESULT_WAIT_BIT | VK_QUERY_RESULT_64_BIT);
    vk_pack_vkCmdCopyQueryPoolResults(p, s->h.queries, 0, 4, s->h.m.buffer, 1, 3, 0xffffffff);
}

static const struct draw_case draw_cases[] = {
    ROW(rendering_with_a_pipeline_of_a_pass),
    ROW(rendering_on_nothing),
    ROW(rendering_of_depth_on_colour),
    ROW(rendering_of_colour_on_depth),
    ROW(rendering_of_no_layers),
    ROW(rendering_of_no_ops),
    ROW(rendering_of_many_views),
    ROW(rendering_ended_as_a_pass),
    ROW(a_pass_ended_as_rendering),
    ROW(rendering_that_is_suspended),
    ROW(a_query_that_does_not_end),
    ROW(a_query_that_does_not_begin),
    ROW(a_query_that_begins_twice),
    ROW(a_query_that_ends_twice),
    ROW(a_query_that_is_reset_while_it_counts),
    ROW(a_thousand_queries_at_once),
    ROW(a_query_begun_in_a_pass),
    ROW(a_time_as_a_count),
    ROW(a_query_of_a_stream),
    ROW(results_that_are_not_there),
};

SLT_TEST_FP(hvk_passes, out_of_order, w, struct draw_case, draw_cases, c)
{
    scene_case(w, c);
}
