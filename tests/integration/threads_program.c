/* Threads with contexts of one share group, which hand pictures on from each to the next by fences.
 *
 *   threads_program [FRAMES]
 *
 * Thread i draws frame f from what its left neighbour drew in frame f - 1, one brighter. Each has
 * two pictures and draws them in turn, so it waits for its left neighbour to have drawn and for its
 * right one to have read: by glWaitSync on the host's side, or by glClientWaitSync on its own.
 * Every so many frames it reads its picture back: a wait that came too short is another brightness.
 * Exit 1: something failed, or a picture is wrong. */
#include "tests/integration/plain_egl.h"

#include <GLES3/gl3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, SIDE = 16, KEPT = 4, LOOK_EVERY = 50 };

struct worker {
    pthread_t thread;
    struct ring *ring;
    int index;
    EGLContext context;
    EGLSurface surface;
    GLuint pictures[2], targets[2];
    GLuint program;
    GLsync fences[KEPT]; /* of its last frames; guarded by the ring's lock */
    long done;           /* frames whose fence is there; guarded too */
    bool failed;
};

struct ring {
    struct plain_egl egl;
    long frames;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool failed; /* nobody waits any more */
    struct worker workers[THREADS];
};

static const char vertex_text[] =
    "#version 300 es\n"
    "void main() {\n"
    "  vec2 p = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;\n"
    "  gl_Position = vec4(p, 0.0, 1.0); }\n";
static const char fragment_text[] = "#version 300 es\n"
                                    "precision highp float;\n"
                                    "uniform sampler2D before;\n"
                                    "out vec4 colour;\n"
                                    "void main() {\n"
                                    "  ivec2 at = ivec2(gl_FragCoord.xy);\n"
                                    "  float level = texelFetch(before, at, 0).r * 255.0 + 1.0;\n"
                                    "  colour = vec4(mod(floor(level + 0.5), 256.0) / 255.0); }\n";

/* Says what is wrong, once; everybody ends. */
static void fail(struct worker *w, const char *what)
{
    pthread_mutex_lock(&w->ring->lock);
    if (!w->ring->failed) {
        fprintf(stderr, "thread %d: %s; GL error 0x%x\n", w->index, what, glGetError());
    }
    w->ring->failed = w->failed = true;
    pthread_cond_broadcast(&w->ring->moved);
    pthread_mutex_unlock(&w->ring->lock);
}

static GLuint compile(GLenum kind, const char *text)
{
    GLuint shader = glCreateShader(kind);
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    return shader;
}

static bool make_objects(struct worker *w)
{
    GLint linked = 0;
    w->program = glCreateProgram();
    glAttachShader(w->program, compile(GL_VERTEX_SHADER, vertex_text));
    glAttachShader(w->program, compile(GL_FRAGMENT_SHADER, fragment_text));
    glLinkProgram(w->program);
    glGetProgramiv(w->program, GL_LINK_STATUS, &linked);
    glGenFramebuffers(2, w->targets);
    for (int i = 0; i < 2; i++) {
        glBindFramebuffer(GL_FRAMEBUFFER, w->targets[i]);
        glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, w->pictures[i],
                               0);
    }
    glUseProgram(w->program);
    glViewport(0, 0, SIDE, SIDE);
    return linked && glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
}

/* The fence of a neighbour's frame, once it is there; NULL: somebody failed. */
static GLsync fence_of(struct worker *w, const struct worker *other, long frame)
{
    struct ring *r = w->ring;
    pthread_mutex_lock(&r->lock);
    while (other->done <= frame && !r->failed) {
        pthread_cond_wait(&r->moved, &r->lock);
    }
    GLsync fence = r->failed ? NULL : other->fences[frame % KEPT];
    pthread_mutex_unlock(&r->lock);
    return fence;
}

/* What comes after happens behind that frame of a neighbour's. */
static bool wait_for(struct worker *w, int other, long frame)
{
    GLsync fence = fence_of(w, &w->ring->workers[(other + THREADS) % THREADS], frame);
    if (fence == NULL) {
        return false;
    }
    if ((frame + w->index) % 2 == 0) {
        glWaitSync(fence, 0, GL_TIMEOUT_IGNORED);
        return true;
    }
    GLenum state = glClientWaitSync(fence, 0, 30000000000u);
    return state == GL_CONDITION_SATISFIED || state == GL_ALREADY_SIGNALED;
}

/* Its fence is there for the neighbours; they are done with that of KEPT frames ago. */
static void publish(struct worker *w, long frame)
{
    GLsync fence = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    glFlush();
    pthread_mutex_lock(&w->ring->lock);
    GLsync old = w->fences[frame % KEPT];
    w->fences[frame % KEPT] = fence;
    w->done = frame + 1;
    pthread_cond_broadcast(&w->ring->moved);
    pthread_mutex_unlock(&w->ring->lock);
    glDeleteSync(old);
}

/* Is every pixel of the picture bound as bright as its frame says? */
static bool right(long frame)
{
    uint8_t pixels[SIDE * SIDE * 4];
    glReadPixels(0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    for (size_t i = 0; i < sizeof pixels; i++) {
        if (pixels[i] != (uint8_t)(frame % 256)) {
            fprintf(stderr, "frame %ld: byte %zu is %u, not %ld\n", frame, i, pixels[i],
                    frame % 256);
            return false;
        }
    }
    return true;
}

static void draw(struct worker *w, long frame)
{
    const struct worker *left = &w->ring->workers[(w->index + THREADS - 1) % THREADS];
    glBindFramebuffer(GL_FRAMEBUFFER, w->targets[frame % 2]);
    glBindTexture(GL_TEXTURE_2D, left->pictures[(frame + 1) % 2]);
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void *work(void *user)
{
    struct worker *w = user;
    plain_egl_current(&w->ring->egl, w->surface, w->context);
    if (!make_objects(w)) {
        fail(w, "no program or no framebuffer");
    }
    for (long frame = 1; !w->failed && frame <= w->ring->frames; frame++) {
        /* Frame 0 is black, and nobody's. */
        if (frame > 1 &&
            (!wait_for(w, w->index - 1, frame - 1) || !wait_for(w, w->index + 1, frame - 1))) {
            fail(w, "a fence did not come");
            break;
        }
        draw(w, frame);
        if ((frame % LOOK_EVERY == 0 || frame == w->ring->frames) && !right(frame)) {
            fail(w, "a wrong picture");
        }
        publish(w, frame);
    }
    if (glGetError() != GL_NO_ERROR) {
        fail(w, "a GL error");
    }
    eglMakeCurrent(w->ring->egl.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglReleaseThread();
    return NULL;
}

/* All pictures, black, in the group's first context. */
static void make_pictures(struct ring *r, EGLContext context, EGLSurface surface)
{
    static const uint8_t black[SIDE * SIDE * 4];
    plain_egl_current(&r->egl, surface, context);
    for (int i = 0; i < THREADS; i++) {
        glGenTextures(2, r->workers[i].pictures);
        for (int p = 0; p < 2; p++) {
            glBindTexture(GL_TEXTURE_2D, r->workers[i].pictures[p]);
            glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
            glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, black);
        }
    }
    glFinish();
}

int main(int argc, char **argv)
{
    static struct ring r = {
        .frames = 300, .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    r.frames = argc > 1 ? atol(argv[1]) : r.frames;
    plain_egl_open(&r.egl);
    EGLContext first = plain_egl_context(&r.egl, 3, EGL_NO_CONTEXT);
    EGLSurface surface = plain_egl_pbuffer(&r.egl, SIDE);
    make_pictures(&r, first, surface);
    for (int i = 0; i < THREADS; i++) {
        struct worker *w = &r.workers[i];
        w->ring = &r;
        w->index = i;
        w->done = 1;
        w->context = plain_egl_context(&r.egl, 3, first);
        w->surface = plain_egl_pbuffer(&r.egl, SIDE);
    }
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&r.workers[i].thread, NULL, work, &r.workers[i]) != 0) {
            fprintf(stderr, "no thread\n");
            return 1;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(r.workers[i].thread, NULL);
    }
    plain_egl_close(&r.egl);
    return r.failed ? 1 : 0;
}
