/* What GLES 3.0 adds, and 3.1 where both have it, feature by feature: vertex arrays and buffers
 * here. */
#include "tests/integration/features/gles3.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
static const struct fx_feature own[] = {
    FEATURE(vertex_arrays),      FEATURE(instancing),        FEATURE(instancing_from_buffers),
    FEATURE(integer_attributes), FEATURE(packed_attributes), FEATURE(map_ranges),
    FEATURE(map_errors),         FEATURE(buffer_copies),     FEATURE(primitive_restart),
    FEATURE(range_elements),
};

int main(int argc, char **argv)
{
    return fx_main(argc, argv, 3,
                   (const struct fx_list[]){
                       {own, sizeof own / sizeof own[0]},
                       {gles3_texture_features, gles3_texture_feature_count},
                       {gles3_program_features, gles3_program_feature_count},
                       {gles3_query_features, gles3_query_feature_count},
                       {gles3_target_features, gles3_target_feature_count},
                       {gles3_bulk_features, gles3_bulk_feature_count},
                       {NULL, 0},
                   });
}
