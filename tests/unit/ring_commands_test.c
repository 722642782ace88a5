/* The context commands: rings made, pinged and ended by what a guest submits. */
#include "asg/layout.h"
#include "host/ring/hr_commands.h"
#include "tests/support/slt.h"
#include "tests/support/task_count.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(uint32_t opcode)
{
    (void)opcode;
    return "none";
}
static const hr_handler handlers[] = {NULL};
static const struct hr_family family = {
    .name = "test", .first_opcode = 100, .count = 1, .handlers = handlers, .opcode_name = name_of};

#define PLACES 3u /* for rings */

struct commands {
    struct task_count tasks; /* first: hct_env's user */
    struct hr_rings rings;
    struct hct_env env;
    void *memory;
    uint64_t exported;
    uint32_t freed;
    uint32_t holds;
};

static enum sl_result ring_new(void *user, struct hr_config *config, void **state)
{
    struct commands *t = user;
    static struct hr_binding binding;
    binding = (struct hr_binding){&family, t};
    config->bindings = &binding;
    config->binding_count = 1;
    *state = t;
    return SL_OK;
}

static void ring_free(void *user, void *state)
{
    (void)state;
    ((struct commands *)user)->freed++;
}

static enum sl_result export_sync(void *user, uint64_t handle, uint64_t task)
{
    struct commands *t = user;
    t->exported = handle;
    t->env.task_done(t->env.user, task);
    return SL_OK;
}

static enum sl_result export_sync_vk(void *user, uint64_t device, uint64_t fence, uint64_t task)
{
    return device == 3 ? export_sync(user, fence, task) : SL_ERR_NOTFOUND;
}

static const struct hr_rings_ops rings_ops = {ring_new, ring_free, export_sync, export_sync_vk,
                                              true};

static void env_lost(void *user, uint32_t ctx, const char *reason)
{
    (void)user, (void)ctx, (void)reason;
}

static void commands_init(struct commands *t)
{
    t->memory = aligned_alloc(4096, PLACES * ASG_BLOB_BYTES);
    memset(t->memory, 0, PLACES * ASG_BLOB_BYTES);
    t->env = (struct hct_env){.user = t,
                              .task_begin = task_count_begin,
                              .task_done = task_count_done,
                              .ctx_lost = env_lost};
    hr_rings_init(&t->rings, &rings_ops, t, &t->env, 1, "test");
}

static void commands_finish(struct commands *t)
{
    hr_rings_finish(&t->rings);
    free(t->memory);
}

SLT_FIXTURE(commands, struct commands, commands_init, commands_finish);

static enum sl_result submit(struct commands *t, uint32_t opcode, uint32_t a, uint32_t b,
                             size_t size)
{
    uint8_t bytes[12];
    sl_store_u32(bytes, opcode);
    sl_store_u32(bytes + 4, a);
    sl_store_u32(bytes + 8, b);
    return hr_rings_submit(&t->rings, bytes, size);
}

static void attach_at(struct commands *t, uint32_t id, uint64_t size, uint32_t place)
{
    uint8_t *pointer = (uint8_t *)t->memory + place * ASG_BLOB_BYTES;
    const struct hct_memory memory = {.fd = -1, .size = size, .pointer = pointer};
    SLT_ASSERT_OK(hr_rings_attach(&t->rings, id, &memory));
}

static void attach(struct commands *t, uint32_t id, uint64_t size)
{
    attach_at(t, id, size, 0);
}

/* B08: unknown, second and early commands are errors; the context lives. */
SLT_TEST_F(commands, refuses_what_has_no_sense, t)
{
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8)); /* not attached */
    attach(t, 5, ASG_BLOB_BYTES);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND,
                      submit(t, GFXSTREAM_CONTEXT_PING, 5, 0, 8)); /* before create */
    SLT_EXPECT_OK(submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8)); /* a second */
    SLT_EXPECT_OK(submit(t, GFXSTREAM_CONTEXT_PING, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, submit(t, GFXSTREAM_CONTEXT_PING, 6, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, submit(t, 0x1001 | 10, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, submit(t, 0, 5, 0, 8));
    hr_rings_detach(&t->rings, 5);
    SLT_EXPECT_EQ(1u, t->freed);
}

/* B09: a ring blob that is too small, or has no memory. */
SLT_TEST_F(commands, refuses_memory_that_cannot_be_a_ring, t)
{
    attach(t, 5, 4096);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    SLT_ASSERT_OK(hr_rings_attach(&t->rings, 6, NULL));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, GFXSTREAM_CONTEXT_CREATE, 6, 0, 8));
}

/* B11: commands shorter than their opcode needs. */
SLT_TEST_F(commands, refuses_short_commands, t)
{
    static const uint32_t opcodes[] = {GFXSTREAM_CONTEXT_CREATE, GFXSTREAM_CONTEXT_PING,
                                       GFXSTREAM_CREATE_EXPORT_SYNC};
    attach(t, 5, ASG_BLOB_BYTES);
    for (size_t i = 0; i < 3; i++) {
        for (size_t size = 0; size < (i == 2 ? 12u : 8u); size++) {
            SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, opcodes[i], 5, 0, size));
        }
    }
}

static struct hct_hold *memory_hold(void *user, uint32_t resource_id)
{
    struct commands *t = user;
    t->holds++;
    return resource_id == 7 ? NULL : (struct hct_hold *)(void *)&t->holds; /* 7: not the device's */
}

static void memory_release(struct hct_hold *hold)
{
    (*(uint32_t *)(void *)hold)--;
}

/* Memory for slStaged: of a ring, from a blob that the device holds, once, and let go with it. */
SLT_TEST_F(commands, shares_memory_for_bulky_data, t)
{
    t->env.memory_hold = memory_hold;
    t->env.memory_release = memory_release;
    attach(t, 5, ASG_BLOB_BYTES);
    attach(t, 6, 4096);
    attach(t, 7, 4096);
    SLT_ASSERT_OK(hr_rings_attach(&t->rings, 8, NULL));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 12)); /* no ring yet */
    SLT_ASSERT_OK(submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 11));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 9, 12));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 6, 5, 12));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 8, 12)); /* no memory */
    SLT_EXPECT_EQ(1u, t->holds);                                                  /* the ring's */
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 7, 12));
    t->holds--; /* nobody got that one */
    SLT_EXPECT_OK(submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 12));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, submit(t, SLUICE_CONTEXT_STAGE, 5, 6, 12)); /* a second */
    SLT_EXPECT_EQ(2u, t->holds);
    hr_rings_detach(&t->rings, 6); /* the ring goes on with it */
    SLT_EXPECT_EQ(2u, t->holds);
    hr_rings_detach(&t->rings, 5);
    SLT_EXPECT_EQ(0u, t->holds);
}

SLT_TEST_F(commands, exports_a_fence_as_a_task, t)
{
    SLT_EXPECT_OK(submit(t, GFXSTREAM_CREATE_EXPORT_SYNC, 7, 1, 12));
    SLT_EXPECT_EQ((1ull << 32) + 7, t->exported);
    SLT_EXPECT_EQ(1u, t->tasks.done);
}

SLT_TEST_F(commands, exports_a_vulkan_fence_as_a_task, t)
{
    const uint32_t command[] = {GFXSTREAM_CREATE_EXPORT_SYNC_VK, 3, 0, 9, 1};
    SLT_EXPECT_OK(hr_rings_submit(&t->rings, command, sizeof command));
    SLT_EXPECT_EQ((1ull << 32) + 9, t->exported);
    SLT_EXPECT_EQ(1u, t->tasks.done);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, hr_rings_submit(&t->rings, command, sizeof command - 4));
}

/* B13: a million pings without data start no ring and bring none a byte; the ring sleeps again. */
SLT_TEST_F(commands, bears_a_ping_storm, t)
{
    SLT_TIMEOUT(120);
    attach(t, 5, ASG_BLOB_BYTES);
    SLT_ASSERT_OK(submit(t, GFXSTREAM_CONTEXT_CREATE, 5, 0, 8));
    for (int i = 0; i < 1000000; i++) {
        (void)!submit(t, GFXSTREAM_CONTEXT_PING, 5, 0, 8);
    }
    struct vgd_ring_stats stats;
    SLT_EXPECT_OK(hr_rings_stats(&t->rings, 0, &stats));
    SLT_EXPECT_EQ(5u, stats.resource_id);
    SLT_EXPECT_EQ(0u, stats.bytes);
    SLT_EXPECT_EQ(1000000u, stats.pings);
    SLT_EXPECT_LE(stats.pings_awake, stats.pings);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, hr_rings_stats(&t->rings, 1, &stats));
    const struct asg_page *page = t->memory;
    while (sl_atomic_load_seq(&page->host_state) != ASG_STATE_NEED_NOTIFY) {
        sl_clock_sleep_ns(SL_NS_PER_MS); /* the test's own limit ends it */
    }
}

/* What a snapshot is written to. */
SLT_TEST_F(commands, the_first_ring_is_that_of_the_lowest_resource, t)
{
    SLT_EXPECT_EQ(0u, hr_rings_first(&t->rings));
    static const uint32_t blobs[] = {9, 5, 7};
    attach(t, 3, ASG_BLOB_BYTES); /* no ring */
    for (uint32_t i = 0; i < PLACES; i++) {
        attach_at(t, blobs[i], ASG_BLOB_BYTES, i);
        SLT_ASSERT_OK(submit(t, GFXSTREAM_CONTEXT_CREATE, blobs[i], 0, 8));
        SLT_EXPECT_EQ(i == 0 ? 9u : 5u, hr_rings_first(&t->rings));
    }
}
