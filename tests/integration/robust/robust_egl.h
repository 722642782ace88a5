/* A program that calls every function of EGL with arguments that are wrong in every way, and right
 * ones between, and prints of each call what came of it: `call = returned: error, what it wrote`.
 *
 * Plain EGL; knows nothing of Sluice. robust_egl_test.py compares a native run with one through
 * Sluice. The calls come from EGL's headers (robust_egl_gen.py); arguments are chosen here, the
 * same ones in each run. Addresses are never printed: handles are told by what they are in the
 * world. One thread; where a world says so, a second one has a context current and sleeps. */
#ifndef ROBUST_EGL_H
#define ROBUST_EGL_H

#include "tests/integration/robust/robust_egl_lists.h"
#include "tests/integration/robust/robust_pick.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum regl_platform { REGL_SURFACELESS, REGL_X11 };

enum regl_scene {
    REGL_NOTHING, /* nothing is current */
    REGL_CURRENT, /* the context with its surface */
    REGL_SURFACELESS_CONTEXT,
    REGL_DESTROYED,  /* current, and the handles are gone */
    REGL_ELSEWHERE,  /* the context is current on another thread, its sister here */
    REGL_FOREIGN,    /* current, but the other display's */
    REGL_TERMINATED, /* current, and both displays are terminated */
    REGL_AGAIN,      /* terminated while it was current, and initialised again: no handle is good */
    REGL_RELEASED,   /* the thread is released, its label gone */
    REGL_SCENES
};

/* Kinds of what a world has. */
enum regl_kind {
    REGL_DISPLAY,
    REGL_CONFIG,
    REGL_CONTEXT,
    REGL_SURFACE,
    REGL_SYNC,
    REGL_IMAGE,
    REGL_DEVICE,
    REGL_KINDS
};

/* --- robust_egl_world.c --- */

/* What is there to name: `handle` may be stale or foreign. */
struct regl_thing {
    const char *name;
    void *handle;
};
enum { REGL_THINGS = 8 };

struct regl_world {
    struct regl_thing things[REGL_KINDS][REGL_THINGS]; /* the first is the right one */
    int counts[REGL_KINDS];
    uint32_t window, free_window, pixmap; /* of X11 */
    uint32_t texture;
    struct xcb_connection_t *x11;
};
extern struct regl_world regl_world;

/* Once; says what the display offers. False: no such platform here. */
bool regl_open(enum regl_platform platform);
bool regl_offers(const char *extension);
void regl_world_make(enum regl_scene scene);
void regl_world_end(void);
/* What a label of the world says; "-" is none. */
const char *regl_label_name(EGLLabelKHR label);
void regl_close(void);

/* --- robust_egl.c --- */

/* The callback of EGL_KHR_debug while there is a world: keeps what it is told for the call's line.
 */
void EGLAPIENTRY regl_told(EGLenum error, const char *command, EGLint type, EGLLabelKHR thread,
                           EGLLabelKHR object, const char *message);

/* --- robust_egl_choose.c --- */

struct regl {
    struct robust base; /* begins with the function and the scene */
    char returned[64];
    enum regl_kind made_kind; /* a new object; made == NULL: none */
    void *made;
};

struct regl_call {
    const char *name;
    const char *extension;        /* empty: of the core */
    void (*call)(struct regl *r); /* NULL: there is none */
    bool changes;                 /* what follows finds another world */
    bool makes;                   /* returns a new object */
};
extern const struct regl_call regl_calls[];
extern const int regl_call_count;

/* All arguments are chosen: says so. False: this call is not made. */
bool regl_may_go(struct regl *r);
void *regl_proc(const char *name);
EGLDisplay regl_display(struct regl *r);
EGLConfig regl_config(struct regl *r);
EGLContext regl_context(struct regl *r);
EGLSurface regl_surface(struct regl *r);
EGLSync regl_sync(struct regl *r);
EGLImage regl_image(struct regl *r);
EGLDeviceEXT regl_device(struct regl *r);
EGLObjectKHR regl_object(struct regl *r);
EGLClientBuffer regl_client_buffer(struct regl *r);
void *regl_native_display(struct regl *r);
uintptr_t regl_native_window(struct regl *r);
uintptr_t regl_native_pixmap(struct regl *r);
void *regl_native_window_pointer(struct regl *r);
void *regl_native_pixmap_pointer(struct regl *r);
EGLTime regl_time(struct regl *r);
const char *regl_text(struct regl *r);
EGLint regl_int(struct regl *r);
/* One of these, or none of them. */
EGLint regl_enum(struct regl *r, const EGLint *enums, int count);
/* One of these, or any token. */
EGLint regl_attribute(struct regl *r, const EGLint *keys, int count);
EGLint regl_value(struct regl *r, const EGLint *values, int count);
/* A list of attributes; NULL, too. */
const EGLint *regl_ints(struct regl *r, const EGLint *keys, int key_count, const EGLint *values,
                        int value_count);
const EGLAttrib *regl_attribs(struct regl *r, const EGLint *keys, int key_count,
                              const EGLint *values, int value_count);
EGLint *regl_rects(struct regl *r);
/* Memory of its own for each output of a call; NULL, too. */
void *regl_output(struct regl *r);
void *regl_output_uncompared(struct regl *r);

void regl_returned_number(struct regl *r, EGLint value);
void regl_returned_pointer(struct regl *r, const void *value);
/* Freed here. */
void regl_returned_owned(struct regl *r, char *value);
void regl_returned_display(struct regl *r, EGLDisplay value);
void regl_returned_context(struct regl *r, EGLContext value);
void regl_returned_surface(struct regl *r, EGLSurface value);
void regl_returned_sync(struct regl *r, EGLSync value);
void regl_returned_image(struct regl *r, EGLImage value);

/* Before a call: nothing written. After: what was, as text. */
void regl_outputs_clear(void);
void regl_outputs_print(void);

#endif
