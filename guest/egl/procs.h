/* The functions the library offers, by name. Immutable; any thread. */
#ifndef GUEST_EGL_PROCS_H
#define GUEST_EGL_PROCS_H

#include <stddef.h>

typedef void (*gegl_fn)(void);

struct gegl_proc {
    const char *name;
    gegl_fn fn;
};

/* EGL's own, sorted by name. */
const struct gegl_proc *gegl_procs(size_t *count);
/* EGL or GLES; NULL for a name we have nothing for. */
gegl_fn gegl_proc_find(const char *name);

#endif
