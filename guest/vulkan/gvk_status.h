/* The status page: words that the host writes when a fence that is watched has signalled, or a
 * timeline has moved on, so that polls are no packets.
 *
 * The host writes late, so "not yet" is believed only while nothing else was heard of the host that
 * the page might not know: any reply, on any thread, ends it, and so does a short time. Then the
 * host is asked, as it is without a page. */
#ifndef GUEST_GVK_STATUS_H
#define GUEST_GVK_STATUS_H

#include "guest/vulkan/gvk.h"
#include "transport/base/atomic.h"

/* Of one fence or timeline; zeroed at first. Fields are atomic: any thread may poll. */
struct gvk_watch {
    uint32_t slot;  /* + 1; 0: none was taken */
    uint32_t value; /* that the host will write; 0: it is not watched; 1: that is being sent */
    uint32_t
        told; /* that the host writes if the last submit's work is done very soon; 0: nothing */
    uint64_t heard; /* gvk_host.heard when the host last said "not yet" */
    uint64_t asked_ns;
    uint32_t polls;
};

enum gvk_status { GVK_STATUS_ASK, GVK_STATUS_NOT_YET, GVK_STATUS_CAME };

/* Whether what needs no page may be believed once more: the host lives, or did a moment ago. */
bool gvk_status_believe(const struct gvk_host *host, struct gvk_watch *watch);
/* What is known without asking. Any thread. */
enum gvk_status gvk_status_look(struct gvk_device *device, struct gvk_watch *watch);
/* Before the host is asked; afterwards, when it said "not yet", gvk_status_asked. A value to be
 * watched with, which the caller sends with the slot and then gives to gvk_status_sent; 0: nothing
 * is to be sent. */
static inline uint64_t gvk_status_ask(const struct gvk_host *host)
{
    return sl_atomic_load_acquire_u64(&host->heard);
}
/* A page told what no reply has: what was believed before may be old. */
static inline void gvk_status_heard(struct gvk_host *host)
{
    (void)sl_atomic_add_u64(&host->heard, 1);
}
uint32_t gvk_status_asked(struct gvk_device *device, struct gvk_watch *watch, uint64_t heard,
                          uint32_t *slot);
void gvk_status_sent(struct gvk_watch *watch, uint32_t value);
/* Before a submit that signals a fence: a value that the host may write, to be sent with the slot
 * behind the submit; 0: there is no page. May call the host. */
uint32_t gvk_status_tell(struct gvk_device *device, struct gvk_watch *watch, uint32_t *slot);
/* Has the host written it? Then what was waited for happened before. */
bool gvk_status_told(const struct gvk_device *device, const struct gvk_watch *watch);
/* What was watched is over: reset, or about to be destroyed. The caller's alone. */
static inline void gvk_status_forget(struct gvk_watch *watch)
{
    sl_atomic_store_relaxed(&watch->value, 0);
}
void gvk_status_drop(struct gvk_device *device, struct gvk_watch *watch);
/* With the device. */
void gvk_status_finish(struct gvk_device *device);

#endif
