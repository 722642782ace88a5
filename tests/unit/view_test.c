/* Views: colour buffers whose memory is a part of a resource's, through packets of a guest on the
 * native driver; what a hostile guest gets; how long what they are storage of lives. */
#include "host/surface/surface.h"
#include "tests/support/gles_world.h"
#include "tests/support/random.h"
#include "tests/support/slt.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"
#include "wire/rc_opcodes.h"
#include "wire/sl_opcodes.h"

#include <string.h>

#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define XR24 FOURCC('X', 'R', '2', '4')
#define NV12 FOURCC('N', 'V', '1', '2')
enum { PITCH = WORLD_WIDTH * 4, SIZE = PITCH * WORLD_HEIGHT };

SLT_FIXTURE(view, struct gles_one, gles_one_init, gles_one_finish);

struct wish {
    const char *label;
    uint32_t format, width, height, yuv, words[9], size;
};

static uint32_t view_make(struct gles_guest *g, const struct wish *w)
{
    return gles_call(g, SL_OP_slCreateView, "uuuudu", w->format, w->width, w->height, w->yuv,
                     w->words, w->size, w->size);
}

/* A texture of it, the only attachment of a framebuffer; its name. */
static uint32_t bind_view(struct gles_guest *g, uint32_t view)
{
    uint32_t texture, framebuffer;
    gles_send(g, GLES2_OP_glGenTextures, "iu", 1, 4);
    gles_read(g, &texture, 4);
    gles_send(g, GLES2_OP_glGenFramebuffers, "iu", 1, 4);
    gles_read(g, &framebuffer, 4);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, texture);
    gles_send(g, RC_OP_rcBindTexture, "u", view);
    gles_send(g, GLES2_OP_glBindFramebuffer, "uu", GL_FRAMEBUFFER, framebuffer);
    gles_send(g, GLES2_OP_glFramebufferTexture2D, "uuuui", GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
              GL_TEXTURE_2D, texture, 0);
    return texture;
}

/* Pixel 5, 3 of the window on. */
static const struct wish part = {"part", XR24, 20, 10, 0, {WORLD_WINDOW, 3 * PITCH + 5 * 4, PITCH},
                                 12};

static void store(struct gles_guest *g, uint32_t texture, uint32_t ends)
{
    gles_send(g, GLESX_OP_glStoreTargetSLUICE, "uub", GL_TEXTURE_2D, texture, (int)ends);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

static void write_pixel(struct gles_guest *g, const char *rgba)
{
    gles_send(g, GLES2_OP_glTexSubImage2D, "uiiiiiuud", GL_TEXTURE_2D, 0, 1, 2, 1, 1, GL_RGBA,
              GL_UNSIGNED_BYTE, rgba, 4);
}
/* Where that is in the window. */
enum { WRITTEN = (3 + 2) * PITCH + (5 + 1) * 4 };

SLT_TEST_F(view, is_a_part_of_a_resource, t)
{
    memcpy(t->world.pixels + 3 * PITCH + 5 * 4, "\x30\x20\x10", 3);
    uint32_t view = view_make(t->g, &part);
    SLT_ASSERT_LE(HS_HANDLE_BASE, view);
    (void)bind_view(t->g, view);
    SLT_EXPECT_EQ(0x102030ffu, gles_pixel(t->g, 0, 0));
    SLT_EXPECT_EQ(0u, gles_error(t->g));
}

SLT_TEST_F(view, what_is_written_comes_to_the_memory_when_asked, t)
{
    uint32_t texture = bind_view(t->g, view_make(t->g, &part));
    write_pixel(t->g, "\x01\x02\x03\xff");
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
    SLT_EXPECT_MEMEQ("\0\0\0", t->world.pixels + WRITTEN, 3);
    store(t->g, texture, 0);
    SLT_EXPECT_MEMEQ("\x03\x02\x01", t->world.pixels + WRITTEN, 3);
    SLT_EXPECT_MEMEQ("\0\0\0", t->world.pixels + WRITTEN - PITCH, 3); /* beside it nothing */
}

/* As what an EGLImage was made a texture of lives on without it. */
SLT_TEST_F(view, is_stored_to_after_it_is_closed, t)
{
    uint32_t view = view_make(t->g, &part), texture = bind_view(t->g, view);
    gles_send(t->g, RC_OP_rcCloseColorBuffer, "u", view);
    write_pixel(t->g, "\x04\x05\x06\xff");
    store(t->g, texture, 0);
    SLT_EXPECT_MEMEQ("\x06\x05\x04", t->world.pixels + WRITTEN, 3);
    gles_send(t->g, GLES2_OP_glDeleteTextures, "id", 1, &texture, 4);
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}

SLT_TEST_F(view, a_texture_with_its_own_storage_is_not_stored, t)
{
    uint32_t texture = bind_view(t->g, view_make(t->g, &part));
    store(t->g, texture, 1);
    write_pixel(t->g, "\x07\x08\x09\xff");
    store(t->g, texture, 0);
    gles_send(t->g, GLESX_OP_glStoreDrawnSLUICE, "");
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
    SLT_EXPECT_MEMEQ("\0\0\0", t->world.pixels + WRITTEN, 3);
}

/* Bright red above, dark grey below: one sample of the colours for four pixels. */
SLT_TEST_F(view, of_brightness_and_colours_is_a_picture, t)
{
    const struct wish nv12 = {"nv12", NV12, 4, 4, 0, {WORLD_WINDOW, 0, 64, WORLD_WINDOW, 1024, 64},
                              24};
    uint8_t *memory = t->world.pixels;
    for (uint32_t y = 0; y < 4; y++) {
        memset(memory + y * 64, y < 2 ? 81 : 60, 4);
    }
    for (uint32_t y = 0; y < 2; y++) {
        for (uint32_t x = 0; x < 2; x++) {
            memory[1024 + y * 64 + x * 2] = y == 0 ? 90 : 128;
            memory[1024 + y * 64 + x * 2 + 1] = y == 0 ? 240 : 128;
        }
    }
    uint32_t texture = bind_view(t->g, view_make(t->g, &nv12));
    SLT_EXPECT_EQ(0xfe0000ffu, gles_pixel(t->g, 0, 0));
    SLT_EXPECT_EQ(0x333333ffu, gles_pixel(t->g, 3, 3));
    store(t->g, texture, 0); /* nobody draws on it: nothing */
    SLT_EXPECT_EQ(81u, memory[0]);
}

/* Each plane is the same few bytes over and over: y 145, u 54, v 34, which is green. */
#define Y "\x91"
#define U "\x36"
#define V "\x22"
struct yuv_case {
    const char *label;
    uint32_t planes;
    struct {
        const char *bytes;
        uint32_t size;
    } plane[3];
};
static const struct yuv_case yuv_cases[] = {
    {"NV12", 2, {{Y, 1}, {U V, 2}}},
    {"NV21", 2, {{Y, 1}, {V U, 2}}},
    {"NV16", 2, {{Y, 1}, {U V, 2}}},
    {"NV61", 2, {{Y, 1}, {V U, 2}}},
    {"NV24", 2, {{Y, 1}, {U V, 2}}},
    {"NV42", 2, {{Y, 1}, {V U, 2}}},
    {"P010", 2, {{"\0" Y, 2}, {"\0" U "\0" V, 4}}},
    {"P012", 2, {{"\0" Y, 2}, {"\0" U "\0" V, 4}}},
    {"P016", 2, {{"\0" Y, 2}, {"\0" U "\0" V, 4}}},
    {"YU12", 3, {{Y, 1}, {U, 1}, {V, 1}}},
    {"YV12", 3, {{Y, 1}, {V, 1}, {U, 1}}},
    {"YU16", 3, {{Y, 1}, {U, 1}, {V, 1}}},
    {"YV16", 3, {{Y, 1}, {V, 1}, {U, 1}}},
    {"YU24", 3, {{Y, 1}, {U, 1}, {V, 1}}},
    {"YV24", 3, {{Y, 1}, {V, 1}, {U, 1}}},
    {"YUYV", 1, {{Y U Y V, 4}}},
    {"YVYU", 1, {{Y V Y U, 4}}},
    {"UYVY", 1, {{U Y V Y, 4}}},
    {"VYUY", 1, {{V Y U Y, 4}}},
    {"XYUV", 1, {{V U Y "\0", 4}}},
};

SLT_TEST_FP(view, of_brightness_and_colours_has_each_in_its_place, t, struct yuv_case, yuv_cases, c)
{
    enum { PLANE = 2048, ROW = 64 };
    const char *name = c->label;
    struct wish w = {"yuv",         FOURCC(name[0], name[1], name[2], name[3]), 7, 5, 0, {0},
                     c->planes * 12};
    for (uint32_t p = 0; p < c->planes; p++) {
        const uint32_t words[3] = {WORLD_WINDOW, p * PLANE, ROW};
        memcpy(w.words + (size_t)p * 3, words, sizeof words);
        for (uint32_t i = 0; i < ROW * 5; i++) {
            t->world.pixels[p * PLANE + i] = (uint8_t)c->plane[p].bytes[i % c->plane[p].size];
        }
    }
    (void)bind_view(t->g, view_make(t->g, &w));
    for (int32_t x = 0; x < 7; x += 3) {
        uint32_t pixel = gles_pixel(t->g, x, 4);
        SLT_EXPECT_NEAR(0.0, (double)(pixel >> 24), 2);
        SLT_EXPECT_NEAR(255.0, (double)(pixel >> 16 & 255), 2);
        SLT_EXPECT_NEAR(1.0, (double)(pixel >> 8 & 255), 2);
    }
}

/* --- rows with gaps: the host's have some, the guest's have none --- */

enum { GAPS = 9, GAPS_WIDTH = 5, GAPS_ROW = GAPS_WIDTH * 4, GAPS_STRIDE = 64, GAPS_HEIGHT = 6 };

static void init_gaps(struct gles_one *t)
{
    gles_one_init(t);
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = VIRTGPU_FORMAT_B8G8R8X8,
                                     .width_px = GAPS_WIDTH,
                                     .height_px = GAPS_HEIGHT,
                                     .depth = 1,
                                     .array_size = 1};
    const struct hct_memory memory = {
        .fd = -1, .size = GAPS_STRIDE * GAPS_HEIGHT, .pointer = t->world.pixels};
    SLT_ASSERT_OK(
        t->world.provider->ops->tex_create(t->world.provider, GAPS, &args, &memory, GAPS_STRIDE));
    SLT_ASSERT_OK(t->g->context->ops->attach(t->g->context, GAPS, NULL));
}

static void finish_gaps(struct gles_one *t)
{
    t->world.provider->ops->tex_destroy(t->world.provider, GAPS);
    gles_one_finish(t);
}
SLT_FIXTURE(view_of_gaps, struct gles_one, init_gaps, finish_gaps);

SLT_TEST_F(view_of_gaps, has_the_resources_rows, t)
{
    const struct wish from_2_1 = {"rows", XR24, 3, 5, 0, {GAPS, GAPS_ROW + 8, GAPS_ROW}, 12};
    memcpy(t->world.pixels + 5 * GAPS_STRIDE + 4 * 4, "\x30\x20\x10", 3);
    (void)bind_view(t->g, view_make(t->g, &from_2_1));
    SLT_EXPECT_EQ(0x102030ffu, gles_pixel(t->g, 2, 4));
    SLT_EXPECT_EQ(0u, gles_error(t->g));
}

static const struct wish bad_gaps[] = {
    {"other_rows", XR24, 3, 3, 0, {GAPS, 0, GAPS_ROW + 4}, 12},
    {"the_hosts_rows", XR24, 3, 3, 0, {GAPS, 0, GAPS_STRIDE}, 12},
    {"over_a_rows_end", XR24, 3, 3, 0, {GAPS, 12, GAPS_ROW}, 12},
    {"a_row_too_many", XR24, 3, 6, 0, {GAPS, GAPS_ROW, GAPS_ROW}, 12},
    {"far_away", XR24, 3, 1, 0, {GAPS, UINT32_MAX / GAPS_ROW *GAPS_ROW, GAPS_ROW}, 12},
};

SLT_TEST_FP(view_of_gaps, refuses_what_is_not_there, t, struct wish, bad_gaps, c)
{
    SLT_EXPECT_EQ(0u, view_make(t->g, c));
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}

static const struct wish bad[] = {
    {"no_planes", XR24, 4, 4, 0, {0}, 0},
    {"a_plane_too_many", XR24, 4, 4, 0, {WORLD_WINDOW, 0, PITCH, WORLD_WINDOW, 0, PITCH}, 24},
    {"a_plane_too_few", NV12, 4, 4, 0, {WORLD_WINDOW, 0, PITCH}, 12},
    {"unknown_format", FOURCC('N', 'O', 'N', 'E'), 4, 4, 0, {WORLD_WINDOW, 0, PITCH}, 12},
    {"no_width", XR24, 0, 4, 0, {WORLD_WINDOW, 0, PITCH}, 12},
    {"huge", XR24, UINT32_MAX, UINT32_MAX, 0, {WORLD_WINDOW, 0, PITCH}, 12},
    {"a_row_too_many", XR24, 4, WORLD_HEIGHT + 1, 0, {WORLD_WINDOW, 0, PITCH}, 12},
    {"a_byte_too_far", XR24, WORLD_WIDTH, WORLD_HEIGHT, 0, {WORLD_WINDOW, 1, PITCH}, 12},
    {"offset_wraps", XR24, 4, 4, 0, {WORLD_WINDOW, UINT32_MAX - 3, PITCH}, 12},
    {"pitch_wraps", XR24, 4, 4, 0, {WORLD_WINDOW, 0, UINT32_MAX - 3}, 12},
    {"narrow_pitch", XR24, 4, 4, 0, {WORLD_WINDOW, 0, 12}, 12},
    {"split_pixels", XR24, 4, 4, 0, {WORLD_WINDOW, 0, 18}, 12},
    {"no_resource", XR24, 4, 4, 0, {77, 0, PITCH}, 12},
    {"the_ring", XR24, 4, 4, 0, {101, 0, PITCH}, 12},
    {"second_plane_too_far", NV12, 4, 4, 0, {WORLD_WINDOW, 0, 64, WORLD_WINDOW, SIZE - 67, 64}, 24},
    {"no_second_resource", NV12, 4, 4, 0, {WORLD_WINDOW, 0, 64, 77, 0, 64}, 24},
    {"unknown_standard", NV12, 4, 4, 3, {WORLD_WINDOW, 0, 64, WORLD_WINDOW, 0, 64}, 24},
    {"unknown_bits", NV12, 4, 4, 8, {WORLD_WINDOW, 0, 64, WORLD_WINDOW, 0, 64}, 24},
};

SLT_TEST_FP(view, refuses_what_is_not_there, t, struct wish, bad, c)
{
    SLT_EXPECT_EQ(0u, view_make(t->g, c));
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}

/* What ends where the memory does is inside. */
SLT_TEST_F(view, may_end_where_the_memory_does, t)
{
    const struct wish whole = {
        "whole", XR24, WORLD_WIDTH, WORLD_HEIGHT, 0, {WORLD_WINDOW, 0, PITCH}, 12};
    const struct wish last = {
        "last", NV12, 4, 4, 0, {WORLD_WINDOW, 0, 64, WORLD_WINDOW, SIZE - 68, 64}, 24};
    SLT_EXPECT_NE(0u, view_make(t->g, &whole));
    SLT_EXPECT_NE(0u, view_make(t->g, &last));
}

SLT_TEST_F(view, is_of_resources_alone, t)
{
    struct wish of_view = part;
    of_view.words[0] = view_make(t->g, &part);
    SLT_ASSERT_NE(0u, of_view.words[0]);
    of_view.words[1] = 0;
    SLT_EXPECT_EQ(0u, view_make(t->g, &of_view));
}

/* --- colours --- */

struct standard {
    const char *label;
    uint32_t yuv;
    double red, blue;
};
static const struct standard standards[] = {
    {"bt601", HS_YUV_BT601, 0.299, 0.114},
    {"bt709", HS_YUV_BT709, 0.2126, 0.0722},
    {"bt2020", HS_YUV_BT2020, 0.2627, 0.0593},
    {"bt601_full", HS_YUV_BT601 | HS_YUV_FULL, 0.299, 0.114},
    {"bt2020_full", HS_YUV_BT2020 | HS_YUV_FULL, 0.2627, 0.0593}};

static double byte_of(double v)
{
    return v < 0 ? 0 : v > 1 ? 255 : v * 255;
}

/* y: 0 to 1; u, v: -0.5 to 0.5. */
static void reference(const struct standard *s, double y, double u, double v, double rgb[3])
{
    double green = 1 - s->red - s->blue;
    double r = y + 2 * (1 - s->red) * v, b = y + 2 * (1 - s->blue) * u;
    rgb[0] = byte_of(r);
    rgb[1] = byte_of((y - s->red * r - s->blue * b) / green);
    rgb[2] = byte_of(b);
}

SLT_TEST_P(yuv, is_what_the_standard_says, struct standard, standards, c)
{
    uint64_t random = 5;
    bool full = (c->yuv & HS_YUV_FULL) != 0;
    for (int n = 0; n < 20000; n++) {
        uint16_t s[3];
        uint8_t got[4];
        double want[3];
        for (int i = 0; i < 3; i++) {
            s[i] = (uint16_t)(sl_test_random(&random) % (255 * 16 + 1));
        }
        double y = s[0] / 16.0, u = s[1] / 16.0 - 128, v = s[2] / 16.0 - 128;
        reference(c, full ? y / 255 : (y - 16) / 219, u / (full ? 255 : 224),
                  v / (full ? 255 : 224), want);
        hs_yuv_convert(got, &(struct hs_yuv_row){&s[0], &s[1], &s[2], 1}, c->yuv);
        for (int i = 0; i < 3; i++) {
            SLT_ASSERT_NEAR(want[i], (double)got[i], 0.65);
        }
        SLT_ASSERT_EQ(255u, got[3]);
    }
}
