/* Syncs of every type with every attribute: what they answer, waits, signals. */
#define EGL_EGLEXT_PROTOTYPES
#include "tests/integration/robust/robust_egl_sweep.h"

#include <GLES2/gl2.h>
#include <stdio.h>

#define PROC(type, name) ((type)(void *)eglGetProcAddress(name))

static const EGLenum types[] = {EGL_SYNC_FENCE, EGL_SYNC_REUSABLE_KHR, EGL_SYNC_CL_EVENT,
                                EGL_SYNC_NATIVE_FENCE_ANDROID, EGL_NONE};
static EGLenum type; /* of what is made */
static PFNEGLCREATESYNCKHRPROC create;
static PFNEGLSIGNALSYNCKHRPROC signal_sync;
static PFNEGLGETSYNCATTRIBKHRPROC get_narrow;

/* As both functions say it. */
static void ask(const struct plain_egl *egl, EGLSync sync)
{
    for (int k = 0; k < regl_token_count; k++) {
        EGLAttrib wide = -7;
        EGLint narrow = -7;
        if (eglGetSyncAttrib(egl->display, sync, regl_tokens[k], &wide)) {
            printf(" %x:%lx", (unsigned)regl_tokens[k], (unsigned long)wide);
        }
        EGLint error = eglGetError();
        if (get_narrow(egl->display, sync, regl_tokens[k], &narrow) || error != eglGetError()) {
            printf("/%x", (unsigned)narrow);
        }
    }
}

static void say(const char *what, EGLint done)
{
    printf(" %s %x %x", what, (unsigned)done, (unsigned)eglGetError());
}

static void use(const struct plain_egl *egl, EGLSync sync)
{
    EGLDisplay display = egl->display;
    static const EGLint flags[] = {0, EGL_SYNC_FLUSH_COMMANDS_BIT, 2, -1};
    static const EGLenum modes[] = {EGL_SIGNALED, EGL_UNSIGNALED, EGL_NONE, 0};
    if (type != EGL_SYNC_REUSABLE_KHR) { /* from here it does not depend on time */
        say("waits", eglClientWaitSync(display, sync, EGL_SYNC_FLUSH_COMMANDS_BIT, EGL_FOREVER));
    }
    ask(egl, sync);
    for (int i = 0; i < COUNT(flags); i++) {
        say("polls", eglClientWaitSync(display, sync, flags[i], 0));
        say("server", eglWaitSync(display, sync, flags[i]));
    }
    for (int i = 0; i < COUNT(modes); i++) {
        EGLAttrib status = -7;
        say("signal", signal_sync(display, sync, modes[i]));
        say("status", eglGetSyncAttrib(display, sync, EGL_SYNC_STATUS, &status));
        printf(" %lx", (unsigned long)status);
        say("polls", eglClientWaitSync(display, sync, 0, 0));
    }
    say("no place", eglGetSyncAttrib(display, sync, EGL_SYNC_TYPE, NULL));
    say("destroyed", eglDestroySync(display, sync));
    say("again", eglDestroySync(display, sync));
    say("after", eglClientWaitSync(display, sync, 0, 0));
}

static void made(const struct plain_egl *egl, EGLSync sync)
{
    EGLint error = eglGetError();
    if (sync != EGL_NO_SYNC) {
        use(egl, sync);
    }
    printf(" : %x\n", (unsigned)error);
}

static void narrow(const struct plain_egl *egl, const struct sweep_list *list)
{
    printf("%x ", type);
    sweep_say("narrow", list);
    made(egl, create(egl->display, type, list->ints));
}

static void wide(const struct plain_egl *egl, const struct sweep_list *list)
{
    EGLAttrib values[2 * SWEEP_PAIRS + 1];
    for (int i = 0; i <= 2 * list->pairs; i++) {
        values[i] = list->ints[i];
    }
    printf("%x ", type);
    sweep_say("wide", list);
    made(egl, eglCreateSync(egl->display, type, values));
}

static void all(const struct plain_egl *egl)
{
    static const struct sweep_list none = {.ints = {EGL_NONE}};
    for (int i = 0; i < COUNT(types); i++) {
        type = types[i];
        narrow(egl, &none);
        wide(egl, &none);
        sweep_lists("eglCreateSyncKHR", 20, narrow, egl);
        sweep_lists("eglCreateSync", 20, wide, egl);
    }
}

void sweep_syncs(const struct plain_egl *egl)
{
    static const struct sweep_list none = {.ints = {EGL_NONE}};
    create = PROC(PFNEGLCREATESYNCKHRPROC, "eglCreateSyncKHR");
    signal_sync = PROC(PFNEGLSIGNALSYNCKHRPROC, "eglSignalSyncKHR");
    get_narrow = PROC(PFNEGLGETSYNCATTRIBKHRPROC, "eglGetSyncAttribKHR");
    for (int i = 0; i < COUNT(types); i++) { /* without a context */
        type = types[i];
        narrow(egl, &none);
        wide(egl, &none);
    }
    plain_egl_current(egl, plain_egl_pbuffer(egl, 4), plain_egl_context(egl, 2, EGL_NO_CONTEXT));
    all(egl);
}
