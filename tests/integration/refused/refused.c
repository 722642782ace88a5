/* main: refused --version 2|3. */
#include "tests/integration/refused/refused.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

union refused_memory out;

enum { PATTERN = 0xab };

static void die(const char *what)
{
    fprintf(stderr, "refused: %s\n", what);
    exit(1);
}

void refused_before(void)
{
    memset(&out, PATTERN, sizeof out);
    while (glGetError() != GL_NO_ERROR) {
    }
}

void refused_after(const char *format, ...)
{
    GLenum error = glGetError();
    int touched = 0;
    for (int i = 0; i < COUNT(out.bytes); i++) {
        touched = out.bytes[i] != PATTERN ? i + 1 : touched;
    }
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(": %x,", error);
    for (int i = 0; i < touched; i++) {
        printf("%s%02x", i % 4 == 0 ? " " : "", out.bytes[i]);
    }
    puts("");
}

static GLuint compiled(GLenum type, const char *text)
{
    GLuint shader = glCreateShader(type);
    GLint ok = 0;
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    glGetShaderiv(shader, GL_COMPILE_STATUS, &ok);
    if (!ok) {
        die("a shader does not compile");
    }
    return shader;
}

struct refused_program refused_program(int version)
{
    static const char *const vertex[] = {
        "attribute vec2 position; attribute vec4 tint; varying vec4 color;"
        "uniform mat4 turn; void main() { color = tint; gl_Position = turn * vec4(position, 0, 1); "
        "}",
        "#version 300 es\nin vec2 position; in vec4 tint; out vec4 color; uniform mat4 turn;"
        "uniform Lights { vec4 sun; float lamps[3]; };"
        "void main() { color = tint * sun * lamps[1]; gl_Position = turn * vec4(position, 0, 1); "
        "}"};
    static const char *const fragment[] = {
        "precision highp float; varying vec4 color; uniform vec4 shade; uniform sampler2D map;"
        "void main() { gl_FragColor = color * shade * texture2D(map, color.xy); }",
        "#version 300 es\nprecision highp float; in vec4 color; uniform vec4 shade;"
        "uniform sampler2D map; out vec4 pixel;"
        "void main() { pixel = color * shade * texture(map, color.xy); }"};
    static const char *const varyings[] = {"color"};
    struct refused_program p = {compiled(GL_VERTEX_SHADER, vertex[version - 2]),
                                compiled(GL_FRAGMENT_SHADER, fragment[version - 2]),
                                glCreateProgram()};
    GLint ok = 0;
    glAttachShader(p.program, p.vertex);
    glAttachShader(p.program, p.fragment);
    if (version >= 3) {
        glTransformFeedbackVaryings(p.program, 1, varyings, GL_INTERLEAVED_ATTRIBS);
    }
    glLinkProgram(p.program);
    glGetProgramiv(p.program, GL_LINK_STATUS, &ok);
    if (!ok) {
        die("a program does not link");
    }
    return p;
}

int main(int argc, char **argv)
{
    int version = argc == 3 && strcmp(argv[1], "--version") == 0 ? atoi(argv[2]) : 0;
    if (version != 2 && version != 3) {
        fputs("usage: refused --version 2|3\n", stderr);
        return 2;
    }
    struct plain_egl egl;
    plain_egl_open(&egl);
    EGLContext alone = plain_egl_context(&egl, version, EGL_NO_CONTEXT);
    plain_egl_current(&egl, plain_egl_pbuffer(&egl, 16),
                      plain_egl_context(&egl, version, EGL_NO_CONTEXT));
    refused_programs(version);
    if (version >= 3) {
        refused_blocks();
    }
    refused_objects(version);
    refused_state(version);
    refused_pixels(version);
    plain_egl_current(&egl, EGL_NO_SURFACE, alone);
    refused_without_surface(version);
    plain_egl_close(&egl);
    return 0;
}
