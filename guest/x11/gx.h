/* The X server, on a connection of our own: visuals, windows' sizes, pictures into windows. For the
 * EGL and the Vulkan library. Any thread unless said. */
#ifndef GUEST_X11_GX_H
#define GUEST_X11_GX_H

#include "transport/base/list.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

struct gx;
struct xcb_connection_t;

/* The application's connection, as it gave it. */
struct gx_native {
    void *connection; /* xcb_connection_t or Display; NULL: none, what DISPLAY names is meant */
    bool xlib;        /* it is a Display */
    int screen;       /* X screen; -1: the default */
};

/* The connection as xcb has it; NULL when there is none or libX11 cannot say. Owned by the
 * application. */
struct xcb_connection_t *gx_native_connection(const struct gx_native *native);

/* Connects to the application's server. Logs why not: NOTFOUND nobody there, NOMEM. Gives *out,
 * counted. */
enum sl_result gx_open(const struct gx_native *native, struct gx **out) SL_MUST_USE;
struct gx *gx_ref(struct gx *x11);
void gx_unref(struct gx *x11); /* takes NULL */

/* One visual of the X screen that windows can have. */
struct gx_visual {
    uint32_t id;
    uint32_t depth;
    int type; /* X class: 4 TrueColor, 5 DirectColor */
    uint32_t red_mask, green_mask, blue_mask;
};

/* Visuals that windows can have, in the server's order; the array lives as long as the connection.
 */
uint32_t gx_visuals(const struct gx *x11, const struct gx_visual **visuals);

/* A window as we watch it. The caller's storage; the fields are the connection's, read by
 * gx_window_size. */
struct gx_window {
    struct sl_list link; /* struct gx.windows */
    uint32_t xid;
    uint32_t gc;
    uint32_t depth;
    uint32_t width_px, height_px;
    bool gone;
};

/* Starts watching: after everything the application sent so far has reached the server. NOTFOUND:
 * no such window; CLOSED: no server. */
enum sl_result gx_window_begin(struct gx *x11, const struct gx_native *native, uint32_t xid,
                               struct gx_window *window) SL_MUST_USE;
void gx_window_end(struct gx *x11, struct gx_window *window);
/* Is another watch on this window? */
bool gx_window_taken(struct gx *x11, uint32_t xid);
/* Takes in what the server said meanwhile and answers the window's size. NOTFOUND: the window is
 * gone; CLOSED: the server is. */
enum sl_result gx_window_size(struct gx *x11, struct gx_window *window, uint32_t *width_px,
                              uint32_t *height_px);

/* A picture in memory that the server may share. The caller's storage, from begin to end. */
struct gx_picture {
    const uint8_t *pixels; /* top row first */
    uint32_t stride;       /* bytes */
    uint32_t width_px, height_px;
    uint32_t offset;     /* bytes into the descriptor's memory */
    uint32_t segment;    /* of MIT-SHM; 0: is copied through the socket */
    bool busy;           /* gx_put_begin: the server has not read it yet */
    uint32_t sequence;   /* of the request that shows it, while busy */
    struct sl_list link; /* struct gx.pictures */
};

/* fd: the picture's memory; taken; -1 none. Without MIT-SHM the segment stays 0, which is said
 * once. */
void gx_picture_begin(struct gx *x11, struct gx_picture *picture, int fd);
void gx_picture_end(struct gx *x11, struct gx_picture *picture);
/* Shows it and waits until the server has read it. NOTFOUND: the window is gone; CLOSED: the server
 * is. */
enum sl_result gx_put(struct gx *x11, const struct gx_window *window,
                      const struct gx_picture *picture) SL_MUST_USE;
/* Shows it without waiting: gx_picture_busy tells when the server has read it, gx_window_size what
 * became of the window. A picture without segment is copied before this returns. */
enum sl_result gx_put_begin(struct gx *x11, const struct gx_window *window,
                            struct gx_picture *picture) SL_MUST_USE;
/* As of the last event that was taken in. */
bool gx_picture_busy(struct gx *x11, const struct gx_picture *picture);
/* Takes in what the server said; when that is nothing, waits for it to speak or for wake_fd to be
 * readable (-1: none), at most timeout_ns (>= 0) and at most a slice of 50 ms, so that threads that
 * share a connection cannot miss what another one took. CLOSED: the server is gone. */
enum sl_result gx_wait(struct gx *x11, int wake_fd, int64_t timeout_ns);

#endif
