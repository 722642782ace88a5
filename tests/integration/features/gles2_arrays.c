/* Vertex arrays and buffers of GLES 2, and extensions that many drivers have. */
#include "tests/integration/features/gles2.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- arrays --- */

static void client_array_types(struct fx *fx, int frame)
{
    static const struct {
        GLenum type;
        GLint size;
    } kinds[] = {{GL_BYTE, 1},           {GL_UNSIGNED_BYTE, 1}, {GL_SHORT, 2},
                 {GL_UNSIGNED_SHORT, 2}, {GL_FIXED, 4},         {GL_FLOAT, 4}};
    (void)fx;
    GLuint p = fx_program("attribute vec2 p; attribute vec4 q; varying vec4 v; void main() { v = "
                          "abs(fract(q * 0.37)); gl_Position = vec4(p, 0.0, 1.0); }",
                          "varying vec4 v; void main() { gl_FragColor = v; }");
    glUseProgram(p);
    glEnableVertexAttribArray(0);
    glEnableVertexAttribArray(1);
    for (int i = 0; i < 24; i++) {
        int kind = i % 6, components = 1 + i / 6;
        uint8_t values[4 * 4 * 4];
        fx_bytes(values, sizeof values, (uint32_t)(i + frame * 31));
        if (kinds[kind].type == GL_FLOAT) {
            float numbers[16];
            for (int k = 0; k < 16; k++) {
                numbers[k] = (float)values[k] / 64;
            }
            memcpy(values, numbers, sizeof numbers);
        }
        float x = -1 + 0.33f * (float)kind, y = -1 + 0.5f * (float)(i / 6);
        const float corners[] = {x, y, x + 0.3f, y, x, y + 0.45f, x + 0.3f, y + 0.45f};
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
        glVertexAttribPointer(1, components, kinds[kind].type, (i + frame) % 2 != 0,
                              kinds[kind].size * 4, values);
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    }
}

struct vertex {
    float x, y;
    uint8_t color[4];
    int16_t extra[2];
};

static void interleaved(struct vertex *v, int count, int frame)
{
    for (int i = 0; i < count; i++) {
        float angle = 6.2831853f * (float)i / (float)count + 0.2f * (float)frame;
        v[i] = (struct vertex){0.9f * cosf(angle),
                               0.9f * sinf(angle),
                               {(uint8_t)(i * 20), (uint8_t)(255 - i * 9), 128, 255},
                               {(int16_t)(i * 1000), (int16_t)(-i * 700)}};
    }
}

#define INTERLEAVED_VS                                                                             \
    "attribute vec2 p; attribute vec4 q; attribute vec2 r; varying vec4 v; void main() { v = q + " \
    "vec4(r, 0.0, 0.0); gl_Position = vec4(p, 0.0, 1.0); }"

static void set_interleaved(const struct vertex *base)
{
    const char *at = (const char *)base;
    for (GLuint i = 0; i < 3; i++) {
        glEnableVertexAttribArray(i);
    }
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, sizeof *base, at);
    glVertexAttribPointer(1, 4, GL_UNSIGNED_BYTE, GL_TRUE, sizeof *base, at + 8);
    glVertexAttribPointer(2, 2, GL_SHORT, GL_TRUE, sizeof *base, at + 12);
}

static void client_interleaved(struct fx *fx, int frame)
{
    (void)fx;
    struct vertex v[12];
    interleaved(v, 12, frame);
    glUseProgram(fx_program(INTERLEAVED_VS, "varying vec4 v; void main() { gl_FragColor = v; }"));
    set_interleaved(v);
    glDrawArrays(GL_TRIANGLE_FAN, frame, 12 - frame);
}

static void buffer_interleaved(struct fx *fx, int frame)
{
    struct vertex v[12];
    GLuint buffer;
    GLint value = 0;
    interleaved(v, 12, frame);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof v, v, GL_STATIC_DRAW);
    glUseProgram(fx_program(INTERLEAVED_VS, "varying vec4 v; void main() { gl_FragColor = v; }"));
    set_interleaved(NULL);
    glDrawArrays(GL_TRIANGLE_FAN, 0, 12);
    glGetBufferParameteriv(GL_ARRAY_BUFFER, GL_BUFFER_SIZE, &value);
    fx_note_int(fx, value);
    glGetVertexAttribiv(1, GL_VERTEX_ATTRIB_ARRAY_STRIDE, &value);
    fx_note_int(fx, value);
    void *pointer = NULL;
    glGetVertexAttribPointerv(2, GL_VERTEX_ATTRIB_ARRAY_POINTER, &pointer);
    fx_note_int(fx, (int64_t)(intptr_t)pointer);
}

static void mixed_sources(struct fx *fx, int frame)
{
    (void)fx;
    struct vertex v[12];
    float colors[12][4];
    GLuint buffer;
    interleaved(v, 12, frame);
    for (int i = 0; i < 48; i++) {
        colors[i / 4][i % 4] = (float)((i * 7 + frame) % 11) / 11;
    }
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof v, v, GL_DYNAMIC_DRAW);
    glUseProgram(fx_program(INTERLEAVED_VS, "varying vec4 v; void main() { gl_FragColor = v; }"));
    set_interleaved(NULL);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glVertexAttribPointer(1, 4, GL_FLOAT, GL_FALSE, 0, colors);
    glDisableVertexAttribArray(2);
    glVertexAttrib2f(2, 0.1f, 0.2f * (float)frame);
    glDrawArrays(GL_TRIANGLE_FAN, 0, 12);
}

static void constant_attributes(struct fx *fx, int frame)
{
    GLuint p = fx_program("attribute vec2 p; attribute vec4 q; varying vec4 v; void main() { v = "
                          "q; gl_Position = vec4(p, 0.0, 1.0); }",
                          "varying vec4 v; void main() { gl_FragColor = v; }");
    const float values[] = {0.9f, 0.1f, 0.2f * (float)frame, 1};
    float got[4];
    glUseProgram(p);
    for (int i = 0; i < 8; i++) {
        switch (i % 4) {
        case 0:
            glVertexAttrib1f(1, 0.1f * (float)i);
            break;
        case 1:
            glVertexAttrib2fv(1, values);
            break;
        case 2:
            glVertexAttrib3f(1, 0.3f, 0.1f * (float)i, 0.8f);
            break;
        default:
            glVertexAttrib4fv(1, values);
        }
        fx_rect(-1 + 0.25f * (float)i, -1, -0.75f + 0.25f * (float)i, 1);
        glGetVertexAttribfv(1, GL_CURRENT_VERTEX_ATTRIB, got);
        fx_note(fx, got, sizeof got);
    }
}

static void index_types(struct fx *fx, int frame)
{
    static const uint8_t bytes[] = {0, 1, 2, 2, 3, 0};
    static const uint16_t shorts[] = {4, 5, 6, 6, 7, 4};
    GLuint buffer, p = fx_fill(COLORED);
    float points[16];
    (void)fx;
    for (int i = 0; i < 8; i++) {
        points[2 * i] = (i % 4 == 1 || i % 4 == 2 ? 0.4f : -0.4f) + (i < 4 ? -0.5f : 0.5f);
        points[2 * i + 1] = (i % 4 > 1 ? 0.4f : -0.4f) + 0.1f * (float)frame;
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    color(p, 1, 1, 0, 1);
    glDrawElements(GL_TRIANGLES, 6, GL_UNSIGNED_BYTE, bytes);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffer);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, 4 + sizeof shorts, NULL, GL_STREAM_DRAW);
    glBufferSubData(GL_ELEMENT_ARRAY_BUFFER, 4, sizeof shorts, shorts);
    color(p, 0, 1, 1, 1);
    glDrawElements(GL_TRIANGLES, 6, GL_UNSIGNED_SHORT, (void *)4);
}

static void uint_indices(struct fx *fx, int frame)
{
    (void)fx;
    static float points[70000][2];
    uint32_t indices[6] = {69000, 69001, 69002, 69002, 69003, 69000};
    GLuint p = fx_fill(COLORED);
    for (int i = 0; i < 4; i++) {
        points[69000 + i][0] = i == 1 || i == 2 ? 0.7f : -0.7f;
        points[69000 + i][1] = (i > 1 ? 0.7f : -0.7f) + 0.1f * (float)frame;
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    color(p, 0.2f, 0.9f, 0.1f, 1);
    glDrawElements(GL_TRIANGLES, 6, GL_UNSIGNED_INT, indices);
}

static void buffer_updates(struct fx *fx, int frame)
{
    GLuint buffers[2], p = fx_fill(COLORED);
    float points[64];
    for (int i = 0; i < 64; i++) {
        points[i] = (float)((i * 37 + frame * 5) % 64) / 32 - 1;
    }
    glGenBuffers(2, buffers);
    for (int round = 0; round < 4; round++) {
        glBindBuffer(GL_ARRAY_BUFFER, buffers[round % 2]);
        glBufferData(GL_ARRAY_BUFFER, sizeof points, round < 2 ? points : NULL, GL_STREAM_DRAW);
        glBufferSubData(GL_ARRAY_BUFFER, 64, 128, points + 3);
        glBufferSubData(GL_ARRAY_BUFFER, 0, 64, points + 1);
        glBufferSubData(GL_ARRAY_BUFFER, 192, 64, points + 7);
        glEnableVertexAttribArray(0);
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
        color(p, (float)round / 4, 1, 0, 1);
        glDrawArrays(GL_LINE_STRIP, 0, 32);
    }
    glDeleteBuffers(1, buffers);
    fx_note_int(fx, glIsBuffer(buffers[0]) * 2 + glIsBuffer(buffers[1]));
    glDeleteBuffers(1, buffers + 1);
}

static void large_draws(struct fx *fx, int frame)
{
    (void)fx;
    static float points[30000][2];
    GLuint p = fx_fill(COLORED);
    for (int i = 0; i < 30000; i++) {
        float angle = (float)i * 0.01f + (float)frame;
        points[i][0] = cosf(angle) * (float)i / 30000;
        points[i][1] = sinf(angle) * (float)i / 30000;
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    color(p, 1, 0.5f, 0, 1);
    glDrawArrays(GL_LINE_STRIP, 0, 30000);
}

/* --- extensions that many have --- */

static void vertex_array_objects(struct fx *fx, int frame)
{
    PFNGLGENVERTEXARRAYSOESPROC gen =
        (PFNGLGENVERTEXARRAYSOESPROC)eglGetProcAddress("glGenVertexArraysOES");
    PFNGLBINDVERTEXARRAYOESPROC bind =
        (PFNGLBINDVERTEXARRAYOESPROC)eglGetProcAddress("glBindVertexArrayOES");
    GLuint arrays[2], buffer, p = fx_fill(COLORED);
    float points[12] = {-0.9f, -0.9f, 0, -0.9f, -0.5f, 0, 0, 0, 0.9f, 0, 0.5f, 0.9f};
    (void)fx;
    gen(2, arrays);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    points[4] += 0.1f * (float)frame;
    glBufferData(GL_ARRAY_BUFFER, sizeof points, points, GL_STATIC_DRAW);
    for (int i = 0; i < 2; i++) {
        bind(arrays[i]);
        glEnableVertexAttribArray(0);
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, (void *)(intptr_t)(24 * i));
    }
    for (int i = 1; i >= 0; i--) {
        bind(arrays[i]);
        color(p, i == 0, i == 1, 0, 1);
        glDrawArrays(GL_TRIANGLES, 0, 3);
    }
    bind(0);
}

static void map_buffer(struct fx *fx, int frame)
{
    PFNGLMAPBUFFEROESPROC map = (PFNGLMAPBUFFEROESPROC)eglGetProcAddress("glMapBufferOES");
    PFNGLUNMAPBUFFEROESPROC unmap = (PFNGLUNMAPBUFFEROESPROC)eglGetProcAddress("glUnmapBufferOES");
    GLuint buffer, p = fx_fill(COLORED);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, 24, NULL, GL_DYNAMIC_DRAW);
    float *points = map(GL_ARRAY_BUFFER, GL_WRITE_ONLY_OES);
    for (int i = 0; points != NULL && i < 6; i++) {
        points[i] = (float)((i * 5 + frame) % 7) / 3.5f - 1;
    }
    fx_note_int(fx, unmap(GL_ARRAY_BUFFER));
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    color(p, 1, 1, 0.5f, 1);
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void half_float_textures(struct fx *fx, int frame)
{
    uint16_t pixels[16 * 16 * 4];
    GLuint name;
    for (int i = 0; i < 16 * 16 * 4; i++) {
        pixels[i] = (uint16_t)(0x2c00 + (i * 37 + frame * 11) % 0x1000);
    }
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 16, 16, 0, GL_RGBA, GL_HALF_FLOAT_OES, pixels);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    fx_show(fx, name);
}

static void standard_derivatives(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_fill("#extension GL_OES_standard_derivatives : enable\nprecision highp float;\n"
                       "varying vec2 t; uniform float f; void main() { gl_FragColor = "
                       "vec4(fwidth(t * t * f), dFdx(t.x), 1.0) * 16.0; }");
    glUniform1f(glGetUniformLocation(p, "f"), (float)(1 + frame));
    fx_quad();
}

static void bgra_textures(struct fx *fx, int frame)
{
    fx_texture(GL_BGRA_EXT, GL_UNSIGNED_BYTE, frame);
    (void)fx;
    fx_fill(TEXTURED);
    fx_quad();
}

static void depth_textures(struct fx *fx, int frame)
{
    GLuint depth, texture, p;
    fx_framebuffer(GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, &texture);
    glGenTextures(1, &depth);
    glBindTexture(GL_TEXTURE_2D, depth);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_DEPTH_COMPONENT, 64, 64, 0, GL_DEPTH_COMPONENT,
                 frame == 1 ? GL_UNSIGNED_SHORT : GL_UNSIGNED_INT, NULL);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_TEXTURE_2D, depth, 0);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
    p = fx_program("attribute vec2 p; void main() { gl_Position = vec4(p, p.x * p.y, 1.0); }",
                   COLORED);
    glUseProgram(p);
    glEnable(GL_DEPTH_TEST);
    fx_quad();
    glDisable(GL_DEPTH_TEST);
    fx_show(fx, depth);
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
const struct fx_feature gles2_array_features[] = {
    FEATURE(client_array_types),
    FEATURE(client_interleaved),
    FEATURE(buffer_interleaved),
    FEATURE(mixed_sources),
    FEATURE(constant_attributes),
    FEATURE(index_types),
    FEATURE(buffer_updates),
    FEATURE(large_draws),
    {"uint_indices", uint_indices, "GL_OES_element_index_uint"},
    {"vertex_array_objects", vertex_array_objects, "GL_OES_vertex_array_object"},
    {"map_buffer", map_buffer, "GL_OES_mapbuffer"},
    {"half_float_textures", half_float_textures, "GL_OES_texture_half_float"},
    {"standard_derivatives", standard_derivatives, "GL_OES_standard_derivatives"},
    {"bgra_textures", bgra_textures, "GL_EXT_texture_format_BGRA8888"},
    {"depth_textures", depth_textures, "GL_OES_depth_texture"},
};
const size_t gles2_array_feature_count =
    sizeof gles2_array_features / sizeof gles2_array_features[0];
