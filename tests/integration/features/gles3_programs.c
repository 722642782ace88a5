/* Programs of GLES 3: uniforms, blocks, binaries; and what 3.1 adds. */
#include "tests/integration/features/gles3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- uniforms --- */

#define BLOCKS                                                                                     \
    "layout(std140) uniform one { vec4 a; float b[3]; mat3 m; }; layout(std140) uniform two { "    \
    "vec2 d; ivec4 e; } second; in vec2 t; out vec4 o; void main() { o = a * t.x + vec4(b[0], "    \
    "b[1], b[2], 1.0) + vec4(m * vec3(t, 1.0), 0.0) + second.d.xyxy * 0.1 + vec4(second.e) * "     \
    "0.01; }"

static void uniform_blocks(struct fx *fx, int frame)
{
    GLuint buffers[2], p = es3_fill(BLOCKS);
    float one[4 + 12 + 12], two[8];
    GLint align = 0, value = 0;
    for (int i = 0; i < 28; i++) {
        one[i] = (float)((i * 3 + frame) % 10) / 20;
    }
    memset(two, 0, sizeof two);
    two[0] = 0.5f;
    memcpy(two + 4, (const int32_t[]){frame, 2, 3, 4}, 16);
    glGetIntegerv(GL_UNIFORM_BUFFER_OFFSET_ALIGNMENT, &align); /* 256 at most, says the spec */
    fx_note_int(fx, align);
    glGenBuffers(2, buffers);
    glBindBuffer(GL_UNIFORM_BUFFER, buffers[0]);
    glBufferData(GL_UNIFORM_BUFFER, 256 + (GLint)sizeof two, NULL, GL_DYNAMIC_DRAW);
    glBufferSubData(GL_UNIFORM_BUFFER, 0, sizeof one, one);
    glBufferSubData(GL_UNIFORM_BUFFER, 256, sizeof two, two);
    glUniformBlockBinding(p, glGetUniformBlockIndex(p, "one"), 2);
    glUniformBlockBinding(p, glGetUniformBlockIndex(p, "two"), 5);
    glBindBufferBase(GL_UNIFORM_BUFFER, 2, buffers[0]);
    glBindBufferRange(GL_UNIFORM_BUFFER, 5, buffers[0], 256, sizeof two);
    fx_quad();
    GLint64 start = 0;
    glGetIntegeri_v(GL_UNIFORM_BUFFER_BINDING, 2, &value);
    glGetInteger64i_v(GL_UNIFORM_BUFFER_START, 5, &start);
    fx_note_int(fx, value == (GLint)buffers[0]);
    fx_note_int(fx, start);
}

static void block_introspection(struct fx *fx, int frame)
{
    GLuint p = es3_fill(BLOCKS), indices[4];
    static const char *const names[] = {"a", "b", "m", "two.e"};
    static const GLenum queries[] = {GL_UNIFORM_TYPE,          GL_UNIFORM_SIZE,
                                     GL_UNIFORM_OFFSET,        GL_UNIFORM_ARRAY_STRIDE,
                                     GL_UNIFORM_MATRIX_STRIDE, GL_UNIFORM_IS_ROW_MAJOR};
    GLint values[4], value = 0;
    char name[32] = "";
    glGetUniformIndices(p, 4, names, indices);
    for (int i = 0; i < 6; i++) {
        glGetActiveUniformsiv(p, 4, indices, queries[i], values);
        fx_note(fx, values, sizeof values);
    }
    GLuint block = glGetUniformBlockIndex(p, frame == 1 ? "two" : "one");
    glGetActiveUniformBlockName(p, block, sizeof name, NULL, name);
    fx_note_text(fx, name);
    glGetActiveUniformBlockiv(p, block, GL_UNIFORM_BLOCK_DATA_SIZE, &value);
    fx_note_int(fx, value);
    glGetActiveUniformBlockiv(p, block, GL_UNIFORM_BLOCK_ACTIVE_UNIFORMS, &value);
    fx_note_int(fx, value);
    GLint list[8] = {0};
    glGetActiveUniformBlockiv(p, block, GL_UNIFORM_BLOCK_ACTIVE_UNIFORM_INDICES, list);
    fx_note(fx, list, (size_t)value * 4);
    glGetProgramiv(p, GL_ACTIVE_UNIFORM_BLOCKS, &value);
    fx_note_int(fx, value);
    fx_note_int(fx, glGetUniformBlockIndex(p, "none"));
}

static void unsigned_uniforms(struct fx *fx, int frame)
{
    GLuint p =
        es3_fill("uniform uint u; uniform uvec2 u2; uniform uvec4 u4[2]; uniform mat2x3 m; "
                 "uniform mat4x2 n; in vec2 t; out vec4 o; void main() { o = vec4(float(u) "
                 "/ 10.0, vec2(u2) / 300.0, 1.0) + vec4(u4[1]) / 1000.0 + vec4(m * t, 0.0) * "
                 "0.1 + vec4(n * vec4(t, t), 0.0, 0.0) * 0.1; }");
    const GLuint numbers[8] = {1, 2, 300, 4, 5, 600, 7, (GLuint)frame * 100};
    const float m[8] = {0.1f, 0.9f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f};
    GLuint got[4];
    glUniform1ui(glGetUniformLocation(p, "u"), 3 + (GLuint)frame);
    glUniform2uiv(glGetUniformLocation(p, "u2"), 1, numbers + 1);
    glUniform4uiv(glGetUniformLocation(p, "u4"), 2, numbers);
    glUniformMatrix2x3fv(glGetUniformLocation(p, "m"), 1, GL_TRUE, m);
    glUniformMatrix4x2fv(glGetUniformLocation(p, "n"), 1, GL_FALSE, m);
    fx_quad();
    glGetUniformuiv(p, glGetUniformLocation(p, "u4[1]"), got);
    fx_note(fx, got, sizeof got);
}

/* The program by way of its binary; itself where there are none. */
static GLuint reloaded(struct fx *fx, GLuint p)
{
    GLint formats = 0, size = 0, ok = 0;
    glGetIntegerv(GL_NUM_PROGRAM_BINARY_FORMATS, &formats);
    fx_note_int(fx, formats);
    glProgramParameteri(p, GL_PROGRAM_BINARY_RETRIEVABLE_HINT, GL_TRUE);
    glLinkProgram(p);
    glGetProgramiv(p, GL_PROGRAM_BINARY_LENGTH, &size);
    if (formats > 0 && size > 0) {
        void *data = malloc((size_t)size);
        GLenum format = 0;
        GLsizei length = 0;
        glGetProgramBinary(p, size, &length, &format, data);
        GLuint again = glCreateProgram();
        glProgramBinary(again, format, data, length);
        glGetProgramiv(again, GL_LINK_STATUS, &ok);
        free(data);
        p = ok ? again : p;
    }
    fx_note_int(fx, ok);
    return p;
}

static void program_binaries(struct fx *fx, int frame)
{
    GLuint p = reloaded(fx, es3_fill(COLORED));
    glUseProgram(p);
    color(p, 0.4f, 0.3f * (float)frame, 0.9f, 1);
    fx_rect(-0.8f, -0.7f, 0.6f, 0.5f);
}

/* A binary's external samplers still read the external texture of their unit, not its 2D one. */
static void external_binaries(struct fx *fx, int frame)
{
    PFNEGLCREATEIMAGEKHRPROC create_image =
        (PFNEGLCREATEIMAGEKHRPROC)eglGetProcAddress("eglCreateImageKHR");
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC image_target =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    GLuint p = fx_program(
        ES3_VS, "#version 300 es\n#extension GL_OES_EGL_image_external_essl3 : require\n"
                "precision highp float; in vec2 t; uniform samplerExternalOES camera; out vec4 o; "
                "void main() { o = texture(camera, t); }");
    GLuint external, source = fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    EGLImageKHR image = create_image(fx->egl.display, fx->context, EGL_GL_TEXTURE_2D_KHR,
                                     (EGLClientBuffer)(uintptr_t)source, NULL);
    glGenTextures(1, &external);
    glBindTexture(GL_TEXTURE_EXTERNAL_OES, external);
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    image_target(GL_TEXTURE_EXTERNAL_OES, image);
    fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame + 5);
    GLuint loaded = reloaded(fx, p);
    glUseProgram(loaded);
    glUniform1i(glGetUniformLocation(loaded, "camera"), 0);
    fx_rect(-0.8f, -0.7f, 0.6f, 0.5f);
    glUseProgram(0);
    glDeleteProgram(p);
}
/* --- 3.1 --- */

static GLuint compute_program(const char *text)
{
    GLuint program = glCreateProgram(), shader = glCreateShader(GL_COMPUTE_SHADER);
    GLint ok = 0;
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    glAttachShader(program, shader);
    glLinkProgram(program);
    glGetProgramiv(program, GL_LINK_STATUS, &ok);
    if (!ok) {
        fprintf(stderr, "the compute program does not link\n");
        exit(1);
    }
    glUseProgram(program);
    return program;
}

static void compute_and_storage(struct fx *fx, int frame)
{
    GLuint buffers[2];
    uint32_t numbers[64];
    for (uint32_t i = 0; i < 64; i++) {
        numbers[i] = i * i + (uint32_t)frame;
    }
    glGenBuffers(2, buffers);
    for (GLuint i = 0; i < 2; i++) {
        glBindBufferBase(GL_SHADER_STORAGE_BUFFER, i, buffers[i]);
        glBufferData(GL_SHADER_STORAGE_BUFFER, sizeof numbers, i ? NULL : numbers, GL_DYNAMIC_COPY);
    }
    compute_program(
        "#version 310 es\nlayout(local_size_x = 16) in; layout(std430, binding = 0) "
        "readonly buffer A { uint a[]; }; layout(std430, binding = 1) writeonly buffer B "
        "{ uint b[]; }; shared uint s[16]; void main() { uint i = "
        "gl_GlobalInvocationID.x; s[gl_LocalInvocationID.x] = a[i]; barrier(); b[i] = "
        "s[15u - gl_LocalInvocationID.x] * 3u + i; }");
    glDispatchCompute(4, 1, 1);
    glMemoryBarrier(GL_BUFFER_UPDATE_BARRIER_BIT);
    es3_note_buffer(fx, buffers[1], sizeof numbers);
}

static void images(struct fx *fx, int frame)
{
    GLuint texture, p;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, 64, 64);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glBindImageTexture(0, texture, 0, GL_FALSE, 0, GL_WRITE_ONLY, GL_RGBA8);
    p = compute_program(
        "#version 310 es\nlayout(local_size_x = 8, local_size_y = 8) in; "
        "layout(rgba8, binding = 0) writeonly uniform highp image2D i; uniform float "
        "f; void main() { ivec2 at = ivec2(gl_GlobalInvocationID.xy); imageStore(i, "
        "at, vec4(vec2(at) / 64.0, f, 1.0)); }");
    glUniform1f(glGetUniformLocation(p, "f"), 0.3f * (float)frame);
    glDispatchCompute(8, 8, 1);
    glMemoryBarrier(GL_TEXTURE_FETCH_BARRIER_BIT);
    es3_fill(ES3_TEXTURED);
    fx_quad();
    fx_error(fx, GL_NO_ERROR);
}

static void indirect_draws(struct fx *fx, int frame)
{
    GLuint buffers[3], array, p = es3_fill(COLORED);
    static const float corners[] = {-0.8f, -0.8f, 0.8f, -0.8f, -0.8f, 0.8f, 0.8f, 0.8f};
    static const uint16_t indices[] = {3, 2, 1};
    const GLuint arrays_command[] = {3, 1, 0, 0}, elements_command[] = {3, 1, 0, 0, 0};
    glGenVertexArrays(1, &array);
    glBindVertexArray(array);
    glGenBuffers(3, buffers);
    glBindBuffer(GL_ARRAY_BUFFER, buffers[0]);
    glBufferData(GL_ARRAY_BUFFER, sizeof corners, corners, GL_STATIC_DRAW);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffers[1]);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, sizeof indices, indices, GL_STATIC_DRAW);
    glBindBuffer(GL_DRAW_INDIRECT_BUFFER, buffers[2]);
    glBufferData(GL_DRAW_INDIRECT_BUFFER, 64, NULL, GL_STATIC_DRAW);
    glBufferSubData(GL_DRAW_INDIRECT_BUFFER, 0, sizeof arrays_command, arrays_command);
    glBufferSubData(GL_DRAW_INDIRECT_BUFFER, 32, sizeof elements_command, elements_command);
    color(p, 1, 0.2f * (float)frame, 0, 1);
    glDrawArraysIndirect(GL_TRIANGLES, NULL);
    color(p, 0, 0.5f, 1, 1);
    glDrawElementsIndirect(GL_TRIANGLES, GL_UNSIGNED_SHORT, (void *)32);
    fx_error(fx, GL_NO_ERROR);
    glBindVertexArray(0);
}

static void separate_programs(struct fx *fx, int frame)
{
    GLuint pipeline, vs, fs;
    const char *vertex =
        "#version 310 es\nlayout(location = 0) in vec2 p; layout(location = 0) out "
        "vec2 t; void main() { t = p * 0.5 + 0.5; gl_Position = vec4(p, 0.0, 1.0); }";
    const char *fragment =
        "#version 310 es\nprecision highp float; layout(location = 0) in vec2 t; "
        "uniform vec4 c; out vec4 o; void main() { o = c * vec4(t, 1.0, 1.0); }";
    vs = glCreateShaderProgramv(GL_VERTEX_SHADER, 1, &vertex);
    fs = glCreateShaderProgramv(GL_FRAGMENT_SHADER, 1, &fragment);
    glUseProgram(0);
    glGenProgramPipelines(1, &pipeline);
    glBindProgramPipeline(pipeline);
    glUseProgramStages(pipeline, GL_VERTEX_SHADER_BIT, vs);
    glUseProgramStages(pipeline, GL_FRAGMENT_SHADER_BIT, fs);
    glProgramUniform4f(fs, glGetUniformLocation(fs, "c"), 1, 0.5f, 0.3f * (float)frame, 1);
    fx_quad();
    GLint value = 0;
    glGetProgramPipelineiv(pipeline, GL_FRAGMENT_SHADER, &value);
    fx_note_int(fx, value == (GLint)fs);
    glValidateProgramPipeline(pipeline);
    glBindProgramPipeline(0);
}

static void vertex_bindings(struct fx *fx, int frame)
{
    GLuint buffer, array, p = es3_fill(COLORED);
    float points[16];
    (void)fx;
    for (int i = 0; i < 16; i++) {
        points[i] = (float)((i * 5 + frame) % 9) / 4.5f - 1;
    }
    glGenVertexArrays(1, &array);
    glBindVertexArray(array);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof points, points, GL_STATIC_DRAW);
    glVertexAttribFormat(0, 2, GL_FLOAT, GL_FALSE, 4);
    glVertexAttribBinding(0, 3);
    glBindVertexBuffer(3, buffer, 8, 12);
    glVertexBindingDivisor(3, 0);
    glEnableVertexAttribArray(0);
    color(p, 0.9f, 0.9f, 0.1f, 1);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    GLint value = 0;
    glGetIntegeri_v(GL_VERTEX_BINDING_STRIDE, 3, &value);
    fx_note_int(fx, value);
    glBindVertexArray(0);
}

static void resource_queries(struct fx *fx, int frame)
{
    GLuint p =
        es3_fill("uniform vec4 c[3]; uniform sampler2D s; in vec2 t; layout(location = 0) out "
                 "vec4 o; void main() { o = c[2] + texture(s, t); }");
    static const GLenum queries[] = {GL_TYPE, GL_ARRAY_SIZE, GL_LOCATION};
    static const GLenum interfaces[] = {GL_UNIFORM, GL_PROGRAM_INPUT, GL_PROGRAM_OUTPUT};
    (void)frame;
    for (int i = 0; i < 3; i++) {
        GLint value = 0;
        glGetProgramInterfaceiv(p, interfaces[i], GL_ACTIVE_RESOURCES, &value);
        fx_note_int(fx, value);
        glGetProgramInterfaceiv(p, interfaces[i], GL_MAX_NAME_LENGTH, &value);
        fx_note_int(fx, value);
    }
    GLuint index = glGetProgramResourceIndex(p, GL_UNIFORM, "c");
    GLint values[3] = {0};
    GLsizei length = 0;
    char name[16] = "";
    glGetProgramResourceiv(p, GL_UNIFORM, index, 3, queries, 3, &length, values);
    fx_note(fx, values, sizeof values);
    glGetProgramResourceName(p, GL_UNIFORM, index, sizeof name, &length, name);
    fx_note_text(fx, name);
    fx_note_int(fx, glGetProgramResourceLocation(p, GL_UNIFORM, "c[2]"));
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
#define FEATURE31(name)                                                                            \
    {                                                                                              \
#name, name, "3.1"                                                                         \
    }
const struct fx_feature gles3_program_features[] = {
    FEATURE(uniform_blocks),
    FEATURE(block_introspection),
    FEATURE(unsigned_uniforms),
    FEATURE(program_binaries),
    FEATURE31(compute_and_storage),
    FEATURE31(images),
    FEATURE31(indirect_draws),
    FEATURE31(separate_programs),
    FEATURE31(vertex_bindings),
    FEATURE31(resource_queries),
    {"external_binaries", external_binaries, "GL_OES_EGL_image_external_essl3"},
};
const size_t gles3_program_feature_count =
    sizeof gles3_program_features / sizeof gles3_program_features[0];
