/* The guest driver's core: packets and replies, objects and their ids, names. */
#include "tests/support/gvk_world.h"

#include "transport/base/ids.h"
#include "wire/vk_pack.h"

#include <stdlib.h>
#include <string.h>

SLT_FIXTURE(gvk_core, struct gvk_world, gw_init, gw_finish);

/* ---- Packets and replies ---- */

static void number_packets(struct gvk_world *w)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct gvk_stream *s = gvk_begin(&w->host);
        vk_pack_vkTrimCommandPool(&s->pack, 77, gw_device(), VK_NULL_HANDLE, i);
        SLT_EXPECT_TRUE(gvk_send(s));
    }
    struct gvk_stream *s = gvk_begin(&w->host);
    vk_pack_vkTrimCommandPool(&s->pack, 0, gw_device(), VK_NULL_HANDLE, 0);
    SLT_EXPECT_TRUE(gvk_send_with(s, "more than that", 14));
    gw_look();
    SLT_EXPECT_EQ(4u, w->packet_count);
    for (uint32_t i = 0; i < 4; i++) {
        SLT_EXPECT_EQ((uint32_t)VK_OP_vkTrimCommandPool, w->packets[i].opcode);
        SLT_EXPECT_EQ(i + 1, w->packets[i].turn);
    }
    SLT_EXPECT_EQ(w->packets[0].size + 14, w->packets[3].size);
    SLT_EXPECT_MEMEQ("more than that", w->packets[3].bytes + w->packets[0].size, 14);
}

SLT_TEST_F(gvk_core, packets_carry_the_next_number_and_their_length, w)
{
    gw_on_thread(w, number_packets);
}

SLT_TEST_F(gvk_core, a_thread_ends_when_all_it_sent_has_run, w)
{
    gw_on_thread(w, number_packets);
    SLT_EXPECT_EQ(5u, w->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkEnumerateInstanceVersion, w->packets[4].opcode);
}

static void fail_packing(struct gvk_world *w)
{
    struct gvk_stream *s = gvk_begin(&w->host);
    vk_pack_vkTrimCommandPool(&s->pack, 0, gw_device(), VK_NULL_HANDLE, 0);
    s->pack.failed = true;
    SLT_EXPECT_TRUE(!gvk_send(s));
    SLT_EXPECT_EQ(0u, w->host.turn);
    s = gvk_begin(&w->host);
    SLT_EXPECT_TRUE(!s->pack.failed);
    vk_pack_vkTrimCommandPool(&s->pack, 0, gw_device(), VK_NULL_HANDLE, 0);
    SLT_EXPECT_TRUE(gvk_send(s));
    SLT_EXPECT_EQ(1u, w->host.turn);
}

SLT_TEST_F(gvk_core, a_packet_that_failed_takes_no_number, w)
{
    gw_on_thread(w, fail_packing);
}

/* vkGetPipelineCacheData: presence, size, presence, data, result. */
static void read_long(struct gvk_world *w)
{
    enum { SIZE = 20000 };
    static uint8_t reply[24 + SIZE + 4];
    uint8_t *p = reply;
    sl_store_u64(p, __builtin_bswap64(1));
    sl_store_u64(p + 8, __builtin_bswap64(SIZE));
    sl_store_u64(p + 16, __builtin_bswap64(1));
    for (uint32_t i = 0; i < SIZE; i++) {
        p[24 + i] = (uint8_t)(i * 7);
    }
    sl_store_u32(p + 24 + SIZE, VK_SUCCESS);
    gw_answer(VK_OP_vkGetPipelineCacheData, reply, sizeof reply);
    static uint8_t data[SIZE];
    size_t size = sizeof data;
    struct gvk_object cache = {.vk.id = 5};
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkGetPipelineCacheData(
                                  gw_device(), GVK_TO(VkPipelineCache, &cache), &size, data));
    SLT_EXPECT_EQ((size_t)SIZE, size);
    SLT_EXPECT_MEMEQ(reply + 24, data, SIZE);
    SLT_EXPECT_TRUE(!gvk_host_lost(&w->host));
}

SLT_TEST_F(gvk_core, a_long_reply_is_read_as_it_comes, w)
{
    gw_on_thread(w, read_long);
}

static void read_nonsense(struct gvk_world *w)
{
    uint8_t reply[28] = {0};
    sl_store_u64(reply, __builtin_bswap64(1));
    sl_store_u64(reply + 8, __builtin_bswap64(100)); /* more than there is room for */
    sl_store_u64(reply + 16, __builtin_bswap64(1));
    gw_answer(VK_OP_vkGetPipelineCacheData, reply, sizeof reply);
    uint8_t data[10];
    size_t size = sizeof data;
    struct gvk_object cache = {.vk.id = 5};
    SLT_EXPECT_LOG("vulkan", "a reply makes no sense");
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST,
                  gvk_entry_vkGetPipelineCacheData(gw_device(), GVK_TO(VkPipelineCache, &cache),
                                                   &size, data));
    SLT_EXPECT_TRUE(gvk_host_lost(&w->host));
    SLT_EXPECT_TRUE(gvk_begin(&w->host) == NULL);
}

SLT_TEST_F(gvk_core, a_reply_that_is_wrong_loses_the_host, w)
{
    gw_on_thread(w, read_nonsense);
}

static void lose_host(struct gvk_world *w)
{
    w->gone = true;
    struct gvk_object pool = {.vk.id = 5};
    gvk_entry_vkTrimCommandPool(gw_device(), GVK_TO(VkCommandPool, &pool), 0);
    SLT_EXPECT_TRUE(gvk_host_lost(&w->host)); /* nobody was waited for, and yet */
    VkSampler sampler;
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST,
                  gvk_entry_vkCreateSampler(gw_device(), &info, NULL, &sampler));
    SLT_EXPECT_NULL(sampler);
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    const VkBufferMemoryRequirementsInfo2 of = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2};
    gvk_entry_vkGetBufferMemoryRequirements2(gw_device(), &of, &needs);
}

SLT_TEST_F(gvk_core, a_host_that_died_is_noticed_without_waiting_for_it, w)
{
    gw_on_thread(w, lose_host);
}

/* ---- Objects ---- */

static void create_asked(struct gvk_world *w)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler;
    gw_answer_id(VK_OP_vkCreateSampler, 0x77);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(gw_device(), &info, NULL, &sampler));
    SLT_EXPECT_EQ(0x77u, GVK_OBJECT(sampler)->vk.id);
    gw_look();
    const struct gw_packet *packet = &w->packets[0];
    SLT_EXPECT_EQ(0u, sl_load_u64(packet->bytes + packet->size - 8)); /* the host chooses */
    gw_forget();
    gvk_entry_vkDestroySampler(gw_device(), sampler, NULL);
    gvk_entry_vkDestroySampler(gw_device(), VK_NULL_HANDLE, NULL);
    gw_look();
    SLT_EXPECT_EQ(1u, w->packet_count);
    SLT_EXPECT_EQ(0x77u, sl_load_u64(w->packets[0].bytes + 20));
}

SLT_TEST_F(gvk_core, an_object_has_the_id_that_the_host_gave, w)
{
    gw_on_thread(w, create_asked);
}

static void create_told(struct gvk_world *w)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler[2];
    w->host.guest_ids = true;
    for (uint32_t i = 0; i < 2; i++) { /* nothing lies there as an answer */
        SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(gw_device(), &info, NULL, &sampler[i]));
    }
    uint64_t first = GVK_OBJECT(sampler[0])->vk.id;
    SLT_EXPECT_NE(first, GVK_OBJECT(sampler[1])->vk.id);
    SLT_EXPECT_GT((uint32_t)first, SL_IDS_PEER_FIRST);
    gw_look();
    SLT_EXPECT_EQ(first, sl_load_u64(w->packets[0].bytes + w->packets[0].size - 8));
    gvk_entry_vkDestroySampler(gw_device(), sampler[0], NULL);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(gw_device(), &info, NULL, &sampler[0]));
    /* Its index again, another generation. */
    SLT_EXPECT_EQ((uint32_t)first, (uint32_t)GVK_OBJECT(sampler[0])->vk.id);
    SLT_EXPECT_EQ((first >> 32) + 1, GVK_OBJECT(sampler[0])->vk.id >> 32);
    gvk_entry_vkDestroySampler(gw_device(), sampler[0], NULL);
    gvk_entry_vkDestroySampler(gw_device(), sampler[1], NULL);
}

SLT_TEST_F(gvk_core, chosen_ids_are_fresh_and_need_no_answer, w)
{
    gw_on_thread(w, create_told);
}

/* ---- The application's own memory ---- */

static uint32_t blocks_held;

static void *count_alloc(void *user, size_t size, size_t alignment, VkSystemAllocationScope scope)
{
    (void)scope;
    SLT_EXPECT_TRUE(user == &blocks_held);
    SLT_EXPECT_EQ(8u, alignment);
    blocks_held++;
    void *memory = malloc(size);
    if (memory != NULL) {
        memset(memory, 0xa5, size); /* whatever was there */
    }
    return memory;
}

static void count_free(void *user, void *memory)
{
    SLT_EXPECT_TRUE(user == &blocks_held);
    blocks_held--;
    free(memory);
}

static const VkAllocationCallbacks counting = {
    .pUserData = &blocks_held, .pfnAllocation = count_alloc, .pfnFree = count_free};

static void use_callbacks(struct gvk_world *w)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler samplers[2];
    w->device.allocator = gvk_allocator_of(&counting); /* the device was made with them */
    gw_answer_id(VK_OP_vkCreateSampler, 0x77);
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_entry_vkCreateSampler(gw_device(), &info, &counting, &samplers[0]));
    gw_answer_id(VK_OP_vkCreateSampler, 0x78);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkCreateSampler(gw_device(), &info, NULL, &samplers[1]));
    SLT_EXPECT_EQ(2u, blocks_held);
    SLT_EXPECT_NULL(GVK_OBJECT(samplers[0])->private);
    gvk_entry_vkDestroySampler(gw_device(), samplers[0], &counting);
    gvk_entry_vkDestroySampler(gw_device(), samplers[1], NULL);
    SLT_EXPECT_EQ(0u, blocks_held);
}

SLT_TEST_F(gvk_core, objects_lie_in_the_applications_memory, w)
{
    gw_on_thread(w, use_callbacks);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void take_many(struct gvk_world *w)
{
    enum { MANY = 1000 };
    static uint64_t ids[MANY];
    w->host.guest_ids = true;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            ids[i] = gvk_id_take(&w->host);
        }
        qsort(ids, MANY, sizeof ids[0], by_value);
        for (uint32_t i = 1; i < MANY; i++) {
            SLT_EXPECT_NE(ids[i - 1], ids[i]);
        }
        for (uint32_t i = 0; i < MANY; i++) {
            gvk_id_give(&w->host, ids[i]);
        }
    }
    SLT_EXPECT_LE(w->host.ids.fresh, MANY + 64u); /* used again, not ever new ones */
    gvk_id_give(&w->host, 12);                    /* the host's own */
    gvk_id_give(&w->host, gvk_local_id());
}

SLT_TEST_F(gvk_core, ids_are_given_back_and_used_again, w)
{
    gw_on_thread(w, take_many);
}

static void keep_private(struct gvk_world *w)
{
    (void)w;
    struct gvk_object object = {.vk.id = 1};
    uint64_t handle = (uint64_t)(uintptr_t)&object, data = 9;
    VkPrivateDataSlot slots[2];
    const VkPrivateDataSlotCreateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    for (uint32_t i = 0; i < 2; i++) {
        SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreatePrivateDataSlot(gw_device(), &info, NULL, &slots[i]));
    }
    gvk_vkGetPrivateData(gw_device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], &data);
    SLT_EXPECT_EQ(0u, data);
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkSetPrivateData(gw_device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], 5));
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkSetPrivateData(gw_device(), VK_OBJECT_TYPE_FENCE, handle, slots[1], 6));
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkSetPrivateData(gw_device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], 7));
    gvk_vkGetPrivateData(gw_device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], &data);
    SLT_EXPECT_EQ(7u, data);
    gvk_vkGetPrivateData(gw_device(), VK_OBJECT_TYPE_FENCE, handle, slots[1], &data);
    SLT_EXPECT_EQ(6u, data);
    gvk_vkDestroyPrivateDataSlot(gw_device(), slots[0], NULL);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreatePrivateDataSlot(gw_device(), &info, NULL, &slots[0]));
    gvk_vkGetPrivateData(gw_device(), VK_OBJECT_TYPE_FENCE, handle, slots[0], &data);
    SLT_EXPECT_EQ(0u, data); /* a new slot, whatever memory it lies in */
    gvk_vkDestroyPrivateDataSlot(gw_device(), slots[0], NULL);
    gvk_vkDestroyPrivateDataSlot(gw_device(), slots[1], NULL);
    gvk_private_clear(&object);
}

SLT_TEST_F(gvk_core, private_data_stays_with_object_and_slot, w)
{
    gw_on_thread(w, keep_private);
    SLT_EXPECT_EQ(0u, w->packet_count);
}

static void be_quiet(struct gvk_world *w)
{
    struct gvk_object event = {.vk.id = 5};
    w->host.quiet = true;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkSetEvent(gw_device(), GVK_TO(VkEvent, &event)));
    w->host.quiet = false;
    gw_answer_success(VK_OP_vkSetEvent);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_entry_vkSetEvent(gw_device(), GVK_TO(VkEvent, &event)));
}

SLT_TEST_F(gvk_core, a_quiet_host_is_not_waited_for, w)
{
    gw_on_thread(w, be_quiet);
}

/* ---- Names ---- */

static VkInstance instance(void)
{
    return GVK_TO(VkInstance, &gvk_world->instance);
}

static uint32_t extension(const char *name)
{
    return (uint32_t)(vk_extension_find(name, strlen(name)) - vk_extensions);
}

SLT_TEST_F(gvk_core, functions_are_found_by_version_and_extension, w)
{
    w->instance.api_version = VK_API_VERSION_1_0;
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(NULL, "vkCreateInstance") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(NULL, "vkDestroyInstance") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkDestroyInstance") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkNothing") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkQueueFlushCommandsGOOGLE") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkCreateDebugUtilsMessengerEXT") ==
                    NULL);
    gvk_set_add(&w->instance.enabled, extension("VK_EXT_debug_utils"));
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkCreateDebugUtilsMessengerEXT") !=
                    NULL);

    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(gw_device(), "vkCmdDraw") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(gw_device(), "vkGetDeviceProcAddr") != NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(gw_device(), "vkCreateDevice") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(gw_device(), "vkQueueSubmit2") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(gw_device(), "vkQueueSubmit2KHR") == NULL);
    SLT_EXPECT_TRUE(gvk_vkGetInstanceProcAddr(instance(), "vkQueueSubmit2KHR") != NULL);
    gvk_set_add(&w->device.enabled, extension("VK_KHR_synchronization2"));
    PFN_vkVoidFunction aliased = gvk_vkGetDeviceProcAddr(gw_device(), "vkQueueSubmit2KHR");
    SLT_EXPECT_TRUE(aliased != NULL);
    w->instance.api_version = VK_API_VERSION_1_3;
    SLT_EXPECT_TRUE(gvk_vkGetDeviceProcAddr(gw_device(), "vkQueueSubmit2") == aliased);

    SLT_EXPECT_TRUE(gvk_physical_proc(instance(), "vkGetPhysicalDeviceProperties") != NULL);
    SLT_EXPECT_TRUE(gvk_physical_proc(instance(), "vkCmdDraw") == NULL);
}

SLT_TEST(gvk_names, are_sorted)
{
    for (uint32_t i = 1; i < GVK_ENTRY_COUNT; i++) {
        SLT_EXPECT_LT(strcmp(gvk_entries[i - 1].name, gvk_entries[i].name), 0);
    }
}

SLT_TEST(gvk_extensions, only_what_travels_whole_is_offered)
{
    const VkExtensionProperties host[] = {
        {"VK_KHR_synchronization2", 1},
        {"VK_KHR_video_queue", 8},             /* refused */
        {"VK_EXT_external_memory_host", 1},    /* refused */
        {"VK_EXT_external_memory_dma_buf", 1}, /* of the host's kernel */
        {"VK_KHR_swapchain", 70},              /* the guest's own */
        {"VK_KHR_external_memory_fd", 1},      /* done in the guest */
        {"VK_XYZ_never_heard_of", 1},
        {"VK_KHR_get_physical_device_properties2", 2},
    };
    struct gvk_extensions list = {.count = 0};
    SLT_ASSERT_TRUE(gvk_extensions_fill(&list, false, host, sizeof host / sizeof host[0]));
    SLT_EXPECT_TRUE(gvk_set_has_name(&list.set, "VK_KHR_synchronization2"));
    SLT_EXPECT_TRUE(gvk_set_has_name(&list.set, "VK_KHR_swapchain"));
    SLT_EXPECT_TRUE(gvk_set_has_name(&list.set, "VK_KHR_external_memory_fd"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_KHR_video_queue"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_EXT_external_memory_host"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_EXT_external_memory_dma_buf"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_XYZ_never_heard_of"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_KHR_get_physical_device_properties2"));
    SLT_EXPECT_TRUE(!gvk_set_has_name(&list.set, "VK_KHR_surface")); /* an instance's */
    for (uint32_t i = 0; i < list.count; i++) {
        if (strcmp(list.items[i].extensionName, "VK_KHR_swapchain") == 0) {
            SLT_EXPECT_TRUE(list.items[i].specVersion != 0);
        }
    }

    const char *asked[] = {"VK_KHR_swapchain", "VK_KHR_synchronization2",
                           "VK_KHR_external_memory_fd"};
    const char *told[3];
    struct gvk_set enabled = {{0}};
    uint32_t count = 0;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_extensions_take(&list, 3, asked, &enabled, told, &count));
    SLT_EXPECT_EQ(1u, count);
    SLT_EXPECT_STREQ("VK_KHR_synchronization2", told[0]);
    asked[0] = "VK_KHR_video_queue";
    SLT_EXPECT_EQ(VK_ERROR_EXTENSION_NOT_PRESENT,
                  gvk_extensions_take(&list, 3, asked, &enabled, told, &count));
    gvk_extensions_finish(&list);
}
