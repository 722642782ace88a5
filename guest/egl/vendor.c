/* The border to glvnd: what libEGL.so.1 asks of a vendor library, and the stubs by which it finds
 * ours for extension functions.
 *
 * libEGL hands a stub to every program that asks for, say, eglCreateImageKHR; the stub finds the
 * vendor of the display it is called with, which need not be us, and calls that vendor's function.
 */
#define EGL_EGLEXT_PROTOTYPES
#include "guest/egl/api.h"
#include "guest/egl/debug.h"
#include "guest/egl/gegl.h"
#include "guest/egl/procs.h"

#include <glvnd/libeglabi.h>
#include <string.h>

/* Functions that are not in libEGL itself. */
#define GEGL_EXTENSION(name, ...)        INDEX_##name,
#define GEGL_DEVICE_EXTENSION(name, ...) INDEX_##name,
enum {
#include "guest/egl/functions.def"
    INDEX_COUNT
};

/* What libEGL gave us, once. */
static struct {
    const __EGLapiExports *exports;
    int indices[INDEX_COUNT];
} glvnd;

/* error: of a vendor that is not there, or does not have the extension. */
static gegl_fn vendor_function(const char *name, __EGLvendorInfo *vendor, int which, EGLint error)
{
    gegl_fn fn = vendor != NULL
                     ? (gegl_fn)glvnd.exports->fetchDispatchEntry(vendor, glvnd.indices[which])
                     : NULL;
    if (fn == NULL) {
        glvnd.exports->setEGLError(error);
        if (gegl_debug_on()) {
            gegl_debug_enter(name, GEGL_LABEL_DISPLAY, EGL_NO_DISPLAY, NULL);
            gegl_debug_report(error);
        }
        return NULL;
    }
    return glvnd.exports->setLastVendor(vendor) ? fn : NULL;
}

static gegl_fn display_function(const char *name, EGLDisplay display, int which)
{
    glvnd.exports->threadInit();
    return vendor_function(name, glvnd.exports->getVendorFromDisplay(display), which,
                           EGL_BAD_DISPLAY);
}

static gegl_fn device_function(const char *name, EGLDeviceEXT device, int which)
{
    glvnd.exports->threadInit();
    return vendor_function(name, glvnd.exports->getVendorFromDevice(device), which,
                           EGL_BAD_DEVICE_EXT);
}

#define GEGL_EXTENSION(name, ours, result, failure, parameters, arguments, ...)                    \
    static result dispatch_##name parameters                                                       \
    {                                                                                              \
        __typeof__(&name) fn = (__typeof__(&name))display_function(#name, display, INDEX_##name);  \
        return fn != NULL ? fn arguments : failure;                                                \
    }
#define GEGL_DEVICE_EXTENSION(name, ours, result, failure, parameters, arguments, ...)             \
    static result dispatch_##name parameters                                                       \
    {                                                                                              \
        __typeof__(&name) fn = (__typeof__(&name))device_function(#name, device, INDEX_##name);    \
        return fn != NULL ? fn arguments : failure;                                                \
    }
#include "guest/egl/functions.def"

#define ROW(name)                                                                                  \
    {                                                                                              \
#name, (gegl_fn)dispatch_##name                                                            \
    }
#define GEGL_EXTENSION(name, ...)        ROW(name),
#define GEGL_DEVICE_EXTENSION(name, ...) ROW(name),
static const struct gegl_proc stubs[INDEX_COUNT] = {
#include "guest/egl/functions.def"
};
#undef ROW

static EGLDisplay import_platform_display(EGLenum platform, void *native, const EGLAttrib *attribs)
{
    gegl_debug_enter("eglGetPlatformDisplay", GEGL_LABEL_THREAD, EGL_NO_DISPLAY, NULL);
    return gegl_platform_display(platform, native, attribs);
}

static EGLBoolean import_supports_api(EGLenum api)
{
    return api == EGL_OPENGL_ES_API;
}

static const char *import_vendor_string(int name)
{
    return name == __EGL_VENDOR_STRING_PLATFORM_EXTENSIONS ? GEGL_PLATFORM_EXTENSIONS : NULL;
}

static void *import_proc_address(const char *name)
{
    return (void *)gegl_proc_find(name);
}

static void *import_dispatch_address(const char *name)
{
    for (size_t i = 0; i < INDEX_COUNT; i++) {
        if (strcmp(stubs[i].name, name) == 0) {
            return (void *)stubs[i].fn;
        }
    }
    return NULL;
}

static void import_dispatch_index(const char *name, int index)
{
    for (size_t i = 0; i < INDEX_COUNT; i++) {
        if (strcmp(stubs[i].name, name) == 0) {
            glvnd.indices[i] = index;
        }
    }
}

__attribute__((visibility("default"))) EGLBoolean __egl_Main(uint32_t version,
                                                             const __EGLapiExports *exports,
                                                             __EGLvendorInfo *vendor,
                                                             __EGLapiImports *imports)
{
    (void)vendor;
    if (EGL_VENDOR_ABI_GET_MAJOR_VERSION(version) != EGL_VENDOR_ABI_MAJOR_VERSION ||
        gegl_threads_init() != SL_OK) {
        return EGL_FALSE;
    }
    glvnd.exports = exports;
    for (size_t i = 0; i < INDEX_COUNT; i++) {
        glvnd.indices[i] = -1;
    }
    imports->getPlatformDisplay = import_platform_display;
    imports->getSupportsAPI = import_supports_api;
    imports->getVendorString = import_vendor_string;
    imports->getProcAddress = import_proc_address;
    imports->getDispatchAddress = import_dispatch_address;
    imports->setDispatchIndex = import_dispatch_index;
    return EGL_TRUE;
}
