/* A window of any platform that EGL draws into by GLES 2, and pictures that depend on their number
 * alone: what the programs have in common that show the same natively and through Sluice.
 *
 * Plain EGL; whatever cannot be had ends the program with 1 and a line on stderr. */
#ifndef SHOWN_H
#define SHOWN_H

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of a configuration's channels: of red and blue, and of alpha. */
struct shown_bits {
    EGLint color, alpha;
};

struct shown {
    EGLDisplay display;
    EGLConfig config;
    EGLSurface surface;
    EGLContext context;
};

/* what: failed if not ok; said with EGL's error and errno. */
void shown_need(bool ok, const char *what);
/* EGL on a native display; a surface of its native window, of the first configuration that has just
 * these bits. */
void shown_open(struct shown *s, EGLenum platform, void *display, void *window,
                struct shown_bits bits);
/* A context, current with the surface. */
void shown_current(struct shown *s);
/* Picture n: rectangles. */
void shown_draw(uint32_t n, int width, int height);
/* All pixels as GLES reads them; free() them. */
uint8_t *shown_read(int width, int height);
/* Hash of some bytes. */
uint32_t shown_hash(const uint8_t *bytes, size_t size);
/* Says `shown` on stdout and waits until stdin ends. */
void shown_wait(void);

#endif
