/* Secondary command buffers: inside a pass and outside, many in one call, used twice, recorded on
 * threads, with inherited queries; reset and recorded anew. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"

enum { TRIANGLES = 32, PARTS = 8, ROUNDS = 3 };

struct scene {
    struct vx *vx;
    struct vx_target target;
    struct vx_buffer vertices;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    uint32_t round;
};

struct part {
    struct scene *scene;
    uint32_t index;
    pthread_t thread;
    VkCommandPool pool;
    VkCommandBuffer commands;
};

static void make_part(struct scene *s, struct part *part, uint32_t index)
{
    *part = (struct part){.scene = s, .index = index};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = s->vx->family};
    VX(s->vx, vkCreateCommandPool(s->vx->device, &pool, NULL, &part->pool));
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = part->pool,
        .level = VK_COMMAND_BUFFER_LEVEL_SECONDARY,
        .commandBufferCount = 1};
    VX(s->vx, vkAllocateCommandBuffers(s->vx->device, &allocate, &part->commands));
}

static void *record(void *user)
{
    struct part *part = user;
    struct scene *s = part->scene;
    const VkCommandBufferInheritanceInfo inherits = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
        .renderPass = s->target.pass,
        .framebuffer = part->index % 2 == 0 ? s->target.framebuffer : VK_NULL_HANDLE,
        .occlusionQueryEnable = s->vx->features.inheritedQueries};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags =
                                                VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT |
                                                VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
                                            .pInheritanceInfo = &inherits};
    const VkDeviceSize zero = 0;
    vx_need(vkBeginCommandBuffer(part->commands, &begin) == VK_SUCCESS, "vkBeginCommandBuffer");
    vkCmdBindPipeline(part->commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vkCmdBindVertexBuffers(part->commands, 0, 1, &s->vertices.buffer, &zero);
    for (uint32_t i = 0; i < 25; i++) {
        uint32_t triangle = (part->index * 4 + i * (s->round + 1)) % TRIANGLES;
        vkCmdDraw(part->commands, 3, 1, 3 * triangle, 0);
    }
    vx_need(vkEndCommandBuffer(part->commands) == VK_SUCCESS, "vkEndCommandBuffer");
    return NULL;
}

static void draw(struct scene *s, struct part *parts, VkQueryPool queries, const char *name)
{
    struct vx *vx = s->vx;
    VkCommandBuffer all[PARTS];
    uint64_t samples = 0;
    for (int i = 0; i < PARTS; i++) {
        vx_need(pthread_create(&parts[i].thread, NULL, record, &parts[i]) == 0, "a thread");
    }
    for (int i = 0; i < PARTS; i++) {
        pthread_join(parts[i].thread, NULL);
        all[i] = parts[i].commands;
    }
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdResetQueryPool(commands, queries, 0, 1);
    if (vx->features.inheritedQueries) {
        vkCmdBeginQuery(commands, queries, 0, 0);
    }
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_SECONDARY_COMMAND_BUFFERS);
    vkCmdExecuteCommands(commands, PARTS, all);
    vkCmdExecuteCommands(commands, 1, &all[2]);
    vkCmdEndRenderPass(commands);
    if (vx->features.inheritedQueries) {
        vkCmdEndQuery(commands, queries, 0);
    }
    vx_submit(vx, commands);
    vx_show_target(vx, name, &s->target);
    if (vx->features.inheritedQueries) {
        VX(vx, vkGetQueryPoolResults(vx->device, queries, 0, 1, 8, &samples, 8,
                                     VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
        vx_show_text(vx, name, "%d", samples > 0);
    }
}

/* A secondary buffer that fills another buffer, outside any pass, executed by two primaries. */
static void outside(struct scene *s, struct part *part)
{
    struct vx *vx = s->vx;
    struct vx_buffer bytes = vx_buffer(vx, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    const VkCommandBufferInheritanceInfo nothing = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .pInheritanceInfo = &nothing};
    VX(vx, vkResetCommandBuffer(part->commands, VK_COMMAND_BUFFER_RESET_RELEASE_RESOURCES_BIT));
    VX(vx, vkBeginCommandBuffer(part->commands, &begin));
    for (uint32_t i = 0; i < 64; i++) {
        vkCmdFillBuffer(part->commands, bytes.buffer, i * 64, 64, i * 0x01010101u);
    }
    VX(vx, vkEndCommandBuffer(part->commands));
    for (int i = 0; i < 2; i++) {
        VkCommandBuffer commands = vx_begin(vx);
        vkCmdFillBuffer(commands, bytes.buffer, 0, VK_WHOLE_SIZE, 0xffffffffu);
        vx_memory_barrier(commands);
        vkCmdExecuteCommands(commands, 1, &part->commands);
        vx_memory_barrier(commands);
        vx_submit(vx, commands);
        vx_show(vx, "outside", bytes.map, bytes.size);
    }
    vx_buffer_free(vx, &bytes);
}

int main(void)
{
    struct vx vx;
    vx_open(&vx, NULL);
    struct scene s = {.vx = &vx,
                      .target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM),
                      .layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0)};
    s.vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    vx_triangles(s.vertices.map, TRIANGLES, 53);
    const struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = s.layout,
                                  .pass = s.target.pass,
                                  .has_vertices = true,
                                  .blends = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    s.pipeline = vx_graphics_pipeline(&vx, &p);
    const VkQueryPoolCreateInfo query = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                         .queryType = VK_QUERY_TYPE_OCCLUSION,
                                         .queryCount = 1};
    VkQueryPool queries;
    VX(&vx, vkCreateQueryPool(vx.device, &query, NULL, &queries));
    struct part parts[PARTS];
    for (uint32_t i = 0; i < PARTS; i++) {
        make_part(&s, &parts[i], i);
    }
    static const char *const names[ROUNDS] = {"round.0", "round.1", "round.2"};
    for (s.round = 0; s.round < ROUNDS; s.round++) {
        draw(&s, parts, queries, names[s.round]);
    }
    outside(&s, &parts[3]);
    for (int i = 0; i < PARTS; i++) {
        vkFreeCommandBuffers(vx.device, parts[i].pool, 1, &parts[i].commands);
        vkDestroyCommandPool(vx.device, parts[i].pool, NULL);
    }
    vkDestroyQueryPool(vx.device, queries, NULL);
    vkDestroyPipeline(vx.device, s.pipeline, NULL);
    vkDestroyPipelineLayout(vx.device, s.layout, NULL);
    vx_buffer_free(&vx, &s.vertices);
    vx_target_free(&vx, &s.target);
    vx_close(&vx);
    return 0;
}
