#include "tests/bench/gl_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS  21
#define CALLS   20000
#define THROUGH 7
#define SIDE    16

const float glb_triangle[6] = {-0.1f, -0.1f, 0.1f, -0.1f, 0, 0.1f};

uint64_t glb_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void glb_need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench: %s failed: EGL 0x%x\n", what, (unsigned)eglGetError());
        exit(1);
    }
}

void glb_figure(struct glb *b, const char *name, double value)
{
    printf("%s\n  \"%s\": %.1f", b->any ? "," : "{", name, value);
    b->any = true;
}

/* --- what is drawn with --- */

static GLuint shader(GLenum type, const char *text)
{
    GLuint name = glCreateShader(type);
    GLint ok = 0;
    glShaderSource(name, 1, &text, NULL);
    glCompileShader(name);
    glGetShaderiv(name, GL_COMPILE_STATUS, &ok);
    glb_need(ok, "compiling");
    return name;
}

GLuint glb_program(const char *vertex, const char *fragment, GLint *tint)
{
    GLuint name = glCreateProgram();
    GLuint shaders[2] = {shader(GL_VERTEX_SHADER, vertex), shader(GL_FRAGMENT_SHADER, fragment)};
    GLint ok = 0;
    for (int i = 0; i < 2; i++) {
        glAttachShader(name, shaders[i]);
        glDeleteShader(shaders[i]); /* it goes with the program */
    }
    glBindAttribLocation(name, 0, "p");
    glLinkProgram(name);
    glGetProgramiv(name, GL_LINK_STATUS, &ok);
    glb_need(ok, "linking");
    *tint = glGetUniformLocation(name, "tint");
    return name;
}

static void program_use(struct glb *b)
{
    glUseProgram(glb_program("attribute vec2 p; varying vec2 t;\n"
                             "void main() { t = p; gl_Position = vec4(p, 0.0, 1.0); }",
                             "precision mediump float; varying vec2 t; uniform vec4 tint;\n"
                             "uniform sampler2D s;\n"
                             "void main() { gl_FragColor = tint + texture2D(s, t); }",
                             &b->tint));
    glUniform4f(b->tint, 0, 0.5f, 0, 1);
}

static void objects_make(struct glb *b)
{
    static const uint8_t texel[4] = {1, 2, 3, 4};
    glGenBuffers(1, &b->buffer);
    glBindBuffer(GL_ARRAY_BUFFER, b->buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof glb_triangle, glb_triangle, GL_STATIC_DRAW);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    glEnableVertexAttribArray(0);
    glGenTextures(2, b->textures);
    for (int i = 0; i < 2; i++) {
        glBindTexture(GL_TEXTURE_2D, b->textures[i]);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, texel);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    }
}

void glb_context(struct glb *b)
{
    static const EGLint want[] = {EGL_SURFACE_TYPE,
                                  EGL_PBUFFER_BIT,
                                  EGL_RENDERABLE_TYPE,
                                  EGL_OPENGL_ES2_BIT,
                                  EGL_RED_SIZE,
                                  8,
                                  EGL_GREEN_SIZE,
                                  8,
                                  EGL_BLUE_SIZE,
                                  8,
                                  EGL_NONE};
    static const EGLint size[] = {EGL_WIDTH, SIDE, EGL_HEIGHT, SIDE, EGL_NONE};
    static const EGLint version[] = {EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE};
    EGLConfig config;
    EGLint count = 0;
    glb_need(eglChooseConfig(b->display, want, &config, 1, &count) && count == 1,
             "eglChooseConfig");
    b->surface = eglCreatePbufferSurface(b->display, config, size);
    EGLContext context = eglCreateContext(b->display, config, EGL_NO_CONTEXT, version);
    glb_need(eglMakeCurrent(b->display, b->surface, b->surface, context), "eglMakeCurrent");
    program_use(b);
    objects_make(b);
    glClear(GL_COLOR_BUFFER_BIT);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    eglSwapBuffers(b->display, b->surface);
    glFinish();
}

void glb_start(struct glb *b)
{
    uint64_t begin = glb_now_ns();
    b->display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    glb_need(eglInitialize(b->display, NULL, NULL), "eglInitialize");
    glb_context(b);
    glb_figure(b, "start", (double)(glb_now_ns() - begin));
}

void glb_stop(const struct glb *b)
{
    char line[16];
    if (b->stops) {
        printf("\nstop\n");
        fflush(stdout);
        glb_need(fgets(line, sizeof line, stdin) != NULL, "going on after a stop");
    }
}

/* --- how figures are taken --- */

void glb_draw(struct glb *b, int i)
{
    (void)b;
    (void)i;
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

void glb_issue(struct glb *b, const char *name, int count, void (*call)(struct glb *b, int i))
{
    double took[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        glFinish();
        uint64_t begin = glb_now_ns();
        for (int i = 0; i < count; i++) {
            call(b, i);
        }
        took[round] = (double)(glb_now_ns() - begin);
    }
    glFinish();
    glb_figure(b, name, bench_median(took, ROUNDS) / count);
}

void glb_call(struct glb *b, const char *name, int calls, void (*ask)(struct glb *b))
{
    static double took[CALLS];
    char text[64];
    glFinish();
    for (int i = 0; i < calls; i++) {
        uint64_t begin = glb_now_ns();
        ask(b);
        took[i] = (double)(glb_now_ns() - begin);
    }
    snprintf(text, sizeof text, "%s_p50", name);
    glb_figure(b, text, bench_median(took, (size_t)calls));
    snprintf(text, sizeof text, "%s_p99", name);
    glb_figure(b, text, bench_quantile(took, (size_t)calls, 0.99));
}

void glb_through(struct glb *b, const char *name, int count, void (*call)(struct glb *b))
{
    double took[THROUGH];
    call(b); /* memory that the first one makes is no part of the figure */
    for (int round = 0; round < THROUGH; round++) {
        glFinish();
        uint64_t begin = glb_now_ns();
        for (int i = 0; i < count; i++) {
            call(b);
        }
        glFinish();
        took[round] = (double)(glb_now_ns() - begin);
    }
    glb_figure(b, name, bench_median(took, THROUGH) / count);
}

/* --- the program --- */

bool glb_option(struct glb *b, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    if (strcmp(word, "--stops") == 0) {
        b->stops = true;
    } else if (strcmp(word, "--frames") == 0 && *at + 1 < argc && atoi(argv[*at + 1]) > 0) {
        b->frames = (uint64_t)atoi(argv[++*at]);
    } else {
        return false;
    }
    ++*at;
    return true;
}

static bool chosen(const char *name, char **names)
{
    bool any = *names == NULL;
    for (; *names != NULL; names++) {
        any = any || strcmp(name, *names) == 0;
    }
    return any;
}

void glb_run(struct glb *b, const struct glb_part *parts, size_t count, char **names)
{
    fprintf(stderr, "renderer: %s\n", (const char *)glGetString(GL_RENDERER));
    for (size_t n = 0; n < count; n++) {
        if (chosen(parts[n].name, names)) {
            parts[n].run(b);
        }
    }
    glb_need(glGetError() == GL_NO_ERROR, "something in GL");
    glb_end(b);
    eglTerminate(b->display);
}

void glb_end(struct glb *b)
{
    printf("%s\n}\n", b->any ? "" : "{");
}
