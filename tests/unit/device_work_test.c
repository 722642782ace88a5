/* The device at work: guest pages and transfers, timelines, loss and growth. */
#include "tests/unit/device_bed.h"

#include "transport/base/mem.h"

#include <string.h>

SLT_FIXTURE(device_work, struct device_bed, bed_init, bed_finish);

/* ---- guest pages: A14 to A17 ---- */

SLT_TEST_F(device_work, a14_refuses_bad_backing_lists, t)
{
    static uint8_t page[4096];
    static struct iovec iov[16385];
    for (uint32_t i = 0; i < 16385; i++) {
        iov[i] = (struct iovec){page, sizeof page};
    }
    SLT_ASSERT_OK(bed_tex(t, 3, VIRTGPU_FORMAT_R8, 64, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_attach(t->d, 3, iov, 0));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_attach(t->d, 3, iov, 16385));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_attach(t->d, 3, iov, UINT32_MAX));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_attach(t->d, 3, NULL, 1));
    iov[0].iov_len = SIZE_MAX;
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->d->ops->backing_attach(t->d, 3, iov, 2)); /* the sum wraps */
    iov[0].iov_len = sizeof page;
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->backing_attach(t->d, 4, iov, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_detach(t->d, 3));
    SLT_EXPECT_OK(t->d->ops->backing_attach(t->d, 3, iov, 16384));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_attach(t->d, 3, iov, 1));
    SLT_EXPECT_OK(t->d->ops->backing_detach(t->d, 3));
}

SLT_TEST_F(device_work, takes_guest_blobs_with_enough_pages, t)
{
    static uint8_t page[8192];
    struct iovec iov[2] = {{page, 4096}, {page + 4096, 4096}};
    struct vgd_blob_args args = {
        .mem = VIRTGPU_BLOB_GUEST, .size = 8192, .backing = iov, .backing_count = 2};
    SLT_EXPECT_OK(t->d->ops->res_create_blob(t->d, 0, 3, &args));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_detach(t->d, 3));
    struct vgd_map map;
    int fd;
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_map_of(t, 3, &map));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, t->d->ops->res_export(t->d, 3, &fd));
    args.backing_count = 1;
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_create_blob(t->d, 0, 4, &args));
}

struct box_case {
    const char *label;
    struct vg_box box;
    uint32_t level;
    uint64_t offset;
    uint32_t stride;
    enum sl_result want;
};
/* The resource: 10 x 8, RGBA8, guest pages of 10 * 4 * 8 = 320 bytes. */
static const struct box_case box_cases[] = {
    {"all", {0, 0, 0, 10, 8, 1}, 0, 0, 40, SL_OK},
    {"last_pixel", {9, 7, 0, 1, 1, 1}, 0, 316, 40, SL_OK},
    {"one_row_any_stride", {0, 7, 0, 10, 1, 1}, 0, 280, 1, SL_OK},
    {"a16_x_out", {1, 0, 0, 10, 8, 1}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_y_out", {0, 1, 0, 10, 8, 1}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_z_out", {0, 0, 1, 10, 8, 1}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_x_wraps", {UINT32_MAX, 0, 0, 2, 1, 1}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_y_wraps", {0, UINT32_MAX, 0, 1, 2, 1}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_depth", {0, 0, 0, 1, 1, 2}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_depth_0", {0, 0, 0, 1, 1, 0}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_width_0", {0, 0, 0, 0, 1, 1}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_height_0", {0, 0, 0, 1, 0, 1}, 0, 0, 40, SL_ERR_INVALID},
    {"a16_level", {0, 0, 0, 1, 1, 1}, 1, 0, 40, SL_ERR_INVALID},
    {"a17_offset_past_end", {0, 0, 0, 1, 1, 1}, 0, 317, 40, SL_ERR_INVALID},
    {"a17_offset_max", {0, 0, 0, 1, 1, 1}, 0, UINT64_MAX, 40, SL_ERR_INVALID},
    {"a17_rows_past_end", {0, 0, 0, 10, 8, 1}, 0, 1, 40, SL_ERR_INVALID},
    {"a17_stride_past_end", {0, 0, 0, 10, 8, 1}, 0, 0, 41, SL_ERR_INVALID},
    {"a17_stride_max", {0, 0, 0, 10, 8, 1}, 0, 0, UINT32_MAX, SL_ERR_INVALID},
    {"stride_below_row", {0, 0, 0, 10, 2, 1}, 0, 0, 39, SL_ERR_INVALID},
};
SLT_TEST_FP(device_work, checks_transfer_boxes, t, struct box_case, box_cases, c)
{
    uint8_t pages[320] = {0};
    struct iovec iov[] = {{pages, 7},
                          {pages + 7, 100},
                          {pages + 107, 0},
                          {pages + 107, 213}}; /* cut in the middle of pixels */
    SLT_ASSERT_OK(bed_tex(t, 3, VIRTGPU_FORMAT_R8G8B8A8, 10, 8));
    SLT_ASSERT_OK(t->d->ops->backing_attach(t->d, 3, iov, 4));
    for (int direction = VG_TO_HOST; direction <= VG_FROM_HOST; direction++) {
        SLT_EXPECT_RESULT(c->want, t->d->ops->transfer(t->d, 0, 3, &c->box, c->level, c->offset,
                                                       c->stride, 0, (enum vg_direction)direction));
    }
}

SLT_TEST_F(device_work, a15_transfers_through_scattered_and_overlapping_pages, t)
{
    uint8_t pages[320], back[320];
    for (uint32_t i = 0; i < sizeof pages; i++) {
        pages[i] = (uint8_t)(i * 7);
    }
    struct iovec iov[] = {{pages, 7}, {pages + 7, 100}, {pages + 107, 213}};
    struct iovec other[] = {{back, 33}, {back + 33, 287}};
    struct iovec same[] = {{pages, 160}, {pages, 160}};
    struct vg_box all = {.width = 10, .height = 8, .depth = 1};
    memset(back, 0, sizeof back);
    SLT_ASSERT_OK(bed_tex(t, 3, VIRTGPU_FORMAT_R8G8B8A8, 10, 8));
    SLT_ASSERT_OK(t->d->ops->backing_attach(t->d, 3, iov, 3));
    SLT_ASSERT_OK(t->d->ops->transfer(t->d, 0, 3, &all, 0, 0, 40, 0, VG_TO_HOST));
    SLT_ASSERT_OK(t->d->ops->backing_detach(t->d, 3));
    SLT_ASSERT_OK(t->d->ops->backing_attach(t->d, 3, other, 2));
    SLT_ASSERT_OK(t->d->ops->transfer(t->d, 0, 3, &all, 0, 0, 40, 0, VG_FROM_HOST));
    SLT_EXPECT_MEMEQ(pages, back, sizeof pages);
    SLT_ASSERT_OK(t->d->ops->backing_detach(t->d, 3));
    SLT_ASSERT_OK(t->d->ops->backing_attach(t->d, 3, same, 2));
    SLT_EXPECT_OK(t->d->ops->transfer(t->d, 0, 3, &all, 0, 0, 40, 0, VG_FROM_HOST));
}

SLT_TEST_F(device_work, refuses_transfers_of_blobs_and_for_unknown_ids, t)
{
    struct vg_box box = {.width = 1, .height = 1, .depth = 1};
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->d->ops->transfer(t->d, 1, 5, &box, 0, 0, 0, 0, VG_TO_HOST));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND,
                      t->d->ops->transfer(t->d, 1, 6, &box, 0, 0, 0, 0, VG_TO_HOST));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND,
                      t->d->ops->transfer(t->d, 2, 5, &box, 0, 0, 0, 0, VG_TO_HOST));
}

/* ---- timelines: E01, E02, E03, E05 ---- */

SLT_TEST_F(device_work, tells_a_fence_at_once_when_nothing_is_pending, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 1, 0, 10));
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 0, VIRTGPU_RING_GLOBAL, 11));
    SLT_ASSERT_EQ(2u, t->fence_count);
    SLT_EXPECT_EQ(10u, t->fences[0]);
    SLT_EXPECT_EQ(11u, t->fences[1]);
}

SLT_TEST_F(device_work, retires_fences_in_order_behind_their_tasks, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_TASK, 3, 0, 0, 0));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 3, 10));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_TASK, 3, 1, 0, 0));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 3, 11));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 4, 12)); /* another ring does not wait */
    SLT_EXPECT_EQ(1u, t->fence_count);
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_DONE, 0, 1, 0, 0)); /* the later task first */
    SLT_EXPECT_EQ(1u, t->fence_count);
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_DONE, 0, 0, 0, 0));
    SLT_ASSERT_EQ(3u, t->fence_count);
    SLT_EXPECT_EQ(12u, t->fences[0]);
    SLT_EXPECT_EQ(10u, t->fences[1]);
    SLT_EXPECT_EQ(11u, t->fences[2]);
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_DONE, 0, 0, 0, 0)); /* done twice: ignored */
    SLT_EXPECT_EQ(3u, t->fence_count);
}

SLT_TEST_F(device_work, e01_refuses_fences_on_unknown_rings_and_contexts, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, VIRTGPU_MAX_RINGS, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, VIRTGPU_RING_GLOBAL, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_echo(t, 1, ECHO_TASK, VIRTGPU_MAX_RINGS, 0, 0, 0));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->fence(t->d, 2, 0, 1));
    SLT_ASSERT_OK(t->d->ops->ctx_destroy(t->d, 1));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->fence(t->d, 1, 0, 1));
    SLT_EXPECT_EQ(0u, t->fence_count);
}

SLT_TEST_F(device_work, e02_throttles_fences_that_wait, t)
{
    bed_remake(t, bed_plain_types, &(struct dev_limits){.pending = 100});
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_ctx(t, 2));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
    uint32_t refused = 0;
    for (uint32_t i = 1; i <= 4000000; i++) {
        refused += t->d->ops->fence(t->d, 1, 0, i) == SL_ERR_NOMEM;
    }
    SLT_EXPECT_EQ(4000000u - 99u, refused);
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 2, 0, 4000001)); /* others go on */
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_DONE, 0, 0, 0, 0));
    SLT_EXPECT_EQ(100u, t->fence_count);
}

SLT_TEST_F(device_work, e03_settles_fences_once_when_their_context_goes, t)
{
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t before = bed_fence_count(t);
        SLT_ASSERT_OK(bed_ctx(t, 1));
        SLT_ASSERT_OK(bed_echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 2 * i + 1));
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 2 * i + 2));
        SLT_ASSERT_OK(
            bed_echo(t, 1, ECHO_LATER, i * 10, 0, 0, 0)); /* the waiter races with the end */
        SLT_ASSERT_OK(t->d->ops->ctx_destroy(t->d, 1));
        SLT_EXPECT_EQ(before + 2, bed_fence_count(t));
    }
}

SLT_TEST_F(device_work, e05_refuses_fence_ids_that_do_not_grow, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 10));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, 1, 10));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, 0, 9));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 0, VIRTGPU_RING_GLOBAL, 0));
    SLT_EXPECT_EQ(1u, t->fence_count);
    t->d->ops->reset(t->d);
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 0, VIRTGPU_RING_GLOBAL, 1));
}

/* ---- loss, reset, growth ---- */

SLT_TEST_F(device_work, loses_one_context_and_no_other, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_ctx(t, 2));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 1));
    SLT_EXPECT_LOG("device", "context 1 is lost: echo was told to");
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_LOSE, 0, 0, 0, 0));
    SLT_ASSERT_TRUE(bed_soon(bed_lost_count, t, 1));
    SLT_EXPECT_EQ(1u, bed_fence_count(t)); /* settled */
    SLT_EXPECT_EQ(1u, t->lost_ctx);
    SLT_EXPECT_STREQ("echo was told to", t->lost_reason);
    SLT_EXPECT_RESULT(SL_ERR_DEVICE_LOST, bed_echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
    SLT_EXPECT_OK(
        t->d->ops->fence(t->d, 1, 0, 2)); /* told at once: nobody hangs on a dead context */
    SLT_EXPECT_EQ(2u, bed_fence_count(t));
    SLT_EXPECT_OK(bed_echo(t, 2, ECHO_TASK, 0, 0, 0, 0));
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 1));
    SLT_EXPECT_OK(bed_ctx(t, 1));
    SLT_EXPECT_OK(bed_echo(t, 1, ECHO_TASK, 0, 0, 0, 0)); /* the id is as good as new */
}

SLT_TEST_F(device_work, a09_settles_all_fences_at_reset, t)
{
    for (uint32_t i = 1; i <= 4; i++) {
        SLT_ASSERT_OK(bed_ctx(t, i));
        SLT_ASSERT_OK(bed_echo(t, i, ECHO_TASK, i, 0, 0, 0));
    }
    for (uint32_t i = 0; i < 64; i++) {
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1 + i % 4, 1 + i % 4, 1 + i));
    }
    SLT_EXPECT_EQ(0u, t->fence_count);
    t->d->ops->reset(t->d);
    SLT_EXPECT_EQ(64u, t->fence_count);
    SLT_EXPECT_EQ(0u, echo_live());
    SLT_EXPECT_OK(bed_ctx(t, 1));
}

SLT_TEST_F(device_work, taps_only_while_it_is_on, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_PACKET, 5, 2088, 0, 0));
    SLT_EXPECT_EQ(0u, t->packets);
    t->d->ops->tap(t->d, true);
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_PACKET, 5, 2088, 0, 0));
    SLT_EXPECT_EQ(1u, t->packets);
    t->d->ops->tap(t->d, false);
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_PACKET, 5, 2088, 0, 0));
    SLT_EXPECT_EQ(1u, t->packets);
}

SLT_TEST_F(device_work, counts_the_rings_of_a_context, t)
{
    struct vgd_ring_stats stats;
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ring_stats(t->d, 1, 0, &stats));
    SLT_ASSERT_OK(bed_blob(t, 1, 5, 4096));
    SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_RING, 5, 0, 0, 0));
    SLT_EXPECT_OK(t->d->ops->ring_stats(t->d, 1, 0, &stats));
    SLT_EXPECT_EQ(5u, stats.resource_id);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ring_stats(t->d, 1, 1, &stats));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ring_stats(t->d, 2, 0, &stats));
}

SLT_TEST_F(device_work, does_not_grow_in_ten_thousand_lives, t)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        if (i == 100) {
            before = sl_alloc_live();
        }
        SLT_ASSERT_OK(bed_ctx(t, 1 + i));
        SLT_ASSERT_OK(bed_blob(t, 1 + i, 5, 4096));
        SLT_ASSERT_OK(bed_tex(t, 6, VIRTGPU_FORMAT_R8, 4, 4));
        SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1 + i, 5));
        SLT_ASSERT_OK(bed_echo(t, 1 + i, ECHO_TASK, 0, 0, 0, 0));
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1 + i, 0, 1 + i));
        (void)bed_echo(t, 1 + i, ECHO_OFFER, 9, 4096, 0, 0);
        SLT_ASSERT_OK(t->d->ops->ctx_destroy(t->d, 1 + i));
        SLT_ASSERT_OK(bed_destroy(t, 5));
        SLT_ASSERT_OK(bed_destroy(t, 6));
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
}

/* Every allocation fails once: no crash, no leak, and what was refused can be asked for again. */
SLT_TEST_F(device_work, stands_failing_allocations, t)
{
    for (uint64_t n = 0; n < 24; n++) {
        SLT_FAIL_ALLOC(n);
        (void)bed_ctx(t, 1);
        (void)bed_blob(t, 1, 5, 4096);
        (void)bed_tex(t, 6, VIRTGPU_FORMAT_R8, 4, 4);
        (void)t->d->ops->ctx_attach(t->d, 1, 5);
        (void)bed_echo(t, 1, ECHO_TASK, 0, 0, 0, 0);
        (void)t->d->ops->fence(t->d, 1, 0, n + 1);
        SLT_FAIL_ALLOC(UINT64_MAX);
        t->d->ops->reset(t->d);
    }
    SLT_EXPECT_OK(bed_ctx(t, 1));
    SLT_EXPECT_OK(bed_blob(t, 1, 5, 4096));
}
