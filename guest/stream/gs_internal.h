/* Between the files of this room. */
#ifndef GUEST_GS_INTERNAL_H
#define GUEST_GS_INTERNAL_H

#include "guest/stream/gs.h"

/* The one place that names backends. NOTFOUND: the environment names none. */
enum sl_result gs_open_backend(struct vg **out) SL_MUST_USE;
/* The lock of the process's devices and their streams. */
void gs_registry_lock(void);
void gs_registry_unlock(void);

#endif
