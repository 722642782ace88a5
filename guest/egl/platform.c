/* Platforms: which display a program means. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"

/* EGL error for a native display that the platform cannot have. */
static EGLint native_check(enum gegl_platform platform, const void *native)
{
    switch (platform) {
    case GEGL_PLATFORM_SURFACELESS:
        return native == NULL ? EGL_SUCCESS : EGL_BAD_PARAMETER;
    case GEGL_PLATFORM_DEVICE:
        return native == gegl_device() ? EGL_SUCCESS : EGL_BAD_PARAMETER;
    default:
        return EGL_SUCCESS;
    }
}

EGLDisplay gegl_platform_display(EGLenum platform, void *native, const EGLAttrib *attribs)
{
    enum gegl_platform kind;
    EGLAttrib screen_attrib = EGL_NONE;
    switch (platform) {
    case EGL_NONE:
        kind = GEGL_PLATFORM_X11; /* a program that names none; glvnd has looked at EGL_PLATFORM */
        break;
    case EGL_PLATFORM_X11_KHR:
        kind = GEGL_PLATFORM_X11;
        screen_attrib = EGL_PLATFORM_X11_SCREEN_KHR;
        break;
    case EGL_PLATFORM_XCB_EXT:
        kind = GEGL_PLATFORM_XCB;
        screen_attrib = EGL_PLATFORM_XCB_SCREEN_EXT;
        break;
    case EGL_PLATFORM_WAYLAND_KHR:
        kind = GEGL_PLATFORM_WAYLAND;
        break;
    case EGL_PLATFORM_GBM_KHR:
        kind = GEGL_PLATFORM_GBM;
        break;
    case EGL_PLATFORM_DEVICE_EXT:
        kind = GEGL_PLATFORM_DEVICE;
        break;
    case EGL_PLATFORM_SURFACELESS_MESA:
        kind = GEGL_PLATFORM_SURFACELESS;
        break;
    default:
        gegl_fail(EGL_BAD_PARAMETER);
        return EGL_NO_DISPLAY;
    }
    EGLint error = native_check(kind, native);
    if (error != EGL_SUCCESS) {
        gegl_fail(error);
        return EGL_NO_DISPLAY;
    }
    int screen = -1;
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        if (attribs[0] != screen_attrib) {
            gegl_fail(EGL_BAD_ATTRIBUTE);
            return EGL_NO_DISPLAY;
        }
        screen = (int)attribs[1];
    }
    return gegl_display_of(kind, native, screen);
}

EGLDisplay gegl_GetDisplay(EGLNativeDisplayType native)
{
    return gegl_platform_display(EGL_NONE, (void *)native, NULL);
}

EGLDisplay gegl_GetPlatformDisplay(EGLenum platform, void *native, const EGLAttrib *attribs)
{
    return gegl_platform_display(platform, native, attribs);
}

EGLDisplay gegl_GetPlatformDisplayEXT(EGLenum platform, void *native, const EGLint *attribs)
{
    EGLAttrib wide[16];
    size_t n = 0;
    for (; attribs != NULL && attribs[n] != EGL_NONE; n += 2) {
        if (n + 2 >= sizeof wide / sizeof wide[0]) {
            gegl_fail(EGL_BAD_ATTRIBUTE);
            return EGL_NO_DISPLAY;
        }
        wide[n] = attribs[n];
        wide[n + 1] = attribs[n + 1];
    }
    wide[n] = EGL_NONE;
    return gegl_platform_display(platform, native, wide);
}
