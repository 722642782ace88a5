#include "tools/sluice/sdl.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* False: *missing names what is. */
static bool load(struct sdl *sdl, const char **missing)
{
    *missing = "libSDL2-2.0.so.0";
    void *library = dlopen(*missing, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return false;
    }
#define SDL_SYMBOL(name)                                                                           \
    {                                                                                              \
        void *symbol = dlsym(library, "SDL_" #name);                                               \
        if (symbol == NULL) {                                                                      \
            *missing = "SDL_" #name;                                                               \
            return false;                                                                          \
        }                                                                                          \
        memcpy(&sdl->name, &symbol, sizeof symbol);                                                \
    }
    SDL_FUNCTIONS(SDL_SYMBOL)
#undef SDL_SYMBOL
    return true;
}

int sdl_open(struct sdl *sdl)
{
    const char *missing;
    if (!load(sdl, &missing)) {
        say_error("--window: %s is missing; install SDL 2 (Debian: libsdl2-2.0-0), or run without "
                  "--window",
                  missing);
        return SLUICE_EXIT_MISSING;
    }
    if (getenv("DISPLAY") == NULL && getenv("WAYLAND_DISPLAY") == NULL &&
        getenv("SDL_VIDEODRIVER") == NULL) {
        say_error("no X11 or Wayland display; run without --window");
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}
