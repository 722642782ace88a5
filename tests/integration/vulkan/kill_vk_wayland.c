/* A surface of a Wayland compositor that no shell shows: its pictures are taken and given back all
 * the same, but it is never told to draw the next one. libwayland is loaded: its headers may be
 * missing. */
#include "tests/integration/vulkan/kill_vk.h"

#include <dlfcn.h>
#include <string.h>

enum { DISPLAY_GET_REGISTRY = 1, REGISTRY_BIND = 0, COMPOSITOR_CREATE_SURFACE = 0 };

struct wl_interface;
struct wl_proxy;
union wl_argument {
    uint32_t u;
    const char *s;
    void *o;
};

static struct {
    struct wl_display *(*display_connect)(const char *name);
    int (*display_roundtrip)(struct wl_display *display);
    struct wl_proxy *(*make)(void *parent, uint32_t opcode, union wl_argument *args,
                             const struct wl_interface *interface, uint32_t version);
    int (*add_listener)(struct wl_proxy *proxy, void (*const *listener)(void), void *user);
    const struct wl_interface *registry, *compositor, *surface;
} wl;

static void find(void *library, const char *name, void *out)
{
    void *address = dlsym(library, name);
    vx_need(address != NULL, name);
    memcpy(out, &address, sizeof address);
}

static void load(void)
{
    void *library = dlopen("libwayland-client.so.0", RTLD_NOW | RTLD_LOCAL);
    vx_need(library != NULL, "libwayland-client");
    find(library, "wl_display_connect", &wl.display_connect);
    find(library, "wl_display_roundtrip", &wl.display_roundtrip);
    find(library, "wl_proxy_marshal_array_constructor_versioned", &wl.make);
    find(library, "wl_proxy_add_listener", &wl.add_listener);
    find(library, "wl_registry_interface", &wl.registry);
    find(library, "wl_compositor_interface", &wl.compositor);
    find(library, "wl_surface_interface", &wl.surface);
}

static void on_global(void *user, struct wl_proxy *registry, uint32_t name, const char *interface,
                      uint32_t version)
{
    struct wl_proxy **compositor = user;
    (void)version;
    if (strcmp(interface, "wl_compositor") == 0) {
        union wl_argument args[] = {{.u = name}, {.s = interface}, {.u = 1}, {.o = NULL}};
        *compositor = wl.make(registry, REGISTRY_BIND, args, wl.compositor, 1);
    }
}

static void on_global_remove(void *user, struct wl_proxy *registry, uint32_t name)
{
    (void)user, (void)registry, (void)name;
}

void kv_open_wayland(struct kv *kv)
{
    static void (*const listener[])(void) = {(void (*)(void))on_global,
                                             (void (*)(void))on_global_remove};
    union wl_argument args[] = {{.o = NULL}};
    struct wl_proxy *compositor = NULL;
    load();
    kv->wayland = wl.display_connect(NULL);
    vx_need(kv->wayland != NULL, "a Wayland compositor");
    struct wl_proxy *registry = wl.make(kv->wayland, DISPLAY_GET_REGISTRY, args, wl.registry, 1);
    vx_need(registry != NULL && wl.add_listener(registry, listener, &compositor) == 0, "globals");
    wl.display_roundtrip(kv->wayland);
    vx_need(compositor != NULL, "wl_compositor");
    kv->wl_surface = (struct wl_surface *)(void *)wl.make(compositor, COMPOSITOR_CREATE_SURFACE,
                                                          args, wl.surface, 1);
    vx_need(kv->wl_surface != NULL, "a surface");
}
