#include "tests/support/vk_world.h"

#include <stdlib.h>
#include <string.h>

extern const struct hct_type hvk_vulkan_type;

/* hr_config.user is the context's own: the ring that is fed is found by thread. */
static _Thread_local struct vk_guest_ring *feeding;

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    (void)user, (void)ring;
    feeding->lost = true;
    strncpy(feeding->reason, reason, sizeof feeding->reason - 1);
}

static void on_reply(void *user, const void *reply, size_t size)
{
    (void)user;
    uint8_t *more = realloc(feeding->reply, feeding->reply_size + size);
    memcpy(more + feeding->reply_size, reply, size);
    feeding->reply = more;
    feeding->reply_size += size;
    feeding->replies++;
}

void vk_ring_open(struct vk_world *world, struct vk_guest_ring *ring, uint32_t preamble)
{
    *ring = (struct vk_guest_ring){.world = world};
    struct hr_config config = {
        .name = "fed", .lost = on_lost, .reply = on_reply, .preamble = preamble};
    vk_pack_init(&ring->pack, 1 << 27, false);
    sl_arena_init(&ring->arena, 1 << 26);
    SLT_ASSERT_OK(hvk_ring_new(world->context, &config, &ring->state));
    SLT_ASSERT_OK(hr_ring_create_fed(&config, &ring->ring));
}

void vk_ring_close(struct vk_guest_ring *ring)
{
    if (ring->ring != NULL) {
        hr_ring_destroy(ring->ring);
    }
    if (ring->state != NULL) {
        hvk_ring_free(ring->world->context, ring->state);
    }
    vk_pack_finish(&ring->pack);
    sl_arena_finish(&ring->arena);
    free(ring->reply);
    *ring = (struct vk_guest_ring){0};
}

void vk_ring_feed(struct vk_guest_ring *ring)
{
    feeding = ring;
    ring->reply_size = 0;
    SLT_EXPECT_TRUE(!ring->pack.failed);
    bool lives = hr_ring_feed(ring->ring, ring->pack.data, vk_pack_size(&ring->pack));
    SLT_EXPECT_EQ(lives, !ring->lost);
    vk_pack_reset(&ring->pack);
}

struct vk_unpack vk_ring_answer(struct vk_guest_ring *ring)
{
    sl_arena_reset(&ring->arena);
    return vk_unpack_over(ring->reply, ring->reply_size, &ring->arena, NULL);
}

void vk_world_init(struct vk_world *w)
{
    SLT_NEED(SLT_VULKAN);
    SLT_ALLOW_LEAKS("the native driver keeps threads and files");
    w->env =
        (struct hct_env){.user = w, .task_begin = task_count_begin, .task_done = task_count_done};
    SLT_ASSERT_OK(hvk_vulkan_type.provider_create(&w->env, &w->options, &w->provider));
    const struct hct_create_info info = {.ctx_id = 1,
                                         .capset = VIRTGPU_CAPSET_GFXSTREAM_VULKAN,
                                         .name = "test",
                                         .env = &w->env,
                                         .provider = w->provider};
    SLT_ASSERT_OK(hvk_vulkan_type.create(&info, &w->context));
    vk_ring_open(w, &w->main, 0);
}

void vk_world_finish(struct vk_world *w)
{
    if (w->main.world != NULL) {
        vk_ring_close(&w->main);
    }
    if (w->context != NULL) {
        w->context->ops->destroy(w->context);
    }
    if (w->provider != NULL) {
        w->provider->ops->destroy(w->provider);
    }
}

void vk_world_device(struct vk_world *w)
{
    struct vk_guest_ring *r = &w->main;
    VkResult result = VK_ERROR_UNKNOWN;
    const VkInstanceCreateInfo instance = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    VK_SEND(r, CreateInstance, &instance, NULL, &w->instance);
    VK_READ(r, CreateInstance, &instance, NULL, &w->instance, &result);
    SLT_ASSERT_EQ(VK_SUCCESS, result);
    uint32_t count = 1;
    VK_SEND(r, EnumeratePhysicalDevices, w->instance, &count, &w->physical);
    VK_READ(r, EnumeratePhysicalDevices, w->instance, &count, &w->physical, &result);
    SLT_ASSERT_TRUE(result >= 0 && count == 1 && w->physical != VK_NULL_HANDLE);
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo device = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                       .queueCreateInfoCount = 1,
                                       .pQueueCreateInfos = &queue};
    VK_SEND(r, CreateDevice, w->physical, &device, NULL, &w->device);
    VK_READ(r, CreateDevice, w->physical, &device, NULL, &w->device, &result);
    SLT_ASSERT_EQ(VK_SUCCESS, result);
    VK_SEND(r, GetDeviceQueue, w->device, 0, 0, &w->queue);
    VK_READ(r, GetDeviceQueue, w->device, 0, 0, &w->queue);
    SLT_ASSERT_TRUE(w->queue != VK_NULL_HANDLE);
}
