/* A window surface's pictures: shared memory that the host writes, and the thread that shows it.
 *
 * Colour buffers are 3D resources whose memory the X server has attached: the host writes a flushed
 * surface straight into it, top row first, then signals the frame's number in the ring page; the
 * presenting thread waits for that, hands the memory to the server, and waits until the server has
 * read it. The program's thread waits only when two frames are on their way. begin, frame, settle,
 * end: the program's threads, one at a time (EGL lets a surface be current on one thread). */
#ifndef GUEST_EGL_WINDOW_H
#define GUEST_EGL_WINDOW_H

#include "guest/egl/gegl.h"
#include "guest/x11/gx.h"

/* EGL_BAD_NATIVE_WINDOW: no such window; EGL_BAD_MATCH: the configuration's pictures do not fit it;
 * EGL_BAD_ALLOC: it has a surface. */
EGLint gegl_window_create(struct gegl_display *display, const struct gegl_config *config,
                          uint32_t xid, struct gegl_window **out);
/* Waits (bounded) until what was swapped is shown. */
void gegl_window_destroy(struct gegl_window *window);

void gegl_window_size(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px);

/* The surface becomes current, or a frame begins: if the window's size changed, or there was none
 * yet, its host surface gets a colour buffer of that size, before anything is drawn. EGL error. */
EGLint gegl_window_frame_begin(struct gegl_surface *surface, struct gegl_thread *thread);
/* Everything drawn goes to the window. EGL error. */
EGLint gegl_window_frame_end(struct gegl_surface *surface, struct gegl_thread *thread);
/* The host has executed everything on the thread's stream: presenting need not look at the ring
 * page from here on. */
void gegl_window_settle(struct gegl_window *window);
/* Waits (bounded) until every swapped frame is shown: eglWaitClient. */
void gegl_window_drain(struct gegl_window *window);

#endif
