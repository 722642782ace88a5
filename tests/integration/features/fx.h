/* A program that draws features, one after the other, each in a context of its own, and prints what
 * came out: `name frame pixels answers`, two hashes: of the frame's pixels, and of every value that
 * GL answered.
 *
 * Plain EGL and GLES; knows nothing of Sluice. The same program natively and through Sluice must
 * print the same lines (features_test.py). */
#ifndef FX_H
#define FX_H

#include "tests/integration/plain_egl.h"

#include <GLES3/gl31.h>
#include <GLES2/gl2ext.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FX_SIZE = 64, FX_FRAMES = 3 };

struct fx {
    struct plain_egl egl;
    EGLContext context;
    EGLSurface surface;
    int version; /* of the contexts: 1, 2 or 3 */
    uint64_t hash;
    const char *unsupported; /* set by a feature that the driver cannot do: why */
};

struct fx_feature {
    const char *name;
    void (*draw)(struct fx *fx, int frame);
    const char *needs; /* an extension, "3.1", "3.2", or NULL */
};

/* The features of one file. */
struct fx_list {
    const struct fx_feature *features; /* NULL: the end */
    size_t count;
};

/* main: --list, --feature NAME, --ppm DIR. Ends with 1 when something that must work did not. */
int fx_main(int argc, char **argv, int version, const struct fx_list *lists);

/* Into the frame's hash. */
void fx_note(struct fx *fx, const void *data, size_t size);
void fx_note_int(struct fx *fx, int64_t value);
void fx_note_text(struct fx *fx, const char *text);
/* The error that is pending: it should be `want`; noted. */
void fx_error(struct fx *fx, GLenum want);

bool fx_has(const char *extension);
/* Linked program; attribute "p" is 0, "q" is 1, "r" is 2. Ends the program when it does not link.
 */
GLuint fx_program(const char *vertex, const char *fragment);
/* "#version 100" or "300 es" with precision, per the context's version, is put in front. */
#define FX_VS                                                                                      \
    "attribute vec2 p; varying vec2 t; void main() { t = p * 0.5 + 0.5; gl_Position = vec4(p, "    \
    "0.0, 1.0); }"
/* A program of FX_VS (GLES 2 words) and this fragment shader, in use. */
GLuint fx_fill(const char *fragment);
/* A full-screen quad by client arrays on attribute 0. */
void fx_quad(void);
/* A rectangle in clip coordinates. */
void fx_rect(float x0, float y0, float x1, float y1);
/* A texture of FX_SIZE^2 with a pattern, bound to GL_TEXTURE_2D, nearest filter. */
GLuint fx_texture(GLenum format, GLenum type, int frame);
/* Pseudo-random bytes, the same always. */
void fx_bytes(void *data, size_t size, uint32_t seed);
/* A framebuffer with a texture of FX_SIZE^2 behind it, bound; *texture nullable. */
GLuint fx_framebuffer(GLint internal, GLenum format, GLenum type, GLuint *texture);
/* Draw a texture over the whole of the default framebuffer. */
void fx_show(struct fx *fx, GLuint texture);
void fx_note_pixels(struct fx *fx, int x, int y, int width, int height);

/* A second context that shares with fx's, current on a thread of its own while fn runs. */
void fx_on_thread(struct fx *fx, void (*fn)(void *user), void *user);

#endif
