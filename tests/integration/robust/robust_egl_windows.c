/* Windows, and pixmaps of X11, with every attribute, and each of their attributes set to every
 * value. */
#include "tests/integration/robust/robust_egl_sweep.h"

#include <X11/Xlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    Display *x;
    EGLNativeWindowType window;
    Pixmap pixmap;
    EGLSurface surface; /* whose attributes are set */
} at;

static void made(const struct plain_egl *egl, EGLSurface surface)
{
    EGLint error = eglGetError();
    if (surface != EGL_NO_SURFACE) {
        sweep_ask(egl, surface);
        eglDestroySurface(egl->display, surface);
    }
    printf(" : %x\n", (unsigned)error);
}

static void window(const struct plain_egl *egl, const struct sweep_list *list)
{
    sweep_say("window", list);
    made(egl, eglCreateWindowSurface(egl->display, egl->config, at.window, list->ints));
}

static void pixmap(const struct plain_egl *egl, const struct sweep_list *list)
{
    sweep_say("pixmap", list);
    made(egl, eglCreatePixmapSurface(egl->display, egl->config, at.pixmap, list->ints));
}

static void set(const struct plain_egl *egl, const struct sweep_list *list)
{
    sweep_set(egl, at.surface, list);
}

/* Each of an own surface: what was set before is still there. */
static void set_all(const struct plain_egl *egl, EGLSurface surface)
{
    at.surface = surface;
    sweep_lists("eglSurfaceAttrib", 0, set, egl);
    eglDestroySurface(egl->display, surface);
}

void sweep_window(const struct plain_egl *egl, EGLNativeWindowType native)
{
    at.window = native;
    sweep_lists("eglCreateWindowSurface", 300, window, egl);
    set_all(egl, eglCreateWindowSurface(egl->display, egl->config, native, NULL));
}

/* With the screen's own visual. */
static EGLConfig config_of(const struct plain_egl *egl)
{
    EGLint visual = (EGLint)XVisualIDFromVisual(DefaultVisual(at.x, DefaultScreen(at.x)));
    static const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_WINDOW_BIT | EGL_PIXMAP_BIT,
                                    EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_NONE};
    EGLConfig configs[512];
    EGLint count = 0, its = 0;
    eglChooseConfig(egl->display, wanted, configs, 512, &count);
    for (EGLint i = 0; i < count; i++) {
        eglGetConfigAttrib(egl->display, configs[i], EGL_NATIVE_VISUAL_ID, &its);
        if (its == visual) {
            return configs[i];
        }
    }
    return NULL;
}

void sweep_windows(const struct plain_egl *of)
{
    struct plain_egl egl = *of;
    at.x = XOpenDisplay(NULL);
    egl.config = at.x != NULL ? config_of(&egl) : NULL;
    if (egl.config == NULL) {
        fputs("robust_egl_sweep: no X server, or no configuration for its screen\n", stderr);
        exit(1);
    }
    Window root = DefaultRootWindow(at.x);
    Window own = XCreateSimpleWindow(at.x, root, 0, 0, 4, 4, 0, 0, 0);
    at.pixmap = XCreatePixmap(at.x, root, 4, 4, (unsigned)DefaultDepth(at.x, DefaultScreen(at.x)));
    XSync(at.x, False);
    sweep_window(&egl, own);
    sweep_lists("eglCreatePixmapSurface", 300, pixmap, &egl);
    set_all(&egl, eglCreatePixmapSurface(egl.display, egl.config, at.pixmap, NULL));
    XCloseDisplay(at.x);
}
