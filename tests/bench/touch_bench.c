/* What a frame costs that writes to a part of 64 MiB of coherent memory which is mapped for good:
 * an ordinary Vulkan program, natively, below `sluice run --` or `record --`.
 *
 *   touch_bench
 *   touch_bench --little FRAMES
 *
 * Prints one JSON object: the median ns of a frame that writes 8 bytes to 1, 10 and 100 of 100
 * pages, then submits a copy out of the memory and waits for it. With --little so many frames write
 * 64 bytes to 4 MiB: what matters then is how large a recording of it becomes. */
#include "tests/integration/vulkan/vx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE   (64u << 20)
#define LITTLE (4u << 20)
#define PAGE   4096u
#define FRAMES 31

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Every page when percent is 100, else each of so many of 100. */
static void touch(uint8_t *bytes, uint32_t percent, uint64_t value)
{
    for (uint32_t page = 0; page < SIZE / PAGE; page++) {
        if (page % 100 < percent) {
            memcpy(bytes + (size_t)page * PAGE + value % 500 * 8, &value, sizeof value);
        }
    }
}

static uint64_t median_frame(struct vx *vx, const struct vx_buffer *from,
                             const struct vx_buffer *to, uint32_t percent)
{
    uint64_t times[FRAMES];
    const VkBufferCopy region = {.size = PAGE};
    for (uint64_t i = 0; i < FRAMES; i++) {
        uint64_t begin = now_ns();
        touch(from->map, percent, (i + 1) * 0x9e3779b97f4a7c15u);
        VkCommandBuffer commands = vx_begin(vx);
        vkCmdCopyBuffer(commands, from->buffer, to->buffer, 1, &region);
        vx_submit(vx, commands); /* waits */
        times[i] = now_ns() - begin;
    }
    qsort(times, FRAMES, sizeof times[0], by_value);
    return times[FRAMES / 2];
}

/* 64 bytes, elsewhere in each frame. */
static void little(uint32_t frames)
{
    struct vx vx = {0};
    vx_open(&vx, NULL);
    struct vx_buffer from = vx_buffer(&vx, LITTLE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    struct vx_buffer to = vx_buffer(&vx, PAGE, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    const VkBufferCopy region = {.size = PAGE};
    uint8_t *bytes = from.map;
    memset(bytes, 1, LITTLE);
    for (uint32_t i = 0; i < frames; i++) {
        memset(bytes + (size_t)i * 7919 * 64 % LITTLE, (int)i, 64);
        VkCommandBuffer commands = vx_begin(&vx);
        vkCmdCopyBuffer(commands, from.buffer, to.buffer, 1, &region);
        vx_submit(&vx, commands);
    }
    vx_buffer_free(&vx, &from);
    vx_buffer_free(&vx, &to);
    vx_close(&vx);
    printf("{\"frames\": %u}\n", frames);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--little") == 0) {
        little((uint32_t)strtoul(argv[2], NULL, 10));
        return 0;
    }
    static const uint32_t percents[] = {1, 10, 100};
    struct vx vx = {0};
    vx_open(&vx, NULL);
    struct vx_buffer from = vx_buffer(&vx, SIZE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
    struct vx_buffer to = vx_buffer(&vx, PAGE, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    memset(from.map, 1, SIZE);
    (void)median_frame(&vx, &from, &to, 1);
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        printf("%s\"touch_%u\": %llu", i == 0 ? "{" : ", ", percents[i],
               (unsigned long long)median_frame(&vx, &from, &to, percents[i]));
    }
    printf("}\n");
    vx_buffer_free(&vx, &from);
    vx_buffer_free(&vx, &to);
    vx_close(&vx);
    return 0;
}
