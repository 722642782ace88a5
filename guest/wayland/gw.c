#include "guest/wayland/gw.h"

#include "guest/wayland/gw_wire.h"
#include "transport/base/fd.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct symbol {
    const char *name;
    size_t offset; /* in struct gw */
};

#define SYMBOL(member)                                                                             \
    {                                                                                              \
        "wl_" #member, offsetof(struct gw, member)                                                 \
    }
static const struct symbol symbols[] = {
    SYMBOL(display_connect),
    SYMBOL(display_disconnect),
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

bool gw_load(struct gw *wl)
{
    *wl = (struct gw){.library = dlopen("libwayland-client.so.0", RTLD_NOW | RTLD_LOCAL)};
    bool all = wl->library != NULL;
    for (size_t i = 0; all && i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = dlsym(wl->library, symbols[i].name);
        memcpy((char *)wl + symbols[i].offset, &address, sizeof address);
        all = address != NULL;
    }
    if (!all) {
        gw_unload(wl);
    }
    return all;
}

void gw_unload(struct gw *wl)
{
    if (wl->library != NULL) {
        dlclose(wl->library); /* it stays: the program's connection is behind it */
        wl->library = NULL;
    }
}

bool gw_wait(const struct gw *wl, struct wl_display *display, struct wl_event_queue *queue,
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

static void on_format(void *user, struct wl_proxy *proxy, uint32_t format)
{
    struct gw_shm *shm = user;
    (void)proxy;
    if (shm->format_count < GW_FORMATS_MAX) {
        shm->formats[shm->format_count++] = format;
    }
}

static void on_global(void *user, struct wl_proxy *registry, uint32_t name, const char *interface,
                      uint32_t version)
{
    struct gw_shm *shm = user;
    (void)version;
    if (shm->shm != NULL || strcmp(interface, "wl_shm") != 0) {
        return;
    }
    union wl_argument args[4] = {{.u = name}, {.s = interface}, {.u = 1}, {.o = NULL}};
    shm->shm = shm->wl->proxy_marshal_array_constructor_versioned(registry, GW_REGISTRY_BIND, args,
                                                                  shm->wl->shm_interface, 1);
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

bool gw_shm_open(const struct gw *wl, struct wl_display *display, struct gw_shm *shm)
{
    static void (*listener[])(void) = {(void (*)(void))on_global, (void (*)(void))on_global_remove};
    *shm = (struct gw_shm){.wl = wl, .queue = wl->display_create_queue(display)};
    struct wl_proxy *wrapper = shm->queue != NULL ? wl->proxy_create_wrapper(display) : NULL;
    if (wrapper != NULL) { /* so that the registry's events never fall into another queue */
        wl->proxy_set_queue(wrapper, shm->queue);
        union wl_argument args[1] = {{.o = NULL}};
        shm->registry = wl->proxy_marshal_array_constructor_versioned(
            wrapper, GW_DISPLAY_GET_REGISTRY, args, wl->registry_interface, 1);
        wl->proxy_wrapper_destroy(wrapper);
    }
    bool ok = shm->registry != NULL && wl->proxy_add_listener(shm->registry, listener, shm) == 0 &&
              wl->display_roundtrip_queue(display, shm->queue) >= 0 && shm->shm != NULL &&
              wl->display_roundtrip_queue(display, shm->queue) >= 0;
    if (!ok) {
        gw_shm_close(shm);
    }
    return ok;
}

void gw_shm_close(struct gw_shm *shm)
{
    if (shm->shm != NULL) {
        shm->wl->proxy_destroy(shm->shm);
    }
    if (shm->registry != NULL) {
        shm->wl->proxy_destroy(shm->registry);
    }
    if (shm->queue != NULL) {
        shm->wl->event_queue_destroy(shm->queue);
    }
    *shm = (struct gw_shm){0};
}

bool gw_shm_has(const struct gw_shm *shm, uint32_t format)
{
    for (uint32_t i = 0; i < shm->format_count; i++) {
        if (shm->formats[i] == format) {
            return true;
        }
    }
    return false;
}
