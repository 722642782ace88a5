/* What all GLES contexts of a device share: the native driver and the buffers that cross contexts.
 */
#ifndef HOST_HGL_PROVIDER_H
#define HOST_HGL_PROVIDER_H

#include "host/context.h"
#include "host/gles/egl_driver.h"
#include "host/ring/ring.h"
#include "host/surface/surface.h"
#include "transport/base/clock.h"

struct hgl_provider {
    struct hct_provider base; /* first */
    const struct hct_env *env;
    bool stock, restores, is_saved;
    bool clamps; /* indices of guests' shaders, which this driver does not bound */
    struct hct_times *times; /* borrowed; NULL: nothing is measured */
    struct hgl_driver driver;
    struct hs_table buffers;
    /* The device, each context, and each ring that was left behind: the driver goes with the last.
     * Atomic. */
    uint32_t refs;
};

struct hgl_provider *hgl_provider_ref(struct hgl_provider *provider);
void hgl_provider_unref(struct hgl_provider *provider);

/* hgl_leave.c */

/* How long a ring waits for a context that ends amid its draws. */
#define HGL_SETTLE_NS (5 * SL_NS_PER_S)
/* Takes a native context that still draws: a thread of its own waits for it and ends it, however
 * long that takes, and the provider stays until then. Without such a thread it is never ended. */
void hgl_context_leave(struct hgl_provider *provider, EGLContext context);

/* hgl_context.c */
enum sl_result hgl_context_create(const struct hct_create_info *info, struct hct_context **out);
/* The hr_rings_ops of the same names; user: the context. Here for rings that are fed, not asked for
 * by a guest. */
enum sl_result hgl_ring_new(void *user, struct hr_config *config, void **state);
void hgl_ring_free(void *user, void *state);

#endif
