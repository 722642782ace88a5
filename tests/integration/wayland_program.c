/* A window on a Wayland compositor: pictures that are the same each time, the window resized
 * between them, natively and through Sluice.
 *
 * usage: wayland_program [COLOR ALPHA [LOST]]
 *
 * COLOR, ALPHA: bits of the window's channels, else 8 8. LOST: what its host's end leaves it:
 * `surface`, or `window` for a surface that is made anew. It says `lose` and waits for a line, by
 * which another host is there; it is told of the loss and begins again with a new context.
 *
 * Prints what EGL says of each frame and a hash of its pixels, then `shown` when the compositor has
 * taken the last one, which stays until stdin ends. Plain EGL and libwayland; ends with 1 and a
 * line on stderr where something cannot be had. */
#include "tests/integration/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wayland-client.h>
#include <wayland-egl.h>

enum { WIDTH = 800, HEIGHT = 600 };

/* --- xdg_shell, as much as a window needs of it --- */

enum {
    WM_BASE_GET_XDG_SURFACE = 2,
    WM_BASE_PONG = 3,
    XDG_SURFACE_GET_TOPLEVEL = 1,
    XDG_SURFACE_ACK_CONFIGURE = 4,
    TOPLEVEL_SET_FULLSCREEN = 11,
};

static const struct wl_interface xdg_surface_interface, toplevel_interface;
static const struct wl_interface *no_types[4];
static const struct wl_interface *get_xdg_surface_types[] = {&xdg_surface_interface,
                                                             &wl_surface_interface};
static const struct wl_interface *get_toplevel_types[] = {&toplevel_interface};

/* Requests that are not sent stand there for their numbers. */
#define UNSENT                                                                                     \
    {                                                                                              \
        "unsent", "", no_types                                                                     \
    }
static const struct wl_message wm_base_requests[] = {
    UNSENT, UNSENT, {"get_xdg_surface", "no", get_xdg_surface_types}, {"pong", "u", no_types}};
static const struct wl_message wm_base_events[] = {{"ping", "u", no_types}};
static const struct wl_interface wm_base_interface = {"xdg_wm_base",    1, 4,
                                                      wm_base_requests, 1, wm_base_events};
static const struct wl_message xdg_surface_requests[] = {UNSENT,
                                                         {"get_toplevel", "n", get_toplevel_types},
                                                         UNSENT,
                                                         UNSENT,
                                                         {"ack_configure", "u", no_types}};
static const struct wl_message xdg_surface_events[] = {{"configure", "u", no_types}};
static const struct wl_interface xdg_surface_interface = {
    "xdg_surface", 1, 5, xdg_surface_requests, 1, xdg_surface_events};
static const struct wl_message toplevel_requests[] = {
    UNSENT, UNSENT, UNSENT, UNSENT, UNSENT, UNSENT,
    UNSENT, UNSENT, UNSENT, UNSENT, UNSENT, {"set_fullscreen", "?o", no_types}};
static const struct wl_message toplevel_events[] = {{"configure", "iia", no_types},
                                                    {"close", "", no_types}};
static const struct wl_interface toplevel_interface = {"xdg_toplevel",    1, 12,
                                                       toplevel_requests, 2, toplevel_events};

/* --- the window --- */

static struct window {
    struct wl_display *display;
    struct wl_compositor *compositor;
    struct wl_proxy *wm_base, *xdg_surface, *toplevel;
    struct wl_surface *surface;
    struct wl_egl_window *native;
    bool configured;
} window;

static void on_ping(void *user, struct wl_proxy *wm_base, uint32_t serial)
{
    (void)user;
    wl_proxy_marshal(wm_base, WM_BASE_PONG, serial);
}

static void on_configure(void *user, struct wl_proxy *surface, uint32_t serial)
{
    struct window *w = user;
    wl_proxy_marshal(surface, XDG_SURFACE_ACK_CONFIGURE, serial);
    w->configured = true;
}

static void on_toplevel(void *user, struct wl_proxy *toplevel, int32_t width, int32_t height,
                        struct wl_array *states)
{
    (void)user, (void)toplevel, (void)width, (void)height, (void)states;
}

static void on_close(void *user, struct wl_proxy *toplevel)
{
    (void)user, (void)toplevel;
}

static void on_global(void *user, struct wl_registry *registry, uint32_t name,
                      const char *interface, uint32_t version)
{
    struct window *w = user;
    static void (*listener[])(void) = {(void (*)(void))on_ping};
    if (strcmp(interface, "wl_compositor") == 0) {
        w->compositor =
            wl_registry_bind(registry, name, &wl_compositor_interface, version < 4 ? version : 4);
    } else if (strcmp(interface, "xdg_wm_base") == 0) {
        w->wm_base = wl_registry_bind(registry, name, &wm_base_interface, 1);
        wl_proxy_add_listener(w->wm_base, listener, w);
    }
}

static void on_global_remove(void *user, struct wl_registry *registry, uint32_t name)
{
    (void)user, (void)registry, (void)name;
}

static void window_open(struct window *w)
{
    static const struct wl_registry_listener registry_listener = {on_global, on_global_remove};
    static void (*surface_listener[])(void) = {(void (*)(void))on_configure};
    static void (*toplevel_listener[])(void) = {(void (*)(void))on_toplevel,
                                                (void (*)(void))on_close};
    w->display = wl_display_connect(NULL);
    shown_need(w->display != NULL, "no compositor");
    struct wl_registry *registry = wl_display_get_registry(w->display);
    wl_registry_add_listener(registry, &registry_listener, w);
    wl_display_roundtrip(w->display);
    shown_need(w->compositor != NULL && w->wm_base != NULL, "the compositor's globals");
    w->surface = wl_compositor_create_surface(w->compositor);
    w->xdg_surface = wl_proxy_marshal_constructor(w->wm_base, WM_BASE_GET_XDG_SURFACE,
                                                  &xdg_surface_interface, NULL, w->surface);
    wl_proxy_add_listener(w->xdg_surface, surface_listener, w);
    w->toplevel = wl_proxy_marshal_constructor(w->xdg_surface, XDG_SURFACE_GET_TOPLEVEL,
                                               &toplevel_interface, NULL);
    wl_proxy_add_listener(w->toplevel, toplevel_listener, w);
    wl_proxy_marshal(w->toplevel, TOPLEVEL_SET_FULLSCREEN, NULL);
    wl_surface_commit(w->surface);
    while (!w->configured) {
        shown_need(wl_display_dispatch(w->display) >= 0, "the compositor went away");
    }
    w->native = wl_egl_window_create(w->surface, WIDTH / 2, HEIGHT / 2);
    shown_need(w->native != NULL, "no wl_egl_window");
}

/* --- pictures --- */

static uint32_t hash(int width, int height)
{
    uint8_t *pixels = shown_read(width, height);
    uint32_t h = shown_hash(pixels, (size_t)width * (size_t)height * 4);
    free(pixels);
    return h;
}

static void frame(EGLDisplay display, EGLSurface surface, uint32_t n)
{
    EGLint width = 0, height = 0;
    /* A window's size counts from the first drawing after it changed. */
    glClear(GL_COLOR_BUFFER_BIT);
    eglQuerySurface(display, surface, EGL_WIDTH, &width);
    eglQuerySurface(display, surface, EGL_HEIGHT, &height);
    shown_draw(n, width, height);
    printf("frame %u: %dx%d, pixels %08x, error 0x%x\n", (unsigned)n, width, height,
           (unsigned)hash(width, height), (unsigned)glGetError());
    shown_need(eglSwapBuffers(display, surface), "eglSwapBuffers");
    shown_need(wl_display_dispatch_pending(window.display) >= 0, "the compositor went away");
}

static void say_attached(const struct window *w, const char *when)
{
    int width, height;
    wl_egl_window_get_attached_size(w->native, &width, &height);
    printf("%s: %dx%d attached\n", when, width, height);
}

static void on_frame(void *user, struct wl_callback *callback, uint32_t time)
{
    (void)time;
    *(bool *)user = true;
    wl_callback_destroy(callback);
}

/* Until the compositor has shown what it has. */
static void settle(struct window *w)
{
    static const struct wl_callback_listener listener = {on_frame};
    for (int i = 0; i < 3; i++) {
        bool done = false;
        wl_callback_add_listener(wl_surface_frame(w->surface), &listener, &done);
        wl_surface_damage(w->surface, 0, 0, WIDTH, HEIGHT);
        wl_surface_commit(w->surface);
        while (!done) {
            shown_need(wl_display_dispatch(w->display) >= 0, "the compositor went away");
        }
    }
}

static void say_intervals(EGLDisplay display, EGLConfig config)
{
    EGLint least = -1, most = -1;
    eglGetConfigAttrib(display, config, EGL_MIN_SWAP_INTERVAL, &least);
    eglGetConfigAttrib(display, config, EGL_MAX_SWAP_INTERVAL, &most);
    printf("intervals from %d to %d\n", least, most);
}

static void frames(struct window *w, EGLDisplay display, EGLSurface surface)
{
    uint32_t n = 0;
    for (int i = 0; i < 8; i++) { /* at the interval that nobody asked for */
        frame(display, surface, n++);
    }
    for (int interval = 0; interval < 3; interval++) { /* 2 is more than is offered */
        shown_need(eglSwapInterval(display, interval), "eglSwapInterval");
        for (int i = 0; i < 8; i++) {
            frame(display, surface, n++);
        }
    }
    say_attached(w, "before");
    for (int i = 0; i < 6; i++) {
        wl_egl_window_resize(w->native, 300 + i * 50, 500 - i * 60, 0, 0);
        frame(display, surface, n++);
    }
    say_attached(w, "between");
    wl_egl_window_resize(w->native, WIDTH, HEIGHT, 0, 0);
    for (int i = 0; i < 5; i++) {
        frame(display, surface, n++);
    }
    say_attached(w, "after");
    for (int i = 0; i < 8; i++) { /* of which the compositor has let go of what it can each time */
        frame(display, surface, n++);
        shown_need(wl_display_roundtrip(w->display) >= 0, "the compositor went away");
    }
}

static void say_swapped(const struct shown *on, const char *when)
{
    glClear(GL_COLOR_BUFFER_BIT);
    EGLBoolean swapped = eglSwapBuffers(on->display, on->surface);
    printf("%s: swapped %u, error 0x%x\n", when, swapped, (unsigned)eglGetError());
}

/* keeps: the surface that there is. */
static void lose(struct shown *on, bool keeps)
{
    char byte = '\0';
    puts("lose");
    fflush(stdout);
    while (byte != '\n') {
        shown_need(read(STDIN_FILENO, &byte, 1) == 1, "a line");
    }
    say_swapped(on, "lost");
    shown_need(eglMakeCurrent(on->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT),
               "letting go of what is lost");
    shown_need(eglDestroyContext(on->display, on->context), "eglDestroyContext");
    wl_egl_window_resize(window.native, WIDTH / 2, HEIGHT / 2, 0, 0);
    if (!keeps) {
        shown_need(eglDestroySurface(on->display, on->surface), "eglDestroySurface");
        on->surface = eglCreatePlatformWindowSurface(on->display, on->config, window.native, NULL);
        shown_need(on->surface != EGL_NO_SURFACE, "a surface on another host");
    }
    shown_current(on);
}

int main(int argc, char **argv)
{
    struct shown on;
    struct shown_bits bits = {argc > 2 ? atoi(argv[1]) : 8, argc > 2 ? atoi(argv[2]) : 8};
    window_open(&window);
    shown_open(&on, EGL_PLATFORM_WAYLAND_KHR, window.display, window.native, bits);
    EGLSurface second = eglCreatePlatformWindowSurface(on.display, on.config, window.native, NULL);
    printf("a second surface: %s, error 0x%x\n", second == EGL_NO_SURFACE ? "none" : "there",
           (unsigned)eglGetError());
    shown_current(&on);
    say_intervals(on.display, on.config);
    frames(&window, on.display, on.surface);
    if (argc > 3) {
        lose(&on, strcmp(argv[3], "surface") == 0);
        frames(&window, on.display, on.surface);
    }
    settle(&window);
    shown_wait();
    shown_need(eglMakeCurrent(on.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT),
               "letting go");
    shown_need(eglDestroySurface(on.display, on.surface), "eglDestroySurface");
    on.surface = eglCreatePlatformWindowSurface(on.display, on.config, window.native, NULL);
    shown_need(on.surface != EGL_NO_SURFACE, "a surface after the first one");
    shown_need(eglMakeCurrent(on.display, on.surface, on.surface, on.context), "eglMakeCurrent");
    frame(on.display, on.surface, 99);
    wl_egl_window_destroy(window.native); /* before its surface */
    say_swapped(&on, "without a window");
    shown_need(eglMakeCurrent(on.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT),
               "letting go of no window");
    EGLBoolean current = eglMakeCurrent(on.display, on.surface, on.surface, on.context);
    printf("current without a window: %u, error 0x%x\n", current, (unsigned)eglGetError());
    say_swapped(&on, "still without a window");
    shown_need(eglTerminate(on.display), "eglTerminate");
    wl_surface_destroy(window.surface);
    wl_display_disconnect(window.display);
    return 0;
}
