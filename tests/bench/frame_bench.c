/* What a frame costs the program that draws it: an ordinary EGL and OpenGL ES program, natively or
 * below `sluice run --` the same binary.
 *
 *   frame_bench [--frames N] [--stops] [FIGURE ...]
 *   frame_bench --contexts N --stops
 *
 * Prints one JSON object: each figure's median, ns unless its name says otherwise. With --stops it
 * says "stop" on stdout before and after the counted frames, and goes on when a line comes on
 * stdin: that is where tests/bench/frame_table.py reads the processors' time of all processes.
 * --contexts makes N contexts with one frame each, and stops before the first, after it and after
 * the last, for tests/bench/context_table.py. Exit 1: something of EGL or GL failed. */
#include "tests/bench/gl_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS    20000
#define CONTEXTS 4096 /* the most of --contexts */
#define SLICE    64

static void issue_plain(struct glb *b)
{
    glb_issue(b, "issue_draw", GLB_DRAWS, glb_draw);
}

static void issue_client(struct glb *b)
{
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, glb_triangle);
    glb_issue(b, "issue_client_array", GLB_DRAWS, glb_draw);
    glBindBuffer(GL_ARRAY_BUFFER, b->buffer);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
}

/* Nothing that a client library could know without asking its driver's state. */
static void get_integer(struct glb *b)
{
    GLint value;
    (void)b;
    glGetIntegerv(GL_DEPTH_FUNC, &value);
}

static void call_integer(struct glb *b)
{
    glb_call(b, "get_integer", CALLS, get_integer);
}

/* GLB_DRAWS draws and a swap, again and again; the last one's end is waited for. */
static void frame(struct glb *b)
{
    glFinish();
    glb_stop(b);
    uint64_t begin = glb_now_ns();
    for (uint64_t n = 0; n < b->frames; n++) {
        glClear(GL_COLOR_BUFFER_BIT);
        for (int i = 0; i < GLB_DRAWS; i++) {
            glb_draw(b, i);
        }
        eglSwapBuffers(b->display, b->surface);
        glFlush(); /* a pbuffer's swap need not */
    }
    glFinish();
    uint64_t took = glb_now_ns() - begin;
    glb_stop(b);
    glb_figure(b, "frame", (double)took / (double)b->frames);
    glb_figure(b, "frames_count", (double)b->frames);
}

static const struct glb_part parts[] = {
    {"frame", frame},
    {"issue_draw", issue_plain},
    {"issue_client_array", issue_client},
    {"get_integer", call_integer},
};

/* The first is there; `more` follow. What one costs at the beginning, and at the end. */
static void contexts_make(struct glb *b, uint32_t more)
{
    static double took[CONTEXTS];
    glb_stop(b);
    for (uint32_t i = 0; i < more; i++) {
        uint64_t begin = glb_now_ns();
        glb_context(b);
        took[i] = (double)(glb_now_ns() - begin);
    }
    if (more >= 2 * SLICE) {
        glb_figure(b, "context_first", bench_median(took, SLICE));
        glb_figure(b, "context_last", bench_median(took + more - SLICE, SLICE));
    }
    glb_stop(b);
    glb_end(b);
}

int main(int argc, char **argv)
{
    struct glb b = {.frames = 200};
    int i = 1;
    uint32_t contexts = 0;
    while (i < argc && strncmp(argv[i], "--", 2) == 0) {
        if (strcmp(argv[i], "--contexts") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0 &&
            atoi(argv[i + 1]) <= CONTEXTS) {
            contexts = (uint32_t)atoi(argv[i + 1]);
            i += 2;
        } else if (!glb_option(&b, argc, argv, &i)) {
            fprintf(
                stderr,
                "frame_bench: '%s' is no option; it takes --frames N, --contexts N and --stops\n",
                argv[i]);
            return 2;
        }
    }
    if (contexts != 0) {
        glb_stop(&b);
    }
    glb_start(&b);
    if (contexts != 0) {
        contexts_make(&b, contexts - 1);
        return 0;
    }
    glb_run(&b, parts, sizeof parts / sizeof parts[0], argv + i);
    return 0;
}
