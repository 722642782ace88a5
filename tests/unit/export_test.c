/* Exported images: a texture and a resource's memory that are the same picture, through packets of
 * guests on the native driver; what a hostile guest gets. */
#include "host/surface/surface.h"
#include "tests/support/gles_world.h"
#include "tests/support/slt.h"
#include "transport/virtgpu/proto.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"
#include "wire/rc_opcodes.h"
#include "wire/sl_opcodes.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <string.h>

#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
enum { RESOURCE = 9, WIDTH = 5, HEIGHT = 4, ROW = WIDTH * 4, STRIDE = 64, STORED = 16 };

struct export_bed {
    struct gles_one one;
    struct gles_guest *g;
    uint8_t memory[STRIDE * HEIGHT];
    uint32_t texture, image;
};

static uint32_t name_new(struct gles_guest *g, uint32_t opcode)
{
    uint32_t name;
    gles_send(g, opcode, "iu", 1, 4);
    gles_read(g, &name, 4);
    return name;
}

/* The framebuffer that is bound has this texture alone. */
static void draw_on(struct gles_guest *g, uint32_t texture)
{
    gles_send(g, GLES2_OP_glBindFramebuffer, "uu", GL_FRAMEBUFFER,
              name_new(g, GLES2_OP_glGenFramebuffers));
    gles_send(g, GLES2_OP_glFramebufferTexture2D, "uuuui", GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
              GL_TEXTURE_2D, texture, 0);
}

static void fill(struct gles_guest *g, double red)
{
    gles_send(g, GLES2_OP_glClearColor, "ffff", red, 0.0, 1.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
}

static uint32_t texture_make(struct gles_guest *g, uint32_t format)
{
    uint32_t texture = name_new(g, GLES2_OP_glGenTextures);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, texture);
    gles_send(g, GLES2_OP_glTexStorage2D, "uiuii", GL_TEXTURE_2D, 1, format, WIDTH, HEIGHT);
    return texture;
}

static uint32_t image_make(struct gles_guest *g, uint32_t texture)
{
    return gles_call(g, SL_OP_slCreateImage, "uuuuu", g->gl, EGL_GL_TEXTURE_2D_KHR, texture, 0, 0);
}

static void init(struct export_bed *t)
{
    gles_one_init(&t->one);
    t->g = t->one.g;
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = VIRTGPU_FORMAT_R8G8B8A8,
                                     .width_px = WIDTH,
                                     .height_px = HEIGHT,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = VIRTGPU_RESOURCE_Y_0_TOP};
    const struct hct_memory memory = {.fd = -1, .size = sizeof t->memory, .pointer = t->memory};
    struct hct_provider *provider = t->one.world.provider;
    SLT_ASSERT_OK(provider->ops->tex_create(provider, RESOURCE, &args, &memory, STRIDE));
    SLT_ASSERT_OK(t->g->context->ops->attach(t->g->context, RESOURCE, NULL));
    t->texture = texture_make(t->g, GL_RGBA8);
    t->image = image_make(t->g, t->texture);
    draw_on(t->g, t->texture);
}

static void finish(struct export_bed *t)
{
    t->one.world.provider->ops->tex_destroy(t->one.world.provider, RESOURCE);
    gles_one_finish(&t->one);
}
SLT_FIXTURE(exports, struct export_bed, init, finish);

static uint32_t export_to(struct export_bed *t, uint32_t resource)
{
    return gles_call(t->g, SL_OP_slExportImage, "uu", t->image, resource);
}

static uint32_t view_of(struct export_bed *t, uint32_t fourcc)
{
    const uint32_t words[] = {RESOURCE, 0, ROW};
    return gles_call(t->g, SL_OP_slCreateView, "uuuudu", fourcc, WIDTH, HEIGHT, 0, words, 12, 12);
}

static void bind_new(struct gles_guest *g, uint32_t view)
{
    uint32_t texture = name_new(g, GLES2_OP_glGenTextures);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, texture);
    gles_send(g, RC_OP_rcBindTexture, "u", view);
    draw_on(g, texture);
}

static void stored_are(struct export_bed *t, uint32_t count, uint32_t first)
{
    uint32_t answer[STORED + 1] = {0};
    gles_send(t->g, GLESX_OP_glStoredSLUICE, "iu", STORED * 4, STORED * 4);
    gles_read(t->g, answer, sizeof answer);
    SLT_EXPECT_EQ(count, answer[STORED]);
    SLT_EXPECT_EQ(first, answer[0]);
}

struct kind {
    const char *label;
    uint32_t format, fourcc;
};
static const struct kind kinds[] = {{"rgba8", GL_RGBA8, FOURCC('A', 'B', '2', '4')},
                                    {"rgb8", GL_RGB8, FOURCC('X', 'B', '2', '4')},
                                    {"rgb565", GL_RGB565, FOURCC('R', 'G', '1', '6')},
                                    {"r8", GL_R8, FOURCC('R', '8', ' ', ' ')},
                                    {"rg8", GL_RG8, FOURCC('G', 'R', '8', '8')},
                                    {"srgb", GL_SRGB8_ALPHA8, 0},
                                    {"rgba8ui", GL_RGBA8UI, 0},
                                    {"depth", GL_DEPTH_COMPONENT24, 0}};

SLT_TEST_FP(exports, have_the_textures_format, t, struct kind, kinds, c)
{
    uint32_t answer[4] = {0};
    uint32_t image = image_make(t->g, texture_make(t->g, c->format));
    gles_send(t->g, SL_OP_slAskImage, "uuu", image, 12, 12);
    gles_read(t->g, answer, sizeof answer);
    SLT_EXPECT_EQ(c->fourcc != 0, answer[3]);
    SLT_EXPECT_EQ(c->fourcc, answer[0]);
    SLT_EXPECT_EQ(c->fourcc != 0 ? WIDTH : 0u, answer[1]);
    SLT_EXPECT_EQ(c->fourcc != 0 ? HEIGHT : 0u, answer[2]);
}

SLT_TEST_F(exports, get_what_was_drawn_before_and_what_is_stored_after, t)
{
    fill(t->g, 1.0);
    SLT_ASSERT_EQ(1u, export_to(t, RESOURCE));
    SLT_EXPECT_MEMEQ("\xff\0\xff\xff", t->memory + STRIDE * 3 + ROW - 4, 4);
    stored_are(t, 0, 0);
    fill(t->g, 0.0);
    gles_send(t->g, RC_OP_rcDestroyClientImage, "u", t->image);
    gles_read(t->g, &(uint32_t){0}, 4);
    gles_send(t->g, GLESX_OP_glStoreDrawnSLUICE, "");
    stored_are(t, 1, RESOURCE);
    stored_are(t, 0, 0);
    SLT_EXPECT_MEMEQ("\0\0\xff\xff", t->memory + STRIDE * 3 + ROW - 4, 4);
    SLT_EXPECT_EQ(0u, t->memory[ROW]); /* between the rows nothing */
}

SLT_TEST_F(exports, are_the_same_texture_for_who_takes_them_for_it, t)
{
    SLT_ASSERT_EQ(1u, export_to(t, RESOURCE));
    bind_new(t->g, view_of(t, FOURCC('A', 'B', '2', '4')));
    fill(t->g, 1.0); /* there, and stored nowhere */
    draw_on(t->g, t->texture);
    SLT_EXPECT_EQ(0xff00ffffu, gles_pixel(t->g, 2, 2));
    gles_send(t->g, GLESX_OP_glStoreDrawnSLUICE, "");
    stored_are(t, 1, RESOURCE);
}

SLT_TEST_F(exports, of_another_format_have_what_was_stored, t)
{
    fill(t->g, 1.0);
    SLT_ASSERT_EQ(1u, export_to(t, RESOURCE));
    bind_new(t->g, view_of(t, FOURCC('A', 'R', '2', '4')));
    SLT_EXPECT_EQ(0xff00ffffu, gles_pixel(t->g, 2, 2));
    fill(t->g, 0.0);
    gles_send(t->g, GLESX_OP_glStoreDrawnSLUICE, "");
    stored_are(t, 0, 0);
    SLT_EXPECT_MEMEQ("\xff\0\0\xff", t->memory, 4);
}

/* What somebody writes to the memory is there when it is bound; what was only drawn is not lost by
 * that. */
SLT_TEST_F(exports, are_written_to_by_memory_too, t)
{
    fill(t->g, 1.0);
    SLT_ASSERT_EQ(1u, export_to(t, RESOURCE));
    fill(t->g, 0.0);
    bind_new(t->g, RESOURCE);
    SLT_EXPECT_EQ(0x0000ffffu, gles_pixel(t->g, 0, 0));
    memcpy(t->memory, "\1\2\3\4", 4);
    bind_new(t->g, RESOURCE);
    SLT_EXPECT_EQ(0x01020304u, gles_pixel(t->g, 0, 0));
    draw_on(t->g, t->texture);
    SLT_EXPECT_EQ(0x01020304u, gles_pixel(t->g, 0, 0));
}

SLT_TEST_F(exports, with_a_storage_of_their_own_are_stored_to_no_more, t)
{
    SLT_ASSERT_EQ(1u, export_to(t, RESOURCE));
    gles_send(t->g, GLESX_OP_glStoreTargetSLUICE, "uub", GL_TEXTURE_2D, t->texture, 1);
    fill(t->g, 1.0);
    gles_send(t->g, GLESX_OP_glStoreDrawnSLUICE, "");
    stored_are(t, 0, 0);
    SLT_EXPECT_EQ(0u, t->memory[0]);
}

SLT_TEST_F(exports, of_a_deleted_texture_end_with_the_resource, t)
{
    SLT_ASSERT_EQ(1u, export_to(t, RESOURCE));
    gles_send(t->g, GLES2_OP_glDeleteTextures, "id", 1, &t->texture, 4);
    gles_send(t->g, RC_OP_rcDestroyClientImage, "u", t->image);
    gles_read(t->g, &(uint32_t){0}, 4);
    bind_new(t->g, RESOURCE);
    fill(t->g, 1.0);
    gles_send(t->g, GLESX_OP_glStoreDrawnSLUICE, "");
    stored_are(t, 1, RESOURCE);
    SLT_EXPECT_EQ(0xffu, t->memory[0]);
}

SLT_TEST_F(exports, are_refused_where_they_cannot_be, t)
{
    SLT_EXPECT_EQ(0u, export_to(t, WORLD_WINDOW)); /* another size and format */
    SLT_EXPECT_EQ(0u, export_to(t, 77));
    SLT_EXPECT_EQ(0u, gles_call(t->g, SL_OP_slExportImage, "uu", t->image + 1, RESOURCE));
    SLT_EXPECT_EQ(0u, gles_call(t->g, SL_OP_slExportImage, "uu", t->g->gl, RESOURCE));
    SLT_EXPECT_EQ(0u, export_to(t, view_of(t, FOURCC('A', 'B', '2', '4'))));
    uint32_t answer[3];
    gles_send(t->g, SL_OP_slAskImage, "uuu", t->image, 8, 8);
    gles_read(t->g, answer, sizeof answer);
    SLT_EXPECT_EQ(0u, answer[2]);
    SLT_ASSERT_EQ(1u, export_to(t, RESOURCE));
    SLT_EXPECT_EQ(0u, export_to(t, RESOURCE)); /* it is already */
    t->image = image_make(t->g, texture_make(t->g, GL_RGBA8));
    SLT_EXPECT_EQ(0u, export_to(t, RESOURCE)); /* the resource is another's */
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}
