/* EGL loaded, used and unloaded in turn, as plugins do, by threads that end afterwards: with what
 * they had current, or without.
 *
 * Exit 1 and a line on stderr: something could not be had, or a wrong pixel. */
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 16, TIMES = 4 };

static void need(bool ok, const char *what)
{
    if (!ok) {
        const char *why = dlerror();
        fprintf(stderr, "unload_program: %s: %s\n", what, why != NULL ? why : "it fails");
        exit(1);
    }
}

static void find(void *library, const char *name, void *out)
{
    void *address = dlsym(library, name);
    need(address != NULL, name);
    memcpy(out, &address, sizeof address);
}

/* A display and what is current on it: one picture. */
static EGLDisplay draw(void *egl, void *gles)
{
    __typeof__(&eglGetPlatformDisplay) get_display;
    __typeof__(&eglInitialize) initialize;
    __typeof__(&eglChooseConfig) choose;
    __typeof__(&eglCreatePbufferSurface) make_surface;
    __typeof__(&eglCreateContext) make_context;
    __typeof__(&eglMakeCurrent) make_current;
    __typeof__(&glClearColor) clear_color;
    __typeof__(&glClear) clear;
    __typeof__(&glReadPixels) read;
    static const EGLint wanted[] = {
        EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_RED_SIZE, 8,
        EGL_NONE};
    static const EGLint size[] = {EGL_WIDTH, SIDE, EGL_HEIGHT, SIDE, EGL_NONE};
    static const EGLint es2[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    EGLConfig config;
    EGLint count = 0;
    uint8_t got[4] = {0};
    find(egl, "eglGetPlatformDisplay", &get_display);
    find(egl, "eglInitialize", &initialize);
    find(egl, "eglChooseConfig", &choose);
    find(egl, "eglCreatePbufferSurface", &make_surface);
    find(egl, "eglCreateContext", &make_context);
    find(egl, "eglMakeCurrent", &make_current);
    find(gles, "glClearColor", &clear_color);
    find(gles, "glClear", &clear);
    find(gles, "glReadPixels", &read);
    EGLDisplay display = get_display(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    need(initialize(display, NULL, NULL), "eglInitialize");
    need(choose(display, wanted, &config, 1, &count) && count == 1, "eglChooseConfig");
    EGLSurface surface = make_surface(display, config, size);
    EGLContext context = make_context(display, config, EGL_NO_CONTEXT, es2);
    need(make_current(display, surface, surface, context), "eglMakeCurrent");
    clear_color(0, 1, 0, 1);
    clear(GL_COLOR_BUFFER_BIT);
    read(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, got);
    need(got[0] == 0 && got[1] == 255, "a wrong pixel");
    return display;
}

/* user: not NULL: it lets go of all first. */
static void *turn(void *user)
{
    void *egl = dlopen("libEGL.so.1", RTLD_NOW | RTLD_LOCAL);
    need(egl != NULL, "libEGL.so.1");
    void *gles = dlopen("libGLESv2.so.2", RTLD_NOW | RTLD_LOCAL);
    need(gles != NULL, "libGLESv2.so.2");
    EGLDisplay display = draw(egl, gles);
    if (user != NULL) {
        __typeof__(&eglMakeCurrent) make_current;
        __typeof__(&eglTerminate) terminate;
        find(egl, "eglMakeCurrent", &make_current);
        find(egl, "eglTerminate", &terminate);
        need(make_current(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT), "letting go");
        need(terminate(display), "eglTerminate");
    }
    need(dlclose(gles) == 0 && dlclose(egl) == 0, "dlclose");
    return NULL;
}

int main(void)
{
    static int yes = 1;
    for (int i = 0; i < TIMES; i++) {
        pthread_t thread;
        need(pthread_create(&thread, NULL, turn, i % 2 == 0 ? &yes : NULL) == 0, "a thread");
        need(pthread_join(thread, NULL) == 0, "its end");
    }
    (void)turn(&yes);
    (void)turn(NULL);
    return 0;
}
