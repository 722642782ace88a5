#include "tools/sluice/probe.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIDE 4 /* of the picture, in pixels */

struct probe {
    int fd;
    void *egl;
    void *gles;
    PFNEGLGETPROCADDRESSPROC get_proc;
    EGLDisplay display;
    EGLConfig config;
};

static void say(struct probe *p, bool ok, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void say(struct probe *p, bool ok, const char *name, const char *format, ...)
{
    char line[512];
    int size = snprintf(line, sizeof line, "%s %s ", ok ? "ok" : "failed", name);
    va_list args;
    va_start(args, format);
    size += vsnprintf(line + size, sizeof line - (size_t)size - 1, format, args);
    va_end(args);
    size = size < (int)sizeof line - 2 ? size : (int)sizeof line - 2;
    for (int i = 0; i < size; i++) {
        line[i] = line[i] == '\n' ? ' ' : line[i];
    }
    line[size++] = '\n';
    ssize_t done = write(p->fd, line, (size_t)size);
    (void)done;
}

/* A function of libEGL or libGLESv2 through its right type. */
#define EGL_FN(p, type, name) ((type)(void (*)(void))dlsym((p)->egl, name))
#define GL_FN(p, type, name)  ((type)(void (*)(void))dlsym((p)->gles, name))

static bool load(struct probe *p)
{
    p->egl = dlopen("libEGL.so.1", RTLD_NOW | RTLD_LOCAL);
    p->gles = p->egl != NULL ? dlopen("libGLESv2.so.2", RTLD_NOW | RTLD_LOCAL) : NULL;
    if (p->gles == NULL) {
        say(p, false, "glvnd", "%s", dlerror());
        return false;
    }
    void *dispatch = dlopen("libGLdispatch.so.0", RTLD_NOW | RTLD_NOLOAD);
    if (dispatch == NULL) {
        say(p, false, "glvnd", "libEGL.so.1 is not glvnd's: it loads no vendor libraries");
        return false;
    }
    say(p, true, "glvnd", "libEGL.so.1 and libGLESv2.so.2 load and dispatch");
    return true;
}

static bool open_display(struct probe *p)
{
    PFNEGLGETPLATFORMDISPLAYPROC get_display =
        EGL_FN(p, PFNEGLGETPLATFORMDISPLAYPROC, "eglGetPlatformDisplay");
    PFNEGLINITIALIZEPROC initialize = EGL_FN(p, PFNEGLINITIALIZEPROC, "eglInitialize");
    PFNEGLQUERYSTRINGPROC query = EGL_FN(p, PFNEGLQUERYSTRINGPROC, "eglQueryString");
    PFNEGLGETERRORPROC error = EGL_FN(p, PFNEGLGETERRORPROC, "eglGetError");
    p->display = get_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    EGLint major = 0, minor = 0;
    if (p->display == EGL_NO_DISPLAY || !initialize(p->display, &major, &minor)) {
        say(p, false, "display", "eglInitialize: error 0x%04x", (unsigned)error());
        return false;
    }
    say(p, true, "display", "EGL %d.%d, %s", major, minor, query(p->display, EGL_VENDOR));
    return true;
}

static bool make_current(struct probe *p)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE,
                                    EGL_PBUFFER_BIT,
                                    EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES2_BIT,
                                    EGL_RED_SIZE,
                                    8,
                                    EGL_GREEN_SIZE,
                                    8,
                                    EGL_BLUE_SIZE,
                                    8,
                                    EGL_NONE};
    static const EGLint version[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    static const EGLint size[] = {EGL_WIDTH, SIDE, EGL_HEIGHT, SIDE, EGL_NONE};
    EGLint count = 0;
    EGLContext context = EGL_NO_CONTEXT;
    EGLSurface surface = EGL_NO_SURFACE;
    EGL_FN(p, PFNEGLBINDAPIPROC, "eglBindAPI")(EGL_OPENGL_ES_API);
    if (EGL_FN(p, PFNEGLCHOOSECONFIGPROC, "eglChooseConfig")(p->display, wanted, &p->config, 1,
                                                             &count) &&
        count == 1) {
        context = EGL_FN(p, PFNEGLCREATECONTEXTPROC, "eglCreateContext")(p->display, p->config,
                                                                         EGL_NO_CONTEXT, version);
        surface = EGL_FN(p, PFNEGLCREATEPBUFFERSURFACEPROC,
                         "eglCreatePbufferSurface")(p->display, p->config, size);
    }
    if (context == EGL_NO_CONTEXT || surface == EGL_NO_SURFACE ||
        !EGL_FN(p, PFNEGLMAKECURRENTPROC, "eglMakeCurrent")(p->display, surface, surface,
                                                            context)) {
        say(p, false, "context", "configs %d, then error 0x%04x", count,
            (unsigned)EGL_FN(p, PFNEGLGETERRORPROC, "eglGetError")());
        return false;
    }
    const GLubyte *renderer = GL_FN(p, PFNGLGETSTRINGPROC, "glGetString")(GL_RENDERER);
    say(p, true, "context", "%s", renderer != NULL ? (const char *)renderer : "no name");
    return true;
}

static void read_pixel(struct probe *p)
{
    static const GLubyte want[4] = {51, 102, 153, 255};
    GLubyte got[SIDE * SIDE * 4] = {0};
    GL_FN(p, PFNGLCLEARCOLORPROC, "glClearColor")(0.2f, 0.4f, 0.6f, 1.0f);
    GL_FN(p, PFNGLCLEARPROC, "glClear")(GL_COLOR_BUFFER_BIT);
    GL_FN(p, PFNGLREADPIXELSPROC, "glReadPixels")(0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, got);
    GLenum error = GL_FN(p, PFNGLGETERRORPROC, "glGetError")();
    bool right = error == GL_NO_ERROR;
    for (int i = 0; i < SIDE * SIDE && right; i++) {
        right = memcmp(want, got + 4 * i, 4) == 0;
    }
    say(p, right, "pixel", "want %d %d %d %d, got %d %d %d %d, error 0x%04x", want[0], want[1],
        want[2], want[3], got[0], got[1], got[2], got[3], error);
}

void probe_render(int fd)
{
    struct probe p = {.fd = fd};
    if (load(&p) && open_display(&p) && make_current(&p)) {
        read_pixel(&p);
    }
}
