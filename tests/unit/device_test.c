/* The device through waist B, with the echo type: ids, limits, memory, timelines, loss. Attack
 * cases A12 to A24, E01 to E05 where they reach this waist. */
#include "host/device/device.h"

#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FENCES_MAX 256u

struct bed {
    struct vgd *d;
    pthread_mutex_t lock; /* guards what the sink writes */
    uint64_t fences[FENCES_MAX];
    uint32_t fence_count;
    uint32_t lost_count;
    uint32_t lost_ctx;
    char lost_reason[64];
    uint32_t packets;
};

static void on_fence(void *user, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    (void)ctx_id, (void)ring;
    struct bed *t = user;
    pthread_mutex_lock(&t->lock);
    t->fences[t->fence_count++ % FENCES_MAX] = id;
    pthread_mutex_unlock(&t->lock);
}

static void on_lost(void *user, uint32_t ctx_id, const char *reason)
{
    struct bed *t = user;
    pthread_mutex_lock(&t->lock);
    t->lost_count++;
    t->lost_ctx = ctx_id;
    strncpy(t->lost_reason, reason, sizeof t->lost_reason - 1);
    pthread_mutex_unlock(&t->lock);
}

static void on_packet(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode,
                      const void *packet, size_t size, const void *reply, size_t reply_size)
{
    (void)ctx_id, (void)ring_id, (void)opcode, (void)packet, (void)size, (void)reply,
        (void)reply_size;
    ((struct bed *)user)->packets++;
}

static enum sl_result make(struct bed *t, const struct hct_type *const *types,
                           const struct dev_limits *limits)
{
    struct vgd_sink sink = {
        .user = t, .fence_done = on_fence, .ctx_lost = on_lost, .packet = on_packet};
    return dev_create(types, NULL, limits, &sink, &t->d);
}

static const struct hct_type *const echo_types[] = {&echo_type, &echo_tex_type, NULL};
static const struct hct_type *const plain_types[] = {&echo_type, NULL};

static void bed_init(struct bed *t)
{
    pthread_mutex_init(&t->lock, NULL);
    SLT_ASSERT_OK(make(t, plain_types, NULL));
}

static void bed_finish(struct bed *t)
{
    if (t->d != NULL) {
        t->d->ops->destroy(t->d);
    }
    pthread_mutex_destroy(&t->lock);
}

SLT_FIXTURE(device, struct bed, bed_init, bed_finish);

/* Another device than the fixture's. */
static void remake(struct bed *t, const struct hct_type *const *types,
                   const struct dev_limits *limits)
{
    t->d->ops->destroy(t->d);
    t->d = NULL;
    SLT_ASSERT_OK(make(t, types, limits));
}

static enum sl_result ctx(struct bed *t, uint32_t id)
{
    return t->d->ops->ctx_create(t->d, id, ECHO_CAPSET, "test");
}

static enum sl_result blob(struct bed *t, uint32_t ctx_id, uint32_t id, uint64_t size)
{
    return t->d->ops->res_create_blob(t->d, ctx_id, id,
                                      &(struct vgd_blob_args){.mem = VIRTGPU_BLOB_HOST3D,
                                                              .flags = VIRTGPU_BLOB_MAPPABLE,
                                                              .size = size});
}

static struct vg_tex_args tex_args(uint32_t format, uint32_t width, uint32_t height)
{
    return (struct vg_tex_args){.target = VIRTGPU_TARGET_2D,
                                .format = format,
                                .width_px = width,
                                .height_px = height,
                                .depth = 1,
                                .array_size = 1};
}

static enum sl_result tex(struct bed *t, uint32_t id, uint32_t format, uint32_t width,
                          uint32_t height)
{
    struct vg_tex_args args = tex_args(format, width, height);
    return t->d->ops->res_create_tex(t->d, id, &args);
}

static enum sl_result echo(struct bed *t, uint32_t ctx_id, uint32_t opcode, uint32_t a, uint32_t b,
                           uint32_t c, uint32_t d)
{
    struct echo_command command = {opcode, a, b, c, d};
    return t->d->ops->submit(t->d, ctx_id, &command, sizeof command);
}

static enum sl_result destroy(struct bed *t, uint32_t id)
{
    return t->d->ops->res_destroy(t->d, id);
}

static enum sl_result map_of(struct bed *t, uint32_t id, struct vgd_map *map)
{
    *map = (struct vgd_map){.fd = -1};
    enum sl_result r = t->d->ops->res_map(t->d, id, map);
    sl_fd_close(&map->fd);
    return r;
}

static uint32_t fence_count(struct bed *t)
{
    pthread_mutex_lock(&t->lock);
    uint32_t count = t->fence_count;
    pthread_mutex_unlock(&t->lock);
    return count;
}

static uint32_t lost_count(struct bed *t)
{
    pthread_mutex_lock(&t->lock);
    uint32_t count = t->lost_count;
    pthread_mutex_unlock(&t->lock);
    return count;
}

static bool soon(uint32_t (*count)(struct bed *), struct bed *t, uint32_t want)
{
    for (uint32_t i = 0; i < 2000 && count(t) < want; i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return count(t) == want;
}

/* ---- types and capsets ---- */

SLT_TEST_F(device, lists_the_capsets_of_its_types, t)
{
    remake(t, echo_types, NULL);
    struct vgd_capset_info info;
    SLT_ASSERT_EQ(2u, t->d->ops->capset_count(t->d));
    SLT_ASSERT_OK(t->d->ops->capset_info(t->d, 1, &info));
    SLT_EXPECT_EQ(ECHO_TEX_CAPSET, info.id);
    SLT_EXPECT_EQ(ECHO_CAPSET_BYTES, info.max_size);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->capset_info(t->d, 2, &info));
}

SLT_TEST_F(device, gives_no_stale_byte_behind_a_capset, t)
{
    uint8_t bytes[64];
    memset(bytes, 0xaa, sizeof bytes);
    size_t used = 0;
    SLT_ASSERT_OK(t->d->ops->capset_get(t->d, ECHO_CAPSET, 1, bytes, 8, &used));
    SLT_EXPECT_EQ(ECHO_CAPSET_BYTES, used);
    SLT_EXPECT_EQ('e', bytes[0]);
    SLT_EXPECT_EQ(0xaa, bytes[8]);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->capset_get(t->d, 8, 1, bytes, 8, &used));
}

SLT_TEST_F(device, fails_when_a_driver_cannot_be_set_up, t)
{
    static const struct hct_type *const types[] = {&echo_tex_type, &echo_broken_type, NULL};
    t->d->ops->destroy(t->d);
    t->d = NULL;
    SLT_EXPECT_LOG("device", "echo-broken");
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, make(t, types, NULL));
}

SLT_TEST_F(device, describes_its_drivers_within_the_size, t)
{
    char text[8];
    remake(t, echo_types, NULL);
    t->d->ops->describe(t->d, text, sizeof text);
    SLT_EXPECT_STREQ("echo te", text);
}

/* ---- contexts ---- */

SLT_TEST_F(device, refuses_bad_context_ids, t)
{
    SLT_EXPECT_RESULT(SL_ERR_INVALID, ctx(t, 0));
    SLT_EXPECT_OK(ctx(t, 7));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, ctx(t, 7));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, t->d->ops->ctx_create(t->d, 8, 8, "gles"));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ctx_destroy(t->d, 8));
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 7));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ctx_destroy(t->d, 7));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, echo(t, 7, ECHO_TASK, 0, 0, 0, 0));
}

SLT_TEST_F(device, keeps_its_limit_of_contexts, t)
{
    remake(t, plain_types, &(struct dev_limits){.contexts = 3});
    for (uint32_t i = 1; i <= 3; i++) {
        SLT_EXPECT_OK(ctx(t, i));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, ctx(t, 4));
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 2));
    SLT_EXPECT_OK(ctx(t, 4));
}

SLT_TEST_F(device, refuses_submits_of_no_opcode_and_beyond_the_limit, t)
{
    static uint8_t bytes[(1u << 20) + 4];
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_EXPECT_OK(t->d->ops->submit(t->d, 1, bytes, 0));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->submit(t->d, 1, bytes, 3));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->submit(t->d, 1, bytes, sizeof bytes));
}

/* ---- resources: A12, A13, A18, A19, A21, A23, A24 ---- */

SLT_TEST_F(device, a13_refuses_bad_resource_ids, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, blob(t, 1, 0, 4096));
    SLT_EXPECT_OK(blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, tex(t, 5, VIRTGPU_FORMAT_R8, 4, 4));
    SLT_ASSERT_OK(map_of(t, 5, &map));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, destroy(t, 5)); /* mapped */
    SLT_EXPECT_RESULT(SL_ERR_INVALID, blob(t, 1, 5, 4096));
    SLT_EXPECT_OK(t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_OK(destroy(t, 5));
    SLT_EXPECT_OK(blob(t, 1, 5, 4096));
}

struct blob_case {
    const char *label;
    uint32_t mem, flags;
    uint64_t size, blob_id;
    uint32_t ctx;
    enum sl_result want;
};
static const struct blob_case blob_cases[] = {
    {"size_0", VIRTGPU_BLOB_HOST3D, 1, 0, 0, 1, SL_ERR_INVALID},
    {"size_2_63", VIRTGPU_BLOB_HOST3D, 1, (uint64_t)1 << 63, 0, 1, SL_ERR_NOMEM},
    {"size_max_page", VIRTGPU_BLOB_HOST3D, 1, UINT64_MAX - 4095, 0, 1, SL_ERR_NOMEM},
    {"size_not_of_pages", VIRTGPU_BLOB_HOST3D, 1, 4097, 0, 1, SL_ERR_INVALID},
    {"mem_0", 0, 1, 4096, 0, 1, SL_ERR_INVALID},
    {"mem_4", 4, 1, 4096, 0, 1, SL_ERR_INVALID},
    {"both_memories_without_pages", VIRTGPU_BLOB_HOST3D_GUEST, 1, 4096, 0, 0, SL_ERR_INVALID},
    {"flag_8", VIRTGPU_BLOB_HOST3D, 8, 4096, 0, 1, SL_ERR_INVALID},
    {"flags_all", VIRTGPU_BLOB_HOST3D, UINT32_MAX, 4096, 0, 1, SL_ERR_INVALID},
    {"guest_without_pages", VIRTGPU_BLOB_GUEST, 1, 4096, 0, 0, SL_ERR_INVALID},
    {"no_context", VIRTGPU_BLOB_HOST3D, 1, 4096, 0, 0, SL_ERR_NOTFOUND},
    {"unknown_context", VIRTGPU_BLOB_HOST3D, 1, 4096, 0, 9, SL_ERR_NOTFOUND},
    {"unknown_blob_id", VIRTGPU_BLOB_HOST3D, 1, 4096, 77, 1, SL_ERR_NOTFOUND},
};
SLT_TEST_FP(device, a18_refuses_bad_blobs, t, struct blob_case, blob_cases, c)
{
    SLT_ASSERT_OK(ctx(t, 1));
    struct vgd_blob_args args = {
        .mem = c->mem, .flags = c->flags, .size = c->size, .blob_id = c->blob_id};
    SLT_EXPECT_RESULT(c->want, t->d->ops->res_create_blob(t->d, c->ctx, 3, &args));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, destroy(t, 3));
}

SLT_TEST_F(device, a19_gives_a_contexts_blob_once_and_to_it_alone, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(ctx(t, 2));
    SLT_ASSERT_OK(echo(t, 1, ECHO_OFFER, 77, 8192, 0, 0));
    struct vgd_blob_args args = {
        .mem = VIRTGPU_BLOB_HOST3D, .flags = 1, .size = 8192, .blob_id = 77};
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->res_create_blob(t->d, 2, 3, &args));
    SLT_EXPECT_OK(t->d->ops->res_create_blob(t->d, 1, 3, &args));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->res_create_blob(t->d, 1, 4, &args));
    args.blob_id = ((uint64_t)1 << 32) + 77;
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->res_create_blob(t->d, 1, 4, &args));
}

SLT_TEST_F(device, refuses_a_blob_larger_than_the_context_offered, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(echo(t, 1, ECHO_OFFER, 77, 4096, 0, 0));
    struct vgd_blob_args args = {
        .mem = VIRTGPU_BLOB_HOST3D, .flags = 1, .size = 8192, .blob_id = 77};
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_create_blob(t->d, 1, 3, &args));
}

struct tex_case {
    const char *label;
    struct vg_tex_args args;
    enum sl_result want;
};
#define TEX(f, w, h)                                                                               \
    .target = VIRTGPU_TARGET_2D, .format = (f), .width_px = (w), .height_px = (h), .depth = 1,     \
    .array_size = 1
static const struct tex_case tex_cases[] = {
    {"width_0", {TEX(67, 0, 4)}, SL_ERR_INVALID},
    {"height_0", {TEX(67, 4, 0)}, SL_ERR_INVALID},
    {"product_over_2_32", {TEX(67, 65536, 65536)}, SL_ERR_INVALID},
    {"product_over_2_64", {TEX(67, UINT32_MAX, UINT32_MAX)}, SL_ERR_INVALID},
    {"stride_wraps", {TEX(67, 0x40000000, 1)}, SL_ERR_INVALID},
    {"unknown_format", {TEX(0, 4, 4)}, SL_ERR_UNSUPPORTED},
    {"format_max", {TEX(UINT32_MAX, 4, 4)}, SL_ERR_UNSUPPORTED},
    {"target_max",
     {.target = UINT32_MAX, .format = 67, .width_px = 4, .height_px = 4, .depth = 1},
     SL_ERR_UNSUPPORTED},
    {"depth_2",
     {.target = 2, .format = 67, .width_px = 4, .height_px = 4, .depth = 2},
     SL_ERR_INVALID},
    {"array_max",
     {.target = 2, .format = 67, .width_px = 4, .height_px = 4, .array_size = UINT32_MAX},
     SL_ERR_INVALID},
    {"levels",
     {.target = 2, .format = 67, .width_px = 4, .height_px = 4, .last_level = 31},
     SL_ERR_INVALID},
    {"samples",
     {.target = 2, .format = 67, .width_px = 4, .height_px = 4, .nr_samples = 8},
     SL_ERR_INVALID},
    {"flags",
     {.target = 2, .format = 67, .width_px = 4, .height_px = 4, .flags = 2},
     SL_ERR_INVALID},
    {"buffer_with_rows",
     {.target = 0, .format = 64, .width_px = 4, .height_px = 2},
     SL_ERR_INVALID},
    {"buffer_of_pixels",
     {.target = 0, .format = 67, .width_px = 4, .height_px = 1},
     SL_ERR_INVALID},
    {"buffer_too_long",
     {.target = 0, .format = 64, .width_px = UINT32_MAX, .height_px = 1},
     SL_ERR_INVALID},
};
SLT_TEST_FP(device, a12_refuses_bad_textures, t, struct tex_case, tex_cases, c)
{
    SLT_EXPECT_RESULT(c->want, t->d->ops->res_create_tex(t->d, 3, &c->args));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, destroy(t, 3));
}

struct layout_case {
    const char *label;
    uint32_t format, width, height, stride;
    uint64_t size;
};
static const struct layout_case layout_cases[] = {
    {"rgba8", VIRTGPU_FORMAT_R8G8B8A8, 100, 3, 448, 1344},
    {"rgb565", VIRTGPU_FORMAT_B5G6R5, 33, 2, 128, 256},
    {"r8", VIRTGPU_FORMAT_R8, 64, 5, 64, 320},
    {"r8_odd", VIRTGPU_FORMAT_R8, 65, 1, 128, 128},
};
SLT_TEST_FP(device, a23_lays_textures_out_in_rows_of_64_and_zeroes_them, t, struct layout_case,
            layout_cases, c)
{
    struct vgd_map map;
    SLT_ASSERT_OK(tex(t, 3, c->format, c->width, c->height));
    SLT_ASSERT_OK(map_of(t, 3, &map));
    SLT_EXPECT_EQ(c->stride, map.stride);
    SLT_EXPECT_EQ(c->size, map.size);
    const uint8_t *bytes = map.pointer;
    for (uint64_t i = 0; i < map.size; i++) {
        if (bytes[i] != 0) {
            SLT_FAIL("byte %llu is %u", (unsigned long long)i, bytes[i]);
        }
    }
}

SLT_TEST_F(device, a21_refuses_to_map_twice_or_after_unref, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_unmap(t->d, 5));
    SLT_ASSERT_OK(map_of(t, 5, &map));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, map_of(t, 5, &map));
    SLT_EXPECT_OK(t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_OK(destroy(t, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, map_of(t, 5, &map));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, destroy(t, 5));
}

SLT_TEST_F(device, refuses_to_map_what_is_not_mappable, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(t->d->ops->res_create_blob(
        t->d, 1, 5, &(struct vgd_blob_args){.mem = VIRTGPU_BLOB_HOST3D, .size = 4096}));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, map_of(t, 5, &map));
}

SLT_TEST_F(device, a24_survives_a_million_attachments_to_nothing, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(blob(t, 1, 5, 4096));
    uint64_t before = sl_alloc_live();
    for (uint32_t i = 0; i < 1000000; i++) {
        if (t->d->ops->ctx_attach(t->d, 2 + i, 5) != SL_ERR_NOTFOUND ||
            t->d->ops->ctx_attach(t->d, 1, 6 + i) != SL_ERR_NOTFOUND ||
            t->d->ops->ctx_detach(t->d, 1, 5) != SL_ERR_NOTFOUND) {
            SLT_FAIL("round %u was accepted", i);
        }
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
}

SLT_TEST_F(device, attaches_twice_as_once, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(blob(t, 1, 5, 4096));
    SLT_EXPECT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_EXPECT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_EXPECT_OK(t->d->ops->ctx_detach(t->d, 1, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ctx_detach(t->d, 1, 5));
}

SLT_TEST_F(device, b09_shows_a_context_only_what_is_attached_to_it, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(ctx(t, 2));
    SLT_ASSERT_OK(blob(t, 1, 5, 4096));
    SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, echo(t, 2, ECHO_FILL, 5, 0, 16, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, echo(t, 1, ECHO_FILL, 5, 4090, 16, 1));
    SLT_EXPECT_OK(echo(t, 1, ECHO_FILL, 5, 4080, 16, 7));
    SLT_ASSERT_OK(map_of(t, 5, &map));
    SLT_EXPECT_EQ(7, ((uint8_t *)map.pointer)[4095]);
    SLT_EXPECT_OK(t->d->ops->ctx_detach(t->d, 1, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, echo(t, 1, ECHO_FILL, 5, 0, 16, 1));
}

SLT_TEST_F(device, a22_lets_a_ring_thread_outlive_its_blob, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    for (uint32_t i = 0; i < 20; i++) {
        SLT_ASSERT_OK(blob(t, 1, 5, 4096));
        SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
        SLT_ASSERT_OK(echo(t, 1, ECHO_RING, 5, 0, 0, 0));
        SLT_ASSERT_OK(destroy(t, 5)); /* the thread goes on writing to the pages */
    }
    sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 1));
    SLT_EXPECT_EQ(0u, echo_live());
}

SLT_TEST_F(device, keeps_its_limits_of_resources_and_bytes, t)
{
    remake(t, plain_types, &(struct dev_limits){.resources = 3, .resource_bytes = 65536});
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, blob(t, 1, 1, 65536 + 4096));
    SLT_EXPECT_OK(blob(t, 1, 1, 65536));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, blob(t, 1, 2, 4096));
    SLT_EXPECT_OK(destroy(t, 1));
    for (uint32_t i = 1; i <= 3; i++) {
        SLT_EXPECT_OK(blob(t, 1, i, 4096));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, blob(t, 1, 4, 4096));
}

SLT_TEST_F(device, exports_and_imports_the_same_pages, t)
{
    struct vgd_map a, b;
    int fd = -1;
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(blob(t, 1, 5, 8192));
    SLT_ASSERT_OK(t->d->ops->res_export(t->d, 5, &fd));
    SLT_ASSERT_OK(t->d->ops->res_import(t->d, 6, fd, 8192));
    SLT_ASSERT_OK(map_of(t, 5, &a));
    SLT_ASSERT_OK(map_of(t, 6, &b));
    memset(a.pointer, 0x5a, 8192);
    SLT_EXPECT_MEMEQ(a.pointer, b.pointer, 8192);
}

SLT_TEST_F(device, e04_refuses_to_import_what_a_peer_could_cut, t)
{
    int pipe_fds[2], file, sealed;
    SLT_ASSERT_EQ(0, pipe(pipe_fds));
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->d->ops->res_import(t->d, 6, pipe_fds[0], 4096)); /* takes it */
    close(pipe_fds[1]);
    file = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    SLT_ASSERT_EQ(0, ftruncate(file, 8192));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_import(t->d, 6, file, 4096));
    SLT_ASSERT_OK(sl_shm_create("short", 4096, &sealed));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_import(t->d, 6, sealed, 8192));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_import(t->d, 6, -1, 4096));
    SLT_ASSERT_OK(sl_shm_create("empty", 4096, &sealed));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_import(t->d, 6, sealed, 0));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, destroy(t, 6));
}

SLT_TEST_F(device, tells_the_provider_of_textures, t)
{
    remake(t, echo_types, NULL);
    SLT_ASSERT_OK(tex(t, 1, VIRTGPU_FORMAT_R8G8B8A8, 16, 16));
    SLT_ASSERT_OK(tex(t, 2, VIRTGPU_FORMAT_R8G8B8A8, 16, 16));
    SLT_EXPECT_EQ(2u, echo_tex_count());
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, tex(t, 3, VIRTGPU_FORMAT_R8G8B8A8, ECHO_WIDE_PX + 1, 1));
    uint32_t transfers = echo_tex_transfers();
    SLT_EXPECT_OK(t->d->ops->transfer(
        t->d, 0, 1, &(struct vg_box){.y = 15, .width = 16, .height = 1, .depth = 1}, 0, 0, 0, 0,
        VG_FROM_HOST));
    SLT_EXPECT_EQ(transfers + 1, echo_tex_transfers());
    SLT_EXPECT_OK(destroy(t, 1));
    SLT_EXPECT_EQ(1u, echo_tex_count());
    t->d->ops->reset(t->d);
    SLT_EXPECT_EQ(0u, echo_tex_count());
}

/* ---- guest pages: A14 to A17 ---- */

SLT_TEST_F(device, a14_refuses_bad_backing_lists, t)
{
    static uint8_t page[4096];
    static struct iovec iov[16385];
    for (uint32_t i = 0; i < 16385; i++) {
        iov[i] = (struct iovec){page, sizeof page};
    }
    SLT_ASSERT_OK(tex(t, 3, VIRTGPU_FORMAT_R8, 64, 1));
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

SLT_TEST_F(device, takes_guest_blobs_with_enough_pages, t)
{
    static uint8_t page[8192];
    struct iovec iov[2] = {{page, 4096}, {page + 4096, 4096}};
    struct vgd_blob_args args = {
        .mem = VIRTGPU_BLOB_GUEST, .size = 8192, .backing = iov, .backing_count = 2};
    SLT_EXPECT_OK(t->d->ops->res_create_blob(t->d, 0, 3, &args));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->backing_detach(t->d, 3));
    struct vgd_map map;
    int fd;
    SLT_EXPECT_RESULT(SL_ERR_INVALID, map_of(t, 3, &map));
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
SLT_TEST_FP(device, checks_transfer_boxes, t, struct box_case, box_cases, c)
{
    uint8_t pages[320] = {0};
    struct iovec iov[] = {{pages, 7},
                          {pages + 7, 100},
                          {pages + 107, 0},
                          {pages + 107, 213}}; /* cut in the middle of pixels */
    SLT_ASSERT_OK(tex(t, 3, VIRTGPU_FORMAT_R8G8B8A8, 10, 8));
    SLT_ASSERT_OK(t->d->ops->backing_attach(t->d, 3, iov, 4));
    for (int direction = VG_TO_HOST; direction <= VG_FROM_HOST; direction++) {
        SLT_EXPECT_RESULT(c->want, t->d->ops->transfer(t->d, 0, 3, &c->box, c->level, c->offset,
                                                       c->stride, 0, (enum vg_direction)direction));
    }
}

SLT_TEST_F(device, a15_transfers_through_scattered_and_overlapping_pages, t)
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
    SLT_ASSERT_OK(tex(t, 3, VIRTGPU_FORMAT_R8G8B8A8, 10, 8));
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

SLT_TEST_F(device, refuses_transfers_of_blobs_and_for_unknown_ids, t)
{
    struct vg_box box = {.width = 1, .height = 1, .depth = 1};
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->d->ops->transfer(t->d, 1, 5, &box, 0, 0, 0, 0, VG_TO_HOST));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND,
                      t->d->ops->transfer(t->d, 1, 6, &box, 0, 0, 0, 0, VG_TO_HOST));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND,
                      t->d->ops->transfer(t->d, 2, 5, &box, 0, 0, 0, 0, VG_TO_HOST));
}

/* ---- timelines: E01, E02, E03, E05 ---- */

SLT_TEST_F(device, tells_a_fence_at_once_when_nothing_is_pending, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 1, 0, 10));
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 0, VIRTGPU_RING_GLOBAL, 11));
    SLT_ASSERT_EQ(2u, t->fence_count);
    SLT_EXPECT_EQ(10u, t->fences[0]);
    SLT_EXPECT_EQ(11u, t->fences[1]);
}

SLT_TEST_F(device, retires_fences_in_order_behind_their_tasks, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(echo(t, 1, ECHO_TASK, 3, 0, 0, 0));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 3, 10));
    SLT_ASSERT_OK(echo(t, 1, ECHO_TASK, 3, 1, 0, 0));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 3, 11));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 4, 12)); /* another ring does not wait */
    SLT_EXPECT_EQ(1u, t->fence_count);
    SLT_ASSERT_OK(echo(t, 1, ECHO_DONE, 0, 1, 0, 0)); /* the later task first */
    SLT_EXPECT_EQ(1u, t->fence_count);
    SLT_ASSERT_OK(echo(t, 1, ECHO_DONE, 0, 0, 0, 0));
    SLT_ASSERT_EQ(3u, t->fence_count);
    SLT_EXPECT_EQ(12u, t->fences[0]);
    SLT_EXPECT_EQ(10u, t->fences[1]);
    SLT_EXPECT_EQ(11u, t->fences[2]);
    SLT_ASSERT_OK(echo(t, 1, ECHO_DONE, 0, 0, 0, 0)); /* done twice: ignored */
    SLT_EXPECT_EQ(3u, t->fence_count);
}

SLT_TEST_F(device, e01_refuses_fences_on_unknown_rings_and_contexts, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, VIRTGPU_MAX_RINGS, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, VIRTGPU_RING_GLOBAL, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, echo(t, 1, ECHO_TASK, VIRTGPU_MAX_RINGS, 0, 0, 0));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->fence(t->d, 2, 0, 1));
    SLT_ASSERT_OK(t->d->ops->ctx_destroy(t->d, 1));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->fence(t->d, 1, 0, 1));
    SLT_EXPECT_EQ(0u, t->fence_count);
}

SLT_TEST_F(device, e02_throttles_fences_that_wait, t)
{
    remake(t, plain_types, &(struct dev_limits){.pending = 100});
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(ctx(t, 2));
    SLT_ASSERT_OK(echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
    uint32_t refused = 0;
    for (uint32_t i = 1; i <= 4000000; i++) {
        refused += t->d->ops->fence(t->d, 1, 0, i) == SL_ERR_NOMEM;
    }
    SLT_EXPECT_EQ(4000000u - 99u, refused);
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 2, 0, 4000001)); /* others go on */
    SLT_ASSERT_OK(echo(t, 1, ECHO_DONE, 0, 0, 0, 0));
    SLT_EXPECT_EQ(100u, t->fence_count);
}

SLT_TEST_F(device, e03_settles_fences_once_when_their_context_goes, t)
{
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t before = fence_count(t);
        SLT_ASSERT_OK(ctx(t, 1));
        SLT_ASSERT_OK(echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 2 * i + 1));
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 2 * i + 2));
        SLT_ASSERT_OK(echo(t, 1, ECHO_LATER, i * 10, 0, 0, 0)); /* the waiter races with the end */
        SLT_ASSERT_OK(t->d->ops->ctx_destroy(t->d, 1));
        SLT_EXPECT_EQ(before + 2, fence_count(t));
    }
}

SLT_TEST_F(device, e05_refuses_fence_ids_that_do_not_grow, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 10));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, 1, 10));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 1, 0, 9));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->fence(t->d, 0, VIRTGPU_RING_GLOBAL, 0));
    SLT_EXPECT_EQ(1u, t->fence_count);
    t->d->ops->reset(t->d);
    SLT_EXPECT_OK(t->d->ops->fence(t->d, 0, VIRTGPU_RING_GLOBAL, 1));
}

/* ---- loss, reset, growth ---- */

SLT_TEST_F(device, loses_one_context_and_no_other, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(ctx(t, 2));
    SLT_ASSERT_OK(echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
    SLT_ASSERT_OK(t->d->ops->fence(t->d, 1, 0, 1));
    SLT_EXPECT_LOG("device", "context 1 is lost: echo was told to");
    SLT_ASSERT_OK(echo(t, 1, ECHO_LOSE, 0, 0, 0, 0));
    SLT_ASSERT_TRUE(soon(lost_count, t, 1));
    SLT_EXPECT_EQ(1u, fence_count(t)); /* settled */
    SLT_EXPECT_EQ(1u, t->lost_ctx);
    SLT_EXPECT_STREQ("echo was told to", t->lost_reason);
    SLT_EXPECT_RESULT(SL_ERR_DEVICE_LOST, echo(t, 1, ECHO_TASK, 0, 0, 0, 0));
    SLT_EXPECT_OK(
        t->d->ops->fence(t->d, 1, 0, 2)); /* told at once: nobody hangs on a dead context */
    SLT_EXPECT_EQ(2u, fence_count(t));
    SLT_EXPECT_OK(echo(t, 2, ECHO_TASK, 0, 0, 0, 0));
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 1));
    SLT_EXPECT_OK(ctx(t, 1));
    SLT_EXPECT_OK(echo(t, 1, ECHO_TASK, 0, 0, 0, 0)); /* the id is as good as new */
}

SLT_TEST_F(device, a09_settles_all_fences_at_reset, t)
{
    for (uint32_t i = 1; i <= 4; i++) {
        SLT_ASSERT_OK(ctx(t, i));
        SLT_ASSERT_OK(echo(t, i, ECHO_TASK, i, 0, 0, 0));
    }
    for (uint32_t i = 0; i < 64; i++) {
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1 + i % 4, 1 + i % 4, 1 + i));
    }
    SLT_EXPECT_EQ(0u, t->fence_count);
    t->d->ops->reset(t->d);
    SLT_EXPECT_EQ(64u, t->fence_count);
    SLT_EXPECT_EQ(0u, echo_live());
    SLT_EXPECT_OK(ctx(t, 1));
}

SLT_TEST_F(device, taps_only_while_it_is_on, t)
{
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_ASSERT_OK(echo(t, 1, ECHO_PACKET, 5, 2088, 0, 0));
    SLT_EXPECT_EQ(0u, t->packets);
    t->d->ops->tap(t->d, true);
    SLT_ASSERT_OK(echo(t, 1, ECHO_PACKET, 5, 2088, 0, 0));
    SLT_EXPECT_EQ(1u, t->packets);
    t->d->ops->tap(t->d, false);
    SLT_ASSERT_OK(echo(t, 1, ECHO_PACKET, 5, 2088, 0, 0));
    SLT_EXPECT_EQ(1u, t->packets);
}

SLT_TEST_F(device, counts_the_rings_of_a_context, t)
{
    struct vgd_ring_stats stats;
    SLT_ASSERT_OK(ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ring_stats(t->d, 1, 0, &stats));
    SLT_ASSERT_OK(blob(t, 1, 5, 4096));
    SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_ASSERT_OK(echo(t, 1, ECHO_RING, 5, 0, 0, 0));
    SLT_EXPECT_OK(t->d->ops->ring_stats(t->d, 1, 0, &stats));
    SLT_EXPECT_EQ(5u, stats.resource_id);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ring_stats(t->d, 1, 1, &stats));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ring_stats(t->d, 2, 0, &stats));
}

SLT_TEST_F(device, does_not_grow_in_ten_thousand_lives, t)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        if (i == 100) {
            before = sl_alloc_live();
        }
        SLT_ASSERT_OK(ctx(t, 1 + i));
        SLT_ASSERT_OK(blob(t, 1 + i, 5, 4096));
        SLT_ASSERT_OK(tex(t, 6, VIRTGPU_FORMAT_R8, 4, 4));
        SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1 + i, 5));
        SLT_ASSERT_OK(echo(t, 1 + i, ECHO_TASK, 0, 0, 0, 0));
        SLT_ASSERT_OK(t->d->ops->fence(t->d, 1 + i, 0, 1 + i));
        (void)echo(t, 1 + i, ECHO_OFFER, 9, 4096, 0, 0);
        SLT_ASSERT_OK(t->d->ops->ctx_destroy(t->d, 1 + i));
        SLT_ASSERT_OK(destroy(t, 5));
        SLT_ASSERT_OK(destroy(t, 6));
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
}

/* Every allocation fails once: no crash, no leak, and what was refused can be asked for again. */
SLT_TEST_F(device, stands_failing_allocations, t)
{
    for (uint64_t n = 0; n < 24; n++) {
        SLT_FAIL_ALLOC(n);
        (void)ctx(t, 1);
        (void)blob(t, 1, 5, 4096);
        (void)tex(t, 6, VIRTGPU_FORMAT_R8, 4, 4);
        (void)t->d->ops->ctx_attach(t->d, 1, 5);
        (void)echo(t, 1, ECHO_TASK, 0, 0, 0, 0);
        (void)t->d->ops->fence(t->d, 1, 0, n + 1);
        SLT_FAIL_ALLOC(UINT64_MAX);
        t->d->ops->reset(t->d);
    }
    SLT_EXPECT_OK(ctx(t, 1));
    SLT_EXPECT_OK(blob(t, 1, 5, 4096));
}
