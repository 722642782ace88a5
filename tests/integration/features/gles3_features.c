/* What GLES 3.0 adds, and 3.1 where both have it, feature by feature. Textures: gles3_textures.c.
 */
#include "tests/integration/features/gles3.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

GLuint es3_fill(const char *fragment)
{
    char text[4096];
    snprintf(text, sizeof text, ES3_FS "%s", fragment);
    GLuint program = fx_program(ES3_VS, text);
    glUseProgram(program);
    return program;
}

/* --- vertex arrays, buffers --- */

static void vertex_arrays(struct fx *fx, int frame)
{
    GLuint arrays[3], buffer, p = es3_fill(COLORED);
    float points[18];
    for (int i = 0; i < 18; i++) {
        points[i] = (float)((i * 11 + frame) % 17) / 8.5f - 1;
    }
    glGenVertexArrays(3, arrays);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof points, points, GL_STATIC_DRAW);
    for (int i = 0; i < 3; i++) {
        glBindVertexArray(arrays[i]);
        glEnableVertexAttribArray(0);
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, (void *)(intptr_t)(24 * i));
    }
    for (int i = 2; i >= 0; i--) {
        glBindVertexArray(arrays[i]);
        color(p, i == 0, i == 1, i == 2, 1);
        glDrawArrays(GL_TRIANGLES, 0, 3);
    }
    GLint value = 0;
    glGetIntegerv(GL_VERTEX_ARRAY_BINDING, &value);
    fx_note_int(fx, value == (GLint)arrays[0]);
    glDeleteVertexArrays(3, arrays);
    glGetIntegerv(GL_VERTEX_ARRAY_BINDING, &value);
    fx_note_int(fx, value + glIsVertexArray(arrays[1]));
}

static void instancing(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_program(
        "#version 300 es\nin vec2 p; in vec4 q; in vec2 r; out vec4 v; void main() { v = q; "
        "gl_Position = vec4(p * 0.2 + r + 0.02 * float(gl_InstanceID), 0.0, 1.0); }",
        ES3_FS "in vec4 v; out vec4 o; void main() { o = v; }");
    static const float corners[] = {-1, -1, 1, -1, -1, 1, 1, 1};
    static const uint16_t indices[] = {0, 1, 2, 3};
    float places[20], colors[20];
    for (int i = 0; i < 20; i++) {
        places[i] = (float)((i * 7 + frame * 3) % 19) / 12 - 0.8f;
        colors[i] = (float)((i * 5 + frame) % 9) / 9;
    }
    glUseProgram(p);
    for (GLuint i = 0; i < 3; i++) {
        glEnableVertexAttribArray(i);
    }
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
    glVertexAttribPointer(1, 4, GL_FLOAT, GL_FALSE, 0, colors);
    glVertexAttribPointer(2, 2, GL_FLOAT, GL_FALSE, 0, places);
    glVertexAttribDivisor(1, 2);
    glVertexAttribDivisor(2, 1);
    glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, 5);
    glVertexAttribPointer(2, 2, GL_FLOAT, GL_FALSE, 0, places + 10);
    glDrawElementsInstanced(GL_TRIANGLE_STRIP, 4, GL_UNSIGNED_SHORT, indices, 5);
}

static void instancing_from_buffers(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_program("#version 300 es\nin vec2 p; in vec4 q; out vec4 v; void main() { v = "
                          "fract(q * 3.1); gl_Position = vec4(p * 0.15 + q.xy, 0.0, 1.0); }",
                          ES3_FS "in vec4 v; out vec4 o; void main() { o = v; }");
    GLuint buffers[3];
    static const float corners[] = {-1, -1, 1, -1, 1, 1, -1, 1};
    static const uint8_t indices[] = {0, 1, 2, 2, 3, 0};
    float data[40];
    for (int i = 0; i < 40; i++) {
        data[i] = (float)((i * 13 + frame * 7) % 37) / 20 - 0.9f;
    }
    glUseProgram(p);
    glGenBuffers(3, buffers);
    glBindBuffer(GL_ARRAY_BUFFER, buffers[0]);
    glBufferData(GL_ARRAY_BUFFER, sizeof corners, corners, GL_STATIC_DRAW);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    glBindBuffer(GL_ARRAY_BUFFER, buffers[1]);
    glBufferData(GL_ARRAY_BUFFER, sizeof data, data, GL_STATIC_DRAW);
    glVertexAttribPointer(1, 4, GL_FLOAT, GL_FALSE, 0, NULL);
    glVertexAttribDivisor(1, 1);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffers[2]);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, sizeof indices, indices, GL_STATIC_DRAW);
    glEnableVertexAttribArray(0);
    glEnableVertexAttribArray(1);
    glDrawElementsInstanced(GL_TRIANGLES, 6, GL_UNSIGNED_BYTE, NULL, 10 - frame);
}

static void integer_attributes(struct fx *fx, int frame)
{
    GLuint p = fx_program("#version 300 es\nin vec2 p; in ivec4 q; in uvec2 r; flat out vec4 v; "
                          "void main() { v = vec4(q) / 100.0 + vec4(vec2(r), vec2(r)) / 300.0; "
                          "gl_Position = vec4(p, 0.0, 1.0); }",
                          ES3_FS "flat in vec4 v; out vec4 o; void main() { o = abs(v); }");
    int32_t ints[16], got[4];
    uint8_t bytes[8];
    fx_bytes(bytes, sizeof bytes, (uint32_t)frame);
    for (int i = 0; i < 16; i++) {
        ints[i] = (i * 17 + frame * 5) % 130 - 60;
    }
    glUseProgram(p);
    glEnableVertexAttribArray(1);
    glVertexAttribIPointer(1, 4, GL_INT, 0, ints);
    glEnableVertexAttribArray(2);
    glVertexAttribIPointer(2, 2, GL_UNSIGNED_BYTE, 0, bytes);
    fx_rect(-1, -1, 1, 0);
    glDisableVertexAttribArray(1);
    glDisableVertexAttribArray(2);
    glVertexAttribI4i(1, 50, -20, 30, 100);
    glVertexAttribI4ui(2, 10, 200, 0, 0);
    fx_rect(-1, 0, 1, 1);
    glGetVertexAttribIiv(1, GL_CURRENT_VERTEX_ATTRIB, got);
    fx_note(fx, got, sizeof got);
}

static void packed_attributes(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_program("#version 300 es\nin vec2 p; in vec4 q; in vec4 r; out vec4 v; void "
                          "main() { v = abs(q) + r * 0.3; gl_Position = vec4(p, 0.0, 1.0); }",
                          ES3_FS "in vec4 v; out vec4 o; void main() { o = v; }");
    uint32_t words[4];
    uint16_t halves[16];
    for (int i = 0; i < 16; i++) {
        halves[i] = (uint16_t)(0x3000 + i * 64 + frame);
        words[i % 4] = 0x12345678u * (uint32_t)(i + frame + 1);
    }
    glUseProgram(p);
    glEnableVertexAttribArray(1);
    glEnableVertexAttribArray(2);
    glVertexAttribPointer(1, 4, frame == 1 ? GL_UNSIGNED_INT_2_10_10_10_REV : GL_INT_2_10_10_10_REV,
                          GL_TRUE, 0, words);
    glVertexAttribPointer(2, 4, GL_HALF_FLOAT, GL_FALSE, 0, halves);
    fx_quad();
}

static void map_ranges(struct fx *fx, int frame)
{
    GLuint buffer, p = es3_fill(COLORED);
    float points[8] = {-0.9f, -0.9f, 0.8f, -0.7f, -0.6f, 0.9f, 0.5f, 0.7f};
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, 64, NULL, GL_DYNAMIC_DRAW);
    float *at =
        glMapBufferRange(GL_ARRAY_BUFFER, 0, 64, GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT);
    memset(at, 0, 64);
    memcpy(at + 4, points, sizeof points);
    fx_note_int(fx, glUnmapBuffer(GL_ARRAY_BUFFER));
    at = glMapBufferRange(GL_ARRAY_BUFFER, 16, 32,
                          GL_MAP_WRITE_BIT | GL_MAP_FLUSH_EXPLICIT_BIT | GL_MAP_UNSYNCHRONIZED_BIT);
    at[1] = -0.5f + 0.2f * (float)frame;
    at[6] = 0.1f;
    glFlushMappedBufferRange(GL_ARRAY_BUFFER, 4, 4);
    glFlushMappedBufferRange(GL_ARRAY_BUFFER, 24, 4);
    fx_note_int(fx, glUnmapBuffer(GL_ARRAY_BUFFER));
    at = glMapBufferRange(GL_ARRAY_BUFFER, 8, 40, GL_MAP_READ_BIT);
    fx_note(fx, at, 40);
    GLint value = 0;
    GLint64 length = 0;
    void *pointer = NULL;
    glGetBufferParameteriv(GL_ARRAY_BUFFER, GL_BUFFER_MAPPED, &value);
    glGetBufferParameteri64v(GL_ARRAY_BUFFER, GL_BUFFER_MAP_LENGTH, &length);
    glGetBufferPointerv(GL_ARRAY_BUFFER, GL_BUFFER_MAP_POINTER, &pointer);
    fx_note_int(fx, value + length * 10 + (pointer == at) * 1000);
    glUnmapBuffer(GL_ARRAY_BUFFER);
    at = glMapBufferRange(GL_ARRAY_BUFFER, 20, 4, GL_MAP_READ_BIT | GL_MAP_WRITE_BIT);
    *at *= 0.5f;
    glUnmapBuffer(GL_ARRAY_BUFFER);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, (void *)16);
    color(p, 0.3f, 1, 0.6f, 1);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

static void map_errors(struct fx *fx, int frame)
{
    GLuint buffer;
    (void)frame;
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, 64, NULL, GL_DYNAMIC_DRAW);
    static const struct {
        GLintptr offset;
        GLsizeiptr length;
        GLbitfield access;
        GLenum want;
    } cases[] = {{0, 65, GL_MAP_READ_BIT, GL_INVALID_VALUE},
                 {-1, 4, GL_MAP_READ_BIT, GL_INVALID_VALUE},
                 {0, 0, GL_MAP_READ_BIT, GL_INVALID_OPERATION},
                 {0, 4, 0, GL_INVALID_OPERATION},
                 {0, 4, GL_MAP_READ_BIT | GL_MAP_INVALIDATE_RANGE_BIT, GL_INVALID_OPERATION},
                 {0, 4, GL_MAP_READ_BIT | GL_MAP_FLUSH_EXPLICIT_BIT, GL_INVALID_OPERATION},
                 {0, 4, 0x8000 | GL_MAP_READ_BIT, GL_INVALID_VALUE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fx_note_int(fx, glMapBufferRange(GL_ARRAY_BUFFER, cases[i].offset, cases[i].length,
                                         cases[i].access) != NULL);
        fx_error(fx, cases[i].want);
    }
    glUnmapBuffer(GL_ARRAY_BUFFER);
    fx_error(fx, GL_INVALID_OPERATION);
    fx_note_int(fx, glMapBufferRange(GL_ARRAY_BUFFER, 0, 8, GL_MAP_WRITE_BIT) != NULL);
    fx_note_int(fx, glMapBufferRange(GL_ARRAY_BUFFER, 0, 8, GL_MAP_WRITE_BIT) != NULL);
    fx_error(fx, GL_INVALID_OPERATION);
    glBufferSubData(GL_ARRAY_BUFFER, 0, 4, &frame);
    fx_error(fx, GL_INVALID_OPERATION);
    glUnmapBuffer(GL_ARRAY_BUFFER);
}

static void buffer_copies(struct fx *fx, int frame)
{
    GLuint buffers[2], p = es3_fill(COLORED);
    float points[16];
    for (int i = 0; i < 16; i++) {
        points[i] = (float)((i * 5 + frame) % 13) / 6.5f - 1;
    }
    glGenBuffers(2, buffers);
    glBindBuffer(GL_COPY_READ_BUFFER, buffers[0]);
    glBufferData(GL_COPY_READ_BUFFER, sizeof points, points, GL_STATIC_COPY);
    glBindBuffer(GL_COPY_WRITE_BUFFER, buffers[1]);
    glBufferData(GL_COPY_WRITE_BUFFER, 48, NULL, GL_STATIC_DRAW);
    glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 16, 0, 48);
    glCopyBufferSubData(GL_COPY_WRITE_BUFFER, GL_COPY_WRITE_BUFFER, 0, 32, 8);
    fx_error(fx, GL_NO_ERROR);
    glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_COPY_WRITE_BUFFER, 60, 0, 8);
    fx_error(fx, GL_INVALID_VALUE);
    glBindBuffer(GL_ARRAY_BUFFER, buffers[1]);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    color(p, 1, 0.2f, 0.8f, 1);
    glDrawArrays(GL_TRIANGLE_FAN, 0, 6);
}

static void primitive_restart(struct fx *fx, int frame)
{
    GLuint p = es3_fill(COLORED);
    float points[20];
    uint16_t shorts[] = {0, 1, 2, 0xffff, 3, 4, 5, 0xffff, 6, 7, 8, 9};
    uint8_t bytes[] = {9, 8, 7, 0xff, 2, 1, 0};
    (void)fx;
    for (int i = 0; i < 20; i++) {
        points[i] = (float)((i * 7 + frame) % 23) / 11.5f - 1;
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    glEnable(GL_PRIMITIVE_RESTART_FIXED_INDEX);
    color(p, 1, 1, 0, 1);
    glDrawElements(GL_TRIANGLE_STRIP, 12, GL_UNSIGNED_SHORT, shorts);
    color(p, 0, 1, 1, 1);
    glDrawElements(GL_LINE_LOOP, 7, GL_UNSIGNED_BYTE, bytes);
    glDisable(GL_PRIMITIVE_RESTART_FIXED_INDEX);
}

static void range_elements(struct fx *fx, int frame)
{
    GLuint p = es3_fill(COLORED);
    float points[20];
    uint32_t indices[] = {5, 6, 7, 7, 8, 9};
    for (int i = 0; i < 20; i++) {
        points[i] = (float)((i * 3 + frame) % 17) / 8.5f - 1;
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    color(p, 1, 0.5f, 0.5f, 1);
    glDrawRangeElements(GL_TRIANGLES, 5, 9, 6, GL_UNSIGNED_INT, indices);
    glDrawRangeElements(GL_TRIANGLES, 9, 5, 6, GL_UNSIGNED_INT, indices);
    fx_error(fx, GL_INVALID_VALUE);
}

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

/* --- transform feedback, queries, sync --- */

static GLuint feedback_program(GLenum mode)
{
    static const char *const varyings[] = {"v", "gl_Position"};
    GLuint program = glCreateProgram();
    const char *texts[] = {
        "#version 300 es\nin vec2 p; out vec3 v; void main() { v = vec3(p * 2.0, "
        "float(gl_VertexID)); gl_Position = vec4(p, 0.5, 1.0); }",
        ES3_FS "in vec3 v; out vec4 o; void main() { o = vec4(abs(v), 1.0); }"};
    for (int i = 0; i < 2; i++) {
        GLuint shader = glCreateShader(i ? GL_FRAGMENT_SHADER : GL_VERTEX_SHADER);
        glShaderSource(shader, 1, &texts[i], NULL);
        glCompileShader(shader);
        glAttachShader(program, shader);
    }
    glBindAttribLocation(program, 0, "p");
    glTransformFeedbackVaryings(program, 2, varyings, mode);
    glLinkProgram(program);
    glUseProgram(program);
    return program;
}

void es3_note_buffer(struct fx *fx, GLuint buffer, size_t size)
{
    glBindBuffer(GL_COPY_READ_BUFFER, buffer);
    void *data = glMapBufferRange(GL_COPY_READ_BUFFER, 0, (GLsizeiptr)size, GL_MAP_READ_BIT);
    if (data != NULL) {
        fx_note(fx, data, size);
    }
    glUnmapBuffer(GL_COPY_READ_BUFFER);
}

static void feedback_interleaved(struct fx *fx, int frame)
{
    GLuint buffer, query, written = 0, p = feedback_program(GL_INTERLEAVED_ATTRIBS);
    float points[12];
    static const uint8_t zeros[512];
    for (int i = 0; i < 12; i++) {
        points[i] = (float)((i * 5 + frame) % 11) / 5.5f - 1;
    }
    glGenBuffers(1, &buffer);
    glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, 0, buffer);
    glBufferData(GL_TRANSFORM_FEEDBACK_BUFFER, sizeof zeros, zeros, GL_DYNAMIC_READ);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    glGenQueries(1, &query);
    glBeginQuery(GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN, query);
    glBeginTransformFeedback(GL_TRIANGLES);
    glDrawArrays(GL_TRIANGLES, 0, 6);
    glEndTransformFeedback();
    glEndQuery(GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN);
    glGetQueryObjectuiv(query, GL_QUERY_RESULT, &written);
    fx_note_int(fx, written);
    glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, 0, 0);
    es3_note_buffer(fx, buffer, 6 * 28);
    char name[32];
    GLsizei length = 0, size = 0;
    GLenum type = 0;
    glGetTransformFeedbackVarying(p, 0, sizeof name, &length, &size, &type, name);
    fx_note_text(fx, name);
    fx_note_int(fx, type + length + size);
}

static void feedback_separate(struct fx *fx, int frame)
{
    GLuint buffers[2], object;
    float points[12];
    feedback_program(GL_SEPARATE_ATTRIBS);
    for (int i = 0; i < 12; i++) {
        points[i] = (float)((i * 3 + frame) % 11) / 5.5f - 1;
    }
    glGenTransformFeedbacks(1, &object);
    glBindTransformFeedback(GL_TRANSFORM_FEEDBACK, object);
    glGenBuffers(2, buffers);
    for (GLuint i = 0; i < 2; i++) {
        static const uint8_t zeros[256];
        glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, i, buffers[i]);
        glBufferData(GL_TRANSFORM_FEEDBACK_BUFFER, 256, zeros, GL_DYNAMIC_READ);
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    glEnable(GL_RASTERIZER_DISCARD);
    glBeginTransformFeedback(GL_POINTS);
    glDrawArrays(GL_POINTS, 0, 2);
    glPauseTransformFeedback();
    glDrawArrays(GL_POINTS, 0, 6);
    glResumeTransformFeedback();
    glDrawArrays(GL_POINTS, 3, 2);
    glEndTransformFeedback();
    glDisable(GL_RASTERIZER_DISCARD);
    fx_note_int(fx, glIsTransformFeedback(object));
    glBindTransformFeedback(GL_TRANSFORM_FEEDBACK, 0);
    es3_note_buffer(fx, buffers[0], 48);
    es3_note_buffer(fx, buffers[1], 64);
}

static void occlusion_queries(struct fx *fx, int frame)
{
    GLuint queries[3], p = es3_fill(COLORED);
    glEnable(GL_DEPTH_TEST);
    glGenQueries(3, queries);
    color(p, 1, 1, 1, 1);
    for (int i = 0; i < 3; i++) {
        GLenum target = i == 1 ? GL_ANY_SAMPLES_PASSED_CONSERVATIVE : GL_ANY_SAMPLES_PASSED;
        GLint current = 0;
        glBeginQuery(target, queries[i]);
        glDepthFunc(i == 2 ? GL_NEVER : GL_LEQUAL);
        fx_rect(-0.5f, -0.5f, 0.1f * (float)frame, 0.5f);
        glGetQueryiv(target, GL_CURRENT_QUERY, &current);
        fx_note_int(fx, current == (GLint)queries[i]);
        glEndQuery(target);
    }
    for (int i = 0; i < 3; i++) {
        GLuint result = 7;
        glGetQueryObjectuiv(queries[i], GL_QUERY_RESULT, &result);
        fx_note_int(fx, result);
        fx_note_int(fx, glIsQuery(queries[i]));
    }
    glDeleteQueries(3, queries);
}

static void sync_objects(struct fx *fx, int frame)
{
    GLuint p = es3_fill(COLORED);
    color(p, 0.5f, 0.3f * (float)frame, 0, 1);
    fx_quad();
    GLsync sync = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    fx_note_int(fx, glIsSync(sync));
    GLenum result = glClientWaitSync(sync, GL_SYNC_FLUSH_COMMANDS_BIT, 5000000000ull);
    fx_note_int(fx, result == GL_CONDITION_SATISFIED || result == GL_ALREADY_SIGNALED);
    fx_note_int(fx, glClientWaitSync(sync, 0, 0));
    glWaitSync(sync, 0, GL_TIMEOUT_IGNORED);
    static const GLenum names[] = {GL_OBJECT_TYPE, GL_SYNC_STATUS, GL_SYNC_CONDITION,
                                   GL_SYNC_FLAGS};
    for (int i = 0; i < 4; i++) {
        GLint value = -1;
        GLsizei length = 0;
        glGetSynciv(sync, names[i], 1, &length, &value);
        fx_note_int(fx, value * 10 + length);
    }
    glDeleteSync(sync);
    fx_note_int(fx, glIsSync(sync));
    glClientWaitSync(sync, 0, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 1);
    fx_error(fx, GL_INVALID_VALUE);
}

struct fence_job {
    GLuint texture;
    GLsync fence;
    int frame;
};

static void upload_and_fence(void *user)
{
    struct fence_job *job = user;
    static uint8_t pixels[64 * 64 * 4];
    fx_bytes(pixels, sizeof pixels, 5u + (uint32_t)job->frame);
    glGenTextures(1, &job->texture);
    glBindTexture(GL_TEXTURE_2D, job->texture);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, 64, 64);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 64, 64, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    job->fence = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    glFlush();
}

static void shared_with_fences(struct fx *fx, int frame)
{
    struct fence_job job = {.frame = frame};
    fx_on_thread(fx, upload_and_fence, &job);
    glWaitSync(job.fence, 0, GL_TIMEOUT_IGNORED);
    glDeleteSync(job.fence);
    glBindTexture(GL_TEXTURE_2D, job.texture);
    es3_fill(ES3_TEXTURED);
    fx_quad();
}

/* --- state --- */

static void strings_and_limits(struct fx *fx, int frame)
{
    static const GLenum names[] = {GL_MAX_3D_TEXTURE_SIZE,
                                   GL_MAX_ARRAY_TEXTURE_LAYERS,
                                   GL_MAX_COLOR_ATTACHMENTS,
                                   GL_MAX_DRAW_BUFFERS,
                                   GL_MAX_ELEMENTS_INDICES,
                                   GL_MAX_UNIFORM_BUFFER_BINDINGS,
                                   GL_MAX_VARYING_COMPONENTS,
                                   GL_MAX_SAMPLES,
                                   GL_MAX_FRAGMENT_UNIFORM_BLOCKS,
                                   GL_MAX_VERTEX_OUTPUT_COMPONENTS,
                                   GL_MAX_TRANSFORM_FEEDBACK_SEPARATE_ATTRIBS,
                                   GL_MIN_PROGRAM_TEXEL_OFFSET,
                                   GL_MAX_PROGRAM_TEXEL_OFFSET};
    (void)frame;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        GLint value = 0;
        GLint64 wide = 0;
        GLfloat real = 0;
        glGetIntegerv(names[i], &value);
        glGetInteger64v(names[i], &wide);
        glGetFloatv(names[i], &real);
        fx_note_int(fx, value);
        fx_note_int(fx, wide);
        fx_note(fx, &real, sizeof real);
    }
    GLint64 server = 0, block = 0;
    glGetInteger64v(GL_MAX_SERVER_WAIT_TIMEOUT, &server);
    glGetInteger64v(GL_MAX_UNIFORM_BLOCK_SIZE, &block);
    fx_note_int(fx, block);
    GLint count = 0;
    glGetIntegerv(GL_NUM_EXTENSIONS, &count);
    for (GLint i = 0; i < count; i++) {
        fx_note_int(fx, fx_has((const char *)glGetStringi(GL_EXTENSIONS, (GLuint)i)));
        if (i == 3) {
            break; /* the lists differ by right: the guest filters what cannot travel */
        }
    }
    glGetStringi(GL_EXTENSIONS, 100000);
    fx_error(fx, GL_INVALID_VALUE);
}

static void es3_errors(struct fx *fx, int frame)
{
    GLuint name = 0;
    (void)frame;
    glBindVertexArray(4711);
    fx_error(fx, GL_INVALID_OPERATION);
    glBeginTransformFeedback(GL_TRIANGLES);
    fx_error(fx, GL_INVALID_OPERATION);
    glGenQueries(1, &name);
    glEndQuery(GL_ANY_SAMPLES_PASSED);
    fx_error(fx, GL_INVALID_OPERATION);
    glBindSampler(999, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA, 4, 4);
    fx_error(fx, GL_INVALID_ENUM);
    glBindBufferBase(GL_UNIFORM_BUFFER, 9999, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawBuffers(1, (const GLenum[]){GL_COLOR_ATTACHMENT0});
    fx_error(fx, GL_INVALID_OPERATION);
    glReadBuffer(GL_COLOR_ATTACHMENT0);
    fx_error(fx, GL_INVALID_OPERATION);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, 99, GL_RGBA8, 4, 4);
    fx_error(fx, GL_INVALID_OPERATION);
    glVertexAttribIPointer(0, 2, GL_FLOAT, 0, NULL);
    fx_error(fx, GL_INVALID_ENUM);
    glUniformBlockBinding(4711, 0, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawArraysInstanced(GL_TRIANGLES, 0, 3, -1);
    fx_error(fx, GL_INVALID_VALUE);
}

static void program_binaries(struct fx *fx, int frame)
{
    GLint formats = 0, size = 0, ok = 0;
    glGetIntegerv(GL_NUM_PROGRAM_BINARY_FORMATS, &formats);
    fx_note_int(fx, formats);
    GLuint p = es3_fill(COLORED);
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
    glUseProgram(p);
    color(p, 0.4f, 0.3f * (float)frame, 0.9f, 1);
    fx_rect(-0.8f, -0.7f, 0.6f, 0.5f);
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
static const struct fx_feature own[] = {
    FEATURE(vertex_arrays),
    FEATURE(instancing),
    FEATURE(instancing_from_buffers),
    FEATURE(integer_attributes),
    FEATURE(packed_attributes),
    FEATURE(map_ranges),
    FEATURE(map_errors),
    FEATURE(buffer_copies),
    FEATURE(primitive_restart),
    FEATURE(range_elements),
    FEATURE(uniform_blocks),
    FEATURE(block_introspection),
    FEATURE(unsigned_uniforms),
    FEATURE(feedback_interleaved),
    FEATURE(feedback_separate),
    FEATURE(occlusion_queries),
    FEATURE(sync_objects),
    FEATURE(shared_with_fences),
    FEATURE(strings_and_limits),
    FEATURE(es3_errors),
    FEATURE(program_binaries),
    FEATURE31(compute_and_storage),
    FEATURE31(images),
    FEATURE31(indirect_draws),
    FEATURE31(separate_programs),
    FEATURE31(vertex_bindings),
    FEATURE31(resource_queries),
};

int main(int argc, char **argv)
{
    return fx_main(argc, argv, 3,
                   (const struct fx_list[]){
                       {own, sizeof own / sizeof own[0]},
                       {gles3_texture_features, gles3_texture_feature_count},
                       {gles3_target_features, gles3_target_feature_count},
                       {NULL, 0},
                   });
}
