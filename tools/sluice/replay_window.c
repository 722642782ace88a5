#include "tools/sluice/replay_window.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/sdl.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay_window {
    struct sdl sdl;
    char title[256];
    SDL_Window *at; /* made with the first picture; NULL before */
    int width_px, height_px;
};

/* What SDL finds instead of a window system is none. */
static int begin(struct sdl *sdl)
{
    if (sdl->Init(SDL_INIT_VIDEO) != 0) {
        say_error("no X11 or Wayland display: %s; run without --window", sdl->GetError());
        return SLUICE_EXIT_MISSING;
    }
    const char *driver = sdl->GetCurrentVideoDriver();
    if (getenv("SDL_VIDEODRIVER") == NULL && strcmp(driver, "x11") != 0 &&
        strcmp(driver, "wayland") != 0) {
        say_error("no X11 or Wayland display: SDL offers '%s'; run without --window", driver);
        sdl->Quit();
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

int replay_window_open(const char *title, struct replay_window **out)
{
    struct replay_window *w = sl_alloc(sizeof *w);
    if (w == NULL) {
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    snprintf(w->title, sizeof w->title, "%s", title);
    int code = sdl_open(&w->sdl);
    if (code == SLUICE_EXIT_OK) {
        (void)w->sdl.SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
        (void)w->sdl.SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
        code = begin(&w->sdl);
    }
    if (code != SLUICE_EXIT_OK) {
        sl_free(w);
        return code;
    }
    *out = w;
    return SLUICE_EXIT_OK;
}

/* The window has the picture's size. False: SDL makes none, which was said. */
static bool fit(struct replay_window *w, int width, int height)
{
    if (w->at == NULL) {
        w->at = w->sdl.CreateWindow(w->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                    width, height, 0);
        if (w->at == NULL) {
            say_error("--window: %s", w->sdl.GetError());
            return false;
        }
    } else if (width != w->width_px || height != w->height_px) {
        w->sdl.SetWindowSize(w->at, width, height);
    }
    w->width_px = width;
    w->height_px = height;
    return true;
}

static void paint(struct replay_window *w, const uint8_t *pixels)
{
    SDL_Surface *surface = w->sdl.GetWindowSurface(w->at);
    if (surface == NULL) {
        return; /* a window system that is just resizing it */
    }
    int width = w->width_px < surface->w ? w->width_px : surface->w;
    int height = w->height_px < surface->h ? w->height_px : surface->h;
    (void)w->sdl.ConvertPixels(width, height, SDL_PIXELFORMAT_RGBA32, pixels, 4 * w->width_px,
                               surface->format->format, surface->pixels, surface->pitch);
    (void)w->sdl.UpdateWindowSurface(w->at);
}

bool replay_window_show(struct replay_window *window, const uint8_t *pixels, uint32_t width_px,
                        uint32_t height_px)
{
    SDL_Event event;
    bool fits = width_px != 0 && height_px != 0 && width_px <= 16384 && height_px <= 16384;
    if (pixels != NULL && fits) {
        if (!fit(window, (int)width_px, (int)height_px)) {
            return false;
        }
        paint(window, pixels);
    }
    while (window->sdl.PollEvent(&event) != 0) {
        if (event.type == SDL_QUIT) {
            return false;
        }
    }
    return true;
}

void replay_window_close(struct replay_window *window)
{
    if (window != NULL) {
        if (window->at != NULL) {
            window->sdl.DestroyWindow(window->at);
        }
        window->sdl.Quit();
        sl_free(window);
    }
}
