/* Names to functions: EGL's from functions.def, GLES's from the generated table. */
#define EGL_EGLEXT_PROTOTYPES
#include "guest/egl/procs.h"

#include "guest/egl/api.h"
#include "guest/egl/debug.h"
#include "guest/egl/gegl.h"
#include "guest/gles_entry.h"

#include <string.h>

/* Around a function that may fail: what its messages tell of it. */
#define ENTRY(name, ours, result, parameters, arguments, kind, display, object)                    \
    static result entry_##name parameters                                                          \
    {                                                                                              \
        if (gegl_debug_on()) {                                                                     \
            gegl_debug_enter(#name, GEGL_LABEL_##kind, display, object);                           \
        }                                                                                          \
        return ours arguments;                                                                     \
    }
#define GEGL_CORE(...)                                   ENTRY(__VA_ARGS__)
#define GEGL_EXTENSION(name, ours, result, failure, ...) ENTRY(name, ours, result, __VA_ARGS__)
#define GEGL_DEVICE_EXTENSION(name, ours, result, failure, ...)                                    \
    ENTRY(name, ours, result, __VA_ARGS__)
#include "guest/egl/functions.def"
#undef ENTRY

/* Sorted by name. A function of ours has the type of the one it stands for. */
#define ROW(name, ours)                                                                            \
    {                                                                                              \
#name, (gegl_fn)(__builtin_types_compatible_p(__typeof__(name), __typeof__(ours)) ? ours   \
                                                                                          : NULL)  \
    }
#define GEGL_PLAIN(name, ours)           ROW(name, ours),
#define GEGL_CORE(name, ...)             ROW(name, entry_##name),
#define GEGL_EXTENSION(name, ...)        ROW(name, entry_##name),
#define GEGL_DEVICE_EXTENSION(name, ...) ROW(name, entry_##name),
static const struct gegl_proc procs[] = {
#include "guest/egl/functions.def"
};
#undef ROW

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
