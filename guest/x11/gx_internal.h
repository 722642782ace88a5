/* What the files of the room share. */
#ifndef GUEST_X11_GX_INTERNAL_H
#define GUEST_X11_GX_INTERNAL_H

#include "guest/x11/gx.h"

#include <pthread.h>
#include <xcb/xcb.h>

#define GX_VISUALS_MAX 16u

struct gx {
    xcb_connection_t *connection;
    xcb_screen_t *screen;
    uint32_t image_unit_bits[33]; /* bits a pixel takes in images, by depth */
    struct gx_visual visuals[GX_VISUALS_MAX];
    uint32_t visual_count;
    bool shm;
    uint8_t shm_completion; /* event code; with shm */
    pthread_mutex_t lock;   /* guards what follows */
    uint32_t refs;
    bool copy_said;
    struct sl_list windows;  /* struct gx_window.link */
    struct sl_list pictures; /* struct gx_picture.link */
};

/* The event says that the server has read a picture, or refuses one: it is not busy any more. */
void gx_picture_event_locked(struct gx *x11, const xcb_generic_event_t *event);

#endif
