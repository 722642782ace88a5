/* Surfaces of GBM: a swap ends with a buffer that the program locks and shows by itself. */
#include "guest/egl/gbm.h"
#include "guest/egl/window_parts.h"

static struct sluice_gbm_surface *surface_of(const struct gegl_window *window)
{
    return sluice_gbm_surface_of(window->native.gbm);
}

static EGLint begin(struct gegl_window *window, const struct gegl_config *config, void *native)
{
    struct gbm_surface *surface = native;
    if (surface == NULL || surface->gbm == NULL || !sluice_gbm_is_ours(surface->gbm)) {
        return EGL_BAD_NATIVE_WINDOW;
    }
    if (gegl_color_bits(config) != 24) { /* alpha may be there or not on either side */
        return EGL_BAD_MATCH;
    }
    struct sluice_gbm_surface *ours = sluice_gbm_surface_of(surface);
    if (ours->is_taken) {
        return EGL_BAD_ALLOC;
    }
    ours->is_taken = true;
    ours->front = -1;
    window->native.gbm = surface;
    return EGL_SUCCESS;
}

static void end(struct gegl_window *window)
{
    struct sluice_gbm_surface *surface = surface_of(window);
    surface->is_taken = false;
    surface->front = -1;
}

static enum sl_result size(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px)
{
    *width_px = window->native.gbm->v0.width;
    *height_px = window->native.gbm->v0.height;
    return SL_OK;
}

/* The surface's buffer in this place. */
static size_t index_of(const struct gegl_window *window, const struct gegl_buffer *buffer)
{
    return (size_t)(buffer - window->buffers);
}

static enum sl_result make(struct gegl_window *window, struct gegl_buffer *buffer)
{
    struct gbm_surface *surface = window->native.gbm;
    struct gbm_device *device = surface->gbm;
    struct gbm_bo *bo =
        device->v0.bo_create(device, surface->v0.width, surface->v0.height, surface->v0.format,
                             GBM_BO_USE_RENDERING | GBM_BO_USE_SCANOUT, NULL, 0);
    if (bo == NULL) {
        return SL_ERR_NOMEM;
    }
    int fd = device->v0.bo_get_fd(bo);
    uint64_t bytes = (uint64_t)bo->v0.stride * bo->v0.height;
    struct vg_res *res;
    enum sl_result r =
        fd < 0 ? SL_ERR_NOMEM : window->vg->ops->res_import(window->vg, fd, bytes, &res);
    if (r != SL_OK) {
        sluice_gbm_bo_end(bo);
        return r;
    }
    *buffer =
        (struct gegl_buffer){.res = res, .width_px = bo->v0.width, .height_px = bo->v0.height};
    surface_of(window)->buffers[index_of(window, buffer)] = bo;
    return SL_OK;
}

static void detach(struct gegl_window *window, struct gegl_buffer *buffer)
{
    struct sluice_gbm_surface *surface = surface_of(window);
    size_t index = index_of(window, buffer);
    sluice_gbm_bo_end(surface->buffers[index]);
    surface->buffers[index] = NULL;
    surface->locked[index] = false;
}

static enum sl_result show(struct gegl_window *window, const struct gegl_frame *frame)
{
    surface_of(window)->front = (int)index_of(window, frame->buffer);
    return SL_OK;
}

static bool held(struct gegl_window *window, struct gegl_buffer *buffer)
{
    return surface_of(window)->locked[index_of(window, buffer)];
}

/* The program's own thread asks: it cannot let go meanwhile. */
static enum sl_result wait_some(struct gegl_window *window)
{
    (void)window;
    return SL_ERR_AGAIN;
}

static enum sl_result pace(struct gegl_window *window)
{
    (void)window;
    return SL_OK;
}

_Static_assert(SLUICE_GBM_BUFFERS == GEGL_BUFFERS_MAX, "a place of the surface's for each buffer");

const struct gegl_window_ops gegl_window_gbm = {.begin = begin,
                                                .end = end,
                                                .size = size,
                                                .make = make,
                                                .detach = detach,
                                                .show = show,
                                                .held = held,
                                                .wait = wait_some,
                                                .pace = pace};
