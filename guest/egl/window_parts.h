/* What the files of window surfaces share: a window, its buffers, and what a window system does
 * with them. */
#ifndef GUEST_EGL_WINDOW_PARTS_H
#define GUEST_EGL_WINDOW_PARTS_H

#include "guest/egl/window.h"
#include "guest/wayland/gw.h"
#include "guest/x11/gx.h"
#include "transport/base/clock.h"

/* Two in turn, and two of the old size while the window changes it, or held by a compositor. */
#define GEGL_BUFFERS_MAX 4
#define GEGL_FRAMES_MAX  2 /* on their way */
/* How often waits look whether they still make sense. */
#define GEGL_SLICE_NS ((int64_t)(50 * SL_NS_PER_MS))

/* A colour buffer. */
struct gegl_buffer {
    struct vg_res *res; /* NULL: unused */
    uint32_t width_px, height_px;
    bool busy; /* in a frame of the presenting thread; under window->lock */
    union {
        struct gx_picture x11;
        struct gw_buffer wayland;
    } shown;
};

/* A frame that the host writes, or has written. */
struct gegl_frame {
    struct gegl_buffer *buffer;
    struct asg_page
        *page; /* whose host_signal tells that the host wrote the buffer; NULL: it has */
    uint32_t signal;
    const struct gegl_damage *damage; /* while it is shown by the program's thread */
};

/* A window system. The surface's thread, unless said. */
struct gegl_window_ops {
    /* Takes the native window; the window's fields but these are set. EGL error. */
    EGLint (*begin)(struct gegl_window *window, const struct gegl_config *config, void *native);
    void (*end)(struct gegl_window *window);
    /* OK; NOTFOUND: the window is gone; CLOSED: the window system is. */
    enum sl_result (*size)(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px);
    /* Makes the buffer's resource; NULL: gegl_buffer_make. */
    enum sl_result (*make)(struct gegl_window *window, struct gegl_buffer *buffer);
    /* fd: the mapped picture's memory; taken; -1 none. NULL where `make` is there. */
    enum sl_result (*attach)(struct gegl_window *window, struct gegl_buffer *buffer,
                             const uint8_t *pixels, int fd);
    void (*detach)(struct gegl_window *window, struct gegl_buffer *buffer);
    /* Shows what the host has written. is_threaded: the presenting thread; returns when the window
     * system has read it. */
    enum sl_result (*show)(struct gegl_window *window, const struct gegl_frame *frame);
    /* What follows: NULL where is_threaded. */
    /* Does the window system have it? */
    bool (*held)(struct gegl_window *window, struct gegl_buffer *buffer);
    /* Until it may have let go of something, or a slice long. */
    enum sl_result (*wait)(struct gegl_window *window);
    /* Takes in what it has let go of meanwhile; NULL: that is known without. */
    enum sl_result (*take_in)(struct gegl_window *window);
    /* Until the next frame may be shown: the swap interval. */
    enum sl_result (*pace)(struct gegl_window *window);
    bool is_threaded;
    bool reads_memory; /* guest memory that the host does not write itself is transferred first */
};

extern const struct gegl_window_ops gegl_window_x11, gegl_window_wayland, gegl_window_gbm,
    gegl_window_pixmap;

/* What windows and pixmaps of X11 begin with. EGL_BAD_NATIVE_WINDOW: there is no such drawable;
 * EGL_BAD_MATCH: the configuration's pictures do not fit it. */
EGLint gegl_window_x11_open(struct gegl_window *window, const struct gegl_config *config,
                            uint32_t xid);

struct gegl_window {
    const struct gegl_window_ops *ops;
    struct gegl_display *display;
    struct gx *x11;           /* counted; NULL but on X11 */
    struct gs_device *device; /* counted */
    struct vg *vg;
    uint32_t format; /* VIRTGPU_FORMAT_* of colour buffers */
    bool shared_futex;
    bool coherent;
    union {
        struct gx_window x11;
        struct gegl_wayland *wayland;
        struct gbm_surface *gbm;
    } native;
    /* the surface's thread */
    struct gegl_buffer buffers[GEGL_BUFFERS_MAX];
    struct gegl_buffer *target; /* what the host surface has; nullable */
    uint32_t width_px, height_px;
    uint32_t frame_count;
    EGLint interval; /* eglSwapInterval's */
    bool gone;       /* when it was last looked at */
    bool started;
    pthread_t presenter;

    pthread_mutex_t lock; /* guards what follows and buffers[].busy */
    pthread_cond_t changed;
    struct gegl_frame frames[GEGL_FRAMES_MAX]; /* frames[0] is being shown */
    uint32_t pending;
    bool looking; /* the presenter looks at frames[0].page */
    bool stop;
    bool abandoned;        /* the host will not signal any more */
    enum sl_result result; /* NOTFOUND window gone, CLOSED window system gone; sticky */
};

static inline uint32_t gegl_color_bits(const struct gegl_config *config)
{
    return (uint32_t)(gegl_config_get(config, EGL_RED_SIZE) +
                      gegl_config_get(config, EGL_GREEN_SIZE) +
                      gegl_config_get(config, EGL_BLUE_SIZE));
}

/* --- window_buffer.c --- */

/* Makes a colour buffer of the window's size that the window system reads. */
enum sl_result gegl_buffer_make(struct gegl_window *window, struct gegl_buffer *buffer) SL_MUST_USE;
void gegl_buffer_end(struct gegl_window *window, struct gegl_buffer *buffer);
/* Gives the host surface a free buffer of the window's size, unless it has one. EGL error. */
EGLint gegl_buffer_target(struct gegl_surface *surface, struct gegl_thread *thread);

#endif
