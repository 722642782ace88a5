/* Instances, devices, queues, turns and ids of the host's Vulkan, on the native driver. */
#include "tests/support/vk_parts.h"

#include "host/vk_dispatch.h"
#include "transport/base/thread.h"
#include "wire/vk_opcodes.h"

#include <pthread.h>
#include <string.h>

SLT_FIXTURE(hvk, struct vk_world, vk_world_init, vk_world_finish);

static VkResult sampler_create(struct vk_world *w, struct vk_guest_ring *ring, VkSampler *sampler)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkResult result = VK_ERROR_UNKNOWN;
    VK_SEND(ring, CreateSampler, w->device, &info, NULL, sampler);
    if (!ring->lost) {
        VK_READ(ring, CreateSampler, w->device, &info, NULL, sampler, &result);
    }
    return result;
}

static bool lives(struct vk_world *w, uint32_t kind, const void *handle)
{
    return hvk_find(vk_world_context(w), kind, HVK_U64(handle), NULL) != NULL;
}

SLT_TEST_F(hvk, makes_and_ends_a_device, w)
{
    vk_world_device(w);
    VkSampler sampler = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, &w->main, &sampler));
    SLT_EXPECT_TRUE(lives(w, VK_KIND_VkSampler, sampler));
    VK_SEND(&w->main, DestroySampler, w->device, sampler, NULL);
    SLT_EXPECT_EQ(0u, w->main.reply_size);
    SLT_EXPECT_TRUE(!lives(w, VK_KIND_VkSampler, sampler));
    VK_SEND(&w->main, DestroyDevice, w->device, NULL);
    VK_SEND(&w->main, DestroyInstance, w->instance, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
    SLT_EXPECT_EQ(0u, vk_world_context(w)->ids.live);
}

/* Whatever an application forgets ends with its device, its instance, its process. */
SLT_TEST_F(hvk, a_device_takes_its_children_with_it, w)
{
    vk_world_device(w);
    VkSampler sampler = VK_NULL_HANDLE;
    VkEvent event = VK_NULL_HANDLE;
    VkResult result;
    const VkEventCreateInfo info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, &w->main, &sampler));
    VK_SEND(&w->main, CreateEvent, w->device, &info, NULL, &event);
    VK_READ(&w->main, CreateEvent, w->device, &info, NULL, &event, &result);
    VK_SEND(&w->main, DestroyDevice, w->device, NULL);
    SLT_EXPECT_TRUE(!lives(w, VK_KIND_VkSampler, sampler));
    SLT_EXPECT_TRUE(!lives(w, VK_KIND_VkEvent, event));
    SLT_EXPECT_TRUE(!lives(w, VK_KIND_VkQueue, w->queue));
    SLT_EXPECT_TRUE(lives(w, VK_KIND_VkPhysicalDevice, w->physical));
    VK_SEND(&w->main, DestroyInstance, w->instance, NULL);
    SLT_EXPECT_EQ(0u, vk_world_context(w)->ids.live);
}

SLT_TEST_F(hvk, a_dead_process_leaves_nothing, w)
{
    vk_world_device(w);
    VkSampler sampler = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, &w->main, &sampler));
    /* The fixture's end and the leak check do the rest. */
}

SLT_TEST_F(hvk, the_same_object_has_the_same_id, w)
{
    vk_world_device(w);
    VkPhysicalDevice again = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    uint32_t count = 1;
    VkResult result;
    VK_SEND(&w->main, EnumeratePhysicalDevices, w->instance, &count, &again);
    VK_READ(&w->main, EnumeratePhysicalDevices, w->instance, &count, &again, &result);
    SLT_EXPECT_TRUE(again == w->physical);
    const VkDeviceQueueInfo2 info = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2};
    VK_SEND(&w->main, GetDeviceQueue2, w->device, &info, &queue);
    VK_READ(&w->main, GetDeviceQueue2, w->device, &info, &queue);
    SLT_EXPECT_TRUE(queue == w->queue);
    const VkDeviceQueueInfo2 none = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
                                     .queueFamilyIndex = 7};
    VK_SEND(&w->main, GetDeviceQueue2, w->device, &none, &queue);
    VK_READ(&w->main, GetDeviceQueue2, w->device, &none, &queue);
    SLT_EXPECT_TRUE(queue == VK_NULL_HANDLE);
}

SLT_TEST_F(hvk, an_array_too_short_is_told_so, w)
{
    vk_world_device(w);
    uint32_t count = 0;
    VkResult result = VK_ERROR_UNKNOWN;
    VK_SEND(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &count, NULL);
    VK_READ(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &count, NULL, &result);
    SLT_EXPECT_EQ(VK_SUCCESS, result);
    SLT_ASSERT_LT(3u, count);
    VkExtensionProperties some[3];
    uint32_t three = 3;
    VK_SEND(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &three, some);
    VK_READ(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &three, some, &result);
    SLT_EXPECT_EQ(VK_INCOMPLETE, result);
    SLT_EXPECT_EQ(3u, three);
    SLT_EXPECT_EQ(0, strncmp(some[2].extensionName, "VK_", 3));
}

/* A stock guest forwards names and structs of its own making (protocol facts, traps 13 and 14). */
SLT_TEST_F(hvk, takes_what_a_guest_invented_out_of_a_device, w)
{
    vk_world_device(w);
    const VkDeviceDeviceMemoryReportCreateInfoEXT report = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_DEVICE_MEMORY_REPORT_CREATE_INFO_EXT,
        .pfnUserCallback = (PFN_vkDeviceMemoryReportCallbackEXT)(uintptr_t)0x1234,
        .pUserData = (void *)&report};
    static const char *const names[] = {"VK_EXT_device_memory_report", "VK_KHR_external_fence_fd",
                                        "VK_SLUICE_no_such_thing", "VK_KHR_maintenance1",
                                        "VK_KHR_maintenance1"};
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &report,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = 5,
                               .ppEnabledExtensionNames = names};
    VkDevice device = VK_NULL_HANDLE;
    VkResult result = VK_ERROR_UNKNOWN;
    VK_SEND(&w->main, CreateDevice, w->physical, &info, NULL, &device);
    VK_READ(&w->main, CreateDevice, w->physical, &info, NULL, &device, &result);
    SLT_EXPECT_EQ(VK_SUCCESS, result);
    /* Queues that are not there are an error, not the driver's. */
    const VkDeviceQueueCreateInfo far = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                         .queueFamilyIndex = 99,
                                         .queueCount = 1,
                                         .pQueuePriorities = &priority};
    info.pQueueCreateInfos = &far;
    VK_SEND(&w->main, CreateDevice, w->physical, &info, NULL, &device);
    VK_READ(&w->main, CreateDevice, w->physical, &info, NULL, &device, &result);
    SLT_EXPECT_EQ(VK_ERROR_INITIALIZATION_FAILED, result);
    SLT_EXPECT_TRUE(device == VK_NULL_HANDLE);
}

/* --- what breaks the protocol --- */

struct bad_case {
    const char *label;
    const char *reason; /* part of it */
    void (*send)(struct vk_world *w);
};

static void stale(struct vk_world *w)
{
    VkSampler sampler = VK_NULL_HANDLE;
    (void)sampler_create(w, &w->main, &sampler);
    VK_SEND(&w->main, DestroySampler, w->device, sampler, NULL);
    VK_SEND(&w->main, DestroySampler, w->device, sampler, NULL);
}

static void wrong_kind(struct vk_world *w)
{
    VK_SEND(&w->main, DestroySampler, w->device, HVK_HANDLE(VkSampler, w->queue), NULL);
}

static void unknown(struct vk_world *w)
{
    VK_SEND(&w->main, DestroySampler, HVK_HANDLE(VkDevice, 0x7777), VK_NULL_HANDLE, NULL);
}

static void no_handle(struct vk_world *w)
{
    VkQueue queue = VK_NULL_HANDLE;
    VK_SEND(&w->main, GetDeviceQueue, VK_NULL_HANDLE, 0, 0, &queue);
}

static void old_turn(struct vk_world *w)
{
    w->turn--;
    VK_SEND(&w->main, DestroySampler, w->device, VK_NULL_HANDLE, NULL);
}

static void feed_words(struct vk_world *w, const uint32_t *words, size_t size)
{
    vk_pack_bytes(&w->main.pack, words, size);
    vk_ring_feed(&w->main);
}

static void no_turn(struct vk_world *w)
{
    const uint32_t words[] = {VK_OP_vkDestroySampler, 8};
    feed_words(w, words, sizeof words);
}

static void left_over(struct vk_world *w)
{
    const uint32_t words[] = {VK_OP_vkEnumerateInstanceVersion, 20, ++w->turn, 0, 0};
    feed_words(w, words, sizeof words);
}

/* A sampler of one device, ended by another. */
static void other_device(struct vk_world *w)
{
    VkSampler sampler = VK_NULL_HANDLE;
    (void)sampler_create(w, &w->main, &sampler);
    vk_world_device(w);
    VK_SEND(&w->main, DestroySampler, w->device, sampler, NULL);
}

static void recorded_alone(struct vk_world *w)
{
    const uint32_t words[] = {VK_OP_vkCmdDraw, 24, 1, 1, 1, 1};
    feed_words(w, words, sizeof words);
}

static void refused(struct vk_world *w)
{
    const uint32_t words[] = {VK_OP_vkMapMemory, 12, ++w->turn};
    feed_words(w, words, sizeof words);
}

static void no_opcode(struct vk_world *w)
{
    const uint32_t words[] = {299999999, 12, ++w->turn};
    feed_words(w, words, sizeof words);
}

static const struct bad_case bad_cases[] = {
    {"stale_handle", "names no living object", stale},
    {"wrong_kind", "names no living object", wrong_kind},
    {"unknown_handle", "names no living object", unknown},
    {"missing_handle", "lacks a handle", no_handle},
    {"turn_that_was", "was there already", old_turn},
    {"no_turn", "no number", no_turn},
    {"bytes_left_over", "vkEnumerateInstanceVersion", left_over},
    {"another_devices_object", "of different owners", other_device},
    {"recorded_command_alone", "belongs into a command buffer", recorded_alone},
    {"refused_command", "shared memory", refused},
    {"unknown_opcode", "unknown opcode", no_opcode},
};

SLT_TEST_FP(hvk, ends_a_ring_that_breaks_the_protocol, w, struct bad_case, bad_cases, c)
{
    vk_world_device(w);
    c->send(w);
    SLT_EXPECT_TRUE(w->main.lost);
    SLT_EXPECT_TRUE(strstr(w->main.reason, c->reason) != NULL);
    SLT_SCOPE("%s", w->main.reason);
    SLT_EXPECT_EQ(0u, w->main.reply_size);
}

/* What the driver does not have is refused, not more. */
SLT_TEST_F(hvk, refuses_what_the_driver_lacks, w)
{
    vk_world_device(w);
    uint32_t count = 5;
    VkResult result = VK_SUCCESS;
    VK_SEND(&w->main, GetPhysicalDeviceCooperativeMatrixPropertiesNV, w->physical, &count, NULL);
    VK_READ(&w->main, GetPhysicalDeviceCooperativeMatrixPropertiesNV, w->physical, &count, NULL,
            &result);
    SLT_EXPECT_EQ(VK_ERROR_FEATURE_NOT_PRESENT, result);
    SLT_EXPECT_EQ(0u, count);
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk, query_results_stay_in_their_room, w)
{
    vk_world_device(w);
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_OCCLUSION,
                                        .queryCount = 64};
    VkQueryPool pool = VK_NULL_HANDLE;
    VkResult result;
    VK_SEND(&w->main, CreateQueryPool, w->device, &info, NULL, &pool);
    VK_READ(&w->main, CreateQueryPool, w->device, &info, NULL, &pool, &result);
    uint64_t data[64] = {0};
    /* 64 queries, 8 bytes apart, into 16 bytes. */
    VK_SEND(&w->main, GetQueryPoolResults, w->device, pool, 0, 64, 16, data, 8,
            VK_QUERY_RESULT_64_BIT);
    VK_READ(&w->main, GetQueryPoolResults, w->device, pool, 0, 64, 16, data, 8,
            VK_QUERY_RESULT_64_BIT, &result);
    SLT_EXPECT_LT(result, 0);
    VK_SEND(&w->main, GetQueryPoolResults, w->device, pool, 0, 64, 512, data, 8,
            VK_QUERY_RESULT_64_BIT);
    VK_READ(&w->main, GetQueryPoolResults, w->device, pool, 0, 64, 512, data, 8,
            VK_QUERY_RESULT_64_BIT, &result);
    SLT_EXPECT_TRUE(result >= 0);
}

/* --- ids that the guest chooses --- */

#define CHOSEN(n) HVK_HANDLE(VkSampler, 1ull << 32 | (SL_IDS_PEER_FIRST + (n)))

SLT_TEST_F(hvk, binds_ids_that_our_guest_chooses, w)
{
    struct vk_guest_ring own;
    vk_world_device(w);
    vk_ring_open(w, &own, SLUICE_FEATURE_VK_IDS);
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    /* Our guest's handles point to objects. */
    struct vk_object device_object = {.id = HVK_U64(w->device)};
    struct vk_object sampler_object = {.id = HVK_U64(CHOSEN(1))};
    VkDevice device = (VkDevice)&device_object;
    VkSampler chosen = (VkSampler)&sampler_object, other = VK_NULL_HANDLE;
    own.pack.objects = true;
    VK_SEND(&own, CreateSampler, device, &info, NULL, &chosen);
    SLT_EXPECT_EQ(0u, own.replies);
    SLT_EXPECT_TRUE(lives(w, VK_KIND_VkSampler, CHOSEN(1)));
    /* Zero: as with stock hosts. */
    VK_SEND(&own, CreateSampler, device, &info, NULL, &other);
    SLT_EXPECT_EQ(1u, own.replies);
    VK_SEND(&own, DestroySampler, device, chosen, NULL);
    SLT_EXPECT_TRUE(!lives(w, VK_KIND_VkSampler, CHOSEN(1)));
    /* A taken one. */
    VK_SEND(&own, CreateSampler, device, &info, NULL, &chosen);
    VK_SEND(&own, CreateSampler, device, &info, NULL, &chosen);
    SLT_EXPECT_TRUE(own.lost);
    SLT_EXPECT_TRUE(strstr(own.reason, "chooses the id") != NULL);
    vk_ring_close(&own);
}

/* What a stock guest leaves in its outputs is nothing to us. */
SLT_TEST_F(hvk, a_stock_guest_chooses_nothing, w)
{
    vk_world_device(w);
    struct vk_object device_object = {.id = HVK_U64(w->device)}, left = {.id = HVK_U64(CHOSEN(5))};
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler = (VkSampler)&left;
    VkResult result = VK_ERROR_UNKNOWN;
    w->main.pack.objects = true;
    VK_SEND(&w->main, CreateSampler, (VkDevice)&device_object, &info, NULL, &sampler);
    VK_READ(&w->main, CreateSampler, w->device, &info, NULL, &sampler, &result);
    SLT_EXPECT_EQ(VK_SUCCESS, result);
    SLT_EXPECT_LT(HVK_U64(sampler), (uint64_t)SL_IDS_PEER_FIRST);
}

/* --- turns --- */

struct other_ring {
    struct vk_world *w;
    struct vk_guest_ring ring;
    uint32_t turn;
};

static void *feed_other(void *user)
{
    struct other_ring *o = user;
    vk_pack_vkDestroySampler(&o->ring.pack, o->turn, o->w->device, VK_NULL_HANDLE, NULL);
    vk_ring_feed(&o->ring);
    return NULL;
}

SLT_TEST_F(hvk, rings_wait_for_their_turn, w)
{
    vk_world_device(w);
    struct other_ring o = {.w = w, .turn = w->turn + 2};
    vk_ring_open(w, &o.ring, 0);
    o.ring.world = w;
    pthread_t thread;
    SLT_ASSERT_OK(sl_thread_start(&thread, "other", 0, feed_other, &o));
    VkSampler sampler = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, &w->main, &sampler)); /* the turn before */
    pthread_join(thread, NULL);
    SLT_EXPECT_TRUE(!o.ring.lost);
    w->turn++; /* the other's */
    VK_SEND(&w->main, DestroySampler, w->device, sampler, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
    vk_ring_close(&o.ring);
}

/* --- work that does not end --- */

struct stuck_case {
    const char *label;
    bool dies; /* the process; else it destroys its device */
};
static const struct stuck_case stuck_cases[] = {
    {"on_a_timeline_of_a_dead_process", true},
    {"on_a_timeline", false},
};

/* The work waits for what only the guest could signal: it must not keep host or driver. */
SLT_TEST_FP(hvk, work_is_let_go_in_the_end, w, struct stuck_case, stuck_cases, c)
{
    vk_world_device(w);
    VkSemaphore semaphore = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    vp_submit_blocked(w, semaphore, VK_NULL_HANDLE, VK_NULL_HANDLE);
    if (!c->dies) {
        VK_SEND(&w->main, DestroyDevice, w->device, NULL);
        VK_SEND(&w->main, DestroyInstance, w->instance, NULL);
        SLT_EXPECT_EQ(0u, vk_world_context(w)->ids.live);
    }
    SLT_EXPECT_TRUE(!w->main.lost);
    /* An abandoned device would be an error in the log. */
}

/* What a queue works with ends when it is done, whatever the guest says. */
SLT_TEST_F(hvk, objects_in_use_end_later, w)
{
    vk_world_device(w);
    struct vk_guest_ring *r = &w->main;
    const struct hvk_device *device = (struct hvk_device *)(void *)hvk_find(
        vk_world_context(w), VK_KIND_VkDevice, HVK_U64(w->device), NULL);
    VkSemaphore semaphore = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    VkSampler first = VK_NULL_HANDLE, second = VK_NULL_HANDLE, third = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, r, &first));
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, r, &second));
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, r, &third));
    VK_SEND(r, DestroySampler, w->device, first, NULL);
    SLT_EXPECT_EQ(0u, device->grave_count); /* nothing was submitted */
    vp_submit_blocked(w, semaphore, VK_NULL_HANDLE, VK_NULL_HANDLE);
    VK_SEND(r, DestroySampler, w->device, second, NULL);
    SLT_EXPECT_TRUE(!lives(w, VK_KIND_VkSampler, second));
    SLT_EXPECT_EQ(1u, device->grave_count);
    const VkSemaphoreSignalInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = semaphore, .value = 7};
    VkResult result = VK_ERROR_UNKNOWN;
    VK_SEND(r, SignalSemaphore, w->device, &signal);
    VK_READ(r, SignalSemaphore, w->device, &signal, &result);
    SLT_EXPECT_EQ(VK_SUCCESS, result);
    VK_SEND(r, QueueWaitIdle, w->queue);
    VK_READ(r, QueueWaitIdle, w->queue, &result);
    SLT_EXPECT_EQ(VK_SUCCESS, result);
    VK_SEND(r, DestroySampler, w->device, third, NULL);
    SLT_EXPECT_EQ(0u, device->grave_count);
    SLT_EXPECT_TRUE(!r->lost);
}

/* The guest's own fence says it as well, and costs no marker. */
SLT_TEST_F(hvk, a_signalled_fence_ends_the_wait, w)
{
    vk_world_device(w);
    struct vk_guest_ring *r = &w->main;
    const struct hvk_device *device = (struct hvk_device *)(void *)hvk_find(
        vk_world_context(w), VK_KIND_VkDevice, HVK_U64(w->device), NULL);
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    VkSampler sampler = VK_NULL_HANDLE;
    VkResult result = VK_ERROR_UNKNOWN;
    SLT_EXPECT_EQ(VK_SUCCESS, sampler_create(w, r, &sampler));
    VK_SEND(r, CreateFence, w->device, &info, NULL, &fence);
    VK_READ(r, CreateFence, w->device, &info, NULL, &fence, &result);
    VK_SEND(r, QueueSubmitAsyncGOOGLE, w->queue, 0, NULL, fence);
    VK_SEND(r, WaitForFences, w->device, 1, &fence, VK_TRUE, UINT64_MAX);
    VK_READ(r, WaitForFences, w->device, 1, &fence, VK_TRUE, UINT64_MAX, &result);
    SLT_EXPECT_EQ(VK_SUCCESS, result);
    VK_SEND(r, DestroySampler, w->device, sampler, NULL);
    SLT_EXPECT_EQ(0u, device->grave_count);
    SLT_EXPECT_EQ(device->submits, device->retired);
    SLT_EXPECT_TRUE(device->queues[0].marker == VK_NULL_HANDLE);
}

/* --- GPUs --- */

struct gpu_case {
    const char *label;
    const char *gpu;
    uint32_t count;
};
static const struct gpu_case gpu_cases[] = {
    {"by_index", "0", 1},
    {"past_the_last", "15", 0},
    {"by_name", "llvm", 1},
    {"no_such_name", "no such gpu", 0},
};

SLT_TEST_FP(hvk, shows_the_gpu_that_was_asked_for, w, struct gpu_case, gpu_cases, c)
{
    vk_world_device(w);
    VkPhysicalDeviceProperties properties;
    VK_SEND(&w->main, GetPhysicalDeviceProperties, w->physical, &properties);
    VK_READ(&w->main, GetPhysicalDeviceProperties, w->physical, &properties);
    if (strstr(properties.deviceName, "llvmpipe") == NULL) {
        SLT_SKIP("the first GPU is no llvmpipe");
    }
    SLT_EXPECT_LE(properties.apiVersion, VK_API_VERSION_1_3 | 0xfffu);
    struct hvk_provider *provider = (struct hvk_provider *)(void *)w->provider;
    provider->gpu = c->gpu;
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    VkInstance instance;
    VkResult result;
    uint32_t count = 0;
    if (c->count == 0) {
        SLT_EXPECT_LOG("vulkan", c->gpu);
    }
    VK_SEND(&w->main, CreateInstance, &info, NULL, &instance);
    VK_READ(&w->main, CreateInstance, &info, NULL, &instance, &result);
    VK_SEND(&w->main, EnumeratePhysicalDevices, instance, &count, NULL);
    VK_READ(&w->main, EnumeratePhysicalDevices, instance, &count, NULL, &result);
    SLT_EXPECT_EQ(c->count, count);
}

SLT_TEST(hvk_dispatch, finds_every_opcode_and_no_other)
{
    SLT_EXPECT_LT(vk_dispatch_find(VK_OP_vkCreateInstance), vk_family.count);
    SLT_EXPECT_LT(vk_dispatch_find(VK_OP_vkQueueSubmitAsync2GOOGLE), vk_family.count);
    static const uint32_t none[] = {0, 19999, 20318, 20999, 199999999, 200000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        SLT_EXPECT_LE(vk_family.count, vk_dispatch_find(none[i]));
    }
}
