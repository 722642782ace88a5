/* A build without SDL 2: there are no windows, and it says so. */
#include "tools/sluice/exit.h"
#include "tools/sluice/replay_window.h"
#include "tools/sluice/say.h"
#include "tools/sluice/window.h"

static int say_none(void)
{
    say_error("--window: this sluice was built without SDL 2 (Debian: libsdl2-dev); run without "
              "--window");
    return SLUICE_EXIT_MISSING;
}

int window_open(const char *name, uint32_t displays, uint32_t width_px, uint32_t height_px,
                struct window **out)
{
    (void)name;
    (void)displays;
    (void)width_px;
    (void)height_px;
    (void)out;
    return say_none();
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

int replay_window_open(const char *title, struct replay_window **out)
{
    (void)title;
    (void)out;
    return say_none();
}

bool replay_window_show(struct replay_window *window, const uint8_t *pixels, uint32_t width_px,
                        uint32_t height_px)
{
    (void)window;
    (void)pixels;
    (void)width_px;
    (void)height_px;
    return false;
}

void replay_window_close(struct replay_window *window)
{
    (void)window;
}
