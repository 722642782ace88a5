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
    fprintf(stderr, "refused: %s; EGL error 0x%x\n", what, (unsigned)eglGetError());
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

static EGLContext context_new(EGLDisplay display, EGLConfig config, int version)
{
    const EGLint attributes[] = {EGL_CONTEXT_MAJOR_VERSION, version, EGL_NONE};
    EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, attributes);
    if (context == EGL_NO_CONTEXT) {
        die("no context");
    }
    return context;
}

int main(int argc, char **argv)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE,
                                    EGL_PBUFFER_BIT,
                                    EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES2_BIT,
                                    EGL_RED_SIZE,
                                    8,
                                    EGL_GREEN_SIZE,
                                    8,
                                    EGL_BLUE_SIZE,
                                    8,
                                    EGL_ALPHA_SIZE,
                                    8,
                                    EGL_DEPTH_SIZE,
                                    24,
                                    EGL_STENCIL_SIZE,
                                    8,
                                    EGL_SAMPLES,
                                    0,
                                    EGL_NONE};
    static const EGLint size[] = {EGL_WIDTH, 16, EGL_HEIGHT, 16, EGL_NONE};
    int version = argc == 3 && strcmp(argv[1], "--version") == 0 ? atoi(argv[2]) : 0;
    if (version != 2 && version != 3) {
        fputs("usage: refused --version 2|3\n", stderr);
        return 2;
    }
    EGLDisplay display =
        eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    EGLConfig config;
    EGLint count = 0;
    if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API) ||
        !eglChooseConfig(display, wanted, &config, 1, &count) || count != 1) {
        die("no display or no config");
    }
    EGLSurface surface = eglCreatePbufferSurface(display, config, size);
    EGLContext context = context_new(display, config, version);
    EGLContext alone = context_new(display, config, version);
    if (!eglMakeCurrent(display, surface, surface, context)) {
        die("the surface cannot be made current");
    }
    refused_programs(version);
    if (version >= 3) {
        refused_blocks();
    }
    refused_objects(version);
    refused_state(version);
    refused_pixels(version);
    if (!eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, alone)) {
        die("a context cannot be current without a surface");
    }
    refused_without_surface(version);
    eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglTerminate(display);
    return 0;
}
