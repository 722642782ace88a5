/* Pictures onto a surface: buffers of wl_shm on the pictures' own memory, or on a copy of it where
 * that has no descriptor. */
#include "guest/wayland/gw.h"
#include "guest/wayland/gw_wire.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/shm.h"

#include <stddef.h>
#include <string.h>

/* How often a wait looks whether it should go on. */
#define SLICE_NS ((int64_t)(50 * SL_NS_PER_MS))

static enum sl_result lose(struct gw_surface *surface)
{
    sl_atomic_store_relaxed(&surface->lost, 1); /* a flag alone, nothing is published with it */
    return SL_ERR_CLOSED;
}

/* --- buffers --- */

static void on_release(void *user, struct wl_proxy *proxy)
{
    struct gw_buffer *buffer = user;
    (void)proxy;
    sl_atomic_store_relaxed(&buffer->busy, 0); /* a flag alone, nothing is published with it */
}

bool gw_buffer_busy(const struct gw_buffer *buffer)
{
    return sl_atomic_load_relaxed(&buffer->busy) != 0;
}

/* Memory of our own that the compositor can map, for a picture whose memory it cannot. */
static enum sl_result copy_make(struct gw_buffer *buffer, int *fd)
{
    uint64_t size = (uint64_t)buffer->picture.stride * buffer->picture.height_px;
    void *mapping;
    if (size > INT32_MAX) {
        return SL_ERR_NOMEM;
    }
    enum sl_result r = sl_shm_create("sluice-present", size, fd);
    if (r != SL_OK) {
        return r;
    }
    r = sl_shm_map(*fd, size, &mapping);
    if (r != SL_OK) {
        sl_fd_close(fd);
        return r;
    }
    buffer->copy = mapping;
    buffer->picture.offset = 0;
    buffer->picture.size = size;
    return SL_OK;
}

enum sl_result gw_buffer_begin(struct gw_surface *surface, struct gw_buffer *buffer,
                               const struct gw_picture *picture, int fd)
{
    static void (*listener[])(void) = {(void (*)(void))on_release};
    const struct gw *wl = surface->wl;
    *buffer = (struct gw_buffer){.picture = *picture};
    if (fd < 0 || picture->size > INT32_MAX) { /* a pool's size and offsets are 32 bits, signed */
        sl_fd_close(&fd);
        if (copy_make(buffer, &fd) != SL_OK) {
            return SL_ERR_NOMEM;
        }
    }
    union wl_argument pool_args[3] = {{.o = NULL}, {.h = fd}, {.i = (int32_t)buffer->picture.size}};
    struct wl_proxy *pool = wl->proxy_marshal_array_constructor_versioned(
        surface->shm.shm, GW_SHM_CREATE_POOL, pool_args, wl->shm_pool_interface, 1);
    if (pool != NULL) {
        union wl_argument args[6] = {{.o = NULL},
                                     {.i = (int32_t)buffer->picture.offset},
                                     {.i = (int32_t)picture->width_px},
                                     {.i = (int32_t)picture->height_px},
                                     {.i = (int32_t)picture->stride},
                                     {.u = picture->format}};
        buffer->proxy = wl->proxy_marshal_array_constructor_versioned(
            pool, GW_SHM_POOL_CREATE_BUFFER, args, wl->buffer_interface, 1);
        wl->proxy_marshal_array(pool, GW_SHM_POOL_DESTROY, NULL);
        wl->proxy_destroy(pool);
    }
    sl_fd_close(&fd); /* libwayland sends a duplicate */
    if (buffer->proxy == NULL) {
        gw_buffer_end(surface, buffer);
        return SL_ERR_NOMEM;
    }
    (void)wl->proxy_add_listener(buffer->proxy, listener, buffer);
    return SL_OK;
}

void gw_buffer_end(struct gw_surface *surface, struct gw_buffer *buffer)
{
    if (buffer->proxy != NULL) {
        surface->wl->proxy_marshal_array(buffer->proxy, GW_BUFFER_DESTROY, NULL);
        surface->wl->proxy_destroy(buffer->proxy);
    }
    if (buffer->copy != NULL) {
        sl_shm_unmap(buffer->copy, buffer->picture.size);
    }
    *buffer = (struct gw_buffer){0};
}

/* --- showing --- */

static void on_answer(void *user, struct wl_proxy *callback, uint32_t data)
{
    struct gw_surface *surface = user;
    (void)data;
    surface->wl->proxy_destroy(callback);
    surface->answer = NULL;
}

/* From either, as both ask with the new callback alone. */
static void answer_ask(struct gw_surface *surface, struct wl_proxy *of, uint32_t request)
{
    static void (*listener[])(void) = {(void (*)(void))on_answer};
    const struct gw *wl = surface->wl;
    union wl_argument args[1] = {{.o = NULL}};
    surface->answer =
        wl->proxy_marshal_array_constructor_versioned(of, request, args, wl->callback_interface, 1);
    if (surface->answer != NULL) {
        (void)wl->proxy_add_listener(surface->answer, listener, surface);
    }
}

enum sl_result gw_surface_pace(struct gw_surface *surface, const uint32_t *stop)
{
    while (surface->answer != NULL && (stop == NULL || sl_atomic_load_relaxed(stop) == 0)) {
        if (!gw_wait(surface->wl, surface->display, surface->answers, -1, SLICE_NS)) {
            return lose(surface);
        }
    }
    return SL_OK;
}

static void damage(struct gw_surface *surface, const struct gw_show *how)
{
    static const struct gw_rect everything = {0, 0, INT32_MAX, INT32_MAX};
    /* Before version 4 damage is in the surface's coordinates, which scale and turn: all of it. */
    bool exact = how->rects != NULL && surface->version >= 4;
    const struct gw_rect *rects = exact ? how->rects : &everything;
    uint32_t count = exact ? how->rect_count : 1;
    uint32_t request = surface->version >= 4 ? GW_SURFACE_DAMAGE_BUFFER : GW_SURFACE_DAMAGE;
    for (uint32_t i = 0; i < count; i++) {
        union wl_argument args[4] = {
            {.i = rects[i].x}, {.i = rects[i].y}, {.i = rects[i].width}, {.i = rects[i].height}};
        surface->wl->proxy_marshal_array(surface->proxy, request, args);
    }
}

enum sl_result gw_surface_show(struct gw_surface *surface, struct gw_buffer *buffer,
                               const struct gw_show *how)
{
    const struct gw *wl = surface->wl;
    bool asks = surface->answer == NULL;
    if (buffer->copy != NULL) {
        memcpy(buffer->copy, buffer->picture.pixels, buffer->picture.size);
    }
    sl_atomic_store_relaxed(&buffer->busy, 1); /* before anybody can release it */
    union wl_argument attach[3] = {{.o = buffer->proxy}, {.i = how->dx_px}, {.i = how->dy_px}};
    wl->proxy_marshal_array(surface->proxy, GW_SURFACE_ATTACH, attach);
    damage(surface, how);
    if (asks && how->answer == GW_FRAME) {
        answer_ask(surface, surface->proxy, GW_SURFACE_FRAME);
    }
    wl->proxy_marshal_array(surface->proxy, GW_SURFACE_COMMIT, NULL);
    if (asks && how->answer == GW_SYNC) {
        answer_ask(surface, surface->server, GW_DISPLAY_SYNC);
    }
    (void)wl->display_flush(surface->display);
    return wl->display_get_error(surface->display) == 0 ? SL_OK : lose(surface);
}

enum sl_result gw_surface_wait(struct gw_surface *surface, int wake_fd, int64_t timeout_ns)
{
    if (sl_atomic_load_relaxed(&surface->lost) == 0 &&
        !gw_wait(surface->wl, surface->display, surface->shm.queue, wake_fd,
                 timeout_ns < SLICE_NS ? timeout_ns : SLICE_NS)) {
        (void)lose(surface);
    }
    return sl_atomic_load_relaxed(&surface->lost) == 0 ? SL_OK : SL_ERR_CLOSED;
}

/* --- life --- */

enum sl_result gw_surface_begin(const struct gw *wl, struct wl_display *display, void *wl_surface,
                                struct gw_surface *surface)
{
    *surface = (struct gw_surface){.wl = wl, .display = display};
    if (!gw_shm_open(wl, display, &surface->shm)) {
        return SL_ERR_CLOSED;
    }
    surface->answers = wl->display_create_queue(display);
    surface->proxy = wl->proxy_create_wrapper(wl_surface);
    surface->server = wl->proxy_create_wrapper(display);
    if (surface->answers == NULL || surface->proxy == NULL || surface->server == NULL) {
        gw_surface_end(surface);
        return SL_ERR_NOMEM;
    }
    wl->proxy_set_queue(surface->proxy, surface->answers);
    wl->proxy_set_queue(surface->server, surface->answers);
    surface->version = wl->proxy_get_version(surface->proxy);
    return SL_OK;
}

void gw_surface_end(struct gw_surface *surface)
{
    const struct gw *wl = surface->wl;
    if (surface->answer != NULL) {
        wl->proxy_destroy(surface->answer);
    }
    if (surface->server != NULL) {
        wl->proxy_wrapper_destroy(surface->server);
    }
    if (surface->proxy != NULL) {
        wl->proxy_wrapper_destroy(surface->proxy);
    }
    if (surface->answers != NULL) {
        wl->event_queue_destroy(surface->answers);
    }
    gw_shm_close(&surface->shm);
    (void)wl->display_flush(surface->display);
    *surface = (struct gw_surface){0};
}
