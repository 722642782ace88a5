/* Snapshots of GLES contexts: a state is saved, played into a new host, and saved there again; both
 * lists are the same, byte for byte. Saving twice gives the same too: it changes nothing. */
#include "tests/support/gles_save_pair.h"
#include "tests/support/slt.h"
#include "wire/gles1_pack.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2ext.h>
#include <string.h>

SLT_FIXTURE(gles_save, struct save_pair, save_pair_init, save_pair_finish);

SLT_TEST_F(gles_save, what_was_never_used_is_saved, p)
{
    save_expect_twins(p);
    SLT_EXPECT_EQ(64, save_get(&p->other, GL_VIEWPORT) + 64);
}

/* --- fixed state --- */

static void set_state(struct twin *t)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBlendColor(o, 0.1f, 0.2f, 0.3f, 0.4f);
    gles2_pack_glBlendEquationSeparate(o, GL_FUNC_SUBTRACT, GL_MAX);
    gles2_pack_glBlendFuncSeparate(o, GL_SRC_ALPHA, GL_ONE, GL_DST_COLOR, GL_ZERO);
    gles2_pack_glBlendFuncSeparateiEXT(o, 2, GL_ONE, GL_SRC_ALPHA, GL_ZERO, GL_ONE);
    gles2_pack_glColorMask(o, 1, 0, 1, 0);
    gles2_pack_glColorMaskiEXT(o, 1, 0, 1, 0, 1);
    gles2_pack_glEnableiEXT(o, GL_BLEND, 3);
    gles2_pack_glClearColor(o, 0.5f, 0.6f, 0.7f, 0.8f);
    gles2_pack_glClearDepthf(o, 0.25f);
    gles2_pack_glClearStencil(o, 77);
    gles2_pack_glCullFace(o, GL_FRONT);
    gles2_pack_glDepthFunc(o, GL_GEQUAL);
    gles2_pack_glDepthMask(o, 0);
    gles2_pack_glDepthRangef(o, 0.1f, 0.9f);
    gles2_pack_glFrontFace(o, GL_CW);
    gles2_pack_glLineWidth(o, 2);
    gles2_pack_glPolygonOffset(o, 1.5f, 2.5f);
    gles2_pack_glSampleCoverage(o, 0.5f, 1);
    gles2_pack_glSampleMaski(o, 0, 0x5a5a5a5a);
    gles2_pack_glScissor(o, 1, 2, 30, 40);
    gles2_pack_glStencilFuncSeparate(o, GL_FRONT, GL_LESS, 3, 0xf0f0f0f0);
    gles2_pack_glStencilFuncSeparate(o, GL_BACK, GL_GREATER, 5, 0x0f);
    gles2_pack_glStencilMaskSeparate(o, GL_FRONT, 0xffffff0f);
    gles2_pack_glStencilMaskSeparate(o, GL_BACK, 0x3c);
    gles2_pack_glStencilOpSeparate(o, GL_FRONT, GL_INCR, GL_DECR, GL_INVERT);
    gles2_pack_glStencilOpSeparate(o, GL_BACK, GL_ZERO, GL_REPLACE, GL_INCR_WRAP);
    gles2_pack_glViewport(o, 4, 5, 33, 44);
    gles2_pack_glHint(o, GL_GENERATE_MIPMAP_HINT, GL_NICEST);
    gles2_pack_glPixelStorei(o, GL_PACK_ALIGNMENT, 2);
    gles2_pack_glPixelStorei(o, GL_PACK_ROW_LENGTH, 100);
    gles2_pack_glPixelStorei(o, GL_UNPACK_ALIGNMENT, 8);
    gles2_pack_glPixelStorei(o, GL_UNPACK_SKIP_ROWS, 3);
    gles2_pack_glVertexAttrib4f(o, 3, 1, 2, 3, 4);
    gles2_pack_glVertexAttribI4i(o, 4, -1, 2, -3, 4);
    gles2_pack_glActiveTexture(o, GL_TEXTURE5);
    glesx_pack_glPatchParameteri(o, GL_PATCH_VERTICES, 7);
    glesx_pack_glMinSampleShading(o, 0.75f);
    glesx_pack_glPrimitiveBoundingBox(o, -1, -2, -3, 4, 5, 6, 7, 8);
    static const GLenum on[] = {GL_BLEND,
                                GL_CULL_FACE,
                                GL_DEPTH_TEST,
                                GL_POLYGON_OFFSET_FILL,
                                GL_SAMPLE_ALPHA_TO_COVERAGE,
                                GL_SAMPLE_COVERAGE,
                                GL_SCISSOR_TEST,
                                GL_STENCIL_TEST,
                                GL_PRIMITIVE_RESTART_FIXED_INDEX,
                                GL_RASTERIZER_DISCARD,
                                GL_SAMPLE_MASK,
                                GL_SAMPLE_SHADING};
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++) {
        gles2_pack_glEnable(o, on[i]);
    }
    gles2_pack_glDisable(o, GL_DITHER);
    twin_send(t);
}

SLT_TEST_F(gles_save, fixed_state, p)
{
    set_state(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ(GL_TEXTURE5, save_get(&p->other, GL_ACTIVE_TEXTURE));
    SLT_EXPECT_EQ(77, save_get(&p->other, GL_STENCIL_CLEAR_VALUE));
    SLT_EXPECT_EQ(7, save_get(&p->other, GL_PATCH_VERTICES));
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}

SLT_TEST_F(gles_save, a_pending_error_stays_pending, p)
{
    gles2_pack_glEnable(twin_out(&p->one), 0xdead);
    twin_send(&p->one);
    SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    twin_play(&p->other, &p->first);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_ENUM, save_error(&p->one));
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_ENUM, save_error(&p->other));
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}

/* --- names --- */

SLT_TEST_F(gles_save, the_next_names_are_the_same, p)
{
    static const struct {
        void (*gen)(struct sl_pack *, GLsizei, uint32_t);
    } kinds[] = {{gles2_pack_glGenTextures},        {gles2_pack_glGenBuffers},
                 {gles2_pack_glGenRenderbuffers},   {gles2_pack_glGenFramebuffers},
                 {gles2_pack_glGenSamplers},        {gles2_pack_glGenVertexArrays},
                 {gles2_pack_glGenQueries},         {gles2_pack_glGenTransformFeedbacks},
                 {gles2_pack_glGenProgramPipelines}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        kinds[i].gen(twin_out(&p->one), (GLsizei)(i * 3 + 2), (uint32_t)(i * 3 + 2) * 4);
        twin_send(&p->one);
    }
    uint32_t gone[] = {1, 3};
    gles2_pack_glDeleteTextures(twin_out(&p->one), 2, gone, sizeof gone);
    gles2_pack_glBindTexture(twin_out(&p->one), GL_TEXTURE_2D, 40); /* a name of its own */
    gles2_pack_glCreateShader(twin_out(&p->one), GL_FRAGMENT_SHADER);
    twin_send(&p->one);
    gles2_pack_glCreateProgram(twin_out(&p->one));
    twin_send(&p->one);
    gles2_pack_glDeleteShader(twin_out(&p->one), 1);
    save_expect_twins(p);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        SLT_SCOPE("kind %zu", i);
        SLT_EXPECT_EQ(save_gen(&p->one, kinds[i].gen), save_gen(&p->other, kinds[i].gen));
    }
    gles2_pack_glCreateProgram(twin_out(&p->one));
    gles2_pack_glCreateProgram(twin_out(&p->other));
    SLT_EXPECT_EQ(twin_ask(&p->one), twin_ask(&p->other));
    rc_pack_rcCreateContext(twin_out(&p->one), 0, 0, 3);
    rc_pack_rcCreateContext(twin_out(&p->other), 0, 0, 3);
    SLT_EXPECT_EQ(twin_ask(&p->one), twin_ask(&p->other));
}

/* --- framebuffers --- */

struct render {
    const char *label;
    GLenum internal, attachment;
};
static const struct render renders[] = {
    {"rgba8", GL_RGBA8, GL_COLOR_ATTACHMENT0},
    {"rgb565", GL_RGB565, GL_COLOR_ATTACHMENT0},
    {"rgba4", GL_RGBA4, GL_COLOR_ATTACHMENT0},
    {"rgba32ui", GL_RGBA32UI, GL_COLOR_ATTACHMENT0},
    {"r16f", GL_R16F, GL_COLOR_ATTACHMENT0},
    {"depth16", GL_DEPTH_COMPONENT16, GL_DEPTH_ATTACHMENT},
    {"depth24", GL_DEPTH_COMPONENT24, GL_DEPTH_ATTACHMENT},
    {"depth24_stencil8", GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL_ATTACHMENT},
    {"stencil8", GL_STENCIL_INDEX8, GL_STENCIL_ATTACHMENT}};

/* Clears two rectangles of what is bound, of what it has. */
static void draw_rectangles(struct twin *t, GLenum internal)
{
    static const GLuint ints[4] = {1, 20000, 3, 4000000000u};
    struct sl_pack *o = twin_out(t);
    gles2_pack_glEnable(o, GL_SCISSOR_TEST);
    for (int i = 0; i < 2; i++) {
        gles2_pack_glScissor(o, i * 7, i * 5, 20, 20);
        gles2_pack_glClearColor(o, 0.25f, (float)i, 0.75f, 0.5f);
        gles2_pack_glClearDepthf(o, 0.3f + (float)i / 4);
        gles2_pack_glClearStencil(o, 9 + i);
        if (internal == GL_RGBA32UI) {
            gles2_pack_glClearBufferuiv(o, GL_COLOR, 0, ints + i * 0, sizeof ints);
        } else {
            gles2_pack_glClear(o,
                               GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
        }
    }
    gles2_pack_glDisable(o, GL_SCISSOR_TEST);
}

SLT_TEST_FP(gles_save, renderbuffers, p, struct render, renders, x)
{
    struct sl_pack *o = twin_out(&p->one);
    gles2_pack_glGenFramebuffers(o, 3, 12); /* one of them is used */
    twin_send(&p->one);
    (void)save_gen(&p->one, gles2_pack_glGenTextures);
    uint32_t name = save_gen(&p->one, gles2_pack_glGenRenderbuffers);
    gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, name);
    gles2_pack_glRenderbufferStorage(o, GL_RENDERBUFFER, x->internal, 32, 32);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 2);
    gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, x->attachment, GL_RENDERBUFFER, name);
    draw_rectangles(&p->one, x->internal);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    gles2_pack_glCheckFramebufferStatus(twin_out(&p->other), GL_FRAMEBUFFER);
    SLT_EXPECT_EQ((uint32_t)GL_FRAMEBUFFER_COMPLETE, twin_ask(&p->other));
}

SLT_TEST_F(gles_save, framebuffers_with_textures, p)
{
    static const GLenum draw[] = {GL_NONE, GL_COLOR_ATTACHMENT1};
    struct sl_pack *o = twin_out(&p->one);
    gles2_pack_glGenTextures(o, 3, 12);
    twin_send(&p->one);
    gles2_pack_glBindTexture(o, GL_TEXTURE_CUBE_MAP, 1);
    gles2_pack_glTexStorage2D(o, GL_TEXTURE_CUBE_MAP, 2, GL_RGBA8, 32, 32);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D_ARRAY, 2);
    gles2_pack_glTexStorage3D(o, GL_TEXTURE_2D_ARRAY, 1, GL_RGBA16F, 16, 16, 4);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, 3);
    gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, 1, GL_DEPTH24_STENCIL8, 16, 16);
    uint32_t name = save_gen(&p->one, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, name);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                                      GL_TEXTURE_CUBE_MAP_NEGATIVE_Y, 1, 1);
    gles2_pack_glFramebufferTextureLayer(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT1, 2, 0, 3);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_DEPTH_STENCIL_ATTACHMENT, GL_TEXTURE_2D,
                                      3, 0);
    gles2_pack_glDrawBuffers(o, 2, draw, sizeof draw);
    gles2_pack_glReadBuffer(o, GL_COLOR_ATTACHMENT1);
    draw_rectangles(&p->one, GL_RGBA16F);
    gles2_pack_glBindFramebuffer(o, GL_READ_FRAMEBUFFER, 0);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)name, save_get(&p->other, GL_DRAW_FRAMEBUFFER_BINDING));
    SLT_EXPECT_EQ(0, save_get(&p->other, GL_READ_FRAMEBUFFER_BINDING));
}

SLT_TEST_F(gles_save, window_surfaces_with_depth_and_stencil, p)
{
    uint8_t pixels[2][64 * 48 * 4];
    struct twin *both[2] = {&p->one, &p->other};
    draw_rectangles(&p->one, GL_RGBA8);
    twin_send(&p->one);
    save_expect_twins(p);
    for (int i = 0; i < 2; i++) {
        gles2_pack_glReadPixels(twin_out(both[i]), 0, 0, 64, 48, GL_RGBA, GL_UNSIGNED_BYTE,
                                sizeof pixels[0]);
        twin_send(both[i]);
        memcpy(pixels[i], both[i]->reply, sizeof pixels[0]);
    }
    SLT_EXPECT_MEMEQ(pixels[0], pixels[1], sizeof pixels[0]);
    SLT_EXPECT_EQ(0x40, pixels[1][0]);
}

/* The place of a configuration of float channels with alpha, depth and stencil, without samples. */
static uint32_t float_config(struct twin *t)
{
    static const GLint wanted[][2] = {
        {EGL_COLOR_COMPONENT_TYPE_EXT, EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT},
        {EGL_ALPHA_SIZE, 16},
        {EGL_DEPTH_SIZE, 24},
        {EGL_STENCIL_SIZE, 8},
        {EGL_SAMPLES, 0}};
    const GLint *words = (const GLint *)(const void *)t->reply;
    sl_pack_slGetConfigs(twin_out(t), sizeof t->reply / 2, sizeof t->reply / 2);
    twin_send(t);
    size_t columns = 35;
    GLint count = words[t->reply_size / 4 - 1];
    for (GLint row = 0; row < count; row++) {
        size_t fit = 0;
        for (size_t c = 0; c < columns; c++) {
            for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
                GLint value = words[((size_t)row + 1) * columns + c];
                fit += words[c] == wanted[i][0] && value == wanted[i][1] ? 1 : 0;
            }
        }
        if (fit == sizeof wanted / sizeof wanted[0]) {
            return (uint32_t)row;
        }
    }
    SLT_SKIP("the driver has no surfaces of floats");
    return 0;
}

/* Of colours that no other channels hold, and a picture of it as a texture. */
SLT_TEST_F(gles_save, surfaces_of_floats, p)
{
    static const GLfloat colors[] = {2.5f, -3.0f, 1000.0f, 0.3f};
    const struct sl_gather texel = sl_gather_flat(colors, sizeof colors);
    struct sl_pack *o = twin_out(&p->one), *o2 = twin_out(&p->other);
    uint32_t config = float_config(&p->one);
    rc_pack_rcCreateWindowSurface(o, config, 64, 48);
    uint32_t surface = twin_ask(&p->one);
    SLT_ASSERT_NE(0u, surface);
    rc_pack_rcCreateContext(o, config, 0, 5);
    uint32_t context = twin_ask(&p->one);
    rc_pack_rcMakeCurrent(o, context, surface, surface);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    uint32_t texture = save_gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, texture);
    gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, GL_RGBA16F, 1, 1, 0, GL_RGBA, GL_FLOAT, &texel);
    uint32_t from = save_gen(&p->one, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(o, GL_READ_FRAMEBUFFER, from);
    gles2_pack_glFramebufferTexture2D(o, GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D,
                                      texture, 0);
    gles2_pack_glBlitFramebuffer(o, 0, 0, 1, 1, 0, 0, 40, 30, GL_COLOR_BUFFER_BIT, GL_NEAREST);
    gles2_pack_glBindFramebuffer(o, GL_READ_FRAMEBUFFER, 0);
    rc_pack_rcCreateColorBuffer(o, 64, 48, GL_RGBA16F);
    uint32_t picture = twin_ask(&p->one);
    rc_pack_rcOpenColorBuffer(o, picture);
    rc_pack_rcSetWindowColorBuffer(o, surface, picture);
    rc_pack_rcFlushWindowColorBuffer(o, surface);
    SLT_EXPECT_EQ(0u, twin_ask(&p->one));
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    /* Drivers clamp what is read of a surface, so it is copied again. */
    uint16_t halves[2][64 * 48 * 4];
    rc_pack_rcReadColorBuffer(o2, picture, 0, 0, 64, 48, GL_RGBA, GL_HALF_FLOAT, sizeof halves[0]);
    twin_send(&p->other);
    memcpy(halves[0], p->other.reply, sizeof halves[0]);
    rc_pack_rcFlushWindowColorBuffer(o2, surface);
    SLT_EXPECT_EQ(0u, twin_ask(&p->other));
    rc_pack_rcReadColorBuffer(o2, picture, 0, 0, 64, 48, GL_RGBA, GL_HALF_FLOAT, sizeof halves[1]);
    twin_send(&p->other);
    memcpy(halves[1], p->other.reply, sizeof halves[1]);
    SLT_EXPECT_MEMEQ(halves[0], halves[1], sizeof halves[0]);
    SLT_EXPECT_MEMEQ(((uint16_t[]){0x4100, 0xc200, 0x63d0}), halves[1], 3 * sizeof(uint16_t));
}

/* --- several contexts, fences --- */

SLT_TEST_F(gles_save, contexts_that_share, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t b = save_buffer(&p->one, GL_ARRAY_BUFFER, 100, GL_STATIC_DRAW);
    rc_pack_rcCreateContext(o, 0xffffffff, p->context, 5);
    uint32_t second = twin_ask(&p->one);
    SLT_ASSERT_NE(0u, second);
    rc_pack_rcMakeCurrent(o, second, 0, 0);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    gles2_pack_glBindBuffer(o, GL_ARRAY_BUFFER, b);
    gles2_pack_glEnable(o, GL_BLEND);
    uint32_t vao = save_gen(&p->one, gles2_pack_glGenVertexArrays);
    gles2_pack_glBindVertexArray(o, vao);
    uint32_t fb = save_gen(&p->one, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, fb);
    gles2_pack_glFenceSyncAEMU(o, GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    uint32_t fence = twin_ask(&p->one);
    rc_pack_rcCreateContext(o, 0xffffffff, 0, 5); /* of its own, never current */
    (void)twin_ask(&p->one);
    rc_pack_rcCreateSyncKHR(o, EGL_SYNC_FENCE_KHR, NULL, 0, 0, 1, 8, 8);
    (void)twin_ask(&p->one);
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)b, save_get(&p->other, GL_ARRAY_BUFFER_BINDING));
    SLT_EXPECT_EQ((GLint)fb, save_get(&p->other, GL_FRAMEBUFFER_BINDING));
    gles2_pack_glIsSyncAEMU(twin_out(&p->other), fence);
    twin_send(&p->other);
    SLT_EXPECT_EQ(1, p->other.reply[0]);
}

SLT_TEST_F(gles_save, rings_with_a_context_each, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t b = save_buffer(&p->one, GL_ARRAY_BUFFER, 100, GL_STATIC_DRAW);
    rc_pack_rcCreateContext(o, 0xffffffff, p->context, 5);
    uint32_t second = twin_ask(&p->one);
    p->one.at = 1;
    rc_pack_rcMakeCurrent(o, second, 0, 0);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    gles2_pack_glBindBuffer(o, GL_COPY_READ_BUFFER, b);
    rc_pack_rcCreateSyncKHR(o, EGL_SYNC_FENCE_KHR, NULL, 0, 0, 1, 8, 8); /* kept by this ring */
    (void)twin_ask(&p->one);
    p->one.at = 0;
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)b, save_get(&p->other, GL_ARRAY_BUFFER_BINDING));
    SLT_EXPECT_EQ(0, save_get(&p->other, GL_COPY_READ_BUFFER_BINDING));
    p->other.at = 1;
    SLT_EXPECT_EQ((GLint)b, save_get(&p->other, GL_COPY_READ_BUFFER_BINDING));
    SLT_EXPECT_EQ(0, save_get(&p->other, GL_ARRAY_BUFFER_BINDING));
}

/* --- what no packets lead to --- */

SLT_TEST_F(gles_save, says_what_cannot_be_saved, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t v = save_gen(&p->one, gles2_pack_glGenVertexArrays);
    uint32_t b = save_gen(&p->one, gles2_pack_glGenBuffers);
    const uint8_t data[64] = {0};
    gles2_pack_glBindBuffer(o, GL_ARRAY_BUFFER, b);
    glesx_pack_glBufferStorageEXT(o, GL_ARRAY_BUFFER, sizeof data, data, sizeof data, 0);
    gles2_pack_glBindVertexArray(o, v);
    gles2_pack_glVertexAttribPointerOffset(o, 0, 4, GL_FLOAT, 0, 0, 0);
    gles2_pack_glEnableVertexAttribArray(o, 0);
    gles2_pack_glBindVertexArray(o, 0);
    gles2_pack_glDeleteBuffers(o, 1, &b, 4);
    twin_send(&p->one);
    SLT_EXPECT_LOG("gles", "which was deleted");
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, twin_save(&p->one, &p->first));
    SLT_EXPECT_EQ(0, save_get(&p->one, GL_VERTEX_ARRAY_BINDING));
    SLT_EXPECT_EQ(0u, save_error(&p->one));
}

/* --- GLES 1 --- */

static void set_lights_and_fog(struct sl_pack *o)
{
    static const GLfloat place[] = {1, 2, 3, 0}, color[] = {0.1f, 0.2f, 0.3f, 0.4f},
                         down[] = {0, -1, 0}, plane[] = {0, 1, 0, 0.5f}, fades[] = {1, 0.5f, 0.25f};
    gles1_pack_glLightfv(o, GL_LIGHT2, GL_POSITION, place, sizeof place);
    gles1_pack_glLightfv(o, GL_LIGHT2, GL_SPOT_DIRECTION, down, sizeof down);
    gles1_pack_glLightf(o, GL_LIGHT2, GL_SPOT_CUTOFF, 30);
    gles1_pack_glLightfv(o, GL_LIGHT0, GL_DIFFUSE, color, sizeof color);
    gles1_pack_glLightf(o, GL_LIGHT0, GL_LINEAR_ATTENUATION, 0.125f);
    gles1_pack_glLightModelfv(o, GL_LIGHT_MODEL_AMBIENT, color, sizeof color);
    gles1_pack_glLightModelf(o, GL_LIGHT_MODEL_TWO_SIDE, 1);
    gles1_pack_glMaterialfv(o, GL_FRONT_AND_BACK, GL_EMISSION, color, sizeof color);
    gles1_pack_glMaterialf(o, GL_FRONT_AND_BACK, GL_SHININESS, 17);
    gles1_pack_glClipPlanef(o, GL_CLIP_PLANE1, plane, sizeof plane);
    gles1_pack_glFogf(o, GL_FOG_MODE, GL_EXP2);
    gles1_pack_glFogf(o, GL_FOG_DENSITY, 0.75f);
    gles1_pack_glFogfv(o, GL_FOG_COLOR, color, sizeof color);
    gles1_pack_glPointParameterfv(o, GL_POINT_DISTANCE_ATTENUATION, fades, sizeof fades);
    gles1_pack_glPointParameterf(o, GL_POINT_SIZE_MAX, 9);
    static const GLenum on[] = {GL_LIGHTING,  GL_LIGHT2,        GL_CLIP_PLANE1, GL_FOG,
                                GL_NORMALIZE, GL_ALPHA_TEST,    GL_BLEND,       GL_COLOR_LOGIC_OP,
                                GL_LIGHT0,    GL_COLOR_MATERIAL};
    for (size_t i = 0; i < sizeof on / sizeof on[0]; i++) {
        gles1_pack_glEnable(o, on[i]);
    }
}

static void set_gles1(struct twin *t)
{
    struct sl_pack *o = twin_out(t);
    static const GLfloat blue[] = {0, 0, 1, 0.5f};
    static const GLint crop[] = {1, 2, 3, 4};
    static const uint8_t pixels[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const GLfloat corners[] = {0, 0, 1, 0, 1, 1};
    const struct sl_gather data = sl_gather_flat(corners, sizeof corners);
    gles1_pack_glMatrixMode(o, GL_MODELVIEW);
    gles1_pack_glRotatef(o, 30, 1, 2, 3);
    set_lights_and_fog(o);
    gles1_pack_glPushMatrix(o);
    gles1_pack_glTranslatef(o, 4, 5, 6);
    gles1_pack_glPushMatrix(o);
    gles1_pack_glScalef(o, 2, 3, 4);
    gles1_pack_glMatrixMode(o, GL_PROJECTION);
    gles1_pack_glFrustumf(o, -1, 1, -2, 2, 1, 10);
    gles1_pack_glAlphaFunc(o, GL_GEQUAL, 0.25f);
    gles1_pack_glLogicOp(o, GL_XOR);
    gles1_pack_glShadeModel(o, GL_FLAT);
    gles1_pack_glColor4f(o, 0.5f, 0.25f, 0.125f, 1);
    gles1_pack_glNormal3f(o, 0, 1, 0);
    gles1_pack_glPointSize(o, 3);
    gles1_pack_glHint(o, GL_FOG_HINT, GL_NICEST);
    gles1_pack_glStencilFunc(o, GL_LESS, 3, 0xf0);
    gles1_pack_glStencilOp(o, GL_INCR, GL_DECR, GL_INVERT);
    uint32_t texture = save_gen(t, gles1_pack_glGenTextures);
    gles1_pack_glActiveTexture(o, GL_TEXTURE1);
    gles1_pack_glBindTexture(o, GL_TEXTURE_2D, texture);
    gles1_pack_glTexParameteri(o, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    gles1_pack_glTexParameteriv(o, GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, crop, sizeof crop);
    gles1_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, GL_RGBA, 2, 2, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                            pixels, sizeof pixels);
    gles1_pack_glEnable(o, GL_TEXTURE_2D);
    gles1_pack_glTexEnvi(o, GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, GL_COMBINE);
    gles1_pack_glTexEnvi(o, GL_TEXTURE_ENV, GL_COMBINE_RGB, GL_INTERPOLATE);
    gles1_pack_glTexEnvi(o, GL_TEXTURE_ENV, GL_SRC1_ALPHA, GL_CONSTANT);
    gles1_pack_glTexEnvf(o, GL_TEXTURE_ENV, GL_RGB_SCALE, 2);
    gles1_pack_glTexEnvfv(o, GL_TEXTURE_ENV, GL_TEXTURE_ENV_COLOR, blue, sizeof blue);
    gles1_pack_glMultiTexCoord4f(o, GL_TEXTURE1, 1, 2, 3, 4);
    gles1_pack_glMatrixMode(o, GL_TEXTURE);
    gles1_pack_glTranslatef(o, 1, 0, 0);
    gles1_pack_glPushMatrix(o);
    gles1_pack_glVertexPointerData(o, 2, GL_FLOAT, 0, &data, sizeof corners);
    gles1_pack_glEnableClientState(o, GL_VERTEX_ARRAY);
    gles1_pack_glClientActiveTexture(o, GL_TEXTURE1);
    uint32_t buffer = save_gen(t, gles1_pack_glGenBuffers);
    gles1_pack_glBindBuffer(o, GL_ARRAY_BUFFER, buffer);
    gles1_pack_glBufferData(o, GL_ARRAY_BUFFER, sizeof corners, corners, sizeof corners,
                            GL_STATIC_DRAW);
    gles1_pack_glTexCoordPointerOffset(o, 2, GL_FLOAT, 8, 0);
    gles1_pack_glEnableClientState(o, GL_TEXTURE_COORD_ARRAY);
    twin_send(t);
    gles1_pack_glGetError(o);
    SLT_ASSERT_EQ(0u, twin_ask(t));
}

static GLint get1(struct twin *t, GLenum name)
{
    gles1_pack_glGetIntegerv(twin_out(t), name, 4);
    return (GLint)twin_ask(t);
}

SLT_TEST_F(gles_save, the_fixed_pipeline, p)
{
    p->context = twin_start(&p->one, 1);
    set_gles1(&p->one);
    save_expect_twins(p);
    SLT_EXPECT_EQ(GL_TEXTURE, get1(&p->other, GL_MATRIX_MODE));
    SLT_EXPECT_EQ(2, get1(&p->other, GL_TEXTURE_STACK_DEPTH));
    SLT_EXPECT_EQ(3, get1(&p->other, GL_MODELVIEW_STACK_DEPTH));
    SLT_EXPECT_EQ(GL_XOR, get1(&p->other, GL_LOGIC_OP_MODE));
    SLT_EXPECT_EQ(2u, save_gen(&p->other, gles1_pack_glGenTextures));
}

SLT_TEST_F(gles_save, errors_of_the_fixed_pipeline_that_nobody_asked_for, p)
{
    p->context = twin_start(&p->one, 1);
    gles1_pack_glTexEnvi(twin_out(&p->one), GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, 1);
    twin_send(&p->one);
    save_expect_twins(p);
    gles1_pack_glGetError(twin_out(&p->other));
    SLT_EXPECT_EQ(GL_INVALID_ENUM, twin_ask(&p->other));
    SLT_EXPECT_LOG("gles", "error 0x504 waits");
    gles1_pack_glPopMatrix(twin_out(&p->other));
    twin_send(&p->other);
    struct twin_list refused;
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, twin_save(&p->other, &refused));
    twin_list_finish(&refused);
}
