/* EGL devices: there is one, the host's, whatever it is. And EGL_MESA_query_driver. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"

#include <string.h>

/* A handle and nothing else. */
static const char the_device;

EGLDeviceEXT gegl_device(void)
{
    return (EGLDeviceEXT)&the_device;
}

static bool device_check(EGLDeviceEXT device)
{
    if (device != gegl_device()) {
        gegl_fail(EGL_BAD_DEVICE_EXT);
        return false;
    }
    return true;
}

EGLBoolean gegl_QueryDevicesEXT(EGLint most, EGLDeviceEXT *devices, EGLint *count)
{
    if (count == NULL || (devices != NULL && most <= 0)) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    if (devices != NULL) {
        devices[0] = gegl_device();
    }
    *count = 1;
    return gegl_done();
}

EGLBoolean gegl_QueryDeviceAttribEXT(EGLDeviceEXT device, EGLint attrib, EGLAttrib *value)
{
    (void)attrib; /* no extension that we have adds one */
    (void)value;
    return device_check(device) ? gegl_fail(EGL_BAD_ATTRIBUTE) : EGL_FALSE;
}

/* Whether the host draws by its CPUs. */
static bool is_software(void)
{
    struct gs_device *device;
    if (gs_device_get(GS_GLES, &device) != SL_OK) {
        return false;
    }
    bool software = (device->features & SLUICE_FEATURE_SOFTWARE) != 0;
    gs_device_put(device);
    return software;
}

/* Mesa lists EGL_EXT_device_drm_render_node for its software device, too, which has no node. */
const char *gegl_QueryDeviceStringEXT(EGLDeviceEXT device, EGLint name)
{
    if (!device_check(device)) {
        return NULL;
    }
    switch (name) {
    case EGL_EXTENSIONS:
        gegl_done();
        return is_software() ? "EGL_MESA_device_software EGL_EXT_device_drm_render_node"
                             : "EGL_EXT_device_drm_render_node";
    case EGL_DRM_RENDER_NODE_FILE_EXT:
        gegl_done();
        return NULL;
    default:
        gegl_fail(EGL_BAD_PARAMETER);
        return NULL;
    }
}

EGLBoolean gegl_QueryDisplayAttribEXT(EGLDisplay handle, EGLint attrib, EGLAttrib *value)
{
    if (gegl_display_enter(handle) == NULL) {
        return EGL_FALSE;
    }
    if (attrib != EGL_DEVICE_EXT) {
        return gegl_fail(EGL_BAD_ATTRIBUTE);
    }
    if (value == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    *value = (EGLAttrib)gegl_device();
    return gegl_done();
}

const char *gegl_GetDisplayDriverName(EGLDisplay handle)
{
    if (gegl_display_enter(handle) == NULL) {
        return NULL;
    }
    gegl_done();
    return "sluice";
}

/* The driver has no options. The text is the application's, which calls free. */
char *gegl_GetDisplayDriverConfig(EGLDisplay handle)
{
    if (gegl_display_enter(handle) == NULL) {
        return NULL;
    }
    char *text = strdup("<?xml version=\"1.0\" standalone=\"yes\"?>\n"
                        "<!DOCTYPE driinfo [<!ELEMENT driinfo EMPTY>]>\n"
                        "<driinfo/>\n");
    gegl_fail(text != NULL ? EGL_SUCCESS : EGL_BAD_ALLOC);
    return text;
}
