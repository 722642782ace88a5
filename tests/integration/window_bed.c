/* A window as large as the X server's screen, behind those that come and without a background: what
 * they showed last stays there when they end.
 *
 * usage: window_bed
 *
 * Prints `ready` when it is there, and ends with the server. Exit 1: no X server. */
#include <stdio.h>
#include <stdlib.h>
#include <xcb/xcb.h>

int main(void)
{
    xcb_connection_t *x = xcb_connect(NULL, NULL);
    if (xcb_connection_has_error(x) != 0) {
        fputs("window_bed: no X server\n", stderr);
        return 1;
    }
    const xcb_screen_t *screen = xcb_setup_roots_iterator(xcb_get_setup(x)).data;
    const uint32_t values[] = {XCB_BACK_PIXMAP_NONE, 1};
    xcb_window_t window = xcb_generate_id(x);
    xcb_create_window(x, XCB_COPY_FROM_PARENT, window, screen->root, 0, 0, screen->width_in_pixels,
                      screen->height_in_pixels, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
                      XCB_COPY_FROM_PARENT, XCB_CW_BACK_PIXMAP | XCB_CW_OVERRIDE_REDIRECT, values);
    xcb_map_window(x, window);
    free(xcb_get_input_focus_reply(x, xcb_get_input_focus(x), NULL)); /* all of it is done */
    puts("ready");
    fflush(stdout);
    for (xcb_generic_event_t *event; (event = xcb_wait_for_event(x)) != NULL;) {
        free(event);
    }
    xcb_disconnect(x);
    return 0;
}
