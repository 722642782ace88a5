/* What the device's work costs the program that waits for it: submits, pipelines, copies, frames.
 */
#include "tests/bench/vulkan_bench.h"

#include "constants_frag.h"
#include "quad_vert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    COPIES = 501, /* 0.15 ms each: where threads run decides for tens of them */
    FILLS = 41,
    FLIGHT = 2
};

/* ---- submitting ---- */

static VkFence make_fence(const struct vkb *b)
{
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence;
    vkb_need(vkCreateFence(b->vx.device, &info, NULL, &fence), "vkCreateFence");
    return fence;
}

static void submit(const struct vkb *b, uint32_t count, const VkCommandBuffer *commands,
                   VkFence fence)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = count,
                               .pCommandBuffers = commands};
    vkb_need(vkQueueSubmit(b->vx.queue, count > 0, &info, fence), "vkQueueSubmit");
}

static void wait_and_reset(const struct vkb *b, VkFence fence)
{
    vkb_need(vkWaitForFences(b->vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
    vkb_need(vkResetFences(b->vx.device, 1, &fence), "vkResetFences");
}

void vkb_submit_empty(struct vkb *b)
{
    static uint64_t took[VKB_CALLS];
    VkFence fence = make_fence(b);
    for (int i = 0; i < VKB_CALLS; i++) {
        uint64_t begin = vkb_now_ns();
        submit(b, 0, NULL, fence);
        vkb_need(vkWaitForFences(b->vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
        took[i] = vkb_now_ns() - begin;
        vkb_need(vkResetFences(b->vx.device, 1, &fence), "vkResetFences");
    }
    vkb_figure(b, "submit_empty", vkb_median(took, VKB_CALLS));
    for (int i = 0; i < VKB_CALLS / 8; i++) {
        usleep(1000);
        uint64_t begin = vkb_now_ns();
        submit(b, 0, NULL, fence);
        vkb_need(vkWaitForFences(b->vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
        took[i] = vkb_now_ns() - begin;
        vkb_need(vkResetFences(b->vx.device, 1, &fence), "vkResetFences");
    }
    vkb_figure(b, "submit_idle", vkb_median(took, VKB_CALLS / 8));
    uint64_t status[VKB_ROUNDS];
    for (int round = 0; round < VKB_ROUNDS; round++) {
        uint64_t begin = vkb_now_ns();
        for (int i = 0; i < VKB_CALLS; i++) {
            vx_need(vkGetFenceStatus(b->vx.device, fence) == VK_NOT_READY, "vkGetFenceStatus");
        }
        status[round] = vkb_now_ns() - begin;
    }
    vkb_figure(b, "fence_status", vkb_median(status, VKB_ROUNDS) / VKB_CALLS);
    vkDestroyFence(b->vx.device, fence, NULL);
}

/* 64 bytes are filled. */
void vkb_submit_little(struct vkb *b)
{
    static uint64_t took[VKB_CALLS];
    const VkCommandBufferBeginInfo begin_info = {.sType =
                                                     VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkFence fence = make_fence(b);
    VkCommandBuffer commands;
    VkCommandPool pool = vkb_pool(b, 1, &commands);
    struct vx_buffer buffer = vx_buffer(&b->vx, 64, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    vkb_need(vkBeginCommandBuffer(commands, &begin_info), "vkBeginCommandBuffer");
    vkCmdFillBuffer(commands, buffer.buffer, 0, 64, 1);
    vkb_need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    for (int i = 0; i < VKB_CALLS; i++) {
        uint64_t begin = vkb_now_ns();
        submit(b, 1, &commands, fence);
        vkb_need(vkWaitForFences(b->vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
        took[i] = vkb_now_ns() - begin;
        vkb_need(vkResetFences(b->vx.device, 1, &fence), "vkResetFences");
    }
    vkDestroyFence(b->vx.device, fence, NULL);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    vx_buffer_free(&b->vx, &buffer);
    vkb_figure(b, "submit_little", vkb_median(took, VKB_CALLS));
}

void vkb_resubmit(struct vkb *b)
{
    uint64_t took[VKB_ROUNDS];
    VkFence fence = make_fence(b);
    VkCommandBuffer commands;
    VkCommandPool pool = vkb_pool(b, 1, &commands);
    vkb_begin(b, commands, false);
    vkb_draws(commands);
    vkb_end(commands);
    for (int round = 0; round < VKB_ROUNDS; round++) {
        uint64_t begin = vkb_now_ns();
        submit(b, 1, &commands, fence);
        wait_and_reset(b, fence);
        took[round] = vkb_now_ns() - begin;
    }
    vkDestroyFence(b->vx.device, fence, NULL);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    vkb_figure(b, "resubmit", vkb_median(took, VKB_ROUNDS));
}

/* ---- pipelines ---- */

/* Another one each time: no cache knows it. */
static VkPipeline make_pipeline(struct vkb *b, int32_t number)
{
    static const VkSpecializationMapEntry entries[] = {{1, 0, 4}, {2, 4, 4}};
    struct {
        int32_t steps;
        float gain;
    } values = {1 + number % 3, 1.5f + (float)number / 64};
    const VkSpecializationInfo constants = {2, entries, sizeof values, &values};
    const struct vx_pipeline p = {.vertex = VX_CODE(quad_vert),
                                  .fragment = VX_CODE(constants_frag),
                                  .layout = b->layout,
                                  .pass = b->target.pass,
                                  .constants = &constants,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    return vx_graphics_pipeline(&b->vx, &p);
}

void vkb_pipelines(struct vkb *b)
{
    uint64_t create[VKB_ROUNDS], use[VKB_ROUNDS];
    VkFence fence = make_fence(b);
    VkCommandBuffer commands;
    VkCommandPool pool = vkb_pool(b, 1, &commands);
    for (int round = 0; round < VKB_ROUNDS; round++) {
        uint64_t begin = vkb_now_ns();
        VkPipeline pipeline = make_pipeline(b, round);
        create[round] = vkb_now_ns() - begin;
        vkb_begin(b, commands, true);
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
        vkCmdDraw(commands, 3, 1, 0, 0);
        vkb_end(commands);
        submit(b, 1, &commands, fence);
        wait_and_reset(b, fence);
        use[round] = vkb_now_ns() - begin;
        vkDestroyPipeline(b->vx.device, pipeline, NULL);
    }
    vkDestroyFence(b->vx.device, fence, NULL);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    vkb_figure(b, "pipeline", vkb_median(create, VKB_ROUNDS));
    vkb_figure(b, "pipeline_use", vkb_median(use, VKB_ROUNDS));
}

/* ---- bandwidth ---- */

static void copy(struct vkb *b, VkCommandBuffer commands, VkFence fence, VkBuffer from, VkBuffer to)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    const VkBufferCopy all = {0, 0, VKB_BLOCK};
    vkb_need(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    vkCmdCopyBuffer(commands, from, to, 1, &all);
    vx_memory_barrier(commands);
    vkb_need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    submit(b, 1, &commands, fence);
    wait_and_reset(b, fence);
}

void vkb_bandwidth(struct vkb *b)
{
    const VkBufferUsageFlags usage =
        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    static uint64_t written[COPIES], upload[COPIES], readback[COPIES];
    struct vx_buffer staging = vx_buffer(&b->vx, VKB_BLOCK, usage);
    struct vx_buffer there = vx_buffer(&b->vx, VKB_BLOCK, usage);
    char *bytes = malloc(VKB_BLOCK);
    vx_need(bytes != NULL, "memory");
    memset(bytes, 7, VKB_BLOCK);
    VkFence fence = make_fence(b);
    VkCommandBuffer commands;
    VkCommandPool pool = vkb_pool(b, 1, &commands);
    for (int round = 0; round < COPIES; round++) {
        bytes[round] = (char)round;
        uint64_t begin = vkb_now_ns();
        memcpy(staging.map, bytes, VKB_BLOCK);
        written[round] = vkb_now_ns() - begin;
        copy(b, commands, fence, staging.buffer, there.buffer);
        upload[round] = vkb_now_ns() - begin;
        begin = vkb_now_ns();
        copy(b, commands, fence, there.buffer, staging.buffer);
        memcpy(bytes, staging.map, VKB_BLOCK);
        readback[round] = vkb_now_ns() - begin;
    }
    free(bytes);
    vkDestroyFence(b->vx.device, fence, NULL);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    vx_buffer_free(&b->vx, &staging);
    vx_buffer_free(&b->vx, &there);
    vkb_figure(b, "mapped_write_4m", vkb_median(written, COPIES));
    vkb_figure(b, "upload_4m", vkb_median(upload, COPIES));
    vkb_figure(b, "readback_4m", vkb_median(readback, COPIES));
}

/* ---- frames ---- */

/* Where the other side of the pipe looks at us. */
static void stop(const struct vkb *b)
{
    char line[16];
    if (b->stops) {
        printf("\nstop\n");
        fflush(stdout);
        vx_need(fgets(line, sizeof line, stdin) != NULL, "going on after a stop");
    }
}

void vkb_frame(struct vkb *b)
{
    VkFence fences[FLIGHT];
    VkCommandBuffer commands[FLIGHT];
    VkCommandPool pool = vkb_pool(b, FLIGHT, commands);
    for (int i = 0; i < FLIGHT; i++) {
        fences[i] = make_fence(b);
        submit(b, 0, NULL, fences[i]);
    }
    stop(b);
    uint64_t begin = vkb_now_ns();
    for (uint64_t n = 0; n < b->frames; n++) {
        const uint64_t slot = n % FLIGHT;
        wait_and_reset(b, fences[slot]);
        vkb_begin(b, commands[slot], true);
        vkb_draws(commands[slot]);
        vkb_end(commands[slot]);
        submit(b, 1, &commands[slot], fences[slot]);
    }
    vkb_need(vkQueueWaitIdle(b->vx.queue), "vkQueueWaitIdle");
    uint64_t took = vkb_now_ns() - begin;
    stop(b);
    for (int i = 0; i < FLIGHT; i++) {
        vkDestroyFence(b->vx.device, fences[i], NULL);
    }
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    vkb_figure(b, "frame", (double)took / (double)b->frames);
    vkb_figure(b, "frames_count", (double)b->frames);
}

void vkb_fill(struct vkb *b)
{
    static const VkSpecializationMapEntry entry = {1, 0, 4};
    static const int32_t steps = 12;
    const VkSpecializationInfo constants = {1, &entry, sizeof steps, &steps};
    struct vx *vx = &b->vx;
    uint64_t took[FILLS];
    struct vx_target target = vx_target_sized(vx, VK_FORMAT_R8G8B8A8_UNORM, 1280, 720);
    const struct vx_pipeline p = {.vertex = VX_CODE(quad_vert),
                                  .fragment = VX_CODE(constants_frag),
                                  .layout = b->layout,
                                  .pass = target.pass,
                                  .constants = &constants,
                                  .blends = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST,
                                  .width = 1280,
                                  .height = 720};
    VkPipeline pipeline = vx_graphics_pipeline(vx, &p);
    for (int round = -1; round < FILLS; round++) { /* the first compiles */
        uint64_t begin = vkb_now_ns();
        VkCommandBuffer commands = vx_begin(vx);
        vx_begin_target(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
        for (int i = 0; i < 6; i++) {
            vkCmdDraw(commands, 3, 1, 0, 0);
        }
        vkCmdEndRenderPass(commands);
        vx_submit(vx, commands);
        if (round >= 0) {
            took[round] = vkb_now_ns() - begin;
        }
    }
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vx_target_free(vx, &target);
    vkb_figure(b, "fill", vkb_median(took, FILLS));
}
