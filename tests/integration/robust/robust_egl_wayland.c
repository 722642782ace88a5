/* The display of a Wayland compositor, and a window there that is never shown. */
#include "tests/integration/robust/robust_egl_sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wayland-client.h>
#include <wayland-egl.h>

static struct wl_display *connection; /* until the program ends */

bool sweep_wayland_open(struct plain_egl *egl)
{
    connection = wl_display_connect(NULL);
    if (connection == NULL) {
        return false;
    }
    egl->display = eglGetPlatformDisplay(EGL_PLATFORM_WAYLAND_KHR, connection, NULL);
    return eglInitialize(egl->display, NULL, NULL) && eglBindAPI(EGL_OPENGL_ES_API);
}

static void on_global(void *user, struct wl_registry *registry, uint32_t name,
                      const char *interface, uint32_t version)
{
    struct wl_compositor **compositor = user;
    (void)version;
    if (strcmp(interface, wl_compositor_interface.name) == 0) {
        *compositor = wl_registry_bind(registry, name, &wl_compositor_interface, 1);
    }
}

static void on_global_remove(void *user, struct wl_registry *registry, uint32_t name)
{
    (void)user;
    (void)registry;
    (void)name;
}

void sweep_wayland_windows(const struct plain_egl *of)
{
    static const struct wl_registry_listener listener = {on_global, on_global_remove};
    static const EGLint wanted[] = {EGL_SURFACE_TYPE,    EGL_WINDOW_BIT,     EGL_ALPHA_SIZE, 8,
                                    EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_NONE};
    struct plain_egl egl = *of;
    struct wl_compositor *compositor = NULL;
    EGLint count = 0;
    struct wl_registry *registry = wl_display_get_registry(connection);
    wl_registry_add_listener(registry, &listener, &compositor);
    wl_display_roundtrip(connection);
    wl_registry_destroy(registry);
    eglChooseConfig(egl.display, wanted, &egl.config, 1, &count);
    if (compositor == NULL || count == 0) {
        fputs("robust_egl_sweep: no compositor, or no configuration for its windows\n", stderr);
        exit(1);
    }
    struct wl_surface *surface = wl_compositor_create_surface(compositor);
    struct wl_egl_window *window = wl_egl_window_create(surface, 4, 4);
    sweep_window(&egl, (EGLNativeWindowType)window);
    wl_egl_window_destroy(window);
    wl_surface_destroy(surface);
    wl_compositor_destroy(compositor);
}
