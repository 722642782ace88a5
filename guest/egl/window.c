/* Frames of window surfaces: what is common to the window systems, and the presenting thread. */
#include "guest/egl/window_parts.h"

#include "guest/egl/host.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

/* How long a destroyed surface waits for its last frames. */
#define DRAIN_NS (2 * SL_NS_PER_S)

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

/* eager: nothing else goes on while it is waited for. */
static struct asg_signal signal_of(const struct gegl_window *window, const struct gegl_frame *frame,
                                   bool eager)
{
    return (struct asg_signal){.page = frame->page,
                               .shared_futex = window->shared_futex,
                               .eager = eager,
                               .alive = host_alive,
                               .user = window->vg};
}

/* Waits for the host to have written frames[0]; false when it will not. Enters and leaves with the
 * lock held. */
static bool wait_written_locked(struct gegl_window *window)
{
    bool written = window->frames[0].page == NULL;
    while (!written && !window->abandoned) {
        struct gegl_frame frame = window->frames[0];
        if (frame.page == NULL) { /* settled meanwhile */
            return true;
        }
        window->looking = true;
        pthread_mutex_unlock(&window->lock);
        const struct asg_signal signal = signal_of(window, &frame, false);
        enum sl_result r = asg_signal_wait(&signal, frame.signal, GEGL_SLICE_NS);
        pthread_mutex_lock(&window->lock);
        window->looking = false;
        pthread_cond_broadcast(&window->changed);
        written = r == SL_OK;
        if (r != SL_OK && r != SL_ERR_TIMEOUT) {
            /* A flag alone, nothing is published with it. */
            sl_atomic_store_relaxed(&window->device->lost, 1);
            window->abandoned = true;
        }
    }
    return written;
}

/* Takes the picture into the guest's memory where the host did not write it there. */
static enum sl_result fetch(struct gegl_window *window, struct gegl_buffer *buffer)
{
    const struct vg_box box = {.width = buffer->width_px, .height = buffer->height_px, .depth = 1};
    return window->coherent || !window->ops->reads_memory
               ? SL_OK
               : window->vg->ops->res_transfer(buffer->res, &box, VG_FROM_HOST);
}

static void show(struct gegl_window *window, const struct gegl_frame *frame)
{
    if (fetch(window, frame->buffer) != SL_OK) {
        return; /* the host is going; the program's thread hears of it */
    }
    enum sl_result r = window->ops->show(window, frame);
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
        const struct gegl_frame frame = window->frames[0];
        if (written && window->result == SL_OK) {
            pthread_mutex_unlock(&window->lock);
            show(window, &frame);
            pthread_mutex_lock(&window->lock);
        }
        frame.buffer->busy = false;
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

/* --- frames --- */

EGLint gegl_window_frame_begin(struct gegl_surface *surface, struct gegl_thread *thread)
{
    struct gegl_window *window = surface->window;
    uint32_t width_px = surface->width_px, height_px = surface->height_px;
    enum sl_result r = window->ops->size(window, &width_px, &height_px);
    window->gone = r == SL_ERR_NOTFOUND;
    if (r != SL_OK && !window->gone) {
        return error_of_native(r);
    }
    bool resized = width_px != window->width_px || height_px != window->height_px;
    if (!resized && window->target != NULL) {
        return EGL_SUCCESS;
    }
    uint32_t old_width_px = window->width_px, old_height_px = window->height_px;
    window->width_px = width_px;
    window->height_px = height_px;
    EGLint error = gegl_buffer_target(surface, thread);
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
        sl_cond_wait_until(&window->changed, &window->lock, now + (uint64_t)GEGL_SLICE_NS);
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
static EGLint flush(struct gegl_surface *surface, struct gegl_thread *thread,
                    struct gegl_frame *frame)
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
        frame->signal = ++stream->signal;
        sl_pack_slSignal(gs_pack(stream), frame->signal);
        gs_flush(stream);
    } else {
        ggl_finish(thread->context->ggl);
    }
    return gegl_stream_lost(thread, window->display) ? EGL_CONTEXT_LOST : EGL_SUCCESS;
}

/* The presenting thread shows it. EGL error. */
static EGLint frame_queue(struct gegl_surface *surface, struct gegl_thread *thread)
{
    struct gegl_window *window = surface->window;
    EGLint error = wait_pending(window, GEGL_FRAMES_MAX - 1, thread, UINT64_MAX / 2);
    if (error == EGL_SUCCESS && presenter_start(window) != SL_OK) {
        error = EGL_BAD_ALLOC;
    }
    if (error == EGL_SUCCESS) {
        error = gegl_buffer_target(surface, thread);
    }
    struct gegl_frame frame = {.buffer = window->target};
    if (error == EGL_SUCCESS) {
        error = flush(surface, thread, &frame);
    }
    if (error != EGL_SUCCESS) {
        return error;
    }
    pthread_mutex_lock(&window->lock);
    frame.buffer->busy = true;
    window->frames[window->pending++] = frame;
    enum sl_result r = window->result;
    pthread_cond_broadcast(&window->changed);
    pthread_mutex_unlock(&window->lock);
    return error_of_native(r);
}

/* Until the host has written the frame. EGL error. */
static EGLint written_wait(struct gegl_window *window, struct gegl_thread *thread,
                           const struct gegl_frame *frame)
{
    const struct asg_signal signal = signal_of(window, frame, true);
    enum sl_result r = SL_ERR_TIMEOUT;
    while (frame->page != NULL && r == SL_ERR_TIMEOUT) {
        r = asg_signal_wait(&signal, frame->signal, GEGL_SLICE_NS);
        if (gegl_stream_lost(thread, window->display)) {
            return EGL_CONTEXT_LOST;
        }
    }
    return frame->page == NULL || r == SL_OK ? EGL_SUCCESS : EGL_CONTEXT_LOST;
}

/* This thread shows it, since the window system takes it together with what the program says to it
 * before and after. EGL error. */
static EGLint frame_show(struct gegl_surface *surface, struct gegl_thread *thread,
                         const struct gegl_damage *damage)
{
    struct gegl_window *window = surface->window;
    /* Before a buffer is looked for: of two in turn more lies in caches than of three. */
    enum sl_result r = window->ops->take_in != NULL ? window->ops->take_in(window) : SL_OK;
    EGLint error = gegl_buffer_target(surface, thread);
    struct gegl_frame frame = {.buffer = window->target, .damage = damage};
    if (error == EGL_SUCCESS) {
        error = flush(surface, thread, &frame);
    }
    if (error != EGL_SUCCESS) {
        return error;
    }
    r = r == SL_OK ? window->ops->pace(window) : r;
    error = written_wait(window, thread, &frame);
    if (error != EGL_SUCCESS) {
        return error;
    }
    if (r == SL_OK && fetch(window, frame.buffer) != SL_OK) {
        return EGL_CONTEXT_LOST; /* the host has it, not the window system */
    }
    return error_of_native(r == SL_OK ? window->ops->show(window, &frame) : r);
}

EGLint gegl_window_frame_end(struct gegl_surface *surface, struct gegl_thread *thread,
                             const struct gegl_damage *damage)
{
    EGLint error = surface->window->ops->is_threaded ? frame_queue(surface, thread)
                                                     : frame_show(surface, thread, damage);
    if (error != EGL_SUCCESS) {
        return error;
    }
    surface->size_checked = false;
    error = gegl_window_frame_begin(surface, thread);
    return error == EGL_SUCCESS && surface->window->gone ? EGL_BAD_NATIVE_WINDOW : error;
}

EGLint gegl_pixmap_update(struct gegl_surface *surface, struct gegl_thread *thread)
{
    return surface->type == EGL_PIXMAP_BIT ? frame_show(surface, thread, NULL) : EGL_SUCCESS;
}

/* The surface, with the copy's buffer in place of its own. EGL error. */
static EGLint copy_through(struct gegl_surface *surface, struct gegl_thread *thread,
                           struct gegl_window *copy)
{
    struct gegl_window *own = surface->window;
    copy->width_px = surface->width_px;
    copy->height_px = surface->height_px;
    surface->window = copy;
    EGLint error = frame_show(surface, thread, NULL);
    surface->window = own;
    uint32_t before =
        own != NULL && own->target != NULL ? own->target->res->id : surface->color_buffer;
    rc_pack_rcSetWindowColorBuffer(gs_pack(thread->stream), surface->host_id, before);
    gegl_host_catch_up(thread->stream); /* the copy's buffer goes now */
    return error;
}

EGLint gegl_pixmap_copy(struct gegl_surface *surface, struct gegl_thread *thread, uint32_t xid)
{
    struct gegl_window *copy;
    EGLint error = gegl_window_create(surface->base.display, &surface->config, EGL_PIXMAP_BIT,
                                      (void *)(uintptr_t)xid, &copy);
    if (error == EGL_SUCCESS) {
        error = copy_through(surface, thread, copy);
        gegl_window_destroy(copy);
    }
    return error;
}

void gegl_window_interval(struct gegl_window *window, EGLint interval)
{
    window->interval = interval;
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

enum sl_result gegl_window_size(struct gegl_window *window, uint32_t *width_px, uint32_t *height_px)
{
    return window->ops->size(window, width_px, height_px);
}

/* --- life --- */

static uint32_t format_of(const struct gegl_config *config)
{
    EGLint red = gegl_config_get(config, EGL_RED_SIZE);
    return red == 5                                       ? VIRTGPU_FORMAT_B5G6R5
           : red == 10                                    ? VIRTGPU_FORMAT_B10G10R10A2
           : gegl_config_get(config, EGL_ALPHA_SIZE) != 0 ? VIRTGPU_FORMAT_B8G8R8A8
                                                          : VIRTGPU_FORMAT_B8G8R8X8;
}

static const struct gegl_window_ops *ops_of(const struct gegl_display *display, EGLint type)
{
    if (type == EGL_PIXMAP_BIT) {
        return &gegl_window_pixmap;
    }
    switch (display->platform) {
    case GEGL_PLATFORM_WAYLAND:
        return &gegl_window_wayland;
    case GEGL_PLATFORM_GBM:
        return &gegl_window_gbm;
    default:
        return &gegl_window_x11;
    }
}

/* Takes the device. */
static void device_use(struct gegl_window *window, struct gs_device *device)
{
    window->device = device;
    window->vg = device->vg;
    window->shared_futex = device->shared_futex;
    window->coherent = device->coherent_tex;
}

bool gegl_window_taken(const struct gegl_display *display, const void *native)
{
    return display->x11 != NULL && gx_window_taken(display->x11, (uint32_t)(uintptr_t)native);
}

EGLint gegl_window_create(struct gegl_display *display, const struct gegl_config *config,
                          EGLint type, void *native, struct gegl_window **out)
{
    struct gs_device *device = gegl_display_device(display);
    struct gegl_window *window = sl_alloc(sizeof *window);
    if (window == NULL || device == NULL) {
        gs_device_put(device);
        sl_free(window);
        return window == NULL ? EGL_BAD_ALLOC : EGL_NOT_INITIALIZED;
    }
    *window = (struct gegl_window){.ops = ops_of(display, type),
                                   .display = display,
                                   .format = format_of(config),
                                   .interval = 1};
    device_use(window, device);
    EGLint error = window->ops->begin(window, config, native);
    if (error != EGL_SUCCESS) {
        gs_device_put(device);
        sl_free(window);
        return error;
    }
    pthread_mutex_init(&window->lock, NULL);
    sl_cond_init(&window->changed);
    *out = window;
    return EGL_SUCCESS;
}

bool gegl_window_is_on(const struct gegl_window *window, const struct gs_device *device)
{
    return window->device == device;
}

static void buffers_end(struct gegl_window *window)
{
    for (int i = 0; i < GEGL_BUFFERS_MAX; i++) {
        gegl_buffer_end(window, &window->buffers[i]);
    }
    window->target = NULL;
}

EGLint gegl_window_renew(struct gegl_window *window, struct gs_device *device)
{
    if (gegl_window_is_on(window, device)) {
        return EGL_SUCCESS;
    }
    pthread_mutex_lock(&window->lock);
    window->abandoned = true; /* frames that the host has not written never will be */
    pthread_cond_broadcast(&window->changed);
    pthread_mutex_unlock(&window->lock);
    EGLint error = wait_pending(window, 0, NULL, DRAIN_NS);
    if (error != EGL_SUCCESS) {
        return error;
    }
    buffers_end(window);
    struct gs_device *old = window->device;
    pthread_mutex_lock(&window->lock);
    device_use(window, gs_device_ref(device));
    window->abandoned = false;
    pthread_mutex_unlock(&window->lock);
    gs_device_put(old); /* the buffers were resources of it */
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
    buffers_end(window);
    window->ops->end(window);
    pthread_cond_destroy(&window->changed);
    pthread_mutex_destroy(&window->lock);
    gs_device_put(window->device); /* the buffers are resources of it */
    sl_free(window);
}
