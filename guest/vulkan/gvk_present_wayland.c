/* Pictures onto a Wayland surface (guest/wayland): the compositor's releases are seen to by the
 * application's thread, its frame callbacks, which pace FIFO, by the presenting thread. */
#include "guest/vulkan/gvk_surface.h"
#include "guest/wayland/gw.h"
#include "transport/base/fd.h"
#include "transport/base/list.h"
#include "transport/base/mem.h"

struct presenter {
    struct gvk_presenter base;
    struct gw wl;
    struct gw_surface surface;
    uint32_t wl_format;
    bool fifo;
    uint32_t count;
    struct gw_buffer *buffers; /* [count] */
};

static struct presenter *presenter_of(struct gvk_presenter *base)
{
    return SL_CONTAINER(base, struct presenter, base);
}

static VkResult lost_or_done(enum sl_result r)
{
    return r == SL_OK ? VK_SUCCESS : VK_ERROR_SURFACE_LOST_KHR;
}

static VkResult attach(struct gvk_presenter *base, uint32_t index,
                       const struct gvk_picture *picture, int fd)
{
    struct presenter *p = presenter_of(base);
    const struct gw_picture shown = {.pixels = picture->pixels,
                                     .stride = picture->stride,
                                     .width_px = picture->width_px,
                                     .height_px = picture->height_px,
                                     .format = p->wl_format,
                                     .offset = picture->offset,
                                     .size = picture->size};
    return gw_buffer_begin(&p->surface, &p->buffers[index], &shown, fd) == SL_OK
               ? VK_SUCCESS
               : VK_ERROR_OUT_OF_HOST_MEMORY;
}

static VkResult show(struct gvk_presenter *base, uint32_t index, const uint32_t *stop)
{
    struct presenter *p = presenter_of(base);
    const struct gw_show how = {.answer = p->fifo ? GW_FRAME : GW_NOTHING};
    enum sl_result r = gw_surface_pace(&p->surface, stop);
    return lost_or_done(r == SL_OK ? gw_surface_show(&p->surface, &p->buffers[index], &how) : r);
}

static VkResult look(struct gvk_presenter *base)
{
    return lost_or_done(gw_surface_wait(&presenter_of(base)->surface, -1, 0));
}

static bool busy(struct gvk_presenter *base, uint32_t index)
{
    return gw_buffer_busy(&presenter_of(base)->buffers[index]);
}

static void wait_some(struct gvk_presenter *base, int wake_fd, int64_t timeout_ns)
{
    /* What is lost, the next look says. */
    (void)!gw_surface_wait(&presenter_of(base)->surface, wake_fd, timeout_ns);
}

static void destroy(struct gvk_presenter *base)
{
    struct presenter *p = presenter_of(base);
    for (uint32_t i = 0; i < p->count; i++) {
        gw_buffer_end(&p->surface, &p->buffers[i]);
    }
    gw_surface_end(&p->surface);
    gw_unload(&p->wl);
    sl_free(p->buffers);
    sl_free(p);
}

static const struct gvk_presenter_ops presenter_ops = {.attach = attach,
                                                       .show = show,
                                                       .look = look,
                                                       .busy = busy,
                                                       .wait = wait_some,
                                                       .destroy = destroy};

VkResult gvk_present_wayland_create(struct gvk_surface *surface,
                                    const VkSwapchainCreateInfoKHR *info, uint32_t count,
                                    struct gvk_presenter **out)
{
    struct presenter *p = sl_alloc(sizeof *p);
    struct gw_buffer *buffers = sl_alloc_array(count, sizeof *buffers);
    if (p == NULL || buffers == NULL) {
        sl_free(p);
        sl_free(buffers);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    bool blended = info->compositeAlpha == VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
    *p = (struct presenter){.base.ops = &presenter_ops,
                            .wl_format = gvk_wayland_format(info->imageFormat, blended),
                            .fifo = info->presentMode == VK_PRESENT_MODE_FIFO_KHR,
                            .count = count,
                            .buffers = buffers};
    bool loaded = gw_load(&p->wl);
    if (!loaded ||
        gw_surface_begin(&p->wl, surface->display, surface->wl_surface, &p->surface) != SL_OK) {
        gw_unload(&p->wl);
        sl_free(buffers);
        sl_free(p);
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    *out = &p->base;
    return VK_SUCCESS;
}
