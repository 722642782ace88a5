/* Hostile guests and front ends past the queues: attack cases A12 to A25, E01 to E05, G01 to G03.
 */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/proto.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void bed_init(struct vhost_world *t)
{
    vhost_world_start(t, NULL);
    vhost_world_enter(t);
}

SLT_FIXTURE(vhost_hostile, struct vhost_world, bed_init, vhost_world_stop);

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
    return vguest_wait(g, 0, 200, 5000) == 24 ? sl_load_u32(answer) : 0;
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

/* A resource of 16 x 16 with a page of backing, which it does not quite fill. */
static void make_backed(struct vguest *g, uint32_t id)
{
    struct vgpu_entry entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = 16 * 16 * 4};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, id, RGBA, 16, 16));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, id, &entry, 1));
}

static bool is_error(uint32_t type)
{
    return type >= VGPU_ERR_UNSPEC && type <= VGPU_ERR_INVALID_PARAMETER;
}

/* ---- resources ---- */

SLT_TEST_F(vhost_hostile, a12_refuses_sizes_that_overflow, t)
{
    struct vguest *g = &t->guest;
    SLT_EXPECT_TRUE(is_error(vguest_create_2d(g, 1, RGBA, 0x10000, 0x10000)));
    SLT_EXPECT_TRUE(is_error(vguest_create_2d(g, 1, RGBA, 0x8001, 0x8000)));
    SLT_EXPECT_TRUE(is_error(vguest_create_2d(g, 1, RGBA, UINT32_MAX, UINT32_MAX)));
    SLT_EXPECT_TRUE(is_error(vguest_create_2d(g, 1, RGBA, 0, 4)));
    SLT_EXPECT_TRUE(is_error(vguest_create_2d(g, 1, 9999, 4, 4)));
    SLT_EXPECT_TRUE(is_error(create_3d(g, 1, VIRTGPU_TARGET_BUFFER, UINT32_MAX, 1, 1)));
    SLT_EXPECT_TRUE(is_error(create_3d(g, 1, VIRTGPU_TARGET_2D, UINT32_MAX, 2, UINT32_MAX)));
    SLT_EXPECT_TRUE(is_error(create_3d(g, 1, 77, 4, 4, 1)));
    for (uint32_t id = 1; id < 100; id++) { /* 1 GiB each: the device's limit is met */
        if (is_error(vguest_create_2d(g, id, RGBA, 16384, 16384))) {
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
    SLT_EXPECT_TRUE(is_error(vguest_ctx(g, 2, 99)));
    SLT_EXPECT_TRUE(is_error(vguest_ctx(g, 2, 0x100 | ECHO_CAPSET)));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_blob(g, 1, 1, 0, 4096));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 2, 0, 4096));
    SLT_EXPECT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 2, 0));
    SLT_EXPECT_TRUE(is_error(vguest_id(g, VGPU_RESOURCE_UNREF, 0, 2)));
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
    SLT_EXPECT_TRUE(is_error(large_command(g, &large, sizeof large.q)));
    static const uint32_t counts[] = {16385, UINT32_MAX, 0x10000000};
    for (uint32_t i = 0; i < 3; i++) {
        large.q.entry_count = counts[i];
        SLT_EXPECT_TRUE(is_error(large_command(g, &large, sizeof large)));
    }
    large.q.entry_count = 16384; /* but one is not there */
    SLT_EXPECT_TRUE(is_error(large_command(g, &large, sizeof large - 32)));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, large_command(g, &large, sizeof large - 16));
    SLT_EXPECT_TRUE(is_error(large_command(g, &large, sizeof large - 16))); /* it has some */
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
        SLT_EXPECT_TRUE(is_error(vguest_attach(g, 1, &wrong[i], 1)));
    }
    /* Over each other, and over the rings, whose bytes become a picture: harmless. */
    struct vgpu_entry odd[3] = {{.addr = VGUEST_GPA, .length = 512},
                                {.addr = VGUEST_GPA + 256, .length = 512},
                                {.addr = VGUEST_GPA, .length = 512}};
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_attach(g, 1, odd, 3));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 1, (struct vgpu_rect){0, 0, 16, 16}, 0));
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
    make_backed(&t->guest, 1);
    for (uint32_t i = 0; i < 100; i++) {
        SLT_ASSERT_TRUE(is_error(transfer_3d(&t->guest, VGPU_TRANSFER_TO_HOST_3D, 1, &c->t)));
        SLT_ASSERT_TRUE(is_error(transfer_3d(&t->guest, VGPU_TRANSFER_FROM_HOST_3D, 1, &c->t)));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a18_refuses_crooked_blobs, t)
{
    struct vguest *g = &t->guest;
    static const uint64_t sizes[] = {0, (uint64_t)1 << 63, 4095, 6000, UINT64_MAX - 4095};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        SLT_EXPECT_TRUE(is_error(vguest_blob(g, 1, 5, 0, sizes[i])));
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
        SLT_EXPECT_TRUE(is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    }
    q.q.blob_mem = 2, q.q.entry_count = 0, q.q.blob_flags = 0x80000000;
    SLT_EXPECT_TRUE(is_error(vguest_command(g, &q, sizeof q.q, NULL, 24)));
    q.q.blob_flags = 8; /* guest handles: never upstream */
    SLT_EXPECT_TRUE(is_error(vguest_command(g, &q, sizeof q.q, NULL, 24)));
    q.q.blob_flags = 1, q.q.entry_count = 1; /* host memory has no guest pages */
    SLT_EXPECT_TRUE(is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    q.q.blob_mem = 1, q.q.blob_flags = 0, q.q.size = 8192; /* more than its pages */
    SLT_EXPECT_TRUE(is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    q.q.size = 4096, q.q.blob_id = 1;
    SLT_EXPECT_TRUE(is_error(vguest_command(g, &q, sizeof q, NULL, 24)));
    q.q.blob_id = 0;
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    SLT_EXPECT_TRUE(is_error(vguest_map(g, 5, 0))); /* the guest has these pages */
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a19_hands_memory_out_once_and_to_its_context, t)
{
    struct vguest *g = &t->guest;
    struct echo_command offer = {ECHO_OFFER, 7, 4096, 0, 0};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 2, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &offer, sizeof offer));
    SLT_EXPECT_TRUE(is_error(vguest_blob(g, 2, 10, 7, 4096)));
    SLT_EXPECT_TRUE(is_error(vguest_blob(g, 0, 10, 7, 4096)));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_CONTEXT_ID, vguest_blob(g, 3, 10, 0, 4096));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 10, 7, 4096));
    SLT_EXPECT_TRUE(is_error(vguest_blob(g, 1, 11, 7, 4096)));
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
    SLT_EXPECT_TRUE(is_error(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1)));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0));
    SLT_EXPECT_TRUE(is_error(vguest_map(g, 1, 0x10000)));
    SLT_EXPECT_TRUE(is_error(vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1)));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1));
    SLT_EXPECT_TRUE(is_error(vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1)));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_map(g, 1, 0));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a22_a_resource_may_end_while_it_is_shown_and_waited_for, t)
{
    struct vguest *g = &t->guest;
    struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0}, end = {ECHO_DONE, 0, 0, 0, 0};
    make_backed(g, 1);
    struct vgpu_set_scanout q = {.head = {.type = VGPU_SET_SCANOUT},
                                 .rect = {0, 0, 16, 16},
                                 .scanout_id = 1,
                                 .resource_id = 1};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, 1, 1));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
    uint16_t head = vguest_submit_fenced(g, 1, 0, 1, NULL, 0);
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
    SLT_EXPECT_EQ(0u, vhost_world_shown(t).width_px);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &end, sizeof end));
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, head, 5000));
    q.scanout_id = 2;
    q.resource_id = 0;
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_SCANOUT_ID, vguest_command(g, &q, sizeof q, NULL, 24));
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a23_shows_nothing_of_what_was_there_before, t)
{
    struct vguest *g = &t->guest;
    for (uint32_t round = 0; round < 8; round++) {
        memset(g->ram + VGUEST_FREE, 0x55, 4096);
        make_backed(g, 1);
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
            SLT_ASSERT_EQ(24u, vguest_wait(g, 0, heads[i], 5000));
            SLT_ASSERT_EQ(VGPU_ERR_INVALID_CONTEXT_ID,
                          sl_load_u32(vguest_response_at(g, 0, heads[i])));
        }
        before = round == 0 ? sl_alloc_live() : before;
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_hostile, a25_reads_zeros_where_pages_were_given_up, t)
{
    struct vguest *g = &t->guest;
    make_backed(g, 1);
    memset(g->ram + VGUEST_FREE, 0x55, 4096);
    SLT_ASSERT_EQ(
        0, fallocate(g->ram_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, VGUEST_FREE, 4096));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 1, (struct vgpu_rect){0, 0, 16, 16}, 0));
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
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, 5000));
        SLT_EXPECT_TRUE(is_error(sl_load_u32(vguest_response_at(g, 0, head))));
    }
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, 1, 0));
    uint16_t head = vguest_submit_fenced(g, 1, 0, 10, NULL, 0);
    SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, 5000));
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
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, last, 5000));
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
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, 5000));
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
        SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, 5000));
        SLT_EXPECT_EQ(!rows[i].ok, is_error(sl_load_u32(vguest_response_at(g, 0, head))));
    }
    vhost_world_expect_healthy(t);
}

/* ---- the front end ---- */

/* Another guest gets in once the one before is cut off. */
static void expect_next(struct vhost_world *t)
{
    bool in = false;
    vguest_stop(&t->guest);
    for (uint32_t i = 0; i < 500 && !in; i++) {
        in = vguest_start(&t->guest, t->path, 0);
        if (!in) {
            vguest_stop(&t->guest);
            sl_clock_sleep_ns(10 * SL_NS_PER_MS);
        }
    }
    SLT_ASSERT_TRUE(in);
    vhost_world_expect_healthy(t);
}

struct message_case {
    const char *label;
    uint32_t request;
    uint32_t size;
    uint64_t words[5];
    uint32_t fds; /* copies of RAM's descriptor */
};
#define PAIR(low, high) ((uint64_t)(high) << 32 | (low))
static const struct message_case message_cases[] = {
    {"g01_unknown", 99, 0, {0}, 0},
    {"g01_short_payload", VHOST_SET_FEATURES, 4, {0}, 0},
    {"g01_features_not_offered", VHOST_SET_FEATURES, 8, {UINT64_MAX}, 0},
    {"g01_protocol_not_offered", VHOST_SET_PROTOCOL_FEATURES, 8, {UINT64_MAX}, 0},
    {"g01_size_while_running", VHOST_SET_VRING_NUM, 8, {PAIR(0, 128)}, 0},
    {"g01_base_while_running", VHOST_SET_VRING_BASE, 8, {PAIR(0, 0)}, 0},
    {"g01_rings_while_running", VHOST_SET_VRING_ADDR, 40, {0}, 0},
    {"g01_queue_2", VHOST_SET_VRING_ENABLE, 8, {PAIR(2, 1)}, 0},
    {"g01_queue_max", VHOST_GET_VRING_BASE, 8, {PAIR(UINT32_MAX, 0)}, 0},
    {"g01_enable_7", VHOST_SET_VRING_ENABLE, 8, {PAIR(0, 7)}, 0},
    {"g01_no_memory_while_running", VHOST_SET_MEM_TABLE, 8, {0}, 0},
    {"g01_nine_regions", VHOST_SET_MEM_TABLE, 40, {9}, 0},
    {"g01_regions_not_sent", VHOST_SET_MEM_TABLE, 40, {2, VGUEST_GPA, 4096, 0, 0}, 2},
    {"g01_same_region_again",
     VHOST_ADD_MEM_REG,
     40,
     {0, VGUEST_GPA, VGUEST_RAM, VGUEST_USER, 0},
     1},
    {"g01_region_overlaps", VHOST_ADD_MEM_REG, 40, {0, VGUEST_GPA + 4096, 4096, 0, 0}, 1},
    {"g01_region_wraps", VHOST_ADD_MEM_REG, 40, {0, UINT64_MAX - 4095, 8192, 0, 0}, 1},
    {"g01_empty_region", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 0, 0, 0}, 1},
    {"g01_region_not_there", VHOST_REM_MEM_REG, 40, {0, 0x1000, 4096, 0, 0}, 0},
    {"g02_no_descriptor", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, 0}, 0},
    {"g02_two_descriptors", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, 0}, 2},
    {"g02_file_too_short", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, VGUEST_RAM}, 1},
    {"g02_file_offset_wraps", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, UINT64_MAX - 7}, 1},
    {"g02_kick_without_descriptor", VHOST_SET_VRING_KICK, 8, {0}, 0},
    {"g02_kick_that_is_a_file", VHOST_SET_VRING_KICK, 8, {0}, 1},
    {"g02_no_descriptor_but_one_sent", VHOST_SET_VRING_CALL, 8, {VHOST_VRING_NO_FD}, 1},
    {"g02_back_channel_without_descriptor", VHOST_SET_BACKEND_REQ_FD, 0, {0}, 0},
    {"g02_inflight_of_nothing", VHOST_SET_INFLIGHT_FD, 24, {0}, 1},
};

SLT_TEST_FP(vhost_hostile, hangs_up_on, t, struct message_case, message_cases, c)
{
    int fds[2] = {t->guest.ram_fd, t->guest.ram_fd};
    SLT_ASSERT_TRUE(
        vguest_send(&t->guest, c->request, VHOST_FLAG_NEED_REPLY, c->words, c->size, fds, c->fds));
    SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
    expect_next(t);
}

SLT_TEST_F(vhost_hostile, g01_hangs_up_on_a_message_that_is_none, t)
{
    static const struct vhost_head heads[] = {
        {.request = VHOST_GET_FEATURES, .flags = 0},             /* no version */
        {.request = VHOST_GET_FEATURES, .flags = 2},             /* another one */
        {.request = VHOST_SET_CONFIG, .flags = 1, .size = 4096}, /* too long */
        {.request = VHOST_SET_CONFIG, .flags = 1, .size = UINT32_MAX},
    };
    for (uint32_t i = 0; i < 4; i++) {
        SLT_ASSERT_TRUE(send(t->guest.front, &heads[i], sizeof heads[i], MSG_NOSIGNAL) > 0);
        SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
        expect_next(t);
    }
    /* On the other socket: an answer to nothing, and something that is no answer. */
    uint64_t zero = 0;
    uint8_t bytes[20];
    for (uint32_t i = 0; i < 2; i++) {
        struct vhost_head head = {.request = VHOST_BACKEND_SHMEM_MAP,
                                  .flags = VHOST_FLAG_VERSION | (i == 0 ? VHOST_FLAG_REPLY : 0),
                                  .size = 8};
        memcpy(bytes, &head, 12);
        memcpy(bytes + 12, &zero, 8);
        SLT_ASSERT_TRUE(vguest_answer_back(&t->guest, bytes, sizeof bytes));
        SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
        expect_next(t);
    }
}

SLT_TEST_F(vhost_hostile, g01_does_not_read_one_that_never_reads, t)
{
    /* Answers pile up in its socket, then nothing more is taken in: no growth, and others are
     * served once it goes. */
    struct vhost_head head = {.request = VHOST_GET_SHMEM_CONFIG, .flags = VHOST_FLAG_VERSION};
    uint64_t before = sl_alloc_live();
    ssize_t sent = 1;
    for (uint32_t i = 0; i < 200000 && sent > 0; i++) {
        sent = send(t->guest.front, &head, sizeof head, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            sl_clock_sleep_ns(20 * SL_NS_PER_MS);
            sent = send(t->guest.front, &head, sizeof head, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
    SLT_EXPECT_TRUE(sent < 0);
    SLT_EXPECT_LE(sl_alloc_live(), before + 2);
    expect_next(t);
}

SLT_TEST_F(vhost_hostile, g02_takes_no_pipe_for_memory, t)
{
    int pipes[2];
    SLT_ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
    struct vhost_mem_region region = {.region = {.gpa = 0x1000, .size = 4096, .user = 1}};
    bool sent = vguest_send(&t->guest, VHOST_ADD_MEM_REG, 0, &region, sizeof region, pipes, 1);
    close(pipes[0]);
    close(pipes[1]);
    SLT_ASSERT_TRUE(sent);
    SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
    expect_next(t);
}

SLT_TEST_F(vhost_hostile, g02_survives_memory_that_is_cut, t)
{
    struct vguest *g = &t->guest;
    make_backed(g, 1);
    /* A piece of a request, and the backing, are gone; the rings are still there. */
    struct vgpu_transfer_2d q = {
        .head = {.type = VGPU_TRANSFER_TO_HOST_2D}, .rect = {0, 0, 16, 16}, .resource_id = 1};
    SLT_ASSERT_EQ(0, ftruncate(g->ram_fd, VGUEST_FREE));
    (void)vguest_post(g, 0, &q, sizeof q, 24);
    SLT_ASSERT_TRUE(vguest_broke(g, 0));
    /* Everything, rings and all. */
    expect_next(t);
    g = &t->guest;
    SLT_ASSERT_EQ(0, ftruncate(g->ram_fd, 0));
    sl_fd_signal(g->queues[0].kick);
    SLT_ASSERT_TRUE(vguest_broke(g, 0));
    expect_next(t);
}

SLT_TEST_F(vhost_hostile, g03_a_machine_that_vanishes_leaves_nothing, t)
{
    uint64_t before = 0;
    for (uint32_t round = 0; round < 30; round++) {
        struct vguest *g = &t->guest;
        struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0};
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 2, 0, 4096));
        make_backed(g, 3);
        SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
        (void)vguest_submit_fenced(g, 1, 0, 1, NULL, 0);
        struct vgpu_map_blob map = {
            .head = {.type = VGPU_RESOURCE_MAP_BLOB}, .resource_id = 2, .offset = 8192};
        (void)vguest_post(g, 0, &map, sizeof map, 32); /* and does not answer */
        expect_next(t);
        before = round == 1 ? sl_alloc_live() : before;
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
}
