/* Names to functions: EGL's from the list below, GLES's from the generated table. */
#define EGL_EGLEXT_PROTOTYPES
#include "guest/egl/procs.h"

#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/gles_entry.h"

#include <string.h>

/* Sorted by name. A function of ours has the type of the one it stands for. */
static const struct gegl_proc procs[] = {
#define PROC(name, ours)                                                                           \
    {                                                                                              \
#name, (gegl_fn)(__builtin_types_compatible_p(__typeof__(name), __typeof__(ours)) ? ours   \
                                                                                          : NULL)  \
    }
#define SAME(name) PROC(egl##name, gegl_##name)
    SAME(BindAPI),
    SAME(BindTexImage),
    SAME(ChooseConfig),
    SAME(ClientWaitSync),
    PROC(eglClientWaitSyncKHR, gegl_ClientWaitSync),
    SAME(CopyBuffers),
    SAME(CreateContext),
    SAME(CreateImage),
    SAME(CreateImageKHR),
    SAME(CreatePbufferFromClientBuffer),
    SAME(CreatePbufferSurface),
    SAME(CreatePixmapSurface),
    SAME(CreatePlatformPixmapSurface),
    SAME(CreatePlatformPixmapSurfaceEXT),
    SAME(CreatePlatformWindowSurface),
    SAME(CreatePlatformWindowSurfaceEXT),
    SAME(CreateSync),
    SAME(CreateSyncKHR),
    SAME(CreateWindowSurface),
    SAME(DestroyContext),
    SAME(DestroyImage),
    PROC(eglDestroyImageKHR, gegl_DestroyImage),
    SAME(DestroySurface),
    SAME(DestroySync),
    PROC(eglDestroySyncKHR, gegl_DestroySync),
    SAME(DupNativeFenceFDANDROID),
    SAME(GetConfigAttrib),
    SAME(GetConfigs),
    SAME(GetCurrentContext),
    SAME(GetCurrentDisplay),
    SAME(GetCurrentSurface),
    SAME(GetDisplay),
    SAME(GetDisplayDriverConfig),
    SAME(GetDisplayDriverName),
    SAME(GetError),
    SAME(GetPlatformDisplay),
    SAME(GetPlatformDisplayEXT),
    SAME(GetProcAddress),
    SAME(GetSyncAttrib),
    SAME(GetSyncAttribKHR),
    SAME(Initialize),
    SAME(LabelObjectKHR),
    SAME(MakeCurrent),
    SAME(QueryAPI),
    SAME(QueryContext),
    SAME(QueryDeviceAttribEXT),
    SAME(QueryDeviceStringEXT),
    SAME(QueryDevicesEXT),
    SAME(QueryDisplayAttribEXT),
    SAME(QueryString),
    SAME(QuerySurface),
    SAME(ReleaseTexImage),
    SAME(ReleaseThread),
    SAME(SetDamageRegionKHR),
    SAME(SignalSyncKHR),
    SAME(SurfaceAttrib),
    SAME(SwapBuffers),
    PROC(eglSwapBuffersWithDamageEXT, gegl_SwapBuffersWithDamage),
    PROC(eglSwapBuffersWithDamageKHR, gegl_SwapBuffersWithDamage),
    SAME(SwapInterval),
    SAME(Terminate),
    SAME(WaitClient),
    SAME(WaitGL),
    SAME(WaitNative),
    SAME(WaitSync),
    SAME(WaitSyncKHR),
#undef SAME
#undef PROC
};

const struct gegl_proc *gegl_procs(size_t *count)
{
    *count = sizeof procs / sizeof procs[0];
    return procs;
}

gegl_fn gegl_proc_find(const char *name)
{
    size_t low = 0, high = sizeof procs / sizeof procs[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, procs[middle].name);
        if (order == 0) {
            return procs[middle].fn;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    if (strcmp(name, "glViewport") == 0) {
        return (gegl_fn)gegl_viewport;
    }
    if (strcmp(name, "glFinish") == 0) {
        return (gegl_fn)gegl_finish;
    }
    if (strcmp(name, "glFlush") == 0) {
        return (gegl_fn)gegl_flush;
    }
    const struct ggl_proc *gles = ggl_proc_find(name);
    return gles != NULL ? gles->fn : NULL;
}

__eglMustCastToProperFunctionPointerType gegl_GetProcAddress(const char *name)
{
    return name != NULL ? gegl_proc_find(name) : NULL;
}
