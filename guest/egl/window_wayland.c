/* Surfaces of Wayland, by libwayland-egl's windows. */
#include "guest/egl/wayland.h"
#include "guest/egl/window_parts.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

/* What wl_egl_window_create makes; libwayland-egl's interface to drivers, version 3. */
struct wl_egl_window {
    intptr_t version;
    int width, height, dx, dy, attached_width, attached_height;
    void *driver_private;
    void (*resize_callback)(struct wl_egl_window *, void *);
    void (*destroy_window_callback)(void *);
    void *surface;
};
#define WINDOW_VERSION 3

#define RECTS_MAX 32

struct gegl_wayland {
    struct gegl_compositor *compositor; /* counted */
    struct wl_egl_window *window;       /* NULL: the program destroyed it */
    struct gw_surface surface;
    uint32_t wl_format;
};

/* The program's thread says wl_egl_window_destroy. */
static void on_destroy(void *user)
{
    struct gegl_wayland *wayland = user;
    wayland->window = NULL;
}

/* wl_egl_window_resize: a surface that is current here has its new size at once, before what is
 * drawn next; others when they become current. */
static void on_resize(struct wl_egl_window *native, void *user)
{
    struct gegl_thread *thread = gegl_thread_peek();
    struct gegl_surface *surface = thread != NULL ? thread->draw : NULL;
    if (surface != NULL && surface->window != NULL && native->driver_private == user &&
        surface->window->ops == &gegl_window_wayland && surface->window->native.wayland == user) {
        (void)gegl_window_frame_begin(surface, thread); /* the swap reports what is wrong */
    }
}

static uint32_t format_of(const struct gegl_config *config)
{
    bool alpha = gegl_config_get(config, EGL_ALPHA_SIZE) != 0;
    switch (gegl_config_get(config, EGL_RED_SIZE)) {
    case 5:
        return GW_RGB565;
    case 10:
        return alpha ? GW_ARGB2101010 : GW_XRGB2101010;
    default:
        return alpha ? GW_ARGB8888 : GW_XRGB8888;
    }
}

/* Every configuration that has EGL_WINDOW_BIT has a format of the compositor's. */
static EGLint begin(struct gegl_window *window, const struct gegl_config *config, void *native)
{
    struct wl_egl_window *egl_window = native;
    if (egl_window == NULL || egl_window->version < WINDOW_VERSION || egl_window->surface == NULL) {
        return EGL_BAD_NATIVE_WINDOW;
    }
    if (egl_window->driver_private != NULL) {
        return EGL_BAD_ALLOC;
    }
    struct gegl_wayland *wayland = sl_alloc(sizeof *wayland);
    if (wayland == NULL) {
        return EGL_BAD_ALLOC;
    }
    *wayland = (struct gegl_wayland){.window = egl_window, .wl_format = format_of(config)};
    struct gegl_compositor *compositor = window->display->wayland;
    enum sl_result r = gw_surface_begin(&compositor->wl, compositor->display, egl_window->surface,
                                        &wayland->surface);
    if (r != SL_OK) {
        sl_free(wayland);
        return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_BAD_NATIVE_WINDOW;
    }
    wayland->compositor = gegl_compositor_ref(compositor);
    egl_window->driver_private = wayland;
    egl_window->resize_callback = on_resize;
    egl_window->destroy_window_callback = on_destroy;
    window->native.wayland = wayland;
    window->interval = compositor->intervals.first;
    return EGL_SUCCESS;
}

static void end(struct gegl_window *window)
{
    struct gegl_wayland *wayland = window->native.wayland;
    if (wayland->window != NULL) {
        wayland->window->driver_private = NULL;
        wayland->window->resize_callback = NULL;
        wayland->window->destroy_window_callback = NULL;
    }
    gw_surface_end(&wayland->surface);
    gegl_compositor_unref(wayland->compositor);
    sl_free(wayland);
}

static enum sl_result size(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px)
{
    const struct wl_egl_window *native = window->native.wayland->window;
    if (native == NULL) {
        return SL_ERR_NOTFOUND;
    }
    *width_px = native->width > 0 ? (uint32_t)native->width : 1;
    *height_px = native->height > 0 ? (uint32_t)native->height : 1;
    return SL_OK;
}

static enum sl_result attach(struct gegl_window *window, struct gegl_buffer *buffer,
                             const uint8_t *pixels, int fd)
{
    struct gegl_wayland *wayland = window->native.wayland;
    const struct gw_picture picture = {.pixels = pixels,
                                       .stride = buffer->res->stride,
                                       .width_px = buffer->width_px,
                                       .height_px = buffer->height_px,
                                       .format = wayland->wl_format,
                                       .size = buffer->res->size};
    return gw_buffer_begin(&wayland->surface, &buffer->shown.wayland, &picture, fd);
}

static void detach(struct gegl_window *window, struct gegl_buffer *buffer)
{
    gw_buffer_end(&window->native.wayland->surface, &buffer->shown.wayland);
}

/* EGL's rectangles from the lower left corner as the compositor counts, from the upper left one. */
static uint32_t rects_turn(const struct gegl_damage *damage, uint32_t height_px,
                           struct gw_rect rects[RECTS_MAX])
{
    if (damage == NULL || damage->count > RECTS_MAX) {
        return 0;
    }
    for (EGLint i = 0; i < damage->count; i++) {
        const EGLint *r = &damage->rects[(ptrdiff_t)i * 4];
        int32_t width = r[2] > 0 ? r[2] : 0, height = r[3] > 0 ? r[3] : 0;
        int64_t top = (int64_t)height_px - r[1] - height;
        rects[i] =
            (struct gw_rect){r[0], (int32_t)(top > INT32_MIN ? top : INT32_MIN), width, height};
    }
    return (uint32_t)damage->count;
}

static enum sl_result show(struct gegl_window *window, const struct gegl_frame *frame)
{
    struct gegl_wayland *wayland = window->native.wayland;
    struct wl_egl_window *native = wayland->window;
    struct gw_rect rects[RECTS_MAX];
    if (native == NULL) {
        return SL_ERR_NOTFOUND;
    }
    uint32_t count = rects_turn(frame->damage, frame->buffer->height_px, rects);
    const struct gw_show how = {.dx_px = native->dx,
                                .dy_px = native->dy,
                                .rects = count != 0 ? rects : NULL,
                                .rect_count = count,
                                .answer = window->interval > 0 ? GW_FRAME : GW_SYNC};
    native->dx = 0;
    native->dy = 0;
    native->attached_width = (int)frame->buffer->width_px;
    native->attached_height = (int)frame->buffer->height_px;
    return gw_surface_show(&wayland->surface, &frame->buffer->shown.wayland, &how);
}

static bool held(struct gegl_window *window, struct gegl_buffer *buffer)
{
    (void)window;
    return gw_buffer_busy(&buffer->shown.wayland);
}

static enum sl_result wait_some(struct gegl_window *window)
{
    return gw_surface_wait(&window->native.wayland->surface, -1, GEGL_SLICE_NS);
}

static enum sl_result take_in(struct gegl_window *window)
{
    return gw_surface_wait(&window->native.wayland->surface, -1, 0);
}

static enum sl_result pace(struct gegl_window *window)
{
    return gw_surface_pace(&window->native.wayland->surface, &window->device->lost);
}

const struct gegl_window_ops gegl_window_wayland = {.begin = begin,
                                                    .end = end,
                                                    .size = size,
                                                    .attach = attach,
                                                    .detach = detach,
                                                    .show = show,
                                                    .held = held,
                                                    .wait = wait_some,
                                                    .take_in = take_in,
                                                    .pace = pace,
                                                    .reads_memory = true};
