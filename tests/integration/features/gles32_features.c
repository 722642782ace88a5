/* What GLES 3.2 adds, and extensions whose commands have no upstream number: draws, stages and
 * state here. */
#include "tests/integration/features/gles32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *es32_address(const char *name)
{
    return (void *)eglGetProcAddress(name);
}

/* A linked program of any stages, in use. Attribute "p" is 0. */
static GLuint link_stages(const struct es32_stage *stages, int count)
{
    GLuint program = glCreateProgram();
    GLint ok = 0;
    for (int i = 0; i < count; i++) {
        GLuint shader = glCreateShader(stages[i].type);
        glShaderSource(shader, 1, &stages[i].text, NULL);
        glCompileShader(shader);
        glAttachShader(program, shader);
        glDeleteShader(shader);
    }
    glBindAttribLocation(program, 0, "p");
    glBindAttribLocation(program, 1, "q");
    glLinkProgram(program);
    glGetProgramiv(program, GL_LINK_STATUS, &ok);
    if (!ok) {
        char log[1024] = "";
        glGetProgramInfoLog(program, sizeof log, NULL, log);
        fprintf(stderr, "%s\n", log);
        exit(1);
    }
    glUseProgram(program);
    return program;
}

static void points_fill(float *points, int count, int frame)
{
    for (int i = 0; i < count; i++) {
        points[i] = (float)((i * 11 + frame * 5) % 19) / 9.5f - 1;
    }
}

/* --- draws from a base --- */

enum { POINTS = 24 };

static void base_draws(GLuint p, const void *indices)
{
    color(p, 1, 0, 0, 1);
    glDrawElementsBaseVertex(GL_TRIANGLES, 6, GL_UNSIGNED_SHORT, indices, 3);
    color(p, 0, 1, 0, 1);
    glDrawRangeElementsBaseVertex(GL_LINES, 0, 5, 6, GL_UNSIGNED_SHORT, indices, 9);
    color(p, 0, 0.5f, 1, 1);
    glDrawElementsInstancedBaseVertex(GL_LINE_STRIP, 6, GL_UNSIGNED_SHORT, indices, 2, 1);
    color(p, 1, 1, 1, 1);
    glDrawElementsBaseVertex(GL_POINTS, 6, GL_UNSIGNED_SHORT, indices, 0);
}

static const uint16_t six[6] = {2, 0, 5, 1, 4, 3};

/* Two buffers, of the points and of `six`, bound; attribute 0 is on. */
static void points_bind(GLuint *buffers, const float *points)
{
    glGenBuffers(2, buffers);
    glBindBuffer(GL_ARRAY_BUFFER, buffers[0]);
    glBufferData(GL_ARRAY_BUFFER, POINTS * 2 * sizeof *points, points, GL_STATIC_DRAW);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffers[1]);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, sizeof six, six, GL_STATIC_DRAW);
    glEnableVertexAttribArray(0);
}

static void base_vertex_buffers(struct fx *fx, int frame)
{
    GLuint buffers[2], p = es3_fill(COLORED);
    float points[POINTS * 2];
    (void)fx;
    points_fill(points, POINTS * 2, frame);
    points_bind(buffers, points);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    base_draws(p, NULL);
    glDeleteBuffers(2, buffers);
}

static void base_vertex_client(struct fx *fx, int frame)
{
    GLuint p = es3_fill(COLORED);
    float points[POINTS * 2];
    (void)fx;
    points_fill(points, POINTS * 2, frame);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    base_draws(p, six);
}

/* gl_VertexID counts the base in. */
static void base_vertex_id(struct fx *fx, int frame)
{
    GLuint p = fx_program("#version 300 es\nin vec2 p; out vec4 v; void main() { v = "
                          "vec4(float(gl_VertexID) / 24.0, 0.5, 0.0, 1.0); gl_Position = vec4(p, "
                          "0.0, 1.0); }",
                          ES3_FS "in vec4 v; out vec4 o; void main() { o = v; }");
    float points[POINTS * 2];
    (void)fx;
    points_fill(points, POINTS * 2, frame);
    glUseProgram(p);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    glDrawElementsBaseVertex(GL_TRIANGLES, 6, GL_UNSIGNED_SHORT, six, 7);
}

static void base_vertex_errors(struct fx *fx, int frame)
{
    (void)frame;
    es3_fill(COLORED);
    glDrawElementsBaseVertex(GL_TRIANGLES, -1, GL_UNSIGNED_SHORT, six, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawElementsBaseVertex(GL_TRIANGLES, 3, GL_FLOAT, six, 0);
    fx_error(fx, GL_INVALID_ENUM);
    glDrawElementsInstancedBaseVertex(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, six, -1, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawRangeElementsBaseVertex(GL_TRIANGLES, 5, 1, 3, GL_UNSIGNED_SHORT, six, 0);
    fx_error(fx, GL_INVALID_VALUE);
}

static void base_instance(struct fx *fx, int frame)
{
    GLuint p = fx_program("#version 300 es\nin vec2 p; in vec4 q; in vec2 r; out vec4 v; void "
                          "main() { v = q; gl_Position = vec4(p * 0.2 + r, 0.0, 1.0); }",
                          ES3_FS "in vec4 v; out vec4 o; void main() { o = v; }");
    static const float corners[] = {-1, -1, 1, -1, -1, 1, 1, 1};
    static const uint16_t indices[] = {0, 1, 2, 3, 2, 1};
    float places[20], colors[40];
    (void)fx;
    PFNGLDRAWARRAYSINSTANCEDBASEINSTANCEEXTPROC draw_arrays =
        es32_address("glDrawArraysInstancedBaseInstanceEXT");
    PFNGLDRAWELEMENTSINSTANCEDBASEVERTEXBASEINSTANCEEXTPROC draw_elements =
        es32_address("glDrawElementsInstancedBaseVertexBaseInstanceEXT");
    points_fill(places, 20, frame);
    for (int i = 0; i < 40; i++) {
        colors[i] = (float)((i * 5 + frame) % 9) / 9;
    }
    glUseProgram(p);
    for (GLuint i = 0; i < 3; i++) {
        glEnableVertexAttribArray(i);
    }
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
    glVertexAttribPointer(1, 4, GL_FLOAT, GL_FALSE, 0, colors);
    glVertexAttribPointer(2, 2, GL_FLOAT, GL_FALSE, 0, places);
    glVertexAttribDivisor(1, 3);
    glVertexAttribDivisor(2, 1);
    draw_arrays(GL_TRIANGLE_STRIP, 0, 4, 5, 2);
    draw_elements(GL_TRIANGLES, 6, GL_UNSIGNED_SHORT, indices, 3, 0, 7);
}

static void multi_draws(struct fx *fx, int frame)
{
    static const GLint firsts[] = {0, 9, 4};
    static const GLsizei counts[] = {3, 6, 4}, bad[] = {3, -1, 3};
    const void *const indices[] = {six, six + 1, six + 2};
    static const GLint bases[] = {0, 5, 11};
    GLuint p = es3_fill(COLORED);
    float points[POINTS * 2];
    PFNGLMULTIDRAWARRAYSEXTPROC arrays = es32_address("glMultiDrawArraysEXT");
    PFNGLMULTIDRAWELEMENTSEXTPROC elements = es32_address("glMultiDrawElementsEXT");
    PFNGLMULTIDRAWELEMENTSBASEVERTEXEXTPROC based =
        es32_address("glMultiDrawElementsBaseVertexEXT");
    points_fill(points, POINTS * 2, frame);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    color(p, 1, 0, 1, 1);
    arrays(GL_TRIANGLES, firsts, counts, 3);
    color(p, 1, 1, 0, 1);
    elements(GL_LINE_STRIP, counts, GL_UNSIGNED_SHORT, indices, 1);
    color(p, 0, 1, 1, 1);
    static const GLsizei threes[] = {3, 3, 3};
    based(GL_TRIANGLES, threes, GL_UNSIGNED_SHORT, indices, 3, bases);
    arrays(GL_TRIANGLES, firsts, bad, 3);
    fx_error(fx, GL_INVALID_VALUE);
    arrays(GL_TRIANGLES, firsts, counts, -1);
    fx_error(fx, GL_INVALID_VALUE);
}

/* --- more stages --- */

#define ES32 "#version 320 es\nprecision highp float; precision highp int;\n"

static void tessellation(struct fx *fx, int frame)
{
    const struct es32_stage stages[] = {
        {GL_VERTEX_SHADER, ES32 "in vec2 p; void main() { gl_Position = vec4(p, 0.0, 1.0); }"},
        {GL_TESS_CONTROL_SHADER,
         ES32 "layout(vertices = 3) out; uniform float level; void main() { "
              "gl_out[gl_InvocationID].gl_Position = gl_in[gl_InvocationID].gl_Position; "
              "gl_TessLevelInner[0] = level; gl_TessLevelOuter[0] = level; gl_TessLevelOuter[1] = "
              "level; gl_TessLevelOuter[2] = level; }"},
        {GL_TESS_EVALUATION_SHADER,
         ES32 "layout(triangles, equal_spacing) in; out vec4 v; void main() { v = "
              "vec4(gl_TessCoord, 1.0); gl_Position = gl_in[0].gl_Position * gl_TessCoord.x + "
              "gl_in[1].gl_Position * gl_TessCoord.y + gl_in[2].gl_Position * gl_TessCoord.z; }"},
        {GL_FRAGMENT_SHADER,
         ES32 "in vec4 v; out vec4 o; void main() { o = floor(v * 5.0) / 5.0; }"}};
    static const float corners[] = {-0.9f, -0.9f, 0.9f, -0.8f, 0, 0.9f};
    GLint value = 0;
    GLuint p = link_stages(stages, 4);
    glUniform1f(glGetUniformLocation(p, "level"), 1 + (float)frame * 3);
    glPatchParameteri(GL_PATCH_VERTICES, 3);
    glPatchParameteri(GL_PATCH_VERTICES, -1);
    fx_error(fx, GL_INVALID_VALUE);
    glGetIntegerv(GL_PATCH_VERTICES, &value);
    fx_note_int(fx, value);
    glPrimitiveBoundingBox(-1, -1, -1, 1, 1, 1, 1, 1);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
    glDrawArrays(GL_PATCHES, 0, 3);
}

static const struct es32_stage point_stage = {
    GL_VERTEX_SHADER, ES32 "in vec2 p; void main() { gl_Position = vec4(p, 0.0, 1.0); }"};
static const struct es32_stage color_stage = {GL_FRAGMENT_SHADER,
                                              ES32 "in vec4 v; out vec4 o; void main() { o = v; }"};

static void geometry(struct fx *fx, int frame)
{
    const struct es32_stage stages[] = {
        point_stage,
        {GL_GEOMETRY_SHADER,
         ES32 "layout(points) in; layout(triangle_strip, max_vertices = 4) out; out vec4 v; void "
              "main() { for (int i = 0; i < 4; i++) { vec2 c = vec2(float(i & 1), float(i >> 1)); "
              "v = vec4(c, 0.5, 1.0); gl_Position = gl_in[0].gl_Position + vec4(c * 0.4 - 0.2, "
              "0.0, 0.0); EmitVertex(); } EndPrimitive(); }"},
        color_stage};
    float points[16];
    GLint value = 0;
    GLuint p = link_stages(stages, 3);
    glGetProgramiv(p, GL_GEOMETRY_VERTICES_OUT, &value);
    fx_note_int(fx, value);
    points_fill(points, 16, frame);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    glDrawArrays(GL_POINTS, 0, 8);
}

/* A geometry shader chooses the layer; every layer is read. */
static void layers(struct fx *fx, int frame)
{
    const struct es32_stage stages[] = {
        point_stage,
        {GL_GEOMETRY_SHADER,
         ES32 "layout(points) in; layout(triangle_strip, max_vertices = 9) out; out vec4 v; void "
              "main() { for (int k = 0; k < 3; k++) { for (int i = 0; i < 3; i++) { gl_Layer = k; "
              "v = vec4(float(k) / 2.0, 1.0 - float(k) / 2.0, 0.3, 1.0); gl_Position = "
              "gl_in[0].gl_Position + vec4(float(i & 1), float(i >> 1), 0.0, 0.0); EmitVertex(); } "
              "EndPrimitive(); } }"},
        color_stage};
    GLuint texture, framebuffer;
    float point[2] = {-0.9f + (float)frame * 0.2f, -0.5f};
    link_stages(stages, 3);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D_ARRAY, texture);
    glTexStorage3D(GL_TEXTURE_2D_ARRAY, 1, GL_RGBA8, FX_SIZE, FX_SIZE, 3);
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glFramebufferTexture(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, texture, 0);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClear(GL_COLOR_BUFFER_BIT);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, point);
    glDrawArrays(GL_POINTS, 0, 1);
    for (int i = 0; i < 3; i++) {
        glFramebufferTextureLayer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, texture, 0, i);
        fx_note_pixels(fx, 0, 0, FX_SIZE, FX_SIZE);
    }
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteTextures(1, &texture);
}

static void viewports(struct fx *fx, int frame)
{
    const struct es32_stage stages[] = {
        point_stage,
        {GL_GEOMETRY_SHADER,
         "#version 320 es\n#extension GL_OES_viewport_array : require\nprecision highp float;\n"
         "layout(points) in; layout(triangle_strip, max_vertices = 12) out; out vec4 v; void "
         "main() { for (int k = 0; k < 3; k++) { for (int i = 0; i < 4; i++) { gl_ViewportIndex = "
         "k; v = vec4(float(k) / 2.0, 0.6, 1.0 - float(k) / 2.0, 1.0); gl_Position = "
         "vec4(float(i & 1) * 1.6 - 0.8, float(i >> 1) * 1.6 - 0.8, 0.0, 1.0); EmitVertex(); } "
         "EndPrimitive(); } }"},
        color_stage};
    const float rects[] = {0, 0, 30, 30, 32, 0, 30, 40};
    const GLint cuts[] = {4, 4, 20, 20 + frame};
    PFNGLVIEWPORTARRAYVOESPROC viewport_array = es32_address("glViewportArrayvOES");
    PFNGLVIEWPORTINDEXEDFOESPROC viewport = es32_address("glViewportIndexedfOES");
    PFNGLSCISSORARRAYVOESPROC scissor_array = es32_address("glScissorArrayvOES");
    PFNGLDEPTHRANGEINDEXEDFOESPROC depth_range = es32_address("glDepthRangeIndexedfOES");
    PFNGLGETFLOATI_VOESPROC get_floats = es32_address("glGetFloati_vOES");
    PFNGLENABLEIOESPROC enable = es32_address("glEnableiOES");
    float got[4];
    GLint box[4];
    link_stages(stages, 3);
    viewport_array(0, 2, rects);
    viewport(2, 10, 35, 40, 20);
    scissor_array(0, 1, cuts);
    enable(GL_SCISSOR_TEST, 0);
    depth_range(1, 0.25f, 0.5f);
    float point[2] = {0, 0};
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, point);
    glDrawArrays(GL_POINTS, 0, 1);
    for (GLuint i = 0; i < 3; i++) {
        get_floats(GL_VIEWPORT, i, got);
        fx_note(fx, got, sizeof got);
        get_floats(GL_DEPTH_RANGE, i, got);
        fx_note(fx, got, 2 * sizeof *got);
        glGetIntegeri_v(GL_SCISSOR_BOX, i, box);
        fx_note(fx, box, sizeof box);
    }
    viewport(9999, 0, 0, 1, 1);
    fx_error(fx, GL_INVALID_VALUE);
}

/* --- state --- */

static void indexed_blending(struct fx *fx, int frame)
{
    static const GLenum both[] = {GL_COLOR_ATTACHMENT0, GL_COLOR_ATTACHMENT1};
    GLuint framebuffer, textures[2];
    GLboolean mask[4];
    glGenTextures(2, textures);
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    for (int i = 0; i < 2; i++) {
        glBindTexture(GL_TEXTURE_2D, textures[i]);
        glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, FX_SIZE, FX_SIZE);
        glFramebufferTexture2D(GL_FRAMEBUFFER, both[i], GL_TEXTURE_2D, textures[i], 0);
    }
    glDrawBuffers(2, both);
    glClearColor(0.2f, 0.4f, 0.6f, 0.5f);
    glClear(GL_COLOR_BUFFER_BIT);
    GLuint p = es3_fill("uniform vec4 c; layout(location = 0) out vec4 o; layout(location = 1) out "
                        "vec4 n; void main() { o = c; n = c.bgra; }");
    glEnablei(GL_BLEND, 1);
    fx_note_int(fx, glIsEnabledi(GL_BLEND, 0) * 2 + glIsEnabledi(GL_BLEND, 1));
    glBlendFunci(1, GL_SRC_ALPHA, GL_ONE);
    glBlendEquationi(1, GL_FUNC_REVERSE_SUBTRACT);
    glBlendFuncSeparatei(0, GL_ONE, GL_ZERO, GL_ONE, GL_ONE);
    glBlendEquationSeparatei(0, GL_FUNC_ADD, GL_MAX);
    glColorMaski(0, GL_TRUE, GL_FALSE, GL_TRUE, GL_TRUE);
    glGetBooleani_v(GL_COLOR_WRITEMASK, 0, mask);
    fx_note(fx, mask, sizeof mask);
    color(p, 0.5f, 0.75f, (float)frame / 4, 0.5f);
    fx_rect(-0.5f, -0.5f, 0.8f, 0.7f);
    for (int i = 0; i < 2; i++) {
        glReadBuffer(both[i]);
        fx_note_pixels(fx, 0, 0, FX_SIZE, FX_SIZE);
    }
    glDisablei(GL_BLEND, 1);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteTextures(2, textures);
}

static void advanced_blending(struct fx *fx, int frame)
{
    static const GLenum modes[] = {GL_MULTIPLY, GL_SCREEN, GL_HSL_HUE};
    (void)fx;
    glClearColor(0.7f, 0.5f, 0.3f, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    const struct es32_stage stages[] = {
        {GL_VERTEX_SHADER, ES32 "in vec2 p; void main() { gl_Position = vec4(p, 0.0, 1.0); }"},
        {GL_FRAGMENT_SHADER, ES32 "layout(blend_support_all_equations) out; uniform vec4 c; out "
                                  "vec4 o; void main() { o = c; }"}};
    GLuint p = link_stages(stages, 2);
    glEnable(GL_BLEND);
    glBlendEquation(modes[frame % 3]);
    color(p, 0.2f, 0.8f, 0.5f, 0.7f);
    glBlendBarrier();
    fx_rect(-0.7f, -0.7f, 0.5f, 0.5f);
    glBlendBarrier();
    fx_rect(-0.2f, -0.2f, 0.9f, 0.9f);
    glDisable(GL_BLEND);
}

static void dual_source(struct fx *fx, int frame)
{
    PFNGLBINDFRAGDATALOCATIONINDEXEDEXTPROC bind = es32_address("glBindFragDataLocationIndexedEXT");
    PFNGLGETFRAGDATAINDEXEXTPROC index = es32_address("glGetFragDataIndexEXT");
    GLuint p = glCreateProgram();
    const char *texts[] = {"#version 300 es\nin vec2 p; void main() { gl_Position = vec4(p, 0.0, "
                           "1.0); }",
                           "#version 300 es\n#extension GL_EXT_blend_func_extended : "
                           "require\nprecision highp float;\nuniform vec4 c; out vec4 one; out "
                           "vec4 two; void main() { one = c; two = vec4(0.25, 0.5, 0.75, 1.0); }"};
    for (int i = 0; i < 2; i++) {
        GLuint shader = glCreateShader(i == 0 ? GL_VERTEX_SHADER : GL_FRAGMENT_SHADER);
        glShaderSource(shader, 1, &texts[i], NULL);
        glCompileShader(shader);
        glAttachShader(p, shader);
    }
    glBindAttribLocation(p, 0, "p");
    bind(p, 0, 0, "one");
    bind(p, 0, 1, "two");
    glLinkProgram(p);
    glUseProgram(p);
    fx_note_int(fx, index(p, "one") * 10 + index(p, "two"));
    glClearColor(1, 0.5f, 0.25f, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    glEnable(GL_BLEND);
    glBlendFunc(GL_ONE, GL_SRC1_COLOR_EXT);
    color(p, 0.1f * (float)frame, 0.2f, 0.3f, 1);
    fx_rect(-0.5f, -0.5f, 0.5f, 0.5f);
    glDisable(GL_BLEND);
}

static void clip_and_offset(struct fx *fx, int frame)
{
    PFNGLCLIPCONTROLEXTPROC clip = es32_address("glClipControlEXT");
    PFNGLPOLYGONOFFSETCLAMPEXTPROC offset = es32_address("glPolygonOffsetClampEXT");
    GLint value = 0;
    GLfloat clamp = 0;
    GLuint p = es3_fill(COLORED);
    clip(GL_UPPER_LEFT_EXT, frame == 1 ? GL_ZERO_TO_ONE_EXT : GL_NEGATIVE_ONE_TO_ONE_EXT);
    glGetIntegerv(GL_CLIP_ORIGIN_EXT, &value);
    fx_note_int(fx, value);
    glGetIntegerv(GL_CLIP_DEPTH_MODE_EXT, &value);
    fx_note_int(fx, value);
    offset(1.5f, 2, 0.125f);
    glGetFloatv(GL_POLYGON_OFFSET_CLAMP_EXT, &clamp);
    fx_note(fx, &clamp, sizeof clamp);
    color(p, 0, 1, 0.4f, 1);
    fx_rect(-0.9f, 0.2f, 0.3f, 0.9f);
    clip(GL_TEXTURE_2D, GL_NEGATIVE_ONE_TO_ONE_EXT);
    fx_error(fx, GL_INVALID_ENUM);
    glMinSampleShading(0.5f);
    glGetFloatv(GL_MIN_SAMPLE_SHADING_VALUE, &clamp);
    fx_note(fx, &clamp, sizeof clamp);
}

static void robustness(struct fx *fx, int frame)
{
    GLuint p = es3_fill("uniform uvec2 u; uniform vec4 c; out vec4 o; void main() { o = c + "
                        "vec4(u, 0, 0) / 255.0; }");
    GLuint numbers[2] = {0, 0};
    uint8_t pixels[16 * 16 * 4];
    glUniform2ui(glGetUniformLocation(p, "u"), 7, (GLuint)frame);
    color(p, 0.2f, 0.4f, 0.6f, 1);
    fx_rect(-1, -1, 0.4f, 0.3f);
    glGetnUniformuiv(p, glGetUniformLocation(p, "u"), sizeof numbers, numbers);
    fx_note(fx, numbers, sizeof numbers);
    glGetnUniformuiv(p, glGetUniformLocation(p, "u"), 4, numbers);
    fx_error(fx, GL_INVALID_OPERATION);
    memset(pixels, 9, sizeof pixels);
    glReadnPixels(20, 20, 16, 16, GL_RGBA, GL_UNSIGNED_BYTE, sizeof pixels, pixels);
    fx_note(fx, pixels, sizeof pixels);
    glReadnPixels(20, 20, 16, 16, GL_RGBA, GL_UNSIGNED_BYTE, 100, pixels);
    fx_error(fx, GL_INVALID_OPERATION);
    fx_note_int(fx, glGetGraphicsResetStatus());
}

/* --- indices of a buffer that is deleted --- */

static void delete_buffer(void *buffer)
{
    glDeleteBuffers(1, buffer);
    glFinish();
}

/* A triangle pair of the bound indices, from `buffer` or, 0, from client memory. */
static void draw_six(GLuint buffer, const float *points, float red)
{
    GLint program;
    glGetIntegerv(GL_CURRENT_PROGRAM, &program);
    color((GLuint)program, red, 1 - red, 0.5f, 1);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, buffer != 0 ? NULL : points);
    glDrawElements(GL_TRIANGLES, 6, GL_UNSIGNED_SHORT, NULL);
}

/* It lives on in the vertex array 0, which draws from client memory in between. */
static void deleted_indices(struct fx *fx, int frame)
{
    GLuint buffers[2], array;
    float points[POINTS * 2], later[POINTS * 2];
    GLint bound;
    es3_fill(COLORED);
    points_fill(points, POINTS * 2, frame);
    points_fill(later, POINTS * 2, frame + 9);
    points_bind(buffers, points);
    draw_six(0, later, 0.1f);
    if (frame == 0) {
        glGenVertexArrays(1, &array);
        glBindVertexArray(array);
        glDeleteBuffers(1, &buffers[1]);
        glBindVertexArray(0);
    } else {
        fx_on_thread(fx, delete_buffer, &buffers[1]);
    }
    glClear(GL_COLOR_BUFFER_BIT);
    for (int i = 0; i < 3; i++) { /* the second time from client memory */
        draw_six(i == 1 ? 0 : buffers[0], later, 0.3f * (float)(i + 1));
        fx_note_pixels(fx, 0, 0, FX_SIZE, FX_SIZE);
        glGetIntegerv(GL_ELEMENT_ARRAY_BUFFER_BINDING, &bound);
        fx_note_int(fx, (GLuint)bound == buffers[1]);
        fx_note_int(fx, glIsBuffer(buffers[1]));
        fx_error(fx, GL_NO_ERROR);
    }
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 0);
    glDrawElements(GL_POINTS, 6, GL_UNSIGNED_SHORT, six);
    glDeleteBuffers(1, &buffers[0]);
}

#define FEATURE(name, needs)                                                                       \
    {                                                                                              \
#name, name, needs                                                                         \
    }
static const struct fx_feature own[] = {
    FEATURE(base_vertex_buffers, "3.2"),
    FEATURE(base_vertex_client, "3.2"),
    FEATURE(base_vertex_id, "3.2"),
    FEATURE(base_vertex_errors, "3.2"),
    FEATURE(base_instance, "GL_EXT_base_instance"),
    FEATURE(multi_draws, "GL_EXT_multi_draw_arrays"),
    FEATURE(tessellation, "3.2"),
    FEATURE(geometry, "3.2"),
    FEATURE(layers, "3.2"),
    FEATURE(viewports, "GL_OES_viewport_array"),
    FEATURE(indexed_blending, "3.2"),
    FEATURE(advanced_blending, "3.2"),
    FEATURE(dual_source, "GL_EXT_blend_func_extended"),
    FEATURE(clip_and_offset, "GL_EXT_clip_control"),
    FEATURE(robustness, "3.2"),
    FEATURE(deleted_indices, NULL),
};

int main(int argc, char **argv)
{
    return fx_main(argc, argv, 3,
                   (const struct fx_list[]){
                       {own, sizeof own / sizeof own[0]},
                       {gles32_texture_features, gles32_texture_feature_count},
                       {gles32_debug_features, gles32_debug_feature_count},
                       {gles32_map_features, gles32_map_feature_count},
                       {NULL, 0},
                   });
}
