/* Threads with contexts of one share group that make, ask for and end each other's objects, without
 * any order but the driver's: what a call answers depends on the calls of all.
 *
 *   names_program [ROUNDS]
 *
 * Prints how many answers were yes. Exit 1: something of EGL failed. */
#include "tests/integration/plain_egl.h"
#include "transport/base/atomic.h"

#include <GLES3/gl3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, SLOTS = 24 };

struct world {
    struct plain_egl egl;
    long rounds;
    GLuint buffers[SLOTS], textures[SLOTS]; /* atomic; they order nothing */
};

struct worker {
    pthread_t thread;
    struct world *world;
    EGLContext context;
    EGLSurface surface;
    unsigned state;
    long yes;
};

static unsigned next(struct worker *w)
{
    w->state = w->state * 1664525u + 1013904223u;
    return w->state >> 8;
}

/* A new one in a slot; the one that was there ends, whoever uses it. */
static void change(struct worker *w, unsigned slot)
{
    static const GLubyte pixel[4];
    GLuint name;
    if (next(w) % 2 == 0) {
        glGenBuffers(1, &name);
        glBindBuffer(GL_ARRAY_BUFFER, name);
        glBufferData(GL_ARRAY_BUFFER, 64, NULL, GL_STATIC_DRAW);
        name = sl_atomic_exchange(&w->world->buffers[slot], name);
        glDeleteBuffers(1, &name);
    } else {
        glGenTextures(1, &name);
        glBindTexture(GL_TEXTURE_2D, name);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
        name = sl_atomic_exchange(&w->world->textures[slot], name);
        glDeleteTextures(1, &name);
    }
}

static void *run(void *user)
{
    struct worker *w = user;
    plain_egl_current(&w->world->egl, w->surface, w->context);
    for (long i = 0; i < w->world->rounds; i++) {
        unsigned slot = next(w) % SLOTS;
        if (next(w) % 3 == 0) {
            change(w, slot);
        }
        w->yes += glIsBuffer(sl_atomic_load_relaxed(&w->world->buffers[slot])) == GL_TRUE;
        w->yes += glIsTexture(sl_atomic_load_relaxed(&w->world->textures[slot])) == GL_TRUE;
    }
    eglMakeCurrent(w->world->egl.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    return NULL;
}

int main(int argc, char **argv)
{
    struct world world = {.rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 200};
    struct worker workers[THREADS];
    long yes = 0;
    plain_egl_open(&world.egl);
    for (int i = 0; i < THREADS; i++) {
        EGLContext share = i != 0 ? workers[0].context : EGL_NO_CONTEXT;
        workers[i] = (struct worker){.world = &world, .state = (unsigned)i + 1};
        workers[i].context = plain_egl_context(&world.egl, 3, share);
        workers[i].surface = plain_egl_pbuffer(&world.egl, 4);
    }
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        yes += workers[i].yes;
    }
    printf("%ld answers were yes\n", yes);
    plain_egl_close(&world.egl);
    return 0;
}
