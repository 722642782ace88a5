/* Programs, state, errors and shared objects of GLES 2. */
#include "tests/integration/features/gles2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- programs --- */

static void uniform_kinds(struct fx *fx, int frame)
{
    static const float m[16] = {1, 0.5f, 0.2f, 0, 0.1f, 1,    0.3f, 0,
                                0, 0.2f, 1,    0, 0.1f, 0.1f, 0,    1};
    GLuint p = fx_fill(
        "struct light { vec3 color; float power; };\n"
        "uniform float f; uniform vec2 v2; uniform vec3 v3; uniform vec4 v4; uniform int i;\n"
        "uniform ivec2 i2; uniform ivec3 i3; uniform ivec4 i4; uniform bool b; uniform bvec2 b2;\n"
        "uniform mat2 m2; uniform mat3 m3; uniform mat4 m4; uniform float a[4]; uniform light "
        "l[2];\n"
        "varying vec2 t; void main() { vec4 c = vec4(f) + vec4(v2, v3.xy) + v4 * 0.1 + "
        "vec4(float(i)) * 0.01 + vec4(vec2(i2), vec2(i3.yz)) * 0.01 + vec4(i4) * 0.01;\n"
        "c.xy += m2 * t; c.xyz += m3 * vec3(t, 0.1); c += m4 * vec4(t, 0.0, 0.1);\n"
        "c.x += a[0] + a[3] * a[2]; c.rgb += l[0].color * l[1].power + l[1].color;\n"
        "if (b) { c *= 0.5; } if (b2.y) { c.z += 0.2; } gl_FragColor = fract(c); }");
    const float numbers[8] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.1f * (float)frame};
    const GLint integers[4] = {1 + frame, 2, 3, 4};
#define AT(name) glGetUniformLocation(p, name)
    glUniform1f(AT("f"), numbers[7]);
    glUniform2fv(AT("v2"), 1, numbers);
    glUniform3fv(AT("v3"), 1, numbers + 1);
    glUniform4fv(AT("v4"), 1, numbers + 2);
    glUniform1i(AT("i"), integers[0]);
    glUniform2iv(AT("i2"), 1, integers);
    glUniform3i(AT("i3"), 5, 6, 7);
    glUniform4iv(AT("i4"), 1, integers);
    glUniform1i(AT("b"), frame == 1);
    glUniform2f(AT("b2"), 0, 1);
    glUniformMatrix2fv(AT("m2"), 1, GL_FALSE, m);
    glUniformMatrix3fv(AT("m3"), 1, GL_FALSE, m);
    glUniformMatrix4fv(AT("m4"), 1, GL_FALSE, m);
    glUniform1fv(AT("a"), 4, numbers + 3);
    glUniform1f(AT("a[2]"), 0.9f);
    glUniform3f(AT("l[0].color"), 0.1f, 0.2f, 0.3f);
    glUniform3f(AT("l[1].color"), 0.3f, 0.2f, 0.1f);
    glUniform1f(AT("l[1].power"), 0.5f);
    fx_quad();
    float got[16];
    GLint integer[4];
    glGetUniformfv(p, AT("m3"), got);
    fx_note(fx, got, 9 * sizeof(float));
    glGetUniformfv(p, AT("a[2]"), got);
    fx_note(fx, got, sizeof(float));
    glGetUniformiv(p, AT("i4"), integer);
    fx_note(fx, integer, sizeof integer);
    fx_note_int(fx, AT("none") * 100 + AT("l[0].power"));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void introspection(struct fx *fx, int frame)
{
    GLuint p = fx_program("attribute vec2 p; attribute vec4 q; attribute mat3 r; uniform mat4 m; "
                          "void main() { gl_Position = m * vec4(r * vec3(p, q.x), 1.0); }",
                          "uniform vec3 list[5]; uniform sampler2D s; void main() { gl_FragColor = "
                          "vec4(list[0] + list[4], 1.0) + texture2D(s, list[1].xy); }");
    static const GLenum names[] = {GL_LINK_STATUS,
                                   GL_DELETE_STATUS,
                                   GL_ATTACHED_SHADERS,
                                   GL_ACTIVE_ATTRIBUTES,
                                   GL_ACTIVE_UNIFORMS,
                                   GL_ACTIVE_ATTRIBUTE_MAX_LENGTH,
                                   GL_ACTIVE_UNIFORM_MAX_LENGTH};
    char lines[16][96] = {{0}};
    size_t count = 0;
    GLint value = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        glGetProgramiv(p, names[i], &value);
        fx_note_int(fx, value);
    }
    for (int kind = 0; kind < 2; kind++) {
        glGetProgramiv(p, kind ? GL_ACTIVE_UNIFORMS : GL_ACTIVE_ATTRIBUTES, &value);
        for (GLint i = 0; i < value && count < 16; i++) {
            char name[64];
            GLint size = 0;
            GLenum type = 0;
            GLsizei length = 0;
            (kind ? glGetActiveUniform : glGetActiveAttrib)(p, (GLuint)i, sizeof name, &length,
                                                            &size, &type, name);
            snprintf(lines[count++], sizeof lines[0], "%s %d %d %x %d", name, (int)length,
                     (int)size, type,
                     kind ? glGetUniformLocation(p, name) >= 0 : glGetAttribLocation(p, name));
        }
    }
    qsort(lines, count, sizeof lines[0], by_name); /* the order is the driver's */
    fx_note(fx, lines, sizeof lines);
    glValidateProgram(p);
    fx_note_int(fx, glGetAttribLocation(p, "none") + frame);
}

static void shader_queries(struct fx *fx, int frame)
{
    static const char *const parts[] = {"void main() {", " gl_FragColor = vec4(1.0);", " }\n"};
    static const GLint lengths[] = {13, -1, 2};
    char text[128];
    GLsizei length = 0;
    GLint value = 0, range[2], precision;
    GLuint name = glCreateShader(GL_FRAGMENT_SHADER);
    glShaderSource(name, 3, parts, lengths);
    glCompileShader(name);
    glGetShaderSource(name, sizeof text, &length, text);
    fx_note_text(fx, text);
    fx_note_int(fx, length);
    glGetShaderiv(name, GL_SHADER_SOURCE_LENGTH, &value);
    fx_note_int(fx, value);
    glGetShaderSource(name, 10, &length, text);
    fx_note_text(fx, text);
    for (GLenum type = GL_LOW_FLOAT; type <= GL_HIGH_INT; type++) {
        glGetShaderPrecisionFormat(frame == 1 ? GL_VERTEX_SHADER : GL_FRAGMENT_SHADER, type, range,
                                   &precision);
        fx_note(fx, range, sizeof range);
        fx_note_int(fx, precision);
    }
    glShaderSource(name, 1, (const char *const[]){"void main() { nonsense }"}, NULL);
    glCompileShader(name);
    glGetShaderiv(name, GL_COMPILE_STATUS, &value);
    fx_note_int(fx, value);
    glGetShaderiv(name, GL_INFO_LOG_LENGTH, &value);
    fx_note_int(fx, value > 1);
    glDeleteShader(name);
    fx_note_int(fx, glIsShader(name));
}

static void program_switches(struct fx *fx, int frame)
{
    (void)fx;
    GLuint programs[4];
    static const char *const fills[] = {
        "varying vec2 t; void main() { gl_FragColor = vec4(t, 0.0, 1.0); }",
        "varying vec2 t; void main() { gl_FragColor = vec4(t.yx, 1.0, 1.0); }", COLORED, TEXTURED};
    for (int i = 0; i < 4; i++) {
        programs[i] = fx_program(FX_VS, fills[i]);
    }
    fx_texture(GL_RGB, GL_UNSIGNED_BYTE, frame);
    for (int i = 0; i < 32; i++) {
        glUseProgram(programs[(i * 3 + frame) % 4]);
        if ((i * 3 + frame) % 4 == 2) {
            color(programs[2], (float)i / 32, 0.5f, 0, 1);
        }
        fx_rect(-1 + 0.25f * (float)(i % 8), -1 + 0.5f * (float)(i / 8),
                -0.75f + 0.25f * (float)(i % 8), -0.5f + 0.5f * (float)(i / 8));
    }
    glDeleteProgram(programs[0]);
}

static void relinking(struct fx *fx, int frame)
{
    GLuint p =
        fx_program("attribute vec2 p; attribute vec4 q; varying vec4 v; void main() { v = q; "
                   "gl_Position = vec4(p, 0.0, 1.0); }",
                   "varying vec4 v; void main() { gl_FragColor = v; }");
    glUseProgram(p);
    glBindAttribLocation(p, 5, "q");
    fx_note_int(fx, glGetAttribLocation(p, "q"));
    glVertexAttrib4f(1, 1, 0, 0, 1);
    glVertexAttrib4f(5, 0, 1, 0.3f * (float)frame, 1);
    fx_rect(-1, -1, 0, 1);
    GLuint shaders[2];
    GLsizei count = 0;
    glGetAttachedShaders(p, 2, &count, shaders);
    fx_note_int(fx, count);
    glLinkProgram(p);
    fx_note_int(fx, glGetAttribLocation(p, "q"));
    fx_rect(0, -1, 1, 1);
}

/* --- state, errors, objects --- */

static void state_values(struct fx *fx, int frame)
{
    static const struct {
        GLenum name;
        int count;
    } integers[] = {{GL_VIEWPORT, 4},
                    {GL_MAX_TEXTURE_SIZE, 1},
                    {GL_MAX_VERTEX_ATTRIBS, 1},
                    {GL_MAX_VIEWPORT_DIMS, 2},
                    {GL_SUBPIXEL_BITS, 1},
                    {GL_RED_BITS, 1},
                    {GL_DEPTH_BITS, 1},
                    {GL_STENCIL_BITS, 1},
                    {GL_CULL_FACE_MODE, 1},
                    {GL_FRONT_FACE, 1},
                    {GL_DEPTH_FUNC, 1},
                    {GL_STENCIL_FUNC, 1},
                    {GL_STENCIL_REF, 1},
                    {GL_BLEND_SRC_RGB, 1},
                    {GL_UNPACK_ALIGNMENT, 1},
                    {GL_PACK_ALIGNMENT, 1},
                    {GL_CURRENT_PROGRAM, 1},
                    {GL_ARRAY_BUFFER_BINDING, 1},
                    {GL_ACTIVE_TEXTURE, 1},
                    {GL_TEXTURE_BINDING_2D, 1},
                    {GL_FRAMEBUFFER_BINDING, 1},
                    {GL_RENDERBUFFER_BINDING, 1},
                    {GL_GENERATE_MIPMAP_HINT, 1},
                    {GL_MAX_VARYING_VECTORS, 1},
                    {GL_MAX_VERTEX_UNIFORM_VECTORS, 1},
                    {GL_MAX_RENDERBUFFER_SIZE, 1}};
    glStencilFunc(GL_GEQUAL, 7 + frame, 0x3f);
    glCullFace(GL_FRONT);
    glHint(GL_GENERATE_MIPMAP_HINT, GL_NICEST);
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        GLint got[4] = {0};
        GLfloat real[4] = {0};
        GLboolean truth[4] = {0};
        glGetIntegerv(integers[i].name, got);
        glGetFloatv(integers[i].name, real);
        glGetBooleanv(integers[i].name, truth);
        fx_note(fx, got, sizeof got);
        fx_note(fx, real, sizeof real);
        fx_note(fx, truth, sizeof truth);
    }
    static const GLenum reals[] = {
        GL_COLOR_CLEAR_VALUE,        GL_BLEND_COLOR,      GL_LINE_WIDTH, GL_POLYGON_OFFSET_FACTOR,
        GL_ALIASED_POINT_SIZE_RANGE, GL_DEPTH_CLEAR_VALUE};
    for (size_t i = 0; i < 6; i++) {
        GLfloat real[4] = {0};
        GLint got[4] = {0};
        glGetFloatv(reals[i], real);
        glGetIntegerv(reals[i], got);
        fx_note(fx, real, sizeof real);
        fx_note(fx, got, sizeof got);
    }
}

static void capabilities(struct fx *fx, int frame)
{
    static const GLenum caps[] = {
        GL_BLEND,        GL_CULL_FACE,    GL_DEPTH_TEST,          GL_DITHER,
        GL_SCISSOR_TEST, GL_STENCIL_TEST, GL_POLYGON_OFFSET_FILL, GL_SAMPLE_COVERAGE};
    for (int i = 0; i < 8; i++) {
        fx_note_int(fx, glIsEnabled(caps[i]));
        (i + frame) % 2 ? glEnable(caps[i]) : glDisable(caps[i]);
        fx_note_int(fx, glIsEnabled(caps[i]));
    }
    for (int i = 0; i < 8; i++) {
        glDisable(caps[i]);
    }
}

static void errors(struct fx *fx, int frame)
{
    GLuint p = fx_fill(COLORED), name = 0;
    uint8_t data[16] = {0};
    GLint value = 12345;
    (void)frame;
    glEnable(GL_TEXTURE_2D);
    fx_error(fx, GL_INVALID_ENUM);
    glDrawArrays(GL_TRIANGLES, 0, -1);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawArrays(0x1234, 0, 3);
    fx_error(fx, GL_INVALID_ENUM);
    glViewport(0, 0, -1, 5);
    fx_error(fx, GL_INVALID_VALUE);
    glBufferData(GL_ARRAY_BUFFER, 16, data, GL_STATIC_DRAW);
    fx_error(fx, GL_INVALID_OPERATION);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 4, 4, 1, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    fx_error(fx, GL_INVALID_VALUE);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, -4, 4, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    fx_error(fx, GL_INVALID_VALUE);
    glUseProgram(99999);
    fx_error(fx, GL_INVALID_VALUE);
    glUniform1f(glGetUniformLocation(p, "c"), 1);
    fx_error(fx, GL_INVALID_OPERATION);
    glUniform4f(-1, 0, 0, 0, 0);
    fx_error(fx, GL_NO_ERROR);
    glGetIntegerv(0x7777, &value);
    fx_note_int(fx, value);
    fx_error(fx, GL_INVALID_ENUM);
    glBindBuffer(GL_TEXTURE_2D, 0);
    fx_error(fx, GL_INVALID_ENUM);
    glVertexAttribPointer(99, 2, GL_FLOAT, GL_FALSE, 0, data);
    fx_error(fx, GL_INVALID_VALUE);
    glVertexAttribPointer(0, 5, GL_FLOAT, GL_FALSE, 0, data);
    fx_error(fx, GL_INVALID_VALUE);
    glPixelStorei(GL_PACK_ALIGNMENT, 3);
    fx_error(fx, GL_INVALID_VALUE);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_CUBE_MAP, name);
    glBindTexture(GL_TEXTURE_2D, name);
    fx_error(fx, GL_INVALID_OPERATION);
    glGetProgramiv(99999, GL_LINK_STATUS, &value);
    fx_error(fx, GL_INVALID_VALUE);
    glBlendFunc(0x1234, GL_ONE);
    glDepthFunc(0x4321);
    fx_error(fx, GL_INVALID_ENUM);
    fx_error(fx, GL_NO_ERROR); /* of several, one is told */
}

static void deleted_while_bound(struct fx *fx, int frame)
{
    GLuint texture = fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame), buffer, framebuffer,
           color_texture;
    GLint value = 0;
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glDeleteBuffers(1, &buffer);
    glGetIntegerv(GL_ARRAY_BUFFER_BINDING, &value);
    fx_note_int(fx, value);
    glDeleteTextures(1, &texture);
    glGetIntegerv(GL_TEXTURE_BINDING_2D, &value);
    fx_note_int(fx, value);
    framebuffer = fx_framebuffer(GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, &color_texture);
    glDeleteFramebuffers(1, &framebuffer);
    glGetIntegerv(GL_FRAMEBUFFER_BINDING, &value);
    fx_note_int(fx, value);
    GLuint p = fx_fill(COLORED);
    glDeleteProgram(p); /* in use: it lives on */
    color(p, 0, 1, 0.2f * (float)frame, 1);
    fx_rect(-0.6f, -0.6f, 0.6f, 0.6f);
    glUseProgram(0);
    fx_note_int(fx, glIsProgram(p));
}

static void object_names(struct fx *fx, int frame)
{
    GLuint names[5] = {0, 0, 0, 0, 0};
    (void)frame;
    glGenTextures(5, names);
    for (int i = 0; i < 5; i++) {
        fx_note_int(fx, glIsTexture(names[i]));
    }
    glBindTexture(GL_TEXTURE_2D, names[2]);
    fx_note_int(fx, glIsTexture(names[2]));
    glBindTexture(GL_TEXTURE_2D, 4711); /* never generated: GLES 2 makes it */
    fx_note_int(fx, glIsTexture(4711));
    GLuint dead = 4711;
    glDeleteTextures(1, &dead);
    fx_note_int(fx, glIsTexture(4711));
    glDeleteTextures(5, names);
    glDeleteTextures(1, &(GLuint){0});
    glBindRenderbuffer(GL_RENDERBUFFER, 77);
    fx_note_int(fx, glIsRenderbuffer(77));
    glBindBuffer(GL_ARRAY_BUFFER, 88);
    fx_note_int(fx, glIsBuffer(88));
}

static void two_contexts(struct fx *fx, int frame)
{
    const EGLint attribs[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    EGLContext other = eglCreateContext(fx->egl.display, fx->egl.config, EGL_NO_CONTEXT, attribs);
    GLint value = 0;
    glClearColor(0.5f, 0.1f * (float)frame, 0, 1);
    eglMakeCurrent(fx->egl.display, fx->surface, fx->surface, other);
    GLfloat clear[4];
    glGetFloatv(GL_COLOR_CLEAR_VALUE, clear);
    fx_note(fx, clear, sizeof clear);
    glEnable(GL_SCISSOR_TEST);
    glScissor(10, 10, 30, 30);
    glClearColor(0, 1, 0, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    eglMakeCurrent(fx->egl.display, fx->surface, fx->surface, fx->context);
    glGetIntegerv(GL_SCISSOR_TEST, &value);
    fx_note_int(fx, value);
    glEnable(GL_SCISSOR_TEST);
    glScissor(30, 30, 30, 30);
    glClear(GL_COLOR_BUFFER_BIT);
    eglDestroyContext(fx->egl.display, other);
}

static void upload_on_thread(void *user)
{
    uint8_t pixels[64 * 64 * 4];
    fx_bytes(pixels, sizeof pixels, 99);
    glBindTexture(GL_TEXTURE_2D, *(GLuint *)user);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 64, 64, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
}

static void shared_textures(struct fx *fx, int frame)
{
    GLuint name = fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glFinish();
    fx_on_thread(fx, upload_on_thread, &name);
    fx_show(fx, name);
}

struct shared_program {
    GLuint program, buffer;
};

static void build_on_thread(void *user)
{
    static const float corners[] = {-0.8f, -0.8f, 0.8f, -0.8f, 0, 0.8f};
    struct shared_program *s = user;
    s->program = fx_program(FX_VS, COLORED);
    glGenBuffers(1, &s->buffer);
    glBindBuffer(GL_ARRAY_BUFFER, s->buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof corners, corners, GL_STATIC_DRAW);
}

static void shared_programs(struct fx *fx, int frame)
{
    struct shared_program s = {0};
    for (int i = 0; i < 3; i++) { /* several threads, one after the other */
        fx_on_thread(fx, build_on_thread, &s);
    }
    fx_note_int(fx, glIsProgram(s.program) * 2 + glIsBuffer(s.buffer));
    glUseProgram(s.program);
    color(s.program, 1, 0.4f * (float)frame, 1, 1);
    glBindBuffer(GL_ARRAY_BUFFER, s.buffer);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void pbuffer_switches(struct fx *fx, int frame)
{
    static const EGLint size[] = {EGL_WIDTH, 32, EGL_HEIGHT, 16, EGL_NONE};
    EGLSurface other = eglCreatePbufferSurface(fx->egl.display, fx->egl.config, size);
    EGLint width = 0;
    eglMakeCurrent(fx->egl.display, other, other, fx->context);
    glClearColor(1, 0, 0.3f * (float)frame, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    fx_note_pixels(fx, 0, 0, 32, 16);
    eglQuerySurface(fx->egl.display, other, EGL_WIDTH, &width);
    fx_note_int(fx, width);
    eglMakeCurrent(fx->egl.display, fx->surface, fx->surface, fx->context);
    eglDestroySurface(fx->egl.display, other);
    GLuint p = fx_fill(COLORED);
    color(p, 0, 0, 1, 1);
    fx_rect(-0.2f, -0.9f, 0.9f, 0.2f);
}

static void flush_and_finish(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_fill(COLORED);
    for (int i = 0; i < 20; i++) {
        color(p, (float)i / 20, 0.2f * (float)frame, 1, 1);
        fx_rect(-1 + 0.1f * (float)i, -1, -0.95f + 0.1f * (float)i, 1);
        i % 3 == 0 ? glFlush() : i % 3 == 1 ? glFinish() : (void)0;
    }
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
const struct fx_feature gles2_program_features[] = {
    FEATURE(uniform_kinds),    FEATURE(introspection),    FEATURE(shader_queries),
    FEATURE(program_switches), FEATURE(relinking),        FEATURE(state_values),
    FEATURE(capabilities),     FEATURE(errors),           FEATURE(deleted_while_bound),
    FEATURE(object_names),     FEATURE(two_contexts),     FEATURE(shared_textures),
    FEATURE(shared_programs),  FEATURE(pbuffer_switches), FEATURE(flush_and_finish),
};
const size_t gles2_program_feature_count =
    sizeof gles2_program_features / sizeof gles2_program_features[0];
