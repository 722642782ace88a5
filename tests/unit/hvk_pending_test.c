/* A hostile guest resets and ends what its device has yet to run (attack case C07): the queue waits
 * for a timeline that the guest signals afterwards. What was submitted runs as it was; what is
 * reset is fresh. The driver's freed memory is filled, so that whoever still looks into it shows.
 */
#include "tests/unit/hvk_hostile.h"

#include "host/vulkan/hvk_family.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <malloc.h>

static void init(struct vk_world *w)
{
#ifdef M_PERTURB
    (void)mallopt(M_PERTURB, 0x55);
#endif
    vk_world_init(w);
}
SLT_FIXTURE(hvk_pending, struct vk_world, init, vk_world_finish);

struct pending {
    struct hostile h;
    VkCommandPool pool;
    VkCommandBuffer primary, secondary;
    VkSemaphore timeline;
    VkEvent event;
    VkFence fence;
    uint64_t name; /* of a batched set, of a pool of its own */
    struct vp_compute batched;
};

static void batched_make(struct vk_world *w, struct pending *p)
{
    uint32_t count = 1;
    const uint32_t zero = 0, one = 1;
    const VkDescriptorBufferInfo info = {.buffer = p->h.m.buffer, .range = VK_WHOLE_SIZE};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .descriptorCount = 1,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = &info};
    vp_compute_make(w, 1, &p->batched);
    VK_SEND(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, p->batched.pool, &count, &p->name);
    VK_READ(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, p->batched.pool, &count, &p->name);
    VkWriteDescriptorSet named = write;
    named.dstSet = HVK_HANDLE(VkDescriptorSet, p->name);
    VK_SEND(&w->main, QueueCommitDescriptorSetUpdatesGOOGLE, w->queue, 1, &p->batched.pool, 1,
            &p->batched.set_layout, &p->name, &zero, &one, &zero, 1, &named);
}

/* data = data * 2 + 1, by the set and the pipeline of `c`. */
static void dispatch(struct vk_pack *recorded, const struct vp_compute *c, VkDescriptorSet set)
{
    const uint32_t add = 1;
    vk_pack_vkCmdBindPipeline(recorded, VK_PIPELINE_BIND_POINT_COMPUTE, c->pipeline);
    vk_pack_vkCmdBindDescriptorSets(recorded, VK_PIPELINE_BIND_POINT_COMPUTE, c->layout, 0, 1, &set,
                                    0, NULL);
    vk_pack_vkCmdPushConstants(recorded, c->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &add);
    vk_pack_vkCmdDispatch(recorded, 64, 1, 1);
}

static void barrier(struct vk_pack *recorded)
{
    const VkMemoryBarrier all = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                 .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                 .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT};
    vk_pack_vkCmdPipelineBarrier(recorded, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                 VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &all, 0, NULL, 0, NULL);
}

static void flush(struct vk_world *w, VkCommandBuffer buffer, struct vk_pack *recorded)
{
    vk_pack_vkEndCommandBufferAsyncGOOGLE(recorded);
    vp_flush(w, buffer, recorded);
    vk_pack_finish(recorded);
}

static void secondary_record(struct vk_world *w, const struct pending *p, bool dispatches)
{
    const VkCommandBufferInheritanceInfo inherited = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .pInheritanceInfo = &inherited};
    struct vk_pack recorded;
    vk_pack_init(&recorded, 1 << 16, false);
    vk_pack_vkBeginCommandBufferAsyncGOOGLE(&recorded, &begin);
    if (dispatches) {
        dispatch(&recorded, &p->h.c, p->h.set);
        barrier(&recorded);
    }
    flush(w, p->secondary, &recorded);
}

static VkEvent event_make(struct vk_world *w)
{
    const VkEventCreateInfo info = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    VkEvent event = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateEvent, w->device, &info, NULL, &event);
    VK_READ(&w->main, CreateEvent, w->device, &info, NULL, &event, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return event;
}

/* Words of 3 become 7 by the secondary, 15 by the primary, 31 by the batched set. */
static void make(struct vk_world *w, struct pending *p)
{
    *p = (struct pending){0};
    hostile_make(w, &p->h);
    vp_set_write(w, p->h.set, p->h.m.buffer);
    batched_make(w, p);
    p->timeline = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_TIMELINE, 0);
    p->event = event_make(w);
    p->fence = vp_fence_make(w);
    p->pool = vp_pool_make(w);
    vp_buffers_make(w, p->pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &p->primary);
    vp_buffers_make(w, p->pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 1, &p->secondary);
    secondary_record(w, p, true);
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdResetQueryPool(&recorded, p->h.queries, 0, 4);
    vk_pack_vkCmdBeginQuery(&recorded, p->h.queries, 1, 0);
    vk_pack_vkCmdWaitEvents(&recorded, 1, &p->event, VK_PIPELINE_STAGE_HOST_BIT,
                            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, NULL, 0, NULL, 0, NULL);
    vk_pack_vkCmdExecuteCommands(&recorded, 1, &p->secondary);
    dispatch(&recorded, &p->h.c, p->h.set);
    barrier(&recorded);
    dispatch(&recorded, &p->batched, HVK_HANDLE(VkDescriptorSet, p->name));
    vk_pack_vkCmdEndQuery(&recorded, p->h.queries, 1);
    flush(w, p->primary, &recorded);
    vp_set_words(&p->h.m, 3);
}

static void submit(struct vk_world *w, const struct pending *p)
{
    vp_submit_blocked(w, p->timeline, p->primary, p->fence);
}

static void begin_it(struct vk_world *w, const struct pending *p)
{
    const VkSemaphoreSignalInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = p->timeline, .value = 1};
    VkResult r;
    VK_SEND(&w->main, SignalSemaphore, w->device, &info);
    VK_READ(&w->main, SignalSemaphore, w->device, &info, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
}

static VkResult finish_it(struct vk_world *w, const struct pending *p)
{
    VkResult r;
    VK_SEND(&w->main, SetEvent, w->device, p->event);
    VK_READ(&w->main, SetEvent, w->device, p->event, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    return vp_wait(w, p->fence, UINT64_MAX);
}

/* Somebody else gets what was freed. */
static void fill_up(struct vk_world *w)
{
    VkCommandBuffer buffers[8];
    struct vp_compute c;
    VkDescriptorSet set;
    vp_compute_make(w, 1, &c);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 8, buffers);
}

struct pending_case {
    const char *label;
    void (*end)(struct vk_world *w, const struct pending *p);
};
#define END(name) static void name(struct vk_world *w, const struct pending *p)

END(nothing)
{
    (void)w, (void)p;
}
END(the_pool_is_reset)
{
    VkResult r;
    VK_SEND(&w->main, ResetCommandPool, w->device, p->pool, 0);
    VK_READ(&w->main, ResetCommandPool, w->device, p->pool, 0, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
}
END(the_pool_is_reset_with_its_memory)
{
    VkResult r;
    VK_SEND(&w->main, ResetCommandPool, w->device, p->pool,
            VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT);
    VK_READ(&w->main, ResetCommandPool, w->device, p->pool,
            VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
}
/* The first one gives the command buffers up, which lie in the native pool until they have run. */
END(the_pool_is_reset_twice)
{
    the_pool_is_reset(w, p);
    the_pool_is_reset(w, p);
}
END(the_pool_ends)
{
    VK_SEND(&w->main, DestroyCommandPool, w->device, p->pool, NULL);
}
END(the_buffers_end)
{
    const VkCommandBuffer both[2] = {p->secondary, p->primary};
    VK_SEND(&w->main, FreeCommandBuffers, w->device, p->pool, 2, both);
}
END(the_pool_of_ended_buffers_is_reset)
{
    the_buffers_end(w, p);
    the_pool_is_reset(w, p);
}
END(the_buffer_is_recorded_anew)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, p->h.m.buffer, 0, 256, 77);
    flush(w, p->primary, &recorded);
}
END(the_buffer_is_reset)
{
    struct vk_pack recorded;
    vk_pack_init(&recorded, 1 << 16, false);
    vk_pack_vkResetCommandBufferAsyncGOOGLE(&recorded, 0);
    vp_flush(w, p->primary, &recorded);
    vk_pack_finish(&recorded);
}
END(the_buffer_goes_on)
{
    struct vk_pack recorded;
    vk_pack_init(&recorded, 1 << 16, false);
    vk_pack_vkCmdFillBuffer(&recorded, p->h.m.buffer, 0, 256, 77);
    flush(w, p->primary, &recorded);
}
END(the_secondary_is_recorded_anew)
{
    secondary_record(w, p, false);
}
END(the_pool_of_a_new_record_is_reset)
{
    the_buffer_is_recorded_anew(w, p);
    the_secondary_is_recorded_anew(w, p);
    the_pool_is_reset(w, p);
}
END(the_descriptor_pool_is_reset)
{
    VkResult r;
    VK_SEND(&w->main, ResetDescriptorPool, w->device, p->h.c.pool, 0);
    VK_READ(&w->main, ResetDescriptorPool, w->device, p->h.c.pool, 0, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
}
END(the_pool_of_names_is_reset)
{
    VkResult r;
    VK_SEND(&w->main, ResetDescriptorPool, w->device, p->batched.pool, 0);
    VK_READ(&w->main, ResetDescriptorPool, w->device, p->batched.pool, 0, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
}
END(the_descriptor_pools_end)
{
    VK_SEND(&w->main, DestroyDescriptorPool, w->device, p->h.c.pool, NULL);
    VK_SEND(&w->main, DestroyDescriptorPool, w->device, p->batched.pool, NULL);
}
END(the_set_is_freed)
{
    VK_SEND(&w->main, FreeDescriptorSets, w->device, p->h.c.pool, 1, &p->h.set);
}
END(the_name_is_freed)
{
    const VkDescriptorSet set = HVK_HANDLE(VkDescriptorSet, p->name);
    VK_SEND(&w->main, FreeDescriptorSets, w->device, p->batched.pool, 1, &set);
}
END(the_queries_are_reset)
{
    VK_SEND(&w->main, ResetQueryPool, w->device, p->h.queries, 0, 4);
}
END(the_queries_end)
{
    VK_SEND(&w->main, DestroyQueryPool, w->device, p->h.queries, NULL);
}
END(the_pipeline_ends)
{
    VK_SEND(&w->main, DestroyPipeline, w->device, p->h.c.pipeline, NULL);
    VK_SEND(&w->main, DestroyPipelineLayout, w->device, p->h.c.layout, NULL);
    VK_SEND(&w->main, DestroyDescriptorSetLayout, w->device, p->h.c.set_layout, NULL);
}
END(the_buffer_and_its_memory_end)
{
    VK_SEND(&w->main, DestroyBuffer, w->device, p->h.m.buffer, NULL);
    VK_SEND(&w->main, FreeMemory, w->device, p->h.m.memory, NULL);
}
END(all_of_it_ends)
{
    the_pool_ends(w, p);
    the_descriptor_pools_end(w, p);
    the_queries_end(w, p);
    the_pipeline_ends(w, p);
    the_buffer_and_its_memory_end(w, p);
}

static const struct pending_case pending_cases[] = {ROW(nothing),
                                                    ROW(the_pool_is_reset),
                                                    ROW(the_pool_is_reset_with_its_memory),
                                                    ROW(the_pool_is_reset_twice),
                                                    ROW(the_pool_of_a_new_record_is_reset),
                                                    ROW(the_pool_of_ended_buffers_is_reset),
                                                    ROW(the_pool_ends),
                                                    ROW(the_buffers_end),
                                                    ROW(the_buffer_is_recorded_anew),
                                                    ROW(the_buffer_is_reset),
                                                    ROW(the_buffer_goes_on),
                                                    ROW(the_secondary_is_recorded_anew),
                                                    ROW(the_descriptor_pool_is_reset),
                                                    ROW(the_pool_of_names_is_reset),
                                                    ROW(the_descriptor_pools_end),
                                                    ROW(the_set_is_freed),
                                                    ROW(the_name_is_freed),
                                                    ROW(the_queries_are_reset),
                                                    ROW(the_queries_end),
                                                    ROW(the_pipeline_ends),
                                                    ROW(the_buffer_and_its_memory_end),
                                                    ROW(all_of_it_ends)};

SLT_TEST_FP(hvk_pending, runs_as_it_was_when, w, struct pending_case, pending_cases, c)
{
    struct pending p;
    make(w, &p);
    submit(w, &p);
    c->end(w, &p);
    fill_up(w);
    SLT_ASSERT_TRUE(!w->main.lost);
    begin_it(w, &p);
    SLT_EXPECT_EQ(VK_SUCCESS, finish_it(w, &p));
    vp_expect_words(&p.h.m, 31);
}

/* The driver is in the middle of it, or will soon be. */
SLT_TEST_FP(hvk_pending, runs_to_its_end_when, w, struct pending_case, pending_cases, c)
{
    struct pending p;
    make(w, &p);
    submit(w, &p);
    begin_it(w, &p);
    sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    c->end(w, &p);
    fill_up(w);
    SLT_ASSERT_TRUE(!w->main.lost);
    SLT_EXPECT_EQ(VK_SUCCESS, finish_it(w, &p));
    vp_expect_words(&p.h.m, 31);
}

/* What its fence has told is reset natively, whether the guest has reset the fence or not. */
SLT_TEST_F(hvk_pending, nothing_is_made_anew_that_is_done, w)
{
    struct pending p;
    VkResult r;
    make(w, &p);
    submit(w, &p);
    begin_it(w, &p);
    SLT_EXPECT_EQ(VK_SUCCESS, finish_it(w, &p));
    struct hvk_context *context = vk_world_context(w);
    struct hvk_object *b = hvk_find(context, VK_KIND_VkCommandBuffer, HVK_U64(p.primary), NULL);
    struct hvk_object *sets =
        hvk_find(context, VK_KIND_VkDescriptorPool, HVK_U64(p.h.c.pool), NULL);
    uint64_t native = b->native, native_sets = sets->native;
    the_buffer_is_recorded_anew(w, &p);
    VK_SEND(&w->main, ResetFences, w->device, 1, &p.fence);
    VK_READ(&w->main, ResetFences, w->device, 1, &p.fence, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    the_pool_is_reset(w, &p);
    the_descriptor_pool_is_reset(w, &p);
    SLT_EXPECT_EQ(native, b->native);
    SLT_EXPECT_EQ(native_sets, sets->native);
}

/* One that ended while it could not be told that it had run is gone at the first look after that:
 * the end of its pool begins with another buffer, which is such a look. */
SLT_TEST_F(hvk_pending, a_pool_ends_behind_a_buffer_of_its_own, w)
{
    struct pending p;
    make(w, &p);
    submit(w, &p);
    VK_SEND(&w->main, FreeCommandBuffers, w->device, p.pool, 1, &p.secondary);
    begin_it(w, &p);
    SLT_EXPECT_EQ(VK_SUCCESS, finish_it(w, &p));
    the_pool_ends(w, &p);
    fill_up(w);
    SLT_EXPECT_TRUE(!w->main.lost);
    vp_expect_words(&p.h.m, 31);
}

/* --- results, by a ring of its own --- */

struct asking {
    struct vk_guest_ring ring;
    pthread_t thread;
};

static void *ask(void *user)
{
    struct asking *asking = user;
    vk_ring_feed(&asking->ring);
    return NULL;
}

static void asking_start(struct vk_world *w, const struct pending *p, struct asking *asking,
                         uint64_t *result)
{
    vk_ring_open(w, &asking->ring, 0);
    vk_pack_vkGetQueryPoolResults(&asking->ring.pack, ++w->turn, w->device, p->h.queries, 1, 1, 8,
                                  result, 8, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
    SLT_ASSERT_OK(sl_thread_start(&asking->thread, "asks", 0, ask, asking));
}

SLT_TEST_F(hvk_pending, results_are_waited_for_beside_others, w)
{
    struct pending p;
    struct asking asking;
    uint64_t result = 7;
    VkResult r = VK_ERROR_UNKNOWN;
    make(w, &p);
    submit(w, &p);
    asking_start(w, &p, &asking, &result);
    begin_it(w, &p); /* its turn comes */
    SLT_EXPECT_EQ(VK_SUCCESS, finish_it(w, &p));
    pthread_join(asking.thread, NULL);
    VK_READ(&asking.ring, GetQueryPoolResults, w->device, p.h.queries, 1, 1, 8, &result, 8,
            VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    SLT_EXPECT_EQ(0u, result);
    vk_ring_close(&asking.ring);
}

SLT_TEST_F(hvk_pending, who_waits_for_results_is_stopped, w)
{
    struct pending p;
    struct asking asking;
    uint64_t result;
    make(w, &p);
    submit(w, &p);
    asking_start(w, &p, &asking, &result);
    sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    hr_ring_stop(asking.ring.ring);
    pthread_join(asking.thread, NULL);
    vk_ring_close(&asking.ring);
}
