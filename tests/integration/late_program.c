/* Threads, each with a window, show frames as fast as they can, at the same time.
 *
 *   late_program COUNT
 *
 * COUNT: frames of each. Exit 1: something of X, EGL or GL failed. */
#include <EGL/egl.h>
#include <GLES2/gl2.h>
#include <X11/Xlib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 64, THREADS = 3 };

struct drawer {
    int number, count;
    EGLSurface surface;
    EGLContext context;
};

static EGLDisplay display;
static EGLConfig config;

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "late_program: %s failed: EGL 0x%x\n", what, (unsigned)eglGetError());
        exit(1);
    }
}

/* Made one after the other, so that each has the same name in every run. */
static void open_window(struct drawer *d, Display *x)
{
    static const EGLint es2[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    Window window =
        XCreateSimpleWindow(x, DefaultRootWindow(x), d->number * SIDE, 0, SIDE, SIDE, 0, 0, 0);
    XMapWindow(x, window);
    XSync(x, False);
    d->surface = eglCreateWindowSurface(display, config, (EGLNativeWindowType)window, NULL);
    need(d->surface != EGL_NO_SURFACE, "eglCreateWindowSurface");
    d->context = eglCreateContext(display, config, EGL_NO_CONTEXT, es2);
    need(d->context != EGL_NO_CONTEXT, "eglCreateContext");
    need(eglMakeCurrent(display, d->surface, d->surface, d->context), "eglMakeCurrent");
    need(eglSwapInterval(display, 0), "eglSwapInterval");
    need(eglSwapBuffers(display, d->surface), "eglSwapBuffers"); /* it has its buffers now */
    need(eglMakeCurrent(display, NULL, NULL, NULL), "eglMakeCurrent");
}

static void *draw(void *user)
{
    const struct drawer *d = user;
    need(eglMakeCurrent(display, d->surface, d->surface, d->context), "eglMakeCurrent");
    for (int i = 0; i < d->count; i++) {
        glClearColor((float)i / (float)d->count, (float)d->number / THREADS, 0.25f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        need(eglSwapBuffers(display, d->surface), "eglSwapBuffers");
    }
    glFinish();
    return NULL;
}

int main(int argc, char **argv)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_WINDOW_BIT, EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES2_BIT, EGL_NONE};
    int count = argc == 2 ? atoi(argv[1]) : 0;
    if (count <= 0) {
        fprintf(stderr, "usage: late_program COUNT\n");
        return 2;
    }
    EGLint configs = 0;
    pthread_t threads[THREADS];
    struct drawer drawers[THREADS];
    XInitThreads();
    Display *x = XOpenDisplay(NULL);
    need(x != NULL, "the X server");
    display = eglGetDisplay((EGLNativeDisplayType)x);
    need(eglInitialize(display, NULL, NULL), "eglInitialize");
    need(eglChooseConfig(display, wanted, &config, 1, &configs) && configs == 1, "eglChooseConfig");
    for (int i = 0; i < THREADS; i++) {
        drawers[i] = (struct drawer){.number = i, .count = count};
        open_window(&drawers[i], x);
    }
    for (int i = 0; i < THREADS; i++) {
        need(pthread_create(&threads[i], NULL, draw, &drawers[i]) == 0, "pthread_create");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}
