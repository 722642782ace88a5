#include "tests/integration/plain_egl.h"

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what)
{
    fprintf(stderr, "%s; EGL error 0x%x\n", what, (unsigned)eglGetError());
    exit(1);
}

void plain_egl_open(struct plain_egl *egl)
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
                                    EGL_ALPHA_SIZE,
                                    8,
                                    EGL_DEPTH_SIZE,
                                    24,
                                    EGL_STENCIL_SIZE,
                                    8,
                                    EGL_SAMPLES,
                                    0,
                                    EGL_NONE};
    EGLint count = 0;
    egl->display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    if (egl->display == EGL_NO_DISPLAY || !eglInitialize(egl->display, NULL, NULL) ||
        !eglBindAPI(EGL_OPENGL_ES_API) ||
        !eglChooseConfig(egl->display, wanted, &egl->config, 1, &count) || count != 1) {
        die("no display or no config");
    }
}

void plain_egl_close(struct plain_egl *egl)
{
    eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglTerminate(egl->display);
}

EGLContext plain_egl_context(const struct plain_egl *egl, int version, EGLContext share)
{
    const EGLint attributes[] = {EGL_CONTEXT_CLIENT_VERSION, version, EGL_NONE};
    EGLContext context = eglCreateContext(egl->display, egl->config, share, attributes);
    if (context == EGL_NO_CONTEXT) {
        die("no context");
    }
    return context;
}

EGLSurface plain_egl_pbuffer(const struct plain_egl *egl, int side_px)
{
    const EGLint size[] = {EGL_WIDTH, side_px, EGL_HEIGHT, side_px, EGL_NONE};
    EGLSurface surface = eglCreatePbufferSurface(egl->display, egl->config, size);
    if (surface == EGL_NO_SURFACE) {
        die("no pbuffer");
    }
    return surface;
}

void plain_egl_current(const struct plain_egl *egl, EGLSurface surface, EGLContext context)
{
    if (!eglMakeCurrent(egl->display, surface, surface, context)) {
        die("a context or surface cannot be made current");
    }
}
