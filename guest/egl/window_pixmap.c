/* Pixmaps of X11: one buffer, whose picture the pixmap has once the program waits for what it drew
 * or copies it. */
#include "guest/egl/window_parts.h"

static EGLint begin(struct gegl_window *window, const struct gegl_config *config, void *native)
{
    EGLint error = gegl_window_x11_open(window, config, (uint32_t)(uintptr_t)native);
    return error == EGL_BAD_NATIVE_WINDOW ? EGL_BAD_NATIVE_PIXMAP : error;
}

/* It never changes. One that the program freed is found out when it is to be shown. */
static enum sl_result size(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px)
{
    *width_px = window->native.x11.width_px;
    *height_px = window->native.x11.height_px;
    return SL_OK;
}

static void end(struct gegl_window *window)
{
    gegl_window_x11.end(window);
}

static enum sl_result attach(struct gegl_window *window, struct gegl_buffer *buffer,
                             const uint8_t *pixels, int fd)
{
    return gegl_window_x11.attach(window, buffer, pixels, fd);
}

static void detach(struct gegl_window *window, struct gegl_buffer *buffer)
{
    gegl_window_x11.detach(window, buffer);
}

static enum sl_result show(struct gegl_window *window, const struct gegl_frame *frame)
{
    return gegl_window_x11.show(window, frame);
}

/* The server reads the picture before `show` returns. */
static bool held(struct gegl_window *window, struct gegl_buffer *buffer)
{
    (void)window;
    (void)buffer;
    return false;
}

static enum sl_result pace(struct gegl_window *window)
{
    (void)window;
    return SL_OK;
}

const struct gegl_window_ops gegl_window_pixmap = {.begin = begin,
                                                   .end = end,
                                                   .size = size,
                                                   .attach = attach,
                                                   .detach = detach,
                                                   .show = show,
                                                   .held = held,
                                                   .pace = pace,
                                                   .reads_memory = true};
