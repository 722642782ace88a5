/* Hostile guests at the rings of a gfxstream context, over the virtqueues: attack cases B01 to B13.
 * The rules themselves are tests of asg and host/ring; here it is that a guest which reaches the
 * ring's memory through its window loses its context and nothing else. */
#include "asg/layout.h"
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"
#include "transport/virtgpu/proto.h"

#include <string.h>

extern const struct hct_type hgl_gles_type;

#define GLES 8u
#define CTX  1u
#define RING 5u

static void bed_init(struct vhost_world *t)
{
    static const struct hct_type *const types[] = {&echo_type, &hgl_gles_type, NULL};
    SLT_ALLOW_LEAKS("the native driver keeps threads and descriptors");
    vhost_world_start_types(t, types, NULL);
    vhost_world_enter(t);
    uint32_t type = vguest_ctx(&t->guest, CTX, GLES);
    if (type == VGPU_ERR_UNSPEC) {
        SLT_SKIP("no native EGL");
    }
    SLT_ASSERT_EQ(VGPU_OK_NODATA, type);
}

static void bed_again(struct vhost_world *t)
{
    vhost_world_again(t);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(&t->guest, CTX, GLES));
}

SLT_FIXTURE_AGAIN(vhost_ring, struct vhost_world, bed_init, vhost_world_stop, bed_again);

static uint32_t context_command(struct vguest *g, uint32_t opcode, uint32_t resource)
{
    const uint32_t words[2] = {opcode, resource};
    return vguest_submit(g, CTX, words, sizeof words);
}

/* The ring as a stock guest makes it: blob, map, attach. */
static struct asg_page *make_memory(struct vguest *g, uint64_t size)
{
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, CTX, RING, 0, size));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, RING, 0));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, CTX, RING));
    struct asg_page *page = vguest_mapped(g, 0);
    SLT_ASSERT_TRUE(page != NULL);
    return page;
}

static struct asg_page *make_ring(struct vguest *g)
{
    struct asg_page *page = make_memory(g, 1060864);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_CREATE, RING));
    return page;
}

/* A span announced, as a stock guest does. */
static void announce(struct asg_page *page, uint32_t offset, uint32_t size)
{
    const struct asg_descriptor descriptor = {offset, size};
    uint32_t at = page->write_pos;
    memcpy(page->descriptors + at % ASG_DESC_RING, &descriptor, sizeof descriptor);
    sl_atomic_store_seq(&page->transfer_mode, ASG_MODE_SPANS);
    sl_atomic_store_seq(&page->write_pos, at + (uint32_t)sizeof descriptor);
}

/* The context is lost: pings are refused from some moment on. Its fences settle all the same, and
 * everybody else is well. */
static void expect_lost(struct vhost_world *t)
{
    uint64_t end = sl_clock_ns() + VGUEST_PATIENCE_MS * SL_NS_PER_MS;
    uint32_t answer = VGPU_OK_NODATA;
    while (answer == VGPU_OK_NODATA && sl_clock_ns() < end) {
        answer = context_command(&t->guest, GFXSTREAM_CONTEXT_PING, RING);
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_ASSERT_EQ(VGPU_ERR_UNSPEC, answer);
    vhost_world_expect_healthy(t);
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(&t->guest, VGPU_CTX_DESTROY, CTX, 0));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_ctx(&t->guest, CTX, GLES));
}

struct lie {
    const char *label;
    uint32_t offset, size;
};
static const struct lie lies[] = {
    {"b01_offset_beyond", ASG_BUFFER_BYTES, 64},
    {"b01_straddles_the_end", ASG_BUFFER_BYTES - 32, 64},
    {"b02_size_all_ones", 0, UINT32_MAX},
    {"b02_wraps", UINT32_MAX - 15, 64},
    {"b02_both", UINT32_MAX, UINT32_MAX},
};

SLT_TEST_FP(vhost_ring, loses_a_context_that_lies_about_spans, t, struct lie, lies, c)
{
    struct asg_page *page = make_ring(&t->guest);
    announce(page, c->offset, c->size);
    expect_lost(t);
}

SLT_TEST_F(vhost_ring, b02_spans_of_nothing_are_nothing, t)
{
    /* The facts of the wire call them a no-op. However many come, each is taken: the ring goes on.
     */
    struct asg_page *page = make_ring(&t->guest);
    uint64_t end = sl_clock_ns() + 40 * SL_NS_PER_S;
    for (uint32_t i = 0; i < 300; i++) {
        announce(page, i % ASG_BUFFER_BYTES, 0);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, context_command(&t->guest, GFXSTREAM_CONTEXT_PING, RING));
        while (sl_atomic_load_seq(&page->read_pos) != page->write_pos && sl_clock_ns() < end) {
            sl_clock_sleep_ns(10000);
        }
    }
    SLT_EXPECT_EQ(page->write_pos, sl_atomic_load_seq(&page->read_pos));
    vhost_world_expect_healthy(t);
}

struct word {
    const char *label;
    uint32_t position; /* of the ring's writer; 0: left */
    uint32_t mode;
};
static const struct word words[] = {
    {"b03_far_ahead", 0x40000000, ASG_MODE_SPANS},
    {"b03_more_than_the_ring", 4096, ASG_MODE_SPANS},
    {"b03_half_a_descriptor", 4, ASG_MODE_SPANS},
    {"b03_backwards", (uint32_t)-8, ASG_MODE_SPANS},
    {"b04_mode_2", 8, 2},
    {"b04_mode_0", 8, 0},
    {"b04_mode_4", 8, 4},
    {"b04_all_ones", 8, UINT32_MAX},
    {"b05_large_never_delivered", 8, ASG_MODE_LARGE},
};

SLT_TEST_FP(vhost_ring, loses_a_context_that_breaks_its_ring, t, struct word, words, c)
{
    struct asg_page *page = make_ring(&t->guest);
    sl_atomic_store_seq(&page->transfer_mode, c->mode);
    sl_atomic_store_seq(&page->write_pos, c->position);
    expect_lost(t);
}

/* A word of the ring that two processors of the guest write. */
struct shaker {
    pthread_t thread;
    uint32_t stop; /* atomic */
    uint32_t *word;
    uint32_t a, b;
};

static void *shake(void *user)
{
    struct shaker *s = user;
    while (sl_atomic_load_seq(&s->stop) == 0) {
        sl_atomic_store_relaxed(s->word, s->a);
        sl_atomic_store_relaxed(s->word, s->b);
    }
    return NULL;
}

SLT_TEST_F(vhost_ring, b03_loses_a_context_whose_position_changes_between_looks, t)
{
    struct asg_page *page = make_ring(&t->guest);
    struct shaker s = {.word = &page->write_pos, .a = 8, .b = 0x40000000};
    sl_atomic_store_seq(&page->transfer_mode, ASG_MODE_SPANS);
    SLT_ASSERT_OK(sl_thread_start(&s.thread, "shaker", 0, shake, &s));
    uint64_t end = sl_clock_ns() + VGUEST_PATIENCE_MS * SL_NS_PER_MS;
    uint32_t answer = VGPU_OK_NODATA;
    while (answer == VGPU_OK_NODATA && sl_clock_ns() < end) {
        answer = context_command(&t->guest, GFXSTREAM_CONTEXT_PING, RING);
        sl_clock_sleep_ns(10000);
    }
    sl_atomic_store_seq(&s.stop, 1);
    pthread_join(s.thread, NULL);
    expect_lost(t);
}

SLT_TEST_F(vhost_ring, b06_ignores_what_is_its_own_to_write, t)
{
    struct asg_page *page = make_ring(&t->guest);
    uint64_t end = sl_clock_ns() + 100 * SL_NS_PER_MS;
    while (sl_clock_ns() < end) {
        sl_atomic_store_seq(&page->host_state, ASG_STATE_ERROR);
        sl_atomic_store_seq(&page->in_error, UINT32_MAX);
        sl_atomic_store_seq(&page->buffer_size, UINT32_MAX); /* B07 */
        sl_atomic_store_seq(&page->flush_interval, 1);
    }
    SLT_EXPECT_EQ(VGPU_OK_NODATA, context_command(&t->guest, GFXSTREAM_CONTEXT_PING, RING));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, b08_refuses_commands_without_sense, t)
{
    struct vguest *g = &t->guest;
    SLT_EXPECT_TRUE(context_command(g, GFXSTREAM_CONTEXT_PING, RING) >= VGPU_ERR_UNSPEC);
    SLT_EXPECT_TRUE(context_command(g, GFXSTREAM_CONTEXT_CREATE, RING) >= VGPU_ERR_UNSPEC);
    (void)make_ring(g);
    SLT_EXPECT_TRUE(context_command(g, GFXSTREAM_CONTEXT_CREATE, RING) >= VGPU_ERR_UNSPEC);
    SLT_EXPECT_TRUE(context_command(g, 0x1004, RING) >= VGPU_ERR_UNSPEC);
    SLT_EXPECT_TRUE(context_command(g, UINT32_MAX, RING) >= VGPU_ERR_UNSPEC);
    SLT_EXPECT_TRUE(vguest_ctx(g, 2, 63) >= VGPU_ERR_UNSPEC); /* a type that is none */
    SLT_EXPECT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_PING, RING));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, b10_refuses_to_take_away_what_was_never_there, t)
{
    struct vguest *g = &t->guest;
    for (uint32_t i = 0; i < 3; i++) {
        SLT_EXPECT_TRUE(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, RING) >= VGPU_ERR_UNSPEC);
        SLT_EXPECT_TRUE(vguest_id(g, VGPU_CTX_DETACH_RESOURCE, CTX, RING) >= VGPU_ERR_UNSPEC);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, CTX, RING, 0, 4096));
        SLT_EXPECT_TRUE(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, RING) >= VGPU_ERR_UNSPEC);
        SLT_EXPECT_TRUE(vguest_id(g, VGPU_CTX_DETACH_RESOURCE, CTX, RING) >= VGPU_ERR_UNSPEC);
        SLT_EXPECT_TRUE(vguest_id(g, VGPU_RESOURCE_DETACH_BACKING, 0, RING) >= VGPU_ERR_UNSPEC);
        SLT_EXPECT_EQ(0u, g->asked % 2); /* nothing of it reached the front end */
        SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, RING, 0));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, RING));
        SLT_EXPECT_TRUE(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, RING) >= VGPU_ERR_UNSPEC);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, RING));
    }
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, RING, VIRTGPU_FORMAT_R8G8B8A8, 4, 4));
    SLT_EXPECT_TRUE(vguest_id(g, VGPU_RESOURCE_DETACH_BACKING, 0, RING) >= VGPU_ERR_UNSPEC);
    SLT_EXPECT_TRUE(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, RING) >= VGPU_ERR_UNSPEC);
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, b11_refuses_commands_shorter_than_their_opcode, t)
{
    struct vguest *g = &t->guest;
    (void)make_ring(g);
    static const uint32_t opcodes[] = {0x1001, 0x1002, 0x9000, 0xa000, 0xa002, 0xa003, 0xa004};
    for (uint32_t i = 0; i < 7; i++) {
        SLT_EXPECT_TRUE(vguest_submit(g, CTX, &opcodes[i], 4) >= VGPU_ERR_UNSPEC);
        SLT_EXPECT_TRUE(vguest_submit(g, CTX, &opcodes[i], 3) >= VGPU_ERR_UNSPEC);
    }
    SLT_EXPECT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_PING, RING));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, b09_refuses_memory_that_holds_no_ring, t)
{
    struct vguest *g = &t->guest;
    (void)make_memory(g, 8192);
    SLT_EXPECT_TRUE(context_command(g, GFXSTREAM_CONTEXT_CREATE, RING) >= VGPU_ERR_UNSPEC);
    /* Another context's, which was never given to this one. */
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 2, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 2, 7, 0, 1060864));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, 2, 7));
    SLT_EXPECT_TRUE(context_command(g, GFXSTREAM_CONTEXT_CREATE, 7) >= VGPU_ERR_UNSPEC);
    struct {
        struct vgpu_create_blob q;
        struct vgpu_entry entry;
    } pages = {.q = {.head = {.type = VGPU_RESOURCE_CREATE_BLOB, .ctx_id = CTX},
                     .resource_id = 6,
                     .blob_mem = VIRTGPU_BLOB_GUEST,
                     .entry_count = 1,
                     .size = 2u << 20},
               .entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = 2u << 20}};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &pages, sizeof pages, NULL, 24));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, CTX, 6));
    SLT_EXPECT_TRUE(context_command(g, GFXSTREAM_CONTEXT_CREATE, 6) >= VGPU_ERR_UNSPEC);
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, b12_nonsense_in_the_ring_costs_one_context, t)
{
    /* As two writers without order leave it: bytes of no packet. */
    struct asg_page *page = make_ring(&t->guest);
    memset((uint8_t *)page + ASG_RING_BYTES, 0xa5, 4096);
    for (uint32_t i = 0; i < 8; i++) {
        announce(page, i * 100, 333);
    }
    expect_lost(t);
}

/* Two threads announce what the other one writes. */
struct writer {
    pthread_t thread;
    struct asg_page *page;
    uint32_t seed;
};

/* The races are the guest's, and meant: nobody is told of them. Hence no call, which would be
 * watched by itself. */
__attribute__((no_sanitize("thread"))) static void *write_without_order(void *user)
{
    struct writer *w = user;
    for (uint32_t i = 0; i < 200; i++) {
        w->seed = w->seed * 1664525 + 1013904223;
        volatile uint8_t *bytes = (uint8_t *)w->page + ASG_RING_BYTES + w->seed % 4096;
        for (uint32_t j = 0; j < 64; j++) {
            bytes[j] = (uint8_t)(w->seed >> 8);
        }
        uint32_t at = *(volatile uint32_t *)&w->page->write_pos;
        volatile struct asg_descriptor *descriptor =
            (volatile struct asg_descriptor *)(w->page->descriptors + at % ASG_DESC_RING);
        descriptor->offset = w->seed % 4096;
        descriptor->size = w->seed >> 16 & 127;
        *(volatile uint32_t *)&w->page->transfer_mode = ASG_MODE_SPANS;
        *(volatile uint32_t *)&w->page->write_pos = at + (uint32_t)sizeof *descriptor;
    }
    return NULL;
}

SLT_TEST_F(vhost_ring, b12_two_writers_without_order_cost_one_context, t)
{
    struct writer w[2] = {{.seed = 1}, {.seed = 2}};
    w[0].page = w[1].page = make_ring(&t->guest);
    for (uint32_t i = 0; i < 2; i++) {
        SLT_ASSERT_OK(sl_thread_start(&w[i].thread, "writer", 0, write_without_order, &w[i]));
    }
    for (uint32_t i = 0; i < 2; i++) {
        pthread_join(w[i].thread, NULL);
    }
    (void)context_command(&t->guest, GFXSTREAM_CONTEXT_PING, RING); /* lost or not */
    vhost_world_expect_healthy(t);
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(&t->guest, VGPU_CTX_DESTROY, CTX, 0));
}

SLT_TEST_F(vhost_ring, b13_looks_by_itself_when_nobody_pings, t)
{
    struct asg_page *page = make_ring(&t->guest);
    const uint32_t nothing = 0;
    uint64_t end = sl_clock_ns() + VGUEST_PATIENCE_MS * SL_NS_PER_MS;
    sl_clock_sleep_ns(20 * SL_NS_PER_MS); /* it sleeps by now */
    memcpy((uint8_t *)page + ASG_RING_BYTES, &nothing, sizeof nothing);
    announce(page, 0, sizeof nothing);
    while (sl_atomic_load_seq(&page->read_pos) != page->write_pos && sl_clock_ns() < end) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_EQ(page->write_pos, sl_atomic_load_seq(&page->read_pos));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, e04_refuses_syncs_that_are_none, t)
{
    struct vguest *g = &t->guest;
    (void)make_ring(g);
    /* Imports are nobody's here, a GLES context has no Vulkan fences; in-fences are not offered. */
    static const uint32_t commands[][5] = {
        {GFXSTREAM_CREATE_IMPORT_SYNC, 7, 0},
        {GFXSTREAM_CREATE_IMPORT_SYNC_VK, 7, 0, 7, 0},
        {GFXSTREAM_ACQUIRE_SYNC, 0, UINT32_MAX, UINT32_MAX},
        {GFXSTREAM_CREATE_EXPORT_SYNC_VK, 7, 0, 7, 0},
    };
    for (uint32_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        SLT_EXPECT_TRUE(vguest_submit(g, CTX, commands[i], sizeof commands[i]) >= VGPU_ERR_UNSPEC);
        uint16_t head = vguest_submit_fenced(g, CTX, 0, 1 + i, commands[i], sizeof commands[i]);
        /* nobody waits for what was refused */
        SLT_EXPECT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
    }
    struct vgpu_submit q = {.head = {.type = VGPU_SUBMIT_3D, .ctx_id = CTX}, .padding = 1};
    SLT_EXPECT_TRUE(vguest_command(g, &q, sizeof q, NULL, 24) >= VGPU_ERR_UNSPEC);
    /* A sync object that never was is one that has signalled and gone: its fence does not wait. */
    static const uint32_t gone[3] = {GFXSTREAM_CREATE_EXPORT_SYNC, 0xdeadbeef, 0};
    uint16_t head = vguest_submit_fenced(g, CTX, 0, 100, gone, sizeof gone);
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_PING, RING));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, counts_pings_over_the_lives_of_rings, t)
{
    struct vguest *g = &t->guest;
    struct vhost_control_stats none = vhost_world_stats(t);
    (void)make_ring(g);
    for (uint32_t i = 0; i < 10; i++) {
        SLT_ASSERT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_PING, RING));
    }
    struct vhost_control_stats ten = vhost_world_stats(t);
    SLT_EXPECT_EQ(1u, ten.rings);
    SLT_EXPECT_EQ(10u, ten.pings - none.pings);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, CTX, 0));
    struct vhost_control_stats after = vhost_world_stats(t);
    SLT_EXPECT_EQ(0u, after.rings);
    SLT_EXPECT_EQ(10u, after.pings - none.pings);
}

SLT_TEST_F(vhost_ring, b13_pings_without_data_hold_nobody_up, t)
{
    struct vguest *g = &t->guest;
    (void)make_ring(g);
    for (uint32_t i = 0; i < 2000; i++) {
        SLT_ASSERT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_PING, RING));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_ring, the_ring_may_end_under_its_reader, t)
{
    struct vguest *g = &t->guest;
    for (uint32_t i = 0; i < 10; i++) {
        struct asg_page *page = make_ring(g);
        announce(page, 0, 64);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, RING));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, RING));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, CTX, 0));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, CTX, GLES));
    }
    vhost_world_expect_healthy(t);
}
