/* A GLES context type on the native driver with one scripted guest: packets in, replies and pixels
 * out. For tests of host/rc and host/gles.
 *
 * gles_world_init skips the case where there is no native EGL. Packets are spelled by a format, not
 * by the generated packers: 'u' uint32_t, 'i' int32_t (4 bytes), 'b' one byte (int), 'f' float
 * (double), 'q' uint64_t, 'd' bytes (const void *, uint32_t size) */
#ifndef TESTS_GLES_WORLD_H
#define TESTS_GLES_WORLD_H

#include "asg/writer.h"
#include "host/context.h"
#include "tests/support/task_count.h"

#include <GLES3/gl31.h>
#include <stdbool.h>
#include <stdint.h>

enum { WORLD_RING = 1, WORLD_WINDOW = 2, WORLD_WIDTH = 64, WORLD_HEIGHT = 48 };

struct gles_guest {
    struct gles_world *world;
    struct hct_context *context;
    struct asg_writer writer;
    void *memory; /* its ring */
    uint32_t ctx_id, ring_id;
    uint32_t lost; /* atomic */
    char reason[192];
    uint32_t gl, surface; /* handles, after gles_guest_start */
};

struct gles_world {
    struct task_count tasks; /* first: hct_env's user */
    struct hct_env env;
    struct hct_options options;
    struct hct_provider *provider;
    struct gles_guest guests[3];
    uint32_t guest_count;
    uint8_t *pixels; /* resource WORLD_WINDOW: BGRX, top row first */
};

void gles_world_init(struct gles_world *w);
void gles_world_finish(struct gles_world *w);
/* A guest with its context and ring; the window resource is attached. */
struct gles_guest *gles_guest_open(struct gles_world *w);
/* The same of the composer type. */
struct gles_guest *gles_composer_open(struct gles_world *w);
/* A configuration of 8 bits a colour, so many of alpha, with depth, without samples. */
uint32_t gles_config(struct gles_guest *g, int32_t alpha);
/* A GLES context of glVersion (2, 3, 4), a window surface on resource WORLD_WINDOW, current. */
void gles_guest_start(struct gles_guest *g, uint32_t version);

void gles_send(struct gles_guest *g, uint32_t opcode, const char *format, ...);
void gles_read(struct gles_guest *g, void *data, uint32_t size);
uint32_t gles_call(struct gles_guest *g, uint32_t opcode, const char *format,
                   ...);                   /* a u32 answer */
uint32_t gles_error(struct gles_guest *g); /* glGetError */
/* The window's pixel at x, y from the top, as 0xRRGGBB, after a flush. */
uint32_t gles_window_pixel(struct gles_guest *g, uint32_t x, uint32_t y);
/* glReadPixels of one pixel of the framebuffer, 0xRRGGBBAA. */
uint32_t gles_pixel(struct gles_guest *g, int32_t x, int32_t y);
/* A linked program, used: attribute 0 is vec4 position, attribute 1 vec4 colour. */
uint32_t gles_program(struct gles_guest *g);
/* The same of these shaders. */
uint32_t gles_program_of(struct gles_guest *g, const char *vertex, const char *fragment);
/* A texture of RGBA8 of that size, bound, and a framebuffer with it, bound, and its viewport. The
 * texture's name. Contexts of GLES 3. */
uint32_t gles_target(struct gles_guest *g, int32_t size);
bool gles_guest_alive(struct gles_guest *g); /* a round trip works */

/* A fixture: one guest with a context of GLES 3. */
struct gles_one {
    struct gles_world world;
    struct gles_guest *g;
};
void gles_one_init(struct gles_one *t);
void gles_one_finish(struct gles_one *t);

#endif
