/* A display without a window system, one configuration with all sizes known, pbuffers and contexts:
 * what the programs have in common that draw or ask the same natively and through Sluice.
 *
 * Plain EGL; whatever cannot be had ends the program with a line on stderr. */
#ifndef PLAIN_EGL_H
#define PLAIN_EGL_H

#include <EGL/egl.h>
#include <EGL/eglext.h>

struct plain_egl {
    EGLDisplay display; /* surfaceless platform, initialised; EGL_OPENGL_ES_API is bound */
    EGLConfig config;   /* RGBA8, depth of 24 bits, stencil of 8, no samples */
};

void plain_egl_open(struct plain_egl *egl);
void plain_egl_close(struct plain_egl *egl);
/* A context that shares with another or, EGL_NO_CONTEXT, with none. version: major. */
EGLContext plain_egl_context(const struct plain_egl *egl, int version, EGLContext share);
/* A square pbuffer. */
EGLSurface plain_egl_pbuffer(const struct plain_egl *egl, int side_px);
void plain_egl_current(const struct plain_egl *egl, EGLSurface surface, EGLContext context);

#endif
