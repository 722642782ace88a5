/* Two contexts of a group, called by turns: on one thread, and on two. */
#include "tests/integration/robust/robust.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CALLS = 1500 };

/* Some calls of a world in the context that is current, the first one `from`. Errors of GL and EGL
 * stay as long as nobody asks for them. Returns how many. */
static int calls_make(const struct plain_egl *egl, struct robust *choice, int world, int from)
{
    int count = 1 + (int)robust_pick(choice, 12);
    uint64_t tries = 0;
    for (int i = from; i < from + count; i++) {
        struct robust r = {.seed = (uint64_t)world * 100000 + 50000000 + (uint64_t)i};
        robust_call_make(robust_call_any(choice, &tries), &r, robust_pick(choice, 2) != 0);
    }
    if (robust_pick(choice, 3) == 0) {
        eglDestroyImage(egl->display, (EGLImage)&calls_make); /* an error */
    }
    if (robust_pick(choice, 3) == 0) {
        printf("error of EGL = 0: %x,\n", (unsigned)eglGetError());
    }
    return count;
}

void robust_turns(const struct plain_egl *egl, EGLSurface surface, const EGLContext *first,
                  const EGLContext *second, int rounds)
{
    for (int world = 0; world < rounds; world++) {
        struct robust choice = {.seed = (uint64_t)world + 77};
        robust_world_begin();
        for (int made = 0, turn = 0; made < CALLS; turn++) {
            printf("context %d = 0: 0,\n", turn % 2);
            made += calls_make(egl, &choice, world, made);
            plain_egl_current(egl, surface, turn % 2 == 0 ? *first : *second);
        }
        robust_world_end();
    }
}

/* --- two threads --- */

static struct {
    const struct plain_egl *egl;
    EGLSurface surfaces[2];
    EGLContext contexts[2];
    struct robust choice;
    int world;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int turn, made; /* whose turn: 0 or 1 */
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* user: whose thread. */
static void *thread_run(void *user)
{
    int me = user == &shared.contexts[1];
    plain_egl_current(shared.egl, shared.surfaces[me], shared.contexts[me]);
    pthread_mutex_lock(&shared.lock);
    while (shared.made < CALLS) {
        if (shared.turn != me) {
            pthread_cond_wait(&shared.changed, &shared.lock);
            continue;
        }
        printf("thread %d = 0: 0,\n", me);
        shared.made += calls_make(shared.egl, &shared.choice, shared.world, shared.made);
        glFinish(); /* what the other one finds is as GL says */
        shared.turn = 1 - me;
        pthread_cond_broadcast(&shared.changed);
    }
    pthread_mutex_unlock(&shared.lock);
    plain_egl_current(shared.egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglReleaseThread();
    return NULL;
}

void robust_threads(const struct plain_egl *egl, EGLSurface surface, const EGLContext *first,
                    const EGLContext *second, int rounds)
{
    shared.egl = egl;
    shared.surfaces[0] = surface;
    shared.surfaces[1] = plain_egl_pbuffer(egl, ROBUST_SIDE);
    for (shared.world = 0; shared.world < rounds; shared.world++) {
        pthread_t threads[2];
        robust_world_begin();
        plain_egl_current(egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        shared.contexts[0] = *first;
        shared.contexts[1] = *second;
        shared.choice = (struct robust){.seed = (uint64_t)shared.world + 99};
        shared.turn = shared.made = 0;
        for (int i = 0; i < 2; i++) {
            if (pthread_create(&threads[i], NULL, thread_run, &shared.contexts[i]) != 0) {
                fputs("robust: no thread\n", stderr);
                exit(1);
            }
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
        }
        robust_world_end();
    }
    eglDestroySurface(egl->display, shared.surfaces[1]);
}
