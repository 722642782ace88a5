/* A Vulkan program to be killed, or whose host is: kill_vulkan_test starts it. One byte on stdout
 * for each frame, once its picture was right. The modes are in the table below; the exit codes are
 * kill_codes.h's. */
#include "tests/integration/kill_codes.h"
#include "tests/integration/vulkan/vx.h"

#include "colour_frag.h"
#include "colour_vert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIANGLES = 8, SIZE = VX_SIDE * VX_SIDE * 4 };

static const struct mode {
    const char *name;
    bool lives;     /* devices and all else are made and destroyed for ever, a frame in each */
    bool slow;      /* a frame every 50 ms */
    bool waits;     /* after the third frame it waits for what nobody will signal */
    bool asks;      /* the same, asking for the fence's status over and over */
    bool records;   /* after the third frame it records for ever, submitting now and then */
    bool allocates; /* after the third frame memory and buffers come and go, nothing else */
} modes[] = {
    {.name = "vk-steady"},
    {.name = "vk-busy", .lives = true},
    {.name = "vk-slow", .slow = true},
    {.name = "vk-waiting", .waits = true},
    {.name = "vk-asking", .waits = true, .asks = true},
    {.name = "vk-recording", .records = true},
    {.name = "vk-allocating", .allocates = true},
};

static const struct mode *mode;
static struct vx vx;

/* As a program ends that hears of it: everything given back, exit handlers run. None of it may
 * hang. */
static _Noreturn void leave(int code, const char *why)
{
    fprintf(stderr, "kill_client: %s\n", why);
    if (vx.device != VK_NULL_HANDLE) {
        vkDeviceWaitIdle(vx.device);
        vkDestroyCommandPool(vx.device, vx.pool, NULL);
        vkDestroyDevice(vx.device, NULL);
    }
    if (vx.instance != VK_NULL_HANDLE) {
        vkDestroyInstance(vx.instance, NULL);
    }
    exit(code);
}

static void hear_of(VkResult result, const char *call)
{
    leave(result == VK_ERROR_DEVICE_LOST ? KILL_EXIT_LOST : KILL_EXIT_OTHER, call);
}

static void need(VkResult result, const char *call)
{
    if (result != VK_SUCCESS) {
        hear_of(result, call);
    }
}

struct scene {
    struct vx_target target;
    struct vx_buffer vertices, pixels;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    uint64_t first; /* the first frame's hash */
};

static void open_scene(struct scene *s)
{
    *s = (struct scene){.target = vx_target(&vx, VK_FORMAT_R8G8B8A8_UNORM)};
    s->vertices =
        vx_buffer(&vx, 3 * TRIANGLES * sizeof(struct vx_vertex), VK_BUFFER_USAGE_VERTEX_BUFFER_BIT);
    s->pixels = vx_buffer(&vx, SIZE, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    vx_triangles(s->vertices.map, TRIANGLES, 1);
    s->layout = vx_pipeline_layout(&vx, VK_NULL_HANDLE, 0, 0);
    const struct vx_pipeline p = {.vertex = VX_CODE(colour_vert),
                                  .fragment = VX_CODE(colour_frag),
                                  .layout = s->layout,
                                  .pass = s->target.pass,
                                  .has_vertices = true,
                                  .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
    s->pipeline = vx_graphics_pipeline(&vx, &p);
}

static void close_scene(struct scene *s)
{
    vkDestroyPipeline(vx.device, s->pipeline, NULL);
    vkDestroyPipelineLayout(vx.device, s->layout, NULL);
    vx_buffer_free(&vx, &s->vertices);
    vx_buffer_free(&vx, &s->pixels);
    vx_target_free(&vx, &s->target);
}

static void draw(const struct scene *s, VkCommandBuffer commands)
{
    const VkDeviceSize zero = 0;
    vx_begin_target(commands, &s->target, VK_SUBPASS_CONTENTS_INLINE);
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, s->pipeline);
    vkCmdBindVertexBuffers(commands, 0, 1, &s->vertices.buffer, &zero);
    vkCmdDraw(commands, 3 * TRIANGLES, 1, 0, 0);
    vkCmdEndRenderPass(commands);
}

/* A byte once the picture is the first one again. */
static void frame(struct scene *s)
{
    const VkBufferImageCopy copy = {.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                                    .imageExtent = {VX_SIDE, VX_SIDE, 1}};
    memset(s->pixels.map, 0, SIZE);
    VkCommandBuffer commands = vx_begin(&vx);
    draw(s, commands);
    vkCmdCopyImageToBuffer(commands, s->target.image.image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                           s->pixels.buffer, 1, &copy);
    vx_memory_barrier(commands);
    vx_submit(&vx, commands);
    uint64_t hash = vx_hash(0, s->pixels.map, SIZE);
    s->first = s->first != 0 ? s->first : hash;
    if (hash != s->first) {
        leave(KILL_EXIT_WRONG, "a wrong picture");
    }
    if (write(STDOUT_FILENO, "f", 1) != 1) {
        leave(KILL_EXIT_OTHER, "nobody reads");
    }
}

/* ---- what goes on after the third frame ---- */

static _Noreturn void wait_for_nobody(void)
{
    const VkEventCreateInfo event_info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkEvent event;
    VkFence fence;
    need(vkCreateEvent(vx.device, &event_info, NULL, &event), "vkCreateEvent");
    need(vkCreateFence(vx.device, &fence_info, NULL, &fence), "vkCreateFence");
    VkCommandBuffer commands = vx_begin(&vx);
    vkCmdWaitEvents(commands, 1, &event, VK_PIPELINE_STAGE_HOST_BIT,
                    VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, NULL, 0, NULL, 0, NULL);
    need(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .commandBufferCount = 1,
                                 .pCommandBuffers = &commands};
    need(vkQueueSubmit(vx.queue, 1, &submit, fence), "vkQueueSubmit");
    if (!mode->asks) {
        hear_of(vkWaitForFences(vx.device, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
    }
    for (;;) {
        VkResult result = vkGetFenceStatus(vx.device, fence);
        if (result != VK_NOT_READY) {
            hear_of(result, "vkGetFenceStatus");
        }
    }
}

static _Noreturn void record_for_ever(const struct scene *s)
{
    for (;;) {
        VkCommandBuffer commands = vx_begin(&vx);
        for (int i = 0; i < 2000; i++) {
            draw(s, commands);
        }
        vx_submit(&vx, commands);
    }
}

static _Noreturn void allocate_for_ever(void)
{
    for (;;) {
        struct vx_buffer buffer = vx_buffer(&vx, 1 << 20, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
        vx_buffer_free(&vx, &buffer);
    }
}

static void go_on(const struct scene *s, uint32_t frames)
{
    const struct timespec pause = {.tv_nsec = mode->slow ? 50000000 : 0};
    if (frames >= 3 && mode->waits) {
        wait_for_nobody();
    }
    if (frames >= 3 && mode->records) {
        record_for_ever(s);
    }
    if (frames >= 3 && mode->allocates) {
        allocate_for_ever();
    }
    nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        mode = argc == 2 && strcmp(argv[1], modes[i].name) == 0 ? &modes[i] : mode;
    }
    if (mode == NULL) {
        fprintf(stderr, "kill_client: it takes a mode\n");
        return KILL_EXIT_OTHER;
    }
    vx_on_failure = hear_of;
    struct scene s;
    vx_open(&vx, NULL);
    open_scene(&s);
    for (uint32_t frames = 0;; frames++) {
        frame(&s);
        go_on(&s, frames);
        if (mode->lives) {
            uint64_t first = s.first;
            close_scene(&s);
            vx_close_device(&vx);
            vx_open_device(&vx, NULL);
            open_scene(&s);
            s.first = first;
        }
    }
}
