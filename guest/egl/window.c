#include "guest/egl/window.h"

#include "guest/egl/host.h"
#include "guest/gles2_call.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

/* Frames on their way, and buffers: two in turn, and two of the old size while the window changes
 * it. */
#define BUFFERS_MAX 4
#define FRAMES_MAX  2
/* How often waits look whether they still make sense, and how long a destroyed surface waits for
 * its last frames. */
#define SLICE_NS ((int64_t)(50 * SL_NS_PER_MS))
#define DRAIN_NS (2 * SL_NS_PER_S)

struct buffer {
    struct vg_res *res; /* NULL: unused */
    struct gx_picture picture;
    bool busy; /* in a frame; under window->lock */
};

struct frame {
    struct buffer *buffer;
    struct asg_page
        *page; /* whose host_signal tells that the host wrote the buffer; NULL: it has */
    uint32_t signal;
};

struct gegl_window {
    struct gegl_display *display;
    struct gx *x11;
    struct gx_window native;
    struct gs_device *device; /* counted */
    struct vg *vg;
    uint32_t format; /* VIRTGPU_FORMAT_* of colour buffers */
    bool shared_futex;
    bool coherent;
    /* the surface's thread */
    struct buffer buffers[BUFFERS_MAX];
    struct buffer *target; /* what the host surface has; nullable */
    uint32_t width_px, height_px;
    uint32_t frame_count;
    bool started;
    pthread_t presenter;

    pthread_mutex_t lock; /* guards what follows and buffers[].busy */
    pthread_cond_t changed;
    struct frame frames[FRAMES_MAX]; /* frames[0] is being shown */
    uint32_t pending;
    bool looking; /* the presenter looks at frames[0].page */
    bool stop;
    bool abandoned;        /* the host will not signal any more */
    enum sl_result result; /* NOTFOUND window gone, CLOSED X server gone; sticky */
};

static EGLint error_of_native(enum sl_result result)
{
    return result == SL_OK ? EGL_SUCCESS : EGL_BAD_NATIVE_WINDOW;
}

/* --- the presenting thread --- */

static bool host_alive(void *user)
{
    struct vg *vg = user;
    return vg->ops->alive(vg);
}

/* Waits for the host to have written frames[0]; false when it will not. Enters and leaves with the
 * lock held. */
static bool wait_written_locked(struct gegl_window *window)
{
    bool written = window->frames[0].page == NULL;
    while (!written && !window->abandoned) {
        struct frame frame = window->frames[0];
        if (frame.page == NULL) { /* settled meanwhile */
            return true;
        }
        window->looking = true;
        pthread_mutex_unlock(&window->lock);
        enum sl_result r = asg_signal_wait(frame.page, frame.signal, SLICE_NS, window->shared_futex,
                                           host_alive, window->vg);
        pthread_mutex_lock(&window->lock);
        window->looking = false;
        pthread_cond_broadcast(&window->changed);
        written = r == SL_OK;
        if (r != SL_OK && r != SL_ERR_TIMEOUT) {
            /* A flag alone, nothing is published with it. */
            sl_atomic_store_relaxed(&window->display->lost, 1);
            window->abandoned = true;
        }
    }
    return written;
}

static void show(struct gegl_window *window, struct buffer *buffer)
{
    if (!window->coherent) {
        const struct vg_box box = {
            .width = buffer->picture.width_px, .height = buffer->picture.height_px, .depth = 1};
        if (window->vg->ops->res_transfer(buffer->res, &box, VG_FROM_HOST) != SL_OK) {
            return; /* the host is going; the program's thread hears of it */
        }
    }
    enum sl_result r = gx_put(window->x11, &window->native, &buffer->picture);
    if (r != SL_OK) {
        pthread_mutex_lock(&window->lock);
        window->result = r;
        pthread_mutex_unlock(&window->lock);
    }
}

static void *present(void *user)
{
    struct gegl_window *window = user;
    pthread_mutex_lock(&window->lock);
    for (;;) {
        while (window->pending == 0 && !window->stop) {
            pthread_cond_wait(&window->changed, &window->lock);
        }
        if (window->pending == 0) {
            break;
        }
        bool written = wait_written_locked(window);
        struct buffer *buffer = window->frames[0].buffer;
        if (written && window->result == SL_OK) {
            pthread_mutex_unlock(&window->lock);
            show(window, buffer);
            pthread_mutex_lock(&window->lock);
        }
        buffer->busy = false;
        window->frames[0] = window->frames[1];
        window->pending--;
        pthread_cond_broadcast(&window->changed);
    }
    pthread_mutex_unlock(&window->lock);
    return NULL;
}

static enum sl_result presenter_start(struct gegl_window *window)
{
    if (window->started) {
        return SL_OK;
    }
    enum sl_result r = sl_thread_start(&window->presenter, "sluice-present", 0, present, window);
    window->started = r == SL_OK;
    return r;
}

/* --- buffers --- */

static void buffer_destroy(struct gegl_window *window, struct buffer *buffer)
{
    if (buffer->res != NULL) {
        gx_picture_end(window->x11, &buffer->picture);
        vg_res_destroy(buffer->res);
        *buffer = (struct buffer){0};
    }
}

static enum sl_result buffer_create(struct gegl_window *window, struct buffer *buffer)
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
    enum sl_result r = vg_tex_create(window->vg, &args, &buffer->res);
    if (r != SL_OK) {
        buffer->res = NULL;
        return r;
    }
    void *pixels;
    r = vg_res_map(buffer->res, &pixels);
    if (r == SL_OK &&
        (buffer->res->stride == 0 || buffer->res->size / buffer->res->stride < window->height_px)) {
        r = SL_ERR_PROTOCOL;
    }
    if (r != SL_OK) {
        vg_res_destroy(buffer->res);
        buffer->res = NULL;
        return r;
    }
    buffer->picture = (struct gx_picture){.pixels = pixels,
                                          .stride = buffer->res->stride,
                                          .width_px = window->width_px,
                                          .height_px = window->height_px};
    int fd;
    if (window->vg->ops->res_export(buffer->res, &fd) != SL_OK) {
        fd = -1;
    }
    gx_picture_begin(window->x11, &buffer->picture, fd);
    return SL_OK;
}

static bool buffer_fits(const struct gegl_window *window, const struct buffer *buffer)
{
    return buffer->res != NULL && buffer->picture.width_px == window->width_px &&
           buffer->picture.height_px == window->height_px;
}

/* A buffer of the window's size that no frame has; those of other sizes go. At most FRAMES_MAX are
 * busy, so there is a place. The host surface's goes when the host has read that it has it: a
 * window may change its size twice before a frame. */
static enum sl_result buffer_take(struct gegl_window *window, struct gs_stream *stream,
                                  struct buffer **out)
{
    struct buffer *fit = NULL, *room = NULL;
    for (int i = 0; i < BUFFERS_MAX; i++) {
        struct buffer *buffer = &window->buffers[i];
        pthread_mutex_lock(&window->lock);
        bool busy = buffer->busy;
        pthread_mutex_unlock(&window->lock);
        if (busy) {
            continue;
        }
        if (buffer->res != NULL && !buffer_fits(window, buffer)) {
            if (buffer == window->target) {
                gegl_host_catch_up(stream);
                window->target = NULL;
            }
            buffer_destroy(window, buffer);
        }
        if (buffer->res != NULL) {
            fit = buffer;
        } else {
            room = buffer;
        }
    }
    if (fit == NULL) {
        enum sl_result r = buffer_create(window, room);
        if (r != SL_OK) {
            return r;
        }
        fit = room;
    }
    *out = fit;
    return SL_OK;
}

/* Gives the host surface a free buffer of the window's size, unless it has one. */
static EGLint target_set(struct gegl_surface *surface, struct gs_stream *stream)
{
    struct gegl_window *window = surface->window;
    if (window->target != NULL && buffer_fits(window, window->target)) {
        pthread_mutex_lock(&window->lock);
        bool busy = window->target->busy;
        pthread_mutex_unlock(&window->lock);
        if (!busy) {
            return EGL_SUCCESS;
        }
    }
    struct buffer *buffer;
    enum sl_result r = buffer_take(window, stream, &buffer);
    if (r != SL_OK) {
        return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : gegl_error_of(r);
    }
    rc_pack_rcSetWindowColorBuffer(gs_pack(stream), surface->host_id, buffer->res->id);
    window->target = buffer;
    return EGL_SUCCESS;
}

/* --- frames --- */

EGLint gegl_window_frame_begin(struct gegl_surface *surface, struct gegl_thread *thread)
{
    struct gegl_window *window = surface->window;
    uint32_t width_px, height_px;
    enum sl_result r = gx_window_size(window->x11, &window->native, &width_px, &height_px);
    if (r != SL_OK) {
        return error_of_native(r);
    }
    bool resized = width_px != window->width_px || height_px != window->height_px;
    if (!resized && window->target != NULL) {
        return EGL_SUCCESS;
    }
    uint32_t old_width_px = window->width_px, old_height_px = window->height_px;
    window->width_px = width_px;
    window->height_px = height_px;
    EGLint error = target_set(surface, thread->stream);
    if (error != EGL_SUCCESS) { /* the old size goes on */
        window->width_px = old_width_px;
        window->height_px = old_height_px;
        return error;
    }
    gegl_surface_resized(surface, width_px, height_px);
    return EGL_SUCCESS;
}

/* Waits until fewer than `most` frames are on their way. */
static EGLint wait_pending(struct gegl_window *window, uint32_t most, struct gegl_thread *thread,
                           uint64_t limit_ns)
{
    EGLint error = EGL_SUCCESS;
    uint64_t end = sl_clock_ns() + limit_ns;
    pthread_mutex_lock(&window->lock);
    while (window->pending > most && error == EGL_SUCCESS) {
        uint64_t now = sl_clock_ns();
        sl_cond_wait_until(&window->changed, &window->lock, now + (uint64_t)SLICE_NS);
        if (thread != NULL && window->pending > most && gegl_stream_lost(thread, window->display)) {
            window->abandoned = true;
            error = EGL_CONTEXT_LOST;
        } else if (now > end) {
            error = EGL_CONTEXT_LOST;
        }
    }
    pthread_mutex_unlock(&window->lock);
    return error;
}

/* Tells the host to write the surface into its buffer. page and signal: how the presenter learns
 * that it has. */
static EGLint flush(struct gegl_surface *surface, struct gegl_thread *thread, struct frame *frame)
{
    struct gegl_window *window = surface->window;
    struct gs_stream *stream = thread->stream;
    if (window->display->host.frame_number) {
        rc_pack_rcFlushWindowColorBufferAsyncWithFrameNumber(gs_pack(stream), surface->host_id,
                                                             ++window->frame_count);
    } else {
        rc_pack_rcFlushWindowColorBufferAsync(gs_pack(stream), surface->host_id);
    }
    if ((thread->device->features & SLUICE_FEATURE_SIGNAL) != 0) {
        frame->page = stream->ring.page;
        frame->signal = ++thread->signal;
        sl_pack_slSignal(gs_pack(stream), frame->signal);
        gs_flush(stream);
    } else {
        (void)gles2_call_glFinishRoundTrip(stream);
    }
    return gegl_stream_lost(thread, window->display) ? EGL_CONTEXT_LOST : EGL_SUCCESS;
}

EGLint gegl_window_frame_end(struct gegl_surface *surface, struct gegl_thread *thread)
{
    struct gegl_window *window = surface->window;
    EGLint error = wait_pending(window, FRAMES_MAX - 1, thread, UINT64_MAX / 2);
    if (error == EGL_SUCCESS && presenter_start(window) != SL_OK) {
        error = EGL_BAD_ALLOC;
    }
    if (error == EGL_SUCCESS) {
        error = target_set(surface, thread->stream);
    }
    struct frame frame = {.buffer = window->target};
    if (error == EGL_SUCCESS) {
        error = flush(surface, thread, &frame);
    }
    if (error != EGL_SUCCESS) {
        return error;
    }
    surface->size_checked = false;
    pthread_mutex_lock(&window->lock);
    frame.buffer->busy = true;
    window->frames[window->pending++] = frame;
    enum sl_result r = window->result;
    pthread_cond_broadcast(&window->changed);
    pthread_mutex_unlock(&window->lock);
    return r != SL_OK ? error_of_native(r) : gegl_window_frame_begin(surface, thread);
}

void gegl_window_settle(struct gegl_window *window)
{
    pthread_mutex_lock(&window->lock);
    for (uint32_t i = 0; i < window->pending; i++) {
        window->frames[i].page = NULL;
    }
    while (window->looking) { /* a slice at most */
        pthread_cond_wait(&window->changed, &window->lock);
    }
    pthread_mutex_unlock(&window->lock);
}

void gegl_window_drain(struct gegl_window *window)
{
    (void)wait_pending(window, 0, NULL, DRAIN_NS);
}

void gegl_window_size(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px)
{
    *width_px = window->native.width_px;
    *height_px = window->native.height_px;
}

/* --- life --- */

static bool depth_fits(const struct gegl_config *config, uint32_t depth)
{
    uint32_t color =
        (uint32_t)(gegl_config_get(config, EGL_RED_SIZE) + gegl_config_get(config, EGL_GREEN_SIZE) +
                   gegl_config_get(config, EGL_BLUE_SIZE));
    return depth == config->depth || depth == color || (color == 24 && depth == 32);
}

EGLint gegl_window_create(struct gegl_display *display, const struct gegl_config *config,
                          uint32_t xid, struct gegl_window **out)
{
    if (gx_window_taken(display->x11, xid)) {
        return EGL_BAD_ALLOC;
    }
    struct gegl_window *window = sl_alloc(sizeof *window);
    if (window == NULL) {
        return EGL_BAD_ALLOC;
    }
    *window = (struct gegl_window){.display = display,
                                   .x11 = display->x11,
                                   .vg = display->device->vg,
                                   .shared_futex = display->device->shared_futex,
                                   .coherent = display->device->coherent_tex};
    const struct gx_native native = gegl_native(display);
    enum sl_result r = gx_window_begin(window->x11, &native, xid, &window->native);
    if (r != SL_OK) {
        sl_free(window);
        return EGL_BAD_NATIVE_WINDOW;
    }
    if (!depth_fits(config, window->native.depth)) {
        gx_window_end(window->x11, &window->native);
        sl_free(window);
        return EGL_BAD_MATCH;
    }
    window->format = gegl_config_get(config, EGL_RED_SIZE) == 5     ? VIRTGPU_FORMAT_B5G6R5
                     : gegl_config_get(config, EGL_ALPHA_SIZE) != 0 ? VIRTGPU_FORMAT_B8G8R8A8
                                                                    : VIRTGPU_FORMAT_B8G8R8X8;
    gx_ref(window->x11);
    window->device = gs_device_ref(display->device);
    pthread_mutex_init(&window->lock, NULL);
    sl_cond_init(&window->changed);
    *out = window;
    return EGL_SUCCESS;
}

void gegl_window_destroy(struct gegl_window *window)
{
    if (window->started) {
        gegl_window_drain(window);
        pthread_mutex_lock(&window->lock);
        window->stop = true;
        window->abandoned = true;
        pthread_cond_broadcast(&window->changed);
        pthread_mutex_unlock(&window->lock);
        pthread_join(window->presenter, NULL);
    }
    for (int i = 0; i < BUFFERS_MAX; i++) {
        buffer_destroy(window, &window->buffers[i]);
    }
    gx_window_end(window->x11, &window->native);
    gx_unref(window->x11);
    pthread_cond_destroy(&window->changed);
    pthread_mutex_destroy(&window->lock);
    gs_device_put(window->device); /* the buffers are resources of it */
    sl_free(window);
}
