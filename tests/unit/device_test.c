/* The device through waist B, with the echo type: ids, limits, memory, timelines, loss. Attack
 * cases A12 to A24, E01 to E05 where they reach this waist. */
#include "tests/unit/device_bed.h"

#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

SLT_FIXTURE(device, struct device_bed, bed_init, bed_finish);

/* ---- types and capsets ---- */

SLT_TEST_F(device, lists_the_capsets_of_its_types, t)
{
    bed_remake(t, bed_echo_types, NULL);
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
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, bed_make(t, types, NULL));
}

static uint32_t missing_asked;

static enum sl_result missing_provider_create(const struct hct_env *env,
                                              const struct hct_options *options,
                                              struct hct_provider **out)
{
    (void)env, (void)options, (void)out;
    missing_asked++;
    return SL_ERR_NOTFOUND;
}

/* What it has said of why stands in the log once. */
SLT_TEST_F(device, asks_once_for_a_driver_that_is_missing, t)
{
    static const struct hct_type one = {.name = "one",
                                        .capset = 60,
                                        .provider = "missing",
                                        .provider_create = missing_provider_create};
    static const struct hct_type two = {.name = "two",
                                        .capset = 61,
                                        .provider = "missing",
                                        .provider_create = missing_provider_create};
    static const struct hct_type *const types[] = {&one, &echo_tex_type, &two, NULL};
    missing_asked = 0;
    bed_remake(t, types, NULL);
    SLT_EXPECT_EQ(1u, missing_asked);
    SLT_EXPECT_EQ(1u, t->d->ops->capset_count(t->d));
}

SLT_TEST_F(device, describes_its_drivers_within_the_size, t)
{
    char text[8];
    bed_remake(t, bed_echo_types, NULL);
    t->d->ops->describe(t->d, text, sizeof text);
    SLT_EXPECT_STREQ("echo te", text);
}

/* ---- contexts ---- */

SLT_TEST_F(device, refuses_bad_context_ids, t)
{
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_ctx(t, 0));
    SLT_EXPECT_OK(bed_ctx(t, 7));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_ctx(t, 7));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, t->d->ops->ctx_create(t->d, 8, 8, "gles"));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ctx_destroy(t->d, 8));
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 7));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ctx_destroy(t->d, 7));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_echo(t, 7, ECHO_TASK, 0, 0, 0, 0));
}

/* What is stuck in a driver is waited for, each of them from when it was asked. */
SLT_TEST_F(device, reset_asks_all_contexts_to_stop_first, t)
{
    for (uint32_t i = 1; i <= 5; i++) {
        SLT_ASSERT_OK(bed_ctx(t, i));
    }
    uint32_t before = echo_ended_early();
    SLT_ASSERT_OK(t->d->ops->ctx_destroy(t->d, 5));
    SLT_EXPECT_EQ(before + 1, echo_ended_early()); /* the other four live on */
    t->d->ops->reset(t->d);
    SLT_EXPECT_EQ(before + 1, echo_ended_early());
    SLT_EXPECT_EQ(0u, echo_live());
}

SLT_TEST_F(device, keeps_its_limit_of_contexts, t)
{
    bed_remake(t, bed_plain_types, &(struct dev_limits){.contexts = 3});
    for (uint32_t i = 1; i <= 3; i++) {
        SLT_EXPECT_OK(bed_ctx(t, i));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, bed_ctx(t, 4));
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 2));
    SLT_EXPECT_OK(bed_ctx(t, 4));
}

SLT_TEST_F(device, refuses_submits_of_no_opcode_and_beyond_the_limit, t)
{
    static uint8_t bytes[(1u << 20) + 4];
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_EXPECT_OK(t->d->ops->submit(t->d, 1, bytes, 0));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->submit(t->d, 1, bytes, 3));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->submit(t->d, 1, bytes, sizeof bytes));
}

/* ---- resources: A12, A13, A18, A19, A21, A23, A24 ---- */

SLT_TEST_F(device, a13_refuses_bad_resource_ids, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_blob(t, 1, 0, 4096));
    SLT_EXPECT_OK(bed_blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_tex(t, 5, VIRTGPU_FORMAT_R8, 4, 4));
    SLT_ASSERT_OK(bed_map_of(t, 5, &map));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_destroy(t, 5)); /* mapped */
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_blob(t, 1, 5, 4096));
    SLT_EXPECT_OK(t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_OK(bed_destroy(t, 5));
    SLT_EXPECT_OK(bed_blob(t, 1, 5, 4096));
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
    SLT_ASSERT_OK(bed_ctx(t, 1));
    struct vgd_blob_args args = {
        .mem = c->mem, .flags = c->flags, .size = c->size, .blob_id = c->blob_id};
    SLT_EXPECT_RESULT(c->want, t->d->ops->res_create_blob(t->d, c->ctx, 3, &args));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_destroy(t, 3));
}

SLT_TEST_F(device, a19_gives_a_contexts_blob_once_and_to_it_alone, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_ctx(t, 2));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_OFFER, 77, 8192, 0, 0));
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
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_echo(t, 1, ECHO_OFFER, 77, 4096, 0, 0));
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
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_destroy(t, 3));
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
    SLT_ASSERT_OK(bed_tex(t, 3, c->format, c->width, c->height));
    SLT_ASSERT_OK(bed_map_of(t, 3, &map));
    SLT_EXPECT_EQ(c->stride, map.stride);
    SLT_EXPECT_EQ(c->size, map.size);
    const uint8_t *bytes = map.pointer;
    for (uint64_t i = 0; i < map.size; i++) {
        if (bytes[i] != 0) {
            SLT_FAIL("byte %llu is %u", (unsigned long long)i, bytes[i]);
        }
    }
}

/* With less room than a picture needs its size is told, and no byte of it written. */
SLT_TEST_F(device, a05_writes_a_picture_where_all_of_it_fits, t)
{
    enum { WIDTH = 3, HEIGHT = 2, SIZE = WIDTH * HEIGHT * 4 };
    const struct vgd_scanout shown = {.resource_id = 3, .width_px = WIDTH, .height_px = HEIGHT};
    SLT_ASSERT_OK(bed_tex(t, 3, VIRTGPU_FORMAT_R8G8B8A8, WIDTH, HEIGHT));
    SLT_ASSERT_OK(t->d->ops->scanout_set(t->d, 0, &shown));
    for (uint32_t room = SIZE - 1; room <= SIZE; room++) {
        uint8_t pixels[SIZE + 1];
        uint32_t width = 0, height = 0, written = 0;
        SLT_SCOPE("room %u", room);
        memset(pixels, 0xee, sizeof pixels);
        SLT_ASSERT_OK(t->d->ops->scanout_read(t->d, 0, false, NULL, pixels, room, &width, &height));
        for (uint32_t i = 0; i < SIZE; i++) {
            written += pixels[i] != 0xee;
        }
        SLT_EXPECT_EQ(WIDTH, width);
        SLT_EXPECT_EQ(HEIGHT, height);
        SLT_EXPECT_EQ(room < SIZE ? 0u : SIZE, written);
        SLT_EXPECT_EQ(0xee, pixels[SIZE]);
    }
    uint32_t width = 0, height = 0;
    SLT_EXPECT_OK(t->d->ops->scanout_read(t->d, 0, false, NULL, NULL, SIZE, &width, &height));
    SLT_EXPECT_EQ(WIDTH, width);
}

SLT_TEST_F(device, a21_refuses_to_map_twice_or_after_unref, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_blob(t, 1, 5, 4096));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_unmap(t->d, 5));
    SLT_ASSERT_OK(bed_map_of(t, 5, &map));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_map_of(t, 5, &map));
    SLT_EXPECT_OK(t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_OK(bed_destroy(t, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_map_of(t, 5, &map));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->res_unmap(t->d, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_destroy(t, 5));
}

SLT_TEST_F(device, refuses_to_map_what_is_not_mappable, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(t->d->ops->res_create_blob(
        t->d, 1, 5, &(struct vgd_blob_args){.mem = VIRTGPU_BLOB_HOST3D, .size = 4096}));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_map_of(t, 5, &map));
}

SLT_TEST_F(device, a24_survives_a_million_attachments_to_nothing, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_blob(t, 1, 5, 4096));
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
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_blob(t, 1, 5, 4096));
    SLT_EXPECT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_EXPECT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_EXPECT_OK(t->d->ops->ctx_detach(t->d, 1, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, t->d->ops->ctx_detach(t->d, 1, 5));
}

SLT_TEST_F(device, b09_shows_a_context_only_what_is_attached_to_it, t)
{
    struct vgd_map map;
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_ctx(t, 2));
    SLT_ASSERT_OK(bed_blob(t, 1, 5, 4096));
    SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_echo(t, 2, ECHO_FILL, 5, 0, 16, 1));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, bed_echo(t, 1, ECHO_FILL, 5, 4090, 16, 1));
    SLT_EXPECT_OK(bed_echo(t, 1, ECHO_FILL, 5, 4080, 16, 7));
    SLT_ASSERT_OK(bed_map_of(t, 5, &map));
    SLT_EXPECT_EQ(7, ((uint8_t *)map.pointer)[4095]);
    SLT_EXPECT_OK(t->d->ops->ctx_detach(t->d, 1, 5));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_echo(t, 1, ECHO_FILL, 5, 0, 16, 1));
}

SLT_TEST_F(device, a22_lets_a_ring_thread_outlive_its_blob, t)
{
    SLT_ASSERT_OK(bed_ctx(t, 1));
    for (uint32_t i = 0; i < 20; i++) {
        SLT_ASSERT_OK(bed_blob(t, 1, 5, 4096));
        SLT_ASSERT_OK(t->d->ops->ctx_attach(t->d, 1, 5));
        SLT_ASSERT_OK(bed_echo(t, 1, ECHO_RING, 5, 0, 0, 0));
        SLT_ASSERT_OK(bed_destroy(t, 5)); /* the thread goes on writing to the pages */
    }
    sl_clock_sleep_ns(5 * SL_NS_PER_MS);
    SLT_EXPECT_OK(t->d->ops->ctx_destroy(t->d, 1));
    SLT_EXPECT_EQ(0u, echo_live());
}

SLT_TEST_F(device, keeps_its_limits_of_resources_and_bytes, t)
{
    bed_remake(t, bed_plain_types, &(struct dev_limits){.resources = 3, .resource_bytes = 65536});
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, bed_blob(t, 1, 1, 65536 + 4096));
    SLT_EXPECT_OK(bed_blob(t, 1, 1, 65536));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, bed_blob(t, 1, 2, 4096));
    SLT_EXPECT_OK(bed_destroy(t, 1));
    for (uint32_t i = 1; i <= 3; i++) {
        SLT_EXPECT_OK(bed_blob(t, 1, i, 4096));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, bed_blob(t, 1, 4, 4096));
}

SLT_TEST_F(device, exports_and_imports_the_same_pages, t)
{
    struct vgd_map a, b;
    int fd = -1;
    SLT_ASSERT_OK(bed_ctx(t, 1));
    SLT_ASSERT_OK(bed_blob(t, 1, 5, 8192));
    SLT_ASSERT_OK(t->d->ops->res_export(t->d, 5, &fd));
    SLT_ASSERT_OK(t->d->ops->res_import(t->d, 6, fd, 8192));
    SLT_ASSERT_OK(bed_map_of(t, 5, &a));
    SLT_ASSERT_OK(bed_map_of(t, 6, &b));
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
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, bed_destroy(t, 6));
}

SLT_TEST_F(device, tells_the_provider_of_textures, t)
{
    bed_remake(t, bed_echo_types, NULL);
    SLT_ASSERT_OK(bed_tex(t, 1, VIRTGPU_FORMAT_R8G8B8A8, 16, 16));
    SLT_ASSERT_OK(bed_tex(t, 2, VIRTGPU_FORMAT_R8G8B8A8, 16, 16));
    SLT_EXPECT_EQ(2u, echo_tex_count());
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED,
                      bed_tex(t, 3, VIRTGPU_FORMAT_R8G8B8A8, ECHO_WIDE_PX + 1, 1));
    uint32_t transfers = echo_tex_transfers();
    SLT_EXPECT_OK(t->d->ops->transfer(
        t->d, 0, 1, &(struct vg_box){.y = 15, .width = 16, .height = 1, .depth = 1}, 0, 0, 0, 0,
        VG_FROM_HOST));
    SLT_EXPECT_EQ(transfers + 1, echo_tex_transfers());
    SLT_EXPECT_OK(bed_destroy(t, 1));
    SLT_EXPECT_EQ(1u, echo_tex_count());
    t->d->ops->reset(t->d);
    SLT_EXPECT_EQ(0u, echo_tex_count());
}
