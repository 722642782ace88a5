/* Frames whose pictures are what the program wrote to 64 MiB of coherent memory that stays mapped:
 * to 1, 10 and 100 of 100 pages a frame, without a word. A picture shows, of every page of a sixth
 * of them, the 8 bytes that were written to it last, by this frame or by one before. Needs DISPLAY.
 * Prints nothing that a driver decides (trace_test.py). */
#include "tests/integration/vulkan/wx.h"

#include <string.h>

#define PAGE   4096u
#define PAGES  (16u << 10)
#define FRAMES 12u
#define SHOWN  (WX_WIDTH * WX_HEIGHT * 4u / 8u) /* pages in a picture */

static uint32_t where[PAGES]; /* the offset in each page that was written last */

static void touch(uint8_t *bytes, uint32_t percent, uint64_t value)
{
    for (uint32_t page = 0; page < PAGES; page++) {
        if (page % 100 < percent) {
            uint64_t mixed = (value + page) * 0x9e3779b97f4a7c15u;
            where[page] = (uint32_t)(mixed >> 32) % (PAGE / 8) * 8;
            memcpy(bytes + (size_t)page * PAGE + where[page], &mixed, sizeof mixed);
        }
    }
}

static void gather(struct wx *s, const struct vx_buffer *from, const struct vx_buffer *to,
                   uint32_t first)
{
    static VkBufferCopy regions[SHOWN];
    for (uint32_t i = 0; i < SHOWN; i++) {
        uint32_t page = (first + i) % PAGES;
        regions[i] = (VkBufferCopy){(VkDeviceSize)page * PAGE + where[page], i * 8u, 8};
    }
    VkCommandBuffer commands = vx_begin(&s->vx);
    vkCmdCopyBuffer(commands, from->buffer, to->buffer, SHOWN, regions);
    vx_memory_barrier(commands);
    vx_submit(&s->vx, commands);
}

static void frame(struct wx *s, VkBuffer buffer)
{
    uint32_t index;
    VX(&s->vx, vkAcquireNextImageKHR(s->vx.device, s->swapchain, UINT64_MAX, s->acquired,
                                     VK_NULL_HANDLE, &index));
    wx_draw_from(s, s->images[index], buffer);
    VX(&s->vx, wx_present(s, index, NULL));
}

int main(void)
{
    static const uint32_t percents[] = {1, 10, 100, 1};
    struct wx s;
    wx_open(&s, NULL);
    wx_open_surface(&s);
    vx_need(wx_open_swapchain(&s, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL) == VK_SUCCESS,
            "a swapchain");
    struct vx_buffer from = vx_buffer(&s.vx, PAGES * PAGE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT),
                     to = vx_buffer(&s.vx, SHOWN * 8,
                                    VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    memset(from.map, 0, PAGES * PAGE);
    for (uint32_t i = 0; i < sizeof percents / sizeof percents[0] * FRAMES; i++) {
        touch(from.map, percents[i / FRAMES], i + 1);
        gather(&s, &from, &to, i * SHOWN);
        frame(&s, to.buffer);
    }
    wx_sync(&s);
    vx_buffer_free(&s.vx, &from);
    vx_buffer_free(&s.vx, &to);
    wx_close_swapchain(&s);
    wx_close(&s);
    return 0;
}
