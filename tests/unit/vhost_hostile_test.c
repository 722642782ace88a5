/* Hostile guests past the queues: attack cases A12 to A25, E01 to E05. */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"
#include "transport/virtgpu/proto.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

SLT_FIXTURE_AGAIN(vhost_hostile, struct vhost_world, vhost_world_begin, vhost_world_stop,
                  vhost_world_again);

#define RGBA VIRTGPU_FORMAT_R8G8B8A8

/* A command of many bytes, by an indirect chain of pages. Its response's type. */
static uint32_t large_command(struct vguest *g, const void *request, uint32_t size)
{
    uint8_t *at = g->ram + VGUEST_FREE + 0x100000;
    uint8_t *answer = g->ram + VGUEST_FREE;
    struct virtq_desc *table = (void *)(g->ram + VGUEST_FREE + 0x10000);
    uint32_t count = 0;
    memcpy(at, request, size);
    for (uint32_t done = 0; done < size; done += 4096, count++) {
        table[count] = (struct virtq_desc){.addr = vguest_gpa(g, at + done),
                                           .len = size - done < 4096 ? size - done : 4096,
                                           .flags = VIRTQ_DESC_NEXT,
                                           .next = (uint16_t)(count + 1)};
    }
    table[count++] =
        (struct virtq_desc){.addr = vguest_gpa(g, answer), .len = 24, .flags = VIRTQ_DESC_WRITE};
    g->queues[0].desc[200] = (struct virtq_desc){
        .addr = vguest_gpa(g, table), .len = count * 16, .flags = VIRTQ_DESC_INDIRECT};
    vguest_offer(g, 0, 200);
    return vguest_wait(g, 0, 200, VGUEST_PATIENCE_MS) == 24 ? sl_load_u32(answer) : 0;
}

static uint32_t create_3d(struct vguest *g, uint32_t id, uint32_t target, uint32_t width,
                          uint32_t height, uint32_t depth)
{
    struct vgpu_create_3d q = {.head = {.type = VGPU_RESOURCE_CREATE_3D},
                               .resource_id = id,
                               .target = target,
                               .format = target == VIRTGPU_TARGET_BUFFER ? VIRTGPU_FORMAT_R8 : RGBA,
                               .width = width,
                               .height = height,
                               .depth = depth,
                               .array_size = 1};
    return vguest_command(g, &q, sizeof q, NULL, 24);
}

static uint32_t transfer_3d(struct vguest *g, uint32_t type, uint32_t id,
                            const struct vgpu_transfer_3d *values)
{
    struct vgpu_transfer_3d q = *values;
    q.head = (struct vgpu_head){.type = type};
    q.resource_id = id;
    return vguest_command(g, &q, sizeof q, NULL, 24);
}

/* ---- resources ---- */

SLT_TEST_F(vhost_hostile, a12_refuses_sizes_that_overflow, t)
{
    struct vguest *g = &t->guest;
    SLT_EXPECT_TRUE(vguest_is_error(vguest_create_2d(g, 1, RGBA, 0x10000, 0x10000)));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_create_2d(g, 1, RGBA, 0x8001, 0x8000)));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_create_2d(g, 1, RGBA, UINT32_MAX, UINT32_MAX)));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_create_2d(g, 1, RGBA, 0, 4)));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_create_2d(g, 1, 9999, 4, 4)));
    SLT_EXPECT_TRUE(vguest_is_error(create_3d(g, 1, VIRTGPU_TARGET_BUFFER, UINT32_MAX, 1, 1)));
    SLT_EXPECT_TRUE(vguest_is_error(create_3d(g, 1, VIRTGPU_TARGET_2D, UINT32_MAX, 2, UINT32_MAX)));
    SLT_EXPECT_TRUE(vguest_is_error(create_3d(g, 1, 77, 4, 4, 1)));
    for (uint32_t id = 1; id < 100; id++) { /* 1 GiB each: the device's limit is met */
        if (vguest_is_error(vguest_create_2d(g, id, RGBA, 16384, 16384))) {
            SLT_EXPECT_EQ(5u, id);
            break;
        }
    }
    SLT_ASSERT_TRUE(vguest_restart(g));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a13_refuses_ids_that_are_taken, t)
{
    struct vguest *g = &t->guest;
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_create_2d(g, 0, RGBA, 4, 4));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 1, RGBA, 4, 4));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_create_2d(g, 1, RGBA, 4, 4));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_CONTEXT_ID, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_CONTEXT_ID, vguest_ctx(g, 0, ECHO_CAPSET));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_ctx(g, 2, 99)));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_ctx(g, 2, 0x100 | ECHO_CAPSET)));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_blob(g, 1, 1, 0, 4096));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 2, 0, 4096));
    SLT_EXPECT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 2, 0));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_id(g, VGPU_RESOURCE_UNREF, 0, 2)));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_blob(g, 1, 2, 0, 4096));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a14_refuses_lists_of_the_wrong_length, t)
{
    struct vguest *g = &t->guest;
    static struct {
        struct vgpu_attach_backing q;
        struct vgpu_entry entries[16385];
    } large;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 1, RGBA, 16, 16));
    large.q = (struct vgpu_attach_backing){.head = {.type = VGPU_RESOURCE_ATTACH_BACKING},
                                           .resource_id = 1};
    for (uint32_t i = 0; i < 16385; i++) {
        large.entries[i] = (struct vgpu_entry){.addr = VGUEST_GPA + VGUEST_FREE, .length = 4};
    }
    SLT_EXPECT_TRUE(vguest_is_error(large_command(g, &large, sizeof large.q)));
    static const uint32_t counts[] = {16385, UINT32_MAX, 0x10000000};
    for (uint32_t i = 0; i < 3; i++) {
        large.q.entry_count = counts[i];
        SLT_EXPECT_TRUE(vguest_is_error(large_command(g, &large, sizeof large)));
    }
    large.q.entry_count = 16384; /* but one is not there */
    SLT_EXPECT_TRUE(vguest_is_error(large_command(g, &large, sizeof large - 32)));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, large_command(g, &large, sizeof large - 16));
    SLT_EXPECT_TRUE(vguest_is_error(large_command(g, &large, sizeof large - 16))); /* it has some */
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 1, (struct vgpu_rect){0, 0, 16, 16}, 0));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a15_takes_backing_only_from_memory, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 9, 0, 4096));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 9, 0));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 1, RGBA, 16, 16));
    static const struct vgpu_entry wrong[] = {
        {.addr = VGUEST_WINDOW_GPA, .length = 1024},        {.addr = 0, .length = 1024},
        {.addr = VGUEST_GPA + VGUEST_RAM - 4, .length = 8}, {.addr = UINT64_MAX - 3, .length = 16},
        {.addr = VGUEST_GPA + VGUEST_FREE, .length = 0},
    };
    for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SLT_EXPECT_TRUE(vguest_is_error(vguest_attach(g, 1, &wrong[i], 1)));
    }
    /* Over each other, and over the rings, whose bytes become a picture: harmless. */
    struct vgpu_entry odd[3] = {{.addr = VGUEST_GPA, .length = 512},
                                {.addr = VGUEST_GPA + 256, .length = 512},
                                {.addr = VGUEST_GPA, .length = 512}};
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_attach(g, 1, odd, 3));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 1, (struct vgpu_rect){0, 0, 16, 16}, 0));
    vhost_world_expect_healthy(t);
    /* The picture into the rings: the driver that asks for that has no queue any more. */
    struct vgpu_entry rings = {.addr = VGUEST_GPA, .length = 1024};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_DETACH_BACKING, 0, 1));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, 1, &rings, 1));
    (void)transfer_3d(g, VGPU_TRANSFER_FROM_HOST_3D, 1,
                      &(struct vgpu_transfer_3d){.width = 16, .height = 16, .depth = 1});
    SLT_ASSERT_TRUE(vguest_restart(g));
    vhost_world_expect_healthy(t);
}

struct box_case {
    const char *label;
    struct vgpu_transfer_3d t;
};
static const struct box_case box_cases[] = {
    {"a16_x", {.x = 1, .width = 16, .height = 1, .depth = 1}},
    {"a16_y", {.y = 1, .width = 1, .height = 16, .depth = 1}},
    {"a16_z", {.z = 1, .width = 1, .height = 1, .depth = 1}},
    {"a16_depth", {.width = 1, .height = 1, .depth = 2}},
    {"a16_no_depth", {.width = 1, .height = 1}},
    {"a16_empty", {.height = 1, .depth = 1}},
    {"a16_negative_x", {.x = UINT32_MAX, .width = 2, .height = 1, .depth = 1}},
    {"a16_negative_y", {.y = UINT32_MAX - 15, .width = 1, .height = 16, .depth = 1}},
    {"a16_huge", {.width = UINT32_MAX, .height = UINT32_MAX, .depth = 1}},
    {"a16_level", {.width = 1, .height = 1, .depth = 1, .level = 1}},
    {"a17_offset", {.width = 16, .height = 16, .depth = 1, .offset = 1}},
    {"a17_offset_wraps", {.width = 16, .height = 16, .depth = 1, .offset = UINT64_MAX - 1}},
    {"a17_stride", {.width = 16, .height = 16, .depth = 1, .stride = 65}},
    {"a17_stride_wraps", {.width = 16, .height = 16, .depth = 1, .stride = UINT32_MAX}},
    {"a17_stride_too_small", {.width = 16, .height = 2, .depth = 1, .stride = 8}},
};

SLT_TEST_FP(vhost_hostile, refuses_boxes, t, struct box_case, box_cases, c)
{
    SLT_ASSERT_TRUE(vguest_make_backed(&t->guest, 1));
    for (uint32_t i = 0; i < 100; i++) {
        SLT_ASSERT_TRUE(
            vguest_is_error(transfer_3d(&t->guest, VGPU_TRANSFER_TO_HOST_3D, 1, &c->t)));
        SLT_ASSERT_TRUE(
            vguest_is_error(transfer_3d(&t->guest, VGPU_TRANSFER_FROM_HOST_3D, 1, &c->t)));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a17_refuses_what_reaches_past_pieces_that_cut_pixels, t)
{
    struct vguest *g = &t->guest;
    const struct vgpu_entry pieces[3] = {
        {.addr = VGUEST_GPA + VGUEST_FREE + 3, .length = 341},
        {.addr = VGUEST_GPA + VGUEST_FREE + 0x1001, .length = 1},
        {.addr = VGUEST_GPA + VGUEST_FREE + 0x2002, .length = 1024 - 342}};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 1, RGBA, 16, 16));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, 1, pieces, 3));
    for (uint32_t i = 0; i < 100; i++) {
        struct vgpu_transfer_3d q = {.width = 16, .height = 16, .depth = 1};
        uint32_t type = i % 2 == 0 ? VGPU_TRANSFER_TO_HOST_3D : VGPU_TRANSFER_FROM_HOST_3D;
        SLT_ASSERT_EQ(VGPU_OK_NODATA, transfer_3d(g, type, 1, &q));
        q.offset = 1 + i;
        SLT_ASSERT_TRUE(vguest_is_error(transfer_3d(g, type, 1, &q)));
        q.offset = 0, q.stride = 65 + i;
        SLT_ASSERT_TRUE(vguest_is_error(transfer_3d(g, type, 1, &q)));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a18_refuses_crooked_blobs, t)
{
    struct vguest *g = &t->guest;
    static const uint64_t sizes[] = {0, (uint64_t)1 << 63, 4095, 6000, UINT64_MAX - 4095};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        SLT_EXPECT_TRUE(vguest_is_error(vguest_blob(g, 1, 5, 0, sizes[i])));
    }
    struct {
        struct vgpu_create_blob q;
        struct vgpu_entry entry;
    } q = {.q = {.head = {.type = VGPU_RESOURCE_CREATE_BLOB, .ctx_id = 1},
                 .resource_id = 5,
                 .blob_mem = 2,
                 .blob_flags = 1,
                 .size = 4096},
           .entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = 4096}};
    static const uint32_t kinds[] = {0, 4, UINT32_MAX};
    for (uint32_t i = 0; i < 3; i++) {
        q.q.blob_mem = kinds[i];
        q.q.entry_count = 1;
        SLT_EXPECT_TRUE(vguest_is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    }
    q.q.blob_mem = 2, q.q.entry_count = 0, q.q.blob_flags = 0x80000000;
    SLT_EXPECT_TRUE(vguest_is_error(vguest_command(g, &q, sizeof q.q, NULL, 24)));
    q.q.blob_flags = 8; /* guest handles: never upstream */
    SLT_EXPECT_TRUE(vguest_is_error(vguest_command(g, &q, sizeof q.q, NULL, 24)));
    q.q.blob_flags = 1, q.q.entry_count = 1; /* host memory has no guest pages */
    SLT_EXPECT_TRUE(vguest_is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    q.q.blob_mem = 1, q.q.blob_flags = 0, q.q.size = 8192; /* more than its pages */
    SLT_EXPECT_TRUE(vguest_is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    q.q.size = 4096, q.q.blob_id = 1;
    SLT_EXPECT_TRUE(vguest_is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    q.q.blob_id = 0;
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_map(g, 5, 0))); /* the guest has these pages */
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a19_hands_memory_out_once_and_to_its_context, t)
{
    struct vguest *g = &t->guest;
    struct echo_command offer = {ECHO_OFFER, 7, 4096, 0, 0};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 2, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &offer, sizeof offer));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_blob(g, 2, 10, 7, 4096)));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_blob(g, 0, 10, 7, 4096)));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_CONTEXT_ID, vguest_blob(g, 3, 10, 0, 4096));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 10, 7, 4096));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_blob(g, 1, 11, 7, 4096)));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a20_maps_only_free_pages_of_the_window, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 8192));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 2, 0, 8192));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0x10000));
    static const uint64_t wrong[] = {0x10000,
                                     0xf000,
                                     0x11000,
                                     0x800,
                                     1,
                                     VHOST_WORLD_WINDOW,
                                     VHOST_WORLD_WINDOW - 4096,
                                     UINT64_MAX - 4095,
                                     UINT64_MAX - 8191,
                                     (uint64_t)1 << 63};
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            SLT_ASSERT_EQ(VGPU_ERR_INVALID_PARAMETER, vguest_map(g, 2, wrong[i]));
        }
    }
    SLT_EXPECT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 2, 0x12000));
    SLT_EXPECT_EQ(2u, g->asked); /* the front end was never asked for nonsense */
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a21_keeps_maps_and_ends_in_order, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1)));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_map(g, 1, 0x10000)));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1)));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1));
    SLT_EXPECT_TRUE(vguest_is_error(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1)));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_map(g, 1, 0));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a22_a_resource_may_end_while_it_is_shown_and_waited_for, t)
{
    struct vguest *g = &t->guest;
    struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0}, end = {ECHO_DONE, 0, 0, 0, 0};
    SLT_ASSERT_TRUE(vguest_make_backed(g, 1));
    const struct vgpu_rect all = {0, 0, 16, 16};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_set_scanout(g, 1, 1, all));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, 1, 1));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
    uint16_t head = vguest_submit_fenced(g, 1, 0, 1, NULL, 0);
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
    SLT_EXPECT_EQ(0u, vhost_world_shown(t).width_px);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &end, sizeof end));
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_SCANOUT_ID, vguest_set_scanout(g, 2, 0, all));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a22_a_blob_may_end_while_a_thread_still_works_on_it, t)
{
    struct vguest *g = &t->guest;
    struct echo_command ring = {ECHO_RING, 1, 0, 0, 0};
    for (uint32_t i = 0; i < 20; i++) {
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
        SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, 1, 1));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &ring, sizeof ring));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096)); /* the id is free */
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, 1, 0));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a23_shows_nothing_of_what_was_there_before, t)
{
    struct vguest *g = &t->guest;
    for (uint32_t round = 0; round < 8; round++) {
        memset(g->ram + VGUEST_FREE, 0x55, 4096);
        SLT_ASSERT_TRUE(vguest_make_backed(g, 1));
        struct vgpu_transfer_3d all = {.width = 16, .height = 16, .depth = 1};
        SLT_ASSERT_EQ(VGPU_OK_NODATA, transfer_3d(g, VGPU_TRANSFER_FROM_HOST_3D, 1, &all));
        uint8_t sum = 0;
        for (uint32_t i = 0; i < 1024; i++) {
            sum |= g->ram[VGUEST_FREE + i];
        }
        SLT_EXPECT_EQ(0, sum);
        SLT_EXPECT_EQ(0x55, g->ram[VGUEST_FREE + 1024]);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 1, (struct vgpu_rect){0, 0, 16, 16}, 0));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 2, 0, 4096));
        SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 2, 0));
        uint8_t *seen = vguest_mapped(g, 0);
        for (uint32_t i = 0; i < 4096; i++) {
            sum |= seen[i];
        }
        SLT_EXPECT_EQ(0, sum);
        memset(seen, 0x66, 4096);
        SLT_ASSERT_TRUE(vguest_restart(g));
    }
}

SLT_TEST_F(vhost_hostile, a24_does_not_grow_by_what_fails, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 1, RGBA, 4, 4));
    uint64_t before = 0;
    uint16_t heads[32];
    for (uint32_t round = 0; round < 320; round++) {
        for (uint32_t i = 0; i < 32; i++) {
            struct vgpu_id q = {
                .head = {.type = i % 2 == 0 ? VGPU_CTX_ATTACH_RESOURCE : VGPU_CTX_DETACH_RESOURCE,
                         .ctx_id = 77 + i},
                .id = 1};
            heads[i] = vguest_post(g, 0, &q, sizeof q, 24);
        }
        for (uint32_t i = 0; i < 32; i++) {
            SLT_ASSERT_EQ(24u, vguest_wait(g, 0, heads[i], VGUEST_PATIENCE_MS));
            SLT_ASSERT_EQ(VGPU_ERR_INVALID_CONTEXT_ID,
                          sl_load_u32(vguest_response_at(g, 0, heads[i])));
        }
        before = round == 0 ? sl_alloc_live() : before;
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
    vhost_world_expect_healthy(t);
}

/* A balloon: pages of the backing go and come while they are read. */
struct balloon {
    pthread_t thread;
    uint32_t stop; /* atomic */
    int ram_fd;
};

static void *give_pages_up(void *user)
{
    struct balloon *b = user;
    while (sl_atomic_load_seq(&b->stop) == 0) {
        SLT_EXPECT_EQ(
            0, fallocate(b->ram_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, VGUEST_FREE, 4096));
    }
    return NULL;
}

/* Nobody can see that a page was given up: it reads as zeros. Memory that is taken away altogether
 * is g02. */
SLT_TEST_F(vhost_hostile, a25_reads_what_is_left_where_pages_are_given_up, t)
{
    struct vguest *g = &t->guest;
    struct balloon balloon = {.ram_fd = g->ram_fd};
    struct vgpu_transfer_3d back = {.width = 16, .height = 16, .depth = 1};
    SLT_ASSERT_TRUE(vguest_make_backed(g, 1));
    SLT_ASSERT_OK(sl_thread_start(&balloon.thread, "balloon", 0, give_pages_up, &balloon));
    uint32_t wrong = 0, strange = 0;
    for (uint32_t i = 0; i < 200; i++) {
        memset(g->ram + VGUEST_FREE, 0x55, 1024);
        wrong += vguest_transfer(g, 1, (struct vgpu_rect){0, 0, 16, 16}, 0) != VGPU_OK_NODATA;
        wrong += transfer_3d(g, VGPU_TRANSFER_FROM_HOST_3D, 1, &back) != VGPU_OK_NODATA;
        for (uint32_t j = 0; j < 1024; j++) {
            uint8_t byte = g->ram[VGUEST_FREE + j];
            strange += byte != 0 && byte != 0x55;
        }
    }
    sl_atomic_store_seq(&balloon.stop, 1);
    pthread_join(balloon.thread, NULL);
    SLT_EXPECT_EQ(0u, wrong);
    SLT_EXPECT_EQ(0u, strange);
    vhost_world_expect_healthy(t);
}

/* ---- fences ---- */

SLT_TEST_F(vhost_hostile, e01_refuses_rings_and_contexts_that_are_not_there, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    static const uint32_t rings[] = {64, 65, 255};
    for (uint32_t i = 0; i < 3; i++) {
        uint16_t head = vguest_submit_fenced(g, 1, rings[i], 1 + i, NULL, 0);
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
        SLT_EXPECT_TRUE(vguest_is_error(sl_load_u32(vguest_response_at(g, 0, head))));
    }
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, 1, 0));
    uint16_t head = vguest_submit_fenced(g, 1, 0, 10, NULL, 0);
    SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_CONTEXT_ID, sl_load_u32(vguest_response_at(g, 0, head)));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, e02_fences_without_end_do_not_pile_up, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    uint64_t before = 0, fence = 0;
    for (uint32_t round = 0; round < 300; round++) {
        uint16_t last = 0;
        for (uint32_t i = 0; i < 60; i++) {
            last = vguest_submit_fenced(g, 1, i, ++fence, NULL, 0);
        }
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, last, VGUEST_PATIENCE_MS));
        before = round == 10 ? sl_alloc_live() : before;
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
}

SLT_TEST_F(vhost_hostile, e03_a_context_that_ends_settles_its_fences_once, t)
{
    struct vguest *g = &t->guest;
    uint64_t fence = 0;
    for (uint32_t round = 0; round < 200; round++) {
        /* The task ends by another thread while the context does. */
        struct echo_command later[2] = {{ECHO_TASK, 0, 0, 0, 0}, {ECHO_LATER, 50, 0, 0, 0}};
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        uint32_t before = g->queues[0].returned;
        uint16_t head = vguest_submit_fenced(g, 1, 0, ++fence, later, sizeof later);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, 1, 0));
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
        SLT_ASSERT_EQ(before + 2, g->queues[0].returned);
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, e05_refuses_fence_ids_that_do_not_grow, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    static const struct {
        uint32_t ring, id;
        bool ok;
    } rows[] = {{0, 5, true}, {1, 5, false}, {0, 4, false}, {2, 6, true}, {2, 0, false}};
    for (uint32_t i = 0; i < 5; i++) {
        uint16_t head = vguest_submit_fenced(g, 1, rows[i].ring, rows[i].id, NULL, 0);
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
        SLT_EXPECT_EQ(!rows[i].ok, vguest_is_error(sl_load_u32(vguest_response_at(g, 0, head))));
    }
    vhost_world_expect_healthy(t);
}
