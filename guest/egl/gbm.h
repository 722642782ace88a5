/* The program's gbm_device behind a display. Any thread. */
#ifndef GUEST_EGL_GBM_H
#define GUEST_EGL_GBM_H

#include "guest/egl/config.h"
#include "guest/gbm/sluice_gbm.h"
#include "transport/base/result.h"

#define GEGL_GBM_FORMATS 2u
extern const struct gegl_window_format gegl_gbm_formats[GEGL_GBM_FORMATS];

/* The device that a program means: its own, or, where it gave none, one on the first display
 * device. NOTFOUND: none of our backend's, which is said. */
enum sl_result gegl_gbm_find(void *native, struct gbm_device **out) SL_MUST_USE;

#endif
