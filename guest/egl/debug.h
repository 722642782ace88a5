/* Messages of EGL_KHR_debug: which call is made, whose label its messages have, and who is told.
 *
 * The function is the process's, calls and labels are threads'. While nobody listens a call pays
 * one load. Any thread. */
#ifndef GUEST_EGL_DEBUG_H
#define GUEST_EGL_DEBUG_H

#include "guest/egl/gegl.h"

enum gegl_label {
    GEGL_LABEL_NONE, /* nothing's */
    GEGL_LABEL_THREAD,
    GEGL_LABEL_DISPLAY,
    GEGL_LABEL_CONTEXT,
    GEGL_LABEL_SURFACE,
    GEGL_LABEL_SYNC,
    GEGL_LABEL_IMAGE,
    GEGL_LABEL_CURRENT, /* the current context */
    GEGL_LABEL_DRAWN    /* the surface that it draws to */
};

/* Does somebody listen? */
bool gegl_debug_on(void);
/* The calling thread is in this function of EGL. name: lives for ever. display, object: handles as
 * the program gave them. */
void gegl_debug_enter(const char *name, enum gegl_label of, EGLDisplay display, const void *object);
/* The call fails: the listener is told, without locks held. */
void gegl_debug_report(EGLint error);

#endif
