/* Recording, submitting, fences, sync files and queries, down to the packets that go out. */
#include "tests/support/gvk_sink.h"

#include "guest/vulkan/gvk_query.h"
#include "guest/vulkan/gvk_sync.h"
#include "transport/base/fd.h"

#include <string.h>

SLT_FIXTURE(gvk_record, struct gvk_sink, sink_init, sink_finish);

/* Opcode `index` of the packets recorded in a flush; 0 past the end. */
static uint32_t recorded_opcode(const struct gvk_sink_packet *flush, uint32_t index)
{
    size_t at = 36;
    for (uint32_t i = 0; at + 8 <= flush->size; i++) {
        if (i == index) {
            return sl_load_u32(flush->bytes + at);
        }
        at += sl_load_u32(flush->bytes + at + 4);
    }
    return 0;
}

static void expect_flush(const struct gvk_sink_packet *packet, uint64_t buffer)
{
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueFlushCommandsGOOGLE, packet->opcode);
    SLT_EXPECT_EQ(0xa0u, sl_load_u64(packet->bytes + 12));
    SLT_EXPECT_EQ(buffer, sl_load_u64(packet->bytes + 20));
    SLT_EXPECT_EQ(packet->size - 36, sl_load_u64(packet->bytes + 28));
}

/* ---- Recording and submitting ---- */

SLT_TEST_F(gvk_record, sends_secondaries_before_their_primary_and_nothing_twice, t)
{
    VkCommandPool pool = sink_pool();
    VkCommandBuffer primary = sink_buffer(pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 0xc0);
    VkCommandBuffer second = sink_buffer(pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 0xc1);
    sink_begin(second);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkEndCommandBuffer(second));
    sink_begin(primary);
    gvk_vkCmdExecuteCommands(primary, 1, &second);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkEndCommandBuffer(primary));
    sink_forget();

    sink_submit(primary);
    SLT_ASSERT_EQ(3u, t->packet_count);
    expect_flush(&t->packets[0], 0xc1);
    expect_flush(&t->packets[1], 0xc0);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkBeginCommandBufferAsyncGOOGLE,
                  recorded_opcode(&t->packets[1], 0));
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkCmdExecuteCommands, recorded_opcode(&t->packets[1], 1));
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkEndCommandBufferAsyncGOOGLE,
                  recorded_opcode(&t->packets[1], 2));
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueSubmitAsyncGOOGLE, t->packets[2].opcode);

    sink_forget();
    sink_submit(primary);
    SLT_ASSERT_EQ(1u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueSubmitAsyncGOOGLE, t->packets[0].opcode);
    gvk_vkDestroyCommandPool(sink_device(), pool, NULL);
}

SLT_TEST_F(gvk_record, a_reset_voids_what_was_not_sent, t)
{
    VkCommandPool pool = sink_pool();
    VkCommandBuffer buffer = sink_buffer(pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 0xc0);
    sink_begin(buffer);
    gvk_vkEndCommandBuffer(buffer);
    sink_answer(0, 0);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkResetCommandPool(sink_device(), pool, 0));
    sink_begin(buffer);
    gvk_vkEndCommandBuffer(buffer);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkResetCommandBuffer(buffer, 0));
    sink_begin(buffer);
    gvk_vkEndCommandBuffer(buffer);
    sink_forget();
    sink_submit(buffer);
    SLT_ASSERT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkEndCommandBufferAsyncGOOGLE,
                  recorded_opcode(&t->packets[0], 1));
    SLT_EXPECT_EQ(0u, recorded_opcode(&t->packets[0], 2));
    gvk_vkFreeCommandBuffers(sink_device(), pool, 1, &buffer);
    gvk_vkDestroyCommandPool(sink_device(), pool, NULL);
}

SLT_TEST_F(gvk_record, says_at_the_end_that_memory_ran_out, t)
{
    (void)t;
    VkCommandPool pool = sink_pool();
    VkCommandBuffer buffer = sink_buffer(pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 0xc0);
    sink_begin(buffer);
    gvk_record(buffer)->max = vk_pack_size(gvk_record(buffer)) + 4;
    gvk_record(buffer)->limit = gvk_record(buffer)->cur;
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_HOST_MEMORY, gvk_vkEndCommandBuffer(buffer));
    gvk_vkDestroyCommandPool(sink_device(), pool, NULL);
}

/* ---- Fences and timelines ---- */

SLT_TEST_F(gvk_record, asks_only_for_fences_that_were_submitted, t)
{
    VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    sink_answer(0x80, 1);
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkCreateFence(sink_device(), &info, NULL, &fence));
    sink_forget();
    sink_answer(0, 0);
    SLT_EXPECT_EQ(VK_NOT_READY, gvk_vkGetFenceStatus(sink_device(), fence));
    SLT_EXPECT_EQ(0u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkQueueSubmit(sink_queue(), 0, NULL, fence));
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitForFences(sink_device(), 1, &fence, VK_TRUE, UINT64_MAX));
    SLT_EXPECT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitForFences(sink_device(), 1, &fence, VK_TRUE, UINT64_MAX));
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkGetFenceStatus(sink_device(), fence));
    SLT_EXPECT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkResetFences(sink_device(), 1, &fence));
    SLT_EXPECT_EQ(VK_NOT_READY, gvk_vkGetFenceStatus(sink_device(), fence));
    SLT_EXPECT_EQ(3u, t->packet_count);
    gvk_vkDestroyFence(sink_device(), fence, NULL);
}

SLT_TEST_F(gvk_record, asks_no_second_time_for_a_value_that_was_reached, t)
{
    struct gvk_semaphore low = {.object.vk.id = 0x81};
    struct gvk_semaphore high = {.object.vk.id = 0x82, .reached = 9};
    VkSemaphore both[] = {GVK_TO(VkSemaphore, &low), GVK_TO(VkSemaphore, &high)};
    uint64_t values[] = {7, 9};
    VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                .semaphoreCount = 2,
                                .pSemaphores = both,
                                .pValues = values};
    sink_answer(0, 0);
    info.flags = VK_SEMAPHORE_WAIT_ANY_BIT;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitSemaphores(sink_device(), &info, 0));
    SLT_EXPECT_EQ(0u, t->packet_count);
    info.flags = 0;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitSemaphores(sink_device(), &info, 0));
    SLT_EXPECT_EQ(1u, t->packet_count);
    values[0] = 6;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitSemaphores(sink_device(), &info, 0));
    SLT_EXPECT_EQ(1u, t->packet_count);
}

/* ---- Sync files ---- */

static enum sl_result fake_submit(struct vg *vg, const struct vg_submit_args *args)
{
    SLT_EXPECT_EQ(&gvk_sink->vg, vg);
    SLT_EXPECT_EQ(0u, args->ring);
    SLT_EXPECT_LE(args->size, sizeof gvk_sink->words);
    memcpy(gvk_sink->words, args->commands, args->size);
    SLT_EXPECT_OK(sl_fd_event(&gvk_sink->given));
    *args->out_fence = gvk_sink->given;
    return SL_OK;
}

static const struct vg_ops fake_ops = {.submit = fake_submit};

static void device_make(struct gvk_sink *t)
{
    t->vg.ops = &fake_ops;
    t->gs.vg = &t->vg;
    t->host.gs = &t->gs;
}

SLT_TEST_F(gvk_record, exports_what_a_submit_will_signal_and_resets_the_fence, t)
{
    device_make(t);
    struct gvk_fence fence = {.object.vk.id = 0x1122334455, .state = GVK_FENCE_SUBMITTED};
    VkFenceGetFdInfoKHR info = {.sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
                                .fence = GVK_TO(VkFence, &fence),
                                .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    int fd = -1;
    uint32_t not_ready = VK_NOT_READY;
    gvk_sink->reply_size = 0;
    sink_reply_put(&not_ready, 4);
    t->has_later = true; /* VK_SUCCESS */
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkGetFenceFdKHR(sink_device(), &info, &fd));
    SLT_EXPECT_EQ(t->given, fd);
    const uint32_t want[] = {GFXSTREAM_CREATE_EXPORT_SYNC_VK, 0xd0, 0, 0x22334455, 0x11};
    SLT_EXPECT_MEMEQ(want, t->words, sizeof want);
    SLT_ASSERT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkGetFenceStatus, t->packets[0].opcode);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkResetFences, t->packets[1].opcode);
    sl_fd_close(&fd);
}

/* ---- Queries ---- */

SLT_TEST_F(gvk_record, unavailable_results_leave_the_memory_alone, t)
{
    (void)t;
    struct gvk_query_pool pool = {.object.vk.id = 0x70, .values = 1};
    struct place {
        uint64_t value, available, own;
    } places[2];
    memset(places, 0x77, sizeof places);
    uint64_t results[2][2] = {{5, 1}, {9, 0}};
    uint32_t result = VK_NOT_READY;
    gvk_sink->reply_size = 0;
    sink_reply_put(results, sizeof results);
    sink_reply_put(&result, sizeof result);
    SLT_EXPECT_EQ(
        VK_NOT_READY,
        gvk_vkGetQueryPoolResults(sink_device(), GVK_TO(VkQueryPool, &pool), 0, 2, sizeof places,
                                  places, sizeof places[0],
                                  VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
    SLT_EXPECT_EQ(5u, places[0].value);
    SLT_EXPECT_EQ(1u, places[0].available);
    SLT_EXPECT_EQ(0x7777777777777777u, places[0].own);
    SLT_EXPECT_EQ(0x7777777777777777u, places[1].value);
    SLT_EXPECT_EQ(0u, places[1].available);
}
