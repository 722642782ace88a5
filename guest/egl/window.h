/* A window surface's pictures: shared memory that the host writes, and who shows it.
 *
 * Colour buffers are 3D resources whose memory the window system has attached: the host writes a
 * flushed surface straight into it, top row first, then signals the frame's number in the ring
 * page. On X11 a presenting thread waits for that, hands the memory to the server, and waits until
 * the server has read it; the program's thread waits only when two frames are on their way. On
 * Wayland and GBM the program's own thread waits for the host and hands over the picture, since
 * what the program says to the compositor or to the display before and after a swap must come
 * before and after its picture. begin, frame, settle, end: the program's threads, one at a time
 * (EGL lets a surface be current on one thread). */
#ifndef GUEST_EGL_WINDOW_H
#define GUEST_EGL_WINDOW_H

#include "guest/egl/gegl.h"

/* What changed since the last frame: count rectangles of x, y, width, height, the lower left corner
 * first. */
struct gegl_damage {
    const EGLint *rects;
    EGLint count;
};

/* Has the window or pixmap of X11 a surface? What other platforms have says so by itself, when a
 * window is made of it. */
bool gegl_window_taken(const struct gegl_display *display, const void *native);
/* native: the platform's window, as eglCreateWindowSurface takes it, or with type EGL_PIXMAP_BIT an
 * X pixmap. EGL_BAD_NATIVE_WINDOW, EGL_BAD_NATIVE_PIXMAP: no such one; EGL_BAD_MATCH: the
 * configuration's pictures do not fit it; EGL_BAD_ALLOC: it has a surface. */
EGLint gegl_window_create(struct gegl_display *display, const struct gegl_config *config,
                          EGLint type, void *native, struct gegl_window **out);
/* Waits (bounded) until what was swapped is shown. */
void gegl_window_destroy(struct gegl_window *window);

/* Are its colour buffers the device's? */
bool gegl_window_is_on(const struct gegl_window *window, const struct gs_device *device);

/* The device is gone: colour buffers are this one's from now on. EGL error: what was swapped before
 * is with the window system still. */
EGLint gegl_window_renew(struct gegl_window *window, struct gs_device *device);

/* OK; NOTFOUND: the window is gone; CLOSED: the window system is. */
enum sl_result gegl_window_size(struct gegl_window *window, uint32_t *width_px,
                                uint32_t *height_px) SL_MUST_USE;
/* eglSwapInterval's, for what shows the surface from now on. */
void gegl_window_interval(struct gegl_window *window, EGLint interval);

/* The surface becomes current, or a frame begins: if the window's size changed, or there was none
 * yet, its host surface gets a colour buffer of that size, before anything is drawn. A window that
 * is gone keeps its size: programs still draw, and delete what they have, there. EGL error. */
EGLint gegl_window_frame_begin(struct gegl_surface *surface, struct gegl_thread *thread);
/* Everything drawn goes to the window. damage: NULL: everything changed. EGL error. */
EGLint gegl_window_frame_end(struct gegl_surface *surface, struct gegl_thread *thread,
                             const struct gegl_damage *damage);
/* The pixmap gets what was drawn. Nothing for other surfaces. EGL error. */
EGLint gegl_pixmap_update(struct gegl_surface *surface, struct gegl_thread *thread);
/* Another pixmap gets what was drawn: eglCopyBuffers. EGL error. */
EGLint gegl_pixmap_copy(struct gegl_surface *surface, struct gegl_thread *thread, uint32_t xid);
/* The host has executed everything on the thread's stream: presenting need not look at the ring
 * page from here on. */
void gegl_window_settle(struct gegl_window *window);
/* Waits (bounded) until every swapped frame is shown: eglWaitClient. */
void gegl_window_drain(struct gegl_window *window);

#endif
