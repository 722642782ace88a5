/* Snapshots of the objects of a GLES share group: buffers, programs, what others share. */
#include "host/gles/hgl_group.h"
#include "tests/support/gles_save_pair.h"
#include "tests/support/slt.h"
#include "transport/base/mem.h"
#include "wire/glesx_pack.h"
#include "wire/rc_pack.h"

#include <GLES2/gl2ext.h>
#include <string.h>

SLT_FIXTURE(gles_save_objects, struct save_pair, save_pair_init, save_pair_finish);

/* --- buffers, arrays --- */

SLT_TEST_F(gles_save_objects, buffers_and_their_bindings, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t a = save_buffer(&p->one, GL_ARRAY_BUFFER, 4000, GL_DYNAMIC_DRAW);
    uint32_t b = save_buffer(&p->one, GL_UNIFORM_BUFFER, 1024, GL_STATIC_READ);
    uint32_t c = save_buffer(&p->one, GL_COPY_WRITE_BUFFER, 64, GL_STREAM_COPY);
    gles2_pack_glBindBufferRange(o, GL_UNIFORM_BUFFER, 2, b, 256, 512);
    gles2_pack_glBindBufferBase(o, GL_SHADER_STORAGE_BUFFER, 1, a);
    gles2_pack_glBindBufferBase(o, GL_TRANSFORM_FEEDBACK_BUFFER, 0, c);
    gles2_pack_glBindBuffer(o, GL_DRAW_INDIRECT_BUFFER, c);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)b, save_get(&p->other, GL_UNIFORM_BUFFER_BINDING));
    SLT_EXPECT_EQ((GLint)c, save_get(&p->other, GL_DRAW_INDIRECT_BUFFER_BINDING));
}

SLT_TEST_F(gles_save_objects, vertex_arrays, p)
{
    static const float corners[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    struct sl_pack *o = twin_out(&p->one);
    const struct sl_gather data = sl_gather_flat(corners, sizeof corners);
    uint32_t a = save_buffer(&p->one, GL_ARRAY_BUFFER, 400, GL_STATIC_DRAW);
    uint32_t e = save_buffer(&p->one, GL_ELEMENT_ARRAY_BUFFER, 40, GL_STATIC_DRAW);
    gles2_pack_glVertexAttribPointerOffset(o, 2, 3, GL_SHORT, 1, 16, 8);
    gles2_pack_glEnableVertexAttribArray(o, 2);
    gles2_pack_glVertexAttribPointerData(o, 1, 4, GL_FLOAT, 0, 16, &data, sizeof corners);
    gles2_pack_glEnableVertexAttribArray(o, 1);
    gles2_pack_glEnableVertexAttribArray(o, 7); /* from nowhere */
    uint32_t v = save_gen(&p->one, gles2_pack_glGenVertexArrays);
    gles2_pack_glBindVertexArray(o, v);
    gles2_pack_glBindBuffer(o, GL_ELEMENT_ARRAY_BUFFER, e);
    gles2_pack_glVertexAttribIPointerOffsetAEMU(o, 0, 2, GL_UNSIGNED_BYTE, 0, 4);
    gles2_pack_glVertexAttribDivisor(o, 0, 3);
    gles2_pack_glEnableVertexAttribArray(o, 0);
    uint32_t w = save_gen(&p->one, gles2_pack_glGenVertexArrays);
    gles2_pack_glBindVertexArray(o, w);
    gles2_pack_glBindVertexBuffer(o, 5, a, 12, 20);
    gles2_pack_glVertexBindingDivisor(o, 5, 2);
    gles2_pack_glVertexAttribFormat(o, 3, 2, GL_FLOAT, 0, 8);
    gles2_pack_glVertexAttribBinding(o, 3, 5);
    gles2_pack_glEnableVertexAttribArray(o, 3);
    gles2_pack_glBindVertexArray(o, v);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)v, save_get(&p->other, GL_VERTEX_ARRAY_BINDING));
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
    uint32_t v = twin_shader(t, GL_VERTEX_SHADER, vertex_text),
             f = twin_shader(t, GL_FRAGMENT_SHADER, fragment_text);
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

SLT_TEST_F(gles_save_objects, programs_whose_shaders_are_gone, p)
{
    uint32_t name = program(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    expect_linked(&p->other, name);
    SLT_EXPECT_EQ(location(&p->one, name, "list[3]"), location(&p->other, name, "list[3]"));
    gles2_pack_glGetAttribLocation(twin_out(&p->other), name, "p", 2);
    SLT_EXPECT_EQ(5u, twin_ask(&p->other));
    gles2_pack_glGetUniformuiv(twin_out(&p->other), name, location(&p->one, name, "u"), 4);
    SLT_EXPECT_EQ(4000000000u, twin_ask(&p->other));
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}

/* More often than a program keeps wishes: what a link took the place of is not kept. */
SLT_TEST_F(gles_save_objects, a_program_that_is_linked_again_and_again, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t v = twin_shader(&p->one, GL_VERTEX_SHADER, vertex_text),
             f = twin_shader(&p->one, GL_FRAGMENT_SHADER, fragment_text);
    gles2_pack_glCreateProgram(o);
    uint32_t name = twin_ask(&p->one);
    gles2_pack_glAttachShader(o, name, v);
    for (uint32_t i = 0; i < 5000; i++) {
        gles2_pack_glBindAttribLocation(o, name, i % 7, "p", 2);
        gles2_pack_glLinkProgram(o, name); /* soon over: half of it is missing */
    }
    gles2_pack_glAttachShader(o, name, f);
    gles2_pack_glBindAttribLocation(o, name, 5, "p", 2);
    gles2_pack_glLinkProgram(o, name);
    expect_linked(&p->one, name);
    save_expect_twins(p);
    gles2_pack_glLinkProgram(twin_out(&p->other), name);
    gles2_pack_glGetAttribLocation(twin_out(&p->other), name, "p", 2);
    SLT_EXPECT_EQ(5u, twin_ask(&p->other));
}

/* --- queries --- */

/* Draws a point into a framebuffer of its own. */
static void draw_a_point(struct twin *t)
{
    struct sl_pack *o = twin_out(t);
    uint32_t f = save_gen(t, gles2_pack_glGenFramebuffers),
             x = save_gen(t, gles2_pack_glGenTextures);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, f);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, x);
    gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, 1, GL_RGBA8, 8, 8);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, x, 0);
    gles2_pack_glViewport(o, 0, 0, 8, 8);
    uint32_t v = twin_shader(t, GL_VERTEX_SHADER,
                             "#version 300 es\nvoid main() { gl_Position = vec4(0, 0, 0, 1);"
                             "gl_PointSize = 4.0; }\n"),
             c = twin_shader(t, GL_FRAGMENT_SHADER,
                             "#version 300 es\nprecision mediump float; out vec4 c;\n"
                             "void main() { c = vec4(1); }\n");
    gles2_pack_glCreateProgram(o);
    uint32_t name = twin_ask(t);
    gles2_pack_glAttachShader(o, name, v);
    gles2_pack_glAttachShader(o, name, c);
    gles2_pack_glLinkProgram(o, name);
    gles2_pack_glUseProgram(o, name);
    gles2_pack_glDrawArrays(o, GL_POINTS, 0, 1);
    twin_send(t);
}

static uint32_t result_of(struct twin *t, uint32_t query, GLenum what)
{
    gles2_pack_glGetQueryObjectuiv(twin_out(t), query, what, 4);
    return twin_ask(t);
}

/* One that has counted something, one that has not, one that goes on and has by then. */
SLT_TEST_F(gles_save_objects, queries_have_their_results, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t names[3];
    for (int i = 0; i < 3; i++) {
        names[i] = save_gen(&p->one, gles2_pack_glGenQueries);
    }
    gles2_pack_glBeginQuery(o, GL_ANY_SAMPLES_PASSED, names[0]);
    draw_a_point(&p->one);
    gles2_pack_glEndQuery(o, GL_ANY_SAMPLES_PASSED);
    gles2_pack_glBeginQuery(o, GL_ANY_SAMPLES_PASSED, names[1]);
    gles2_pack_glEndQuery(o, GL_ANY_SAMPLES_PASSED);
    gles2_pack_glBeginQuery(o, GL_ANY_SAMPLES_PASSED_CONSERVATIVE, names[2]);
    draw_a_point(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    struct twin *both[] = {&p->one, &p->other};
    for (int i = 0; i < 2; i++) {
        struct twin *t = both[i];
        SLT_EXPECT_EQ(1u, result_of(t, names[0], GL_QUERY_RESULT_AVAILABLE));
        SLT_EXPECT_EQ(1u, result_of(t, names[0], GL_QUERY_RESULT));
        SLT_EXPECT_EQ(0u, result_of(t, names[1], GL_QUERY_RESULT));
        SLT_EXPECT_EQ(0u, save_error(t));
        (void)result_of(t, names[2], GL_QUERY_RESULT); /* it goes on */
        SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, save_error(t));
        gles2_pack_glEndQuery(twin_out(t), GL_ANY_SAMPLES_PASSED_CONSERVATIVE);
        SLT_EXPECT_EQ(1u, result_of(t, names[2], GL_QUERY_RESULT));
        gles2_pack_glBeginQuery(twin_out(t), GL_ANY_SAMPLES_PASSED, names[0]);
        gles2_pack_glEndQuery(twin_out(t), GL_ANY_SAMPLES_PASSED);
        SLT_EXPECT_EQ(0u, result_of(t, names[0], GL_QUERY_RESULT));
        SLT_EXPECT_EQ(0u, save_error(t));
    }
}

/* What the driver refused to begin does not count. */
SLT_TEST_F(gles_save_objects, a_query_that_goes_on_counts_what_it_began_with, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t name = save_gen(&p->one, gles2_pack_glGenQueries);
    gles2_pack_glBeginQuery(o, GL_TIME_ELAPSED_EXT, name);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    glesx_pack_glQueryCounterEXT(o, name, GL_TIMESTAMP_EXT);
    SLT_ASSERT_EQ((uint32_t)GL_INVALID_OPERATION, save_error(&p->one));
    SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    twin_play(&p->other, &p->first);
    struct twin *both[] = {&p->one, &p->other};
    for (int i = 0; i < 2; i++) {
        struct twin *t = both[i];
        gles2_pack_glGetQueryiv(twin_out(t), GL_TIME_ELAPSED_EXT, GL_CURRENT_QUERY, 4);
        SLT_EXPECT_EQ(name, twin_ask(t));
        gles2_pack_glEndQuery(twin_out(t), GL_TIME_ELAPSED_EXT);
        SLT_EXPECT_EQ(0u, save_error(t));
        SLT_EXPECT_NE(0u, result_of(t, name, GL_QUERY_RESULT));
        gles2_pack_glDeleteQueries(twin_out(t), 1, &name, 4);
        SLT_EXPECT_EQ(0u, save_error(t));
    }
}

SLT_TEST_F(gles_save_objects, results_are_of_queries, p)
{
    uint32_t name = save_gen(&p->one, gles2_pack_glGenQueries);
    gles2_pack_glBeginQuery(twin_out(&p->one), GL_ANY_SAMPLES_PASSED, name);
    gles2_pack_glEndQuery(twin_out(&p->one), GL_ANY_SAMPLES_PASSED);
    twin_send(&p->one);
    save_expect_twins(p);
    glesx_pack_glQueryResultSLUICE(twin_out(&p->other), name, 1ull << 40, GL_FALSE);
    glesx_pack_glQueryResultSLUICE(twin_out(&p->other), name + 1, 7, GL_FALSE);
    SLT_EXPECT_EQ(UINT32_MAX, result_of(&p->other, name, GL_QUERY_RESULT));
    SLT_EXPECT_EQ(0u, save_error(&p->other));
    (void)result_of(&p->other, name + 1, GL_QUERY_RESULT);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, save_error(&p->other));
}

SLT_TEST_F(gles_save_objects, programs_that_wait_for_their_end, p)
{
    struct sl_pack *o = twin_out(&p->one);
    uint32_t name = program(&p->one);
    uint32_t v = twin_shader(&p->one, GL_VERTEX_SHADER, vertex_text);
    gles2_pack_glCreateProgram(o);
    uint32_t other = twin_ask(&p->one);
    gles2_pack_glAttachShader(o, other, v);
    gles2_pack_glDeleteShader(o, v);
    gles2_pack_glDeleteProgram(o, name); /* in use */
    (void)twin_shader(&p->one, GL_FRAGMENT_SHADER, "no program at all");
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)name, save_get(&p->other, GL_CURRENT_PROGRAM));
    gles2_pack_glUseProgram(twin_out(&p->other), 0);
    gles2_pack_glIsProgram(twin_out(&p->other), name);
    twin_send(&p->other);
    SLT_EXPECT_EQ(0, p->other.reply[0]);
}

/* What is kept of a program that was deleted while in use goes with the next link, once it is not
 * in use any more. */
SLT_TEST_F(gles_save_objects, programs_that_have_ended_are_forgotten, p)
{
    uint32_t last = program(&p->one); /* in use */
    uint64_t before = 0;
    for (int i = 0; i < 20; i++) {
        gles2_pack_glDeleteProgram(twin_out(&p->one), last);
        gles2_pack_glDeleteProgram(twin_out(&p->one), last);
        last = program(&p->one); /* linked while the old one is in use, then used */
        twin_send(&p->one);
        before = i == 3 ? sl_alloc_live() : before;
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
    save_expect_twins(p);
}

SLT_TEST_F(gles_save_objects, pipelines_and_feedbacks, p)
{
    static const char text[] = "#version 310 es\nuniform float f; void main() { gl_Position = "
                               "vec4(f); }";
    struct sl_pack *o = twin_out(&p->one);
    gles2_pack_glCreateShaderProgramvAEMU(o, GL_VERTEX_SHADER, 1, text, sizeof text, sizeof text);
    uint32_t v = twin_ask(&p->one);
    uint32_t pipeline = save_gen(&p->one, gles2_pack_glGenProgramPipelines);
    gles2_pack_glUseProgramStages(o, pipeline, GL_VERTEX_SHADER_BIT, v);
    gles2_pack_glBindProgramPipeline(o, pipeline);
    gles2_pack_glProgramUniform1f(o, v, location(&p->one, v, "f"), 0.75f);
    uint32_t feedback = save_gen(&p->one, gles2_pack_glGenTransformFeedbacks);
    uint32_t b = save_buffer(&p->one, GL_ARRAY_BUFFER, 256, GL_STATIC_DRAW);
    gles2_pack_glBindTransformFeedback(o, GL_TRANSFORM_FEEDBACK, feedback);
    gles2_pack_glBindBufferRange(o, GL_TRANSFORM_FEEDBACK_BUFFER, 1, b, 16, 64);
    gles2_pack_glBindTransformFeedback(o, GL_TRANSFORM_FEEDBACK, 0);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)pipeline, save_get(&p->other, GL_PROGRAM_PIPELINE_BINDING));
}

/* --- storage of others --- */

enum { SHARED_SIDE = 8, SHARED_BYTES = SHARED_SIDE * SHARED_SIDE * 4 };

/* What the 2D texture shows. */
static void read_texture(struct twin *t, uint32_t texture, uint8_t pixels[SHARED_BYTES])
{
    struct sl_pack *o = twin_out(t);
    uint32_t name = save_gen(t, gles2_pack_glGenFramebuffers);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, name);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D,
                                      texture, 0);
    gles2_pack_glReadPixels(o, 0, 0, SHARED_SIDE, SHARED_SIDE, GL_RGBA, GL_UNSIGNED_BYTE,
                            SHARED_BYTES);
    twin_send(t);
    SLT_ASSERT_EQ((uint32_t)SHARED_BYTES, t->reply_size);
    memcpy(pixels, t->reply, SHARED_BYTES);
}

SLT_TEST_F(gles_save_objects, a_texture_over_a_colour_buffer_stays_one, p)
{
    uint8_t pixels[SHARED_BYTES], got[SHARED_BYTES];
    struct sl_pack *o = twin_out(&p->one);
    save_noise(pixels, sizeof pixels);
    rc_pack_rcCreateColorBuffer(o, SHARED_SIDE, SHARED_SIDE, GL_RGBA);
    uint32_t handle = twin_ask(&p->one);
    uint32_t name = save_gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    rc_pack_rcBindTexture(o, handle);
    rc_pack_rcUpdateColorBuffer(o, handle, 0, 0, SHARED_SIDE, SHARED_SIDE, GL_RGBA,
                                GL_UNSIGNED_BYTE, pixels, sizeof pixels);
    twin_send(&p->one);
    save_expect_twins(p);
    read_texture(&p->other, name, got);
    SLT_EXPECT_MEMEQ(pixels, got, sizeof pixels);
    pixels[17] ^= 0xff;
    rc_pack_rcUpdateColorBuffer(twin_out(&p->other), handle, 0, 0, SHARED_SIDE, SHARED_SIDE,
                                GL_RGBA, GL_UNSIGNED_BYTE, pixels, sizeof pixels);
    twin_send(&p->other);
    read_texture(&p->other, name, got);
    SLT_EXPECT_MEMEQ(pixels, got, sizeof pixels);
}

SLT_TEST_F(gles_save_objects, a_texture_over_an_image_stays_one, p)
{
    uint8_t pixels[SHARED_BYTES], got[SHARED_BYTES];
    struct sl_pack *o = twin_out(&p->one);
    const struct sl_gather all = sl_gather_flat(pixels, sizeof pixels);
    save_noise(pixels, sizeof pixels);
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
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    pixels[40] ^= 0xff;
    o = twin_out(&p->other);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, 2);
    gles2_pack_glTexSubImage2D(o, GL_TEXTURE_2D, 0, 0, 0, SHARED_SIDE, SHARED_SIDE, GL_RGBA,
                               GL_UNSIGNED_BYTE, &all);
    twin_send(&p->other);
    read_texture(&p->other, 1, got);
    SLT_EXPECT_MEMEQ(pixels, got, sizeof pixels);
}

/* --- names --- */

static GLint bound;

static void get_bound(GLenum name, GLint *value)
{
    (void)name;
    *value = bound;
}

SLT_TEST(gles_group, tells_a_large_texture_name_from_a_renderbuffers)
{
    const struct gl_driver gl = {.GetIntegerv = get_bound};
    struct hgl_state state = {.group = hgl_group_new()};
    uint32_t handle = 0;
    SLT_ASSERT_TRUE(state.group != NULL);
    bound = 5;
    struct hs_buffer buffer = {.handle = 77, .refs = 1};
    hgl_storage_set_buffer(&gl, &state, GL_RENDERBUFFER, &buffer);
    bound = INT32_MIN + 5;
    SLT_EXPECT_EQ(HGL_STORAGE_OWN, hgl_storage_of(state.group, false, 0x80000005u, &handle));
    hgl_storage_set_own(&gl, &state, GL_TEXTURE_2D);
    SLT_EXPECT_EQ(HGL_STORAGE_BUFFER, hgl_storage_of(state.group, true, 5, &handle));
    SLT_EXPECT_EQ(77u, handle);
    hgl_group_put(state.group);
}

/* --- transform feedbacks --- */

static uint32_t capturing_program(struct twin *t)
{
    struct sl_pack *o = twin_out(t);
    uint32_t v = twin_shader(t, GL_VERTEX_SHADER,
                             "#version 300 es\nuniform float seed; out float a; out vec2 b;\n"
                             "void main() { a = seed + float(gl_VertexID); b = vec2(a, 2.0 * a);"
                             "gl_Position = vec4(0, 0, 0, 1); }\n"),
             f = twin_shader(t, GL_FRAGMENT_SHADER, "#version 300 es\nvoid main() {}\n");
    gles2_pack_glCreateProgram(o);
    uint32_t name = twin_ask(t);
    gles2_pack_glAttachShader(o, name, v);
    gles2_pack_glAttachShader(o, name, f);
    gles2_pack_glTransformFeedbackVaryingsAEMU(o, name, 2, "a;b;", 4, 4, GL_SEPARATE_ATTRIBS);
    gles2_pack_glLinkProgram(o, name);
    gles2_pack_glUseProgram(o, name);
    expect_linked(t, name);
    return name;
}

static void capture(struct twin *t, float seed, GLenum mode, GLsizei count)
{
    gles2_pack_glUniform1f(twin_out(t), 0, seed);
    gles2_pack_glDrawArrays(twin_out(t), mode, 0, count);
    twin_send(t);
}

static void captured(struct twin *t, uint32_t buffer, uint8_t *out, size_t size)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindBuffer(o, GL_COPY_READ_BUFFER, buffer);
    gles2_pack_glMapBufferRangeAEMU(o, GL_COPY_READ_BUFFER, 0, (GLsizeiptr)size, GL_MAP_READ_BIT,
                                    (uint32_t)size);
    twin_send(t);
    SLT_ASSERT_EQ(size, t->reply_size);
    memcpy(out, t->reply, size);
}

struct going {
    const char *label;
    GLenum mode; /* of one draw; of 5 vertices one triangle, or three */
    bool pauses; /* another one goes on in between */
};
static const struct going goings[] = {{"and_runs", GL_TRIANGLES, false},
                                      {"and_pauses", GL_TRIANGLES, true},
                                      {"with_strips", GL_TRIANGLE_STRIP, false},
                                      {"with_fans", GL_TRIANGLE_FAN, true}};

/* More vertices than fit come behind the cut. */
SLT_TEST_FP(gles_save_objects, a_transform_feedback_that_goes_on, p, struct going, goings, x)
{
    enum { SIZES = 2, ROOM = 400 };
    uint8_t want[ROOM], got[ROOM];
    struct sl_pack *o = twin_out(&p->one);
    uint32_t buffers[SIZES], object = save_gen(&p->one, gles2_pack_glGenTransformFeedbacks);
    (void)capturing_program(&p->one);
    gles2_pack_glBindTransformFeedback(o, GL_TRANSFORM_FEEDBACK, object);
    for (GLuint i = 0; i < SIZES; i++) {
        buffers[i] = save_buffer(&p->one, GL_ARRAY_BUFFER, ROOM, GL_DYNAMIC_READ);
        gles2_pack_glBindBufferRange(o, GL_TRANSFORM_FEEDBACK_BUFFER, i, buffers[i], 16,
                                     ROOM - 16 * (i + 1));
    }
    uint32_t query = save_gen(&p->one, gles2_pack_glGenQueries);
    gles2_pack_glBeginQuery(o, GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN, query);
    gles2_pack_glBeginTransformFeedback(o, GL_TRIANGLES);
    capture(&p->one, 10, GL_TRIANGLES, 6);
    capture(&p->one, 20, x->mode, 5);
    if (x->pauses) {
        gles2_pack_glPauseTransformFeedback(o);
        gles2_pack_glBindTransformFeedback(o, GL_TRANSFORM_FEEDBACK, 0);
    }
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    for (uint32_t i = 0; i < 2; i++) {
        struct twin *t = i == 0 ? &p->one : &p->other;
        o = twin_out(t);
        if (x->pauses) {
            capture(t, 25, GL_TRIANGLES, 3);
            gles2_pack_glBindTransformFeedback(o, GL_TRANSFORM_FEEDBACK, object);
            gles2_pack_glResumeTransformFeedback(o);
        }
        capture(t, 30, GL_TRIANGLES, 3);
        capture(t, 40, GL_TRIANGLES, 60);
        gles2_pack_glEndTransformFeedback(o);
        gles2_pack_glEndQuery(o, GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN);
        gles2_pack_glGetQueryObjectuiv(o, query, GL_QUERY_RESULT, 4);
        SLT_EXPECT_EQ((ROOM - 32) / 8u / 3u, twin_ask(t));
        SLT_EXPECT_EQ(0u, save_error(t));
    }
    for (uint32_t i = 0; i < SIZES; i++) {
        captured(&p->one, buffers[i], want, sizeof want);
        captured(&p->other, buffers[i], got, sizeof got);
        SLT_EXPECT_MEMEQ(want, got, sizeof want);
    }
}

/* Indices may restart primitives: nobody counts those vertices. */
SLT_TEST_F(gles_save_objects, a_transform_feedback_that_nobody_counts, p)
{
    static const uint8_t indices[3] = {0, 1, 2};
    struct sl_pack *o = twin_out(&p->one);
    (void)capturing_program(&p->one);
    for (GLuint i = 0; i < 2; i++) {
        uint32_t buffer = save_buffer(&p->one, GL_ARRAY_BUFFER, 400, GL_DYNAMIC_READ);
        gles2_pack_glBindBufferBase(o, GL_TRANSFORM_FEEDBACK_BUFFER, i, buffer);
    }
    gles2_pack_glBeginTransformFeedback(o, GL_TRIANGLES);
    gles2_pack_glDrawElementsData(o, GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, indices, 3, 3);
    twin_send(&p->one);
    SLT_EXPECT_LOG("gles", "nobody knows how many vertices it has");
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, twin_save(&p->one, &p->first));
    gles2_pack_glEndTransformFeedback(o); /* as if nothing had been */
    gles2_pack_glBeginTransformFeedback(o, GL_TRIANGLES);
    SLT_EXPECT_EQ(0u, save_error(&p->one));
    SLT_EXPECT_OK(twin_save(&p->one, &p->again));
}

/* --- counters --- */

/* What a shader counts in a buffer is there when the buffer is mapped, whatever it was made for. */
SLT_TEST_F(gles_save_objects, counters_are_read_when_all_is_counted, p)
{
    enum { SIDE = 512 };
    struct sl_pack *o = twin_out(&p->one);
    uint32_t v = twin_shader(
                 &p->one, GL_VERTEX_SHADER,
                 "#version 310 es\nvoid main() { gl_Position = vec4("
                 "gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0, 1); }\n"),
             c = twin_shader(&p->one, GL_FRAGMENT_SHADER,
                             "#version 310 es\nprecision mediump float;\n"
                             "layout(binding = 0) uniform atomic_uint count; out vec4 c;\n"
                             "void main() { atomicCounterIncrement(count); c = vec4(1); }\n");
    gles2_pack_glCreateProgram(o);
    uint32_t name = twin_ask(&p->one);
    gles2_pack_glAttachShader(o, name, v);
    gles2_pack_glAttachShader(o, name, c);
    gles2_pack_glLinkProgram(o, name);
    gles2_pack_glUseProgram(o, name);
    expect_linked(&p->one, name);
    uint32_t f = save_gen(&p->one, gles2_pack_glGenFramebuffers),
             x = save_gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, f);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, x);
    gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, x, 0);
    gles2_pack_glViewport(o, 0, 0, SIDE, SIDE);
    uint32_t buffer = save_gen(&p->one, gles2_pack_glGenBuffers);
    static const uint32_t zero[2] = {0, 0};
    gles2_pack_glBindBufferBase(o, GL_ATOMIC_COUNTER_BUFFER, 0, buffer);
    gles2_pack_glBufferData(o, GL_ATOMIC_COUNTER_BUFFER, sizeof zero, zero, sizeof zero,
                            GL_STATIC_DRAW);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    struct twin *both[] = {&p->one, &p->other};
    for (int i = 0; i < 2; i++) {
        uint8_t got[4];
        gles2_pack_glDrawArrays(twin_out(both[i]), GL_TRIANGLES, 0, 3);
        captured(both[i], buffer, got, sizeof got);
        SLT_EXPECT_EQ((uint32_t)SIDE * SIDE, sl_load_u32(got));
    }
}
