/* A context saved and played to another host: what lives there, holds and signals what it did here.
 * (Whole sessions of stock guests, whose ids the host chooses: hvk_stock_test.c.) */
#include "host/vulkan/hvk_query.h"
#include "tests/support/vk_parts.h"
#include "tests/support/vk_saved.h"

#include "transport/base/shm.h"

#include <string.h>
#include <unistd.h>

SLT_FIXTURE(hvk_save, struct vk_pair, vk_pair_init, vk_pair_finish);

/* There is what is here, under the same ids. */
static void move(struct vk_pair *p)
{
    SLT_ASSERT_OK(vk_saved_take(&p->saved, &p->here));
    vk_saved_play(&p->saved, &p->there, p->here.turn);
    SLT_ASSERT_OK(vk_saved_take(&p->again, &p->there));
    vk_saved_compare(&p->saved, &p->again);
    p->there.instance = p->here.instance;
    p->there.physical = p->here.physical;
    p->there.device = p->here.device;
    p->there.queue = p->here.queue;
}

static bool lives(struct vk_world *w, uint32_t kind, const void *handle)
{
    return hvk_find(vk_world_context(w), kind, HVK_U64(handle), NULL) != NULL;
}

static void run(struct vk_world *w, VkCommandBuffer buffer)
{
    VkFence fence = vp_fence_make(w);
    vp_submit(w, buffer, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
}

/* Its layouts and shader were ended, its memory holds what the device wrote, and it is submitted
 * once more. */
SLT_TEST_F(hvk_save, what_was_recorded_runs_there, p)
{
    struct vk_world *w = &p->here;
    struct vp_mapped m, there;
    struct vp_compute c;
    VkDescriptorSet set;
    VkCommandBuffer buffer;
    vp_compute_make(w, 4, &c);
    vp_mapped_make(w, 7, &m);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, m.buffer);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &buffer);
    vp_set_words(&m, 3);
    vp_dispatch_record(w, &c, set, 1, buffer);
    run(w, buffer);
    vp_expect_words(&m, 7);
    VK_SEND(&w->main, DestroyPipelineLayout, w->device, c.layout, NULL);
    VK_SEND(&w->main, DestroyDescriptorSetLayout, w->device, c.set_layout, NULL);
    move(p);
    there.words = vp_map_blob(&p->there, 7, 4096);
    vp_expect_words(&there, 7);
    run(&p->there, buffer);
    vp_expect_words(&there, 15);
    vp_expect_words(&m, 7);
    sl_shm_unmap(there.words, 4096);
    sl_shm_unmap(m.words, 4096);
}

/* Commands of a buffer that is submitted once are not kept: while it waits for its submit there is
 * no snapshot. */
SLT_TEST_F(hvk_save, what_is_submitted_once_is_waited_for, p)
{
    const VkCommandBufferBeginInfo once = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                           .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    struct vk_world *w = &p->here;
    struct vk_pack recorded;
    VkCommandBuffer buffer;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &buffer);
    vk_pack_init(&recorded, 4096, false);
    vk_pack_vkBeginCommandBufferAsyncGOOGLE(&recorded, &once);
    vp_flush(w, buffer, &recorded);
    /* Half of it came: it goes on there. */
    move(p);
    vk_pack_reset(&recorded);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, buffer, &recorded);
    vp_flush(&p->there, buffer, &recorded);
    vk_pack_finish(&recorded);
    SLT_EXPECT_LOG("vulkan", "about to be submitted");
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, vk_saved_take(&p->saved, w));
    run(w, buffer);
    run(&p->there, buffer);
    SLT_EXPECT_OK(vk_saved_take(&p->saved, w));
    SLT_EXPECT_OK(vk_saved_take(&p->again, &p->there));
}

static VkFence fence_make(struct vk_world *w, VkFenceCreateFlags flags)
{
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .flags = flags};
    VkFence fence = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateFence, w->device, &info, NULL, &fence);
    VK_READ(&w->main, CreateFence, w->device, &info, NULL, &fence, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return fence;
}

static VkResult fence_status(struct vk_world *w, VkFence fence)
{
    VkResult r;
    VK_SEND(&w->main, GetFenceStatus, w->device, fence);
    VK_READ(&w->main, GetFenceStatus, w->device, fence, &r);
    return r;
}

SLT_TEST_F(hvk_save, fences_are_as_they_were, p)
{
    struct vk_world *w = &p->here;
    VkResult r;
    VkFence plain = fence_make(w, 0), done = fence_make(w, 0);
    VkFence begun = fence_make(w, VK_FENCE_CREATE_SIGNALED_BIT);
    VkFence reset = fence_make(w, VK_FENCE_CREATE_SIGNALED_BIT);
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 0, NULL, done);
    VK_SEND(&w->main, ResetFences, w->device, 1, &reset);
    VK_READ(&w->main, ResetFences, w->device, 1, &reset, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, done, UINT64_MAX));
    move(p);
    SLT_EXPECT_EQ(VK_NOT_READY, fence_status(&p->there, plain));
    SLT_EXPECT_EQ(VK_SUCCESS, fence_status(&p->there, done));
    SLT_EXPECT_EQ(VK_SUCCESS, fence_status(&p->there, begun));
    SLT_EXPECT_EQ(VK_NOT_READY, fence_status(&p->there, reset));
}

static void signal(struct vk_world *w, VkSemaphore semaphore)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .signalSemaphoreCount = 1,
                               .pSignalSemaphores = &semaphore};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, VK_NULL_HANDLE);
}

/* What waits for it goes on. */
static void await(struct vk_world *w, VkSemaphore semaphore, VkFence fence)
{
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .waitSemaphoreCount = 1,
                               .pWaitSemaphores = &semaphore,
                               .pWaitDstStageMask = &stage};
    VK_SEND(&w->main, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
}

SLT_TEST_F(hvk_save, semaphores_are_as_they_were, p)
{
    struct vk_world *w = &p->here;
    VkSemaphore timeline = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 5);
    VkSemaphore still = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 9);
    VkSemaphore set = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0);
    VkSemaphore used = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0);
    VkFence fence = fence_make(w, 0), other = fence_make(w, 0);
    const VkSemaphoreSignalInfo up = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = timeline, .value = 12};
    uint64_t value = 0;
    VkResult r;
    VK_SEND(&w->main, SignalSemaphore, w->device, &up);
    VK_READ(&w->main, SignalSemaphore, w->device, &up, &r);
    signal(w, set);
    signal(w, used);
    await(w, used, fence);
    move(p);
    VK_SEND(&p->there.main, GetSemaphoreCounterValue, w->device, timeline, &value);
    VK_READ(&p->there.main, GetSemaphoreCounterValue, w->device, timeline, &value, &r);
    SLT_EXPECT_EQ(12u, value);
    VK_SEND(&p->there.main, GetSemaphoreCounterValue, w->device, still, &value);
    VK_READ(&p->there.main, GetSemaphoreCounterValue, w->device, still, &value, &r);
    SLT_EXPECT_EQ(9u, value);
    await(&p->there, set, other);
    const struct hvk_semaphore *record = (const void *)hvk_find(
        vk_world_context(&p->there), VK_KIND_VkSemaphore, HVK_U64(used), NULL);
    SLT_EXPECT_TRUE(record != NULL && !record->is_signalled);
    signal(&p->there, used);
    SLT_EXPECT_TRUE(record != NULL && record->is_signalled);
}

SLT_TEST_F(hvk_save, events_and_private_data_are_as_they_were, p)
{
    struct vk_world *w = &p->here, *t = &p->there;
    const VkEventCreateInfo info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    const VkPrivateDataSlotCreateInfo slot_info = {
        .sType = VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    VkEvent events[2] = {VK_NULL_HANDLE};
    VkPrivateDataSlot slot = VK_NULL_HANDLE;
    uint64_t data = 0;
    VkResult r;
    for (uint32_t i = 0; i < 2; i++) {
        VK_SEND(&w->main, CreateEvent, w->device, &info, NULL, &events[i]);
        VK_READ(&w->main, CreateEvent, w->device, &info, NULL, &events[i], &r);
    }
    VK_SEND(&w->main, SetEvent, w->device, events[1]);
    VK_SEND(&w->main, CreatePrivateDataSlot, w->device, &slot_info, NULL, &slot);
    VK_READ(&w->main, CreatePrivateDataSlot, w->device, &slot_info, NULL, &slot, &r);
    for (uint64_t i = 0; i < 700; i++) { /* its table grows on the way */
        VK_SEND(&w->main, SetPrivateData, w->device, VK_OBJECT_TYPE_BUFFER, 1000 + i, slot, i * i);
    }
    move(p);
    for (uint32_t i = 0; i < 2; i++) {
        VK_SEND(&t->main, GetEventStatus, w->device, events[i]);
        VK_READ(&t->main, GetEventStatus, w->device, events[i], &r);
        SLT_EXPECT_EQ(i == 0 ? VK_EVENT_RESET : VK_EVENT_SET, r);
    }
    for (uint64_t i = 0; i < 700; i++) {
        VK_SEND(&t->main, GetPrivateData, w->device, VK_OBJECT_TYPE_BUFFER, 1000 + i, slot, &data);
        VK_READ(&t->main, GetPrivateData, w->device, VK_OBJECT_TYPE_BUFFER, 1000 + i, slot, &data);
        SLT_EXPECT_EQ(i * i, data);
    }
}

/* --- ids that the guest chooses --- */

static VkSampler sampler_make(struct vk_world *w, uint64_t id)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler = HVK_HANDLE(VkSampler, id);
    vk_pack_reset(&w->main.pack);
    w->main.pack.objects = true;
    struct vk_object device = {.id = HVK_U64(w->device)}, made = {.id = id};
    VkSampler handle = HVK_HANDLE(VkSampler, HVK_U64(&made));
    VK_SEND(&w->main, CreateSampler, HVK_HANDLE(VkDevice, HVK_U64(&device)), &info, NULL, &handle);
    w->main.pack.objects = false;
    SLT_EXPECT_EQ(0u, w->main.reply_size);
    return sampler;
}

static VkDescriptorSetLayout layout_of(struct vk_world *w, uint64_t id, VkSampler sampler)
{
    struct vk_object device = {.id = HVK_U64(w->device)}, made = {.id = id},
                     named = {.id = HVK_U64(sampler)};
    VkSampler immutable = HVK_HANDLE(VkSampler, HVK_U64(&named));
    VkDescriptorSetLayout handle = HVK_HANDLE(VkDescriptorSetLayout, HVK_U64(&made));
    const VkDescriptorSetLayoutBinding binding = {.descriptorType = VK_DESCRIPTOR_TYPE_SAMPLER,
                                                  .descriptorCount = 1,
                                                  .stageFlags = VK_SHADER_STAGE_ALL,
                                                  .pImmutableSamplers = &immutable};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    w->main.pack.objects = true;
    VK_SEND(&w->main, CreateDescriptorSetLayout, HVK_HANDLE(VkDevice, HVK_U64(&device)), &info,
            NULL, &handle);
    w->main.pack.objects = false;
    SLT_EXPECT_EQ(0u, w->main.reply_size);
    return HVK_HANDLE(VkDescriptorSetLayout, id);
}

/* Layouts keep samplers that were ended, and whose place another has had since, twice. */
SLT_TEST_F(hvk_save, what_is_made_of_the_dead_is_made_again, p)
{
    struct vk_world *w = &p->here;
    const uint64_t place = SL_IDS_PEER_FIRST + 1, layouts = SL_IDS_PEER_FIRST + 10;
    VkSampler samplers[3];
    VkDescriptorSetLayout made[3];
    for (uint32_t i = 0; i < 2; i++) { /* each world has one ring that chooses */
        struct vk_world *of = i == 0 ? &p->here : &p->there;
        vk_ring_close(&of->main);
        vk_ring_open(of, &of->main, SLUICE_FEATURE_VK_IDS);
    }
    for (uint32_t i = 0; i < 3; i++) {
        samplers[i] = sampler_make(w, (uint64_t)i << 32 | place);
        made[i] = layout_of(w, layouts + i, samplers[i]);
        if (i != 2) {
            VK_SEND(&w->main, DestroySampler, w->device, samplers[i], NULL);
        }
    }
    SLT_ASSERT_TRUE(!w->main.lost);
    move(p);
    for (uint32_t i = 0; i < 3; i++) {
        SLT_EXPECT_EQ(i == 2, lives(&p->there, VK_KIND_VkSampler, samplers[i]));
        SLT_EXPECT_TRUE(lives(&p->there, VK_KIND_VkDescriptorSetLayout, made[i]));
    }
    /* With the layouts goes what was kept of the samplers. */
    uint64_t before = vk_world_context(w)->kept;
    for (uint32_t i = 0; i < 3; i++) {
        VK_SEND(&w->main, DestroyDescriptorSetLayout, w->device, made[i], NULL);
    }
    VK_SEND(&w->main, DestroySampler, w->device, samplers[2], NULL);
    SLT_EXPECT_LT(vk_world_context(w)->kept, before);
    SLT_ASSERT_OK(vk_saved_take(&p->saved, w));
    SLT_EXPECT_LT(p->saved.packets, p->again.packets);
}

SLT_TEST_F(hvk_save, nothing_is_kept_of_nothing, p)
{
    struct vk_world *w = &p->here;
    struct vp_compute c;
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    VkBuffer buffer = vp_buffer_make(w, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    vp_compute_make(w, 4, &c);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, 7, &memory));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, buffer, memory, 0));
    VK_SEND(&w->main, DestroyDevice, w->device, NULL);
    VK_SEND(&w->main, DestroyInstance, w->instance, NULL);
    SLT_EXPECT_EQ(0u, vk_world_context(w)->ids.live);
    SLT_EXPECT_EQ(0u, vk_world_context(w)->kept);
}

/* --- resources --- */

enum { RESOURCE = 33, BLOB = 7 };

/* The device's part: the blob becomes a resource that is attached. */
static void create_resource(struct vk_world *w)
{
    const struct vgd_blob_args args = {.mem = VIRTGPU_BLOB_HOST3D, .size = 4096, .blob_id = BLOB};
    struct hct_memory memory = {.fd = -1};
    SLT_ASSERT_OK(w->context->ops->blob(w->context, BLOB, &args, &memory));
    SLT_ASSERT_OK(w->context->ops->attach(w->context, RESOURCE, &memory));
    close(memory.fd);
}

struct asked {
    struct vk_saved *saved;
    size_t at; /* behind which packets */
    uint32_t times;
};

static enum sl_result on_resource(void *user, uint32_t resource_id)
{
    struct asked *asked = user;
    SLT_EXPECT_EQ(RESOURCE, resource_id);
    asked->at = asked->saved->size;
    asked->times++;
    return SL_OK;
}

/* A resource outlives the memory object that it was made of: what is imported of it needs it. */
SLT_TEST_F(hvk_save, a_resource_comes_before_its_memory_goes, p)
{
    struct vk_world *w = &p->here, *t = &p->there;
    struct asked asked = {.saved = &p->saved}, again = {.saved = &p->again};
    const VkImportColorBufferGOOGLE import = {.sType = VK_STRUCTURE_TYPE_IMPORT_COLOR_BUFFER_GOOGLE,
                                              .colorBuffer = RESOURCE};
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import, .allocationSize = 4096};
    VkDeviceMemory memory, imported = VK_NULL_HANDLE;
    VkResult r;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, BLOB, &memory));
    VK_SEND(&w->main, GetBlobGOOGLE, w->device, memory);
    VK_READ(&w->main, GetBlobGOOGLE, w->device, memory, &r);
    create_resource(w);
    VK_SEND(&w->main, AllocateMemory, w->device, &info, NULL, &imported);
    VK_READ(&w->main, AllocateMemory, w->device, &info, NULL, &imported, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    VK_SEND(&w->main, FreeMemorySyncGOOGLE, w->device, memory, NULL);
    p->saved.resource = p->again.resource = on_resource;
    p->saved.user = &asked;
    p->again.user = &again;
    SLT_ASSERT_OK(vk_saved_take(&p->saved, w));
    SLT_ASSERT_EQ(1u, asked.times);
    struct vk_saved part = {.bytes = p->saved.bytes, .size = asked.at};
    vk_saved_play(&part, t, 0);
    create_resource(t);
    part = (struct vk_saved){.bytes = p->saved.bytes + asked.at, .size = p->saved.size - asked.at};
    vk_saved_play(&part, t, w->turn);
    SLT_EXPECT_TRUE(lives(t, VK_KIND_VkDeviceMemory, imported));
    SLT_EXPECT_TRUE(!lives(t, VK_KIND_VkDeviceMemory, memory));
    SLT_ASSERT_OK(vk_saved_take(&p->again, t));
    vk_saved_compare(&p->saved, &p->again);
    SLT_EXPECT_EQ(asked.at, again.at);
}

/* --- the packets of a snapshot --- */

SLT_TEST_F(hvk_save, only_a_replay_may_send_them, p)
{
    const uint64_t id = 1;
    SLT_EXPECT_LOG("ring", "no replay");
    VK_SEND(&p->here.main, RestoreSLUICE, VK_FALSE, p->here.turn, 0, 8, 1, &id);
    SLT_EXPECT_TRUE(p->here.main.lost);
}

SLT_TEST_F(hvk_save, living_ids_are_not_given_again, p)
{
    vk_world_device(&p->there);
    const uint64_t ids[] = {HVK_U64(p->there.device)};
    SLT_EXPECT_LOG("ring", "no free ones");
    VK_SEND(&p->there.main, RestoreSLUICE, VK_FALSE, 0, 0, 64, 1, ids);
    SLT_EXPECT_TRUE(p->there.main.lost);
}

SLT_TEST_F(hvk_save, memory_has_an_end, p)
{
    uint8_t bytes[64] = {1};
    struct vk_world *t = &p->there;
    VkDeviceMemory memory;
    vk_world_device(t);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(t, 4096, 0, 0, &memory));
    VK_SEND(&t->main, WriteMemorySLUICE, t->device, memory, 4096 - 64, 64, bytes);
    SLT_EXPECT_TRUE(!t->main.lost);
    SLT_EXPECT_LOG("ring", "no such place");
    VK_SEND(&t->main, WriteMemorySLUICE, t->device, memory, 4096 - 63, 64, bytes);
    SLT_EXPECT_TRUE(t->main.lost);
}

struct results_case {
    const char *label;
    uint64_t pool, first, count; /* pool: added to the id */
    uint32_t words;
};

static const struct results_case results_cases[] = {
    {"no_head", 0, 0, 4, 2},         {"no_pool", 1, 0, 4, 3},
    {"behind_its_end", 0, 1, 4, 3},  {"far_behind_its_end", 0, 1ull << 32, 1, 3},
    {"too_few_words", 0, 0, 4, 10},  {"too_many_words", 0, 0, 4, 12},
    {"of_no_queries", 0, 4, 0, 4},   {"a_count_that_wraps", 0, 2, (1ull << 32) + 1, 5},
    {"all_of_one_more", 0, 0, 5, 13}};

/* Results that a snapshot's file says, which may be anybody's. */
SLT_TEST_FP(hvk_save, results_fit_their_queries, p, struct results_case, results_cases, c)
{
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_OCCLUSION,
                                        .queryCount = 4};
    struct vk_world *t = &p->there;
    VkQueryPool pool = VK_NULL_HANDLE;
    VkResult r;
    vk_world_device(t);
    VK_SEND(&t->main, CreateQueryPool, t->device, &info, NULL, &pool);
    VK_READ(&t->main, CreateQueryPool, t->device, &info, NULL, &pool, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    uint64_t words[13] = {HVK_U64(pool), 0, 4, 1, 7, 0, 0, 1, 9, 0, 0};
    VK_SEND(&t->main, RestoreSLUICE, HVK_RESTORE_QUERIES, t->turn, 0, 0, 11, words);
    SLT_EXPECT_TRUE(!t->main.lost);
    words[0] += c->pool;
    words[1] = c->first;
    words[2] = c->count;
    VK_SEND(&t->main, RestoreSLUICE, HVK_RESTORE_QUERIES, t->turn, 0, 0, c->words, words);
    SLT_EXPECT_TRUE(t->main.lost);
}

/* A device that waits for what its guest has not signalled yet has no state to save. */
SLT_TEST_F(hvk_save, a_device_at_work_is_saved_later, p)
{
    struct vk_world *w = &p->here;
    VkSemaphore timeline = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    const VkSemaphoreSignalInfo up = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = timeline, .value = 1};
    vp_submit_blocked(w, timeline, VK_NULL_HANDLE, VK_NULL_HANDLE);
    SLT_EXPECT_LOG("vulkan", "at work");
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, vk_saved_take(&p->saved, w));
    VK_SEND(&w->main, SignalSemaphore, w->device, &up);
    move(p);
}
