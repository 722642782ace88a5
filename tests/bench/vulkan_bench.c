/* What Vulkan costs the program that uses it: an ordinary Vulkan program, natively or below
 * `sluice run --` the same binary.
 *
 *   vulkan_bench [--frames N] [--stops] [FIGURE ...]
 *
 * Prints one JSON object: each figure's median in ns; of commands and updates the ns of one. With
 * --stops it says "stop" on stdout before and after the counted frames, and goes on when a line
 * comes on stdin: that is where tests/bench/frame_table.py reads the processors' time of all
 * processes. Exit 1: something of Vulkan failed. */
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"
#include "constants_frag.h"
#include "push_frag.h"
#include "push_vert.h"
#include "quad_vert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    DRAWS = 2000,
    ROUNDS = 21,
    COPIES = 501, /* 0.15 ms each: where threads run decides for tens of them */
    FILLS = 41,
    CALLS = 2000,
    THREADS_MAX = 4,
    FLIGHT = 2,
    BLOCK = 4 << 20
};

struct bench {
    struct vx vx;
    struct vx_target target;
    struct vx_buffer vertices;
    VkPipelineLayout layout, push_layout;
    VkPipeline pipelines[2], push_pipeline;
    VkDescriptorSetLayout set_layout;
    VkDescriptorPool descriptor_pool;
    VkDescriptorSet sets[64];
    struct vx_buffer uniforms;
    uint64_t frames;
    bool stops;
    bool first; /* no figure is printed yet */
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void figure(struct bench *b, const char *name, double value)
{
    printf("%s\n  \"%s\": %.1f", b->first ? "{" : ",", name, value);
    b->first = false;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double median(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return (double)values[count / 2];
}

static void need(VkResult result, const char *what)
{
    if (result != VK_SUCCESS) {
        fprintf(stderr, "vulkan_bench: result %d\n", (int)result);
        vx_need(false, what);
    }
}

/* ---- what is drawn with ---- */

static void make_objects(struct bench *b)
{
    struct vx *vx = &b->vx;
    const VkShaderStageFlags both = VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT;
    b->target = vx_target(vx, VK_FORMAT_R8G8B8A8_UNORM);
    b->vertices = vx_buffer(vx, 3 * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    const struct vx_vertex corners[3] = {
        {{-0.1f, -0.1f}, {1}}, {{0.1f, -0.1f}, {0, 1}}, {{0, 0.1f}, {0, 0, 1}}};
    memcpy(b->vertices.map, corners, sizeof corners);
    b->set_layout = vx_set_layout(vx, "u");
    b->descriptor_pool = vx_descriptor_pool(vx, 64);
    b->uniforms = vx_buffer(vx, 64 * 256, VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT);
    for (int i = 0; i < 64; i++) {
        b->sets[i] = vx_set(vx, b->descriptor_pool, b->set_layout);
        vx_write_buffer(vx, b->sets[i], 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, &b->uniforms);
    }
    b->layout = vx_pipeline_layout(vx, VK_NULL_HANDLE, 0, 0);
    b->push_layout = vx_pipeline_layout(vx, b->set_layout, both, 40);
    struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                            .fragment = VX_CODE(colour_frag),
                            .layout = b->layout,
                            .pass = b->target.pass,
                            .has_vertices = true,
                            .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    b->pipelines[0] = vx_graphics_pipeline(vx, &p);
    p.blends = true;
    b->pipelines[1] = vx_graphics_pipeline(vx, &p);
    p.vertex = VX_CODE(push_vert);
    p.fragment = VX_CODE(push_frag);
    p.layout = b->push_layout;
    b->push_pipeline = vx_graphics_pipeline(vx, &p);
}

/* ---- instance and device ---- */

static void instance(struct bench *b)
{
    uint64_t alone[ROUNDS], both[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct vx vx;
        uint64_t begin = now_ns();
        vx_open_instance(&vx);
        vkDestroyInstance(vx.instance, NULL);
        alone[i] = now_ns() - begin;
        begin = now_ns();
        vx_open_instance(&vx);
        vx_open_device(&vx, NULL);
        vx_close_device(&vx);
        vkDestroyInstance(vx.instance, NULL);
        both[i] = now_ns() - begin;
    }
    figure(b, "instance", median(alone, ROUNDS));
    figure(b, "instance_device", median(both, ROUNDS));
}

/* ---- objects and memory ---- */

static void buffers(struct bench *b)
{
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = 65536,
                                     .usage = VK_BUFFER_USAGE_VERTEX_BUFFER_BIT};
    uint64_t took[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns();
        for (int i = 0; i < CALLS; i++) {
            VkBuffer buffer;
            need(vkCreateBuffer(b->vx.device, &info, NULL, &buffer), "vkCreateBuffer");
            vkDestroyBuffer(b->vx.device, buffer, NULL);
        }
        took[round] = now_ns() - begin;
    }
    figure(b, "buffer", median(took, ROUNDS) / CALLS);
}

static void allocate(struct bench *b, const char *name, VkDeviceSize size)
{
    static uint64_t took[CALLS];
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = size,
        .memoryTypeIndex = vx_memory_type(&b->vx, UINT32_MAX,
                                          VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                              VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)};
    for (int i = 0; i < CALLS; i++) {
        VkDeviceMemory memory;
        void *map;
        uint64_t begin = now_ns();
        need(vkAllocateMemory(b->vx.device, &info, NULL, &memory), "vkAllocateMemory");
        need(vkMapMemory(b->vx.device, memory, 0, VK_WHOLE_SIZE, 0, &map), "vkMapMemory");
        vkFreeMemory(b->vx.device, memory, NULL);
        took[i] = now_ns() - begin;
    }
    figure(b, name, median(took, CALLS));
}

static void memory(struct bench *b)
{
    allocate(b, "allocate_64k", 65536);
    allocate(b, "allocate_4m", BLOCK);
}

static void update(struct bench *b)
{
    VkDescriptorBufferInfo infos[64];
    VkWriteDescriptorSet writes[64];
    uint64_t one[ROUNDS], all[ROUNDS];
    for (uint32_t i = 0; i < 64; i++) {
        infos[i] = (VkDescriptorBufferInfo){b->uniforms.buffer, (VkDeviceSize)i * 256, 256};
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = b->sets[i],
                                           .descriptorCount = 1,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                           .pBufferInfo = &infos[i]};
    }
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns();
        for (int i = 0; i < CALLS; i++) {
            vkUpdateDescriptorSets(b->vx.device, 1, &writes[i % 64], 0, NULL);
        }
        uint64_t middle = now_ns();
        for (int i = 0; i < CALLS / 64; i++) {
            vkUpdateDescriptorSets(b->vx.device, 64, writes, 0, NULL);
        }
        one[round] = middle - begin;
        all[round] = now_ns() - middle;
    }
    figure(b, "update_1", median(one, ROUNDS) / CALLS);
    figure(b, "update_64", median(all, ROUNDS) / (double)(CALLS / 64 * 64));
}

/* ---- recording ---- */

static void begin_commands(const struct bench *b, VkCommandBuffer commands, bool once)
{
    const VkCommandBufferBeginInfo begin = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT
                      : VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    const VkDeviceSize zero = 0;
    need(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    vx_begin_target(commands, &b->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, b->pipelines[0]);
    vkCmdBindVertexBuffers(commands, 0, 1, &b->vertices.buffer, &zero);
}

static void end_commands(VkCommandBuffer commands)
{
    vkCmdEndRenderPass(commands);
    need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
}

/* Command buffers of a pool of their own. */
static VkCommandPool make_pool(const struct bench *b, uint32_t count, VkCommandBuffer *commands)
{
    const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = b->vx.family};
    VkCommandPool pool;
    need(vkCreateCommandPool(b->vx.device, &info, NULL, &pool), "vkCreateCommandPool");
    const VkCommandBufferAllocateInfo allocate_info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .commandBufferCount = count};
    need(vkAllocateCommandBuffers(b->vx.device, &allocate_info, commands), "command buffers");
    return pool;
}

static void record_draws(VkCommandBuffer commands)
{
    for (int i = 0; i < DRAWS; i++) {
        vkCmdDraw(commands, 3, 1, 0, 0);
    }
}

/* Six commands a step. */
static void record_mix(const struct bench *b, VkCommandBuffer commands)
{
    const VkShaderStageFlags both = VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT;
    const VkDeviceSize zero = 0;
    float push[8] = {-0.1f, -0.1f, 0.1f, 0.1f, 1, 1, 1, 1};
    for (int i = 0; i < DRAWS / 6; i++) {
        push[4] = (float)i;
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, b->push_pipeline);
        vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, b->push_layout, 0, 1,
                                &b->sets[i % 64], 0, NULL);
        vkCmdPushConstants(commands, b->push_layout, both, 0, sizeof push, push);
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, b->pipelines[i & 1]);
        vkCmdBindVertexBuffers(commands, 0, 1, &b->vertices.buffer, &zero);
        vkCmdDraw(commands, 3, 1, 0, 0);
    }
}

static void record(struct bench *b)
{
    VkCommandBuffer commands;
    VkCommandPool pool = make_pool(b, 1, &commands);
    uint64_t draws[ROUNDS], mix[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        begin_commands(b, commands, true);
        uint64_t begin = now_ns();
        record_draws(commands);
        draws[round] = now_ns() - begin;
        end_commands(commands);
        begin_commands(b, commands, true);
        begin = now_ns();
        record_mix(b, commands);
        mix[round] = now_ns() - begin;
        end_commands(commands);
    }
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    figure(b, "record_draw", median(draws, ROUNDS) / DRAWS);
    figure(b, "record_mix", median(mix, ROUNDS) / (double)(DRAWS / 6 * 6));
}

struct recorder {
    struct bench *b;
    pthread_t thread;
    pthread_barrier_t *start;
    uint64_t took;
};

static void *record_rounds(void *user)
{
    struct recorder *r = user;
    VkCommandBuffer commands;
    VkCommandPool pool = make_pool(r->b, 1, &commands);
    pthread_barrier_wait(r->start);
    uint64_t begin = now_ns();
    for (int round = 0; round < 4 * ROUNDS; round++) {
        begin_commands(r->b, commands, true);
        record_draws(commands);
        end_commands(commands);
    }
    r->took = now_ns() - begin;
    pthread_barrier_wait(r->start);
    vkDestroyCommandPool(r->b->vx.device, pool, NULL);
    return NULL;
}

static void record_threads(struct bench *b)
{
    for (unsigned threads = 1; threads <= THREADS_MAX; threads *= 2) {
        struct recorder recorders[THREADS_MAX];
        uint64_t took[THREADS_MAX];
        pthread_barrier_t start;
        pthread_barrier_init(&start, NULL, threads);
        for (unsigned i = 0; i < threads; i++) {
            recorders[i] = (struct recorder){.b = b, .start = &start};
            vx_need(pthread_create(&recorders[i].thread, NULL, record_rounds, &recorders[i]) == 0,
                    "a thread");
        }
        for (unsigned i = 0; i < threads; i++) {
            pthread_join(recorders[i].thread, NULL);
            took[i] = recorders[i].took;
        }
        pthread_barrier_destroy(&start);
        char name[32];
        snprintf(name, sizeof name, "record_threads_%u", threads);
        figure(b, name, median(took, threads) / (4.0 * ROUNDS * DRAWS));
    }
}

/* ---- submitting ---- */

static VkFence make_fence(const struct bench *b)
{
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence;
    need(vkCreateFence(b->vx.device, &info, NULL, &fence), "vkCreateFence");
    return fence;
}

static void submit(const struct bench *b, uint32_t count, const VkCommandBuffer *commands,
                   VkFence fence)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = count,
                               .pCommandBuffers = commands};
    need(vkQueueSubmit(b->vx.queue, count > 0, &info, fence), "vkQueueSubmit");
}

static void wait_and_reset(const struct bench *b, VkFence fence)
{
    need(vkWaitForFences(b->vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
    need(vkResetFences(b->vx.device, 1, &fence), "vkResetFences");
}

static void submit_empty(struct bench *b)
{
    static uint64_t took[CALLS];
    VkFence fence = make_fence(b);
    for (int i = 0; i < CALLS; i++) {
        uint64_t begin = now_ns();
        submit(b, 0, NULL, fence);
        need(vkWaitForFences(b->vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
        took[i] = now_ns() - begin;
        need(vkResetFences(b->vx.device, 1, &fence), "vkResetFences");
    }
    figure(b, "submit_empty", median(took, CALLS));
    for (int i = 0; i < CALLS / 8; i++) {
        usleep(1000);
        uint64_t begin = now_ns();
        submit(b, 0, NULL, fence);
        need(vkWaitForFences(b->vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
        took[i] = now_ns() - begin;
        need(vkResetFences(b->vx.device, 1, &fence), "vkResetFences");
    }
    figure(b, "submit_idle", median(took, CALLS / 8));
    uint64_t status[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns();
        for (int i = 0; i < CALLS; i++) {
            vx_need(vkGetFenceStatus(b->vx.device, fence) == VK_NOT_READY, "vkGetFenceStatus");
        }
        status[round] = now_ns() - begin;
    }
    figure(b, "fence_status", median(status, ROUNDS) / CALLS);
    vkDestroyFence(b->vx.device, fence, NULL);
}

/* The same commands again and again. */
static void resubmit(struct bench *b)
{
    uint64_t took[ROUNDS];
    VkFence fence = make_fence(b);
    VkCommandBuffer commands;
    VkCommandPool pool = make_pool(b, 1, &commands);
    begin_commands(b, commands, false);
    record_draws(commands);
    end_commands(commands);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns();
        submit(b, 1, &commands, fence);
        wait_and_reset(b, fence);
        took[round] = now_ns() - begin;
    }
    vkDestroyFence(b->vx.device, fence, NULL);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    figure(b, "resubmit", median(took, ROUNDS));
}

/* ---- pipelines ---- */

/* Another one each time: no cache knows it. */
static VkPipeline make_pipeline(struct bench *b, int32_t number)
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

static void pipelines(struct bench *b)
{
    uint64_t create[ROUNDS], use[ROUNDS];
    VkFence fence = make_fence(b);
    VkCommandBuffer commands;
    VkCommandPool pool = make_pool(b, 1, &commands);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns();
        VkPipeline pipeline = make_pipeline(b, round);
        create[round] = now_ns() - begin;
        begin_commands(b, commands, true);
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
        vkCmdDraw(commands, 3, 1, 0, 0);
        end_commands(commands);
        submit(b, 1, &commands, fence);
        wait_and_reset(b, fence);
        use[round] = now_ns() - begin;
        vkDestroyPipeline(b->vx.device, pipeline, NULL);
    }
    vkDestroyFence(b->vx.device, fence, NULL);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    figure(b, "pipeline", median(create, ROUNDS));
    figure(b, "pipeline_use", median(use, ROUNDS));
}

/* ---- bandwidth ---- */

static void copy(struct bench *b, VkCommandBuffer commands, VkFence fence, VkBuffer from,
                 VkBuffer to)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    const VkBufferCopy all = {0, 0, BLOCK};
    need(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    vkCmdCopyBuffer(commands, from, to, 1, &all);
    vx_memory_barrier(commands);
    need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    submit(b, 1, &commands, fence);
    wait_and_reset(b, fence);
}

static void bandwidth(struct bench *b)
{
    const VkBufferUsageFlags usage =
        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    static uint64_t written[COPIES], upload[COPIES], readback[COPIES];
    struct vx_buffer staging = vx_buffer(&b->vx, BLOCK, usage);
    struct vx_buffer there = vx_buffer(&b->vx, BLOCK, usage);
    char *bytes = malloc(BLOCK);
    vx_need(bytes != NULL, "memory");
    memset(bytes, 7, BLOCK);
    VkFence fence = make_fence(b);
    VkCommandBuffer commands;
    VkCommandPool pool = make_pool(b, 1, &commands);
    for (int round = 0; round < COPIES; round++) {
        bytes[round] = (char)round;
        uint64_t begin = now_ns();
        memcpy(staging.map, bytes, BLOCK);
        written[round] = now_ns() - begin;
        copy(b, commands, fence, staging.buffer, there.buffer);
        upload[round] = now_ns() - begin;
        begin = now_ns();
        copy(b, commands, fence, there.buffer, staging.buffer);
        memcpy(bytes, staging.map, BLOCK);
        readback[round] = now_ns() - begin;
    }
    free(bytes);
    vkDestroyFence(b->vx.device, fence, NULL);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    vx_buffer_free(&b->vx, &staging);
    vx_buffer_free(&b->vx, &there);
    figure(b, "mapped_write_4m", median(written, COPIES));
    figure(b, "upload_4m", median(upload, COPIES));
    figure(b, "readback_4m", median(readback, COPIES));
}

/* ---- frames ---- */

/* Where the other side of the pipe looks at us. */
static void stop(const struct bench *b)
{
    char line[16];
    if (b->stops) {
        printf("\nstop\n");
        fflush(stdout);
        vx_need(fgets(line, sizeof line, stdin) != NULL, "going on after a stop");
    }
}

/* DRAWS draws recorded and submitted, again and again, FLIGHT frames at most on their way. */
static void frame(struct bench *b)
{
    VkFence fences[FLIGHT];
    VkCommandBuffer commands[FLIGHT];
    VkCommandPool pool = make_pool(b, FLIGHT, commands);
    for (int i = 0; i < FLIGHT; i++) {
        fences[i] = make_fence(b);
        submit(b, 0, NULL, fences[i]);
    }
    stop(b);
    uint64_t begin = now_ns();
    for (uint64_t n = 0; n < b->frames; n++) {
        const uint64_t slot = n % FLIGHT;
        wait_and_reset(b, fences[slot]);
        begin_commands(b, commands[slot], true);
        record_draws(commands[slot]);
        end_commands(commands[slot]);
        submit(b, 1, &commands[slot], fences[slot]);
    }
    need(vkQueueWaitIdle(b->vx.queue), "vkQueueWaitIdle");
    uint64_t took = now_ns() - begin;
    stop(b);
    for (int i = 0; i < FLIGHT; i++) {
        vkDestroyFence(b->vx.device, fences[i], NULL);
    }
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    figure(b, "frame", (double)took / (double)b->frames);
    figure(b, "frames_count", (double)b->frames);
}

/* 1280 x 720, all of it shaded six times. */
static void fill(struct bench *b)
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
        uint64_t begin = now_ns();
        VkCommandBuffer commands = vx_begin(vx);
        vx_begin_target(commands, &target, VK_SUBPASS_CONTENTS_INLINE);
        vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
        for (int i = 0; i < 6; i++) {
            vkCmdDraw(commands, 3, 1, 0, 0);
        }
        vkCmdEndRenderPass(commands);
        vx_submit(vx, commands);
        if (round >= 0) {
            took[round] = now_ns() - begin;
        }
    }
    vkDestroyPipeline(vx->device, pipeline, NULL);
    vx_target_free(vx, &target);
    figure(b, "fill", median(took, FILLS));
}

static const struct {
    const char *name;
    void (*run)(struct bench *b);
} figures[] = {
    {"frame", frame},
    {"instance", instance},
    {"buffer", buffers},
    {"memory", memory},
    {"update", update},
    {"record", record},
    {"threads", record_threads},
    {"submit", submit_empty},
    {"resubmit", resubmit},
    {"pipeline", pipelines},
    {"bandwidth", bandwidth},
    {"fill", fill},
};

static bool chosen(const char *name, char **names)
{
    bool any = *names == NULL;
    for (; *names != NULL; names++) {
        any = any || strcmp(name, *names) == 0;
    }
    return any;
}

int main(int argc, char **argv)
{
    struct bench b = {.frames = 200, .first = true};
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--stops") == 0) {
            b.stops = true;
        } else if (strcmp(argv[i], "--frames") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0) {
            b.frames = (uint64_t)atoi(argv[++i]);
        } else {
            fprintf(stderr, "vulkan_bench: '%s' is no option; it takes --frames N and --stops\n",
                    argv[i]);
            return 2;
        }
    }
    vx_open(&b.vx, NULL);
    fprintf(stderr, "device: %s\n", b.vx.properties.deviceName);
    make_objects(&b);
    for (size_t n = 0; n < sizeof figures / sizeof figures[0]; n++) {
        if (chosen(figures[n].name, argv + i)) {
            figures[n].run(&b);
        }
    }
    printf("\n}\n");
    return 0;
}
