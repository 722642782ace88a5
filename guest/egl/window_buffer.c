/* A window's colour buffers: made, found free, given to the host surface. */
#include "guest/egl/host.h"
#include "guest/egl/window_parts.h"
#include "transport/base/mem.h"
#include "wire/rc_pack.h"

void gegl_buffer_end(struct gegl_window *window, struct gegl_buffer *buffer)
{
    if (buffer->res != NULL) {
        window->ops->detach(window, buffer);
        vg_res_destroy(buffer->res);
        *buffer = (struct gegl_buffer){0};
    }
}

enum sl_result gegl_buffer_make(struct gegl_window *window, struct gegl_buffer *buffer)
{
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = window->format,
                                     .bind = VIRTGPU_BIND_RENDER_TARGET |
                                             VIRTGPU_BIND_SAMPLER_VIEW | VIRTGPU_BIND_SCANOUT,
                                     .width_px = window->width_px,
                                     .height_px = window->height_px,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = VIRTGPU_RESOURCE_Y_0_TOP};
    struct vg_res *res;
    enum sl_result r = vg_tex_create(window->vg, &args, &res);
    if (r != SL_OK) {
        return r;
    }
    void *pixels;
    r = vg_res_map(res, &pixels);
    if (r == SL_OK && (res->stride == 0 || res->size / res->stride < window->height_px)) {
        r = SL_ERR_PROTOCOL;
    }
    int fd = -1;
    if (r == SL_OK && window->vg->ops->res_export(res, &fd) != SL_OK) {
        fd = -1;
    }
    if (r == SL_OK) {
        *buffer = (struct gegl_buffer){
            .res = res, .width_px = window->width_px, .height_px = window->height_px};
        r = window->ops->attach(window, buffer, pixels, fd);
    }
    if (r != SL_OK) {
        vg_res_destroy(res);
        *buffer = (struct gegl_buffer){0};
    }
    return r;
}

static bool fits(const struct gegl_window *window, const struct gegl_buffer *buffer)
{
    return buffer->res != NULL && buffer->width_px == window->width_px &&
           buffer->height_px == window->height_px;
}

static bool is_busy(struct gegl_window *window, struct gegl_buffer *buffer)
{
    pthread_mutex_lock(&window->lock);
    bool busy = buffer->busy;
    pthread_mutex_unlock(&window->lock);
    return busy ||
           (buffer->res != NULL && window->ops->held != NULL && window->ops->held(window, buffer));
}

/* A buffer that is free and of the window's size, or else a place for one; those of other sizes go.
 * The host surface's goes when the host has read that it has it: a window may change its size twice
 * before a frame. */
static void look(struct gegl_window *window, struct gs_stream *stream, struct gegl_buffer **fit,
                 struct gegl_buffer **room)
{
    *fit = *room = NULL;
    for (int i = 0; i < GEGL_BUFFERS_MAX; i++) {
        struct gegl_buffer *buffer = &window->buffers[i];
        if (is_busy(window, buffer)) {
            continue;
        }
        if (buffer->res != NULL && !fits(window, buffer)) {
            if (buffer == window->target) {
                gegl_host_catch_up(stream);
                window->target = NULL;
            }
            gegl_buffer_end(window, buffer);
        }
        if (buffer->res != NULL) {
            *fit = buffer;
        } else {
            *room = buffer;
        }
    }
}

/* A presenting thread has at most GEGL_FRAMES_MAX of them, so there is a place; a window system
 * that holds all of them is waited for. EGL error. */
static EGLint take(struct gegl_window *window, struct gegl_thread *thread, struct gegl_buffer **out)
{
    struct gegl_buffer *room;
    for (;;) {
        look(window, thread->stream, out, &room);
        if (*out != NULL || room != NULL) {
            break;
        }
        if (window->ops->wait == NULL || window->ops->wait(window) != SL_OK) {
            return EGL_BAD_NATIVE_WINDOW;
        }
        if (gegl_stream_lost(thread, window->display)) {
            return EGL_CONTEXT_LOST;
        }
    }
    if (*out != NULL) {
        return EGL_SUCCESS;
    }
    *out = room;
    enum sl_result r = window->ops->make != NULL ? window->ops->make(window, room)
                                                 : gegl_buffer_make(window, room);
    return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : gegl_error_of(r);
}

EGLint gegl_buffer_target(struct gegl_surface *surface, struct gegl_thread *thread)
{
    struct gegl_window *window = surface->window;
    if (window->target != NULL && fits(window, window->target) &&
        !is_busy(window, window->target)) {
        return EGL_SUCCESS;
    }
    struct gegl_buffer *buffer;
    EGLint error = take(window, thread, &buffer);
    if (error == EGL_SUCCESS) {
        rc_pack_rcSetWindowColorBuffer(gs_pack(thread->stream), surface->host_id, buffer->res->id);
        window->target = buffer;
    }
    return error;
}
