/* What a frame costs the program that draws it: an ordinary EGL and OpenGL ES program, natively or
 * below `sluice run --` the same binary.
 *
 *   frame_bench [--frames N] [--stops] [FIGURE ...]
 *   frame_bench --contexts N --stops
 *
 * Draws on a 16 x 16 pbuffer of the surfaceless platform and prints one JSON object: each figure's
 * median, ns unless its name says otherwise. With --stops it says "stop" on stdout before and after
 * the counted frames, and goes on when a line comes on stdin: that is where
 * tests/bench/frame_table.py reads the processors' time of all processes. --contexts makes N
 * contexts with one frame each, and stops before the first, after it and after the last, for
 * tests/bench/context_table.py. Exit 1: something of EGL or GL failed. */
#include "tests/bench/bench.h"

#define GL_GLEXT_PROTOTYPES
#define EGL_EGLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DRAWS    2000
#define ROUNDS   21
#define CALLS    20000
#define SIDE     16
#define CONTEXTS 4096 /* the most of --contexts */
#define SLICE    64

struct bench {
    EGLDisplay display;
    EGLSurface surface;
    GLuint buffer;
    GLuint textures[2];
    GLint tint;
    uint64_t frames; /* of the frame figure */
    bool stops;
    bool first; /* no figure is printed yet */
};

static const float triangle[] = {-0.1f, -0.1f, 0.1f, -0.1f, 0, 0.1f};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "frame_bench: %s failed: EGL 0x%x\n", what, (unsigned)eglGetError());
        exit(1);
    }
}

static void figure(struct bench *b, const char *name, double value)
{
    printf("%s\n  \"%s\": %.1f", b->first ? "{" : ",", name, value);
    b->first = false;
}

/* --- what is drawn with --- */

static GLuint shader(GLenum type, const char *text)
{
    GLuint name = glCreateShader(type);
    GLint ok = 0;
    glShaderSource(name, 1, &text, NULL);
    glCompileShader(name);
    glGetShaderiv(name, GL_COMPILE_STATUS, &ok);
    need(ok, "compiling");
    return name;
}

static void program_use(struct bench *b)
{
    GLuint name = glCreateProgram();
    GLint ok = 0;
    glAttachShader(name, shader(GL_VERTEX_SHADER,
                                "attribute vec2 p; varying vec2 t;\n"
                                "void main() { t = p; gl_Position = vec4(p, 0.0, 1.0); }"));
    glAttachShader(name, shader(GL_FRAGMENT_SHADER,
                                "precision mediump float; varying vec2 t; uniform vec4 tint;\n"
                                "uniform sampler2D s;\n"
                                "void main() { gl_FragColor = tint + texture2D(s, t); }"));
    glBindAttribLocation(name, 0, "p");
    glLinkProgram(name);
    glGetProgramiv(name, GL_LINK_STATUS, &ok);
    need(ok, "linking");
    glUseProgram(name);
    b->tint = glGetUniformLocation(name, "tint");
    glUniform4f(b->tint, 0, 0.5f, 0, 1);
}

static void objects_make(struct bench *b)
{
    static const uint8_t texel[4] = {1, 2, 3, 4};
    glGenBuffers(1, &b->buffer);
    glBindBuffer(GL_ARRAY_BUFFER, b->buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof triangle, triangle, GL_STATIC_DRAW);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    glEnableVertexAttribArray(0);
    glGenTextures(2, b->textures);
    for (int i = 0; i < 2; i++) {
        glBindTexture(GL_TEXTURE_2D, b->textures[i]);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, texel);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    }
}

/* A context with all that it draws with, and a frame that is finished. */
static void context_make(struct bench *b)
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
    need(eglChooseConfig(b->display, want, &config, 1, &count) && count == 1, "eglChooseConfig");
    b->surface = eglCreatePbufferSurface(b->display, config, size);
    EGLContext context = eglCreateContext(b->display, config, EGL_NO_CONTEXT, version);
    need(eglMakeCurrent(b->display, b->surface, b->surface, context), "eglMakeCurrent");
    program_use(b);
    objects_make(b);
    glClear(GL_COLOR_BUFFER_BIT);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    eglSwapBuffers(b->display, b->surface);
    glFinish();
}

/* From nothing to there. */
static void start(struct bench *b)
{
    uint64_t begin = now_ns();
    b->display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    need(eglInitialize(b->display, NULL, NULL), "eglInitialize");
    context_make(b);
    figure(b, "start", (double)(now_ns() - begin));
}

/* Where the other side of the pipe looks at us. */
static void stop(const struct bench *b)
{
    char line[16];
    if (b->stops) {
        printf("\nstop\n");
        fflush(stdout);
        need(fgets(line, sizeof line, stdin) != NULL, "going on after a stop");
    }
}

/* --- figures --- */

static void draw_plain(struct bench *b, int i)
{
    (void)b;
    (void)i;
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void draw_client(struct bench *b, int i)
{
    draw_plain(b, i); /* what differs is where the array lies */
}

static void draw_uniform(struct bench *b, int i)
{
    glUniform4f(b->tint, (float)i, 0, 0, 1);
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void draw_texture(struct bench *b, int i)
{
    glBindTexture(GL_TEXTURE_2D, b->textures[i & 1]);
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

/* What the issuing thread pays for each of DRAWS draws; nothing is on its way when they begin. */
static void issue(struct bench *b, const char *name, void (*draw)(struct bench *b, int i))
{
    double took[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        glFinish();
        uint64_t begin = now_ns();
        for (int i = 0; i < DRAWS; i++) {
            draw(b, i);
        }
        took[round] = (double)(now_ns() - begin);
    }
    glFinish();
    figure(b, name, bench_median(took, ROUNDS) / DRAWS);
}

static void issue_plain(struct bench *b)
{
    issue(b, "issue_draw", draw_plain);
}

static void issue_client(struct bench *b)
{
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, triangle);
    issue(b, "issue_client_array", draw_client);
    glBindBuffer(GL_ARRAY_BUFFER, b->buffer);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
}

static void issue_uniform(struct bench *b)
{
    issue(b, "issue_uniform", draw_uniform);
}
static void issue_texture(struct bench *b)
{
    issue(b, "issue_texture", draw_texture);
}

static void get_error(void)
{
    (void)glGetError();
}
static void finish(void)
{
    glFinish();
}

/* Nothing that a client library could know without asking its driver's state. */
static void get_integer(void)
{
    GLint value;
    glGetIntegerv(GL_DEPTH_FUNC, &value);
}

static void call(struct bench *b, const char *name, void (*ask)(void))
{
    static double took[CALLS];
    char text[64];
    glFinish();
    for (int i = 0; i < CALLS; i++) {
        uint64_t begin = now_ns();
        ask();
        took[i] = (double)(now_ns() - begin);
    }
    snprintf(text, sizeof text, "%s_p50", name);
    figure(b, text, bench_median(took, CALLS));
    snprintf(text, sizeof text, "%s_p99", name);
    figure(b, text, bench_quantile(took, CALLS, 0.99));
}

static void call_error(struct bench *b)
{
    call(b, "get_error", get_error);
}
static void call_integer(struct bench *b)
{
    call(b, "get_integer", get_integer);
}
static void call_finish(struct bench *b)
{
    call(b, "finish", finish);
}

/* DRAWS draws and a swap, again and again; the last one's end is waited for. */
static void frame(struct bench *b)
{
    glFinish();
    stop(b);
    uint64_t begin = now_ns();
    for (uint64_t n = 0; n < b->frames; n++) {
        glClear(GL_COLOR_BUFFER_BIT);
        for (int i = 0; i < DRAWS; i++) {
            draw_plain(b, i);
        }
        eglSwapBuffers(b->display, b->surface);
        glFlush(); /* a pbuffer's swap need not */
    }
    glFinish();
    uint64_t took = now_ns() - begin;
    stop(b);
    figure(b, "frame", (double)took / (double)b->frames);
    figure(b, "frames_count", (double)b->frames);
}

static const struct {
    const char *name;
    void (*run)(struct bench *b);
} figures[] = {
    {"frame", frame},
    {"issue_draw", issue_plain},
    {"issue_client_array", issue_client},
    {"issue_uniform", issue_uniform},
    {"issue_texture", issue_texture},
    {"get_error", call_error},
    {"get_integer", call_integer},
    {"finish", call_finish},
};
#define FIGURES (sizeof figures / sizeof figures[0])

static bool chosen(const char *name, char **names)
{
    bool any = *names == NULL;
    for (; *names != NULL; names++) {
        any = any || strcmp(name, *names) == 0;
    }
    return any;
}

/* The first is there; `more` follow. What one costs at the beginning, and at the end. */
static void contexts_make(struct bench *b, uint32_t more)
{
    static double took[CONTEXTS];
    stop(b);
    for (uint32_t i = 0; i < more; i++) {
        uint64_t begin = now_ns();
        context_make(b);
        took[i] = (double)(now_ns() - begin);
    }
    if (more >= 2 * SLICE) {
        figure(b, "context_first", bench_median(took, SLICE));
        figure(b, "context_last", bench_median(took + more - SLICE, SLICE));
    }
    stop(b);
    printf("\n}\n");
}

int main(int argc, char **argv)
{
    struct bench b = {.frames = 200, .first = true};
    int i = 1;
    uint32_t contexts = 0;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--stops") == 0) {
            b.stops = true;
        } else if (strcmp(argv[i], "--frames") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0) {
            b.frames = (uint64_t)atoi(argv[++i]);
        } else if (strcmp(argv[i], "--contexts") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0 &&
                   atoi(argv[i + 1]) <= CONTEXTS) {
            contexts = (uint32_t)atoi(argv[++i]);
        } else {
            fprintf(
                stderr,
                "frame_bench: '%s' is no option; it takes --frames N, --contexts N and --stops\n",
                argv[i]);
            return 2;
        }
    }
    if (contexts != 0) {
        stop(&b);
    }
    start(&b);
    if (contexts != 0) {
        contexts_make(&b, contexts - 1);
        return 0;
    }
    fprintf(stderr, "renderer: %s\n", (const char *)glGetString(GL_RENDERER));
    for (size_t n = 0; n < FIGURES; n++) {
        if (chosen(figures[n].name, argv + i)) {
            figures[n].run(&b);
        }
    }
    need(glGetError() == GL_NO_ERROR, "something in GL");
    printf("\n}\n");
    eglTerminate(b.display);
    return 0;
}
