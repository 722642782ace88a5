/* The windows of `sluice device --window`: one for each display, with what the guest shows there,
 * its cursor drawn in.
 *
 * A thread of its own owns the windows; the device thread reads the rows that are new and hands
 * them over, never faster than they are shown. Who resizes a window resizes the display, as by
 * another cable; a guest that changes its picture's size resizes the window. Closing a window ends
 * the device as SIGTERM does. */
#ifndef SLUICE_WINDOW_H
#define SLUICE_WINDOW_H

#include "transport/vhost/vhost.h"

struct window;

/* Opens them, black. name: for their titles; copied. Returns an exit code; the reason was said. */
int window_open(const char *name, uint32_t displays, uint32_t width_px, uint32_t height_px,
                struct window **out);
/* For vhost_server_options. */
struct vhost_display window_display(struct window *window);
/* Borrows the server until window_close; before it runs. */
void window_set_server(struct window *window, struct vhost_server *server);
/* The server does not run any more. Takes NULL. */
void window_close(struct window *window);

#endif
