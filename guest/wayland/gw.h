/* A Wayland compositor as the guest libraries need it: libwayland-client loaded when a program uses
 * it, what the compositor's wl_shm can show, pictures onto surfaces. For the EGL and the Vulkan
 * library.
 *
 * Only programs that use Wayland have the library, so it is found at run time, and its stable
 * binary interface is declared here. Every event of ours comes in on queues of ours. Any thread,
 * but one thread at a time on a queue. */
#ifndef GUEST_WAYLAND_GW_H
#define GUEST_WAYLAND_GW_H

#include "transport/base/result.h"

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

/* The functions, by the library's own names without wl_. */
struct gw {
    void *library;
    struct wl_display *(*display_connect)(const char *);
    void (*display_disconnect)(struct wl_display *);
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
bool gw_load(struct gw *wl);
void gw_unload(struct gw *wl);

/* Takes in what the compositor says to `queue`, waiting for it at most timeout_ns (>= 0), or until
 * wake_fd is readable (-1: none). False: the connection is over. One thread a queue. */
bool gw_wait(const struct gw *wl, struct wl_display *display, struct wl_event_queue *queue,
             int wake_fd, int64_t timeout_ns);

/* Pixel formats by wl_shm's numbers, of 32 bits little endian where nothing else is said. */
enum {
    GW_ARGB8888 = 0,
    GW_XRGB8888 = 1,
    GW_RGB565 = 0x36314752,
    GW_ABGR8888 = 0x34324241,
    GW_XBGR8888 = 0x34324258,
    GW_ARGB2101010 = 0x30335241,
    GW_XRGB2101010 = 0x30335258,
    GW_ABGR2101010 = 0x30334241,
    GW_XBGR2101010 = 0x30334258,
};

#define GW_FORMATS_MAX 128u

/* A compositor's shared memory, bound on a queue of its own. */
struct gw_shm {
    const struct gw *wl; /* borrowed */
    struct wl_event_queue *queue;
    struct wl_proxy *shm;
    struct wl_proxy *registry;
    uint32_t formats[GW_FORMATS_MAX];
    uint32_t format_count;
};
/* Asks the compositor; false: it has no wl_shm, or is gone. */
bool gw_shm_open(const struct gw *wl, struct wl_display *display, struct gw_shm *shm);
void gw_shm_close(struct gw_shm *shm);
bool gw_shm_has(const struct gw_shm *shm, uint32_t format);

/* --- pictures onto a surface: gw_surface.c --- */

/* A picture in memory that the compositor may share. */
struct gw_picture {
    const uint8_t *pixels; /* top row first */
    uint32_t stride;       /* bytes */
    uint32_t width_px, height_px;
    uint32_t format; /* of wl_shm */
    uint64_t offset; /* of pixels in the descriptor's memory */
    uint64_t size;   /* of that memory */
};

struct gw_buffer {
    struct wl_proxy *proxy; /* NULL: none */
    uint32_t busy;          /* atomic: the compositor has it */
    struct gw_picture picture;
    uint8_t *copy; /* what the compositor sees instead; nullable */
};

/* A surface of the application's. The compositor's releases of buffers come in on one queue, its
 * answers to pictures on another one: two threads may see to them. The caller's storage, which does
 * not move. */
struct gw_surface {
    const struct gw *wl;        /* borrowed */
    struct wl_display *display; /* borrowed */
    struct gw_shm shm;          /* its queue has the buffers' releases */
    struct wl_event_queue *answers;
    struct wl_proxy *proxy;  /* a wrapper whose children are on `answers` */
    struct wl_proxy *server; /* a wrapper of the display, likewise */
    struct wl_proxy *answer; /* the callback that was asked for last; NULL: it came */
    uint32_t version;
    uint32_t lost; /* atomic: the connection is over */
};

struct gw_rect {
    int32_t x, y, width, height; /* pixels of the picture, top left corner first */
};

/* What gw_surface_pace waits for behind a picture. */
enum gw_answer {
    GW_NOTHING,
    GW_FRAME, /* that it was shown */
    GW_SYNC,  /* that the compositor has read it, and said which buffers it has let go of */
};

struct gw_show {
    int32_t dx_px, dy_px;        /* how far the surface's corner moves */
    const struct gw_rect *rects; /* what changed; NULL: everything */
    uint32_t rect_count;
    enum gw_answer answer; /* asked for, unless one is awaited */
};

/* CLOSED: no compositor there, or no wl_shm; NOMEM. */
enum sl_result gw_surface_begin(const struct gw *wl, struct wl_display *display, void *wl_surface,
                                struct gw_surface *surface) SL_MUST_USE;
/* Its buffers were ended before. */
void gw_surface_end(struct gw_surface *surface);
/* fd: the picture's memory; taken; -1 none, then pictures are copied. NOMEM. */
enum sl_result gw_buffer_begin(struct gw_surface *surface, struct gw_buffer *buffer,
                               const struct gw_picture *picture, int fd) SL_MUST_USE;
void gw_buffer_end(struct gw_surface *surface, struct gw_buffer *buffer);
/* Commits the picture; its buffer is busy until the compositor releases it. CLOSED. */
enum sl_result gw_surface_show(struct gw_surface *surface, struct gw_buffer *buffer,
                               const struct gw_show *how) SL_MUST_USE;
/* Until the callback that was asked for has come, or *stop (atomic, nullable). CLOSED. */
enum sl_result gw_surface_pace(struct gw_surface *surface, const uint32_t *stop) SL_MUST_USE;
/* Takes in releases; when there are none, waits at most timeout_ns (>= 0), or until wake_fd is
 * readable (-1: none). CLOSED. */
enum sl_result gw_surface_wait(struct gw_surface *surface, int wake_fd,
                               int64_t timeout_ns) SL_MUST_USE;
bool gw_buffer_busy(const struct gw_buffer *buffer);

#endif
