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

/* What a device can have more. */
struct more {
    VkPhysicalDeviceFeatures2 core;
    VkPhysicalDeviceTransformFeedbackFeaturesEXT feedback;
    VkPhysicalDeviceConditionalRenderingFeaturesEXT conditions;
    VkPhysicalDeviceExtendedDynamicState2FeaturesEXT state_2;
    VkPhysicalDeviceVertexInputDynamicStateFeaturesEXT input;
    VkPhysicalDeviceIndexTypeUint8Features bytes;
};
static const char *const more_names[] = {
    "VK_EXT_transform_feedback",      "VK_EXT_conditional_rendering",
    "VK_EXT_extended_dynamic_state2", "VK_EXT_vertex_input_dynamic_state",
    "VK_EXT_index_type_uint8",        "VK_KHR_push_descriptor"};
#define MORE (sizeof more_names / sizeof more_names[0])

/* Those of them that there are: features filled in, names gathered. */
static uint32_t more_find(struct vk_world *w, struct more *m, const char **names)
{
    VkExtensionProperties there[256];
    uint32_t count = 256, found = 0;
    VkResult result;
    VK_SEND(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &count, there);
    VK_READ(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &count, there,
            &result);
    SLT_ASSERT_EQ(VK_SUCCESS, result);
    for (size_t i = 0; i < MORE; i++) {
        for (uint32_t k = 0; k < count; k++) {
            if (strcmp(more_names[i], there[k].extensionName) == 0) {
                names[found++] = more_names[i];
            }
        }
    }
    *m = (struct more){
        .core = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &m->feedback, {0}},
        .feedback = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TRANSFORM_FEEDBACK_FEATURES_EXT,
                     &m->conditions, 0, 0},
        .conditions = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_CONDITIONAL_RENDERING_FEATURES_EXT,
                       &m->state_2, 0, 0},
        .state_2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTENDED_DYNAMIC_STATE_2_FEATURES_EXT,
                    &m->input, 0, 0, 0},
        .input = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VERTEX_INPUT_DYNAMIC_STATE_FEATURES_EXT,
                  &m->bytes, 0},
        .bytes = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_INDEX_TYPE_UINT8_FEATURES, NULL, 0}};
    VK_SEND(&w->main, GetPhysicalDeviceFeatures2, w->physical, &m->core);
    VK_READ(&w->main, GetPhysicalDeviceFeatures2, w->physical, &m->core);
    return found;
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
    struct more features;
    const char *names[MORE];
    count = w->wants_more ? more_find(w, &features, names) : 0;
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo device = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                       .pNext = w->wants_more ? &features.core : NULL,
                                       .queueCreateInfoCount = 1,
                                       .pQueueCreateInfos = &queue,
                                       .enabledExtensionCount = count,
                                       .ppEnabledExtensionNames = names};
    VK_SEND(r, CreateDevice, w->physical, &device, NULL, &w->device);
    VK_READ(r, CreateDevice, w->physical, &device, NULL, &w->device, &result);
    SLT_ASSERT_EQ(VK_SUCCESS, result);
    VK_SEND(r, GetDeviceQueue, w->device, 0, 0, &w->queue);
    VK_READ(r, GetDeviceQueue, w->device, 0, 0, &w->queue);
    SLT_ASSERT_TRUE(w->queue != VK_NULL_HANDLE);
}
