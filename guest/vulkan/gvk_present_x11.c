/* Pictures into an X window, from memory that the server has attached where it can. */
#include "guest/vulkan/gvk_surface.h"
#include "guest/x11/gx.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

struct presenter {
    struct gvk_presenter base;
    struct gx *x11; /* counted */
    struct gx_window window;
    VkExtent2D extent; /* of the swapchain */
    uint32_t count;
    struct gx_picture *pictures; /* [count] */
};

static struct presenter *presenter_of(struct gvk_presenter *base)
{
    return SL_CONTAINER(base, struct presenter, base);
}

static VkResult result_of(enum sl_result r)
{
    return r == SL_OK          ? VK_SUCCESS
           : r == SL_ERR_NOMEM ? VK_ERROR_OUT_OF_HOST_MEMORY
                               : VK_ERROR_SURFACE_LOST_KHR;
}

static VkResult attach(struct gvk_presenter *base, uint32_t index,
                       const struct gvk_picture *picture, int fd)
{
    struct presenter *p = presenter_of(base);
    p->pictures[index] = (struct gx_picture){.pixels = picture->pixels,
                                             .stride = picture->stride,
                                             .width_px = picture->width_px,
                                             .height_px = picture->height_px,
                                             .offset = (uint32_t)picture->offset};
    if (picture->offset > UINT32_MAX) { /* further than a request can say */
        sl_fd_close(&fd);
    }
    gx_picture_begin(p->x11, &p->pictures[index], fd);
    return VK_SUCCESS;
}

static VkResult show(struct gvk_presenter *base, uint32_t index, const uint32_t *stop)
{
    struct presenter *p = presenter_of(base);
    (void)stop; /* the server takes what it gets */
    return result_of(gx_put_begin(p->x11, &p->window, &p->pictures[index]));
}

static VkResult look(struct gvk_presenter *base)
{
    struct presenter *p = presenter_of(base);
    uint32_t width_px, height_px;
    enum sl_result r = gx_window_size(p->x11, &p->window, &width_px, &height_px);
    bool fits = width_px == p->extent.width && height_px == p->extent.height;
    return r != SL_OK ? result_of(r) : fits ? VK_SUCCESS : VK_SUBOPTIMAL_KHR;
}

static bool busy(struct gvk_presenter *base, uint32_t index)
{
    struct presenter *p = presenter_of(base);
    return gx_picture_busy(p->x11, &p->pictures[index]);
}

static void wait_some(struct gvk_presenter *base, int wake_fd, int64_t timeout_ns)
{
    struct presenter *p = presenter_of(base);
    (void)gx_wait(p->x11, wake_fd, timeout_ns); /* a dead server is told by look */
}

static void destroy(struct gvk_presenter *base)
{
    struct presenter *p = presenter_of(base);
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->pictures[i].pixels != NULL) {
            gx_picture_end(p->x11, &p->pictures[i]);
        }
    }
    gx_window_end(p->x11, &p->window);
    gx_unref(p->x11);
    sl_free(p->pictures);
    sl_free(p);
}

static const struct gvk_presenter_ops presenter_ops = {.attach = attach,
                                                       .show = show,
                                                       .look = look,
                                                       .busy = busy,
                                                       .wait = wait_some,
                                                       .destroy = destroy};

VkResult gvk_present_x11_create(struct gvk_surface *surface, const VkSwapchainCreateInfoKHR *info,
                                uint32_t count, struct gvk_presenter **out)
{
    const struct gx_native native = {
        .connection = surface->display, .xlib = surface->xlib, .screen = -1};
    struct presenter *p = sl_alloc(sizeof *p);
    struct gx_picture *pictures = sl_alloc_array(count, sizeof *pictures);
    enum sl_result r = p != NULL && pictures != NULL ? SL_OK : SL_ERR_NOMEM;
    if (r == SL_OK) {
        *p = (struct presenter){.base.ops = &presenter_ops,
                                .extent = info->imageExtent,
                                .count = count,
                                .pictures = pictures};
        r = gx_open(&native, &p->x11);
    }
    if (r == SL_OK) {
        r = gx_window_begin(p->x11, &native, surface->xid, &p->window);
        if (r != SL_OK) {
            gx_unref(p->x11);
        }
    }
    if (r != SL_OK) {
        sl_free(pictures);
        sl_free(p);
        return result_of(r);
    }
    *out = &p->base;
    return VK_SUCCESS;
}
