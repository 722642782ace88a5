/* SDL 2, looked for when a window is wanted: no other verb shall load it. */
#ifndef SLUICE_SDL_H
#define SLUICE_SDL_H

#include <SDL.h>

#define SDL_FUNCTIONS(F)                                                                           \
    F(ConvertPixels)                                                                               \
    F(CreateWindow)                                                                                \
    F(DestroyWindow)                                                                               \
    F(FillRect)                                                                                    \
    F(GetCurrentVideoDriver)                                                                       \
    F(GetError)                                                                                    \
    F(GetWindowID)                                                                                 \
    F(GetWindowSurface)                                                                            \
    F(Init)                                                                                        \
    F(PollEvent)                                                                                   \
    F(PushEvent)                                                                                   \
    F(Quit)                                                                                        \
    F(RegisterEvents)                                                                              \
    F(SetHint)                                                                                     \
    F(SetWindowMaximumSize)                                                                        \
    F(SetWindowMinimumSize)                                                                        \
    F(SetWindowSize)                                                                               \
    F(UpdateWindowSurface)                                                                         \
    F(UpdateWindowSurfaceRects)                                                                    \
    F(WaitEvent)

/* It stays loaded: it starts threads of its own, and the program is about to end. */
struct sdl {
#define SDL_MEMBER(name) __typeof__(SDL_##name) *name;
    SDL_FUNCTIONS(SDL_MEMBER)
#undef SDL_MEMBER
};

/* MISSING: there is no SDL or no display, which was said. */
int sdl_open(struct sdl *sdl);

#endif
