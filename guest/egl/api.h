/* The EGL functions themselves: gegl_Name is eglName, as EGL 1.5 and its extensions say; procs.c
 * checks that the types agree. */
#ifndef GUEST_EGL_API_H
#define GUEST_EGL_API_H

#include <EGL/egl.h>
#include <EGL/eglext.h>

/* Platforms that eglGetPlatformDisplay takes. */
#define GEGL_PLATFORM_EXTENSIONS                                                                   \
    "EGL_MESA_platform_gbm EGL_KHR_platform_gbm "                                                  \
    "EGL_EXT_platform_device EGL_EXT_platform_wayland EGL_KHR_platform_wayland "                   \
    "EGL_EXT_platform_x11 EGL_KHR_platform_x11 EGL_EXT_platform_xcb EGL_MESA_platform_surfaceless"

/* platform.c */
EGLDisplay gegl_GetDisplay(EGLNativeDisplayType native);
EGLDisplay gegl_GetPlatformDisplay(EGLenum platform, void *native, const EGLAttrib *attribs);
EGLDisplay gegl_GetPlatformDisplayEXT(EGLenum platform, void *native, const EGLint *attribs);

/* device.c */
EGLBoolean gegl_QueryDevicesEXT(EGLint most, EGLDeviceEXT *devices, EGLint *count);
EGLBoolean gegl_QueryDeviceAttribEXT(EGLDeviceEXT device, EGLint attrib, EGLAttrib *value);
const char *gegl_QueryDeviceStringEXT(EGLDeviceEXT device, EGLint name);
EGLBoolean gegl_QueryDisplayAttribEXT(EGLDisplay display, EGLint attrib, EGLAttrib *value);
const char *gegl_GetDisplayDriverName(EGLDisplay display);
char *gegl_GetDisplayDriverConfig(EGLDisplay display);

/* display.c */
EGLBoolean gegl_Initialize(EGLDisplay display, EGLint *major, EGLint *minor);
EGLBoolean gegl_Terminate(EGLDisplay display);
const char *gegl_QueryString(EGLDisplay display, EGLint name);
EGLBoolean gegl_GetConfigs(EGLDisplay display, EGLConfig *configs, EGLint size, EGLint *count);
EGLBoolean gegl_ChooseConfig(EGLDisplay display, const EGLint *attribs, EGLConfig *configs,
                             EGLint size, EGLint *count);
EGLBoolean gegl_GetConfigAttrib(EGLDisplay display, EGLConfig config, EGLint attrib, EGLint *value);

/* debug.c */
EGLint gegl_DebugMessageControlKHR(EGLDEBUGPROCKHR callback, const EGLAttrib *attribs);
EGLint gegl_LabelObjectKHR(EGLDisplay display, EGLenum type, EGLObjectKHR object,
                           EGLLabelKHR label);

/* current.c */
EGLBoolean gegl_MakeCurrent(EGLDisplay display, EGLSurface draw, EGLSurface read,
                            EGLContext context);
EGLContext gegl_GetCurrentContext(void);
EGLDisplay gegl_GetCurrentDisplay(void);
EGLSurface gegl_GetCurrentSurface(EGLint which);
EGLBoolean gegl_ReleaseThread(void);
EGLBoolean gegl_BindAPI(EGLenum api);
EGLenum gegl_QueryAPI(void);
EGLint gegl_GetError(void);
EGLBoolean gegl_WaitClient(void);
EGLBoolean gegl_WaitGL(void);
EGLBoolean gegl_WaitNative(EGLint engine);

/* context.c */
EGLContext gegl_CreateContext(EGLDisplay display, EGLConfig config, EGLContext share,
                              const EGLint *attribs);
EGLBoolean gegl_DestroyContext(EGLDisplay display, EGLContext context);
EGLBoolean gegl_QueryContext(EGLDisplay display, EGLContext context, EGLint attrib, EGLint *value);

/* surface.c */
EGLSurface gegl_CreateWindowSurface(EGLDisplay display, EGLConfig config,
                                    EGLNativeWindowType window, const EGLint *attribs);
EGLSurface gegl_CreatePlatformWindowSurface(EGLDisplay display, EGLConfig config, void *window,
                                            const EGLAttrib *attribs);
EGLSurface gegl_CreatePlatformWindowSurfaceEXT(EGLDisplay display, EGLConfig config, void *window,
                                               const EGLint *attribs);
EGLSurface gegl_CreatePixmapSurface(EGLDisplay display, EGLConfig config,
                                    EGLNativePixmapType pixmap, const EGLint *attribs);
EGLSurface gegl_CreatePlatformPixmapSurface(EGLDisplay display, EGLConfig config, void *pixmap,
                                            const EGLAttrib *attribs);
EGLSurface gegl_CreatePlatformPixmapSurfaceEXT(EGLDisplay display, EGLConfig config, void *pixmap,
                                               const EGLint *attribs);
EGLSurface gegl_CreatePbufferSurface(EGLDisplay display, EGLConfig config, const EGLint *attribs);
EGLSurface gegl_CreatePbufferFromClientBuffer(EGLDisplay display, EGLenum type,
                                              EGLClientBuffer buffer, EGLConfig config,
                                              const EGLint *attribs);
EGLBoolean gegl_DestroySurface(EGLDisplay display, EGLSurface surface);
EGLBoolean gegl_QuerySurface(EGLDisplay display, EGLSurface surface, EGLint attrib, EGLint *value);
EGLBoolean gegl_SurfaceAttrib(EGLDisplay display, EGLSurface surface, EGLint attrib, EGLint value);
EGLBoolean gegl_BindTexImage(EGLDisplay display, EGLSurface surface, EGLint buffer);
EGLBoolean gegl_ReleaseTexImage(EGLDisplay display, EGLSurface surface, EGLint buffer);
EGLBoolean gegl_SwapBuffers(EGLDisplay display, EGLSurface surface);
EGLBoolean gegl_SwapBuffersWithDamage(EGLDisplay display, EGLSurface surface, const EGLint *rects,
                                      EGLint count);
EGLBoolean gegl_SetDamageRegionKHR(EGLDisplay display, EGLSurface surface, EGLint *rects,
                                   EGLint count);
EGLBoolean gegl_SwapInterval(EGLDisplay display, EGLint interval);
EGLBoolean gegl_CopyBuffers(EGLDisplay display, EGLSurface surface, EGLNativePixmapType target);

/* sync.c */
EGLSync gegl_CreateSync(EGLDisplay display, EGLenum type, const EGLAttrib *attribs);
EGLBoolean gegl_DestroySync(EGLDisplay display, EGLSync sync);
EGLint gegl_ClientWaitSync(EGLDisplay display, EGLSync sync, EGLint flags, EGLTime timeout_ns);
EGLBoolean gegl_GetSyncAttrib(EGLDisplay display, EGLSync sync, EGLint attrib, EGLAttrib *value);
EGLBoolean gegl_WaitSync(EGLDisplay display, EGLSync sync, EGLint flags);
EGLSyncKHR gegl_CreateSyncKHR(EGLDisplay display, EGLenum type, const EGLint *attribs);
EGLBoolean gegl_GetSyncAttribKHR(EGLDisplay display, EGLSyncKHR sync, EGLint attrib, EGLint *value);
EGLBoolean gegl_SignalSyncKHR(EGLDisplay display, EGLSyncKHR sync, EGLenum mode);
EGLint gegl_WaitSyncKHR(EGLDisplay display, EGLSyncKHR sync, EGLint flags);

/* sync_native.c */
EGLint gegl_DupNativeFenceFDANDROID(EGLDisplay display, EGLSyncKHR sync);

/* image.c */
EGLImage gegl_CreateImage(EGLDisplay display, EGLContext context, EGLenum target,
                          EGLClientBuffer buffer, const EGLAttrib *attribs);
EGLImageKHR gegl_CreateImageKHR(EGLDisplay display, EGLContext context, EGLenum target,
                                EGLClientBuffer buffer, const EGLint *attribs);
EGLBoolean gegl_DestroyImage(EGLDisplay display, EGLImage image);

/* image_dmabuf.c */
EGLBoolean gegl_QueryDmaBufFormatsEXT(EGLDisplay display, EGLint most, EGLint *list, EGLint *count);
EGLBoolean gegl_QueryDmaBufModifiersEXT(EGLDisplay display, EGLint format, EGLint most,
                                        EGLuint64KHR *modifiers, EGLBoolean *external_only,
                                        EGLint *count);

/* image_export.c */
EGLBoolean gegl_ExportDMABUFImageQueryMESA(EGLDisplay display, EGLImageKHR image, int *fourcc,
                                           int *planes, EGLuint64KHR *modifiers);
EGLBoolean gegl_ExportDMABUFImageMESA(EGLDisplay display, EGLImageKHR image, int *fds,
                                      EGLint *strides, EGLint *offsets);

/* procs.c */
__eglMustCastToProperFunctionPointerType gegl_GetProcAddress(const char *name);

#endif
