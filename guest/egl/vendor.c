/* The border to glvnd: what libEGL.so.1 asks of a vendor library, and the stubs by which it finds
 * ours for extension functions.
 *
 * libEGL hands a stub to every program that asks for, say, eglCreateImageKHR; the stub finds the
 * vendor of the display it is called with, which need not be us, and calls that vendor's function.
 */
#define EGL_EGLEXT_PROTOTYPES
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/procs.h"

#include <glvnd/libeglabi.h>
#include <string.h>

/* Functions that are not in libEGL itself: name, result, failure, parameters, arguments. The first
 * parameter is `display`, and `device` in the second list. */
#define DISPATCHED(X)                                                                              \
    X(eglClientWaitSyncKHR, EGLint, EGL_FALSE,                                                     \
      (EGLDisplay display, EGLSyncKHR sync, EGLint flags, EGLTimeKHR timeout),                     \
      (display, sync, flags, timeout))                                                             \
    X(eglCreateImageKHR, EGLImageKHR, EGL_NO_IMAGE_KHR,                                            \
      (EGLDisplay display, EGLContext context, EGLenum target, EGLClientBuffer buffer,             \
       const EGLint *attribs),                                                                     \
      (display, context, target, buffer, attribs))                                                 \
    X(eglCreatePlatformPixmapSurfaceEXT, EGLSurface, EGL_NO_SURFACE,                               \
      (EGLDisplay display, EGLConfig config, void *pixmap, const EGLint *attribs),                 \
      (display, config, pixmap, attribs))                                                          \
    X(eglCreatePlatformWindowSurfaceEXT, EGLSurface, EGL_NO_SURFACE,                               \
      (EGLDisplay display, EGLConfig config, void *window, const EGLint *attribs),                 \
      (display, config, window, attribs))                                                          \
    X(eglCreateSyncKHR, EGLSyncKHR, EGL_NO_SYNC_KHR,                                               \
      (EGLDisplay display, EGLenum type, const EGLint *attribs), (display, type, attribs))         \
    X(eglDestroyImageKHR, EGLBoolean, EGL_FALSE, (EGLDisplay display, EGLImageKHR image),          \
      (display, image))                                                                            \
    X(eglDestroySyncKHR, EGLBoolean, EGL_FALSE, (EGLDisplay display, EGLSyncKHR sync),             \
      (display, sync))                                                                             \
    X(eglDupNativeFenceFDANDROID, EGLint, EGL_NO_NATIVE_FENCE_FD_ANDROID,                          \
      (EGLDisplay display, EGLSyncKHR sync), (display, sync))                                      \
    X(eglGetDisplayDriverConfig, char *, NULL, (EGLDisplay display), (display))                    \
    X(eglGetDisplayDriverName, const char *, NULL, (EGLDisplay display), (display))                \
    X(eglGetSyncAttribKHR, EGLBoolean, EGL_FALSE,                                                  \
      (EGLDisplay display, EGLSyncKHR sync, EGLint attrib, EGLint * value),                        \
      (display, sync, attrib, value))                                                              \
    X(eglSetDamageRegionKHR, EGLBoolean, EGL_FALSE,                                                \
      (EGLDisplay display, EGLSurface surface, EGLint * rects, EGLint count),                      \
      (display, surface, rects, count))                                                            \
    X(eglSignalSyncKHR, EGLBoolean, EGL_FALSE,                                                     \
      (EGLDisplay display, EGLSyncKHR sync, EGLenum mode), (display, sync, mode))                  \
    X(eglSwapBuffersWithDamageEXT, EGLBoolean, EGL_FALSE,                                          \
      (EGLDisplay display, EGLSurface surface, const EGLint *rects, EGLint count),                 \
      (display, surface, rects, count))                                                            \
    X(eglSwapBuffersWithDamageKHR, EGLBoolean, EGL_FALSE,                                          \
      (EGLDisplay display, EGLSurface surface, const EGLint *rects, EGLint count),                 \
      (display, surface, rects, count))                                                            \
    X(eglWaitSyncKHR, EGLint, EGL_FALSE, (EGLDisplay display, EGLSyncKHR sync, EGLint flags),      \
      (display, sync, flags))

#define DEVICE_DISPATCHED(X)                                                                       \
    X(eglQueryDeviceAttribEXT, EGLBoolean, EGL_FALSE,                                              \
      (EGLDeviceEXT device, EGLint attrib, EGLAttrib * value), (device, attrib, value))            \
    X(eglQueryDeviceStringEXT, const char *, NULL, (EGLDeviceEXT device, EGLint name),             \
      (device, name))

#define INDEX(name, ...) INDEX_##name,
enum { DISPATCHED(INDEX) DEVICE_DISPATCHED(INDEX) INDEX_COUNT };
#undef INDEX

/* What libEGL gave us, once. */
static struct {
    const __EGLapiExports *exports;
    int indices[INDEX_COUNT];
} glvnd;

/* error: of a vendor that is not there, or does not have the extension. */
static gegl_fn vendor_function(__EGLvendorInfo *vendor, int which, EGLint error)
{
    gegl_fn fn = vendor != NULL
                     ? (gegl_fn)glvnd.exports->fetchDispatchEntry(vendor, glvnd.indices[which])
                     : NULL;
    if (fn == NULL) {
        glvnd.exports->setEGLError(error);
        return NULL;
    }
    return glvnd.exports->setLastVendor(vendor) ? fn : NULL;
}

static gegl_fn display_function(EGLDisplay display, int which)
{
    glvnd.exports->threadInit();
    return vendor_function(glvnd.exports->getVendorFromDisplay(display), which, EGL_BAD_DISPLAY);
}

static gegl_fn device_function(EGLDeviceEXT device, int which)
{
    glvnd.exports->threadInit();
    return vendor_function(glvnd.exports->getVendorFromDevice(device), which, EGL_BAD_DEVICE_EXT);
}

#define STUB(name, result, failure, parameters, arguments)                                         \
    static result dispatch_##name parameters                                                       \
    {                                                                                              \
        __typeof__(&name) fn = (__typeof__(&name))display_function(display, INDEX_##name);         \
        return fn != NULL ? fn arguments : failure;                                                \
    }
#define DEVICE_STUB(name, result, failure, parameters, arguments)                                  \
    static result dispatch_##name parameters                                                       \
    {                                                                                              \
        __typeof__(&name) fn = (__typeof__(&name))device_function(device, INDEX_##name);           \
        return fn != NULL ? fn arguments : failure;                                                \
    }
DISPATCHED(STUB)
DEVICE_DISPATCHED(DEVICE_STUB)
#undef STUB
#undef DEVICE_STUB

#define ROW(name, ...) {#name, (gegl_fn)dispatch_##name},
static const struct gegl_proc stubs[INDEX_COUNT] = {DISPATCHED(ROW) DEVICE_DISPATCHED(ROW)};
#undef ROW

static EGLDisplay import_platform_display(EGLenum platform, void *native, const EGLAttrib *attribs)
{
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
