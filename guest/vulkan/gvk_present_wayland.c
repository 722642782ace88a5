/* Pictures onto a Wayland surface: buffers of wl_shm on the pictures' own memory, or on a copy of
 * it where that has no descriptor.
 *
 * The compositor's releases come in on one queue, which the application's thread reads; its frame
 * callbacks, which pace FIFO, on another one, which the presenting thread reads. */
#include "guest/vulkan/gvk_surface.h"
#include "guest/vulkan/gvk_wayland.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <string.h>

/* How often a wait for the compositor's pace looks whether it should go on. */
#define SLICE_NS ((int64_t)(50 * SL_NS_PER_MS))

struct buffer {
    struct wl_proxy *proxy;
    uint32_t busy; /* atomic: the compositor has it */
    struct gvk_picture picture;
    uint8_t *copy; /* what the compositor sees instead; nullable */
};

struct presenter {
    struct gvk_presenter base;
    struct gvk_wl wl;
    struct wl_display *display; /* borrowed */
    struct gvk_wl_shm shm;      /* its queue has the buffers' releases */
    struct wl_event_queue *frames;
    struct wl_proxy *surface; /* a wrapper whose children are on `frames` */
    uint32_t version;         /* of the surface */
    uint32_t wl_format;
    bool fifo;
    struct wl_proxy *frame; /* the callback of the picture shown last; nullable: it came */
    uint32_t lost;          /* atomic */
    uint32_t count;
    struct buffer *buffers; /* [count] */
};

static struct presenter *presenter_of(struct gvk_presenter *base)
{
    return SL_CONTAINER(base, struct presenter, base);
}

/* --- buffers --- */

static void on_release(void *user, struct wl_proxy *proxy)
{
    struct buffer *buffer = user;
    (void)proxy;
    sl_atomic_store_relaxed(&buffer->busy, 0); /* a flag alone, nothing is published with it */
}

/* Memory of our own that the compositor can map, for a picture whose memory it cannot. */
static enum sl_result copy_make(struct buffer *buffer, int *fd)
{
    uint64_t size = (uint64_t)buffer->picture.stride * buffer->picture.height_px;
    void *mapping;
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

static VkResult attach(struct gvk_presenter *base, uint32_t index,
                       const struct gvk_picture *picture, int fd)
{
    static void (*listener[])(void) = {(void (*)(void))on_release};
    struct presenter *p = presenter_of(base);
    struct buffer *buffer = &p->buffers[index];
    buffer->picture = *picture;
    if (fd < 0 || picture->size > INT32_MAX) { /* a pool's size and offsets are 32 bits, signed */
        sl_fd_close(&fd);
        if (copy_make(buffer, &fd) != SL_OK) {
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        }
    }
    union wl_argument pool_args[3] = {{.o = NULL}, {.h = fd}, {.i = (int32_t)buffer->picture.size}};
    struct wl_proxy *pool = p->wl.proxy_marshal_array_constructor_versioned(
        p->shm.shm, GVK_WL_SHM_CREATE_POOL, pool_args, p->wl.shm_pool_interface, 1);
    if (pool != NULL) {
        union wl_argument args[6] = {{.o = NULL},
                                     {.i = (int32_t)buffer->picture.offset},
                                     {.i = (int32_t)picture->width_px},
                                     {.i = (int32_t)picture->height_px},
                                     {.i = (int32_t)picture->stride},
                                     {.u = p->wl_format}};
        buffer->proxy = p->wl.proxy_marshal_array_constructor_versioned(
            pool, GVK_WL_SHM_POOL_CREATE_BUFFER, args, p->wl.buffer_interface, 1);
        p->wl.proxy_marshal_array(pool, GVK_WL_SHM_POOL_DESTROY, NULL);
        p->wl.proxy_destroy(pool);
    }
    sl_fd_close(&fd); /* libwayland sends a duplicate */
    if (buffer->proxy == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    (void)p->wl.proxy_add_listener(buffer->proxy, listener, buffer);
    return VK_SUCCESS;
}

/* --- showing --- */

static void on_frame(void *user, struct wl_proxy *callback, uint32_t time)
{
    struct presenter *p = user;
    (void)time;
    p->wl.proxy_destroy(callback);
    p->frame = NULL;
}

static VkResult lose(struct presenter *p)
{
    sl_atomic_store_relaxed(&p->lost, 1); /* a flag alone, nothing is published with it */
    return VK_ERROR_SURFACE_LOST_KHR;
}

/* Until the compositor wants the next picture. */
static VkResult pace(struct presenter *p, const uint32_t *stop)
{
    while (p->frame != NULL && sl_atomic_load_relaxed(stop) == 0) {
        if (!gvk_wl_wait(&p->wl, p->display, p->frames, -1, SLICE_NS)) {
            return lose(p);
        }
    }
    return VK_SUCCESS;
}

static VkResult show(struct gvk_presenter *base, uint32_t index, const uint32_t *stop)
{
    static void (*listener[])(void) = {(void (*)(void))on_frame};
    struct presenter *p = presenter_of(base);
    struct buffer *buffer = &p->buffers[index];
    if (pace(p, stop) != VK_SUCCESS) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    if (buffer->copy != NULL) {
        memcpy(buffer->copy, buffer->picture.pixels, buffer->picture.size);
    }
    sl_atomic_store_relaxed(&buffer->busy, 1); /* before anybody can release it */
    union wl_argument attach_args[3] = {{.o = buffer->proxy}, {.i = 0}, {.i = 0}};
    p->wl.proxy_marshal_array(p->surface, GVK_WL_SURFACE_ATTACH, attach_args);
    union wl_argument damage[4] = {{.i = 0}, {.i = 0}, {.i = INT32_MAX}, {.i = INT32_MAX}};
    p->wl.proxy_marshal_array(
        p->surface, p->version >= 4 ? GVK_WL_SURFACE_DAMAGE_BUFFER : GVK_WL_SURFACE_DAMAGE, damage);
    if (p->fifo && p->frame == NULL) {
        union wl_argument args[1] = {{.o = NULL}};
        p->frame = p->wl.proxy_marshal_array_constructor_versioned(
            p->surface, GVK_WL_SURFACE_FRAME, args, p->wl.callback_interface, 1);
        if (p->frame != NULL) {
            (void)p->wl.proxy_add_listener(p->frame, listener, p);
        }
    }
    p->wl.proxy_marshal_array(p->surface, GVK_WL_SURFACE_COMMIT, NULL);
    (void)p->wl.display_flush(p->display);
    return p->wl.display_get_error(p->display) == 0 ? VK_SUCCESS : lose(p);
}

static VkResult look(struct gvk_presenter *base)
{
    struct presenter *p = presenter_of(base);
    if (sl_atomic_load_relaxed(&p->lost) == 0 &&
        !gvk_wl_wait(&p->wl, p->display, p->shm.queue, -1, 0)) {
        (void)lose(p);
    }
    return sl_atomic_load_relaxed(&p->lost) == 0 ? VK_SUCCESS : VK_ERROR_SURFACE_LOST_KHR;
}

static bool busy(struct gvk_presenter *base, uint32_t index)
{
    return sl_atomic_load_relaxed(&presenter_of(base)->buffers[index].busy) != 0;
}

static void wait_some(struct gvk_presenter *base, int wake_fd, int64_t timeout_ns)
{
    struct presenter *p = presenter_of(base);
    if (!gvk_wl_wait(&p->wl, p->display, p->shm.queue, wake_fd,
                     timeout_ns < SLICE_NS ? timeout_ns : SLICE_NS)) {
        (void)lose(p);
    }
}

/* --- life --- */

static void destroy(struct gvk_presenter *base)
{
    struct presenter *p = presenter_of(base);
    for (uint32_t i = 0; i < p->count; i++) {
        struct buffer *buffer = &p->buffers[i];
        if (buffer->proxy != NULL) {
            p->wl.proxy_marshal_array(buffer->proxy, GVK_WL_BUFFER_DESTROY, NULL);
            p->wl.proxy_destroy(buffer->proxy);
        }
        if (buffer->copy != NULL) {
            sl_shm_unmap(buffer->copy, buffer->picture.size);
        }
    }
    if (p->frame != NULL) {
        p->wl.proxy_destroy(p->frame);
    }
    if (p->surface != NULL) {
        p->wl.proxy_wrapper_destroy(p->surface);
    }
    if (p->frames != NULL) {
        p->wl.event_queue_destroy(p->frames);
    }
    if (p->shm.queue != NULL) {
        gvk_wl_shm_close(&p->wl, &p->shm);
    }
    (void)p->wl.display_flush(p->display);
    gvk_wl_unload(&p->wl);
    sl_free(p->buffers);
    sl_free(p);
}

static const struct gvk_presenter_ops presenter_ops = {.attach = attach,
                                                       .show = show,
                                                       .look = look,
                                                       .busy = busy,
                                                       .wait = wait_some,
                                                       .destroy = destroy};

static uint32_t format_choose(const VkSwapchainCreateInfoKHR *info)
{
    uint32_t i = 0;
    while (i + 1 < GVK_WL_FORMAT_COUNT && gvk_wl_formats[i].format != info->imageFormat) {
        i++;
    }
    return info->compositeAlpha == VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR
               ? gvk_wl_formats[i].alpha
               : gvk_wl_formats[i].opaque;
}

VkResult gvk_present_wayland_create(struct gvk_surface *surface,
                                    const VkSwapchainCreateInfoKHR *info, uint32_t count,
                                    struct gvk_presenter **out)
{
    struct presenter *p = sl_alloc(sizeof *p);
    struct buffer *buffers = sl_alloc_array(count, sizeof *buffers);
    if (p == NULL || buffers == NULL) {
        sl_free(p);
        sl_free(buffers);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *p = (struct presenter){.base.ops = &presenter_ops,
                            .display = surface->display,
                            .wl_format = format_choose(info),
                            .fifo = info->presentMode == VK_PRESENT_MODE_FIFO_KHR,
                            .count = count,
                            .buffers = buffers};
    if (!gvk_wl_load(&p->wl)) {
        sl_free(buffers);
        sl_free(p);
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    if (gvk_wl_shm_open(&p->wl, p->display, &p->shm)) {
        p->frames = p->wl.display_create_queue(p->display);
        p->surface = p->wl.proxy_create_wrapper(surface->wl_surface);
    }
    if (p->frames == NULL || p->surface == NULL) {
        destroy(&p->base);
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    p->wl.proxy_set_queue(p->surface, p->frames);
    p->version = p->wl.proxy_get_version(p->surface);
    *out = &p->base;
    return VK_SUCCESS;
}
