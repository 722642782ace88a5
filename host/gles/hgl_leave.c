/* Contexts that do not come to an end: natively who ends one waits for it. Here its guest goes on.
 */
#include "host/gles/hgl_provider.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#define STACK (8u << 20) /* as drivers want it */

struct left {
    struct hgl_provider *provider; /* a reference */
    EGLContext context;
};

static void *left_main(void *user)
{
    struct left *left = user;
    const struct hs_native *n = &left->provider->driver.native;
    if (hs_context_settle(n, left->context, UINT64_MAX)) {
        hs_context_destroy(n, left->context);
    }
    n->egl.ReleaseThread();
    hgl_provider_unref(left->provider);
    sl_free(left);
    return NULL;
}

void hgl_context_leave(struct hgl_provider *provider, EGLContext context)
{
    struct left *left = sl_alloc(sizeof *left);
    pthread_t thread;
    struct hgl_provider *kept = hgl_provider_ref(provider);
    if (left != NULL) {
        *left = (struct left){kept, context};
        if (sl_thread_start(&thread, "gles-left", STACK, left_main, left) == SL_OK) {
            pthread_detach(thread);
            return;
        }
    }
    sl_free(left); /* the reference stays: a display does not end with a context that draws */
    sl_warn_limited("gles", "a context that draws without end is left behind");
}
