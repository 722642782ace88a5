/* Native fences, where the display has them: descriptors of the kernel's that signal when what was
 * drawn before them has been drawn, and that syncs are made of. For tests/vm: on the host's own
 * kernel there are none.
 *
 * usage: fence_program. Prints what holds, a line each. */
#define EGL_EGLEXT_PROTOTYPES
#include "tests/integration/plain_egl.h"

#include <GLES3/gl3.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SIDE = 64, DRAWS = 50, FENCES = 20, PATIENCE_MS = 100000 };

#define PROC(type, name) ((type)(void *)eglGetProcAddress(name))

static void say(const char *what, bool holds)
{
    printf("%s: %s\n", what, holds ? "yes" : "no");
}

static EGLSyncKHR make(EGLDisplay display, int fd)
{
    const EGLint attribs[] = {EGL_SYNC_NATIVE_FENCE_FD_ANDROID, fd, EGL_NONE};
    return PROC(PFNEGLCREATESYNCKHRPROC,
                "eglCreateSyncKHR")(display, EGL_SYNC_NATIVE_FENCE_ANDROID,
                                    fd != EGL_NO_NATIVE_FENCE_FD_ANDROID ? attribs : NULL);
}

static int dup_of(EGLDisplay display, EGLSyncKHR sync)
{
    return PROC(PFNEGLDUPNATIVEFENCEFDANDROIDPROC, "eglDupNativeFenceFDANDROID")(display, sync);
}

static EGLint asked(EGLDisplay display, EGLSyncKHR sync, EGLint what)
{
    EGLint value = 0;
    PROC(PFNEGLGETSYNCATTRIBKHRPROC, "eglGetSyncAttribKHR")(display, sync, what, &value);
    return value;
}

static void draw(void)
{
    for (int i = 0; i < DRAWS; i++) {
        glClearColor((float)i / DRAWS, 0.5f, 0.25f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
    }
}

static bool is_sync_file(int fd)
{
    struct sync_file_info info = {.num_fences = 0};
    return ioctl(fd, SYNC_IOC_FILE_INFO, &info) == 0;
}

static bool signals(int fd)
{
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&waited, 1, PATIENCE_MS) == 1 && waited.revents == POLLIN;
}

/* Two of the kernel's fences as one. */
static int merged(int a, int b)
{
    struct sync_merge_data data = {.name = "both", .fd2 = b, .fence = -1};
    return ioctl(a, SYNC_IOC_MERGE, &data) == 0 ? data.fence : -1;
}

static void own_fences(EGLDisplay display)
{
    int last = -1;
    bool all_files = true, all_signal = true, all_merge = true;
    for (int i = 0; i < FENCES; i++) {
        draw();
        EGLSyncKHR sync = make(display, EGL_NO_NATIVE_FENCE_FD_ANDROID);
        int fd = dup_of(display, sync);
        all_files &= is_sync_file(fd);
        int both = i > 0 ? merged(fd, last) : dup(fd);
        all_merge &= both >= 0;
        eglDestroySync(display, sync); /* the descriptor lives on */
        all_signal &= signals(both);
        close(both);
        close(last);
        last = fd;
    }
    close(last);
    say("they are sync files", all_files);
    say("they merge", all_merge);
    say("they signal", all_signal);
}

static void foreign_fences(EGLDisplay display)
{
    draw();
    EGLSyncKHR ours = make(display, EGL_NO_NATIVE_FENCE_FD_ANDROID);
    EGLSyncKHR theirs = make(display, dup_of(display, ours));
    say("made of a descriptor", theirs != EGL_NO_SYNC_KHR);
    say("types", asked(display, theirs, EGL_SYNC_TYPE_KHR) == EGL_SYNC_NATIVE_FENCE_ANDROID &&
                     asked(display, ours, EGL_SYNC_TYPE_KHR) == EGL_SYNC_NATIVE_FENCE_ANDROID);
    say("conditions",
        asked(display, ours, EGL_SYNC_CONDITION_KHR) == EGL_SYNC_PRIOR_COMMANDS_COMPLETE_KHR &&
            asked(display, theirs, EGL_SYNC_CONDITION_KHR) ==
                EGL_SYNC_NATIVE_FENCE_SIGNALED_ANDROID);
    say("the driver waits", eglWaitSync(display, theirs, 0));
    draw();
    say("waited", eglClientWaitSync(display, theirs, 0, EGL_FOREVER) == EGL_CONDITION_SATISFIED &&
                      eglClientWaitSync(display, ours, 0, EGL_FOREVER) == EGL_CONDITION_SATISFIED);
    say("status", asked(display, theirs, EGL_SYNC_STATUS_KHR) == EGL_SIGNALED_KHR);
    int fd = dup_of(display, theirs);
    say("given back", fd >= 0 && signals(fd));
    close(fd);
    eglDestroySync(display, theirs);
    eglDestroySync(display, ours);
}

static void refusals(EGLDisplay display)
{
    EGLSync plain = eglCreateSync(display, EGL_SYNC_FENCE, NULL);
    say("no descriptor of other syncs", dup_of(display, plain) == EGL_NO_NATIVE_FENCE_FD_ANDROID &&
                                            eglGetError() == EGL_BAD_PARAMETER);
    eglDestroySync(display, plain);
}

int main(void)
{
    struct plain_egl egl;
    plain_egl_open(&egl);
    const char *extensions = eglQueryString(egl.display, EGL_EXTENSIONS);
    bool has = strstr(extensions, "EGL_ANDROID_native_fence_sync") != NULL;
    say("native fences", has);
    if (has) {
        EGLContext context = plain_egl_context(&egl, 3, EGL_NO_CONTEXT);
        plain_egl_current(&egl, plain_egl_pbuffer(&egl, SIDE), context);
        own_fences(egl.display);
        foreign_fences(egl.display);
        refusals(egl.display);
    }
    plain_egl_close(&egl);
    return 0;
}
