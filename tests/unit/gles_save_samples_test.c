/* Snapshots of textures and renderbuffers of several samples, each of which has its own value. */
#include "tests/support/gles_save_pair.h"
#include "tests/support/slt.h"
#include "wire/glesx_pack.h"

#include <GLES2/gl2ext.h>
#include <stdio.h>
#include <string.h>

SLT_FIXTURE(gles_save_samples, struct save_pair, save_pair_init, save_pair_finish);

enum { SIDE = 24, SAMPLES = 4 };

/* A program that writes a noise of pixel and seed. keeps: its shaders stay. */
static uint32_t noise_program(struct twin *t, const char *declared, const char *write, bool keeps)
{
    static const char vertex[] =
        "#version 310 es\nvoid main() { gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0,"
        "gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0); }\n";
    char text[1024];
    snprintf(text, sizeof text,
             "#version 310 es\nprecision highp float; precision highp int;\n"
             "layout(location = 0) uniform uint seed;\n%s\n"
             "uint next(uint v) { v ^= v << 13u; v ^= v >> 17u; return v ^ (v << 5u); }\n"
             "void main() { uvec2 p = uvec2(gl_FragCoord.xy);\n"
             "uint a = next(next((p.x + p.y * 640u + 1u) * 2654435761u + seed * 40503u + 1u));\n"
             "uvec4 n = uvec4(a, next(a), next(next(a)), next(next(next(a))));\n%s; }\n",
             declared, write);
    uint32_t v = twin_shader(t, GL_VERTEX_SHADER, vertex),
             f = twin_shader(t, GL_FRAGMENT_SHADER, text);
    struct sl_pack *o = twin_out(t);
    gles2_pack_glCreateProgram(o);
    uint32_t name = twin_ask(t);
    gles2_pack_glAttachShader(o, name, v);
    gles2_pack_glAttachShader(o, name, f);
    gles2_pack_glLinkProgram(o, name);
    if (!keeps) {
        gles2_pack_glDeleteShader(o, v);
        gles2_pack_glDeleteShader(o, f);
        gles2_pack_glDetachShader(o, name, v);
        gles2_pack_glDetachShader(o, name, f);
    }
    gles2_pack_glUseProgram(o, name);
    gles2_pack_glGetProgramiv(o, name, GL_LINK_STATUS, 4);
    SLT_ASSERT_EQ(1u, twin_ask(t));
    return name;
}

static void draw_samples(struct twin *t, uint32_t seed)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glViewport(o, 0, 0, SIDE, SIDE);
    gles2_pack_glEnable(o, GL_SAMPLE_MASK);
    for (uint32_t k = 0; k < SAMPLES; k++) {
        gles2_pack_glSampleMaski(o, 0, 1u << k);
        gles2_pack_glUniform1ui(o, 0, seed + k);
        gles2_pack_glDrawArrays(o, GL_TRIANGLES, 0, 3);
    }
    gles2_pack_glDisable(o, GL_SAMPLE_MASK);
    twin_send(t);
}

/* A stencil for each sample: what lies in a square, which is another one for each. */
static void draw_stencils(struct twin *t)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glEnable(o, GL_STENCIL_TEST);
    gles2_pack_glEnable(o, GL_SCISSOR_TEST);
    gles2_pack_glDisable(o, GL_DEPTH_TEST);
    gles2_pack_glStencilOp(o, GL_KEEP, GL_KEEP, GL_REPLACE);
    for (GLint i = 0; i < 16; i++) {
        gles2_pack_glScissor(o, i, 2 * i % SIDE, SIDE / 2, SIDE / 2);
        gles2_pack_glStencilFunc(o, GL_ALWAYS, 0x95 ^ (i * 0x0b), 0xff);
        gles2_pack_glEnable(o, GL_SAMPLE_MASK);
        gles2_pack_glSampleMaski(o, 0, 1u << (i % SAMPLES));
        gles2_pack_glDrawArrays(o, GL_TRIANGLES, 0, 3);
    }
    gles2_pack_glDisable(o, GL_SAMPLE_MASK);
    gles2_pack_glDisable(o, GL_STENCIL_TEST);
    gles2_pack_glDisable(o, GL_SCISSOR_TEST);
    twin_send(t);
}

static size_t count_of(const struct twin_list *list, uint32_t opcode)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        count += sl_load_u32(list->packets[i].bytes) == opcode ? 1 : 0;
    }
    return count;
}

struct sampled {
    const char *label;
    GLenum internal, attachment;
    const char *declared, *write;
    size_t writes; /* of one sample in the replay */
};
#define COLOR(prefix) "layout(location = 0) out highp " prefix "vec4 c;"
#define FLOATS        "c = vec4(n >> 8u) / 16777215.0"
static const struct sampled formats[] = {
    {"rgba8", GL_RGBA8, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"rgb565", GL_RGB565, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"rgb5_a1", GL_RGB5_A1, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"rg8", GL_RG8, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"srgb8_alpha8", GL_SRGB8_ALPHA8, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"rgb10_a2", GL_RGB10_A2, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"rgba16f", GL_RGBA16F, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"r11f", GL_R11F_G11F_B10F, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"rgba32f", GL_RGBA32F, GL_COLOR_ATTACHMENT0, COLOR(""), FLOATS, 1},
    {"r32ui", GL_R32UI, GL_COLOR_ATTACHMENT0, COLOR("u"), "c = n", 1},
    {"rgba8i", GL_RGBA8I, GL_COLOR_ATTACHMENT0, COLOR("i"), "c = ivec4(n & 255u) - 128", 1},
    {"rgba16ui", GL_RGBA16UI, GL_COLOR_ATTACHMENT0, COLOR("u"), "c = n & 65535u", 1},
    {"depth16", GL_DEPTH_COMPONENT16, GL_DEPTH_ATTACHMENT, "",
     "gl_FragDepth = float(n.x >> 8u) / 16777215.0", 1},
    {"depth24", GL_DEPTH_COMPONENT24, GL_DEPTH_ATTACHMENT, "",
     "gl_FragDepth = float(n.x >> 8u) / 16777215.0", 1},
    {"depth32f", GL_DEPTH_COMPONENT32F, GL_DEPTH_ATTACHMENT, "",
     "gl_FragDepth = float(n.x >> 8u) / 16777215.0", 1},
    {"depth24_stencil8", GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL_ATTACHMENT, "",
     "gl_FragDepth = float(n.x >> 8u) / 16777215.0", 2},
    {"depth32f_stencil8", GL_DEPTH32F_STENCIL8, GL_DEPTH_STENCIL_ATTACHMENT, "",
     "gl_FragDepth = float(n.x >> 8u) / 16777215.0", 2},
    {"stencil8", GL_STENCIL_INDEX8, GL_STENCIL_ATTACHMENT, "", "", 1},
};

static void fill(struct twin *t, const struct sampled *x, uint32_t seed)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glCheckFramebufferStatus(o, GL_FRAMEBUFFER);
    SLT_ASSERT_EQ((uint32_t)GL_FRAMEBUFFER_COMPLETE, twin_ask(t));
    gles2_pack_glDisable(o, GL_DITHER);
    if (x->attachment != GL_COLOR_ATTACHMENT0) {
        gles2_pack_glEnable(o, GL_DEPTH_TEST);
        gles2_pack_glDepthFunc(o, GL_ALWAYS);
    }
    draw_samples(t, seed);
    if (x->attachment == GL_DEPTH_STENCIL_ATTACHMENT || x->attachment == GL_STENCIL_ATTACHMENT) {
        draw_stencils(t);
    }
}

/* Bound for drawing on, with a new name. */
static uint32_t renderbuffer(struct twin *t, GLenum internal, GLenum attachment)
{
    struct sl_pack *o = twin_out(t);
    uint32_t name = save_gen(t, gles2_pack_glGenRenderbuffers);
    gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, name);
    gles2_pack_glRenderbufferStorageMultisample(o, GL_RENDERBUFFER, SAMPLES, internal, SIDE, SIDE);
    gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, attachment, GL_RENDERBUFFER, name);
    return name;
}

static void framebuffer(struct twin *t)
{
    uint32_t name = save_gen(t, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(twin_out(t), GL_FRAMEBUFFER, name);
}

SLT_TEST_FP(gles_save_samples, of_renderbuffers, p, struct sampled, formats, x)
{
    framebuffer(&p->one);
    (void)renderbuffer(&p->one, x->internal, x->attachment);
    (void)noise_program(&p->one, x->declared, x->write, true);
    fill(&p->one, x, 7);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ(x->writes * SAMPLES, count_of(&p->first, GLES2_OP_glSampleMaski) - 1);
}

/* The same of a texture. */
static uint32_t texture(struct twin *t, GLenum internal, GLenum attachment)
{
    struct sl_pack *o = twin_out(t);
    uint32_t name = save_gen(t, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D_MULTISAMPLE, name);
    gles2_pack_glTexStorage2DMultisample(o, GL_TEXTURE_2D_MULTISAMPLE, SAMPLES, internal, SIDE,
                                         SIDE, GL_TRUE);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, attachment, GL_TEXTURE_2D_MULTISAMPLE,
                                      name, 0);
    return name;
}

SLT_TEST_FP(gles_save_samples, of_textures, p, struct sampled, formats, x)
{
    framebuffer(&p->one);
    (void)texture(&p->one, x->internal, x->attachment);
    (void)noise_program(&p->one, x->declared, x->write, false);
    fill(&p->one, x, 8);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ(x->writes * SAMPLES, count_of(&p->first, GLES2_OP_glSampleMaski) - 1);
}

enum { LAYERS = 3 };

static void array(struct twin *t)
{
    struct sl_pack *o = twin_out(t);
    framebuffer(t);
    uint32_t name = save_gen(t, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D_MULTISAMPLE_ARRAY, name);
    glesx_pack_glTexStorage3DMultisample(o, GL_TEXTURE_2D_MULTISAMPLE_ARRAY, SAMPLES, GL_RGBA8,
                                         SIDE, SIDE, LAYERS, GL_TRUE);
    (void)noise_program(t, COLOR(""), FLOATS, true);
    for (uint32_t layer = 0; layer < LAYERS; layer++) {
        gles2_pack_glFramebufferTextureLayer(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, name, 0,
                                             (GLint)layer);
        fill(t, &formats[0], 9 + layer * SAMPLES);
    }
    SLT_ASSERT_EQ(0u, save_error(t));
}

SLT_TEST_F(gles_save_samples, of_an_array, p)
{
    array(&p->one);
    save_expect_twins(p);
    SLT_EXPECT_EQ((size_t)LAYERS * SAMPLES, count_of(&p->first, GLES2_OP_glSampleMaski) - 1);
}

/* Where nothing was ever drawn there is no program whose names could be lent. */
SLT_TEST_FP(gles_save_samples, that_were_cleared, p, struct sampled, formats, x)
{
    static const uint32_t ints[4] = {3, 70, 100, 250};
    static const float floats[4] = {0.25f, 0.7f, 0.125f, 1};
    struct sl_pack *o = twin_out(&p->one);
    bool is_int = x->internal == GL_R32UI || x->internal == GL_RGBA16UI;
    framebuffer(&p->one);
    (void)renderbuffer(&p->one, x->internal, x->attachment);
    gles2_pack_glEnable(o, GL_SCISSOR_TEST);
    for (GLint n = 0; n < 3; n++) {
        gles2_pack_glScissor(o, 4 * n, 2 * n, SIDE - 8 * n, SIDE - 6 * n);
        if (x->attachment != GL_COLOR_ATTACHMENT0) {
            gles2_pack_glClearDepthf(o, n == 0 ? 1 : floats[n]);
            gles2_pack_glClearStencil(o, (GLint)ints[n]);
            gles2_pack_glClear(o, GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
        } else if (x->internal == GL_RGBA8I) {
            gles2_pack_glClearBufferiv(o, GL_COLOR, 0, ints, sizeof ints);
        } else if (is_int) {
            gles2_pack_glClearBufferuiv(o, GL_COLOR, 0, ints, sizeof ints);
        } else {
            gles2_pack_glClearColor(o, floats[n], floats[n + 1], floats[1], floats[2]);
            gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT);
        }
    }
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ(0u, count_of(&p->first, GLES2_OP_glDrawArrays));
    SLT_EXPECT_LT(1u, count_of(&p->first, GLES2_OP_glScissor));
}

static void resolve(struct twin *t, uint32_t from, uint32_t to, uint8_t *pixels)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindFramebuffer(o, GL_READ_FRAMEBUFFER, from);
    gles2_pack_glBindFramebuffer(o, GL_DRAW_FRAMEBUFFER, to);
    gles2_pack_glBlitFramebuffer(o, 0, 0, SIDE, SIDE, 0, 0, SIDE, SIDE, GL_COLOR_BUFFER_BIT,
                                 GL_NEAREST);
    gles2_pack_glBindFramebuffer(o, GL_READ_FRAMEBUFFER, to);
    gles2_pack_glReadPixels(o, 0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, SIDE * SIDE * 4);
    twin_send(t);
    SLT_ASSERT_EQ((size_t)SIDE * SIDE * 4, t->reply_size);
    memcpy(pixels, t->reply, (size_t)SIDE * SIDE * 4);
}

/* As a game draws: a colour and a depth of several samples, from which the picture comes. The
 * unnamed texture, which the samples pass through, holds what the guest put there. */
SLT_TEST_F(gles_save_samples, are_resolved_as_they_were, p)
{
    uint8_t want[SIDE * SIDE * 4], got[SIDE * SIDE * 4], data[16];
    struct sl_pack *o = twin_out(&p->one);
    const struct sl_gather pixels = sl_gather_flat(data, sizeof data);
    save_noise(data, sizeof data);
    gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, GL_RGBA8, 2, 2, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                            &pixels);
    uint32_t to = save_gen(&p->one, gles2_pack_glGenFramebuffers);
    uint32_t flat = save_gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, to);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, flat);
    gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, flat,
                                      0);
    uint32_t from = save_gen(&p->one, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, from);
    (void)renderbuffer(&p->one, GL_RGBA8, GL_COLOR_ATTACHMENT0);
    (void)renderbuffer(&p->one, GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL_ATTACHMENT);
    (void)noise_program(&p->one, COLOR(""), FLOATS, false);
    fill(&p->one, &formats[0], 3);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    resolve(&p->one, from, to, want);
    resolve(&p->other, from, to, got);
    SLT_EXPECT_MEMEQ(want, got, sizeof want);
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}

static void make_renderbuffer_alone(struct twin *t, const struct sampled *x)
{
    struct sl_pack *o = twin_out(t);
    framebuffer(t);
    uint32_t name = save_gen(t, gles2_pack_glGenRenderbuffers);
    gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, name);
    gles2_pack_glRenderbufferStorage(o, GL_RENDERBUFFER, x->internal, SIDE, SIDE);
    gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, x->attachment, GL_RENDERBUFFER, name);
    (void)noise_program(t, x->declared, x->write, false);
    fill(t, x, 11);
    SLT_ASSERT_EQ(0u, save_error(t));
}

SLT_TEST_FP(gles_save_samples, of_renderbuffers_alone, p, struct sampled, formats, x)
{
    make_renderbuffer_alone(&p->one, x);
    save_expect_twins(p);
    SLT_EXPECT_EQ(x->writes, count_of(&p->first, GLES2_OP_glSampleMaski) - 1);
}

/* No texture's name is borrowed where there never was one. */
SLT_TEST_F(gles_save_samples, of_renderbuffers_alone_use_no_names_up, p)
{
    make_renderbuffer_alone(&p->one, &formats[0]);
    SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    twin_play(&p->other, &p->first);
    SLT_EXPECT_EQ(1u, save_gen(&p->other, gles2_pack_glGenTextures));
}

/* Where nobody would be told of names that are used up, none are. */
SLT_TEST_F(gles_save_samples, are_left_out_where_nobody_knows_of_names, p)
{
    framebuffer(&p->one);
    (void)renderbuffer(&p->one, GL_RGBA8, GL_COLOR_ATTACHMENT0);
    uint32_t name = noise_program(&p->one, COLOR(""), FLOATS, true);
    fill(&p->one, &formats[0], 5);
    p->one.goes_on = true;
    SLT_EXPECT_LOG("gles", "leaves out the samples of renderbuffer");
    SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    gles2_pack_glCreateProgram(twin_out(&p->one));
    SLT_EXPECT_EQ(name + 1, twin_ask(&p->one));
}

static uint32_t new_program(struct twin *t)
{
    gles2_pack_glCreateProgram(twin_out(t));
    return twin_ask(t);
}

/* The guest goes on, and so does who plays what was saved: both hold the same, and the names that
 * they are given next are the same. */
static void expect_both_go_on(struct save_pair *p)
{
    struct twin_list did = {0};
    p->one.goes_on = true;
    p->one.did = &did;
    for (int32_t i = 0; i < 2; i++) { /* a snapshot that nobody plays from, and one */
        twin_list_finish(&p->first);
        twin_list_finish(&did);
        SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    }
    p->one.goes_on = false;
    twin_play(&p->other, &p->first);
    twin_play(&p->other, &did);
    twin_list_finish(&did);
    SLT_EXPECT_EQ(save_gen(&p->one, gles2_pack_glGenTextures),
                  save_gen(&p->other, gles2_pack_glGenTextures));
    SLT_EXPECT_EQ(save_gen(&p->one, gles2_pack_glGenBuffers),
                  save_gen(&p->other, gles2_pack_glGenBuffers));
    SLT_EXPECT_EQ(save_gen(&p->one, gles2_pack_glGenFramebuffers),
                  save_gen(&p->other, gles2_pack_glGenFramebuffers));
    SLT_EXPECT_EQ(new_program(&p->one), new_program(&p->other));
    SLT_ASSERT_OK(twin_save(&p->one, &p->again));
    SLT_ASSERT_OK(twin_save(&p->other, &p->played));
    twin_expect_equal(&p->again, &p->played);
}

SLT_TEST_FP(gles_save_samples, where_the_guest_goes_on, p, struct sampled, formats, x)
{
    framebuffer(&p->one);
    (void)texture(&p->one, x->internal, x->attachment);
    (void)noise_program(&p->one, x->declared, x->write, false);
    fill(&p->one, x, 8);
    framebuffer(&p->one);
    (void)renderbuffer(&p->one, x->internal, x->attachment);
    fill(&p->one, x, 12);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    expect_both_go_on(p);
    SLT_EXPECT_LE(2 * x->writes * SAMPLES, count_of(&p->first, GLES2_OP_glSampleMaski));
}

SLT_TEST_F(gles_save_samples, of_an_array_where_the_guest_goes_on, p)
{
    array(&p->one);
    expect_both_go_on(p);
    SLT_EXPECT_LE((size_t)LAYERS * SAMPLES, count_of(&p->first, GLES2_OP_glSampleMaski));
}

SLT_TEST_F(gles_save_samples, of_renderbuffers_alone_where_the_guest_goes_on, p)
{
    make_renderbuffer_alone(&p->one, &formats[0]);
    expect_both_go_on(p);
}
