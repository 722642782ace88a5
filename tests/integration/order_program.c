/* What one thread writes to shared objects and another one uses, once it was told: natively what
 * was written is there, after a flush, and for uploads also without one.
 *
 *   order_program [TURNS]
 *
 * Two threads with contexts of one share group take turns (default 2,000 of each way); who is told
 * draws with what the other has written, and reads that. Exit 1: something else was there; it says
 * how often. */
#include "tests/integration/plain_egl.h"

#include <GLES3/gl3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 16 };

struct objects {
    GLuint texture, target, framebuffer_of_target, buffer;
};

static struct objects shared;

static void upload(uint32_t value)
{
    uint32_t pixels[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) {
        pixels[i] = value;
    }
    glBindTexture(GL_TEXTURE_2D, shared.texture);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
}

static void upload_flushed(uint32_t value)
{
    upload(value);
    glFlush();
}

static void draw(uint32_t value)
{
    glBindFramebuffer(GL_FRAMEBUFFER, shared.framebuffer_of_target);
    glClearColor((float)(value & 255) / 255, (float)(value >> 8 & 255) / 255,
                 (float)(value >> 16 & 255) / 255, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    glFlush();
}

static void fill_buffer(uint32_t value)
{
    uint32_t words[SIDE];
    for (int i = 0; i < SIDE; i++) {
        words[i] = value;
    }
    glBindBuffer(GL_ARRAY_BUFFER, shared.buffer);
    glBufferSubData(GL_ARRAY_BUFFER, 0, sizeof words, words);
}

static void fill_buffer_flushed(uint32_t value)
{
    fill_buffer(value);
    glFlush();
}

enum how { SAMPLES, SAMPLES_TARGET, SAMPLES_UNBOUND, VERTICES };
static const struct way {
    const char *name;
    void (*write)(uint32_t value);
    enum how how;
} ways[] = {
    {"upload, flush", upload_flushed, SAMPLES},
    {"upload, flush, not bound anew", upload_flushed, SAMPLES_UNBOUND},
    {"upload", upload, SAMPLES},
    {"draw, flush", draw, SAMPLES_TARGET},
    {"buffer, flush", fill_buffer_flushed, VERTICES},
    {"buffer", fill_buffer, VERTICES},
};

/* --- who is told --- */

static GLuint compile(GLenum type, const char *text)
{
    GLuint shader = glCreateShader(type);
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    return shader;
}

static GLuint program_make(const char *vertex, const char *fragment)
{
    GLuint program = glCreateProgram();
    glAttachShader(program, compile(GL_VERTEX_SHADER, vertex));
    glAttachShader(program, compile(GL_FRAGMENT_SHADER, fragment));
    glBindAttribLocation(program, 0, "c");
    glLinkProgram(program);
    return program;
}

struct user {
    GLuint sampling, colouring, framebuffer;
};

#define FULL                                                                                       \
    "vec2 p = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0; gl_Position = vec4(p, 0, 1);"

static void user_init(struct user *u)
{
    GLuint own;
    u->sampling = program_make("#version 300 es\nvoid main() { " FULL " }",
                               "#version 300 es\nprecision highp float; uniform sampler2D s; out "
                               "vec4 o; void main() { o = texelFetch(s, ivec2(3, 5), 0); }");
    u->colouring =
        program_make("#version 300 es\nin vec4 c; out vec4 v; void main() { v = c; " FULL " }",
                     "#version 300 es\nprecision highp float; in vec4 v; out vec4 o; "
                     "void main() { o = v; }");
    glGenTextures(1, &own);
    glBindTexture(GL_TEXTURE_2D, own);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, 4, 4);
    glGenFramebuffers(1, &u->framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, u->framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, own, 0);
    glViewport(0, 0, 4, 4);
    glBindBuffer(GL_ARRAY_BUFFER, shared.buffer);
    glVertexAttribPointer(0, 4, GL_UNSIGNED_BYTE, GL_TRUE, 4, NULL);
    glEnableVertexAttribArray(0);
    glBindTexture(GL_TEXTURE_2D, shared.texture);
}

static uint32_t use(const struct user *u, enum how how)
{
    uint32_t pixel = 0;
    if (how == SAMPLES || how == SAMPLES_TARGET) {
        glBindTexture(GL_TEXTURE_2D, how == SAMPLES ? shared.texture : shared.target);
    }
    glUseProgram(how == VERTICES ? u->colouring : u->sampling);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    glReadPixels(1, 1, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, &pixel);
    return pixel;
}

/* --- turns --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static unsigned long turn, turns; /* odd: who is told; the writer's otherwise */

static void pass(void)
{
    pthread_mutex_lock(&lock);
    turn++;
    pthread_cond_signal(&moved);
    pthread_mutex_unlock(&lock);
}

static void await(unsigned long which)
{
    pthread_mutex_lock(&lock);
    while (turn < which) {
        pthread_cond_wait(&moved, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static uint32_t value_of(unsigned long n)
{
    return ((uint32_t)n * 2654435761u >> 8) | 0xff000000u;
}

struct receiver {
    struct plain_egl *egl;
    EGLContext context;
    EGLSurface surface;
    unsigned long wrong[sizeof ways / sizeof ways[0]];
};

static void *receive(void *data)
{
    struct receiver *r = data;
    struct user user;
    plain_egl_current(r->egl, r->surface, r->context);
    user_init(&user);
    pass();
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        glBindTexture(GL_TEXTURE_2D, shared.texture);
        for (unsigned long n = 0; n < turns; n++) {
            await((w * turns + n) * 2 + 2);
            r->wrong[w] += use(&user, ways[w].how) != value_of(n);
            pass();
        }
    }
    plain_egl_current(r->egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    return NULL;
}

static void objects_make(void)
{
    glGenTextures(1, &shared.texture);
    glBindTexture(GL_TEXTURE_2D, shared.texture);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    glGenTextures(1, &shared.target);
    glBindTexture(GL_TEXTURE_2D, shared.target);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    glGenFramebuffers(1, &shared.framebuffer_of_target);
    glBindFramebuffer(GL_FRAMEBUFFER, shared.framebuffer_of_target);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, shared.target, 0);
    glGenBuffers(1, &shared.buffer);
    glBindBuffer(GL_ARRAY_BUFFER, shared.buffer);
    glBufferData(GL_ARRAY_BUFFER, SIDE * 4, NULL, GL_DYNAMIC_DRAW);
    glFinish();
}

int main(int argc, char **argv)
{
    struct plain_egl egl;
    pthread_t thread;
    bool ok = true;
    turns = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    plain_egl_open(&egl);
    EGLContext own = plain_egl_context(&egl, 3, EGL_NO_CONTEXT);
    struct receiver r = {.egl = &egl,
                         .context = plain_egl_context(&egl, 3, own),
                         .surface = plain_egl_pbuffer(&egl, SIDE)};
    plain_egl_current(&egl, plain_egl_pbuffer(&egl, SIDE), own);
    objects_make();
    if (pthread_create(&thread, NULL, receive, &r) != 0) {
        fprintf(stderr, "no thread\n");
        return 1;
    }
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        for (unsigned long n = 0; n < turns; n++) {
            await((w * turns + n) * 2 + 1);
            ways[w].write(value_of(n));
            pass();
        }
    }
    pthread_join(thread, NULL);
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        ok = ok && r.wrong[w] == 0;
        if (r.wrong[w] != 0) {
            fprintf(stderr, "%s: %lu of %lu are wrong\n", ways[w].name, r.wrong[w], turns);
        }
    }
    plain_egl_close(&egl);
    return ok ? 0 : 1;
}
