/* Hostile guests at the rings of a gfxstream context, over the virtqueues: attack cases B01 to B13.
 * The rules themselves are tests of asg and host/ring; here it is that a guest which reaches the
 * ring's memory through its window loses its context and nothing else. */
#include "asg/layout.h"
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
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

SLT_FIXTURE(vhost_ring, struct vhost_world, bed_init, vhost_world_stop);

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
    uint64_t end = sl_clock_ns() + 8 * SL_NS_PER_S;
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

struct word {
    const char *label;
    uint32_t position; /* of the ring's writer; 0: left */
    uint32_t mode;
};
static const struct word words[] = {
    {"b03_far_ahead", 0x40000000, ASG_MODE_SPANS},
    {"b03_more_than_the_ring", 4096, ASG_MODE_SPANS},
    {"b03_half_a_descriptor", 4, ASG_MODE_SPANS},
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
    static const uint32_t opcodes[] = {0x1001, 0x1002, 0x9000, 0xa000, 0xa002, 0xa003, 0xa004};
    for (uint32_t i = 0; i < 7; i++) { /* B11 */
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

SLT_TEST_F(vhost_ring, tells_pings_that_were_needed_from_others, t)
{
    struct vguest *g = &t->guest;
    struct asg_page *page = make_ring(g);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_PING, RING));
    struct vhost_control_stats one = vhost_world_stats(t);
    SLT_EXPECT_EQ(1u, one.rings);
    SLT_EXPECT_EQ(1u, one.pings);
    for (uint32_t i = 0; i < 9; i++) { /* the guest lies: the host said that it looks */
        sl_atomic_store_seq(&page->host_state, ASG_STATE_RENDERING);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, context_command(g, GFXSTREAM_CONTEXT_PING, RING));
    }
    struct vhost_control_stats ten = vhost_world_stats(t);
    SLT_EXPECT_EQ(10u, ten.pings);
    SLT_EXPECT_LE(one.pings_awake, ten.pings_awake);
    SLT_EXPECT_LE(1u, ten.pings_awake);
    /* The sums outlive the ring. */
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, CTX, 0));
    struct vhost_control_stats after = vhost_world_stats(t);
    SLT_EXPECT_EQ(0u, after.rings);
    SLT_EXPECT_EQ(10u, after.pings);
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
