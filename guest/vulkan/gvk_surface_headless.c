/* Surfaces without a window: pictures are accepted and dropped. */
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_surface.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

static VkResult capabilities(struct gvk_surface *surface, VkSurfaceCapabilitiesKHR *caps)
{
    (void)surface;
    caps->minImageCount = 4; /* as every other driver's: one never waits for anything */
    caps->currentExtent = (VkExtent2D){UINT32_MAX, UINT32_MAX};
    caps->supportedCompositeAlpha =
        VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR | VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
    return VK_SUCCESS;
}

static VkResult formats(struct gvk_surface *surface, VkFormat *formats, uint32_t *count)
{
    static const VkFormat all[] = {VK_FORMAT_B8G8R8A8_SRGB, VK_FORMAT_B8G8R8A8_UNORM,
                                   VK_FORMAT_R8G8B8A8_SRGB, VK_FORMAT_R8G8B8A8_UNORM};
    (void)surface;
    *count = GVK_SURFACE_FORMATS_MAX;
    return GVK_SURFACE_LIST(formats, count, all, sizeof all / sizeof all[0]);
}

static VkResult size(struct gvk_surface *surface, VkExtent2D *extent)
{
    (void)surface;
    *extent = (VkExtent2D){UINT32_MAX, UINT32_MAX};
    return VK_SUCCESS;
}

/* --- the presenter --- */

static VkResult attach(struct gvk_presenter *presenter, uint32_t index,
                       const struct gvk_picture *picture, int fd)
{
    (void)presenter;
    (void)index;
    (void)picture;
    sl_fd_close(&fd);
    return VK_SUCCESS;
}

static VkResult show(struct gvk_presenter *presenter, uint32_t index, const uint32_t *stop)
{
    (void)presenter;
    (void)index;
    (void)stop;
    return VK_SUCCESS;
}

static VkResult look(struct gvk_presenter *presenter)
{
    (void)presenter;
    return VK_SUCCESS;
}

static bool busy(struct gvk_presenter *presenter, uint32_t index)
{
    (void)presenter;
    (void)index;
    return false;
}

static void wait_some(struct gvk_presenter *presenter, int wake_fd, int64_t timeout_ns)
{
    (void)presenter; /* there is nobody else to wait for */
    enum sl_result r = sl_fd_wait(wake_fd, timeout_ns);
    (void)r;
}

static void destroy(struct gvk_presenter *presenter)
{
    sl_free(presenter);
}

static const struct gvk_presenter_ops presenter_ops = {.attach = attach,
                                                       .show = show,
                                                       .look = look,
                                                       .busy = busy,
                                                       .wait = wait_some,
                                                       .destroy = destroy};

static VkResult presenter_create(struct gvk_surface *surface, const VkSwapchainCreateInfoKHR *info,
                                 uint32_t count, struct gvk_presenter **out)
{
    (void)surface;
    (void)info;
    (void)count;
    struct gvk_presenter *presenter = sl_alloc(sizeof *presenter);
    if (presenter == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    presenter->ops = &presenter_ops;
    *out = presenter;
    return VK_SUCCESS;
}

/* --- the surface --- */

static const struct gvk_surface_ops ops = {
    .capabilities = capabilities,
    .formats = formats,
    .modes = {VK_PRESENT_MODE_IMMEDIATE_KHR, VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_FIFO_KHR,
              VK_PRESENT_MODE_FIFO_RELAXED_KHR},
    .mode_count = 4,
    .size = size,
    .presenter_create = presenter_create};

VkResult gvk_vkCreateHeadlessSurfaceEXT(VkInstance instance,
                                        const VkHeadlessSurfaceCreateInfoEXT *pCreateInfo,
                                        const VkAllocationCallbacks *pAllocator,
                                        VkSurfaceKHR *pSurface)
{
    (void)pCreateInfo;
    struct gvk_surface *surface;
    VkResult result = gvk_surface_create(instance, pAllocator, &ops, &surface);
    if (result == VK_SUCCESS) {
        *pSurface = GVK_TO(VkSurfaceKHR, surface);
    }
    return result;
}
