/* Frames whose pictures come from one of eight buffers, five frames each: what a trim to one
 * buffer's frames leaves out can be seen by its size (snapshot_test.py). Prints nothing that a
 * driver decides. */
#include "tests/integration/vulkan/wx.h"

#define ROOMS  8u
#define FRAMES 40u
#define SIZE   (256u << 10)

int main(void)
{
    struct wx s;
    struct vx_buffer rooms[ROOMS], own;
    wx_open(&s, NULL);
    wx_open_surface(&s);
    vx_need(wx_open_swapchain(&s, VK_PRESENT_MODE_FIFO_KHR, 3, 0, NULL) == VK_SUCCESS,
            "a swapchain");
    own = s.pattern;
    for (uint32_t i = 0; i < ROOMS; i++) {
        rooms[i] = vx_buffer(&s.vx, SIZE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
        vx_bytes(rooms[i].map, SIZE, i + 1);
    }
    for (uint32_t i = 0; i < FRAMES; i++) {
        VkResult acquired;
        s.pattern = rooms[i / 5 % ROOMS];
        vx_need(wx_frame(&s, i, &acquired) == VK_SUCCESS && acquired == VK_SUCCESS, "a frame");
    }
    wx_sync(&s);
    s.pattern = own;
    for (uint32_t i = 0; i < ROOMS; i++) {
        vx_buffer_free(&s.vx, &rooms[i]);
    }
    wx_close_swapchain(&s);
    wx_close(&s);
    return 0;
}
