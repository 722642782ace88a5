/* Snapshots of GLES contexts: a state is saved, played into a new host, and saved there again; both
 * lists are the same, byte for byte. Saving twice gives the same too: it changes nothing. */
#include "tests/support/gles_twin.h"
#include "tests/support/slt.h"
#include "wire/rc_pack.h"

#include <GLES2/gl2ext.h>
#include <string.h>

struct pair {
    struct twin one, other;
    struct twin_list first, again, played;
    uint32_t context;
};

static void pair_init(struct pair *p)
{
    twin_init(&p->one);
    twin_init(&p->other);
    p->context = twin_start(&p->one, 5);
}

static void pair_finish(struct pair *p)
{
    twin_finish(&p->other);
    twin_finish(&p->one);
    twin_list_finish(&p->first);
    twin_list_finish(&p->again);
    twin_list_finish(&p->played);
}

SLT_FIXTURE(gles_save, struct pair, pair_init, pair_finish);

static void expect_twins(struct pair *p)
{
    SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    {
        SLT_SCOPE("saved twice");
        SLT_ASSERT_OK(twin_save(&p->one, &p->again));
        twin_expect_equal(&p->first, &p->again);
    }
    twin_play(&p->other, &p->first);
    SLT_SCOPE("played");
    SLT_ASSERT_OK(twin_save(&p->other, &p->played));
    twin_expect_equal(&p->first, &p->played);
}

static GLint get(struct twin *t, GLenum name)
{
    gles2_pack_glGetIntegerv(twin_out(t), name, 4);
    return (GLint)twin_ask(t);
}

static uint32_t error(struct twin *t)
{
    gles2_pack_glGetError(twin_out(t));
    return twin_ask(t);
}

static uint32_t gen(struct twin *t, void (*pack)(struct sl_pack *, GLsizei, uint32_t))
{
    pack(twin_out(t), 1, 4);
    return twin_ask(t);
}

SLT_TEST_F(gles_save, what_was_never_used_is_saved, p)
{
    expect_twins(p);
    SLT_EXPECT_EQ(64, get(&p->other, GL_VIEWPORT) + 64);
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
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    SLT_EXPECT_EQ(GL_TEXTURE5, get(&p->other, GL_ACTIVE_TEXTURE));
    SLT_EXPECT_EQ(77, get(&p->other, GL_STENCIL_CLEAR_VALUE));
    SLT_EXPECT_EQ(7, get(&p->other, GL_PATCH_VERTICES));
    SLT_EXPECT_EQ(0u, error(&p->other));
}

SLT_TEST_F(gles_save, a_pending_error_stays_pending, p)
{
    gles2_pack_glEnable(twin_out(&p->one), 0xdead);
    twin_send(&p->one);
    SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    twin_play(&p->other, &p->first);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_ENUM, error(&p->one));
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_ENUM, error(&p->other));
    SLT_EXPECT_EQ(0u, error(&p->other));
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
    expect_twins(p);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        SLT_SCOPE("kind %zu", i);
        SLT_EXPECT_EQ(gen(&p->one, kinds[i].gen), gen(&p->other, kinds[i].gen));
    }
    gles2_pack_glCreateProgram(twin_out(&p->one));
    gles2_pack_glCreateProgram(twin_out(&p->other));
    SLT_EXPECT_EQ(twin_ask(&p->one), twin_ask(&p->other));
    rc_pack_rcCreateContext(twin_out(&p->one), 0, 0, 3);
    rc_pack_rcCreateContext(twin_out(&p->other), 0, 0, 3);
    SLT_EXPECT_EQ(twin_ask(&p->one), twin_ask(&p->other));
}

/* --- textures --- */

static void noise(uint8_t *data, size_t size)
{
    uint32_t state = 12345;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (uint8_t)(state >> 24);
    }
}

struct texel {
    const char *label;
    GLenum internal, format, type;
    uint32_t bytes;
    bool floats; /* the noise is finite numbers */
};
static const struct texel texels[] = {
    {"rgba", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, 4, false},
    {"rgba4444", GL_RGBA, GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4, 2, false},
    {"rgba5551", GL_RGBA, GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1, 2, false},
    {"rgb", GL_RGB, GL_RGB, GL_UNSIGNED_BYTE, 3, false},
    {"rgb565", GL_RGB, GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2, false},
    {"luminance", GL_LUMINANCE, GL_LUMINANCE, GL_UNSIGNED_BYTE, 1, false},
    {"luminance_alpha", GL_LUMINANCE_ALPHA, GL_LUMINANCE_ALPHA, GL_UNSIGNED_BYTE, 2, false},
    {"alpha", GL_ALPHA, GL_ALPHA, GL_UNSIGNED_BYTE, 1, false},
    {"bgra", GL_BGRA_EXT, GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, false},
    {"r8", GL_R8, GL_RED, GL_UNSIGNED_BYTE, 1, false},
    {"r8_snorm", GL_R8_SNORM, GL_RED, GL_BYTE, 1, false},
    {"rg8", GL_RG8, GL_RG, GL_UNSIGNED_BYTE, 2, false},
    {"rgb8", GL_RGB8, GL_RGB, GL_UNSIGNED_BYTE, 3, false},
    {"srgb8_alpha8", GL_SRGB8_ALPHA8, GL_RGBA, GL_UNSIGNED_BYTE, 4, false},
    {"rgb10_a2", GL_RGB10_A2, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV, 4, false},
    {"r32f", GL_R32F, GL_RED, GL_FLOAT, 4, true},
    {"rgba32f", GL_RGBA32F, GL_RGBA, GL_FLOAT, 16, true},
    {"rgba16f", GL_RGBA16F, GL_RGBA, GL_FLOAT, 16, true},
    {"r11f", GL_R11F_G11F_B10F, GL_RGB, GL_FLOAT, 12, true},
    {"rgb9_e5", GL_RGB9_E5, GL_RGB, GL_FLOAT, 12, true},
    {"r32ui", GL_R32UI, GL_RED_INTEGER, GL_UNSIGNED_INT, 4, false},
    {"rgba8i", GL_RGBA8I, GL_RGBA_INTEGER, GL_BYTE, 4, false},
    {"rgba16ui", GL_RGBA16UI, GL_RGBA_INTEGER, GL_UNSIGNED_SHORT, 8, false},
    {"depth16", GL_DEPTH_COMPONENT16, GL_DEPTH_COMPONENT, GL_UNSIGNED_SHORT, 2, false},
    {"depth24", GL_DEPTH_COMPONENT24, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT, 4, false},
    {"depth32f", GL_DEPTH_COMPONENT32F, GL_DEPTH_COMPONENT, GL_FLOAT, 4, true},
    {"depth24_stencil8", GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL, GL_UNSIGNED_INT_24_8, 4, false},
    {"stencil8", GL_STENCIL_INDEX8, GL_STENCIL_INDEX, GL_UNSIGNED_BYTE, 1, false},
};

static void texel_data(const struct texel *x, uint8_t *data, size_t count)
{
    noise(data, count * x->bytes);
    for (size_t i = 0; x->floats && i < count * x->bytes / 4; i++) {
        float value = (float)data[i * 4] / 256.0f;
        memcpy(data + i * 4, &value, 4);
    }
}

SLT_TEST_FP(gles_save, texels, p, struct texel, texels, x)
{
    enum { SIDE = 8 };
    uint8_t data[SIDE * SIDE * 16];
    struct sl_pack *o = twin_out(&p->one);
    texel_data(x, data, SIDE * SIDE);
    uint32_t name = gen(&p->one, gles2_pack_glGenTextures);
    const struct sl_gather pixels = sl_gather_flat(data, (size_t)SIDE * SIDE * x->bytes);
    const struct sl_gather small = sl_gather_flat(data + 5, (size_t)4 * 4 * x->bytes);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    gles2_pack_glPixelStorei(o, GL_UNPACK_ALIGNMENT, 1);
    gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, (GLint)x->internal, SIDE, SIDE, 0, x->format,
                            x->type, &pixels);
    if (!x->floats) {
        gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 1, (GLint)x->internal, 4, 4, 0, x->format,
                                x->type, &small);
    }
    gles2_pack_glTexParameteri(o, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)name, get(&p->other, GL_TEXTURE_BINDING_2D));
}

struct shape {
    const char *label;
    GLenum target;
    bool layered;
    int32_t depth;
};
static const struct shape shapes[] = {{"flat", GL_TEXTURE_2D, false, 1},
                                      {"cube", GL_TEXTURE_CUBE_MAP, false, 1},
                                      {"deep", GL_TEXTURE_3D, true, 4},
                                      {"array", GL_TEXTURE_2D_ARRAY, true, 5},
                                      {"cubes", GL_TEXTURE_CUBE_MAP_ARRAY, true, 12}};

SLT_TEST_FP(gles_save, textures_of_every_target, p, struct shape, shapes, x)
{
    enum { SIDE = 8 };
    uint8_t data[SIDE * SIDE * 12 * 4];
    struct sl_pack *o = twin_out(&p->one);
    noise(data, sizeof data);
    uint32_t name = gen(&p->one, gles2_pack_glGenTextures);
    bool cube = x->target == GL_TEXTURE_CUBE_MAP;
    gles2_pack_glActiveTexture(o, GL_TEXTURE3);
    gles2_pack_glBindTexture(o, x->target, name);
    if (x->layered) {
        gles2_pack_glTexStorage3D(o, x->target, 2, GL_RGBA8, SIDE, SIDE, x->depth);
    } else {
        gles2_pack_glTexStorage2D(o, x->target, 2, GL_RGBA8, SIDE, SIDE);
    }
    for (GLenum face = 0; face < (cube ? 6u : 1u); face++) {
        const struct sl_gather pixels =
            sl_gather_flat(data + face, (size_t)SIDE * SIDE * 4 * (uint32_t)x->depth);
        GLenum to = cube ? GL_TEXTURE_CUBE_MAP_POSITIVE_X + face : x->target;
        if (x->layered) {
            gles2_pack_glTexSubImage3D(o, to, 0, 0, 0, 0, SIDE, SIDE, x->depth, GL_RGBA,
                                       GL_UNSIGNED_BYTE, &pixels);
        } else {
            gles2_pack_glTexSubImage2D(o, to, 0, 0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE,
                                       &pixels);
        }
    }
    gles2_pack_glGenerateMipmap(o, x->target);
    gles2_pack_glTexParameteri(o, x->target, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    gles2_pack_glTexParameteri(o, x->target, GL_TEXTURE_SWIZZLE_G, GL_ALPHA);
    gles2_pack_glTexParameterf(o, x->target, GL_TEXTURE_MIN_LOD, -3.5f);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
}

SLT_TEST_F(gles_save, compressed_textures, p)
{
    uint8_t data[64];
    struct sl_pack *o = twin_out(&p->one);
    noise(data, sizeof data);
    uint32_t name = gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    gles2_pack_glCompressedTexImage2D(o, GL_TEXTURE_2D, 0, GL_COMPRESSED_RGB8_ETC2, 8, 8, 0, 32,
                                      data, 32);
    gles2_pack_glCompressedTexImage2D(o, GL_TEXTURE_2D, 1, GL_COMPRESSED_RGB8_ETC2, 4, 4, 0, 8,
                                      data + 3, 8);
    name = gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    gles2_pack_glCompressedTexImage2D(o, GL_TEXTURE_2D, 0, GL_COMPRESSED_RGBA8_ETC2_EAC, 8, 8, 0,
                                      64, data, 64);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
}

/* --- buffers, arrays --- */

static uint32_t buffer(struct twin *t, GLenum target, size_t size, GLenum usage)
{
    uint8_t data[4096];
    noise(data, size);
    uint32_t name = gen(t, gles2_pack_glGenBuffers);
    gles2_pack_glBindBuffer(twin_out(t), target, name);
    gles2_pack_glBufferData(twin_out(t), target, (GLsizeiptr)size, data, (uint32_t)size, usage);
    twin_send(t);
    return name;
}

SLT_TEST_F(gles_save, buffers_and_their_bindings, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t a = buffer(&p->one, GL_ARRAY_BUFFER, 4000, GL_DYNAMIC_DRAW);
    uint32_t b = buffer(&p->one, GL_UNIFORM_BUFFER, 1024, GL_STATIC_READ);
    uint32_t c = buffer(&p->one, GL_COPY_WRITE_BUFFER, 64, GL_STREAM_COPY);
    gles2_pack_glBindBufferRange(o, GL_UNIFORM_BUFFER, 2, b, 256, 512);
    gles2_pack_glBindBufferBase(o, GL_SHADER_STORAGE_BUFFER, 1, a);
    gles2_pack_glBindBufferBase(o, GL_TRANSFORM_FEEDBACK_BUFFER, 0, c);
    gles2_pack_glBindBuffer(o, GL_DRAW_INDIRECT_BUFFER, c);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)b, get(&p->other, GL_UNIFORM_BUFFER_BINDING));
    SLT_EXPECT_EQ((GLint)c, get(&p->other, GL_DRAW_INDIRECT_BUFFER_BINDING));
}

SLT_TEST_F(gles_save, vertex_arrays, p)
{
    static const float corners[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    struct sl_pack *o = twin_out(&p->one);
    const struct sl_gather data = sl_gather_flat(corners, sizeof corners);
    uint32_t a = buffer(&p->one, GL_ARRAY_BUFFER, 400, GL_STATIC_DRAW);
    uint32_t e = buffer(&p->one, GL_ELEMENT_ARRAY_BUFFER, 40, GL_STATIC_DRAW);
    gles2_pack_glVertexAttribPointerOffset(o, 2, 3, GL_SHORT, 1, 16, 8);
    gles2_pack_glEnableVertexAttribArray(o, 2);
    gles2_pack_glVertexAttribPointerData(o, 1, 4, GL_FLOAT, 0, 16, &data, sizeof corners);
    gles2_pack_glEnableVertexAttribArray(o, 1);
    gles2_pack_glEnableVertexAttribArray(o, 7); /* from nowhere */
    uint32_t v = gen(&p->one, gles2_pack_glGenVertexArrays);
    gles2_pack_glBindVertexArray(o, v);
    gles2_pack_glBindBuffer(o, GL_ELEMENT_ARRAY_BUFFER, e);
    gles2_pack_glVertexAttribIPointerOffsetAEMU(o, 0, 2, GL_UNSIGNED_BYTE, 0, 4);
    gles2_pack_glVertexAttribDivisor(o, 0, 3);
    gles2_pack_glEnableVertexAttribArray(o, 0);
    uint32_t w = gen(&p->one, gles2_pack_glGenVertexArrays);
    gles2_pack_glBindVertexArray(o, w);
    gles2_pack_glBindVertexBuffer(o, 5, a, 12, 20);
    gles2_pack_glVertexBindingDivisor(o, 5, 2);
    gles2_pack_glVertexAttribFormat(o, 3, 2, GL_FLOAT, 0, 8);
    gles2_pack_glVertexAttribBinding(o, 3, 5);
    gles2_pack_glEnableVertexAttribArray(o, 3);
    gles2_pack_glBindVertexArray(o, v);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)v, get(&p->other, GL_VERTEX_ARRAY_BINDING));
}

/* --- programs --- */

static const char vertex_text[] =
    "#version 310 es\n"
    "in vec4 p; in vec4 q; uniform mat4 m; uniform vec3 list[4]; uniform bvec2 b;\n"
    "layout(std140) uniform block { vec4 color; } bl; out vec4 k; out float captured;\n"
    "void main() { gl_Position = m * p + vec4(list[1] + list[3], 0.0); captured = p.x;\n"
    "k = b.x ? q : bl.color; }\n";
static const char fragment_text[] =
    "#version 310 es\nprecision mediump float; in vec4 k; uniform sampler2D s; uniform uint u;\n"
    "uniform struct { float a; int b; } st[2]; out vec4 c;\n"
    "void main() { c = k + texture(s, k.xy) + vec4(float(u) + st[1].a + float(st[0].b)); }\n";

static uint32_t shader(struct twin *t, GLenum type, const char *text)
{
    uint32_t size = (uint32_t)strlen(text) + 1;
    gles2_pack_glCreateShader(twin_out(t), type);
    uint32_t name = twin_ask(t);
    gles2_pack_glShaderString(twin_out(t), name, text, size, (GLsizei)size);
    gles2_pack_glCompileShader(twin_out(t), name);
    twin_send(t);
    return name;
}

static GLint location(struct twin *t, uint32_t program, const char *name)
{
    gles2_pack_glGetUniformLocation(twin_out(t), program, name, (uint32_t)strlen(name) + 1);
    return (GLint)twin_ask(t);
}

static void expect_linked(struct twin *t, uint32_t program)
{
    gles2_pack_glGetProgramiv(twin_out(t), program, GL_LINK_STATUS, 4);
    SLT_ASSERT_EQ(1u, twin_ask(t));
}

/* Linked from shaders that are gone, all its uniforms set. */
static uint32_t program(struct twin *t)
{
    uint32_t v = shader(t, GL_VERTEX_SHADER, vertex_text),
             f = shader(t, GL_FRAGMENT_SHADER, fragment_text);
    struct sl_pack *o = twin_out(t);
    gles2_pack_glCreateProgram(o);
    uint32_t name = twin_ask(t);
    gles2_pack_glAttachShader(o, name, v);
    gles2_pack_glAttachShader(o, name, f);
    gles2_pack_glBindAttribLocation(o, name, 5, "p", 2);
    gles2_pack_glBindAttribLocation(o, name, 3, "q", 2);
    gles2_pack_glTransformFeedbackVaryingsAEMU(o, name, 1, "captured;", 9, 9, GL_SEPARATE_ATTRIBS);
    gles2_pack_glLinkProgram(o, name);
    gles2_pack_glBindAttribLocation(o, name, 6, "p", 2); /* for a link that does not come */
    gles2_pack_glDetachShader(o, name, v);
    gles2_pack_glDetachShader(o, name, f);
    gles2_pack_glDeleteShader(o, v);
    gles2_pack_glDeleteShader(o, f);
    gles2_pack_glUseProgram(o, name);
    twin_send(t);
    expect_linked(t, name);
    float matrix[16], three[12];
    for (int i = 0; i < 16; i++) {
        matrix[i] = (float)i / 3;
        three[i % 12] = (float)i / 7;
    }
    GLint m = location(t, name, "m"), list = location(t, name, "list"), b = location(t, name, "b"),
          s = location(t, name, "s"), u = location(t, name, "u"), a = location(t, name, "st[1].a");
    gles2_pack_glUniformMatrix4fv(o, m, 1, 0, matrix, sizeof matrix);
    gles2_pack_glUniform3fv(o, list, 4, three, sizeof three);
    gles2_pack_glUniform2i(o, b, 1, 0);
    gles2_pack_glUniform1i(o, s, 4);
    gles2_pack_glUniform1ui(o, u, 4000000000u);
    gles2_pack_glUniform1f(o, a, 0.125f);
    gles2_pack_glUniformBlockBinding(o, name, 0, 3);
    twin_send(t);
    return name;
}

SLT_TEST_F(gles_save, programs_whose_shaders_are_gone, p)
{
    uint32_t name = program(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    expect_linked(&p->other, name);
    SLT_EXPECT_EQ(location(&p->one, name, "list[3]"), location(&p->other, name, "list[3]"));
    gles2_pack_glGetAttribLocation(twin_out(&p->other), name, "p", 2);
    SLT_EXPECT_EQ(5u, twin_ask(&p->other));
    gles2_pack_glGetUniformuiv(twin_out(&p->other), name, location(&p->one, name, "u"), 4);
    SLT_EXPECT_EQ(4000000000u, twin_ask(&p->other));
    SLT_EXPECT_EQ(0u, error(&p->other));
}

SLT_TEST_F(gles_save, programs_that_wait_for_their_end, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t name = program(&p->one);
    uint32_t v = shader(&p->one, GL_VERTEX_SHADER, vertex_text);
    gles2_pack_glCreateProgram(o);
    uint32_t other = twin_ask(&p->one);
    gles2_pack_glAttachShader(o, other, v);
    gles2_pack_glDeleteShader(o, v);
    gles2_pack_glDeleteProgram(o, name); /* in use */
    (void)shader(&p->one, GL_FRAGMENT_SHADER, "no program at all");
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)name, get(&p->other, GL_CURRENT_PROGRAM));
    gles2_pack_glUseProgram(twin_out(&p->other), 0);
    gles2_pack_glIsProgram(twin_out(&p->other), name);
    twin_send(&p->other);
    SLT_EXPECT_EQ(0, p->other.reply[0]);
}

SLT_TEST_F(gles_save, pipelines_and_feedbacks, p)
{
    static const char text[] = "#version 310 es\nuniform float f; void main() { gl_Position = "
                               "vec4(f); }";
    struct sl_pack *o = twin_out(&p->one);
    gles2_pack_glCreateShaderProgramvAEMU(o, GL_VERTEX_SHADER, 1, text, sizeof text, sizeof text);
    uint32_t v = twin_ask(&p->one);
    uint32_t pipeline = gen(&p->one, gles2_pack_glGenProgramPipelines);
    gles2_pack_glUseProgramStages(o, pipeline, GL_VERTEX_SHADER_BIT, v);
    gles2_pack_glBindProgramPipeline(o, pipeline);
    gles2_pack_glProgramUniform1f(o, v, location(&p->one, v, "f"), 0.75f);
    uint32_t feedback = gen(&p->one, gles2_pack_glGenTransformFeedbacks);
    uint32_t b = buffer(&p->one, GL_ARRAY_BUFFER, 256, GL_STATIC_DRAW);
    gles2_pack_glBindTransformFeedback(o, GL_TRANSFORM_FEEDBACK, feedback);
    gles2_pack_glBindBufferRange(o, GL_TRANSFORM_FEEDBACK_BUFFER, 1, b, 16, 64);
    gles2_pack_glBindTransformFeedback(o, GL_TRANSFORM_FEEDBACK, 0);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)pipeline, get(&p->other, GL_PROGRAM_PIPELINE_BINDING));
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
    (void)gen(&p->one, gles2_pack_glGenTextures);
    uint32_t name = gen(&p->one, gles2_pack_glGenRenderbuffers);
    gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, name);
    gles2_pack_glRenderbufferStorage(o, GL_RENDERBUFFER, x->internal, 32, 32);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 2);
    gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, x->attachment, GL_RENDERBUFFER, name);
    draw_rectangles(&p->one, x->internal);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
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
    uint32_t name = gen(&p->one, gles2_pack_glGenFramebuffers);
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
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)name, get(&p->other, GL_DRAW_FRAMEBUFFER_BINDING));
    SLT_EXPECT_EQ(0, get(&p->other, GL_READ_FRAMEBUFFER_BINDING));
}

SLT_TEST_F(gles_save, window_surfaces_with_depth_and_stencil, p)
{
    uint8_t pixels[2][64 * 48 * 4];
    struct twin *both[2] = {&p->one, &p->other};
    draw_rectangles(&p->one, GL_RGBA8);
    twin_send(&p->one);
    expect_twins(p);
    for (int i = 0; i < 2; i++) {
        gles2_pack_glReadPixels(twin_out(both[i]), 0, 0, 64, 48, GL_RGBA, GL_UNSIGNED_BYTE,
                                sizeof pixels[0]);
        twin_send(both[i]);
        memcpy(pixels[i], both[i]->reply, sizeof pixels[0]);
    }
    SLT_EXPECT_MEMEQ(pixels[0], pixels[1], sizeof pixels[0]);
    SLT_EXPECT_EQ(0x40, pixels[1][0]);
}

/* --- several contexts, fences --- */

SLT_TEST_F(gles_save, contexts_that_share, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t b = buffer(&p->one, GL_ARRAY_BUFFER, 100, GL_STATIC_DRAW);
    rc_pack_rcCreateContext(o, 0xffffffff, p->context, 5);
    uint32_t second = twin_ask(&p->one);
    SLT_ASSERT_NE(0u, second);
    rc_pack_rcMakeCurrent(o, second, 0, 0);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    gles2_pack_glBindBuffer(o, GL_ARRAY_BUFFER, b);
    gles2_pack_glEnable(o, GL_BLEND);
    uint32_t vao = gen(&p->one, gles2_pack_glGenVertexArrays);
    gles2_pack_glBindVertexArray(o, vao);
    uint32_t fb = gen(&p->one, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, fb);
    gles2_pack_glFenceSyncAEMU(o, GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    uint32_t fence = twin_ask(&p->one);
    rc_pack_rcCreateContext(o, 0xffffffff, 0, 5); /* of its own, never current */
    (void)twin_ask(&p->one);
    rc_pack_rcCreateSyncKHR(o, EGL_SYNC_FENCE_KHR, NULL, 0, 0, 1, 8, 8);
    (void)twin_ask(&p->one);
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)b, get(&p->other, GL_ARRAY_BUFFER_BINDING));
    SLT_EXPECT_EQ((GLint)fb, get(&p->other, GL_FRAMEBUFFER_BINDING));
    gles2_pack_glIsSyncAEMU(twin_out(&p->other), fence);
    twin_send(&p->other);
    SLT_EXPECT_EQ(1, p->other.reply[0]);
}

SLT_TEST_F(gles_save, rings_with_a_context_each, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t b = buffer(&p->one, GL_ARRAY_BUFFER, 100, GL_STATIC_DRAW);
    rc_pack_rcCreateContext(o, 0xffffffff, p->context, 5);
    uint32_t second = twin_ask(&p->one);
    p->one.at = 1;
    rc_pack_rcMakeCurrent(o, second, 0, 0);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    gles2_pack_glBindBuffer(o, GL_COPY_READ_BUFFER, b);
    rc_pack_rcCreateSyncKHR(o, EGL_SYNC_FENCE_KHR, NULL, 0, 0, 1, 8, 8); /* kept by this ring */
    (void)twin_ask(&p->one);
    p->one.at = 0;
    expect_twins(p);
    SLT_EXPECT_EQ((GLint)b, get(&p->other, GL_ARRAY_BUFFER_BINDING));
    SLT_EXPECT_EQ(0, get(&p->other, GL_COPY_READ_BUFFER_BINDING));
    p->other.at = 1;
    SLT_EXPECT_EQ((GLint)b, get(&p->other, GL_COPY_READ_BUFFER_BINDING));
    SLT_EXPECT_EQ(0, get(&p->other, GL_ARRAY_BUFFER_BINDING));
}

/* --- storage of others --- */

enum { SHARED_SIDE = 8, SHARED_BYTES = SHARED_SIDE * SHARED_SIDE * 4 };

/* What the 2D texture shows. */
static void read_texture(struct twin *t, uint32_t texture, uint8_t pixels[SHARED_BYTES])
{
    struct sl_pack *o = twin_out(t);
    uint32_t name = gen(t, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, name);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D,
                                      texture, 0);
    gles2_pack_glReadPixels(o, 0, 0, SHARED_SIDE, SHARED_SIDE, GL_RGBA, GL_UNSIGNED_BYTE,
                            SHARED_BYTES);
    twin_send(t);
    SLT_ASSERT_EQ((uint32_t)SHARED_BYTES, t->reply_size);
    memcpy(pixels, t->reply, SHARED_BYTES);
}

SLT_TEST_F(gles_save, a_texture_over_a_colour_buffer_stays_one, p)
{
    uint8_t pixels[SHARED_BYTES], got[SHARED_BYTES];
    struct sl_pack *o = twin_out(&p->one);
    noise(pixels, sizeof pixels);
    rc_pack_rcCreateColorBuffer(o, SHARED_SIDE, SHARED_SIDE, GL_RGBA);
    uint32_t handle = twin_ask(&p->one);
    uint32_t name = gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    rc_pack_rcBindTexture(o, handle);
    rc_pack_rcUpdateColorBuffer(o, handle, 0, 0, SHARED_SIDE, SHARED_SIDE, GL_RGBA,
                                GL_UNSIGNED_BYTE, pixels, sizeof pixels);
    twin_send(&p->one);
    expect_twins(p);
    read_texture(&p->other, name, got);
    SLT_EXPECT_MEMEQ(pixels, got, sizeof pixels);
    pixels[17] ^= 0xff;
    rc_pack_rcUpdateColorBuffer(twin_out(&p->other), handle, 0, 0, SHARED_SIDE, SHARED_SIDE,
                                GL_RGBA, GL_UNSIGNED_BYTE, pixels, sizeof pixels);
    twin_send(&p->other);
    read_texture(&p->other, name, got);
    SLT_EXPECT_MEMEQ(pixels, got, sizeof pixels);
}

SLT_TEST_F(gles_save, a_texture_over_an_image_stays_one, p)
{
    uint8_t pixels[SHARED_BYTES], got[SHARED_BYTES];
    struct sl_pack *o = twin_out(&p->one);
    const struct sl_gather all = sl_gather_flat(pixels, sizeof pixels);
    noise(pixels, sizeof pixels);
    gles2_pack_glGenTextures(o, 2, 8);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, 2);
    gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, GL_RGBA, SHARED_SIDE, SHARED_SIDE, 0, GL_RGBA,
                            GL_UNSIGNED_BYTE, &all);
    gles2_pack_glTexParameteri(o, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    rc_pack_rcCreateClientImage(o, p->context, EGL_GL_TEXTURE_2D_KHR, 2);
    uint32_t image = twin_ask(&p->one);
    SLT_ASSERT_NE(0u, image);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, 1);
    gles2_pack_glEGLImageTargetTexture2DOES(o, GL_TEXTURE_2D, image);
    gles2_pack_glTexParameteri(o, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, error(&p->one));
    expect_twins(p);
    pixels[40] ^= 0xff;
    o = twin_out(&p->other);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, 2);
    gles2_pack_glTexSubImage2D(o, GL_TEXTURE_2D, 0, 0, 0, SHARED_SIDE, SHARED_SIDE, GL_RGBA,
                               GL_UNSIGNED_BYTE, &all);
    twin_send(&p->other);
    read_texture(&p->other, 1, got);
    SLT_EXPECT_MEMEQ(pixels, got, sizeof pixels);
}

/* --- what no packets lead to --- */

SLT_TEST_F(gles_save, says_what_cannot_be_saved, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t v = gen(&p->one, gles2_pack_glGenVertexArrays);
    uint32_t b = buffer(&p->one, GL_ARRAY_BUFFER, 64, GL_STATIC_DRAW);
    gles2_pack_glBindVertexArray(o, v);
    gles2_pack_glVertexAttribPointerOffset(o, 0, 4, GL_FLOAT, 0, 0, 0);
    gles2_pack_glEnableVertexAttribArray(o, 0);
    gles2_pack_glBindVertexArray(o, 0);
    gles2_pack_glDeleteBuffers(o, 1, &b, 4);
    twin_send(&p->one);
    SLT_EXPECT_LOG("gles", "which was deleted");
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, twin_save(&p->one, &p->first));
    SLT_EXPECT_EQ(0, get(&p->one, GL_VERTEX_ARRAY_BINDING));
    SLT_EXPECT_EQ(0u, error(&p->one));
}
