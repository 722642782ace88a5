/* Windows of X11. */
#include "guest/egl/window_parts.h"

EGLint gegl_window_x11_open(struct gegl_window *window, const struct gegl_config *config,
                            uint32_t xid)
{
    struct gegl_display *display = window->display;
    const struct gx_native connection = gegl_native(display);
    if (gx_window_begin(display->x11, &connection, xid, &window->native.x11) != SL_OK) {
        return EGL_BAD_NATIVE_WINDOW;
    }
    uint32_t depth = window->native.x11.depth, color = gegl_color_bits(config);
    if (depth != config->depth && depth != color && !(color == 24 && depth == 32)) {
        gx_window_end(display->x11, &window->native.x11);
        return EGL_BAD_MATCH;
    }
    gx_ref(display->x11);
    window->x11 = display->x11;
    return EGL_SUCCESS;
}

static EGLint begin(struct gegl_window *window, const struct gegl_config *config, void *native)
{
    return gegl_window_x11_open(window, config, (uint32_t)(uintptr_t)native);
}

static void end(struct gegl_window *window)
{
    gx_window_end(window->x11, &window->native.x11);
    gx_unref(window->x11);
}

static enum sl_result size(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px)
{
    return gx_window_size(window->x11, &window->native.x11, width_px, height_px);
}

static enum sl_result attach(struct gegl_window *window, struct gegl_buffer *buffer,
                             const uint8_t *pixels, int fd)
{
    buffer->shown.x11 = (struct gx_picture){.pixels = pixels,
                                            .stride = buffer->res->stride,
                                            .width_px = buffer->width_px,
                                            .height_px = buffer->height_px};
    gx_picture_begin(window->x11, &buffer->shown.x11, fd);
    return SL_OK;
}

static void detach(struct gegl_window *window, struct gegl_buffer *buffer)
{
    gx_picture_end(window->x11, &buffer->shown.x11);
}

static enum sl_result show(struct gegl_window *window, const struct gegl_frame *frame)
{
    return gx_put(window->x11, &window->native.x11, &frame->buffer->shown.x11);
}

const struct gegl_window_ops gegl_window_x11 = {.begin = begin,
                                                .end = end,
                                                .size = size,
                                                .attach = attach,
                                                .detach = detach,
                                                .show = show,
                                                .is_threaded = true,
                                                .reads_memory = true};
