/* What Vulkan costs the program that uses it: an ordinary Vulkan program, natively or below
 * `sluice run --` the same binary.
 *
 *   vulkan_bench [--frames N] [--stops] [FIGURE ...]
 *
 * Prints one JSON object: each figure's median in ns; of commands and updates the ns of one. With
 * --stops it says "stop" on stdout before and after the counted frames, and goes on when a line
 * comes on stdin: that is where tests/bench/frame_table.py reads the processors' time of all
 * processes. Exit 1: something of Vulkan failed. */
#include "tests/bench/vulkan_bench.h"

#include "colour_frag.h"
#include "colour_vert.h"
#include "push_frag.h"
#include "push_vert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t vkb_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void vkb_figure(struct vkb *b, const char *name, double value)
{
    printf("%s\n  \"%s\": %.1f", b->first ? "{" : ",", name, value);
    b->first = false;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

double vkb_median(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return (double)values[count / 2];
}

void vkb_need(VkResult result, const char *what)
{
    if (result != VK_SUCCESS) {
        fprintf(stderr, "vulkan_bench: result %d\n", (int)result);
        vx_need(false, what);
    }
}

/* ---- what is drawn with ---- */

static void make_objects(struct vkb *b)
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

static void instance(struct vkb *b)
{
    uint64_t alone[VKB_ROUNDS], both[VKB_ROUNDS];
    for (int i = 0; i < VKB_ROUNDS; i++) {
        struct vx vx;
        uint64_t begin = vkb_now_ns();
        vx_open_instance(&vx);
        vkDestroyInstance(vx.instance, NULL);
        alone[i] = vkb_now_ns() - begin;
        begin = vkb_now_ns();
        vx_open_instance(&vx);
        vx_open_device(&vx, NULL);
        vx_close_device(&vx);
        vkDestroyInstance(vx.instance, NULL);
        both[i] = vkb_now_ns() - begin;
    }
    vkb_figure(b, "instance", vkb_median(alone, VKB_ROUNDS));
    vkb_figure(b, "instance_device", vkb_median(both, VKB_ROUNDS));
}

/* ---- objects and memory ---- */

static void buffers(struct vkb *b)
{
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = 65536,
                                     .usage = VK_BUFFER_USAGE_VERTEX_BUFFER_BIT};
    uint64_t took[VKB_ROUNDS];
    for (int round = 0; round < VKB_ROUNDS; round++) {
        uint64_t begin = vkb_now_ns();
        for (int i = 0; i < VKB_CALLS; i++) {
            VkBuffer buffer;
            vkb_need(vkCreateBuffer(b->vx.device, &info, NULL, &buffer), "vkCreateBuffer");
            vkDestroyBuffer(b->vx.device, buffer, NULL);
        }
        took[round] = vkb_now_ns() - begin;
    }
    vkb_figure(b, "buffer", vkb_median(took, VKB_ROUNDS) / VKB_CALLS);
}

static void allocate(struct vkb *b, const char *name, VkDeviceSize size)
{
    static uint64_t took[VKB_CALLS];
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = size,
        .memoryTypeIndex = vx_memory_type(&b->vx, UINT32_MAX,
                                          VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                              VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)};
    for (int i = 0; i < VKB_CALLS; i++) {
        VkDeviceMemory memory;
        void *map;
        uint64_t begin = vkb_now_ns();
        vkb_need(vkAllocateMemory(b->vx.device, &info, NULL, &memory), "vkAllocateMemory");
        vkb_need(vkMapMemory(b->vx.device, memory, 0, VK_WHOLE_SIZE, 0, &map), "vkMapMemory");
        vkFreeMemory(b->vx.device, memory, NULL);
        took[i] = vkb_now_ns() - begin;
    }
    vkb_figure(b, name, vkb_median(took, VKB_CALLS));
}

static void memory(struct vkb *b)
{
    allocate(b, "allocate_64k", 65536);
    allocate(b, "allocate_4m", VKB_BLOCK);
}

static void update(struct vkb *b)
{
    VkDescriptorBufferInfo infos[64];
    VkWriteDescriptorSet writes[64];
    uint64_t one[VKB_ROUNDS], all[VKB_ROUNDS];
    /* All of it takes a millisecond, in which nothing that was issued before shall still run. */
    vkb_need(vkDeviceWaitIdle(b->vx.device), "vkDeviceWaitIdle");
    for (uint32_t i = 0; i < 64; i++) {
        infos[i] = (VkDescriptorBufferInfo){b->uniforms.buffer, (VkDeviceSize)i * 256, 256};
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = b->sets[i],
                                           .descriptorCount = 1,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                           .pBufferInfo = &infos[i]};
    }
    for (int round = 0; round < VKB_ROUNDS; round++) {
        uint64_t begin = vkb_now_ns();
        for (int i = 0; i < VKB_CALLS; i++) {
            vkUpdateDescriptorSets(b->vx.device, 1, &writes[i % 64], 0, NULL);
        }
        uint64_t middle = vkb_now_ns();
        for (int i = 0; i < VKB_CALLS / 64; i++) {
            vkUpdateDescriptorSets(b->vx.device, 64, writes, 0, NULL);
        }
        one[round] = middle - begin;
        all[round] = vkb_now_ns() - middle;
    }
    vkb_figure(b, "update_1", vkb_median(one, VKB_ROUNDS) / VKB_CALLS);
    vkb_figure(b, "update_64", vkb_median(all, VKB_ROUNDS) / (double)(VKB_CALLS / 64 * 64));
}

/* ---- recording ---- */

void vkb_begin(const struct vkb *b, VkCommandBuffer commands, bool once)
{
    const VkCommandBufferBeginInfo begin = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT
                      : VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    const VkDeviceSize zero = 0;
    vkb_need(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    vx_begin_target(commands, &b->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, b->pipelines[0]);
    vkCmdBindVertexBuffers(commands, 0, 1, &b->vertices.buffer, &zero);
}

void vkb_end(VkCommandBuffer commands)
{
    vkCmdEndRenderPass(commands);
    vkb_need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
}

VkCommandPool vkb_pool(const struct vkb *b, uint32_t count, VkCommandBuffer *commands)
{
    const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                          .queueFamilyIndex = b->vx.family};
    VkCommandPool pool;
    vkb_need(vkCreateCommandPool(b->vx.device, &info, NULL, &pool), "vkCreateCommandPool");
    const VkCommandBufferAllocateInfo allocate_info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .commandBufferCount = count};
    vkb_need(vkAllocateCommandBuffers(b->vx.device, &allocate_info, commands), "command buffers");
    return pool;
}

void vkb_draws(VkCommandBuffer commands)
{
    for (int i = 0; i < VKB_DRAWS; i++) {
        vkCmdDraw(commands, 3, 1, 0, 0);
    }
}

/* Six commands a step. */
static void record_mix(const struct vkb *b, VkCommandBuffer commands)
{
    const VkShaderStageFlags both = VK_SHADER_STAGE_VERTEX_BIT | VK_SHADER_STAGE_FRAGMENT_BIT;
    const VkDeviceSize zero = 0;
    float push[8] = {-0.1f, -0.1f, 0.1f, 0.1f, 1, 1, 1, 1};
    for (int i = 0; i < VKB_DRAWS / 6; i++) {
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

static void record(struct vkb *b)
{
    VkCommandBuffer commands;
    VkCommandPool pool = vkb_pool(b, 1, &commands);
    uint64_t draws[VKB_ROUNDS], mix[VKB_ROUNDS];
    for (int round = 0; round < VKB_ROUNDS; round++) {
        vkb_begin(b, commands, true);
        uint64_t begin = vkb_now_ns();
        vkb_draws(commands);
        draws[round] = vkb_now_ns() - begin;
        vkb_end(commands);
        vkb_begin(b, commands, true);
        begin = vkb_now_ns();
        record_mix(b, commands);
        mix[round] = vkb_now_ns() - begin;
        vkb_end(commands);
    }
    vkDestroyCommandPool(b->vx.device, pool, NULL);
    vkb_figure(b, "record_draw", vkb_median(draws, VKB_ROUNDS) / VKB_DRAWS);
    vkb_figure(b, "record_mix", vkb_median(mix, VKB_ROUNDS) / (double)(VKB_DRAWS / 6 * 6));
}

enum {
    THREADS_MAX = 4,
    TAKES = 9,                /* a take lasts a millisecond, in which anything may happen */
    RECORDS = 4 * VKB_ROUNDS, /* command buffers in a take of a thread */
    DRAW_BYTES = 28           /* of a packed draw */
};

struct recorder {
    const struct vkb *b;
    void (*work)(const struct vkb *b, pthread_barrier_t *start, uint64_t *took);
    pthread_t thread;
    pthread_barrier_t *start;
    uint64_t took;
};

static void record_some(const struct vkb *b, pthread_barrier_t *start, uint64_t *took)
{
    VkCommandBuffer commands;
    VkCommandPool pool = vkb_pool(b, 1, &commands);
    pthread_barrier_wait(start);
    uint64_t begin = vkb_now_ns();
    for (int i = 0; i < RECORDS; i++) {
        vkb_begin(b, commands, true);
        vkb_draws(commands);
        vkb_end(commands);
    }
    *took = vkb_now_ns() - begin;
    pthread_barrier_wait(start);
    vkDestroyCommandPool(b->vx.device, pool, NULL);
}

/* Nothing but memory that is written, of as many bytes: what the machine has for so many threads.
 */
static void store_some(const struct vkb *b, pthread_barrier_t *start, uint64_t *took)
{
    uint32_t draw[DRAW_BYTES / 4] = {0};
    uint8_t *bytes = calloc(VKB_DRAWS, sizeof draw);
    (void)b;
    vx_need(bytes != NULL, "memory");
    pthread_barrier_wait(start);
    uint64_t begin = vkb_now_ns();
    for (uint32_t i = 0; i < RECORDS * VKB_DRAWS; i++) {
        draw[0] = i;
        memcpy(bytes + (size_t)(i % VKB_DRAWS) * sizeof draw, draw, sizeof draw);
        __asm__ volatile("" : : "r"(bytes) : "memory");
    }
    *took = vkb_now_ns() - begin;
    pthread_barrier_wait(start);
    free(bytes);
}

static void *recorder_main(void *user)
{
    struct recorder *r = user;
    r->work(r->b, r->start, &r->took);
    return NULL;
}

/* ns a draw of a thread, the median of so many. */
static uint64_t threads_take(struct recorder *recorders, unsigned threads)
{
    uint64_t took[THREADS_MAX];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        recorders[i].start = &start;
        vx_need(pthread_create(&recorders[i].thread, NULL, recorder_main, &recorders[i]) == 0,
                "a thread");
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(recorders[i].thread, NULL);
        took[i] = recorders[i].took;
    }
    pthread_barrier_destroy(&start);
    return (uint64_t)vkb_median(took, threads);
}

/* By turns: one thread, two and four, recording and storing. */
static void record_threads(struct vkb *b)
{
    static const struct {
        const char *name;
        void (*work)(const struct vkb *b, pthread_barrier_t *start, uint64_t *took);
    } works[] = {{"record_threads", record_some}, {"store_threads", store_some}};
    uint64_t took[2][3][TAKES];
    for (int take = 0; take < TAKES; take++) {
        for (int i = 0; i < 6; i++) {
            struct recorder recorders[THREADS_MAX];
            for (int j = 0; j < THREADS_MAX; j++) {
                recorders[j] = (struct recorder){.b = b, .work = works[i % 2].work};
            }
            took[i % 2][i / 2][take] = threads_take(recorders, 1u << i / 2);
        }
    }
    for (int work = 0; work < 2; work++) { /* of each take: a processor's pace lasts as long */
        uint64_t percent[TAKES];
        for (int take = 0; take < TAKES; take++) {
            percent[take] = 400 * took[work][0][take] / took[work][2][take];
        }
        vkb_figure(b, work == 0 ? "record_scaling" : "store_scaling", vkb_median(percent, TAKES));
    }
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s_%u", works[i % 2].name, 1u << i / 2);
        vkb_figure(b, name, vkb_median(took[i % 2][i / 2], TAKES) / ((double)RECORDS * VKB_DRAWS));
    }
}

static const struct {
    const char *name;
    void (*run)(struct vkb *b);
} figures[] = {
    {"frame", vkb_frame},        {"instance", instance},       {"buffer", buffers},
    {"memory", memory},          {"update", update},           {"record", record},
    {"threads", record_threads}, {"submit", vkb_submit_empty}, {"little", vkb_submit_little},
    {"resubmit", vkb_resubmit},  {"pipeline", vkb_pipelines},  {"bandwidth", vkb_bandwidth},
    {"fill", vkb_fill},
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
    struct vkb b = {.frames = 200, .first = true};
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
