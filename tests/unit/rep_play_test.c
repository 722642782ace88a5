/* Replays on a real device of traces that no program makes at will: what one thread waits for that
 * another does later, and answers that never come. */
#include "host/device/device.h"
#include "tests/unit/rep_bed.h"
#include "asg/layout.h"
#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/pack.h"
#include "wire/gles2_pack.h"
#include "wire/glesx_pack.h"
#include "wire/vk_pack.h"

#include <GLES3/gl3.h>
#include <GLES2/gl2ext.h>

#include <string.h>

extern const struct hct_type hvk_vulkan_type;

struct bed {
    struct rep_bed trace; /* context 1, and rings of streams 1 and 2 */
    struct vgd *device;
    struct vk_pack pack;
    uint32_t rounds, diverged;
};

enum { CONTEXT = 1, ROUNDS = 3 };

static uint32_t ring_of(uint32_t stream)
{
    return REP_BED_RING + stream;
}

static void put_memory(struct rep_bed *t, uint32_t stream)
{
    const struct cap_verb_blob blob = {.ctx_id = CONTEXT,
                                       .resource_id = ring_of(stream),
                                       .mem = VIRTGPU_BLOB_HOST3D,
                                       .flags = VIRTGPU_BLOB_MAPPABLE,
                                       .size = ASG_BLOB_BYTES};
    const struct cap_verb_ctx attach = {.ctx_id = CONTEXT, .value = ring_of(stream)};
    const struct cap_verb_res map = {.resource_id = ring_of(stream)};
    rep_bed_verb(t, CAP_VERB_BLOB_CREATE, &blob, sizeof blob);
    rep_bed_verb(t, CAP_VERB_CTX_ATTACH, &attach, sizeof attach);
    rep_bed_verb(t, CAP_VERB_RES_MAP, &map, sizeof map);
}

static void put_ring(struct rep_bed *t, uint32_t stream)
{
    const uint32_t submit[] = {CONTEXT, 8, GFXSTREAM_CONTEXT_CREATE, ring_of(stream)};
    rep_bed_verb(t, CAP_VERB_SUBMIT, submit, sizeof submit);
}

static void bed_init(struct bed *t)
{
    SLT_NEED(SLT_VULKAN);
    SLT_ALLOW_LEAKS("the native driver keeps threads and files");
    vk_pack_init(&t->pack, 1 << 16, false);
    rep_bed_init(&t->trace);
    t->trace.contexts[1] = t->trace.contexts[2] = CONTEXT;
    rep_bed_context(&t->trace, CONTEXT);
    put_memory(&t->trace, 1);
    put_memory(&t->trace, 2);
    put_ring(&t->trace, 1);
}

static void bed_finish(struct bed *t)
{
    if (t->device != NULL) {
        t->device->ops->destroy(t->device);
    }
    rep_bed_finish(&t->trace);
    vk_pack_finish(&t->pack);
}

SLT_FIXTURE(rep_play, struct bed, bed_init, bed_finish);

/* What was packed. */
static void put_packet(struct bed *t, uint32_t stream, uint32_t turn, const struct rep_bed_end *end)
{
    const uint32_t head = 12; /* opcode, length, turn */
    rep_bed_call(&t->trace, stream, sl_load_u32(t->pack.data), turn, t->pack.data + head,
                 vk_pack_size(&t->pack) - head, end);
    vk_pack_reset(&t->pack);
}

/* Any command will do, but for its turn. */
static void call(struct bed *t, uint32_t stream, uint32_t turn)
{
    uint32_t version;
    vk_pack_vkEnumerateInstanceVersion(&t->pack, turn, &version);
    put_packet(t, stream, turn, NULL);
}

static bool again(void *user)
{
    return ++((struct bed *)user)->rounds < ROUNDS;
}

static bool diverged(void *user, const struct rep_answer *answer)
{
    (void)answer;
    ((struct bed *)user)->diverged++;
    return true;
}

/* Gives how long it took. */
static uint64_t play(struct bed *t, struct rep_options options)
{
    options.stop_call = UINT64_MAX;
    options.stop_frame = options.stop_frame != 0 ? options.stop_frame : UINT64_MAX;
    options.patience_ns = SL_NS_PER_S;
    options.user = t;
    options.diverged = diverged;
    rep_bed_open(&t->trace, &options);
    const struct hct_type *const types[] = {&hvk_vulkan_type, NULL};
    const struct hct_options driver = {.restores = true};
    const struct vgd_sink sink = rep_sink(t->trace.rep);
    SLT_ASSERT_OK(dev_create(types, &driver, NULL, &sink, &t->device));
    uint64_t begin = sl_clock_ns();
    rep_run(t->trace.rep, t->device, &t->trace.report);
    return sl_clock_ns() - begin;
}

/* Its packet waits for a turn that another thread's packet has, behind the mark. */
SLT_TEST_F(rep_play, a_last_frame_gets_what_it_waits_for, t)
{
    put_ring(&t->trace, 2);
    call(t, 2, 2);
    rep_bed_frame(&t->trace, 2);
    call(t, 1, 1);
    call(t, 1, 3);
    rep_bed_frame(&t->trace, 1);
    play(t, (struct rep_options){.stop_frame = 1});
    SLT_EXPECT_EQ(REP_END_COMPLETE, t->trace.report.end);
    SLT_EXPECT_EQ(1u, t->trace.report.frames);
    SLT_EXPECT_EQ(2u, t->trace.report.calls);
}

/* Of two programs: the other one's frame is over first. */
SLT_TEST_F(rep_play, a_frame_does_not_wait_before_the_next_mark, t)
{
    put_ring(&t->trace, 2);
    call(t, 1, 1);
    call(t, 2, 3);
    rep_bed_frame(&t->trace, 2);
    rep_bed_frame(&t->trace, 1);
    call(t, 1, 2);
    play(t, (struct rep_options){.stop_frame = 0});
    SLT_EXPECT_EQ(REP_END_COMPLETE, t->trace.report.end);
    SLT_EXPECT_EQ(2u, t->trace.report.frames);
}

/* By a recorder that let the rings go one by one. */
SLT_TEST_F(rep_play, a_recording_that_lost_a_ring_ends_there, t)
{
    put_ring(&t->trace, 2);
    call(t, 1, 1);
    rep_bed_frame(&t->trace, 1);
    call(t, 1, 3);
    rep_bed_frame(&t->trace, 1);
    call(t, 1, 4);
    rep_bed_frame(&t->trace, 1);
    play(t, (struct rep_options){.stop_frame = 0});
    SLT_EXPECT_EQ(REP_END_CUT, t->trace.report.end);
    SLT_EXPECT_EQ(1u, t->trace.report.frames);
    SLT_EXPECT_EQ(2u, t->trace.report.unplayed.frames);
    SLT_EXPECT_EQ(0u, t->diverged);
}

SLT_TEST_F(rep_play, a_ring_that_begins_in_a_loop_begins_in_every_round, t)
{
    call(t, 1, 1);
    rep_bed_frame(&t->trace, 1);
    put_ring(&t->trace, 2);
    call(t, 2, 2);
    call(t, 1, 3);
    rep_bed_frame(&t->trace, 1);
    play(t, (struct rep_options){.first_frame = 1, .stop_frame = 2, .again = again});
    SLT_EXPECT_STREQ("", t->trace.report.loop.reason);
    SLT_EXPECT_EQ(REP_END_COMPLETE, t->trace.report.end);
    SLT_EXPECT_EQ((uint64_t)ROUNDS, t->trace.report.loop.rounds);
    SLT_EXPECT_EQ(0u, t->diverged);
}

/* A byte that is damaged says that the packet's last 8 bytes (here an id, which is not looked at)
 * are a checksum: then the reply has one, which no host sends that was not asked for it. */
SLT_TEST_F(rep_play, a_reply_that_never_comes_is_given_up, t)
{
    const uint8_t reply[8] = {0};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    VkInstance instance = VK_NULL_HANDLE;
    vk_pack_vkCreateInstance(&t->pack, 1, &info, NULL, &instance);
    put_packet(t, 1, 1,
               &(struct rep_bed_end){.reply = reply, .reply_size = sizeof reply, .has_sum = true});
    uint64_t stamp = t->trace.stamp;
    call(t, 1, 2);
    SLT_EXPECT_LT(play(t, (struct rep_options){.stop_frame = 0}), 20 * SL_NS_PER_S);
    SLT_EXPECT_EQ(REP_END_STUCK, t->trace.report.end);
    SLT_EXPECT_EQ(stamp, t->trace.report.stuck_call);
}

/* Of a context that there is not: the first is waited for, a second. */
SLT_TEST_F(rep_play, fences_that_never_come_are_given_up, t)
{
    enum { COUNT = 40 };
    for (uint32_t i = 1; i <= COUNT; i++) {
        const struct cap_verb_fence fence = {.ctx_id = 77, .id = i};
        rep_bed_verb(&t->trace, CAP_VERB_FENCE, &fence, sizeof fence);
        rep_bed_verb(&t->trace, CAP_VERB_FENCE_DONE, &fence, sizeof fence);
        call(t, 1, i);
        rep_bed_frame(&t->trace, 1);
    }
    SLT_EXPECT_LT(play(t, (struct rep_options){.stop_frame = 0}), COUNT / 2 * SL_NS_PER_S);
    SLT_EXPECT_EQ((uint64_t)COUNT, t->diverged);
    SLT_EXPECT_EQ((uint64_t)COUNT, t->trace.report.frames);
}

/* Of OpenGL ES' timers. */
SLT_TEST(rep_check, times_differ_from_run_to_run)
{
    struct sl_pack_mem out;
    bool same[4];
    sl_pack_mem_init(&out);
    gles2_pack_glGetInteger64v(&out.pack, GL_TIMESTAMP_EXT, 8);
    same[0] = rep_is_deterministic(out.data, 12);
    out.pack.cur = out.data;
    glesx_pack_glGetQueryObjectui64vEXT(&out.pack, 1, GL_QUERY_RESULT, 8);
    same[1] = rep_is_deterministic(out.data, 12);
    out.pack.cur = out.data;
    gles2_pack_glGetInteger64v(&out.pack, GL_MAX_ELEMENT_INDEX, 8);
    same[2] = rep_is_deterministic(out.data, 12);
    out.pack.cur = out.data;
    gles2_pack_glGetIntegerv(&out.pack, GL_TIMESTAMP_EXT, 4);
    same[3] = rep_is_deterministic(out.data, 12);
    sl_pack_mem_finish(&out);
    SLT_EXPECT_TRUE(!same[0]);
    SLT_EXPECT_TRUE(!same[1]);
    SLT_EXPECT_TRUE(same[2]);
    SLT_EXPECT_TRUE(same[3]); /* no time fits there */
}

/* A snapshot does not tell which of its packets are answered. Answers go through the memory that
 * packets lie in, so that one which came late would be written over what is fed meanwhile. */
SLT_TEST_F(rep_play, what_a_snapshot_has_is_answered_before_the_next_packet, t)
{
    call(t, 1, 1);
    rep_bed_frame(&t->trace, 1);
    play(t, (struct rep_options){.stop_frame = 0});
    struct rep_ring *ring = rep_ring_find(t->trace.rep, ring_of(1));
    SLT_ASSERT_NE(NULL, (void *)ring);
    struct cap_event event = {.kind = CAP_EVENT_CALL};
    event.call = (struct cap_event_call){.ctx_id = CONTEXT,
                                         .ring_id = ring_of(1),
                                         .capset = VIRTGPU_CAPSET_GFXSTREAM_VULKAN,
                                         .has_result = true};
    for (uint32_t turn = 2; turn < 10; turn++) {
        uint32_t version, before = ring->fed;
        vk_pack_vkEnumerateInstanceVersion(&t->pack, turn, &version);
        event.call.packet = t->pack.data;
        event.call.size = (uint32_t)vk_pack_size(&t->pack);
        sl_store_u32(t->pack.data + 4, event.call.size);
        sl_store_u32(t->pack.data + 8, turn);
        rep_ring_feed(ring, &event, true);
        SLT_EXPECT_TRUE(rep_ring_is_done(ring, before));
        SLT_EXPECT_EQ(before + 1, ring->fed);
        vk_pack_reset(&t->pack);
    }
    SLT_EXPECT_TRUE(rep_ring_wait(ring, ring->fed));
    SLT_EXPECT_EQ(0u, sl_atomic_load_relaxed(&ring->is_lost));
}
