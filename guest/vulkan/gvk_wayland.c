#include "guest/vulkan/gvk_wayland.h"

#include "guest/vulkan/gvk_surface.h"
#include "transport/base/fd.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct symbol {
    const char *name;
    size_t offset; /* in struct gvk_wl */
};

#define SYMBOL(member)                                                                             \
    {                                                                                              \
        "wl_" #member, offsetof(struct gvk_wl, member)                                             \
    }
static const struct symbol symbols[] = {
    SYMBOL(display_create_queue),
    SYMBOL(event_queue_destroy),
    SYMBOL(display_roundtrip_queue),
    SYMBOL(display_dispatch_queue_pending),
    SYMBOL(display_prepare_read_queue),
    SYMBOL(display_read_events),
    SYMBOL(display_cancel_read),
    SYMBOL(display_flush),
    SYMBOL(display_get_fd),
    SYMBOL(display_get_error),
    SYMBOL(proxy_create_wrapper),
    SYMBOL(proxy_wrapper_destroy),
    SYMBOL(proxy_set_queue),
    SYMBOL(proxy_marshal_array),
    SYMBOL(proxy_marshal_array_constructor_versioned),
    SYMBOL(proxy_add_listener),
    SYMBOL(proxy_destroy),
    SYMBOL(proxy_get_version),
    SYMBOL(registry_interface),
    SYMBOL(shm_interface),
    SYMBOL(shm_pool_interface),
    SYMBOL(buffer_interface),
    SYMBOL(callback_interface),
};

bool gvk_wl_load(struct gvk_wl *wl)
{
    *wl = (struct gvk_wl){.library = dlopen("libwayland-client.so.0", RTLD_NOW | RTLD_LOCAL)};
    bool all = wl->library != NULL;
    for (size_t i = 0; all && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = dlsym(wl->library, symbols[i].name);
        memcpy((char *)wl + symbols[i].offset, &address, sizeof address);
        all = address != NULL;
    }
    if (!all) {
        gvk_wl_unload(wl);
    }
    return all;
}

void gvk_wl_unload(struct gvk_wl *wl)
{
    if (wl->library != NULL) {
        dlclose(wl->library); /* it stays: the program's connection is behind it */
        wl->library = NULL;
    }
}

bool gvk_wl_wait(const struct gvk_wl *wl, struct wl_display *display, struct wl_event_queue *queue,
                 int wake_fd, int64_t timeout_ns)
{
    int fd = wl->display_get_fd(display);
    if (wl->display_prepare_read_queue(display, queue) == 0) {
        (void)wl->display_flush(display); /* a full socket: the compositor will speak first */
        enum sl_result r = sl_fd_wait_two(fd, wake_fd, timeout_ns);
        if (r == SL_OK && wake_fd >= 0) {
            r = sl_fd_wait(fd, 0); /* only what is there is read: reading waits for other readers */
        }
        if (r == SL_ERR_TIMEOUT) {
            wl->display_cancel_read(display);
        } else if (wl->display_read_events(display) != 0) {
            return false;
        }
    } /* else events lie there already */
    return wl->display_dispatch_queue_pending(display, queue) >= 0 &&
           wl->display_get_error(display) == 0;
}

/* --- shared memory --- */

const struct gvk_wl_format gvk_wl_formats[GVK_WL_FORMAT_COUNT] = {
    {VK_FORMAT_B8G8R8A8_SRGB, 0, 1},
    {VK_FORMAT_B8G8R8A8_UNORM, 0, 1},
    {VK_FORMAT_R5G6B5_UNORM_PACK16, 0x36314752, 0x36314752},
    {VK_FORMAT_R8G8B8A8_SRGB, 0x34324241, 0x34324258},
    {VK_FORMAT_R8G8B8A8_UNORM, 0x34324241, 0x34324258},
    {VK_FORMAT_A2R10G10B10_UNORM_PACK32, 0x30335241, 0x30335258},
    {VK_FORMAT_A2B10G10R10_UNORM_PACK32, 0x30334241, 0x30334258},
};

static void on_format(void *user, struct wl_proxy *proxy, uint32_t format)
{
    struct gvk_wl_shm *shm = user;
    (void)proxy;
    for (uint32_t i = 0; i < GVK_WL_FORMAT_COUNT; i++) {
        shm->formats |= gvk_wl_formats[i].alpha == format ? 1ull << i : 0;
        shm->formats |= gvk_wl_formats[i].opaque == format ? 1ull << (32 + i) : 0;
    }
}

static void on_global(void *user, struct wl_proxy *registry, uint32_t name, const char *interface,
                      uint32_t version)
{
    struct gvk_wl_shm *shm = user;
    (void)version;
    if (shm->shm != NULL || strcmp(interface, "wl_shm") != 0) {
        return;
    }
    union wl_argument args[4] = {{.u = name}, {.s = interface}, {.u = 1}, {.o = NULL}};
    shm->shm = shm->wl->proxy_marshal_array_constructor_versioned(registry, GVK_WL_REGISTRY_BIND,
                                                                  args, shm->wl->shm_interface, 1);
    static void (*listener[])(void) = {(void (*)(void))on_format};
    if (shm->shm != NULL) {
        (void)shm->wl->proxy_add_listener(shm->shm, listener, shm);
    }
}

static void on_global_remove(void *user, struct wl_proxy *registry, uint32_t name)
{
    (void)user;
    (void)registry;
    (void)name;
}

bool gvk_wl_shm_open(const struct gvk_wl *wl, struct wl_display *display, struct gvk_wl_shm *shm)
{
    static void (*listener[])(void) = {(void (*)(void))on_global, (void (*)(void))on_global_remove};
    *shm = (struct gvk_wl_shm){.wl = wl, .queue = wl->display_create_queue(display)};
    struct wl_proxy *wrapper = shm->queue != NULL ? wl->proxy_create_wrapper(display) : NULL;
    if (wrapper != NULL) { /* so that the registry's events never fall into another queue */
        wl->proxy_set_queue(wrapper, shm->queue);
        union wl_argument args[1] = {{.o = NULL}};
        shm->registry = wl->proxy_marshal_array_constructor_versioned(
            wrapper, GVK_WL_DISPLAY_GET_REGISTRY, args, wl->registry_interface, 1);
        wl->proxy_wrapper_destroy(wrapper);
    }
    bool ok = shm->registry != NULL && wl->proxy_add_listener(shm->registry, listener, shm) == 0 &&
              wl->display_roundtrip_queue(display, shm->queue) >= 0 && shm->shm != NULL &&
              wl->display_roundtrip_queue(display, shm->queue) >= 0;
    if (!ok) {
        gvk_wl_shm_close(wl, shm);
    }
    return ok;
}

void gvk_wl_shm_close(const struct gvk_wl *wl, struct gvk_wl_shm *shm)
{
    if (shm->shm != NULL) {
        wl->proxy_destroy(shm->shm);
    }
    if (shm->registry != NULL) {
        wl->proxy_destroy(shm->registry);
    }
    if (shm->queue != NULL) {
        wl->event_queue_destroy(shm->queue);
    }
    *shm = (struct gvk_wl_shm){0};
}
