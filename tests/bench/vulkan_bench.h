/* What vulkan_bench.c and vulkan_work.c share: the program that runs, what it draws with, how
 * figures are taken. One thread, but for what says otherwise. What fails ends the program with 1
 * and a line on stderr. */
#ifndef TESTS_BENCH_VULKAN_BENCH_H
#define TESTS_BENCH_VULKAN_BENCH_H

#include "tests/integration/vulkan/vx.h"

#include <stddef.h>
#include <stdint.h>

enum { VKB_DRAWS = 2000, VKB_ROUNDS = 21, VKB_CALLS = 2000, VKB_BLOCK = 4 << 20 };

struct vkb {
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

uint64_t vkb_now_ns(void);
/* One line of the JSON object that the program prints. */
void vkb_figure(struct vkb *b, const char *name, double value);
/* Sorts them. */
double vkb_median(uint64_t *values, size_t count);
void vkb_need(VkResult result, const char *what);

/* Command buffers of a pool of their own. Any thread. */
VkCommandPool vkb_pool(const struct vkb *b, uint32_t count, VkCommandBuffer *commands);
/* A pass with a pipeline and vertices bound, begun and ended; VKB_DRAWS draws in it. Any thread. */
void vkb_begin(const struct vkb *b, VkCommandBuffer commands, bool once);
void vkb_end(VkCommandBuffer commands);
void vkb_draws(VkCommandBuffer commands);

/* --- vulkan_work.c: parts of the program that give the device work --- */

/* Empty submits: waited for one after the other, the same each after a millisecond of silence; and
 * asking for a fence. */
void vkb_submit_empty(struct vkb *b);
/* The same with work of a microsecond. */
void vkb_submit_little(struct vkb *b);
/* The same commands again and again. */
void vkb_resubmit(struct vkb *b);
void vkb_pipelines(struct vkb *b);
void vkb_bandwidth(struct vkb *b);
/* VKB_DRAWS draws recorded and submitted, again and again, a few frames at most on their way. */
void vkb_frame(struct vkb *b);
/* 1280 x 720, all of it shaded six times. */
void vkb_fill(struct vkb *b);

#endif
