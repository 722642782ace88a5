/* libwayland-client as it is loaded: only programs that use Wayland have it, so it is found at run
 * time, and its stable binary interface is declared here. Any thread. */
#ifndef GUEST_GVK_WAYLAND_H
#define GUEST_GVK_WAYLAND_H

#include "wire/vk_types.h"

#include <stdbool.h>
#include <stdint.h>

struct wl_display;
struct wl_proxy;
struct wl_event_queue;
struct wl_interface { /* only its name is ours to read */
    const char *name;
};

union wl_argument {
    int32_t i;
    uint32_t u;
    const char *s;
    struct wl_proxy *o;
    int32_t h; /* a descriptor; borrowed */
};

/* Opcodes of the requests we send. */
enum {
    GVK_WL_DISPLAY_GET_REGISTRY = 1,
    GVK_WL_REGISTRY_BIND = 0,
    GVK_WL_SHM_CREATE_POOL = 0,
    GVK_WL_SHM_POOL_CREATE_BUFFER = 0,
    GVK_WL_SHM_POOL_DESTROY = 1,
    GVK_WL_BUFFER_DESTROY = 0,
    GVK_WL_SURFACE_ATTACH = 1,
    GVK_WL_SURFACE_DAMAGE = 2,
    GVK_WL_SURFACE_FRAME = 3,
    GVK_WL_SURFACE_COMMIT = 6,
    GVK_WL_SURFACE_DAMAGE_BUFFER = 9, /* since version 4 */
};

/* The functions, by the library's own names without wl_. */
struct gvk_wl {
    void *library;
    struct wl_event_queue *(*display_create_queue)(struct wl_display *);
    void (*event_queue_destroy)(struct wl_event_queue *);
    int (*display_roundtrip_queue)(struct wl_display *, struct wl_event_queue *);
    int (*display_dispatch_queue_pending)(struct wl_display *, struct wl_event_queue *);
    int (*display_prepare_read_queue)(struct wl_display *, struct wl_event_queue *);
    int (*display_read_events)(struct wl_display *);
    void (*display_cancel_read)(struct wl_display *);
    int (*display_flush)(struct wl_display *);
    int (*display_get_fd)(struct wl_display *);
    int (*display_get_error)(struct wl_display *);
    void *(*proxy_create_wrapper)(void *);
    void (*proxy_wrapper_destroy)(void *);
    void (*proxy_set_queue)(struct wl_proxy *, struct wl_event_queue *);
    void (*proxy_marshal_array)(struct wl_proxy *, uint32_t, union wl_argument *);
    struct wl_proxy *(*proxy_marshal_array_constructor_versioned)(struct wl_proxy *, uint32_t,
                                                                  union wl_argument *,
                                                                  const struct wl_interface *,
                                                                  uint32_t);
    int (*proxy_add_listener)(struct wl_proxy *, void (**)(void), void *);
    void (*proxy_destroy)(struct wl_proxy *);
    uint32_t (*proxy_get_version)(struct wl_proxy *);
    const struct wl_interface *registry_interface;
    const struct wl_interface *shm_interface;
    const struct wl_interface *shm_pool_interface;
    const struct wl_interface *buffer_interface;
    const struct wl_interface *callback_interface;
};

/* False: there is no such library, or it lacks something. */
bool gvk_wl_load(struct gvk_wl *wl);
void gvk_wl_unload(struct gvk_wl *wl);

/* Takes in what the compositor says to `queue`, waiting for it at most timeout_ns (>= 0), or until
 * wake_fd is readable (-1: none). False: the connection is over. One thread a queue. */
bool gvk_wl_wait(const struct gvk_wl *wl, struct wl_display *display, struct wl_event_queue *queue,
                 int wake_fd, int64_t timeout_ns);

/* Formats of wl_shm that show one of ours. */
struct gvk_wl_format {
    VkFormat format;
    uint32_t alpha, opaque; /* WL_SHM_FORMAT_* with blended and with ignored alpha */
};
#define GVK_WL_FORMAT_COUNT 7u
extern const struct gvk_wl_format gvk_wl_formats[GVK_WL_FORMAT_COUNT];

/* A compositor's shared memory, bound on a queue of its own. */
struct gvk_wl_shm {
    struct wl_event_queue *queue;
    struct wl_proxy *shm;
    struct wl_proxy *registry;
    uint64_t formats;        /* bit n: alpha of gvk_wl_formats[n]; bit 32 + n: opaque */
    const struct gvk_wl *wl; /* borrowed */
};
/* Asks the compositor; false: it has no wl_shm, or is gone. */
bool gvk_wl_shm_open(const struct gvk_wl *wl, struct wl_display *display, struct gvk_wl_shm *shm);
void gvk_wl_shm_close(const struct gvk_wl *wl, struct gvk_wl_shm *shm);

#endif
