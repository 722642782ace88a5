/* The X server, on a connection of our own: visuals, windows' sizes, pictures into windows. Any
 * thread unless said. */
#ifndef GUEST_EGL_X11_H
#define GUEST_EGL_X11_H

#include "guest/egl/config.h"
#include "transport/base/list.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

struct gegl_display;
struct gegl_x11;

/* Connects to the display's server. Logs why not: NOTFOUND nobody there, NOMEM. Gives *out,
 * counted. */
enum sl_result gegl_x11_open(const struct gegl_display *display, struct gegl_x11 **out) SL_MUST_USE;
struct gegl_x11 *gegl_x11_ref(struct gegl_x11 *x11);
void gegl_x11_unref(struct gegl_x11 *x11); /* takes NULL */

/* Visuals that windows can have, in the server's order; the array lives as long as the connection.
 */
uint32_t gegl_x11_visuals(const struct gegl_x11 *x11, const struct gegl_visual **visuals);

/* A window as we watch it. Embedded in struct gegl_window; the fields are the connection's, read
 * under its lock by gegl_x11_poll. */
struct gegl_x11_window {
    struct sl_list link; /* struct gegl_x11.windows */
    uint32_t xid;
    uint32_t gc;
    uint32_t depth;
    uint32_t width_px, height_px;
    bool gone;
};

/* Starts watching: after everything the application sent so far has reached the server. NOTFOUND:
 * no such window; CLOSED: no server. */
enum sl_result gegl_x11_window_begin(struct gegl_x11 *x11, const struct gegl_display *display,
                                     uint32_t xid, struct gegl_x11_window *window) SL_MUST_USE;
void gegl_x11_window_end(struct gegl_x11 *x11, struct gegl_x11_window *window);
/* Is another watch on this window? */
bool gegl_x11_window_taken(struct gegl_x11 *x11, uint32_t xid);
/* Takes in what the server said meanwhile and answers the window's size. NOTFOUND: the window is
 * gone; CLOSED: the server is. */
enum sl_result gegl_x11_window_size(struct gegl_x11 *x11, struct gegl_x11_window *window,
                                    uint32_t *width_px, uint32_t *height_px);

/* A picture in memory that the server may share. */
struct gegl_x11_picture {
    const uint8_t *pixels; /* top row first */
    uint32_t stride;       /* bytes */
    uint32_t width_px, height_px;
    uint32_t segment; /* of MIT-SHM; 0: is copied through the socket */
};

/* fd: the picture's memory; taken; -1 none. Without MIT-SHM the segment stays 0, which is said
 * once. */
void gegl_x11_picture_begin(struct gegl_x11 *x11, struct gegl_x11_picture *picture, int fd);
void gegl_x11_picture_end(struct gegl_x11 *x11, struct gegl_x11_picture *picture);
/* Shows it and waits until the server has read it. NOTFOUND: the window is gone; CLOSED: the server
 * is. */
enum sl_result gegl_x11_put(struct gegl_x11 *x11, const struct gegl_x11_window *window,
                            const struct gegl_x11_picture *picture) SL_MUST_USE;

#endif
