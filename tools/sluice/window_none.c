/* A build without SDL 2: there are no windows, and it says so. */
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/window.h"

int window_open(const char *name, uint32_t displays, uint32_t width_px, uint32_t height_px,
                struct window **out)
{
    (void)name;
    (void)displays;
    (void)width_px;
    (void)height_px;
    (void)out;
    say_error("--window: this sluice was built without SDL 2 (Debian: libsdl2-dev); run without "
              "--window");
    return SLUICE_EXIT_MISSING;
}

struct vhost_display window_display(struct window *window)
{
    (void)window;
    return (struct vhost_display){0};
}

void window_set_server(struct window *window, struct vhost_server *server)
{
    (void)window;
    (void)server;
}

void window_close(struct window *window)
{
    (void)window;
}
