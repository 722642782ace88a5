/* What the calls of OpenGL ES cost besides draws: asking, uploading, reading back, fences, shaders,
 * and a frame that only fills. An ordinary program, natively or below `sluice run --` the same
 * binary.
 *
 *   gles_bench [--frames N] [--stops] [PART ...]
 *
 * Prints one JSON object, ns; stops before and after the counted frames as frame_bench does. Exit
 * 1: something of EGL or GL failed. */
#include "tests/bench/gl_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH   1280
#define HEIGHT  720
#define LAYERS  24
#define CALLS   20000
#define SUBS    256 /* of 1 KiB: what a frame may stream */
#define KIB     1024
#define MIB     (1024 * KIB)
#define TEXTURE 4096 /* side of the largest upload */

static uint8_t *bytes; /* TEXTURE * TEXTURE texels */

/* Corners of a triangle that covers all. */
static const float whole[] = {-1, -1, 3, -1, -1, 3};

/* --- calls that the program waits for --- */

static void ask_error(struct glb *b)
{
    (void)b;
    (void)glGetError();
}

/* What a client library knows: a binding of its own context. */
static void ask_cached(struct glb *b)
{
    GLint value;
    (void)b;
    glGetIntegerv(GL_ARRAY_BUFFER_BINDING, &value);
}

static void ask_finish(struct glb *b)
{
    (void)b;
    glFinish();
}

static void ask_fence(struct glb *b)
{
    glb_draw(b, 0);
    GLsync fence = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    GLenum state = glClientWaitSync(fence, GL_SYNC_FLUSH_COMMANDS_BIT, 1000000000u);
    glb_need(state == GL_CONDITION_SATISFIED || state == GL_ALREADY_SIGNALED, "glClientWaitSync");
    glDeleteSync(fence);
}

static void asking(struct glb *b)
{
    glb_call(b, "get_error", CALLS, ask_error);
    glb_call(b, "get_cached", CALLS, ask_cached);
    glb_call(b, "finish", CALLS, ask_finish);
    glb_call(b, "fence", 2000, ask_fence);
}

/* --- draws with a change --- */

static void draw_uniform(struct glb *b, int i)
{
    glUniform4f(b->tint, (float)i, 0, 0, 1);
    glb_draw(b, i);
}

static void draw_texture(struct glb *b, int i)
{
    glBindTexture(GL_TEXTURE_2D, b->textures[i & 1]);
    glb_draw(b, i);
}

static void issuing(struct glb *b)
{
    glb_issue(b, "issue_uniform", GLB_DRAWS, draw_uniform);
    glb_issue(b, "issue_texture", GLB_DRAWS, draw_texture);
}

/* --- what a program streams --- */

/* New bytes, a triangle's corners in front: what a program uploads it has made just before. */
static void make(void *to, size_t size)
{
    static uint8_t shade;
    memset(to, ++shade, size);
    memcpy(to, glb_triangle, sizeof glb_triangle);
}

/* --- textures --- */

static void upload(int side)
{
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, side, side, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
}

static void upload_small(struct glb *b)
{
    (void)b;
    upload(64);
}

static void upload_middle(struct glb *b)
{
    (void)b;
    upload(1024);
}

static void upload_large(struct glb *b)
{
    (void)b;
    upload(TEXTURE);
}

/* As programs stream pictures: each is drawn with before the next. */
static void stream(struct glb *b, int side)
{
    make(bytes, (size_t)side * (size_t)side * 4);
    upload(side);
    glb_draw(b, 0);
}

static void stream_small(struct glb *b)
{
    stream(b, 64);
}

static void stream_middle(struct glb *b)
{
    stream(b, 1024);
}

static void stream_large(struct glb *b)
{
    stream(b, TEXTURE);
}

static void uploading(struct glb *b)
{
    static const struct {
        const char *name;
        int side, count;
        void (*run)(struct glb *b);
    } sizes[] = {
        {"upload_64", 64, 1000, upload_small},     {"upload_1024", 1024, 16, upload_middle},
        {"upload_4096", TEXTURE, 2, upload_large}, {"stream_64", 64, 200, stream_small},
        {"stream_1024", 1024, 16, stream_middle},  {"stream_4096", TEXTURE, 2, stream_large},
    };
    GLuint texture;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        glGenTextures(1, &texture);
        glBindTexture(GL_TEXTURE_2D, texture);
        glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, sizes[i].side, sizes[i].side);
        glb_through(b, sizes[i].name, sizes[i].count, sizes[i].run);
        glDeleteTextures(1, &texture);
    }
    glBindTexture(GL_TEXTURE_2D, b->textures[0]);
}

/* --- buffers --- */

static void sub_small(struct glb *b, int i)
{
    (void)b;
    glBufferSubData(GL_COPY_WRITE_BUFFER, i % 64 * KIB, KIB, bytes);
}

static void sub_large(struct glb *b)
{
    (void)b;
    glBufferSubData(GL_COPY_WRITE_BUFFER, 0, MIB, bytes);
}

static void map_large(struct glb *b)
{
    (void)b;
    void *to = glMapBufferRange(GL_COPY_WRITE_BUFFER, 0, MIB,
                                GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT);
    glb_need(to != NULL, "glMapBufferRange");
    memcpy(to, bytes, MIB);
    glUnmapBuffer(GL_COPY_WRITE_BUFFER);
}

/* Attribute 0 comes from GL_ARRAY_BUFFER's KiB `at`. */
static void draw_from(struct glb *b, int at)
{
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, (void *)(uintptr_t)(at * KIB));
    glb_draw(b, at);
}

static void stream_sub_small(struct glb *b, int i)
{
    make(bytes, KIB);
    glBufferSubData(GL_ARRAY_BUFFER, i % 64 * KIB, KIB, bytes);
    draw_from(b, i % 64);
}

static void stream_sub_large(struct glb *b)
{
    make(bytes, MIB);
    glBufferSubData(GL_ARRAY_BUFFER, 0, MIB, bytes);
    draw_from(b, 0);
}

static void stream_map_large(struct glb *b)
{
    void *to =
        glMapBufferRange(GL_ARRAY_BUFFER, 0, MIB, GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT);
    glb_need(to != NULL, "glMapBufferRange");
    make(to, MIB);
    glUnmapBuffer(GL_ARRAY_BUFFER);
    draw_from(b, 0);
}

static void buffers(struct glb *b)
{
    GLuint buffer;
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_COPY_WRITE_BUFFER, buffer);
    glBufferData(GL_COPY_WRITE_BUFFER, MIB, NULL, GL_DYNAMIC_DRAW);
    glb_issue(b, "issue_sub_1k", SUBS, sub_small);
    glb_through(b, "sub_1m", 64, sub_large);
    glb_through(b, "map_1m", 64, map_large);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glb_issue(b, "stream_sub_1k", SUBS, stream_sub_small);
    glb_through(b, "stream_sub_1m", 64, stream_sub_large);
    glb_through(b, "stream_map_1m", 64, stream_map_large);
    glBindBuffer(GL_ARRAY_BUFFER, b->buffer);
    draw_from(b, 0);
    glDeleteBuffers(1, &buffer);
}

/* --- reading back --- */

/* A picture of WIDTH x HEIGHT to draw on. */
static GLuint target_bind(GLuint *texture)
{
    GLuint target;
    glGenTextures(1, texture);
    glBindTexture(GL_TEXTURE_2D, *texture);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, WIDTH, HEIGHT);
    glGenFramebuffers(1, &target);
    glBindFramebuffer(GL_FRAMEBUFFER, target);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, *texture, 0);
    glb_need(glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE, "a framebuffer");
    glViewport(0, 0, WIDTH, HEIGHT);
    return target;
}

static void target_drop(struct glb *b, GLuint target, GLuint texture)
{
    glBindTexture(GL_TEXTURE_2D, b->textures[0]);
    glDeleteFramebuffers(1, &target);
    glDeleteTextures(1, &texture);
    glViewport(0, 0, 16, 16);
}

static void read_one(struct glb *b)
{
    glClear(GL_COLOR_BUFFER_BIT);
    glb_draw(b, 0);
    glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
}

static void read_all(struct glb *b)
{
    glb_draw(b, 0);
    glReadPixels(0, 0, WIDTH, HEIGHT, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
}

/* A frame that was drawn: the program's triangle covers it. */
static void read_frame(struct glb *b)
{
    glClear(GL_COLOR_BUFFER_BIT);
    read_all(b);
}

static void reading(struct glb *b)
{
    GLuint texture, target = target_bind(&texture);
    glBindTexture(GL_TEXTURE_2D, b->textures[0]);
    glb_call(b, "read_one", 500, read_one);
    glb_through(b, "read_720p", 20, read_all);
    glBufferData(GL_ARRAY_BUFFER, sizeof whole, whole, GL_STATIC_DRAW);
    glb_through(b, "read_720p_frame", 20, read_frame);
    glBufferData(GL_ARRAY_BUFFER, sizeof glb_triangle, glb_triangle, GL_STATIC_DRAW);
    target_drop(b, target, texture);
}

/* --- shaders --- */

/* Each is another one, so that no cache knows it. */
static GLuint program_fresh(GLint *tint)
{
    static unsigned number;
    char fragment[512];
    snprintf(fragment, sizeof fragment,
             "precision highp float; varying vec2 t; uniform vec4 tint; uniform sampler2D s;\n"
             "void main() { vec4 c = tint;\n"
             "  for (int i = 0; i < 4; i++) { c += texture2D(s, t * float(i) + c.xy) * %u.5; }\n"
             "  gl_FragColor = c.x > 0.5 ? sqrt(c) : mix(c, tint, t.x); }",
             ++number);
    return glb_program("attribute vec2 p; varying vec2 t;\n"
                       "void main() { t = p * 0.5 + 0.5; gl_Position = vec4(p, 0.0, 1.0); }",
                       fragment, tint);
}

static void compile_link(struct glb *b)
{
    GLint tint;
    (void)b;
    glDeleteProgram(program_fresh(&tint));
}

static void first_draw(struct glb *b)
{
    GLint tint, before;
    glGetIntegerv(GL_CURRENT_PROGRAM, &before);
    GLuint program = program_fresh(&tint);
    glUseProgram(program);
    glb_draw(b, 0);
    glFinish();
    glUseProgram((GLuint)before);
    glDeleteProgram(program);
}

static void shaders(struct glb *b)
{
    glb_call(b, "compile_link", 60, compile_link);
    glb_call(b, "first_draw", 15, first_draw);
}

/* --- filling --- */

/* LAYERS blended, filtered pictures over all of a 720p one, again and again. */
static void fill(struct glb *b)
{
    GLuint texture, picture, target = target_bind(&texture);
    glGenTextures(1, &picture);
    glBindTexture(GL_TEXTURE_2D, picture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 256, 256, 0, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glBufferData(GL_ARRAY_BUFFER, sizeof whole, whole, GL_STATIC_DRAW);
    glUniform4f(b->tint, 0, 0.1f, 0, 0.5f);
    glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
    glEnable(GL_BLEND);
    glFinish();
    glb_stop(b);
    uint64_t begin = glb_now_ns();
    for (uint64_t n = 0; n < b->frames; n++) {
        glClear(GL_COLOR_BUFFER_BIT);
        for (int i = 0; i < LAYERS; i++) {
            glb_draw(b, i);
        }
        glFlush();
    }
    glFinish();
    uint64_t took = glb_now_ns() - begin;
    glb_stop(b);
    glDisable(GL_BLEND);
    glBufferData(GL_ARRAY_BUFFER, sizeof glb_triangle, glb_triangle, GL_STATIC_DRAW);
    target_drop(b, target, texture);
    glDeleteTextures(1, &picture);
    glb_figure(b, "fill", (double)took / (double)b->frames);
    glb_figure(b, "frames_count", (double)b->frames);
}

static const struct glb_part parts[] = {
    {"asking", asking},   {"issuing", issuing}, {"uploading", uploading}, {"buffers", buffers},
    {"reading", reading}, {"shaders", shaders}, {"fill", fill},
};

int main(int argc, char **argv)
{
    struct glb b = {.frames = 30};
    int i = 1;
    while (i < argc && strncmp(argv[i], "--", 2) == 0) {
        if (!glb_option(&b, argc, argv, &i)) {
            fprintf(stderr, "gles_bench: '%s' is no option; it takes --frames N and --stops\n",
                    argv[i]);
            return 2;
        }
    }
    bytes = calloc(TEXTURE * TEXTURE, 4);
    glb_need(bytes != NULL, "64 MiB of memory");
    memset(bytes, 0x5a, TEXTURE * TEXTURE * 4);
    glb_start(&b);
    glb_run(&b, parts, sizeof parts / sizeof parts[0], argv + i);
    free(bytes);
    return 0;
}
