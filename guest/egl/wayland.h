/* The compositor behind a display of Wayland. Any thread. */
#ifndef GUEST_EGL_WAYLAND_H
#define GUEST_EGL_WAYLAND_H

#include "guest/egl/config.h"
#include "guest/wayland/gw.h"

#define GEGL_WAYLAND_FORMATS 5u

/* eglSwapInterval's range on Wayland, and what holds until the program calls it. */
struct gegl_intervals {
    EGLint min, max, first;
};

struct gegl_compositor {
    struct gw wl;
    struct wl_display *display; /* the program's, or ours */
    bool is_ours;
    uint32_t refs;                                           /* atomic */
    struct gegl_window_format formats[GEGL_WAYLAND_FORMATS]; /* what it shows of ours */
    uint32_t format_count;
    struct gegl_intervals intervals;
};

/* native: the program's wl_display; NULL: the environment's compositor. Gives *out, counted.
 * NOTFOUND: no library or nobody there; NOMEM. */
enum sl_result gegl_compositor_open(void *native, struct gegl_compositor **out) SL_MUST_USE;
struct gegl_compositor *gegl_compositor_ref(struct gegl_compositor *compositor);
void gegl_compositor_unref(struct gegl_compositor *compositor); /* takes NULL */

#endif
