/* Shared by the files of egl_program: a display with a context and a surface. */
#ifndef EGL_PROGRAM_H
#define EGL_PROGRAM_H

#include "tests/support/slt.h"
#include "transport/base/clock.h"

#define GL_GLEXT_PROTOTYPES
#define EGL_EGLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <pthread.h>

struct rig {
    EGLDisplay display;
    EGLConfig config;
    EGLContext context;
    EGLSurface surface;
    Display *x;
    Window window;
};

static const EGLint rig_es2[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};

/* One with `red` bits each of red, green and blue for surfaces of this type; NULL: none. */
EGLConfig rig_config(EGLDisplay display, EGLint type, EGLint red);
/* Whatever of it is there. */
void rig_finish(struct rig *rig);
/* The context with the surface. */
bool rig_current(const struct rig *rig);
void rig_clear(float red, float green, float blue);

#endif
