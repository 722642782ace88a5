#include "host/gles/egl_driver.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- environment --- */

/* What would make glvnd load our own vendor library, and that find a host: the host draws natively.
 * Set aside while the driver is found (glvnd looks at it once), then put back: the caller may start
 * programs with it. */
static const char *const guest_variables[] = {"__EGL_VENDOR_LIBRARY_FILENAMES",
                                              "__EGL_VENDOR_LIBRARY_DIRS", "SLUICE_SOCKET",
                                              "LIBGL_ALWAYS_SOFTWARE"};
enum { SOFTWARE = 3, VARIABLES = sizeof guest_variables / sizeof guest_variables[0] };

static void hide_environment(const struct hct_options *o, char *saved[VARIABLES])
{
    for (int i = 0; i < VARIABLES; i++) {
        const char *value = getenv(guest_variables[i]);
        saved[i] = value != NULL ? sl_strdup(value) : NULL;
        if (i != SOFTWARE) {
            unsetenv(guest_variables[i]);
        }
    }
    if (o->egl_vendor != NULL) {
        setenv(guest_variables[0], o->egl_vendor, 1);
    }
    if (o->software) { /* Mesa takes no GPU then */
        setenv(guest_variables[SOFTWARE], "1", 1);
    }
}

static void restore_environment(char *saved[VARIABLES])
{
    for (int i = 0; i < VARIABLES; i++) {
        if (saved[i] != NULL) {
            setenv(guest_variables[i], saved[i], 1);
        } else {
            unsetenv(guest_variables[i]);
        }
        sl_free(saved[i]);
    }
}

/* --- libraries --- */

static void *egl_symbol(struct hgl_driver *d, const char *name)
{
    void *p = dlsym(d->egl_library, name);
    return p != NULL || d->native.egl.GetProcAddress == NULL
               ? p
               : (void *)d->native.egl.GetProcAddress(name);
}

static bool load_egl(struct hgl_driver *d)
{
    struct hs_egl *egl = &d->native.egl;
    bool all = true;
    *(void **)&egl->GetProcAddress = dlsym(d->egl_library, "eglGetProcAddress");
#define LOAD_CORE(name, upper)                                                                     \
    *(void **)&egl->name = egl_symbol(d, "egl" #name);                                             \
    all = all && egl->name != NULL;
    HS_EGL_CORE(LOAD_CORE)
#undef LOAD_CORE
    return all;
}

static void load_egl_extras(struct hgl_driver *d)
{
    struct hs_egl *egl = &d->native.egl;
#define LOAD_EXTRA(name, upper) *(void **)&egl->name = egl_symbol(d, "egl" #name);
    HS_EGL_EXTRA(LOAD_EXTRA)
#undef LOAD_EXTRA
}

struct lookup {
    struct hgl_driver *driver;
    void *library;
};

static void *gl_symbol(void *user, const char *name)
{
    const struct lookup *l = user;
    void *p = l->library != NULL ? dlsym(l->library, name) : NULL;
    return p != NULL ? p : (void *)l->driver->native.egl.GetProcAddress(name);
}

static bool open_libraries(struct hgl_driver *d, const struct hct_options *o)
{
    const char *name = o->egl_library != NULL ? o->egl_library : "libEGL.so.1";
    d->egl_library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (d->egl_library == NULL) {
        sl_error("gles", "no native EGL: %s; install libegl1 and a driver (Debian: libegl-mesa0)",
                 dlerror());
        return false;
    }
    d->gles2_library = dlopen("libGLESv2.so.2", RTLD_NOW | RTLD_LOCAL);
    d->gles1_library = dlopen("libGLESv1_CM.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!load_egl(d)) {
        sl_error("gles", "%s lacks functions of EGL 1.4", name);
        return false;
    }
    return true;
}

/* --- display --- */

static bool listed(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p != NULL && (p = strstr(p, word)) != NULL; p += n) {
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool init_display(struct hgl_driver *d, EGLDisplay display, const char *kind,
                         const char **chosen)
{
    struct hs_native *n = &d->native;
    if (display == EGL_NO_DISPLAY || !n->egl.Initialize(display, &n->egl_major, &n->egl_minor)) {
        return false;
    }
    n->display = display;
    *chosen = kind;
    return true;
}

/* Surfaceless first: it needs no window system and finds the GPU by itself; then the first device;
 * then whatever the default is. */
static bool open_display(struct hgl_driver *d, const char **chosen)
{
    const struct hs_egl *egl = &d->native.egl;
    const char *client = egl->QueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
    if (egl->GetPlatformDisplayEXT != NULL && listed(client, "EGL_MESA_platform_surfaceless") &&
        init_display(
            d, egl->GetPlatformDisplayEXT(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL),
            "surfaceless", chosen)) {
        return true;
    }
    EGLDeviceEXT devices[16];
    EGLint count = 0;
    if (egl->GetPlatformDisplayEXT != NULL && egl->QueryDevicesEXT != NULL &&
        egl->QueryDevicesEXT(16, devices, &count)) {
        for (EGLint i = 0; i < count; i++) {
            if (init_display(d,
                             egl->GetPlatformDisplayEXT(EGL_PLATFORM_DEVICE_EXT, devices[i], NULL),
                             "device", chosen)) {
                return true;
            }
        }
    }
    return init_display(d, egl->GetDisplay(EGL_DEFAULT_DISPLAY), "default display", chosen);
}

/* --- configs --- */

static int32_t attribute(const struct hs_native *n, EGLConfig config, EGLint name)
{
    EGLint value = 0;
    if (!n->egl.GetConfigAttrib(n->display, config, name, &value)) {
        (void)n->egl.GetError();
        return 0;
    }
    return value;
}

static bool is_float(const struct hs_native *n, EGLConfig config)
{
    return attribute(n, config, EGL_COLOR_COMPONENT_TYPE_EXT) == EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT;
}

static void fill_config(const struct hs_native *n, struct hs_config *c, EGLConfig config)
{
    c->config = config;
    c->is_float = is_float(n, config);
    for (uint32_t i = 0; i < HS_CONFIG_ATTRIBUTES; i++) {
        int32_t name = hs_config_attributes[i];
        int32_t value =
            name == 0x3030
                ? 0
                : attribute(n, config, name); /* PRESERVED_RESOURCES was never an EGL attribute */
        c->values[i] = name == EGL_SURFACE_TYPE ? value | EGL_WINDOW_BIT : value;
    }
}

/* Those that guests can have, of one kind of channels. */
static void take_configs(struct hgl_driver *d, const EGLConfig *all, EGLint count, bool floats)
{
    struct hs_native *n = &d->native;
    for (EGLint i = 0; i < count; i++) {
        bool pbuffer = (attribute(n, all[i], EGL_SURFACE_TYPE) & EGL_PBUFFER_BIT) != 0;
        bool es2 = (attribute(n, all[i], EGL_RENDERABLE_TYPE) & EGL_OPENGL_ES2_BIT) != 0;
        bool rgb = attribute(n, all[i], EGL_RED_SIZE) > 0 &&
                   attribute(n, all[i], EGL_GREEN_SIZE) > 0 &&
                   attribute(n, all[i], EGL_BLUE_SIZE) > 0;
        if (pbuffer && es2 && rgb && is_float(n, all[i]) == floats) {
            fill_config(n, &d->configs[n->config_count++], all[i]);
        }
    }
}

static bool load_configs(struct hgl_driver *d)
{
    struct hs_native *n = &d->native;
    EGLint count = 0;
    if (!n->egl.GetConfigs(n->display, NULL, 0, &count) || count <= 0 || count > 4096) {
        return false;
    }
    EGLConfig *all = sl_alloc_array((size_t)count, sizeof *all);
    d->configs = sl_alloc_array((size_t)count, sizeof *d->configs);
    if (all == NULL || d->configs == NULL || !n->egl.GetConfigs(n->display, all, count, &count)) {
        sl_free(all);
        return false;
    }
    /* renderControl has no attribute that tells float channels apart: a guest would take them for
     * more bits. */
    take_configs(d, all, count, false);
    n->fixed_count = n->config_count;
    take_configs(d, all, count, true);
    sl_free(all);
    n->configs = d->configs;
    n->helper_config = n->fixed_count > 0 ? d->configs[0].config : NULL;
    return n->fixed_count > 0;
}

/* --- what it can do --- */

static void read_display_extensions(struct hgl_driver *d)
{
    struct hs_native *n = &d->native;
    const char *e = n->egl.QueryString(n->display, EGL_EXTENSIONS);
    bool egl15 = n->egl_major > 1 || n->egl_minor >= 5;
    n->surfaceless_context = listed(e, "EGL_KHR_surfaceless_context");
    n->no_config_context = listed(e, "EGL_KHR_no_config_context");
    n->fence_sync = listed(e, "EGL_KHR_fence_sync") && n->egl.CreateSyncKHR != NULL &&
                    n->egl.ClientWaitSyncKHR != NULL;
    n->wait_sync = listed(e, "EGL_KHR_wait_sync") && n->egl.WaitSyncKHR != NULL;
    n->image = listed(e, "EGL_KHR_image_base") && listed(e, "EGL_KHR_gl_texture_2D_image") &&
               n->egl.CreateImageKHR != NULL && n->egl.DestroyImageKHR != NULL &&
               d->gl.EGLImageTargetTexture2DOES != NULL;
    n->robust = listed(e, "EGL_EXT_create_context_robustness") || egl15;
}

static EGLContext probe_context(const struct hs_native *n, EGLint version)
{
    const EGLint attribs[] = {EGL_CONTEXT_CLIENT_VERSION, version, EGL_NONE};
    return n->egl.CreateContext(n->display, n->helper_config, EGL_NO_CONTEXT, attribs);
}

/* Version, renderer and extensions need a context: one is made for that, on this thread. */
static bool probe(struct hgl_driver *d, const char *display_kind)
{
    struct hs_native *n = &d->native;
    struct hs_thread thread;
    static const EGLint tiny[] = {EGL_WIDTH, 1, EGL_HEIGHT, 1, EGL_NONE};
    n->egl.BindAPI(EGL_OPENGL_ES_API);
    EGLContext context = probe_context(n, 3);
    context = context != EGL_NO_CONTEXT ? context : probe_context(n, 2);
    EGLSurface surface = context != EGL_NO_CONTEXT
                             ? n->egl.CreatePbufferSurface(n->display, n->helper_config, tiny)
                             : EGL_NO_SURFACE;
    hs_thread_init(&thread, n);
    bool ok = surface != EGL_NO_SURFACE && hs_thread_bind(&thread, context, surface, surface);
    if (ok) {
        unsigned major = 0, minor = 0;
        const char *version = (const char *)d->gl.GetString(GL_VERSION),
                   *renderer = (const char *)d->gl.GetString(GL_RENDERER);
        const char *extensions = (const char *)d->gl.GetString(GL_EXTENSIONS);
        ok = version != NULL && sscanf(version, "OpenGL ES %u.%u", &major, &minor) == 2;
        n->gles_version = major * 10 + minor;
        n->read_bgra = listed(extensions, "GL_EXT_read_format_bgra");
        n->reverse_rows = listed(extensions, "GL_ANGLE_pack_reverse_row_order");
        n->image = n->image && listed(extensions, "GL_OES_EGL_image");
        snprintf(d->description, sizeof d->description, "%s, %s, %s",
                 renderer != NULL ? renderer : "unknown renderer",
                 version != NULL ? version : "no version", display_kind);
    }
    (void)hs_thread_bind(&thread, EGL_NO_CONTEXT, EGL_NO_SURFACE, EGL_NO_SURFACE);
    if (surface != EGL_NO_SURFACE) {
        n->egl.DestroySurface(n->display, surface);
    }
    if (context != EGL_NO_CONTEXT) {
        n->egl.DestroyContext(n->display, context);
    }
    n->gles1 = d->gles1_library != NULL &&
               (attribute(n, n->helper_config, EGL_RENDERABLE_TYPE) & EGL_OPENGL_ES_BIT) != 0;
    (void)n->egl.GetError();
    n->egl.ReleaseThread();
    return ok;
}

/* What the open display's driver can do. NULL: all that is needed; else what is missing. */
static const char *load_display(struct hgl_driver *d, const char *kind)
{
    if (!load_configs(d)) {
        return "the native EGL display has no RGB pbuffer config for GLES 2";
    }
    read_display_extensions(d);
    return probe(d, kind) ? NULL : "the native driver gives no GLES context";
}

static void close_display(struct hgl_driver *d)
{
    if (d->native.display != EGL_NO_DISPLAY) {
        d->native.egl.Terminate(d->native.display);
        d->native.egl.ReleaseThread();
    }
    sl_free(d->configs);
    d->configs = NULL;
    d->native.configs = NULL;
    d->native.config_count = 0;
    d->native.fixed_count = 0;
    d->native.display = EGL_NO_DISPLAY;
}

/* --- which GPU --- */

static bool within(const char *text, const char *name)
{
    size_t length = strlen(text);
    while (*name != '\0' && strncasecmp(name, text, length) != 0) {
        name++;
    }
    return *name != '\0';
}

/* An index, or part of a renderer's name. EGL tells no UUIDs. Leaves its display open and loaded;
 * NOTFOUND: there is none, which was said. */
static enum sl_result open_gpu(struct hgl_driver *d, const char *gpu)
{
    const struct hs_egl *egl = &d->native.egl;
    EGLDeviceEXT devices[16];
    EGLint count = 0;
    char there[512] = "none";
    char *end;
    unsigned long index = strtoul(gpu, &end, 10);
    bool is_index = *gpu >= '0' && *gpu <= '9' && *end == '\0';
    if (egl->GetPlatformDisplayEXT == NULL || egl->QueryDevicesEXT == NULL ||
        !egl->QueryDevicesEXT(16, devices, &count)) {
        count = 0;
    }
    for (EGLint i = 0, used = 0; i < count; i++) {
        const char *kind = "";
        EGLDisplay display = egl->GetPlatformDisplayEXT(EGL_PLATFORM_DEVICE_EXT, devices[i], NULL);
        bool usable = init_display(d, display, "device", &kind) && load_display(d, kind) == NULL;
        if (usable && (is_index ? index == (unsigned long)i : within(gpu, d->description))) {
            return SL_OK;
        }
        if (used < (EGLint)sizeof there) {
            used += snprintf(there + used, sizeof there - (size_t)used, "%s%d: %.120s",
                             used == 0 ? "" : "; ", i, usable ? d->description : "unusable");
        }
        sl_modules_pin(); /* before its driver is unloaded with it */
        close_display(d);
    }
    sl_warn("gles", "not offered: no EGL device is '%s'; choose from %s", gpu, there);
    return SL_ERR_NOTFOUND;
}

static enum sl_result open_driver(struct hgl_driver *d, const struct hct_options *o)
{
    const char *kind = "";
    *d = (struct hgl_driver){.native = {.display = EGL_NO_DISPLAY}};
    d->native.gl = &d->gl;
    d->native.gl1 = &d->gl1;
    if (!open_libraries(d, o)) {
        hgl_driver_close(d);
        return SL_ERR_UNSUPPORTED;
    }
    load_egl_extras(d);
    struct lookup es2 = {d, d->gles2_library}, es1 = {d, d->gles1_library};
    gl_driver_load(&d->gl, gl_symbol, &es2);
    gl_driver_load(&d->gl1, gl_symbol, &es1);
    d->guest_gl = d->gl;
    d->guest_gl1 = d->gl1;
    if (o->null) {
        gl_driver_null(&d->guest_gl);
        gl_driver_null(&d->guest_gl1);
    }
    if (o->gpu != NULL) {
        enum sl_result result = open_gpu(d, o->gpu);
        sl_modules_pin();
        if (result != SL_OK) {
            hgl_driver_close(d);
        }
        return result;
    }
    const char *failed =
        open_display(d, &kind) ? load_display(d, kind) : "no native EGL display can be opened";
    sl_modules_pin();
    if (failed != NULL) {
        sl_error("gles",
                 "%s: EGL error 0x%x; a GPU needs access to its render node, without one install "
                 "libgl1-mesa-dri",
                 failed, (unsigned)d->native.egl.GetError());
        hgl_driver_close(d);
        return SL_ERR_UNSUPPORTED;
    }
    sl_info("gles", "native driver: %s, %u configs", d->description, d->native.config_count);
    return SL_OK;
}

static bool is_software(const struct hgl_driver *d)
{
    return within("llvmpipe", d->description) || within("softpipe", d->description) ||
           within("swrast", d->description) || within("SwiftShader", d->description);
}

enum sl_result hgl_driver_open(struct hgl_driver *d, const struct hct_options *options)
{
    static const struct hct_options none;
    const struct hct_options *o = options != NULL ? options : &none;
    char *saved[VARIABLES];
    hide_environment(o, saved);
    enum sl_result result = open_driver(d, o);
    restore_environment(saved);
    d->native.software = result == SL_OK && is_software(d);
    if (result == SL_OK && o->software && !d->native.software) {
        sl_warn("gles", "not offered: this is no CPU: %s", d->description);
        hgl_driver_close(d);
        return SL_ERR_NOTFOUND;
    }
    if (result == SL_OK) {
        pthread_mutex_init(&d->ending, NULL);
        d->native.ending = &d->ending;
    }
    return result;
}

void hgl_driver_close(struct hgl_driver *d)
{
    close_display(d);
    if (d->native.ending != NULL) {
        pthread_mutex_destroy(&d->ending);
    }
    /* The libraries stay loaded: sl_modules_pin. */
    *d = (struct hgl_driver){.native = {.display = EGL_NO_DISPLAY}};
}
