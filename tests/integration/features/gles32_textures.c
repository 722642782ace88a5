/* GLES 3.2 and extensions: textures, copies between them, and queries of what was drawn. */
#include "tests/integration/features/gles32.h"

#include <string.h>

enum { SIDE = 16 };

static GLuint storage(GLenum target, GLenum format, int layers)
{
    GLuint texture;
    glGenTextures(1, &texture);
    glBindTexture(target, texture);
    if (target == GL_TEXTURE_2D) {
        glTexStorage2D(target, 2, format, SIDE, SIDE);
    } else {
        glTexStorage3D(target, 1, format, SIDE, SIDE, layers);
    }
    glTexParameteri(target, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(target, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    return texture;
}

static void fill(GLenum target, int layer, uint32_t seed)
{
    uint8_t bytes[SIDE * SIDE * 4];
    fx_bytes(bytes, sizeof bytes, seed);
    if (target == GL_TEXTURE_2D) {
        glTexSubImage2D(target, 0, 0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    } else {
        glTexSubImage3D(target, 0, 0, 0, layer, SIDE, SIDE, 1, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    }
}

static void copy_image(struct fx *fx, int frame)
{
    GLuint from = storage(GL_TEXTURE_2D_ARRAY, GL_RGBA8, 3);
    for (int i = 0; i < 3; i++) {
        fill(GL_TEXTURE_2D_ARRAY, i, (uint32_t)(frame * 3 + i));
    }
    GLuint to = storage(GL_TEXTURE_2D, GL_RGBA8, 1);
    fill(GL_TEXTURE_2D, 0, 77);
    glCopyImageSubData(from, GL_TEXTURE_2D_ARRAY, 0, 2, 3, 1, to, GL_TEXTURE_2D, 0, 5, 1, 0, 9, 8,
                       1);
    fx_show(fx, to);
    glCopyImageSubData(from, GL_TEXTURE_2D_ARRAY, 0, 0, 0, 0, to, GL_TEXTURE_2D, 0, 9, 9, 0, 9, 9,
                       1);
    fx_error(fx, GL_INVALID_VALUE);
    glCopyImageSubData(9999, GL_TEXTURE_2D, 0, 0, 0, 0, to, GL_TEXTURE_2D, 0, 0, 0, 0, 1, 1, 1);
    fx_error(fx, GL_INVALID_VALUE);
    glDeleteTextures(1, &from);
    glDeleteTextures(1, &to);
}

static void clear_texture(struct fx *fx, int frame)
{
    PFNGLCLEARTEXIMAGEEXTPROC clear = es32_address("glClearTexImageEXT");
    PFNGLCLEARTEXSUBIMAGEEXTPROC clear_part = es32_address("glClearTexSubImageEXT");
    const uint8_t color[16] = {10, 200, (uint8_t)(frame * 40), 255}; /* of four integers, too */
    GLuint t = storage(GL_TEXTURE_2D, GL_RGBA8, 1);
    clear(t, 0, GL_RGBA, GL_UNSIGNED_BYTE, color);
    clear_part(t, 0, 2, 3, 0, 5, 6, 1, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    fx_show(fx, t);
    clear(t, 0, GL_RGBA_INTEGER, GL_INT, color);
    fx_error(fx, GL_INVALID_OPERATION);
    clear_part(t, 0, 14, 0, 0, 5, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, color);
    fx_error(fx, GL_INVALID_OPERATION);
    glDeleteTextures(1, &t);
}

static void texture_view(struct fx *fx, int frame)
{
    PFNGLTEXTUREVIEWEXTPROC view = es32_address("glTextureViewEXT");
    GLuint name, array = storage(GL_TEXTURE_2D_ARRAY, GL_RGBA8, 3);
    for (int i = 0; i < 3; i++) {
        fill(GL_TEXTURE_2D_ARRAY, i, (uint32_t)(frame + i));
    }
    glGenTextures(1, &name);
    view(name, GL_TEXTURE_2D, array, GL_RGBA8, 0, 1, (GLuint)frame, 1);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    fx_show(fx, name);
    view(name, GL_TEXTURE_2D, array, GL_RGBA8, 0, 1, 0, 1);
    fx_error(fx, GL_INVALID_OPERATION);
    glDeleteTextures(1, &name);
    glDeleteTextures(1, &array);
}

static void border(struct fx *fx, int frame)
{
    static const GLfloat color[4] = {0.9f, 0.1f, 0.4f, 1};
    static const GLuint whole[4] = {1, 2, 3000000000u, 4};
    static const GLint signs[4] = {-1, 2, -3, 4};
    GLfloat got[4];
    GLuint numbers[4];
    GLint ints[4];
    GLuint sampler, t = fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_BORDER);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_BORDER);
    glTexParameterfv(GL_TEXTURE_2D, GL_TEXTURE_BORDER_COLOR, color);
    glGetTexParameterfv(GL_TEXTURE_2D, GL_TEXTURE_BORDER_COLOR, got);
    fx_note(fx, got, sizeof got);
    es3_fill("in vec2 t; uniform sampler2D s; out vec4 o; void main() { o = texture(s, t * 1.5 - "
             "0.25); }");
    fx_quad();
    glTexParameterIuiv(GL_TEXTURE_2D, GL_TEXTURE_BORDER_COLOR, whole);
    glGetTexParameterIuiv(GL_TEXTURE_2D, GL_TEXTURE_BORDER_COLOR, numbers);
    fx_note(fx, numbers, sizeof numbers);
    glTexParameterIiv(GL_TEXTURE_2D, GL_TEXTURE_BORDER_COLOR, signs);
    glGetTexParameterIiv(GL_TEXTURE_2D, GL_TEXTURE_BORDER_COLOR, ints);
    fx_note(fx, ints, sizeof ints);
    glGenSamplers(1, &sampler);
    glSamplerParameterIuiv(sampler, GL_TEXTURE_BORDER_COLOR, whole);
    glGetSamplerParameterIuiv(sampler, GL_TEXTURE_BORDER_COLOR, numbers);
    fx_note(fx, numbers, sizeof numbers);
    glSamplerParameterIiv(sampler, GL_TEXTURE_BORDER_COLOR, signs);
    glGetSamplerParameterIiv(sampler, GL_TEXTURE_BORDER_COLOR, ints);
    fx_note(fx, ints, sizeof ints);
    glSamplerParameterfv(sampler, GL_TEXTURE_BORDER_COLOR, color);
    glGetSamplerParameterfv(sampler, GL_TEXTURE_BORDER_COLOR, got);
    fx_note(fx, got, sizeof got);
    glGetTexParameterIiv(GL_TEXTURE_2D, GL_TEXTURE_2D, ints);
    fx_error(fx, GL_INVALID_ENUM);
    fx_note(fx, ints, sizeof ints);
    glDeleteSamplers(1, &sampler);
    glDeleteTextures(1, &t);
}

static void buffer_texture(struct fx *fx, int frame)
{
    GLuint buffer, texture;
    uint8_t bytes[64 * 4];
    GLint value = 0;
    fx_bytes(bytes, sizeof bytes, (uint32_t)frame);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_TEXTURE_BUFFER, buffer);
    glBufferData(GL_TEXTURE_BUFFER, sizeof bytes, bytes, GL_STATIC_DRAW);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_BUFFER, texture);
    glTexBuffer(GL_TEXTURE_BUFFER, GL_RGBA8, buffer);
    GLuint p = fx_program("#version 320 es\nin vec2 p; void main() { gl_Position = vec4(p, 0.0, "
                          "1.0); }",
                          "#version 320 es\nprecision highp float;\nuniform highp samplerBuffer s; "
                          "out vec4 o; void main() { o = texelFetch(s, int(gl_FragCoord.x)); }");
    glUseProgram(p);
    fx_quad();
    glGetIntegerv(GL_TEXTURE_BUFFER_OFFSET_ALIGNMENT, &value);
    glTexBufferRange(GL_TEXTURE_BUFFER, GL_RGBA8, buffer, value, 64);
    glGetTexLevelParameteriv(GL_TEXTURE_BUFFER, 0, GL_TEXTURE_BUFFER_SIZE, &value);
    fx_note_int(fx, value);
    glDeleteTextures(1, &texture);
    glDeleteBuffers(1, &buffer);
}

static void multisample_array(struct fx *fx, int frame)
{
    GLuint texture;
    GLint value = 0;
    (void)frame;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D_MULTISAMPLE_ARRAY, texture);
    glTexStorage3DMultisample(GL_TEXTURE_2D_MULTISAMPLE_ARRAY, 4, GL_RGBA8, SIDE, SIDE, 3, GL_TRUE);
    glGetTexLevelParameteriv(GL_TEXTURE_2D_MULTISAMPLE_ARRAY, 0, GL_TEXTURE_DEPTH, &value);
    fx_note_int(fx, value);
    glTexStorage3DMultisample(GL_TEXTURE_2D, 4, GL_RGBA8, SIDE, SIDE, 3, GL_TRUE);
    fx_error(fx, GL_INVALID_ENUM);
    glDeleteTextures(1, &texture);
}

static void timers(struct fx *fx, int frame)
{
    PFNGLQUERYCOUNTEREXTPROC counter = es32_address("glQueryCounterEXT");
    PFNGLGETQUERYOBJECTUI64VEXTPROC get = es32_address("glGetQueryObjectui64vEXT");
    PFNGLGETQUERYOBJECTI64VEXTPROC get_signed = es32_address("glGetQueryObjecti64vEXT");
    PFNGLGETQUERYOBJECTIVEXTPROC get_int = es32_address("glGetQueryObjectivEXT");
    PFNGLGENQUERIESEXTPROC gen = es32_address("glGenQueriesEXT");
    GLuint names[3];
    GLuint64 times[3] = {0};
    GLint64 now = 0;
    GLint available = 0;
    GLuint p = es3_fill(COLORED);
    gen(3, names);
    counter(names[0], GL_TIMESTAMP_EXT);
    glBeginQuery(GL_TIME_ELAPSED_EXT, names[1]);
    color(p, 0.3f, 0.3f * (float)frame, 0, 1);
    fx_quad();
    glEndQuery(GL_TIME_ELAPSED_EXT);
    counter(names[2], GL_TIMESTAMP_EXT);
    for (int i = 0; i < 3; i++) {
        get(names[i], GL_QUERY_RESULT, &times[i]);
    }
    get_int(names[0], GL_QUERY_RESULT_AVAILABLE, &available);
    get_signed(names[0], GL_QUERY_RESULT, &now);
    fx_note_int(fx, times[0] != 0 && times[2] >= times[0]);
    fx_note_int(fx, times[1] <= times[2] - times[0]);
    fx_note_int(fx, available != 0 && (GLuint64)now == times[0]);
    glGetInteger64v(GL_TIMESTAMP_EXT, &now);
    fx_note_int(fx, (GLuint64)now >= times[2]);
    counter(names[0], GL_TIME_ELAPSED_EXT);
    fx_error(fx, GL_INVALID_ENUM);
    glDeleteQueries(3, names);
}

static void conditional(struct fx *fx, int frame)
{
    PFNGLBEGINCONDITIONALRENDERNVPROC begin = es32_address("glBeginConditionalRenderNV");
    PFNGLENDCONDITIONALRENDERNVPROC end = es32_address("glEndConditionalRenderNV");
    GLuint query, p = es3_fill(COLORED);
    glGenQueries(1, &query);
    color(p, 1, 0, 0, 1);
    glBeginQuery(GL_ANY_SAMPLES_PASSED, query);
    if (frame != 1) {
        fx_rect(-0.5f, -0.5f, 0, 0);
    }
    glEndQuery(GL_ANY_SAMPLES_PASSED);
    begin(query, GL_QUERY_WAIT_NV);
    color(p, 0, 1, 0, 1);
    fx_rect(0.1f, 0.1f, 0.7f, 0.7f);
    end();
    end();
    fx_error(fx, GL_INVALID_OPERATION);
    glDeleteQueries(1, &query);
}

static void flipped(struct fx *fx, int frame)
{
    PFNGLFRAMEBUFFERPARAMETERIMESAPROC set = es32_address("glFramebufferParameteriMESA");
    PFNGLGETFRAMEBUFFERPARAMETERIVMESAPROC get = es32_address("glGetFramebufferParameterivMESA");
    GLuint framebuffer = fx_framebuffer(GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    GLint value = 0;
    set(GL_FRAMEBUFFER, GL_FRAMEBUFFER_FLIP_Y_MESA, frame != 0);
    get(GL_FRAMEBUFFER, GL_FRAMEBUFFER_FLIP_Y_MESA, &value);
    fx_note_int(fx, value);
    GLuint p = es3_fill(COLORED);
    color(p, 0.1f, 0.7f, 1, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    fx_rect(-0.5f, 0.2f, 0.9f, 0.9f);
    fx_note_pixels(fx, 0, 0, FX_SIZE, FX_SIZE);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteFramebuffers(1, &framebuffer);
}

#define FEATURE(name, needs)                                                                       \
    {                                                                                              \
#name, name, needs                                                                         \
    }
const struct fx_feature gles32_texture_features[] = {
    FEATURE(copy_image, "3.2"),
    FEATURE(clear_texture, "GL_EXT_clear_texture"),
    FEATURE(texture_view, "GL_EXT_texture_view"),
    FEATURE(border, "3.2"),
    FEATURE(buffer_texture, "3.2"),
    FEATURE(multisample_array, "3.2"),
    FEATURE(timers, "GL_EXT_disjoint_timer_query"),
    FEATURE(conditional, "GL_NV_conditional_render"),
    FEATURE(flipped, "GL_MESA_framebuffer_flip_y"),
};
const size_t gles32_texture_feature_count =
    sizeof gles32_texture_features / sizeof gles32_texture_features[0];
