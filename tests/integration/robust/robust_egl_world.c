/* The worlds of the calls of EGL: objects of every kind, right, sisters, destroyed, foreign. */
#define EGL_EGLEXT_PROTOTYPES
#include "tests/integration/robust/robust_egl.h"

#include <GLES2/gl2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xcb.h>

enum { SIDE = 16 };

struct regl_world regl_world;

static struct {
    enum regl_platform platform;
    char extensions[8192]; /* of the display and of the client */
    EGLDisplay display, foreign;
    EGLConfig config;
    EGLContext contexts[2];
    EGLSurface surfaces[2], foreign_surface;
    EGLContext foreign_context;
    pthread_t elsewhere;
    bool has_elsewhere;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool is_current, is_over;
} here = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void die(const char *what)
{
    fprintf(stderr, "%s; EGL error 0x%x\n", what, (unsigned)eglGetError());
    exit(1);
}

static void thing(enum regl_kind kind, const char *name, void *handle)
{
    struct regl_world *w = &regl_world;
    w->things[kind][w->counts[kind]++] = (struct regl_thing){name, handle};
}

/* --- the platform --- */

static xcb_screen_t *screen_of(xcb_connection_t *x11)
{
    return xcb_setup_roots_iterator(xcb_get_setup(x11)).data;
}

static uint32_t window_make(xcb_connection_t *x11)
{
    const xcb_screen_t *screen = screen_of(x11);
    uint32_t window = xcb_generate_id(x11);
    xcb_create_window(x11, XCB_COPY_FROM_PARENT, window, screen->root, 0, 0, SIDE, SIDE, 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, screen->root_visual, 0, NULL);
    return window;
}

static EGLDisplay display_get(void)
{
    return here.platform == REGL_X11
               ? eglGetPlatformDisplay(EGL_PLATFORM_XCB_EXT, regl_world.x11, NULL)
               : eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
}

static EGLDisplay foreign_get(void)
{
    EGLint count = 0;
    EGLDeviceEXT device;
    PFNEGLQUERYDEVICESEXTPROC query = (PFNEGLQUERYDEVICESEXTPROC)regl_proc("eglQueryDevicesEXT");
    if (query == NULL || !query(1, &device, &count) || count != 1) {
        die("no device");
    }
    thing(REGL_DEVICE, "device", device);
    return eglGetPlatformDisplay(EGL_PLATFORM_DEVICE_EXT, device, NULL);
}

/* With alpha where a root window has none to show. */
static EGLConfig config_find(EGLDisplay display)
{
    const bool drawables = here.platform == REGL_X11 && display == here.display;
    const EGLint wanted[] = {EGL_SURFACE_TYPE,
                             EGL_PBUFFER_BIT | (drawables ? EGL_WINDOW_BIT | EGL_PIXMAP_BIT : 0),
                             EGL_RENDERABLE_TYPE,
                             EGL_OPENGL_ES2_BIT,
                             EGL_RED_SIZE,
                             8,
                             EGL_ALPHA_SIZE,
                             drawables ? 0 : 8,
                             EGL_DEPTH_SIZE,
                             24,
                             EGL_STENCIL_SIZE,
                             8,
                             EGL_NONE};
    EGLConfig config;
    EGLint count = 0;
    if (!eglChooseConfig(display, wanted, &config, 1, &count) || count != 1) {
        die("no config");
    }
    return config;
}

bool regl_open(enum regl_platform platform)
{
    here.platform = platform;
    if (platform == REGL_X11) {
        regl_world.x11 = xcb_connect(NULL, NULL);
        if (xcb_connection_has_error(regl_world.x11) != 0) {
            return false;
        }
    }
    EGLDisplay display = display_get();
    if (!eglInitialize(display, NULL, NULL)) {
        die("no display");
    }
    snprintf(here.extensions, sizeof here.extensions, " %s %s ",
             eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS),
             eglQueryString(display, EGL_EXTENSIONS));
    eglTerminate(display);
    return true;
}

bool regl_offers(const char *extension)
{
    char word[128];
    snprintf(word, sizeof word, " %s ", extension);
    return strstr(here.extensions, word) != NULL;
}

void regl_close(void)
{
    if (regl_world.x11 != NULL) {
        xcb_disconnect(regl_world.x11);
    }
}

/* --- objects --- */

static EGLContext context_make(EGLDisplay display, EGLConfig config)
{
    static const EGLint version[] = {EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE};
    EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, version);
    if (context == EGL_NO_CONTEXT) {
        die("no context");
    }
    return context;
}

static EGLSurface pbuffer_make(EGLDisplay display, EGLConfig config, bool texture)
{
    const EGLint attribs[] = {EGL_WIDTH,
                              SIDE,
                              EGL_HEIGHT,
                              SIDE,
                              texture ? EGL_TEXTURE_FORMAT : EGL_NONE,
                              EGL_TEXTURE_RGB,
                              EGL_TEXTURE_TARGET,
                              EGL_TEXTURE_2D,
                              EGL_NONE};
    EGLSurface surface = eglCreatePbufferSurface(display, config, attribs);
    if (surface == EGL_NO_SURFACE) {
        die("no pbuffer");
    }
    return surface;
}

static EGLSurface surface_make(void)
{
    if (here.platform == REGL_SURFACELESS) {
        return pbuffer_make(here.display, here.config, false);
    }
    EGLSurface surface = eglCreateWindowSurface(here.display, here.config, regl_world.window, NULL);
    if (surface == EGL_NO_SURFACE) {
        die("no window surface");
    }
    return surface;
}

static EGLImage image_make(void)
{
    return eglCreateImage(here.display, here.contexts[0], EGL_GL_TEXTURE_2D,
                          (EGLClientBuffer)(uintptr_t)regl_world.texture, NULL);
}

/* With the context current: a texture with all of its one level, one without contents. */
static void textures_make(void)
{
    static const uint8_t pixels[SIDE * SIDE * 4];
    GLuint names[2];
    glGenTextures(2, names);
    for (int i = 0; i < 2; i++) {
        glBindTexture(GL_TEXTURE_2D, names[i]);
    }
    glBindTexture(GL_TEXTURE_2D, names[0]);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, SIDE, SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    regl_world.texture = names[0];
}

static void syncs_make(void)
{
    PFNEGLCREATESYNCKHRPROC make = (PFNEGLCREATESYNCKHRPROC)regl_proc("eglCreateSyncKHR");
    thing(REGL_SYNC, "fence", eglCreateSync(here.display, EGL_SYNC_FENCE, NULL));
    thing(REGL_SYNC, "reusable", make(here.display, EGL_SYNC_REUSABLE_KHR, NULL));
    glFinish(); /* the fence is signalled */
}

/* Destroyed ones last: nothing comes to lie where they were. */
static void objects_make(void)
{
    static char nowhere[64];
    here.foreign_context = context_make(here.foreign, config_find(here.foreign));
    here.foreign_surface = pbuffer_make(here.foreign, config_find(here.foreign), false);
    for (int i = 0; i < 2; i++) {
        here.contexts[i] = context_make(here.display, here.config);
    }
    here.surfaces[0] = surface_make();
    here.surfaces[1] = pbuffer_make(here.display, here.config, true);
    if (!eglMakeCurrent(here.display, here.surfaces[0], here.surfaces[0], here.contexts[0])) {
        die("nothing can be made current");
    }
    textures_make();
    syncs_make();
    thing(REGL_IMAGE, "image", image_make());
    EGLImage gone_image = image_make();
    eglMakeCurrent(here.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    EGLContext gone_context = context_make(here.display, here.config);
    EGLSurface gone_surface = pbuffer_make(here.display, here.config, false);
    thing(REGL_CONTEXT, "context", here.contexts[0]);
    thing(REGL_CONTEXT, "sister", here.contexts[1]);
    thing(REGL_CONTEXT, "foreign", here.foreign_context);
    thing(REGL_CONTEXT, "gone", gone_context);
    thing(REGL_SURFACE, "surface", here.surfaces[0]);
    thing(REGL_SURFACE, "texture", here.surfaces[1]);
    thing(REGL_SURFACE, "foreign", here.foreign_surface);
    thing(REGL_SURFACE, "gone", gone_surface);
    thing(REGL_IMAGE, "gone", gone_image);
    for (int kind = 0; kind < REGL_KINDS; kind++) {
        thing((enum regl_kind)kind, "none", NULL);
        thing((enum regl_kind)kind, "wrong", nowhere);
    }
    eglDestroyImage(here.display, gone_image);
    eglDestroySurface(here.display, gone_surface);
    eglDestroyContext(here.display, gone_context);
}

static char thread_label[] = "thread";

/* What messages are to tell the objects by: their names. */
static void labels_set(void)
{
    static const EGLenum types[REGL_KINDS] = {[REGL_DISPLAY] = EGL_OBJECT_DISPLAY_KHR,
                                              [REGL_CONTEXT] = EGL_OBJECT_CONTEXT_KHR,
                                              [REGL_SURFACE] = EGL_OBJECT_SURFACE_KHR,
                                              [REGL_SYNC] = EGL_OBJECT_SYNC_KHR,
                                              [REGL_IMAGE] = EGL_OBJECT_IMAGE_KHR};
    const struct regl_world *w = &regl_world;
    PFNEGLLABELOBJECTKHRPROC label = (PFNEGLLABELOBJECTKHRPROC)regl_proc("eglLabelObjectKHR");
    label(EGL_NO_DISPLAY, EGL_OBJECT_THREAD_KHR, NULL, thread_label);
    for (int kind = 0; kind < REGL_KINDS; kind++) {
        for (int i = 0; i < w->counts[kind] && types[kind] != 0; i++) {
            const struct regl_thing *t = &w->things[kind][i];
            bool foreign = strcmp(t->name, "foreign") == 0;
            if (t->handle != NULL && strcmp(t->name, "wrong") != 0) {
                label(foreign ? here.foreign : here.display, types[kind], t->handle,
                      (EGLLabelKHR)(uintptr_t)t->name);
            }
        }
    }
}

const char *regl_label_name(EGLLabelKHR label)
{
    const struct regl_world *w = &regl_world;
    const char *name = label == NULL ? "-" : label == thread_label ? thread_label : "other";
    for (int kind = 0; kind < REGL_KINDS; kind++) {
        for (int i = 0; i < w->counts[kind]; i++) {
            name = label == w->things[kind][i].name ? w->things[kind][i].name : name;
        }
    }
    return name;
}

/* --- another thread --- */

static void *elsewhere(void *user)
{
    (void)user;
    eglBindAPI(EGL_OPENGL_ES_API);
    if (!eglMakeCurrent(here.display, here.surfaces[0], here.surfaces[0], here.contexts[0])) {
        die("nothing can be made current elsewhere");
    }
    pthread_mutex_lock(&here.lock);
    here.is_current = true;
    pthread_cond_broadcast(&here.changed);
    while (!here.is_over) {
        pthread_cond_wait(&here.changed, &here.lock);
    }
    pthread_mutex_unlock(&here.lock);
    eglMakeCurrent(here.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglReleaseThread();
    return NULL;
}

static void elsewhere_begin(void)
{
    here.is_current = here.is_over = false;
    here.has_elsewhere = pthread_create(&here.elsewhere, NULL, elsewhere, NULL) == 0;
    if (!here.has_elsewhere) {
        die("no thread");
    }
    pthread_mutex_lock(&here.lock);
    while (!here.is_current) {
        pthread_cond_wait(&here.changed, &here.lock);
    }
    pthread_mutex_unlock(&here.lock);
}

static void elsewhere_end(void)
{
    if (!here.has_elsewhere) {
        return;
    }
    pthread_mutex_lock(&here.lock);
    here.is_over = true;
    pthread_cond_broadcast(&here.changed);
    pthread_mutex_unlock(&here.lock);
    pthread_join(here.elsewhere, NULL);
    here.has_elsewhere = false;
}

/* --- worlds --- */

static void scene_make(enum regl_scene scene)
{
    EGLSurface none = EGL_NO_SURFACE, *s = here.surfaces;
    EGLContext *c = here.contexts;
    EGLBoolean done = EGL_TRUE;
    if (scene == REGL_CURRENT || scene == REGL_DESTROYED || scene >= REGL_TERMINATED) {
        done = eglMakeCurrent(here.display, s[0], s[0], c[0]);
    } else if (scene == REGL_SURFACELESS_CONTEXT) {
        done = eglMakeCurrent(here.display, none, none, c[0]);
    } else if (scene == REGL_ELSEWHERE) {
        done = eglMakeCurrent(here.display, s[1], s[1], c[1]);
        elsewhere_begin();
    } else if (scene == REGL_FOREIGN) {
        done = eglMakeCurrent(here.foreign, here.foreign_surface, here.foreign_surface,
                              here.foreign_context);
    }
    if (scene == REGL_DESTROYED) {
        eglDestroySurface(here.display, s[0]);
        eglDestroyContext(here.display, c[0]);
    } else if (scene == REGL_TERMINATED || scene == REGL_AGAIN) {
        done = done && eglTerminate(here.display) && eglTerminate(here.foreign);
        done = done && (scene == REGL_TERMINATED || (eglInitialize(here.display, NULL, NULL) &&
                                                     eglInitialize(here.foreign, NULL, NULL)));
    } else if (scene == REGL_RELEASED) {
        done = done && eglReleaseThread();
    }
    if (!done) {
        die("a scene cannot be made");
    }
}

void regl_world_make(enum regl_scene scene)
{
    struct regl_world *w = &regl_world;
    memset(w->counts, 0, sizeof w->counts);
    here.display = display_get();
    here.foreign = foreign_get();
    if (!eglInitialize(here.display, NULL, NULL) || !eglInitialize(here.foreign, NULL, NULL) ||
        !eglBindAPI(EGL_OPENGL_ES_API)) {
        die("no display");
    }
    if (here.platform == REGL_X11) {
        w->window = window_make(w->x11);
        w->free_window = window_make(w->x11);
        w->pixmap = xcb_generate_id(w->x11);
        xcb_create_pixmap(w->x11, screen_of(w->x11)->root_depth, w->pixmap, w->window, SIDE, SIDE);
        xcb_flush(w->x11);
    }
    here.config = config_find(here.display);
    thing(REGL_DISPLAY, "display", here.display);
    thing(REGL_DISPLAY, "foreign", here.foreign);
    thing(REGL_DISPLAY, "uninitialized", eglGetPlatformDisplay(EGL_PLATFORM_XCB_EXT, NULL, NULL));
    thing(REGL_CONFIG, "config", here.config);
    objects_make();
    labels_set();
    scene_make(scene);
    PFNEGLDEBUGMESSAGECONTROLKHRPROC control =
        (PFNEGLDEBUGMESSAGECONTROLKHRPROC)regl_proc("eglDebugMessageControlKHR");
    control(regl_told, NULL);
    eglGetError();
}

void regl_world_end(void)
{
    struct regl_world *w = &regl_world;
    PFNEGLDEBUGMESSAGECONTROLKHRPROC control =
        (PFNEGLDEBUGMESSAGECONTROLKHRPROC)regl_proc("eglDebugMessageControlKHR");
    control(NULL, NULL);
    elsewhere_end();
    eglBindAPI(EGL_OPENGL_ES_API);
    eglMakeCurrent(here.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    for (int i = 0; i < w->counts[REGL_DISPLAY]; i++) {
        eglTerminate(w->things[REGL_DISPLAY][i].handle);
    }
    eglReleaseThread();
    if (w->x11 != NULL) {
        xcb_free_pixmap(w->x11, w->pixmap);
        xcb_destroy_window(w->x11, w->window);
        xcb_destroy_window(w->x11, w->free_window);
        xcb_flush(w->x11);
    }
}
