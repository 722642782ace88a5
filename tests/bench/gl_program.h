/* What the OpenGL ES benchmarks share: a context on a 16 x 16 pbuffer of the surfaceless platform
 * with something to draw, and how figures are taken. Ordinary EGL and OpenGL ES that knows nothing
 * of Sluice. One thread. What fails ends the program with 1 and a line on stderr. */
#ifndef TESTS_BENCH_GL_PROGRAM_H
#define TESTS_BENCH_GL_PROGRAM_H

#include "tests/bench/bench.h"

#define GL_GLEXT_PROTOTYPES
#define EGL_EGLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>
#include <stdbool.h>
#include <stdint.h>

#define GLB_DRAWS 2000

/* The program that runs. */
struct glb {
    EGLDisplay display;
    EGLSurface surface;
    GLuint buffer; /* attribute 0's */
    GLuint textures[2];
    GLint tint;      /* a uniform vec4 of the program in use */
    uint64_t frames; /* --frames */
    bool stops;      /* --stops */
    bool any;        /* a figure is printed */
};

/* A small triangle's corners. */
extern const float glb_triangle[6];

uint64_t glb_now_ns(void);
void glb_need(bool ok, const char *what);
/* One line of the JSON object that glb_end closes. */
void glb_figure(struct glb *b, const char *name, double value);

/* A program with attribute 0 `p`; *tint: where that uniform is. */
GLuint glb_program(const char *vertex, const char *fragment, GLint *tint);
/* A context with all that it draws with, and a frame that is finished. */
void glb_context(struct glb *b);
/* From nothing to there: the figure `start`. */
void glb_start(struct glb *b);
/* Where the other side of the pipe looks at us: "stop" on stdout, until a line comes on stdin. */
void glb_stop(const struct glb *b);

void glb_draw(struct glb *b, int i);
/* What the issuing thread pays for each of `count` calls; nothing is on its way when they begin. */
void glb_issue(struct glb *b, const char *name, int count, void (*call)(struct glb *b, int i));
/* What a call takes, NAME_p50 and NAME_p99 of `calls` (at most 20,000); nothing is on its way at
 * the first. */
void glb_call(struct glb *b, const char *name, int calls, void (*ask)(struct glb *b));
/* `count` calls and what they leave to be done, ns of one: the median of several rounds. */
void glb_through(struct glb *b, const char *name, int count, void (*call)(struct glb *b));

struct glb_part {
    const char *name;
    void (*run)(struct glb *b);
};

/* --frames N or --stops at argv[*at], and *at behind it; false: neither. */
bool glb_option(struct glb *b, int argc, char **argv, int *at);
/* The parts that `names` (ended by NULL) name, or all, and the object's end. */
void glb_run(struct glb *b, const struct glb_part *parts, size_t count, char **names);
void glb_end(struct glb *b);

#endif
