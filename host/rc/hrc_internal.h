/* Between the files of host/rc. */
#ifndef HOST_HRC_INTERNAL_H
#define HOST_HRC_INTERNAL_H

#include "host/rc/rc.h"

#include "host/rc_hand.h"
#include "host/sl_hand.h"

/* EGL_SYNC_NATIVE_FENCE_ANDROID and others, by the wire's numbers. */
enum {
    HRC_SIGNALED = 0x30F2,
    HRC_TIMEOUT_EXPIRED = 0x30F5,
    HRC_CONDITION_SATISFIED = 0x30F6,
};

static inline struct hrc_thread *hrc_thread_of(const struct hr_call *call)
{
    return call->user;
}

/* hrc_config.c: feature words, each with a space behind it; NULL: no memory. */
char *hrc_feature_words(const struct hs_native *native, bool stock);

/* hrc_client.c: a name with its opens; take gives one open back, or the name itself when there was
 * none. */
bool hrc_name_add(struct hrc_client *client, uint32_t handle, uint32_t opens);
bool hrc_name_take(struct hrc_client *client, uint32_t handle, uint32_t *opens);

/* hrc_context.c. context, draw, read: borrowed; all NULL to unbind. */
bool hrc_make_current(struct hrc_thread *thread, struct ho_object *context, struct ho_object *draw,
                      struct ho_object *read);
void hrc_context_destroy(struct hrc_client *client, struct hrc_context *context);

/* hrc_surface.c */
void hrc_surface_destroy(struct hrc_client *client, struct hrc_surface *surface);
/* Gives the surface's pbuffer the size of its target; on the thread where it is current, or where
 * it is about to be. False: no pbuffer of that size; the old one stays. */
bool hrc_surface_fit(struct hrc_thread *thread, struct hrc_surface *surface);

#endif
