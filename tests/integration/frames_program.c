/* Draws frames in a window, and says in a file how far it is, so that whoever kills it knows.
 *
 *   frames_program COUNT FILE [MILLISECONDS]
 *
 * FILE's first 8 bytes: how many eglSwapBuffers have returned. COUNT 0: for ever. MILLISECONDS:
 * from frame to frame. Exit 1: something of X, EGL or GL failed. */
#include <EGL/egl.h>
#include <GLES2/gl2.h>
#include <X11/Xlib.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "frames_program: %s failed: EGL 0x%x\n", what, (unsigned)eglGetError());
        exit(1);
    }
}

static volatile uint64_t *open_count(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    need(fd >= 0 && ftruncate(fd, sizeof(uint64_t)) == 0, "the file");
    void *count = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(count != MAP_FAILED, "its mapping");
    close(fd);
    return count;
}

static void open_window(EGLDisplay *display, EGLSurface *surface)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_WINDOW_BIT, EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES2_BIT, EGL_NONE};
    static const EGLint es2[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    Display *x = XOpenDisplay(NULL);
    need(x != NULL, "the X server");
    Window window =
        XCreateSimpleWindow(x, DefaultRootWindow(x), 0, 0, 64, 48, 0, 0, BlackPixel(x, 0));
    XMapWindow(x, window);
    XSync(x, False);
    EGLConfig config;
    EGLint count = 0;
    *display = eglGetDisplay((EGLNativeDisplayType)x);
    need(eglInitialize(*display, NULL, NULL), "eglInitialize");
    need(eglChooseConfig(*display, wanted, &config, 1, &count) && count == 1, "eglChooseConfig");
    *surface = eglCreateWindowSurface(*display, config, (EGLNativeWindowType)window, NULL);
    need(*surface != EGL_NO_SURFACE, "eglCreateWindowSurface");
    EGLContext context = eglCreateContext(*display, config, EGL_NO_CONTEXT, es2);
    need(context != EGL_NO_CONTEXT, "eglCreateContext");
    need(eglMakeCurrent(*display, *surface, *surface, context), "eglMakeCurrent");
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: frames_program COUNT FILE [MILLISECONDS]\n");
        return 2;
    }
    uint64_t frames = strtoull(argv[1], NULL, 10);
    useconds_t pause_us = argc == 4 ? (useconds_t)atoi(argv[3]) * 1000 : 0;
    volatile uint64_t *count = open_count(argv[2]);
    EGLDisplay display;
    EGLSurface surface;
    open_window(&display, &surface);
    for (uint64_t i = 0; frames == 0 || i < frames; i++) {
        glClearColor((float)(i % 256) / 255, 0.5f, 0.25f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        need(eglSwapBuffers(display, surface), "eglSwapBuffers");
        *count = i + 1;
        usleep(pause_us);
    }
    return 0;
}
