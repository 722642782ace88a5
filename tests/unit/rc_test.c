/* host/rc and host/surface on the native driver, through packets: contexts, buffers, fences,
 * composition, and what a hostile guest gets (attack cases D). */
#include "tests/support/gles_world.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "wire/gles1_opcodes.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"
#include "wire/rc_opcodes.h"
#include "wire/sl_opcodes.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <stdlib.h>
#include <string.h>

SLT_FIXTURE(rc, struct gles_one, gles_one_init, gles_one_finish);

/* D07, D10: handles of the dead, and one context on two threads. */
SLT_TEST_F(rc, d10_refuses_dead_handles, t)
{
    struct gles_guest *g = t->g;
    gles_send(g, GLES2_OP_glEGLImageTargetTexture2DOES, "uu", GL_TEXTURE_2D, 0xdeadbeef);
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcCreateClientImage, "uuu", 0xdead, 0x30b1, 1));
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcDestroyClientImage, "u", 17));
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", g->gl, 0x1234, g->surface));
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", g->surface, g->surface,
                                g->surface)); /* a surface is no context */
    gles_send(g, RC_OP_rcDestroyWindowSurface, "u", g->surface);
    gles_send(g, RC_OP_rcDestroyWindowSurface, "u", g->surface);
    SLT_EXPECT_EQ((uint32_t)-1, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", g->surface));
    gles_send(g, RC_OP_rcDestroyContext, "u", g->gl); /* current: lives on until it is not */
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    SLT_EXPECT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", 0, 0, 0));
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", g->gl, g->surface, g->surface));
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT); /* nothing is current */
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* The configurations behind the table that every guest knows. */
static uint32_t first_of_floats(struct gles_guest *g)
{
    uint32_t ignored, count = gles_call(g, RC_OP_rcGetNumConfigs, "u", 4);
    SLT_EXPECT_EQ(34u, count);
    gles_read(g, &count, 4);
    gles_send(g, SL_OP_slGetConfigs, "uu", 4, 4);
    int32_t need;
    gles_read(g, &ignored, 4);
    gles_read(g, &need, 4);
    SLT_EXPECT_EQ(0, need % (35 * 4));
    SLT_EXPECT_LE((int32_t)count, -need / (35 * 4) - 1);
    if ((int32_t)count == -need / (35 * 4) - 1) {
        SLT_SKIP("the driver has no surfaces of floats");
    }
    return count;
}

SLT_TEST_F(rc, stock_guests_are_told_of_no_floats, t)
{
    uint32_t first = first_of_floats(t->g);
    static int32_t rows[1 << 15];
    int32_t count = 0;
    gles_send(t->g, SL_OP_slGetConfigs, "uu", sizeof rows, sizeof rows);
    gles_read(t->g, rows, sizeof rows);
    gles_read(t->g, &count, 4);
    SLT_ASSERT_GT(count, (int32_t)first);
    SLT_ASSERT_EQ(EGL_COLOR_COMPONENT_TYPE_EXT, rows[34]);
    for (int32_t i = 0; i < count; i++) {
        SLT_EXPECT_EQ(i < (int32_t)first ? EGL_COLOR_COMPONENT_TYPE_FIXED_EXT
                                         : EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT,
                      rows[(i + 1) * 35 + 34]);
    }
}

struct float_version {
    const char *label;
    uint32_t version; /* the wire's */
};
static const struct float_version float_versions[] = {
    {"gles1", 1}, {"gles2", 2}, {"gles3", 3}, {"gles32", 5}};
/* Reading them as bytes would be the guest's GL error; GLES 1 and 2 do not read floats. */
SLT_TEST_FP(rc, surfaces_of_floats_go_to_buffers_of_floats_alone, t, struct float_version,
            float_versions, c)
{
    static const uint16_t wanted[] = {0x3c00, 0, 0x3800, 0x3c00};
    uint16_t halves[4];
    struct gles_guest *g = t->g;
    uint32_t config = first_of_floats(g);
    uint32_t bytes = gles_call(g, RC_OP_rcCreateColorBuffer, "uuu", 4, 4, GL_RGBA),
             floats = gles_call(g, RC_OP_rcCreateColorBuffer, "uuu", 4, 4, GL_RGBA16F);
    uint32_t surface = gles_call(g, RC_OP_rcCreateWindowSurface, "uuu", config, 4, 4);
    SLT_ASSERT_NE(0u, surface);
    uint32_t context = gles_call(g, RC_OP_rcCreateContext, "uuu", config, 0, c->version);
    SLT_ASSERT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", context, surface, surface));
    gles_send(g, RC_OP_rcSetWindowColorBuffer, "uu", surface, bytes);
    SLT_EXPECT_EQ(UINT32_MAX, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", surface));
    gles_send(g, RC_OP_rcSetWindowColorBuffer, "uu", surface, floats);
    bool is_gles1 = c->version == 1;
    gles_send(g, is_gles1 ? GLES1_OP_glClearColor : GLES2_OP_glClearColor, "ffff", 1.0, 0.0, 0.5,
              1.0);
    gles_send(g, is_gles1 ? GLES1_OP_glClear : GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", surface));
    SLT_EXPECT_EQ(0u, gles_call(g, is_gles1 ? GLES1_OP_glGetError : GLES2_OP_glGetError, ""));
    gles_send(g, RC_OP_rcReadColorBuffer, "uiiiiuuu", floats, 3, 3, 1, 1, GL_RGBA, GL_HALF_FLOAT,
              8);
    gles_read(g, halves, 8);
    SLT_EXPECT_MEMEQ(wanted, halves, sizeof halves);
    SLT_EXPECT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", g->gl, g->surface, g->surface));
    gles_send(g, RC_OP_rcSetWindowColorBuffer, "uu", g->surface, floats);
    SLT_EXPECT_EQ(UINT32_MAX, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", g->surface));
    SLT_EXPECT_EQ(0u, gles_error(g));
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

struct bad_buffer {
    const char *label;
    uint32_t width, height, format;
};
static const struct bad_buffer bad_buffers[] = {{"empty", 0, 0, GL_RGBA},
                                                {"no_height", 4, 0, GL_RGBA},
                                                {"huge", 65536, 65536, GL_RGBA},
                                                {"largest", UINT32_MAX, UINT32_MAX, GL_RGBA},
                                                {"unknown_format", 4, 4, 0x1234}};
/* D08 */
SLT_TEST_FP(rc, d08_refuses_impossible_buffers, t, struct bad_buffer, bad_buffers, c)
{
    SLT_EXPECT_EQ(
        0u, gles_call(t->g, RC_OP_rcCreateColorBuffer, "uuu", c->width, c->height, c->format));
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}

SLT_TEST_F(rc, d08_a_closed_buffer_is_gone, t)
{
    struct gles_guest *g = t->g;
    uint8_t pixel[4] = {9, 9, 9, 9}, zero[4] = {0};
    uint32_t cb = gles_call(g, RC_OP_rcCreateColorBuffer, "uuu", 4, 4, GL_RGBA);
    SLT_ASSERT_NE(0u, cb);
    gles_send(g, RC_OP_rcReadColorBuffer, "uiiiiuuu", cb, 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, 4);
    gles_read(g, pixel, 4);
    SLT_EXPECT_MEMEQ(zero, pixel, 4); /* never written */
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcOpenColorBuffer2, "u", cb));
    gles_send(g, RC_OP_rcCloseColorBuffer, "u", cb);
    gles_send(g, RC_OP_rcCloseColorBuffer, "u", cb);
    SLT_EXPECT_EQ((uint32_t)-1, gles_call(g, RC_OP_rcOpenColorBuffer2, "u", cb));
    SLT_EXPECT_EQ((uint32_t)-1, gles_call(g, RC_OP_rcUpdateColorBuffer, "uiiiiuud", cb, 0, 0, 1, 1,
                                          GL_RGBA, GL_UNSIGNED_BYTE, pixel, 4));
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* D09: a buffer of another process is unknown until it is opened; composing is bounded and never
 * reads its own target. */
SLT_TEST_F(rc, d09_keeps_processes_and_compositions_apart, t)
{
    struct gles_guest *g = t->g, *other = gles_guest_open(&t->world);
    uint8_t green[4] = {0, 255, 0, 255}, pixel[4];
    uint32_t cb = gles_call(other, RC_OP_rcCreateColorBuffer, "uuu", 4, 4, GL_RGBA);
    uint32_t mine = gles_call(g, RC_OP_rcCreateColorBuffer, "uuu", 4, 4, GL_RGBA);
    SLT_EXPECT_EQ(0u, gles_call(other, RC_OP_rcUpdateColorBuffer, "uiiiiuud", cb, 0, 0, 1, 1,
                                GL_RGBA, GL_UNSIGNED_BYTE, green, 4));
    gles_send(g, RC_OP_rcFBPost, "u", cb);
    gles_send(g, RC_OP_rcReadColorBuffer, "uiiiiuuu", cb, 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, 4);
    gles_read(g, pixel, 4);
    SLT_EXPECT_EQ(0u, pixel[1]);
    uint8_t layers[12 + 1000 * 56] = {0};
    sl_store_u32(layers, 1);
    sl_store_u32(layers + 4, mine);
    sl_store_u32(layers + 8, 1000);
    SLT_EXPECT_EQ((uint32_t)-1, gles_call(g, RC_OP_rcCompose, "ud", sizeof layers, layers,
                                          (uint32_t)sizeof layers));
    sl_store_u32(layers + 8, 1);
    sl_store_u32(layers + 12, mine); /* source and target */
    sl_store_u32(layers + 16, 2);
    sl_store_u32(layers + 28, 4);
    sl_store_u32(layers + 32, 4);
    SLT_EXPECT_EQ((uint32_t)-1, gles_call(g, RC_OP_rcCompose, "ud", 68, layers, 68));
    sl_store_u32(layers + 12, cb); /* of another process */
    SLT_EXPECT_EQ((uint32_t)-1, gles_call(g, RC_OP_rcCompose, "ud", 68, layers, 68));
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcOpenColorBuffer2, "u", cb));
    static const float crop[] = {-1e30f, -5.0f, 1e30f, 3.0f}; /* anything: samples stay inside */
    memcpy(layers + 36, crop, sizeof crop);
    SLT_EXPECT_EQ(1u, gles_call(g, RC_OP_rcCompose, "ud", 68, layers, 68));
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    SLT_EXPECT_TRUE(gles_guest_alive(other));
}

/* D13 */
SLT_TEST_F(rc, d13_refuses_displays_that_are_not_there, t)
{
    struct gles_guest *g = t->g;
    for (uint32_t i = 0; i < 12; i++) {
        uint32_t id = gles_call(g, RC_OP_rcCreateDisplay, "u", 4), result;
        gles_read(g, &result, 4);
        SLT_EXPECT_EQ(0u, id);
        SLT_EXPECT_LT((int32_t)result, 0);
    }
    SLT_EXPECT_LT((int32_t)gles_call(g, RC_OP_rcDestroyDisplay, "u", UINT32_MAX), 0);
    SLT_EXPECT_LT(
        (int32_t)gles_call(g, RC_OP_rcSetDisplayPose, "uiiuu", 0, -5, -5, UINT32_MAX, UINT32_MAX),
        0);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* --- a composer's context --- */

static void put_layer(uint8_t *at, uint32_t buffer, uint32_t mode, uint32_t right, uint32_t bottom)
{
    sl_store_u32(at, buffer);
    sl_store_u32(at + 4, mode);
    sl_store_u32(at + 16, right);
    sl_store_u32(at + 20, bottom);
    float crop_right = WORLD_WIDTH, crop_bottom = WORLD_HEIGHT, alpha = 1;
    memcpy(at + 32, &crop_right, 4);
    memcpy(at + 36, &crop_bottom, 4);
    sl_store_u32(at + 40, 1); /* no blending */
    memcpy(at + 44, &alpha, 4);
}

SLT_TEST_F(rc, a_composer_composes_what_others_drew, t)
{
    enum { DEVICE = 2, SOLID = 3, LAYERS = 16 };
    gles_send(t->g, GLES2_OP_glClearColor, "ffff", 1.0, 0.0, 0.0, 1.0);
    gles_send(t->g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    SLT_ASSERT_EQ(0xff0000u, gles_window_pixel(t->g, 0, 0));

    struct gles_guest *c = gles_composer_open(&t->world);
    uint32_t target = gles_call(c, RC_OP_rcCreateColorBuffer, "uuu", 8, 8, GL_RGBA);
    uint8_t layers[LAYERS + 2 * 56] = {0};
    sl_store_u32(layers, 2); /* struct version, display, target, count */
    sl_store_u32(layers + 8, target);
    sl_store_u32(layers + 12, 2);
    put_layer(layers + LAYERS, 0, SOLID, 8, 8);
    memcpy(layers + LAYERS + 48, "\x00\x00\xff\xff", 4);
    put_layer(layers + LAYERS + 56, WORLD_WINDOW, DEVICE, 4, 8);
    SLT_EXPECT_EQ(
        1u, gles_call(c, RC_OP_rcCompose, "ud", sizeof layers, layers, (uint32_t)sizeof layers));
    uint8_t row[8 * 4];
    gles_send(c, RC_OP_rcReadColorBuffer, "uiiiiuuu", target, 0, 3, 8, 1, GL_RGBA, GL_UNSIGNED_BYTE,
              sizeof row);
    gles_read(c, row, sizeof row);
    for (uint32_t x = 0; x < 8; x++) {
        SLT_EXPECT_MEMEQ(x < 4 ? "\xff\x00\x00\xff" : "\x00\x00\xff\xff", row + (size_t)x * 4, 4);
    }
    SLT_EXPECT_TRUE(gles_guest_alive(c));
}

SLT_TEST_F(rc, a_composer_draws_nothing, t)
{
    struct gles_guest *c = gles_composer_open(&t->world);
    uint32_t words[2] = {GLES2_OP_glGetError, 8};
    SLT_EXPECT_LOG("ring", "opcode");
    asg_writer_raw(&c->writer, words, sizeof words);
    asg_writer_flush(&c->writer);
    while (sl_atomic_load_acquire(&c->lost) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS); /* until the case's time is over */
    }
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}

/* --- what a correct guest relies on --- */

SLT_TEST_F(rc, says_its_words, t)
{
    struct gles_guest *g = t->g;
    char words[2048];
    int32_t need = (int32_t)gles_call(g, RC_OP_rcGetHostExtensionsString, "uu", 0, 0);
    SLT_ASSERT_LT(need, 0);
    SLT_ASSERT_LE(-need, (int32_t)sizeof words);
    gles_send(g, RC_OP_rcGetHostExtensionsString, "uu", -need, -need);
    gles_read(g, words, (uint32_t)-need);
    int32_t got;
    gles_read(g, &got, 4);
    SLT_EXPECT_EQ(-need, got);
    SLT_EXPECT_EQ(' ', words[-need - 2]);
    SLT_EXPECT_TRUE(strstr(words, "ANDROID_EMU_gles_max_version_") != NULL);
    SLT_EXPECT_TRUE(strstr(words, "CHECKSUM") == NULL);
}

SLT_TEST_F(rc, fences_signal_and_are_handles, t)
{
    struct gles_guest *g = t->g;
    uint64_t sync = 0, handles[2];
    uint8_t is = 1;
    gles_send(g, GLES2_OP_glFenceSyncAEMU, "uu", GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    gles_read(g, &sync, 8);
    SLT_EXPECT_NE(0u, sync);
    uint32_t state = gles_call(g, GLES2_OP_glClientWaitSyncAEMU, "quq", sync,
                               GL_SYNC_FLUSH_COMMANDS_BIT, 20 * (uint64_t)SL_NS_PER_S);
    SLT_EXPECT_TRUE(state == GL_ALREADY_SIGNALED || state == GL_CONDITION_SATISFIED);
    gles_send(g, GLES2_OP_glDeleteSyncAEMU, "q", sync);
    gles_send(g, GLES2_OP_glIsSyncAEMU, "q", sync);
    gles_read(g, &is, 1);
    SLT_EXPECT_EQ(0u, is);
    SLT_EXPECT_EQ((uint32_t)GL_WAIT_FAILED,
                  gles_call(g, GLES2_OP_glClientWaitSyncAEMU, "quq", 0x7f0000001000ull, 0, 0ull));
    gles_send(g, RC_OP_rcCreateSyncKHR, "uuuiuu", 0x3144, 0, 0, 1, 8, 8);
    gles_read(g, handles, 16);
    SLT_EXPECT_EQ(0x30f6u, gles_call(g, RC_OP_rcClientWaitSyncKHR, "qiq", handles[0], 0,
                                     20 * (uint64_t)SL_NS_PER_S));
    SLT_EXPECT_EQ(0x30f6u, gles_call(g, RC_OP_rcClientWaitSyncKHR, "qiq", 0x7f0000001000ull, 0,
                                     0ull)); /* unknown: gone */
    uint32_t command[3] = {GFXSTREAM_CREATE_EXPORT_SYNC, (uint32_t)handles[0], 0};
    SLT_EXPECT_OK(g->context->ops->submit(g->context, command, sizeof command));
    for (int i = 0; i < 20000 && task_count_last(&t->world.tasks) == 0; i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_EQ(1u, task_count_last(&t->world.tasks));
}

SLT_TEST_F(rc, a_resized_buffer_resizes_the_surface, t)
{
    struct gles_guest *g = t->g;
    uint8_t pixel[4];
    uint32_t cb = gles_call(g, RC_OP_rcCreateColorBuffer, "uuu", 200, 100, GL_RGBA);
    gles_send(g, RC_OP_rcSetWindowColorBuffer, "uu", g->surface, cb);
    gles_send(g, GLES2_OP_glClearColor, "ffff", 0.0, 0.0, 1.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    SLT_EXPECT_EQ(0x0000ffffu, gles_pixel(g, 199, 99));
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", g->surface));
    gles_send(g, RC_OP_rcReadColorBuffer, "uiiiiuuu", cb, 199, 99, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE,
              4);
    gles_read(g, pixel, 4);
    SLT_EXPECT_EQ(255u, pixel[2]);
    SLT_EXPECT_EQ(0u, gles_error(g));
}

/* --- large pictures --- */

enum { LARGE_RESOURCE = 77, LARGE_SIDE = 600 }; /* 1.4 MB: read in two parts */

struct rows {
    const char *label;
    uint32_t flags, format;
    int32_t alpha; /* bits of the surface's */
};
static const struct rows rows[] = {
    {"top_first", VIRTGPU_RESOURCE_Y_0_TOP, VIRTGPU_FORMAT_B8G8R8A8, 8},
    {"bottom_first", 0, VIRTGPU_FORMAT_B8G8R8A8, 8},
    {"without_alpha", VIRTGPU_RESOURCE_Y_0_TOP, VIRTGPU_FORMAT_B8G8R8X8, 0},
    {"without_alpha_to_alpha", 0, VIRTGPU_FORMAT_B8G8R8A8, 0},
    {"without_alpha_to_red_first", VIRTGPU_RESOURCE_Y_0_TOP, VIRTGPU_FORMAT_R8G8B8A8, 0},
};

static void pixel_check(const struct rows *c, uint32_t y, const uint8_t *pixel)
{
    const uint8_t red = (uint8_t)(y % 256), green = (uint8_t)(y / 256);
    bool red_first = c->format == VIRTGPU_FORMAT_R8G8B8A8;
    const uint8_t want[4] = {red_first ? red : 255, green, red_first ? 255 : red, 255};
    SLT_EXPECT_MEMEQ(want, pixel, c->format == VIRTGPU_FORMAT_B8G8R8X8 ? 3 : 4);
}

/* Each row another colour. */
static void draw_each_row(struct gles_guest *g)
{
    gles_send(g, GLES2_OP_glEnable, "u", GL_SCISSOR_TEST);
    for (int32_t y = 0; y < LARGE_SIDE; y++) {
        gles_send(g, GLES2_OP_glScissor, "iiii", 0, y, LARGE_SIDE, 1);
        gles_send(g, GLES2_OP_glClearColor, "ffff", y % 256 / 255.0, y / 256 / 255.0, 1.0, 1.0);
        gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    }
}

SLT_TEST_FP(rc, every_row_of_a_large_picture_is_flushed, t, struct rows, rows, c)
{
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = c->format,
                                     .width_px = LARGE_SIDE,
                                     .height_px = LARGE_SIDE,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = c->flags};
    uint32_t size = LARGE_SIDE * LARGE_SIDE * 4;
    uint8_t *pixels = calloc(1, size);
    const struct hct_memory memory = {.fd = -1, .size = size, .pointer = pixels};
    struct hct_provider *provider = t->world.provider;
    struct gles_guest *g = t->g;
    SLT_ASSERT_OK(
        provider->ops->tex_create(provider, LARGE_RESOURCE, &args, &memory, LARGE_SIDE * 4));
    SLT_ASSERT_OK(g->context->ops->attach(g->context, LARGE_RESOURCE, NULL));
    uint32_t config = gles_config(g, c->alpha);
    uint32_t context = gles_call(g, RC_OP_rcCreateContext, "uuu", config, 0, 3);
    uint32_t surface = gles_call(g, RC_OP_rcCreateWindowSurface, "uuu", config, 16, 16);
    gles_send(g, RC_OP_rcSetWindowColorBuffer, "uu", surface, LARGE_RESOURCE);
    SLT_ASSERT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", context, surface, surface));
    draw_each_row(g);
    ((struct asg_page *)g->memory)->guest_eager = 1; /* somebody waits for the picture */
    SLT_EXPECT_EQ(0u, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", surface));
    for (uint32_t i = 0; i < LARGE_SIDE; i++) {
        uint32_t y = c->flags != 0 ? LARGE_SIDE - 1 - i : i;
        pixel_check(c, y, pixels + (size_t)i * LARGE_SIDE * 4);
        pixel_check(c, y, pixels + (size_t)(i + 1) * LARGE_SIDE * 4 - 4);
    }
    SLT_EXPECT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", g->gl, g->surface, g->surface));
    gles_send(g, RC_OP_rcSetWindowColorBuffer, "uu", surface, 0);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    g->context->ops->detach(g->context, LARGE_RESOURCE);
    provider->ops->tex_destroy(provider, LARGE_RESOURCE);
    free(pixels);
}

SLT_TEST_F(rc, a_resource_is_a_texture, t)
{
    struct gles_guest *g = t->g;
    uint32_t names[2];
    t->world.pixels[2] = 255; /* red, the resource's first pixel */
    gles_send(g, GLES2_OP_glGenTextures, "iu", 1, 4);
    gles_read(g, &names[0], 4);
    gles_send(g, GLES2_OP_glGenFramebuffers, "iu", 1, 4);
    gles_read(g, &names[1], 4);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, names[0]);
    gles_send(g, RC_OP_rcBindTexture, "u", WORLD_WINDOW);
    gles_send(g, GLES2_OP_glBindFramebuffer, "uu", GL_FRAMEBUFFER, names[1]);
    gles_send(g, GLES2_OP_glFramebufferTexture2D, "uuuui", GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
              GL_TEXTURE_2D, names[0], 0);
    SLT_EXPECT_EQ((uint32_t)GL_FRAMEBUFFER_COMPLETE,
                  gles_call(g, GLES2_OP_glCheckFramebufferStatus, "u", GL_FRAMEBUFFER));
    SLT_EXPECT_EQ(0xff0000ffu, gles_pixel(g, 0, 0));
    SLT_EXPECT_EQ(0u, gles_error(g));
}

/* --- colour buffers as targets --- */

struct target {
    const char *label;
    bool is_renderbuffer;
};
static const struct target targets[] = {{"texture", false}, {"renderbuffer", true}};

/* A framebuffer of the window's resource, bound. */
static void bind_target(struct gles_guest *g, bool is_renderbuffer)
{
    uint32_t name, framebuffer;
    gles_send(g, is_renderbuffer ? GLES2_OP_glGenRenderbuffers : GLES2_OP_glGenTextures, "iu", 1,
              4);
    gles_read(g, &name, 4);
    gles_send(g, GLES2_OP_glGenFramebuffers, "iu", 1, 4);
    gles_read(g, &framebuffer, 4);
    gles_send(g, GLES2_OP_glBindFramebuffer, "uu", GL_FRAMEBUFFER, framebuffer);
    if (is_renderbuffer) {
        gles_send(g, GLES2_OP_glBindRenderbuffer, "uu", GL_RENDERBUFFER, name);
        gles_send(g, RC_OP_rcBindRenderbuffer, "u", WORLD_WINDOW);
        gles_send(g, GLES2_OP_glFramebufferRenderbuffer, "uuuu", GL_FRAMEBUFFER,
                  GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, name);
    } else {
        gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, name);
        gles_send(g, RC_OP_rcBindTexture, "u", WORLD_WINDOW);
        gles_send(g, GLES2_OP_glFramebufferTexture2D, "uuuui", GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                  GL_TEXTURE_2D, name, 0);
    }
}

/* The bottom row, which is the memory's first, another colour than the rest. */
static void draw_rows(struct gles_guest *g)
{
    gles_send(g, GLES2_OP_glClearColor, "ffff", 1.0, 0.0, 0.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    gles_send(g, GLES2_OP_glEnable, "u", GL_SCISSOR_TEST);
    gles_send(g, GLES2_OP_glScissor, "iiii", 0, 0, WORLD_WIDTH, 1);
    gles_send(g, GLES2_OP_glClearColor, "ffff", 0.0, 1.0, 0.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
}

SLT_TEST_FP(rc, what_is_drawn_on_a_resource_comes_to_its_memory, t, struct target, targets, c)
{
    struct gles_guest *g = t->g;
    const uint8_t *pixels = t->world.pixels;
    bind_target(g, c->is_renderbuffer);
    draw_rows(g);
    gles_send(g, GLES2_OP_glPixelStorei, "ui", GL_PACK_ROW_LENGTH, 7);
    gles_send(g, GLES2_OP_glEnable, "u", 0x1234); /* an error that stays the program's */
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    SLT_EXPECT_MEMEQ("\0\0\0", pixels, 3); /* not before it is asked for */
    gles_send(g, GLESX_OP_glStoreDrawnSLUICE, "");
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_ENUM, gles_error(g));
    SLT_EXPECT_EQ(0u, gles_error(g));
    SLT_EXPECT_MEMEQ("\x00\xff\x00", pixels, 3);
    SLT_EXPECT_MEMEQ("\x00\xff\x00", pixels + (WORLD_WIDTH - 1) * 4, 3);
    for (uint32_t y = 1; y < WORLD_HEIGHT; y++) {
        SLT_ASSERT_MEMEQ("\x00\x00\xff", pixels + (size_t)y * WORLD_WIDTH * 4, 3);
    }
    gles_send(g, GLES2_OP_glPixelStorei, "ui", GL_PACK_ROW_LENGTH, 0);
    SLT_EXPECT_EQ(0x00ff00ffu, gles_pixel(g, 3, 0)); /* what was bound is bound */
}

SLT_TEST_F(rc, nothing_is_stored_of_what_is_no_colour_buffer, t)
{
    struct gles_guest *g = t->g;
    gles_send(g, GLESX_OP_glStoreDrawnSLUICE, ""); /* the surface */
    bind_target(g, false);
    draw_rows(g);
    gles_send(g, GLES2_OP_glFramebufferTexture2D, "uuuui", GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
              GL_TEXTURE_2D, 0, 0); /* nothing attached */
    gles_send(g, GLESX_OP_glStoreDrawnSLUICE, "");
    SLT_EXPECT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", 0, 0, 0));
    gles_send(g, GLESX_OP_glStoreDrawnSLUICE, ""); /* nothing current */
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    SLT_EXPECT_MEMEQ("\0\0\0", t->world.pixels, 3);
}
