/* A program that asks EGL everything that it can be asked about configurations, contexts, surfaces,
 * images and syncs with every list of attributes, and prints of each call what came of it: `(scene)
 * arguments = what`.
 *
 * Plain EGL and GLES; knows nothing of Sluice. robust_sweep_test.py compares a native run with one
 * through Sluice. One thread. */
#ifndef ROBUST_EGL_SWEEP_H
#define ROBUST_EGL_SWEEP_H

#include "tests/integration/plain_egl.h"
#include "tests/integration/robust/robust_egl_lists.h"
#include "tests/integration/robust/robust_pick.h"

#include <stdbool.h>

enum { SWEEP_PAIRS = 6 };

/* A list of attributes as it is built. */
struct sweep_list {
    EGLint ints[2 * SWEEP_PAIRS + 1];
    int pairs;
};

void sweep_add(struct sweep_list *list, EGLint key, EGLint value);
/* "{key value ...} = ", for a list's line. */
void sweep_say(const char *what, const struct sweep_list *list);
/* The rest of it: the error. */
void sweep_end(void);
/* What EGL takes in this function's list. */
const struct regl_list *sweep_of(const char *function);
/* Calls `call` with lists: each attribute with each value, and `count` of some attributes. */
void sweep_lists(const char *function, int count,
                 void (*call)(const struct plain_egl *egl, const struct sweep_list *list),
                 const struct plain_egl *egl);

/* What a surface answers to every number that has a name. */
void sweep_ask(const struct plain_egl *egl, EGLSurface surface);
/* A surface's attribute set to a value, and what it is then: a line. */
void sweep_set(const struct plain_egl *egl, EGLSurface surface, const struct sweep_list *list);

void sweep_configs(const struct plain_egl *egl);
void sweep_choose(const struct plain_egl *egl);
void sweep_contexts(const struct plain_egl *egl);
void sweep_surfaces(const struct plain_egl *egl);
void sweep_images(const struct plain_egl *egl);
/* A native window with every attribute, of a display and configuration that have windows. */
void sweep_window(const struct plain_egl *egl, EGLNativeWindowType native);
void sweep_windows(const struct plain_egl *egl); /* a display of X11 */
/* robust_egl_wayland.c, where SWEEP_WAYLAND is defined. False: there is no compositor. */
bool sweep_wayland_open(struct plain_egl *egl);
void sweep_wayland_windows(const struct plain_egl *egl);
void sweep_syncs(const struct plain_egl *egl);

#endif
